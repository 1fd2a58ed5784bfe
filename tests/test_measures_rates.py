"""Weeks, slopes and their errors: known slopes on simulated data, Newey-West by hand, bands that cover."""

import numpy as np
import pandas as pd
import pytest

from helpers import calendar
from helpers.files import HelperError
from helpers.measures import rates

ENDS = calendar.week_ends("2020-01-03", "2025-12-05")
WEEKS = ENDS[1:]


def simulated(slope, n=300, seed=1, noise=1.0, rho=0.0):
    """A yield change and a spread that hangs on it; ``rho`` makes the noise depend on the week before."""
    rng = np.random.default_rng(seed)
    change = pd.Series(rng.normal(0, 0.1, n), index=WEEKS[:n])
    shocks = rng.normal(0, noise, n)
    for i in range(1, n):
        shocks[i] += rho * shocks[i - 1]
    return 0.05 + slope * change + shocks, change


# ------------------------------------------------------------------------------------------------ weeks


def test_weekly_returns_by_hand():
    ends = calendar.week_ends("2025-11-21", "2025-12-05")
    prices = pd.DataFrame({"a": [100.0, 110.0, 99.0], "late": [np.nan, 50.0, 55.0]}, index=ends)
    found = rates.weekly_returns(prices, ends)
    assert list(found.index.strftime("%m-%d")) == ["11-28", "12-05"]
    assert found["a"].tolist() == pytest.approx([10.0, -10.0])
    assert np.isnan(found["late"].iloc[0])
    assert found["late"].iloc[1] == pytest.approx(10.0)


def test_weekly_returns_refuse_a_hole():
    ends = calendar.week_ends("2025-11-21", "2025-12-05")
    prices = pd.DataFrame({"a": [100.0, np.nan, 99.0]}, index=ends)
    with pytest.raises(HelperError, match="a has no close on 2025-11-28"):
        rates.weekly_returns(prices, ends)


def test_a_bond_holiday_takes_the_day_before():
    # 11 November 2022 was a Friday: New York traded, the bond market kept Veterans Day.
    ends = calendar.week_ends("2022-11-04", "2022-11-18")
    days = calendar.sessions("2022-11-04", "2022-11-18").drop("2022-11-11")
    values = pd.Series(np.arange(len(days), dtype=float), index=days, name="DGS2")
    at = rates.match(values, ends)
    assert list(at["late"]) == [False, True, False]
    assert at["observed"].iloc[1] == pd.Timestamp("2022-11-10")
    assert rates.weekly_changes(values, ends).tolist() == [4.0, 5.0]
    assert rates.weekly_changes(values, ends, strict=True).isna().all()


def test_a_week_without_any_yield_stays_empty():
    ends = calendar.week_ends("2025-11-14", "2025-12-05")
    values = pd.Series([4.0, 4.2, 4.1], index=ends[[0, 1, 3]], name="DGS2")
    at = rates.match(values, ends)
    assert at["value"].isna().tolist() == [False, False, True, False]
    assert rates.weekly_changes(values, ends).isna().tolist() == [False, True, True]
    # A series that begins later than the weeks has no value before, not its first one.
    assert np.isnan(rates.match(values.iloc[1:], ends)["value"].iloc[0])
    with pytest.raises(HelperError, match="no value at all"):
        rates.match(values.iloc[:0], ends)


def test_a_yield_after_the_close_of_the_week_is_not_used():
    # Good Friday 2023: the exchange was closed, the yield of that day exists. The week ended on Thursday.
    ends = calendar.week_ends("2023-03-31", "2023-04-14")
    days = pd.bdate_range("2023-03-31", "2023-04-14")
    values = pd.Series(np.arange(len(days), dtype=float), index=days, name="DGS2")
    at = rates.match(values, ends)
    assert at["observed"].iloc[1] == pd.Timestamp("2023-04-06") == ends[1]
    assert not at["late"].any()


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2022-12-10", "2025-12-05", "2022-12-16", "2025-12-05"),  # begins on a Saturday
        ("2020-12-31", "2025-12-10", "2021-01-08", "2025-12-05"),  # begins on a week's end
        ("2025-11-12", "2025-12-03", "2025-11-21", "2025-11-28"),  # both weeks are cut
    ],
)
def test_weeks_lie_wholly_within_the_window(start, end, first, last):
    found = rates.weeks_within(calendar.week_ends("2020-01-03", "2026-01-30"), start, end)
    assert (f"{found[0]:%Y-%m-%d}", f"{found[-1]:%Y-%m-%d}") == (first, last)


# ----------------------------------------------------------------------------------------------- slopes


