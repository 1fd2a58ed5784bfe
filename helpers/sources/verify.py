"""Proof: a store against the fingerprints that ship, in one line a series."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pandas as pd

from helpers import calendar, fingerprints, market

STATES = ("identical", "cut", "differs", "absent", "new")
_MOST_YEARS = 3


def states(store: market.Store) -> pd.DataFrame:
    """As :func:`helpers.fingerprints.compare`, fair to a store that begins or ends on another day.

    Returns
    -------
    Frame with series, field, year, state. A year that goes on where the fingerprints end (or begins before
    they do) is ``identical`` if its common part is; a store's own last year that stops before them is ``cut``,
    which proves nothing either way.
    """
    found = fingerprints.compare(store)
    known = fingerprints.listed()
    values = _Values(store)
    for row, (name, field, year) in found.loc[
        found["state"] == "differs", ["series", "field", "year"]
    ].iterrows():
        series = values.year(name, field, int(year))
        hashes = known["series"][name][field]
        edge = str(year) in {min(hashes), max(hashes)}
        if edge and hashes[str(year)] in _parts(series):
            found.loc[row, "state"] = "identical"
        elif series.index[-1] < _last_known(name, int(year)) and values.ends_in(name, field, int(year)):
            found.loc[row, "state"] = "cut"
    return found


def _last_known(name: str, year: int) -> pd.Timestamp:
    entry = market.catalogue().get(name, {})
    last = pd.Timestamp(entry.get("last_known", f"{year}-12-31"))
    year_end = pd.Timestamp(f"{year}-12-31")
    if entry.get("frequency") == "daily" and entry.get("group") != "macro":
        year_end = calendar.session_on_or_before(year_end)
    return min(last, year_end)


def _parts(values: pd.Series) -> Iterator[str]:
    """Hashes of everything up to, and everything from, each day of a year."""
    dates = pd.DatetimeIndex(values.index).strftime("%Y-%m-%d")
    # The canonical lines of helpers.fingerprints, whose own function takes a millisecond a call.
    lines = [f"{date} {value:.2f}\n" for date, value in zip(dates, values.to_numpy(), strict=True)]
    for cut in range(1, len(lines)):
        for part in (lines[:cut], lines[cut:]):
            yield hashlib.sha256("".join(part).encode()).hexdigest()[: fingerprints.DIGITS]


class _Values:
    """Series of a store, read once."""

    def __init__(self, store: market.Store) -> None:
        self.store = store
        self.read: dict[str, pd.DataFrame] = {}

    def _frame(self, name: str) -> pd.DataFrame:
        if name not in self.read:
            macro = name in self.store.manifest["series"]
            rows = (
                self.store.macro_rows([name]) if macro else self.store.price_rows([name], fingerprints.FIELDS)
            )
            self.read[name] = rows.set_index("date")
        return self.read[name]

    def year(self, name: str, field: str, year: int) -> pd.Series:
        values = self._frame(name)[field].dropna()
        return values[pd.DatetimeIndex(values.index).year == year]

    def ends_in(self, name: str, field: str, year: int) -> bool:
        return bool(self._frame(name)[field].dropna().index[-1].year == year)


# ------------------------------------------------------------------------------------------ in one line


def verdicts(store: market.Store) -> pd.DataFrame:
    """One row a series: series, the number of years in each state (of its main field), verdict in words.

    The main field is the close, or what a series has instead; the adjusted close is named beside it, for
    every later dividend rescales it, and with it its fingerprints, while returns stay as they were.
    """
    rows = []
    for name, group in states(store).groupby("series", sort=False):
        main = next(field for field in ("close", "value", "adj_close") if field in set(group["field"]))
        counts = _counts(group[group["field"] == main])
        words = _words(group[group["field"] == main])
        if (
            main == "close"
            and (adjusted := group[group["field"] == "adj_close"])["state"].ne("identical").any()
        ):
            words += f"; adjusted closes: {_words(adjusted)}"
        rows.append({"series": name, **counts, "verdict": words})
    rows += _whole_files(store)
    return pd.DataFrame(rows, columns=["series", *STATES, "verdict"])


def _counts(group: pd.DataFrame) -> dict[str, int]:
    found = group["state"].value_counts()
    return {state: int(found.get(state, 0)) for state in STATES}


def _words(group: pd.DataFrame) -> str:
    count = _counts(group)
    if count["absent"] == len(group):
        return "absent"
    if count["new"] == len(group):
        return "new"
    parts = ["identical" if not count["differs"] else _years(group, "differs")]
    if count["cut"]:
        parts.append(f"{_named(group, 'cut')} is cut short")
    if count["absent"]:
        parts.append(_years(group, "absent"))
    if count["new"]:
        parts.append(_years(group, "new"))
    return ", ".join(parts)


def _named(group: pd.DataFrame, state: str) -> str:
    years = [str(year) for year in group.loc[group["state"] == state, "year"]]
    return ", ".join(years[:_MOST_YEARS]) + (", …" if len(years) > _MOST_YEARS else "")


def _years(group: pd.DataFrame, state: str) -> str:
    count = int((group["state"] == state).sum())
    verb = {"differs": "differs" if count == 1 else "differ", "absent": "absent", "new": "new"}[state]
    return f"{count} year{'s' if count > 1 else ''} {verb} ({_named(group, state)})"


def _whole_files(store: market.Store) -> Iterator[dict[str, Any]]:
    """The panels, by the SHA-256 of their files."""
    known = market.reference()
    for name, entry in market.catalogue().items():
        if entry["group"] != "panel":
            continue
        files = [path for path in known if path.startswith(prefix(entry))]
        state = [
            "absent"
            if path not in store.files
            else "identical"
            if store.files[path]["sha256"] == known[path]
            else "differs"
            for path in files
        ]
        count = {key: state.count(key) for key in STATES}
        words = next((key for key in ("differs", "absent", "identical") if count[key]), "new")
        if 0 < count["absent"] < len(state):
            words = f"{count['absent']} of {len(state)} files absent"
        yield {"series": name, **count, "verdict": "another edition" if words == "differs" else words}


def prefix(entry: dict[str, Any]) -> str:
    """How the names of a panel's files in the store begin."""
    if entry["provider"] == "french":
        return f"french/{entry['ticker']}.csv"
    prefixes = {
        "SHILLER": "shiller/ie_data.xls",
        "IWM-HOLDINGS": "holdings/",
        "LISTINGS": "listings.parquet",
        "FUNDAMENTALS": "fundamentals.parquet",
        "RUT-5M": "intraday/",
    }
    return prefixes[entry["id"]]


def summary(table: pd.DataFrame) -> str:
    """The whole comparison in one sentence."""
    price = table[table["verdict"] != ""]
    same = int((price["verdict"] == "identical").sum())
    others = len(price) - same
    years = int(table["identical"].sum())
    if not others:
        return f"All {len(price)} series are identical to the fingerprints ({years:,} years and files)."
    differs = int((table["differs"] > 0).sum())
    absent = int(table["verdict"].eq("absent").sum())
    return (
        f"{same} of {len(price)} series are identical to the fingerprints; {differs} differ in some year, "
        f"{absent} are absent, {others - differs - absent} are newer, cut short or differ in adjusted closes only."
    )
