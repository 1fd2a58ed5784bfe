"""The store: what it reads, and the sentence it gives for each way in which it can be broken."""

import json
import os

import pandas as pd
import pytest
from conftest import REFERENCE, ROOT, needs_reference, seal, write_store

from helpers import calendar, fingerprints, market
from helpers.files import HelperError
from helpers.market import Market, SeriesError, Store, StoreError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(market, "CACHE", tmp_path / "cache")


def test_prices_of_one_and_of_several_symbols(small_store):
    mkt = Market(Store(small_store))
    one = mkt.prices("^RUT", start="2025-12-01", end="2025-12-10")
    assert one.attrs == {"source": "store", "as_of": "2025-12-10", "field": "close"}
    assert one.index.equals(calendar.sessions("2025-12-01", "2025-12-10").rename("date"))
    two = mkt.prices(["^RUT", "^GSPC"])
    assert list(two.columns) == ["^RUT", "^GSPC"]
    assert (two["^GSPC"] - two["^RUT"]).eq(3700).all()
    assert list(mkt.bars("^RUT").columns) == ["open", "high", "low", "close", "adj_close", "volume"]


def test_only_the_wanted_columns_and_symbols_are_read(small_store):
    rows = Store(small_store).price_rows(["^RUT"], ["high"])
    assert list(rows.columns) == ["symbol", "date", "high"]
    assert set(rows["symbol"]) == {"^RUT"}


def test_unknown_symbol_gets_near_names(small_store):
    with pytest.raises(SeriesError, match=r"Unknown series '\^RUTT'; did you mean \^RUT"):
        Market(Store(small_store)).prices("^RUTT")
    with pytest.raises(SeriesError, match="Unknown field"):
        Market(Store(small_store)).prices("^RUT", "last")
    with pytest.raises(SeriesError, match="no adj_close of"):
        Market(Store(small_store)).prices("^RUT", "adj_close")
    with pytest.raises(SeriesError, match="no close of IWM"):
        Market(Store(small_store)).prices("IWM")


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("2025-12-06", "2025-12-07", "holds no New York session"),
        ("2025-12-01", "2025-12-31", "ends on 2025-12-12, before the window's end 2025-12-31"),
        ("2025-01-02", "2025-12-01", "begins on 2025-09-02"),
    ],
)
def test_a_window_outside_the_data_is_an_error(small_store, start, end, sentence):
    with pytest.raises(HelperError, match=sentence):
        Market(Store(small_store)).prices("^RUT", start=start, end=end)


def altered(store, change):
    """The store with its prices changed and a manifest that fits."""
    rows = pd.read_parquet(store / "prices.parquet")
    change(rows).to_parquet(store / "prices.parquet", index=False)
    seal(store, ["^RUT", "^GSPC"], ["DGS10"])
    return Market(Store(store))


def test_a_missing_session_is_never_skipped(small_store):
    mkt = altered(small_store, lambda rows: rows[rows["date"] != pd.Timestamp("2025-12-09")])
    with pytest.raises(HelperError, match=r"lacks 1 session .*2025-12-09.*nothing is filled in"):
        mkt.prices("^RUT", start="2025-12-01", end="2025-12-10")


def test_duplicate_and_unsorted_dates_are_errors(small_store):
    mkt = altered(small_store, lambda rows: pd.concat([rows, rows.tail(1)]))
    with pytest.raises(HelperError, match="2025-12-12 twice"):
        mkt.prices("^RUT")
    mkt = altered(small_store, lambda rows: rows.drop_duplicates().iloc[::-1])
    with pytest.raises(HelperError, match="not in the order of its dates"):
        mkt.prices("^RUT")


def test_missing_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(StoreError, match=r"which is no folder; run `python -m helpers data`"):
        market.connect()
    monkeypatch.delenv("MARKET_DATA")
    monkeypatch.setattr(market, "DATA", tmp_path)
    with pytest.raises(StoreError, match="There is no market data"):
        market.connect()


def test_truncated_altered_and_missing_files(small_store):
    prices = small_store / "prices.parquet"
    whole = prices.read_bytes()
    prices.write_bytes(whole[:-10])
    with pytest.raises(StoreError, match=r"prices.parquet .* truncated or altered"):
        Store(small_store)
    prices.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StoreError, match="does not match the manifest’s SHA-256"):
        Store(small_store)
    prices.unlink()
    with pytest.raises(StoreError, match=r"lacks prices.parquet"):
        Store(small_store)
    (small_store / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match=r"manifest of the store .* cannot be read"):
        Store(small_store)
    (small_store / "manifest.json").unlink()
    with pytest.raises(StoreError, match=r"has no manifest.json"):
        Store(small_store)


def test_the_check_is_remembered_and_not_fooled(small_store, monkeypatch):
    Store(small_store)
    counted = []
    monkeypatch.setattr(market, "_sha256", lambda path: counted.append(path))
    Store(small_store)
    assert counted == []
    os.utime(small_store / "prices.parquet", ns=(1, 1))
    with pytest.raises(StoreError, match="SHA-256"):
        Store(small_store)
    assert len(counted) == 1


