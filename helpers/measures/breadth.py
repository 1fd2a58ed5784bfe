"""Breadth: how many stocks take part, counted over a panel of all listed stocks by duckdb.

A *panel* is a parquet file (its path) or a duckdb relation with one row a ``symbol`` and ``date`` and the
columns ``last`` (raw price), ``pct_change`` (percent since the close before, null where it is not known),
``market_cap`` (dollars) and ``exchange``. It is read once, only the columns and dates that are needed.

Prices are never compared raw: a split or a consolidation would look like a fall or a jump. Each stock's
percentages are chained to a level; where a percentage is missing (a session whose prices were rebuilt), the
ratio of the two raw prices takes its place. A step that cannot be a return, by :data:`STEP_LIMIT`, or a session
that the stock lacks breaks the chain, and the stock is left out until it has a whole window again.
Nothing looks ahead: the size of a stock is its market capitalisation of the session before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from helpers.files import HelperError

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
COMMON = ("GOOGL",)
#: Notes and preferred shares that bear a letter of common stock.
NOT_COMMON = ("ADAMK", "RILYK", "SOHOB")


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


def _run(relation: duckdb.DuckDBPyRelation, sql: str, given: pd.DataFrame | None = None) -> pd.DataFrame:
    """Run SQL that names the relation ``panel`` and the frame ``given``, which duckdb finds here by its name."""
    result = relation.query("panel", sql)
    assert result is not None  # None is for SQL that selects nothing
    return result.df()


def _texts(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


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
    WHEN symbol IN ({_texts(NOT_COMMON)}) THEN 'derived'
    WHEN exchange = 'nasdaq' AND regexp_full_match(symbol, '[A-Z]{{4}}[^ABK]')
      AND symbol NOT IN ({_texts(COMMON)}) THEN 'derived'
    WHEN symbol IN (SELECT root FROM blank) THEN 'blank check'
    WHEN caps = 0 THEN 'no market cap'
    ELSE 'stock' END AS kind
  FROM names
)"""


def _chain(length: int, start: str | None, end: str | None, only: str) -> str:
    """SQL of the stocks' sessions: growth, advance or decline, size before, and above its own mean or not."""
    days = "SELECT date, row_number() OVER (ORDER BY date) :: INT AS session FROM (SELECT DISTINCT date FROM panel)"
    wanted = [f"date >= DATE '{start}'"] if start else []
    wanted += [f"date <= DATE '{end}'"] if end else []
    span = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    caps = ", ".join(
        f"CASE WHEN session - lag(session, {k}) OVER w <= {CAP_AGE} THEN lag(market_cap, {k}) OVER w END"
        for k in range(1, CAP_AGE + 1)
    )
    return f"""
days AS MATERIALIZED ({days}),
span AS MATERIALIZED (SELECT min(session) AS first, max(session) AS last FROM days {span}),
chosen AS MATERIALIZED (SELECT symbol, row_number() OVER (ORDER BY symbol) :: INT AS id FROM ({only})),
rows AS (
  SELECT id, session, last, pct_change, market_cap
  FROM panel JOIN days USING (date) JOIN chosen USING (symbol)
  WHERE session BETWEEN (SELECT first - {length + CAP_AGE} FROM span) AND (SELECT last FROM span)
),
steps AS (
  SELECT id, session, pct_change IS NULL AS rebuilt,
    CASE WHEN pct_change IS NULL THEN last / nullif(lag(last) OVER w, 0) ELSE 1 + pct_change / 100.0 END AS growth,
    coalesce({caps}) AS cap
  FROM rows WINDOW w AS (PARTITION BY id ORDER BY session)
),
checked AS (
  SELECT id, session, cap,
    CASE WHEN growth > 0 AND growth <= {STEP_LIMIT} AND (NOT rebuilt OR growth >= {1 / STEP_LIMIT})
      THEN growth END AS growth
  FROM steps
),
levels AS (
  SELECT id, session, cap, growth, exp(sum(coalesce(ln(growth), 0)) OVER w) AS level
  FROM checked WINDOW w AS (PARTITION BY id ORDER BY session ROWS UNBOUNDED PRECEDING)
),
means AS (
  SELECT id, session, cap, growth, level,
    avg(level) OVER (w ROWS {length - 1} PRECEDING) AS mean,
    count(growth) OVER (w ROWS {length - 2} PRECEDING) AS known,
    session - lag(session, {length - 1}) OVER w AS across
  FROM levels WINDOW w AS (PARTITION BY id ORDER BY session)
),
flags AS (
  SELECT id, session, cap, growth,
    CASE WHEN known = {length - 1} AND across = {length - 1} THEN level > mean * (1 + 1e-9) END AS above
  FROM means WHERE session >= (SELECT first FROM span)
)"""


