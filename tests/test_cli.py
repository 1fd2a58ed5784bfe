"""The command line: bad input ends with one sentence and a non-zero code, never with a traceback."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import reporting
import warmed
from conftest import ROOT

from helpers import claims, notebooks
from helpers.claims import MIME

COMMANDS = [
    "bench", "claims", "data", "lab", "lock", "new-article", "new-claim", "notebooks", "pdf", "report", "student",
    "synthetic", "teacher", "test", "verdicts",
]  # fmt: skip


def run(*arguments, cwd=ROOT, **environment):
    env = {**os.environ, **{key: str(value) for key, value in environment.items()}}
    return warmed.run([*map(str, arguments)], cwd, env)


def assert_one_sentence(done, *words, code=2):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert lines[0].endswith((".", "?"))
    for word in words:
        assert word in lines[0]


@pytest.fixture
def copy(tmp_path):
    """The project without its notebooks' environment: code and registry, to be damaged."""
    for name in ("helpers", "data", "notebooks"):
        shutil.copytree(
            ROOT / name,
            tmp_path / name,
            ignore=shutil.ignore_patterns("__pycache__", ".cache", "market", "*.part"),
        )
    return tmp_path


def replace(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


# ------------------------------------------------------------------------------------------------ help


def test_help_names_every_command_and_comes_at_once():
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert time.perf_counter() - start < 1
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_help_imports_nothing_heavy():
    heavy = "[name for name in ('pandas', 'nbformat') if name in sys.modules]"
    script = f"import sys, helpers.__main__ as m; m.parser(); print({heavy})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_command_is_refused():
    done = run("forecast")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------ registry


def test_claims_lists_every_claim():
    done = run("claims")
    assert done.returncode == 0
    heads = [line for line in done.stdout.splitlines() if line.startswith("C")]
    assert len(heads) == len(claims.load())
    assert "clear" in done.stdout


def test_the_registry_has_no_fault():
    done = run("claims", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_key_and_a_second_id_are_named_with_their_lines(copy):
    replace(copy / "data" / "claims.yaml", "\n  kind:", "\n  sort: x\n  kind:")
    done = run("claims", cwd=copy)
    assert_one_sentence(done, "claims.yaml line", "sort", code=1)


def test_every_fault_is_listed(copy):
    path = copy / "data" / "claims.yaml"
    path.write_text(
        path.read_text("utf-8").replace("id: C02", "id: C01").replace("id: C05", "id: C04"), "utf-8"
    )
    done = run("claims", cwd=copy)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("claims.yaml", b"- a list\n", ["claims.yaml", "no map"]),
        ("claims.yaml", b"revision: 1\ntitle: caf\xe9\n", ["claims.yaml line 2", "not UTF-8"]),
        ("claims.yaml", b"? [a, b]\n: 1\n", ["claims.yaml line 1", "a key is a word"]),
        ("claims.yaml", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", ["claims.yaml line 2", "aliases"]),
        ("facts/policy.csv", b"id\ncaf\xe9\n", ["policy.csv line 2", "not UTF-8"]),
        ("facts/x.csv", None, ["x.csv", "cannot be read"]),
    ],
)
def test_a_registry_that_cannot_be_read_is_one_sentence(tmp_path, name, content, words):
    for part in ("helpers", "data"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", ".cache"))
    if content is None:
        (tmp_path / "data" / name).mkdir()
    else:
        (tmp_path / "data" / name).write_bytes(content)
    assert_one_sentence(run("claims", cwd=tmp_path, PYTHONPATH=tmp_path), *words)


# ------------------------------------------------------------------------------------------------ verdicts


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return reporting.project(tmp_path_factory.mktemp("project") / "made")


@pytest.fixture
def project(made, tmp_path):
    """The code with a small collection in the place of ours, to be damaged."""
    return shutil.copytree(made, tmp_path / "project")


def test_verdicts_json_is_valid(made):
    from jsonschema import Draft202012Validator

    done = run("verdicts", "--json", cwd=made, PYTHONPATH=made)
    assert done.returncode == 0, done.stderr
    schema = json.loads((ROOT / "data" / "verdicts.schema.json").read_text("utf-8"))
    given = json.loads(done.stdout)
    Draft202012Validator(schema).validate(given)
    table = run("verdicts", cwd=made, PYTHONPATH=made).stdout.splitlines()
    assert [line.split()[0] for line in table] == [entry["id"] for entry in given] == ["C01", "C02", "C03"]


def test_verdicts_that_follow_are_counted(made):
    done = run("verdicts", "--check", cwd=made, PYTHONPATH=made)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3 verdicts follow from their own figures, rules and facts.\n"


def edit(path, change):
    content = json.loads(path.read_text("utf-8"))
    for cell in content["cells"]:
        for output in list(cell.get("outputs", [])):
            if output.get("data", {}).get(MIME, {}).get("id") == "C01":
                change(output, cell["outputs"])
    path.write_text(json.dumps(content), "utf-8")


def test_every_verdict_that_does_not_follow_is_named(project):
    edit(
        project / "notebooks" / "01-first.ipynb",
        lambda output, _: output["data"][MIME].update(verdict="mixed"),
    )
    rules = project / "data" / "claims.yaml"
    rules.write_text("target: 12.9".join(rules.read_text("utf-8").rsplit("target: 13", 1)), "utf-8")
    done = run("verdicts", "--check", cwd=project, PYTHONPATH=project)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    assert any("01-first: an output was changed" in line for line in lines)
    assert any("C01: verdict is not what its figures" in line for line in lines)
    assert any("C03: its registry entry or a fact was changed" in line for line in lines)
    report = run(
        "report", "--out", project / "site", cwd=project, PYTHONPATH=project, MARKET_DATA="synthetic"
    )
    assert report.returncode == 2
    assert report.stderr.splitlines()[-1] == lines[0]
    assert not (project / "site").exists()


def test_a_verdict_that_was_deleted_is_named(project):
    edit(project / "notebooks" / "01-first.ipynb", lambda output, outputs: outputs.remove(output))
    done = run("verdicts", "--check", cwd=project, PYTHONPATH=project)
    assert done.returncode == 1
    assert "01-first gives no verdict on C01" in done.stderr


def test_a_notebook_that_was_deleted_is_named(project):
    (project / "notebooks" / "02-second.ipynb").unlink()
    assert_one_sentence(run("verdicts", "--check", cwd=project, PYTHONPATH=project), "C03", "02-second")
    done = run("report", cwd=project, PYTHONPATH=project, MARKET_DATA="synthetic")
    assert done.returncode == 2
    assert "there is no notebook '02-second'" in done.stderr.splitlines()[-1]
    assert not (project / "site").exists()


def test_a_file_that_is_no_notebook_is_named(project):
    for content in ("{", "[]", '{"cells": [1], "nbformat": 4}', "\x00"):
        (project / "notebooks" / "01-first.ipynb").write_text(content, "utf-8")
        done = run("verdicts", cwd=project, PYTHONPATH=project)
        assert_one_sentence(done, "01-first.ipynb", "cannot be read")


# ------------------------------------------------------------------------------------------------ data


def test_a_store_that_is_not_there():
    done = run("report", MARKET_DATA=ROOT / "no-such-folder")
    assert_one_sentence(done, "no-such-folder", "python -m helpers data")


def test_a_store_without_a_manifest(tmp_path):
    (tmp_path / "prices.parquet").touch()
    assert_one_sentence(run("report", MARKET_DATA=tmp_path), "manifest.json")


def test_an_empty_folder_is_a_store_that_is_not_there_yet(made, tmp_path):
    (tmp_path / "market" / "lost+found").mkdir(parents=True)
    given = {"cwd": made, "PYTHONPATH": made, "MARKET_DATA": tmp_path / "market", "DATA": "no"}
    done = run("report", "--out", tmp_path / "site", **given)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Nothing was fetched, as asked for.")
    assert "Published from the committed run" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert_one_sentence(run("data", "--verify", **given), "an empty folder", "python -m helpers data")
    assert_one_sentence(run("notebooks", **given), "an empty folder")


def test_a_made_up_market_in_a_folder_gives_no_verdicts(made, small_store, tmp_path):
    manifest = json.loads((small_store / "manifest.json").read_text("utf-8"))
    (small_store / "manifest.json").write_text(json.dumps(manifest | {"name": "synthetic market"}), "utf-8")
    done = run("report", "--out", tmp_path / "site", cwd=made, PYTHONPATH=made, MARKET_DATA=small_store)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "are made up, so that nothing is executed on them" in text


def test_a_truncated_file(small_store):
    (small_store / "prices.parquet").write_bytes((small_store / "prices.parquet").read_bytes()[:-9])
    assert_one_sentence(run("notebooks", MARKET_DATA=small_store), "prices.parquet", "truncated")


def test_notebooks_are_saved_only_on_the_reference_store(small_store):
    assert_one_sentence(run("notebooks", MARKET_DATA=small_store), "reference store", "--any-store")


def test_notebooks_without_any_store():
    done = run("notebooks", MARKET_DATA="synthetic")
    assert_one_sentence(done, "There is no market data")


def test_an_unknown_notebook(small_store):
    done = run("notebooks", "77-nothing", "--any-store", MARKET_DATA=small_store)
    assert_one_sentence(done, "77-nothing", "01-record-highs")


def test_a_folder_that_is_no_report_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    done = run("report", "--out", tmp_path, MARKET_DATA="synthetic")
    assert done.returncode == 2
    assert "holds something that is no report" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_a_report_without_a_store_publishes_the_committed_run(made, tmp_path):
    done = run("report", "--out", tmp_path / "site", cwd=made, PYTHONPATH=made, MARKET_DATA="synthetic")
    assert done.returncode == 0, done.stderr
    line = "Published from the committed run on data to 12 December 2025."
    assert done.stdout.splitlines() == [str(tmp_path / "site" / "index.html")]
    assert done.stderr.splitlines()[-4:] == [
        line,
        "3 verdicts, 0 claims not judged.",
        "Nothing was compared with the committed run.",
        "Missing: market data.",
    ]
    assert line in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_what_cannot_run_is_published_as_it_was_committed(project, small_store, tmp_path):
    """The made notebooks name things that their kernels do not know: none runs on this store."""
    done = run("report", "--out", tmp_path / "site", cwd=project, PYTHONPATH=project, MARKET_DATA=small_store)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    text = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "No notebook could be executed on market data to 12 December 2025: 01-first, code cell 1" in text
    assert "3 verdicts, 0 claims not judged." in done.stderr


def test_pages_that_could_not_run_are_marked(project, small_store, tmp_path):
    runs = 'from helpers import claims, market\nmarket.connect()\nclaims.judge("C03", lambda gain=13.2: {"gain": gain})'
    book = reporting.notebook("What next?", reporting.code(runs))
    notebooks.write(book, project / "notebooks" / "02-second.ipynb")
    done = run("report", "--out", tmp_path / "site", cwd=project, PYTHONPATH=project, MARKET_DATA=small_store)
    assert done.returncode == 0, done.stderr
    pages = {
        name: (tmp_path / "site" / f"{name}.html").read_text("utf-8") for name in ("01-first", "02-second")
    }
    until = "12 December 2025"
    mark = f"the committed run on data to {until}; on market data to {until} it could not run: 01-first, code cell 1"
    assert mark in pages["01-first"]
    assert "it could not run" not in pages["02-second"]
    assert 'id="C03"' in pages["02-second"]
    assert "3 verdicts, 0 claims not judged." in done.stderr
    assert done.stderr.splitlines()[-1].endswith("a new run of 01-first.")


#: Plays helpers.sources.fetch, without a network.
FETCH = """
import os, shutil
from types import SimpleNamespace as Outcome

def Progress(bar): ...

def first_store(progress):
    said = {"state": os.environ["STATE"], "sentence": "Said by the fetcher.", "lacks": ()}
    if said["state"] == "fetched":
        shutil.copytree(os.environ["CAME"], "data/market")
        said |= {"lacks": ("IWM",)}
    return Outcome(**said)
"""


@pytest.mark.parametrize("state", ["offline", "fetched"])
def test_a_fresh_machine_fetches_first(project, small_store, tmp_path, state):
    """On what came nothing runs, as above: the committed run is published in both cases, and says why."""
    (project / "helpers" / "sources" / "fetch.py").write_text(FETCH)
    places = {"cwd": project, "PYTHONPATH": project, "MARKET_DATA": "", "STATE": state, "CAME": small_store}
    done = run("report", "--out", tmp_path / "site", **places)
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    assert told[0] == "Said by the fetcher."
    assert told[-1].startswith("Missing: market data" if state == "offline" else "Missing: IWM")
    text = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert ("Said by the fetcher." if state == "offline" else "No notebook could be executed") in text
    if state == "fetched":
        assert "a new run of 01-first" in told[-1]


# ------------------------------------------------------------------------------------------------ the last handler


def test_what_nobody_foresaw_is_one_sentence_that_names_the_file(made, tmp_path):
    (tmp_path / "file").write_text("x")
    given = {"cwd": made, "PYTHONPATH": made, "MARKET_DATA": "synthetic"}
    done = run("report", "--out", tmp_path / "file" / "site", **given)
    assert done.returncode == 2
    told = done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert told.startswith(f"error: {tmp_path / 'file'}")
    assert told.endswith("mend that and run the command again (HELPERS_DEBUG=1 shows where).")
    assert (
        "Traceback" in run("report", "--out", tmp_path / "file" / "site", HELPERS_DEBUG="1", **given).stderr
    )


# ------------------------------------------------------------------------------------------------ interrupted


def kernels(folder):
    """Processes whose working directory is in a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(folder) and re.search(
                r"ipykernel_launcher|helpers\.kernels", " ".join(process.cmdline())
            ):
                found.append(process)
    return found


@pytest.fixture
def running(project, small_store, tmp_path):
    """A report whose kernel is in the middle of a cell that takes long."""
    slow = "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(600)"
    notebooks.write(
        reporting.notebook("Slow?", reporting.code(slow)), project / "notebooks" / "03-slow.ipynb"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "report", "--out", str(tmp_path / "site")],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "MARKET_DATA": str(small_store)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started = project / "notebooks" / "started"
    until(lambda: started.exists() or process.poll() is not None, 90)
    assert process.poll() is None, process.communicate()
    assert kernels(project)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def until(done, seconds):
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
    return done()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interruption_ends_in_one_sentence_and_leaves_no_kernel(running, project, tmp_path, name):
    running.send_signal(getattr(signal, name))
    _, told = running.communicate(timeout=30)
    assert running.returncode == 128 + getattr(signal, name)
    assert "Traceback" not in told
    assert told.splitlines()[-1] == "Interrupted; nothing was left half written."
    assert until(lambda: not kernels(project), 3)
    assert list((project / "data" / ".cache").glob(".run.*")) == []
    assert not (tmp_path / "site").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_kill_leaves_no_kernel_and_the_next_run_sweeps(running, project, small_store):
    running.kill()
    running.wait(30)
    assert until(lambda: not kernels(project), 3)
    left = list((project / "data" / ".cache").glob(".run.*"))
    assert len(left) == 1
    (project / "notebooks" / "03-slow.ipynb").unlink()
    done = run("report", "--out", project / "site", cwd=project, PYTHONPATH=project, MARKET_DATA=small_store)
    assert done.returncode == 0, done.stderr
    assert not left[0].exists()
