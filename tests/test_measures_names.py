"""Measures on named stocks, on histories small enough to be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers import calendar
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


def fall(values, sessions=2, **more):
    series = pd.Series(values, index=DAYS, dtype=float)
    return names.drops_from_high(series, [DAYS[5]], sessions, 6, **more)


def test_drops_from_high_use_only_highs_before_the_low():
    found = fall([100.0, 120.0, 90.0, 110.0, 130.0, 117.0], sessions=3).iloc[0]
    assert found["drop"] == pytest.approx(-25)
    assert (found["low"], found["high"]) == (DAYS[2], DAYS[1])
    assert found["now"] == pytest.approx(-10)


def test_drops_from_high_look_for_the_low_in_the_last_part_alone():
    values = [100.0, 50.0, 80.0, 76.0, 90.0, 88.0]
    assert fall(values)["drop"].iloc[0] == pytest.approx(-24)
    assert fall(values, sessions=1)["drop"].iloc[0] == pytest.approx(-12)


def test_drops_from_high_take_the_lows_and_highs_of_sessions():
    closes = pd.Series([100.0, 100.0, 100.0, 100.0, 100.0, 99.0], index=DAYS)
    found = fall(closes, sessions=3, lows=closes - 10, highs=closes + 25).iloc[0]
    assert found["drop"] == pytest.approx(89 / 125 * 100 - 100)
    assert found["now"] == pytest.approx(99 / 125 * 100 - 100)


def test_drops_from_high_are_zero_for_a_stock_that_only_rose():
    found = fall(range(1, 7)).iloc[0]
    assert (found["now"], found["low"], found["drop"]) == (0, DAYS[3], 0)


def test_drops_from_high_of_many_days_are_those_of_each():
    closes = pd.Series(np.random.default_rng(0).uniform(5, 10, 6), index=DAYS)
    both = names.drops_from_high(closes, DAYS[4:], 1, 4)
    for day in DAYS[4:]:
        alone = names.drops_from_high(closes[:day], [day], 1, 4)
        pd.testing.assert_frame_equal(both.loc[[day]], alone)


@pytest.mark.parametrize("values", [[1.0, None, 3, 4, 5, 6], [None, 2.0, 3, 4, 5, 6]])
def test_drops_from_high_leave_out_days_behind_a_gap(values):
    assert fall(values).empty


def test_drops_from_high_leave_out_days_without_a_whole_window():
    closes = pd.Series([1.0] * 6, index=DAYS)
    assert list(names.drops_from_high(closes, [*DAYS, "2030-01-02"], 1, 5).index) == [DAYS[4], DAYS[5]]


def test_drops_from_high_need_a_session_before_the_last_part():
    with pytest.raises(HelperError, match="no last part of 6"):
        fall([1.0] * 6, sessions=6)


# ---------------------------------------------------------------------------------------- returns by name

SPAN = {"all": calendar.Window("all", DAYS[0], DAYS[5]), "half": calendar.Window("half", DAYS[3], DAYS[5])}


def test_over_measures_stocks_and_groups_in_equal_parts():
    prices = frame(A=[10.0, 11, 12, 13, 14, 15], B=[10.0, 9, 8, 10, 10, 9])
    found = names.over(
        prices, {"both": ["A", "B"], "other": ["B"]}, SPAN, ["a_all", "both_all", "other_half"]
    )
    assert found == pytest.approx({"a_all": 50, "both_all": 20, "other_half": -10})


def test_over_says_none_where_a_price_is_not_there():
    prices = frame(A=[None, 11.0, 12, 13, 14, 15], B=[10.0] * 6)
    found = names.over(prices, {"both": ["A", "B"]}, SPAN, ["a_all", "a_half", "both_all", "gone_all"])
    assert found == {
        "a_all": None,
        "a_half": pytest.approx(15 / 13 * 100 - 100),
        "both_all": None,
        "gone_all": None,
    }


def test_over_says_none_for_a_day_outside_the_prices():
    early = {"early": calendar.Window("early", pd.Timestamp("2024-12-30"), DAYS[2])}
    assert names.over(frame(A=[1.0] * 6), {}, early, ["a_early"]) == {"a_early": None}


def panel(path):
    """Five sessions of three symbols: one plain, one that loses a snapshot, one that is no company and ends."""
    days = ["2025-01-02", "2025-01-03", "2025-01-06", "2025-01-07", "2025-01-08"]
    rows = [
        ("AAA", day, 100.0, change, 5.0, "Energy", "nyse")
        for day, change in zip(days, [1, 10, 10, None, 0], strict=True)
    ]
    rows[3] = ("AAA", days[3], 110.0, None, None, "Energy", "nyse")
    rows += [("BBBBW", day, 1.0, -50.0, 1.0, "Energy", "nasdaq") for day in days[:3]]
    rows += [("CCC", days[0], 1.0, 0.0, 7.0, None, "nasdaq")]
    columns = ["symbol", "date", "last", "pct_change", "market_cap", "sector", "exchange"]
    table = pd.DataFrame(rows, columns=columns).assign(date=lambda f: pd.to_datetime(f["date"]))
    table.to_parquet(path)
    return path


def test_field_compounds_changes_and_bridges_a_lost_one(tmp_path):
    windows = {"all": calendar.window("all", "2025-01-02", "2025-01-08")}
    found = names.field(panel(tmp_path / "panel.parquet"), windows)
    # 10 % twice, then from 100 to 110 by price, then nothing.
    assert found.loc["AAA", "all"] == pytest.approx((1.1**3 - 1) * 100)
    assert found.loc["BBBBW", "all"] == pytest.approx(-75)
    assert found.loc["AAA", "cap_all"] == 5
    assert found["company"].to_dict() == {"AAA": True, "BBBBW": False, "CCC": False}
    assert found.loc["BBBBW", "until"] == pd.Timestamp("2025-01-06")


def test_field_takes_a_size_from_the_week_before_its_window_only(tmp_path):
    windows = {"late": calendar.window("late", "2025-01-07", "2025-01-08")}
    found = names.field(panel(tmp_path / "panel.parquet"), windows)
    assert found.loc["AAA", "cap_late"] == 5  # the size of the 7th is lost; that of the 6th is known
    assert found.loc["AAA", ["sector", "exchange"]].tolist() == ["Energy", "nyse"]


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
