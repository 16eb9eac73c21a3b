"""Names hold spaces and signs, and the longest that exists is meant (DMN 1.5, 10.3.1.2)."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine.errors import ExpressionError
from riverstone.engine.language.context import Context
from riverstone.engine.language.feel.expressions import compile_feel
from riverstone.engine.language.feel.reading.names import names_of

from .examples import LIMITS, check, feel, lines, reason, written

VARIABLES: dict[str, Any] = {
    "amount": 10,
    "discount": 3,
    "total price": 4,
    "order": {"unit-price": 5, "unit": 1, "lines": [{"first-name": "a", "n": 1}, {"first-name": "b", "n": 2}]},
    "count": 9,
    "a": 1,
    "a-b": 20,
    "b-c": 300,
    "c": 5,
    "Bingo::RS": 7,
}


@pytest.mark.parametrize(
    "line",
    lines(
        """
        amount-discount -> 7
        amount-discount > 0 -> true
        amount - discount -> 7
        total price+1 -> 5
        total   price -> 4
        order.unit-price + 1 -> 6
        order.unit-unit -> null
        order.lines[first-name = "b"].n -> [2]
        order.lines[1].first-name -> "a"
        for line in order.lines return line.first-name -> ["a", "b"]
        a-b -> 20
        a-b-c -> 15
        a-1 -> 0
        `total price` -> 4
        count + count([1, 2]) -> 11
        Bingo::RS -> 7
        {first name: 1, x: first name + 1}.x -> 2
        {a+b: 1, c: a+b}.c -> 1
        {"a b": 1}.a b -> 1
        {"odd[": 1} -> {"odd[": 1}
        """
    ),
)
def test_the_longest_name_that_is_there_is_meant(line: str) -> None:
    check(line, VARIABLES)


def test_the_same_expression_goes_by_the_names_of_each_evaluation() -> None:
    compiled = compile_feel("a-b", limits=LIMITS)
    assert compiled.evaluate(Context({"a": 5, "b": 3})) == 2
    assert compiled.evaluate(Context({"a": 5, "b": 3, "a-b": 9})) == 9
    assert compiled.evaluate(Context({"a": 5, "b": 4})) == 1
    assert [spot.name for spot in compiled.spots] == ["a-b"]


def test_a_name_that_alone_makes_sense_is_meant_though_it_is_not_there() -> None:
    """``a - if`` is no expression, so ``a-if`` can only be a variable (DMN 1.5, 10.3.1.2)."""
    compiled = compile_feel("a-if", limits=LIMITS)
    assert compiled.evaluate(Context({"a-if": 3})) == 3
    assert compiled.evaluate(Context({"a": 3})) is None
    assert "there is no variable 'a-if'" in reason("a-if", {"a": 3})


def test_declared_names_hold_words_of_the_language() -> None:
    scope = names_of(["profit and loss", "date of birth", "Bob's age", "a-b", "a", "b"])
    compiled = compile_feel(
        "profit and loss > 1 and Bob's age = 3 and a-b = 7 and a - b = 1", limits=LIMITS, scope=scope
    )
    values = {"profit and loss": 2, "Bob's age": 3, "a-b": 7, "a": 3, "b": 2}
    assert compiled.evaluate(({**values}, Context())) is True
    assert compiled.spots == ()


def test_a_name_that_nobody_declared_is_certain_to_be_null() -> None:
    compiled = compile_feel("a + x", limits=LIMITS, scope=names_of(["a"]))
    assert compiled.certain == (("there is no name 'x' here", 4),)


def test_a_missing_variable_is_null_and_says_so() -> None:
    assert "there is no variable 'x'" in reason("x")
    assert "has no entry 'z'" in reason("order.z", VARIABLES)
    assert "write date(x).year" in reason("s.year", {"s": "2024-01-01"})
    assert written("is defined(x)") == "false"
    assert written("is defined(order.unit) and not(is defined(order.z))", VARIABLES) == "true"
    assert written("is defined(n)", {"n": None}) == "true"
    assert written("is defined({a: null}.a) and is defined(null) and not(is defined({a: 1}.b))") == "true"
    assert written("is defined([{a: 1}].b) or is defined(1 / 0)") == "false"


def test_many_names_with_signs_cost_no_more_than_their_number() -> None:
    text = "+".join(["a-c"] * 100)
    assert feel(text, VARIABLES) == 100 * (1 - 5)


@pytest.mark.parametrize("text", ["a-1b", "x.1b", "and", "a b then"])
def test_what_no_name_could_be_is_refused(text: str) -> None:
    if text == "a-1b":
        assert feel(text, {"a-1b": 3}) == 3
        return
    with pytest.raises(ExpressionError):
        compile_feel(text, limits=LIMITS)
