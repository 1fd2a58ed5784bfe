"""Plausible wrong answers to the exercises of notebook 02, each with a piece of the hint it must get."""

from helpers import calendar
from helpers.measures import breadth, returns, style

DAY = "2025-12-10"


def _lead(mkt, field):
    return style.relative(mkt.prices(["IWD", "IWF"], field), "IWD", "IWF", calendar.year_to_date(DAY))


def _ups(mkt):
    groups = breadth.above_mean(mkt.file("listings.parquet"), start="2025-11-03", end=DAY)
    return (groups["net"] > 0).groupby("group").sum()


def _eight(mkt, sessions):
    prices = mkt.prices(style.funds(style.FAMILIES), "adj_close")[:"2025-10-31"].dropna()
    change = prices.pct_change(sessions) * 100
    return (change["IWD"] - change["IWF"]).std()


def _days(mkt, end):
    daily = returns.daily_returns(mkt.prices(["IWM", "XLK"], "adj_close", start="2025-10-31", end=end))
    return daily, daily["IWM"] > daily["XLK"]


WRONG = {
    "02-dividends": [
        (lambda mkt: {"price": _lead(mkt, "adj_close"), "dividends": 0.5}, "by total return"),
        (lambda mkt: {"price": -_lead(mkt, "close"), "dividends": 0.5}, "sign"),
        (
            lambda mkt: {
                "price": _lead(mkt, "close"),
                "dividends": _lead(mkt, "close") - _lead(mkt, "adj_close"),
            },
            "dividends.*sign",
        ),
    ],
    "02-balance": [
        (lambda mkt: {"smallest": _ups(mkt)[10], "largest": _ups(mkt)[1]}, "group 1 holds the smallest"),
        (lambda mkt: {"smallest": _ups(mkt)[1], "largest": 27}, "largest.*every session"),
    ],
    "02-after-strong": [
        ({"cases": 27, "wins": 14}, "no successor"),
        ({"cases": 26, "wins": 12}, "growth led"),
        ({"cases": 255, "wins": 130}, "all four columns"),
    ],
    "02-stricter": [
        (lambda mkt: {"bar": _eight(mkt, 8), "days": 0}, "whole standard deviation"),
        (lambda mkt: {"bar": _eight(mkt, 1) / 2, "days": 0}, "single days"),
        (lambda mkt: {"bar": _eight(mkt, 8) / 2, "days": 8}, "the bar fits"),
    ],
    "02-led-and-fell": [
        (lambda mkt: {"led": _days(mkt, DAY)[1].sum(), "fell": 1}, "runs to 10 December"),
        (
            lambda mkt: {
                "led": _days(mkt, "2025-11-28")[1].sum(),
                "fell": (_days(mkt, "2025-11-28")[0]["IWM"] < 0).sum(),
            },
            "all sessions on which IWM fell",
        ),
    ],
}
