"""Plausible wrong answers to the exercises of notebook 09, each with a piece of the hint it must get.

The exercises count verdicts, so the market is not asked.
"""

import numpy as np

from course import nb09
from helpers.claims import registry, rules


def _checkable(left_out):
    board = nb09._board()
    return board.loc[~board["verdict"].isin(left_out), "holds"].mean() * 100


def _firm(**changed):
    board = nb09._board()
    sure = (board["share"] >= nb09.FIRM) & (board["of"] >= registry.conventions()["few"])
    return {"firm": sure.sum(), "hold": (sure & board["holds"]).sum(), **changed}


def _clarity(error, sign=1):
    found = nb09._board().groupby("clarity")["holds"].agg(["mean", "size"]).loc[["clear", "vague"]]
    share, n = found["mean"], found["size"]
    one_by_one = np.sqrt(share * (1 - share) / n) * 100
    errors = {"added": one_by_one.sum(), "one": one_by_one["clear"]}
    return {"difference": sign * (share["clear"] - share["vague"]) * 100, "error": errors[error]}


def _votes(by):
    return nb09._board().groupby(by)["holds"].mean().mean() * 100


WRONG = {
    "09-checkable": [
        (lambda mkt: _checkable([]), "divides by all claims"),
        (lambda mkt: _checkable([rules.NOT_CHECKABLE]), "unverified ones in"),
        (lambda mkt: _checkable([rules.UNVERIFIED, rules.NOT_CHECKABLE]) / 100, "fraction"),
    ],
    "09-firm": [
        (lambda mkt: _firm(firm=(nb09._board()["share"] >= nb09.FIRM).sum()), "too few ways; five"),
        (lambda mkt: _firm(hold=nb09._board()["holds"].sum()), "keep the firm ones only"),
    ],
    "09-clarity": [
        (lambda mkt: _clarity("one", sign=-1), "the sign does not"),
        (lambda mkt: _clarity("one"), "clear ones’ share alone"),
        (lambda mkt: _clarity("added"), "add in squares"),
    ],
    "09-paragraphs": [
        (lambda mkt: nb09._board()["holds"].mean() * 100, "every claim one vote"),
        (lambda mkt: _votes(["paragraph"]), "begin anew"),
        (lambda mkt: _votes(["section"]), "every part of the article one vote"),
    ],
}
