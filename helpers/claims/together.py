"""What verdicts say together: the most telling ones, the nearest misses, what the public record lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from helpers.claims import card, registry, rules

HOLDS = (rules.SUPPORTED, rules.CAVEAT)
FAILS = (rules.MISLEADING, rules.CONTRADICTED)


def telling(
    verdicts: Iterable[card.Payload], right: int = 3, wrong: int = 5
) -> tuple[list[card.Payload], list[card.Payload]]:
    """The sentences that show best what a text got right and what it got wrong, in the registry's order.

    At most one of each notebook. First come sentences with a figure of their own, the wrong ones by how far it is
    off; then clear ones, and those whose verdict most equivalent ways to measure it share. What would have been
    true on most other days shows nothing, and is left out.
    """
    given = list(verdicts)
    return _best(given, {rules.SUPPORTED}, right), _best(given, set(FAILS), wrong)


def _best(given: list[card.Payload], wanted: set[str], most: int) -> list[card.Payload]:
    found: dict[str, card.Payload] = {}
    for entry in sorted((one for one in given if one["verdict"] in wanted), key=_weight, reverse=True):
        if not (rate := entry["base_rate"]) or entry["verdict"] in FAILS or rate["share"] < 0.5:
            found.setdefault(entry["notebook"], entry)
    chosen = [entry["id"] for entry in list(found.values())[:most]]
    return [entry for entry in given if entry["id"] in chosen]


def _weight(entry: card.Payload) -> tuple[bool, float, bool, int]:
    firm = entry["robustness"]
    off = _off(entry) if entry["verdict"] in FAILS else 0.0
    stated = card.article_figure(entry) is not None
    return stated, off, entry["clarity"] == "clear", firm["same"] if firm else 0


def _off(entry: Mapping[str, Any]) -> float:
    """How far our figure lies from the one that the sentence states, as a share of the latter."""
    found, said = entry["decides"], entry["asserts"]
    if card.article_figure(entry) is None or not found or not isinstance(found["value"], (int, float)):
        return 0.0
    value = said["value"][-1] if isinstance(said["value"], list) else said["value"]
    return abs(found["value"] - value) / abs(value) if value else 0.0


def near(verdicts: Iterable[card.Payload], within: float = 1.0) -> list[card.Payload]:
    """Verdicts that do not hold and lie less than ``within`` percentage points from another outcome."""
    return [
        entry
        for entry in verdicts
        if entry["verdict"] not in HOLDS
        and entry["flip"]
        and entry["flip"][0]["unit"] in {"pp", "%"}
        and abs(entry["flip"][0]["margin"]) < within
    ]


def not_found() -> list[tuple[rules.Fact, list[str]]]:
    """What was searched for in the public record and not found, with the claims that it would settle."""
    users = {
        key: [claim.id for claim in registry.load().values() if key in claim.facts]
        for key in registry.facts()
    }
    return [(fact, users[key]) for key, fact in registry.facts().items() if not fact.value and users[key]]


def pairs(kind: str) -> list[dict[str, Any]]:
    """Pairs of sentences that cannot both be right (``contradictions``) or pull apart (``tensions``), and why."""
    return list(registry.head().get(kind, []))