#: What is counted in a group of stocks on a session.
_COUNTS = """
  count(above) AS stocks, count(*) FILTER (above) AS above,
  100.0 * count(*) FILTER (above) / nullif(count(above), 0) AS share,
  count(*) FILTER (growth > 1) AS advances, count(*) FILTER (growth < 1) AS declines,
  100.0 * (count(*) FILTER (growth > 1) - count(*) FILTER (growth < 1)) / nullif(count(growth), 0) AS net"""


def _check_length(length: int) -> None:
    if length < 2:
        raise HelperError(f"A mean over {length} sessions says nothing; use two or more.")


def _dated(frame: pd.DataFrame, *index: str) -> pd.DataFrame:
    frame["date"] = frame["date"].astype("datetime64[ns]")
    return frame.set_index(list(index))


def kinds(panel: Panel) -> pd.DataFrame:
    """What each symbol is, as far as its symbol tells.

    Foreign firms and the exchange-traded notes that carry a market capitalisation cannot be told apart.

    Returns
    -------
    Frame by symbol: ``kind`` (a key of :data:`KINDS`), ``rows``, ``caps`` (rows with a market capitalisation),
    ``first`` and ``last`` (dates).
    """
    columns = "symbol, kind, rows, caps, first, last"
    sql = f"WITH {_KINDS} SELECT {columns} FROM kinds ORDER BY symbol"
    frame = _run(_relation(panel), sql)
    for name in ("first", "last"):
        frame[name] = frame[name].astype("datetime64[ns]")
    return frame.set_index("symbol")


def funnel(panel: Panel) -> pd.DataFrame:
    """How many symbols and rows each filter takes out, in the order of :data:`KINDS`; the last line stays in.

    Returns
    -------
    Frame by what is taken out: ``symbols``, ``rows`` and the ``rows left`` after it.
    """
    found = kinds(panel).groupby("kind")["rows"].agg(["size", "sum"]).reindex(list(KINDS), fill_value=0)
    left = found["sum"].sum() - found["sum"].cumsum()
    left.iloc[-1] = found["sum"].iloc[-1]
    table = pd.DataFrame({"symbols": found["size"], "rows": found["sum"], "rows left": left}).astype(int)
    return table.set_axis(list(KINDS.values()), axis=0).rename_axis("Security")


def rebuilt_sessions(panel: Panel) -> pd.Series:
    """Sessions after the first of which most rows have no percentage: their prices were rebuilt afterwards.

    Returns
    -------
    Series by session: percent of rows without a percentage, where that is more than half.
    """
    sql = """
SELECT date, 100.0 * (1 - count(pct_change) / count(*)) AS lost
FROM panel GROUP BY date HAVING count(pct_change) < count(*) / 2 ORDER BY date"""
    return _dated(_run(_relation(panel), sql), "date")["lost"]


