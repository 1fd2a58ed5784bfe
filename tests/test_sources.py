"""Live data: the real clients against the providers on this machine, with every fault they can play.

Figures come from the reference store where this machine has it, else from the synthetic market.
"""

import csv
import functools
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import reporting
import requests
from conftest import REFERENCE, ROOT, needs_reference
from loopback import Providers, certificate
from urllib3 import Retry

from helpers import __main__, calendar, fingerprints, market, notebooks, store
from helpers import files as helpers_files
from helpers.files import HelperError
from helpers.sources import command, fetch, files, validate, verify, vintage
from helpers.sources.http import Client, RateLimitError
from helpers.store import optional_files, write
from tools import package

END = "2026-08-21"
BEFORE = "2026-06-30"
FEW = ["^RUT", "IWM", "DGS10", "FF3M", "IWM-HOLDINGS"]
slow = pytest.mark.skipif(not os.environ.get("ROTATION_SLOW"), reason="minutes long; set ROTATION_SLOW=1")


# ------------------------------------------------------------------------------------------- what is shared


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The store whose figures the providers serve."""
    if REFERENCE is not None:
        return REFERENCE
    from helpers import synthetic

    made = store.Store(synthetic.build(tmp_path_factory.mktemp("synthetic") / "store"))
    # The synthetic market pays no dividends; funds that pay none would be refused.
    rows = made.price_rows(list(made.manifest["symbols"]), store.PRICE_FIELDS)
    pays = rows["symbol"].isin([name for name, entry in store.catalogue().items() if entry.get("pays")])
    age = (rows["date"].max() - rows["date"]).dt.days
    held = rows.groupby("symbol")["adj_close"].transform("count") > 0
    paid = (rows["adj_close"].where(held, rows["close"]) * 0.9999 ** (age / 10)).round(2)
    rows["adj_close"] = rows["adj_close"].where(~pays, paid)
    tables = {store.PRICES: rows, store.MACRO: made.macro_rows(list(made.manifest["series"]))}
    whole = {name: made.path / name for name in made.files if name not in tables}
    return store.Store(store.write(tmp_path_factory.mktemp("served") / "store", tables, whole))


@pytest.fixture(scope="module", autouse=True)
def _here(tmp_path_factory, served):
    """No cache in the checkout or the home, no way out of this machine; what is served is the reference."""
    patch = pytest.MonkeyPatch()
    if REFERENCE is None:
        known = {"series": fingerprints.compute(served), "files": {}}
        patch.setattr(fingerprints, "listed", lambda: known)
        validate._listed.cache_clear()
    patch.setattr(helpers_files, "CACHE", tmp_path_factory.mktemp("cache"))
    # The synthetic fund holds fewer names than the real one.
    patch.setattr(files, "LEAST_HOLDINGS", 200)
    connect = socket.socket.connect

    def only_loopback(self, address):
        assert not isinstance(address, tuple) or address[0] in {"127.0.0.1", "::1", "localhost"}, address
        return connect(self, address)

    patch.setattr(socket.socket, "connect", only_loopback)
    yield
    patch.undo()
    validate._listed.cache_clear()


@pytest.fixture(scope="module")
def _providers(served):
    providers = Providers(served)
    yield providers
    providers.close()


@pytest.fixture
def providers(_providers):
    """The providers, with no fault waiting."""
    _providers.faults.clear()
    _providers.asked.clear()
    _providers.handshakes.clear()
    _providers.everywhere = None
    return _providers


def client_of(providers, **options):
    return Client(
        **{
            "session": providers.session(),
            "yahoo": providers.session(),
            "retry": Retry(2),
            "timeout": 15,
            **options,
        }
    )


@pytest.fixture
def client(providers):
    """A client led to this machine, without pauses."""
    return client_of(providers)


@pytest.fixture(scope="module")
def old(_providers, tmp_path_factory):
    target = tmp_path_factory.mktemp("old") / "market"
    fetch.fetch(client_of(_providers), target, FEW, as_of=BEFORE)
    return target


@pytest.fixture
def target(old, tmp_path):
    """A small store that ends some weeks before the providers do."""
    return Path(shutil.copytree(old, tmp_path / "market"))


def hashes(target):
    """What the store holds: every series by year, every whole file."""
    store = market.Store(target)
    whole = {name: entry["sha256"] for name, entry in store.files.items() if "parquet" not in name}
    return fingerprints.compute(store), whole


@functools.cache
def computed(served):
    return fingerprints.compute(served)


def same_as(store, served):
    """Series of a store that differ from the served store's.

    Single precision, which Yahoo sends, loses the cents beyond 100,000; the synthetic market can rise so far.
    """
    ours, theirs = fingerprints.compute(store), computed(served)
    differ = [name for name in ours if ours[name] != theirs[name]]
    rows = served.price_rows(differ, ["close"])
    beyond = set(rows.loc[rows["close"] > 1e5, "symbol"])
    return [name for name in differ if name not in beyond]


def state_of(table, name):
    return table.set_index("series").loc[name]


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# ------------------------------------------------------------------------------------------------- fetching


def test_a_small_store_is_fetched_and_holds_the_served_figures(client, providers, served, tmp_path):
    target = tmp_path / "new" / "market"
    table = fetch.fetch(client, target, FEW, as_of=END)
    assert set(table["state"]) == {"new"}
    store = market.Store(target)
    assert not same_as(store, served)
    assert f"{store.last_session:%Y-%m-%d}" == END
    assert listing(target.parent) == ["market", *(f"market/{name}" for name in listing(target))]
    assert market.Market(store).prices("^RUT", "close", "2026-01-02", END).attrs["source"] == "store"


def test_yahoo_is_asked_with_cookie_and_crumb(client, providers, tmp_path):
    from yfinance.data import YfData

    # yfinance keeps one cookie and one crumb for the life of the process: forget them.
    YfData()._crumb = YfData()._cookie = None
    providers.crumbs = 0
    fetch.fetch(client, tmp_path / "market", ["IWM"], as_of=END)
    assert providers.crumbs == 1
    assert providers.handshakes
    assert all(with_cookie and with_crumb for with_cookie, with_crumb in providers.handshakes)


def test_a_new_vintage_replaces_the_old_one_whole(client, target, served):
    table = fetch.fetch(client, target, FEW, as_of=END)
    assert set(table["state"]) == {"new"}
    assert not same_as(market.Store(target), served)
    assert not vintage.next_folder(target).exists()
    assert not target.with_name("market.old").exists()


def test_only_some_series_are_fetched_and_the_rest_is_kept(client, providers, target):
    before, _ = hashes(target)
    fetch.fetch(client, target, ["DGS10"], as_of=END)
    after, _ = hashes(target)
    assert set(after) == set(before)
    assert after["DGS10"] != before["DGS10"]
    assert {name for name in before if after[name] != before[name]} == {"DGS10"}
    assert set(providers.asked) == {"DGS10"}


def test_since_joins_new_rows_to_the_old_ones(client, target, served):
    table = fetch.fetch(client, target, ["IWM", "^RUT"], since="2026-06-01", as_of=END)
    assert set(table["state"]) == {"new"}
    assert not [name for name in same_as(market.Store(target), served) if name in {"IWM", "^RUT"}]


def test_since_puts_old_rows_on_the_new_basis():
    dates = calendar.sessions("2026-06-01", "2026-06-12")
    columns = ["open", "high", "low", "close", "adj_close"]
    before = pd.DataFrame({"date": dates[:8], **dict.fromkeys(columns, 100.0)})
    fresh = pd.DataFrame({"date": dates[5:], **dict.fromkeys(columns, 50.0)}).assign(adj_close=49.0)
    joined = fetch.join(before, fresh, "TEST")
    assert list(joined["date"]) == list(dates)
    assert set(joined["close"]) == {50.0}
    assert set(joined["adj_close"].round(9)) == {49.0}
    with pytest.raises(HelperError, match="do not touch"):
        fetch.join(before[:3], fresh, "TEST")
    within = fresh.assign(close=[100.0, 50.0, 50.0, 50.0, 50.0])
    with pytest.raises(HelperError, match="without --since"):
        fetch.join(before, within, "TEST")


def test_since_needs_a_store(client, tmp_path):
    with pytest.raises(HelperError, match="leave it out the first time"):
        fetch.fetch(client, tmp_path / "market", ["IWM"], since="2026-06-01", as_of=END)
    assert not listing(tmp_path)


def test_panels_that_nobody_serves_are_carried_over(client, providers, target, served):
    panel = target / "listings.parquet"
    shutil.copyfile(served.path / "fundamentals.parquet", panel)
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["files"] |= {
        "listings.parquet": {"bytes": panel.stat().st_size, "sha256": helpers_files.sha256(panel)},
    }
    (target / "manifest.json").write_text(json.dumps(manifest))
    content = panel.read_bytes()
    fetch.fetch(client, target, ["DGS10"], as_of=END)
    found = market.Market(market.Store(target))
    assert "listings.parquet" in found.store.files
    assert panel.read_bytes() == content
    assert "fundamentals.parquet" not in found.store.files
    with pytest.raises(market.Missing, match=r"data/README\.md says how to add it"):
        found.fundamentals()


def test_an_earlier_as_of_is_no_loss_of_rows(client, target):
    table = fetch.fetch(client, target, ["IWM", "DGS10"], as_of="2025-12-11")
    assert set(table["state"]) == {"new"}
    assert state_of(table, "IWM")["last"] == "2025-12-11"
    if REFERENCE is not None:
        assert "2025 is cut short" in state_of(table, "IWM")["verdict"]


# ----------------------------------------------------------------------- what providers no longer give out

SPREAD = "BAMLH0A0HYM2"


def test_a_series_cut_to_its_last_years_passes_and_says_so(client, providers, tmp_path):
    providers.faults[SPREAD] = ["rolling!"]
    table = fetch.fetch(client, tmp_path / "market", [SPREAD, "DGS10"], as_of=END)
    row = state_of(table, SPREAD)
    assert row["state"] == "new"
    assert row["first"].startswith("2023-08")
    assert row["detail"] == f"it begins on {row['first']}: only 3 years are given out"


def test_years_that_are_no_longer_given_out_are_kept_from_the_old_store(client, providers, served, tmp_path):
    target = tmp_path / "market"
    fetch.fetch(client, target, [SPREAD], as_of="2026-08-14")
    providers.faults[SPREAD] = ["rolling!"]
    table = fetch.fetch(client, target, [SPREAD], as_of=END)
    assert state_of(table, SPREAD)["state"] == "new"
    now = market.Store(target).macro_rows([SPREAD]).set_index("date")["value"]
    whole = served.macro_rows([SPREAD]).set_index("date")["value"].dropna()
    pd.testing.assert_series_equal(now, whole[:END])


def test_a_series_that_is_cut_too_short_is_refused(client, providers, tmp_path):
    providers.faults["DGS10"] = ["rolling!"]  # the catalogue knows of no limit for this one
    table = fetch.fetch(client, tmp_path / "market", ["DGS10", "DGS2"], as_of=END)
    assert state_of(table, "DGS10")["state"] == "failed"
    assert "values where at least" in state_of(table, "DGS10")["detail"]


@needs_reference
@pytest.mark.parametrize(
    ("fault", "address"),
    [(None, "blobby/go/1-2/downloads/3/ie_data.xls"), ("empty!", files.SHILLER.partition(".com/")[2]),
     ("403!", files.SHILLER.partition(".com/")[2])],
)  # fmt: skip
def test_the_workbook_is_found_by_the_link_on_its_page(fault, address, client, providers, tmp_path):
    providers.faults["SHILLER page"] = [fault] if fault else []
    table = fetch.fetch(client, tmp_path / "market", ["SHILLER"], as_of=END)
    assert state_of(table, "SHILLER")["verdict"] == "identical"
    assert providers.addresses[-1] == address


@needs_reference
def test_an_old_copy_of_the_workbook_is_not_used(client, monkeypatch, tmp_path):
    monkeypatch.setitem(market.catalogue()["SHILLER"], "last_known", "2027-05-01")
    with pytest.raises(HelperError, match=r"an old copy is not used; see whether shillerdata\.com"):
        fetch.fetch(client, tmp_path / "market", ["SHILLER"], as_of=END)


# ------------------------------------------------------------------------------------------ dated holdings


def lists_in(target):
    return market.Market(market.Store(target)).holdings_dates()


def test_the_dated_holdings_are_fetched_once(client, providers, served, tmp_path):
    target = tmp_path / "market"
    fetch.fetch(client, target, ["IWM-HOLDINGS"], as_of=END)
    assert lists_in(target) == sorted(market.catalogue()["IWM-HOLDINGS"]["dates"])
    assert providers.asked["IWM-HOLDINGS"] == 7  # the newest is one of the seven
    for day in lists_in(target):
        name = f"holdings/IWM_{day}.csv"
        pd.testing.assert_frame_equal(
            pd.read_csv(target / name, keep_default_na=False),
            pd.read_csv(served.path / name, keep_default_na=False),
        )
    fetch.fetch(client, target, ["IWM-HOLDINGS"], as_of=END)
    assert providers.asked["IWM-HOLDINGS"] == 8


def test_a_list_that_is_not_served_is_named_and_asked_for_again(client, providers, tmp_path, monkeypatch):
    entry = market.catalogue()["IWM-HOLDINGS"]
    monkeypatch.setitem(entry, "dates", ["2025-11-05", "2019-06-28"])
    table = fetch.fetch(client, tmp_path / "market", ["IWM-HOLDINGS"], as_of=END)
    assert state_of(table, "IWM-HOLDINGS")["state"] == "new"
    assert state_of(table, "IWM-HOLDINGS")["detail"] == "the provider gave no list of 2019-06-28"
    assert "2025-11-05" in lists_in(tmp_path / "market")


@pytest.mark.parametrize(("fault", "asked"), [("500", 4), ("429", 4), ("html", 7), ("layout", 7)])
def test_a_provider_that_tires_of_dated_lists_keeps_the_newest(fault, asked, providers, tmp_path):
    class Second(list):
        """No fault for the first question, the same one ever after."""

        def __bool__(self):
            return providers.asked["IWM-HOLDINGS"] > 1

    providers.faults["IWM-HOLDINGS"] = Second([f"{fault}!"])
    table = fetch.fetch(client_of(providers), tmp_path / "market", ["IWM-HOLDINGS"], as_of=END)
    row = state_of(table, "IWM-HOLDINGS")
    assert row["state"] == "new"
    assert row["detail"].startswith("the provider gave no list of 2025-05-13, ")
    assert lists_in(tmp_path / "market") == [max(market.catalogue()["IWM-HOLDINGS"]["dates"])]
    assert providers.asked["IWM-HOLDINGS"] == asked


# --------------------------------------------------------------------------------------------------- faults

#: Fault -> words of the sentence, by series. A fault that ends in "!" never ends.
LASTING = {
    "^RUT": {
        "429!": "too many requests (429)",
        "500!": "the server failed (500)",
        "hang!": "no answer within 0.5 seconds",
        "truncate!": "the connection failed or broke off",
        "html!": "a web page or a broken answer",
        "empty!": "Yahoo has no prices",
        "conflict!": "stands twice in Yahoo's answer, with different prices",
        "split!": "a split not adjusted?",
        "layout!": "another layout",
        "zone!": "is no New York session; are its dates of another time zone?",
    },
    "IWM": {"split!": "a split not adjusted?", "conflict!": "stands twice", "empty!": "Yahoo has no prices"},
    "DGS10": {
        "429!": "too many requests (429)",
        "500!": "the server failed (500)",
        "hang!": "no answer within 0.5 seconds",
        "truncate!": "the connection failed or broke off",
        "html!": "a web page came instead of data",
        "empty!": "it has no value",
        "duplicate!": "stands twice",
        "layout!": "another layout",
    },
    "FF3M": {
        "429!": "too many requests (429)",
        "500!": "the server failed (500)",
        "truncate!": "the connection failed or broke off",
        "html!": "a web page came instead of data",
        "empty!": "holds no table",
        "missing-session!": "does not follow",
        "layout!": "holds no table",
    },
    "IWM-HOLDINGS": {
        "429!": "too many requests (429)",
        "500!": "the server failed (500)",
        "403!": "the provider refuses this machine (403)",
        "html!": "a web page came instead of data",
        "empty!": "has 0 rows",
        "layout!": "another layout",
    },
}
WIRE = {"^RUT": "^RUT", "IWM": "IWM", "DGS10": "DGS10", "FF3M": "F-F_Research_Data_Factors"}


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name in LASTING for fault in LASTING[name]])
def test_a_fault_leaves_the_old_vintage_and_says_what_happened(name, fault, providers, target):
    before = hashes(target)
    providers.faults[WIRE.get(name, name)] = [fault]
    client = client_of(providers, timeout=0.5 if fault == "hang!" else 5)
    with pytest.raises(HelperError) as told:
        fetch.fetch(client, target, [name], as_of=END)
    assert LASTING[name][fault] in str(told.value)
    assert name in str(told.value)
    assert str(told.value).endswith(".")
    assert hashes(target) == before
    assert isinstance(told.value, RateLimitError) == (fault == "429!")


@pytest.mark.parametrize("name", ["^RUT", "DGS10", "FF3M", "IWM-HOLDINGS"])
@pytest.mark.parametrize("fault", ["429", "500", "truncate", "hang"])
def test_a_passing_fault_is_waited_out(name, fault, providers, target):
    providers.faults[WIRE.get(name, name)] = [fault]
    client = client_of(providers, timeout=1 if fault == "hang" else 5)
    table = fetch.fetch(client, target, [name], as_of=END)
    assert list(table["state"]) == ["new"]
    assert providers.asked[WIRE.get(name, name)] >= 2


def test_one_bad_series_does_not_hold_up_the_others(client, providers, target):
    before, _ = hashes(target)
    providers.faults["IWM"] = ["split!"]
    table = fetch.fetch(client, target, FEW, as_of=END)
    after, _ = hashes(target)
    assert state_of(table, "IWM")["state"] == "kept"
    assert state_of(table, "^RUT")["state"] == "new"
    assert after["IWM"] == before["IWM"]
    assert after["^RUT"] != before["^RUT"]
    assert market.Store(target).manifest["symbols"]["IWM"]["vintage"] == "kept"


def test_a_file_shorter_than_the_old_one_is_refused(client, providers, target, served, monkeypatch):
    name = "french/F-F_Research_Data_Factors.csv"
    lines = (served.path / name).read_text().splitlines(keepends=True)
    blank = next(i for i in range(20, len(lines)) if not lines[i].strip())
    monkeypatch.setattr(providers, "_french", lambda stem, fault: _zipped(lines[: blank - 3] + lines[blank:]))
    with pytest.raises(HelperError, match="the old one is kept"):
        fetch.fetch(client, target, ["FF3M"], as_of=END)


def _zipped(lines):
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.csv", "".join(lines))
    return packed.getvalue()


@needs_reference
@pytest.mark.parametrize(
    ("fault", "words"),
    [("html", "a web page"), ("truncate!", "broke off"), ("500!", "failed (500)"), ("429!", "429")],
)
def test_shillers_workbook_fails_in_a_sentence(client, providers, tmp_path, fault, words):
    providers.faults["SHILLER"] = [fault]
    with pytest.raises(HelperError) as told:
        fetch.fetch(client, tmp_path / "market", ["SHILLER"], as_of=END)
    assert words in str(told.value)


@needs_reference
def test_shillers_workbook_gives_the_stored_columns(client, served, tmp_path, monkeypatch):
    fetch.fetch(client, tmp_path / "market", ["SHILLER", "DGS10"], as_of=END)
    ours = market.Market(market.Store(tmp_path / "market")).shiller()
    theirs = market.Market(served).shiller()
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    monkeypatch.setitem(files._SHILLER_HEAD, 12, "TR CAPE")
    with pytest.raises(HelperError, match="another layout"):
        files.parse_shiller("SHILLER", (served.path / "shiller/ie_data.xls").read_bytes())
    with pytest.raises(HelperError, match="cannot be read"):
        files.parse_shiller("SHILLER", b"PK no workbook")


# --------------------------------------------------------------------------------------- 429 and going on


def test_after_429_for_good_the_next_run_goes_on(client, providers, target, served):
    providers.faults["IWM"] = ["429!"]
    before = hashes(target)
    with pytest.raises(RateLimitError, match="it goes on from there"):
        fetch.fetch(client, target, FEW, as_of=END)
    assert hashes(target) == before
    # Another provider was asked all the same, and everything that came is kept.
    assert providers.asked["DGS10"] == 1
    assert vintage.staged_end(target) == END
    providers.faults.clear()
    providers.asked.clear()
    # A later day, another wish: the stopped run's last day and its series are taken along.
    table = fetch.fetch(client, target, ["IWM"])
    assert set(table["series"]) == set(FEW)
    assert {name for name, count in providers.asked.items() if count and name} == {"IWM"}
    assert not same_as(market.Store(target), served)


def test_a_stopped_run_of_last_week_is_not_continued(client, providers, target):
    providers.faults["IWM"] = ["429!"]
    with pytest.raises(RateLimitError):
        fetch.fetch(client, target, ["DGS10", "IWM"], as_of=END)
    plan = vintage.next_folder(target) / "plan.json"
    plan.write_text(json.dumps({"end": END, "begun": "2020-01-01"}))
    assert vintage.staged_end(target) is None
    providers.faults.clear()
    fetch.fetch(client, target, ["DGS10"], as_of=BEFORE)
    assert providers.asked["DGS10"] == 2


def test_a_staged_piece_that_cannot_be_read_is_fetched_again(client, providers, target, served):
    providers.faults["IWM"] = ["429!"]
    with pytest.raises(RateLimitError):
        fetch.fetch(client, target, ["DGS10", "IWM"], as_of=END)
    (vintage.next_folder(target) / "DGS10" / "series.parquet").write_bytes(b"PAR1 half")
    providers.faults.clear()
    fetch.fetch(client, target, ["DGS10", "IWM"], as_of=END)
    assert not [name for name in same_as(market.Store(target), served) if name in {"DGS10", "IWM"}]


def test_a_silent_provider_is_not_asked_for_every_series(providers, target):
    names = ["DGS2", "DGS10", "DGS30", "DFF", "FEDFUNDS", "T10YIE"]
    for name in names:
        providers.faults[name] = ["500!"]
    client = client_of(providers, retry=Retry(0))
    table = fetch.fetch(client, target, [*names, "IWM"], as_of=END)
    assert sum(providers.asked[name] for name in names) == fetch.PATIENCE
    assert "did not answer" in state_of(table, "T10YIE")["detail"]
    assert state_of(table, "DGS10")["state"] == "kept"
    assert state_of(table, "DGS2")["state"] == "failed"


def test_a_company_that_is_gone_is_no_failure(client, providers, target, monkeypatch):
    monkeypatch.setattr(
        providers,
        "_chart",
        lambda *_: (404, b'{"chart": {"result": null, "error": {"description": "gone"}}}', {}),
    )
    table = fetch.fetch(client, target, ["DENN", "DGS10"], as_of=END)
    assert state_of(table, "DENN")["state"] == "ended"


def test_ctrl_c_keeps_what_was_fetched(client, providers, target, monkeypatch, capsys):
    before = hashes(target)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "FETCHERS", {**files.FETCHERS, "french": stop})
    monkeypatch.setenv("MARKET_DATA", str(target))
    monkeypatch.setattr(command, "connect", lambda: client)
    assert __main__.main(["data", "--only", "DGS10", "FF3M", "--as-of", END]) == 130
    assert "the next run goes on" in capsys.readouterr().err
    assert hashes(target) == before
    assert vintage.Stage(target, END).has("DGS10")


# -------------------------------------------------------------------------------------------------- writing

KILLER = """
import json, os, shutil, sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from loopback import session_to
from urllib3 import Retry
from helpers import files, fingerprints, market
from helpers.sources import fetch
from helpers.sources.http import Client

