"""Drawdowns: how far a series lies below its own highest value so far."""

from __future__ import annotations

import pandas as pd


def drawdown(prices: pd.Series) -> pd.Series:
    """Distance from the running maximum, in percent (zero or negative)."""
    return (prices / prices.cummax() - 1) * 100


def worst(prices: pd.Series) -> pd.Series:
    """The deepest drawdown: ``peak``, ``trough`` (dates), ``depth`` (percent)."""
    depth = drawdown(prices)
    trough = depth.idxmin()
    return pd.Series(
        {"peak": prices.loc[:trough].idxmax(), "trough": trough, "depth": float(depth.loc[trough])}
    )


def episodes(prices: pd.Series, at_least: float) -> pd.DataFrame:
    """Every stretch below a former peak that fell by ``at_least`` percent.

    Returns a frame by date: ``peak``, ``trough``, ``recovered`` (NaT if not yet), ``depth`` (percent).
    """
    depth = drawdown(prices)
    spell = (depth == 0).cumsum()
    rows = []
    for _, below in depth.groupby(spell):
        if below.min() > -abs(at_least) + 1e-9:  # a fall of exactly ten percent counts
            continue
        after = depth.index[depth.index > below.index[-1]]
        rows.append(
            {
                "peak": below.index[0],
                "trough": below.idxmin(),
                "recovered": after[0] if len(after) else pd.NaT,
                "depth": float(below.min()),
            }
        )
    return pd.DataFrame(rows, columns=["peak", "trough", "recovered", "depth"])
