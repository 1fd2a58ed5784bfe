"""Plausible wrong answers to the exercises of notebook 07, each with a piece of the hint it must get."""

from course import nb07
from helpers import french
from helpers.measures import drawdowns, rates, returns, spread


def _hml(mkt):
    return spread.after_june(french.factors(mkt.file("french/F-F_Research_Data_Factors.csv"))["HML"])


def _after(mkt, **options):
    return nb07._lead(nb07._sizes(mkt), "1973-01", **options)


def _lead(mkt, first="2021-07-01", field="adj_close"):
    prices = mkt.prices(["IWD", "IWF"], field)["2020-10-30":"2022-03-31"]
    change = (prices / prices.iloc[0] - 1) * 100
    return (change["IWD"] - change["IWF"])[first:]


WRONG = {
    "07-own-dates": [
        ({"least": "Nasdaq Composite", "depth": -77.9}, "fell most"),
        ({"least": "S&P 500", "depth": -49.1}, "another index"),
        (
            lambda mkt: {
                "least": "Dow Jones",
                "depth": returns.window_return(mkt.prices("^DJI"), nb07.BUST),
            },
            "between the Nasdaq’s dates",
        ),
        (
            lambda mkt: {
                "least": "^DJI",
                "depth": -drawdowns.worst(mkt.prices("^DJI").dropna()["1999-12-31":"2002-12-31"])["depth"],
            },
            "sign",
        ),
        ({"least": "Dow of 2000", "depth": -30.0}, "one of the four"),
    ],
    "07-first-peak": [
        (lambda mkt: {"lead": _after(mkt, first=0), "ahead": 3}, "month of the peak"),
        (lambda mkt: {"lead": _after(mkt, compound=False), "ahead": 3}, "added up|compound"),
        (
            lambda mkt: {
                "lead": _after(mkt),
                "ahead": len(nb07._after_peaks(mkt, nb07._sizes(mkt))) + 1,
            },
            "all peaks",
        ),
    ],
    "07-own-past": [
        (lambda mkt: {"slope": 1.0, "t": 5.0}, "against itself"),
        (lambda mkt: {"slope": 0.9, "t": 0.0}, "the year before it"),
        (
            lambda mkt: {"slope": rates.hac_slope(_hml(mkt), _hml(mkt).shift(1)).slope, "t": 2.5},
            "over its standard error",
        ),
    ],
    "07-ends": [
        (lambda mkt: {"share": (_lead(mkt) <= 0).mean() * 100, "best": 0.0}, "growth was ahead"),
        (lambda mkt: {"share": (_lead(mkt) > 0).mean(), "best": 0.0}, "fraction"),
        (lambda mkt: {"share": (_lead(mkt) > 0).mean() * 100, "best": _lead(mkt).min()}, "the worst"),
        (
            lambda mkt: {"share": (_lead(mkt) > 0).mean() * 100, "best": _lead(mkt).iloc[-1]},
            "the last end",
        ),
    ],
    "07-coin": [
        (6, "root of it"),
        (9, "one standard error"),
        (139, "standard error of a share"),
        (20, "solve for n"),
    ],
}
