"""Judging: measurements go in, the rule decides, a verdict comes out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from helpers.claims import registry, rules
from helpers.files import HelperError

#: Decimals kept of every figure: finer than any claim's precision, coarser than a float's last bits.
DECIMALS = 4

#: A person may lower a verdict, never raise it. The two that abstain are open to every favourable one.
_LOWER: dict[str, set[str]] = {
    name: set(rules.SCALE[i + 1 : 5])
    | ({rules.UNVERIFIED, rules.NOT_CHECKABLE} if name in rules.SCALE[:3] else set())
    for i, name in enumerate(rules.SCALE[:5])
}


class JudgementError(HelperError):
    """A claim was judged without what its rule needs."""


@dataclass(frozen=True)
class Measurement:
    """One figure that a verdict rests on."""

    label: str
    value: Any
    unit: str


@dataclass(frozen=True)
class Robustness:
    """Under how many reasonable specifications the verdict stays the same.

    ``low`` and ``high`` bound the deciding measure over all specifications; ``control`` says in one
    sentence how a placebo came out.
    """

    varied: str
    same: int
    of: int
    low: float | None = None
    high: float | None = None
    unit: str = ""
    control: str | None = None

    @property
    def share(self) -> float:
        """Share of specifications with the same verdict, 0 to 1."""
        return self.same / self.of

    def as_dict(self) -> dict[str, Any]:
        """The robustness as it stands in the JSON."""
        return {
            "share": round(self.share, DECIMALS),
            "same": self.same,
            "of": self.of,
            "varied": self.varied,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "control": self.control,
        }


@dataclass(frozen=True)
class Verdict:
    """What the rule made of the measurements. Shown in a notebook as a card."""

    claim: registry.Claim
    verdict: str | None
    parts: list[rules.Part]
    measured: list[Measurement]
    robustness: Robustness | None
    caveat: str | None
    data: dict[str, Any]

    @property
    def synthetic(self) -> bool:
        """True if made-up data went in, and so no verdict came out."""
        return self.verdict is None

    def as_dict(self) -> dict[str, Any]:
        """The machine-readable verdict, with the keys of ``python -m helpers verdicts --json``."""
        return {
            "id": self.claim.id,
            "notebook": self.claim.notebook,
            "verdict": self.verdict,
            "clarity": self.claim.clarity,
            "rule": self.claim.rule_text(),
            "as_of": self.claim.as_of,
            "robustness": self.robustness.as_dict() if self.robustness else None,
            "measured": [{"label": m.label, "value": m.value, "unit": m.unit} for m in self.measured],
            "facts": list(self.claim.facts),
            "caveat": self.caveat,
        }

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from helpers.claims import views  # lazily: views know verdicts, and a verdict shows itself by them

        return views.bundle(self)


def plain(value: Any) -> Any:
    """A figure as JSON holds it: floats rounded, numpy scalars unwrapped, dates as ISO text."""
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DECIMALS)
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    raise JudgementError(
        f"A measurement is a number, text, date or list of them, not {type(value).__name__}."
    )


def _sources(data: Iterable[Any]) -> dict[str, Any]:
    """Where the data came from: the least real source that went in, and the market's last session."""
    found: dict[str, Any] = {"source": None, "last_session": None, "fingerprint": None}
    names = set()
    for item in data:
        if hasattr(item, "store"):
            names.add(item.source)
            found["last_session"] = f"{item.last_session:%Y-%m-%d}"
            found["fingerprint"] = item.fingerprint
        elif "source" in getattr(item, "attrs", {}):
            names.add(item.attrs["source"])
            found["last_session"] = found["last_session"] or item.attrs.get("as_of")
        else:
            raise JudgementError(
                "judge(data=...) takes the market or frames read from it; this one does not say its source."
            )
    for name in ("synthetic", "store", "public"):
        if name in names:
            found["source"] = name
            break
    return found


def _weak(claim: registry.Claim) -> list[str]:
    return [key for key in rules.facts_of(claim.rule) if registry.fact(key).standing == "weak"]


