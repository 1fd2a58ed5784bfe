"""A collection: its registry of claims (claims.yaml) and its public record (facts/), read and checked."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from helpers import executions, market
from helpers.claims import rules
from helpers.files import HelperError

SCHEMA = market.DATA / "claims.schema.json"
#: Names the folder of another article than the first.
ARTICLE = "ARTICLE"
FACT_COLUMNS = ["id", "date", "subject", "fact", "value", "unit", "standing", "source"]
STANDINGS = {"primary", "press", "secondary", "weak"}
#: What a rule may be revised for, by number.
KINDS = {
    1: "not shown is not refuted",
    2: "size matters",
    3: "the letter is the assertion",
    4: "a test must be able to fail",
    5: "nothing after the day of judgement",
    6: "one rule for windows",
    7: "a cause needs a test",
    8: "a weak source caps blame too",
    9: "like with like",
    10: "one more failure never lifts",
    11: "lowered by code, not by hand",
    12: "a sentence that says why",
}
#: Stands where an author has yet to write.
TO_DO = "TO DO"
#: Larger files, deeper nesting and longer cells are no registry and no record.
_MOST_BYTES, _MOST_DEPTH, _MOST_CELL = 2_000_000, 20, 20_000
#: Words that a sentence of `because` may have.
WORDS_OF_A_REASON = 30
_KEY = r"[a-z^][\w.-]*"
_SLOT = re.compile(rf"\{{({_KEY})(?::([\w,]+))?\}}")
#: A number as people write it, no longer than any that is meant.
_NUMBER = re.compile(r"[-+]?(?=\.?[0-9])(0|[1-9][0-9]{,30})?(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?")
#: What may follow a figure's key in a sentence; a digit is the number of its decimals.
_WISHES = r"abs|bare|signed|\d?"


class RegistryError(HelperError):
    """The registry or the public record is malformed."""


# ------------------------------------------------------------------------------------------------ places


@dataclass(frozen=True)
class Place:
    """Where a collection stands: the folder of its registry and record, its notebooks, its report, who to cite."""

    data: Path
    notebooks: Path
    site: Path
    citation: Path

    @property
    def claims(self) -> Path:
        """The registry."""
        return self.data / "claims.yaml"

    @property
    def facts(self) -> Path:
        """The public record."""
        return self.data / "facts"

    @property
    def option(self) -> str:
        """What a command needs to find this collection: nothing for the first."""
        return "" if self == home() else f" --article {self.data}"


def home(folder: Path | None = None) -> Place:
    """The place of the first collection, or of another one in a folder of its own; RegistryError if there is none."""
    if folder is None:
        root = market.ROOT
        return Place(market.DATA, root / "notebooks", root / "site", root / "CITATION.cff")
    folder = folder.expanduser().resolve()
    if not (folder / "claims.yaml").exists():
        raise RegistryError(
            f"{folder} holds no claims.yaml, so it is no article; begin one with "
            "`python -m helpers new-article FOLDER`."
        )
    return Place(folder, folder / "notebooks", folder / "site", folder / "CITATION.cff")


_place: Place | None = None


def place() -> Place:
    """The place of the collection in use. Every path to a registry, a record or a notebook comes from here.

    It is the one that :func:`use` chose, else ARTICLE; else that of the notebook which runs here; else the first.
    """
    global _place
    if _place is None:
        named, here = os.environ.get(ARTICLE), Path(os.path.abspath("."))
        own = here.parent if here.name == "notebooks" and (here.parent / "claims.yaml").is_file() else None
        _place = home(Path(named) if named else own)
    return _place


def use(folder: Path | None = None) -> Place:
    """Judge by the collection in ``folder`` (claims.yaml, facts/, notebooks/) from now on; by the first with None."""
    global _place
    _place = home(folder)
    for kept in (_facts, _checked):
        kept.cache_clear()
    return _place


# ------------------------------------------------------------------------------------------------ a claim


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
    notebook: str
    because: dict[str, str] = field(default_factory=dict)
    as_of: str = ""
    horizon: str | None = None
    series: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    asserts: dict[str, Any] | None = None
    loose: dict[str, str] = field(default_factory=dict)
    measures: dict[str, dict[str, str]] = field(default_factory=dict)
    decides: str = ""
    reason: str = ""
    revised: list[dict[str, Any]] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Where the article says it."""
        return f"{sections()[self.section]}, paragraph {self.paragraph}"

    def label(self, key: str) -> str:
        """Words of a measure, or of a fact by its id."""
        return self.measures[key]["label"] if key in self.measures else fact(key).subject

    def unit(self, key: str) -> str:
        """Unit of a measure, or of a fact by its id."""
        return self.measures[key]["unit"] if key in self.measures else fact(key).unit

    def line(self, key: str, value: Any) -> dict[str, Any]:
        """A measure's figure as a payload lists it."""
        return {"label": self.label(key), "value": value, "unit": self.unit(key)}

    def label_in(self, key: str) -> str:
        """A measure's words with its unit, where the unit is not plain from the words."""
        unit = self.unit(key)
        return f"{self.label(key)} ({unit})" if unit in _NAMED_UNITS else self.label(key)

    def rule_lines(self) -> list[tuple[str, str]]:
        """The rule for people: (role, condition) for each condition, or one line with the reason."""
        if "not-checkable" in self.rule:
            return [("not-checkable", self.rule["not-checkable"])]
        return [
            (role, rules.describe(condition, self.label_in))
            for role in rules.ROLES
            for condition in self.rule.get(role, [])
        ]

    def rule_text(self) -> str:
        """The rule as one string."""
        return "; ".join(f"{role}: {text}" for role, text in self.rule_lines())


