"""What every chart carries, and how it is laid out: key, labels that collide with nothing, picture, words, numbers."""

from __future__ import annotations

import base64
import html
import io
import re
import textwrap
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, Required, TypedDict

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.ticker import ScalarFormatter, StrMethodFormatter
from matplotlib.transforms import Bbox

from helpers import market, tables
from helpers.files import HelperError
from helpers.words import date, listing, made_up, num

STYLE = Path(__file__).with_name("house.mplstyle")
MIME = "application/vnd.claims.chart+json"
#: Inches, and pixels of a page: letters of 9 points have 15 pixels on a wide one and 9 on a phone.
WIDTH, PAGE = 4.8, 576
#: Dots of a stored picture for each pixel of a page, and dots per inch at which its labels are placed.
DENSITY = 2
DPI = 1.5 * PAGE / WIDTH
INK, QUIET = "#111111", "#555555"
#: On which side of their mark words may stand, and how far that moves them, in their width.
_SIDES: dict[Any, float] = {"center": 0, "left": 0.5, "right": -0.5}
#: Points by which words may be moved from what they name, and the directions that are tried.
_FAR = (4, 6, 9, 14, 20, 29, 40, 54, 72, 95, 122)
_TURNS = (90, 270, 45, 135, 315, 225, 0, 180, 20, 160, 340, 200)
HALO = [withStroke(linewidth=3, foreground="white")]
PROVIDERS = {
    "yahoo": "Yahoo Finance",
    "fred": "FRED",
    "french": "Kenneth R. French Data Library",
    "shiller": "Robert Shiller",
    "ishares": "iShares",
    "nasdaq-screener": "Nasdaq stock screener",
    "interactive-brokers": "Interactive Brokers",
}
_DATE = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\s+(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*")
_DAY = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")


class Carry(TypedDict, total=False):
    """What every verb takes besides its frame.

    title : the finding, one sentence; unit : words for the axis of values; x : words for the other axis
    alt : made from title and frame if not given; note : one line under the title on how to read the chart
    table, digits : the numbers behind the chart and their decimals; the plotted ones, or the decisive 60
    series : ids of the catalogue, added to those among the frame's columns; also : other sources, in words
    data : the market, if not the notebook's own; to : last date shown, if the frame has none
    shows : numbers of the title that the picture would not show; they stand under it. height : inches
    """

    title: Required[str]
    unit: Required[str]
    x: str
    alt: str
    note: str
    table: pd.DataFrame
    digits: tables.Digits
    series: Sequence[str]
    also: str
    data: Any
    to: Any
    shows: Sequence[float | str]
    height: float


class Chart:
    """One finished chart. The last expression of a cell shows itself; elsewhere call :meth:`show`.

    ``ax`` (or ``axes``) is there for the rare last touch before it is shown.
    """

    def __init__(
        self, kind: str, frame: Any, carry: Carry, rows: Sequence[float] = (1,), columns: int = 1
    ) -> None:
        self.kind, self.carry, self.frame = kind, carry, frame
        if len(carry["title"].split()) < 4:
            raise HelperError("A chart needs a title that states its finding in a sentence.")
        if "alt" in carry and len(carry["alt"].split()) < 8:
            raise HelperError(
                "A chart needs alt text that states its finding in a sentence; leave it out to have it made."
            )
        if not frame.size or not frame.notna().to_numpy().any():
            raise HelperError(f"The chart “{carry['title']}” has no numbers to draw.")
        self.figure = Figure(figsize=(WIDTH, carry.get("height", 2.8)), dpi=DPI, layout="constrained")
        self._canvas = FigureCanvasAgg(self.figure)
        ratios = {"height_ratios": list(rows)}
        grid = self.figure.subplots(
            len(rows), columns, sharex=len(rows) > 1, squeeze=False, gridspec_kw=ratios
        )
        self.axes = list(grid.flat)
        self.ax = self.axes[0]
        self.key: list[Any] = []
        self.words: list[str] = []
        self.colours: dict[str, str] = {}
        self.table: pd.DataFrame | None = None
        self.summary, self.overlaps = "", list[str]()
        self.synthetic = made_up(carry.get("data")) or made_up(frame)
        self._marks: list[Text] = []
        self._ends: dict[Any, list[Text]] = {}
        self._notes: list[tuple[Any, float, float, Text]] = []

    def mark(self, x: Any, text: str) -> None:
        """Words above the first panel at x; they are stacked where they would meet."""
        look: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 9, "color": QUIET}
        place = self.ax.get_xaxis_transform()
        label = self.ax.annotate(text, (x, 1), (0, 3), place, "offset points", annotation_clip=False, **look)
        self._marks.append(label)

    def end(self, ax: Any, y: float, text: str, colour: str, bold: bool = True, dashes: Any = "-") -> None:
        """Words to the right of a panel, at the height y, led to by the dashes of what they name."""
        leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 2, "shrinkB": 1}
        leader |= {"relpos": (0, 0.5), "linestyle": dashes}
        where: Any = ("axes fraction", "data"), "offset points"
        label = ax.annotate(textwrap.fill(text, 15), (1, y), (11, 0), *where, arrowprops=leader, va="center")
        label.set(color=colour, fontsize=9.5 if bold else 9, fontweight="bold" if bold else "normal")
        label.set(linespacing=1.05, annotation_clip=False)
        self._ends.setdefault(ax, []).append(label)

    def write(self, ax: Any, x: float, y: float, text: str, colour: str = INK) -> None:
        """Words near a point of a panel, wherever they cross no line and no other words."""
        leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 4}
        label = ax.annotate(text, (x, y), (0, 0), "data", "offset points", arrowprops=leader)
        label.set(ha="center", va="center", annotation_clip=False)
        label.set(color=colour, fontsize=9, fontweight="bold", path_effects=HALO, zorder=6, in_layout=False)
        self._notes.append((ax, x, y, label))

    def swatch(self, words: str, colour: str, **look: Any) -> None:
        """An area of the key."""
        self.key.append(Patch(**{"facecolor": colour, "label": textwrap.fill(words, 58), **look}))

    def dot(self, words: str, colour: str, shape: str, **look: Any) -> None:
        """A mark of the key."""
        self.key.append(Line2D([], [], color=colour, marker=shape, linestyle="none", label=words, **look))

    def stroke(self, words: str, **look: Any) -> None:
        """A line of the key."""
        self.key.append(Line2D([], [], label=words, **look))

    @property
    def places(self) -> int:
        """Decimals of the figures in the picture."""
        digits = self.carry.get("digits", 2)
        return digits if isinstance(digits, int) else 2

    def finish(self) -> Chart:
        """Lay out, place the labels, and refuse what a reader could not read or would miss."""
        for axes in self.axes:
            axes.set_ylabel(textwrap.fill(axes.get_ylabel(), 34))
            axes.set_xlabel(textwrap.fill(axes.get_xlabel(), 38))
        self._grow(self._legend())
        self._grow(0.2 * self._stack())
        if self.synthetic:
            look: dict[str, Any] = {
                "fontsize": 40,
                "alpha": 0.12,
                "rotation": 20,
                "gid": "watermark",
                "in_layout": False,
            }
            self.figure.text(0.5, 0.5, tables.SYNTHETIC.split()[0], ha="center", va="center", **look)
        self.figure.set_layout_engine("none")
        for ax, labels in self._ends.items():
            _push_apart(ax, labels)
        for ax, x, y, label in self._notes:
            _settle(self.figure, ax, (x, y), label)
        self._check()
        return self

    def _grow(self, inches: float) -> None:
        """Make the figure higher, and lay it out."""
        self.figure.set_size_inches(WIDTH, self.figure.get_figheight() + inches)
        self.figure.draw_without_rendering()

    def _legend(self) -> float:
        """Set the key above the panels, in as few rows as have room; its height in inches."""
        for columns in range(len(self.key), 0, -1):
            key = self.figure.legend(
                handles=self.key, loc="outside upper left", ncols=columns, borderaxespad=0
            )
            box = _box(self.figure, key)
            if columns == 1 or box.width < 0.98 * self.figure.bbox.width:
                return box.height / DPI + 0.08
            key.remove()
        return 0.0

    def _stack(self) -> int:
        """Set the words of marks beside one another, or above where there is no room; how many rows are added."""
        taken: list[Bbox] = []
        highest, room = 0, self.figure.bbox
        for label in sorted(self._marks, key=lambda text: _box(self.figure, text).x0):
            box = _box(self.figure, label)
            for row, side in product(range(len(self._marks)), _SIDES):
                there = box.translated(_SIDES[side] * box.width, row * (box.height + 8))
                inside = room.x0 < there.x0 and there.x1 < room.x1
                if inside and not any(_overlap(there, other) for other in taken):
                    break
            label.set_horizontalalignment(side)
            label.set_position((0, 3 + row * (box.height + 8) * 72 / DPI))
            taken.append(Bbox.from_extents(there.x0 - 26, there.y0, there.x1 + 26, there.y1))
            highest = max(highest, row)
        return highest

    def _check(self) -> None:
        """Words that meet, or a title that the picture does not show, stop whoever writes a notebook.

        On other data than those it was written for a chart is better than none; what meets stands in the payload.
        """
        found = collisions(self.figure)
        self.overlaps = [f"{one}: {other}" for one, other in found]
        opened = market.current()
        if opened is not None and not opened.published:
            return
        if found:
            one, other = found[0]
            raise HelperError(
                f"In the chart “{self.carry['title']}” the words “{one}” meet {other}; "
                "shorten or leave out one of them."
            )
        if missing := self._unseen():
            raise HelperError(
                f"The title “{self.carry['title']}” says {', '.join(missing)}, which the picture does not show; "
                "draw it, or name it in shows=[...]."
            )

    @property
    def note(self) -> str:
        """What stands under the title: how to read the chart."""
        return " · ".join([*([self.carry["note"]] if "note" in self.carry else []), *self.words])

    @property
    def shows(self) -> str:
        """What stands under the picture: figures of the title that are not written in it."""
        shows = self.carry.get("shows", ())
        return " · ".join(num(value, 2) if isinstance(value, int | float) else value for value in shows)

    def _unseen(self) -> list[str]:
        """Numbers and dates of the title that stand nowhere in the picture, to the precision of the title."""
        title = " ".join(self.carry["title"].split())
        for entry in market.catalogue().values():
            for name in re.findall(r"[A-Z][\w&]*[ -]\d+\b", entry["name"]):
                title = title.replace(name, "")
        texts = [text.get_text() for text in _texts(self.figure, scales=False)]
        shown = " | ".join(" ".join(text.split()) for text in [*texts, self.note, self.shows, self.source])
        days, told = {m.groups() for m in _DATE.finditer(title)}, {m.groups() for m in _DATE.finditer(shown)}
        missing = [f"{day} {month}" for day, month in sorted(days - told)]
        title = _DATE.sub("", title)
        missing += [m.group() for m in _DAY.finditer(title) if m.group(1) not in {day for day, _ in told}]
        values = [_value(text) for text in _NUMBER.findall(_DATE.sub("", shown))]
        if (index := self._dates()) is not None:
            values += range(index[0].year, index[-1].year + 1)
        for text in _NUMBER.findall(_DAY.sub("", title)):
            value, places = _value(text), len(text.rstrip(",").partition(".")[2])
            if not any(abs(round(other, places) - value) < 10**-places / 2 for other in values):
                missing.append(text)
        return missing

    def _dates(self) -> pd.DatetimeIndex | None:
        for index in (self.frame.index, getattr(self.frame, "columns", None)):
            if isinstance(index, pd.DatetimeIndex):
                return index.sort_values()
        return None

    @property
    def ids(self) -> list[str]:
        """Ids of the catalogue behind the frame: named ones, and every one that a column or an attribute names."""
        known = market.catalogue()
        if unknown := [name for name in self.carry.get("series", ()) if name not in known]:
            market.describe(unknown)  # refused with a hint
        columns = [str(c) for c in getattr(self.frame, "columns", [getattr(self.frame, "name", "")])]
        held = [*columns, *map(str, self.frame.index)] if len(self.frame.index) <= 200 else columns
        found = [
            *self.carry.get("series", ()),
            *self.frame.attrs.get("series", ()),
            *(n for n in held if n in known),
        ]
        return list(dict.fromkeys(found))

    @property
    def source(self) -> str:
        """Providers, series and last date, or that the data are made up."""
        if self.synthetic:
            return "SYNTHETIC DATA: made-up prices, no statement about any market."
        providers: dict[str, list[str]] = {}
        for name in self.ids:
            providers.setdefault(PROVIDERS[market.catalogue()[name]["provider"]], []).append(name)
        parts = [f"{provider} ({', '.join(names)})" for provider, names in providers.items()]
        parts += [self.carry["also"]] if "also" in self.carry else []
        if not parts:
            raise HelperError(
                f"The chart “{self.carry['title']}” does not know its source; "
                "give series=[ids of the catalogue] or also=words."
            )
        index = self._dates()
        last = self.carry.get("to") or (index[-1] if index is not None else self.frame.attrs.get("as_of"))
        lacking: set[str] = set()
        if isinstance(held := market.current(), market.Market) and last:
            first = "1900" if index is None else f"{index[0]:%Y-%m-%d}"
            known = {day for name in self.ids for day in held.gaps(name)}
            lacking = {day for day in known if first <= day <= f"{pd.Timestamp(last):%Y-%m-%d}"}
        without = f"; without {listing([date(day) for day in sorted(lacking)])}" if lacking else ""
        return f"Data: {', '.join(parts)}{f'; to {date(last)}' if last else ''}{without}. Own calculation."

    @property
    def alt(self) -> str:
        """What the chart shows and finds, for who cannot see it."""
        text = (
            self.carry.get("alt")
            or f"{self.kind} of {self.carry['unit']}. {self.carry['title']}. {self.summary}".strip()
        )
        return f"Synthetic data. {text}" if self.synthetic else text

    def numbers(self) -> pd.DataFrame:
        """The table behind the chart."""
        frame = self.carry.get("table", self.table)
        frame = frame.to_frame() if isinstance(frame, pd.Series) else frame
        if frame is None:
            raise HelperError(f"The chart “{self.carry['title']}” has no table; give table=.")
        tables.check(frame)
        return frame

    def payload(self) -> dict[str, Any]:
        """The chart as plain data, from which a page can be built around the picture."""
        return {
            "kind": self.kind, "title": self.carry["title"], "note": self.note, "shows": self.shows,
            "unit": self.carry["unit"], "source": self.source, "series": self.ids, "synthetic": self.synthetic,
            "width": PAGE, "height": round(self.figure.get_figheight() * PAGE / WIDTH), "overlaps": self.overlaps,
            "table": tables.payload(self.numbers(), self.carry.get("digits", 2))
        }  # fmt: skip

    def picture(self) -> bytes:
        """The picture as PNG with exactly the colours that were drawn; equal bytes for equal charts.

        The style draws no half-tones along edges: with so few colours twice the density costs what a single one would
        cost with them, and a screen makes its own half-tones where it shows the picture smaller.
        """
        from PIL import Image

        drawn, raw = io.BytesIO(), io.BytesIO()
        with style.context(STYLE):
            self.figure.savefig(drawn, dpi=DENSITY * PAGE / WIDTH)
        dots = np.asarray(Image.open(drawn).convert("RGB"))
        colours, places = np.unique(dots @ (1 << np.array([16, 8, 0])), return_inverse=True)
        image = Image.fromarray(dots)
        if len(colours) <= 256:
            image = Image.fromarray(places.reshape(dots.shape[:2]).astype(np.uint8), "P")
            image.putpalette(b"".join(int(colour).to_bytes(3, "big") for colour in colours))
        image.save(raw, format="PNG", optimize=True)
        return raw.getvalue()

    def show(self) -> None:
        """Display one figure: title, picture, and below it the source, the picture in words and the numbers."""
        from IPython.display import display

        self._check()
        about, alt = self.payload(), self.alt
        title, note, shows, source = (
            html.escape(about[name]) for name in ("title", "note", "shows", "source")
        )
        numbers = tables.as_html(about["table"], tables.SYNTHETIC if self.synthetic else "")
        head = f'<div class="rr-chart"><strong>{title}</strong>{f"<br>{note}" if note else ""}</div>'
        foot = (
            f'<div class="rr-chart"><small>{f"{shows}<br>" if shows else ""}{source}</small>'
            '<details class="rr-data"><summary>The numbers behind this chart</summary>'
            f"{numbers}<p>In words: {html.escape(alt)}</p></details></div>"
        )
        size = {"width": about["width"], "height": about["height"], "alt": alt}
        display({"text/html": head, "text/plain": about["title"]}, raw=True)
        picture = base64.b64encode(self.picture()).decode()
        shown = {"image/png": picture, "text/plain": f"(chart) {about['title']}", MIME: about}
        display(shown, metadata={"image/png": size}, raw=True)
        display({"text/html": foot, "text/plain": about["source"]}, raw=True)

    def _ipython_display_(self) -> None:
        self.show()


