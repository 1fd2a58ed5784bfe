"""The free series that the repository ships: US government works, taken from registry packages.

`refresh` reads two packages that nobody needs to run the project, hence no dependencies of it:
`quantlite` carries the Federal Reserve Board's daily series, `cpi` the Bureau of Labor Statistics'
price indices. It writes one `<ID>.csv` (`date,value`) a series and one table, `sources.csv`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from helpers.files import HelperError

# The value stays text: 6.30 was published as 6.30, and no float can say so.
Rows: TypeAlias = list[tuple[date, str]]

COLUMNS = (
    "id", "name", "unit", "publisher", "rights", "package", "version", "retrieved",
    "first", "last", "rows", "sha256", "is_not",
)  # fmt: skip

_LIMIT = 300_000  # bytes; a larger file is shortened, so that a clone stays small
_SHORTENED = date(1990, 1, 1)  # where a shortened file begins
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
_NEVER_PUBLISHED = {(2025, 10)}


@dataclass(frozen=True)
class _Series:
    """What is known of a series before its numbers are read."""

    id: str
    name: str
    unit: str
    publisher: str
    package: str
    key: str  # file inside `quantlite`, BLS series id inside `cpi`
    begins: date  # first observation the publisher has
    decimals: int  # that the publisher gives
    is_not: str


_SERIES = (
    _Series(
        "DGS2", "Treasury yield, 2-year constant maturity, daily", "percent", _H15,
        "quantlite", "dgs2.csv", date(1976, 6, 1), 2,
        "read off a fitted curve at a constant maturity, not the yield of a bond that traded",
    ),
    _Series(
        "DGS10", "Treasury yield, 10-year constant maturity, daily", "percent", _H15,
        "quantlite", "dgs10.csv", date(1962, 1, 2), 2,
        "read off a fitted curve at a constant maturity, not the yield of a bond that traded",
    ),
    _Series(
        "DFF", "Effective federal funds rate, every calendar day", "percent", _H15,
        "quantlite", "dff.csv", date(1954, 7, 1), 2,
        "not the target range; weekends and holidays repeat the business day before, nothing traded then",
    ),
    _Series(
        "DTWEXBGS", "US dollar index, nominal, broad, goods and services, daily",
        "index, January 2006 = 100", _H10,
        "quantlite", "dtwexbgs.csv", date(2006, 1, 2), 4,
        "latest revision (trade weights are revised), not the first print; not ICE's dollar index (DXY)",
    ),
    _Series(
        "CPIAUCSL", f"{_CPI_NAME}: all items (BLS CUSR0000SA0), monthly", _CPI_BASE, _BLS,
        "cpi", "CUSR0000SA0", date(1947, 1, 1), 3, _CPI_NOT,
    ),
    _Series(
        "CPILFESL", f"{_CPI_NAME}: all items less food and energy (BLS CUSR0000SA0L1E), monthly",
        _CPI_BASE, _BLS,
        "cpi", "CUSR0000SA0L1E", date(1957, 1, 1), 3, _CPI_NOT,
    ),
)  # fmt: skip


def refresh(
    out: Path, *, packages: Sequence[Path] | None = None, retrieved: date | None = None
) -> list[dict[str, str]]:
    """Write the free series and `sources.csv` into `out`; return the rows of that table.

    `packages` names the folders to look for the two packages in (default: this Python's own), so
    that they can live outside the project's environment; `retrieved` is the date the table gives
    (default: today). Nothing is written unless every series passes its checks.
    """
    found = {name: _installed(name, packages) for name in ("quantlite", "cpi")}
    day = (retrieved or date.today()).isoformat()
    files: dict[str, bytes] = {}
    table: list[dict[str, str]] = []
    for series in _SERIES:
        package = found[series.package]
        read = _read_bls if series.package == "cpi" else _read_board
        rows = read(package, series)
        _check(series, rows)
        content = _csv(("date", "value"), [(when.isoformat(), value) for when, value in rows])
        if len(content) > _LIMIT:
            rows = [row for row in rows if row[0] >= _SHORTENED]
            content = _csv(("date", "value"), [(when.isoformat(), value) for when, value in rows])
        files[f"{series.id}.csv"] = content
        values = (
            series.id, series.name, series.unit, series.publisher, _RIGHTS,
            series.package, package.version, day,
            rows[0][0].isoformat(), rows[-1][0].isoformat(), str(len(rows)),
            hashlib.sha256(content).hexdigest(), _is_not(series, rows),
        )  # fmt: skip
        table.append(dict(zip(COLUMNS, values, strict=True)))
    # The table goes last: a run that is cut short leaves hashes that do not match, never a table
    # that vouches for numbers which are not there.
    files["sources.csv"] = _csv(COLUMNS, [tuple(row.values()) for row in table])
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        _replace(out / name, content)
    return table


def _installed(name: str, packages: Sequence[Path] | None) -> metadata.Distribution:
    """The installed package, found by its metadata: importing it would drag its dependencies in."""
    if packages is None:
        hits = metadata.distributions(name=name)
    else:
        hits = metadata.distributions(name=name, path=[str(folder) for folder in packages])
    for hit in hits:
        return hit
    raise HelperError(f"The package {name!r} is not installed: run `pip install quantlite cpi` first.")


def _data_file(package: metadata.Distribution, inside: str) -> Path:
    """The path of a data file that the package carries."""
    path = Path(str(package.locate_file(inside)))
    if not path.is_file():
        raise HelperError(
            f"{package.name} {package.version} no longer carries {inside}: install an earlier version."
        )
    return path


def _read_board(package: metadata.Distribution, series: _Series) -> Rows:
    """A daily series of the Board; days without a value are left out."""
    path = _data_file(package, f"quantlite/datasets/data/{series.key}")
    with path.open(encoding="utf-8", newline="") as lines:
        header, *body = list(csv.reader(lines)) or [[]]
    if header != ["date", "value"]:
        raise HelperError(
            f"{series.id}: expected the columns date,value in {path.name}, found {','.join(header)}."
        )
    try:
        # FRED writes a missing value as a full stop in some of its files.
        return [(date.fromisoformat(when), value) for when, value in body if value not in ("", ".")]
    except ValueError as error:
        raise HelperError(
            f"{series.id}: {path.name} has a row that is not a date and a value ({error})."
        ) from error


def _read_bls(package: metadata.Distribution, series: _Series) -> Rows:
    """A monthly index of the BLS, dated on the first of its month as FRED does."""
    path = _data_file(package, "cpi/cpi.db")
    # M13 is the year's mean, S01 and S02 are half-years: not observations of a month.
    query = (
        "SELECT year, CAST(substr(period, 2) AS INTEGER), value FROM indexes "
        "WHERE series = ? AND period BETWEEN 'M01' AND 'M12' AND value IS NOT NULL ORDER BY year, period"
    )
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return [
                (date(year, month, 1), repr(float(value)))
                for year, month, value in connection.execute(query, (series.key,))
            ]
    except sqlite3.Error as error:
        raise HelperError(
            f"{series.id}: {package.name} {package.version} has another layout ({error})."
        ) from error


def _check(series: _Series, rows: Rows) -> None:
    """Refuse what no published series can look like."""
    if not rows:
        raise HelperError(f"{series.id}: the package {series.package} carries no values for it.")
    days = [when for when, _ in rows]
    for before, after in pairwise(days):
        if after <= before:
            raise HelperError(
                f"{series.id}: {after} follows {before}, but dates must increase and be unique."
            )
    for when, value in rows:
        try:
            finite = math.isfinite(float(value))
        except ValueError:
            finite = False
        if not finite:
            raise HelperError(f"{series.id}: {value!r} on {when} is not a finite number.")
        if len(value.partition(".")[2]) > series.decimals:
            raise HelperError(f"{series.id}: {value} on {when} has more decimals than are published.")
    if series.package == "cpi" and (odd := _missing_months(days) - _NEVER_PUBLISHED):
        months = ", ".join(f"{year}-{month:02}" for year, month in sorted(odd))
        raise HelperError(f"{series.id}: months are missing that were published: {months}.")


def _missing_months(days: Sequence[date]) -> set[tuple[int, int]]:
    """The months (year, month) between the first and the last day that have no observation."""
    first, last = (12 * day.year + day.month - 1 for day in (days[0], days[-1]))
    every = {(number // 12, number % 12 + 1) for number in range(first, last + 1)}
    return every - {(day.year, day.month) for day in days}


def _is_not(series: _Series, rows: Rows) -> str:
    """What a reader might take the file for; what depends on the numbers is said only if it is so."""
    notes = [series.is_not]
    days = [when for when, _ in rows]
    if days[0] > series.begins:
        notes.append(f"not the whole history: starts on {days[0]}, the publisher's series on {series.begins}")
    decimals = max(len(value.partition(".")[2]) for _, value in rows)
    if decimals < series.decimals:
        notes.append(f"not the full precision: {decimals} decimals here, {series.decimals} as published")
    if series.package == "cpi":
        notes += [f"{year}-{month:02} was never published" for year, month in sorted(_missing_months(days))]
    return "; ".join(notes)


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A plain CSV in UTF-8 with LF line endings, the same bytes on every system."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step, so that a reader never meets half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
