"""Plausible wrong answers to the exercises of notebook 08, each with a piece of the hint it must get."""

import pandas as pd

from helpers import calendar
from helpers.measures import forecasts

START, HORIZON = "2025-12-10", "2026-06-30"
SECTORS = ["XLI", "XLF", "XLE", "XLP"]
LEADS = [*SECTORS, "XLB", "XLV", "SOXX", "NVDA", "INTC", "RSP"]


def _gains(mkt, names, start=START, end=HORIZON):
    ends = mkt.prices(names, "adj_close").reindex([pd.Timestamp(start), pd.Timestamp(end)])
    return (ends.iloc[1] / ends.iloc[0] - 1) * 100


def _ahead(mkt, names, of="SPY", start=START, end=HORIZON):
    change = _gains(mkt, [*names, of], start, end)
    return change[names] > change[of]


def _hedges(mkt, **changed):
    behind = [
        bool(_ahead(mkt, ["SPY"], "XLK", START, "2026-03-31").iloc[0]),
        bool(_ahead(mkt, ["SPY"], "XLK").iloc[0]),
    ]
    yields = mkt.macro("DGS10")
    rose = forecasts.value_on(yields, HORIZON) > forecasts.value_on(yields, START)
    return {"scored": 2 + int(rose), "true": sum(behind), **changed}


def _last_price(mkt, start=START):
    prices = mkt.prices(["IJH"], "adj_close")["IJH"].dropna()
    return float(prices.iloc[-1] / prices[start] - 1) * 100


def _persistence(mkt, of=None):
    led, leads = _ahead(mkt, LEADS, start="2025-10-31", end=START), _ahead(mkt, LEADS)
    found = {"both": (led & leads).sum(), "wrong": (led != leads).sum()}
    return {"article": led.sum() if of == "before" else leads.sum(), "persistence": found.get(of, 0)}


WRONG = {
    "08-equal-weight": [
        (lambda mkt: dict.fromkeys(("spy", "rsp"), (_gains(mkt, SECTORS) > 0).sum()), "how many rose"),
        (
            lambda mkt: {"spy": _ahead(mkt, SECTORS).sum(), "rsp": (~_ahead(mkt, SECTORS, "RSP")).sum() + 2},
            "the part “rsp”",
        ),
    ],
    "08-careless": [
        (lambda mkt: {"scored": 14, "careless": _last_price(mkt)}, "the price of that very day"),
        (
            lambda mkt: {"scored": 0, "careless": _gains(mkt, ["IJH"]).iloc[0]},
            "return to mid-2026",
        ),
        (
            lambda mkt: {"scored": 0, "careless": _last_price(mkt, calendar.next_session(START))},
            "begins at the close of 10 December",
        ),
    ],
    "08-brier": [
        ({"probability": 50, "score": 0.25}, "coin|lowest"),
        (lambda mkt: {"probability": _ahead(mkt, LEADS).mean() * 100, "score": 0.9}, "the part “score”"),
        (lambda mkt: {"probability": _ahead(mkt, LEADS).mean(), "score": 0.2}, "fraction"),
    ],
    "08-hedges": [
        (lambda mkt: _hedges(mkt, scored=5), "has an if"),
        (lambda mkt: _hedges(mkt, true=_hedges(mkt)["true"] + 1), "did the Russell 2000 fall"),
    ],
    "08-persistence": [
        (lambda mkt: _persistence(mkt, "before"), "before the article|lead for each"),
        (lambda mkt: _persistence(mkt, "both"), "stayed behind"),
        (lambda mkt: _persistence(mkt, "wrong"), "how often persistence was wrong"),
    ],
}
