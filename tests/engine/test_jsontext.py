"""What the door lets in, and that it comes out the same."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverstone.engine.errors import Invalid, Malformed
from riverstone.engine.jsontext import check, dumps, loads, weigh
from riverstone.engine.limits import Limits

LIMITS = Limits()
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**50), 10**50) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    check(value, limits=LIMITS, name="value")
    text = dumps(value)

    again = loads(text.encode(), limits=LIMITS)

    assert again == value
    assert dumps(again) == text


def test_the_variables_of_the_documented_example_keep_their_order_and_their_signs() -> None:
    text = '{"slaveNum":"6","Bingo::RS::FRONT::RSBILLING":{},"slave-":{"instanceType":"m2.large"},"名":"é/\\""}'

    assert dumps(loads(text, limits=LIMITS)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nul",
        "[1,]",
        "{'a':1}",
        '"a\nb"',
        "1 2",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "01",
        '{"a":1,"a":2}',
        b'"\xff"',
        '"\\',
        '{"a":1} {',
    ],
)
def test_what_is_not_json_is_malformed(text: str | bytes) -> None:
    with pytest.raises(Malformed):
        loads(text, limits=LIMITS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a":1,}', "line 1 column 7: illegal trailing comma before end of object"),
        ('{"a":[1,\n ]}', "line 1 column 8: illegal trailing comma before end of array"),
        ("[1,}", "line 1 column 3: illegal trailing comma before end of object"),
        ("[1,,2]", "line 1 column 4: expecting value"),
        ('{"a":1,,}', "line 1 column 8: expecting property name enclosed in double quotes"),
        ("[,]", "line 1 column 2: expecting value"),
        ('[",]', "line 1 column 2: unterminated string starting at"),
    ],
)
def test_a_comma_before_a_bracket_is_told_alike_on_every_python(text: str, told: str) -> None:
    """CPython has had words for it since 3.13, and has pointed behind it before."""
    with pytest.raises(Malformed, match=f"^The body is not JSON at {told}[.]$"):
        loads(text, limits=LIMITS)


@pytest.mark.parametrize("text", ['"\\u0000"', '{"\\ud800":1}', '["\\udc00x"]', '"\ud800"', '[["a", "\\ud83dx"]]'])
def test_text_that_no_database_holds_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        loads(text, limits=LIMITS)

    assert caught.value.code == "text-not-storable"


def test_a_surrogate_pair_in_escapes_is_one_character() -> None:
    assert loads('"\\ud83d\\ude00"', limits=LIMITS) == "😀"


@pytest.mark.parametrize("sign", ["[", '{"a":'])
def test_a_hundred_thousand_levels_are_refused_before_they_are_parsed(sign: str) -> None:
    with pytest.raises(Malformed, match="deeper than 64"):
        loads(sign * 100_000, limits=LIMITS)


def test_brackets_inside_of_strings_are_not_nesting() -> None:
    text = dumps(["[{" * 500 + '\\"[' + '"' * 3, {"[" * 80: "]"}])

    assert dumps(loads(text, limits=LIMITS)) == text


@pytest.mark.parametrize("depth", [63, 64, 65, 66])
def test_reading_and_checking_agree_on_how_deep_is_too_deep(depth: int) -> None:
    for core in ("", "1"):
        text = "[" * depth + core + "]" * depth
        value = json.loads(text)
        if depth <= LIMITS.json_depth:
            check(loads(text, limits=LIMITS), limits=LIMITS, name="value")
        else:
            with pytest.raises(Malformed):
                loads(text, limits=LIMITS)
            with pytest.raises(Invalid, match="deeper"):
                check(value, limits=LIMITS, name="value")


def test_an_integer_is_refused_by_its_digits_and_a_number_beyond_a_double_too() -> None:
    assert loads("-" + "9" * 100, limits=LIMITS) == -(10**100) + 1
    for text in ("9" * 101, "-" + "9" * 101, "9" * 10_000, "1e999", "[-1e400]"):
        with pytest.raises(Invalid):
            loads(text, limits=LIMITS)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": {"b": [1, (2,)]}}, "outputs.a.b.1"),
        ({"a": {1: 2}}, "outputs.a"),
        ([math.nan], "outputs.0"),
        ([math.inf], "outputs.0"),
        ({"x": {1, 2}}, "outputs.x"),
        ({"x": b""}, "outputs.x"),
        ({"x": "a\x00"}, "outputs.x"),
        ({"x\ud800": 1}, "outputs"),
        ({"x": 10**100}, "outputs.x"),
        (object(), "outputs"),
    ],
)
def test_a_python_value_that_is_no_json_is_named_by_its_path(value: object, path: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(value, limits=LIMITS, name="outputs")

    assert list(caught.value.errors) == [path]


def test_a_list_that_holds_itself_is_refused_rather_than_followed() -> None:
    circle: list[Any] = []
    circle.append(circle)
    doubling: list[Any] = []
    for _ in range(60):
        doubling = [doubling, doubling]

    for value in (circle, doubling):
        with pytest.raises(Invalid):
            check(value, limits=LIMITS, name="value")
    assert weigh(doubling, 1000) > 1000


@given(st.text(st.sampled_from('[]{}",:\\u0dc8e19 -+tfn.'), max_size=60))
@settings(max_examples=300)
def test_any_text_is_read_or_refused_with_one_of_our_errors(text: str) -> None:
    try:
        value = loads(text, limits=LIMITS)
    except (Malformed, Invalid):
        return
    check(value, limits=LIMITS, name="value")
    assert json.loads(text) == value
