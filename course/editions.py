"""Two editions of the notebooks: for students, sealed and without solutions; for teachers, with solutions and notes.

Both are made from the committed notebooks, so there is one source. They are written beside their place and moved there
whole, and what somebody has worked on is never overwritten unasked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from course import votes
from helpers import files, notebooks
from helpers.claims import MIME, card, registry
from helpers.files import HelperError
from tools import new_article

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = files.ROOT / "editions"
NOTES = files.ROOT / "course" / "syllabus.md"
#: Lists what an edition wrote, by hash: how it knows its own folder, and that nobody has worked in it.
LIST = "edition.json"
#: The empty folder for an article of the students' own, and the page with the votes.
OWN, BALLOT = "your-article", "ballot.html"
#: Sections of a notebook that tell its verdicts in words.
_TELLING = {"The answer in one minute", "The scoreboard"}
#: A verdict as it is printed: its name, in a board, on a card or in a sentence.
_VERDICT = re.compile("|".join(rf"\b{re.escape(name)}\b" for name, _, _ in card.LOOK.values()))
_FOLDED = re.compile(r"(?:The\s+)?[Ss]olutions\s[^.]*\bfolded\b[^.]*\.")


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def student(out: Path = FOLDER / "student", force: bool = False) -> Path:
    """Write the notebooks sealed: no solution and no verdict in them, votes in front; a ballot, an empty article.

    The other outputs of the argument stay; those of exercises go.

    Parameters
    ----------
    out : the folder
    force : overwrite notebooks that were changed since the edition was written

    Raises
    ------
    EditionError if the folder holds something else, or work of somebody.
    """
    return _write(out, for_students, force, _for_pairs)


def teacher(out: Path = FOLDER / "teacher", force: bool = False) -> Path:
    """Write the notebooks with solutions in the open and their teaching notes in front; as :func:`student`."""
    return _write(out, for_teachers, force)


class EditionError(HelperError):
    """An edition cannot be made or put where it was asked for."""


# ------------------------------------------------------------------------------------------------ one notebook


def for_students(name: str, notebook: NotebookNode) -> NotebookNode:
    """The notebook without its solutions and its verdicts, with the votes of its session in front, in place."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    notebook.cells = [cell for cell in notebook.cells if "solution" not in tags(cell)]
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = next(iter(re.findall(r"(?m)^## (.+)$", cell.source)[-1:]), section)
            cell.source = _FOLDED.sub("The solutions are in the teacher’s edition.", cell.source)
        elif tags(cell) & {"exercise", "check"} or section in _TELLING or tells(cell):
            cell.outputs, cell.execution_count = [], None
    if name in votes.CLAIMS:
        ids = ", ".join(f'"{key}"' for key in votes.CLAIMS[name])
        opening = [
            new_markdown_cell(votes.question(name), id="vote"),
            new_code_cell(f"from course import votes\n\nvotes.rule({ids})", id="vote-rule"),
            new_markdown_cell("Vote again, knowing the rule. Then run the next cell.", id="vote-again"),
            new_code_cell(f"votes.verdict({ids})", id="vote-verdict"),
        ]
        notebook.cells[1:1] = opening
    return notebook


def tells(cell: NotebookNode) -> bool:
    """True if an output of a code cell holds a verdict."""
    shown = [output.get("data", {}) for output in cell.outputs]
    text = json.dumps([{key: data[key] for key in data if key.startswith("text/")} for data in shown])
    printed = "".join(output.get("text", "") for output in cell.outputs)
    return any(MIME in data for data in shown) or bool(_VERDICT.search(text + printed))


def _for_pairs(folder: Path) -> None:
    """What a pair gets beside the notebooks: the ballot, and the folder for the capstone."""
    (folder / BALLOT).write_text(votes.ballot(), "utf-8")
    try:
        today = f"{pd.Timestamp.now():%Y-%m-%d}"
        new_article.write(folder / OWN, "Our article", "The publisher", today, "https://example.org/")
    finally:
        registry.use()


def for_teachers(name: str, notebook: NotebookNode) -> NotebookNode:
    """The notebook with open solutions and its teaching notes as first cell, in place."""
    from nbformat.v4 import new_markdown_cell

    for cell in notebook.cells:
        if "solution" in tags(cell):
            cell.metadata.pop("jupyter", None)
    notebook.cells.insert(0, new_markdown_cell(notes(name), id="teaching-notes"))
    return notebook


def notes(name: str, path: Path = NOTES) -> str:
    """The section of course/syllabus.md on a notebook of that name, headed as teaching notes."""
    text = path.read_text("utf-8")
    found = re.search(rf"(?ms)^## Notebook {re.escape(name)}[ \t]*\n(.*?)(?=^## |\Z)", text)
    if found is None or not found[1].strip():
        raise EditionError(
            f"{path.name} has no section '## Notebook {name}'; write the teaching notes there."
        )
    return f"## Teaching notes\n\n{found[1].strip()}"


# ------------------------------------------------------------------------------------------------ a folder of them


def _write(
    out: Path,
    edit: Callable[[str, NotebookNode], NotebookNode],
    force: bool,
    add: Callable[[Path], None] = lambda folder: None,
) -> Path:
    _check_free(out, force)
    try:
        with files.fresh_folder(out) as folder:
            for name in notebooks.names():
                notebook = edit(name, notebooks.read(notebooks.path_of(name)))
                # The stamp says that the outputs came from this very code, which is no longer so.
                notebook.metadata.pop(notebooks.STAMP, None)
                notebooks.write(notebook, folder / f"{name}.ipynb")
            add(folder)
            listed = {name: files.sha256(folder / name) for name in _held(folder)}
            (folder / LIST).write_text(json.dumps(listed, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise EditionError(f"The edition cannot be written to {out} ({error.strerror}).") from None
    return out


def _held(folder: Path) -> list[str]:
    """Files of an edition by their path in it, without its list and what tools leave behind."""
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        path.as_posix()
        for path in found
        if path.name != LIST and not {".ipynb_checkpoints", "__pycache__"} & {*path.parts}
    ]


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
    worked = [name for name in _held(out) if listed.get(name) != files.sha256(out / name)]
    if worked:
        raise EditionError(
            f"{', '.join(worked[:3])} in {out} was changed or added since the edition was written; "
            f"move it away, or overwrite it with --force."
        )
