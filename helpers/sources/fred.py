"""Macro series from FRED's public CSV, one file a series, no key."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from helpers.sources.http import Client, SourceError, not_html

URL = "https://fred.stlouisfed.org/graph/fredgraph.csv"


def fetch(client: Client, entry: dict[str, Any], start: str, end: str) -> pd.DataFrame:
    """One series, latest revision.

    Returns
    -------
    Frame: series, date (of the observation), value (in the catalogue's unit); days marked as missing are
    left out.

    Raises
    ------
    SourceError if the answer is a web page or has another layout than two columns.
    """
    name = str(entry["id"])
    body = not_html(name, client.get(name, URL, id=entry["ticker"], cosd=start, coed=end))
    try:
        table = pd.read_csv(io.BytesIO(body), na_values=["."], encoding="utf-8-sig")
        dates = pd.to_datetime(table.iloc[:, 0], format="%Y-%m-%d")
        values = pd.to_numeric(table.iloc[:, 1])
    except (ValueError, IndexError, UnicodeDecodeError):
        table = None
    if table is None or table.shape[1] != 2 or table.columns[1] != entry["ticker"]:
        raise SourceError(
            f"{name}: FRED's file has another layout than date and {entry['ticker']}; see its site."
        )
    frame = pd.DataFrame({"series": name, "date": dates, "value": values})[dates <= pd.Timestamp(end)]
    return frame.dropna().reset_index(drop=True)
