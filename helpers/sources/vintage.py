"""A new vintage of the store: gathered piece by piece beside the old one, moved into its place whole.

``<store>.next/`` holds what was fetched so far, each piece written under a temporary name and renamed. A run
that was stopped goes on from there. Nothing touches the old vintage until the new one is complete; the move
is that of :func:`helpers.files.replace_folder`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from helpers.files import USER, HelperError, cache, replace_folder, write_whole
from helpers.store import MACRO, PRICE_FIELDS, PRICES, Store, write

#: A stopped run is continued for so many days with its own last day: Yahoo's refusals can outlast a night.
CONTINUED = 7
#: A price or macro series among the pieces; panels have files of their own names.
_SERIES = "series.parquet"


def next_folder(target: Path) -> Path:
    """Where the unfinished vintage of a store is gathered: beside it, or in a cache where that is forbidden."""
    beside = target.with_name(f"{target.name}.next")
    parent = next(folder for folder in beside.parents if folder.exists())
    return beside if os.access(parent, os.W_OK) else cache() / f"{_digits(target)}.next"


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the right to write a store's next vintage; the lock goes with its process."""
    from filelock import FileLock, Timeout

    lock = FileLock(Path(tempfile.gettempdir()) / f"fetch-{_digits(target)}-{USER}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise HelperError(
            f"Another run is fetching into {target} already; wait for it, or stop it first."
        ) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            next_folder(target).rmdir()  # only if nothing is kept for a next run
        lock.release()


def _digits(target: Path) -> str:
    return hashlib.sha256(os.fsencode(target)).hexdigest()[:16]


def writable(target: Path) -> None:
    """Raise OSError before anything is fetched, if in the end nothing could be written."""
    for folder in (next_folder(target), target if target.is_dir() else target.parent):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


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
            plan = {"end": end, "begun": f"{pd.Timestamp.now():%Y-%m-%d}"}
            write_whole(self.folder / "plan.json", json.dumps(plan))
        for part in [*self.folder.rglob("*.part")]:  # what a killed run was writing
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """True if an earlier run fetched this entry."""
        return (self.folder / quote(name, safe="")).is_dir()

    def put(self, name: str, content: Mapping[str, bytes] | pd.DataFrame) -> None:
        """Keep a series, or the whole files of a panel; all of it is there, or nothing."""
        folder = self.folder / quote(name, safe="")
        part = folder.with_name(f"{folder.name}.part")
        for old in (part, folder):
            shutil.rmtree(old, ignore_errors=True)
        if isinstance(content, pd.DataFrame):
            content = {_SERIES: content.to_parquet(index=False, compression=None)}
        for path, data in content.items():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            (part / path).write_bytes(data)
        os.replace(part, folder)

    def get(self, name: str) -> pd.DataFrame | None:
        """One kept series; None if there is none, or it cannot be read: it is fetched again then."""
        try:
            return pd.read_parquet(self.folder / quote(name, safe="") / _SERIES)
        except (OSError, ValueError):
            return None

    def files(self, name: str) -> dict[str, Path]:
        """The whole files kept of a panel, by their names in the store."""
        folder = self.folder / quote(name, safe="")
        return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}

    def drop(self) -> None:
        """Forget everything fetched so far."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def assemble(self, old: Store | None, fresh: Sequence[str], gaps: Mapping[str, list[str]]) -> Store:
        """Write the whole new store next to the pieces, old series and files kept where no new one passed.

        Parameters
        ----------
        old : the old vintage, if there is one
        fresh : ids that passed
        gaps : days that the provider left out, by fresh id; a kept series keeps its own

        Returns
        -------
        The store, opened and checked against its manifest; not yet moved.
        """
        folder = self.folder / "store"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        frames = {name: frame for name in fresh if (frame := self.get(name)) is not None}
        whole: dict[str, bytes | Path] = {}
        lives: dict[str, dict[str, Any]] = {}
        if old is not None:
            whole |= {name: old.path / name for name in old.files if name not in {PRICES, MACRO}}
            lives |= {name: {"vintage": "kept", "gaps": old.gaps(name)} for name in old.lives}
        for name in set(fresh).difference(frames):
            whole |= self.files(name)
        lives |= {name: {"vintage": "new", "gaps": gaps.get(name)} for name in frames}
        write(
            folder,
            {PRICES: _table(PRICES, frames, old), MACRO: _table(MACRO, frames, old)},
            whole,
            {name: {key: known for key, known in life.items() if known} for name, life in lives.items()},
            name="fetched",
            rights="rights stay with the providers; for your own use",
        )
        _sync(folder)
        return Store(folder)

    def move_in(self, spare: bool = False) -> None:
        """Put the assembled store in the place of the old one.

        With ``spare`` the old one is kept as ``<store>.damaged``: it could not be opened, and may hold what
        no provider gives again.
        """
        replace_folder(self.folder / "store", self.target, keep_old=spare)
        self.drop()


def _table(kind: str, frames: Mapping[str, pd.DataFrame], old: Store | None) -> pd.DataFrame:
    """All series of a kind, tidy: the fetched ones, and the old ones of which nothing new passed."""
    key, listed = ("symbol", "symbols") if kind == PRICES else ("series", "series")
    parts = [frame for frame in frames.values() if key in frame]
    if old is not None and (kept := [name for name in old.manifest[listed] if name not in frames]):
        parts.append(old.price_rows(kept, PRICE_FIELDS) if kind == PRICES else old.macro_rows(kept))
    return pd.concat(parts) if parts else pd.DataFrame(columns=[key, "date"])


def _sync(folder: Path) -> None:
    """Have the disk hold every file before a rename makes them the store: a power cut loses what it does not."""
    for path in filter(Path.is_file, folder.rglob("*")):
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())
