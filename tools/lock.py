"""``python -m helpers lock``: both lock files resolved anew from pyproject.toml, by uv."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from helpers.files import ROOT, HelperError

FLAGS = "--universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11"
FILES = (("requirements.txt", ["test"]), ("requirements-lab.txt", ["test", "lab"]))


def command(given: argparse.Namespace) -> int:
    """Resolve both files and print their names; with ``--upgrade`` the newest versions are taken.

    Raises
    ------
    HelperError if uv is not there, or finds no answer.
    """
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise HelperError("uv is not installed here; run `make` first, which brings it.")
    for name, extras in FILES:
        wanted = [word for extra in extras for word in ("--extra", extra)]
        run = [uv, "pip", "compile", "--quiet", *FLAGS.split(), "pyproject.toml", *wanted, "-o", name]
        if given.upgrade:
            run.append("--upgrade")
        if subprocess.run(run, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode:
            raise HelperError(f"{name} could not be resolved; what uv says stands above.")
        print(name)
    return 0
