"""The codes of errors and findings, found in the source by how they are raised and reported."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
from typing import NamedTuple

from riverstone.api.wire.problems import CHANGED, CONFLICTS
from riverstone.engine import errors as public_errors
from riverstone.engine.outgoing.statuses import phrase

from .blocks import ROOT, sentence, table

STATUSES = {
    "Malformed": 400,
    "unknown": 401,
    "NotAllowed": 403,
    "Unknown": 404,
    "Conflict": 409,
    "TooLarge": 413,
    "Invalid": 422,
    "SignInRefused": 422,
    "ExpressionError": 422,
    "LimitExceeded": 422,
    "StoreUnavailable": 503,
    "EngineClosed": 503,
}
"""What makes an error, and its status over HTTP where the call does not say one."""
OF_CODES = {**dict.fromkeys(CONFLICTS, 409), **dict.fromkeys(CHANGED, 412)}
"""Codes with a status of their own, whatever the error."""
TOLD = {
    "access-required": "Send a key of this server as the password of HTTP Basic with any user name, or a key or token "
    "as `Authorization: Bearer ...`, or a key as `X-API-Key: ...`.",
    "introspection-invalid": "The settings of a token server do not go together; the text says which ones.",
    "check-schedule-invalid": "The schedule … comes more often than every … seconds (limit check_interval), or never, "
    "or is neither an ISO 8601 repetition, a duration nor cron.",
}
"""Texts that do not stand where the code does."""
REPORTS = ("error", "warning", "formal", "wrong", "doubtful", "say", "finding", "_warning")
"""The calls by which a check tells of a finding; the first argument is its code."""
CHECKS = ("engine/bpmn", "engine/dmn", "engine/authoring")
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Raised(NamedTuple):
    """One error that is raised with a code of its own."""

    code: str
    status: int | None
    """None where it does not go over HTTP."""
    text: str


def raised() -> Iterator[Raised]:
    """Every error with a code of its own, in the order of the source."""
    for tree in _trees(("engine", "api")):
        given: dict[str, list[tuple[int, ast.expr]]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                given.setdefault(node.targets[0].id, []).append((node.lineno, node.value))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _raised(node, given)
            elif isinstance(node, ast.ClassDef):
                yield from _declared(node)


def _raised(call: ast.Call, given: dict[str, list[tuple[int, ast.expr]]]) -> Iterator[Raised]:
    """What a call raises, where it says a code; ``given`` are the values of names by their lines."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    arguments = {each.arg: each.value for each in call.keywords}
    if "code" not in arguments or name == "Finding":
        return

    def named(name: str) -> ast.expr | None:
        before = [each for each in given.get(name, ()) if each[0] <= call.lineno]
        return max(before, key=lambda each: each[0])[1] if before else None

    text = call.args[0] if call.args else arguments.get("message")
    for code in sorted(_codes(arguments["code"])):
        told = "" if text is None else _text(text, named)
        yield Raised(code, _status(arguments.get("status"), name), TOLD.get(code) or told)


def _status(value: ast.expr | None, name: str) -> int | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, int):
        return value.value
    if isinstance(value, ast.Attribute) and value.attr in HTTPStatus.__members__:
        return HTTPStatus[value.attr]
    return STATUSES.get(name)


def _declared(error: ast.ClassDef) -> Iterator[Raised]:
    """The code of a class of errors that is not among the public ones."""
    base = getattr(error.bases[0], "id", "") if error.bases else ""
    public = error.name in STATUSES or error.name in vars(public_errors)
    for node in error.body if base in STATUSES and (not public or error.name == "SignInRefused") else ():
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "code":
            for code in _codes(node.value):
                yield Raised(code, STATUSES[base], sentence(ast.get_docstring(error)))


def problem_codes() -> str:
    """A row for each code, with the texts that come with it where they stand beside it."""
    found: dict[str, tuple[int | None, list[str]]] = {}
    for each in raised():
        _, texts = found.setdefault(each.code, (OF_CODES.get(each.code, each.status), []))
        if each.text and each.text not in texts:
            texts.append(each.text)
    rows = [
        (
            f"`{code}`",
            "not over HTTP" if status is None else f"{OF_CODES.get(code, status)} {phrase(OF_CODES.get(code, status))}",
            " / ".join(texts[:3]),
        )
        for code, (status, texts) in sorted(found.items())
    ]
    return table(("code", "over HTTP", "text"), rows)


def finding_codes() -> set[str]:
    """The codes of all findings that the checks can make."""
    found = set()
    for call in _calls(CHECKS):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in REPORTS and call.args:
            found |= _codes(call.args[0])
        if name == "Finding":
            found |= {code for each in call.keywords if each.arg == "code" for code in _codes(each.value)}
    return found


def _codes(value: ast.expr) -> set[str]:
    parts = [value]
    if isinstance(value, ast.IfExp):
        parts = [value.body, value.orelse]
    elif isinstance(value, ast.BoolOp):
        parts = value.values
    texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return {text for text in texts if CODE.fullmatch(text)}


def _calls(parts: tuple[str, ...]) -> Iterator[ast.Call]:
    return (node for tree in _trees(parts) for node in ast.walk(tree) if isinstance(node, ast.Call))


@cache
def _trees(parts: tuple[str, ...]) -> tuple[ast.Module, ...]:
    paths = (path for part in parts for path in sorted((ROOT / part).rglob("*.py")))
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in paths)


def _text(value: ast.expr, named: Callable[[str], ast.expr | None]) -> str:
    """A message as a reader will recognize it: what is put into it is shown as an ellipsis, but for other texts."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(_text(part, named) for part in value.values)
    if isinstance(value, ast.BinOp):
        return _text(value.left, named) + _text(value.right, named)
    if isinstance(value, ast.FormattedValue):
        text = named(value.value.id) if isinstance(value.value, ast.Name) else None
        return _text(text, named) if isinstance(text, ast.Constant | ast.JoinedStr) else "…"
    if isinstance(value, ast.Name) and (text := named(value.id)) is not None and not isinstance(text, ast.Name):
        return _text(text, named)
    return ""