_NAMED_UNITS = {"%", "pp", "pp per pp", "x", "points"}


# -------------------------------------------------------------------------------------- reading the file


class _Strict(yaml.CSafeLoader):
    """Nothing is read as something else: no key replaces an earlier one, no 010 is eight, no 1:30 is ninety."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        named = node.tag in {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
        if (
            named
            and not _NUMBER.fullmatch(str(node.value))
            and str(node.value)[-4:].lower() not in {".nan", ".inf"}
        ):
            fault = f"'{str(node.value)[:20]}' is no number in plain digits"
            raise yaml.constructor.ConstructorError(None, None, fault, node.start_mark)
        return super().construct_object(node, deep)


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        fault = f"the key '{key}' stands twice" if key in seen else ""
        if not isinstance(key, str):
            fault = "a key is a word, not a number, a list or a map"
        if fault:
            raise yaml.constructor.ConstructorError(None, None, fault, key_node.start_mark)
        seen.add(key)
    return dict(yaml.CSafeLoader.construct_mapping(loader, node, deep=True))


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
# A day without quotes is the same text; whether there is such a day is for the schema to say.
_Strict.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RegistryError(
            f"{path.name} cannot be read ({error.strerror}); put a readable file there."
        ) from None
    if len(raw) > _MOST_BYTES:
        raise RegistryError(
            f"{path.name} has {len(raw):,} bytes, more than {_MOST_BYTES:,}: it is no registry."
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RegistryError(f"{path.name} line {line}: the text is not UTF-8; save it as UTF-8.") from None
    if odd := re.search(r"[^\t\n\r -~\xa0-\ufffd\U00010000-\U0010ffff]", text):
        line = text.count("\n", 0, odd.start()) + 1
        raise RegistryError(f"{path.name} line {line}: it holds a control character; take it out.")
    return text


def _guard(text: str) -> None:
    """Refuse aliases and deep nesting before anything is built from them."""
    depth, problem = 0, ""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            problem = "aliases (*name) are not allowed; write it out"
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            problem = f"nested more than {_MOST_DEPTH} deep; flatten it"
        if problem:
            raise yaml.MarkedYAMLError(None, None, problem, event.start_mark)  # type: ignore[arg-type]


def read(path: Path | None = None) -> tuple[dict[str, Any], list[int]]:
    """The file as it stands, and the line of each claim."""
    content, node = _parsed(path or place().claims)
    claims = content.get("claims")
    return content, [
        _line_at(node, ["claims", i]) for i in range(len(claims) if isinstance(claims, list) else 0)
    ]


def _parsed(path: Path) -> tuple[dict[str, Any], Any]:
    text = _text(path)
    try:
        _guard(text)
        loader = _Strict(text)
        node = loader.get_single_node()
        content = loader.construct_document(node) if node else None
    except (yaml.YAMLError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0] or "it is not YAML"
        remedy = "" if ";" in problem else "; mend the file"
        raise RegistryError(f"{path.name}{line}: {problem}{remedy}.") from None
    if not isinstance(content, dict):
        raise RegistryError(f"{path.name}: the file is no map with `claims` in it; see {SCHEMA.name}.")
    return content, node


def _line_at(node: Any, spot: Iterable[Any]) -> int:
    """Line (from 1) of a place in the file, or of what stands nearest above it."""
    line = node.start_mark.line + 1
    for step in spot:
        inside = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = inside if isinstance(node, yaml.MappingNode) else [(one, one) for one in inside]
        known = [pair for place, pair in enumerate(pairs) if step in (pair[0].value, place)]
        if not known:
            break
        line, node = known[0][0].start_mark.line + 1, known[0][1]
    return line


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of the registry."""
    return dict(json.loads(SCHEMA.read_text("utf-8")))


