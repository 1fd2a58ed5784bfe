"""Live data: the real clients against the providers on this machine, with every fault they can play.

Figures come from the reference store where this machine has it, else from the synthetic market.
"""

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import REFERENCE, ROOT, needs_reference
from loopback import Providers

from helpers import __main__, calendar, fingerprints, market, notebooks
from helpers.files import HelperError
from helpers.sources import command, files, validate, verify, vintage, yahoo
from helpers.sources.http import Client, RateLimitError
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

    return market.Store(synthetic.build(tmp_path_factory.mktemp("synthetic") / "store"))


@pytest.fixture(scope="module", autouse=True)
def _here(tmp_path_factory):
    """No cache in the checkout or the home, no way out of this machine."""
    patch = pytest.MonkeyPatch()
    patch.setattr(market, "CACHE", tmp_path_factory.mktemp("cache"))
    # The synthetic fund holds fewer names than the real one.
    patch.setattr(files, "LEAST_HOLDINGS", 200)
    connect = socket.socket.connect

    def only_loopback(self, address):
        assert not isinstance(address, tuple) or address[0] in {"127.0.0.1", "::1", "localhost"}, address
        return connect(self, address)

    patch.setattr(socket.socket, "connect", only_loopback)
    yield
    patch.undo()


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
    return _providers


