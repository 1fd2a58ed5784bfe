"""Falls of a leader and what small companies did after: by hand, and at the edges of what is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers import calendar
from helpers.measures import precedents


def months(small: list[float], big: list[float]) -> pd.DataFrame:
    index = pd.period_range("2000-01", periods=len(small), freq="M")
    return pd.DataFrame({"small": small, "big": big}, index=index)


def test_leads_compound_the_months_after_and_leave_out_those_without_enough() -> None:
    found = precedents.leads_after(months([50.0, 10.0, 20.0, 0.0], [0.0, 0.0, 10.0, 5.0]), months=2)
    # After January: 1.1 x 1.2 less 1.1; after February: 1.2 less 1.1 x 1.05.
    assert found.to_dict() == pytest.approx({pd.Period("2000-01", "M"): 22.0, pd.Period("2000-02", "M"): 4.5})


def test_leads_can_begin_with_the_month_itself() -> None:
    found = precedents.leads_after(months([50.0, 10.0], [0.0, 0.0]), months=2, first=0)
    assert found.to_dict() == pytest.approx({pd.Period("2000-01", "M"): 65.0})


def test_a_missing_month_makes_no_lead() -> None:
    found = precedents.leads_after(months([1.0, np.nan, 1.0, 1.0], [0.0] * 4), months=1)
    assert list(found.index.astype(str)) == ["2000-02", "2000-03"]


def portfolios(row: list[float]) -> pd.DataFrame:
    pairs = [(size, value) for size in range(1, 6) for value in range(1, 6)]
    names = pd.MultiIndex.from_tuples(pairs, names=["size", "value"])
    return pd.DataFrame([row], index=pd.period_range("2000-01", periods=1, freq="M"), columns=names)


def test_small_and_big_are_means_over_the_portfolios_asked_for() -> None:
    grid = portfolios([float(number) for number in range(25)])
    assert precedents.small_and_big(grid).iloc[0].to_dict() == {"small": 2.0, "big": 22.0}
    half = precedents.small_and_big(grid, small=(1, 2), big=(4,), values=(4, 5))
    assert half.iloc[0].to_dict() == {"small": 6.0, "big": 18.5}


def test_small_and_big_can_be_weighted() -> None:
    weights = portfolios([1.0, 0, 0, 0, 3.0, *[1.0] * 20])
    found = precedents.small_and_big(portfolios([float(number) for number in range(25)]), weights=weights)
    assert found.iloc[0].to_dict() == {"small": 3.0, "big": 22.0}


def leader() -> pd.DataFrame:
    """Five years: the leader doubles, loses half, and recovers; the market stands still."""
    days = calendar.sessions("2000-01-03", "2004-12-31")
    way = np.interp(np.arange(len(days)), [0, 800, 900, len(days) - 1], [100.0, 200.0, 100.0, 250.0])
    return pd.DataFrame({"tech": way, "all": 50.0}, index=days)


def test_a_fall_of_the_leader_comes_with_its_lead_before() -> None:
    prices = leader()
    (fall,) = precedents.falls_of_a_leader(prices, "tech", "all", fall=50, years=3).itertuples()
    assert (fall.peak, fall.trough) == (prices.index[800], prices.index[900])
    assert fall.depth == pytest.approx(-50)
    before = calendar.session_on_or_before(fall.peak - pd.DateOffset(years=3))
    assert fall.lead == pytest.approx((200 / prices.loc[before, "tech"] - 1) * 100)
    assert precedents.falls_of_a_leader(prices, "tech", "all", fall=51).empty
    for low, count in (
        (140.5, 0),
        (139.5, 1),
    ):  # of 200: a fall of 29.75 or of 30.25 percent, where 30 are asked for
        assert len(precedents.falls_of_a_leader(prices.clip(lower=low), "tech", "all")) == count


def test_without_enough_history_the_lead_is_not_known() -> None:
    found = precedents.falls_of_a_leader(leader(), "tech", "all", fall=50, years=4)
    assert found["lead"].isna().all()
