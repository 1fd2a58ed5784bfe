"""``python -m helpers data``: fetch every series of the catalogue, check it, and move the new vintage in."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from helpers import calendar, market
from helpers.files import HelperError
from helpers.sources import files, fred, validate, verify, yahoo
from helpers.sources.http import Client, RateLimitError, UnansweredError
from helpers.sources.vintage import Stage, locked, staged_end
from helpers.words import listing

#: Panels that no free provider serves: kept if an old vintage has them. Notebooks say what is missing.
PANELS = {"LISTINGS", "FUNDAMENTALS", "RUT-5M"}
#: Companies that no longer trade, with their last session: Yahoo forgets them, which is no failure.
ENDED = {"DENN": "2026-01-16"}
#: After so many series in a row without an answer, a provider counts as down and is not asked for the rest.
PATIENCE = 3
#: Hours after New York's midnight from which a session's closes are taken to be final.
FINAL_AFTER = pd.Timedelta(hours=18)
CHANGES = "changes.csv"
_WIDTH = 78


@dataclass
class Row:
    """What became of one series: a line of the table at the end."""

    series: str
    state: str
    rows: int = 0
    first: str = ""
    last: str = ""
    gaps: int = 0
    detail: str = ""


@dataclass
class Wish:
    """What the command line asked for."""

    only: Sequence[str] = ()
    since: str | None = None
    as_of: str | None = None


class Report:
    """Progress on standard error: a bar on a terminal, else a line a series."""

    def __init__(self, bar: bool = False, quiet: bool = False) -> None:
        self.bar, self.quiet = bar, quiet
        self.meter: Any = None
        self.count = self.total = 0

    def start(self, total: int) -> None:
        """Say how many series there are."""
        self.total = total
        if self.bar:
            from tqdm import tqdm

            self.meter = tqdm(total=total, unit="series", leave=False, file=sys.stderr)

    def step(self, row: Row) -> None:
        """One series is done; on a terminal only what needs attention gets a line."""
        self.count += 1
        text = f"[{self.count}/{self.total}] {row.series}: {row.state}"
        text += f" ({row.detail})" if row.detail else ""
        if self.meter is None:
            self.say(text)
            return
        self.meter.set_postfix_str(row.series, refresh=False)
        self.meter.update()
        if row.state in {"kept", "failed"}:
            self.say(text)

    def say(self, text: str) -> None:
        """One line."""
        if self.meter is not None:
            self.meter.write(text, file=sys.stderr)
        elif not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self.meter is not None:
            self.meter.close()
            self.meter = None


# ------------------------------------------------------------------------------------------- what is asked


def target_folder() -> Path:
    """Where the store is written: MARKET_DATA if it is set, else data/market."""
    named = os.environ.get("MARKET_DATA")
    if not named or named == "synthetic":
        return market.DATA / "market"
    path = Path(named).expanduser()
    # A link is followed: the folder it points to is what is replaced, not the link.
    return (path if path.is_absolute() else market.ROOT / path).resolve()


def chosen(only: Sequence[str]) -> list[dict[str, Any]]:
    """Entries of the catalogue that can be fetched, or those named; an unknown name is an error."""
    if only:
        market.describe(only)  # raises for an unknown name, and says which are near
    if panels := [name for name in only if name in PANELS]:
        raise HelperError(
            f"{', '.join(panels)}: no free provider serves this panel; data/README.md says how to add it."
        )
    known = market.catalogue()
    return [entry for name, entry in known.items() if name not in PANELS and (not only or name in only)]


def last_day(now: pd.Timestamp | None = None) -> str:
    """The last session whose closes are final."""
    here = now if now is not None else pd.Timestamp.now("America/New_York")
    return f"{calendar.session_on_or_before((here - FINAL_AFTER).tz_localize(None)):%Y-%m-%d}"


def check(wish: Wish) -> Wish:
    """The wish with its dates in ISO form; HelperError for one that cannot be meant."""
    since, as_of = _date("--since", wish.since), _date("--as-of", wish.as_of)
    if as_of is not None and as_of > last_day():
        raise HelperError(
            f"--as-of {as_of} is not over yet; the last session with final closes is {last_day()}."
        )
    if as_of is not None and not calendar.is_session(as_of):
        before = calendar.session_on_or_before(as_of)
        raise HelperError(f"--as-of {as_of} is no New York session; the one before it is {before:%Y-%m-%d}.")
    if since is not None and since > (as_of or last_day()):
        raise HelperError(
            f"--since {since} lies after the last day, {as_of or last_day()}; choose an earlier one."
        )
    return Wish(wish.only, since, as_of)


def _date(flag: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return f"{pd.to_datetime(text, format='%Y-%m-%d'):%Y-%m-%d}"
    except ValueError:
        raise HelperError(f"{flag} {text} is no date; write it as 2025-12-11.") from None


# ----------------------------------------------------------------------------------------------- fetching


@dataclass
class _Run:
    """One run: where things are, and which providers gave up."""

    client: Client
    stage: Stage
    old: market.Store | None
    since: str | None
    end: str
    report: Report
    limited: dict[str, RateLimitError] = field(default_factory=dict)
    silent: dict[str, int] = field(default_factory=dict)
    changes: list[pd.DataFrame] = field(default_factory=list)

    def row(self, entry: dict[str, Any]) -> Row:
        """Fetch and check one entry; what fails is a row, not an exception."""
        name, provider = str(entry["id"]), str(entry["provider"])
        before = self.before(entry)
        missing = "kept" if before is not None or self.has_files(entry) else "failed"
        staged = self.stage.has(kind(entry), name)
        if provider in self.limited and not staged:
            return Row(name, missing, detail=f"not asked for: {provider} refuses (429)")
        if self.silent.get(provider, 0) >= PATIENCE and not staged:
            return Row(name, missing, detail=f"not asked for: {provider} did not answer {PATIENCE} times")
        try:
            row = self.panel(entry) if entry["group"] == "panel" else self.series(entry, before)
        except HelperError as error:
            if isinstance(error, RateLimitError):
                self.limited[provider] = error
            self.silent[provider] = self.silent.get(provider, 0) + isinstance(error, UnansweredError)
            row = Row(name, missing, detail=str(error).removeprefix(f"{name}: ").rstrip("."))
            if name in ENDED and not isinstance(error, RateLimitError | UnansweredError):
                return Row(name, "ended", detail=f"it traded until {ENDED[name]}; {row.detail}")
            return row
        self.silent[provider] = 0
        return row

    def before(self, entry: dict[str, Any]) -> pd.DataFrame | None:
        """The old vintage of a series."""
        name = str(entry["id"])
        if self.old is None or not self.old.has(name):
            return None
        macro = entry["group"] == "macro"
        rows = self.old.macro_rows([name]) if macro else self.old.price_rows([name], market.PRICE_FIELDS)
        return rows if len(rows) else None

    def has_files(self, entry: dict[str, Any]) -> bool:
        """True if the old vintage has the files of a panel."""
        if self.old is None or entry["group"] != "panel":
            return False
        return any(path.startswith(verify.prefix(entry)) for path in self.old.files)

    def panel(self, entry: dict[str, Any]) -> Row:
        """Whole files of one provider."""
        name = str(entry["id"])
        if not self.stage.has("files", name):
            fetch_files = files.FETCHERS[entry["provider"]]
            self.stage.put_files(name, fetch_files(self.client, entry, self.old))
        there = {*self.stage.files(name), *(self.old.files if self.old is not None else ())}
        absent = [day for day in entry.get("dates", []) if market.holdings_file(day) not in there]
        return Row(name, "new", detail=f"the provider gave no list of {listing(absent)}" if absent else "")

    def series(self, entry: dict[str, Any], before: pd.DataFrame | None) -> Row:
        """One price or macro series, fetched or taken from the stopped run, and checked."""
        name = str(entry["id"])
        frame = self.stage.get(kind(entry), name)
        fresh = frame is None
        if frame is None:
            frame = self.fetched(entry, before)
        validator = validate.macro if entry["group"] == "macro" else validate.prices
        found = validator(frame, entry, self.end, before)
        dates = pd.DatetimeIndex(frame["date"])
        row = Row(name, "new", len(frame), gaps=found.gaps, detail="; ".join([*found.faults, *found.notes]))
        if len(dates):
            row.first, row.last = f"{dates.min():%Y-%m-%d}", f"{dates.max():%Y-%m-%d}"
        if found.faults:
            row.state = "kept" if before is not None else "failed"
        else:
            self.changes += [listed.assign(series=name) for listed in found.changes]
            if fresh:
                self.stage.put(kind(entry), name, frame)
        return row

    def fetched(self, entry: dict[str, Any], before: pd.DataFrame | None) -> pd.DataFrame:
        """The provider's answer; joined to the old vintage if only the days since some day were asked for."""
        if entry["group"] == "macro":
            frame = fred.fetch(self.client, entry, entry["first"], self.end)
            # What a provider no longer gives out, an older store may still hold.
            kept = (
                before[before["date"] < frame["date"].min()]
                if "rolling" in entry and before is not None
                else None
            )
            return frame if kept is None else pd.concat([kept, frame], ignore_index=True)
        start = self.since if self.since and before is not None else entry["first"]
        frame = yahoo.fetch(self.client, entry, start, self.end, market.CACHE / "yfinance")
        return join(before, frame, entry["id"]) if self.since and before is not None else frame


