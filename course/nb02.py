"""Checks of the exercises of notebook 02: style rotation."""

from __future__ import annotations

import pandas as pd

from course.checks import Hint, exercise, numeric
from helpers import calendar, market
from helpers.measures import breadth, returns, style

DAY = "2025-12-10"
NOV, YTD = calendar.month_before(DAY), calendar.year_to_date(DAY)
STYLE = style.funds(style.FAMILIES)


def _differences(change: pd.DataFrame) -> pd.DataFrame:
    """Value minus growth by family, from returns by fund."""
    return pd.DataFrame({name: change[one] - change[other] for name, (one, other) in style.FAMILIES.items()})


@exercise(
    "02-dividends",
    asks='a dictionary with two numbers in percentage points, two decimals ("price" and "dividends")',
    expects={"price": float, "dividends": float},
)
def dividends(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Value minus growth of the Russell family in the year to date by price, and what dividends add to it."""

    def lead(field: str, window: calendar.Window) -> float:
        return style.relative(mkt.prices(["IWD", "IWF"], field), "IWD", "IWF", window)

    price, total = lead("close", YTD), lead("adj_close", YTD)
    hint = numeric(
        answer["price"],
        price,
        2,
        [
            (
                total,
                "that is the lead by total return; for the first part take the closes without dividends.",
            ),
            (lead("close", NOV), "that is November; the window runs from the end of 2024 to 10 December."),
        ],
        "for the part “price” take the closes of IWD and IWF on the last day of 2024 and on 10 December 2025.",
    )
    if hint is not None:
        return hint
    hint = numeric(
        answer["dividends"],
        total - price,
        2,
        [(total, "that is the whole lead by total return; how much larger or smaller is it than by price?")],
        "subtract the lead by price from the lead by total return, over the same window.",
    )
    return None if hint is None else f"the price part fits; the part “dividends” does not: {hint}"


@exercise(
    "02-balance",
    asks='a dictionary with two whole numbers ("smallest" and "largest")',
    expects={"smallest": int, "largest": int},
)
def balance(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Sessions from 3 November to 10 December with more rises than falls, in the smallest and largest group."""
    first = calendar.next_session(NOV.start)
    groups = breadth.above_mean(mkt.file("listings.parquet"), start=f"{first:%Y-%m-%d}", end=DAY)
    ups = (groups["net"] > 0).groupby("group").sum()
    downs = (groups["net"] < 0).groupby("group").sum()
    mean = (groups["share"] > 50).groupby("group").sum()
    sessions = len(groups.index.unique("date"))
    for part, group in (("smallest", 1), ("largest", 10)):
        other = 10 if group == 1 else 1
        hint = numeric(
            answer[part],
            int(ups[group]),
            None,
            [
                (
                    int(ups[other]),
                    "the other end of the size groups fits that number; group 1 holds the smallest.",
                ),
                (int(downs[group]), "those are the sessions on which more stocks fell than rose."),
                (
                    int(mean[group]),
                    "that counts shares above the mean of fifty sessions; use the daily balance.",
                ),
                (sessions, "that is every session; count those with a balance above zero."),
            ],
            "the balance of a session and group is advances minus declines; count the sessions above zero, from the "
            "first session of November to 10 December.",
        )
        if hint is not None:
            return f"look at the part “{part}”: {hint}"
    return None


@exercise(
    "02-after-strong",
    asks='a dictionary with two whole numbers ("cases" and "wins")',
    expects={"cases": int, "wins": int},
)
def after_strong(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Months with value more than two points ahead in all families, and how often it led in the next."""
    ends = [
        calendar.month(day.year, day.month).end
        for day in pd.date_range("2004-07-31", "2025-11-30", freq="ME")
    ]
    months = _differences(returns.daily_returns(mkt.prices(STYLE, "adj_close").loc[ends]))
    strong = (months > 2).all(axis=1)
    following = months.mean(axis=1).shift(-1)[strong].dropna()
    hint = numeric(
        answer["cases"],
        len(following),
        None,
        [
            (int(strong.sum()), "the last of these months has no successor in the table yet; leave it out."),
            (
                int((months.mean(axis=1) > 2).sum()),
                "the mean of the families is not enough; *each* must clear two points.",
            ),
            (int((months > 2).any(axis=1).sum()), "one family is not enough; *each* must clear two points."),
            (
                int((months > 0).all(axis=1).sum()),
                "that asks for a lead of any size; it must be above two points.",
            ),
        ],
        "months is in percentage points: mark the months in which all four columns lie above two.",
    )
    if hint is not None:
        return f"look at the part “cases”: {hint}"
    same_month = int((months.mean(axis=1)[strong] > 0).sum())
    hint = numeric(
        answer["wins"],
        int((following > 0).sum()),
        None,
        [
            (same_month, "that looks at the same months; you need the month after each."),
            (
                int((months.mean(axis=1).shift(1)[strong] > 0).sum()),
                "that looks at the month before; shift the other way.",
            ),
            (int((following < 0).sum()), "those are the months in which growth led."),
        ],
        "take the mean of the four families in the month after each case, and count those above zero.",
    )
    return None if hint is None else f"the number of cases fits; the part “wins” does not: {hint}"


@exercise(
    "02-stricter",
    asks='a dictionary with a number in percentage points, two decimals ("bar"), and a whole number ("days")',
    expects={"bar": float, "days": int},
)
def stricter(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Half a standard deviation of the Russell lead over eight sessions, and the last days that clear it."""
    prices = mkt.prices(STYLE, "adj_close").dropna()
    last_days = calendar.sessions("2025-12-01", DAY)
    past = prices[: NOV.start]
    spread = _differences(past.pct_change(len(last_days)).dropna() * 100).std()
    bar = spread / 2
    hint = numeric(
        answer["bar"],
        float(bar["Russell"]),
        2,
        [
            (float(spread["Russell"]), "that is a whole standard deviation; the bar is half of it."),
            (
                float(_differences(returns.daily_returns(past)).std()["Russell"] / 2),
                "that is the spread of single days; take windows as long as the one that is judged.",
            ),
        ]
        + [
            (float(bar[name]), f"that is the {name} family; the part asks for Russell.")
            for name in list(style.FAMILIES)[1:]
        ],
        "take every window of eight sessions, from the day on which all eight funds have prices to 31 October 2025, "
        "value minus growth, and halve the "
        "standard deviation.",
    )
    if hint is not None:
        return f"look at the part “bar”: {hint}"
    found = pd.DataFrame(
        {day: style.lead(prices, style.FAMILIES, calendar.since(NOV.end, day)) for day in last_days}
    )
    clears = found.gt(bar, axis=0).sum()
    hint = numeric(
        answer["days"],
        int((clears >= 3).sum()),
        None,
        [
            (
                int(((found > 0).sum() >= 3).sum()),
                "that asks for no bar; each family must clear its own.",
            ),
            (int((clears >= 1).sum()), "one family is not enough; the rule asks for three of four."),
        ],
        "for each last day from 1 to 10 December count the families whose lead since 28 November clears their own "
        "bar, and then the days with three or more.",
    )
    return None if hint is None else f"the bar fits; the part “days” does not: {hint}"


@exercise(
    "02-led-and-fell",
    asks='a dictionary with two whole numbers ("led" and "fell")',
    expects={"led": int, "fell": int},
)
def led_and_fell(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Sessions of November on which IWM led XLK, and those of them on which IWM fell."""
    prices = mkt.prices(["IWM", "XLK", "SPY"], "adj_close", start=NOV.start, end=DAY)
    every = returns.daily_returns(prices)

    def counts(days: pd.DataFrame, other: str = "XLK") -> tuple[int, int]:
        led = days["IWM"] > days[other]
        return int(led.sum()), int((led & (days["IWM"] < 0)).sum())

    november = every[: NOV.end]
    led, fell = counts(november)
    hint = numeric(
        answer["led"],
        led,
        None,
        [
            (counts(every)[0], "that runs to 10 December; the question is about the sessions of November."),
            (counts(november, "SPY")[0], "that is the lead over the S&P 500; compare with technology, XLK."),
            (len(november) - led, "those are the sessions on which technology led."),
            (
                int((november["IWM"] > 0).sum()),
                "those are the sessions on which IWM rose; did it also lead XLK?",
            ),
        ],
        "compare the daily returns of IWM and XLK on each session of November.",
    )
    if hint is not None:
        return f"look at the part “led”: {hint}"
    hint = numeric(
        answer["fell"],
        fell,
        None,
        [
            (
                int((november["IWM"] < 0).sum()),
                "those are all sessions on which IWM fell; it must lead XLK as well.",
            ),
            (
                int(((november["IWM"] > november["XLK"]) & (november["XLK"] < 0)).sum()),
                "that asks whether technology fell; the question is whether IWM itself did.",
            ),
        ],
        "of the sessions on which IWM led, keep those on which its own return was below zero.",
    )
    return None if hint is None else f"the first part fits; the part “fell” does not: {hint}"
