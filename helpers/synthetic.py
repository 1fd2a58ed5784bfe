"""A made-up market in the layout of the store, so that every notebook runs where there is no data.

Seeded random walks with a few common factors; every series begins at 100 (rates at 4 percent). Nothing in
it says anything about a real security: the ids, dates and gaps are those of ``data/series.yaml``, the
numbers are not. The Federal Reserve's steps of 2025 and the months without a CPI are kept, because code
that looks for them must find them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from helpers import calendar
from helpers.files import HelperError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
#: Rows and columns of one file, for the manifest.
Listed: TypeAlias = dict[str, Any]

NAME = "synthetic market"
VERSION = 1  # raise it whenever the content changes, so that copies on disk are built anew
CATALOGUE = Path(__file__).resolve().parents[1] / "data" / "series.yaml"
LAST_SESSION = "2026-08-21"
HOLDINGS = (
    "2025-05-13", "2025-11-05", "2025-11-11", "2025-12-29", "2026-01-21", "2026-04-10", "2026-05-05",
)  # fmt: skip

PRICES = pa.schema(
    [
        ("symbol", pa.string()),
        ("date", pa.date32()),
        *((name, pa.float64()) for name in ("open", "high", "low", "close", "adj_close")),
        ("volume", pa.int64()),
    ]
)
MACRO = pa.schema([("series", pa.string()), ("date", pa.date32()), ("value", pa.float64())])
SHILLER = pa.schema(
    [
        ("date", pa.date32()),
        *((name, pa.float64()) for name in ("price", "dividend", "earnings", "cpi", "gs10", "cape")),
    ]
)
_WORDS = pa.dictionary(pa.int32(), pa.string())
LISTINGS = pa.schema(
    [
        ("symbol", _WORDS),
        ("date", pa.date32()),
        ("last", pa.float32()),
        ("pct_change", pa.float32()),
        ("volume", pa.int64()),
        ("market_cap", pa.float64()),
        ("exchange", _WORDS),
        ("sector", _WORDS),
    ]
)
FUNDAMENTALS = pa.schema(
    [
        ("ticker", pa.string()),
        ("year", pa.int16()),
        ("quarter", pa.int8()),
        ("account", _WORDS),
        ("amount", pa.int64()),
    ]
)

# Where a column of the reference store is shorter than the series: first and last day that it has.
_OPEN = "1900-01-01"
_END = "2200-01-01"
_SPANS: tuple[tuple[str, str, str, str], ...] = (
    ("close", "2005-01-03", "2026-05-01", "RSP IJR IJH VB VBR VBK IWB IWD IWF IVE IVW VTV VUG SOXX"),
    ("close", "2005-01-03", _END, "XLF XLI XLV XLK XLB XLP XLU XLY SMH"),
    ("close", _OPEN, "2026-05-01", "IVV ICLN KRE EFA VWO IEMG IEF HYG LQD AGG"),
    ("close", "2000-01-03", _END, "BBWI FMC"),
    ("adj_close", _OPEN, "2026-07-31", "BBWI FMC DIA"),
    ("adj_close", "1976-08-03", _END, "BAC CAT IBM CVS LLY"),
    ("open", _OPEN, "2026-02-27", "^NDX"),
    ("open", _OPEN, _OPEN, "SERV"),
    ("open", _OPEN, "2024-03-08", "CHGG MGNI DENN BBWI FMC RGTI QBTS IONQ"),
)
_BONDS = {"TLT": 1.6, "IEF": 0.7, "LQD": 0.8, "AGG": 0.5, "HYG": 0.3}  # loading on the bond factor
_TECH = (
    "^IXIC ^NDX QQQ XLK SMH SOXX QTUM AAPL MSFT NVDA GOOGL AMZN META TSLA PLTR ORCL AVGO MU INTC AMD IONQ"
    " RGTI QBTS"
)
_FOLLOWED = {
    "^RUT": "russell small core",
    "^GSPC": "sp large core",
    "RSP": "equal weights",
    "^NDX": "Nasdaq-100",
    "QQQ": "Nasdaq-100",
}
_WITHOUT_DIVIDENDS = "AMZN TSLA PLTR CHGG SERV MGNI DENN RGTI QBTS IONQ AMD GLD"
# Sessions that the listing snapshots lost: only `last` is known, rebuilt from the next day.
_REBUILT = ("2025-03-28", "2025-05-14", "2025-06-16", "2025-10-31", "2026-02-19", "2026-02-25")
_REBUILT_NASDAQ = (*_REBUILT, "2026-02-04")
_STEPS = ("2025-09-18", "2025-10-30", "2025-12-11")  # first days of the three lower target ranges of 2025


# ----------------------------------------------------------------------------------------------- building


def build(out: Path, seed: int = 20251211) -> Path:
    """Build the synthetic store at ``out``, whole or not at all; return ``out``.

    Parameters
    ----------
    out : folder to make; its parents are made too. If it holds this very market already (same version, seed
        and catalogue), nothing is done.
    seed : of all random numbers; the same seed gives the same files, byte for byte

    Raises
    ------
    HelperError
        if ``out`` holds anything but a synthetic market, or the catalogue cannot be read.
    """
    try:
        text = CATALOGUE.read_bytes()
        entries = _load(text)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise HelperError(
            f"The catalogue {CATALOGUE} cannot be read ({error}); restore it from the repository."
        ) from None
    wanted: Listed = {
        "name": NAME,
        "version": VERSION,
        "seed": seed,
        "catalogue": hashlib.sha256(text).hexdigest(),
    }
    if _holds(out, wanted):
        return out

    part = out.with_name(f".{out.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        part.mkdir(parents=True)
        _write(part, entries, wanted)
        _put(part, out, wanted)
    except OSError as error:
        raise HelperError(
            f"The synthetic market cannot be written to {out} ({error}); make room or name another folder."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out


def _load(text: bytes) -> list[Listed]:
    import yaml

    try:
        return list(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["series"])
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _holds(out: Path, wanted: Listed) -> bool:
    """True if ``out`` is the wanted market; HelperError if it is something that must not be replaced."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        found = json.loads((out / "manifest.json").read_text("utf-8"))
        stale = found["name"] == NAME
    except (OSError, ValueError, KeyError, TypeError):
        stale = False
    if not stale:
        raise HelperError(f"{out} holds something else than a synthetic market; name another folder.")
    return all(found.get(key) == value for key, value in wanted.items())


