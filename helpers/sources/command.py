"""``python -m helpers data``: what it says, and its exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from helpers import calendar, store
from helpers.files import HelperError
from helpers.sources import verify
from helpers.sources.fetch import Progress, Wish, chosen, fetch, last_day, target_folder
from helpers.sources.http import Client
from helpers.sources.vintage import Stage, staged_end
from helpers.words import and_more

#: A series did not pass; a year behind verdicts is another one than the fingerprints'.
INCOMPLETE, DIFFERENT = 1, 3
_WIDTH = 78


def run(wish: Wish, dry_run: bool = False, verify_only: bool = False) -> int:
    """The command; its exit code: 0, 1 if a series did not pass, 3 if a year behind verdicts is another one."""
    if verify_only:
        return _verify()
    target = target_folder()
    if dry_run:
        plan = planned(wish, target)
        _print(plan)
        staged = int((plan["staged"] != "").sum())
        print(
            f"{len(plan)} series would be fetched into {target}, {staged} of them are staged. Nothing was done."
        )
        return 0
    try:
        table = fetch(connect(), target, wish.only, wish.since, wish.as_of, Progress(bar=sys.stderr.isatty()))
    except KeyboardInterrupt:
        _warn(
            "Interrupted: the store is as it was; what was fetched is kept, and the next run goes on from there."
        )
        return 130
    _print(table)
    print(f"The store is at {target}.")
    return _closing(table, target)


def _closing(table: pd.DataFrame, target: Path) -> int:
    """What a reader of the table must know, and the exit code that says it to a machine."""
    held = store.Store(target)
    if told := held.gap_sentence():
        told += " The provider may give it later: run the command again."
        gaps = pd.to_datetime([day for name in held.lives for day in held.gaps(name)])
        if len(recent := gaps[gaps >= held.last_session - store.RECENT]):
            before = calendar.previous_session(recent.min())
            told += f" --as-of {before:%Y-%m-%d} makes a store that ends before."
        _warn(told)
    code = 0
    if failed := table.loc[table["state"].isin(["kept", "failed"]), "series"].tolist():
        _warn(
            f"error: {len(failed)} series did not pass and kept their old vintage if there was one; for these, "
            f"run `python -m helpers data --only {' '.join(failed)}` again later."
        )
        code = INCOMPLETE
    if differs := table.attrs["differs"]:
        _warn(
            f"error: in years that verdicts rest on, {len(differs)} series are not those of data/fingerprints.json "
            f"({and_more(differs, 6)}); their verdicts may change, see the table and `python -m helpers data --verify`."
        )
        code = DIFFERENT
    return code


def planned(wish: Wish, target: Path) -> pd.DataFrame:
    """What would be fetched, from where, and whether a stopped run has it already."""
    end = wish.as_of or staged_end(target) or last_day()
    continued = staged_end(target) == end
    rows = []
    for entry in chosen(wish.only):
        whole, macro = entry["group"] == "panel", entry["group"] == "macro"
        start = entry["first"] if macro or not wish.since else wish.since
        rows.append(
            {
                "series": entry["id"],
                "ticker": entry["ticker"],
                "from": store.series_file()["providers"][entry["provider"]]["host"],
                "first": "" if whole else start,
                "last": "" if whole else end,
                "staged": "yes" if continued and Stage(target, end).has(entry["id"]) else "",
            }
        )
    return pd.DataFrame(rows)


def connect() -> Client:
    """The client that talks to the real providers."""
    return Client()


def _verify() -> int:
    path = store.locate()
    if path is None:
        raise HelperError(f"There is no store to compare: {store.HOW_TO_GET_DATA}.")
    table = verify.verdicts(store.Store(path, prove=True))
    _print(table)
    print(verify.summary(table))
    differs = table[["differs", "absent", "cut"]].to_numpy().any()
    return int(differs or table["verdict"].str.contains("adjusted closes").any())


def _print(table: pd.DataFrame) -> None:
    """A table as text: words to the left, numbers to the right, long notes shortened."""
    shown = pd.concat([table.columns.to_frame().T, table.fillna("").astype(str)])
    for name in shown:
        text = shown[name].map(
            lambda words: words if len(words) <= _WIDTH else f"{words[: _WIDTH - 1].rstrip()}…"
        )
        side = "left" if pd.api.types.is_integer_dtype(table[name]) else "right"
        shown[name] = text.str.pad(text.str.len().max(), side=side)
    for row in shown.itertuples(index=False):
        print("  ".join(row).rstrip())


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
