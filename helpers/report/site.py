"""The site: every page, the files for machines, written beside the old site and put in its place whole."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import notebooks
from helpers.claims import registry, rules, views
from helpers.files import HelperError
from helpers.report import machine, markup, pages
from helpers.report.markup import Links

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

    from helpers.claims import Claim

PROJECT = "The rotation, rerun"
TAGLINE = "A news article’s market claims, each checked on real data."
TEMPLATES = Path(__file__).parent / "templates"
CITATION = notebooks.ROOT / "CITATION.cff"
SCHEMA = notebooks.ROOT / "data" / "verdicts.schema.json"
#: The one file, and the printed edition made from it.
ONE_FILE = "the-rotation-rerun.html"
PRINTED = "the-rotation-rerun.pdf"


def day(value: Any) -> str:
    """A date in words, such as ``11 December 2025``."""
    given = date.fromisoformat(str(value)[:10])
    return f"{given.day} {given:%B %Y}"


NOT_JUDGED = ("Not judged yet", "·", "open")


class ReportError(HelperError):
    """The report cannot be written."""


# ------------------------------------------------------------------------------------------------ content


@dataclass(frozen=True)
class Row:
    """One claim on the scoreboard."""

    claim: Claim
    key: str  # css class and filter value of the verdict
    name: str
    sign: str
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
        return registry.SECTIONS[self.claim.section]


@dataclass(frozen=True)
class Change:
    """One verdict that differs from the committed run's: the claim, the old and the new verdict's names.

    ``figures`` holds those of the rule's measures that differ: label, then and now, in words.
    """

    claim: Claim
    was: str
    now: str
    figures: list[tuple[str, str, str]]


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Change]:
    """Verdicts that differ between two runs, in the registry's order."""
    old = {entry["id"]: entry for entry in before}
    claims = registry.load()
    return [
        Change(
            claims[entry["id"]],
            views.LOOK[old[entry["id"]]["verdict"]][0],
            views.LOOK[entry["verdict"]][0],
            _moved(claims[entry["id"]], old[entry["id"]]["measured"], entry["measured"]),
        )
        for entry in after
        if entry["id"] in old and old[entry["id"]]["verdict"] != entry["verdict"]
    ]


def _moved(claim: Claim, was: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """The measures of a claim's rule that two runs found different."""
    labels = {claim.label(key) for key in claim.measures}
    before = {figure["label"]: figure["value"] for figure in was}
    return [
        (
            figure["label"],
            views.number(before[figure["label"]], figure["unit"]),
            views.number(figure["value"], figure["unit"]),
        )
        for figure in now
        if figure["label"] in labels & set(before) and before[figure["label"]] != figure["value"]
    ]


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
        scale = [(key, views.LOOK[key][1], views.LOOK[key][0]) for key in rules.SCALE]
        scale.append((NOT_JUDGED[2], NOT_JUDGED[1], NOT_JUDGED[0]))
        return [(key, sign, name, counts[key]) for key, sign, name in scale if counts[key]]

    @property
    def article(self) -> list[tuple[str, list[tuple[int, list[Row]]]]]:
        """The article's order: (section, [(paragraph, rows)])."""
        found: dict[str, dict[int, list[Row]]] = {}
        for row in self.rows:
            found.setdefault(row.section, {}).setdefault(row.claim.paragraph, []).append(row)
        order = [title for title in registry.SECTIONS.values() if title in found]
        return [(title, sorted(found[title].items())) for title in order]


def _robustness(verdict: Mapping[str, Any]) -> tuple[str, float]:
    given = verdict.get("robustness")
    return (f"{given['same']} of {given['of']}", float(given["share"])) if given else ("", -1.0)


def _row(claim: Claim, verdict: Mapping[str, Any] | None, links: Links) -> Row:
    if verdict is None:
        name, sign, key = NOT_JUDGED
        return Row(claim, key, name, sign, "", -1.0, links.href("article", claim.id), False)
    key = verdict["verdict"]
    name, sign, _ = views.LOOK[key]
    text, share = _robustness(verdict)
    return Row(claim, key, name, sign, text, share, links.href(claim.notebook, claim.id), True)


def edition(
    read: Mapping[str, NotebookNode],
    verdicts: list[dict[str, Any]],
    provenance: str,
    one_file: bool = False,
    changed: list[Change] | None = None,
) -> Edition:
    """Render every notebook and line up every claim."""
    claims, shift = registry.load(), int(one_file)
    by_id = {entry["id"]: entry for entry in verdicts}
    links = Links(one_file, frozenset(read), {key: entry["notebook"] for key, entry in by_id.items()})
    written = [
        pages.render(
            name, notebook, [key for key in by_id if by_id[key]["notebook"] == name], links=links, shift=shift
        )
        for name, notebook in read.items()
    ]
    for page in written:
        _check_anchors(page, links)
    rows = [_row(claim, by_id.get(claim.id), links) for claim in claims.values()]
    reviews = [review for page in written for review in page.reviews]
    return Edition(written, rows, provenance, links, shift, reviews, changed)


def _check_anchors(page: pages.Page, links: Links) -> None:
    for key in page.claims:
        if f'id="{links.id(page.name, key)}"' not in page.body:
            raise ReportError(
                f"{page.name}: the verdict on {key} has no card to show; end its cell with the verdict itself."
            )


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
    made.filters["day"] = day
    made.filters["ld"] = lambda value: Markup(machine.script_json(value))
    style, script = _style(), (TEMPLATES / "page.js").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals.update(
        project=PROJECT,
        tagline=TAGLINE,
        meaning=rules.MEANING,
        citation=_citation(),
        article_about=registry.article(),
        clarity=views.CLARITY,
        style=Markup(style),
        script=Markup(script),
        # Styles may stand in the page; scripts only if they are this very one; nothing comes from elsewhere.
        policy=(
            f"default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; "
            f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        ),
        one_file=ONE_FILE,
    )
    return made


def _style() -> str:
    """The style sheet, with the verdicts' colours in front."""
    text = (TEMPLATES / "style.css").read_text("utf-8")
    colours = {(key or "synthetic"): colour for key, (_, _, colour) in views.LOOK.items()}
    rules_ = [f".rr-{key}{{--v:{colour}}}" for key, colour in {**colours, "open": "#5c6570"}.items()]
    lines = (line.strip() for line in text.splitlines())
    return "".join(rules_) + "\n" + "\n".join(line for line in lines if line)


def _citation() -> dict[str, Any] | None:
    if not CITATION.is_file():
        return None
    import yaml

    try:
        given = yaml.safe_load(CITATION.read_text("utf-8"))
        people = ", ".join(
            person.get("name") or f"{person['family-names']}, {person['given-names']}"
            for person in given["authors"]
        )
        return {
            "authors": people,
            "title": given["title"],
            "version": str(given.get("version", "")),
            "year": str(given.get("date-released", ""))[:4],
            "url": given.get("url") or given.get("repository-code") or "",
            "license": given.get("license", ""),
        }
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"CITATION.cff cannot be read ({error}); mend it.") from None


