"""Event studies: what a return did around some dates beyond what the market explains, and what chance gives.

Methods: S. J. Brown and J. B. Warner, "Using daily stock returns: the case of event studies", Journal of
Financial Economics 14 (1985); A. C. MacKinlay, "Event studies in economics and finance", Journal of Economic
Literature 35 (1997). Returns are simple daily returns in percent, indexed by session; windows are counted in
sessions from the event day, which is 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, sqrt

import numpy as np
import pandas as pd

from helpers.files import HelperError

#: Length of the estimation window in sessions, and its last session counted back from the event.
ESTIMATION = 250
GAP = 11
#: Up to this many combinations a permutation test counts them all instead of drawing.
ALL_UP_TO = 3_000_000


def _paired(asset: pd.Series, benchmark: pd.Series) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    """The two return series on the sessions of ``asset``; a gap inside either is an error."""
    both = pd.DataFrame({"asset": asset, "benchmark": benchmark}).loc[asset.index]
    both = both.loc[both["benchmark"].first_valid_index() : both["benchmark"].last_valid_index()]
    if both.isna().to_numpy().any():
        gone = both.index[both.isna().any(axis=1)][0]
        raise HelperError(f"A return of {gone:%Y-%m-%d} is missing; event windows need every session.")
    return both["asset"].to_numpy(), both["benchmark"].to_numpy(), pd.DatetimeIndex(both.index)


def market_model(asset: pd.Series, benchmark: pd.Series) -> pd.Series:
    """Ordinary least squares of ``asset`` on ``benchmark`` and a constant.

    Returns
    -------
    Series with ``alpha`` (percent a session), ``beta``, ``sigma`` (standard deviation of the residuals with
    n − 2 degrees of freedom, percent), ``n``, and ``mean`` and ``squares`` of the benchmark (its mean and its
    sum of squared deviations), which the standard error of a forecast needs.
    """
    y, x, _ = _paired(asset, benchmark)
    if len(x) < 3 or np.ptp(x) == 0:
        raise HelperError("The market model needs three sessions or more on which the benchmark moved.")
    deviation = x - x.mean()
    squares = float(deviation @ deviation)
    beta = float(deviation @ y) / squares
    alpha = float(y.mean() - beta * x.mean())
    residual = y - alpha - beta * x
    sigma = sqrt(float(residual @ residual) / (len(x) - 2))
    return pd.Series(
        {"alpha": alpha, "beta": beta, "sigma": sigma, "n": len(x), "mean": x.mean(), "squares": squares}
    )


def abnormal_returns(
    asset: pd.Series,
    benchmark: pd.Series,
    dates: Iterable[pd.Timestamp | str],
    before: int,
    after: int,
    estimation: int = ESTIMATION,
    gap: int = GAP,
) -> pd.DataFrame:
    """Market-model abnormal returns around each event.

    Parameters
    ----------
    asset, benchmark : daily returns in percent, indexed by session
    dates : event days; each must be a session of the returns
    before, after : sessions of the window before and after day 0
    estimation : sessions of the estimation window
    gap : its last session lies ``gap`` sessions before day 0; it must lie before the window

    Returns
    -------
    Frame, one row a date, one column a day from ``-before`` to ``after``: the return less alpha plus beta
    times the benchmark's return, in percent.

    Raises
    ------
    HelperError for a date that is no session, without enough history or future, for a gap that lets the
    window run into its own estimation, and for a missing return.
    """
    days = pd.DatetimeIndex([pd.Timestamp(date) for date in dates])
    y, x, at, position = _located(asset, benchmark, days, before, after, estimation, gap)
    alpha, beta, _, _, _ = _rolling_model(y, x, estimation)
    offsets = np.arange(-before, after + 1)
    cells = position[:, None] + offsets
    last = position - gap
    values = y[cells] - alpha[last][:, None] - beta[last][:, None] * x[cells]
    return pd.DataFrame(values, index=at[position], columns=offsets)


def event_study(
    asset: pd.Series,
    benchmark: pd.Series,
    dates: Iterable[pd.Timestamp | str],
    before: int,
    after: int,
    estimation: int = ESTIMATION,
    gap: int = GAP,
) -> pd.DataFrame:
    """Cumulative abnormal return of each event with its standard error.

    Parameters and errors are those of :func:`abnormal_returns`.

    Returns
    -------
    Frame, one row a date: ``car`` (sum of the window's abnormal returns, percent), ``se`` (percent), ``t``,
    and the model behind it: ``alpha``, ``beta``, ``sigma``, ``n``. The standard error holds the noise of the
    window's L sessions and the sampling error of alpha and beta (MacKinlay 1997, section 5):
    sigma² (L + L²/n + (sum of (x − mean))² / squares).
    """
    days = pd.DatetimeIndex([pd.Timestamp(date) for date in dates])
    abnormal = abnormal_returns(asset, benchmark, days, before, after, estimation, gap)
    y, x, _, position = _located(asset, benchmark, days, before, after, estimation, gap)
    alpha, beta, sigma, mean, squares = (part[position - gap] for part in _rolling_model(y, x, estimation))
    length = before + after + 1
    moved = x[position[:, None] + np.arange(-before, after + 1)].sum(axis=1) - length * mean
    se = sigma * np.sqrt(length + length**2 / estimation + moved**2 / squares)
    car = abnormal.sum(axis=1)
    return pd.DataFrame(
        {"car": car, "se": se, "t": car / se, "alpha": alpha, "beta": beta, "sigma": sigma, "n": estimation},
        index=abnormal.index,
    )


def mean_effect(study: pd.DataFrame) -> pd.Series:
    """Mean cumulative abnormal return over the events of :func:`event_study`.

    Returns
    -------
    Series with ``mean`` (percent); ``se_model``, from each event's own standard error, events taken as
    independent; ``se_cross``, from the spread of the events among themselves (Brown and Warner 1985), NaN for
    one event; the two ratios ``t_model`` and ``t_cross``; and ``n``, the number of events.
    """
    n = len(study)
    if n == 0:
        raise HelperError("There is no event to take a mean of.")
    mean = float(study["car"].mean())
    model = sqrt(float((study["se"] ** 2).sum())) / n
    cross = float(study["car"].std(ddof=1)) / sqrt(n) if n > 1 else float("nan")
    return pd.Series(
        {
            "mean": mean,
            "se_model": model,
            "se_cross": cross,
            "t_model": mean / model,
            "t_cross": mean / cross if n > 1 else float("nan"),
            "n": n,
        }
    )


def combination_means(values: np.ndarray, size: int) -> np.ndarray:
    """Mean of every combination of ``size`` of the values, all n over ``size`` of them."""
    sums = np.asarray(values, dtype=float)
    n = len(sums)
    if not 1 <= size <= n:
        raise HelperError(f"No combination of {size} can be taken from {n} values.")
    if 2 * size > n:
        # By what is left out: building up to nearly all would pass through far more combinations than asked for.
        left_out = combination_means(values, n - size) * (n - size) if size < n else np.zeros(1)
        return (sums.sum() - left_out) / size
    # sums holds the combinations ordered by their last member; ends[j] counts those that end before j.
    ends = np.arange(n)
    for _ in range(size - 1):
        parts = [sums[:end] + value for end, value in zip(ends, values, strict=True)]
        ends = np.concatenate([[0], np.cumsum([len(part) for part in parts])[:-1]])
        sums = np.concatenate(parts)
    return sums / size


def permutation_means(pool: np.ndarray, size: int, draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Means of ``size`` members of ``pool``: of every combination, or of ``draws`` random ones.

    Returns
    -------
    The means, and True if they are those of every combination (up to :data:`ALL_UP_TO`).
    """
    values = np.asarray(pool, dtype=float)
    if comb(len(values), size) <= ALL_UP_TO:
        return combination_means(values, size), True
    generator = np.random.default_rng(seed)
    # The first ``size`` places of a random order, drawn without replacement in every row.
    order = generator.random((draws, len(values))).argpartition(size, axis=1)[:, :size]
    return values[order].mean(axis=1), False


def permutation_p(
    observed: float, pool: np.ndarray, size: int, draws: int = 10_000, seed: int = 0
) -> pd.Series:
    """How often ``size`` randomly chosen members of ``pool`` have a mean like the one observed.

    Parameters
    ----------
    observed : mean over the events
    pool : the same measure for every date that could have been drawn, the events among them
    size : number of events
    draws, seed : used where the combinations are too many to be counted; the observed one then counts as a
        further draw, so that no p-value is zero

    Returns
    -------
    Series with ``greater`` (share with as large a mean or larger), ``two_sided`` (share at least as far from
    the pool's own mean), ``combinations`` (counted or drawn) and ``exact`` (True if all were counted).
    """
    means, exact = permutation_means(pool, size, draws, seed)
    centre = float(np.mean(pool))
    close = 1e-9
    above = int((means >= observed - close).sum())
    beyond = int((np.abs(means - centre) >= abs(observed - centre) - close).sum())
    extra = 0 if exact else 1
    total = len(means) + extra
    return pd.Series(
        {
            "greater": (above + extra) / total,
            "two_sided": (beyond + extra) / total,
            "combinations": total,
            "exact": exact,
        }
    )


def _located(
    asset: pd.Series,
    benchmark: pd.Series,
    days: pd.DatetimeIndex,
    before: int,
    after: int,
    estimation: int,
    gap: int,
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex, np.ndarray]:
    """The paired returns, their sessions, and the place of each event in them."""
    if gap <= before:
        raise HelperError(f"An estimation window that ends {gap} sessions before the event runs into it.")
    y, x, at = _paired(asset, benchmark)
    position = at.get_indexer(days)
    for day, place in zip(days, position, strict=True):
        if place < 0:
            raise HelperError(f"{day:%Y-%m-%d} is no session of the returns; name the session that reacted.")
        if place < estimation + gap - 1 or place + after >= len(at):
            raise HelperError(
                f"The returns from {at[0]:%Y-%m-%d} to {at[-1]:%Y-%m-%d} do not cover the estimation of "
                f"{estimation} sessions before {day:%Y-%m-%d} and the {after} sessions after it."
            )
    return y, x, at, position


def _rolling_model(y: np.ndarray, x: np.ndarray, length: int) -> tuple[np.ndarray, ...]:
    """alpha, beta, sigma, mean and squares of the market model over the ``length`` sessions up to each."""
    pair = pd.DataFrame({"y": y, "x": x}).rolling(length)
    mean = pair.mean()
    variance = pair.var(ddof=0)
    covariance = pd.Series(x).rolling(length).cov(pd.Series(y), ddof=0)
    beta = covariance / variance["x"]
    alpha = mean["y"] - beta * mean["x"]
    unexplained = (variance["y"] - beta * covariance).clip(lower=0) * length
    sigma = np.sqrt(unexplained / (length - 2))
    squares = variance["x"] * length
    return tuple(part.to_numpy() for part in (alpha, beta, sigma, mean["x"], squares))
