"""Checks of the exercises of notebook 03: policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from course.checks import COUNT, Answer, Right, exercise, figure
from helpers import calendar, claims, market
from helpers.measures import events, returns

DAY, IN_FORCE = "2025-12-10", "2025-12-11"
CUTS = ["2025-09-17", "2025-10-29", "2025-12-10"]
SESSIONS = calendar.sessions("2025-01-01", DAY)
MEETINGS = ("01-29", "03-19", "05-07", "06-18", "07-30")
HOLDS = [claims.fact(f"fomc-2025-{day}-meeting").value for day in MEETINGS]


def _small(mkt: market.Market) -> tuple[pd.Series, pd.Series]:
    """Daily returns of small caps and of the market."""
    frame = returns.daily_returns(mkt.prices(["^RUT", "^GSPC"]).dropna())
    return frame["^RUT"], frame["^GSPC"]


def _sums(mkt: market.Market, days: Any, around: int = 1) -> pd.Series:
    """Abnormal return around each of some days, to 10 December."""
    return events.event_study(*_small(mkt), days, around, around, until=DAY)["car"]


@exercise("03-two-sided", figure("a p-value between 0 and 1", 3))
def two_sided(mkt: market.Market) -> Answer:
    """Two-sided permutation p-value of the mean over the three cuts, in the rule's window."""
    rule, alone = (
        events.chance(*_small(mkt), CUTS, SESSIONS, around, around, until=DAY) for around in (1, 0)
    )
    one, two = rule["greater"], rule["two_sided"]
    twice = 2 * one
    return Right(
        two,
        "the test of the rule’s window gives both p-values; take the other one.",
        {
            "that is the one-sided value; a two-sided test counts choices far out on either side.": one,
            "doubling fits a symmetric spread only; count what lies as far from the mean of all, either way.": twice,
            "that is for the days alone; the rule’s window has a session on either side.": alone["two_sided"],
            "that is in percent; give the share between 0 and 1.": lambda given: (
                abs(given / 100 - two) < 1e-3
            ),
        },
    )


@exercise("03-yields", figure("a correlation between −1 and 1", 3))
def yields(mkt: market.Market) -> Answer:
    """Correlation of small caps' daily abnormal return with the change of the two-year yield, 2025."""
    level = mkt.macro("DGS2").reindex(SESSIONS)
    change, single = level.diff(), _sums(mkt, SESSIONS, 0)
    plain, late = _small(mkt)[0].reindex(SESSIONS).corr(change), single.corr(change.shift(1))
    return Right(
        single.corr(change),
        "pair, for every session up to 10 December, the abnormal return of the day with the yield’s change.",
        {
            "that uses the level of the yield; take its change from session to session.": single.corr(level),
            "that uses the plain return of small caps; take out the market’s first.": plain,
            "that uses sums over three sessions; take the day’s own.": _sums(mkt, SESSIONS).corr(change),
            "that pairs each return with the change of the day before; use the same session.": late,
        },
    )


@exercise("03-power", figure("a percentage", 2))
def power(mkt: market.Market) -> Answer:
    """Mean effect of three cuts that the test finds four times out of five."""
    limit = claims.claim("C25").rule["detail"][0]["bound"]["at_most"]  # for the p-value
    whole, last = events.pools(*_small(mkt), SESSIONS, 1, 1, until=DAY, kept=0)
    means, _ = events.permutation_means(whole, 3, last=last)
    critical, strict, low, middle, high = np.quantile(means, [1 - limit, 1 - limit / 2, 0.2, 0.5, 0.8])
    single = np.quantile(whole, 1 - limit) - np.quantile(whole, 0.2)
    return Right(
        critical - low,
        "find the critical value of the means first; then shift all of them until four of five lie above it.",
        {
            "that is what three sessions must exceed; an effect of that size is missed half the time.": critical,
            "with that effect every second choice passes; you need four of five.": critical - middle,
            "that is the critical value of a two-sided test; ours is one-sided.": strict - low,
            "you moved the wrong end: four of five must lie *above* the critical value.": critical - high,
            "that is for a single event; take the spread of means of three.": single,
        },
    )


@exercise("03-rises", {"rises": COUNT, "mean": figure("a percentage", 2)})
def rises(mkt: market.Market) -> Answer:
    """Rises of the range on record, and the mean abnormal return around them."""
    steps = mkt.macro("DFEDTARU")[:IN_FORCE].diff().dropna()
    up, down = steps.index[steps > 0], steps.index[steps < 0]

    def mean(effective: pd.DatetimeIndex, before_force: int = 1, around: int = 1) -> float:
        starts = effective - pd.Timedelta(days=before_force)
        days = [calendar.sessions(day, day + pd.Timedelta(days=7))[0] for day in starts]
        return _sums(mkt, [day for day in days if day <= pd.Timestamp(DAY)], around).mean()

    return {
        "rises": Right(
            len(up),
            "count the steps of the upper end of the range that are above zero, over the whole record to 11 December "
            "2025.",
            {
                "those are the cuts; a rise is a step above zero.": len(down),
                "those are all steps; keep those above zero.": len(up) + len(down),
            },
        ),
        "mean": Right(
            mean(up),
            "run the event study of small caps on the S&P 500 around the first session that could react to each rise.",
            {
                "day 0 is the decision; the series changes a day later. See reaction().": mean(up, 0),
                "that is the day alone; take one session before to one after.": mean(up, around=0),
                "that is the wide window; take one session before to one after.": mean(up, around=5),
                "that is the mean around the cuts.": mean(down),
            },
        ),
    }


@exercise("03-wednesdays", {"mean": figure("a percentage", 2), "above": COUNT})
def wednesdays(mkt: market.Market) -> Answer:
    """Abnormal return around Wednesdays without a meeting, and how many reach the mean of the three cuts."""
    every = _sums(mkt, SESSIONS[:-1])
    cuts, day = _sums(mkt, CUTS).mean(), pd.DatetimeIndex(every.index).dayofweek
    of_week = every[day == 2]
    others = of_week.drop(pd.DatetimeIndex([*CUTS[:2], *HOLDS]))
    own, reach = (others > others.mean()).sum(), (others >= cuts).sum()
    alone = _sums(mkt, others.index, 0).mean()
    return {
        "mean": Right(
            others.mean(),
            "choose the sessions by the day of the week, leave the eight meetings out, and average what is left.",
            {
                "that holds the meetings themselves; take them out of their control.": of_week.mean(),
                "that is the mean over every session; keep the Wednesdays only.": every.mean(),
                "that is the mean of the three cuts; the question is about the other Wednesdays.": cuts,
                "those are Thursdays: pandas counts the days from zero.": every[day == 3].mean(),
                "those are the days alone; take one session before to one after.": alone,
            },
        ),
        "above": Right(
            reach,
            "count the Wednesdays whose abnormal return is at least as large as the mean of the three cuts.",
            {
                "those are above zero; compare with the mean of the three cuts.": (others > 0).sum(),
                "that compares with the Wednesdays’ own mean; take that of the cuts.": own,
                "that counts every session of the year; keep the Wednesdays.": (every >= cuts).sum(),
                "those are the Wednesdays below the cuts.": len(others) - reach,
                "the meetings are among those; take them out.": (of_week >= cuts).sum(),
            },
        ),
    }
