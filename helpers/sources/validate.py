"""What a fetched series must pass before it may replace an old one, and what is worth a note."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers import calendar

#: A one-day change beyond this is looked at: as a split, or as a note.
JUMP = 0.6
#: A series whose last value is older than this many sessions is stale.
STALE = 5
#: Least share of the sessions expected, or of the old vintage's rows.
FLOOR = 0.98
_SPLITS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100)


@dataclass
class Findings:
    """``faults`` keep the old vintage; ``notes`` are printed; ``gaps`` counts missing sessions."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gaps: int = 0


def _days(dates: Any, most: int = 3) -> str:
    shown = [f"{d:%Y-%m-%d}" for d in list(dates)[:most]]
    return ", ".join(shown) + (f" and {len(dates) - most} more" if len(dates) > most else "")


def prices(frame: pd.DataFrame, entry: dict[str, Any], end: str, old: pd.DataFrame | None = None) -> Findings:
    """Check daily bars of one symbol (columns as in the store) against calendar, order, size and old vintage."""
    found = Findings()
    dates = pd.DatetimeIndex(frame["date"])
    if dates.has_duplicates:
        found.faults.append(f"{_days(dates[dates.duplicated()])} stands twice")
    if not dates.is_monotonic_increasing:
        found.faults.append("the dates are not in order")
    late = dates[dates >= calendar.COMPLETE_FROM]
    if len(late):
        expected = calendar.sessions(late.min(), late.max())
        if len(strange := late.difference(expected)):
            found.faults.append(f"{_days(strange)} is no New York session (a clock in another zone?)")
        known = pd.DatetimeIndex(entry.get("missing") or [])
        gone = expected.difference(late).difference(known)
        found.gaps = len(gone)
        if len(gone):
            found.faults.append(f"{len(gone)} sessions are missing ({_days(gone)})")
    values = frame[["open", "high", "low", "close", "adj_close"]]
    if (values <= 0).any().any():
        found.faults.append(f"a price is not positive on {_days(dates[(values <= 0).any(axis=1)])}")
    slack = 1 + 1e-4
    high, low = frame["high"] * slack, frame["low"] / slack
    broken = (frame[["open", "close", "low"]].max(axis=1) > high) | (
        frame[["open", "close"]].min(axis=1) < low
    )
    if broken.any():
        found.faults.append(f"high or low does not enclose open and close on {_days(dates[broken])}")
    _jumps(frame, dates, old, found)
    _size(dates, entry, end, old, found)
    if old is not None:
        _overlap(frame, old, found)
    return found


def _jumps(frame: pd.DataFrame, dates: pd.DatetimeIndex, old: pd.DataFrame | None, found: Findings) -> None:
    close = frame["close"].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = close[1:] / close[:-1]
    known: set[pd.Timestamp] = set()
    if old is not None:
        before = old["close"].pct_change(fill_method=None).abs() > JUMP
        known = set(pd.DatetimeIndex(old["date"])[before])
    for i in np.flatnonzero(np.abs(change - 1) > JUMP):
        date = dates[i + 1]
        ratio = max(change[i], 1 / change[i])
        if date in known:
            continue
        if any(abs(ratio / split - 1) < 0.03 for split in _SPLITS):
            found.faults.append(
                f"the close jumps by a factor of {change[i]:.3g} on {date:%Y-%m-%d}: a split not adjusted?"
            )
        else:
            found.notes.append(f"the close moves by {(change[i] - 1) * 100:+.0f} % on {date:%Y-%m-%d}")


def _size(
    dates: pd.DatetimeIndex, entry: dict[str, Any], end: str, old: pd.DataFrame | None, found: Findings
) -> None:
    expected = len(calendar.sessions(max(pd.Timestamp(entry["first"]), calendar.COMPLETE_FROM), dates.max()))
    floor = int(FLOOR * (len(old) if old is not None else expected))
    if len(dates) < floor:
        found.faults.append(f"only {len(dates):,} rows where at least {floor:,} were expected")
    if old is not None and dates.max() < (last := pd.Timestamp(old["date"].max())):
        found.faults.append(f"it ends on {dates.max():%Y-%m-%d}, before the old vintage ({last:%Y-%m-%d})")
    behind = len(calendar.sessions(dates.max(), end)) - 1
    if behind > STALE:
        # A series that ends where the catalogue says (a company taken private) is over, not stale.
        kind = found.notes if dates.max() == pd.Timestamp(entry["last_known"]) else found.faults
        kind.append(f"it ends on {dates.max():%Y-%m-%d}, {behind} sessions before {end}")


def _overlap(frame: pd.DataFrame, old: pd.DataFrame, found: Findings) -> None:
    both = frame.merge(old, on="date", suffixes=("", "_old"))
    for column in ("close",):
        new, was = both[column], both[f"{column}_old"]
        known = new.notna() & was.notna()
        differs = known & ((new - was).abs() > 0.0101)
        if not differs.any():
            continue
        ratio = (new[differs] / was[differs]).round(4)
        same = ratio.min() == ratio.max() and differs.sum() > 20
        found.notes.append(
            f"{int(differs.sum())} of {int(known.sum())} closes differ from the old vintage"
            + (
                f", all by a factor of {ratio.iloc[0]:g} (a split)"
                if same
                else f" ({_days(both['date'][differs])})"
            )
        )


def macro(frame: pd.DataFrame, entry: dict[str, Any], old: pd.DataFrame | None = None) -> Findings:
    """Check one macro series (series, date, value)."""
    found = Findings()
    dates = pd.DatetimeIndex(frame["date"])
    if not len(dates):
        found.faults.append("it has no value")
        return found
    if dates.has_duplicates or not dates.is_monotonic_increasing:
        found.faults.append("its dates are not unique and in order")
    if not np.isfinite(frame["value"]).all():
        found.faults.append("a value is not finite")
    if old is not None and len(frame) < FLOOR * len(old):
        found.faults.append(f"only {len(frame):,} values where the old vintage has {len(old):,}")
    if old is not None and dates.max() < pd.Timestamp(old["date"].max()):
        found.faults.append(f"it ends on {dates.max():%Y-%m-%d}, before the old vintage")
    if old is not None:
        both = frame.merge(old, on="date", suffixes=("", "_old"))
        revised = int(((both["value"] - both["value_old"]).abs() > 1e-9).sum())
        if revised:
            found.notes.append(f"{revised} of {len(both)} values were revised since the old vintage")
    return found
