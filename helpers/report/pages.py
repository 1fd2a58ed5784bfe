"""One executed notebook as the body of a page: its cells, and its outputs from the data they carry."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from helpers import notebooks, tables
from helpers.claims import card, registry
from helpers.report import markup
from helpers.report.environment import NOT_JUDGED, ReportError, citation, pieces
from helpers.report.markup import Context, Links, escape, safe

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from helpers.claims import Claim

#: As helpers.figure names it; reading it there would load the whole of Matplotlib.
CHART = "application/vnd.claims.chart+json"
#: What reading an output may raise that is not what it says it is.
_GARBLED = (ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError)
#: Pixels of the largest picture.
MOST_PIXELS = 50_000_000
#: Sections that a reader looks things up in: folded, where the notebook names them so.
FOLDED = ("## Loose words, defined", "## Data")


@dataclass(frozen=True)
class Row:
    """One claim with its verdict, if it has one, and the address of its page."""

    claim: Claim
    verdict: dict[str, Any] | None
    href: str

    @property
    def key(self) -> str:
        """CSS class and filter value of the verdict."""
        return self.verdict["verdict"] if self.verdict else NOT_JUDGED

    @property
    def section(self) -> str:
        """The article's section, in our words."""
        return registry.sections()[self.claim.section]

    @property
    def article(self) -> str | None:
        """The article's own figure, in words."""
        return card.article_figure(self.verdict) if self.verdict else None


@dataclass(frozen=True)
class Figure:
    """A chart on a page: where its picture and its numbers are, and what is said of it."""

    page: str
    anchor: str
    source: str
    csv: str
    alt: str
    width: int
    height: int
    about: Mapping[str, Any]


@dataclass
class Page:
    """What a template needs of one notebook. ``note`` says why it is not of this run; empty if it is."""

    name: str
    title: str
    body: str
    contents: list[tuple[int, str, str]]
    claims: list[str]
    note: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    charts: dict[str, Figure] = field(default_factory=dict)  # claim -> the last chart before its card

    @property
    def number(self) -> str:
        """The notebook's number, as in its file name."""
        return self.name[:2]


def render(
    name: str,
    notebook: NotebookNode,
    owned: list[str],
    links: Links | None = None,
    shift: int = 0,
    rows: Mapping[str, Row] | None = None,
) -> Page:
    """Write one notebook's page: the answer before the claims, what is looked up folded.

    Parameters
    ----------
    name : of the notebook, without suffix
    notebook : executed
    owned : ids of the claims that it judges; their cards become anchors
    links : how pages address each other
    shift : levels by which headings are lowered, for one file that holds every page
    rows : every claim with its verdict
    """
    context = Context(name, links or Links(), shift, frozenset(owned))
    page = Page(name, name, "", [], owned)
    writer = _Writer(page, context, rows or {})
    body = "".join(writer.section(cells) for cells in _sections(notebook))
    if context.headings:
        page.title = context.headings[0][2]
    else:
        body = f"<h{1 + shift}>{escape(name)}</h{1 + shift}>\n{body}"
    page.body = body
    page.contents = [entry for entry in context.headings if entry[0] in (2, 3)]
    return page


def _sections(notebook: NotebookNode) -> list[list[tuple[int, NotebookNode]]]:
    """Cells with their numbers by section; where the first says what the article says, the answer comes before it."""
    numbers = {id(cell): number for number, cell in enumerate(notebooks.code_cells(notebook), 1)}
    found: list[list[tuple[int, NotebookNode]]] = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            found.append([])
        found[-1].append((numbers.get(id(cell), 0), cell))
    first = [output for cells in found[1:2] for _, cell in cells for output in cell.get("outputs", ())]
    if any(_shows(output) == "cards" for output in first):
        found[1:3] = found[1:3][::-1]
    return found


def _shows(output: NotebookNode) -> str:
    return str(output.get("data", {}).get(card.CLAIMS_MIME, {}).get("show", ""))


