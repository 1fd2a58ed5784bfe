"""Judging: a measurement goes in, the rule decides, and a payload says everything that follows from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers import market
from helpers.claims import card, measuring, registry, rules
from helpers.claims.measuring import Axes, Figures, JudgementError, Measure, Measured, outcome, plain
from helpers.words import listing, num, quantity, say

#: What a payload lists of a measurement as it is.
_MEASURED = ("figures", "robustness", "specifications", "base_rate", "spread", "later")
_judged: dict[str, dict[str, Any]] = {}  # payloads of the claims judged in this process


@dataclass(frozen=True)
class Verdict:
    """What the rule made of the measurements. Shown in a notebook as a card made from its payload."""

    payload: dict[str, Any]
    shown: dict[str, Any]

    @property
    def verdict(self) -> str | None:
        """The verdict; None where made-up data went in."""
        found: str | None = self.payload["verdict"]
        return found

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.shown


# --------------------------------------------------------------------------------------- caps, flips, words


def _caps(verdict: str, run: Measured) -> tuple[str, list[str]]:
    """Lower praise and blame that few equivalent specifications share, and praise that is true anyway."""
    said = registry.conventions()
    kind = [row["verdict"] for row in run.specifications if row["kind"] == "equivalent"]
    robustness, rate = run.robustness, run.base_rate
    praise, blame = {rules.SUPPORTED, rules.CAVEAT}, {rules.CONTRADICTED, rules.MISLEADING}
    found, why = verdict, []
    side = praise if verdict in praise else blame if verdict in blame else set()
    if robustness and kind and side and not robustness["few"]:
        agree = [name for name in kind if name in side]
        # Rounded as `firm` is: two of three are two thirds.
        if round(len(agree) / len(kind), measuring.DECIMALS) < said["firm"]:
            unsure = kind.count(rules.UNVERIFIED) > (len(kind) - len(agree)) / 2
            found = rules.UNVERIFIED if unsure else rules.MIXED
        elif verdict in praise and robustness["share"] < said["firm"]:
            found = rules.CAVEAT
        if found != verdict:
            why.append(
                f"By its own figures {card.LOOK[verdict][0].lower()}, but only {robustness['same']} of "
                f"{robustness['of']} equivalent ways to measure it agree."
            )
    if rate and found == rules.SUPPORTED and rate["share"] >= said["usual"]:
        found = rules.CAVEAT
        why.append(
            f"It would have been true on {num(100 * rate['share'], 0, '%')} of other days, so it says little."
        )
    return found, why


def _flips(claim: registry.Claim, parts: list[rules.Part]) -> list[dict[str, Any]]:
    """Distance of each deciding condition to its bound, that of the deciding figure first, then the nearest.

    Where something fails or cannot be told, only that decides; else everything that holds does.
    """
    deciding = [part for part in parts if part.role in rules.DECIDING]
    open_ = [part for part in deciding if part.outcome is not True]
    found = [part for part in open_ or deciding if part.margin is not None]
    first = measuring.deciding(claim)
    return [
        {
            "holds": part.outcome,
            "margin": plain(part.margin),
            "unit": part.unit,
            "sentence": _flip_sentence(claim, part),
        }
        for part in sorted(found, key=lambda part: (first not in part.keys, abs(part.margin or 0.0)))
    ]


def _flip_sentence(claim: registry.Claim, part: rules.Part) -> str:
    label = claim.label(part.keys[0]) if part.keys else part.text.rsplit(":", 1)[0]
    distance = _distance(abs(part.margin or 0.0), part.unit)
    if part.outcome is None:
        return f"{label}: {distance} from its bound, too little to tell."
    if not part.margin:
        return f"{label}: it stands just at its bound."
    return f"{label}: it {'holds' if part.outcome else 'misses'} by {distance}."


def _distance(margin: float, unit: str) -> str:
    """A margin in words; a distance of percentages is in points, ranks and counts are whole."""
    if unit in {"rank", "count"} and margin.is_integer():
        return quantity(int(margin), "places" if unit == "rank" else "")
    return quantity(plain(margin), "pp" if unit == "%" else unit)


def _because(
    claim: registry.Claim, verdict: str, reserved: bool, found: Figures, parts: list[rules.Part]
) -> str:
    """The registry's sentence for this verdict, filled; without one, the condition that decides, in words."""
    values = {key: (value, claim.unit(key)) for key, value in found.items()}
    template = claim.because.get(verdict)
    filled = registry.fill(template, values) if template else ""
    if filled and _short(filled):
        return filled
    if "not-checkable" in claim.rule:
        return str(claim.rule["not-checkable"])
    lacking = [claim.label(key) for key, (value, _) in values.items() if value is None]
    if lacking and verdict == rules.UNVERIFIED:
        return _first_short([f"Not in these data: {listing(lacking[:most])}." for most in (2, 1)])
    voting = [part for part in parts if part.role in rules.DECIDING]
    wanted = None if verdict == rules.UNVERIFIED else False  # where the verdict is praise, all of them hold
    part = next((part for part in voting if part.outcome is wanted), voting[0])
    ending = {
        True: "as the sentence says",
        False: "which is not what the sentence says",
        None: "which decides nothing",
    }[part.outcome] + (", but with a reservation" if reserved else "")
    shown = [f"{claim.label(key)} is {quantity(*values[key])}" for key in part.keys[:2]]
    tries = [listing(shown), shown[0]] if shown else []
    return _first_short([f"{start}, {ending}." for start in [*tries, part.text]])


