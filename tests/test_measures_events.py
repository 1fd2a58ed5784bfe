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
    model = events.event_study(*pair, [EVENT], before=0, after=0, estimation=4, gap=2).loc[EVENT]
    ends = [model["car"] - 1.96 * model["se"], model["car"] + 1.96 * model["se"]]
    assert model[["low", "high"]].tolist() == pytest.approx(ends)
    assert model["alpha"] == pytest.approx(1)
    assert model["beta"] == pytest.approx(0.5)
    assert model["sigma"] == pytest.approx(sqrt(1 / 2))


def test_without_a_model_by_hand(pair):
    row = events.event_study(*pair, [EVENT], before=1, after=0, estimation=4, gap=2, plain=True).loc[EVENT]
    assert row["car"] == 1 + 4  # 3 less 2, 4 less 0
    # The estimation's gaps are 1, 1, 2 and 0; their mean square is 3/2, and the window holds two sessions.
    assert row["se"] == pytest.approx(sqrt(1.5 * 2))


def test_a_window_ends_at_the_last_session_known(pair):
    whole = events.event_study(*pair, [EVENT], before=1, after=0, estimation=4, gap=2)
    cut = events.event_study(*pair, [EVENT], before=1, after=1, until=EVENT, estimation=4, gap=2)
    pd.testing.assert_frame_equal(cut, whole)
    assert cut["sessions"].tolist() == [2]
    days = events.abnormal_returns(*pair, [EVENT], before=1, after=1, until=EVENT, estimation=4, gap=2)
    assert days.loc[EVENT].tolist()[:2] == pytest.approx([1, 3])
    assert np.isnan(days.loc[EVENT, 1])


def test_an_event_after_the_last_session_known_is_refused(pair):
    with pytest.raises(HelperError, match="do not cover"):
        events.event_study(*pair, [EVENT], before=0, after=0, until=DAYS[4], estimation=4, gap=2)


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
    assert row["sessions"] == 1
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


def test_difference_by_hand():
    one, other = (pd.Series({"mean": mean, "se_model": se}) for mean, se in ((3.0, 3.0), (1.0, 4.0)))
    found = events.difference(one, other, size=10)
    assert (found["mean"], found["se"], found["t"]) == (2, 5, 0.4)
    assert (found["low"], found["high"], found["seen"]) == pytest.approx((2 - 9.8, 2 + 9.8, 14))
    assert found["power"] == pytest.approx(100 * (stats.norm.sf(1.96 - 2) + stats.norm.cdf(-1.96 - 2)))


def test_one_shorter_window_by_hand():
    # Two of 0, 1, 2 and one of 0, 3: sums 1 to 6, their mean 3.5. 5 and 6 reach 5; 1 and 2 lie as far out.
    given = {"pool": np.array([0, 1, 2]), "size": 3, "last": np.array([0, 3])}
    assert sorted(events.permutation_means(**given)[0]) == pytest.approx(np.arange(1, 7) / 3)
    found = events.permutation_p(5 / 3, **given)
    assert found["greater"] == pytest.approx(2 / 6)
    assert found["two_sided"] == pytest.approx(4 / 6)
    assert (found["combinations"], found["exact"]) == (6, True)
    assert events.permutation_p(3.5 / 3, **given)["two_sided"] == 1


def test_one_shorter_window_counted_as_written_out():
    pool, last = np.random.default_rng(8).normal(size=(2, 12))
    means, _ = events.permutation_means(pool, 4, last=last)
    for observed in means[[0, 17, 900]]:
        found = events.permutation_p(observed, pool, 4, last=last)
        assert found["greater"] == pytest.approx((means >= observed - 1e-9).mean())
        away = np.abs(means - means.mean())
        assert found["two_sided"] == pytest.approx((away >= abs(observed - means.mean()) - 1e-9).mean())


def test_one_shorter_window_by_drawing():
    pool, last = np.random.default_rng(9).normal(size=(2, 300))
    found = events.permutation_p(np.sort(pool)[-7:].mean(), pool, 8, draws=500, last=last)
    assert not found["exact"]
    assert found["greater"] == pytest.approx(1 / 501)


def test_chance_is_the_permutation_of_other_sessions(noise):
    days = noise[0].index
    others, until = days[400:440], days[439]
    dates = [days[405], days[420], until]
    whole, last = events.pools(*noise, others, 1, 1, until=until, kept=0)
    assert (len(whole), len(last)) == (39, 40)
    cars = events.event_study(*noise, dates, 1, 1, until=until)["car"]
    assert cars.iloc[:2].tolist() == pytest.approx([whole[5], whole[20]])
    assert cars.iloc[2] == pytest.approx(last[-1])
    found = events.chance(*noise, dates, others, 1, 1, until=until)
    assert found["mean"] == cars.mean()
    assert found.equals(events.permutation_p(cars.mean(), whole, 3, last=last))
    assert found["combinations"] == comb(39, 2) * 40
    later = events.chance(*noise, dates, others, 1, 1, until=days[440])
    assert later["combinations"] == comb(40, 3)
    with pytest.raises(HelperError, match="More than one window"):
        events.chance(*noise, [days[438], days[439]], others, 1, 2, until=until)


def test_lasting_falls_finds_steps_and_not_dips():
    days = pd.date_range("2024-01-01", periods=60)
    rate = pd.Series(5.0, days)
    rate[days[20:22]] = 4.5  # a dip
    rate[days[40:]] = 4.75
    found = events.lasting_falls(rate)
    assert found.index.tolist() == [days[42]] if days[40].dayofweek > 4 else [days[40]]
    assert found.tolist() == pytest.approx([-0.25])
