"""Operators, conditions, loops, filters, functions and types (DMN 1.5, 10.3.2)."""

from __future__ import annotations

from typing import Any

import pytest

from .examples import check, lines, reason

VARIABLES: dict[str, Any] = {
    "people": [{"name": "Ann", "age": 30}, {"name": "Bob", "age": 17}, {"name": "Cy"}],
    "orders": [{"price": 3, "item": "x"}, {"price": 4, "item": "y"}],
    "xs": [3, 1, 2],
    "yes": True,
    "nothing": None,
}


@pytest.mark.parametrize(
    "line",
    lines(
        """
        true and null -> null
        false and null -> false
        true or null -> true
        false or 1 -> null
        not(null) -> null
        1 = 1.0 -> true
        1 = "1" -> null
        null = null -> true
        1 != null -> true
        [1, 2] = [1, 2] -> true
        {a: 1, b: 2} = {b: 2, a: 1} -> true
        "b" > "a" -> true
        1 < "2" -> null
        5 between 1 and 5 -> true
        5 in [1..5] -> true
        5 in [1..5) -> false
        5 in ]1..5[ -> false
        5 in (1, > 4) -> true
        5 in != 5 -> false
        5 in [[1..3], [5..6]] -> true
        null in [1..3] -> null
        [1..3] = [1..3] -> true
        [5..1] -> null
        (< 10) = (< 10) -> true
        [1..10[.start included -> true
        if yes then 1 else 2 -> 1
        if nothing then 1 else 2 -> 2
        if false then 1 else if false then 2 else 3 -> 3
        1 + if yes then 1 else 2 -> 2
        for i in 1..3 return i * i -> [1, 4, 9]
        for i in 3..1 return i -> [3, 2, 1]
        for i in [1, 2], j in [i..3] return i * j -> [1, 2, 3, 4, 6]
        for i in 0..4 return if i = 0 then 1 else i * partial[-1] -> [1, 1, 2, 6, 24]
        for d in @"2024-02-28"..@"2024-03-01" return d.day -> [28, 29, 1]
        for p in people return p.name -> ["Ann", "Bob", "Cy"]
        for x in null return x -> null
        some p in people satisfies p.age > 20 -> true
        every p in people satisfies p.name != "" -> true
        every i in [] satisfies false -> true
        people.name -> ["Ann", "Bob", "Cy"]
        sum(orders.price) -> 7
        people[age > 20].name -> ["Ann"]
        people[item.age < 20].name -> ["Bob"]
        orders[item = "y"].price -> [4]
        people[2].name -> "Bob"
        people[-1].name -> "Cy"
        people[9] -> null
        xs[item > 1] -> [3, 2]
        xs[true] -> [3, 1, 2]
        xs[count(xs)] -> 2
        5[1] -> 5
        5[item > 9] -> []
        null[1] -> null
        {x: 1, y: x + 1}.y -> 2
        {f: function(n) if n < 2 then 1 else n * f(n - 1), v: f(10)}.v -> 3628800
        (function(a, b) a - b)(5, 2) -> 3
        (function(a, b) a - b)(b: 5, a: 2) -> -3
        (function(a: number) a)("x") -> null
        sort(xs, function(a, b) a > b) -> [3, 2, 1]
        {a: 1, a: 2} -> null
        1 instance of number -> true
        -1 instance of number -> true
        - 1 instance of number -> true
        -(1) instance of number -> null
        -2 ** 2 -> 4
        5 - -3 -> 8
        null instance of Any -> false
        null instance of Null -> true
        [1, "a"] instance of list<number> -> false
        {a: 1, b: 2} instance of context<a: number> -> true
        [1..3] instance of range<number> -> true
        (function(a: number) a) instance of function<number> -> Any -> true
        @"P1D" instance of days and time duration -> true
        "\\u0041\\t\\"\\\\d" -> "A\\t\\"\\\\d"
        'single' -> "single"
        "\\uD83D\\uDE00" = "😀" -> true
        1 /* one */ + 2 // three -> 3
        1 == 1 && true -> true
        """
    ),
)
def test_expressions(line: str) -> None:
    check(line, VARIABLES)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing.name", "null has no member 'name'"),
        ("people[9]", "not in a list of 3"),
        ('xs["a"]', "takes a position or a condition"),
        ("nothing()", "is null and no function"),
        ("foo(1)", "foo is null and no function"),
        ("(function(a) a)(1, 2)", "takes 1 arguments and is given 2"),
        ("abs()", "abs(n: number"),
        ("substring(text: 1)", "no parameters"),
        ("1 < true", "has no order"),
        ("-[1]", "no opposite"),
        ("some x in [1] satisfies x", "the condition of a quantifier is a number"),
    ],
)
def test_null_says_why(text: str, why: str) -> None:
    assert why in reason(text, VARIABLES)
