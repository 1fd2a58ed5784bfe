"""A made-up market in the layout of the store, so that every notebook runs where there is no data.

Seeded random walks with a few common factors; prices begin at 100, rates at 4 percent, other series at twice the
least that the catalogue allows. Nothing in it says anything about a real security: the ids, dates and gaps are those
of ``data/series.yaml``, the numbers are not. Dated steps and months without a value are kept, because code that looks
for them must find them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from helpers import calendar, files, store
from helpers.files import DATA, HelperError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Entry: TypeAlias = dict[str, Any]

NAME = store.MADE_UP
VERSION = 3  # raise it whenever the content changes, so that copies on disk are built anew


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
        if ``out`` holds anything but a synthetic market, or cannot be written.
    """
    market = _Made(seed)
    head = {"name": NAME, "version": VERSION, "seed": seed, "catalogue": files.sha256(DATA / "series.yaml")}
    if _holds(out, head):
        return out
    try:
        with files.fresh_folder(out) as folder:
            _write(folder, market, head)
    except OSError as error:
        raise HelperError(
            f"The synthetic market cannot be written to {out} ({error}); make room or name another folder."
        ) from error
    return out


def _holds(out: Path, wanted: Entry) -> bool:
    """True if ``out`` is the wanted market; HelperError if it is something that must not be replaced."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        found = dict(json.loads((out / store.MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        found = {}
    if found.get("name") != NAME:
        raise HelperError(f"{out} holds something else than a synthetic market; name another folder.")
    return all(found.get(key) == value for key, value in wanted.items())


def _write(folder: Path, market: _Made, head: Entry) -> None:
    prices = _prices(market)
    tables = {
        store.PRICES: prices,
        store.MACRO: _macro(market),
        **_shiller(market),
        **_listings(market),
        **_fundamentals(market),
    }
    whole = {**_french(market), **_holdings(market), **_intraday(market)}
    store.write(
        folder,
        tables,
        {name: text.encode("ascii") for name, text in whole.items()},
        {name: {"unit": entry["unit"]} for name, entry in market.entries.items()},
        **head,
        rights="random numbers, free for any use",
        note="made up: says nothing about any security, index or economy",
    )


# ------------------------------------------------------------------------------------------- random walks


@dataclass
class _Made:
    """The common factors, and the walks made from them."""

    seed: int
    bars: dict[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The catalogue."""
        return store.catalogue()

    @cached_property
    def notes(self) -> Entry:
        """What the catalogue says of the synthetic market alone."""
        return dict(store.series_file()["synthetic"])

    def listed(self, key: str) -> list[str]:
        """Names in a note."""
        return str(self.notes[key]).split()

    def of(self, *groups: str) -> list[Entry]:
        """Entries of some groups, by id."""
        return [entry for _, entry in sorted(self.entries.items()) if entry["group"] in groups]

    def rng(self, name: str) -> np.random.Generator:
        """A generator of its own for each series, so that adding one leaves the others alone."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        """Every session since July 1926; the months before the calendar's begin are weekdays."""
        before = pd.bdate_range("1926-07-01", pd.Timestamp(calendar.FIRST) - pd.Timedelta(days=1))
        return pd.DatetimeIndex(before.append(calendar.sessions(calendar.FIRST, self.notes["last_session"])))

    @cached_property
    def factors(self) -> dict[str, Array]:
        """Daily log returns common to many series: market, small against large, value against growth, …"""
        sizes = {"market": 0.0082, "small": 0.0035, "value": 0.0035, "tech": 0.0045, "bond": 0.0035}
        # Fat tails, as prices have them; the market alone has a drift.
        fat = {name: self.rng(f"factor {name}").standard_t(5, len(self.days)) for name in sizes}
        return {
            name: size * fat[name] + (0.0002 if name == "market" else 0.0) for name, size in sizes.items()
        }

    def returns(self, entry: Entry, where: slice) -> Array:
        """Daily log returns of a series with its dividends."""
        name, group = entry["id"], entry["group"]
        noise = self.rng(name).standard_normal(len(self.days))[where]
        part = {factor: values[where] for factor, values in self.factors.items()}
        if load := self.notes["bonds"].get(name):
            credit = 0.3 if name == "HYG" else 0.0
            return np.asarray(load * part["bond"] + credit * part["market"] + 0.0004 * noise + 0.0001)
        if name in self.listed("others"):
            return np.asarray(0.1 * part["bond"] + 0.007 * noise + 0.0001)
        small = {"small": 1.0, "mid": 0.5}.get(entry["size"], 0.0)
        value = {"value": 0.5, "growth": -0.5}.get(entry["style"], 0.0)
        tech = float(name in self.listed("tech"))
        own = 0.021 if group == "stock" else 0.0004 if entry["size"] else 0.007
        drift = 0.00005 if group == "stock" else 0.0
        common = part["market"] + small * part["small"] + value * part["value"] + tech * part["tech"]
        if entry["size"]:
            # Each vendor draws the lines elsewhere; a fund and its index share the vendor's lines.
            cut = self.notes["follow"].get(name, f"{entry['family']} {entry['size']} {entry['style']}")
            common += 0.0015 * self.rng(f"cut {cut}").standard_normal(len(self.days))[where]
        return np.asarray(common + own * noise + drift)

    @cached_property
    def ex_dates(self) -> Array:
        """Number of ex-dividend days so far: one a quarter, at the first session from the 20th."""
        due = np.asarray((self.days.month % 3 == 0) & (self.days.day >= 20))
        return np.cumsum(due & ~np.roll(due, 1))

    @cached_property
    def panel(self) -> _Panel:
        """The listed stocks, made when the bars of the catalogue's own are there."""
        return _panel(self)


