"""What a fetched series must pass before it may replace an old one, and what is worth a note."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from helpers import calendar, fingerprints, store
from helpers.words import and_more

#: A one-day change by more than this factor is looked at; a 3:2 split cannot be told from a bad day.
JUMP = 1.6
#: Splits that companies make, as new shares for an old one; their inverses are reverse splits.
SPLITS = (3 / 2, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50)
#: How near to a split's factor a jump must be: the price also moves on such a day.
NEAR = 0.03
#: So many equal closes in a row, or so many shares a day, are no market's.
STANDSTILL, MOST_VOLUME = 15, 1e13
#: A series whose last value is older than this many sessions is stale; days for macro series.
STALE = 5
STALE_DAYS = {"daily": 30, "monthly": 150, "quarterly": 260}
#: So many days left out by a provider keep their names; more are a series that was cut.
MOST_GAPS = 5
#: Least share of the rows expected; a bank holiday thins out the weekdays of a daily macro series.
FLOOR = 0.98
FLOOR_WEEKDAYS = 0.93
_PERIODS = {"monthly": "M", "quarterly": "Q"}
#: A value differs from the old vintage's if it is off by more than the rounding of two decimals.
TOLERANCE = 0.0101
#: A close is corrected by less than this share; an adjusted close loses less to the dividends of a vintage.
CORRECTION = 0.02
#: Corrections are few: where more than this share of the closes differ, they are other prices.
CORRECTED = 0.05
PAID = 0.7
#: Least ratio of adjusted to plain close that says: no dividend is in it.
UNADJUSTED = 0.9999
#: A percent series moves by less than this from one day to the next and back; a revision is smaller still.
SPIKE = 1.5
REVISION = {"daily": 0.5, "monthly": 1.0}
REVISION_LEVEL = 0.2


@dataclass
class Findings:
    """What was found in one series.

    ``faults`` keep the old vintage; ``notes`` are printed; ``gaps`` are days that the provider left out, at most
    :data:`MOST_GAPS`; ``changes`` lists what differs from the old vintage (field, date, old, new).
    """

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gaps: list[pd.Timestamp] = field(default_factory=list)
    changes: list[pd.DataFrame] = field(default_factory=list)

    def where(self, bad: Any, dates: pd.DatetimeIndex, what: str) -> None:
        """A fault of the days that a mask marks, if it marks any."""
        if bad.any():
            self.faults.append(f"{what} on {days(dates[bad])}")

    def left_out(self, gone: pd.DatetimeIndex, what: str) -> None:
        """Days without a value: named gaps if they are few, else a fault."""
        if len(gone) > MOST_GAPS:
            self.faults.append(f"{len(gone)} {what} are missing ({days(gone)})")
        elif len(gone):
            self.gaps = list(gone)
            self.notes.append(f"no value of {days(gone, MOST_GAPS)}")


def days(dates: Any, most: int = 3) -> str:
    """Some days by name, and how many more there are."""
    return and_more([f"{day:%Y-%m-%d}" for day in dates], most)


def _until(old: pd.DataFrame | None, end: str, column: str | None = None) -> pd.DataFrame | None:
    """The old vintage up to the last day asked for; None if nothing is left of it."""
    if old is None:
        return None
    old = old[old["date"] <= pd.Timestamp(end)]
    old = old if column is None else old[old[column].notna()]
    return old if len(old) else None


def _in_order(dates: pd.DatetimeIndex, found: Findings) -> bool:
    if not len(dates):
        found.faults.append("it has no value")
    if dates.has_duplicates:
        found.faults.append(f"{days(dates[dates.duplicated()])} stands twice")
    elif not dates.is_monotonic_increasing:
        found.faults.append("its dates are not in order")
    return not found.faults


def _begins(dates: pd.DatetimeIndex, entry: dict[str, Any], found: Findings) -> None:
    if "rolling" not in entry and dates[0] > pd.Timestamp(entry["first"]):
        found.notes.append(f"it begins on {dates[0]:%Y-%m-%d}, not on {entry['first']}")


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
    found, old = Findings(), _until(old, end)
    dates = pd.DatetimeIndex(frame["date"])
    if not _in_order(dates, found):
        return found
    _begins(dates, entry, found)
    _sessions(frame, dates, entry, found)
    _bars(frame, dates, found)
    _ends(frame, entry, found)
    _jumps(str(entry["id"]), frame, old, found)
    _adjustment(frame, dates, entry, old, found)
    _size(dates, entry, end, old, found)
    if "price" in str(entry.get("price")) and frame["close"].isna().all():
        found.faults.append("it has no closes")
    if old is not None:
        for column in ("close", "adj_close"):
            _kept(dates[frame[column].notna()], old[old[column].notna()], found, column)
        _overlap(frame, old, found)
    return found


def _sessions(frame: pd.DataFrame, dates: pd.DatetimeIndex, entry: dict[str, Any], found: Findings) -> None:
    """Every date a session, and no session left out between a field's first and last value."""
    late = dates[dates >= calendar.COMPLETE_FROM]
    if not len(late):
        return
    if len(strange := late.difference(calendar.sessions(late[0], late[-1]))):
        found.faults.append(f"{days(strange)} is no New York session; are its dates of another time zone?")
    gone = pd.DatetimeIndex([])
    for column in ("close", "adj_close"):
        held = late.intersection(dates[frame[column].notna()])
        if len(held):
            gone = gone.union(calendar.missing_sessions(held, held[0], held[-1]))
    found.left_out(gone.difference(pd.DatetimeIndex(entry["missing"])), "sessions")


