"""One executed notebook as the body of a page."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from helpers.claims.views import LD
from helpers.report import markup
from helpers.report.markup import Context, Links

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass
class Page:
    """What a template needs of one notebook."""

    name: str
    title: str
    body: str
    contents: list[tuple[int, str, str]]
    reviews: list[dict[str, Any]]
    claims: list[str]
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
            parts.append(_cell(cell, count, page, context))
    if not context.headings:
        parts.insert(0, f"<h{1 + shift}>{markup.escape(name)}</h{1 + shift}>\n")
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
    if LD in data:
        page.reviews.append(dict(data[LD]))
    if "image/png" in data:
        return _figure(data, output.get("metadata", {}).get("image/png", {}), page, context)
    if "text/html" in data and markup.ours(data["text/html"]):
        return markup.rewrite(data["text/html"], context) + "\n"
    if "text/markdown" in data:
        text = markup.markdown(data["text/markdown"], context, trusted=False)
        return f'<div class="said">{text}</div>\n'
    return _text(str(data.get("text/plain", "")), number, page.name)


def _text(text: str, number: int, name: str) -> str:
    if not text.strip():
        return ""
    return (
        f'<pre class="out" tabindex="0" role="group" aria-label="Output of code {number} of {name}">'
        f"{markup.plain(text.rstrip())}</pre>\n"
    )


def _figure(data: Any, metadata: Any, page: Page, context: Context) -> str:
    image = base64.b64decode(data["image/png"])
    place = context.figure()
    wide, high = _size(image)
    width = int(metadata.get("width", wide))
    height = round(high * width / wide)
    alt = str(metadata.get("alt") or data.get("text/plain") or "")
    if context.links.one_file:
        source = "data:image/webp;base64," + base64.b64encode(smaller(image)).decode()
    else:
        source = f"img/{page.number}-{hashlib.sha256(image).hexdigest()[:10]}.webp"
        page.images[source] = image
    return (
        f'<figure id="{place}"><img src="{source}" alt="{markup.escape(alt)}" width="{width}" '
        f'height="{height}"></figure>\n'
    )


@lru_cache(maxsize=256)
def smaller(image: bytes) -> bytes:
    """A PNG as lossless WebP, a fifth smaller."""
    from PIL import Image

    stream = io.BytesIO()
    Image.open(io.BytesIO(image)).save(stream, "WEBP", lossless=True, method=2, quality=25)
    return stream.getvalue()


def _size(image: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its head."""
    if image[:8] != b"\x89PNG\r\n\x1a\n" or len(image) < 24:
        return 720, 420
    wide, high = struct.unpack(">II", image[16:24])
    return wide, high
