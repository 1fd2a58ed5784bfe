"""``python -m helpers report`` and ``pdf``: execute where there is a store, publish, print the address."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from helpers import market, notebooks
from helpers.files import HelperError
from helpers.report import site

SITE = notebooks.ROOT / "site"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
#: A browser that neither calls home nor asks anything.
QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _store() -> market.Store | None:
    """The store, checked; None if there is none."""
    if os.environ.get("MARKET_DATA") == "synthetic":
        return None
    path = market.locate()
    return None if path is None else market.Store(path)


def _committed_until() -> str | None:
    """Last session of the data behind the committed notebooks."""
    sessions = [entry["data"].get("last_session") for entry in notebooks.verdicts()]
    return max((day for day in sessions if day), default=None)


def report(target: Path = SITE, one_file: bool = False, finish: Callable[[Path], None] | None = None) -> Path:
    """Execute the notebooks on the store, or take the committed ones, and write the site."""
    site.check_target(target)
    store = _store()
    wanted = notebooks.names()
    if not wanted:
        raise HelperError("There are no notebooks to publish.")
    if store is None:
        until = _committed_until()
        line = "Published from the committed run" + (f" on data to {site.day(until)}." if until else ".")
        site.say(f"There is no market data here, so that nothing is executed; {market.HOW_TO_GET_DATA}.")
        site.say(line)
        return site.publish(notebooks.FOLDER, target, line, one_file, finish)
    reference = market.is_reference(store)
    known = " (the reference store)" if reference else " (not the reference store)"
    line = f"Executed on market data to {site.day(store.last_session)}{known}."
    if old := market.staleness(store.last_session, pd.Timestamp.now()):
        site.say(old)
        line += f" {old}"
    if gone := store.lacks(*market.optional_files()):
        site.say(gone)
        line += f" {gone} What rests on them is left out or not judged, and each notebook says so."
    before = None if reference else notebooks.verdicts()
    site.say(f"Executing {len(wanted)} notebooks on market data to {site.day(store.last_session)}{known} ...")
    market.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=market.CACHE) as folder:
        notebooks.run(wanted, lambda name: Path(folder) / f"{name}.ipynb", site.say, bar=sys.stderr.isatty())
        return site.publish(Path(folder), target, line, one_file, finish, before)


def find_browser() -> str | None:
    """Path of a Chromium, if this machine has one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _print(browser: str, source: Path, target: Path) -> None:
    rootless = ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()
    with tempfile.TemporaryDirectory(prefix="print-") as profile:
        done = subprocess.run(
            [
                browser,
                *QUIET,
                *rootless,
                f"--user-data-dir={profile}",
                "--no-pdf-header-footer",
                "--generate-pdf-document-outline",
                f"--print-to-pdf={target}",
                source.as_uri(),
            ],
            capture_output=True,
            timeout=600,
            check=False,
        )
    if done.returncode != 0 or not target.is_file():
        raise HelperError(f"{Path(browser).name} could not print the report (exit code {done.returncode}).")


def pdf(target: Path = SITE) -> Path:
    """The report with its printed edition; path of the PDF."""
    browser = find_browser()
    if browser is None:
        raise HelperError(
            "Printing needs Chromium or Chrome, which is not on the PATH; install it, "
            "or open the report in a browser and print it there."
        )
    report(
        target,
        one_file=True,
        finish=lambda folder: _print(browser, folder / site.ONE_FILE, folder / site.PRINTED),
    )
    return target / site.PRINTED
