"""Plausible wrong answers to the exercises of notebook 08, each with a piece of the hint it must get."""

from course.nb08 import LEADS, SECTORS, START, _ahead, _rose, calendar, forecasts


def _hedges(mkt, **changed):
    rose = forecasts.change(mkt.macro("DGS10"), START, "2026-06-30") > 0
    behind = [
        _ahead(mkt, ["SPY"], "XLK", calendar.since(START, end)).iloc[0]
        for end in ("2026-03-31", "2026-06-30")
    ]
    return {"scored": 2 + int(rose), "true": int(sum(behind)), **changed}


def _ijh(mkt, start=START, end=None):
    prices = mkt.prices("IJH", "adj_close").dropna()
    return float(prices[end or prices.index[-1]] / prices[start] - 1) * 100


def _persistence(mkt, of=None):
    led, leads = _ahead(mkt, LEADS, span=calendar.since("2025-10-31", START)), _ahead(mkt, LEADS)
    found = {"both": (led & leads).sum(), "wrong": (led != leads).sum()}
    return {"article": led.sum() if of == "before" else leads.sum(), "persistence": found.get(of, 0)}


WRONG = {
    "08-equal-weight": [
        (lambda mkt: dict.fromkeys(("spy", "rsp"), _rose(mkt, SECTORS)), "how many rose"),
        (
            lambda mkt: {"spy": _ahead(mkt, SECTORS).sum(), "rsp": (~_ahead(mkt, SECTORS, "RSP")).sum() + 2},
            "the part “rsp”",
        ),
    ],
    "08-careless": [
        (lambda mkt: {"scored": 7, "careless": _ijh(mkt)}, "the price of that very day"),
        (lambda mkt: {"scored": 0, "careless": _ijh(mkt, end="2026-06-30")}, "return to mid-2026"),
        (
            lambda mkt: {"scored": 0, "careless": _ijh(mkt, calendar.next_session(START))},
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
