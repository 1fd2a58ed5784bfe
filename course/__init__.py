"""The teaching edition: checks of the exercises, “what if” cells, the window explorer, editions.

In a notebook::

    import course
    course.check("01-ties", answer, mkt)
    course.what_if("C20", "the window begins in April", changed, measured, mkt)
"""

from course.assume import what_if
from course.checks import check

__all__ = ["check", "what_if"]
