"""The teaching edition: checks, wrong answers, the notebooks' exercises, editions, explorer, new_claim."""

import functools
import html
import os
import re
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import REFERENCE, ROOT, needs_reference
from wrong_answers import WRONG

import course
from course import checks, command, editions, explorer, votes
from helpers import claims, files, market, notebooks, synthetic
from helpers.__main__ import main
from helpers.claims import registry
from helpers.files import HelperError
from tools import new_claim

EXERCISES = checks.registered()
#: Notebooks whose exercises have checks.
TAUGHT = [name for name in notebooks.names() if name[:2] in checks.modules()]
#: The id that a new claim would get.
NEXT = new_claim.next_id(registry.read()[0])
JUDGING = [name for name in notebooks.names() if claims.in_notebook(name)]


class Odd:
    """An answer that resists every comparison."""

    def __eq__(self, other):
        raise ValueError("no")

    def __bool__(self):
        raise ValueError("no")

    def __float__(self):
        raise ValueError("no")

    __hash__ = None


NONSENSE = {
    "NaN": float("nan"),
    "infinite": float("inf"),
    "text": "a lot",
    "number": -12345.678,
    "true": True,
    "empty list": [],
    "list": [1, "two", None],
    "dict": {"x": 1},
    "NaN parts": {"sessions": float("nan"), "ninth": pd.NaT},
    "empty series": pd.Series(dtype=float),
    "NaN series": pd.Series([np.nan, np.nan]),
    "long series": pd.Series(range(300)),
    "empty frame": pd.DataFrame(),
    "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "array of arrays": np.zeros((3, 2)),
    "NaT": pd.NaT,
    "NA": pd.NA,
    "early date": "0001-01-01",
    "late date": pd.Timestamp("2262-01-01"),
    "function": len,
    "type": int,
    "complex": 1 + 2j,
    "odd": Odd(),
    "huge": 10**400,
}
FAILED = "cannot be compared"


@pytest.fixture(scope="module")
def made_up():
    """The synthetic market, as a notebook without a store gets it."""
    return market.Market(None, market.Store(synthetic.build(files.cache() / "synthetic")))


@pytest.fixture(scope="module")
def real():
    return market.Market(REFERENCE)


def assert_friendly(line):
    assert "Traceback" not in line
    assert "Error" not in line
    assert line[0] in "✓✗…"
    assert line.rstrip().endswith((".", "?"))
    assert len(line) < 600


# ------------------------------------------------------------------------------------------------ checks


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("nothing", [None, ..., "", "  "])
def test_an_open_exercise_says_so(exercise, nothing, made_up):
    assert checks.judge(exercise, nothing, made_up).line == f"… {checks.OPEN}"


@pytest.mark.parametrize("exercise", [key for key, one in EXERCISES.items() if "" not in one.parts])
def test_open_parts_say_so(exercise, made_up):
    parts = EXERCISES[exercise].parts
    assert checks.judge(exercise, dict.fromkeys(parts, ...), made_up).right is None
    first = {name: ... if i else True for i, name in enumerate(parts)}
    assert "still open" in checks.judge(exercise, first, made_up).text


@pytest.mark.parametrize("exercise", EXERCISES)
def test_nonsense_gets_a_sentence(exercise, made_up):
    for name, answer in NONSENSE.items():
        result = checks.judge(exercise, answer, made_up)
        assert_friendly(result.line)
        assert result.right is not True, name


@pytest.mark.parametrize("exercise", [key for key in EXERCISES if not key.startswith("09")])
def test_two_plausible_wrong_answers_are_known(exercise):
    assert len(WRONG.get(exercise, [])) >= 2, f"add two wrong answers to {exercise} in tests/wrong_answers.py"


@pytest.mark.parametrize("exercise", WRONG)
def test_wrong_answers_belong_to_an_exercise(exercise):
    assert exercise in EXERCISES


