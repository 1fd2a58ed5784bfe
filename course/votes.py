"""The votes that open each session: three claims, their rules, their verdicts, and a ballot to print.

In the student edition a pair votes, then runs ``votes.rule(...)``, votes again, then runs ``votes.verdict(...)``.
"""

from __future__ import annotations

import html

from helpers import claims, notebooks
from helpers.claims import card
from helpers.words import say

#: Three claims of each notebook to vote on: of different kinds, and not all with the same verdict.
CLAIMS = {
    "01-record-highs": ("C02", "C16", "C19"),
    "02-style-rotation": ("C05", "C24", "C34"),
    "03-policy": ("C09", "C25", "C26"),
    "04-rate-sensitivity": ("C28", "C63", "C64"),
    "05-valuation": ("C30", "C39", "C84"),
    "06-winners-and-losers": ("C41", "C44", "C53"),
    "07-precedents": ("C70", "C71", "C73"),
    "08-outlook": ("C76", "C78", "C82"),
}
CHOICES = ("supported", "misleading", "contradicted", "not checkable", "nobody can tell")


def rule(*claim_ids: str) -> claims.card.Cards:
    """What the article says, and how each claim is judged; run it after the first vote."""
    return claims.cards(*claim_ids)


def verdict(*claim_ids: str) -> None:
    """The committed verdicts with their reasons; run it after the second vote."""
    lines = []
    for claim_id in claim_ids:
        book = notebooks.read(notebooks.path_of(claims.claim(claim_id).notebook))
        (found,) = [payload for _, payload in notebooks.payloads(book) if payload["id"] == claim_id]
        lines.append(f"- **{claim_id}** {card.signed(found['verdict'])}. {found['because']}")
    say("\n".join(lines))


def question(name: str) -> str:
    """The vote of a notebook as Markdown."""
    said = "\n".join(f"- **{key}** {claims.claim(key).says}" for key in CLAIMS[name])
    how = f"Each pair decides for each: {', '.join(CHOICES)}. Write it on your ballot."
    return f"## Vote before you read\n\n{said}\n\n{how}"


def ballot() -> str:
    """A page to print: for each notebook its three claims, with room for three votes."""
    head = "".join(
        f"<th>{text}</th>" for text in ("Claim", "At first", "Knowing the rule", "After the lesson")
    )
    parts = [
        f"<h2>{html.escape(notebooks.question(name))}</h2><table><thead><tr>{head}</tr></thead><tbody>"
        + "".join(
            f"<tr><td><b>{key}</b> {html.escape(claims.claim(key).says)}</td><td></td><td></td><td></td></tr>"
            for key in keys
        )
        + "</tbody></table>"
        for name, keys in CLAIMS.items()
    ]
    style = (
        "body{font:12pt/1.4 serif;margin:2cm}table{width:100%;border-collapse:collapse}h2{font-size:13pt}"
        "td,th{border:1px solid #000;padding:.4em;text-align:left;vertical-align:top}th+th,td+td{width:17%}"
        "table,h2{break-inside:avoid}h2{break-after:avoid}"
    )
    votes = ", ".join(CHOICES)
    return (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>Ballot</title>'
        f"<style>{style}</style></head>"
        f"<body><h1>Ballot</h1><p>Names: ____________________ &emsp; A vote is one of: {votes}.</p>{''.join(parts)}"
        "</body></html>\n"
    )
