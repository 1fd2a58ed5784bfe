"""Checks of the exercises of notebook 04: slopes on yields."""

from __future__ import annotations

import pandas as pd

from course.checks import Hint, exercise, numeric
from helpers import calendar, market
from helpers.measures import rates

DAY = "2025-12-10"
WHOLE, RECENT = ("2000-05-26", DAY), ("2022-12-10", DAY)
SMALL, GROWTH = ("IWM", "SPY"), ("IWF", "IWD")
WINDOW = 156


def _weeks(mkt: market.Market) -> pd.DatetimeIndex:
    return calendar.week_ends(WHOLE[0], mkt.last_session)


def _months(mkt: market.Market) -> pd.DatetimeIndex:
    span = calendar.sessions(WHOLE[0], mkt.last_session).to_series()
    return pd.DatetimeIndex(span.groupby(span.dt.to_period("M")).max().iloc[:-1])


def _spread(mkt: market.Market, pair: tuple[str, str], ends: pd.DatetimeIndex) -> pd.Series:
    change = rates.weekly_returns(mkt.prices(list(pair), "adj_close"), ends)
    return change[pair[0]] - change[pair[1]]


def _fit(
    mkt: market.Market,
    pair: tuple[str, str],
    name: str,
    ends: pd.DatetimeIndex,
    window: tuple[str, str],
    lags: int | None = None,
) -> rates.Slope:
    rows = rates.weeks_within(ends, *window)
    change = rates.weekly_changes(mkt.macro(name), ends)
    return rates.hac_slope(_spread(mkt, pair, ends).reindex(rows), change.reindex(rows), lags=lags)