def _ar1(shocks: Array, keep: float) -> Array:
    """A mean-reverting path that begins at zero."""
    scaled = shocks / (1 - keep)
    scaled[0] = 0.0
    return pd.Series(scaled).ewm(alpha=1 - keep, adjust=False).mean().to_numpy()


def _walk(rng: np.random.Generator, index: pd.Index, drift: float, size: float) -> Array:
    """A path of compound growth that begins at one."""
    steps = drift + size * rng.standard_normal(len(index))
    steps[0] = 0.0
    return np.asarray(np.exp(np.cumsum(steps)))


# ------------------------------------------------------------------------------------------------- prices


def _prices(market: _Made) -> pd.DataFrame:
    """Every index, fund and stock of the catalogue, tidy."""
    for entry in market.of("index", "etf", "stock"):
        market.bars[entry["id"]] = _bars(market, entry)
    return pd.concat(market.bars, names=["symbol", "date"]).reset_index()


def _closes(market: _Made, entry: Entry, where: slice) -> pd.DataFrame:
    """Plain and adjusted closes of one symbol, each over the days that the reference store has of it."""
    index, name = market.days[where], entry["id"]
    if name == "^VIX":
        shocks = -4 * market.factors["market"][where] + 0.03 * market.rng(f"{name} level").standard_normal(
            len(index)
        )
        frame = pd.DataFrame({"close": 100 * np.exp(_ar1(shocks, 0.97)), "adj_close": np.nan}, index=index)
    else:
        walk = market.returns(entry, where)
        walk[0] = 0.0
        total = 100 * np.exp(np.cumsum(walk))
        rate = 0.008 if name in market.notes["bonds"] else 0.0035
        rate = 0.0 if name in market.listed("without_dividends") else rate
        paid = (1 - rate) ** market.ex_dates[where]
        frame = pd.DataFrame({"close": total * paid, "adj_close": total}, index=index)
    held = {"total": ["adj_close"], "price": ["close"]}.get(entry["price"], ["close", "adj_close"])
    for column in frame:
        if column not in held:
            frame[column] = np.nan
        frame.loc[_outside(market, index, name, str(column)), column] = np.nan
        frame[column] *= 100 / frame[column].bfill().iloc[0]
    return frame


