"""The door of the registry and of the public record: every fault a line, what is wrong, and what to do."""

import time

import claiming
import pytest
import yaml
from claiming import entry
from conftest import ROOT

from helpers import claims
from helpers.claims import registry, rules, together
from helpers.claims.registry import RegistryError


@pytest.fixture
def use(tmp_path):
    """Write a small collection and judge by it; ours again afterwards."""

    def use(*entries, **more):
        registry.use(claiming.write(tmp_path / "own", *entries, **more))
        return registry.check()

    yield use
    registry.use()


def only(faults, *words):
    """The one fault, which says where, what and what to do."""
    assert len(faults) == 1, faults
    for word in (*words, "claims.yaml line ", "(C01)"):
        assert word in faults[0], faults[0]
    assert faults[0].endswith(".")
    assert "\n" not in faults[0]


def refused(call, *words):
    with pytest.raises(RegistryError) as told:
        call()
    for word in words:
        assert word in str(told.value), told.value
    assert "\n" not in str(told.value)


def letter(*conditions):
    return {"letter": list(conditions)}


# ------------------------------------------------------------------------------------------ a whole one


def test_another_collection_is_judged_by_its_own_folder(use):
    assert use(entry(), entry(id="C02", notebook="02-second", section="second")) == []
    assert list(claims.load()) == ["C01", "C02"]
    assert [found.id for found in claims.in_notebook("02-second")] == ["C02"]
    assert registry.article()["publisher"] == "A paper"
    assert claims.fact("cuts").value == "3"
    assert claims.claim("C01").as_of == "2025-12-11"
    assert claims.claim("C02").place == "The second section, paragraph 1"
    assert registry.place().claims.parent.name == "own"
    registry.use()
    assert registry.place().claims == ROOT / "data" / "claims.yaml"


def test_a_claim_that_is_not_there_is_told_with_the_ids(use):
    use()
    refused(lambda: claims.claim("C99"), "no claim C99", "from C01 to C01")
    use(text=yaml.safe_dump({**claiming.HEAD, "claims": []}))
    refused(lambda: claims.claim("C99"), "the registry is empty")


def test_a_day_needs_no_quotes(use):
    text = yaml.safe_dump(claiming.HEAD).replace("'2025-12-11'", '"2025-12-11"')
    assert use(text=text.replace('date: "2025-12-11"', "date: 2025-12-11") + "claims: []\n") == []
    assert registry.article()["date"] == "2025-12-11"


def test_the_first_fault_stops_the_loading(use):
    use(entry(notebook="03-third", section="third"))
    refused(claims.load, "claims.yaml line ", "(C01)", "`python -m helpers claims` lists 1 more.")


def test_our_own_registry_is_whole():
    assert registry.check() == []
    for claim in claims.load().values():
        assert claim.rule_lines(), claim.id
        assert len(claim.fragment.split()) <= 8


# ------------------------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("claims\n", ["no map with `claims`"]),
        ("- a\n- b\n", ["no map with `claims`"]),
        ("", ["no map with `claims`"]),
        ("42\n", ["no map with `claims`"]),
        ("claims:\n  - : [\n", ["claims.yaml line 2"]),
        ("revision: 1\n? [a, b]\n: 2\n", ["claims.yaml line 2", "a key is a word"]),
        ("revision: 1\n? {a: b}\n: 2\n", ["claims.yaml line 2", "a key is a word"]),
        ("revision: 1\n7: 2\n", ["claims.yaml line 2", "a key is a word"]),
        ("revision: 1\nrevision: 2\n", ["claims.yaml line 2", "'revision' stands twice"]),
        ("a: &a [1, 2]\nb: *a\n", ["claims.yaml line 2", "aliases", "write it out"]),
        ("a: " + "[" * 500 + "]" * 500 + "\n", ["claims.yaml line 1", "20 deep"]),
        ("a: " + "{b: " * 500 + "1" + "}" * 500 + "\n", ["claims.yaml line 1", "20 deep"]),
        ("a: !!python/object/apply:os.getcwd []\n", ["claims.yaml line 1"]),
        ("a: 1\n---\nb: 2\n", ["claims.yaml line 2"]),
        ("a: b\x00c\n", ["claims.yaml"]),
        ("b: 1\na: " + "9" * 6000 + "\n", ["claims.yaml line 2", "'99999999999999999999' is no number"]),
        ("b: 1\na: 010\n", ["claims.yaml line 2", "'010' is no number in plain digits"]),
        ("b: 1\na: 1:30\n", ["claims.yaml line 2", "'1:30' is no number"]),
        ("b: 1\na: !!int abc\n", ["claims.yaml line 2", "'abc' is no number"]),
        ("b: 1\na: b\ufffec\n", ["claims.yaml line 2", "control character"]),
        ("b: 1\n\ta: 1\n", ["claims.yaml line 2"]),
        ("# " + "x" * 2_000_001, ["claims.yaml", "bytes"]),
    ],
)
def test_a_file_that_is_no_registry_is_refused(use, text, words):
    refused(lambda: use(text=text), *words)


