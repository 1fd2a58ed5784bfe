"""Judging: a measurement as a function of its choices, what follows from it, and what is refused."""

import json
from html.parser import HTMLParser
from types import SimpleNamespace

import claiming
import joblib
import numpy as np
import pandas as pd
import pytest
from claiming import entry
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from helpers import claims, market, notebooks
from helpers.claims import card, judging, measuring, registry, rules
from helpers.claims.measuring import JudgementError
from helpers.report import machine


@pytest.fixture
def use(tmp_path, monkeypatch):
    """Write a small collection, open a market, and judge by them; ours again afterwards."""
    monkeypatch.setattr(market, "_current", claiming.REAL)

    def use(*entries, **more):
        registry.use(claiming.write(tmp_path / "own", *entries, **more))
        assert registry.check() == []

    yield use
    registry.use()


@pytest.fixture
def said(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data.data))
    return shown


def gain(day="2025-12-10", value=12.0, kind="price", fee=0):
    """A made-up measurement: each choice moves its one figure."""
    moved = {"price": 0, "total": 1, "net": -3}[kind]
    return {"gain": value + moved - fee}


def payload(*given, **more):
    return claims.judge(*given, **more).payload


def letter(*conditions, **more):
    return {"letter": list(conditions), **more}


ABOVE = {"bound": {"measure": "gain", "above": 10}}
TWO = {
    "gain": {"label": "Gain of the index", "unit": "%"},
    "loss": {"label": "Loss of the other", "unit": "%"},
}


# ------------------------------------------------------------------------------------------- the verdict


def test_a_function_a_mapping_a_series_and_a_number_are_judged_alike(use):
    use()
    found = [
        payload("C01", measure)
        for measure in (
            lambda: {"gain": 12.0},
            lambda: 12.0,
            lambda: pd.Series({"gain": 12.0}),
            {"gain": np.float64(12)},
            pd.Series({"gain": 12.0}),
        )
    ]
    assert all(one == found[0] for one in found)
    assert found[0]["verdict"] == "supported"
    assert payload("C01", {"gain": 10})["verdict"] == "contradicted"
    assert found[0]["decides"] == {"label": "Gain of the index", "value": 12.0, "unit": "%"}
    assert found[0]["data"]["fingerprint"] == claiming.REAL.fingerprint
    assert found[0]["tally"] == {"hold": 1, "fail": 0, "of": 1}


def test_the_deciding_figure_comes_first(use):
    use(entry(measures=TWO, decides="loss"))
    found = payload("C01", {"gain": 12, "loss": 3}, more=[("Further", 1.5, "x")])
    assert [figure["label"] for figure in found["measured"]] == [
        "Loss of the other",
        "Gain of the index",
        "Further",
    ]


def test_the_public_record_is_judged_without_a_market(use, monkeypatch):
    rule = letter({"fact": {"id": "cuts", "at_least": 3}})
    use(entry(rule=rule, measures=None, facts=["cuts", "venue"]), entry(id="C02"))
    monkeypatch.setattr(market, "_current", None)
    found = payload("C01")
    assert (found["verdict"], found["decides"], found["data"]["source"]) == ("supported", None, None)
    assert found["measured"][0] == {
        "label": "Public record: Subject of cuts",
        "value": 3,
        "unit": "cuts",
    }
    assert found["flip"][0]["unit"] == "cuts"
    with pytest.raises(JudgementError, match=r"C02 rests on measures: open the market first"):
        claims.judge("C02", gain)


def test_an_article_about_the_made_up_market_is_judged_on_it_alone(use, monkeypatch):
    use(market="synthetic")
    with pytest.raises(JudgementError, match=r"C01 is about the made-up market; set MARKET_DATA=synthetic"):
        claims.judge("C01", gain)
    monkeypatch.setattr(market, "_current", claiming.MADE_UP)
    assert payload("C01", gain)["verdict"] == "supported"


def test_further_figures_come_from_frames_with_their_unit(use):
    use()
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]}, index=["x"])
    frame.attrs["unit"] = "pp"
    series = pd.Series([3.0], index=["y"])
    found = payload("C01", gain, more=[frame, series])["measured"][1:]
    assert [(one["label"], one["value"], one["unit"]) for one in found] == [
        ("x, a", 1.0, "pp"),
        ("x, b", 2.0, "pp"),
        ("y", 3.0, ""),
    ]
    assert payload("C01", gain, more=frame)["measured"][1]["label"] == "x, a"


def test_figures_become_plain_json():
    value = [pd.Timestamp("2025-12-10"), np.float64(1.123456), np.int64(3), np.bool_(True), "x", None, -1e-9]
    found = measuring.plain(value)
    assert found == ["2025-12-10", 1.1235, 3, True, "x", None, 0]
    assert json.dumps(found) == '["2025-12-10", 1.1235, 3, true, "x", null, 0.0]'


# -------------------------------------------------------------------------------------------- robustness


def test_robustness_is_given_by_axis_and_equivalent_and_other_stay_apart(use):
    use()
    found = payload(
        "C01",
        gain,
        vary={"kind": ["total", "net"], "value": [11.0, 13.0, 14.0]},
        other={"fee": {"a placebo": 5}},
        control="The placebo falls.",
    )
    firm = found["robustness"]
    assert (firm["same"], firm["of"], firm["share"], firm["few"]) == (4, 5, 0.8, False)
    assert (firm["low"], firm["high"], firm["unit"]) == (9.0, 14.0, "%")
    assert firm["varied"] == "kind and value"
    assert [(a["axis"], a["kind"], a["same"], a["of"]) for a in firm["axes"]] == [
        ("kind", "equivalent", 1, 2),
        ("value", "equivalent", 3, 3),
        ("fee", "other", 0, 1),
    ]
    assert [(row["value"], row["verdict"]) for row in found["specifications"]] == [
        ("total", "supported"),
        ("net", "contradicted"),
        ("11.0", "supported"),
        ("13.0", "supported"),
        ("14.0", "supported"),
        ("a placebo", "contradicted"),
    ]
    assert [axis["turned"] for axis in found["robustness"]["axes"] if axis["turned"]] == [
        ["net"],
        ["a placebo"],
    ]
    line = card.robustness_line(found)
    assert "4 of 5 equivalent ways" in line
    assert "What turns it: kind." in line
    assert "The placebo falls." in card.as_html(found)


