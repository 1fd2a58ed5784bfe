"""``python -m helpers …`` in a process forked from one that has imported the libraries, of which nothing is the
project's: the command itself is read anew each time, from where it is called. Elsewhere than on POSIX it is started
as a person starts it."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

LIBRARIES = (
    "pandas",
    "pyarrow.parquet",
    "jsonschema",
    "yaml",
    "jinja2",
    "nbclient",
    "nbformat",
    "nh3",
    "tqdm",
    "PIL.Image",
)
LIMIT = 300


def run(arguments: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What ``subprocess.run`` would give for the command."""
    command = [sys.executable, "-m", "helpers", *arguments]
    if not hasattr(os, "fork"):
        return subprocess.run(
            command,
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=LIMIT,
            check=False,
        )
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        server = _server()
        server.stdin.write(json.dumps([command[3:], str(cwd), env, str(out), str(err)]) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(command, code, out.read_text("utf-8"), err.read_text("utf-8"))


@cache
def _server() -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(started.communicate)
    return started


def _serve() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    own = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    for line in sys.stdin:
        arguments, cwd, env, out, err = json.loads(line)
        if child := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            continue
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, out), (2, err)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        paths = [str(cwd), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
        sys.path[:] = paths + [place for place in sys.path if place not in own]
        sys.argv = ["helpers", *arguments]
        runpy.run_module("helpers", run_name="__main__", alter_sys=True)
        return


if __name__ == "__main__":
    _serve()
