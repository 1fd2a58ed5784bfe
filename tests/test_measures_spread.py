"""The value spread and predictive regressions: hand-computed, against other libraries, and on made-up histories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.files import HelperError
from helpers.measures import rates, spread


def slow(n: int, seed: int, rho: float = 0.9, tie: float = 0.0) -> tuple[pd.Series, pd.Series]:
    """A return without any predictability and a predictor with memory, their shocks correlated by ``tie``."""
    rng = np.random.default_rng(seed)
    u, v = rng.standard_normal((2, n))
    v = tie * u + np.sqrt(1 - tie**2) * v
    x = np.zeros(n)
    for t in range(1, n):
        # u[t-1] is the return that follows x[t-1], v[t-1] the shock of the same period.
        x[t] = rho * x[t - 1] + v[t - 1]
    return pd.Series(u), pd.Series(x)


def test_value_spread_is_the_mean_log_ratio_of_value_over_growth() -> None:
    ratios = pd.DataFrame({"low": [0.5, 0.5], "small high": [2.0, 4.0], "big high": [8.0, np.nan]})
    found = spread.value_spread(ratios, ["small high", "big high"], ["low"])
    # Mean of log 2 and log 8 is log 4; less log 0.5 is log 8. A portfolio without a ratio makes no spread.
    assert found[0] == pytest.approx(np.log(8))
    assert np.isnan(found[1])
    with pytest.raises(HelperError, match="zero or negative"):
        spread.value_spread(ratios.assign(low=[0.5, 0.0]), ["big high"], ["low"])


def test_formation_takes_july_and_names_it_by_the_june_before() -> None:
    months = pd.period_range("1926-07", "1928-06", freq="M")
    taken = spread.formation(pd.Series(range(24), index=months))
    assert taken.to_dict() == {1926: 0, 1927: 12}
    frame = spread.formation(pd.DataFrame({"a": range(24)}, index=months))
    assert frame["a"].tolist() == [0, 12]


def test_after_june_compounds_or_sums_the_twelve_months_and_leaves_an_unfinished_year_empty() -> None:
    months = pd.period_range("2000-01", "2001-12", freq="M")
    returns = pd.Series(0.0, index=months)
    returns["2000-07"], returns["2001-06"], returns["2001-07"] = 10.0, 10.0, 50.0
    compounded = spread.after_june(returns)
    assert compounded[2000] == pytest.approx(21.0)
    assert np.isnan(compounded[2001])
    assert spread.after_june(returns, compound=False)[2000] == pytest.approx(20.0)
    assert spread.after_june(returns, months=13)[2000] == pytest.approx((1.21 * 1.5 - 1) * 100)
    assert np.isnan(spread.after_june(returns.mask(returns.index == pd.Period("2000-09", "M")))[2000])


def test_over_horizon_sums_forward() -> None:
    np.testing.assert_array_equal(spread.over_horizon(pd.Series([1.0, 2.0, 4.0]), 2), [3.0, 6.0, np.nan])


def test_unbroken_keeps_what_follows_the_last_gap_and_cuts_the_unfinished_end() -> None:
    y = pd.Series([1.0, np.nan, 3.0, 4.0, np.nan])
    kept = spread.unbroken(y, pd.Series(range(5), dtype=float))
    assert kept.index.tolist() == [2, 3]
    assert spread.unbroken(y * np.nan, y).empty


def test_a_gap_inside_is_refused_where_rows_must_be_neighbours() -> None:
    y, x = slow(30, 1)
    with pytest.raises(HelperError, match="gap with 10 rows before it"):
        spread.stambaugh(y.mask(y.index == 10), x)
    with pytest.raises(HelperError, match="at least 4 pairs"):
        spread.stambaugh(y[:3], x[:3])


def test_slopes_of_many_draws_equal_one_regression_each() -> None:
    rng = np.random.default_rng(3)
    y, x = rng.standard_normal((2, 5, 20))
    expected = [np.polyfit(x[k], y[k], 1)[0] for k in range(5)]
    np.testing.assert_allclose(spread.ols_slopes(y, x), expected)


def test_hodrick_with_one_period_is_whites_error_under_the_null() -> None:
    y, x = slow(60, 7)
    found = spread.hodrick(y, x, 1)
    design = sm.add_constant(x.to_numpy())
    weights = (y - y.mean()).to_numpy()[:, None] * design
    bread = np.linalg.inv(design.T @ design)
    error = np.sqrt((bread @ (weights.T @ weights) @ bread)[1, 1])
    assert found.slope == pytest.approx(np.polyfit(x, y, 1)[0])
    assert found.error == pytest.approx(error)
    assert found.n == 60


def test_hodrick_by_hand_over_two_periods() -> None:
    y, x = slow(40, 9)
    found = spread.hodrick(y, x, 2)
    sums = [y[t] + y[t + 1] for t in range(39)]
    assert found.slope == pytest.approx(np.polyfit(x[:39], sums, 1)[0])
    design = [np.array([1.0, value]) for value in x]
    z = sum(np.outer(d, d) for d in design[:39]) / 39
    e = y - y.mean()
    s = (
        sum(e[t] ** 2 * np.outer(design[t] + design[t - 1], design[t] + design[t - 1]) for t in range(1, 40))
        / 39
    )
    error = np.sqrt((np.linalg.inv(z) @ s @ np.linalg.inv(z))[1, 1] / 39)
    assert found.error == pytest.approx(error)


def test_hodrick_keeps_its_size_where_overlapping_sums_do_not() -> None:
    rejected = naive = 0
    for seed in range(200):
        y, x = slow(120, seed)
        rejected += abs(spread.hodrick(y, x, 5).t) > 1.96
        sums = spread.over_horizon(y, 5)[:-4].to_numpy()
        naive += abs(sm.OLS(sums, sm.add_constant(x[:-4].to_numpy())).fit().tvalues[1]) > 1.96
    assert rejected <= 24  # five percent of 200, with room for chance
    assert naive >= 60


def test_non_overlapping_takes_every_horizonth_row_from_each_start() -> None:
    y, x = slow(41, 5)
    found = spread.non_overlapping(y, x, 3)
    assert found["n"].tolist() == [13, 13, 13]
    sums = [y[t] + y[t + 1] + y[t + 2] for t in range(1, 39, 3)]
    fit = sm.OLS(sums, sm.add_constant(x[1:39:3].to_numpy())).fit()
    assert found.loc[1, "slope"] == pytest.approx(fit.params[1])
    assert found.loc[1, "t"] == pytest.approx(fit.tvalues[1])


def test_stambaugh_finds_the_bias_that_simulation_shows() -> None:
    pairs = [slow(60, seed, rho=0.9, tie=-0.8) for seed in range(400)]
    biases = [spread.stambaugh(y, x) for y, x in pairs]
    slopes = [b.bias + b.corrected for b in biases]
    # True slope zero: what least squares finds on average is the bias. Theory: 0.8 (1 + 2.7) / 60 = 0.049.
    assert np.mean(slopes) == pytest.approx(0.049, abs=0.015)
    assert np.mean([b.bias for b in biases]) == pytest.approx(0.046, abs=0.008)
    assert abs(np.mean([b.corrected for b in biases])) < 0.015
    assert np.mean([b.correlation for b in biases]) == pytest.approx(-0.8, abs=0.05)


def test_null_slopes_reproduce_the_spread_of_slopes_without_prediction() -> None:
    true = [
        float(spread.ols_slopes(*(part.to_numpy() for part in slow(60, seed, tie=-0.8))))
        for seed in range(400)
    ]
    y, x = slow(60, 11, tie=-0.8)
    drawn = spread.null_slopes(y, x, draws=2000, seed=2)
    assert drawn.shape == (2000,)
    assert drawn.std() == pytest.approx(np.std(true), rel=0.35)
    assert drawn.mean() > 0.01  # the bias is in it
    np.testing.assert_array_equal(drawn, spread.null_slopes(y, x, draws=2000, seed=2))


def test_shuffled_slopes_are_centred_and_chance_counts_the_extreme_ones() -> None:
    y, x = slow(50, 13)
    drawn = spread.shuffled_slopes(y, x, draws=4000, seed=4)
    assert drawn.mean() == pytest.approx(0, abs=0.01)
    theory = y.std(ddof=0) / x.std(ddof=0) / np.sqrt(49)
    assert drawn.std() == pytest.approx(theory, rel=0.05)
    assert spread.chance(2.0, np.array([-3.0, 1.0, 2.0, 0.0])) == pytest.approx(3 / 5)


def test_out_of_sample_by_hand() -> None:
    y, x = pd.Series([0.0, 1.0, 2.0, 5.0]), pd.Series([0.0, 1.0, 2.0, 3.0])
    # The first three lie on y = x, which forecasts 3; their mean forecasts 1. Errors 2 and 4.
    assert spread.out_of_sample_r2(y, x, 3) == pytest.approx((1 - 4 / 16) * 100)


def test_predict_is_newey_west_for_one_period_and_hodrick_for_several() -> None:
    y, x = slow(60, 5)
    one, three = spread.predict(y, x, lags=2), spread.predict(y, x, horizon=3)
    assert one.t == pytest.approx(rates.hac_slope(y, x, lags=2).t)
    assert three == spread.hodrick(y, x, 3)
    with_gap = y.mask(y.index == 10)
    assert spread.predict(with_gap, x).n == 59
    assert spread.predict(with_gap, x, horizon=3) == spread.hodrick(y[11:], x[11:], 3)
