"""JupyterLab, end to end in headless Chromium: open a notebook, run all its cells, find its verdict card."""

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import REFERENCE, ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import notebooks

BROWSER = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("jupyterlab") is None,
        reason="JupyterLab is not installed (make lab installs it): end-to-end test skipped",
    ),
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH: end-to-end test skipped"),
]
#: A notebook of the test: the window explorer, live.
EXPLORER = "explorer"
LIVE = """\
from helpers import market
from course import explorer

mkt = market.connect(synthetic=True)
explorer.live(mkt)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on loopback with a token, on a copy of the notebooks without outputs; (base address, token)."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in notebooks.names():
        copy = notebooks.read(notebooks.path_of(name))
        for cell in notebooks.code_cells(copy):
            cell.outputs, cell.execution_count = [], None
        notebooks.write(copy, folder / f"{name}.ipynb")
    live = new_notebook(cells=[new_markdown_cell("# Live?"), new_code_cell(LIVE)], metadata=copy.metadata)
    notebooks.write(live, folder / f"{EXPLORER}.ipynb")
    settings = tmp_path / "settings"
    tracker = settings / "@jupyterlab" / "notebook-extension"
    tracker.mkdir(parents=True)
    # Cells that are out of sight stay in the page, so that the test can read them.
    (tracker / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    token, port = secrets.token_hex(16), free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MARKET_DATA": str(REFERENCE.path) if REFERENCE else "synthetic",
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
    }
    log = (tmp_path / "lab.log").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"),
            "--LabApp.extension_manager=readonly",
        ],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            if server.poll() is not None:
                pytest.fail("JupyterLab ended: " + (tmp_path / "lab.log").read_text()[-2000:])
            try:
                with urllib.request.urlopen(f"{base}/api?token={token}", timeout=5):
                    break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail("JupyterLab did not answer within two minutes.")
        yield base, token
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()


@pytest.fixture
def open_notebook(lab):
    """Opens a notebook in JupyterLab and runs all its cells; afterwards nothing may have been asked of the web."""
    from playwright.sync_api import expect, sync_playwright

    base, token = lab
    asked = []

    def run(browser, name):
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{base}/lab/tree/{name}.ipynb?token={token}")
        expect(page.locator(".jp-Notebook h1").first).to_be_visible(timeout=120_000)
        assert page.locator(".jp-OutputArea .rr-card").count() == 0
        # Cells sent before the kernel is ready would wait in the browser.
        expect(page.locator(".jp-Notebook-ExecutionIndicator").first).to_have_attribute(
            "data-status", "idle", timeout=120_000
        )
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        return page

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield lambda name: run(browser, name)
        browser.close()
    outside = [url for url in asked if not url.startswith((base, "data:", "blob:"))]
    assert outside == [], "the notebook asked something of the web"


def test_all_cells_of_a_notebook_run_in_jupyterlab(open_notebook):
    from playwright.sync_api import expect

    page = open_notebook("01-record-highs")
    card = page.locator(".jp-OutputArea .rr-card", has=page.locator(".rr-head b", has_text="C15"))
    expect(card).to_be_attached(timeout=300_000)
    expect(card).to_contain_text("Supported" if REFERENCE else "Synthetic data: no verdict")


def test_the_window_explorer_is_live(open_notebook):
    from playwright.sync_api import expect

    page = open_notebook(EXPLORER)
    sentence = page.locator(".widget-html p").first
    expect(sentence).to_contain_text("Russell 2000 beat even Dow Jones", timeout=180_000)
    verdict = page.locator(".widget-html p b").first
    expect(verdict).to_contain_text("Misleading" if REFERENCE else "no verdict")
    page.locator(".widget-dropdown select").nth(1).select_option("Nasdaq")
    expect(sentence).to_contain_text("Russell 2000 beat even Nasdaq")
    expect(verdict).to_contain_text("Contradicted" if REFERENCE else "no verdict")
    page.locator(".widget-dropdown select").nth(0).select_option("Nasdaq")
    expect(sentence).to_contain_text("choose two indices")
