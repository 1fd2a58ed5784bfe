"""``python -m helpers report`` and ``pdf``: execute where there is a store, publish, print the address."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import files, market, notebooks, store
from helpers.claims import registry
from helpers.files import HelperError
from helpers.report import site
from helpers.words import and_more, date, listing

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


def report(
    target: Path | None = None,
    one_file: bool = False,
    fresh: bool = False,
    finish: Callable[[Path], None] | None = None,
) -> Path:
    """Execute the notebooks on the store, or publish the committed run, and write the site; its address.

    Where there is no store, one is fetched first if there is a network and ``DATA=no`` does not refuse it. An
    article about the synthetic market is executed on that; so is one without a store that was never executed.
    """
    target = target or registry.place().site
    site.check_target(target)
    if not notebooks.names():
        raise HelperError("There are no notebooks to publish.")
    if registry.made_up():
        return _ended(_invented(target, "So is the article.", one_file, finish), [])
    missing, path = [], _store()
    if path is None:
        told, without = _fetched()
        site.say(told)
        missing += without
        path = _store()
    held = store.Store(path) if path is not None else None
    if held is not None and held.source == "store":
        made = _executed(held, target, one_file, fresh, finish, missing)
    else:
        if held is not None:
            told = f"The market data at {path} are made up, so that nothing is executed on them."
        publish = _committed if _was_executed() else _invented
        made, missing = publish(target, told, one_file, finish), ["market data"]
    return _ended(made, missing)


def _store() -> Path | None:
    """Where the store is; None where there is none yet, be it in a folder that MARKET_DATA names."""
    home = store.home()
    return None if home.is_dir() and store.vacant(home) else store.locate()


def _fetched() -> tuple[str, list[str]]:
    """A sentence on the attempt to fetch a store where there is none, and what did not come."""
    try:
        fetch: Any = importlib.import_module("helpers.sources.fetch")
    except ModuleNotFoundError:
        return f"There is no market data here, so that nothing is executed; {market.HOW_TO_GET_DATA}.", []
    done = fetch.first_store(fetch.Progress(bar=sys.stderr.isatty()))
    return done.sentence or f"There is no market data here; {market.HOW_TO_GET_DATA}.", list(done.lacks)


def _invented(target: Path, why: str, one_file: bool, finish: Any) -> site.Published:
    """Execute on the synthetic market and publish: verdicts come of it only where the article is about it."""
    line = f"Executed on the synthetic market: every price is made up. {why}"
    site.say(line)
    with files.scratch("run") as folder:
        notebooks.run(
            notebooks.names(), lambda name: folder / f"{name}.ipynb", site.say, bar=sys.stderr.isatty()
        )
        return site.publish(folder, target, line, one_file, finish, partial=True)


def _committed(target: Path, why: str, one_file: bool, finish: Any) -> site.Published:
    """Publish the committed run, once every verdict of it has been derived again."""

    def line(verdicts: list[dict[str, Any]]) -> str:
        site.say(f"Published from the committed run{_until(verdicts)}.")
        return f"Published from the committed run{_until(verdicts)}. {why}"

    return site.publish(notebooks.folder(), target, line, one_file, finish)


def _until(verdicts: list[dict[str, Any]]) -> str:
    """`` on data to …``: the last session behind verdicts; empty if they rest on none."""
    last = max(filter(None, (entry["data"]["last_session"] for entry in verdicts)), default=None)
    return f" on data to {date(last)}" if last else ""


def _executed(
    held: store.Store, target: Path, one_file: bool, fresh: bool, finish: Any, missing: list[str]
) -> site.Published:
    """Execute on a store and publish; a notebook that cannot run on it is published as it was committed."""
    reference = market.is_reference(held)
    until = f"market data to {date(held.until)}"
    known = " (the reference store)" if reference else " (not the reference store)"
    said = [f"Executed on {until}{known}."]
    if gaps := held.gap_sentence():
        said.append(gaps)
        days = sorted({day for name in held.lives for day in held.gaps(name)})
        missing.append(f"{and_more([date(day) for day in days], 6)} in some series")
    if gone := held.lacks(*store.optional_files()):
        said.append(f"{gone} What rests on them is left out or not judged, and each notebook says so.")
        missing.append(gone.removeprefix("Not in this store: ").partition(". ")[0])
    before, notes, wanted = _before(), dict[str, str](), notebooks.names()
    old = market.staleness(held.last_session, pd.Timestamp.now())
    start = f"Executing {len(wanted)} notebooks on {until}{known} ..."
    site.say("\n".join([*filter(None, [old]), *said[1:], start]))
    with files.scratch("run") as folder:
        failures: dict[str, str] = {}
        notebooks.run(
            wanted,
            lambda name: folder / f"{name}.ipynb",
            site.say,
            bar=sys.stderr.isatty(),
            failures=None if reference else failures,
            fresh=fresh,
        )
        for name, why in failures.items():
            notes[name] = (
                f"This page is the committed run{_until(before or [])}; on {until} it could not run: {why}"
            )
            missing.append(f"a new run of {name}")
        if len(failures) == len(wanted):
            why = f"No notebook could be executed on {until}: {next(iter(failures.values()))}"
            return _committed(target, why, one_file, finish)
        return site.publish(folder, target, " ".join(said), one_file, finish, before, notes)


def _was_executed() -> bool:
    return any(notebooks.STAMP in book.metadata for book in notebooks.read_all().values())


def _before() -> list[dict[str, Any]] | None:
    """The committed verdicts; None if there are none, or, with a sentence, if they are at fault."""
    if not _was_executed():
        return None
    try:
        return notebooks.verdicts(notebooks.folder())
    except HelperError as error:
        site.say(f"The committed run cannot be compared: {error}")
        return None


def _ended(made: site.Published, missing: list[str]) -> Path:
    """Say in three lines how many verdicts there are, which changed and what was missing; the address."""
    open_ = notebooks.not_judged(made.verdicts)
    changed = [
        f"{change.claim.id} ({change.was.lower()}, now {change.now.lower()})" for change in made.changed or ()
    ]
    site.say(f"{len(made.verdicts)} verdicts, {len(open_)} claims not judged.")
    if made.changed is None:
        site.say("Nothing was compared with the committed run.")
    else:
        site.say(f"Changed against the committed run: {listing(changed) if changed else 'nothing'}.")
    site.say(f"Missing: {listing(missing) if missing else 'nothing'}.")
    return made.address


def find_browser() -> str | None:
    """Path of a Chromium, if this machine has one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _print(browser: str, source: Path, target: Path) -> None:
    rootless = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    flags = [*QUIET, *rootless, "--no-pdf-header-footer", "--generate-pdf-document-outline"]
    with tempfile.TemporaryDirectory(prefix="print-") as profile:
        flags += [f"--user-data-dir={profile}", f"--print-to-pdf={target}", source.as_uri()]
        done = subprocess.run([browser, *flags], capture_output=True, timeout=600, check=False)
    if done.returncode != 0 or not target.is_file():
        raise HelperError(f"{Path(browser).name} could not print the report (exit code {done.returncode}).")


def pdf(target: Path | None = None, fresh: bool = False) -> Path:
    """The report with its printed edition; path of the PDF."""
    target = target or registry.place().site
    browser = find_browser()
    if browser is None:
        raise HelperError(
            "Printing needs Chromium or Chrome, which is not on the PATH; install it, "
            "or open the report in a browser and print it there."
        )
    name = site.file_name(".pdf")
    report(
        target,
        one_file=True,
        fresh=fresh,
        finish=lambda folder: _print(browser, folder / site.file_name(".html"), folder / name),
    )
    return target / name
