"""New York sessions (XNYS) and the windows that the article's words stand for.

A window runs from the close of its first session to the close of its last: the return over
``Window("June 2024", 2024-05-31, 2024-06-28)`` is the return of June.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import pandas as pd

from helpers.files import HelperError, Missing

Day: TypeAlias = str | pd.Timestamp

#: exchange_calendars covers twenty years unless told otherwise; the S&P 500 begins in December 1927.
#: Its list of holidays is complete only from 1970: before that it names sessions that never were.
FIRST = "1927-12-01"
COMPLETE_FROM = pd.Timestamp("1970-01-01")
LAST = "2027-11-01"


@cache
def _xnys() -> Any:
    import exchange_calendars  # lazy: building the calendar costs a third of a second

    return exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST)


def day(value: Day) -> pd.Timestamp:
    """``value`` as a date without time or zone."""
    stamp = pd.Timestamp(value)
    return (stamp.tz_localize(None) if stamp.tz is not None else stamp).normalize()


@dataclass(frozen=True)
class Window:
    """From the close of session ``start`` to the close of session ``end``."""

    name: str
    start: pd.Timestamp
    end: pd.Timestamp

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}"


def sessions(start: Day, end: Day) -> pd.DatetimeIndex:
    """Sessions from ``start`` to ``end``, both included; may be empty.

    Raises HelperError for a date outside 1927-12 to 2027-10, which the calendar does not cover.
    """
    first, last = day(start), day(end)
    if first < pd.Timestamp(FIRST) or last > pd.Timestamp(LAST):
        raise HelperError(f"The calendar covers {FIRST} to {LAST}, not {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
    every = _xnys().sessions
    # Slicing the index is a hundred times faster than the calendar's own range method.
    return every[every.searchsorted(first) : every.searchsorted(last, side="right")]


def is_session(value: Day) -> bool:
    """True if New York traded on that day."""
    return len(sessions(value, value)) == 1


def session_on_or_before(value: Day) -> pd.Timestamp:
    """The last session not after ``value``."""
    return sessions(day(value) - pd.Timedelta(days=14), value)[-1]


def previous_session(value: Day, count: int = 1) -> pd.Timestamp:
    """The session ``count`` sessions before ``value`` (a session or not)."""
    span = pd.Timedelta(days=14 + 2 * count)
    return sessions(day(value) - span, day(value) - pd.Timedelta(days=1))[-count]


def next_session(value: Day, count: int = 1) -> pd.Timestamp:
    """The session ``count`` sessions after ``value`` (a session or not)."""
    span = pd.Timedelta(days=14 + 2 * count)
    return sessions(day(value) + pd.Timedelta(days=1), day(value) + span)[count - 1]


def window(name: str, start: Day, end: Day) -> Window:
    """A window between two sessions; a date without a session is an error, not a guess."""
    first, last = day(start), day(end)
    for date in (first, last):
        if not is_session(date):
            raise HelperError(
                f"The window '{name}' names {date:%Y-%m-%d}, which is no New York session; "
                f"the session before it is {session_on_or_before(date):%Y-%m-%d}."
            )
    if first >= last:
        raise HelperError(f"The window '{name}' holds no session after {first:%Y-%m-%d}; give a later end.")
    return Window(name, first, last)


def year_to_date(end: Day) -> Window:
    """From the last close of the year before to the close of ``end``."""
    return window("year to date", session_on_or_before(f"{day(end).year - 1}-12-31"), end)


def month(year: int, number: int) -> Window:
    """From the last close of the month before to the last close of the month."""
    first = pd.Timestamp(year, number, 1)
    return Window(
        f"{first:%B %Y}", previous_session(first), session_on_or_before(first + pd.offsets.MonthEnd(0))
    )


def month_to_date(end: Day) -> Window:
    """From the last close of the month before to the close of ``end``."""
    return window("month to date", previous_session(day(end).replace(day=1)), end)


def month_before(value: Day) -> Window:
    """The whole calendar month before that of ``value``."""
    first = day(value).replace(day=1) - pd.DateOffset(months=1)
    return month(first.year, first.month)


def since(start: Day, end: Day) -> Window:
    """From the close of ``start`` to the close of ``end``, named by its start."""
    return window(f"since {day(start):%Y-%m-%d}", start, end)


def trailing(end: Day, count: int) -> Window:
    """The ``count`` sessions that end with ``end``."""
    return window(f"{count} sessions", previous_session(end, count), end)


def one_day_a_month(first: str, last: str, on: int = 31) -> list[pd.Timestamp]:
    """In every month from ``first`` to ``last`` (such as 2005-01) the last session not after its day ``on``.

    Other days for a base rate. A month whose days up to ``on`` hold no session is left out.
    """
    found = []
    for start in pd.date_range(f"{first}-01", f"{last}-01", freq="MS"):
        traded = sessions(start, min(start + pd.Timedelta(days=on - 1), start + pd.offsets.MonthEnd(0)))
        found += [traded[-1]] if len(traded) else []
    return found


def one_day_a_year(first: int, last: int, like: Day) -> list[pd.Timestamp]:
    """In every year from ``first`` to ``last`` the last session not after the month and day of ``like``."""
    same = day(like)
    return [
        session_on_or_before(pd.Timestamp(year, same.month, min(same.day, 28 if same.month == 2 else 31)))
        for year in range(first, last + 1)
    ]


def _monday(value: Day) -> pd.Timestamp:
    return day(value) - pd.Timedelta(days=day(value).weekday())


def week_of(value: Day) -> Window:
    """The calendar week that holds ``value``: from the last close before its Monday to its last close."""
    monday = _monday(value)
    traded = sessions(monday, monday + pd.Timedelta(days=4))
    if traded.empty:
        raise HelperError(f"The week of {monday:%Y-%m-%d} has no New York session; choose another week.")
    return Window(f"week of {monday:%Y-%m-%d}", previous_session(monday), traded[-1])


def week_ends(start: Day, end: Day) -> pd.DatetimeIndex:
    """The last session of every calendar week that ends within the two dates."""
    span = sessions(start, end)
    weeks = span.to_series().groupby(span.to_period("W-SUN")).max()
    # The week that ``end`` cuts is left out: its last session is not known yet.
    return pd.DatetimeIndex(
        [last for last in weeks if next_session(last).to_period("W-SUN") != last.to_period("W-SUN")]
    )


def shortened_weeks(start: Day, end: Day) -> pd.DataFrame:
    """Weeks with fewer than five full sessions.

    Returns a frame with one row a week: ``monday``, ``sessions`` (number), ``closed`` (weekdays without
    trading) and ``early`` (sessions that closed before 16:00), dates as ISO text.
    """
    rows = []
    for monday in pd.date_range(_monday(start), day(end), freq="7D"):
        weekdays = pd.date_range(monday, periods=5)
        traded = sessions(weekdays[0], weekdays[-1])
        odd = weekdays.difference(traded), traded.intersection(_xnys().early_closes)
        if any(map(len, odd)):
            closed, early = (", ".join(days.strftime("%Y-%m-%d")) for days in odd)
            rows.append((f"{monday:%Y-%m-%d}", len(traded), closed, early))
    return pd.DataFrame(rows, columns=["monday", "sessions", "closed", "early"])


def last_short_week(value: Day) -> Window:
    """The last calendar week with a weekday without trading that had ended by the close of ``value``."""
    weeks = shortened_weeks(day(value) - pd.Timedelta(days=120), value)
    ended = [week_of(monday) for monday in weeks.loc[weeks["closed"] != "", "monday"]]
    return [week for week in ended if week.end <= day(value)][-1]


def missing_sessions(index: pd.DatetimeIndex, start: Day, end: Day) -> pd.DatetimeIndex:
    """Sessions from ``start`` to ``end`` that ``index`` does not hold."""
    return sessions(start, end).difference(index)


def with_gaps(prices: Any) -> Any:
    """Prices with a row of NaN at each session that their ``attrs["gaps"]`` name, also after a ``dropna``."""
    names = prices.columns if hasattr(prices, "columns") else [prices.name]
    named = {date for name in names for date in prices.attrs.get("gaps", {}).get(name, ())}
    gone = pd.DatetimeIndex(sorted(named)).difference(prices.index)
    inside = gone[(gone > prices.index[0]) & (gone < prices.index[-1])] if len(gone) else gone
    return prices.reindex(prices.index.union(inside)) if len(inside) else prices


def require_sessions(index: pd.DatetimeIndex, start: Day, end: Day, name: str = "the series") -> None:
    """Raise HelperError unless ``index`` is sorted and unique, Missing unless it holds every session of the span.

    A missing day hides or invents a record and bends a return, so nothing is filled in or skipped.
    Before 1970 the calendar cannot tell a missing session from a holiday, and only order is checked.
    """
    if index.has_duplicates:
        twice = index[index.duplicated()][0]
        raise HelperError(f"{name} holds {twice:%Y-%m-%d} twice; repair the store or fetch it again.")
    if not index.is_monotonic_increasing:
        raise HelperError(f"{name} is not in the order of its dates; repair the store or fetch it again.")
    if len(index) and index[-1] < day(end):
        raise Missing(
            f"{name} ends on {index[-1]:%Y-%m-%d}, before the window's end {day(end):%Y-%m-%d}; "
            f"fetch newer data or choose an earlier end."
        )
    gone = missing_sessions(index, max(day(start), COMPLETE_FROM), end)
    if len(gone):
        named = ", ".join(gone[:3].strftime("%Y-%m-%d"))
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        raise Missing(
            f"{name} lacks {len(gone)} session{'s' if len(gone) > 1 else ''} between {day(start):%Y-%m-%d} "
            f"and {day(end):%Y-%m-%d} ({named}{more}); fetch it again, nothing is filled in."
        )