@functools.cache
def computed(exercise):
    """The exercise on the real figures, computed once."""
    found = EXERCISES[exercise]
    answer = found.compute(market.Market(REFERENCE))
    rights = {"": answer} if isinstance(answer, checks.Right) else answer
    assert [*rights] == [*found.parts]
    return checks.Exercise(exercise, found.parts, lambda mkt: rights)


@needs_reference
@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_slip_gets_its_own_hint(exercise, real):
    """With every other part right; on the real figures two slips at least can be told from what is right."""
    fixed = computed(exercise)
    rights = fixed.compute(real)
    right = {
        name: part.value[0] if isinstance(part.value, list) else part.value for name, part in rights.items()
    }
    assert fixed.hint(right, real) is None
    told = set()
    for name, part in rights.items():
        for hint, slip in part.slips.items():
            wrong = slip if not isinstance(slip, (list, pd.Index)) else slip[-1]
            given = None if callable(slip) else fixed.hint(right | {name: wrong}, real)
            assert given is None or hint in given
            told |= {given} - {None}
    assert len(told) >= 2


@needs_reference
@pytest.mark.parametrize("exercise", WRONG)
def test_wrong_answers_get_a_useful_hint(exercise, real, monkeypatch):
    monkeypatch.setattr(checks, "_exercises", {exercise: computed(exercise)})
    hints = set()
    for answer, pattern in WRONG[exercise]:
        result = checks.judge(exercise, answer, real)
        assert result.right is False, f"{exercise} takes {answer!r} for right"
        assert re.search(pattern, result.text), result.text
        assert_friendly(result.line)
        assert FAILED not in result.text
        assert "The exercise asks for" not in result.text, "a plausible answer is of the right kind"
        hints.add(result.text)
    assert len(hints) >= 2, "two wrong answers deserve two hints"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_check_runs_alone_and_on_the_synthetic_market(exercise, made_up, monkeypatch):
    """Its module fresh, no other check run before it, and no notebook about."""
    module = f"course.nb{exercise[:2]}"
    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(checks, "_exercises", {})
    for answer, _ in WRONG.get(exercise, [(0, ""), (50.0, "")]):
        result = checks.judge(exercise, answer, market.Market(None, made_up.synthetic))
        assert result.right is not None
        assert FAILED not in result.text, result.text
        assert_friendly(result.line)