def kinds() -> list[str]:
    """Kinds of claims, as the schema lists them."""
    return list(schema()["$defs"]["claim"]["properties"]["kind"]["enum"])


# ---------------------------------------------------------------------------------------------- checking


def check(path: Path | None = None) -> list[str]:
    """Every fault of the registry, each with its line and what to do; empty if there is none."""
    return _examined(path or place().claims)[2]


def _examined(path: Path) -> tuple[dict[str, Any], list[Claim], list[str]]:
    """The file with its defaults, its claims, and its faults; no claims where the schema finds a fault."""
    from jsonschema import Draft202012Validator, FormatChecker

    content, node = _parsed(path)
    validator = Draft202012Validator(schema(), format_checker=FormatChecker())
    found = [(list(error.absolute_path), error.message[:300]) for error in validator.iter_errors(content)]
    known = [spot for spot, _ in found]
    found += [(spot, fault) for spot, fault in _impossible(content, []) if spot not in known]
    if found:
        return (
            {},
            [],
            [
                f"{path.name} line {_line_at(node, spot)}{_name(spot, content)}: {fault}; see {SCHEMA.name}."
                for spot, fault in found
            ],
        )
    content, facts, books = _filled(content), read_facts(), notebook_names()
    claims = [Claim(**entry) for entry in content["claims"]]
    faults = [f"{path.name} line {_line_at(node, spot)}: {fault}" for spot, fault in _head_faults(content)]
    seen: dict[str, int] = {}
    for number, claim in enumerate(claims):
        line = _line_at(node, ["claims", number])
        own = list(_claim_faults(claim, content["sections"], facts, books))
        if claim.id in seen:
            own.append(f"the id is already used in line {seen[claim.id]}; a claim stands once.")
        faults += [f"{path.name} line {line} ({claim.id}): {fault}" for fault in own]
        seen[claim.id] = line
    return content, claims, faults


def unfinished() -> list[str]:
    """What keeps a collection from being finished, though nothing in it is wrong: sentences as of :func:`check`."""
    from helpers.claims import seal

    path = place().claims
    found = [
        f"{path.name} line {number}: it still says {TO_DO}; fill it in."
        for number, text in enumerate(_text(path).splitlines(), 1)
        if TO_DO in text
    ]
    judging = {claim.notebook for claim in load().values()}
    # The first and the last page may judge nothing: they show what the others found.
    found += [
        f"{path.name}: no claim names the notebook {name}; give it one, or remove the file."
        for name in notebook_names()[1:-1]
        if name not in judging
    ]
    return found + seal.faults()


