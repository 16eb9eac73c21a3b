"""A form for a task whose model has none: what the conditions behind it ask about is asked of the person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ....views.people import FormKind
from ..gateways import ExclusiveGateway, InclusiveGateway
from .form import Component, Form, Template, text_of

if TYPE_CHECKING:
    from ....language.context import Path
    from ...running.node import Flow, Node

MOST_GATEWAYS = 20
MOST_FIELDS = 50
_TEXT = r"(?:\"([^\"]*)\"|'([^']*)')"
_BEFORE, _BEHIND = r"(?:^|[{(=!&|]|\bnot|\band|\bor)", r"(?:[})&|]|and\b|or\b|$)"
"""What stands around a variable that is a condition by itself."""
LONGEST_LOOKED_AT = 4096
_EQUALS = r"(?:===?|!==?|=|eq|ne)"


def form_of(node: Node) -> Form:
    """What a task of a person asks for: the model's form, else what the next conditions read."""
    form: Form | None = getattr(node, "form", None)
    return derived_form(node) if form is None else form


def next_choices(*tasks: Node, most: int = MOST_GATEWAYS) -> Iterator[Node]:
    """The tasks themselves and the gateways directly behind them, which decide in the step in which they are done."""
    pending, seen = list(tasks), set[str]()
    while pending and len(seen) < most:
        current = pending.pop(0)
        if current.name in seen:
            continue
        seen.add(current.name)
        yield current
        for flow in current.outgoing:
            # What joins several ways waits for others, who may change what it decides by.
            decides = isinstance(flow.target, ExclusiveGateway | InclusiveGateway)
            if decides and (isinstance(flow.target, ExclusiveGateway) or len(flow.target.incoming) == 1):
                pending.append(flow.target)


def derived_form(node: Node) -> Form:
    """The fields that the next conditions read; it takes other values too, as a task without a form does.

    One that is repeated has none: what is behind it is decided when all of its runs are done.
    """
    if getattr(node, "loop", None) is not None:
        return Form((), strict=False)
    flows: list[tuple[Flow, bool]] = []
    for choice in next_choices(node):
        flows += [(flow, choice.default is not None) for flow in choice.outgoing if flow.condition is not None]
    texts = [str(flow.condition.source) for flow, _ in flows if flow.condition is not None]
    found: dict[Path, Component] = {}
    for flow, has_default in flows:
        assert flow.condition is not None
        for path in flow.condition.references:
            asked = _asked(path, node)
            if asked is not None and len(found) < MOST_FIELDS:
                found.setdefault(asked, _component(asked, ".".join(path), texts, free=has_default))
    return Form(list(found.values()), strict=False)


def _asked(path: Path, node: Node) -> Path | None:
    """The variable that a reference is about, None for what another task has put out."""
    if path[0] == "outputs":
        own = len(path) > 2 and path[1] == node.namespace
        return path[2:3] if own else None
    name = variable_of(path)
    return None if name is None else (name,)


def variable_of(path: Path) -> str | None:
    """The variable that a reference is about, None for an output and for all parameters at once."""
    inside = path[1:] if path[0] == "parameters" and len(path) > 1 else path
    return inside[0] if inside[0] != "outputs" and inside != ("parameters",) else None


def of_comparisons(read: Iterable[tuple[str, str]]) -> tuple[FormKind, list[str | bool]]:
    """What a variable is, by what it is compared with where it is read: as what, and in which condition."""
    told = [_kind_of(name, [text]) for name, text in read]
    kind: FormKind = next((kind for kind, _ in told if kind != "textfield"), "textfield")
    return kind, list(dict.fromkeys(each for other, choices in told if other == kind for each in choices))


def _component(path: Path, name: str, texts: list[str], *, free: bool) -> Component:
    kind, choices = _kind_of(name, texts)
    return Component(
        id=path[0],
        kind=kind,
        path=path,
        label=Template((path[0],)),
        options=tuple((choice, text_of(choice)) for choice in choices),
        suggests=kind == "select" and free,
    )


def _kind_of(name: str, texts: list[str]) -> tuple[FormKind, list[str | bool]]:
    """What a variable is compared with tells what it is."""
    escaped = re.escape(name)
    word = rf"(?<![\w.-]){escaped}(?![\w.-])"
    choices: dict[str, None] = {}
    number = truth = False
    for text in (each[:LONGEST_LOOKED_AT] for each in texts):
        for found in re.finditer(rf"{word}\s*{_EQUALS}\s*{_TEXT}|{_TEXT}\s*{_EQUALS}\s*{word}", text):
            choices[next(each for each in found.groups() if each is not None)] = None
        number = number or re.search(rf"{word}\s*(?:[<>]=?|{_EQUALS}|lt|gt|le|ge)\s*-?\d", text) is not None
        truth = truth or re.search(rf"{word}\s*{_EQUALS}\s*(?:true|false)\b", text) is not None
        truth = truth or re.search(rf"{_BEFORE}\s*{word}\s*{_BEHIND}", text) is not None
    if choices:
        return "select", list(choices)
    if number:
        return "number", []
    return ("radio", [True, False]) if truth else ("textfield", [])
