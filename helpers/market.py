"""The market data behind the notebooks: the store, the free series that ship, the synthetic market.

A series is looked up in that order. Every frame says where it came from in ``attrs["source"]``:
``"store"``, ``"public"`` (data/public, shipped) or ``"synthetic"``; ``attrs["as_of"]`` is its last date.

A session that is missing inside the life of a series is a row of NaN, named in ``attrs["gaps"]``: no return is
formed across it, and :mod:`helpers.measures.records` refuses to look past it.
"""

from __future__ import annotations

import ast
import difflib
import dis
import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import pandas as pd

from helpers import calendar, executions, files, store
from helpers.files import DATA as DATA
from helpers.files import ROOT as ROOT
from helpers.files import HelperError
from helpers.files import Missing as Missing
from helpers.store import HOW_TO_GET_DATA as HOW_TO_GET_DATA
from helpers.store import PRICE_FIELDS as PRICE_FIELDS
from helpers.store import Store as Store
from helpers.store import StoreError as StoreError
from helpers.store import catalogue as catalogue
from helpers.words import say

#: Data older than this many days get a line that says so.
STALE_DAYS = 45

T = TypeVar("T")


class SeriesError(HelperError):
    """A series or field of that name is unknown."""


def describe(ids: Iterable[str]) -> pd.DataFrame:
    """Catalogue lines of some series: name, what each is, and what it is not; the provider where they differ."""
    entries = pd.DataFrame([_entry(name) for name in ids])
    columns = {
        "id": "Series",
        "name": "Name",
        "provider": "Provider",
        "price": "Price type",
        "is_not": "What it is not",
    }
    kept = [name for name in columns if name != "provider" or len(set(entries[name])) > 1]
    if _current is not None and any(lacking := [_current.gaps(name) for name in entries["id"]]):
        entries["gaps"] = [", ".join(days) for days in lacking]
        kept, columns["gaps"] = [*kept, "gaps"], "Days not given"
    return entries[kept].rename(columns=columns)


def staleness(last: pd.Timestamp, today: pd.Timestamp) -> str | None:
    """A sentence when the last session is over :data:`STALE_DAYS` days before today; else None."""
    age = (calendar.day(today) - calendar.day(last)).days
    if age <= STALE_DAYS:
        return None
    return f"These data end on {last:%Y-%m-%d}, {age} days ago; `python -m helpers data` fetches newer ones."


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


# ------------------------------------------------------------------------------------- the free series


@cache
def _public_series(name: str) -> pd.Series | None:
    path = DATA / "public" / f"{name}.csv"
    executions.note("file of code", str(path))
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


