"""The value spread, and regressions that ask whether it predicts what value stocks earn later.

On a slow predictor the plain regression (:func:`helpers.measures.rates.hac_slope`) misleads in three ways, each
with its function here: returns over several years overlap (:func:`hodrick`, :func:`non_overlapping`), a predictor
that moves with the price biases the slope in small samples (:func:`stambaugh`, :func:`null_slopes`), and a fit
within the sample is no forecast (:func:`out_of_sample_r2`). All take ``y``, the return that follows, in the row of
``x``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from helpers.files import HelperError
from helpers.measures import rates, resample

Frame = TypeVar("Frame", pd.Series, pd.DataFrame)


@dataclass(frozen=True)
class Regression:
    """A regression on one ``x``: ``slope``, its ``error``, ``t``, two-sided ``p``, from ``n`` starting points."""

    slope: float
    error: float
    t: float
    p: float
    n: int


@dataclass(frozen=True)
class Bias:
    """How far a persistent predictor bends the slope: see :func:`stambaugh`."""

    persistence: float
    correlation: float
    bias: float
    corrected: float


def value_spread(ratios: pd.DataFrame, high: Sequence[Hashable], low: Sequence[Hashable]) -> pd.Series:
    """Mean log book-to-market of the ``high`` columns less that of the ``low`` ones, by date, in logs.

    2 means that a dollar buys e^2 = 7.4 times as much book equity in value as in growth. NaN where a portfolio has
    no ratio, so that the mean never changes its members in silence; HelperError for a ratio of zero or below.
    """
    if ratios[[*high, *low]].le(0).to_numpy().any():
        raise HelperError(
            "A book-to-market ratio is zero or negative: it has no logarithm; check the missing codes."
        )
    value, growth = (np.log(ratios[list(part)]).mean(axis=1, skipna=False) for part in (high, low))
    return (value - growth).rename("spread")


def formation(monthly: Frame) -> Frame:
    """July's rows of monthly data, the first after portfolios are formed in June, by year of formation (int)."""
    index = pd.PeriodIndex(monthly.index)
    july = monthly[index.month == 7]
    return july.set_axis(pd.Index(index[index.month == 7].year, name="June"), axis=0)


def after_june(monthly: pd.Series, months: int = 12, compound: bool = True) -> pd.Series:
    """Return over the ``months`` months from July of each year, by year (int), percent: compounded, or the plain sum.

    ``monthly`` is in percent by month (PeriodIndex); NaN where the file ends too early or a month is missing.
    """
    growth = np.log1p(monthly / 100) if compound else monthly
    total = growth.rolling(months).sum().shift(1 - months)
    return formation(np.expm1(total) * 100 if compound else total)


def unbroken(y: pd.Series, x: pd.Series) -> pd.DataFrame:
    """The last stretch of rows without a gap, columns ``y`` and ``x``: what was cut is for the caller to count."""
    both = pd.DataFrame({"y": y, "x": x})
    whole = both.notna().all(axis=1)
    both = both.loc[: whole[whole].index[-1]] if whole.any() else both.iloc[:0]
    gaps = np.flatnonzero(both.isna().any(axis=1))
    return both.iloc[gaps[-1] + 1 :] if len(gaps) else both


