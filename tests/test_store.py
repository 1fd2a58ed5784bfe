"""The store's door: each way in which a store can be broken ends in one sentence, and none is taken in silence."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE, needs_reference, seal, write_store

from helpers import files, market, store
from helpers.files import HelperError, Missing
from helpers.market import Market
from helpers.sources import verify
from helpers.store import Store, StoreError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")


def edit(folder, change):
    """The manifest, changed by hand."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(change(content) or content))


def rewritten(folder, change, name="prices.parquet"):
    """One table changed, with a manifest that fits: nothing but its content is wrong."""
    rows = pd.read_parquet(folder / name)
    change(rows).to_parquet(folder / name, index=False)
    return seal(folder, ["^RUT", "^GSPC"], ["DGS10"])


def refusal(action, *words):
    """The sentence with which something is refused: one line, with what to do."""
    with pytest.raises(StoreError) as caught:
        action()
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert len(text) < 600
    for word in words:
        assert word in text
    return text


# ---------------------------------------------------------------------------------------------- where it is


def test_where_the_store_is_is_asked_in_one_place(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "ROOT", tmp_path)
    monkeypatch.setattr(store, "DATA", tmp_path / "data")
    monkeypatch.delenv("MARKET_DATA", raising=False)
    assert (store.home(), store.locate()) == (tmp_path / "data/market", None)
    (tmp_path / "data/market/lost+found").mkdir(parents=True)  # a fresh volume
    assert store.locate() is None
    (tmp_path / "data/market/manifest.json").touch()
    assert store.locate() == tmp_path / "data/market"
    monkeypatch.setenv("MARKET_DATA", "synthetic")
    assert (store.home(), store.locate()) == (tmp_path / "data/market", None)
    monkeypatch.setenv("MARKET_DATA", "other")
    refusal(store.locate, "MARKET_DATA names other, which is no folder", "python -m helpers data")
    (tmp_path / "other").mkdir()
    refusal(store.locate, "MARKET_DATA names other, which is an empty folder", "python -m helpers data")
    (tmp_path / "other/manifest.json").touch()
    monkeypatch.chdir("/")
    assert store.locate() == store.home() == tmp_path / "other"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("file", "is no folder; move it"),
        ("file/x", "which is no folder"),
        ("loop", "is no folder; move it"),
        ("loop/x", "which is no folder"),
        ("nowhere", "which is no folder"),
        (" ", "which is no folder"),
        ("a" * 300, "cannot be read (File name too long)"),
        ("/", "has no manifest.json"),
    ],
)
def test_a_place_that_holds_no_store_is_told_in_a_sentence(monkeypatch, tmp_path, named, words):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / named))
    refusal(lambda: Store(store.locate()), words)


@pytest.mark.parametrize("named", ["mit Leer und Ümläut", "link", "./link/../mit Leer und Ümläut"])
def test_a_store_is_found_under_any_name(small_store, monkeypatch, tmp_path, named):
    small_store.rename(tmp_path / "mit Leer und Ümläut")
    (tmp_path / "link").symlink_to("mit Leer und Ümläut")
    monkeypatch.setattr(store, "ROOT", tmp_path)
    monkeypatch.setenv("MARKET_DATA", named)
    monkeypatch.chdir("/")
    assert Market(Store(store.locate())).prices("^RUT").iloc[-1] == 2372


