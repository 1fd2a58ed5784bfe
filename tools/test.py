"""``python -m helpers test``: lint, types, verdicts and tests, which execute the notebooks too."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from helpers import market, notebooks
from helpers.files import ROOT
from helpers.store import Store, locate

NBVAL = ["--nbval-cell-timeout", "900"]


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
    if not given.slow and not _notebooks_passed():
        failed.append("notebook tests")
    if failed:
        print(f"error: failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _notebooks_passed() -> bool:
    """Every output compared if the store is the one behind the committed notebooks, else executed only."""
    path = locate()
    if path is not None and market.is_reference(Store(path)):
        print("Notebooks: on the reference store, every output compared.", flush=True)
        flag, extra = "--nbval", {}
    else:
        print("Notebooks: no reference store, so only executed, on the synthetic market.", flush=True)
        flag, extra = "--nbval-lax", {"MARKET_DATA": "synthetic"}
    files = [str(notebooks.path_of(name)) for name in notebooks.names()]
    return _passed(
        "notebook tests", ["pytest", "-n", "2", "--dist", "loadscope", flag, *NBVAL, *files], extra
    )


def _passed(name: str, module: list[str], extra: dict[str, str] | None = None) -> bool:
    print(f"-- {name}", flush=True)
    environment = {**os.environ, **(extra or {})}
    return (
        subprocess.run([sys.executable, "-m", *module], cwd=ROOT, env=environment, check=False).returncode
        == 0
    )
