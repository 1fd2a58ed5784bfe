"""Weeks, slopes and their errors: known slopes on simulated data, Newey-West by hand, bands that cover."""

import numpy as np
import pandas as pd
import pytest

from helpers import calendar
from helpers.files import HelperError, Missing
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


def test_ends_of_other_periods():
    found = rates.period_ends("2025-09-15", "2025-12-10", "M")
    assert list(found.strftime("%m-%d")) == ["09-30", "10-31", "11-28"]
    assert rates.period_ends("2025-11-20", "2025-12-10", "W-WED")[0] == pd.Timestamp("2025-11-26")


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


def market_of(slope, n=120, seed=5):
    """Closes of a small fund and of the market by session, and a yield on which their spread hangs."""
    days = calendar.sessions("2022-01-03", "2024-12-31")
    rng = np.random.default_rng(seed)
    moves, market = rng.normal(0, 0.05, len(days)), rng.normal(0, 0.8, len(days))
    small = 1.3 * market + slope * moves + rng.normal(0, 0.1, len(days))
    closes = pd.DataFrame({"IWM": small, "SPY": market}, index=days)
    return (1 + closes / 100).cumprod() * 100, pd.Series(4 + moves.cumsum(), index=days)


def test_held_slope_is_that_of_the_panel_and_takes_the_market_off():
    prices, values = market_of(-3.0)
    found = rates.held_slope(prices, values, "2022-06-01", "2024-06-30")
    assert found.slope == pytest.approx(-3.0, abs=0.3)
    ends = calendar.week_ends("2022-01-03", "2024-12-31")
    weeks = rates.panel(prices, {"small": ("IWM", "SPY"), "none": ("IJR", "SPY")}, {"two": values}, ends)
    assert list(weeks) == ["small", "market", "two"]  # a pair without prices is left out
    assert weeks.iloc[0].isna().all()
    window = ("2022-06-01", "2024-06-30")
    assert rates.slope(weeks, "small", "two", window) == found
    plain = rates.slope(weeks, "small", "two", window, held=())
    assert plain.se > 2 * found.se
    # The residuals of both on the market have the same slope.
    rows = weeks.loc[rates.weeks_within(ends, *window)]
    left = rates.without(rows[["small", "two"]], rows[["market"]])
    assert rates.hac_slope(left["small"], left["two"]).slope == pytest.approx(found.slope)


def test_held_slope_begins_with_the_week_of_its_first_day():
    prices, values = market_of(-3.0)
    for start in ("2022-06-01", "2022-06-03", "2022-06-04", "2022-06-06"):
        found = rates.held_slope(prices, values, start, "2023-06-30")
        weeks = rates.weeks_within(calendar.week_ends("2022-01-03", "2024-12-31"), start, "2023-06-30")
        assert found.n == len(weeks)


def test_figures_are_slopes_by_their_names():
    prices, values = market_of(-3.0)
    ends = calendar.week_ends("2022-01-03", "2024-12-31")
    weeks = rates.panel(prices, {"small": ("IWM", "SPY")}, {"2y": values}, ends)
    windows = {"all": ("2022-01-07", "2024-12-31")}
    keys = [
        "slope_2y_all",
        "t_2y_all",
        "held_2y_all",
        "t_held_2y_all",
        "low_2y_all",
        "power_2y_all",
        "dgs2_change",
    ]
    found = rates.figures(keys, weeks, "small", windows, size=0.1)
    assert list(found) == keys[:-1]  # what names no window is left out
    plain, held = (rates.slope(weeks, "small", "2y", windows["all"], fixed) for fixed in ((), ("market",)))
    expected = [plain.slope, plain.t, held.slope, held.t, held.low, held.power(0.1)]
    assert list(found.values()) == pytest.approx(expected)
    with pytest.raises(AttributeError):
        rates.figures(["hihg_2y_all"], weeks, "small", windows)
    # Among four tests of which it replaces one, the smallest p-value counts four times.
    tests = {
        ("a", "2y", "all"): 0.9,
        ("b", "2y", "all"): 0.8,
        ("c", "2y", "all"): 0.7,
        ("d", "2y", "all"): 0.6,
    }
    found = rates.figures(["p_2y_all", "holm_p_2y_all"], weeks, "small", windows, tests=tests, own="b")
    assert found["holm_p_2y_all"] == pytest.approx(min(1, 4 * found["p_2y_all"]))


