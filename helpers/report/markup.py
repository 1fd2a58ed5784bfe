"""Text to safe HTML: Markdown, code, and the HTML of our own cards and tables, rewritten by an allow-list.

Everything that a page shows passes through here. What is not on the list is shown as text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Any

import mistune

#: Control characters, and those that turn the direction of what follows: shown, never obeyed.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_DAY = re.compile(r"\b(?:19|20)\d\d-[01]\d-[0-3]\d\b")
_CLAIM = re.compile(r"C\d{2,3}")
_NOTEBOOK = re.compile(r"(?:\./)?(\d\d-[a-z0-9-]+)\.ipynb(?:#(.*))?")

_VOID = {"br", "hr"}  # no img: pictures come from outputs only, with their alt text
_TEXT = """
    a abbr b blockquote caption cite code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4
    h5 h6 i kbd li mark ol p pre q s small span strong sub summary sup table tbody td tfoot th thead tr u ul var
"""
_MATH = """
    math mrow mi mn mo mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd
    mstyle mpadded menclose semantics annotation
"""
_KEPT = """
    alt aria-label class colspan columnalign columnspacing datetime dir display fence form height href id lang
    linethickness lspace mathvariant maxsize minsize open role rowspan rspace scope separator start stretchy
    tabindex title width xmlns
"""
_TAGS = {*_VOID, *_TEXT.split(), *_MATH.split()}
_ATTRIBUTES = set(_KEPT.split())
_HEADINGS = {f"h{level}" for level in range(1, 7)}


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
    verdicts: Mapping[str, str] = field(default_factory=dict)  # claim -> the page that judges it

    def href(self, page: str, anchor: str = "", here: str = "") -> str:
        """Address of a page or of a place on it, as written on the page ``here``."""
        if self.one_file:
            return f"#{self.id(page, anchor)}"
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
    section_figure: str = ""

    def heading(self, level: int, text: str) -> tuple[int, str]:
        """Level and id of the next heading: one first level, none skipped."""
        level = 1 if not self.headings else max(2, min(level, self.level + 1))
        self.level = level
        slug = self.unique(re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "part")
        self.headings.append((level, slug, text))
        self.section_figure = ""
        return min(level + self.shift, 6), self.links.id(self.page, slug)

    def figure(self) -> str:
        """Id of the next figure."""
        self.figures += 1
        self.section_figure = f"figure-{self.figures}"
        return self.links.id(self.page, self.section_figure)

    def unique(self, slug: str) -> str:
        """``slug``, numbered if the page has it already."""
        name, number = slug, 2
        while name in self.ids:
            name, number = f"{slug}-{number}", number + 1
        self.ids.add(name)
        return name

    def href(self, page: str, anchor: str = "") -> str:
        """Address as seen from this page."""
        return self.links.href(page, anchor, self.page)


# ------------------------------------------------------------------------------------------------ our HTML


class _Rewriter(HTMLParser):
    """Copies HTML by the allow-list; balances it; anchors the cards; puts tables into scroll containers."""

    def __init__(self, context: Context) -> None:
        super().__init__(convert_charrefs=True)
        self.context = context
        self.out: list[str] = []
        self.open: list[tuple[str, str]] = []  # the tag, and what follows its end
        self.in_claim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.out.append(escape(self.get_starttag_text() or ""))
            return
        given = {key: value or "" for key, value in attrs if key in _ATTRIBUTES}
        classes = given.get("class", "")
        kept_id = given.pop("id", "") if tag in _HEADINGS else ""
        given.pop("id", None)
        after = ""
        if kept_id:
            given["id"] = kept_id
        elif tag in _HEADINGS:
            tag, given = "p", {"class": "heading"}
        if tag == "table" and classes != "rr-figures":
            self.context.tables += 1
            label = f"Table {self.context.tables}, {self.context.page}"
            self.out.append(f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">')
            after = "</div>"
        if "rr-card" in classes:
            after = self._anchor(given)
        elif classes == "rr-claim":
            self.in_claim = len(self.open) + 1
        if not _safe(given.get("href", "")):
            del given["href"]
        self.out.append(_tag(tag, given))
        if tag not in _VOID:
            self.open.append((tag, after))

    def _anchor(self, given: dict[str, str]) -> str:
        """Give a card its claim's id, once; what follows the card's last line are its links."""
        found = _CLAIM.search(given.get("aria-label", ""))
        if found is None or found[0] not in self.context.owned or found[0] in self.context.ids:
            return ""
        key, context = found[0], self.context
        given["id"] = context.links.id(context.page, context.unique(key))
        links = []
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
        return f'\0<ul class="rr-links">{items}</ul>'

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or tag not in _TAGS:
            if tag not in _TAGS:
                self.out.append(escape(f"</{tag}>"))
            return
        names = [name for name, _ in self.open]
        wanted = "p" if tag in _HEADINGS and tag not in names else tag
        if wanted in names:
            while self._pop() != wanted:
                pass

    def _pop(self) -> str:
        tag, after = self.open.pop()
        if len(self.open) < self.in_claim:
            self.in_claim = 0
        # A leading NUL marks what belongs inside, before the end tag.
        inside, outside = (after[1:], "") if after.startswith("\0") else ("", after)
        self.out.append(f"{inside}</{tag}>{outside}")
        return tag

    def handle_data(self, data: str) -> None:
        key, tag = data.strip(), self.open[-1][0] if self.open else ""
        if key in self.context.links.verdicts and (tag in {"td", "th"} or (tag == "b" and self.in_claim)):
            self.out.append(self._to_verdict(key))
            return
        # A date that breaks at its hyphens is hard to read.
        self.out.append(_DAY.sub(r"<time>\g<0></time>", escape_text(data)))

    def _to_verdict(self, key: str) -> str:
        """A claim's id as a link to its verdict; on the card that opens its notebook also a place to go to."""
        context, place = self.context, ""
        name = f"{key}-rule"
        if self.in_claim and key in context.owned and name not in context.ids:
            place = f' id="{context.links.id(context.page, context.unique(name))}"'
        return f'<a{place} href="{context.href(context.links.verdicts[key], key)}">{key}</a>'

    def handle_comment(self, data: str) -> None:
        return

    def handle_decl(self, decl: str) -> None:
        self.out.append(escape(f"<!{decl}>"))

    def unknown_decl(self, data: str) -> None:
        self.out.append(escape(f"<![{data}]>"))

    def handle_pi(self, data: str) -> None:
        self.out.append(escape(f"<?{data}>"))

    def result(self) -> str:
        self.close()
        while self.open:
            self._pop()
        return "".join(self.out)


