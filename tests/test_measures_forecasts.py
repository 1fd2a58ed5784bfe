"""helpers.measures.forecasts: scoring forecasts."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers.files import HelperError
from helpers.measures import forecasts


def monthly(values, start="2024-10-01"):
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq="MS"), dtype=float)


def test_last_common_is_the_last_date_with_every_value():
    days = pd.date_range("2026-06-29", periods=4)
    longer = pd.Series([1.0, 2.0, 3.0, 4.0], index=days)
    shorter = pd.Series([1.0, 2.0, np.nan], index=days[:3])
    assert forecasts.last_common([longer, shorter]) == pd.Timestamp("2026-06-30")


def test_last_common_of_strangers_is_an_error():
    one = pd.Series([1.0], index=pd.DatetimeIndex(["2026-01-02"]))
    other = pd.Series([1.0], index=pd.DatetimeIndex(["2026-01-05"]))
    with pytest.raises(HelperError, match="no date in common"):
        forecasts.last_common([one, other])


def test_value_on_takes_the_last_one_but_not_an_old_one():
    yields = pd.Series([4.0, np.nan], index=pd.to_datetime(["2025-10-10", "2025-10-13"]))
    assert forecasts.value_on(yields, "2025-10-13") == 4.0
    assert forecasts.value_on(yields, "2025-10-16") is None
    assert forecasts.value_on(yields, "2025-10-09") is None


def test_yearly_change_leaves_the_gap_and_its_echo_open():
    levels = monthly([100.0 + i for i in range(30)]).drop(pd.Timestamp("2025-10-01"))
    rate = forecasts.yearly_change(levels)
    assert rate.index[0] == pd.Timestamp("2025-10-01")
    assert list(rate.index[rate.isna()].strftime("%Y-%m")) == ["2025-10", "2026-10"]
    assert rate["2025-11-01"] == pytest.approx((113 / 101 - 1) * 100)


def test_unknown_rates_names_the_month_and_the_one_a_year_later_even_beyond_the_data():
    levels = monthly([100.0 + i for i in range(22)]).drop(pd.Timestamp("2025-10-01"))
    assert levels.index[-1] == pd.Timestamp("2026-07-01")
    assert forecasts.unknown_rates(levels) == ["2025-10", "2026-10"]
    assert forecasts.unknown_rates(monthly([1.0, 2.0])) == []


def test_annualised_compounds_by_the_number_of_steps():
    gdp = pd.Series([100.0, 101.0, 102.01], index=pd.to_datetime(["2025-10-01", "2026-01-01", "2026-04-01"]))
    assert forecasts.annualised(gdp, "2025-10-01", "2026-04-01") == pytest.approx((1.01**4 - 1) * 100)
    assert forecasts.annualised(gdp, "2025-10-01", "2026-01-01") == pytest.approx((1.01**4 - 1) * 100)
    with pytest.raises(HelperError, match="2026-07-01"):
        forecasts.annualised(gdp, "2025-10-01", "2026-07-01")
    with pytest.raises(HelperError, match="not before"):
        forecasts.annualised(gdp, "2026-01-01", "2025-10-01")


def test_volatility_of_a_known_series():
    prices = pd.Series([100.0, 101.0, 100.0, 101.0])
    moves = prices.pct_change().dropna()
    assert forecasts.volatility(prices) == pytest.approx(moves.std() * math.sqrt(252) * 100)
    assert forecasts.volatility(pd.Series([100.0, 101.0, 102.01])) == pytest.approx(0, abs=1e-9)


def test_ahead_looks_forward_and_ends_open():
    out = forecasts.ahead(pd.Series([100.0, 110.0, 121.0]), 1)
    assert out.iloc[:2].tolist() == pytest.approx([10, 10])
    assert math.isnan(out.iloc[2])


def test_base_rate_counts_windows_and_those_apart():
    held = pd.Series([1.0, 0.0, np.nan, 1.0, 1.0])
    assert forecasts.base_rate(held, 2) == {"share": 75.0, "windows": 4, "apart": 2}
    assert math.isnan(forecasts.base_rate(pd.Series([np.nan]), 2)["share"])


def test_hit_interval_is_exact_and_open_without_trials():
    low, high = forecasts.hit_interval(5, 10)
    assert (round(low, 1), round(high, 1)) == (18.7, 81.3)
    assert forecasts.hit_interval(0, 10)[0] == 0
    assert forecasts.hit_interval(0, 0) == (0.0, 100.0)


def test_brier_scores():
    assert forecasts.brier(1, [True, False]) == 0.5
    assert forecasts.brier(0.5, [True, False, True]) == 0.25
    assert forecasts.brier([1.0, 0.0], [True, False]) == 0
    assert math.isnan(forecasts.brier(1, []))
