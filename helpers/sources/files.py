"""Providers that publish whole files: Kenneth French's library, Robert Shiller's workbook, iShares holdings.

Each fetcher returns the files as bytes by their name in the store, read once and found sound; nothing is
written here, so that a file that is none cannot slip into a store.
"""

from __future__ import annotations

import csv
import html
import io
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from helpers.measures import french
from helpers.sources.http import Client, RateLimitError, SourceError, UnansweredError, not_html, too_long
from helpers.store import Store
from helpers.words import listing

FRENCH = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/{name}_CSV.zip"
#: The workbook's address changes with each edition; this page links to the present one.
SHILLER_PAGE = "https://shillerdata.com/"
#: Where the workbook lay for years: asked if the page gives no link.
SHILLER = "https://img1.wsimg.com/blobby/go/e5e77e0b-59d1-44d9-ab25-4763ac982e53/downloads/ie_data.xls"
ISHARES = "https://www.ishares.com/us/products/239710/ishares-russell-2000-etf/1467271812596.ajax"
#: Least correlation of a column with itself in the old vintage: a revision does not make it another one.
ALIKE = 0.8
#: IWM holds about 2,000 names; a file with fewer rows than this was cut.
LEAST_HOLDINGS = 1000
LONG_TICKER = 6
#: The fund's first day.
FIRST_LIST = pd.Timestamp("2000-05-22")

_WORKBOOK = re.compile(r"//img1\.wsimg\.com/[\w./-]+/ie_data\.xls(?:\?[\w.=&-]+)?")
#: The reference store's last month is known; a workbook that ends earlier than so long before is an old copy.
OLD_COPY = pd.DateOffset(months=2)

Files: TypeAlias = dict[str, bytes]

SHILLER_COLUMNS = {0: "date", 1: "price", 2: "dividend", 3: "earnings", 4: "cpi", 6: "gs10", 12: "cape"}
_SHILLER_HEAD = {1: "P", 2: "D", 3: "E", 4: "CPI", 12: "CAPE"}
_HOLDINGS = {
    "Ticker": "ticker",
    "Name": "name",
    "Sector": "sector",
    "Weight (%)": "weight_pct",
    "Market Value": "market_value",
    "Price": "price",
    "Asset Class": "asset_class",
}


def fetch_french(client: Client, entry: dict[str, Any], old: Store | None = None) -> Files:
    """One zipped CSV of the library, unpacked; refused if it cannot be read or is shorter than the old one."""
    name, stem = str(entry["id"]), str(entry["ticker"])
    content = unzipped(name, not_html(name, client.get(name, FRENCH.format(name=stem))), client.limit)
    (path,) = entry["files"]
    tables = _tables(name, content)
    if old is not None and path in old.files:
        for table, before in _tables(name, old.file(path).read_bytes()).items():
            _goes_on(name, f"'{table}'", tables.get(table, pd.DataFrame()), before)
    return {path: content}


def _goes_on(name: str, what: str, frame: pd.DataFrame, before: pd.DataFrame) -> None:
    """Return for a table that is the old vintage's with rows added and values revised; else SourceError."""
    if len(frame) < len(before):
        raise SourceError(
            f"{name}: {what} has {len(frame):,} rows, the old vintage {len(before):,}; the old one is kept."
        )
    new = frame.reindex(before.index)
    for column, was in before.items():
        now = new.get(column, pd.Series(np.nan, new.index))
        alike = now.corr(was) > ALIKE and 0.5 < now.std() / was.std() < 2
        if not (alike or now.equals(was)):
            raise SourceError(
                f"{name}: '{column}' of {what} is not that of the old vintage; the old one is kept."
            )


def unzipped(name: str, body: bytes, limit: int) -> bytes:
    """The one file of a zip archive; SourceError if it is broken, encrypted, or larger than ``limit`` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            (inside,) = archive.namelist()
            with archive.open(inside) as stream:
                # What the archive says of its size may be a lie: one byte more than the limit is enough.
                content = stream.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, ValueError, RuntimeError, EOFError, OSError):
        raise SourceError(
            f"{name}: the library's archive cannot be unpacked; run the command again."
        ) from None
    if len(content) > limit:
        raise too_long(name, limit)
    return content


def _tables(name: str, content: bytes) -> dict[str, pd.DataFrame]:
    """Each table of a file: reading them tells a changed layout here, and not in a notebook."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.csv"
        file.write_bytes(content)
        tables = french.sections(file)
    if empty := [table for table, frame in tables.items() if frame.isna().all(axis=None)]:
        raise SourceError(f"{name}: {listing(empty)} has no value; it is not used.")
    return tables


def fetch_shiller(client: Client, entry: dict[str, Any], old: Store | None = None) -> Files:
    """The workbook and its parsed columns; refused if it is an old copy, or shorter than the old vintage."""
    name = str(entry["id"])
    body = not_html(name, client.get(name, _workbook(client, name)))
    frame = parse_shiller(name, body)
    last, known = frame["date"].iloc[-1], pd.Timestamp(entry["last_known"])
    if last < known - OLD_COPY:
        raise SourceError(
            f"{name}: the workbook ends in {last:%Y-%m}, and one to {known:%Y-%m} is known: an old copy is not used; "
            "see whether shillerdata.com links to a newer one."
        )
    columns, workbook = entry["files"]
    if old is not None and columns in old.files:
        before = old.table(columns).astype({"date": "datetime64[ns]"}).set_index("date")
        _goes_on(name, "the workbook", frame.set_index("date"), before)
    frame["date"] = frame["date"].dt.date
    return {workbook: body, columns: frame.to_parquet(index=False)}