def _tag(tag: str, attributes: dict[str, str]) -> str:
    listed = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{listed}>"


def _safe(address: str) -> bool:
    scheme = re.match(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):", address)
    return not address.lstrip().startswith("//") and (
        scheme is None or scheme[1].lower() in {"http", "https", "mailto"}
    )


def ours(markup: str) -> bool:
    """True if an output's HTML was made by our helpers; any other is shown as its plain text."""
    return re.match(r'\s*<(?:div|table|details|p|section|ul) class="rr-', markup) is not None


def rewrite(markup: str, context: Context) -> str:
    """HTML of our helpers, or made from our Markdown, as it stands on the page."""
    parser = _Rewriter(context)
    parser.feed(markup)
    return _FIGURES.sub(_shorten, _TABLE.sub(_align, parser.result()))


_FIGURES = re.compile(r'<table class="rr-figures"><tbody>(.*?)</tbody></table>', re.S)
#: Figures that a card shows at once: first come those that its rule names.
SHOWN = 8


def _shorten(table: re.Match[str]) -> str:
    """Fold the figures of a long card behind the first few."""
    rows = _ROW.findall(table[1])
    if len(rows) <= SHOWN + 2:
        return table[0]
    shown, folded = (
        f'<table class="rr-figures"><tbody>{"".join(f"<tr>{row}</tr>" for row in part)}</tbody></table>'
        for part in (rows[:SHOWN], rows[SHOWN:])
    )
    return f"{shown}<details><summary>{len(rows) - SHOWN} further figures</summary>{folded}</details>"


_TABLE = re.compile(r'<table class="rr-table">.*?</table>', re.S)
_ROW = re.compile(r"<tr>(.*?)</tr>", re.S)
_CELL = re.compile(r"<(t[hd])((?: [^>]*)?)>(.*?)</\1>", re.S)
_NUMBER = re.compile(r"[-+−]?[\d,.]+([ \u00a0]?[%a-zA-Z]{1,6})?|")


