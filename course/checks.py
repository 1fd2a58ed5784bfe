"""Checks of the exercises: one line that says right, or not yet with a hint; never a traceback.

An exercise is a function in ``nbNN.py`` (NN is the notebook's number). It computes from the market what is right and
what plausible slips give; the comparison, and the words around a hint, are the same for all and stand here::

    @exercise("01-ties", COUNT)
    def ties(mkt: market.Market) -> Right:
        '''What is counted.'''
        return Right(7, "a hint that helps without giving it away.", {"a hint for whoever did this.": 9})

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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from helpers import market
from helpers.files import HelperError
from helpers.words import listing

OPEN = "Nothing to check yet: put your answer into `answer`."
#: In nbconvert's own export a solution is closed until it is asked for: what a notebook can store of that. The rules
#: name what only that export has (a cell's tags as classes); elsewhere the switch stays hidden and nothing is closed.
FOLD = """\
<details hidden class="fold"><summary>Solution</summary></details><style>\
.jp-Cell:has(+.celltag_solution) .fold{display:block}\
.jp-Cell:has(.fold:not([open]))+.celltag_solution{display:none}</style>"""


# ------------------------------------------------------------------------------------- for those who write checks


@dataclass(frozen=True)
class Kind:
    """What an answer, or a part of one, has to be: for people, for Python, and to how many decimals."""

    asks: str
    type: type
    digits: int | None = None

    @property
    def slack(self) -> float:
        """How far two numbers that agree may lie apart: at the last digit one may round or cut off."""
        if self.digits is None:
            return 1e-9
        return 1.01 * 10.0**-self.digits if self.digits else 0.51


COUNT = Kind("a whole number", int)
FLAG = Kind("True or False", bool)
DATE = Kind("a date in quotes", pd.Timestamp)
NAME = Kind("a name in quotes", str)


def figure(of: str, digits: int) -> Kind:
    """A number with so many decimals: ``figure("a percentage", 1)``."""
    words = ("rounded to a whole number", "with one decimal", "with two decimals", "with three decimals")
    return Kind(f"{of} {words[digits]}", float, digits)


@dataclass(frozen=True)
class Right:
    """What is right, and what to say to an answer that is not.

    Parameters
    ----------
    value : the right answer, computed from the market (or a list of names for it); NaT where there is no such date
    otherwise : the hint where no slip fits
    slips : by hint, what a plausible error gives; or a list of that, or a function that knows the error from the
        answer. If several fit, all their hints are given: the reader knows which was made. A slip that happens to
        give what is right, as it may on the synthetic market, catches nobody
    within : how far two numbers that agree may lie apart; by default the kind decides
    """

    value: Any
    otherwise: str
    slips: Mapping[str, Any] = field(default_factory=dict)
    within: float | None = None

    def hint(self, given: Any, kind: Kind) -> str | None:
        """None if an answer of that kind is right."""

        def agrees(one: Any, other: Any) -> bool:
            if kind.type in (int, float):
                return abs(one - other) <= (self.within or kind.slack)
            if kind.type is str:
                return str(one).casefold() == str(other).casefold()
            return bool(one == other) or bool(pd.isna(one) and pd.isna(other))

        def fits(slip: Any) -> bool:
            if callable(slip):
                return bool(slip(given))
            return any(agrees(given, one) for one in (slip if isinstance(slip, (list, pd.Index)) else [slip]))

        if fits(self.value):
            return None
        if fitting := [hint for hint, slip in self.slips.items() if fits(slip)]:
            return " Or: ".join(fitting)
        # Below the precision asked for, a sign or a factor cannot be told from rounding.
        if kind.digits is None or abs(self.value) <= 3 * 10.0**-kind.digits:
            return self.otherwise
        if agrees(-given, self.value):
            return "the size fits, the sign does not."
        if "percent" in kind.asks and agrees(given * 100, self.value):
            return "that looks like a fraction; the answer is in percent."
        if "percent" in kind.asks and abs(self.value) > 1 and agrees(given / 100, self.value):
            return "that is a hundred times too large; it is in percent already."
        return self.otherwise


#: What an exercise returns: one answer, or one for each of its parts.
Answer: TypeAlias = Right | Mapping[str, Right]
Compute: TypeAlias = Callable[[market.Market], Answer]


@dataclass(frozen=True)
class Exercise:
    """One exercise: the kind of each part of its answer (``""`` if it has one only), and what is right."""

    id: str
    parts: Mapping[str, Kind]
    compute: Compute

    @property
    def asks(self) -> str:
        """What the answer is, for people."""
        if "" in self.parts:
            return self.parts[""].asks
        return (
            f"a dictionary with {listing([f'“{name}” ({kind.asks})' for name, kind in self.parts.items()])}"
        )

    def hint(self, given: Mapping[str, Any], mkt: market.Market) -> str | None:
        """None if every part is right, else a hint on the first that is not, which names it."""
        right = self.compute(mkt)
        rights = {"": right} if isinstance(right, Right) else right
        fitting: list[str] = []
        for name, kind in self.parts.items():
            if hint := rights[name].hint(given[name], kind):
                fits = f"{listing(fitting)} fits; " if fitting else ""
                return f"{fits}look at the part “{name}”: {hint}" if name else hint
            fitting.append(f"“{name}”")
        return None


_exercises: dict[str, Exercise] = {}


def exercise(exercise_id: str, kind: Kind | Mapping[str, Kind]) -> Callable[[Compute], Compute]:
    """Register the check of one exercise.

    Parameters
    ----------
    exercise_id : the notebook's number, a hyphen, a short name: ``"01-ties"``
    kind : of the answer, or of each of its parts by name
    """
    if not re.fullmatch(r"\d{2}-[a-z0-9-]+", exercise_id):
        raise HelperError(f"The id '{exercise_id}' is not a notebook's number and a name, such as 01-ties.")

    def register(compute: Compute) -> Compute:
        known = _exercises.get(exercise_id, Exercise("", {}, compute)).compute
        if (known.__module__, known.__qualname__) != (compute.__module__, compute.__qualname__):
            raise HelperError(f"The exercise {exercise_id} is defined twice; rename one.")
        parts = {"": kind} if isinstance(kind, Kind) else kind
        _exercises[exercise_id] = Exercise(exercise_id, parts, compute)
        return compute

    return register


# ------------------------------------------------------------------------------------------------ finding


def modules() -> list[str]:
    """Numbers of the notebooks that have a module of checks, as two digits."""
    return sorted(path.stem[2:] for path in Path(__file__).parent.glob("nb[0-9][0-9].py"))


def registered() -> dict[str, Exercise]:
    """Every exercise of every notebook, by id."""
    for number in modules():
        importlib.import_module(f"course.nb{number}")
    return dict(sorted(_exercises.items()))


def find(exercise_id: str) -> Exercise:
    """One exercise by id; HelperError with the nearest id if there is none."""
    if (number := str(exercise_id)[:2]) in modules():
        importlib.import_module(f"course.nb{number}")
    if exercise_id not in _exercises:
        near = difflib.get_close_matches(str(exercise_id), [*_exercises], n=1)
        raise HelperError(
            f"There is no exercise {exercise_id}" + (f"; did you mean {near[0]}?" if near else ".")
        )
    return _exercises[exercise_id]


# ------------------------------------------------------------------------------------------------ checking


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


def check(exercise_id: str, answer: Any, mkt: market.Market | None = None) -> None:
    """Show in one line whether an answer is right, and else a hint."""
    from IPython.display import display

    found = judge(exercise_id, answer, mkt or market.current())
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(found.line, quote=False))
    shown = f'<p class="rr-check">{marked}</p>' + (FOLD if found.right is None else "")
    display({"text/plain": found.line, "text/html": shown}, raw=True)


def judge(exercise_id: str, answer: Any, mkt: market.Market | None) -> Result:
    """As :func:`check`, but the result is returned. No answer makes it raise."""
    try:
        found = find(exercise_id)
    except HelperError as error:
        return Result(None, f"Nothing was checked: {error}")
    if not isinstance(mkt, market.Market):
        return Result(None, "Nothing was checked: the third argument is the market, `mkt` of the first cell.")
    try:
        hint = found.hint(convert(answer, found.parts), mkt)
    except _OpenError:
        return Result(None, OPEN)
    except _UnfitError as unfit:
        return Result(False, f"{unfit} The exercise asks for {found.asks}.")
    except HelperError as error:
        return Result(None, f"Nothing was checked: {error}")
    except Exception:
        # Whatever a reader puts in: a sentence. A fault of a check itself shows in the tests.
        return Result(False, f"this answer cannot be compared. The exercise asks for {found.asks}.")
    right = "Right." if mkt.real else "Right (on made-up prices)."
    return Result(True, right) if hint is None else Result(False, hint)


# ------------------------------------------------------------------------------------------------ the answer


def convert(answer: Any, parts: Mapping[str, Kind]) -> dict[str, Any]:
    """The answer by part, each of the type asked for; raises for the reader's eyes if it cannot be."""
    if _nothing(answer):
        raise _OpenError
    if callable(answer) and not isinstance(answer, type):
        raise _UnfitError("`answer` is a function; call it, with parentheses.")
    if "" in parts:
        return {"": _CONVERT[parts[""].type](_scalar(answer))}
    given = answer.to_dict() if isinstance(answer, pd.Series) else answer
    if not isinstance(given, Mapping):
        names = listing([f"“{name}”" for name in parts])
        raise _UnfitError(f"`answer` is {_what(answer)}; fill in the dictionary with {names}.")
    if set(given) <= set(parts) and all(_nothing(given.get(name)) for name in parts):
        raise _OpenError
    if absent := [name for name in parts if _nothing(given.get(name))]:
        raise _UnfitError(f"the part “{absent[0]}” of `answer` is still open or missing.")
    found = {}
    for name, kind in parts.items():
        try:
            found[name] = convert(given[name], {"": kind})[""]
        except _UnfitError as unfit:
            raise _UnfitError(str(unfit).replace("`answer`", f"the part “{name}” of `answer`")) from None
    return found