def test_aliases_that_multiply_are_refused_at_once(use):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    start = time.perf_counter()
    refused(lambda: use(text="\n".join(lines)), "aliases")
    assert time.perf_counter() - start < 1


def test_text_that_is_not_utf_8_is_told_with_its_line(use, tmp_path):
    use()
    path = tmp_path / "own" / "claims.yaml"
    path.write_bytes(b"revision: 1\ncollection: caf\xe9\n")
    refused(registry.check, "claims.yaml line 2", "not UTF-8")
    path.unlink()
    refused(registry.check, "claims.yaml cannot be read")
    path.mkdir()
    refused(registry.check, "claims.yaml cannot be read")


# --------------------------------------------------------------------------------------------- an entry

BOUND = {"measure": "gain", "above": 10}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"colour": "red"}, ["colour"]),
        ({"measures": ["gain"]}, ["measures", "is not of type 'object'"]),
        ({"measures": {"gain": ["%"]}}, ["measures/gain"]),
        ({"measures": {"gain": {"label": "Gain"}}}, ["measures/gain", "unit"]),
        ({"fragment": "one two three four five six seven eight nine"}, ["fragment"]),
        ({"section": "third"}, ["unknown section 'third'"]),
        ({"notebook": "03-third"}, ["no notebook '03-third'"]),
        ({"notebook": "../../etc"}, ["notebook"]),
        ({"series": ["^NOPE"]}, ["unknown series ^NOPE"]),
        ({"facts": ["nobody-said"]}, ["unknown fact nobody-said"]),
        ({"as_of": "2025-02-30"}, ["as_of", "is not a 'date'"]),
        ({"asserts": {"value": [], "unit": "%"}}, ["asserts/value", "non-empty"]),
        (
            {"asserts": {"value": [None], "unit": "%"}},
            ["asserts/value/0", "is not of type 'number', 'string'"],
        ),
        ({"because": {"supported": "It is {gain.value:1}."}}, ["names gain.value, which is neither"]),
        ({"because": {"supported": "The gain is {gain!r}."}}, ["brace"]),
        ({"because": {"supported": "The gain is {gain:12}."}}, ["asks gain for '12'"]),
        ({"as_of": "20251210"}, ["as_of", "is not a 'date'"]),
        ({"horizon": "soon"}, ["horizon"]),
        ({"decides": "loss"}, ["`decides` names loss"]),
        ({"kind": "cause"}, ["needs `cause`"]),
        ({"rule": {"detail": [{"bound": BOUND}]}}, ["rule"]),
        ({"rule": {}}, ["rule"]),
        ({"rule": {"not-checkable": "It names no day.", **letter({"bound": BOUND})}}, ["rule"]),
        ({"rule": letter({"rang": {"measure": "gain"}})}, ["'rang' was unexpected"]),
        ({"rule": letter("bound")}, ["rule/letter/0"]),
        ({"rule": letter({"bound": BOUND, "untested": "Nobody knows it."})}, ["rule/letter/0"]),
        ({"rule": letter({"bound": {"measure": "gain"}})}, ["rule/letter/0/bound"]),
        ({"rule": letter({"bound": {**BOUND, "over": 3}})}, ["'over' was unexpected"]),
        ({"rule": letter({"bound": {**BOUND, "measure": "loss"}})}, ["the measure loss", "does not declare"]),
        ({"rule": letter({"bound": {**BOUND, "above": "two"}})}, ["above", "'two' is not of type 'number'"]),
        ({"rule": letter({"bound": {**BOUND, "above": [2]}})}, ["above", "[2] is not of type 'number'"]),
        ({"rule": letter({"bound": {**BOUND, "above": True}})}, ["above", "True is not of type 'number'"]),
        ({"rule": letter({"bound": {**BOUND, "above": None}})}, ["above", "None is not of type 'number'"]),
        ({"rule": letter({"bound": {**BOUND, "above": float("nan")}})}, ["above", "nan is no finite number"]),
        ({"rule": letter({"bound": {**BOUND, "above": float("inf")}})}, ["above", "inf is no finite number"]),
        ({"rule": letter({"bound": {**BOUND, "band": 0}})}, ["band"]),
        ({"rule": letter({"bound": {**BOUND, "band": {"sd": -1}}})}, ["band"]),
        ({"rule": letter({"bound": {**BOUND, "below": 9}})}, ["10 and 9 exclude each other"]),
        ({"rule": letter({"bound": {**BOUND, "at_most": 10}})}, ["10 and 10 exclude each other"]),
        ({"rule": letter({"any": [{"bound": {**BOUND, "below": 9}}]})}, ["exclude each other"]),
        (
            {"rule": letter({"dates": {"measure": "gain", "within": ["2025-12-10", "2025-12-01"]}})},
            ["2025-12-10 and 2025-12-01 exclude each other"],
        ),
        ({"rule": letter({"dates": {"measure": "gain", "equal": ["2025-13-01"]}})}, ["is not a 'date'"]),
        ({"rule": letter({"rank": {"measure": "gain", "top_share": 0.5}})}, ["rank"]),
        ({"rule": letter({"rank": {"measure": "gain", "within": 1.5}})}, ["within"]),
        ({"rule": letter({"slope": {"measure": "gain", "t": "gain", "sign": "positive"}})}, ["size"]),
        ({"rule": letter({"all": []})}, ["all"]),
        ({"rule": letter({"fact": {"id": "venue", "equals": "x"}}), "facts": ["venue"]}, ["fact"]),
        ({"rule": letter({"fact": {"id": "cuts", "at_least": 3}})}, ["the fact cuts", "does not list"]),
        (
            {"rule": letter({"fact": {"id": "venue", "at_least": 3}}), "facts": ["venue"]},
            ["compares the fact venue with a number", "'nasdaq'"],
        ),
        (
            {"rule": letter({"fact": {"id": "cuts", "at_least": 3, "below": 2}}), "facts": ["cuts"]},
            ["exclude each other"],
        ),
        ({"because": {"supported": " ".join(["word"] * 31)}}, ["because/supported has 31 words"]),
        ({"because": {"supported": "The gain is {lost:1}."}}, ["names lost", "neither a measure nor a fact"]),
        ({"because": {"supported": "There were {cuts} of them."}}, ["names cuts", "nor a fact of it"]),
        ({"because": {"supported": "The gain is {gain:loud}."}}, ["asks gain for 'loud'"]),
        ({"because": {"supported": "The gain is { gain }."}}, ["brace"]),
        ({"because": {"praised": "The gain is {gain}."}}, ["because"]),
        ({"because": {}}, ["because"]),
        (
            {"revised": [{"date": "2025-12-20", "kind": [13], "was": "mixed", "what": "It was another."}]},
            ["revised/0/kind/0"],
        ),
        (
            {"revised": [{"date": "2025-12-20", "kind": [1], "was": "so so", "what": "It was another."}]},
            ["revised/0/was"],
        ),
    ],
)
def test_a_fault_of_an_entry_is_told_with_line_and_id(use, more, words):
    only(use(entry(**more)), *words)


