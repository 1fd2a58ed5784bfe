"""``python -m helpers``: the project's commands, each a thin call. Bad input gets one sentence, no traceback.

A command is a function and a line in :data:`COMMANDS`; what it needs is imported inside it, so that help
comes at once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.files import HelperError

ROOT = Path(__file__).resolve().parents[1]
Arguments = argparse.Namespace
#: Name of a check, the Python module and arguments that make it, additions to the environment.
Step = tuple[str, list[str], dict[str, str]]
#: Names or flags of an argument, and what argparse is told of it.
Option = tuple[tuple[str, ...], dict[str, object]]


# ------------------------------------------------------------------------------------------------ commands


def claims(given: Arguments) -> int:
    """List the registry, or every fault of it."""
    from helpers.claims import registry

    faults = registry.check()
    for fault in faults:
        _warn(f"error: {fault}")
    if faults:
        return 1
    known = registry.load().values()
    if given.check:
        print(f"{len(known)} claims, {len(registry.facts())} facts: no fault found.")
        return 0
    for claim in known:
        head = f"{claim.id:<5}{claim.notebook:<24}{claim.kind:<12}{claim.clarity:<14}"
        print(textwrap.fill(claim.says, _width(), initial_indent=head, subsequent_indent=" " * len(head)))
    return 0


def verdicts(given: Arguments) -> int:
    """Verdicts out of the executed notebooks."""
    from helpers import notebooks
    from helpers.claims import views

    found = notebooks.verdicts()
    open_ = notebooks.not_judged(found)
    if given.json:
        from helpers.report import machine

        print(machine.as_json(machine.contract(found)), end="")
    else:
        for entry in found:
            name, sign, _ = views.LOOK[entry["verdict"]]
            robust = entry["robustness"]
            share = f"{robust['same']} of {robust['of']}" if robust else ""
            print(
                f"{entry['id']:<5}{entry['notebook']:<24}{sign:<3}{name:<27}{entry['clarity']:<14}{share}".rstrip()
            )
    if open_:
        _warn(f"{len(open_)} claims are not judged yet: {', '.join(open_)}.")
    return 0


def execute(given: Arguments) -> int:
    """Execute notebooks on the reference store and save them in place."""
    from helpers import market, notebooks

    store = market.connect().store
    if store is None or not (given.any_store or market.is_reference(store)):
        raise HelperError(
            "The committed notebooks are executed on the reference store, and this store is another; "
            "set MARKET_DATA to the reference store, or add --any-store."
        )
    wanted = [notebooks.path_of(name).stem for name in given.name] or notebooks.names()
    notebooks.run(wanted, notebooks.path_of, _warn, bar=sys.stderr.isatty())
    return 0


def report(given: Arguments) -> int:
    """Write the report; its address is the last line."""
    from helpers.report import command

    print(command.report(Path(given.out) if given.out else command.SITE, one_file=given.onefile))
    return 0


def pdf(given: Arguments) -> int:
    """Write the report and its printed edition; its address is the last line."""
    from helpers.report import command

    print(command.pdf(Path(given.out) if given.out else command.SITE))
    return 0


def test(given: Arguments) -> int:
    """Lint, types, unit tests, notebook tests; fails if any of them does."""
    parallel = ["pytest", "-n", "2", "--dist", "loadscope"]
    steps: list[Step] = [
        ("lint", ["ruff", "check", "."], {}),
        ("format", ["ruff", "format", "--check", "."], {}),
        ("types", ["mypy"], {}),
        ("unit tests", [*parallel, "tests", *given.pytest], {}),
        *_notebook_tests(parallel),
    ]
    failed = [step[0] for step in steps if not _step(*step)]
    if failed:
        _warn(f"error: failed: {', '.join(failed)}.")
    return 1 if failed else 0


def _notebook_tests(parallel: list[str]) -> list[Step]:
    """Every output compared if the store is the one behind the committed notebooks, else executed only."""
    from helpers import market, notebooks

    if not notebooks.names():
        return []
    path = market.locate() if os.environ.get("MARKET_DATA") != "synthetic" else None
    strict = path is not None and market.is_reference(market.Store(path))
    if strict:
        _say("Notebooks: on the reference store, every output compared.")
    else:
        _say("Notebooks: no reference store, so only executed, on the synthetic market.")
    files = [str(notebooks.path_of(name)) for name in notebooks.names()]
    flags = ["--nbval" if strict else "--nbval-lax", "--nbval-cell-timeout", "900"]
    extra = {} if strict else {"MARKET_DATA": "synthetic"}
    return [("notebook tests", [*parallel, *flags, *files], extra)]


def _step(name: str, module: list[str], extra: dict[str, str]) -> bool:
    _say(f"-- {name}")
    done = subprocess.run([sys.executable, "-m", *module], cwd=ROOT, env={**os.environ, **extra}, check=False)
    return done.returncode == 0


def data(given: Arguments) -> int:
    """Fetch a new vintage of the market data, or compare a store with the fingerprints."""
    from helpers.sources import command

    wish = command.Wish(given.only or (), given.since, given.as_of)
    return command.run(wish, dry_run=given.dry_run, verify_only=given.verify)


def bench(given: Arguments) -> int:
    """Ratios against what a user would otherwise do."""
    try:
        from tools.bench import main as measure
    except ImportError:
        raise HelperError("The benchmark is not part of this copy; get the whole project.") from None
    measure()
    return 0


def lock(given: Arguments) -> int:
    """Resolve both lock files anew."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise HelperError("uv is not installed here; run `make` first, which brings it.")
    flags = (
        "--universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11"
    )
    for name, extras in (("requirements.txt", ["test"]), ("requirements-lab.txt", ["test", "lab"])):
        wanted = [word for extra in extras for word in ("--extra", extra)]
        run = [uv, "pip", "compile", "--quiet", *flags.split(), "pyproject.toml", *wanted, "-o", name]
        if given.upgrade:
            run.append("--upgrade")
        if subprocess.run(run, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode:
            raise HelperError(f"{name} could not be resolved; what uv says stands above.")
        print(name)
    return 0


def student(given: Arguments) -> int:
    """Write the student edition; its folder is the last line."""
    from course import command

    print(command.student(given.out, given.force))
    return 0


def teacher(given: Arguments) -> int:
    """Write the teacher edition; its folder is the last line."""
    from course import command

    print(command.teacher(given.out, given.force))
    return 0


def lab(given: Arguments) -> int:
    """Open JupyterLab on the first notebook."""
    from course import command

    return command.lab()


def new_claim(given: Arguments) -> int:
    """Print the entry of a new claim, or put it into the registry."""
    from helpers.claims import registry, skeleton

    wishes = {
        key: getattr(given, key) for key in ("fragment", "says", "kind", "clarity") if getattr(given, key)
    }
    text = skeleton.entry(given.section, given.paragraph, given.notebook, **wishes)
    print(text, end="")
    if given.write:
        line = skeleton.insert(text)
        _warn(
            f"Written to {registry.CLAIMS.name}, line {line}. Now write its rule, before you compute anything."
        )
    return 0


def synthetic(given: Arguments) -> int:
    """Write the synthetic market."""
    from helpers.synthetic import build

    print(build(Path(given.folder)))
    return 0


# ------------------------------------------------------------------------------------------------ the line


@dataclass(frozen=True)
class Command:
    """One subcommand: what runs, what help says, its arguments as (flags, options)."""

    run: Callable[[Arguments], int]
    help: str
    arguments: tuple[Option, ...] = ()


def _flag(name: str, text: str) -> Option:
    return (name,), {"action": "store_true", "help": text}


_NAMES: Option = (
    ("name",),
    {"nargs": "*", "metavar": "NAME", "help": "such as 01-record-highs (default: all)"},
)
_PYTEST: Option = (
    ("pytest",),
    {"nargs": "*", "metavar": "ARGUMENT", "help": "for pytest's unit tests, after --"},
)
_OUT: Option = (("--out",), {"metavar": "FOLDER", "help": "folder of the site (default: site)"})

_EDITION: tuple[Option, ...] = (
    (("--out",), {"metavar": "FOLDER", "help": "where to write it"}),
    _flag("--force", "overwrite notebooks that somebody has worked in"),
)
_NEW_CLAIM: tuple[Option, ...] = (
    (
        ("--section",),
        {"required": True, "metavar": "NAME", "help": "section of the article, such as records"},
    ),
    (
        ("--paragraph",),
        {"required": True, "type": int, "metavar": "N", "help": "counted in the section, from 1"},
    ),
    (("--notebook",), {"required": True, "metavar": "NAME", "help": "the one that will judge it"}),
    (("--fragment",), {"metavar": "TEXT", "help": "at most eight words of the article"}),
    (("--says",), {"metavar": "TEXT", "help": "the claim in our own words"}),
    (("--kind",), {"metavar": "KIND", "help": "number, comparison, cause, definition, opinion, forecast"}),
    (("--clarity",), {"metavar": "WORD", "help": "clear, vague or not-testable"}),
    _flag("--write", "also put it into data/claims.yaml, in reading order"),
)

COMMANDS = {
    "claims": Command(
        claims,
        "list the claims; non-zero with every fault of the registry",
        (_flag("--check", "only check"),),
    ),
    "verdicts": Command(
        verdicts,
        "verdicts out of the executed notebooks",
        (_flag("--json", "with every rule and figure, as JSON"),),
    ),
    "notebooks": Command(
        execute,
        "execute notebooks on the reference store and save them in place",
        (_NAMES, _flag("--any-store", "also on a store that is not the reference one")),
    ),
    "report": Command(
        report,
        "notebooks to an HTML site; prints its address",
        (_flag("--onefile", "also as one self-contained HTML file"), _OUT),
    ),
    "pdf": Command(pdf, "the report as a printed edition (needs Chromium)", (_OUT,)),
    "test": Command(
        test,
        "lint, types, unit tests and notebook tests",
        (_PYTEST,),
    ),
    "data": Command(
        data,
        "fetch the market data from their providers into MARKET_DATA or data/market",
        (
            (("--only",), {"nargs": "+", "metavar": "ID", "help": "these series of data/series.yaml only"}),
            (
                ("--since",),
                {"metavar": "DATE", "help": "only prices from this day on, joined to the old ones"},
            ),
            (("--as-of",), {"metavar": "DATE", "help": "last session to fetch (default: the last one)"}),
            _flag("--dry-run", "print what would be fetched from where; touch nothing"),
            _flag("--verify", "fetch nothing; compare the store with data/fingerprints.json"),
        ),
    ),
    "bench": Command(bench, "ratios against what a user would otherwise do"),
    "lock": Command(
        lock,
        "resolve the two lock files anew from pyproject.toml",
        (_flag("--upgrade", "take the newest versions"),),
    ),
    "student": Command(student, "write the notebooks without solutions to editions/student", _EDITION),
    "teacher": Command(teacher, "write them with solutions and teaching notes to editions/teacher", _EDITION),
    "lab": Command(lab, "open JupyterLab on the first notebook"),
    "new-claim": Command(new_claim, "print the entry of a new claim with the next free id", _NEW_CLAIM),
    "synthetic": Command(
        synthetic, "write the synthetic market to a folder", ((("folder",), {"metavar": "DIR"}),)
    ),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m helpers", description="A news article's market claims, each checked on real data."
    )
    below = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = below.add_parser(name, help=command.help, description=f"{command.help.capitalize()}.")
        for names, options in command.arguments:
            sub.add_argument(*names, **options)  # type: ignore[arg-type]
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = parser().parse_args(arguments)
    try:
        return COMMANDS[given.command].run(given)
    except HelperError as error:
        _warn(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        _warn("Interrupted; nothing was left half written.")
        return 130
    except BrokenPipeError:
        # The reader of a pipe (head, less) left early: no fault, and nothing more to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _width() -> int:
    return max(80, shutil.get_terminal_size((120, 24)).columns)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A Windows console may not know our signs; they must not end the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(main())
