"""Numbers, dates, lists and sentences for people: the one place."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

NBSP = "\u00a0"
MINUS = "−"
#: Units that say what a figure is, not what it is measured in: shown nowhere behind the number.
BARE = {"count", "rank", "correlation", "date", "dates", "text", "share", "t", "p", "ticker"}
#: Units that are counted: whole numbers have no decimals.
COUNTED = {
    "count",
    "rank",
    "sessions",
    "days",
    "weeks",
    "months",
    "years",
    "votes",
    "cuts",
    "windows",
    "stocks",
}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


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


def short_date(value: Any, year: bool = False) -> str:
    """A date for the axis of a chart: ``4 Dec``, or with its year ``4 Dec 2025``."""
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {stamp:%b}" + (f" {stamp:%Y}" if year else "")


def listing(items: Sequence[str]) -> str:
    """``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


def and_more(items: Sequence[str], most: int) -> str:
    """``a, b and 3 more``: the first ``most`` of a list, and how many were left out."""
    return listing(items) if len(items) <= most else f"{', '.join(items[:most])} and {len(items) - most} more"


def quantity(value: Any, unit: str = "", digits: int | None = None) -> str:
    """A figure with its unit: ``−0.37 pp``, ``1 cut``, ``4 December 2025``, ``yes``, ``not known``."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return "not known"
    if isinstance(value, list | tuple):
        return listing([quantity(item) for item in value])
    if isinstance(value, pd.Timestamp) or (isinstance(value, str) and _ISO.fullmatch(value)):
        return date(value)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if not hasattr(value, "__float__"):
        return str(value)
    whole = float(value).is_integer() and (unit in COUNTED or not isinstance(value, float))
    if digits is None:
        many = abs(value) >= 1e5 and unit != "t"
        digits = 0 if whole or many else 2 if abs(value) >= 0.005 or value == 0 else 4
    if value == 1 and unit.endswith("s"):
        unit = f"{unit[:-3]}y" if unit.endswith("ies") else unit[:-1]
    return num(float(value), digits, "" if unit in BARE else unit)


def made_up(data: Any = None) -> bool:
    """True if a market (without one: that which the notebook opened) or a frame read from it is made up."""
    from helpers import market

    data = getattr(market, "current", lambda: None)() if data is None else data
    attrs = getattr(data, "attrs", None) or {}
    return getattr(data, "real", True) is False or attrs.get("source") == "synthetic"


def say(text: str, data: Any = None) -> None:
    """Show a sentence or a few (Markdown). Computed on made-up data, it says so in front."""
    from IPython.display import Markdown, display

    # The asterisk of a verdict's sign is no Markdown; two that close bold type behind it are.
    text = re.sub(r"✓\*(?=\*\*(?!\*)|(?!\*))", r"✓\\*", text)
    display(Markdown(f"**SYNTHETIC DATA.** {text}" if made_up(data) else text))
