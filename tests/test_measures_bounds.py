"""Every comparison in ``measures`` at its bound: what passes there, and what fails a step beyond."""

import numpy as np
import pandas as pd
import pytest

from helpers import calendar
from helpers.files import HelperError, Missing
from helpers.measures import (
    drawdowns,
    events,
    forecasts,
    names,
    precedents,
    rates,
    records,
    resample,
    returns,
    spread,
    valuation,
)

DAYS = calendar.sessions("2025-01-02", "2025-12-31")
WEEKS = calendar.week_ends("2020-01-03", "2025-12-05")
Q = pd.Period("2025Q3", "Q")


def closes(*values):
    return pd.Series(values, DAYS[: len(values)], dtype=float)


def refused(function, *given, match="", error=HelperError, **more):
    with pytest.raises(error, match=match):
        function(*given, **more)


# ------------------------------------------------------------------------- returns, records and drawdowns


def test_a_rolling_return_is_over_as_many_sessions_as_it_says():
    found = returns.rolling_returns(closes(100, 110, 121, 121), 2)
    assert found.index[0] == DAYS[2]
    assert found.tolist() == pytest.approx([21, 10])


def test_a_table_of_returns_is_named_by_its_windows():
    windows = [calendar.since(DAYS[0], DAYS[1]), calendar.since(DAYS[1], DAYS[2])]
    found = returns.window_table(pd.DataFrame({"a": closes(100, 110, 99), "b": closes(1, 1, 2)}), windows)
    assert list(found) == [window.name for window in windows]
    assert found.loc["a"].tolist() == pytest.approx([10, -10])
    refused(returns.window_return, closes(100, np.nan), windows[0], error=Missing, match="2025-01-03")
    refused(returns.window_return, closes(np.nan, 100), windows[0], error=Missing, match="2025-01-02")


def test_daily_returns_begin_with_the_second_session():
    assert returns.daily_returns(closes(100, 110, 99)).tolist() == pytest.approx([10, -10])


@pytest.mark.parametrize(("end", "years"), [("2025-12-31", [2025]), ("2025-12-30", [])])
def test_a_year_counts_from_the_last_close_before_it_to_its_own_last(end, years):
    index = calendar.sessions("2024-12-31", end)
    assert list(returns.calendar_years(pd.Series(1.0, index))) == [0.0] * len(years)
    assert list(returns.calendar_years(pd.Series(1.0, index[1:]))) == []


def test_a_tie_shares_the_better_rank():
    assert [returns.rank(value, pd.Series([1.0, 2, 2, 3])) for value in (3, 2, 1, 0)] == [1, 2, 4, 5]


def test_a_record_by_a_margin_lies_beyond_it():
    assert records.is_record(closes(10, 10.5, 11.1), by=0.5).tolist() == [False, False, True]
    assert records.count_records(np.array([[10.0, 10, 11]]), 10) == [1]


@pytest.mark.parametrize(("low", "count"), [(90, 1), (90.01, 0), (80, 1)])
def test_a_fall_of_just_so_much_counts(low, count):
    found = drawdowns.episodes(closes(100, low, 100, 101), 10)
    assert len(found) == count
    for row in found.itertuples():
        assert (row.peak, row.trough, row.recovered) == (DAYS[0], DAYS[1], DAYS[2])


def test_the_worst_fall_is_from_the_highest_close_before_it():
    found = drawdowns.worst(closes(90, 120, 100, 60, 130))
    assert (found["peak"], found["trough"], found["depth"]) == (DAYS[1], DAYS[3], pytest.approx(-50))


def test_the_block_of_a_series_without_dependence_is_one():
    assert resample.block_length(pd.Series(np.tile([1.0, -1], 200))) >= 1
    slow = pd.Series(np.random.default_rng(1).normal(size=800)).rolling(20).mean().dropna()
    assert resample.block_length(slow) > 5
    paths = resample.stationary_paths(pd.Series([1.0] * 5), 3, 2, 100, 0, block=1)
    assert paths == pytest.approx(np.array([[101, 102.01, 103.0301]] * 2))


# ------------------------------------------------------------------------------------------------ events


def test_an_event_needs_its_whole_estimation_and_its_whole_window():
    draw = np.random.default_rng(2)
    market, asset = (pd.Series(draw.normal(size=40), DAYS[:40]) for _ in range(2))
    given = {"before": 1, "after": 2, "estimation": 20, "gap": 3}
    for place in (22, 37):
        assert len(events.event_study(asset, market, [DAYS[place]], **given)) == 1
    for place in (21, 38):
        refused(events.event_study, asset, market, [DAYS[place]], match="do not cover", **given)
    refused(events.event_study, asset, market, [DAYS[30]], 3, 2, estimation=20, gap=3, match="runs into it")
    cut = events.event_study(asset, market, [DAYS[37]], **given, until=DAYS[37])
    assert cut["sessions"].tolist() == [2]
    refused(events.event_study, asset, market, [DAYS[38]], **given, until=DAYS[37], match="do not cover")


