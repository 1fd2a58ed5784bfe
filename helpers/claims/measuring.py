"""A measurement is a function of its choices: called as it stands, with other choices, and on other days.

Specifications and base rates go through :func:`helpers.measures.resample.repeat`, so that joblib carries them
to other cores or to a cluster unchanged.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from helpers import market
from helpers.claims import registry, rules
from helpers.files import HelperError
from helpers.measures.resample import repeat
from helpers.words import listing, quantity

#: Decimals kept of every figure: finer than any claim's precision, coarser than a float's last bits.
DECIMALS = 4
#: No figure of a market comes near it.
_TOO_LARGE = 1e100
#: A base rate over fewer days says nothing, nor does one that lost more than this share of its days.
_LEAST_DAYS, _MOST_LOST = 12, 0.2
#: More values of one axis than this that change no figure, as figures are quoted, are a list of copies.
_COPIES = 4
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Figures = dict[str, Any]
Measure = Callable[..., Any]
#: Alternatives of one axis: values that name themselves (dates, text), or a mapping of names to values.
Alternatives = Iterable[Any] | Mapping[str, Any]
#: Axes by argument; several arguments that change together are a tuple of names.
Axes = Mapping[Any, Alternatives]


class JudgementError(HelperError):
    """A claim was judged without what its rule needs."""


@dataclass
class Measured:
    """All that came of one measuring function, by the names under which a payload lists it.

    ``figures`` by key (None where the data lack it, with the sentence in ``missing``); ``robustness`` by axis and
    the ``specifications`` behind it; ``base_rate`` on other days, with the ``spread`` for bands; ``later`` days.
    """

    figures: Figures
    robustness: dict[str, Any] | None = None
    specifications: list[dict[str, Any]] = field(default_factory=list)
    base_rate: dict[str, Any] | None = None
    spread: dict[str, float] = field(default_factory=dict)
    later: list[dict[str, Any]] = field(default_factory=list)
    missing: str = ""


def measured(
    claim: registry.Claim,
    measure: Measure,
    vary: Axes,
    other: Axes,
    often: Mapping[str, Iterable[Any]],
    later: Axes,
    control: str | None,
) -> Measured:
    """Call a measuring function in every way that :func:`helpers.claims.judge` was asked for."""
    found = call(claim, measure, {})
    if isinstance(found, market.Missing):
        return Measured(dict.fromkeys(claim.measures), missing=str(found))
    run = Measured(found)
    if often:
        others, lost = _on_other_days(claim, measure, often)
        run.spread = _spreads(claim, others.values())
        run.base_rate = _base_rate(claim, others, lost, run.spread) if len(others) >= _LEAST_DAYS else None
    check_spread(claim, run, "give `often`, other days on which it is known")
    equal, more = (_choices(claim, measure, *axes) for axes in ((vary, "equivalent"), (other, "other")))
    if both := [one for one in more if (one.axis, one.name) in {(each.axis, each.name) for each in equal}]:
        raise JudgementError(
            f"{claim.id}: {both[0].axis} {both[0].name} stands in `vary` and in `other`; a way to measure is "
            "equivalent or asks another question."
        )
    judged = outcome(claim, run.figures, run.spread)[0]
    tried = zip([*equal, *more], _calls(claim, measure, [*equal, *more]), strict=True)
    axes = []
    for _, own in groupby(tried, lambda one: (one[0].axis, one[0].kind)):
        rows, axis = _specifications(claim, list(own), run, judged)
        run.specifications += rows
        axes.append(axis)
    if axes or control is not None:
        run.robustness = robustness(claim, judged, run.specifications, axes, control)
    run.later = _later(claim, measure, later, run.spread)
    return run


def check_spread(claim: registry.Claim, run: Measured, remedy: str) -> None:
    """Raise JudgementError, with its ``remedy``, if the rule has a band in standard deviations that nobody measured."""
    known = [key for key in rules.spreads(claim.rule) if run.figures[key.split("-")[0]] is not None]
    if (lacking := [key for key in known if key not in run.spread]) and counts():
        raise JudgementError(
            f"{claim.id}: its rule has a band in standard deviations of {lacking[0]}; {remedy}."
        )


# ---------------------------------------------------------------------------------------------- figures


def plain(value: Any) -> Any:
    """A figure as JSON holds it: floats rounded, numpy scalars unwrapped, dates as ISO text.

    Raises JudgementError for what is no figure, or is not finite.
    """
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)  # its own item() is a number of nanoseconds
    if value is np.ma.masked:
        value = math.nan  # its own item() is zero
    if hasattr(value, "item") and np.ndim(value) == 0:
        value = value.item()
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        if not abs(value) < _TOO_LARGE:
            odd = value if isinstance(value, float) else "too large"
            raise JudgementError(f"A figure is {odd}; give a finite number, or None where it is not known.")
        return value if isinstance(value, int) else round(value, DECIMALS) + 0.0  # no minus before a zero
    if isinstance(value, (list, tuple, pd.Index, np.ndarray)):
        return [plain(item) for item in value]
    if hasattr(value, "strftime"):
        if pd.isna(value):
            raise JudgementError("A figure is no date (NaT); give a date, or None where it is not known.")
        return f"{value:%Y-%m-%d}"
    raise JudgementError(f"A figure is a number, text, date or list of them, not {type(value).__name__}.")


def figures(claim: registry.Claim, found: Any) -> Figures:
    """What a measuring function returned, as the claim declares it: value by key, in the registry's order."""
    declared = list(claim.measures)
    if not isinstance(found, (Mapping, pd.Series)):
        if not declared:
            raise JudgementError(
                f"{claim.id} declares no measures; add them to the registry, or give no function."
            )
        if len(declared) > 1:
            raise JudgementError(
                f"{claim.id}: its measuring function returned {type(found).__name__}; return a mapping of its "
                f"measures ({listing(declared)})."
            )
        found = {declared[0]: found}
    if unknown := [key for key in found.keys() if key not in declared]:  # noqa: SIM118 (a Series)
        raise JudgementError(
            f"{claim.id} does not declare the measure {unknown[0]}; add it to the registry or show it in `more`."
        )
    if absent := [key for key in declared if key not in found]:
        raise JudgementError(f"{claim.id} declares the measure {absent[0]}, which was not given; compute it.")
    kinds = rules.kinds_of(claim.rule)
    values = {}
    for key in declared:
        try:
            value = values[key] = plain(found[key])
        except JudgementError as error:
            raise JudgementError(f"{claim.id}, measure {key}: {error}") from None
        if value is not None and not _fits(value, kinds.get(key)):
            raise JudgementError(
                f"{claim.id}: the rule compares {key} as {_KINDS[kinds[key]]}, and it is '{str(value)[:40]}'; "
                "return that kind."
            )
    return values