def test_arguments_that_change_together_are_one_named_axis(use):
    use()
    found = payload("C01", gain, vary={("kind", "fee"): {"net of a fee": ("net", 1), "dear": ("total", 4)}})
    assert [(a["axis"], a["same"], a["of"]) for a in found["robustness"]["axes"]] == [("kind and fee", 0, 2)]
    assert [(row["value"], row["figures"]["gain"]) for row in found["specifications"]] == [
        ("net of a fee", 8.0),
        ("dear", 9.0),
    ]


def test_what_the_store_lacks_is_counted_and_named(use):
    use()

    def measure(kind="price"):
        if kind == "panel":
            raise market.Missing("This store has no panel.")
        return gain(kind=kind)

    firm = payload("C01", measure, vary={"kind": ["total", "panel"]})["robustness"]
    assert (firm["of"], firm["absent"], firm["axes"][0]["absent"]) == (1, 1, ["panel"])


def test_an_exact_fact_has_no_robustness(use):
    use()
    assert payload("C01", gain)["robustness"] is None
    assert card.robustness_line(payload("C01", gain)) == ""
    assert card.robustness_line(payload("C01", gain, other={"fee": [1]})) == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.integers(5, 20).filter(lambda v: v != 12), min_size=1, max_size=8), st.data())
def test_a_specification_that_changes_nothing_is_none(use, values, data):
    use()
    values = [value for i, value in enumerate(values) if i == 0 or value != values[i - 1]]
    ways = [(f"way {place}", value) for place, value in enumerate(values)]
    plain = payload("C01", gain, vary={"value": dict(ways)})
    place = data.draw(st.integers(0, len(values)))
    copy = data.draw(st.sampled_from([12, values[place - 1]] if place else [12]))
    again = payload("C01", gain, vary={"value": dict([*ways[:place], ("copy", copy), *ways[place:]])})
    counts = ("same", "of", "share", "low", "high", "few")
    assert [again["robustness"][key] for key in counts] == [plain["robustness"][key] for key in counts]
    assert again["robustness"]["axes"][0]["copies"] == 1
    assert again["specifications"] == plain["specifications"]
    assert again["verdict"] == plain["verdict"]


def test_a_change_of_what_is_only_given_is_no_specification(use):
    rule = letter(ABOVE, given=[{"sign": {"measure": "loss", "is": "positive"}}])
    use(entry(measures=TWO, rule=rule), entry(id="C02", measures=TWO))

    def measure(fee=0):
        return {"gain": 12.0, "loss": float(fee)}

    for key in ("C01", "C02"):
        firm = payload(key, measure, vary={"fee": [1, 2, 3]})["robustness"]
        assert (firm["of"], firm["axes"][0]["copies"]) == (0, 3)


# ------------------------------------------------------------------------------------------------- caps


@pytest.mark.parametrize(
    ("base", "values", "by_rule", "verdict"),
    [
        (12, [11, 13, 14, 15, 9, 8], "supported", "supported"),  # four of six are two thirds
        (12, [11, 13, 14, 9, 8], "supported", "mixed"),
        (12, [11, 13, 9, 8], "supported", "supported"),  # four are too few to tell
        (12, [11, 21, 22, 23, 24], "supported", "supported-with-caveat"),  # all praise it, most with a caveat
        (22, [21, 9, 8, 7, 23], "supported-with-caveat", "mixed"),
        (9, [8, 7, 11, 12, 13], "contradicted", "mixed"),
        (9, [8, 7, 6, 5, 13], "contradicted", "contradicted"),
    ],
)
def test_two_thirds_of_the_equivalent_ways_must_agree(use, base, values, by_rule, verdict):
    use(entry(rule=letter(ABOVE, detail=[{"bound": {"measure": "gain", "below": 20}}])))
    found = payload("C01", lambda value=float(base): {"gain": value}, vary={"value": values})
    assert (found["by_rule"], found["verdict"]) == (by_rule, verdict)
    assert bool(found["capped"]) is (by_rule != verdict)
    if found["capped"]:
        assert f"{found['robustness']['same']} of {len(values)} equivalent ways" in found["capped"][0]
        assert found["capped"][0] in card.as_text(found)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([12, 13, 14, 10.5, 9], "mixed"),  # of the two that disagree one cannot tell: no more than half
        ([12, 13, 14, 10.5, 10.6], "unverified"),
        ([12, 13, 14, 15, 10.5, 10.6], "supported"),  # four of six agree
        ([12, 13, 14, 15, 10.5, 10.6, 10.4], "unverified"),
    ],
)
def test_where_most_that_disagree_cannot_tell_nobody_can(use, values, verdict):
    use(entry(rule=letter({"bound": {"measure": "gain", "above": 10, "band": 0.7}})))
    found = payload("C01", lambda value=20.0: {"gain": value}, vary={"value": values})
    assert (found["by_rule"], found["verdict"]) == ("supported", verdict)


@pytest.mark.parametrize(("true", "verdict"), [(47, "supported"), (48, "supported-with-caveat")])
def test_four_days_in_five_are_most_days(use, true, verdict):
    use(
        entry(
            rule=letter(
                {"bound": {"measure": "gain", "above": round(float(WALK.nlargest(true + 1).iloc[-1]), 4)}}
            )
        )
    )
    found = payload("C01", walk, often={"day": DAYS})
    assert found["base_rate"]["true"] == true
    assert found["verdict"] == verdict
    said = ["It would have been true on 80\u00a0% of other days, so it says little."]
    assert found["capped"] == (said if verdict != "supported" else [])


def test_what_is_true_on_other_days_and_fails_on_its_own_stays_contradicted(use):
    use(entry(rule=letter({"bound": {"measure": "gain", "above": -99}})))
    found = payload("C01", lambda day="2025-12-10": walk(day, -100.0), often={"day": DAYS})
    assert found["base_rate"]["share"] == 1
    assert (found["verdict"], found["capped"]) == ("contradicted", [])


def test_a_sentence_with_a_caveat_is_not_capped_twice(use):
    use(entry(rule=letter({"bound": {"measure": "gain", "above": -99}}, detail=[ABOVE])))
    found = payload("C01", lambda day="2025-12-10": walk(day, 9.0), often={"day": DAYS})
    assert (found["verdict"], found["capped"]) == ("supported-with-caveat", [])


