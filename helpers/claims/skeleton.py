"""A new claim: the entry to fill in, with the next free id, and its place in the registry."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from helpers import market
from helpers.claims import registry, rules
from helpers.claims.registry import RegistryError

#: Kept by a new entry until its author has written the rule; it passes the schema and judges nothing.
NO_RULE = "To be written before any number is computed."
_HINTS = """\
  # Write the rule before you compute the number. Tests: helpers/claims/rules.py. For instance:
  #   measures:
  #     lead: {label: "Russell 2000 minus S&P 500 price return, 2024-12-31 to 2025-12-10", unit: pp}
  #   rule:
  #     letter:
  #       - bound: {measure: lead, above: 0.1}
"""


def next_id(content: dict[str, Any]) -> str:
    """The next free id, such as C93."""
    return f"C{max(int(entry['id'][1:]) for entry in content['claims']) + 1:02d}"


def _choose(what: str, value: str, known: tuple[str, ...] | list[str]) -> str:
    if value not in known:
        raise RegistryError(f"There is no {what} '{value}'; choose from {', '.join(known)}.")
    return value


def notebook_names() -> list[str]:
    """Notebooks that a claim can belong to."""
    return sorted(path.stem for path in (market.ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))


def entry(
    section: str,
    paragraph: int,
    notebook: str,
    fragment: str = "TO DO: at most eight words",
    says: str = "TO DO: the claim in our own words.",
    kind: str = "number",
    clarity: str = "clear",
    path: Path = registry.CLAIMS,
) -> str:
    """The entry of a new claim as YAML, to be filled in.

    Raises
    ------
    RegistryError for an unknown section, notebook, kind or clarity, or a fragment of more than eight words.
    """
    content, _ = registry.read(path)
    _choose("section", section, list(registry.SECTIONS))
    _choose("notebook", notebook, notebook_names())
    _choose("kind", kind, registry.kinds())
    _choose("clarity", clarity, rules.CLARITY)
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
        "kind": kind,
        "clarity": clarity,
        "rule": {"not-checkable": NO_RULE},
        "series": [],
        "facts": [],
        "notebook": notebook,
        "as_of": content["article"]["date"],
        "horizon": None,
    }
    lines = [f"- id: {next_id(content)}"]
    for key, value in fields.items():
        if key == "rule":
            lines.append(_HINTS.rstrip("\n"))
        # JSON is YAML, and quotes what YAML would take for something else (a date, a colon).
        text = json.dumps(value, ensure_ascii=False)
        plain = isinstance(value, str) and yaml.safe_load(value) == value and not value.startswith("TO DO")
        lines.append(f"  {key}: {value if plain else text}")
    return "\n".join(lines) + "\n"


def _place(section: str, paragraph: int, content: dict[str, Any], lines: list[int]) -> int | None:
    """Line (from 1) before which a claim of this section and paragraph stands; None for the end."""
    order = list(registry.SECTIONS)
    own = (order.index(section), paragraph)
    for claim, line in zip(content["claims"], lines, strict=True):
        if (order.index(claim["section"]), claim["paragraph"]) > own:
            return line
    return None


def insert(text: str, path: Path = registry.CLAIMS) -> int:
    """Insert an entry into the registry in reading order; the line at which it begins.

    The whole file is checked first and replaced at once: a faulty entry leaves it as it was.

    Raises
    ------
    RegistryError with the first fault.
    """
    content, lines = registry.read(path)
    (made,) = yaml.safe_load(text)
    before = _place(made["section"], made["paragraph"], content, lines)
    rows = path.read_text("utf-8").splitlines(keepends=True)
    at = before - 1 if before is not None else len(rows)
    # A comment above the next claim belongs to that claim.
    while before is not None and rows[at - 1].lstrip().startswith("#"):
        at -= 1
    if at and not rows[at - 1].endswith("\n"):
        rows[at - 1] += "\n"
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text("".join([*rows[:at], text, *rows[at:]]), "utf-8", newline="\n")
        if faults := registry.check(part):
            raise RegistryError(faults[0].replace(part.name, path.name))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return at + 1
