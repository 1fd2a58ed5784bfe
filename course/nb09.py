"""Checks of the exercises of notebook 09: reading a scoreboard.

They count verdicts, which the executed notebooks hold, and so are the same on any market.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import pandas as pd

from course.checks import Hint, exercise, numeric, of_part
from helpers import claims, market, notebooks
from helpers.claims import registry, rules

HOLDS = (rules.SUPPORTED, rules.CAVEAT)
FIRM = 0.8


def _board() -> pd.DataFrame:
    """One row a verdict: whether it holds, and what it is counted by."""
    folder = Path(os.environ.get(notebooks.EXECUTED) or notebooks.FOLDER)
    files = [folder / f"{name}.ipynb" for name in notebooks.names(folder)]
    return _read(tuple((path, path.stat().st_mtime_ns) for path in files))


@functools.lru_cache(maxsize=1)
def _read(files: tuple[tuple[Path, int], ...]) -> pd.DataFrame:
    """As :func:`_board`; read anew when a notebook was saved since."""
    every = claims.load()
    rows = [
        {
            "verdict": entry["verdict"],
            "holds": entry["verdict"] in HOLDS,
            "clarity": entry["clarity"],
            "share": (entry["robustness"] or {}).get("share"),
            "of": (entry["robustness"] or {"of": 0})["of"],
            "section": every[entry["id"]].section,
            "paragraph": every[entry["id"]].paragraph,
        }
        for entry in notebooks.verdicts(files[0][0].parent)
    ]
    return pd.DataFrame(rows).astype({"share": float})


@exercise("09-checkable", asks="a percentage, one decimal", expects=float)
def checkable(answer: float, mkt: market.Market) -> Hint | None:
    """Share of claims that hold among those that could be checked against public figures."""
    board = _board()
    closed = board["verdict"].isin([rules.UNVERIFIED, rules.NOT_CHECKABLE])

    def share(part: pd.DataFrame, wanted: tuple[str, ...] = HOLDS) -> float:
        return float(part["verdict"].isin(wanted).mean() * 100)

    return numeric(
        answer,
        share(board[~closed]),
        1,
        [
            (
                share(board),
                "that divides by all claims; take those that could not be checked out of both counts.",
            ),
            (
                share(board[board["verdict"] != rules.NOT_CHECKABLE]),
                "that leaves the unverified ones in; nobody could check them either.",
            ),
            (
                share(board[board["verdict"] != rules.UNVERIFIED]),
                "that leaves what is not checkable in; take both kinds out.",
            ),
            (
                share(board[~closed], (rules.SUPPORTED,)),
                "that counts the supported ones only; a claim with a caveat holds too.",
            ),
        ],
        "divide the claims that hold by the claims whose verdict is neither unverified nor not checkable.",
    )


@exercise(
    "09-firm",
    asks='a dictionary with two whole numbers, "firm" and "hold"',
    expects={"firm": int, "hold": int},
)
def firm(answer: dict[str, int], mkt: market.Market) -> Hint | None:
    """Verdicts tried in enough ways that stay in at least four fifths of them, and how many of those hold."""
    board = _board()
    tried = board["of"] >= registry.conventions()["few"]
    firm_ones = tried & (board["share"] >= FIRM)
    hint = numeric(
        answer["firm"],
        int(firm_ones.sum()),
        None,
        [
            (
                int((board["share"] >= FIRM).sum()),
                "that counts verdicts that were tried in too few ways; five is the least.",
            ),
            (
                int((firm_ones | ~tried).sum()),
                "that counts the verdicts that were tried in too few ways as firm; nothing is known of them.",
            ),
            (int((tried & (board["share"] > FIRM)).sum()), "at least four fifths includes four fifths."),
            (int((tried & (board["share"] >= 1)).sum()), "that asks for every way; four fifths will do."),
            (int((tried & (board["share"] < FIRM)).sum()), "those are the ones that are not firm."),
        ],
        "count the verdicts tried in five ways or more, of which at least four fifths give the same verdict.",
    )
    if hint is not None:
        return of_part("firm", hint)
    hint = numeric(
        answer["hold"],
        int((firm_ones & board["holds"]).sum()),
        None,
        [
            (int(board["holds"].sum()), "that counts all claims that hold; keep the firm ones only."),
            (
                int((firm_ones & (board["verdict"] == rules.SUPPORTED)).sum()),
                "that counts the supported ones only; a claim with a caveat holds too.",
            ),
        ],
        "both must be true of a claim: its verdict is firm, and it holds.",
    )
    return of_part("hold", hint)


@exercise(
    "09-clarity",
    asks='a dictionary with two figures in percentage points, one decimal ("difference" and "error")',
    expects={"difference": float, "error": float},
)
def clarity(answer: dict[str, float], mkt: market.Market) -> Hint | None:
    """Share of clear sentences that hold, less that of vague ones, and the standard error of the difference."""
    board = _board()
    clear, vague = (board.loc[board["clarity"] == kind, "holds"] for kind in ("clear", "vague"))
    everything = pd.concat([clear, vague]).mean()
    variances = [part.mean() * (1 - part.mean()) / len(part) for part in (clear, vague)]
    hint = numeric(
        answer["difference"],
        float(clear.mean() - vague.mean()) * 100,
        1,
        [
            (
                float(clear.sum() - vague.sum()),
                "that is a difference of counts; divide each by the number of its sentences first.",
            ),
            (float(clear.mean()) * 100, "that is the share of the clear ones alone; subtract the other."),
        ],
        "take the share that holds among the clear sentences, and subtract that among the vague ones.",
    )
    if hint is not None:
        return of_part("difference", hint)
    hint = numeric(
        answer["error"],
        float(np.sqrt(sum(variances))) * 100,
        1,
        [
            (
                float(np.sqrt(everything * (1 - everything) / (len(clear) + len(vague)))) * 100,
                "that is the error of the share of both kinds together; a difference has two sources of error.",
            ),
            (
                float(sum(np.sqrt(variances))) * 100,
                "standard errors of independent shares add in squares, not as they are.",
            ),
            (float(np.sqrt(variances[0])) * 100, "that is the error of the clear ones’ share alone."),
            (float(np.sqrt(variances[1])) * 100, "that is the error of the vague ones’ share alone."),
            (
                float(
                    np.sqrt(
                        sum(value * n for value, n in zip(variances, map(len, (clear, vague)), strict=True))
                    )
                )
                * 100,
                "each variance is divided by the number of its sentences.",
            ),
        ],
        "the variance of a share p of n is p(1 − p)/n; add the two variances, and take the root.",
    )
    return of_part("error", hint)


@exercise("09-paragraphs", asks="a percentage, one decimal", expects=float)
def paragraphs(answer: float, mkt: market.Market) -> Hint | None:
    """Share that holds if every paragraph of the article has one vote, shared by its claims."""
    board = _board()

    def votes(by: list[str]) -> float:
        return float(board.groupby(by)["holds"].mean().mean() * 100)

    groups = board.groupby(["section", "paragraph"])["holds"]
    return numeric(
        answer,
        votes(["section", "paragraph"]),
        1,
        [
            (
                float(board["holds"].mean() * 100),
                "that gives every claim one vote; average within each paragraph first.",
            ),
            (votes(["section"]), "that gives every part of the article one vote; go down to its paragraphs."),
            (
                votes(["paragraph"]),
                "the numbers of the paragraphs begin anew in every part: two columns together name a paragraph.",
            ),
            (
                float(groups.all().mean() * 100),
                "that asks that all claims of a paragraph hold; they share its vote instead.",
            ),
            (
                float(groups.any().mean() * 100),
                "that asks that any claim of a paragraph holds; they share its vote instead.",
            ),
        ],
        "first the share that holds within each paragraph, then the plain mean of those shares.",
    )
