"""The report made from a small collection of notebooks: what arrives, what is shown as text, what refuses."""

import base64
import csv
import hashlib
import io
import itertools
import json
import os
import re
import time

import nbformat
import pandas as pd
import pytest
import reporting
from jsonschema import Draft202012Validator
from nbformat.v4 import new_markdown_cell, new_output
from PIL import Image
from reporting import Reader

from course import checks
from helpers import notebooks, report, tables
from helpers.claims import card
from helpers.files import HelperError
from helpers.report import markup, pages, site
from helpers.report.share import HIGH, WIDE

LINE = "Published from the committed run on data to 12 December 2025."


@pytest.fixture(scope="module", autouse=True)
def registered(tmp_path_factory):
    with reporting.registered(tmp_path_factory.mktemp("registry") / "own"):
        yield


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    return reporting.collection(tmp_path_factory.mktemp("notebooks"))


@pytest.fixture(scope="module")
def published(executed, tmp_path_factory):
    target = tmp_path_factory.mktemp("out") / "site"
    assert report.publish(executed, target, LINE, single=True).address == target / ONE_FILE
    return target


#: The collection that the tests make is called "A collection".
ONE_FILE = "a-collection.html"
CLAIMS = ["C01.html", "C02.html", "C03.html"]
PAGES = ["index.html", "article.html", "01-first.html", "02-second.html", *CLAIMS, ONE_FILE]