def test_the_board_says_how_firm_each_verdict_is(use, monkeypatch):
    monkeypatch.setattr(judging, "_judged", {})
    use(entry(), entry(id="C02"), entry(id="C03"), entry(id="C04"))
    claims.judge("C01", gain)
    claims.judge("C02", gain, vary={"value": [11.0, 13.0, 14.0, 15.0], "fee": [5]})
    claims.judge("C03", walk, vary={"value": [9.0]}, often={"day": DAYS})
    claims.judge("C04", gain, vary={"value": [12.0]})
    true = f"{int((WALK > 10).sum())} of 60"
    assert claims.board().reset_index().to_numpy().tolist() == [
        ["C01", "Supported", "exact fact", "–", "–"],
        ["C02", "Supported", "4 of 5", "fee", "–"],
        ["C03", "Supported", "0 of 1 (too few)", "value", true],
        ["C04", "Supported", "no other way", "–", "–"],
    ]
    ways = claims.specifications("C02")
    assert ways.loc["fee: 5"].tolist() == ["fee", "5", 7.0, "contradicted"]
    assert ways.iloc[0].tolist() == ["as judged", "as judged", 12.0, "supported"]
    with pytest.raises(JudgementError, match="C05 was not judged yet in this notebook; judge it first"):
        claims.specifications("C05")


def test_the_nearest_bound_comes_first_after_the_deciding_figure(use):
    three = {**TWO, "rest": {"label": "Rest", "unit": "count"}}
    bounds = [{"bound": {"measure": key, "above": 10}} for key in three]
    use(
        entry(
            measures=three,
            rule=letter(*bounds, {"fact": {"id": "cuts", "at_least": 2}}),
            facts=["cuts"],
            decides="loss",
        )
    )
    flips = payload("C01", {"gain": 14, "loss": 15, "rest": 12})["flip"]
    assert [flip["sentence"] for flip in flips] == [
        "Loss of the other: it holds by 5.00\u00a0pp.",
        "Subject of cuts: it holds by 1\u00a0cut.",
        "Rest: it holds by 2.",
        "Gain of the index: it holds by 4.00\u00a0pp.",
    ]
    assert [flip["holds"] for flip in flips] == [True] * 4


def test_blame_that_others_share_in_another_word_stays(use):
    use(entry(rule=letter(ABOVE, implied=[{"bound": {"measure": "gain", "above": 20}}])))
    found = payload("C01", lambda value=9.0: {"gain": value}, vary={"value": [11, 12, 13, 14, 15]})
    assert found["robustness"]["share"] == 0
    assert found["verdict"] == "contradicted"


DAYS = [f"{day:%Y-%m-%d}" for day in pd.date_range("2019-01-31", periods=60, freq="ME")]
WALK = pd.Series(np.random.default_rng(7).normal(0, 1, 60).cumsum(), DAYS)


def walk(day="2025-12-10", value=12.0):
    """A made-up random walk on the other days, 12 on the day that is judged."""
    return {"gain": float(WALK.get(day, value))}


@pytest.mark.parametrize(("bound", "verdict"), [(-99, "supported-with-caveat"), (0, "supported")])
def test_what_is_true_anyway_supports_nothing_by_itself(use, bound, verdict):
    use(entry(rule=letter({"bound": {"measure": "gain", "above": bound}})))
    found = payload("C01", walk, often={"day": [*DAYS, "2025-12-10"]})
    rate = found["base_rate"]
    true = int((WALK.gt(bound)).sum())
    assert 0 < int((WALK > 0).sum()) < 48
    assert (rate["days"], rate["true"], rate["lost"]) == (60, true, 0)
    assert rate["share"] == round(true / 60, 4)
    assert (rate["first"], rate["last"]) == (DAYS[0], DAYS[-1])
    assert rate["conditions"] == [true]
    assert rate["quantiles"] == [round(float(cut), 4) for cut in np.quantile(WALK.round(4), [0.1, 0.5, 0.9])]
    assert found["verdict"] == verdict
    assert f"{true} of 60 other days" in card.base_rate_line(found)


def test_days_without_data_are_counted_and_not_judged(use):
    use()

    def measure(day="2025-12-10"):
        if day < "2019-07":
            raise market.Missing("The series begins in July 2019.")
        return walk(day)

    rate = payload("C01", measure, often={"day": DAYS})["base_rate"]
    assert (rate["days"], rate["lost"], rate["first"]) == (54, 6, "2019-07-31")


def test_a_day_without_a_voting_figure_neither_was_true_nor_was_not(use):
    use()
    measure = lambda day="2025-12-10": {"gain": None if day in DAYS[:4] else walk(day)["gain"]}  # noqa: E731
    rate = payload("C01", measure, often={"day": DAYS})["base_rate"]
    assert (rate["days"], rate["lost"], rate["first"]) == (56, 4, DAYS[4])
    assert rate["true"] == int((WALK.iloc[4:] > 0).sum())


def test_a_figure_that_does_not_move_with_the_day_has_no_base_rate(use):
    use()
    assert payload("C01", lambda day="2025-12-10": {"gain": 1.0}, often={"day": DAYS})["base_rate"] is None


def test_a_letter_of_the_record_alone_has_no_base_rate(use):
    rule = letter({"fact": {"id": "cuts", "at_least": 3}}, detail=[ABOVE])
    use(entry(rule=rule, facts=["cuts"]))
    assert payload("C01", walk, often={"day": DAYS})["base_rate"] is None


BAND = {"bound": {"measure": "gain", "above": 0, "band": {"sd": 0.5}}}
LEAD = {"compare": {"measure": "gain", "is": "above", "than": "loss", "band": {"sd": 2}}}


def both(day="2025-12-10", value=12.0):
    found = walk(day, value)["gain"]
    return {"gain": found, "loss": found**2 / 9 if day != "2025-12-10" else 1.0}


def test_a_band_is_measured_on_the_other_days(use):
    use(entry(measures=TWO, rule=letter(BAND, LEAD)))
    found = payload("C01", both, often={"day": DAYS}, vary={"value": [0.5]})
    figures = pd.DataFrame([both(day) for day in DAYS])
    sd, lead = np.std(figures["gain"], ddof=1), np.std(figures["gain"] - figures["loss"], ddof=1)
    assert found["spread"] == pytest.approx({"gain": sd, "gain-loss": lead}, abs=1e-4)
    assert found["measured"][2:] == [
        {
            "label": "Standard deviation on other days: Gain of the index",
            "value": found["spread"]["gain"],
            "unit": "%",
        },
        {
            "label": "Standard deviation on other days: Gain of the index minus Loss of the other",
            "value": found["spread"]["gain-loss"],
            "unit": "pp",
        },
    ]
    edge = round(found["spread"]["gain"] * 0.5, 4)
    assert payload("C01", lambda day="x": {**both(day), "gain": edge} if day == "x" else both(day),
                   often={"day": DAYS})["parts"][0]["outcome"] is None  # fmt: skip
    assert found["specifications"][0]["verdict"] == "unverified"


