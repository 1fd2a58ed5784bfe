"""The report made from a small collection of notebooks: what arrives, what is shown as text, what refuses."""

import csv
import io
import itertools
import json
import re

import nbformat
import pytest
import reporting
from jsonschema import Draft202012Validator
from nbformat.v4 import new_output
from reporting import Reader

from helpers import notebooks, report
from helpers.claims import registry
from helpers.files import HelperError
from helpers.report import markup, site

LINE = "Published from the committed run on data to 12 December 2025."


@pytest.fixture(scope="module", autouse=True)
def registered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", lambda: reporting.CLAIMS)
        yield


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    return reporting.collection(tmp_path_factory.mktemp("notebooks"))


@pytest.fixture(scope="module")
def published(executed, tmp_path_factory):
    target = tmp_path_factory.mktemp("out") / "site"
    assert report.publish(executed, target, LINE, single=True) == target / site.ONE_FILE
    return target


PAGES = ["index.html", "article.html", "01-first.html", "02-second.html", site.ONE_FILE]


@pytest.fixture(scope="module")
def read(published):
    return {name: Reader((published / name).read_text("utf-8")) for name in PAGES}


# ------------------------------------------------------------------------------------------------ pages


@pytest.mark.parametrize("name", PAGES)
def test_one_first_heading_and_no_level_skipped(read, name):
    levels = read[name].levels()
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_from_the_web(read, name):
    for tag, given in read[name].tags:
        for key in ("src", "srcset", "poster", "data", "action"):
            assert not re.match(r"\s*(https?:)?//", given.get(key, "")), (tag, given)
        if tag == "link":
            assert given["href"].startswith("data:")
        assert not [key for key in given if key.startswith("on")]
        assert "url(" not in given.get("style", "")
    assert not any("url(" in text or "@import" in text for text in read[name].scripts)


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_admits_our_script_only(read, name):
    policy = next(m["content"] for m in read[name].all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")
    runs = [given for given in read[name].all("script") if given.get("type") != "application/ld+json"]
    assert runs == [{}]
    import base64
    import hashlib

    script = next(text for text in read[name].scripts if "use strict" in text)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "http:" not in policy


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_and_links_within_the_report_resolve(read, name):
    ids = read[name].ids()
    assert len(ids) == len(set(ids))
    for given in read[name].all("a"):
        page, _, anchor = given["href"].partition("#")
        if page.startswith(("http", "mailto")) or not (page or anchor):
            continue
        if page and not page.endswith(".html"):
            continue
        target = read[page] if page else read[name]
        assert not anchor or anchor in target.ids(), given["href"]


def test_alt_text_and_size_arrive(read, published):
    image = next(iter(read["01-first.html"].all("img")))
    assert image["alt"] == reporting.ALT + ' "q" <b>'
    assert (image["width"], image["height"]) == ("720", "420")
    assert (published / image["src"]).read_bytes()[8:12] == b"WEBP"
    inline = next(iter(read[site.ONE_FILE].all("img")))
    assert inline["alt"] == image["alt"]
    assert inline["src"].startswith("data:image/webp;base64,")


@pytest.mark.parametrize("name", PAGES)
def test_hostile_strings_are_text(read, name):
    page = read[name]
    assert {given.get("type") for given in page.all("script")} <= {"application/ld+json", None}
    assert not page.all("iframe", "object", "embed")
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.text)
    if name != "02-second.html":
        assert "<script>alert(1)</script> & </script><!-- [U+202E]gnp.exe [U+2066]" in page.text


def test_html_that_is_not_ours_is_shown_as_its_plain_text(read):
    page = read["01-first.html"]
    assert "<script>alert(2)</script>" in page.text
    assert "<div onclick" not in page.text
    assert '<iframe src="//a.b">' in page.text
    assert [given["src"] for given in page.all("img")] == [page.all("img")[0]["src"]]