def test_a_check_runs_in_a_fresh_process():
    exercise = next(iter(EXERCISES))
    script = (
        "import course\nfrom helpers import market\n"
        "mkt = market.connect(synthetic=True)\n"
        f"course.check({exercise!r}, float('nan'), mkt)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "MARKET_DATA": "synthetic", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "The exercise asks for" in done.stdout


def test_a_fault_inside_a_check_is_no_traceback(made_up, monkeypatch):
    monkeypatch.setattr(checks, "_exercises", dict(EXERCISES))

    @checks.exercise("99-broken", checks.figure("a number", 1))
    def broken(mkt):
        raise KeyError("column")

    result = checks.judge("99-broken", 1.0, made_up)
    assert FAILED in result.text
    assert_friendly(result.line)


def test_an_unknown_exercise_and_no_market(made_up):
    assert "did you mean 01-ties?" in checks.judge("01-tie", 1, made_up).text
    assert "`mkt`" in checks.judge("01-ties", 1, None).text
    assert checks.judge(7, 1, made_up).right is None


def test_what_is_shown_is_escaped_and_plain(made_up, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    monkeypatch.setattr(checks, "judge", lambda *_: checks.Result(False, "a < b & c"))
    checks.check("01-ties", 1, made_up)
    assert shown[0]["text/plain"] == "✗ Not yet: a < b & c"
    assert html.escape("a < b & c") in shown[0]["text/html"]


@pytest.mark.parametrize(
    ("answer", "kind", "converted"),
    [
        (np.int64(3), checks.COUNT, 3),
        (3.0, checks.COUNT, 3),
        (pd.Series([3]), checks.COUNT, 3),
        (np.array(3.25), checks.figure("a number", 2), 3.25),
        (np.bool_(True), checks.FLAG, True),
        (" Energy ", checks.NAME, "Energy"),
        ("None", checks.DATE, pd.NaT),
        ("2025-12-10", checks.DATE, pd.Timestamp("2025-12-10")),
        (pd.Timestamp("2025-12-10 16:00", tz="America/New_York"), checks.DATE, pd.Timestamp("2025-12-10")),
        (np.datetime64("2025-12-10"), checks.DATE, pd.Timestamp("2025-12-10")),
    ],
)
def test_answers_arrive_converted(answer, kind, converted):
    arrived = checks.convert(answer, {"": kind})[""]
    assert arrived is converted or arrived == converted


@pytest.mark.parametrize("answer", [{"n": np.int32(1), "more": 0}, pd.Series({"n": 1.0})])
def test_parts_arrive_converted(answer):
    assert checks.convert(answer, {"n": checks.COUNT}) == {"n": 1}


def test_numbers_are_compared_at_the_precision_asked_for():
    share, count = checks.figure("a percentage", 1), checks.COUNT
    right = checks.Right(14.7712, "look again.", {"whole year.": 20.04, "too many.": [20.0, 30.0]})
    assert right.hint(14.8, share) is None
    assert right.hint(14.77, share) is None
    assert right.hint(14.5, share) == "look again."
    assert right.hint(20.0, share) == "whole year. Or: too many."
    assert right.hint(30.0, share) == "too many."
    assert "sign" in right.hint(-14.8, share)
    assert "fraction" in right.hint(0.1477, share)
    assert "hundred" in right.hint(1477.1, share)
    assert right.hint(0.1477, checks.figure("a slope", 1)) == "look again.", "no percentage is asked for"
    assert checks.Right(14.7712, "look again.", within=4).hint(18, share) is None
    assert checks.Right(8.0, "", {"a trap that the data closed": 8}).hint(8, count) is None
    assert checks.Right(8, "look again.", {"below": lambda given: given < 8}).hint(7, count) == "below"


def test_a_hint_names_its_part_and_what_fits_before_it(made_up):
    parts = {"first": checks.COUNT, "second": checks.NAME}
    right = {"first": checks.Right(1, "count."), "second": checks.Right(["IBM", "Big Blue"], "read.")}
    one = checks.Exercise("99-two", parts, lambda mkt: right)
    assert one.hint({"first": 2, "second": "ibm"}, made_up) == "look at the part “first”: count."
    assert one.hint({"first": 1, "second": "GE"}, made_up) == "“first” fits; look at the part “second”: read."
    assert one.hint({"first": 1, "second": "big blue"}, made_up) is None
    assert one.asks == "a dictionary with “first” (a whole number) and “second” (a name in quotes)"


def test_an_id_is_checked_and_used_once():
    with pytest.raises(HelperError, match="01-ties"):
        checks.exercise("ties", checks.COUNT)
    with pytest.raises(HelperError, match="twice"):
        checks.exercise("01-ties", checks.COUNT)(lambda mkt: None)


# ------------------------------------------------------------------------------------------------ notebooks


def code(notebook):
    return notebooks.code_cells(notebook)


def called(cell):
    return re.findall(r"course\.check\(\s*\"([^\"]+)\"", cell.source)


def text_of(cell):
    return "\n".join(str(output.get("data", {}).get("text/plain", "")) for output in cell.outputs)


@pytest.mark.parametrize("name", JUDGING)
def test_every_notebook_teaches(name):
    assert name in TAUGHT, f"{name} has no checks: write course/nb{name[:2]}.py"
    assert sum(key.startswith(name[:2]) for key in EXERCISES) >= 4
    notebook = notebooks.read(notebooks.path_of(name))
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "**You will learn**" in prose
    assert "**You need**" in prose
    assert "### Worked example" in prose
    assert sum("assumption" in editions.tags(cell) for cell in code(notebook)) >= 2


@pytest.mark.parametrize("name", TAUGHT)
def test_an_exercise_is_four_cells_in_their_order(name):
    cells = notebooks.read(notebooks.path_of(name)).cells
    found = []
    for position, cell in enumerate(cells):
        if "exercise" not in editions.tags(cell):
            continue
        task, starter, check, solution = cells[position - 1 : position + 3]
        assert task.cell_type == "markdown"
        assert re.search(r"(?m)^\*\*[^*]+\*\*", task.source)
        assert re.search(r"(?m)^answer = .*\.\.\.", starter.source)
        assert "check" in editions.tags(check)
        assert "solution" in editions.tags(solution)
        assert solution.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
        assert len(called(check)) == 1
        assert called(check) == called(solution)
        assert check.source.strip().startswith(f'course.check("{called(check)[0]}", answer')
        found += called(check)
    assert found == [key for key in found if key in EXERCISES]
    assert sorted(found) == sorted(key for key in EXERCISES if key.startswith(name[:2]))


@pytest.mark.parametrize("name", TAUGHT)
def test_committed_solutions_are_right_and_starters_open(name):
    for cell in code(notebooks.read(notebooks.path_of(name))):
        if "check" in editions.tags(cell):
            assert text_of(cell) == f"… {checks.OPEN}"
        if "solution" in editions.tags(cell):
            assert text_of(cell).rstrip().endswith("✓ Right."), cell.source


@pytest.mark.parametrize("name", TAUGHT)
def test_an_assumption_is_named_and_one(name):
    cells = notebooks.read(notebooks.path_of(name)).cells
    for position, cell in enumerate(cells):
        if "assumption" in editions.tags(cell):
            assert "**Change one assumption.**" in cells[position - 1].source
            assert "what_if(" in cell.source


# ------------------------------------------------------------------------------------------------ editions


def test_the_student_edition_holds_no_solution(tmp_path):
    out = editions.student(tmp_path / "student")
    assert sorted(path.stem for path in out.glob("*.ipynb")) == notebooks.names()
    for name in notebooks.names():
        source, made = notebooks.read(notebooks.path_of(name)), notebooks.read(out / f"{name}.ipynb")
        nbformat.validate(made)
        text = (out / f"{name}.ipynb").read_text("utf-8")
        assert '"solution"' not in text
        assert "✓ Right" not in text
        kept = [cell for cell in source.cells if "solution" not in editions.tags(cell)]
        votes_ = [cell.id for cell in made.cells if cell.id.startswith("vote")]
        assert len(votes_) == 4 * (name in votes.CLAIMS)
        made.cells = [cell for cell in made.cells if cell.id not in votes_]
        assert len(made.cells) == len(kept)
        for before, after in zip(kept, made.cells, strict=True):
            if after.cell_type == "markdown":
                assert "folded" not in after.source
                continue
            assert after.source == before.source
            if editions.tags(after) & {"exercise", "check"} or editions.tells(before):
                assert after.outputs == []
                assert after.execution_count is None
            elif after.outputs:
                assert after.outputs == before.outputs


def test_the_student_edition_stores_no_verdict(tmp_path):
    out = editions.student(tmp_path / "student")
    for name in notebooks.names():
        made = notebooks.read(out / f"{name}.ipynb")
        for cell in code(made):
            assert not editions.tells(cell), cell.source
        answers = "\n".join(cell.source for cell in made.cells).split("## The answer in one minute")
        assert len(answers) <= 2
    assert any(cell.outputs for cell in code(notebooks.read(out / "01-record-highs.ipynb")))
    book = (out / "ballot.html").read_text("utf-8")
    assert book.count("<tr><td><b>C") == 3 * len(votes.CLAIMS)
    assert sorted(path.name for path in (out / "your-article").iterdir()) == [
        "claims.yaml", "facts", "notebooks", "seal.json",
    ]  # fmt: skip
    assert registry.place() == registry.home()


def test_a_vote_reveals_the_rule_and_then_the_verdict(monkeypatch):
    shown = []
    monkeypatch.setattr(votes, "say", shown.append)
    for name, keys in votes.CLAIMS.items():
        assert {claims.claim(key).notebook for key in keys} == {name}
        assert len({found["verdict"] for found in notebooks.verdicts() if found["id"] in keys}) > 1, name
    rules_ = votes.rule("C16")._repr_html_()
    assert "Letter" in rules_
    assert "Misleading" not in rules_
    votes.verdict("C16", "C02")
    assert "**C16** ↷ Misleading. " in shown[0]
    assert "**C02** ✓ Supported. " in shown[0]


def test_the_teacher_edition_shows_solutions_and_notes(tmp_path):
    out = editions.teacher(tmp_path / "teacher")
    for name in notebooks.names():
        source, made = notebooks.read(notebooks.path_of(name)), notebooks.read(out / f"{name}.ipynb")
        nbformat.validate(made)
        assert made.cells[0].source.startswith("## Teaching notes")
        assert "**Misconception**" in made.cells[0].source
        # Every cell of the source is there: what runs there, runs here.
        assert [cell.source for cell in made.cells[1:]] == [cell.source for cell in source.cells]
        assert not any("jupyter" in cell.metadata for cell in made.cells if "solution" in editions.tags(cell))


def test_an_edition_never_overwrites_work(tmp_path):
    out = editions.student(tmp_path / "student")
    editions.student(out)
    name = f"{notebooks.names()[0]}.ipynb"
    (out / name).write_text((out / name).read_text("utf-8").replace("# ", "# My ", 1), "utf-8")
    with pytest.raises(HelperError, match=rf"{name}.*--force"):
        editions.student(out)
    editions.student(out, force=True)
    (out / "answers.txt").write_text("mine")
    with pytest.raises(HelperError, match=r"answers\.txt"):
        editions.student(out)
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "thesis.txt").write_text("x")
    with pytest.raises(HelperError, match="no edition"):
        editions.teacher(other, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["student", "thesis"]


def test_missing_notes_are_named(tmp_path):
    path = tmp_path / "teaching.md"
    path.write_text("## Notebook 01-record-highs\n\nText.\n\n## Notebook 02-style-rotation\n", "utf-8")
    assert editions.notes("01-record-highs", path) == "## Teaching notes\n\nText."
    with pytest.raises(HelperError, match="Notebook 02-style-rotation"):
        editions.notes("02-style-rotation", path)
    with pytest.raises(HelperError, match="Notebook 01-streak"):
        editions.notes("01-streak", path)


# ------------------------------------------------------------------------------------------------ what if, explorer


@needs_reference
def test_the_explorer_agrees_with_the_judged_claim(real):
    found = explorer.compare(real)
    judged = {entry["id"]: entry for entry in notebooks.verdicts()}["C20"]
    assert found.verdict == judged["verdict"]
    label = claims.claim("C20").label("vs_dow")
    (lead,) = [entry["value"] for entry in judged["measured"] if entry["label"] == label]
    assert found.lead == pytest.approx(lead, abs=1e-4)
    assert explorer.compare(real, start="2025-06-30").verdict == "supported"
    assert explorer.compare(real, "Dow Jones", "Russell 2000").verdict == "contradicted"


def test_the_explorer_gives_no_verdict_on_made_up_prices(made_up):
    assert explorer.compare(made_up).verdict is None
    card = explorer.as_html(explorer.compare(made_up), explorer.levels(made_up, "price"))
    assert "no verdict" in card
    assert "<title>" in card


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "Bitcoin"},
        {"second": "Russell 2000"},
        {"start": "2025-07-04"},
        {"start": "2025-12-10"},
        {"kind": "real"},
    ],
)
def test_the_explorer_says_what_is_wrong(wrong, made_up):
    with pytest.raises(HelperError):
        explorer.compare(made_up, **wrong)