base, old, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
files.CACHE = work / "cache"
import yfinance.data, pyarrow.parquet as pq

state, log = {{"step": 0, "count": 0}}, []

def dying(function, name):
    def wrapped(*arguments, **options):
        state["count"] += 1
        log.append(name)
        if state["count"] == state["step"]:
            # Half of a file's bytes, as a kill in the middle of writing would leave them.
            if name == "copyfile":
                Path(arguments[1]).write_bytes(Path(arguments[0]).read_bytes()[:99])
            os._exit(9)
        return function(*arguments, **options)
    return wrapped

def run(target):
    client = Client(session=session_to(base), yahoo=session_to(base), retry=Retry(0), timeout=5)
    fetch.fetch(client, target, ["FEDFUNDS", "FF3M"], as_of={end!r})

def whole(target):
    files.recover(target)
    return fingerprints.compute(market.Store(target))["FEDFUNDS"]

def child(target, step):
    pid = os.fork()
    if pid == 0:
        state.update(step=step, count=0)
        try:
            run(target)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

target = work / "market"
was = whole(old)
shutil.copytree(old, target)
steps_of = {{os: ["replace"], shutil: ["rmtree", "copyfile"], pq: ["write_table"]}}
for module, name in [(module, name) for module, names in steps_of.items() for name in names]:
    setattr(module, name, dying(getattr(module, name), name))
