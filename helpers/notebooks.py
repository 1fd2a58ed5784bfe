"""The notebooks as files: executed on both cores, saved in one form, and read for their verdicts."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import executions, files
from helpers.files import ROOT as ROOT
from helpers.files import HelperError, write_whole

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: The notebooks of the first collection; :func:`folder` names those of the one in use.
FOLDER = ROOT / "notebooks"
#: What a verdict must look like to be read by machines.
SCHEMA = ROOT / "data" / "verdicts.schema.json"
#: Seconds one cell may take before the notebook counts as hung.
CELL_TIMEOUT = 900
#: Bytes one output may have, and all outputs of one cell while it runs.
LARGEST = 5_000_000
WORKERS = min(2, os.cpu_count() or 1)
#: Names the folder in which the last notebook finds the others as they were just executed.
EXECUTED = "EXECUTED_NOTEBOOKS"
#: Where the saved notebook keeps the fingerprint of the code that its outputs came from.
STAMP = "executed_code"
#: Where it keeps the fingerprint of the outputs themselves, so that none is changed by hand unseen.
OUTPUTS = "executed_outputs"

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")
#: The keys of ``python -m helpers verdicts --json``; everything else of the payload stays inside.
CONTRACT = (
    "id", "notebook", "verdict", "clarity", "rule", "as_of", "because", "decides", "asserts", "article", "robustness",
    "specifications", "base_rate", "flip", "later", "measured", "facts", "caveat", "capped", "tally", "parts",
    "revised",
)  # fmt: skip


class NotebookError(HelperError):
    """A notebook failed, is stale, or does not give the verdicts it owes."""


# ------------------------------------------------------------------------------------------------ files


def folder() -> Path:
    """The notebooks of the collection in use."""
    from helpers.claims import registry

    return registry.place().notebooks


def names(among: Path | None = None) -> list[str]:
    """Names (without suffix) of the numbered notebooks of a folder, in order."""
    executions.note("question", "")
    found = (among or folder()).glob("[0-9][0-9]-*.ipynb")
    return sorted(path.stem for path in found)


def path_of(name: str) -> Path:
    """The notebook's file in the project; NotebookError with the known names if there is none."""
    path = folder() / f"{name.removesuffix('.ipynb')}.ipynb"
    if not path.is_file():
        known = ", ".join(names()) or "none yet"
        raise NotebookError(f"There is no notebook '{name}'; there are: {known}.")
    return path


def read(path: Path) -> NotebookNode:
    """A notebook in the present format (4.5); NotebookError if the file is not one."""
    import nbformat

    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            _ = (cell.cell_type, cell.source, cell.metadata)
            _ = [output.output_type for output in cell.outputs] if cell.cell_type == "code" else ()
        return notebook
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise NotebookError(f"{path.name} cannot be read as a notebook ({reason}); restore it.") from None