def _bars(market: _Made, entry: Entry) -> pd.DataFrame:
    """Daily bars of one symbol, with the gaps that the reference store has."""
    days, name = market.days, entry["id"]
    where = slice(days.searchsorted(entry["first"]), days.searchsorted(entry["last_known"], side="right"))
    index = days[where]
    rng = market.rng(f"{name} bars")
    frame = _closes(market, entry, where)
    # Bars around the close: the open near the close before, high and low enclose both.
    before = frame["close"].shift().fillna(frame["close"])
    frame["open"] = before * np.exp(0.003 * rng.standard_normal(len(index)))
    frame.loc[frame["close"].first_valid_index() or index[0], "open"] = frame["close"].bfill().iloc[0]
    top, bottom = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    frame["high"] = top * np.exp(np.abs(0.004 * rng.standard_normal(len(index))))
    frame["low"] = bottom * np.exp(-np.abs(0.004 * rng.standard_normal(len(index))))
    frame.loc[frame.index.isin(pd.DatetimeIndex(entry["missing"])), "close"] = np.nan
    shut = _outside(market, index, name, "open") | frame["close"].isna()
    frame.loc[shut, ["open", "high", "low"]] = np.nan
    # Prices as quoted: two decimals, four below 10. Rounding keeps the order of prices.
    frame = frame.round(2).where(frame >= 10, frame.round(4))
    # In ten thousands of shares: a made-up volume needs no more digits, and the file stays small.
    frame["volume"] = np.round(np.exp(5.5 + 0.4 * rng.standard_normal(len(index)))) * 10000
    frame.loc[frame["close"].isna() | (name == "^VIX"), "volume"] = np.nan
    return frame[frame["close"].notna() | frame["adj_close"].notna()]


def _outside(market: _Made, index: pd.DatetimeIndex, name: str, column: str) -> Array:
    """Days that the reference store lacks of one column."""
    gone = np.zeros(len(index), dtype=bool)
    for of, first, last, names in market.notes["spans"]:
        if of == column and name in names.split():
            gone |= np.asarray((index < pd.Timestamp(first)) | (index > pd.Timestamp(last)))
    return gone


# -------------------------------------------------------------------------------------------------- macro


def _target(market: _Made, days: pd.DatetimeIndex) -> pd.Series:
    """Upper limit of the target range: quarter points up, down or none, then the cuts on their real days."""
    meeting = np.arange(len(days)) // 60
    walk = np.cumsum(market.rng("DFEDTARU").choice([-1, 0, 1], meeting[-1] + 1))
    # Folded at two points from where it began, so that a few steps down are always possible.
    level = 4.0 + 0.25 * (np.abs((walk + 8) % 32 - 16) - 8)[meeting]
    cuts = days.searchsorted(pd.DatetimeIndex(market.notes["cuts"]))
    level[cuts[0] - 60 :] = level[cuts[0] - 61]
    for cut in cuts:
        level[cut:] -= 0.25
    return pd.Series(level, index=days)


def _observed(entry: Entry) -> pd.DatetimeIndex:
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


def _values(market: _Made, entry: Entry, dates: pd.DatetimeIndex, target: pd.Series) -> Array:
    """Values of one macro series."""
    name, rng = entry["id"], market.rng(entry["id"])
    noise = rng.standard_normal(len(dates))
    if name in ("DFEDTARU", "DFEDTARL"):
        return np.asarray(target - (0.25 if name == "DFEDTARL" else 0.0))
    if name == "VIXCLS":
        return np.asarray(market.bars["^VIX"]["close"].reindex(dates).ffill())
    if name == "USREC":
        # About one month in seven, in spells: recession while a slow tide is high.
        return np.asarray(_ar1(0.2 * noise, 0.95) > 0.65, dtype=float)
    if entry["price"] == "level":
        growth = {"daily": (0.0, 0.003), "monthly": (0.0023, 0.002), "quarterly": (0.0065, 0.007)}
        walk = (
            2 * store.bounds(entry["unit"])[0] * _walk(market.rng(name), dates, *growth[entry["frequency"]])
        )
        return np.asarray(np.round(walk, 4 if entry["frequency"] == "daily" else 3))
    if entry["frequency"] == "monthly":
        level = np.maximum(4 + _ar1(0.15 * noise, 0.98), 0.1)
        return np.asarray(np.round(level, 1 if name == "UNRATE" else 2))
    # Daily yields follow the bond factor, the longer the less; the funds rate keeps to its target.
    load = market.notes["yields"].get(name, 0.0)
    shared = pd.Series(market.factors["bond"], index=market.days).reindex(dates).fillna(0.0).to_numpy()
    values = np.maximum(4 + _ar1(-load * shared + 0.02 * noise, 0.997), 0.1)
    if name == "DFF":
        middle = (target - 0.125).reindex(dates).to_numpy()
        values = np.where(np.isnan(middle), values, middle + 0.01 * np.round(noise))
    return np.round(values, 2)


