"""Styles and sizes as funds show them: value against growth by index family, and one series against another.

An index family is a vendor's own list of what is value and what is growth; no family is the true one. Each is
given as a pair of funds, (value, growth), whose closes adjusted for dividends are total returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pandas as pd

from helpers import calendar
from helpers.measures.returns import window_return

Families: TypeAlias = Mapping[str, tuple[str, str]]

#: Value and growth of large US companies, by the vendor of the index that the fund follows.
FAMILIES: dict[str, tuple[str, str]] = {
    "Russell": ("IWD", "IWF"),
    "CRSP": ("VTV", "VUG"),
    "S&P": ("IVE", "IVW"),
    "Morningstar": ("ILCV", "ILCG"),
}
#: Value and growth of small US companies, where a family has funds for both.
SMALL: dict[str, tuple[str, str]] = {
    "Russell": ("IWN", "IWO"),
    "CRSP": ("VBR", "VBK"),
    "Morningstar": ("ISCV", "ISCG"),
}
#: The S&P family by its other pair of funds, on the same two indices.
WITH_SPYV: dict[str, tuple[str, str]] = {**FAMILIES, "S&P": ("SPYV", "SPYG")}
#: Small US companies as a whole.
SMALL_CAPS: dict[str, str] = {"Russell": "IWM", "CRSP": "VB", "S&P": "IJR", "Morningstar": "ISCB"}


def funds(*families: Families) -> list[str]:
    """Every fund of some families, once, in their order."""
    return list(dict.fromkeys(fund for each in families for pair in each.values() for fund in pair))


def relative(prices: pd.DataFrame, one: str, other: str, window: calendar.Window) -> float:
    """Simple return of ``one`` minus that of ``other`` over a window, points; an end without a price raises Missing."""
    change = _over(prices, [one, other], window)
    return float(change[one] - change[other])


def _over(prices: pd.DataFrame, columns: list[str], window: calendar.Window) -> Any:
    """Returns of some columns; only the two rows that are needed are cut out, as base rates ask often."""
    ends = [date for date in (window.start, window.end) if date in prices.index]
    return window_return(prices.loc[ends, columns], window)


def lead(prices: pd.DataFrame, families: Families, window: calendar.Window) -> pd.Series:
    """Return of value minus that of growth over a window, by family, percentage points."""
    change = _over(prices, funds(families), window)
    found = {name: change[value] - change[growth] for name, (value, growth) in families.items()}
    return _unit(pd.Series(found, name=str(window)))


def path(prices: pd.DataFrame, pairs: Families, start: calendar.Day, end: calendar.Day) -> pd.DataFrame:
    """Lead of the first of each pair over the second since the close of ``start``, points, by session and pair."""
    span = prices.loc[calendar.day(start) : calendar.day(end)]
    growth = (span / span.iloc[0] - 1) * 100
    return _unit(pd.DataFrame({name: growth[one] - growth[other] for name, (one, other) in pairs.items()}))


def from_each_start(
    prices: pd.DataFrame, pairs: Families, first: calendar.Day, end: calendar.Day
) -> pd.DataFrame:
    """Lead of the first of each pair over the second from each session since ``first`` up to ``end``, points."""
    span = prices.loc[calendar.day(first) : calendar.day(end)]
    growth = (span.iloc[-1] / span.iloc[:-1] - 1) * 100
    return _unit(pd.DataFrame({name: growth[one] - growth[other] for name, (one, other) in pairs.items()}))


def _unit(frame: Any) -> Any:
    frame.attrs["unit"] = "pp"
    return frame
