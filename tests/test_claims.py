"""The registry, the rules, judging, and how a verdict is shown."""

import json
from html.parser import HTMLParser

import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from helpers import claims, market
from helpers.claims import registry, rules, verdicts, views
from helpers.claims.registry import RegistryError
from helpers.claims.verdicts import JudgementError
from helpers.files import HelperError

FACTS = {
    "venue": rules.Fact(
        "venue", "2024-11-26", "listing", "It is listed on Nasdaq.", "nasdaq", "text", "press", "s"
    ),
    "cuts": rules.Fact("cuts", "2025-12-10", "cuts", "Three cuts.", "3", "count", "press", "s"),
    "unknown": rules.Fact("unknown", "", "x", "Not found.", "", "text", "primary", "s"),
}


@pytest.fixture
def store_frame():
    frame = pd.Series([1.0], index=pd.to_datetime(["2025-12-10"]))
    frame.attrs = {"source": "store", "as_of": "2025-12-10"}
    return frame


# ------------------------------------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("condition", "measures", "outcome"),
    [
        ({"level": {"measure": "x", "target": 13, "tolerance": 0.1}}, {"x": 13.1}, True),
        ({"level": {"measure": "x", "target": 13, "tolerance": 0.1}}, {"x": 13.11}, False),
        ({"change": {"measure": "x", "over": ["a", "b"], "above": 13}}, {"x": 13}, False),
        ({"bound": {"measure": "x", "at_least": 13, "below": 14}}, {"x": 13}, True),
        ({"sign": {"measure": "x", "is": "negative"}}, {"x": -0.1}, True),
        ({"sign": {"measure": "x", "is": "positive"}}, {"x": 0}, False),
        ({"rank": {"measure": "r", "within": 1}}, {"r": 2}, False),
        ({"rank": {"measure": "r", "of": "n", "top_share": 0.25}}, {"r": 10, "n": 40}, True),
        ({"dates": {"measure": "d", "equal": ["2025-12-10"]}}, {"d": ["2025-12-10"]}, True),
        ({"dates": {"measure": "d", "include": ["2025-12-09"]}}, {"d": ["2025-12-10"]}, False),
        ({"dates": {"measure": "d", "months": ["2025-09", "2025-10"]}}, {"d": ["2025-09-18"]}, False),
        ({"dates": {"measure": "d", "within": ["2025-12-01", "2025-12-31"]}}, {"d": ["2025-12-10"]}, True),
        ({"dates": {"measure": "d", "within": ["2025-12-01", "2025-12-31"]}}, {"d": []}, False),
        ({"slope": {"measure": "b", "t": "t", "sign": "negative", "min_t": 2}}, {"b": -1, "t": -2.5}, True),
        ({"slope": {"measure": "b", "t": "t", "sign": "negative", "min_t": 2}}, {"b": -1, "t": -1.9}, False),
        ({"slope": {"measure": "b", "t": "t", "sign": "negative", "min_t": 2}}, {"b": 1, "t": 2.5}, False),
        ({"compare": {"measure": "x", "is": "above", "than": "y", "by": 1}}, {"x": 3, "y": 2}, False),
        ({"compare": {"measure": "x", "is": "below", "than": "y"}}, {"x": 1, "y": 2}, True),
        ({"proxy": {"measures": ["x", "y"], "target": 2, "tolerance": 1}}, {"x": 2, "y": 9}, None),
        ({"proxy": {"measures": ["x", "y"], "target": 2, "tolerance": 1}}, {"x": 4, "y": 9}, False),
        ({"fact": {"id": "venue", "equals": "NYSE"}}, {}, False),
        ({"fact": {"id": "venue", "is_not": "NYSE"}}, {}, True),
        ({"fact": {"id": "cuts", "at_least": 3}}, {}, True),
        ({"fact": {"id": "unknown", "equals": "x"}}, {}, None),
        (
            {
                "all": [
                    {"sign": {"measure": "x", "is": "positive"}},
                    {"fact": {"id": "unknown", "equals": "x"}},
                ]
            },
            {"x": 1},
            None,
        ),
        (
            {
                "any": [
                    {"sign": {"measure": "x", "is": "positive"}},
                    {"fact": {"id": "unknown", "equals": "x"}},
                ]
            },
            {"x": 1},
            True,
        ),
        ({"not": {"sign": {"measure": "x", "is": "positive"}}}, {"x": 1}, False),
        ({"not": {"fact": {"id": "unknown", "equals": "x"}}}, {}, None),
    ],
)
def test_each_test_of_the_vocabulary(condition, measures, outcome):
    rules.check_condition(condition, "here")
    assert rules.apply(condition, measures, FACTS) is outcome
    assert rules.describe(condition)


