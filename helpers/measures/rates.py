"""How a spread of returns goes with changes of a yield: weeks, slopes, their errors and what they could have seen.

A slope is in percentage points of return per percentage point of yield (pp per pp): minus two means that
in a week in which the yield rises by a tenth of a point the spread is two tenths of a point lower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import HelperError, Missing
from helpers.measures import resample

#: Fewest weeks from which a slope is estimated at all.
FEWEST = 12
#: Half of a 95 percent interval in standard errors, and the effect that is told from zero four times in five.
Z, SEEN = 1.96, 2.8


def period_ends(start: calendar.Day, end: calendar.Day, code: str) -> pd.DatetimeIndex:
    """Last sessions of other periods than weeks, by pandas' code: ``"M"``, or ``"W-WED"``; the last one is left out."""
    span = calendar.sessions(start, end)
    return pd.DatetimeIndex(span.to_series().groupby(span.to_period(code)).max().iloc[:-1])


def weekly_returns(prices: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """Simple returns in percent from one week's end to the next, by series; NaN before it begins and after.

    Raises Missing if a series lacks the close of one of the ``ends`` (last sessions, in order) between its first
    and last one: nothing is filled in.
    """
    closes = prices.reindex(ends)
    inside = closes.isna() & closes.ffill().notna() & closes.bfill().notna()
    for name in closes.columns[inside.any()]:
        raise Missing(
            f"{name} has no close on {inside[name].idxmax():%Y-%m-%d}, the end of a week; "
            f"fetch it again, nothing is filled in."
        )
    return (closes.pct_change(fill_method=None) * 100).iloc[1:]


def match(values: pd.Series, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """The value of a daily series at the close of each week: the last one since the end of the week before.

    The bond market keeps holidays that New York's exchange does not. Returns a frame by ``ends``: ``value``,
    ``observed`` (its date) and ``late`` (older than the week's end); NaN, NaT and False for a week without one.
    """
    series = values.dropna()
    if series.empty:
        raise HelperError("The series has no value at all; fetch it again.")
    level, observed = (found.reindex(ends, method="ffill") for found in (series, series.index.to_series()))
    fresh = observed > pd.Series([ends[0] - pd.Timedelta(days=7), *ends[:-1]], ends)
    late = fresh & (observed < ends)
    return pd.DataFrame({"value": level.where(fresh), "observed": observed.where(fresh), "late": late})


def weekly_changes(values: pd.Series, ends: pd.DatetimeIndex, strict: bool = False) -> pd.Series:
    """Change of a daily series from one week's end to the next, in its own unit; NaN where a week has no value.

    ``strict`` leaves out the changes to and from a week whose value is older than its end.
    """
    at = match(values, ends)
    level = at["value"].mask(at["late"]) if strict else at["value"]
    return level.diff().iloc[1:].rename(values.name)


def moved(values: pd.Series, start: calendar.Day, end: calendar.Day) -> float:
    """Change of a daily series between two days, or the last values before; Missing where it begins later."""
    first, last = (values.asof(calendar.day(day)) for day in (start, end))
    if pd.isna(first):
        raise Missing(
            f"{values.name} begins on {values.first_valid_index():%Y-%m-%d}, after {calendar.day(start):%Y-%m-%d}."
        )
    return float(last - first)


def weeks_within(ends: pd.DatetimeIndex, start: calendar.Day, end: calendar.Day) -> pd.DatetimeIndex:
    """Ends of the weeks wholly within a window: from a close that stands at ``start`` or later up to ``end``."""
    first, last = calendar.session_on_or_before(start), calendar.day(end)
    return ends[1:][(ends[:-1] >= first) & (ends[1:] <= last)]


def newey_west_lags(count: int) -> int:
    """Lags for ``count`` observations: the whole part of 4 (n / 100)^(2/9), Newey and West (1994)."""
    return int(4 * (count / 100) ** (2 / 9))


def power(size: float, se: float) -> float:
    """Chance in percent that a true effect of ``size`` is told from zero with a standard error of ``se``."""
    from scipy.stats import norm

    away = abs(size) / se
    return float(100 * (norm.cdf(away - Z) + norm.cdf(-away - Z)))


@dataclass(frozen=True)
class Slope:
    """A slope with its error: pp per pp; ``p`` is two-sided, from Student's t."""

    slope: float
    se: float
    t: float
    p: float
    n: int
    lags: int
    dropped: int
    intercept: float

    @property
    def low(self) -> float:
        """Lower end of the 95 percent interval, 1.96 standard errors below, as the rules of claims count it."""
        return self.slope - Z * self.se

    @property
    def high(self) -> float:
        """Upper end of the 95 percent interval."""
        return self.slope + Z * self.se

    @property
    def smallest(self) -> float:
        """The slope that would be told from zero four times in five (2.8 standard errors), pp per pp."""
        return SEEN * self.se

    def power(self, size: float = 1.0) -> float:
        """Chance in percent that a true slope of ``size`` would have been told from zero with this error."""
        return power(size, self.se)

    def reading(self, size: float = 1.0, sign: int = -1) -> str:
        """What the interval tells of a link of the given sign: yes, the other way round, no, or nothing.

        "no link" needs an interval without room for a slope of ``size`` in that direction; one that holds both zero
        and ``size`` cannot tell.
        """
        if abs(self.t) >= Z:
            return "link" if sign * self.slope > 0 else "opposite link"
        return "no link" if sign * self.slope + Z * self.se < size else "cannot tell"


def hac_slope(
    spread: pd.Series, change: pd.Series, controls: pd.DataFrame | None = None, lags: int | None = None
) -> Slope:
    """Least squares of a spread of returns on the change of a yield, points a week, with Newey-West (1987) errors.

    By statsmodels, Bartlett weights, without its small-sample factor. ``controls`` are held fixed, one column each;
    ``lags`` are those of :func:`newey_west_lags` by default, zero gives White's errors. ``dropped`` counts the
    weeks that lacked one of the values. Raises HelperError for fewer than :data:`FEWEST` weeks, or a yield that
    does not move.
    """
    import statsmodels.api as sm

    parts = [spread.rename("spread"), change.rename("change"), *([controls] if controls is not None else [])]
    rows = pd.concat(parts, axis=1, join="inner").to_numpy(float)
    whole = rows[~np.isnan(rows).any(axis=1)]
    if len(whole) < FEWEST:
        raise HelperError(f"A slope needs at least {FEWEST} weeks, here are {len(whole)}; widen the window.")
    if whole[:, 1].std() == 0:
        raise HelperError("The yield does not move in this window, so that nothing can be fitted; widen it.")
    used = newey_west_lags(len(whole)) if lags is None else lags
    known = np.column_stack([np.ones(len(whole)), whole[:, 1:]])
    fit = sm.OLS(whole[:, 0], known).fit(cov_type="HAC", cov_kwds={"maxlags": used}, use_t=True)
    b, se, t, p = (float(part[1]) for part in (fit.params, fit.bse, fit.tvalues, fit.pvalues))
    return Slope(b, se, t, p, len(whole), used, len(rows) - len(whole), float(fit.params[0]))


def panel(
    prices: pd.DataFrame,
    pairs: Mapping[str, tuple[str, str]],
    series: Mapping[str, pd.Series],
    ends: pd.DatetimeIndex,
    *,
    market: str = "SPY",
    strict: bool = False,
) -> pd.DataFrame:
    """One row a week: the spread of each pair of funds, the return of the market, the change of each yield, points.

    ``prices`` are closes adjusted for dividends; ``pairs`` (first minus second, by name) whose funds it lacks are
    left out; ``series`` are daily yields in percent by name; ``ends`` the last sessions of the periods, the first
    of which has an empty row; ``strict`` as for :func:`weekly_changes`.
    """
    change = weekly_returns(prices, ends)
    known = {name: pair for name, pair in pairs.items() if set(pair) <= set(change)}
    columns = {name: change[first] - change[second] for name, (first, second) in known.items()}
    columns["market"] = change[market]
    columns |= {name: weekly_changes(values, ends, strict) for name, values in series.items()}
    return pd.DataFrame(columns).reindex(ends)


def slope(
    weeks: pd.DataFrame,
    pair: str,
    rate: str,
    window: tuple[calendar.Day, calendar.Day],
    held: Sequence[str] = ("market",),
    lags: int | None = None,
) -> Slope:
    """Slope of one column of a :func:`panel` on another over the weeks wholly within a window.

    ``held`` names the columns that are held fixed; without them the slope is the plain one.
    """
    index = weeks_within(pd.DatetimeIndex(weeks.index), *window)
    rows = weeks[list(dict.fromkeys([pair, rate, *held]))].loc[index]
    return hac_slope(rows[pair], rows[rate], rows[list(held)] if held else None, lags)


def held_slope(
    prices: pd.DataFrame,
    values: pd.Series,
    start: calendar.Day,
    end: calendar.Day,
    pair: tuple[str, str] = ("IWM", "SPY"),
    market: str = "SPY",
) -> Slope:
    """Weekly slope of a pair's spread of returns on a daily yield (percent), with the market's return held fixed.

    ``prices`` are closes adjusted for dividends; weeks count that lie wholly within ``start`` and ``end``.
    """
    first = calendar.session_on_or_before(start)
    ends = calendar.week_ends(first - pd.Timedelta(days=first.weekday()), end)
    closes = prices[list(dict.fromkeys([*pair, market]))]
    weeks = panel(closes, {"pair": pair}, {"yield": values}, ends, market=market)
    return slope(weeks, "pair", "yield", (start, end))


def figures(
    keys: Sequence[str],
    weeks: pd.DataFrame,
    pair: str,
    windows: Mapping[str, tuple[calendar.Day, calendar.Day]],
    held: Sequence[str] = ("market",),
    lags: int | None = None,
    size: float = 1.0,
    tests: Mapping[tuple[str, ...], float] | None = None,
    own: str = "",
) -> dict[str, float]:
    """Slopes of a pair by the names of figures: what is asked, the yield and the window, as in ``t_held_2y_whole``.

    What is asked is ``slope`` and ``t`` with nothing held fixed, else ``held``, ``t_held``, ``low``, ``high``,
    ``smallest``, ``power`` (percent, for a slope of ``size``), ``p`` or ``holm_p``: the p-value after Holm's
    correction for ``tests``, p-values by pair, yield and window, of which that of ``own`` gives way to the new one.
    Of ``keys`` those that do not end in a yield and one of the ``windows`` are left out.
    """
    fits: dict[tuple[object, ...], Slope] = {}
    found = {}
    for key in keys:
        *words, rate, window = key.split("_")
        if window not in windows or not words:
            continue
        what, fixed = "_".join(words), () if words in (["slope"], ["t"]) else tuple(held)
        place = (rate, window, fixed)
        if place not in fits:
            fits[place] = slope(weeks, pair, rate, windows[window], fixed, lags)
        fit = fits[place]
        if what == "holm_p":
            label = (own, rate, window)
            found[key] = float(holm(pd.Series({**(tests or {}), label: fit.p}))[label])
        else:
            attribute = {"held": "slope", "t_held": "t"}.get(what, what)
            found[key] = fit.power(size) if what == "power" else float(getattr(fit, attribute))
    return found


def out_of_sample(
    weeks: pd.DataFrame,
    pair: str,
    rate: str,
    training: tuple[calendar.Day, calendar.Day],
    after: tuple[calendar.Day, calendar.Day],
) -> dict[str, float]:
    """How the plain slope of a window did in the weeks of a later one, by the signs and by the squared misses.

    Returns ``slope`` before; ``weeks`` later in which the yield moved; ``right``, how often the slope had the sign
    of the spread right, with ``p`` against tossing a coin; ``falling`` and ``p_falling``, the same for "the pair
    gains when the yield falls"; ``r2``, percent of the squared misses of the plain mean that the slope saves.
    """
    from scipy.stats import binomtest

    index = pd.DatetimeIndex(weeks.index)
    before = slope(weeks, pair, rate, training, held=())
    rows = weeks.loc[weeks_within(index, *after), [pair, rate]].dropna()
    moved = rows[rows[rate] != 0]
    right, falling = (
        int((np.sign(way * moved[rate]) == np.sign(moved[pair])).sum()) for way in (before.slope, -1)
    )
    mean = weeks.loc[weeks_within(index, *training), pair].mean()
    missed = float(((rows[pair] - before.intercept - before.slope * rows[rate]) ** 2).sum())
    tossed = [float(binomtest(hits, len(moved)).pvalue) for hits in (right, falling)]
    found = {"slope": before.slope, "weeks": len(moved), "right": right, "p": tossed[0]}
    saved = 100 * (1 - missed / float(((rows[pair] - mean) ** 2).sum()))
    return found | {"falling": falling, "p_falling": tossed[1], "r2": saved}


def without(values: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """What is left of each column when its least-squares share of ``held`` is taken off (Frisch and Waugh 1933).

    The plain slope of one such column on another is that with ``held`` fixed. Rows with a gap are left out.
    """
    whole = values.join(held).dropna().astype(float)
    known = np.column_stack([np.ones(len(whole)), whole[list(held)]])
    fitted = known @ np.linalg.lstsq(known, whole[list(values)].to_numpy(), rcond=None)[0]
    return whole[list(values)] - fitted


def holm(p: pd.Series) -> pd.Series:
    """p-values after Holm's (1979) step-down correction for making ``len(p)`` tests at once.

    Written out, because statsmodels' own collects all garbage at each call, half a second in a full kernel.
    """
    ranked = p.sort_values()
    raised = (ranked * np.arange(len(p), 0, -1)).cummax().clip(upper=1)
    return raised.reindex(p.index).rename("Holm p")


def _slopes(weights: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray | None = None) -> np.ndarray:
    """Slope of y on x, z held fixed, for every row of weights (draws, n) and every row of x, y, z (windows, n)."""
    total = weights.sum(axis=1, keepdims=True)

    def moment(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(weights @ (a * b).T - (weights @ a.T) * (weights @ b.T) / total)

    with np.errstate(divide="ignore", invalid="ignore"):
        if z is None:
            return moment(x, y) / moment(x, x)
        xz, zz = moment(x, z), moment(z, z)
        return np.asarray((moment(x, y) * zz - xz * moment(z, y)) / (moment(x, x) * zz - xz**2))


def rolling_slope(
    spread: pd.Series,
    change: pd.Series,
    weeks: int,
    held: pd.Series | None = None,
    draws: int = 1000,
    block: int = 8,
    seed: int = 0,
    share: float = 0.95,
) -> pd.DataFrame:
    """Slope over the last ``weeks`` weeks at each week, pp per pp, with a bootstrap band of ``share`` of the ``draws``.

    Whole weeks are drawn with the stationary bootstrap (Politis and Romano 1994, by ``arch``) in blocks of mean
    length ``block``, so that neither equal variances nor independent weeks are assumed; the same draw of positions
    serves all windows, and ``held`` is fixed in each. The band is pointwise: it is right for one week chosen
    beforehand.

    Returns a frame by the last week of each window: ``slope`` and, unless ``draws`` is 0, ``low``, ``high``. Weeks
    without a value are left out first.
    """
    parts = [spread.rename("y"), change.rename("x"), *([held.rename("z")] if held is not None else [])]
    rows = pd.concat(parts, axis=1, join="inner").dropna()
    if len(rows) < weeks:
        raise HelperError(f"A window of {weeks} weeks does not fit into {len(rows)}; choose a shorter one.")
    view = np.lib.stride_tricks.sliding_window_view
    cut = {key: view(rows[key].to_numpy(float), weeks) for key in rows}
    found = pd.DataFrame({"slope": _slopes(np.ones((1, weeks)), **cut)[0]}, index=rows.index[weeks - 1 :])
    if not draws:
        return found
    drawn = [np.bincount(rows, minlength=weeks) for rows in resample.places(weeks, block, draws, seed)]
    # One product of matrices for all draws: in parts it would be rounded otherwise.
    slopes, tail = _slopes(np.stack(drawn).astype(float), **cut), (1 - share) / 2
    band = np.nanquantile(slopes, [tail, 1 - tail], axis=0)
    return found.assign(low=band[0], high=band[1])


def shuffled_t(
    spread: pd.Series, change: pd.Series, lags: int, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Newey-West t-values of the slope after the yield changes were dealt out to the weeks at random: array (draws,).

    What a test finds where nothing is to be found, by the formula of :func:`hac_slope` without controls.
    """
    pairs = pd.concat([spread.rename("y"), change.rename("x")], axis=1, join="inner").dropna()
    y = pairs["y"].to_numpy(float) - pairs["y"].mean()
    x = pairs["x"].to_numpy(float) - pairs["x"].mean()
    dealt = np.random.default_rng(seed).permuted(np.tile(x, (draws, 1)), axis=1)
    return _newey_west_t(dealt, y, lags)


def _newey_west_t(x: np.ndarray, y: np.ndarray, lags: int) -> np.ndarray:
    """t-value of the slope for each row of x (draws, n); x and y have mean zero."""
    sxx = (x * x).sum(axis=1)
    slope = x @ y / sxx
    score = x * (y - slope[:, None] * x)
    variance = (score * score).sum(axis=1)
    for lag in range(1, lags + 1):
        weight = 1 - lag / (lags + 1)
        variance += 2 * weight * (score[:, lag:] * score[:, :-lag]).sum(axis=1)
    return np.asarray(slope * sxx / np.sqrt(variance))
