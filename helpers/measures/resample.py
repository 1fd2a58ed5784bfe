"""Resampled histories, and the repeated calls behind every bootstrap and grid of specifications."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
import pandas as pd

#: Into how many parts draws are cut: always as many, so that no result hangs on the number of workers.
PARTS = 8


def repeat(
    function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], jobs: int | None = None
) -> list[Any]:
    """``[function(*a) for a in arguments]``, through joblib, in their order.

    It runs here unless ``jobs`` or joblib's own configuration says otherwise: inside
    ``joblib.parallel_config(backend="dask")`` or ``"loky"`` the same call is carried to a cluster or to other
    cores.
    """
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=jobs)(delayed(function)(*given) for given in arguments))


def over_draws(function: Callable[..., np.ndarray], drawn: np.ndarray, *given: Any) -> np.ndarray:
    """``function(drawn, *given)``, a value a row of ``drawn`` or more, part by part through :func:`repeat`."""
    parts = np.array_split(drawn, min(PARTS, len(drawn)))
    return np.concatenate(repeat(function, ((part, *given) for part in parts)))


def places(count: int, block: float, draws: int, seed: Any, length: int | None = None) -> np.ndarray:
    """Rows, of ``count``, that each draw of the stationary bootstrap takes: array (draws, ``length`` or count).

    Politis and Romano (1994), by ``arch``, with blocks of mean length ``block``. The draws are one sequence of
    random numbers, so that they are made here, and what is made of them by :func:`over_draws`.
    """
    from arch.bootstrap import StationaryBootstrap

    # arch annotates the block length as int; it is a mean and takes any number from 1.
    bootstrap = StationaryBootstrap(cast(int, block), np.arange(count), seed=np.random.default_rng(seed))
    return np.stack([bootstrap.update_indices()[:length].copy() for _ in range(draws)])


def block_length(returns: pd.Series) -> float:
    """Mean block length for the stationary bootstrap, at least 1 (the estimate is less without dependence).

    Politis and White (2004), corrected by Patton, Politis and White (2009), by ``arch``.
    """
    from arch.bootstrap import optimal_block_length

    return max(1.0, float(optimal_block_length(returns.to_numpy())["stationary"].iloc[0]))


def stationary_paths(
    returns: pd.Series, sessions: int, paths: int, start: float, seed: int, block: float | None = None
) -> np.ndarray:
    """Price paths from ``start``, drawn by the stationary bootstrap: array (paths, sessions) of levels.

    ``returns`` are daily, simple, in percent; ``sessions`` at most as many; ``block`` is the mean length,
    :func:`block_length` by default.
    """
    growth = 1 + returns.to_numpy() / 100
    mean_block = block_length(returns) if block is None else block
    drawn = places(len(growth), mean_block, paths, seed, sessions)
    return over_draws(lambda rows: start * growth[rows].cumprod(axis=1), drawn)
