"""The verdicts for machines: JSON, CSV and schema.org ClaimReview."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from helpers.notebooks import CONTRACT

if TYPE_CHECKING:
    from helpers.claims import Claim

COLUMNS = "id section paragraph says kind clarity verdict robustness specifications rule as_of notebook facts caveat"


def contract(verdicts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each verdict with the contract's keys and no other."""
    return [{key: entry[key] for key in CONTRACT} for entry in verdicts]


def as_json(value: Any, indent: int | None = 2) -> str:
    """JSON for a file or a terminal."""
    return json.dumps(value, ensure_ascii=False, indent=indent) + "\n"


def as_csv(claims: Mapping[str, Claim], verdicts: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a claim; a claim without a verdict has an empty one."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS.split(), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for claim in claims.values():
        given = verdicts.get(claim.id, {})
        firm = given.get("robustness") or {}
        found = {"verdict": given.get("verdict"), "caveat": given.get("caveat"), "rule": claim.rule_text()}
        found |= {"robustness": firm.get("share"), "specifications": firm.get("of")}
        writer.writerow({**vars(claim), **found, "facts": " ".join(claim.facts)})
    return stream.getvalue()


def graph(reviews: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All reviews as one JSON-LD document."""
    bare = [{key: value for key, value in review.items() if key != "@context"} for review in reviews]
    return {"@context": "https://schema.org", "@graph": bare}


def script_json(value: Any) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
