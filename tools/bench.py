"""``make bench``: what the helpers cost, as ratios to what a user would otherwise do, measured in one run.

Each line runs the two ways in turn and takes the median of each. A ratio below one means that ours is the
faster or smaller. Seconds depend on the machine, ratios much less.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

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


def _python(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True, cwd=market.ROOT)


def loading(store: market.Store, folder: Path) -> Line:
    """The whole history of four indices: checked store against one CSV file an index."""
    rows = store.price_rows(INDICES, market.PRICE_FIELDS)
    for name, group in rows.groupby("symbol"):
        group.drop(columns="symbol").to_csv(folder / f"{str(name)[1:]}.csv", index=False)

    def with_pandas() -> pd.DataFrame:
        read = {
            name: pd.read_csv(folder / f"{name[1:]}.csv", parse_dates=["date"], index_col="date")["close"]
            for name in INDICES
        }
        return pd.DataFrame(read)

    return compare(
        "open the store, load four indices’ closes | pandas.read_csv",
        lambda: market.Market(market.Store(store.path)).prices(INDICES),
        with_pandas,
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

    def from_json() -> pd.DataFrame:
        read = {}
        for name in INDICES:
            (result,) = json.loads((folder / f"{name[1:]}.json").read_bytes())["chart"]["result"]
            dates = pd.to_datetime(result["timestamp"], unit="s", utc=True).tz_convert("America/New_York")
            quote = pd.DataFrame(result["indicators"]["quote"][0], index=dates.tz_localize(None).normalize())
            read[name] = quote["close"]
        return pd.DataFrame(read)

    return compare(
        "open the store, load four indices’ closes | parse the vendor’s JSON",
        lambda: market.Market(market.Store(store.path)).prices(INDICES),
        from_json,
    )


def importing() -> Line:
    """A fresh interpreter importing the package, against one importing pandas."""
    return compare("import helpers | import pandas", _python("import helpers"), _python("import pandas"))


def executing(folder: Path, name: str = "01-record-highs") -> Line:
    """A whole notebook against a kernel that starts and runs its imports."""
    import nbformat

    floor = notebooks.read(notebooks.path_of(name))
    first = next(cell for cell in floor.cells if cell.cell_type == "code")
    floor.cells = [
        nbformat.v4.new_code_cell("\n".join(line for line in first.source.splitlines() if "import" in line))
    ]
    path = notebooks.FOLDER / f"{name}.ipynb"

    def kernel_and_imports() -> None:
        from nbclient import NotebookClient

        NotebookClient(
            floor.copy(),
            resources={"metadata": {"path": str(path.parent)}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        ).execute()

    return compare(
        f"execute {name} | start a kernel with its imports",
        lambda: notebooks.execute(name, folder / "out"),
        kernel_and_imports,
        rounds=3,
    )


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


def exporting(folder: Path) -> list[Line]:
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


def main() -> None:
    """Print every comparison that this machine’s data allow."""
    path = store_of.locate()
    if path is None:
        raise HelperError(f"The benchmark measures on market data: {market.HOW_TO_GET_DATA}.")
    store = market.Store(path)
    head = f"{'ours | what a user would otherwise do (medians of one run)':<74}{'ours':>12}{'other':>14}{'ratio':>13}"
    print(head)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(loading(store, folder), flush=True)
        for line in live_data(store, folder):
            print(line, flush=True)
        print(importing(), flush=True)
        for line in breadth_by_size(store, folder):
            print(line, flush=True)
        print(executing(folder), flush=True)
        for line in exporting(folder):
            print(line, flush=True)


def command(_: object) -> int:
    """``python -m helpers bench``."""
    main()
    return 0
