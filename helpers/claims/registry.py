"""The registry of claims (data/claims.yaml) and the public record (data/facts), read and checked."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from helpers import market
from helpers.claims import rules
from helpers.files import HelperError

CLAIMS = market.DATA / "claims.yaml"
SCHEMA = market.DATA / "claims.schema.json"
FACTS = market.DATA / "facts"
FACT_COLUMNS = ["id", "date", "subject", "fact", "value", "unit", "standing", "source"]
STANDINGS = {"primary", "press", "secondary", "weak"}

SECTIONS = {
    "introduction": "Introduction",
    "records": "Small caps break records",
    "fortunes": "Winners and losers",
    "significance": "Wider significance",
    "outlook": "What comes next",
    "conclusion": "Conclusion",
}


class RegistryError(HelperError):
    """The registry or the public record is malformed."""


@dataclass(frozen=True)
class Claim:
    """One claim of the article, in our words, with the rule it is judged by."""

    id: str
    section: str
    paragraph: int
    fragment: str
    says: str
    kind: str
    clarity: str
    rule: dict[str, Any]
    series: list[str]
    facts: list[str]
    notebook: str
    as_of: str
    horizon: str | None
    asserts: dict[str, Any] | None = None
    loose: dict[str, str] = field(default_factory=dict)
    measures: dict[str, dict[str, str]] = field(default_factory=dict)
    reason: str = ""

    @property
    def place(self) -> str:
        """Where the article says it."""
        return f"{SECTIONS[self.section]}, paragraph {self.paragraph}"

    def label(self, key: str) -> str:
        """A measure's words."""
        return self.measures[key]["label"]

    def label_in(self, key: str) -> str:
        """A measure's words with its unit, where the unit is not plain from the words."""
        unit = self.measures[key]["unit"]
        return (
            f"{self.label(key)} ({unit})"
            if unit in {"%", "pp", "pp per pp", "x", "points"}
            else self.label(key)
        )

    def rule_lines(self) -> list[tuple[str, str]]:
        """The rule for people: (role, condition) for each condition, or one line with the reason."""
        if "not-checkable" in self.rule:
            return [("not-checkable", self.rule["not-checkable"])]
        return [
            (role, rules.describe(condition, self.label_in))
            for role in rules.PARTS
            for condition in self.rule.get(role, [])
        ]

    def rule_text(self) -> str:
        """The rule as one string."""
        return "; ".join(f"{role}: {text}" for role, text in self.rule_lines())


def _lines(node: yaml.Node) -> list[int]:
    """Line (from 1) at which each claim of the file begins."""
    for key, value in node.value:
        if key.value == "claims":
            return [item.start_mark.line + 1 for item in value.value]
    return []


def read(path: Path = CLAIMS) -> tuple[dict[str, Any], list[int]]:
    """The file as it stands, and the line of each claim."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise RegistryError(f"The registry {path.name} cannot be read ({error.strerror}).") from None
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        content = yaml.load(text, Loader=_UniqueKeys)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise RegistryError(f"{path.name}{line}: {problem}; mend the file.") from None
    return content, _lines(node) if node else []


class _UniqueKeys(yaml.CSafeLoader):
    """YAML lets a later key silently replace an earlier one; here that is an error."""


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key '{key}' stands twice", key_node.start_mark
            )
        seen.add(key)
    return dict(yaml.CSafeLoader.construct_mapping(loader, node, deep=True))


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of the registry."""
    return dict(json.loads(SCHEMA.read_text("utf-8")))


def kinds() -> list[str]:
    """Kinds of claims, as the schema lists them."""
    return list(schema()["$defs"]["claim"]["properties"]["kind"]["enum"])


def check(path: Path = CLAIMS, facts_folder: Path = FACTS) -> list[str]:
    """Every fault of the registry, each with its line and what to do; empty if there is none."""
    from jsonschema import Draft202012Validator

    content, lines = read(path)
    faults = []
    for error in Draft202012Validator(schema()).iter_errors(content):
        place = list(error.absolute_path)
        where, what = path.name, "/".join(map(str, place))
        if len(place) > 1 and place[0] == "claims":
            index = int(place[1])
            entry = content["claims"][index]
            name = entry.get("id", "?") if isinstance(entry, dict) else "?"
            where, what = (
                f"{path.name} line {lines[index]} ({name})",
                "/".join(map(str, place[2:])) or "entry",
            )
        faults.append(f"{where}: {what}: {error.message}; see {SCHEMA.name}.")
    if faults:
        return faults
    facts = read_facts(facts_folder)
    known = market.catalogue()
    seen: dict[str, int] = {}
    for entry, line in zip(content["claims"], lines, strict=True):
        faults += _claim_faults(entry, f"{path.name} line {line} ({entry['id']})", known, facts)
        if entry["id"] in seen:
            faults.append(
                f"{path.name} line {line}: the id {entry['id']} is already used in line {seen[entry['id']]}; "
                f"a claim stands once, in one notebook."
            )
        seen[entry["id"]] = line
    return faults