def _column(cells: tuple[str, ...]) -> str:
    numbers = [cell for cell in cells if cell and _NUMBER.fullmatch(cell)]
    if 2 * len(numbers) > len([cell for cell in cells if cell]) and max(map(len, cells)) < 16:
        return ' class="num"'
    longest = max(len(strip_tags(cell)) for cell in cells)
    return ' class="long"' if longest > 45 else ' class="mid"' if longest > 18 else ""


def _align(table: re.Match[str]) -> str:
    """Mark the columns that hold numbers: they stand to the right and are not broken."""
    rows = [[cell[3] for cell in _CELL.finditer(row[1])] for row in _ROW.finditer(table[0])][1:]
    columns = [_column(cells) for cells in zip(*rows, strict=False)]
    if columns and "num" in columns[0]:
        columns[0] = ""  # years and ranks in front name the row

    def mark(row: re.Match[str]) -> str:
        cells = [
            f"<{tag}{rest}{columns[place] if place < len(columns) else ''}>{text}</{tag}>"
            for place, (tag, rest, text) in enumerate(_CELL.findall(row[1]))
        ]
        return f"<tr>{''.join(cells)}</tr>"

    return _ROW.sub(mark, table[0])


# ------------------------------------------------------------------------------------------------ Markdown


def formula(text: str, block: bool = False) -> str:
    """A formula as MathML, which browsers draw by themselves; as code if the library does not know it."""
    from latex2mathml.converter import convert

    try:
        drawn = convert(text, display="block" if block else "inline")
    except Exception:  # the library raises many kinds of errors
        return f"<p><code>{escape(text)}</code></p>" if block else f"<code>{escape(text)}</code>"
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="Formula">{drawn}</div>'
        if block
        else drawn
    )


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
            href = url
        else:
            return text  # a file of the project, which a reader of the report does not have
        hint = f' title="{escape(title)}"' if title else ""
        return f'<a href="{escape(href)}"{hint}>{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f"<em>{escape(strip_tags(text))}</em>"  # nothing is loaded from elsewhere

    def block_code(self, code: str, info: str | None = None) -> str:
        shown = highlight(code) if (info or "").startswith("py") else escape(code)
        return f'<pre tabindex="0"><code>{shown}</code></pre>\n'


class _Markdown:
    """One Markdown parser a kind, and the renderer through which it learns of the page."""

    def __init__(self, escape_html: bool) -> None:
        self.renderer = _Renderer(escape=escape_html)
        self.parse = mistune.create_markdown(
            renderer=self.renderer, plugins=["table", "strikethrough", "math", "footnotes", "def_list"]
        )
        # The plug-in registers its own drawing of formulas, for a script that we do not load.
        self.renderer.register("inline_math", lambda _, text: formula(text))
        self.renderer.register("block_math", lambda _, text: formula(text, block=True))


_parser = cache(_Markdown)


def markdown(text: str, context: Context, trusted: bool = True) -> str:
    """Markdown as HTML. ``trusted`` text (our cells) may hold HTML on the allow-list; other text none."""
    parser = _parser(not trusted)
    parser.renderer.context = context
    return rewrite(str(parser.parse(text)), context)


# ------------------------------------------------------------------------------------------------ code

#: Only what helps reading is marked; every other token stays plain text, which keeps pages small.
_MARKS = (("Keyword", "k"), ("Literal.String", "s"), ("Comment", "c"))


@cache
def _lexer() -> Any:
    from pygments.lexers.python import PythonLexer

    return PythonLexer(stripnl=False, ensurenl=False)


@cache
def _mark(kind: Any) -> str:
    name = ".".join(kind)
    return next((css for start, css in _MARKS if name.startswith(start)), "")


def highlight(code: str) -> str:
    """Python as HTML with marks for keywords, strings and comments."""
    return "".join(
        f'<span class="{css}">{escape_text(text)}</span>' if css else escape_text(text)
        for css, text in _runs(code)
    )


def _runs(code: str) -> Iterator[tuple[str, str]]:
    """Neighbouring tokens with one mark as one piece."""
    last, held = "", ""
    for kind, text in _lexer().get_tokens(code):
        css = _mark(kind)
        if css != last and held:
            yield last, held
            held = ""
        last, held = css, held + text
    if held:
        yield last, held
