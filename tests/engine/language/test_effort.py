"""What a function does is counted: nothing goes through many values and tells of a few."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from riverstone.engine import language
from riverstone.engine.errors import ExpressionWork
from riverstone.engine.language import effort
from riverstone.engine.language.context import Context
from riverstone.engine.language.expressions import compile_expression
from riverstone.engine.limits import Limits

MOST = 4
"""Lines of Python that one unit of effort may stand for: a line takes some 30 ns, and a million units 0.1 s."""
FOLDER = str(Path(next(iter(language.__path__))).resolve())
VARIABLES = {
    "text": "a" * 1000,
    "numbers": list(range(1000)),
    "texts": ["ab"] * 1000,
    "lists": [[number] for number in range(1000)],
    "digits": ["1e300"] * 1000,
    "entries": {f"k{number}": number for number in range(1000)},
    "contexts": [{"a": number} for number in range(1000)],
}
EXPRESSIONS = (
    'replace(text, "a|(b{1800})", "x")',
    'split(text, "a|(b{1800})")',
    'extract(text, "a|(b{1800})")',
    'split(text, "a")',
    f'matches(text, "({"()?" * 100}a)*b")',
    'for i in 1..100 return matches(text, "^b")',
    "numbers.a",
    "lists.a",
    "contexts.b",
    "texts.year",
    "string join(texts)",
    "get entries(entries)",
    "numbers instance of list<number>",
    "contexts instance of list<context<a: number>>",
    "flatten(lists)",
    "distinct values(numbers)",
    "duplicate values(numbers)",
    "union(numbers, texts)",
    "sort(numbers, function(a, b) a < b)",
    "mode(numbers)",
    "context merge(contexts)",
    "index of(numbers, 5)",
    "list replace(numbers, 1, 2)",
    "for i in numbers return partial",
    "numbers = numbers",
    "numbers[item > 5]",
)


JUEL = (
    "contains(numbers, 'x')",
    "contains(digits, 5)",
    "sum(digits)",
    "max(digits)",
    "join(numbers, ',')",
    "concat(lists, lists)",
    "lists == lists",
    "string(entries)",
    "contexts.collectEntries('a')",
)


@pytest.mark.parametrize("expression", [*(f"={each}" for each in EXPRESSIONS), *(f"${{{each}}}" for each in JUEL)])
def test_what_is_done_is_counted(expression: str) -> None:
    compiled = compile_expression(expression, limits=Limits())
    context = Context(VARIABLES)
    lines = 0

    def inside(_: FrameType, event: str, __: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return inside

    def called(frame: FrameType, _: str, __: Any) -> Any:
        return inside if frame.f_code.co_filename.startswith(FOLDER) else None

    before = sys.gettrace()
    effort.begin(Limits(step_work=50_000))
    sys.settrace(called)
    try:
        compiled.evaluate(context)
    except ExpressionWork:
        # Too much of it is done, and that was told.
        pass
    finally:
        sys.settrace(before)
        spent = effort.spent()
        effort.end()

    assert lines > 0
    assert lines <= MOST * spent + 200