def _workbook(client: Client, name: str) -> str:
    """Address of the present workbook, by the link on its page."""
    try:
        page = client.get(f"{name} page", SHILLER_PAGE).decode("utf-8", errors="replace")
    except SourceError:
        return SHILLER
    found = _WORKBOOK.search(html.unescape(page).replace("\\/", "/"))
    return f"https:{found.group()}" if found else SHILLER


def parse_shiller(name: str, body: bytes) -> pd.DataFrame:
    """Columns of the sheet ``Data``: date (first of the month), price, dividend, earnings, cpi, gs10, cape."""
    import xlrd

    try:
        sheet = xlrd.open_workbook(file_contents=body).sheet_by_name("Data")
        rows = [sheet.row_values(i) for i in range(sheet.nrows)]
    except Exception:
        # xlrd raises whatever a damaged file provokes.
        raise SourceError(f"{name}: the workbook cannot be read; run the command again.") from None
    head = next((row for row in rows if str(row[0]).strip() == "Date"), None)
    if head is None or any(str(head[i]).strip() != label for i, label in _SHILLER_HEAD.items()):
        raise SourceError(f"{name}: the workbook has another layout; adapt helpers/sources/files.py.")
    kept = [row for row in rows[rows.index(head) + 1 :] if isinstance(row[0], float)]
    frame = pd.DataFrame(
        [[row[i] for i in SHILLER_COLUMNS] for row in kept], columns=list(SHILLER_COLUMNS.values())
    )
    # 2025.1 is October: the month is the two decimals of the number.
    year = frame["date"].astype(float).astype(int)
    month = ((frame["date"].astype(float) - year) * 100).round().astype(int)
    frame["date"] = pd.to_datetime({"year": year, "month": month, "day": 1})
    for column in frame.columns[1:]:
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    frame = frame.dropna(subset=["price"]).reset_index(drop=True)
    if frame.empty or not frame["date"].is_monotonic_increasing or not frame["date"].is_unique:
        raise SourceError(f"{name}: the workbook's months are not in order; adapt helpers/sources/files.py.")
    return frame


def fetch_holdings(client: Client, entry: dict[str, Any], old: Store | None = None) -> Files:
    """IWM's holdings of the day that iShares shows, and of the catalogue's dates that the old store lacks.

    The file's name holds its day. A past day that iShares does not give is left out: the notebooks can do
    without it and say so.
    """
    name = str(entry["id"])
    date, frame = parse_holdings(name, _holdings_text(client, name))
    found = {date: frame}
    for day in entry["dates"]:
        if day in found or (old is not None and _listed(entry, day) in old.files):
            continue
        try:
            date, frame = parse_holdings(name, _holdings_text(client, name, asOfDate=day.replace("-", "")))
        except (UnansweredError, RateLimitError):
            break  # it answered a moment ago: asking on would only try its patience
        except SourceError:
            continue  # a page, or no list of that day
        found.setdefault(date, frame)
    return {_listed(entry, day): frame.to_csv(index=False).encode() for day, frame in found.items()}


def _listed(entry: dict[str, Any], day: str) -> str:
    return str(entry["files"][0]).format(date=day)


def _holdings_text(client: Client, name: str, **more: str) -> str:
    body = client.get(name, ISHARES, fileType="csv", fileName="IWM_holdings", dataType="fund", **more)
    return not_html(name, body).decode("utf-8-sig", errors="replace")


def parse_holdings(name: str, text: str) -> tuple[str, pd.DataFrame]:
    """Date and table of an iShares holdings file: a preamble, a table, a disclaimer."""
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        rows = []
    dated = next((row[1] for row in rows if len(row) > 1 and row[0].startswith("Fund Holdings as of")), None)
    head = next((i for i, row in enumerate(rows) if row and row[0] == "Ticker"), None)
    date = pd.to_datetime(dated, errors="coerce") if dated else pd.NaT
    if pd.isna(date) or head is None or not set(_HOLDINGS) <= set(rows[head]):
        raise SourceError(f"{name}: iShares' file has another layout; adapt helpers/sources/files.py.")
    width = len(rows[head])
    body = [row for row in rows[head + 1 :] if len(row) == width]
    frame = pd.DataFrame(body, columns=rows[head])[list(_HOLDINGS)].rename(columns=_HOLDINGS)
    for column in ("weight_pct", "market_value", "price"):
        frame[column] = pd.to_numeric(frame[column].str.replace(",", ""), errors="coerce")
    tickers, prices, total = frame["ticker"], frame["price"], frame["weight_pct"].sum()
    faults = {
        f"is of {date:%Y-%m-%d}, which cannot be": not FIRST_LIST <= date <= pd.Timestamp.now(),
        f"has {len(frame):,} rows, the fund about 2,000": len(frame) < LEAST_HOLDINGS,
        "names one ticker again and again": tickers.nunique() < 0.9 * len(frame),
        "has something else where tickers belong": tickers.str.len().median() > LONG_TICKER,
        "has no prices, or negative ones": prices.isna().mean() > 0.1 or (prices < 0).any(),
        f"has weights that add up to {total:.0f} percent": not 95 < total < 105,
    }
    if what := next((what for what, found in faults.items() if found), ""):
        raise SourceError(f"{name}: iShares' file {what}; it is not used.")
    return f"{date:%Y-%m-%d}", frame


FETCHERS: dict[str, Callable[[Client, dict[str, Any], Store | None], Files]] = {
    "french": fetch_french,
    "shiller": fetch_shiller,
    "ishares": fetch_holdings,
}