Path.write_bytes = dying(Path.write_bytes, "write_bytes")
run(target)  # here, so that the children need not import and read everything anew
named = list(log)
now = whole(target)
result = dict(steps=named, old=0, new=0, bad=[])
for step in range(1, len(named) + 1):
    shutil.rmtree(target)
    shutil.rmtree(work / "market.next", ignore_errors=True)
    shutil.copytree(old, target)
    code = child(target, step)
    found = whole(target)
    if code != 9 or found not in (was, now):
        result["bad"].append([step, named[step - 1], code])
    result["old" if found == was else "new"] += 1
    # The next run takes the lock over and ends in the new store, with nothing left beside it.
    code = child(target, 0)
    left = sorted(path.name for path in work.iterdir() if path.name.startswith("market."))
    if code or whole(target) != now or left:
        result["bad"].append([step, named[step - 1], code, "next run", left])
print(json.dumps(result))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_point_of_the_writing(client, providers, tmp_path):
    old = tmp_path / "before" / "market"
    fetch.fetch(client, old, ["FEDFUNDS", "FF3M"], as_of=BEFORE)
    script = KILLER.format(root=str(ROOT), tests=str(ROOT / "tests"), end=END)
    result = reporting.told(script, providers.base, old, tmp_path)
    assert not result["bad"], result
    assert {"replace", "copyfile", "write_table", "write_bytes", "rmtree"} <= set(result["steps"])
    assert result["old"] > 5
    assert result["new"] > 0


def test_a_full_disk_is_told_and_nothing_is_lost(client, target, monkeypatch):
    import errno

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = hashes(target)
    monkeypatch.setattr(vintage, "write", full)
    with pytest.raises(HelperError, match=r"the disk is full.*as it was"):
        fetch.fetch(client, target, ["DGS10"], as_of=END)
    assert hashes(target) == before


def test_a_damaged_store_is_set_aside(client, target, served):
    with (target / "prices.parquet").open("r+b") as stream:
        stream.truncate(1000)
    table = fetch.fetch(client, target, FEW, as_of=END)
    assert set(table["state"]) == {"new"}
    assert not same_as(market.Store(target), served)
    assert (target.with_name("market.damaged") / "prices.parquet").stat().st_size == 1000


