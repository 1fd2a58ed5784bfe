"""How claims and verdicts look: HTML and text for people, ClaimReview and our own JSON for machines."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from helpers.claims import registry, rules
from helpers.claims.verdicts import Measurement, Verdict

#: MIME type of the machine-readable verdict in a notebook's output.
MIME = "application/vnd.rotation-rerun.verdict+json"
LD = "application/ld+json"

#: Name, sign and colour of each verdict. The sign and the word carry it; the colour only helps.
LOOK = {
    rules.SUPPORTED: ("Supported", "✓", "#00664b"),
    rules.CAVEAT: ("Supported, with a caveat", "✓*", "#3d6b00"),
    rules.MIXED: ("Mixed", "±", "#7a5200"),
    rules.MISLEADING: ("Misleading", "↷", "#8f3d00"),
    rules.CONTRADICTED: ("Contradicted", "✗", "#a01c1c"),
    rules.UNVERIFIED: ("Unverified", "?", "#44546a"),
    rules.NOT_CHECKABLE: ("Not checkable", "–", "#555555"),
    None: ("Synthetic data: no verdict", "◇", "#6b3fa0"),
}
#: Google's scale for ClaimReview runs from 1 (false) to 5 (true); who abstains gives no number.
RATING = {
    rules.SUPPORTED: 5,
    rules.CAVEAT: 4,
    rules.MIXED: 3,
    rules.MISLEADING: 2,
    rules.CONTRADICTED: 1,
}
#: Units that say what a figure is, not what it is measured in: shown nowhere behind the number.
_BARE = {"count", "rank", "correlation", "date", "dates", "text", "share", "t", "p", "ticker"}
CLARITY = {"clear": "clear", "vague": "vague", "not-testable": "not testable"}
ROLES = {"letter": "Letter", "implied": "Implied", "detail": "Detail", "not-checkable": "Not checkable"}
_OUTCOME = {True: "✓ met", False: "✗ not met", None: "? not known"}


def number(value: Any, unit: str = "") -> str:
    """A figure for people: sign for changes, separators for large numbers, and its unit."""
    if value is None:
        return "not known"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        digits = 0 if isinstance(value, int) or (abs(value) >= 1e5 and unit != "t") else 2
        text = f"{value:,.{digits}f}" if abs(value) >= 0.005 or value == 0 else f"{value:.4f}"
        text = text.replace("-", "−")
        if value == 1 and unit in {"sessions", "months", "votes", "points", "cuts"}:
            unit = unit[:-1]
        return text if unit in {"", *_BARE} else f"{text}\u00a0{unit}"
    return f"{value}"


def _e(text: Any) -> str:
    return html.escape(str(text))


def _figures(measured: Sequence[Measurement]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_e(m.label)}</th><td>{_e(number(m.value, m.unit))}</td></tr>' for m in measured
    )
    return f'<table class="rr-figures"><tbody>{rows}</tbody></table>' if rows else ""


def _rule(parts: Sequence[rules.Part], claim: registry.Claim, judged: bool) -> str:
    if "not-checkable" in claim.rule:
        return f'<p class="rr-rule">Not checkable: {_e(claim.rule["not-checkable"])}</p>'
    rows = "".join(
        f"<li><b>{ROLES[p.role]}</b>: {_e(p.text)}"
        + (f" — {_OUTCOME[p.outcome]}" if judged else "")
        + "</li>"
        for p in parts
    )
    return f'<ul class="rr-rule">{rows}</ul>'


def _robustness(verdict: Verdict) -> str:
    r = verdict.robustness
    if r is None:
        return ""
    text = f"Same verdict under {r.same} of {r.of} specifications ({r.varied})"
    if r.low is not None:
        low, high = number(r.low, r.unit), number(r.high, r.unit)
        text += f"; {low} in each" if low == high else f"; from {low} to {high}"
    text += f". {r.control}" if r.control else "."
    return f'<p class="rr-robust"><b>Robustness</b>: {_e(text)}</p>'


def as_html(verdict: Verdict) -> str:
    """The card. Classes for the report, a border in the verdict's colour for everywhere else."""
    claim = verdict.claim
    name, sign, colour = LOOK[verdict.verdict]
    caveat = (
        f'<p class="rr-caveat"><b>Caveat</b>: {_e(verdict.caveat)}</p>' if verdict.caveat is not None else ""
    )
    source = verdict.data.get("source")
    origin = {
        "store": f"Market data to {verdict.data.get('last_session')}.",
        "public": "Free series shipped with the project.",
        "synthetic": "SYNTHETIC: made-up prices.",
        None: "The public record.",
    }[source]
    return (
        f'<div class="rr-card rr-{verdict.verdict or "synthetic"}" role="group" aria-label="Verdict on {claim.id}" '
        f'style="border-left:6px solid {colour};padding:.4em 1em;margin:1em 0">'
        f'<p class="rr-head"><b>{claim.id}</b> '
        f'<span class="rr-badge" style="background:{colour};color:#fff;padding:.1em .6em;border-radius:1em">'
        f"{sign} {name}</span> "
        f'<span class="rr-clarity">The claim is {CLARITY[claim.clarity]}.</span></p>'
        f'<p class="rr-says">{_e(claim.says)}</p>'
        f"{_figures(verdict.measured)}"
        f"{_rule(verdict.parts, claim, judged=verdict.verdict is not None)}"
        f"{_robustness(verdict)}{caveat}"
        f'<p class="rr-origin">{_e(origin)} Could be known on {claim.as_of}'
        + (f"; horizon {claim.horizon}" if claim.horizon else "")
        + ".</p></div>"
    )


