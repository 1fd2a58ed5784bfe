"""Checks of the exercises of notebook 03: policy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course.checks import Hint, exercise, near, numeric
from helpers import calendar, claims, market
from helpers.measures import events, returns

IN_FORCE = "2025-12-11"
DECISIONS = ["2025-09-17", "2025-10-29", "2025-12-10"]


def _daily(mkt: market.Market) -> tuple[pd.Series, pd.Series]:
    frame = returns.daily_returns(mkt.prices(["^RUT", "^GSPC"]).dropna())
    return frame["^RUT"], frame["^GSPC"]


def _sessions() -> pd.DatetimeIndex:
    return calendar.sessions("2025-01-01", "2025-12-31")


def _every(mkt: market.Market, around: int = 1) -> pd.Series:
    """Abnormal return of small caps around every session of 2025."""
    return events.event_study(*_daily(mkt), _sessions(), around, around)["car"]


def _limit() -> float:
    """The limit for p in the rule of the claim."""
    return float(
        next(part["bound"]["at_most"] for part in claims.claim("C25").rule["letter"] if "bound" in part)
    )


@exercise("03-two-sided", asks="a p-value between 0 and 1, three decimals", expects=float)
def two_sided(answer: float, mkt: market.Market) -> Hint | None:
    """Two-sided permutation p-value of the mean over the three cuts, one session before to one after."""

    def test(around: int) -> pd.Series:
        pool = _every(mkt, around)
        return events.permutation_p(pool[DECISIONS].mean(), pool.to_numpy(), 3)

    found = test(1)
    traps = [
        (
            float(found["greater"]),
            "that is the one-sided value; a two-sided test counts trios far out on either side.",
        ),
        (
            2 * float(found["greater"]),
            "doubling fits a symmetric spread only; count the trios at least as far from the mean of all, either way.",
        ),
        (
            float(test(0)["two_sided"]),
            "that is for the days alone; the window runs from one session before to one after.",
        ),
    ]
    if near(answer / 100, float(found["two_sided"]), 3):
        return "that is in percent; give the share between 0 and 1."
    return numeric(
        answer,
        float(found["two_sided"]),
        3,
        traps,
        "the permutation of the rule’s window gives both p-values at once; take the other one.",
    )


@exercise("03-yields", asks="a correlation between −1 and 1, two decimals", expects=float)
def yields(answer: float, mkt: market.Market) -> Hint | None:
    """Correlation of small caps' daily abnormal return with the change of the two-year yield, 2025."""
    level = mkt.macro("DGS2").reindex(_sessions())
    change = level.diff()
    single = _every(mkt, 0)
    rut = _daily(mkt)[0].reindex(_sessions())
    return numeric(
        answer,
        float(single.corr(change)),
        2,
        [
            (
                float(single.corr(level)),
                "that uses the level of the yield; take its change from session to session.",
            ),
            (
                float(rut.corr(change)),
                "that uses the plain return of small caps; take out the market’s first.",
            ),
            (
                float(_every(mkt).corr(change)),
                "that uses sums over three sessions; take the abnormal return of the day itself.",
            ),
            (
                float(single.corr(change.shift(1))),
                "that pairs each return with the change of the day before; use the same session.",
            ),
        ],
        "pair, for every session of 2025 that has both, the abnormal return of the day with the change of the yield.",
    )


@exercise("03-power", asks="a percentage, one decimal", expects=float)
def power(answer: float, mkt: market.Market) -> Hint | None:
    """Mean effect of three cuts that the test finds four times out of five."""
    pool = _every(mkt).to_numpy()
    trios, _ = events.permutation_means(pool, 3, 0, 0)
    limit = _limit()
    critical, low, middle = np.quantile(trios, [1 - limit, 0.2, 0.5])
    strict = np.quantile(trios, 1 - limit / 2)
    return numeric(
        answer,
        float(critical - low),
        1,
        [
            (
                float(critical),
                "that is what a trio must exceed; an effect of that size would be missed about half the time.",
            ),
            (float(critical - middle), "with that effect every second trio passes; you need four of five."),
            (float(strict - low), "that is the critical value of a two-sided test; ours is one-sided."),
            (
                float(critical - np.quantile(trios, 0.8)),
                "you moved the wrong end: four of five shifted trios must lie *above* the critical value.",
            ),
            (
                float(np.quantile(pool, 1 - limit) - np.quantile(pool, 0.2)),
                "that is for a single event; take the spread of trios, which is narrower.",
            ),
        ],
        "find the critical value of the trios first; then shift all trios until four of five lie above it.",
    )