@pytest.fixture(scope="module")
def read(published):
    return {"folder": published, **{name: Reader((published / name).read_text("utf-8")) for name in PAGES}}


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
            assert given["href"].startswith("data:") or (given["href"] == "style.css" and name != ONE_FILE)
        if tag == "a" and re.match("https?:", given["href"]):
            assert given["rel"] == "noreferrer"
        assert not [key for key in given if key.startswith("on")]
        assert "url(" not in given.get("style", "")
    assert not any("url(" in text or "@import" in text for text in read[name].scripts)


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_admits_our_script_only(read, name):
    policy = next(m["content"] for m in read[name].all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")
    runs = [given for given in read[name].all("script") if given.get("type") != "application/ld+json"]
    if name == ONE_FILE:
        assert runs == [{}]
        script = next(text for text in read[name].scripts if "use strict" in text)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in policy
    else:
        assert runs == [{"src": "page.js"}]
        assert "script-src 'self' file:;" in policy
    assert "http:" not in policy


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_and_links_within_the_report_resolve(read, published, name):
    ids = read[name].ids()
    assert len(ids) == len(set(ids))
    for given in read[name].all("a"):
        page, _, anchor = given["href"].partition("#")
        if page.startswith(("http", "mailto")) or not (page or anchor):
            continue
        if page.startswith("?"):
            page = ""
        if page and not page.endswith(".html"):
            assert (published / page).is_file()
            continue
        target = read[page] if page else read[name]
        assert not anchor or anchor in target.ids(), given["href"]


def test_alt_text_and_size_arrive(read, published):
    image = next(iter(read["01-first.html"].all("img")))
    assert image["alt"] == reporting.ALT + ' "q" <b>'
    assert (image["width"], image["height"]) == ("720", "420")
    assert (published / image["src"]).read_bytes()[1:4] == b"PNG"
    inline = next(iter(read[ONE_FILE].all("img")))
    assert inline["alt"] == image["alt"]
    assert inline["src"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("name", PAGES)
def test_hostile_strings_are_text(read, name):
    page = read[name]
    assert {given.get("type") for given in page.all("script")} <= {"application/ld+json", None}
    assert not page.all("iframe", "object", "embed")
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.text)
    if name != "02-second.html":
        assert "<script>alert(1)</script> & </script><!-- [U+202E]gnp.exe [U+2066]" in page.text


def test_html_that_is_not_ours_is_shown_as_text_or_guarded(read):
    page = read["01-first.html"]
    assert "<script>alert(2)</script>" in page.text
    assert "<div onclick" not in page.text
    assert not any("//a.b" in value for _, given in page.tags for value in given.values())
    assert [given["src"] for given in page.all("img")] == [page.all("img")[0]["src"]]


def test_reviews_cannot_leave_their_script(read, published):
    page = read["01-first.html"]
    reviews = [json.loads(text) for text in page.scripts if text.startswith("{")]
    assert [review["identifier"] for review in reviews] == ["C01", "C02"]
    assert reviews[0]["claimReviewed"] == reporting.CLAIMS["C01"]["says"]
    graph = json.loads((published / "claimreview.jsonld").read_text("utf-8"))
    assert [review["identifier"] for review in graph["@graph"]] == ["C01", "C02", "C03"]
    for review in graph["@graph"]:
        assert review["@type"] == "ClaimReview"
        assert {"claimReviewed", "reviewRating", "itemReviewed", "author", "url"} <= set(review)


def test_cards_are_anchors_and_lead_on(read):
    page = read["01-first.html"]
    assert {"C01", "C02", "C01-said", "C02-said", "figure-1"} <= set(page.ids())
    card = next(given for tag, given in page.tags if given.get("id") == "C01")
    assert card["class"].split() == ["verdict", "rr-supported"]
    hrefs = {given["href"] for given in page.all("a")}
    assert {"C01.html", "#figure-1", "article.html#C01", "02-second.html#what"} <= hrefs
    assert not [href for href in hrefs if "claims.yaml" in href]


def test_every_claim_has_a_row_and_a_place_in_the_article(read):
    for name in ("index.html", "article.html"):
        assert set(reporting.CLAIMS) <= set(read[name].ids())
        assert "Not judged yet" in read[name].text
    hrefs = [given["href"] for given in read["index.html"].all("a")]
    assert "C02.html" in hrefs
    assert "article.html#C04" in hrefs


def test_code_and_solutions_are_folded(read):
    folded = [given["class"] for given in read["01-first.html"].all("details") if "class" in given]
    assert "solution" in folded
    assert folded.count("code") == 6
    assert not [given for given in read["01-first.html"].all("details") if "open" in given]


def test_the_switch_of_a_plain_export_stays_hidden_on_our_pages():
    assert markup.safe(checks.FOLD) == '<details hidden="" class="fold"><summary>Solution</summary></details>'


@pytest.mark.parametrize("name", PAGES)
def test_what_scrolls_can_be_reached_by_keyboard(read, name):
    for given in read[name].all("pre"):
        assert given["tabindex"] == "0"
    # Those of a card break their words, and never scroll.
    inside = {"rr-figures", "rr-specifications", "rr-later"}
    tables = [given for given in read[name].all("table") if given.get("class") not in inside]
    frames = [given for given in read[name].all("div") if given.get("class") == "scroll"]
    assert len(tables) <= len(frames)
    assert all(given["tabindex"] == "0" and given["aria-label"] for given in frames)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_where_its_numbers_come_from(read, name):
    assert LINE in read[name].text


# ------------------------------------------------------------------------------------------------ what came out


def test_the_front_page_says_what_came_out(read):
    page = read["index.html"]
    assert site.headline(["mixed", "unverified"]).endswith("1 holds in part; on 1 nobody can tell")
    assert "Of 4 sentences 2 hold, 1 is wrong or misleads" in page.text
    assert "What it got right: two" in page.text
    assert "What it got wrong: one" in page.text
    rows = [given for given in page.all("tr") if "data-verdict" in given]
    assert [row["id"] for row in rows] == ["C01", "C02", "C03", "C04"]
    assert {"?verdict=contradicted#scoreboard"} <= {given["href"] for given in page.all("a")}
    assert [given["data-filter"] for given in page.all("select")] == ["verdict", "section", "kind", "clarity"]
    for entry in json.loads((read["folder"] / "verdicts.json").read_text("utf-8")):
        assert (
            page.text.count(markup.visible(entry["because"])) >= 2
        )  # among the telling ones, and on the board


def test_the_article_is_linked_and_quoted_in_its_order(read):
    page = read["article.html"]
    assert page.text.count("“record highs”") == len(reporting.CLAIMS)
    links = [given for given in page.all("a") if given["href"] == "https://example.org/article"]
    assert links
    assert all(given["rel"] == "noreferrer" for given in links)


def meta(page, name):
    return next(given["content"] for given in page.all("meta") if given.get("property") == name)


def test_a_claim_has_a_page_to_send_on(read, published):
    page = read["C02.html"]
    entry = json.loads((published / "verdicts.json").read_text("utf-8"))[1]
    assert meta(page, "og:title").startswith(
        "Contradicted: Claim C02 says something of <script>alert(1)</script>"
    )
    assert meta(page, "og:description") == markup.visible(entry["because"])
    assert meta(page, "og:image") == "img/C02.png"
    assert [json.loads(text)["identifier"] for text in page.scripts if text.startswith("{")] == ["C02"]
    assert {given["src"] for given in page.all("img")} == {read["01-first.html"].all("img")[0]["src"]}
    assert {"01-first.html#C02", "article.html#C02", "index.html#C02"} <= {
        given["href"] for given in page.all("a")
    }
    assert "Russell 2000 Index" in page.text  # the series, at its provider
    assert any(given["href"].startswith("https://finance.") for given in page.all("a"))
    with Image.open(published / "img" / "C02.png") as shared:
        assert shared.size == (WIDE, HIGH)
        assert len(shared.getcolors()) > 2


def test_addresses_of_shared_pictures_are_whole_where_the_site_s_own_is_known(
    executed, tmp_path, monkeypatch
):
    monkeypatch.setenv("SITE_ADDRESS", "https://example.org/r/")
    report.publish(executed, tmp_path / "site", LINE)
    page = Reader((tmp_path / "site" / "C01.html").read_text("utf-8"))
    assert meta(page, "og:image") == "https://example.org/r/img/C01.png"
    assert meta(page, "og:url") == "https://example.org/r/C01.html"
    monkeypatch.setenv("SITE_ADDRESS", "javascript:x()")
    with pytest.raises(HelperError, match="SITE_ADDRESS is no web address"):
        report.publish(executed, tmp_path / "site", LINE)


def test_a_chart_its_numbers_and_the_notebook_can_be_downloaded(read, published):
    links = [given["href"] for given in read["01-first.html"].all("a") if "download" in given]
    assert [name.rsplit(".")[-1] for name in links] == ["png", "csv", "ipynb"]
    assert (published / links[0]).read_bytes() == base64.b64decode(reporting.png())
    lines = (published / links[1]).read_text("utf-8").splitlines()
    assert lines[:2] == ["# T", "# Data: made by hand."]
    rows = list(csv.reader(line for line in lines if not line.startswith("# ")))
    assert [row[1] for row in rows[1:]] == ["2531.16", "2559.61"]
    book = notebooks.read(published / links[2])
    assert [cell.source for cell in book.cells] == [cell.source for cell in reporting.first().cells]
    assert not any(cell.outputs for cell in notebooks.code_cells(book))


def test_a_text_that_a_spreadsheet_would_run_is_a_text():
    table = {"columns": [{"name": "=1+1"}], "rows": [["=cmd()"], ["-1"], [-1]]}
    lines = pages.numbers({"title": "T\n=x", "source": "S", "table": table}).splitlines()
    assert lines[0] == "# T =x"
    assert lines[-3:] == ["'=cmd()", "-1", "-1"]


def test_the_answer_stands_before_what_the_article_says():
    said = new_markdown_cell("## What the article says")
    answer = new_markdown_cell("## The answer in one minute\n\nIt rose.")
    data = new_markdown_cell("## Data\n\nTwo series.")
    book = reporting.notebook(
        "Q?", said, reporting.cards_cell("C01"), answer, data, new_markdown_cell("## Results")
    )
    page = pages.render("01-first", book, [])
    assert [text for _, _, text in page.contents] == [
        "The answer in one minute", "What the article says", "Data", "Results",
    ]  # fmt: skip
    assert '<details class="fold"><summary><h2 id="data">Data</h2></summary>' in page.body
    assert "Two series." in page.body.split('class="fold"')[1].split("</details>")[0]


def test_a_card_further_down_keeps_its_place():
    parts = [new_markdown_cell(f"## {name}") for name in ("The answer", "How to read", "Notebooks")]
    parts.insert(2, reporting.cards_cell("C01"))
    page = pages.render("01-first", reporting.notebook("Q?", *parts), [])
    assert [text for _, _, text in page.contents] == ["The answer", "How to read", "Notebooks"]


def test_a_column_that_says_the_same_everywhere_is_said_once():
    table = tables.payload(pd.DataFrame({"Series": list("abcd"), "Source": ["<yahoo>"] * 4}))
    book = reporting.notebook(
        "Q?", reporting.code("t", reporting.shown({tables.MIME: {"caption": "C", **table}}))
    )
    body = pages.render("01-first", book, []).body
    assert "C · all rows: Source: &lt;yahoo&gt;" in body
    assert body.count("&lt;yahoo&gt;") == 1


def test_title_and_source_of_a_chart_are_text_beside_its_picture():
    cell = reporting.chart_cell()
    body = pages.render("01-first", reporting.notebook("Q?", cell), []).body
    assert "<figcaption>T</figcaption>" in body
    assert '<p class="from">Data: made by hand.</p>' in body


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
    notebook.cells[7].outputs = []
    notebooks.normalise(notebook)


def twice(notebook):
    notebook.cells.insert(8, nbformat.from_dict(reporting.verdict_cell("C02")))
    notebooks.normalise(notebook)


def misplaced(notebook):
    notebook.cells.insert(8, nbformat.from_dict(reporting.verdict_cell("C03")))
    notebooks.normalise(notebook)


def other_data(notebook):
    notebook.cells[6].outputs[0]["data"][card.MIME]["data"]["fingerprint"] = "ffffffffffff"
    notebooks.normalise(notebook)


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
        notebooks.collect(notebooks.read_all(tmp_path))


def test_a_claim_that_nobody_has_judged_is_open(executed, tmp_path):
    def unwritten(notebook):
        del notebook.cells[7]
        notebooks.normalise(notebook)

    (tmp_path / "nb").mkdir()
    made = report.publish(
        changed(executed, tmp_path / "nb", "01-first", unwritten), tmp_path / "site", "Line."
    )
    assert [entry["id"] for entry in made.verdicts] == ["C01", "C03"]
    board = reporting.Reader((tmp_path / "site" / "index.html").read_text("utf-8"))
    open_ = [row["id"] for row in board.all("tr") if row.get("data-verdict") == "open"]
    assert open_ == ["C02", "C04"]


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


def test_a_run_killed_between_two_renames_leaves_the_old_site_to_the_next(executed, tmp_path):
    target = tmp_path / "site"
    report.publish(executed, target, "The old site.")
    os.rename(target, tmp_path / ".site.old")
    (tmp_path / ".site.999999-0a1b2c3d.new").mkdir()
    site.check_target(target)
    assert "The old site." in (target / "index.html").read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


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
        ("</p></div>text", "<p></p>text"),
        ("<b><i>x</i></b>y", "<b><i>x</i></b>y"),
        ("<svg onload=x>", ""),
        ("<script>x()</script>y", "y"),
        ('<a href="javascript:x()">y</a>', "<a>y</a>"),
        ('<a href="//a.b">y</a>', "<a>y</a>"),
        ('<p style="background:url(http://a.b)" onclick="x()">y</p>', "<p>y</p>"),
        ('<img src="http://a.b">y', "y"),
        ("on 2025-12-10.", "on <time>2025-12-10</time>."),
        ("from 1982-84 to 2005-10", "from 1982-84 to <time>2005-10</time>"),
        ('<a href="x-2025-12-10.html">y</a>', '<a href="x-2025-12-10.html">y</a>'),
    ],
)
def test_html_is_guarded_by_the_allow_list(text, expected):
    assert markup.safe(text) == expected


