"""A small collection of executed notebooks, made by hand, and a reader of the pages made from it."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from helpers import charts, notebooks
from helpers.claims import registry, verdicts, views

HOSTILE = '<script>alert(1)</script> & </script><!-- \u202egnp.exe \u2066 “x” onload="y"'
ALT = "The line of the small caps rises above its old record on the fourth of December."
MARKET = SimpleNamespace(
    store=object(),
    source="store",
    real=True,
    last_session=pd.Timestamp("2025-12-12"),
    fingerprint="0123456789ab",
)


def claim(key: str, notebook: str, **more: Any) -> registry.Claim:
    """A claim with one measure."""
    given: dict[str, Any] = {
        "id": key,
        "section": "records",
        "paragraph": 1,
        "fragment": "record highs",
        "says": f"Claim {key} says something of {HOSTILE}.",
        "kind": "number",
        "clarity": "clear",
        "rule": {"letter": [{"level": {"measure": "gain", "target": 13, "tolerance": 0.5}}]},
        "series": ["^RUT"],
        "facts": [],
        "notebook": notebook,
        "as_of": "2025-12-11",
        "horizon": None,
        "measures": {"gain": {"label": f"Gain of {HOSTILE}", "unit": "%"}},
    }
    return registry.Claim(**{**given, **more})


CLAIMS = {
    made.id: made
    for made in (
        claim("C01", "01-first"),
        claim("C02", "01-first", section="introduction", kind="cause"),
        claim("C03", "02-second", section="outlook", kind="forecast"),
        claim("C04", "09-unwritten", section="outlook", kind="opinion"),
    )
}


def png() -> str:
    """A small picture, as a notebook holds it."""
    stream = io.BytesIO()
    Image.new("P", (1440, 840)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def judged(key: str, value: float = 13.2, data: Any = MARKET) -> verdicts.Verdict:
    """A verdict by the rule."""
    robust = verdicts.Robustness("start date", 3, 4, 11.0, 15.0, "%", "A placebo has rank 5 of 9.")
    return verdicts.judge(key, {"gain": value}, data=[data], robustness=robust)


def code(source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})


def shown(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> Any:
    return new_output("display_data", data=data, metadata=metadata or {})


def verdict_cell(key: str, **more: Any) -> Any:
    return code(
        f'claims.judge("{key}", {{"gain": 13.2}}, data=[mkt])',
        new_output("execute_result", data=views.bundle(judged(key, **more)), execution_count=1),
    )


def chart_cell() -> Any:
    table = pd.DataFrame({"Close": [2531.16, 2559.61], "Note": [HOSTILE, ""]}, index=["4 Dec", "10 Dec"])
    table.index.name = HOSTILE
    behind = f'<details class="rr-data"><summary>The numbers</summary>{charts.table_html(table)}</details>'
    return code(
        "charts.show(figure)",
        shown(
            {"image/png": png(), "text/plain": ALT}, {"image/png": {"alt": ALT + ' "q" <b>', "width": 720}}
        ),
        shown({"text/html": behind, "text/plain": "2531.16"}),
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
        code("claims.cards('C01', 'C02')", shown({"text/html": views.cards("C01", "C02")._repr_html_()})),
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
