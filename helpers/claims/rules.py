"""The vocabulary in which a claim's rule is written, and the code that applies it.

A rule has up to five lists of conditions:

- ``letter``: what the sentence asserts, and nothing else. All hold: supported. None: contradicted. Some: mixed.
- ``cause``: for a sentence that says why: a test of the cause. It votes with the letter; a sentence whose
  cause nobody can test says so with ``untested`` and ends as unverified at most.
- ``implied``: what the sentence leads a reader to believe. One that fails caps the verdict at misleading.
- ``detail``: side conditions. One that fails, or cannot be known, caps the verdict at "with a caveat".
- ``given``: premises that nobody disputes. Shown, never voting.

or the single key ``not-checkable`` with the reason. A condition is a mapping with one key, the name of a test
in :data:`TESTS`. It has three outcomes: True (holds), False (fails) and None (cannot tell: inside its band,
not known, or a failure that rests on one weak source). The shapes of the tests stand in
``data/claims.schema.json``; this module applies conditions that have passed it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from helpers.words import MINUS, listing

SUPPORTED = "supported"
CAVEAT = "supported-with-caveat"
MIXED = "mixed"
MISLEADING = "misleading"
CONTRADICTED = "contradicted"
UNVERIFIED = "unverified"
NOT_CHECKABLE = "not-checkable"

#: The verdict scale, from the most to the least favourable to the claim; the last two stand beside it.
SCALE = (SUPPORTED, CAVEAT, MIXED, MISLEADING, CONTRADICTED, UNVERIFIED, NOT_CHECKABLE)
#: The order in which verdicts are capped: one more failed or unknown condition never moves a verdict up.
#: "Cannot tell" lies between what holds and what is partly false.
ORDER = (CONTRADICTED, MISLEADING, MIXED, UNVERIFIED, CAVEAT, SUPPORTED)
#: What each verdict says, for people.
MEANING = {
    SUPPORTED: "The data or the public record show what the sentence says.",
    CAVEAT: "The sentence holds, but a side condition does not, it rests on a weak source, or it is fragile.",
    MIXED: "One part of the sentence holds, another does not.",
    MISLEADING: "What it leads a reader to believe is wrong, whatever its letter.",
    CONTRADICTED: "The data or the public record show otherwise.",
    UNVERIFIED: "Cannot tell: no source, too small a difference, or a cause that nothing here can test.",
    NOT_CHECKABLE: "The sentence gives nothing to test: no quantity, no date, no horizon.",
}
CLARITY = ("clear", "vague", "not-testable")
#: Lists of conditions: those that can turn a verdict, all of them, those that vote, those whose figures decide.
TURNING = ("letter", "cause", "implied", "detail")
ROLES = ("given", *TURNING)
VOTING = ("letter", "cause")
DECIDING = ("letter", "cause", "implied")
#: Two-sided 95 percent: an interval of a slope is the slope plus and minus so many standard errors.
Z = 1.96

Condition = Mapping[str, Any]
Outcome = bool | None
Label = Callable[[str], str]


@dataclass(frozen=True)
class Fact:
    """One row of the public record (data/facts): a figure or a coded reading, with its standing."""

    id: str
    date: str
    subject: str
    fact: str
    value: str
    unit: str
    standing: str
    source: str


@dataclass(frozen=True)
class Evidence:
    """What a rule is applied to.

    ``measures`` holds each declared figure by key; ``facts`` the public record by id; ``spread`` the standard
    deviation of a measure ("key") or of a difference of two ("key-than") on the other days of the base rate,
    for bands that are given in standard deviations.
    """

    measures: Mapping[str, Any]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One condition of a rule after it was applied.

    ``margin`` is the distance to its bound in the unit of its measure: positive where it holds. ``weak`` is
    True if it comes out as it does only by a weak source.
    """

    role: str
    text: str
    outcome: Outcome
    margin: float | None = None
    unit: str = ""
    weak: bool = False
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Test:
    """One word of the vocabulary: how it reads, how it comes out, and how far its figures lie from its bound.

    The last two are functions of a condition's parameters and of the figures, or the fact's value, that it names.
    """

    describe: Callable[[Any, Label], str]
    outcome: Callable[..., Outcome] = lambda given: None
    margin: Callable[..., float | None] = lambda given, *values: None


# ------------------------------------------------------------------------------- margins and outcomes


def _near(value: float) -> float:
    """A difference without the last bits of its floats: figures are compared as they are quoted."""
    return round(float(value), 9)


