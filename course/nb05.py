"""Checks of the exercises of notebook 05: valuation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course.checks import Hint, exercise, near, numeric
from helpers import claims, market
from helpers.measures import valuation

HELD = "2025-11-11"
PATIENT = (45, 90)  # days from a quarter's end to its report, and from a fourth quarter's
FEWEST = 5  # members of a sector that is looked at


def _asserted(claim_id: str) -> float:
    """The article's own figure."""
    return float((claims.claim(claim_id).asserts or {})["value"])


_read: dict[str, valuation.Fund] = {}  # by the data's fingerprint: several exercises ask for the same fund


def _fund(mkt: market.Market) -> valuation.Fund:
    if mkt.fingerprint not in _read:
        _read[mkt.fingerprint] = valuation.Fund.read(mkt)
    return _read[mkt.fingerprint]


def _yield(members: pd.DataFrame) -> float:
    return valuation.earnings_yield(members["cap"], members["income"])


@exercise("05-company-d", asks="a number with one decimal", expects=float)
def company_d(answer: float, mkt: market.Market) -> Hint | None:
    """The loss of D at which the four invented companies have the article's P/E."""
    value, profits = 4 * 100.0, 10.0 + 6.0 + 4.0
    article, average = _asserted("C37"), _asserted("C38")
    wrong = [
        (value / article, "that is what the four must earn together; D's loss is what is missing to it."),
        (
            profits - 300 / article,
            "with losses counted, D's market value belongs to the sum: four companies, not three.",
        ),
        (profits, "at that loss the basket earns nothing and has no P/E; it passes the article's before."),
        (profits - value / average, "that is for the article's average; take its P/E of the day."),
    ]
    last = "market value over P/E is what the basket must earn; the three with a profit earn more than that."
    return numeric(answer, profits - value / article, 1, wrong, last)


@exercise(
    "05-patience",
    asks='a dictionary with a whole number ("dates") and a percentage with two decimals ("yield")',
    expects={"dates": int, "yield": float},
)
def patience(answer: dict[str, int | float], mkt: market.Market) -> Hint | None:
    """Lists whose last known quarter changes with patience, and the yield in November then."""
    fund = _fund(mkt)
    changed = sum(
        valuation.latest_quarter(day) != valuation.latest_quarter(day, *PATIENT) for day in fund.lists
    )
    held = len(fund.lists)
    wrong = [
        (held - changed, 'the part "dates" counts those that stay; count those that change.'),
        (held, 'the part "dates" counts all dates; compare the quarters of both patiences.'),
    ]
    last = 'the part "dates" does not fit: set the last known quarter by both pairs of lags side by side for each date.'
    if hint := numeric(answer["dates"], changed, None, wrong, last):
        return hint
    members = fund.covered(HELD, last=valuation.latest_quarter(HELD, *PATIENT))
    by_weight = valuation.weighted_yield(members["weight"], members["cap"], members["income"])
    yields = [
        (
            _yield(fund.covered(HELD)),
            "the dates fit; that is the yield with our own patience. Hand the other quarter to fund.covered().",
        ),
        (by_weight, "the dates fit; that yield is by the weight in the fund. Take sum over sum."),
        (
            _yield(members[members["income"] > 0]),
            "the dates fit; that yield leaves the loss-makers out. Count them.",
        ),
    ]
    last = "the dates fit; for the yield put the income of the covered members over their market value."
    return numeric(float(answer["yield"]), _yield(members), 2, yields, last)


@exercise("05-median", asks="a percentage with two decimals", expects=float)
def median(answer: float, mkt: market.Market) -> Hint | None:
    """Earnings yield of the median covered member, losses counted."""
    members = _fund(mkt).covered(HELD)
    own = members["income"] / members["cap"] * 100
    right = float(own.median())
    wrong = [
        (float(own[own > 0].median()), "that leaves the loss-makers out; they count here."),
        (float(own.mean()), "that is the mean, which a few huge losses rule; take the median."),
        (_yield(members), "that is sum over sum; here every company has one vote."),
        (100 / right if right else None, "that is the P/E; the question is about its inverse, the yield."),
        (
            float(members["income"].median() / members["cap"].median() * 100),
            "that divides one median by another; divide for each member first, then take the median.",
        ),
    ]
    last = "divide income by market value for each covered member, then take the one in the middle."
    return numeric(answer, right, 2, wrong, last)


