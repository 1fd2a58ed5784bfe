"""Plausible wrong answers to the exercises of notebook 06, each with a piece of the hint it must get."""

from course import nb06
from helpers import calendar
from helpers.measures import names, returns


def _ahead(mkt, window, benchmark=None):
    prices = mkt.prices([*nb06.FUND, *sorted({*nb06.FUND.values()}), "SPY"], "adj_close", end=nb06.DAY)
    change = returns.window_return(prices, window)
    return {name for name, fund in nb06.FUND.items() if change[name] > change[benchmark or fund]}


def _windows(mkt, relative):
    history = mkt.prices(nb06.SEVEN, "adj_close").dropna()
    if relative:
        history = history.div(mkt.prices("SPY", "adj_close").reindex(history.index), axis=0)
    return names.fallen(history[: nb06.DAY], len(calendar.sessions("2025-10-31", nb06.DAY)) - 1)


def _ten(mkt):
    return nb06._since(mkt, list(nb06._members(mkt).nlargest(10, "weight_pct")["ticker"]))


def _later(mkt, symbols):
    """What pandas makes of it: the mean skips the share without a price."""
    prices = mkt.prices(symbols, "adj_close")
    return float(((prices.loc[nb06.LATER] / prices.loc[nb06.DAY] - 1) * 100).mean())


def _filled(mkt):
    prices = mkt.prices(nb06.SMALL, "adj_close")[nb06.DAY : nb06.LATER].ffill()
    return float(((prices.iloc[-1] / prices.iloc[0] - 1) * 100).mean())


WRONG = {
    "06-sector": [
        (lambda mkt: {"ahead": len(_ahead(mkt, nb06.SINCE, "SPY")), "turned": 0}, "against the market"),
        (lambda mkt: {"ahead": len(_ahead(mkt, nb06.SINCE)), "turned": 12}, "changes sides if"),
        (lambda mkt: {"ahead": 0, "turned": 0}, "fund of each"),
    ],
    "06-all-lag": [
        (lambda mkt: {"share": (_windows(mkt, False) == 7).mean() * 100, "now": 4}, r"\*fell\*"),
        (lambda mkt: {"share": (_windows(mkt, True) == 7).mean(), "now": 4}, '"share"|fraction'),
        (lambda mkt: {"share": (_windows(mkt, True) == 7).mean() * 100, "now": 0}, '"now"'),
    ],
    "06-largest": [
        (
            lambda mkt: {"ahead": (nb06._since(mkt, nb06.SMALL) > nb06._market(mkt)).sum(), "mean": 1.0},
            '"ahead"',
        ),
        (
            lambda mkt: {"ahead": (_ten(mkt) > nb06._market(mkt)).sum(), "mean": _ten(mkt).median()},
            "the median",
        ),
    ],
    "06-gone": [
        (
            lambda mkt: {
                "held": _later(mkt, nb06.SMALL),
                "dropped": _later(mkt, [name for name in nb06.SMALL if name != "DENN"]),
            },
            "in silence",
        ),
        (lambda mkt: {"held": _filled(mkt), "dropped": _filled(mkt)}, "all five"),
    ],
}
