"""Providers that publish whole files: Kenneth French's library, Robert Shiller's workbook, iShares holdings."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import french
from helpers.errors import HelperError
from helpers.sources.http import Client, SourceError, not_html

FRENCH = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/{name}_CSV.zip"
SHILLER = "https://img1.wsimg.com/blobby/go/e5e77e0b-59d1-44d9-ab25-4763ac982e53/downloads/ie_data.xls"
ISHARES = "https://www.ishares.com/us/products/239710/ishares-russell-2000-etf/1467271812596.ajax"

SHILLER_COLUMNS = {0: "date", 1: "price", 2: "dividend", 3: "earnings", 4: "cpi", 6: "gs10", 12: "cape"}
_HOLDINGS = {
    "Ticker": "ticker",
    "Name": "name",
    "Sector": "sector",
    "Weight (%)": "weight_pct",
    "Market Value": "market_value",
    "Price": "price",
    "Asset Class": "asset_class",
}


def fetch_french(client: Client, entry: dict[str, Any], folder: Path) -> str:
    """One zipped CSV of the library, unpacked into ``folder``, read once to be sure; returns its name."""
    name, stem = str(entry["id"]), str(entry["ticker"])
    body = not_html(name, client.get(name, FRENCH.format(name=stem)))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            (inside,) = archive.namelist()
            content = archive.read(inside)
    except (zipfile.BadZipFile, ValueError, OSError):
        raise SourceError(
            f"{name}: the library's archive cannot be unpacked; run the command again."
        ) from None
    target = folder / "french" / f"{stem}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    french.sections(target)  # a changed layout is told here, not in a notebook
    return f"french/{stem}.csv"


def fetch_shiller(client: Client, entry: dict[str, Any], folder: Path) -> list[str]:
    """The workbook and its parsed columns; returns both files' names."""
    name = str(entry["id"])
    body = not_html(name, client.get(name, SHILLER))
    frame = parse_shiller(name, body)
    target = folder / "shiller"
    target.mkdir(parents=True, exist_ok=True)
    (target / "ie_data.xls").write_bytes(body)
    frame.to_parquet(target / "shiller.parquet", index=False)
    return ["shiller/ie_data.xls", "shiller/shiller.parquet"]


def parse_shiller(name: str, body: bytes) -> pd.DataFrame:
    """Columns of the sheet ``Data``: date (first of the month), price, dividend, earnings, cpi, gs10, cape."""
    import xlrd

    try:
        sheet = xlrd.open_workbook(file_contents=body).sheet_by_name("Data")
        rows = [sheet.row_values(i) for i in range(sheet.nrows)]
    except Exception:
        # xlrd raises whatever a damaged file provokes.
        raise SourceError(f"{name}: the workbook cannot be read; run the command again.") from None
    head = next((i for i, row in enumerate(rows) if str(row[0]).strip() == "Date"), None)
    if head is None or [str(rows[head][i]).strip() for i in (1, 2, 3, 4, 12)] != [
        "P",
        "D",
        "E",
        "CPI",
        "CAPE",
    ]:
        raise SourceError(f"{name}: the workbook has another layout; adapt helpers/sources/files.py.")
    kept = [row for row in rows[head + 1 :] if isinstance(row[0], float)]
    frame = pd.DataFrame(
        [[row[i] for i in SHILLER_COLUMNS] for row in kept], columns=list(SHILLER_COLUMNS.values())
    )
    # 2025.1 is October: the month is the two decimals of the number.
    year = frame["date"].astype(float).astype(int)
    month = ((frame["date"].astype(float) - year) * 100).round().astype(int)
    frame["date"] = pd.to_datetime({"year": year, "month": month, "day": 1})
    for column in frame.columns[1:]:
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame.dropna(subset=["price"]).reset_index(drop=True)


def fetch_holdings(client: Client, entry: dict[str, Any], folder: Path) -> str:
    """IWM's holdings of the day that iShares shows; returns the file's name, which holds that day."""
    name = str(entry["id"])
    body = client.get(name, ISHARES, fileType="csv", fileName="IWM_holdings", dataType="fund")
    date, frame = parse_holdings(name, not_html(name, body).decode("utf-8-sig", errors="replace"))
    target = folder / "holdings" / f"IWM_{date}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(target, index=False)
    return f"holdings/IWM_{date}.csv"


def parse_holdings(name: str, text: str) -> tuple[str, pd.DataFrame]:
    """Date and table of an iShares holdings file: a preamble, a table, a disclaimer."""
    rows = list(csv.reader(io.StringIO(text)))
    dated = next((row[1] for row in rows if len(row) > 1 and row[0].startswith("Fund Holdings as of")), None)
    head = next((i for i, row in enumerate(rows) if row and row[0] == "Ticker"), None)
    if dated is None or head is None or not set(_HOLDINGS) <= set(rows[head]):
        raise SourceError(f"{name}: iShares' file has another layout; adapt helpers/sources/files.py.")
    width = len(rows[head])
    body = [row for row in rows[head + 1 :] if len(row) == width]
    frame = pd.DataFrame(body, columns=rows[head])[list(_HOLDINGS)].rename(columns=_HOLDINGS)
    for column in ("weight_pct", "market_value", "price"):
        frame[column] = pd.to_numeric(frame[column].str.replace(",", ""), errors="coerce")
    if len(frame) < 1000:
        raise HelperError(
            f"{name}: iShares' file has {len(frame)} rows; the fund holds about 2,000, so it is not used."
        )
    return f"{pd.Timestamp(dated):%Y-%m-%d}", frame
