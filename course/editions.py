"""Two editions of the notebooks: for students, without solutions; for teachers, with solutions and notes.

Both are made from the committed notebooks, so there is one source. They are written beside their place and moved there
whole, and what somebody has worked on is never overwritten unasked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import files, notebooks
from helpers.files import HelperError

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = files.ROOT / "editions"
NOTES = files.ROOT / "course" / "syllabus.md"
#: Lists what an edition wrote, by hash: how it knows its own folder, and that nobody has worked in it.
LIST = "edition.json"


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def student(out: Path = FOLDER / "student", force: bool = False) -> Path:
    """Write the notebooks without solutions; the outputs of the argument stay, those of exercises go.

    Parameters
    ----------
    out : the folder
    force : overwrite notebooks that were changed since the edition was written

    Raises
    ------
    EditionError if the folder holds something else, or work of somebody.
    """
    return _write(out, for_students, force)


def teacher(out: Path = FOLDER / "teacher", force: bool = False) -> Path:
    """Write the notebooks with solutions in the open and their teaching notes in front; as :func:`student`."""
    return _write(out, for_teachers, force)


class EditionError(HelperError):
    """An edition cannot be made or put where it was asked for."""


# ------------------------------------------------------------------------------------------------ one notebook


def for_students(name: str, notebook: NotebookNode) -> NotebookNode:
    """The notebook without its solutions, in place."""
    notebook.cells = [cell for cell in notebook.cells if "solution" not in tags(cell)]
    for cell in notebook.cells:
        if cell.cell_type == "code" and tags(cell) & {"exercise", "check"}:
            cell.outputs, cell.execution_count = [], None
    return notebook


def for_teachers(name: str, notebook: NotebookNode) -> NotebookNode:
    """The notebook with open solutions and its teaching notes as first cell, in place."""
    from nbformat.v4 import new_markdown_cell

    for cell in notebook.cells:
        if "solution" in tags(cell):
            cell.metadata.pop("jupyter", None)
    notebook.cells.insert(0, new_markdown_cell(notes(name), id="teaching-notes"))
    return notebook


def notes(name: str, path: Path = NOTES) -> str:
    """The section of course/syllabus.md on a notebook, headed as teaching notes."""
    text = path.read_text("utf-8")
    found = re.search(rf"(?ms)^## Notebook {name[:2]}\b[^\n]*\n(.*?)(?=^## |\Z)", text)
    if found is None or not found[1].strip():
        raise EditionError(
            f"{path.name} has no section '## Notebook {name[:2]} …' for {name}; write the teaching notes there."
        )
    return f"## Teaching notes\n\n{found[1].strip()}"


# ------------------------------------------------------------------------------------------------ a folder of them


def _write(out: Path, edit: Callable[[str, NotebookNode], NotebookNode], force: bool) -> Path:
    _check_free(out, force)
    try:
        with files.fresh_folder(out) as folder:
            listed = {}
            for name in notebooks.names():
                notebook = edit(name, notebooks.read(notebooks.path_of(name)))
                # The stamp says that the outputs came from this very code, which is no longer so.
                notebook.metadata.pop(notebooks.STAMP, None)
                file = folder / f"{name}.ipynb"
                notebooks.write(notebook, file)
                listed[file.name] = files.sha256(file)
            (folder / LIST).write_text(json.dumps(listed, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise EditionError(f"The edition cannot be written to {out} ({error.strerror}).") from None
    return out


def _check_free(out: Path, force: bool) -> None:
    files.recover(out)
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / LIST).is_file()):
        raise EditionError(f"{out} holds something that is no edition; name another folder with --out.")
    if force or not (out / LIST).is_file():
        return
    try:
        listed = dict(json.loads((out / LIST).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        listed = {}
    ours = {*listed, LIST, ".ipynb_checkpoints", "__pycache__"}
    worked = [
        path.name
        for path in sorted(out.iterdir())
        if path.name not in ours or (path.name in listed and files.sha256(path) != listed[path.name])
    ]
    if worked:
        raise EditionError(
            f"{', '.join(worked[:3])} in {out} was changed or added since the edition was written; "
            f"move it away, or overwrite it with --force."
        )