def test_a_link_is_followed(client, target, tmp_path, monkeypatch):
    link = tmp_path / "link"
    link.symlink_to(target)
    monkeypatch.setenv("MARKET_DATA", str(link))
    fetch.fetch(client, fetch.target_folder(), ["DGS10"], as_of=END)
    assert link.is_symlink()
    assert market.Store(link).manifest["series"]["DGS10"]["last"] > BEFORE


def test_two_runs_at_once(client, target):
    with vintage.locked(target), pytest.raises(HelperError, match="Another run is fetching"):
        fetch.fetch(client, target, ["DGS10"], as_of=END)
    assert not vintage.next_folder(target).exists()


# ----------------------------------------------------------------------------------------------- validation


@pytest.fixture
def bars():
    """A hundred sound bars."""
    dates = calendar.sessions("2026-03-31", END)
    close = pd.Series(range(1000, 1000 + len(dates)), dtype=float) / 10
    frame = pd.DataFrame({"symbol": "X", "date": dates, "close": close, "adj_close": close * 0.98})
    return frame.assign(open=close, high=close + 1, low=close - 1, volume=1000.0)


ENTRY = {
    "id": "X", "group": "etf", "first": "2026-03-31", "last_known": END, "missing": [], "frequency": "daily",
}  # fmt: skip


def test_sound_bars_pass(bars):
    found = validate.prices(bars, ENTRY, END, bars)
    assert not found.faults
    assert not found.notes
    assert not found.changes


def change(column, row, value):
    def changed(frame):
        frame.loc[frame.index[row], column] = value
        return frame

    return changed


def times(columns, part, factor):
    def changed(frame):
        frame.loc[frame.index[part], columns] *= factor
        return frame

    return changed


PRICES = ["open", "high", "low", "close", "adj_close"]
DEFECTS = {
    "not a positive number": change("low", 5, -1.0),
    "volume is negative": change("volume", 5, -1.0),
    "do not enclose the close": change("high", 5, 50.0),
    "a split not adjusted": times(PRICES, slice(0, 40), 2),
    "a factor of 0.3": times(PRICES, slice(0, 40), 3),
    "adjusted and plain closes part": times("adj_close", slice(0, 40), 2),
    "is no New York session;": change("date", -1, pd.Timestamp("2026-08-22")),
    "not in order": lambda frame: frame.iloc[::-1],
    "stands twice": lambda frame: pd.concat([frame.head(3), frame.tail(-2)]),
    "sessions before": lambda frame: frame.head(-8),
    "before the old vintage": lambda frame: frame.head(-1),
    "was in the old vintage": lambda frame: frame.tail(-1),
    "rows where at least": lambda frame: frame.tail(30),
    "it has no value": lambda frame: frame.head(0),
}


@pytest.mark.parametrize("words", DEFECTS)
def test_a_defect_of_prices_is_a_fault(words, bars):
    found = validate.prices(DEFECTS[words](bars.copy()), ENTRY, END, bars)
    assert any(words in fault for fault in found.faults), found


def test_a_known_fall_and_a_known_gap_are_none(bars):
    fallen = times(PRICES, slice(0, 40), 2)(bars.copy())
    assert not validate.prices(fallen, ENTRY, END, fallen).faults
    gap = bars.drop(index=5)
    assert validate.prices(gap, ENTRY, END, gap).gaps == [pd.Timestamp("2026-04-08")]
    entry = {**ENTRY, "missing": ["2026-04-08"]}
    assert not validate.prices(gap, entry, END, gap).gaps


def test_what_differs_from_the_old_vintage_is_listed(bars):
    found = validate.prices(change("close", 5, 100.9)(bars.copy()), ENTRY, END, bars)
    assert not found.faults
    assert f"1 of {len(bars)} closes differ from the old vintage (2026-04-08)" in found.notes
    (listed,) = found.changes
    assert listed.iloc[0].to_dict() == {
        "date": bars["date"][5], "old": 100.5, "new": 100.9, "field": "close",
    }  # fmt: skip
    later = bars.assign(adj_close=bars["adj_close"] * 0.99)
    found = validate.prices(later, ENTRY, END, bars)
    assert not found.faults + found.changes
    assert "all by the factor 0.99 (dividends or a split since)" in found.notes[0]


def test_a_split_of_all_prices_is_told_as_one(bars):
    halved = bars.copy()
    halved[PRICES] *= 0.5
    found = validate.prices(halved, ENTRY, END, bars)
    assert not found.faults
    assert "all by the factor 0.5 (a split)" in found.notes[0]


def test_a_monthly_gap_and_an_old_end_are_faults():
    entry = {
        **ENTRY,
        "group": "macro",
        "unit": "percent",
        "frequency": "monthly",
        "first": "2025-01-01",
        "missing": ["2025-10-01"],
    }
    dates = pd.date_range("2025-01-01", "2026-07-01", freq="MS").drop(pd.Timestamp("2025-10-01"))
    sound = pd.DataFrame({"series": "X", "date": dates, "value": 1.0})
    assert not validate.macro(sound, entry, END).faults
    assert "periods are missing (2025-05)" in validate.macro(sound.drop(index=4), entry, END).faults[0]
    assert "days before" in validate.macro(sound.head(12), entry, END).faults[0]
    revised = change("value", 3, 1.1)(sound.copy())
    found = validate.macro(revised, entry, END, sound)
    assert found.notes == ["1 of 18 values were revised (2025-04-01)"]
    assert len(found.changes) == 1


def test_differences_are_listed_in_a_file_outside_the_store(client, providers, target, monkeypatch):
    chart = providers._chart

    def revised(name, query, fault):
        status, body, headers = chart(name, query, fault)
        answer = json.loads(body)
        quote = answer["chart"]["result"][0]["indicators"]["quote"][0]
        quote["close"][10] += 0.05
        return status, json.dumps(answer).encode(), headers

    monkeypatch.setattr(providers, "_chart", revised)
    (helpers_files.CACHE / fetch.CHANGES).unlink(missing_ok=True)
    fetch.fetch(client, target, ["^RUT"], as_of=END)
    listed = pd.read_csv(helpers_files.CACHE / fetch.CHANGES)
    assert list(listed["series"]) == ["^RUT"]
    assert round(float(listed["new"][0] - listed["old"][0]), 2) == 0.05


# -------------------------------------------------------------------------------------------------- command


@pytest.fixture
def line(client, target, monkeypatch, capsys):
    """The command line on the small store, its client led to this machine."""
    monkeypatch.setenv("MARKET_DATA", str(target))
    monkeypatch.setattr(command, "connect", lambda: client)

    def run(*arguments):
        code = __main__.main(["data", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_the_command_ends_with_a_table(line):
    code, out, err = line("--only", *FEW, "--as-of", END)
    assert code == 0, err
    head, *rows = out.splitlines()
    assert head.split()[:7] == ["series", "rows", "first", "last", "gaps", "state", "verdict"]
    assert len(rows) == len(FEW) + 1
    assert "[1/5] ^RUT: new" in err
    if REFERENCE is not None:
        assert all("identical" in row for row in rows[:4])


def test_a_terminal_gets_a_bar_and_lines_for_what_failed(client, providers, target, capsys):
    providers.faults["IWM"] = ["split!"]
    fetch.fetch(client, target, ["IWM", "DGS10"], as_of=END, report=fetch.Progress(bar=True))
    err = capsys.readouterr().err
    assert "2/2" in err or "1/2" in err
    assert "IWM: kept (the close jumps" in err
    assert "DGS10: new" not in err


def test_the_command_fails_with_a_sentence(line, providers):
    providers.faults["IWM"] = ["split!"]
    code, out, err = line("--only", "IWM", "DGS10", "--as-of", END)
    assert code == 1
    assert "kept" in out
    assert err.splitlines()[-1].startswith("error: 1 series did not pass")
    assert "--only IWM" in err.splitlines()[-1]


def test_the_command_says_429_in_one_sentence(line, providers):
    providers.faults["IWM"] = ["429!"]
    code, _, err = line("--only", "IWM", "DGS10", "--as-of", END)
    assert code == 2
    assert err.splitlines()[-1].startswith("error: IWM: too many requests (429)")


def test_a_dry_run_touches_nothing(line, providers, target):
    before = listing(target.parent)
    code, out, _ = line("--dry-run", "--as-of", END)
    assert code == 0
    assert "query2.finance.yahoo.com" in out
    assert "fred.stlouisfed.org" in out
    assert f"{len(fetch.chosen(()))} series would be fetched" in out
    assert not providers.asked
    assert listing(target.parent) == before


def test_a_dry_run_says_what_is_staged(line, providers):
    providers.faults["IWM"] = ["429!"]
    line("--only", "IWM", "DGS10", "--as-of", END)
    _, out, _ = line("--dry-run", "--only", "IWM", "DGS10")
    assert "1 of them are staged" in out


def test_verify_shows_every_series(line):
    code, out, _ = line("--verify")
    assert code == 1  # most series are absent from the small store
    assert len(out.splitlines()) == len(market.catalogue()) + 2
    assert "are absent" in out.splitlines()[-1]


@needs_reference
def test_the_reference_store_verifies(line, served, monkeypatch):
    monkeypatch.setenv("MARKET_DATA", str(served.path))
    code, out, _ = line("--verify")
    assert code == 0
    assert out.splitlines()[-1].startswith(f"All {len(market.catalogue())} series are identical")


@needs_reference
def test_a_store_that_goes_on_is_identical_where_both_are(served, monkeypatch):
    """A year later the year in which the fingerprints end is longer, and no difference."""
    known = fingerprints.listed()
    rows = served.price_rows(["IWM"], ["close", "adj_close"]).set_index("date")
    for field in ("close", "adj_close"):
        known["series"]["IWM"][field] |= fingerprints.year_hashes(rows.loc["2026-01-01":"2026-03-31", field])
    monkeypatch.setattr(fingerprints, "listed", lambda: known)
    table = verify.verdicts(served).set_index("series")
    assert table.loc["IWM", "verdict"] == "identical"
    known["series"]["IWM"]["close"]["2026"] = "0" * 12
    assert verify.verdicts(served).set_index("series").loc["IWM", "verdict"] == "1 year differs (2026)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--as-of", "2099-01-05"], "not over yet"),
        (["--as-of", "2025-12-13"], "the one before it is 2025-12-12"),
        (["--as-of", "yesterday"], "write it as 2024-01-31"),
        (["--since", "11.12.2025"], "write it as 2024-01-31"),
        (["--since", "2026-08-22", "--as-of", END], "lies after the last day"),
        (["--only", "IWX"], "did you mean"),
        (["--only", "LISTINGS"], "no free provider"),
    ],
)
def test_bad_arguments_get_one_sentence(line, providers, arguments, words):
    code, _, err = line(*arguments)
    assert code == 2
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not providers.asked


