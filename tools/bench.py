"""``make bench``: what the helpers cost, as ratios to what a user would otherwise do, measured in one run.

Each line runs the two ways in turn and takes the median of each. A ratio below one means that ours is the
faster or smaller. Seconds depend on the machine, ratios much less.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import requests

from helpers import market, notebooks
from helpers import store as store_of
from helpers.files import HelperError

INDICES = ["^RUT", "^GSPC", "^DJI", "^IXIC"]


@dataclass(frozen=True)
class Line:
    """One comparison: what ours and the other cost, in one unit."""

    what: str
    ours: float
    other: float
    unit: str = "s"

    def __str__(self) -> str:
        form = ",.3f" if self.unit == "s" else ",.0f"
        return (
            f"{self.what:<74}{self.ours:>12{form}}{self.other:>14{form}} {self.unit:<4}"
            f"{self.ours / self.other:>8.2f}"
        )


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(what: str, ours: Callable[[], object], other: Callable[[], object], rounds: int = 5) -> Line:
    """Median wall time of both, run in turn after one call of each that is not counted."""
    ours()
    other()
    pairs = [(seconds(ours), seconds(other)) for _ in range(rounds)]
    return Line(what, *(statistics.median(side) for side in zip(*pairs, strict=True)))


def loading(store: market.Store, folder: Path) -> list[Line]:
    """The whole history of four indices: checked store against one CSV file an index."""
    rows = store.price_rows(INDICES, market.PRICE_FIELDS)
    for name, group in rows.groupby("symbol"):
        group.drop(columns="symbol").to_csv(folder / f"{str(name)[1:]}.csv", index=False)

    def close(name: str) -> pd.Series:
        return pd.read_csv(folder / f"{name[1:]}.csv", parse_dates=["date"], index_col="date")["close"]

    return [_against_the_store("pandas.read_csv", store, close)]


def _against_the_store(other: str, store: market.Store, close: Callable[[str], pd.Series]) -> Line:
    """Loading the closes of four indices: from the store, opened and checked, and one index at a time."""
    return compare(
        f"open the store, load four indices’ closes | {other}",
        lambda: market.Market(market.Store(store.path)).prices(INDICES),
        lambda: pd.DataFrame({name: close(name) for name in INDICES}),
    )


def live_data(store: market.Store, folder: Path) -> list[Line]:
    """Fetching from, and reading the answers of, the providers' stand-in on this machine.

    Ours fetches, checks, compares with the fingerprints and writes a store; ``yf.download`` only fetches. Empty
    where the checkout has no tests, hence no stand-in.
    """
    sys.path.insert(0, str(market.ROOT / "tests"))
    try:
        from loopback import Providers
    except ImportError:
        print("live data: tests/loopback.py is not part of this copy, so this is not measured", flush=True)
        return []
    finally:
        sys.path.remove(str(market.ROOT / "tests"))
    providers = Providers(store)
    try:
        return [_fetching(providers, store, folder), _vendor_json(providers, store, folder)]
    finally:
        providers.close()


def _fetching(providers: Any, store: market.Store, folder: Path) -> Line:
    import yfinance
    from yfinance.data import YfData

    from helpers.sources import fetch
    from helpers.sources.http import Client

    last = f"{store.last_session:%Y-%m-%d}"
    first = min(market.catalogue()[name]["first"] for name in INDICES)
    client = Client(session=providers.session(), yahoo=providers.session())
    days = sum(int(store.manifest["symbols"][name]["rows"]) for name in INDICES)

    def download() -> None:
        YfData().cache_get.cache_clear()  # the second download of a process would not ask anybody
        yfinance.download(
            INDICES, start=first, end=f"{store.last_session + pd.Timedelta(days=1):%Y-%m-%d}",
            auto_adjust=False, progress=False, session=providers.session(),
        )  # fmt: skip

    line = compare(
        "per 1,000 series-days: fetch, check, verify, write | yf.download",
        lambda: fetch.fetch(client, folder / "market", INDICES, as_of=last),
        download,
        rounds=3,
    )
    return Line(line.what, line.ours * 1000 / days, line.other * 1000 / days)


def _vendor_json(providers: Any, store: market.Store, folder: Path) -> Line:
    for name in INDICES:
        answer = requests.get(
            f"{providers.base}/query2.finance.yahoo.com/v8/finance/chart/{name}",
            params={"period1": str(-(10**10)), "period2": str(10**10)},
            timeout=60,
        )
        (folder / f"{name[1:]}.json").write_bytes(answer.content)

    def close(name: str) -> pd.Series:
        (result,) = json.loads((folder / f"{name[1:]}.json").read_bytes())["chart"]["result"]
        dates = pd.to_datetime(result["timestamp"], unit="s", utc=True).tz_convert("America/New_York")
        return pd.Series(result["indicators"]["quote"][0]["close"], dates.tz_localize(None).normalize())

    return _against_the_store("parse the vendor’s JSON", store, close)


class Usage(NamedTuple):
    """What a command cost: CPU seconds with all that it started, the wall's, and its largest process in MB."""

    cpu: float
    wall: float
    peak: float
    told: str