@pytest.mark.parametrize("name", sorted(set(rules.TESTS) - {"all", "any", "not", "fact"}))
def test_an_unknown_measure_is_never_a_yes_or_a_no(name):
    given_ = {
        "measure": "x", "target": 1, "tolerance": 1, "over": ["a", "b"], "above": 0, "is": "positive",
        "within": 1, "include": ["a"], "t": "t", "sign": "positive", "min_t": 2, "than": "y", "measures": ["x"],
    }  # fmt: skip
    test = rules.TESTS[name]
    kept = {key: value for key, value in given_.items() if key in test.required | test.optional}
    if name == "compare":
        kept["is"] = "above"
    if name == "dates":
        kept.pop("within")
    assert rules.apply({name: kept}, {"x": None, "y": None, "t": None}, FACTS) is None


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ({"lvl": {}}, "unknown test 'lvl'"),
        ({"level": {"measure": "x", "target": 1}}, "lacks its parameter tolerance"),
        ({"level": {"measure": "x", "target": 1, "tolerance": 1, "of": 2}}, "has no parameter of"),
        ({"bound": {"measure": "x"}}, "needs one of"),
        ({"rank": {"measure": "x", "top_share": 0.25}}, "together"),
        ({"sign": {"measure": "x", "is": "up"}}, "positive"),
        ({"all": []}, "needs a list"),
        ({"any": [{"lvl": {}}]}, "unknown test 'lvl'"),
        ("level", "one test with its parameters"),
    ],
)
def test_a_malformed_condition_is_told_with_its_place(condition, sentence):
    with pytest.raises(HelperError, match=sentence) as told:
        rules.check_condition(condition, "claims.yaml line 7 (C01)")
    assert "line 7 (C01)" in str(told.value)


def applied(**outcomes):
    return [rules.Part(role, "x", value) for role, values in outcomes.items() for value in values]


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        (applied(letter=[True]), "supported"),
        (applied(letter=[True], detail=[False]), "supported-with-caveat"),
        (applied(letter=[True], detail=[None]), "supported-with-caveat"),
        (applied(letter=[True], implied=[None]), "supported-with-caveat"),
        (applied(letter=[True], implied=[False], detail=[True]), "misleading"),
        (applied(letter=[True, False]), "mixed"),
        (applied(letter=[False]), "contradicted"),
        (applied(letter=[False, None]), "contradicted"),
        (applied(letter=[True, None]), "unverified"),
        (applied(letter=[None]), "unverified"),
    ],
)
def test_verdict_from_parts(parts, verdict):
    assert rules.verdict({"letter": []}, parts) == verdict


def test_a_weak_source_caps_the_verdict():
    assert rules.verdict({}, applied(letter=[True]), weak=True) == "supported-with-caveat"
    assert rules.verdict({}, applied(letter=[False]), weak=True) == "contradicted"
    assert rules.verdict({"not-checkable": "no date"}, []) == "not-checkable"


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=4), st.booleans())
def test_a_failed_letter_is_never_supported(outcomes, weak):
    verdict = rules.verdict({}, applied(letter=outcomes), weak)
    assert verdict in rules.SCALE
    if False in outcomes:
        assert verdict in {"mixed", "contradicted"}


# ---------------------------------------------------------------------------------------- the registry


def test_the_registry_is_whole():
    assert registry.check() == []
    known = claims.load()
    assert list(known) == [f"C{number:02d}" for number in range(1, 93)]
    for claim in known.values():
        assert len(claim.fragment.split()) <= 8
        assert claim.rule_lines(), claim.id


def test_the_notebooks_share_the_claims_as_planned():
    counts = pd.Series([claim.notebook for claim in claims.load().values()]).value_counts()
    assert counts.to_dict() == {
        "01-record-highs": 12,
        "02-style-rotation": 10,
        "03-policy": 9,
        "04-rate-sensitivity": 6,
        "05-valuation": 8,
        "06-winners-and-losers": 25,
        "07-precedents": 6,
        "08-outlook": 16,
    }