def test_a_folder_that_cannot_be_read_is_told_in_a_sentence(small_store, monkeypatch):
    def locked(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("MARKET_DATA", str(small_store))
    monkeypatch.setattr(Path, "iterdir", locked)
    refusal(store.locate, "cannot be read (Permission denied); mend its rights")


def test_a_store_left_aside_by_a_killed_run_is_found_again(small_store, monkeypatch):
    monkeypatch.setenv("MARKET_DATA", str(small_store))
    small_store.rename(small_store.with_name(".store.old"))
    assert store.locate() == small_store
    assert Store(small_store).last_session == pd.Timestamp("2025-12-12")


# ---------------------------------------------------------------------------------------- the manifest

HASH = "0" * 64
MANIFESTS = {
    "files is a list": (lambda m: m | {"files": []}, "$.files"),
    "files is null": (lambda m: m | {"files": None}, "$.files"),
    "no files": (lambda m: m.pop("files") and None, "'files' is a required property"),
    "no bytes": (lambda m: m["files"]["prices.parquet"].pop("bytes") and None, "'bytes' is a required"),
    "no sha256": (lambda m: m["files"]["prices.parquet"].pop("sha256") and None, "'sha256' is a required"),
    "bytes are text": (lambda m: m["files"]["macro.parquet"].update(bytes="9"), "$.files['macro.parquet'].bytes"),
    "no symbols": (lambda m: m.pop("symbols") and None, "'symbols' is a required property"),
    "no last session": (lambda m: m.pop("last_session") and None, "'last_session' is a required"),
    "it lists no file": (lambda m: m | {"files": {}}, "is a required property"),
    "prices are not listed": (lambda m: m["files"].pop("prices.parquet") and None, "'prices.parquet' is a"),
    "a file outside": (lambda m: m["files"].update({"../../x": {"bytes": 0, "sha256": HASH}}), "../../x"),
    "an absolute file": (lambda m: m["files"].update({"/etc/x": {"bytes": 0, "sha256": HASH}}), "/etc/x"),
    "a gap that is no date": (lambda m: m["symbols"]["^RUT"].update(gaps=["soon"]), "gaps"),
    "a list": (lambda m: [m], "is not of type 'object'"),
    "no such day": (lambda m: m | {"last_session": "2025-02-30"}, "a last session that is none"),
    "the year 2031": (lambda m: m | {"last_session": "2031-01-02"}, "a last session that is none"),
    "next year": (lambda m: m | {"last_session": "2027-06-01"}, "in the future, 2027-06-01"),
    "earlier than the prices": (lambda m: m | {"last_session": "2025-12-11"}, "the files end on 2025-12-12"),
    "later than the prices": (lambda m: m | {"last_session": "2025-12-15"}, "the files end on 2025-12-12"),
    "a last session with a line end": (lambda m: m | {"last_session": "2025-12-12\n"}, "$.last_session"),
    "another exchange": (lambda m: m | {"calendar": "XLON"}, "$.calendar"),
    "a name with a line end": (lambda m: m["files"].update({"a\n": {"bytes": 0, "sha256": HASH}}), "$.files"),
    "other rows": (lambda m: m["symbols"]["^RUT"].update(rows=5), "says rows 5 of ^RUT, and prices.parquet has 73"),
    "another first day": (lambda m: m["symbols"]["^RUT"].update(first="2025-12-01"), "says first 2025-12-01 of ^RUT"),
    "a series too many": (lambda m: m["symbols"].update(SPY={}), "do not list the same series (SPY)"),
    "a series too few": (lambda m: m["symbols"].pop("^RUT") and None, "do not list the same series (^RUT)"),
    "a gap that is none": (lambda m: m["symbols"]["^RUT"].update(gaps=["2025-12-09"]), "which prices.parquet holds"),
    "a gap on a Saturday": (lambda m: m["symbols"]["^RUT"].update(gaps=["2025-12-06"]), "which is no session"),
    "a gap in 2999": (lambda m: m["symbols"]["^RUT"].update(gaps=["2999-01-01"]), "that is no date, 2999-01-01"),
    "back slashes": (lambda m: m["files"].update({"a\\..\\x": {"bytes": 0, "sha256": HASH}}), "$.files"),
    "a gap on 30 February": (lambda m: m["symbols"]["^RUT"].update(gaps=["2025-02-30"]), "that is no date"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_is_not_sound_is_refused(small_store, change, words):
    edit(small_store, change)
    refusal(lambda: Store(small_store), words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("\udcff", "cannot be read"),
        ("[" * 1000 + "]" * 1000, "nested over 40 deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested over 40 deep"),
        (" " * 9_000_000, "over 8,000,000 bytes"),
    ],
    ids=["cut", "not UTF-8", "a thousand deep", "a hundred thousand deep", "nine megabytes"],
)
def test_a_manifest_that_is_none_is_refused(small_store, text, words):
    (small_store / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    refusal(lambda: Store(small_store), words)


def test_no_manifest(small_store):
    (small_store / "manifest.json").unlink()
    refusal(lambda: Store(small_store), "has no manifest.json", "python -m helpers data")


def test_a_manifest_with_a_key_twice_is_refused(small_store):
    path = small_store / "manifest.json"
    path.write_text(path.read_text().replace("{", '{"last_session": "2020-01-02",', 1))
    refusal(lambda: Store(small_store), "'last_session' stands twice")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("name", ["prices.parquet", "manifest.json"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link to itself", "link to nothing"])
def test_what_is_no_file_is_refused_at_once(small_store, name, kind):
    (small_store / name).unlink()
    if kind == "pipe":
        os.mkfifo(small_store / name)
    elif kind == "folder":
        (small_store / name).mkdir()
    else:
        (small_store / name).symlink_to(name if kind == "link to itself" else "nowhere")
    refusal(lambda: Store(small_store), name)


def test_a_made_up_market_is_never_taken_for_a_real_one(small_store, monkeypatch, capsys):
    edit(small_store, lambda m: m | {"name": store.MADE_UP})
    monkeypatch.setenv("MARKET_DATA", str(small_store))
    refusal(market.connect, "There is no market data")
    mkt = market.connect(synthetic=True)
    assert capsys.readouterr().out.startswith("SYNTHETIC MARKET")
    assert mkt.prices("^RUT").attrs["source"] == "synthetic"
    assert mkt.macro("DGS10").attrs["source"] == "public"


def test_a_link_out_of_the_store_is_refused(small_store, tmp_path):
    shutil.move(small_store / "macro.parquet", tmp_path / "elsewhere")
    (small_store / "macro.parquet").symlink_to(tmp_path / "elsewhere")
    refusal(lambda: Store(small_store), "macro.parquet lies outside the store")


# ------------------------------------------------------------------------------------------ its files


def test_truncated_altered_and_missing_files(small_store):
    prices = small_store / "prices.parquet"
    whole = prices.read_bytes()
    prices.write_bytes(whole[:-10])
    refusal(lambda: Store(small_store), "prices.parquet", "truncated or altered")
    prices.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    refusal(lambda: Store(small_store), "does not match the manifest’s SHA-256")
    prices.unlink()
    refusal(lambda: Store(small_store), "lacks prices.parquet")


def altered_in_secret(path: Path, old: bytes, new: bytes) -> None:
    """Other bytes, the same size and time of change."""
    stat = path.stat()
    content = path.read_bytes()
    assert len(old) == len(new)
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_the_check_is_remembered_for_speed_and_a_proof_hashes_always(small_store):
    store.write(small_store, tables(small_store), {"french/x.csv": b"192607, 2.89\n"}, name="test")
    known = Store(small_store)
    altered_in_secret(small_store / "french/x.csv", b"2.89", b"2.98")
    again = Store(small_store)  # not seen: that is the price of speed
    refusal(lambda: Store(small_store, prove=True), "french/x.csv", "SHA-256")
    refusal(again.prove, "french/x.csv", "SHA-256")
    refusal(known.prove, "french/x.csv", "SHA-256")
    os.utime(small_store / "french/x.csv", ns=(1, 1))
    refusal(lambda: Store(small_store), "french/x.csv", "SHA-256")


def tables(folder):
    return {name: pd.read_parquet(folder / name) for name in ("prices.parquet", "macro.parquet")}


def test_a_store_with_an_altered_digit_is_never_the_reference(small_store, monkeypatch):
    store.write(small_store, tables(small_store), {"french/x.csv": b"192607, 2.89\n"}, name="test")
    opened = Store(small_store)
    monkeypatch.setattr(
        market, "reference", lambda: {name: entry["sha256"] for name, entry in opened.files.items()}
    )
    assert market.is_reference(opened)
    altered_in_secret(small_store / "french/x.csv", b"2.89", b"2.98")
    refusal(lambda: market.is_reference(Store(small_store)), "french/x.csv")
    seal(small_store, ["^RUT", "^GSPC"], ["DGS10"])
    assert not market.is_reference(Store(small_store))


@pytest.mark.parametrize(
    "content", [b"", b"no parquet at all, whatever its name says" * 9], ids=["empty", "random"]
)
@pytest.mark.parametrize("name", ["prices.parquet", "macro.parquet"])
def test_a_file_that_is_no_table_is_refused(small_store, name, content):
    (small_store / name).write_bytes(content)
    seal(small_store, ["^RUT", "^GSPC"], ["DGS10"])
    refusal(lambda: Market(Store(small_store)).macro("DGS10"), name, "cannot be read")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop(columns="close"), "has no column 'close'"),
        (lambda rows: rows.rename(columns={"date": "day"}), "has no column 'date'"),
        (lambda rows: rows.assign(close=rows["close"].astype(str)), "string in 'close' instead of double"),
        (lambda rows: rows.assign(date=rows["date"].astype(str)), "string in 'date' instead of date32"),
        (lambda rows: rows.assign(symbol=1), "int64 in 'symbol' instead of string"),
    ],
)
def test_columns_and_types_are_checked(small_store, change, words):
    rewritten(small_store, change)
    refusal(lambda: Market(Store(small_store)).prices("^RUT"), "prices.parquet", words)


def set_close(value, day="2025-12-09"):
    def change(rows):
        rows.loc[(rows["symbol"] == "^RUT") & (rows["date"].astype(str) == day), "close"] = value
        return rows

    return change


def moved(day):
    """One row moved to another date, in the order of the dates."""

    def change(rows):
        rows["date"] = pd.to_datetime(rows["date"])
        rows.loc[(rows["symbol"] == "^RUT") & (rows["date"] == "2025-12-09"), "date"] = pd.Timestamp(day)
        return rows.sort_values(["symbol", "date"])

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_close(0.0), "a close of 0 for ^RUT on 2025-12-09"),
        (set_close(-2526.24), "a close of -2526.24 for ^RUT on 2025-12-09"),
        (set_close(np.inf), "a close of inf for ^RUT on 2025-12-09"),
        (set_close(250_000.0), "a close of 250000 for ^RUT on 2025-12-09, far off the days around it"),
        (set_close(23_700.0, "2025-12-12"), "a close of 23700 for ^RUT on 2025-12-12, far off"),
        (set_close(700.0), "a close of 700 for ^RUT on 2025-12-09, far off"),
        (
            lambda rows: rows.assign(
                close=rows["close"].where(rows["date"].astype(str) < "2025-12-09", 30.0)
            ),
            "far off",
        ),
        (moved("2025-12-06"), "^RUT on 2025-12-06, which is no New York session"),
        (moved("2025-11-27"), "^RUT on 2025-11-27, which is no New York session"),
        (moved("1899-12-29"), "^RUT on 1899-12-29, which is no New York session"),
        (moved("2025-12-08"), "holds ^RUT on 2025-12-08 twice"),
        (lambda rows: rows.iloc[::-1], "not in the order of its dates"),
        (lambda rows: pd.concat([rows.tail(30), rows.head(80)]), "not in the order of its dates"),
    ],
)
def test_what_no_price_can_be_is_refused_where_it_is_asked_for(small_store, change, words):
    rewritten(small_store, change)
    refusal(lambda: Market(Store(small_store)).prices("^RUT"), "prices.parquet", words)
    refusal(lambda: Market(Store(small_store)).bars("^RUT"), "prices.parquet", words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda rows: rows.assign(low=rows["high"] + 10),
            "a low of 2310.5 for ^RUT on 2025-09-02, above its high",
        ),
        (lambda rows: rows.assign(volume=np.inf), "a volume of inf for ^RUT on 2025-09-02"),
        (lambda rows: rows.assign(volume=-1), "a volume of -1 for ^RUT on 2025-09-02"),
        (lambda rows: rows.assign(adj_close=np.inf), "a adj_close of inf for ^RUT on 2025-09-02"),
        (
            lambda rows: rows.assign(symbol=rows["symbol"].where(rows.index != 5)),
            "a row without symbol or date",
        ),
        (
            lambda rows: rows.assign(date=pd.to_datetime(rows["date"]) + pd.Timedelta(hours=16)),
            "a time of day",
        ),
    ],
)
def test_what_no_bar_can_be_is_refused(small_store, change, words):
    rewritten(small_store, change)
    refusal(lambda: Market(Store(small_store)).bars("^RUT"), "prices.parquet", words)


