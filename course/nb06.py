"""Checks of the exercises of notebook 06: named winners and losers."""

from __future__ import annotations

import pandas as pd

from course.checks import Hint, exercise, numeric
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


def winners_ahead(mkt: market.Market, window: calendar.Window, benchmark: str | None = None) -> set[str]:
    """Named winners ahead of their sector fund, or of one benchmark for all, by total return."""
    prices = mkt.prices([*FUND, *{*FUND.values()}, "SPY"], "adj_close", start=YTD.start, end=DAY)
    change = pd.Series(returns.window_return(prices, window))
    return {name for name, fund in FUND.items() if change[name] > change[benchmark or fund]}


def fallen(mkt: market.Market, last: str | None = DAY, relative: bool = False) -> pd.Series:
    """How many of the seven fell, or lagged SPY, over each window of so many sessions."""
    history = mkt.prices(SEVEN, "adj_close").dropna()
    if relative:
        history = history.div(mkt.prices("SPY", "adj_close").reindex(history.index), axis=0)
    return names.fallen(history[:last], WEEKS)


def price_returns(mkt: market.Market) -> pd.Series:
    """Price return since 31 October of every symbol of the listing panel, percent."""
    return names.field(mkt.file("listings.parquet"), {"since": SINCE})["since"].dropna()


def ten_largest(mkt: market.Market) -> pd.Series:
    """Weight of the ten largest holdings of the Russell 2000 fund, by symbol."""
    held = mkt.holdings("2025-11-05").query("asset_class == 'Equity'")
    return pd.Series(held.nlargest(10, "weight_pct").set_index("ticker")["weight_pct"])


def later_returns(mkt: market.Market) -> pd.Series:
    """Return of the five smaller winners to 31 July 2026; who has no price any more keeps the last one."""
    prices = mkt.prices(SMALL, "adj_close")[DAY:LATER].ffill()
    return (prices.iloc[-1] / prices.iloc[0] - 1) * 100


@exercise(
    "06-sector",
    asks='two whole numbers, of winners ahead of their sector ("ahead") and of winners that change sides ("turned")',
    expects={"ahead": int, "turned": int},
)
def sector(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Named winners ahead of their sector fund since 31 October, and those that change sides."""
    right, before = winners_ahead(mkt, SINCE), winners_ahead(mkt, SINCE, "SPY")
    traps = [
        (len(before), "that is the count against the market; compare each with its own fund."),
        (len(winners_ahead(mkt, YTD)), "that is the year to date; the window begins on 31 October."),
        (len(FUND) - len(right), "those are the ones behind; count the ones ahead."),
    ]
    otherwise = "look up the fund of each winner and compare total returns since 31 October."
    if hint := numeric(answer["ahead"], len(right), None, traps, otherwise):
        return f'the part "ahead": {hint}'
    traps = [
        (
            len(right) - len(before),
            "that is the difference of two counts; those who come and those who go must not cancel.",
        ),
        (len(right & before), "those are ahead of both; who is ahead of just one?"),
    ]
    otherwise = "a name changes sides if it is ahead of one of the two measures and not of the other."
    hint = numeric(answer["turned"], len(right ^ before), None, traps, otherwise)
    return f'the part "turned": {hint}' if hint else None


@exercise(
    "06-all-lag",
    asks='a percentage with one decimal ("share") and a whole number ("now")',
    expects={"share": float, "now": int},
)
def all_lag(answer: dict[str, float | int], mkt: market.Market) -> Hint | None:
    """Share of windows in which all seven lag the market, and how many lagged since 31 October."""
    fell, lag, longer = fallen(mkt), fallen(mkt, relative=True), fallen(mkt, None, relative=True)

    def share(flags: pd.Series) -> float:
        return float(flags.mean() * 100)

    traps = [
        (share(fell == len(SEVEN)), "in those windows all seven *fell*; they need not have lagged."),
        (share(lag == 0), "in those windows all seven were ahead."),
        (share(lag > 0), "in those windows at least one lagged; ask for all seven."),
        (share(longer == len(SEVEN)), "let the history end on 10 December, as the article could know it."),
    ]
    otherwise = "a share lags where its price divided by that of the market falls over the window."
    if hint := numeric(answer["share"], share(lag == len(SEVEN)), 1, traps, otherwise):
        return f'the part "share": {hint}'
    now = int(lag.iloc[-1])
    traps = [
        (int(fell.iloc[-1]), "that many fell; how many lagged?"),
        (len(SEVEN) - now, "that many were ahead."),
    ]
    otherwise = "it is the last of the windows, the one that ends on 10 December."
    hint = numeric(answer["now"], now, None, traps, otherwise)
    return f'the part "now": {hint}' if hint else None


@exercise(
    "06-largest",
    asks='a whole number ("ahead") and a percentage with one decimal ("mean")',
    expects={"ahead": int, "mean": float},
)
def largest(answer: dict[str, float | int], mkt: market.Market) -> Hint | None:
    """The ten largest holdings of the fund: how many beat the market since 31 October, and their mean."""
    field, weight = price_returns(mkt), ten_largest(mkt)
    change, examples = field.reindex(weight.index).dropna(), field.reindex(SMALL)
    spy = float(returns.window_return(mkt.prices("SPY"), SINCE))
    if change.empty:
        return None if answer["ahead"] == 0 else "none of the ten has a price in the panel here."
    traps = [
        (int((change > 0).sum()), "that many gained; the question is who beat the market."),
        (int((change < spy).sum()), "that many were behind the market."),
        (
            int((examples > spy).sum()),
            "those are the examples of the article; take the fund’s ten.",
        ),
    ]
    otherwise = "take the ten with the largest weight, and compare price returns since 31 October."
    if hint := numeric(answer["ahead"], int((change > spy).sum()), None, traps, otherwise):
        return f'the part "ahead": {hint}'
    weighted = float((weight * change).sum() / weight.sum())
    means = [
        (float(change.median()), "that is the median; the question is about equal parts."),
        (float(examples.mean()), "that is the mean of the article’s examples."),
        (weighted, "that is weighted by the fund; give each of the ten the same weight."),
    ]
    otherwise = "average the price returns since 31 October of the same ten, in equal parts."
    hint = numeric(answer["mean"], float(change.mean()), 1, means, otherwise)
    return f'the part "mean": {hint}' if hint else None


@exercise(
    "06-gone",
    asks='two percentages with one decimal, with Denny’s as cash ("held") and without Denny’s ("dropped")',
    expects={"held": float, "dropped": float},
)
def gone(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Mean return of the five smaller winners to 31 July 2026, with and without the one that has no price any more."""
    change = later_returns(mkt)
    left = change.drop("DENN")
    held, dropped = float(change.mean()), float(left.mean())
    traps = [
        (
            dropped,
            "Denny’s is left out of that, in silence: pandas drops what is missing. Give it its last price.",
        ),
        (
            float((left.sum() - 100) / len(SMALL)),
            "its holders were paid; the share did not become worthless.",
        ),
        (
            float(left.sum() / len(SMALL)),
            "Denny’s moved a little between 10 December and its last session; count that too.",
        ),
    ]
    otherwise = "all five in equal parts, adjusted closes, from 10 December 2025 to 31 July 2026."
    if hint := numeric(answer["held"], held, 1, traps, otherwise):
        return f'the part "held": {hint}'
    traps = [
        (held, "that still holds all five."),
        (dropped * 4 / 5, "four are left; do not divide by five."),
    ]
    hint = numeric(answer["dropped"], dropped, 1, traps, "the same with the four that still have a price.")
    return f'the part "dropped": {hint}' if hint else None