def collisions(figure: Any) -> list[tuple[str, str]]:
    """Words that meet other words, a drawn line, a mark or the edge of the picture, each with what they meet."""
    texts = [text for text in _texts(figure) if text.get_gid() != "watermark"]
    words = [" ".join(text.get_text().split()) for text in texts]
    boxes = [_box(figure, text).padded(-2) for text in texts]
    (lines, points), page = _obstacles(figure), figure.bbox.padded(3)
    found = []
    for i, (own, box) in enumerate(zip(words, boxes, strict=True)):
        met = [f"“{words[j]}”" for j in range(i) if _overlap(boxes[j], box)]
        met += ["a line"] if _crosses(box, lines) else []
        met += ["a mark"] if _covers(box, points) else []
        met += [] if _inside(box, page) else ["the edge of the picture"]
        found += [(own, other) for other in met]
    return found


def _box(figure: Any, artist: Any) -> Bbox:
    renderer = figure.canvas.get_renderer()
    if isinstance(artist, Annotation):
        artist.update_positions(renderer)
    # An annotation's own extent would count its leader; the words alone are meant.
    kind = Text if isinstance(artist, Text) else type(artist)
    return kind.get_window_extent(artist, renderer)


def _overlap(one: Bbox, other: Bbox) -> bool:
    return bool(one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1)


