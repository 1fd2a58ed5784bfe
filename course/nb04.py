"""Checks of the exercises of notebook 04: slopes on yields."""

from __future__ import annotations

from typing import Any

import pandas as pd

from course.checks import DATE, Answer, Right, exercise, figure
from helpers import calendar, market
from helpers.measures import rates

DAY = "2025-12-10"
WHOLE, RECENT = ("2000-05-26", DAY), ("2022-12-10", DAY)
PAIRS = {"small": ("IWM", "SPY"), "growth": ("IWF", "IWD")}
YIELDS = {"2y": "DGS2", "10y": "DGS10", "inflation": "T10YIE", "funds": "DFF"}
WINDOW = 156
SLOPE = figure("pp per pp", 2)
SLOPE_AND_T = {"slope": SLOPE, "t": figure("a t-value", 2)}


def _panel(mkt: market.Market, ends: pd.DatetimeIndex | None = None) -> pd.DataFrame:
    """Spreads of both pairs, the market and the yields, by week or by other ends."""
    yields = {name: mkt.macro(series) for name, series in YIELDS.items()}
    yields["real"] = (yields["10y"] - yields["inflation"]).dropna()
    ends = calendar.week_ends(WHOLE[0], mkt.last_session) if ends is None else ends
    return rates.panel(mkt.prices(["IWM", "SPY", "IWF", "IWD"], "adj_close"), PAIRS, yields, ends)


def _rolling(weeks: pd.DataFrame, pair: str, rate: str, held: bool = True) -> pd.Series:
    """Three-year slopes, by the last week of each window."""
    fixed = weeks["market"] if held else None
    return rates.rolling_slope(weeks[pair], weeks[rate], WINDOW, fixed, draws=0)["slope"]


def _slope_and_t(
    rows: pd.DataFrame, asked: tuple[str, str, tuple[str, str]], otherwise: str, slips: dict[str, Any]
) -> Answer:
    """What is right of a slope with the market held fixed, and of its t-value."""
    right, alone = (rates.slope(rows, *asked, lags=lags) for lags in (None, 0))
    plain = "that is the slope with nothing held fixed; leave `held` as it is."
    lags = "leave the lags to the rule of thumb."
    return {
        "slope": Right(right.slope, otherwise, {plain: rates.slope(rows, *asked, ()).slope, **slips}),
        "t": Right(
            right.t,
            f"it is the slope over its standard error; {lags}",
            {
                "that is the standard error, and t is the slope over it.": right.se,
                "that is the p-value.": right.p,
                f"that takes the observations as independent; {lags}": alone.t,
            },
        ),
    }


@exercise("04-days", SLOPE_AND_T)
def by_day(mkt: market.Market) -> Answer:
    """Daily slope of IWM minus SPY on the two-year yield over the last three years, the market held fixed."""
    daily = _panel(mkt, calendar.sessions("2022-12-09", DAY))
    weekly = rates.slope(_panel(mkt), "small", "2y", RECENT)
    ten, growth = (rates.slope(daily, *asked, RECENT) for asked in (("small", "10y"), ("growth", "2y")))
    slips = {
        "that is the weekly slope; hand over the days.": weekly.slope,
        "that is the slope on the ten-year yield.": ten.slope,
        "that is the slope of growth minus value.": growth.slope,
    }
    return _slope_and_t(
        daily, ("small", "2y", RECENT), "build a panel of the sessions and fit as before.", slips
    )


@exercise("04-real", {"real": SLOPE, "inflation": SLOPE})
def real(mkt: market.Market) -> Answer:
    """Slopes of IWF minus IWD on the real yield and on expected inflation, the market and the other held fixed."""
    weeks = _panel(mkt)

    def fit(rate: str, *held: str) -> float:
        return rates.slope(weeks, "growth", rate, RECENT, held).slope

    def part(one: str, other: str) -> Right:
        return Right(
            fit(one, "market", other),
            "both changes stand in one regression, with the market.",
            {
                "that has nothing held fixed; name the market and the other part.": fit(one),
                "that holds the market fixed only; hold the other part fixed as well.": fit(one, "market"),
                "that holds the other part fixed only; hold the market fixed as well.": fit(one, other),
                "that is the slope on the other part; are the two exchanged?": fit(other, "market", one),
                "that is the slope on the whole ten-year yield; split the yield first.": fit("10y", "market"),
            },
        )

    return {"real": part("real", "inflation"), "inflation": part("inflation", "real")}


