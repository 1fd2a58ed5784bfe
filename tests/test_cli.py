"""The command line: bad input ends with one sentence and a non-zero code, never with a traceback."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from conftest import ROOT

COMMANDS = [
    "bench", "claims", "data", "lab", "lock", "new-claim", "notebooks", "pdf", "report", "student", "synthetic",
    "teacher", "test", "verdicts",
]  # fmt: skip


def run(*arguments, cwd=ROOT, **environment):
    return subprocess.run(
        [sys.executable, "-m", "helpers", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **{key: str(value) for key, value in environment.items()}},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


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
    done = run("--help")
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
    assert len(heads) == 92
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


# ------------------------------------------------------------------------------------------------ verdicts


def test_verdicts_json_is_valid():
    from jsonschema import Draft202012Validator

    done = run("verdicts", "--json")
    assert done.returncode == 0, done.stderr
    schema = json.loads((ROOT / "data" / "verdicts.schema.json").read_text("utf-8"))
    given = json.loads(done.stdout)
    Draft202012Validator(schema).validate(given)
    table = run("verdicts").stdout.splitlines()
    assert [line.split()[0] for line in table] == [entry["id"] for entry in given]


def test_a_notebook_without_its_verdict_is_named(copy):
    path = copy / "notebooks" / "01-record-highs.ipynb"
    content = json.loads(path.read_text("utf-8"))
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            payload = output.get("data", {}).get("application/vnd.rotation-rerun.verdict+json", {})
            if payload.get("id") == "C14":
                cell["outputs"].remove(output)
    path.write_text(json.dumps(content), "utf-8")
    assert_one_sentence(run("verdicts", cwd=copy), "01-record-highs", "C14")


def test_a_file_that_is_no_notebook_is_named(copy):
    (copy / "notebooks" / "01-record-highs.ipynb").write_text("{", "utf-8")
    assert_one_sentence(run("verdicts", cwd=copy), "01-record-highs.ipynb", "cannot be read")


# ------------------------------------------------------------------------------------------------ data


def test_a_store_that_is_not_there():
    done = run("report", MARKET_DATA=ROOT / "no-such-folder")
    assert_one_sentence(done, "no-such-folder", "python -m helpers data")


def test_a_store_without_a_manifest(tmp_path):
    assert_one_sentence(run("report", MARKET_DATA=tmp_path), "manifest.json")


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


def test_a_report_without_a_store_publishes_the_committed_run(tmp_path):
    done = run("report", "--out", tmp_path / "site", MARKET_DATA="synthetic")
    assert done.returncode == 0, done.stderr
    address = done.stdout.strip().splitlines()[-1]
    assert address.endswith("index.html")
    assert "Published from the committed run on data to" in done.stderr
    assert "Published from the committed run on data to" in (tmp_path / "site" / "index.html").read_text(
        "utf-8"
    )