class _Writer:
    """The cells of one page as HTML, in order."""

    def __init__(self, page: Page, context: Context, rows: Mapping[str, Row]) -> None:
        self.page, self.context, self.rows = page, context, rows
        self.figure: Figure | None = None  # the last one of the section

    def section(self, cells: list[tuple[int, NotebookNode]]) -> str:
        """A section; one that is looked up only is folded under its heading."""
        parts = [part for number, cell in cells for part in self._cell(number, cell)]
        if not (cells and cells[0][1].source.startswith(FOLDED)):
            return "".join(parts)
        heading, end, rest = parts[0].partition(f"</h{2 + self.context.shift}>")
        return (
            f'<details class="fold"><summary>{heading}{end}</summary>\n{rest}{"".join(parts[1:])}</details>\n'
        )

    def _cell(self, number: int, cell: NotebookNode) -> Iterator[str]:
        if cell.cell_type == "markdown":
            before = len(self.context.headings)
            yield markup.markdown(cell.source, self.context)
            if len(self.context.headings) > before:
                self.figure = None
        elif number:
            try:
                yield self._code(number, cell)
            except _GARBLED as error:
                what = " ".join(f"{type(error).__name__}: {error}".split())[:120]
                raise ReportError(
                    f"{self.page.name}, code cell {number} holds an output that cannot be shown ({what}); "
                    f"execute it again with `python -m helpers notebooks {self.page.name}`."
                ) from None

    def _code(self, number: int, cell: NotebookNode) -> str:
        """Code folded away, its output in the open; a solution folded as a whole, an exercise not at all."""
        tags = cell.metadata.get("tags", [])
        code = (
            f'<pre tabindex="0" role="group" aria-label="Code {number} of {self.page.name}"><code>'
            f"{markup.highlight(cell.source)}</code></pre>"
        )
        outputs = "".join(self._output(output, number) for output in cell.outputs)
        if "solution" in tags:
            return f'<details class="solution"><summary>Solution</summary>{code}{outputs}</details>\n'
        if "exercise" in tags:
            return f"{code}{outputs}\n"
        mark = " check" if "check" in tags else ""
        folded = f'<details class="code"><summary>Code {number}</summary>{code}</details>\n'
        return f'<div class="run{mark}">{folded}{outputs}</div>\n' if mark else f"{folded}{outputs}"

    def _output(self, output: NotebookNode, number: int) -> str:
        data = output.get("data", {})
        text = output.text if output.output_type == "stream" else str(data.get("text/plain", ""))
        if card.MIME in data:
            return self._verdict(card.whole(data[card.MIME]))
        if "image/png" in data:
            return self._chart(data, output.get("metadata", {}).get("image/png", {}))
        if tables.MIME in data:
            return self._table(data[tables.MIME])
        if kind := _shows(output):
            shown = [self.rows[key] for key in data[card.CLAIMS_MIME]["claims"] if key in self.rows]
            return str(pieces().tiles(shown) if kind == "tiles" else self._claims(shown))
        if data.get("text/html", "").startswith('<div class="rr-chart">'):
            return ""  # what a plain export shows around a chart: here it is made from the chart's data
        if "text/markdown" in data:
            return f'<div class="said">{markup.markdown(data["text/markdown"], self.context)}</div>\n'
        if "text/html" in data and ' class="rr-' in data["text/html"][:60]:
            return markup.scroll(safe(data["text/html"]), self.context.table())
        if not text.strip():
            return ""
        label = f"Output of code {number} of {self.page.name}"
        shown_text = markup.plain(text.rstrip())
        return f'<pre class="out" tabindex="0" role="group" aria-label="{label}">{shown_text}</pre>\n'

    # ---------------------------------------------------------------------------------------------- claims

    def _verdict(self, payload: dict[str, Any]) -> str:
        """The card with its links; the first card of a claim that the notebook judges is a place to go to."""
        key, context, place = payload["id"], self.context, ""
        if key in context.owned and key not in context.ids:
            place = context.links.id(context.page, context.unique(key))
            if self.figure:
                self.page.charts[key] = self.figure
        links = [(context.href(self.figure.page, self.figure.anchor), "Chart")] if self.figure else []
        links.append((context.href("article", key), "Place in the article"))
        links.append(
            (context.href("index", key), "Scoreboard")
            if context.links.one_file
            else (context.href(key), "All figures, the rule and the sources")
        )
        whole = context.links.one_file  # elsewhere the claim has a page of its own
        body = Markup(safe(card.as_html(payload, every=whole, folded=whole)))
        return str(pieces().verdict(key, payload["verdict"], body, links, place))

    def _claims(self, rows: list[Row]) -> str:
        """What the article says, with the verdicts; the first row of a claim is a place to go to."""
        places = {}
        for key in (row.claim.id for row in rows):
            if key in self.context.owned and f"{key}-said" not in self.context.ids:
                places[key] = self.context.links.id(self.context.page, self.context.unique(f"{key}-said"))
        return str(pieces().claims(rows, places, self.context.table()))

    # ---------------------------------------------------------------------------------------------- tables

    def _table(self, table: Mapping[str, Any]) -> str:
        """A table: numbers to the right and unbroken, long texts wide, claims as links to their pages.

        A column that says the same in every row of many is said once, in the caption.
        """
        columns = table["columns"]
        texts = [
            [tables.cell(value, column["digits"]) for value, column in zip(row, columns, strict=True)]
            for row in table["rows"]
        ]
        constant = [
            place
            for place, column in enumerate(columns)
            if place
            and column["kind"] == "text"
            and len(texts) > 3
            and len({row[place] for row in texts}) == 1
        ]
        kept = [place for place in range(len(columns)) if place not in constant]
        widths = {place: max((len(row[place]) for row in texts), default=0) for place in kept}
        css = {place: "long" if wide > 45 else "mid" if wide > 18 else "" for place, wide in widths.items()}
        if widths[0] <= 18:
            css[0] = "short"
        headed = table["headed"]
        css |= {p: "num" for p in kept if columns[p]["kind"] == "number" and not (headed and p == 0)}
        said = "; ".join(f"{columns[p]['name']}: {texts[0][p]}" for p in constant)
        caption = " · ".join(filter(None, [table.get("caption", ""), f"all rows: {said}" if said else ""]))
        made = pieces().table(
            caption, columns, kept, css, texts, headed, self._addresses(texts), self.context.table()
        )
        return str(made)

    def _addresses(self, texts: list[list[str]]) -> dict[str, str]:
        """Addresses of the cells that name a claim."""
        return {text: self.rows[text].href for row in texts for text in row if text in self.rows}

    # ---------------------------------------------------------------------------------------------- charts

    def _chart(self, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
        """A chart: the picture, with its title and source line as text, and the numbers behind it."""
        from PIL import Image

        image = base64.b64decode("".join(data["image/png"].split()), validate=True)
        wide, high = struct.unpack(">II", image[16:24]) if image[:8] == b"\x89PNG\r\n\x1a\n" else (0, 0)
        width = int(metadata.get("width", wide))
        if not (0 < wide * high <= MOST_PIXELS and width > 0):
            raise ValueError(f"a picture of {wide} by {high} pixels, {width} wide")
        Image.open(io.BytesIO(image)).verify()
        about = data.get(CHART, {})
        name = f"img/{self.page.number}-{hashlib.sha256(image).hexdigest()[:10]}"
        anchor = self.context.figure()
        self.figure = Figure(
            self.page.name,
            anchor,
            f"{name}.png",
            f"{name}.csv" if about else "",
            str(metadata.get("alt") or data.get("text/plain") or ""),
            width,
            round(high * width / wide),
            about,
        )
        table = Markup(self._table(about["table"])) if about else ""
        if self.context.links.one_file:
            source = "data:image/png;base64," + base64.b64encode(image).decode()
        else:
            source = self.figure.source
            self.page.files[source] = image
            if about:
                self.page.files[self.figure.csv] = numbers(about).encode("utf-8")
        place = self.context.links.id(self.page.name, anchor)
        return str(pieces().figure(self.figure, source, place, table, not self.context.links.one_file))


def numbers(about: Mapping[str, Any]) -> str:
    """The numbers behind a chart as CSV, after lines that say what they are and how to cite them."""
    stream = io.StringIO()
    cited = citation()
    said = [about["title"], about["source"]]
    said += [f"Cite: {cited['authors']}. {cited['title']}."] if cited else []
    for line in said:
        stream.write(f"# {' '.join(markup.visible(str(line)).split())}\n")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column["name"] for column in about["table"]["columns"]])
    for row in about["table"]["rows"]:
        # A text that a spreadsheet would take for a formula is a text.
        writer.writerow([f"'{cell}" if str(cell)[:1] in ("=", "+", "@") else cell for cell in row])
    return stream.getvalue()
