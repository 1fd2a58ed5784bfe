"""What a fetched series must pass before it may replace an old one, and what is worth a note."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers import calendar, fingerprints

#: A one-day change by more than this factor is looked at; a 3:2 split cannot be told from a bad day.
JUMP = 1.6
SPLITS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100)
#: How near to a split's factor a jump must be: the price also moves on such a day.
NEAR = 0.03
#: A series whose last value is older than this many sessions is stale; days for macro series.
STALE = 5
STALE_DAYS = {"daily": 30, "monthly": 150, "quarterly": 260}
#: Least share of the rows expected; a bank holiday thins out the weekdays of a daily macro series.
FLOOR = 0.98
FLOOR_WEEKDAYS = 0.93
_PERIODS = {"monthly": "M", "quarterly": "Q"}
#: A value differs from the old vintage's if it is off by more than the rounding of two decimals.
TOLERANCE = 0.0101


@dataclass
class Findings:
    """What was found in one series.

    ``faults`` keep the old vintage; ``notes`` are printed; ``gaps`` counts missing sessions or periods;
    ``changes`` lists what differs from the old vintage (series, field, date, old, new).
    """

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gaps: int = 0
    changes: list[pd.DataFrame] = field(default_factory=list)


def _days(dates: Any, most: int = 3) -> str:
    shown = [f"{d:%Y-%m-%d}" for d in list(dates)[:most]]
    return ", ".join(shown) + (f" and {len(dates) - most} more" if len(dates) > most else "")


# ------------------------------------------------------------------------------------------------ prices


def prices(frame: pd.DataFrame, entry: dict[str, Any], end: str, old: pd.DataFrame | None = None) -> Findings:
    """Check daily bars of one symbol.

    Parameters
    ----------
    frame : columns as in the store
    entry : the catalogue's line
    end : last day asked for
    old : the old vintage's bars, if there are any; what it holds after ``end`` is not compared
    """
    found = Findings()
    if old is not None:
        old = old[old["date"] <= pd.Timestamp(end)]
        old = old if len(old) else None
    dates = pd.DatetimeIndex(frame["date"])
    if not _in_order(dates, found):
        return found
    _sessions(frame, dates, entry, found)
    _bars(frame, dates, found)
    _jumps(str(entry["id"]), frame, old, found)
    _adjustment(frame, dates, found)
    _size(dates, entry, end, old, found)
    if old is not None:
        _kept(dates, old, found)
        _overlap(frame, old, found)
    return found


def _in_order(dates: pd.DatetimeIndex, found: Findings) -> bool:
    if not len(dates):
        found.faults.append("it has no value")
    if dates.has_duplicates:
        found.faults.append(f"{_days(dates[dates.duplicated()])} stands twice")
    elif not dates.is_monotonic_increasing:
        found.faults.append("its dates are not in order")
    return not found.faults


def _sessions(frame: pd.DataFrame, dates: pd.DatetimeIndex, entry: dict[str, Any], found: Findings) -> None:
    """Every date a session, and no session left out between a field's first and last value."""
    late = dates[dates >= calendar.COMPLETE_FROM]
    if not len(late):
        return
    if len(strange := late.difference(calendar.sessions(late[0], late[-1]))):
        found.faults.append(f"{_days(strange)} is no New York session (a clock in another zone?)")
    gone = pd.DatetimeIndex([])
    for column in ("close", "adj_close"):
        held = late.intersection(dates[frame[column].notna()])
        if len(held):
            gone = gone.union(calendar.missing_sessions(held, held[0], held[-1]))
    gone = gone.difference(pd.DatetimeIndex(entry["missing"]))
    found.gaps = len(gone)
    if len(gone) == 1:
        found.faults.append(f"the session of {_days(gone)} is missing")
    elif len(gone):
        found.faults.append(f"{len(gone)} sessions are missing ({_days(gone)})")