def _put(part: Path, out: Path, wanted: Listed) -> None:
    """Move the finished folder into place; a process that was faster with the same market wins."""
    old = part.with_name(part.name + ".old")
    try:
        if out.exists() and not _holds(out, wanted):
            os.replace(out, old)
        os.replace(part, out)
    except OSError:
        if not _holds(out, wanted):
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _write(root: Path, entries: list[Listed], head: Listed) -> None:
    market = _Made(head["seed"], entries)
    files: dict[str, Listed] = {}
    for write in (_prices, _macro, _french, _shiller, _panel, _intraday):
        files.update(write(root, market))
    for name, listed in files.items():
        path = root / name
        with path.open("rb") as stream:
            listed |= {
                "sha256": hashlib.file_digest(stream, "sha256").hexdigest(),
                "bytes": path.stat().st_size,
            }
        files[name] = listed
    manifest = head | {
        "last_session": LAST_SESSION,
        "calendar": "XNYS (exchange_calendars)",
        "rights": "random numbers, free for any use",
        "note": "made up: says nothing about any security, index or economy",
        "total_bytes": sum(listed["bytes"] for listed in files.values()),
        "files": dict(sorted(files.items())),
        "symbols": market.symbols,
        "series": market.series,
    }
    (root / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _parquet(root: Path, name: str, table: pa.Table, rows: int | None = None) -> Listed:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path, compression="zstd", row_group_size=rows)
    return {
        "rows": table.num_rows,
        "columns": {column.name: str(column.type) for column in table.schema},
    }


def _text(root: Path, name: str, content: str) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode("ascii"))  # bytes: line ends stay as they are


# ------------------------------------------------------------------------------------------- random walks


@dataclass
class _Made:
    """The common factors, and the walks made from them."""

    seed: int
    entries: list[Listed]
    symbols: dict[str, Listed] = field(default_factory=dict)
    series: dict[str, Listed] = field(default_factory=dict)
    bars: dict[str, pd.DataFrame] = field(default_factory=dict)

    def rng(self, name: str) -> np.random.Generator:
        """A generator of its own for each series, so that adding one leaves the others alone."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        """Every session since July 1926; the months before the calendar's begin are weekdays."""
        before = pd.bdate_range("1926-07-01", pd.Timestamp(calendar.FIRST) - pd.Timedelta(days=1))
        return pd.DatetimeIndex(before.append(calendar.sessions(calendar.FIRST, LAST_SESSION)))

    @cached_property
    def factors(self) -> dict[str, Array]:
        """Daily log returns common to many series: market, small against large, value against growth, …"""
        sizes = {"market": 0.0082, "small": 0.0035, "value": 0.0035, "tech": 0.0045, "bond": 0.0035}
        # Fat tails, as prices have them; the market alone has a drift.
        made = {
            name: size * self.rng(f"factor {name}").standard_t(5, len(self.days))
            for name, size in sizes.items()
        }
        made["market"] += 0.0002
        return made

    def returns(self, entry: Listed, where: slice) -> Array:
        """Daily log returns of a series with its dividends."""
        name, group = entry["id"], entry["group"]
        noise = self.rng(name).standard_normal(len(self.days))[where]
        part = {factor: values[where] for factor, values in self.factors.items()}
        if name in _BONDS:
            credit = 0.3 if name == "HYG" else 0.0
            return _BONDS[name] * part["bond"] + credit * part["market"] + 0.0004 * noise + 0.0001
        if name in ("GLD", "UUP"):
            return 0.1 * part["bond"] + 0.007 * noise + 0.0001
        small = {"small": 1.0, "mid": 0.5}.get(entry["size"], 0.0)
        value = {"value": 0.5, "growth": -0.5}.get(entry["style"], 0.0)
        tech = float(name in _TECH.split())
        own = 0.021 if group == "stock" else 0.0004 if entry["size"] else 0.007
        drift = 0.00005 if group == "stock" else 0.0
        common = part["market"] + small * part["small"] + value * part["value"] + tech * part["tech"]
        if entry["size"]:
            # Each vendor draws the lines elsewhere; a fund and its index share the vendor's lines.
            cut = _FOLLOWED.get(name, f"{entry['family']} {entry['size']} {entry['style']}")
            common += 0.0015 * self.rng(f"cut {cut}").standard_normal(len(self.days))[where]
        return np.asarray(common + own * noise + drift)

    @cached_property
    def ex_dates(self) -> Array:
        """Number of ex-dividend days so far: one a quarter, at the first session from the 20th."""
        due = np.asarray((self.days.month % 3 == 0) & (self.days.day >= 20))
        return np.cumsum(due & ~np.roll(due, 1))


