"""Event studies, against numbers worked out by hand and against statsmodels and scipy."""

from __future__ import annotations

from itertools import combinations
from math import comb, sqrt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from helpers import calendar
from helpers.files import HelperError
from helpers.measures import events

DAYS = calendar.sessions("2024-01-02", "2024-01-10")  # seven sessions
EVENT = DAYS[5]


@pytest.fixture
def pair():
    """Four sessions of estimation (alpha 1, beta 1/2, residual variance 1/2), then a window of three."""
    benchmark = pd.Series([-1.0, 1, -1, 1, 2, 0, -2], DAYS)
    asset = pd.Series([0.0, 2, 1, 1, 3, 4, 1], DAYS)
    return asset, benchmark


@pytest.fixture
def noise():
    days = calendar.sessions("2020-01-02", "2022-12-30")
    draw = np.random.default_rng(3)
    benchmark = pd.Series(draw.normal(0, 1, len(days)), days)
    benchmark.iloc[90] = -12.0  # a crash inside some estimation windows
    asset = 0.1 + 1.2 * benchmark + pd.Series(draw.normal(0, 0.7, len(days)), days)
    return asset, benchmark


def test_market_model_by_hand(pair):
    model = events.market_model(pair[0].iloc[:4], pair[1].iloc[:4])
    assert model["alpha"] == pytest.approx(1)
    assert model["beta"] == pytest.approx(0.5)
    assert model["sigma"] == pytest.approx(sqrt(1 / 2))
    assert (model["n"], model["mean"], model["squares"]) == (4, 0, 4)


def test_abnormal_returns_by_hand(pair):
    found = events.abnormal_returns(*pair, [EVENT], before=1, after=1, estimation=4, gap=2)
    assert found.columns.tolist() == [-1, 0, 1]
    assert found.loc[EVENT].to_numpy() == pytest.approx([1, 3, 1])


def test_cumulative_by_hand_where_the_market_ended_where_it_began(pair):
    row = events.event_study(*pair, [EVENT], before=1, after=1, estimation=4, gap=2).loc[EVENT]
    assert row["car"] == pytest.approx(5)
    assert row["se"] == pytest.approx(sqrt(0.5 * (3 + 9 / 4)))
    assert row["t"] == pytest.approx(5 / sqrt(2.625))


def test_a_moving_market_makes_alpha_and_beta_count(pair):
    row = events.event_study(*pair, [EVENT], before=0, after=1, estimation=4, gap=2).loc[EVENT]
    assert row["car"] == pytest.approx(4)
    assert row["se"] == pytest.approx(sqrt(0.5 * (2 + 4 / 4 + 4 / 4)))


@pytest.mark.parametrize("day", ["2021-03-01", "2022-06-15"])
def test_agrees_with_a_regression_and_its_forecast_error(noise, day):
    asset, benchmark = noise
    place = asset.index.get_loc(pd.Timestamp(day))
    window = slice(place - 260, place - 10)
    fit = sm.OLS(asset.iloc[window], sm.add_constant(benchmark.iloc[window])).fit()
    row = events.event_study(asset, benchmark, [day], 0, 0).iloc[0]
    assert row["n"] == 250
    ahead = fit.get_prediction([[1.0, benchmark.iloc[place]]])
    assert row["car"] == pytest.approx(asset.iloc[place] - ahead.predicted_mean[0])
    assert row["se"] == pytest.approx(ahead.se_obs[0])


def test_alike_for_one_event_and_for_many(noise):
    days = noise[0].index[300:700]
    every = events.event_study(*noise, days, 1, 1)
    for day in days[[0, 57, 399]]:
        pd.testing.assert_frame_equal(events.event_study(*noise, [day], 1, 1), every.loc[[day]])


def test_estimation_never_sees_the_event(noise):
    asset, benchmark = noise
    day = asset.index[400]
    moved = asset.copy()
    moved.iloc[390:] += 100
    before, after = (events.event_study(a, benchmark, [day], 5, 5).iloc[0] for a in (asset, moved))
    assert after["car"] == pytest.approx(before["car"] + 1100)
    assert after["sigma"] == pytest.approx(before["sigma"])


def test_mean_effect_by_hand():
    study = pd.DataFrame({"car": [1.0, 3.0], "se": [1.0, 1.0]})
    found = events.mean_effect(study)
    assert found["mean"] == 2
    assert found["se_model"] == pytest.approx(sqrt(2) / 2)
    assert found["se_cross"] == pytest.approx(1)
    assert (found["t_cross"], found["n"]) == (pytest.approx(2), 2)


