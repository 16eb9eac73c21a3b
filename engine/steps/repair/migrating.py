"""Moving a process to another version of its model: its tokens go to the elements of the same ids, or as they are told.

What was made, its undo order and its frozen handlers stay as they are. All is looked at before anything is moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ....models import TaskRow
from ...authoring.definitions import Definition
from ...bpmn.elements.boundary import BoundaryEvent
from ...bpmn.elements.gateways import DecidingJoin, Join
from ...bpmn.elements.subprocesses import CallActivity
from ...bpmn.running.node import Node, Process
from ...bpmn.running.token import WAITING, Token
from ...bpmn.running.token_data import CALLED, COMPENSATES, RUN, TASK
from ...errors import Conflict, Invalid
from ...instance.forward import ForwardInstance, forward_of, refuse_queued
from ...instance.instance import Instance
from ...ledger import ledger
from ...views.undo import MigrationPlan, MovedTimer
from ..settling import settle
from .joins import Starved, go_on_where_complete, is_queued, starved
from .listening import alike, join_races, listen_to_new, race_of, wait_anew


@dataclass(kw_only=True, slots=True)
class Migration:
    """Where each token of one process goes, and what stands against that."""

    process: ForwardInstance
    definition: Definition
    mapping: Mapping[str, str]
    targets: dict[int, Node] = field(default_factory=dict)
    dropped: list[Token] = field(default_factory=list)
    """Listeners whose event the other version does not have."""
    unfound: list[Token] = field(default_factory=list)
    """Tokens on elements that the other version does not have."""
    findings: dict[str, str] = field(default_factory=dict)
    """By element, what has to be mended before it can be moved."""
    busy: list[Token] = field(default_factory=list)
    """Tokens whose hook is in hand: it comes to its end first."""
    timers: list[MovedTimer] = field(default_factory=list)

    def plan(self) -> MigrationPlan:
        """What is shown of it."""
        tokens = self.process.workflow.tasks
        moves = {tokens[number].node.bpmn_id: node.bpmn_id for number, node in self.targets.items() if number in tokens}
        return MigrationPlan(
            process_instance_id=str(self.process.number),
            deployment_id=self.definition.deployment_id,
            version=self.definition.version,
            moves={old.partition(":")[0]: new.partition(":")[0] for old, new in moves.items()},
            findings=dict(self.findings),
            dropped=tuple(dict.fromkeys(token.node.bpmn_id.partition(":")[0] for token in self.dropped)),
            timers=tuple(self.timers),
            running=tuple(str(token.internal_data[TASK]) for token in self.busy),
        )


def migrate(instance: Instance, definition: Definition, mapping: Mapping[str, str]) -> None:
    """Move a process to another version of its model, or change nothing; raises Conflict, Invalid.

    Conflict has the code ``hooks-run`` while hooks of stones are in hand, which come to their end first.
    """
    migrate_beside(instance, definition, mapping)
    settle(instance)


def migrate_beside(instance: Instance, definition: Definition, mapping: Mapping[str, str]) -> None:
    """The same, where more follows in the same step."""
    migration = look(instance, definition, mapping)
    _refuse(migration)
    move(migration)


def refuse_beside(
    process: ForwardInstance,
    definition: Definition,
    mapping: Mapping[str, str],
    target: TaskRow,
    without: Callable[[Token], bool],
) -> None:
    """Refuse what would be refused if the process stood at this task, without some of its tokens."""
    _refuse(look_beside(process, definition, mapping, target, without))


def look_beside(
    process: ForwardInstance,
    definition: Definition,
    mapping: Mapping[str, str],
    target: TaskRow,
    without: Callable[[Token], bool],
) -> Migration:
    """Where everything would go if the process stood at this task; raises Conflict, Invalid where nothing can."""
    migration = look(process, definition, mapping, without)
    if definition.process.find(mapping.get(target.node, target.node)) is None:
        text = f"A token stands on {target.node!r}, and version {definition.version} has no such element"
        migration.findings[target.node] = f"{text}: map it to another."
    return migration


def _refuse(migration: Migration) -> None:
    process = migration.process
    if migration.findings:
        told = " ".join(migration.findings.values())
        errors = {element: [text] for element, text in migration.findings.items()}
        raise Invalid(f"Process {process.number} cannot be moved. {told}", code="migration-invalid", errors=errors)
    if migration.busy:
        told = ", ".join(str(token.internal_data[TASK]) for token in migration.busy[:20])
        text = f"Hooks of process {process.number} are in hand (tasks {told}): they come to their end first."
        raise Conflict(text, status=process.row.status, code="hooks-run")


def rehearse(copy: Instance, definition: Definition, mapping: Mapping[str, str]) -> MigrationPlan:
    """What moving would do, tried on a copy that nobody keeps; raises Conflict, Invalid where nothing can be moved."""
    copy.rehearse()
    migration = look(copy, definition, mapping)
    plan = migration.plan()
    if not migration.findings:
        move(migration)
    return replace(plan, timers=tuple(migration.timers))


def nothing(token: Token) -> bool:
    """No token is left out."""
    return False


def look(
    instance: Instance,
    definition: Definition,
    mapping: Mapping[str, str],
    without: Callable[[Token], bool] = nothing,
) -> Migration:
    """Where everything would go, ``without`` some tokens; raises Conflict, Invalid where nothing can."""
    process = forward_of(instance, ": it undoes what was made, by no model.")
    refuse_queued(process)
    if process.row.phase not in ("running", "suspended", "paused") or process.workflow.undos.rewinding:
        text = f"Process {process.number} has the status {process.row.status!r}, or goes back to an earlier task"
        raise Conflict(f"{text}: only what goes on forward can be moved.", status=process.row.status)
    if definition.key != process.row.key:
        text = f"The deployment is one of the key {definition.key!r}, and the process is one of {process.row.key!r}."
        raise Invalid(text, code="migration-invalid", errors={"deploymentId": [text]})
    migration = Migration(process=process, definition=definition, mapping=mapping)
    _refuse_unknown(migration)
    tokens = sorted(process.workflow.tasks.values(), key=lambda token: token.id)
    for token in tokens:
        if not without(token):
            _find_target(migration, token)
    _drop_from_races(migration)
    _refuse_merged(migration, without)
    if without is nothing:
        # Else it is looked at once the others are away.
        _refuse_starved(migration)
    return migration


def _drop_from_races(migration: Migration) -> None:
    """An event behind an event-based gateway may go with its flow, as long as another one of the race is left."""
    tasks = migration.process.workflow.tasks
    left = {race_of(tasks[number]) for number in migration.targets} - {None}
    for token in migration.unfound:
        element = token.node.name.partition(":")[0]
        if race_of(token) in left and element not in migration.mapping:
            migration.dropped.append(token)
            continue
        text = f"A token stands on {token.node.label}, and version {migration.definition.version} has no such element"
        migration.findings[element] = f"{text}: map it to another."


def _refuse_merged(migration: Migration, without: Callable[[Token], bool]) -> None:
    """What tokens have come to by flows of two elements cannot be told apart any more at one."""
    tasks, mapping = migration.process.workflow.tasks, migration.mapping
    for scope in [tasks[number] for number in migration.targets if number in tasks]:
        queued = [token.node.name for token in scope.inside.values() if is_queued(token) and not without(token)]
        known: dict[str, str] = {}
        for name in dict.fromkeys([*queued, *scope.internal_data.get("started", ())]):
            first = known.setdefault(mapping.get(name, name), name)
            if first != name:
                text = f"Tokens wait at {first!r} and at {name!r}, which would be one element in the other version"
                migration.findings[name] = f"{text}: map each to one of its own."


def _refuse_starved(migration: Migration) -> None:
    """A join that gets another incoming flow after its tokens were sent out waits for ever."""
    for scope in [migration.process.workflow.tasks[number] for number in migration.targets]:
        tokens = [token for token in scope.inside.values() if token.id in migration.targets]
        if not tokens or migration.targets[scope.id] is scope.node or "left" in scope.internal_data:
            # Inside of a sequential ad-hoc sub-process more may begin anywhere.
            continue
        before = {each.join.bpmn_id for each in _starved([(token, token.node) for token in tokens])}
        before = {migration.mapping.get(element, element) for element in before}
        for each in _starved([(token, migration.targets[token.id]) for token in tokens]):
            if each.join.bpmn_id not in before:
                text = f"In version {migration.definition.version} {each.told}"
                text += ": rewind with that version to a task before these branches, or move it to another version."
                migration.findings[each.join.bpmn_id] = text


def _starved(standing: Sequence[tuple[Token, Node]]) -> list[Starved]:
    filled: dict[Node, set[str | None]] = {}
    for token, node in standing:
        if is_queued(token):
            filled.setdefault(node, set()).add(token.flow)
    return starved([node for token, node in standing if not is_queued(token)], filled)


def _refuse_unknown(migration: Migration) -> None:
    here = {node.bpmn_id for node in migration.process.definition.process.walk()}
    there = {node.bpmn_id for node in migration.definition.process.walk()}
    errors = {old: [f"This version has no element {old[:80]!r}."] for old in migration.mapping if old not in here}
    for old, new in migration.mapping.items():
        if new not in there:
            errors.setdefault(old, []).append(f"The other version has no element {new[:80]!r}.")
    if errors:
        told = " ".join(text for texts in errors.values() for text in texts)
        raise Invalid(f"The mapping names what there is not. {told}", code="migration-invalid", errors=errors)


def _find_target(migration: Migration, token: Token) -> None:
    scope, node = token.scope, token.node
    if scope is None:
        migration.targets[token.id] = migration.definition.process.root
        return
    if scope.id not in migration.targets:
        # What is around it has a finding, or is dropped.
        return
    body = _inside(migration, scope)
    if body is None or node.process is body:
        migration.targets[token.id] = node
        return
    element, _, part = node.name.partition(":")
    name = migration.mapping.get(element, element) + (f":{part}" if part else "")
    target = body.nodes.get(name) or body.find(name)
    if target is None and not node.counts:
        migration.dropped.append(token)
    elif target is None:
        migration.unfound.append(token)
    elif (misfit := _misfit(migration, token, target, body)) is not None:
        migration.findings[element] = misfit
    else:
        migration.targets[token.id] = target
        row = migration.process.tasks.get(token.internal_data.get(TASK, 0))
        held_back = row is None or row.status in ledger.HELD_BACK
        if row is not None and row.open and row.stone is not None and row.due is None and not held_back:
            migration.busy.append(token)


def _inside(migration: Migration, scope: Token) -> Process | None:
    """The process that stands inside of a scope's target; None where that was called, and stays as it was deployed."""
    target = migration.targets[scope.id]
    if CALLED in scope.internal_data:
        called = scope.internal_data["deployment"] is None and isinstance(target, CallActivity)
        return target.own_process if called and isinstance(target, CallActivity) else None
    if scope.scope is None:
        return migration.definition.process
    return target.body or target.process


