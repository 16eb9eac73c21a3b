"""What an expression may ask for, and how it is refused: at its place, or by the name of a limit."""

from __future__ import annotations

import pytest

from riverstone.engine.errors import ExpressionError, ExpressionWork
from riverstone.engine.jsontext import dumps
from riverstone.engine.language.feel.border import to_json
from riverstone.engine.language.feel.expressions import compile_feel
from riverstone.engine.language.feel.reading.places import FeelSyntaxError

from .examples import LIMITS, feel
from .sentences import Sentences, ends


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 +", "a value was expected at character 4:\n    1 +\n       ^\n"),
        ("(1 + 2", "')' was expected at character 7:\n    (1 + 2\n          ^\n"),
        ("a\n+ )", "a value was expected instead of ')' at character 5:\n    + )\n      ^\n"),
        ('"abc', "a text is not closed: add a quote at character 1:"),
        ("x % 2", "write modulo(dividend, divisor)"),
        ("!x", "negates with not(...)"),
        ("x instance of foo", "there is no type 'foo' at character 15"),
        ("function(x) external {}", "functions of Java"),
        ("f(a: 1, a: 2)", "'a' is given twice"),
        ('"\\uD83D"', "half of a surrogate pair"),
        ("", "it is empty"),
        ("(" * 70 + "1" + ")" * 70, "nested deeper than 64 levels"),
        ("x" * 17_000, "longer than 16384 characters"),
        ("1+" * 500 + "1", "more than 800 parts"),
        ("1e7000", "the number is too large"),
    ],
)
def test_a_wrong_text_is_refused_at_its_place(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_feel(text, limits=LIMITS)
    drawn = f":\n{caught.value.drawn}\n" if isinstance(caught.value, FeelSyntaxError) else ""
    assert message in caught.value.message + drawn


@pytest.mark.parametrize(
    "text",
    [
        "count(for i in 1..100000000 return i * 2)",
        "count(for i in 1..10000, j in 1..10000 return i + j)",
        "some i in 1..100000000 satisfies i < 0",
        "for i in 1..100000 return append(partial, i)",
        "for i in 1..100000 return xs[item > i]",
        "for i in 1..100000 return sort(xs, function(a, b) a > b)",
        "for i in 1..1000000 return log(i)",
        "for i in 1..100000 return string(xs)",
        "{f: function(n) if n = 0 then 0 else f(n - 1) + f(n - 1), x: f(50)}",
        'for i in 1..100000 return matches(s, "(a|b)*c*d")',
        'for i in 1..100000 return replace(s, "a", "b")',
        "for i in 1..100000 return distinct values(xs)",
        "for i in 1..100000 return from json(json)",
        "for i in 1..100000 return from base64(json)",
        "for i in 1..100000 return i in xs",
        "flatten((for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]])[-1])",
    ],
)
def test_what_takes_too_long_ends_with_a_named_error(text: str) -> None:
    with pytest.raises(ExpressionWork, match="turn_work"):
        feel(text, {"xs": [[each] for each in range(500)], "s": "ab" * 100, "json": dumps([1] * 10_000)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{f: function(n) f(n + 1), x: f(1)}", "calls itself, or others in turn, more than 64 levels deep"),
        ('(for i in 1..40 return if i = 1 then "x" else partial[-1] + partial[-1])[-1]', "a text becomes longer than"),
        ("for i in 1..10000000000000 return i", "counts to more than"),
    ],
)
def test_what_grows_without_end_is_stopped(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        feel(text)


def test_a_value_that_is_too_deep_or_large_does_not_leave() -> None:
    deep = feel("(for i in 1..200 return if i = 1 then 1 else [partial[-1]])[-1]")
    with pytest.raises(ExpressionError, match="json_depth"):
        to_json(deep, LIMITS)
    wide = feel("(for i in 1..30 return if i = 1 then 1 else [partial[-1], partial[-1]])[-1]")
    with pytest.raises(ExpressionError, match="make it smaller"):
        to_json(wide, LIMITS)
    with pytest.raises(ExpressionError, match="a function cannot be a variable"):
        to_json(feel("function(x) x"), LIMITS)


def test_any_text_ends_in_a_value_or_a_refusal() -> None:
    """A part of what ``python3 -m tests.soak.feel_texts`` runs as often as one likes."""
    sentences = Sentences(18)
    assert sum(ends(sentences.text(), as_cell=number % 5 == 0) for number in range(3000)) > 500


def test_calls_inside_of_each_other_are_read_as_deep_as_real_models_have_them() -> None:
    text = "replace(" * 30 + "a" + ', "b", "c")' * 30
    assert feel(text, {"a": "bb"}) == "cc"


def test_the_longest_sum_that_is_read_is_evaluated_too() -> None:
    assert feel("+".join(["a"] * 400), {"a": 1}) == 400
