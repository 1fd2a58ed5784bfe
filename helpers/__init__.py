"""Shared code of the notebooks."""

__version__ = "1.0.0"