def broken(tmp_path, change):
    path = tmp_path / "claims.yaml"
    path.write_text(change((ROOT / "data/claims.yaml").read_text("utf-8")), "utf-8")
    return registry.check(path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  clarity: vague\n", "  clarity: vague\n  colour: red\n", "colour"),
        ("- id: C02\n", "- id: C01\n", "already used in line"),
        ("  series: [^RUT]\n", "  series: [^RUTT]\n", r"unknown series \^RUTT"),
        ("  facts: []\n", "  facts: [nobody-said]\n", "unknown fact nobody-said"),
        (
            "      - rank: {measure: ytd_rank, within: 1}",
            "      - rang: {measure: ytd_rank}",
            "unknown test 'rang'",
        ),
        ("      - rank: {measure: ytd_rank, within: 1}", "      - rank: {measure: ytd_rank}", "needs one of"),
        (
            "{measure: ytd_rank, within: 1}",
            "{measure: other, within: 1}",
            "which `measures` does not declare",
        ),
        ("unprecedented surge", "one two three four five six seven eight nine", "does not match"),
    ],
)
def test_a_broken_registry_is_told_with_line_and_remedy(tmp_path, old, new, sentence):
    faults = broken(tmp_path, lambda text: text.replace(old, new, 1))
    assert len(faults) >= 1
    assert pd.Series(faults).str.contains(sentence).any(), faults
    assert "claims.yaml line " in faults[0]


def test_a_key_that_stands_twice_is_an_error(tmp_path):
    with pytest.raises(RegistryError, match=r"claims.yaml line \d+: the key 'kind' stands twice"):
        broken(
            tmp_path, lambda text: text.replace("  kind: opinion\n", "  kind: opinion\n  kind: number\n", 1)
        )
    with pytest.raises(RegistryError, match="line"):
        broken(tmp_path, lambda text: text + "  - : [")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("a,2025,s,f,v,u,rumour,src", "standing is one of"),
        ("a,2025,s,f,v,u,press", "has not 8 cells"),
        ("a,2025,s,,v,u,press,src", "fact is empty"),
        ("a,2025,s,f,v,u,press,src\na,2025,s,f,v,u,press,src", "stands twice"),
    ],
)
def test_a_broken_record_is_told_with_its_line(tmp_path, row, sentence):
    (tmp_path / "x.csv").write_text(",".join(registry.FACT_COLUMNS) + "\n" + row + "\n")
    with pytest.raises(RegistryError, match=sentence) as told:
        registry.read_facts(tmp_path)
    assert "x.csv line " in str(told.value)


def test_every_fact_has_a_source_and_a_standing():
    for fact in registry.facts().values():
        assert fact.source, fact.id
        assert fact.standing in registry.STANDINGS


# --------------------------------------------------------------------------------------------- judging


def test_judging_by_the_rule(store_frame):
    verdict = claims.judge("C15", {"close": 2559.61, "before": 2531.16}, data=[store_frame])
    assert verdict.verdict == "supported"
    assert (
        claims.judge("C15", {"close": 2531.16, "before": 2531.16}, data=[store_frame]).verdict
        == "contradicted"
    )
    assert list(verdict.as_dict()) == [
        "id", "notebook", "verdict", "clarity", "rule", "as_of", "robustness", "measured", "facts", "caveat",
    ]  # fmt: skip
    assert verdict.as_dict()["measured"][0] == {
        "label": "Close of the Russell 2000, 2025-12-10", "value": 2559.61, "unit": "points",
    }  # fmt: skip


def test_judging_refuses_what_it_cannot_trust(store_frame):
    with pytest.raises(JudgementError, match="declares the measure before, which was not given"):
        claims.judge("C15", {"close": 1.0}, data=[store_frame])
    with pytest.raises(JudgementError, match="does not declare the measure other"):
        claims.judge("C15", {"close": 1.0, "before": 2.0, "other": 3.0}, data=[store_frame])
    with pytest.raises(JudgementError, match="say where they came from"):
        claims.judge("C15", {"close": 1.0, "before": 2.0})
    with pytest.raises(JudgementError, match="does not say its source"):
        claims.judge("C15", {"close": 1.0, "before": 2.0}, data=[pd.Series([1.0])])
    with pytest.raises(RegistryError, match="There is no claim C99"):
        claims.judge("C99")
    with pytest.raises(JudgementError, match="not dict"):
        claims.judge("C15", {"close": {}, "before": 2.0}, data=[store_frame])


def test_a_person_may_only_lower_a_verdict_and_says_why(store_frame):
    good = {"close": 2.0, "before": 1.0}
    lowered = claims.judge("C15", good, [store_frame], caveat="Thin data.", lower_to="supported-with-caveat")
    assert lowered.verdict == "supported-with-caveat"
    assert "Thin data." in lowered.as_dict()["caveat"]
    with pytest.raises(JudgementError, match="needs its reason"):
        claims.judge("C15", good, [store_frame], lower_to="mixed")
    bad = {"close": 1.0, "before": 2.0}
    for higher in ("supported", "mixed", "unverified"):
        with pytest.raises(JudgementError, match="may only lower"):
            claims.judge("C15", bad, [store_frame], caveat="I like it.", lower_to=higher)


