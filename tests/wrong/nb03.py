"""Plausible wrong answers to the exercises of notebook 03, each with a piece of the hint it must get."""

import numpy as np

from course import nb03
from helpers.measures import events


def _p(mkt, around, side):
    return events.chance(*nb03._small(mkt), nb03.CUTS, nb03.SESSIONS, around, around, until=nb03.DAY)[side]


def _correlation(mkt, series):
    return nb03._sums(mkt, nb03.SESSIONS, 0).corr(series(mkt.macro("DGS2").reindex(nb03.SESSIONS)))


def _means(mkt, share):
    whole, last = events.pools(*nb03._small(mkt), nb03.SESSIONS, 1, 1, until=nb03.DAY, kept=0)
    return float(np.quantile(events.permutation_means(whole, 3, last=last)[0], share))


def _wednesdays(mkt, *left_out):
    days = nb03.SESSIONS[nb03.SESSIONS.dayofweek == 2]
    return nb03._sums(mkt, [day for day in days if f"{day:%Y-%m-%d}" not in (*left_out, nb03.DAY)])


WRONG = {
    "03-two-sided": [
        (lambda mkt: _p(mkt, 1, "greater"), "one-sided value"),
        (lambda mkt: 2 * _p(mkt, 1, "greater"), "doubling"),
        (lambda mkt: _p(mkt, 0, "two_sided"), "days alone"),
        (lambda mkt: 100 * _p(mkt, 1, "two_sided"), "in percent"),
    ],
    "03-yields": [
        (lambda mkt: _correlation(mkt, lambda level: level), "level of the yield"),
        (lambda mkt: -_correlation(mkt, lambda level: level.diff()), "sign"),
    ],
    "03-power": [
        (lambda mkt: _means(mkt, 0.9), "must exceed"),
        (lambda mkt: _means(mkt, 0.95) - _means(mkt, 0.2), "two-sided"),
        (lambda mkt: _means(mkt, 0.9) - _means(mkt, 0.8), "wrong end"),
    ],
    "03-rises": [
        ({"rises": 11, "mean": 0.1}, "those are the cuts"),
        ({"rises": 20, "mean": 7.0}, "the number of rises fits"),
    ],
    "03-wednesdays": [
        (lambda mkt: {"mean": _wednesdays(mkt).mean(), "above": 11}, "take them out"),
        (
            lambda mkt: {
                "mean": _wednesdays(mkt, *nb03.CUTS, *nb03.HOLDS).mean(),
                "above": (_wednesdays(mkt, *nb03.CUTS, *nb03.HOLDS) > 0).sum(),
            },
            "above zero",
        ),
    ],
}
