"""Prices from Yahoo Finance: asked through yfinance's session (browser's handshake, cookie, crumb), read here.

Yahoo's own answer is read instead of yfinance's frame, which drops a day that came twice without a word, takes
the close for an adjusted close that is absent, and hides in which currency and of what the prices are.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.sources.http import CertificateError, Client, PassingError, SourceError, accept, too_long

URL = "https://query2.finance.yahoo.com/v8/finance/chart"
PRICES = ("open", "high", "low", "close")
ZONE = "America/New_York"


def fetch(client: Client, entry: dict[str, Any], start: str, end: str, cache: Path) -> pd.DataFrame:
    """Daily bars of one symbol.

    Parameters
    ----------
    client : for its patience and limits and, in tests, its session
    entry : the catalogue's line
    start, end : first and last day wanted, both included
    cache : folder for yfinance's own small caches

    Returns
    -------
    Frame: symbol, date, open, high, low, close (split-adjusted), adj_close (split- and dividend-adjusted;
    null for an index), volume. Zeros by which Yahoo says that it has no open or volume are null; so are days
    on which it has neither close, which are left out.

    Raises
    ------
    SourceError, RateLimitError with the symbol's name.
    """
    name = str(entry["id"])
    day = pd.Timedelta(days=1)
    params = {
        "period1": int(pd.Timestamp(start, tz=ZONE).timestamp()),
        "period2": int((pd.Timestamp(end, tz=ZONE) + day).timestamp()),
        "interval": "1d",
        "includePrePost": "false",
        "events": "div,splits",
    }
    result = client.patiently(name, lambda: _ask(client, name, entry["ticker"], params, cache))
    try:
        _is_what_was_asked(name, entry, result["meta"])
        if not (result.get("timestamp") and result["indicators"]["quote"][0]):
            raise SourceError(f"{name}: Yahoo has no prices of these days; check the ticker in series.yaml.")
        frame = _frame(name, result)
    except (TypeError, LookupError, ValueError, AttributeError, ArithmeticError, NotImplementedError):
        raise SourceError(
            f"{name}: Yahoo's answer has another layout; adapt helpers/sources/yahoo.py."
        ) from None
    frame = _each_day_once(name, frame[frame["date"] <= pd.Timestamp(end)])
    if entry["group"] == "index":
        # Yahoo repeats the close there; an index has no dividends of its own.
        frame["adj_close"] = np.nan
    return frame.dropna(subset=["close", "adj_close"], how="all").reset_index(drop=True)


def _ask(client: Client, name: str, ticker: str, params: dict[str, Any], cache: Path) -> dict[str, Any]:
    """The one result of Yahoo's answer."""
    import yfinance
    from yfinance.data import YfData
    from yfinance.exceptions import YFRateLimitError

    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    cache.mkdir(parents=True, exist_ok=True)
    yfinance.set_tz_cache_location(str(cache))
    if client.yahoo is None:
        client.yahoo = bounded(client)
    try:
        answer = YfData(session=client.yahoo).get(f"{URL}/{ticker}", params=params, timeout=client.timeout)
        status, content, headers = answer.status_code, answer.content, answer.headers
    except (SourceError, PassingError):
        raise
    except YFRateLimitError:
        raise PassingError("too many requests (429)", limited=True) from None
    except Exception as error:
        # yfinance lets the many exceptions of its HTTP libraries through.
        kind = type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in str(error) or kind == "CertificateVerifyError":
            raise CertificateError(name) from None
        if "timeout" in kind.lower():
            raise PassingError(f"no answer within {client.timeout:g} seconds") from None
        raise PassingError("the connection failed or broke off") from None
    if len(content) > client.limit:
        raise too_long(name, client.limit)
    if status not in {200, 400, 404, 422}:
        accept(name, status, headers)
    try:
        chart = json.loads(content)["chart"]
        reason = chart["error"] and str(chart["error"]["description"])
        result = dict(chart["result"][0]) if chart["result"] else {}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PassingError("an error page, a web page or a broken answer came instead of data") from None
    if reason or not result:
        why = (reason or "its answer is empty").splitlines()[0].rstrip(".")
        raise SourceError(f"{name}: Yahoo has no prices ({why}); check the ticker in series.yaml.")
    return result


