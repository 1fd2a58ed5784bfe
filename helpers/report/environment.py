"""The templates: every value that they show is escaped, and what would turn its direction is spelled out."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from helpers import store
from helpers.claims import card, registry, rules, seal
from helpers.files import HelperError
from helpers.report import machine, markup
from helpers.words import date, quantity

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
NOT_JUDGED = "open"
#: Name, sign and colour of each verdict by its CSS class.
LOOK = {key or "synthetic": look for key, look in card.LOOK.items()}
LOOK[NOT_JUDGED] = ("Not judged yet", "·", "#5c6570")
_COUNT = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
]  # fmt: skip


class ReportError(HelperError):
    """The report cannot be written."""


@cache
def environment() -> Environment:
    """The templates with their filters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: markup.visible(value) if type(value) is str else value,
    )
    made.filters.update(
        day=date,
        ld=lambda value: Markup(machine.script_json(value)),
        quantity=quantity,
        words=lambda count: _COUNT[count] if count < len(_COUNT) else str(count),
        dated=lambda text: Markup(markup.dated(markup.escape_text(str(text)))),
    )
    made.globals.update(
        meaning=rules.MEANING,
        look=LOOK,
        clarity=card.CLARITY,
        style=Markup(style()),
        script=Markup(script()),
        origin=origin,
        policy=policy,
        review_of=card.claim_review,
        citation=citation,
        sealed=seal.summary,
    )
    return made


def pieces() -> Any:
    """The macros of pieces.html.j2, to be called from code."""
    return environment().get_template("pieces.html.j2").module


def policy(one_file: bool) -> str:
    """What a page may load: of the site its own files, of the one file nothing; scripts are ours alone."""
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    ours = f"'sha256-{digest}'" if one_file else "'self' file:"
    style_ = "'unsafe-inline'" if one_file else "'self' file: 'unsafe-inline'"
    return (
        f"default-src 'none'; img-src 'self' file: data:; style-src {style_}; "
        f"script-src {ours}; base-uri 'none'; form-action 'none'"
    )


def script() -> str:
    """The one script of every page."""
    return (TEMPLATES / "page.js").read_text("utf-8").strip()


def style() -> str:
    """The style sheet, with the verdicts' colours in front."""
    text = (TEMPLATES / "style.css").read_text("utf-8")
    lines = (line.strip() for line in text.splitlines())
    colours = "".join(f".rr-{key}{{--v:{colour}}}" for key, (_, _, colour) in LOOK.items())
    return colours + "\n" + "\n".join(line for line in lines if line)


def origin(series: str) -> dict[str, str] | None:
    """Name of a series, its provider, and the page where a reader finds it; None for one that is not catalogued."""
    entry = store.catalogue().get(series)
    if entry is None:
        return None
    known = store.series_file()["providers"].get(entry["provider"], {"name": "added by hand"})
    page = known.get("page", "")
    if entry["group"] == "panel":  # its ticker is a file, not a page
        page = page.partition("{")[0].rsplit("/", 1)[0] if "{" in page else page
    return {
        "name": entry["name"],
        "provider": known["name"],
        "page": page.format(ticker=quote(entry["ticker"])),
    }


def citation() -> dict[str, Any] | None:
    """CITATION.cff, for the page and for the files that are downloaded; None if there is none."""
    path = registry.place().citation
    return _cited(path.read_text("utf-8")) if path.is_file() else None


@cache
def _cited(text: str) -> dict[str, Any]:
    import yaml

    try:
        given: dict[str, Any] = yaml.safe_load(text)
        people = [
            one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in given["authors"]
        ]
        found = {"version": "", "license": "", "url": given.get("repository-code", ""), **given}
        year = str(given.get("date-released", ""))[:4]
        return {**found, "title": given["title"], "authors": ", ".join(people), "year": year}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"CITATION.cff cannot be read ({error}); mend it.") from None
