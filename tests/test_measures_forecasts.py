"""helpers.measures.forecasts: scoring forecasts."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import calendar
from helpers.files import HelperError, Missing
from helpers.measures import forecasts


def monthly(values, start="2024-10-01"):
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq="MS"), dtype=float)


def test_a_forecast_of_another_day_has_a_horizon_just_as_far_away():
    same = forecasts.window("2026-06-30", "2025-12-10", "2025-12-10")
    assert (f"{same.start:%Y-%m-%d}", f"{same.end:%Y-%m-%d}") == ("2025-12-10", "2026-06-30")
    later = forecasts.window("2026-06-30", "2025-12-12", "2025-12-10")
    assert f"{later.end:%Y-%m-%d}" == "2026-07-02"
    with pytest.raises(Missing, match="2025-12-10"):
        forecasts.window("2025-12-10", "2025-12-10", "2025-12-10")


def test_gains_and_leads_need_both_ends_of_a_window():
    span = calendar.since("2025-12-10", "2025-12-12")
    prices = pd.DataFrame(
        {"A": [100.0, 90, 110], "B": [100.0, 110, 105], "C": [100.0, 1, np.nan]},
        index=calendar.sessions("2025-12-10", "2025-12-12"),
    )
    assert forecasts.gains(prices, ["A", "B"], span).tolist() == pytest.approx([10, 5])
    assert forecasts.ahead(prices, ["A"], "B", span).tolist() == [True]
    assert forecasts.ahead(prices, ["B"], "A", span).tolist() == [False]
    assert forecasts.share_behind(prices, "A", "B", span) == 50
    for names in (["C"], ["unknown"]):
        with pytest.raises(Missing):
            forecasts.gains(prices, names, span)
    for change in (forecasts.gains, lambda *given: forecasts.share_behind(given[0], "A", "B", given[2])):
        with pytest.raises(Missing, match="2025-12-15"):
            change(prices, ["A"], calendar.since("2025-12-10", "2025-12-15"))
    with pytest.raises(Missing, match="every session"):
        forecasts.share_behind(prices, "A", "C", span)


def test_concentration_counts_a_company_once_and_only_the_largest():
    values = pd.Series({"GOOGL": 50.0, "GOOG": 49.0, "X": 30.0, "Y": 20.0, "Z": 1.0})
    assert forecasts.concentration(values, largest=3).to_dict() == {"GOOGL": 50, "X": 30, "Y": 20}


def test_sizes_reads_some_days_of_a_panel(tmp_path):
    rows = [("A", "2026-06-29", 1.0), ("A", "2026-06-30", 2.0), ("B", "2026-06-30", 3.0)]
    frame = pd.DataFrame(rows, columns=["symbol", "date", "market_cap"])
    frame["date"] = pd.to_datetime(frame["date"]).dt.date
    frame.to_parquet(tmp_path / "listings.parquet")
    found = forecasts.sizes(tmp_path / "listings.parquet", ["2026-06-30", "2026-07-01"])
    assert found.to_dict() == {pd.Timestamp("2026-06-30"): {"A": 2.0, "B": 3.0}}


def test_value_on_takes_the_last_one_but_not_an_old_one():
    days = pd.to_datetime(["2025-10-09", "2025-10-10", "2025-10-13"])
    yields = pd.Series([4.5, 4.0, np.nan], index=days, name="DGS10")
    assert forecasts.value_on(yields, "2025-10-13") == 4.0
    assert forecasts.value_on(yields, "2025-10-15") == 4.0
    assert forecasts.change(yields, "2025-10-09", "2025-10-13") == -0.5
    for day in ("2025-10-16", "2025-10-08"):
        with pytest.raises(Missing, match=f"DGS10.*{day}"):
            forecasts.value_on(yields, day)


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


def test_annualised_compounds_by_the_number_of_quarters():
    gdp = pd.Series([100.0, 101.0, 102.01], index=pd.to_datetime(["2025-10-01", "2026-01-01", "2026-04-01"]))
    assert forecasts.annualised(gdp, "2025Q4", "2026Q2") == pytest.approx((1.01**4 - 1) * 100)
    assert forecasts.annualised(gdp, "2025Q4", "2026Q1") == pytest.approx((1.01**4 - 1) * 100)
    with pytest.raises(Missing, match="2026Q3"):
        forecasts.annualised(gdp, "2025Q4", "2026Q3")
    with pytest.raises(HelperError, match="not before"):
        forecasts.annualised(gdp, "2026Q1", "2025Q4")


def test_volatility_of_a_known_series():
    prices = pd.Series([100.0, 101.0, 100.0, 101.0])
    moves = prices.pct_change().dropna()
    assert forecasts.volatility(prices) == pytest.approx(moves.std() * math.sqrt(252) * 100)
    logs = np.log(prices).diff().dropna()
    assert forecasts.volatility(prices, log=True) == pytest.approx(logs.std() * math.sqrt(252) * 100)
    assert forecasts.volatility(pd.Series([100.0, 101.0, 102.01])) == pytest.approx(0, abs=1e-9)


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
