"""Named stocks: what each returned, how many of a list fell, how far, and what a random list would have done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import HelperError, Missing

Groups: TypeAlias = Mapping[str, Sequence[str]]
#: Symbols that are no company: preferred shares, units, warrants, rights and the like, by the panel's spelling.
_NO_COMPANY = r"[\^/.]|^[A-Z]{4}[WURPOMNZ]$"


def over(
    prices: pd.DataFrame, groups: Groups, windows: Mapping[str, calendar.Window], wanted: Sequence[str]
) -> dict[str, float | None]:
    """Returns of single stocks and of groups, bought in equal parts at the start of a window and held.

    Returns percent by key, None where a symbol has no price at an end of the window.

    Parameters
    ----------
    prices : one column a symbol, one row a session
    groups : symbols by name, for every name in ``wanted`` that is no symbol itself (in small letters)
    windows : by name
    wanted : ``name_window``, such as ``"aapl_since"``
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
    """Every symbol of a listing panel: its price return over some windows, its size, sector and exchange.

    Returns are compounded from daily changes, so that splits do no harm; where a snapshot was lost, from one
    price to the next. They leave dividends out and run to the last price of what vanished.

    Returns a frame by symbol: a column a window (percent), ``cap_`` before its name (USD, last known in the week up
    to its start), ``sector``, ``exchange``, ``until`` (last date) and ``company`` (False for rights, warrants and
    preferred shares, and for what has no sector).

    Parameters
    ----------
    panel : a Parquet file with symbol, date, last, pct_change, market_cap, sector, exchange
    windows : by name; all end on one day
    """
    import duckdb  # costs a sixth of a second, which most notebooks need not pay

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
          from read_parquet(?) where date between date '{first}' - 6 and date '{last}'
        )
        select symbol, {", ".join(columns)}, last(sector order by date) as sector,
          last(exchange order by date) as exchange, max(date) as until
        from days group by symbol order by symbol
    """
    with duckdb.connect() as connection:
        with contextlib.suppress(duckdb.InvalidInputException):  # where there is no bar to switch off
            connection.execute("SET enable_progress_bar = false")
        found = connection.execute(query, [str(panel)]).df().set_index("symbol")
    found["until"] = pd.to_datetime(found["until"])
    found["company"] = ~found.index.str.contains(_NO_COMPANY) & found["sector"].notna()
    return found


def fallen(prices: pd.DataFrame, sessions: int) -> pd.Series:
    """Number of columns with a negative return over the ``sessions`` sessions that end on each date.

    Returns an integer Series; windows overlap, and the first ends ``sessions`` sessions after the first price.
    Raises HelperError if a price is missing or the history is not longer than the window.

    Parameters
    ----------
    prices : one column a stock, indexed by session, without gaps
    sessions : length of the window, in sessions
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
    """Returns of several stocks over windows drawn by the stationary bootstrap.

    Politis and Romano (1994), by ``arch``. A round draws the whole history anew in blocks of random length and
    cuts it into windows that do not overlap.

    Returns an array (rounds * (len(returns) // sessions), columns), percent.

    Parameters
    ----------
    returns : daily simple returns in percent, one column a stock, without gaps
    sessions : length of a window, in sessions
    rounds : number of rounds
    block : mean block length, in sessions
    seed : of the random generator
    together : draw all stocks from the same days, so that what moves them together stays; if False each
        stock is drawn from days of its own, so that nothing but chance makes them fall together
    """
    from arch.bootstrap import StationaryBootstrap

    per_round = len(returns) // sessions
    if not per_round:
        raise HelperError(f"{len(returns)} returns hold no window of {sessions}; take a longer history.")
    growth = np.log1p(returns.to_numpy() / 100)

    def draw(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        # arch annotates the block length as int; it is a mean and takes any number from 1.
        bootstrap = StationaryBootstrap(cast(int, block), values, seed=generator)
        kept = [data[0][0][: per_round * sessions] for data in bootstrap.bootstrap(rounds)]
        return np.concatenate([one.reshape(per_round, sessions, -1).sum(axis=1) for one in kept])

    generator = np.random.default_rng(seed)
    if together:
        windows = draw(growth, generator)
    else:
        windows = np.hstack([draw(growth[:, [k]], generator) for k in range(growth.shape[1])])
    return np.asarray(np.expm1(windows) * 100)


def drops_from_high(
    closes: pd.Series,
    days: Iterable[calendar.Day],
    sessions: int,
    year: int,
    lows: pd.Series | None = None,
    highs: pd.Series | None = None,
) -> pd.DataFrame:
    """How far a stock fell from its high: at its lowest over the last sessions, and at the last close.

    Returns a frame by day with ``drop`` (lowest value of the last part against the highest before it, percent),
    ``low`` and ``high`` (their dates) and ``now`` (last close against the highest value, percent). Days without a
    value on every session of their window are left out. Raises HelperError if the last part is not shorter than the
    window.

    Parameters
    ----------
    closes : by session, without a session left out
    days : last sessions of the windows
    sessions : length of the last part, close to close, in which the lowest value is looked for
    year : length of the window in which a high counts, in sessions
    lows, highs : of the same sessions, where a session's own low and high are meant; closes by default
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
    """Mean returns of baskets drawn at random, with as many stocks of each sector as wanted.

    Returns an array (draws,): the mean return of each basket, percent. Raises HelperError if the pool holds fewer
    stocks of a sector than wanted.

    Parameters
    ----------
    returns : return of each stock of the pool, percent, indexed by symbol
    sectors : sector of each stock, same index
    wanted : number of stocks by sector
    draws : number of baskets; within one basket no stock is drawn twice
    seed : of the random generator
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
