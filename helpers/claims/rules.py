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

from helpers.words import listing

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
ROLES = ("given", "letter", "cause", "implied", "detail")
VOTING = ("letter", "cause")
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
    """One word of the vocabulary: the measures that it needs, how it comes out and reads, how far from its bound."""

    needs: Callable[[Any], list[str]]
    outcome: Callable[[Any, Evidence], Outcome]
    describe: Callable[[Any, Label], str]
    margin: Callable[[Any, Evidence], float | None] = lambda given, evidence: None


# ------------------------------------------------------------------------------- margins and outcomes


def _near(value: float) -> float:
    """A difference without the last bits of its floats: figures are compared as they are quoted."""
    return round(float(value), 9)


def _spread_key(given: Mapping[str, Any]) -> str:
    return f"{given['measure']}-{given['than']}" if "than" in given else str(given["measure"])


def spreads(rule: Mapping[str, Any]) -> list[str]:
    """Keys of the spreads that a rule's bands ask for: ``"key"`` or ``"key-than"``."""
    bands = [given for _, given in walk(rule) if isinstance(given, Mapping) and "band" in given]
    return list(dict.fromkeys(_spread_key(given) for given in bands if isinstance(given["band"], Mapping)))


def _decided(margin: Callable[[Any, Evidence], float], closed: bool = False) -> Callable[..., Outcome]:
    """Holds beyond the band, fails beyond it on the other side, cannot tell inside it.

    Without a band a ``closed`` test holds at its bound. A band may be a multiple of a standard deviation; one
    that nobody measured cannot tell.
    """

    def outcome(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
        found, width = margin(given, evidence), given.get("band", 0.0)
        if isinstance(width, Mapping):
            spread = evidence.spread.get(_spread_key(given))
            if spread is None:
                return None
            width = _near(width["sd"] * spread)
        if width:
            return None if abs(found) <= width else found > 0
        return found >= 0 if closed else found > 0

    return outcome


#: Bounds: the side on which a value lies that keeps them, and how it is compared.
_BOUNDS: dict[str, tuple[int, Callable[[Any, Any], bool]]] = {
    "above": (1, operator.gt),
    "at_least": (1, operator.ge),
    "below": (-1, operator.lt),
    "at_most": (-1, operator.le),
}


def _inside(value: float, given: Mapping[str, Any]) -> float:
    return _near(min(side * (value - given[key]) for key, (side, _) in _BOUNDS.items() if key in given))


def _within(value: float, given: Mapping[str, Any]) -> bool:
    return all(test(value, given[key]) for key, (_, test) in _BOUNDS.items() if key in given)


def _bound_margin(given: Mapping[str, Any], evidence: Evidence) -> float:
    return _inside(evidence.measures[given["measure"]], given)


def _bound(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    if "band" in given:
        return _decided(_bound_margin)(given, evidence)
    return _within(evidence.measures[given["measure"]], given)


def _level_margin(given: Mapping[str, Any], evidence: Evidence) -> float:
    return _near(given["tolerance"] - abs(evidence.measures[given["measure"]] - given["target"]))


def _sign_margin(given: Mapping[str, Any], evidence: Evidence) -> float:
    value = float(evidence.measures[given["measure"]])
    return value if given["is"] == "positive" else -value


def _compare_margin(given: Mapping[str, Any], evidence: Evidence) -> float:
    lead = evidence.measures[given["measure"]] - evidence.measures[given["than"]]
    return _near((lead if given["is"] == "above" else -lead) - given.get("by", 0))


def _rank_margin(given: Mapping[str, Any], evidence: Evidence) -> float:
    worst = given["within"] if "within" in given else given["top_share"] * evidence.measures[given["of"]]
    return _near(worst - evidence.measures[given["measure"]])


def _slope(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    slope, t = evidence.measures[given["measure"]], evidence.measures[given["t"]]
    if not slope or not t:
        return None  # rounded away: then nothing says how wide its interval is
    side = 1 if given["sign"] == "positive" else -1
    z = given.get("z", Z)
    if abs(t) > z:
        return bool(side * slope > 0)
    # Not told from zero. It fails only if the interval leaves no room for an effect of the registered size.
    return False if _near(side * slope + z * abs(slope / t)) < given["size"] else None


def _dates(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    days = [str(day) for day in evidence.measures[given["measure"]]]
    if "equal" in given:
        return sorted(days) == sorted(given["equal"])
    if "include" in given:
        return set(given["include"]) <= set(days)
    if "months" in given:
        return set(given["months"]) <= {day[:7] for day in days}
    first, last = given["within"]
    return bool(days) and all(first <= day <= last for day in days)


def _proxy(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    """A figure whose own source is not public: proxies may refute it, they cannot confirm it."""
    found = [evidence.measures[key] for key in given["measures"]]
    beyond = [
        _near(abs(value - given["target"]) - given["tolerance"]) for value in found if value is not None
    ]
    return False if beyond and min(beyond) > 0 else None


def _fact(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    value = evidence.facts[given["id"]].value
    if not value:
        return None
    for word, wanted in (("equals", True), ("is_not", False)):
        if word in given:
            return (value.casefold() == str(given[word]).casefold()) is wanted
    return _within(float(value), given)


def _fact_margin(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    value = evidence.facts[given["id"]].value
    return _inside(float(value), given) if value and _BOUNDS.keys() & given else None


def _all(given: Any, evidence: Evidence) -> Outcome:
    outcomes = [outcome(item, evidence) for item in given]
    return False if False in outcomes else None if None in outcomes else True


def _any(given: Any, evidence: Evidence) -> Outcome:
    outcomes = [outcome(item, evidence) for item in given]
    return True if True in outcomes else None if None in outcomes else False


def _not(given: Condition, evidence: Evidence) -> Outcome:
    found = outcome(given, evidence)
    return None if found is None else not found


# -------------------------------------------------------------------------------------------- wording


def _bounds_text(given: Mapping[str, Any]) -> str:
    return listing([f"{key.replace('_', ' ')} {given[key]}" for key in _BOUNDS if key in given])


def _band_text(given: Mapping[str, Any]) -> str:
    wanted = given.get("band")
    if isinstance(wanted, Mapping):
        return f", by more than {wanted['sd']} standard deviations of such a figure"
    return f", by more than {wanted}" if wanted else ""


def _level_text(given: Mapping[str, Any], label: Label) -> str:
    within = f" within {given['tolerance']}" if given["tolerance"] else " exactly"
    return f"{label(given['measure'])}: {given['target']}{within}"


def _rank_text(given: Mapping[str, Any], label: Label) -> str:
    name = label(given["measure"])
    if "within" in given:
        return f"{name}: rank {given['within']} or better"
    return f"{name}: among the top {given['top_share']:.0%} of {label(given['of'])}"


def _dates_text(given: Mapping[str, Any], label: Label) -> str:
    texts = {
        "equal": lambda days: f"exactly {', '.join(days) or 'none'}",
        "include": lambda days: f"include {', '.join(days)}",
        "months": lambda months: f"at least one in each of {', '.join(months)}",
        "within": lambda ends: f"all from {ends[0]} to {ends[1]}",
    }
    found = next(text(given[key]) for key, text in texts.items() if key in given)
    return f"{label(given['measure'])}: {found}"


def _slope_text(given: Mapping[str, Any], label: Label) -> str:
    return (
        f"{label(given['measure'])}: {given['sign']}, and its 95 % interval excludes zero; it fails if the "
        f"interval excludes an effect of {given['size']} in that direction"
    )


def _compare_text(given: Mapping[str, Any], label: Label) -> str:
    margin = f" by more than {given['by']}" if given.get("by") else ""
    return f"{label(given['measure'])}: {given['is']} {label(given['than'])}{margin}{_band_text(given)}"


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


def _one(given: Mapping[str, Any]) -> list[str]:
    return [given["measure"]]


def _pair(given: Mapping[str, Any]) -> list[str]:
    return [given[key] for key in ("measure", "than", "of", "t") if key in given]


def _none(given: Any) -> list[str]:
    return []


#: Every test a rule may use, by name.
TESTS: dict[str, Test] = {
    "level": Test(_one, _decided(_level_margin, closed=True), _level_text, _level_margin),
    "bound": Test(
        _one, _bound, lambda g, n: f"{n(g['measure'])}: {_bounds_text(g)}{_band_text(g)}", _bound_margin
    ),
    "sign": Test(
        _one,
        _decided(_sign_margin),
        lambda g, n: f"{n(g['measure'])}: {g['is']}{_band_text(g)}",
        _sign_margin,
    ),
    "compare": Test(_pair, _decided(_compare_margin), _compare_text, _compare_margin),
    "rank": Test(_pair, _decided(_rank_margin, closed=True), _rank_text, _rank_margin),
    "dates": Test(_one, _dates, _dates_text),
    "slope": Test(_pair, _slope, _slope_text),
    "proxy": Test(lambda g: list(g["measures"]), _proxy, _proxy_text),
    "fact": Test(_none, _fact, _fact_text, _fact_margin),
    "untested": Test(_none, lambda g, e: None, lambda g, n: f"no test here: {g}"),
    "all": Test(_none, _all, lambda g, n: " and ".join(describe(c, n) for c in g)),
    "any": Test(_none, _any, lambda g, n: " or ".join(describe(c, n) for c in g)),
    "not": Test(_none, _not, lambda g, n: f"not: {describe(g, n)}"),
}
NESTED = frozenset({"all", "any", "not"})


def _named(condition: Condition) -> tuple[str, Any]:
    ((name, given),) = condition.items()
    return name, given


def _lacks(name: str, given: Any, evidence: Evidence) -> bool:
    """Whether a measure that a test needs is not known; of stand-ins some may be."""
    return name != "proxy" and any(evidence.measures[key] is None for key in TESTS[name].needs(given))


def outcome(condition: Condition, evidence: Evidence) -> Outcome:
    """How one condition comes out: True, False, or None where the answer is not to be had."""
    name, given = _named(condition)
    return None if _lacks(name, given, evidence) else TESTS[name].outcome(given, evidence)


def describe(condition: Condition, label: Label = str) -> str:
    """The condition as a reader sees it; ``label`` turns the key of a measure or a fact into words."""
    name, given = _named(condition)
    return TESTS[name].describe(given, label)


def _unfolded(condition: Condition) -> list[tuple[str, Any]]:
    name, given = _named(condition)
    if name not in NESTED:
        return [(name, given)]
    return [one for inner in ([given] if name == "not" else given) for one in _unfolded(inner)]


def walk(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[tuple[str, Any]]:
    """Every elementary test of a rule as (name, parameters), nested ones unfolded."""
    return [one for role in roles for condition in rule.get(role, []) for one in _unfolded(condition)]


def measures_of(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[str]:
    """Keys of the measures that a rule needs, in the order in which it names them."""
    return list(dict.fromkeys(key for name, given in walk(rule, roles) for key in TESTS[name].needs(given)))


def kinds_of(rule: Mapping[str, Any]) -> dict[str, str]:
    """What a rule's tests need of each measure: ``"number"`` or ``"dates"``."""
    return {
        key: "dates" if name == "dates" else "number"
        for name, given in walk(rule)
        for key in TESTS[name].needs(given)
    }


def facts_of(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[str]:
    """Ids of the facts that a rule needs."""
    return list(dict.fromkeys(given["id"] for name, given in walk(rule, roles) if name == "fact"))


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
    without = {fact.id: replace(fact, value="") if fact.standing == "weak" else fact for fact in facts}
    weak = found is not None and outcome(condition, replace(evidence, facts=without)) is not found
    # How far inside its tolerance a figure lies says nothing.
    silent = _lacks(name, given, evidence) or (name == "level" and found)
    return Part(
        role,
        describe(condition, label),
        None if weak and not found else found,  # a weak source alone cannot refute
        None if silent else TESTS[name].margin(given, evidence),
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
