"""Kenneth French's data files: several tables in one CSV, read into frames with units and dates.

A file holds blocks parted by blank lines: lines of heading, a line of column names (its first cell is empty
or ``Date``), rows. Missing values are coded -99.99 or -999 and become NaN::

    tables = french.sections(mkt.file("french/25_Portfolios_5x5.csv"))
    returns = french.five_by_five(tables["Average Value Weighted Returns -- Monthly"])
    hml = french.factors(mkt.file("french/F-F_Research_Data_Factors.csv"))["HML"]
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.files import HelperError

#: What stands for a missing value; the file's preamble says so.
MISSING_CODES = (-99.99, -999.0)
FACTORS = ["Mkt-RF", "SMB", "HML", "RF"]
_ROW = re.compile(r"\s*(\d{4}|\d{6}|\d{8}|\d{4}-\d\d-\d\d)\s*,")
#: Frequency of a table by the length of its dates, pandas' letter for it, and its unit; longer dates are days.
_PERIODS = {4: ("annual", "Y", "a year"), 6: ("monthly", "M", "a month")}
_DAYS = ("daily", "D", "a day")
_UNITS = {"Returns": "percent", "Factors": "percent", "Number of Firms": "firms", "Market Cap": "million USD"}
_UNITS |= dict.fromkeys(["BE", "OP", "investment"], "ratio")
_PORTFOLIOS = {(size, value): f"ME{size} BM{value}" for size in range(1, 6) for value in range(1, 6)}
_PORTFOLIOS |= {(1, 1): "SMALL LoBM", (1, 5): "SMALL HiBM", (5, 1): "BIG LoBM", (5, 5): "BIG HiBM"}
_REMEDY = "the provider changed the layout, or the file is damaged: fetch it again or adapt helpers/measures/french.py"


def sections(path: Path) -> dict[str, pd.DataFrame]:
    """Every table of a file by its heading: the line that names the content, up to " Calculated".

    A table without heading is called ``"monthly"``, ``"annual"`` or ``"daily"``. Rows are periods, or sessions
    (daily). ``attrs`` hold ``heading`` (whole), ``unit`` (percent a month, firms, million USD, ratio, or "not
    stated"), ``frequency`` and ``missing`` (cells with a missing code). Raises HelperError for a file without a
    table, rows without column names, a row with another number of cells or something else than numbers, a month or
    year left out or out of order, two tables of one name, a return below -100 percent that is no missing code.
    """
    try:
        read = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HelperError(f"{path.name} cannot be read ({error}); fetch it again.") from None
    # A spreadsheet that saved the file leaves commas: a line of nothing else is a blank line.
    lines = [line if _ROW.match(line) else line.rstrip(", \t") for line in read]
    found: dict[str, pd.DataFrame] = {}
    heading: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if _ROW.match(line):
            raise _fault(path, position, "the rows have no line of column names above them")
        if _is_header(line):
            end = next((i for i in range(position + 1, len(lines)) if not lines[i].strip()), len(lines))
            frame = _table(path, lines, position, end)
            name = _name(heading) or frame.attrs["frequency"]
            if name in found:
                raise _fault(path, position, f"there is a second table '{name}'")
            found[name] = _described(frame, path, position, heading)
            heading, position = [], end
        else:
            # A blank line ends the preamble; the heading is what stands right above the column names.
            heading = [*heading, line.strip()] if line.strip() else []
            position += 1
    if not found:
        raise HelperError(f"{path.name} holds no table; {_REMEDY}.")
    return found


def factors(path: Path) -> pd.DataFrame:
    """``Mkt-RF, SMB, HML, RF`` by period or session, percent (``attrs["unit"]``), monthly or daily as the file is.

    Raises HelperError if it has no such table.
    """
    tables = sections(path)
    frame = tables.get("monthly", tables.get("daily"))
    if frame is None or any(name not in frame for name in FACTORS):
        raise HelperError(
            f"{path.name} has no monthly or daily table of {', '.join(FACTORS)}, but "
            f"{'; '.join(tables)}; {_REMEDY}."
        )
    return frame[FACTORS]


def five_by_five(frame: pd.DataFrame) -> pd.DataFrame:
    """A table of the 25 portfolios with columns (size, value): 1 is small or low BE/ME, 5 big or high.

    Raises HelperError if the columns are not the 25 portfolios in the file's order.
    """
    if list(frame.columns) != list(_PORTFOLIOS.values()):
        raise HelperError(
            f"The columns are not the 25 portfolios on size and BE/ME in their order; {_REMEDY}."
        )
    return frame.set_axis(pd.MultiIndex.from_tuples(_PORTFOLIOS, names=["size", "value"]), axis=1)


def _fault(path: Path, position: int, what: str) -> HelperError:
    return HelperError(f"{path.name} line {position + 1}: {what}; {_REMEDY}.")


def _is_header(line: str) -> bool:
    cells = [cell.strip() for cell in line.split(",")]
    return len(cells) > 1 and cells[0] in {"", "Date"} and all(cells[1:])


def _name(heading: list[str]) -> str:
    # "For portfolios formed in June of year t" stands above four tables and names none of them.
    lines = [line for line in heading if not line.startswith("For portfolios formed")]
    return lines[0].split(" Calculated")[0].rstrip(" :") if lines else ""


def _table(path: Path, lines: list[str], header: int, end: int) -> pd.DataFrame:
    columns = [cell.strip() for cell in lines[header].split(",")[1:]]
    labels, values = [], []
    for position in range(header + 1, end):
        cells = lines[position].split(",")
        if not _ROW.match(lines[position]) or len(cells) != len(columns) + 1:
            raise _fault(path, position, f"this is no row of a date and {len(columns)} values")
        try:
            values.append([float(cell) for cell in cells[1:]])
            if not np.isfinite(values[-1]).all():
                raise ValueError
        except ValueError:
            raise _fault(path, position, "a cell holds no number") from None
        labels.append(cells[0].strip())
    if not labels:
        raise _fault(path, header, "there is no row below the column names")
    frame = pd.DataFrame(values, index=_dates(path, header, labels), columns=columns)
    codes = np.isclose(frame.to_numpy()[..., None], MISSING_CODES, rtol=0, atol=1e-9).any(axis=-1)
    frame = frame.mask(codes)
    frequency, _, per = _PERIODS.get(len(labels[0]), _DAYS)
    frame.attrs = {"frequency": frequency, "missing": int(codes.sum()), "unit": f"percent {per}"}
    return frame


def _dates(path: Path, header: int, labels: list[str]) -> pd.Index:
    if len({len(label) for label in labels}) > 1:
        raise _fault(path, header, "the rows below mix years, months and days")
    try:
        if len(labels[0]) not in _PERIODS:
            days = pd.DatetimeIndex(pd.to_datetime(labels, format="ISO8601"), name="date")
            if not days.is_monotonic_increasing or days.has_duplicates:
                raise _fault(path, header, "the days below are not in order")
            return days
        frequency = _PERIODS[len(labels[0])][1]
        form = "%Y%m" if frequency == "M" else "%Y"
        dates = pd.PeriodIndex(pd.to_datetime(labels, format=form), freq=frequency, name="date")
    except ValueError as error:
        raise _fault(path, header, f"a date below cannot be read ({str(error).splitlines()[0]})") from None
    steps = np.diff(dates.asi8)
    if (steps != 1).any():
        first = int(np.argmax(steps != 1))
        raise _fault(path, header + 2 + first, f"{dates[first + 1]} does not follow {dates[first]}")
    return dates


def _described(frame: pd.DataFrame, path: Path, header: int, heading: list[str]) -> pd.DataFrame:
    name = _name(heading) or "Factors"
    unit = next((unit for word, unit in _UNITS.items() if word in name), "not stated")
    frame.attrs["heading"] = "\n".join(heading)
    if unit != "percent":
        frame.attrs["unit"] = unit
    elif (impossible := (frame.lt(-100) | frame.gt(1000)).any(axis=1).to_numpy()).any():
        row = header + 1 + int(impossible.argmax())
        raise _fault(path, row, "a return lies outside -100 to 1000 percent and is no missing code")
    return frame