@pytest.mark.parametrize("made", [["C01"], "C01", None, 3])
def test_an_entry_that_is_no_map_is_told_with_its_line(use, made):
    (fault,) = use(made)
    assert "claims.yaml line " in fault


def test_an_id_stands_once(use):
    only(use(entry(), entry()), "already used in line")


def test_thirty_words_with_their_figures_are_enough(use):
    assert use(entry(because={"supported": " ".join(["word"] * 29) + " {gain:1,signed}"})) == []


# ---------------------------------------------------------------------------- nothing after the day


def fact_rule(key, role="letter"):
    rule = {"letter": [{"bound": BOUND}], role: [{"fact": {"id": key, "at_least": 1}}]}
    return {"rule": rule, "facts": [key]}


def test_what_came_after_the_day_cannot_vote(use):
    only(use(entry(**fact_rule("late"))), "the fact late is of 2025-12-12, after 2025-12-11", "cannot vote")
    only(use(entry(**fact_rule("late", "detail"))), "cannot vote")
    assert use(entry(**fact_rule("late", "given"))) == []
    assert use(entry(**fact_rule("late"), as_of="2025-12-12")) == []
    assert use(entry(**fact_rule("late"), horizon="2026-06-30")) == []
    measures = {"gain": {"label": "Gain from 2025-12-01 to 2025-12-12", "unit": "%"}}
    only(use(entry(measures=measures)), "the measure gain reaches to 2025-12-12", "cannot vote")
    assert use(entry(measures=measures, kind="forecast", horizon="2025-12-31")) == []


