"""The Frictionless description (data/datapackage.json) of the data that the repository does ship.

``python -m tools.package`` writes it anew; a test fails while it does not fit the files.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from helpers import files, market
from helpers.files import HelperError

PATH = market.DATA / "datapackage.json"
PUBLIC_DOMAIN = {
    "name": "us-government-work",
    "title": "US government work, public domain",
    "path": "https://www.usa.gov/government-works",
}
DAY = r"\d{4}-\d{2}-\d{2}"
#: A fact may be dated to a year or a month only.
PART_OF_DATE = r"\d{4}(-\d{2}(-\d{2})?)?"
#: Field name -> type and what it holds; every column of every file must be here.
FIELDS = {
    "id": ("string", "the project's name for the row"),
    "value": ("number", "the observation, in the unit that sources.csv states"),
    "date": ("date", "day of the observation; the first of the month for monthly series"),
    "name": ("string", "the series' full name"),
    "unit": ("string", "unit of the values"),
    "publisher": ("string", "who publishes the numbers"),
    "rights": ("string", "what the law says of them"),
    "package": ("string", "registry package the file was taken from"),
    "version": ("string", "version of that package"),
    "retrieved": ("date", "day on which it was taken"),
    "first": ("date", "first observation"),
    "last": ("date", "last observation"),
    "rows": ("integer", "number of observations"),
    "sha256": ("string", "SHA-256 of the file"),
    "is_not": ("string", "what a reader might take the numbers for"),
    "subject": ("string", "who or what the fact is about"),
    "fact": ("string", "the fact in a sentence"),
    "standing": ("string", "how good the source is: primary, press, secondary or weak"),
    "source": ("string", "address of the source; several are parted by ' ; '"),
}
#: In a file of facts a value may be a number or a word, and a date only a year.
_FACT_FIELDS = {
    "value": ("string", "the figure or word; empty where none was published"),
    "date": ("string", "day, month or year of the fact"),
}
_WHOLE = {
    "claims.yaml": "every claim of the article: where it stands, what it asserts, the rule it is judged by",
    "claims.schema.json": "the JSON Schema of claims.yaml",
    "facts.schema.json": "the JSON Schema of facts/store.yaml, which says where a store holds what a fact says",
    "series.yaml": "the catalogue: every series used, what it is and what it is not",
    "fingerprints.json": "hashes of every series and year of the reference store; no price can be read from them",
    "manifest.schema.json": "the JSON Schema of a store's manifest",
    "verdicts.schema.json": "the JSON Schema of `python -m helpers verdicts --json`",
}


def describe() -> dict[str, Any]:
    """The package's description: each CSV with its schema, bytes, hash and licence; other files by path."""
    sources = {row["id"]: row for row in _rows(market.DATA / "public" / "sources.csv")}
    paths = [path for part in ("public", "facts") for path in sorted((market.DATA / part).glob("*.csv"))]
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "rotation-rerun",
        "title": "The rotation, rerun: claims, facts and free series",
        "description": "What the repository ships. Vendors' prices are not in it: data/README.md says how to "
        "fetch them, fingerprints.json how to prove them.",
        "resources": [*(_table(path, sources) for path in paths), *_documents()],
    }


def _documents() -> list[dict[str, Any]]:
    """Files that people edit by hand: named, but without a hash, which git keeps."""
    return [
        {
            "name": name.replace(".", "-"),
            "path": name,
            "description": text,
            "format": name.rpartition(".")[2],
            "mediatype": "application/json" if name.endswith("json") else "application/yaml",
        }
        for name, text in _WHOLE.items()
    ]


def _table(path: Path, sources: dict[str, dict[str, str]]) -> dict[str, Any]:
    content = path.read_bytes()
    inside = path.relative_to(market.DATA).as_posix()
    facts = path.parent.name == "facts"
    resource: dict[str, Any] = {
        "name": re.sub(r"[^a-z0-9]+", "-", inside.removesuffix(".csv").lower()),
        "path": inside,
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{files.sha256(path)}",
        "schema": _schema(next(csv.reader(content.decode().splitlines())), facts),
    }
    if (source := sources.get(path.stem)) is not None:
        resource |= {
            "title": source["name"],
            "description": f"Unit: {source['unit']}. Not: {source['is_not']}. Retrieved {source['retrieved']}.",
            "licenses": [PUBLIC_DOMAIN],
            "sources": [{"title": source["publisher"]}],
        }
    elif facts:
        resource["description"] = "Facts of public record, each in our words with its source."
    else:
        resource["description"] = "Where each free series comes from, and the hash of its file."
    return resource


def _schema(columns: list[str], facts: bool) -> dict[str, Any]:
    fields = []
    for name in columns:
        if name not in FIELDS:
            raise HelperError(f"The column '{name}' has no description; add it to tools/package.py.")
        kind, text = _FACT_FIELDS.get(name, FIELDS[name]) if facts else FIELDS[name]
        described: dict[str, Any] = {"name": name, "type": kind, "description": text}
        if facts and name == "date":
            described["constraints"] = {"pattern": PART_OF_DATE}
        fields.append(described)
    key = "date" if columns[0] == "date" else "id"
    return {"fields": fields, "primaryKey": [key]}


def faults(description: dict[str, Any]) -> list[str]:
    """Every cell of a described table that is not of its field's type, and every key that comes twice."""
    found = []
    for resource in description["resources"]:
        if "schema" not in resource:
            continue
        rows = _rows(market.DATA / resource["path"])
        for field in resource["schema"]["fields"]:
            pattern = field.get("constraints", {}).get("pattern", _PATTERNS[field["type"]])
            bad = [row[field["name"]] for row in rows if not re.fullmatch(pattern, row[field["name"]])]
            found += [f"{resource['path']}: {field['name']} holds {bad[0]!r}" for _ in bad[:1]]
        (key,) = resource["schema"]["primaryKey"]
        if len({row[key] for row in rows}) != len(rows):
            found.append(f"{resource['path']}: {key} is not unique")
    return found


_PATTERNS = {"string": r".*", "integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "date": DAY}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def text(description: dict[str, Any]) -> str:
    """The description as the file holds it."""
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    files.write_whole(PATH, text(describe()))
    print(PATH)
