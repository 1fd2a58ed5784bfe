"""Plausible wrong answers to the exercises of notebook 04, each with a piece of the hint it must get."""

import pandas as pd

from helpers import calendar
from helpers.measures import rates

DAY = "2025-12-10"


def _weeks(mkt):
    return calendar.week_ends("2000-05-26", mkt.last_session)


def _fit(mkt, pair, series, ends, start, controls=None, lags=None):
    """Slope of a pair of funds on a yield (a name or a series)."""
    change = rates.weekly_returns(mkt.prices(list(pair), "adj_close"), ends)
    values = mkt.macro(series) if isinstance(series, str) else series
    rows = rates.weeks_within(ends, start, DAY)
    return rates.hac_slope(
        (change[pair[0]] - change[pair[1]]).reindex(rows),
        rates.weekly_changes(values, ends).reindex(rows),
        controls,
        lags,
    )


def _days(mkt, lags=None):
    return _fit(mkt, ("IWM", "SPY"), "DGS2", calendar.sessions("2022-12-09", DAY), "2022-12-10", lags=lags)


def _weekly(mkt, pair=("IWM", "SPY"), series="DGS2", start="2022-12-10"):
    return _fit(mkt, pair, series, _weeks(mkt), start)


def _months(mkt):
    span = calendar.sessions("2000-05-26", mkt.last_session).to_series()
    return pd.DatetimeIndex(span.groupby(span.dt.to_period("M")).max().iloc[:-1])


def _parts(slope):
    return {"slope": slope.slope, "t": slope.t}


def _alone(mkt):
    """Real yield and expected inflation, each in a regression of its own."""
    expected = mkt.macro("T10YIE")
    rest = (mkt.macro("DGS10") - expected).dropna()
    pair = ("IWF", "IWD")
    return {"real": _weekly(mkt, pair, rest).slope, "inflation": _weekly(mkt, pair, expected).slope}


def _whole(mkt):
    return {name: _weekly(mkt, ("IWF", "IWD"), "DGS10").slope for name in ("real", "inflation")}


def _one_correlation(mkt):
    ends = _weeks(mkt)
    spy = rates.weekly_returns(mkt.prices(["SPY"], "adj_close"), ends)["SPY"]
    return spy.corr(rates.weekly_changes(mkt.macro("DGS10"), ends))


def _slopes(mkt):
    ends = _weeks(mkt)
    change = rates.weekly_returns(mkt.prices(["IWF", "IWD"], "adj_close"), ends)
    yields = rates.weekly_changes(mkt.macro("DGS10"), ends)
    return rates.rolling_slope(change["IWF"] - change["IWD"], yields, 156, draws=2)["slope"][:DAY]


def _correlated(mkt):
    """A correlation where the slope was asked for."""
    ends = _weeks(mkt)
    change = rates.weekly_returns(mkt.prices(["IWM", "SPY"], "adj_close"), ends)
    two, ten = (rates.weekly_changes(mkt.macro(name), ends) for name in ("DGS2", "DGS10"))
    small = (change["IWM"] - change["SPY"]).rolling(156).corr(two)
    return small.corr(change["SPY"].rolling(156).corr(ten))


WRONG = {
    "04-days": [
        (lambda mkt: _parts(_weekly(mkt)), "weekly one"),
        (lambda mkt: {"slope": _days(mkt).slope, "t": _days(mkt).se}, "standard error"),
        (lambda mkt: {"slope": _days(mkt).slope, "t": _days(mkt).t + 1}, "rule of thumb"),
        (lambda mkt: _parts(_weekly(mkt, series="DGS10", start="2000-05-26")), "panel of the sessions"),
    ],
    "04-real": [
        (_alone, "nothing held fixed"),
        (_whole, "whole ten-year yield"),
    ],
    "04-floating": [
        (lambda mkt: _parts(_weekly(mkt, series="DFF", start="2000-05-26")), "month end"),
        (lambda mkt: _parts(_fit(mkt, ("IWM", "SPY"), "DGS2", _months(mkt), "2000-05-26")), "two-year yield"),
    ],
    "04-together": [(_one_correlation, "roll it"), (_correlated, "correlates two correlations")],
    "04-worst": [
        (lambda mkt: {"ends": _slopes(mkt).idxmax(), "negative": 50.0}, "highest slope"),
        (
            lambda mkt: {"ends": _slopes(mkt).idxmin(), "negative": (_slopes(mkt) > 0).mean() * 100},
            "slope above zero",
        ),
        (lambda mkt: {"ends": "2026-06-26", "negative": 50.0}, "after the article"),
        (lambda mkt: {"ends": "2015-01-01", "negative": 50.0}, "no window ends"),
    ],
}
