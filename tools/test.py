"""``python -m helpers test``: lint, types, verdicts and tests, which execute the notebooks too."""

from __future__ import annotations

import argparse
import subprocess
import sys

from helpers.files import ROOT


def command(given: argparse.Namespace) -> int:
    """Run every check, with further arguments for the unit tests; 1 if one of them fails."""
    chosen = "slow" if given.slow else "not slow"
    parallel = ["pytest", "-n", "2", "--dist", "loadscope", "--no-loadscope-reorder", "-m", chosen]
    steps = [
        ("lint", ["ruff", "check", "."]),
        ("format", ["ruff", "format", "--check", "."]),
        ("types", ["mypy"]),
        ("verdicts", ["helpers", "verdicts", "--check"]),
    ]
    steps = [
        *([] if given.slow else steps),
        (f"tests that are {chosen}", [*parallel, "tests", *given.pytest]),
    ]
    failed = [name for name, module in steps if not _passed(name, module)]
    if failed:
        print(f"error: failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _passed(name: str, module: list[str]) -> bool:
    print(f"-- {name}", flush=True)
    return subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=False).returncode == 0