def _claim_faults(
    entry: dict[str, Any], where: str, known: dict[str, Any], facts: dict[str, rules.Fact]
) -> list[str]:
    faults = [
        f"{where}: unknown series {name}; add it to series.yaml or correct the name."
        for name in entry["series"]
        if name not in known
    ]
    faults += [
        f"{where}: unknown fact {name}; add it to data/facts or correct the name."
        for name in entry["facts"]
        if name not in facts
    ]
    rule = entry["rule"]
    try:
        for part in rules.PARTS:
            for condition in rule.get(part, []):
                rules.check_condition(condition, where)
    except HelperError as error:
        return [*faults, str(error)]
    declared = set(entry.get("measures", {}))
    faults += [
        f"{where}: the rule uses the measure {key}, which `measures` does not declare; add its label and unit."
        for key in rules.measures_of(rule)
        if key not in declared
    ]
    faults += [
        f"{where}: the rule uses the fact {key}, which `facts` does not list; add it."
        for key in rules.facts_of(rule)
        if key not in entry["facts"]
    ]
    return faults


@cache
def load() -> dict[str, Claim]:
    """Every claim by id, checked.

    Raises
    ------
    RegistryError with the first fault; ``python -m helpers claims`` prints them all.
    """
    faults = check()
    if faults:
        more = f" ({len(faults) - 1} more: run `python -m helpers claims`)" if len(faults) > 1 else ""
        raise RegistryError(faults[0] + more)
    content, _ = read()
    return {entry["id"]: Claim(**entry) for entry in content["claims"]}


@cache
def article() -> dict[str, Any]:
    """Publisher and date of the article, and the id of the fact that says where it stands."""
    return dict(read()[0]["article"])


def claim(claim_id: str) -> Claim:
    """One claim by id."""
    known = load()
    if claim_id not in known:
        raise RegistryError(f"There is no claim {claim_id}; the ids run from {min(known)} to {max(known)}.")
    return known[claim_id]


def in_notebook(name: str) -> list[Claim]:
    """The claims that a notebook judges, in reading order."""
    return [entry for entry in load().values() if entry.notebook == name]


def read_facts(folder: Path = FACTS) -> dict[str, rules.Fact]:
    """The public record: every row of every table in ``folder`` by id."""
    found: dict[str, rules.Fact] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            if reader.fieldnames != FACT_COLUMNS:
                raise RegistryError(
                    f"{path.name}: the columns are not {', '.join(FACT_COLUMNS)}; mend the head."
                )
            for row in reader:
                _check_fact(row, f"{path.name} line {reader.line_num}", found)
                found[row["id"]] = rules.Fact(**row)
    return found


def _check_fact(row: dict[str, Any], where: str, found: dict[str, rules.Fact]) -> None:
    if None in row or None in row.values():
        raise RegistryError(f"{where}: the row has not {len(FACT_COLUMNS)} cells; quote a cell with commas.")
    if empty := [name for name in FACT_COLUMNS if name not in {"value", "date"} and not row[name].strip()]:
        raise RegistryError(f"{where} ({row['id']}): {', '.join(empty)} is empty; fill it in.")
    if row["standing"] not in STANDINGS:
        raise RegistryError(
            f"{where} ({row['id']}): the standing is one of {', '.join(sorted(STANDINGS))}, "
            f"not '{row['standing']}'."
        )
    if row["id"] in found:
        raise RegistryError(f"{where}: the fact {row['id']} stands twice; keep one.")


@cache
def facts() -> dict[str, rules.Fact]:
    """The public record by id."""
    return read_facts()


def fact(fact_id: str) -> rules.Fact:
    """One fact by id."""
    if fact_id not in facts():
        raise RegistryError(f"There is no fact {fact_id} in data/facts.")
    return facts()[fact_id]
