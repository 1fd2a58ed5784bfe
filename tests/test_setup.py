"""Set-up: the lock files, environment.yml, pyproject.toml and the README's commands agree."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_notebook
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers import notebooks

CONDA_NAMES = {
    "arch": "arch-py",
    "duckdb": "python-duckdb",
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
}
LOCKS = ("requirements.txt", "requirements-lab.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked(name, python):
    """Version of every package in a lock file for one version of Python on Linux."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        match = re.match(r"([a-z0-9][\w.-]*)==([^ ;\\]+)(?: ; ([^\\]+))?", line)
        if match is None:
            continue
        where = {"python_full_version": f"{python}.9", "python_version": python, "sys_platform": "linux"}
        if match[3] is None or Marker(match[3].strip()).evaluate(where):
            found[canonicalize_name(match[1])] = match[2]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash_and_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    blocks = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert len(blocks) > 50
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:60]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_files_satisfy_pyproject(python):
    versions = locked("requirements-lab.txt", python)
    extras = PROJECT["optional-dependencies"]
    for text in [*PROJECT["dependencies"], *extras["test"], *extras["lab"]]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), text


def test_the_lean_lock_is_a_part_of_the_lab_lock():
    lean, lab = locked(LOCKS[0], "3.12"), locked(LOCKS[1], "3.12")
    assert lean.items() <= lab.items()
    assert "jupyterlab" not in lean


def test_conda_environment_says_the_same():
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert content["channels"][0] == "conda-forge"
    named = dict(item.split("=") for item in content["dependencies"] if isinstance(item, str) and "=" in item)
    python = named.pop("python")
    assert python in {"3.11", "3.12", "3.13"}
    versions = locked("requirements-lab.txt", python)
    wanted = [Requirement(text).name for text in PROJECT["dependencies"]]
    wanted += [Requirement(text).name for text in PROJECT["optional-dependencies"]["lab"]] + [
        "nbval",
        "pytest",
    ]
    expected = {CONDA_NAMES.get(name, name): versions[canonicalize_name(name)] for name in wanted}
    assert named == expected
    assert {"pip": ["-e ."]} in content["dependencies"]


def targets():
    return set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))


def test_every_make_target_the_readme_names_exists():
    named = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text()))
    assert {"report", "test"} <= named
    assert named <= targets()


def test_make_help_lists_the_targets():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in targets():
        assert f"make {name}" in shown


# ------------------------------------------------------------------------------------------- other places


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone as Git for Windows makes it by default, in a folder with spaces and umlauts."""
    folder = tmp_path_factory.mktemp("Größe & Öl") / "a clone"
    made = subprocess.run(
        ["git", "clone", "-q", "-c", "core.autocrlf=true", str(ROOT), str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs git and a checkout")
    return folder


def test_a_clone_with_windows_line_ends_has_the_same_bytes(clone):
    listed = subprocess.run(
        ["git", "ls-files", "--eol"], cwd=clone, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert len(listed.stdout.splitlines()) > 100
    assert [line for line in listed.stdout.splitlines() if "w/crlf" in line or "w/mixed" in line] == []


HOSTILE_PLACES = {
    "C": {"LC_ALL": "C", "TZ": "Asia/Kolkata"},
    "ASCII": {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TZ": "Pacific/Apia"},
}


@pytest.mark.parametrize("place", HOSTILE_PLACES)
def test_the_commands_work_in_other_places(clone, place):
    given = {**os.environ, **HOSTILE_PLACES[place], "PYTHONPATH": str(clone), "MARKET_DATA": "", "DATA": "no"}
    for command in ("claims --check", "verdicts --check", "data --dry-run", "report"):
        done = subprocess.run(
            [sys.executable, "-m", "helpers", *command.split()],
            cwd=clone,
            env=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr[-2000:])
    assert (clone / "site" / "index.html").is_file()


def test_a_readers_own_profile_changes_nothing(tmp_path, monkeypatch):
    startup = tmp_path / "own" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("print('hello')\nmine = 1\n")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "own"))
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
    source = "print('mine' in globals())"
    notebooks.write(new_notebook(cells=[new_code_cell(source)]), tmp_path / "01-own.ipynb")
    notebooks.run(["01-own"], lambda name: tmp_path / "out" / f"{name}.ipynb")
    executed = notebooks.read(tmp_path / "out" / "01-own.ipynb")
    assert [output.text for output in executed.cells[0].outputs] == ["False\n"]