def test_the_live_explorer_falls_back(made_up, monkeypatch):
    shown = []
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    explorer.live(made_up)
    assert "ipywidgets" in shown[0].data
    assert any("beat even" in str(data) for data in shown)


def test_no_verdict_leaves_an_assumption_cell():
    for name in TAUGHT:
        for cell in code(notebooks.read(notebooks.path_of(name))):
            if "assumption" in editions.tags(cell):
                assert not any(claims.MIME in output.get("data", {}) for output in cell.outputs)


# ------------------------------------------------------------------------------------------------ commands


def test_lab_without_jupyterlab_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(HelperError, match=r"make lab.*requirements-lab\.txt"):
        command.lab()


@pytest.fixture
def claims_copy(tmp_path):
    return shutil.copy(registry.place().claims, tmp_path / "claims.yaml") and tmp_path / "claims.yaml"


def test_a_new_claim_stands_in_reading_order_and_passes(claims_copy):
    text = new_claim.entry("records", 1, "01-record-highs", says="Small caps: a claim with a colon.")
    line = new_claim.insert(text, claims_copy)
    assert registry.check(claims_copy) == []
    content, lines = registry.read(claims_copy)
    ids = [entry["id"] for entry in content["claims"]]
    new = ids.index(NEXT)
    assert lines[new] == line
    places = [(list(content["sections"]).index(e["section"]), e["paragraph"]) for e in content["claims"]]
    assert max(places[:new]) <= places[new] < min(places[new + 1 :])
    before = yaml.safe_load(registry.place().claims.read_text("utf-8"))["claims"]
    assert [entry for entry in content["claims"] if entry["id"] != NEXT] == before
    assert int(new_claim.next_id(content)[1:]) == int(NEXT[1:]) + 1


