"""Patterns of XPath, found in a time that the lengths of pattern and text bound (XPath functions 3.1, 5.6.1)."""

from __future__ import annotations

import random
import re

import pytest

from riverstone.engine.errors import ExpressionError, Invalid
from riverstone.engine.language.regex.machine import Regex


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "span"),
    [
        ("bra", "", "abracadabra", (1, 4)),
        ("^$", "m", "\nabcd\n", (0, 0)),
        ("Mary.Jones", "", "Mary\rJones", None),
        ("a.b", "s", "a\nb", (0, 3)),
        ("k", "i", "\u212a", (0, 1)),
        ("[A-Z-[OI]]", "i", "o", None),
        ("[A-Z-[OI]]", "i", "x", (0, 1)),
        ("[^Q]", "i", "q", None),
        (r"\p{ IsBasicLatin }+", "x", "ab", (0, 2)),
        (r"\p{Lu}\P{L}", "", "aB1", (1, 3)),
        (r"(a)\1", "i", "aA", (0, 2)),
        (r"\i\c*", "", "1x-2", (1, 4)),
        ("a{2,3}?", "", "aaaa", (0, 2)),
        ("(a|ab)(c|bcd)", "", "abcd", (0, 4)),
        ("a.c", "q", "abc a.c", (4, 7)),
    ],
)
def test_patterns(pattern: str, flags: str, text: str, span: tuple[int, int] | None) -> None:
    found = Regex(pattern, flags).find(text)
    assert (None if found is None else (found[0], found[1])) == span


@pytest.mark.parametrize(
    "pattern", ["(", ")", "[a", "a**", "*", "a{2", "(?=a)", r"\q", r"(.)\3", "[z-a]", r"\p{Xx}", "]", "a" * 600]
)
def test_a_wrong_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        Regex(pattern)


def test_no_pattern_takes_more_than_its_length_times_that_of_the_text() -> None:
    assert Regex("(a*)*c").find("a" * 5000) is None
    assert len(list(Regex("a*b|a").find_all("a" * 5000))) == 5000
    with pytest.raises(ExpressionError, match="takes too long"):
        Regex(r"(a*)(a*)(a*)\1b").find("a" * 300)
    with pytest.raises(ExpressionError, match="too long for the pattern"):
        Regex("(a{50}){30}").find("a" * 10_000)


def test_matches_are_those_of_python_where_both_know_the_pattern() -> None:
    chance = random.Random(7)

    def pattern(depth: int) -> str:
        if depth == 0 or chance.random() < 0.3:
            return chance.choice(["a", "b", ".", "[ab]", "[^a]"])
        inner, other = pattern(depth - 1), pattern(depth - 1)
        return chance.choice(
            [inner + other, f"({inner}|{other})", f"(?:{inner})", f"{chance.choice('ab.')}{chance.choice(_REPEATS)}"]
        )

    for _ in range(1000):
        source, text = pattern(3), "".join(chance.choice("abc") for _ in range(chance.randint(0, 8)))
        wanted = re.compile(source).search(text)
        found = Regex(source).find(text)
        assert (None if found is None else (found[0], found[1])) == (None if wanted is None else wanted.span()), source


_REPEATS = ["*", "+", "?", "{1,2}", "*?", "+?", "??"]