def _misfit(migration: Migration, token: Token, target: Node, body: Process) -> str | None:
    """Why a token cannot stand on this element, if it cannot."""
    node = token.node
    if type(target) is not type(node):
        return f"{node.label} and {target.label} of the other version are not of one kind: map it to another."
    if target.process is not body:
        return f"{target.label} is inside of something else in the other version: no token can go there."
    if RUN in token.internal_data or getattr(node, "loop", None) is not None:
        return f"{node.label} is repeated: wait until its runs are through."
    if getattr(target, "loop", None) is not None:
        return f"{target.label} is repeated in the other version: wait until {node.label} has ended."
    if COMPENSATES in token.internal_data or "undoing" in token.internal_data:
        return f"A compensation is under way at {node.label}: wait until it has ended."
    if isinstance(target, Join) and token._state == WAITING and token.flow not in target.incoming_ids:
        return f"A token waits at {node.label}, into which no flow {token.flow!r} leads in the other version."
    if isinstance(target, BoundaryEvent):
        host = migration.targets.get(token.internal_data.get("host", 0))
        if host is not target.host:
            return f"{target.label} is on the border of something else in the other version."
    return None


# -- doing it


def move(migration: Migration) -> None:
    """Put every token on its target; nothing stands against it any more."""
    process, workflow = migration.process, migration.process.workflow
    for token in migration.dropped:
        if token.id in workflow.tasks:
            workflow.cancel_token(token)
    before = {number: workflow.tasks[number].node for number in migration.targets if number in workflow.tasks}
    # What begins from now on begins on the other version.
    process.definition, workflow.spec = migration.definition, migration.definition.process
    process.row.deployment_id = migration.definition.deployment_id
    process.row.model_id = migration.definition.model_id
    process.changes.begun.setdefault(migration.definition.deployment_id, False)
    for number, node in before.items():
        _put(migration, workflow.tasks[number], node)
    for scope in list(workflow.tasks.values()):
        _rename(migration, scope)
    workflow.undecided = {
        (token.scope.id, token.node.name): token.node
        for token in workflow.tasks.values()
        if token.scope is not None and token._state == WAITING and isinstance(token.node, DecidingJoin)
    }
    for number, node in before.items():
        if number in workflow.tasks:
            listen_to_new(workflow.tasks[number], node, migration.mapping)
    join_races(workflow)
    go_on_where_complete(workflow)
    workflow.conditions.may_differ()


