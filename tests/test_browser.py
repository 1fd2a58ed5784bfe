"""The report in real Chromium: it fits, it works, it is accessible, and nothing is asked of the web.

A gallery of every page (the upper part, wide and light, narrow and dark) is kept in pytest's temporary folder.
"""

import re
import shutil
from importlib import resources

import pytest
import reporting

from helpers import notebooks, report
from helpers.claims import registry
from helpers.files import HelperError
from helpers.report import command, site

BROWSER = command.find_browser()
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium or Chrome on the PATH: browser tests skipped"
)
LINE = "Published from the committed run on data to 12 December 2025."
WIDTHS = {1280: 900, 390: 844}
#: Widths of the pictures, decoded; those that are folded load when they are opened.
DECODED = """Promise.all([...document.querySelectorAll("img:not([loading])")].map(
    image => image.decode().then(() => image.naturalWidth)))"""
LOOKS = [(1280, "light"), (390, "dark")]


def _collections():
    """The hand-made collection, and the project's own where it stands whole."""
    yield "made"
    try:
        notebooks.verdicts()
    except HelperError:
        return
    if notebooks.names():
        yield "own"


@pytest.fixture(scope="module", params=list(_collections()))
def published(request, tmp_path_factory):
    target = tmp_path_factory.mktemp("out") / "site"
    if request.param == "own":
        report.publish(notebooks.FOLDER, target, LINE, single=True)
        yield target
        return
    with reporting.registered(tmp_path_factory.mktemp("registry") / "own"):
        executed = reporting.collection(tmp_path_factory.mktemp("notebooks"))
        report.publish(executed, target, LINE, single=True)
        yield target


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=BROWSER, args=[*command.QUIET, "--no-sandbox"])
        yield made
        made.close()


def pages(folder):
    """Every page; of those of single claims, which are made alike, each twentieth."""
    claims = sorted(folder.glob("C[0-9]*.html"))
    return [path for path in sorted(folder.glob("*.html")) if path not in claims or path in claims[::20]]


@pytest.fixture
def open_page(browser):
    """Open a page and note what it asks for and complains of."""
    opened = []

    def go(path, width=1280, anchor="", **options):
        context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, **options)
        opened.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri() + anchor)
        return page

    yield go
    for context in opened:
        context.close()


def test_pages_fit_and_ask_nothing_of_the_web(published, open_page, tmp_path_factory):
    gallery = tmp_path_factory.getbasetemp() / "gallery"
    gallery.mkdir(exist_ok=True)
    for path in pages(published):
        for scheme, first in (("light", 1280), ("dark", 390)):  # each begins at another width
            page = open_page(path, first, color_scheme=scheme)
            assert all(width > 0 for width in page.evaluate(DECODED)), path.name
            for width in (first, *(WIDTHS.keys() - {first})):
                page.set_viewport_size({"width": width, "height": WIDTHS[width]})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
                if (width, scheme) in LOOKS and path.name != site.file_name(".html"):
                    # Of a long page only the upper part: a picture of forty screens says no more, for a minute.
                    height = page.evaluate("document.documentElement.scrollHeight")
                    page.set_viewport_size({"width": width, "height": min(height, 2400)})
                    page.screenshot(path=gallery / f"{path.stem}-{width}-{scheme}.png")
            assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
            assert page.complaints == []
            page.context.close()


def test_dark_is_dark_and_light_is_light(published, open_page):
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    for scheme, bright in (("light", True), ("dark", False)):
        page = open_page(published / "index.html", color_scheme=scheme)
        red = int(page.evaluate(colour).split("(")[1].split(",")[0])
        assert (red > 128) is bright


def test_the_scoreboard_filters_and_sorts(published, open_page):
    from playwright.sync_api import expect

    page = open_page(published / "index.html")
    rows = page.locator("[data-board] tbody tr")
    total = rows.count()
    shown = "[data-board] tbody tr:not([hidden])"
    page.locator("[data-filter=verdict]").select_option("supported")
    kept = page.locator(shown)
    assert 0 < kept.count() < total
    assert set(kept.evaluate_all("rows => rows.map(row => row.dataset.verdict)")) == {"supported"}
    assert page.locator("[data-count]").inner_text() == f"{kept.count()} of {total} claims"
    page.get_by_role("button", name="Show all").click()
    expect(kept).to_have_count(total)
    head = page.get_by_role("button", name="Claim", exact=True)
    head.focus()
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=ascending]").count() == 1
    page.keyboard.press("Enter")
    ids = rows.evaluate_all("rows => rows.map(row => row.id)")
    assert ids == sorted(ids, reverse=True)