_KINDS = {"number": "a number", "dates": "a list of dates"}


def _fits(value: Any, kind: str | None) -> bool:
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return kind is None or (isinstance(value, list) and all(_DAY.fullmatch(str(day)) for day in value))


def labelled(more: Any) -> list[dict[str, Any]]:
    """Further figures: tuples (label, value, unit), or frames whose ``attrs["unit"]`` says what they hold."""
    if isinstance(more, tuple) and len(more) == 3 and isinstance(more[0], str) and isinstance(more[2], str):
        return [{"label": more[0], "value": plain(more[1]), "unit": more[2]}]
    if isinstance(more, pd.Series):
        more = more.to_frame(more.name or "")
    if not isinstance(more, pd.DataFrame):
        raise JudgementError("`more` holds frames, or tuples of label, value and unit.")
    return [
        {
            "label": f"{row}, {column}" if column != "" else str(row),
            "value": plain(value),
            "unit": more.attrs.get("unit", ""),
        }
        for column, values in more.items()
        for row, value in values.items()
    ]


# ---------------------------------------------------------------------------------- the rule, in one place


def outcome(
    claim: registry.Claim, found: Figures, spread: Mapping[str, float] | None = None
) -> tuple[str, list[rules.Part]]:
    """The verdict of a claim's rule on some figures, and how each condition came out. The one place.

    ``spread`` as :class:`rules.Evidence` has it; a band in standard deviations without one cannot tell.
    """
    evidence = rules.Evidence(found, registry.record(claim), spread or {})
    parts = rules.apply(claim.rule, evidence, claim.label_in, claim.unit)
    return rules.verdict(claim.rule, parts), parts


