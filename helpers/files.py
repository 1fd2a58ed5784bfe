"""Files: written whole, folders swapped whole, and the exceptions that are meant for people.

What is being made lies beside its target as ``.<name>.<process>.new`` (folders) or ``….part`` (files). A folder
that gives way lies there as ``.<name>.old`` until the new one stands. :func:`recover` puts it back if a process
died in between, and sweeps what dead processes left.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from errno import EBUSY, EXDEV
from itertools import count
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
CACHE = DATA / ".cache"
#: Temporary folders are shared on a server: what is ours there carries the user's number.
USER = getattr(os, "getuid", lambda: "user")()
#: Windows refuses a rename while a virus scanner looks: seconds to wait before it is tried again.
WAITS = (0.05, 0.1, 0.2, 0.4)


class HelperError(Exception):
    """Bad input, told in one sentence with a remedy. The command line prints it without a traceback."""


class Missing(HelperError):  # noqa: N818 (what a notebook says: if this is missing)
    """The data hold no such file, series, field or span; a notebook leaves out what rests on it."""


def cache() -> Path:
    """A folder for what can be made again: data/.cache, or a temporary one where the checkout is read-only."""
    for folder in (CACHE, Path(tempfile.gettempdir()) / f"market-cache-{USER}"):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    raise HelperError(f"Neither {CACHE} nor the temporary folder can be written; set TMPDIR to one that can.")


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file: all of it is there afterwards, or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for stray in _unfinished(path.parent, path.name):
        _remove(stray)
    part = _beside(path, "part")
    try:
        part.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        _move(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def fresh_folder(target: Path, keep_old: bool = False) -> Iterator[Path]:
    """A folder to fill; when all went well it takes the place of ``target``, else ``target`` stays as it was."""
    target = target.resolve()  # a link stays a link: what it points to is replaced
    recover(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = _beside(target, "new")
    try:
        try:
            new.mkdir()
        except OSError:
            if not target.is_dir():
                raise
            new = target / new.name  # a volume in a folder that is not ours: there is room inside
            new.mkdir()
        yield new
        replace_folder(new, target, keep_old)
    finally:
        shutil.rmtree(new, ignore_errors=True)


@contextlib.contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder in the cache that goes afterwards; those that dead processes left are swept first."""
    folder = _beside(cache() / name, "new")
    for stray in _unfinished(folder.parent, name):
        _remove(stray)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replace_folder(new: Path, target: Path, keep_old: bool = False) -> None:
    """Put the folder ``new`` in the place of ``target``; the one way in which a folder is swapped.

    Two renames; if the second fails, the first is undone. A mount point cannot be renamed: its contents are
    swapped then, as they are if ``new`` lies inside. With ``keep_old`` what was there is kept as
    ``<target>.damaged``, or ``.damaged1`` and so on.

    Raises
    ------
    OSError
        if the folder cannot be put there: ``target`` is as it was.
    """
    target, new = target.resolve(), new.resolve()
    old = target.with_name(f".{target.name}.old")
    with _swapping(target):
        _recover(target)
        try:
            if new.parent == target:
                raise OSError(EBUSY, "the new folder lies inside the old one")
            if target.exists():
                _move(target, old)
        except OSError as error:
            if error.errno not in {EBUSY, EXDEV}:
                raise
            _swap_contents(new, target)
            old = target / old.name
        else:
            try:
                _move(new, target)
            except BaseException:
                if old.exists():
                    _move(old, target)
                raise
        if keep_old and old.exists():
            names = (f"{target.name}.damaged{number or ''}" for number in count())
            shutil.move(old, next(kept for name in names if not (kept := target.with_name(name)).exists()))
        shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(new, ignore_errors=True)


def recover(target: Path) -> None:
    """Undo a swap that was cut short, and sweep what dead processes left in and beside ``target``."""
    target = target.resolve()
    if any(_leftovers(target)):
        with _swapping(target):
            _recover(target)


def _recover(target: Path) -> None:
    old = target.with_name(f".{target.name}.old")
    if old.is_dir() and not target.exists():
        _move(old, target)
    if target.is_dir():
        _settle(target)
    for path in _leftovers(target):
        _remove(path)


def _leftovers(target: Path) -> Iterator[Path]:
    """What a swap leaves behind, and the unfinished work of processes that are gone."""
    yield from _unfinished(target.parent, target.name)
    yield from _unfinished(target, target.name)
    old = f".{target.name}.old"
    states = (target.with_name(old), target / old, target / ".part", target / ".new")
    yield from (path for path in states if path.exists())


def _unfinished(folder: Path, name: str) -> Iterator[Path]:
    form = re.compile(rf"\.{re.escape(name)}\.(\d+)-\w+\.(new|part)")
    for path in folder.iterdir() if folder.is_dir() else ():
        if (found := form.fullmatch(path.name)) and not psutil.pid_exists(int(found[1])):
            yield path


def _swap_contents(new: Path, target: Path) -> None:
    """Swap what two folders hold: ``.part`` is a copy of the new files, ``.new`` the same once it is their turn."""
    old, part, turn = target / f".{target.name}.old", target / ".part", target / ".new"
    try:
        shutil.move(new, part) if new.parent == target else shutil.copytree(new, part)
        old.mkdir()
        for path in sorted(target.iterdir(), key=_manifest_last, reverse=True):
            if path not in (old, part):
                _move(path, old / path.name)
        _move(part, turn)
        for path in sorted(turn.iterdir(), key=_manifest_last):
            _move(path, target / path.name)
        turn.rmdir()  # from here on the new files stand
    except BaseException:
        _settle(target)
        raise


def _settle(target: Path) -> None:
    """Undo a swap of contents that was cut short, or sweep up after a whole one; may itself be cut short."""
    old, part, turn = target / f".{target.name}.old", target / ".part", target / ".new"
    if turn.exists():
        for path in target.iterdir():
            if path not in (old, turn):
                _remove(path)
        _move(turn, part)
    if part.exists() and old.exists():
        for path in sorted(old.iterdir(), key=_manifest_last):
            _move(path, target / path.name)
    for path in (part, old):
        shutil.rmtree(path, ignore_errors=True)


def _manifest_last(path: Path) -> tuple[bool, str]:
    return path.name == "manifest.json", path.name


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.{kind}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    """Rename; a refusal that may pass is tried again."""
    for wait in (*WAITS, None):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if wait is None:
                raise
            time.sleep(wait)


@contextlib.contextmanager
def _swapping(target: Path) -> Iterator[None]:
    """One swap of a folder at a time; the lock goes with its process and leaves nothing beside the folder."""
    from filelock import FileLock

    name = hashlib.sha256(os.fsencode(target)).hexdigest()[:16]
    with FileLock(Path(tempfile.gettempdir()) / f"swap-{name}-{USER}.lock"):
        yield
