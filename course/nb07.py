"""Checks of the exercises of notebook 07: precedents."""

from __future__ import annotations

import math

import pandas as pd

from course.checks import Hint, exercise, near, numeric
from helpers import calendar, french, market
from helpers.measures import drawdowns, rates, returns, spread

BUST = calendar.window("2000 to 2002", "2000-03-10", "2002-10-09")
NAMES = {"^IXIC": "Nasdaq Composite", "^GSPC": "S&P 500", "^RUT": "Russell 2000", "^DJI": "Dow Jones"}
AFTER = 36


def _sizes(mkt: market.Market) -> pd.DataFrame:
    """Monthly returns of the smallest and the largest fifth, percent."""
    table = french.sections(mkt.file("french/25_Portfolios_5x5.csv"))[
        "Average Value Weighted Returns -- Monthly"
    ]
    frame = french.five_by_five(table)
    return pd.DataFrame(
        {name: frame.xs(row, axis=1, level="size").mean(axis=1) for name, row in (("small", 1), ("big", 5))}
    )


def _lead(sizes: pd.DataFrame, peak: object, first: int = 1, compound: bool = True) -> float | None:
    """Small minus big over the 36 months after the month of a peak; None if the file ends before."""
    begin = pd.Period(peak, "M") + first
    if begin + AFTER - 1 > sizes.index[-1]:
        return None
    months = sizes.loc[begin : begin + AFTER - 1]
    growth = (1 + months / 100).prod() * 100 if compound else months.sum()
    return float(growth["small"] - growth["big"])


def _after_peaks(mkt: market.Market, sizes: pd.DataFrame) -> list[float]:
    """Small minus big after every technology peak of the notebook with three whole years after it."""
    closes = mkt.prices(["^IXIC", "^GSPC"])
    ixic = closes["^IXIC"].dropna()
    found = []
    for peak in drawdowns.episodes(ixic, 30)["peak"]:
        before = peak - pd.DateOffset(years=3)
        if before < ixic.index[0]:
            continue
        span = calendar.window("", calendar.session_on_or_before(before), peak)
        change = pd.Series(returns.window_return(closes, span))
        after = _lead(sizes, peak)
        if change["^IXIC"] > change["^GSPC"] and after is not None:
            found.append(after)
    return found


@exercise(
    "07-own-dates",
    asks='the name of an index in quotes ("least") and a percentage with one decimal ("depth")',
    expects={"least": str, "depth": float},
)
def own_dates(answer: dict[str, str | float], mkt: market.Market) -> Hint | None:
    """Which of four indices fell least from its own peak to its own trough, and by how much."""
    closes = mkt.prices(list(NAMES))
    depths = pd.Series(
        {
            name: float(drawdowns.worst(closes[name].dropna()["1999-12-31":"2002-12-31"])["depth"])
            for name in NAMES
        }
    )
    least = str(depths.idxmax())
    given = str(answer["least"]).casefold().strip()
    known = {word.casefold(): symbol for symbol, name in NAMES.items() for word in (symbol, symbol[1:], name)}
    known |= {"dow": "^DJI", "dow jones industrial average": "^DJI", "nasdaq": "^IXIC"}
    if given not in known:
        return 'the part "least": give one of the four names of the table, such as those in `names`.'
    if known[given] == depths.idxmin():
        return 'the part "least": that one fell most. Losses are negative: the smallest loss is the largest number.'
    if known[given] != least:
        return 'the part "least": another index lost less between its own peak and its own trough.'
    common = float(returns.window_return(closes[least], BUST))
    return numeric(
        float(answer["depth"]),
        float(depths[least]),
        1,
        [
            (
                common,
                'the part "depth": that is between the Nasdaq’s dates; take the index’s own peak and trough.',
            ),
            (
                float(drawdowns.worst(closes[least].dropna())["depth"]),
                'the part "depth": that is the worst fall of the whole history; stay within the bust’s years.',
            ),
            (
                float(returns.window_return(closes[least], calendar.window("", "1999-12-31", "2002-12-31"))),
                'the part "depth": that is from the end of 1999 to the end of 2002, not from peak to trough.',
            ),
        ],
        'the part "depth": the deepest drawdown between the last close of 1999 and the last close of 2002.',
    )


