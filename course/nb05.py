"""Checks of the exercises of notebook 05: valuation."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

from course.checks import Hint, exercise, near, numeric
from helpers import claims, market
from helpers.measures import valuation

HELD = "2025-11-11"
PATIENT = (45, 90)  # days from a quarter's end to its report, and from a fourth quarter's


def _asserted(claim_id: str) -> float:
    """The article's own figure."""
    return float((claims.claim(claim_id).asserts or {})["value"])


def _income(mkt: market.Market) -> pd.DataFrame:
    """Quarterly net income without the slips of scale."""
    table = valuation.quarter_table(mkt.fundamentals(), "net_income")
    return table.mask(valuation.suspects(table))


def _members(mkt: market.Market, last: pd.Period | None = None) -> pd.DataFrame:
    """The covered companies of the holdings, with market value, weight and income of four quarters."""
    caps = duckdb.execute(
        "select symbol, market_cap from read_parquet(?) where date = ?",
        [str(mkt.file("listings.parquet")), HELD],
    ).df()
    members = valuation.companies(mkt.holdings(HELD), caps.set_index("symbol")["market_cap"])
    table, last = _income(mkt), last or valuation.latest_quarter(HELD)
    members["status"] = valuation.status(members, table, last)
    members["income"] = valuation.trailing(valuation.match(members, table), last)
    return members[members["status"] == "covered"]


def _yield(members: pd.DataFrame) -> float:
    return valuation.earnings_yield(members["cap"], members["income"])


@exercise("05-company-d", asks="a number with one decimal", expects=float)
def company_d(answer: float, mkt: market.Market) -> Hint | None:
    """The loss of D at which the four invented companies have the article's P/E."""
    value, profits = 4 * 100.0, 10.0 + 6.0 + 4.0
    article, average = _asserted("C37"), _asserted("C38")
    return numeric(
        answer,
        profits - value / article,
        1,
        [
            (value / article, "that is what the four must earn together; D's loss is what is missing to it."),
            (
                profits - 300 / article,
                "with losses counted, D's market value belongs to the sum: four companies, not three.",
            ),
            (
                profits,
                "at that loss the basket earns nothing and has no P/E; it passes the article's before.",
            ),
            (profits - value / average, "that is for the article's average; take its P/E of the day."),
        ],
        "market value over P/E is what the basket must earn; the three with a profit earn more than that.",
    )


@exercise(
    "05-patience",
    asks='a dictionary with a whole number ("dates") and a percentage with two decimals ("yield")',
    expects={"dates": int, "yield": float},
)
def patience(answer: dict[str, int | float], mkt: market.Market) -> Hint | None:
    """Dates of holdings whose last known quarter changes with patience, and the yield in November then."""
    held = mkt.holdings_dates()
    ours = [valuation.latest_quarter(day) for day in held]

    def changed(lag: int, annual: int) -> int:
        patient = [valuation.latest_quarter(day, lag, annual) for day in held]
        return sum(one != other for one, other in zip(ours, patient, strict=True))

    hint = numeric(
        answer["dates"],
        changed(*PATIENT),
        None,
        [
            (
                len(held) - changed(*PATIENT),
                'the part "dates" counts those that stay; count those that change.',
            ),
            (len(held), 'the part "dates" counts all dates; compare the quarters of both patiences.'),
        ],
        'the part "dates" does not fit: set the last known quarter by both pairs of lags side by side for each date.',
    )
    if hint is not None:
        return hint
    last = valuation.latest_quarter(HELD, *PATIENT)
    members = _members(mkt, last)
    return numeric(
        float(answer["yield"]),
        _yield(members),
        2,
        [
            (
                _yield(_members(mkt)),
                "the dates fit; that is the yield with our own patience. Hand the other quarter to basket().",
            ),
            (
                valuation.weighted_yield(members["weight"], members["cap"], members["income"]),
                "the dates fit; that yield is by the weight in the fund. Take sum over sum.",
            ),
            (
                _yield(members[members["income"] > 0]),
                "the dates fit; that yield leaves the loss-makers out. Count them.",
            ),
        ],
        "the dates fit; for the yield put the income of the covered members over their market value.",
    )