def test_a_month_in_which_the_day_lies_is_ambiguous(use):
    only(use(entry(**fact_rule("month"))), "the fact month is of 2025-12 without a day", "give its day")
    assert use(entry(**fact_rule("month", "given"))) == []
    assert use(entry(**fact_rule("month"), as_of="2025-12-31")) == []
    assert use(entry(**fact_rule("month"), as_of="2026-01-02")) == []
    only(use(entry(**fact_rule("month"), as_of="2025-11-30")), "after 2025-11-30")
    assert use(entry(**fact_rule("year"))) == []
    only(use(entry(**fact_rule("year"), as_of="2024-12-31")), "after 2024-12-31")


# ------------------------------------------------------------------------------------ the public record

ROW = "a,2025,s,f,v,u,press,https://example.org/a"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([ROW.replace("press", "rumour")], ["x.csv line 2 (a)", "standing is one of", "'rumour'"]),
        (["a,2025,s,f,v,u,press"], ["x.csv line 2", "has not 8 cells"]),
        ([ROW + ",more"], ["x.csv line 2", "has not 8 cells"]),
        ([ROW.replace(",f,", ",,")], ["x.csv line 2 (a)", "fact is empty"]),
        ([ROW.replace("https://example.org/a", " ")], ["x.csv line 2 (a)", "source is empty"]),
        ([ROW, ROW], ["x.csv line 3 (a)", "stands twice"]),
        ([ROW.replace("2025", "2025-02-30")], ["x.csv line 2 (a)", "'2025-02-30' is no date"]),
        ([ROW.replace("2025", "0000-01-01")], ["x.csv line 2 (a)", "'0000-01-01' is no date"]),
        ([ROW.replace("a,2025", "a b,2025")], ["x.csv line 2 (a b)", "the id 'a b' is not made of letters"]),
        ([ROW.replace(",f,", ",f\x85g,")], ["x.csv line 2", "control character"]),
        ([ROW.replace("2025", "yesterday")], ["x.csv line 2 (a)", "is no date"]),
        ([ROW.replace("https://example.org/a", "javascript:alert(1)")], ["x.csv line 2 (a)", "no web address"]),
        ([ROW.replace("https:", "JavaScript:")], ["no web address"]),
        ([ROW + " ; data:text/html"], ["no web address"]),
        ([ROW.replace(",f,", f",{'x' * 140_000},")], ["x.csv line", "field"]),
        ([ROW.replace(",f,", f",{'x' * 30_000},")], ["x.csv line 2 (a)", "shorten it"]),
        (['a,2025,s,"f,v,u,press,src'], ["x.csv line"]),
        (["a,2025,s,f\x00,v,u,press,src"], ["x.csv"]),
    ],
)  # fmt: skip
def test_a_broken_record_is_told_with_its_line(tmp_path, rows, words):
    text = "\n".join([",".join(registry.FACT_COLUMNS), *rows, ""])
    (tmp_path / "x.csv").write_text(text, "utf-8")
    refused(lambda: registry.read_facts(tmp_path), *words)


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,date\n", "utf-8")
    refused(lambda: registry.read_facts(tmp_path), "x.csv", "columns are not id, date, subject")
    path.write_bytes((",".join(registry.FACT_COLUMNS) + "\n").encode() + b"a,2025,caf\xe9,f,v,u,press,s\n")
    refused(lambda: registry.read_facts(tmp_path), "x.csv line 2", "not UTF-8")
    path.write_bytes(b"")
    refused(lambda: registry.read_facts(tmp_path), "x.csv", "columns")
    path.unlink()
    path.mkdir()
    refused(lambda: registry.read_facts(tmp_path), "x.csv cannot be read", "put a readable file there")


