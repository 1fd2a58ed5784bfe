"""Price/earnings ratios of a basket, with and without its loss-makers, from holdings, caps and net income.

A P/E of a group is the sum of market values over the sum of earnings (Siegel 2016, "The Shiller CAPE Ratio:
A New Look", Financial Analysts Journal 72(3), on why the sum counts every loss in full). Where the earnings
sum to nothing or less there is no P/E: such a ratio is NaN here, never a negative number that would look
cheap. The earnings yield, its inverse, has a value in every case.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.files import HelperError

#: Statuses of a line of a holdings file, in the order in which :func:`status` asks for them.
STATUSES = (
    "right, warrant or escrow",
    "no market value that day",
    "unknown to the earnings file",
    "fewer than four quarters",
    "covered",
)
# Never the first word: CVR Energy is a stock, a CVR (contingent value right) is none.
_NO_STOCK = r"\s(?:CVR|RIGHTS|WARRANTS?|ESCROW|PRVT)\b"
_CLASS = r"\s+(?:CLASS|SERIES)\b.*$"


def latest_quarter(day: str | pd.Timestamp, lag: int = 40, annual_lag: int = 75) -> pd.Period:
    """The last calendar quarter whose report is due by ``day``.

    Parameters
    ----------
    day : the day on which somebody wants to know
    lag : days from the end of a first, second or third quarter to its report. Accelerated filers of the SEC
        have 40 days for form 10-Q, the rest 45.
    annual_lag : days from the end of a fourth quarter. Accelerated filers have 75 days for form 10-K, large
        ones 60, the rest 90.

    Returns
    -------
    Quarterly Period.
    """
    quarter = pd.Timestamp(day).to_period("Q") - 1
    while quarter.end_time.normalize() + pd.Timedelta(days=annual_lag if quarter.quarter == 4 else lag) > (
        pd.Timestamp(day)
    ):
        quarter -= 1
    return quarter


def quarter_table(rows: pd.DataFrame, account: str) -> pd.DataFrame:
    """Quarterly figures of one account: one row a ticker, one column a quarter (Period), USD.

    Parameters
    ----------
    rows : frame with ``ticker, year, quarter, account, amount``

    Raises
    ------
    HelperError for an unknown account, or if a ticker has two figures for one quarter.
    """
    chosen = rows[rows["account"] == account]
    if chosen.empty:
        raise HelperError(
            f"There is no account '{account}'; there are {', '.join(sorted(set(rows['account'])))}."
        )
    if chosen.duplicated(["ticker", "year", "quarter"]).any():
        twice = chosen[chosen.duplicated(["ticker", "year", "quarter"])].iloc[0]
        raise HelperError(
            f"{twice['ticker']} has two figures of {account} for {twice['year']}Q{twice['quarter']}; keep one."
        )
    stamp = pd.PeriodIndex.from_fields(year=chosen["year"], quarter=chosen["quarter"], freq="Q")
    table = pd.DataFrame(
        {"ticker": chosen["ticker"].to_numpy(), "stamp": stamp, "amount": chosen["amount"].to_numpy(float)}
    ).pivot_table(index="ticker", columns="stamp", values="amount", aggfunc="first")
    return table.reindex(columns=pd.period_range(stamp.min(), stamp.max(), freq="Q")).rename_axis(
        columns=None
    )


def suspects(table: pd.DataFrame, ratio: float = 200, fewest: int = 4) -> pd.DataFrame:
    """True where a quarter is so far out of its company's scale that thousands were probably taken for dollars.

    A quarter is suspect if its magnitude exceeds ``ratio`` times the median magnitude of the company's other
    quarters, of which there are at least ``fewest``.
    """
    size = table.abs().to_numpy()
    found = np.zeros(size.shape, dtype=bool)
    for column in range(size.shape[1]):
        others = np.delete(size, column, axis=1)
        enough = (~np.isnan(others)).sum(axis=1) >= fewest
        middle = np.full(len(size), np.nan)
        middle[enough] = np.nanmedian(others[enough], axis=1)
        found[:, column] = size[:, column] > ratio * middle
    return pd.DataFrame(found, table.index, table.columns)


def trailing(table: pd.DataFrame, last: pd.Period, quarters: int = 4) -> pd.Series:
    """Sum of the ``quarters`` quarters that end with ``last``; NaN unless every one of them is there."""
    wanted = pd.period_range(end=last, periods=quarters, freq="Q")
    return table.reindex(columns=wanted).sum(axis=1, min_count=quarters).rename("income")


def companies(holdings: pd.DataFrame, caps: pd.Series) -> pd.DataFrame:
    """A fund's stocks, one row a company: classes of one company are one company.

    A listing quotes the whole company's value beside each of its classes, so that adding the classes would
    count it twice. Two lines are classes of one company if their names agree up to the words "CLASS" or
    "SERIES" and their tickers in the first three letters (namesakes do not).

    Parameters
    ----------
    holdings : lines of the file with ``ticker, name, sector, market_value, asset_class``; cash and futures
        (an asset class that is neither "Equity" nor missing) are left out here
    caps : market value of the whole company in USD, indexed by symbol

    Returns
    -------
    Frame by ticker (that of the class with the most money in the fund): ``name, sector, weight`` (percent of
    the fund's stocks, all classes together), ``cap`` (USD, of the first class that has one), ``classes``
    (tuple of tickers) and ``stock`` (False for rights, warrants, escrows).
    """
    lines = holdings[holdings["asset_class"].isna() | holdings["asset_class"].eq("Equity")].copy()
    lines["key"] = lines["ticker"].where(lines["ticker"].str.isalnum(), lines["name"])
    lines["stock"] = ~lines["name"].str.contains(_NO_STOCK, regex=True, case=False)
    lines["cap"] = lines["key"].map(caps[caps > 0]).where(lines["stock"])
    lines["weight"] = lines["market_value"] / lines["market_value"].sum() * 100
    lines["company"] = lines["name"].str.replace(_CLASS, "", regex=True) + "/" + lines["key"].str[:3]
    lines.loc[~lines["stock"], "company"] = "/" + lines["key"] + lines["name"]
    lines = lines.sort_values(["weight", "key"], ascending=[False, True], kind="stable")
    grouped = lines.groupby("company", sort=False)
    out = grouped.agg(
        ticker=("key", "first"),
        name=("name", "first"),
        sector=("sector", "first"),
        weight=("weight", "sum"),
        cap=("cap", "first"),
        classes=("key", lambda keys: tuple(dict.fromkeys(keys))),
        stock=("stock", "first"),
    )
    # A right may carry its stock's ticker; the stock keeps it.
    order = out.sort_values("stock", ascending=False, kind="stable")
    twice = order["ticker"].duplicated()
    order.loc[twice, "ticker"] = order.loc[twice, "name"]
    return order.loc[out.index].set_index("ticker")


def match(members: pd.DataFrame, table: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Rows of ``table`` for each company: of the first of its classes that the table knows; NaN if none."""
    known = table.dropna() if isinstance(table, pd.Series) else table.dropna(how="all")
    index = set(known.index)
    keys = [next((key for key in classes if key in index), None) for classes in members["classes"]]
    return table.reindex(pd.Index(keys, dtype=object)).set_axis(members.index, axis=0)


def status(members: pd.DataFrame, table: pd.DataFrame, last: pd.Period) -> pd.Series:
    """Why a company is or is not covered: the first of :data:`STATUSES` that fits, by company.

    Parameters
    ----------
    members : from :func:`companies`
    table : from :func:`quarter_table`
    last : the last of the four quarters that are needed
    """
    quarters = match(members, table)
    enough = trailing(quarters, last).notna()
    tests = [
        ~members["stock"].astype(bool),
        members["cap"].isna(),
        quarters.notna().sum(axis=1) == 0,
        ~enough,
    ]
    return pd.Series(np.select(tests, STATUSES[:-1], STATUSES[-1]), members.index, name="status")


def coverage(members: pd.DataFrame, found: pd.Series) -> pd.DataFrame:
    """How many companies, and what weight (percent), have each status; one row for each, empty ones too."""
    grouped = members["weight"].groupby(found)
    table = pd.DataFrame({"companies": grouped.size(), "weight": grouped.sum()})
    return table.reindex(list(STATUSES)).fillna({"companies": 0, "weight": 0.0}).astype({"companies": int})


def earnings_yield(cap: pd.Series, income: pd.Series) -> float:
    """Sum of ``income`` over sum of ``cap``, in percent; NaN without any market value.

    Each company counts by its whole value. Companies with a missing figure must be left out before.
    """
    _complete(cap, income)
    total = float(cap.sum())
    return float(income.sum()) / total * 100 if total > 0 else float("nan")


def weighted_yield(weight: pd.Series, cap: pd.Series, income: pd.Series) -> float:
    """Mean of the companies' own earnings yields by their ``weight`` in the fund, in percent.

    Its inverse is the harmonic mean P/E: what a holder of the fund pays for a dollar of earnings.
    """
    _complete(cap, income)
    total = float(weight.sum())
    return float((weight * income / cap).sum()) / total * 100 if total > 0 else float("nan")


def _complete(cap: pd.Series, income: pd.Series) -> None:
    if cap.isna().any() or income.isna().any():
        raise HelperError("A market value or a sum of earnings is missing; leave such companies out first.")
    if (cap <= 0).any():
        raise HelperError("A market value is zero or negative; leave such companies out first.")


def pe_of(yield_percent: float) -> float:
    """The P/E that belongs to an earnings yield in percent; NaN where earnings are zero or negative."""
    return 100 / yield_percent if yield_percent > 0 else float("nan")


def pe_table(members: pd.DataFrame) -> pd.Series:
    """The P/E of one basket by every method in use; NaN where a method has no P/E.

    Parameters
    ----------
    members : covered companies with ``weight, cap, income``

    Returns
    -------
    Series: ``sum, all`` and ``sum, profit only`` (market values over earnings), ``weight, all`` and
    ``weight, profit only`` (harmonic means by fund weight), ``mean of P/Es, profit only`` (arithmetic, by
    fund weight) and ``median P/E, profit only``.
    """
    profit = members[members["income"] > 0]
    ratio = profit["cap"] / profit["income"]
    out = {}
    for name, chosen in (("all", members), ("profit only", profit)):
        out[f"sum, {name}"] = pe_of(earnings_yield(chosen["cap"], chosen["income"]))
        out[f"weight, {name}"] = pe_of(weighted_yield(chosen["weight"], chosen["cap"], chosen["income"]))
    held = profit["weight"].sum()
    out["mean of P/Es, profit only"] = float((ratio * profit["weight"]).sum() / held) if held else np.nan
    out["median P/E, profit only"] = float(ratio.median())
    return pd.Series(out, name="P/E")


def loss_share(income: pd.Series, weight: pd.Series | None = None) -> float:
    """Percent of companies (or of ``weight``) with a net loss; earnings of zero are no loss.

    Companies without earnings (NaN) are left out of both sides. NaN if none is left.
    """
    known = income.notna()
    size = pd.Series(1.0, income.index) if weight is None else weight
    total = float(size[known].sum())
    return float(size[known & (income < 0)].sum()) / total * 100 if total > 0 else float("nan")


def loss_bounds(income: pd.Series) -> tuple[float, float]:
    """Percent of loss-makers if every company without earnings made a profit, and if each made a loss.

    Bounds without any assumption on what is missing (Manski 1989, "Anatomy of the Selection Problem").
    """
    count = len(income)
    if not count:
        raise HelperError("There is no company to count.")
    losses, unknown = int((income < 0).sum()), int(income.isna().sum())
    return losses / count * 100, (losses + unknown) / count * 100


def share_up(table: pd.DataFrame, quarter: pd.Period, back: int = 4) -> tuple[float, int]:
    """Percent of companies whose figure of ``quarter`` exceeds that of ``back`` quarters before, and their number.

    Only companies with both figures count.
    """
    pair = table.reindex(columns=[quarter - back, quarter]).dropna()
    count = len(pair)
    return (float((pair.iloc[:, 1] > pair.iloc[:, 0]).mean() * 100) if count else float("nan")), count
