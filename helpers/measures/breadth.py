"""Breadth: how many stocks take part, counted over a panel of all listed stocks that duckdb reads.

A *panel* is a parquet file (its path) or a duckdb relation with a row a ``symbol`` and ``date`` and the columns
``last`` (raw price), ``pct_change`` (percent since the close before, null where unknown), ``market_cap`` (dollars)
and ``exchange``.

Raw prices are never compared: a split would look like a fall. Each stock's percentages are chained to a level; where
one is missing (a session whose prices were rebuilt), the ratio of the two raw prices takes its place. A step that
cannot be a return, by :data:`STEP_LIMIT`, or a session that the stock lacks breaks the chain, and the stock is left
out until it has a whole window again. Nothing looks ahead: the size of a stock is that of the session before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from helpers.files import HelperError, Missing

Panel = str | Path | duckdb.DuckDBPyRelation

COLUMNS = ("symbol", "date", "last", "pct_change", "market_cap", "exchange")

#: A day's growth above this factor is no return that is believed: consolidated shares show such steps. In a
#: rebuilt session, where only raw prices are known, neither is one below its inverse (a split).
STEP_LIMIT = 4.0

#: How many sessions back a market capitalisation may lie, where the session before has none.
CAP_AGE = 3

#: Kinds of security, in the order in which they are taken out. Symbols are all that there is to tell them by:
#: Nasdaq's fifth letter names the kind of a further issue of the same firm (A, B and K are classes of common
#: stock), elsewhere ``^`` stands before a preferred series, ``/W`` and ``.U`` before warrants and units.
#: https://www.nasdaqtrader.com/content/technicalsupport/specifications/dataproducts/nasdaqfifthcharactersuffixlist.pdf
KINDS = {
    "preferred": "preferred shares (^)",
    "derived": "warrants, rights, units, preferred shares, notes and receipts (suffix or fifth letter)",
    "blank check": "blank-check companies (units and warrants or rights of theirs are listed)",
    "no market cap": "closed-end funds, notes and others that never have a market capitalisation",
    "stock": "stocks",
}
#: Common stock that bears a letter of another kind.
COMMON = ["GOOGL"]
#: Notes and preferred shares that bear a letter of common stock.
NOT_COMMON = ["ADAMK", "RILYK", "SOHOB"]


def _relation(panel: Panel) -> duckdb.DuckDBPyRelation:
    if isinstance(panel, duckdb.DuckDBPyRelation):
        relation = panel
    else:
        if not Path(panel).is_file():
            raise HelperError(f"There is no panel at {panel}; name a parquet file.")
        connection = duckdb.connect()
        # After two seconds duckdb draws a bar among the output; a notebook without widgets has none to switch off.
        with contextlib.suppress(duckdb.InvalidInputException):
            connection.execute("SET enable_progress_bar = false")
        relation = connection.read_parquet(str(panel))
    if absent := [name for name in COLUMNS if name not in relation.columns]:
        raise HelperError(f"The panel has no column {', '.join(absent)}; it needs {', '.join(COLUMNS)}.")
    return relation


def asked(panel: Panel, sql: str) -> pd.DataFrame:
    """What SQL that calls it ``panel`` selects from a panel; dates are in nanoseconds."""
    frame = _relation(panel).query("panel", sql).df()  # type: ignore[union-attr]
    return frame.astype(dict.fromkeys(frame.select_dtypes("datetime"), "datetime64[ns]"))


#: One row a symbol: its kind, rows, and rows with a market capitalisation.
_KINDS = f"""
names AS (
  SELECT symbol, any_value(exchange) AS exchange, count(*) AS rows, count(market_cap) AS caps,
         min(date) AS first, max(date) AS last
  FROM panel GROUP BY symbol
),
lettered AS (
  SELECT left(symbol, 4) AS root, right(symbol, 1) AS letter FROM names
  WHERE exchange = 'nasdaq' AND regexp_full_match(symbol, '[A-Z]{{5}}')
),
blank AS (
  SELECT root FROM lettered GROUP BY root HAVING bool_or(letter = 'U') AND bool_or(letter IN ('R', 'W'))
),
kinds AS (
  SELECT *, CASE
    WHEN symbol LIKE '%^%' THEN 'preferred'
    WHEN regexp_matches(symbol, '/W|[./]U$') THEN 'derived'
    WHEN symbol IN {NOT_COMMON} THEN 'derived'
    WHEN exchange = 'nasdaq' AND regexp_full_match(symbol, '[A-Z]{{4}}[^ABK]')
      AND symbol NOT IN {COMMON} THEN 'derived'
    WHEN symbol IN (SELECT root FROM blank) THEN 'blank check'
    WHEN caps = 0 THEN 'no market cap'
    ELSE 'stock' END AS kind
  FROM names
)"""


@dataclass(frozen=True)
class _Chained:
    """Matrices of stocks by session (rows) and symbol (columns)."""

    dates: pd.DatetimeIndex
    here: np.ndarray[Any, Any]
    cap: np.ndarray[Any, Any]  # of the session before, NaN where it is not known
    growth: np.ndarray[Any, Any]  # NaN where it is not believed
    known: np.ndarray[Any, Any]  # the whole window of the mean is there
    above: np.ndarray[Any, Any]

    def counts(self, group: np.ndarray[Any, Any], groups: int) -> pd.DataFrame:
        """What is counted by session and group; ``group`` by session and stock, from 0, ``groups`` for none."""
        flags = (self.known, self.known & self.above, self.growth > 0, self.growth > 1, self.growth < 1)
        code = sum(flag.astype("uint8") << bit for bit, flag in enumerate(flags))
        cell = (np.arange(len(group))[:, None] * (groups + 1) + group) * 32 + code
        every = np.bincount(cell.ravel(), minlength=len(group) * (groups + 1) * 32)
        every = every.reshape(len(group), groups + 1, 32)[:, :groups].reshape(-1, 32)
        bits = np.arange(32)[:, None] >> np.arange(5) & 1
        stocks, above, returns, advances, declines = (every @ bits).T
        with np.errstate(invalid="ignore"):
            share, net = 100.0 * above / stocks, 100.0 * (advances - declines) / returns
        found = {"stocks": stocks, "above": above, "share": share}
        found |= {"advances": advances, "declines": declines, "net": net}
        index = pd.MultiIndex.from_product([self.dates, range(1, groups + 1)], names=["date", "group"])
        return pd.DataFrame(found, index)[every.any(axis=1)]


def _chained(panel: Panel, length: int, start: str | None, end: str | None, only: list[str]) -> _Chained:
    """Some stocks on the sessions from ``start`` to ``end``, as whole matrices: a panel has few holes."""
    if length < 2:
        raise HelperError(f"A mean over {length} sessions says nothing; use two or more.")
    relation = _relation(panel)
    days = sessions(relation)
    begin = days.searchsorted(pd.Timestamp(start)) if start else 0
    stop = days.searchsorted(pd.Timestamp(end), side="right") if end else len(days)
    if begin >= stop:
        raise Missing(
            f"The panel has no session from {start} to {end}; it runs from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}."
        )
    low = max(0, begin - length - CAP_AGE)
    shape = (stop - low, len(only))
    given = pd.DataFrame({"symbol": only, "id": np.arange(len(only), dtype="int32")})  # noqa: F841 (duckdb finds it by its name)
    first, last = (f"DATE '{days[at]:%Y-%m-%d}'" for at in (low, stop - 1))
    sql = f"""