def _bars(frame: pd.DataFrame, dates: pd.DatetimeIndex, found: Findings) -> None:
    values = frame[["open", "high", "low", "close", "adj_close"]]
    if (bad := (values <= 0).any(axis=1) | np.isinf(values).any(axis=1)).any():
        found.faults.append(f"a price is not a positive number on {_days(dates[bad])}")
    if (frame["volume"] < 0).any():
        found.faults.append(f"the volume is negative on {_days(dates[frame['volume'] < 0])}")
    # Yahoo's single precision may put a close a hair above its high.
    high, low = frame["high"] * (1 + 1e-4), frame["low"] * (1 - 1e-4)
    outside = (frame["close"] > high) | (frame["close"] < low) | (frame["low"] > high)
    if outside.any():
        found.faults.append(f"high and low do not enclose the close on {_days(dates[outside])}")
    opened = (frame["open"] > high) | (frame["open"] < low)
    if opened.any():
        # Opens before the nineties are poor at the source, and no measure here rests on one.
        found.notes.append(f"the open lies outside high and low on {_days(dates[opened])}")


def _jumps(symbol: str, frame: pd.DataFrame, old: pd.DataFrame | None, found: Findings) -> None:
    column = "close" if frame["close"].notna().any() else "adj_close"
    values = frame.set_index("date")[column].dropna()
    ratio = (values / values.shift()).dropna()
    ratio = ratio[(ratio > 0) & (np.log(ratio).abs() > np.log(JUMP))]
    ratio = ratio[~ratio.index.isin(_attested(symbol, values, ratio.index, old))]
    for date, change in ratio.items():
        size = max(change, 1 / change)
        if any(abs(size / split - 1) < NEAR for split in SPLITS):
            found.faults.append(
                f"the {column} jumps by a factor of {change:.3g} on {date:%Y-%m-%d}: a split not adjusted?"
            )
        else:
            found.notes.append(f"the {column} moves by {(change - 1) * 100:+.0f} % on {date:%Y-%m-%d}")


def _attested(symbol: str, values: pd.Series, dates: pd.Index, old: pd.DataFrame | None) -> set[pd.Timestamp]:
    """Jumps known to be real: the old vintage has them, or the year's fingerprint is the reference's."""
    if not len(dates):
        return set()
    known: set[pd.Timestamp] = set()
    if old is not None:
        before = old.set_index("date")[values.name].dropna()
        step = np.log(before / before.shift()).abs()
        known |= set(step.index[step > np.log(JUMP)])
    listed = fingerprints.listed()["series"].get(symbol, {}).get(str(values.name), {})
    ours = fingerprints.year_hashes(values)
    sound = {year for year, digits in ours.items() if listed.get(year) == digits}
    return known | {date for date in dates if str(date.year) in sound}


def _adjustment(frame: pd.DataFrame, dates: pd.DatetimeIndex, found: Findings) -> None:
    """Dividends only ever raise the ratio of adjusted to plain close as time goes on; a fall is a defect."""
    both = frame[["close", "adj_close"]].notna().all(axis=1)
    if both.sum() < 2:
        return
    factor = np.log(frame.loc[both, "adj_close"] / frame.loc[both, "close"])
    # A price of some cents is rounded to a per mille; two per cent is no rounding.
    falls = factor.diff() < -0.02
    if falls.any():
        found.faults.append(
            f"adjusted and plain closes part on {_days(dates[both][falls])}: a split in one only?"
        )


def _size(
    dates: pd.DatetimeIndex, entry: dict[str, Any], end: str, old: pd.DataFrame | None, found: Findings
) -> None:
    expected = len(calendar.sessions(max(pd.Timestamp(entry["first"]), calendar.COMPLETE_FROM), dates[-1]))
    floor = int(FLOOR * (len(old) if old is not None else expected))
    if len(dates) < floor:
        found.faults.append(f"only {len(dates):,} rows where at least {floor:,} were expected")
    if old is not None and dates[-1] < (last := pd.Timestamp(old["date"].max())):
        found.faults.append(f"it ends on {dates[-1]:%Y-%m-%d}, before the old vintage ({last:%Y-%m-%d})")
    behind = len(calendar.sessions(dates[-1], end)) - 1
    if behind > STALE:
        # A series that ends where the catalogue says (a company taken private) is over, not stale.
        kind = found.notes if dates[-1] == pd.Timestamp(entry["last_known"]) else found.faults
        kind.append(f"it ends on {dates[-1]:%Y-%m-%d}, {behind} sessions before {end}")


def _kept(dates: pd.DatetimeIndex, old: pd.DataFrame, found: Findings) -> None:
    """Days that the old vintage has and the new one lost; told apart from a session that is missing."""
    lost = pd.DatetimeIndex(old["date"]).difference(dates)
    if len(lost) and not found.gaps:
        found.faults.append(f"{_days(lost)} was in the old vintage and is gone")