def _rebased(values: Array, start: float = 100.0) -> Array:
    """Values that begin at ``start``; nulls (NaN) before the first value stay."""
    known = values[~np.isnan(values)]
    return values * (start / known[0]) if len(known) else values


def _quoted(values: Array) -> Array:
    """Prices as quoted: two decimals, four below 10. Rounding keeps the order of prices."""
    return np.where(values < 10, np.round(values, 4), np.round(values, 2))


def _ar1(shocks: Array, keep: float) -> Array:
    """A mean-reverting path that begins at zero."""
    scaled = shocks / (1 - keep)
    scaled[0] = 0.0
    return pd.Series(scaled).ewm(alpha=1 - keep, adjust=False).mean().to_numpy()


# ------------------------------------------------------------------------------------------------- prices


def _bars(market: _Made, entry: Listed) -> pd.DataFrame:
    """Daily bars of one symbol, with the gaps that the reference store has."""
    days = market.days
    where = slice(days.searchsorted(entry["first"]), days.searchsorted(entry["last_known"], side="right"))
    index, name = days[where], entry["id"]
    rng = market.rng(f"{name} bars")
    if name == "^VIX":
        close = 100 * np.exp(_ar1(-4 * market.factors["market"][where] + 0.03 * _normal(rng, index), 0.97))
        total = np.full(len(index), np.nan)
    else:
        walk = market.returns(entry, where)
        walk[0] = 0.0
        total = 100 * np.exp(np.cumsum(walk))
        rate = 0.0 if name in _WITHOUT_DIVIDENDS.split() else 0.008 if name in _BONDS else 0.0035
        close = total * (1 - rate) ** market.ex_dates[where]
    frame = pd.DataFrame({"close": close, "adj_close": total}, index=index)
    if entry["price"] == "total":
        frame["close"] = np.nan
    if entry["price"] == "price":
        frame["adj_close"] = np.nan
    spans = [span for span in _SPANS if name in span[3].split()]
    for column, first, last, _ in spans:
        if column in frame:
            frame.loc[_outside(index, first, last), column] = np.nan
    for column in ("close", "adj_close"):
        frame[column] = _rebased(frame[column].to_numpy())

    # Bars around the close: the open near the close before, high and low enclose both.
    before = frame["close"].shift().fillna(frame["close"])
    frame["open"] = before * np.exp(0.003 * _normal(rng, index))
    frame.loc[frame["close"].first_valid_index() or index[0], "open"] = frame["close"].bfill().iloc[0]
    top, bottom = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    frame["high"] = top * np.exp(np.abs(0.004 * _normal(rng, index)))
    frame["low"] = bottom * np.exp(-np.abs(0.004 * _normal(rng, index)))
    frame.loc[frame.index.isin(pd.DatetimeIndex(entry["missing"])), "close"] = np.nan
    for column, first, last, _ in spans:
        if column == "open":
            frame.loc[_outside(index, first, last), ["open", "high", "low"]] = np.nan
    frame.loc[frame["close"].isna(), ["open", "high", "low"]] = np.nan
    for column in list(frame.columns):
        frame[column] = _quoted(frame[column].to_numpy())

    # In ten thousands of shares: a made-up volume needs no more digits, and the file stays small.
    frame["volume"] = np.round(np.exp(5.5 + 0.4 * _normal(rng, index))) * 10000
    frame.loc[frame["close"].isna() | (name == "^VIX"), "volume"] = np.nan
    return frame[frame["close"].notna() | frame["adj_close"].notna()]


def _normal(rng: np.random.Generator, index: Sequence[Any] | pd.Index) -> Array:
    return rng.standard_normal(len(index))


def _outside(index: pd.DatetimeIndex, first: str, last: str) -> Array:
    return np.asarray((index < pd.Timestamp(first)) | (index > pd.Timestamp(last)))


def _dates(index: pd.DatetimeIndex) -> pa.Array:
    return pa.array(index.to_numpy().astype("datetime64[D]"))


def _floats(values: Any) -> pa.Array:
    return pa.array(np.asarray(values, dtype=float), from_pandas=True)  # NaN becomes null


def _whole(values: Any) -> pa.Array:
    known = np.asarray(values, dtype=float)
    return pa.array(np.nan_to_num(known).astype("int64"), mask=np.isnan(known))


def _prices(root: Path, market: _Made) -> dict[str, Listed]:
    """prices.parquet: every index, fund and stock of the catalogue."""
    parts = []
    entries = [entry for entry in market.entries if entry["group"] in ("index", "etf", "stock")]
    for entry in sorted(entries, key=lambda entry: str(entry["id"])):
        bars = _bars(market, entry)
        market.bars[entry["id"]] = bars
        market.symbols[entry["id"]] = _life(pd.DatetimeIndex(bars.index)) | {"unit": entry["unit"]}
        columns = [_floats(bars[name]) for name in ("open", "high", "low", "close", "adj_close")]
        names = pa.repeat(pa.scalar(entry["id"]), len(bars))
        parts.append(
            pa.Table.from_arrays(
                [names, _dates(pd.DatetimeIndex(bars.index)), *columns, _whole(bars["volume"])], schema=PRICES
            )
        )
    # Small row groups: a reader of a few symbols skips all others.
    return {"prices.parquet": _parquet(root, "prices.parquet", pa.concat_tables(parts), 16384)}


