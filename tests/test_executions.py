"""What was executed before is taken again, unless something that it read has changed: exactly then it is executed."""

import dataclasses
import os

import pandas as pd
import psutil
import pytest
import reporting
from conftest import write_store

from helpers import calendar, executions, kernels, notebooks
from helpers.claims import registry

#: What each notebook reads besides the kit that opens the store.
MARKET = "from helpers import market\nmkt = market.connect()\n"
CODE = {
    "01-russell": f"{MARKET}print(len(mkt.prices('^RUT')))",
    "02-own": f"{MARKET}import figures\nprint(figures.TWO, mkt.fingerprint)",
    "03-claim": "from helpers import claims\nprint(claims.claim('C16').section)",
    "04-claims": "from helpers import claims\nprint(len(claims.load()), len(claims.registry.facts()))",
    "05-verdicts": "from contextlib import suppress\nfrom helpers import notebooks\n"
    "with suppress(Exception):\n    notebooks.verdicts()",
    "06-public": f"{MARKET}print(mkt.lacks('LISTINGS'), mkt.macro('DGS2').size)",
}


def prices(bump=0.0):
    days = calendar.sessions("2025-12-01", "2025-12-12")
    rows = [
        pd.DataFrame({"symbol": name, "date": days, "close": 100.0 + number})
        for number, name in enumerate(["^GSPC", "^RUT"])
    ]
    rows[1].loc[3, "close"] += bump
    return pd.concat(rows)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Executes the notebooks; names of those that were not taken from the cache, and all of their bytes."""
    folder, own = tmp_path / "notebooks", tmp_path / "own"
    monkeypatch.setattr(notebooks, "folder", lambda: folder)
    monkeypatch.setattr(executions, "PLACE", tmp_path / "kept")
    for name, source in CODE.items():
        notebooks.write(reporting.notebook("T?", reporting.code(source)), folder / f"{name}.ipynb")
    own.mkdir()
    (own / "figures.py").write_text("TWO = 2\n")
    monkeypatch.setenv("PYTHONPATH", str(own))
    monkeypatch.setenv("MARKET_DATA", str(write_store(tmp_path / "store", prices())))

    def execute(fresh=False):
        lines = []
        out = tmp_path / "out"
        notebooks.run(list(CODE), lambda name: out / f"{name}.ipynb", lines.append, fresh=fresh)
        done = [line.split()[0] for line in lines if not line.startswith("Taken")]
        return done, {name: (out / f"{name}.ipynb").read_bytes() for name in CODE}

    return execute


def test_exactly_what_depends_on_a_change_is_executed_again(run, tmp_path, monkeypatch):
    done, first = run()
    assert done == list(CODE)
    written = {name: notebooks.read(tmp_path / "out" / f"{name}.ipynb").metadata for name in CODE}
    assert written["03-claim"][executions.RECORD]["facts"] == {}
    assert written["04-claims"][executions.RECORD]["facts"].keys() == {""}  # all of them
    done, again = run()
    assert (done, again) == ([], first)

    monkeypatch.setenv("MARKET_DATA", str(write_store(tmp_path / "other", prices(bump=0.01))))
    done, other = run()
    assert done == ["01-russell"]
    assert {name for name in CODE if other[name] != first[name]} == {
        "02-own"
    }  # it prints the data’s fingerprint
    assert run(fresh=True) == (list(CODE), other)

    own = tmp_path / "own" / "figures.py"
    own.write_text("TWO = 3\n")
    done, changed = run()
    assert done == ["02-own"]
    assert b"3 " in changed["02-own"]

    claim = registry.claim("C16")
    content = {"claims": [], **registry.head()}
    known = registry.load() | {"C16": dataclasses.replace(claim, says=f"{claim.says}!")}
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_checked", lambda: (content, known))
        assert run()[0] == ["03-claim", "04-claims", "05-verdicts"]
    fact = registry.fact("denn-deal-price")
    known = registry.facts() | {fact.id: dataclasses.replace(fact, value="7")}
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_facts", lambda: known)
        assert run()[0] == ["03-claim", "04-claims", "05-verdicts"]  # first back to the claim as it was


def test_what_is_damaged_is_executed_again(run, tmp_path):
    _, first = run()
    kept = sorted((tmp_path / "kept").iterdir())
    assert len(kept) == len(CODE)
    texts = [path.read_bytes() for path in kept]
    kept[0].write_bytes(texts[0][: len(texts[0]) // 2])
    kept[1].write_bytes(texts[1].replace(b'"when": 1', b'"when": 2'))
    kept[2].write_text("")
    done, again = run()
    assert (len(done), again) == (3, first)


def test_a_line_says_what_was_taken_and_when():
    told = executions.said({"01-a": 1764500000.0, "02-b": 1764500001.0})
    assert told.startswith(
        "Taken from the cache, as nothing that they read has changed: 01-a and 02-b (executed 2025-"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
def test_the_warmed_process_takes_its_kernels_with_it(tmp_path):
    parent = kernels.Parent()
    # A kernel removes the file that it is given when it ends by itself: a place of its own, never one of the system.
    number = parent.fork(["-f", str(tmp_path / "kernel.json")], dict(os.environ), os.getcwd())
    kernel = kernels.Kernel(number)
    assert kernel.parent().pid == parent.process.pid
    parent.process.kill()
    parent.process.wait()
    assert psutil.wait_procs([kernel], timeout=5)[1] == []
    assert kernel.poll() == 0


def test_what_a_notebook_shows_besides_its_verdicts_was_not_changed_since(tmp_path):
    """Facts that a cell cites and no rule, and the head of the collection: named, each for what it is."""
    claims = {key: {**entry} for key, entry in reporting.CLAIMS.items()}
    claims["C01"]["facts"] = ["cuts"]  # the rest of what C01 rests on is seen to by its verdict's own hash
    read = [("fact", "cuts"), ("fact", "year"), ("fact", "venue"), ("claim", "C01")]

    def faults(book):
        return [fault for fault in notebooks.examined({"01-first": book})[1] if " changed after " in fault]

    with reporting.registered(tmp_path / "own", claims):
        book = notebooks.normalise(reporting.notebook("Did it rise?", reporting.code("year = 5")))
        assert faults(book) == []  # executed before anything was recorded
        executions.record("01-first", book, read)
        assert list(book.metadata[executions.RECORD]["facts"]) == ["venue", "year"]
        notebooks.normalise(book)  # who makes the stamps anew leaves what was recorded
        assert faults(book) == []
    record = tmp_path / "own" / "facts" / "record.csv"
    for id_, words in (
        ("year", ["01-first: the fact year was changed after it was executed; execute it again with"]),
        ("cuts", []),
        ("late", []),
    ):
        before = record.read_bytes()
        record.write_text(record.read_text("utf-8").replace(f"Subject of {id_}", "Another"), "utf-8")
        with reporting.registered(tmp_path / "own", claims, facts=False):
            found = faults(book)
            assert len(found) == len(words)
            assert all(one.startswith(word) for one, word in zip(found, words, strict=True))
            everything = notebooks.normalise(reporting.notebook("All?", reporting.code("len(facts)")))
            executions.record("02-second", everything, [("fact", "")])
        record.write_bytes(before)
        with reporting.registered(tmp_path / "own", claims, facts=False):
            (fault,) = faults(everything)
            assert "the public record was changed" in fault
    with reporting.registered(tmp_path / "own", claims):
        path = registry.place().claims
        path.write_text(path.read_text("utf-8").replace("A collection", "Another title"), "utf-8")
        registry.use(tmp_path / "own")
        (fault,) = faults(book)
        assert "01-first: the head of claims.yaml was changed after it was executed" in fault
        for garbled in ("", [], {"facts": ["year"]}, {}):
            book.metadata[executions.RECORD] = garbled
            (fault,) = faults(book)
            assert "01-first: the record of what it cites was changed after it was executed" in fault


def test_a_signal_to_a_kernel_that_has_ended_is_none():
    process = psutil.Popen(["sleep", "60"])
    kernel = kernels.Kernel(process.pid)
    kernel.kill()
    process.wait()
    kernel.terminate()
    kernel.send_signal(2)
    assert kernel.poll() == 0
