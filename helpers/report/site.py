"""The site: every page, the files for machines, written beside the old site and put in its place whole."""

from __future__ import annotations

import copy
import functools
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from helpers import files, notebooks
from helpers.claims import card, registry, rules, together
from helpers.report import environment, machine, markup, pages, share
from helpers.report.environment import ReportError
from helpers.report.markup import Links
from helpers.report.pages import Figure, Page, Row
from helpers.words import quantity

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from helpers.claims import Claim


def title() -> str:
    """What the collection calls itself."""
    return str(registry.head()["collection"]["title"])


def file_name(suffix: str) -> str:
    """Name of the one file, or with ``.pdf`` of the printed edition: the collection's title."""
    return (re.sub(r"[^a-z0-9]+", "-", title().lower()).strip("-") or "report") + suffix


# ------------------------------------------------------------------------------------------------ content


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


def headline(verdicts: Sequence[str]) -> str:
    """What came out, in one sentence."""
    counts = Counter(verdicts)
    hold, fail = (sum(counts[key] for key in group) for group in (together.HOLDS, together.FAILS))
    part, open_ = counts[rules.MIXED], counts[rules.UNVERIFIED] + counts[rules.NOT_CHECKABLE]
    said = [f"{hold or 'none'} {'holds' if hold < 2 else 'hold'}"]
    said += [f"{fail or 'none'} {'is wrong or misleads' if fail < 2 else 'are wrong or mislead'}"]
    said += [f"{part} {'holds' if part == 1 else 'hold'} in part"] if part else []
    found = f"Of {len(verdicts)} sentence{'s' * (len(verdicts) != 1)} {', '.join(said)}"
    return f"{found}; on {open_} nobody can tell" if open_ else found


@dataclass(frozen=True)
class Edition:
    """Everything that the templates are given. ``changed`` is None where the run is the committed one."""

    pages: list[Page]
    rows: dict[str, Row]
    provenance: str
    links: Links
    changed: list[Change] | None = None

    @property
    def shift(self) -> int:
        """Levels by which headings are lowered, where all pages are one."""
        return int(self.links.one_file)

    @property
    def judged(self) -> list[dict[str, Any]]:
        """Every verdict, in the registry's order."""
        return [row.verdict for row in self.rows.values() if row.verdict]

    @property
    def reviews(self) -> list[dict[str, Any]]:
        """Every verdict as a ClaimReview."""
        return [card.claim_review(verdict) for verdict in self.judged]

    @property
    def tally(self) -> list[tuple[str, int]]:
        """Number of each verdict that was given, in the scale's order."""
        counts = Counter(row.key for row in self.rows.values())
        return [(key, counts[key]) for key in (*rules.SCALE, environment.NOT_JUDGED) if counts[key]]

    @property
    def headline(self) -> str:
        """What came out, in one sentence."""
        return headline([row.key for row in self.rows.values()])

    @property
    def kinds(self) -> list[tuple[str, int, int]]:
        """(kind, how many hold, how many there are) of the kinds of sentence, the best first."""
        judged = [row for row in self.rows.values() if row.verdict]
        total = Counter(row.claim.kind for row in judged)
        hold = Counter(row.claim.kind for row in judged if row.key in together.HOLDS)
        return sorted(((kind, hold[kind], total[kind]) for kind in total), key=lambda one: -one[1] / one[2])

    def telling(self) -> list[tuple[str, list[Row]]]:
        """What the article got right and what wrong: the most telling sentences of each."""
        sides = zip(("What it got right", "What it got wrong"), together.telling(self.judged), strict=True)
        return [(title, [self.rows[one["id"]] for one in side]) for title, side in sides if side]

    def rank(self, row: Row) -> int:
        """Place of its verdict on the scale, for sorting."""
        return rules.SCALE.index(row.key) if row.key in rules.SCALE else len(rules.SCALE)

    def near(self) -> list[card.Payload]:
        """Verdicts that lie within one point of another outcome."""
        return together.near(self.judged)

    def pairs(self, kind: str) -> list[tuple[str, list[Row]]]:
        """Sentences that contradict each other, or pull in two directions: why, and the two claims."""
        return [(pair["why"], [self.rows[key] for key in pair["claims"]]) for pair in together.pairs(kind)]

    def not_found(self) -> list[tuple[rules.Fact, list[Row]]]:
        """What the public record lacks, with the claims that it would settle."""
        return [(fact, [self.rows[key] for key in users]) for fact, users in together.not_found()]

    def chart(self, claim: str) -> Figure | None:
        """The chart beside which a claim was judged, if there is one."""
        return next((page.charts[claim] for page in self.pages if claim in page.charts), None)

    def article(self) -> list[tuple[str, list[tuple[int, list[Row]]]]]:
        """The article's order: (section, [(paragraph, rows)])."""
        found: dict[str, dict[int, list[Row]]] = {}
        for row in self.rows.values():
            found.setdefault(row.section, {}).setdefault(row.claim.paragraph, []).append(row)
        order = [title for title in registry.sections().values() if title in found]
        return [(title, sorted(found[title].items())) for title in order]


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
    links = Links(one_file, frozenset(read))
    rows = {
        key: Row(claim, by_id.get(key), links.href(key) if key in by_id else links.href("article", key))
        for key, claim in registry.load().items()
    }
    owned = {name: [key for key, entry in by_id.items() if entry["notebook"] == name] for name in read}
    written = [
        pages.render(name, book, owned[name], links, int(one_file), rows) for name, book in read.items()
    ]
    for page in written:
        page.note = (notes or {}).get(page.name, "")
    return Edition(written, rows, provenance, links, changed)


