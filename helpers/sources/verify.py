"""Proof: a store against the fingerprints that ship, in one line a series."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from typing import Any

import pandas as pd

from helpers import calendar, fingerprints, market
from helpers.files import HelperError

STATES = ("identical", "cut", "differs", "absent", "new")
_MOST_YEARS = 3
#: series -> field -> year -> state
States = dict[str, dict[str, dict[str, str]]]


def states(store: market.Store) -> States:
    """What each year of each series of a store is against the fingerprints: one of :data:`STATES`.

    Fair to a store that begins or ends on another day: a year that goes on where the fingerprints end (or begins
    before they do) is ``identical`` if its common part is; a store's own last year that stops before them is
    ``cut``, which proves nothing either way, and so is a year with a named gap.
    """
    ours, known = fingerprints.compute(store), fingerprints.listed()["series"]
    found: States = {}
    for name in sorted({*ours, *known}):
        for field in sorted({*ours.get(name, {}), *known.get(name, {})}):
            here, there = ours.get(name, {}).get(field, {}), known.get(name, {}).get(field, {})
            years = {year: _state(here.get(year), there.get(year)) for year in sorted({*here, *there})}
            if "differs" in years.values():
                _be_fair(store, name, field, years, there)
            found.setdefault(name, {})[field] = years
    return found


def _state(ours: str | None, known: str | None) -> str:
    if known is None:
        return "new"
    return "absent" if ours is None else "identical" if ours == known else "differs"


def _be_fair(
    store: market.Store, name: str, field: str, years: dict[str, str], known: dict[str, str]
) -> None:
    macro = name in store.manifest["series"]
    rows = store.macro_rows([name]) if macro else store.price_rows([name], [field])
    values = rows.set_index("date")[field].dropna()
    last = values.index[-1]
    gaps = {day[:4] for day in store.gaps(name)}
    for year in [year for year, state in years.items() if state == "differs"]:
        if year in {min(known), max(known)} and known[year] in _parts(values.loc[year]):
            years[year] = "identical"
        elif year in gaps or (f"{last:%Y}" == year and last < _last_known(name, year)):
            years[year] = "cut"


def _last_known(name: str, year: str) -> pd.Timestamp:
    entry, last = market.catalogue().get(name, {}), pd.Timestamp(f"{year}-12-31")
    if entry.get("frequency") == "daily" and entry.get("group") != "macro":
        last = calendar.session_on_or_before(last)
    return min(last, pd.Timestamp(entry.get("last_known", last)))


def _parts(values: pd.Series) -> Iterator[str]:
    """Hashes of everything up to, and everything from, each day of a year."""
    # The canonical lines of helpers.fingerprints, whose own function takes a millisecond a call.
    lines = [f"{date:%Y-%m-%d} {value:.2f}\n" for date, value in values.items()]
    for cut in range(1, len(lines)):
        for part in (lines[:cut], lines[cut:]):
            yield hashlib.sha256("".join(part).encode()).hexdigest()[: fingerprints.DIGITS]


def behind_verdicts(found: States, names: Collection[str]) -> list[str]:
    """Those of some series of which a year that a verdict rests on differs from the fingerprints.

    A verdict rests on its claim's series up to its day or horizon. Adjusted closes are left out: every later
    dividend changes them, and no return with them.
    """
    from helpers.claims import registry

    until: dict[str, str] = {}
    try:
        claims = registry.load().values()
    except HelperError:
        return []  # `python -m helpers claims` tells what is wrong with the registry
    for claim in claims:
        for name in claim.series:
            until[name] = max(until.get(name, ""), (claim.horizon or claim.as_of)[:4])

    def differs(name: str) -> bool:
        fields = [years for field, years in found.get(name, {}).items() if field != "adj_close"]
        return any(
            years[year] == "differs" for years in fields for year in years if year <= until.get(name, "")
        )

    return sorted(filter(differs, names))


# ------------------------------------------------------------------------------------------ in one line


def verdicts(store: market.Store, found: States | None = None) -> pd.DataFrame:
    """One row a series: series, the number of years in each state (of its main field), verdict in words.

    The main field is the close, or what a series has instead; the adjusted close is named beside it, for
    every later dividend rescales it, and with it its fingerprints, while returns stay as they were.
    """
    rows = []
    for name, fields in (found or states(store)).items():
        main = next(field for field in ("close", "value", "adj_close") if field in fields)
        words = _words(fields[main])
        adjusted = fields.get("adj_close", {}) if main == "close" else {}
        if set(adjusted.values()) - {"identical"}:
            words += f"; adjusted closes: {_words(adjusted)}"
        rows.append({"series": name, **Counter(fields[main].values()), "verdict": words})
    rows += _whole_files(store)
    return (
        pd.DataFrame(rows, columns=["series", *STATES, "verdict"])
        .fillna(0)
        .astype(dict.fromkeys(STATES, int))
    )


def _words(years: dict[str, str]) -> str:
    """What became of the years of a field."""
    of = {state: [year for year in years if years[year] == state] for state in STATES}
    for state in ("absent", "new"):
        if len(of[state]) == len(years):
            return state
    parts = [_counted(of["differs"], "differ") if of["differs"] else "identical"]
    parts += [f"{_named(of['cut'])} is cut short"] if of["cut"] else []
    return ", ".join(parts + [_counted(of[state], state) for state in ("absent", "new") if of[state]])


def _named(years: list[str]) -> str:
    return ", ".join(years[:_MOST_YEARS]) + (", …" if len(years) > _MOST_YEARS else "")


def _counted(years: list[str], verb: str) -> str:
    if len(years) == 1:
        return f"1 year {'differs' if verb == 'differ' else verb} ({_named(years)})"
    return f"{len(years)} years {verb} ({_named(years)})"


def _whole_files(store: market.Store) -> Iterator[dict[str, Any]]:
    """The panels, by the SHA-256 of their files."""
    known = market.reference()
    for name, entry in market.catalogue().items():
        if entry["group"] != "panel":
            continue
        # The workbook's columns are written here, and not the same bytes in each version of the library.
        own = entry["provider"] == "shiller"
        files = [path for path in known if belongs(path, entry) and not (own and path.endswith(".parquet"))]
        count = Counter(_state(store.files.get(path, {}).get("sha256"), known[path]) for path in files)
        words = next((key for key in ("differs", "absent", "identical") if count[key]), "new")
        if 0 < count["absent"] < len(files):
            words = f"{count['absent']} of {len(files)} files absent"
        yield {"series": name, **count, "verdict": "another edition" if words == "differs" else words}


def belongs(path: str, entry: dict[str, Any]) -> bool:
    """True if a file of a store is one of a panel's, by the catalogue."""
    return any(fnmatch(path, name.replace("{date}", "*")) for name in entry.get("files", ()))


def summary(table: pd.DataFrame) -> str:
    """The whole comparison in one sentence."""
    same, absent = ((table["verdict"] == state).sum() for state in ("identical", "absent"))
    if same == len(table):
        years = table["identical"].sum()
        return f"All {len(table)} series are identical to the fingerprints ({years:,} years and files)."
    differs = (table["differs"] > 0).sum()
    return (
        f"{same} of {len(table)} series are identical to the fingerprints; {differs} differ in some year, {absent} "
        f"are absent, {len(table) - same - differs - absent} are newer, cut short or differ in adjusted closes only."
    )
