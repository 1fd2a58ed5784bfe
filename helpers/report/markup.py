"""Text to safe HTML: Markdown, code, formulas; nh3 guards what a page shows by an allow-list."""

from __future__ import annotations

import html
import keyword
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import mistune

#: Control characters, and those that turn the direction of what follows: shown, never obeyed.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: A day or a month in a text; what stands inside a tag has its end before the next tag begins.
_DAY = re.compile(r"\b(?:19|20)\d\d-[01]\d(?:-[0-3]\d)?\b(?![^<>]*>)")
_CLAIM = re.compile(r"C\d{2,3}")
_NOTEBOOK = re.compile(r"(?:\./)?(\d\d-[a-z0-9-]+)\.ipynb(?:#(.*))?")

_MATH = """
    math mrow mi mn mo mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd
    mstyle mpadded menclose
"""
_TEXT = """
    a b blockquote br caption cite code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i kbd li mark ol p pre q s
    section small span strong sub summary sup table tbody td tfoot th thead tr u ul
"""  # no img: pictures come from outputs only, with their alt text
_OF_MATH = """
    columnalign columnspacing display fence form height linethickness lspace mathvariant maxsize minsize rowspan
    rspace separator stretchy width xmlns
"""
_ATTRIBUTES = {
    "*": {"aria-label", "class", "id", "role", "tabindex", "title"},
    "a": {"href", "rel"},
    "details": {"hidden"},  # a switch that only a plain export shows
    "ol": {"start"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
    **{tag: set(_OF_MATH.split()) for tag in _MATH.split()},
}


def visible(text: str) -> str:
    """``text`` with control and direction characters spelled out, such as ``[U+202E]``."""
    return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def escape(text: Any) -> str:
    """Any value as safe HTML text, also inside an attribute."""
    return html.escape(visible(str(text)))


def escape_text(text: str) -> str:
    """As :func:`escape`, but not for attributes: quotes stay, which keeps code short."""
    return html.escape(visible(text), quote=False)


def plain(text: str) -> str:
    """Output of a terminal as safe HTML text: colours dropped."""
    return escape_text(_ANSI.sub("", text.replace("\r\n", "\n")))


def strip_tags(markup: str) -> str:
    """The text of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


# ------------------------------------------------------------------------------------------------ links


@dataclass(frozen=True)
class Links:
    """Addresses inside the report: between the pages of the site, or all within one file."""

    one_file: bool = False
    pages: frozenset[str] = frozenset()

    def href(self, page: str, anchor: str = "", here: str = "") -> str:
        """Address of a page or of a place on it, as written on the page ``here``."""
        if self.one_file:  # which holds each verdict once, on its card
            return f"#{page if _CLAIM.fullmatch(page) else self.id(page, anchor)}"
        target = "" if page == here and anchor else f"{page}.html"
        return f"{target}#{anchor}" if anchor else target

    def id(self, page: str, anchor: str = "") -> str:
        """The ``id`` of a place. A claim's verdict keeps its bare id even in the one file."""
        if not self.one_file:
            return anchor
        if not anchor:
            return f"page-{page}"
        owned = _CLAIM.match(anchor) and page not in {"index", "article"}
        return anchor if owned else f"{page}--{anchor}"


# ------------------------------------------------------------------------------------------------ page state


@dataclass
class Context:
    """What one page knows while it is written: its headings so far, its figures, its anchors."""

    page: str
    links: Links = field(default_factory=Links)
    shift: int = 0
    owned: frozenset[str] = frozenset()
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    level: int = 0
    tables: int = 0
    figures: int = 0

    def heading(self, level: int, text: str) -> tuple[int, str]:
        """Level and id of the next heading: one first level, none skipped."""
        level = 1 if not self.headings else max(2, min(level, self.level + 1))
        self.level = level
        slug = self.unique(re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "part")
        self.headings.append((level, slug, text))
        return min(level + self.shift, 6), self.links.id(self.page, slug)

    def figure(self) -> str:
        """Anchor of the next figure."""
        self.figures += 1
        return f"figure-{self.figures}"

    def unique(self, slug: str) -> str:
        """``slug``, numbered if the page has it already."""
        name, number = slug, 2
        while name in self.ids:
            name, number = f"{slug}-{number}", number + 1
        self.ids.add(name)
        return name

    def table(self) -> str:
        """Label of the next table that scrolls."""
        self.tables += 1
        return f"Table {self.tables}, {self.page}"

    def href(self, page: str, anchor: str = "") -> str:
        """Address as seen from this page."""
        return self.links.href(page, anchor, self.page)


# ------------------------------------------------------------------------------------------------ safe HTML


def safe(html_: str) -> str:
    """HTML by the allow-list: what is not on it goes, what is open is closed, links run no script."""
    import nh3

    kept = nh3.clean(
        html_,
        tags={*_TEXT.split(), *_MATH.split()},
        attributes=_ATTRIBUTES,
        attribute_filter=lambda tag, key, value: None if key == "href" and value[:2] == "//" else value,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    return dated(visible(kept))


def dated(html_: str) -> str:
    """HTML whose dates do not break at their hyphens."""
    return _DAY.sub(r"<time>\g<0></time>", html_)


def scroll(table: str, label: str) -> str:
    """What may be wider than the page, in a container that scrolls and can be reached by keyboard."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">{table}</div>'


# ------------------------------------------------------------------------------------------------ Markdown


def formula(text: str, block: bool = False) -> str:
    """A formula as MathML, which browsers draw by themselves; as code if the library does not know it."""
    from latex2mathml.converter import convert

    try:
        drawn = convert(text, display="block" if block else "inline")
    except Exception:  # the library raises many kinds of errors
        return f"<p><code>{escape(text)}</code></p>" if block else f"<code>{escape(text)}</code>"
    return scroll(drawn, "Formula") if block else drawn


class _Renderer(mistune.HTMLRenderer):
    context: Context

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        level, place = self.context.heading(level, strip_tags(text))
        return f'<h{level} id="{escape(place)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if found := _NOTEBOOK.fullmatch(url):
            if found[1] not in self.context.links.pages:
                return text
            href = self.context.href(found[1], found[2] or "")
        elif url.startswith("#"):
            href = self.context.href(self.context.page, url[1:])
        elif re.match(r"(?:https?|mailto):", url):
            hint = f' title="{escape(title)}"' if title else ""
            return f'<a href="{escape(url)}" rel="noreferrer"{hint}>{text}</a>'
        else:
            return text  # a file of the project, which a reader of the report does not have
        return f'<a href="{escape(href)}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f"<em>{escape(strip_tags(text))}</em>"  # nothing is loaded from elsewhere

    def block_code(self, code: str, info: str | None = None) -> str:
        shown = highlight(code) if (info or "").startswith("py") else escape(code)
        return f'<pre tabindex="0"><code>{shown}</code></pre>\n'

    def table(self, text: str) -> str:
        return scroll(f"<table>{text}</table>", self.context.table())


@cache
def _parser() -> tuple[_Renderer, mistune.Markdown]:
    """The Markdown parser, and the renderer through which it learns of the page."""
    renderer = _Renderer(escape=True)
    plugins = ["table", "strikethrough", "math", "footnotes", "def_list"]
    parse = mistune.create_markdown(renderer=renderer, plugins=plugins)
    # The plug-ins register their own drawing: of formulas for a script that we do not load, of tables without a frame.
    renderer.register("inline_math", lambda _, text: formula(text))
    renderer.register("block_math", lambda _, text: formula(text, block=True))
    renderer.register("table", _Renderer.table)
    return renderer, parse


def markdown(text: str, context: Context) -> str:
    """Markdown as HTML; HTML in it is shown as text."""
    renderer, parse = _parser()
    renderer.context = context
    return safe(str(parse(text)))


# ------------------------------------------------------------------------------------------------ code

#: Only what helps reading is marked (strings, comments, keywords), which keeps pages small.
_MARKS = re.compile(
    r"""(?P<s>[rbfuRBFU]{0,2}(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    rf"|(?P<c>\#[^\n]*)|\b(?P<k>{'|'.join(keyword.kwlist)})\b"
)


def highlight(code: str) -> str:
    """Python as HTML with marks for keywords, strings and comments."""
    pieces, end = [], 0
    for found in _MARKS.finditer(code):
        pieces.append(escape_text(code[end : found.start()]))
        pieces.append(f'<span class="{found.lastgroup}">{escape_text(found[0])}</span>')
        end = found.end()
    return "".join([*pieces, escape_text(code[end:])])
