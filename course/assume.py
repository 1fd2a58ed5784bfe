"""“Change one assumption”: the rule of a claim on other measurements, said in a sentence, not as a verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from helpers import claims, market
from helpers.claims import rules, views
from helpers.claims.registry import facts
from helpers.claims.verdicts import plain
from helpers.words import say

_WINDOW = re.compile(r",?( ending)? \d{4}-\d{2}-\d{2}( to \d{4}-\d{2}-\d{2})?$")


def outcome(claim_id: str, measured: Mapping[str, Any]) -> str:
    """The verdict that a claim's rule gives on some measurements; nothing is recorded.

    Parameters
    ----------
    claim_id : such as ``"C20"``
    measured : a value for every measure that the rule names
    """
    claim = claims.claim(claim_id)
    values = {key: plain(value) for key, value in measured.items()}
    return rules.verdict(claim.rule, rules.parts(claim.rule, values, facts()))


def name(verdict: str) -> str:
    """Sign and name of a verdict, for people."""
    words, sign, _ = views.LOOK[verdict]
    return f"{sign} {words}"


def what_if(
    claim_id: str,
    assumption: str,
    changed: Mapping[str, Any],
    measured: Mapping[str, Any],
    mkt: market.Market,
) -> None:
    """Say what a claim's rule makes of one changed assumption.

    Parameters
    ----------
    claim_id : such as ``"C20"``
    assumption : the assumption in words, to follow "If": ``"the comparison begins on 8 April 2025"``
    changed : the measures that change, computed anew
    measured : all measures as they were judged
    mkt : the market; made-up prices give figures, but no verdict
    """
    claim = claims.claim(claim_id)
    lines = [f"If {assumption}:\n"]
    for key, value in changed.items():
        label, unit = (claim.label(key), claim.measures[key]["unit"]) if key in claim.measures else (key, "")
        then, now = views.number(plain(measured[key]), unit), views.number(plain(value), unit)
        # The label may name the judged window, which is just what an assumption changes.
        lines.append(f"- {_WINDOW.sub('', label)}: as judged {then}, now **{now}**")
    text = "\n".join(lines) + "\n"
    if mkt.real:
        given, before = outcome(claim_id, {**measured, **changed}), outcome(claim_id, measured)
        verb = "still gives" if given == before else f"no longer gives {name(before)}, but"
        text += f"\nThe rule of {claim_id} {verb} **{name(given)}**."
    say(text, mkt)