def _bars(frame: pd.DataFrame, dates: pd.DatetimeIndex, found: Findings) -> None:
    values = frame[["open", "high", "low", "close", "adj_close"]].to_numpy()
    opened, high, low, close, _ = values.T
    positive, one = np.where(values > 0, values, np.nan), np.zeros(len(values))
    far = np.any([store.leaps(one, column) for column in positive.T], axis=0)
    found.where(far, dates, "a price is far off the days around it")
    volume = frame["volume"].to_numpy(float, na_value=np.nan)
    found.where(((values <= 0) | np.isinf(values)).any(axis=1), dates, "a price is not a positive number")
    found.where((volume < 0) | (volume > MOST_VOLUME), dates, "the volume is negative or beyond belief")
    for column in ("close", "adj_close"):
        known = frame[column].dropna()
        still = (known.diff() == 0).astype(int)
        run = still.groupby((still == 0).cumsum()).cumsum()
        if len(run) and run.max() >= STANDSTILL:
            last = frame["date"][run.idxmax()]
            found.faults.append(f"the {column} stands still for {run.max() + 1} sessions to {last:%Y-%m-%d}")
    # Yahoo's single precision may put a close a hair above its high.
    high, floor = high * (1 + 1e-4), low * (1 - 1e-4)
    found.where(
        (close > high) | (close < floor) | (low > high), dates, "high and low do not enclose the close"
    )
    if (bad := (opened > high) | (opened < floor)).any():
        # Opens before the nineties are poor at the source, and no measure here rests on one.
        found.notes.append(f"the open lies outside high and low on {days(dates[bad])}")


def _ends(frame: pd.DataFrame, entry: dict[str, Any], found: Findings) -> None:
    """What a series holds only in part has a name."""
    if entry["group"] != "index" and frame["volume"].isna().all():
        found.notes.append("it has no volume")
    dates, ends = frame["date"], dict[str, list[str]]()
    for column in ("high", "low", "close", "adj_close"):
        if (end := dates[frame[column].notna()].max()) < dates.iloc[-1]:
            ends.setdefault(f"{end:%Y-%m-%d}", []).append(column)
    found.notes += [f"no {' and '.join(columns)} after {end}" for end, columns in ends.items()]


