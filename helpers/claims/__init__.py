"""Claims and verdicts: the registry, the rules, judging, and how both are shown.

In a notebook::

    from helpers import claims
    claims.cards("C03")                                   # what the article says, and the rule
    claims.judge("C03", {"rut_ytd": 14.8}, data=[mkt])    # the verdict, by the rule
"""

from helpers.claims.registry import Claim, claim, fact, in_notebook, load
from helpers.claims.verdicts import Robustness, Verdict, judge, robust
from helpers.claims.views import MIME, cards, number

__all__ = [
    "MIME",
    "Claim",
    "Robustness",
    "Verdict",
    "cards",
    "claim",
    "fact",
    "in_notebook",
    "judge",
    "load",
    "number",
    "robust",
]
