"""Prices from Yahoo Finance, by yfinance.

Nothing is left to yfinance's defaults: prices are fetched unadjusted for dividends (``auto_adjust=False``)
with the adjusted close beside them, dates are explicit, and its exclusive ``end`` is met with one day more.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.sources.http import Client, PassingError, SourceError

FIRST = "1927-12-01"
COLUMNS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
}


@contextlib.contextmanager
def _quiet(folder: Path) -> Iterator[Any]:
    """yfinance with its exceptions shown, its log silent, its caches under ``folder`` and not in the home."""
    import yfinance
    from yfinance.data import YfData

    folder.mkdir(parents=True, exist_ok=True)
    yfinance.set_tz_cache_location(str(folder))
    shown = yfinance.config.debug.hide_exceptions
    yfinance.config.debug.hide_exceptions = False
    logger = logging.getLogger("yfinance")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    # Answers are cached for the life of the process, web pages in place of data included.
    YfData().cache_get.cache_clear()
    try:
        yield yfinance
    finally:
        logger.setLevel(level)
        yfinance.config.debug.hide_exceptions = shown


def fetch(client: Client, entry: dict[str, Any], start: str, end: str, cache: Path) -> pd.DataFrame:
    """Daily bars of one symbol.

    Parameters
    ----------
    client : for its patience and, in tests, its session
    entry : the catalogue's line
    start, end : first and last day wanted, both included
    cache : folder for yfinance's own small caches

    Returns
    -------
    Frame: symbol, date, open, high, low, close (split-adjusted), adj_close (split- and dividend-adjusted;
    null for an index), volume.

    Raises
    ------
    SourceError, RateLimitError with the symbol's name.
    """
    name = str(entry["id"])

    def once() -> pd.DataFrame:
        with _quiet(cache) as yfinance:
            from yfinance.exceptions import YFException, YFRateLimitError

            try:
                return yfinance.Ticker(entry["ticker"], session=client.yahoo).history(
                    start=start,
                    end=f"{pd.Timestamp(end) + pd.Timedelta(days=1):%Y-%m-%d}",
                    interval="1d",
                    auto_adjust=False,
                    back_adjust=False,
                    actions=False,
                    repair=False,
                    keepna=True,
                    rounding=False,
                    timeout=client.timeout,
                )
            except YFRateLimitError:
                raise PassingError("too many requests (429)", limited=True) from None
            except YFException as error:
                raise SourceError(f"{name}: Yahoo has no prices ({_first_line(error)}).") from None
            except ValueError:
                raise PassingError("a web page or a broken answer came instead of data") from None
            except (TypeError, KeyError, IndexError, AttributeError):
                raise SourceError(
                    f"{name}: Yahoo's answer has another layout than yfinance knows; update yfinance."
                ) from None
            except Exception as error:
                # yfinance lets its HTTP library's many exceptions through.
                raise PassingError(f"the request failed ({type(error).__name__})") from None

    bars: pd.DataFrame = client.patiently(name, once)
    if bars.empty:
        raise SourceError(f"{name}: Yahoo answered without a single price; check the ticker in series.yaml.")
    if missing := [column for column in COLUMNS if column not in bars.columns]:
        raise SourceError(f"{name}: Yahoo's answer lacks {missing[0]}; its layout changed, update yfinance.")
    frame = bars.rename(columns=COLUMNS)[list(COLUMNS.values())].copy()
    # Yahoo stamps a day with the exchange's own midnight or opening: the date in that zone is the session.
    dates = pd.DatetimeIndex(frame.index)
    frame.insert(0, "date", (dates.tz_localize(None) if dates.tz is not None else dates).normalize())
    frame.insert(0, "symbol", name)
    if entry["group"] == "index":
        # Yahoo repeats the close there; an index has no dividends of its own.
        frame["adj_close"] = float("nan")
    for column in ("open", "high", "low", "close", "adj_close"):
        frame[column] = quoted(frame[column].astype(float))
    return frame.dropna(subset=["close", "adj_close"], how="all").reset_index(drop=True)


def quoted(values: pd.Series) -> pd.Series:
    """Prices as they were quoted: Yahoo sends single precision, so 2559.61 arrives as 2559.610107.

    A value within single precision of two decimals is taken to be those two decimals; the rest keep four
    (six below ten, where old split-adjusted prices need them).
    """
    cents = values.round(2)
    fine = values.round(4).where(values.abs() >= 10, values.round(6))
    return cents.where((values - cents).abs() <= values.abs() * 6e-8, fine)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
