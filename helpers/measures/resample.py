"""Resampled histories, and the repeated calls behind every bootstrap and grid of specifications."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
import pandas as pd


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


def block_length(returns: pd.Series) -> float:
    """Mean block length for the stationary bootstrap, at least 1 (the estimate is less for series without dependence).

    Politis and White (2004), corrected by Patton, Politis and White (2009), by ``arch``.
    """
    from arch.bootstrap import optimal_block_length

    return max(1.0, float(optimal_block_length(returns.to_numpy())["stationary"].iloc[0]))


def stationary_paths(
    returns: pd.Series, sessions: int, paths: int, start: float, seed: int, block: float | None = None
) -> np.ndarray:
    """Price paths from ``start``, drawn by the stationary bootstrap (Politis and Romano 1994, by ``arch``).

    ``returns`` are daily, simple, in percent; ``sessions`` at most ``len(returns)``; ``block`` is the mean length,
    :func:`block_length` by default. Returns an array (paths, sessions) of levels.
    """
    from arch.bootstrap import StationaryBootstrap

    growth = 1 + returns.to_numpy() / 100
    mean_block = block_length(returns) if block is None else block
    # arch annotates the block length as int; it is a mean and takes any number from 1.
    bootstrap = StationaryBootstrap(cast(int, mean_block), growth, seed=np.random.default_rng(seed))
    drawn = np.stack([data[0][0][:sessions] for data in bootstrap.bootstrap(paths)])
    return start * drawn.cumprod(axis=1)
