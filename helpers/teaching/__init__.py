"""The teaching edition: checks of the exercises, “what if” cells, the window explorer, editions.

In a notebook::

    from helpers import teaching
    teaching.check("01-ties", answer, mkt)
    teaching.what_if("C20", "the window begins in April", changed, measured, mkt)
"""

from helpers.teaching.assume import what_if
from helpers.teaching.checks import check

__all__ = ["check", "what_if"]
