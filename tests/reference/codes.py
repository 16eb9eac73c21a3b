"""The codes of errors and findings, found in the source by how they are raised and reported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import NamedTuple

from .blocks import ROOT, table

STATUSES = {
    "Malformed": 400,
    "Unknown": 404,
    "Conflict": 409,
    "TooLarge": 413,
    "Invalid": 422,
    "ExpressionError": 422,
    "LimitExceeded": 422,
    "StoreUnavailable": 503,
    "EngineClosed": 503,
}
REPORTS = ("error", "warning", "formal", "wrong", "doubtful", "say", "finding", "_warning")
"""The calls by which a check tells of a finding; the first argument is its code."""
CHECKS = ("engine/bpmn", "engine/dmn", "engine/authoring")
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Raised(NamedTuple):
    """One error that is raised with a code of its own."""

    code: str
    error: str
    text: str


def raised() -> Iterator[Raised]:
    """Every error with a code of its own, in the order of the source."""
    for tree in _trees(("engine", "api")):
        given: dict[str, list[tuple[int, ast.expr]]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                given.setdefault(node.targets[0].id, []).append((node.lineno, node.value))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (found := _raised(node, given)) is not None:
                yield found


def _raised(call: ast.Call, given: dict[str, list[tuple[int, ast.expr]]]) -> Raised | None:
    """What a call raises, where it says a code; ``given`` are the values of names by their lines."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    arguments = {each.arg: each.value for each in call.keywords}
    code = arguments.get("code")
    if name not in STATUSES or not isinstance(code, ast.Constant) or not isinstance(code.value, str):
        return None
    text = call.args[0] if call.args else arguments.get("message")
    if isinstance(text, ast.Name):
        before = [each for each in given.get(text.id, ()) if each[0] <= call.lineno]
        text = max(before, key=lambda each: each[0])[1] if before else None
    return Raised(code.value, name, "" if text is None else _text(text))


def problem_codes() -> str:
    """A row for each code, with the texts that come with it where they stand beside it."""
    found: dict[str, tuple[int, list[str]]] = {}
    for each in raised():
        _, texts = found.setdefault(each.code, (STATUSES[each.error], []))
        if each.text and each.text not in texts:
            texts.append(each.text)
    rows = [
        (f"`{code}`", f"{status} {HTTPStatus(status).phrase}", " / ".join(texts[:3]))
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
    parts = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return {text for text in texts if CODE.fullmatch(text)}


def _calls(parts: tuple[str, ...]) -> Iterator[ast.Call]:
    return (node for tree in _trees(parts) for node in ast.walk(tree) if isinstance(node, ast.Call))


@cache
def _trees(parts: tuple[str, ...]) -> tuple[ast.Module, ...]:
    paths = (path for part in parts for path in sorted((ROOT / part).rglob("*.py")))
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in paths)


def _text(value: ast.expr) -> str:
    """A message as a reader will recognize it: what is put into it is shown as an ellipsis."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in value.values)
    if isinstance(value, ast.BinOp):
        return _text(value.left) + _text(value.right)
    return ""
