"""``python -m helpers``: the project's commands, each a thin call. Bad input gets one sentence, no traceback.

What a command needs is imported inside it, so that help comes at once.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import shutil
import signal
import sys
import textwrap
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.files import HelperError

Arguments = argparse.Namespace
#: Set to anything, this shows the traceback of what no reader of bad input foresaw.
DEBUG = "HELPERS_DEBUG"
FRESH = "execute every notebook, also where nothing that it read has changed"


# ------------------------------------------------------------------------------------------------ commands


def claims(given: Arguments) -> int:
    """List the registry, or every fault of it, or seal its rules."""
    from helpers.claims import registry, seal

    faults = registry.check()
    open_ = [] if faults or given.seal else registry.unfinished()
    for fault in [*faults, *open_]:
        _warn(f"error: {fault}")
    if faults or (open_ and given.check):
        return 1
    known = registry.load().values()
    if given.seal:
        print(
            f"{seal.seal()} of {len(known)} rules sealed in {seal.path()}; commit it, so that others can date it."
        )
        return 0
    if given.check:
        print(f"{len(known)} claims, {len(registry.facts())} facts: no fault found.")
        return 0
    width = max(80, shutil.get_terminal_size((120, 24)).columns)
    for claim in known:
        head = f"{claim.id:<5}{claim.notebook:<24}{claim.kind:<12}{claim.clarity:<14}"
        print(textwrap.fill(claim.says, width, initial_indent=head, subsequent_indent=" " * len(head)))
    return 0


def verdicts(given: Arguments) -> int:
    """Verdicts out of the executed notebooks, or whatever in them does not follow."""
    from helpers import notebooks

    if given.check:
        from helpers import agreement
        from helpers.claims import registry

        found, faults = notebooks.examined(notebooks.read_all())
        differing, compared = agreement.compared(registry.place().facts, registry.facts())
        for fault in [*faults, *differing]:
            _warn(f"error: {fault}")
        if faults or differing:
            return 1
        print(f"{len(found)} verdicts follow from their own figures, rules and facts.")
        if compared:
            print(compared)
    else:
        found = notebooks.verdicts()
    if given.json:
        from helpers.report import machine

        print(machine.as_json(machine.contract(found)), end="")
    elif not given.check:
        from helpers.claims import card

        for entry in found:
            name, sign, _ = card.LOOK[entry["verdict"]]
            firm = entry["robustness"]
            share = f"{firm['same']} of {firm['of']}" if firm and firm["of"] else ""
            line = f"{entry['id']:<5}{entry['notebook']:<24}{sign:<3}{name:<27}{entry['clarity']:<14}{share}"
            print(line.rstrip())
    if open_ := notebooks.not_judged(found):
        _warn(f"{len(open_)} claims are not judged yet: {', '.join(open_)}.")
    return 0


def execute(given: Arguments) -> int:
    """Execute notebooks on the reference store and save them in place."""
    from helpers import market, notebooks
    from helpers.claims import registry

    store = None if registry.made_up() else market.connect().store
    first = registry.place() == registry.home()
    if first and (store is None or not (given.any_store or market.is_reference(store))):
        raise HelperError(
            "The committed notebooks are executed on the reference store, and this store is another; "
            "set MARKET_DATA to the reference store, or add --any-store."
        )
    wanted = [notebooks.path_of(name).stem for name in given.name] or notebooks.names()
    notebooks.run(wanted, notebooks.path_of, _warn, bar=sys.stderr.isatty(), fresh=given.fresh)
    return 0


def report(given: Arguments) -> int:
    """Write the report, or with it the printed edition; its address is the last line."""
    from helpers.report import command

    target = Path(given.out) if given.out else None
    printed = given.command == "pdf"
    made = command.pdf(target, given.fresh) if printed else command.report(target, given.onefile, given.fresh)
    print(made)
    return 0


def data(given: Arguments) -> int:
    """Fetch a new vintage of the market data, or compare a store with the fingerprints."""
    from helpers.sources import command, fetch

    wish = fetch.Wish(given.only or (), given.since, given.as_of)
    return command.run(wish, dry_run=given.dry_run, verify_only=given.verify)


def teaching(given: Arguments) -> int:
    """Write an edition, its folder is the last line; or open the lab."""
    from course import command

    if given.command == "lab":
        return command.lab()
    print(command.edition(given.command, given.out, given.force))
    return 0


def synthetic(given: Arguments) -> int:
    """Write the synthetic market."""
    from helpers.synthetic import build

    print(build(Path(given.folder)))
    return 0


def maintain(given: Arguments) -> int:
    """A command of tools/: a maintainer's, or an author's of new claims."""
    try:
        tool = importlib.import_module(f"tools.{given.command.replace('-', '_')}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "tools":
            raise
        raise HelperError("This command is no part of this copy; get the whole project.") from None
    return int(tool.command(given))


# ------------------------------------------------------------------------------------------------ the line


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m helpers", description="A news article's market claims, each checked on real data."
    )
    below = made.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = below.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        sub.set_defaults(run=run)
        if name in _READ_AN_ARTICLE:
            text = "another article than the first (or ARTICLE)"
            sub.add_argument("--article", metavar="FOLDER", help=text)
        return sub

    _for_readers(add)
    _for_authors(add)
    return made


#: Commands that read claims or notebooks, and so can be meant for another article.
_READ_AN_ARTICLE = {"report", "pdf", "verdicts", "claims", "lab", "notebooks", "new-claim"}


def _for_readers(add: Any) -> None:
    for name, text in (
        ("report", "notebooks to an HTML site; prints its address"),
        ("pdf", "the report as a printed edition (needs Chromium)"),
    ):
        sub = add(name, report, text)
        sub.add_argument(
            "--out", metavar="FOLDER", help="folder of the site (default: site, in an article's own folder)"
        )
        sub.add_argument("--fresh", action="store_true", help=FRESH)
        if name == "report":
            sub.add_argument("--onefile", action="store_true", help="also as one self-contained HTML file")
    sub = add("data", data, "fetch the market data from their providers into MARKET_DATA or data/market")
    sub.add_argument("--only", nargs="+", metavar="ID", help="these series of data/series.yaml only")
    sub.add_argument("--since", metavar="DATE", help="only prices from this day on, joined to the old ones")
    sub.add_argument("--as-of", metavar="DATE", help="last session to fetch (default: the last one)")
    sub.add_argument("--dry-run", action="store_true", help="print what would be fetched; touch nothing")
    sub.add_argument("--verify", action="store_true", help="compare the store with data/fingerprints.json")
    sub = add("verdicts", verdicts, "verdicts out of the executed notebooks")
    sub.add_argument("--json", action="store_true", help="with every rule and figure, as JSON")
    sub.add_argument("--check", action="store_true", help="derive each again; name what does not follow")
    sub = add("claims", claims, "list the claims; non-zero with every fault of the registry")
    sub.add_argument("--check", action="store_true", help="only check; also what is unfinished is a fault")
    sub.add_argument("--seal", action="store_true", help="write a dated hash of each rule to seal.json")
    add("lab", teaching, "open JupyterLab on the first notebook")
    for name, text in (
        ("student", "write the notebooks without solutions to editions/student"),
        ("teacher", "write them with solutions and teaching notes to editions/teacher"),
    ):
        sub = add(name, teaching, text)
        sub.add_argument("--out", metavar="FOLDER", help="where to write it")
        sub.add_argument("--force", action="store_true", help="overwrite notebooks that were worked in")


def _for_authors(add: Any) -> None:
    sub = add("notebooks", execute, "execute notebooks on the reference store and save them in place")
    sub.add_argument("name", nargs="*", metavar="NAME", help="a notebook’s name (default: all)")
    sub.add_argument("--fresh", action="store_true", help=FRESH)
    sub.add_argument("--any-store", action="store_true", help="also on a store that is not the reference one")
    sub = add("test", maintain, "lint, types, verdicts and tests, which execute the notebooks too")
    sub.add_argument("--slow", action="store_true", help="only the tests that are slow and rarely fail")
    sub.add_argument("pytest", nargs="*", metavar="ARGUMENT", help="for pytest's unit tests, after --")
    sub = add("new-claim", maintain, "print the entry of a new claim with the next free id")
    sub.add_argument("--paragraph", type=int, default=1, metavar="N", help="of the section, from 1")
    for name, text in (
        ("section", "of the article (default: that of the last claim)"),
        ("notebook", "the one that will judge it; --write makes it if need be"),
        ("fragment", "at most eight words of the article"),
        ("says", "the claim in our own words"),
        ("kind", "such as number, comparison, cause, opinion, forecast"),
        ("clarity", "clear, vague or not-testable"),
    ):
        sub.add_argument(f"--{name}", metavar="TEXT", help=text)
    sub.add_argument("--write", action="store_true", help="also put it into claims.yaml, in its place")
    sub = add("new-article", maintain, "begin to check an article of your own, in a folder of its own")
    sub.add_argument("folder", metavar="FOLDER")
    for name, text in (
        ("title", "what your collection calls itself"),
        ("publisher", "who published the article"),
        ("date", "when, as 2024-01-31"),
        ("address", "where it stands on the web"),
    ):
        sub.add_argument(f"--{name}", metavar=name.upper(), help=text)
    sub = add("synthetic", synthetic, "write the synthetic market to a folder")
    sub.add_argument("folder", metavar="DIR")
    add("bench", maintain, "ratios against what a user would otherwise do")
    sub = add("lock", maintain, "resolve the two lock files anew from pyproject.toml")
    sub.add_argument("--upgrade", action="store_true", help="take the newest versions")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = parser().parse_args(arguments)
    if article := getattr(given, "article", None) or os.environ.get("ARTICLE"):
        os.environ["ARTICLE"] = os.path.abspath(os.path.expanduser(article))  # kernels run elsewhere
    try:
        return int(given.run(given))
    except HelperError as error:
        _warn(f"error: {' '.join(str(error).split())}")
    except KeyboardInterrupt as stop:
        _warn("Interrupted; nothing was left half written.")
        return 128 + (stop.args[0] if stop.args else signal.SIGINT)
    except BrokenPipeError:
        # The reader of a pipe (head, less) left early: no fault, and nothing more to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last handler: whatever no reader of bad input foresaw
        if os.environ.get(DEBUG):
            traceback.print_exc()
        _warn(f"error: {_unforeseen(error)}")
    return 2


def _unforeseen(error: Exception) -> str:
    """One sentence that names the file and what to do."""
    again = f"{DEBUG}=1 shows where"
    if isinstance(error, OSError) and error.errno is not None:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full; free some space" if full else f"{error.strerror}; mend that"
        return f"{error.filename or 'A file'}: {what} and run the command again ({again})."
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())[:160]
    told = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{Path(last.filename).name}, line {last.lineno}, met what nobody foresaw ({told}); {again}."


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _stop(number: int, _: Any) -> None:
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A Windows console may not know our signs; they must not end the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # Whoever ends a command in another way than by Ctrl-C gets the same order afterwards.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop)
    code = main()
    if code > 128:
        # The clients of kernels have exit handlers that would talk to kernels which are gone.
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)
