"""The made-up market: same layout as the store, same bytes for the same seed, whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from helpers import market, synthetic
from helpers.files import HelperError

WORDS = "dictionary<values=string, indices=int32, ordered=0>"
COLUMNS = {
    "prices.parquet": {
        "symbol": "string",
        "date": "date32[day]",
        "open": "double",
        "high": "double",
        "low": "double",
        "close": "double",
        "adj_close": "double",
        "volume": "int64",
    },
    "macro.parquet": {"series": "string", "date": "date32[day]", "value": "double"},
    "listings.parquet": {
        "symbol": WORDS,
        "date": "date32[day]",
        "last": "float",
        "pct_change": "float",
        "volume": "int64",
        "market_cap": "double",
        "exchange": WORDS,
        "sector": WORDS,
    },
    "fundamentals.parquet": {
        "ticker": "string",
        "year": "int16",
        "quarter": "int8",
        "account": WORDS,
        "amount": "int64",
    },
    "shiller/shiller.parquet": {
        "date": "date32[day]",
        "price": "double",
        "dividend": "double",
        "earnings": "double",
        "cpi": "double",
        "gs10": "double",
        "cape": "double",
    },
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.build(tmp_path_factory.mktemp("market") / "synthetic")


@pytest.fixture(scope="module")
def prices(store: Path) -> pd.DataFrame:
    return pd.read_parquet(store / "prices.parquet")


@pytest.fixture(scope="module")
def macro(store: Path) -> pd.DataFrame:
    frame = pd.read_parquet(store / "macro.parquet")
    return frame.assign(date=pd.to_datetime(frame["date"]))


def _manifest(store: Path) -> dict[str, Any]:
    return dict(json.loads((store / "manifest.json").read_text("utf-8")))


@pytest.mark.parametrize("name", COLUMNS)
def test_tables_have_the_columns_of_the_store(store: Path, name: str) -> None:
    found = {column.name: str(column.type) for column in pq.read_schema(store / name)}
    assert list(found.items()) == list(COLUMNS[name].items())


def test_prices_come_sorted_in_small_row_groups(store: Path, prices: pd.DataFrame) -> None:
    assert pq.ParquetFile(store / "prices.parquet").metadata.row_group(0).num_rows == 16384
    keys = pd.MultiIndex.from_frame(prices[["symbol", "date"]])
    assert keys.is_unique
    assert keys.is_monotonic_increasing


def test_every_price_series_of_the_catalogue_begins_at_100(prices: pd.DataFrame) -> None:
    entries = {
        name: entry
        for name, entry in market.catalogue().items()
        if entry["group"] in ("index", "etf", "stock")
    }
    assert set(prices["symbol"]) == set(entries)
    only = {"price": ["close"], "total": ["adj_close"]}
    for name, entry in entries.items():
        rows = prices[prices["symbol"] == name]
        held = only.get(entry["price"], ["close", "adj_close"])
        for column in ("close", "adj_close"):
            known = rows[column].dropna()
            assert list(known[:1]) == ([100.0] if column in held else []), (name, column)
        assert str(rows["date"].iloc[0]) == entry["first"]
        assert str(rows["date"].iloc[-1]) == entry["last_known"]


def test_high_and_low_enclose_open_and_close(prices: pd.DataFrame) -> None:
    bars = prices.dropna(subset=["open"])
    assert bool((bars["high"] >= bars[["open", "close"]].max(axis=1)).all())
    assert bool((bars["low"] <= bars[["open", "close"]].min(axis=1)).all())
    assert bool((bars["low"] > 0).all())
    assert bool(bars["close"].notna().all())


def test_fund_follows_its_index_and_dividends_add_to_it(prices: pd.DataFrame) -> None:
    by_symbol = {name: rows.set_index("date") for name, rows in prices.groupby("symbol")}
    fund, index, bonds = (
        by_symbol[name]["close"].pct_change(fill_method=None) for name in ("IWM", "^RUT", "TLT")
    )
    assert fund.corr(index) > 0.98
    assert abs(bonds.corr(index)) < 0.2
    assert by_symbol["IWM"]["adj_close"].iloc[-1] > by_symbol["IWM"]["close"].iloc[-1]


def test_macro_has_the_steps_and_the_gap_of_2025(macro: pd.DataFrame) -> None:
    wide = macro.pivot_table(index="date", columns="series", values="value")
    assert set(wide) == {name for name, entry in market.catalogue().items() if entry["group"] == "macro"}
    upper = wide["DFEDTARU"].dropna()
    steps = upper.diff().loc["2025-08-01":]
    assert [f"{day:%Y-%m-%d}" for day in steps[steps != 0].index] == [
        "2025-09-18",
        "2025-10-30",
        "2025-12-11",
    ]
    assert set(upper.diff().dropna()) == {-0.25, 0.0, 0.25}
    assert set((upper - wide["DFEDTARL"]).dropna()) == {0.25}
    assert wide.loc["2025-10-01", ["CPIAUCSL", "CPILFESL", "UNRATE"]].isna().all()
    assert set(wide["USREC"].dropna()) == {0.0, 1.0}
    first = macro.groupby("series")["value"].first()
    assert first[["DGS2", "DGS10", "CPIAUCSL", "DTWEXBGS"]].tolist() == [4.0, 4.0, 100.0, 100.0]
    assert wide["DGS10"].between(0, 12).loc[wide["DGS10"].notna()].all()


def test_french_files_read_as_the_originals_do(store: Path) -> None:
    lines = (store / "french/25_Portfolios_5x5.csv").read_text("ascii").split("\n")
    heads = [line.strip() for line in lines if re.match(r"  (Average|Number)", line)]
    assert heads[:2] == [
        "Average Value Weighted Returns -- Monthly",
        "Average Equal Weighted Returns -- Monthly",
    ]
    begin = lines.index("  Average Value Weighted Returns -- Monthly") + 2
    table = pd.read_csv(store / "french/25_Portfolios_5x5.csv", skiprows=begin - 1, nrows=1194, index_col=0)
    assert table.shape == (1194, 25)
    assert (str(table.index[0]), str(table.index[-1])) == ("192607", "202512")
    assert np.isclose(table["BIG HiBM"], -99.99).sum() == 12

    daily = pd.read_csv(
        store / "french/F-F_Research_Data_Factors_daily.csv",
        skiprows=3,
        index_col=0,
        skipfooter=2,
        engine="python",
    )
    monthly = pd.read_csv(store / "french/F-F_Research_Data_Factors.csv", nrows=1194, index_col=0)
    december = daily["Mkt-RF"]["2025-12-01":"2025-12-31"].to_numpy(dtype=float)
    assert abs(100 * (np.prod(1 + december / 100) - 1) - float(monthly["Mkt-RF"].iloc[-1])) < 0.01


def test_listings_holdings_and_fundamentals_belong_together(store: Path) -> None:
    listings = pd.read_parquet(store / "listings.parquet")
    days = listings["date"].astype(str)
    assert "2026-02-24" not in set(days)
    assert (days.min(), days.max()) == ("2024-12-31", "2026-08-21")
    lives = listings.groupby("symbol", observed=True)["date"].agg(["min", "max"])
    assert (lives["max"] < listings["date"].max()).sum() >= 20
    on_day = listings[days == "2025-11-05"].set_index("symbol")["last"]
    holdings = pd.read_csv(store / "holdings/IWM_2025-11-05.csv").set_index("ticker")
    shares = holdings[holdings.index.str.fullmatch(r"S\d{4}")]
    assert len(shares) > 250
    assert len(shares) < len(holdings)
    assert np.allclose(shares["price"], on_day.reindex(shares.index), atol=0.01)
    assert abs(holdings["weight_pct"].sum() - 100) < 1
    accounts = pd.read_parquet(store / "fundamentals.parquet")
    income = accounts[accounts["account"] == "net_income"]
    assert 0.3 < (income["amount"] < 0).mean() < 0.5
    assert 0.8 < accounts["ticker"].nunique() / 320 < 1


def test_five_minute_bars_lie_inside_the_daily_ones(store: Path, prices: pd.DataFrame) -> None:
    bars = pd.read_csv(store / "intraday/RUT_5m_2025-12-08_2025-12-12.csv")
    assert len(bars) == 390
    by_day = bars.groupby(bars["time_new_york"].str[:10]).agg({"high": "max", "low": "min", "close": "last"})
    daily = prices[prices["symbol"] == "^RUT"].assign(date=lambda rows: rows["date"].astype(str))
    assert np.allclose(by_day, daily.set_index("date").loc[by_day.index, ["high", "low", "close"]])


def test_the_store_opens_like_a_real_one(
    store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(market, "CACHE", tmp_path)
    opened = market.Market(None, market.Store(store, source="synthetic"))
    closes = opened.prices(["IWM", "^RUT"], start="2025-01-02", end="2026-05-01")
    assert closes.attrs["source"] == "synthetic"
    assert opened.holdings_dates() == list(synthetic.HOLDINGS)
    assert opened.shiller()["cape"].last_valid_index() == pd.Timestamp("2026-05-01")


def test_same_seed_same_bytes_other_seed_other_bytes(store: Path, tmp_path: Path) -> None:
    again = _manifest(synthetic.build(tmp_path / "again"))
    assert again == _manifest(store)
    other = _manifest(synthetic.build(tmp_path / "other", seed=7))
    assert other["files"]["prices.parquet"]["sha256"] != again["files"]["prices.parquet"]["sha256"]


def test_a_built_market_is_left_alone(store: Path) -> None:
    before = (store / "manifest.json").stat().st_mtime_ns
    assert synthetic.build(store) == store
    assert (store / "manifest.json").stat().st_mtime_ns == before


def test_an_older_version_is_replaced(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "old"
    out.mkdir()
    (out / "manifest.json").write_text(json.dumps({"name": synthetic.NAME, "version": 0}), "utf-8")
    (out / "left-over").touch()
    assert _manifest(synthetic.build(out)) == _manifest(store)
    assert not (out / "left-over").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_an_interrupted_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(synthetic, "_shiller", fail)
    with pytest.raises(KeyboardInterrupt):
        synthetic.build(tmp_path / "synthetic")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthetic, "_prices", full)
    with pytest.raises(HelperError, match="No space left"):
        synthetic.build(tmp_path / "synthetic")
    assert list(tmp_path.iterdir()) == []


def test_a_slower_process_accepts_the_market_of_a_faster_one(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "synthetic"
    put = synthetic._put

    def late(part: Path, *rest: Any) -> None:
        shutil.copytree(store, out)
        put(part, *rest)

    monkeypatch.setattr(synthetic, "_put", late)
    synthetic.build(out)
    assert _manifest(out) == _manifest(store)
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic"]


@pytest.mark.parametrize("name", ["a real store", None])
def test_nothing_but_a_synthetic_market_is_replaced(tmp_path: Path, name: str | None) -> None:
    (tmp_path / "kept").touch()
    if name:
        (tmp_path / "manifest.json").write_text(json.dumps({"name": name}), "utf-8")
    with pytest.raises(HelperError, match="something else"):
        synthetic.build(tmp_path)
    assert (tmp_path / "kept").exists()