def _macro(market: _Made) -> pd.DataFrame:
    """Every macro series of the catalogue, tidy."""
    target = _target(market, _observed(market.entries["DFEDTARU"]))
    parts = {}
    for entry in market.of("macro"):
        dates = _observed(entry)
        parts[entry["id"]] = pd.DataFrame(
            {"value": _values(market, entry, dates, target)}, index=dates.rename("date")
        )
    return pd.concat(parts, names=["series", "date"]).reset_index()


# ------------------------------------------------------------------------------------- French and Shiller

_COPYRIGHT = "Synthetic: random numbers in the layout of the Fama/French files"
_MADE_FROM = "This file was created from random numbers: a synthetic market."
_FACTOR_COLUMNS = ",Mkt-RF,SMB,HML,RF"


def _lines(labels: Iterable[str], values: Array, form: str) -> list[str]:
    """``label,  1.23,  4.56`` for each row; one format for all columns."""
    row = ",".join(["%s", *[form] * values.shape[1]])
    return [row % (label, *line) for label, line in zip(labels, values.tolist(), strict=True)]


def _french(market: _Made) -> dict[str, str]:
    """french/: three factors daily and monthly (the one compounded from the other), 25 portfolios."""
    month, day, portfolios = (market.entries[name] for name in ("FF3M", "FF3D", "FF25"))
    names = {"Mkt-RF": "market", "SMB": "small", "HML": "value"}
    daily = pd.DataFrame(
        {column: 100 * np.expm1(market.factors[factor]) for column, factor in names.items()},
        index=market.days,
    ).round(2)
    daily["RF"] = 0.01
    whole = daily[: pd.Timestamp(month["last_known"]) + pd.offsets.MonthEnd(0)]
    logs = np.log1p(whole / 100).groupby(pd.DatetimeIndex(whole.index).to_period("M")).sum()
    monthly = (100 * np.expm1(logs)).round(2)
    shown = daily[: day["last_known"]]
    days = _lines(pd.DatetimeIndex(shown.index).strftime("%Y-%m-%d"), shown.to_numpy(), "%8.2f")
    months = _lines(pd.PeriodIndex(monthly.index).strftime("%Y%m"), monthly.to_numpy(), "%7.2f")
    return {
        portfolios["files"][0]: _portfolios(market, monthly),
        month["files"][0]: "\r\n".join([_FACTOR_COLUMNS, *months, "", _COPYRIGHT, ""]),
        day["files"][0]: "\n".join([_MADE_FROM, "", f"Date{_FACTOR_COLUMNS}", *days, "", _COPYRIGHT, ""]),
    }


def _portfolios(market: _Made, factors: pd.DataFrame) -> str:
    """The 25 portfolios: returns, firms, sizes and ratios, in the original's layout."""
    rng = market.rng("FF25")
    months = pd.PeriodIndex(factors.index)
    size, style = np.repeat(np.arange(5), 5), np.tile(np.arange(5), 5)  # 0 is small, 0 is growth
    columns = [f"ME{s + 1} BM{b + 1}" for s, b in zip(size, style, strict=True)]
    columns[0], columns[4], columns[20], columns[24] = "SMALL LoBM", "SMALL HiBM", "BIG LoBM", "BIG HiBM"
    shape = (len(months), 25)
    base = (factors["Mkt-RF"] + factors["RF"]).to_numpy()[:, None]
    tilt = np.outer(factors["SMB"], 1 - size / 4) + np.outer(factors["HML"], style / 4 - 0.5)
    value = base + tilt + rng.standard_normal(shape)
    equal = value + 0.5 * rng.standard_normal(shape) + 0.1
    firms = np.round(20 + 60 * (4 - size) / 4 + 20 * rng.random(shape))
    wave = np.exp(0.2 * rng.standard_normal(shape))
    cap = 3.0 * 4.0**size * wave * np.linspace(1, 40, len(months))[:, None]
    formed = "  For portfolios formed in June of year t\n  Value Weight Average of "
    until = " Calculated for June of t to June of t+1 as:"
    tables: dict[str, tuple[Array, str]] = {
        "  Average Value Weighted Returns -- Monthly": (value, "%9.4f"),
        "  Average Equal Weighted Returns -- Monthly": (equal, "%9.4f"),
        "  Number of Firms in Portfolios": (firms, "%7d"),
        "  Average Market Cap": (cap, "%12.2f"),
        f"{formed}BE/ME{until}": ((0.3 + 0.45 * style) * wave, "%9.4f"),
        f"{formed}BE_FYt-1/ME_June t{until}": ((0.32 + 0.47 * style) * wave, "%9.4f"),
    }
    # A year without a firm in one portfolio, so that readers meet both codes for missing values.
    empty = np.asarray((months >= pd.Period("1930-07", "M")) & (months <= pd.Period("1931-06", "M")))
    lines = [_MADE_FROM, ""]
    for heading, (table, form) in tables.items():
        table[empty, 24] = 0 if "Firms" in heading else -999 if "BE" in heading else -99.99
        lines += ["", heading, "," + ",".join(columns), *_lines(months.strftime("%Y%m"), table, form), ""]
    return "\n".join([*lines, _COPYRIGHT, ""])


