"""The vocabulary in which a claim's rule is written, and the code that applies it.

A rule has up to three lists of conditions:

- ``letter``: what the sentence says. All hold: supported. None holds: contradicted. Some: mixed.
- ``implied``: what the sentence leads a reader to believe. One fails: true by the letter, misleading.
- ``detail``: side conditions. One fails or cannot be known: supported, with a caveat.

or the single key ``not-checkable`` with the reason.  A condition is a mapping with one key, the name of
a test in :data:`TESTS`.  Its outcome is True, False or None; None means that the public record or the
data do not hold the answer, and a letter that cannot be known ends as ``unverified``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.files import HelperError

SUPPORTED = "supported"
CAVEAT = "supported-with-caveat"
MIXED = "mixed"
MISLEADING = "misleading"
CONTRADICTED = "contradicted"
UNVERIFIED = "unverified"
NOT_CHECKABLE = "not-checkable"

#: The verdict scale, from the most to the least favourable to the claim; the last two stand beside it.
SCALE = (SUPPORTED, CAVEAT, MIXED, MISLEADING, CONTRADICTED, UNVERIFIED, NOT_CHECKABLE)
#: What each verdict says, for people.
MEANING = {
    SUPPORTED: "The data or the public record show what the sentence says.",
    CAVEAT: "The sentence holds, but a side condition does not, or it rests on one weak source.",
    MIXED: "One part of the sentence holds, another does not.",
    MISLEADING: "True by the letter, wrong in what it leads a reader to believe.",
    CONTRADICTED: "The data or the public record show otherwise.",
    UNVERIFIED: "The figure’s own source is not public; what stands in for it cannot confirm it.",
    NOT_CHECKABLE: "The sentence gives nothing to test: no quantity, no date, no horizon.",
}
CLARITY = ("clear", "vague", "not-testable")
PARTS = ("letter", "implied", "detail")

Measures = Mapping[str, Any]
Condition = Mapping[str, Any]
Outcome = bool | None


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


Facts = Mapping[str, Fact]


@dataclass(frozen=True)
class Part:
    """One condition of a rule after it was applied: where it stands, how it reads, how it came out."""

    role: str
    text: str
    outcome: Outcome


@dataclass(frozen=True)
class Test:
    """One word of the vocabulary: its parameters, the measures it names, its outcome and its wording."""

    required: frozenset[str]
    optional: frozenset[str]
    apply: Callable[[Mapping[str, Any], Measures, Facts], Outcome]
    describe: Callable[[Mapping[str, Any], Callable[[str], str]], str]
    measures: Callable[[Mapping[str, Any]], list[str]]


_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "above": ("above", lambda x, y: x > y),
    "below": ("below", lambda x, y: x < y),
    "at_least": ("at least", lambda x, y: x >= y),
    "at_most": ("at most", lambda x, y: x <= y),
}


def _bounded(value: Any, given: Mapping[str, Any]) -> Outcome:
    if value is None:
        return None
    return all(test(value, given[key]) for key, (_, test) in _BOUNDS.items() if key in given)


def _bounds_text(given: Mapping[str, Any]) -> str:
    return " and ".join(f"{word} {given[key]}" for key, (word, _) in _BOUNDS.items() if key in given)


def _level(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    value = measures[given["measure"]]
    # Figures are quoted rounded: the comparison must not fail on the last bit of a float.
    return None if value is None else bool(abs(value - given["target"]) <= given["tolerance"] + 1e-9)


def _sign(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    value = measures[given["measure"]]
    if value is None:
        return None
    return bool(value > 0 if given["is"] == "positive" else value < 0)


def _rank(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    rank = measures[given["measure"]]
    if rank is None:
        return None
    if "within" in given:
        return bool(rank <= given["within"])
    return bool(rank / measures[given["of"]] <= given["top_share"])


def _rank_text(given: Mapping[str, Any], label: Callable[[str], str]) -> str:
    name = label(given["measure"])
    if "within" in given:
        return f"{name}: rank {given['within']} or better"
    return f"{name}: among the top {given['top_share']:.0%} of {label(given['of'])}"


def _dates(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    found = measures[given["measure"]]
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


def _dates_text(given: Mapping[str, Any], label: Callable[[str], str]) -> str:
    name = label(given["measure"])
    if "equal" in given:
        return f"{name}: exactly {', '.join(map(str, given['equal'])) or 'none'}"
    if "include" in given:
        return f"{name}: include {', '.join(map(str, given['include']))}"
    if "months" in given:
        return f"{name}: at least one in each of {', '.join(given['months'])}"
    return f"{name}: all from {given['within'][0]} to {given['within'][1]}"


def _slope(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    slope, t = measures[given["measure"]], measures[given["t"]]
    if slope is None or t is None:
        return None
    return bool((slope > 0) == (given["sign"] == "positive") and abs(t) >= given["min_t"])


def _compare(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    value, other = measures[given["measure"]], measures[given["than"]]
    if value is None or other is None:
        return None
    margin = given.get("by", 0)
    return bool(value - other > margin if given["is"] == "above" else other - value > margin)


def _compare_text(given: Mapping[str, Any], label: Callable[[str], str]) -> str:
    margin = f" by more than {given['by']}" if given.get("by") else ""
    return f"{label(given['measure'])}: {given['is']} {label(given['than'])}{margin}"


def _proxy(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    """A figure whose own source is not public: proxies may refute it, they cannot confirm it."""
    gaps = [abs(measures[key] - given["target"]) for key in given["measures"] if measures[key] is not None]
    if gaps and all(gap > given["tolerance"] for gap in gaps):
        return False
    return None


def _fact(given: Mapping[str, Any], measures: Measures, facts: Facts) -> Outcome:
    fact = facts[given["id"]]
    if not fact.value:
        return None
    if "equals" in given:
        return fact.value.casefold() == str(given["equals"]).casefold()
    if "is_not" in given:
        return fact.value.casefold() != str(given["is_not"]).casefold()
    return _bounded(float(fact.value), given)


def _fact_text(given: Mapping[str, Any], label: Callable[[str], str]) -> str:
    if "equals" in given:
        return f"the record {given['id']} says “{given['equals']}”"
    if "is_not" in given:
        return f"the record {given['id']} says something else than “{given['is_not']}”"
    return f"the figure of the record {given['id']} is {_bounds_text(given)}"


def _all(given: Any, measures: Measures, facts: Facts) -> Outcome:
    outcomes = [apply(item, measures, facts) for item in given]
    return False if False in outcomes else None if None in outcomes else True


def _any(given: Any, measures: Measures, facts: Facts) -> Outcome:
    outcomes = [apply(item, measures, facts) for item in given]
    return True if True in outcomes else None if None in outcomes else False


def _not(given: Condition, measures: Measures, facts: Facts) -> Outcome:
    outcome = apply(given, measures, facts)
    return None if outcome is None else not outcome


def _one(given: Mapping[str, Any]) -> list[str]:
    return [given["measure"]]


def _test(
    required: str,
    optional: str,
    apply: Callable[..., Outcome],
    text: Callable[..., str],
    measures: Callable[..., list[str]] = _one,
) -> Test:
    return Test(frozenset(required.split()), frozenset(optional.split()), apply, text, measures)


#: Every test a rule may use, by name.
TESTS: dict[str, Test] = {
    "level": _test(
        "measure target tolerance",
        "",
        _level,
        lambda g, label: (
            f"{label(g['measure'])}: {g['target']}"
            + (f" within {g['tolerance']}" if g["tolerance"] else " exactly")
        ),
    ),
    "change": _test(
        "measure over",
        "above below at_least at_most",
        lambda g, m, f: _bounded(m[g["measure"]], g),
        # The label names the dates; `over` keeps them where code can read them.
        lambda g, label: f"{label(g['measure'])}: {_bounds_text(g)}",
    ),
    "bound": _test(
        "measure",
        "above below at_least at_most",
        lambda g, m, f: _bounded(m[g["measure"]], g),
        lambda g, label: f"{label(g['measure'])}: {_bounds_text(g)}",
    ),
    "sign": _test("measure is", "", _sign, lambda g, label: f"{label(g['measure'])}: {g['is']}"),
    "rank": _test(
        "measure",
        "within of top_share",
        _rank,
        _rank_text,
        lambda g: [g["measure"], *([g["of"]] if "of" in g else [])],
    ),
    "dates": _test("measure", "equal include months within", _dates, _dates_text),
    "slope": _test(
        "measure t sign min_t",
        "",
        _slope,
        lambda g, label: f"{label(g['measure'])}: {g['sign']}, with |t| of at least {g['min_t']}",
        lambda g: [g["measure"], g["t"]],
    ),
    "compare": _test("measure is than", "by", _compare, _compare_text, lambda g: [g["measure"], g["than"]]),
    "proxy": _test(
        "measures target tolerance",
        "",
        _proxy,
        lambda g, label: (
            f"the figure’s own source is public, or no proxy ({'; '.join(label(k) for k in g['measures'])}) "
            f"lies within {g['tolerance']} of {g['target']}, which refutes it"
        ),
        lambda g: list(g["measures"]),
    ),
    "fact": _test("id", "equals is_not above below at_least at_most", _fact, _fact_text, lambda g: []),
    "all": _test("", "", _all, lambda g, label: " and ".join(describe(c, label) for c in g)),
    "any": _test("", "", _any, lambda g, label: " or ".join(describe(c, label) for c in g)),
    "not": _test("", "", _not, lambda g, label: f"not: {describe(g, label)}"),
}

_NESTED = {"all", "any", "not"}
_ONE_OF = {
    "change": {"above", "below", "at_least", "at_most"},
    "bound": {"above", "below", "at_least", "at_most"},
    "rank": {"within", "top_share"},
    "dates": {"equal", "include", "months", "within"},
    "fact": {"equals", "is_not", "above", "below", "at_least", "at_most"},
}


def _named(condition: Condition) -> tuple[str, Any]:
    ((name, given),) = condition.items()
    return name, given


def apply(condition: Condition, measures: Measures, facts: Facts) -> Outcome:
    """Outcome of one condition: True, False, or None where the answer is not to be had."""
    name, given = _named(condition)
    return TESTS[name].apply(given, measures, facts)


def describe(condition: Condition, label: Callable[[str], str] = str) -> str:
    """The condition as a reader sees it; ``label`` turns a measure's key into words."""
    name, given = _named(condition)
    return TESTS[name].describe(given, label)


