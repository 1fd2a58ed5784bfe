"""Checks of the exercises of notebook 06: named winners and losers."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pandas as pd

from course.checks import Hint, exercise, numeric
from helpers import calendar, market
from helpers.measures import names, returns

DAY, LATER = "2025-12-10", "2026-07-31"
SINCE = calendar.window("since 31 October", "2025-10-31", DAY)
YTD = calendar.year_to_date(DAY)
SEVEN = ["AAPL", "MSFT", "NVDA", "GOOGL", "AMZN", "META", "TSLA"]
SMALL = ["SERV", "MGNI", "DENN", "BBWI", "FMC"]
#: Sector fund of each of the twelve named winners.
FUND = {
    **{"SERV": "XLY", "MGNI": "XLC", "DENN": "XLY", "BBWI": "XLY", "FMC": "XLB"},
    **{"GS": "XLF", "JPM": "XLF", "BAC": "XLF", "CAT": "XLI", "IBM": "XLK", "CVS": "XLV", "LLY": "XLV"},
}


def _members(mkt: market.Market) -> pd.DataFrame:
    return mkt.holdings("2025-11-05").query("asset_class == 'Equity'")


def _since(mkt: market.Market, symbols: Sequence[str]) -> pd.Series:
    """Price return in percent since 31 October of the symbols that the listing panel has, as in the notebook."""
    return (
        duckdb.execute(
            """
            with days as (
              select symbol, date, coalesce(
                pct_change / 100.0, last / lag(last) over (partition by symbol order by date) - 1) as change
              from read_parquet(?)
              where date between date '2025-10-30' and date '2025-12-10' and symbol in (select unnest(?))
            )
            select symbol, product(1 + change order by date) filter (date > date '2025-10-31') * 100 - 100 as since
            from days group by symbol order by symbol
            """,
            [str(mkt.file("listings.parquet")), list(symbols)],
        )
        .df()
        .set_index("symbol")["since"]
        .dropna()
    )


def _market(mkt: market.Market) -> float:
    """Price return of SPY since 31 October, percent."""
    return float(returns.window_return(mkt.prices("SPY"), SINCE))


@exercise(
    "06-sector",
    asks='two whole numbers, of winners ahead of their sector ("ahead") and of winners that change sides ("turned")',
    expects={"ahead": int, "turned": int},
)
def sector(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Named winners ahead of their sector fund since 31 October, and those that change sides."""
    prices = mkt.prices([*FUND, *sorted({*FUND.values()}), "SPY"], "adj_close", start="2024-12-31", end=DAY)

    def ahead(window: calendar.Window, benchmark: str | None = None) -> set[str]:
        change = pd.Series(returns.window_return(prices, window))
        return {name for name, fund in FUND.items() if change[name] > change[benchmark or fund]}

    right, before = ahead(SINCE), ahead(SINCE, "SPY")
    hint = numeric(
        answer["ahead"],
        len(right),
        None,
        [
            (
                len(before),
                'the part "ahead": that is the count against the market; compare each with its own fund.',
            ),
            (
                len(ahead(YTD)),
                'the part "ahead": that is the year to date; the window begins on 31 October.',
            ),
            (len(FUND) - len(right), 'the part "ahead": those are the ones behind; count the ones ahead.'),
        ],
        'the part "ahead": look up the fund of each winner and compare total returns since 31 October.',
    )
    if hint is None:
        hint = numeric(
            answer["turned"],
            len(right ^ before),
            None,
            [
                (
                    len(right) - len(before),
                    'the part "turned": that is the difference of two counts; those who come and those who go '
                    "must not cancel.",
                ),
                (
                    len(right & before),
                    'the part "turned": those are ahead of both; who is ahead of just one?',
                ),
            ],
            'the part "turned": a name changes sides if it is ahead of one of the two measures and not of the other.',
        )
    return hint


