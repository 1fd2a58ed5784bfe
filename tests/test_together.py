"""What verdicts say together, and what each of the project's own says alone: a figure, a source, no code."""

import html
import re
import shutil
import subprocess

import pytest
import yaml
from conftest import ROOT

from helpers import notebooks
from helpers.claims import card, registry, together
from helpers.files import HelperError
from tools import readme


@pytest.fixture(scope="module")
def own():
    """The verdicts of the committed notebooks."""
    try:
        return notebooks.verdicts()
    except HelperError as error:
        pytest.skip(str(error))


def verdict(key, notebook, value, **more):
    """A payload with what the choice looks at."""
    return {
        "id": key, "notebook": notebook, "verdict": "contradicted", "clarity": "clear", "robustness": None,
        "base_rate": None, "asserts": {"value": 10.0, "unit": "%"}, "decides": {"value": value}, "flip": [], **more,
    }  # fmt: skip


def test_the_telling_sentences_are_one_a_notebook_and_the_furthest_off_first():
    given = [
        verdict("C01", "01-a", 11.0),
        verdict("C02", "01-a", 30.0),
        verdict("C03", "02-b", 12.0),
        verdict("C04", "03-c", 90.0, asserts=None),
        verdict("C05", "04-d", 10.0, verdict="supported"),
        verdict("C06", "05-e", 10.0, verdict="supported", base_rate={"share": 0.7}),
        verdict("C07", "06-f", 10.0, verdict="mixed"),
    ]
    right, wrong = together.telling(given, right=3, wrong=2)
    assert [entry["id"] for entry in right] == ["C05"]
    assert [entry["id"] for entry in wrong] == ["C02", "C03"]
    assert [entry["id"] for entry in together.telling(given)[1]] == ["C02", "C03", "C04"]


def test_firmer_and_clearer_ones_come_first_where_no_figure_is_stated():
    given = [
        verdict("C01", "01-a", 1.0, asserts=None, clarity="vague", robustness={"same": 20}),
        verdict("C02", "02-b", 1.0, asserts=None, robustness={"same": 3}),
        verdict("C03", "03-c", 1.0, asserts={"value": "rose", "unit": "sign"}, robustness={"same": 4}),
    ]
    assert [entry["id"] for entry in together.telling(given, wrong=2)[1]] == ["C02", "C03"]


def test_the_nearest_misses_are_within_a_point():
    given = [
        verdict("C01", "01-a", 1.0, flip=[{"unit": "pp", "margin": -0.4}]),
        verdict("C02", "01-a", 1.0, flip=[{"unit": "pp", "margin": -1.4}]),
        verdict("C03", "01-a", 1.0, flip=[{"unit": "rank", "margin": 0.4}]),
        verdict("C04", "01-a", 1.0, flip=[{"unit": "%", "margin": 0.4}], verdict="supported"),
    ]
    assert [entry["id"] for entry in together.near(given)] == ["C01"]


@pytest.mark.parametrize(
    ("asserts", "said"),
    [
        (None, None),
        ({"value": "hike-not-base-case", "unit": "text"}, None),
        ({"value": ["a", 2], "unit": "x"}, None),
        ({"value": 2.27, "unit": "x"}, "2.27\u00a0x"),
        ({"value": 2, "unit": "sessions"}, "2\u00a0sessions"),
        ({"value": [3.5, 3.75], "unit": "%"}, "3.50 and 3.75\u00a0%"),
    ],
)
def test_the_article_s_own_figure_is_one_in_numbers(asserts, said):
    assert card.article_figure({"asserts": asserts}) == said


def test_the_picture_of_firmness_has_a_square_a_way_and_at_most_twelve():
    axis = {"kind": "equivalent", "axis": "start <b>", "same": 2, "of": 3}
    found = card._axes({"robustness": {"axes": [axis]}})
    assert "■■□</span> 2 of 3" in found
    assert "start &lt;b&gt;" in found
    found = card._axes({"robustness": {"axes": [{**axis, "same": 12, "of": 24}]}})
    assert (found.count("■"), found.count("□")) == (6, 6)
    assert card._axes({"robustness": None}) == ""


def test_every_verdict_says_why_with_a_figure_or_a_dated_fact(own):
    assert len(own) > 0
    for entry in own:
        dated = any(registry.fact(key).date for key in entry["facts"])
        assert dated or re.search(r"\d", entry["because"]), entry["id"]


def test_every_fact_stands_on_its_card_as_a_sentence_with_its_source(own):
    for entry in own:
        shown = card.as_html(entry, every=True)
        for fact in map(registry.fact, entry["facts"]):
            assert html.escape(fact.fact) in shown
            for address in fact.source.split(" ; "):
                link = f'<a href="{html.escape(address)}" rel="noreferrer">'
                assert link in shown or not address.startswith("http"), (entry["id"], address)


def test_no_registry_id_and_no_coded_value_reaches_a_card(own):
    ids = [key for key in registry.facts() if "-" in key]
    codes = [fact.value for fact in registry.facts().values() if re.search("[a-z]-[a-z]", fact.value)]
    assert ids
    assert codes
    for entry in own:
        shown = card.as_html(entry, every=True) + card.as_text(entry)
        words = html.unescape(re.sub(r"<[^>]*>", " ", shown)).split()
        words = {word.strip(".,;:()“”‘’\"'") for word in words}
        known = " ".join(registry.fact(key).fact for key in entry["facts"])
        assert not [key for key in [*ids, *codes] if key in words and key not in known], entry["id"]


def test_the_readme_begins_with_what_came_out(own):
    found = readme.README.read_text("utf-8")
    assert readme.filled(found, own) == found, "run `python -m tools.readme`"
    assert readme.PICTURE.read_text("utf-8") == readme.picture(own), "run `python -m tools.readme`"
    assert found.index("what came out") < found.index("make report") < found.index("make test")
    with pytest.raises(HelperError, match="lacks"):
        readme.filled("# A title\n", own)


def test_the_picture_of_the_readme_shows_hostile_words_as_text(own):
    shown = readme.picture([{**own[0], "because": "<script>x()</script> & more"}])
    assert "&lt;script&gt;x()&lt;/script&gt; &amp; more" in shown
    assert "<script" not in shown


def test_the_workflow_runs_the_two_commands_and_publishes_the_site():
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "report.yml").read_text("utf-8"))
    steps = [step for job in flow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == ["make test", "make report DATA=no"]
    assert next(step for step in steps if "upload-pages" in step.get("uses", ""))["with"] == {"path": "site"}
    assert flow["permissions"] == {"contents": "read"}
    if checker := shutil.which("actionlint"):
        done = subprocess.run([checker], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
