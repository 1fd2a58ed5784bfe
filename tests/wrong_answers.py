"""Two or more plausible wrong answers to every exercise: tests/wrong/nbNN.py, gathered.

``WRONG[exercise id]`` is a list of (answer, pattern): the answer is a value or a function of the market, the
pattern a regular expression that its hint must match on the reference store.
"""

import importlib
from pathlib import Path

WRONG = {
    exercise: answers
    for path in sorted((Path(__file__).parent / "wrong").glob("nb[0-9][0-9].py"))
    for exercise, answers in importlib.import_module(f"wrong.{path.stem}").WRONG.items()
}