def _life(index: pd.DatetimeIndex) -> Listed:
    return {"rows": len(index), "first": f"{index[0]:%Y-%m-%d}", "last": f"{index[-1]:%Y-%m-%d}"}


# -------------------------------------------------------------------------------------------------- macro


def _target(market: _Made, days: pd.DatetimeIndex) -> Array:
    """Upper limit of the target range: steps of a quarter point, the last three in autumn 2025."""
    rng = market.rng("DFEDTARU")
    steps = np.zeros(len(days))
    level = 4.0
    for at in range(45, int(days.searchsorted(pd.Timestamp("2025-08-01"))), 45):
        step = 0.25 * int(rng.integers(-1, 2))
        # Kept well above zero, so that three steps down are always possible.
        if 1.5 <= level + step <= 6:
            steps[at] = step
            level += step
    steps[days.searchsorted(pd.DatetimeIndex(_STEPS))] = -0.25
    return 4.0 + np.cumsum(steps)


def _observed(entry: Listed) -> pd.DatetimeIndex:
    """Observation dates of a macro series."""
    first, last, name = entry["first"], entry["last_known"], entry["id"]
    if entry["frequency"] != "daily":
        dates = pd.date_range(first, last, freq="QS" if entry["frequency"] == "quarterly" else "MS")
        return dates[~dates.isin(pd.DatetimeIndex(entry["missing"]))]
    if name in ("DFF", "DFEDTARU", "DFEDTARL"):
        return pd.date_range(first, last)
    if name == "VIXCLS":
        return calendar.sessions(first, last)
    # Bond and currency markets: closed on Columbus and Veterans Day, when New York's stocks trade.
    from pandas.tseries.holiday import USFederalHolidayCalendar

    weekdays = pd.bdate_range(first, last)
    closed = weekdays.isin(USFederalHolidayCalendar().holidays(first, last))
    return weekdays[~closed | (weekdays == pd.Timestamp(first))]


def _values(market: _Made, entry: Listed, dates: pd.DatetimeIndex, target: pd.Series) -> Array:
    """Values of one macro series."""
    name, rng = entry["id"], market.rng(entry["id"])
    noise = _normal(rng, dates)
    if name in ("DFEDTARU", "DFEDTARL"):
        return np.asarray(target - (0.25 if name == "DFEDTARL" else 0.0))
    if name == "VIXCLS":
        return np.asarray(market.bars["^VIX"]["close"].reindex(dates).ffill())
    if name == "USREC":
        # About one month in seven, in spells: recession while a slow tide is high.
        return np.asarray(_ar1(0.2 * noise, 0.95) > 0.65, dtype=float)
    if entry["price"] == "level":
        growth = {"daily": (0.0, 0.003), "monthly": (0.0023, 0.002), "quarterly": (0.0065, 0.007)}
        drift, size = growth[entry["frequency"]]
        steps = drift + size * noise
        steps[0] = 0.0
        walk = 100 * np.exp(np.cumsum(steps))
        return np.asarray(np.round(walk, 4 if entry["frequency"] == "daily" else 3))
    if entry["frequency"] == "monthly":
        level = np.maximum(4 + _ar1(0.15 * noise, 0.98), 0.1)
        return np.asarray(np.round(level, 1 if name == "UNRATE" else 2))
    # Daily yields follow the bond factor, the longer the less; the funds rate keeps to its target.
    load = {"DGS3MO": 8.0, "DGS2": 12.0, "DGS10": 10.0, "DGS30": 9.0, "T10YIE": 3.0}.get(name, 0.0)
    shared = pd.Series(market.factors["bond"], index=market.days).reindex(dates).fillna(0.0).to_numpy()
    values = np.maximum(4 + _ar1(-load * shared + 0.02 * noise, 0.997), 0.1)
    if name == "DFF":
        middle = (target - 0.125).reindex(dates).to_numpy()
        values = np.where(np.isnan(middle), values, middle + 0.01 * np.round(noise))
    return np.round(values, 2)


def _macro(root: Path, market: _Made) -> dict[str, Listed]:
    """macro.parquet: every macro series of the catalogue."""
    entries = {str(entry["id"]): entry for entry in market.entries if entry["group"] == "macro"}
    span = _observed(entries["DFEDTARU"])
    target = pd.Series(_target(market, span), index=span)
    parts = []
    for name, entry in sorted(entries.items()):
        dates = _observed(entry)
        values = _values(market, entry, dates, target)
        market.series[name] = _life(dates) | {"unit": entry["unit"]}
        names = pa.repeat(pa.scalar(name), len(dates))
        parts.append(pa.Table.from_arrays([names, _dates(dates), _floats(values)], schema=MACRO))
    return {"macro.parquet": _parquet(root, "macro.parquet", pa.concat_tables(parts))}


# ------------------------------------------------------------------------------------- French and Shiller