def _jumps(symbol: str, frame: pd.DataFrame, old: pd.DataFrame | None, found: Findings) -> None:
    column = "close" if frame["close"].notna().any() else "adj_close"
    values = frame.set_index("date")[column].dropna()
    ratio = values / values.shift()
    ratio = ratio[(ratio > 0) & (np.log(ratio).abs() > np.log(JUMP))]
    ratio = ratio[~ratio.index.isin(proven(symbol, values, pd.DatetimeIndex(ratio.index)))]
    if old is not None:
        before = old.set_index("date")[column].dropna()
        known = np.log(before / before.shift()).abs() > np.log(JUMP)
        ratio = ratio[~ratio.index.isin(before.index[known])]
    for date, change in ratio.items():
        back = values.loc[date:].head(2).iloc[-1] / values.loc[:date].tail(2).iloc[0]
        if _is_split(change, NEAR, JUMP):
            found.faults.append(
                f"the {column} jumps by a factor of {change:.3g} on {date:%Y-%m-%d}: a split not adjusted?"
            )
        elif abs(np.log(back)) < np.log(JUMP) / 4:
            found.faults.append(f"the {column} of {date:%Y-%m-%d} is off by a factor of {change:.3g}")
        else:
            found.notes.append(f"the {column} moves by {(change - 1) * 100:+.0f} % on {date:%Y-%m-%d}")


def _is_split(factor: float, near: float, least: float = 1.0) -> bool:
    """True if a factor of prices is that of a split above ``least``, within ``near``."""
    size = max(factor, 1 / factor)
    return any(split > least and abs(size / split - 1) < near for split in SPLITS)