#: Bounds: the side on which a value lies that keeps them, and how it is compared.
_BOUNDS: dict[str, tuple[int, Callable[[Any, Any], bool]]] = {
    "above": (1, operator.gt),
    "at_least": (1, operator.ge),
    "below": (-1, operator.lt),
    "at_most": (-1, operator.le),
}


def within(given: Mapping[str, Any], value: Any) -> bool:
    """Whether a value keeps all the bounds of a condition."""
    return all(test(float(value), given[key]) for key, (_, test) in _BOUNDS.items() if key in given)


def _inside(given: Mapping[str, Any], value: Any) -> float | None:
    found = [side * (float(value) - given[key]) for key, (side, _) in _BOUNDS.items() if key in given]
    return _near(min(found)) if found else None


def _level(given: Mapping[str, Any], value: float) -> float:
    return _near(given["tolerance"] - abs(value - given["target"]))


def _sign(given: Mapping[str, Any], value: float) -> float:
    return float(value if given["is"] == "positive" else -value)


def _compare(given: Mapping[str, Any], value: float, other: float) -> float:
    return _near((value - other if given["is"] == "above" else other - value) - given.get("by", 0))


def _rank(given: Mapping[str, Any], rank: float, of: float = 0) -> float:
    return _near((given["within"] if "within" in given else given["top_share"] * of) - rank)


def _slope(given: Mapping[str, Any], slope: float, t: float) -> Outcome:
    if not slope or not t:
        return None  # rounded away: then nothing says how wide its interval is
    side = 1 if given["sign"] == "positive" else -1
    z = given.get("z", Z)
    if abs(t) > z:
        return bool(side * slope > 0)
    # Not told from zero. It fails only if the interval leaves no room for an effect of the registered size.
    return False if _near(side * slope + z * abs(slope / t)) < given["size"] else None


def _dates(given: Mapping[str, Any], days: list[str]) -> Outcome:
    if "equal" in given:
        return sorted(days) == sorted(given["equal"])
    if "include" in given:
        return set(given["include"]) <= set(days)
    if "months" in given:
        return set(given["months"]) <= {day[:7] for day in days}
    first, last = given["within"]
    return bool(days) and all(first <= day <= last for day in days)


def _proxy(given: Mapping[str, Any], *found: float | None) -> Outcome:
    """A figure whose own source is not public: proxies may refute it, they cannot confirm it."""
    margins = [_level(given, value) for value in found if value is not None]
    return False if margins and max(margins) < 0 else None


def _fact(given: Mapping[str, Any], value: str) -> Outcome:
    for word, wanted in (("equals", True), ("is_not", False)):
        if word in given:
            return (value.casefold() == str(given[word]).casefold()) is wanted
    return within(given, value)


# -------------------------------------------------------------------------------------------- wording


def _reads(words: Callable[[Mapping[str, Any], Label], str]) -> Callable[[Any, Label], str]:
    """The words of a test on a measure: which one, what is asked of it, its band."""

    def text(given: Mapping[str, Any], label: Label) -> str:
        band = given.get("band")
        if isinstance(band, Mapping):
            band = f"{band['sd']} standard deviations of such a figure"
        return f"{label(given['measure'])}: {words(given, label)}" + (
            f", by more than {band}" if band else ""
        )

    return text


def _bounds_text(given: Mapping[str, Any], label: Label = str) -> str:
    return listing([f"{key.replace('_', ' ')} {_signed(given[key])}" for key in _BOUNDS if key in given])


def _signed(value: Any) -> str:
    return str(value).replace("-", MINUS) if isinstance(value, int | float) else str(value)


def _level_text(given: Mapping[str, Any], label: Label) -> str:
    return f"{_signed(given['target'])} " + (
        f"within {given['tolerance']}" if given["tolerance"] else "exactly"
    )


def _compare_text(given: Mapping[str, Any], label: Label) -> str:
    margin = f" by more than {given['by']}" if given.get("by") else ""
    return f"{given['is']} {label(given['than'])}{margin}"


def _rank_text(given: Mapping[str, Any], label: Label) -> str:
    if "within" in given:
        return f"rank {given['within']} or better"
    return f"among the top {given['top_share']:.0%} of {label(given['of'])}"


