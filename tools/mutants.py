"""``python -m tools.mutants [MODULE ...]``: do the tests notice when a line of the statistics is changed?

Each mutant is one small change by cosmic-ray's operators (``+`` to ``-``, ``<`` to ``<=``, True to False, a number
one off, ``not`` put in ...), drawn at random from all of a module. It is tried in a child of a process that has
imported every library already, on those tests alone that run its lines, the shortest first. What changes only
annotations is no mutant. Nothing is written. Needs ``uv pip install cosmic-ray``, which no lock file holds, and
a system that can fork.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Tests of each module; of a module of ``measures`` also those that bear its name. The slow ones that count
#: rejections are left out: what they would notice, a quick one should.
TESTS = {
    "helpers.claims.rules": ["rules", "judging", "rederived"],
    "helpers.claims.judging": ["judging", "rederived"],
    "helpers.claims.measuring": ["judging", "rederived"],
}
MEASURES = ["measures", "measures_bounds"]
#: Changes that no test can notice, by the changed line, with the reason.
EQUIVALENT = {
    "return round(float(value), 10)": "figures have four decimals",
    "return round(float(value), 8)": "figures have four decimals",
    'without = {fact.id: replace(fact, value="") if fact.standing >= "weak" else fact for fact in facts}': (
        "of the standings weak comes last in the alphabet"
    ),
    'if registry.made_up() and opened.source < "synthetic":': "no other source comes later in the alphabet",
    'return float(value if given["is"] >= "positive" else -value)': "the other word comes before it",
    "return bool(side * slope >= 0)": "a slope of zero cannot tell before",
    'if part.weak or (part.role >= "detail" and part.outcome is not True):': (
        "every later role that does not hold is capped lower"
    ),
}
#: Operators whose changes only tell a value from an equal one: ``is`` for ``==`` beside None, True and False.
_SAME = ("_Is_Eq", "_Eq_Is", "_IsNot_NotEq", "_NotEq_IsNot")


@dataclass(frozen=True)
class Mutant:
    """One change of a module: its new source, and the line (from 1) on which it begins."""

    operator: str
    line: int
    source: str

    @property
    def text(self) -> str:
        """The changed line."""
        return self.source.splitlines()[self.line - 1].strip()


def bare(source: str) -> str | None:
    """What a module does, without annotations; None where it cannot be compiled."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


def mutants(source: str, seed: int) -> tuple[int, Iterator[Mutant]]:
    """How many changes the operators know (annotations among them), and the real ones in random order."""
    try:
        from cosmic_ray.ast import Visitor, get_ast
        from cosmic_ray.mutating import mutate_code
        from cosmic_ray.operators.provider import OperatorProvider
    except ImportError:
        raise SystemExit("cosmic-ray is not installed; `uv pip install cosmic-ray` first.") from None

    class Counter(Visitor):  # type: ignore[misc]
        def __init__(self, operator: Any) -> None:
            self.operator, self.found = operator, 0

        def visit(self, node: Any) -> Any:
            self.found += len(list(self.operator.mutation_positions(node)))
            return node

    provider = OperatorProvider()
    places = []
    for name in provider:
        if name.startswith("Variable") or name.endswith(_SAME):  # the first need names to put in
            continue
        counter = Counter(provider[name]())
        counter.walk(get_ast(source))
        places += [(name, occurrence) for occurrence in range(counter.found)]
    random.Random(seed).shuffle(places)

    def drawn() -> Iterator[Mutant]:
        known, lines = bare(source), source.splitlines()
        for name, occurrence in places:
            changed = mutate_code(source, provider[name](), occurrence)
            if changed is None or bare(changed) in (known, None):
                continue
            new = changed.splitlines()
            line = next((i for i, pair in enumerate(zip(lines, new, strict=False)) if pair[0] != pair[1]), 0)
            yield Mutant(name, line + 1, changed)

    return len(places), drawn()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from a source of its own."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        self.module, self.path, self.source = module, path, source

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self.path))

    def exec_module(self, module: Any) -> None:
        exec(compile(self.source, self.path, "exec"), vars(module))


class _Plugin:
    """Chooses and orders tests; without a choice it notes which lines of a file each test runs, and its time."""

    def __init__(self, path: Path, chosen: list[str] | None = None) -> None:
        self.path, self.chosen = str(path), chosen
        self.lines: dict[str, set[int]] = defaultdict(set)
        self.seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if self.chosen is not None:
            known = {item.nodeid: item for item in items}
            items[:] = [known[name] for name in self.chosen if name in known]

    def pytest_runtest_protocol(self, item: Any) -> None:
        if self.chosen is not None:
            return
        seen, path = self.lines[item.nodeid], self.path

        def trace(frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
            code: CodeType = frame.f_code
            if code.co_filename != path:
                return None
            seen.add(frame.f_lineno)
            return trace

        sys.settrace(trace)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "teardown":
            sys.settrace(None)
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration


def child(work: Callable[[], int], cpu: float | None = None) -> tuple[int, float, bytes]:
    """Exit code (negative for a signal), CPU seconds and output of some work in a child of this process."""
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(reader)
        if cpu:
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 1))
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        os.environ["MUTANTS"] = str(writer)
        try:
            code = work()
        except BaseException:
            code = 99
        os._exit(code)
    os.close(writer)
    with open(reader, "rb") as stream:
        said = stream.read()
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, said


