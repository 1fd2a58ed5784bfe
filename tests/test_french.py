"""Kenneth French's files: every table found, missing codes counted, a changed layout refused by name and line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.files import HelperError
from helpers.measures import french

NAMES = [f"ME{size} BM{value}" for size in range(1, 6) for value in range(1, 6)]
NAMES[0], NAMES[4], NAMES[20], NAMES[24] = "SMALL LoBM", "SMALL HiBM", "BIG LoBM", "BIG HiBM"

PORTFOLIOS = """\
This file was created using the 202512 CRSP database.
It contains value- and equal-weighted returns for portfolios formed on ME and BEME.

Missing data are indicated by -99.99 or -999.


  Average Value Weighted Returns -- Monthly
,SMALL LoBM,BIG HiBM
192611,   5.8276,  -1.7006
192612, -99.9900,  -8.0282
192701,  -4.8291, -99.99


  Average Value Weighted Returns -- Annual
,SMALL LoBM,BIG HiBM
  1927,  52.2736,  30.2744


  Number of Firms in Portfolios
,SMALL LoBM,BIG HiBM
192611,      7,      0


  For portfolios formed in June of year t
  Value Weight Average of BE/ME Calculated for June of t to June of t+1 as:\x20
  Sum[ME(Mth) * BE(Fiscal Year t-1) / ME(Dec t-1)] / Sum[ME(Mth)]
,SMALL LoBM,BIG HiBM
192611,   0.3023, -999

Copyright 2025 Eugene F. Fama and Kenneth R. French
"""

MONTHLY = (
    ",Mkt-RF,SMB,HML,RF\r\n192607,   2.89,  -2.55,  -2.39,   0.22\r\n192608,   2.64,  -1.14,   3.81,   0.25\r\n\r\n"
    " Annual Factors: January-December\r\n,Mkt-RF,SMB,HML,RF\r\n"
    "  1927,  29.44,  -2.20,  -4.58,   3.12\r\n\r\nCopyright\r\n"
)

DAILY = """\
This file was created by using the 202604 CRSP database.
The Tbill return is the simple daily rate that, over the number of trading days, compounds to the bill's.

Date,Mkt-RF,SMB,HML,RF
1926-07-01,    0.09,   -0.25,   -0.27,    0.01
1926-07-02,    0.45,   -0.33,   -0.06,    0.01
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_bytes(text.encode())
    return path


def test_every_table_is_found_with_its_unit_dates_and_missing_codes(tmp_path: Path) -> None:
    tables = french.sections(write(tmp_path, PORTFOLIOS))
    assert {name: (table.attrs["unit"], table.attrs["missing"]) for name, table in tables.items()} == {
        "Average Value Weighted Returns -- Monthly": ("percent a month", 2),
        "Average Value Weighted Returns -- Annual": ("percent a year", 0),
        "Number of Firms in Portfolios": ("firms", 0),
        "Value Weight Average of BE/ME": ("ratio", 1),
    }
    monthly = tables["Average Value Weighted Returns -- Monthly"]
    assert list(monthly.index.astype(str)) == ["1926-11", "1926-12", "1927-01"]
    assert list(monthly.columns) == ["SMALL LoBM", "BIG HiBM"]
    np.testing.assert_array_equal(monthly, [[5.8276, -1.7006], [np.nan, -8.0282], [-4.8291, np.nan]])
    assert tables["Average Value Weighted Returns -- Annual"].index[0] == pd.Period("1927", "Y")
    # A portfolio without a firm holds none: zero is a number, only the codes are missing.
    assert tables["Number of Firms in Portfolios"].loc["1926-11", "BIG HiBM"] == 0
    assert "ME(Dec t-1)" in tables["Value Weight Average of BE/ME"].attrs["heading"]


def test_the_first_table_of_the_factor_file_is_monthly_and_the_annual_one_stays_apart(tmp_path: Path) -> None:
    path = write(tmp_path, MONTHLY)
    assert list(french.sections(path)) == ["monthly", "Annual Factors: January-December"]
    factors = french.factors(path)
    assert factors.attrs["unit"] == "percent a month"
    assert len(factors) == 2
    assert factors.loc["1926-08", "HML"] == 3.81


def test_daily_factors_are_indexed_by_day(tmp_path: Path) -> None:
    for text in (DAILY, DAILY.replace("1926-07-01", "19260701").replace("1926-07-02", "19260702")):
        factors = french.factors(write(tmp_path, text))
        assert factors.index[0] == pd.Timestamp("1926-07-01")
        assert factors.attrs["unit"] == "percent a day"
        assert factors["SMB"].tolist() == [-0.25, -0.33]


def test_the_25_portfolios_are_named_by_size_and_value() -> None:
    grid = french.five_by_five(pd.DataFrame([range(25)], columns=NAMES))
    assert grid.loc[0, (1, 1)] == 0
    assert grid.loc[0, (1, 5)] == 4
    assert grid.loc[0, (5, 5)] == 24
    assert grid.xs(5, axis=1, level="value").columns.tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(HelperError, match="25 portfolios"):
        french.five_by_five(pd.DataFrame([range(25)], columns=NAMES[::-1]))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("192612, -99.9900,  -8.0282\n", "", r"line 10: 1927-01 does not follow 1926-11"),
        ("192612, -99.9900,  -8.0282", "192612,  -8.0282", r"line 10: this is no row of a date and 2 values"),
        ("192612, -99.9900,  -8.0282", "192612,  12.3.4,  -8.0282", r"line 10: a cell holds no number"),
        ("192612, -99.9900,  -8.0282", "192612, -123.4,  -8.0282", r"line 10: a return lies outside -100"),
        ("192612, -99.9900,  -8.0282", "1926,   1.0,  -8.0282", r"mix years, months and days"),
        ("192612, -99.9900,  -8.0282", "192613,   1.0,  -8.0282", r"a date below cannot be read"),
        ("\n192611,      7,      0", "", r"there is no row below the column names"),
        ("Returns -- Annual\n,SMALL LoBM,BIG HiBM\n", "Returns -- Annual\n", r"no line of column names"),
        ("  Number of Firms in Portfolios", "  Average Value Weighted Returns -- Annual", r"a second table"),
    ],
)
def test_a_changed_layout_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in PORTFOLIOS
    with pytest.raises(HelperError, match=complaint):
        french.sections(write(tmp_path, PORTFOLIOS.replace(old, new)))


def test_files_that_are_no_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HelperError, match="holds no table"):
        french.sections(write(tmp_path, "<html>Service unavailable</html>\n"))
    with pytest.raises(HelperError, match="cannot be read"):
        french.sections(tmp_path / "absent.csv")
    with pytest.raises(HelperError, match="no monthly or daily table of Mkt-RF"):
        french.factors(write(tmp_path, PORTFOLIOS))
    with pytest.raises(HelperError, match="not in order"):
        french.factors(write(tmp_path, DAILY.replace("1926-07-02", "1926-07-01")))