def usage(command: list[str], folder: Path) -> Usage:
    """Run a command of Python in a folder; it must succeed."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        done = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=told,
        )
        _, status, used = os.wait4(done.pid, 0)
        wall = time.perf_counter() - start
        told.seek(0)
        text = told.read()
    if status:
        raise HelperError(f"`{' '.join(command[:2])}` failed in the benchmark: {text.strip()[-300:]}")
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, text)


def executing(store: market.Store, folder: Path) -> Iterator[Line]:
    """The report of a fresh copy of the project: cold, warm, and with one notebook changed; and nbconvert."""
    project, out = folder / "project", str(folder / "report")
    for name in ("helpers", "course", "data", "notebooks"):
        unwanted = shutil.ignore_patterns("__pycache__", ".cache", "market")
        shutil.copytree(market.ROOT / name, project / name, ignore=unwanted)
    os.environ["MARKET_DATA"] = str(store.path.resolve())
    report = ["helpers", "report", "--out", out]
    cold, warm = usage(report, project), usage(report, project)
    books = [str(path.relative_to(project)) for path in sorted(project.glob("notebooks/*.ipynb"))]
    plain = ["nbconvert", "--execute", "--to", "notebook", "--log-level=ERROR", "--output-dir"]
    other = usage([*plain, str(folder / "plain"), *books], project)
    path = project / "notebooks" / "01-record-highs.ipynb"
    changed = notebooks.read(path)
    notebooks.code_cells(changed)[-1].source += "\n# changed"
    notebooks.write(changed, path)
    one = usage(report, project)
    took = {line.split()[0]: float(line.split()[1]) for line in cold.told.splitlines() if line.endswith(" s")}
    own = took[path.stem] + took[max(took)]
    yield Line(
        "execute: cold report less warm, CPU | nbconvert --execute, CPU", cold.cpu - warm.cpu, other.cpu
    )
    yield Line("execute: cold report, wall | nbconvert --execute, wall", cold.wall, other.wall)
    yield Line("report: warm | cold, wall", warm.wall, cold.wall)
    yield Line("report: warm | cold, CPU", warm.cpu, cold.cpu)
    yield Line("report: one notebook changed less warm | it and the last, cold", one.wall - warm.wall, own)
    yield Line("memory of the largest process: report | nbconvert --execute", cold.peak, other.peak, "MB")


def _plain_breadth(path: Path) -> pd.Series:
    """What a user would write with pandas: share of stocks above their own 50-session mean by size group."""
    rows = pd.read_parquet(path, columns=["symbol", "date", "pct_change", "market_cap"])
    rows = rows.sort_values(["symbol", "date"]).reset_index(drop=True)
    by_symbol = rows.groupby("symbol", observed=True)
    rows["level"] = (1 + rows["pct_change"].fillna(0) / 100).groupby(rows["symbol"], observed=True).cumprod()
    mean = by_symbol["level"].rolling(50).mean().reset_index(level=0, drop=True)
    rows["above"] = (rows["level"] > mean).where(mean.notna())
    rank = by_symbol["market_cap"].shift(1).groupby(rows["date"]).rank(pct=True)
    rows["group"] = (rank * 10).clip(upper=9.999).floordiv(1)
    return rows.groupby(["date", "group"])["above"].mean()


def breadth_by_size(store: market.Store, folder: Path) -> list[Line]:
    """Breadth over an eighth, a half and all of the listing panel: duckdb against a pandas group-by."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from helpers.measures import breadth

    if "listings.parquet" not in store.files:
        return []
    whole = store.path / "listings.parquet"
    table = pq.read_table(whole)
    symbols = sorted(pc.unique(table["symbol"]).to_pylist())
    lines = []
    for eighths in (1, 4, 8):
        path = whole
        if eighths < 8:
            path = folder / f"panel-{eighths}.parquet"
            part = pc.is_in(table["symbol"].cast("string"), pa.array(symbols[: len(symbols) * eighths // 8]))
            pq.write_table(table.filter(part), path)
        lines.append(
            compare(
                f"breadth by size, {eighths}/8 of the listing panel | pandas group-by",
                partial(breadth.above_mean, path),
                partial(_plain_breadth, path),
                rounds=3,
            )
        )
    return lines


def exporting(store: market.Store, folder: Path) -> list[Line]:
    """The site against nbconvert’s default export of the same executed notebooks: time and bytes."""
    from nbconvert import HTMLExporter

    from helpers.report import publish

    paths = [notebooks.path_of(name) for name in notebooks.names()]
    sizes: dict[str, int] = {}

    def default() -> None:
        exporter = HTMLExporter(template_name="lab")
        sizes["other"] = sum(len(exporter.from_filename(str(path))[0].encode()) for path in paths)

    def ours() -> None:
        publish(notebooks.FOLDER, folder / "site", "")
        written = {path: path.stat().st_size for path in (folder / "site").rglob("*") if path.is_file()}
        numbered = {path: size for path, size in written.items() if path.name[:2].isdigit()}
        sizes["ours"] = sum(size for path, size in numbered.items() if path.suffix != ".ipynb")
        sizes["site"] = sum(written.values())

    line = compare("write the site | nbconvert’s default export", ours, default, rounds=3)
    return [
        line,
        Line("bytes of the notebooks’ pages and charts | of nbconvert’s", sizes["ours"], sizes["other"], "B"),
        Line("bytes of the whole site, with a page a claim | the same", sizes["site"], sizes["other"], "B"),
    ]


def command(_: object) -> int:
    """``python -m helpers bench``: print every comparison that this machine’s data allow."""
    path = store_of.locate()
    if path is None:
        raise HelperError(f"The benchmark measures on market data: {market.HOW_TO_GET_DATA}.")
    store = market.Store(path)
    print(
        f"{'ours | what a user would otherwise do (medians of one run)':<74}{'ours':>12}{'other':>14}{'ratio':>13}"
    )
    ratios = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (loading, live_data, breadth_by_size, exporting, executing):
            for line in part(store, folder):
                print(line, flush=True)
                ratios[line.what] = round(line.ours / line.other, 3)
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=market.ROOT, capture_output=True, check=False
    )
    head = {"day": f"{pd.Timestamp.now():%Y-%m-%d}", "commit": told.stdout.decode().strip()}
    print(f"history {json.dumps(head | ratios, ensure_ascii=False)}")
    return 0
