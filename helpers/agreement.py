"""Where the store holds what a fact of the public record says, the two are compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import store
from helpers.files import DATA, HelperError, Missing


def compared(folder: Path, facts: Mapping[str, Any]) -> tuple[list[str], str]:
    """A sentence on every fact that is not what the store holds, and a line on how many were compared.

    Parameters
    ----------
    folder : of the public record; its ``store.yaml`` says where the store holds the same, see facts.schema.json
    facts : the record by id, each with its ``value``
    """
    declared = _declared(folder / "store.yaml", facts)
    place = store.locate() if declared else None
    held = store.Store(place) if place else None
    if held is None or held.source == "synthetic":
        return [], f"{len(declared)} facts were not compared: there is no store here." if declared else ""
    faults, lacking = [], 0
    for name, asked in declared.items():
        try:
            found = _found(held, asked)
        except Missing:
            lacking += 1
            continue
        said = facts[name].value
        if not _same(said, found, asked.get("tolerance", 1e-9)):
            file = next(path for path in folder.glob("*.csv") if f"\n{name}," in path.read_text("utf-8"))
            faults.append(
                f"{file}: the fact {name} says {said}, and {asked['file']} in the store at {held.path} gives {found}; "
                "correct the one that is wrong, or what store.yaml beside it compares."
            )
    rest = f"; the store lacks {lacking} more" if lacking else ""
    return faults, f"{len(declared) - lacking} facts were compared with the store{rest}."


def _declared(path: Path, facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    import yaml
    from jsonschema import ValidationError, validate

    if not path.exists():
        return {}
    try:
        content: dict[str, dict[str, Any]] = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) or {}
        validate(content, json.loads((DATA / "facts.schema.json").read_text("utf-8")))
    except (OSError, ValueError, yaml.YAMLError, ValidationError) as error:
        reason = getattr(error, "message", str(error)).partition("\n")[0][:160]
        raise HelperError(f"{path} cannot be used ({reason}); data/facts.schema.json has its form.") from None
    if unknown := [name for name in content if name not in facts]:
        raise HelperError(f"{path} names {unknown[0]}, and the record has no such fact; correct the id.")
    return content


def _found(held: store.Store, asked: Mapping[str, Any]) -> str | float:
    """What the store holds: a coded word, or a number in units of ``per``, or its change ``since`` another row."""
    found = held.value(asked["file"], asked["column"], asked["where"])
    if not isinstance(found, int | float):
        return str(found).lower().replace(" ", "-")
    if "since" in asked:
        before = held.value(asked["file"], asked["column"], {**asked["where"], **asked["since"]})
        found = found - before if asked["change"] == "difference" else 100 * (found / before - 1)
    return round(found / asked.get("per", 1), 6)


def _same(said: str, found: str | float, tolerance: float) -> bool:
    if isinstance(found, str):
        return said == found
    return bool(abs(pd.to_numeric(said, errors="coerce") - found) <= tolerance)
