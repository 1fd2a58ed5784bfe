"""The vocabulary of the rules: each test at its bound, what cannot be told, and the scale that never rises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.claims import rules
from helpers.claims.rules import ORDER, Evidence, Part

T, F, N = True, False, None


def record(key, value, standing="primary"):
    return rules.Fact(key, "2025-12-10", key, f"The record of {key}.", value, "text", standing, "s")


FACTS = {
    "venue": record("venue", "nasdaq"),
    "cuts": record("cuts", "3"),
    "unknown": record("unknown", ""),
    "rumour": record("rumour", "nasdaq", "weak"),
}


def came_out(condition, measures=None, spread=None):
    return rules.outcome(condition, Evidence(measures or {}, FACTS, spread or {}))


def part(condition, measures=None, role="letter"):
    (made,) = rules.apply({role: [condition]}, Evidence(measures or {}, FACTS))
    return made


def verdict(rule, measures=None):
    return rules.verdict(rule, rules.apply(rule, Evidence(measures or {}, FACTS)))


UP = {"sign": {"measure": "x", "is": "positive"}}
SILENT = {"fact": {"id": "unknown", "equals": "y", "asks": "it is so and not so"}}

# ------------------------------------------------------------------------------------------- each test


@pytest.mark.parametrize(
    ("name", "at", "below", "over"),
    [("above", F, F, T), ("at_least", T, F, T), ("below", F, T, F), ("at_most", T, T, F)],
)
def test_a_bound_at_its_bound_and_beside_it(name, at, below, over):
    condition = {"bound": {"measure": "x", name: 13}}
    assert [came_out(condition, {"x": x}) for x in (13, 12.9999, 13.0001)] == [at, below, over]
    assert came_out({"fact": {"id": "cuts", name: 3}}) is at
    assert came_out({"fact": {"id": "cuts", name: 4}}) is below
    assert came_out({"fact": {"id": "cuts", name: 2}}) is over


def test_both_bounds_must_hold():
    condition = {"bound": {"measure": "x", "at_least": 13, "below": 14}}
    assert [came_out(condition, {"x": x}) for x in (12.9, 13, 13.9, 14)] == [F, T, T, F]


@pytest.mark.parametrize(
    ("condition", "figures", "outcome"),
    [
        # The tolerance belongs to the level, from either side; a float's last bits do not decide.
        ({"level": {"measure": "x", "target": 13, "tolerance": 0.1}}, {"x": 13.1}, T),
        ({"level": {"measure": "x", "target": 13, "tolerance": 0.1}}, {"x": 12.9}, T),
        ({"level": {"measure": "x", "target": 13, "tolerance": 0.1}}, {"x": 13.1001}, F),
        ({"level": {"measure": "x", "target": 3, "tolerance": 0}}, {"x": 3}, T),
        ({"level": {"measure": "x", "target": 3, "tolerance": 0}}, {"x": 3.0001}, F),
        (UP, {"x": 0.0001}, T),
        (UP, {"x": 0}, F),
        ({"sign": {"measure": "x", "is": "negative"}}, {"x": 0}, F),
        ({"sign": {"measure": "x", "is": "negative"}}, {"x": -0.0001}, T),
        ({"rank": {"measure": "r", "within": 3}}, {"r": 3}, T),
        ({"rank": {"measure": "r", "within": 3}}, {"r": 4}, F),
        ({"rank": {"measure": "r", "of": "n", "top_share": 0.25}}, {"r": 10, "n": 40}, T),
        ({"rank": {"measure": "r", "of": "n", "top_share": 0.25}}, {"r": 11, "n": 40}, F),
        ({"rank": {"measure": "r", "of": "n", "top_share": 0.29}}, {"r": 29, "n": 100}, T),
        ({"compare": {"measure": "x", "is": "above", "than": "y"}}, {"x": 2, "y": 2}, F),
        ({"compare": {"measure": "x", "is": "above", "than": "y"}}, {"x": 2.1, "y": 2}, T),
        ({"compare": {"measure": "x", "is": "below", "than": "y"}}, {"x": 2, "y": 2}, F),
        ({"compare": {"measure": "x", "is": "below", "than": "y"}}, {"x": 1.9, "y": 2}, T),
        ({"compare": {"measure": "x", "is": "above", "than": "y", "by": 0.1}}, {"x": 1.1, "y": 1}, F),
        ({"compare": {"measure": "x", "is": "above", "than": "y", "by": 0.1}}, {"x": 1.2, "y": 1}, T),
        ({"compare": {"measure": "x", "is": "below", "than": "y", "by": 0.1}}, {"x": 0.9, "y": 1}, F),
        ({"compare": {"measure": "x", "is": "below", "than": "y", "by": 0.1}}, {"x": 0.8, "y": 1}, T),
        ({"dates": {"measure": "d", "equal": ["2025-12-10", "2025-12-04"]}}, {"d": ["2025-12-04", "2025-12-10"]}, T),
        ({"dates": {"measure": "d", "equal": ["2025-12-10"]}}, {"d": ["2025-12-10", "2025-12-11"]}, F),
        ({"dates": {"measure": "d", "equal": []}}, {"d": []}, T),
        ({"dates": {"measure": "d", "include": ["2025-12-09"]}}, {"d": ["2025-12-09", "2025-12-10"]}, T),
        ({"dates": {"measure": "d", "include": ["2025-12-09"]}}, {"d": ["2025-12-10"]}, F),
        ({"dates": {"measure": "d", "months": ["2025-09"]}}, {"d": ["2025-09-18"]}, T),
        ({"dates": {"measure": "d", "months": ["2025-09", "2025-10"]}}, {"d": ["2025-09-18"]}, F),
        ({"dates": {"measure": "d", "within": ["2025-12-01", "2025-12-10"]}}, {"d": ["2025-12-10"]}, T),
        ({"dates": {"measure": "d", "within": ["2025-12-01", "2025-12-10"]}}, {"d": ["2025-12-11"]}, F),
        ({"dates": {"measure": "d", "within": ["2025-12-01", "2025-12-10"]}}, {"d": ["2025-12-01"]}, T),
        ({"dates": {"measure": "d", "within": ["2025-12-01", "2025-12-10"]}}, {"d": ["2025-11-30"]}, F),
        ({"dates": {"measure": "d", "within": ["2025-12-01", "2025-12-10"]}}, {"d": []}, F),
        # Stand-ins may refute a figure, never confirm it.
        ({"proxy": {"measures": ["x", "y"], "target": 2, "tolerance": 1}}, {"x": 3, "y": 9}, N),
        ({"proxy": {"measures": ["x", "y"], "target": 2, "tolerance": 1}}, {"x": 3.1, "y": 9}, F),
        ({"fact": {"id": "venue", "equals": "NASDAQ"}}, {}, T),
        ({"fact": {"id": "venue", "equals": "nyse"}}, {}, F),
        ({"fact": {"id": "venue", "is_not": "nyse"}}, {}, T),
        ({"fact": {"id": "venue", "is_not": "Nasdaq"}}, {}, F),
        ({"untested": "Nobody can see what moved whom."}, {}, N),
        ({"all": [UP, SILENT]}, {"x": 1}, N),
        ({"all": [UP, SILENT]}, {"x": -1}, F),
        ({"all": [UP, UP]}, {"x": 1}, T),
        ({"any": [UP, SILENT]}, {"x": 1}, T),
        ({"any": [UP, SILENT]}, {"x": -1}, N),
        ({"any": [UP, UP]}, {"x": -1}, F),
        ({"not": UP}, {"x": 1}, F),
        ({"not": UP}, {"x": -1}, T),
        ({"not": SILENT}, {}, N),
    ],
)  # fmt: skip
def test_each_test_of_the_vocabulary(condition, figures, outcome):
    assert came_out(condition, figures) is outcome
    assert rules.describe(condition)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"level": {"measure": "x", "target": 13, "tolerance": 0.1}}, "X: 13 within 0.1"),
        ({"level": {"measure": "x", "target": 13, "tolerance": 0}}, "X: 13 exactly"),
        ({"bound": {"measure": "x", "at_least": 1, "at_most": 2}}, "X: at least 1 and at most 2"),
        ({"bound": {"measure": "x", "above": 1, "band": 0.5}}, "X: above 1, by more than 0.5"),
        ({"bound": {"measure": "x", "above": 1, "band": 0}}, "X: above 1"),
        (
            {"sign": {"measure": "x", "is": "negative", "band": {"sd": 0.5}}},
            "X: negative, by more than 0.5 standard deviations of such a figure",
        ),
        ({"compare": {"measure": "x", "is": "below", "than": "y"}}, "X: below Y"),
        (
            {"compare": {"measure": "x", "is": "above", "than": "y", "by": 1, "band": 2}},
            "X: above Y by more than 1, by more than 2",
        ),
        ({"rank": {"measure": "x", "within": 3}}, "X: rank 3 or better"),
        ({"rank": {"measure": "x", "of": "y", "top_share": 0.25}}, "X: among the top 25% of Y"),
        ({"dates": {"measure": "x", "equal": []}}, "X: exactly none"),
        ({"dates": {"measure": "x", "equal": ["2025-12-04", "2025-12-10"]}}, "X: exactly 2025-12-04, 2025-12-10"),
        ({"dates": {"measure": "x", "include": ["2025-12-04"]}}, "X: include 2025-12-04"),
        ({"dates": {"measure": "x", "months": ["2025-09", "2025-10"]}}, "X: at least one in each of 2025-09, 2025-10"),
        ({"dates": {"measure": "x", "within": ["2025-12-01", "2025-12-10"]}}, "X: all from 2025-12-01 to 2025-12-10"),
        (
            {"slope": {"measure": "x", "t": "t", "sign": "negative", "size": 2}},
            "X: negative, and its 95 % interval excludes zero; it fails if the interval excludes an effect of 2 in "
            "that direction",
        ),
        (
            {"proxy": {"measures": ["x", "y"], "target": 2, "tolerance": 1}},
            "the figure’s own source is public, or no stand-in (X; Y) lies within 1 of 2, which refutes it",
        ),
        ({"fact": {"id": "cuts", "at_least": 3}}, "CUTS: at least 3"),
        ({"fact": {"id": "venue", "equals": "new-york"}}, "the public record says “new york”"),
        ({"fact": {"id": "venue", "is_not": "new-york"}}, "the public record does not say “new york”"),
        ({"fact": {"id": "venue", "equals": "x", "asks": "it is listed"}}, "it is listed"),
        ({"untested": "Nobody knows."}, "no test here: Nobody knows."),
        ({"all": [UP, UP]}, "X: positive and X: positive"),
        ({"any": [UP, UP]}, "X: positive or X: positive"),
        ({"not": UP}, "not: X: positive"),
    ],
)  # fmt: skip
def test_each_condition_in_words(condition, text):
    assert rules.describe(condition, str.upper) == text


def test_a_rule_names_what_it_needs_once_and_in_order():
    rule = {
        "given": [{"fact": {"id": "venue", "equals": "x"}}],
        "letter": [{"all": [{"slope": NEEDS["slope"]}, {"not": {"rank": NEEDS["rank"]}}]}, SILENT, SAYS],
        "detail": [{"dates": {"measure": "d", "equal": []}}, SAYS],
    }
    assert rules.measures_of(rule) == ["x", "y", "d"]
    assert rules.measures_of(rule, ["detail"]) == ["d"]
    assert rules.facts_of(rule) == ["venue", "unknown", "rumour"]
    assert rules.facts_of(rule, rules.VOTING) == ["unknown", "rumour"]
    assert rules.kinds_of(rule) == {"x": "number", "y": "number", "d": "dates"}
    assert [name for name, _ in rules.walk(rule)] == [
        "fact",
        "slope",
        "rank",
        "fact",
        "fact",
        "dates",
        "fact",
    ]


def test_a_part_says_its_role_unit_and_figures():
    rule = {"letter": [UP, {"fact": {"id": "cuts", "above": 2}}], "given": [{"untested": "Nobody knows."}]}
    first, second, third = rules.apply(
        rule, Evidence({"x": 2}, FACTS), str.upper, lambda key: f"unit of {key}"
    )
    assert first == Part("given", "no test here: Nobody knows.", None, None, "", False, ())
    assert second == Part("letter", "X: positive", True, 2, "unit of x", False, ("x",))
    assert third == Part("letter", "CUTS: above 2", True, 1, "text", False, ())


def test_stand_ins_at_their_tolerance_are_compared_as_they_are_quoted():
    condition = {"proxy": {"measures": ["x"], "target": 0.7, "tolerance": 0.3}}
    assert came_out(condition, {"x": 1.0}) is None  # 1.0 - 0.7 is a little more than 0.3 in floats
    assert came_out(condition, {"x": 1.0001}) is False


@pytest.mark.parametrize(
    "condition",
    [
        {"bound": {"measure": "x", "above": 10, "band": 0.3}},
        {"sign": {"measure": "lead", "is": "positive", "band": 0.3}},
        {"compare": {"measure": "x", "is": "above", "than": "y", "band": 0.3}},
        {"compare": {"measure": "x", "is": "above", "than": "y", "band": {"sd": 0.5}}},
    ],
)
def test_inside_its_band_and_at_its_edge_a_difference_decides_nothing(condition):
    spread = {"x-y": 0.6}
    found = [
        came_out(condition, {"x": 10 + d, "y": 10, "lead": d}, spread)
        for d in (-0.4, -0.3, -0.1, 0, 0.3, 0.4)
    ]
    assert found == [F, N, N, N, N, T]


def test_a_band_and_a_lead_add_up():
    condition = {"compare": {"measure": "x", "is": "above", "than": "y", "by": 1, "band": 0.5}}
    found = [came_out(condition, {"x": x, "y": 0}) for x in (0.4, 0.5, 1.5, 1.6)]
    assert found == [F, N, N, T]


@pytest.mark.parametrize("name", ["bound", "sign", "compare"])
def test_a_band_in_standard_deviations_that_nobody_measured_cannot_tell(name):
    more = {"bound": {"above": 0}, "sign": {"is": "positive"}, "compare": {"is": "above", "than": "y"}}[name]
    condition = {name: {"measure": "x", "band": {"sd": 0.5}, **more}}
    assert came_out(condition, {"x": 99, "y": 0}) is None
    assert rules.spreads({"letter": [condition]}) == ["x-y" if name == "compare" else "x"]


def slope(b, t, sign="positive", **more):
    condition = {"slope": {"measure": "b", "t": "t", "sign": sign, "size": 2, **more}}
    return came_out(condition, {"b": b, "t": t})


@pytest.mark.parametrize(
    ("b", "t", "outcome"),
    [
        (4, 1.97, T),
        (4, 1.96, N),  # the interval ends at zero: it does not exclude it
        (4, 1.95, N),
        (-4, -1.97, F),
        (-0.5, -1.97, F),  # however small it is
        (-4, -1.96, F),  # it ends at zero, which leaves no room for an effect of 2
        (4, -1.97, T),  # the slope has the sign, t only the precision
        (0, 0, N),
        (0.0, 0.5, N),
        (1, 1.96, N),  # from 0 to 2: an effect of 2 is just inside
        (0.99, 1.96, F),  # from 0 to 1.98: it is just outside
        (0.5, 0.5, N),
        (0.5, 1.0, F),  # up to 1.48
    ],
)
def test_a_slope_has_three_outcomes(b, t, outcome):
    assert slope(b, t) is outcome
    assert slope(-b, -t, "negative") is outcome


def test_a_slope_may_have_another_confidence():
    assert slope(4, 1.7) is None
    assert slope(4, 1.7, z=1.645) is True


@given(st.floats(-50, 50), st.floats(0.001, 1.96), st.sampled_from(["positive", "negative"]))
def test_an_insignificant_slope_fails_only_where_its_interval_excludes_the_effect(b, t, sign):
    found = slope(b, t, sign)
    assert found is not True
    reach = (b if sign == "positive" else -b) + 1.96 * abs(b) / t
    if found is False:
        assert reach < 2


NEEDS = {
    "level": {"measure": "x", "target": 1, "tolerance": 1},
    "bound": {"measure": "x", "above": 1},
    "sign": {"measure": "x", "is": "positive"},
    "compare": {"measure": "x", "is": "above", "than": "y"},
    "rank": {"measure": "x", "of": "y", "top_share": 0.5},
    "dates": {"measure": "x", "include": ["2025-12-10"]},
    "slope": {"measure": "x", "t": "y", "sign": "positive", "size": 1},
    "proxy": {"measures": ["x", "y"], "target": 1, "tolerance": 1},
}


def test_every_test_on_figures_is_tried():
    assert set(NEEDS) == set(rules.TESTS) - rules.NESTED - {"fact", "untested"}


@pytest.mark.parametrize("name", NEEDS)
def test_what_is_not_known_is_never_a_yes_or_a_no(name):
    condition = {name: NEEDS[name]}
    keys = rules.measures_of({"letter": [condition]})
    assert came_out(condition, dict.fromkeys(keys)) is None
    assert part(condition, dict.fromkeys(keys)).margin is None
    for key in keys:
        if name != "proxy":  # a stand-in that nobody measured is no stand-in
            assert came_out(condition, {**dict.fromkeys(keys, 5), key: None}) is None


# ------------------------------------------------------------------------------------------ weak sources

SAYS = {"fact": {"id": "rumour", "equals": "nasdaq"}}
DENIES = {"fact": {"id": "rumour", "equals": "nyse"}}


def test_a_weak_source_caps_praise_and_blame():
    assert verdict({"letter": [SAYS]}) == rules.CAVEAT
    assert part(DENIES).outcome is None
    assert verdict({"letter": [DENIES]}) == rules.UNVERIFIED
    assert verdict({"letter": [{"not": SAYS}]}) == rules.UNVERIFIED
    assert verdict({"letter": [{"not": DENIES}]}) == rules.CAVEAT
    assert verdict({"letter": [{"fact": {"id": "venue", "equals": "nyse"}}]}) == rules.CONTRADICTED


def test_a_weak_source_beside_a_strong_one_weighs_nothing():
    assert part({"all": [SAYS, UP]}, {"x": -1}).outcome is False
    assert not part({"any": [SAYS, UP]}, {"x": 1}).weak
    assert part({"all": [SAYS, UP]}, {"x": 1}).weak


# ------------------------------------------------------------------------------------------ the verdict


def parts(**outcomes):
    return [Part(role, "x", value) for role, values in outcomes.items() for value in values]


@pytest.mark.parametrize(
    ("given_parts", "expected"),
    [
        (parts(letter=[T]), "supported"),
        (parts(letter=[T], detail=[F]), "supported-with-caveat"),
        (parts(letter=[T], detail=[N]), "supported-with-caveat"),
        (parts(letter=[T], implied=[N]), "unverified"),
        (parts(letter=[T], implied=[F]), "misleading"),
        (parts(letter=[T, F]), "mixed"),
        (parts(letter=[T, F], implied=[F]), "misleading"),
        (parts(letter=[F], implied=[F]), "contradicted"),
        (parts(letter=[F, N]), "contradicted"),
        (parts(letter=[F], detail=[F], implied=[N]), "contradicted"),
        (parts(letter=[T, N]), "unverified"),
        (parts(letter=[T, N, F]), "mixed"),
        (parts(letter=[T], cause=[N]), "unverified"),
        (parts(letter=[T], cause=[F]), "mixed"),
        (parts(letter=[F], cause=[N]), "contradicted"),
        (parts(letter=[T], given=[F, N]), "supported"),
    ],
)
def test_what_the_parts_add_up_to(given_parts, expected):
    assert rules.verdict({}, given_parts) == expected


def test_a_claim_without_a_test_is_not_checkable():
    assert rules.verdict({"not-checkable": "It names no day."}, []) == "not-checkable"


OUTCOME = st.sampled_from([T, F, N])
PARTS = st.lists(
    st.builds(Part, st.sampled_from(rules.ROLES), st.just("x"), OUTCOME, weak=st.booleans()), max_size=7
).map(lambda found: [Part("letter", "x", T), *found])
#: Roles other than `given`.
MATTERS = tuple(role for role in rules.ROLES if role != "given")


@given(PARTS, st.sampled_from(MATTERS), st.sampled_from([F, N]), st.booleans())
def test_one_more_failed_or_unknown_condition_never_lifts_a_verdict(found, role, outcome, weak):
    before = rules.verdict({}, found)
    after = rules.verdict({}, [*found, Part(role, "x", outcome, weak=weak)])
    assert ORDER.index(after) <= ORDER.index(before)


@given(st.lists(OUTCOME, min_size=1, max_size=5), PARTS, st.data())
def test_a_condition_that_comes_out_worse_never_lifts_a_verdict(letter, others, data):
    found = [*(Part("letter", "x", outcome) for outcome in letter), *others[1:]]
    place = data.draw(st.integers(0, len(found) - 1))
    was = found[place]
    worse = {T: [N, F], N: [F], F: []}[was.outcome]
    for outcome in worse:
        changed = [*found[:place], Part(was.role, "x", outcome, weak=was.weak), *found[place + 1 :]]
        before, after = rules.verdict({}, found), rules.verdict({}, changed)
        assert ORDER.index(after) <= ORDER.index(before)


@given(PARTS, st.lists(st.builds(Part, st.just("given"), st.just("x"), OUTCOME, weak=st.booleans())))
def test_what_is_given_changes_nothing(found, more):
    assert rules.verdict({}, [*more, *found]) == rules.verdict({}, found)
    assert rules.tally([*more, *found]) == rules.tally(found)


@given(st.sampled_from(ORDER), st.sampled_from(ORDER))
def test_a_cap_is_the_lower_of_two(one, two):
    assert rules.cap(one, two) == rules.cap(two, one) == ORDER[min(ORDER.index(one), ORDER.index(two))]


def test_the_tally_counts_letter_and_cause():
    assert rules.tally(parts(letter=[T, F], cause=[N], detail=[F], given=[T])) == (1, 1, 3)


# ---------------------------------------------------------------------------------------------- margins


@pytest.mark.parametrize(
    ("condition", "figures", "margin"),
    [
        ({"bound": {"measure": "x", "above": 13}}, {"x": 14.5}, 1.5),
        ({"bound": {"measure": "x", "below": 13}}, {"x": 14.5}, -1.5),
        ({"bound": {"measure": "x", "at_least": 13, "below": 14}}, {"x": 13.9}, 0.1),
        ({"level": {"measure": "x", "target": 13, "tolerance": 0.5}}, {"x": 12}, -0.5),
        ({"sign": {"measure": "x", "is": "negative"}}, {"x": -2}, 2),
        ({"compare": {"measure": "x", "is": "above", "than": "y", "by": 1}}, {"x": 5, "y": 3}, 1),
        ({"rank": {"measure": "x", "within": 3}}, {"x": 5}, -2),
        ({"fact": {"id": "cuts", "at_least": 2}}, {}, 1),
        ({"fact": {"id": "venue", "equals": "nasdaq"}}, {}, None),
        ({"dates": {"measure": "x", "equal": []}}, {"x": []}, None),
    ],
)
def test_the_distance_to_a_bound_has_its_sign(condition, figures, margin):
    assert part(condition, figures).margin == margin