def _inside(box: Bbox, room: Bbox) -> bool:
    return bool(room.contains(*box.min) and room.contains(*box.max))


def _all_axes(figure: Any) -> list[Any]:
    return [inner for ax in figure.axes for inner in (ax, *ax.child_axes)]


def _texts(figure: Any, scales: bool = True) -> list[Text]:
    """All words that are drawn; without ``scales``, the numbers along an axis of values are left out."""
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for ax in _all_axes(figure):
        found += [*ax.texts, ax._left_title, ax.xaxis.label, ax.yaxis.label]
        for axis in (ax.xaxis, ax.yaxis):
            if scales or not isinstance(axis.get_major_formatter(), ScalarFormatter | StrMethodFormatter):
                low, high = sorted(axis.get_view_interval())
                room = 1e-6 * (high - low)
                ticks = axis.get_major_ticks()
                found += [t.label1 for t in ticks if low - room <= t.get_loc() <= high + room]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _obstacles(figure: Any) -> tuple[list[Any], np.ndarray]:
    """Paths of the lines drawn with their panels, and the centres of marks, in pixels; context may be crossed."""
    lines, points = [], [np.empty((0, 3))]

    def marks(where: np.ndarray, size: float) -> None:
        points.append(np.column_stack([where, np.full(len(where), size / 2 * DPI / 72)]))

    for ax in _all_axes(figure):
        for line in ax.lines:
            if line.get_gid() != "context":
                path = line.get_transform().transform_path(line.get_path())
                lines += [(path, ax.bbox)] if line.get_linestyle() != "None" else []
                if line.get_marker() != "None":
                    marks(path.vertices, line.get_markersize())
        for drawn in ax.collections:
            if isinstance(drawn, LineCollection):
                lines += [(drawn.get_transform().transform_path(path), ax.bbox) for path in drawn.get_paths()]
            elif isinstance(drawn, PathCollection):
                where = np.ma.filled(drawn.get_offsets(), np.nan)
                marks(drawn.get_offset_transform().transform(where), np.sqrt(np.max(drawn.get_sizes())))
    every = np.concatenate(points)
    return lines, every[~np.isnan(every).any(axis=1)]