def test_moved_takes_the_last_value_before_a_day_without_one():
    values = pd.Series(
        [4.0, 4.5, 4.25], index=pd.to_datetime(["2025-11-07", "2025-11-10", "2025-11-12"]), name="DGS2"
    )
    assert rates.moved(values, "2025-11-08", "2025-11-11") == 0.5
    assert rates.moved(values, "2025-11-10", "2025-11-12") == -0.25
    with pytest.raises(Missing, match="DGS2 begins on 2025-11-07"):
        rates.moved(values, "2025-11-06", "2025-11-12")


def test_out_of_sample_counts_signs_and_misses():
    prices, values = market_of(-8.0)
    weeks = rates.panel(
        prices, {"small": ("IWM", "SPY")}, {"2y": values}, calendar.week_ends("2022-01-03", "2024-12-31")
    )
    # Without the market's share the pair hangs on the yield alone.
    weeks["small"] -= 0.3 * weeks["market"]
    found = rates.out_of_sample(
        weeks, "small", "2y", ("2022-01-07", "2023-12-29"), ("2023-12-29", "2024-12-27")
    )
    assert found["weeks"] == 52
    assert found["right"] == found["falling"] > 45
    assert found["p"] == found["p_falling"] < 0.001
    assert found["slope"] == pytest.approx(-8, abs=0.5)
    assert found["r2"] > 80
    turned = weeks.assign(small=weeks["small"].where(weeks.index < "2024-01-01", -weeks["small"]))
    against = rates.out_of_sample(
        turned, "small", "2y", ("2022-01-07", "2023-12-29"), ("2023-12-29", "2024-12-27")
    )
    assert against["right"] == 52 - found["right"]
    assert against["r2"] < 0


def made(slope, se):
    return rates.Slope(slope, se, slope / se, 0.5, 100, 4, 0, 0.0)


@pytest.mark.parametrize(
    ("slope", "se", "size", "reading"),
    [
        (-1.96, 1.0, 1, "link"),  # exactly at the bound it is told from zero
        (-1.95, 1.0, 1, "cannot tell"),
        (1.96, 1.0, 1, "opposite link"),
        (0.5, 0.5, 1, "no link"),  # the interval ends at -0.48
        (0.0, 0.5, 0.98, "cannot tell"),  # the interval ends at the size itself
        (0.0, 0.5, 0.99, "no link"),
        (-0.5, 1.7, 1, "cannot tell"),
    ],
)
def test_reading_tells_no_from_cannot_tell(slope, se, size, reading):
    assert made(slope, se).reading(size) == reading
    assert made(-slope, se).reading(size, sign=1) == reading


def test_power_by_hand():
    assert made(0.3, 1.0).power(1.96) == pytest.approx(50.0, abs=0.1)  # the effect lies on the bound itself
    assert made(0.3, 1.0).power(0.0) == pytest.approx(5.0, abs=0.01)
    assert made(0.3, 1.0).power(made(0.3, 1.0).smallest) == pytest.approx(80.0, abs=0.1)
    assert made(0.3, 2.0).power(-2.0) == made(-9.0, 2.0).power(2.0)
    assert (made(1.0, 0.5).low, made(1.0, 0.5).high) == pytest.approx((0.02, 1.98))


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


def test_holm_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = pd.Series(np.random.default_rng(4).uniform(0, 0.2, 30), index=pd.RangeIndex(30)[::-1])
    assert rates.holm(p).to_numpy() == pytest.approx(multipletests(p.to_numpy(), method="holm")[1])


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


def test_rolling_slope_holds_a_third_series_fixed():
    spread, change = simulated(2.0, n=80)
    third = pd.Series(np.random.default_rng(9).normal(0, 2, 80), index=change.index)
    found = rates.rolling_slope(spread + 1.5 * third, change, 52, held=third, draws=0)
    assert list(found) == ["slope"]
    span = slice(10, 62)
    whole = rates.hac_slope((spread + 1.5 * third)[span], change[span], third[span].to_frame("third"))
    assert found["slope"].iloc[10] == pytest.approx(whole.slope)


def test_shuffled_changes_find_nothing():
    spread, change = simulated(-6.0)
    real = rates.hac_slope(spread, change)
    placebo = rates.shuffled_t(spread, change, real.lags, draws=500, seed=5)
    assert placebo.shape == (500,)
    assert abs(placebo.mean()) < 0.2
    assert 0.01 < (abs(placebo) > 2).mean() < 0.12
    assert (abs(placebo) < abs(real.t)).all()