def test_made_up_data_get_no_verdict(store_frame):
    made_up = store_frame.copy()
    made_up.attrs = {"source": "synthetic"}
    verdict = claims.judge("C15", {"close": 2.0, "before": 1.0}, data=[store_frame, made_up])
    assert verdict.verdict is None
    bundle = verdict._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "SYNTHETIC" in bundle["text/html"]
    assert "✓ met" not in bundle["text/html"]


def test_robustness_counts_the_same_verdict():
    found = claims.robust(
        "C15", {"close": 2.0, "before": 1.0},
        {"a": {"close": 3.0}, "b": {"before": 5.0}, "c": {}}, "anything", headline="close", control="None.",
    )  # fmt: skip
    assert (found.same, found.of, found.low, found.high) == (2, 3, 2.0, 3.0)
    assert found.as_dict()["share"] == 0.6667
    both = claims.robust(
        "C15", {"close": 2.0, "before": 1.0}, {"a": {"close": None}, "b": {}}, "x", ["close", "before"]
    )
    assert (both.low, both.high) == (1.0, 2.0)
    with pytest.raises(JudgementError, match="at least one"):
        claims.robust("C15", {"close": 2.0, "before": 1.0}, {}, "nothing")


def test_a_card_says_the_spread_or_the_one_value(store_frame):
    measured = {"close": 2.0, "before": 1.0}
    for close, words in ((3.0, "; from 2.00 points to 3.00 points."), (2.0, "; 2.00 points in each.")):
        found = claims.robust("C15", measured, {"a": {"close": close}, "b": {}}, "x", "close")
        card = claims.judge("C15", measured, [store_frame], robustness=found)._repr_mimebundle_()["text/html"]
        assert words in card.replace("\xa0", " ")


def test_figures_become_plain_json():
    value = [pd.Timestamp("2025-12-10"), pd.Series([1.123456]).iloc[0], float("nan"), 3, "x", None]
    assert verdicts.plain(value) == ["2025-12-10", 1.1235, None, 3, "x", None]
    json.dumps(verdicts.plain(value))


# ----------------------------------------------------------------------------------------- the display


class Parser(HTMLParser):
    """Collects tags and text; a stray tag in data would appear among the tags."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_cards_escape_what_data_say(store_frame):
    hostile = "<script>alert(1)</script>"
    verdict = claims.judge(
        "C15", {"close": 2.0, "before": 1.0}, [store_frame], more=[(hostile, hostile, "text")], caveat=hostile,
        lower_to="mixed",
    )  # fmt: skip
    parser = Parser()
    parser.feed(verdict._repr_mimebundle_()["text/html"])
    assert "script" not in parser.tags
    assert parser.text.count(hostile) == 3


def test_claim_review_has_the_shape_of_schema_org(store_frame):
    verdict = claims.judge("C15", {"close": 2.0, "before": 1.0}, [store_frame])
    review = verdict._repr_mimebundle_()[views.LD]
    assert review["@type"] == "ClaimReview"
    assert review["reviewRating"] == {
        "@type": "Rating", "alternateName": "Supported", "ratingValue": 5, "bestRating": 5, "worstRating": 1,
    }  # fmt: skip
    assert review["itemReviewed"]["datePublished"] == "2025-12-11"
    assert review["itemReviewed"]["appearance"]["url"].startswith("http")
    assert review["claimReviewed"] == claims.claim("C15").says


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (14.768, "%", "14.77\u00a0%"), (-2.3, "pp", "−2.30\u00a0pp"), (2559.61, "points", "2,559.61\u00a0points"),
        (3, "count", "3"), (None, "%", "not known"), ([], "dates", "none"), (["a", "b"], "dates", "a, b"),
        (0.0012, "p", "0.0012"), ("nyse", "text", "nyse"),
    ],
)  # fmt: skip
def test_numbers_for_people(value, unit, text):
    assert claims.number(value, unit) == text


def test_cards_of_the_article_show_the_rule_before_the_number():
    shown = claims.cards("C03")._repr_html_()
    assert "above 13" in shown
    assert "14.77" not in shown
    assert market.catalogue()["^RUT"]["is_not"]