def test_the_last_day_is_over():
    zone = "America/New_York"
    assert fetch.last_day(pd.Timestamp("2026-08-21 15:59", tz=zone)) == "2026-08-20"
    assert fetch.last_day(pd.Timestamp("2026-08-21 18:30", tz=zone)) == "2026-08-21"
    assert fetch.last_day(pd.Timestamp("2026-08-23 12:00", tz=zone)) == "2026-08-21"


def test_staleness():
    last = pd.Timestamp("2026-08-21")
    assert market.staleness(last, pd.Timestamp("2026-10-05")) is None
    assert "end on 2026-08-21, 46 days ago" in str(market.staleness(last, pd.Timestamp("2026-10-06 12:00")))


# ------------------------------------------------------------------------- providers as they are, by the command

DAY = "2026-08-17"


def errors(err):
    """Lines on standard error that are no progress."""
    return [text for text in err.splitlines() if not text.startswith("[")]


def fetched(target, name):
    """A series of the store by date: closes, or values."""
    rows = store.Store(target)
    if rows.manifest["series"].get(name):
        return rows.macro_rows([name]).set_index("date")["value"]
    return rows.price_rows([name], ["close"]).set_index("date")["close"]


@pytest.mark.parametrize("way", ["gap", "null"])
def test_a_session_missing_for_all_is_kept_with_its_name(way, line, providers, target):
    providers.everywhere = f"{way}:{DAY}"
    code, out, err = line("--only", "^RUT", "IWM", "DGS10", "--as-of", END)
    assert code == 0, err
    assert re.search(r"\^RUT +[\d,]+ .* 1 +new", out)
    (told,) = [text for text in errors(err) if "without" in text]
    assert f"2 series (IWM and ^RUT) are kept without {DAY}" in told
    assert "--as-of 2026-08-14 makes a store that ends before" in told
    kept = store.Store(target)
    assert kept.gaps("^RUT") == kept.gaps("IWM") == [DAY]
    assert not kept.manifest["series"]["DGS10"].get("gaps")
    with pytest.raises(HelperError, match=DAY):
        market.Market(kept).prices("^RUT", "close", "2026-08-14", "2026-08-18")
    assert len(market.Market(kept).prices("^RUT", "close", "2026-08-18", END)) == 4
    # A run that does not ask for it again keeps the name of the gap.
    line("--only", "DGS10", "--as-of", END)
    assert store.Store(target).gaps("IWM") == [DAY]


def test_a_shorter_question_fills_the_gap(line, providers, target, served):
    providers.faults["IWM"] = [f"gap:{DAY}"]
    line("--only", "IWM", "--as-of", END)
    assert not store.Store(target).gaps("IWM")
    assert not [name for name in same_as(store.Store(target), served) if name == "IWM"]
    assert providers.asked["IWM"] == 2


def test_a_day_that_nobody_gets_is_not_asked_for_by_all(line, providers, target):
    providers.everywhere = f"gap:{DAY}"
    names = ["^RUT", "^GSPC", "IWM", "SPY", "TLT", "GLD"]
    line("--only", *names, "--as-of", END)
    asked = {name: providers.asked[name] for name in names}
    assert sorted(asked.values()) == [1, 1, 1, 2, 2, 2]
    assert all(store.Store(target).gaps(name) == [DAY] for name in names)


@pytest.mark.parametrize("name", ["IWM", "DGS10"])
def test_an_old_store_that_has_the_day_fills_it(name, line, providers, target):
    line("--only", name, "--as-of", "2026-08-19")
    providers.faults[name] = [f"gap:{DAY}!"]
    code, _, err = line("--only", name, "--as-of", END)
    assert code == 0, err
    assert pd.Timestamp(DAY) in fetched(target, name).index
    assert not (store.Store(target).manifest["symbols"] | store.Store(target).manifest["series"])[name].get(
        "gaps"
    )


def test_the_day_comes_from_the_old_store_on_the_new_basis():
    dates = calendar.sessions("2026-08-03", "2026-08-21")
    before = pd.DataFrame({"date": dates, **dict.fromkeys(PRICES, 100.0)})
    fresh = before.drop(index=5).assign(adj_close=98.0)
    whole = fetch.filled(fresh, before, [dates[5]])
    assert list(whole["date"]) == list(dates)
    assert set(whole["adj_close"].round(9)) == {98.0}
    assert set(whole["close"]) == {100.0}


def test_many_gaps_are_a_series_that_was_cut(line, providers):
    days = calendar.sessions("2026-08-05", "2026-08-14")
    providers.faults["IWM"] = [f"gap:{','.join(f'{day:%Y-%m-%d}' for day in days)}!"]
    code, _, err = line("--only", "IWM", "DGS10", "--as-of", END)
    assert code == 1
    assert "8 sessions are missing (2026-08-05, 2026-08-06, 2026-08-07 and 5 more)" in err


def answer(change):
    """Yahoo's answer, changed by a function of its one result."""

    def changed(chart, name, query, fault):
        status, body, headers = chart(name, query, fault)
        content = json.loads(body)
        change(content["chart"]["result"][0])
        return status, json.dumps(content).encode(), headers

    return changed


def quotes(**columns):
    return answer(lambda result: result["indicators"]["quote"][0].update(
        {name: change(result["indicators"]["quote"][0][name]) for name, change in columns.items()}
    ))  # fmt: skip


def still(values):
    return [*values[:-20], *values[-21:-20] * 20]


def without_closes(values):
    return [None] * len(values)


def cents(values):
    return [*values[:-504], *(value * 100 for value in values[-504:])]


def wobbling(values):
    return [value * (1.002 if place % 2 else 0.998) for place, value in enumerate(values)]


STRANGE = {
    "no closes": (quotes(close=without_closes), "it has no closes"),
    "closes that stand still": (
        quotes(open=still, high=still, low=still, close=still), "the close stands still for 21 sessions to 2026-08-21",
    ),
    "a volume beyond belief": (quotes(volume=lambda v: [*v[:-3], 1e30, *v[-2:]]), "beyond belief on 2026-08-19"),
    "early adjusted closes gone": (
        answer(lambda r: r["indicators"]["adjclose"][0].update(
            adjclose=[None] * 900 + r["indicators"]["adjclose"][0]["adjclose"][900:])),
        "the adj_close of 2000-05-26, ",
    ),
    "weeks": (answer(lambda r: r["meta"].update(dataGranularity="1wk")), "prices are not daily (1wk)"),
    "milliseconds": (answer(lambda r: r.update(timestamp=[t * 1000 for t in r["timestamp"]])), "another layout"),
    "no zone": (answer(lambda r: r["meta"].update(exchangeTimezoneName=None)), "another layout"),
    "a day short": (quotes(close=lambda v: v[:-1]), "another layout"),
    "words": (quotes(close=lambda v: [*v[:-1], "n/a"]), "another layout"),
    "numbers for a result": (lambda *_: (200, b'{"chart": {"result": [5], "error": null}}', {}), "a broken answer"),
    "one high in another unit": (
        quotes(high=lambda v: [*v[:-7], 100 * v[-7], *v[-6:]]), "a price is far off the days around it on 2026-08-13",
    ),
    "one low in another unit": (
        quotes(low=lambda v: [*v[:-7], v[-7] / 100, *v[-6:]]), "a price is far off the days around it on 2026-08-13",
    ),
    "two years in another unit": (
        quotes(open=cents, high=cents, low=cents, close=cents), "a price is far off the days around it on 2024-08-",
    ),
    "a history revised day by day": (
        quotes(open=wobbling, high=wobbling, low=wobbling, close=wobbling), "so many closes are not corrected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", STRANGE)
def test_a_strange_answer_costs_its_series_and_no_more(what, line, providers, target, monkeypatch):
    change, words = STRANGE[what]
    chart, before = providers._chart, hashes(target)[0]
    monkeypatch.setattr(providers, "_chart", functools.partial(change, chart))
    code, _, err = line("--only", "IWM", "DGS10", "--as-of", END)
    assert code == 1, err
    assert words in err
    assert hashes(target)[0]["IWM"] == before["IWM"]
    assert "DGS10: new" in err


def test_units_that_change_on_the_way_cost_a_newcomer_that_series_alone(
    line, providers, tmp_path, monkeypatch
):
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / "fresh"))
    change, words = STRANGE["two years in another unit"]
    monkeypatch.setattr(providers, "_chart", functools.partial(change, providers._chart))
    code, _, err = line("--only", "IWM", "DGS10", "--as-of", END)
    assert code == 1, err
    assert words in err
    assert store.Store(tmp_path / "fresh").lives.keys() == {"DGS10"}