def _crosses(box: Bbox, lines: Sequence[Any]) -> bool:
    parts = ((path, Bbox.intersection(box, panel)) for path, panel in lines)
    return any(part is not None and path.intersects_bbox(part, filled=False) for path, part in parts)


def _covers(box: Bbox, points: np.ndarray) -> bool:
    x, y, size = points.T * np.array([[1], [1], [0.8]])
    return bool(((x + size > box.x0) & (x - size < box.x1) & (y + size > box.y0) & (y - size < box.y1)).any())


def _push_apart(ax: Any, labels: Sequence[Text]) -> None:
    """Set words one under another with the least movement in all (isotonic regression of their heights)."""
    from scipy.optimize import isotonic_regression

    figure = ax.figure
    wanted = [ax.transData.transform((0, label.xy[1]))[1] for label in labels]  # type: ignore[attr-defined]
    order = np.argsort(wanted, kind="stable")
    high = np.array([_box(figure, labels[i]).height + 6 for i in order])
    below = np.concatenate([[0], np.cumsum((high[1:] + high[:-1]) / 2)])
    around = ax.bbox.padded(18)
    room = Bbox([np.maximum(figure.bbox.min, around.min), np.minimum(figure.bbox.max, around.max)])
    level = isotonic_regression(np.array(wanted)[order] - below).x
    most = max(room.y0 + high[0] / 2, room.y1 - high[-1] / 2 - below[-1])
    level = np.clip(level, min(room.y0 + high[0] / 2, most), most) + below
    for place, i in zip(level, order, strict=True):
        labels[i].set_position((11, (place - wanted[i]) * 72 / DPI))
        leader = labels[i].arrow_patch
        leader.set_visible(abs(place - wanted[i]) > 6 or leader.get_linestyle() != "-")