def test_reviews_cannot_leave_their_script(read, published):
    page = read["01-first.html"]
    reviews = [json.loads(text) for text in page.scripts if text.startswith("{")]
    assert [review["identifier"] for review in reviews] == ["C01", "C02"]
    assert reviews[0]["claimReviewed"] == reporting.CLAIMS["C01"].says
    graph = json.loads((published / "claimreview.jsonld").read_text("utf-8"))
    assert [review["identifier"] for review in graph["@graph"]] == ["C01", "C02", "C03"]
    for review in graph["@graph"]:
        assert review["@type"] == "ClaimReview"
        assert {"claimReviewed", "reviewRating", "itemReviewed", "author", "url"} <= set(review)


def test_cards_are_anchors_and_lead_on(read):
    page = read["01-first.html"]
    assert {"C01", "C02", "C01-rule", "C02-rule", "figure-1"} <= set(page.ids())
    card = next(given for tag, given in page.tags if given.get("id") == "C01")
    assert card["class"].split() == ["rr-card", "rr-supported"]
    hrefs = {given["href"] for given in page.all("a")}
    assert {"#C01-rule", "#figure-1", "article.html#C01", "index.html#C01", "02-second.html#what"} <= hrefs
    assert not [href for href in hrefs if "claims.yaml" in href]


def test_every_claim_has_a_row_and_a_place_in_the_article(read):
    for name in ("index.html", "article.html"):
        assert set(reporting.CLAIMS) <= set(read[name].ids())
        assert "Not judged yet" in read[name].text
    hrefs = [given["href"] for given in read["index.html"].all("a")]
    assert "01-first.html#C02" in hrefs
    assert "article.html#C04" in hrefs


def test_code_and_solutions_are_folded(read):
    folded = [given["class"] for given in read["01-first.html"].all("details") if "class" in given]
    assert "solution" in folded
    assert folded.count("code") == 5
    assert not [given for given in read["01-first.html"].all("details") if "open" in given]


@pytest.mark.parametrize("name", PAGES)
def test_what_scrolls_can_be_reached_by_keyboard(read, name):
    for given in read[name].all("pre"):
        assert given["tabindex"] == "0"
    tables = [g for g in read[name].all("table") if g.get("class") != "rr-figures"]
    assert len(tables) == len([g for g in read[name].all("div") if g.get("class") == "scroll"])


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_where_its_numbers_come_from(read, name):
    assert LINE in read[name].text


# ------------------------------------------------------------------------------------------------ machines


def test_verdicts_json_is_valid_and_has_the_contract_s_keys(published):
    schema = json.loads((published / "verdicts.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    given = json.loads((published / "verdicts.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(given)
    assert [entry["id"] for entry in given] == ["C01", "C02", "C03"]
    assert list(given[0]) == list(notebooks.CONTRACT)
    assert given[0]["robustness"]["share"] == 0.75


def test_verdicts_csv_has_a_row_a_claim(published):
    rows = list(csv.DictReader(io.StringIO((published / "verdicts.csv").read_text("utf-8"))))
    assert [(row["id"], row["verdict"]) for row in rows] == [
        ("C01", "supported"),
        ("C02", "contradicted"),
        ("C03", "supported"),
        ("C04", ""),
    ]


# ------------------------------------------------------------------------------------------------ refusals


def changed(executed, folder, name, change):
    """A copy of the collection with one notebook changed."""
    for path in executed.glob("*.ipynb"):
        notebook = notebooks.read(path)
        if path.stem == name:
            change(notebook)
        nbformat.write(notebook, folder / path.name)
    return folder


def stale(notebook):
    notebook.cells[4].execution_count = 7


def edited(notebook):
    notebook.cells[4].source += "\n# changed later"


def failed(notebook):
    notebook.cells[4].outputs = [new_output("error", ename="ValueError", evalue="x", traceback=[])]


def warned(notebook):
    notebook.cells[4].outputs.append(new_output("stream", name="stderr", text="warning"))


def lacking(notebook):
    del notebook.cells[7]
    notebooks.normalise(notebook)


def twice(notebook):
    notebook.cells.insert(8, nbformat.from_dict(reporting.verdict_cell("C02")))
    notebooks.normalise(notebook)


def misplaced(notebook):
    notebook.cells.insert(8, nbformat.from_dict(reporting.verdict_cell("C03")))
    notebooks.normalise(notebook)


def other_data(notebook):
    notebook.cells[6].outputs[0]["data"][notebooks_mime()]["data"]["fingerprint"] = "ffffffffffff"


def other_rule(notebook):
    notebook.cells[6].outputs[0]["data"][notebooks_mime()]["rule"] = "letter: anything"


def notebooks_mime():
    from helpers.claims import MIME

    return MIME


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (stale, ["01-first, code cell 2", "stale", "7", "python -m helpers notebooks 01-first"]),
        (edited, ["01-first", "stale", "changed after"]),
        (failed, ["01-first, code cell 2", "ValueError"]),
        (warned, ["01-first, code cell 2", "stderr"]),
        (lacking, ["01-first", "C02"]),
        (twice, ["01-first, code cell 6", "C02", "second time"]),
        (misplaced, ["01-first, code cell 6", "C03", "02-second"]),
        (other_data, ["C02", "C01", "other data"]),
        (other_rule, ["01-first, code cell 4", "C01", "another rule"]),
    ],
)
def test_a_bad_notebook_stops_the_export_and_leaves_the_old_site(executed, tmp_path, change, words):
    (tmp_path / "nb").mkdir()
    folder = changed(executed, tmp_path / "nb", "01-first", change)
    target = tmp_path / "site"
    report.publish(executed, target, "The old site.")
    with pytest.raises(HelperError) as caught:
        report.publish(folder, target, "The new site.")
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "The old site." in (target / "index.html").read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nb", "site"]