def test_a_macro_series_without_a_value_is_missing(small_store):
    nothing = pd.DataFrame({"series": ["GDPC1"], "date": pd.to_datetime(["2025-10-01"]), "value": [np.nan]})
    write_store(small_store, pd.read_parquet(small_store / "prices.parquet"), nothing)
    with pytest.raises(Missing, match="GDPC1"):
        Market(Store(small_store)).macro("GDPC1")


def test_rows_that_nobody_asked_for_are_not_looked_at(small_store):
    rewritten(small_store, set_close(0.0))
    assert len(Market(Store(small_store)).prices("^GSPC")) > 60


def test_a_date_after_the_last_session_is_refused(small_store):
    rewritten(small_store, moved("2030-01-02"))
    refusal(lambda: Store(small_store), "the files end on 2030-01-02")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"value": [np.inf, 4.1]}, "a value of inf for DGS10 on 2025-12-10"),
        ({"value": [4.1, 413.0]}, "a value of 413 for DGS10 on 2025-12-11"),
        ({"value": [-50.0, 4.1]}, "a value of -50 for DGS10 on 2025-12-10"),
        ({"date": pd.to_datetime(["2025-12-11", "2025-12-11"])}, "holds DGS10 on 2025-12-11 twice"),
        ({"date": pd.to_datetime(["2025-12-11", "2029-12-11"])}, "2029-12-11, which lies in the future"),
        ({"date": pd.to_datetime(["2025-12-10 00:00", "2025-12-11 12:00"])}, "with a time of day"),
        ({"date": pd.to_datetime(["2025-12-10", None])}, "a row without series or date"),
        ({"series": ["DGS10", None]}, "a row without series or date"),
    ],
)
def test_macro_values_are_checked_too(small_store, frame, words):
    base = {"series": "DGS10", "date": pd.to_datetime(["2025-12-10", "2025-12-11"]), "value": [4.1, 4.2]}
    pd.DataFrame(base | frame).to_parquet(small_store / "macro.parquet", index=False)
    seal(small_store, ["^RUT", "^GSPC"], ["DGS10"])
    refusal(lambda: Market(Store(small_store)).macro("DGS10"), "macro.parquet", words)


