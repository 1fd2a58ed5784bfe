"""Plausible wrong answers to the exercises of notebook 06, each with a piece of the hint it must get."""

from course import nb06


def _ten(mkt):
    return nb06.price_returns(mkt).reindex(nb06.ten_largest(mkt).index).dropna()


def _unasked(mkt, symbols):
    """What pandas makes of it: the mean skips the share without a price."""
    prices = mkt.prices(symbols, "adj_close")
    return float(((prices.loc[nb06.LATER] / prices.loc[nb06.DAY] - 1) * 100).mean())


def _all_seven(mkt, relative):
    return (nb06.fallen(mkt, relative=relative) == 7).mean()


WRONG = {
    "06-sector": [
        (
            lambda mkt: {"ahead": len(nb06.winners_ahead(mkt, nb06.SINCE, "SPY")), "turned": 0},
            "against the market",
        ),
        (lambda mkt: {"ahead": len(nb06.winners_ahead(mkt, nb06.SINCE)), "turned": 12}, "changes sides if"),
        (lambda mkt: {"ahead": 0, "turned": 0}, "fund of each"),
    ],
    "06-all-lag": [
        (lambda mkt: {"share": _all_seven(mkt, False) * 100, "now": 4}, r"\*fell\*"),
        (lambda mkt: {"share": _all_seven(mkt, True), "now": 4}, '"share"|fraction'),
        (lambda mkt: {"share": _all_seven(mkt, True) * 100, "now": 0}, '"now"'),
    ],
    "06-largest": [
        (lambda mkt: {"ahead": (_ten(mkt) > 0).sum() + 1, "mean": 1.0}, '"ahead"'),
        (
            lambda mkt: {
                "ahead": (_ten(mkt) > nb06.returns.window_return(mkt.prices("SPY"), nb06.SINCE)).sum(),
                "mean": _ten(mkt).median(),
            },
            "the median",
        ),
    ],
    "06-gone": [
        (
            lambda mkt: {
                "held": _unasked(mkt, nb06.SMALL),
                "dropped": _unasked(mkt, [name for name in nb06.SMALL if name != "DENN"]),
            },
            "in silence",
        ),
        (lambda mkt: dict.fromkeys(("held", "dropped"), float(nb06.later_returns(mkt).mean())), "all five"),
    ],
}
