"""One executed notebook as the body of a page: its cells, and its outputs from the data they carry."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from helpers import tables
from helpers.claims import card, registry
from helpers.files import HelperError
from helpers.report import markup
from helpers.report.markup import Context, Links, escape, safe

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: As helpers.figure names it; reading it there would load the whole of Matplotlib.
CHART = "application/vnd.claims.chart+json"
#: What reading an output may raise that is not what it says it is.
_GARBLED = (ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError)
#: Pixels of the largest picture.
MOST_PIXELS = 50_000_000


class ReportError(HelperError):
    """The report cannot be written."""


@dataclass
class Page:
    """What a template needs of one notebook. ``note`` says why it is not of this run; empty if it is."""

    name: str
    title: str
    body: str
    contents: list[tuple[int, str, str]]
    reviews: list[dict[str, Any]]
    claims: list[str]
    note: str = ""
    images: dict[str, bytes] = field(default_factory=dict)

    @property
    def number(self) -> str:
        """The notebook's number, as in its file name."""
        return self.name[:2]


def render(
    name: str, notebook: NotebookNode, owned: list[str], links: Links | None = None, shift: int = 0
) -> Page:
    """Write one notebook's page.

    Parameters
    ----------
    name : of the notebook, without suffix
    notebook : executed
    owned : ids of the claims that it judges; their cards become anchors
    links : how pages address each other
    shift : levels by which headings are lowered, for one file that holds every page
    """
    context = Context(name, links or Links(), shift, frozenset(owned))
    page = Page(name, name, "", [], [], owned)
    parts: list[str] = []
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(markup.markdown(cell.source, context))
        elif cell.cell_type == "code" and cell.source.strip():
            count += 1
            try:
                parts.append(_cell(cell, count, page, context))
            except _GARBLED as error:
                what = " ".join(f"{type(error).__name__}: {error}".split())[:120]
                raise ReportError(
                    f"{name}, code cell {count} holds an output that cannot be shown ({what}); "
                    f"execute it again with `python -m helpers notebooks {name}`."
                ) from None
    if not context.headings:
        parts.insert(0, f"<h{1 + shift}>{escape(name)}</h{1 + shift}>\n")
    else:
        page.title = context.headings[0][2]
    page.body = "".join(parts)
    page.contents = [entry for entry in context.headings if entry[0] in (2, 3)]
    return page


def _cell(cell: NotebookNode, number: int, page: Page, context: Context) -> str:
    """Code folded away, its output in the open; a solution folded as a whole, an exercise not at all."""
    tags = cell.metadata.get("tags", [])
    code = (
        f'<pre tabindex="0" role="group" aria-label="Code {number} of {page.name}"><code>'
        f"{markup.highlight(cell.source)}</code></pre>"
    )
    outputs = "".join(_output(output, number, page, context) for output in cell.outputs)
    if "solution" in tags:
        return f'<details class="solution"><summary>Solution</summary>{code}{outputs}</details>\n'
    if "exercise" in tags:
        return f"{code}{outputs}\n"
    return f'<details class="code"><summary>Code {number}</summary>{code}</details>\n{outputs}'


def _output(output: NotebookNode, number: int, page: Page, context: Context) -> str:
    if output.output_type == "stream":
        return _text(output.text, number, page.name)
    data = output.get("data", {})
    html, text = data.get("text/html", ""), str(data.get("text/plain", ""))
    if card.MIME in data:
        verdict = card.whole(data[card.MIME])
        page.reviews.append(card.claim_review(verdict))
        return _verdict(verdict, context)
    if CHART in data or "image/png" in data:
        return _figure(data, output.get("metadata", {}).get("image/png", {}), page, context)
    if tables.MIME in data:
        return _table(data[tables.MIME], context)
    if html.startswith('<div class="rr-claims">'):
        return _claims(text, context)
    if re.match('<(?:div|table|details|p) class="rr-', html):
        return markup.scroll(safe(html), context.table())
    if "text/markdown" in data:
        return f'<div class="said">{markup.markdown(data["text/markdown"], context)}</div>\n'
    return _text(text, number, page.name)


def _text(text: str, number: int, name: str) -> str:
    if not text.strip():
        return ""
    return (
        f'<pre class="out" tabindex="0" role="group" aria-label="Output of code {number} of {name}">'
        f"{markup.plain(text.rstrip())}</pre>\n"
    )


# ------------------------------------------------------------------------------------------------ claims


def _verdict(payload: dict[str, Any], context: Context) -> str:
    """The card with its links; the first card of a claim that the notebook judges is a place to go to."""
    key, place, links = payload["id"], "", []
    if key in context.owned and key not in context.ids:
        place = f' id="{context.links.id(context.page, context.unique(key))}"'
    if f"{key}-rule" in context.ids:
        links.append((context.href(context.page, f"{key}-rule"), "What the article says"))
    if context.section_figure:
        links.append((context.href(context.page, context.section_figure), "Chart"))
    links += [
        (context.href("article", key), "Place in the article"),
        (context.href("index", key), "Scoreboard"),
    ]
    items = "".join(
        f'<li><a href="{href}">{text}<span class="sr"> of {key}</span></a></li>' for href, text in links
    )
    return (
        f'<div class="verdict rr-{payload["verdict"]}"{place}>{safe(card.as_html(payload, every=True))}'
        f'<ul class="rr-links">{items}</ul></div>\n'
    )


