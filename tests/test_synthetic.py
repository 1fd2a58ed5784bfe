"""The made-up market: layout, dates and gaps of the store, the same bytes for the same seed, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from helpers import market, store, synthetic
from helpers.files import HelperError
from helpers.measures import french


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.build(tmp_path_factory.mktemp("market") / "synthetic")


@pytest.fixture(scope="module")
def mkt(folder: Path) -> market.Market:
    return market.Market(None, store.Store(folder, prove=True))


def entries(*groups: str) -> dict[str, dict]:
    return {name: entry for name, entry in market.catalogue().items() if entry["group"] in groups}


def test_every_file_of_the_catalogue_is_there_in_its_layout(folder: Path, mkt: market.Market) -> None:
    wanted = {name for entry in entries("panel").values() for name in store.panel_files(entry)}
    workbook = {"shiller/ie_data.xls"}
    assert set(mkt.synthetic.files) == wanted - workbook | {"prices.parquet", "macro.parquet"}
    assert mkt.lacks(*store.optional_files()) == ""
    for layout in ("prices", "macro", "listings", "fundamentals", "shiller"):
        name = "shiller/shiller.parquet" if layout == "shiller" else f"{layout}.parquet"
        assert pq.read_schema(folder / name).remove_metadata() == store.schema(layout), layout
    assert pq.ParquetFile(folder / "prices.parquet").metadata.row_group(0).num_rows == 16384


def test_every_price_series_begins_at_100_and_has_its_own_life_and_gaps(mkt: market.Market) -> None:
    priced = entries("index", "etf", "stock")
    only = {"price": ["close"], "total": ["adj_close"]}
    for name, entry in priced.items():
        bars = mkt.bars(name)
        held = only.get(entry["price"], ["close", "adj_close"])
        for column in ("close", "adj_close"):
            assert list(bars[column].dropna()[:1]) == ([100.0] if column in held else []), (name, column)
        assert f"{bars.index[0]:%Y-%m-%d}" == entry["first"]
        assert f"{bars.index[-1]:%Y-%m-%d}" == entry["last_known"]
        assert bars.loc[entry["missing"], "close"].isna().all()
        known = bars.dropna(subset=["open"])
        assert (known["high"] >= known[["open", "close"]].max(axis=1)).all()
        assert (known["low"] <= known[["open", "close"]].min(axis=1)).all()


def test_a_column_ends_where_that_of_the_reference_store_does(mkt: market.Market) -> None:
    for column, first, last, names in store.series_file()["synthetic"]["spans"]:
        for name in names.split():
            values = mkt.bars(name)[column].dropna()
            assert values[: pd.Timestamp(first) - pd.Timedelta(days=1)].empty, name
            assert values[pd.Timestamp(last) + pd.Timedelta(days=1) :].empty, name


def test_a_fund_follows_its_index_and_dividends_add_to_it(mkt: market.Market) -> None:
    moves = mkt.prices(["IWM", "^RUT", "TLT"]).pct_change(fill_method=None)
    assert moves["IWM"].corr(moves["^RUT"]) > 0.98
    assert abs(moves["TLT"].corr(moves["^RUT"])) < 0.2
    assert mkt.prices("IWM", "adj_close").iloc[-1] > mkt.prices("IWM").iloc[-1]


def test_macro_has_the_dated_steps_and_the_months_that_do_not_exist(mkt: market.Market) -> None:
    held = {name: mkt.synthetic.macro([name]).series("value")[name] for name in entries("macro")}
    upper = held["DFEDTARU"]
    steps = upper.diff()["2025-08-01":]
    assert [f"{day:%Y-%m-%d}" for day in steps[steps != 0].index] == store.series_file()["synthetic"]["cuts"]
    assert set(upper.diff().dropna()) == {-0.25, 0.0, 0.25}
    assert set(upper - held["DFEDTARL"]) == {0.25}
    for name, entry in entries("macro").items():
        assert not held[name].index.isin(pd.DatetimeIndex(entry["missing"])).any()
        assert f"{held[name].index[0]:%Y-%m-%d}" == entry["first"]
    assert set(held["USREC"]) == {0.0, 1.0}
    firsts = {"DGS2": 4.0, "DGS10": 4.0, "CPIAUCSL": 10.0, "DTWEXBGS": 80.0}
    assert {name: held[name].iloc[0] for name in firsts} == firsts
    for name, entry in entries("macro").items():
        assert held[name].dropna().between(*store.bounds(entry["unit"])).all(), name
    assert held["DGS10"].between(0, 12).all()


def test_french_files_read_as_the_originals_do(mkt: market.Market) -> None:
    tables = french.sections(mkt.file("french/25_Portfolios_5x5.csv"))
    monthly = french.five_by_five(tables["Average Value Weighted Returns -- Monthly"])
    assert monthly.attrs["missing"] == monthly.isna().sum().sum() == 12
    assert tables["Value Weight Average of BE/ME"].attrs["missing"] == 12
    assert (tables["Number of Firms in Portfolios"]["BIG HiBM"] == 0).sum() == 12
    assert {table.attrs["unit"] for table in tables.values()} == {
        "percent a month",
        "firms",
        "million USD",
        "ratio",
    }
    months = french.factors(mkt.file("french/F-F_Research_Data_Factors.csv"))
    days = french.factors(mkt.file("french/F-F_Research_Data_Factors_daily.csv"))
    december = 100 * (np.prod(1 + days.loc["2025-12", "Mkt-RF"] / 100) - 1)
    assert months["Mkt-RF"].loc["2025-12"] == pytest.approx(december, abs=0.01)


def test_listings_holdings_and_fundamentals_belong_together(mkt: market.Market) -> None:
    listings = pd.read_parquet(mkt.file("listings.parquet"))
    days = listings["date"].astype(str)
    assert not {*market.catalogue()["LISTINGS"]["missing"]} & set(days)
    assert (days.min(), days.max()) == ("2024-12-31", "2026-08-21")
    lives = listings.groupby("symbol", observed=True)["date"].agg(["min", "max"])
    assert (lives["max"] < listings["date"].max()).sum() >= 20
    lost = listings[days == store.series_file()["synthetic"]["rebuilt"][0]]
    assert lost["last"].notna().all()
    assert lost[["pct_change", "volume", "market_cap"]].isna().all(axis=None)
    assert mkt.holdings_dates() == market.catalogue()["IWM-HOLDINGS"]["dates"]
    on_day = listings[days == "2025-11-05"].set_index("symbol")["last"]
    lines = mkt.holdings("2025-11-05")
    shares = lines[lines["ticker"].str.fullmatch(r"S\d{4}")]
    assert 250 < len(shares) < len(lines)
    assert np.allclose(shares["price"], on_day.reindex(shares["ticker"]), atol=0.01)
    assert abs(lines["weight_pct"].sum() - 100) < 1
    accounts = mkt.fundamentals()
    income = accounts[accounts["account"] == "net_income"]
    assert 0.3 < (income["amount"] < 0).mean() < 0.5
    assert 0.8 < accounts["ticker"].nunique() / 320 < 1


def test_five_minute_bars_lie_inside_the_daily_ones(mkt: market.Market) -> None:
    bars = mkt.intraday()
    assert len(bars) == 390
    by_day = bars.groupby(bars.index.tz_localize(None).normalize()).agg(
        {"high": "max", "low": "min", "close": "last"}
    )
    assert np.allclose(by_day, mkt.bars("^RUT").loc[by_day.index, ["high", "low", "close"]])


def _manifest(folder: Path) -> dict:
    return dict(json.loads((folder / "manifest.json").read_text("utf-8")))


def test_same_seed_same_bytes_other_seed_other_bytes(folder: Path, tmp_path: Path) -> None:
    again = _manifest(synthetic.build(tmp_path / "again"))
    assert again == _manifest(folder)
    other = _manifest(synthetic.build(tmp_path / "other", seed=7))
    assert other["files"]["prices.parquet"]["sha256"] != again["files"]["prices.parquet"]["sha256"]


def test_a_built_market_is_left_alone_and_an_older_version_replaced(folder: Path, tmp_path: Path) -> None:
    before = (folder / "manifest.json").stat().st_mtime_ns
    assert synthetic.build(folder) == folder
    assert (folder / "manifest.json").stat().st_mtime_ns == before
    out = tmp_path / "old"
    out.mkdir()
    (out / "manifest.json").write_text(json.dumps({"name": synthetic.NAME, "version": 0}), "utf-8")
    (out / "left-over").touch()
    assert _manifest(synthetic.build(out)) == _manifest(folder)
    assert not (out / "left-over").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write", full)
    with pytest.raises(HelperError, match="No space left"):
        synthetic.build(tmp_path / "synthetic")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a real store", None])
def test_nothing_but_a_synthetic_market_is_replaced(tmp_path: Path, name: str | None) -> None:
    (tmp_path / "kept").touch()
    if name:
        (tmp_path / "manifest.json").write_text(json.dumps({"name": name}), "utf-8")
    with pytest.raises(HelperError, match="something else"):
        synthetic.build(tmp_path)
    assert (tmp_path / "kept").exists()