def run(files: list[str], plugin: _Plugin) -> int:
    """The tests, stopped at the first that fails: pytest's exit code."""
    import hypothesis
    import pytest

    hypothesis.settings.register_profile(
        "mutants",
        database=None,
        deadline=None,
        derandomize=True,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.settings.load_profile("mutants")
    options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "--disable-warnings"]
    return int(pytest.main([*options, *files], plugins=[plugin]))


def baseline(files: list[str], path: Path) -> dict[str, Any]:
    """The tests as they are: lines and seconds of each, and the libraries that they import."""

    def work() -> int:
        plugin = _Plugin(path)
        code = run(files, plugin)
        libraries = [
            name
            for name, module in list(sys.modules.items())
            if "__" not in name and str(ROOT) not in str(getattr(module, "__file__", None) or ROOT)
        ]
        found = {
            "lines": {name: sorted(lines) for name, lines in plugin.lines.items()},
            "seconds": plugin.seconds,
            "libraries": libraries,
        }
        with open(int(os.environ["MUTANTS"]), "w") as stream:
            json.dump(found, stream)
        return code

    code, cpu, said = child(work)
    if code:
        raise SystemExit(f"The tests of {path.name} fail as they are (exit {code}); mend them first.")
    return {**json.loads(said), "cpu": cpu}


def tried(module: str, path: Path, mutant: Mutant, known: dict[str, Any]) -> tuple[bool, float]:
    """True if a test noticed a mutant, and the CPU seconds that it took."""
    spent = known["seconds"]
    chosen = [
        name
        for name, lines in known["lines"].items()
        if mutant.line in lines or not known["inner"](mutant.line)
    ]
    chosen.sort(key=spent.__getitem__)
    if not chosen:
        return False, 0.0
    files = list(dict.fromkeys(name.split("::")[0] for name in chosen))

    def work() -> int:
        sys.meta_path.insert(0, _Finder(module, path, mutant.source))
        return run(files, _Plugin(path, chosen))

    code, cpu, _ = child(work, 3 * known["cpu"] + 5)
    return code != 0, cpu


def inner(source: str) -> Callable[[int], bool]:
    """Whether a line stands inside a function, and so runs with a test and not with the import."""
    spans = [
        (node.body[0].lineno, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    ]
    return lambda line: any(first <= line <= last for first, last in spans)


def main(argv: list[str] | None = None) -> int:
    """Try mutants of some modules and say which lived."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", default=["rules", "judging"], help="such as rules, rates, measures"
    )
    parser.add_argument("--most", type=int, default=1000, help="mutants tried of each module")
    parser.add_argument("--minutes", type=float, default=10.0, help="of CPU, for all modules together")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT / "tests"))
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    measures = sorted(path.stem for path in (ROOT / "helpers/measures").glob("[a-z]*.py"))
    wanted = [
        name
        for given_name in given.modules
        for name in (measures if given_name == "measures" else [given_name])
    ]
    left = given.minutes * 60
    killed = of = 0
    for at, name in enumerate(wanted):
        module = f"helpers.{'claims' if f'helpers.claims.{name}' in TESTS else 'measures'}.{name}"
        share = left / (len(wanted) - at)
        one, all_, spent = examine(module, given.most, share, given.seed)
        killed, of, left = killed + one, of + all_, left - spent
    print(f"{killed} of {of} noticed, {100 * killed / max(of, 1):.1f} %")
    return 0


def examine(module: str, most: int, seconds: float, seed: int) -> tuple[int, int, float]:
    """Try a module's mutants: how many were noticed, of how many, in how many seconds of CPU."""
    path = ROOT / (module.replace(".", "/") + ".py")
    source = path.read_text("utf-8")
    names = TESTS.get(module, [*MEASURES, f"measures_{path.stem}", path.stem])
    files = [f"tests/test_{name}.py" for name in names if (ROOT / f"tests/test_{name}.py").exists()]
    before = time.process_time()
    known = baseline(files, path) | {"inner": inner(source)}
    for library in known["libraries"]:
        try:
            importlib.import_module(library)
        except Exception:
            continue
    total, drawn = mutants(source, seed)
    spent = known["cpu"]
    killed = of = same = 0
    for mutant in drawn:
        if of >= most or spent + time.process_time() - before > seconds:
            break
        if mutant.text in EQUIVALENT:
            same += 1
            continue
        try:
            noticed, cpu = tried(module, path, mutant, known)
        except KeyboardInterrupt:  # what was tried so far is a sample too
            break
        of, killed, spent = of + 1, killed + noticed, spent + cpu
        if not noticed:
            print(f"  {path.name}:{mutant.line} {mutant.operator}: {mutant.text}", flush=True)
    spent += time.process_time() - before
    share = f"{100 * killed / of:.1f} %" if of else "none"
    print(
        f"{module}: {killed} of {of} noticed ({share}), {same} equivalent, {total} places, {spent:.0f} s",
        flush=True,
    )
    return killed, of, spent


if __name__ == "__main__":
    sys.exit(main())