def test_the_width_of_a_difference_keeps_its_unit_unless_that_is_percent(use):
    use(entry(measures={key: {**given, "unit": "x"} for key, given in TWO.items()}, rule=letter(LEAD)))
    (width,) = [
        one for one in payload("C01", both, often={"day": DAYS})["measured"] if " minus " in one["label"]
    ]
    assert width["unit"] == "x"


def test_a_band_in_standard_deviations_needs_other_days(use):
    use(entry(rule=letter(BAND)))
    for measure in (walk, {"gain": 12.0}):
        with pytest.raises(
            JudgementError, match=r"C01: its rule has a band in standard deviations of gain; give"
        ):
            claims.judge("C01", measure)
    assert payload("C01", walk, often={"day": DAYS})["verdict"] == "supported"


def test_later_days_are_shown_and_never_vote(use):
    use()
    found = payload("C01", walk, later={"day": DAYS[:2]})
    assert [(row["value"], row["verdict"]) for row in found["later"]] == [
        (day, "contradicted") for day in DAYS[:2]
    ]
    assert found["later"][0]["figure"] == round(WALK.iloc[0], 4)
    assert {**found, "later": []} == payload("C01", walk)
    assert payload("C01", walk, later={"day": [DAYS[0], DAYS[0]]})["later"] == found["later"][:1]


# ------------------------------------------------------------------------------------------------- flips


def test_the_flip_is_the_distance_in_the_claim_s_own_unit(use):
    rule = letter(ABOVE, {"compare": {"measure": "gain", "is": "above", "than": "loss"}})
    use(entry(measures=TWO, rule=rule))
    held = payload("C01", {"gain": 12.5, "loss": 12.0})
    assert [(flip["margin"], flip["unit"]) for flip in held["flip"]] == [(0.5, "%"), (2.5, "%")]
    assert card.flip_line(held) == "Gain of the index: it holds by 0.50\u00a0pp."
    missed = payload("C01", {"gain": 12.5, "loss": 17.42})
    assert [flip["margin"] for flip in missed["flip"]] == [-4.92]
    assert card.flip_line(missed) == "Gain of the index: it misses by 4.92\u00a0pp."
    assert "just at its bound" in card.flip_line(payload("C01", {"gain": 10.0, "loss": 0}))
    assert payload("C01", {"gain": None, "loss": None})["flip"] == []


def test_a_fact_may_have_a_colon_in_its_name(use, monkeypatch):
    more = {"id": "steps", "value": "3", "unit": "cuts", "subject": "Rates: steps in 2025"}
    monkeypatch.setattr(claiming, "FACTS", [*claiming.FACTS, more])
    use(entry(rule=letter({"fact": {"id": "steps", "above": 3}}), measures=None, facts=["steps"]))
    assert card.flip_line(payload("C01")) == "Rates: steps in 2025: it stands just at its bound."


@pytest.mark.parametrize(
    ("unit", "far"), [("", "2.00"), ("count", "2"), ("x", "2.00\u00a0x"), ("%", "2.00\u00a0pp")]
)
def test_only_a_distance_of_percentages_is_in_points(use, unit, far):
    use(entry(measures={"gain": {"label": "Gain", "unit": unit}}))
    assert card.flip_line(payload("C01", {"gain": 12.0})) == f"Gain: it holds by {far}."


def test_a_rank_is_away_by_places(use):
    measures = {"gain": {"label": "Rank of the gain", "unit": "rank"}}
    use(entry(measures=measures, rule=letter({"rank": {"measure": "gain", "within": 2}})))
    found = [card.flip_line(payload("C01", {"gain": rank})) for rank in (1, 4)]
    assert found == [
        "Rank of the gain: it holds by 1\u00a0place.",
        "Rank of the gain: it misses by 2\u00a0places.",
    ]


def test_a_figure_within_its_band_says_how_far_its_bound_is(use):
    use(entry(rule=letter({"bound": {"measure": "gain", "above": 10, "band": 1}})))
    found = payload("C01", {"gain": 10.5})
    assert found["verdict"] == "unverified"
    assert card.flip_line(found) == "Gain of the index: 0.50\u00a0pp from its bound, too little to tell."


# ----------------------------------------------------------------------------------------------- because


def test_because_follows_the_verdict_that_stands(use):
    because = {
        "supported": "It rose by {gain:1}.",
        "mixed": "It rose by {gain:1}, or not.",
        "contradicted": "No more than {gain:0}.",
    }
    use(entry(because=because))
    assert payload("C01", gain)["because"] == "It rose by 12.0\u00a0%."
    assert payload("C01", {"gain": 9})["because"] == "No more than 9\u00a0%."
    capped = payload("C01", gain, vary={"value": [13.0, 9.0, 8.0, 7.0, 6.0]})
    assert capped["because"] == "It rose by 12.0\u00a0%, or not."


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (12.0, "Gain of the index is 12.00\u00a0%, as the sentence says."),
        (9.0, "Gain of the index is 9.00\u00a0%, which is not what the sentence says."),
        (10.5, "Gain of the index is 10.50\u00a0%, which decides nothing."),
        (None, "Not in these data: Gain of the index."),
    ],
)
def test_without_a_sentence_because_says_the_figure_in_plain_words(use, value, sentence):
    use(entry(rule=letter({"bound": {"measure": "gain", "above": 10, "band": 0.7}})))
    assert payload("C01", {"gain": value})["because"] == sentence


@pytest.mark.parametrize("values", [{"gain": 12, "loss": 3}, {"gain": 2, "loss": 3}, dict.fromkeys(TWO)])
def test_because_has_thirty_words_at_most(use, values):
    long = " ".join(["word"] * 25)
    measures = {key: {"label": f"{long} {key}", "unit": "%"} for key in TWO}
    rule = letter({"compare": {"measure": "gain", "is": "above", "than": "loss"}})
    template = {"supported": "They are {dates} " + " ".join(["word"] * 20)}
    measures["dates"] = {"label": "Days", "unit": "dates"}
    use(entry(measures=measures, rule=rule, because=template))
    found = payload("C01", {**values, "dates": ["2025-12-01", "2025-12-02", "2025-12-03", "2025-12-04"]})
    assert 3 < len(found["because"].split(" ")) <= 31
    assert "{" not in found["because"]


