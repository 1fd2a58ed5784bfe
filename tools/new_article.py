"""``python -m helpers new-article``: a folder in which another article is checked, with one worked example."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from helpers import calendar, notebooks
from helpers.claims import registry, rules, seal
from helpers.files import HelperError, fresh_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Name of the first notebook that judges.
NOTEBOOK = "01-claims"
_HEAD = """\
# yaml-language-server: $schema={schema}
# What an article says, and the rule by which each claim is judged. docs/your-article.md explains every line.
version: 1
collection:
  title: {title}
  sentence: Checks the claims of one market article on real data and gives each a verdict.
article: {{publisher: {publisher}, date: "{date}", address: {address}}}
sections:  # of the article, in its order: a short key, and its title in your words
  story: The story
conventions:
  day: "{day}"  # the last close that the article could know
  windows: {{"year to date": "{year}"}}  # where a sentence names no window: from this close to that of the day
claims:
"""
_EXAMPLE = """\
- id: C01  # an example, to be replaced by the first sentence of yours
  section: story
  paragraph: 1
  fragment: the market has gained
  says: The S&P 500 has gained over the last twenty sessions.
  measures: {{gain: {{label: "S&P 500, price return, {start} to {day}", unit: "%"}}}}
  rule: {{letter: [{{sign: {{is: positive, band: {{sd: 0.5}}}}}}]}}
  because: "Over twenty sessions the S&P 500 moved by {{gain:1,signed}}."
  series: [^GSPC]
"""
_START = """\
# What does the article claim, and does it hold?

Every claim of the article has a rule that was written before its number was computed. Code applies the rule.

*Descriptive, not predictive. Nothing here is investment advice.*
"""
_BOARD = """\
import pandas as pd

from helpers import charts, claims, notebooks
from helpers.claims import card

verdicts = {entry["id"]: card.signed(entry["verdict"]) for entry in notebooks.verdicts()}
rows = {key: (claim.says, verdicts.get(key, "open")) for key, claim in claims.load().items()}
board = pd.DataFrame(rows, index=["What the article says, in our words", "Verdict"]).T.rename_axis("Claim")
charts.table(board, "The claims of the article; open means that nobody has judged it yet")
"""
_SETUP = """\
from helpers import calendar, charts, claims, market
from helpers.claims import registry
from helpers.measures import returns

mkt = market.connect(synthetic=True)
DAY = registry.conventions()["day"]  # the last close that the article could know
claims.cards({cards})
"""
_MEASURE = """\
index = mkt.prices("^GSPC")


def gain(day=DAY, sessions=20, index=index):
    \"\"\"Return over the sessions that end on `day`, percent.\"\"\"
    return returns.window_return(index, calendar.trailing(day, sessions))


claims.judge(
    "C01",
    gain,
    vary={{"sessions": [18, 19, 21, 22], "index": {{"SPY": mkt.prices("SPY")}}}},
    often={{"day": calendar.one_day_a_month("1990-01", "{month}")}},
)
"""
_CHART = """\
year = index[:DAY].tail(250)
moved = f"{(year.iloc[-1] / year.iloc[0] - 1) * 100:+.0f} %"
charts.lines(
    year,
    names={"^GSPC": "S&P 500"},
    title=f"Over 250 sessions the S&P 500 moved by {moved}",
    shows=[f"first to last of 250 closes: {moved}"],
    unit="Close, index points",
)
"""


def command(given: argparse.Namespace) -> int:
    """Write the folder; the last line says how to go on."""
    folder = Path(given.folder).expanduser()
    write(
        folder,
        title=given.title or re.sub(r"[-_ ]+", " ", folder.resolve().name).strip().capitalize(),
        publisher=given.publisher or "The publisher",
        date=given.date or f"{pd.Timestamp.now():%Y-%m-%d}",
        address=given.address or "https://example.org/",
    )
    print(
        "Written. docs/your-article.md says how to go on; the head of claims.yaml comes first.",
        file=sys.stderr,
    )
    print(f"python -m helpers report --article {given.folder}")
    return 0


def write(folder: Path, title: str, publisher: str, date: str, address: str) -> None:
    """Write an article's folder whole: head, an example claim, a notebook, a start page, an empty record and seal.

    Raises
    ------
    HelperError for a folder that holds something, or a head that cannot be.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise HelperError(f"{folder} holds something already; name a folder that is new or empty.")
    try:
        day = calendar.session_on_or_before(date)
    except ValueError:
        raise HelperError(f"'{date}' is no date; write it as 2024-01-31.") from None
    values = {
        "title": json.dumps(title, ensure_ascii=False),
        "publisher": json.dumps(publisher, ensure_ascii=False),
        "address": json.dumps(address),
        "date": date,
        "day": f"{day:%Y-%m-%d}",
        "start": f"{calendar.previous_session(day, 20):%Y-%m-%d}",
        "year": f"{calendar.session_on_or_before(f'{day.year - 1}-12-31'):%Y-%m-%d}",
        "schema": Path(os.path.relpath(registry.SCHEMA, folder.resolve())).as_posix(),
    }
    with fresh_folder(folder) as new:
        (new / "facts").mkdir()
        (new / "facts" / "record.csv").write_text(",".join(registry.FACT_COLUMNS) + "\n", "utf-8")
        (new / "claims.yaml").write_text((_HEAD + _EXAMPLE).format(**values), "utf-8", newline="\n")
        notebooks.write(_book(_START, _BOARD), new / "notebooks" / "00-start-here.ipynb")
        example = notebook("", f"{day - pd.DateOffset(months=1):%Y-%m}")
        notebooks.write(example, new / "notebooks" / f"{NOTEBOOK}.ipynb")
        registry.use(new)
        if faults := registry.check():
            raise HelperError(faults[0])
        seal.begin()
    registry.use(folder)


def notebook(claim_id: str = "", month: str = "") -> NotebookNode:
    """A notebook that is to judge: the worked example in six cells, or the set-up for a new claim."""
    if claim_id:
        return _book(
            "# Does it hold?\n\nWhat the article says, and the rule:", _SETUP.format(cards=f'"{claim_id}"')
        )
    return _book(
        "# Does each sentence hold?\n\nFirst what the article says, with the rule by which it is judged:",
        _SETUP.format(cards=f'notebook="{NOTEBOOK}"'),
        "A worked example: did the market gain? A small function measures it. Its arguments are the choices that "
        "somebody else might make differently.",
        _MEASURE.format(month=month),
        "The year behind it, up to the last close that the article could know:",
        _CHART,
    )


def _book(*cells: str) -> NotebookNode:
    """Text and code in turn."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    made = [
        (new_code_cell if place % 2 else new_markdown_cell)(text.strip()) for place, text in enumerate(cells)
    ]
    book = notebooks.normalise(new_notebook(cells=made))
    for cell in notebooks.code_cells(book):
        cell.execution_count = None
    del book.metadata[notebooks.STAMP], book.metadata[notebooks.OUTPUTS]  # nothing was executed
    return book


def vocabulary() -> str:
    """The words of a rule as a Markdown table, from the schema and the code that applies them."""
    words = registry.schema()["$defs"]["condition"]["properties"]
    rows = ["| Word | What it asks | Its keys |", "|---|---|---|"]
    for name in rules.TESTS:
        given = words[name]
        keys = ", ".join(f"`{key}`" for key in given.get("properties", {})) or "conditions" * (
            name in rules.NESTED
        )
        rows.append(f"| `{name}` | {given['description']} | {keys or 'a sentence'} |")
    return "\n".join(rows)