def proven(symbol: str, values: pd.Series, dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Those of some dates whose whole year is the reference's, by its fingerprint; ``values`` by date."""
    if not len(dates):
        return dates
    listed = _listed()["series"].get(symbol, {}).get(str(values.name), {})
    ours = fingerprints.year_hashes(values[pd.DatetimeIndex(values.index).year.isin(dates.year.unique())])
    return dates[[listed.get(str(date.year)) == ours.get(str(date.year), "") for date in dates]]


@cache
def _listed() -> dict[str, Any]:
    return fingerprints.listed()


def _adjustment(
    frame: pd.DataFrame,
    dates: pd.DatetimeIndex,
    entry: dict[str, Any],
    old: pd.DataFrame | None,
    found: Findings,
) -> None:
    """Dividends only ever raise the ratio of adjusted to plain close as time goes on; a fall is a defect."""
    ratio = (frame["adj_close"] / frame["close"]).to_numpy()
    both = ~np.isnan(ratio)
    if entry["group"] != "index" and frame["adj_close"].isna().all():
        if old is None or old["adj_close"].notna().any():
            found.faults.append("it has no adjusted closes")
        return
    if both.sum() < 2:
        return
    paid = old is not None and (old["adj_close"] / old["close"]).min() < 1 - CORRECTION
    pays = entry.get("pays") and dates[both][-1] - dates[both][0] > pd.Timedelta(days=400)
    if (paid or pays) and ratio[both].min() > UNADJUSTED:
        found.faults.append(
            "its adjusted closes equal its closes in all years, and it pays dividends: adjusted nowhere"
        )
    # A price of some cents is rounded to a per mille; two per cent is no rounding.
    falls = np.diff(np.log(ratio[both]), prepend=np.log(ratio[both][0])) < -0.02
    found.where(falls, dates[both], "adjusted and plain closes part (a split in one only?)")


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
    if behind > 0:
        # A series that ends where the catalogue says (a company taken private) is over, not stale.
        over = behind <= STALE or dates[-1] == pd.Timestamp(entry["last_known"])
        kind = found.notes if over else found.faults
        kind.append(
            f"it ends on {dates[-1]:%Y-%m-%d}, {behind} session{'s' if behind > 1 else ''} before {end}"
        )


def _kept(dates: pd.DatetimeIndex, old: pd.DataFrame, found: Findings, column: str) -> None:
    """Days on which the old vintage has a value that the new one lost."""
    if len(lost := pd.DatetimeIndex(old["date"]).difference(dates)):
        found.faults.append(f"the {column} of {days(lost)} was in the old vintage and is gone")


def _overlap(frame: pd.DataFrame, old: pd.DataFrame, found: Findings) -> None:
    both = frame.merge(old, on="date", suffixes=("", "_old"))
    for column, called in (("close", "closes"), ("adj_close", "adjusted closes")):
        new, was = both[column], both[f"{column}_old"]
        known = (new.notna() & was.notna()).to_numpy()
        differs = known & ((new - was).abs() > TOLERANCE).to_numpy()
        if not differs.any():
            continue
        count = f"{int(differs.sum()):,} of {int(known.sum()):,} {called} differ from the old vintage"
        factor = _one_factor(new[known], was[known])
        if factor is None:
            found.notes.append(f"{count} ({days(both['date'][differs])})")
            listed = both.loc[differs, ["date"]].assign(old=was[differs], new=new[differs], field=column)
            found.changes.append(listed)
            if column == "close":
                _corrected(both, found)
        elif _may_be(column, factor, both):
            cause = "a split" if column == "close" else "dividends or a split since"
            found.notes.append(f"{count}, all by the factor {factor:.6g} ({cause})")
        else:
            found.faults.append(
                f"all {called} are {factor:.6g} times the old vintage's, which no split or dividend explains; "
                "if they are right, set the old store aside"
            )


def _may_be(column: str, factor: float, both: pd.DataFrame) -> bool:
    """True if one factor on a whole column is a split's, to which another column agrees, or dividends'."""
    plain = (both["close"] / both["close_old"]).median()
    if column == "adj_close" and PAID < factor / (1.0 if np.isnan(plain) else plain) < 1 + 1e-4:
        return True
    agree = [both["volume_old"] / both["volume"]]
    agree += [both["adj_close"] / both["adj_close_old"]] if column == "close" else []
    return _is_split(factor, 1e-3) and any(abs(a.median() / factor - 1) < CORRECTION for a in agree)


def _corrected(both: pd.DataFrame, found: Findings) -> None:
    """Closes that differ by more than a correction: a fault, unless the old vintage had missed a split."""
    ratio = (both["close"] / both["close_old"]).dropna()
    off = (ratio - 1).abs() > CORRECTION
    if not off.any():
        differs = (both["close"] - both["close_old"]).abs() > TOLERANCE
        if differs.sum() > CORRECTED * len(ratio):
            found.faults.append(
                "so many closes are not corrected: other prices; if they are right, set the old store aside"
            )
        return
    last = int(np.flatnonzero(off)[-1])
    mended = False
    if off.iloc[: last + 1].all() and last + 1 < len(ratio) and _is_split(ratio.iloc[0], 1e-3):
        edge = both.loc[ratio.index[[last, last + 1]]]
        step = [abs(np.log(edge[column].iloc[1] / edge[column].iloc[0])) for column in ("close", "close_old")]
        mended = step[0] < step[1]
    if not mended:
        worst = ratio[off].iloc[0]
        found.faults.append(
            f"{int(off.sum()):,} closes are off against the old vintage, the first by a factor of {worst:.4g} "
            f"({days(both['date'][ratio.index[off]])}): a split missed, or wrong prices"
        )


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
    found, old = Findings(), _until(old, end, "value")
    dates = pd.DatetimeIndex(frame["date"])
    if not _in_order(dates, found):
        return found
    values = pd.Series(frame["value"].to_numpy(), dates, name="value")
    low, high = store.bounds(entry["unit"])
    _begins(dates, entry, found)
    if not np.isfinite(values).all():
        found.faults.append("a value is not finite")
    elif (bad := ~values.between(low, high)).any():
        found.faults.append(
            f"{values[bad].iloc[0]:,.6g} on {days(dates[bad])} cannot be in {entry['unit']}: another unit, or wrong"
        )
    else:
        _spikes(values, entry, old, found)
    _periods(values, entry, found)
    age = (pd.Timestamp(end) - dates[-1]).days
    if age > STALE_DAYS.get(entry["frequency"], 30):
        kind = found.notes if dates[-1] == pd.Timestamp(entry["last_known"]) else found.faults
        kind.append(f"it ends on {dates[-1]:%Y-%m-%d}, {age} days before {end}")
    if old is not None:
        _kept(dates, old, found, "value")
        _revisions(frame, entry, old, found)
    return found


def _spikes(values: pd.Series, entry: dict[str, Any], old: pd.DataFrame | None, found: Findings) -> None:
    """One value far off both of its neighbours, which the old vintage and the reference do not have."""
    if entry["unit"] == "percent":
        step, most = values.diff(), SPIKE
        # A market rate falls below zero in small steps.
        below = (values < 0) & (values.shift() > 0.25) & (values.shift(-1) > 0.25)
    else:
        step, most, below = np.log(values.where(values > 0)).diff(), np.log(JUMP), values < 0
    after = step.shift(-1)
    alone = (step.abs() > most) & (after.abs() > most) & (step * after < 0)
    odd = pd.DatetimeIndex(values.index[alone | below])
    if old is not None:
        odd = odd.difference(pd.DatetimeIndex(old["date"]))  # a difference there is a revision
    odd = odd.difference(proven(str(entry["id"]), values, odd))
    if len(odd):
        found.faults.append(f"{values[odd[0]]:.6g} on {days(odd)} stands far off the days around it")


def _periods(values: pd.Series, entry: dict[str, Any], found: Findings) -> None:
    dates, first = pd.DatetimeIndex(values.index), pd.Timestamp(entry["first"])
    missing = pd.DatetimeIndex(entry["missing"])
    if (letter := _PERIODS.get(entry["frequency"])) is not None:
        found.where(dates.to_period(letter).duplicated(), dates, "there is more than one value a period")
        gone = pd.period_range(first, dates[-1], freq=letter).difference(dates.to_period(letter))
        if len(gone := gone.difference(missing.to_period(letter))):
            found.faults.append(f"{len(gone)} periods are missing ({', '.join(map(str, gone[:3]))})")
        return
    if years := entry.get("rolling"):
        first = max(first, min(dates[0], dates[-1] - pd.DateOffset(years=years)))
        if dates[0] > pd.Timestamp(entry["first"]) + pd.DateOffset(years=1):
            found.notes.append(f"it begins on {dates[0]:%Y-%m-%d}: only {years} years are given out")
    floor = int(FLOOR_WEEKDAYS * len(pd.bdate_range(first, dates[-1])))
    if len(dates) < floor:
        found.faults.append(f"only {len(dates):,} values where at least {floor:,} were expected")
        return
    found.left_out(_holes(values, entry).difference(missing), "days")


def _holes(values: pd.Series, entry: dict[str, Any]) -> pd.DatetimeIndex:
    """Sessions without a value that are no bank holiday, nor missing in the reference's year as well."""
    dates = pd.DatetimeIndex(values.index)
    open_ = calendar.sessions(max(dates[0], calendar.COMPLETE_FROM), dates[-1]).difference(dates)
    open_ = open_.difference(_bank_holidays())
    return open_.difference(proven(str(entry["id"]), values, open_))


@cache
def _bank_holidays() -> pd.DatetimeIndex:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    return pd.DatetimeIndex(USFederalHolidayCalendar().holidays(calendar.COMPLETE_FROM, calendar.LAST))


def _revisions(frame: pd.DataFrame, entry: dict[str, Any], old: pd.DataFrame, found: Findings) -> None:
    both = frame.merge(old, on="date", suffixes=("", "_old"))
    change = (both["value"] - both["value_old"]).abs()
    revised = change > 1e-9
    if not revised.any():
        return
    listed = both.loc[revised, ["date", "value_old", "value"]].assign(field="value")
    found.changes.append(listed.rename(columns={"value_old": "old", "value": "new"}))
    if entry["unit"] == "percent":
        large = change > REVISION.get(entry["frequency"], REVISION["monthly"])
    else:
        # A recession's months are declared afterwards: from 0 to 1 is no error.
        large = (change > REVISION_LEVEL * both["value_old"].abs()) & (entry["unit"] != "0 or 1")
    which, kind, told = revised, found.notes, "were revised"
    if large.any():
        which, kind, told = large, found.faults, "are changed by more than a revision"
    kind.append(f"{int(which.sum()):,} of {len(both):,} values {told} ({days(both['date'][which])})")
