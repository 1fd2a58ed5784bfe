"""Value against growth and one series against another, on closes small enough to be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers import calendar
from helpers.files import Missing
from helpers.measures import style

DAYS = calendar.sessions("2025-12-01", "2025-12-05")
PRICES = pd.DataFrame(
    {
        "V": [100.0, 110, 105, 120, 130],
        "G": [100.0, 105, 100, 100, 110],
        "V2": [50.0, 50, 55, 60, 60],
        "G2": [50.0, 60, 55, 50, 75],
    },
    DAYS,
)
PAIRS = {"one": ("V", "G"), "two": ("V2", "G2")}
SPAN = calendar.since(DAYS[1], DAYS[3])


def test_funds_are_named_once_and_in_order():
    assert style.funds(PAIRS, {"again": ("V", "X")}) == ["V", "G", "V2", "G2", "X"]
    assert style.funds(style.FAMILIES)[:2] == ["IWD", "IWF"]
    assert style.WITH_SPYV == {**style.FAMILIES, "S&P": ("SPYV", "SPYG")}


def test_relative_is_the_difference_of_two_returns():
    assert style.relative(PRICES, "V", "G", SPAN) == pytest.approx((120 / 110 - 100 / 105) * 100)
    with pytest.raises(Missing, match="2025-12-04"):
        style.relative(PRICES.drop(DAYS[3]), "V", "G", SPAN)


def test_lead_is_value_minus_growth_by_family():
    found = style.lead(PRICES, PAIRS, SPAN)
    assert found.to_dict() == pytest.approx(
        {"one": (120 / 110 - 100 / 105) * 100, "two": (60 / 50 - 50 / 60) * 100}
    )
    assert (found.name, found.attrs["unit"]) == (str(SPAN), "pp")
    with pytest.raises(Missing):
        style.lead(PRICES.mask(PRICES == 75), PAIRS, calendar.since(DAYS[0], DAYS[4]))


def test_a_path_begins_with_zero_and_ends_with_the_lead():
    found = style.path(PRICES, PAIRS, "2025-12-02", "2025-12-04")
    assert list(found.index) == list(DAYS[1:4])
    assert found.iloc[0].tolist() == [0, 0]
    assert found.iloc[-1].to_dict() == pytest.approx(style.lead(PRICES, PAIRS, SPAN).to_dict())
    assert found.loc[DAYS[2], "one"] == pytest.approx((105 / 110 - 100 / 105) * 100)
    assert found.attrs["unit"] == "pp"


def test_from_each_start_has_a_row_for_every_session_but_the_last():
    found = style.from_each_start(PRICES, PAIRS, "2025-12-02", "2025-12-04")
    assert list(found.index) == list(DAYS[1:3])
    assert found.iloc[0].to_dict() == pytest.approx(style.lead(PRICES, PAIRS, SPAN).to_dict())
    assert found.loc[DAYS[2], "two"] == pytest.approx((60 / 55 - 50 / 55) * 100)
    assert found.attrs["unit"] == "pp"
    assert not np.isnan(found.to_numpy()).any()