def walk(rule: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Every elementary test of a rule as (name, parameters), nested ones unfolded."""
    found: list[tuple[str, Any]] = []

    def visit(condition: Condition) -> None:
        name, given = _named(condition)
        if name in _NESTED:
            for inner in [given] if name == "not" else given:
                visit(inner)
        else:
            found.append((name, given))

    for part in PARTS:
        for condition in rule.get(part, []):
            visit(condition)
    return found


def measures_of(rule: Mapping[str, Any]) -> list[str]:
    """Keys of the measures that a rule needs, in the order in which it names them."""
    keys = [key for name, given in walk(rule) for key in TESTS[name].measures(given)]
    return list(dict.fromkeys(keys))


def facts_of(rule: Mapping[str, Any]) -> list[str]:
    """Ids of the facts that a rule needs."""
    return [given["id"] for name, given in walk(rule) if name == "fact"]


def check_condition(condition: Any, where: str) -> None:
    """Raise HelperError unless the condition uses a known test with its parameters."""
    if not isinstance(condition, Mapping) or len(condition) != 1:
        raise HelperError(f"{where}: a condition is one test with its parameters, such as 'level: {{...}}'.")
    name, given = _named(condition)
    if name not in TESTS:
        raise HelperError(f"{where}: unknown test '{name}'; use one of {', '.join(TESTS)}.")
    if name in _NESTED:
        inner = [given] if name == "not" else given
        if not isinstance(inner, list) or not inner:
            raise HelperError(f"{where}: '{name}' needs a list of conditions.")
        for item in inner:
            check_condition(item, where)
        return
    test = TESTS[name]
    keys = set(given) if isinstance(given, Mapping) else set()
    if missing := sorted(test.required - keys):
        raise HelperError(f"{where}: the test '{name}' lacks its parameter {', '.join(missing)}; add it.")
    if unknown := sorted(keys - test.required - test.optional):
        raise HelperError(f"{where}: the test '{name}' has no parameter {', '.join(unknown)}; remove it.")
    if name in _ONE_OF and not keys & _ONE_OF[name]:
        raise HelperError(f"{where}: the test '{name}' needs one of {', '.join(sorted(_ONE_OF[name]))}.")
    if name == "rank" and ("top_share" in keys) != ("of" in keys):
        raise HelperError(f"{where}: the test 'rank' takes top_share and of together.")
    if name in {"sign", "slope"} and given["is" if name == "sign" else "sign"] not in {
        "positive",
        "negative",
    }:
        raise HelperError(f"{where}: a sign is 'positive' or 'negative'.")
    if name == "compare" and given["is"] not in {"above", "below"}:
        raise HelperError(f"{where}: 'compare' takes is: above or is: below.")


def parts(
    rule: Mapping[str, Any], measures: Measures, facts: Facts, label: Callable[[str], str] = str
) -> list[Part]:
    """Apply every condition of a rule and keep how each came out."""
    return [
        Part(role, describe(condition, label), apply(condition, measures, facts))
        for role in PARTS
        for condition in rule.get(role, [])
    ]


def verdict(rule: Mapping[str, Any], applied: list[Part], weak: bool = False) -> str:
    """The verdict that a rule's parts add up to.

    Parameters
    ----------
    rule : the claim's rule
    applied : what :func:`parts` returned for it
    weak : True if a fact of the rule stands on one weak source, which caps the verdict at "with a caveat"
    """
    if "not-checkable" in rule:
        return NOT_CHECKABLE
    letter = [part.outcome for part in applied if part.role == "letter"]
    if False in letter:
        return MIXED if True in letter else CONTRADICTED
    if None in letter:
        return UNVERIFIED
    if any(part.outcome is False for part in applied if part.role == "implied"):
        return MISLEADING
    if weak or any(part.outcome is not True for part in applied if part.role != "letter"):
        return CAVEAT
    return SUPPORTED