@exercise(
    "03-rises",
    asks='a dictionary with a whole number ("rises") and a percentage with two decimals ("mean")',
    expects={"rises": int, "mean": float},
)
def rises(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Rises of the range on record, and the mean abnormal return around them."""
    if not mkt.real:
        # Without a store the notebook knows the decisions of 2025 only: there is no rise among them.
        right = answer["rises"] == 0 and answer["mean"] == 0
        return (
            None
            if right
            else "without a store only the cuts of 2025 are on record; then both parts are zero."
        )
    steps = mkt.macro("DFEDTARU")[:IN_FORCE].diff().dropna()
    up, down = steps[steps > 0], steps[steps < 0]

    def mean(effective: pd.DatetimeIndex, before_force: int, around: int = 1) -> float:
        starts = effective - pd.Timedelta(days=before_force)
        days = [calendar.sessions(day, day + pd.Timedelta(days=7))[0] for day in starts]
        return float(events.event_study(*_daily(mkt), days, around, around)["car"].mean())

    hint = numeric(
        answer["rises"],
        len(up),
        None,
        [
            (len(down), "those are the cuts; a rise is a step above zero."),
            (len(up) + len(down), "those are all steps; keep those above zero."),
        ],
        "count the steps of the upper end of the range that are above zero, over the whole record to 11 December 2025.",
    )
    if hint is not None:
        return f"look at the part “rises”: {hint}"
    hint = numeric(
        answer["mean"],
        mean(up.index, 1),
        2,
        [
            (
                mean(up.index, 0),
                "day 0 is the decision; the range changes in the series a day later. See reaction().",
            ),
            (mean(up.index, 1, 0), "that is the day alone; take one session before to one after."),
            (mean(up.index, 1, 5), "that is the wide window; take one session before to one after."),
            (mean(down.index, 1), "that is the mean around the cuts."),
        ],
        "run the event study of small caps on the S&P 500 around the first session that could react to each rise.",
    )
    return None if hint is None else f"the number of rises fits; the part “mean” does not: {hint}"


@exercise(
    "03-wednesdays",
    asks='a dictionary with a percentage with two decimals ("mean") and a whole number ("above")',
    expects={"mean": float, "above": int},
)
def wednesdays(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Abnormal return around the other Wednesdays of 2025, and how many reach the mean of the three cuts."""
    every = _every(mkt)
    cuts = float(every[DECISIONS].mean())
    all_of_them = every[every.index.dayofweek == 2]
    others = all_of_them[~all_of_them.index.isin(pd.DatetimeIndex(DECISIONS))]
    hint = numeric(
        answer["mean"],
        float(others.mean()),
        2,
        [
            (
                float(all_of_them.mean()),
                "the three decisions are Wednesdays themselves; take them out of their control.",
            ),
            (float(every.mean()), "that is the mean over every session; keep the Wednesdays only."),
            (cuts, "that is the mean of the three cuts; the question is about the other Wednesdays."),
            (
                float(every[every.index.dayofweek == 3].mean()),
                "those are Thursdays: pandas counts the days from zero.",
            ),
        ],
        "choose the sessions by the day of the week, leave the three decisions out, and take the mean of what is left.",
    )
    if hint is not None:
        return f"look at the part “mean”: {hint}"
    hint = numeric(
        answer["above"],
        int((others >= cuts).sum()),
        None,
        [
            (
                int((others > 0).sum()),
                "those are the Wednesdays above zero; compare with the mean of the three cuts.",
            ),
            (
                int((others > others.mean()).sum()),
                "that compares with the Wednesdays’ own mean; take that of the cuts.",
            ),
            (int((every >= cuts).sum()), "that counts every session of the year; keep the other Wednesdays."),
            (int((others < cuts).sum()), "those are the Wednesdays below the cuts."),
        ],
        "count the other Wednesdays whose abnormal return is at least as large as the mean of the three cuts.",
    )
    return None if hint is None else f"the mean fits; the part “above” does not: {hint}"
