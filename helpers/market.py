"""The market data behind the notebooks: the store, the free series that ship, the synthetic market.

A series is looked up in that order. Every frame says where it came from in ``attrs["source"]``:
``"store"``, ``"public"`` (data/public, shipped) or ``"synthetic"``; ``attrs["as_of"]`` is its last date.

The store's layout: ``prices.parquet`` (symbol, date, open, high, low, close, adj_close, volume),
``macro.parquet`` (series, date, value), ``french/``, ``shiller/``, ``holdings/``, ``listings.parquet``,
``fundamentals.parquet``, ``intraday/`` and ``manifest.json`` with the SHA-256 of each file.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers import calendar
from helpers.files import HelperError
from helpers.words import listing

if TYPE_CHECKING:
    import pyarrow as pa

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
CACHE = DATA / ".cache"

#: Data older than this many days get a line that says so.
STALE_DAYS = 45
PRICE_FIELDS = ("open", "high", "low", "close", "adj_close", "volume")
#: An empty list has no type that a filter could compare; no series is called so.
NOTHING = [""]
HOW_TO_GET_DATA = (
    "run `python -m helpers data` to fetch it from the providers, "
    "or set MARKET_DATA to a folder that holds it"
)

#: Five-minute bars of one index in one week.
INTRADAY = "intraday/RUT_5m_2025-12-08_2025-12-12.csv"
#: Files that no free provider serves today.
PANELS = ("listings.parquet", "fundamentals.parquet", INTRADAY)
#: How the names of the dated lists of IWM's holdings begin.
HOLDINGS = "holdings/IWM_"
HOW_TO_ADD_PANELS = "no free provider serves this panel, and data/README.md says how to add it"
#: What the panels are called in a sentence.
_CALLED = dict(zip(PANELS, ("the listing panel", "the earnings panel", "the five-minute bars"), strict=True))


class StoreError(HelperError):
    """The store is missing, incomplete or altered."""


class SeriesError(HelperError):
    """A series is unknown, or has no value where one is needed."""


# ------------------------------------------------------------------------------------------ catalogue


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Every series of data/series.yaml by id."""
    import yaml

    entries = yaml.load((DATA / "series.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)["series"]
    return {entry["id"]: entry for entry in entries}


def describe(ids: Iterable[str]) -> pd.DataFrame:
    """Catalogue lines of some series: name, provider, unit, price type, and what each is not."""
    rows = [_entry(name) for name in ids]
    columns = {"id": "Series", "name": "Name", "provider": "Provider", "unit": "Unit", "price": "Price type"}
    return pd.DataFrame(rows)[[*columns, "is_not"]].rename(columns={**columns, "is_not": "What it is not"})


def optional_files() -> list[str]:
    """Files that a store may lack, by the catalogue: the panels, and IWM's holdings on each of its dates."""
    return [*PANELS, *map(holdings_file, _entry("IWM-HOLDINGS")["dates"])]


def holdings_file(day: str) -> str:
    """Name in the store of IWM's holdings of a day."""
    return f"{HOLDINGS}{day}.csv"


def _entry(name: str) -> dict[str, Any]:
    known = catalogue()
    if name not in known:
        near = difflib.get_close_matches(name.upper(), list(known), n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}" if near else ""
        raise SeriesError(f"Unknown series '{name}'{hint}? The catalogue is data/series.yaml.")
    return known[name]


def _tag(frame: Any, source: str, **more: Any) -> Any:
    index = frame.index
    as_of = f"{index[-1]:%Y-%m-%d}" if len(index) and isinstance(index, pd.DatetimeIndex) else None
    frame.attrs = {"source": source, "as_of": as_of, **more}
    return frame


# ------------------------------------------------------------------------------------------ the store


def locate() -> Path | None:
    """The folder of the store: MARKET_DATA, else data/market; None if neither is there."""
    named = os.environ.get("MARKET_DATA")
    if named:
        path = Path(named).expanduser()
        path = path if path.is_absolute() else _relative(path)
        recover(path)
        if not path.is_dir():
            raise StoreError(f"MARKET_DATA names {named}, which is no folder; {HOW_TO_GET_DATA}.")
        return path
    recover(DATA / "market")
    return DATA / "market" if (DATA / "market").is_dir() else None


def recover(path: Path) -> None:
    """Put the old vintage back if a move of a new one was cut between its two renames."""
    path = path.resolve()  # a link's own name would hide what lies beside the folder it points to
    old = path.with_name(f"{path.name}.old")
    if old.is_dir() and not path.exists():
        old.rename(path)


def staleness(last: pd.Timestamp, today: pd.Timestamp) -> str | None:
    """A sentence when the last session is over :data:`STALE_DAYS` days before today; else None."""
    age = (calendar.day(today) - calendar.day(last)).days
    if age <= STALE_DAYS:
        return None
    return f"These data end on {last:%Y-%m-%d}, {age} days ago; `python -m helpers data` fetches newer ones."


def _relative(path: Path) -> Path:
    """A relative MARKET_DATA is meant from the project's root, where the commands run, not from a notebook."""
    return path if path.is_dir() else ROOT / path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Store:
    """One vintage of market data in a folder, checked against its manifest.

    Parameters
    ----------
    path : the folder
    source : what ``attrs["source"]`` of its frames says

    Raises
    ------
    StoreError
        if the manifest or one of its files is missing, truncated or altered. The check compares SHA-256
        on the first opening and remembers each file by size and time of change.
    """

    def __init__(self, path: Path, source: str = "store") -> None:
        self.path = path
        self.source = source
        manifest = path / "manifest.json"
        if not manifest.is_file():
            raise StoreError(f"The store at {path} has no manifest.json; {HOW_TO_GET_DATA}.")
        try:
            self.manifest: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
            self.files: dict[str, dict[str, Any]] = self.manifest["files"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"The manifest of the store at {path} cannot be read ({error}); fetch the data again."
            ) from None
        self._check()

    def _check(self) -> None:
        seen = _remembered()
        fresh = dict(seen)
        for name, listed in self.files.items():
            file = self.path / name
            if not file.is_file():
                raise StoreError(f"The store at {self.path} lacks {name}; fetch the data again.")
            stat = file.stat()
            if stat.st_size != listed["bytes"]:
                raise StoreError(
                    f"{name} in the store at {self.path} has {stat.st_size:,} bytes instead of "
                    f"{listed['bytes']:,}: it is truncated or altered; fetch the data again."
                )
            key = str(file.resolve())
            stamp = [stat.st_size, stat.st_mtime_ns, listed["sha256"]]
            if seen.get(key) == stamp:
                continue
            if _sha256(file) != listed["sha256"]:
                raise StoreError(
                    f"{name} in the store at {self.path} does not match the manifest’s SHA-256: it was altered; "
                    f"fetch the data again."
                )
            fresh[key] = stamp
        if fresh != seen:
            _remember(fresh)

    @property
    def last_session(self) -> pd.Timestamp:
        """Last session of the store."""
        return pd.Timestamp(self.manifest["last_session"])

    def has(self, name: str) -> bool:
        """True if the store holds the symbol or macro series."""
        return name in self.manifest["symbols"] or name in self.manifest["series"]

    def price_rows(self, symbols: Sequence[str], fields: Sequence[str]) -> pd.DataFrame:
        """Rows of some symbols: only their row groups and the needed columns are read."""
        import pyarrow.parquet as pq

        table = pq.read_table(
            self.path / "prices.parquet",
            columns=["symbol", "date", *fields],
            filters=[("symbol", "in", list(symbols) or NOTHING)],
        )
        return _to_pandas(table)

    def macro_rows(self, ids: Sequence[str]) -> pd.DataFrame:
        """Rows of some macro series."""
        import pyarrow.parquet as pq

        return _to_pandas(
            pq.read_table(self.path / "macro.parquet", filters=[("series", "in", list(ids) or NOTHING)])
        )

    def file(self, name: str) -> Path:
        """Path of one of the store's files; StoreError if this store does not have it."""
        if name not in self.files:
            remedy = HOW_TO_ADD_PANELS if name in PANELS else HOW_TO_GET_DATA
            raise StoreError(f"This store has no {name}; {remedy}.")
        return self.path / name

    def lacks(self, *names: str) -> str:
        """A sentence on those of some optional files that this store does not have; empty if it has them all.

        A notebook asks before it uses them: what rests on them is then left out, and said to be.

        Parameters
        ----------
        names : such as ``"listings.parquet"`` or ``"holdings/IWM_2025-11-11.csv"``
        """
        absent = [name for name in names if name not in self.files]
        if not absent:
            return ""
        words = [_CALLED[name] for name in PANELS if name in absent]
        days = [name[len(HOLDINGS) : -len(".csv")] for name in absent if name.startswith(HOLDINGS)]
        words += [f"IWM’s holdings of {listing(days)}"] if days else []
        return f"Not in this store: {listing(words)}. data/README.md says where such files come from."


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    frame = table.to_pandas(date_as_object=False)
    frame["date"] = frame["date"].astype("datetime64[ns]")
    return frame


def _remembered() -> dict[str, Any]:
    try:
        return dict(json.loads((CACHE / "verified.json").read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _remember(seen: Mapping[str, Any]) -> None:
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        part = CACHE / f"verified.{os.getpid()}.part"
        part.write_text(json.dumps(seen), "utf-8")
        part.replace(CACHE / "verified.json")
    except OSError:
        # A read-only checkout only loses the memory of the check, not the check.
        return


# ------------------------------------------------------------------------------------- the free series


@cache
def _public_series(name: str) -> pd.Series | None:
    path = DATA / "public" / f"{name}.csv"
    if not path.is_file():
        return None
    return pd.read_csv(path, index_col="date", parse_dates=["date"])["value"].rename(name)


#: Index prices that a library in the lock carries, 1999 to 2018: real numbers even without a store.
_SHIPPED_PRICES = {"^GSPC": "sp500", "^IXIC": "nasdaq"}
_SHIPPED_FIELDS = {"open": "Open", "high": "High", "low": "Low", "close": "Close"}


@cache
def _shipped_prices(symbol: str, field: str) -> pd.Series | None:
    if symbol not in _SHIPPED_PRICES or field not in _SHIPPED_FIELDS:
        return None
    from importlib import import_module

    table = import_module(f"arch.data.{_SHIPPED_PRICES[symbol]}").load()
    values = table[_SHIPPED_FIELDS[field]].round(2).rename(symbol)
    values.index = pd.DatetimeIndex(values.index).astype("datetime64[ns]").rename("date")
    return values


def _covered(
    symbols: Sequence[str], field: str, start: calendar.Day | None, end: calendar.Day | None
) -> bool:
    """True if the shipped prices hold every symbol over the whole of a named window."""
    if start is None or end is None:
        return False
    held = [_shipped_prices(name, field) for name in symbols]
    return all(
        values is not None
        and values.index[0] <= calendar.day(start)
        and calendar.day(end) <= values.index[-1]
        for values in held
    )


# ------------------------------------------------------------------------------------------ the market


@dataclass
class Market:
    """What a notebook reads from: at most one store, the free series, at most one synthetic store."""

    store: Store | None
    synthetic: Store | None = None

    @property
    def source(self) -> str:
        """``"store"`` or ``"synthetic"``: where prices come from."""
        return self._prices.source

    @property
    def real(self) -> bool:
        """True if prices are real data."""
        return self.source != "synthetic"

    @property
    def last_session(self) -> pd.Timestamp:
        """Last session of the prices."""
        return self._prices.last_session

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that name the data: equal for two stores with the same files."""
        listed = {name: entry["sha256"] for name, entry in self._prices.files.items()}
        return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:12]

    @cached_property
    def _prices(self) -> Store:
        found = self.store or self.synthetic
        if found is None:
            raise StoreError(f"There is no market data: {HOW_TO_GET_DATA}.")
        return found

    def prices(
        self,
        symbols: str | Sequence[str],
        field: str = "close",
        start: calendar.Day | None = None,
        end: calendar.Day | None = None,
    ) -> Any:
        """Daily values of one field.

        Parameters
        ----------
        symbols : one symbol (gives a Series) or several (gives a DataFrame, one column a symbol)
        field : open, high, low, close (split-adjusted, without dividends), adj_close (with dividends:
            ratios are total returns) or volume
        start, end : first and last day kept; every session between must be there for every symbol

        Returns
        -------
        Series or DataFrame indexed by session, in index points or US dollars. Without a store, the S&P 500
        and the Nasdaq Composite over a window within 1999 to 2018 come from the free prices that ``arch``
        carries (source ``"public"``).

        Raises
        ------
        SeriesError
            for an unknown symbol or field, or a symbol that has no such field.
        HelperError
            for duplicate or unsorted dates, for a window before the first or after the last value, and for
            a missing session within ``start`` to ``end``.
        """
        wanted = [symbols] if isinstance(symbols, str) else list(symbols)
        if field not in PRICE_FIELDS:
            raise SeriesError(f"Unknown field '{field}'; use one of {', '.join(PRICE_FIELDS)}.")
        for name in wanted:
            _entry(name)
        if self.store is None and _covered(wanted, field, start, end):
            found, source = {name: _shipped_prices(name, field) for name in wanted}, "public"
        else:
            rows, source = self._prices.price_rows(wanted, [field]), self._prices.source
            found = {
                name: group.set_index("date")[field].dropna()
                for name, group in rows.groupby("symbol", sort=False)
            }
        columns = {
            name: self._window(values, f"{name} ({field})", start, end)
            for name, values in found.items()
            if values is not None and len(values)
        }
        if absent := [name for name in wanted if name not in columns]:
            raise SeriesError(
                f"The {source} has no {field} of {', '.join(absent)}; "
                f"see `price` in data/series.yaml for what each series holds."
            )
        frame = pd.DataFrame({name: columns[name] for name in wanted}).sort_index()
        frame.index.name = "date"
        frame = _tag(frame, source, field=field)
        return _tag(frame[symbols], source, field=field) if isinstance(symbols, str) else frame

    @staticmethod
    def _window(
        values: pd.Series, name: str, start: calendar.Day | None, end: calendar.Day | None
    ) -> pd.Series:
        index = pd.DatetimeIndex(values.index)
        if index.has_duplicates or not index.is_monotonic_increasing:
            calendar.require_sessions(index, index[0], index[-1], name)
        first = calendar.day(start) if start is not None else index[0]
        last = calendar.day(end) if end is not None else index[-1]
        if first < index[0]:
            raise SeriesError(
                f"{name} begins on {index[0]:%Y-%m-%d}, after {first:%Y-%m-%d}; choose a later start."
            )
        if start is not None or end is not None:
            if calendar.sessions(first, last).empty:
                raise HelperError(
                    f"The window {first:%Y-%m-%d} to {last:%Y-%m-%d} holds no New York session; widen it."
                )
            calendar.require_sessions(index, first, last, name)
        return values.loc[first:last]

    def bars(self, symbol: str) -> pd.DataFrame:
        """All fields of one symbol by session."""
        _entry(symbol)
        rows = self._prices.price_rows([symbol], PRICE_FIELDS)
        if rows.empty:
            raise SeriesError(f"The {self.source} has no prices of {symbol}.")
        frame = rows.drop(columns="symbol").set_index("date")
        calendar_index = pd.DatetimeIndex(frame.index)
        calendar.require_sessions(calendar_index, calendar_index[-1], calendar_index[-1], symbol)
        return _tag(frame, self._prices.source)

    def macro(self, name: str) -> pd.Series:
        """One macro series by FRED id, whole history, latest revision; missing observations left out."""
        _entry(name)
        if self.store is not None and self.store.has(name):
            rows, source = self.store.macro_rows([name]), self.store.source
            series = rows.set_index("date")["value"].rename(name).dropna()
        elif (shipped := _public_series(name)) is not None:
            series, source = shipped.copy(), "public"
        elif self.synthetic is not None and self.synthetic.has(name):
            rows, source = self.synthetic.macro_rows([name]), self.synthetic.source
            series = rows.set_index("date")["value"].rename(name).dropna()
        else:
            raise SeriesError(f"Neither the store nor data/public holds {name}; {HOW_TO_GET_DATA}.")
        if not series.index.is_unique or not series.index.is_monotonic_increasing:
            raise StoreError(f"{name} has duplicate or unsorted dates; fetch the data again.")
        return _tag(series, source)

    def file(self, name: str) -> Path:
        """Path of a file of the store (``listings.parquet``, ``french/…``) for readers of their own."""
        return self._prices.file(name)

    def has(self, name: str) -> bool:
        """True if the store holds the symbol or macro series."""
        return self._prices.has(name)

    def has_file(self, name: str) -> bool:
        """True if the optional file is in the store."""
        return name in self._prices.files

    def lacks(self, *names: str) -> str:
        """What :meth:`Store.lacks` says of the store behind the prices."""
        return self._prices.lacks(*names)

    def shiller(self) -> pd.DataFrame:
        """Robert Shiller's monthly S&P 500 data: price, dividend, earnings, cpi, gs10, cape."""
        frame = pd.read_parquet(self.file("shiller/shiller.parquet"))
        frame["date"] = pd.to_datetime(frame["date"])
        return _tag(frame.set_index("date"), self._prices.source)

    def intraday(self) -> pd.DataFrame:
        """Five-minute bars of the Russell 2000 in the week of 8 December 2025, New York time."""
        frame = pd.read_csv(self.file(INTRADAY), parse_dates=["time_new_york"], index_col="time_new_york")
        return _tag(frame, self._prices.source)

    def holdings_dates(self) -> list[str]:
        """Dates of the stored IWM holdings files, in order."""
        names = [name for name in self._prices.files if name.startswith(HOLDINGS)]
        return sorted(name[len(HOLDINGS) : -len(".csv")] for name in names)

    def holdings(self, date: str) -> pd.DataFrame:
        """IWM's holdings on one of :meth:`holdings_dates`, all asset classes, as stored."""
        if date not in self.holdings_dates():
            raise SeriesError(f"No IWM holdings of {date}; there are {', '.join(self.holdings_dates())}.")
        # "NA" is Nano Labs' ticker, not a missing value.
        frame = pd.read_csv(self.file(holdings_file(date)), keep_default_na=False, na_values=[""])
        return _tag(frame, self._prices.source, date=date)

    def fundamentals(self) -> pd.DataFrame:
        """Quarterly net income, revenue and operating profit (USD): ticker, year, quarter, account, amount."""
        return _tag(pd.read_parquet(self.file("fundamentals.parquet")), self._prices.source)


def connect(synthetic: bool = False) -> Market:
    """Open the market data.

    Parameters
    ----------
    synthetic : if there is no store, fall back on the synthetic market. Asked for by the notebooks, so
        that they execute anywhere; what comes of it is marked and gets no verdict.

    Raises
    ------
    StoreError
        if there is no store (and no fallback was asked for), or if it is damaged.
    """
    path = None if os.environ.get("MARKET_DATA") == "synthetic" else locate()
    if path is not None:
        return Market(Store(path))
    if not synthetic:
        raise StoreError(f"There is no market data: {HOW_TO_GET_DATA}.")
    from helpers import synthetic as made

    print(
        "SYNTHETIC MARKET: there is no market data here, so every price below is made up and no verdict "
        f"is given. For real numbers, {HOW_TO_GET_DATA}.",
        file=sys.stdout,
    )
    return Market(None, Store(made.build(CACHE / "synthetic"), source="synthetic"))


@cache
def reference() -> dict[str, str]:
    """SHA-256 of each file of the reference store, on which the committed notebooks were executed."""
    listed = json.loads((DATA / "fingerprints.json").read_text("utf-8"))
    return dict(listed["files"])


def is_reference(store: Store) -> bool:
    """True if the store holds the very files on which the committed notebooks were executed."""
    found = {name: entry["sha256"] for name, entry in store.files.items()}
    return all(found.get(name) == sha for name, sha in reference().items())