def as_text(verdict: Verdict) -> str:
    """The card as plain text."""
    name, sign, _ = LOOK[verdict.verdict]
    lines = [f"{verdict.claim.id} {sign} {name} (the claim is {CLARITY[verdict.claim.clarity]})"]
    lines.append(f"  {verdict.claim.says}")
    lines += [f"  {m.label}: {number(m.value, m.unit)}" for m in verdict.measured]
    if verdict.verdict:
        lines += [f"  {ROLES[p.role]}: {_OUTCOME[p.outcome]}" for p in verdict.parts]
    if "not-checkable" in verdict.claim.rule:
        lines.append(f"  Not checkable: {verdict.claim.rule['not-checkable']}")
    if verdict.robustness:
        lines.append(f"  Robustness: {verdict.robustness.same} of {verdict.robustness.of} specifications")
    if verdict.caveat:
        lines.append(f"  Caveat: {verdict.caveat}")
    return "\n".join(lines)


def claim_review(verdict: Verdict) -> dict[str, Any]:
    """The verdict as schema.org ClaimReview (JSON-LD)."""
    claim, article = verdict.claim, registry.article()
    source = registry.fact(article["fact"]).source.split(" ; ")[0]
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": LOOK[verdict.verdict][0]}
    if verdict.verdict in RATING:
        rating |= {"ratingValue": RATING[verdict.verdict], "bestRating": 5, "worstRating": 1}
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "identifier": claim.id,
        "url": f"{claim.notebook}.html#{claim.id}",
        "claimReviewed": claim.says,
        "reviewRating": rating,
        "itemReviewed": {
            "@type": "Claim",
            "author": {"@type": "Organization", "name": article["publisher"]},
            "datePublished": article["date"],
            "appearance": {"@type": "NewsArticle", "url": source},
        },
        "author": {"@type": "Organization", "name": "The rotation, rerun"},
    }


def bundle(verdict: Verdict) -> dict[str, Any]:
    """Every form of a verdict, by MIME type. Made-up data give no review and no machine verdict."""
    shown: dict[str, Any] = {"text/html": as_html(verdict), "text/plain": as_text(verdict)}
    if not verdict.synthetic:
        shown[LD] = claim_review(verdict)
        shown[MIME] = {**verdict.as_dict(), "data": verdict.data}
    return shown


@dataclass(frozen=True)
class Cards:
    """What the article says: some claims with their rules, before any number."""

    claims: tuple[registry.Claim, ...]

    def _repr_html_(self) -> str:
        rows = []
        for claim in self.claims:
            rule = "".join(f"<li><b>{ROLES[r]}</b>: {_e(text)}</li>" for r, text in claim.rule_lines())
            loose = "".join(f"<li>“{_e(word)}”: {_e(sense)}</li>" for word, sense in claim.loose.items())
            reason = f"<p>{_e(claim.reason)}</p>" if claim.reason else ""
            rows.append(
                f'<div class="rr-claim" style="border-left:3px solid #888;padding:.2em 1em;margin:.6em 0">'
                f'<p class="rr-says"><b>{claim.id}</b> {_e(claim.says)} '
                f'<span class="rr-clarity">({_e(claim.place)}; {claim.kind}; the claim is '
                f"{CLARITY[claim.clarity]})</span></p>"
                f"<details><summary>How {claim.id} is judged</summary><ul>{rule}</ul>"
                + (f"<p>Words taken to mean:</p><ul>{loose}</ul>" if loose else "")
                + f"{reason}</details></div>"
            )
        return f'<div class="rr-claims">{"".join(rows)}</div>'

    def __repr__(self) -> str:
        return "\n".join(f"{c.id} {c.says}\n    {c.rule_text()}" for c in self.claims)


def cards(*claim_ids: str) -> Cards:
    """Cards of what the article says, for the opening of a notebook."""
    return Cards(tuple(registry.claim(name) for name in claim_ids))