def test_a_new_claim_at_the_end(claims_copy):
    new_claim.insert(new_claim.entry("conclusion", 99, "08-outlook"), claims_copy)
    assert registry.read(claims_copy)[0]["claims"][-1]["id"] == NEXT
    assert registry.check(claims_copy) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"section": "sports"}, "introduction"),
        ({"kind": "joke"}, "forecast"),
        ({"clarity": "mud"}, "vague"),
        ({"paragraph": 0}, "counted from 1"),
        ({"fragment": "one two three four five six seven eight nine"}, "eight words"),
        ({"says": "short"}, "whole sentence"),
    ],
)
def test_a_wrong_skeleton_is_refused(wrong, words):
    good = {"section": "records", "paragraph": 1, "notebook": "01-record-highs"}
    with pytest.raises(HelperError, match=words):
        new_claim.entry(**{**good, **wrong})


def test_a_faulty_entry_leaves_the_registry_as_it_was(claims_copy):
    before = claims_copy.read_bytes()
    text = new_claim.entry("records", 1, "01-record-highs")
    text = text.replace("\n  rule:", "\n  series: [NOPE]\n  rule:")
    with pytest.raises(HelperError, match=rf"^claims\.yaml line \d+ \({NEXT}\).*NOPE"):
        new_claim.insert(text, claims_copy)
    assert claims_copy.read_bytes() == before
    assert [path.name for path in claims_copy.parent.iterdir()] == ["claims.yaml"]


@pytest.mark.parametrize("edition", ["student", "teacher"])
def test_the_command_line_writes_editions(edition, tmp_path, capsys):
    assert main([edition, "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("x")
    assert main([edition, "--out", str(tmp_path / "out")]) == 2
    assert "--force" in capsys.readouterr().err


def test_the_command_line_prints_a_claim(capsys):
    words = ["--section", "records", "--paragraph", "1", "--notebook", "01-record-highs"]
    assert main(["new-claim", *words]) == 0
    (made,) = yaml.safe_load(capsys.readouterr().out)
    assert made["id"] not in claims.load()
    assert main(["new-claim", *words, "--kind", "joke"]) == 2
    assert capsys.readouterr().err.startswith("error: There is no kind 'joke'")


def test_a_check_marks_code_where_it_is_drawn(made_up, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    course.check("01-ties", ..., made_up)
    assert "<code>answer</code>" in shown[0]["text/html"]
    assert "`answer`" in shown[0]["text/plain"]
