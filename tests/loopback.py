"""The providers on this machine: a server that speaks their formats, and a session that is led to it.

The real clients run unchanged. Only the session's adapter sends what is meant for a provider's host to the
loopback server, with the host as the first part of the path.
"""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
import zipfile
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pandas as pd
import requests
from requests.adapters import HTTPAdapter

from helpers import market

HTML = b"<!DOCTYPE html><html><body>Please accept our cookies.</body></html>"


class Reroute(HTTPAdapter):
    """Sends every request to the loopback server and makes the answer look as if it came from the host."""

    def __init__(self, base):
        super().__init__()
        self.base = base

    def send(self, request, **options):
        parts = urlsplit(request.url)
        led = request.copy()
        led.url = f"{self.base}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        answer = super().send(led, **options)
        answer.url, answer.request = request.url, request
        return answer


class Providers:
    """Yahoo, FRED, French, Shiller and iShares, serving the figures of one store.

    ``faults[id]`` is a list of faults, played one a request and then over; a fault that ends in ``!`` is
    played for ever. ``asked`` counts requests by series; ``handshakes`` holds, for each question for prices,
    whether it came with the cookie and with the crumb.
    """

    def __init__(self, store: market.Store) -> None:
        self.store = store
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.asked: dict[str, int] = defaultdict(int)
        self.prices = None
        self.crumbs = 0
        self.handshakes: list[tuple[bool, bool]] = []
        self.addresses: list[str] = []
        providers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                providers.answer(self)

            def log_message(self, *_):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def session(self):
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", Reroute(self.base))
        session.mount("http://", Reroute(self.base))
        return session

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # --------------------------------------------------------------------------------------- answering

    def answer(self, handler):
        parts = urlsplit(handler.path)
        host, _, path = parts.path.lstrip("/").partition("/")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name = self._named(host, path, query)
        fault = self._fault(name, query)
        if fault == "429":
            return self._send(handler, 429, b"Too Many Requests")
        if fault == "500":
            return self._send(handler, 500, b"Internal Server Error")
        if fault == "403":
            return self._send(handler, 403, b"Forbidden")
        if fault == "hang":
            time.sleep(2)
        if fault == "html":
            return self._send(handler, 200, HTML)
        status, body, headers = self._content(handler, host, path, query, name, fault)
        if fault == "truncate":
            return self._send(handler, status, body, headers, cut=len(body) // 2)
        return self._send(handler, status, body, headers)

    def _named(self, host, path, query):
        if host.endswith("yahoo.com"):
            return unquote(path.rsplit("/", 1)[-1]) if "/chart/" in f"/{path}" else ""
        if host.startswith("fred"):
            return query.get("id", "")
        return {
            "mba.tuck.dartmouth.edu": path.rsplit("/", 1)[-1].removesuffix("_CSV.zip"),
            "img1.wsimg.com": "SHILLER",
            "shillerdata.com": "SHILLER page",
            "www.ishares.com": "IWM-HOLDINGS",
        }.get(host, "")

    def _fault(self, name, query):
        if "range" in query:  # yfinance's own question for the time zone
            return None
        self.asked[name] += 1
        waiting = self.faults[name]
        if not waiting:
            return None
        return waiting[0][:-1] if waiting[0].endswith("!") else waiting.pop(0)

    def _content(self, handler, host, path, query, name, fault):
        if host == "fc.yahoo.com":
            return 404, b"", {"Set-Cookie": "A3=d=loop; Domain=.yahoo.com; Path=/; Max-Age=31536000"}
        if path.endswith("getcrumb"):
            self.crumbs += 1
            return 200, b"loopcrumb", {}
        if "/chart/" in f"/{path}":
            cookie = handler.headers.get("Cookie") or ""
            self.handshakes.append(("A3=d=loop" in cookie, query.get("crumb") == "loopcrumb"))
            return self._chart(name, query, fault)
        if host.startswith("fred"):
            return 200, self._fred(name, query, fault), {}
        if host.startswith("mba.tuck"):
            return 200, self._french(name, fault), {}
        if host == "shillerdata.com":
            link = (
                b""
                if fault == "empty"
                else b'<a href="//img1.wsimg.com/blobby/go/1-2/downloads/3/ie_data.xls?ver=4">xls</a>'
            )
            return 200, b"<!DOCTYPE html><html><body>" + link + b"</body></html>", {}
        if host.startswith("img1"):
            self.addresses.append(path)
            book = self.store.path / "shiller/ie_data.xls"
            return (200, book.read_bytes(), {}) if book.is_file() else (404, b"", {})
        if host.startswith("www.ishares"):
            return 200, self._ishares(fault, query.get("asOfDate", "")), {}
        return 404, b"", {}

    def _rows(self, name):
        if self.prices is None:
            rows = self.store.price_rows(list(self.store.manifest["symbols"]), market.PRICE_FIELDS)
            self.prices = dict(list(rows.groupby("symbol")))
        return self.prices.get(name, pd.DataFrame())

    def _chart(self, name, query, fault):
        rows = self._rows(name)
        if rows.empty:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return 404, json.dumps({"chart": {"result": None, "error": error}}).encode(), {}
        if "period1" in query:
            stamps = rows["date"].dt.tz_localize("America/New_York") + pd.Timedelta(hours=9, minutes=30)
            seconds = (stamps - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)
            inside = (seconds >= int(query["period1"])) & (seconds < int(query["period2"]))
            rows, seconds = rows[inside], seconds[inside]
        else:
            rows = rows.tail(1)
            seconds = pd.Series(
                [int(pd.Timestamp("2026-08-21 13:30", tz="UTC").timestamp())], index=rows.index
            )
        rows, seconds = self._spoil(rows, seconds, fault)
        # Yahoo sends single-precision prices.
        floats = {
            name_: _numbers(rows[name_].astype(np.float32)) for name_ in ("open", "high", "low", "close")
        }
        # An index repeats its close there; a stock has null where the store has none.
        adjusted = rows["adj_close"] if rows["adj_close"].notna().any() else rows["close"]
        meta = {
            "currency": "USD", "symbol": name, "exchangeName": "NYQ", "instrumentType": "EQUITY",
            "firstTradeDate": 0, "regularMarketTime": 1787342400, "gmtoffset": -14400, "timezone": "EDT",
            "exchangeTimezoneName": "Asia/Tokyo" if fault == "zone" else "America/New_York",
            "priceHint": 2, "dataGranularity": "1d", "range": "", "validRanges": ["1d", "max"],
        }  # fmt: skip
        quote = {**floats, "volume": _numbers(rows["volume"])}
        if fault == "layout":
            quote = {"last": quote["close"]}
        result = {
            "meta": meta,
            "timestamp": seconds.tolist(),
            "indicators": {"quote": [quote], "adjclose": [{"adjclose": _numbers(adjusted)}]},
        }
        if fault == "empty":
            result = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
        return 200, json.dumps({"chart": {"result": [result], "error": None}}).encode(), {}

    @staticmethod
    def _spoil(rows, seconds, fault):
        if fault == "missing-session":
            keep = rows["date"] != rows["date"].iloc[-5]
            return rows[keep], seconds[keep]
        if fault == "duplicate":
            twice = [*range(len(rows) - 9), *range(len(rows) - 10, len(rows))]
            return rows.iloc[twice], seconds.iloc[twice]
        if fault == "split":
            rows = rows.copy()
            rows.iloc[
                : len(rows) // 2, rows.columns.get_indexer(["open", "high", "low", "close", "adj_close"])
            ] *= 4
        if fault == "zone":
            # Stamped at midnight of another continent: the day before in New York, or a Saturday.
            seconds = seconds + 9 * 3600
        return rows, seconds

    def _fred(self, name, query, fault):
        rows = self.store.macro_rows([name])
        rows = rows[(rows["date"] >= query["cosd"]) & (rows["date"] <= query["coed"])]
        if fault == "layout":
            return b"day;reading;note\n2025-12-10;4.13;x\n"
        if fault == "empty":
            rows = rows.head(0)
        if fault == "rolling":
            rows = rows[rows["date"] > rows["date"].max() - pd.DateOffset(years=3)]
        if fault == "missing-session":
            rows = rows.drop(rows.index[-5])
        if fault == "duplicate":
            rows = pd.concat([rows, rows.tail(1)])
        if (rows["date"].diff().dt.days <= 5).mean() > 0.9:
            # FRED lists every weekday of a daily series, those without a value as an empty cell.
            weekdays = pd.bdate_range(rows["date"].min(), rows["date"].max()).difference(rows["date"])
            rows = pd.concat([rows, pd.DataFrame({"date": weekdays})]).sort_values("date", kind="stable")
        return b"observation_date," + name.encode() + b"\n" + rows[["date", "value"]].to_csv(
            index=False, header=False, date_format="%Y-%m-%d"
        ).encode()  # fmt: skip

    def _french(self, stem, fault):
        text = (self.store.path / f"french/{stem}.csv").read_bytes()
        packed = io.BytesIO()
        if fault == "layout":
            text = b"Nothing\n"
        if fault == "empty":
            text = b""
        if fault == "missing-session":
            lines = text.splitlines(keepends=True)
            text = b"".join(lines[:100] + lines[101:])
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{stem}.csv", text)
        return packed.getvalue()

    def _ishares(self, fault, day):
        lists = sorted(name for name in self.store.files if name.startswith(market.HOLDINGS))
        asked = f"{market.HOLDINGS}{day[:4]}-{day[4:6]}-{day[6:]}.csv" if day else lists[-1]
        if asked not in lists:
            return b'iShares Russell 2000 ETF\nFund Holdings as of,"-"\n\n'
        table = pd.read_csv(self.store.path / asked, keep_default_na=False)
        if fault == "empty":
            table = table.head(0)
        names = ["Ticker", "Name", "Sector", "Weight (%)", "Market Value", "Price", "Asset Class"]
        table.columns = names if fault != "layout" else [f"Column {i}" for i in range(len(names))]
        date = pd.Timestamp(asked[len(market.HOLDINGS) : -4])
        head = f'iShares Russell 2000 ETF\nFund Holdings as of,"{date:%b %d, %Y}"\n\n'
        return (head + table.to_csv(index=False) + '\n"The content is the property of its owner."\n').encode()

    @staticmethod
    def _send(handler, status, body, headers=None, cut=None):
        handler.send_response(status)
        for key, value in (headers or {}).items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        with contextlib.suppress(ConnectionError):  # a client that waited in vain has gone
            handler.wfile.write(body if cut is None else body[:cut])
        handler.close_connection = cut is not None


def _numbers(values):
    return values.astype(float).astype(object).where(values.notna(), None).tolist()
