"""How a spread of returns goes with changes of a yield: weeks, slopes, their errors, many tests at once.

A slope is in percentage points of return per percentage point of yield (pp per pp): minus two means that
in a week in which the yield rises by a tenth of a point the spread is two tenths of a point lower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import HelperError

#: Fewest weeks from which a slope is estimated at all.
FEWEST = 12


def weekly_returns(prices: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """Simple returns in percent from one week's end to the next, one column a series.

    Parameters
    ----------
    prices : closes (or closes adjusted for dividends) by session; a series may begin late or end early
    ends : the last session of each week, in order, without gaps

    Returns
    -------
    Frame indexed by ``ends[1:]``; NaN before a series begins and after it ends.

    Raises
    ------
    HelperError if a series lacks the close of a week's end between its first and its last one.
    """
    closes = prices.reindex(ends)
    for name in closes:
        inside = closes[name].loc[closes[name].first_valid_index() : closes[name].last_valid_index()]
        if inside.isna().any():
            raise HelperError(
                f"{name} has no close on {inside.index[inside.isna()][0]:%Y-%m-%d}, the end of a week; "
                f"fetch it again, nothing is filled in."
            )
    return (closes.pct_change(fill_method=None) * 100).iloc[1:]


def match(values: pd.Series, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """The value of a daily series that stands at the close of each week.

    That is the value of the week's last session. Where that day has none (the bond market keeps holidays that
    New York's exchange does not), it is the last value observed since the end of the week before.

    Returns
    -------
    Frame indexed by ``ends``: ``value``, ``observed`` (its date) and ``late`` (True where it is older than
    the week's end). A week without any observation has NaN, NaT and False.
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
    return pd.DataFrame(
        {
            "value": level.where(fresh),
            "observed": observed.where(fresh),
            "late": fresh & (observed < pd.Series(ends, index=ends)),
        }
    )


def weekly_changes(values: pd.Series, ends: pd.DatetimeIndex, strict: bool = False) -> pd.Series:
    """Change of a daily series from one week's end to the next, in its own unit (percentage points).

    Parameters
    ----------
    values : daily observations, in percent for a yield
    ends : the last session of each week, in order
    strict : leave out the changes to and from a week whose value is older than its end

    Returns
    -------
    Series indexed by ``ends[1:]``; NaN where a week has no value.
    """
    at = match(values, ends)
    level = at["value"].mask(at["late"]) if strict else at["value"]
    return level.diff().iloc[1:].rename(values.name)


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
    margin: float

    @property
    def low(self) -> float:
        """Lower end of the 95 percent interval."""
        return self.slope - self.margin

    @property
    def high(self) -> float:
        """Upper end of the 95 percent interval."""
        return self.slope + self.margin


def hac_slope(
    spread: pd.Series, change: pd.Series, controls: pd.DataFrame | None = None, lags: int | None = None
) -> Slope:
    """Least squares of a spread of returns on the change of a yield, with Newey-West errors.

    Parameters
    ----------
    spread : returns of one fund minus those of another, percentage points a week
    change : change of the yield in the same weeks, percentage points
    controls : further variables that are held fixed, one column each
    lags : of the Newey-West (1987) covariance with Bartlett weights, by statsmodels and without its
        small-sample factor; :func:`newey_west_lags` by default, zero gives White's errors

    Returns
    -------
    Slope; ``dropped`` counts the weeks that lacked one of the values.

    Raises
    ------
    HelperError for fewer than twelve weeks, or a yield that does not move.
    """
    import statsmodels.api as sm

    parts = [spread.rename("spread"), change.rename("change")]
    frame = pd.concat([*parts, controls] if controls is not None else parts, axis=1, join="inner")
    whole = frame.dropna().astype(float)
    if len(whole) < FEWEST:
        raise HelperError(f"A slope needs at least {FEWEST} weeks, here are {len(whole)}; widen the window.")
    if float(whole["change"].std()) == 0:
        raise HelperError("The yield does not move in this window, so that nothing can be fitted; widen it.")
    used = newey_west_lags(len(whole)) if lags is None else lags
    fit = sm.OLS(whole["spread"], sm.add_constant(whole.drop(columns="spread"))).fit(
        cov_type="HAC", cov_kwds={"maxlags": used}, use_t=True
    )
    low, high = fit.conf_int(0.05).loc["change"]
    return Slope(
        slope=float(fit.params["change"]),
        se=float(fit.bse["change"]),
        t=float(fit.tvalues["change"]),
        p=float(fit.pvalues["change"]),
        n=len(whole),
        lags=used,
        dropped=len(frame) - len(whole),
        intercept=float(fit.params["const"]),
        margin=float(high - low) / 2,
    )


def holm(p: pd.Series) -> pd.Series:
    """p-values after Holm's (1979) step-down correction for making ``len(p)`` tests at once."""
    from statsmodels.stats.multitest import multipletests

    return pd.Series(multipletests(p.to_numpy(), method="holm")[1], index=p.index, name="Holm p")


def _slopes(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slope for every row of weights (draws, n) and every row of x and y (windows, n)."""
    total = weights.sum(axis=1, keepdims=True)
    sx, sy = weights @ x.T, weights @ y.T
    sxy, sxx = weights @ (x * y).T, weights @ (x * x).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((sxy - sx * sy / total) / (sxx - sx * sx / total))


def rolling_slope(
    spread: pd.Series,
    change: pd.Series,
    weeks: int,
    draws: int = 1000,
    block: int = 8,
    seed: int = 0,
    share: float = 0.95,
) -> pd.DataFrame:
    """Slope over the last ``weeks`` weeks at each week, with a bootstrap band.

    In each window pairs (spread, change) are drawn with the stationary bootstrap (Politis and Romano 1994,
    by ``arch``), so that neither equal variances nor independent weeks are assumed. The same draw of
    positions serves all windows. The band is pointwise: it is right for one week chosen beforehand.

    Parameters
    ----------
    spread, change : as for :func:`hac_slope`; weeks without either are left out before the windows are cut
    weeks : length of the window
    draws : bootstrap draws a window
    block : mean length of a block, weeks
    seed : of the random generator
    share : of the draws that lie inside the band

    Returns
    -------
    Frame indexed by the last week of each window: ``slope``, ``low``, ``high`` (pp per pp).
    """
    from arch.bootstrap import StationaryBootstrap

    pairs = pd.concat([spread.rename("y"), change.rename("x")], axis=1, join="inner").dropna()
    if len(pairs) < weeks:
        raise HelperError(f"A window of {weeks} weeks does not fit into {len(pairs)}; choose a shorter one.")
    x, y = (np.lib.stride_tricks.sliding_window_view(pairs[key].to_numpy(float), weeks) for key in "xy")
    bootstrap = StationaryBootstrap(block, np.arange(weeks), seed=np.random.default_rng(seed))
    drawn = (np.bincount(data[0][0], minlength=weeks) for data in bootstrap.bootstrap(draws))
    band = _slopes(np.stack(list(drawn)).astype(float), x, y)
    tail = (1 - share) / 2
    low, high = np.nanquantile(band, [tail, 1 - tail], axis=0)
    return pd.DataFrame(
        {"slope": _slopes(np.ones((1, weeks)), x, y)[0], "low": low, "high": high},
        index=pairs.index[weeks - 1 :],
    )


def shuffled_t(
    spread: pd.Series, change: pd.Series, lags: int, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Newey-West t-values of the slope after the yield changes were dealt out to the weeks at random.

    What a test finds where nothing is to be found: the placebo behind a permutation test. The formula is
    that of :func:`hac_slope` without controls, for all draws at once.

    Returns
    -------
    Array (draws,).
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
