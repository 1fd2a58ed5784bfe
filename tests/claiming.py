"""A small registry of its own for each test: claims.yaml, a public record, the names of two notebooks."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import yaml

from helpers.claims import registry

HEAD: dict[str, Any] = {
    "version": 1,
    "collection": {"title": "A collection", "sentence": "Reruns some claims of one article."},
    "article": {"publisher": "A paper", "date": "2025-12-11", "address": "https://example.org/article"},
    "sections": {"first": "The first section", "second": "The second section"},
    "conventions": {
        "day": "2025-12-10",
        "windows": {"the year": "2024-12-31"},
        "rounding": 0.1,
        "movement": 0.5,
        "firm": 0.6667,
        "few": 5,
        "usual": 0.8,
    },
}
ENTRY: dict[str, Any] = {
    "id": "C01",
    "section": "first",
    "paragraph": 1,
    "fragment": "gains over ten percent",
    "says": "The index has gained more than ten percent.",
    "kind": "number",
    "clarity": "clear",
    "measures": {"gain": {"label": "Gain of the index", "unit": "%"}},
    "rule": {"letter": [{"bound": {"measure": "gain", "above": 10}}]},
    # For a verdict that no test gives, so that the sentence made from the figures shows.
    "because": {"misleading": "It leads one to believe what is not so."},
    "notebook": "01-first",
}
FACTS: list[dict[str, str]] = [
    {"id": "venue", "value": "nasdaq", "unit": "text"},
    {"id": "cuts", "value": "3", "unit": "cuts"},
    {"id": "unknown", "value": "", "unit": "text"},
    {"id": "rumour", "value": "nasdaq", "unit": "text", "standing": "weak"},
    {"id": "month", "value": "5", "unit": "%", "date": "2025-12"},
    {"id": "year", "value": "5", "unit": "%", "date": "2025"},
    {"id": "late", "value": "5", "unit": "%", "date": "2025-12-12"},
]


class _WrittenOut(yaml.SafeDumper):
    """The door refuses aliases; the dumper makes them of one object that is used twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


#: What a market that a notebook opened says of itself.
REAL = SimpleNamespace(
    store=object(),
    source="store",
    real=True,
    published=True,
    last_session=pd.Timestamp("2025-12-12"),
    fingerprint="0123456789ab",
)
MADE_UP = SimpleNamespace(**{**vars(REAL), "source": "synthetic", "real": False, "published": False})


def entry(**more: Any) -> dict[str, Any]:
    """The entry of a claim; what is given as None is left out."""
    return {key: value for key, value in {**ENTRY, **more}.items() if value is not None}


def fact(**more: str) -> dict[str, str]:
    """A row of the public record."""
    return {
        "date": "2025-12-10",
        "subject": f"Subject of {more.get('id', 'x')}",
        "fact": f"What the record says of {more.get('id', 'x')}.",
        "standing": "primary",
        "source": "https://example.org/x",
        **more,
    }


def write(folder: Path, *claims: dict[str, Any], text: str | None = None, **head: Any) -> Path:
    """Write a collection to a folder; ``text`` instead of its claims.yaml."""
    folder.mkdir(exist_ok=True)
    (folder / "facts").mkdir(exist_ok=True)
    (folder / "notebooks").mkdir(exist_ok=True)
    for name in ("01-first", "02-second"):
        (folder / "notebooks" / f"{name}.ipynb").touch()
    content = {**HEAD, **head, "claims": list(claims) or [entry()]}
    made = (
        yaml.dump(content, Dumper=_WrittenOut, allow_unicode=True, sort_keys=False) if text is None else text
    )
    (folder / "claims.yaml").write_text(made, "utf-8")
    with (folder / "facts" / "record.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, registry.FACT_COLUMNS)
        writer.writeheader()
        writer.writerows(fact(**row) for row in FACTS)
    return folder
