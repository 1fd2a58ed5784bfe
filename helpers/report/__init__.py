"""The report: executed notebooks become a static site, one file, or a printed edition.

``publish`` takes a folder of executed notebooks and a folder to write; ``python -m helpers report`` calls
:func:`helpers.report.command.report`, which executes them first where there is a store.
"""

from helpers.report.environment import ReportError
from helpers.report.site import Published, publish

__all__ = ["Published", "ReportError", "publish"]
