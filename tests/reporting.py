"""A small collection of executed notebooks, made by hand, and a reader of the pages made from it."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import claiming
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from helpers import claims, figure, market, notebooks, tables
from helpers.claims import Verdict, card, registry
from helpers.files import ROOT

HOSTILE = '<script>alert(1)</script> & </script><!-- \u202egnp.exe \u2066 “x” onload="y"'
ALT = "The line of the small caps rises above its old record on the fourth of December."
MARKET = claiming.REAL


def claim(key: str, notebook: str, **more: Any) -> dict[str, Any]:
    """The entry of a claim with one measure."""
    given: dict[str, Any] = {
        "id": key,
        "section": "records",
        "fragment": "record highs",
        "says": f"Claim {key} says something of {HOSTILE}.",
        "rule": {"letter": [{"level": {"measure": "gain", "target": 13, "tolerance": 0.5}}]},
        "series": ["^RUT"],
        "notebook": notebook,
        "measures": {"gain": {"label": f"Gain of {HOSTILE}", "unit": "%"}},
    }
    return claiming.entry(**{**given, **more})


CAUSE = {"cause": [{"untested": "Nobody can see what moved whom."}]}
LETTER = {"letter": [{"level": {"measure": "gain", "target": 13, "tolerance": 0.5}}]}
CLAIMS = {
    made["id"]: made
    for made in (
        claim("C01", "01-first"),
        claim("C02", "01-first", section="introduction", kind="cause", rule={**LETTER, **CAUSE}),
        claim("C03", "02-second", section="outlook", kind="forecast"),
        claim("C04", "09-unwritten", section="outlook", kind="opinion"),
    )
}
SECTIONS = {"introduction": "Introduction", "records": "Records", "outlook": "Outlook"}


@contextmanager
def registered(folder: Path, given: dict[str, Any] = CLAIMS, facts: bool = True) -> Iterator[None]:
    """Within it, the registry is a small one in ``folder``; without ``facts`` the record there stays as it is."""
    record = folder / "facts" / "record.csv"
    kept = record.read_bytes() if record.is_file() else b""
    claiming.write(folder, *given.values(), sections=SECTIONS)
    if not facts:
        record.write_bytes(kept)
    (folder / "notebooks" / "09-unwritten.ipynb").touch()
    with _used(folder):
        yield


@contextmanager
def _used(folder: Path) -> Iterator[None]:
    before = registry.place()
    registry.use(folder)
    try:
        yield
    finally:
        registry.use(None if before == registry.home() else before.claims.parent)


def project(folder: Path) -> Path:
    """A copy of the code with a small collection, executed, in the place of ours."""
    for name in ("helpers", "data"):
        strange = shutil.ignore_patterns("__pycache__", ".cache", "market", "facts", "claims.yaml", "*.part")
        shutil.copytree(ROOT / name, folder / name, ignore=strange)
    warmed = folder / "helpers" / "kernels.py"  # its notebooks draw nothing and estimate nothing
    warmed.write_text(
        re.sub(
            r"(?s)^WARM = \(.*?^\)",
            "WARM = ('ipykernel.kernelapp', 'pandas')",
            warmed.read_text(),
            flags=re.M,
        )
    )
    own = claiming.write(folder / "own", *list(CLAIMS.values())[:3], sections=SECTIONS)
    with _used(own):
        collection(folder / "notebooks")
    shutil.move(own / "claims.yaml", folder / "data")
    shutil.move(own / "facts", folder / "data")
    return folder


def told(script: str, *arguments: Any, **more: Any) -> Any:
    """What a script says in JSON, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        **more,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def png() -> str:
    """A small picture, as a notebook holds it."""
    stream = io.BytesIO()
    Image.new("P", (1440, 840)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def judged(key: str, value: float = 13.2, data: Any = MARKET) -> Verdict:
    """A verdict by the rule, with another one under one of four specifications."""

    def measure(start: float = value) -> dict[str, float]:
        return {"gain": start}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(market, "_current", data)
        return claims.judge(
            key, measure, vary={"start": [13.1, 13.3, 12.9, 15.0]}, control="A placebo has rank 5 of 9."
        )


def code(source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})


