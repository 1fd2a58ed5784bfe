"""Plausible wrong answers to the exercises of notebook 07, each with a piece of the hint it must get."""

from course import nb07
from helpers.measures import french, precedents, rates, returns, spread


def own_past(mkt):
    hml = spread.after_june(french.factors(mkt.file("french/F-F_Research_Data_Factors.csv"))["HML"])
    return rates.hac_slope(hml, hml.shift(1))


def after(mkt, **options):
    return precedents.leads_after(nb07.sizes(mkt), **options)["1973-01"]


def ends(mkt):
    return nb07.lead(mkt)["2021-07-01":]


WRONG = {
    "07-own-dates": [
        ({"least": "Nasdaq Composite", "depth": -77.9}, "fell most"),
        ({"least": "S&P 500", "depth": -49.1}, "another index"),
        ({"least": "Dow of 2000", "depth": -30.0}, "one of the four"),
        (
            lambda mkt: {"least": "Dow", "depth": returns.window_return(mkt.prices("^DJI"), nb07.BUST)},
            "Nasdaq’s dates",
        ),
        ({"least": "^DJI", "depth": 37.8}, "sign"),
    ],
    "07-first-peak": [
        (lambda mkt: {"lead": after(mkt, first=0), "ahead": 3}, "month of the peak"),
        (lambda mkt: {"lead": nb07.sizes(mkt)["1973-02":"1976-01"].sum() @ [1, -1], "ahead": 3}, "added up"),
        (lambda mkt: {"lead": after(mkt), "ahead": 5}, "all peaks"),
    ],
    "07-own-past": [
        ({"slope": 1.0, "t": 5.0}, "against itself"),
        ({"slope": 0.9, "t": 0.0}, "the year before it"),
        (lambda mkt: {"slope": own_past(mkt).slope, "t": 2.5}, "over its standard error"),
    ],
    "07-ends": [
        (lambda mkt: {"share": (ends(mkt) <= 0).mean() * 100, "best": 0.0}, "growth was ahead"),
        (lambda mkt: {"share": (ends(mkt) > 0).mean(), "best": 0.0}, "fraction"),
        (lambda mkt: {"share": (ends(mkt) > 0).mean() * 100, "best": ends(mkt).min()}, "the worst"),
        (lambda mkt: {"share": (ends(mkt) > 0).mean() * 100, "best": ends(mkt).iloc[-1]}, "the last end"),
    ],
    "07-coin": [
        (6, "root of it"),
        (9, "one standard error"),
        (139, "standard error of a share"),
        (20, "solve for n"),
    ],
}
