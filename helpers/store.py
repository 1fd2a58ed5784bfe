"""The store of market data: where it is, opened and checked through one door, written in one place.

A store is a folder: ``prices.parquet`` (symbol, date, open, high, low, close, adj_close, volume),
``macro.parquet`` (series, date, value), the files of the panels in ``data/series.yaml``, and ``manifest.json`` with
the SHA-256 of each file and the life of each series. ``data/manifest.schema.json`` is the manifest's form.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers import calendar, executions, files
from helpers.files import DATA, ROOT, HelperError, Missing
from helpers.words import and_more, listing

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PRICE_FIELDS = ("open", "high", "low", "close", "adj_close", "volume")
HOW_TO_GET_DATA = (
    "run `python -m helpers data` to fetch it from the providers, "
    "or set MARKET_DATA to a folder that holds it"
)
HOW_TO_ADD_PANELS = "no free provider serves this panel, and data/README.md says how to add it"
#: The word that MARKET_DATA may hold in the place of a folder.
SYNTHETIC = "synthetic"
PRICES, MACRO, MANIFEST = "prices.parquet", "macro.parquet", "manifest.json"


def _columns(text: str) -> dict[str, str]:
    return dict(word.split(":") for word in text.split())


#: Columns and types of each table, by its name in the catalogue; a type is pyarrow's, or ``words`` for categories.
TABLES: dict[str, dict[str, str]] = {
    "prices": _columns(
        "symbol:string date:date32 open:double high:double low:double close:double adj_close:double volume:int64"
    ),
    "macro": _columns("series:string date:date32 value:double"),
    "shiller": _columns(
        "date:date32 price:double dividend:double earnings:double cpi:double gs10:double cape:double"
    ),
    "listings": _columns(
        "symbol:words date:date32 last:float pct_change:float volume:int64 market_cap:double exchange:words"
        " sector:words"
    ),
    "fundamentals": _columns("ticker:string year:int16 quarter:int8 account:words amount:int64"),
    "holdings": _columns(
        "ticker:string name:string sector:string weight_pct:double market_value:double price:double asset_class:string"
    ),
    "bars": _columns("time_new_york:string open:double high:double low:double close:double"),
}
#: Rows of a row group: small ones in prices, so that a reader of a few symbols skips all others.
_ROW_GROUPS = {"prices": 16384, "listings": 250000}
#: Least and largest number in a table that is read whole, or in one of its columns; elsewhere all finite ones.
_BOUNDS = {
    "bars": (1e-9, 1e300),
    "shiller": (1e-9, 1e300),
    "fundamentals year": (1900, 2100),
    "fundamentals quarter": (1, 4),
}
#: Limits of a manifest before it is parsed: bytes and depth.
_LARGEST, _DEEPEST = 8_000_000, 40
#: What a manifest of made-up numbers calls itself.
MADE_UP = "synthetic market"
#: No price moves by the first factor from one session to the next, nor by the second and back again.
_LEAP, _SPIKE = 8.0, 3.0
#: A provider's single precision may put a low a hair above its high.
_HAIR = 1.001
#: A gap of most series so shortly before the end is taken for the end.
RECENT = pd.Timedelta(days=60)


class StoreError(HelperError):
    """The store is damaged, altered, or not where it is said to be."""


# ------------------------------------------------------------------------------------------ where, and what


def home() -> Path:
    """Where the store is, or is to be: the folder that MARKET_DATA names, else data/market.

    A relative name is meant from the project's root, where the commands run, not from a notebook.
    """
    named = os.environ.get("MARKET_DATA", "")
    path = DATA / "market" if named in {"", SYNTHETIC} else ROOT / os.path.expanduser(named)
    path = Path(os.path.realpath(path)) if os.path.islink(path) else path
    if os.path.lexists(path) and not os.path.isdir(path):
        raise StoreError(
            f"{path}, where market data belong, is no folder; move it, or set MARKET_DATA to a folder."
        )
    return path


def locate() -> Path | None:
    """The folder of the store; None if there is none, or if MARKET_DATA asks for the synthetic market.

    Raises
    ------
    StoreError
        if MARKET_DATA names what is no folder, or an empty one.
    """
    named = os.environ.get("MARKET_DATA", "")
    if named == SYNTHETIC:
        return None
    path = home()
    if not vacant(path):
        return path
    if named:
        what = "an empty folder" if path.is_dir() else "no folder"
        raise StoreError(f"MARKET_DATA names {named}, which is {what}; {HOW_TO_GET_DATA}.")
    return None


def vacant(path: Path) -> bool:
    """True if there is no folder, or nothing in it but what a file system puts there; undoes a swap cut short."""
    # A parent that cannot be read or written, a link in a circle, the root of all: nothing to recover then.
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        files.recover(path)
    try:
        return not path.is_dir() or all(
            found.name.startswith(".") or found.name == "lost+found" for found in path.iterdir()
        )
    except OSError as error:
        raise StoreError(
            f"The store at {path} cannot be read ({error.strerror}); mend its rights, or name another folder."
        ) from None


@cache
def series_file() -> dict[str, Any]:
    """data/series.yaml: ``series`` by id, ``providers``, ``units`` (bounds), and what is ``synthetic`` alone."""
    import yaml

    path = DATA / "series.yaml"
    try:
        content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        return {
            **{key: content[key] for key in ("providers", "units", "synthetic")},
            "series": {entry["id"]: entry for entry in content["series"]},
        }
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise HelperError(
            f"The catalogue {path} cannot be read ({reason}); restore it from the repository."
        ) from None


def catalogue() -> dict[str, dict[str, Any]]:
    """Every series of data/series.yaml by id."""
    found: dict[str, dict[str, Any]] = series_file()["series"]
    return found


def laid_out(table: str) -> dict[str, Any]:
    """The catalogue's entry whose files are laid out as a table of :data:`TABLES`."""
    return next(entry for entry in catalogue().values() if entry.get("table") == table)