def test_a_notebook_on_made_up_data_is_named_as_such(tmp_path):
    made_up = reporting.MARKET.__class__(**{**vars(reporting.MARKET), "source": "synthetic", "real": False})
    cell = reporting.verdict_cell("C03", data=made_up)
    notebooks.write(reporting.notebook("What next?", cell), tmp_path / "02-second.ipynb")
    with pytest.raises(HelperError, match="02-second was executed on the synthetic market"):
        notebooks.verdicts(tmp_path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_an_interruption_leaves_the_previous_site_whole(executed, tmp_path, monkeypatch, error):
    target = tmp_path / "site"
    report.publish(executed, target, "The old site.")
    before = {path.name: path.read_bytes() for path in target.iterdir() if path.is_file()}
    write = site._write

    def breaks(path, content):
        if path.name == "02-second.html":
            raise error
        write(path, content)

    monkeypatch.setattr(site, "_write", breaks)
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        report.publish(executed, target, "The new site.")
    assert {path.name: path.read_bytes() for path in target.iterdir() if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_new_report_replaces_the_old_one_and_nothing_else(executed, tmp_path):
    target = tmp_path / "site"
    report.publish(executed, target, "The old site.")
    (target / "stray.html").write_text("x")
    report.publish(executed, target, "The new site.")
    assert "The new site." in (target / "index.html").read_text("utf-8")
    assert not (target / "stray.html").exists()
    other = tmp_path / "precious"
    other.mkdir()
    (other / "thesis.txt").write_text("x")
    with pytest.raises(HelperError, match="precious holds something that is no report"):
        report.publish(executed, other, "x")
    assert (other / "thesis.txt").exists()


def test_two_reports_of_the_same_notebooks_are_the_same(executed, published, tmp_path):
    again = tmp_path / "site"
    report.publish(executed, again, LINE, single=True)
    files = [path.relative_to(published) for path in published.rglob("*") if path.is_file()]
    assert all((published / name).read_bytes() == (again / name).read_bytes() for name in files)


# ------------------------------------------------------------------------------------------------ markup


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("<b>bold", "<b>bold</b>"),
        ("</p></div>text", "text"),
        ("<b><i>x</b>y", "<b><i>x</i></b>y"),
        ("<svg onload=x>", "&lt;svg onload=x&gt;"),
        ('<a href="javascript:x()">y</a>', "<a>y</a>"),
        ('<a href="//a.b">y</a>', "<a>y</a>"),
        ('<p style="background:url(http://a.b)">y</p>', "<p>y</p>"),
        ("on 2025-12-10.", "on <time>2025-12-10</time>."),
    ],
)
def test_html_is_rewritten_by_the_allow_list(text, expected):
    assert markup.rewrite(text, markup.Context("x")) == expected


