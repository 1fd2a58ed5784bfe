"""Checks of the exercises of notebook 04: slopes on yields."""

from __future__ import annotations

import pandas as pd

from course.checks import Hint, exercise, numeric
from helpers import calendar, market
from helpers.measures import rates

DAY = "2025-12-10"
WHOLE, RECENT = ("2000-05-26", DAY), ("2022-12-10", DAY)
PAIRS = {"small": ("IWM", "SPY"), "growth": ("IWF", "IWD")}
WINDOW = 156


def panel(mkt: market.Market, ends: pd.DatetimeIndex | None = None) -> pd.DataFrame:
    """Spreads of both pairs, the market and the yields, by week or by other ends."""
    series = {"2y": "DGS2", "10y": "DGS10", "inflation": "T10YIE", "funds": "DFF"}
    yields = {name: mkt.macro(each) for name, each in series.items()}
    yields["real"] = (yields["10y"] - yields["inflation"]).dropna()
    ends = calendar.week_ends(WHOLE[0], mkt.last_session) if ends is None else ends
    return rates.panel(mkt.prices(["IWM", "SPY", "IWF", "IWD"], "adj_close"), PAIRS, yields, ends)


def months(mkt: market.Market) -> pd.DataFrame:
    """The panel of months."""
    return panel(mkt, rates.period_ends(WHOLE[0], mkt.last_session, "M"))


def days() -> pd.DatetimeIndex:
    """The sessions of the last three years, from the close before."""
    return calendar.sessions("2022-12-09", DAY)


def rolling(weeks: pd.DataFrame, pair: str, rate: str, held: bool = True) -> pd.Series:
    """Three-year slopes, by the last week of each window."""
    market_fixed = weeks["market"] if held else None
    return rates.rolling_slope(weeks[pair], weeks[rate], WINDOW, market_fixed, draws=0)["slope"]


def _slope_and_t(
    answer: dict[str, float],
    right: rates.Slope,
    alone: rates.Slope,
    others: list[tuple[float, str]],
    hint: str,
) -> Hint | None:
    """Check a slope, then its t-value; ``alone`` is the fit that takes its observations as independent."""
    found = numeric(answer["slope"], right.slope, 2, others, f"the slope does not fit: {hint}")
    if found is not None:
        return found
    lags = "Leave the lags to the rule of thumb."
    slips: list[tuple[float | None, str]] = [
        (right.se, "the slope fits; that is its standard error, and t is the slope over it."),
        (right.p, "the slope fits; that is the p-value of it."),
        (alone.t, f"the slope fits; that t-value takes the observations as independent. {lags}"),
    ]
    return numeric(answer["t"], right.t, 2, slips, f"the slope fits, the t-value does not. {lags}")


