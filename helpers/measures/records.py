"""Records, values above every earlier one of the series, and runs of sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.files import Missing


def is_record(values: pd.Series, by: float = 0.0) -> pd.Series:
    """True where a value lies above every earlier one by more than ``by``; the first, and a tie, is no record.

    Raises Missing for a gap between the first and the last value: nobody knows what would have been a record after
    it.
    """
    values = _whole(values)
    before = values.cummax().shift(1)
    return (values > before + by).rename("record")


def _whole(values: pd.Series) -> pd.Series:
    values = calendar.with_gaps(values)
    gap = values.isna() & values.ffill().notna() & values.bfill().notna()
    if gap.any():
        raise Missing(
            f"A record cannot be told across {str(gap.idxmax())[:10]}, which {values.name or 'the series'} lacks."
        )
    return values


def highest_before(values: pd.Series, day: str | pd.Timestamp) -> float:
    """The highest value before ``day``; Missing, as of :func:`is_record`, where one is lacking that could be higher."""
    return float(_whole(values.loc[:day]).iloc[:-1].max())


def record_dates(values: pd.Series, start: str | pd.Timestamp, end: str | pd.Timestamp) -> list[str]:
    """ISO dates of the records from ``start`` to ``end``, judged against the whole history in ``values``."""
    flags = is_record(values.loc[:end]).loc[start:]
    return [f"{date:%Y-%m-%d}" for date in flags.index[flags]]


def run_ending(flags: pd.Series, day: str | pd.Timestamp) -> int:
    """Length of the run of consecutive True values that ends with ``day``; 0 if that value is False."""
    return int(flags.loc[:day].iloc[::-1].cumprod().sum())


def runs(flags: pd.Series) -> pd.DataFrame:
    """Every run of consecutive True values: ``first`` and ``last`` (dates) and ``length`` (sessions)."""
    spell = (~flags).cumsum()[flags]
    grouped = spell.index.to_series().groupby(spell.to_numpy())
    return pd.DataFrame(
        {"first": grouped.min(), "last": grouped.max(), "length": grouped.size()}
    ).reset_index(drop=True)


def streaks(prices: pd.Series, benchmark: pd.Series | None = None, down: bool = False) -> pd.DataFrame:
    """Runs of sessions on which a series gained (``down``: lost), or gained more than ``benchmark``, longest first.

    Returns a frame with ``first`` and ``last`` (dates of the run's sessions), ``length`` (sessions) and ``change``:
    the return from the close before the run to its last, percent; less that of the benchmark, points. Of equal
    length the later comes first. An unchanged session, and one whose return is not known, ends a run.
    """
    frame = calendar.with_gaps(prices).rename("own").to_frame()
    if benchmark is not None:
        frame = frame.join(calendar.with_gaps(benchmark).rename("other"), how="outer")
    moves = frame.pct_change(fill_method=None)
    lead = moves["own"] - moves.get("other", 0.0)
    found = runs(lead < 0 if down else lead > 0)
    at = frame.index.get_indexer(pd.DatetimeIndex(found["last"]))
    whole = (frame.iloc[at].to_numpy() / frame.iloc[at - found["length"].to_numpy()].to_numpy() - 1) * 100
    found["change"] = whole[:, 0] - (whole[:, 1] if benchmark is not None else 0.0)
    return found.sort_values(["length", "last"], ascending=False, ignore_index=True)


def longest_streak(prices: pd.Series, benchmark: pd.Series | None = None, down: bool = False) -> pd.Series:
    """The first row of :func:`streaks`; of length 0 if there is no run."""
    found = streaks(prices, benchmark, down)
    none = pd.Series({"first": None, "last": None, "length": 0, "change": 0.0}, dtype=object)
    return none if found.empty else found.iloc[0]


def count_records(paths: np.ndarray, before: float) -> np.ndarray:
    """Records in each of some paths (array: paths, sessions) after a highest level ``before``: array (paths,)."""
    start = np.full((len(paths), 1), before)
    highest = np.maximum.accumulate(np.hstack([start, paths]), axis=1)
    return (paths > highest[:, :-1]).sum(axis=1)
