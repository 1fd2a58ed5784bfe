"""Price/earnings ratios of a basket, with and without its loss-makers, from holdings, caps and net income.

A P/E of a group is the sum of market values over the sum of earnings (Siegel 2016, "The Shiller CAPE Ratio: A New
Look", Financial Analysts Journal 72(3), on why every loss counts in full). Where the earnings sum to nothing or
less there is no P/E: NaN, never a negative number that would look cheap. The earnings yield always has a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import duckdb
import numpy as np
import pandas as pd

from helpers.files import HelperError, Missing

if TYPE_CHECKING:
    from helpers.market import Market

Table = TypeVar("Table", pd.Series, pd.DataFrame)
Tables: TypeAlias = dict[str, pd.DataFrame]

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

    The SEC's accelerated filers have 40 days for form 10-Q (``lag``), the rest 45; for a fourth quarter accelerated
    filers have 75 days for form 10-K (``annual_lag``), large ones 60, the rest 90.
    """
    quarter = pd.Timestamp(day).to_period("Q") - 1
    while quarter.end_time.normalize() + pd.Timedelta(days=annual_lag if quarter.quarter == 4 else lag) > (
        pd.Timestamp(day)
    ):
        quarter -= 1
    return quarter


def quarter_table(rows: pd.DataFrame, account: str) -> pd.DataFrame:
    """Quarterly figures of one account, USD: a row a ticker, a column a quarter (Period).

    ``rows`` have ``ticker, year, quarter, account, amount``. Raises HelperError for an unknown account or two
    figures.
    """
    chosen = rows[rows["account"] == account]
    if chosen.empty:
        raise HelperError(
            f"There is no account '{account}'; there are {', '.join(sorted(set(rows['account'])))}."
        )
    if len(twice := chosen[chosen.duplicated(["ticker", "year", "quarter"])]):
        ticker, year, quarter = twice.iloc[0][["ticker", "year", "quarter"]]
        raise HelperError(f"{ticker} has two figures of {account} for {year}Q{quarter}; keep one.")
    stamp = pd.PeriodIndex.from_fields(year=chosen["year"], quarter=chosen["quarter"], freq="Q")
    table = chosen.assign(stamp=stamp, amount=chosen["amount"].astype(float)).pivot_table(
        index="ticker", columns="stamp", values="amount", aggfunc="first"
    )
    return table.reindex(columns=pd.period_range(stamp.min(), stamp.max(), freq="Q"))