@exercise(
    "04-days",
    asks='a dictionary with two numbers, "slope" (pp per pp) and "t", with two decimals each',
    expects={"slope": float, "t": float},
)
def by_day(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Daily slope of IWM minus SPY on the two-year yield over the last three years, the market held fixed."""
    daily = panel(mkt, days())
    plain = "that slope is the one with nothing held fixed; leave `held` as it is."
    others = [
        (
            rates.slope(panel(mkt), "small", "2y", RECENT).slope,
            "that slope is the weekly one; hand over the days.",
        ),
        (rates.slope(daily, "small", "2y", RECENT, ()).slope, plain),
        (rates.slope(daily, "small", "10y", RECENT).slope, "that slope is the one on the ten-year yield."),
        (rates.slope(daily, "growth", "2y", RECENT).slope, "that slope is the one of growth minus value."),
    ]
    right, alone = (rates.slope(daily, "small", "2y", RECENT, lags=lags) for lags in (None, 0))
    return _slope_and_t(answer, right, alone, others, "build a panel of the sessions and fit as before.")


@exercise(
    "04-real",
    asks='a dictionary with two numbers, "real" and "inflation" (pp per pp), with two decimals each',
    expects={"real": float, "inflation": float},
)
def real(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Slopes of IWF minus IWD on the real yield and on expected inflation, the market and the other held fixed."""
    weeks = panel(mkt)

    def fit(rate: str, *held: str) -> float:
        return rates.slope(weeks, "growth", rate, RECENT, held).slope

    for one, other in (("real", "inflation"), ("inflation", "real")):
        part = f'the part "{one}"'
        others = [
            (fit(one), f"{part} is the slope with nothing held fixed; name the market and the other part."),
            (fit(one, "market"), f"{part} holds the market fixed only; hold the other part fixed as well."),
            (fit(one, other), f"{part} holds the other part fixed only; hold the market fixed as well."),
            (fit(other, "market", one), f"{part} is the slope on the other part; are the two exchanged?"),
            (
                fit("10y", "market"),
                f"{part} is the slope on the whole ten-year yield; split the yield first.",
            ),
        ]
        right = fit(one, "market", other)
        hint = numeric(
            answer[one], right, 2, others, f"{part} does not fit: both changes stand in one regression."
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
    """Monthly slope of IWM minus SPY on the effective funds rate since 2000, the market held fixed."""
    monthly = months(mkt)
    plain = "that slope is the one with nothing held fixed; leave `held` as it is."
    others = [
        (
            rates.slope(panel(mkt), "small", "funds", WHOLE).slope,
            "that slope is the one of weeks; take month ends.",
        ),
        (rates.slope(monthly, "small", "funds", WHOLE, ()).slope, plain),
        (rates.slope(monthly, "small", "2y", WHOLE).slope, "that slope is the one on the two-year yield."),
        (
            rates.slope(monthly, "small", "funds", RECENT).slope,
            "that slope is the one of the last three years.",
        ),
    ]
    right, alone = (rates.slope(monthly, "small", "funds", WHOLE, lags=lags) for lags in (None, 0))
    return _slope_and_t(answer, right, alone, others, "both changes run from month end to month end.")


@exercise("04-together", asks="a correlation with three decimals", expects=float)
def together(answer: float, mkt: market.Market) -> Hint | None:
    """Correlation of the plain rolling slope of small caps with that of SPY's return and the ten-year yield."""
    weeks = panel(mkt)
    spy, two, ten = weeks["market"], weeks["2y"], weeks["10y"]
    slopes, moving = rolling(weeks, "small", "2y", held=False), spy.rolling(WINDOW).corr(ten)
    others = [
        (
            rolling(weeks, "small", "2y").corr(moving),
            "that slope has the market held fixed; here nothing is.",
        ),
        (
            slopes.corr(spy.rolling(WINDOW).corr(two)),
            "that correlates SPY with the two-year yield, not the ten-year.",
        ),
        (rolling(weeks, "small", "10y", held=False).corr(moving), "that is the slope on the ten-year yield."),
        (slopes[:DAY].corr(moving[:DAY]), "that stops at the article; here the weeks after it count too."),
        (slopes.iloc[::-WINDOW].corr(moving), "those are windows that do not overlap; take all weeks first."),
        (
            weeks["small"].rolling(WINDOW).corr(two).corr(moving),
            "that correlates two correlations; one is a slope.",
        ),
        (spy.corr(ten), "that is one correlation over all weeks; roll it over windows first."),
    ]
    hint = (
        "put the two rolling series side by side, drop the weeks without either, and correlate the columns."
    )
    return numeric(answer, float(slopes.corr(moving)), 3, [(float(x), text) for x, text in others], hint)


@exercise(
    "04-worst",
    asks='a dictionary with a date in quotes ("ends") and a percentage with one decimal ("negative")',
    expects={"ends": pd.Timestamp, "negative": float},
)
def worst(answer: dict[str, pd.Timestamp | float], mkt: market.Market) -> Hint | None:
    """End of the three years with the steepest negative slope of growth, and the share of negative slopes."""
    slopes = rolling(panel(mkt), "growth", "10y")
    known, end = slopes[:DAY], answer["ends"]
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
    others = [
        (100 - share, "the window fits; that is the share with a slope above zero."),
        (float((slopes < 0).mean() * 100), "the window fits; for the share, too, stop on 10 December."),
        (
            float((known < 0).sum()),
            "the window fits; that is the number of windows, not their share in percent.",
        ),
    ]
    hint = "the window fits; for the share count the windows with a slope below zero, up to the article."
    return numeric(float(answer["negative"]), share, 1, others, hint)