def test_because_names_the_condition_that_decides(use):
    use(entry(measures=TWO, rule=letter(ABOVE, {"bound": {"measure": "loss", "above": 10}})))
    assert payload("C01", {"gain": 12.0, "loss": 3.0})["because"] == (
        "Loss of the other is 3.00\u00a0%, which is not what the sentence says."
    )
    assert payload("C01", {"gain": None, "loss": 12})["because"] == "Not in these data: Gain of the index."
    use(entry(rule=letter(ABOVE, {"fact": {"id": "unknown", "equals": "y", "asks": "it is so and not so"}}),
              facts=["unknown"]))  # fmt: skip
    assert payload("C01", gain)["because"] == "it is so and not so, which decides nothing."


def test_because_tells_two_figures_at_most(use):
    three = {**TWO, "rest": {"label": "Rest", "unit": "%"}}
    use(
        entry(
            measures=three,
            rule=letter({"all": [{"sign": {"measure": key, "is": "positive"}} for key in three]}),
        )
    )
    told = "Gain of the index is 2.00\u00a0% and Loss of the other is 3.00\u00a0%, as the sentence says."
    assert payload("C01", {"gain": 2.0, "loss": 3.0, "rest": 4.0})["because"] == told


def test_because_never_tells_a_figure_that_is_not_known(use):
    use(entry(measures=TWO, because={"supported": "It rose by {gain:1}, the other by {loss:1}."}))
    told = "It rose by 12.0\u00a0%, the other by 3.0\u00a0%."
    assert payload("C01", {"gain": 12.0, "loss": 3.0})["because"] == told
    plain = "Gain of the index is 12.00\u00a0%, as the sentence says."
    assert payload("C01", {"gain": 12.0, "loss": None})["because"] == plain


def test_where_every_sentence_is_too_long_the_last_is_cut(use):
    measures = {key: {"label": f"{'word ' * 25}{key}", "unit": "%"} for key in TWO}
    use(
        entry(measures=measures, rule=letter({"compare": {"measure": "gain", "is": "above", "than": "loss"}}))
    )
    found = payload("C01", {"gain": 12, "loss": 3})["because"]
    assert found == f"{'word ' * 25}gain (%): above word word …"


@pytest.mark.parametrize(("words", "kept"), [(23, True), (24, False)])
def test_a_reason_of_thirty_words_stands_and_a_longer_one_gives_way(use, words, kept):
    measures = {**TWO, "dates": {"label": "Days", "unit": "dates"}}
    use(entry(measures=measures, because={"supported": " ".join(["word"] * words) + " {dates}"}))
    found = payload("C01", {"gain": 12.0, "loss": 3.0, "dates": ["2025-12-01", "2025-12-04"]})["because"]
    assert found.endswith("1 December 2025 and 4 December 2025") is kept  # seven words
    assert kept or found == "Gain of the index is 12.00\u00a0%, as the sentence says."


def test_because_of_a_claim_without_a_test_is_its_reason(use):
    use(entry(rule={"not-checkable": "It names no day and no size."}, measures=None))
    found = payload("C01")
    assert (found["verdict"], found["because"]) == ("not-checkable", "It names no day and no size.")
    assert "cannot tell" not in card.as_text(found)


# --------------------------------------------------------------------------------------- missing, made up


def test_what_the_store_lacks_ends_as_unverified_and_the_rest_goes_on(use):
    use(entry(), entry(id="C02"))

    def measure(day="2025-12-10"):
        raise market.Missing("This store has no listings.parquet; data/README.md says where it comes from.")

    found = payload("C01", measure, vary={"day": DAYS}, often={"day": DAYS}, caveat="Thin.")
    assert found["verdict"] == "unverified"
    assert found["caveat"] == (
        "Thin. This store has no listings.parquet; data/README.md says where it comes from."
    )
    assert found["caveat"] in card.as_text(found)
    assert (found["specifications"], found["base_rate"], found["robustness"]) == ([], None, None)
    assert (
        payload("C01", measure, caveat="Thin.", lower_to="supported-with-caveat")["verdict"] == "unverified"
    )
    assert payload("C02", gain)["verdict"] == "supported"


def test_made_up_data_give_figures_and_nothing_like_a_finding(use, monkeypatch, said):
    use(entry(because={"supported": "It really rose by {gain:1}."}, rule=letter(ABOVE, BAND)))
    monkeypatch.setattr(market, "_current", claiming.MADE_UP)
    verdict = claims.judge(
        "C01", walk, vary={"value": [9.0, 8.0]}, often={"day": DAYS[:5]}, later={"day": DAYS}
    )
    assert verdict.verdict is None
    bundle = verdict._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "SYNTHETIC" in bundle["text/html"]
    for text in bundle.values():
        for words in ("really rose", "holds", "fails", "cannot tell", "true on", "Same verdict", "Supported"):
            assert words not in text
    found = verdict.payload
    assert claims.judge("C01", walk, lower_to="supported", caveat="Thin.").verdict is None
    assert (found["by_rule"], found["because"], found["base_rate"], found["flip"]) == (None, "", None, [])
    assert (found["tally"]["hold"], found["tally"]["fail"], found["spread"]) == (0, 0, {})
    claims.what_if("C01", walk, value=9.0)
    assert said[-1].startswith("**SYNTHETIC DATA.**")
    assert "rule" not in said[-1]


# ------------------------------------------------------------------------------------------- what if


@pytest.mark.parametrize(
    ("value", "turn"),
    [
        (13.0, "The rule still gives ✓ Supported."),
        (9.0, "The rule no longer gives ✓ Supported, but **✗ Contradicted**."),
    ],
)
def test_what_if_says_what_judge_would(use, said, value, turn):
    use()
    claims.what_if("C01", gain, value=value)
    assert said[-1].endswith(turn)
    assert "12.00\u00a0%, now **" + f"{value:.2f}\u00a0%**" in said[-1]
    now = payload("C01", lambda: gain(value=value))
    assert card.LOOK[now["by_rule"]][0] in turn


def test_what_if_uses_the_band_that_the_claim_was_judged_by(use, said):
    use(entry(rule=letter(BAND)))
    claims.judge("C01", walk, often={"day": DAYS})
    claims.what_if("C01", walk, value=0.1)
    assert "but **? Unverified**" in said[-1]
    would = payload("C01", lambda day="2025-12-10": walk(day, 0.1), often={"day": DAYS})
    assert would["verdict"] == "unverified"