@exercise(
    "06-all-lag",
    asks='a percentage with one decimal ("share") and a whole number ("now")',
    expects={"share": float, "now": int},
)
def all_lag(answer: dict[str, float | int], mkt: market.Market) -> Hint | None:
    """Share of windows in which all seven lag the market, and how many lagged since 31 October."""
    history = mkt.prices(SEVEN, "adj_close").dropna()
    spy = mkt.prices("SPY", "adj_close").reindex(history.index)
    length = len(calendar.sessions(SINCE.start, SINCE.end)) - 1
    fell = names.fallen(history[:DAY], length)
    lag = names.fallen(history.div(spy, axis=0)[:DAY], length)

    def share(flags: pd.Series) -> float:
        return float(flags.mean() * 100)

    hint = numeric(
        answer["share"],
        share(lag == len(SEVEN)),
        1,
        [
            (
                share(fell == len(SEVEN)),
                'the part "share": in those windows all seven *fell*; they need not have lagged.',
            ),
            (share(lag == 0), 'the part "share": in those windows all seven were ahead.'),
            (share(lag > 0), 'the part "share": in those windows at least one lagged; ask for all seven.'),
            (
                share(names.fallen(history.div(spy, axis=0), length) == len(SEVEN)),
                'the part "share": let the history end on 10 December, as the article could know it.',
            ),
        ],
        'the part "share": a share lags where its price divided by that of the market falls over the window.',
    )
    if hint is None:
        hint = numeric(
            answer["now"],
            int(lag.iloc[-1]),
            None,
            [
                (int(fell.iloc[-1]), 'the part "now": that many fell; how many lagged?'),
                (len(SEVEN) - int(lag.iloc[-1]), 'the part "now": that many were ahead.'),
            ],
            'the part "now": it is the last of the windows, the one that ends on 10 December.',
        )
    return hint


@exercise(
    "06-largest",
    asks='a whole number ("ahead") and a percentage with one decimal ("mean")',
    expects={"ahead": int, "mean": float},
)
def largest(answer: dict[str, float | int], mkt: market.Market) -> Hint | None:
    """The ten largest holdings of the fund: how many beat the market since 31 October, and their mean."""
    ten = _members(mkt).nlargest(10, "weight_pct")
    change, spy = _since(mkt, list(ten["ticker"])), _market(mkt)
    if change.empty:
        return None if answer["ahead"] == 0 else "none of the ten has a price in the panel here."
    weighted = float((ten.set_index("ticker")["weight_pct"].reindex(change.index) * change).sum())
    examples = _since(mkt, SMALL)
    hint = numeric(
        answer["ahead"],
        int((change > spy).sum()),
        None,
        [
            (
                int((change > 0).sum()),
                'the part "ahead": that many gained; the question is who beat the market.',
            ),
            (int((change < spy).sum()), 'the part "ahead": that many were behind the market.'),
            (
                int((examples > spy).sum()),
                'the part "ahead": those are the examples of the article; take the fund’s ten.',
            ),
        ],
        'the part "ahead": take the ten with the largest weight, and compare price returns since 31 October.',
    )
    if hint is None:
        hint = numeric(
            answer["mean"],
            float(change.mean()),
            1,
            [
                (
                    float(change.median()),
                    'the part "mean": that is the median; the question is about equal parts.',
                ),
                (float(examples.mean()), 'the part "mean": that is the mean of the article’s examples.'),
                (
                    weighted / float(ten["weight_pct"].sum()),
                    'the part "mean": that is weighted by the fund; give each of the ten the same weight.',
                ),
            ],
            'the part "mean": average the price returns since 31 October of the same ten, in equal parts.',
        )
    return hint


@exercise(
    "06-gone",
    asks='two percentages with one decimal, with Denny’s as cash ("held") and without Denny’s ("dropped")',
    expects={"held": float, "dropped": float},
)
def gone(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Mean return of the five smaller winners to 31 July 2026, with and without the one that has no price any more."""
    prices = mkt.prices(SMALL, "adj_close")[DAY:LATER]
    filled = prices.ffill()
    change = (filled.iloc[-1] / filled.iloc[0] - 1) * 100
    held, dropped = float(change.mean()), float(change.drop("DENN").mean())
    zero = float(change.where(change.index != "DENN", -100.0).mean())
    hint = numeric(
        answer["held"],
        held,
        1,
        [
            (
                dropped,
                'the part "held": Denny’s is left out of that, in silence: pandas drops what is missing. Give it its '
                "last price.",
            ),
            (zero, 'the part "held": its holders were paid; the share did not become worthless.'),
            (
                float(change.drop("DENN").sum() / len(SMALL) + 0.0),
                'the part "held": Denny’s moved a little between 10 December and its last session; count that too.',
            ),
        ],
        'the part "held": all five in equal parts, adjusted closes, from 10 December 2025 to 31 July 2026.',
    )
    if hint is None:
        hint = numeric(
            answer["dropped"],
            dropped,
            1,
            [
                (held, 'the part "dropped": that still holds all five.'),
                (dropped * 4 / 5, 'the part "dropped": four are left; do not divide by five.'),
            ],
            'the part "dropped": the same with the four that still have a price.',
        )
    return hint
