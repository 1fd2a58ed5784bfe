"""A new vintage of the store: gathered piece by piece beside the old one, moved into its place whole.

``<store>.next/`` holds what was fetched so far, each piece written under a temporary name and renamed. A run
that was stopped goes on from there. Nothing touches the old vintage until the new one is complete; the move
is two renames, and :func:`helpers.market.recover` undoes the first if the second never came.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from helpers import market
from helpers.files import HelperError

ROW_GROUP = 16384
#: A stopped run is continued for so many days with its own last day: Yahoo's refusals can outlast a night.
CONTINUED = 7


def next_folder(target: Path) -> Path:
    """Where the unfinished vintage of a store is gathered."""
    return target.with_name(f"{target.name}.next")


# -------------------------------------------------------------------------------------------------- lock


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the right to write a store's next vintage; a lock left by a dead process is taken over."""
    path = next_folder(target) / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = _identity(os.getpid())
    while True:
        try:
            with path.open("x", encoding="utf-8") as stream:
                stream.write(mine)
            break
        except FileExistsError:
            holder = _text(path)
            pid = holder.partition(" ")[0]
            if pid.isdigit() and holder == _identity(int(pid)):
                raise HelperError(
                    f"Another run (process {pid}) is fetching into {target}; wait for it, or stop it first."
                ) from None
            path.unlink(missing_ok=True)
    try:
        yield
    finally:
        if _text(path) == mine:
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()  # only if nothing is kept for a next run


def _identity(pid: int) -> str:
    """A process by its number and start: numbers are used again."""
    import psutil

    try:
        return f"{pid} {psutil.Process(pid).create_time():.0f}"
    except psutil.Error:
        return "gone"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""


# ------------------------------------------------------------------------------------------------- stage