def _shiller(market: _Made) -> dict[str, pd.DataFrame]:
    """The parsed columns of the workbook; there is no workbook."""
    entry = store.laid_out("shiller")
    dates = pd.date_range(entry["first"], entry["last_known"], freq="MS")
    rng = market.rng(entry["id"])
    growth = _walk(rng, dates, 0.0025, 0.008)
    valuation = np.exp(_ar1(0.035 * rng.standard_normal(len(dates)), 0.985))
    frame = pd.DataFrame(
        {
            "date": dates,
            "price": np.round(100 * growth * valuation, 2),
            "dividend": np.round(4 * growth, 4),
            "earnings": np.round(6.5 * growth * _walk(rng, dates, 0.0, 0.002), 4),
            "cpi": np.round(100 * _walk(rng, dates, 0.0018, 0.003), 3),
            "gs10": np.round(np.maximum(4 + _ar1(0.12 * rng.standard_normal(len(dates)), 0.985), 0.5), 2),
        }
    )
    frame.loc[frame.index[-2:], ["dividend", "earnings"]] = np.nan  # not yet reported
    real = frame["earnings"].ffill() / frame["cpi"]
    frame["cape"] = frame["price"] / frame["cpi"] / real.rolling(120).mean().shift()
    return {entry["files"][0]: frame}


# ------------------------------------------------------------------ listings, holdings, fundamentals, bars

_EXCHANGES = ("nyse", "nasdaq", "amex")
# The screener's names of sectors, and iShares' where it calls the same by another.
_SECTORS = [
    *("Industrials", "Finance", "Real Estate", "Health Care", "Consumer Discretionary", "Technology"),
    *("Basic Materials", "Consumer Staples", "Energy", "Miscellaneous", "Telecommunications", "Utilities"),
]
_ISHARES = {
    **{"Finance": "Financials", "Technology": "Information Technology", "Basic Materials": "Materials"},
    **{"Miscellaneous": "Industrials", "Telecommunications": "Communication"},
}
_COMMON = [f"S{number:04d}" for number in range(1, 351)]
_HELD = _COMMON[:320]  # the common stocks that the fund ever holds
_SUFFIXES = ("^A", "^B", "/WS", ".U", "/B")
_OTHERS = [f"S{7 * k + 1:04d}{_SUFFIXES[k % 5]}" for k in range(50)]  # preferred shares, units, warrants


@dataclass(frozen=True)
class _Panel:
    """The listed stocks: one row a stock, one column a session."""

    days: pd.DatetimeIndex
    symbols: pd.Index
    last: Array
    change: Array
    shares: Array
    exchange: Array
    sector: Array
    alive: Array