def test_the_search_is_kept_in_the_address_and_a_link_of_the_tally_filters(published, open_page):
    page = open_page(published / "index.html")
    shown = page.locator("[data-board] tbody tr:not([hidden])")
    total = shown.count()
    page.locator("[data-search]").fill("c01")
    assert 0 < shown.count() < total
    assert page.url.endswith("?q=c01")
    again = open_page(published / "index.html", anchor="?q=c01&verdict=nonsense")
    assert again.locator("[data-board] tbody tr:not([hidden])").count() == shown.count()
    assert again.locator("[data-search]").input_value() == "c01"
    page.locator("[data-pick]").first.click()
    page.wait_for_function("location.search.includes('verdict=')")
    assert 0 < shown.count() < total
    assert page.locator("[data-search]").input_value() == ""


def test_a_chart_opens_in_its_place_in_the_article(published, open_page):
    page = open_page(published / "article.html")
    folded = page.locator(".walk details").first
    folded.locator("summary").click()
    image = folded.locator("img")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert image.bounding_box()["width"] > 100


def test_no_registry_id_and_no_coded_value_reaches_a_page(published, open_page):
    ids = {key for key in registry.facts() if "-" in key}
    codes = {fact.value for fact in registry.facts().values() if re.search("[a-z]-[a-z]", fact.value)}
    known = " ".join(fact.fact for fact in registry.facts().values())
    for path in pages(published):
        page = open_page(path)
        # What a reader sees but for the code, in which a notebook names its facts.
        seen = "document.querySelectorAll('pre,script').forEach(n => n.remove()), document.body.textContent"
        words = {word.strip(".,;:()“”‘’'") for word in page.evaluate(seen).split()}
        assert not {word for word in words & (ids | codes) if word not in known}, path.name
        page.context.close()


def test_the_scoreboard_is_whole_without_scripts(published, open_page):
    page = open_page(published / "index.html", java_script_enabled=False)
    board = page.locator("[data-board] tbody tr")
    assert board.count() == board.locator("visible=true").count() or board.first.is_visible()
    assert page.locator("[data-filters]").is_hidden()


def test_one_key_shows_all_code_and_can_be_switched_off(published, open_page):
    first = next(path for path in pages(published) if path.name.startswith("01-"))
    page = open_page(first)
    code, shown = page.locator("details.code"), page.locator("details.code[open]")
    assert shown.count() == 0
    page.keyboard.press("c")
    assert shown.count() == code.count() > 0
    page.keyboard.press("c")
    assert shown.count() == 0
    page.locator("[data-key]").uncheck()
    page.keyboard.press("c")
    assert shown.count() == 0
    page = open_page(first, java_script_enabled=False)
    code = page.locator("details.code")
    code.first.locator("summary").click()
    assert code.first.locator("pre").is_visible()


def test_an_anchor_shows_its_verdict(published, open_page):
    first = next(path for path in pages(published) if path.name.startswith("01-"))
    page = open_page(first, anchor="#C01", reduced_motion="reduce")
    card = page.locator("#C01")
    assert card.is_visible()
    box = card.bounding_box()
    assert box is not None
    assert -5 <= box["y"] < WIDTHS[1280]


def test_keyboard_comes_first_to_the_skip_link_and_sees_its_focus(published, open_page):
    page = open_page(published / "index.html")
    page.keyboard.press("Tab")
    focus = page.evaluate(
        "({text: document.activeElement.textContent, "
        "width: getComputedStyle(document.activeElement).outlineWidth})"
    )
    assert focus["text"] == "Skip to the content"
    assert float(focus["width"].removesuffix("px")) >= 2


def test_nothing_moves_for_who_asks_for_less_motion(published, open_page):
    page = open_page(published / "index.html", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing(published, open_page, width, scheme):
    pytest.importorskip(
        "axe_playwright_python", reason="axe-core is not installed: accessibility tests skipped"
    )
    script = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    # Unfolded, so that what is folded is looked at too.
    unfold = "document.querySelectorAll('details').forEach(d => { d.open = true })"
    rules = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "resultTypes": ["violations"],
    }
    every = pages(published)
    if len(every) > 5:
        # The one file holds the same pages again, and looking through all of them at once takes minutes.
        every.remove(published / site.file_name(".html"))
    for path in every:
        # The page's own policy keeps foreign scripts out, axe too, unless it is told to let them in.
        page = open_page(path, width, color_scheme=scheme, bypass_csp=True)
        page.evaluate(unfold)
        page.evaluate(script)
        found = page.evaluate("rules => axe.run(document, rules)", rules)
        told = [
            f"{path.name}: {fault['id']}: {node['target']} {node['failureSummary']}"
            for fault in found["violations"]
            for node in fault["nodes"][:3]
        ]
        assert not told, "\n".join(told)
        page.context.close()


def test_the_printed_edition(published, tmp_path):
    target = tmp_path / "print.pdf"
    command._print(BROWSER, published / site.file_name(".html"), target)
    assert target.read_bytes()[:5] == b"%PDF-"
    assert shutil.which("pdftotext") is None or target.stat().st_size > 10_000
