"""Seals: a dated hash of each rule, so that a reader can see whether it stood before its number.

``seal.json`` beside claims.yaml holds both sides: when each rule was sealed, and when each notebook was first
executed. It is the project's own word; a commit of it is what dates it for others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
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


def begin() -> None:
    """Write an empty seal: from now on the first execution of each notebook is written down."""
    _write({"sealed": {}, "executed": {}})


def seal() -> int:
    """Seal every rule that is not sealed yet or no longer fits its seal; how many those are."""
    from helpers import notebooks

    known = _read() or {"sealed": {}, "executed": {}}
    fresh = [claim for claim in registry.load().values() if not _fits(known["sealed"].get(claim.id), claim)]
    books = notebooks.read_all().items()
    run = {name for name, book in books if any(cell.get("execution_count") for cell in book.cells)}
    for claim in fresh:
        before = claim.notebook not in {*known["executed"], *run}
        known["sealed"][claim.id] = {"rule": _hash(claim), "date": _now(), "before": before}
    _write(known)
    return len(fresh)


def executed(names: Iterable[str]) -> None:
    """Write down that notebooks are executed now, if they never were and the collection has a seal."""
    known = _read()
    if known and (first := {name: _now() for name in names if name not in known["executed"]}):
        _write({**known, "executed": {**known["executed"], **first}})


def sentence(claim_id: str) -> str:
    """What the seal says of a rule; empty where it was never sealed."""
    known, claim = (_read() or {}).get("sealed", {}).get(claim_id), registry.load().get(claim_id)
    if known is None or claim is None:
        return ""
    if not _fits(known, claim):
        return f"Revised after it was sealed on {date(known['date'])}."
    when = "before" if known["before"] else "after"
    return f"Sealed on {date(known['date'])}, {when} the first execution of its notebook."


def summary() -> str:
    """One sentence on the rules of the whole collection."""
    claims, known = registry.load(), (_read() or {}).get("sealed", {})
    early = sum(_fits(known.get(key), claim) and known[key]["before"] for key, claim in claims.items())
    if not known:
        return "The rules were not sealed: no dated hash shows that they stood before their numbers."
    if not early:
        return "The rules were not sealed before their notebooks were first executed."
    return (
        f"{early} of {len(claims)} rules stand as they were sealed before their notebook was first executed."
    )


def faults() -> list[str]:
    """Rules that no longer fit their seal, and sealed claims that are gone: a sentence each, with what to do."""
    claims, (content, lines) = registry.load(), registry.read()
    line = {entry["id"]: number for entry, number in zip(content["claims"], lines, strict=True)}
    gone, odd = [], []
    for key, entry in (_read() or {}).get("sealed", {}).items():
        when = date(entry["date"])
        if key not in claims:
            gone.append(f"seal.json: {key} was sealed on {when} and is gone; put it back.")
        elif not _fits(entry, claims[key]):
            odd.append(
                f"claims.yaml line {line[key]} ({key}): its rule is not the one sealed on {when}; restore it, or say "
                "why under `revised` and seal it again with `python -m helpers claims --seal`."
            )
    return gone + odd


def _read() -> dict[str, Any] | None:
    if not path().is_file():
        return None
    try:
        known: dict[str, Any] = json.loads(path().read_text("utf-8", "replace"))
        for entry in known["sealed"].values():
            _ = (entry["rule"] + entry["date"], datetime.fromisoformat(entry["date"]), entry["before"])
        _ = [datetime.fromisoformat(day) for day in known["executed"].values()]
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise RegistryError(
            f"seal.json is no seal ({type(error).__name__}); restore it, or remove it and seal the rules anew."
        ) from None
    return known


def _write(content: dict[str, Any]) -> None:
    write_whole(path(), json.dumps(content, indent=1) + "\n")


def _now() -> str:
    return f"{pd.Timestamp.now('UTC'):%Y-%m-%dT%H:%M:%SZ}"


def _hash(claim: Claim) -> str:
    text = json.dumps({key: getattr(claim, key) for key in _SEALED}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fits(known: dict[str, Any] | None, claim: Claim) -> bool:
    return known is not None and known["rule"] == _hash(claim)