def cut(values):
    return values[100:]


#: Kept, and named in the table.
PARTIAL = {
    "no volume": (quotes(volume=without_closes), "it has no volume"),
    "no last close": (quotes(close=lambda v: [*v[:-1], None]), "no close after 2026-08-20"),
    "no lows of weeks": (quotes(low=lambda v: [*v[:-15], *[None] * 15]), "no low after 2026-07-31"),
    "a front that was cut": (
        answer(lambda r: (
            r.update(timestamp=cut(r["timestamp"])),
            r["indicators"]["quote"][0].update({k: cut(v) for k, v in r["indicators"]["quote"][0].items()}),
            r["indicators"]["adjclose"][0].update(adjclose=cut(r["indicators"]["adjclose"][0]["adjclose"])),
        )),
        ", not on 2000-05-26",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PARTIAL)
def test_what_a_series_lacks_is_named(what, line, providers, tmp_path, monkeypatch):
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / "fresh"))
    change, words = PARTIAL[what]
    monkeypatch.setattr(providers, "_chart", functools.partial(change, providers._chart))
    code, out, err = line("--only", "IWM", "--as-of", END)
    assert code in {0, 3}, err
    assert words in out


@pytest.mark.parametrize("day", ["Aug 21, 2031", "May 21, 1999"])
def test_a_list_of_a_day_that_cannot_be_is_refused(day, line, providers, monkeypatch):
    lists = providers._ishares
    form = re.compile(rb'(Fund Holdings as of,)"[^"]*"')
    monkeypatch.setattr(
        providers, "_ishares", lambda *given: form.sub(rb'\1"' + day.encode() + b'"', lists(*given))
    )
    code, _, err = line("--only", "IWM-HOLDINGS", "DGS10", "--as-of", END)
    assert code == 1
    assert "which cannot be; it is not used" in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Price": lambda row: f"-{row['Price']}"}, "has no prices, or negative ones"),
        ({"Price": lambda _: "-"}, "has no prices, or negative ones"),
        (
            {"Ticker": lambda row: row["Name"], "Name": lambda row: row["Ticker"]},
            "has something else where tickers",
        ),
        ({"Weight (%)": lambda row: float(row["Weight (%)"]) / 100}, "has weights that add up to 1 percent"),
    ],
)
def test_a_list_with_other_figures_is_refused(change, words, line, providers, target, monkeypatch):
    lists, before = providers._ishares, hashes(target)

    def changed(*given):
        rows = list(csv.reader(io.StringIO(lists(*given).decode("utf-8-sig"))))
        head = next(row for row in rows if row[:1] == ["Ticker"])
        text = io.StringIO()
        for row in rows:
            named = dict(zip(head, row, strict=False))
            whole = len(row) == len(head) and row != head
            new = named | {column: to(named) for column, to in change.items()} if whole else None
            csv.writer(text).writerow(new.values() if new else row)
        return text.getvalue().encode()

    monkeypatch.setattr(providers, "_ishares", changed)
    code, _, err = line("--only", "IWM-HOLDINGS", "DGS10", "--as-of", BEFORE)
    assert code == 1, err
    assert words in err
    assert hashes(target)[1] == before[1]


#: What a provider does -> words of the fault that keeps the old vintage.
WRONG = {
    ("IWM", "unadjusted"): "adjusted closes equal its closes in all years",
    ("IWM", "no-adjclose"): "it has no adjusted closes",
    ("IWM", "currency"): "prices are in EUR, not in USD",
    ("IWM", "symbol"): "answered with prices of XXX",
    ("IWM", "times:100"): "all closes are 100 times the old vintage's",
    ("IWM", "times:0.92"): "all closes are 0.92 times the old vintage's",
    ("IWM", "missed-split"): "closes are off against the old vintage, the first by a factor of 1.5",
    ("IWM", "spike"): "is off by a factor of 2.",
    ("IWM", "bom-html"): "a broken answer came instead of data",
    ("DGS10", "times:100"): "cannot be in percent: another unit, or wrong",
    ("DGS10", "one:-4.1"): "cannot be in percent",
    ("DGS10", "one:-1.1"): "stands far off the days around it",
    ("DGS10", "one:9.9"): "stands far off the days around it",
    ("DGS10", "times:1.2"): "values are changed by more than a revision",
    ("CPIAUCSL", "times:100"): "cannot be in index 1982-84=100",
    ("DGS10", "bom-html"): "a web page came instead of data",
    ("FF3M", "bom-html"): "a web page came instead of data",
    ("FF3M", "encrypted"): "the library's archive cannot be unpacked",
    ("FF3M", "corrupt"): "the library's archive cannot be unpacked",
    ("FF3M", "bomb"): "larger than 1 MB unpacked",
    ("DGS10", "bomb"): "larger than 1 MB unpacked",
    ("IWM-HOLDINGS", "bomb"): "larger than 1 MB unpacked",
    ("DGS10", "slow"): "the answer was not complete after 4 seconds",
    ("IWM", "slow"): "the answer was not complete after 4 seconds",
    ("DGS10", "429:3600"): "too many requests (429), and asks for 60 minutes of patience",
    ("DGS10", "503:7200"): "the server failed (503), and asks for 120 minutes of patience",
}


@pytest.mark.parametrize(("name", "fault"), WRONG, ids=lambda value: str(value))
def test_what_is_wrong_is_refused_and_the_rest_is_new(name, fault, line, client, providers, target):
    before = hashes(target)[0]
    providers.faults[WIRE.get(name, name)] = [f"{fault}!"]
    client.limit = 1 << 20 if fault == "bomb" else client.limit
    client.deadline = 4 if fault == "slow" else client.deadline
    start = time.monotonic()
    code, _, err = line("--only", name, "DFF", "--as-of", END)
    assert time.monotonic() - start < 20
    assert WRONG[name, fault] in err
    assert "Traceback" not in err
    limited = fault.startswith("429")
    assert code == (2 if limited else 1), err
    after = hashes(target)[0]
    assert after.get(name) == before.get(name)
    assert ("DFF" in after) != limited
    if limited:
        assert errors(err)[-1].startswith("error: DGS10: too many requests (429)")


def test_what_lies_after_the_last_day_is_left_out(line, providers, target, monkeypatch):
    rows = providers._fred
    monkeypatch.setattr(providers, "_fred", lambda *given: rows(*given) + b"2026-08-24,4.2\n2031-01-03,4.2\n")
    code, _, err = line("--only", "DGS10", "--as-of", END)
    assert code == 0, err
    assert str(fetched(target, "DGS10").index[-1])[:10] <= END


def test_two_values_a_month_are_refused(line, providers, monkeypatch):
    rows = providers._fred

    def doubled(*given):
        head, *lines = rows(*given).decode().splitlines()
        return "\n".join(
            [head, *(text for row in lines for text in (row, f"{row[:8]}15{row[10:]}"))]
        ).encode()

    monkeypatch.setattr(providers, "_fred", doubled)
    code, _, err = line("--only", "CPIAUCSL", "--as-of", END)
    assert code == 2
    assert "there is more than one value a period on 1947-01-15" in err


def per_cent_less(row):
    return [row[0], *(f"{float(cell) / 100:.4f}" for cell in row[1:])]


def exchanged(row):
    return [row[0], row[2], row[1], *row[3:]]


def left_blank(row):
    return [row[0], *["-99.99"] * (len(row) - 1)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (per_cent_less, "'Mkt-RF' of 'monthly' is not that of the old vintage; the old one is kept"),
        (exchanged, "'Mkt-RF' of 'monthly' is not that of the old vintage; the old one is kept"),
        (left_blank, "has no value; it is not used"),
    ],
)
def test_a_file_with_other_figures_is_refused(change, words, line, providers, target, served, monkeypatch):
    before = hashes(target)
    rows = [
        text.split(",") for text in (served.path / "french" / f"{WIRE['FF3M']}.csv").read_text().splitlines()
    ]
    rows = [change(row) if len(row) > 1 and row[0].strip().isdigit() else row for row in rows]
    monkeypatch.setattr(providers, "_french", lambda *_: _zipped([",".join(row) + "\n" for row in rows]))
    code, _, err = line("--only", "FF3M", "DGS10", "--as-of", BEFORE)
    assert code == 1, err
    assert words in err
    assert hashes(target)[1] == before[1]