def bounded(client: Client) -> Any:
    """A session of the kind that yfinance makes for itself, within the client's limits.

    curl bounds the time without bytes and the whole time; what it unpacks is counted as it comes.
    """
    from curl_cffi import CurlOpt
    from curl_cffi.requests import Session
    from curl_cffi.requests.exceptions import CertificateVerifyError

    class Bounded(Session):
        def request(self, method: Any, url: str, **more: Any) -> Any:  # type: ignore[override]
            body = bytearray()

            def take(piece: bytes) -> int:
                body.extend(piece)
                # Less than was given ends the transfer.
                return len(piece) if len(body) <= client.limit else -1

            more |= {"timeout": client.deadline, "content_callback": take}
            try:
                answer = super().request(method, url, **more)
            except CertificateVerifyError:
                raise CertificateError("Yahoo") from None
            except Exception:
                if len(body) > client.limit:
                    raise too_long("Yahoo", client.limit) from None
                raise
            answer.content = bytes(body)
            return answer

    slow = {CurlOpt.LOW_SPEED_LIMIT: 100, CurlOpt.LOW_SPEED_TIME: max(1, round(client.timeout))}
    return Bounded(impersonate="chrome", curl_options=slow)


def _is_what_was_asked(name: str, entry: dict[str, Any], meta: dict[str, Any]) -> None:
    currency, step = entry.get("currency", "USD"), meta.get("dataGranularity", "1d")
    if str(meta["symbol"]).upper() != str(entry["ticker"]).upper():
        what = f"Yahoo answered with prices of {meta['symbol']}"
    elif meta["currency"] != currency:
        what = f"Yahoo's prices are in {meta['currency']}, not in {currency}"
    elif step != "1d":
        what = f"Yahoo's prices are not daily ({step})"
    else:
        return
    raise SourceError(f"{name}: {what}; they are not used.")


def _frame(name: str, result: dict[str, Any]) -> pd.DataFrame:
    # Yahoo stamps a day with the exchange's own midnight or opening: the date in that zone is the session.
    stamps = pd.to_datetime(np.asarray(result["timestamp"], dtype="int64"), unit="s", utc=True)
    dates = stamps.tz_convert(str(result["meta"]["exchangeTimezoneName"])).tz_localize(None).normalize()
    adjusted = (result["indicators"].get("adjclose") or [{}])[0].get("adjclose")
    given = {
        **result["indicators"]["quote"][0],
        "adj_close": [None] * len(dates) if adjusted is None else adjusted,
    }
    values = {column: np.asarray(given[column], dtype=float) for column in (*PRICES, "adj_close", "volume")}
    for column in ("open", "high", "low", "volume"):
        values[column] = np.where(values[column] == 0, np.nan, values[column])
    for column in (*PRICES, "adj_close"):
        values[column] = quoted(values[column])
    return pd.DataFrame({"symbol": name, "date": dates.as_unit("ns"), **values})


def _each_day_once(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that are alike are one; different rows of one day are a conflict, but for the last day.

    While New York trades, the last day comes twice: the later row is the one that goes on.
    """
    frame = frame.drop_duplicates()
    twice = frame.loc[frame["date"].duplicated() & (frame["date"] != frame["date"].max()), "date"]
    if len(twice):
        raise SourceError(
            f"{name}: {twice.iloc[0]:%Y-%m-%d} stands twice in Yahoo's answer, with different prices; "
            "try again later."
        )
    return frame.drop_duplicates("date", keep="last")


def quoted(values: np.ndarray) -> np.ndarray:
    """Prices as they were quoted: Yahoo sends single precision, so 2559.61 arrives as 2559.610107.

    A value within single precision of two decimals is taken to be those two decimals; the rest keep four
    (six below ten, where old split-adjusted prices need them).
    """
    cents = np.round(values, 2)
    fine = np.where(np.abs(values) >= 10, np.round(values, 4), np.round(values, 6))
    return np.where(np.abs(values - cents) <= np.abs(values) * 6e-8, cents, fine)