def _shipped(
    symbols: Sequence[str], field: str, start: calendar.Day | None, end: calendar.Day | None
) -> dict[str, pd.Series]:
    """The shipped prices if they hold every symbol over the whole of a named window, else nothing."""
    if start is None or end is None:
        return {}
    found = {name: held for name in symbols if (held := _shipped_prices(name, field)) is not None}
    spans = [
        held.index[0] <= calendar.day(start) and calendar.day(end) <= held.index[-1]
        for held in found.values()
    ]
    return found if len(found) == len(symbols) and all(spans) else {}


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

    @cached_property
    def published(self) -> bool:
        """True on the data of the committed notebooks, by the manifest's word."""
        return self.store is not None and _is_published(self.store)

    @property
    def last_session(self) -> pd.Timestamp:
        """Last session of whole histories, see :attr:`helpers.store.Store.until`."""
        return self._prices.until

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that name the data: equal for two stores with the same files.

        The last session is part of them: a store whose manifest names another than its prices is refused.
        """
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
        start, end : first and last day kept; every session between must be there for every symbol. Without an
            end, :attr:`last_session`

        Returns
        -------
        Series or DataFrame indexed by session, in index points or US dollars. Without ``start`` and ``end``,
        a session missing inside the life of a symbol is NaN and listed in ``attrs["gaps"]`` (symbol: ISO
        dates). Without a store, the S&P 500 and the Nasdaq Composite over a window within 1999 to 2018 come
        from the free prices that ``arch`` carries (source ``"public"``).

        Raises
        ------
        SeriesError
            for an unknown symbol or field.
        Missing
            for a symbol without that field, a window before the first or after the last value, a missing
            session within ``start`` to ``end``.
        StoreError
            for what no price can be, see :meth:`helpers.store.Store.prices`.
        """
        wanted = [symbols] if isinstance(symbols, str) else list(symbols)
        if field not in PRICE_FIELDS:
            raise SeriesError(f"Unknown field '{field}'; use one of {', '.join(PRICE_FIELDS)}.")
        for name in wanted:
            _entry(name)
        found = _shipped(wanted, field, start, end) if self.store is None else {}
        source = "public" if found else self.source
        found = found or self._prices.prices(wanted, [field]).series(field)
        if absent := [name for name in wanted if name not in found or found[name].empty]:
            raise Missing(
                f"The {source} has no {field} of {', '.join(absent)}; see `price` in data/series.yaml for what each "
                f"series holds, and fetch with `python -m helpers data` what is not there."
            )
        columns, gaps = {}, {}
        for name in wanted:
            values = found[name] if end is not None else found[name][: self.last_session]
            columns[name] = _window(values, f"{name} ({field})", start, end)
            if holes := [f"{day:%Y-%m-%d}" for day in columns[name].index[columns[name].isna()]]:
                gaps[name] = holes
        frame = _side_by_side(columns)
        more = {"field": field} | ({"gaps": gaps} if gaps else {})
        return _tag(frame[symbols] if isinstance(symbols, str) else frame, source, **more)

    def bars(self, symbol: str) -> pd.DataFrame:
        """All fields of one symbol by session."""
        _entry(symbol)
        rows = self._prices.price_rows([symbol], PRICE_FIELDS)
        if rows.empty:
            raise Missing(f"The {self.source} has no prices of {symbol}.")
        rows = rows.drop(columns="symbol").set_index("date")[: self.last_session]
        return _tag(_with_holes(rows), self._prices.source)

    def gaps(self, name: str) -> list[str]:
        """As :meth:`helpers.store.Store.gaps`: days of a series that are known to be missing."""
        return self._prices.gaps(name)

    def macro(self, name: str) -> pd.Series:
        """One macro series by FRED id, whole history, latest revision; missing observations left out."""
        _entry(name)
        for held in (self.store, None, self.synthetic):
            if held is None and (shipped := _public_series(name)) is not None:
                return _tag(shipped.copy(), "public")
            if held is not None and held.has(name):
                found = held.macro([name]).series("value")
                if name in found and len(found[name]):
                    return _tag(found[name], held.source)
        raise Missing(f"Neither the store nor data/public holds {name}; {HOW_TO_GET_DATA}.")

    def file(self, name: str) -> Path:
        """Path of a file of the store (``listings.parquet``, ``french/…``) for readers of their own."""
        return self._prices.file(name)

    def has(self, name: str) -> bool:
        """True if the store holds the symbol or macro series."""
        return self._prices.has(name)

    def lacks(self, *names: str) -> str:
        """As :meth:`helpers.store.Store.lacks`: a sentence on the files that are not there, or nothing."""
        return self._prices.lacks(*names)

    def shiller(self) -> pd.DataFrame:
        """Robert Shiller's monthly data, indexed by month: price, dividend, earnings, cpi, gs10, cape."""
        frame = self._panel("shiller").set_index("date")
        frame.index = _in_order(pd.DatetimeIndex(frame.index).astype("datetime64[ns]"), "Shiller’s months")
        return _tag(frame, self._prices.source)

    def intraday(self) -> pd.DataFrame:
        """The catalogue's five-minute bars, indexed by their start in New York."""
        frame = self._panel("bars")
        try:
            index = pd.DatetimeIndex(pd.to_datetime(frame.pop("time_new_york")))
        except ValueError:
            index = pd.DatetimeIndex([pd.NaT])
        if index.hasnans:
            raise StoreError("The five-minute bars have a time that cannot be read; fetch the data again.")
        local = index if index.tz is None else index.tz_convert("America/New_York")
        days = _in_order(local.tz_localize(None), "The five-minute bars").normalize()
        if frame.isna().any(axis=None) or (local.tz_localize(None) != index.tz_localize(None)).any():
            raise StoreError(
                "The five-minute bars lack a price or are not in New York’s time; fetch the data again."
            )
        if not days.isin(calendar.sessions(days[0], days[-1])).all():
            raise StoreError("The five-minute bars name a day that is no session; fetch the data again.")
        return _tag(frame.set_index(index), self._prices.source)

    def holdings_dates(self) -> list[str]:
        """Dates of the fund's holdings that the store has, in order."""
        (form,) = store.laid_out("holdings")["files"]
        head, tail = form.split("{date}")
        executions.note("files of the store", "")
        names = [name for name in self._prices.files if name.startswith(head) and name.endswith(tail)]
        return sorted(name.removeprefix(head).removesuffix(tail) for name in names)

    def holdings(self, date: str) -> pd.DataFrame:
        """The fund's holdings on one of :meth:`holdings_dates`, all asset classes, as stored."""
        entry = store.laid_out("holdings")
        if date not in (held := self.holdings_dates()):
            kind = Missing if date in entry["dates"] else SeriesError
            raise kind(f"No {entry['called']} of {date}; there are {', '.join(held) or 'none'}.")
        return _tag(self._panel("holdings", date), self._prices.source, date=date)

    def fundamentals(self) -> pd.DataFrame:
        """Quarterly net income, revenue and operating profit (USD): ticker, year, quarter, account, amount."""
        return _tag(self._panel("fundamentals"), self._prices.source)

    def _panel(self, table: str, date: str = "") -> pd.DataFrame:
        return self._prices.table(store.laid_out(table)["files"][0].format(date=date))


