"""Named stocks: what each returned, how many of a list fell, how far, and what a random list would have done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import HelperError, Missing
from helpers.measures import resample

Groups: TypeAlias = Mapping[str, Sequence[str]]
#: Symbols that are no company: preferred shares, units, warrants, rights and the like, by the panel's spelling.
_NO_COMPANY = r"[\^/.]|^[A-Z]{4}[WURPOMNZ]$"


def over(
    prices: pd.DataFrame, groups: Groups, windows: Mapping[str, calendar.Window], wanted: Sequence[str]
) -> dict[str, float | None]:
    """Percent returns of stocks, and of groups bought in equal parts and held; None without a price at an end.

    ``prices`` has a column a symbol; ``groups`` are symbols by name, for every name that is no symbol itself;
    ``wanted`` are keys ``name_window``, such as ``"aapl_since"``.
    """
    # Base rates ask a thousand times: columns and rows are looked up once a call.
    table, place = prices.to_numpy(), {name: at for at, name in enumerate(prices.columns)}
    ends = [date for span in windows.values() for date in (span.start, span.end)]
    rows = dict(zip(windows, prices.index.get_indexer(pd.DatetimeIndex(ends)).reshape(-1, 2), strict=True))
    found: dict[str, float | None] = {}
    for key in wanted:
        name, window = key.rsplit("_", 1)
        columns = [place.get(symbol, -1) for symbol in groups.get(name, [name.upper()])]
        first, last = table[rows[window]][:, columns]
        known = min(*rows[window], *columns) >= 0 and not np.isnan(first + last).any()
        found[key] = float((last / first - 1).mean() * 100) if known else None
    return found


def field(panel: str | Path, windows: Mapping[str, calendar.Window]) -> pd.DataFrame:
    """Every symbol of a listing panel: its price return over some windows that end together, size, sector, exchange.

    Returns are compounded from daily changes, so that splits do no harm; where a snapshot was lost, from one price to
    the next. They leave dividends out and run to the last price of what vanished.

    Returns a frame by symbol: a column a window (percent), ``cap_`` before its name (USD, last known in the week up
    to its start), ``sector``, ``exchange``, ``until`` (last date) and ``company`` (False for rights, warrants and
    preferred shares, and for what has no sector). ``panel`` is a Parquet file.
    """
    from helpers.measures import (
        breadth,
    )  # duckdb costs a sixth of a second, which most notebooks need not pay

    spans = [(name, f"{span.start:%Y-%m-%d}") for name, span in windows.items()]
    first, last = min(start for _, start in spans), max(f"{span.end:%Y-%m-%d}" for span in windows.values())
    columns = [
        f"product(1 + change order by date) filter (date > date '{start}') * 100 - 100 as {name}, "
        f"arg_max(market_cap, date) filter (date between date '{start}' - 6 and date '{start}') as cap_{name}"
        for name, start in spans
    ]
    query = f"""
        with days as (
          select *, coalesce(
            pct_change / 100.0, last / lag(last) over (partition by symbol order by date) - 1) as change
          from panel where date between date '{first}' - 6 and date '{last}'
        )
        select symbol, {", ".join(columns)}, last(sector order by date) as sector,
          last(exchange order by date) as exchange, max(date) as until
        from days group by symbol order by symbol
    """
    found = breadth.asked(panel, query).set_index("symbol")
    found["company"] = ~found.index.str.contains(_NO_COMPANY) & found["sector"].notna()
    return found


def fallen(prices: pd.DataFrame, sessions: int) -> pd.Series:
    """Number of columns with a negative return over the ``sessions`` sessions that end on each date.

    Raises Missing for a gap in a price, HelperError if the history is not longer than the window.
    """
    if calendar.with_gaps(prices).isna().to_numpy().any():
        raise Missing("A price is missing: a window over a gap cannot be counted; cut the frame first.")
    if len(prices) <= sessions:
        raise HelperError(f"{len(prices)} sessions hold no window of {sessions}; take a longer history.")
    change = (prices / prices.shift(sessions) - 1).iloc[sessions:]
    return (change < 0).sum(axis=1).rename("fallen")


def drawn_windows(
    returns: pd.DataFrame, sessions: int, rounds: int, block: float, seed: int, together: bool = True
) -> np.ndarray:
    """Percent returns of stocks over windows drawn by the stationary bootstrap (Politis and Romano 1994, by ``arch``).

    Each of the ``rounds`` draws the whole history of ``returns`` (daily, percent, a column a stock, no gaps) anew
    in blocks of mean length ``block`` and cuts it into windows of ``sessions`` that do not overlap. ``together``
    draws all stocks from the same days, so that what moves them together stays; else nothing but chance makes them
    fall together.

    Returns an array (rounds * (len(returns) // sessions), columns).
    """
    per_round = len(returns) // sessions
    if not per_round:
        raise HelperError(f"{len(returns)} returns hold no window of {sessions}; take a longer history.")
    growth, generator = np.log1p(returns.to_numpy() / 100), np.random.default_rng(seed)

    def draw(values: np.ndarray) -> np.ndarray:
        drawn = resample.places(len(values), block, rounds, generator, per_round * sessions)
        return resample.over_draws(lambda rows: values[rows.reshape(-1, sessions)].sum(axis=1), drawn)

    apart = growth.shape[1] if not together else 1
    return np.expm1(np.hstack([draw(stocks) for stocks in np.hsplit(growth, apart)])) * 100


def drops_from_high(
    closes: pd.Series,
    days: Iterable[calendar.Day],
    sessions: int,
    year: int,
    lows: pd.Series | None = None,
    highs: pd.Series | None = None,
) -> pd.DataFrame:
    """How far a stock fell from its high: at its lowest over the last ``sessions``, and at the last close.

    A high counts in a window of ``year`` sessions that ends on one of ``days``; ``lows`` and ``highs`` are those of
    the same sessions, closes by default. Returns a frame by day with ``drop`` (lowest value of the last part
    against the highest before it, percent), ``low`` and ``high`` (their dates) and ``now`` (last close against the
    highest value, percent), without days that lack a value. Raises HelperError if the last part is not shorter than
    the window.
    """
    if not 0 < sessions < year:
        raise HelperError(f"A window of {year} sessions holds no last part of {sessions}; lengthen it.")
    wanted = pd.DatetimeIndex([calendar.day(day) for day in days])
    ends = closes.index.get_indexer(wanted)
    rows = ends[ends >= year - 1][:, None] + np.arange(1 - year, 1)
    last, below, above = (
        (closes if given is None else given).to_numpy()[rows] for given in (closes, lows, highs)
    )
    whole = ~np.isnan(last + below + above).any(axis=1)
    rows, last, below, above = rows[whole], last[whole], below[whole], above[whole]
    each, start = np.arange(len(rows)), year - sessions - 1
    low = start + below[:, start:].argmin(axis=1)
    high = np.where(np.arange(year) <= low[:, None], above, -np.inf).argmax(axis=1)
    return pd.DataFrame(
        {
            "drop": (below[each, low] / above[each, high] - 1) * 100,
            "low": closes.index[rows[each, low]],
            "high": closes.index[rows[each, high]],
            "now": (last[:, -1] / above.max(axis=1) - 1) * 100,
        },
        index=closes.index[rows[:, -1]],
    )


def random_baskets(
    returns: pd.Series, sectors: pd.Series, wanted: pd.Series, draws: int, seed: int
) -> np.ndarray:
    """Mean returns of baskets drawn at random, with as many stocks of each sector as wanted, none twice.

    ``returns`` (percent) and ``sectors`` are by symbol, ``wanted`` counts by sector. Returns an array (draws,),
    percent. Raises HelperError if the pool holds fewer stocks of a sector than wanted.
    """
    generator = np.random.default_rng(seed)
    total = np.zeros(draws)
    for sector, count in wanted.items():
        pool = returns[sectors == sector].to_numpy()
        if len(pool) < count:
            raise HelperError(f"The pool holds {len(pool)} stocks of {sector}, {count} are wanted; widen it.")
        # The smallest of random keys are a draw without replacement, for all baskets at once.
        order = np.argpartition(generator.random((draws, len(pool))), count - 1, axis=1)[:, :count]
        total += pool[order].sum(axis=1)
    return total / wanted.sum()