def _claims(text: str, context: Context) -> str:
    """What the article says, from the registry: the ids begin the lines of the output's text."""
    shown = []
    for key in re.findall(r"(?m)^(C\d+) ", text):
        name, place, link = f"{key}-rule", "", ""
        if key in context.owned and name not in context.ids:
            place = f' id="{context.links.id(context.page, context.unique(name))}"'
        if key in context.links.verdicts:
            href = context.href(context.links.verdicts[key], key)
            link = f'<ul class="rr-links"><li><a href="{href}">Verdict<span class="sr"> on {key}</span></a></li></ul>'
        shown.append(f"<div{place}>{safe(card.Cards((registry.claim(key),))._repr_html_())}{link}</div>")
    return f'<div class="claims">{"".join(shown)}</div>\n'


# ------------------------------------------------------------------------------------------------ tables, charts


def _table(table: dict[str, Any], context: Context) -> str:
    """A table from its data: numbers to the right and unbroken, long texts wide, claims as links to their verdicts."""
    columns, rows = table["columns"], table["rows"]
    texts = [
        [tables.cell(value, column["digits"]) for value, column in zip(row, columns, strict=True)]
        for row in rows
    ]
    styles = []
    for place, column in enumerate(columns):
        longest = max((len(row[place]) for row in texts), default=0)
        width = "long" if longest > 45 else "mid" if longest > 18 else ""
        name = "num" if column["kind"] == "number" and not (place == 0 and table["headed"]) else width
        styles.append(f' class="{name}"' if name else "")
    head = tables.head_cells([escape(column["name"]) for column in columns], styles)
    body = "".join(f"<tr>{_cells(row, styles, table['headed'], context)}</tr>" for row in texts)
    caption = f"<caption>{escape(table['caption'])}</caption>" if table.get("caption") else ""
    made = f'<table class="rr-table">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return markup.scroll(safe(made), context.table()) + "\n"


def _cells(row: list[str], styles: list[str], headed: bool, context: Context) -> str:
    cells = []
    for place, (text, style) in enumerate(zip(row, styles, strict=True)):
        shown = escape(text)
        if page := context.links.verdicts.get(text):
            shown = f'<a href="{context.href(page, text)}">{text}</a>'
        tag, scope = ("th", ' scope="row"') if headed and not place else ("td", "")
        cells.append(f"<{tag}{scope}{style}>{shown}</{tag}>")
    return "".join(cells)


def _figure(data: Any, metadata: Any, page: Page, context: Context) -> str:
    """A chart: title, picture, source and the numbers behind it, from its data; or another cell's bare picture."""
    from PIL import Image

    about = data.get(CHART, {})
    # A chart's picture is stored once, in the figure that plain exports show.
    inside = re.search(r'src="data:image/webp;base64,([^"]*)"', str(data.get("text/html", "")))
    text = inside[1] if inside else "".join(data["image/png"].split())
    image = base64.b64decode(text, validate=True)
    with Image.open(io.BytesIO(image)) as opened:
        wide, high = opened.size
        width = int(about.get("width") or metadata.get("width", wide))
        if not (0 < wide * high <= MOST_PIXELS and width > 0):
            raise ValueError(f"a picture of {wide} by {high} pixels, {width} wide")
        opened.load()
    alt = str(about.get("alt") or metadata.get("alt") or data.get("text/plain") or "")
    place = context.figure()
    if context.links.one_file:
        source = "data:image/webp;base64," + base64.b64encode(smaller(image)).decode()
    else:
        source = f"img/{page.number}-{hashlib.sha256(image).hexdigest()[:10]}.webp"
        page.images[source] = image
    size = f'width="{width}" height="{round(high * width / wide)}"'
    picture = f'<img src="{source}" alt="{escape(alt)}" {size}>'
    if not about:
        return f'<figure id="{place}">{picture}</figure>\n'
    note = f"<br>{escape(about['note'])}" if about.get("note") else ""
    return (
        f'<figure id="{place}"><figcaption><strong>{escape(about["title"])}</strong>{note}</figcaption>{picture}'
        f"<p><small>{escape(about['source'])}</small></p></figure>\n"
        f'<details class="rr-data"><summary>The numbers behind this chart</summary>{_table(about["table"], context)}'
        "</details>\n"
    )


@lru_cache(maxsize=256)
def smaller(image: bytes) -> bytes:
    """A picture as lossless WebP, as which charts are stored already."""
    from PIL import Image

    if image[8:12] == b"WEBP":
        return image
    stream = io.BytesIO()
    Image.open(io.BytesIO(image)).save(stream, "WEBP", lossless=True, method=2, quality=25)
    return stream.getvalue()
