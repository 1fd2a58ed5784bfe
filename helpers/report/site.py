"""The site: every page, the files for machines, written beside the old site and put in its place whole."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers import executions, files, notebooks
from helpers.claims import card, registry, rules
from helpers.report import machine, markup, pages
from helpers.report.markup import Links
from helpers.report.pages import ReportError
from helpers.words import date, quantity

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

    from helpers.claims import Claim

TEMPLATES = Path(__file__).parent / "templates"
CITATION = files.ROOT / "CITATION.cff"
NOT_JUDGED = ("Not judged yet", "·", "open")


def title() -> str:
    """What the collection calls itself."""
    return str(registry.head()["collection"]["title"])


def file_name(suffix: str) -> str:
    """Name of the one file, or with ``.pdf`` of the printed edition: the collection's title."""
    return (re.sub(r"[^a-z0-9]+", "-", title().lower()).strip("-") or "report") + suffix


# ------------------------------------------------------------------------------------------------ content


@dataclass(frozen=True)
class Row:
    """One claim on the scoreboard."""

    claim: Claim
    key: str  # css class and filter value of the verdict
    name: str
    sign: str
    because: str
    robustness: str
    share: float
    href: str
    judged: bool

    @property
    def rank(self) -> int:
        """Place on the verdict scale, for sorting."""
        return rules.SCALE.index(self.key) if self.key in rules.SCALE else len(rules.SCALE)

    @property
    def section(self) -> str:
        """The article's section, in our words."""
        return registry.sections()[self.claim.section]


class Change(NamedTuple):
    """One verdict that differs from the committed run's: the claim, and the old and the new verdict's names."""

    claim: Claim
    was: str
    now: str
    figures: list[tuple[str, ...]]  # the rule's measures that differ: label, then and now, in words


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Change]:
    """Verdicts that differ between two runs, in the registry's order."""
    old, found = {entry["id"]: entry for entry in before}, []
    for new in after:
        was, claim = old.get(new["id"], new), registry.claim(new["id"])
        if was["verdict"] == new["verdict"]:
            continue
        pairs = {key: (was["figures"].get(key), new["figures"].get(key)) for key in claim.measures}
        moved = [
            (claim.label(key), *(quantity(value, claim.unit(key)) for value in pair))
            for key, pair in pairs.items()
            if pair[0] != pair[1]
        ]
        found.append(Change(claim, card.LOOK[was["verdict"]][0], card.LOOK[new["verdict"]][0], moved))
    return found


@dataclass(frozen=True)
class Edition:
    """Everything that the templates are given. ``changed`` is None where the run is the committed one."""

    pages: list[pages.Page]
    rows: list[Row]
    provenance: str
    links: Links
    shift: int
    reviews: list[dict[str, Any]]
    changed: list[Change] | None = None

    @property
    def tally(self) -> list[tuple[str, str, str, int]]:
        """(key, sign, name, number) of each verdict that was given, in the scale's order."""
        counts = Counter(row.key for row in self.rows)
        scale = [(key, card.LOOK[key][1], card.LOOK[key][0]) for key in rules.SCALE]
        scale.append((NOT_JUDGED[2], NOT_JUDGED[1], NOT_JUDGED[0]))
        return [(key, sign, name, counts[key]) for key, sign, name in scale if counts[key]]

    @property
    def article(self) -> list[tuple[str, list[tuple[int, list[Row]]]]]:
        """The article's order: (section, [(paragraph, rows)])."""
        found: dict[str, dict[int, list[Row]]] = {}
        for row in self.rows:
            found.setdefault(row.section, {}).setdefault(row.claim.paragraph, []).append(row)
        order = [title for title in registry.sections().values() if title in found]
        return [(title, sorted(found[title].items())) for title in order]