def test_mean_effect_of_one_event_has_no_spread():
    found = events.mean_effect(pd.DataFrame({"car": [1.0], "se": [2.0]}))
    assert found["t_model"] == 0.5
    assert np.isnan(found["se_cross"])


def test_mean_effect_of_nothing():
    with pytest.raises(HelperError, match="no event"):
        events.mean_effect(pd.DataFrame({"car": [], "se": []}))


def test_combination_means_by_hand():
    assert sorted(events.combination_means([1, 2, 4], 2)) == [1.5, 2.5, 3]
    assert events.combination_means([1, 2, 4], 3) == pytest.approx([7 / 3])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_combination_means_are_all_of_them(size):
    values = np.random.default_rng(size).normal(size=7)
    expected = sorted(np.mean(chosen) for chosen in combinations(values, size))
    found = events.combination_means(values, size)
    assert len(found) == comb(7, size)
    assert sorted(found) == pytest.approx(expected)


@pytest.mark.parametrize("size", [0, 4])
def test_combinations_that_cannot_be(size):
    with pytest.raises(HelperError, match="No combination"):
        events.combination_means([1, 2, 3], size)


def test_permutation_by_hand():
    # Sums of two of 0, 1, 2, 3: 1, 2, 3, 3, 4, 5. One is as large as 5; 1 lies as far from their mean of 3.
    found = events.permutation_p(2.5, np.array([0, 1, 2, 3]), 2)
    assert found["greater"] == pytest.approx(1 / 6)
    assert found["two_sided"] == pytest.approx(2 / 6)
    assert (found["combinations"], found["exact"]) == (6, True)


def test_permutation_agrees_with_scipy():
    pool = np.random.default_rng(5).normal(size=14)
    chosen, rest = pool[:3], pool[3:]
    expected = stats.permutation_test(
        (chosen, rest),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    ).pvalue
    assert events.permutation_p(chosen.mean(), pool, 3)["greater"] == pytest.approx(expected)


def test_permutation_by_drawing():
    pool = np.random.default_rng(6).normal(size=400)
    top = np.sort(pool)[-8:].mean()
    first, again = (events.permutation_p(top, pool, 8, draws=500, seed=1) for _ in range(2))
    assert not first["exact"]
    assert first["greater"] == pytest.approx(1 / 501)  # never zero
    assert first.equals(again)
    middle = events.permutation_p(pool.mean(), pool, 8, draws=4000, seed=1)
    assert middle["greater"] == pytest.approx(0.5, abs=0.04)
    assert middle["two_sided"] == 1


def test_drawing_takes_no_member_twice():
    means, exact = events.permutation_means(np.arange(40.0), 39, 200, seed=0)
    assert exact  # 40 combinations are counted
    means, exact = events.permutation_means(np.arange(40.0), 20, 200, seed=0)
    assert not exact
    assert means.min() >= np.arange(20).mean()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"before": 2}, "runs into it"),
        ({"after": 2}, "do not cover"),
        ({"estimation": 5}, "do not cover"),
        ({"dates": ["2024-01-06"]}, "no session"),
        ({"dates": [DAYS[3]]}, "do not cover"),
    ],
)
def test_what_is_refused(pair, change, words):
    given = {"dates": [EVENT], "before": 1, "after": 1, "estimation": 4, "gap": 2, **change}
    with pytest.raises(HelperError, match=words):
        events.event_study(*pair, **given)


def test_a_missing_return_is_not_filled(pair):
    asset, benchmark = pair
    asset.iloc[2] = np.nan
    with pytest.raises(HelperError, match="2024-01-04 is missing"):
        events.event_study(asset, benchmark, [EVENT], 1, 1, estimation=4, gap=2)


def test_a_benchmark_that_begins_later_shortens_the_history(noise):
    asset, benchmark = noise
    study = events.event_study(asset, benchmark.iloc[100:], [asset.index[500]], 1, 1)
    assert study["car"].iloc[0] == pytest.approx(
        events.event_study(asset, benchmark, [asset.index[500]], 1, 1)["car"].iloc[0]
    )


def test_a_market_that_stood_still_explains_nothing():
    flat = pd.Series([1.0, 1, 1, 1], DAYS[:4])
    with pytest.raises(HelperError, match="benchmark moved"):
        events.market_model(flat, flat)
