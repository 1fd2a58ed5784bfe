"""Numbers, dates, lists and sentences."""

import pandas as pd
import pytest

from helpers import words


class MadeUp:
    real = False


class Real:
    real = True


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (-0.371, "pp", "−0.37\u00a0pp"),
        (2531.16, "points", "2,531.16\u00a0points"),
        (1.0, "cuts", "1\u00a0cut"),
        (0.0, "cuts", "0\u00a0cuts"),
        (0.5, "cuts", "0.50\u00a0cuts"),
        (1, "sessions", "1\u00a0session"),
        (14, "rank", "14"),
        (0.0012, "", "0.0012"),
        (123456.7, "USD", "123,457\u00a0USD"),
        (True, "", "yes"),
        (None, "%", "not known"),
        (float("nan"), "%", "not known"),
        ("2025-12-04", "date", "4 December 2025"),
        (pd.Timestamp("2025-12-04"), "", "4 December 2025"),
        (["2025-12-04", "2025-12-10"], "dates", "4 December 2025 and 10 December 2025"),
        ([], "dates", "none"),
        ("IWM", "ticker", "IWM"),
    ],
)
def test_a_quantity_reads_as_people_write_it(value, unit, text):
    assert words.quantity(value, unit) == text


def test_a_long_list_says_how_many_are_left_out():
    assert words.and_more(["a", "b", "c"], 3) == "a, b and c"
    assert words.and_more(list("abcde"), 2) == "a, b and 3 more"


def said(capture, *args):
    words.say(*args)
    return capture[-1]


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, newest last."""
    import IPython.display

    found = []
    monkeypatch.setattr(IPython.display, "display", lambda thing, **_: found.append(thing.data))
    return found


def test_a_sentence_from_made_up_data_says_so(shown):
    assert said(shown, "Up 3 %.", MadeUp()) == "**SYNTHETIC DATA.** Up 3 %."
    assert said(shown, "Up 3 %.", Real()) == "Up 3 %."
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["source"] = "synthetic"
    assert said(shown, "Up 3 %.", frame).startswith("**SYNTHETIC DATA.**")


@pytest.mark.parametrize(
    "text", ["✓* Supported", "**✓* Supported, with a caveat**", "**✓***", "**Supported ✓**"]
)
def test_the_sign_of_a_caveat_survives_markdown(shown, text):
    import mistune

    expected = {"**✓***": "✓*", "**Supported ✓**": "Supported ✓"}.get(text, text.strip("*"))
    page = mistune.html(said(shown, text, Real()))
    assert expected in page
    assert "<em>" not in page
