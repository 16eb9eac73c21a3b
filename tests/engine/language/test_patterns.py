"""Patterns mean what they mean in Python, but take no time that explodes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverstone.engine.errors import Invalid
from riverstone.engine.language import effort
from riverstone.engine.language.patterns import Pattern
from riverstone.engine.limits import Limits

PIECES = "a b c - . [ab] [^a] [a-c\\d] [a-] \\d \\w \\W \\s \\. ( (?: ) | * + ? *? {2} {1,2} {0,} {,2} { } 1 { ".split(
    " "
)


@given(
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join),
    st.lists(st.text("abc-1. {}", max_size=6), min_size=1, max_size=5),
)
@settings(max_examples=1_500, deadline=None)
def test_a_pattern_agrees_with_python(source: str, values: list[str]) -> None:
    try:
        pattern = Pattern(source)
    except Invalid:
        return
    known = re.compile(source)

    for value in values:
        assert pattern.matches(value) is bool(known.fullmatch(value)), value


@pytest.mark.parametrize(
    ("source", "fitting", "wrong"),
    [
        (r"^[a-zA-Z][a-zA-Z0-9-]*$", ["a", "Web-1"], ["", "1a", "a_b"]),
        (r"([0-9]{1,3}\.){3}[0-9]{1,3}", ["192.168.0.1"], ["192.168.0", "1.2.3.4.5"]),
        (r"[^@\s]+@[^@\s]+\.[a-z]{2,}", ["a@b.cn"], ["a@b", "a b@c.de"]),
        (r"ami-[0-9A-F]{8}|vpc-\w+", ["ami-2F051345", "vpc-509A87BA"], ["ami-2F05134", "vpc-"]),
        ("[\u4e00-\u9fff]+", ["名称"], ["name"]),
        ("", [""], ["a"]),
        (r"[]x]+", ["]x]"], ["["]),
    ],
)
def test_patterns_of_real_templates(source: str, fitting: list[str], wrong: list[str]) -> None:
    pattern = Pattern(source)

    assert [value for value in fitting if not pattern.matches(value)] == []
    assert [value for value in wrong if pattern.matches(value)] == []


@pytest.mark.parametrize(
    "source",
    ["(a", "a)", "[a", "*a", "a**", "a{2,1}", "[b-a]", "\\", "(?=a)", "(?i)a", "(a)\\1", "\\b", "(" * 50 + ")" * 50,
     "a{9999}", "((a{50}){50}){50}", "a" * 501],
)  # fmt: skip
def test_what_cannot_be_matched_safely_is_refused(source: str) -> None:
    with pytest.raises(Invalid) as caught:
        Pattern(source)

    assert caught.value.code == "pattern"


@pytest.mark.parametrize(
    "source", ["(a+)+", "(a|a)*", "(a|aa)+", "a*a*a*a*a*a*a*", "(a{1,30}){1,30}", "(.*)*(.*)*(.*)*"]
)
def test_a_pattern_that_makes_others_backtrack_for_ever_answers_at_once(source: str) -> None:
    # Some 2,000 steps of the longest pattern at 3,000 places.
    work = 4 * 2_000 * 3_000
    effort.begin(Limits(turn_work=work, step_work=work))
    try:
        assert not Pattern(source + "c").matches("a" * 3_000 + "b")
    finally:
        effort.end()
