"""Checks of the exercises of notebook 06: named winners and losers."""

from __future__ import annotations

import pandas as pd

from course.checks import COUNT, Answer, Right, exercise, figure
from helpers import calendar, market
from helpers.measures import names, returns

DAY, LATER = "2025-12-10", "2026-07-31"
SINCE, YTD = calendar.since("2025-10-31", DAY), calendar.year_to_date(DAY)
WEEKS = 27  # sessions of the window since 31 October
SEVEN = ["AAPL", "MSFT", "NVDA", "GOOGL", "AMZN", "META", "TSLA"]
SMALL = ["SERV", "MGNI", "DENN", "BBWI", "FMC"]
#: Sector fund of each of the twelve named winners.
FUND = {
    **{"SERV": "XLY", "MGNI": "XLC", "DENN": "XLY", "BBWI": "XLY", "FMC": "XLB"},
    **{"GS": "XLF", "JPM": "XLF", "BAC": "XLF", "CAT": "XLI", "IBM": "XLK", "CVS": "XLV", "LLY": "XLV"},
}


@exercise("06-sector", {"ahead": COUNT, "turned": COUNT})
def sector(mkt: market.Market) -> Answer:
    """Named winners ahead of their sector fund since 31 October, and those that change sides."""
    prices = mkt.prices([*FUND, *{*FUND.values()}, "SPY"], "adj_close", start=YTD.start, end=DAY)

    def ahead(window: calendar.Window = SINCE, benchmark: str | None = None) -> set[str]:
        change = pd.Series(returns.window_return(prices, window))
        return {name for name, fund in FUND.items() if change[name] > change[benchmark or fund]}

    right, before = ahead(), ahead(benchmark="SPY")
    net = len(right) - len(before)
    return {
        "ahead": Right(
            len(right),
            "look up the fund of each winner and compare total returns since 31 October.",
            {
                "that is the count against the market; compare each with its own fund.": len(before),
                "that is the year to date; the window begins on 31 October.": len(ahead(YTD)),
                "those are the ones behind; count the ones ahead.": len(FUND) - len(right),
            },
        ),
        "turned": Right(
            len(right ^ before),
            "a name changes sides if it is ahead of one of the two measures and not of the other.",
            {
                "that is the difference of two counts; those who come and those who go must not cancel.": [
                    net,
                    -net,
                ],
                "those are ahead of both; who is ahead of just one?": len(right & before),
            },
        ),
    }


@exercise("06-all-lag", {"share": figure("a percentage", 1), "now": COUNT})
def all_lag(mkt: market.Market) -> Answer:
    """Share of windows in which all seven lag the market, and how many lagged since 31 October."""
    history = mkt.prices(SEVEN, "adj_close").dropna()
    relative = history.div(mkt.prices("SPY", "adj_close").reindex(history.index), axis=0)
    fell, lag, longer = (
        names.fallen(each, WEEKS) for each in (history[:DAY], relative[:DAY], relative.dropna())
    )
    every = len(SEVEN)
    whole = (longer == every).mean() * 100
    return {
        "share": Right(
            (lag == every).mean() * 100,
            "a share lags where its price divided by that of the market falls over the window.",
            {
                "in those windows all seven *fell*; they need not have lagged.": (fell == every).mean() * 100,
                "in those windows all seven were ahead.": (lag == 0).mean() * 100,
                "in those windows at least one lagged; ask for all seven.": (lag > 0).mean() * 100,
                "let the history end on 10 December, as the article could know it.": whole,
            },
        ),
        "now": Right(
            lag.iloc[-1],
            "it is the last of the windows, the one that ends on 10 December.",
            {
                "that many fell; how many lagged?": fell.iloc[-1],
                "that many were ahead.": every - lag.iloc[-1],
            },
        ),
    }


@exercise("06-largest", {"ahead": COUNT, "mean": figure("a percentage", 1)})
def largest(mkt: market.Market) -> Answer:
    """The ten largest holdings of the fund: how many beat the market since 31 October, and their mean."""
    field = names.field(mkt.file("listings.parquet"), {"since": SINCE})["since"].dropna()
    held = mkt.holdings("2025-11-05").query("asset_class == 'Equity'").nlargest(10, "weight_pct")
    weight = held.set_index("ticker")["weight_pct"]
    change, examples = field.reindex(weight.index).dropna(), field.reindex(SMALL)
    spy = returns.window_return(mkt.prices("SPY"), SINCE)
    lead, weighted = change.mean() - spy, (weight * change).sum() / weight[change.index].sum()
    return {
        "ahead": Right(
            (change > spy).sum(),
            "take the ten with the largest weight, and compare price returns since 31 October.",
            {
                "that many gained; the question is who beat the market.": (change > 0).sum(),
                "that many were behind the market.": (change < spy).sum(),
                "those are the examples of the article; take the fund’s ten.": (examples > spy).sum(),
            },
        ),
        "mean": Right(
            change.mean(),
            "average the price returns since 31 October of the same ten, in equal parts.",
            {
                "that is the median; the question is about equal parts.": change.median(),
                "that is the mean of the article’s examples.": examples.mean(),
                "that is the lead over the market; the question is about the return itself.": lead,
                "that is weighted by the fund; give each of the ten the same weight.": weighted,
            },
        ),
    }


@exercise("06-gone", dict.fromkeys(("held", "dropped"), figure("a percentage", 1)))
def gone(mkt: market.Market) -> Answer:
    """Mean return of the five smaller winners to 31 July 2026, with and without the one that has no price any more."""
    prices = mkt.prices(SMALL, "adj_close")[DAY:LATER].ffill()
    change = (prices.iloc[-1] / prices.iloc[0] - 1) * 100
    left = change.drop("DENN")
    held, dropped, still = change.mean(), left.mean(), left.sum() / 5
    silent = "Denny’s is left out of that, in silence: pandas drops what is missing. Give it its last price."
    return {
        "held": Right(
            held,
            "all five in equal parts, adjusted closes, from 10 December 2025 to 31 July 2026.",
            {
                silent: dropped,
                "its holders were paid; the share did not become worthless.": (left.sum() - 100) / 5,
                "Denny’s moved a little between 10 December and its last session; count that too.": still,
            },
        ),
        "dropped": Right(
            dropped,
            "the same with the four that still have a price.",
            {
                "that still holds all five.": held,
                "four are left; do not divide by five.": dropped * 4 / 5,
            },
        ),
    }
