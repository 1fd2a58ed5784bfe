"""Fetch every series of the catalogue, check it, and move the new vintage in."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import requests

from helpers import calendar, market, store
from helpers.files import HelperError, cache, recover
from helpers.sources import files, fred, validate, verify, yahoo
from helpers.sources.http import (
    CertificateError,
    Client,
    RateLimitError,
    SourceError,
    UnansweredError,
    within,
)
from helpers.sources.vintage import Stage, locked, staged_end, writable
from helpers.words import listing

#: After so many series in a row without an answer, a provider counts as down and is not asked for the rest; a
#: day that so many series did not get by a second question is not asked for again.
PATIENCE = 3
#: Hours after New York's midnight from which a session's closes are taken to be final.
FINAL_AFTER = pd.Timedelta(hours=18)
#: Days around a gap that the second, shorter question is about.
AROUND = pd.Timedelta(days=7)
CHANGES = "changes.csv"
#: A first store with less than this share of the prices would be worse than none.
ENOUGH = 0.5
PROBE = 4.0
#: Price columns that move together, and the one by which two vintages are compared.
_BASES = ((["open", "high", "low", "close"], "close"), (["adj_close"], "adj_close"))


@dataclass
class Row:
    """What became of one series: a line of the table at the end."""

    series: str
    rows: int = 0
    first: str = ""
    last: str = ""
    gaps: int = 0
    state: str = "new"
    verdict: str = ""
    detail: str = ""


@dataclass
class Wish:
    """What is asked for, its dates in ISO form; HelperError for one that cannot be meant.

    Parameters
    ----------
    only : ids to fetch (all by default); the others are kept
    since : fetch prices from this day on and join them to the old vintage
    as_of : last day; the last session with final closes by default
    """

    only: Sequence[str] = ()
    since: str | None = None
    as_of: str | None = None

    def __post_init__(self) -> None:
        self.since, self.as_of = _date("--since", self.since), _date("--as-of", self.as_of)
        last = last_day()
        if self.as_of and self.as_of > last:
            raise HelperError(
                f"--as-of {self.as_of} is not over yet; the last session with final closes is {last}."
            )
        if self.as_of and not calendar.is_session(self.as_of):
            before = calendar.session_on_or_before(self.as_of)
            raise HelperError(
                f"--as-of {self.as_of} is no New York session; the one before it is {before:%Y-%m-%d}."
            )
        if self.since and self.since > (last := self.as_of or last):
            raise HelperError(f"--since {self.since} lies after the last day, {last}; choose an earlier one.")


class Progress:
    """Progress on standard error: a bar on a terminal, else a line a series."""

    def __init__(self, bar: bool = False, quiet: bool = False) -> None:
        self.bar, self.quiet = bar, quiet
        self.meter: Any = None

    def start(self, total: int) -> None:
        """Say how many series there are."""
        from tqdm import tqdm

        self.count, self.total = 0, total
        self.meter = tqdm(total=total, unit="series", leave=False, file=sys.stderr, disable=not self.bar)

    def step(self, row: Row) -> None:
        """One series is done; on a terminal only what needs attention gets a line."""
        self.count += 1
        self.meter.set_postfix_str(row.series, refresh=False)
        self.meter.update()
        if not self.bar or row.state in {"kept", "failed"}:
            detail = f" ({row.detail})" if row.detail else ""
            self.say(f"[{self.count}/{self.total}] {row.series}: {row.state}{detail}")

    def close(self) -> None:
        """Take the bar away."""
        if self.meter is not None:
            self.meter.close()

    def say(self, text: str) -> None:
        """One line, above the bar if there is one."""
        from tqdm import tqdm

        if not self.quiet:
            tqdm.write(text, file=sys.stderr)


# ------------------------------------------------------------------------------------------- what is asked


def target_folder() -> Path:
    """Where the store is written: MARKET_DATA if it is set, else data/market; a link is followed, not replaced."""
    return store.home().resolve()


def chosen(only: Sequence[str]) -> list[dict[str, Any]]:
    """Entries of the catalogue that can be fetched, or those named; an unknown name is an error."""
    known = store.catalogue()
    if only:
        market.describe(only)  # raises for an unknown name, and says which are near
    if panels := [name for name in only if known[name].get("by_hand")]:
        raise HelperError(
            f"{', '.join(panels)}: no free provider serves this panel; data/README.md says how to add it."
        )
    return [entry for name, entry in known.items() if not entry.get("by_hand") and (not only or name in only)]


def last_day(now: pd.Timestamp | None = None) -> str:
    """The last session whose closes are final."""
    here = now if now is not None else pd.Timestamp.now("America/New_York")
    return f"{calendar.session_on_or_before((here - FINAL_AFTER).tz_localize(None)):%Y-%m-%d}"


def _date(flag: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return f"{pd.to_datetime(text, format='%Y-%m-%d'):%Y-%m-%d}"
    except ValueError:
        raise HelperError(f"{flag} {text} is no date; write it as 2024-01-31.") from None


# ----------------------------------------------------------------------------------------------- fetching


@dataclass
class _Run:
    """One run: where things are, which providers gave up, which days nobody has."""

    client: Client
    stage: Stage
    old: store.Store | None
    since: str | None
    end: str
    limited: dict[str, RateLimitError] = field(default_factory=dict)
    silent: Counter[str] = field(default_factory=Counter)
    hopeless: Counter[tuple[str, pd.Timestamp]] = field(default_factory=Counter)
    changes: list[pd.DataFrame] = field(default_factory=list)
    gaps: dict[str, list[str]] = field(default_factory=dict)

    def row(self, entry: dict[str, Any]) -> Row:
        """Fetch and check one entry; what fails is a row, not an exception."""
        name, provider = str(entry["id"]), str(entry["provider"])
        before = self.before(entry)
        row = Row(name, state="kept" if before is not None or self.has_files(entry) else "failed")
        if not self.stage.has(name) and (why := self.given_up(provider)):
            row.detail = f"not asked for: {provider} {why}"
            return row
        try:
            found = self.panel(entry) if entry["group"] == "panel" else self.series(entry, before)
            self.silent[provider] = 0
            return found
        except HelperError as error:
            row.detail = str(error).removeprefix(f"{name}: ").rstrip(".")
            if isinstance(error, RateLimitError):
                self.limited[provider] = error
            elif isinstance(error, UnansweredError):
                self.silent[provider] += 1
            elif entry.get("ended"):
                row.state, row.detail = "ended", f"it traded until {entry['last_known']}; {row.detail}"
        except OSError:
            raise  # a full disk is no provider's fault
        except Exception as error:
            # What no check foresaw in one provider's answer costs that series, not the run.
            row.detail = f"its answer cannot be used ({type(error).__name__}: {error})".rstrip(".")
        return row

    def given_up(self, provider: str) -> str:
        """Why a provider is not asked any more; empty while it is."""
        if provider in self.limited:
            return "refuses (429)"
        return f"did not answer {PATIENCE} times" if self.silent[provider] >= PATIENCE else ""

    def before(self, entry: dict[str, Any]) -> pd.DataFrame | None:
        """The old vintage of a series, if it is a sound one."""
        name = str(entry["id"])
        if self.old is None or not self.old.has(name):
            return None
        macro = entry["group"] == "macro"
        try:
            return self.old.macro_rows([name]) if macro else self.old.price_rows([name], store.PRICE_FIELDS)
        except store.StoreError:
            return None

    def has_files(self, entry: dict[str, Any]) -> bool:
        """True if the old vintage has the files of a panel."""
        return self.old is not None and any(verify.belongs(path, entry) for path in self.old.files)

    def panel(self, entry: dict[str, Any]) -> Row:
        """Whole files of one provider."""
        name = str(entry["id"])
        if not self.stage.has(name):
            fetch_files = files.FETCHERS[entry["provider"]]
            self.stage.put(name, fetch_files(self.client, entry, self.old))
        there = {*self.stage.files(name), *(self.old.files if self.old is not None else ())}
        dated = zip(entry.get("dates", []), store.panel_files(entry), strict=False)
        absent = [day for day, file in dated if file not in there]
        return Row(name, detail=f"the provider gave no list of {listing(absent)}" if absent else "")

    def series(self, entry: dict[str, Any], before: pd.DataFrame | None) -> Row:
        """One price or macro series, fetched or taken from the stopped run, and checked."""
        name = str(entry["id"])
        sound = validate.macro if entry["group"] == "macro" else validate.prices
        staged = self.stage.get(name)
        frame = self.fetched(entry, before) if staged is None else staged
        found = sound(frame, entry, self.end, before)
        if staged is None and found.gaps:
            frame = self.mended(entry, frame, found.gaps, before)
            found = sound(frame, entry, self.end, before)
        detail = "; ".join([*found.faults, *found.notes])
        row = Row(name, len(frame), gaps=len(found.gaps), detail=detail)
        if len(frame):
            row.first, row.last = (f"{day:%Y-%m-%d}" for day in frame["date"].agg(["min", "max"]))
        if found.faults:
            row.state = "kept" if before is not None else "failed"
        else:
            self.changes += [listed.assign(series=name) for listed in found.changes]
            self.gaps[name] = [f"{day:%Y-%m-%d}" for day in found.gaps]
            if staged is None:
                self.stage.put(name, frame)
        return row

    def fetched(self, entry: dict[str, Any], before: pd.DataFrame | None) -> pd.DataFrame:
        """The provider's answer; joined to the old vintage if only the days since some day were asked for."""
        if before is not None and self.since and entry["group"] != "macro":
            return join(before, self.asked(entry, self.since, self.end), entry["id"])
        frame = self.asked(entry, entry["first"], self.end)
        if before is not None and "rolling" in entry and len(frame):
            # What a provider no longer gives out, an older store may still hold.
            frame = pd.concat([before[before["date"] < frame["date"].min()], frame], ignore_index=True)
        return frame

    def asked(self, entry: dict[str, Any], start: str, end: str) -> pd.DataFrame:
        """The provider's answer for some days."""
        if entry["group"] == "macro":
            return fred.fetch(self.client, entry, start, end)
        return yahoo.fetch(self.client, entry, start, end, cache() / "yfinance")

    def mended(
        self,
        entry: dict[str, Any],
        frame: pd.DataFrame,
        gaps: list[pd.Timestamp],
        before: pd.DataFrame | None,
    ) -> pd.DataFrame:
        """The frame with what a shorter question, or else the old vintage, has of the days left out."""
        for day in gaps:
            key = (entry["provider"], day)
            if self.hopeless[key] >= PATIENCE or _has(frame, day):
                continue
            around = (day - AROUND, min(day + AROUND, pd.Timestamp(self.end)))
            with contextlib.suppress(SourceError):  # the day stays open, and is named
                frame = filled(frame, self.asked(entry, *(f"{edge:%Y-%m-%d}" for edge in around)), gaps)
            self.hopeless[key] = 0 if _has(frame, day) else self.hopeless[key] + 1
        return frame if before is None else filled(frame, before, gaps)