SELECT date :: DATE - {first} AS day, id, last :: FLOAT, pct_change :: FLOAT, market_cap :: DOUBLE
FROM panel JOIN given USING (symbol) WHERE date BETWEEN {first} AND {last}"""
    day, number, *columns = relation.query("panel", sql).fetchnumpy().values()  # type: ignore[union-attr]
    session = np.empty((days[stop - 1] - days[low]).days + 1, dtype=int)
    session[(days[low:stop] - days[low]).days] = np.arange(shape[0])
    place = session[day] * len(only) + number

    def matrix(values: Any, empty: Any = np.nan) -> np.ndarray[Any, Any]:
        cells = np.full(shape[0] * shape[1], empty, values.dtype)
        cells[place] = np.ma.filled(values, empty)
        return cells.reshape(shape)

    here = matrix(np.ones(len(place), dtype=bool), False)
    price, change, cap = map(matrix, columns)

    growth = 1 + change / 100
    # In a rebuilt session the ratio to the stock's price on its row before takes the place of the percentage.
    when, who = np.nonzero(here[1:] & np.isnan(change[1:]))
    row = np.where(here, np.arange(shape[0], dtype="int16")[:, None], np.int16(-1))
    before = np.maximum.accumulate(row, axis=0)[when, who]
    known = (before >= 0) & (price[before, who] > 0)
    ratio = price[when + 1, who] / np.where(known, price[before, who], np.nan)
    growth[when + 1, who] = np.where(ratio >= 1 / STEP_LIMIT, ratio, np.nan)
    growth[~((growth > 0) & (growth <= STEP_LIMIT))] = np.nan
    valid = ~np.isnan(growth)
    level = np.cumprod(np.where(valid, growth, 1), axis=0, dtype=float)
    known, above = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    known[length - 1 :] = here[: 1 - length] & (_sums(valid, length - 1, "int16")[1:] == length - 1)
    above[length - 1 :] = level[length - 1 :] > _sums(level, length, float) / length * (1 + 1e-9)
    size = np.full(shape, np.nan)
    for age in range(1, CAP_AGE + 1):
        np.copyto(size[age:], cap[:-age], where=np.isnan(size[age:]))
    parts = (matrix[begin - low :] for matrix in (here, size, growth, known, above))
    return _Chained(days[begin:stop], *parts)


def _by_size(cap: np.ndarray[Any, Any], groups: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Group of each stock, from 0 and ``groups`` where ``cap`` is NaN, and the smallest ``cap`` of each group."""
    count = (~np.isnan(cap)).sum(axis=1, keepdims=True)
    first = count // groups * np.arange(groups) + np.minimum(count % groups, np.arange(groups))
    # To sort values is many times faster than to sort places.
    ordered = np.sort(np.pad(cap, ((0, 0), (0, 1)), constant_values=np.nan), axis=1)
    least, before = (np.take_along_axis(ordered, rank, axis=1) for rank in (first, first - 1))
    group = np.where(np.isnan(cap), groups, 0).astype("int16")
    for bound in least[:, 1:].T:
        group += cap >= bound[:, None]
    # Of equal ones on both sides of a bound, the first in the order of symbols are below it.
    for session, at in np.argwhere(least == before):
        bound = least[session, at]
        below = first[session, at] - ordered[session].searchsorted(bound)
        group[session, np.flatnonzero(cap[session] == bound)[:below]] -= 1
    return group, least


