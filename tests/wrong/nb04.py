"""Plausible wrong answers to the exercises of notebook 04, each with a piece of the hint it must get."""

from course import nb04
from helpers.measures import rates


def _fit(frame, pair="small", rate="2y", window=nb04.RECENT, held=("market",)):
    found = rates.slope(frame, pair, rate, window, held)
    return {"slope": found.slope, "t": found.t}


def _daily(mkt):
    return nb04.panel(mkt, nb04.days())


def _parts(mkt, held):
    """Real yield and expected inflation, each with some columns held fixed."""
    weeks = nb04.panel(mkt)
    return {
        rate: rates.slope(weeks, "growth", rate, nb04.RECENT, held).slope for rate in ("real", "inflation")
    }


def _growth(mkt):
    return nb04.rolling(nb04.panel(mkt), "growth", "10y")[: nb04.DAY]


def _correlated(mkt, held):
    weeks = nb04.panel(mkt)
    return nb04.rolling(weeks, "small", "2y", held).corr(weeks["market"].rolling(156).corr(weeks["10y"]))


WRONG = {
    "04-days": [
        (lambda mkt: _fit(nb04.panel(mkt)), "weekly one"),
        (lambda mkt: _fit(_daily(mkt), held=()), "nothing held fixed"),
        (
            lambda mkt: {**_fit(_daily(mkt)), "t": rates.slope(_daily(mkt), "small", "2y", nb04.RECENT).se},
            "standard error",
        ),
        (lambda mkt: {**_fit(_daily(mkt)), "t": 3.0}, "rule of thumb"),
        (lambda mkt: _fit(nb04.panel(mkt), rate="10y", window=nb04.WHOLE), "panel of the sessions"),
    ],
    "04-real": [
        (lambda mkt: _parts(mkt, ()), "nothing held fixed"),
        (lambda mkt: _parts(mkt, ("market",)), "the market fixed only"),
        (
            lambda mkt: dict.fromkeys(("real", "inflation"), _fit(nb04.panel(mkt), "growth", "10y")["slope"]),
            "whole ten-year",
        ),
    ],
    "04-floating": [
        (lambda mkt: _fit(nb04.panel(mkt), rate="funds", window=nb04.WHOLE), "month end"),
        (lambda mkt: _fit(nb04.months(mkt), window=nb04.WHOLE), "two-year yield"),
    ],
    "04-together": [
        (lambda mkt: nb04.panel(mkt)["market"].corr(nb04.panel(mkt)["10y"]), "roll it"),
        (lambda mkt: _correlated(mkt, held=True), "market held fixed"),
    ],
    "04-worst": [
        (lambda mkt: {"ends": _growth(mkt).idxmax(), "negative": 50.0}, "highest slope"),
        (
            lambda mkt: {"ends": _growth(mkt).idxmin(), "negative": (_growth(mkt) > 0).mean() * 100},
            "slope above zero",
        ),
        (lambda mkt: {"ends": "2026-06-26", "negative": 50.0}, "after the article"),
        (lambda mkt: {"ends": "2015-01-01", "negative": 50.0}, "no window ends"),
    ],
}
