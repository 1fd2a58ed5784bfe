"""Event studies: what a return did around some dates beyond what the market explains, and what chance gives.

Methods: S. J. Brown and J. B. Warner, "Using daily stock returns: the case of event studies", Journal of
Financial Economics 14 (1985); A. C. MacKinlay, "Event studies in economics and finance", Journal of Economic
Literature 35 (1997). Returns are simple daily returns in percent by session; windows are counted in sessions
from the event day, which is 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, sqrt
from typing import Any

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import HelperError, Missing
from helpers.measures.rates import SEEN, Z, power

#: Length of the estimation window in sessions, and its last session counted back from the event.
ESTIMATION = 250
GAP = 11
#: Up to this many combinations a permutation test counts them all instead of drawing.
ALL_UP_TO = 7_000_000


def abnormal_returns(
    asset: pd.Series,
    benchmark: pd.Series,
    dates: Iterable[pd.Timestamp | str],
    before: int,
    after: int,
    **model: Any,
) -> pd.DataFrame:
    """Market-model abnormal returns around each event: the return less alpha plus beta times the benchmark's, percent.

    Returns a frame, a row a date, a column a day from ``-before`` to ``after``; NaN after ``until``, the last
    session that may be used. The model is estimated over ``estimation`` sessions (250) up to ``gap`` (11) before
    day 0; ``plain`` takes the asset less the benchmark (alpha zero, beta one). Raises HelperError for a date that
    is no session or lacks history or future, and for a gap that lets the window run into its estimation; Missing
    for a lost return.
    """
    days, abnormal, _, _ = _windows(asset, benchmark, dates, before, after, **model)
    return pd.DataFrame(abnormal, index=days, columns=np.arange(-before, after + 1))


def event_study(
    asset: pd.Series,
    benchmark: pd.Series,
    dates: Iterable[pd.Timestamp | str],
    before: int,
    after: int,
    **model: Any,
) -> pd.DataFrame:
    """Cumulative abnormal return of each event with its standard error, asked as :func:`abnormal_returns`.

    Returns a frame, a row a date: ``car`` (sum over the window, percent), ``se`` (percent), ``t``, ``low`` and
    ``high`` (95 percent interval), ``sessions`` (of the window), ``alpha``, ``beta``, ``sigma``. The error holds
    the noise of the window's L sessions and the sampling error of alpha and beta (MacKinlay 1997, section 5):
    sigma² (L + L²/n + (sum of (x − mean))² / squares); without a model it is the noise alone.
    """
    days, abnormal, market, fitted = _windows(asset, benchmark, dates, before, after, **model)
    alpha, beta, sigma, mean, squares = fitted
    length = np.isfinite(abnormal).sum(axis=1)
    moved = np.nansum(market, axis=1) - length * mean
    n = model.get("estimation", ESTIMATION)
    sampling = 0.0 if model.get("plain") else length**2 / n + moved**2 / squares
    car, se = np.nansum(abnormal, axis=1), sigma * np.sqrt(length + sampling)
    columns = {"car": car, "se": se, "t": car / se, "low": car - Z * se, "high": car + Z * se}
    columns |= {"sessions": length, "alpha": alpha, "beta": beta, "sigma": sigma}
    return pd.DataFrame(columns, index=days)


def mean_effect(study: pd.DataFrame) -> pd.Series:
    """Mean cumulative abnormal return over the events of :func:`event_study`.

    Returns ``mean`` (percent); ``se_model``, from each event's own error, events taken as independent;
    ``se_cross``, from their spread (Brown and Warner 1985), NaN for one; their ratios ``t_model`` and ``t_cross``;
    ``low`` and ``high``, the 95 percent interval of the market model; ``n``.
    """
    n = len(study)
    if n == 0:
        raise HelperError("There is no event to take a mean of.")
    mean = float(study["car"].mean())
    model = sqrt(float((study["se"] ** 2).sum())) / n
    cross = float(study["car"].std(ddof=1)) / sqrt(n) if n > 1 else float("nan")
    found = {
        "mean": mean,
        "se_model": model,
        "se_cross": cross,
        "t_model": mean / model,
        "t_cross": mean / cross,
    }
    return pd.Series(found | {"low": mean - Z * model, "high": mean + Z * model, "n": n})


def difference(one: pd.Series, other: pd.Series, size: float = 1.0) -> pd.Series:
    """How far the mean around some events lies above that around others, both from :func:`mean_effect`.

    Returns ``mean`` (points), ``se`` and ``t`` (market model, events independent), ``low`` and ``high`` (95
    percent), ``power`` (chance in percent that a true ``size`` had been told from zero) and ``seen`` (told four
    times in five).
    """
    mean, se = one["mean"] - other["mean"], float(np.hypot(one["se_model"], other["se_model"]))
    ends = {"low": mean - Z * se, "high": mean + Z * se}
    return pd.Series(
        {"mean": mean, "se": se, "t": mean / se, **ends, "power": power(size, se), "seen": SEEN * se}
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


def permutation_means(
    pool: np.ndarray, size: int, draws: int = 10_000, seed: int = 0, last: np.ndarray | None = None
) -> tuple[np.ndarray, bool]:
    """Means of ``size`` members of ``pool``: of every combination, or of ``draws`` random ones; True if of every one.

    With ``last`` one of the ``size`` is a member of ``last``. All are taken up to :data:`ALL_UP_TO`.
    """
    values = np.asarray(pool, dtype=float)
    ends = np.zeros(1) if last is None else np.asarray(last, dtype=float)
    count = size if last is None else size - 1
    if comb(len(values), count) * len(ends) <= ALL_UP_TO:
        sums = combination_means(values, count) * count if count else np.zeros(1)
        return np.add.outer(sums, ends).ravel() / size, True
    generator = np.random.default_rng(seed)
    # The first places of a random order, drawn without replacement in every row.
    order = generator.random((draws, len(values))).argpartition(count, axis=1)[:, :count]
    return (values[order].sum(axis=1) + ends[generator.integers(len(ends), size=draws)]) / size, False


def permutation_p(
    observed: float,
    pool: np.ndarray,
    size: int,
    draws: int = 10_000,
    seed: int = 0,
    last: np.ndarray | None = None,
) -> pd.Series:
    """How often ``size`` random members of ``pool`` (the events among them) have a mean like the one observed.

    Returns ``mean`` (observed), ``greater`` (share as large or larger), ``two_sided`` (share at least as far from
    the mean of all), ``combinations`` (counted or drawn) and ``exact`` (all were counted). Where they are drawn,
    the observed one counts as a further draw, so that no p-value is zero. ``last`` is that of
    :func:`permutation_means`.
    """
    means, exact = permutation_means(pool, size, draws, seed, last)
    rest = 0.0 if last is None else float(np.mean(last))
    centre = (float(np.mean(pool)) * (size - (last is not None)) + rest) / size
    near = 1e-9  # a float's last bits do not decide
    away = abs(observed - centre) - near
    beyond = (means >= centre + away) | (means <= centre - away)
    counts = ((means >= observed - near).sum(), beyond.sum())
    extra = 0 if exact else 1
    shares = [float((count + extra) / (len(means) + extra)) for count in counts]
    labels = ["mean", "greater", "two_sided", "combinations", "exact"]
    return pd.Series([observed, *shares, len(means) + extra, exact], index=labels, dtype=object)


def pools(
    asset: pd.Series,
    benchmark: pd.Series,
    others: pd.DatetimeIndex,
    before: int,
    after: int,
    *,
    until: calendar.Day,
    kept: int | None = None,
    **model: Any,
) -> tuple[np.ndarray, np.ndarray | None]:
    """What the windows of ``others`` gave: whole ones, and ones that end ``kept`` sessions after their day.

    Used are the sessions whose window ends by ``until``; the second is None if ``kept`` is, or is ``after``.
    """

    def sums(length: int) -> np.ndarray:
        end = calendar.previous_session(until, length) if length else calendar.day(until)
        return event_study(asset, benchmark, others[others <= end], before, length, **model)["car"].to_numpy()

    return sums(after), None if kept in (None, after) else sums(int(kept or 0))


def chance(
    asset: pd.Series,
    benchmark: pd.Series,
    dates: Iterable[pd.Timestamp | str],
    others: pd.DatetimeIndex,
    before: int,
    after: int,
    *,
    until: calendar.Day,
    draws: int = 10_000,
    seed: int = 0,
    **model: Any,
) -> pd.Series:
    """:func:`permutation_p` of the mean around some events among all choices of as many ``others``.

    The windows of both end by ``until``. One event's may be cut by it; the choices then hold one as short.
    """
    study = event_study(asset, benchmark, dates, before, after, until=until, **model)
    kept = (study["sessions"] - before - 1).astype(int)
    short = kept[kept < after]
    if len(short) > 1:
        raise HelperError("More than one window runs past the last session; name fewer events.")
    end = short.iloc[0] if len(short) else None
    whole, last = pools(asset, benchmark, others, before, after, until=until, kept=end, **model)
    return permutation_p(float(study["car"].mean()), whole, len(study), draws, seed, last)


def lasting_falls(rate: pd.Series, days: int = 5, least: float = 0.18) -> pd.Series:
    """Days on which a rate stepped down and stayed down, and the step in points: decisions that no list names.

    The median of the ``days`` business days from the day on, and that of the ``days`` after them, lie at least
    ``least`` points below the median of the ``days`` before it; the first also below the ``days`` before those. Of
    neighbouring days the one with the largest fall.
    """
    business = rate[pd.DatetimeIndex(rate.index).dayofweek < 5]
    level = business.rolling(days).median()
    before, earlier = level.shift(1), level.shift(1 + days)
    after, later = level.shift(1 - days), level.shift(1 - 2 * days)
    step = pd.concat([after - before, later - before, after - earlier], axis=1).max(axis=1, skipna=False)
    found = step[step <= -least]
    spell = (step <= -least).astype(int).diff().ne(0).cumsum()[found.index]
    fall = business.diff()
    return pd.Series({fall[part.index].idxmin(): part.min() for _, part in found.groupby(spell)}, dtype=float)


def _windows(
    asset: pd.Series,
    benchmark: pd.Series,
    dates: Iterable[pd.Timestamp | str],
    before: int,
    after: int,
    until: calendar.Day | None = None,
    estimation: int = ESTIMATION,
    gap: int = GAP,
    plain: bool = False,
) -> tuple[pd.DatetimeIndex, np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Event days; abnormal returns and those of the market, (events, sessions), NaN after the last; their models."""
    if gap <= before:
        raise HelperError(f"An estimation window that ends {gap} sessions before the event runs into it.")
    at = pd.DatetimeIndex(asset.index)
    y, x = asset.to_numpy(float), benchmark.reindex(at).to_numpy(float)
    held = np.flatnonzero(~np.isnan(x))
    inside = slice(held[0], held[-1] + 1) if len(held) else slice(0, 0)
    y, x, at = y[inside], x[inside], at[inside]
    if len(gone := np.flatnonzero(np.isnan(y) | np.isnan(x))):
        raise Missing(f"A return of {at[gone[0]]:%Y-%m-%d} is missing; event windows need every session.")
    known = len(at) if until is None else int(at.searchsorted(calendar.day(until), side="right"))
    days = pd.DatetimeIndex([pd.Timestamp(date) for date in dates])
    position = at.get_indexer(days)
    for day, place in zip(days, position, strict=True):
        if place < 0:
            raise HelperError(f"{day:%Y-%m-%d} is no session of the returns; name the session that reacted.")
        future = place < known if until is not None else place + after < known
        if place < estimation + gap - 1 or not future:
            raise HelperError(
                f"The returns from {at[0]:%Y-%m-%d} to {at[known - 1]:%Y-%m-%d} do not cover the estimation of "
                f"{estimation} sessions before {day:%Y-%m-%d} and the {after} sessions after it."
            )
    start = position.min() - gap - estimation + 1 if len(position) else 0  # nothing before it is needed
    fitted = _rolling_model(y[start:], x[start:], estimation, plain)
    model = tuple(part[position - gap - start] for part in fitted)
    cells = position[:, None] + np.arange(-before, after + 1)
    inside, cells = cells < known, np.minimum(cells, len(at) - 1)
    market = np.where(inside, x[cells], np.nan)
    abnormal = y[cells] - model[0][:, None] - model[1][:, None] * market
    return at[position], abnormal, market, model


def _rolling_model(y: np.ndarray, x: np.ndarray, length: int, plain: bool) -> tuple[np.ndarray, ...]:
    """alpha, beta, sigma, mean and squares of the market model over the ``length`` sessions up to each.

    Ordinary least squares; ``squares`` are the benchmark's, which the error of a forecast needs. ``plain`` fixes alpha
    at zero and beta at one.
    """
    pair = pd.DataFrame({"y": y, "x": x, "gap": (y - x) ** 2}).rolling(length)
    mean, variance = pair.mean(), pair.var(ddof=0)
    squares = variance["x"] * length
    if plain:
        fixed = np.ones(len(y))
        parts = (0 * fixed, fixed, np.sqrt(mean["gap"].clip(lower=0)), mean["x"], squares)
    else:
        covariance = pd.Series(x).rolling(length).cov(pd.Series(y), ddof=0)
        beta = covariance / variance["x"]
        unexplained = (variance["y"] - beta * covariance).clip(lower=0) * length
        parts = (mean["y"] - beta * mean["x"], beta, np.sqrt(unexplained / (length - 2)), mean["x"], squares)
    return tuple(np.asarray(part) for part in parts)