# ------------------------------------------------------------------------------------------------ templates


def _render(template: str, made: Edition, here: str = "", title_: str = "", **more: Any) -> str:
    tagline = registry.head()["collection"]["sentence"]
    about = {"project": title(), "tagline": tagline, "source": registry.article(), "previous": None}
    about |= {
        "following": None,
        "address": _address(),
        "description": f"{made.headline}. {tagline}",
        "picture": "",
    }
    page = {"edition": made, "links": made.links, "here": here, "title": title_ or title()}
    return environment.environment().get_template(template).render({**about, **page, **more})


def _address() -> str:
    """Where the site will stand, if ``SITE_ADDRESS`` says so: shared links need whole addresses."""
    found = os.environ.get("SITE_ADDRESS", "").rstrip("/")
    if found and not found.startswith(("http://", "https://")):
        raise ReportError("SITE_ADDRESS is no web address; give one such as https://example.org/report.")
    return found


def contents(made: Edition, read: Mapping[str, NotebookNode]) -> Iterator[tuple[str, str]]:
    """Every page and every file for machines but the verdicts: name and content."""
    order = [
        ("index", "What came out"),
        ("article", "The article, annotated"),
        *((page.name, page.title) for page in made.pages),
    ]
    for place, (name, heading) in enumerate(order):
        kind = name if place < 2 else "notebook"
        more: dict[str, Any] = {"page": made.pages[place - 2]} if place >= 2 else {}
        yield (
            f"{name}.html",
            _render(
                f"{kind}.html.j2",
                made,
                name,
                f"{heading} · {title()}" if place else f"{made.headline} · {title()}",
                previous=order[place - 1] if place else None,
                following=order[place + 1] if place + 1 < len(order) else None,
                picture=_picture(made, more.get("page")),
                **more,
            ),
        )
    yield from _claims(made)
    for name, book in read.items():
        yield f"{name}.ipynb", _bare(book)
    yield "style.css", environment.style()
    yield "page.js", environment.script()
    yield "claimreview.jsonld", machine.as_json(machine.graph(made.reviews), indent=None)
    yield "verdicts.schema.json", notebooks.SCHEMA.read_text("utf-8")


def _picture(made: Edition, page: Page | None) -> str:
    """The picture of a page with several verdicts: that of the first telling one among them."""
    own = [
        row.verdict for row in made.rows.values() if row.verdict and (not page or row.claim.id in page.claims)
    ]
    right, wrong = together.telling(own)
    return next((f"img/{one['id']}.png" for one in [*wrong, *right, *own]), "")


def _claims(made: Edition) -> Iterator[tuple[str, str]]:
    """A page for each verdict, so that it can be sent on."""
    rows = [row for row in made.rows.values() if row.verdict]
    for place, row in enumerate(rows):
        key, verdict = row.claim.id, row.verdict
        assert verdict is not None
        before, after = rows[place - 1] if place else None, rows[place + 1] if place + 1 < len(rows) else None
        yield (
            f"{key}.html",
            _render(
                "claim.html.j2",
                made,
                key,
                f"{card.LOOK[verdict['verdict']][0]}: {row.claim.says} · {title()}",
                row=row,
                card=Markup(markup.safe(card.as_html(verdict, every=True))),
                chart=made.chart(key),
                description=verdict["because"],
                picture=f"img/{key}.png",
                review=card.claim_review(verdict),
                previous=(before.claim.id, f"{before.claim.id}: {before.claim.says}") if before else None,
                following=(after.claim.id, f"{after.claim.id}: {after.claim.says}") if after else None,
            ),
        )


def _bare(notebook: NotebookNode) -> str:
    """A notebook for download: its text and code, without what the page shows already."""
    import nbformat

    bare = copy.copy(notebook)
    bare.cells = [
        nbformat.from_dict({**cell, "outputs": [], "execution_count": None})
        if cell.cell_type == "code"
        else cell
        for cell in notebook.cells
    ]
    return nbformat.writes(bare, indent=None) + "\n"


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
    partial: bool = False,
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
    partial : claims may be open: the run was on the synthetic market on purpose

    Raises
    ------
    NotebookError, ReportError
        for a notebook that failed, is stale, lacks a verdict or has one that does not follow. The site that was
        there stays whole.
    """
    read = notebooks.read_all(executed)
    if not read:
        raise ReportError("There are no notebooks to publish.")
    verdicts = notebooks.collect(read, proof=True, apart=notes or (), partial=partial)
    changed = None if before is None else changes(before, verdicts)
    line = provenance if isinstance(provenance, str) else provenance(verdicts)
    check_target(target)
    one_file = file_name(".html")
    with files.fresh_folder(target) as folder:
        made = edition(read, verdicts, line, changed=changed, notes=notes)
        for name, content in contents(made, read):
            _write(folder / name, content)
        for page in made.pages:
            for name, data in page.files.items():
                _write(folder / name, data)
        # Pillow works outside Python's lock, so threads use every core.
        with ThreadPoolExecutor() as pool:
            shared = pool.map(functools.partial(share.picture, project=title()), verdicts)
            for entry, picture in zip(verdicts, shared, strict=True):
                _write(folder / f"img/{entry['id']}.png", picture)
        by_id = {entry["id"]: entry for entry in verdicts}
        _write(folder / "verdicts.json", machine.as_json(machine.contract(verdicts), indent=None))
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


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
