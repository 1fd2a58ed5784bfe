"""Clients of the public providers: fetch, check, keep a vintage, prove it."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from helpers import market


@cache
def _catalogue() -> dict[str, Any]:
    return dict(yaml.load((market.DATA / "series.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader))


def providers() -> dict[str, dict[str, str]]:
    """Name and host of each provider, by the catalogue."""
    return dict(_catalogue()["providers"])


def bounds() -> dict[str, tuple[float, float]]:
    """Least and largest value of a macro series by unit, by the catalogue."""
    return {unit: (low, high) for unit, (low, high) in _catalogue()["units"].items()}
