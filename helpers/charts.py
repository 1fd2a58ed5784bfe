"""Verbs that draw: one call, one chart, over seaborn, on frames. What each chart carries is in helpers.figure.

Every verb takes a frame (or a series), ``title=`` and ``unit=``, and what :class:`helpers.figure.Carry` lists.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib import colormaps, style
from matplotlib.colors import to_hex, to_rgb
from matplotlib.dates import AutoDateLocator, date2num, num2date
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, StrMethodFormatter

from helpers import market
from helpers.claims import card
from helpers.figure import INK, QUIET, STYLE, Carry, Chart, collisions
from helpers.files import HelperError
from helpers.tables import MOST_ROWS, table
from helpers.words import and_more, date, num, short_date

__all__ = ["COLOUR", "MOST_ROWS", "VERDICT", "collisions", "table"]
__all__ += ["bars", "curve", "dots", "heat", "lines", "spread", "timeline"]

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
#: Two-sided scale around zero: orange above, violet below.
DIVERGING = "PuOr_r"
#: Colour and mark of an outcome, in the order in which a key names them; the colours are those of the cards.
VERDICT = {
    key: (look[2], mark) for (key, look), mark in zip(card.LOOK.items(), "oPsvXd", strict=False) if key
}
#: For what has no colour of its own: ink and grey, told apart by their dashes.
_NEUTRAL = (INK, "#6B6B6B", "#9A9A9A")
_BINARY = (COLOUR["band"], _NEUTRAL[1])
_DASHES: tuple[Any, ...] = ("", (5, 2), (1, 1.4), (6, 2, 1.2, 2))
_SHAPES = ("o", "D", "s", "^", "v", "P")
_RULE = {"color": INK, "linewidth": 1.1, "linestyle": "--", "zorder": 1.5}
_DOTTED = {"color": QUIET, "linewidth": 1, "linestyle": ":", "zorder": 1}
_ZERO = {"color": "#555555", "linewidth": 1, "zorder": 1}
_HATCH = {"hatch": "////", "edgecolor": "white", "linewidth": 0}
#: Two settings, as a shape with a single one is drawn by the renderer's quick way, which knows half-tones only.
_FILL: dict[str, Any] = {"linewidth": 0, "antialiased": [False, False]}
Colours = Mapping[Any, str] | str


def _wide(frame: Any) -> pd.DataFrame:
    return frame.to_frame(frame.name or "") if isinstance(frame, pd.Series) else frame


def _colour(column: Any, position: int, colours: Colours | None) -> str:
    """The colour of a column: as asked for (one name for all, or by column), by the catalogue, or neutral."""
    asked = colours if isinstance(colours, str) else (colours or {}).get(column)
    meaning = asked or _meaning(str(column))
    if meaning is None:
        return _NEUTRAL[position % len(_NEUTRAL)]
    if meaning not in COLOUR:
        raise HelperError(f"There is no colour '{meaning}'; use one of {', '.join(COLOUR)}.")
    return COLOUR[meaning]


def _meaning(name: str) -> str | None:
    entry = {"name": "", "provider": "", "style": "", "size": ""} | market.catalogue().get(name, {})
    if "Dow Jones" in entry["name"]:
        return "dow"
    if entry["style"] in ("value", "growth"):
        return str(entry["style"])
    if any(word in entry["name"] for word in ("Nasdaq", "Technology", "Semiconductor", "QQQ")):
        return "growth"
    if entry["provider"] == "fred":
        return "rates"
    return entry["size"] if entry["size"] in ("small", "large") else None


def _rows(carry: Carry, labels: Iterable[Any], gaps: float = 0) -> list[str]:
    """Names of rows, long ones in two lines or three; sets the height that they need."""
    named = [textwrap.fill(str(label), 26) for label in labels]
    pitch = (0.25, 0.37, 0.5)[min(2, max((name.count("\n") for name in named), default=0))]
    carry["height"] = max(carry.get("height", 0), 0.6 + pitch * (len(named) + gaps))
    return named


def _light(colour: str) -> str:
    red, green, blue = (part * 0.45 + 0.55 for part in to_rgb(colour))
    return to_hex((red, green, blue))


def _place(labels: pd.Index, wanted: Any) -> int:
    """Position of a label, or of the date next to it; HelperError for what lies outside."""
    dates = isinstance(labels, pd.DatetimeIndex)
    wanted = pd.Timestamp(wanted) if dates else wanted
    outside = dates and not labels.min() <= wanted <= labels.max()
    found = -1 if outside else int(labels.get_indexer([wanted], method="nearest" if dates else None)[0])
    if found < 0:
        raise HelperError(f"The frame of the chart has no {date(wanted) if dates else repr(wanted)}.")
    return found


def _days(dates: Sequence[Any]) -> list[str]:
    """Days for an axis, or months: the month, or the year, is said where it begins."""
    stamps = [pd.Timestamp(day) for day in dates]
    if len(stamps) > 1 and all(day.is_month_start for day in stamps):
        years = [0, *(day.year for day in stamps)]
        return [
            f"{day:%b}" if day.year == year else f"{day:%b\n%Y}"
            for day, year in zip(stamps, years, strict=False)
        ]
    new = [day.month != (stamps[i - 1].month if i else 0) for i, day in enumerate(stamps)]
    new[0] = not any(new[1:2])  # two months side by side would run together
    return [f"{day.day}\n{day:%b}" if first else f"{day.day}" for day, first in zip(stamps, new, strict=True)]


def _listed(frame: pd.DataFrame, places: int) -> str:
    rows = zip(frame.index, frame.to_numpy(), strict=True)
    items = [f"{name} {' to '.join(num(float(v), places) for v in row if pd.notna(v))}" for name, row in rows]
    return f"{and_more(items, 20)}."


def _decisive(frame: pd.DataFrame, asked: Iterable[Any]) -> pd.DataFrame:
    """The rows that carry a chart: all if they are few, else ends, extremes and the dates asked for."""
    if len(frame) <= MOST_ROWS:
        return frame
    wanted = [frame.index[0], frame.index[-1]]
    for column in frame:
        wanted += [frame[column].idxmin(), frame[column].idxmax()]
    flat = [day for one in asked for day in (one if isinstance(one, tuple) else (one,))]
    wanted += [frame.index[_place(frame.index, day)] for day in flat]
    return frame.loc[pd.Index(list(dict.fromkeys(wanted))[:MOST_ROWS]).sort_values()]


def _rules(chart: Chart, marks: Mapping[Any, str] | None, look: Mapping[str, Any], at: Any = float) -> None:
    """Upright lines at values or dates, with words above the chart."""
    for value, words in (marks or {}).items():
        chart.ax.axvline(at(value), **look)
        chart.mark(at(value), words)


def _bounds(chart: Chart, ax: Any, references: Mapping[float, str] | None) -> None:
    """Lying lines at values, told apart by their dashes, with words at the right."""
    for (value, words), dash in zip((references or {}).items(), cycle(("--", ":", "-."))):
        ax.axhline(value, **{**_RULE, "linestyle": dash})
        chart.end(ax, value, words, INK, bold=False)


def _date_axis(ax: Any, form: str = "") -> None:
    ax.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=7))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{num2date(x):{form}}" if form else short_date(num2date(x).date()))
    )


def lines(
    frame: Any,
    *,
    names: Mapping[Any, str] | None = None,
    colours: Colours | None = None,
    highlight: Any = None,
    marks: Mapping[Any, str] | None = None,
    references: Mapping[float, str] | None = None,
    points: Any = None,
    fill: Any = None,
    band: tuple[Any, Any, str] | None = None,
    context: pd.DataFrame | None = None,
    named: Sequence[Any] = (),
    below: Mapping[str, Any] | None = None,
    **carry: Unpack[Carry],
) -> Chart:
    """Time series or paths, named at their ends; all points are drawn.

    Parameters
    ----------
    frame : index along the axis, a column a line. Up to 45 sessions stand side by side, more on a scale of dates
    names, colours : by column: words in place of an id, a name of COLOUR (else by the catalogue)
    highlight : one column drawn thick, the others thin
    marks : words at a date, or at a pair of dates (a shaded span), above the chart
    references : words for a horizontal line at a value
    points : dots: a Series (its name goes into the key), or a frame with ``y`` and ``text``, or a list of both
    fill : one column: filled from zero where it is above, with the share of points above zero in the key
    band : low and high edges (two Series or numbers) and words
    context : paths of the same index in grey, behind; the name of its columns goes into the key
    named : columns of the context that are named at their ends
    below : a second panel, filled to zero: ``frame`` and ``unit``; ``colour``, ``references`` and ``points`` as above
    """
    shown = _wide(frame)
    with style.context(STYLE):
        chart = Chart("Line chart", shown, carry, rows=(2.1, 1) if below else (1,))
        spot = _Axis(shown.index)
        if band:
            low, high = (np.broadcast_to(np.asarray(edge, float), len(shown)) for edge in band[:2])
            chart.ax.fill_between(spot.all, low, high, color=COLOUR["band"], zorder=0, **_FILL)
            chart.swatch(band[2], COLOUR["band"])
        if context is not None:
            _context(chart, context, spot, named)
        _paths(chart, shown, spot, names or {}, colours, highlight)
        if fill is not None:
            _above(chart, shown[fill], spot, str((names or {}).get(fill, fill)))
        chart.ax.set(xlabel="", ylabel=carry["unit"])
        _bounds(chart, chart.ax, references)
        _points(chart, chart.ax, spot, points)
        if below:
            _second(chart, below, spot)
        for when, words in (marks or {}).items():
            _mark(chart, spot, when, words)
        spot.label(chart.axes[-1], carry.get("x"))
        called = shown.rename(columns=names or {})
        chart.summary = _course(called, chart.places)
        chart.table = _decisive(
            called, [*(marks or {}), *(day for dots in _several(points) for day in dots.index)]
        )
        return chart.finish()


class _Axis:
    """Where an index stands along x: sessions side by side if they are few, else on a scale of dates or numbers."""

    def __init__(self, index: pd.Index) -> None:
        self.index, self.dates = index, isinstance(index, pd.DatetimeIndex)
        scale = self.dates or pd.api.types.is_numeric_dtype(index)
        self.even = not scale or (self.dates and len(index) <= 45)
        self.all: Any = (
            np.arange(len(index)) if self.even else np.asarray(date2num(index) if self.dates else index)
        )

    def at(self, value: Any) -> float:
        return float(self.all[_place(self.index, value)] if self.even or self.dates else value)

    def label(self, ax: Any, words: str | None) -> None:
        """Ticks and words of the axis; one year is said once."""
        one_year = self.dates and self.index[0].year == self.index[-1].year
        if self.even:
            ticks = self.index[:: -(-len(self.index) // 14)]
            ax.set_xticks([self.at(tick) for tick in ticks], _days(ticks) if self.dates else map(str, ticks))
        elif self.dates:
            _date_axis(ax, "%Y" if self.all[-1] - self.all[0] > 1900 else "" if one_year else "%b\n%Y")
        pad = 0.4 if self.even else (self.all[-1] - self.all[0]) * 0.012
        ax.set_xlim(self.all[0] - pad, self.all[-1] + pad)
        ax.set_xlabel(words if words is not None else f"{self.index[0]:%Y}" if one_year else "")


def _paths(
    chart: Chart,
    frame: pd.DataFrame,
    spot: _Axis,
    names: Mapping[Any, str],
    colours: Colours | None,
    thick: Any,
) -> None:
    import seaborn as sns

    used: list[str] = []
    short = len(frame) <= 20 and frame.shape[1] > 1
    for position, column in enumerate(frame):
        colour, values = _colour(column, position, colours), frame[column].astype(float)
        if values.isna().all():
            raise HelperError(f"The column '{column}' of the chart “{chart.carry['title']}” has no numbers.")
        # Lines of one colour differ in their dashes; long ones always, short ones in their marks too.
        turn = (used.count(colour) if short else position) % len(_DASHES) if column != thick else 0
        used.append(colour)
        sns.lineplot(x=spot.all, y=values.to_numpy(), color=colour, ax=chart.ax, estimator=None, legend=False)
        line = chart.ax.lines[-1]
        dashes = (0, _DASHES[turn]) if turn else "-"
        line.set_linestyle(dashes)
        line.set(
            linewidth=2.8 if column == thick else 1.8 if thick is None else 1.2, zorder=2 + (column == thick)
        )
        if short:
            line.set(marker=_SHAPES[turn], markersize=4, markeredgecolor=colour)
        text = str(names.get(column, column))
        chart.colours[text] = colour
        if text:
            chart.end(chart.ax, float(values.dropna().iloc[-1]), text, colour, dashes=dashes)
    if frame.min().min() < 0 < frame.max().max():
        chart.ax.axhline(0, **_ZERO)


def _context(chart: Chart, context: pd.DataFrame, spot: _Axis, named: Sequence[Any]) -> None:
    grey = {"color": "#CFCFCF", "linewidth": 0.5}
    chart.ax.plot(spot.all[: len(context)], context, zorder=1, gid="context", **grey)
    for column in named:
        chart.end(chart.ax, float(context[column].dropna().iloc[-1]), str(column), "#6B6B6B", bold=False)
    chart.stroke(f"{context.columns.name or 'others'} ({context.shape[1]})", **grey)


def _above(chart: Chart, values: pd.Series, spot: _Axis, name: str) -> None:
    light, known = _light(chart.colours[name]), values.dropna()
    chart.ax.fill_between(spot.all, values.clip(lower=0), 0, color=light, zorder=1, **_FILL)
    chart.swatch(f"{name} above zero: {num((known > 0).mean() * 100, 0, '%')} of {len(known)}", light)


def _several(points: Any) -> list[Any]:
    return points if isinstance(points, list) else [] if points is None else [points]


def _points(chart: Chart, ax: Any, spot: _Axis, points: Any) -> None:
    for dots, shape in zip(_several(points), _SHAPES, strict=False):
        worded = isinstance(dots, pd.DataFrame)
        where, values = [spot.at(day) for day in dots.index], dots["y"] if worded else dots
        ax.plot(where, values, shape, color=INK, markersize=5, zorder=4)
        if not worded:
            chart.dot(f"{dots.name} ({len(dots)})", INK, shape)
        for x, y, text in zip(where, values, dots["text"] if worded else (), strict=worded):
            chart.write(ax, x, y, text)


def _second(chart: Chart, below: Mapping[str, Any], spot: _Axis) -> None:
    frame = _wide(below["frame"])
    ax, colour = chart.axes[1], _colour(frame.columns[0], 0, below.get("colour"))
    values = frame.iloc[:, 0].reindex(spot.index)
    ax.fill_between(spot.all, values, 0, color=_light(colour), **_FILL)
    ax.plot(spot.all, values, color=colour, linewidth=0.9)
    ax.set_ylabel(below["unit"])
    _bounds(chart, ax, below.get("references"))
    _points(chart, ax, spot, below.get("points"))


def _mark(chart: Chart, spot: _Axis, when: Any, words: str) -> None:
    first, last = (spot.at(day) for day in (when if isinstance(when, tuple) else (when, when)))
    for ax in chart.axes:
        if first != last:
            ax.axvspan(first, last, color="#E8E8E8", linewidth=0, zorder=0, gid="span")
        else:
            ax.axvline(first, **_DOTTED)
    chart.mark((first + last) / 2, words)


def _course(frame: pd.DataFrame, places: int) -> str:
    """A sentence a line: where it starts, ends, and how far it went."""
    parts = []
    for name, values in frame.items():
        known = values.dropna()
        first, last, low, high = (
            num(float(v), places) for v in (known.iloc[0], known.iloc[-1], known.min(), known.max())
        )
        parts.append(f"{name or 'The line'}: from {first} to {last}, lowest {low}, highest {high}")
    return f"{'; '.join(parts[:8])}{f'; and {len(parts) - 8} more' if len(parts) > 8 else ''}."


def dots(
    frame: Any,
    *,
    groups: Sequence[Any] | None = None,
    references: Mapping[Any, Any] | None = None,
    said: str = "article",
    shapes: Sequence[Any] | None = None,
    colours: Colours | None = None,
    interval: tuple[str, str, str] | None = None,
    values: bool = True,
    **carry: Unpack[Carry],
) -> Chart:
    """A row a category: one dot with its stem from zero, or several dots joined from the first to the last column.

    Parameters
    ----------
    frame : a row a category, top to bottom; a column a kind of dot
    groups : one name a row: rows of one group stand together under it, in one colour
    references : with groups, the figure quoted for each (a dashed line over its rows, called ``said``); else words
        by value
    shapes : one name a row, which gets a shape and stands in the key
    colours : names of COLOUR by group or row
    interval : names of the two columns with the ends of an interval around the first column, and words for it
    values : print the figure, or the change from first to last, at the right
    """
    shown = _wide(frame)
    drawn = shown.drop(columns=list((interval or ())[:2]))
    kinds = [str(kind) for kind in groups] if groups is not None else [""] * len(shown)
    heads = list(dict.fromkeys(kinds)) if groups is not None else []
    with style.context(STYLE):
        names = _rows(carry, shown.index, 1.3 * len(heads))
        chart = Chart("Dot chart", shown, carry)
        rows = np.arange(len(kinds)) + 1.3 * np.cumsum([0, *(a != b for a, b in pairwise(kinds))])
        if drawn.shape[1] > 1:
            _joined(chart, drawn, rows)
        else:
            _stems(chart, drawn.iloc[:, 0], rows, kinds, shapes, colours, not interval)
        if interval:
            low, high, words = interval
            look = {"color": QUIET, "linewidth": 1.4}
            chart.stroke(words, **look)
            chart.ax.hlines(rows, shown[low], shown[high], zorder=1.8, **look)
        chart.ax.set_yticks(rows, names)
        chart.ax.set_ylim(rows[-1] + 0.7, -1.5 if heads else -0.7)
        chart.ax.set(xlabel=carry["unit"], ylabel=carry.get("x", ""))
        chart.ax.grid(axis="y", visible=False)
        spans = {kind: [row for row, own in zip(rows, kinds, strict=True) if own == kind] for kind in kinds}
        if drawn.shape[1] == 1 or shown.min().min() < 0:
            for own in spans.values():  # not through the groups' names: it would cross what is quoted there
                chart.ax.plot([0, 0], [own[0] - 0.5, own[-1] + 0.5], **_ZERO)
        if heads:
            _quoted(chart, spans, {str(kind): value for kind, value in (references or {}).items()}, said)
        else:
            _rules(chart, references, _RULE)
        if values:
            _print_right(chart, drawn, rows)
        chart.summary = _listed(drawn, chart.places)
        chart.table = shown
        return chart.finish()


def _stems(
    chart: Chart,
    values: pd.Series,
    rows: Any,
    kinds: Sequence[str],
    shapes: Any,
    colours: Colours | None,
    stems: bool,
) -> None:
    import seaborn as sns

    names = list(dict.fromkeys(kinds))
    # Under a group's name its colour; without groups each row has the colour of what it is.
    called = [kind or str(label) for kind, label in zip(kinds, values.index, strict=True)]
    hues = [_colour(name, names.index(kind), colours) for name, kind in zip(called, kinds, strict=True)]
    if stems:
        chart.ax.hlines(rows, 0, values, colors=hues, linewidth=1.3, zorder=2)
    sorts = pd.Series([str(s) for s in shapes] if shapes is not None else [""] * len(values))
    # By name, not by row: a name keeps its shape from chart to chart.
    for sort, shape in zip(sorted(sorts.unique()), _SHAPES, strict=False):
        own = np.flatnonzero(sorts == sort)
        dots = {"x": values.iloc[own].to_numpy(), "y": rows[own], "c": [hues[i] for i in own]}
        sns.scatterplot(**dots, marker=shape, s=52, ax=chart.ax, zorder=3, legend=False)
        if sort:
            chart.dot(sort, QUIET, shape)
    chart.colours |= dict(zip(called, hues, strict=True))


def _joined(chart: Chart, frame: pd.DataFrame, rows: Any) -> None:
    import seaborn as sns

    ends = frame.iloc[:, [0, -1]].to_numpy(float)
    rose = ends[:, 1] > ends[:, 0]
    for name, own, colour, line in (("up", rose, INK, "-"), ("down", ~rose, COLOUR["muted"], ":")):
        if own.any():
            chart.ax.hlines(rows[own], *ends[own].T, colors=colour, linestyles=line, linewidth=2.4, zorder=2)
            chart.stroke(name, color=colour, linestyle=line, linewidth=2.4)
            chart.colours[name] = colour
    # The first dot is the largest: it shows around a last one in the same place.
    first, middle, last = (
        ("white", INK, "o", 84),
        (COLOUR["muted"], COLOUR["muted"], "d", 30),
        (INK, INK, "o", 30),
    )
    looks = [first, *[middle] * (frame.shape[1] - 2), last]
    for position, (column, (face, edge, shape, size)) in enumerate(zip(frame, looks, strict=True)):
        look = {
            "color": face,
            "edgecolor": edge,
            "marker": shape,
            "s": size,
            "linewidth": 1.1,
            "legend": False,
        }
        sns.scatterplot(x=frame[column].to_numpy(), y=rows, ax=chart.ax, zorder=3 + position, **look)
        chart.dot(str(column), face, shape, markeredgecolor=edge)


def _quoted(
    chart: Chart, spans: Mapping[str, list[float]], references: Mapping[str, float], said: str
) -> None:
    """Groups' names in rows of their own, and there what is quoted for each, above its dashed line."""
    if strange := [kind for kind in references if kind not in spans]:
        raise HelperError(f"There is no group '{strange[0]}' to which a reference could belong.")
    for kind, value in references.items():
        dashed = {**_RULE, "linewidth": 1.8, "zorder": 2.5}
        chart.ax.plot([value, value], [spans[kind][0] - 0.45, spans[kind][-1] + 0.45], **dashed)
    low, high = chart.ax.get_xlim()
    look = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
    for kind, rows in spans.items():
        head = rows[0] - 0.95
        chart.ax.annotate(
            kind, (0, head), (-4, 0), ("axes fraction", "data"), ha="right", fontweight="bold", **look
        )
        if kind in references:
            at = (references[kind] - low) / (high - low)
            side = "left" if at < 0.2 else "right" if at > 0.8 else "center"
            told = f"{said} {num(references[kind], chart.places)}"
            chart.ax.annotate(told, (references[kind], head), (0, 0), ha=side, **look)


