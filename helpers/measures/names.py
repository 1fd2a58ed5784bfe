"""Named stocks: how many of a list fell, how far each fell, and what a random list would have done."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from helpers.files import HelperError


def fallen(prices: pd.DataFrame, sessions: int) -> pd.Series:
    """Number of columns with a negative return over the ``sessions`` sessions that end on each date.

    Parameters
    ----------
    prices : one column a stock, indexed by session, without gaps
    sessions : length of the window, in sessions

    Returns
    -------
    Integer Series; windows overlap, and the first ends ``sessions`` sessions after the first price.

    Raises
    ------
    HelperError if a price is missing or the history is not longer than the window.
    """
    if prices.isna().to_numpy().any():
        raise HelperError("A price is missing: a window over a gap cannot be counted; cut the frame first.")
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

    Parameters
    ----------
    returns : daily simple returns in percent, one column a stock, without gaps
    sessions : length of a window, in sessions
    rounds : number of rounds
    block : mean block length, in sessions
    seed : of the random generator
    together : draw all stocks from the same days, so that what moves them together stays; if False each
        stock is drawn from days of its own, so that nothing but chance makes them fall together

    Returns
    -------
    Array (rounds * (len(returns) // sessions), columns), percent.
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


def drop_from_high(closes: pd.Series, since: str | pd.Timestamp) -> pd.Series:
    """How far a stock fell from its high: at the worst close since a date, and at the last close.

    Parameters
    ----------
    closes : from the first day on which a high counts (such as the first session of the year) to the last
        day looked at
    since : first session at which the lowest close is looked for

    Returns
    -------
    Series with ``drop`` (lowest close since then against the highest close before it, percent), ``low`` (its
    date), ``high`` (date of that highest close), ``now`` (last close against the highest close, percent) and
    ``high_now`` (date of the highest close).
    """
    low = closes.loc[since:].idxmin()
    before = closes.loc[:low]
    return pd.Series(
        {
            "drop": float((closes[low] / before.max() - 1) * 100),
            "low": low,
            "high": before.idxmax(),
            "now": float((closes.iloc[-1] / closes.max() - 1) * 100),
            "high_now": closes.idxmax(),
        }
    )


def random_baskets(
    returns: pd.Series, sectors: pd.Series, wanted: pd.Series, draws: int, seed: int
) -> np.ndarray:
    """Mean returns of baskets drawn at random, with as many stocks of each sector as wanted.

    Parameters
    ----------
    returns : return of each stock of the pool, percent, indexed by symbol
    sectors : sector of each stock, same index
    wanted : number of stocks by sector
    draws : number of baskets; within one basket no stock is drawn twice
    seed : of the random generator

    Returns
    -------
    Array (draws,): the mean return of each basket, percent.

    Raises
    ------
    HelperError if the pool holds fewer stocks of a sector than wanted.
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