def _name(spot: list[Any], content: Mapping[str, Any]) -> str:
    """A place in the file in words: the id of its claim, and the keys below."""
    name = ""
    if len(spot) > 1 and spot[0] == "claims":
        entry, spot = content["claims"][spot[1]], spot[2:] or ["entry"]
        name = f" ({str(entry.get('id', '?'))[:20] if isinstance(entry, dict) else '?'})"
    return f"{name}: {'/'.join(map(str, spot))}" if spot else ""


#: Tests that may leave their measure out where the claim has a single one.
_OF_ONE = {"level", "bound", "sign", "rank", "dates"}


def _defaults(of: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given["default"] for key, given in of["properties"].items() if "default" in given}


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """The file with its defaults: conventions, and of each claim what it need not say."""
    usual = _defaults(schema()["properties"]["conventions"])
    content["conventions"] = {**usual, **content.get("conventions", {})}
    article = content["article"]
    usual = {"as_of": article.get("as_of", article["date"]), "notebook": first_notebook()}
    usual |= _defaults(schema()["$defs"]["claim"])
    for entry in content["claims"]:
        entry.update({**usual, **entry})
        if isinstance(said := entry.get("because", {}), str):
            entry["because"] = dict.fromkeys(rules.SCALE, said)
        only = list(entry.get("measures", {}))
        for name, given in rules.walk(entry["rule"]):
            if name in _OF_ONE and "measure" not in given:
                given["measure"] = only[0] if len(only) == 1 else ""
    return content


def notebook_names() -> list[str]:
    """Notebooks that a claim can belong to."""
    return sorted(path.stem for path in place().notebooks.glob("[0-9][0-9]-*.ipynb"))


def first_notebook() -> str:
    """The notebook of a claim that names none: the first after the start page, 00; empty if there is none."""
    return next((name for name in notebook_names() if name[:2] != "00"), "")


def _impossible(value: Any, spot: list[Any]) -> Iterator[tuple[list[Any], str]]:
    """Numbers that are not finite, and days in a text that are none."""
    if isinstance(value, float) and not math.isfinite(value):
        yield spot, f"{value} is no finite number"
    elif isinstance(value, str):
        for day in re.findall(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])", value):
            if not _is_date(day):
                yield spot, f"there is no day {day}"
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _impossible(item, [*spot, key])


def _head_faults(content: Mapping[str, Any]) -> Iterator[tuple[list[Any], str]]:
    article, said = content["article"], content["conventions"]
    for key in ("date", "as_of"):
        if article.get(key, "") > _today():
            yield ["article", key], f"{key} {article[key]} lies in the future; correct it."
    end = said.get("day", article["date"])
    for name, day in said.get("windows", {}).items():
        if day >= end:
            spot = ["conventions", "windows", name]
            yield spot, f"the window '{name}' begins on {day}, not before {end}; correct one."
    ids = {entry["id"] for entry in content["claims"]}
    for kind in ("contradictions", "tensions"):
        for number, pair in enumerate(content.get(kind, [])):
            for key in sorted({*pair["claims"]} - ids):
                yield [kind, number], f"a pair names {key}, which is no claim; correct it."


def _today() -> str:
    return f"{pd.Timestamp.now():%Y-%m-%d}"


Facts = Mapping[str, rules.Fact]