def test_a_short_retry_after_is_obeyed(line, providers):
    providers.faults["DGS10"] = ["503:1"]
    start = time.monotonic()
    code, *_ = line("--only", "DGS10", "--as-of", END)
    assert code == 0
    assert time.monotonic() - start > 1


def test_identical_double_rows_are_no_conflict(line, providers, target, served):
    providers.faults["IWM"] = ["duplicate!"]
    assert line("--only", "IWM", "--as-of", END)[0] in {0, 3}
    assert not [name for name in same_as(store.Store(target), served) if name == "IWM"]


def test_a_series_that_ends_before_the_others_gets_a_note(line, providers):
    providers.faults["IWM"] = ["ends:2026-08-19!"]
    code, out, _ = line("--only", "IWM", "^RUT", "--as-of", END)
    assert code in {0, 3}
    assert "it ends on 2026-08-19, 2 sessions before 2026-08-21" in out


def test_a_split_of_all_prices_with_its_volume_is_one(line, providers, target):
    providers.faults["IWM"] = ["two-for-one!"]
    before = fetched(target, "IWM")
    code, _, err = line("--only", "IWM", "--as-of", END)
    assert code == 3  # the fingerprints hold the prices before the split
    assert "all by the factor 0.5 (a split)" in err
    assert fetched(target, "IWM")[BEFORE] == pytest.approx(before[BEFORE] / 2, abs=0.006)


@needs_reference
def test_years_behind_verdicts_that_differ_have_a_line_and_a_code(line, providers, tmp_path, monkeypatch):
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / "fresh"))
    providers.faults["IWM"] = ["missed-split!"]  # 3:2, which no check can tell from a bad day
    code, out, err = line("--only", "IWM", "^RUT", "--as-of", END)
    assert code == 3
    assert "years differ" in out
    assert "in years that verdicts rest on, 1 series are not those of data/fingerprints.json (IWM)" in err


def test_a_hole_in_a_daily_macro_series_has_a_name(line, providers, target):
    providers.faults["DGS10"] = [f"gap:{DAY}!"]
    code, out, err = line("--only", "DGS10", "--as-of", END)
    assert code == 0
    assert f"no value of {DAY}" in out
    assert store.Store(target).manifest["series"]["DGS10"]["gaps"] == [DAY]
    assert f"1 series (DGS10) are kept without {DAY}" in err


def test_a_file_saved_through_a_spreadsheet_is_read(line, providers):
    providers.faults[WIRE["FF3M"]] = ["commas!"]
    code, out, err = line("--only", "FF3M", "--as-of", END)
    assert code == 0, err
    assert "another edition" in out or REFERENCE is None


def test_a_series_that_no_check_foresaw_costs_only_itself(line, providers, monkeypatch):
    chart = providers._chart

    def strange(name, query, fault):
        status, body, headers = chart(name, query, fault)
        answer = json.loads(body)
        answer["chart"]["result"][0]["indicators"]["quote"][0]["close"][3] = {"raw": 1}
        return status, json.dumps(answer).encode(), headers

    monkeypatch.setattr(providers, "_chart", strange)
    code, _, err = line("--only", "IWM", "DGS10", "--as-of", END)
    assert code == 1
    assert "IWM: kept (Yahoo's answer has another layout" in err
    assert "DGS10: new" in err


def test_a_damaged_series_of_the_old_store_is_fetched_anew(line, target, served):
    rows = store.Store(target).price_rows(["^RUT", "IWM"], store.PRICE_FIELDS)
    rows.loc[rows.index[-3], "close"] = 0.0
    macro = store.Store(target).macro_rows(["DGS10"])
    shutil.rmtree(target)
    store.write(target, {"prices.parquet": rows, "macro.parquet": macro})
    code, _, err = line("--only", "^RUT", "IWM", "--as-of", END)
    assert code in {0, 3}, err
    assert not same_as(store.Store(target), served)[1:]


# ------------------------------------------------------------------------------------- certificates and limits


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A certificate that nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def proxy(served, own, monkeypatch):
    """A company's proxy, which the clients find by themselves; yfinance's memory of its handshakes is wiped."""
    from yfinance.data import YfData

    providers = Providers(served, tls=own)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, providers.base)
    YfData()._crumb = YfData()._cookie = None
    YfData()._cookie_strategy = "basic"
    yield providers
    providers.close()


def own_client(**options):
    """The client as it is, with less patience."""
    return Client(retry=Retry(1), **{"timeout": 5, **options})


@pytest.mark.parametrize("name", ["DGS10", "IWM"])
def test_a_strange_certificate_is_said_at_once(name, proxy, target, monkeypatch, capsys):
    monkeypatch.setenv("MARKET_DATA", str(target))
    monkeypatch.setattr(command, "connect", own_client)
    before = hashes(target)
    start = time.monotonic()
    assert __main__.main(["data", "--only", name, "--as-of", END]) == 2
    assert time.monotonic() - start < 5
    err = capsys.readouterr().err
    assert "certificate could not be verified" in err
    assert "REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE" in err
    assert hashes(target) == before
    assert not proxy.asked[name]


def test_the_remedy_for_a_certificate_helps(proxy, own, target, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", own[0])
    monkeypatch.setenv("CURL_CA_BUNDLE", own[0])
    client = own_client()
    table = fetch.fetch(client, target, ["IWM", "DGS10"], as_of=END)
    assert set(table["state"]) == {"new"}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(target / "none.pem"))
    with pytest.raises(HelperError, match="must name a file, or be unset"):
        fetch.fetch(client, target, ["DGS10"], as_of=END)


