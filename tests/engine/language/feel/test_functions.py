"""Functions of strings, lists, contexts and ranges (DMN 1.5, tables 73 to 83), and those of Camunda 8."""

from __future__ import annotations

import inspect
import re

import pytest

from riverstone.engine.errors import ExpressionError
from riverstone.engine.language.feel.builtins.table import FUNCTIONS

from .examples import check, feel, lines, reason


@pytest.mark.parametrize(
    "line",
    lines(
        r"""
        substring("foobar", 3) -> "obar"
        substring("foobar", -2, 1) -> "a"
        substring("\U01F40Eab", 2) -> "ab"
        string length("\U01F40E") -> 1
        upper case("aBc4") -> "ABC4"
        substring before("foobar", "bar") -> "foo"
        substring before("foobar", "xyz") -> ""
        substring after("foobar", "ob") -> "ar"
        contains("foobar", "of") -> false
        starts with("foobar", "fo") -> true
        ends with("foobar", "r") -> true
        matches("foobar", "^fo*b") -> true
        matches("abc", "ABC", "i") -> true
        matches("hello world", "hello\ sworld", "x") -> true
        replace("abcd", "(ab)|(a)", "[1=$1][2=$2]") -> "[1=ab][2=]cd"
        replace("a.b", ".", "-", "q") -> "a-b"
        split("a; b;;c", ";\s*") -> ["a", "b", "", "c"]
        extract("references are 1234, 1256", "12[0-9]*") -> ["1234", "1256"]
        string join(["a", null, "c"], "_and_") -> "a_and_c"
        string join(["a"], ", ", "[", "]") -> "[a]"
        trim("  a ") -> "a"
        is blank(" ") -> true
        to base64("FEEL") -> "RkVFTA=="
        string([1, "a", null, {x y: true}]) -> "[1, \"a\", null, {x y: true}]"
        list contains([1, null], null) -> true
        count([1, 2]) -> 2
        min(3, 1, 2) -> 1
        max(["b", "a"]) -> "b"
        sum([0.1, 0.2]) = 0.3 -> true
        mean(1, 2, 3) -> 2
        median([6, 1, 2, 3]) -> 2.5
        stddev([2, 4, 7, 5]) -> 2.081665999466132735282297706979931
        mode([6, 3, 9, 6, 6, 3, 3]) -> [3, 6]
        product([2, 3, 4]) -> 24
        all([true, null]) -> null
        any([false, null, true]) -> true
        all() -> null
        sublist([4, 5, 6], -2, 1) -> [5]
        append([1], 2, 3) -> [1, 2, 3]
        concatenate([1, 2], [3]) -> [1, 2, 3]
        insert before([1, 3], 1, 2) -> [2, 1, 3]
        remove([1, 2, 3], -1) -> [1, 2]
        reverse([1, 2]) -> [2, 1]
        index of([1, 2, 2], 2) -> [2, 3]
        union([1, 2], [2, 3]) -> [1, 2, 3]
        distinct values([1, 1.0, true, "a", "a", [1], [1], null]) -> [1, true, "a", [1], null]
        duplicate values([1, 2, 1, 2]) -> [1, 2]
        flatten([[1, 2], [[3]], 4]) -> [1, 2, 3, 4]
        list replace([2, 4, 7, 8], 3, 6) -> [2, 4, 6, 8]
        list replace([2, 4, 7, 8], function(item, new) item < new, 5) -> [5, 5, 7, 8]
        partition([1, 2, 3], 2) -> [[1, 2], [3]]
        is empty([]) -> true
        sort(["b", "a"]) -> ["a", "b"]
        get value({a: {b: 1}}, ["a", "b"]) -> 1
        get entries({a: 1}) -> [{key: "a", value: 1}]
        context([{key: "a", value: 1}]) -> {a: 1}
        context put({a: 1}, "b", 2) -> {a: 1, b: 2}
        context put({x: 1}, ["y", "z"], 2) -> {x: 1, y: {z: 2}}
        context merge([{a: 1}, {a: 2, b: 3}]) -> {a: 2, b: 3}
        get or else(null, 1) -> 1
        assert(5, true) -> 5
        fromAi(3, "the amount", "number") -> 3
        string length(uuid()) -> 36
        random number() < 1 -> true
        before(1, [2..3]) -> true
        after([5..10], [1..5)) -> true
        meets([1..5], [5..10]) -> true
        met by([5..10], [1..5]) -> true
        overlaps([1..5], [3..8]) -> true
        overlaps before([1..5], (3..8]) -> true
        overlaps after([3..8], [1..5]) -> true
        finishes(10, [1..10]) -> true
        finished by([1..10], [5..10]) -> true
        includes([1..10], [1..10)) -> true
        during(5, [1..10]) -> true
        starts([1..5], [1..10]) -> true
        started by([1..10], 1) -> true
        coincides([1..5], [1..5]) -> true
        range("[1..3]") = [1..3] -> true
        before(point1: 1, point2: 10) -> true
        before(point: 4, range: [2..3]) -> false
        before(range: [2..3], point: 4) -> true
        after(range1: [3..4], range2: [1..2]) -> true
        finishes(range1: [5..10], range2: [1..10]) -> true
        finished by(range: [1..10], point: 10) -> true
        starts(range1: [1..5], range2: [1..10]) -> true
        started by(range2: [1..5], range1: [1..10]) -> true
        includes(range1: [1..10], range2: [4..6]) -> true
        during(range1: [4..6], range2: [1..10]) -> true
        coincides(point1: 1, point2: 1) -> true
        count(list: [1]) -> 1
        count(1) -> 1
        upper case(["a"]) -> "A"
        """
    ),
)
def test_functions(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("substring(null, 1)", "string is null"),
        ('substring("a", 0)', "start position 0"),
        ('matches("a", "(?=a)")', "of which only '(?:' is supported"),
        ('matches("a", "a", "p")', "flag 'p'"),
        ('replace("a", "x*", "-")', "fits where nothing is"),
        ('replace("a", "a", "$")', "without the number of a group"),
        ("sum([])", "the list is empty"),
        ('sum([1, "2"])', "a string is in the list"),
        ('max(1, "a")', "have no order"),
        ("context([{key: 1, value: 2}])", "no key that is a string"),
        ("partition([1], 0)", "below 1"),
        ("string join([1])", "no string"),
        ("sort([1, 2], function(a) a)", "does not take two items"),
        ("get value({a: 1}, [{}])", "where strings are expected"),
        ('range("[1..1e99999]")', "the number is too large"),
    ],
)
def test_a_function_says_what_it_could_not_use(text: str, why: str) -> None:
    assert why in reason(text)


def test_assert_fails_with_its_cause() -> None:
    with pytest.raises(ExpressionError, match="the order is empty"):
        feel('assert(1, false, "the order is empty")')


def test_each_function_takes_what_its_signature_says() -> None:
    for name, function in FUNCTIONS.items():
        for signature in function.signatures:
            assert re.match(rf"{re.escape(name)}\(.*\)$", signature.text)
            names = list(inspect.signature(signature.run).parameters.values())
            variadic = any(each.kind is each.VAR_POSITIONAL for each in names)
            most = len(names) if not variadic else 99
            assert len(signature.parameters) <= most, signature.text
