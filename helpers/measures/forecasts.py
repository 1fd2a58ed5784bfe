"""Scoring forecasts: what came of them, and what forecasters who know nothing would have got."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import HelperError, Missing

#: Second share classes in a panel of listings: their company is there once already.
SECOND_CLASSES = ("GOOG", "BRK/A")


def window(end: calendar.Day, start: calendar.Day, origin: calendar.Day) -> calendar.Window:
    """From the close of ``start`` over as many sessions as lie between ``origin`` and ``end``.

    So a forecast of another day than ``origin`` looks just as far ahead. Raises Missing for an end not after the
    origin.
    """
    length = len(calendar.sessions(origin, end)) - 1
    if length < 1:
        raise Missing(
            f"The data end on {calendar.day(end):%Y-%m-%d}, not after {calendar.day(origin):%Y-%m-%d}."
        )
    return calendar.since(start, calendar.next_session(start, length))


def gains(prices: pd.DataFrame, names: Sequence[str], span: calendar.Window) -> pd.Series:
    """Percent returns of some columns over a window, by value as base rates ask often; Missing without a price."""
    found = {}
    for name in names:
        closes = prices[name] if name in prices else pd.Series(dtype=float)
        first, last = (closes.get(day, float("nan")) for day in (span.start, span.end))
        if not (first > 0 and last > 0):
            raise Missing(f"{name} has no price on {span.start:%Y-%m-%d} or on {span.end:%Y-%m-%d}.")
        found[name] = (last / first - 1) * 100
    return pd.Series(found, dtype=float)


def ahead(prices: pd.DataFrame, names: Sequence[str], of: str, span: calendar.Window) -> pd.Series:
    """Which of some columns had a higher return than ``of`` over a window: True or False by name."""
    change = gains(prices, [*names, of], span)
    leads: pd.Series = change[list(names)] > change[of]
    return leads


def share_behind(prices: pd.DataFrame, one: str, other: str, span: calendar.Window) -> float:
    """Percent of the sessions after ``span.start`` with a lower return since then of ``one`` than of ``other``."""
    first, second = (prices[name].loc[span.start : span.end].to_numpy() for name in (one, other))
    if len(first) != len(calendar.sessions(span.start, span.end)) or np.isnan(first + second).any():
        raise Missing(f"{one} and {other} do not both have a price on every session of {span}.")
    return float((first[1:] / first[0] < second[1:] / second[0]).mean() * 100)


def volatility(prices: pd.Series, log: bool = False) -> float:
    """Realised volatility in percent a year: standard deviation of daily returns (or logs) times √252."""
    daily = np.log(prices).diff() if log else prices.pct_change(fill_method=None)
    return float(daily.std(ddof=1) * np.sqrt(252) * 100)


def value_on(values: pd.Series, day: calendar.Day, stale: int = 5) -> float:
    """The last value on or before ``day``; Missing if it is over ``stale`` calendar days old (bond holidays differ)."""
    known = values.loc[: pd.Timestamp(day)].dropna()
    if known.empty or (pd.Timestamp(day) - known.index[-1]).days > stale:
        raise Missing(f"{values.name} has no value within {stale} days before {pd.Timestamp(day):%Y-%m-%d}.")
    return float(known.iloc[-1])


def change(values: pd.Series, first: calendar.Day, last: calendar.Day) -> float:
    """Change of a rate in percentage points between the values on (or just before) two days."""
    return value_on(values, last) - value_on(values, first)


def yearly_change(levels: pd.Series) -> pd.Series:
    """Change over twelve months in percent, for a monthly series dated by the first of the month.

    NaN where the month or that of a year before is missing; :func:`unknown_rates` names those months.
    """
    months = pd.date_range(levels.index[0], levels.index[-1], freq="MS")
    whole = levels.reindex(months)
    return ((whole / whole.shift(12) - 1) * 100).iloc[12:].rename(levels.name)


def unknown_rates(levels: pd.Series) -> list[str]:
    """Months (``2025-10``) without a twelve-month rate: those missing in ``levels``, and those a year after them."""
    months = pd.date_range(levels.index[0], levels.index[-1], freq="MS")
    gone = months.difference(pd.DatetimeIndex(levels.dropna().index)).to_period("M")
    return sorted({str(month) for month in gone} | {str(month + 12) for month in gone})


def annualised(levels: pd.Series, first: Any, last: Any) -> float:
    """Growth a year in percent between two quarters (``"2025Q4"``) of a series dated by their first day.

    Raises Missing if a quarter is not in the series, HelperError if the first is not before the last.
    """
    before, after = (pd.Period(quarter, "Q") for quarter in (first, last))
    for quarter in (before, after):
        if quarter.start_time not in levels.index:
            raise Missing(f"No observation of {quarter}; the series ends with {levels.index[-1]:%Y-%m-%d}.")
    if before >= after:
        raise HelperError(f"{before} is not before {after}; exchange the two.")
    ratio = levels[after.start_time] / levels[before.start_time]
    return float((ratio ** (4 / (after.ordinal - before.ordinal)) - 1) * 100)


def sizes(file: Path, days: Iterable[calendar.Day]) -> pd.DataFrame:
    """Market value of every listing of a panel, in US dollars: a row a symbol, a column a session."""
    wanted: list[date] = [calendar.day(day).date() for day in days]
    rows = pd.read_parquet(file, columns=["symbol", "date", "market_cap"], filters=[("date", "in", wanted)])
    rows["date"] = pd.to_datetime(rows["date"])
    return rows.pivot_table(index="symbol", columns="date", values="market_cap", observed=True)


def concentration(values: pd.Series, largest: int = 500) -> pd.Series:
    """Percent of the market value of the ``largest`` listings, largest first; second share classes are left out."""
    kept = values.drop(labels=list(SECOND_CLASSES), errors="ignore").nlargest(largest)
    share: pd.Series = kept / kept.sum() * 100
    return share


def hit_interval(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper and Pearson 1934) interval of a share of hits, percent, trials independent; 0 to 100 for none."""
    from statsmodels.stats.proportion import proportion_confint

    if of == 0:
        return 0.0, 100.0
    low, high = proportion_confint(hits, of, alpha=1 - level, method="beta")
    return float(low) * 100, float(high) * 100


def brier(probability: Any, outcome: Any) -> float:
    """Brier's score (1950): mean squared distance of probabilities (one each, or one for all) from what came.

    0 is perfect, 0.25 a coin's, 1 certain and always wrong; NaN without an outcome.
    """
    came = np.asarray(outcome, dtype=float)
    return float(np.mean((np.asarray(probability, dtype=float) - came) ** 2)) if came.size else float("nan")
