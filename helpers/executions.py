"""Executed notebooks are kept, and taken again while everything that they read is as it was.

In a kernel the kit notes what a notebook reads (:func:`note`): series, files of the store, claims, facts, verdicts of
other notebooks. With the modules of the project that it imported, these are what its outputs depend on, besides its
code, the packages' versions, and what every chart says of the data (see :meth:`Now.base`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import sysconfig
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import files
from helpers.files import DATA, ROOT, HelperError

if TYPE_CHECKING:
    from nbformat import NotebookNode

Read = tuple[str, str]
#: Where they are kept; None is a folder of the cache.
PLACE: Path | None = None
#: Files kept there; the oldest give way.
MOST = 80
#: The cell that asks a kernel at its end what it has read.
ASK = "from helpers import executions; print(executions.told())"

#: Where a saved notebook keeps what of its collection it was executed under, besides the claims that it judges.
RECORD = "executed_record"

_INSTALLED = sorted({sysconfig.get_path(name) for name in ("purelib", "platlib")})
_read: set[Read] = set()


def note(kind: str, *names: str) -> None:
    """Remember that something was read: its kind is one that :class:`Now` knows, or a table of the store."""
    _read.update((kind, name) for name in names)


def told() -> str:
    """What this process has read, as JSON, with the files of its modules outside of the Python installation."""
    own = [str(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())]
    note("file of code", *(file for file in own if file and not _installed(Path(file))))
    return json.dumps(sorted(_read))


def _installed(file: Path) -> bool:
    return not file.is_absolute() or any(
        file.is_relative_to(top) for top in [sysconfig.get_path("stdlib"), *_INSTALLED]
    )


def _digest(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, default=str).encode()
    return hashlib.sha256(data).hexdigest()[:16]


class Now:
    """What the project and its data are now, as far as notebooks read them.

    Parameters
    ----------
    executed : folder in which notebooks find the verdicts of others
    """

    def __init__(self, executed: Path) -> None:
        from helpers import market, store
        from helpers.claims import registry

        path = None if registry.made_up() else store.locate()
        self.held = store.Store(path) if path else None
        self.market = market.Market(self.held)
        self.executed = executed
        self._known: dict[Read, str] = {}

    def base(self, name: str, notebook: NotebookNode) -> str:
        """Names what stays for all notebooks, and the code of this one."""
        from helpers import notebooks
        from helpers.claims import registry

        packages = sorted(entry for top in _INSTALLED for entry in os.listdir(top) if entry.endswith("-info"))
        always = [*sorted((ROOT / "helpers").glob("*.mplstyle")), DATA / "series.yaml", registry.SCHEMA]
        always += [] if self.held else [ROOT / "helpers" / "synthetic.py"]
        files_ = [_file(path) for path in always]
        code = [name, str(notebooks.folder()), notebooks.fingerprint(notebook), files_]
        last = f"{self.held.last_session:%Y-%m-%d} {self.held.until:%Y-%m-%d}" if self.held else "synthetic"
        return _digest([code, sys.version, packages, last, registry.head()])

    def of(self, read: Iterable[Read]) -> dict[Read, str]:
        """A digest of each thing read."""
        asked = [(kind, name) for kind, name in read]
        for table in ("prices.parquet", "macro.parquet"):
            self._read_series(table, [name for kind, name in asked if kind == table])
        for kind, name in asked:
            if (kind, name) not in self._known or kind == "verdicts":
                self._known[kind, name] = _digest(self._state(kind, name))
        return {item: self._known[item] for item in asked}

    def _read_series(self, table: str, names: list[str]) -> None:
        wanted = [name for name in names if (table, name) not in self._known]
        if not wanted:
            return
        from helpers.store import PRICE_FIELDS, PRICES

        self._known |= {(table, name): "absent" for name in wanted}
        if not self.held:
            return
        rows = self.held.prices(wanted, PRICE_FIELDS) if table == PRICES else self.held.macro(wanted)
        for number, name in enumerate(rows.names):
            if (own := rows.codes == number).any():
                columns = [rows.dates.asi8, *rows.values.values()]
                self._known[table, name] = _digest(b"".join(column[own].tobytes() for column in columns))

    def _state(self, kind: str, name: str) -> Any:
        """How a thing stands now, by its kind and name; an empty name is all of them."""
        from helpers import notebooks
        from helpers.claims import registry

        def entries(known: Mapping[str, Any]) -> list[dict[str, Any]]:
            return [vars(known[key]) for key in ([name] if name else known) if key in known]

        match kind:
            case "file of the store":
                return self.held and self.held.files.get(name)
            case "files of the store":
                return self.held and sorted(self.held.files)
            case "life of a series":
                return self.held and [self.held.manifest[key].get(name) for key in ("symbols", "series")]
            case "file of code":
                return _file(Path(name))
            case "claim":
                return entries(registry.load())
            case "claims of":
                return [claim.id for claim in registry.in_notebook(name)]
            case "fact":
                return entries(registry.facts())
            case "question":
                return notebooks.question(name) if name else notebooks.names()
            case "verdicts":
                books = notebooks.read_all(self.executed)
                return {name: book.metadata for name, book in books.items() if notebooks.judges(name)}
        raise LookupError(kind)

    # ------------------------------------------------------------------------------------------- kept

    def find(self, name: str, notebook: NotebookNode) -> float | None:
        """Fill in the outputs of an execution with all that it read as it is now; when that was, or None."""
        from nbformat import from_dict

        from helpers import notebooks

        path = _place(self.base(name, notebook))
        # Whatever is wrong with a kept execution: the notebook is executed again.
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError, HelperError):
            sum_, _, text = path.read_text("utf-8").partition("\n")
            kept = json.loads(text)
            read = {(kind, key): digest for kind, key, digest in kept["read"]}
            if kept["data"] == self._data():  # then no series need be read to know it
                read = {item: digest for item, digest in read.items() if not item[0].endswith(".parquet")}
            ours = bool(self.held and self.market.published)  # whose charts are checked, see figure.py
            if sum_ != _digest(text.encode()) or self.of(read) != read or (ours and not kept["published"]):
                return None
            shown = json.dumps(kept["outputs"])
            if self.held:
                shown = shown.replace(kept["data"][1], self.market.fingerprint)
            for cell, outputs in zip(notebooks.code_cells(notebook), json.loads(shown), strict=True):
                cell.outputs = [from_dict(output) for output in outputs]
            notebooks.normalise(notebook)
            record(name, notebook, read)
            return float(kept["when"])
        return None

    def keep(self, name: str, notebook: NotebookNode, read: str) -> None:
        """Keep an executed notebook; ``read`` is what its kernel told."""
        from helpers import notebooks

        path = _place(self.base(name, notebook))
        # An odd answer or a full disk costs the next run its time, and nothing else.
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError, HelperError):
            states = self.of((kind, key) for kind, key in json.loads(read))
            record(name, notebook, states)
            kept = {
                "when": time.time(),
                "data": self._data(),
                "published": bool(self.held and self.market.published),
                "read": [[*item, digest] for item, digest in states.items()],
                "outputs": [cell.outputs for cell in notebooks.code_cells(notebook)],
            }
            text = json.dumps(kept)
            files.write_whole(path, f"{_digest(text.encode())}\n{text}")
            for old in sorted(path.parent.iterdir(), key=os.path.getmtime)[:-MOST]:
                old.unlink(missing_ok=True)

    def _data(self) -> list[str]:
        return [self.held.sha, self.market.fingerprint] if self.held else []


def record(name: str, notebook: NotebookNode, read: Iterable[Read]) -> None:
    """Write into a notebook the head of its collection, and the facts that it cites beyond those of its claims."""
    from helpers.claims import registry

    judged = {key for claim in registry.load().values() if claim.notebook == name for key in claim.facts}
    cited = {key for kind, key in read if kind == "fact"} - judged
    notebook.metadata[RECORD] = {"head": _digest(registry.head())[:8], "facts": _facts(cited)}


def outdated(notebook: NotebookNode) -> list[str]:
    """What of its collection was changed after a notebook was executed: the head, facts by id; in words."""
    from helpers.claims import registry

    known = notebook.metadata.get(RECORD, {"head": None, "facts": {}})
    if not isinstance(known, dict) or not isinstance(facts := known.get("facts"), dict):
        return ["the record of what it cites"]
    now = _facts(facts)
    found = (
        ["the head of claims.yaml"] if known.get("head") not in (None, _digest(registry.head())[:8]) else []
    )
    odd = [key for key in facts if facts[key] != now[key]]
    return found + [f"the fact {key}" if key else "the public record" for key in odd]


def _facts(names: Iterable[str]) -> dict[str, str]:
    """A digest of each fact; an empty name is all of them."""
    from helpers.claims import registry

    known = registry.facts().values()
    return {key: _digest([vars(fact) for fact in known if key in ("", fact.id)])[:8] for key in sorted(names)}


def said(kept: Mapping[str, float]) -> str:
    """A line on notebooks that were taken from earlier executions, and when those were."""
    from helpers.words import listing

    times = sorted(f"{datetime.fromtimestamp(when):%Y-%m-%d %H:%M}" for when in kept.values())
    span = times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
    return f"Taken from the cache, as nothing that they read has changed: {listing(list(kept))} (executed {span})."


def _place(key: str) -> Path:
    return (PLACE or files.cache() / "executed") / f"{key}.json"


def _file(path: Path) -> str:
    return files.sha256(path) if path.is_file() else "absent"