@pytest.mark.parametrize(
    ("fault", "limits", "words"),
    [
        ("bomb", {"limit": 1 << 20}, "larger than 1 MB unpacked"),
        ("slow", {"deadline": 2}, "no answer|not complete"),
        ("slow", {"timeout": 1}, "no answer"),
    ],
)
def test_yahoos_own_session_has_the_same_limits(fault, limits, words, proxy, own, target, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", own[0])
    proxy.faults["IWM"] = [f"{fault}!"]
    start = time.monotonic()
    with pytest.raises(HelperError, match=words):
        fetch.fetch(own_client(**limits), target, ["IWM"], as_of=END)
    assert time.monotonic() - start < 15


# ------------------------------------------------------------------------------------------ where it is written


def test_a_list_of_changes_that_cannot_be_written_is_noted(line, providers, target):
    changes = helpers_files.CACHE / fetch.CHANGES
    changes.unlink(missing_ok=True)
    changes.mkdir()  # as good as open in a spreadsheet
    providers.faults["DGS10"] = ["one:4.3!"]
    try:
        line("--only", "DGS10", "--as-of", BEFORE)
        code, _, err = line("--only", "DGS10", "--as-of", END)
    finally:
        changes.rmdir()
    assert code == 3, err
    assert "their list could not be written" in err
    assert str(fetched(target, "DGS10").index[-1])[:10] > BEFORE


def test_a_read_only_checkout_is_no_hindrance(line, tmp_path, target, monkeypatch):
    wall = tmp_path / "wall"
    wall.touch()
    monkeypatch.setattr(helpers_files, "CACHE", wall / "cache")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert line("--only", "IWM", "DGS10", "--as-of", END)[0] in {0, 3}
    assert str(fetched(target, "IWM").index[-1])[:10] == END


def test_a_folder_that_cannot_be_written_is_found_out_first(line, providers, tmp_path, monkeypatch):
    wall = tmp_path / "wall"
    wall.touch()
    monkeypatch.setenv("MARKET_DATA", str(wall / "market"))
    code, _, err = line("--only", "DGS10", "--as-of", END)
    assert code == 2
    assert "Nothing could be written" in err
    assert not providers.asked


def test_a_mount_is_filled(line, target, monkeypatch):
    """Nobody may rename the folder itself, as with a Docker volume."""
    rename = os.replace

    def refusing(source, to):
        if Path(source) == target:
            raise OSError(16, "Device or resource busy")
        rename(source, to)

    monkeypatch.setattr(os, "replace", refusing)
    assert line("--only", "IWM", "DGS10", "--as-of", END)[0] in {0, 3}
    assert str(fetched(target, "IWM").index[-1])[:10] == END
    assert listing(target.parent) == ["market", *(f"market/{name}" for name in listing(target))]


def test_what_a_killed_run_left_is_swept(line, target):
    piece = vintage.next_folder(target) / "IWM.part"
    piece.mkdir(parents=True)
    (piece / "series.parquet").write_bytes(b"half")
    (vintage.next_folder(target) / "plan.json").write_text(
        json.dumps({"end": END, "begun": f"{pd.Timestamp.now():%Y-%m-%d}"})
    )
    assert line("--only", "DGS10", "--as-of", END)[0] in {0, 3}
    assert not vintage.next_folder(target).exists()


INTERRUPTED = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from test_sources import client_of
from loopback import session_to
from helpers import __main__, files
from helpers.sources import command
from helpers.sources.http import Client

files.CACHE = Path({cache!r})
command.connect = lambda: Client(session=session_to({base!r}), yahoo=session_to({base!r}))
sys.exit(__main__.main(["data", "--only", "DGS10", {name!r}, "--as-of", {end!r}]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
@pytest.mark.parametrize("name", ["IWM", "DGS2"])
def test_ctrl_c_while_a_provider_is_silent_ends_in_one_sentence(name, providers, target, tmp_path):
    providers.faults[name] = ["slow!"]
    script = INTERRUPTED.format(
        root=str(ROOT),
        tests=str(ROOT / "tests"),
        base=providers.base,
        cache=str(tmp_path / "cache"),
        name=name,
        end=END,
    )
    run = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, "MARKET_DATA": str(target)}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not providers.asked[name] and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    (told,) = errors(err)
    assert told.startswith("Interrupted: the store is as it was")


# ---------------------------------------------------------------------------------------------- a first store


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without a store."""
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / "market"))
    monkeypatch.delenv("DATA", raising=False)
    known = {e["id"]: e for e in fetch.chosen(("^RUT", "IWM", "SPY", "DGS10"))}
    monkeypatch.setattr(store, "catalogue", lambda: known)
    monkeypatch.setattr(fetch, "last_day", lambda: END)
    return tmp_path / "market"


def test_a_newcomer_gets_a_store(client, providers, nowhere, capsys):
    providers.everywhere = f"gap:{DAY}"
    (nowhere / "lost+found").mkdir(parents=True)  # as a fresh volume has it
    outcome = fetch.first_store(fetch.Progress(bar=True), client)
    assert outcome.state == "fetched"
    assert not outcome.lacks
    assert all(store.Store(nowhere).gaps(name) == [DAY] for name in ("^RUT", "IWM", "SPY"))
    err = capsys.readouterr().err
    assert "DATA=no refuses" in err
    assert "minutes" in err
    assert fetch.first_store(fetch.Progress(quiet=True), client).state == "there"


def test_what_is_no_store_is_left_alone(line, providers, tmp_path, monkeypatch):
    for name in ("thesis.txt", "folder/thesis.txt"):
        strange = tmp_path / "strange"
        (strange / name).parent.mkdir(parents=True, exist_ok=True)
        (strange / name).write_text("mine")
    monkeypatch.setenv("MARKET_DATA", str(strange))
    providers.asked.clear()
    code, _, err = line("--only", "DGS10", "--as-of", END)
    assert code == 2
    assert "holds something that is no store; name another folder with MARKET_DATA" in err
    assert listing(strange) == ["folder", "folder/thesis.txt", "thesis.txt"]
    monkeypatch.setenv("MARKET_DATA", str(strange / "thesis.txt"))
    code, _, err = line("--only", "DGS10", "--as-of", END)
    assert code == 2
    assert "thesis.txt, where market data belong, is no folder" in err
    assert not providers.asked["DGS10"]


def test_who_refuses_is_not_asked_for(client, providers, nowhere, monkeypatch):
    monkeypatch.setenv("DATA", "no")
    assert fetch.first_store(fetch.Progress(quiet=True), client).state == "refused"
    assert not providers.asked
    assert not nowhere.exists()


def test_without_a_network_it_is_known_in_five_seconds(providers, nowhere):
    class Dark(requests.adapters.HTTPAdapter):
        def send(self, *_, **__):
            time.sleep(30)

    session = requests.Session()
    session.mount("https://", Dark())
    start = time.monotonic()
    outcome = fetch.first_store(fetch.Progress(quiet=True), client_of(providers, session=session))
    assert time.monotonic() - start < 5
    assert outcome.state == "offline"
    assert not listing(nowhere.parent)


def test_a_first_store_with_too_little_is_none(client, providers, nowhere):
    for name in ("IWM", "SPY"):
        providers.faults[name] = ["split!"]
    outcome = fetch.first_store(fetch.Progress(quiet=True), client)
    assert outcome.state == "failed"
    assert "Only 1 of 3 price series came" in outcome.sentence
    assert not nowhere.exists()
    providers.faults.clear()
    providers.asked.clear()
    assert fetch.first_store(fetch.Progress(quiet=True), client).state == "fetched"
    assert providers.asked["^RUT"] == 0  # what came the first time was kept


def test_one_series_less_is_named(client, providers, nowhere):
    providers.faults["SPY"] = ["split!"]
    outcome = fetch.first_store(fetch.Progress(quiet=True), client)
    assert outcome.state == "fetched"
    assert outcome.lacks == ("SPY",)


# ---------------------------------------------------------------------------------------------- what ships


def test_the_data_package_fits_the_files():
    description = package.describe()
    assert package.PATH.read_text("utf-8") == package.text(description), (
        "run `python -m tools.package` and commit data/datapackage.json"
    )
    assert not package.faults(description)


def test_the_data_package_sees_a_cell_of_another_type(tmp_path, monkeypatch):
    description = package.describe()
    shutil.copytree(market.DATA / "public", tmp_path / "public")
    shutil.copytree(market.DATA / "facts", tmp_path / "facts")
    monkeypatch.setattr(market, "DATA", tmp_path)
    with (tmp_path / "public" / "DGS10.csv").open("a") as stream:
        stream.write("2000-01-03,n/a\n")
    assert package.faults(description) == [
        "public/DGS10.csv: value holds 'n/a'", "public/DGS10.csv: date is not unique",
    ]  # fmt: skip


# ----------------------------------------------------------------------------------------------- end to end


@pytest.fixture(scope="module")
def whole(_providers, tmp_path_factory):
    """The whole catalogue, fetched once beside the panels that nobody serves."""
    _providers.faults.clear()
    target = tmp_path_factory.mktemp("whole") / "market"
    panels_only(_providers.store, target)
    table = fetch.fetch(client_of(_providers), target, as_of=END)
    return target, table


def test_the_whole_catalogue_is_identical(whole, served):
    target, table = whole
    assert not same_as(market.Store(target), served)
    failed = set(table.loc[table["state"] != "new", "series"])
    if REFERENCE is None:
        # Made-up levels are none of their units, and some made-up funds pay nothing: those are refused.
        assert {"^RUT", "IWM", "DGS10", "FF3M", "IWM-HOLDINGS"}.isdisjoint(failed)
        return
    assert not failed
    verdicts = verify.verdicts(market.Store(target)).set_index("series")
    assert set(verdicts["verdict"]) == {"identical"}


@needs_reference
def test_a_notebook_on_fetched_data_gives_the_committed_verdicts(whole, tmp_path, monkeypatch):
    name = "01-record-highs"
    assert verdicts_of([name], whole[0], tmp_path, monkeypatch) == committed([name])


@slow
@needs_reference
def test_the_whole_collection_on_fetched_data_gives_the_committed_verdicts(whole, tmp_path, monkeypatch):
    names = [name for name in notebooks.names() if notebooks.judges(name)]
    start = time.time()
    found = verdicts_of(names, whole[0], tmp_path / "out", monkeypatch)
    print(f"{len(found)} verdicts in {time.time() - start:.0f} s")
    assert found == committed(names)


def panels_only(store, target):
    """A store that holds nothing but the panels that no provider serves."""
    empty = {"prices.parquet": pd.DataFrame({"symbol": []}), "macro.parquet": pd.DataFrame({"series": []})}
    panels = {name: store.path / name for name in store.files if name in optional_files()}
    write(target, empty, panels, name="panels", last_session=END)


def verdicts_of(names, target, out, monkeypatch):
    """Verdicts of notebooks executed on a store, with all their figures, but not the data they name."""
    monkeypatch.setenv("MARKET_DATA", str(target))
    notebooks.run(names, lambda name: out / f"{name}.ipynb")
    return judged(out)


def committed(names):
    return {key: entry for key, entry in judged(notebooks.FOLDER).items() if entry["notebook"] in names}


def judged(folder):
    found = notebooks.collect({name: notebooks.read(folder / f"{name}.ipynb") for name in notebooks.names(folder)
                               if notebooks.judges(name)})  # fmt: skip
    return {entry["id"]: {key: entry[key] for key in notebooks.CONTRACT} for entry in found}


FRESH = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from loopback import session_to
from helpers import __main__
from helpers.sources import fetch, http

fetch.Client = lambda: http.Client(session=session_to({base!r}), yahoo=session_to({base!r}))
sys.exit(__main__.main(["report", "--out", {out!r}]))
"""


@slow
@needs_reference
def test_a_fresh_machine_publishes_on_a_day_when_a_session_is_missing_for_all(providers, tmp_path):
    """From an empty folder to the site, with the clients as they are; every page is of this run."""
    providers.everywhere = "null:2026-07-24"
    (tmp_path / "market").mkdir()
    names = {
        "root": str(ROOT),
        "tests": str(ROOT / "tests"),
        "base": providers.base,
        "out": str(tmp_path / "site"),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FRESH.format(**names)],
        env={**os.environ, "MARKET_DATA": str(tmp_path / "market"), "DATA": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "code cell" not in done.stderr
    published = json.loads((tmp_path / "site" / "verdicts.json").read_text("utf-8"))
    assert len(published) >= 85
    front = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "are kept without 2026-07-24, which the provider did not give" in front
    assert "whole histories end on 2026-07-23" in front
    was = {entry["id"]: entry["verdict"] for entry in notebooks.verdicts(notebooks.FOLDER)}
    assert sum(was[entry["id"]] == entry["verdict"] for entry in published) >= 85
