"""Checks of the exercises of notebook 03: policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from course.checks import Hint, exercise, near, numeric
from helpers import calendar, claims, market
from helpers.measures import events, returns

DAY, IN_FORCE = "2025-12-10", "2025-12-11"
CUTS = ["2025-09-17", "2025-10-29", "2025-12-10"]
SESSIONS = calendar.sessions("2025-01-01", DAY)
HOLDS = [
    claims.fact(f"fomc-2025-{day}-meeting").value for day in ("01-29", "03-19", "05-07", "06-18", "07-30")
]


def _small(mkt: market.Market) -> tuple[pd.Series, pd.Series]:
    """Daily returns of small caps and of the market."""
    frame = returns.daily_returns(mkt.prices(["^RUT", "^GSPC"]).dropna())
    return frame["^RUT"], frame["^GSPC"]


def _sums(mkt: market.Market, days: Any, around: int = 1) -> pd.Series:
    """Abnormal return around each of some days, to 10 December."""
    return events.event_study(*_small(mkt), days, around, around, until=DAY)["car"]


def _limit() -> float:
    """The limit for the permutation p-value in the rule of the claim."""
    return float(claims.claim("C25").rule["detail"][0]["bound"]["at_most"])


@exercise("03-two-sided", asks="a p-value between 0 and 1, three decimals", expects=float)
def two_sided(answer: float, mkt: market.Market) -> Hint | None:
    """Two-sided permutation p-value of the mean over the three cuts, in the rule's window."""

    def test(around: int) -> pd.Series:
        return events.chance(*_small(mkt), CUTS, SESSIONS, around, around, until=DAY)

    found = test(1)
    one, two = float(found["greater"]), float(found["two_sided"])
    if near(answer / 100, two, 3):
        return "that is in percent; give the share between 0 and 1."
    traps = [
        (one, "that is the one-sided value; a two-sided test counts choices far out on either side."),
        (
            2 * one,
            "doubling fits a symmetric spread only; count what lies as far from the mean of all, either way.",
        ),
        (
            float(test(0)["two_sided"]),
            "that is for the days alone; the rule’s window has a session on either side.",
        ),
    ]
    return numeric(
        answer,
        two,
        3,
        traps,
        "the test of the rule’s window gives both p-values; take the other one.",
    )


@exercise("03-yields", asks="a correlation between −1 and 1, two decimals", expects=float)
def yields(answer: float, mkt: market.Market) -> Hint | None:
    """Correlation of small caps' daily abnormal return with the change of the two-year yield, 2025."""
    level = mkt.macro("DGS2").reindex(SESSIONS)
    change, single = level.diff(), _sums(mkt, SESSIONS, 0)
    plain = _small(mkt)[0].reindex(SESSIONS)
    wrong = {
        "that uses the level of the yield; take its change from session to session.": single.corr(level),
        "that uses the plain return of small caps; take out the market’s first.": plain.corr(change),
        "that uses sums over three sessions; take the day’s own.": _sums(mkt, SESSIONS).corr(change),
        "that pairs each return with the change of the day before; use the same session.": single.corr(
            change.shift(1)
        ),
    }
    return numeric(
        answer,
        float(single.corr(change)),
        2,
        [(float(value), hint) for hint, value in wrong.items()],
        "pair, for every session up to 10 December, the abnormal return of the day with the yield’s change.",
    )


@exercise("03-power", asks="a percentage, one decimal", expects=float)
def power(answer: float, mkt: market.Market) -> Hint | None:
    """Mean effect of three cuts that the test finds four times out of five."""
    whole, last = events.pools(*_small(mkt), SESSIONS, 1, 1, until=DAY, kept=0)
    means, _ = events.permutation_means(whole, 3, last=last)
    limit = _limit()
    critical, strict, low, middle, high = np.quantile(means, [1 - limit, 1 - limit / 2, 0.2, 0.5, 0.8])
    wrong = {
        "that is what three sessions must exceed; an effect of that size is missed half the time.": critical,
        "with that effect every second choice passes; you need four of five.": critical - middle,
        "that is the critical value of a two-sided test; ours is one-sided.": strict - low,
        "you moved the wrong end: four of five shifted means must lie *above* the critical value.": critical
        - high,
        "that is for a single event; take the spread of means of three.": np.quantile(whole, 1 - limit)
        - np.quantile(whole, 0.2),
    }
    return numeric(
        answer,
        float(critical - low),
        1,
        [(float(value), hint) for hint, value in wrong.items()],
        "find the critical value of the means first; then shift all of them until four of five lie above it.",
    )