def test_the_headline_counts_one_and_none_in_words():
    assert site.headline(["supported"]) == "Of 1 sentence 1 holds, none is wrong or misleads"
    assert site.headline(["misleading", "mixed"]) == (
        "Of 2 sentences none holds, 1 is wrong or misleads, 1 holds in part"
    )


def test_tables_come_from_their_data(read):
    page = read["01-first.html"]
    heads = [given.get("class", "") for given in page.all("th") if given.get("scope") == "col"]
    assert heads.count("num") == 2
    assert "−1.50" in page.text
    assert "A caption of <script>alert(1)</script>" in page.text
    assert [given["href"] for given in page.all("a")].count("C01.html") >= 2


def test_the_numbers_behind_a_chart_are_shown_once(read):
    assert read["01-first.html"].text.count("The numbers") == 1
    assert "Data: made by hand." in read["01-first.html"].text


def test_the_report_knows_charts_by_their_name():
    from helpers import figure

    assert pages.CHART == figure.MIME


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
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
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


def test_a_cell_that_prints_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
    flood = reporting.code("for _ in range(4000):\n    print('x' * 9999)\nwhile True:\n    pass")
    notebooks.write(reporting.notebook("T", reporting.code("1"), flood), tmp_path / "01-flood.ipynb")
    start = time.monotonic()
    with pytest.raises(HelperError, match="01-flood, code cell 2: it shows more than 5 MB"):
        notebooks.run(["01-flood"], notebooks.path_of)
    assert time.monotonic() - start < 60


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
    before[0] |= {"figures": {"gain": -99.0}}
    report.publish(executed, tmp_path / "site", LINE, before=before)
    assert ": then −99.00" in (tmp_path / "site" / "index.html").read_text("utf-8")
    report.publish(executed, tmp_path / "site", LINE, before=notebooks.verdicts(executed))
    assert "No verdict changed." in (tmp_path / "site" / "index.html").read_text("utf-8")
    report.publish(executed, tmp_path / "site", LINE)
    assert "What changed" not in (tmp_path / "site" / "index.html").read_text("utf-8")