def _in_order(index: pd.DatetimeIndex, what: str) -> pd.DatetimeIndex:
    """The dates of a table, if each stands there once, in order and before today's end."""
    sound = index.is_monotonic_increasing and index.is_unique and not index.hasnans
    if not sound or (len(index) and index[-1] > pd.Timestamp.now() + pd.Timedelta(days=1)):
        raise StoreError(f"{what} are not dated one by one in order up to today; fetch the data again.")
    return index


def _window(values: pd.Series, name: str, start: calendar.Day | None, end: calendar.Day | None) -> pd.Series:
    """A series within a window that it must fill, or the whole of it with its holes as NaN."""
    index = pd.DatetimeIndex(values.index)
    if start is None and end is None:
        return _with_holes(values)
    first = calendar.day(start) if start is not None else index[0]
    last = calendar.day(end) if end is not None else index[-1]
    if first < index[0]:
        raise Missing(f"{name} begins on {index[0]:%Y-%m-%d}, after {first:%Y-%m-%d}; choose a later start.")
    if calendar.sessions(first, last).empty:
        raise HelperError(
            f"The window {first:%Y-%m-%d} to {last:%Y-%m-%d} holds no New York session; widen it."
        )
    calendar.require_sessions(index, first, last, name)
    return values.loc[first:last]


def _side_by_side(columns: dict[str, pd.Series]) -> pd.DataFrame:
    """One column a series over the days of all of them; several times as fast as pandas' own union."""
    days = np.sort(np.concatenate([values.index.asi8 for values in columns.values()]), kind="stable")
    days = days[np.diff(days, prepend=days[0] - 1) > 0]
    table = np.full((len(days), len(columns)), np.nan)
    for at, values in enumerate(columns.values()):
        table[days.searchsorted(values.index.asi8), at] = values
    index = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="date")
    return pd.DataFrame(table, index=index, columns=list(columns))


def _with_holes(values: Any) -> Any:
    """A series or frame with a row of NaN for each session that is missing inside it."""
    index = values.index
    first = max(index[0], calendar.COMPLETE_FROM)
    wanted = calendar.sessions(first, max(first, index[-1]))
    if len(wanted) == len(index) - index.searchsorted(first):
        return values
    return values.reindex(index.union(wanted[wanted <= index[-1]]))


_current: Market | None = None


def connect(synthetic: bool = False) -> Market:
    """Open the market data; :func:`current` remembers it.

    Parameters
    ----------
    synthetic : if there is no store, fall back on the synthetic market. Asked for by the notebooks, so
        that they execute anywhere; what comes of it is marked and gets no verdict.

    Raises
    ------
    StoreError
        if there is no store (and no fallback was asked for), or if it is damaged.
    """
    global _current
    path = store.locate()
    opened = Store(path) if path is not None else None
    if opened is not None and opened.source == "store":
        _current = Market(opened)
        if not _current.published:
            _go_on_without_what_is_missing()
        return _current
    if not synthetic:
        raise StoreError(f"There is no market data: {HOW_TO_GET_DATA}.")
    from helpers import synthetic as made

    print(
        "SYNTHETIC MARKET: no market data are read here, so every price below is made up and no verdict on a "
        f"real market is given. For real numbers, {HOW_TO_GET_DATA}.",
        file=sys.stdout,
    )
    _current = Market(None, opened or Store(made.build(files.cache() / "synthetic")))
    return _current


def current() -> Market | None:
    """The market that the last :func:`connect` opened: where the numbers of this notebook come from."""
    return _current


def known(read: Callable[[], T]) -> T | None:
    """What ``read()`` returns, or None where the store lacks it."""
    try:
        return read()
    except Missing:
        return None


