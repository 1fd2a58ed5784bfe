"""``make bench``: what the helpers cost, as ratios to what a user would otherwise do, measured in one run.

Each line runs the two ways in turn and takes the median of each. A ratio below one means that ours is the
faster or smaller. Seconds depend on the machine, ratios much less.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import market, notebooks
from helpers.errors import HelperError

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

        NotebookClient(floor.copy(), resources={"metadata": {"path": str(path.parent)}}).execute()

    return compare(
        f"execute {name} | start a kernel with its imports",
        lambda: notebooks.execute(name, folder / "out"),
        kernel_and_imports,
        rounds=3,
    )


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
        sizes["ours"] = sum(path.stat().st_size for path in (folder / "site").rglob("*") if path.is_file())

    line = compare("write the site | nbconvert’s default export", ours, default, rounds=3)
    return [
        line,
        Line("bytes of the site | of nbconvert’s default export", sizes["ours"], sizes["other"], "B"),
    ]


def main() -> None:
    """Print every comparison that this machine’s data allow."""
    path = market.locate()
    if path is None:
        raise HelperError(f"The benchmark measures on market data: {market.HOW_TO_GET_DATA}.")
    store = market.Store(path)
    head = f"{'ours | what a user would otherwise do (medians of one run)':<74}{'ours':>12}{'other':>14}{'ratio':>13}"
    print(head)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(loading(store, folder), flush=True)
        print(importing(), flush=True)
        print(executing(folder), flush=True)
        for line in exporting(folder):
            print(line, flush=True)
