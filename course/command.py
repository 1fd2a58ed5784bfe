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


def edition(kind: str, out: str | None = None, force: bool = False) -> Path:
    """Write the edition of that kind, student or teacher; its folder."""
    if registry.place() != registry.home():
        raise HelperError("The course belongs to the first article; run this without --article and ARTICLE.")
    write = editions.student if kind == "student" else editions.teacher
    return write(Path(out) if out else editions.FOLDER / kind, force)


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
