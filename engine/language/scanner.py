"""Cuts the text of an expression into names, literals and signs."""

from __future__ import annotations

import math
import re
from typing import Literal, NamedTuple

from ..errors import ExpressionError
from ..jsontext import JSON, NOT_STORABLE
from ..limits import Limits

Kind = Literal["name", "word", "literal", "sign", "end"]


class Lexeme(NamedTuple):
    """``text`` is a name, or the sign or word in the one spelling that the grammar knows; literals have a value."""

    kind: Kind
    text: str
    position: int
    value: JSON = None


# The keys of start variables hold ``-``, ``:`` and more, so a name is whatever no sign can be.
_LETTER = r"[^\s()\[\]{}<>=!&|?,\"'+*/%.:;^\\`]"
_SPACE = re.compile(r"\s+")
_STRING = re.compile(r"\"([^\"\\]*(?:\\.[^\"\\]*)*)\"|'([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\\": "\\", '"': '"', "'": "'", "/": "/"}
_SIGN = re.compile(r"&&|\|\||==|!=|<=|>=|\.\.|[<>!?:,()\[\]{}+\-*/%=.]")
_SPELLING = {"&&": "and", "||": "or"}
_WORDS = {word: word for word in ("and", "or", "not", "in", "true", "false", "null", "empty")} | {
    "div": "/",
    "mod": "%",
    # Engines that evaluate Python have left models that spell the constants so.
    "True": "true",
    "False": "false",
    "None": "null",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}


class _Shapes(NamedTuple):
    name: re.Pattern[str]
    number: re.Pattern[str]


def _shapes(colon: str) -> _Shapes:
    segment = rf"(?:{_LETTER}|{colon}(?={_LETTER}))"
    digits = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
    return _Shapes(
        re.compile(rf"(?!-){_LETTER}{segment}*(?:\.{segment}+)*"),
        # Between two numbers a minus is a difference: no name that a model would use looks like ``5-2``.
        re.compile(rf"{digits}(?=(?:-{digits})+(?!\.?{segment}))|{digits}(?!\.?{segment})", re.ASCII),
    )


_OPEN = _shapes("::?")
# In ``a ? b:c`` and ``{a:b}`` a single colon ends the name; ``Bingo::RS`` stays one.
_CLOSED = _shapes("::")


def scan(text: str, *, limits: Limits) -> list[Lexeme]:
    """The lexemes of a text, with an ``end`` as the last; raises ExpressionError."""
    if NOT_STORABLE.search(text):
        raise not_storable()
    lexemes: list[Lexeme] = []
    # One entry a bracket: how many single colons are awaited in it.
    awaited = [0]
    position = segments = 0
    while position < len(text):
        if space := _SPACE.match(text, position):
            position = space.end()
            continue
        if len(lexemes) + segments >= limits.expression_tokens:
            most = limits.expression_tokens
            raise ExpressionError(f"it has more than {most} parts (expression_tokens): make it shorter")
        lexeme, position = _next(text, position, _CLOSED if awaited[-1] else _OPEN, limits)
        if lexeme.kind == "name":
            segments += lexeme.text.count(".")
        if lexeme.kind == "sign":
            _await(awaited, lexeme.text)
        lexemes.append(lexeme)
    lexemes.append(Lexeme("end", "the end", len(text)))
    return lexemes


def _await(awaited: list[int], sign: str) -> None:
    if sign in "([{":
        # An object literal awaits one colon a member, so it never runs out.
        awaited.append(1_000_000 if sign == "{" else 0)
    elif sign in ")]}" and len(awaited) > 1:
        awaited.pop()
    elif sign == "?":
        awaited[-1] += 1
    elif sign == ":" and awaited[-1]:
        awaited[-1] -= 1


def _next(text: str, position: int, shapes: _Shapes, limits: Limits) -> tuple[Lexeme, int]:
    if found := shapes.number.match(text, position):
        return Lexeme("literal", found[0], position, _number(found[0], limits)), found.end()
    if found := shapes.name.match(text, position):
        name = found[0]
        word = _WORDS.get(name)
        if word is None:
            return Lexeme("name", name, position), found.end()
        return Lexeme("word", word, position), found.end()
    if text[position] in "\"'":
        if not (found := _STRING.match(text, position)):
            raise ExpressionError(f"the text that begins at character {position + 1} is not closed: add a quote")
        quoted = found[1] if found[1] is not None else found[2]
        return Lexeme("literal", found[0], position, _string(quoted)), found.end()
    if found := _SIGN.match(text, position):
        return Lexeme("sign", _SPELLING.get(found[0], found[0]), position), found.end()
    raise ExpressionError(f"{text[position]!r} at character {position + 1} is no sign of the language: take it out")


def _number(digits: str, limits: Limits) -> int | float:
    if digits.isdigit():
        if len(digits) > limits.integer_digits:
            raise ExpressionError(f"a number has more than {limits.integer_digits} digits: use smaller ones")
        return int(digits)
    number = float(digits)
    if math.isinf(number):
        raise ExpressionError(f"the number {digits} is too large: use smaller numbers")
    return number


def _string(quoted: str) -> str:
    def escaped(found: re.Match[str]) -> str:
        sign = found[1]
        if len(sign) == 5:
            return chr(int(sign[1:], 16))
        if sign not in _ESCAPED:
            raise ExpressionError(f"a text holds the unknown escape \\{sign}: write \\\\ for a backslash")
        return _ESCAPED[sign]

    text = _ESCAPE.sub(escaped, quoted) if "\\" in quoted else quoted
    if "\\u" in quoted:
        # A character outside the basic plane may be written as its two surrogates, as in JSON.
        try:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise not_storable() from None
    if "\x00" in text:
        raise not_storable()
    return text


def not_storable() -> ExpressionError:
    """The error for text that :data:`~riverstone.engine.jsontext.NOT_STORABLE` finds something in."""
    return ExpressionError("it holds NUL or half of a surrogate pair, which cannot be stored: take it out")