def test_a_line_separator_in_a_cell_ends_no_row(tmp_path):
    text = "\n".join([",".join(registry.FACT_COLUMNS), ROW.replace(",f,", ",f\u2028g,"), ""])
    (tmp_path / "x.csv").write_text(text, "utf-8")
    assert registry.read_facts(tmp_path)["a"].fact == "f\u2028g"


def test_a_record_saved_by_a_spreadsheet_is_read(tmp_path):
    text = "\r\n".join([",".join(registry.FACT_COLUMNS), ROW, ""])
    (tmp_path / "x.csv").write_bytes(text.encode("utf-8-sig"))
    assert list(registry.read_facts(tmp_path)) == ["a"]


def test_every_fact_has_a_source_and_a_standing():
    for fact in registry.facts().values():
        assert fact.source, fact.id
        assert fact.standing in registry.STANDINGS


# ------------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("It gained {gain}.", "It gained −14.77\u00a0%."),
        ("It gained {gain:1}.", "It gained −14.8\u00a0%."),
        ("It moved by {gain:abs,0}.", "It moved by 15\u00a0%."),
        ("It moved by {gain:bare}.", "It moved by −14.77."),
        ("It moved by {gain:abs,signed,1}.", "It moved by +14.8\u00a0%."),
        ("There were {cuts}.", "There were 3\u00a0cuts."),
        ("{venue}", "What the record says of venue."),
    ],
)
def test_a_sentence_gets_its_figures(use, template, sentence):
    use()
    assert registry.fill(template, {"gain": (-14.768, "%")}) == sentence


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("3.50", 3.5),
        ("nasdaq", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (".inf", None),
        ("3_0", None),
        ("٣", None),
        ("e5", None),
        ("1e400", None),
        ("9" * 5000, None),
        (" 3", None),
        ("-", None),
    ],
)
def test_the_number_that_a_fact_is(text, value):
    assert registry.number(text) == value
    assert type(registry.number(text)) is type(value)


def test_a_record_is_a_folder(tmp_path):
    (tmp_path / "facts").touch()
    refused(lambda: registry.read_facts(tmp_path / "facts"), "facts is a file; make it a folder")


def test_cards_of_the_article_show_the_rule_before_the_number(use):
    use(entry(reason="Because <b>.", loose={"over <ten>": "more than 10"}))
    shown = claims.cards("C01")._repr_html_()
    assert "above 10" in shown
    assert "&lt;b&gt;" in shown
    assert "over &lt;ten&gt;" in shown
    assert repr(claims.cards(notebook="01-first")).startswith("C01")


def test_the_schema_s_kinds_and_scale_are_the_code_s():
    schema = registry.schema()["$defs"]["claim"]["properties"]
    assert schema["because"]["propertyNames"]["enum"] == list(rules.SCALE)
    assert schema["revised"]["items"]["properties"]["was"]["enum"] == list(rules.SCALE)
    assert schema["revised"]["items"]["properties"]["kind"]["items"]["maximum"] == max(registry.KINDS)
    assert set(registry.schema()["$defs"]["condition"]["properties"]) == set(rules.TESTS)
    assert set(schema["rule"]["properties"]) == {*rules.ROLES, "not-checkable"}


def test_a_pair_that_collides_names_two_claims_that_there_are(use):
    pair = {"claims": ["C01", "C02"], "why": "One gain is told twice."}
    head = {**claiming.HEAD, "contradictions": [pair]}
    entries = [entry(id="C01"), entry(id="C02")]
    assert use(text=yaml.dump({**head, "claims": entries}, Dumper=claiming._WrittenOut)) == []
    assert together.pairs("contradictions") == [pair]
    assert together.pairs("tensions") == []
    (fault,) = use(text=yaml.dump({**head, "claims": entries[:1]}, Dumper=claiming._WrittenOut))
    assert "a pair names C02, which is no claim" in fault
    assert fault.startswith("claims.yaml line ")
    twice = {**head, "contradictions": [{**pair, "claims": ["C01", "C01"]}], "claims": entries}
    (fault,) = use(text=yaml.dump(twice, Dumper=claiming._WrittenOut))
    assert "contradictions/0/claims" in fault