def _settle(figure: Any, ax: Any, point: tuple[float, float], label: Text) -> None:
    """Move words to the nearest free place around their point; a leader is drawn where it is far."""
    words = _box(figure, label)
    bars = (p for p in ax.patches if isinstance(p, Rectangle) and p.get_gid() != "span")
    others = [_box(figure, text) for text in _texts(figure) if text is not label]
    others = [box.padded(3) for box in (*others, *(bar.get_window_extent() for bar in bars))]
    lines, points = _obstacles(figure)
    base, room = ax.transData.transform(point), Bbox([ax.bbox.min, ax.bbox.max + 2])
    for far, turn in product(_FAR, _TURNS):
        way = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))]).round(3)
        shift = way * far * DPI / 72 + np.sign(way) * np.array(words.size) / 2
        low = base + shift - np.array(words.size) / 2
        box = Bbox([low, low + words.size])
        wide, near = box.padded(6), box.padded(3)
        met = any(_overlap(near, other) for other in others) or _covers(wide, points) or _crosses(wide, lines)
        if met or not _inside(box, room):
            continue
        label.set_position(tuple(shift * 72 / DPI))
        label.arrow_patch.set_visible(far > 14)  # type: ignore[attr-defined]
        return


def _value(text: str) -> float:
    return float(text.replace(",", ""))
