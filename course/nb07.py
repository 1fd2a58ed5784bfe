"""Checks of the exercises of notebook 07: precedents."""

from __future__ import annotations

import math

import pandas as pd

from course.checks import Hint, exercise, near, numeric
from helpers import calendar, market
from helpers.measures import drawdowns, french, precedents, rates, returns, spread, style

BUST = calendar.since("2000-03-10", "2002-10-09")
THREE_YEARS = calendar.since("1999-12-31", "2002-12-31")
NAMES = {"^IXIC": "Nasdaq Composite", "^GSPC": "S&P 500", "^RUT": "Russell 2000", "^DJI": "Dow Jones"}


def sizes(mkt: market.Market) -> pd.DataFrame:
    """Monthly returns of the smallest and the largest fifth, percent."""
    tables = french.sections(mkt.file("french/25_Portfolios_5x5.csv"))
    return precedents.small_and_big(french.five_by_five(tables["Average Value Weighted Returns -- Monthly"]))


def after_peaks(mkt: market.Market, after: pd.Series) -> list[float]:
    """Small minus big after every technology peak of the notebook with three whole years after it."""
    closes = mkt.prices(["^IXIC", "^GSPC"])[:"2025-12-10"]
    found = precedents.falls_of_a_leader(closes, "^IXIC", "^GSPC")
    peaks = found.loc[found["lead"] > 0, "peak"].dt.to_period("M")
    return [float(value) for value in after.reindex(peaks).dropna()]


def lead(mkt: market.Market, field: str = "adj_close") -> pd.Series:
    """Value against growth from 30 October 2020 to every close up to March 2022."""
    prices = mkt.prices(["IWD", "IWF"], field)
    return pd.Series(style.path(prices, {"lead": ("IWD", "IWF")}, "2020-10-30", "2022-03-31")["lead"])


@exercise(
    "07-own-dates",
    asks='the name of an index in quotes ("least") and a percentage with one decimal ("depth")',
    expects={"least": str, "depth": float},
)
def own_dates(answer: dict[str, str | float], mkt: market.Market) -> Hint | None:
    """Which of four indices fell least from its own peak to its own trough, and by how much."""
    closes = {name: mkt.prices(name).dropna() for name in NAMES}
    inside = {name: series[THREE_YEARS.start : THREE_YEARS.end] for name, series in closes.items()}
    depths = pd.Series({name: float(drawdowns.worst(series)["depth"]) for name, series in inside.items()})
    least, part = str(depths.idxmax()), 'the part "least"'
    given = str(answer["least"]).casefold()
    known = {word.casefold(): symbol for symbol, name in NAMES.items() for word in (symbol, symbol[1:], name)}
    known |= {"dow": "^DJI", "dow jones industrial average": "^DJI", "nasdaq": "^IXIC"}
    if given not in known:
        return f"{part}: give one of the four names of the table, such as those in `NAMES`."
    if known[given] == depths.idxmin():
        return f"{part}: that one fell most. Losses are negative: the smallest loss is the largest number."
    if known[given] != least:
        return f"{part}: another index lost less between its own peak and its own trough."
    part, series = 'the part "depth"', closes[least]
    traps = [
        (returns.window_return(series, BUST), "that is between the Nasdaq’s dates; take the index’s own."),
        (drawdowns.worst(series)["depth"], "that is the worst of the whole history; stay within the bust."),
        (returns.window_return(series, THREE_YEARS), "that is from end to end, not from peak to trough."),
    ]
    return numeric(
        float(answer["depth"]),
        float(depths[least]),
        1,
        [(float(wrong), f"{part}: {hint}") for wrong, hint in traps],
        f"{part}: the deepest drawdown between the last close of 1999 and the last close of 2002.",
    )


@exercise(
    "07-first-peak",
    asks='percentage points with one decimal ("lead") and a whole number ("ahead")',
    expects={"lead": float, "ahead": int},
)
def first_peak(answer: dict[str, float | int], mkt: market.Market) -> Hint | None:
    """Small minus big after January 1973, and the number of peaks, it included, after which small caps led."""
    months = sizes(mkt)
    after, added = precedents.leads_after(months), months["1973-02":"1976-01"].sum()
    right, others = float(after["1973-01"]), after_peaks(mkt, after)
    part = 'the part "lead"'
    traps = [
        (
            precedents.leads_after(months, first=0)["1973-01"],
            "the month of the peak is in there; begin a month later.",
        ),
        (added["small"] - added["big"], "those months are added up; compound them."),
        (after["2000-03"], "that is the lead after March 2000; the question is about January 1973."),
    ]
    hint = numeric(
        answer["lead"],
        right,
        1,
        [(float(wrong), f"{part}: {words}") for wrong, words in traps],
        f"{part}: compound small and big over the three years from February 1973, then subtract.",
    )
    if hint is not None:
        return hint
    behind, part = sum(value > 0 for value in others), 'the part "ahead"'
    return numeric(
        answer["ahead"],
        behind + (right > 0),
        None,
        [
            (behind, f"{part}: January 1973 is not counted there; it comes in now."),
            (len(others) + 1, f"{part}: that is the number of all peaks; after how many did small lead?"),
        ],
        f"{part}: count the leads above zero, those of the peaks in `judged` and the new one.",
    )