def _print_right(chart: Chart, frame: pd.DataFrame, rows: Any) -> None:
    many = frame.shape[1] > 1
    values = frame.iloc[:, -1] - frame.iloc[:, 0] if many else frame.iloc[:, 0]
    told = [num(v, chart.places, sign=many) if pd.notna(v) else "–" for v in values]
    off, look = 8 + 6 * max(map(len, told)), {"ha": "right", "va": "center", "fontsize": 9}
    for row, text in zip(rows, told, strict=True):
        where: Any = (1, row), (off, 0), ("axes fraction", "data"), "offset points"
        chart.ax.annotate(text, *where, annotation_clip=False, **look)
    if many:
        chart.words.append(f"At the right: change from {frame.columns[0]} to {frame.columns[-1]}.")


def bars(
    frame: Any,
    *,
    highlight: Any = None,
    colours: Colours | None = None,
    hatched: tuple[str, Sequence[Any]] | None = None,
    band: tuple[float, str] | None = None,
    net: Any = None,
    references: Mapping[float, str] | None = None,
    **carry: Unpack[Carry],
) -> Chart:
    """Bars by category with their figures: lying, or upright for dates.

    Parameters
    ----------
    frame : a Series, or a frame whose columns start from zero (profits and losses)
    highlight : label or labels in full colour, the others light
    colours : names of COLOUR by label (of a Series) or by column
    hatched : words for the key and the labels that are hatched
    band : a width either way of zero (one standard deviation) and words for it
    net : a column shown as a diamond, not as a bar
    references : words for a line at a value
    """
    shown = _wide(frame)
    drawn = shown.drop(columns=[net] if net is not None else [])
    standing = isinstance(shown.index, pd.DatetimeIndex)
    with style.context(STYLE):
        labels = [short_date(label) if standing else str(label) for label in shown.index]
        named = _days(shown.index) if standing else _rows(carry, labels, 0.1 * len(labels))
        chart = Chart("Bar chart", shown, carry)
        ax, places = chart.ax, range(len(labels))
        if band:
            span = ax.axhspan if standing else ax.axvspan
            span(-band[0], band[0], color="#E8E8E8", linewidth=0, zorder=0, gid="span")
            chart.swatch(f"{band[1]}: {num(band[0], 2)}", "#E8E8E8")
        drawn_bars = _columns(chart, drawn, standing, highlight, colours)
        if hatched:
            for position in {_place(shown.index, label) for label in hatched[1]}:
                drawn_bars[position].set(**_HATCH)
            chart.swatch(hatched[0], "#999999", **_HATCH)
        if net is not None:
            pair = (places, shown[net]) if standing else (shown[net], places)
            ax.plot(*pair, "D", color=INK, markersize=6, markeredgecolor="white")
            chart.dot(str(net), INK, "D")
        _bar_axes(chart, standing, named, references)
        if references and not standing:  # at the ends of bars figures would stand on the lines
            _print_right(chart, drawn, places)
        elif drawn.shape[1] == 1:
            told = drawn.iloc[:, 0].reset_index(drop=True)
            crowded = standing and len(told) > 10 and highlight is not None
            _figures(chart, told[[_place(shown.index, highlight)]] if crowded else told, standing)
        chart.summary = _listed(shown.set_axis(labels, axis=0), chart.places)
        chart.table = _decisive(shown, [])
        return chart.finish()


