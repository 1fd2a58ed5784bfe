"""Checks of the exercises of notebook 01: records."""

from __future__ import annotations

import pandas as pd

from course.checks import Hint, exercise, numeric
from helpers import calendar, market
from helpers.measures import records, resample, returns, style

DAY = "2025-12-10"
START, END = "2025-01-01", "2025-12-31"


def _closes(mkt: market.Market) -> pd.Series:
    return mkt.prices("^RUT").dropna()


@exercise("01-ties", asks="a whole number", expects=int)
def ties(answer: int, mkt: market.Market) -> Hint | None:
    """Record closes of 2025 to 10 December if a tie counts."""
    rut = _closes(mkt)

    def count(values: pd.Series, last: str = DAY) -> int:
        return int((values >= values.cummax().shift(1))[START:last].sum())

    return numeric(
        answer,
        count(rut),
        None,
        [
            (count(rut, END), "that counts the whole year; what the article could know ends on 10 December."),
            (count(mkt.prices("^RUT", "high")), "those are intraday highs; the question is about closes."),
            (
                count(rut[START:]),
                "those are highs of the year; a record is judged against the whole history, so take the running "
                "maximum first and cut out the year afterwards.",
            ),
        ],
        "compare each close with the highest close *before* it: a running maximum, shifted by one session.",
    )


@exercise(
    "01-year-high",
    asks='a dictionary with a whole number ("sessions") and True or False ("ninth")',
    expects={"sessions": int, "ninth": bool},
)
def year_high(answer: dict[str, int | bool], mkt: market.Market) -> Hint | None:
    """Sessions of 2025 to 10 December at the highest close of 252 sessions, and whether 9 December was one."""
    rut = _closes(mkt)

    def flags(values: pd.Series) -> pd.Series:
        return values >= values.rolling(252).max()

    found = flags(rut)
    hint = numeric(
        answer["sessions"],
        int(found[START:DAY].sum()),
        None,
        [
            (int(found[START:END].sum()), "that counts the whole year; stop on 10 December."),
            (
                int(flags(mkt.prices("^RUT", "high"))[START:DAY].sum()),
                "those are intraday highs; use the closes for both parts.",
            ),
            (
                int((rut[START:] >= rut[START:].cummax())[:DAY].sum()),
                "that memory begins in January; let it reach back 252 sessions from each day, so roll first and cut "
                "out the year afterwards.",
            ),
        ],
        "a session qualifies if its close equals the highest of the last 252 closes, its own among them.",
    )
    if hint is None and answer["ninth"] != bool(found["2025-12-09"]):
        return (
            "the count fits. For 9 December look at the close, and at the closes of the sessions just before."
        )
    return hint


@exercise("01-pool", asks="a percentage, rounded to a whole number", expects=float)
def pool(answer: float, mkt: market.Market) -> Hint | None:
    """Share of years drawn from the whole history with at least as many records as 2025."""
    rut = _closes(mkt)
    former, start = rut[:"2024-12-31"].max(), rut["2024-12-31"]
    actual = int(records.is_record(rut)[START:DAY].sum())
    paths = resample.stationary_paths(
        returns.daily_returns(rut[:"2024-12-31"]),
        len(calendar.sessions("2025-01-02", DAY)),
        paths=2000,
        start=start,
        seed=7,
    )
    drawn = records.count_records(paths, former)
    right = float((drawn >= actual).mean() * 100)
    # Two draws of 2,000 years differ by chance, with a standard error of the difference of up to 1.6 points.
    chance = 4.0
    if abs(answer - right) <= chance:
        return None
    if 0 < answer <= 1 and abs(answer * 100 - right) <= chance:
        return "that looks like a fraction; the answer is in percent."
    traps = [
        (
            100 - right,
            "that is the share with fewer records; the question is how many have *at least* as many.",
        ),
        (
            float((drawn == 0).mean() * 100),
            "that is the share without any record; count the years with at least as many as 2025 had.",
        ),
        (
            float((records.count_records(paths, start) >= actual).mean() * 100),
            "count closes above the record that stood before 2025, not above the level at its start.",
        ),
    ]
    for wrong, hint in traps:
        if abs(answer - wrong) <= chance:
            return hint
    return "the pool is all daily returns to the end of 2024; each path begins at the last close of 2024."


@exercise("01-even-start", asks="a date in quotes, or 'none'", expects=pd.Timestamp)
def even_start(answer: pd.Timestamp, mkt: market.Market) -> Hint | None:
    """Earliest close of the year from which the Russell beats the Nasdaq to 10 December."""
    closes, pair = mkt.prices(["^RUT", "^IXIC"]), {"lead": ("^RUT", "^IXIC")}
    lead = style.from_each_start(closes, pair, "2024-12-31", DAY)["lead"]
    days, ahead = lead.index, lead[lead > 0]
    if ahead.empty:
        return (
            None if answer is pd.NaT else "small caps do not lead from that close; is there any such close?"
        )
    if answer is pd.NaT:
        return (
            "there is such a close; compare the two returns to 10 December from *every* session of the year."
        )
    if answer not in days:
        return "that is no session between 31 December 2024 and 10 December 2025; take one of the calendar."
    if answer == ahead.index[0]:
        return None
    if answer in ahead.index:
        return (
            "small caps do lead from that close, but there is an earlier one. Do you look at every session?"
        )
    return (
        "from that close the Nasdaq leads; subtract its return from that of the Russell, both to 10 December."
    )