_COPYRIGHT = "Synthetic: random numbers in the layout of the Fama/French files"
_FACTOR_COLUMNS = ",Mkt-RF,SMB,HML,RF"


def _lines(labels: Iterable[str], values: Array, form: str) -> list[str]:
    """``label,  1.23,  4.56`` for each row; one format for all columns."""
    row = ",".join(["%s", *[form] * values.shape[1]])
    return [row % (label, *line) for label, line in zip(labels, values.tolist(), strict=True)]


def _compound(percent: pd.DataFrame, labels: Any) -> pd.DataFrame:
    """Returns in percent over longer periods."""
    logs = pd.DataFrame(np.log1p(percent / 100))
    return pd.DataFrame(100 * np.expm1(logs.groupby(labels).sum()))


def _french(root: Path, market: _Made) -> dict[str, Listed]:
    """french/: three factors daily and monthly (the one compounded from the other), 25 portfolios."""
    names = {"Mkt-RF": "market", "SMB": "small", "HML": "value"}
    daily = pd.DataFrame(
        {column: 100 * np.expm1(market.factors[factor]) for column, factor in names.items()},
        index=market.days,
    ).round(2)
    daily["RF"] = 0.01
    whole = daily[:"2025-12-31"]
    monthly = _compound(whole, pd.DatetimeIndex(whole.index).to_period("M")).round(2)
    annual = _compound(monthly["1927":], pd.PeriodIndex(monthly["1927":].index).year)

    shown = daily[:"2026-04-30"]
    _text(
        root,
        "french/F-F_Research_Data_Factors_daily.csv",
        "\n".join(
            [
                "This file was created from random numbers: a synthetic market.",
                "The layout is that of the file made with the 202604 CRSP database.",
                "",
                "Date" + _FACTOR_COLUMNS,
                *_lines(pd.DatetimeIndex(shown.index).strftime("%Y-%m-%d"), shown.to_numpy(), "%8.2f"),
                "",
                _COPYRIGHT,
                "",
            ]
        ),
    )
    _text(
        root,
        "french/F-F_Research_Data_Factors.csv",
        "\r\n".join(
            [
                _FACTOR_COLUMNS,
                *_lines(pd.PeriodIndex(monthly.index).strftime("%Y%m"), monthly.to_numpy(), "%7.2f"),
                "",
                " Annual Factors: January-December",
                _FACTOR_COLUMNS,
                *_lines((f"{year:>6}" for year in annual.index), annual.to_numpy(), "%7.2f"),
                "",
                _COPYRIGHT,
                "",
            ]
        ),
    )
    portfolios, rows = _portfolios(market, monthly)
    _text(root, "french/25_Portfolios_5x5.csv", portfolios)
    return {
        "french/25_Portfolios_5x5.csv": {"rows": rows},
        "french/F-F_Research_Data_Factors.csv": {"rows": len(monthly) + len(annual)},
        "french/F-F_Research_Data_Factors_daily.csv": {"rows": len(shown)},
    }


_FORMED = "  For portfolios formed in June of year t"
_MONTHS = "  Where Mth is a month from June of t to June of t+1"
_SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("value", "%9.4f", ("  Average Value Weighted Returns -- Monthly",)),
    ("equal", "%9.4f", ("  Average Equal Weighted Returns -- Monthly",)),
    ("value annual", "%9.4f", ("  Average Value Weighted Returns -- Annual",)),
    ("equal annual", "%9.4f", ("  Average Equal Weighted Returns -- Annual",)),
    ("firms", "%7d", ("  Number of Firms in Portfolios",)),
    ("cap", "%12.2f", ("  Average Market Cap",)),
    (
        "ratio",
        "%9.4f",
        (
            _FORMED,
            "  Value Weight Average of BE/ME Calculated for June of t to June of t+1 as: ",
            "  Sum[ME(Mth) * BE(Fiscal Year t-1) / ME(Dec t-1)] / Sum[ME(Mth)]",
            _MONTHS,
            "  and BE(Fiscal Year t-1) is adjusted for net stock issuance to Dec t-1",
        ),
    ),
    (
        "ratio June",
        "%9.4f",
        (
            _FORMED,
            "  Value Weight Average of BE_FYt-1/ME_June t Calculated for June of t to June of t+1 as: ",
            "  Sum[ME(Mth) * BE(Fiscal Year t-1) / ME(Jun t)] / Sum[ME(Mth)]",
            _MONTHS,
            "  and BE(Fiscal Year t-1) is adjusted for net stock issuance to Jun t",
        ),
    ),
    (
        "profit",
        "%9.4f",
        (
            _FORMED,
            "  Value Weight Average of OP Calculated as: ",
            "  Sum[ME(Mth) * OP(fiscal year t-1) / BE(fiscal year t-1)] / Sum[ME(Mth)] ",
            _MONTHS,
        ),
    ),
    (
        "investment",
        "%9.4f",
        (
            _FORMED,
            "  Value Weight Average of investment (rate of growth of assets) Calculated as: ",
            "  Sum[ME(Mth) * Log(ASSET(t-1) / ASSET(t-2) / Sum[ME(Mth)] ",
            _MONTHS,
        ),
    ),
)