def shown(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> Any:
    return new_output("display_data", data=data, metadata=metadata or {})


def verdict_cell(key: str, **more: Any) -> Any:
    return code(
        f'claims.judge("{key}", gain)',
        new_output("execute_result", data=card.bundle(judged(key, **more).payload), execution_count=1),
    )


def cards_cell(*keys: str) -> Any:
    given = claims.cards(*keys)
    return code(f"claims.cards{keys}", shown(given._repr_mimebundle_()))


def chart_cell() -> Any:
    frame = pd.DataFrame({"Close": [2531.16, 2559.61], "Note": [HOSTILE, "C01"]}, index=["4 Dec", "10 Dec"])
    frame.index.name = HOSTILE
    table = tables.payload(frame)
    behind = f'<div class="rr-chart"><details class="rr-data"><summary>The numbers</summary>{tables.as_html(table)}'
    about = {"title": "T", "note": "", "source": "Data: made by hand.", "table": table}
    return code(
        "charts.lines(frame)",
        shown({"text/html": '<div class="rr-chart"><strong>T</strong></div>', "text/plain": "T"}),
        shown(
            {"image/png": png(), "text/plain": "(chart) T", figure.MIME: about},
            {"image/png": {"alt": ALT + ' "q" <b>', "width": 720}},
        ),
        shown({"text/html": f"{behind}</details></div>", "text/plain": "2531.16"}),
    )


def table_cell() -> Any:
    table = tables.payload(pd.DataFrame({"Claim": ["C01", HOSTILE], "Gain": [-1.5, None]}))
    caption = f"A caption of {HOSTILE}"
    return code(
        "tables.table(frame)",
        shown({"text/html": tables.as_html(table, caption), tables.MIME: {"caption": caption, **table}}),
    )


def notebook(title: str, *cells: Any) -> Any:
    """Cells under a title, in the form in which the project saves them."""
    return notebooks.normalise(new_notebook(cells=[new_markdown_cell(f"# {title}"), *cells]))


def first() -> Any:
    """A notebook with everything: cards, a chart, hostile outputs, an exercise, a skipped heading level."""
    return notebook(
        "Did <b>it</b> rise?",
        new_markdown_cell(
            "#### Too deep\n\nSee [the next](02-second.ipynb#what), [a file](../data/claims.yaml), $a^2$."
        ),
        cards_cell("C01", "C02"),
        new_markdown_cell(
            '## Result\n\n<script>alert(2)</script> <img src="https://example.org/x.png"> ![x](http://a.b/c.png)'
        ),
        chart_cell(),
        code(
            'print("<i>x</i>")',
            new_output("stream", name="stdout", text=f"\x1b[31m{HOSTILE}\x1b[0m\n"),
            shown({"text/html": f"<div onclick='x()'>{HOSTILE}</div>", "text/plain": HOSTILE}),
            shown({"text/markdown": f"**Said** {HOSTILE}", "text/plain": HOSTILE}),
            shown(
                {
                    "text/html": '<div class="rr-x" onclick="x()"><iframe src="//a.b"></iframe><b>open',
                    "text/plain": "",
                }
            ),
        ),
        verdict_cell("C01"),
        verdict_cell("C02", value=20.0),
        table_cell(),
        code("# Your turn", tags=("exercise",)),
        code("say('done')", shown({"text/markdown": "It is done."}), tags=("solution",)),
        new_markdown_cell("# Another first level"),
    )


def second() -> Any:
    """A short notebook with one verdict."""
    return notebook("What next?", new_markdown_cell("## What"), verdict_cell("C03"))


def collection(folder: Path) -> Path:
    """Both notebooks, saved as executed."""
    notebooks.write(first(), folder / "01-first.ipynb")
    notebooks.write(second(), folder / "02-second.ipynb")
    return folder


class Reader(HTMLParser):
    """Tags with their attributes, the text outside scripts and styles, and the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text, self.scripts = "", []
        self.inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag in {"script", "style"}:
            self.inside = tag
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[-1] += data
        else:
            self.text += data

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag in names]

    def levels(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.tags if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]