def kind(entry: dict[str, Any]) -> str:
    """Under which kind an entry is staged."""
    return {"macro": "macro", "panel": "files"}.get(entry["group"], "prices")


def fetch(
    client: Client,
    target: Path,
    only: Sequence[str] = (),
    since: str | None = None,
    as_of: str | None = None,
    report: Report | None = None,
) -> pd.DataFrame:
    """Fetch, check and move in a new vintage.

    Parameters
    ----------
    client : sessions and patience
    target : folder of the store; the old vintage there is used for comparison and for what fails
    only : ids to fetch (all by default); the others are kept
    since : fetch prices from this day on and join them to the old vintage
    as_of : last day; the last session with final closes by default
    report : receives progress

    Returns
    -------
    One row a series: series, rows, first, last, gaps, state (new, kept, failed, ended), verdict against the
    fingerprints, detail.

    Raises
    ------
    RateLimitError when a provider refuses for good: what was fetched is kept for the next run.
    HelperError when nothing could be fetched, or nothing written: the old store is as it was.
    """
    report = report or Report(quiet=True)
    wish = check(Wish(only, since, as_of))
    entries = chosen(wish.only)
    try:
        with locked(target):
            return _fetch(client, target, entries, wish, report)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full" if full else f"{error.strerror or error}"
        raise HelperError(
            f"Nothing could be written beside {target}: {what}. The store there is as it was; "
            f"{'free some space' if full else 'mend that'} and run the command again."
        ) from None
    finally:
        report.close()


