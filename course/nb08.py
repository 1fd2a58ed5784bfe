"""Checks of the exercises of notebook 08: outlook."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from course.checks import COUNT, Answer, Right, exercise, figure
from helpers import calendar, market
from helpers.measures import forecasts

START, SPRING, HORIZON = "2025-12-10", "2026-03-31", "2026-06-30"
HALF_YEAR = calendar.since(START, HORIZON)
SECTORS = ("XLI", "XLF", "XLE", "XLP")
#: Funds and companies that the article's forecasts, read as leads over SPY, name.
LEADS = (*SECTORS, "XLB", "XLV", "SOXX", "NVDA", "INTC", "RSP")


def _ahead(
    mkt: market.Market, names: Sequence[str], of: str = "SPY", span: calendar.Window = HALF_YEAR
) -> pd.Series:
    return forecasts.ahead(mkt.prices([*names, of], "adj_close"), names, of, span)


def _rose(mkt: market.Market, names: Sequence[str]) -> int:
    return (forecasts.gains(mkt.prices(list(names), "adj_close"), names, HALF_YEAR) > 0).sum()


@exercise("08-equal-weight", {"spy": COUNT, "rsp": COUNT})
def equal_weight(mkt: market.Market) -> Answer:
    """How many of the four sectors of C69 beat SPY, and how many RSP, to mid-2026 by total return."""

    def over(of: str) -> Right:
        right, spring = (
            _ahead(mkt, SECTORS, of, calendar.since(START, end)).sum() for end in (HORIZON, SPRING)
        )
        return Right(
            right,
            f"compare the four total returns of the claim with that of {of}, over the same window.",
            {
                "that is how many rose; a lead asks for more than the benchmark.": _rose(mkt, SECTORS),
                "the window runs to the end of June 2026, not to the end of March.": spring,
                "that is how many were behind; count those ahead.": len(SECTORS) - right,
            },
        )

    return {"spy": over("SPY"), "rsp": over("RSP")}


@exercise("08-careless", {"scored": COUNT, "careless": figure("a percentage", 1)})
def careless(mkt: market.Market) -> Answer:
    """Forecasts that can be scored sixty sessions after the data end, and the mid caps' return by the last price."""
    prices = mkt.prices(["IJH"], "adj_close").dropna()
    last = prices.index[-1]

    def grown(end: calendar.Day, start: calendar.Day = START) -> float:
        return forecasts.gains(prices, ["IJH"], calendar.since(start, end))["IJH"]

    return {
        # No forecast can be scored on a day that no price reaches.
        "scored": Right(0, "a score needs the price of that very day. Which forecasts find one there?"),
        "careless": Right(
            grown(last),
            "take the adjusted closes of IJH without the empty days: the last one against that of 10 December.",
            {
                "that is the return to mid-2026; a careless board takes its last price.": grown(HORIZON),
                "the window begins at the close of 10 December, the last one before the article.": grown(
                    last, calendar.next_session(START)
                ),
            },
        ),
    }


@exercise("08-brier", {"probability": figure("a percentage", 0), "score": figure("a score", 3)})
def brier(mkt: market.Market) -> Answer:
    """The one probability for all ten leads with the best Brier score, and that score."""
    truth = _ahead(mkt, LEADS)
    share = truth.mean()
    right, certain = forecasts.brier(share, truth), forecasts.brier(1.0, truth)
    return {
        "probability": Right(
            share * 100,
            "score the ten leads with every probability from zero to one, and take the one with the lowest score.",
            {
                "that is a coin’s. Does the score fall when you move away from it?": 50.0,
                "that is certainty, which costs most where a lead did not come.": 100.0,
                "that is the best probability that a lead does *not* come.": 100 - share * 100,
            },
        ),
        "score": Right(
            right,
            "the score is the mean of the squared distances between the probability and what came, one or zero.",
            {
                "that is the score of a coin; put in the probability that you found.": 0.25,
                "that is the score of certainty; put in the probability you found.": certain,
                "that is the sum of the squares; Brier’s score is their mean.": right * len(LEADS),
                "that is the root of the score; leave the square as it is.": right**0.5,
            },
        ),
    }


@exercise("08-hedges", {"scored": COUNT, "true": COUNT})
def hedges(mkt: market.Market) -> Answer:
    """Of the three statements that only hedged sentences make: how many can be scored, how many came true."""
    spring, later = (
        int(_ahead(mkt, ["SPY"], "XLK", calendar.since(START, end))["SPY"]) for end in (SPRING, HORIZON)
    )
    behind = spring + later
    rose = forecasts.change(mkt.macro("DGS10"), START, HORIZON) > 0
    fell = forecasts.gains(mkt.prices(["^RUT"]), ["^RUT"], HALF_YEAR)["^RUT"] < 0
    warned = int(rose and fell)
    return {
        "scored": Right(
            2 + int(rose),
            "the statement about the Russell 2000 has an if. Did its condition come about? If not, nothing can be "
            "scored.",
        ),
        "true": Right(
            behind + warned,
            "technology has two horizons, the end of March and of June 2026; compare it with SPY at each.",
            {
                "the forecast was that technology falls behind SPY, not that it leads.": 2 - behind + warned,
                "that reads one horizon; technology has two.": [spring + warned, later + warned],
                "small caps were to fall when yields rise; did the Russell 2000 fall?": behind
                + int(rose and not fell),
            },
        ),
    }


@exercise("08-persistence", {"article": COUNT, "persistence": COUNT})
def persistence(mkt: market.Market) -> Answer:
    """Of ten leads over SPY: how many came, and how many outcomes looking back had right."""
    led, leads = _ahead(mkt, LEADS, span=calendar.since("2025-10-31", START)), _ahead(mkt, LEADS)
    return {
        "article": Right(
            leads.sum(),
            "the article foretold a lead for each; count the higher total returns than SPY’s to mid-2026.",
            {
                "that is how many led before the article; count those that led after it.": led.sum(),
                "that is how many rose; a lead asks for more than SPY.": _rose(mkt, LEADS),
            },
        ),
        "persistence": Right(
            (led == leads).sum(),
            "it foretells for each name what it did from the end of October to 10 December, lead or lag.",
            {
                "it is also right where one was behind before and stayed behind.": (led & leads).sum(),
                "that is how many led before; how many outcomes did that foretell?": led.sum(),
                "that is how often persistence was wrong.": (led != leads).sum(),
            },
        ),
    }