def _portfolios(market: _Made, factors: pd.DataFrame) -> tuple[str, int]:
    """The 25 portfolios in all sections of the original, and the number of rows."""
    rng = market.rng("FF25")
    months = pd.PeriodIndex(factors.index)
    size = np.repeat(np.arange(5), 5)  # 0 is small
    style = np.tile(np.arange(5), 5)  # 0 is growth
    columns = [f"ME{s + 1} BM{b + 1}" for s, b in zip(size, style, strict=True)]
    columns[0], columns[4] = "SMALL LoBM", "SMALL HiBM"
    columns[20], columns[24] = "BIG LoBM", "BIG HiBM"
    header = "," + ",".join(columns)

    shape = (len(months), 25)
    base = (factors["Mkt-RF"] + factors["RF"]).to_numpy()[:, None]
    tilt = np.outer(factors["SMB"], 1 - size / 4) + np.outer(factors["HML"], style / 4 - 0.5)
    value = base + tilt + rng.standard_normal(shape)
    equal = value + 0.5 * rng.standard_normal(shape) + 0.1
    wave = np.exp(0.2 * rng.standard_normal(shape))
    tables: dict[str, Array] = {
        "value": value,
        "equal": equal,
        "firms": np.round(20 + 60 * (4 - size) / 4 + 20 * rng.random(shape)),
        "cap": 3.0 * 4.0**size * wave * np.linspace(1, 40, len(months))[:, None],
        "ratio": (0.3 + 0.45 * style) * wave,
        "ratio June": (0.32 + 0.47 * style) * wave,
        "profit": 0.35 - 0.06 * style + 0.05 * rng.standard_normal(shape),
        "investment": 0.15 - 0.03 * style + 0.03 * rng.standard_normal(shape),
    }
    # A year without a firm in one portfolio, so that readers meet both codes for missing values.
    empty = np.asarray((months >= pd.Period("1930-07", "M")) & (months <= pd.Period("1931-06", "M")))
    for name, table in tables.items():
        table[empty, 24] = 0 if name == "firms" else -999 if name.startswith("ratio") else -99.99
    for name in ("value", "equal"):
        known = pd.DataFrame(np.where(tables[name] == -99.99, np.nan, tables[name]), index=months)["1927":]
        years = pd.PeriodIndex(known.index).year
        full = known.notna().groupby(years).all().to_numpy()
        tables[f"{name} annual"] = np.where(full, _compound(known, years).to_numpy(), -99.99)

    lines = [
        "This file was created from random numbers: a synthetic market.",
        "It contains value- and equal-weighted returns for portfolios formed on ME and BEME.",
        "",
        "Missing data are indicated by -99.99 or -999.",
        "",
    ]
    rows = 0
    for key, form, headings in _SECTIONS:
        table = tables[key]
        labels = list(months.strftime("%Y%m"))
        if key.endswith("annual"):
            labels = [f"{year:>6}" for year in range(1927, 2026)]
        elif key in ("profit", "investment"):
            table, labels = table[labels.index("196307") :], labels[labels.index("196307") :]
        rows += len(labels)
        lines += ["", *headings, header, *_lines(labels, table, form), ""]
    return "\n".join([*lines[:-1], "", _COPYRIGHT, ""]), rows


def _shiller(root: Path, market: _Made) -> dict[str, Listed]:
    """shiller/shiller.parquet: the parsed columns alone, there is no workbook."""
    entry = next(entry for entry in market.entries if entry["id"] == "SHILLER")
    dates = pd.date_range(entry["first"], entry["last_known"], freq="MS")
    rng = market.rng("SHILLER")

    def walk(drift: float, size: float) -> Array:
        steps = drift + size * _normal(rng, dates)
        steps[0] = 0.0
        return np.asarray(np.exp(np.cumsum(steps)))

    growth = walk(0.0025, 0.008)
    valuation = np.exp(_ar1(0.035 * _normal(rng, dates), 0.985))
    frame = pd.DataFrame(
        {
            "price": np.round(100 * growth * valuation, 2),
            "dividend": np.round(4 * growth, 4),
            "earnings": np.round(6.5 * growth * walk(0.0, 0.002), 4),
            "cpi": np.round(100 * walk(0.0018, 0.003), 3),
            "gs10": np.round(np.maximum(4 + _ar1(0.12 * _normal(rng, dates), 0.985), 0.5), 2),
        },
        index=dates,
    )
    frame.loc[dates[-2:], ["dividend", "earnings"]] = np.nan  # not yet reported
    real = frame["earnings"].ffill() / frame["cpi"]
    frame["cape"] = frame["price"] / frame["cpi"] / real.rolling(120).mean().shift()
    columns = [_floats(frame[name]) for name in SHILLER.names[1:]]
    table = pa.Table.from_arrays([_dates(dates), *columns], schema=SHILLER)
    return {"shiller/shiller.parquet": _parquet(root, "shiller/shiller.parquet", table)}


# ------------------------------------------------------------------ listings, holdings, fundamentals, bars

_EXCHANGES = ("nyse", "nasdaq", "amex")
# The screener's names of sectors, and what iShares calls the same.
_SECTORS = {
    "Industrials": "Industrials",
    "Finance": "Financials",
    "Real Estate": "Real Estate",
    "Health Care": "Health Care",
    "Consumer Discretionary": "Consumer Discretionary",
    "Technology": "Information Technology",
    "Basic Materials": "Materials",
    "Consumer Staples": "Consumer Staples",
    "Energy": "Energy",
    "Miscellaneous": "Industrials",
    "Telecommunications": "Communication",
    "Utilities": "Utilities",
}
_COMMON = 350  # synthetic common stocks, the first 320 of which the fund ever holds
_HELD = 320
_OTHERS = 50  # preferred shares, units, warrants and second classes


