"""Articles in folders of their own: what every collection must meet, bad input, the seal, and nothing of the first."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT

from helpers import claims, market, notebooks
from helpers.__main__ import main
from helpers.claims import card, registry, rules, seal
from helpers.files import HelperError
from tools import new_article, new_claim

EXAMPLE = ROOT / "docs" / "example"


@pytest.fixture(autouse=True)
def ours_again(monkeypatch):
    """Whatever a test judged by, the next one judges by the first collection."""
    monkeypatch.delenv("ARTICLE", raising=False)
    monkeypatch.setenv("ARTICLE", "")
    yield
    registry.use()


@pytest.fixture
def begun(tmp_path):
    """A folder as `new-article` leaves it, in use."""
    new_article.write(tmp_path / "own", "Own", "A paper", "2025-06-14", "https://example.org/own")
    return tmp_path / "own"


def replace(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def error(capsys, *arguments, code=2):
    assert main([*map(str, arguments)]) == code
    told = capsys.readouterr().err.strip()
    assert "Traceback" not in told
    return told


# --------------------------------------------------------------- a contract that any collection must meet


@pytest.fixture(params=[None, EXAMPLE], ids=["first", "example"])
def collection(request):
    return registry.use(request.param)


def test_its_registry_is_whole_and_finished(collection):
    assert registry.check() == []
    assert registry.unfinished() == []


def test_its_verdicts_follow_and_none_is_open(collection):
    found, faults = notebooks.examined(notebooks.read_all())
    assert faults == []
    assert notebooks.not_judged(found) == []
    for entry in found:
        assert entry["because"], entry["id"]
        assert entry["notebook"] == claims.claim(entry["id"]).notebook


def test_its_notebooks_are_numbered_clean_and_small(collection):
    names = notebooks.names()
    assert [int(name[:2]) for name in names] == list(range(len(names)))
    for name in names:
        path = notebooks.path_of(name)
        book = notebooks.read(path)
        text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
        assert len(re.findall(r"(?m)^# ", text)) == 1, name
        levels = [len(mark) for mark in re.findall(r"(?m)^(#+) ", text)]
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), name
        assert path.stat().st_size < 600_000
        assert not re.search(r"(?<![\w.])/(work|root|home|Users|tmp)/", path.read_text("utf-8"))
        for cell in notebooks.code_cells(book):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    assert len(output.metadata["image/png"]["alt"].split()) >= 8


def test_every_claim_points_into_the_article(collection):
    for claim in claims.load().values():
        assert claim.place.rsplit(", ", 1)[0] in registry.sections().values()
        assert claim.because or "not-checkable" in claim.rule


# ------------------------------------------------------------------------------------- the worked example


def test_the_example_runs_on_any_machine_and_gives_its_verdicts(tmp_path, monkeypatch):
    registry.use(EXAMPLE)
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / "no-store"))  # it is about the made-up market
    before = (EXAMPLE / "seal.json").read_bytes()
    committed = {entry["id"]: entry for entry in notebooks.verdicts(EXAMPLE / "notebooks")}
    notebooks.run(notebooks.names(), lambda name: tmp_path / f"{name}.ipynb")
    again = {entry["id"]: entry for entry in notebooks.verdicts(tmp_path)}
    assert again == committed
    assert len(again) == 11
    assert {entry["verdict"] for entry in again.values()} >= {rules.SUPPORTED, rules.CONTRADICTED}
    assert all(entry["data"]["source"] in {"synthetic", None} for entry in again.values())
    assert (EXAMPLE / "seal.json").read_bytes() == before
    assert seal.summary().startswith("11 of 11 rules stand as they were sealed before")
    assert "SYNTHETIC" in card.as_html(again["C01"])
    assert "before the first execution" in card.as_html(again["C01"])


def test_an_article_about_the_made_up_market_is_not_judged_on_prices(monkeypatch):
    registry.use(EXAMPLE)
    monkeypatch.setattr(
        market, "_current", type("Real", (), {"source": "store", "real": True, "published": False})()
    )
    with pytest.raises(HelperError, match="C07 is about the made-up market; set MARKET_DATA=synthetic"):
        claims.judge("C07", [])


def test_the_table_of_words_is_made_from_the_code():
    assert new_article.vocabulary() in (ROOT / "docs" / "your-article.md").read_text("utf-8")


# --------------------------------------------------------------------------------------------- beginning


def test_a_new_article_is_reported_at_once_without_data(begun, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "report", "--article", "own", "--out", "out"],
        cwd=tmp_path,
        env={**os.environ, "MARKET_DATA": "synthetic", "DATA": "no", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "0 verdicts, 1 claims not judged." in done.stderr
    pages = {path.name: path.read_text("utf-8") for path in (tmp_path / "out").glob("*.*") if path.is_file()}
    assert 'data-verdict="open"' in pages["index.html"]
    first = registry.use()
    words = [
        yaml.safe_load(first.claims.read_text("utf-8"))["collection"]["title"],
        "MarketMinute",
        "11 December",
    ]
    for name, text in pages.items():
        assert not [word for word in words if word in text], name
    assert json.loads((begun / "seal.json").read_text())["executed"].keys() == {"01-claims"}


def test_a_folder_that_holds_something_is_left_alone(begun, capsys):
    assert "holds something already" in error(capsys, "new-article", begun)
    assert "is no date" in error(capsys, "new-article", begun.parent / "b", "--date", "yesterday")
    assert "article/address" in error(capsys, "new-article", begun.parent / "b", "--address", "here")
    assert "lies in the future" in error(capsys, "new-article", begun.parent / "b", "--date", "2027-03-01")
    assert [path.name for path in begun.parent.iterdir()] == ["own"]


def test_claims_can_be_added_to_an_empty_registry(begun, capsys):
    text = (begun / "claims.yaml").read_text("utf-8")
    (begun / "claims.yaml").write_text(text.split("claims:\n")[0] + "claims: []\n", "utf-8")
    (begun / "notebooks" / "01-claims.ipynb").unlink()
    registry.use(begun)
    said = ["--says", "The index fell on thirteen sessions in a row.", "--write", "--article", str(begun)]
    assert main(["new-claim", *said]) == 0
    assert "and a notebook to judge it, 01-claims.ipynb" in capsys.readouterr().err
    registry.use(begun)
    assert main(["new-claim", "--paragraph", "2", *said]) == 0
    registry.use(begun)
    assert registry.check() == []
    assert [(claim.id, claim.notebook) for claim in claims.load().values()] == [
        ("C01", "01-claims"),
        ("C02", "01-claims"),
    ]
    assert 'claims.cards("C01")' in notebooks.read(notebooks.path_of("01-claims")).cells[1].source
    left = registry.unfinished()
    assert [fault.startswith("claims.yaml line ") for fault in left] == [True] * 4
    assert "still says TO DO" in left[0]
    assert main(["claims", "--check", "--article", str(begun)]) == 1


def test_a_claim_of_eight_lines_is_whole(begun):
    lines = (begun / "claims.yaml").read_text("utf-8").split("claims:\n")[1].splitlines()
    assert len(lines) == 9  # with the optional `series`
    claim = claims.claim("C01")
    assert (claim.kind, claim.clarity, claim.notebook, claim.as_of) == (
        "number",
        "clear",
        "01-claims",
        "2025-06-14",
    )
    assert claim.rule["letter"][0]["sign"]["measure"] == "gain"
    assert set(claim.because) == set(rules.SCALE)
    assert registry.conventions()["few"] == 5


def test_a_faulty_new_claim_leaves_no_notebook(begun, monkeypatch):
    monkeypatch.setattr(new_claim, "insert", lambda text: (_ for _ in ()).throw(HelperError("No.")))
    assert main(["new-claim", "--notebook", "02-more", "--write"]) == 2
    assert not (begun / "notebooks" / "02-more.ipynb").exists()


def test_a_notebook_finds_its_own_collection(begun, monkeypatch):
    monkeypatch.setattr(registry, "_place", None)
    monkeypatch.chdir(begun / "notebooks")
    assert registry.place().data == begun
    monkeypatch.setattr(registry, "_place", None)
    monkeypatch.chdir(ROOT / "notebooks")
    assert registry.place() == registry.home()


# --------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1", "version: 2", ["claims.yaml line 3: version: 1 was expected"]),
        ("version: 1\n", "", ["'version' is a required property"]),
        ("  title: \"Own\"\n", "", ["claims.yaml line 4: collection: 'title' is a required property"]),
        ("2025-06-14", "2025-06-31", ["claims.yaml line 7: article/date", "is not a 'date'"]),
        ("2025-06-14", "2999-01-01", ["claims.yaml line 7", "date 2999-01-01 lies in the future"]),
        ('date: "2025-06-14"', 'as_of: "2999-01-01", date: "2025-06-14"', ["as_of 2999-01-01 lies in the future"]),
        ("https://example.org/own", "own.html", ["line 7: article/address", "does not match"]),
        ('"2024-12-31"}', '"2025-12-31"}', ["claims.yaml line 12", "begins on 2025-12-31, not before 2025-06-13"]),
        ("section: story", "section: sport", ["(C01): unknown section 'sport'"]),
        ("2025-05-15 to", "2025-02-31 to", ["(C01): measures/gain/label: there is no day 2025-02-31"]),
        ("  series:", "  as_of: 2999-01-01\n  series:", ["(C01): as_of 2999-01-01 lies in the future"]),
        ("  series:", "  horizon: 2025-01-02\n  series:", ["(C01): its horizon 2025-01-02 lies before 2025-06-14"]),
        ("  series:", "  notebook: 07-none\n  series:", ["(C01): there is no notebook '07-none'"]),
        ("{gain: {", "{loss: {label: x, unit: x}, gain: {", ["(C01): a condition names no measure", "has 2"]),
        ("{gain:1,signed}", "{loss}", ["(C01): because names loss, which is neither"]),
        ("  because:", "  reason:", ["(C01): entry: 'because' is a required property"]),
    ],
)  # fmt: skip
def test_what_is_wrong_in_an_article_is_told_with_its_line(begun, capsys, old, new, words):
    replace(begun / "claims.yaml", old, new)
    registry.use(begun)
    told = error(capsys, "claims", "--check", "--article", begun, code=1)
    for word in ["claims.yaml line ", *words]:
        assert word in told
    assert told.endswith(".")


def test_a_folder_that_is_no_article_is_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(registry, "_place", None)
    told = error(capsys, "claims", "--article", tmp_path)
    assert "holds no claims.yaml" in told
    assert "new-article" in told


def test_a_notebook_of_no_claim_is_named(begun):
    for name in ("02-stray", "03-last"):
        shutil.copy(begun / "notebooks" / "01-claims.ipynb", begun / "notebooks" / f"{name}.ipynb")
    (fault,) = registry.unfinished()
    assert "no claim names the notebook 02-stray; give it one" in fault


def test_verdicts_of_another_collection_do_not_pass(begun):
    shutil.copy(EXAMPLE / "notebooks" / "01-claims.ipynb", begun / "notebooks")
    _, faults = notebooks.examined(notebooks.read_all())
    assert any(" C01 " in fault and "execute it again" in fault for fault in faults), faults


def test_an_error_of_a_card_is_the_cell_s_own(begun, monkeypatch):
    def broken(payload):
        raise HelperError("There is no fact x in facts/.")

    monkeypatch.setattr(card, "as_html", broken)
    monkeypatch.setattr(market, "_current", type("M", (), {
        "source": "store", "real": True, "published": False, "fingerprint": "x",
        "last_session": __import__("pandas").Timestamp("2025-06-13"),
    })())  # fmt: skip
    with pytest.raises(HelperError, match=r"^There is no fact x"):
        claims.judge("C01", lambda day=1, gain=2.0: gain + day, often={"day": range(2, 20)})


def test_the_course_is_never_looked_for_elsewhere(begun, tmp_path, capsys):
    assert "belongs to the first article" in error(capsys, "student", "--out", tmp_path / "out")


# ---------------------------------------------------------------------------------------------- the seal


def sealed_card(word):
    return word in seal.sentence("C01")


def test_a_rule_is_sealed_before_its_number_or_it_is_not(begun, capsys):
    assert seal.sentence("C01") == ""
    assert main(["claims", "--seal", "--article", str(begun)]) == 0
    assert "1 of 1 rules sealed" in capsys.readouterr().out
    assert sealed_card("before the first execution of its notebook.")
    seal.executed(["01-claims"])
    assert sealed_card("before the first execution of its notebook.")
    replace(begun / "claims.yaml", "sd: 0.5", "sd: 0.1")
    registry.use(begun)
    assert sealed_card("Revised after it was sealed on")
    (fault,) = registry.unfinished()
    assert fault.startswith("claims.yaml line 14 (C01): its rule is not the one sealed on ")
    assert seal.seal() == 1
    assert sealed_card("after the first execution of its notebook.")
    assert registry.unfinished() == []
    assert seal.summary().startswith("The rules were not sealed")


def test_a_sentence_about_the_number_is_no_part_of_the_seal(begun):
    seal.seal()
    replace(begun / "claims.yaml", "Over twenty sessions", "In twenty sessions")
    registry.use(begun)
    assert seal.seal() == 0


def test_a_sealed_claim_that_is_gone_and_a_garbled_seal_are_named(begun, capsys):
    seal.seal()
    replace(begun / "claims.yaml", "- id: C01", "- id: C02")
    registry.use(begun)
    (fault,) = registry.unfinished()
    assert fault.startswith("seal.json: C01 was sealed on ")
    odd = '{"sealed": {"C01": {"rule": "x", "date": "", "before": true}}, "executed": {}}'
    for text in ("[" * 9000, odd, "{", "[]", '{"sealed": {"C01": 1}, "executed": {}}', '{"sealed": {}}'):
        (begun / "seal.json").write_text(text)
        assert "seal.json is no seal" in error(capsys, "claims", "--check", "--article", begun)


def test_the_first_article_says_that_it_was_not_sealed():
    registry.use()
    assert seal.summary().startswith("The rules were not sealed: no dated hash")
    assert not seal.path().exists()


# ------------------------------------------------------------------------------- nothing of the first one


def test_nothing_under_helpers_names_the_first_article():
    """Its title, publisher, address, dates, sections, notebooks and the number of its claims are its own data."""
    head = yaml.safe_load(registry.use().claims.read_text("utf-8"))
    said, article = head["conventions"], head["article"]
    days = [
        article["date"],
        said["day"],
        *(day for day in said["windows"].values() if not day.endswith("12-31")),
    ]
    long = [market.pd.Timestamp(day).strftime("%-d %B %Y") for day in days]
    titles = [title for title in head["sections"].values() if " " in title]
    words = [head["collection"]["title"], article["publisher"], article["address"], *days, *long, *titles]
    count = str(len(head["claims"]))
    words += [*notebooks.names(), "rotation, rerun", "ninety-two"]
    for path in sorted((ROOT / "helpers").rglob("*")):
        if path.suffix in {".py", ".j2", ".js", ".css", ".mplstyle"}:
            text = path.read_text("utf-8")
            found = [word for word in words if word.lower() in text.lower()]
            found += re.findall(rf"\b{count} (?:claims|verdicts|entries|sentences)", text)
            # The word itself: but an axis label can be turned.
            found += re.findall(
                r"(?i)\brotation\b(?!=)", text.replace("rotation=", "").replace('"rotation"', "")
            )
            assert not found, f"{path.relative_to(ROOT)}: {found}"


WRONG = """
letter: [{bond: {above: 1}}]
letter: [{bound: {}}]
letter: [{bound: {above: two}}]
letter: [{bound: {above: 1}, sign: {is: positive}}]
letter: []
letter: [{sign: {is: up}}]
letter: [{compare: {measure: a, is: above}}]
letter: [{rank: {top_share: 0.1}}]
letter: [{dates: {within: ["2025-01-01"]}}]
letter: [{level: {target: 1}}]
letter: [{fact: {id: x, equals: y}}]
cause: [{untested: It cannot be told.}]
"""


@pytest.mark.parametrize("rule", WRONG.strip().splitlines())
def test_an_editor_sees_a_mistake_in_a_rule(rule):
    """By the schema alone, which is all that an editor reads."""
    from jsonschema import Draft202012Validator

    content = yaml.safe_load((EXAMPLE / "claims.yaml").read_text("utf-8"))
    validator = Draft202012Validator(registry.schema())
    assert list(validator.iter_errors(content)) == []
    content["claims"][0]["rule"] = yaml.safe_load(rule)
    assert list(validator.iter_errors(content))
    content["claims"][0]["rule"] = {"letter": [{"bound": {"above": 1}}]}
    del content["claims"][0]["because"]
    assert [error.message for error in validator.iter_errors(content)] == ["'because' is a required property"]