def _sums(values: np.ndarray[Any, Any], length: int, kind: Any) -> np.ndarray[Any, Any]:
    """Sums over ``length`` rows, from the first whole window on."""
    sums = np.cumsum(values, axis=0, dtype=kind)
    return np.concatenate([sums[length - 1 : length], sums[length:] - sums[:-length]])


def kinds(panel: Panel) -> pd.DataFrame:
    """What each symbol is, as far as its symbol tells; foreign firms and notes with a market value look like stocks.

    Returns a frame by symbol: ``kind`` (a key of :data:`KINDS`), ``rows``, ``caps`` (rows with a market
    capitalisation), ``first`` and ``last`` (dates).
    """
    sql = f"WITH {_KINDS} SELECT symbol, kind, rows, caps, first, last FROM kinds ORDER BY symbol"
    return asked(panel, sql).set_index("symbol")


def funnel(panel: Panel) -> pd.DataFrame:
    """``symbols`` and ``rows`` that each of :data:`KINDS` takes out, and ``rows left``; the last line stays in."""
    found = kinds(panel).groupby("kind")["rows"].agg(["size", "sum"]).reindex(list(KINDS), fill_value=0)
    left = found["sum"].sum() - found["sum"].cumsum()
    left.iloc[-1] = found["sum"].iloc[-1]
    table = pd.DataFrame({"symbols": found["size"], "rows": found["sum"], "rows left": left}).astype(int)
    return table.set_axis(list(KINDS.values()), axis=0).rename_axis("Security")


def rebuilt_sessions(panel: Panel) -> pd.Series:
    """Percent of rows without a percentage, by session where that is more than half: prices were rebuilt afterwards."""
    sql = """
SELECT date, 100.0 * (1 - count(pct_change) / count(*)) AS lost
FROM panel GROUP BY date HAVING count(pct_change) < count(*) / 2 ORDER BY date"""
    return asked(panel, sql).set_index("date")["lost"]


def vanished(panel: Panel) -> pd.DataFrame:
    """``first`` and ``last`` session of stocks whose last row lies before the panel's last session, by ``last``."""
    found = kinds(panel)
    stocks = found[found["kind"] == "stock"]
    return stocks.loc[stocks["last"] < found["last"].max(), ["first", "last"]].sort_values(["last", "first"])