def _panel(root: Path, market: _Made) -> dict[str, Listed]:
    """listings.parquet, and what rests on its prices: the fund's holdings and their fundamentals."""
    days = calendar.sessions("2024-12-31", LAST_SESSION)
    days = days[days != pd.Timestamp("2026-02-24")]
    rng = market.rng("LISTINGS")
    common = [f"S{number:04d}" for number in range(1, _COMMON + 1)]
    suffixes = ("^A", "^B", "/WS", ".U", "/B")
    others = [f"S{7 * k + 1:04d}{suffixes[k % len(suffixes)]}" for k in range(_OTHERS)]
    stocks = [entry["id"] for entry in market.entries if entry["group"] == "stock"]
    symbols = sorted([*common, *others, *stocks])

    count, made = len(symbols), len(common) + len(others)
    at = {symbol: row for row, symbol in enumerate(symbols)}
    where = market.days.searchsorted(days)
    shared = market.factors["market"][where] + market.factors["small"][where]
    steps = shared + 0.025 * rng.standard_normal((count, len(days)))
    quiet = np.array([symbol in set(others) for symbol in symbols])
    steps[quiet] *= 0.2
    steps[:, 0] = 0.0
    last = 100 * np.exp(np.cumsum(steps, axis=1))
    for symbol in stocks:  # the very stocks of prices.parquet, at the same closes
        last[at[symbol]] = market.bars[symbol]["close"].reindex(days).to_numpy()
    change = np.full_like(last, np.nan)
    change[:, 1:] = 100 * (last[:, 1:] / last[:, :-1] - 1)
    change[:, 0] = rng.standard_normal(count)
    # `last` is raw: two stocks are consolidated one for ten, and no percentage says so.
    for symbol, day in (("S0333", "2025-06-02"), ("S0007", "2025-08-15")):
        last[at[symbol], days.searchsorted(pd.Timestamp(day)) :] *= 10

    exchange = rng.choice(3, count, p=[0.4, 0.55, 0.05])
    sector = rng.integers(0, len(_SECTORS), count)
    sector[[at[symbol] for symbol in stocks if symbol in _TECH.split()]] = list(_SECTORS).index("Technology")
    shares = np.round(np.exp(17 + 0.9 * rng.standard_normal(count)))
    cap = shares[:, None] * last
    cap[[at[symbol] for symbol in others]] = np.nan
    volume = np.round(shares[:, None] * 0.005 * np.exp(0.5 * rng.standard_normal(last.shape)))

    alive = ~np.isnan(last)
    # Some are listed late, some vanish, neither among the stocks of prices.parquet.
    movers = rng.permutation([at[symbol] for symbol in (*common, *others)])[: made // 8]
    for number, row in enumerate(movers):
        cut = int(rng.integers(20, len(days) - 20))
        alive[row, slice(cut) if number % 3 == 0 else slice(cut, None)] = False
    for row, listed in enumerate(alive):
        lost = _REBUILT_NASDAQ if exchange[row] == 1 else _REBUILT
        blank = days.isin(pd.DatetimeIndex(lost))
        for table in (change, volume, cap):
            table[row, blank] = np.nan
        if listed.any():
            change[row, listed.argmax()] = np.nan if listed.argmax() else change[row, 0]

    keep = alive.ravel()
    rows, columns = (index.ravel()[keep] for index in np.indices(last.shape))
    no_sector = np.isin(rows, np.flatnonzero(quiet))

    def words(codes: Array, values: Sequence[str], mask: Array | None = None) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype("int32"), mask=mask), list(values))

    table = pa.Table.from_arrays(
        [
            words(rows, symbols),
            _dates(days[columns]),
            pa.array(np.round(last.ravel()[keep], 2).astype("float32")),
            pa.array(np.round(change.ravel()[keep], 3).astype("float32"), from_pandas=True),
            _whole(volume.ravel()[keep]),
            _floats(np.round(cap.ravel()[keep])),
            words(exchange[rows], _EXCHANGES),
            words(sector[rows], list(_SECTORS), no_sector),
        ],
        schema=LISTINGS,
    )
    files = {"listings.parquet": _parquet(root, "listings.parquet", table, 250000)}

    held = pd.DataFrame(
        {
            "row": [at[symbol] for symbol in common[:_HELD]],
            "sector": [list(_SECTORS.values())[sector[at[symbol]]] for symbol in common[:_HELD]],
        },
        index=pd.Index(common[:_HELD], name="ticker"),
    )
    for number, date in enumerate(HOLDINGS):
        column = days.searchsorted(pd.Timestamp(date))
        name = f"holdings/IWM_{date}.csv"
        # Twenty come and go: the membership of one date is not that of another.
        now = held.iloc[3 * number : 300 + 3 * number].copy()
        now = now[alive[now["row"].to_numpy(), column]]
        now["price"] = np.round(last[now["row"].to_numpy(), column], 2)
        now["market_value"] = np.round(0.02 * shares[now["row"].to_numpy()]) * now["price"]
        files[name] = _holdings(root, name, date, now)
    worth = pd.Series(
        shares[held["row"].to_numpy()] * np.nanmean(last[held["row"].to_numpy()], axis=1), held.index
    )
    files["fundamentals.parquet"] = _fundamentals(root, market, worth)
    return files


