"""Checks of the exercises of notebook 02: style rotation."""

from __future__ import annotations

import pandas as pd

from course.checks import COUNT, Answer, Right, exercise, figure
from helpers import calendar, market
from helpers.measures import breadth, returns, style

DAY = "2025-12-10"
NOV, YTD = calendar.month_before(DAY), calendar.year_to_date(DAY)
STYLE = style.funds(style.FAMILIES)


def _leads(change: pd.DataFrame) -> pd.DataFrame:
    """Value minus growth by family, from returns by fund."""
    return pd.DataFrame({name: change[one] - change[other] for name, (one, other) in style.FAMILIES.items()})


@exercise("02-dividends", dict.fromkeys(("price", "dividends"), figure("percentage points", 2)))
def dividends(mkt: market.Market) -> Answer:
    """Value minus growth of the Russell family in the year to date by price, and what dividends add to it."""

    def lead(field: str, window: calendar.Window = YTD) -> float:
        return style.relative(mkt.prices(["IWD", "IWF"], field), "IWD", "IWF", window)

    price, total, november = lead("close"), lead("adj_close"), lead("close", NOV)
    return {
        "price": Right(
            price,
            "take the closes of IWD and IWF on the last day of 2024 and on 10 December 2025.",
            {
                "that is the lead by total return; here take the closes without dividends.": total,
                "that is November; the window runs from the end of 2024 to 10 December.": november,
            },
        ),
        "dividends": Right(
            total - price,
            "subtract the lead by price from the lead by total return, over the same window.",
            {
                "that is the whole lead by total return; how much larger or smaller is it than by price?": total
            },
        ),
    }


@exercise("02-balance", {"smallest": COUNT, "largest": COUNT})
def balance(mkt: market.Market) -> Answer:
    """Sessions from 3 November to 10 December with more rises than falls, in the smallest and largest group."""
    first = calendar.next_session(NOV.start)
    groups = breadth.above_mean(mkt.file("listings.parquet"), start=f"{first:%Y-%m-%d}", end=DAY)
    flags = (groups["net"] > 0, groups["net"] < 0, groups["share"] > 50)
    ups, downs, above = (each.groupby("group").sum() for each in flags)
    sessions = len(groups.index.unique("date"))

    def of(group: int, other: int) -> Right:
        return Right(
            int(ups[group]),
            "the balance of a session and group is advances minus declines; count the sessions above zero, from the "
            "first session of November to 10 December.",
            {
                "the other end of the size groups has that number; group 1 holds the smallest.": ups[other],
                "those are the sessions on which more stocks fell than rose.": downs[group],
                "that counts shares above the mean of fifty sessions; use the daily balance.": above[group],
                "that is every session; count those with a balance above zero.": sessions,
            },
        )

    return {"smallest": of(1, 10), "largest": of(10, 1)}


@exercise("02-after-strong", {"cases": COUNT, "wins": COUNT})
def after_strong(mkt: market.Market) -> Answer:
    """Months with value more than two points ahead in all families, and how often it led in the next."""
    ends = [calendar.month(d.year, d.month).end for d in pd.date_range("2004-07-31", "2025-11-30", freq="ME")]
    months = _leads(returns.daily_returns(mkt.prices(STYLE, "adj_close").loc[ends]))
    strong, mean = (months > 2).all(axis=1), months.mean(axis=1)
    following, wins = mean.shift(-1)[strong].dropna(), mean[strong] > 0
    by_mean, any_family, any_size = mean > 2, (months > 2).any(axis=1), (months > 0).all(axis=1)
    return {
        "cases": Right(
            len(following),
            "`months` is in percentage points: mark the months in which all four columns lie above two.",
            {
                "the last of these months has no successor in the table yet; leave it out.": strong.sum(),
                "the mean of the families is not enough; *each* must clear two points.": by_mean.sum(),
                "one family is not enough; *each* must clear two points.": any_family.sum(),
                "that asks for a lead of any size; it must be above two points.": any_size.sum(),
            },
        ),
        "wins": Right(
            int((following > 0).sum()),
            "take the mean of the four families in the month after each case, and count those above zero.",
            {
                "that looks at the same months; you need the month after each.": wins.sum(),
                "those are the months in which growth led.": (following < 0).sum(),
            },
        ),
    }


@exercise("02-stricter", {"bar": figure("percentage points", 2), "days": COUNT})
def stricter(mkt: market.Market) -> Answer:
    """Half a standard deviation of the Russell lead over eight sessions, and the last days that clear it."""
    prices = mkt.prices(STYLE, "adj_close").dropna()
    past, days = prices[: NOV.start], calendar.sessions("2025-12-01", DAY)

    def spread(sessions: int) -> pd.Series:
        return _leads(past.pct_change(sessions) * 100).std()

    bar, of_days = spread(len(days)) / 2, spread(1)["Russell"] / 2
    leads = pd.DataFrame(
        {day: style.lead(prices, style.FAMILIES, calendar.since(NOV.end, day)) for day in days}
    )
    clear, ahead = leads.gt(bar, axis=0).sum(), leads.gt(0).sum()
    return {
        "bar": Right(
            bar["Russell"],
            "take every window of eight sessions, from the first with prices of all eight funds to 31 October 2025, "
            "value minus growth, and halve the standard deviation.",
            {
                "that is a whole standard deviation; the bar is half of it.": bar["Russell"] * 2,
                "that is the spread of single days; take windows of eight sessions.": of_days,
                "that is the bar of another family; the question is about Russell.": list(bar[1:]),
            },
        ),
        "days": Right(
            int((clear >= 3).sum()),
            "for each last day from 1 to 10 December count the families whose lead since 28 November clears their own "
            "bar, and then the days with three or more.",
            {
                "that asks for no bar; each family must clear its own.": (ahead >= 3).sum(),
                "one family is not enough; the rule asks for three of four.": (clear >= 1).sum(),
                "that asks for all four; three will do.": (clear == 4).sum(),
            },
        ),
    }


@exercise("02-led-and-fell", {"led": COUNT, "fell": COUNT})
def led_and_fell(mkt: market.Market) -> Answer:
    """Sessions of November on which IWM led XLK, and those of them on which IWM fell."""
    prices = mkt.prices(
        ["IWM", "XLK", "SPY"], "adj_close", start=calendar.previous_session(NOV.start), end=DAY
    )
    longer = returns.daily_returns(prices)
    days = longer[calendar.next_session(NOV.start) : NOV.end]
    small, tech, fell = days["IWM"], days["XLK"], days["IWM"] < 0
    led, ever = small > tech, longer["IWM"] > longer["XLK"]
    to_day = ever[days.index[0] :].sum()
    return {
        "led": Right(
            int(led.sum()),
            "compare the daily returns of IWM and XLK on each session of November.",
            {
                "that runs to 10 December; the question is about the sessions of November.": to_day,
                "that begins with 31 October, which is no session of November.": ever[: NOV.end].sum(),
                "that is the lead over the S&P 500; compare with technology.": (small > days["SPY"]).sum(),
                "those are the sessions on which technology led.": (~led).sum(),
                "those are the sessions on which IWM rose; did it also lead XLK?": (small > 0).sum(),
            },
        ),
        "fell": Right(
            int((led & fell).sum()),
            "of the sessions on which IWM led, keep those on which its own return was below zero.",
            {
                "those are all sessions on which IWM fell; it must lead XLK as well.": fell.sum(),
                "that asks whether technology fell; ask whether IWM itself did.": (led & (tech < 0)).sum(),
                "those are the sessions on which IWM led and rose.": (led & ~fell).sum(),
            },
        ),
    }
