"""P/E ratios, coverage and loss shares, on baskets small enough to be checked by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers.claims import rules
from helpers.files import HelperError, Missing
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
    rows = valuation.match(members, table)
    found = valuation.status(members, rows, valuation.trailing(rows, Q("2025Q3")))
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
    assert valuation.basket_yield(members, "weight") == pytest.approx(0.75 * 10 + 0.25 * 10 / 3)
    assert table["weight, all"] == pytest.approx(12)


@pytest.mark.parametrize("income", [[10.0, -10.0], [5.0, -20.0], [0.0, 0.0]])
def test_no_pe_where_earnings_sum_to_zero_or_less(income):
    members = basket(cap=[100.0, 100.0], income=income, weight=[50.0, 50.0])
    assert math.isnan(valuation.pe_table(members)["sum, all"])
    assert math.isnan(valuation.pe_table(members)["weight, all"])
    assert valuation.basket_yield(members) == pytest.approx(sum(income) / 2)


def test_a_basket_of_losses_has_no_profit_only_pe():
    members = basket(cap=[100.0], income=[-1.0], weight=[100.0])
    assert valuation.pe_table(members).isna().all()


def test_yields_refuse_missing_earnings_and_worthless_companies():
    with pytest.raises(HelperError, match="missing"):
        valuation.basket_yield(basket(cap=[100.0, 50.0], income=[1.0, np.nan]))
    with pytest.raises(HelperError, match="missing"):
        valuation.basket_yield(basket(cap=[100.0, np.nan], income=[1.0, 1.0]))
    with pytest.raises(HelperError, match="zero or negative"):
        valuation.basket_yield(basket(cap=[100.0, 0.0], income=[1.0, 1.0], weight=[50.0, 50.0]), "weight")


def test_an_empty_basket_has_no_yield():
    empty = basket(cap=[], income=[], weight=[])
    assert math.isnan(valuation.basket_yield(empty))
    assert math.isnan(valuation.basket_yield(empty, "weight"))


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


def fund():
    """Four lines of holdings on two days, with four quarters of earnings and one slip of scale."""
    quarters = pd.period_range("2024Q4", periods=4, freq="Q")
    income = pd.DataFrame(
        [[2.0, 2, 2, 2], [1, 1, 1, None], [-4, -4, -4, -4]], index=["AAAB", "BBB", "DDD"], columns=quarters
    )
    prices = pd.Series({"AAAA": 5.0, "AAAB": 5.5, "BBB": 4.0, "CCC": 1.0, "DDD": 3.0})
    lines = LINES.assign(price=LINES["ticker"].map(prices).mul(1.05).where(LINES["ticker"] == "DDD", 5.0))
    values = pd.DataFrame({"last": prices, "market_cap": CAPS})
    dearer = values.assign(market_cap=values["market_cap"] * 2)
    days = {"2025-11-11": values, "2025-12-05": dearer, "2026-08-21": values.drop("DDD")}
    return valuation.Fund({"2025-11-11": lines}, days, income)


def test_a_fund_gives_its_covered_companies_by_the_quarters_known_that_day():
    found = fund().covered("2025-11-11")
    assert found["income"].to_dict() == {"AAAA": 8, "DDD": -16}
    assert valuation.basket_yield(found) == pytest.approx(-8 / 1300 * 100)
    assert fund().members("2025-11-11", last="2025Q2", quarters=1).loc["BBB", "income"] == 1
    assert valuation.pe(fund().covered("2025-11-11", "2025-12-05"), "sum", "profit only") == 2000 / 8


def test_a_fund_says_which_day_it_lacks():
    with pytest.raises(Missing, match=r"no holdings of 2025-11-05; there are 2025-11-11"):
        fund().members("2025-11-05")
    with pytest.raises(Missing, match=r"no listings of 2025-12-29"):
        fund().members("2025-11-11", "2025-12-29")


def test_a_fund_sets_slips_of_scale_aside_unless_asked():
    quarters = pd.period_range("2024Q3", periods=5, freq="Q")
    income = pd.DataFrame([[1.0, 1, 2, 1, 5000]], index=["DDD"], columns=quarters)
    found = valuation.Fund(fund().lists, fund().values, income)
    assert found.covered("2025-11-11").empty
    assert found.covered("2025-11-11", raw=True)["income"].tolist() == [5004]


def test_quarterly_figures_are_of_stocks_only():
    table = fund().quarterly("2025-11-11")
    assert "DELTA INC CVR" not in table.index
    assert table.loc["AAAA"].tolist() == [2, 2, 2, 2]


def test_market_values_come_by_day(tmp_path):
    rows = {"symbol": ["A", "A", "B"], "last": [1.0, 2.0, 3.0], "market_cap": [10.0, 20.0, 30.0]}
    frame = pd.DataFrame(rows).assign(date=pd.to_datetime(["2025-11-11", "2025-11-12", "2025-11-12"]))
    frame.to_parquet(tmp_path / "panel.parquet")
    found = valuation.market_values(tmp_path / "panel.parquet", ["2025-11-12", "2025-11-13"])
    assert list(found) == ["2025-11-12"]
    assert found["2025-11-12"]["market_cap"].to_dict() == {"A": 20, "B": 30}


def test_quality_counts_what_might_be_wrong():
    found = valuation.quality(fund(), "2025-11-11", "2026-08-21")
    assert found["lines of the file that are cash or futures"] == "1"
    assert found["lines that are a second class of a company"] == "1"
    assert (
        found["companies no longer listed on the last session of the data"] == "2"
    )  # DDD, and what has no ticker
    assert found["covered companies with a loss"] == "1"
    assert found["stocks whose listed price differs from the fund’s by more than 3 %"] == "5"


def test_losses_count_in_part_where_asked():
    members = basket(cap=[100.0, 100.0], income=[10.0, -10.0], weight=[50.0, 50.0])
    assert valuation.pe(members) is None
    assert valuation.pe(members, counted=50) == pytest.approx(200 / 5)
    assert valuation.pe(members, "weight", "profit only") == pytest.approx(10)
    assert valuation.basket_yield(members, "weight", counted=0) == pytest.approx(5)


def test_figures_name_the_basket_and_give_no_ratio_below_zero():
    found = {label: value for label, value, _ in valuation.figures(fund().covered("2025-11-11"), "Ours")}
    assert found["Ours: companies covered"] == 2
    assert found["Ours: sum of net income of the companies with a loss"] == pytest.approx(-16e-9)
    assert found["Ours: P/E of the companies with a profit, by market value"] == 125
    assert found["Ours: sum of market values over sum of net income (below zero: no P/E)"] == -1300 / 8


def pairs(*rows):
    columns = [Q("2024Q2"), Q("2024Q3"), Q("2025Q2"), Q("2025Q3")]
    return pd.DataFrame(rows, columns=columns, dtype=float)


def test_a_change_of_shares_is_paired():
    # up in both, gained, gained, lost, and one without all four figures
    table = pairs([0, 0, 1, 1], [0, 0, 0, 1], [0, 0, -1, 1], [0, 0, 1, 0], [None, 0, 1, 1])
    change, t, count = valuation.share_up_change(table, Q("2025Q3"), Q("2025Q2"))
    assert (change, count) == (pytest.approx(25), 4)
    assert t == pytest.approx(0.25 / (math.sqrt(3 - 1 / 4) / 4))  # McNemar: gained 2, lost 1
    weight = pd.Series([0.0, 0, 0, 1, 1])
    assert valuation.share_up_change(table, Q("2025Q3"), Q("2025Q2"), weight)[0] == pytest.approx(-100)


def test_rising_gives_shares_by_number_and_weight():
    table = pairs([0, 1, 1, 2], [0, -1, 1, -2], [0, None, 1, 1])
    found = valuation.rising(table, pd.Series([30.0, 10, 60]), [Q("2025Q3"), Q("2025Q2")])
    assert found.loc["2025Q3"].tolist() == [50, pytest.approx(50 / math.sqrt(2)), 75, 100, 2]
    assert found.loc["2025Q2", "Members with more, %"] == 100


def facts(*rows):
    return [
        rules.Fact(id_, day, subject, "", value, "x", "secondary", "") for id_, day, subject, value in rows
    ]


def test_readings_know_provider_and_kind():
    found = valuation.readings(
        facts(
            ("late", "2025-12-05", "Index P/E, Table, with loss-makers", "36.75"),
            ("first", "2018-10", "Index P/E, Table, with loss-makers", "58"),
            ("loss", "2020-12", "Index P/E, Other, with loss-makers", "negative"),
            ("kind", "2019-01", "Index P/E, Table, without loss-makers", "20"),
            ("after", "2026-07-24", "Index P/E, Table, with loss-makers", "37"),
            ("else", "2019-01", "Origin of the P/E", "1"),
        ),
        "Index P/E",
        upto="2025-12-11",
    )
    assert list(found.index) == ["first", "kind", "loss", "late"]
    assert found["losses"].tolist() == ["counted", "left out", "counted", "counted"]
    assert math.isnan(found.loc["loss", "pe"])
    with pytest.raises(HelperError, match="no 'Another P/E'"):
        valuation.readings([], "Another P/E", upto="2025-12-11")


def test_a_ratio_to_the_past_leaves_the_last_out_of_its_past():
    assert valuation.over_own_past(pd.Series([10.0, np.nan, 20, 30])) == 2
    assert valuation.over_own_past(pd.Series([10.0, 40, 50]), "mean") == 2
    with pytest.raises(HelperError, match="one before it"):
        valuation.over_own_past(pd.Series([10.0, np.nan]))


def test_the_value_spread_moves_with_prices_between_two_junes():
    months = pd.period_range("2025-07", "2026-07", freq="M")
    book = pd.DataFrame({"growth": 0.1, "value": [1.0] * 12 + [0.8]}, index=months)
    monthly = pd.DataFrame({"growth": 0.0, "value": [100.0] + [0.0] * 11 + [0.0]}, index=months)
    found = valuation.value_spread(book, monthly, "growth", "value")
    assert found["2025-07"] == pytest.approx(5)  # value doubled, so that its book-to-market halved
    assert found["2026-06"] == pytest.approx(5)
    assert found["2026-07"] == pytest.approx(8)  # formed anew
