"""Facts that the store holds too: compared where there is a store, and a disagreement is named."""

import argparse
import dataclasses
from types import SimpleNamespace

import pytest
from conftest import needs_reference

from helpers import __main__ as commands
from helpers import agreement, files
from helpers.claims import registry
from helpers.files import HelperError

SAYS = """
level: {file: prices.parquet, where: {symbol: ^RUT, date: 2025-12-12}, column: close, tolerance: 0.5}
rise:
  {file: prices.parquet, where: {symbol: ^RUT, date: 2025-12-12}, column: close,
   since: {date: 2025-12-11}, change: difference}
percent:
  {file: prices.parquet, where: {symbol: ^GSPC, date: 2025-09-03}, column: close,
   since: {date: 2025-09-02}, change: percent, tolerance: 0.001}
yield: {file: macro.parquet, where: {series: DGS10, date: 2025-12-10}, column: value, per: 0.01}
venue: {file: listings.parquet, where: {symbol: PLTR, date: 2025-12-10}, column: exchange}
"""
VALUES = {"level": "2372", "rise": "1", "percent": "0.017", "yield": "413", "venue": "nyse"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")


@pytest.fixture
def record(tmp_path, small_store, monkeypatch):
    """A folder of facts; compares it, with other values or another declaration, with a store of two indices."""
    monkeypatch.setenv("MARKET_DATA", str(small_store))
    folder = tmp_path / "facts"
    folder.mkdir()

    def compared(says=SAYS, **values):
        values = VALUES | values
        (folder / "store.yaml").write_text(says, "utf-8")
        (folder / "record.csv").write_text("id,value\n" + "".join(f"{k},{v}\n" for k, v in values.items()))
        return agreement.compared(
            folder, {key: SimpleNamespace(value=value) for key, value in values.items()}
        )

    return compared


def test_facts_that_agree_are_counted_and_what_the_store_lacks_too(record):
    assert record() == ([], "4 facts were compared with the store; the store lacks 1 more.")


@pytest.mark.parametrize(
    ("name", "value", "given"),
    [
        ("level", "2372.51", "2372.0"),
        ("level", "nan", "2372.0"),
        ("rise", "-1", "1.0"),
        ("percent", "0.0150", "0.016667"),
        ("yield", "4.13", "413.0"),
        ("yield", "about four", "413.0"),
    ],
)
def test_a_fact_that_disagrees_is_named_with_both_numbers(record, name, value, given):
    (fault,), _ = record(**{name: value})
    assert len(fault.splitlines()) == 1
    assert f"record.csv: the fact {name} says {value}, and" in fault
    assert f"gives {given}; correct the one that is wrong" in fault


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("- a list", "is not of type 'object'"),
        ("level: {file: prices.parquet, column: close}", "'where' is a required property"),
        (SAYS.replace("tolerance: 0.5", "tolerance: -1"), "less than the minimum"),
        (SAYS.replace(", change: difference", ""), "'change' is a dependency of 'since'"),
        ("level: {file: ../prices.csv, where: {a: 1}, column: close}", "does not match"),
        ("level: {", "while parsing"),
        (SAYS + "other: {file: a.parquet, where: {a: 1}, column: b}", "no such fact"),
        (SAYS.replace("column: close", "column: clothes"), "prices.parquet"),
        (SAYS.replace("symbol:", "name:"), "prices.parquet"),
        (SAYS.replace("2025-12-12", "soon"), "prices.parquet"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_one_sentence(record, says, words):
    with pytest.raises(HelperError, match=words) as caught:
        record(says)
    assert len(str(caught.value).splitlines()) == 1


def test_without_a_store_nothing_is_compared_and_that_is_said(record, monkeypatch):
    monkeypatch.setenv("MARKET_DATA", "synthetic")
    assert record(level="1") == ([], "5 facts were not compared: there is no store here.")
    assert record("") == ([], "")


def test_the_command_ends_with_an_error_where_they_differ(monkeypatch, capsys):
    monkeypatch.setattr(agreement, "compared", lambda *_: (["record.csv: the fact x says 1, not 2."], ""))
    assert commands.verdicts(argparse.Namespace(check=True, json=False)) == 1
    assert capsys.readouterr().err == "error: record.csv: the fact x says 1, not 2.\n"


def test_what_is_declared_is_in_the_record():
    declared = agreement._declared(registry.home().facts / "store.yaml", registry.facts())
    assert len(declared) >= 20


@needs_reference
def test_every_declared_fact_is_what_the_reference_store_holds():
    folder, facts = registry.home().facts, registry.facts()
    assert agreement.compared(folder, facts) == ([], "24 facts were compared with the store.")
    moved = {"pltr-listing-2025-12": "nyse", "fmc-nasdaq-screener-sector": "materials"}
    edited = {key: dataclasses.replace(fact, value=moved.get(key, fact.value)) for key, fact in facts.items()}
    faults, _ = agreement.compared(folder, edited)
    assert ["the fact pltr-listing-2025-12 says nyse" in faults[0], "gives industrials" in faults[1]] == [
        True,
        True,
    ]