def _pairs(y: pd.Series, x: pd.Series, least: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays; rows are neighbours in time for every method here, so that a gap inside is an error."""
    both = unbroken(y, x)
    if first := int(pd.DataFrame({"y": y, "x": x}).notna().all(axis=1).sum()) - len(both):
        raise HelperError(
            f"The pairs have a gap with {first} rows before it, and these methods need neighbours in time; "
            f"fill it, or take the stretch after it with unbroken()."
        )
    if len(both) < least:
        raise HelperError(
            f"This needs at least {least} pairs of values, here are {len(both)}; widen the sample."
        )
    return both["y"].to_numpy(float), both["x"].to_numpy(float)


def ols_slopes(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Least-squares slope of each row of ``y`` on the same row of ``x``: arrays (draws, n) -> (draws,)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return np.asarray((centred * y).sum(axis=-1) / (centred**2).sum(axis=-1))


def over_horizon(y: pd.Series, horizon: int) -> pd.Series:
    """Sum of ``y`` over ``horizon`` rows from each row on; NaN at the end, where it is not complete."""
    return y.rolling(horizon).sum().shift(1 - horizon)


def hodrick(y: pd.Series, x: pd.Series, horizon: int) -> Regression:
    """Regression of the next ``horizon`` returns on ``x``, with the errors of Hodrick (1992), his 1B.

    Sums of returns overlap, and Newey-West rejects too often. Under the null the overlap can be moved from the
    returns to the predictor: the errors rest on one-period returns times the sum of the last ``horizon``
    predictors.
    """
    from scipy import stats

    after, before = _pairs(y, x, least=horizon + 3)
    starts = len(after) - horizon + 1
    design = np.column_stack([np.ones(len(before)), before])
    sums = np.convolve(after, np.ones(horizon), mode="valid")
    inverse = np.linalg.inv(design[:starts].T @ design[:starts] / starts)
    params = inverse @ (design[:starts].T @ sums / starts)
    summed = np.column_stack([np.convolve(design[:, k], np.ones(horizon), mode="valid") for k in (0, 1)])
    weighted = summed * (after - after.mean())[horizon - 1 :, None]
    error = float(np.sqrt((inverse @ (weighted.T @ weighted / starts) @ inverse)[1, 1] / starts))
    t = float(params[1] / error)
    return Regression(float(params[1]), error, t, float(2 * stats.norm.sf(abs(t))), starts)


def predict(
    y: pd.Series, x: pd.Series, horizon: int = 1, lags: int | None = None
) -> rates.Slope | Regression:
    """Regression of the next return on ``x``: Newey and West's errors for one period, Hodrick's for several.

    Rows without a pair are left out for one period; for several the last stretch without a gap is taken.
    """
    if horizon == 1:
        return rates.hac_slope(y, x, lags=lags)
    both = unbroken(y, x)
    return hodrick(both["y"], both["x"], horizon)


def non_overlapping(y: pd.Series, x: pd.Series, horizon: int) -> pd.DataFrame:
    """The same regression on every ``horizon``-th row, once for each row to begin with.

    Returns a frame by first row: ``slope``, ``t`` (classical errors) and ``n``. The starts share data: they show
    how much hangs on the choice, they are no independent samples.
    """
    from scipy import stats

    after, before = _pairs(y, x, least=4 * horizon)
    sums = np.convolve(after, np.ones(horizon), mode="valid")
    rows = []
    for first in range(horizon):
        fit = stats.linregress(before[: len(sums)][first::horizon], sums[first::horizon])
        rows.append({"slope": fit.slope, "t": fit.slope / fit.stderr, "n": len(sums[first::horizon])})
    return pd.DataFrame(rows).rename_axis("first row")


def stambaugh(y: pd.Series, x: pd.Series) -> Bias:
    """Small-sample bias of a predictive slope (Stambaugh 1999): about ``-(1 + 3 rho) / n`` times residual on shock.

    If the predictor is persistent and its shocks come together with those of the return, least squares finds a
    slope where there is none. Returns :class:`Bias`: ``persistence`` (rho, autoregression of x), ``correlation`` of
    the two residuals, ``bias`` and ``corrected`` slope.
    """
    after, before = _pairs(y, x)
    slope, rho, residual, shock = _system(after, before)
    bias = -(residual @ shock) / (shock @ shock) * (1 + 3 * rho) / len(before)
    return Bias(rho, float(np.corrcoef(residual, shock)[0, 1]), float(bias), float(slope - bias))


def _system(y: np.ndarray, x: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Slope of y on x, autoregression of x, and both residuals of the periods that have both."""
    slope = float(ols_slopes(y, x))
    rho = float(ols_slopes(x[1:], x[:-1]))
    residual = y - y.mean() - slope * (x - x.mean())
    shock = x[1:] - x[1:].mean() - rho * (x[:-1] - x[:-1].mean())
    # The shock that arrives during a row's return is the one that makes the next row's predictor.
    return slope, rho, residual[:-1], shock


def null_slopes(y: pd.Series, x: pd.Series, draws: int, seed: int) -> np.ndarray:
    """Slopes, array (draws,), that chance finds when ``x`` predicts nothing but stays as slow, and as tied to ``y``.

    Pairs of residuals are drawn with replacement; the predictor is built up again as a first-order autoregression,
    the return is its mean plus its residual. In a short sample the persistence comes out too low and the spread of
    these slopes too wide, so that a test against them rejects too seldom; their mean is the bias.
    """
    after, before = _pairs(y, x)
    _, rho, residual, shock = _system(after, before)

    def slopes(picks: np.ndarray) -> np.ndarray:
        drawn = (shock - shock.mean())[picks]
        paths = np.empty_like(drawn)
        paths[:, 0] = before[0] - before.mean()
        for step in range(1, len(before)):
            paths[:, step] = rho * paths[:, step - 1] + drawn[:, step - 1]
        return ols_slopes(after.mean() + (residual - residual.mean())[picks], paths)

    picks = np.random.default_rng(seed).integers(len(shock), size=(draws, len(before)))
    return resample.over_draws(slopes, picks)


def shuffled_slopes(y: pd.Series, x: pd.Series, draws: int, seed: int) -> np.ndarray:
    """Slopes found when the years of ``x`` are shuffled: the control for a predictor without memory."""
    after, before = _pairs(y, x)
    mixed = np.random.default_rng(seed).permuted(np.tile(before, (draws, 1)), axis=1)
    return resample.over_draws(lambda x: ols_slopes(after, x), mixed)


def chance(found: float, drawn: np.ndarray) -> float:
    """Share of drawn values at least as far from zero as the one found (it counts itself), 0 to 1."""
    return float((1 + (np.abs(drawn) >= abs(found)).sum()) / (len(drawn) + 1))


def out_of_sample_r2(y: pd.Series, x: pd.Series, first: int) -> float:
    """One minus the forecast's squared error over that of the mean so far, in percent (Goyal and Welch 2008).

    From row ``first`` on, each return is forecast by a regression on the rows before it alone.
    """
    after, before = _pairs(y, x, least=first + 1)
    squared = naive = 0.0
    for row in range(first, len(after)):
        past_y, past_x = after[:row], before[:row]
        slope = float(ols_slopes(past_y, past_x))
        forecast = past_y.mean() + slope * (before[row] - past_x.mean())
        squared += (after[row] - forecast) ** 2
        naive += (after[row] - past_y.mean()) ** 2
    return float((1 - squared / naive) * 100)
