"""The window explorer: two dates, two indices, price or total return, and what “A beat even B” becomes.

:func:`show` gives the article's choice and a few others as a table, the same everywhere. :func:`live` gives the same
comparison under the reader's hand in JupyterLab; it needs ipywidgets, which only the lab environment holds.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers import calendar, charts, claims, market
from helpers.claims import card, rules
from helpers.files import HelperError
from helpers.measures import returns, style
from helpers.words import num, pct, pp, say

#: The claim whose kind is explored, and what it compares.
CLAIM = "C20"
LAST = "2025-12-10"
#: Name -> (index, for price returns; fund, for total returns). No fund tracks the Nasdaq Composite: QQQ follows the
#: Nasdaq-100, which is another index.
ASSETS = {
    "Russell 2000": ("^RUT", "IWM"),
    "S&P 500": ("^GSPC", "SPY"),
    "Dow Jones": ("^DJI", "DIA"),
    "Nasdaq": ("^IXIC", "QQQ"),
}
KINDS = ("price", "total return")
STARTS = {
    "year to date (the article)": "2024-12-31",
    "April low": "2025-04-08",
    "mid-year": "2025-06-30",
    "end of October": "2025-10-31",
    "20 November": "2025-11-20",
}
WHAT = (
    "Prices are the indices’ closes. Total returns are those of the funds IWM, SPY, DIA and QQQ, and QQQ follows the "
    "Nasdaq-100, not the Nasdaq Composite. The rule is that of C20: the second index is beaten, and by “even” the "
    "others too."
)
LIVE = (
    "*This table is live in JupyterLab: run `explorer.live(mkt)` in a cell of your own and move the two dates "
    "(`python -m helpers lab` opens JupyterLab).*"
)


@dataclass(frozen=True)
class Comparison:
    """How two indices did over a window, and what the rule makes of “A beat even B”."""

    first: str
    second: str
    window: calendar.Window
    kind: str
    changes: pd.Series
    verdict: str | None

    @property
    def lead(self) -> float:
        """Return of the first minus that of the second, percentage points."""
        return self.changes[self.first] - self.changes[self.second]


def levels(mkt: market.Market, kind: str) -> pd.DataFrame:
    """Levels of the four indices by name: closes, or their funds' closes with dividends."""
    if kind not in KINDS:
        raise HelperError(f"A return is 'price' or 'total return', not '{kind}'.")
    total = KINDS.index(kind)
    symbols = {pair[total]: label for label, pair in ASSETS.items()}
    return mkt.prices(list(symbols), "adj_close" if total else "close").rename(columns=symbols)


def rule(first: str, second: str) -> dict[str, list[dict[str, Any]]]:
    """The rule of C20 for any two indices: the first leads the second, and by “even” the others too."""
    given = claims.claim(CLAIM).rule["letter"][0]["sign"]
    others = [name for name in ASSETS if name not in {first, second}]
    return {
        "letter": [{"sign": {**given, "measure": second}}],
        "implied": [{"sign": {**given, "measure": other}} for other in others],
    }


def compare(
    mkt: market.Market,
    first: str = "Russell 2000",
    second: str = "Dow Jones",
    start: calendar.Day = "2024-12-31",
    end: calendar.Day = LAST,
    kind: str = "price",
) -> Comparison:
    """Judge “``first`` beat even ``second``” from the close of ``start`` to the close of ``end``.

    Raises
    ------
    HelperError for an unknown index, twice the same, a date without a session, or an end before the start.
    """
    for asset in (first, second):
        if asset not in ASSETS:
            raise HelperError(f"There is no index '{asset}' here; choose from {', '.join(ASSETS)}.")
    if first == second:
        raise HelperError(f"{first} cannot beat itself; choose two indices.")
    window = calendar.window("yours", start, end)
    changes = pd.Series(returns.window_return(levels(mkt, kind), window))
    measured = (changes[first] - changes.drop(first)).to_dict()
    given = rule(first, second)
    verdict = rules.verdict(given, rules.apply(given, rules.Evidence(measured))) if mkt.real else None
    return Comparison(first, second, window, kind, changes, verdict)