def test_the_observed_mean_is_as_large_as_itself():
    found = events.permutation_p(3.0, np.array([1.0, 2, 3]), 1)
    assert (found["greater"], found["two_sided"], found["combinations"], found["exact"]) == (
        1 / 3,
        2 / 3,
        3,
        True,
    )
    assert events.permutation_p(2.0, np.array([1.0, 2, 3]), 1)["two_sided"] == 1


@pytest.mark.parametrize(("step", "days"), [(0.19, 1), (0.17, 0)])
def test_a_step_counts_from_the_least_that_is_asked_for(step, days):
    index = pd.bdate_range("2024-01-01", periods=40)
    rate = pd.Series(np.where(np.arange(40) < 20, 5.0, 5.0 - step), index)
    assert len(events.lasting_falls(rate.round(2))) == days


# ------------------------------------------------------------------------------------------------- rates


def made(slope, t):
    return rates.Slope(slope, abs(slope / t), t, 0.0, 100, 4, 0, 0.0)


@pytest.mark.parametrize(
    ("t", "reading"), [(-1.96, "link"), (-1.9599, "cannot tell"), (1.96, "opposite link")]
)
def test_a_slope_is_told_from_zero_at_its_bound(t, reading):
    assert made(5 * np.sign(t), t).reading(1) == reading


def test_twelve_weeks_are_enough_and_eleven_are_not():
    draw = np.random.default_rng(3)
    y, x = (pd.Series(draw.normal(size=12), WEEKS[:12]) for _ in range(2))
    assert rates.hac_slope(y, x).n == 12
    refused(rates.hac_slope, y.iloc[1:], x, match="at least 12 weeks, here are 11")
    assert len(rates.rolling_slope(y, x, 12, draws=0)) == 1
    refused(rates.rolling_slope, y, x, 13, draws=0, match="A window of 13 weeks does not fit into 12")


def test_a_yield_of_the_last_week_s_end_is_too_old_for_this_week():
    ends = WEEKS[:3]
    values = pd.Series([1.0, 2.0], [ends[0], ends[1] + pd.Timedelta(days=1)])
    found = rates.match(values, ends)
    assert found["value"].fillna(-1).tolist() == [1, -1, 2]
    assert found["late"].tolist() == [False, False, True]
    first = rates.match(pd.Series([1.0, 1.5], [ends[0] - pd.Timedelta(days=7), ends[2]]), ends)
    assert first["value"].isna().tolist() == [True, True, False]
    assert rates.match(pd.Series([1.0], [ends[0] - pd.Timedelta(days=6)]), ends)["value"].tolist()[0] == 1


def test_weeks_count_that_begin_and_end_with_the_window():
    assert list(rates.weeks_within(WEEKS, WEEKS[2], WEEKS[4])) == list(WEEKS[3:5])
    before, after = WEEKS[2] + pd.Timedelta(days=4), WEEKS[4] - pd.Timedelta(days=1)
    assert list(rates.weeks_within(WEEKS, before, after)) == []


def test_a_change_of_a_yield_begins_with_its_series():
    values = pd.Series([4.0, 4.5], [DAYS[0], DAYS[5]], name="DGS2")
    assert rates.moved(values, DAYS[0], DAYS[6]) == 0.5
    refused(
        rates.moved, values, DAYS[0] - pd.Timedelta(days=1), DAYS[6], error=Missing, match="DGS2 begins on"
    )


def test_corrected_p_values_never_exceed_one():
    assert rates.holm(pd.Series([0.6, 0.9, 0.2])).tolist() == pytest.approx([1, 1, 0.6])


def test_what_is_held_fixed_is_taken_off():
    draw = np.random.default_rng(4)
    frame = pd.DataFrame(draw.normal(size=(50, 3)), columns=["y", "x", "z"])
    left = rates.without(frame[["y", "x"]], frame[["z"]])
    plain = rates.hac_slope(left["y"], left["x"], lags=0).slope
    assert plain == pytest.approx(rates.hac_slope(frame["y"], frame["x"], frame[["z"]], lags=0).slope)
    assert len(rates.without(frame[["y"]].mask(frame["y"] > 1), frame[["z"]])) == (frame["y"] <= 1).sum()


# ------------------------------------------------------------------------------------ stocks and forecasts


def test_a_basket_may_take_every_stock_of_a_sector_and_no_more():
    pool, sectors = pd.Series([1.0, 2, 3]), pd.Series(["a", "a", "b"])
    assert names.random_baskets(pool, sectors, pd.Series({"a": 2}), 3, 0).tolist() == [1.5] * 3
    refused(
        names.random_baskets, pool, sectors, pd.Series({"a": 3}), 3, 0, match="holds 2 stocks of a, 3 are"
    )


def test_a_window_may_be_one_session_shorter_than_the_history():
    prices = pd.DataFrame({"a": closes(3, 2, 2)})
    assert names.fallen(prices, 2).tolist() == [1]
    assert names.fallen(prices, 1).tolist() == [1, 0]
    refused(names.fallen, prices, 3, match="3 sessions hold no window of 3")
    assert names.drawn_windows(pd.DataFrame({"a": [1.0, 1]}), 2, 1, 1, 0).shape == (1, 1)