@cache
def reference() -> dict[str, str]:
    """SHA-256 of each file of the reference store, on which the committed notebooks were executed."""
    listed = json.loads((DATA / "fingerprints.json").read_text("utf-8"))
    return dict(listed["files"])


def is_reference(held: Store) -> bool:
    """True if the store holds the very files on which the committed notebooks were executed.

    Claimed only after every file was hashed; StoreError if one was altered since the store was opened.
    """
    if not _is_published(held):
        return False
    held.prove()
    return True


def _is_published(held: Store) -> bool:
    return all(held.files.get(name, {}).get("sha256") == sha for name, sha in reference().items())


# ------------------------------------------------------------------------------------------- parts


class Gap:
    """Stands where a part of a notebook was left out: whoever uses it gets :class:`Missing`, with the reason."""

    def __init__(self, reason: str) -> None:
        self.__dict__["_reason"] = reason

    def __repr__(self) -> str:
        return f"<left out: {self.__dict__['_reason']}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # how Python asks what an object can do
            raise AttributeError(name)
        _use(self)


def _use(gap: Gap, *_: Any, **__: Any) -> NoReturn:
    raise Missing(gap.__dict__["_reason"])


_USES = (
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift divmod radd rsub rmul rtruediv "
    "rfloordiv rmod rpow rmatmul rand ror rxor neg pos abs invert round float int complex index bool len iter "
    "next contains getitem setitem delitem call eq ne lt le gt ge hash str fspath format array setattr delattr"
)
for _name in _USES.split():
    setattr(Gap, f"__{_name}__", _use)


def part(function: Callable[[], T]) -> T:
    """Run a function of no arguments at once, and bind its name to what it returned.

    A part of a notebook that needs what the store may lack::

        @market.part
        def breadth():
            return shares_above_mean(mkt.file("listings.parquet"))

    If it raises :class:`Missing`, also from a helper within, one sentence is shown and the name is bound to a
    :class:`Gap`: parts and measures that use it are left out in turn, for the same reason.

    Raises
    ------
    HelperError
        for a function with arguments, which cannot be run at once.
    """
    if wanted := list(inspect.signature(function).parameters):
        raise HelperError(
            f"market.part runs a function at once, and {function.__name__} takes {', '.join(wanted)}; "
            f"take the decorator off, or the arguments out."
        )
    try:
        return function()
    except Missing as missing:
        return _left_out(missing)  # type: ignore[return-value]


_told: set[tuple[int, str]] = set()


def _left_out(missing: Missing) -> Gap:
    """Say once a cell what is left out and why; the gap that stands for it."""
    from IPython.core.getipython import get_ipython

    cell = getattr(get_ipython(), "execution_count", 0)
    if (cell, str(missing)) not in _told or not cell:
        say(f"Left out: {missing}", _current)
        _told.add((cell, str(missing)))
    return Gap(str(missing))


def _shown(value: Callable[[], T]) -> T | None:
    try:
        return value()
    except Missing as missing:
        _left_out(missing)
        return None


class _Parts(ast.NodeTransformer):
    """Makes a part of every statement of a cell, on data other than those that the notebooks were written on."""

    def visit_Module(self, cell: ast.Module) -> ast.Module:
        cell.body = [ast.copy_location(_guarded(statement), statement) for statement in cell.body]
        return ast.fix_missing_locations(cell)


def _guarded(statement: ast.stmt) -> ast.stmt:
    """A statement that is left out if it raises :class:`Missing`: it shows nothing, and its names are gaps."""
    market = "__import__('helpers.market', fromlist=['part'])"
    guarded: Any
    if isinstance(statement, ast.Expr):
        guarded = ast.parse(f"{market}._shown(lambda: 0)").body[0]
        guarded.value.args[0].body = statement.value
        return guarded
    code = dis.get_instructions(compile(ast.Module([statement], []), "", "exec"))
    names = {step.argval: None for step in code if step.opname == "STORE_NAME"}
    gaps = " = ".join([*names, f"{market}._left_out(_why)"])
    guarded = ast.parse(f"try: pass\nexcept {market}.Missing as _why: {gaps}").body[0]
    guarded.body = [statement]
    return guarded


def _go_on_without_what_is_missing() -> None:
    """In a notebook: a statement that raises :class:`Missing` is left out with a sentence, and the next ones run."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None and not any(isinstance(one, _Parts) for one in shell.ast_transformers):
        shell.ast_transformers.append(_Parts())