@exercise(
    "07-first-peak",
    asks='percentage points with one decimal ("lead") and a whole number ("ahead")',
    expects={"lead": float, "ahead": int},
)
def first_peak(answer: dict[str, float | int], mkt: market.Market) -> Hint | None:
    """Small minus big after January 1973, and the number of peaks, it included, after which small caps led."""
    sizes = _sizes(mkt)
    right, others = _lead(sizes, "1973-01"), _after_peaks(mkt, sizes)
    if right is None:
        return (
            None if answer["ahead"] == sum(value > 0 for value in others) else "the file ends too early here."
        )
    hint = numeric(
        answer["lead"],
        right,
        1,
        [
            (
                _lead(sizes, "1973-01", first=0),
                'the part "lead": the month of the peak is in there; begin a month later.',
            ),
            (
                _lead(sizes, "1973-01", compound=False),
                'the part "lead": those months are added up; compound them.',
            ),
            (
                _lead(sizes, "2000-03"),
                'the part "lead": that is the lead after March 2000; the question is about January 1973.',
            ),
        ],
        'the part "lead": compound small and big over the three years from February 1973, then subtract.',
    )
    if hint is None:
        behind = sum(value > 0 for value in others)
        hint = numeric(
            answer["ahead"],
            behind + (right > 0),
            None,
            [
                (behind, 'the part "ahead": January 1973 is not counted there; it comes in now.'),
                (
                    len(others) + 1,
                    'the part "ahead": that is the number of all peaks; after how many did small lead?',
                ),
            ],
            'the part "ahead": count the leads above zero, those of the peaks in `judged` and the new one.',
        )
    return hint


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
    monthly = rates.hac_slope(factors["HML"], factors["HML"].shift(1))
    if not near(answer["slope"], right.slope, 2):
        if near(answer["slope"], monthly.slope, 2):
            return 'the part "slope": that is from month to month; take the years from July that `hml` holds.'
        if near(answer["slope"], rates.hac_slope(factors["SMB"], factors["SMB"].shift(1)).slope, 2):
            return 'the part "slope": that is another factor; the question is about HML.'
        if abs(right.slope) > 0.03 and near(-answer["slope"], right.slope, 2):
            return 'the part "slope": the size fits, the sign does not. What follows a good year?'
        if near(answer["slope"], 1.0, 2):
            return 'the part "slope": that sets each year against itself; shift one of the two.'
        return 'the part "slope": set each year of `hml` against the year before it, with rates.hac_slope().'
    ordinary = rates.hac_slope(hml, hml.shift(1), lags=0)
    return numeric(
        answer["t"],
        right.t,
        1,
        [
            (right.slope, 'the part "t": that is the slope again.'),
            (right.se, 'the part "t": that is the standard error; divide the slope by it.'),
            (turned.t, 'the part "t": the years are turned round; what is forecast is the later one.'),
            (ordinary.t, 'the part "t": keep the lags of Newey and West that the function takes by itself.'),
        ],
        'the part "t": the slope over its standard error, with the errors of Newey and West.',
    )


@exercise(
    "07-ends",
    asks='a percentage, a whole number ("share"), and percentage points with one decimal ("best")',
    expects={"share": float, "best": float},
)
def ends(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Value against growth from 30 October 2020 to every close from July 2021 to March 2022."""
    prices = mkt.prices(["IWD", "IWF"], "adj_close")["2020-10-30":"2022-03-31"]
    change = (prices / prices.iloc[0] - 1) * 100
    path = change["IWD"] - change["IWF"]
    lead = path["2021-07-01":]
    plain = mkt.prices(["IWD", "IWF"])["2020-10-30":"2022-03-31"]
    price = ((plain["IWD"] / plain["IWD"].iloc[0]) - (plain["IWF"] / plain["IWF"].iloc[0]))[
        "2021-07-01":
    ] * 100
    share = float((lead > 0).mean() * 100)
    hint = numeric(
        answer["share"],
        share,
        0,
        [
            (100 - share, 'the part "share": that is how often growth was ahead.'),
            (
                float((path.iloc[1:] > 0).mean() * 100),
                'the part "share": the ends begin in July 2021; leave out the months before.',
            ),
            (
                float((lead.diff().dropna() > 0).mean() * 100),
                'the part "share": those are the days on which the lead grew; ask how often it was above zero.',
            ),
        ],
        'the part "share": divide both funds by their close of 30 October 2020; count the ends with value ahead.',
    )
    if hint is None:
        hint = numeric(
            answer["best"],
            float(lead.max()),
            1,
            [
                (float(lead.min()), 'the part "best": that is the worst.'),
                (
                    float(price.max()),
                    'the part "best": those closes leave dividends out; take total returns.',
                ),
                (float(lead.iloc[-1]), 'the part "best": that is the last end, not the best.'),
            ],
            'the part "best": the largest of the leads over the ends from July 2021 to March 2022.',
        )
    return hint


@exercise("07-coin", asks="a whole number", expects=int)
def coin(answer: int, mkt: market.Market) -> Hint | None:
    """Number of independent peaks that tell a share of two thirds from a half, two-sided at five percent."""
    distance, error, critical = 2 / 3 - 1 / 2, 0.5, 1.96
    exact = (critical * error / distance) ** 2
    if abs(answer - exact) <= 1.5:
        return None
    return numeric(
        answer,
        math.ceil(exact),
        None,
        [
            (
                math.ceil(critical * error / distance),
                "that is the root of it: the error shrinks with the *root* of n.",
            ),
            (
                math.floor(critical * error / distance),
                "that is the root of it: the error shrinks with the *root* of n.",
            ),
            (
                round((error / distance) ** 2),
                "that is one standard error of distance; ask for 1.96 of them.",
            ),
            (
                math.ceil((critical / distance) ** 2),
                "the standard error of a share is the root of p (1 - p) / n, at most a half over the root of n.",
            ),
            (
                math.ceil((critical * error / (2 / 3)) ** 2),
                "that tells two thirds from nothing; the coin lands on one side half of the time.",
            ),
        ],
        "set the distance between the two shares equal to 1.96 standard errors and solve for n; then round up.",
    )
