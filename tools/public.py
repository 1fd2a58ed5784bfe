"""``python -m tools.public``: the free series that the repository ships, taken from registry packages.

They are US government works. Two packages that nobody needs to run the project carry them, hence no dependencies of
it: ``quantlite`` the Federal Reserve Board's daily series, ``cpi`` the Bureau of Labor Statistics' price indices.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path

import pandas as pd

from helpers.files import DATA, HelperError, write_whole

_LIMIT = 300_000  # bytes; a larger file is shortened, so that a clone stays small
_SHORTENED = "1990-01-01"  # where a shortened file begins
_RIGHTS = "US government work, public domain"
_H15 = "Board of Governors of the Federal Reserve System, H.15 (https://www.federalreserve.gov/releases/h15/)"
_H10 = "Board of Governors of the Federal Reserve System, H.10 (https://www.federalreserve.gov/releases/h10/)"
_BLS = "U.S. Bureau of Labor Statistics, Consumer Price Index (https://www.bls.gov/cpi/)"
_CPI_NAME = "Consumer Price Index for All Urban Consumers, U.S. city average, seasonally adjusted"
_CPI_BASE = "index, 1982-84 = 100"
_CPI_NOT = (
    "latest revision (seasonal factors are revised every year), not the first print; "
    "not the unadjusted index, on which the published 12-month inflation rate rests"
)
# The one month without a price survey, because of the shutdown; any other gap is a defect.
_NEVER_PUBLISHED = {"2025-10"}


@dataclass(frozen=True)
class _Series:
    """What is known of a series before its numbers are read."""

    id: str
    name: str
    unit: str
    publisher: str
    package: str
    key: str  # file inside `quantlite`, BLS series id inside `cpi`
    begins: str  # first observation the publisher has
    decimals: int  # that the publisher gives
    is_not: str


_SERIES = (
    _Series(
        "DGS2", "Treasury yield, 2-year constant maturity, daily", "percent", _H15,
        "quantlite", "dgs2.csv", "1976-06-01", 2,
        "read off a fitted curve at a constant maturity, not the yield of a bond that traded",
    ),
    _Series(
        "DGS10", "Treasury yield, 10-year constant maturity, daily", "percent", _H15,
        "quantlite", "dgs10.csv", "1962-01-02", 2,
        "read off a fitted curve at a constant maturity, not the yield of a bond that traded",
    ),
    _Series(
        "DFF", "Effective federal funds rate, every calendar day", "percent", _H15,
        "quantlite", "dff.csv", "1954-07-01", 2,
        "not the target range; weekends and holidays repeat the business day before, nothing traded then",
    ),
    _Series(
        "DTWEXBGS", "US dollar index, nominal, broad, goods and services, daily",
        "index, January 2006 = 100", _H10,
        "quantlite", "dtwexbgs.csv", "2006-01-02", 4,
        "latest revision (trade weights are revised), not the first print; not ICE's dollar index (DXY)",
    ),
    _Series(
        "CPIAUCSL", f"{_CPI_NAME}: all items (BLS CUSR0000SA0), monthly", _CPI_BASE, _BLS,
        "cpi", "CUSR0000SA0", "1947-01-01", 3, _CPI_NOT,
    ),
    _Series(
        "CPILFESL", f"{_CPI_NAME}: all items less food and energy (BLS CUSR0000SA0L1E), monthly",
        _CPI_BASE, _BLS,
        "cpi", "CUSR0000SA0L1E", "1957-01-01", 3, _CPI_NOT,
    ),
)  # fmt: skip


def refresh(
    out: Path = DATA / "public", packages: Sequence[str | Path] = sys.path, retrieved: date | None = None
) -> None:
    """Write one ``<ID>.csv`` (``date,value``) a series into ``out``, and ``sources.csv``, which vouches for them.

    ``packages`` names the folders to look for the two packages in (default: this Python's own), so that they can
    live outside the project's environment; ``retrieved`` is the date that the table gives (default: today). Nothing
    is written unless every series passes its checks.
    """
    found = {name: _installed(name, packages) for name in ("quantlite", "cpi")}
    files, table = {}, []
    for series in _SERIES:
        package = found[series.package]
        rows = (_read_bls if series.package == "cpi" else _read_board)(package, series)
        _check(series, rows)
        if len(_csv(rows)) > _LIMIT:
            rows = rows[_SHORTENED:]
        files[f"{series.id}.csv"] = content = _csv(rows)
        table.append(
            {
                "id": series.id,
                "name": series.name,
                "unit": series.unit,
                "publisher": series.publisher,
                "rights": _RIGHTS,
                "package": series.package,
                "version": package.version,
                "retrieved": (retrieved or date.today()).isoformat(),
                "first": rows.index[0],
                "last": rows.index[-1],
                "rows": len(rows),
                "sha256": hashlib.sha256(content).hexdigest(),
                "is_not": _is_not(series, rows),
            }
        )
    # The table goes last: a run that is cut short leaves hashes that do not match, never a table that vouches for
    # numbers which are not there.
    files["sources.csv"] = _csv(pd.DataFrame(table).set_index("id"))
    for name, content in files.items():
        write_whole(out / name, content)


def _csv(rows: pd.Series | pd.DataFrame) -> bytes:
    return rows.to_csv(lineterminator="\n").encode()


def _installed(name: str, packages: Sequence[str | Path]) -> metadata.Distribution:
    """The installed package, found by its metadata: importing it would drag its dependencies in."""
    for found in metadata.distributions(name=name, path=[str(folder) for folder in packages]):
        return found
    raise HelperError(f"The package {name!r} is not installed: run `pip install quantlite cpi` first.")


def _data_file(package: metadata.Distribution, inside: str) -> Path:
    path = Path(str(package.locate_file(inside)))
    if not path.is_file():
        raise HelperError(
            f"{package.name} {package.version} no longer carries {inside}: install an earlier version."
        )
    return path


def _read_board(package: metadata.Distribution, series: _Series) -> pd.Series:
    """A daily series of the Board as text by day; days without a value are left out."""
    path = _data_file(package, f"quantlite/datasets/data/{series.key}")
    table = pd.read_csv(path, dtype=str, na_values=".")  # FRED's sign, in some of its files, for no value
    if list(table) != ["date", "value"]:
        raise HelperError(
            f"{series.id}: expected the columns date,value in {path.name}, found {','.join(table)}."
        )
    return table.set_index("date")["value"].dropna()


def _read_bls(package: metadata.Distribution, series: _Series) -> pd.Series:
    """A monthly index of the BLS as text, dated on the first of its month as FRED does."""
    path = _data_file(package, "cpi/cpi.db")
    # M13 is the year's mean, S01 and S02 are half-years: not observations of a month.
    query = (
        "SELECT year || '-' || substr(period, 2) || '-01' AS date, value FROM indexes "
        "WHERE series = ? AND period BETWEEN 'M01' AND 'M12' AND value IS NOT NULL ORDER BY date"
    )
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            table = pd.read_sql_query(query, connection, index_col="date", params=[series.key])
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        raise HelperError(
            f"{series.id}: {package.name} {package.version} has another layout ({error})."
        ) from error
    return table["value"].map(lambda value: repr(float(value)))


def _check(series: _Series, rows: pd.Series) -> None:
    """Refuse what no published series can look like."""
    if rows.empty:
        raise HelperError(f"{series.id}: the package {series.package} carries no values for it.")
    if wrong := rows.index[pd.to_datetime(rows.index, format="%Y-%m-%d", errors="coerce").isna()].tolist():
        raise HelperError(f"{series.id}: {wrong[0]!r} is no day.")
    if not (rows.index.is_monotonic_increasing and rows.index.is_unique):
        raise HelperError(f"{series.id}: dates must increase and be unique.")
    # A plain decimal number, with no more decimals than are published.
    if wrong := rows[~rows.str.fullmatch(rf"-?\d+(\.\d{{1,{series.decimals}}})?")].tolist():
        raise HelperError(f"{series.id}: {wrong[0]!r} is not a number of at most {series.decimals} decimals.")
    if series.package == "cpi" and (odd := _missing_months(rows) - _NEVER_PUBLISHED):
        raise HelperError(f"{series.id}: months are missing that were published: {', '.join(sorted(odd))}.")


def _missing_months(rows: pd.Series) -> set[str]:
    """The months between the first and the last day that have no observation."""
    months = pd.PeriodIndex(rows.index, freq="M")
    return {str(month) for month in pd.period_range(months[0], months[-1], freq="M").difference(months)}


def _is_not(series: _Series, rows: pd.Series) -> str:
    """What a reader might take the file for; what depends on the numbers is said only if it is so."""
    notes, first = [series.is_not], rows.index[0]
    if first > series.begins:
        notes.append(f"not the whole history: starts on {first}, the publisher's series on {series.begins}")
    decimals = rows.str.partition(".")[2].str.len().max()
    if decimals < series.decimals:
        notes.append(f"not the full precision: {decimals} decimals here, {series.decimals} as published")
    if series.package == "cpi":
        notes += [f"{month} was never published" for month in sorted(_missing_months(rows))]
    return "; ".join(notes)


if __name__ == "__main__":
    try:
        refresh()
    except HelperError as error:
        sys.exit(f"error: {error}")