def fetch(
    client: Client,
    target: Path,
    only: Sequence[str] = (),
    since: str | None = None,
    as_of: str | None = None,
    report: Progress | None = None,
    enough: float = 0.0,
) -> pd.DataFrame:
    """Fetch, check and move in a new vintage.

    Parameters
    ----------
    client : sessions, patience and limits
    target : folder of the store; the old vintage there is used for comparison and for what fails
    only, since, as_of : what is asked for, see :class:`Wish`
    report : receives progress
    enough : least share of the price series without which nothing is moved in

    Returns
    -------
    One row a series: series, rows, first, last, gaps, state (new, kept, failed, ended), verdict against the
    fingerprints, detail. ``attrs["differs"]`` has the series whose years behind verdicts differ from them.

    Raises
    ------
    RateLimitError when a provider refuses for good: what was fetched is kept for the next run.
    HelperError when nothing could be fetched, or nothing written: the old store is as it was.
    """
    report = report or Progress(quiet=True)
    wish = Wish(only, since, as_of)
    entries = chosen(only)
    try:
        with locked(target):
            writable(target)
            return _fetch(client, target, entries, wish, report, enough)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full" if full else f"{error.strerror or error}"
        raise HelperError(
            f"Nothing could be written to {target}: {what}. The store there is as it was; "
            f"{'free some space' if full else 'mend that'} and run the command again."
        ) from None
    finally:
        report.close()