def _put(migration: Migration, token: Token, before: Node) -> None:
    process, target = migration.process, migration.targets[token.id]
    token.task_spec = target
    process.workflow.touched[token.id] = token
    if CALLED in token.internal_data:
        target.find_body(token)
    row = process.tasks.get(token.internal_data.get(TASK, 0))
    if row is not None and row.open and row.node != target.name:
        row.node = target.name
        process.changes.task_changed(row)
    if row is not None and not row.open and row.stone is not None and row.status.endswith("failed"):
        # It is tried again with what this version says.
        ledger.keep(row, moved=True)
        process.changes.task_changed(row)
    waits = process.workflow.waits.get(token.id)
    if waits and token.id not in process.workflow.paused and not alike(before.definitions, target.definitions):
        wait_anew(token, before, migration.timers)


def _leading_in(
    migration: Migration, scope: Token, name: str, taken: list[str | None] | None
) -> list[str | None] | None:
    """Of the flows whose tokens have started a complex gateway those that lead to it in the other version."""
    body = migration.definition.process if scope.scope is None else scope.node.body
    node = None if body is None or CALLED in scope.internal_data else body.nodes.get(name)
    if taken is None or node is None:
        return taken
    leading = {flow.id for flow in node.incoming}
    return [flow_id for flow_id in taken if flow_id in leading]


def _rename(migration: Migration, scope: Token) -> None:
    """Let a scope know its joins, and what it remembers for a compensation, by their names in the other version."""
    if scope.joins:
        waiting = [
            (name, [token for queue in queues.values() for token in queue]) for name, queues in scope.joins.items()
        ]
        scope.joins = {tokens[0].node.name if tokens else name: scope.joins[name] for name, tokens in waiting}
    mapping, internal = migration.mapping, scope.internal_data
    if started := internal.get("started"):
        started = {mapping.get(name, name): taken for name, taken in started.items()}
        internal["started"] = {name: _leading_in(migration, scope, name, taken) for name, taken in started.items()}
    if not mapping:
        return
    if left := internal.get("left"):
        internal["left"] = [mapping.get(name, name) for name in left]
    pending = list(internal.get("compensable", ()))
    while pending:
        entry = pending.pop()
        entry["node"] = mapping.get(entry["node"], entry["node"])
        pending.extend(entry["inner"])
