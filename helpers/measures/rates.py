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

#: Fewest weeks from which a slope is estimated at all.
FEWEST = 12
#: Half of a 95 percent interval in standard errors, and the effect that is told from zero four times in five.
Z, SEEN = 1.96, 2.8


def period_ends(start: calendar.Day, end: calendar.Day, code: str) -> pd.DatetimeIndex:
    """Last sessions of other periods than weeks, by pandas' code: ``"M"``, or ``"W-WED"``; the last one is left out."""
    span = calendar.sessions(start, end)
    return pd.DatetimeIndex(span.to_series().groupby(span.to_period(code)).max().iloc[:-1])


def weekly_returns(prices: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """Simple returns in percent from one week's end to the next, one column a series.

    Returns a frame indexed by ``ends[1:]``; NaN before a series begins and after it ends. Raises HelperError if a
    series lacks the close of a week's end between its first and its last one.

    Parameters
    ----------
    prices : closes (or closes adjusted for dividends) by session; a series may begin late or end early
    ends : the last session of each week, in order, without gaps
    """
    closes = prices.reindex(ends)
    for name in closes:
        inside = closes[name].loc[closes[name].first_valid_index() : closes[name].last_valid_index()]
        if inside.isna().any():
            raise Missing(
                f"{name} has no close on {inside.index[inside.isna()][0]:%Y-%m-%d}, the end of a week; "
                f"fetch it again, nothing is filled in."
            )
    return (closes.pct_change(fill_method=None) * 100).iloc[1:]


def match(values: pd.Series, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """The value of a daily series that stands at the close of each week.

    That is the value of the week's last session. Where that day has none (the bond market keeps holidays that
    New York's exchange does not), it is the last value observed since the end of the week before.

    Returns a frame indexed by ``ends``: ``value``, ``observed`` (its date) and ``late`` (True where it is older
    than the week's end). A week without any observation has NaN, NaT and False.
    """
    series = values.dropna()
    if series.empty:
        raise HelperError("The series has no value at all; fetch it again.")
    place = np.asarray(series.index.searchsorted(ends, side="right")) - 1
    found = place >= 0
    observed = pd.Series(series.index[np.maximum(place, 0)], index=ends).where(found)
    before = pd.Series([ends[0] - pd.Timedelta(days=7), *ends[:-1]], index=ends)
    fresh = found & (observed > before).to_numpy()
    level = pd.Series(series.to_numpy()[np.maximum(place, 0)], index=ends)
    late = fresh & (observed < pd.Series(ends, index=ends))
    return pd.DataFrame({"value": level.where(fresh), "observed": observed.where(fresh), "late": late})


def weekly_changes(values: pd.Series, ends: pd.DatetimeIndex, strict: bool = False) -> pd.Series:
    """Change of a daily series from one week's end to the next, in its own unit (percentage points).

    Returns a Series indexed by ``ends[1:]``; NaN where a week has no value.

    Parameters
    ----------
    values : daily observations, in percent for a yield
    ends : the last session of each week, in order
    strict : leave out the changes to and from a week whose value is older than its end
    """
    at = match(values, ends)
    level = at["value"].mask(at["late"]) if strict else at["value"]
    return level.diff().iloc[1:].rename(values.name)


def moved(values: pd.Series, start: calendar.Day, end: calendar.Day) -> float:
    """Change of a daily series between two days; where a day has no value, the last one before it stands in.

    Raises Missing where the series begins later.
    """
    first, last = (values.asof(calendar.day(day)) for day in (start, end))
    if pd.isna(first):
        raise Missing(
            f"{values.name} begins on {values.first_valid_index():%Y-%m-%d}, after {calendar.day(start):%Y-%m-%d}."
        )
    return float(last - first)


def weeks_within(ends: pd.DatetimeIndex, start: calendar.Day, end: calendar.Day) -> pd.DatetimeIndex:
    """Ends of the weeks that lie wholly within a window of closes.

    A week counts if it runs from a close not before that which stands at ``start`` to a close not after
    ``end``. Weeks that one of the two dates cuts are left out.
    """
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

        "no link" needs an interval that leaves no room for a slope of ``size`` in that direction; an interval
        that holds both zero and ``size`` cannot tell.
        """
        if abs(self.t) >= Z:
            return "link" if sign * self.slope > 0 else "opposite link"
        return "no link" if sign * self.slope + Z * self.se < size else "cannot tell"


def hac_slope(
    spread: pd.Series, change: pd.Series, controls: pd.DataFrame | None = None, lags: int | None = None
) -> Slope:
    """Least squares of a spread of returns on the change of a yield, with Newey-West errors.

    Returns a Slope; ``dropped`` counts the weeks that lacked one of the values. Raises HelperError for fewer than
    twelve weeks, or a yield that does not move.

    Parameters
    ----------
    spread : returns of one fund minus those of another, percentage points a week
    change : change of the yield in the same weeks, percentage points
    controls : further variables that are held fixed, one column each
    lags : of the Newey-West (1987) covariance with Bartlett weights, by statsmodels and without its
        small-sample factor; :func:`newey_west_lags` by default, zero gives White's errors
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
    """One row a week: the spread of each pair of funds, the return of the market, the change of each yield.

    Returns a frame indexed by ``ends``, in percentage points; the first row is empty.

    Parameters
    ----------
    prices : closes adjusted for dividends by session; pairs whose funds it lacks are left out
    pairs : (first, second) by name; the spread is the return of the first minus that of the second
    series : daily yields in percent by name
    ends : the last session of each week (or of another period)
    market : the column of ``prices`` whose return becomes the column ``market``
    strict : as for :func:`weekly_changes`
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
    lags: int | None = None,
) -> Slope:
    """Weekly slope of a pair's spread of returns on a yield, with the market's return held fixed.

    Returns :class:`Slope`: ``slope``, ``se``, ``t``, ``low``, ``high``, ``n``, ``smallest``, and ``power(size)``
    and ``reading(size)`` for an effect that would matter.

    Parameters
    ----------
    prices : closes adjusted for dividends by session, with both funds and the market
    values : a daily yield in percent
    start, end : the window; a week counts if it lies wholly within it
    pair : the spread is the return of the first minus that of the second
    lags : as for :func:`hac_slope`
    """
    first = calendar.session_on_or_before(start)
    ends = calendar.week_ends(first - pd.Timedelta(days=first.weekday()), end)
    weeks = panel(
        prices[list(dict.fromkeys([*pair, market]))], {"pair": pair}, {"yield": values}, ends, market=market
    )
    return slope(weeks, "pair", "yield", (start, end), lags=lags)


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

    Parameters
    ----------
    keys : names; those that do not end in a yield and one of the windows are left out. What is asked is
        ``slope`` and ``t`` with nothing held fixed, else ``held``, ``t_held``, ``low``, ``high``, ``smallest``,
        ``power`` (percent, for a slope of ``size``), ``p`` (the p-value) or ``holm_p`` (the same after Holm's
        correction for ``tests``)
    weeks, pair, held, lags : as for :func:`slope`
    windows : first and last day by name
    tests, own : p-values by pair, yield and window; that of ``own``, the yield and the window gives way to the new
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
    of the spread right, with ``p`` against tossing a coin; ``falling`` and its ``p_falling``, the same for "the
    pair gains when the yield falls"; ``r2``, percent of the squared misses of the plain mean that the slope saves.
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
    """What is left of each column when its own least-squares share of ``held`` is taken off.

    The plain slope of one such column on another is the slope with ``held`` fixed (Frisch and Waugh 1933).
    Rows without one of the values are left out.
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
    """Slope over the last ``weeks`` weeks at each week, with a bootstrap band.

    In each window whole weeks are drawn with the stationary bootstrap (Politis and Romano 1994, by ``arch``), so
    that neither equal variances nor independent weeks are assumed. The same draw of positions serves all
    windows. The band is pointwise: it is right for one week chosen beforehand.

    Returns a frame indexed by the last week of each window: ``slope``, ``low``, ``high`` (pp per pp).

    Parameters
    ----------
    spread, change : as for :func:`hac_slope`; weeks without either are left out before the windows are cut
    weeks : length of the window
    held : one variable that is held fixed in every window
    draws : bootstrap draws a window; none gives the slopes without a band
    block : mean length of a block, weeks
    seed : of the random generator
    share : of the draws that lie inside the band
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
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(block, np.arange(weeks), seed=np.random.default_rng(seed))
    drawn = np.stack([np.bincount(data[0][0], minlength=weeks) for data in bootstrap.bootstrap(draws)])
    tail = (1 - share) / 2
    band = np.nanquantile(_slopes(drawn.astype(float), **cut), [tail, 1 - tail], axis=0)
    return found.assign(low=band[0], high=band[1])


def shuffled_t(
    spread: pd.Series, change: pd.Series, lags: int, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Newey-West t-values of the slope after the yield changes were dealt out to the weeks at random.

    What a test finds where nothing is to be found: the placebo behind a permutation test. The formula is
    that of :func:`hac_slope` without controls, for all draws at once.

    Returns an array (draws,).
    """
    pairs = pd.concat([spread.rename("y"), change.rename("x")], axis=1, join="inner").dropna()
    y = pairs["y"].to_numpy(float) - pairs["y"].mean()
    x = pairs["x"].to_numpy(float) - pairs["x"].mean()
    return _newey_west_t(np.random.default_rng(seed).permuted(np.tile(x, (draws, 1)), axis=1), y, lags)


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