def _fetch(
    client: Client, target: Path, entries: list[dict[str, Any]], wish: Wish, report: Progress, enough: float
) -> pd.DataFrame:
    recover(target)
    old, damaged = _old(target, report)
    if wish.since is not None and old is None:
        raise HelperError("--since adds to a store, and there is none yet; leave it out the first time.")
    end = wish.as_of or staged_end(target) or last_day()
    stage = Stage(target, end)
    entries = _with_staged(stage, entries, report, end)
    run = _Run(client, stage, old, wish.since, end)
    report.start(len(entries))
    rows = []
    for entry in entries:
        rows.append(run.row(entry))
        report.step(rows[-1])
    if run.limited:
        raise next(iter(run.limited.values()))
    fresh = {row.series for row in rows if row.state == "new"}
    if not fresh:
        stage.drop()
        raise HelperError(
            f"Nothing could be fetched, the store is as it was. First reason: {rows[0].series}: {rows[0].detail}."
        )
    priced = [entry["id"] for entry in entries if entry["group"] not in {"macro", "panel"}]
    if (came := len(fresh.intersection(priced))) < enough * len(priced):
        raise HelperError(
            f"Only {came} of {len(priced)} price series came, too few for a store; what came is kept, and "
            "`python -m helpers data` goes on from there."
        )
    assembled = stage.assemble(old, sorted(fresh), run.gaps)
    found = verify.states(assembled)
    table = pd.DataFrame(rows)
    words = verify.verdicts(assembled, found).set_index("series")["verdict"]
    table["verdict"] = table["series"].map(words).fillna("absent")
    table.attrs["differs"] = verify.behind_verdicts(found, fresh)
    stage.move_in(spare=damaged)
    _list_changes(run.changes, report)
    return table