def suspects(table: pd.DataFrame, ratio: float = 200, fewest: int = 4) -> pd.DataFrame:
    """True where a figure exceeds ``ratio`` times the median magnitude of its company's others, at least ``fewest``.

    So far out of scale thousands were probably taken for dollars.
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
    """A fund's stocks, one row a company: a listing quotes the whole company's value beside each of its classes.

    Two lines are classes of one company if their names agree up to "CLASS" or "SERIES" and their tickers in the
    first three letters (namesakes do not). ``holdings`` have ``ticker, name, sector, market_value, asset_class``;
    cash and futures (neither "Equity" nor missing) are left out. ``caps`` are market values of whole companies,
    USD, by symbol.

    Returns a frame by ticker (of the class with the most money in the fund): ``name, sector, weight`` (percent of
    the fund's stocks, all classes), ``cap`` (of the first class that has one), ``classes`` (tuple of tickers) and
    ``stock`` (False for rights, warrants, escrows).
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
    firsts = dict.fromkeys(["key", "name", "sector", "weight", "cap", "stock"], "first") | {"weight": "sum"}
    out = grouped.agg(firsts).rename(columns={"key": "ticker"})
    out["classes"] = grouped["key"].unique().map(tuple)
    # A right may carry its stock's ticker; the stock keeps it.
    order = out.sort_values("stock", ascending=False, kind="stable")
    twice = order["ticker"].duplicated()
    order.loc[twice, "ticker"] = order.loc[twice, "name"]
    return order.loc[out.index].set_index("ticker")


def match(members: pd.DataFrame, table: Table) -> Table:
    """Rows of ``table`` for each company: of the first of its classes that the table knows; NaN if none."""
    index = set(table.dropna(how="all").index)
    keys = [next((key for key in classes if key in index), None) for classes in members["classes"]]
    return table.reindex(pd.Index(keys, dtype=object)).set_axis(members.index, axis=0)


def status(members: pd.DataFrame, quarters: pd.DataFrame, income: pd.Series) -> pd.Series:
    """Why a company is or is not covered: the first of :data:`STATUSES` that fits, by company.

    ``quarters`` are its rows of a :func:`quarter_table`, ``income`` the :func:`trailing` sum that is needed.
    """
    unknown = quarters.notna().sum(axis=1) == 0
    tests = [~members["stock"].astype(bool), members["cap"].isna(), unknown, income.isna()]
    return pd.Series(np.select(tests, STATUSES[:-1], STATUSES[-1]), members.index, name="status")


def coverage(members: pd.DataFrame, found: pd.Series) -> pd.DataFrame:
    """How many companies, and what weight (percent), have each status; one row for each, empty ones too."""
    grouped = members["weight"].groupby(found)
    table = pd.DataFrame({"companies": grouped.size(), "weight": grouped.sum()})
    return table.reindex(list(STATUSES)).fillna({"companies": 0, "weight": 0.0}).astype({"companies": int})


def market_values(panel: str | Path, days: Iterable[str]) -> Tables:
    """Price (``last``) and market value of the whole company (``market_cap``), USD, by day and symbol.

    ``panel`` is a parquet file, read once; of ``days`` (ISO) those that it lacks are left out.
    """
    wanted = sorted(set(days))
    rows = duckdb.execute(
        "select symbol, strftime(date, '%Y-%m-%d') as day, last, market_cap from read_parquet(?) "
        f"where date in ({', '.join('?' * len(wanted))})",
        [str(panel), *wanted],
    ).df()
    return {str(day): part.set_index("symbol").drop(columns="day") for day, part in rows.groupby("day")}


class Fund:
    """A fund's companies on the dates of its lists, with market value and net income; each basket is built once.

    ``lists`` are lines of the holdings file by ISO date, ``values`` come from :func:`market_values`, ``income`` is
    a :func:`quarter_table`, kept without ``slips`` (:func:`suspects`); ``raw`` has them.
    """

    def __init__(self, lists: Tables, values: Tables, income: pd.DataFrame) -> None:
        self.lists, self.values, self.raw = lists, values, income
        self.slips = suspects(income)
        self.income = income.mask(self.slips)
        self._built: dict[Any, pd.DataFrame] = {}

    @classmethod
    def read(cls, mkt: Market, also: Iterable[str] = ()) -> Fund:
        """From a market's holdings, listings (on the dates of the holdings and ``also``) and fundamentals."""
        income = quarter_table(mkt.fundamentals(), "net_income")
        lists = {day: mkt.holdings(day) for day in mkt.holdings_dates()}
        return cls(lists, market_values(mkt.file("listings.parquet"), [*lists, *also]), income)

    def members(
        self,
        held: str,
        priced: str | None = None,
        last: str | pd.Period | None = None,
        raw: bool = False,
        quarters: int = 4,
    ) -> pd.DataFrame:
        """The companies of one list, as :func:`companies` gives them, with ``income`` and ``status``.

        Market values are of the day ``priced`` (that of the list); ``quarters`` up to ``last`` are summed (the last
        known then); ``raw`` leaves the slips of scale in. Raises Missing for a day that the store lacks.
        """
        day = priced or held
        for name, known, wanted in (("holdings", self.lists, held), ("listings", self.values, day)):
            if wanted not in known:
                raise Missing(f"The store has no {name} of {wanted}; there are {', '.join(known) or 'none'}.")
        key = (held, day)
        if key not in self._built:
            self._built[key] = companies(self.lists[held], self.values[day]["market_cap"])
        end = pd.Period(last, "Q") if last else latest_quarter(day)
        if (built := (*key, end, raw, quarters)) not in self._built:
            found = self._built[key]
            rows = match(found, self.raw if raw else self.income)
            income = trailing(rows, end, quarters)
            self._built[built] = found.assign(income=income, status=status(found, rows, income))
        return self._built[built]

    def covered(self, *choice: Any, **more: Any) -> pd.DataFrame:
        """Those of :meth:`members`, asked in the same way, whose market value and quarters are all known."""
        found = self.members(*choice, **more)
        return found[found["status"] == "covered"]

    def quarterly(self, held: str) -> pd.DataFrame:
        """Quarterly net income of the stocks of one list, a row a company and a column a quarter."""
        found = self.members(held)
        return match(found[found["stock"].astype(bool)], self.income)


def basket_yield(members: pd.DataFrame, how: str = "sum", kind: str = "all", counted: float = 100) -> float:
    """Earnings yield of covered companies, percent: sum of income over sum of caps; NaN for no company.

    By ``"weight"`` it is the mean of the companies' own yields by their weight in the fund, whose inverse is the
    harmonic mean P/E. ``"profit only"`` leaves out companies without one; ``counted`` percent of a loss count.
    Raises HelperError for a missing figure, or a market value of zero or below.
    """
    chosen = members[members["income"] > 0] if kind == "profit only" else members
    if chosen[["cap", "income"]].isna().any(axis=None):
        raise HelperError("A market value or a sum of earnings is missing; leave such companies out first.")
    if (chosen["cap"] <= 0).any():
        raise HelperError("A market value is zero or negative; leave such companies out first.")
    part, whole = (
        chosen["income"].where(chosen["income"] > 0, chosen["income"] * counted / 100),
        chosen["cap"],
    )
    if how == "weight":
        part, whole = chosen["weight"] * part / whole, chosen["weight"]
    total = float(whole.sum())
    return float(part.sum()) / total * 100 if total > 0 else float("nan")


def pe(members: pd.DataFrame, how: str = "sum", kind: str = "all", counted: float = 100) -> float | None:
    """The P/E that belongs to :func:`basket_yield`; None where earnings are zero or negative."""
    found = basket_yield(members, how, kind, counted)
    return 100 / found if found > 0 else None


def pe_of(yield_percent: float) -> float:
    """The P/E that belongs to an earnings yield in percent; NaN where earnings are zero or negative."""
    return 100 / yield_percent if yield_percent > 0 else float("nan")


def pe_table(members: pd.DataFrame) -> pd.Series:
    """The P/E of covered companies by every method in use; NaN where a method has no P/E.

    Returns ``sum`` (market values over earnings) and ``weight`` (harmonic means by fund weight), of ``all`` and of
    ``profit only``, and of the latter ``mean of P/Es`` (arithmetic, by fund weight) and ``median P/E``.
    """
    profit = members[members["income"] > 0]
    ratio = profit["cap"] / profit["income"]
    ways = [(how, kind) for kind in ("all", "profit only") for how in ("sum", "weight")]
    out = {f"{how}, {kind}": pe_of(basket_yield(members, how, kind)) for how, kind in ways}
    held = profit["weight"].sum()
    out["mean of P/Es, profit only"] = float((ratio * profit["weight"]).sum() / held) if held else np.nan
    out["median P/E, profit only"] = float(ratio.median())
    return pd.Series(out, name="P/E")


def loss_share(income: pd.Series, weight: pd.Series | None = None) -> float:
    """Percent of companies (or of ``weight``) with a net loss, of those with earnings; zero is no loss."""
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


def share_up(table: pd.DataFrame, quarter: pd.Period) -> tuple[float, int]:
    """Percent of companies whose figure exceeds that of a year before, and how many have both."""
    pair = table.reindex(columns=[quarter - 4, quarter]).dropna()
    count = len(pair)
    return (float((pair.iloc[:, 1] > pair.iloc[:, 0]).mean() * 100) if count else float("nan")), count


def rising(table: pd.DataFrame, weight: pd.Series, quarters: Iterable[pd.Period]) -> pd.DataFrame:
    """Companies whose figure exceeds that of a year before, by quarter: share, its error, and two other shares."""
    rows = {}
    for quarter in quarters:
        pair = table[[quarter - 4, quarter]].dropna()
        before, up = pair[quarter - 4], pair[quarter] > pair[quarter - 4]
        share, count, held = up.mean() * 100, len(up), weight[up.index]
        rows[str(quarter)] = {
            "Members with more, %": share,
            "Standard error, pp": (share * (100 - share) / count) ** 0.5,
            "By weight, %": held[up].sum() / held.sum() * 100,
            "Among those with a profit a year before, %": up[before > 0].mean() * 100,
            "Members with both": count,
        }
    return pd.DataFrame(rows).T.rename_axis("Quarter").astype({"Members with both": int})


def share_up_change(
    table: pd.DataFrame, quarter: pd.Period, before: pd.Period, weight: pd.Series | None = None
) -> tuple[float, float, int]:
    """Change of :func:`share_up` from one quarter to another over the same companies, its t-value, their number.

    Companies count that have all four figures, equally or by ``weight``. The error is that of paired shares
    (McNemar 1947): only companies that rose in one of the two quarters and not in the other move it.
    """
    known = table[[quarter, quarter - 4, before, before - 4]].dropna()
    share = pd.Series(1.0, known.index) if weight is None else weight[known.index]
    share = share / share.sum()
    now, then = (known[each] > known[each - 4] for each in (quarter, before))
    step = now.astype(float) - then.astype(float)
    change = float((share * step).sum())
    error = float(((share * (step - change)) ** 2).sum() ** 0.5)
    return change * 100, change / error if error else float("nan"), len(known)


def figures(members: pd.DataFrame, name: str) -> list[tuple[str, float | None, str]]:
    """What a sum over covered companies rests on: label (after ``name``), value, unit. No P/E is None."""
    value, income = float(members["cap"].sum()), members["income"]
    sides = income.clip(lower=0).sum(), income.clip(upper=0).sum()
    rows = {
        "companies covered": (len(members), "count"),
        "weight covered": (float(members["weight"].sum()), "% of weight"),
        "sum of market values": (value / 1e9, "bn USD"),
        "sum of net income, all": (sum(sides) / 1e9, "bn USD"),
        "sum of net income of the companies with a profit": (sides[0] / 1e9, "bn USD"),
        "sum of net income of the companies with a loss": (sides[1] / 1e9, "bn USD"),
        "earnings yield, all, by market value": (basket_yield(members), "%"),
        "earnings yield, all, by fund weight": (basket_yield(members, "weight"), "%"),
        "sum of market values over sum of net income (below zero: no P/E)": (value / sum(sides), "x"),
        "P/E of the companies with a profit, by market value": (pe(members, "sum", "profit only"), "x"),
        "P/E of the companies with a profit, by fund weight": (pe(members, "weight", "profit only"), "x"),
    }
    return [(f"{name}: {label}", found, unit) for label, (found, unit) in rows.items()]


def quality(fund: Fund, held: str, last: str) -> pd.Series:
    """Counts of what might be wrong with the basket of one list; ``last`` is the last day of the listings."""
    lines, listed, members, core = fund.lists[held], fund.values[held], fund.members(held), fund.covered(held)
    stocks = lines[lines["asset_class"].isna() | lines["asset_class"].eq("Equity")].set_index("ticker")
    apart = (listed["last"].reindex(stocks.index) / stocks["price"] - 1).abs() * 100
    stake = (stocks["market_value"].groupby("ticker").first() / listed["market_cap"] * 100).dropna()
    gone = members["stock"] & members["classes"].map(set(fund.values[last].index).isdisjoint)
    own = core["income"] / core["cap"] * 100
    counts = {
        "lines of the file that are cash or futures": len(lines) - len(stocks),
        "lines that are a second class of a company": members["classes"].map(len).sum() - len(members),
        "companies in the fund": len(members),
        "stocks whose listed price differs from the fund’s by more than 3 %": (apart > 3).sum(),
        "companies no longer listed on the last session of the data": gone.sum(),
        "… of them unknown to the earnings file": (gone & (members["status"] == STATUSES[2])).sum(),
        "covered companies with a profit": (own > 0).sum(),
        "covered companies with a loss": (own < 0).sum(),
        "covered companies with a sum of exactly zero": (own == 0).sum(),
        "covered companies that lost more than half their market value": (own < -50).sum(),
        "covered companies that earned more than half their market value": (own > 50).sum(),
    }
    shown = {label: f"{count:,}" for label, count in counts.items()}
    shown["fund’s stake in a company, median, %"] = f"{stake.median():.2f}"
    shown["fund’s stake in a company, highest, % (an old number of shares?)"] = f"{stake.max():.2f}"
    return pd.Series(shown, name="Value").rename_axis("Check")


def readings(facts: Iterable[Any], subject: str, upto: str) -> pd.DataFrame:
    """P/Es that others have reported up to a date, from rows of the public record (``id, date, subject, value``).

    Their subject reads "<subject>, <provider>, with loss-makers" or "..., without loss-makers". Returns a frame by
    id, in the order of dates: ``date, provider, losses`` ("counted" or "left out"), ``pe`` (NaN where earnings were
    a loss).
    """
    rows = {}
    for fact in facts:
        if fact.subject.startswith(f"{subject}, ") and fact.date <= upto:
            provider, kind = fact.subject.split(", ")[1:3]
            losses = "left out" if kind.startswith("without") else "counted"
            rows[fact.id] = (fact.date, provider, losses, pd.to_numeric(fact.value, errors="coerce"))
    if not rows:
        raise HelperError(f"The public record has no '{subject}' up to {upto}.")
    found = pd.DataFrame.from_dict(rows, orient="index", columns=["date", "provider", "losses", "pe"])
    return found.sort_values("date", kind="stable")


def over_own_past(pes: pd.Series, middle: str = "median") -> float:
    """The last of some P/Es in the order of their dates over the median (or ``"mean"``) of those before it."""
    known = pes.dropna()
    if len(known) < 2:
        raise HelperError("A ratio to the past needs a P/E and one before it.")
    return float(known.iloc[-1] / known.iloc[:-1].agg(middle))


def value_spread(book: pd.DataFrame, monthly: pd.DataFrame, growth: str, value: str) -> pd.Series:
    """Book-to-market of value over that of growth at the end of each month, times.

    ``book`` is known at each end of June, when portfolios are formed; between two Junes ``monthly`` returns
    (percent) move it (Cohen, Polk and Vuolteenaho 2003, "The Value Spread", Journal of Finance 58(2)). Dividends
    are in these returns, so that the gap comes out a little too small.
    """
    formed = (book.index + 6).year  # portfolios formed in June are first seen in July
    at_june = np.log(book[value] / book[growth]).groupby(formed).transform("first")
    drift = (np.log1p(monthly[value] / 100) - np.log1p(monthly[growth] / 100)).groupby(formed).cumsum()
    return pd.Series(np.exp((at_june - drift).dropna()), name="value spread")