# ------------------------------------------------------------------------------------------------ proofs


def payload_of(notebook, key="C01"):
    outputs = [output for cell in notebooks.code_cells(notebook) for output in cell.outputs]
    return next(
        output.data for output in outputs if output.get("data", {}).get(card.MIME, {}).get("id") == key
    )


def word(notebook):
    payload_of(notebook)[card.MIME]["verdict"] = "contradicted"


def value(notebook):
    payload = payload_of(notebook)[card.MIME]
    payload["measured"][0] = {**card.whole(payload)["measured"][0], "value": 13.4}


def figure_judged(notebook):
    payload_of(notebook)[card.MIME]["figures"]["gain"] = 15.0


def shown_card(notebook):
    data = payload_of(notebook)
    data["text/html"] = data["text/html"].replace("Supported", "Contradicted")


def because(notebook):
    payload_of(notebook)[card.MIME]["because"] = "Because somebody says so."


def specification(notebook):
    payload_of(notebook)[card.MIME]["specifications"][0]["verdict"] = "mixed"


def lowered(notebook):
    payload_of(notebook)[card.MIME] |= {"verdict": "mixed", "lowered": None}


def remade(notebook, **more):
    """A payload that says something else, with the card that would be made from it."""
    data = payload_of(notebook)
    data.update(card.bundle({**card.whole(data[card.MIME]), **more}))