def panel_files(entry: Mapping[str, Any]) -> list[str]:
    """Names in the store of the files of a catalogue entry, one for each of its dates if it has dates."""
    return [
        name.format(date=date)
        for name in entry.get("files", ())
        for date in (entry.get("dates", [""]) if "{date}" in name else [""])
    ]


def optional_files() -> list[str]:
    """Files that a store may lack, by the catalogue: those that nobody serves, and dated ones."""
    return [
        name
        for entry in catalogue().values()
        if "by_hand" in entry or "dates" in entry
        for name in panel_files(entry)
    ]


def _entry_of(name: str) -> dict[str, Any]:
    """The catalogue entry to which a file of the store belongs; empty for none."""
    for entry in catalogue().values():
        for form in entry.get("files", ()):
            if re.fullmatch(re.escape(form).replace(r"\{date\}", r"\d{4}-\d\d-\d\d"), name):
                return entry
    return {}


# --------------------------------------------------------------------------------------------- the store


@dataclass(frozen=True)
class Rows:
    """Rows of some series, checked: series number ``codes[i]`` of ``names``, its date, its values by column."""

    names: list[str]
    codes: np.ndarray[Any, Any]
    dates: pd.DatetimeIndex
    values: dict[str, np.ndarray[Any, Any]]

    def series(self, column: str) -> dict[str, pd.Series]:
        """One series a name, by date; nulls left out."""
        cuts = np.flatnonzero(np.diff(self.codes)) + 1
        found = {}
        for begin, end in zip([0, *cuts], [*cuts, len(self.codes)], strict=True):
            if begin < end:
                part = self.values[column][begin:end]
                known = ~np.isnan(part)
                name = self.names[self.codes[begin]]
                found[name] = pd.Series(part[known], index=self.dates[begin:end][known], name=name)
        return found

    def frame(self, key: str) -> pd.DataFrame:
        """One tidy frame, the name in column ``key``."""
        names = pd.Series(pd.Categorical.from_codes(self.codes, self.names)).astype("str")
        return pd.DataFrame({key: names, "date": self.dates, **self.values})


