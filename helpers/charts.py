"""One look for every chart, and what a chart must carry: its finding, alt text, source and numbers."""

from __future__ import annotations

import html
import io
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers import market
from helpers.files import HelperError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's palette (2008), which colour-blind readers can tell apart; darkened where white text or
#: thin lines need contrast. Each name has one meaning throughout the notebooks.
COLOUR = {
    "small": "#B4480A",  # small caps: vermilion
    "large": "#1F5FA8",  # large caps, the S&P 500: blue
    "value": "#00735C",  # value: bluish green
    "growth": "#8A3F7C",  # growth, the Nasdaq, technology: purple
    "dow": "#8A6D00",  # the Dow: dark yellow
    "rates": "#1B7FB5",  # yields and policy: sky blue
    "mark": "#111111",  # the article's own choice or figure
    "muted": "#8C8C8C",  # context
    "band": "#D9D9D9",  # uncertainty
}
CYCLE = [COLOUR[name] for name in ("small", "large", "value", "growth", "dow", "rates")]
#: Two-sided scale for relative performance: orange favours small or value, blue large or growth.
DIVERGING = "PuOr_r"

WIDTH = 7.2
DPI = 132
_PROVIDERS = {
    "yahoo": "Yahoo Finance",
    "fred": "FRED",
    "french": "Kenneth R. French Data Library",
    "shiller": "Robert Shiller",
    "ishares": "iShares",
    "nasdaq-screener": "Nasdaq stock screener",
    "interactive-brokers": "Interactive Brokers",
}
#: Rows a table beside a chart may have: the decisive points, never a vendor's whole series.
MOST_ROWS = 60


def theme() -> dict[str, Any]:
    """Matplotlib settings of the house, on top of seaborn's white grid."""
    import seaborn as sns
    from cycler import cycler

    return {
        **sns.axes_style("whitegrid"),
        "figure.dpi": 100,
        "font.family": "DejaVu Sans",
        "font.size": 10.5,
        "axes.titlesize": 12.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 10,
        "axes.labelsize": 10,
        "axes.labelcolor": "#333333",
        "axes.edgecolor": "#999999",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=CYCLE),
        "grid.color": "#E6E6E6",
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.8,
        "xtick.color": "#333333",
        "ytick.color": "#333333",
        "xtick.labelsize": 9.5,
        "ytick.labelsize": 9.5,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
    }


