"""The notebooks as files: executed on both cores, saved in one form, and read for their verdicts."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.files import HelperError

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
#: Seconds one cell may take before the notebook counts as hung.
CELL_TIMEOUT = 900
WORKERS = min(2, os.cpu_count() or 1)
#: Names the folder in which the last notebook finds the others as they were just executed.
EXECUTED = "EXECUTED_NOTEBOOKS"
#: Where the saved notebook keeps the fingerprint of the code that its outputs came from.
STAMP = "executed_code"

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")
#: The keys of ``python -m helpers verdicts --json``; everything else of the payload stays inside.
CONTRACT = (
    "id",
    "notebook",
    "verdict",
    "clarity",
    "rule",
    "as_of",
    "robustness",
    "measured",
    "facts",
    "caveat",
)


class NotebookError(HelperError):
    """A notebook failed, is stale, or does not give the verdicts it owes."""


# ------------------------------------------------------------------------------------------------ files


def names(folder: Path | None = None) -> list[str]:
    """Names (without suffix) of the numbered notebooks of a folder, in order."""
    found = (folder or FOLDER).glob("[0-9][0-9]-*.ipynb")
    return sorted(path.stem for path in found)


def path_of(name: str) -> Path:
    """The notebook's file in the project; NotebookError with the known names if there is none."""
    path = FOLDER / f"{name.removesuffix('.ipynb')}.ipynb"
    if not path.is_file():
        known = ", ".join(names()) or "none yet"
        raise NotebookError(f"There is no notebook '{name}'; there are: {known}.")
    return path


