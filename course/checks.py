"""Checks of the exercises: one line that says right, or not yet with a hint; never a traceback.

An exercise is a function in ``nbNN.py`` (NN is the notebook's number), which computes what it needs from the
market and nothing else::

    @exercise("01-ties", asks="a whole number", expects=int)
    def ties(answer: int, mkt: market.Market) -> Hint | None:
        '''None if the answer is right, else a sentence that helps without giving it away.'''

A notebook calls :func:`check`. The module of its number is imported then, so that a notebook pays for its own
exercises only.
"""

from __future__ import annotations

import datetime
import difflib
import html
import importlib
import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from helpers import market
from helpers.files import HelperError

Hint: TypeAlias = str
#: What an answer is: a type, or for an answer in parts a type for each name.
Kind: TypeAlias = type | Mapping[str, type]

OPEN = "Nothing to check yet: put your answer into `answer`."
RIGHT = "Right."
#: Text that a reader gives where a date is asked for and none fits.
NONE = "none"


@dataclass(frozen=True)
class Exercise:
    """One exercise: what it asks for, and the function that judges an answer of that kind."""

    id: str
    asks: str
    expects: Kind
    judge: Callable[[Any, market.Market], Hint | None]


@dataclass(frozen=True)
class Result:
    """How an answer came out: True, False, or None if there is nothing to check yet."""

    right: bool | None
    text: str

    @property
    def line(self) -> str:
        """The line that the reader sees."""
        sign = {True: "✓", False: "✗ Not yet:", None: "…"}[self.right]
        return f"{sign} {self.text}"


class _UnfitError(Exception):
    """The answer is not of the kind that the exercise asks for; the text is for the reader."""


class _OpenError(Exception):
    """There is no answer yet."""


_exercises: dict[str, Exercise] = {}


def exercise(
    exercise_id: str, asks: str, expects: Kind
) -> Callable[[Callable[[Any, market.Market], Hint | None]], Callable[[Any, market.Market], Hint | None]]:
    """Register the check of one exercise.

    Parameters
    ----------
    exercise_id : the notebook's number, a hyphen, a short name: ``"01-ties"``
    asks : what the answer is, for people: ``"a whole number"``, ``"a percentage with one decimal"``
    expects : ``int``, ``float``, ``bool``, ``str``, ``pd.Timestamp`` (a date; NaT stands for "none"), ``list``,
        ``pd.Series``, ``pd.DataFrame``, or a mapping from the names of the answer's parts to such types. The
        function gets the answer converted to it: a NumPy number as ``int``, a date as Timestamp, an array as
        list, parts as dict.
    """
    if not re.fullmatch(r"\d{2}-[a-z0-9-]+", exercise_id):
        raise HelperError(f"The id '{exercise_id}' is not a notebook's number and a name, such as 01-ties.")

    def register(
        judge: Callable[[Any, market.Market], Hint | None],
    ) -> Callable[[Any, market.Market], Hint | None]:
        known = _exercises.get(exercise_id)
        if known and (known.judge.__module__, known.judge.__name__) != (judge.__module__, judge.__name__):
            raise HelperError(f"The exercise {exercise_id} is defined twice; rename one.")
        _exercises[exercise_id] = Exercise(exercise_id, asks, expects, judge)
        return judge

    return register


# ------------------------------------------------------------------------------------------------ finding


def modules() -> list[str]:
    """Numbers of the notebooks that have a module of checks, as two digits."""
    return sorted(path.stem[2:] for path in Path(__file__).parent.glob("nb[0-9][0-9].py"))


def registered() -> dict[str, Exercise]:
    """Every exercise of every notebook, by id."""
    for number in modules():
        _load(number)
    return dict(sorted(_exercises.items()))


def find(exercise_id: str) -> Exercise:
    """One exercise by id; HelperError with the nearest id if there is none."""
    number = exercise_id[:2] if isinstance(exercise_id, str) else ""
    if number in modules():
        _load(number)
    if exercise_id not in _exercises:
        near = difflib.get_close_matches(str(exercise_id), [*_exercises], n=1)
        raise HelperError(
            f"There is no exercise {exercise_id}" + (f"; did you mean {near[0]}?" if near else ".")
        )
    return _exercises[exercise_id]


def _load(number: str) -> None:
    importlib.import_module(f"course.nb{number}")


# ------------------------------------------------------------------------------------------------ checking


def check(exercise_id: str, answer: Any, mkt: market.Market | None = None) -> None:
    """Show in one line whether an answer is right, and else a hint."""
    from IPython.display import display

    line = judge(exercise_id, answer, mkt or market.current()).line
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(line, quote=False))
    display({"text/plain": line, "text/html": f'<p class="rr-check">{marked}</p>'}, raw=True)