def read_all(among: Path | None = None) -> dict[str, NotebookNode]:
    """Every notebook of a folder by name, in order."""
    among = among or folder()
    return {name: read(among / f"{name}.ipynb") for name in names(among)}


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole, each machine-readable payload on one line: it is read by programs only."""
    import nbformat

    compact: dict[str, str] = {}
    bare = copy.deepcopy(notebook)
    for cell in code_cells(bare):
        for output in cell.outputs:
            data = output.get("data", {})
            for kind in [name for name in data if name.endswith("+json")]:
                token = f"@@{len(compact)}@@"
                compact[f'"{token}"'] = json.dumps(data[kind], ensure_ascii=False, separators=(",", ":"))
                data[kind] = token
    text = nbformat.writes(bare).rstrip("\n") + "\n"
    for token, payload in compact.items():
        text = text.replace(token, payload, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)


# ------------------------------------------------------------------------------------------------ one form


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that execute: code that is not blank."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def fingerprint(notebook: NotebookNode) -> str:
    """Sixteen hex digits that name the notebook's code."""
    text = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def outputs_fingerprint(notebook: NotebookNode) -> str:
    """Sixteen hex digits that name the notebook's outputs."""
    shown = [
        [output.get("data", output.get("text", "")) for output in cell.outputs]
        for cell in code_cells(notebook)
    ]
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Bring an executed notebook into the one form in which it is committed, in place.

    Nothing that differs between two equal runs stays: no times, no widget state, no random cell ids; the
    counts run from 1 to n; neighbouring pieces of one stream are one piece.
    """
    from nbformat import from_dict

    taken: set[str] = set()
    for cell in notebook.cells:
        cell.id = _stable_id(cell, taken)
        for key in ("execution", "ExecuteTime", "trusted", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)
    for count, cell in enumerate(code_cells(notebook), 1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    stamps = {STAMP: fingerprint(notebook), OUTPUTS: outputs_fingerprint(notebook)}
    stamps |= {key: value for key, value in notebook.metadata.items() if key == executions.RECORD}
    notebook.metadata = from_dict({"kernelspec": kernel, "language_info": {"name": "python"}, **stamps})
    return notebook


def _stable_id(cell: NotebookNode, taken: set[str]) -> str:
    """A given name stays; a random one is replaced by one that follows from the cell's text."""
    name = str(cell.get("id", ""))
    if not name or name in taken or _RANDOM_ID.fullmatch(name):
        base = hashlib.sha256(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()
        name = next(base[i : i + 8] for i in range(0, 56) if base[i : i + 8] not in taken)
    taken.add(name)
    return name


def _merged(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    merged: list[NotebookNode] = []
    for output in outputs:
        output.get("metadata", {}).pop("execution", None)
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


# ------------------------------------------------------------------------------------------------ executing

Progress = Callable[[str], None]


def run(
    wanted: Sequence[str],
    place: Callable[[str], Path],
    progress: Progress = lambda _: None,
    bar: bool = False,
    failures: dict[str, str] | None = None,
    fresh: bool = False,
) -> None:
    """Execute notebooks, two at a time, and save each, normalised, at ``place(name)``.

    Notebooks that judge no claim run last: they show what the others found. One that read nothing that has changed
    since it was last executed is taken from that execution (:mod:`helpers.executions`), and a line says so, unless
    ``fresh`` is true. ``progress`` is called with a line for each notebook, in their order; ``bar`` draws one over
    all cells on standard error.

    The first that fails raises NotebookError with the notebook, the code cell and the last line of the error. With
    ``failures`` none does: it takes the sentences by name, and the committed run stands in for what failed.
    """
    from tqdm import tqdm

    from helpers.claims import seal

    seal.executed(first := [name for name in wanted if judges(name)])
    rest = [name for name in wanted if name not in first]
    seen = str(place(wanted[0]).parent) if first else os.environ.get(EXECUTED, "")
    books = {name: read(path_of(name)) for name in [*first, *rest]}
    now = executions.Now(Path(seen or folder()))
    running: list[_Run] = []
    kept: dict[str, float] = {}

    def get(name: str) -> str:
        book = books[name]
        if not fresh and (when := now.find(name, book)):
            kept[name] = when
            meter.update(len(code_cells(book)))
            return ""
        running.append(task := _Run(name, book, seen if name in rest else ""))
        seconds, told = task(meter.update)
        now.keep(name, book, told)
        return f"{name}  {seconds:.0f} s"

    total = sum(len(code_cells(book)) for book in books.values())
    with (
        tqdm(total=total, unit="cell", disable=not bar, leave=False, file=sys.stderr) as meter,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        try:
            for batch in (first, rest):
                for name, done in [(name, pool.submit(get, name)) for name in batch]:
                    line = _saved(name, books[name], done, place(name), failures)
                    with tqdm.external_write_mode(file=sys.stderr):
                        progress(line) if line else None
        except BaseException:
            # The kernels would outlive an interruption: they do not get the terminal's Ctrl-C.
            pool.shutdown(wait=False, cancel_futures=True)
            for task in running:
                task.stop()
            raise
    if kept:
        progress(executions.said(kept))


def _saved(
    name: str, book: NotebookNode, done: Future[str], path: Path, failures: dict[str, str] | None
) -> str:
    """Save a notebook once it is executed, or where it may fail its committed run; the line that tells of it."""
    try:
        line = done.result()
        if failures is not None and (faults := examined({name: book}, proof=False)[1]):
            raise NotebookError(faults[0])
        write(book, path)
    except NotebookError as error:
        if failures is None:
            raise
        line = failures[name] = str(error)
        if path != path_of(name):
            shutil.copy(path_of(name), path)
    return line


def _collection() -> dict[str, str]:
    """What tells a kernel whose claims it judges, and on which market."""
    from helpers.claims import registry

    place = registry.place()
    own = {registry.ARTICLE: "" if place == registry.home() else str(place.data)}
    return {**own, "MARKET_DATA": "synthetic"} if registry.made_up() else own


class _Run:
    """One notebook on its kernel, in a thread of its own."""

    def __init__(self, name: str, notebook: NotebookNode, executed: str) -> None:
        from nbclient import NotebookClient

        from helpers import kernels

        self.name, self.notebook, self.executed = name, notebook, executed
        self.cell = self.shown = 0
        self.stopped = False
        kernels.use()
        self.client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            startup_timeout=180,
            shutdown_kernel="immediate",  # nothing that it holds is wanted afterwards, and asking takes seconds
            kernel_name="python3",
            coalesce_streams=True,
            record_timing=False,
            # Else it warns of an unencrypted connection, which here never leaves the machine.
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": str(folder())}},
        )
        self._process = self.client.process_message
        self.client.process_message = self._message  # type: ignore[method-assign]

    def __call__(self, tick: Callable[[int], Any]) -> tuple[float, str]:
        """Execute; seconds taken, and what the kernel told of what it read."""
        from jupyter_client.kernelspec import NoSuchKernel
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
        from nbformat.v4 import new_code_cell

        start = time.perf_counter()
        self.client.on_cell_execute = self._begin
        self.client.on_cell_executed = lambda **_: tick(1)
        # A person's own IPython start-up files must not change what a notebook prints; and `helpers` is found
        # from the notebooks' folder even where the project is not installed.
        quiet = {
            "IPYTHONDIR": str(files.cache() / "ipython"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            EXECUTED: self.executed,
            **_collection(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
        for cell in code_cells(self.notebook):
            cell.outputs, cell.execution_count = [], None
        ask = new_code_cell(executions.ASK)
        self.notebook.cells.append(ask)
        try:
            self.client.execute(env={**os.environ, **quiet})
        except CellExecutionError as error:
            text = _ANSI.sub("", f"{error.ename}: {error.evalue}".strip())
            raise self._error(text.splitlines()[0]) from None
        except CellTimeoutError:
            raise self._error(f"it ran longer than {CELL_TIMEOUT} seconds and was stopped.") from None
        except DeadKernelError:
            if self.shown > LARGEST:
                raise self._error(f"it shows more than {LARGEST // 1_000_000} MB; show less.") from None
            raise self._error("its kernel died (memory may have run out); run it alone.") from None
        except NoSuchKernel:
            raise self._error("there is no kernel python3; install the environment with `make`.") from None
        except RuntimeError as error:
            raise self._error(f"its kernel did not start ({error}); run the command again.") from None
        finally:
            self.notebook.cells.remove(ask)
        normalise(self.notebook)
        return time.perf_counter() - start, "".join(output.get("text", "") for output in ask.outputs)

    def _error(self, text: str) -> NotebookError:
        return NotebookError(f"{self.name}, code cell {max(self.cell, 1)}: {text}")

    def _begin(self, **_: Any) -> None:
        self.cell, self.shown = self.cell + 1, 0
        if self.stopped:  # the kernel was still starting when it was told to stop
            self.stop()

    def _message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """What nbclient does with a message, unless the cell has shown too much already."""
        content = msg["content"]
        self.shown += _size(content)
        if self.shown <= LARGEST or msg["msg_type"] == "status":
            return self._process(msg, cell, cell_index)
        self.stop()
        return None

    def stop(self) -> None:
        """Kill the kernel and what it started; the thread that waits for it then ends by itself."""
        self.stopped = True
        process = getattr(getattr(self.client.km, "provisioner", None), "process", None)
        if process is None or process.poll() is not None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)  # each kernel leads a group of its own
        except (AttributeError, OSError):
            process.kill()


def _size(output: Mapping[str, Any]) -> int:
    """Characters of an output or of the message that brings it."""
    parts = [output.get("text", ""), *output.get("data", {}).values()]
    return sum(len(part) if isinstance(part, str) else len(json.dumps(part)) for part in parts)


# ------------------------------------------------------------------------------------------------ verdicts


def _command(name: str = "") -> str:
    from helpers.claims import registry

    return f"`python -m helpers notebooks{name and ' '}{name}{registry.place().option}`"


def execution_faults(name: str, notebook: NotebookNode) -> Iterator[str]:
    """Sentences on what shows that a notebook was not executed whole, in order, or was changed afterwards."""
    again = f"execute it again with {_command(name)}"
    for number, cell in enumerate(code_cells(notebook), 1):
        where = f"{name}, code cell {number}"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{where} failed ({output.ename}); mend it, then {again}."
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{where} wrote to stderr; mend the cause, then {again}."
            if (size := _size(output)) > LARGEST:
                yield f"{where} shows {size // 1_000_000} MB; show less, then {again}."
        if cell.execution_count != number:
            count = cell.execution_count or "none"
            yield f"{where} is stale: its execution count is {count}, not {number}; {again}."
    if notebook.metadata.get(STAMP) != fingerprint(notebook):
        yield f"{name} is stale: its code was changed after it was executed; {again}."
    elif notebook.metadata.get(OUTPUTS) != outputs_fingerprint(notebook):
        yield f"{name}: an output was changed after it was executed; {again}."


def _shown(notebook: NotebookNode) -> list[tuple[int, dict[str, Any]]]:
    """The data of each output that has a machine-readable verdict, with the number of its code cell."""
    from helpers.claims import MIME

    return [
        (number, {**output["data"], MIME: _whole(output["data"][MIME])})
        for number, cell in enumerate(code_cells(notebook), 1)
        for output in cell.outputs
        if MIME in output.get("data", {})
    ]


def _whole(payload: Any) -> Any:
    """A payload with its rule in words; as it stands where it is garbled or the registry lacks its claim."""
    from helpers.claims import card

    with contextlib.suppress(AttributeError, LookupError, TypeError, ValueError, HelperError):
        return card.whole(payload)
    return payload


def payloads(notebook: NotebookNode) -> list[tuple[int, dict[str, Any]]]:
    """Every machine-readable verdict in a notebook's outputs, with the number of its code cell."""
    from helpers.claims import MIME

    return [(number, shown[MIME]) for number, shown in _shown(notebook)]


def verdicts(among: Path | None = None) -> list[dict[str, Any]]:
    """Every verdict of a folder of executed notebooks, in the registry's order; NotebookError with the first fault.

    Each dict has the keys of :data:`CONTRACT` and what its card is made from. Claims that are not
    judged yet have no entry. Nothing is derived again: see :func:`examined`.
    """
    executions.note("verdicts", "")
    among = among or Path(os.environ.get(EXECUTED) or folder())
    wanted = [name for name in names(among) if judges(name)]
    # A notebook that could not run on this store stands there as it was committed.
    apart = [name for name in wanted if among != folder() and _committed(among / f"{name}.ipynb")]
    return collect({name: read(among / f"{name}.ipynb") for name in wanted}, partial=True, apart=apart)


def _committed(path: Path) -> bool:
    own = folder() / path.name
    return own.is_file() and own.read_bytes() == path.read_bytes()


def collect(
    books: Mapping[str, NotebookNode], proof: bool = False, apart: Iterable[str] = (), partial: bool = False
) -> list[dict[str, Any]]:
    """The verdicts of notebooks by name, in the registry's order; NotebookError with the first fault."""
    found, faults = examined(books, proof, apart, partial)
    if faults:
        raise NotebookError(faults[0])
    return found


def judges(name: str) -> bool:
    """True if a notebook judges claims; the first and the last only look at what the others found."""
    from helpers.claims import registry

    return bool(registry.in_notebook(name))


def question(name: str) -> str:
    """The question a notebook asks: its first heading."""
    executions.note("question", name)
    for cell in read(path_of(name)).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source.splitlines()[0][2:].strip())
    raise NotebookError(f"{name} has no heading; begin it with its question.")


def not_judged(given: Iterable[dict[str, Any]]) -> list[str]:
    """Ids of the claims without a verdict, in the registry's order."""
    from helpers.claims import registry

    judged = {entry["id"] for entry in given}
    return [key for key in registry.load() if key not in judged]


def examined(
    books: Mapping[str, NotebookNode],
    proof: bool = True,
    apart: Iterable[str] = (),
    partial: bool = False,
) -> tuple[list[dict[str, Any]], list[str]]:
    """The verdicts of executed notebooks in the registry's order, and a sentence on every fault.

    Parameters
    ----------
    books : notebooks by name
    proof : derive each verdict again from its own figures, its rule and its facts
    apart : notebooks of another run, which may rest on other data
    partial : that a verdict is lacking is no fault: they were executed on the synthetic market on purpose

    Faults are a notebook that is stale or failed, a claim that its code judges without a verdict, one with two, or
    judged in another notebook or by another rule, verdicts that rest on different data, and what does not follow.
    A claim that no code judges yet is open, and no fault.
    """
    from helpers.claims import MIME, registry
    from helpers.claims import proof as proving
    from helpers.words import listing

    found: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    for name, notebook in books.items():
        faults += execution_faults(name, notebook)
        if proof and (changed := executions.outdated(notebook)):
            what, have = listing(changed), "were" if len(changed) > 1 else "was"
            faults.append(
                f"{name}: {what} {have} changed after it was executed; execute it again with {_command(name)}."
            )
        met = set()
        for number, shown in _shown(notebook):
            payload = shown[MIME]
            met.add(payload.get("id") if isinstance(payload, dict) else None)
            if fault := _payload_fault(name, payload, found):
                faults.append(f"{name}, code cell {number} {fault}")
                continue
            found[payload["id"]] = payload
            faults += [
                f"{name}, code cell {number}: {text}" for text in (proving.faults(shown) if proof else ())
            ]
        code = "" if partial else " ".join(cell.source for cell in code_cells(notebook))
        judged = set(re.findall(r"\bjudge\(\s*[\"'](C\d{2,3})", code))
        if lacking := [c.id for c in registry.in_notebook(name) if c.id in judged - met]:
            faults.append(_lacking(name, notebook, lacking, bool(met)))
    faults += _other_data([payload for payload in found.values() if payload["notebook"] not in apart])
    return [found[key] for key in registry.load() if key in found], faults


def _lacking(name: str, notebook: NotebookNode, lacking: list[str], judged: bool) -> str:
    shown = json.dumps([cell.outputs for cell in code_cells(notebook)])
    if not judged and "synthetic" in shown.lower():
        return (
            f"{name} was executed on the synthetic market, which gives no verdicts; "
            f"execute it on real data with {_command(name)}."
        )
    return f"{name} gives no verdict on {', '.join(lacking)}; judge it there, or correct claims.yaml."


def _payload_fault(name: str, payload: Any, found: Mapping[str, Any]) -> str:
    """What is wrong with a verdict's payload, to follow its notebook and cell; empty if nothing is."""
    from helpers.claims import registry

    again = f"execute it again with {_command(name)}."
    if not isinstance(payload, dict):
        return f"holds a verdict that is no object; {again}"
    key = payload.get("id")
    claim = registry.load().get(str(key))
    if claim is None:
        return f"judges {key}, which claims.yaml does not hold; correct the id."
    if key in found:
        return f"judges {key} a second time (first in {found[claim.id]['notebook']}); keep one verdict."
    if claim.notebook != name:
        return f"judges {key}, which belongs to {claim.notebook}; move it there."
    if fault := _garbled(json.dumps([{item: payload[item] for item in CONTRACT if item in payload}])):
        return f"holds a garbled verdict on {key} ({fault}); {again}"
    data = payload.get("data")
    if not isinstance(data, dict) or {"source", "last_session", "fingerprint"} - set(data):
        return f"holds a verdict on {key} that does not say on which data; {again}"
    return ""


@cache
def _garbled(text: str) -> str:
    """The first fault of a verdict's form; looked for once, as the same verdicts are often read twice."""
    for error in _validator().iter_errors(json.loads(text)):
        return f"{'.'.join(map(str, list(error.absolute_path)[1:]))}: {error.message[:100]}"
    return ""


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def _other_data(given: Sequence[dict[str, Any]]) -> list[str]:
    resting = [payload for payload in given if payload["data"]["fingerprint"]]
    return [
        f"{payload['id']} ({payload['notebook']}) was judged on other data than {resting[0]['id']} "
        f"({resting[0]['notebook']}); execute all notebooks on one store with {_command()}."
        for payload in resting
        if payload["data"]["fingerprint"] != resting[0]["data"]["fingerprint"]
    ][:1]
