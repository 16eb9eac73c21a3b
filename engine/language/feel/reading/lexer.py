"""Cuts the text of a FEEL expression into names, literals and signs (DMN 1.5, 10.3.1.2, rules 25 to 66)."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ....jsontext import NOT_STORABLE
from .places import Misread

TokenKind = Literal["name", "quoted", "part", "number", "string", "temporal", "sign", "end", "skip", "wrong"]


class Lexeme(NamedTuple):
    """A ``part`` begins with a digit and can only go on a name; ``value`` is the content of what is quoted."""

    kind: TokenKind
    text: str
    start: int
    end: int
    value: str = ""


_SPACE = r"\s\u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
_START = (
    r"?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u167f\u1681-\u180d\u180f-\u1fff"
    r"\u200c-\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U000effff"
)
_PART = _START + r"0-9\u00b7\u0300-\u036f\u203f-\u2040"
# ``Bingo::RS`` is one name, as everywhere in riverstone: no sign of FEEL looks like it.
_NAME = rf"[{_START}](?:[{_PART}]|::(?=[{_PART}]))*"
_TOKENS = re.compile(
    rf"(?P<skip>[{_SPACE}]+|//[^\n]*|/\*.*?\*/)"
    rf"|(?P<name>{_NAME})"
    rf"|(?P<part>(?=[0-9]+[{_START}])(?![0-9]+[eE][+-]?[0-9]+(?![{_PART}]))[{_PART}]+)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r'|(?P<temporal>@"[^"\\]*")'
    r'|(?P<string>"[^"\\]*(?:\\.[^"\\]*)*"'
    rf"|(?<![{_PART}])'[^'\\]*(?:\\.[^'\\]*)*')"
    r"|(?P<quoted>`[^`]*`)"
    r"|(?P<sign>\*\*|\.\.|->|<=|>=|!=|==|&&|\|\||[-+*/<>=()\[\]{},.:'\u2019])"
    r"|(?P<wrong>.)",
    re.DOTALL,
)
_SPELLING = {"==": "=", "\u2019": "'"}
_WORDS = {"&&": "and", "||": "or"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "\\": "\\", '"': '"', "'": "'"}


def scan(text: str, *, most: int) -> list[Lexeme]:
    """The tokens of a text, with an ``end`` as the last; raises Misread."""
    if found := NOT_STORABLE.search(text):
        raise Misread("NUL or half of a surrogate pair cannot be stored", found.start())
    tokens: list[Lexeme] = []
    for match in _TOKENS.finditer(text):
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]
        if kind == "skip":
            continue
        word = match[0]
        start, end = match.span()
        if kind == "sign":
            if word in _WORDS:
                kind, word = "name", _WORDS[word]
            word = _SPELLING.get(word, word)
            tokens.append(Lexeme(kind, word, start, end))
        elif kind == "string":
            tokens.append(Lexeme("string", word, start, end, _string(match)))
        elif kind == "temporal" or kind == "quoted":
            tokens.append(Lexeme(kind, word, start, end, word[2 if kind == "temporal" else 1 : -1]))
        elif kind == "wrong":
            raise Misread(_refusal(word), start)
        else:
            tokens.append(Lexeme(kind, word, start, end))
        if len(tokens) > most:
            raise Misread(f"it has more than {most} parts (expression_tokens)", start)
    tokens.append(Lexeme("end", "", len(text), len(text)))
    return tokens


def _refusal(sign: str) -> str:
    if sign in "\"'":
        return "a text is not closed: add a quote"
    if sign == "`":
        return "a name is not closed: add a backtick"
    if sign == "@":
        return '@ is followed by a date, a time or a duration in quotes, such as @"2024-01-31"'
    if sign == "%":
        return "FEEL has no sign for the remainder: write modulo(dividend, divisor)"
    if sign == "!":
        return "FEEL negates with not(...), and != says that values differ"
    return f"{sign!r} is no sign of FEEL: take it out"


def _string(match: re.Match[str]) -> str:
    quoted = match[0][1:-1]
    if "\\" not in quoted:
        return quoted
    value = _ESCAPE.sub(_escaped, quoted)
    if "\\u" in quoted:
        # A character outside the basic plane may be written as its two surrogates, as in JSON.
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if NOT_STORABLE.search(value) or ("\\u" in quoted and "\ufffd" in value and "\ufffd" not in quoted):
        raise Misread("NUL or half of a surrogate pair cannot be stored", match.start())
    return value


def _escaped(found: re.Match[str]) -> str:
    sign = found[1]
    if len(sign) > 1:
        code = int(sign[1:], 16)
        return chr(code) if code <= 0x10FFFF else "\x00"
    # ``\d`` is what people write in regular expressions.
    return _ESCAPED.get(sign, found[0])


def pieces(name: str) -> list[str]:
    """A declared name as its tokens, each with a space before it where there is one; raises Misread."""
    tokens = scan(name, most=200)[:-1]
    return [_piece(tokens, place) for place in range(len(tokens))]


def _piece(tokens: list[Lexeme], place: int) -> str:
    token = tokens[place]
    return f" {token.text}" if place and tokens[place - 1].end < token.start else token.text