def test_columns_of_numbers_stand_to_the_right():
    table = (
        '<table class="rr-table"><thead><tr><th scope="col">Day</th><th scope="col">Close</th></tr></thead>'
        '<tbody><tr><th scope="row">4 Dec</th><td>−1.50</td></tr></tbody></table>'
    )
    shown = markup.rewrite(table, markup.Context("x"))
    assert '<th scope="col" class="num">Close</th>' in shown
    assert '<td class="num">−1.50</td>' in shown
    assert '<th scope="row">4 Dec</th>' in shown


def test_formulas_are_mathml_or_code():
    shown = markup.markdown("Let $x_1 < 2$ hold.", markup.Context("x"))
    assert "<math" in shown or "<code>x_1 &lt; 2</code>" in shown


# ------------------------------------------------------------------------------------------------ saving


def test_saving_twice_changes_nothing_and_random_ids_go(tmp_path):
    notebook = reporting.first()
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    notebooks.write(notebook, tmp_path / "a.ipynb")
    text = (tmp_path / "a.ipynb").read_text("utf-8")
    notebooks.write(notebooks.normalise(notebooks.read(tmp_path / "a.ipynb")), tmp_path / "a.ipynb")
    assert (tmp_path / "a.ipynb").read_text("utf-8") == text
    assert text.endswith("}\n")
    assert [cell.id for cell in reporting.first().cells] == ids


def test_pieces_of_a_stream_become_one():
    cell = reporting.code(
        "x",
        *(new_output("stream", name="stdout", text=text) for text in ("a", "b")),
        new_output("display_data"),
    )
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    saved = reporting.notebook("T", cell).cells[1]
    assert [output.get("text") for output in saved.outputs] == ["ab", None]
    assert "execution" not in saved.metadata


def test_executing_saves_whole_notebooks_and_names_the_cell_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    good = reporting.notebook("T", reporting.code("print('a')\nprint('b')"), reporting.code("1 + 1"))
    bad = reporting.notebook("T", reporting.code("x = 1"), reporting.code("x / 0"))
    notebooks.write(good, tmp_path / "01-good.ipynb")
    notebooks.write(bad, tmp_path / "02-bad.ipynb")
    before = (tmp_path / "02-bad.ipynb").read_bytes()
    lines = []
    with pytest.raises(HelperError, match="02-bad, code cell 2: ZeroDivisionError: division by zero"):
        notebooks.run(["01-good", "02-bad"], notebooks.path_of, lines.append)
    assert [line.split()[0] for line in lines] == ["01-good"]
    saved = notebooks.read(tmp_path / "01-good.ipynb")
    assert saved.cells[1].outputs[0].text == "a\nb\n"
    assert [cell.execution_count for cell in notebooks.code_cells(saved)] == [1, 2]
    assert (tmp_path / "02-bad.ipynb").read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_run_on_other_data_says_what_changed(executed, tmp_path):
    before = [
        {**entry, "verdict": "contradicted" if number == 0 else entry["verdict"]}
        for number, entry in enumerate(notebooks.verdicts(executed))
    ]
    report.publish(executed, tmp_path / "site", LINE, before=before)
    text = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "What changed since the committed run" in text
    assert "Then: contradicted. Now: " in text
    assert ": then " not in text
    before[0] |= {"measured": [{**figure, "value": -99.0} for figure in before[0]["measured"]]}
    report.publish(executed, tmp_path / "site", LINE, before=before)
    assert ": then −99.00" in (tmp_path / "site" / "index.html").read_text("utf-8")
    report.publish(executed, tmp_path / "site", LINE, before=notebooks.verdicts(executed))
    assert "No verdict changed." in (tmp_path / "site" / "index.html").read_text("utf-8")
    report.publish(executed, tmp_path / "site", LINE)
    assert "What changed" not in (tmp_path / "site" / "index.html").read_text("utf-8")