def judge(exercise_id: str, answer: Any, mkt: market.Market | None) -> Result:
    """As :func:`check`, but the result is returned. No answer makes it raise."""
    try:
        found = find(exercise_id)
    except HelperError as error:
        return Result(None, f"Nothing was checked: {error}")
    if not isinstance(mkt, market.Market):
        return Result(None, "Nothing was checked: the third argument is the market, `mkt` of the first cell.")
    try:
        given = convert(answer, found.expects)
        hint = found.judge(given, mkt)
    except _OpenError:
        return Result(None, OPEN)
    except _UnfitError as unfit:
        return Result(False, f"{unfit} The exercise asks for {found.asks}.")
    except HelperError as error:
        return Result(None, f"Nothing was checked: {error}")
    except Exception:
        # Whatever a reader puts in: a sentence. A fault of a check itself shows in the tests.
        return Result(False, f"this answer cannot be compared. The exercise asks for {found.asks}.")
    made_up = "" if mkt.real else " (on made-up prices)"
    return Result(True, RIGHT[:-1] + made_up + ".") if hint is None else Result(False, hint)


# ------------------------------------------------------------------------------------------------ the answer


def _nothing(answer: Any) -> bool:
    return answer is None or answer is Ellipsis or (isinstance(answer, str) and not answer.strip())


def convert(answer: Any, expects: Kind) -> Any:
    """The answer as the type asked for; raises for the reader's eyes if it cannot be."""
    if _nothing(answer):
        raise _OpenError
    if callable(answer) and not isinstance(answer, type):
        raise _UnfitError("`answer` is a function; call it, with parentheses.")
    if isinstance(expects, Mapping):
        return _parts(answer, expects)
    return _CONVERT[expects](answer)


def _what(answer: Any) -> str:
    if isinstance(answer, pd.DataFrame):
        return f"a table of {len(answer)} rows"
    if isinstance(answer, (pd.Series, pd.Index, np.ndarray, list, tuple, set, frozenset, dict)):
        return f"a collection ({type(answer).__name__}), not one value"
    names = {str: "text", bool: "True or False", int: "a number", float: "a number"}
    return names.get(type(answer), f"of the type {type(answer).__name__}")


def _scalar(answer: Any) -> Any:
    """A value that stands alone in an array or Series comes out of it; NumPy's become Python's."""
    if isinstance(answer, (pd.Series, pd.Index, np.ndarray, pd.DataFrame)):
        flat = np.asarray(answer, dtype=object).ravel()
        if len(flat) == 0:
            raise _UnfitError("`answer` is empty; did a selection find nothing?")
        if len(flat) > 1:
            raise _UnfitError(f"`answer` is {_what(answer)}; sum, count or choose.")
        answer = flat[0]
    if isinstance(answer, (list, tuple, set, dict)):
        raise _UnfitError(f"`answer` is {_what(answer)}; take it out of its brackets.")
    return (
        answer.item() if isinstance(answer, np.generic) and not isinstance(answer, np.datetime64) else answer
    )


def _float(answer: Any) -> float:
    value = _scalar(answer)
    if isinstance(value, str):
        raise _UnfitError("`answer` is text; give a number, without quotes or a unit.")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _UnfitError(f"`answer` is {_what(value)}.")
    if math.isnan(value):
        raise _UnfitError("`answer` is NaN: somewhere a value is missing. Drop or fill it, and say which.")
    if math.isinf(value):
        raise _UnfitError("`answer` is infinite: somewhere you divide by zero.")
    return float(value)


def _int(answer: Any) -> int:
    value = _float(answer)
    if abs(value - round(value)) > 1e-9:
        raise _UnfitError("`answer` is no whole number; count things, do not average them.")
    return round(value)


def _bool(answer: Any) -> bool:
    value = _scalar(answer)
    if not isinstance(value, bool):
        raise _UnfitError(f"`answer` is {_what(value)}.")
    return value


def _str(answer: Any) -> str:
    value = _scalar(answer)
    if not isinstance(value, str):
        raise _UnfitError(f"`answer` is {_what(value)}; put text in quotes.")
    return value.strip()


def _date(answer: Any) -> Any:
    value = _scalar(answer)
    if isinstance(value, str) and value.strip().lower() == NONE:
        return pd.NaT
    # A bare number would be read as nanoseconds since 1970.
    if not isinstance(value, (str, datetime.date, np.datetime64)):
        raise _UnfitError(f"`answer` is {_what(value)}; write a date as '2025-12-10'.")
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError, OverflowError):
        raise _UnfitError("`answer` cannot be read as a date; write it as '2025-12-10'.") from None
    if stamp is pd.NaT:
        raise _UnfitError("`answer` is no date (NaT): a selection found nothing, or a value is missing.")
    return stamp.tz_localize(None).normalize()