def share(notebook):
    firm = payload_of(notebook)[card.MIME]["robustness"]
    remade(notebook, robustness={**firm, "same": 4, "share": 1.0})


def says(notebook):
    remade(notebook, claim={**payload_of(notebook)[card.MIME]["claim"], "says": "It says something else."})


def raised(notebook):
    payload_of(notebook, "C02")[card.MIME] |= {"verdict": "supported", "lowered": "supported"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (share, ["C01", "robustness is not the share"]),
        (says, ["C01", "claim is not what the registry"]),
        (raised, ["code cell 5", "C02", "may only lower"]),
        (word, ["01-first, code cell 4", "C01", "verdict"]),
        (value, ["01-first, code cell 4", "C01", "Gain of"]),
        (figure_judged, ["C01", "verdict is not what its figures"]),
        (shown_card, ["C01", "the card says something else"]),
        (because, ["C01", "because"]),
        (specification, ["C01", "specification"]),
        (lowered, ["C01", "verdict"]),
    ],
)
def test_what_was_changed_by_hand_does_not_follow(executed, change, words):
    book = notebooks.read(executed / "01-first.ipynb")
    assert notebooks.examined({"01-first": book})[1] == []
    change(book)
    _, faults = notebooks.examined({"01-first": book})
    assert any("an output was changed after it was executed" in fault for fault in faults)
    # Who also makes the fingerprint anew is found by what the figures give.
    _, faults = notebooks.examined({"01-first": notebooks.normalise(book)})
    assert any(all(word in fault for word in words) for fault in faults), faults