def _fetch(
    client: Client, target: Path, entries: list[dict[str, Any]], wish: Wish, report: Report
) -> pd.DataFrame:
    market.recover(target)
    old, damaged = _old(target, report)
    if wish.since is not None and old is None:
        raise HelperError("--since adds to a store, and there is none yet; leave it out the first time.")
    end = wish.as_of or staged_end(target) or last_day()
    stage = Stage(target, end)
    entries = _with_staged(stage, entries, report, end)
    run = _Run(client, stage, old, wish.since, end, report)
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
    named = {part: [e["id"] for e in entries if kind(e) == part and e["id"] in fresh] for part in _KINDS}
    store = stage.assemble(old, *(named[part] for part in _KINDS))
    table = _table(rows, verify.verdicts(store))
    stage.move_in(spare=damaged)
    _list_changes(run.changes, report)
    return table


_KINDS = ("prices", "macro", "files")


def _old(target: Path, report: Report) -> tuple[market.Store | None, bool]:
    """The old vintage; a damaged one is no base for anything, but it must not stand in the way either."""
    if not target.is_dir() or not any(target.iterdir()):
        return None, False
    try:
        return market.Store(target), False
    except market.StoreError as error:
        report.say(f"{error} It will be set aside as {target.name}.damaged.")
        return None, True


def _with_staged(
    stage: Stage, entries: list[dict[str, Any]], report: Report, end: str
) -> list[dict[str, Any]]:
    """The entries asked for, and those that a stopped run has fetched already."""
    names = {entry["id"] for entry in entries}
    staged = {e["id"] for e in chosen(()) if stage.has(kind(e), e["id"])}
    if staged:
        report.say(f"Going on from a stopped run: {len(staged)} series up to {end} are there already.")
    return [entry for entry in chosen(()) if entry["id"] in names | staged]