def client_of(providers, **options):
    return Client(
        **{
            "session": providers.session(),
            "yahoo": providers.session(),
            "pauses": (0, 0),
            "timeout": 5,
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
    command.fetch(client_of(_providers), target, FEW, as_of=BEFORE)
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
    table = command.fetch(client, target, FEW, as_of=END)
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
    command.fetch(client, tmp_path / "market", ["IWM"], as_of=END)
    assert providers.crumbs == 1
    assert providers.handshakes
    assert all(with_cookie and with_crumb for with_cookie, with_crumb in providers.handshakes)


def test_a_new_vintage_replaces_the_old_one_whole(client, target, served):
    table = command.fetch(client, target, FEW, as_of=END)
    assert set(table["state"]) == {"new"}
    assert not same_as(market.Store(target), served)
    assert not vintage.next_folder(target).exists()
    assert not target.with_name("market.old").exists()


def test_only_some_series_are_fetched_and_the_rest_is_kept(client, providers, target):
    before, _ = hashes(target)
    command.fetch(client, target, ["DGS10"], as_of=END)
    after, _ = hashes(target)
    assert set(after) == set(before)
    assert after["DGS10"] != before["DGS10"]
    assert {name for name in before if after[name] != before[name]} == {"DGS10"}
    assert set(providers.asked) == {"DGS10"}


def test_since_joins_new_rows_to_the_old_ones(client, target, served):
    table = command.fetch(client, target, ["IWM", "^RUT"], since="2026-06-01", as_of=END)
    assert set(table["state"]) == {"new"}
    assert not [name for name in same_as(market.Store(target), served) if name in {"IWM", "^RUT"}]


def test_since_puts_old_rows_on_the_new_basis():
    dates = calendar.sessions("2026-06-01", "2026-06-12")
    columns = ["open", "high", "low", "close", "adj_close"]
    before = pd.DataFrame({"date": dates[:8], **dict.fromkeys(columns, 100.0)})
    fresh = pd.DataFrame({"date": dates[5:], **dict.fromkeys(columns, 50.0)}).assign(adj_close=49.0)
    joined = command.join(before, fresh, "TEST")
    assert list(joined["date"]) == list(dates)
    assert set(joined["close"]) == {50.0}
    assert set(joined["adj_close"].round(9)) == {49.0}
    with pytest.raises(HelperError, match="do not touch"):
        command.join(before[:3], fresh, "TEST")
    within = fresh.assign(close=[100.0, 50.0, 50.0, 50.0, 50.0])
    with pytest.raises(HelperError, match="without --since"):
        command.join(before, within, "TEST")


def test_since_needs_a_store(client, tmp_path):
    with pytest.raises(HelperError, match="leave it out the first time"):
        command.fetch(client, tmp_path / "market", ["IWM"], since="2026-06-01", as_of=END)
    assert not listing(tmp_path)


def test_panels_that_nobody_serves_are_carried_over(client, providers, target, served):
    panel = target / "listings.parquet"
    shutil.copyfile(served.path / "fundamentals.parquet", panel)
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["files"] |= {
        "listings.parquet": {"bytes": panel.stat().st_size, "sha256": market._sha256(panel)},
    }
    (target / "manifest.json").write_text(json.dumps(manifest))
    content = panel.read_bytes()
    command.fetch(client, target, ["DGS10"], as_of=END)
    found = market.Market(market.Store(target))
    assert found.has_file("listings.parquet")
    assert panel.read_bytes() == content
    assert not found.has_file("fundamentals.parquet")
    with pytest.raises(market.StoreError, match=r"data/README\.md says how to add it"):
        found.fundamentals()


def test_an_earlier_as_of_is_no_loss_of_rows(client, target):
    table = command.fetch(client, target, ["IWM", "DGS10"], as_of="2025-12-11")
    assert set(table["state"]) == {"new"}
    assert state_of(table, "IWM")["last"] == "2025-12-11"
    if REFERENCE is not None:
        assert "2025 is cut short" in state_of(table, "IWM")["verdict"]


# ----------------------------------------------------------------------- what providers no longer give out

SPREAD = "BAMLH0A0HYM2"


def test_a_series_cut_to_its_last_years_passes_and_says_so(client, providers, tmp_path):
    providers.faults[SPREAD] = ["rolling!"]
    table = command.fetch(client, tmp_path / "market", [SPREAD, "DGS10"], as_of=END)
    row = state_of(table, SPREAD)
    assert row["state"] == "new"
    assert row["first"].startswith("2023-08")
    assert row["detail"] == f"it begins on {row['first']}: only 3 years are given out"


def test_years_that_are_no_longer_given_out_are_kept_from_the_old_store(client, providers, served, tmp_path):
    target = tmp_path / "market"
    command.fetch(client, target, [SPREAD], as_of="2026-08-14")
    providers.faults[SPREAD] = ["rolling!"]
    table = command.fetch(client, target, [SPREAD], as_of=END)
    assert state_of(table, SPREAD)["state"] == "new"
    now = market.Store(target).macro_rows([SPREAD]).set_index("date")["value"]
    whole = served.macro_rows([SPREAD]).set_index("date")["value"].dropna()
    pd.testing.assert_series_equal(now, whole[:END])


def test_a_series_that_is_cut_too_short_is_refused(client, providers, tmp_path):
    providers.faults["DGS10"] = ["rolling!"]  # the catalogue knows of no limit for this one
    table = command.fetch(client, tmp_path / "market", ["DGS10", "DGS2"], as_of=END)
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
    table = command.fetch(client, tmp_path / "market", ["SHILLER"], as_of=END)
    assert state_of(table, "SHILLER")["verdict"] == "identical"
    assert providers.addresses[-1] == address


@needs_reference
def test_an_old_copy_of_the_workbook_is_not_used(client, monkeypatch, tmp_path):
    monkeypatch.setitem(market.catalogue()["SHILLER"], "last_known", "2027-05-01")
    with pytest.raises(HelperError, match=r"an old copy is not used; see whether shillerdata\.com"):
        command.fetch(client, tmp_path / "market", ["SHILLER"], as_of=END)


# ------------------------------------------------------------------------------------------ dated holdings


def lists_in(target):
    return market.Market(market.Store(target)).holdings_dates()


def test_the_dated_holdings_are_fetched_once(client, providers, served, tmp_path):
    target = tmp_path / "market"
    command.fetch(client, target, ["IWM-HOLDINGS"], as_of=END)
    assert lists_in(target) == sorted(market.catalogue()["IWM-HOLDINGS"]["dates"])
    assert providers.asked["IWM-HOLDINGS"] == 7  # the newest is one of the seven
    for day in lists_in(target):
        name = market.holdings_file(day)
        pd.testing.assert_frame_equal(
            pd.read_csv(target / name, keep_default_na=False),
            pd.read_csv(served.path / name, keep_default_na=False),
        )
    command.fetch(client, target, ["IWM-HOLDINGS"], as_of=END)
    assert providers.asked["IWM-HOLDINGS"] == 8


def test_a_list_that_is_not_served_is_named_and_asked_for_again(client, providers, tmp_path, monkeypatch):
    entry = market.catalogue()["IWM-HOLDINGS"]
    monkeypatch.setitem(entry, "dates", ["2025-11-05", "2019-06-28"])
    table = command.fetch(client, tmp_path / "market", ["IWM-HOLDINGS"], as_of=END)
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
    table = command.fetch(client_of(providers), tmp_path / "market", ["IWM-HOLDINGS"], as_of=END)
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
        "500!": "an error page, a web page or a broken answer",
        "hang!": "no answer within 0.5 seconds",
        "truncate!": "the request failed",
        "html!": "a web page or a broken answer",
        "empty!": "Yahoo has no prices",
        "missing-session!": "the session of 2026-08-17 is missing",
        "duplicate!": "stands twice",
        "split!": "a split not adjusted?",
        "layout!": "another layout",
        "zone!": "is no New York session (a clock in another zone?)",
    },
    "IWM": {"split!": "a split not adjusted?", "duplicate!": "stands twice", "empty!": "Yahoo has no prices"},
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
        command.fetch(client, target, [name], as_of=END)
    assert LASTING[name][fault] in str(told.value)
    assert name in str(told.value)
    assert str(told.value).endswith(".")
    assert hashes(target) == before
    assert isinstance(told.value, RateLimitError) == (fault == "429!")


@pytest.mark.parametrize("name", ["^RUT", "DGS10", "FF3M", "IWM-HOLDINGS"])
@pytest.mark.parametrize("fault", ["429", "500", "truncate", "hang"])
def test_a_passing_fault_is_waited_out(name, fault, providers, target):
    waited = []
    providers.faults[WIRE.get(name, name)] = [fault]
    client = client_of(providers, timeout=1 if fault == "hang" else 5, pauses=(1, 1, 1), wait=waited.append)
    table = command.fetch(client, target, [name], as_of=END)
    assert list(table["state"]) == ["new"]
    assert providers.asked[WIRE.get(name, name)] >= 2
    assert (
        len(waited) <= 1 or fault == "hang"
    )  # yfinance meets a 429 with a new cookie before we have to wait


def test_a_day_that_came_twice_during_trading_is_yahoos_way():
    answer = {"meta": {"exchangeTimezoneName": "America/New_York"}, "timestamp": []}
    stamps = pd.to_datetime(["2026-08-19 13:30", "2026-08-20 13:30", "2026-08-20 18:00"])
    answer["timestamp"] = [int(stamp.timestamp()) for stamp in stamps]
    yahoo._no_day_twice("IWM", [answer], "2026-08-20")
    answer["timestamp"].append(int(pd.Timestamp("2026-08-21 13:30").timestamp()))
    with pytest.raises(HelperError, match="2026-08-20 stands twice"):
        yahoo._no_day_twice("IWM", [answer], END)


def test_one_bad_series_does_not_hold_up_the_others(client, providers, target):
    before, _ = hashes(target)
    providers.faults["IWM"] = ["missing-session!"]
    table = command.fetch(client, target, FEW, as_of=END)
    after, _ = hashes(target)
    assert state_of(table, "IWM")["state"] == "kept"
    assert state_of(table, "^RUT")["state"] == "new"
    assert after["IWM"] == before["IWM"]
    assert after["^RUT"] != before["^RUT"]
    assert market.Store(target).manifest["symbols"]["IWM"]["vintage"] == "kept"


def test_a_session_lost_since_the_old_vintage_is_a_fault(client, providers, target):
    command.fetch(client, target, ["DGS10"], as_of=END)
    before = hashes(target)
    providers.faults["DGS10"] = ["missing-session!"]
    with pytest.raises(HelperError, match="was in the old vintage and is gone"):
        command.fetch(client, target, ["DGS10"], as_of=END)
    assert hashes(target) == before


def test_a_file_shorter_than_the_old_one_is_refused(client, providers, target, served, monkeypatch):
    name = "french/F-F_Research_Data_Factors.csv"
    lines = (served.path / name).read_text().splitlines(keepends=True)
    blank = next(i for i in range(20, len(lines)) if not lines[i].strip())
    monkeypatch.setattr(providers, "_french", lambda stem, fault: _zipped(lines[: blank - 3] + lines[blank:]))
    with pytest.raises(HelperError, match="the old one is kept"):
        command.fetch(client, target, ["FF3M"], as_of=END)


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
        command.fetch(client, tmp_path / "market", ["SHILLER"], as_of=END)
    assert words in str(told.value)


@needs_reference
def test_shillers_workbook_gives_the_stored_columns(client, served, tmp_path, monkeypatch):
    command.fetch(client, tmp_path / "market", ["SHILLER", "DGS10"], as_of=END)
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
        command.fetch(client, target, FEW, as_of=END)
    assert hashes(target) == before
    # Another provider was asked all the same, and everything that came is kept.
    assert providers.asked["DGS10"] == 1
    assert vintage.staged_end(target) == END
    providers.faults.clear()
    providers.asked.clear()
    # A later day, another wish: the stopped run's last day and its series are taken along.
    table = command.fetch(client, target, ["IWM"])
    assert set(table["series"]) == set(FEW)
    assert {name for name, count in providers.asked.items() if count and name} == {"IWM"}
    assert not same_as(market.Store(target), served)


def test_a_stopped_run_of_last_week_is_not_continued(client, providers, target):
    providers.faults["IWM"] = ["429!"]
    with pytest.raises(RateLimitError):
        command.fetch(client, target, ["DGS10", "IWM"], as_of=END)
    plan = vintage.next_folder(target) / "plan.json"
    plan.write_text(json.dumps({"end": END, "begun": "2020-01-01"}))
    assert vintage.staged_end(target) is None
    providers.faults.clear()
    command.fetch(client, target, ["DGS10"], as_of=BEFORE)
    assert providers.asked["DGS10"] == 2


def test_a_staged_piece_that_cannot_be_read_is_fetched_again(client, providers, target, served):
    providers.faults["IWM"] = ["429!"]
    with pytest.raises(RateLimitError):
        command.fetch(client, target, ["DGS10", "IWM"], as_of=END)
    (vintage.next_folder(target) / "macro" / "DGS10.parquet").write_bytes(b"PAR1 half")
    providers.faults.clear()
    command.fetch(client, target, ["DGS10", "IWM"], as_of=END)
    assert not [name for name in same_as(market.Store(target), served) if name in {"DGS10", "IWM"}]


def test_a_silent_provider_is_not_asked_for_every_series(providers, target):
    names = ["DGS2", "DGS10", "DGS30", "DFF", "FEDFUNDS", "T10YIE"]
    for name in names:
        providers.faults[name] = ["500!"]
    client = client_of(providers, pauses=())
    table = command.fetch(client, target, [*names, "IWM"], as_of=END)
    assert sum(providers.asked[name] for name in names) == command.PATIENCE
    assert "did not answer" in state_of(table, "T10YIE")["detail"]
    assert state_of(table, "DGS10")["state"] == "kept"
    assert state_of(table, "DGS2")["state"] == "failed"


def test_a_company_that_is_gone_is_no_failure(client, providers, target, monkeypatch):
    monkeypatch.setattr(
        providers,
        "_chart",
        lambda *_: (404, b'{"chart": {"result": null, "error": {"description": "gone"}}}', {}),
    )
    table = command.fetch(client, target, ["DENN", "DGS10"], as_of=END)
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
    assert not (vintage.next_folder(target) / "lock").exists()
    assert vintage.Stage(target, END).has("macro", "DGS10")


# -------------------------------------------------------------------------------------------------- writing

KILLER = """
import json, os, shutil, sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from loopback import Reroute
import requests
from helpers import fingerprints, market
from helpers.sources import command
from helpers.sources.http import Client

base, old, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
market.CACHE = work / "cache"
import yfinance.data, pyarrow.parquet as pq

def session():
    made = requests.Session()
    made.mount("https://", Reroute(base))
    return made

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
    client = Client(session=session(), yahoo=session(), pauses=(), timeout=5)
    command.fetch(client, target, ["FEDFUNDS", "FF3M"], as_of={end!r})

def whole(target):
    market.recover(target)
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
steps_of = {{os: ["rename", "replace"], shutil: ["rmtree", "copyfile"], pq: ["write_table"]}}
for module, name in [(module, name) for module, names in steps_of.items() for name in names]:
    setattr(module, name, dying(getattr(module, name), name))
Path.write_text = dying(Path.write_text, "write_text")
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
    command.fetch(client, old, ["FEDFUNDS", "FF3M"], as_of=BEFORE)
    script = KILLER.format(root=str(ROOT), tests=str(ROOT / "tests"), end=END)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, providers.base, str(old), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert not result["bad"], done.stderr
    assert result["steps"].count("rename") == 2
    assert {"replace", "copyfile", "write_table", "write_text", "rmtree"} <= set(result["steps"])
    assert result["old"] > 5
    assert result["new"] > 0


def test_a_full_disk_is_told_and_nothing_is_lost(client, target, monkeypatch):
    import errno

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = hashes(target)
    monkeypatch.setattr(vintage, "_copy", full)
    with pytest.raises(HelperError, match=r"the disk is full.*as it was"):
        command.fetch(client, target, ["DGS10"], as_of=END)
    assert hashes(target) == before


def test_a_damaged_store_is_set_aside(client, target, served):
    with (target / "prices.parquet").open("r+b") as stream:
        stream.truncate(1000)
    table = command.fetch(client, target, FEW, as_of=END)
    assert set(table["state"]) == {"new"}
    assert not same_as(market.Store(target), served)
    assert (target.with_name("market.damaged") / "prices.parquet").stat().st_size == 1000


def test_a_link_is_followed(client, target, tmp_path, monkeypatch):
    link = tmp_path / "link"
    link.symlink_to(target)
    monkeypatch.setenv("MARKET_DATA", str(link))
    command.fetch(client, command.target_folder(), ["DGS10"], as_of=END)
    assert link.is_symlink()
    assert market.Store(link).manifest["series"]["DGS10"]["last"] > BEFORE


def test_two_runs_at_once(client, target):
    with vintage.locked(target):
        with pytest.raises(HelperError, match=rf"process {os.getpid()}\) is fetching"):
            command.fetch(client, target, ["DGS10"], as_of=END)
        assert (vintage.next_folder(target) / "lock").is_file()
    assert not vintage.next_folder(target).exists()


@pytest.mark.parametrize(
    "holder",
    ["999999999 1", f"{os.getpid()} 1", "", "rubbish"],
    ids=["dead", "number used again", "empty", "rubbish"],
)
def test_the_lock_of_a_dead_run_is_taken_over(client, target, holder):
    vintage.next_folder(target).mkdir()
    (vintage.next_folder(target) / "lock").write_text(holder)
    assert list(command.fetch(client, target, ["DGS10"], as_of=END)["state"]) == ["new"]


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
    "2026-04-08 is missing": change("close", 5, float("nan")),
    "is no New York session": change("date", -1, pd.Timestamp("2026-08-22")),
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
    entry = {**ENTRY, "missing": ["2026-04-08"]}
    assert not validate.prices(gap, entry, END, gap).faults


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
    (market.CACHE / command.CHANGES).unlink(missing_ok=True)
    command.fetch(client, target, ["^RUT"], as_of=END)
    listed = pd.read_csv(market.CACHE / command.CHANGES)
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
    providers.faults["IWM"] = ["missing-session!"]
    command.fetch(client, target, ["IWM", "DGS10"], as_of=END, report=command.Report(bar=True))
    err = capsys.readouterr().err
    assert "2/2" in err or "1/2" in err
    assert "IWM: kept (the session of" in err
    assert "DGS10: new" not in err


def test_the_command_fails_with_a_sentence(line, providers):
    providers.faults["IWM"] = ["missing-session!"]
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
    assert f"{len(command.chosen(()))} series would be fetched" in out
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
        (["--as-of", "yesterday"], "write it as 2025-12-11"),
        (["--since", "11.12.2025"], "write it as 2025-12-11"),
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
    assert command.last_day(pd.Timestamp("2026-08-21 15:59", tz=zone)) == "2026-08-20"
    assert command.last_day(pd.Timestamp("2026-08-21 18:30", tz=zone)) == "2026-08-21"
    assert command.last_day(pd.Timestamp("2026-08-23 12:00", tz=zone)) == "2026-08-21"


def test_staleness():
    last = pd.Timestamp("2026-08-21")
    assert market.staleness(last, pd.Timestamp("2026-10-05")) is None
    assert "end on 2026-08-21, 46 days ago" in str(market.staleness(last, pd.Timestamp("2026-10-06 12:00")))


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
    table = command.fetch(client_of(_providers), target, as_of=END)
    return target, table


def test_the_whole_catalogue_is_identical(whole, served):
    target, table = whole
    assert not same_as(market.Store(target), served)
    failed = set(table.loc[table["state"] != "new", "series"])
    if REFERENCE is None:
        assert failed <= {"SHILLER"}  # the synthetic market has no workbook
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
    target.mkdir(parents=True)
    empty = vintage.Stage(target.with_name("seed"), END)
    for kind in ("prices", "macro"):
        empty._table(target, kind, [], None)
    for name in store.files:
        if name in market.PANELS:
            vintage._copy(store.path / name, target / name)
    vintage.write_manifest(target, {}, {}, END)


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
