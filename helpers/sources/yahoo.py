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

URL = "https://query2.finance.yahoo.com/v8/finance/chart"
COLUMNS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
}


@contextlib.contextmanager
def _quiet(folder: Path) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """yfinance with its exceptions shown, its log silent, its caches under ``folder`` and not in the home.

    Yields the module and the list to which every answer is added as Yahoo sent it: yfinance drops a day that
    came twice without a word, and one of two different prices with it.
    """
    import yfinance
    from yfinance import utils
    from yfinance.data import YfData

    folder.mkdir(parents=True, exist_ok=True)
    yfinance.set_tz_cache_location(str(folder))
    shown = yfinance.config.debug.hide_exceptions
    yfinance.config.debug.hide_exceptions = False
    logger = logging.getLogger("yfinance")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    parse, answers = utils.parse_quotes, []

    def listening(answer: dict[str, Any]) -> Any:
        answers.append(answer)
        return parse(answer)

    utils.parse_quotes = listening
    # Answers are cached for the life of the process, web pages in place of data included.
    YfData().cache_get.cache_clear()
    try:
        yield yfinance, answers
    finally:
        utils.parse_quotes = parse
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
    null for an index), volume. Zeros by which Yahoo says that it has no open or volume are null.

    Raises
    ------
    SourceError, RateLimitError with the symbol's name.
    """
    name = str(entry["id"])

    def once() -> tuple[pd.DataFrame, list[dict[str, Any]]]:
        with _quiet(cache) as (yfinance, answers):
            from yfinance.exceptions import YFException, YFRateLimitError

            try:
                bars = yfinance.Ticker(entry["ticker"], session=client.yahoo).history(
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
                raise PassingError(
                    "an error page, a web page or a broken answer came instead of data"
                ) from None
            except (TypeError, KeyError, IndexError, AttributeError):
                raise SourceError(
                    f"{name}: Yahoo's answer has another layout than yfinance knows; update yfinance."
                ) from None
            except Exception as error:
                # yfinance lets its HTTP library's many exceptions through.
                if "timeout" in type(error).__name__.lower():
                    raise PassingError(f"no answer within {client.timeout:g} seconds") from None
                raise PassingError(f"the request failed ({type(error).__name__})") from None
            return bars, answers

    bars, answers = client.patiently(name, once)
    if bars.empty:
        raise SourceError(f"{name}: Yahoo answered without a single price; check the ticker in series.yaml.")
    if missing := [column for column in COLUMNS if column not in bars.columns]:
        raise SourceError(f"{name}: Yahoo's answer lacks {missing[0]}; its layout changed, update yfinance.")
    _no_day_twice(name, answers, end)
    return _tidy(name, bars, is_index=entry["group"] == "index")


def _no_day_twice(name: str, answers: list[dict[str, Any]], end: str) -> None:
    for answer in answers:
        zone = answer["meta"]["exchangeTimezoneName"]
        stamps = pd.to_datetime(pd.Series(answer["timestamp"]), unit="s", utc=True).dt.tz_convert(zone)
        dates = pd.DatetimeIndex(stamps.dt.tz_localize(None).dt.normalize())
        dates = dates[dates <= pd.Timestamp(end)]
        # While New York trades, the last day comes twice; yfinance knows and keeps the later row.
        twice = dates[dates.duplicated()].difference(dates[-1:])
        if len(twice):
            raise SourceError(f"{name}: {twice[0]:%Y-%m-%d} stands twice in Yahoo's answer; try again later.")


def _tidy(name: str, bars: pd.DataFrame, is_index: bool) -> pd.DataFrame:
    frame = bars.rename(columns=COLUMNS)[list(COLUMNS.values())].astype(float)
    # Yahoo stamps a day with the exchange's own midnight or opening: the date in that zone is the session.
    dates = pd.DatetimeIndex(frame.index)
    frame.insert(0, "date", (dates.tz_localize(None) if dates.tz is not None else dates).normalize())
    frame.insert(0, "symbol", name)
    if is_index:
        # Yahoo repeats the close there; an index has no dividends of its own.
        frame["adj_close"] = float("nan")
    for column in ("open", "high", "low", "volume"):
        frame[column] = frame[column].mask(frame[column] == 0)
    for column in ("open", "high", "low", "close", "adj_close"):
        frame[column] = quoted(frame[column])
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