def call(
    claim: registry.Claim, measure: Measure, choices: Mapping[str, Any], named: str = ""
) -> Figures | market.Missing:
    """Figures under some choices (``named`` says which), or what the data lack for them."""
    where = f"{claim.id} with {named}" if named else claim.id
    try:
        return figures(claim, measure(**choices))
    except market.Missing as missing:
        return missing
    except HelperError as error:
        text = str(error).removeprefix(claim.id).removeprefix(": ")
        apart = "" if text.startswith((" ", ",")) else ": "
        raise JudgementError(f"{where}{apart}{text}") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise JudgementError(
            f"{where}: {called(measure)} failed with {type(error).__name__} ({reason}); mend it."
        ) from error


def called(measure: Measure) -> str:
    """Name of a measuring function, for a sentence."""
    return str(getattr(measure, "__name__", "its measuring function"))


def _name(claim: registry.Claim, axis: str, value: Any) -> str:
    """How a value names itself: a date or a short text."""
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if hasattr(value, "isoformat") and not pd.isna(value):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, (str, int, float, np.integer)):
        return str(value)
    if isinstance(value, (tuple, list)) and value:
        return " and ".join(_name(claim, axis, item) for item in value)
    raise JudgementError(
        f"{claim.id}: the values of `{axis}` do not name themselves; give a mapping of names to values."
    )


@dataclass(frozen=True)
class _Choice:
    axis: str
    name: str
    kind: str
    arguments: dict[str, Any]


def _choices(claim: registry.Claim, measure: Measure, axes: Axes, kind: str) -> list[_Choice]:
    """The choices of some axes in their order; of later days one that stands twice counts once."""
    if not isinstance(axes, Mapping):
        raise JudgementError(
            f"{claim.id}: choices are a mapping of arguments to alternatives; name the argument."
        )
    found: dict[tuple[str, str], _Choice] = {}
    for key, alternatives in axes.items():
        names = key if isinstance(key, tuple) else (key,)
        check_arguments(claim.id, measure, names)
        if len(names) != len({*names}) or not names:
            raise JudgementError(
                f"{claim.id}: the axis {key} names no argument, or one twice; name each once."
            )
        axis = listing(names).replace("_", " ")
        for label, value in _alternatives(claim, axis, alternatives):
            values = (value,) if len(names) == 1 else value
            if not isinstance(values, (tuple, list)) or len(values) != len(names):
                raise JudgementError(
                    f"{claim.id}: the alternative '{label}' of `{axis}` is no tuple of {len(names)}; "
                    "give a value for each argument."
                )
            if (axis, label) in found and kind in ("equivalent", "other"):
                raise JudgementError(f"{claim.id}: the axis `{axis}` holds {label} twice; give each once.")
            found[axis, label] = _Choice(axis, label, kind, dict(zip(names, values, strict=True)))
    return list(found.values())


def _alternatives(claim: registry.Claim, axis: str, given: Alternatives) -> list[tuple[str, Any]]:
    """Name and value of each alternative of an axis."""
    if isinstance(given, str | set | frozenset) or not isinstance(given, Iterable):
        odd = "is a set, which has no order" if isinstance(given, set | frozenset) else "holds one value"
        raise JudgementError(f"{claim.id}: the axis `{axis}` {odd}; give a list of alternatives.")
    if isinstance(given, Mapping):
        found = [(str(label), value) for label, value in given.items()]
    else:
        found = [(_name(claim, axis, value), value) for value in given]
    if not found:
        raise JudgementError(f"{claim.id}: the axis `{axis}` has no alternatives; give some or drop it.")
    return found


