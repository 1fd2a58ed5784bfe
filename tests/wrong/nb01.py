"""Plausible wrong answers to the exercises of notebook 01, each with a piece of the hint it must get."""

from helpers.measures import records

DAY = "2025-12-10"


def _year_high(values):
    return values >= values.rolling(252).max()


def _year_only(values):
    return (values >= values.cummax().shift(1)).sum()


WRONG = {
    "01-ties": [
        (lambda mkt: records.is_record(mkt.prices("^RUT", "high"))["2025":DAY].sum(), "intraday highs"),
        (lambda mkt: _year_only(mkt.prices("^RUT")["2025-01-01":DAY]), "whole history"),
    ],
    "01-year-high": [
        (
            lambda mkt: {
                "sessions": _year_high(mkt.prices("^RUT"))["2025-01-01":DAY].sum(),
                "ninth": bool(not _year_high(mkt.prices("^RUT"))["2025-12-09"]),
            },
            "the count fits",
        ),
        (
            lambda mkt: {
                "sessions": int(_year_high(mkt.prices("^RUT", "high"))["2025-01-01":DAY].sum()),
                "ninth": True,
            },
            "intraday highs",
        ),
    ],
    "01-pool": [(0.545, "fraction"), (45.5, "fewer records")],
    "01-even-start": [("2025-06-02", "earlier one"), ("2024-12-31", "the Nasdaq leads")],
}
