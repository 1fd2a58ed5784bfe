"""The market: what a notebook reads, what it is told of what is missing, and the parts that are left out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE, ROOT, needs_reference, write_store

from helpers import calendar, files, fingerprints, market, store
from helpers.files import HelperError
from helpers.market import Market, Missing, SeriesError, Store, StoreError
from helpers.measures import records, returns
from helpers.sources import verify


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(market, "_current", None)


def test_prices_of_one_and_of_several_symbols(small_store):
    mkt = Market(Store(small_store))
    one = mkt.prices("^RUT", start="2025-12-01", end="2025-12-10")
    assert one.attrs == {"source": "store", "as_of": "2025-12-10", "field": "close"}
    assert one.index.equals(calendar.sessions("2025-12-01", "2025-12-10").rename("date"))
    two = mkt.prices(["^RUT", "^GSPC"])
    assert list(two.columns) == ["^RUT", "^GSPC"]
    assert (two["^GSPC"] - two["^RUT"]).eq(3700).all()
    assert list(mkt.bars("^RUT").columns) == ["open", "high", "low", "close", "adj_close", "volume"]


def test_unknown_symbol_gets_near_names(small_store):
    with pytest.raises(SeriesError, match=r"Unknown series '\^RUTT'; did you mean \^RUT"):
        Market(Store(small_store)).prices("^RUTT")
    with pytest.raises(SeriesError, match="Unknown field"):
        Market(Store(small_store)).prices("^RUT", "last")
    with pytest.raises(Missing, match="no adj_close of"):
        Market(Store(small_store)).prices("^RUT", "adj_close")
    with pytest.raises(Missing, match="no close of IWM"):
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


def without(store, *days, **more):
    """The store without some sessions of the Russell 2000."""
    rows = pd.read_parquet(store / "prices.parquet")
    gone = (rows["symbol"] == "^RUT") & rows["date"].astype(str).isin(days)
    return Market(Store(write_store(store, rows[~gone], **more)))


def test_a_window_never_skips_a_missing_session(small_store):
    mkt = without(small_store, "2025-12-09")
    with pytest.raises(Missing, match=r"lacks 1 session .*2025-12-09.*nothing is filled in"):
        mkt.prices("^RUT", start="2025-12-01", end="2025-12-10")
    assert len(mkt.prices("^RUT", start="2025-11-03", end="2025-11-28")) == 19


@pytest.mark.parametrize("named", [True, False])
def test_a_missing_session_is_a_hole_that_every_measure_sees(small_store, named):
    more = {"lives": {"^RUT": {"gaps": ["2025-12-09"]}}} if named else {}
    mkt = without(small_store, "2025-12-09", **more)
    assert mkt.store.gaps("^RUT") == (["2025-12-09"] if named else [])
    rut = mkt.prices("^RUT")
    assert rut.attrs["gaps"] == {"^RUT": ["2025-12-09"]}
    assert rut.isna().sum() == 1
    assert returns.daily_returns(rut)["2025-12-09":"2025-12-10"].isna().all()
    both = mkt.prices(["^RUT", "^GSPC"])
    assert both.attrs["gaps"] == {"^RUT": ["2025-12-09"]}
    assert both.isna().sum().tolist() == [1, 0]
    assert mkt.bars("^RUT").loc["2025-12-09"].isna().all()
    assert records.record_dates(rut, "2025-12-05", "2025-12-08") == ["2025-12-05", "2025-12-08"]
    with pytest.raises(Missing, match="2025-12-09"):
        records.record_dates(rut, "2025-12-05", "2025-12-10")
    for history in (rut, rut.dropna(), both["^RUT"].dropna()):  # dropping the row does not hide the hole
        assert returns.daily_returns(history)["2025-12-09":"2025-12-10"].isna().all()
        assert returns.rolling_returns(history, 5)["2025-12-09":"2025-12-10"].isna().iloc[0]
        with pytest.raises(Missing, match="2025-12-09"):
            records.is_record(history)
    assert returns.daily_returns(both.dropna()).isna().all(axis=1).sum() == 2
    with pytest.raises(Missing, match="No price on 2025-12-09"):
        returns.window_return(rut, calendar.window("days", "2025-12-08", "2025-12-09"))


def without_a_day_in_all(folder, day="2025-12-09"):
    rows = pd.read_parquet(folder / "prices.parquet")
    lives = {name: {"gaps": [day]} for name in ("^RUT", "^GSPC")}
    return write_store(folder, rows[rows["date"].astype(str) != day], lives=lives)


def test_histories_end_before_a_late_session_that_all_lack(small_store, tmp_path, monkeypatch):
    whole = Path(shutil.copytree(small_store, tmp_path / "whole"))
    mkt = Market(Store(without_a_day_in_all(small_store)))
    assert mkt.last_session == mkt.prices("^RUT").index[-1] == mkt.bars("^RUT").index[-1]
    assert mkt.last_session == pd.Timestamp("2025-12-08")
    assert not mkt.prices("^RUT").isna().any()
    assert len(mkt.prices("^RUT", start="2025-12-10", end="2025-12-12")) == 3
    with pytest.raises(Missing, match="2025-12-09"):
        mkt.prices("^RUT", start="2025-12-01", end="2025-12-12")
    assert mkt.store.gap_sentence() == (
        "2 series (^GSPC and ^RUT) are kept without 2025-12-09, which the provider did not give; windows that need "
        "such a day are refused, and whole histories end on 2025-12-08."
    )
    monkeypatch.setattr(market, "_current", mkt)
    assert market.describe(["^RUT", "IWM"])["Days not given"].tolist() == ["2025-12-09", ""]
    early = Market(Store(without_a_day_in_all(whole, "2025-09-24")))
    assert early.last_session == pd.Timestamp("2025-12-12")  # too long ago for an end: a hole
    assert early.prices("^RUT").attrs["gaps"] == {"^RUT": ["2025-09-24"]}


def test_a_notebook_goes_on_where_a_day_is_missing(small_store, monkeypatch, capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        monkeypatch.setenv("MARKET_DATA", str(without_a_day_in_all(small_store)))
        cells = (
            "from helpers import market\nmkt = market.connect()",
            "early = mkt.prices('^RUT', 'close', '2025-12-01', '2025-12-05')\n"
            "late, *rest = [day for day in mkt.prices('^RUT', 'close', '2025-12-01', '2025-12-12')]\nkept = len(early)",
            "late.mean()",
            "kept",
        )
        done = [shell.run_cell(cell, store_history=True) for cell in cells]
        assert all(one.success for one in done)
        assert done[-1].result == 5
        assert done[2].result is None
        assert isinstance(shell.user_ns["late"], market.Gap)
        assert isinstance(shell.user_ns["rest"], market.Gap)
        assert "day" not in shell.user_ns
        assert capsys.readouterr().out.count("IPython.core.display.Markdown object") == 2  # once a cell
        assert not shell.run_cell("mkt.prices('^RUTT')").success  # a typo is still one
    finally:
        InteractiveShell.clear_instance()


def test_missing_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MARKET_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(StoreError, match=r"which is no folder; run `python -m helpers data`"):
        market.connect()
    monkeypatch.delenv("MARKET_DATA")
    monkeypatch.setattr(store, "DATA", tmp_path)
    with pytest.raises(StoreError, match="There is no market data"):
        market.connect()
    assert market.current() is None


def test_the_market_that_was_opened_last_is_remembered(small_store, monkeypatch):
    monkeypatch.setenv("MARKET_DATA", str(small_store))
    mkt = market.connect()
    assert market.current() is mkt
    monkeypatch.setenv("MARKET_DATA", "synthetic")
    assert market.connect(synthetic=True) is market.current() is not mkt


def test_what_a_store_lacks_is_missing_and_a_typo_is_not(small_store):
    mkt = Market(Store(small_store))
    for read in (
        mkt.shiller, mkt.intraday, mkt.fundamentals, lambda: mkt.holdings("2025-11-11"),
        lambda: mkt.file("listings.parquet"), lambda: mkt.bars("IWM"),
        lambda: mkt.prices("^RUT", start="2020-01-02", end="2025-12-01"),
    ):  # fmt: skip
        with pytest.raises(Missing):
            read()
    for typo in (lambda: mkt.bars("IVM"), lambda: mkt.macro("DGS11"), lambda: mkt.holdings("2025-11-12")):
        with pytest.raises(SeriesError):
            typo()


# ------------------------------------------------------------------------------------------------ parts


def test_a_part_runs_at_once_and_is_what_it_returns(capsys):
    @market.part
    def answer():
        """Not a function any more."""
        return 42

    assert answer == 42
    assert capsys.readouterr().out == ""


def test_a_part_without_its_data_is_left_out_with_one_sentence_and_so_is_what_uses_it(small_store, shown):
    mkt = Market(Store(small_store))

    @market.part
    def panel():
        return mkt.file("listings.parquet")

    @market.part
    def breadth():
        return len(panel)

    @market.part
    def doubled():
        return 2 * breadth

    reason = "This store has no listings.parquet; no free provider serves this panel, and data/README.md says"
    assert len(shown) == 3
    assert all(text.startswith(f"Left out: {reason}") for text in shown)
    assert repr(doubled) == f"<left out: {shown[0].removeprefix('Left out: ')}>"


USES = {
    "attribute": lambda gap: gap.mean(),
    "set": lambda gap: setattr(gap, "name", 1),
    "item": lambda gap: gap["x"],
    "assign": lambda gap: gap.__setitem__("x", 1),
    "sum": lambda gap: gap + 1,
    "reversed sum": lambda gap: 1 + gap,
    "series": lambda gap: pd.Series([1.0, 2.0]) - gap,
    "matrix": lambda gap: gap @ gap,
    "negative": lambda gap: -gap,
    "compare": lambda gap: gap < 3,
    "equal": lambda gap: gap == 3,
    "call": lambda gap: gap(),
    "loop": lambda gap: list(gap),
    "length": len,
    "truth": lambda gap: 1 if gap else 0,
    "format": lambda gap: f"{gap:.1f}",
    "text": str,
    "number": float,
    "whole": int,
    "round": round,
    "array": np.asarray,
    "frame": pd.DataFrame,
    "in": lambda gap: 3 in gap,
    "unpack": lambda gap: {**gap},
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_every_use_of_a_gap_says_what_is_missing(use):
    with pytest.raises(Missing, match=r"^no panel$"):
        use(market.Gap("no panel"))


def test_another_fault_in_a_part_is_no_gap():
    with pytest.raises(SeriesError):

        @market.part
        def wrong():
            market.describe(["NOPE"])


def test_a_function_with_arguments_is_no_part():
    with pytest.raises(HelperError, match=r"lead takes day, families; take the decorator off"):

        @market.part
        def lead(day, families=()):
            return day, families


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show, as text."""
    texts = []
    monkeypatch.setattr("IPython.display.display", lambda text: texts.append(text.data))
    return texts


