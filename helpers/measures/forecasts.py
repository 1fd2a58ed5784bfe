"""Scoring forecasts: what came of them, and how often the same would have come true anyway."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from helpers.files import HelperError


def last_common(series: Iterable[pd.Series]) -> pd.Timestamp:
    """The last date on which every one of several series has a value.

    Raises HelperError if there is none.
    """
    common: pd.Index | None = None
    for values in series:
        dates = values.dropna().index
        common = dates if common is None else common.intersection(dates)
    if common is None or common.empty:
        raise HelperError("The series have no date in common; choose series that overlap.")
    return pd.Timestamp(common.max())


def value_on(values: pd.Series, day: Any, stale: int = 5) -> float | None:
    """The last value on or before ``day``; None if it is more than ``stale`` calendar days old.

    Treasury yields have no value on days when New York's shares trade and the bond market rests.
    """
    known = values.loc[: pd.Timestamp(day)].dropna()
    if known.empty or (pd.Timestamp(day) - known.index[-1]).days > stale:
        return None
    return float(known.iloc[-1])


def yearly_change(levels: pd.Series) -> pd.Series:
    """Change over twelve months in percent, for a monthly series dated by the first of the month.

    A month whose own value or whose value of a year before is missing stays empty (NaN): nothing is carried
    across a gap. :func:`unknown_rates` names those months.
    """
    months = pd.date_range(levels.index[0], levels.index[-1], freq="MS")
    whole = levels.reindex(months)
    return ((whole / whole.shift(12) - 1) * 100).iloc[12:].rename(levels.name)


def unknown_rates(levels: pd.Series) -> list[str]:
    """Months (``2025-10``) without a twelve-month rate: those missing in ``levels``, and those a year later.

    A month a year after a missing one is named even if it lies beyond the data: its rate will never be known.
    """
    months = pd.date_range(levels.index[0], levels.index[-1], freq="MS")
    gone = months.difference(pd.DatetimeIndex(levels.dropna().index)).to_period("M")
    return sorted({str(month) for month in gone} | {str(month + 12) for month in gone})


def annualised(levels: pd.Series, first: Any, last: Any, per_year: int = 4) -> float:
    """Growth a year in percent between two observations of a series with ``per_year`` observations a year.

    Raises HelperError if one of the two is missing, or not before the other.
    """
    ends = [pd.Timestamp(first), pd.Timestamp(last)]
    for date in ends:
        if date not in levels.index or pd.isna(levels[date]):
            raise HelperError(
                f"No observation of {date:%Y-%m-%d}; the series ends with {levels.index[-1]:%Y-%m-%d}."
            )
    steps = levels.index.get_loc(ends[1]) - levels.index.get_loc(ends[0])
    if steps <= 0:
        raise HelperError(f"{ends[0]:%Y-%m-%d} is not before {ends[1]:%Y-%m-%d}; exchange the two.")
    return float(((levels[ends[1]] / levels[ends[0]]) ** (per_year / steps) - 1) * 100)


def volatility(prices: pd.Series, per_year: int = 252) -> float:
    """Realised volatility in percent a year: standard deviation of daily simple returns times √252."""
    return float(prices.pct_change(fill_method=None).std(ddof=1) * np.sqrt(per_year) * 100)


def ahead(values: pd.Series | pd.DataFrame, sessions: int) -> Any:
    """Return in percent over the next ``sessions`` rows, indexed by the first; NaN where it is not over yet."""
    return (values.shift(-sessions) / values - 1) * 100


def base_rate(held: pd.Series, sessions: int) -> dict[str, float]:
    """How often a statement held over all windows of a length.

    Parameters
    ----------
    held : 1 or True where the statement held over the ``sessions`` rows that begin there, 0 or False where
        not, NaN where that is not known
    sessions : length of a window in rows

    Returns
    -------
    ``share`` (percent; NaN if there is no window), ``windows`` (how many, overlapping) and ``apart`` (how
    many of them do not overlap, counted back from the last).
    """
    known = held.astype(float).dropna()
    share = float(known.mean() * 100) if len(known) else float("nan")
    return {"share": share, "windows": len(known), "apart": len(known.iloc[::-sessions])}


def hit_interval(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper and Pearson 1934) interval of a share of hits, in percent, by statsmodels.

    It takes the trials as independent; forecasts about one half year need not be.
    With no trial it is 0 to 100.
    """
    from statsmodels.stats.proportion import proportion_confint

    if of == 0:
        return 0.0, 100.0
    low, high = proportion_confint(hits, of, alpha=1 - level, method="beta")
    return float(low) * 100, float(high) * 100


def brier(probability: Any, outcome: Any) -> float:
    """Brier's score (1950): the mean squared distance of stated probabilities (0 to 1) from what came.

    0 is perfect, 0.25 is a coin's, 1 is certain and always wrong. One probability for all may be a number.
    """
    came = np.asarray(outcome, dtype=float)
    return float(np.mean((np.asarray(probability, dtype=float) - came) ** 2)) if came.size else float("nan")
