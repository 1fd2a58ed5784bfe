"""A new claim: the entry to fill in, with the next free id, and its place in the registry."""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from helpers import notebooks
from helpers.claims import registry, rules
from helpers.claims.registry import TO_DO, RegistryError
from helpers.files import write_whole
from tools import new_article

#: Kept by a new entry until its author has written the rule; it passes the schema and judges nothing.
NO_RULE = f"{TO_DO}: write it before any number is computed."
_HINTS = """\
  # Write the rule before you compute the number; docs/your-article.md lists the words. For instance, for `rule`:
  #   measures: {lead: {label: "Russell 2000 minus S&P 500, price return, 2023-12-29 to 2024-06-28", unit: pp}}
  #   rule: {letter: [{bound: {above: 0.1}}]}
  #   because: "The Russell 2000 led the S&P 500 by {lead:1}."
"""


def next_id(content: dict[str, Any]) -> str:
    """The next free id, such as C93."""
    return f"C{max((int(entry['id'][1:]) for entry in content['claims']), default=0) + 1:02d}"


def _choose(what: str, value: str, known: tuple[str, ...] | list[str]) -> str:
    if value not in known:
        raise RegistryError(f"There is no {what} '{value}'; choose from {', '.join(known)}.")
    return value


def entry(
    section: str | None = None,
    paragraph: int = 1,
    notebook: str | None = None,
    fragment: str = f"{TO_DO}: at most eight words",
    says: str = f"{TO_DO}: the claim in our own words.",
    kind: str | None = None,
    clarity: str | None = None,
    path: Path | None = None,
) -> str:
    """The entry of a new claim as YAML, to be filled in; its section by default that of the last claim.

    Raises
    ------
    RegistryError for an unknown section, kind or clarity, or a fragment of more than eight words.
    """
    content, _ = registry.read(path)
    if faults := registry.check(path):
        raise RegistryError(faults[0])
    last = content["claims"][-1] if content["claims"] else {}
    section = section or last.get("section") or next(iter(content["sections"]))
    _choose("section", section, list(content["sections"]))
    _choose("kind", kind or "number", registry.kinds())
    _choose("clarity", clarity or "clear", rules.CLARITY)
    if paragraph < 1:
        raise RegistryError(f"Paragraphs are counted from 1, not {paragraph}.")
    if not 1 <= len(fragment.split()) <= 8:
        raise RegistryError("The fragment finds the place: one to eight words of the article.")
    if len(says.strip()) < 10:
        raise RegistryError("`says` is the claim in our own words, a whole sentence.")
    fields = {
        "section": section,
        "paragraph": paragraph,
        "fragment": " ".join(fragment.split()),
        "says": " ".join(says.split()),
        **{key: value for key, value in (("kind", kind), ("clarity", clarity)) if value},
        "rule": {"not-checkable": NO_RULE},
    }
    if notebook or not registry.first_notebook():
        fields["notebook"] = notebook or new_article.NOTEBOOK
    lines = [f"- id: {next_id(content)}"]
    for key, value in fields.items():
        if key == "rule":
            lines.append(_HINTS.rstrip("\n"))
        # JSON is YAML, and quotes what YAML would take for something else (a date, a colon).
        text = json.dumps(value, ensure_ascii=False)
        plain = isinstance(value, str) and yaml.safe_load(value) == value and TO_DO not in value
        lines.append(f"  {key}: {value if plain else text}")
    return "\n".join(lines) + "\n"


def _place(section: str, paragraph: int, content: dict[str, Any], lines: list[int]) -> int | None:
    """Line (from 1) before which a claim of this section and paragraph stands; None for the end."""
    order = list(content["sections"])
    own = (order.index(section), paragraph)
    for claim, line in zip(content["claims"], lines, strict=True):
        if (order.index(claim["section"]), claim["paragraph"]) > own:
            return line
    return None


def insert(text: str, path: Path | None = None) -> int:
    """Insert an entry into the registry in reading order; the line at which it begins.

    The whole file is checked first and replaced at once: a faulty entry leaves it as it was.

    Raises
    ------
    RegistryError with the first fault.
    """
    path = path or registry.place().claims
    content, lines = registry.read(path)
    (made,) = yaml.safe_load(text)
    before = _place(made["section"], made["paragraph"], content, lines)
    rows = path.read_text("utf-8").splitlines(keepends=True)
    if not content["claims"]:
        rows = [row for row in rows if not re.match(r"claims:\s*\[\s*\]", row)] + ["claims:\n"]
    at = before - 1 if before is not None else len(rows)
    # A comment above the next claim belongs to that claim.
    while before is not None and rows[at - 1].lstrip().startswith("#"):
        at -= 1
    if at and not rows[at - 1].endswith("\n"):
        rows[at - 1] += "\n"
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        made_text = "".join([*rows[:at], text, *rows[at:]])
        trial.write_text(made_text, "utf-8", newline="\n")
        if faults := registry.check(trial):
            raise RegistryError(faults[0])
    write_whole(path, made_text)
    return at + 1


def command(given: argparse.Namespace) -> int:
    """``python -m helpers new-claim``: print the entry, or put it into the registry."""
    optional = ("section", "paragraph", "notebook", "fragment", "says", "kind", "clarity")
    text = entry(**{key: value for key in optional if (value := getattr(given, key)) is not None})
    print(text, end="")
    if given.write:
        (made,) = yaml.safe_load(text)
        file = registry.place().notebooks / f"{made.get('notebook', registry.first_notebook())}.ipynb"
        fresh = not file.exists()
        if fresh:
            notebooks.write(new_article.notebook(made["id"]), file)
        try:
            line = insert(text)
        except BaseException:
            if fresh:
                file.unlink()
            raise
        more = f" and a notebook to judge it, {file.name}" if fresh else ""
        told = f"Written to claims.yaml, line {line}{more}. Now write its rule, before you compute anything."
        print(told, file=sys.stderr)
    return 0