def _holdings(root: Path, name: str, date: str, held: pd.DataFrame) -> Listed:
    """One holdings file: shares, and the few rows that are none (absent in the copy of December 2025)."""
    bare = date == "2025-12-29"
    held = held.assign(
        name=[f"SYNTHETIC {ticker[1:]} INC" for ticker in held.index],
        asset_class="" if bare else "Equity",
    ).reset_index()
    columns = ["ticker", "name", "sector", "weight_pct", "market_value", "price", "asset_class"]
    total = held["market_value"].sum()
    cash = "Cash and/or Derivatives"
    extra = [
        ("XTSLA", "SYNTHETIC CASH FUND", cash, 0.001 * total, 1.0, "Money Market"),
        ("USD", "USD CASH", cash, 0.0002 * total, 100.0, "Cash"),
        ("MSFUT", "CASH COLLATERAL MSFUT USD", cash, 0.0001 * total, 100.0, "Cash Collateral and Margins"),
        ("-", "SYNTHETIC VESTING PRVT", "Health Care", 1.31, 0.0, "Equity"),
        ("RTYZ5", "SYNTHETIC EMINI FUTURE", cash, 0.0, 100.0, "Futures"),
    ]
    if not bare:
        more = pd.DataFrame(
            extra, columns=["ticker", "name", "sector", "market_value", "price", "asset_class"]
        )
        held = pd.concat([held, more], ignore_index=True)
    held["market_value"] = held["market_value"].round(2)
    held["weight_pct"] = (100 * held["market_value"] / held["market_value"].sum()).round(2)
    held = held.sort_values("market_value", ascending=False, kind="stable")[columns]
    _text(root, name, held.to_csv(index=False, lineterminator="\n"))
    return {"rows": len(held), "columns": columns, "equity_rows": int((held["price"] > 1).sum())}


def _fundamentals(root: Path, market: _Made, worth: pd.Series) -> Listed:
    """fundamentals.parquet: quarterly figures of nine tickers in ten; two in five lose money."""
    rng = market.rng("FUNDAMENTALS")
    accounts = ("net_income", "operating_profit", "revenue")
    quarters = [(year, quarter) for year in (2024, 2025, 2026) for quarter in (1, 2, 3, 4)][:10]
    rows: list[tuple[str, int, int, int, int]] = []
    for ticker, value in worth.items():
        if rng.random() < 0.1:
            continue
        loses, operating = rng.random() < 0.4, rng.random() < 0.85
        revenue = value * 0.15 * np.exp(0.5 * rng.standard_normal())
        margin = -0.05 if loses else 0.12
        for year, quarter in quarters:
            # Thin before 2025; the newest quarter has hardly begun to be reported.
            if rng.random() > (0.8 if year == 2024 else 0.06 if (year, quarter) == (2026, 2) else 0.995):
                continue
            turnover = revenue * np.exp(0.05 * rng.standard_normal())
            income = turnover * (margin + 0.02 * rng.standard_normal())
            for account, amount in enumerate((income, 1.2 * income, turnover)):
                if account != 1 or operating:
                    rows.append((str(ticker), year, quarter, account, int(round(amount, -3))))
    ticker_, year_, quarter_, account_, amount_ = zip(*rows, strict=True)
    table = pa.Table.from_arrays(
        [
            pa.array(ticker_, pa.string()),
            pa.array(year_, pa.int16()),
            pa.array(quarter_, pa.int8()),
            pa.DictionaryArray.from_arrays(pa.array(account_, pa.int32()), list(accounts)),
            pa.array(amount_, pa.int64()),
        ],
        schema=FUNDAMENTALS,
    )
    return _parquet(root, "fundamentals.parquet", table)


def _intraday(root: Path, market: _Made) -> dict[str, Listed]:
    """intraday/: five-minute bars of the small-cap index, inside its daily bars of the same days."""
    name = "intraday/RUT_5m_2025-12-08_2025-12-12.csv"
    rng = market.rng("RUT-5M")
    lines = ["time_new_york,open,high,low,close"]
    for day, bar in market.bars["^RUT"]["2025-12-08":"2025-12-12"].iterrows():
        assert isinstance(day, pd.Timestamp)
        bridge = np.cumsum(rng.standard_normal(79))
        bridge -= np.linspace(bridge[0], bridge[-1], 79)  # from the open to the close
        path = np.linspace(bar["open"], bar["close"], 79) + 0.0004 * bar["close"] * bridge
        path = np.clip(path, bar["low"], bar["high"])
        top, bottom = np.maximum(path[:-1], path[1:]), np.minimum(path[:-1], path[1:])
        top[top.argmax()], bottom[bottom.argmin()] = bar["high"], bar["low"]
        stamps = pd.date_range(day + pd.Timedelta(hours=9, minutes=30), periods=78, freq="5min")
        table = np.column_stack([path[:-1], top, bottom, path[1:]])
        lines += _lines(stamps.strftime("%Y-%m-%d %H:%M:%S-05:00"), np.round(table, 2), "%.10g")
    _text(root, name, "\n".join([*lines, ""]))
    return {name: {"rows": len(lines) - 1, "columns": lines[0].split(",")}}