PANELS = {
    "shiller": ("shiller/shiller.parquet", lambda mkt: mkt.shiller()),
    "fundamentals": ("fundamentals.parquet", lambda mkt: mkt.fundamentals()),
    "listings": ("listings.parquet", lambda mkt: mkt.file("listings.parquet")),
    "holdings": ("holdings/IWM_2025-11-11.csv", lambda mkt: mkt.holdings("2025-11-11")),
    "bars": ("intraday/RUT_5m_2025-12-08_2025-12-12.csv", lambda mkt: mkt.intraday()),
}


@pytest.mark.parametrize("content", ["a column less", "text for numbers", "empty", "random"])
@pytest.mark.parametrize("table", PANELS)
def test_panels_without_their_columns_are_refused(small_store, table, content):
    name, read = PANELS[table]
    path = small_store / name
    path.parent.mkdir(exist_ok=True)
    numbers = [column for column, kind in store.TABLES[table].items() if kind not in ("string", "words")]
    frame = pd.DataFrame({column: ["x"] for column in store.TABLES[table]})
    if content == "a column less":
        frame = frame.drop(columns=numbers[-1])
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    if content == "empty":
        path.write_bytes(b"")
    if content == "random":
        path.write_bytes(np.random.default_rng(1).bytes(5000))
    seal(small_store, ["^RUT", "^GSPC"], ["DGS10"])
    refusal(lambda: read(Market(Store(small_store))), name)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["0,1,1,1"], "has what cannot be in 'open'"),
        (["1,1,1,inf"], "has what cannot be in 'close'"),
        (["1,1,1,1"], "a time that cannot be read"),
    ],
)
def test_bars_that_cannot_be_are_refused(small_store, rows, words):
    name, read = PANELS["bars"]
    times = "2025-12-08 09:30:00-05:00", "2025-12-08 09:35:00-04:00"  # two zones in one file
    lines = [f"{time},{rows[0]}" for time in times]
    (small_store / name).parent.mkdir()
    (small_store / name).write_text("\n".join(["time_new_york,open,high,low,close", *lines]))
    seal(small_store, ["^RUT", "^GSPC"], ["DGS10"])
    refusal(lambda: read(Market(Store(small_store))), words)