def _row(claim: Claim, verdict: Mapping[str, Any] | None, links: Links) -> Row:
    if verdict is None:
        name, sign, key = NOT_JUDGED
        return Row(claim, key, name, sign, "", "", -1.0, links.href("article", claim.id), False)
    key, firm = verdict["verdict"], verdict["robustness"]
    name, sign, _ = card.LOOK[key]
    text, share = (
        (f"{firm['same']} of {firm['of']}", float(firm["share"])) if firm and firm["of"] else ("", -1.0)
    )
    href = links.href(claim.notebook, claim.id)
    return Row(claim, key, name, sign, verdict["because"], text, share, href, True)


def edition(
    read: Mapping[str, NotebookNode],
    verdicts: list[dict[str, Any]],
    provenance: str,
    one_file: bool = False,
    changed: list[Change] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Edition:
    """Render every notebook and line up every claim."""
    by_id = {entry["id"]: entry for entry in verdicts}
    links = Links(one_file, frozenset(read), {key: entry["notebook"] for key, entry in by_id.items()})
    written = [
        _page(name, book, [key for key in by_id if by_id[key]["notebook"] == name], links)
        for name, book in read.items()
    ]
    for page in written:
        page.note = (notes or {}).get(page.name, "")
    rows = [_row(claim, by_id.get(claim.id), links) for claim in registry.load().values()]
    reviews = [review for page in written for review in page.reviews]
    return Edition(written, rows, provenance, links, int(one_file), reviews, changed)


def _page(name: str, book: NotebookNode, owned: list[str], links: Links) -> pages.Page:
    """A notebook's page, with its images as small as they get; written anew only if something of it changed."""

    def make() -> dict[str, Any]:
        page = pages.render(name, book, owned, links, int(links.one_file))
        # Pillow works outside Python's lock, so threads use every core.
        with ThreadPoolExecutor() as pool:
            smaller = pool.map(pages.smaller, page.images.values())
            images = {
                key: base64.b64encode(image).decode() for key, image in zip(page.images, smaller, strict=True)
            }
        return {**vars(page), "images": images}

    key = [name, book, owned, links.one_file, sorted(links.pages), sorted(links.verdicts.items())]
    made = executions.remembered(key, make)
    images = {key: base64.b64decode(image) for key, image in made["images"].items()}
    return pages.Page(**{**made, "images": images})


# ------------------------------------------------------------------------------------------------ templates


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["visible"] = markup.visible
    made.filters["day"] = date
    made.filters["ld"] = lambda value: Markup(machine.script_json(value))
    style, script = _style(), (TEMPLATES / "page.js").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals.update(
        meaning=rules.MEANING,
        citation=_citation(),
        clarity=card.CLARITY,
        style=Markup(style),
        script=Markup(script),
        # Styles may stand in the page; scripts only if they are this very one; nothing comes from elsewhere.
        policy=(
            f"default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; "
            f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        ),
    )
    return made


def _style() -> str:
    """The style sheet, with the verdicts' colours in front."""
    text = (TEMPLATES / "style.css").read_text("utf-8")
    colours = {(key or "synthetic"): colour for key, (_, _, colour) in card.LOOK.items()}
    rules_ = [f".rr-{key}{{--v:{colour}}}" for key, colour in {**colours, "open": "#5c6570"}.items()]
    lines = (line.strip() for line in text.splitlines())
    return "".join(rules_) + "\n" + "\n".join(line for line in lines if line)


def _citation() -> dict[str, Any] | None:
    if not CITATION.is_file():
        return None
    import yaml

    try:
        given: dict[str, Any] = yaml.safe_load(CITATION.read_text("utf-8"))
        people = [
            one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in given["authors"]
        ]
        rest = {"version": "", "license": "", "url": given.get("repository-code", ""), **given}
        return {
            **rest,
            "title": given["title"],
            "authors": ", ".join(people),
            "year": str(given.get("date-released", ""))[:4],
        }
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"CITATION.cff cannot be read ({error}); mend it.") from None


def _render(template: str, made: Edition, here: str = "", title_: str = "", **more: Any) -> str:
    about = {"project": title(), "tagline": registry.head()["collection"]["sentence"]}
    about |= {"article_about": registry.article(), "previous": None, "following": None}
    page = {"edition": made, "links": made.links, "here": here, "title": title_ or title()}
    return _environment().get_template(template).render({**about, **page, **more})