@exercise(
    "04-days",
    asks='a dictionary with two numbers, "slope" (pp per pp) and "t", with two decimals each',
    expects={"slope": float, "t": float},
)
def days(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Daily slope of IWM minus SPY on the two-year yield over the last three years, and its t-value."""
    sessions = calendar.sessions("2022-12-09", DAY)
    right = _fit(mkt, SMALL, "DGS2", sessions, RECENT)
    weekly = _fit(mkt, SMALL, "DGS2", _weeks(mkt), RECENT)
    hint = numeric(
        answer["slope"],
        right.slope,
        2,
        [
            (weekly.slope, "that slope is the weekly one; hand the daily panel to slope() as its data."),
            (
                _fit(mkt, SMALL, "DGS10", sessions, RECENT).slope,
                "that slope is the one on the ten-year yield; the question is about the two-year.",
            ),
            (
                _fit(mkt, GROWTH, "DGS2", sessions, RECENT).slope,
                "that slope is the one of growth minus value; the question is about small minus large.",
            ),
        ],
        "the slope does not fit: build a panel of the sessions and fit as before; days without a yield drop out.",
    )
    if hint is not None:
        return hint
    return numeric(
        answer["t"],
        right.t,
        2,
        [
            (weekly.t, "the slope fits; the t-value is still the weekly one."),
            (right.se, "the slope fits; that is its standard error, and t is the slope over it."),
            (right.p, "the slope fits; that is the p-value of it."),
            (
                _fit(mkt, SMALL, "DGS2", sessions, RECENT, 0).t,
                "the slope fits; that t-value takes the days as independent. Leave the lags to the rule of thumb.",
            ),
        ],
        "the slope fits; for t leave the number of lags to the rule of thumb, which counts the days.",
    )


@exercise(
    "04-real",
    asks='a dictionary with two numbers, "real" and "inflation" (pp per pp), with two decimals each',
    expects={"real": float, "inflation": float},
)
def real(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Slopes of IWF minus IWD on the real yield and on expected inflation, each with the other held fixed."""
    ends = _weeks(mkt)
    rows = rates.weeks_within(ends, *RECENT)
    spread = _spread(mkt, GROWTH, ends).reindex(rows)
    expected = mkt.macro("T10YIE")
    parts = {
        "real": rates.weekly_changes((mkt.macro("DGS10") - expected).dropna(), ends).reindex(rows),
        "inflation": rates.weekly_changes(expected, ends).reindex(rows),
    }
    whole = rates.weekly_changes(mkt.macro("DGS10"), ends).reindex(rows)

    def held(one: str, other: str) -> float:
        return rates.hac_slope(spread, parts[one], parts[other].to_frame(other)).slope

    rights = {"real": held("real", "inflation"), "inflation": held("inflation", "real")}
    for part, other in (("real", "inflation"), ("inflation", "real")):
        hint = numeric(
            answer[part],
            rights[part],
            2,
            [
                (
                    rates.hac_slope(spread, parts[part]).slope,
                    f'the part "{part}" is the slope with nothing held fixed; give the other part as a control.',
                ),
                (rights[other], f'the part "{part}" is the slope on the other part; are the two exchanged?'),
                (
                    rates.hac_slope(spread, whole).slope,
                    f'the part "{part}" is the slope on the whole ten-year yield; split the yield first.',
                ),
                (
                    rates.hac_slope(spread, parts[part], whole.to_frame("whole")).slope,
                    f'for the part "{part}" you hold the whole yield fixed; hold the other part fixed instead.',
                ),
            ],
            f'the part "{part}" does not fit: both weekly changes stand in one regression, over the last three years.',
        )
        if hint is not None:
            return hint
    return None


@exercise(
    "04-floating",
    asks='a dictionary with two numbers, "slope" (pp per pp) and "t", with two decimals each',
    expects={"slope": float, "t": float},
)
def floating(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Monthly slope of IWM minus SPY on the effective funds rate since 2000, and its t-value."""
    months = _months(mkt)
    right = _fit(mkt, SMALL, "DFF", months, WHOLE)
    hint = numeric(
        answer["slope"],
        right.slope,
        2,
        [
            (
                _fit(mkt, SMALL, "DFF", _weeks(mkt), WHOLE).slope,
                "that slope is the one of weeks; take the changes from month end to month end.",
            ),
            (
                _fit(mkt, SMALL, "DGS2", months, WHOLE).slope,
                "that slope is the one on the two-year yield; the question is about the funds rate.",
            ),
            (
                _fit(mkt, SMALL, "DFF", months, RECENT).slope,
                "that slope is the one of the last three years; take the whole period.",
            ),
            (
                _fit(mkt, SMALL, "DFEDTARU", months, WHOLE).slope
                if mkt.macro("DFEDTARU").index[0] <= months[0]
                else None,
                "that slope is the one on the target; the question is about the effective rate.",
            ),
        ],
        "the slope does not fit: both changes run from month end to month end, over the whole period.",
    )
    if hint is not None:
        return hint
    return numeric(
        answer["t"],
        right.t,
        2,
        [
            (right.se, "the slope fits; that is its standard error, and t is the slope over it."),
            (right.p, "the slope fits; that is the p-value of it."),
            (
                _fit(mkt, SMALL, "DFF", months, WHOLE, 0).t,
                "the slope fits; that t-value takes the months as independent. Leave the lags to the rule of thumb.",
            ),
        ],
        "the slope fits; for t leave the number of lags to the rule of thumb, which counts the months.",
    )


def _rolling(y: pd.Series, x: pd.Series) -> pd.Series:
    both = pd.concat([y.rename("y"), x.rename("x")], axis=1).dropna()
    window = both.rolling(WINDOW)
    return (window.cov(pairwise=True).xs("y", level=1)["x"] / both["x"].rolling(WINDOW).var()).dropna()


@exercise("04-together", asks="a correlation with three decimals", expects=float)
def together(answer: float, mkt: market.Market) -> Hint | None:
    """Correlation of the rolling slope of small caps with that of SPY's return and the ten-year yield."""
    ends = _weeks(mkt)
    spread = _spread(mkt, SMALL, ends)
    two, ten = (rates.weekly_changes(mkt.macro(name), ends) for name in ("DGS2", "DGS10"))
    spy = rates.weekly_returns(mkt.prices(["SPY"], "adj_close"), ends)["SPY"]
    slopes, moving = _rolling(spread, two), spy.rolling(WINDOW).corr(ten)
    return numeric(
        answer,
        float(slopes.corr(moving)),
        3,
        [
            (
                float(slopes.corr(spy.rolling(WINDOW).corr(two))),
                "that correlates SPY with the two-year yield; the ten-year belongs there.",
            ),
            (
                float(_rolling(spread, ten).corr(moving)),
                "that is the slope on the ten-year yield; the slope asked for is on the two-year.",
            ),
            (
                float(slopes[:DAY].corr(moving[:DAY])),
                "that stops at the article; here the weeks after it count too.",
            ),
            (
                float(slopes.iloc[::-WINDOW].corr(moving)),
                "those are windows that do not overlap; good for judging the answer, but take all weeks first.",
            ),
            (
                float(spread.rolling(WINDOW).corr(two).corr(moving)),
                "that correlates two correlations; one of the two series is a slope.",
            ),
            (
                float(spy.corr(ten)),
                "that is one correlation over all weeks; roll it over windows first.",
            ),
        ],
        "put the two rolling series side by side, drop the weeks without either, and correlate the columns.",
    )


@exercise(
    "04-worst",
    asks='a dictionary with a date in quotes ("ends") and a percentage with one decimal ("negative")',
    expects={"ends": pd.Timestamp, "negative": float},
)
def worst(answer: dict[str, pd.Timestamp | float], mkt: market.Market) -> Hint | None:
    """End of the three years with the steepest negative slope of growth, and the share of negative slopes."""
    ends = _weeks(mkt)
    spread = _spread(mkt, GROWTH, ends)
    slopes = _rolling(spread, rates.weekly_changes(mkt.macro("DGS10"), ends))
    known = slopes[:DAY]
    end = answer["ends"]
    if end is pd.NaT:
        return "there is such a window: among many slopes one is the lowest."
    if end != known.idxmin():
        if end == known.idxmax():
            return "that window has the highest slope: there growth did best when yields rose."
        if end == known.abs().idxmin():
            return "there the slope is nearest to zero; to hurt most, it must be far below."
        if pd.Timestamp(end) > pd.Timestamp(DAY):
            return "that window ends after the article; stop on 10 December."
        if end not in known.index:
            return "on that day no window ends; a window is named by the last session of its last week."
        return "there is a window with a lower slope; take the day of the lowest one, not its first."
    share = float((known < 0).mean() * 100)
    return numeric(
        float(answer["negative"]),
        share,
        1,
        [
            (100 - share, "the window fits; that is the share with a slope above zero."),
            (
                float((slopes < 0).mean() * 100),
                "the window fits; for the share, too, stop on 10 December.",
            ),
            (
                float((known < 0).sum()),
                "the window fits; that is the number of windows, the question is about their share in percent.",
            ),
        ],
        "the window fits; for the share count the windows with a slope below zero and divide by all up to the article.",
    )