def test_lags_of_newey_and_west():
    assert [rates.newey_west_lags(n) for n in (28, 100, 156, 1332)] == [3, 4, 4, 7]


def test_newey_west_by_hand():
    """The sandwich written out: (X'X)^-1 S (X'X)^-1 with Bartlett weights."""
    spread, change = simulated(-3.0, n=120, rho=0.5)
    lags = 4
    x = np.column_stack([np.ones(120), change])
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ spread.to_numpy()
    score = x * (spread.to_numpy() - x @ beta)[:, None]
    meat = score.T @ score
    for lag in range(1, lags + 1):
        gamma = score[lag:].T @ score[:-lag]
        meat += (1 - lag / (lags + 1)) * (gamma + gamma.T)
    se = np.sqrt((bread @ meat @ bread)[1, 1])
    found = rates.hac_slope(spread, change, lags=lags)
    assert found.slope == pytest.approx(beta[1])
    assert found.intercept == pytest.approx(beta[0])
    assert found.se == pytest.approx(se)
    assert found.t == pytest.approx(beta[1] / se)
    assert (found.n, found.lags, found.dropped) == (120, 4, 0)
    assert found.low < found.slope < found.high
    # The formula for many shuffles at once is the same one.
    centred = (change - change.mean()).to_numpy()[None, :]
    quick = rates._newey_west_t(centred, (spread - spread.mean()).to_numpy(), lags)
    assert quick[0] == pytest.approx(found.t)


def test_slope_is_found_and_controls_take_what_is_theirs():
    spread, change = simulated(-3.0, seed=2, noise=0.5)
    found = rates.hac_slope(spread, change)
    assert found.low < -3 < found.high
    assert found.t < -2
    # The spread hangs on the market alone, and the yield moves with the market.
    rng = np.random.default_rng(3)
    market = pd.Series(rng.normal(0, 2, 300), index=change.index, name="market")
    moved = change + 0.05 * market
    spread = 0.5 * market + pd.Series(rng.normal(0, 0.5, 300), index=change.index)
    assert rates.hac_slope(spread, moved).t > 4
    assert abs(rates.hac_slope(spread, moved, market.to_frame()).t) < 2


def test_missing_weeks_are_counted():
    spread, change = simulated(1.0, n=60)
    change.iloc[[3, 4]] = np.nan
    found = rates.hac_slope(spread, change)
    assert (found.n, found.dropped) == (58, 2)


def test_too_little_to_fit():
    spread, change = simulated(1.0, n=60)
    with pytest.raises(HelperError, match="at least 12 weeks, here are 5"):
        rates.hac_slope(spread[:5], change[:5])
    with pytest.raises(HelperError, match="does not move"):
        rates.hac_slope(spread, change * 0)


def test_holm_by_hand():
    p = pd.Series([0.01, 0.04, 0.03], index=list("abc"))
    assert rates.holm(p).to_dict() == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})


# ---------------------------------------------------------------------------------------------- rolling


def test_rolling_slope_is_least_squares_in_each_window():
    spread, change = simulated(2.0, n=80)
    found = rates.rolling_slope(spread, change, 52, draws=50)
    assert len(found) == 80 - 52 + 1
    by_hand = np.polyfit(change.iloc[10:62], spread.iloc[10:62], 1)[0]
    assert found["slope"].iloc[10] == pytest.approx(by_hand)
    assert found.index[10] == change.index[61]
    assert ((found["low"] < found["slope"]) & (found["slope"] < found["high"])).all()
    again = rates.rolling_slope(spread, change, 52, draws=50)
    pd.testing.assert_frame_equal(found, again)
    with pytest.raises(HelperError, match="A window of 104 weeks does not fit"):
        rates.rolling_slope(spread, change, 104)


def test_band_covers_the_true_slope_about_as_often_as_it_says():
    inside = 0
    for seed in range(60):
        spread, change = simulated(-2.0, n=104, seed=seed)
        last = rates.rolling_slope(spread, change, 104, draws=300, seed=seed).iloc[-1]
        inside += bool(last["low"] <= -2 <= last["high"])
    assert inside >= 50


def test_shuffled_changes_find_nothing():
    spread, change = simulated(-6.0)
    real = rates.hac_slope(spread, change)
    placebo = rates.shuffled_t(spread, change, real.lags, draws=500, seed=5)
    assert placebo.shape == (500,)
    assert abs(placebo.mean()) < 0.2
    assert 0.01 < (abs(placebo) > 2).mean() < 0.12
    assert (abs(placebo) < abs(real.t)).all()