def test_free_series_ship_and_are_named_public(small_store):
    mkt = Market(Store(small_store))
    assert mkt.macro("DGS10").attrs["source"] == "store"
    dff = mkt.macro("DFF")
    assert dff.attrs["source"] == "public"
    assert dff["2025-12-12"] == pytest.approx(3.64, abs=0.1)
    with pytest.raises(SeriesError, match="Neither the store nor data/public holds GDPC1"):
        mkt.macro("GDPC1")


def test_shipped_series_match_their_sidecar():
    listed = pd.read_csv(ROOT / "data/public/sources.csv").set_index("id")
    for name, row in listed.iterrows():
        path = ROOT / f"data/public/{name}.csv"
        assert market._sha256(path) == row["sha256"], name
        values = pd.read_csv(path, parse_dates=["date"])
        assert len(values) == row["rows"]
        assert values["date"].is_monotonic_increasing
        assert values["date"].is_unique


def test_the_synthetic_market_must_be_asked_for_and_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MARKET_DATA", "synthetic")
    with pytest.raises(StoreError):
        market.connect()
    mkt = market.connect(synthetic=True)
    told = capsys.readouterr().out
    assert told.startswith("SYNTHETIC MARKET")
    assert "python -m helpers data" in told
    assert len(told.splitlines()) == 1
    assert not mkt.real
    assert mkt.prices("^RUT").attrs["source"] == "synthetic"
    assert mkt.macro("DGS10").attrs["source"] == "public"


def test_fingerprints_see_one_cent(small_store, monkeypatch, tmp_path):
    path = tmp_path / "fingerprints.json"
    monkeypatch.setattr(fingerprints, "PATH", path)
    fingerprints.write(Store(small_store), path)
    assert "2300" not in path.read_text()
    assert set(fingerprints.compare(Store(small_store))["state"]) == {"identical"}

    def one_cent(rows):
        rows.loc[rows["date"] == pd.Timestamp("2025-12-09"), "close"] += [0.0, 0.01]
        return rows

    mkt = altered(small_store, one_cent)
    compared = fingerprints.compare(mkt.store).set_index("series")["state"]
    assert compared.to_dict() == {"^GSPC": "identical", "^RUT": "differs", "DGS10": "identical"}
    less = write_store(
        tmp_path / "less", pd.read_parquet(small_store / "prices.parquet").query("symbol == '^GSPC'")
    )
    assert "absent" in set(fingerprints.compare(Store(less))["state"])


@needs_reference
def test_known_levels_of_the_reference_store():
    mkt = Market(REFERENCE)
    rut = mkt.prices("^RUT")
    assert rut["2024-12-31"] == 2230.16
    assert rut["2025-12-10"] == 2559.61
    assert mkt.prices("^RUT", "high")["2025-12-10"] == 2576.31
    assert mkt.prices("^DJI")["2024-12-31"] == 42544.22
    assert mkt.macro("DGS10")["2025-12-10"] == 4.13
    assert mkt.holdings_dates()[0] == "2025-05-13"
    assert "NA" in set(mkt.holdings("2025-12-29")["ticker"]) or len(mkt.holdings("2025-12-29")) == 1959


@needs_reference
def test_the_shipped_fingerprints_are_those_of_the_reference_store():
    compared = fingerprints.compare(REFERENCE)
    assert set(compared["state"]) == {"identical"}
    assert json.loads(fingerprints.PATH.read_text())["last_session"] == "2026-08-21"


def test_every_catalogue_entry_says_what_it_is_not():
    for name, entry in market.catalogue().items():
        assert entry["is_not"].strip(), name
        assert entry["unit"], name
    with pytest.raises(SeriesError, match="Unknown series"):
        market.describe(["NOPE"])


def test_prices_that_ship_serve_a_window_without_a_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MARKET_DATA", "synthetic")
    mkt = market.connect(synthetic=True)
    bust = mkt.prices("^IXIC", start="2000-03-10", end="2002-10-09")
    assert bust.attrs["source"] == "public"
    assert (bust.iloc[0], bust.iloc[-1]) == (5048.62, 1114.11)
    assert mkt.prices(["^IXIC", "^GSPC"], start="2000-03-10", end="2002-10-09").attrs["source"] == "public"
    assert mkt.prices("^IXIC").attrs["source"] == "synthetic"
    assert mkt.prices("^IXIC", start="2018-12-03", end="2019-01-03").attrs["source"] == "synthetic"
    assert mkt.prices(["^IXIC", "^RUT"], start="2000-03-10", end="2002-10-09").attrs["source"] == "synthetic"


@needs_reference
@pytest.mark.parametrize("symbol", ["^GSPC", "^IXIC"])
def test_prices_that_ship_are_those_of_the_store(symbol):
    held = Market(REFERENCE).prices(symbol, start="1999-01-04", end="2018-12-31")
    shipped = market._shipped_prices(symbol, "close")
    assert (held - shipped).abs().max() < 0.011
