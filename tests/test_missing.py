"""The whole collection on a store that anybody can fetch; on the reference one nbval executes it."""

import datetime
import re
import shutil

import pytest
from conftest import REFERENCE, needs_reference, seal
from pyarrow import parquet

from course import checks
from helpers import claims, files, market, notebooks, synthetic
from helpers import store as store_of

OPTIONAL = {"LISTINGS", "FUNDAMENTALS", "RUT-5M", "IWM-HOLDINGS"}
#: Notebooks that use an optional file, and what they say of it.
SAID = {
    "01-record-highs": "no second provider’s bars confirm it",
    "02-style-rotation": "listings.parquet",
    "03-policy": "RUT_5m",
    "05-valuation": "fundamentals.parquet",
    "06-winners-and-losers": "listings.parquet",
    "08-outlook": "listings.parquet",
}


ALL = notebooks.names()


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A store such as `make data` builds from nothing: the reference one or the synthetic without what nobody serves.

    No panels, no dated holdings, no prices of the company that is no longer traded, and three years of the
    series that FRED cuts to three years.
    """
    store = REFERENCE or market.Store(synthetic.build(files.cache() / "synthetic"))
    folder = tmp_path_factory.mktemp("bare") / "market"
    left_out = tuple(name.partition("/")[0] for name in store_of.optional_files())
    kept = {name: entry for name, entry in store.files.items() if not name.startswith(left_out)}
    for name in kept:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.path / name, folder / name)
    cut = [("symbol", "!=", "DENN")]
    parquet.write_table(
        parquet.read_table(store.path / "prices.parquet", filters=cut), folder / "prices.parquet"
    )
    cut = [[("series", "!=", "BAMLH0A0HYM2")], [("date", ">", datetime.date(2023, 11, 23))]]
    parquet.write_table(
        parquet.read_table(store.path / "macro.parquet", filters=cut), folder / "macro.parquet"
    )
    symbols, series = ({*store.manifest[key]} for key in ("symbols", "series"))
    return seal(folder, sorted(symbols - {"DENN"}), sorted(series), store.manifest["last_session"])


#: Made-up figures in the place of a store do for these; others look for days that happened.
NAMES = notebooks.names() if REFERENCE is not None else list(SAID)


@pytest.fixture(scope="module")
def executed(bare, tmp_path_factory):
    """The notebooks on that store."""
    out = tmp_path_factory.mktemp("executed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARKET_DATA", str(bare))
        notebooks.run(NAMES, lambda name: out / f"{name}.ipynb")
    return out


def text_of(path):
    """What a notebook's outputs say, as plain text."""
    found = []
    for cell in notebooks.code_cells(notebooks.read(path)):
        for output in cell.outputs:
            data = output.get("data", {})
            found += [str(data.get("text/markdown") or data.get("text/plain") or output.get("text", ""))]
    return "\n".join(found)


def test_the_catalogue_names_every_optional_file():
    assert len(store_of.optional_files()) == 10
    if REFERENCE is not None:
        assert REFERENCE.lacks(*store_of.optional_files()) == ""
        assert set(store_of.optional_files()) <= set(REFERENCE.files)


def test_a_store_says_what_it_lacks(bare):
    store = market.Store(bare)
    assert store.lacks() == store.lacks("prices.parquet") == ""
    assert store.lacks("listings.parquet", "holdings/IWM_2025-11-05.csv", "holdings/IWM_2025-11-11.csv") == (
        "Not in this store: the listing panel and IWM’s holdings of 2025-11-05 and 2025-11-11. "
        "data/README.md says where such files come from."
    )


def test_every_claim_is_judged_without_the_optional_files(executed):
    found = {entry["id"]: entry["verdict"] for entry in notebooks.verdicts(executed)}
    assert set(found) == {key for key, claim in claims.load().items() if claim.notebook in NAMES}
    assert all(found.values())


@needs_reference
def test_what_rested_on_a_missing_file_is_open_and_nothing_else_moved(executed):
    found = {entry["id"]: entry["verdict"] for entry in notebooks.verdicts(executed)}
    before = {entry["id"]: entry["verdict"] for entry in notebooks.verdicts()}
    changed = {key: verdict for key, verdict in found.items() if verdict != before[key]}
    assert changed == {
        "C14": "supported-with-caveat",
        "C88": "unverified",
    }
    assert all(OPTIONAL & set(claims.claim(key).series) for key in changed)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_says_what_is_missing_and_shows_no_empty_number(executed, name):
    text = text_of(executed / f"{name}.ipynb")
    if REFERENCE is not None or name != "01-record-highs":  # on made-up data no verdict has a reason
        assert SAID.get(name, "") in text
    assert name != "06-winners-and-losers" or "DENN" in text
    assert REFERENCE is None or not re.search(r"\b(nan|NaN|NaT)\b", text)


def test_a_check_that_needs_a_missing_file_says_so(bare):
    mkt = market.Market(market.Store(bare))
    result = checks.judge("05-median", 1.0, mkt)
    assert result.right is None
    assert "This store has no fundamentals.parquet" in result.text
