"""Fingerprints: a hash of every series and year, so that anyone can prove that they hold the same numbers.

The canonical form of a value is its ISO date and the value with two decimals. Two decimals are what the
providers quote; more would tell two copies of the same close apart by their float residue.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.files import DATA, write_whole
from helpers.store import Store

PATH = DATA / "fingerprints.json"
#: Adjusted closes change with every later dividend: they are compared, but are of one vintage.
FIELDS = ("close", "adj_close")
DIGITS = 12

Hashes = dict[str, dict[str, dict[str, str]]]


def year_hashes(values: pd.Series) -> dict[str, str]:
    """Hash of each calendar year of a series indexed by date; missing values are left out."""
    known = values.dropna()
    dates = pd.DatetimeIndex(known.index)
    lines = pd.Series(
        [
            f"{date} {value:.2f}\n"
            for date, value in zip(np.datetime_as_string(dates, unit="D"), known.tolist(), strict=True)
        ],
        dtype=object,  # joining Arrow's strings costs five times as much
    )
    return {
        str(year): hashlib.sha256("".join(group).encode()).hexdigest()[:DIGITS]
        for year, group in lines.groupby(dates.year.to_numpy())
    }


def compute(store: Store) -> Hashes:
    """Hashes of every price and macro series of a store: series -> field -> year -> hash."""
    found: Hashes = {name: {} for name in sorted(store.manifest["symbols"])}
    rows = store.prices(list(found), FIELDS)
    for field in FIELDS:
        for name, values in rows.series(field).items():
            found[name] |= {field: years} if (years := year_hashes(values)) else {}
    macro = store.macro(sorted(store.manifest["series"])).series("value")
    return found | {name: {"value": year_hashes(values)} for name, values in macro.items()}


def listed() -> dict[str, Any]:
    """The fingerprints that ship with the project."""
    return dict(json.loads(PATH.read_text("utf-8")))


def write(store: Store, path: Path = PATH) -> None:
    """Make a store the reference: its files’ SHA-256 and every series’ hashes are written to ``path``."""
    content = {
        "what": "SHA-256 of the reference store’s files, and of each series and year (ISO date, two decimals; "
        f"first {DIGITS} hex digits). Hashes only: no price can be read from them.",
        "last_session": store.manifest["last_session"],
        "files": {name: entry["sha256"] for name, entry in sorted(store.files.items())},
        "series": compute(store),
    }
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
