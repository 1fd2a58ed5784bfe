"""Checks of the exercises of notebook 08: outlook."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from course.checks import Hint, exercise, numeric
from helpers import calendar, market
from helpers.files import HelperError
from helpers.measures import forecasts

START = "2025-12-10"
SPRING, HORIZON = "2026-03-31", "2026-06-30"
BEFORE = "2025-10-31"
SECTORS = ("XLI", "XLF", "XLE", "XLP")
#: Funds and companies that the article's forecasts, read as leads over SPY, name.
LEADS = (*SECTORS, "XLB", "XLV", "SOXX", "NVDA", "INTC", "RSP")


def _gains(mkt: market.Market, names: Sequence[str], start: str, end: str) -> pd.Series:
    """Total returns in percent; HelperError where the data do not reach so far."""
    prices = mkt.prices(list(names), "adj_close")
    ends = prices.reindex([pd.Timestamp(start), pd.Timestamp(end)])
    if lacking := [name for name in names if ends[name].isna().any()]:
        raise HelperError(f"the data hold no price of {lacking[0]} on {start} or on {end}.")
    change: pd.Series = (ends.iloc[1] / ends.iloc[0] - 1) * 100
    return change


def _ahead(mkt: market.Market, names: Sequence[str], of: str, start: str, end: str) -> pd.Series:
    """Which of some names had a higher total return than another."""
    change = _gains(mkt, [*names, of], start, end)
    leads: pd.Series = change[list(names)] > change[of]
    return leads


@exercise(
    "08-equal-weight",
    asks='a dictionary with two whole numbers, "spy" and "rsp"',
    expects={"spy": int, "rsp": int},
)
def equal_weight(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """How many of the four sectors of C69 beat SPY, and how many RSP, to mid-2026 by total return."""

    def count(of: str, end: str = HORIZON, names: Sequence[str] = SECTORS) -> int:
        return int(_ahead(mkt, names, of, START, end).sum())

    rose = int((_gains(mkt, SECTORS, START, HORIZON) > 0).sum())
    for key, of in (("spy", "SPY"), ("rsp", "RSP")):
        hint = numeric(
            answer[key],
            count(of),
            None,
            [
                (rose, "that is how many rose; a lead asks for a higher return than the benchmark."),
                (count(of, SPRING), "the window runs to the end of June 2026, not to the end of March."),
                (len(SECTORS) - count(of), "that is how many were behind; count those ahead."),
            ],
            f"compare the four total returns of the claim with that of {of}, over the same window.",
        )
        if hint is not None:
            return f"the part “{key}”: {hint}"
    return None


@exercise(
    "08-careless",
    asks='a dictionary with a whole number ("scored") and a percentage with one decimal ("careless")',
    expects={"scored": int, "careless": float},
)
def careless(answer: dict[str, int | float], mkt: market.Market) -> Hint | None:
    """Forecasts that can be scored sixty sessions after the data end, and the mid caps' return by the last price."""
    prices = mkt.prices(["IJH"], "adj_close")["IJH"].dropna()
    beyond = calendar.next_session(mkt.last_session, 60)
    hint = numeric(
        answer["scored"],
        # No forecast can be scored on a day that no price reaches.
        int(pd.Timestamp(beyond) <= mkt.last_session),
        None,
        [],
        "a score needs the price of that very day. Which forecasts does score() still judge there?",
    )
    if hint is not None:
        return f"the part “scored”: {hint}"
    later = calendar.next_session(START)
    hint = numeric(
        answer["careless"],
        float(prices.iloc[-1] / prices[START] - 1) * 100,
        1,
        [
            (
                float(prices[:HORIZON].iloc[-1] / prices[START] - 1) * 100,
                "that is the return to mid-2026; a careless board takes the last price that it has.",
            ),
            (
                float(prices.iloc[-1] / prices[later] - 1) * 100,
                "the window begins at the close of 10 December, the last one before the article.",
            ),
        ],
        "take the adjusted closes of IJH without the empty days: the last one against that of 10 December.",
    )
    return hint and f"the part “careless”: {hint}"


@exercise(
    "08-brier",
    asks='a dictionary with a percentage ("probability", whole number) and a score ("score", three decimals)',
    expects={"probability": float, "score": float},
)
def brier(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """The one probability for all ten leads with the best Brier score, and that score."""
    truth = _ahead(mkt, LEADS, "SPY", START, HORIZON)
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
        return f"the part “probability”: {hint}"
    right = forecasts.brier(share, truth)
    hint = numeric(
        answer["score"],
        right,
        3,
        [
            (0.25, "that is the score of a coin; put in the probability that you found."),
            (
                forecasts.brier(1.0, truth),
                "that is the score of certainty; put in the probability you found.",
            ),
            (right * len(LEADS), "that is the sum of the squared distances; Brier’s score is their mean."),
            (right**0.5, "that is the root of the score; leave the square as it is."),
        ],
        "the score is the mean of the squared distances between the probability and what came, one or zero.",
    )
    return hint and f"the part “score”: {hint}"


@exercise(
    "08-hedges",
    asks='a dictionary with two whole numbers, "scored" and "true"',
    expects={"scored": int, "true": int},
)
def hedges(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Of the three statements that only hedged sentences make: how many can be scored, how many came true."""
    behind = [
        bool(_ahead(mkt, ["SPY"], "XLK", START, end)["SPY"]) for end in (SPRING, HORIZON)
    ]  # technology behind the market
    yields, small = mkt.macro("DGS10"), mkt.prices(["^RUT"])["^RUT"]
    then, now = forecasts.value_on(yields, START), forecasts.value_on(yields, HORIZON)
    if then is None or now is None or HORIZON not in small.dropna().index:
        raise HelperError(f"the data do not reach {HORIZON}.")
    rose, fell = now > then, bool(small[HORIZON] < small[START])
    hint = numeric(
        answer["scored"],
        2 + int(rose),
        None,
        [],
        "the statement about the Russell 2000 has an if. Did its condition come about? If not, nothing can be "
        "scored.",
    )
    if hint is not None:
        return f"the part “scored”: {hint}"
    hint = numeric(
        answer["true"],
        sum(behind) + int(rose and fell),
        None,
        [
            (
                2 - sum(behind) + int(rose and fell),
                "the forecast was that technology falls behind SPY, not that it leads.",
            ),
            (
                sum(behind) + int(rose and not fell),
                "the warning was that small caps fall when yields rise; did the Russell 2000 fall?",
            ),
        ],
        "technology has two horizons, the end of March and of June 2026; compare it with SPY at each.",
    )
    return hint and f"the part “true”: {hint}"


@exercise(
    "08-persistence",
    asks='a dictionary with two whole numbers, "article" and "persistence"',
    expects={"article": int, "persistence": int},
)
def persistence(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Of ten leads over SPY: how many came, and how many outcomes looking back had right."""
    led = _ahead(mkt, LEADS, "SPY", BEFORE, START)
    leads = _ahead(mkt, LEADS, "SPY", START, HORIZON)
    hint = numeric(
        answer["article"],
        int(leads.sum()),
        None,
        [
            (int(led.sum()), "that is how many led before the article; count those that led after it."),
            (
                int((_gains(mkt, LEADS, START, HORIZON) > 0).sum()),
                "that is how many rose; a lead asks for more than SPY.",
            ),
        ],
        "the article foretold a lead for each; count the higher total returns than SPY’s to mid-2026.",
    )
    if hint is not None:
        return f"the part “article”: {hint}"
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
    return hint and f"the part “persistence”: {hint}"