def _list(answer: Any) -> list[Any]:
    if isinstance(answer, pd.DataFrame) or not isinstance(
        answer, (list, tuple, set, frozenset, pd.Series, pd.Index, np.ndarray)
    ):
        raise _UnfitError(f"`answer` is {_what(answer)}; put a list in brackets.")
    items = list(answer)
    if not items:
        raise _UnfitError("`answer` is empty; did a selection find nothing?")
    return [
        item.item() if isinstance(item, np.generic) and not isinstance(item, np.datetime64) else item
        for item in items
    ]


def _frame(answer: Any, kind: Any, name: str) -> Any:
    if not isinstance(answer, kind):
        raise _UnfitError(f"`answer` is {_what(answer)}, no {name}.")
    if not len(answer):
        raise _UnfitError("`answer` is empty; did a selection find nothing?")
    if bool(pd.isna(answer).to_numpy().all()):
        raise _UnfitError("`answer` holds nothing but NaN: somewhere a value is missing.")
    return answer


_CONVERT: dict[type, Callable[[Any], Any]] = {
    int: _int,
    float: _float,
    bool: _bool,
    str: _str,
    list: _list,
    pd.Timestamp: _date,
    pd.Series: lambda answer: _frame(answer, pd.Series, "pandas Series"),
    pd.DataFrame: lambda answer: _frame(answer, pd.DataFrame, "pandas DataFrame"),
}


def _parts(answer: Any, expects: Mapping[str, type]) -> dict[str, Any]:
    given = answer.to_dict() if isinstance(answer, pd.Series) else answer
    names = ", ".join(f'"{name}"' for name in expects)
    if not isinstance(given, Mapping):
        raise _UnfitError(f"`answer` is {_what(answer)}; fill in the dictionary with {names}.")
    if set(given) <= set(expects) and all(_nothing(given.get(name)) for name in expects):
        raise _OpenError
    if absent := [name for name in expects if _nothing(given.get(name))]:
        raise _UnfitError(f'The part "{absent[0]}" of `answer` is still open or missing.')
    found = {}
    for name, kind in expects.items():
        try:
            found[name] = convert(given[name], kind)
        except _UnfitError as unfit:
            raise _UnfitError(str(unfit).replace("`answer`", f'the part "{name}" of `answer`')) from None
    return found


# ------------------------------------------------------------------------------------- for those who write checks


def near(value: float, right: float, digits: int = 0) -> bool:
    """True if two numbers agree at the precision asked for: ``digits`` decimals, rounded or cut off."""
    return abs(value - right) <= 1.01 * 10.0**-digits if digits else abs(value - right) <= 0.51


def same(value: float, right: float) -> bool:
    """True if two numbers are the same but for the last bits of a float."""
    return math.isclose(value, right, rel_tol=1e-9, abs_tol=1e-9)


def of_part(name: str, hint: Hint | None) -> Hint | None:
    """A hint that says to which part of an answer it belongs."""
    return hint and f"the part “{name}”: {hint}"


def numeric(
    value: float,
    right: float,
    digits: int | None,
    traps: Iterable[tuple[float | None, Hint]] = (),
    otherwise: Hint = "check the window and the series, and look at the definition again.",
) -> Hint | None:
    """Judge a number, with a hint for the errors that one expects.

    Parameters
    ----------
    value, right : the answer, and the number computed from the market
    digits : decimals asked for; None for a count, which must be exact
    traps : (what a plausible error would give, hint for it); if several fit, all their hints are given. A trap
        that happens to equal the right number, as it may on the synthetic market, catches nobody
    otherwise : hint where no trap fits
    """

    def agrees(one: float, other: float) -> bool:
        return same(one, other) if digits is None else near(one, other, digits)

    if agrees(value, right):
        return None
    fitting = [hint for wrong, hint in traps if wrong is not None and agrees(value, wrong)]
    if fitting:
        # Two errors may lead to one number: the reader knows which was made.
        return " Or: ".join(fitting)
    # Below the precision asked for, a sign or a factor cannot be told from rounding.
    telling = digits is not None and abs(right) > 3 * 10.0**-digits
    if telling and agrees(-value, right):
        return "the size fits, the sign does not: what is subtracted from what?"
    if telling and agrees(value * 100, right):
        return "that looks like a fraction; the answer is in percent."
    if telling and abs(right) > 1 and agrees(value / 100, right):
        return "that is a hundred times too large; it is in percent already."
    return otherwise