def _claim_faults(claim: Claim, sections: Mapping[str, str], facts: Facts, books: list[str]) -> Iterator[str]:
    for names, known, fault in _mentions(claim, sections, facts, books):
        yield from (fault.format(name) for name in names if name and name not in known)
    if not claim.notebook:
        yield "there is no notebook yet but a start page; write one, or let `new-claim --write` begin it."
    if "" in rules.measures_of(claim.rule):
        yield f"a condition names no measure, and the claim has {len(claim.measures)}; name the one it means."
    if claim.as_of > _today():
        yield f"as_of {claim.as_of} lies in the future; correct it."
    if (claim.horizon or claim.as_of) < claim.as_of:
        yield f"its horizon {claim.horizon} lies before {claim.as_of}, when it is asked; correct one."
    if claim.kind == "cause" and "cause" not in claim.rule and "not-checkable" not in claim.rule:
        yield "a claim of cause needs `cause` in its rule: a test of it, or `untested` with the reason."
    for name, given in rules.walk(claim.rule):
        yield from _range_faults(name, given)
        if name == "fact":
            yield from _coded_faults(given, facts)
    yield from _late_faults(claim, facts)
    for name, template in _reasons(claim).items():
        yield from _wording_faults(name, template)


def _reasons(claim: Claim) -> dict[str, str]:
    """Sentences of `because` by their place in the file; one for every verdict stands there once."""
    said = claim.because
    if len({*said.values()}) == 1 and len(said) == len(rules.SCALE):
        return {"because": said[rules.SUPPORTED]}
    return {f"because/{key}": text for key, text in said.items()}


def _mentions(
    claim: Claim, sections: Mapping[str, str], facts: Facts, books: list[str]
) -> Iterator[tuple[Iterable[str], Iterable[str], str]]:
    """What an entry names, among what each name must be, and the sentence on one that is not."""
    unknown = "unknown series {}; add it to series.yaml or correct the name."
    yield claim.series, market.catalogue(), unknown
    yield claim.facts, facts, "unknown fact {}; add it to facts/ or correct the name."
    yield [claim.section], sections, "unknown section '{}'; add it to `sections` or correct it."
    unknown = "there is no notebook '{}'; correct the name or write it first."
    yield [claim.notebook], books, unknown
    unknown = "the rule uses the measure {}, which `measures` does not declare; add its label and unit."
    yield rules.measures_of(claim.rule), claim.measures, unknown
    unknown = "the rule uses the fact {}, which `facts` does not list; add it."
    yield rules.facts_of(claim.rule), claim.facts, unknown
    yield [claim.decides], claim.measures, "`decides` names {}, which is no measure of the claim; correct it."
    for name, template in _reasons(claim).items():
        unknown = name + " names {}, which is neither a measure nor a fact of it; correct it."
        yield [key for key, _ in _SLOT.findall(template)], [*claim.measures, *claim.facts], unknown


