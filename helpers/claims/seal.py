"""Seals: a dated hash of each rule, so that a reader can see whether it stood before its number.

``seal.json`` beside claims.yaml holds both sides: when each rule was sealed, and when each notebook was first
executed. It is the project's own word; a commit of it is what dates it for others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.claims import registry
from helpers.claims.registry import Claim, RegistryError
from helpers.files import write_whole
from helpers.words import date

#: What of an entry must stand before its number; the sentence that tells the number cannot.
_SEALED = ("says", "rule", "measures", "decides", "as_of", "horizon")


def path() -> Path:
    """The seal of the collection in use, whether it has one or not."""
    return registry.place().data / "seal.json"


def begin(file: Path) -> None:
    """Write an empty seal: from now on the first execution of each notebook is written down."""
    _write(file, {"sealed": {}, "executed": {}})


def seal() -> int:
    """Seal every rule that is not sealed yet or no longer fits its seal; how many those are."""
    known, now = _read() or {"sealed": {}, "executed": {}}, _now()
    fresh = [claim for claim in registry.load().values() if not _fits(known["sealed"].get(claim.id), claim)]
    for claim in fresh:
        before = claim.notebook not in known["executed"] and not _has_run(claim.notebook)
        known["sealed"][claim.id] = {"rule": _hash(claim), "date": now, "before": before}
    _write(path(), known)
    return len(fresh)


def executed(names: Iterable[str]) -> None:
    """Write down that notebooks are executed now, if they never were and the collection has a seal."""
    if (known := _read()) is None:
        return
    if first := {name: _now() for name in names if name not in known["executed"]}:
        _write(path(), {**known, "executed": {**known["executed"], **first}})


def sentence(claim_id: str) -> str:
    """What the seal says of a rule; empty where it was never sealed."""
    known, claim = (_read() or {}).get("sealed", {}).get(claim_id), registry.load().get(claim_id)
    if known is None or claim is None:
        return ""
    day = date(known["date"])
    if not _fits(known, claim):
        return f"Revised after it was sealed on {day}."
    return f"Sealed on {day}, {'before' if known['before'] else 'after'} the first execution of its notebook."


def summary() -> str:
    """One sentence on the rules of the whole collection."""
    claims, known = registry.load(), (_read() or {}).get("sealed", {})
    early = [
        key for key in claims if key in known and known[key]["before"] and _fits(known[key], claims[key])
    ]
    if not early:
        return "The rules were not sealed: no dated hash shows that they stood before their numbers."
    return f"{len(early)} of {len(claims)} rules stand as they were sealed before their notebook was first executed."


def faults() -> list[str]:
    """Rules that no longer fit their seal, and sealed claims that are gone: a sentence each, with what to do."""
    claims, content = registry.load(), registry.read()
    lines = {entry["id"]: line for entry, line in zip(content[0]["claims"], content[1], strict=True)}
    found = []
    for key, known in (_read() or {}).get("sealed", {}).items():
        if key not in claims:
            found.append(f"seal.json: {key} was sealed on {date(known['date'])} and is gone; put it back.")
        elif not _fits(known, claims[key]):
            found.append(
                f"claims.yaml line {lines[key]} ({key}): its rule is not the one sealed on {date(known['date'])}; "
                "restore it, or say why under `revised` and seal it again with `python -m helpers claims --seal`."
            )
    return found


@cache
def _parsed(file: Path, changed: int) -> dict[str, Any]:
    try:
        known = json.loads(file.read_text("utf-8"))
        for entry in known["sealed"].values():
            _ = (str(entry["rule"]), pd.Timestamp(entry["date"]), bool(entry["before"]))
        for day in known["executed"].values():
            pd.Timestamp(day)
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise RegistryError(
            f"{file.name} is no seal ({type(error).__name__}); restore it, or remove it and seal the rules anew."
        ) from None
    return dict(known)


def _read() -> dict[str, Any] | None:
    file = path()
    return _parsed(file, file.stat().st_mtime_ns) if file.exists() else None


def _write(file: Path, content: dict[str, Any]) -> None:
    write_whole(file, json.dumps(content, indent=1) + "\n")


def _now() -> str:
    return f"{pd.Timestamp.now('UTC'):%Y-%m-%dT%H:%M:%SZ}"


def _hash(claim: Claim) -> str:
    text = json.dumps({key: getattr(claim, key) for key in _SEALED}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fits(known: dict[str, Any] | None, claim: Claim) -> bool:
    return known is not None and known["rule"] == _hash(claim)


def _has_run(name: str) -> bool:
    """True if the notebook as it stands was executed, by whomever."""
    from helpers import notebooks

    book = notebooks.read(registry.place().notebooks / f"{name}.ipynb")
    return any(cell.execution_count for cell in notebooks.code_cells(book))
