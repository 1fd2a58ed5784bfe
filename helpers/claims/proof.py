"""Verdicts that prove themselves without data: each derived again from its own payload, rule and facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.claims import card, judging, measuring, registry
from helpers.files import HelperError


def faults(shown: Mapping[str, Any]) -> list[str]:
    """What of a verdict's output does not follow from its own figures, the registry and the facts of today.

    Parameters
    ----------
    shown : the output's data by MIME type, as :func:`helpers.claims.card.bundle` made it

    Returns
    -------
    Sentences, each with the claim's id; empty if everything follows.
    """
    payload = shown[card.MIME]
    claim = registry.load().get(payload.get("id", ""))
    if claim is None:
        return [f"{payload.get('id')}: the registry holds no such claim."]
    try:
        return [f"{claim.id}: {text}." for text in _faults(claim, payload, shown)]
    except HelperError as error:
        return [f"{claim.id}: {error}"]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return [f"{claim.id}: its payload lacks or garbles {error}; execute {claim.notebook} again."]


def _faults(claim: registry.Claim, payload: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    if payload["claim"]["entry"] != judging.entry_hash(claim):
        return [
            f"its registry entry or a fact was changed after {claim.notebook} was executed, or it was executed for "
            "another article; execute it again"
        ]
    again, said = judging.rederived(claim, payload), judging.about(claim, payload["data"])
    found = [
        f"{key} is not what its figures and its rule give" for key in again if again[key] != payload[key]
    ]
    found += [
        f"{key} is not what the registry and the record say" for key in said if said[key] != payload[key]
    ]
    found += _figures(claim, payload) + _shares(claim, payload)
    made = card.bundle(payload)
    names = {"text/html": "the card", "text/plain": "the card’s text"}
    return found + [
        f"{name} says something else than its payload"
        for key, name in names.items()
        if shown.get(key) != made[key]
    ]


def _figures(claim: registry.Claim, payload: Mapping[str, Any]) -> list[str]:
    listed = {(entry["label"], str(entry["value"])) for entry in payload["measured"]}
    found = [
        f"the figure “{claim.label(key)}” is not the one that it was judged by"
        for key, value in payload["figures"].items()
        if (claim.label(key), str(value)) not in listed
    ]
    for row in payload["specifications"]:
        figures = {**payload["figures"], **row["figures"]}
        if measuring.outcome(claim, figures, payload["spread"])[0] != row["verdict"]:
            found.append(f"the specification “{row['axis']}: {row['value']}” has another verdict by the rule")
    return found


def _shares(claim: registry.Claim, payload: Mapping[str, Any]) -> list[str]:
    """Counts that do not follow from the specifications, or from each other."""
    found = []
    if firm := payload["robustness"]:
        rows, axes = payload["specifications"], firm["axes"]
        if firm != measuring.robustness(claim, payload["by_rule"], rows, axes, firm["control"]):
            found.append("its robustness is not the share of its specifications")
    if (rate := payload["base_rate"]) and abs(rate["share"] - rate["true"] / rate["days"]) > 1e-3:
        found.append("its base rate is not the share of its days")
    return found