def _old(target: Path, report: Progress) -> tuple[store.Store | None, bool]:
    """The old vintage; a damaged one is no base for anything, but it must not stand in the way either."""
    if store.vacant(target):
        return None, False
    try:
        return store.Store(target), False
    except store.StoreError as error:
        if not any((target / name).exists() for name in (store.MANIFEST, store.PRICES, store.MACRO)):
            raise HelperError(
                f"{target} holds something that is no store; name another folder with MARKET_DATA."
            ) from None
        report.say(f"{error} It will be set aside beside it, as {target.name}.damaged.")
        return None, True


def _with_staged(
    stage: Stage, entries: list[dict[str, Any]], report: Progress, end: str
) -> list[dict[str, Any]]:
    """The entries asked for, and those that a stopped run has fetched already."""
    names = {entry["id"] for entry in entries}
    staged = {e["id"] for e in chosen(()) if stage.has(e["id"])}
    if staged:
        report.say(f"Going on from a stopped run: {len(staged)} series up to {end} are there already.")
    return [entry for entry in chosen(()) if entry["id"] in names | staged]


def _list_changes(changes: list[pd.DataFrame], report: Progress) -> None:
    """Every value that differs from the old vintage, in a file that git ignores; a courtesy, never a fault."""
    if not changes:
        return
    listed = pd.concat(changes)[["series", "field", "date", "old", "new"]]
    told = f"{len(listed):,} values differ from the old vintage"
    try:
        path = cache() / CHANGES
        listed.to_csv(path, index=False, date_format="%Y-%m-%d")
        report.say(f"{told}; they are listed in {path}.")
    except OSError as error:
        report.say(f"{told}; their list could not be written ({error.strerror}), the store is not concerned.")


# ------------------------------------------------------------------------------------ two vintages in one


def _has(frame: pd.DataFrame, day: pd.Timestamp) -> bool:
    column = next(c for c in ("value", "close", "adj_close") if c in frame and frame[c].notna().any())
    return bool(frame.loc[frame["date"] == day, column].notna().any())


