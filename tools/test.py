"""``python -m helpers test``: lint, types, verdicts, unit tests, notebook tests."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from helpers import market, notebooks
from helpers.files import ROOT
from helpers.store import Store, locate

NBVAL = ["--nbval-cell-timeout", "900", "--nbval-sanitize-with", "tools/nbval.cfg"]
PARALLEL = ["pytest", "-n", "2", "--dist", "loadscope"]


def command(given: argparse.Namespace) -> int:
    """Run every check, with further arguments for the unit tests; 1 if one of them fails."""
    steps = [
        ("lint", ["ruff", "check", "."]),
        ("format", ["ruff", "format", "--check", "."]),
        ("types", ["mypy"]),
        ("verdicts", ["helpers", "verdicts", "--check"]),
        ("unit tests", [*PARALLEL, "tests", *given.pytest]),
    ]
    failed = [name for name, module in steps if not _passed(name, module)]
    failed += [] if _notebooks_passed() else ["notebook tests"]
    if failed:
        print(f"error: failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _notebooks_passed() -> bool:
    """Every output compared if the store is the one behind the committed notebooks, else executed only."""
    files = [str(notebooks.path_of(name)) for name in notebooks.names()]
    if not files:
        return True
    path = locate()
    if path is not None and market.is_reference(Store(path)):
        print("Notebooks: on the reference store, every output compared.", flush=True)
        flag, extra = "--nbval", {}
    else:
        print("Notebooks: no reference store, so only executed, on the synthetic market.", flush=True)
        flag, extra = "--nbval-lax", {"MARKET_DATA": "synthetic"}
    return _passed("notebook tests", [*PARALLEL, flag, *NBVAL, *files], extra)


def _passed(name: str, module: list[str], extra: dict[str, str] | None = None) -> bool:
    print(f"-- {name}", flush=True)
    environment = {**os.environ, **(extra or {})}
    done = subprocess.run([sys.executable, "-m", *module], cwd=ROOT, env=environment, check=False)
    return done.returncode == 0