def _overlap(frame: pd.DataFrame, old: pd.DataFrame, found: Findings) -> None:
    both = frame.merge(old, on="date", suffixes=("", "_old"))
    for column, called in (("close", "closes"), ("adj_close", "adjusted closes")):
        new, was = both[column], both[f"{column}_old"]
        known = new.notna() & was.notna()
        differs = known & ((new - was).abs() > TOLERANCE)
        if not differs.any():
            continue
        count = f"{int(differs.sum()):,} of {int(known.sum()):,} {called} differ from the old vintage"
        factor = _one_factor(new[known], was[known])
        if factor is not None:
            cause = "a split" if column == "close" else "dividends or a split since"
            found.notes.append(f"{count}, all by the factor {factor:.6g} ({cause})")
            continue
        found.notes.append(f"{count} ({_days(both['date'][differs])})")
        listed = both.loc[differs, ["date"]].assign(old=was[differs], new=new[differs], field=column)
        found.changes.append(listed)


def _one_factor(new: pd.Series, was: pd.Series) -> float | None:
    """The one factor by which all values differ, if it is one."""
    ratio = new / was
    factor = float(ratio.median())
    # Half a unit of the fourth decimal, or of the second where only two are kept.
    same = (new - factor * was).abs() <= np.maximum(1e-4 * new.abs(), TOLERANCE)
    return factor if abs(factor - 1) > 1e-5 and bool(same.all()) else None


# ------------------------------------------------------------------------------------------------- macro


def macro(frame: pd.DataFrame, entry: dict[str, Any], end: str, old: pd.DataFrame | None = None) -> Findings:
    """Check one macro series (series, date, value); parameters as for :func:`prices`."""
    found = Findings()
    if old is not None:
        old = old[old["value"].notna() & (old["date"] <= pd.Timestamp(end))]
        old = old if len(old) else None
    dates = pd.DatetimeIndex(frame["date"])
    if not _in_order(dates, found):
        return found
    if not np.isfinite(frame["value"]).all():
        found.faults.append("a value is not finite")
    _periods(dates, entry, found)
    age = (pd.Timestamp(end) - dates[-1]).days
    if age > STALE_DAYS.get(entry["frequency"], 30):
        kind = found.notes if dates[-1] == pd.Timestamp(entry["last_known"]) else found.faults
        kind.append(f"it ends on {dates[-1]:%Y-%m-%d}, {age} days before {end}")
    if old is not None:
        _kept(dates, old, found)
        _revisions(frame, old, found)
    return found


def _periods(dates: pd.DatetimeIndex, entry: dict[str, Any], found: Findings) -> None:
    first = pd.Timestamp(entry["first"])
    if (letter := _PERIODS.get(entry["frequency"])) is not None:
        expected = pd.period_range(first, dates[-1], freq=letter)
        never = pd.DatetimeIndex(entry["missing"]).to_period(letter)
        gone = expected.difference(dates.to_period(letter)).difference(never)
        found.gaps = len(gone)
        if len(gone):
            found.faults.append(f"{len(gone)} periods are missing ({', '.join(map(str, gone[:3]))})")
        return
    if years := entry.get("rolling"):
        first = max(first, min(dates[0], dates[-1] - pd.DateOffset(years=years)))
        if dates[0] > pd.Timestamp(entry["first"]) + pd.DateOffset(years=1):
            found.notes.append(f"it begins on {dates[0]:%Y-%m-%d}: only {years} years are given out")
    floor = int(FLOOR_WEEKDAYS * len(pd.bdate_range(first, dates[-1])))
    if len(dates) < floor:
        found.faults.append(f"only {len(dates):,} values where at least {floor:,} were expected")


def _revisions(frame: pd.DataFrame, old: pd.DataFrame, found: Findings) -> None:
    both = frame.merge(old, on="date", suffixes=("", "_old"))
    revised = (both["value"] - both["value_old"]).abs() > 1e-9
    if revised.any():
        found.notes.append(
            f"{int(revised.sum()):,} of {len(both):,} values were revised ({_days(both['date'][revised])})"
        )
        listed = both.loc[revised, ["date", "value_old", "value"]].assign(field="value")
        found.changes.append(listed.rename(columns={"value_old": "old", "value": "new"}))
