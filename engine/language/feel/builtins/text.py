"""Functions of strings (DMN 1.5, table 75), and those that Camunda 8 adds."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from functools import wraps

from ....errors import Invalid
from ...effort import charge, charge_made, charge_text
from ...regex.machine import Match, Regex
from ..faults import fault
from ..values.arithmetic import MOST_TEXT, joined, made
from ..values.decimals import Number, truncated
from ..values.kinds import Value
from .signature import builtin


@builtin("substring(string: string, start position: number, length?: number?)")
def _substring(string: str, start: Number, length: Number | None = None) -> Value:
    begin = truncated(start)
    amount = None if length is None else truncated(length)
    if begin is None or not 0 < abs(begin) <= max(len(string), 1):
        return fault(f"substring(): the start position {start} is not in a text of {len(string)} characters")
    if length is not None and (amount is None or amount < 1):
        return fault("substring(): the length is below 1")
    first = begin - 1 if begin > 0 else len(string) + begin
    return made(string[first:] if amount is None else string[first : first + amount])


@builtin("string length(string: string)")
def _string_length(string: str) -> Value:
    return len(string)


@builtin("upper case(string: string)")
def _upper_case(string: str) -> Value:
    return made(string.upper())


@builtin("lower case(string: string)")
def _lower_case(string: str) -> Value:
    return made(string.lower())


@builtin("substring before(string: string, match: string)")
def _substring_before(string: str, match: str) -> Value:
    charge_text(string)
    before, found, _ = string.partition(match) if match else ("", "", "")
    return made(before) if found else ""


@builtin("substring after(string: string, match: string)")
def _substring_after(string: str, match: str) -> Value:
    charge_text(string)
    return made(string.partition(match)[2]) if match else string


@builtin("contains(string: string, match: string)")
def _contains(string: str, match: str) -> Value:
    charge_text(string, match)
    return match in string


@builtin("starts with(string: string, match: string)")
def _starts_with(string: str, match: str) -> Value:
    return string.startswith(match)


@builtin("ends with(string: string, match: string)")
def _ends_with(string: str, match: str) -> Value:
    return string.endswith(match)


_PIECE = 5
"""What a piece of a text costs that is put together, in the time of a look at a member of a list."""


def _with_pattern(function: Callable[..., Value]) -> Callable[..., Value]:
    """A pattern or a flag that is wrong makes null."""

    @wraps(function)
    def run(*arguments: Value) -> Value:
        try:
            return function(*arguments)
        except Invalid as error:
            return fault(error.message.removesuffix("."))

    return run


@builtin("matches(input: string, pattern: string, flags?: string?)")
@_with_pattern
def _matches(string: str, pattern: str, flags: str | None = None) -> Value:
    return Regex(pattern, flags or "").find(string) is not None


@builtin("replace(input: string, pattern: string, replacement: string, flags?: string?)")
@_with_pattern
def _replace(string: str, pattern: str, replacement: str, flags: str | None = None) -> Value:
    regex = Regex(pattern, flags or "")
    if regex.fits(""):
        return fault(f"replace(): the pattern {pattern!r} fits where nothing is")
    pieces: list[str | int] = [replacement] if regex.flags.is_literal else _replacement(replacement, regex.groups)
    parts: list[str] = []
    length = end = 0
    for match in regex.find_all(string):
        charge(_PIECE * (1 + len(pieces)))
        parts.append(string[end : match[0]])
        parts.extend(each if isinstance(each, str) else _group(string, match, each) for each in pieces)
        end = match[1]
        length += sum(map(len, parts[-1 - len(pieces) :]))
        if length > MOST_TEXT:
            break
    return joined(*parts, string[end:])


def _group(string: str, match: Match, number: int) -> str:
    begin, stop = (match[2 * number], match[2 * number + 1]) if 2 * number < len(match) else (-1, -1)
    return string[begin:stop] if begin >= 0 and stop >= 0 else ""


def _replacement(text: str, groups: int) -> list[str | int]:
    """The text in pieces, with the numbers of groups as XPath reads ``$1``; raises Invalid."""
    pieces: list[str | int] = []
    at = 0
    while at < len(text):
        sign = text[at]
        at += 1
        if sign == "\\":
            if text[at : at + 1] not in ("\\", "$"):
                raise Invalid(f"The replacement {text[:60]!r} has a backslash that is not before \\ or $.")
            pieces.append(text[at])
            at += 1
        elif sign == "$":
            if not text[at : at + 1].isdecimal():
                raise Invalid(f"The replacement {text[:60]!r} has a $ without the number of a group.")
            number = int(text[at])
            at += 1
            while text[at : at + 1].isdecimal() and number * 10 + int(text[at]) <= groups:
                number = number * 10 + int(text[at])
                at += 1
            pieces.append(number)
        else:
            pieces.append(sign)
    return pieces


@builtin("split(string: string, delimiter: string)")
@_with_pattern
def _split(string: str, delimiter: str) -> Value:
    regex = Regex(delimiter)
    if regex.fits(""):
        return fault(f"split(): the delimiter {delimiter!r} fits where nothing is")
    parts: list[Value] = []
    end = 0
    for match in regex.find_all(string):
        charge(2 * _PIECE)
        parts.append(made(string[end : match[0]]))
        end = match[1]
    return [*parts, string[end:]]


@builtin("extract(string: string, pattern: string)")
@_with_pattern
def _extract(string: str, pattern: str) -> Value:
    return [made(string[match[0] : match[1]]) for match in Regex(pattern).find_all(string) if match[1] > match[0]]


@builtin("string join(list: list, delimiter?: string?, prefix?: string?, suffix?: string?)")
def _string_join(
    items: list[Value], delimiter: str | None = None, prefix: str | None = None, suffix: str | None = None
) -> Value:
    charge(_PIECE * len(items))
    for item in items:
        if item is not None and type(item) is not str:
            return fault("string join(): an item of the list is no string")
    texts = [item for item in items if item is not None]
    between = delimiter or ""
    flat = [each for text in texts for each in (between, text)][1:]
    return joined(prefix or "", *flat, suffix or "")


@builtin("trim(string: string)")
def _trim(string: str) -> Value:
    return made(string.strip())


@builtin("is blank(string: string)")
def _is_blank(string: str) -> Value:
    return not string.strip()


@builtin("to base64(value: string)")
def _to_base64(value: str) -> Value:
    try:
        return made(base64.b64encode(value.encode()).decode())
    except UnicodeEncodeError:
        return fault("to base64(): the value holds half of a surrogate pair")


@builtin("from base64(value: string)")
def _from_base64(value: str) -> Value:
    charge_made(len(value))
    try:
        return made(base64.b64decode(value, validate=True).decode())
    except ValueError:
        return fault("from base64(): the value is no text in base64")


@builtin("uuid()", pure=False)
def _uuid() -> Value:
    return str(uuid.uuid4())
