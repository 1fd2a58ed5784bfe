"""Checks of the exercises of notebook 05: valuation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course.checks import COUNT, NAME, Answer, Right, exercise, figure
from helpers import claims, market
from helpers.measures import valuation
from helpers.measures.valuation import basket_yield, latest_quarter

HELD = "2025-11-11"
PATIENT = (45, 90)  # days from a quarter's end to its report, and from a fourth quarter's
FEWEST = 5  # members of a sector that is looked at

_read: dict[str, valuation.Fund] = {}  # by the data's fingerprint: several exercises ask for the same fund


def _fund(mkt: market.Market) -> valuation.Fund:
    if mkt.fingerprint not in _read:
        _read[mkt.fingerprint] = valuation.Fund.read(mkt)
    return _read[mkt.fingerprint]


@exercise("05-company-d", figure("a number", 1))
def company_d(mkt: market.Market) -> Answer:
    """The loss of D at which the four invented companies have the article's P/E."""
    value, profits = 4 * 100.0, 10.0 + 6.0 + 4.0
    article, average = (float((claims.claim(name).asserts or {})["value"]) for name in ("C37", "C38"))
    three = profits - 300 / article
    return Right(
        profits - value / article,
        "market value over P/E is what the basket must earn; the three with a profit earn more than that.",
        {
            "that is what the four must earn together; D’s loss is what is missing to it.": value / article,
            "with losses counted, D’s market value belongs to the sum: four companies, not three.": three,
            "at that loss the basket earns nothing and has no P/E; it passes the article’s before.": profits,
            "that is for the article’s average; take its P/E of the day.": profits - value / average,
        },
    )


@exercise("05-patience", {"dates": COUNT, "yield": figure("a percentage", 2)})
def patience(mkt: market.Market) -> Answer:
    """Lists whose last known quarter changes with patience, and the yield in November then."""
    fund = _fund(mkt)
    held, changed = len(fund.lists), sum(latest_quarter(d) != latest_quarter(d, *PATIENT) for d in fund.lists)
    members, own = fund.covered(HELD, last=latest_quarter(HELD, *PATIENT)), basket_yield(fund.covered(HELD))
    return {
        "dates": Right(
            changed,
            "for each date set the last known quarter by both pairs of lags side by side.",
            {
                "that counts those that stay; count those that change.": held - changed,
                "that counts all dates; compare the quarters of both patiences.": held,
            },
        ),
        "yield": Right(
            basket_yield(members),
            "put the income of the covered members over their market value.",
            {
                "that is the yield with our own patience. Hand the other quarter to fund.covered().": own,
                "that is by the weight in the fund. Take sum over sum.": basket_yield(members, "weight"),
                "that leaves the loss-makers out. Count them.": basket_yield(members, kind="profit only"),
            },
        ),
    }


@exercise("05-median", figure("a percentage", 2))
def median(mkt: market.Market) -> Answer:
    """Earnings yield of the median covered member, losses counted."""
    members = _fund(mkt).covered(HELD)
    income, cap = members["income"], members["cap"]
    own = income / cap * 100
    right, of_medians = own.median(), income.median() / cap.median() * 100
    return Right(
        right,
        "divide income by market value for each covered member, then take the one in the middle.",
        {
            "that leaves the loss-makers out; they count here.": own[own > 0].median(),
            "that is the mean, which a few huge losses rule; take the median.": own.mean(),
            "that is sum over sum; here every company has one vote.": basket_yield(members),
            "that is the P/E; the question is about its inverse, the yield.": valuation.pe_of(right),
            "that divides one median by another; divide for each member first.": of_medians,
        },
    )


@exercise("05-sector", {"sector": NAME, "losses": figure("a percentage", 1)})
def sector(mkt: market.Market) -> Answer:
    """Sector with the lowest P/E without loss-makers, and the share of its members with a loss."""
    members = _fund(mkt).covered(HELD)
    groups = {str(name): group for name, group in members.groupby("sector") if len(group) >= FEWEST}
    pes = pd.Series({name: valuation.pe(group, kind="profit only") for name, group in groups.items()})
    losses = pd.Series({name: valuation.loss_share(group["income"]) for name, group in groups.items()})
    known, right = {str(name).casefold() for name in members["sector"]}, str(pes.idxmin())
    few = sorted({*members["sector"].dropna()} - {*groups})
    group, loss_share = groups[right], valuation.loss_share
    of_all, by_weight = loss_share(members["income"]), loss_share(group["income"], group["weight"])
    return {
        "sector": Right(
            right,
            "another sector has a lower P/E; divide the sum of market values by the sum of profits in each.",
            {
                "there is no sector of that name; look at the names in the column of core.": lambda name: (
                    name.casefold() not in known
                ),
                "that sector has fewer than five covered members; leave such sectors out.": few,
                "that sector has the highest P/E of all, the question is about the lowest.": pes.idxmax(),
                "that sector has the fewest loss-makers; look for the lowest P/E without them.": losses.idxmin(),
                "that sector has the most loss-makers; look at the P/E of those that earn something.": losses.idxmax(),
            },
        ),
        "losses": Right(
            losses[right],
            "divide its members with a loss by all its covered members.",
            {
                "that is the share of all members, take those of the sector.": of_all,
                "that is by weight, count the members instead.": by_weight,
                "that is the share without a loss.": 100 - losses[right],
                "that is a number of members, not a share.": (group["income"] < 0).sum(),
            },
        ),
    }


@exercise("05-unusual", figure("a percentage", 2))
def unusual(mkt: market.Market) -> Answer:
    """Earnings yield if a quarter's net loss is cut at the operating loss and a tenth of the market value."""
    fund = _fund(mkt)
    core = fund.covered(HELD)
    operating = valuation.quarter_table(mkt.fundamentals(), "operating_profit")
    window = pd.period_range(end=latest_quarter(HELD), periods=4, freq="Q")
    net, work = (
        valuation.match(core, table.reindex(fund.income.index)).reindex(columns=window)
        for table in (fund.income, operating)
    )
    tenth, loss = 0.1 * core["cap"], work.clip(upper=0)

    def with_income(quarters: pd.DataFrame) -> float:
        return basket_yield(core.assign(income=quarters.sum(axis=1)))

    def cut(floor: pd.DataFrame) -> float:
        return with_income(net.where(work.isna(), np.maximum(net, floor)))

    floor, as_it_is = loss.sub(tenth, axis=0), basket_yield(core)
    at_tenth, dropped = with_income(net.clip(lower=-tenth, axis=0)), with_income(np.maximum(net, floor))
    return Right(
        cut(floor),
        "build a table of floors, quarter by quarter, and take the larger of floor and net income in each cell.",
        {
            "that is the yield as it is, with nothing cut off; does your floor reach any quarter?": as_it_is,
            "the tenth of the market value is missing in your floor.": cut(loss),
            "where the operating profit is above zero, the floor counts from zero.": cut(
                work.sub(tenth, axis=0)
            ),
            "that puts operating profit in the place of net income; it only sets the floor.": with_income(
                work
            ),
            "that cuts every loss at a tenth of the market value; the operating loss may come on top.": at_tenth,
            "a quarter without an operating figure stays as it is; yours drops out.": dropped,
            "you share the tenth among the four quarters; it counts in each.": cut(
                loss.sub(tenth / 4, axis=0)
            ),
        },
    )