def judge(
    claim_id: str,
    measured: Mapping[str, Any] | None = None,
    data: Iterable[Any] = (),
    more: Sequence[tuple[str, Any, str]] = (),
    robustness: Robustness | None = None,
    caveat: str | None = None,
    lower_to: str | None = None,
) -> Verdict:
    """Apply a claim's rule to its measurements.

    Parameters
    ----------
    claim_id : such as ``"C03"``
    measured : value of every measure the claim declares in the registry, by key; None for a value that
        could not be had
    data : the market, or the frames the figures were computed from: they say whether the data are real
    more : further figures the verdict rests on, as (label, value, unit)
    robustness : what :func:`robust` returned
    caveat, lower_to : a person's reservation, and the lower verdict it leads to, if any

    Raises
    ------
    JudgementError
        if a declared measure is missing or an undeclared one is given, if a claim that rests on series is
        judged without saying where the data came from, or if a person tries to raise a verdict.
    """
    claim = registry.claim(claim_id)
    given = {key: plain(value) for key, value in (measured or {}).items()}
    if absent := [key for key in claim.measures if key not in given]:
        raise JudgementError(f"{claim_id} declares the measure {absent[0]}, which was not given; compute it.")
    if unknown := [key for key in given if key not in claim.measures]:
        raise JudgementError(
            f"{claim_id} does not declare the measure {unknown[0]}; add it to the registry or pass it in `more`."
        )
    data = list(data)
    if claim.measures and not data:
        raise JudgementError(f"{claim_id} rests on measures: say where they came from with data=[...].")
    origin = _sources(data)
    figures = [Measurement(claim.label(k), given[k], claim.measures[k]["unit"]) for k in claim.measures]
    figures += [Measurement(label, plain(value), unit) for label, value, unit in more]
    figures += [_fact_figure(key) for key in claim.facts if registry.fact(key).value]
    applied = rules.parts(claim.rule, given, registry.facts(), claim.label_in)
    if origin["source"] == "synthetic":
        return Verdict(claim, None, [replace(p, outcome=None) for p in applied], figures, None, None, origin)
    weak = _weak(claim)
    outcome = rules.verdict(claim.rule, applied, bool(weak))
    if lower_to is not None:
        if lower_to not in _LOWER.get(outcome, set()):
            raise JudgementError(f"{claim_id}: a person may only lower '{outcome}', not set '{lower_to}'.")
        if not caveat:
            raise JudgementError(f"{claim_id}: lowering a verdict needs its reason in `caveat`.")
        outcome = lower_to
    notes = [caveat] if caveat else []
    notes += [f"Rests on one weak source ({key})." for key in weak]
    notes += [
        f"{'Not met' if p.outcome is False else 'Not known'} ({p.role}): {p.text}."
        for p in applied
        if p.role != "letter" and p.outcome is not True
    ]
    return Verdict(claim, outcome, applied, figures, robustness, " ".join(notes) or None, origin)


def _fact_figure(fact_id: str) -> Measurement:
    fact = registry.fact(fact_id)
    try:
        value: Any = float(fact.value)
    except ValueError:
        value = fact.value
    return Measurement(f"Public record: {fact.subject}", plain(value), fact.unit)


def robust(
    claim_id: str,
    measured: Mapping[str, Any],
    specifications: Mapping[str, Mapping[str, Any]],
    varied: str,
    headline: str | Sequence[str] = (),
    control: str | None = None,
) -> Robustness:
    """Share of specifications under which the rule gives the same verdict.

    Parameters
    ----------
    measured : the measures as judged
    specifications : name of each specification -> the measures that it changes
    varied : what the specifications vary, in words
    headline : key of the measure whose lowest and highest value are reported, or keys of several that stand
        for one, such as the proxies of an index
    control : how a placebo came out, in one sentence
    """
    claim = registry.claim(claim_id)
    if not specifications:
        raise JudgementError(f"{claim_id}: robustness needs at least one specification.")
    base = {key: plain(value) for key, value in measured.items()}
    weak = bool(_weak(claim))

    def outcome(values: Mapping[str, Any]) -> str:
        return rules.verdict(claim.rule, rules.parts(claim.rule, values, registry.facts()), weak)

    judged = outcome(base)
    variants = [{**base, **{k: plain(v) for k, v in changed.items()}} for changed in specifications.values()]
    same = sum(outcome(values) == judged for values in variants)
    keys = [headline] if isinstance(headline, str) else list(headline)
    spread = [values[key] for values in variants for key in keys if values[key] is not None]
    return Robustness(
        varied=varied,
        same=same,
        of=len(variants),
        low=min(spread) if spread else None,
        high=max(spread) if spread else None,
        unit=claim.measures[keys[0]]["unit"] if keys else "",
        control=control,
    )
