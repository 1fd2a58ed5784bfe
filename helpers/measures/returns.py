"""Simple returns over windows, calendar years, and for every start and end date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import Missing


def window_return(prices: pd.Series | pd.DataFrame, window: calendar.Window) -> float | pd.Series:
    """Simple return in percent from the close of ``window.start`` to that of ``window.end``, float or by column.

    Closes give price returns; closes adjusted for dividends total returns. Raises Missing if one is not there.
    """
    for date in (window.start, window.end):
        if date not in prices.index or np.any(pd.isna(prices.loc[date])):
            raise Missing(
                f"No price on {date:%Y-%m-%d}, an end of the window '{window.name}' ({window}); "
                f"the last one is of {prices.index[-1]:%Y-%m-%d}."
            )
    change = (prices.loc[window.end] / prices.loc[window.start] - 1) * 100
    return change if isinstance(change, pd.Series) else float(change)


def window_table(prices: pd.DataFrame, windows: Iterable[calendar.Window]) -> pd.DataFrame:
    """Returns in percent: one row a column of ``prices``, one column a window (named by it)."""
    return pd.DataFrame({window.name: window_return(prices, window) for window in windows})


def daily_returns(prices: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Simple close-to-close returns in percent, without the first session; no return is formed across a gap."""
    prices = calendar.with_gaps(prices)
    return (prices.pct_change(fill_method=None) * 100).iloc[1:]


def calendar_years(prices: pd.Series) -> pd.Series:
    """Returns in percent of whole calendar years, by year (int): from the last session of the year before."""
    return year_to_date_on(prices, 12, 31)


def year_to_date_on(prices: pd.Series, month: int, day: int) -> pd.Series:
    """Year-to-date return in percent up to the last session on or before month/day, for every year."""
    out = {}
    prices = prices.dropna()
    for year in range(prices.index[0].year + 1, prices.index[-1].year + 1):
        end = calendar.session_on_or_before(f"{year}-{month:02d}-{day:02d}")
        span = calendar.year_to_date(end)
        if span.start in prices.index and span.end in prices.index:
            out[year] = window_return(prices, span)
    return pd.Series(out, dtype=float, name=prices.name)


def rolling_returns(prices: pd.Series, sessions: int) -> pd.Series:
    """Return in percent over the ``sessions`` sessions that end on each date."""
    prices = calendar.with_gaps(prices)
    return (prices / prices.shift(sessions) - 1).iloc[sessions:] * 100


def triangle(prices: pd.Series, benchmark: pd.Series, dates: pd.DatetimeIndex) -> pd.DataFrame:
    """Return of ``prices`` minus that of ``benchmark`` from every date (row) to every later one (column), points.

    NaN on and below the diagonal; Missing for a date without a price.
    """
    own, other = (series.reindex(dates).to_numpy() for series in (prices, benchmark))
    if np.isnan(own).any() or np.isnan(other).any():
        raise Missing("A date of the triangle has no price in one of the two series; choose sessions.")
    spread = (own[None, :] / own[:, None] - other[None, :] / other[:, None]) * 100
    spread[np.tril_indices(len(dates))] = np.nan
    return pd.DataFrame(spread, index=dates, columns=dates)


def rank(value: float, others: pd.Series) -> int:
    """Rank of ``value`` among ``others`` from the largest (1): one more than the number above it."""
    return int((others > value).sum()) + 1


def levels(
    prices: pd.DataFrame, days: Iterable[Any], names: Mapping[str, str] | None = None, unit: str = "points"
) -> list[tuple[str, float, str]]:
    """Closes of some series on some days as further figures of a verdict: (label, value, unit).

    ``names`` gives words for the columns; a day without a row raises KeyError.
    """
    return [
        (f"{(names or {}).get(str(key), key)}, close of {pd.Timestamp(day):%Y-%m-%d}", prices[key][day], unit)
        for key in prices
        for day in days
    ]
