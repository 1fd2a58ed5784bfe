"""``python -m helpers data``: fetch every series of the catalogue, check it, and move the new vintage in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import calendar, fingerprints, market
from helpers.errors import HelperError
from helpers.sources import files, fred, validate, yahoo
from helpers.sources.http import Client, RateLimitError
from helpers.sources.vintage import Stage

#: Panels that no free provider serves: kept if an old vintage has them. Notebooks say what is missing.
PANELS = {"nasdaq-screener", "interactive-brokers"}


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


class IncompleteError(HelperError):
    """Some series failed: their old vintage was kept, the others are new."""


def target_folder() -> Path:
    """Where the store is written: MARKET_DATA if it is set, else data/market."""
    import os

    named = os.environ.get("MARKET_DATA")
    if not named or named == "synthetic":
        return market.DATA / "market"
    path = Path(named).expanduser()
    return path if path.is_absolute() else market.ROOT / path


def chosen(only: Sequence[str]) -> list[dict[str, Any]]:
    """Entries of the catalogue that can be fetched, or those named; an unknown name is an error."""
    known = market.catalogue()
    for name in only:
        market.describe([name])
    entries = [entry for name, entry in known.items() if not only or name in only]
    return [entry for entry in entries if entry["provider"] not in PANELS and entry["id"] != "FUNDAMENTALS"]


def last_day(today: pd.Timestamp | None = None) -> str:
    """The last session that is over in New York."""
    now = today if today is not None else pd.Timestamp.now("America/New_York")
    return f"{calendar.previous_session(now.tz_localize(None).normalize()):%Y-%m-%d}"


def fetch(
    client: Client,
    target: Path,
    only: Sequence[str] = (),
    since: str | None = None,
    as_of: str | None = None,
    tell: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> pd.DataFrame:
    """Fetch, check and move in a new vintage.

    Parameters
    ----------
    client : sessions and patience
    target : folder of the store; the old vintage there is used for comparison and for what fails
    only : ids to fetch (all by default); the others are kept
    since : fetch prices from this day on and join them to the old vintage
    as_of : last day; the last finished session by default
    tell : receives progress lines

    Returns
    -------
    One row a series: series, state (new, kept, failed), rows, first, last, gaps, detail.

    Raises
    ------
    RateLimitError when a provider refuses for good: what was fetched is kept for the next run.
    IncompleteError after moving in, when some series failed; HelperError when all did (nothing is moved).
    """
    market.recover(target)
    old = market.Store(target) if (target / "manifest.json").is_file() else None
    if since is not None and old is None:
        raise HelperError("--since adds to a store, and there is none yet; leave it out the first time.")
    end = as_of or last_day()
    entries = chosen(only)
    stage = Stage(target, {"end": end, "since": since})
    rows = []
    for number, entry in enumerate(entries, 1):
        row = _one(client, stage, entry, old, since, end)
        rows.append(row)
        tell(
            f"[{number}/{len(entries)}] {row.series}: {row.state}"
            + (f" ({row.detail})" if row.detail else "")
        )
    table = pd.DataFrame([vars(row) for row in rows])
    fresh = table.loc[table["state"] == "new", "series"].tolist()
    if not fresh:
        stage.drop()
        raise HelperError(
            f"Nothing could be fetched, the store is as it was. First reason: {rows[0].detail}."
        )
    groups = {entry["id"]: entry["group"] for entry in entries}
    prices = [name for name in fresh if groups[name] in {"index", "etf", "stock"}]
    macro = [name for name in fresh if groups[name] == "macro"]
    stage.assemble(old, prices, macro, _last_session(stage, prices, old, end))
    stage.move_in()
    failed = table[table["state"] != "new"]
    if len(failed):
        table.attrs["failed"] = failed["series"].tolist()
    return table


def _last_session(stage: Stage, prices: list[str], old: market.Store | None, end: str) -> str:
    lasts = [stage.get("prices", name)["date"].max() for name in prices]
    if not lasts:
        return str(old.manifest["last_session"]) if old else end
    return f"{max(pd.Timestamp(last) for last in lasts):%Y-%m-%d}"


def _one(
    client: Client, stage: Stage, entry: dict[str, Any], old: market.Store | None, since: str | None, end: str
) -> Row:
    name = str(entry["id"])
    try:
        if entry["group"] == "panel":
            return _panel(client, stage, entry)
        return _series(client, stage, entry, old, since, end)
    except RateLimitError:
        raise
    except HelperError as error:
        state = "kept" if old is not None and old.has(name) else "failed"
        return Row(name, state, detail=str(error).removeprefix(f"{name}: ").rstrip("."))


def _panel(client: Client, stage: Stage, entry: dict[str, Any]) -> Row:
    name = str(entry["id"])
    if not stage.done(name):
        if entry["provider"] == "french":
            files.fetch_french(client, entry, stage.files())
        elif entry["provider"] == "shiller":
            files.fetch_shiller(client, entry, stage.files())
        else:
            files.fetch_holdings(client, entry, stage.files())
        stage.finish(name)
    return Row(name, "new")


def _series(
    client: Client, stage: Stage, entry: dict[str, Any], old: market.Store | None, since: str | None, end: str
) -> Row:
    name, is_macro = str(entry["id"]), entry["group"] == "macro"
    kind = "macro" if is_macro else "prices"
    before = _before(old, name, is_macro)
    if stage.has(kind, name):
        frame = stage.get(kind, name)
        found = (
            validate.macro(frame, entry, before) if is_macro else validate.prices(frame, entry, end, before)
        )
    elif is_macro:
        frame = fred.fetch(client, entry, entry["first"], end)
        found = validate.macro(frame, entry, before)
    else:
        start = since if since and before is not None else min(entry["first"], yahoo.FIRST)
        frame = yahoo.fetch(client, entry, start, end, market.CACHE / "yfinance")
        if since and before is not None:
            frame = join(before, frame, name)
        found = validate.prices(frame, entry, end, before)
    dates = pd.DatetimeIndex(frame["date"])
    row = Row(name, "new", len(frame), f"{dates.min():%Y-%m-%d}", f"{dates.max():%Y-%m-%d}", found.gaps)
    if found.faults:
        row.state = "kept" if before is not None else "failed"
    else:
        stage.put(kind, name, frame)
    row.detail = "; ".join([*found.faults, *found.notes])
    return row


def _before(old: market.Store | None, name: str, is_macro: bool) -> pd.DataFrame | None:
    if old is None or not old.has(name):
        return None
    rows = old.macro_rows([name]) if is_macro else old.price_rows([name], market.PRICE_FIELDS)
    return rows if len(rows) else None


def join(before: pd.DataFrame, fresh: pd.DataFrame, name: str) -> pd.DataFrame:
    """Old rows up to the first fresh one, then the fresh ones; old adjusted closes are put on the new basis.

    A dividend paid since rescales every earlier adjusted close by one factor, and a split every price. The
    factor is read off the first day that both have; without such a day the two cannot be joined.
    """
    common = pd.Index(before["date"]).intersection(pd.Index(fresh["date"]))
    if common.empty:
        raise HelperError(f"{name}: the new rows do not touch the old ones; use an earlier --since.")
    day = common[0]
    was, now = before.set_index("date").loc[day], fresh.set_index("date").loc[day]
    head = before[before["date"] < fresh["date"].min()].copy()
    split = now["close"] / was["close"] if pd.notna(now["close"]) and pd.notna(was["close"]) else 1.0
    if abs(split - 1) > 1e-4:
        head[["open", "high", "low", "close"]] *= split
    if pd.notna(now["adj_close"]) and pd.notna(was["adj_close"]):
        head["adj_close"] *= now["adj_close"] / was["adj_close"]
    return pd.concat([head, fresh], ignore_index=True)


def verify(store: market.Store) -> pd.DataFrame:
    """A store against the fingerprints: one row a series with the number of years in each state."""
    compared = fingerprints.compare(store)
    counts = pd.crosstab([compared["series"], compared["field"]], compared["state"])
    return counts.reindex(columns=["identical", "differs", "absent", "new"], fill_value=0).reset_index()


def lines(table: pd.DataFrame) -> Iterator[str]:
    """The table at the end, as text."""
    yield from table.fillna("").to_string(index=False).splitlines()