def _short(text: str) -> bool:
    """True for a sentence of at most thirty words; a number and its unit are one."""
    return len(text.split(" ")) <= registry.WORDS_OF_A_REASON


def _first_short(sentences: list[str]) -> str:
    """The first sentence that is short enough, or the last one cut to that length."""
    words = sentences[-1].split(" ")[: registry.WORDS_OF_A_REASON]
    return next(filter(_short, sentences), " ".join(words).rstrip(",.") + " …")


# ---------------------------------------------------------------------------------------------- judging


def judge(
    claim_id: str,
    measure: Measure | Mapping[str, Any] | None = None,
    *,
    vary: Axes | None = None,
    other: Axes | None = None,
    often: Mapping[str, Iterable[Any]] | None = None,
    later: Mapping[str, Iterable[Any]] | None = None,
    more: Sequence[Any] = (),
    control: str | None = None,
    caveat: str | None = None,
    lower_to: str | None = None,
) -> Verdict:
    """Apply a claim's rule to its measurement.

    Parameters
    ----------
    measure : a function of its choices, all with defaults, that returns the claim's measures by key (a mapping or
        a Series; a bare number where the claim has one); or the figures themselves, for an exact fact; None for a
        claim of the public record alone
    vary : alternatives by argument that measure the same thing (equivalent); the share of robustness is theirs
    other : alternatives that ask another question, such as a placebo or another window: shown, not counted
    often : one argument and other days for it: how often the sentence would have been true anyway, and the
        spread for bands in standard deviations
    later : one argument and later days: the same figures with hindsight, never voting
    more : further figures the verdict rests on: frames with ``attrs["unit"]``, or (label, value, unit)
    control : how a placebo came out, in one sentence
    caveat, lower_to : a person's reservation, and the lower verdict it leads to, for a reason outside the data

    Returns
    -------
    A :class:`Verdict`; on made-up data it says so and gives none. What the store lacks ends as unverified.

    Raises
    ------
    JudgementError
        with the claim's id, for figures that are missing, undeclared or not finite, axes that are no arguments
        or change nothing, a base rate without data, or a person who tries to raise a verdict.
    """
    claim = registry.claim(claim_id)
    if callable(measure):
        run = measuring.measured(claim, measure, vary or {}, other or {}, often or {}, later or {}, control)
    elif vary or other or often or later:
        raise JudgementError(f"{claim_id}: figures have no choices to change; give their function.")
    else:
        run = Measured(measuring.figures(claim, {} if measure is None else measure))
        measuring.check_spread(claim, run, "give a function, and `often` for other days")
    for name, text in (("caveat", caveat), ("control", control)):
        if not isinstance(text, str | None):
            raise JudgementError(f"{claim_id}: `{name}` is a sentence, not {type(text).__name__}; write one.")
    if lower_to is not None and not (caveat or "").strip():
        raise JudgementError(f"{claim_id}: lowering a verdict needs its reason in `caveat`.")
    _judged[claim_id] = _payload(claim, run, more, caveat, lower_to)
    # Made here, so that what a card cannot show ends the cell like any other error.
    return Verdict(_judged[claim_id], card.bundle(_judged[claim_id]))


def _payload(
    claim: registry.Claim, run: Measured, more: Sequence[Any], caveat: str | None, lower_to: str | None
) -> dict[str, Any]:
    """All that a verdict says; on made-up data its figures, and nothing that would read like a finding."""
    origin = _origin(claim)
    made_up = origin["source"] == "synthetic" and not registry.made_up()
    payload = {
        **about(claim, origin),
        **_findings(claim, run),
        **_conclusion(claim, run, None if run.missing or made_up else lower_to),
        "caveat": " ".join(filter(None, [caveat, run.missing])) or None,
        "measured": _measured(claim, run, more),
    }
    if not made_up:
        return payload
    return payload | {
        **dict.fromkeys(("verdict", "by_rule", "robustness", "base_rate")),
        **{key: [] for key in ("specifications", "flip", "later", "capped")},
        "because": "",
        "spread": {},
        "tally": {"hold": 0, "fail": 0, "of": payload["tally"]["of"]},
        "parts": [{**part, "outcome": None, "margin": None, "weak": False} for part in payload["parts"]],
    }