@exercise(
    "05-sector",
    asks='a dictionary with a name in quotes ("sector") and a percentage with one decimal ("losses")',
    expects={"sector": str, "losses": float},
)
def sector(answer: dict[str, str | float], mkt: market.Market) -> Hint | None:
    """Sector with the lowest P/E without loss-makers, and the share of its members with a loss."""
    members = _fund(mkt).covered(HELD)
    groups = {str(name): group for name, group in members.groupby("sector") if len(group) >= FEWEST}
    pes = pd.Series({name: valuation.pe_table(group)["sum, profit only"] for name, group in groups.items()})
    right = str(pes.idxmin())
    if hint := _sector_name(str(answer["sector"]), right, members, groups, pes):
        return hint
    group, given = groups[right], float(answer["losses"])
    share, everyone = (valuation.loss_share(rows["income"]) for rows in (group, members))
    if not near(everyone, share, 1) and near(given, everyone, 1):
        return "the sector fits; that is the share of all members, take those of the sector."
    wrong = [
        (
            valuation.loss_share(group["income"], group["weight"]),
            "the sector fits; that share is by weight, count the members instead.",
        ),
        (100 - share, "the sector fits; that is the share without a loss."),
        (
            float((group["income"] < 0).sum()),
            "the sector fits; that is a number of members, not a share.",
        ),
    ]
    last = "the sector fits; for the share divide its members with a loss by all its covered members."
    return numeric(given, share, 1, wrong, last)


def _sector_name(
    name: str, right: str, members: pd.DataFrame, groups: dict[str, pd.DataFrame], pes: pd.Series
) -> Hint | None:
    """A hint on the sector's name, or None if it fits."""
    if name.casefold() == right.casefold():
        return None
    losses = pd.Series({key: valuation.loss_share(group["income"]) for key, group in groups.items()})
    if name not in set(members["sector"]):
        return "there is no sector of that name; look at the names in the column of core."
    if name not in groups:
        return "that sector has fewer than five covered members; leave such sectors out."
    if name == pes.idxmax():
        return "that sector has the highest P/E of all, the question is about the lowest."
    if name == losses.idxmin():
        return "that sector has the fewest loss-makers, but it does not have the lowest P/E without them."
    if name == losses.idxmax():
        return "that sector has the most loss-makers; look at the P/E of those that earn something."
    return "another sector has a lower P/E; divide the sum of market values by the sum of profits in each."


@exercise("05-unusual", asks="a percentage with two decimals", expects=float)
def unusual(answer: float, mkt: market.Market) -> Hint | None:
    """Earnings yield if a quarter's net loss is cut at the operating loss and a tenth of the market value."""
    fund = _fund(mkt)
    core = fund.covered(HELD)
    operating = valuation.quarter_table(mkt.fundamentals(), "operating_profit")
    window = pd.period_range(end=valuation.latest_quarter(HELD), periods=4, freq="Q")
    net, work = (
        valuation.match(core, table.reindex(fund.income.index)).reindex(columns=window)
        for table in (fund.income, operating)
    )
    tenth = 0.1 * core["cap"]

    def cut(floor: pd.DataFrame) -> float:
        kept = net.where(work.isna(), np.maximum(net, floor)).sum(axis=1)
        return valuation.earnings_yield(core["cap"], kept)

    wrong = [
        (
            _yield(core),
            "that is the yield as it is, with nothing cut off; does your floor reach any quarter?",
        ),
        (cut(work.clip(upper=0)), "the tenth of the market value is missing in your floor."),
        (
            cut(work.sub(tenth, axis=0)),
            "your floor begins at the operating profit too; where that is above zero, the floor counts from zero.",
        ),
        (
            valuation.earnings_yield(core["cap"], work.sum(axis=1)),
            "that puts operating profit in the place of net income; it only sets the floor of the net loss.",
        ),
        (
            valuation.earnings_yield(core["cap"], net.clip(lower=-tenth, axis=0).sum(axis=1)),
            "that cuts every loss at a tenth of the market value; the operating loss may come on top.",
        ),
        (
            cut(work.clip(upper=0).sub(tenth / 4, axis=0)),
            "you share the tenth among the four quarters; the rule allows it in each.",
        ),
    ]
    last = "build a table of floors, quarter by quarter, and take the larger of floor and net income in each cell."
    return numeric(answer, cut(work.clip(upper=0).sub(tenth, axis=0)), 2, wrong, last)