def staged_end(target: Path) -> str | None:
    """Last day of a stopped run that is still worth continuing."""
    plan = next_folder(target) / "plan.json"
    try:
        noted = json.loads(plan.read_text("utf-8"))
        young = pd.Timestamp.now() - pd.Timestamp(noted["begun"]) < pd.Timedelta(days=CONTINUED)
        return str(noted["end"]) if young else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Stage:
    """The unfinished vintage beside a store.

    Parameters
    ----------
    target : folder of the store
    end : last day asked for; pieces of a run with another last day are thrown away
    """

    def __init__(self, target: Path, end: str) -> None:
        self.target = target
        self.folder = next_folder(target)
        if staged_end(target) != end:
            self.drop()
            self.folder.mkdir(parents=True, exist_ok=True)
            plan = {"end": end, "begun": f"{pd.Timestamp.now():%Y-%m-%d}"}
            _put(self.folder / "plan.json", json.dumps(plan).encode())

    def _piece(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{quote(name, safe='')}.parquet"

    def _files(self, name: str) -> Path:
        return self.folder / "files" / quote(name, safe="")

    def has(self, kind: str, name: str) -> bool:
        """True if an earlier run fetched this piece; ``kind`` is prices, macro or files."""
        return self._files(name).is_dir() if kind == "files" else self._piece(kind, name).is_file()

    def put(self, kind: str, name: str, frame: pd.DataFrame) -> None:
        """Keep one series; it is there whole or not at all."""
        path = self._piece(kind, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        frame.to_parquet(part, index=False)
        os.replace(part, path)

    def get(self, kind: str, name: str) -> pd.DataFrame | None:
        """One kept series; None if there is none, or it cannot be read: it is fetched again then."""
        try:
            return pd.read_parquet(self._piece(kind, name))
        except (OSError, ValueError):
            return None

    def put_files(self, name: str, files: dict[str, bytes]) -> None:
        """Keep the whole files of an entry; all of them are there, or none."""
        folder = self._files(name)
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in files.items():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            (part / path).write_bytes(content)
        os.replace(part, folder)

    def files(self, name: str) -> list[str]:
        """Names in the store of the whole files kept of an entry."""
        folder = self._files(name)
        return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]

    def drop(self) -> None:
        """Forget everything fetched so far; the lock stays."""
        for path in self.folder.glob("*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != "lock":
                path.unlink(missing_ok=True)

    # ---------------------------------------------------------------------------------------- the store

    def assemble(
        self, old: market.Store | None, prices: list[str], macro: list[str], files: list[str]
    ) -> market.Store:
        """Write the whole new store next to the pieces, old series and files kept where no new one passed.

        Returns
        -------
        The store, opened and checked against its manifest; not yet moved.
        """
        folder = self.folder / "store"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        symbols = self._table(folder, "prices", prices, old)
        series = self._table(folder, "macro", macro, old)
        for name in sorted(old.files) if old is not None else ():
            if old is not None and name not in {"prices.parquet", "macro.parquet"}:
                _copy(old.path / name, folder / name)
        for entry in files:
            for path in self.files(entry):
                _copy(self._files(entry) / path, folder / path)
        last = max((listed["last"] for listed in symbols.values()), default=None)
        if last is None:
            last = max((listed["last"] for listed in series.values()), default="1970-01-01")
        write_manifest(folder, symbols, series, last)
        _sync(folder)
        return market.Store(folder)

    def _table(
        self, folder: Path, kind: str, fresh: list[str], old: market.Store | None
    ) -> dict[str, dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        key, listed = ("symbol", "symbols") if kind == "prices" else ("series", "series")
        frames = {name: frame for name in fresh if (frame := self.get(kind, name)) is not None}
        kept = [name for name in (old.manifest[listed] if old is not None else ()) if name not in frames]
        if old is not None and kept:
            rows = old.price_rows(kept, market.PRICE_FIELDS) if kind == "prices" else old.macro_rows(kept)
            frames |= {str(name): group for name, group in rows.groupby(key)}
        schema = _schema(kind)
        table = schema.empty_table()
        if frames:
            whole = pd.concat([frames[name] for name in sorted(frames)])
            whole["date"] = pd.to_datetime(whole["date"]).dt.date
            if kind == "prices":
                whole["volume"] = pd.array(whole["volume"].round(), dtype="Int64")
            table = pa.Table.from_pandas(whole[schema.names], schema=schema, preserve_index=False)
        pq.write_table(table, folder / f"{kind}.parquet", row_group_size=ROW_GROUP, compression="zstd")
        return {
            name: {
                "rows": len(frame),
                "first": f"{pd.Timestamp(frame['date'].min()):%Y-%m-%d}",
                "last": f"{pd.Timestamp(frame['date'].max()):%Y-%m-%d}",
                "vintage": "new" if name in fresh else "kept",
            }
            for name, frame in sorted(frames.items())
        }

    def move_in(self, spare: bool = False) -> None:
        """Put the assembled store in the place of the old one.

        With ``spare`` the old one is kept as ``<store>.damaged``: it could not be opened, and may hold what
        no provider gives again.
        """
        market.recover(self.target)
        old = self.target.with_name(f"{self.target.name}.{'damaged' if spare else 'old'}")
        if old.exists():
            shutil.rmtree(old)  # left by a run that was stopped after its last rename
        if self.target.exists():
            os.rename(self.target, old)
        os.rename(self.folder / "store", self.target)
        if not spare:
            shutil.rmtree(old, ignore_errors=True)
        self.drop()


def _schema(kind: str) -> Any:
    import pyarrow as pa

    if kind == "prices":
        floats = [(name, pa.float64()) for name in ("open", "high", "low", "close", "adj_close")]
        return pa.schema([("symbol", pa.string()), ("date", pa.date32()), *floats, ("volume", pa.int64())])
    return pa.schema([("series", pa.string()), ("date", pa.date32()), ("value", pa.float64())])


def _put(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(content)
    os.replace(part, path)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _sync(folder: Path) -> None:
    """Have the disk hold every file before a rename makes them the store: a power cut loses what it does not."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())


def write_manifest(folder: Path, symbols: dict[str, Any], series: dict[str, Any], last_session: str) -> None:
    """Write the manifest of the files in a folder: SHA-256 and size of each, rows and dates of each series."""
    manifest = {
        "name": "fetched",
        "last_session": last_session,
        "calendar": "XNYS",
        "rights": "rights stay with the providers; for your own use",
        "files": dict(_described(folder)),
        "symbols": symbols,
        "series": series,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")


def _described(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            with path.open("rb") as stream:
                digits = hashlib.file_digest(stream, "sha256").hexdigest()
            yield path.relative_to(folder).as_posix(), {"sha256": digits, "bytes": path.stat().st_size}