def test_what_if_says_what_it_cannot(use, said, monkeypatch):
    monkeypatch.setattr(judging, "_judged", {})
    use(entry(rule=letter(BAND)))
    with pytest.raises(
        JudgementError, match=r"C01: its rule has a band .* of gain; judge it before you ask what if\."
    ):
        claims.what_if("C01", gain, value=9.0)
    use()
    claims.what_if("C01", gain, day="2025-12-09")
    assert said[-1] == "With `day=2025-12-09` no figure of the rule changes."

    def measure(day="2025-12-10"):
        if day != "2025-12-10":
            raise market.Missing("This store ends on 10 December.")
        return gain()

    claims.what_if("C01", measure, day="2025-12-11")
    assert said[-1] == "Left out: This store ends on 10 December."
    with pytest.raises(JudgementError, match=r"C01: `when` is no argument of gain\(day, value, kind, fee\)"):
        claims.what_if("C01", gain, when="2025-12-09")


# ------------------------------------------------------------------------------------ payload and cards


def whole(use):
    """A payload with everything in it."""
    rule = {
        "given": [{"fact": {"id": "year", "above": 1}}],
        **letter(ABOVE, BAND),
        "implied": [{"fact": {"id": "venue", "equals": "nasdaq", "asks": "it is listed on Nasdaq"}}],
        "detail": [{"fact": {"id": "rumour", "equals": "nasdaq", "asks": "it is said to be listed"}}],
    }
    use(
        entry(
            rule=rule,
            facts=["year", "venue", "rumour"],
            asserts={"value": 10, "unit": "%"},
            revised=[{"date": "2025-12-20", "kind": [2], "was": "mixed", "what": "A band was registered."}],
        )
    )
    return payload(
        "C01",
        walk,
        vary={"value": [11.0, 13.0, 14.0, 9.0, 8.0]},
        other={"value": {"a placebo": -2.0}},
        often={"day": DAYS},
        later={"day": DAYS[:2]},
        more=[("Further", 1.5, "x")],
        control="The placebo falls.",
        caveat="A reservation.",
    )


def test_a_card_needs_nothing_but_its_payload_and_the_record(use, tmp_path):
    found = whole(use)
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again == found
    use(entry(id="C07"))  # the registry does not hold the claim: the payload must do
    html, text = card.as_html(again), card.as_text(again)
    assert html == card.as_html(found)
    for words in ("A reservation.", "The placebo falls.", "A band was registered", "a placebo", "other days"):
        assert words in html
    for words in ("A reservation.", "Gain of the index", "Mixed"):
        assert words in text


def test_the_machine_s_form_has_the_shape_of_its_schema(use):
    schema = json.loads((ROOT / "data" / "verdicts.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    assert tuple(schema["items"]["required"]) == notebooks.CONTRACT
    assert schema["$defs"]["verdict"]["enum"] == list(rules.SCALE)
    found = [whole(use)]
    use(entry(), entry(id="C02", rule={"not-checkable": "It names no day."}, measures=None))
    found += [payload("C01", gain), payload("C01", {"gain": None}), payload("C02")]
    found += [payload("C01", gain, vary={"value": [12.0]}), payload("C01", gain, control="None.")]
    assert list(check.iter_errors(machine.contract(found))) == []
    for key in notebooks.CONTRACT:
        broken = machine.contract(found[:1])
        del broken[0][key]
        assert not check.is_valid(broken), key


def test_a_mixed_verdict_says_how_many_of_how_many(use):
    use(entry(measures=TWO, rule=letter(ABOVE, {"bound": {"measure": "loss", "above": 10}})))
    found = payload("C01", {"gain": 12, "loss": 3})
    assert "1 of 2 parts hold." in card.as_html(found)
    assert "parts hold" not in card.as_html(payload("C01", {"gain": 12, "loss": 13}))
    fragile = payload("C01", lambda v=12.0: {"gain": v, "loss": 13}, vary={"v": [11.0, 9.0, 8.0, 7.0, 6.0]})
    assert fragile["verdict"] == "mixed"
    assert "parts hold" not in card.as_html(fragile)


class Parser(HTMLParser):
    """Collects tags and text; a stray tag in data would appear among the tags."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.text += data


HOSTILE = '<script>alert(1)</script>" onclick="x'


def test_cards_escape_what_data_say(use):
    use(entry(
        says=f"It says {HOSTILE} of it.", measures={"gain": {"label": HOSTILE, "unit": HOSTILE}},
        because={"mixed": f"For {HOSTILE} it is {{gain}}."}, asserts={"value": 3, "unit": HOSTILE},
        revised=[{"date": "2025-12-20", "kind": [2], "was": "mixed", "what": f"From {HOSTILE}."}],
    ))  # fmt: skip
    verdict = claims.judge(
        "C01", lambda name="x": {"gain": {"x": 12.0, HOSTILE: 9.0}[name]}, vary={"name": [HOSTILE]},
        more=[(HOSTILE, HOSTILE, "text")], caveat=HOSTILE, control=HOSTILE, lower_to="mixed",
    )  # fmt: skip
    parser = Parser()
    parser.feed(verdict._repr_mimebundle_()["text/html"])
    assert "script" not in parser.tags
    assert parser.text.count(HOSTILE) >= 12


def test_claim_review_has_the_shape_of_schema_org(use):
    use(entry(because={"supported": "It rose by {gain:1}."}), entry(id="C02"))
    review = card.claim_review(claims.judge("C01", gain).payload)
    assert review["@type"] == "ClaimReview"
    assert (review["identifier"], review["url"]) == ("C01", "C01.html")
    assert review["reviewRating"] == {
        "@type": "Rating", "alternateName": "Supported", "ratingValue": 5, "bestRating": 5, "worstRating": 1,
    }  # fmt: skip
    assert review["itemReviewed"]["datePublished"] == "2025-12-11"
    assert review["itemReviewed"]["author"]["name"] == "A paper"
    assert review["itemReviewed"]["appearance"]["url"] == "https://example.org/article"
    assert review["claimReviewed"] == claims.claim("C01").says
    assert review["reviewBody"] == "It rose by 12.0\u00a0%."
    unknown = card.claim_review(payload("C02", {"gain": None}))["reviewRating"]
    assert unknown == {"@type": "Rating", "alternateName": "Unverified"}


def test_what_a_claim_was_judged_by_has_a_name_that_changes_with_it(use):
    names = set()
    for more in (
        {},
        {"says": "It has gained more than ten."},
        {"rule": letter({"bound": {**ABOVE["bound"], "above": 11}})},
    ):
        use(entry(**more))
        names.add(payload("C01", gain)["claim"]["entry"])
    assert len(names) == 3


# ------------------------------------------------------------------------------------------------ joblib


def test_another_backend_gives_the_same(use):
    here = whole(use)
    with joblib.parallel_config(backend="threading", n_jobs=3):
        assert whole(use) == here


def test_a_cluster_of_two_workers_gives_the_same(use):
    """Specifications, base rates and later dates, by Dask: the notebook's call stays as it is."""
    distributed = pytest.importorskip("distributed")
    here = whole(use)
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    )
    with cluster, distributed.Client(cluster), joblib.parallel_config(backend="dask"):
        assert whole(use) == here


# ---------------------------------------------------------------------------------------------- bad input


def refused(sentence, *given, **more):
    with pytest.raises(JudgementError) as told:
        claims.judge(*given, **more)
    assert str(told.value).startswith("C01")
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)
    assert str(told.value).endswith(".")


