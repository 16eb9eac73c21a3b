"""What the expressions of models mean, and that no text whatever does harm."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverstone.engine.errors import ExpressionError, ReferenceNotFound
from riverstone.engine.jsontext import check
from riverstone.engine.language.compiler import Compiler
from riverstone.engine.language.context import Context
from riverstone.engine.language.expressions import Language, compile_expression, compile_value
from riverstone.engine.limits import Limits

LIMITS = Limits()
CONTEXT = Context(
    {
        "regionId": "bcc",
        "slaveNum": "6",
        "master-1a": {"instanceType": "m2.large"},
        "slave-": {"instanceType": "m2.small"},
        "Bingo::RS::FRONT::RSBILLING": {"plan": 1},
        "disableApiTermination": "false",
        "x": 1,
        "y": 2,
        "half": 0.5,
        "flag": True,
        "nul": None,
        "name": "bob",
        "empties": {"text": "", "list": [], "object": {}},
        "list": [10, 20, 30],
        "nested": [{"k": "v"}],
        "a/b": 7,
        "evil": "${x}",
        "nrOfInstances": 4,
        "nrOfCompletedInstances": 3,
        "a-b": "one name",
    },
    {"javaAppServer": {"instanceCode": "i-1"}},
)


def evaluate(text: str, language: Language = "juel") -> Any:
    return compile_expression(text, language=language, limits=LIMITS).evaluate(CONTEXT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${regionId}", "bcc"),
        ("#{regionId}", "bcc"),
        ("regionId", "bcc"),
        ("${parameters.master-1a.instanceType}", "m2.large"),
        ("parameters.slave-.instanceType", "m2.small"),
        ("Bingo::RS::FRONT::RSBILLING", {"plan": 1}),
        ("${Bingo::RS::FRONT::RSBILLING.plan}", 1),
        ("${outputs.javaAppServer.instanceCode}", "i-1"),
        ("${a-b}", "one name"),
        ("${nested[0].k}", "v"),
        ('${nested[x - 1]["k"]}', "v"),
        ('${parameters["a/b"]}', 7),
        ("${list[x]}", 20),
    ],
)
def test_a_body_without_operators_is_a_path(text: str, value: Any) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${x>0}", True),
        ("${x==1&&y==2}", True),
        ("${!flag}", False),
        ("${!!flag}", True),
        ("${x == 1 and not y == 1}", True),
        ("x lt 2 or x gt 5", True),
        ("${x ne 1}", False),
        ("${x le 1 && y ge 3}", False),
        ("${x!=1||y!=2}", False),
        ("${true or nope}", True),
        ("${false and nope}", False),
        ("'a' < 'b'", True),
        ("${slaveNum > 5}", True),
        ("${slaveNum == 6}", True),
        ("${disableApiTermination == false}", True),
        ("${x == true}", False),
        ("${name == 1}", False),
        ("${[1] == [true]}", False),
        ("${nested == [{'k': 'v'}]}", True),
        ("${nul == null}", True),
        ("${x in [1, 2]}", True),
        ("'b' in name", True),
        ("'z' not in name", True),
        ("${'plan' in Bingo::RS::FRONT::RSBILLING}", True),
        ("${empty nul && empty empties.text && empty empties.list && empty empties.object}", True),
        ("${empty nope.there}", True),
        ("${empty x}", False),
        ("${exists(nope)}", False),
        ("${exists(nul)}", True),
        ("${nrOfCompletedInstances/nrOfInstances >= 0.6 }", True),
    ],
)
def test_conditions_of_real_models_hold_or_not(text: str, value: bool) -> None:
    assert evaluate(text) is value
    assert compile_expression(text, limits=LIMITS).is_true(CONTEXT) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${1 + 2 * 3}", 7),
        ("${(1 + 2) * 3}", 9),
        ("${x + y}", 3),
        ("${x+y}", 3),
        ("${10 - 2 - 3}", 5),
        ("${x -1}", 0),
        ("${-x}", -1),
        ("${slaveNum + 1}", 7),
        ("${6 / 3}", 2),
        ("${7 / 2}", 3.5),
        ("${7 div 2}", 3.5),
        ("${-7 % 3}", -1),
        ("${7 mod 3}", 1),
        ("${half * 4}", 2.0),
        ("${1e3}", 1000.0),
        ("${flag ? 'yes' : 'no'}", "yes"),
        ("${flag?x:y}", 1),
        ("${x == 2 ? 'a' : x == 1 ? 'b' : 'c'}", "b"),
        ("${flag ? Bingo::RS::FRONT::RSBILLING : x}", {"plan": 1}),
        ("${{a: 1, 'b c': [x, null]}}", {"a": 1, "b c": [1, None]}),
        ("${size(list) + length(name) + count(list)}", 9),
        ("${contains(list, 20) and startsWith(name, 'b') and endsWith(name, 'b')}", True),
        ("${upper(name)}-${lower('X')}", "BOB-x"),
        ("${number('12') + 1}", 13),
        ("${string(12)}", "12"),
        ("${min(3, 1, 2)}", 1),
        ("${max(list)}", 30),
        ("${sum(list)}", 60),
        ("${round(2.567, 1)}", 2.6),
        ("${floor(2.5) + ceil(2.5) + abs(-1)}", 6),
        ("${split('a,b', ',')}", ["a", "b"]),
        ("${join(list, '-')}", "10-20-30"),
        ("${concat('a', 1, true)}", "a1true"),
        ("${concat(list, [1])}", [10, 20, 30, 1]),
        ("${fn:length(name)}", 3),
        ('${name.equals("bob")}', True),
        ("${name.equalsIgnoreCase('BOB')}", True),
        ("${list.size()}", 3),
        ("${list.isEmpty()}", False),
        ("${list.contains(20)}", True),
        ("${nested.get(0).k}", "v"),
        ("${name.toUpperCase().length()}", 3),
        ("${'a\\'b' }", "a'b"),
        ("${'}'}", "}"),
        ('${"\\u00e9"}', "é"),
    ],
)
def test_values_are_calculated(text: str, value: Any) -> None:
    found = evaluate(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("= x = 1", True),
        ("x > 1", False),
        ('if x > 1 then "a" else if y = 2 then "b" else "c"', "b"),
        ("x in [1..5]", True),
        ("x in (1..5]", False),
        ("x in (0..1)", False),
        ("x in (3, 1)", True),
        ("y between 1 and 2 and flag", True),
        ("not(flag)", False),
        ("nope", None),
        ("nope.deeper = null", True),
        ("nope > 1", None),
        ("nope + 1", None),
        ("not(nope)", None),
        ('"a" + name', "abob"),
        ("concatenate([x], list)", [1, 10, 20, 30]),
        ("list[1]", 10),
        ("list[-1]", 30),
        ("list[4]", None),
        ("{a: 1, b: {c: x}}.b.c", 1),
        ('starts with(name, "b")', True),
        ("string length(name)", 3),
        ('slaveNum = 6 or slaveNum = "6"', True),
        ("is defined(nope)", False),
        ("is empty(empties.list)", True),
        ("not(is empty(list))", True),
        ('is blank("  ")', True),
        ('get or else(nope, "none")', "none"),
        ('get value({a: 1}, "a")', 1),
        ('substring("foobar", 3)', "obar"),
        ('substring("foobar", -2, 1)', "a"),
        ('substring before("a=b", "=")', "a"),
        ('substring after("a=b", "=")', "b"),
        ("modulo(-7, 3)", 2),
        ("odd(x) and even(y)", True),
        ("product(list)", 6000),
        ("mean(10, 20)", 15),
        ("median([3, 1, 2])", 2),
        ("append(list, x)", [10, 20, 30, 1]),
        ("distinct values([1, 2, 1])", [1, 2]),
        ("flatten([1, [2, [3]]])", [1, 2, 3]),
        ("reverse(list)", [30, 20, 10]),
        ("index of(list, 20)", [2]),
        ("sublist(list, 2, 1)", [20]),
        ("all([true, flag])", True),
        ("list[item > 10]", [20, 30]),
        ("list[item > 10][1]", 20),
        ("count(list[item > 99])", 0),
        ('nested[k = "v"]', [{"k": "v"}]),
        ("any(false, flag)", True),
        ('date(date and time("2031-01-31T12:00:00"))', "2031-01-31"),
        ('date and time("2031-01-31T12:00:00+02:00")', "2031-01-31T12:00:00+02:00"),
    ],
)
def test_feel_is_read_as_feel(text: str, value: Any) -> None:
    found = evaluate(text, "feel")

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("= nope > 1", "nope is null"),
        ("= not(nope >= 18 and true)", "nope is null"),
        ("${nothing}", "nothing is null"),
        ("${nothing || null ? null : null}", "nothing is null"),
    ],
)
def test_a_condition_that_is_null_takes_no_way(text: str, why: str) -> None:
    """DMN 1.5, 10.3.2.9: null is neither true nor false; Camunda 7 refuses a condition that returns null too."""
    condition = compile_expression(text, limits=LIMITS)

    with pytest.raises(ExpressionError, match=why):
        condition.is_true(Context({"nothing": None}))


def test_what_was_deployed_before_keeps_its_meaning() -> None:
    condition = Compiler(LIMITS, null_is_false=True).expression("= nope > 1")

    assert condition.is_true(CONTEXT) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "${}",
        "=",
        "${x",
        "${x > }",
        "${x y}",
        "${(x}",
        "${x)}",
        "${x = 1}",
        "${'x}",
        "${x ; y}",
        "${foo(x)}",
        "${x.foo()}",
        "${size()}",
        "${size(x, y)}",
        "${'\\q'}",
        "${'\\ud800'}",
        "${'\\u0000'}",
        "${1..2}",
        "${x in [1..}",
        "${1 / 0}",
        "${1 % 0}",
        "${1e999}",
        "${1e308 * 10}",
        "${" + "9" * 101 + "}",
        "__import__('os').system('true')",
        "${''.__class__.__mro__}",
    ],
)
def test_what_means_nothing_is_refused_when_it_is_compiled(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, limits=LIMITS)

    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("${name > 1}", "a text and a number"),
        ("${nul < 1}", "null"),
        ("${flag > false}", "no order"),
        ("${name + 1}", r"concat"),
        ("${x / (y - 2)}", "divides by zero"),
        ("${list[name]}", "finds nothing"),
        ("${x in y}", "cannot be in"),
        ("${!name}", "neither true nor false"),
        ("${sum(nested)}", "not a number"),
        ("${vol-${nul}}", "cannot be read"),
        ("vol-${nul}", "is null"),
        ("${join(list, regionId)}${nul}", "is null"),
    ],
)
def test_what_cannot_be_evaluated_says_why(text: str, told: str) -> None:
    with pytest.raises(ExpressionError, match=told):
        evaluate(text)


def test_a_reference_that_finds_nothing_names_its_path_and_never_becomes_text() -> None:
    for text in ("${outputs.server.id}", "vol-${outputs.server.id}", "${outputs.server.id == 'x'}"):
        with pytest.raises(ReferenceNotFound) as caught:
            evaluate(text)
        assert caught.value.path == "outputs.server.id"


def test_a_difference_without_spaces_is_told_how_to_write_it() -> None:
    with pytest.raises(ReferenceNotFound, match="spaces around the minus"):
        evaluate("${nrOfInstances-1}")


@pytest.mark.parametrize("text", ["${abs(far)}", "${min(far)}", "${max(far)}", "${-far}"])
def test_a_text_that_says_more_than_a_double_holds_is_no_number_of_json(text: str) -> None:
    """It became infinite, which no store takes: the task that needed it could neither begin nor fail."""
    with pytest.raises(ExpressionError, match="the number is too large"):
        compile_expression(text, limits=LIMITS).evaluate(Context({"far": "-1e400"}))


def test_numbers_that_outgrow_the_limit_are_stopped() -> None:
    product = " * ".join(["99999999999999999999"] * 6)

    with pytest.raises(ExpressionError, match="more than 100 digits"):
        evaluate(product)


def test_a_value_alone_keeps_its_type_and_becomes_text_inside_of_text() -> None:
    template = {
        "number": "${x}",
        "text": "vol-${regionId}-${x}-${flag}",
        "json": "now: ${list}",
        "deep": [{"object": "#{Bingo::RS::FRONT::RSBILLING}", "plain": 1.5}],
        "${x}": "keys are kept",
        "escaped": "\\${x} costs $5 {",
    }

    value = compile_value(template, limits=LIMITS)

    assert value.evaluate(CONTEXT) == {
        "number": 1,
        "text": "vol-bcc-1-true",
        "json": "now: [10,20,30]",
        "deep": [{"object": {"plan": 1}, "plain": 1.5}],
        "${x}": "keys are kept",
        "escaped": "${x} costs $5 {",
    }
    assert not value.constant


def test_what_was_put_in_is_never_read_again() -> None:
    assert compile_value("${evil}", limits=LIMITS).evaluate(CONTEXT) == "${x}"
    assert compile_value("<${evil}>", limits=LIMITS).evaluate(CONTEXT) == "<${x}>"


def test_only_in_feel_does_a_text_begin_an_expression_with_an_equals_sign() -> None:
    assert compile_value(["=x + 1", "x"], language="feel", limits=LIMITS).evaluate(CONTEXT) == [2, "x"]
    assert compile_value("=x + 1", limits=LIMITS).evaluate(CONTEXT) == "=x + 1"


def test_static_references_are_known_before_anything_runs() -> None:
    value = compile_value(["${outputs.a.id}", "x-${b[0]['c.d'].e}-${b[k]}", "${empty q || exists(r.s)}"], limits=LIMITS)

    assert value.references == (("outputs", "a", "id"), ("b", "0", "c.d", "e"), ("b",), ("k",))
    assert compile_value({"a": ["b", 1]}, limits=LIMITS).constant
    assert compile_expression("${1 + 1}", limits=LIMITS).constant
    assert not compile_expression("${exists(x)}", limits=LIMITS).constant


def test_a_result_cannot_grow_beyond_the_limit() -> None:
    context = Context({"big": "x" * 600_000, "list": [["y" * 1000] * 600]})

    for text in ("${big}${big}", "${concat(big, big)}", "${[list, list]}", "${{a: list, b: list}}", "=big + big"):
        with pytest.raises(ExpressionError, match="smaller"):
            compile_expression(text, limits=LIMITS).evaluate(context)
    with pytest.raises(ExpressionError, match="smaller"):
        compile_value({"a": "${big}", "b": ["${big}"]}, limits=LIMITS).evaluate(context)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000,
        "[" * 200_000,
        "!" * 390 + "x",
        "- " * 190 + "x",
        "not " * 390 + "x",
        "x" * 5000,
        "${" * 100_000,
        "${x}" * 20_000,
        "${'" * 50_000,
        "x[" * 190,
        "x[x]" * 100,
        "{a:" * 100,
        "x ? " * 190,
        "if x then " * 100,
        "x.size()" + ".size()" * 90,
        "x in [" * 90,
        "9" * 4000,
        "1e" * 2000,
        '"\\' * 2000,
        ".".join("x" * 2000),
    ],
)
def test_a_hostile_text_is_refused_at_once(text: str) -> None:
    begun = time.thread_time()

    for language in ("juel", "feel"):
        for compiled in (compile_expression, compile_value):
            with contextlib.suppress(ExpressionError):
                compiled(text, language=language, limits=LIMITS).evaluate(CONTEXT)

    assert time.thread_time() - begun < 2


def test_a_long_chain_of_operators_is_no_deep_nesting() -> None:
    generous = Limits(expression_length=100_000, expression_tokens=100_000)

    assert compile_expression("x + " * 5_000 + "x", limits=generous).evaluate(CONTEXT) == 5_001
    assert compile_expression("flag and " * 5_000 + "flag", limits=generous).evaluate(CONTEXT) is True


def test_the_deepest_nesting_that_is_allowed_leaves_room_on_the_stack() -> None:
    level = "flag and x == 1 + 2 * ("
    deep = level * 8 + "-x" + ")" * 8
    nested = "(" * 31 + "x" + ")" * 31

    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 350)
    try:
        with pytest.raises(ExpressionError, match="a boolean cannot be calculated with"):
            evaluate(deep)
        assert evaluate(nested) == 1
    finally:
        sys.setrecursionlimit(before)


WORDS = (
    "x y list name nul flag nope.z slave- 1 2.5 1e308 0 'a' \"b\" + - * / % ( ) [ ] { } , . .. ? : == != < <= > >= = ! "
    "&& || and or not in empty mod if then else between size( sum( split( join( concat( round( exists( .size() .get( "
    "${ } #{ \" ' \\ \x00 \ud800 é ^ ; @ $ fn: ::"
).split(" ")
TEXTS = st.text(max_size=40) | st.lists(st.sampled_from([*WORDS, " ", " "]), max_size=25).map("".join)


@given(TEXTS, st.sampled_from(["juel", "feel"]))
@settings(max_examples=2_000, deadline=1_000)
def test_any_text_compiles_or_is_an_expression_error_and_yields_json(text: str, language: Language) -> None:
    for compiled in (compile_expression, compile_value):
        try:
            found = compiled(text, language=language, limits=LIMITS).evaluate(CONTEXT)
        except ExpressionError:
            continue
        # Text without an expression is the model's own, and checked with the model.
        if found != text:
            check(found, limits=LIMITS, name="value")


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 50), st.sampled_from(["<", "<=", "==", "!=", ">="]))
def test_arithmetic_agrees_with_python(a: int, b: int, c: int, sign: str) -> None:
    context = Context({"a": a, "b": b, "c": c})
    text = f"a + b * c - (a - b) / c {sign} c"

    found = compile_expression(text, limits=LIMITS).evaluate(context)

    assert found is eval(text, {"a": a, "b": b, "c": c})  # noqa: S307  (our own text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("${5-2}", 3), ("${10.5-2-3}", 5.5), ("5-2 == 3", True), ("True", True), ("not False", True), ("${None}", None)],
)
def test_numbers_around_a_minus_and_constants_with_capitals_mean_what_other_engines_mean(text: str, value: Any) -> None:
    assert compile_expression(text, limits=LIMITS).evaluate(Context({})) == value