BARS = "time_new_york,open,high,low,close\n{}".format
MONTHS = pd.DataFrame({column: [1.0, 1.0] for column in store.TABLES["shiller"]})
QUARTERS = pd.DataFrame(
    {"ticker": "IWM", "year": 2025, "quarter": [1, 2], "account": "revenue", "amount": [1.0, 2.0]}
)


@pytest.mark.parametrize(
    ("table", "content", "words"),
    [
        ("bars", BARS("2025-12-08 09:30:00+00:00,1,1,1,1"), "not in New York’s time"),
        ("bars", BARS("2025-12-08 09:30:00-05:00,1,1,1,"), "lack a price"),
        ("bars", BARS("2025-12-06 09:30:00-05:00,1,1,1,1"), "a day that is no session"),
        ("bars", BARS("2030-12-12 09:30:00-05:00,1,1,1,1"), "in order up to today"),
        ("bars", BARS("2025-12-08 09:35:00-05:00,1,1,1,1\n2025-12-08 09:30:00-05:00,1,1,1,1"), "in order"),
        ("bars", BARS("2025-12-08 09:35:00-05:00,1,1,1,1\n2025-12-08 09:35:00-05:00,1,1,1,2"), "one by one"),
        ("bars", BARS("2025-12-08 09:35:00-05:00,1,1,1,1\n" * 2), "the same row twice"),
        (
            "holdings",
            ",".join(store.TABLES["holdings"]) + "\nA,A,A,1,1,1,A\nA,A,A,1,1,1,A",
            "the same row twice",
        ),
        ("shiller", MONTHS.assign(date=pd.to_datetime(["2025-02-01", "2025-01-01"])), "in order up to today"),
        ("shiller", MONTHS.assign(date=pd.to_datetime(["2025-01-01", None])), "dated one by one"),
        ("shiller", MONTHS.assign(date=pd.to_datetime(["2025-01-01", "2035-01-01"])), "up to today"),
        ("shiller", MONTHS.assign(date=pd.Timestamp("2025-01-01")), "the same row twice"),
        ("shiller", MONTHS.assign(date=pd.Timestamp("2025-01-01"), cpi=-1.0), "what cannot be in 'cpi'"),
        ("fundamentals", QUARTERS.assign(quarter=7), "what cannot be in 'quarter'"),
        ("fundamentals", QUARTERS.assign(year=0), "what cannot be in 'year'"),
        ("fundamentals", QUARTERS.assign(amount=np.inf), "what cannot be in 'amount'"),
        ("fundamentals", QUARTERS.assign(quarter=1, amount=1.0), "the same row twice"),
    ],
)
def test_rows_that_no_panel_can_hold_are_refused(small_store, table, content, words):
    name, read = PANELS[table]
    (small_store / name).parent.mkdir(exist_ok=True)
    if isinstance(content, str):
        (small_store / name).write_text(content, "utf-8")
    else:
        content.to_parquet(small_store / name, index=False)
    seal(small_store, ["^RUT", "^GSPC"], ["DGS10"])
    refusal(lambda: read(Market(Store(small_store))), words)


