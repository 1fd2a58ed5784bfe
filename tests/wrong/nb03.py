"""Plausible wrong answers to the exercises of notebook 03, each with a piece of the hint it must get."""

import numpy as np
import pandas as pd

from helpers import calendar
from helpers.measures import events, returns

DECISIONS = ["2025-09-17", "2025-10-29", "2025-12-10"]
YEAR = ("2025-01-01", "2025-12-31")


def _every(mkt, around=1):
    daily = returns.daily_returns(mkt.prices(["^RUT", "^GSPC"]).dropna())
    return events.event_study(daily["^RUT"], daily["^GSPC"], calendar.sessions(*YEAR), around, around)["car"]


def _p(mkt, around, side):
    pool = _every(mkt, around)
    return events.permutation_p(pool[DECISIONS].mean(), pool.to_numpy(), 3)[side]


def _level(mkt):
    return mkt.macro("DGS2").reindex(calendar.sessions(*YEAR))


def _trios(mkt, share):
    return float(np.quantile(events.permutation_means(_every(mkt).to_numpy(), 3, 0, 0)[0], share))


def _wednesdays(mkt):
    every = _every(mkt)
    return every[every.index.dayofweek == 2]


def _others(mkt):
    return _wednesdays(mkt).drop(pd.DatetimeIndex(DECISIONS))


WRONG = {
    "03-two-sided": [
        (lambda mkt: _p(mkt, 1, "greater"), "one-sided value"),
        (lambda mkt: 2 * _p(mkt, 1, "greater"), "doubling"),
        (lambda mkt: _p(mkt, 0, "two_sided"), "days alone"),
        (lambda mkt: 100 * _p(mkt, 1, "two_sided"), "in percent"),
    ],
    "03-yields": [
        (lambda mkt: _every(mkt, 0).corr(_level(mkt)), "level of the yield"),
        (lambda mkt: -_every(mkt, 0).corr(_level(mkt).diff()), "sign"),
    ],
    "03-power": [
        (lambda mkt: _trios(mkt, 0.9), "must exceed"),
        (lambda mkt: _trios(mkt, 0.95) - _trios(mkt, 0.2), "two-sided"),
        (lambda mkt: _trios(mkt, 0.9) - _trios(mkt, 0.8), "wrong end"),
    ],
    "03-rises": [
        ({"rises": 11, "mean": 0.1}, "those are the cuts"),
        ({"rises": 20, "mean": 7.0}, "the number of rises fits"),
    ],
    "03-wednesdays": [
        (lambda mkt: {"mean": _wednesdays(mkt).mean(), "above": 11}, "take them out"),
        (
            lambda mkt: {"mean": _others(mkt).mean(), "above": (_others(mkt) > 0).sum()},
            "above zero",
        ),
    ],
}