def above_mean(
    panel: Panel,
    length: int = 50,
    groups: int = 10,
    start: str | None = None,
    end: str | None = None,
    without: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Stocks above their own mean of ``length`` sessions (the session itself included), advances and declines, by size.

    The ``groups`` have equal counts, 1 the smallest, by the market capitalisation of the session before (up to
    three back where that is unknown). ``start`` and ``end`` are the first and last session counted (ISO; what lies
    before feeds the first means), ``without`` symbols to leave out beside the kinds that are no stocks.

    Returns a frame by ``date`` and ``group``: ``stocks`` (with a whole window), ``above``, ``share`` (percent),
    ``advances``, ``declines``, ``net`` (the first minus the second in percent of stocks with a believable return),
    ``from_cap`` (smallest market capitalisation of the group, dollars). Raises HelperError for a panel without one
    of the columns or a ``length`` below two, Missing where it has no session of the span.
    """
    panel = _relation(panel)
    found = kinds(panel)["kind"]
    chosen = [name for name in found.index[found == "stock"] if name not in without]
    stocks = _chained(panel, length, start, end, chosen)
    group, least = _by_size(np.where(stocks.here & (stocks.cap > 0), stocks.cap, np.nan), groups)
    return stocks.counts(group, groups).assign(from_cap=least[~np.isnan(least)])


def members_above_mean(
    panel: Panel, members: pd.DataFrame, length: int = 50, start: str | None = None, end: str | None = None
) -> pd.DataFrame:
    """:func:`above_mean` of a fund's ``members`` (``date`` of list, ``symbol``), by the last list known each session.

    Returns a frame by ``date``, none before the first list: ``list`` (its date), ``listed`` (members on it),
    ``found`` (with a row that session), and ``stocks``, ``above``, ``share``, ``advances``, ``declines``, ``net``.
    """
    lists = members[["date", "symbol"]].drop_duplicates()
    listed = pd.crosstab(pd.to_datetime(lists["date"]).astype("datetime64[ns]"), lists["symbol"]).astype(bool)
    stocks = _chained(panel, length, start, end, list(listed.columns))
    current = listed.index.searchsorted(stocks.dates, side="right") - 1
    member = stocks.here & listed.to_numpy()[current] & (current >= 0)[:, None]
    frame = stocks.counts(~member, 1).droplevel("group")
    found = member.sum(axis=1)
    day = listed.index[current[found > 0]]
    frame.insert(0, "list", day)
    frame.insert(1, "listed", listed.sum(axis=1).loc[day].to_numpy())
    frame.insert(2, "found", found[found > 0])
    return frame


def sessions(panel: Panel) -> pd.DatetimeIndex:
    """Every session of the panel, in order."""
    return pd.DatetimeIndex(asked(panel, "SELECT DISTINCT date FROM panel ORDER BY date")["date"])


def quiet(panel: Panel, found: pd.DataFrame, most: float = 0.35) -> list[str]:
    """Stocks with a median absolute change below ``most`` percent over 31 sessions or more.

    ``found`` comes from :func:`kinds`.
    """
    sql = f"""
SELECT symbol FROM panel WHERE pct_change IS NOT NULL GROUP BY symbol
HAVING median(abs(pct_change)) < {float(most)} AND count(*) > 30 ORDER BY symbol"""
    return [name for name in asked(panel, sql)["symbol"] if found.loc[name, "kind"] == "stock"]


def change(
    panel: Panel, start: pd.Timestamp | str, end: pd.Timestamp | str, **choices: Any
) -> dict[str, Any]:
    """Share of stocks above their own mean on two sessions, percent, and by how many points it rose, also by size.

    ``choices`` are those of :func:`above_mean`. Returns figures by label.
    """
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    counts = above_mean(panel, start=f"{first:%Y-%m-%d}", end=f"{last:%Y-%m-%d}", **choices)
    sums = counts.groupby("date")[["stocks", "above"]].sum()
    then, now = (sums["above"] / sums["stocks"] * 100)[[first, last]]
    by_group = counts["share"].xs(last, level="date") - counts["share"].xs(first, level="date")
    return {
        "first, %": then,
        "last, %": now,
        "change, pp": now - then,
        "smallest group, pp": by_group.iloc[0],
        "largest group, pp": by_group.iloc[-1],
        "groups up": f"{int((by_group > 0).sum())} of {len(by_group)}",
    }


def match_holdings(
    lists: Mapping[str, pd.DataFrame], found: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A fund's dated lists in the panel's spelling, and how much of each could not be found.

    ``lists`` are holdings by ISO date (``ticker``, ``asset_class``, ``weight_pct``), ``found`` comes from
    :func:`kinds`. Returns members for :func:`members_above_mean` (rights and warrants left out), and by list:
    lines, shares, unknown (number, percent of weight, tickers).
    """
    spelt = found.index
    members, counted = [], {}
    for day, file in lists.items():
        shares = file[file["asset_class"].isna() | (file["asset_class"] == "Equity")]
        names = shares["ticker"].map(lambda ticker: _spelt(str(ticker), spelt))
        lost = names.isna()
        members.append(pd.DataFrame({"date": day, "symbol": names.dropna()}))
        counted[day] = {
            "lines": len(file),
            "shares": len(shares),
            "unknown": int(lost.sum()),
            "weight unknown, %": shares.loc[lost, "weight_pct"].sum(),
            "unknown tickers": ", ".join(sorted(shares.loc[lost, "ticker"].astype(str).unique())),
        }
    every = pd.concat(members, ignore_index=True)
    stocks = every[every["symbol"].map(found["kind"]) == "stock"]
    return stocks, pd.DataFrame(counted).T.rename_axis("List of")


def _spelt(ticker: str, symbols: pd.Index) -> str | None:
    """The panel's spelling of a holding: a class letter stands behind a stroke there."""
    alias = f"{ticker[:-1]}/{ticker[-1:]}"
    return ticker if ticker in symbols else alias if alias in symbols else None
