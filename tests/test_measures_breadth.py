"""Breadth on a panel small enough to compute by hand, on a random one against pandas, and on the store."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE, needs_reference

from helpers import calendar
from helpers.files import HelperError
from helpers.measures import breadth

DAYS = [f"{day:%Y-%m-%d}" for day in calendar.sessions("2025-12-01", "2025-12-08")]  # six sessions
D1, D2, D3, D4, D5, D6 = DAYS


def rows(symbol, last, change, cap=1e9, exchange="nyse", days=DAYS):
    caps = cap if isinstance(cap, list) else [cap] * len(days)
    return pd.DataFrame(
        {
            "symbol": symbol,
            "date": pd.to_datetime(days),
            "last": np.asarray(last, dtype="float32"),
            "pct_change": np.asarray(change, dtype="float32"),
            "market_cap": np.asarray(caps, dtype="float64"),
            "exchange": exchange,
        }
    )


NONE = np.nan
#: With a mean of three sessions, by hand (levels relative to the first session):
HAND = {
    # 100 110 121 100 90 99: above its mean on D3 (121 > 110.33), below on D4 (100 < 110.33) and D5, above D6.
    "UP": rows("UP", [100, 110, 121, 100, 90, 99], [NONE, 10, 10, -17.355372, -10, 10]),
    # The raw price halves on D3, the percentage knows it: the level is 100 101 102 103 104 105, always above.
    "SPLIT": rows("SPLIT", [100, 101, 51, 51.5, 52, 52.5], [NONE, 1, 0.990099, 0.980392, 0.970874, 0.961538]),
    # No percentage on D4: the ratio 12 / 10 stands in. Level 10 10 10 12 12 9: equal on D3, above D4 and D5.
    "BUILT": rows("BUILT", [10, 10, 10, 12, 12, 9], [NONE, 0, 0, NONE, 0, -25]),
    # The raw price on D4 is a tenth: a split, not a return. The next whole window is that of D6.
    "BROKE": rows("BROKE", [10, 10, 11, 1.1, 1.1, 1.2], [NONE, 0, 10, NONE, 0, 9.090909]),
    # Consolidated one for ten on D3, and the percentage says so: +900 % is not believed. Whole again on D5.
    "JOIN": rows("JOIN", [1, 1, 10, 11, 12, 11], [NONE, 0, 900, 10, 9.090909, -8.333333]),
    # Not there on D3: whole again on D6 only.
    "GAP": rows("GAP", [10, 10, 10, 11, 12], [NONE, 0, 0, 10, 9.090909], days=[D1, D2, D4, D5, D6]),
}
ABOVE = {
    "UP": {D3: True, D4: False, D5: False, D6: True},
    "SPLIT": {D3: True, D4: True, D5: True, D6: True},
    "BUILT": {D3: False, D4: True, D5: True, D6: False},
    "BROKE": {D3: True, D6: True},
    "JOIN": {D5: True, D6: False},
    "GAP": {D6: True},
}


def write(path, *frames):
    pd.concat(frames).to_parquet(path, index=False)
    return path


def the_share(panel, symbol):
    """Sessions on which one stock alone has a mean, and whether it lies above it."""
    others = tuple(name for name in HAND if name != symbol)
    counts = breadth.above_mean(panel, length=3, groups=1, without=others).reset_index()
    counts = counts[counts["stocks"] == 1]
    return {
        f"{day:%Y-%m-%d}": bool(above) for day, above in zip(counts["date"], counts["above"], strict=True)
    }


@pytest.mark.parametrize("symbol", list(HAND))
def test_each_stock_by_hand(tmp_path, symbol):
    panel = write(tmp_path / "p.parquet", *HAND.values())
    assert the_share(panel, symbol) == ABOVE[symbol]


def test_counts_by_hand(tmp_path):
    counts = breadth.above_mean(write(tmp_path / "p.parquet", *HAND.values()), length=3, groups=1)
    day = counts.loc[D6].iloc[0]
    # On D6 all six have a whole window; UP, SPLIT, BROKE and GAP lie above their means.
    assert (day["stocks"], day["above"]) == (6, 4)
    assert day["share"] == pytest.approx(400 / 6)
    # UP, SPLIT, BROKE, GAP rose; BUILT and JOIN fell.
    assert (day["advances"], day["declines"]) == (4, 2)
    assert day["net"] == pytest.approx(200 / 6)
    # D3: JOIN's step is not believed and counts neither way; GAP is away; BUILT has not moved.
    day = counts.loc[D3].iloc[0]
    assert (day["advances"], day["declines"], day["net"]) == (3, 0, 75.0)


def test_size_is_that_of_the_session_before(tmp_path):
    small_then_large = [1.0, 1.0, 1.0, 1.0, 9.0, 9.0]
    large_then_small = [5.0, 5.0, 5.0, 5.0, 2.0, 2.0]
    panel = write(
        tmp_path / "p.parquet",
        rows("A", [1, 1, 1, 2, 3, 4], [NONE, 0, 0, 100, 50, 33.333], cap=small_then_large),
        rows("B", [9, 8, 7, 6, 5, 4], [NONE, -11.11, -12.5, -14.28, -16.66, -20], cap=large_then_small),
    )
    share = breadth.above_mean(panel, length=3, groups=2)["share"]
    # A rises, B falls. On D5 the sizes of D4 hold: A is still the small one. From D6 on it is the large one.
    assert share.loc[D5].tolist() == [100.0, 0.0]
    assert share.loc[D6].tolist() == [0.0, 100.0]


def test_equal_sizes_are_parted_in_the_order_of_symbols(tmp_path):
    caps = {"A": 3e9, "B": 2e9, "C": 2e9, "D": 2e9, "E": 1e9}
    frames = [
        rows(name, [1] * 6, [step] * 6, cap=cap)
        for (name, cap), step in zip(caps.items(), [1, 1, -1, 0, -1], strict=True)
    ]
    panel = write(tmp_path / "p.parquet", *frames)
    # By size E, B, C, D, A: groups of two, two and one; then of five and none left for the sixth.
    three = breadth.above_mean(panel, length=2, groups=3).loc[D6]
    assert three[["advances", "declines"]].to_numpy().tolist() == [[1, 1], [0, 1], [1, 0]]
    assert three["from_cap"].tolist() == [1e9, 2e9, 3e9]
    six = breadth.above_mean(panel, length=2, groups=6).loc[D6]
    assert (six["advances"] - six["declines"]).tolist() == [-1, 1, -1, 0, 1]
    assert six.index.tolist() == [1, 2, 3, 4, 5]


def test_size_is_carried_over_a_rebuilt_session_but_not_for_ever(tmp_path):
    gone = [1e9, NONE, NONE, NONE, NONE, NONE]
    panel = write(
        tmp_path / "p.parquet", rows("A", [1] * 6, [0] * 6, cap=gone), rows("B", [1] * 6, [0] * 6, cap=5e9)
    )
    counts = breadth.above_mean(panel, length=2, groups=1)
    assert counts.loc[D4, "stocks"].item() == 2  # D1 lies three sessions back
    assert counts.loc[D5, "stocks"].item() == 1
    assert counts.loc[D4, "from_cap"].item() == 1e9


def test_a_later_start_changes_nothing_but_the_start(tmp_path):
    panel = write(tmp_path / "p.parquet", *HAND.values())
    whole = breadth.above_mean(panel, length=3, groups=2)
    part = breadth.above_mean(panel, length=3, groups=2, start=D5, end=D6)
    pd.testing.assert_frame_equal(whole.loc[D5:D6], part)


def test_a_relation_is_as_good_as_a_file(tmp_path):
    panel = write(tmp_path / "p.parquet", *HAND.values())
    relation = duckdb.connect().read_parquet(str(panel))
    pd.testing.assert_frame_equal(breadth.above_mean(panel, 3, 2), breadth.above_mean(relation, 3, 2))
    some = relation.filter("symbol <> 'UP'")
    assert breadth.above_mean(some, 3, 1).loc[D6, "stocks"].item() == 5


def test_members_by_the_list_known_then(tmp_path):
    panel = write(tmp_path / "p.parquet", *HAND.values())
    lists = pd.DataFrame(
        {
            "date": [D2, D2, D2, D6, D6, D6],
            "symbol": ["UP", "BUILT", "UNKNOWN", "UP", "SPLIT", "UP"],  # one name twice
        }
    )
    found = breadth.members_above_mean(panel, lists, length=3)
    assert f"{found.index[0]:%Y-%m-%d}" == D2
    assert found.loc[D5, "list"] == pd.Timestamp(D2)
    assert found.loc[D5, ["listed", "found", "stocks", "above"]].tolist() == [3, 2, 2, 1]
    assert found.loc[D6, ["listed", "found", "stocks", "above"]].tolist() == [2, 2, 2, 2]


def test_kinds_and_funnel(tmp_path):
    one = {"last": [1] * 6, "change": [0] * 6}
    symbols = {
        "AAA": "nyse", "BRK/B": "nyse", "AAA^C": "nyse", "RAC/WS": "nyse", "S0001.U": "nyse",
        "MSFT": "nasdaq", "GOOGL": "nasdaq", "CMCSA": "nasdaq", "SOHOB": "nasdaq", "AGNCP": "nasdaq",
        "SPAC": "nasdaq", "SPACU": "nasdaq", "SPACW": "nasdaq", "VSEC": "nasdaq", "VSECU": "nasdaq",
    }  # fmt: skip
    frames = [rows(name, **one, exchange=where) for name, where in symbols.items()]
    panel = write(tmp_path / "p.parquet", *frames, rows("FUND", **one, cap=NONE))
    kind = breadth.kinds(panel)["kind"]
    stocks = ["AAA", "BRK/B", "CMCSA", "GOOGL", "MSFT", "VSEC"]
    assert sorted(kind.index[kind == "stock"]) == stocks
    assert kind["AAA^C"] == "preferred"
    assert kind["SPAC"] == "blank check"
    assert kind["FUND"] == "no market cap"
    assert (kind[["RAC/WS", "S0001.U", "SOHOB", "AGNCP", "SPACU", "SPACW", "VSECU"]] == "derived").all()
    table = breadth.funnel(panel)
    assert table["symbols"].tolist() == [1, 7, 1, 1, 6]
    assert table["rows"].sum() == 16 * 6
    assert table["rows left"].tolist() == [90, 48, 42, 36, 36]


def test_vanished_and_rebuilt(tmp_path):
    lost = HAND["UP"].assign(pct_change=[NONE, 1, NONE, 1, 1, 1])
    gone = rows("GONE", [1, 1, 1], [NONE, 0, NONE], days=DAYS[:3])
    panel = write(tmp_path / "p.parquet", lost, gone)
    assert breadth.vanished(panel)["last"].to_dict() == {"GONE": pd.Timestamp(D3)}
    assert breadth.rebuilt_sessions(panel).to_dict() == {pd.Timestamp(D1): 100.0, pd.Timestamp(D3): 100.0}


def test_errors_say_what_to_do(tmp_path):
    with pytest.raises(HelperError, match="There is no panel at"):
        breadth.above_mean(tmp_path / "none.parquet")
    thin = tmp_path / "thin.parquet"
    HAND["UP"].drop(columns=["market_cap"]).to_parquet(thin)
    with pytest.raises(HelperError, match="no column market_cap"):
        breadth.kinds(thin)
    with pytest.raises(HelperError, match="use two or more"):
        breadth.above_mean(write(tmp_path / "p.parquet", HAND["UP"]), length=1)


def test_against_pandas_on_a_random_panel(tmp_path):
    rng = np.random.default_rng(7)
    days = calendar.sessions("2025-01-02", "2025-05-30")
    change = pd.DataFrame(
        rng.normal(0, 2, (len(days), 40)), index=days, columns=[f"S{n:02d}" for n in range(40)]
    )
    change = change.astype("float32")
    level = (1 + change.astype(float) / 100).cumprod()
    cap = level * rng.uniform(1, 50, 40)
    tables = {"pct_change": change, "last": level, "market_cap": cap}
    tall = pd.DataFrame({name: table.to_numpy().ravel() for name, table in tables.items()})
    tall["date"] = days.repeat(40)
    tall["symbol"] = list(change.columns) * len(days)
    panel = write(tmp_path / "p.parquet", tall.assign(exchange="nyse"))
    got = breadth.above_mean(panel, length=20, groups=4)
    above = (level > level.rolling(20).mean()).astype(float).where(level.rolling(20).count() == 20)
    group = (cap.shift(1).rank(axis=1) - 1) // 10 + 1
    for number in range(1, 5):
        expected = above.where(group == number).mean(axis=1).mul(100).dropna()
        measured = got["share"].xs(number, level="group").dropna()
        pd.testing.assert_series_equal(measured, expected, check_names=False, check_freq=False)


@needs_reference
def test_the_store_knows_its_gaps():
    panel = REFERENCE.path / "listings.parquet"
    lost = breadth.rebuilt_sessions(panel)
    listed = REFERENCE.files["listings.parquet"]["derived_sessions"]["nasdaq"]
    assert [f"{day:%Y-%m-%d}" for day in lost.index] == listed
    kind = breadth.kinds(panel)["kind"]
    known = ["AAPL", "MSFT", "GOOGL", "BRK/B", "IONQ", "DENN", "FMC", "NVDA"]
    assert (kind[known] == "stock").all()
    # Interactive Brokers split four for one on 2025-06-18: its raw price fell by three quarters, it rose.
    lists = pd.DataFrame({"date": ["2025-06-01"], "symbol": ["IBKR"]})
    found = breadth.members_above_mean(panel, lists, start="2025-06-17", end="2025-06-24")
    assert found["above"].tolist() == [1] * 5