def _nothing(answer: Any) -> bool:
    return answer is None or answer is Ellipsis or (isinstance(answer, str) and not answer.strip())


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
    plain = isinstance(answer, np.generic) and not isinstance(answer, np.datetime64)
    return answer.item() if plain else answer


def _float(value: Any) -> float:
    if isinstance(value, str):
        raise _UnfitError("`answer` is text; give a number, without quotes or a unit.")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _UnfitError(f"`answer` is {_what(value)}.")
    if math.isnan(value):
        raise _UnfitError("`answer` is NaN: somewhere a value is missing. Drop or fill it, and say which.")
    if math.isinf(value):
        raise _UnfitError("`answer` is infinite: somewhere you divide by zero.")
    return float(value)


def _int(value: Any) -> int:
    if abs((number := _float(value)) - round(number)) > 1e-9:
        raise _UnfitError("`answer` is no whole number; count things, do not average them.")
    return round(number)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _UnfitError(f"`answer` is {_what(value)}.")
    return value


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise _UnfitError(f"`answer` is {_what(value)}; put text in quotes.")
    return value.strip()


def _date(value: Any) -> Any:
    if (
        isinstance(value, str) and value.strip().lower() == "none"
    ):  # the reader says that there is no such date
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


_CONVERT: dict[type, Callable[[Any], Any]] = {
    int: _int,
    float: _float,
    bool: _bool,
    str: _str,
    pd.Timestamp: _date,
}
