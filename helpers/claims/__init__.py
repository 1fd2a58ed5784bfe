"""Claims and verdicts: the registry, the rules, judging, and how both are shown.

In a notebook::

    from helpers import claims
    claims.cards("C03")                     # what the article says, and the rule
    claims.judge("C03", year_to_date)       # the verdict, by the rule, on what the function measures
    claims.what_if("C03", year_to_date, day="2024-06-28")
"""

from helpers.claims.card import MIME, cards, tiles
from helpers.claims.judging import Verdict, board, judge, specifications, what_if
from helpers.claims.measuring import JudgementError
from helpers.claims.registry import Claim, claim, fact, in_notebook, load

__all__ = [
    "MIME",
    "Claim",
    "JudgementError",
    "Verdict",
    "board",
    "cards",
    "claim",
    "fact",
    "in_notebook",
    "judge",
    "load",
    "specifications",
    "tiles",
    "what_if",
]
