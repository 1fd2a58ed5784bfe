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
    """One word of the vocabulary: how it comes out, how far from its bound, how it reads, what it needs."""

    margin: Callable[[Mapping[str, Any], Evidence], float | None] | None
    outcome: Callable[[Any, Evidence], Outcome]
    describe: Callable[[Any, Label], str]
    measures: Callable[[Any], list[str]]


# ------------------------------------------------------------------------------- margins and outcomes


def band(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    """Half-width of the zone in which a difference decides nothing, in the measure's unit.

    None where it is a multiple of a standard deviation that nobody measured.
    """
    wanted = given.get("band", 0.0)
    if not isinstance(wanted, Mapping):
        return float(wanted)
    spread = evidence.spread.get(_spread_key(given))
    return None if spread is None else _near(float(wanted["sd"]) * spread)


def _near(value: float) -> float:
    """A difference without the last bits of its floats: figures are compared as they are quoted."""
    return round(float(value), 9)


def _spread_key(given: Mapping[str, Any]) -> str:
    return f"{given['measure']}-{given['than']}" if "than" in given else str(given["measure"])


def spreads(rule: Mapping[str, Any]) -> list[str]:
    """Keys of the spreads that a rule's bands ask for: ``"key"`` or ``"key-than"``."""
    keys = [
        _spread_key(given)
        for _, given in walk(rule)
        if isinstance(given, Mapping) and isinstance(given.get("band"), Mapping)
    ]
    return list(dict.fromkeys(keys))


def _beyond(margin: float | None, given: Mapping[str, Any], evidence: Evidence, open_: bool) -> Outcome:
    """Holds beyond the band, fails beyond it on the other side, cannot tell inside it."""
    width = band(given, evidence)
    if margin is None or width is None:
        return None
    if width:
        return None if abs(margin) <= width else margin > 0
    return margin > 0 if open_ else margin >= 0


_BOUNDS = {"above": 1, "at_least": 1, "below": -1, "at_most": -1}
_WORDS = {"above": "above", "below": "below", "at_least": "at least", "at_most": "at most"}


def _bound_margin(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    value = evidence.measures[given["measure"]]
    return None if value is None else _inside(value, given)


def _inside(value: float, given: Mapping[str, Any]) -> float:
    return _near(min(side * (value - given[key]) for key, side in _BOUNDS.items() if key in given))


def _bound(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    value = evidence.measures[given["measure"]]
    if value is None or "band" in given:
        return _beyond(_bound_margin(given, evidence), given, evidence, True)
    return _within_bounds(value, given)


def _within_bounds(value: float, given: Mapping[str, Any]) -> bool:
    tests: dict[str, Callable[[float, float], bool]] = {
        "above": operator.gt,
        "at_least": operator.ge,
        "below": operator.lt,
        "at_most": operator.le,
    }
    return all(test(value, given[key]) for key, test in tests.items() if key in given)


def _level_margin(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    value = evidence.measures[given["measure"]]
    return None if value is None else _near(given["tolerance"] - abs(value - given["target"]))


def _level(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    margin = _level_margin(given, evidence)
    return None if margin is None else margin >= 0


def _sign_margin(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    value = evidence.measures[given["measure"]]
    return None if value is None else float(value if given["is"] == "positive" else -value)


def _compare_margin(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    value, other = evidence.measures[given["measure"]], evidence.measures[given["than"]]
    if value is None or other is None:
        return None
    lead = value - other if given["is"] == "above" else other - value
    return _near(lead - given.get("by", 0))


def _rank_margin(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    rank = evidence.measures[given["measure"]]
    if rank is None or evidence.measures[given.get("of", given["measure"])] is None:
        return None
    worst = given["within"] if "within" in given else given["top_share"] * evidence.measures[given["of"]]
    return _near(worst - rank)


def _slope(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    slope, t = evidence.measures[given["measure"]], evidence.measures[given["t"]]
    if not slope or not t:
        return None  # not known, or rounded away: then nothing says how wide its interval is
    side = 1 if given["sign"] == "positive" else -1
    z = given.get("z", Z)
    if abs(t) > z:
        return bool(side * slope > 0)
    # Not told from zero. It fails only if the interval leaves no room for an effect of the registered size.
    return False if _near(side * slope + z * abs(slope / t)) < given["size"] else None


def _dates(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    found = evidence.measures[given["measure"]]
    if found is None:
        return None
    days = [str(day) for day in found]
    if "equal" in given:
        return sorted(days) == sorted(str(day) for day in given["equal"])
    if "include" in given:
        return {str(day) for day in given["include"]} <= set(days)
    if "months" in given:
        return set(given["months"]) <= {day[:7] for day in days}
    first, last = (str(day) for day in given["within"])
    return bool(days) and all(first <= day <= last for day in days)


def _proxy(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    """A figure whose own source is not public: proxies may refute it, they cannot confirm it."""
    found = [evidence.measures[key] for key in given["measures"]]
    gaps = [abs(value - given["target"]) for value in found if value is not None]
    return False if gaps and all(gap > given["tolerance"] for gap in gaps) else None


def _fact(given: Mapping[str, Any], evidence: Evidence) -> Outcome:
    fact = evidence.facts[given["id"]]
    if not fact.value:
        return None
    if "equals" in given:
        return fact.value.casefold() == str(given["equals"]).casefold()
    if "is_not" in given:
        return fact.value.casefold() != str(given["is_not"]).casefold()
    return _within_bounds(float(fact.value), given)


def _fact_margin(given: Mapping[str, Any], evidence: Evidence) -> float | None:
    if "equals" in given or "is_not" in given or not evidence.facts[given["id"]].value:
        return None
    return _inside(float(evidence.facts[given["id"]].value), given)


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
    return listing([f"{_WORDS[key]} {given[key]}" for key in _BOUNDS if key in given])


def _band_text(given: Mapping[str, Any]) -> str:
    wanted = given.get("band")
    if not wanted:
        return ""
    if isinstance(wanted, Mapping):
        return f", by more than {wanted['sd']} standard deviations of such a figure"
    return f", by more than {wanted}"


def _level_text(given: Mapping[str, Any], label: Label) -> str:
    within = f" within {given['tolerance']}" if given["tolerance"] else " exactly"
    return f"{label(given['measure'])}: {given['target']}{within}"


def _rank_text(given: Mapping[str, Any], label: Label) -> str:
    name = label(given["measure"])
    if "within" in given:
        return f"{name}: rank {given['within']} or better"
    return f"{name}: among the top {given['top_share']:.0%} of {label(given['of'])}"


def _dates_text(given: Mapping[str, Any], label: Label) -> str:
    name = label(given["measure"])
    if "equal" in given:
        return f"{name}: exactly {', '.join(map(str, given['equal'])) or 'none'}"
    if "include" in given:
        return f"{name}: include {', '.join(map(str, given['include']))}"
    if "months" in given:
        return f"{name}: at least one in each of {', '.join(given['months'])}"
    return f"{name}: all from {given['within'][0]} to {given['within'][1]}"


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
    if "equals" in given or "is_not" in given:
        word = "says" if "equals" in given else "does not say"
        return f"the public record {word} “{str(given.get('equals', given.get('is_not'))).replace('-', ' ')}”"
    return f"{label(given['id'])}: {_bounds_text(given)}"


def _one(given: Mapping[str, Any]) -> list[str]:
    return [given["measure"]]


def _pair(given: Mapping[str, Any]) -> list[str]:
    return [given["measure"], given["than"]]


#: Every test a rule may use, by name.
TESTS: dict[str, Test] = {
    "level": Test(_level_margin, _level, _level_text, _one),
    "bound": Test(
        _bound_margin, _bound, lambda g, n: f"{n(g['measure'])}: {_bounds_text(g)}{_band_text(g)}", _one
    ),
    "sign": Test(
        _sign_margin,
        lambda g, e: _beyond(_sign_margin(g, e), g, e, True),
        lambda g, n: f"{n(g['measure'])}: {g['is']}{_band_text(g)}",
        _one,
    ),
    "compare": Test(
        _compare_margin, lambda g, e: _beyond(_compare_margin(g, e), g, e, True), _compare_text, _pair
    ),
    "rank": Test(
        _rank_margin,
        lambda g, e: _beyond(_rank_margin(g, e), {}, e, False),
        _rank_text,
        lambda g: [g["measure"], *([g["of"]] if "of" in g else [])],
    ),
    "dates": Test(None, _dates, _dates_text, _one),
    "slope": Test(None, _slope, _slope_text, lambda g: [g["measure"], g["t"]]),
    "proxy": Test(None, _proxy, _proxy_text, lambda g: list(g["measures"])),
    "fact": Test(_fact_margin, _fact, _fact_text, lambda g: []),
    "untested": Test(None, lambda g, e: None, lambda g, n: f"no test here: {g}", lambda g: []),
    "all": Test(None, _all, lambda g, n: " and ".join(describe(c, n) for c in g), lambda g: []),
    "any": Test(None, _any, lambda g, n: " or ".join(describe(c, n) for c in g), lambda g: []),
    "not": Test(None, _not, lambda g, n: f"not: {describe(g, n)}", lambda g: []),
}
NESTED = frozenset({"all", "any", "not"})


def _named(condition: Condition) -> tuple[str, Any]:
    ((name, given),) = condition.items()
    return name, given


def outcome(condition: Condition, evidence: Evidence) -> Outcome:
    """How one condition comes out: True, False, or None where the answer is not to be had."""
    name, given = _named(condition)
    return TESTS[name].outcome(given, evidence)


def describe(condition: Condition, label: Label = str) -> str:
    """The condition as a reader sees it; ``label`` turns the key of a measure or a fact into words."""
    name, given = _named(condition)
    return TESTS[name].describe(given, label)


def walk(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[tuple[str, Any]]:
    """Every elementary test of a rule as (name, parameters), nested ones unfolded."""
    found: list[tuple[str, Any]] = []

    def visit(condition: Condition) -> None:
        name, given = _named(condition)
        if name in NESTED:
            for inner in [given] if name == "not" else given:
                visit(inner)
        else:
            found.append((name, given))

    for role in roles:
        for condition in rule.get(role, []):
            visit(condition)
    return found


def measures_of(rule: Mapping[str, Any], roles: Iterable[str] = ROLES) -> list[str]:
    """Keys of the measures that a rule needs, in the order in which it names them."""
    keys = [key for name, given in walk(rule, roles) for key in TESTS[name].measures(given)]
    return list(dict.fromkeys(keys))


def kinds_of(rule: Mapping[str, Any]) -> dict[str, str]:
    """What a rule's tests need of each measure: ``"number"`` or ``"dates"``."""
    return {
        key: "dates" if name == "dates" else "number"
        for name, given in walk(rule)
        for key in TESTS[name].measures(given)
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
    test = TESTS[name]
    measures, facts = measures_of({role: [condition]}), facts_of({role: [condition]})
    found = test.outcome(given, evidence)
    named_facts = [evidence.facts[key] for key in facts]
    without = {f.id: replace(f, value="") if f.standing == "weak" else f for f in named_facts}
    weak = found is not None and test.outcome(given, replace(evidence, facts=without)) is not found
    named = unit(measures[0]) if measures else evidence.facts[facts[0]].unit if facts else ""
    # How far inside its tolerance a figure lies says nothing.
    margin = test.margin(given, evidence) if test.margin and not (name == "level" and found) else None
    return Part(
        role,
        test.describe(given, label),
        None if weak and not found else found,  # a weak source alone cannot refute
        margin,
        named,
        weak,
        tuple(measures),
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