def broken(value="fine"):
    if value == "zero":
        raise ZeroDivisionError("division\nby zero")
    if value == "old":
        raise market.SeriesError("^RUT begins on 10 September 1987; ask for later days.")
    return {"gain": {"fine": 12.0, "nan": float("nan"), "inf": float("inf"), "nat": pd.NaT}.get(value, value)}


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [
        (lambda: broken("zero"), "failed with ZeroDivisionError (division by zero); mend it."),
        (lambda: broken("old"), "C01: ^RUT begins on 10 September 1987; ask for later days."),
        (lambda: {"gain": 1.0, "other": 2.0}, "does not declare the measure other; add it"),
        (lambda: {}, "declares the measure gain, which was not given; compute it."),
        (lambda: broken("nan"), "measure gain: A figure is nan; give a finite number"),
        (lambda: broken("inf"), "measure gain: A figure is inf; give a finite number"),
        (lambda: broken("nat"), "measure gain: A figure is no date"),
        (lambda: {"gain": {}}, "measure gain: A figure is a number, text, date or list"),
        (lambda: {"gain": 10**400}, "measure gain: A figure is too large; give a finite number"),
        (lambda: {"gain": 1e200}, "measure gain: A figure is 1e+200; give a finite number"),
        (lambda: {"gain": np.ma.masked}, "measure gain: A figure is nan; give a finite number"),
        (lambda: {"gain": pd.NA}, "measure gain: A figure is a number, text, date or list of them, not NAType"),
        (lambda: np.array([1.0, 2.0]), "the rule compares gain as a number, and it is '[1.0, 2.0]'"),
        (lambda: pd.Series([1.0, 2.0], ["gain", "gain"]), "measure gain: A figure is a number, text, date or list"),
        (lambda: {"gain": "much"}, "the rule compares gain as a number, and it is 'much'"),
        (lambda: {"gain": True}, "the rule compares gain as a number"),
        (lambda: {"gain": [1.0]}, "the rule compares gain as a number"),
        (lambda need: {"gain": 1.0}, "failed with TypeError"),
        (lambda: object(), "measure gain: A figure is a number"),
        ({"gain": float("nan")}, "measure gain: A figure is nan"),
        ({}, "declares the measure gain, which was not given"),
        (None, "declares the measure gain, which was not given"),
    ],
)  # fmt: skip
def test_a_measurement_that_gives_no_figures_is_refused(use, measure, sentence):
    use()
    refused(sentence, "C01", measure)


def test_dates_are_a_list(use):
    measures = {"days": {"label": "Days", "unit": "dates"}}
    use(entry(measures=measures, rule=letter({"dates": {"measure": "days", "include": ["2025-12-10"]}})))
    for odd in ("2025-12-10", ["10 Dec 2025"], [20251210], [None]):
        refused(f"the rule compares days as a list of dates, and it is '{odd}'", "C01", lambda odd=odd: odd)
    days = pd.to_datetime(["2025-12-10"])
    for good in (days, days.to_numpy(), list(days.to_numpy()), days.date, ("2025-12-10",)):
        assert payload("C01", lambda good=good: good)["figures"] == {"days": ["2025-12-10"]}
    found = payload("C01", lambda: days)
    assert found["verdict"] == "supported"
    assert np.isnan(claims.specifications("C01").loc["as judged", "value"])


def test_several_figures_need_their_names(use):
    use(entry(measures=TWO))
    refused("return a mapping of its measures (gain and loss)", "C01", lambda: 12.0)


class Nameless:
    pass