@exercise("05-median", asks="a percentage with two decimals", expects=float)
def median(answer: float, mkt: market.Market) -> Hint | None:
    """Earnings yield of the median covered member, losses counted."""
    members = _members(mkt)
    own = members["income"] / members["cap"] * 100
    right = float(own.median())
    return numeric(
        answer,
        right,
        2,
        [
            (float(own[own > 0].median()), "that leaves the loss-makers out; they count here."),
            (float(own.mean()), "that is the mean, which a few huge losses rule; take the median."),
            (_yield(members), "that is sum over sum; here every company has one vote."),
            (
                100 / right if right else None,
                "that is the P/E; the question is about its inverse, the yield.",
            ),
            (
                float(members["income"].median() / members["cap"].median() * 100),
                "that divides one median by another; divide for each member first, then take the median.",
            ),
        ],
        "divide income by market value for each covered member, then take the one in the middle.",
    )


@exercise(
    "05-sector",
    asks='a dictionary with a name in quotes ("sector") and a percentage with one decimal ("losses")',
    expects={"sector": str, "losses": float},
)
def sector(answer: dict[str, str | float], mkt: market.Market) -> Hint | None:
    """Sector with the lowest P/E without loss-makers, and the share of its members with a loss."""
    members = _members(mkt)
    groups = {str(name): group for name, group in members.groupby("sector") if len(group) >= 5}
    ratios = pd.Series(
        {name: valuation.pe_table(group)["sum, profit only"] for name, group in groups.items()}
    )
    name, right = str(answer["sector"]), str(ratios.idxmin())
    if name.casefold() != right.casefold():
        losses = pd.Series({key: valuation.loss_share(group["income"]) for key, group in groups.items()})
        if name not in set(members["sector"]):
            return "there is no sector of that name; look at the names in the column of core."
        if name not in groups:
            return "that sector has fewer than five covered members; leave such sectors out."
        if name == ratios.idxmax():
            return "that sector has the highest P/E of all, the question is about the lowest."
        if name == losses.idxmin():
            return "that sector has the fewest loss-makers, but it does not have the lowest P/E without them."
        if name == losses.idxmax():
            return "that sector has the most loss-makers; look at the P/E of those that earn something."
        return (
            "another sector has a lower P/E; divide the sum of market values by the sum of profits in each."
        )
    group, losses_given = groups[right], float(answer["losses"])
    share = valuation.loss_share(group["income"])
    everyone = valuation.loss_share(members["income"])
    if not near(everyone, share, 1) and near(losses_given, everyone, 1):
        return "the sector fits; that is the share of all members, take those of the sector."
    return numeric(
        losses_given,
        share,
        1,
        [
            (
                valuation.loss_share(group["income"], group["weight"]),
                "the sector fits; that share is by weight, count the members instead.",
            ),
            (100 - share, "the sector fits; that is the share without a loss."),
            (
                float((group["income"] < 0).sum()),
                "the sector fits; that is a number of members, not a share.",
            ),
        ],
        "the sector fits; for the share divide its members with a loss by all its covered members.",
    )


@exercise("05-unusual", asks="a percentage with two decimals", expects=float)
def unusual(answer: float, mkt: market.Market) -> Hint | None:
    """Earnings yield if a quarter's net loss is cut at the operating loss and a tenth of the market value."""
    core, clean = _members(mkt), _income(mkt)
    operating = valuation.quarter_table(mkt.fundamentals(), "operating_profit").reindex(clean.index)
    window = pd.period_range(end=valuation.latest_quarter(HELD), periods=4, freq="Q")
    net = valuation.match(core, clean).reindex(columns=window)
    work = valuation.match(core, operating).reindex(columns=window)

    def cut(floor: pd.DataFrame) -> float:
        kept = net.where(work.isna(), np.maximum(net, floor)).sum(axis=1)
        return valuation.earnings_yield(core["cap"], kept)

    slack = 0.1 * core["cap"]
    return numeric(
        answer,
        cut(work.clip(upper=0).sub(slack, axis=0)),
        2,
        [
            (
                _yield(core),
                "that is the yield as it is, with nothing cut off; does your floor reach any quarter?",
            ),
            (cut(work.clip(upper=0)), "the tenth of the market value is missing in your floor."),
            (
                cut(work.sub(slack, axis=0)),
                "your floor begins at the operating profit too; where that is above zero, the floor counts from zero.",
            ),
            (
                valuation.earnings_yield(core["cap"], work.sum(axis=1)),
                "that puts operating profit in the place of net income; it only sets the floor of the net loss.",
            ),
            (
                valuation.earnings_yield(core["cap"], net.clip(lower=-slack, axis=0).sum(axis=1)),
                "that cuts every loss at a tenth of the market value; the operating loss may come on top.",
            ),
            (
                cut(work.clip(upper=0).sub(0.1 * core["cap"] / 4, axis=0)),
                "you share the tenth among the four quarters; the rule allows it in each.",
            ),
        ],
        "build a table of floors, quarter by quarter, and take the larger of floor and net income in each cell.",
    )