class Store:
    """One vintage of market data in a folder, checked against its manifest.

    Parameters
    ----------
    path : the folder
    prove : hash every file. Without it a file is hashed once and then remembered by size and time of change,
        which is fast and no proof.

    Raises
    ------
    StoreError
        if the manifest or one of its files is missing, truncated, altered, or says what cannot be. Every later
        read raises it if the store was replaced since, or holds what no price can be.
    """

    def __init__(self, path: Path, prove: bool = False) -> None:
        self.path = path
        self._stamps: dict[str, list[int]] = {}
        text = self._manifest_text()
        self.sha = hashlib.sha256(text).hexdigest()
        seen, key = {} if prove else _remembered(), str(path.resolve() / MANIFEST)
        stamp = [*self._stamps[MANIFEST][:2], self.sha]
        sound = seen.get(key) == stamp
        self.manifest = _parsed(text, path, sound)
        self.files: dict[str, dict[str, Any]] = self.manifest["files"]
        #: What ``attrs["source"]`` of its frames says; a made-up market is never taken for a real one.
        self.source = "synthetic" if self.manifest["name"] == MADE_UP else "store"
        fresh = self._check(seen)
        if not sound:
            self._check_lives()
            fresh[key] = stamp
        if fresh:
            _remember(fresh)

    def _manifest_text(self) -> bytes:
        file = self.path / MANIFEST
        try:
            self._stamps[MANIFEST] = _stamp(file)
            if self._stamps[MANIFEST][0] > _LARGEST:
                raise self._fault(MANIFEST, f"is over {_LARGEST:,} bytes")
            return file.read_bytes()
        except FileNotFoundError:
            raise StoreError(f"The store at {self.path} has no {MANIFEST}; {HOW_TO_GET_DATA}.") from None
        except OSError as error:
            raise self._fault(MANIFEST, f"cannot be read ({error.strerror})") from None

    def _check(self, seen: Mapping[str, Any]) -> dict[str, Any]:
        """Sizes and hashes of all files but those seen before; what was hashed now, for the memory."""
        fresh: dict[str, Any] = {}
        root = self.path.resolve()
        for name, listed in self.files.items():
            try:
                file = (self.path / name).resolve()
                if not file.is_relative_to(root):
                    raise StoreError(
                        f"{name} lies outside the store at {self.path}; bring it into the folder."
                    )
                self._stamps[name] = found = _stamp(file)
                if found[0] != listed["bytes"]:
                    wrong = f"{found[0]:,} bytes instead of {listed['bytes']:,}"
                    raise self._fault(name, f"has {wrong}: it is truncated or altered")
                stamp = [*found[:2], listed["sha256"]]
                if seen.get(str(file)) == stamp:
                    continue
                if files.sha256(file) != listed["sha256"]:
                    raise self._fault(name, "does not match the manifest’s SHA-256: it was altered")
                fresh[str(file)] = stamp
            except FileNotFoundError:
                raise StoreError(f"The store at {self.path} lacks {name}; fetch the data again.") from None
            except (OSError, RuntimeError) as error:  # a folder, a pipe, a link to itself, no right to read
                why = getattr(error, "strerror", None) or "a link that leads nowhere"
                raise self._fault(name, f"cannot be read ({why})") from None
        return fresh

    def prove(self) -> None:
        """Hash every file now; StoreError if one is not what the manifest says."""
        self._unchanged()
        self._check({})

    def _check_lives(self) -> None:
        """What the manifest says of each series is what the tables hold; the last session is over, and theirs."""
        ends = []
        for name, key, listed in ((PRICES, "symbol", "symbols"), (MACRO, "series", "series")):
            file, said = self._open(name), self.manifest[listed]
            with self._door(name):
                rows = file.read(columns=[key, "date"]).to_pandas(date_as_object=False)
                if rows.isna().any(axis=None) or (rows["date"] != rows["date"].dt.normalize()).any():
                    raise self._fault(name, f"has a row without {key} or date, or with a time of day")
                held = _lives(rows, key)
                gaps = {(series, pd.Timestamp(day)) for series in said for day in self.gaps(series)}
                on_gaps = rows[rows["date"].isin({day for _, day in gaps})]
                there = gaps & set(on_gaps.itertuples(index=False, name=None))
            ends += [max(life["last"] for life in held.values())] if held else []
            if odd := sorted(set(said) ^ set(held)):
                raise self._fault(MANIFEST, f"and {name} do not list the same series ({odd[0]})")
            for series, life in held.items():
                for what in set(life) & set(said[series]):
                    if said[series][what] != life[what]:
                        raise self._fault(
                            MANIFEST,
                            f"says {what} {said[series][what]} of {series}, and {name} has {life[what]}",
                        )
            for series, day in sorted(gaps):
                if (series, day) in there or (key == "symbol" and not calendar.is_session(day)):
                    why = f"{name} holds" if (series, day) in there else "is no session"
                    raise self._fault(MANIFEST, f"names {day:%Y-%m-%d} as a gap of {series}, which {why}")
        last = self.manifest["last_session"]
        if pd.Timestamp(last) > pd.Timestamp.now() + pd.Timedelta(days=1):
            raise self._fault(MANIFEST, f"names a last session in the future, {last}")
        if ends and ends[0] != last:
            raise self._fault(MANIFEST, f"names {last} as the last session, and the files end on {ends[0]}")

    @property
    def last_session(self) -> pd.Timestamp:
        """Last session of the store."""
        return pd.Timestamp(self.manifest["last_session"])

    @cached_property
    def lives(self) -> dict[str, dict[str, Any]]:
        """What the manifest says of each symbol and macro series, by name."""
        return {**self.manifest["symbols"], **self.manifest["series"]}

    @cached_property
    def until(self) -> pd.Timestamp:
        """Last day of whole histories: the one before a session of the last weeks that most series lack."""
        symbols = self.manifest["symbols"].values()
        lacking = Counter(day for life in symbols for day in life.get("gaps", ()))
        early = self.last_session - RECENT
        common = [
            day for day, count in lacking.items() if 2 * count > len(symbols) and pd.Timestamp(day) >= early
        ]
        return calendar.previous_session(min(common)) if common else self.last_session

    def has(self, name: str) -> bool:
        """True if the store holds the symbol or macro series."""
        executions.note("life of a series", name)
        return name in self.lives

    def gaps(self, name: str) -> list[str]:
        """Days of a series that are known to be missing, ISO dates."""
        executions.note("life of a series", name)
        return list(self.lives.get(name, {}).get("gaps", ()))

    def gap_sentence(self) -> str:
        """Which days are missing in which series, and what that means; empty if none is."""
        names = sorted(name for name in self.lives if self.gaps(name))
        if not names:
            return ""
        days = and_more(sorted({day for name in names for day in self.gaps(name)}), 6)
        end = f", and whole histories end on {self.until:%Y-%m-%d}" if self.until < self.last_session else ""
        return (
            f"{len(names)} series ({and_more(names, 6)}) are kept without {days}, which the provider did not give; "
            f"windows that need such a day are refused{end}."
        )

    def lacks(self, *names: str) -> str:
        """A sentence on those of some optional files that this store does not have; empty if it has them all.

        Parameters
        ----------
        names : files such as ``"listings.parquet"``, or ids of the catalogue
        """
        known = catalogue()
        wanted = [file for name in names for file in (panel_files(known[name]) if name in known else [name])]
        executions.note("file of the store", *wanted)
        days: dict[str, list[str]] = {}
        for name in wanted:
            if name not in self.files and (entry := _entry_of(name)):
                day = re.search(r"\d{4}-\d\d-\d\d", name) if "dates" in entry else None
                days.setdefault(entry.get("called", entry["name"]), []).extend([day[0]] if day else [])
        if not days:
            return ""
        words = [f"{called} of {listing(dates)}" if dates else called for called, dates in days.items()]
        return f"Not in this store: {listing(words)}. data/README.md says where such files come from."

    # ------------------------------------------------------------------------------------------- reading

    def file(self, name: str) -> Path:
        """Path of one of the store's files, its columns checked; Missing if this store does not have it."""
        executions.note("file of the store", name)
        if name not in self.files:
            remedy = HOW_TO_ADD_PANELS if "by_hand" in _entry_of(name) else HOW_TO_GET_DATA
            raise Missing(f"This store has no {name}; {remedy}.")
        if name.endswith(".parquet"):
            self._open(name)
        self._unchanged(name)
        return self.path / name

    def value(self, name: str, column: str, where: Mapping[str, Any]) -> Any:
        """The value of a column in the one row that ``where`` picks, a value for each of some columns."""
        import pyarrow.parquet as pq

        path, picks = self.file(name), [(key, "=", value) for key, value in where.items()]
        with self._door(name):
            found = pq.read_table(path, columns=[column], filters=picks)[column].drop_null().to_pylist()
        if len(found) != 1:
            row = ", ".join(str(value) for value in where.values())
            raise Missing(f"{name} has {len(found) or 'no'} values of {column} for {row}; ask for one row.")
        return found[0]

    def table(self, name: str) -> pd.DataFrame:
        """A whole file with the columns of its table in :data:`TABLES`, and no others."""
        path, layout = self.file(name), _entry_of(name)["table"]
        wanted = TABLES[layout]
        with self._door(name):
            frame = (
                pd.read_parquet(path, columns=list(wanted))
                if name.endswith(".parquet")
                # "NA" is a ticker, not a missing value.
                else pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
            )
        for column, kind in wanted.items():
            if column not in frame:
                raise self._fault(name, f"has no column '{column}'")
            if kind in {"string", "words", "date32"}:
                continue
            if frame[column].dtype.kind not in "fi":
                raise self._fault(name, f"has text where numbers belong, in '{column}'")
            low, high = _BOUNDS.get(f"{layout} {column}", _BOUNDS.get(layout, (-1e300, 1e300)))
            if (frame[column] < low).any() or (frame[column] > high).any():
                raise self._fault(name, f"has what cannot be in '{column}'")
        if frame.duplicated().any():
            raise self._fault(name, "holds one and the same row twice")
        return frame[list(wanted)]

    def price_rows(self, symbols: Sequence[str], fields: Sequence[str]) -> pd.DataFrame:
        """Rows of some symbols, tidy: symbol, date and the fields."""
        return self.prices(symbols, fields).frame("symbol")

    def macro_rows(self, ids: Sequence[str]) -> pd.DataFrame:
        """Rows of some macro series, tidy: series, date, value."""
        return self.macro(ids).frame("series")

    def prices(self, symbols: Sequence[str], fields: Sequence[str]) -> Rows:
        """Rows of some symbols: only their row groups and the needed columns are read, and checked.

        Raises
        ------
        StoreError
            for a price that is not positive and finite or far off its neighbours, a low above its high, a volume
            that is negative or infinite, a date twice or out of order, a day that is no session or lies after the
            store's last one.
        """
        rows = self._rows(PRICES, "symbol", symbols, fields)
        for column, values in rows.values.items():
            bad = (values < 0 if column == "volume" else values <= 0) | np.isinf(values)
            if bad.any():
                raise self._value_fault(rows, column, int(bad.argmax()))
            if column != "volume" and (far := leaps(rows.codes, values)).any():
                raise self._value_fault(rows, column, int(far.argmax()), ", far off the days around it")
        top, bottom = (rows.values.get(field, np.array([])) for field in ("high", "low"))
        if len(top) == len(bottom) and (bad := bottom > top * _HAIR).any():
            raise self._value_fault(rows, "low", int(bad.argmax()), ", above its high")
        strange = calendar.sessions(calendar.FIRST, calendar.LAST).get_indexer(rows.dates) < 0
        late = np.asarray(rows.dates > self.last_session)
        if (strange | late).any():
            at = int((strange | late).argmax())
            why = "lies after the last session" if late[at] else "is no New York session"
            raise self._fault(PRICES, f"has {self._at(rows, at)}, which {why}")
        return rows

    def macro(self, ids: Sequence[str]) -> Rows:
        """Rows of some macro series, checked: of their unit, each date once, in order, none in the future."""
        rows = self._rows(MACRO, "series", ids, ["value"])
        values = rows.values["value"]
        units = [catalogue().get(name, {}).get("unit") for name in rows.names]
        low, high = np.array([bounds(unit) for unit in units]).reshape(-1, 2)[rows.codes].T
        if (bad := (values < low) | (values > high)).any():
            raise self._value_fault(rows, "value", int(bad.argmax()))
        if (late := np.asarray(rows.dates > pd.Timestamp.now())).any():
            raise self._fault(MACRO, f"has {self._at(rows, int(late.argmax()))}, which lies in the future")
        return rows

    def _rows(self, name: str, key: str, wanted: Sequence[str], columns: Sequence[str]) -> Rows:
        executions.note(name, *wanted)
        file = self._open(name, key)
        with self._door(name):
            groups = _groups(file, file.schema_arrow.get_field_index(key), wanted)
            table = file.read_row_groups(groups, columns=[key, "date", *columns])
            known = table[key].cast("string").dictionary_encode().unify_dictionaries().combine_chunks()
            names = known.dictionary.to_pylist()
            codes = known.indices.to_numpy(zero_copy_only=False)
            keep = np.array([name in set(wanted) for name in names], dtype=bool)[codes]
            dates = table["date"].to_numpy()[keep].astype("datetime64[ns]")
            values = {column: table[column].to_numpy()[keep] for column in columns}
        self._unchanged(name)
        rows = Rows(names, codes[keep], pd.DatetimeIndex(dates, name="date"), values)
        self._check_order(name, rows)
        return rows

    def _check_order(self, name: str, rows: Rows) -> None:
        same = rows.codes[1:] == rows.codes[:-1]
        step = np.diff(rows.dates.asi8)
        if (twice := same & (step == 0)).any():
            raise self._fault(name, f"holds {self._at(rows, int(twice.argmax()))} twice")
        blocks = [*rows.codes[:1], *rows.codes[1:][~same]]
        if len(set(blocks)) < len(blocks) or (same & (step < 0)).any() or rows.dates.hasnans:
            raise self._fault(name, "is not in the order of its dates")

    def _at(self, rows: Rows, at: int) -> str:
        return f"{rows.names[rows.codes[at]]} on {rows.dates[at]:%Y-%m-%d}"

    def _value_fault(self, rows: Rows, column: str, at: int, why: str = "") -> StoreError:
        value = f"a {column} of {rows.values[column][at]:g} for {self._at(rows, at)}"
        return self._fault(PRICES if column in PRICE_FIELDS else MACRO, f"has {value}{why}")

    def _fault(self, name: str, what: str) -> StoreError:
        return StoreError(f"{name} in the store at {self.path} {what}; fetch the data again.")

    @contextlib.contextmanager
    def _door(self, name: str) -> Iterator[None]:
        """What no reader can make sense of ends in one sentence."""
        from pyarrow import ArrowException

        try:
            yield
        except (ArrowException, OSError, ValueError, KeyError, TypeError, IndexError) as error:
            reason = str(error).strip().partition("\n")[0][:120]
            raise self._fault(name, f"cannot be read ({reason})") from None

    def _open(self, name: str, key: str | None = None) -> pq.ParquetFile:
        """A parquet file whose columns and types are those of its table."""
        import pyarrow.parquet as pq

        with self._door(name):
            file = pq.ParquetFile(self.path / name, read_dictionary=[key] if key else None)
            schema = file.schema_arrow
        layout = {PRICES: "prices", MACRO: "macro"}.get(name) or _entry_of(name).get("table", "")
        for column, kind in TABLES.get(layout, {}).items():
            if (count := schema.names.count(column)) != 1:
                raise self._fault(name, f"has {'two columns' if count else 'no column'} '{column}'")
            if not _fits(schema.field(column).type, kind):
                raise self._fault(name, f"holds {schema.field(column).type} in '{column}' instead of {kind}")
        return file

    def _unchanged(self, *names: str) -> None:
        """Raise StoreError unless the manifest and some files are still those that were opened."""
        for name in (MANIFEST, *names):
            file = self.path / name
            now = None
            with contextlib.suppress(OSError):
                now = _stamp(file)
                if now == self._stamps[name]:
                    continue
                if files.sha256(file) == (self.sha if name == MANIFEST else self.files[name]["sha256"]):
                    self._stamps[name] = now
                    continue
            raise StoreError(
                f"The store at {self.path} was replaced or altered since it was opened ({name}); open it again, "
                f"in a notebook by restarting its kernel."
            )