def _bar_axes(
    chart: Chart, standing: bool, named: Sequence[str], references: Mapping[float, str] | None
) -> None:
    """The line at zero, those of the references, and the names of both axes."""
    ax, unit, other = chart.ax, chart.carry["unit"], chart.carry.get("x", "")
    if standing:
        ax.axhline(0, **_ZERO)
        _bounds(chart, ax, references)
        ax.set(ylabel=unit, xlabel=other)
        ax.set_xticks(range(len(named)), named)
    else:
        ax.axvline(0, **_ZERO)
        _rules(chart, references, _RULE)
        ax.set(xlabel=unit, ylabel=other)
        ax.set_yticks(range(len(named)), named)
    ax.grid(axis="x" if standing else "y", visible=False)


def _columns(
    chart: Chart, frame: pd.DataFrame, standing: bool, highlight: Any, colours: Colours | None
) -> list[Any]:
    """Draw the bars of each column; those of the first come first in what is given back."""
    import seaborn as sns

    cells, several = list(map(str, range(len(frame)))), frame.shape[1] > 1
    asked = highlight if isinstance(highlight, list | tuple) else [highlight]
    full = {_place(frame.index, label) for label in asked} if highlight is not None else range(len(frame))
    drawn: list[Any] = []
    for position, column in enumerate(frame):
        hatch = _HATCH if position % 2 else {"edgecolor": "white", "linewidth": 0}
        if several:
            palette = [_colour(column, position, colours)] * len(cells)
            chart.colours[str(column)] = palette[0]
            chart.swatch(str(column), palette[0], **hatch)
        else:
            palette = [_colour(label, 1, colours) for label in frame.index]
            palette = [colour if i in full else _light(colour) for i, colour in enumerate(palette)]
            chart.colours |= dict(zip(map(str, frame.index), palette, strict=True))
        values, before = frame[column].astype(float).to_numpy(), len(chart.ax.patches)
        pair = {"x": cells, "y": values} if standing else {"x": values, "y": cells}
        sns.barplot(**pair, width=0.74, errorbar=None, ax=chart.ax)
        own = chart.ax.patches[before:]
        for bar, colour in zip(own, palette, strict=True):
            bar.set(facecolor=colour, **hatch)
        drawn += own
    return drawn


