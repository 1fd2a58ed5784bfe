"""The providers on this machine: a server that speaks their formats, and a session that is led to it.

The real clients run unchanged. Only the session's adapter sends what is meant for a provider's host to the
loopback server, with the host as the first part of the path.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import ssl
import subprocess
import sys
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

HOLDINGS = "holdings/IWM_"
HTML = b"<!DOCTYPE html><html><body>Please accept our cookies.</body></html>"


#: Columns of iShares' file, in its order.
ISHARES = [
    "Ticker", "Name", "Sector", "Asset Class", "Market Value", "Weight (%)", "Notional Value", "Quantity (Shares)",
    "Price", "Location", "Exchange", "Currency", "FX Rate", "Market Currency", "Accrual Date",
]  # fmt: skip
PRICES = ["open", "high", "low", "close"]


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


def session_to(base):
    """A session whose every request ends at the loopback server; other processes make theirs with it too."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Reroute(base))
    session.mount("http://", Reroute(base))
    return session


def certificate(folder):
    """A certificate of its own for this machine, which nobody else trusts: (certificate, key)."""
    files = str(folder / "own.pem"), str(folder / "own.key")
    names = "subjectAltName=DNS:*.yahoo.com,DNS:*.finance.yahoo.com,DNS:*.stlouisfed.org"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", names, "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