@pytest.mark.parametrize("zone", ["", "-05:00"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_bars_in_new_york_s_time_are_read_with_any_line_end(small_store, zone, end):
    name, read = PANELS["bars"]
    (small_store / name).parent.mkdir()
    lines = [f"2025-12-08 09:{minute}:00{zone},1,2,1,2" for minute in (30, 35)]
    (small_store / name).write_bytes("\ufeff".encode() + end.join([BARS("")[:-1], *lines]).encode())
    seal(small_store, ["^RUT", "^GSPC"], ["DGS10"])
    assert list(read(Market(Store(small_store))).index.minute) == [30, 35]


# --------------------------------------------------------------------------- a read belongs to its manifest


def test_a_store_replaced_after_it_was_opened_is_not_read(small_store, sessions):
    mkt = Market(Store(small_store))
    assert mkt.prices("^RUT").iloc[-1] == 2372
    rows = pd.DataFrame({"symbol": "^RUT", "date": sessions, "close": 1.0 + np.arange(len(sessions))})
    with files.fresh_folder(small_store) as new:
        write_store(new, rows)
    for read in (lambda: mkt.prices("^RUT"), lambda: mkt.macro("DGS10"), mkt.store.prove):
        refusal(read, "replaced or altered since it was opened", "open it again")
    assert Market(Store(small_store)).prices("^RUT").iloc[-1] == len(sessions)


def test_a_store_replaced_by_the_same_one_is_read_on(small_store, tmp_path):
    mkt = Market(Store(small_store))
    shutil.copytree(small_store, tmp_path / "copy")
    files.replace_folder(tmp_path / "copy", small_store)
    assert mkt.prices("^RUT").iloc[-1] == 2372


def test_a_store_taken_away_is_told_in_a_sentence(small_store):
    mkt = Market(Store(small_store))
    shutil.rmtree(small_store)
    refusal(lambda: mkt.prices("^RUT"), "prices.parquet")


# ------------------------------------------------------------------------------------------ reading, writing


def test_only_the_row_groups_of_the_wanted_symbols_are_read(tmp_path, sessions, monkeypatch):
    monkeypatch.setitem(store._ROW_GROUPS, "prices", 50)
    names = ["^RUT", "IWM", "SPY", "^GSPC"]
    rows = pd.concat(pd.DataFrame({"symbol": name, "date": sessions, "close": 5.0}) for name in names)
    opened = Store(write_store(tmp_path / "store", rows))
    path = opened.path / "prices.parquet"
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)  # the first group, which holds IWM, cannot be read any more
    path.write_bytes(content)
    opened._stamps["prices.parquet"] = store._stamp(path)
    assert len(opened.price_rows(["^RUT"], ["close"])) == len(sessions)
    refusal(lambda: opened.price_rows(["IWM"], ["close"]), "prices.parquet", "cannot be read")


def test_what_is_written_opens_as_it_was(tmp_path, sessions):
    rows = pd.concat(
        pd.DataFrame({"symbol": name, "date": sessions[::-1], "close": 5.0, "volume": 7.0})
        for name in ("IWM", "AAPL")
    )
    lives = {"IWM": {"unit": "USD", "gaps": ["2025-08-29"]}}
    folder = write_store(tmp_path / "store", rows, lives=lives, rights="ours", whole={"french/x.csv": b"x"})
    opened = Store(folder)
    assert opened.manifest["symbols"] == {
        "AAPL": {"rows": 73, "first": "2025-09-02", "last": "2025-12-12"},
        "IWM": {"rows": 73, "first": "2025-09-02", "last": "2025-12-12"} | lives["IWM"],
    }
    assert (opened.manifest["rights"], opened.manifest["last_session"]) == ("ours", "2025-12-12")
    assert opened.gaps("IWM") == ["2025-08-29"]
    assert opened.file("french/x.csv").read_bytes() == b"x"
    frame = opened.price_rows(["IWM", "AAPL"], ["close", "volume"])
    assert frame["symbol"].tolist() == ["AAPL"] * 73 + ["IWM"] * 73
    assert frame["date"].iloc[:73].tolist() == list(sessions)
    assert opened.price_rows([], ["close"]).empty
    assert opened.price_rows(["NOPE"], ["close"]).empty


def test_an_empty_store_opens_and_lacks_everything(tmp_path):
    opened = Store(write_store(tmp_path / "store", pd.DataFrame({"symbol": [], "date": []})))
    with pytest.raises(Missing):
        Market(opened).prices("^RUT")
    with pytest.raises(Missing):
        opened.file("listings.parquet")
    assert opened.lacks("RUT-5M") == opened.lacks(store.panel_files(store.catalogue()["RUT-5M"])[0])


def test_a_catalogue_that_cannot_be_read_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DATA", tmp_path)
    read = store.series_file.__wrapped__
    for text in (None, "series: [", "series: 3", "- a"):
        if text is not None:
            (tmp_path / "series.yaml").write_text(text)
        with pytest.raises(HelperError, match="restore it from the repository"):
            read()


@needs_reference
def test_the_reference_store_is_proved_by_every_byte_and_every_year():
    REFERENCE.prove()
    assert market.is_reference(REFERENCE)
    assert set(verify.verdicts(REFERENCE)["verdict"]) == {"identical"}