def _table(rows: list[Row], verdicts: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame([vars(row) for row in rows])
    words = verdicts.set_index("series")["verdict"]
    table["verdict"] = table["series"].map(words).fillna("absent")
    return table[["series", "rows", "first", "last", "gaps", "state", "verdict", "detail"]]


def _list_changes(changes: list[pd.DataFrame], report: Report) -> None:
    """Every value that differs from the old vintage, in a file that git ignores."""
    if not changes:
        return
    path = market.CACHE / CHANGES
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = pd.concat(changes)[["series", "field", "date", "old", "new"]]
    listed.to_csv(path, index=False, date_format="%Y-%m-%d")
    report.say(f"{len(listed):,} values differ from the old vintage; they are listed in {path}.")


def join(before: pd.DataFrame, fresh: pd.DataFrame, name: str) -> pd.DataFrame:
    """Old rows up to the first fresh one, then the fresh ones; the old ones are put on the new basis.

    A dividend paid since rescales every earlier adjusted close by one factor, and a split every price. The
    factor is read off the days that both have; without such a day the two cannot be joined.
    """
    both = before.merge(fresh, on="date", suffixes=("_old", ""))
    if both.empty:
        raise HelperError(f"{name}: the new rows do not touch the old ones; use an earlier --since.")
    head = before[before["date"] < fresh["date"].min()].copy()
    for columns, basis in ((["open", "high", "low", "close"], "close"), (["adj_close"], "adj_close")):
        ratio = (both[basis] / both[f"{basis}_old"]).dropna()
        if ratio.empty:
            continue
        factor = ratio.median()
        # A change that came within the common days scales only some of them, and may hide in the head.
        if abs(ratio.iloc[0] / factor - 1) > 1e-3:
            raise HelperError(
                f"{name}: old and new {basis} do not differ by one factor; fetch it without --since."
            )
        if abs(factor - 1) > 1e-5:
            head[columns] *= factor
    return pd.concat([head, fresh], ignore_index=True)


# ------------------------------------------------------------------------------------------------ speaking


def planned(wish: Wish, target: Path) -> pd.DataFrame:
    """What would be fetched, from where, and whether a stopped run has it already."""
    wish = check(wish)
    end = wish.as_of or staged_end(target) or last_day()
    continued = staged_end(target) == end
    hosts = {"yahoo": yahoo.URL, "fred": fred.URL}
    rows = []
    for entry in chosen(wish.only):
        panel = entry["group"] == "panel"
        url = files.address(entry) if panel else hosts[entry["provider"]]
        start = wish.since if wish.since and kind(entry) == "prices" else entry["first"]
        staged = continued and Stage(target, end).has(kind(entry), entry["id"])
        rows.append(
            {
                "series": entry["id"],
                "ticker": entry["ticker"],
                "from": urlsplit(url).netloc,
                "first": "" if panel else start,
                "last": "" if panel else end,
                "staged": "yes" if staged else "",
            }
        )
    return pd.DataFrame(rows)


def run(wish: Wish, dry_run: bool = False, verify_only: bool = False) -> int:
    """The command; its exit code."""
    if verify_only:
        return _verify()
    target = target_folder()
    if dry_run:
        plan = planned(wish, target)
        _print(lines(plan))
        staged = int((plan["staged"] != "").sum())
        print(
            f"{len(plan)} series would be fetched into {target}, {staged} of them are staged. Nothing was done."
        )
        return 0
    try:
        table = fetch(connect(), target, wish.only, wish.since, wish.as_of, Report(bar=sys.stderr.isatty()))
    except KeyboardInterrupt:
        print(
            "Interrupted: the store is as it was; what was fetched is kept, and the next run goes on from there.",
            file=sys.stderr,
        )
        return 130
    _print(lines(table))
    failed = table.loc[table["state"].isin(["kept", "failed"]), "series"].tolist()
    print(f"The store is at {target}.")
    if failed:
        print(
            f"error: {len(failed)} series did not pass and kept their old vintage if there was one; for these, "
            f"run `python -m helpers data --only {' '.join(failed)}` again later.",
            file=sys.stderr,
        )
    return 1 if failed else 0


def connect() -> Client:
    """The client that talks to the real providers."""
    return Client()


def _verify() -> int:
    path = market.locate()
    if path is None:
        raise HelperError(f"There is no store to compare: {market.HOW_TO_GET_DATA}.")
    table = verify.verdicts(market.Store(path))
    _print(lines(table))
    print(verify.summary(table))
    same = not table[["differs", "absent", "cut"]].to_numpy().any() and not (
        table["verdict"].str.contains("adjusted closes").any()
    )
    return 0 if same else 1


def lines(table: pd.DataFrame) -> Iterator[str]:
    """A table as text: words to the left, numbers to the right, long notes shortened."""
    shown = table.fillna("").astype(str)
    for column in ("verdict", "detail"):
        if column in shown:
            shown[column] = [_short(text) for text in shown[column]]
    widths = {name: max(len(name), *map(len, shown[name])) for name in shown}
    right = {name for name in shown if pd.api.types.is_integer_dtype(table[name])}

    def row(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(widths[name]) if name in right else cell.ljust(widths[name])
            for name, cell in zip(shown, cells, strict=True)
        ]
        return "  ".join(padded).rstrip()

    yield row(list(shown))
    yield from (row(cells) for cells in shown.itertuples(index=False))


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1].rstrip() + "…"


def _print(text: Iterator[str]) -> None:
    for line in text:
        print(line)