class Providers:
    """Yahoo, FRED, French, Shiller and iShares, serving the figures of one store.

    ``faults[id]`` is a list of faults, played one a request and then over; a fault that ends in ``!`` is
    played for ever. ``everywhere`` is a fault of every symbol. A fault may have an argument: ``gap:2026-08-17``.
    ``asked`` counts requests by series; ``handshakes`` holds, for each question for prices, whether it came with
    the cookie and with the crumb. With ``tls`` (certificate and key) the server is a proxy as a company has it, which
    opens every encrypted connection with a certificate of its own.
    """

    def __init__(self, store: market.Store, tls=None) -> None:
        self.store = store
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.everywhere = None
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

            do_HEAD = do_GET  # noqa: N815
            tunnel = None

            def do_CONNECT(self):
                self.send_response(200)
                self.end_headers()
                self.tunnel = self.path.partition(":")[0]
                with contextlib.suppress(OSError):  # who does not trust the certificate hangs up
                    self.request = providers.tls.wrap_socket(self.request, server_side=True)
                    self.setup()
                    self.handle()

            def log_message(self, *_):
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                # A client that waited in vain has gone, whenever that is noticed: no fault of the server's.
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def session(self):
        return session_to(self.base)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # --------------------------------------------------------------------------------------- answering

    def answer(self, handler):
        parts = urlsplit(handler.path)
        host, _, path = f"{handler.tunnel or ''}{parts.path}".lstrip("/").partition("/")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name = self._named(host, path, query)
        fault = self._fault(name)
        kind, _, more = (fault or "").partition(":")
        if kind.isdigit():
            return self._send(handler, int(kind), b"No.", {"Retry-After": more} if more else {})
        if kind == "hang":
            time.sleep(2)
        if kind == "html":
            return self._send(handler, 200, HTML)
        if kind == "bom-html":
            return self._send(handler, 200, b"\xef\xbb\xbf\r\n" + HTML)
        if kind == "slow":
            return self._slow(handler)
        if kind == "bomb" and not host.startswith("mba"):
            packed = {"Content-Encoding": "gzip"}
            return self._send(handler, 200, gzip.compress(bytes(1 << 22)), packed)
        status, body, headers = self._content(handler, host, path, query, name, fault)
        return self._send(handler, status, body, headers, cut=len(body) // 2 if kind == "truncate" else None)

    @staticmethod
    def _slow(handler):
        """A byte now and then, for ever."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.1)

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

    def _fault(self, name):
        self.asked[name] += 1
        waiting = self.faults[name]
        if not waiting:
            return self.everywhere if name in self.store.manifest["symbols"] else None
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
        stamps = rows["date"].dt.tz_localize("America/New_York") + pd.Timedelta(hours=9, minutes=30)
        seconds = (stamps - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)
        # Without days (yf.download's question for the time zone) the last one is given.
        inside = (seconds >= int(query.get("period1", seconds.iloc[-1]))) & (
            seconds < int(query.get("period2", 1 << 62))
        )
        # An index repeats its close there; a stock has null where the store has none.
        rows = rows.assign(adjusted=rows["adj_close"] if rows["adj_close"].notna().any() else rows["close"])
        rows, seconds = rows[inside].reset_index(drop=True), seconds[inside].reset_index(drop=True)
        rows, seconds = self._spoil(rows, seconds, fault or "")
        # Yahoo sends single-precision prices.
        quote = {column: _numbers(rows[column].astype(np.float32)) for column in PRICES}
        quote["volume"] = _numbers(rows["volume"])
        if fault == "layout":
            quote = {"last": quote["close"]}
        meta = {
            "currency": "EUR" if fault == "currency" else "USD", "symbol": "XXX" if fault == "symbol" else name,
            "exchangeName": "NYQ", "instrumentType": "EQUITY", "firstTradeDate": 0,
            "regularMarketTime": 1787342400, "gmtoffset": -14400, "timezone": "EDT",
            "exchangeTimezoneName": "Asia/Tokyo" if fault == "zone" else "America/New_York",
            "priceHint": 2, "dataGranularity": "1d", "range": "", "validRanges": ["1d", "max"],
        }  # fmt: skip
        indicators = {"quote": [quote], "adjclose": [{"adjclose": _numbers(rows["adjusted"])}]}
        if fault == "no-adjclose":
            del indicators["adjclose"]
        result = {"meta": meta, "timestamp": seconds.tolist(), "indicators": indicators}
        if fault == "empty":
            result = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
        return 200, json.dumps({"chart": {"result": [result], "error": None}}).encode(), {}

    @staticmethod
    def _spoil(rows, seconds, fault):
        fault, _, more = fault.partition(":")
        every, first = [*PRICES, "adjusted"], rows.index < len(rows) // 2
        days = rows["date"].dt.strftime("%Y-%m-%d").isin(more.split(","))
        if fault == "missing-session":
            days = rows.index == len(rows) - 5
        if fault in {"gap", "missing-session"}:
            return rows[~days], seconds[~days]
        if fault == "null":
            rows.loc[days, every] = np.nan
        if fault == "ends":
            return rows[rows["date"] <= more], seconds[rows["date"] <= more]
        if fault in {"duplicate", "conflict"}:
            twice = [*range(len(rows) - 1), len(rows) - 2, len(rows) - 1]
            rows, seconds = rows.iloc[twice].reset_index(drop=True), seconds.iloc[twice]
            rows.loc[len(rows) - 2, "low"] -= 0.5 if fault == "conflict" else 0
        if fault == "split":
            rows.loc[first, every] *= 4
        if fault == "missed-split":
            rows.loc[first, every] *= 1.5
        if fault == "times":
            rows[every] *= float(more)
        if fault == "two-for-one":
            rows[every] /= 2
            rows["volume"] *= 2
        if fault == "spike":
            rows.loc[rows.index == len(rows) - 9, every] *= 2.4
        if fault == "unadjusted":
            rows["adjusted"] = rows["close"]
        if fault == "zone":
            # Stamped at midnight of another continent: the day before in New York, or a Saturday.
            seconds = seconds + 9 * 3600
        return rows, seconds

    def _fred(self, name, query, fault):
        rows = self.store.macro_rows([name])
        rows = rows[(rows["date"] >= query["cosd"]) & (rows["date"] <= query["coed"])].copy()
        fault, _, more = (fault or "").partition(":")
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
        if fault == "gap":
            rows = rows[~rows["date"].dt.strftime("%Y-%m-%d").isin(more.split(","))]
        if fault == "times":
            rows["value"] *= float(more)
        if fault == "one":
            rows.iloc[-5, rows.columns.get_loc("value")] = float(more)
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
        if fault == "commas":
            width = max(line.count(b",") for line in text.splitlines())
            text = b"\n".join(line if line.strip() else b"," * width for line in text.splitlines())
        if fault == "bomb":
            text = bytes(1 << 22)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{stem}.csv", text)
        body = bytearray(packed.getvalue())
        if fault == "encrypted":
            # The bit that says so, in the file's own header and in the directory.
            body[6] |= 1
            body[body.index(b"PK\x01\x02") + 8] |= 1
        if fault == "corrupt":
            body[len(body) // 2 : len(body) // 2 + 50] = bytes(50)
        return bytes(body)

    def _ishares(self, fault, day):
        lists = sorted(name for name in self.store.files if name.startswith(HOLDINGS))
        asked = f"{HOLDINGS}{day[:4]}-{day[4:6]}-{day[6:]}.csv" if day else lists[-1]
        if asked not in lists:
            return b'iShares Russell 2000 ETF\nFund Holdings as of,"-"\n\n'
        table = pd.read_csv(self.store.path / asked, keep_default_na=False)
        if fault == "empty":
            table = table.head(0)
        names = {"ticker": "Ticker", "name": "Name", "sector": "Sector", "weight_pct": "Weight (%)",
                 "market_value": "Market Value", "price": "Price", "asset_class": "Asset Class"}  # fmt: skip
        table = table.rename(columns=names)
        table["Notional Value"] = table["Market Value"]
        table = table.reindex(columns=ISHARES).fillna(
            {"Quantity (Shares)": "1,000.00", "Location": "United States", "Exchange": "NASDAQ", "Currency": "USD",
             "FX Rate": "1.00", "Market Currency": "USD", "Accrual Date": "-"}
        )  # fmt: skip
        for column in ("Market Value", "Notional Value"):
            table[column] = [f"{value:,}" for value in table[column]]
        if fault == "layout":
            table.columns = [f"Column {i}" for i in range(len(ISHARES))]
        date = pd.Timestamp(asked[len(HOLDINGS) : -4])
        head = (
            f'iShares Russell 2000 ETF\nFund Holdings as of,"{date:%b %d, %Y}"\nInception Date,"May 22, 2000"\n'
            'Shares Outstanding,"1,000,000.00"\nStock,"-"\nBond,"-"\nCash,"-"\nOther,"-"\n\u00a0\n'
        )
        body = table.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
        return ("\ufeff" + head + body + '\n"The content is the property of its owner."\n').encode()

    @staticmethod
    def _send(handler, status, body, headers=None, cut=None):
        handler.send_response(status)
        for key, value in (headers or {}).items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body if cut is None else body[:cut])
        handler.close_connection = cut is not None


def _numbers(values):
    return values.astype(float).astype(object).where(values.notna(), None).tolist()
