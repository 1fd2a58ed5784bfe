"""Checks of the exercises of notebook 08: outlook."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from course.checks import Hint, exercise, numeric, of_part
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
    return int((forecasts.gains(mkt.prices(list(names), "adj_close"), names, HALF_YEAR) > 0).sum())


@exercise(
    "08-equal-weight",
    asks='a dictionary with two whole numbers, "spy" and "rsp"',
    expects={"spy": int, "rsp": int},
)
def equal_weight(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """How many of the four sectors of C69 beat SPY, and how many RSP, to mid-2026 by total return."""

    def part(key: str, of: str) -> Hint | None:
        right = int(_ahead(mkt, SECTORS, of).sum())
        spring = int(_ahead(mkt, SECTORS, of, calendar.since(START, SPRING)).sum())
        hint = numeric(
            answer[key],
            right,
            None,
            [
                (
                    _rose(mkt, SECTORS),
                    "that is how many rose; a lead asks for a higher return than the benchmark.",
                ),
                (spring, "the window runs to the end of June 2026, not to the end of March."),
                (len(SECTORS) - right, "that is how many were behind; count those ahead."),
            ],
            f"compare the four total returns of the claim with that of {of}, over the same window.",
        )
        return of_part(key, hint)

    return part("spy", "SPY") or part("rsp", "RSP")


@exercise(
    "08-careless",
    asks='a dictionary with a whole number ("scored") and a percentage with one decimal ("careless")',
    expects={"scored": int, "careless": float},
)
def careless(answer: dict[str, int | float], mkt: market.Market) -> Hint | None:
    """Forecasts that can be scored sixty sessions after the data end, and the mid caps' return by the last price."""
    prices = mkt.prices(["IJH"], "adj_close").dropna()

    def grown(end: calendar.Day, start: calendar.Day = START) -> float:
        return float(forecasts.gains(prices, ["IJH"], calendar.since(start, end))["IJH"])

    # No forecast can be scored on a day that no price reaches.
    hint = numeric(
        answer["scored"],
        0,
        None,
        [],
        "a score needs the price of that very day. Which forecasts find one there?",
    )
    if hint is not None:
        return of_part("scored", hint)
    last = prices.index[-1]
    hint = numeric(
        answer["careless"],
        grown(last),
        1,
        [
            (
                grown(HORIZON),
                "that is the return to mid-2026; a careless board takes the last price that it has.",
            ),
            (
                grown(last, calendar.next_session(START)),
                "the window begins at the close of 10 December, the last one before the article.",
            ),
        ],
        "take the adjusted closes of IJH without the empty days: the last one against that of 10 December.",
    )
    return of_part("careless", hint)


@exercise(
    "08-brier",
    asks='a dictionary with a percentage ("probability", whole number) and a score ("score", three decimals)',
    expects={"probability": float, "score": float},
)
def brier(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """The one probability for all ten leads with the best Brier score, and that score."""
    truth = _ahead(mkt, LEADS)
    share = float(truth.mean())
    hint = numeric(
        answer["probability"],
        share * 100,
        0,
        [
            (50.0, "that is a coin’s. Does the score fall when you move away from it?"),
            (100.0, "that is certainty, which costs most where a lead did not come."),
            (100 - share * 100, "that is the best probability that a lead does *not* come."),
        ],
        "score the ten leads with every probability from zero to one, and take the one with the lowest score.",
    )
    if hint is not None:
        return of_part("probability", hint)
    right, certain = forecasts.brier(share, truth), forecasts.brier(1.0, truth)
    hint = numeric(
        answer["score"],
        right,
        3,
        [
            (0.25, "that is the score of a coin; put in the probability that you found."),
            (certain, "that is the score of certainty; put in the probability you found."),
            (right * len(LEADS), "that is the sum of the squared distances; Brier’s score is their mean."),
            (right**0.5, "that is the root of the score; leave the square as it is."),
        ],
        "the score is the mean of the squared distances between the probability and what came, one or zero.",
    )
    return of_part("score", hint)


@exercise(
    "08-hedges",
    asks='a dictionary with two whole numbers, "scored" and "true"',
    expects={"scored": int, "true": int},
)
def hedges(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Of the three statements that only hedged sentences make: how many can be scored, how many came true."""
    behind = sum(
        bool(_ahead(mkt, ["SPY"], "XLK", calendar.since(START, end))["SPY"]) for end in (SPRING, HORIZON)
    )
    rose = forecasts.change(mkt.macro("DGS10"), START, HORIZON) > 0
    fell = bool(forecasts.gains(mkt.prices(["^RUT"]), ["^RUT"], HALF_YEAR)["^RUT"] < 0)
    hint = numeric(
        answer["scored"],
        2 + int(rose),
        None,
        [],
        "the statement about the Russell 2000 has an if. Did its condition come about? If not, nothing can be "
        "scored.",
    )
    if hint is not None:
        return of_part("scored", hint)
    hint = numeric(
        answer["true"],
        behind + int(rose and fell),
        None,
        [
            (
                2 - behind + int(rose and fell),
                "the forecast was that technology falls behind SPY, not that it leads.",
            ),
            (
                behind + int(rose and not fell),
                "the warning was that small caps fall when yields rise; did the Russell 2000 fall?",
            ),
        ],
        "technology has two horizons, the end of March and of June 2026; compare it with SPY at each.",
    )
    return of_part("true", hint)


@exercise(
    "08-persistence",
    asks='a dictionary with two whole numbers, "article" and "persistence"',
    expects={"article": int, "persistence": int},
)
def persistence(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Of ten leads over SPY: how many came, and how many outcomes looking back had right."""
    led, leads = _ahead(mkt, LEADS, span=calendar.since("2025-10-31", START)), _ahead(mkt, LEADS)
    hint = numeric(
        answer["article"],
        int(leads.sum()),
        None,
        [
            (int(led.sum()), "that is how many led before the article; count those that led after it."),
            (_rose(mkt, LEADS), "that is how many rose; a lead asks for more than SPY."),
        ],
        "the article foretold a lead for each; count the higher total returns than SPY’s to mid-2026.",
    )
    if hint is not None:
        return of_part("article", hint)
    hint = numeric(
        answer["persistence"],
        int((led == leads).sum()),
        None,
        [
            (
                int((led & leads).sum()),
                "persistence is also right where one was behind before and stayed behind.",
            ),
            (int(led.sum()), "that is how many led before; how many outcomes did that foretell?"),
            (int((led != leads).sum()), "that is how often persistence was wrong."),
        ],
        "persistence foretells for each name what it did from the end of October to 10 December, lead or lag.",
    )
    return of_part("persistence", hint)
