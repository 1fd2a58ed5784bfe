"""Checks of the exercises of notebook 07: precedents."""

from __future__ import annotations

import math

import pandas as pd

from course.checks import COUNT, NAME, Answer, Right, exercise, figure
from helpers import calendar, market
from helpers.measures import drawdowns, french, precedents, rates, returns, spread, style

DAY = "2025-12-10"
BUST = calendar.since("2000-03-10", "2002-10-09")
THREE_YEARS = calendar.since("1999-12-31", "2002-12-31")
#: How a reader may name the four indices.
NAMES = {
    "^IXIC": ["^IXIC", "IXIC", "Nasdaq Composite", "Nasdaq"],
    "^GSPC": ["^GSPC", "GSPC", "S&P 500"],
    "^RUT": ["^RUT", "RUT", "Russell 2000"],
    "^DJI": ["^DJI", "DJI", "Dow Jones", "Dow", "Dow Jones Industrial Average"],
}


@exercise("07-own-dates", {"least": NAME, "depth": figure("a percentage", 1)})
def own_dates(mkt: market.Market) -> Answer:
    """Which of four indices fell least from its own peak to its own trough, and by how much."""
    closes = {name: mkt.prices(name).dropna() for name in NAMES}
    inside = {name: series[THREE_YEARS.start : THREE_YEARS.end] for name, series in closes.items()}
    depths = pd.Series({name: drawdowns.worst(series)["depth"] for name, series in inside.items()})
    least, known = depths.idxmax(), {name.casefold() for names in NAMES.values() for name in names}
    series, most = closes[least], NAMES[depths.idxmin()]
    ever = drawdowns.worst(series)["depth"]
    common, ends = (returns.window_return(series, window) for window in (BUST, THREE_YEARS))
    return {
        "least": Right(
            NAMES[least],
            "another index lost less between its own peak and its own trough.",
            {
                "that one fell most. Losses are negative: the smallest is the largest number.": most,
                "give one of the four names of the table, such as those in `NAMES`.": lambda name: (
                    name.casefold() not in known
                ),
            },
        ),
        "depth": Right(
            depths[least],
            "take the deepest drawdown between the last close of 1999 and the last close of 2002.",
            {
                "that is between the Nasdaq’s dates; take the index’s own.": common,
                "that is the worst of the whole history; stay within the bust.": ever,
                "that is from end to end, not from peak to trough.": ends,
            },
        ),
    }


@exercise("07-first-peak", {"lead": figure("percentage points", 1), "ahead": COUNT})
def first_peak(mkt: market.Market) -> Answer:
    """Small minus big after January 1973, and the number of peaks, it included, after which small caps led."""
    tables = french.sections(mkt.file("french/25_Portfolios_5x5.csv"))
    months = precedents.small_and_big(
        french.five_by_five(tables["Average Value Weighted Returns -- Monthly"])
    )
    after, with_peak = (precedents.leads_after(months, first=first)["1973-01":] for first in (1, 0))
    added = months["1973-02":"1976-01"].sum() @ [1, -1]
    falls = precedents.falls_of_a_leader(mkt.prices(["^IXIC", "^GSPC"])[:DAY], "^IXIC", "^GSPC")
    others = after.reindex(falls.loc[falls["lead"] > 0, "peak"].dt.to_period("M")).dropna()
    behind, right = (others > 0).sum(), after["1973-01"]
    return {
        "lead": Right(
            right,
            "compound small and big over the three years from February 1973, then subtract.",
            {
                "the month of the peak is in there; begin a month later.": with_peak["1973-01"],
                "those months are added up; compound them.": added,
                "that is the lead after March 2000; the question is about January 1973.": after["2000-03"],
            },
        ),
        "ahead": Right(
            behind + (right > 0),
            "count the leads above zero, those of the peaks in `judged` and the new one.",
            {
                "January 1973 is not counted there; it comes in now.": behind,
                "that is the number of all peaks; after how many did small lead?": len(others) + 1,
            },
        ),
    }


@exercise("07-own-past", {"slope": figure("a slope", 2), "t": figure("a t-value", 2)})
def own_past(mkt: market.Market) -> Answer:
    """HML of the twelve months from July on HML of the twelve months before."""
    factors = french.factors(mkt.file("french/F-F_Research_Data_Factors.csv"))
    hml = spread.after_june(factors["HML"])
    right, ordinary = (rates.hac_slope(hml, hml.shift(1), lags=lags) for lags in (None, 0))
    turned = rates.hac_slope(hml, hml.shift(-1))
    monthly = rates.hac_slope(factors["HML"], factors["HML"].shift(1))
    return {
        "slope": Right(
            right.slope,
            "set each year of `hml` against the year before it, with rates.hac_slope().",
            {
                "that is from month to month; take the years from July that `hml` holds.": monthly.slope,
                "that sets each year against itself; shift one of the two.": 1.0,
            },
        ),
        "t": Right(
            right.t,
            "the slope over its standard error, with the errors of Newey and West.",
            {
                "that is the slope again.": right.slope,
                "that is the standard error; divide the slope by it.": right.se,
                "the years are turned round; what is forecast is the later one.": turned.t,
                "keep the lags of Newey and West that the function takes by itself.": ordinary.t,
            },
        ),
    }


@exercise("07-ends", {"share": figure("a percentage", 0), "best": figure("percentage points", 1)})
def ends(mkt: market.Market) -> Answer:
    """Value against growth from 30 October 2020 to every close from July 2021 to March 2022."""
    total, price = (
        style.path(mkt.prices(["IWD", "IWF"], field), {"lead": ("IWD", "IWF")}, "2020-10-30", "2022-03-31")[
            "lead"
        ]
        for field in ("adj_close", "close")
    )
    inside = total["2021-07-01":]
    by_price, early = price["2021-07-01":], (total.iloc[1:] > 0).mean() * 100
    share, grew, cheaper = ((each > 0).mean() * 100 for each in (inside, inside.diff().dropna(), by_price))
    return {
        "share": Right(
            share,
            "divide both funds by their close of 30 October 2020; count the ends with value ahead.",
            {
                "that is how often growth was ahead.": 100 - share,
                "the ends begin in July 2021; leave out the months before.": early,
                "those are the days on which the lead grew; ask how often it was above zero.": grew,
                "those closes leave dividends out; take total returns.": cheaper,
            },
        ),
        "best": Right(
            inside.max(),
            "the largest of the leads over the ends from July 2021 to March 2022.",
            {
                "that is the worst.": inside.min(),
                "those closes leave dividends out; take total returns.": by_price.max(),
                "that is the last end, not the best.": inside.iloc[-1],
            },
        ),
    }


@exercise("07-coin", COUNT)
def coin(mkt: market.Market) -> Answer:
    """Number of independent peaks that tell a share of two thirds from a half, two-sided at five percent."""
    distance, error, critical = 2 / 3 - 1 / 2, 0.5, 1.96
    root = critical * error / distance
    whole, from_nothing = (critical / distance) ** 2, (critical * error / (2 / 3)) ** 2
    return Right(
        math.ceil(root**2),
        "set the distance between the two shares equal to 1.96 standard errors and solve for n; then round up.",
        {
            "that is the root of it: the error shrinks with the *root* of n.": root,
            "that is one standard error of distance; ask for 1.96 of them.": (error / distance) ** 2,
            "the standard error of a share is the root of p (1 - p) / n, at most a half over the root of n.": whole,
            "that tells two thirds from nothing; the coin lands on one side half of the time.": from_nothing,
        },
        within=1,
    )