def test_a_computed_sentence_that_was_changed_is_found(executed):
    book = notebooks.read(executed / "01-first.ipynb")
    said = next(output for cell in notebooks.code_cells(book) for output in cell.outputs
                if output.get("data", {}).get("text/markdown") == "It is done.")  # fmt: skip
    said.data["text/markdown"] = "It is not done."
    assert ["an output was changed" in fault for fault in notebooks.examined({"01-first": book})[1]] == [True]


@pytest.mark.parametrize("what", ["rule", "fact"])
def test_a_rule_or_a_fact_that_was_changed_is_found(executed, tmp_path, what):
    claims = {key: {**entry} for key, entry in reporting.CLAIMS.items()}
    entry = {**claims["C01"], "facts": ["cuts"]} if what == "fact" else claims["C01"]
    claims["C01"] = entry
    with reporting.registered(tmp_path / "own", claims):
        book = reporting.notebook("Did it rise?", *map(reporting.verdict_cell, ("C01", "C02")))
        assert notebooks.examined({"01-first": book})[1] == []
        if what == "rule":
            claims["C01"] = {**entry, "rule": {"letter": [{"bound": {"measure": "gain", "above": 1}}]}}
        else:
            path = tmp_path / "own" / "facts" / "record.csv"
            path.write_text(
                path.read_text("utf-8").replace("cuts,3,", "cuts,4,").replace(",3,cuts", ",4,cuts")
            )
    with reporting.registered(tmp_path / "own", claims, facts=what != "fact"):
        _, faults = notebooks.examined({"01-first": book})
    assert len(faults) == 1
    assert "C01" in faults[0]
    assert "changed after 01-first was executed" in faults[0]


def no_word(notebook):
    payload_of(notebook)[card.MIME]["verdict"] = "splendid"


def no_keys(notebook):
    del payload_of(notebook)[card.MIME]["robustness"]


def no_data(notebook):
    payload_of(notebook)[card.MIME]["data"] = []


def no_figures(notebook):
    del payload_of(notebook)[card.MIME]["figures"]


def a_list(notebook):
    payload_of(notebook)[card.MIME] = []


def some_text(notebook):
    payload_of(notebook)[card.MIME] = "supported"


def picture(notebook):
    return next(output.data for cell in notebooks.code_cells(notebook) for output in cell.outputs
                if "image/png" in output.get("data", {}))  # fmt: skip


def cut_short(notebook):
    picture(notebook)["image/png"] = reporting.png()[:200]


def broken(notebook):
    picture(notebook)["image/png"] = reporting.png()[:-5] + "!é?"


def no_width(notebook):
    data = bytearray(base64.b64decode(reporting.png()))
    data[16:20] = bytes(4)
    picture(notebook)["image/png"] = base64.b64encode(bytes(data)).decode()


def no_table(notebook):
    picture(notebook)[pages.CHART]["table"] = [1, 2]


def too_much(notebook):
    notebook.cells[4].outputs.append(new_output("stream", name="stdout", text="x" * 60_000_000))


@pytest.mark.parametrize(
    ("change", "cell"),
    [
        (no_word, 4), (no_keys, 4), (no_data, 4), (no_figures, 4), (a_list, 4), (some_text, 4),
        (cut_short, 2), (broken, 2), (no_width, 2), (no_table, 2), (too_much, 2),
    ],
)  # fmt: skip
def test_a_garbled_output_is_one_sentence_with_its_cell(executed, tmp_path, change, cell):
    book = notebooks.read(executed / "01-first.ipynb")
    change(book)
    notebooks.write(notebooks.normalise(book), tmp_path / "nb" / "01-first.ipynb")
    with pytest.raises(HelperError) as caught:
        report.publish(tmp_path / "nb", tmp_path / "site", LINE)
    assert f"01-first, code cell {cell}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not (tmp_path / "site").exists()
