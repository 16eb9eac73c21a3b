"""The variables that a model reads and nothing in it sets, for whoever starts it without a form and a template."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ...models.catalogue import WantedVersion
from ..bpmn.elements.activity import Activity
from ..bpmn.elements.decisions import DecisionTask
from ..bpmn.elements.loops import MultiInstance
from ..bpmn.elements.people.derived_form import next_choices, of_comparisons, variable_of
from ..bpmn.elements.tasks import StoneTask, UserTask
from ..bpmn.running.node import Node, Process
from ..dmn.elements import DecisionElement, Element, InputData
from ..language import java
from ..language.context import Path
from ..language.expressions import Value
from ..stones.declarations.parameters import declared_parameters
from ..stones.registry import Stones
from ..views.people import FormKind, StartVariable, VariableKind
from .checks.unresolved_references import names_of, values_of
from .secret_variables import secret_variables

MOST = 50
_MOST_TEXTS, _LONGEST_TEXT = 5, 500
"""Conditions that are looked at for what a variable is compared with."""
_KINDS: dict[str, VariableKind] = {
    **dict.fromkeys(("number", "integer", "float", "decimal"), "number"),
    "boolean": "truth",
    **dict.fromkeys(("list", "dict", "json", "nested", "context", "tuple", "mapping"), "json"),
}
"""By the types of stones' parameters and of DMN."""

_COMPARED: dict[FormKind, VariableKind] = {"number": "number", "radio": "truth"}

FindDecision = Callable[[str, WantedVersion], DecisionElement | None]


def start_variables(process: Process, stones: Stones, find: FindDecision) -> tuple[StartVariable, ...]:
    """At most 50, in the order of the model: what it reads by ``${name}``, in decisions, and through its stones.

    Left out is what something in the model sets: a form, a task's result, a scope. A message or a script may set one
    that is listed, so none of them has to be given.
    """
    nodes = process.walk()
    given = {*names_of(nodes, None).known, *process.initial, *_asked_of_people(nodes)}
    found = _Found(given, {path[0] for path in secret_variables(process, stones).paths if len(path) == 1})
    for node in nodes:
        own = frozenset(node.input_values) if isinstance(node, Activity) else frozenset()
        inputs = {id(value) for value in node.input_values.values()} if isinstance(node, Activity) else set()
        conditions = {id(flow.condition) for flow in node.outgoing}
        for value in values_of(node):
            text = str(value.source) if id(value) in conditions else ""
            for path in value.references:
                found.add(path, text, frozenset() if id(value) in inputs else own)
        if isinstance(node, Activity) and isinstance(node.loop, MultiInstance) and node.loop.collection is not None:
            found.hold(node.loop.collection, "json")
        if isinstance(node, StoneTask):
            _through_stones(node, stones, found)
        if isinstance(node, DecisionTask):
            _through_decisions(node, find, found, own)
    return found.variables


class _Found:
    """The variables that were found, and what is known of each."""

    def __init__(self, given: set[str], secret: set[str]) -> None:
        self._given = given
        self._secret = secret
        self._kinds: dict[str, VariableKind | None] = {}
        self._texts: dict[str, list[tuple[str, str]]] = {}
        self._members: dict[str, dict[str, None]] = {}
        self._about: dict[str, str] = {}

    def add(self, path: Path, condition: str = "", hidden: frozenset[str] = frozenset()) -> None:
        """What is read at this path, perhaps in a condition, unless the node itself gives it (``hidden``)."""
        name = variable_of(path)
        if name is None or name in self._given or name in hidden or path[:1] == java.EXECUTION:
            return
        if name not in self._kinds:
            if len(self._kinds) >= MOST:
                return
            self._kinds[name] = None
        inner = path[2:] if path[0] == "parameters" else path[1:]
        if inner:
            self._members.setdefault(name, {})[".".join(inner)] = None
        texts = self._texts.setdefault(name, [])
        if condition and len(texts) < _MOST_TEXTS:
            texts.append((".".join(path), condition[:_LONGEST_TEXT]))

    def say(self, name: str, kind: VariableKind | None, about: str = "") -> None:
        """Tell more of a variable that was found."""
        if name in self._kinds:
            self._kinds[name] = self._kinds[name] or kind
            if about:
                self._about.setdefault(name, about)

    def hold(self, value: Value, kind: VariableKind | None, about: str = "") -> None:
        """What a value is taken for, where that is one variable and nothing else."""
        path = value.references[0] if len(value.references) == 1 else ()
        if path and str(value.source).strip() in (f"${{{'.'.join(path)}}}", f"#{{{'.'.join(path)}}}"):
            name = variable_of(path)
            if name is not None and path in ((name,), ("parameters", name)):
                self.say(name, kind, about)

    @property
    def variables(self) -> tuple[StartVariable, ...]:
        return tuple(map(self._variable, self._kinds))

    def _variable(self, name: str) -> StartVariable:
        members = tuple(self._members.get(name, ()))[:MOST]
        kind, options = of_comparisons(self._texts.get(name, ()))
        return StartVariable(
            name=name,
            kind="json" if members else self._kinds[name] or _COMPARED.get(kind, "text"),
            description=self._about.get(name, ""),
            members=members,
            options=tuple(str(each) for each in options) if kind == "select" else (),
            secret=name in self._secret,
        )


def _asked_of_people(nodes: Sequence[Node]) -> Iterator[str]:
    """What tasks without a form ask for: whatever the conditions behind them read."""
    free = [node for node in nodes if isinstance(node, UserTask) and node.form is None and node.loop is None]
    for choice in next_choices(*free, most=len(nodes)):
        for flow in choice.outgoing:
            for path in flow.condition.references if flow.condition is not None else ():
                name = variable_of(path)
                if name is not None:
                    yield name


def _through_stones(task: StoneTask, stones: Stones, found: _Found) -> None:
    """What a stone takes by name because no input gives it, and what its inputs are taken for."""
    if not task.code.constant or not stones.is_known(task.stone):
        return
    classes = stones.classes(task.stone)
    for name, parameter in declared_parameters(classes[0]).items() if len(classes) == 1 else ():
        kind, about = _KINDS.get(parameter.type), parameter.description
        if name in task.input_values:
            found.hold(task.input_values[name], kind, about)
        elif parameter.variable is not False and (parameter.required or parameter.variable):
            found.add((name,))
            found.say(name, kind, about)


def _through_decisions(task: DecisionTask, find: FindDecision, found: _Found, hidden: frozenset[str]) -> None:
    if task.named is not None:
        return
    decision = task.decisions.get(task.call.decision)
    if decision is None and not task.call.together:
        decision = find(task.call.decision, task.call.version)
    pending: list[Element] = [decision] if decision is not None else []
    seen: set[Element] = set()
    while pending:
        here = pending.pop()
        if here in seen:
            continue
        seen.add(here)
        pending += [each.element for each in here.required if each.prefix is None]
        if isinstance(here, InputData):
            found.add((here.name,), hidden=hidden)
            found.say(here.name, _KINDS.get(here.type.kind))
        table = here.table if isinstance(here, DecisionElement) else None
        known = {each.element.name for each in here.required}
        for column in table.inputs if table is not None else ():
            if column.text.isidentifier() and column.text not in known:
                found.add((column.text,), hidden=hidden)
                found.say(column.text, _KINDS.get(column.type.kind))
