"""The commands of the teaching edition: ``student``, ``teacher`` and ``lab``."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from course import editions
from helpers import notebooks
from helpers.claims import registry
from helpers.files import HelperError


def _first_article_only() -> None:
    if registry.place() != registry.home():
        raise HelperError("The course belongs to the first article; run this without --article and ARTICLE.")


def student(out: str | None = None, force: bool = False) -> Path:
    """Write the student edition; its folder."""
    _first_article_only()
    return editions.student(Path(out) if out else editions.FOLDER / "student", force)


def teacher(out: str | None = None, force: bool = False) -> Path:
    """Write the teacher edition; its folder."""
    _first_article_only()
    return editions.teacher(Path(out) if out else editions.FOLDER / "teacher", force)


def lab() -> int:
    """Open JupyterLab on the first notebook, until it is closed; its exit code.

    Raises
    ------
    HelperError if JupyterLab is not installed in this environment.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise HelperError(
            "JupyterLab is not installed in this environment; run `make lab`, or "
            "`python -m pip install -r requirements-lab.txt` and then this command again."
        )
    start = notebooks.path_of(notebooks.names()[0])
    return subprocess.run(
        [sys.executable, "-m", "jupyterlab", str(start)], cwd=notebooks.folder().parent, check=False
    ).returncode
