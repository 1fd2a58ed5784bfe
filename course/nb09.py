"""Checks of the exercises of notebook 09: reading a scoreboard.

They count verdicts, which the executed notebooks hold, and so are the same on any market.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import pandas as pd

from course.checks import COUNT, Answer, Right, exercise, figure
from helpers import claims, market, notebooks
from helpers.claims import registry, rules

HOLDS = (rules.SUPPORTED, rules.CAVEAT)
FIRM = 0.8


def _board() -> pd.DataFrame:
    """One row a verdict: whether it holds, and what it is counted by."""
    folder = Path(os.environ.get(notebooks.EXECUTED) or notebooks.FOLDER)
    return _read(folder, tuple(path.stat().st_mtime_ns for path in sorted(folder.glob("*.ipynb"))))


@functools.lru_cache(maxsize=1)
def _read(folder: Path, saved: tuple[int, ...]) -> pd.DataFrame:
    """As :func:`_board`; read anew when a notebook was saved since."""
    entries = notebooks.verdicts(folder)
    board = pd.DataFrame(entries)[["verdict", "clarity"]]
    board["holds"] = board["verdict"].isin(HOLDS)
    for name, none in (("share", np.nan), ("of", 0)):
        board[name] = [(entry["robustness"] or {name: none})[name] for entry in entries]
    for name in ("section", "paragraph"):
        board[name] = [getattr(claims.claim(entry["id"]), name) for entry in entries]
    return board.astype({"share": float})


def _percent(flags: pd.Series) -> float:
    return flags.mean() * 100


@exercise("09-checkable", figure("a percentage", 1))
def checkable(mkt: market.Market) -> Answer:
    """Share of claims that hold among those that could be checked against public figures."""
    board = _board()
    verdict, holds = board["verdict"], board["holds"]
    unverified, closed = verdict == rules.UNVERIFIED, verdict == rules.NOT_CHECKABLE
    could_be = ~(unverified | closed)
    supported = _percent(verdict[could_be] == rules.SUPPORTED)
    return Right(
        _percent(holds[could_be]),
        "divide the claims that hold by the claims whose verdict is neither unverified nor not checkable.",
        {
            "that divides by all claims; take those that could not be checked out.": _percent(holds),
            "that leaves the unverified ones in; nobody could check them either.": _percent(holds[~closed]),
            "that leaves what is not checkable in; take both kinds out.": _percent(holds[~unverified]),
            "that counts the supported ones only; a claim with a caveat holds too.": supported,
        },
    )


@exercise("09-firm", {"firm": COUNT, "hold": COUNT})
def firm(mkt: market.Market) -> Answer:
    """Verdicts tried in enough ways that stay in at least four fifths of them, and how many of those hold."""
    board = _board()
    share, tried = board["share"], board["of"] >= registry.conventions()["few"]
    right, holds = tried & (share >= FIRM), board["holds"]
    supported = right & (board["verdict"] == rules.SUPPORTED)
    few, unknown = share >= FIRM, right | ~tried
    return {
        "firm": Right(
            right.sum(),
            "count the verdicts tried in five ways or more, of which at least four fifths give the same verdict.",
            {
                "that counts verdicts that were tried in too few ways; five is the least.": few.sum(),
                "that counts those tried in too few ways as firm; nothing is known of them.": unknown.sum(),
                "at least four fifths includes four fifths.": (tried & (share > FIRM)).sum(),
                "that asks for every way; four fifths will do.": (tried & (share >= 1)).sum(),
                "those are the ones that are not firm.": (tried & (share < FIRM)).sum(),
            },
        ),
        "hold": Right(
            (right & holds).sum(),
            "both must be true of a claim: its verdict is firm, and it holds.",
            {
                "that counts all claims that hold; keep the firm ones only.": holds.sum(),
                "that counts the supported ones only; a claim with a caveat holds too.": supported.sum(),
            },
        ),
    }


@exercise("09-clarity", dict.fromkeys(("difference", "error"), figure("percentage points", 1)))
def clarity(mkt: market.Market) -> Answer:
    """Share of clear sentences that hold, less that of vague ones, and the standard error of the difference."""
    board = _board()
    both = board[board["clarity"].isin(["clear", "vague"])]
    found = both.groupby("clarity")["holds"].agg(["mean", "sum", "size"])
    share, together = found["mean"], both["holds"].mean()
    spread = share * (1 - share)
    errors = np.sqrt(spread / found["size"]) * 100
    return {
        "difference": Right(
            (share["clear"] - share["vague"]) * 100,
            "take the share that holds among the clear sentences, and subtract that among the vague ones.",
            {
                "that is a difference of counts; divide each by the number of its sentences first.": found[
                    "sum"
                ]["clear"]
                - found["sum"]["vague"],
                "that is the share of the clear ones alone; subtract the other.": share["clear"] * 100,
            },
        ),
        "error": Right(
            np.sqrt((errors**2).sum()),
            "the variance of a share p of n is p(1 − p)/n; add the two variances, and take the root.",
            {
                "that is the error of the share of both together; a difference has two sources.": np.sqrt(
                    together * (1 - together) / len(both)
                )
                * 100,
                "standard errors of independent shares add in squares, not as they are.": errors.sum(),
                "that is the error of the clear ones’ share alone.": errors["clear"],
                "that is the error of the vague ones’ share alone.": errors["vague"],
                "each variance is divided by the number of its sentences.": np.sqrt(spread.sum()) * 100,
            },
        ),
    }


@exercise("09-paragraphs", figure("a percentage", 1))
def paragraphs(mkt: market.Market) -> Answer:
    """Share that holds if every paragraph of the article has one vote, shared by its claims."""
    board = _board()

    def votes(*by: str, of: str = "mean") -> float:
        return _percent(board.groupby(list(by))["holds"].agg(of))

    own = ("section", "paragraph")
    return Right(
        votes(*own),
        "first the share that holds within each paragraph, then the plain mean of those shares.",
        {
            "that gives every claim one vote; average within each paragraph first.": _percent(board["holds"]),
            "that gives every part of the article one vote; go down to its paragraphs.": votes("section"),
            "the numbers of the paragraphs begin anew in every part: two columns together name a paragraph.": votes(
                "paragraph"
            ),
            "that asks that all claims of a paragraph hold; they share its vote instead.": votes(
                *own, of="all"
            ),
            "that asks that any claim of a paragraph holds; they share its vote instead.": votes(
                *own, of="any"
            ),
        },
    )