def _parsed(text: bytes, path: Path, sound: bool) -> dict[str, Any]:
    """The manifest; checked by its schema unless these very bytes were found sound before."""
    where = f"The manifest of the store at {path}"
    try:
        if not sound and _depth(text) > _DEEPEST:
            raise ValueError(f"it is nested over {_DEEPEST} deep")
        manifest: dict[str, Any] = json.loads(text, object_pairs_hook=None if sound else _once)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where} cannot be read ({error}); fetch the data again.") from None
    if sound:
        return manifest
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    schema = json.loads((DATA / "manifest.schema.json").read_text("utf-8"))
    if fault := best_match(Draft202012Validator(schema).iter_errors(manifest)):
        what = " ".join(fault.message.split())
        what = what if len(what) < 160 else f"…{what[-160:]}"
        raise StoreError(f"{where} is not sound at {fault.json_path[:80]}: {what}; fetch the data again.")
    last = pd.to_datetime(manifest["last_session"], errors="coerce")
    if pd.isna(last) or not calendar.FIRST <= f"{last:%Y-%m-%d}" <= calendar.LAST:
        raise StoreError(f"{where} names a last session that is none, {manifest['last_session']}.")
    for name, life in (manifest["symbols"] | manifest["series"]).items():
        for day in life.get("gaps", ()):
            if not calendar.FIRST <= day <= calendar.LAST or pd.isna(pd.to_datetime(day, errors="coerce")):
                raise StoreError(
                    f"{where} names a gap of {name} that is no date, {day}; fetch the data again."
                )
    return manifest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"'{twice}' stands twice")
    return found


