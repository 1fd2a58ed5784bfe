"""A new vintage of the store: gathered piece by piece beside the old one, moved into its place whole.

``<store>.next/`` holds what was fetched so far, one file a series, each written to a temporary name and
renamed. A run that was stopped goes on from there. Nothing touches the old vintage until the new one is
complete; the move is two renames, and :func:`helpers.market.recover` undoes the first if the second never came.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from helpers import market

OPTIONAL = ("listings.parquet", "fundamentals.parquet")
ROW_GROUP = 16384


def _schema(kind: str) -> Any:
    import pyarrow as pa

    if kind == "prices":
        floats = [(name, pa.float64()) for name in ("open", "high", "low", "close", "adj_close")]
        return pa.schema([("symbol", pa.string()), ("date", pa.date32()), *floats, ("volume", pa.int64())])
    return pa.schema([("series", pa.string()), ("date", pa.date32()), ("value", pa.float64())])


class Stage:
    """The unfinished vintage beside a store.

    Parameters
    ----------
    target : folder of the store
    plan : what decides whether an earlier, stopped run can be continued (last day, first day)
    """

    def __init__(self, target: Path, plan: dict[str, Any]) -> None:
        self.target = target
        self.folder = target.with_name(f"{target.name}.next")
        wanted = json.dumps(plan, sort_keys=True)
        noted = self.folder / "plan.json"
        if self.folder.exists() and (not noted.is_file() or noted.read_text("utf-8") != wanted):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        noted.write_text(wanted, "utf-8")

    def _piece(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{quote(name, safe='')}.parquet"

    def has(self, kind: str, name: str) -> bool:
        """True if an earlier run already fetched this piece."""
        return self._piece(kind, name).is_file()

    def put(self, kind: str, name: str, frame: pd.DataFrame) -> None:
        """Keep one series; it is there whole or not at all."""
        path = self._piece(kind, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        frame.to_parquet(part, index=False)
        os.replace(part, path)

    def get(self, kind: str, name: str) -> pd.DataFrame:
        """One kept series."""
        return pd.read_parquet(self._piece(kind, name))

    def files(self) -> Path:
        """Folder for whole files (French, Shiller, holdings)."""
        path = self.folder / "files"
        path.mkdir(exist_ok=True)
        return path

    def done(self, name: str) -> bool:
        """True if the whole files of an entry were fetched by an earlier run."""
        return (self.folder / f"{name}.done").is_file()

    def finish(self, name: str) -> None:
        """Remember that the whole files of an entry are there."""
        (self.folder / f"{name}.done").touch()

    def drop(self) -> None:
        """Forget everything fetched so far."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def assemble(
        self, old: market.Store | None, prices: list[str], macro: list[str], last_session: str
    ) -> Path:
        """Write the whole new store next to the pieces, old series kept where no new one passed.

        Returns
        -------
        Its folder, with a manifest that fits; not yet moved.
        """
        store = self.folder / "store"
        if store.exists():
            shutil.rmtree(store)
        store.mkdir()
        symbols = self._table(store, "prices", "symbol", prices, old)
        series = self._table(store, "macro", "series", macro, old)
        for name in sorted(old.files) if old is not None else ():
            assert old is not None
            if name in {"prices.parquet", "macro.parquet"}:
                continue
            _copy(old.path / name, store / name)
        for path in sorted(self.files().rglob("*")):
            if path.is_file():
                _copy(path, store / path.relative_to(self.files()))
        write_manifest(store, symbols, series, last_session)
        return store

    def _table(
        self, store: Path, kind: str, key: str, fresh: list[str], old: market.Store | None
    ) -> dict[str, dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        frames = {name: self.get(kind, name) for name in fresh}
        listed = (old.manifest["symbols" if kind == "prices" else "series"] if old else {}) or {}
        kept = [name for name in listed if name not in frames]
        if old is not None and kept:
            rows = old.price_rows(kept, market.PRICE_FIELDS) if kind == "prices" else old.macro_rows(kept)
            frames |= {str(name): group for name, group in rows.groupby(key)}
        whole = pd.concat([frames[name] for name in sorted(frames)]) if frames else None
        schema = _schema(kind)
        columns = schema.names
        if whole is None:
            table = schema.empty_table()
        else:
            whole["date"] = pd.to_datetime(whole["date"]).dt.date
            if kind == "prices":
                whole["volume"] = pd.array(whole["volume"].round(), dtype="Int64")
            table = pa.Table.from_pandas(whole[columns], schema=schema, preserve_index=False)
        pq.write_table(table, store / f"{kind}.parquet", row_group_size=ROW_GROUP, compression="zstd")
        return {
            name: {
                "rows": len(frame),
                "first": f"{pd.Timestamp(frame['date'].min()):%Y-%m-%d}",
                "last": f"{pd.Timestamp(frame['date'].max()):%Y-%m-%d}",
                "vintage": "new" if name in fresh else "kept",
            }
            for name, frame in sorted(frames.items())
        }

    def move_in(self) -> None:
        """Put the assembled store in the place of the old one."""
        market.recover(self.target)
        old = self.target.with_name(f"{self.target.name}.old")
        if old.exists():
            shutil.rmtree(old)  # left by a run that was stopped after its last rename
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if self.target.exists():
            os.rename(self.target, old)
        os.rename(self.folder / "store", self.target)
        shutil.rmtree(old, ignore_errors=True)
        self.drop()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def write_manifest(
    store: Path, symbols: dict[str, Any], series: dict[str, Any], last_session: str, name: str = "fetched"
) -> None:
    """Write the manifest of the files in a folder: SHA-256 and size of each, rows and dates of each series."""
    manifest = {
        "name": name,
        "last_session": last_session,
        "calendar": "XNYS",
        "rights": "rights stay with the providers; for your own use",
        "files": dict(_described(store)),
        "symbols": symbols,
        "series": series,
    }
    (store / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")


def _described(store: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    for path in sorted(store.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            content = path.read_bytes()
            yield (
                path.relative_to(store).as_posix(),
                {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
            )
