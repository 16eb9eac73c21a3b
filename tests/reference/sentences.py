"""The sentences that the engine says to people, found where they are written, with ``{}`` where values stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = (
    "engine/authoring",
    "engine/bpmn/checks",
    "engine/bpmn/elements",
    "engine/bpmn/reading",
    "engine/bpmn/running",
    "engine/calls",
    "engine/commands",
    "engine/dmn",
    "engine/errors.py",
    "engine/instance",
    "engine/jsontext.py",
    "engine/language",
    "engine/ledger",
    "engine/ready",
    "engine/secret_sources",
    "engine/showing",
    "engine/steps",
    "engine/stones/hooks/call.py",
    "engine/stones/declarations/parameters.py",
    "engine/store_errors.py",
    "engine/triggers",
    "engine/undo",
    "api/access/browser_session.py",
    "api/access/rule.py",
    "api/access/task_token.py",
)
NOT_SAID = re.compile(
    r"SELECT|INSERT|UPDATE |`|%[sdr]|^riverstone |\n|\(\?:|\(\[\^|^read_xml|Bearer"
    r"|^[a-zA-Z0-9 ]+\((\.\.\.)?\w+\??: .*\)$|^date and time$|^ssh: "
    r"|^(?!.*\b(the|a|an|is|it|no|not|to|of|its|has|there|was|cannot)\b)[\w:-]+( [\w:-]+){3,}$"
)
"""What is no sentence: SQL, lines of a log, commands, patterns, signatures of functions, lists of words in one text."""
SENTENCE = re.compile(r"[.;:!?,{}]|^[a-z]+ [a-z]+ [a-z]+")


def template(node: ast.AST) -> str | None:
    """The text that an expression makes, if it makes one."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(value) for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = template(node.left), template(node.right)
        return None if left is None and right is None else f"{left or '{}'}{right or '{}'}"
    return None


def _part(value: ast.AST) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    return "'{}'" if isinstance(value, ast.FormattedValue) and value.conversion == ord("r") else "{}"


def sentences() -> dict[str, str]:
    """Each with the place where it is written."""
    found: dict[str, str] = {}
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for line, text in _in_file(ast.parse(file.read_text("utf-8"))):
                found.setdefault(text, f"{file.relative_to(ROOT)}:{line}")
    return found


def _in_file(tree: ast.AST) -> Iterator[tuple[int, str]]:
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            passed.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        if id(node) in passed or not isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
            continue
        text = template(node)
        if text is None:
            continue
        passed.update(id(part) for part in ast.walk(node) if part is not node)
        text = re.sub(r"\{(?:\d|allowed|place|kind)(!r)?\}", lambda found: "'{}'" if found[1] else "{}", text)
        words = re.findall(r"[A-Za-z]{2,}", text)
        if len(words) >= 3 and " " in text.strip() and SENTENCE.search(text) and not NOT_SAID.search(text):
            yield getattr(node, "lineno", 0), text
