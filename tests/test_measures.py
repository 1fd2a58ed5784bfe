"""Returns, records, drawdowns and resampling on cases computed by hand, and properties that always hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import calendar
from helpers.files import HelperError, Missing
from helpers.measures import drawdowns, names, records, resample, returns, spread

DAYS = calendar.sessions("2025-12-01", "2025-12-10")
levels = st.lists(st.floats(1, 1e4), min_size=3, max_size=40)


def series(values, start="2025-01-02"):
    return pd.Series(values, index=pd.bdate_range(start, periods=len(values)), dtype=float)


def test_window_return_by_hand():
    prices = pd.Series([100.0, 102, 101, 99, 104, 110, 108, 121], index=DAYS)
    window = calendar.window("w", "2025-12-01", "2025-12-10")
    assert returns.window_return(prices, window) == pytest.approx(21.0)
    both = returns.window_return(pd.DataFrame({"a": prices, "b": prices * 2}), window)
    assert both.tolist() == pytest.approx([21.0, 21.0])


def test_window_return_needs_both_ends():
    prices = pd.Series(1.0, index=DAYS[:-1])
    with pytest.raises(HelperError, match="No price on 2025-12-10"):
        returns.window_return(prices, calendar.window("w", "2025-12-01", "2025-12-10"))


def test_daily_returns_do_not_bridge_a_gap():
    prices = pd.Series([100.0, np.nan, 110.0], index=DAYS[:3])
    assert returns.daily_returns(prices).isna().all()


def test_calendar_years_and_year_to_date():
    index = calendar.sessions("2023-12-29", "2025-12-31")
    prices = pd.Series(100.0, index=index)
    prices["2024-12-31":] = 110.0
    prices["2025-12-10":] = 121.0
    assert returns.calendar_years(prices).to_dict() == pytest.approx({2024: 10.0, 2025: 10.0})
    assert returns.year_to_date_on(prices, 12, 9).to_dict() == pytest.approx({2024: 0.0, 2025: 0.0})
    assert returns.year_to_date_on(prices, 12, 10).to_dict() == pytest.approx({2024: 0.0, 2025: 10.0})


def test_triangle_by_hand():
    own, other = series([100, 110, 121]), series([100, 100, 110])
    table = returns.triangle(own, other, own.index)
    assert table.iloc[0, 1] == pytest.approx(10)
    assert table.iloc[0, 2] == pytest.approx(11)
    assert table.iloc[1, 2] == pytest.approx(0)
    assert table.isna().to_numpy().sum() == 6
    with pytest.raises(HelperError, match="triangle"):
        returns.triangle(own, other, own.index.union([pd.Timestamp("2026-01-01")]))


def test_rank():
    assert returns.rank(3, pd.Series([1, 2, 3, 4, 5])) == 3


def test_records_by_hand():
    values = series([10, 11, 11, 9, 12, 12.5, 12])
    assert records.is_record(values).tolist() == [False, True, False, False, True, True, False]
    assert records.record_dates(values, "2025-01-06", "2025-12-31") == ["2025-01-08", "2025-01-09"]


def test_runs_of_sessions_have_their_dates_and_what_they_changed():
    index = series([100, 101, 102, 101, 101, 103, 104, 106])
    found = records.streaks(index)
    assert [
        (f"{row['first']:%m-%d}", f"{row['last']:%m-%d}", row["length"]) for _, row in found.iterrows()
    ] == [
        ("01-09", "01-13", 3),
        ("01-03", "01-06", 2),
    ]
    assert found["change"].tolist() == pytest.approx([(106 / 101 - 1) * 100, 2])
    assert records.streaks(index, down=True)["length"].tolist() == [1]
    other = series([100, 100, 102, 102, 101, 101, 101, 120])
    ahead = records.streaks(index, other)
    assert ahead["length"].tolist() == [3, 1]
    assert ahead["change"][0] == pytest.approx((104 / 101 - 1) * 100 - (101 / 102 - 1) * 100)
    assert ahead["last"][0] == index.index[6]
    assert records.streaks(series([3, 2, 1])).empty
    assert records.longest_streak(series([3, 2, 1]))["length"] == 0
    assert records.longest_streak(index)["last"] == index.index[7]
    holed = index.copy()
    holed.iloc[6] = np.nan  # no return is known on two sessions
    assert records.streaks(holed)["length"].tolist() == [2, 1]


def test_a_record_is_not_told_across_a_gap_but_before_the_first_and_after_the_last_value():
    values = series([np.nan, 1.0, 3.0, 2.0, 4.0, np.nan])
    assert records.is_record(values).tolist() == [False, False, True, False, True, False]
    assert records.highest_before(values, values.index[4]) == 3.0
    lost = values.mask(values.index == values.index[3]).rename("X")
    with pytest.raises(Missing, match=f"across {values.index[3]:%Y-%m-%d}, which X lacks"):
        records.is_record(lost)
    assert records.record_dates(lost, values.index[0], values.index[2]) == [f"{values.index[2]:%Y-%m-%d}"]


@given(levels)
def test_records_are_never_below_an_earlier_value(values):
    data = series(values)
    for date in data.index[records.is_record(data)]:
        assert data[date] > data[:date].iloc[:-1].max()


@given(levels)
def test_the_last_record_is_the_maximum(values):
    data = series(values)
    flags = records.is_record(data)
    assert (data[flags].iloc[-1] if flags.any() else data.iloc[0]) == data.max()


def test_count_records_by_hand():
    paths = np.array([[10.0, 11, 9, 12], [8, 7, 6, 5]])
    assert records.count_records(paths, before=10).tolist() == [2, 0]


def test_drawdowns_by_hand():
    prices = series([100, 90, 95, 100, 120, 96, 110, 119])
    assert drawdowns.drawdown(prices).min() == pytest.approx(-20)
    worst = drawdowns.worst(prices)
    assert (worst["peak"], worst["trough"]) == (prices.index[4], prices.index[5])
    found = drawdowns.episodes(prices, 10)
    assert found["depth"].tolist() == pytest.approx([-10, -20])
    assert found["recovered"].tolist()[0] == prices.index[3]
    assert pd.isna(found["recovered"].tolist()[1])


@given(levels)
def test_a_drawdown_is_never_positive_and_zero_at_the_maximum(values):
    depth = drawdowns.drawdown(series(values))
    assert (depth <= 0).all()
    assert depth.max() == 0


def test_bootstrap_paths_keep_the_mean_and_the_seed():
    rng = np.random.default_rng(1)
    pool = pd.Series(rng.normal(0.05, 1, 2000))
    paths = resample.stationary_paths(pool, 250, 400, start=100, seed=7, block=5)
    assert paths.shape == (400, 250)
    assert np.array_equal(paths, resample.stationary_paths(pool, 250, 400, start=100, seed=7, block=5))
    drift = np.log(paths[:, -1] / 100).mean() / 250
    assert drift == pytest.approx(np.log1p(pool / 100).mean(), abs=2e-4)


def test_block_length_is_usable_even_without_dependence():
    assert resample.block_length(pd.Series(np.random.default_rng(0).normal(size=500))) >= 1


def test_repeat_keeps_the_order():
    assert resample.repeat(pow, [(2, 3), (3, 2), (5, 1)], jobs=2) == [8, 9, 5]


def bootstraps():
    """Every repeated statistic of the measures that goes through joblib, from draws of a fixed seed."""
    pool = pd.DataFrame(np.random.default_rng(1).normal(0, 1, (60, 2)))
    return [
        resample.stationary_paths(pool[0], 20, 11, 100.0, seed=2, block=3.5),
        names.drawn_windows(pool, 12, 9, 4.5, seed=3),
        names.drawn_windows(pool, 12, 9, 1, seed=3, together=False),
        spread.null_slopes(pool[0], pool[1].cumsum(), 13, seed=4),
        spread.shuffled_slopes(pool[0], pool[1], 13, seed=5),
    ]


def test_repeated_statistics_run_unchanged_on_a_dask_cluster():
    from distributed import Client, LocalCluster
    from joblib import parallel_config

    here = bootstraps()
    assert [len(found) for found in here] == [11, 9 * 5, 9 * 5, 13, 13]
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)
    with cluster, Client(cluster), parallel_config(backend="dask"):
        assert resample.repeat(pow, [(n, 2) for n in range(6)]) == [n**2 for n in range(6)]
        for one, other in zip(here, bootstraps(), strict=True):
            np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("draws", [1, 3, 8, 20])
def test_parts_of_draws_come_back_whole_and_in_order(draws):
    drawn = np.arange(2 * draws).reshape(draws, 2)
    np.testing.assert_array_equal(resample.over_draws(np.multiply, drawn, 3), 3 * drawn)


def test_places_are_those_of_arch_and_cut_to_length():
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(3, np.arange(30), seed=np.random.default_rng(6))
    whole = np.stack([data[0][0] for data in bootstrap.bootstrap(4)])
    np.testing.assert_array_equal(resample.places(30, 3, 4, seed=6), whole)
    np.testing.assert_array_equal(resample.places(30, 3, 4, seed=6, length=7), whole[:, :7])