def vanished(panel: Panel) -> pd.DataFrame:
    """Stocks whose last row lies before the panel's last session: taken over, gone or renamed.

    Returns
    -------
    Frame by symbol: ``first`` and ``last`` session, by ``last``.
    """
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
    """Stocks above their own mean, advances and declines, by size, for every session.

    Parameters
    ----------
    panel : parquet file or relation
    length : sessions of the mean, the session itself included
    groups : number of size groups of equal count; 1 is the smallest. Size is the market capitalisation of
        the session before (up to three sessions back where that is not known).
    start, end : first and last session (ISO date) counted; sessions before ``start`` feed the first means
    without : symbols to leave out beside the kinds that are no stocks

    Returns
    -------
    Frame by ``date`` and ``group``: ``stocks`` (with a whole window), ``above`` (their own mean), ``share``
    (percent), ``advances``, ``declines``, ``net`` (advances minus declines in percent of stocks with a
    believable return), ``from_cap`` (the smallest market capitalisation of the group, dollars).

    Raises
    ------
    HelperError if the panel or one of its columns is missing, or ``length`` is below two.
    """
    _check_length(length)
    out = f" AND symbol NOT IN ({_texts(without)})" if without else ""
    sql = f"""
WITH {_KINDS}, {_chain(length, start, end, f"SELECT symbol FROM kinds WHERE kind = 'stock'{out}")},
sized AS (
  SELECT *, ntile({int(groups)}) OVER (PARTITION BY session ORDER BY cap, id) AS "group"
  FROM flags WHERE cap > 0
)
SELECT date, "group", {_COUNTS}, min(cap) AS from_cap FROM sized JOIN days USING (session) GROUP BY ALL ORDER BY ALL"""
    return _dated(_run(_relation(panel), sql), "date", "group")


def members_above_mean(
    panel: Panel, members: pd.DataFrame, length: int = 50, start: str | None = None, end: str | None = None
) -> pd.DataFrame:
    """Like :func:`above_mean` for the members of a fund, each session by the last list that was known then.

    Parameters
    ----------
    members : columns ``date`` (of the list) and ``symbol``; sessions before the first list give nothing
    panel, length, start, end : as in :func:`above_mean`

    Returns
    -------
    Frame by ``date``: ``list`` (date of the list), ``listed`` (members on it), ``found`` (with a row on that
    session), and ``stocks``, ``above``, ``share``, ``advances``, ``declines``, ``net`` as in :func:`above_mean`.
    """
    _check_length(length)
    lists = members[["date", "symbol"]].drop_duplicates()
    lists = lists.assign(date=pd.to_datetime(lists["date"]))
    sql = f"""
WITH lists AS (SELECT CAST(date AS DATE) AS list, symbol FROM given),
{_chain(length, start, end, "SELECT DISTINCT symbol FROM lists")},
current AS (
  SELECT session, date, max(list) AS list FROM days JOIN (SELECT DISTINCT list FROM lists) ON list <= date
  GROUP BY ALL
)
SELECT date, list, count(*) AS found, {_COUNTS}
FROM flags JOIN current USING (session) JOIN chosen USING (id) JOIN lists USING (list, symbol)
GROUP BY ALL ORDER BY ALL"""
    frame = _dated(_run(_relation(panel), sql, lists), "date")
    frame["list"] = frame["list"].astype("datetime64[ns]")
    frame.insert(1, "listed", frame["list"].map(lists.groupby("date").size()))
    return frame


def sessions(panel: Panel) -> pd.DatetimeIndex:
    """Every session of the panel, in order."""
    found = _run(_relation(panel), "SELECT DISTINCT date FROM panel ORDER BY date")
    return pd.DatetimeIndex(found["date"])


def quiet(panel: Panel, found: pd.DataFrame, most: float = 0.35) -> list[str]:
    """Stocks whose price hardly moves: a median absolute change of less than ``most`` percent over 30 sessions.

    ``found`` is what :func:`kinds` returned.
    """
    sql = f"""
SELECT symbol FROM panel WHERE pct_change IS NOT NULL GROUP BY symbol
HAVING median(abs(pct_change)) < {float(most)} AND count(*) > 30 ORDER BY symbol"""
    names = _run(_relation(panel), sql)["symbol"]
    return [name for name in names if found.loc[name, "kind"] == "stock"]


def change(
    panel: Panel, start: pd.Timestamp | str, end: pd.Timestamp | str, **choices: Any
) -> dict[str, Any]:
    """Share of stocks above their own mean on two sessions, and by how many points it rose, also by size.

    ``choices`` are those of :func:`above_mean`. Returns figures by label, percent and percentage points.
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

    Parameters
    ----------
    lists : holdings by ISO date: ``ticker``, ``asset_class``, ``weight_pct``
    found : what :func:`kinds` returned

    Returns
    -------
    Members for :func:`members_above_mean` (``date``, ``symbol``; rights and warrants are no stocks and left out),
    and a frame by list: lines, shares, unknown (number, percent of weight, tickers).
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