def test_a_fall_from_a_high_needs_a_whole_year_and_a_session_before_the_last_part():
    values = closes(10, 20, 19, 18)
    assert names.drops_from_high(values, [DAYS[3]], 1, 4)["drop"].tolist() == pytest.approx([-10])
    assert names.drops_from_high(values, [DAYS[2]], 1, 4).empty
    assert names.drops_from_high(values, [DAYS[3]], 3, 4)["drop"].tolist() == [0]
    for sessions in (0, 4):
        refused(names.drops_from_high, values, [DAYS[3]], sessions, 4, match="no last part")


def test_level_with_another_is_neither_ahead_nor_behind():
    prices = pd.DataFrame({"a": closes(10, 11, 12), "b": closes(20, 22, 26)})
    span = calendar.since(DAYS[0], DAYS[1])
    assert forecasts.ahead(prices, ["a"], "b", span).tolist() == [False]
    assert forecasts.share_behind(prices, "a", "b", calendar.since(DAYS[0], DAYS[2])) == 50
    zero = prices.assign(a=[0.0, 11, 12])
    refused(forecasts.gains, zero, ["a"], span, error=Missing, match="a has no price")


def test_a_forecast_ends_a_session_later_at_least():
    assert forecasts.window(DAYS[1], DAYS[5], DAYS[0]) == calendar.since(DAYS[5], DAYS[6])
    refused(forecasts.window, DAYS[0], DAYS[5], DAYS[0], error=Missing, match="not after")


# --------------------------------------------------------------------------------- earnings and precedents


def test_no_change_is_no_rise_and_nothing_is_no_loss():
    table = pd.DataFrame([[1.0, 1.0], [1, 2], [2, 1], [1, np.nan]], columns=[Q - 4, Q])
    assert valuation.share_up(table, Q) == (pytest.approx(100 / 3), 3)
    assert np.isnan(valuation.share_up(table, Q + 1)[0])
    income = pd.Series([-1.0, 0, 1, np.nan])
    assert valuation.loss_share(income) == pytest.approx(100 / 3)
    assert valuation.loss_bounds(income) == (25, 50)
    refused(valuation.loss_bounds, income.iloc[:0], match="no company")


@pytest.mark.parametrize(("value", "ratio"), [(0, None), (1e-9, 1e11), (-1, None)])
def test_earnings_of_nothing_have_no_ratio(value, ratio):
    members = pd.DataFrame({"weight": [1.0], "cap": [100.0], "income": [float(value)]})
    assert valuation.pe(members) == (ratio and pytest.approx(ratio))
    assert np.isnan(valuation.pe_of(float(value))) == (ratio is None)


@pytest.mark.parametrize(("times", "found"), [(200, False), (201, True)])
def test_a_slip_of_scale_lies_beyond_its_ratio(times, found):
    table = pd.DataFrame([[1.0, 1, 1, 1, times]], columns=pd.period_range(end=Q, periods=5, freq="Q"))
    assert valuation.suspects(table).to_numpy().any() == found
    assert not valuation.suspects(table.iloc[:, 1:]).to_numpy().any()  # three others are too few


def test_a_ratio_to_the_past_needs_one_value_before():
    assert valuation.over_own_past(pd.Series([10.0, 20])) == 2
    assert valuation.over_own_past(pd.Series([10.0, 20, 30, 40]), "mean") == 2
    refused(valuation.over_own_past, pd.Series([np.nan, 20.0]), match="one before it")


@pytest.mark.parametrize(("years", "known"), [(1, True), (2, False)])
def test_the_lead_before_a_fall_needs_the_leader_s_history(years, known):
    days = calendar.sessions("2023-06-01", "2025-06-02")
    prices = pd.DataFrame({"a": np.linspace(100, 200, len(days)), "m": 100.0}, days)
    prices.loc[days[-1], "a"] = 100
    found = precedents.falls_of_a_leader(prices, "a", "m", years=years)
    assert found["lead"].notna().tolist() == [known]


def test_methods_for_neighbours_in_time_need_enough_of_them():
    draw = np.random.default_rng(5)
    y, x = (pd.Series(draw.normal(size=8)) for _ in range(2))
    assert spread.hodrick(y[:6], x[:6], 3).n == 4
    refused(spread.hodrick, y[:5], x[:5], 3, match="at least 6 pairs of values, here are 5")
    assert len(spread.non_overlapping(y, x, 2)) == 2
    refused(spread.non_overlapping, y[:7], x[:7], 2, match="at least 8 pairs")
    assert np.isfinite(spread.out_of_sample_r2(y, x, 7))
    refused(spread.out_of_sample_r2, y, x, 8, match="at least 9 pairs")
    assert np.isfinite(spread.stambaugh(y[:4], x[:4]).bias)
    refused(spread.stambaugh, y[:3], x[:3], match="at least 4 pairs")
    refused(spread.hodrick, y.mask(y.index == 2), x, 3, match="a gap with 2 rows before it")
    refused(spread.value_spread, pd.DataFrame({"a": [1.0], "b": [0.0]}), ["a"], ["b"], match="no logarithm")
    assert spread.chance(2.0, np.array([2.0, -2.0, 1.9])) == 3 / 4