def read(path: Path) -> NotebookNode:
    """A notebook in the present format (4.5); NotebookError if the file is not one."""
    import nbformat

    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
        return notebook
    except (OSError, ValueError, KeyError, AttributeError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise NotebookError(f"{path.name} cannot be read as a notebook ({reason}); restore it.") from None


def write(notebook: NotebookNode, path: Path) -> None:
    """Write the whole file beside its place, then move it there: no reader sees half a notebook."""
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", "utf-8", newline="\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------------ one form


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that execute: code that is not blank."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def fingerprint(notebook: NotebookNode) -> str:
    """Sixteen hex digits that name the notebook's code."""
    text = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def normalise(notebook: NotebookNode, executed: bool = True) -> NotebookNode:
    """Bring a notebook into the one form in which it is committed, in place.

    Nothing that differs between two equal runs stays: no times, no widget state, no random cell ids; the
    counts run from 1 to n; neighbouring pieces of one stream are one piece.
    """
    notebook.metadata = _notebook_metadata(notebook, executed)
    taken: set[str] = set()
    count = 0
    for cell in notebook.cells:
        cell.id = _stable_id(cell, taken)
        for key in ("execution", "ExecuteTime", "trusted", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        cell.outputs = _merged(cell.outputs)
        if executed and cell.source.strip():
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _notebook_metadata(notebook: NotebookNode, executed: bool) -> NotebookNode:
    from nbformat import from_dict

    kept: dict[str, Any] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if executed:
        kept[STAMP] = fingerprint(notebook)
    elif STAMP in notebook.metadata:
        kept[STAMP] = notebook.metadata[STAMP]
    made: NotebookNode = from_dict(kept)
    return made


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


def _quiet(_: str) -> None:
    return


def execute(name: str, out: Path, progress: Progress = _quiet) -> Path:
    """Execute one notebook of the project and save it, normalised, as ``out``.

    Parameters
    ----------
    name : such as ``"01-record-highs"``
    out : the file to write; it stays as it was if the notebook fails
    progress : called with a line when the notebook is done

    Raises
    ------
    NotebookError
        with the notebook, the code cell and the last line of the error.
    """
    run([name], lambda _: out, progress)
    return out


def run(
    wanted: Sequence[str], place: Callable[[str], Path], progress: Progress = _quiet, bar: bool = False
) -> list[Path]:
    """Execute notebooks, two at a time, and save each at ``place(name)``; reports come in their order.

    With ``bar`` a progress bar over all cells is drawn on standard error. Notebooks that judge no claim run
    last: they show what the others found.
    """
    first = [name for name in wanted if judges(name)]
    rest = [name for name in wanted if name not in first]
    done = _run(first, place, progress, bar)
    if rest:
        # They read what the others found: from where those were just saved, if they were.
        before = os.environ.get(EXECUTED, "")
        os.environ[EXECUTED] = str(place(rest[0]).parent) if first else before
        try:
            done += _run(rest, place, progress, bar)
        finally:
            os.environ[EXECUTED] = before
    return done


def _run(wanted: Sequence[str], place: Callable[[str], Path], progress: Progress, bar: bool) -> list[Path]:
    from tqdm import tqdm

    sources = {name: read(path_of(name)) for name in wanted}
    runs = {name: _Run(name, notebook) for name, notebook in sources.items()}
    total = sum(len(code_cells(notebook)) for notebook in sources.values())
    done: list[Path] = []
    with (
        tqdm(total=total, unit="cell", disable=not bar, leave=False, file=sys.stderr) as meter,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        futures = [pool.submit(task, meter.update) for task in runs.values()]
        try:
            for name, future in zip(runs, futures, strict=True):
                seconds = future.result()
                write(sources[name], place(name))
                done.append(place(name))
                with tqdm.external_write_mode(file=sys.stderr):
                    progress(f"{name}  {seconds:.0f} s")
        except BaseException:
            # The kernels would outlive an interruption: they do not get the terminal's Ctrl-C.
            for future in futures:
                future.cancel()
            for task in runs.values():
                task.stop()
            raise
    return done


class _Run:
    """One notebook on its kernel, in a thread of its own."""

    def __init__(self, name: str, notebook: NotebookNode) -> None:
        from nbclient import NotebookClient

        self.name = name
        self.cell = 0
        self.client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            coalesce_streams=True,
            record_timing=False,
            # Else the kernel warns of an unencrypted connection, which here never leaves the machine.
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": str(FOLDER)}},
        )

    def __call__(self, tick: Callable[[], Any]) -> float:
        """Execute; seconds taken."""
        from jupyter_client.kernelspec import NoSuchKernel
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        start = time.perf_counter()
        self.client.on_cell_execute = self._begin
        self.client.on_cell_executed = lambda **_: tick()
        # A person's own IPython start-up files must not change what a notebook prints; and `helpers` is found
        # from the notebooks' folder even where the project is not installed.
        quiet = {
            "IPYTHONDIR": str(ROOT / "data" / ".cache" / "ipython"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
        notebook = self.client.nb
        for cell in code_cells(notebook):
            cell.outputs, cell.execution_count = [], None
        try:
            self.client.execute(env={**os.environ, **quiet})
        except CellExecutionError as error:
            message = _ANSI.sub("", f"{error.ename}: {error.evalue}".strip()).splitlines()[0]
            raise NotebookError(f"{self.name}, {self._reached()}: {message}") from None
        except CellTimeoutError:
            raise NotebookError(
                f"{self.name}, {self._reached()}: it ran longer than {CELL_TIMEOUT} seconds and was stopped."
            ) from None
        except DeadKernelError:
            raise NotebookError(
                f"{self.name}, {self._reached()}: its kernel died (memory may have run out); run it alone."
            ) from None
        except NoSuchKernel:
            raise NotebookError(
                "There is no kernel python3 here; install the environment with `make`."
            ) from None
        normalise(notebook)
        return time.perf_counter() - start

    def _begin(self, **_: Any) -> None:
        self.cell += 1

    def _reached(self) -> str:
        return f"code cell {max(self.cell, 1)}"

    def stop(self) -> None:
        """Kill the kernel; the thread that waits for it then ends by itself."""
        provisioner = getattr(self.client.km, "provisioner", None)
        process = getattr(provisioner, "process", None)
        if process is not None and process.poll() is None:
            process.kill()


# ------------------------------------------------------------------------------------------------ verdicts


def check_executed(name: str, notebook: NotebookNode) -> None:
    """Raise NotebookError unless the notebook was executed whole, in order, without error or warning."""
    again = f"execute it again with `python -m helpers notebooks {name}`"
    for number, cell in enumerate(code_cells(notebook), 1):
        where = f"{name}, code cell {number}"
        for output in cell.outputs:
            if output.output_type == "error":
                raise NotebookError(f"{where} failed ({output.ename}); mend it, then {again}.")
            if output.output_type == "stream" and output.name == "stderr":
                raise NotebookError(f"{where} wrote to stderr; mend the cause, then {again}.")
        if cell.execution_count != number:
            found = cell.execution_count or "none"
            raise NotebookError(f"{where} is stale: its execution count is {found}, not {number}; {again}.")
    if notebook.metadata.get(STAMP, fingerprint(notebook)) != fingerprint(notebook):
        raise NotebookError(f"{name} is stale: its code was changed after it was executed; {again}.")


def payloads(notebook: NotebookNode) -> list[tuple[int, dict[str, Any]]]:
    """Every machine-readable verdict in a notebook's outputs, with the number of its code cell."""
    from helpers.claims import MIME

    return [
        (number, dict(output["data"][MIME]))
        for number, cell in enumerate(code_cells(notebook), 1)
        for output in cell.outputs
        if MIME in output.get("data", {})
    ]


def verdicts(folder: Path | None = None) -> list[dict[str, Any]]:
    """Every verdict of a folder of executed notebooks, in the registry's order, checked.

    Each dict has the keys of :data:`CONTRACT` and ``data`` (source, last session, fingerprint). Claims whose
    notebook is not there yet have no entry.

    Raises
    ------
    NotebookError
        for a notebook that is stale or failed, a claim without its verdict, with two, or judged in another
        notebook or by an older rule, and for verdicts that rest on different data.
    """
    folder = folder or Path(os.environ.get(EXECUTED) or FOLDER)
    return collect({name: read(folder / f"{name}.ipynb") for name in names(folder) if judges(name)})


def judges(name: str) -> bool:
    """True if a notebook judges claims; the first and the last only look at what the others found."""
    from helpers.claims import registry

    return bool(registry.in_notebook(name))


def question(name: str) -> str:
    """The question a notebook asks: its first heading."""
    for cell in read(path_of(name)).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source.splitlines()[0][2:].strip())
    raise NotebookError(f"{name} has no heading; begin it with its question.")


def collect(notebooks: dict[str, NotebookNode]) -> list[dict[str, Any]]:
    """As :func:`verdicts`, for notebooks already read, by name."""
    from helpers.claims import registry

    claims = registry.load()
    found: dict[str, dict[str, Any]] = {}
    for name, notebook in notebooks.items():
        check_executed(name, notebook)
        given = payloads(notebook)
        owed = [claim.id for claim in claims.values() if claim.notebook == name]
        if owed and not given and _synthetic(notebook):
            raise NotebookError(
                f"{name} was executed on the synthetic market, which gives no verdicts; "
                f"execute it on real data with `python -m helpers notebooks {name}`."
            )
        for number, payload in given:
            _check_payload(f"{name}, code cell {number}", name, payload, claims, found)
            found[payload["id"]] = payload
        if lacking := [key for key in owed if key not in found]:
            raise NotebookError(
                f"{name} gives no verdict on {', '.join(lacking)}; judge it there, or assign it elsewhere "
                f"in data/claims.yaml."
            )
    _check_one_vintage(found)
    return [found[key] for key in claims if key in found]


def not_judged(given: Iterable[dict[str, Any]]) -> list[str]:
    """Ids of the claims without a verdict, in the registry's order."""
    from helpers.claims import registry

    judged = {entry["id"] for entry in given}
    return [key for key in registry.load() if key not in judged]


def _check_payload(
    where: str, name: str, payload: dict[str, Any], claims: dict[str, Any], found: dict[str, dict[str, Any]]
) -> None:
    key = payload.get("id")
    if key not in claims:
        raise NotebookError(f"{where} judges {key}, which data/claims.yaml does not hold; correct the id.")
    if key in found:
        first = found[key]["notebook"]
        raise NotebookError(f"{where} judges {key} a second time (first in {first}); keep one verdict.")
    claim = claims[key]
    if claim.notebook != name:
        raise NotebookError(f"{where} judges {key}, which belongs to {claim.notebook}; move it there.")
    if absent := [item for item in (*CONTRACT, "data") if item not in payload]:
        raise NotebookError(
            f"{where}: the verdict on {key} lacks {absent[0]}; "
            f"execute it again with `python -m helpers notebooks {name}`."
        )
    if payload["rule"] != claim.rule_text() or payload["clarity"] != claim.clarity:
        raise NotebookError(
            f"{where}: {key} was judged by another rule than data/claims.yaml now holds; "
            f"execute it again with `python -m helpers notebooks {name}`."
        )


def _check_one_vintage(found: dict[str, dict[str, Any]]) -> None:
    first: dict[str, Any] | None = None
    for payload in found.values():
        if not payload["data"].get("fingerprint"):
            continue
        if first is None:
            first = payload
        elif payload["data"]["fingerprint"] != first["data"]["fingerprint"]:
            raise NotebookError(
                f"{payload['id']} ({payload['notebook']}) was judged on other data than {first['id']} "
                f"({first['notebook']}); execute all notebooks on one store with `python -m helpers notebooks`."
            )


def _synthetic(notebook: NotebookNode) -> bool:
    texts = (
        f"{output.get('text', '')}{output.get('data', {}).get('text/plain', '')}"
        for cell in code_cells(notebook)
        for output in cell.outputs
    )
    return any("synthetic" in text.lower() for text in texts)