def _depth(text: bytes) -> int:
    signs = np.frombuffer(text, dtype=np.uint8)
    steps = np.isin(signs, list(b"[{")).astype(int) - np.isin(signs, list(b"]}"))
    return int(steps.cumsum().max(initial=0))


def _fits(found: pa.DataType, kind: str) -> bool:
    """True if a column's type holds what its kind needs: words, days or numbers."""
    from pyarrow import types

    if types.is_dictionary(found):
        found = found.value_type
    if kind in {"string", "words"}:
        return bool(types.is_string(found) or types.is_large_string(found))
    if kind == "date32":
        return bool(types.is_date(found) or (types.is_timestamp(found) and found.tz is None))
    return bool(types.is_floating(found) or types.is_integer(found))


def _groups(file: pq.ParquetFile, column: int, wanted: Sequence[str]) -> list[int]:
    """Row groups that may hold some names, by their statistics."""
    found = []
    for group in range(file.num_row_groups):
        held = file.metadata.row_group(group).column(column).statistics
        known = held is not None and held.has_min_max
        if not known or any(held.min <= name <= held.max for name in wanted):
            found.append(group)
    return found


def leaps(codes: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Which positive prices are far off the one before them in their series, or off both of their neighbours."""
    with np.errstate(invalid="ignore"):
        step = np.log(values[1:] / values[:-1])
        step[codes[1:] != codes[:-1]] = 0.0
        size = np.abs(step)
        far = size > np.log(_LEAP)
        far[:-1] |= (size[:-1] > np.log(_SPIKE)) & (size[1:] > np.log(_SPIKE)) & (step[:-1] * step[1:] < 0)
    return np.concatenate([[False], far])[: len(values)]


@cache
def bounds(unit: str | None) -> tuple[float, float]:
    """Least and largest value that a macro series of a unit can have, by the catalogue; of another one, any number."""
    low, high = series_file()["units"].get(unit, (-1e300, 1e300))
    return low, high


def _stamp(file: Path) -> list[int]:
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):  # reading a pipe would never end
        raise OSError(0, "it is no file")
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def _remembered() -> dict[str, Any]:
    try:
        return dict(json.loads((files.cache() / "checked.json").read_text("utf-8")))
    except (OSError, ValueError, HelperError):
        return {}


def _remember(fresh: Mapping[str, Any]) -> None:
    # A machine without a place for it only loses the memory of the check, not the check.
    with contextlib.suppress(OSError, HelperError):
        seen = {name: stamp for name, stamp in {**_remembered(), **fresh}.items() if os.path.exists(name)}
        files.write_whole(files.cache() / "checked.json", json.dumps(seen))


# --------------------------------------------------------------------------------------------- writing


def schema(table: str) -> pa.Schema:
    """Columns and types of a table of :data:`TABLES`, as it is written."""
    import pyarrow as pa

    words = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            (name, words if kind == "words" else pa.type_for_alias(kind))
            for name, kind in TABLES[table].items()
        ]
    )


def write(
    folder: Path,
    tables: Mapping[str, Any],
    whole: Mapping[str, bytes | Path] | None = None,
    lives: Mapping[str, Mapping[str, Any]] | None = None,
    **head: Any,
) -> Path:
    """Write a store into an empty folder; return it.

    Parameters
    ----------
    folder : made if it is not there; not a store that is in use, see :func:`helpers.files.fresh_folder`
    tables : by file name, a frame or an Arrow table; prices and macro are sorted by series and date
    whole : files by name: their bytes, or a path that is copied
    lives : by series, what the manifest says of it besides rows, first and last: ``unit``, ``gaps``, …
    head : entries of the manifest: ``name``, ``rights``, …; ``last_session`` is read off the prices
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[str, dict[str, Any]] = {PRICES: {}, MACRO: {}}
    for name, content in tables.items():
        layout = {PRICES: "prices", MACRO: "macro"}.get(name) or _entry_of(name)["table"]
        if name in found:
            content, found[name] = _sorted(content, layout, lives or {})
        if isinstance(content, pd.DataFrame):
            content = pa.Table.from_pandas(
                content[list(TABLES[layout])], schema=schema(layout), preserve_index=False
            )
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(content, folder / name, compression="zstd", row_group_size=_ROW_GROUPS.get(layout))
    for name, source in (whole or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.copyfile(source, folder / name)
        else:
            (folder / name).write_bytes(source)
    ends = [life["last"] for life in (found[PRICES] or found[MACRO]).values()]
    head = {"last_session": max(ends, default="1970-01-02")} | head
    return seal(folder, symbols=found[PRICES], series=found[MACRO], **head)


def seal(folder: Path, symbols: Mapping[str, Any], series: Mapping[str, Any], **head: Any) -> Path:
    """Write the manifest of the files in a folder: SHA-256 and size of each, and the life of each series."""
    listed = {
        path.relative_to(folder).as_posix(): {"sha256": files.sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    manifest = {"name": "market data", "calendar": "XNYS", **head, "files": listed}
    manifest |= {"symbols": symbols, "series": series}
    files.write_whole(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    return folder


def _sorted(
    frame: pd.DataFrame, layout: str, more: Mapping[str, Mapping[str, Any]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Tidy rows in the order of series and date, and the life of each series."""
    key = next(iter(TABLES[layout]))
    frame = frame.reindex(columns=list(TABLES[layout]))
    frame = frame.assign(date=pd.to_datetime(frame["date"])).sort_values([key, "date"], kind="stable")
    if "volume" in frame:
        frame["volume"] = pd.array(frame["volume"].round(), dtype="Int64")
    found = {name: life | dict(more.get(name, {})) for name, life in _lives(frame, key).items()}
    return frame.assign(date=frame["date"].dt.date), found


def _lives(rows: pd.DataFrame, key: str) -> dict[str, dict[str, Any]]:
    """Rows, first and last day of each series."""
    lives = rows.groupby(key, observed=True)["date"].agg(["size", "min", "max"])
    return {
        str(name): {"rows": size, "first": f"{first:%Y-%m-%d}", "last": f"{last:%Y-%m-%d}"}
        for name, size, first, last in lives.itertuples()
    }
