"""``python -m helpers data``: what it says, and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from helpers import calendar, store
from helpers.files import HelperError
from helpers.sources import verify
from helpers.sources.fetch import Progress, Wish, check, chosen, fetch, last_day, target_folder
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
        _print(lines(plan))
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
    _print(lines(table))
    print(f"The store is at {target}.")
    return _closing(table, target)


def _closing(table: pd.DataFrame, target: Path) -> int:
    """What a reader of the table must know, and the exit code that says it to a machine."""
    held = store.Store(target)
    if told := held.gap_sentence():
        told += " The provider may give it later: run the command again."
        recent = [
            day
            for name in held.lives
            for day in held.gaps(name)
            if pd.Timestamp(day) >= held.last_session - store.RECENT
        ]
        if recent:
            before = calendar.previous_session(min(recent))
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
    wish = check(wish)
    end = wish.as_of or staged_end(target) or last_day()
    continued = staged_end(target) == end
    rows = []
    for entry in chosen(wish.only):
        panel = entry["group"] == "panel"
        start = wish.since if wish.since and not panel and entry["group"] != "macro" else entry["first"]
        staged = continued and Stage(target, end).has(entry["id"])
        rows.append(
            {
                "series": entry["id"],
                "ticker": entry["ticker"],
                "from": store.series_file()["providers"][entry["provider"]]["host"],
                "first": "" if panel else start,
                "last": "" if panel else end,
                "staged": "yes" if staged else "",
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
    _print(lines(table))
    print(verify.summary(table))
    same = not table[["differs", "absent", "cut"]].to_numpy().any() and not (
        table["verdict"].str.contains("adjusted closes").any()
    )
    return 0 if same else 1


def lines(table: pd.DataFrame) -> Iterator[str]:
    """A table as text: words to the left, numbers to the right, long notes shortened."""
    shown = pd.DataFrame([table.columns, *table.fillna("").astype(str).to_numpy()], columns=table.columns)
    for name in shown:
        text = shown[name].where(
            shown[name].str.len() <= _WIDTH, shown[name].str[: _WIDTH - 1].str.rstrip() + "…"
        )
        side = "left" if pd.api.types.is_integer_dtype(table[name]) else "right"
        shown[name] = text.str.pad(text.str.len().max(), side=side)
    yield from ("  ".join(row).rstrip() for row in shown.itertuples(index=False))


def _print(text: Iterator[str]) -> None:
    for line in text:
        print(line)


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