def contents(made: Edition) -> Iterator[tuple[str, str]]:
    """Every page and every file for machines but the verdicts: name and content."""
    order = [
        ("index", "Scoreboard"),
        ("article", "The article"),
        *((page.name, page.title) for page in made.pages),
    ]
    for place, (name, heading) in enumerate(order):
        kind = name if place < 2 else "notebook"
        more = {"page": made.pages[place - 2]} if place >= 2 else {}
        yield (
            f"{name}.html",
            _render(
                f"{kind}.html.j2",
                made,
                name,
                f"{heading} · {title()}" if place else "",
                previous=order[place - 1] if place else None,
                following=order[place + 1] if place + 1 < len(order) else None,
                **more,
            ),
        )
    yield "claimreview.jsonld", machine.as_json(machine.graph(made.reviews), indent=None)
    yield "verdicts.schema.json", notebooks.SCHEMA.read_text("utf-8")


# ------------------------------------------------------------------------------------------------ writing


def check_target(target: Path) -> None:
    """Raise ReportError for a folder that holds anything but a report: it would be lost."""
    files.recover(target)  # a run that was killed between two renames has left the old site beside its place
    if target.exists() and not (target.is_dir() and (_is_ours(target) or not any(target.iterdir()))):
        raise ReportError(f"{target.name} holds something that is no report; choose another folder.")


def _is_ours(folder: Path) -> bool:
    return (folder / "index.html").is_file() and (folder / "verdicts.json").is_file()


class Published(NamedTuple):
    """A report that was written: its address, its verdicts, what changed against the committed run."""

    address: Path
    verdicts: list[dict[str, Any]]
    changed: list[Change] | None


def publish(
    executed: Path,
    target: Path,
    provenance: str | Callable[[list[dict[str, Any]]], str],
    single: bool = False,
    finish: Callable[[Path], None] | None = None,
    before: list[dict[str, Any]] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Published:
    """Write the site from a folder of executed notebooks, each verdict derived again before anything is written.

    Parameters
    ----------
    executed : folder with the executed notebooks
    target : folder of the site; replaced as a whole
    provenance : the line that says where the numbers come from, or what makes it of the verdicts; on every page
    single : also write everything as one file, whose address is returned then
    finish : called with the folder before it takes its place, to add to it
    before : the committed run's verdicts, where this run is on other data: the front page says what changed
    notes : for notebooks that are not of this run, by name, a sentence on why; it stands on their pages

    Raises
    ------
    NotebookError, ReportError
        for a notebook that failed, is stale, lacks a verdict or has one that does not follow. The site that was
        there stays whole.
    """
    read = notebooks.read_all(executed)
    if not read:
        raise ReportError("There are no notebooks to publish.")
    verdicts = notebooks.collect(read, proof=True, apart=notes or ())
    changed = None if before is None else changes(before, verdicts)
    line = provenance if isinstance(provenance, str) else provenance(verdicts)
    check_target(target)
    one_file = file_name(".html")
    with files.fresh_folder(target) as folder:
        made = edition(read, verdicts, line, changed=changed, notes=notes)
        for name, content in contents(made):
            _write(folder / name, content)
        _write_images(folder, made)
        by_id = {entry["id"]: entry for entry in verdicts}
        _write(folder / "verdicts.json", machine.as_json(machine.contract(verdicts), indent=1))
        _write(folder / "verdicts.csv", machine.as_csv(registry.load(), by_id))
        if single:
            whole = edition(read, verdicts, line, one_file=True, changed=changed, notes=notes)
            _write(folder / one_file, _render("onefile.html.j2", whole))
        if finish is not None:
            finish(folder)
    return Published(target / (one_file if single else "index.html"), verdicts, changed)


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say what could not be written
        raise


def _write_images(folder: Path, made: Edition) -> None:
    for page in made.pages:
        for name, content in page.images.items():
            _write(folder / name, content)


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