def show(mkt: market.Market, first: str = "Russell 2000", second: str = "Dow Jones") -> None:
    """Show what the sentence becomes under the article's choice and a few others, as a table."""
    rows = {}
    for kind, (label, start) in itertools.product(KINDS, STARTS.items()):
        found = compare(mkt, first, second, start, LAST, kind)
        verdict = {"The rule gives": card.signed(found.verdict)}
        rows[f"{label}, {kind}"] = found.changes.add_suffix(", %").to_dict() | verdict
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(f"From (to {LAST})")
    charts.table(table, f"“{first} beat even {second}”, window by window", digits=1, data=mkt)
    say(f"{WHAT} {LIVE}", mkt)


# ------------------------------------------------------------------------------------------------ in JupyterLab


def live(mkt: market.Market) -> None:
    """The same under the reader's hand, where ipywidgets is installed; else the table and how to get them."""
    try:
        import ipywidgets as widgets
    except ImportError:
        say(
            "The live explorer needs ipywidgets, which JupyterLab’s environment holds: `make lab`, or "
            "`python -m pip install -r requirements-lab.txt`. Here is the table.",
            mkt,
        )
        show(mkt)
        return
    from IPython.display import display

    days = calendar.sessions("2024-12-31", LAST)
    choice = {
        "first": widgets.Dropdown(options=list(ASSETS), value="Russell 2000", description="Index"),
        "second": widgets.Dropdown(options=list(ASSETS), value="Dow Jones", description="beat even"),
        "dates": widgets.SelectionRangeSlider(
            options=[(f"{day:%Y-%m-%d}", day) for day in days],
            index=(0, len(days) - 1),
            description="From, to",
            continuous_update=False,
            layout={"width": "560px"},
        ),
        "kind": widgets.ToggleButtons(options=KINDS, description="Return"),
    }
    card = widgets.HTML()

    def update(_: Any = None) -> None:
        start, end = choice["dates"].value
        try:
            found = compare(
                mkt, choice["first"].value, choice["second"].value, start, end, choice["kind"].value
            )
            card.value = as_html(found, levels(mkt, found.kind))
        except HelperError as error:
            card.value = f"<p>{html.escape(str(error))}</p>"

    for control in choice.values():
        control.observe(update, "value")
    update()
    display(widgets.VBox([*choice.values(), card]))


def as_html(found: Comparison, history: pd.DataFrame) -> str:
    """The comparison as a card: sentence, verdict, figures, and the lead's path as a small drawing."""
    sentence = f"{found.first} beat even {found.second}, {found.window} ({found.kind})."
    cells = found.changes.map(pct).to_frame().to_html(header=False, border=0)
    pair = {"lead": (found.first, found.second)}
    lead = style.path(history, pair, found.window.start, found.window.end)["lead"].tolist()
    return (
        f'<div style="border-left:4px solid #555;padding:.2em 1em"><p>{html.escape(sentence)}</p>'
        f"<p><b>{html.escape(card.signed(found.verdict))}</b>. Lead {pp(found.lead)}.</p>{cells}{_path(lead)}</div>"
    )


def _path(lead: Sequence[float], width: int = 520, height: int = 110) -> str:
    """The lead session by session as an SVG with its zero line; the numbers stand in its title."""
    low, high = min(0.0, *lead), max(0.0, *lead)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return round(4 + (height - 8) * (high - value) / span, 1)

    step = width / max(1, len(lead) - 1)
    points = " ".join(f"{i * step:.1f},{y(value)}" for i, value in enumerate(lead))
    title = f"The lead over the window: from {num(low, 1)} to {num(high, 1)} percentage points"
    return (
        f'<svg role="img" width="{width}" height="{height}"><title>{title}</title>'
        f'<line x1="0" x2="{width}" y1="{y(0)}" y2="{y(0)}" stroke="#888"/>'
        f'<polyline points="{points}" fill="none" stroke="{charts.COLOUR["small"]}" stroke-width="2"/></svg>'
    )
