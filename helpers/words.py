"""Sentences with numbers, printed by the cell that computed them."""

from __future__ import annotations

from typing import Any

import pandas as pd

NBSP = "\u00a0"
MINUS = "−"


def num(value: float, digits: int = 2, unit: str = "", sign: bool = False) -> str:
    """A number for a sentence: true minus sign, thousands separated, the unit kept on the same line."""
    text = f"{value:{'+' if sign else ''},.{digits}f}".replace("-", MINUS)
    return f"{text}{NBSP}{unit}" if unit else text


def pct(value: float, digits: int = 1, sign: bool = True) -> str:
    """A percentage such as ``+12.3 %``."""
    return num(value, digits, "%", sign)


def pp(value: float, digits: int = 1) -> str:
    """A difference of percentages such as ``−2.3 pp``."""
    return num(value, digits, "pp", sign=True)


def date(value: Any, year: bool = True) -> str:
    """A date as people write it: ``4 December 2025``."""
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {stamp:%B %Y}" if year else f"{stamp.day} {stamp:%B}"


def listing(items: list[str]) -> str:
    """``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


def say(text: str, data: Any) -> None:
    """Show a sentence or a few (Markdown). Computed on made-up data, it says so in front."""
    from IPython.display import Markdown, display

    synthetic = getattr(data, "real", True) is False
    display(Markdown(f"**SYNTHETIC DATA.** {text}" if synthetic else text))