def _dates_text(given: Mapping[str, Any], label: Label) -> str:
    asked = {
        "equal": "exactly",
        "include": "include",
        "months": "at least one in each of",
        "within": "all from",
    }
    key = next(key for key in asked if key in given)
    return f"{asked[key]} {(' to ' if key == 'within' else ', ').join(given[key]) or 'none'}"


def _slope_text(given: Mapping[str, Any], label: Label) -> str:
    return (
        f"{given['sign']}, and its 95 % interval excludes zero; it fails if the interval excludes an effect of "
        f"{given['size']} in that direction"
    )


def _proxy_text(given: Mapping[str, Any], label: Label) -> str:
    names = "; ".join(label(key) for key in given["measures"])
    return (
        f"the figure’s own source is public, or no stand-in ({names}) lies within {given['tolerance']} of "
        f"{given['target']}, which refutes it"
    )


def _fact_text(given: Mapping[str, Any], label: Label) -> str:
    if "asks" in given:
        return str(given["asks"])
    for word, verb in (("equals", "says"), ("is_not", "does not say")):
        if word in given:
            return f"the public record {verb} “{str(given[word]).replace('-', ' ')}”"
    return f"{label(given['id'])}: {_bounds_text(given)}"


#: Every test a rule may use, by name.
TESTS: dict[str, Test] = {
    "level": Test(_reads(_level_text), lambda given, x: _level(given, x) >= 0, _level),
    "bound": Test(_reads(_bounds_text), within, _inside),
    "sign": Test(_reads(lambda given, label: given["is"]), lambda given, x: _sign(given, x) > 0, _sign),
    "compare": Test(_reads(_compare_text), lambda given, x, y: _compare(given, x, y) > 0, _compare),
    "rank": Test(_reads(_rank_text), lambda given, *ranks: _rank(given, *ranks) >= 0, _rank),
    "dates": Test(_reads(_dates_text), _dates),
    "slope": Test(_reads(_slope_text), _slope),
    "proxy": Test(_proxy_text, _proxy),
    "fact": Test(_fact_text, _fact, _inside),
    "untested": Test(lambda given, label: f"no test here: {given}"),
    "all": Test(lambda given, label: " and ".join(describe(one, label) for one in given)),
    "any": Test(lambda given, label: " or ".join(describe(one, label) for one in given)),
    "not": Test(lambda given, label: f"not: {describe(given, label)}"),
}
NESTED = frozenset({"all", "any", "not"})


def _named(condition: Condition) -> tuple[str, Any]:
    ((name, given),) = condition.items()
    return name, given


def _inner(name: str, given: Any) -> list[Condition]:
    """The conditions that a nested one is made of."""
    return [] if name not in NESTED else [given] if name == "not" else given


def _needs(given: Any) -> list[str]:
    """Keys of the measures that an elementary test names."""
    if not isinstance(given, Mapping):
        return []
    return [given[name] for name in ("measure", "than", "of", "t") if name in given] + given.get(
        "measures", []
    )


def _values(name: str, given: Any, evidence: Evidence) -> list[Any] | None:
    """What an elementary test is applied to; None if any of it is not known. Of stand-ins some may be unknown."""
    found = [evidence.measures[key] for key in _needs(given)]
    if name == "fact":
        found = [evidence.facts[given["id"]].value or None]
    return None if None in found and name != "proxy" else found


def outcome(condition: Condition, evidence: Evidence) -> Outcome:
    """How one condition comes out: True, False, or None where the answer is not to be had.

    With a band it holds beyond it, fails beyond it on the other side, and cannot tell inside it. A band may be a
    multiple of a standard deviation; one that nobody measured cannot tell.
    """
    name, given = _named(condition)
    if name in NESTED:
        outcomes = [outcome(one, evidence) for one in _inner(name, given)]
        if name == "not":
            return None if None in outcomes else not outcomes[0]
        deciding = name == "any"
        return deciding if deciding in outcomes else None if None in outcomes else not deciding
    if (values := _values(name, given, evidence)) is None:
        return None
    band = given.get("band") if isinstance(given, Mapping) else None
    if isinstance(band, Mapping):
        if (spread := evidence.spread.get(_spread_key(given))) is None:
            return None
        band = _near(band["sd"] * spread)
    if not band:
        return TESTS[name].outcome(given, *values)
    margin = TESTS[name].margin(given, *values) or 0.0
    return None if abs(margin) <= band else margin > 0


def describe(condition: Condition, label: Label = str) -> str:
    """The condition as a reader sees it; ``label`` turns the key of a measure or a fact into words."""
    name, given = _named(condition)
    return TESTS[name].describe(given, label)


