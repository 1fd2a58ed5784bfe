"""The teaching edition: checks of the exercises, the window explorer, editions.

In a notebook::

    import course
    course.check("01-ties", answer, mkt)
"""

from course.checks import check

__all__ = ["check"]
