"""What the tests share: the project's root, the real store if there is one, a small store made by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from helpers import calendar, executions, market, store

ROOT = market.ROOT
os.environ.pop("ARTICLE", None)  # the tests are of the first article, unless they choose another

#: The reference store, if this machine has it; tests on real figures are skipped without it.
_path = store.locate()
_store = store.Store(_path) if _path else None
REFERENCE = _store if _store and market.is_reference(_store) else None
needs_reference = pytest.mark.skipif(REFERENCE is None, reason="needs the reference store (MARKET_DATA)")


#: Slow and rarely failing: ``make test-slow`` runs these, ``make test`` all others.
SLOW = (
    "test_look_ahead.py",
    "test_editions.py",
    "test_axe_finds_nothing[own",
    "test_the_whole_catalogue_is_identical",
    "test_a_notebook_on_fetched_data_gives_the_committed_verdicts",
)
#: Long scopes first, so that no worker waits for the other at the end.
FIRST = ("test_missing.py", "test_sources.py", "test_synthetic.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if any(part in item.nodeid for part in SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path.name not in FIRST)


@pytest.fixture(scope="session", autouse=True)
def kept_executions(tmp_path_factory):
    """One cache of executed notebooks for all workers of this run of the tests, and for none before it."""
    base = tmp_path_factory.getbasetemp()
    executions.PLACE = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "executed"


def write_store(
    folder: Path, prices: pd.DataFrame, macro: pd.DataFrame | None = None, **more: object
) -> Path:
    """Write a whole store from tidy frames of prices and macro series."""
    if macro is None:
        macro = pd.DataFrame({"series": ["DGS10"], "date": pd.to_datetime(["2025-12-10"]), "value": [4.13]})
    tables = {"prices.parquet": prices, "macro.parquet": macro}
    return store.write(folder, tables, name="test store", **more)


def seal(folder: Path, symbols: list[str], series: list[str], last_session: str = "2025-12-12") -> Path:
    """(Re)write the manifest so that it fits the files, whatever they hold."""
    lives = ({name: {} for name in names} for names in (symbols, series))
    return store.seal(folder, *lives, name="test store", last_session=last_session)


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
