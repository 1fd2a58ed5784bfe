"""A report killed wherever it writes: one of the two sites is whole, no kernel goes on, the next run needs no hand."""

import os
import re
import sys

import pytest
import reporting

from helpers import notebooks

POINTS = 20
RUNS = """from helpers import claims, market
market.connect()
for claim in {claims}:
    claims.judge(claim, lambda gain=13.2: {{"gain": gain}})"""

#: Run in the project: one process that has imported everything, and a child of it for each point.
KILLER = """
import hashlib, json, os, random, shutil, signal, sys, time
from pathlib import Path
import jinja2, nbclient, nbformat, nh3, pandas, PIL.Image, psutil, pyarrow.parquet, tqdm
from helpers import __main__, files, fingerprints, market, store
from helpers.report import command

work, project, points = Path(sys.argv[1]), Path.cwd(), int(sys.argv[2])
site, cache = work / "out" / "site", project / "data" / ".cache"
TOUCHES = {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree", "shutil.copyfile"}

def child(step, market, log=None):
    "Exit code of a report that is killed at its step-th touch of the disk; all touches are written to a log."
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    seen = []

    def watch(event, given):
        if event == "open":
            path, mode, flags = given
            writes = flags & (os.O_WRONLY | os.O_RDWR)
        elif event in TOUCHES:
            path, writes = given[-1] if event == "shutil.copyfile" else given[0], True
        else:
            return
        if not writes or not isinstance(path, str | os.PathLike) or str(work) not in os.fspath(path):
            return
        seen.append([event, Path(path).name])
        if len(seen) == step:
            if event == "open":  # half a file, as a kill in the middle of writing leaves it
                with open(path, "wb") as stream:
                    stream.write(b"half")
            os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        os.environ["MARKET_DATA"] = market
        with (work / "told").open("w") as told:
            os.dup2(told.fileno(), 1), os.dup2(told.fileno(), 2)
        sys.addaudithook(watch)
        code = __main__.main(["report", "--out", str(site)])
    finally:
        if log is not None:
            log.write_text(json.dumps(seen))
        import atexit
        atexit._run_exitfuncs()
        os._exit(code)

def content(folder, *apart):
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and "__pycache__" not in name and not name.startswith(apart or ("//",)):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found

def kernels():
    "Processes of this project's that are still there three seconds later, other than this one."
    until = time.monotonic() + 3
    while True:
        left = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and Path(process.cwd()).is_relative_to(project):
                    left.append(process.cmdline())
            except (psutil.Error, OSError):
                pass
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)

def fresh():
    shutil.rmtree(cache, ignore_errors=True)
    shutil.rmtree(site.parent, ignore_errors=True)
    shutil.copytree(work / "old", site)

site.parent.mkdir()
assert child(0, "synthetic") == 0, (work / "told").read_text()
site.rename(work / "old")
for name in ("01-first", "02-second"):
    shutil.copy(work / f"{name}.ipynb", project / "notebooks")
code = content(project, "data/.cache")
fresh()
assert child(0, sys.argv[3], work / "log") == 0, (work / "told").read_text()
touches = json.loads((work / "log").read_text())
old, new = content(work / "old"), content(site)
swap = [place for place, (event, name) in enumerate(touches, 1) if event == "os.rename" and "site" in name]
chosen = swap + random.Random(7).sample(sorted({*range(1, len(touches) + 1)} - {*swap}), points - len(swap))
result = dict(touches=touches, chosen=chosen, old=0, new=0, bad=[])
for step in chosen:
    fresh()
    ended, left = child(step, sys.argv[3]), kernels()
    if ended != -9 or left:
        result["bad"].append([step, touches[step - 1], "ended", ended, left])
    files.recover(site)
    found = content(site)
    result["old" if found == old else "new"] += 1
    if found not in (old, new):
        result["bad"].append([step, touches[step - 1], "site"])
    ended = child(0, sys.argv[3])
    beside = [path.name for path in site.parent.iterdir()]
    unfinished = [str(path) for path in work.rglob("*") if path.suffix in {".new", ".part", ".old"}]
    if ended or content(site) != new or beside != ["site"] or unfinished or content(project, "data/.cache") != code:
        result["bad"].append([step, touches[step - 1], "next run", ended, beside, unfinished])
print(json.dumps(result))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux", reason="kernels are forked, and die with their parent, on Linux alone"
)
def test_a_report_killed_wherever_it_writes(small_store, tmp_path):
    project = reporting.project(tmp_path / "work" / "project")
    warmed = project / "helpers" / "kernels.py"  # its notebooks draw nothing and estimate nothing
    warmed.write_text(
        re.sub(r"(?ms)^WARM = \(.*?\)", 'WARM = ("ipykernel.kernelapp", "pandas")', warmed.read_text())
    )
    for name, claims in (("01-first", ["C01", "C02"]), ("02-second", ["C03"])):
        book = reporting.notebook("What?", reporting.code(RUNS.format(claims=claims)))
        notebooks.write(book, tmp_path / "work" / f"{name}.ipynb")
    result = reporting.told(
        KILLER,
        tmp_path / "work",
        POINTS,
        small_store,
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")},
    )
    assert not result["bad"], result
    assert len(result["chosen"]) == POINTS
    assert {"open", "os.rename", "os.mkdir", "os.remove"} <= {event for event, _ in result["touches"]}
    assert result["old"] > 5
    assert result["new"] > 0
