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
    """Falls of an index from a record close by ``fall`` percent, with its lead over the market in the ``years`` before.

    Returns :func:`helpers.measures.drawdowns.episodes` with ``lead``, points; NaN where the leader begins too late.
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
    """Monthly returns of ``small`` and ``big`` companies (percent, by month) from the 25 portfolios.

    ``portfolios`` and ``weights`` (equal by default) come from :func:`helpers.measures.french.five_by_five`; ``small``,
    ``big`` are the fifths by size, ``values`` those by book-to-market that count.
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
    """Small minus big, compounded over the ``months`` after each month (its own too with ``first=0``), points.

    Months without so many after them are left out.
    """
    total = np.log1p(sizes / 100).rolling(months).sum().shift(1 - first - months)
    growth = np.expm1(total) * 100
    return (growth["small"] - growth["big"]).dropna().rename("small minus big")