def _coded_faults(given: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    value = facts[given["id"]].value if given["id"] in facts else ""
    if value and not {"equals", "is_not"} & set(given) and number(value) is None:
        yield (
            f"the rule compares the fact {given['id']} with a number, but its value is '{value[:40]}'; "
            "ask what the fact says, or give the number."
        )


def number(text: str) -> float | int | None:
    """The number that a fact's value is, or None."""
    found = float(text) if _NUMBER.fullmatch(text) else math.nan
    return None if not math.isfinite(found) else int(text) if re.fullmatch(r"-?\d+", text) else found


def _range_faults(name: str, given: Any) -> Iterator[str]:
    if name == "dates" and "within" in given and given["within"][0] > given["within"][1]:
        yield f"the days {given['within'][0]} and {given['within'][1]} exclude each other; swap them."
    low = [given[key] for key in ("above", "at_least") if name in {"bound", "fact"} and key in given]
    high = [given[key] for key in ("below", "at_most") if low and key in given]
    if high and not rules.within(given, (max(low) + min(high)) / 2):
        yield f"the bounds {max(low)} and {min(high)} exclude each other; correct one."


def _late_faults(claim: Claim, facts: Facts) -> Iterator[str]:
    """Nothing after the day of judgement votes, save a forecast's figures up to its horizon."""
    limit = claim.horizon or claim.as_of
    for key in rules.measures_of(claim.rule, rules.TURNING):
        label = claim.measures.get(key, {}).get("label", "")
        if late := [day for day in re.findall(r"\d{4}-\d\d-\d\d", label) if day > limit]:
            yield f"the measure {key} reaches to {late[0]}, after {limit}; what came later cannot vote."
    for key in rules.facts_of(claim.rule, rules.TURNING):
        day = facts[key].date if key in facts else ""
        if day > limit:
            yield f"the fact {key} is of {day}, after {limit}; what came later cannot vote."
        elif limit[:7] == day and not pd.Timestamp(limit).is_month_end:
            yield f"the fact {key} is of {day} without a day, and {limit} lies within; give its day, or `given`."


def _wording_faults(name: str, template: str) -> Iterator[str]:
    words = len(_SLOT.sub("x", template).split())
    if words > WORDS_OF_A_REASON:
        yield f"{name} has {words} words; say it in {WORDS_OF_A_REASON}."
    if re.search(r"[{}]", _SLOT.sub("", template)):
        yield f"{name} has a brace that belongs to no figure; write {{key}} or {{key:1}}."
    for key, wishes in _SLOT.findall(template):
        if odd := [wish for wish in wishes.split(",") if not re.fullmatch(_WISHES, wish)]:
            yield f"{name} asks {key} for '{odd[0]}'; write a digit, abs, bare or signed."


# ---------------------------------------------------------------------------------------------- reading


def head() -> dict[str, Any]:
    """All of the registry but its claims: collection, article, sections, conventions."""
    return {key: value for key, value in _checked()[0].items() if key != "claims"}


def load() -> dict[str, Claim]:
    """Every claim by id, checked.

    Raises
    ------
    RegistryError with the first fault; ``python -m helpers claims`` prints them all.
    """
    executions.note("claim", "")
    return _checked()[1]


@cache
def _checked() -> tuple[dict[str, Any], dict[str, Claim]]:
    content, claims, faults = _examined(place().claims)
    if faults:
        more = f" `python -m helpers claims` lists {len(faults) - 1} more." if len(faults) > 1 else ""
        raise RegistryError(faults[0] + more)
    return content, {claim.id: claim for claim in claims}


def article() -> dict[str, Any]:
    """Publisher, date and address of the article."""
    return dict(head()["article"])


def made_up() -> bool:
    """True if the article is about the synthetic market, whose prices then are what it is judged by."""
    return "market" in head()


def sections() -> dict[str, str]:
    """Sections of the article in their order: key and title."""
    return dict(head()["sections"])


def conventions() -> dict[str, Any]:
    """What holds for every claim that does not say otherwise."""
    return dict(head()["conventions"])


def claim(claim_id: str) -> Claim:
    """One claim by id; RegistryError if there is none."""
    executions.note("claim", claim_id)
    known = _checked()[1]
    if claim_id not in known:
        ids = f"the ids run from {min(known)} to {max(known)}" if known else "the registry is empty"
        raise RegistryError(f"There is no claim {claim_id}; {ids}.")
    return known[claim_id]


def in_notebook(name: str) -> list[Claim]:
    """The claims that a notebook judges, in reading order."""
    found = [entry for entry in _checked()[1].values() if entry.notebook == name]
    executions.note("claims of", name)
    executions.note("claim", *(entry.id for entry in found))
    return found


def read_facts(folder: Path | None = None) -> dict[str, rules.Fact]:
    """The public record: every row of every table in ``folder`` by id."""
    found: dict[str, rules.Fact] = {}
    if (folder := folder or place().facts).is_file():
        raise RegistryError(
            f"{folder.name} is a file; make it a folder with the tables of the public record."
        )
    for path in sorted(folder.glob("*.csv")):
        reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
        try:
            if reader.fieldnames != FACT_COLUMNS:
                raise RegistryError(
                    f"{path.name}: the columns are not {', '.join(FACT_COLUMNS)}; mend the head."
                )
            for row in reader:
                name = f" ({row['id']})" if None not in row.values() else ""
                for fault in _row_faults(row, found):
                    raise RegistryError(f"{path.name} line {reader.line_num}{name}: {fault}.")
                found[row["id"]] = rules.Fact(**row)
        except csv.Error as error:
            raise RegistryError(f"{path.name} line {reader.line_num}: {error}; mend the row.") from None
    return found


def _row_faults(row: dict[str, str], found: Facts) -> Iterator[str]:
    """What is wrong with a row of the public record; what comes later counts only where nothing came before."""
    if None in row or None in row.values():
        yield f"the row has not {len(FACT_COLUMNS)} cells; quote a cell with commas"
    if empty := [name for name in FACT_COLUMNS if name not in {"value", "date"} and not row[name].strip()]:
        yield f"{', '.join(empty)} is empty; fill it in"
    if long := [name for name in FACT_COLUMNS if len(row[name]) > _MOST_CELL]:
        yield f"{long[0]} has over {_MOST_CELL:,} characters; shorten it"
    if not re.fullmatch(_KEY, row["id"]):
        yield f"the id '{row['id'][:40]}' is not made of letters, digits, - and . alone; mend it"
    if row["standing"] not in STANDINGS:
        yield f"the standing is one of {', '.join(sorted(STANDINGS))}, not '{row['standing']}'"
    if row["id"] in found:
        yield "the fact stands twice; keep one"
    if row["date"] and not _is_date(row["date"]):
        yield f"'{row['date']}' is no date; write it as 2024-01-31, 2024-01 or 2024"
    for part in row["source"].split(" ; "):
        scheme = re.match(r"([a-z][a-z0-9+.-]*):", part.strip(), re.IGNORECASE)
        if scheme and scheme[1].lower() not in {"http", "https"}:
            yield f"the source '{part.strip()[:40]}' is no web address; correct it"


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", text):
        return False
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True


def facts() -> dict[str, rules.Fact]:
    """The public record by id."""
    executions.note("fact", "")
    return _facts()


@cache
def _facts() -> dict[str, rules.Fact]:
    return read_facts()


def fact(fact_id: str) -> rules.Fact:
    """One fact by id."""
    executions.note("fact", fact_id)
    if fact_id not in _facts():
        raise RegistryError(f"There is no fact {fact_id} in facts/; add it there, or correct the id.")
    return _facts()[fact_id]


def record(entry: Claim) -> dict[str, rules.Fact]:
    """The facts that a claim names, by id."""
    return {key: fact(key) for key in entry.facts}


def fill(template: str, values: Mapping[str, tuple[Any, str]]) -> str:
    """A sentence with its figures: ``{key}``, ``{key:1}`` (decimals), ``abs``, ``bare``, ``signed``.

    Empty where a figure of it is not known.

    Parameters
    ----------
    values : value and unit of each measure by key; facts are found by their id
    """
    from helpers.words import quantity

    def figure(match: re.Match[str]) -> str:
        key, wishes = match[1], (match[2] or "").split(",")
        value, unit = values[key] if key in values else _fact_value(key)
        digits = next((int(wish) for wish in wishes if wish.isdecimal()), None)
        if isinstance(value, (int, float)) and "abs" in wishes:
            value = abs(value)
        text = quantity(value, "" if "bare" in wishes else unit, digits)
        return f"+{text}" if "signed" in wishes and isinstance(value, (int, float)) and value > 0 else text

    asked = [key for key, _ in _SLOT.findall(template) if key in values]
    return _SLOT.sub(figure, template) if all(values[key][0] is not None for key in asked) else ""


def _fact_value(key: str) -> tuple[Any, str]:
    known = fact(key)
    value = number(known.value)
    return (known.fact, "") if value is None else (value, known.unit)
