"""The contract of a notebook: its parts, its prose, its outputs, and that its verdicts follow the data."""

import itertools
import json
import re
import shutil

import pandas as pd
import pytest
from conftest import REFERENCE, ROOT, needs_reference, seal

from helpers import claims, notebooks
from helpers.report.pages import CHART

NAMES = notebooks.names()
#: Notebooks that judge claims; the first and the last only look at the others.
JUDGING = [name for name in NAMES if claims.in_notebook(name)]
PARTS = [
    "What the article says",
    "The answer in one minute",
    "Loose words, defined",
    "Data",
    "Method and rule",
    "Results",
    "How firm is it?",
    "Caveats and scope",
    "Takeaways",
    "Exercises",
    "Next",
]
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
#: Digits that prose may hold, each with its reason. Everything else is printed by a cell that computed it.
ALLOWED = {
    r"\]\([^)]*\)": "targets of links",
    r"`[^`]*`": "code",
    r"\bC\d{2}\b": "ids of claims",
    r"\b(18|19|20)\d{2}-\d{2}(-\d{2})?\b": "dates",
    rf"\b\d{{1,2}} ({MONTHS})\b": "days",
    r"\b(18|19|20)\d{2}\b(-\d{2}\b)?": "years",
    r"Russell [123]000": "names of indices",
    r"S&P (500|SmallCap 600|MidCap 400|600|400|1500|493)": "names of indices",
    r"Nasdaq-100": "name of an index",
    r"\b25 portfolios\b": "name of a data set",
    r"\bQ[1-4]\b": "quarters",
    r"(?m)^\d\. ": "numbers of a list",
    r"COVID-19": "name of a disease",
    r"\$[^$]+\$": "formulas",
}


def content(name):
    return json.loads((ROOT / f"notebooks/{name}.ipynb").read_text("utf-8"))


def cells(name, kind):
    return [cell for cell in content(name)["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def headings(name, level):
    text = "\n".join(re.sub(r"(?s)```.*?```", "", source(cell)) for cell in cells(name, "markdown"))
    return re.findall(rf"(?m)^{'#' * level} (.+)$", text)


def test_the_notebooks_are_numbered_without_a_gap():
    assert [int(name[:2]) for name in NAMES] == list(range(len(NAMES)))


@pytest.mark.parametrize("name", NAMES)
def test_one_heading_that_asks(name):
    assert len(headings(name, 1)) == 1
    assert headings(name, 1)[0].endswith("?")
    levels = [
        len(mark)
        for cell in cells(name, "markdown")
        for mark in re.findall(r"(?m)^(#+) ", re.sub(r"(?s)```.*?```", "", source(cell)))
    ]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels


@pytest.mark.parametrize("name", JUDGING)
def test_the_parts_stand_in_their_order(name):
    found = [title for title in headings(name, 2) if title in PARTS]
    assert found == PARTS


@pytest.mark.parametrize("name", NAMES)
def test_prose_carries_no_typed_measurement(name):
    for cell in cells(name, "markdown"):
        text = source(cell)
        for pattern in ALLOWED:
            text = re.sub(pattern, "", text)
        assert not re.search(r"\d", text), (
            f"{name}: a number in prose is computed, or allowed for a reason: {text}"
        )


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_clean(name):
    code = [cell for cell in cells(name, "code") if source(cell).strip()]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert "filterwarnings" not in source(cell)
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr"
    text = (ROOT / f"notebooks/{name}.ipynb").read_text("utf-8")
    assert not re.search(r"(?<![\w.])/(work|root|home|Users|tmp)/", text)
    assert len(text.encode()) < 600_000


@pytest.mark.parametrize("name", NAMES)
def test_each_picture_has_alt_text_and_numbers(name):
    for cell in cells(name, "code"):
        outputs = cell["outputs"]
        for position, output in enumerate(outputs):
            if CHART not in output.get("data", {}):
                continue
            assert len(output["metadata"]["image/png"]["alt"].split()) >= 8
            beside = "".join(outputs[position + 1]["data"]["text/html"])
            assert "rr-data" in beside
            assert beside.count("<tr>") <= 61


@pytest.mark.parametrize("name", JUDGING)
def test_every_claim_has_its_verdict_in_its_notebook(name):
    given = [entry["id"] for _, entry in notebooks.payloads(notebooks.read(notebooks.path_of(name)))]
    assert sorted(given) == sorted(claim.id for claim in claims.in_notebook(name))


@pytest.mark.parametrize("name", JUDGING)
def test_exercises_have_solutions_that_ran(name):
    tags = [set(cell["metadata"].get("tags", [])) for cell in cells(name, "code")]
    starters = sum("exercise" in tag for tag in tags)
    assert starters >= 4
    assert starters == sum("solution" in tag for tag in tags)


def test_collected_verdicts_keep_the_contract():
    for entry in notebooks.verdicts():
        assert entry["rule"]
        for figure in entry["measured"]:
            assert set(figure) == {"label", "value", "unit"}
            assert figure["label"]
            assert figure["unit"]


# ------------------------------------------------------------------- a store that is not the reference


def shifted(folder, change):
    """The reference store with changed prices and a manifest that fits them."""
    folder.mkdir()
    for name in REFERENCE.files:
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        if name != "prices.parquet":
            shutil.copy(REFERENCE.path / name, target)
    change(pd.read_parquet(REFERENCE.path / "prices.parquet")).to_parquet(
        folder / "prices.parquet", index=False, row_group_size=16384
    )
    return seal(
        folder,
        list(REFERENCE.manifest["symbols"]),
        list(REFERENCE.manifest["series"]),
        REFERENCE.manifest["last_session"],
    )


@needs_reference
def test_one_changed_close_changes_the_verdicts_that_rest_on_it(tmp_path, monkeypatch):
    """With a close of 2,540 on 9 December both days are record closes: C16 holds in every reading."""

    def change(rows):
        day = (rows["symbol"] == "^RUT") & (rows["date"].astype(str) == "2025-12-09")
        rows.loc[day, "close"] = 2540.0
        return rows

    monkeypatch.setenv("MARKET_DATA", str(shifted(tmp_path / "store", change)))
    notebooks.run(["01-record-highs"], lambda _: tmp_path / "out")
    got = {entry["id"]: entry["verdict"] for _, entry in notebooks.payloads(notebooks.read(tmp_path / "out"))}
    before = {entry["id"]: entry["verdict"] for entry in notebooks.verdicts()}
    changed = {key for key in got if got[key] != before[key]}
    assert changed == {"C16"}
    assert (before["C16"], got["C16"]) == ("misleading", "supported")


@needs_reference
def test_one_dropped_session_is_named_and_nothing_is_told_across_it(tmp_path, monkeypatch):
    def change(rows):
        return rows[~((rows["symbol"] == "^RUT") & (rows["date"].astype(str) == "2025-12-05"))]

    monkeypatch.setenv("MARKET_DATA", str(shifted(tmp_path / "store", change)))
    notebooks.run(["01-record-highs"], lambda _: tmp_path / "out")
    given = {payload["id"]: payload for _, payload in notebooks.payloads(notebooks.read(tmp_path / "out"))}
    for key in ("C02", "C14", "C15", "C16"):
        assert given[key]["verdict"] == "unverified"
        assert "2025-12-05, which ^RUT lacks" in given[key]["caveat"]
    assert given["C20"]["verdict"] == "misleading"  # its windows do not need the day