@exercise(
    "07-own-past",
    asks='two numbers, the slope with two decimals ("slope") and its t-value with one ("t")',
    expects={"slope": float, "t": float},
)
def own_past(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """HML of the twelve months from July on HML of the twelve months before."""
    factors = french.factors(mkt.file("french/F-F_Research_Data_Factors.csv"))
    hml = spread.after_june(factors["HML"])
    right, turned = rates.hac_slope(hml, hml.shift(1)), rates.hac_slope(hml, hml.shift(-1))
    if not near(answer["slope"], right.slope, 2):
        part = 'the part "slope"'
        if near(answer["slope"], rates.hac_slope(factors["HML"], factors["HML"].shift(1)).slope, 2):
            return f"{part}: that is from month to month; take the years from July that `hml` holds."
        if near(answer["slope"], rates.hac_slope(factors["SMB"], factors["SMB"].shift(1)).slope, 2):
            return f"{part}: that is another factor; the question is about HML."
        if abs(right.slope) > 0.03 and near(-answer["slope"], right.slope, 2):
            return f"{part}: the size fits, the sign does not. What follows a good year?"
        if near(answer["slope"], 1.0, 2):
            return f"{part}: that sets each year against itself; shift one of the two."
        return f"{part}: set each year of `hml` against the year before it, with rates.hac_slope()."
    part, ordinary = 'the part "t"', rates.hac_slope(hml, hml.shift(1), lags=0)
    return numeric(
        answer["t"],
        right.t,
        1,
        [
            (right.slope, f"{part}: that is the slope again."),
            (right.se, f"{part}: that is the standard error; divide the slope by it."),
            (turned.t, f"{part}: the years are turned round; what is forecast is the later one."),
            (ordinary.t, f"{part}: keep the lags of Newey and West that the function takes by itself."),
        ],
        f"{part}: the slope over its standard error, with the errors of Newey and West.",
    )


@exercise(
    "07-ends",
    asks='a percentage, a whole number ("share"), and percentage points with one decimal ("best")',
    expects={"share": float, "best": float},
)
def ends(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Value against growth from 30 October 2020 to every close from July 2021 to March 2022."""
    path = lead(mkt)
    inside = path["2021-07-01":]
    share, part = float((inside > 0).mean() * 100), 'the part "share"'
    grew = float((inside.diff().dropna() > 0).mean() * 100)
    hint = numeric(
        answer["share"],
        share,
        0,
        [
            (100 - share, f"{part}: that is how often growth was ahead."),
            (
                float((path.iloc[1:] > 0).mean() * 100),
                f"{part}: the ends begin in July 2021; leave out the months before.",
            ),
            (grew, f"{part}: those are the days on which the lead grew; ask how often it was above zero."),
        ],
        f"{part}: divide both funds by their close of 30 October 2020; count the ends with value ahead.",
    )
    if hint is not None:
        return hint
    part, price = 'the part "best"', lead(mkt, "close")["2021-07-01":]
    return numeric(
        answer["best"],
        float(inside.max()),
        1,
        [
            (float(inside.min()), f"{part}: that is the worst."),
            (float(price.max()), f"{part}: those closes leave dividends out; take total returns."),
            (float(inside.iloc[-1]), f"{part}: that is the last end, not the best."),
        ],
        f"{part}: the largest of the leads over the ends from July 2021 to March 2022.",
    )


@exercise("07-coin", asks="a whole number", expects=int)
def coin(answer: int, mkt: market.Market) -> Hint | None:
    """Number of independent peaks that tell a share of two thirds from a half, two-sided at five percent."""
    distance, error, critical = 2 / 3 - 1 / 2, 0.5, 1.96
    root = critical * error / distance
    if abs(answer - root**2) <= 1.5:
        return None
    rooted = "that is the root of it: the error shrinks with the *root* of n."
    whole = "the standard error of a share is the root of p (1 - p) / n, at most a half over the root of n."
    nothing = "that tells two thirds from nothing; the coin lands on one side half of the time."
    return numeric(
        answer,
        math.ceil(root**2),
        None,
        [
            (math.ceil(root), rooted),
            (math.floor(root), rooted),
            (round((error / distance) ** 2), "that is one standard error of distance; ask for 1.96 of them."),
            (math.ceil((critical / distance) ** 2), whole),
            (math.ceil((critical * error / (2 / 3)) ** 2), nothing),
        ],
        "set the distance between the two shares equal to 1.96 standard errors and solve for n; then round up.",
    )
