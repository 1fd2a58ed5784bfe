"""What the tests share: the project's root, the real store if there is one, a small store made by hand."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from helpers import calendar, market

ROOT = market.ROOT

#: The reference store, if this machine has it; tests on real figures are skipped without it.
_path = market.locate() if os.environ.get("MARKET_DATA") != "synthetic" else None
_store = market.Store(_path) if _path else None
REFERENCE = _store if _store and market.is_reference(_store) else None
needs_reference = pytest.mark.skipif(REFERENCE is None, reason="needs the reference store (MARKET_DATA)")


def write_store(folder: Path, prices: pd.DataFrame, macro: pd.DataFrame | None = None) -> Path:
    """Write a whole store with a true manifest from tidy frames of prices and macro series."""
    folder.mkdir(parents=True, exist_ok=True)
    prices = prices.reindex(columns=["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"])
    prices.to_parquet(folder / "prices.parquet", index=False)
    if macro is None:
        macro = pd.DataFrame({"series": ["DGS10"], "date": pd.to_datetime(["2025-12-10"]), "value": [4.13]})
    macro.to_parquet(folder / "macro.parquet", index=False)
    return seal(folder, list(prices["symbol"].unique()), list(macro["series"].unique()))


def seal(folder: Path, symbols: list[str], series: list[str], last_session: str = "2025-12-12") -> Path:
    """(Re)write the manifest so that it fits the files."""
    files = {
        str(path.relative_to(folder).as_posix()): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    manifest = {
        "name": "test store",
        "last_session": last_session,
        "files": files,
        "symbols": {name: {} for name in symbols},
        "series": {name: {} for name in series},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def sessions() -> pd.DatetimeIndex:
    """Sessions of the autumn of 2025."""
    return calendar.sessions("2025-09-02", "2025-12-12")


@pytest.fixture
def small_store(tmp_path: Path, sessions: pd.DatetimeIndex) -> Path:
    """Two indices that rise by one point a session."""
    frames = [
        pd.DataFrame(
            {
                "symbol": name,
                "date": sessions,
                "high": [base + i + 0.5 for i in range(len(sessions))],
                "close": [base + float(i) for i in range(len(sessions))],
            }
        )
        for name, base in (("^GSPC", 6000.0), ("^RUT", 2300.0))
    ]
    return write_store(tmp_path / "store", pd.concat(frames))