def files(made: Edition) -> Iterator[tuple[str, str | bytes]]:
    """Every file of the site: name and content."""
    environment = _environment()
    order = [
        ("index", "Scoreboard"),
        ("article", "The article"),
        *((page.name, page.title) for page in made.pages),
    ]

    def write(template: str, place: int, title: str, **more: Any) -> str:
        return environment.get_template(template).render(
            edition=made,
            links=made.links,
            here=order[place][0],
            title=title,
            previous=order[place - 1] if place else None,
            following=order[place + 1] if place + 1 < len(order) else None,
            **more,
        )

    yield "index.html", write("index.html.j2", 0, PROJECT)
    yield "article.html", write("article.html.j2", 1, f"The article, paragraph by paragraph · {PROJECT}")
    for place, page in enumerate(made.pages, 2):
        yield f"{page.name}.html", write("notebook.html.j2", place, f"{page.title} · {PROJECT}", page=page)
    yield "claimreview.jsonld", machine.as_json(machine.graph(made.reviews), indent=None)
    yield "verdicts.schema.json", SCHEMA.read_text("utf-8")


def one_file(made: Edition) -> str:
    """Every page in one HTML file."""
    return (
        _environment()
        .get_template("onefile.html.j2")
        .render(edition=made, links=made.links, here="", title=PROJECT, previous=None, following=None)
    )


# ------------------------------------------------------------------------------------------------ writing


def check_target(target: Path) -> None:
    """Raise ReportError for a folder that holds anything but a report: it would be lost."""
    if target.exists() and not (target.is_dir() and (_is_ours(target) or not any(target.iterdir()))):
        raise ReportError(f"{target.name} holds something that is no report; choose another folder.")


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A folder to fill; when all went well it takes the place of ``target``, else ``target`` stays as it was."""
    check_target(target)
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        yield fresh
        fresh.chmod(0o755)
        old = fresh.with_name(f"{fresh.stem}.old.part")
        if target.exists():
            os.replace(target, old)
        try:
            os.replace(fresh, target)
        except BaseException:
            if old.exists():
                os.replace(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    return (folder / "index.html").is_file() and (folder / "verdicts.json").is_file()


def publish(
    executed: Path,
    target: Path,
    provenance: str,
    single: bool = False,
    finish: Any = None,
    before: list[dict[str, Any]] | None = None,
) -> Path:
    """Write the site from a folder of executed notebooks.

    Parameters
    ----------
    executed : folder with the executed notebooks
    target : folder of the site; replaced as a whole
    provenance : the line that says where the numbers come from; stands on every page
    single : also write everything as one file
    finish : called with the folder before it takes its place, to add to it
    before : the committed run's verdicts, where this run is on other data: the front page says what changed

    Returns
    -------
    Path of ``index.html``, or of the one file.

    Raises
    ------
    NotebookError, ReportError
        for a notebook that failed, is stale or lacks a verdict. The site that was there stays whole.
    """
    read = {name: notebooks.read(executed / f"{name}.ipynb") for name in notebooks.names(executed)}
    if not read:
        raise ReportError("There are no notebooks to publish.")
    verdicts = notebooks.collect(read)
    changed = None if before is None else changes(before, verdicts)
    with replaced(target) as folder:
        made = edition(read, verdicts, provenance, changed=changed)
        for name, content in files(made):
            _write(folder / name, content)
        _write_images(folder, made)
        by_id = {entry["id"]: entry for entry in verdicts}
        _write(folder / "verdicts.json", machine.as_json(machine.contract(verdicts), indent=1))
        _write(folder / "verdicts.csv", machine.as_csv(registry.load(), by_id))
        if single:
            _write(
                folder / ONE_FILE,
                one_file(edition(read, verdicts, provenance, one_file=True, changed=changed)),
            )
        if finish is not None:
            finish(folder)
    return target / (ONE_FILE if single else "index.html")


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def _write_images(folder: Path, made: Edition) -> None:
    images = {name: image for page in made.pages for name, image in page.images.items()}
    # Pillow works outside Python's lock, so threads use every core.
    with ThreadPoolExecutor() as pool:
        for name, content in zip(images, pool.map(pages.smaller, images.values()), strict=True):
            _write(folder / name, content)


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
