"""What every chart must carry, whatever it draws."""

import base64
import html
import importlib
import io
import json
import re
import tomllib

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from matplotlib import style
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from course import checks
from helpers import charts, figure, market, notebooks, tables
from helpers.files import ROOT, HelperError
from helpers.report.export import ClaimsExporter

DAYS = pd.bdate_range("2025-01-01", periods=200, name="date")
NOW = {"title": "The lines go up and down", "unit": "Index points"}


class MadeUp:
    real = published = False


class Real:
    real = True


def walk(columns=("^RUT", "^GSPC"), length=200, seed=1):
    steps = np.random.default_rng(seed).normal(0.1, 1, (length, len(columns)))
    return pd.DataFrame(100 + steps.cumsum(axis=0), index=DAYS[:length], columns=list(columns))


def lines(frame=None, **options):
    return charts.lines(walk() if frame is None else frame, **{**NOW, **options})


EVERY = {
    "lines": lambda **o: lines(**o),
    "dots": lambda **o: charts.dots(pd.Series({"IWM": 1.5, "SPY": -0.5}), **{**NOW, **o}),
    "bars": lambda **o: charts.bars(pd.Series({"IWM": 1.5, "SPY": -0.5}), **{**NOW, **o}),
    "heat": lambda **o: charts.heat(walk(("IWM", "SPY"), 6) - 100, **{**NOW, **o}),
    "spread": lambda **o: charts.spread(walk()["^RUT"], own=101.0, name="ours", **{**NOW, **o}),
    "timeline": lambda **o: charts.timeline(
        pd.DataFrame({"first": ["2025-01-02"], "last": ["2025-01-09"]}, index=["week"]),
        **{**NOW, "also": "a calendar", **o},
    ),
    "curve": lambda **o: charts.curve(
        pd.DataFrame({"value": [1.0, 2.0], "verdict": ["supported", "mixed"], "axis": ["day", "fund"]}),
        series=["IWM"], **{**NOW, **o},
    ),
}  # fmt: skip


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: pairs of data and metadata."""
    import IPython.display

    found = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, metadata=None, **_: found.append((data, metadata))
    )
    return found


def pixels(chart):
    return np.asarray(Image.open(io.BytesIO(chart.picture())).convert("RGB")).reshape(-1, 3)


def has(chart, colour):
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return bool((pixels(chart) == rgb).all(axis=1).any())


# ------------------------------------------------------------------------------------- title, alt, table


@pytest.mark.parametrize("verb", EVERY)
def test_a_chart_carries_picture_words_numbers_and_source(verb, shown):
    EVERY[verb]().show()
    (head, _), (data, metadata), (foot, _) = shown
    about, said = data[figure.MIME], metadata["image/png"]
    wide, high = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).size
    assert wide == 2 * about["width"] == 2 * said["width"]
    assert high == pytest.approx(2 * about["height"], abs=2)
    assert len(said["alt"].split()) >= 8
    assert NOW["title"] in said["alt"]
    assert f"In words: {html.escape(said['alt'])}" in foot["text/html"]
    assert about["source"].startswith("Data: ")
    assert about["overlaps"] == []
    page = head["text/html"] + foot["text/html"]
    for words in (about["title"], about["source"], about["note"]):
        assert html.escape(words) in page
    assert 1 <= len(about["table"]["rows"]) <= tables.MOST_ROWS
    assert page.count("<tr>") == len(about["table"]["rows"]) + 1


def test_title_note_and_source_are_words_of_the_page_not_of_the_picture():
    chart = lines(note="Read it from left to right.")
    drawn = " ".join(text.get_text() for text in figure._texts(chart.figure))
    for words in (NOW["title"], "left to right", "Data:"):
        assert words not in drawn


@pytest.mark.parametrize("verb", EVERY)
def test_a_chart_without_a_finding_or_with_empty_alt_text_is_refused(verb):
    with pytest.raises(HelperError, match="title that states its finding"):
        EVERY[verb](title="Prices")
    with pytest.raises(HelperError, match="alt text"):
        EVERY[verb](alt="A chart")


def test_a_chart_of_nothing_is_refused():
    with pytest.raises(HelperError, match="no numbers"):
        lines(pd.DataFrame({"^RUT": [np.nan] * 3}, index=DAYS[:3]))
    with pytest.raises(HelperError, match="no numbers"):
        lines(pd.DataFrame({"^RUT": []}, index=DAYS[:0]))


def test_a_table_of_more_than_sixty_rows_is_refused():
    with pytest.raises(HelperError, match="1 to 60 rows, not 61"):
        lines(table=walk(length=61)).show()
    with pytest.raises(HelperError, match="1 to 60 rows, not 61"):
        charts.table(walk(length=61), "Too long")


def test_a_long_series_gives_its_ends_extremes_and_marks_and_no_more():
    frame = walk()
    middle = DAYS[77]
    table = lines(frame, marks={middle: "20 Apr"}).numbers()
    assert len(table) <= 60
    for day in (DAYS[0], DAYS[-1], middle, *frame.idxmin(), *frame.idxmax()):
        pd.testing.assert_series_equal(table.loc[day], frame.loc[day])


def test_the_table_of_the_payload_is_what_was_plotted():
    frame = walk(length=20)
    table = lines(frame, digits=3).payload()["table"]
    assert [column["name"] for column in table["columns"]] == ["date", "^RUT", "^GSPC"]
    assert [row[0] for row in table["rows"]][:2] == ["1 January 2025", "2 January 2025"]
    np.testing.assert_allclose([row[1:] for row in table["rows"]], frame.round(3))


# ------------------------------------------------------------------------------------- what is drawn


def test_all_points_are_drawn_with_ends_and_extremes():
    frame = walk()
    for line, column in zip(lines(frame).ax.lines, frame, strict=False):
        np.testing.assert_allclose(line.get_ydata(), frame[column])


@pytest.mark.parametrize("verb", EVERY)
def test_every_colour_that_was_drawn_is_in_the_picture(verb):
    chart = EVERY[verb]()
    assert chart.colours or verb == "heat"
    for name, colour in chart.colours.items():
        assert has(chart, colour), name


def test_every_meaning_of_the_palette_survives_in_one_picture():
    names = list(charts.COLOUR)
    chart = charts.bars(pd.Series(1.0, index=names), colours={n: n for n in names}, series=["IWM"], **NOW)
    for name in names:
        assert has(chart, charts.COLOUR[name]), name


def test_steps_of_a_heat_map_are_true_to_their_values():
    frame = pd.DataFrame([np.linspace(-10, 10, 41)] * 8, columns=range(41))
    chart = charts.heat(frame, series=["IWM"], **NOW)
    mesh = chart.ax.collections[0]
    for value in (-10, -5, -1, 1, 5, 10):
        red, green, blue, _ = map(int, mesh.to_rgba(value, bytes=True))
        assert (abs(pixels(chart).astype(int) - [red, green, blue]) <= 1).all(axis=1).any(), value


def test_equal_charts_have_equal_bytes():
    chart = lines()
    assert chart.picture() == lines().picture() == chart.picture()
    assert charts.collisions(chart.figure) == []


@pytest.mark.parametrize("verb", EVERY)
def test_the_stored_picture_has_every_dot_as_it_was_drawn(verb):
    chart, drawn = EVERY[verb](), io.BytesIO()
    stored = Image.open(io.BytesIO(chart.picture()))
    assert stored.mode == "P"
    with style.context(figure.STYLE):
        chart.figure.savefig(drawn, dpi=2 * figure.PAGE / figure.WIDTH)
    assert stored.convert("RGB").tobytes() == Image.open(drawn).convert("RGB").tobytes()


def test_counts_stand_at_whole_numbers_and_months_say_their_year():
    chart = charts.spread([0, 1, 1, 2, 3, 3, 3, 4, 5, 5], own=4, name="ours", series=["IWM"], **NOW)
    assert all(tick % 1 == 0 for tick in chart.ax.get_yticks())
    months = pd.date_range("2025-11-01", periods=4, freq="MS")
    chart = lines(pd.DataFrame({"^RUT": range(4)}, index=months))
    told = [label.get_text() for label in chart.ax.get_xticklabels()]
    assert told == ["Nov\n2025", "Dec", "Jan\n2026", "Feb"]


@pytest.mark.parametrize("verb", EVERY)
def test_made_up_data_are_marked_on_picture_words_and_numbers(verb, shown):
    chart = EVERY[verb](data=MadeUp())
    chart.show()
    _, (data, metadata), (foot, _) = shown
    assert "SYNTHETIC" in [text.get_text() for text in chart.figure.texts]
    assert data[figure.MIME]["synthetic"] is True
    assert metadata["image/png"]["alt"].startswith("Synthetic data.")
    assert foot["text/html"].count("SYNTHETIC DATA") == 2  # the source line and the table's caption
    assert "Yahoo" not in data[figure.MIME]["source"]
    real = EVERY[verb](data=Real())
    assert not real.synthetic
    assert "SYNTHETIC" not in [text.get_text() for text in real.figure.texts]


def test_the_market_that_a_notebook_opened_marks_what_is_made_of_it(monkeypatch):
    monkeypatch.setattr(market, "current", MadeUp, raising=False)
    assert lines().synthetic
    assert not lines(data=Real()).synthetic


def test_a_frame_that_is_made_up_marks_its_chart_and_its_table(shown):
    frame = walk(length=5)
    frame.attrs["source"] = "synthetic"
    assert lines(frame).synthetic
    charts.table(frame, "Closes")
    assert shown[-1][0]["text/plain"].startswith("SYNTHETIC DATA: Closes")
    assert "SYNTHETIC DATA: Closes" in shown[-1][0]["text/html"]
    assert shown[-1][0][tables.MIME]["synthetic"] is True


# ------------------------------------------------------------------------------------- source


def test_the_source_line_names_every_provider_and_the_last_date():
    frame = walk(("^RUT", "DGS2"), 30)
    line = lines(frame, series=["SHILLER"], also="Some Publisher").source
    for part in ("Yahoo Finance (^RUT)", "FRED (DGS2)", "Robert Shiller (SHILLER)", "Some Publisher"):
        assert part in line
    assert "11 February 2025" in line


def test_series_named_by_hand_never_hide_those_of_the_frame():
    assert "SPY" in lines(walk(("IWM", "SPY"), 20), series=["IWM"]).source


def test_a_chart_without_a_source_or_with_an_unknown_series_is_refused():
    with pytest.raises(HelperError, match="does not know its source"):
        lines(walk(("a", "b"), 20))
    with pytest.raises(HelperError, match="IWMM"):
        lines(series=["IWMM"])


# ------------------------------------------------------------------------------------- the title's numbers


@pytest.mark.parametrize(
    ("title", "ok"),
    [
        ("The index rose by 12.3 % in all", False),
        ("The index rose in 2025 as it should", True),
        ("The Russell 2000 beat the S&P 500 again", True),
        ("It was highest on 4 March of the year", False),
        ("It was highest on 10 October of the year", True),
        ("It stood at about 99 as once before", True),
        ("It stood at 98.8 as it did before", True),
        ("It stood at 98.77 as it did before", True),
        ("It stood at 98.9 as it did before", False),
    ],
)
def test_every_number_of_a_title_is_drawn_or_named(title, ok):
    options = {"title": title, "references": {98.77: "before: 98.77"}, "marks": {"2025-10-07": "10 Oct"}}
    if ok:
        lines(**options)
    else:
        with pytest.raises(HelperError, match="which the picture does not show"):
            lines(**options)


def test_a_number_of_the_title_can_be_named_by_hand():
    chart = lines(title="It was rank 14 of 38 in all", shows=["rank 14 of 38"])
    assert (chart.payload()["shows"], chart.payload()["note"]) == ("rank 14 of 38", "")


# ------------------------------------------------------------------------------------- words that meet


def test_words_that_meet_are_named():
    chart = lines(pd.Series(5.0, index=DAYS, name="^RUT"))
    chart.ax.text(0.5, 0.9, "first words", transform=chart.ax.transAxes)
    chart.ax.text(0.51, 0.9, "second words", transform=chart.ax.transAxes)
    assert charts.collisions(chart.figure) == [("second words", "“first words”")]
    with pytest.raises(HelperError, match="“second words” meet “first words”"):
        chart.show()


def test_words_on_a_line_are_found():
    chart = lines(pd.Series(5.0, index=DAYS, name="^RUT"))
    chart.ax.text(DAYS[60], 5.0, "on the line", va="center")
    assert ("on the line", "a line") in charts.collisions(chart.figure)


def committed():
    """Every chart of the notebooks: its notebook, the source of its cell, its data."""
    for name in notebooks.names():
        for cell in json.loads(notebooks.path_of(name).read_text("utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                if about := output.get("data", {}).get(figure.MIME):
                    yield name, "".join(cell["source"]), about


def test_no_words_meet_in_any_chart_of_the_notebooks():
    found = list(committed())
    assert len(found) > 60
    assert [(name, about["title"], about["overlaps"]) for name, _, about in found if about["overlaps"]] == []


def test_on_other_data_a_chart_whose_words_meet_is_drawn_and_says_so(monkeypatch):
    monkeypatch.setattr(market, "current", MadeUp, raising=False)
    chart = lines(pd.Series(5.0, index=DAYS, name="^RUT"))
    chart.ax.text(DAYS[60], 5.0, "on the line", va="center")
    chart._check()
    assert chart.payload()["overlaps"] == ["on the line: a line"]


@pytest.mark.parametrize("pattern", [r"\bannotate\(", r"#[0-9A-Fa-f]{6}\b"])
def test_no_chart_of_the_notebooks_is_written_on_or_coloured_by_hand(pattern):
    for name, source, about in committed():
        assert not re.search(pattern, source), (name, about["title"])


@pytest.mark.parametrize("pattern", [r"\[::-?\d", r"\.sample\(", r"\.asfreq\("])
def test_no_line_of_the_notebooks_is_thinned(pattern):
    for name, source, about in committed():
        turned = source.replace("[::-1]", "")
        assert about["kind"] != "Line chart" or not re.search(pattern, turned), (name, about["title"])


# A failure is not shrunk: each try draws a chart.
few = settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
levels = st.floats(-50, 50, allow_nan=False).map(lambda v: round(v, 2))


@few
@given(st.lists(levels, min_size=2, max_size=7), st.lists(levels, max_size=3, unique=True), st.booleans())
def test_names_at_the_ends_never_overlap_or_cross_a_line(ends, bounds, long):
    index = DAYS if long else DAYS[:12]
    shape = np.sin(np.linspace(0, 9, len(index)))[:, None]
    frame = pd.DataFrame(
        shape * 5 + np.array(ends), index=index, columns=[f"Name of line {i}" for i in range(len(ends))]
    )
    references = {value: f"bound {i}" for i, value in enumerate(bounds)}
    chart = lines(
        frame, series=["IWM"], references=references, marks={index[3]: "a day", index[5]: "another day"}
    )
    assert charts.collisions(chart.figure) == []
    told = [text.get_text() for text in chart.ax.texts]
    assert {*frame.columns, *references.values()} <= {" ".join(text.split()) for text in told}


@few
@given(st.lists(levels, min_size=1, max_size=12), st.lists(levels, min_size=1, max_size=2, unique=True))
def test_dots_and_their_references_never_overlap(values, quoted):
    frame = pd.Series(values, index=[f"Fund {i}" for i in range(len(values))], name="Return")
    groups = [f"Style {i % len(quoted)}" for i in range(len(values))]
    order = np.argsort(groups, kind="stable")
    chart = charts.dots(
        frame.iloc[order],
        groups=[groups[i] for i in order],
        references={f"Style {i}": value for i, value in enumerate(quoted[: len(values)])},
        series=["IWM"],
        **NOW,
    )
    assert charts.collisions(chart.figure) == []


def test_a_reference_to_no_group_and_a_mark_outside_the_frame_are_refused():
    with pytest.raises(HelperError, match="no group 'Gold'"):
        charts.dots(pd.Series({"IWM": 1.0}), groups=["Small"], references={"Gold": 1.0}, **NOW)
    with pytest.raises(HelperError, match="has no 4 July 2031"):
        lines(marks={"2031-07-04": "later"})
    with pytest.raises(HelperError, match="There is no colour 'red'"):
        lines(colours={"^RUT": "red"})


# ------------------------------------------------------------------------------------- tables


def test_a_table_keeps_its_sides_without_a_style_sheet(shown):
    frame = pd.DataFrame(
        {"Name": ["<b>x</b>", "y"], "Lead, pp": [-1.234, 2.0]}, index=pd.Index(["a", "b"], name="Row")
    )
    charts.table(frame, "Leads & lags", digits=1)
    page = shown[-1][0]["text/html"]
    assert re.search(r'<th scope="row" style="text-align:left">a</th>', page)
    assert '<td style="text-align:left">&lt;b&gt;x&lt;/b&gt;</td>' in page
    assert "<td>−1.2</td>" in page  # a notebook's own look puts it to the right
    assert "Leads &amp; lags" in page
    assert shown[-1][0][tables.MIME]["rows"] == [["a", "<b>x</b>", -1.2], ["b", "y", 2.0]]
    assert "−1.2" in shown[-1][0]["text/plain"]


def test_hostile_words_of_a_chart_are_text(shown):
    lines(
        walk(length=5), title="<script>alert()</script> goes up and down $x$ {y}", alt='"><img src=x> ' * 8
    ).show()
    assert all("<script" not in data.get("text/html", "") for data, _ in shown)
    assert all("<img" not in data.get("text/html", "") for data, _ in shown)


# ------------------------------------------------------------------------------------- plain exports


def exported(exporter, shown):
    """A notebook with a chart, a table and a solution, as nbconvert writes it without our style sheet."""
    lines(walk(length=5)).show()
    charts.table(pd.DataFrame({"Name": ["x"]}, index=pd.Index(["a"], name="Row")), "A table")
    outputs = [new_output("display_data", data=data, metadata=metadata or {}) for data, metadata in shown]
    solution = new_code_cell("answer = 42", metadata={"tags": ["solution"]})
    cells = [new_code_cell("charts.lines(walk)", outputs=outputs), solution]
    return exporter.from_notebook_node(new_notebook(cells=cells))[0]


@pytest.mark.parametrize("exporter", [HTMLExporter, ClaimsExporter])
def test_a_plain_export_keeps_alt_text_numbers_and_sides(exporter, shown):
    page = exported(exporter(), shown)
    assert "In words: Line chart" in page
    if exporter is ClaimsExporter:
        (alt,) = re.findall(r'<img[^>]* alt="([^"]*)"', page)
        assert NOW["title"] in alt
        assert "No description" not in page
    assert page.count('<th scope="row" style="text-align:left">') == 6
    assert "The numbers behind this chart" in page


def test_nbconverts_own_page_closes_solutions_by_what_the_notebooks_store():
    page = BeautifulSoup(
        HTMLExporter().from_filename(notebooks.path_of("04-rate-sensitivity"))[0], "html.parser"
    )
    shown, closed = (rule.partition("{")[0] for rule in re.findall(r"\.jp-Cell[^}]*}", checks.FOLD))
    solutions = page.select(".celltag_solution")
    assert len(solutions) >= 4
    assert page.select(closed) == solutions
    assert len(page.select(shown)) == len(solutions)


def test_the_template_of_the_export_menu_folds_solutions(shown):
    page = exported(ClaimsExporter(), shown)
    assert re.search(r'<details class="solution">(?:(?!</details>).)*answer', page, re.S)
    assert not re.search(r'<details class="solution">(?:(?!</details>).)*walk', page, re.S)
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    module, _, name = entry["nbconvert.exporters"]["claims"].partition(":")
    assert getattr(importlib.import_module(module), name) is ClaimsExporter
    assert ClaimsExporter.export_from_notebook