def _figures(chart: Chart, values: pd.Series, standing: bool) -> None:
    """The figure at the end of each bar; lying bars then need no scale."""
    places = 0 if (values.dropna() % 1 == 0).all() else chart.places
    for position, value in values.dropna().items():
        up = value >= 0
        if standing:
            where, off, side = (position, value), (0, 4 if up else -4), ("center", "bottom" if up else "top")
        else:
            where, off, side = (value, position), (5 if up else -5, 0), ("left" if up else "right", "center")
        look = {"ha": side[0], "va": side[1], "fontsize": 9, "textcoords": "offset points"}
        chart.ax.annotate(num(value, places), where, off, **look)
    chart.ax.margins(**{"y" if standing else "x": 0.12 if standing else 0.2})
    if not standing:
        chart.ax.set_xticks([])


def heat(
    frame: Any,
    *,
    centre: float | None = 0,
    limits: tuple[float, float] | None = None,
    own: Mapping[str, tuple[Any, Any]] | None = None,
    marks: Mapping[Any, str] | None = None,
    split: tuple[int, int] = (0, 0),
    share: bool = True,
    kinds: tuple[str, str] | None = None,
    **carry: Unpack[Carry],
) -> Chart:
    """A matrix in colour, centred on zero (or not: ``centre=None``); figures are printed where cells are few.

    Parameters
    ----------
    frame : rows by columns, or several frames by name, side by side on one scale
    limits : ends of the scale; without them the largest value either way of ``centre``
    own : cells that are framed and named in the key with their value, as (row, column)
    marks : words above a column (a date)
    split : a line after so many rows, and after so many columns
    share : print the share of cells above the centre
    kinds : words for 0 and for 1, of cells that are nothing else
    """
    panels = dict(frame) if isinstance(frame, Mapping) else {"": frame}
    first, own = next(iter(panels.values())), own or {}
    few = sum(panel.size for panel in panels.values()) <= 120
    with style.context(STYLE):
        carry.setdefault("height", 3.0 if len(panels) > 1 else min(4.6, 0.9 + 0.36 * len(first)))
        chart = Chart("Heat map", first, carry, columns=len(panels))
        low, high = limits or _scale(panels.values(), centre)
        # 65 steps, so that the picture needs few colours; the middle one is white.
        shades: Any = colormaps["cividis" if centre is None else DIVERGING].resampled(65)
        look = {"vmin": low, "vmax": high, "cmap": list(_BINARY) if kinds else shades}
        look["linewidths"] = 0.6 if few or kinds else 0
        for ax, (name, values) in zip(chart.axes, panels.items(), strict=True):
            _matrix(ax, values, few, lambda v: num(v, chart.places, sign=centre == 0), look)
            _label_cells(chart, ax, values, own)
            told = _share_above(values, centre) if share and centre is not None else ""
            ax.set_title(
                textwrap.fill(f"{name}: {told}" if told else name, 44 // len(panels)) if name else ""
            )
            chart.words += [f"{told.capitalize()} cells."] if told and not name else []
            for after, draw in zip(split, (ax.axhline, ax.axvline), strict=True):
                if after:
                    draw(after, color=INK, linewidth=2)
        for position, (label, cell) in enumerate(own.items()):
            _frame_cell(chart, panels, label, cell, position)
        _rules(chart, marks, {**_DOTTED, "color": INK}, lambda when: _place(first.columns, when) + 0.5)
        chart.ax.set(ylabel=carry.get("x", ""), xlabel=carry["unit"] if few else "")
        for ax in chart.axes[1:]:
            ax.set_yticklabels([])
        _shades_key(chart, first, kinds, few)
        size = " rows by ".join(map(str, first.shape))
        chart.summary = f"{size} columns, on a scale from {num(low)} to {num(high)}."
        chart.table = _few_columns(panels, [*(cell[1] for cell in own.values()), *(marks or {})])
        return chart.finish()


def _shades_key(chart: Chart, frame: pd.DataFrame, kinds: tuple[str, str] | None, few: bool) -> None:
    """What a shade means: words for two kinds, a scale where no figures are printed."""
    for value, (words, colour) in enumerate(zip(kinds or (), _BINARY, strict=False)):
        chart.swatch(f"{words} ({int((frame == value).to_numpy().sum())})", colour)
    if not few and not kinds:
        look: Any = {"location": "bottom", "shrink": 0.8, "aspect": 40, "label": chart.carry["unit"]}
        bar = chart.figure.colorbar(chart.ax.collections[0], ax=chart.axes, **look)
        bar.outline.set_visible(False)


def _scale(frames: Iterable[pd.DataFrame], centre: float | None) -> tuple[float, float]:
    values = np.concatenate([frame.to_numpy(float).ravel() for frame in frames])
    if centre is None:
        return float(np.nanmin(values)), float(np.nanmax(values))
    far = float(np.nanmax(np.abs(values - centre))) or 1.0
    return centre - far, centre + far


def _share_above(frame: pd.DataFrame, centre: float) -> str:
    known = frame.to_numpy(float)[frame.notna().to_numpy()]
    return f"above {num(centre, 0)} in {num((known > centre).mean() * 100, 0, '%')} of {len(known)}"


def _matrix(ax: Any, frame: pd.DataFrame, few: bool, words: Any, look: Mapping[str, Any]) -> None:
    import seaborn as sns

    told = frame.map(lambda value: "" if pd.isna(value) else words(value)).to_numpy() if few else False
    bare = {"cbar": False, "xticklabels": False, "yticklabels": False, "fmt": ""}
    sns.heatmap(frame.astype(float), ax=ax, annot=told, annot_kws={"fontsize": 9}, **bare, **look)
    ax.grid(visible=False)
    ax.set(xlabel="", ylabel="")


def _label_cells(chart: Chart, ax: Any, frame: pd.DataFrame, own: Mapping[str, tuple[Any, Any]]) -> None:
    """Names of rows and columns: all if they are words; of dates and numbers as many as have room."""
    room = len(frame) * 0.19 / chart.carry["height"], frame.shape[1] * 0.4 * len(chart.axes) / 3.8
    for side, labels, axis in ((0, frame.index, ax.yaxis), (1, frame.columns, ax.xaxis)):
        asked = [cell[side] for cell in own.values()]
        spots, form = _ticks(labels, asked, room[side]), "{} %b" if side == 0 else "{}\n%b"
        dates = isinstance(labels, pd.DatetimeIndex)
        if dates and not asked and (labels[-1] - labels[0]).days > 75:
            spots, form = [i for i in range(1, len(labels)) if labels[i].month != labels[i - 1].month], "%b"
        shown, wide = labels[spots], 26 if side == 0 else max(6, 42 // len(labels))
        names = (
            [f"{day:{form}}".format(day.day) for day in shown]
            if dates
            else [textwrap.fill(str(label), wide, break_long_words=False) for label in shown]
        )
        axis.set_ticks([i + 0.5 for i in spots], names)
    ax.tick_params(axis="both", rotation=0)


def _ticks(labels: pd.Index, wanted: Sequence[Any], room: float) -> list[int]:
    """Which labels are named: all of words; of dates those asked for and others at least ``room`` cells apart."""
    if not isinstance(labels, pd.DatetimeIndex):
        numeric = pd.api.types.is_numeric_dtype(labels)
        return list(range(0, len(labels), max(1, int(np.ceil(room))) if numeric else 1))
    asked, chosen = [_place(labels, day) for day in wanted], list[int]()
    for spot in (*asked, 0, len(labels) - 1, *range(0, len(labels), max(1, round(1.7 * room)))):
        if all(abs(spot - other) >= (1 if spot in asked else 1.5) * room for other in chosen):
            chosen.append(spot)
    return sorted(chosen)


def _frame_cell(
    chart: Chart, panels: Mapping[str, pd.DataFrame], label: str, cell: tuple[Any, Any], position: int
) -> None:
    told: list[str] = []
    edge: dict[str, Any] = {"edgecolor": INK, "linestyle": ("-", (0, (1.2, 0.9)))[position % 2]}
    for ax, frame in zip(chart.axes, panels.values(), strict=True):
        row, column = _place(frame.index, cell[0]), _place(frame.columns, cell[1])
        ax.add_patch(Rectangle((column, row), 1, 1, fill=False, linewidth=2, clip_on=False, zorder=5, **edge))
        told.append(num(float(frame.iloc[row, column]), chart.places, sign=True))
    chart.swatch(f"{label}: {' and '.join(told)}", "none", linewidth=1.6, **edge)


def _few_columns(panels: Mapping[str, pd.DataFrame], asked: Sequence[Any]) -> pd.DataFrame:
    """A table of a matrix: all of it if it is narrow, else the columns asked for (or six); several panels in one."""
    parts = []
    for name, frame in panels.items():
        wanted: Sequence[int] = range(frame.shape[1])
        if len(wanted) > 12:
            wanted = [_place(frame.columns, day) for day in asked] or wanted[:: -(-len(wanted) // 6)]
        shown = frame.iloc[:MOST_ROWS, sorted({*wanted, frame.shape[1] - 1})]
        dates = isinstance(shown.columns, pd.DatetimeIndex)
        called = [date(label) if dates else " ".join(str(label).split()) for label in shown.columns]
        parts.append(shown.set_axis([f"{name}, {words}" if name else words for words in called], axis=1))
    return pd.concat(parts, axis=1)


def spread(
    values: Any,
    *,
    own: float,
    name: str,
    of: str = "cases",
    colour: str = "small",
    bins: int = 60,
    references: Mapping[float, str] | None = None,
    **carry: Unpack[Carry],
) -> Chart:
    """How often each value occurs, with one's own; what is as high or higher is coloured and counted.

    Parameters
    ----------
    values : the cases, a Series or an array; whole numbers get a bar each
    own, name : one's own value and its words
    of : what a case is called, in the plural
    references : words at a value
    """
    cases = pd.Series(np.asarray(values, float)).dropna()
    outside = cases >= own
    whole, share = bool((cases % 1 == 0).all()), outside.mean() * 100
    with style.context(STYLE):
        chart = Chart("Histogram", _wide(values) if isinstance(values, pd.Series) else cases, carry)
        figure = num(own, 0 if whole else chart.places)
        edges, hue = _edges(cases, own, bins, whole), COLOUR[colour]
        _histogram(chart.ax, cases, outside, edges, hue)
        if 0 < share < 5:
            _zoom(chart.ax, cases, outside, edges, hue)
        chart.ax.axvline(own - 0.5 * whole, color=hue, linewidth=1.6)
        chart.mark(own, f"{name}: {figure}")
        side = "as high or higher"
        told = f"{outside.sum():,} of {len(cases):,} {of} ({num(share, 1 if 0 < share < 10 else 0, '%')})"
        chart.swatch(f"{side}: {told}", hue, **_HATCH)
        chart.swatch("the others", COLOUR["band"])
        chart.colours = ({} if outside.all() else {"the others": COLOUR["band"]}) | (
            {name: hue} if share else {}
        )
        _rules(chart, references, _DOTTED)
        chart.ax.set(xlabel=carry["unit"], ylabel=carry.get("x", f"Number of {of}"))
        chart.ax.grid(axis="x", visible=False)
        chart.ax.margins(x=0.01)
        chart.ax.locator_params(axis="y", integer=True)
        chart.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        chart.summary = f"{name}: {figure}; {side} are {told}."
        chart.table = _quantiles(cases, {name: float(own), f"Share {side}, %": share})
        return chart.finish()


def _quantiles(cases: pd.Series, more: Mapping[str, float]) -> pd.DataFrame:
    named = {0: "lowest", 0.5: "median", 1: "highest"}
    found = cases.quantile([0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1])
    rows = found.rename(lambda share: named.get(share, f"{share * 100:.0f} % lie below"))
    return pd.DataFrame({"Value": rows.to_dict() | dict(more)}).rename_axis("Distribution")


def _edges(cases: pd.Series, own: float, bins: int, whole: bool) -> np.ndarray:
    """Edges of equal width with one's own value on an edge, so that no bar lies on both sides of it."""
    low, high = min(cases.min(), own), max(cases.max(), own)
    if whole and high - low <= 120:
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    width = (high - low) / bins or 1.0
    before, after = int(np.ceil((own - low) / width)) + 1, int(np.ceil((high - own) / width)) + 1
    return own + width * np.arange(-before, after + 1)


def _histogram(ax: Any, cases: pd.Series, outside: pd.Series, edges: np.ndarray, hue: str) -> None:
    import seaborn as sns

    for part, colour, hatch in ((cases[~outside], COLOUR["band"], ""), (cases[outside], hue, "////")):
        # Counted here: of millions of cases seaborn would make several copies.
        held = pd.DataFrame({"x": (edges[1:] + edges[:-1]) / 2, "n": np.histogram(part, edges)[0]})
        before, look = len(ax.patches), {"color": colour, "alpha": 1, "edgecolor": "white", "linewidth": 0.4}
        sns.histplot(held, x="x", weights="n", bins=list(edges), ax=ax, **look)
        for bar in ax.patches[before:]:
            bar.set_hatch(hatch)


def _zoom(ax: Any, cases: pd.Series, outside: pd.Series, edges: np.ndarray, hue: str) -> None:
    """The upper tail again, high enough to be seen, in the emptier half of the panel."""
    far = cases[outside]
    place = 0.02 + 0.96 * (far.min() - edges[0]) / (edges[-1] - edges[0])
    room = 0.99 - max(0.62, place + 0.06)
    inner = ax.inset_axes((0.99 - room, 0.36, room, 0.5) if room >= 0.25 else (0.08, 0.36, 0.31, 0.5))
    _histogram(inner, cases, outside, edges, hue)
    edge = (far.max() - far.min()) * 0.06 or 1
    top = np.histogram(far, edges)[0].max() * 1.15
    inner.set(xlim=(far.min() - edge, far.max() + edge), ylim=(0, top), xlabel="", ylabel="")
    inner.set_title("coloured part, enlarged", fontsize=9, fontweight="normal")
    inner.tick_params(labelsize=9)
    inner.grid(axis="x", visible=False)


def timeline(
    frame: pd.DataFrame,
    *,
    colours: Colours | None = None,
    marks: Mapping[Any, str] | None = None,
    **carry: Unpack[Carry],
) -> Chart:
    """Windows as bars on an axis of dates; each is named at the left with its days.

    Parameters
    ----------
    frame : a row a window, top to bottom; columns ``first`` and ``last`` (dates), and ``words`` if more is to be said
    colours : names of COLOUR by row
    marks : words at a date, above the chart
    """
    first, last = pd.to_datetime(frame["first"]), pd.to_datetime(frame["last"])
    more = frame["words"].fillna("") if "words" in frame else [""] * len(frame)
    told = [
        short_date(a) + (f" to {short_date(b)}" if b > a else "") + (f", {words}" if words else "")
        for a, b, words in zip(first, last, more, strict=True)
    ]
    with style.context(STYLE):
        carry.setdefault("height", 0.6 + 0.55 * len(frame))
        carry.setdefault("to", last.max())
        chart = Chart("Timeline", frame, carry)
        ax, starts, stops = chart.ax, date2num(first), date2num(last) + 1
        for row, (name, start, stop) in enumerate(zip(frame.index, starts, stops, strict=True)):
            chart.colours[str(name)] = _colour(name, 1, colours)
            ax.barh(row, stop - start, left=start, height=0.55, color=chart.colours[str(name)])
        _rules(chart, marks, _DOTTED, lambda day: float(date2num(pd.Timestamp(day))) + 0.5)
        labels = [f"{textwrap.fill(name, 26)}\n{days}" for name, days in zip(frame.index, told, strict=True)]
        ax.set_yticks(range(len(frame)), labels)
        pad = (stops.max() - starts.min()) * 0.03
        ax.set(ylim=(len(frame) - 0.4, -0.6), xlim=(starts.min() - pad, stops.max() + pad))
        ax.set_xlabel(carry["unit"])
        _date_axis(ax)
        ax.grid(axis="y", visible=False)
        chart.summary = f"{and_more([' '.join(label.split()) for label in labels], 20)}."
        chart.table = pd.DataFrame({"When": told}, index=frame.index.rename(frame.index.name or "Window"))
        return chart.finish()


def curve(
    frame: pd.DataFrame,
    *,
    own: Any = None,
    references: Mapping[float, str] | None = None,
    **carry: Unpack[Carry],
) -> Chart:
    """A specification curve: one dot a specification, by size, shaped by its verdict; below, what each one changed.

    Parameters
    ----------
    frame : a row a specification; columns ``value`` (number), ``verdict`` (word) and ``axis`` (what was changed)
    own : the label of the row that is the measurement as it stands
    references : words for a line at a value, such as the bound of the rule
    """
    import seaborn as sns

    ranked = frame.dropna(subset=["value"]).sort_values("value", kind="stable")
    axes, at = list(dict.fromkeys(ranked["axis"])), np.arange(len(ranked))
    with style.context(STYLE):
        carry.setdefault("height", 2.4 + 0.27 * len(axes))
        chart = Chart("Specification curve", ranked, carry, rows=(2.4, 0.3 + 0.27 * len(axes)))
        top, under = chart.axes
        height = ranked["value"].to_numpy(float), ranked["axis"].map(axes.index).to_numpy(float)
        given = ranked["verdict"].unique()
        kinds = [kind for kind in VERDICT if kind in given] + [kind for kind in given if kind not in VERDICT]
        for position, kind in enumerate(kinds):
            hue, shape = VERDICT.get(kind, (_NEUTRAL[position % 3], _SHAPES[position % len(_SHAPES)]))
            part = (ranked["verdict"] == kind).to_numpy()
            for ax, y in zip((top, under), height, strict=True):
                look = {"color": hue, "marker": shape, "s": 34, "linewidth": 0, "legend": False}
                sns.scatterplot(x=at[part], y=y[part], ax=ax, **look)
            chart.dot(f"{str(kind).replace('-', ' ')} ({part.sum()} of {len(ranked)})", hue, shape)
            chart.colours[str(kind)] = hue
        if own in ranked.index:
            ring = {"markerfacecolor": "none", "markeredgecolor": INK, "markeredgewidth": 1.5}
            top.plot(at[_place(ranked.index, own)], ranked.loc[own, "value"], "o", markersize=12, **ring)
            chart.dot("as judged", INK, "o", **ring)
        _bounds(chart, top, references)
        top.set_ylabel(carry["unit"])
        under.set_yticks(range(len(axes)), [str(name) for name in axes])
        under.set(ylabel="", xlabel=carry.get("x", "Specifications, by size"), xticks=[])
        under.set(ylim=(len(axes) - 0.5, -0.5), xlim=(-1, len(ranked)))
        chart.words.append("A dot is one way to measure; its row below says what that way changes.")
        ends = " to ".join(num(ranked["value"].iloc[i]) for i in (0, -1))
        chart.summary = f"{len(ranked)} specifications from {ends}."
        chart.table = _decisive(ranked[["axis", "value", "verdict"]], [own] if own in ranked.index else [])
        return chart.finish()
