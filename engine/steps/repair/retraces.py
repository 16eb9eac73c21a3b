"""What a rewind undoes and brings back, found in the ledger and in the notes of the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....models import RetraceRow, TaskRow
from ... import jsontext
from ...bpmn.elements.gateways import Join
from ...bpmn.elements.triggers import still_come
from ...bpmn.running.node import Node
from ...bpmn.running.token import Token
from ...bpmn.running.token_data import CALLED, RUN, TASK
from ...errors import Conflict
from ...instance.forward import ForwardInstance
from ...ledger import causality, ledger
from .joins import is_queued, starved


@dataclass(kw_only=True, slots=True)
class Retraced:
    """One way back, from where a process now stands to the beginning of one of its tasks."""

    process: ForwardInstance
    target: TaskRow
    undone: set[int]
    """The rows that came causally after the target, and the target's own."""
    over: set[int]
    """These and all that earlier rewinds have undone: what has come of them is no more."""
    scopes: list[dict[str, Any]] = field(default_factory=list)
    """Those around the target that have ended since, the outermost first."""
    joining: list[dict[str, Any]] = field(default_factory=list)
    """Tokens of other branches that a join had merged."""
    variables: dict[tuple[int, str], tuple[bool, Any]] = field(default_factory=dict)
    """By scope (0 for the process) and name: whether there was a variable, and its value."""
    parents: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    """By scope, also one that has ended: the scope around it, and which run of that it is."""
    around: set[int] = field(default_factory=set)
    """The scopes that the target is inside of."""
    fired: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """By event on the target's border: how often it came, where what it has begun stays."""
    causes: dict[str, frozenset[int]] = field(default_factory=dict)
    """By their text: many notes may have the same many."""

    def causes_of(self, note: RetraceRow) -> frozenset[int]:
        """The rows that what a note tells of has come of."""
        if (known := self.causes.get(note.causes)) is None:
            known = self.causes[note.causes] = frozenset(jsontext.read(note.causes))
        return known

    @property
    def stays(self) -> tuple[str, ...]:
        """The events that have come beside what begins again, and whose branches stay."""
        names = [*self.fired, *(name for kept in self.scopes for name in kept["internal"].get("fired", {}))]
        return tuple(dict.fromkeys(name.partition(":")[0] for name in names))

    def is_after(self, token: Token) -> bool:
        """Whether a token has come of what is undone; a loop around the target follows its own last turn."""
        if token.id in self.around:
            return False
        return not self.undone.isdisjoint(token.causes) or token.internal_data.get(TASK, 0) in self.undone


def retraced(process: ForwardInstance, target: TaskRow) -> Retraced:
    """The way back to this row; raises Conflict where something on it cannot be brought back."""
    undone = _after(process.tasks, target.id)
    rewound = {row.id for row in process.tasks.values() if ledger.is_rewound(row)}
    found = Retraced(process=process, target=target, undone=undone, over=undone | rewound)
    notes = process.facilities.store.retraces(process.number)
    _refuse_compensated(found)
    _find_parents(found, notes)
    _find_around(found)
    _find_scopes(found, notes)
    _find_fired(found, notes)
    _find_joining(found, notes)
    _refuse_moved(found)
    _refuse_removed(found, notes)
    _find_variables(found, notes)
    return found


def _after(tasks: Mapping[int, TaskRow], target: int) -> set[int]:
    # Many may have followed the same many: these are held together.
    bunches: dict[str, list[int]] = {}
    followers: dict[int, list[list[int]]] = {}
    for row in tasks.values():
        text = causality.after_text(row, tasks)
        if not text:
            continue
        if text not in bunches:
            bunches[text] = []
            for cause in causality.after(row, tasks):
                followers.setdefault(cause, []).append(bunches[text])
        bunches[text].append(row.id)
    found, pending = {target}, [target]
    while pending:
        for bunch in followers.get(pending.pop(), ()):
            for number in bunch:
                if number not in found:
                    found.add(number)
                    pending.append(number)
            bunch.clear()
    return found


def _refused(found: Retraced, text: str) -> Conflict:
    what = f"Process {found.process.number} cannot go back to task {found.target.id}: {text}"
    return Conflict(what, status=found.process.row.status, code="rewind-refused")


def _refuse_compensated(found: Retraced) -> None:
    tasks = found.process.tasks
    for number in sorted(found.undone):
        if tasks[number].kind == ledger.COMPENSATION:
            label = tasks[number].name or tasks[number].node
            raise _refused(found, f"{label!r} has compensated something since, which cannot be undone.")


def _find_parents(found: Retraced, notes: Iterable[RetraceRow]) -> None:
    for note in notes:
        if note.kind == "scope" and note.data is not None:
            kept = jsontext.read(note.data)
            found.parents[note.token] = kept["scope"], kept["internal"].get(RUN)
    for token in found.process.workflow.tasks.values():
        if token.scope is not None:
            found.parents[token.id] = token.scope.id, token.internal_data.get(RUN)


def _find_around(found: Retraced) -> None:
    scope = found.target.scope
    while scope and scope not in found.around:
        found.around.add(scope)
        scope = found.parents.get(scope, (0, None))[0]


def _find_scopes(found: Retraced, notes: Iterable[RetraceRow]) -> None:
    """The scopes around the target, as they were when they ended."""
    ended = {note.token: note for note in notes if note.kind == "scope" and note.name is not None}
    tasks = found.process.workflow.tasks
    scope = found.target.scope
    while scope not in tasks:
        note = ended.get(scope)
        if note is None:
            raise _refused(found, "what it stood in was interrupted since, and cannot be opened again.")
        if note.data is None:
            raise _refused(found, f"{note.name} held too much to be kept when it ended.")
        kept = jsontext.read(note.data)
        for name in ("causes", "ended"):
            if kept[name] is None:
                kept[name] = sorted(found.causes_of(note))
        begun, done = kept["internal"].get("begun"), kept["internal"].get("done")
        if begun is not None and begun != done:
            raise _refused(found, f"{note.name} ended before all of its runs were through.")
        found.scopes.insert(0, kept)
        scope = kept["scope"]