@pytest.mark.parametrize(
    ("vary", "sentence"),
    [
        ({"when": ["2025-12-09"]}, "`when` is no argument of gain(day, value, kind, fee); change one of these."),
        ({("kind", "when"): [("net", 1)]}, "`when` is no argument of gain"),
        ({"kind": [Nameless()]}, "the values of `kind` do not name themselves; give a mapping"),
        ({"kind": [["net", Nameless()]]}, "do not name themselves"),
        ({"day": [pd.NaT]}, "the values of `day` do not name themselves"),
        ({"kind": []}, "the axis `kind` has no alternatives; give some or drop it."),
        ({"kind": {}}, "the axis `kind` has no alternatives"),
        ({"kind": "net"}, "the axis `kind` holds one value; give a list"),
        ({"fee": 3}, "the axis `fee` holds one value; give a list"),
        ({("kind", "fee"): {"a": ("net",)}}, "the alternative 'a' of `kind and fee` is no tuple of 2"),
        ({("kind", "fee"): {"a": 3}}, "the alternative 'a' of `kind and fee` is no tuple of 2"),
        ({"day": DAYS[:6]}, "6 of 6 values of `day` change no figure, or only repeat the one before"),
        ({"value": dict.fromkeys("abcdef", 13.0)}, "5 of 6 values of `value` change no figure"),
        ({"kind": ["gross"]}, "C01 with kind gross: gain failed with KeyError ('gross'); mend it."),
        ({"value": {"a frame": pd.DataFrame()}}, "C01 with value a frame"),
    ],
)  # fmt: skip
def test_choices_that_are_none_are_refused(use, vary, sentence):
    use()
    refused(sentence, "C01", gain, vary=vary)
    refused(sentence, "C01", gain, other=vary)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"vary": ["fee"]}, "choices are a mapping of arguments to alternatives; name the argument."),
        ({"often": DAYS}, "choices are a mapping of arguments"),
        ({"later": "2025-12-12"}, "choices are a mapping of arguments"),
        ({"vary": {3: [1]}}, "`3` is no argument of gain"),
        ({"vary": {(): {"a": ()}}}, "the axis () names no argument, or one twice; name each once."),
        ({"vary": {("fee", "fee"): {"a": (1, 2)}}}, "names no argument, or one twice"),
        ({"vary": {"fee": {1, 2}}}, "the axis `fee` is a set, which has no order; give a list"),
        ({"vary": {"value": [13.0, 14.0, 13.0]}}, "the axis `value` holds 13.0 twice; give each once."),
        ({"vary": {"value": [12 + step / 1e4 for step in range(1, 13)]}}, "12 of 12 values of `value` change no"),
        ({"vary": {"value": [*(12 + step / 1e4 for step in range(1, 6)), 14, 15, 16, 17]}}, "5 of 9 values"),
        ({"vary": {"fee": [1]}, "other": {"fee": [1]}}, "fee 1 stands in `vary` and in `other`; a way to"),
        ({"more": ["words"]}, "further figures: `more` holds frames, or tuples"),
        ({"more": 5}, "further figures: `more` holds frames, or tuples"),
        ({"more": [("x", 1.0, 2)]}, "further figures: `more` holds frames, or tuples"),
        ({"more": [()]}, "further figures: `more` holds frames, or tuples"),
        ({"later": {"day": [pd.NaT]}}, "the values of `day` do not name themselves"),
        ({"often": {"day": [np.datetime64("NaT")] * 12}}, "the values of `day` do not name themselves"),
        ({"control": 5}, "`control` is a sentence, not int; write one."),
        ({"caveat": ["Thin."]}, "`caveat` is a sentence, not list; write one."),
        ({"more": [("x", float("nan"), "%")]}, "further figures: A figure is nan"),
        ({"lower_to": "mixed"}, "lowering a verdict needs its reason in `caveat`."),
        ({"lower_to": "mixed", "caveat": "  "}, "lowering a verdict needs its reason"),
        ({"lower_to": ["mixed"], "caveat": "Thin."}, "a person may only lower"),
    ],
)  # fmt: skip
def test_a_call_that_makes_no_sense_is_refused_and_nothing_is_recorded(use, monkeypatch, more, sentence):
    use()
    monkeypatch.setattr(judging, "_judged", {})
    refused(sentence, "C01", gain, **more)
    assert claims.board().empty


def test_half_of_an_axis_may_be_near_copies(use):
    use()
    near = [12 + step / 1e4 for step in range(1, 6)]
    assert payload("C01", gain, vary={"value": [*near, 14, 15, 16, 17, 18]})["robustness"]["of"] == 10
    assert payload("C01", gain, vary={"value": near[:4]})["robustness"]["of"] == 4


@pytest.mark.parametrize("measure", [max, gain])
def test_arguments_are_asked_of_the_function(use, measure):
    use()
    with pytest.raises(
        JudgementError, match=r"C01: .* (does not say its arguments; wrap|is no argument of gain)"
    ):
        claims.what_if("C01", measure, x=1)
    with pytest.raises(JudgementError, match="C01: its measuring function does not say its arguments"):
        claims.what_if("C01", {"gain": 1}, x=1)


def test_a_claim_of_the_record_has_no_function(use):
    use(entry(rule=letter({"fact": {"id": "cuts", "at_least": 3}}), measures=None, facts=["cuts"]))
    refused("declares no measures; add them to the registry, or give no function.", "C01", lambda: 12.0)
    refused("does not declare the measure gain", "C01", gain)


def test_a_few_copies_are_only_counted(use):
    use()
    copies = {f"copy {place}": 13.0 for place in range(5)}
    (axis,) = payload("C01", gain, vary={"value": copies})["robustness"]["axes"]
    assert (axis["of"], axis["copies"]) == (1, 4)


def test_exact_figures_have_no_choices(use):
    use()
    refused("figures have no choices to change; give their function.", "C01", {"gain": 1}, vary={"day": DAYS})
    refused("figures have no choices", "C01", {"gain": 1}, often={"day": DAYS})


def test_a_base_rate_needs_days_with_data(use):
    use()

    def measure(day="2025-12-10"):
        if day < "2023-01":
            raise market.Missing("The series begins in 2023.")
        return walk(day)

    refused(
        "its base rate has data on 12 of 60 days (the first is 2023-01-31); name at least 12 days from there on.",
        "C01", measure, often={"day": DAYS},
    )  # fmt: skip
    refused("has data on 5 of 5 days", "C01", walk, often={"day": DAYS[:5]})
    refused("has data on 0 of 48 days (the first is none)", "C01", measure, often={"day": DAYS[:48]})
    refused("C01 with day 2019-01-31: ^RUT begins", "C01",
            lambda day="2025-12-10": broken("old" if day in DAYS else "fine"), often={"day": DAYS})  # fmt: skip
    refused("a base rate moves one argument; `often` names 2.", "C01", gain, often={"day": DAYS, "fee": [1]})
    refused("`when` is no argument", "C01", gain, often={"when": DAYS})


def test_another_store_with_too_few_days_gives_no_base_rate(use, monkeypatch):
    use()
    monkeypatch.setattr(market, "_current", SimpleNamespace(**{**vars(claiming.REAL), "published": False}))
    for days, rate in ((11, False), (12, True)):
        found = payload("C01", walk, often={"day": DAYS[:days]})
        assert bool(found["base_rate"]) is rate
        assert found["verdict"] == "supported"


def test_a_person_may_only_lower_a_verdict_and_says_why(use):
    use(entry(because={"supported": "It rose by {gain:1}."}))
    lowered = payload("C01", gain, caveat="Thin data.", lower_to="supported-with-caveat")
    assert (lowered["verdict"], lowered["by_rule"], lowered["lowered"]) == (
        "supported-with-caveat",
        "supported",
        "supported-with-caveat",
    )
    assert lowered["caveat"] == "Thin data."
    assert lowered["because"].endswith("as the sentence says, but with a reservation.")
    refused("lowering a verdict needs its reason in `caveat`.", "C01", gain, lower_to="mixed")
    for higher in ("supported", "mixed", "unverified", "contradicted", "nonsense"):
        refused("a person may only lower", "C01", {"gain": 1}, caveat="I like it.", lower_to=higher)


def test_an_unknown_claim_is_told(use):
    use()
    with pytest.raises(TypeError):
        claims.judge("C01", gain, {"value": [1.0]})  # which axes these are must be said
    with pytest.raises(registry.RegistryError, match="There is no claim C99"):
        claims.judge("C99")