def _panel(market: _Made) -> _Panel:
    """Stocks of our own making beside the catalogue's; some are listed late, some vanish."""
    entry = store.laid_out("listings")
    days = calendar.sessions(entry["first"], market.notes["last_session"])
    days = days.difference(pd.DatetimeIndex(entry["missing"]))
    rng = market.rng(entry["id"])
    stocks = [stock["id"] for stock in market.of("stock")]
    symbols = pd.Index(sorted([*_COMMON, *_OTHERS, *stocks]))
    count = len(symbols)
    where = market.days.searchsorted(days)
    shared = market.factors["market"][where] + market.factors["small"][where]
    steps = shared + 0.025 * rng.standard_normal((count, len(days)))
    steps[symbols.isin(_OTHERS)] *= 0.2
    steps[:, 0] = 0.0
    last = 100 * np.exp(np.cumsum(steps, axis=1))
    for symbol in stocks:  # the very stocks of the prices, at the same closes
        last[symbols.get_loc(symbol)] = market.bars[symbol]["close"].reindex(days).to_numpy()
    change = 100 * (last / np.roll(last, 1, axis=1) - 1)
    change[:, 0] = rng.standard_normal(count)
    # `last` is raw: a consolidation moves it, and no percentage says so.
    for symbol, day in market.notes["consolidated"].items():
        last[symbols.get_loc(symbol), days.searchsorted(pd.Timestamp(day)) :] *= 10
    exchange = rng.choice(3, count, p=[0.4, 0.55, 0.05])
    sector = rng.integers(0, len(_SECTORS), count)
    sector[symbols.isin([name for name in stocks if name in market.listed("tech")])] = _SECTORS.index(
        "Technology"
    )
    shares = np.round(np.exp(17 + 0.9 * rng.standard_normal(count)))
    alive = ~np.isnan(last)
    movers = rng.permutation(np.flatnonzero(~symbols.isin(stocks)))[: (len(_COMMON) + len(_OTHERS)) // 8]
    for number, row in enumerate(movers):
        cut = int(rng.integers(20, len(days) - 20))
        alive[row, slice(cut) if number % 3 == 0 else slice(cut, None)] = False
    return _Panel(days, symbols, last, change, shares, exchange, sector, alive)


def _listings(market: _Made) -> dict[str, pd.DataFrame]:
    """The panel of listed stocks, tidy."""
    panel, rng = market.panel, market.rng("LISTINGS rows")
    change, other = panel.change.copy(), panel.symbols.isin(_OTHERS)
    cap = panel.shares[:, None] * panel.last
    cap[other] = np.nan
    volume = np.round(panel.shares[:, None] * 0.005 * np.exp(0.5 * rng.standard_normal(cap.shape)))
    lost = panel.days.isin(pd.DatetimeIndex(market.notes["rebuilt"]))
    more = lost | panel.days.isin(pd.DatetimeIndex(market.notes["rebuilt_nasdaq"]))
    blank = np.where((panel.exchange == 1)[:, None], more, lost)
    first = panel.alive.argmax(axis=1)
    change[np.flatnonzero(first), first[first > 0]] = np.nan  # the first day of a late listing
    for table in (change, volume, cap):
        table[blank] = np.nan
    at, on = np.nonzero(panel.alive)
    frame = pd.DataFrame(
        {
            "symbol": pd.Categorical.from_codes(at, panel.symbols),
            "date": panel.days[on],
            "last": np.round(panel.last[at, on], 2).astype("float32"),
            "pct_change": np.round(change[at, on], 3).astype("float32"),
            "volume": pd.array(volume[at, on], dtype="Int64"),
            "market_cap": np.round(cap[at, on]),
            "exchange": pd.Categorical.from_codes(panel.exchange[at], list(_EXCHANGES)),
            "sector": pd.Categorical.from_codes(np.where(other, -1, panel.sector)[at], _SECTORS),
        }
    )
    return {store.laid_out("listings")["files"][0]: frame}


def _holdings(market: _Made) -> dict[str, str]:
    """The fund's shares on each of its dates, and the few lines that are none."""
    panel, entry = market.panel, store.laid_out("holdings")
    found = {}
    for number, (name, date) in enumerate(zip(store.panel_files(entry), entry["dates"], strict=True)):
        column = panel.days.searchsorted(pd.Timestamp(date))
        # Twenty come and go: the membership of one date is not that of another.
        rows = panel.symbols.get_indexer(_HELD[3 * number : 300 + 3 * number])
        rows = rows[panel.alive[rows, column]]
        price = np.round(panel.last[rows, column], 2)
        lines = pd.DataFrame(
            {
                "ticker": panel.symbols[rows],
                "name": [f"SYNTHETIC {ticker[1:]} INC" for ticker in panel.symbols[rows]],
                "sector": [_ISHARES.get(_SECTORS[code], _SECTORS[code]) for code in panel.sector[rows]],
                "market_value": np.round(0.02 * panel.shares[rows]) * price,
                "price": price,
                "asset_class": "Equity",
            }
        )
        total, cash = lines["market_value"].sum(), "Cash and/or Derivatives"
        more = [
            ("XTSLA", "SYNTHETIC CASH FUND", cash, 0.001 * total, 1.0, "Money Market"),
            ("USD", "USD CASH", cash, 0.0002 * total, 100.0, "Cash"),
            (
                "MSFUT",
                "CASH COLLATERAL MSFUT USD",
                cash,
                0.0001 * total,
                100.0,
                "Cash Collateral and Margins",
            ),
            ("-", "SYNTHETIC VESTING PRVT", "Health Care", 1.31, 0.0, "Equity"),
            ("RTYZ5", "SYNTHETIC EMINI FUTURE", cash, 0.0, 100.0, "Futures"),
        ]
        if date == market.notes["without_class"]:
            lines["asset_class"] = ""
        else:
            lines = pd.concat([lines, pd.DataFrame(more, columns=lines.columns)], ignore_index=True)
        lines["market_value"] = lines["market_value"].round(2)
        lines["weight_pct"] = (100 * lines["market_value"] / lines["market_value"].sum()).round(2)
        lines = lines.sort_values("market_value", ascending=False, kind="stable")
        found[name] = lines[list(store.TABLES["holdings"])].to_csv(index=False, lineterminator="\n")
    return found


def _fundamentals(market: _Made) -> dict[str, pd.DataFrame]:
    """Quarterly figures of nine tickers in ten; two in five lose money."""
    panel, entry = market.panel, store.laid_out("fundamentals")
    rng = market.rng(entry["id"])
    quarters = pd.period_range(entry["first"], entry["last_known"], freq="Q")
    rows = panel.symbols.get_indexer(_HELD)
    worth = panel.shares[rows] * np.nanmean(panel.last[rows], axis=1)
    shape = (len(_HELD), len(quarters))
    revenue = worth * 0.15 * np.exp(0.5 * rng.standard_normal(len(_HELD)))
    margin = np.where(rng.random(len(_HELD)) < 0.4, -0.05, 0.12)
    turnover = revenue[:, None] * np.exp(0.05 * rng.standard_normal(shape))
    income = turnover * (margin[:, None] + 0.02 * rng.standard_normal(shape))
    # Thin in the first year; the newest quarter has hardly begun to be reported.
    chance = np.where(quarters.year == quarters.year[0], 0.8, 0.995)
    chance[-1] = 0.06
    known = (rng.random(shape) < chance) & (rng.random(len(_HELD)) > 0.1)[:, None]
    operating = rng.random(len(_HELD)) < 0.85
    at, on = np.nonzero(known)
    tickers = np.array(_HELD, dtype=object)[at]
    base = pd.DataFrame({"ticker": tickers, "year": quarters.year[on], "quarter": quarters.quarter[on]})
    figures = {"net_income": income, "operating_profit": 1.2 * income, "revenue": turnover}
    parts = [base.assign(account=name, amount=np.round(of[at, on], -3)) for name, of in figures.items()]
    parts[1] = parts[1][operating[at]]
    frame = pd.concat(parts).sort_values(["ticker", "year", "quarter", "account"], kind="stable")
    frame = frame.assign(amount=frame["amount"].astype("int64"), account=pd.Categorical(frame["account"]))
    return {entry["files"][0]: frame}


def _intraday(market: _Made) -> dict[str, str]:
    """Five-minute bars of the small-cap index, inside its daily bars of the same days."""
    entry = store.laid_out("bars")
    rng = market.rng(entry["id"])
    lines = [",".join(store.TABLES["bars"])]
    for day, bar in market.bars["^RUT"][entry["first"] : entry["last_known"]].iterrows():
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
    return {entry["files"][0]: "\n".join([*lines, ""])}