# ----------------------------------------------------------------------------------- what a rule is about


def _unfolded(condition: Condition) -> list[tuple[str, Any]]:
    name, given = _named(condition)
    return [found for one in _inner(name, given) for found in _unfolded(one)] or [(name, given)]


def walk(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[tuple[str, Any]]:
    """Every elementary test of a rule as (name, parameters), nested ones unfolded."""
    return [one for role in roles for condition in rule.get(role, []) for one in _unfolded(condition)]


def measures_of(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[str]:
    """Keys of the measures that a rule needs, in the order in which it names them."""
    return list(dict.fromkeys(key for _, given in walk(rule, roles) for key in _needs(given)))


def kinds_of(rule: Mapping[str, Any]) -> dict[str, str]:
    """What a rule's tests need of each measure: ``"number"`` or ``"dates"``."""
    kinds = [(key, name) for name, given in walk(rule) for key in _needs(given)]
    return {key: "dates" if name == "dates" else "number" for key, name in kinds}


def facts_of(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[str]:
    """Ids of the facts that a rule needs."""
    return list(dict.fromkeys(given["id"] for name, given in walk(rule, roles) if name == "fact"))


def _spread_key(given: Mapping[str, Any]) -> str:
    return f"{given['measure']}-{given['than']}" if "than" in given else str(given["measure"])


def spreads(rule: Mapping[str, Any]) -> list[str]:
    """Keys of the spreads that a rule's bands ask for: ``"key"`` or ``"key-than"``."""
    banded = [given for name, given in walk(rule) if name != "untested" and "band" in given]
    return list(dict.fromkeys(_spread_key(given) for given in banded if isinstance(given["band"], Mapping)))


# ------------------------------------------------------------------------------------------ the verdict


def apply(
    rule: Mapping[str, Any], evidence: Evidence, label: Label = str, unit: Label = lambda key: ""
) -> list[Part]:
    """Apply every condition of a rule and keep how each came out."""
    return [
        _part(role, condition, evidence, label, unit) for role in ROLES for condition in rule.get(role, [])
    ]


def _part(role: str, condition: Condition, evidence: Evidence, label: Label, unit: Label) -> Part:
    name, given = _named(condition)
    measures = tuple(measures_of({role: [condition]}))
    facts = [evidence.facts[key] for key in facts_of({role: [condition]})]
    found = outcome(condition, evidence)
    values = None if name in NESTED else _values(name, given, evidence)
    without = {fact.id: replace(fact, value="") if fact.standing == "weak" else fact for fact in facts}
    weak = found is not None and outcome(condition, replace(evidence, facts=without)) is not found
    # How far inside its tolerance a figure lies says nothing.
    margin = None if values is None or (name == "level" and found) else TESTS[name].margin(given, *values)
    return Part(
        role,
        describe(condition, label),
        None if weak and not found else found,  # a weak source alone cannot refute
        margin,
        unit(measures[0]) if measures else facts[0].unit if facts else "",
        weak,
        measures,
    )


def cap(verdict: str, highest: str) -> str:
    """The lower of two verdicts in :data:`ORDER`."""
    return min(verdict, highest, key=ORDER.index)


def verdict(rule: Mapping[str, Any], parts: Iterable[Part]) -> str:
    """The verdict that a rule's parts add up to.

    Monotone: a condition that fails or becomes unknown, or one more such condition, never moves it up in
    :data:`ORDER`. ``given`` never votes.
    """
    if "not-checkable" in rule:
        return NOT_CHECKABLE
    parts = [part for part in parts if part.role != "given"]
    letter = [part.outcome for part in parts if part.role in VOTING]
    found = SUPPORTED
    if None in letter:
        found = UNVERIFIED
    if False in letter:
        found = MIXED if True in letter else CONTRADICTED
    for part in parts:
        if part.role == "implied" and part.outcome is not True:
            found = cap(found, MISLEADING if part.outcome is False else UNVERIFIED)
        if part.weak or (part.role == "detail" and part.outcome is not True):
            found = cap(found, CAVEAT)
    return found


def tally(parts: Iterable[Part]) -> tuple[int, int, int]:
    """Conditions of letter and cause that hold, that fail, and all of them."""
    letter = [part.outcome for part in parts if part.role in VOTING]
    return letter.count(True), letter.count(False), len(letter)