def canvas(
    title: str, height: float = 4.2, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the house style.

    Parameters
    ----------
    title : the finding, in one sentence; it stands above the chart
    height : inches; the width is fixed so that type has one size in all charts
    rows, columns : grid of axes; ``options`` go to ``plt.subplots``

    Returns
    -------
    The figure and its axes (one, or an array as from ``plt.subplots``).
    """
    import matplotlib.pyplot as plt

    plt.style.use(theme())
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height), layout="constrained", **options)
    figure.suptitle("\n".join(textwrap.wrap(title, 68)), x=0.01, ha="left", fontsize=12.5, fontweight="bold")
    return figure, axes


def label_end(ax: Axes, x: Any, y: float, text: str, colour: str, **options: Any) -> None:
    """Write a line's name at its end, in its colour, in place of a legend."""
    ax.annotate(
        text,
        (x, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=9.5,
        fontweight="bold",
        annotation_clip=False,
        **options,
    )


def labels_end(ax: Axes, x: Any, ends: Sequence[tuple[float, str, str]], gap: float = 0.05) -> None:
    """Names of several lines at their ends as (y, text, colour), pushed apart where they would overlap.

    ``gap`` is the least distance, as a share of the axis.
    """
    low, high = ax.get_ylim()
    floor = float("-inf")
    for y, text, colour in sorted(ends):
        floor = max(y, floor + gap * (high - low))
        ax.text(
            x, floor, f"  {text}", va="center", color=colour, fontsize=9.5, fontweight="bold", clip_on=False
        )


def tile(x: float, y: float, colour: str, label: str = "") -> Any:
    """A square of a board around (x, y), to be added to the axes or to a legend."""
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch(
        (x - 0.38, y - 0.38), 0.76, 0.76, boxstyle="round,pad=0.04", color=colour, label=label, linewidth=0
    )


def zero_line(ax: Axes) -> None:
    """A line at zero, where the sign is the point."""
    ax.axhline(0, color="#555555", linewidth=1, zorder=1)


def source_line(series: Iterable[str] | str, data: Any, to: str | None = None) -> str:
    """Providers, series and last date under a chart, or that the data are made up.

    ``series`` is a list of ids of the catalogue, or words for what is none of them.
    """
    if getattr(data, "real", True) is False:
        return "SYNTHETIC DATA: made-up prices, no statement about any market."
    if isinstance(series, str):
        return f"Data: {series}."
    by_provider: dict[str, list[str]] = {}
    for name in series:
        provider = _PROVIDERS[market.catalogue()[name]["provider"]]
        by_provider.setdefault(provider, []).append(name)
    parts = [f"{provider} ({', '.join(names)})" for provider, names in by_provider.items()]
    until = f"; to {to}" if to else ""
    return f"Data: {', '.join(parts)}{until}. Own calculation."


def png(figure: Figure) -> bytes:
    """The figure as a small, crisp PNG: twice the screen's density, few colours."""
    from PIL import Image

    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI, facecolor="white")
    image = Image.open(raw).convert("RGB")
    # Colours far apart are kept before common ones: thin coloured lines must not take on their neighbour's hue.
    image = image.quantize(colors=40, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small = io.BytesIO()
    image.save(small, format="png", optimize=True)
    return small.getvalue()


def _cell(value: Any, digits: int) -> str:
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:,.{digits}f}".replace("-", "−")
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def table_text(table: pd.DataFrame, digits: int = 2) -> str:
    """A frame as plain text, with the same cells as :func:`table_html`."""
    cells = table.map(lambda value: _cell(value, digits)) if table.size else table
    cells.index = pd.Index([_cell(value, digits) for value in table.index], name=table.index.name)
    return str(cells.to_string())


def table_html(table: pd.DataFrame, digits: int = 2, caption: str = "") -> str:
    """A frame as an accessible HTML table; its index is the row heading."""
    frame = table if table.index.name or not isinstance(table.index, pd.RangeIndex) else None
    head = [html.escape(str(table.index.name or ""))] if frame is not None else []
    head += [html.escape(str(column)) for column in table.columns]
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    rows = []
    for index, row in zip(table.index, table.itertuples(index=False), strict=True):
        first = f'<th scope="row">{html.escape(_cell(index, digits))}</th>' if frame is not None else ""
        rows.append(f"<tr>{first}{''.join(f'<td>{html.escape(_cell(v, digits))}</td>' for v in row)}</tr>")
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f'<table class="rr-table">{title}<thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def show_table(table: pd.DataFrame, caption: str, data: Any, digits: int = 2) -> None:
    """Display a frame as a table with a caption; ``digits`` decimals, marked if the data are made up."""
    from IPython.display import display

    mark = "SYNTHETIC DATA: " if getattr(data, "real", True) is False else ""
    text = f"{mark}{caption}\n{table_text(table, digits)}"
    display({"text/html": table_html(table, digits, mark + caption), "text/plain": text}, raw=True)


def show(
    figure: Figure,
    alt: str,
    table: pd.DataFrame,
    series: Sequence[str] | str,
    data: Any,
    to: str | None = None,
    digits: int = 2,
) -> None:
    """Display a finished chart with everything it must carry.

    Parameters
    ----------
    figure : from :func:`canvas`; it is closed here
    alt : what the chart shows and finds, for who cannot see it
    table : the numbers that carry the finding, one click below the chart; at most 60 rows
    series : ids of the catalogue, for the source line, or words for another source
    data : the market (or a frame read from it), which says whether the data are real
    to : last date shown
    digits : decimals in the table

    Raises
    ------
    HelperError for a chart without alt text or numbers, or with a table as long as a whole series.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    if len(alt.split()) < 8:
        raise HelperError("A chart needs alt text that states its finding in a sentence.")
    if not 0 < len(table) <= MOST_ROWS:
        raise HelperError(
            f"The table of a chart has 1 to {MOST_ROWS} rows, not {len(table)}; pick the decisive ones."
        )
    synthetic = getattr(data, "real", True) is False
    line = source_line(series, data, to)
    if synthetic:
        figure.text(
            0.5,
            0.5,
            "SYNTHETIC",
            fontsize=52,
            color="#000000",
            alpha=0.12,
            ha="center",
            va="center",
            rotation=20,
        )
        alt = f"Synthetic data. {alt}"
    figure.supxlabel(textwrap.fill(line, 108), fontsize=8, color="#555555", x=0.01, ha="left")
    display(
        {"image/png": png(figure), "text/plain": alt},
        metadata={"image/png": {"alt": alt, "width": int(WIDTH * 100)}},
        raw=True,
    )
    plt.close(figure)
    # The numbers stand in their own output: they are compared when the notebook is tested, pictures are not.
    display(
        {
            "text/html": f'<details class="rr-data"><summary>The numbers behind this chart</summary>'
            f"{table_html(table, digits)}<p>{html.escape(line)}</p></details>",
            "text/plain": f"Numbers behind the chart: {len(table)} rows. {line}",
        },
        raw=True,
    )
