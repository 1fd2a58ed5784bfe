"""What came after: the falls of a leading index, and small against big companies in the months that follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.measures import drawdowns, style


def falls_of_a_leader(
    prices: pd.DataFrame, leader: str, market: str, fall: float = 30, years: int = 3
) -> pd.DataFrame:
    """Falls of an index from a record close, with its lead over the market before.

    Returns a frame as :func:`helpers.measures.drawdowns.episodes`, with ``lead`` in percentage points; NaN where
    the history of the leader begins too late.

    Parameters
    ----------
    prices : closes by session, with columns ``leader`` and ``market``
    fall : percent by which the index fell at least
    years : years before the record close over which the lead is measured
    """
    known = prices[leader].dropna()
    found = drawdowns.episodes(known, fall)

    def lead(peak: pd.Timestamp) -> float:
        before = peak - pd.DateOffset(years=years)
        if before < known.index[0]:
            return float("nan")
        return style.relative(
            prices, leader, market, calendar.since(calendar.session_on_or_before(before), peak)
        )

    return found.assign(lead=[lead(peak) for peak in found["peak"]])


def small_and_big(
    portfolios: pd.DataFrame,
    small: Sequence[int] = (1,),
    big: Sequence[int] = (5,),
    values: Sequence[int] = (1, 2, 3, 4, 5),
    weights: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Monthly returns of small and of big companies, from the 25 portfolios.

    Returns a frame by month with ``small`` and ``big``, percent.

    Parameters
    ----------
    portfolios : as :func:`helpers.measures.french.five_by_five` gives them, percent a month
    small, big : the fifths by size that count as such, 1 to 5
    values : the fifths by book-to-market that are taken
    weights : of the same form; equal ones by default
    """
    found = {}
    for name, sizes in (("small", small), ("big", big)):
        columns = [(size, value) for size in sizes for value in values]
        part = portfolios[columns]
        if weights is None:
            found[name] = part.mean(axis=1)
        else:
            own = weights[columns]
            found[name] = (part * own).sum(axis=1) / own.sum(axis=1)
    return pd.DataFrame(found)


def leads_after(sizes: pd.DataFrame, months: int = 36, first: int = 1) -> pd.Series:
    """Small minus big over the months that follow each month, compounded, percentage points.

    Returns a Series by month (Period); months without so many months after them are left out.

    Parameters
    ----------
    sizes : monthly returns of ``small`` and ``big``, percent
    months : number of months that are compounded
    first : where they begin: 1 with the month after, 0 with the month itself
    """
    total = np.log1p(sizes / 100).rolling(months).sum().shift(1 - first - months)
    growth = np.expm1(total) * 100
    return (growth["small"] - growth["big"]).dropna().rename("small minus big")