def check_arguments(claim_id: str, measure: Measure, names: Iterable[str]) -> None:
    """Raise JudgementError for a name that is no argument of a measuring function."""
    try:
        known = inspect.signature(measure).parameters
    except (TypeError, ValueError):
        raise JudgementError(
            f"{claim_id}: {called(measure)} does not say its arguments; wrap it in a def."
        ) from None
    for name in names:
        if name not in known:
            raise JudgementError(
                f"{claim_id}: `{name}` is no argument of {called(measure)}({', '.join(known)}); change one of these."
            )


def _calls(claim: registry.Claim, measure: Measure, choices: list[_Choice]) -> list[Any]:
    """Figures, or what is missing, of each choice; through joblib."""
    return repeat(
        call, [(claim, measure, choice.arguments, f"{choice.axis} {choice.name}") for choice in choices]
    )


def _specifications(
    claim: registry.Claim, tried: list[tuple[_Choice, Any]], run: Measured, judged: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of the specifications of one axis that change a figure, and the axis in numbers."""
    axis, kind = tried[0][0].axis, tried[0][0].kind
    turning = rules.measures_of(claim.rule, rules.TURNING)
    base = before = {key: value for key, value in run.figures.items() if key in turning}
    rows: list[dict[str, Any]] = []
    first, absent, copies, near = deciding(claim), [], 0, 0
    for choice, result in tried:
        if isinstance(result, market.Missing):
            absent.append(choice.name)
            continue
        own = {key: value for key, value in result.items() if key in base}
        near += _quoted(claim, own) in (_quoted(claim, base), _quoted(claim, before))
        if own in (base, before):
            copies += 1  # it changes no figure, or is its neighbour once more
            continue
        before = own
        shown = {key: value for key, value in own.items() if value != base[key]}
        shown |= {first: result[first]} if first else {}
        verdict = outcome(claim, result, run.spread)[0]
        rows.append({"axis": axis, "value": choice.name, "kind": kind, "figures": shown, "verdict": verdict})
    of = len(rows) + copies
    if near > _COPIES and 2 * near > of and counts():
        raise JudgementError(
            f"{claim.id}: {near} of {of} values of `{axis}` change no figure, or only repeat the one before; "
            "vary it by values that differ."
        )
    turned = [row["value"] for row in rows if row["verdict"] != judged]
    told = {"same": len(rows) - len(turned), "of": len(rows), "copies": copies, "absent": absent}
    return rows, {"axis": axis, "kind": kind, **told, "turned": turned}


def _quoted(claim: registry.Claim, found: Figures) -> list[str]:
    return [quantity(value, claim.unit(key)) for key, value in found.items()]


def robustness(
    claim: registry.Claim,
    judged: str,
    rows: Iterable[Mapping[str, Any]],
    axes: list[dict[str, Any]],
    control: str | None,
) -> dict[str, Any]:
    """How many of the equivalent specifications give the verdict ``judged``, and between which figures they lie."""
    equal = [row for row in rows if row["kind"] == "equivalent"]
    own = [axis for axis in axes if axis["kind"] == "equivalent"]
    same = sum(row["verdict"] == judged for row in equal)
    key = deciding(claim)
    found = [row["figures"][key] for row in equal if isinstance(row["figures"].get(key), (int, float))]
    return {
        "share": round(same / len(equal), DECIMALS) if equal else None,
        "same": same,
        "of": len(equal),
        "varied": listing([axis["axis"] for axis in own]) if own else "nothing",
        "low": min(found, default=None),
        "high": max(found, default=None),
        "unit": claim.unit(key) if found else "",
        "control": control,
        "axes": axes,
        "absent": sum(len(axis["absent"]) for axis in own),
        "few": len(equal) < registry.conventions()["few"],
    }


def deciding(claim: registry.Claim) -> str:
    """Key of the measure that decides: the registry's, else the first of the letter, else of the rule."""
    named = rules.measures_of(claim.rule, rules.VOTING) or list(claim.measures)
    return claim.decides or (named[0] if named else "")


# -------------------------------------------------------------------------------------------- base rates


def _on_other_days(
    claim: registry.Claim, measure: Measure, often: Mapping[str, Iterable[Any]]
) -> tuple[dict[str, Figures], list[str]]:
    """Figures by day, each day once and without the one that is judged, and the days that the data do not reach."""
    by_name = {choice.name: choice for choice in _choices(claim, measure, often, "often")}
    if len(often) != 1:
        raise JudgementError(f"{claim.id}: a base rate moves one argument; `often` names {len(often)}.")
    parameters = inspect.signature(measure).parameters
    for judged in [parameters[name].default for name in next(iter(by_name.values())).arguments]:
        if isinstance(judged, str) or hasattr(judged, "isoformat"):
            by_name.pop(_name(claim, "", judged), None)
    results = dict(zip(by_name, _calls(claim, measure, list(by_name.values())), strict=True))
    lost = [name for name, result in results.items() if isinstance(result, market.Missing)]
    found = {name: result for name, result in results.items() if name not in lost}
    opened = market.current()
    # On the data of the committed notebooks too few days are the author's fault; elsewhere, the store's.
    ours = opened is None or opened.published
    if ours and (len(lost) > _MOST_LOST * len(results) or len(found) < _LEAST_DAYS):
        first = min(found, default="none")
        raise JudgementError(
            f"{claim.id}: its base rate has data on {len(found)} of {len(results)} days (the first is {first}); "
            f"name at least {_LEAST_DAYS} days from there on."
        )
    return found, lost


def _spreads(claim: registry.Claim, others: Iterable[Figures]) -> dict[str, float]:
    """Standard deviation on the other days of each figure that a band of the rule asks for."""
    found = {}
    for name in rules.spreads(claim.rule):
        known = [[day[key] for key in name.split("-")] for day in others]
        values = [figures[0] - sum(figures[1:]) for figures in known if None not in figures]
        if len(values) > 1:
            found[name] = round(float(np.std(values, ddof=1)), DECIMALS)
    return found


def _base_rate(
    claim: registry.Claim, others: Mapping[str, Figures], lost: list[str], spread: Mapping[str, float]
) -> dict[str, Any] | None:
    """On how many of the other days the letter would have been true, as far as it rests on measures.

    None where none of them moves with the day: then "how often" has no meaning.
    """
    moving = {
        role: [c for c in claim.rule.get(role, []) if rules.measures_of({role: [c]})] for role in rules.VOTING
    }
    voting = rules.measures_of(moving)
    # A day on which a figure is missing neither was true nor was not.
    told = {name: day for name, day in others.items() if all(day[key] is not None for key in voting)}
    if not any(len({repr(day[key]) for day in told.values()}) > 1 for key in voting):
        return None
    evidence = [rules.Evidence(day, registry.record(claim), spread) for day in told.values()]
    parts = [rules.apply(moving, one, claim.label_in, claim.unit) for one in evidence]
    true = sum(all(part.outcome is True for part in day) for day in parts)
    figures = [day.get(deciding(claim)) for day in told.values()]
    known = [figure for figure in figures if isinstance(figure, (int, float))]
    # Tenth, fiftieth and ninetieth percentile of the deciding figure.
    cuts = [round(float(cut), DECIMALS) for cut in np.quantile(known, [0.1, 0.5, 0.9])] if known else None
    return {
        "days": len(told),
        "first": min(told),
        "last": max(told),
        "true": true,
        "share": round(true / len(told), DECIMALS),
        "lost": len(lost) + len(others) - len(told),
        "conditions": [sum(part.outcome is True for part in each) for each in zip(*parts, strict=True)],
        "quantiles": cuts,
    }


def counts() -> bool:
    """True if what the opened market says counts for the article: real prices, or made-up ones it is about."""
    opened = market.current()
    return opened is None or bool(opened.real) or registry.made_up()


def _later(
    claim: registry.Claim, measure: Measure, later: Axes, spread: Mapping[str, float]
) -> list[dict[str, Any]]:
    key = deciding(claim)
    choices = _choices(claim, measure, later, "later")
    return [
        {"value": choice.name, "figure": found.get(key), "unit": claim.unit(key) if key else ""}
        | {"verdict": outcome(claim, found, spread)[0]}
        for choice, found in zip(choices, _calls(claim, measure, choices), strict=True)
        if not isinstance(found, market.Missing)
    ]