def _find_fired(found: Retraced, notes: Iterable[RetraceRow]) -> None:
    """Events beside the target, or beside a scope around it, that have come and whose branches are not undone."""
    of_target: Mapping[str, Any] = {}
    for note in notes:
        if note.kind == "scope" and note.token == found.target.token and note.data is not None:
            of_target = jsontext.read(note.data)["internal"].get("fired", {})
    found.fired = _in_force(found, of_target)
    for kept in found.scopes:
        kept["internal"]["fired"] = _in_force(found, kept["internal"].get("fired", {}))


def _in_force(found: Retraced, fired: Mapping[str, Any]) -> dict[str, Any]:
    stays = {
        event: {number: left for number, come in numbers.items() if (left := still_come(come, found.over)) is not None}
        for event, numbers in fired.items()
    }
    return {event: numbers for event, numbers in stays.items() if numbers}


def _find_joining(found: Retraced, notes: Iterable[RetraceRow]) -> None:
    # One that a rewind has brought back was merged a second time.
    known: set[int] = set()
    for note in notes:
        if note.kind != "merge" or found.undone.isdisjoint(found.causes_of(note)):
            continue
        if note.data is None:
            raise _refused(found, f"what {note.name} has joined was too much to be kept.")
        for kept in jsontext.read(note.data):
            if found.over.isdisjoint(kept["causes"]) and kept["id"] not in known:
                known.add(kept["id"])
                found.joining.append(kept)


def _refuse_moved(found: Retraced) -> None:
    """Moved to another version since, it may lack what the way back leads to, or have joins that wait for more."""
    target, process = found.target, found.process
    if not _is_in_call(found, target.scope) and process.definition.process.find(target.node) is None:
        raise _refused(found, f"its version has no {target.node!r} any more: move it to one that has it before.")
    by_scope: dict[int, list[dict[str, Any]]] = {}
    for kept in found.joining:
        by_scope.setdefault(kept["scope"], []).append(kept)
    for scope_id, joining in by_scope.items():
        if not _is_in_call(found, scope_id):
            _refuse_starved(found, scope_id, joining)


def _is_in_call(found: Retraced, scope: int) -> bool:
    """Whether a scope is inside of a called process, which stays as it was deployed."""
    tasks = found.process.workflow.tasks
    ended = {kept["id"]: kept["internal"] for kept in found.scopes}
    while scope:
        if CALLED in (tasks[scope].internal_data if scope in tasks else ended.get(scope, {})):
            return True
        scope = found.parents.get(scope, (0, None))[0]
    return False


def _refuse_starved(found: Retraced, scope_id: int, joining: Iterable[Mapping[str, Any]]) -> None:
    process, target = found.process.definition.process, found.target
    scope = found.process.workflow.tasks.get(scope_id)
    stays = [] if scope is None else [each for each in scope.inside.values() if not found.is_after(each)]
    filled: dict[Node, set[str | None]] = {}
    for name, flow in [
        *((each["node"], each["flow"]) for each in joining),
        *((each.node.name, each.flow) for each in stays if is_queued(each)),
    ]:
        node = process.find(name)
        if node is None or (isinstance(node, Join) and flow not in node.incoming_ids):
            raise _refused(found, f"its version has no {name!r} any more into which the flow {flow!r} leads.")
        filled.setdefault(node, set()).add(flow)
    back = [target.node] if target.scope == scope_id else []
    back += [kept["node"] for kept in found.scopes if kept["scope"] == scope_id]
    present = [each.node for each in stays if not is_queued(each)]
    present += [node for name in back if (node := process.find(name)) is not None]
    for starving in starved(present, filled):
        if starving.join in filled:
            raise _refused(found, f"{starving.told}, since it was moved to another version.")


def _refuse_removed(found: Retraced, notes: Iterable[RetraceRow]) -> None:
    """What an event of the undone part took away of others stays away."""
    for note in notes:
        if note.kind != "removed" or found.undone.isdisjoint(found.causes_of(note)):
            continue
        for kept in jsontext.read(note.data) if note.data is not None else [{"label": note.name, "causes": []}]:
            if found.over.isdisjoint(kept["causes"]) and kept.get("task", 0) not in found.over:
                text = f"an event has interrupted {kept['label']} since, which cannot be brought back."
                raise _refused(found, text)


def _find_variables(found: Retraced, notes: Iterable[RetraceRow]) -> None:
    """Each variable becomes what it was after the last change that stays, where later ones do not."""
    changes: dict[tuple[int, str], list[RetraceRow]] = {}
    for note in notes:
        if note.kind == "variable":
            changes.setdefault((note.token, note.name or ""), []).append(note)
    for key, rows in changes.items():
        first: RetraceRow | None = None
        concerned = False
        for note in reversed(rows):
            causes = found.causes_of(note)
            if found.over.isdisjoint(causes):
                break
            first, concerned = note, concerned or not found.undone.isdisjoint(causes)
        if first is None or not concerned:
            continue
        if first.data is None:
            raise _refused(found, f"the variable {key[1]!r} had a value that was too long to be kept: give it anew.")
        kept: Mapping[str, Any] = jsontext.read(first.data)
        found.variables[key] = kept["had"], kept.get("value")