def board() -> pd.DataFrame:
    """The claims judged so far in this notebook: verdict, how firm it is, how often it would have been true."""
    rows = {}
    for claim_id, payload in _judged.items():
        firm, rate = payload["robustness"] or {"of": 0}, payload["base_rate"]
        rows[claim_id] = (
            card.LOOK[payload["verdict"]][0],
            _firm(firm),
            ", ".join(card.turning(firm)) or "–",
            f"{rate['true']} of {rate['days']}" if rate else "–",
        )
    columns = ["Verdict", "Same verdict", "Turned by", "True on other days"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("Claim")


def _firm(found: Mapping[str, Any]) -> str:
    if not found["of"]:
        return "no other way" if found.get("axes") else "exact fact"
    return f"{found['same']} of {found['of']}" + (" (too few)" if found.get("few") else "")


def specifications(claim_id: str) -> pd.DataFrame:
    """Every way in which a judged claim was measured: ``axis``, ``name``, ``value`` (deciding figure), ``verdict``.

    The first row, with the index ``"as judged"``, is the measurement as it stands. ``value`` is NaN where no number
    decides.
    """
    if claim_id not in _judged:
        raise JudgementError(f"{claim_id} was not judged yet in this notebook; judge it first.")
    payload = _judged[claim_id]
    decides = payload["claim"]["decides"]
    rows = {"as judged": {**payload, "axis": "as judged", "value": "as judged"}}
    rows |= {f"{row['axis']}: {row['value']}": row for row in payload["specifications"]}
    figures = [row["figures"].get(decides) for row in rows.values()]
    columns = {
        "axis": [row["axis"] for row in rows.values()],
        "name": [row["value"] for row in rows.values()],
        "value": [figure if isinstance(figure, (int, float)) else np.nan for figure in figures],
        "verdict": [row["verdict"] for row in rows.values()],
    }
    return pd.DataFrame(columns, index=list(rows)).astype({"value": float})


def _conclusion(claim: registry.Claim, run: Measured, lower_to: str | None = None) -> dict[str, Any]:
    """What follows from the figures and the rule: verdict, reason, flips."""
    by_rule, parts = outcome(claim, run.figures, run.spread)
    verdict, capped = _caps(by_rule, run)
    if lower_to is not None:
        lower = rules.ORDER[: rules.ORDER.index(verdict)] if verdict in rules.ORDER else ()
        if lower_to not in (*lower, rules.NOT_CHECKABLE):
            raise JudgementError(f"{claim.id}: a person may only lower '{verdict}', not set '{lower_to}'.")
        verdict = lower_to
    because = _because(claim, verdict, bool(capped or lower_to), run.figures, parts)
    return {
        "verdict": verdict,
        "by_rule": by_rule,
        "lowered": lower_to,
        "capped": capped,
        "because": because,
        "tally": dict(zip(("hold", "fail", "of"), rules.tally(parts), strict=True)),
        "parts": _parts(claim, parts),
        "flip": _flips(claim, parts),
    }


def rederived(claim: registry.Claim, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The conclusion once more, from a payload's own figures, spread and specifications."""
    run = Measured(**{key: payload[key] for key in _MEASURED})
    return {**_conclusion(claim, run, payload["lowered"]), "decides": _findings(claim, run)["decides"]}


def about(claim: registry.Claim, origin: dict[str, Any]) -> dict[str, Any]:
    """What a payload says of the claim itself."""
    return {
        "id": claim.id,
        "notebook": claim.notebook,
        "clarity": claim.clarity,
        "rule": claim.rule_text(),
        "as_of": claim.as_of,
        "asserts": claim.asserts,
        "article": card.article_figure({"asserts": claim.asserts}),
        "facts": list(claim.facts),
        "revised": list(claim.revised),
        "claim": {
            "says": claim.says,
            "place": claim.place,
            "kind": claim.kind,
            "decides": measuring.deciding(claim),
            "entry": entry_hash(claim),
        },
        "data": origin,
    }


def _findings(claim: registry.Claim, run: Measured) -> dict[str, Any]:
    """What a payload says of the measurement."""
    key = measuring.deciding(claim)
    decides = claim.line(key, run.figures[key]) if key else None
    return {"decides": decides, **{name: getattr(run, name) for name in _MEASURED}}


def _parts(claim: registry.Claim, parts: list[rules.Part]) -> list[dict[str, Any]]:
    if "not-checkable" in claim.rule:
        parts = [rules.Part("not-checkable", claim.rule["not-checkable"], None)]
    shown = [{key: value for key, value in asdict(part).items() if key != "keys"} for part in parts]
    return [{**one, "margin": None if one["margin"] is None else plain(one["margin"])} for one in shown]


def _width(claim: registry.Claim, key: str, value: float) -> dict[str, Any]:
    """The standard deviation that a band is a multiple of, as a figure; ``key`` is as of :func:`rules.spreads`."""
    one, _, than = key.partition("-")
    label = claim.label(one) + (f" minus {claim.label(than)}" if than else "")
    unit = "pp" if than and claim.unit(one) == "%" else claim.unit(one)
    return {"label": f"Standard deviation on other days: {label}", "value": plain(value), "unit": unit}


def _measured(claim: registry.Claim, run: Measured, more: Sequence[Any]) -> list[dict[str, Any]]:
    """The deciding figure, those of the rule, the other measures, further ones, the public record."""
    first = [measuring.deciding(claim), *rules.measures_of(claim.rule), *claim.measures]
    keys = [key for key in dict.fromkeys(first) if key]
    shown = [claim.line(key, run.figures[key]) for key in keys]
    shown += [_width(claim, key, value) for key, value in run.spread.items()]
    try:
        items = more if isinstance(more, list | tuple) else [more]
        shown += [figure for item in items for figure in measuring.labelled(item)]
    except JudgementError as error:
        raise JudgementError(f"{claim.id}, further figures: {error}") from None
    for key in claim.facts:
        fact = registry.fact(key)
        if fact.value:
            coded = registry.number(fact.value)
            value = fact.value if coded is None else plain(coded)
            shown.append({"label": f"Public record: {fact.subject}", "value": value, "unit": fact.unit})
    return shown


def _origin(claim: registry.Claim) -> dict[str, Any]:
    """Where the data came from: the market that the notebook opened; nothing for the public record alone."""
    found: dict[str, Any] = {"source": None, "last_session": None, "fingerprint": None}
    opened = market.current()
    if not claim.measures:
        return found
    if opened is None:
        raise JudgementError(f"{claim.id} rests on measures: open the market first, with market.connect().")
    if registry.made_up() and opened.source != "synthetic":
        raise JudgementError(
            f"{claim.id} is about the made-up market; set MARKET_DATA=synthetic and run it again."
        )
    return {
        "source": opened.source,
        "last_session": f"{opened.last_session:%Y-%m-%d}",
        "fingerprint": opened.fingerprint,
    }


def entry_hash(claim: registry.Claim) -> str:
    """Sixteen hex digits that name what a claim was judged by: its registry entry and its facts."""
    content = {"entry": vars(claim), "facts": [vars(registry.fact(key)) for key in claim.facts]}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---------------------------------------------------------------------------------------------- what if


def what_if(claim_id: str, measure: Measure, **choices: Any) -> None:
    """Show what a claim's figures and verdict become under other choices; nothing is recorded.

    Parameters
    ----------
    measure : the function that the claim is judged by
    choices : arguments of it, such as ``day="2024-01-31"``
    """
    claim = registry.claim(claim_id)
    measuring.check_arguments(claim_id, measure, choices)
    words = [f"`{key}={value}`" for key, value in choices.items() if isinstance(value, (str, int, float))]
    named = listing(words) if words else "that choice"
    tried = [measuring.call(claim, measure, {}), measuring.call(claim, measure, choices, named)]
    for found in tried:
        if isinstance(found, market.Missing):
            return say(f"Left out: {found}")
    base, changed = (found for found in tried if not isinstance(found, market.Missing))
    moved = [key for key in rules.measures_of(claim.rule) if base[key] != changed[key]]
    if not moved:
        return say(f"With {named} no figure of the rule changes.")
    lines = []
    for key in moved:
        was, now = (quantity(found[key], claim.unit(key)) for found in (base, changed))
        lines.append(f"- {claim.label(key)}: {was}, now **{now}**")
    turn = _turn(claim, base, changed) if measuring.counts() else ""
    return say(f"With {named}:\n\n" + "\n".join(lines) + f"\n\n{turn}")


def _turn(claim: registry.Claim, base: Figures, changed: Figures) -> str:
    """What the rule makes of the change, in a sentence."""
    spread = _judged.get(claim.id, {}).get("spread", {})
    measuring.check_spread(claim, Measured(base, spread=spread), "judge it before you ask what if")
    before, after = (card.signed(outcome(claim, found, spread)[0]) for found in (base, changed))
    if before == after:
        return f"The rule still gives {after}."
    return f"The rule no longer gives {before}, but **{after}**."
