"""Both editions run: the student's with its starters untouched, then the solutions behind it."""

import os

import pytest
from conftest import ROOT

from course import checks, editions
from helpers import claims, kernels, notebooks

#: The first and the last notebook have no exercises; their editions are the notebooks themselves.
NAMES = [name for name in notebooks.names() if claims.in_notebook(name)]


def text_of(cell):
    return "\n".join(str(output.get("data", {}).get("text/plain", "")) for output in cell.outputs)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editions")
    return editions.student(folder / "student"), editions.teacher(folder / "teacher")


def assert_runs(name, written):
    from nbclient import NotebookClient

    kernels.use()
    student, teacher = (notebooks.read(folder / f"{name}.ipynb") for folder in written)
    solutions = [cell for cell in teacher.cells if "solution" in editions.tags(cell)]
    # The teacher's cells are the student's and the solutions: one run proves both.
    student.cells += solutions
    client = NotebookClient(
        student,
        timeout=900,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(written[0])}},
    )
    client.execute(env={**os.environ, "MARKET_DATA": "synthetic", "PYTHONPATH": str(ROOT)})
    for cell in notebooks.code_cells(student):
        assert not any(output.get("name") == "stderr" for output in cell.outputs), cell.source
        if "check" in editions.tags(cell):
            assert text_of(cell) == f"… {checks.OPEN}"
    if name[:2] in checks.modules():
        for cell in solutions:
            assert text_of(cell).rstrip().endswith("✓ Right (on made-up prices)."), cell.source


class TestOneHalf:
    """Two classes, so that two workers share the work."""

    @pytest.mark.parametrize("name", NAMES[::2])
    def test_both_editions_run_without_a_store(self, name, written):
        assert_runs(name, written)


class TestOtherHalf:
    """As :class:`TestOneHalf`."""

    @pytest.mark.parametrize("name", NAMES[1::2])
    def test_both_editions_run_without_a_store(self, name, written):
        assert_runs(name, written)