# ------------------------------------------------------------------------------------------ what ships


def test_free_series_ship_and_are_named_public(small_store):
    mkt = Market(Store(small_store))
    assert mkt.macro("DGS10").attrs["source"] == "store"
    dff = mkt.macro("DFF")
    assert dff.attrs["source"] == "public"
    assert dff["2025-12-12"] == pytest.approx(3.64, abs=0.1)
    with pytest.raises(Missing, match="Neither the store nor data/public holds GDPC1"):
        mkt.macro("GDPC1")


def test_shipped_series_match_their_sidecar():
    listed = pd.read_csv(ROOT / "data/public/sources.csv").set_index("id")
    for name, row in listed.iterrows():
        path = ROOT / f"data/public/{name}.csv"
        assert files.sha256(path) == row["sha256"], name
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
    monkeypatch.setattr(market, "reference", dict)
    fingerprints.write(Store(small_store), path)
    assert "2300" not in path.read_text()
    assert words_of(small_store)["^RUT"] == "identical"

    def one_cent(rows):
        rows.loc[rows["date"].astype(str) == "2025-12-09", "close"] += [0.0, 0.01]
        return rows

    rows = one_cent(pd.read_parquet(small_store / "prices.parquet"))
    changed = words_of(write_store(tmp_path / "changed", rows))
    priced = {"^GSPC": "identical", "^RUT": "identical, 2025 is cut short", "DGS10": "identical"}
    assert {name: changed[name] for name in priced} == priced
    less = write_store(
        tmp_path / "less", pd.read_parquet(small_store / "prices.parquet").query("symbol == '^GSPC'")
    )
    assert words_of(less)["^RUT"] == "absent"


def words_of(folder):
    return verify.verdicts(Store(folder)).set_index("series")["verdict"]


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
    assert set(verify.verdicts(REFERENCE)["verdict"]) == {"identical"}
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