def filled(frame: pd.DataFrame, source: pd.DataFrame, gaps: Sequence[pd.Timestamp]) -> pd.DataFrame:
    """The frame with the days of ``gaps`` that ``source`` has, on the basis of the days around them."""
    rows = source[source["date"].isin([day for day in gaps if not _has(frame, day)])].copy()
    if rows.empty:
        return frame
    near = source["date"].between(rows["date"].min() - AROUND, rows["date"].max() + AROUND)
    both = source[near].merge(frame, on="date", suffixes=("_old", ""))
    try:
        _rebase(rows, both, "the days around a gap")
    except HelperError:
        return frame
    return pd.concat([frame[~frame["date"].isin(rows["date"])], rows]).sort_values("date", ignore_index=True)


def join(before: pd.DataFrame, fresh: pd.DataFrame, name: str) -> pd.DataFrame:
    """Old rows up to the first fresh one, then the fresh ones; the old ones are put on the new basis.

    A dividend paid since rescales every earlier adjusted close by one factor, and a split every price. The
    factor is read off the days that both have; without such a day the two cannot be joined.
    """
    both = before.merge(fresh, on="date", suffixes=("_old", ""))
    if both.empty:
        raise HelperError(f"{name}: the new rows do not touch the old ones; use an earlier --since.")
    head = before[before["date"] < fresh["date"].min()].copy()
    _rebase(head, both, name)
    return pd.concat([head, fresh], ignore_index=True)


def _rebase(rows: pd.DataFrame, both: pd.DataFrame, name: str) -> None:
    """Put old rows on the basis of new ones, in place; ``both`` has the days that the two have."""
    for columns, basis in _BASES if "close" in rows else ():
        ratio = (both[basis] / both[f"{basis}_old"]).dropna()
        if ratio.empty:
            continue
        factor = ratio.median()
        # A change that came within the common days scales only some of them, and may hide in the old rows.
        if abs(ratio.iloc[0] / factor - 1) > 1e-3:
            raise HelperError(
                f"{name}: old and new {basis} do not differ by one factor; fetch it without --since."
            )
        if abs(factor - 1) > 1e-5:
            rows[columns] *= factor


# ------------------------------------------------------------------------------------------- a first store


@dataclass(frozen=True)
class Outcome:
    """What :func:`first_store` did: ``there`` (nothing to do), ``fetched``, ``refused``, ``offline`` or ``failed``.

    ``sentence`` says it to a reader; ``lacks`` names the series that did not come.
    """

    state: str
    sentence: str = ""
    lacks: tuple[str, ...] = ()


def first_store(progress: Progress, client: Client | None = None) -> Outcome:
    """Fetch a store where there is none, for somebody who wants the report and has just come.

    Nothing is asked for with ``DATA=no`` or ``MARKET_DATA=synthetic``. Without a network that is known within five
    seconds. A store is only made of at least half of the prices: less would be worse than none, and what came is
    kept for the next run. Raises nothing but KeyboardInterrupt.
    """
    target = target_folder()
    if os.environ.get("DATA") == "no" or os.environ.get("MARKET_DATA") == "synthetic":
        return Outcome("refused", "Nothing was fetched, as asked for.")
    if not store.vacant(target):
        return Outcome("there")
    client = client or Client()
    try:
        within(PROBE, "The providers", lambda: _reached(client))
    except HelperError as error:
        return Outcome("offline", f"No market data can be fetched here: {error}")
    progress.say(
        f"There is no market data here yet: {len(chosen(()))} series are fetched first, which takes some three to "
        "ten minutes, once. DATA=no refuses that, and Ctrl-C stops it: the next run goes on from there."
    )
    try:
        table = fetch(client, target, report=progress, enough=ENOUGH)
    except Exception as error:  # whatever it is, the committed run can be published
        return Outcome("failed", f"No store could be fetched: {error}")
    lacks = table.loc[table["state"].eq("failed"), "series"]
    came = f"{len(table) - len(lacks)} of {len(table)} series were fetched into {target}."
    return Outcome("fetched", came, tuple(lacks))


def _reached(client: Client) -> None:
    """Return if the provider of the prices answers, whatever it says."""
    try:
        client.session.head(yahoo.URL, timeout=PROBE - 1)
    except requests.RequestException as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise CertificateError("Yahoo") from None
        raise UnansweredError("the providers cannot be reached; is there a network?") from None
