"""Plausible wrong answers to the exercises of notebook 05, each with a piece of the hint it must get."""

import pandas as pd

from helpers.measures import valuation

HELD = "2025-11-11"


def _core(mkt):
    return valuation.Fund.read(mkt).covered(HELD)


def _yield(members):
    return valuation.earnings_yield(members["cap"], members["income"])


def _patient_dates(mkt):
    days = mkt.holdings_dates()
    return sum(valuation.latest_quarter(day) != valuation.latest_quarter(day, 45, 90) for day in days)


def _pes(mkt):
    groups = _core(mkt).groupby("sector")
    return pd.Series(
        {name: valuation.pe_table(rows)["sum, profit only"] for name, rows in groups if len(rows) >= 5}
    )


def _own(mkt):
    core = _core(mkt)
    return core["income"] / core["cap"] * 100


WRONG = {
    "05-company-d": [
        (400 / 36.75, "must earn together"),
        (20.0, "no P/E"),
        (20 - 400 / 16.16, "average"),
        (-9.1, "sign"),
    ],
    "05-patience": [
        (lambda mkt: {"dates": _patient_dates(mkt), "yield": _yield(_core(mkt))}, "our own patience"),
        (lambda mkt: {"dates": len(mkt.holdings_dates()), "yield": 1.0}, "counts all dates"),
    ],
    "05-median": [
        (lambda mkt: _own(mkt)[_own(mkt) > 0].median(), "loss-makers out"),
        (lambda mkt: _own(mkt).mean(), "huge losses"),
        (lambda mkt: _yield(_core(mkt)), "sum over sum"),
    ],
    "05-sector": [
        (lambda mkt: {"sector": _pes(mkt).idxmax(), "losses": 30.0}, "highest P/E"),
        (
            lambda mkt: {
                "sector": _pes(mkt).idxmin(),
                "losses": valuation.loss_share(_core(mkt)["income"]),
            },
            "all members",
        ),
        ({"sector": "Small caps", "losses": 30.0}, "no sector of that name"),
    ],
    "05-unusual": [
        (lambda mkt: _yield(_core(mkt)), "nothing cut off"),
        (12.34, "table of floors"),
    ],
}