@exercise(
    "03-rises",
    asks='a dictionary with a whole number ("rises") and a percentage with two decimals ("mean")',
    expects={"rises": int, "mean": float},
)
def rises(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Rises of the range on record, and the mean abnormal return around them."""
    steps = mkt.macro("DFEDTARU")[:IN_FORCE].diff().dropna()
    up, down = steps.index[steps > 0], steps.index[steps < 0]

    def mean(effective: pd.DatetimeIndex, before_force: int = 1, around: int = 1) -> float:
        starts = effective - pd.Timedelta(days=before_force)
        days = [calendar.sessions(day, day + pd.Timedelta(days=7))[0] for day in starts]
        return float(_sums(mkt, [day for day in days if day <= pd.Timestamp(DAY)], around).mean())

    counted = [
        (len(down), "those are the cuts; a rise is a step above zero."),
        (len(up) + len(down), "those are all steps; keep those above zero."),
    ]
    hint = numeric(
        answer["rises"],
        len(up),
        None,
        counted,
        "count the steps of the upper end of the range that are above zero, over the whole record to 11 December 2025.",
    )
    if hint is not None:
        return f"look at the part “rises”: {hint}"
    wrong = [
        (mean(up, 0), "day 0 is the decision; the range changes in the series a day later. See reaction()."),
        (mean(up, around=0), "that is the day alone; take one session before to one after."),
        (mean(up, around=5), "that is the wide window; take one session before to one after."),
        (mean(down), "that is the mean around the cuts."),
    ]
    hint = numeric(
        answer["mean"],
        mean(up),
        2,
        wrong,
        "run the event study of small caps on the S&P 500 around the first session that could react to each rise.",
    )
    return None if hint is None else f"the number of rises fits; the part “mean” does not: {hint}"


@exercise(
    "03-wednesdays",
    asks='a dictionary with a percentage with two decimals ("mean") and a whole number ("above")',
    expects={"mean": float, "above": int},
)
def wednesdays(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Abnormal return around Wednesdays without a meeting, and how many reach the mean of the three cuts."""
    every = _sums(mkt, SESSIONS[:-1])
    cuts, day = float(_sums(mkt, CUTS).mean()), pd.DatetimeIndex(every.index).dayofweek
    of_week = every[day == 2]
    others = of_week.drop(pd.DatetimeIndex([*CUTS[:2], *HOLDS]))
    wrong = [
        (float(of_week.mean()), "that holds the meetings themselves; take them out of their control."),
        (float(every.mean()), "that is the mean over every session; keep the Wednesdays only."),
        (cuts, "that is the mean of the three cuts; the question is about the other Wednesdays."),
        (float(every[day == 3].mean()), "those are Thursdays: pandas counts the days from zero."),
    ]
    hint = numeric(
        answer["mean"],
        float(others.mean()),
        2,
        wrong,
        "choose the sessions by the day of the week, leave the eight meetings out, and take the mean of what is left.",
    )
    if hint is not None:
        return f"look at the part “mean”: {hint}"
    counted = [
        (
            int((others > 0).sum()),
            "those are the Wednesdays above zero; compare with the mean of the three cuts.",
        ),
        (
            int((others > others.mean()).sum()),
            "that compares with the Wednesdays’ own mean; take that of the cuts.",
        ),
        (
            int((every >= cuts).sum()),
            "that counts every session of the year; keep the Wednesdays without a meeting.",
        ),
        (int((others < cuts).sum()), "those are the Wednesdays below the cuts."),
    ]
    hint = numeric(
        answer["above"],
        int((others >= cuts).sum()),
        None,
        counted,
        "count the Wednesdays whose abnormal return is at least as large as the mean of the three cuts.",
    )
    return None if hint is None else f"the mean fits; the part “above” does not: {hint}"
