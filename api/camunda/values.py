"""Variables as Camunda 7 writes them, each with its type, and files among them."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ...engine import Engine, jsontext
from ...engine.clock import read_moment
from ...engine.errors import Malformed

FILE = "riverstone:file"
"""The member of a JSON object that makes it a file: what ``filename``, ``mimetype`` and ``encoding`` say of it."""
CONTENT = "base64"
JSON_FORMAT = "application/json"
BITS = {"short": 16, "integer": 32, "long": 64}
"""Of the whole numbers of Java."""
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]*([eE][+-]?[0-9]+)?")
"""What may be a number in a text, where Python reads underscores and the digits of all scripts too."""
BYTES = "riverstone:bytes"
"""The only member of a JSON object that is bytes, in base64."""
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")
"""A date as Camunda writes it: the only text that goes out as one, since JSON has none."""


def read_variables(engine: Engine, given: Any, name: str = "variables") -> dict[str, Any]:
    """The values of variables; raises Malformed for what cannot be read."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise Malformed(f"{name} is no object of values.", code="fields-invalid")
    return {each: _read(engine, each, value) for each, value in given.items()}


def _read(engine: Engine, name: str, given: Any) -> Any:
    if not isinstance(given, Mapping) or "value" not in given:
        if isinstance(given, Mapping) and {"type", "valueInfo"} & given.keys():
            return None
        # Some clients leave the wrapping out.
        return given
    value, kind = given["value"], str(given.get("type") or "").lower()
    info = given.get("valueInfo") or {}
    if not isinstance(info, Mapping):
        raise Malformed(f"The valueInfo of {name!r} is no object.", code="fields-invalid")
    if kind == "file":
        return _file(name, value, info)
    if kind == "json" or (kind == "object" and info.get("serializationDataFormat") == JSON_FORMAT):
        return jsontext.loads(value, limits=engine.limits, name=name) if isinstance(value, str) else value
    if kind == "object" and isinstance(value, str):
        form = info.get("serializationDataFormat")
        text = f"The variable {name!r} is an object serialized as {form!r}: send it as {JSON_FORMAT}."
        raise Malformed(text, code="variable-unreadable")
    return value if value is None or kind not in KINDS else _as_kind(name, value, kind)


def _whole(value: Any, kind: str) -> int:
    number = value if isinstance(value, int | float) else int(_numeral(value))
    if isinstance(value, bool) or number != int(number) or not _fits(int(number), kind):
        raise ValueError(value)
    return int(number)


def _fits(number: int, kind: str) -> bool:
    most = 1 << (BITS[kind] - 1)
    return -most <= number < most


def _numeral(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return text


def _real(value: Any) -> float:
    number = float(value if isinstance(value, int | float) else _numeral(value))
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(value)
    return number


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[value]


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError(value)
    return value if isinstance(value, str) else jsontext.dumps(value)


def _date(value: Any) -> str:
    moment = read_moment(value)
    # Without the colon of its offset, which a date of Java does not have: nor has it seconds there.
    text = moment.isoformat(timespec="milliseconds")
    if not DATE.fullmatch(shown := text[:-3] + text[-2:]):
        raise ValueError(value)
    return shown


def _bytes(value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        raise ValueError(value)
    base64.b64decode(value, validate=True)
    return {BYTES: value}


KINDS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    **{kind: (partial(_whole, kind=kind), f"a whole number of {bits} bits") for kind, bits in BITS.items()},
    **dict.fromkeys(("float", "double"), (_real, "a number")),
    "boolean": (_truth, "true or false"),
    "string": (_text, "a text"),
    "date": (_date, "a date such as 2026-11-25T10:20:30.000+0000"),
    "bytes": (_bytes, "bytes in base64"),
}


def _as_kind(name: str, value: Any, kind: str) -> Any:
    """The value as what it is said to be, as Camunda converts it; raises Malformed."""
    read, what = KINDS[kind]
    try:
        return read(value)
    except (ValueError, TypeError, KeyError, OverflowError):
        text = f"The variable {name!r} is said to be of the type {kind}, and is not: send {what}."
        raise Malformed(text, code="variable-unreadable") from None


def _file(name: str, value: Any, info: Mapping[str, Any]) -> dict[str, Any]:
    content = "" if value is None else value
    try:
        if not isinstance(content, str):
            raise ValueError("no text")
        base64.b64decode(content, validate=True)
    except ValueError:
        raise Malformed(f"The file {name!r} is not written in base64.", code="variable-unreadable") from None
    told = {
        "filename": str(info.get("filename") or name),
        "mimetype": info.get("mimetype") or info.get("mimeType"),
        "encoding": info.get("encoding"),
    }
    return {FILE: {key: value for key, value in told.items() if value is not None}, CONTENT: content}


def is_file(value: Any) -> bool:
    """Whether a value is what a file was read as."""
    is_one = isinstance(value, Mapping) and value.keys() == {FILE, CONTENT}
    return is_one and isinstance(value[FILE], Mapping) and isinstance(value[CONTENT], str)


def show_variables(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with their types: files without content; objects, lists and whole numbers of over 64 bits as JSON text."""
    return {name: _shown(value) for name, value in values.items()}


def _shown(value: Any) -> dict[str, Any]:
    if is_file(value):
        return {"value": None, "type": "File", "valueInfo": dict(value[FILE])}
    if value is None:
        return {"value": None, "type": "Null", "valueInfo": {}}
    if isinstance(value, bool):
        return {"value": value, "type": "Boolean", "valueInfo": {}}
    if isinstance(value, int) and _fits(value, "long"):
        return {"value": value, "type": "Integer" if _fits(value, "integer") else "Long", "valueInfo": {}}
    if isinstance(value, float):
        return {"value": value, "type": "Double", "valueInfo": {}}
    if isinstance(value, str):
        return {"value": value, "type": "Date" if DATE.fullmatch(value) else "String", "valueInfo": {}}
    if isinstance(value, Mapping) and value.keys() == {BYTES} and isinstance(value[BYTES], str):
        return {"value": value[BYTES], "type": "Bytes", "valueInfo": {}}
    return {"value": jsontext.dumps(value), "type": "Json", "valueInfo": {}}
