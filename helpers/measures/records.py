"""Records: values above every earlier value of the series."""

from __future__ import annotations

import numpy as np
import pandas as pd


def is_record(values: pd.Series) -> pd.Series:
    """True where a value lies above every earlier one; the first value is no record.

    For closes these are record closes, for highs record intraday highs. A tie is no record.
    """
    before = values.cummax().shift(1)
    return (values > before).rename("record")


def record_dates(values: pd.Series, start: str, end: str) -> list[str]:
    """ISO dates of the records from ``start`` to ``end``, judged against the whole history in ``values``."""
    flags = is_record(values).loc[start:end]
    return [f"{date:%Y-%m-%d}" for date in flags.index[flags]]


def records_per_year(values: pd.Series) -> pd.Series:
    """Number of records in each calendar year, indexed by year (int)."""
    flags = is_record(values)
    return flags.groupby(pd.DatetimeIndex(flags.index).year).sum().astype(int)


def longest_run(flags: pd.Series) -> int:
    """Length of the longest run of consecutive True values."""
    ends = (~flags).cumsum()
    return int(flags.groupby(ends).sum().max())


def count_records(paths: np.ndarray, before: float) -> np.ndarray:
    """Number of records in each simulated path.

    Parameters
    ----------
    paths : array (paths, sessions) of levels
    before : the highest level before the first session

    Returns
    -------
    Integer array (paths,).
    """
    start = np.full((len(paths), 1), before)
    highest = np.maximum.accumulate(np.hstack([start, paths]), axis=1)
    return (paths > highest[:, :-1]).sum(axis=1)
