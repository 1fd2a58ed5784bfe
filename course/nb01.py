"""Checks of the exercises of notebook 01: records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course.checks import COUNT, DATE, FLAG, Answer, Right, exercise, figure
from helpers import calendar, market
from helpers.measures import records, resample, returns, style

DAY = "2025-12-10"
START, END = "2025-01-01", "2025-12-31"


@exercise("01-ties", COUNT)
def ties(mkt: market.Market) -> Answer:
    """Record closes of 2025 to 10 December if a tie counts."""

    def count(values: pd.Series, last: str = DAY) -> int:
        return int((values >= values.cummax().shift(1))[START:last].sum())

    rut = mkt.prices("^RUT")
    ever = (rut >= rut.cummax().shift(1)).sum()
    return Right(
        count(rut),
        "compare each close with the highest close *before* it: a running maximum, shifted by one session.",
        {
            "that counts the whole year; what the article could know ends on 10 December.": count(rut, END),
            "those are intraday highs; the question is about closes.": count(mkt.prices("^RUT", "high")),
            "those are highs of the year; a record is judged against the whole history, so take the running maximum "
            "first and cut out the year afterwards.": count(rut[START:]),
            "that counts every record since 1987; cut out the sessions of 2025.": ever,
        },
    )


@exercise("01-year-high", {"sessions": COUNT, "ninth": FLAG})
def year_high(mkt: market.Market) -> Answer:
    """Sessions of 2025 to 10 December at the highest close of 252 sessions, and whether 9 December was one."""

    def flags(values: pd.Series) -> pd.Series:
        return values >= values.rolling(252).max()

    rut, highs = mkt.prices("^RUT"), mkt.prices("^RUT", "high")
    found = flags(rut)[START:]
    sessions = Right(
        int(found[:DAY].sum()),
        "a session qualifies if its close equals the highest of the last 252 closes, its own among them.",
        {
            "that counts the whole year; stop on 10 December.": int(found[:END].sum()),
            "those are intraday highs; use the closes for both parts.": int(flags(highs)[START:DAY].sum()),
            "that memory begins in January; let it reach back 252 sessions from each day, so roll first and cut out "
            "the year afterwards.": int((rut[START:DAY] >= rut[START:DAY].cummax()).sum()),
            "the window holds the day’s own close, so nothing lies above its maximum: ask for equality.": 0,
        },
    )
    ninth = Right(
        bool(found["2025-12-09"]), "look at its close, and at the closes of the sessions just before it."
    )
    return {"sessions": sessions, "ninth": ninth}


@exercise("01-pool", figure("a percentage", 0))
def pool(mkt: market.Market) -> Answer:
    """Share of years drawn from the sessions of 2000 to 2002 with at least as many records as 2025."""
    rut = mkt.prices("^RUT")
    former, start = rut[:"2024-12-31"].max(), rut["2024-12-31"]
    actual, sessions = len(records.record_dates(rut, START, DAY)), len(calendar.sessions("2025-01-02", DAY))

    def draw(first: str, last: str, paths: int = 2000) -> np.ndarray:
        daily = returns.daily_returns(rut[first:last])
        return resample.stationary_paths(daily, sessions, paths, start, seed=7)

    paths, decade = draw("2000-01-01", "2002-12-31"), draw("2014-12-31", "2024-12-31", paths=500)
    cases = ((paths, former), (paths, start), (decade, former))
    drawn, above, ours = (records.count_records(*case) for case in cases)
    right, above_start, of_decade = ((counts >= actual).mean() * 100 for counts in (drawn, above, ours))
    without = (drawn == 0).mean() * 100
    return Right(
        right,
        "the pool is the daily returns of 2000 to 2002; each path begins at the last close of 2024.",
        {
            "that is what the ten years before 2025 give; change the pool.": of_decade,
            "that is the share with fewer records; count those with *at least* as many.": 100 - right,
            "that is the share without any record; count the years with at least as many as 2025 had.": without,
            "count closes above the record before 2025, not above the level at its start.": above_start,
        },
        # Two draws of 2,000 years differ by chance, with a standard error of the difference of up to 1.6 points.
        within=4,
    )


@exercise("01-even-start", DATE)
def even_start(mkt: market.Market) -> Answer:
    """Earliest close of the year from which the Russell beats the Nasdaq to 10 December."""
    pair = {"lead": ("^RUT", "^IXIC")}
    lead = style.from_each_start(mkt.prices(["^RUT", "^IXIC"]), pair, "2024-12-31", DAY)["lead"]
    ahead, behind = lead.index[lead > 0], lead.index[lead <= 0]
    return Right(
        ahead[0] if len(ahead) else pd.NaT,
        "that is no session from 31 December 2024 to 9 December 2025; take one of the calendar.",
        {
            "there is such a close; compare the returns to 10 December from *every* session.": pd.NaT,
            "small caps lead from that close, but from an earlier one too: look at every session.": ahead[1:],
            "from that close the Nasdaq leads; subtract its return from that of the Russell.": behind,
        },
    )