@exercise("04-floating", SLOPE_AND_T)
def floating(mkt: market.Market) -> Answer:
    """Monthly slope of IWM minus SPY on the effective funds rate since 2000, the market held fixed."""
    months = _panel(mkt, rates.period_ends(WHOLE[0], mkt.last_session, "M"))
    weekly = rates.slope(_panel(mkt), "small", "funds", WHOLE)
    slips = {
        "that is the slope of weeks; take month ends.": weekly.slope,
        "that is the slope on the two-year yield.": rates.slope(months, "small", "2y", WHOLE).slope,
        "that is the slope of the last three years.": rates.slope(months, "small", "funds", RECENT).slope,
    }
    return _slope_and_t(
        months, ("small", "funds", WHOLE), "both changes run from month end to month end.", slips
    )


@exercise("04-together", figure("a correlation between −1 and 1", 3))
def together(mkt: market.Market) -> Answer:
    """Correlation of the plain rolling slope of small caps with that of SPY's return and the ten-year yield."""
    weeks = _panel(mkt)
    spy, two, ten, small = weeks["market"], weeks["2y"], weeks["10y"], weeks["small"]
    slopes, moving = _rolling(weeks, "small", "2y", held=False), spy.rolling(WINDOW).corr(ten)
    held, on_ten = _rolling(weeks, "small", "2y"), _rolling(weeks, "small", "10y", held=False)
    with_two, two_moving = slopes.corr(spy.rolling(WINDOW).corr(two)), small.rolling(WINDOW).corr(two)
    return Right(
        slopes.corr(moving),
        "put the two rolling series side by side, drop the weeks without either, and correlate the columns.",
        {
            "that slope has the market held fixed; here nothing is.": held.corr(moving),
            "that correlates SPY with the two-year yield, not the ten-year.": with_two,
            "that is the slope on the ten-year yield.": on_ten.corr(moving),
            "that stops at the article; here the weeks after it count too.": slopes[:DAY].corr(moving[:DAY]),
            "those windows do not overlap; take all weeks first.": slopes.iloc[::-WINDOW].corr(moving),
            "that correlates two correlations; one is a slope.": two_moving.corr(moving),
            "that is one correlation over all weeks; roll it over windows first.": spy.corr(ten),
        },
    )


@exercise("04-worst", {"ends": DATE, "negative": figure("a percentage", 1)})
def worst(mkt: market.Market) -> Answer:
    """End of the three years with the steepest negative slope of growth, and the share of negative slopes."""
    slopes = _rolling(_panel(mkt), "growth", "10y")
    known, last = slopes[:DAY], pd.Timestamp(DAY)
    share, whole = (known < 0).mean() * 100, (slopes < 0).mean() * 100
    ends = Right(
        known.idxmin(),
        "there is a window with a lower slope; take the day of the lowest one.",
        {
            "there is such a window: among many slopes one is the lowest.": pd.NaT,
            "that window has the highest slope: there growth did best when yields rose.": known.idxmax(),
            "there the slope is nearest to zero; to hurt most, it must be far below.": known.abs().idxmin(),
            "that window ends after the article; stop on 10 December.": lambda day: day > last,
            "on that day no window ends; a window is named by the last session of its last week.": lambda day: (
                day <= last and day not in known.index
            ),
        },
    )
    negative = Right(
        share,
        "count the windows with a slope below zero, up to the article.",
        {
            "that is the share with a slope above zero.": 100 - share,
            "for the share, too, stop on 10 December.": whole,
            "that is the number of windows, not their share in percent.": (known < 0).sum(),
        },
    )
    return {"ends": ends, "negative": negative}
