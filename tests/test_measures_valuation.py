"""P/E ratios, coverage and loss shares, on baskets small enough to be checked by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers.files import HelperError
from helpers.measures import valuation

Q = pd.Period


def rows(*items, account="net_income"):
    frame = pd.DataFrame(items, columns=["ticker", "year", "quarter", "amount"])
    return frame.assign(account=account)


def basket(**columns):
    return pd.DataFrame(columns, index=["A", "B", "C", "D"][: len(next(iter(columns.values())))])


@pytest.mark.parametrize(
    ("day", "lag", "annual", "expected"),
    [
        ("2025-11-08", 40, 75, "2025Q2"),  # 30 September and 40 days is 9 November
        ("2025-11-09", 40, 75, "2025Q3"),
        ("2025-11-11", 40, 75, "2025Q3"),
        ("2025-11-11", 45, 90, "2025Q2"),
        ("2025-12-29", 40, 75, "2025Q3"),
        ("2026-03-15", 40, 75, "2025Q3"),  # 31 December and 75 days is 16 March
        ("2026-03-16", 40, 75, "2025Q4"),
        ("2026-05-05", 40, 75, "2025Q4"),
        ("2025-12-31", 0, 0, "2025Q3"),
    ],
)
def test_latest_quarter_waits_for_the_report(day, lag, annual, expected):
    assert valuation.latest_quarter(day, lag, annual) == Q(expected)


def test_quarter_table_has_one_column_for_each_quarter_between():
    table = valuation.quarter_table(
        rows(("A", 2025, 1, 5), ("A", 2025, 3, 7), ("B", 2025, 1, -2)), "net_income"
    )
    assert list(table.columns) == [Q("2025Q1"), Q("2025Q2"), Q("2025Q3")]
    assert table.loc["A"].tolist()[::2] == [5, 7]
    assert math.isnan(table.loc["A", Q("2025Q2")])


def test_quarter_table_refuses_double_figures_and_unknown_accounts():
    with pytest.raises(HelperError, match="A has two figures of net_income for 2025Q1"):
        valuation.quarter_table(rows(("A", 2025, 1, 5), ("A", 2025, 1, 6)), "net_income")
    with pytest.raises(HelperError, match="no account 'profit'; there are net_income"):
        valuation.quarter_table(rows(("A", 2025, 1, 5)), "profit")


def test_trailing_needs_every_quarter():
    table = pd.DataFrame(
        [[1, 2, 3, 4], [1, None, 3, 4], [-5, 1, 1, 3]],
        index=["A", "B", "C"],
        columns=pd.period_range("2024Q4", periods=4, freq="Q"),
        dtype=float,
    )
    found = valuation.trailing(table, Q("2025Q3"))
    assert found["A"] == 10
    assert math.isnan(found["B"])
    assert found["C"] == 0
    assert valuation.trailing(table, Q("2025Q3"), 2).tolist() == [7, 7, 4]
    assert valuation.trailing(table, Q("2025Q4")).isna().all()


def test_suspects_are_a_slip_of_a_thousand_and_not_a_large_loss():
    quarters = pd.period_range("2024Q1", periods=6, freq="Q")
    table = pd.DataFrame(
        [
            [-3e6, -1e6, -2e6, -2334e6, -3e6, None],  # thousands read as dollars
            [10e6, 12e6, 11e6, -900e6, 9e6, 8e6],  # a write-down
            [1e6, None, None, 900e6, 1e6, None],  # too few quarters to tell
        ],
        index=["A", "B", "C"],
        columns=quarters,
    )
    found = valuation.suspects(table)
    assert found.to_numpy().sum() == 1
    assert found.loc["A", Q("2024Q4")]


def holdings(*items):
    columns = ["ticker", "name", "sector", "market_value", "asset_class"]
    return pd.DataFrame(items, columns=columns)


LINES = holdings(
    ("AAAA", "ALPHA CORP CLASS A", "Industrials", 50.0, "Equity"),
    ("AAAB", "ALPHA CORP CLASS B", "Industrials", 10.0, "Equity"),
    ("BBB", "FIRST BANCORP", "Financials", 20.0, "Equity"),
    ("CCC", "FIRST BANCORP", "Financials", 10.0, "Equity"),
    ("DDD", "DELTA INC", "Energy", 9.0, np.nan),
    ("DDD", "DELTA INC CVR", "Energy", 1.0, "Equity"),
    ("-", "NAMELESS LTD", "Other", 0.0, "Equity"),
    ("USD", "USD CASH", "Cash and/or Derivatives", 900.0, "Cash"),
)
CAPS = pd.Series({"AAAA": 1000.0, "AAAB": 1100.0, "BBB": 400.0, "CCC": 0.0, "DDD": 300.0})


def test_companies_merge_classes_but_not_namesakes():
    found = valuation.companies(LINES, CAPS)
    assert found.loc["AAAA", "weight"] == pytest.approx(60)
    assert found.loc["AAAA", "cap"] == 1000
    assert found.loc["AAAA", "classes"] == ("AAAA", "AAAB")
    assert {"BBB", "CCC"} <= set(found.index)
    assert "USD" not in found.index
    assert found["weight"].sum() == pytest.approx(100)
    assert found.index.is_unique


def test_companies_know_what_is_no_stock_and_what_has_no_value():
    found = valuation.companies(LINES, CAPS)
    assert not found.loc["DELTA INC CVR", "stock"]
    assert found.loc["DDD", "cap"] == 300
    assert math.isnan(found.loc["CCC", "cap"])  # a market value of zero is none
    assert math.isnan(found.loc["NAMELESS LTD", "cap"])


def test_cvr_energy_is_a_stock_and_a_contingent_value_right_is_none():
    lines = holdings(
        ("CVI", "CVR ENERGY INC", "Energy", 1.0, "Equity"),
        ("GTXI", "GTXI INC - CVR", "Health Care", 1.0, "Equity"),
        ("SEVNR", "SEVEN HILLS REALTY RIGHTS EXP TH D", "Financials", 1.0, "Equity"),
        ("P5N994", "Petrocorp Inc Escrow", "Energy", 1.0, "Equity"),
    )
    found = valuation.companies(lines, pd.Series(dtype=float))
    assert found["stock"].to_dict() == {"CVI": True, "GTXI": False, "SEVNR": False, "P5N994": False}


def test_status_and_coverage_count_every_line_once():
    quarters = pd.period_range("2024Q4", periods=4, freq="Q")
    table = pd.DataFrame([[1.0] * 4, [1, 1, 1, None]], index=["AAAB", "BBB"], columns=quarters)
    members = valuation.companies(LINES, CAPS)
    found = valuation.status(members, table, Q("2025Q3"))
    assert found.to_dict() == {
        "AAAA": "covered",  # by the earnings of its other class
        "BBB": "fewer than four quarters",
        "CCC": "no market value that day",
        "DDD": "unknown to the earnings file",
        "DELTA INC CVR": "right, warrant or escrow",
        "NAMELESS LTD": "no market value that day",
    }
    count = valuation.coverage(members, found)
    assert count["companies"].tolist() == [1, 2, 1, 1, 1]
    assert count["weight"].tolist() == pytest.approx([1, 10, 9, 20, 60])
    assert list(count.index) == list(valuation.STATUSES)


def test_coverage_shows_empty_statuses():
    members = basket(weight=[100.0])
    count = valuation.coverage(members, pd.Series("covered", members.index))
    assert count["companies"].tolist() == [0, 0, 0, 0, 1]


def test_one_loss_turns_a_cheap_basket_into_a_dear_one():
    members = basket(cap=[100.0] * 4, income=[10.0, 6, 4, -16], weight=[25.0] * 4)
    table = valuation.pe_table(members)
    assert table["sum, all"] == pytest.approx(400 / 4)
    assert table["sum, profit only"] == pytest.approx(300 / 20)
    assert table["weight, all"] == pytest.approx(100)
    assert table["median P/E, profit only"] == pytest.approx(100 / 6)
    assert table["mean of P/Es, profit only"] == pytest.approx((10 + 100 / 6 + 25) / 3)


def test_weights_change_the_harmonic_mean_only():
    members = basket(cap=[100.0, 300.0], income=[10.0, 10.0], weight=[75.0, 25.0])
    table = valuation.pe_table(members)
    assert table["sum, all"] == pytest.approx(20)
    assert valuation.weighted_yield(members["weight"], members["cap"], members["income"]) == pytest.approx(
        0.75 * 10 + 0.25 * 10 / 3
    )
    assert table["weight, all"] == pytest.approx(12)


@pytest.mark.parametrize("income", [[10.0, -10.0], [5.0, -20.0], [0.0, 0.0]])
def test_no_pe_where_earnings_sum_to_zero_or_less(income):
    members = basket(cap=[100.0, 100.0], income=income, weight=[50.0, 50.0])
    assert math.isnan(valuation.pe_table(members)["sum, all"])
    assert math.isnan(valuation.pe_table(members)["weight, all"])
    assert valuation.earnings_yield(members["cap"], members["income"]) == pytest.approx(sum(income) / 2)


def test_a_basket_of_losses_has_no_profit_only_pe():
    members = basket(cap=[100.0], income=[-1.0], weight=[100.0])
    assert valuation.pe_table(members).isna().all()


def test_yields_refuse_missing_earnings_and_worthless_companies():
    cap, income = pd.Series([100.0, 50.0]), pd.Series([1.0, np.nan])
    with pytest.raises(HelperError, match="missing"):
        valuation.earnings_yield(cap, income)
    with pytest.raises(HelperError, match="zero or negative"):
        valuation.weighted_yield(cap, pd.Series([100.0, 0.0]), pd.Series([1.0, 1.0]))


def test_an_empty_basket_has_no_yield():
    empty = pd.Series(dtype=float)
    assert math.isnan(valuation.earnings_yield(empty, empty))
    assert math.isnan(valuation.weighted_yield(empty, empty, empty))


def test_loss_share_by_number_and_weight_leaves_out_what_is_not_known():
    income = pd.Series([1.0, -1.0, 0.0, np.nan])
    assert valuation.loss_share(income) == pytest.approx(100 / 3)
    assert valuation.loss_share(income, pd.Series([10.0, 30.0, 20.0, 40.0])) == pytest.approx(50)
    assert math.isnan(valuation.loss_share(pd.Series([np.nan])))


def test_loss_bounds_hold_whatever_is_missing():
    assert valuation.loss_bounds(pd.Series([1.0, -1.0, -1.0, np.nan])) == (50, 75)
    with pytest.raises(HelperError, match="no company"):
        valuation.loss_bounds(pd.Series(dtype=float))


def test_share_up_compares_only_pairs():
    table = pd.DataFrame(
        [[1.0, 2.0], [2.0, 2.0], [-3.0, -1.0], [None, 9.0]], columns=[Q("2024Q3"), Q("2025Q3")]
    )
    share, count = valuation.share_up(table, Q("2025Q3"))
    assert (share, count) == (pytest.approx(200 / 3), 3)
    assert math.isnan(valuation.share_up(table, Q("2025Q2"))[0])
