"""Nothing after the day of judgement decides: on data that end there, the same figures and verdicts come out."""

import contextlib
from unittest.mock import MagicMock

import pandas as pd
import pytest
from conftest import REFERENCE

from helpers import charts, claims, market, notebooks, store
from helpers.claims import judging


def _limit(claim):
    """The last day that may vote: the horizon of a forecast, else the day of judgement."""
    return claim.horizon or claim.as_of


RUNS = sorted({(claim.notebook, _limit(claim)) for claim in claims.load().values() if claim.measures})


@pytest.mark.skipif(REFERENCE is None, reason="compares with the verdicts on the reference store")
@pytest.mark.parametrize(("name", "limit"), RUNS)
def test_data_that_end_on_the_day_of_judgement_give_the_same(name, limit, monkeypatch, tmp_path):
    if pd.Timestamp(limit) > market.connect().last_session:
        pytest.skip("the horizon lies after the data")
    whole = store.Store._rows

    def cut(self, *given):
        rows = whole(self, *given)
        known = rows.dates <= limit
        values = {column: found[known] for column, found in rows.values.items()}
        return store.Rows(rows.names, rows.codes[known], rows.dates[known], values)

    monkeypatch.setattr(store.Store, "_rows", cut)
    monkeypatch.setattr(judging, "_judged", {})
    for verb in DRAWN:  # pictures are not judged, and cost the most
        monkeypatch.setattr(charts, verb, MagicMock())
    monkeypatch.chdir(notebooks.FOLDER)
    notebook, space = notebooks.read(notebooks.path_of(name)), {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and not {"exercise", "check", "solution"} & set(
            cell.metadata.get("tags", [])
        ):
            with contextlib.suppress(Exception):  # a chart of what came later has nothing to show
                exec(compile(cell.source, name, "exec"), space)
    for _, then in notebooks.payloads(notebook):
        claim = claims.claim(then["id"])
        if _limit(claim) == limit and claim.measures:
            assert claim.id in judging._judged, f"{claim.id} was not judged"
            now = judging._judged[claim.id]
            # The end of a forecast is loose: equivalent ways to measure it end some sessions later.
            keys = KEYS[:4] if claim.horizon else KEYS
            assert {key: now[key] for key in keys} == {key: then[key] for key in keys}, claim.id


DRAWN = ("lines", "dots", "heat", "bars", "spread", "curve", "timeline", "table")
KEYS = ("verdict", "figures", "base_rate", "because", "specifications", "robustness")
