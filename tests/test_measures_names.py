"""Measures on named stocks, on histories small enough to be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.files import HelperError
from helpers.measures import names

DAYS = pd.date_range("2025-01-01", periods=6)


def frame(**columns):
    return pd.DataFrame(columns, index=DAYS)


def test_fallen_counts_columns_below_their_start():
    prices = frame(a=[10, 9, 8, 9, 10, 11], b=[10, 11, 12, 11, 10, 9])
    assert names.fallen(prices, 2).tolist() == [1, 0, 1, 1]


def test_fallen_does_not_count_an_unchanged_price():
    assert names.fallen(frame(a=[10] * 6), 3).tolist() == [0, 0, 0]


def test_fallen_refuses_a_gap_and_a_short_history():
    with pytest.raises(HelperError, match="missing"):
        names.fallen(frame(a=[10, None, 8, 9, 10, 11]), 2)
    with pytest.raises(HelperError, match="longer history"):
        names.fallen(frame(a=[1, 2, 3, 4, 5, 6]), 6)


def test_drawn_windows_compound_and_repeat_with_their_seed():
    returns = pd.DataFrame({"a": [1.0] * 12, "b": [-2.0] * 12})
    windows = names.drawn_windows(returns, 3, rounds=5, block=2, seed=1)
    assert windows.shape == (20, 2)
    assert windows[:, 0] == pytest.approx((1.01**3 - 1) * 100)
    assert windows[:, 1] == pytest.approx((0.98**3 - 1) * 100)


@pytest.mark.parametrize("together", [True, False])
def test_drawn_windows_are_deterministic(together):
    returns = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)))
    first, second = (names.drawn_windows(returns, 5, 4, 3, seed=7, together=together) for _ in range(2))
    assert np.array_equal(first, second)


def test_drawing_together_keeps_what_moves_stocks_together():
    common = np.random.default_rng(0).normal(size=400)
    returns = pd.DataFrame({"a": common, "b": common})
    joint = names.drawn_windows(returns, 5, 10, 3, seed=7)
    apart = names.drawn_windows(returns, 5, 10, 3, seed=7, together=False)
    assert np.allclose(joint[:, 0], joint[:, 1])
    assert abs(np.corrcoef(apart.T)[0, 1]) < 0.2


def test_drawn_windows_need_one_whole_window():
    with pytest.raises(HelperError, match="no window of 9"):
        names.drawn_windows(pd.DataFrame({"a": [1.0] * 5}), 9, 1, 2, seed=1)


def test_drop_from_high_uses_only_highs_before_the_low():
    closes = pd.Series([100.0, 120.0, 90.0, 110.0, 130.0, 117.0], index=DAYS)
    found = names.drop_from_high(closes, DAYS[2])
    assert found["drop"] == pytest.approx(-25)
    assert (found["low"], found["high"]) == (DAYS[2], DAYS[1])
    assert found["now"] == pytest.approx(-10)
    assert found["high_now"] == DAYS[4]


def test_drop_from_high_is_zero_for_a_stock_that_only_rose():
    found = names.drop_from_high(pd.Series(range(1, 7), index=DAYS, dtype=float), DAYS[3])
    assert found["now"] == 0
    assert found["low"] == DAYS[3]
    assert found["drop"] == 0


def test_random_baskets_draw_as_many_of_each_sector_as_wanted():
    returns = pd.Series([1.0, 1.0, 1.0, 10.0, 10.0], index=list("abcde"))
    sectors = pd.Series(["x", "x", "x", "y", "y"], index=list("abcde"))
    means = names.random_baskets(returns, sectors, pd.Series({"x": 3, "y": 1}), draws=50, seed=1)
    assert means == pytest.approx((3 * 1 + 10) / 4)


def test_random_baskets_do_not_draw_a_stock_twice():
    returns = pd.Series([0.0, 1.0, 2.0], index=list("abc"))
    sectors = pd.Series("x", index=returns.index)
    means = names.random_baskets(returns, sectors, pd.Series({"x": 2}), draws=500, seed=1)
    assert set(np.round(means, 6)) == {0.5, 1.0, 1.5}
    assert means.mean() == pytest.approx(1, abs=0.05)


def test_random_baskets_name_the_sector_that_is_too_small():
    returns = pd.Series([0.0, 1.0], index=list("ab"))
    with pytest.raises(HelperError, match="1 stocks of y, 2 are wanted"):
        names.random_baskets(returns, pd.Series(["x", "y"], index=list("ab")), pd.Series({"y": 2}), 5, seed=1)
