"""What workers see of the tasks that they fetch over HTTP, and what they say of which they want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ....models import ExternalRow
from ....models.vocabulary import Hook
from ... import jsontext
from ...bpmn.elements.tasks import StoneTask
from ...clock import moment
from ...errors import Unknown, UnknownProcessInstance
from ...instance.forward import ForwardInstance
from ...instance.tasks.offers import topic_of
from ...ledger import ledger, secrets
from ...river.turn import Turn
from ...steps.tasks import external_checks
from ...steps.tasks import external_tasks as steps
from ...steps.tasks.external_tasks import TaskId, UnknownExternalTask
from ...undo.instance import UndoInstance
from ...work import CHECK, Reached
from .external_topics import Asked

if TYPE_CHECKING:
    from ....models import TaskRow
    from ...bpmn.running.node import Process
    from ...instance.instance import Instance
    from ...ledger.provenance import DefinedBy

MOST_AT_ONCE = 100
"""Tasks that one fetch gets at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What a worker fetches under one topic."""

    name: str
    lock: int
    """Milliseconds for which it has a task."""
    variables: Sequence[str] | None = None
    """The names of those that it wants; None wants all."""
    local_variables: bool = False
    """Whether it wants the inputs of the task alone."""
    business_key: str | None = None
    keys: Sequence[str] | None = None
    deployment_ids: Sequence[str] | None = None
    owners: Sequence[str | None] | None = None
    version_tag: str | None = None
    process_variables: Mapping[str, Any] = field(default_factory=dict)
    """Values that variables of the process have to have."""


@dataclass(slots=True)
class TopicLook:
    """One look at tasks of a topic, behind as many as do not fit."""

    topic: Topic
    asked: Asked
    offset: int
    has_more: bool = False

    def behind(self) -> TopicLook:
        """The look at those that come after these."""
        return TopicLook(self.topic, self.asked, self.offset + MOST_AT_ONCE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalTask:
    """One task as workers see it: offered, or locked by one of them."""

    id: str
    """The same over its deliveries."""
    task_id: str
    generation: int
    topic: str
    worker: str | None
    locked_until: datetime | None
    process_instance_id: str
    element_id: str
    event: Hook
    attempt: int
    delivery: int
    phase: Reached
    idempotency_key: str
    """That of the start in an undo too."""
    variables: Mapping[str, Any]
    retries: int | None
    """What a worker has last said, else None."""
    model_retries: int | None
    """The same, or what the model says of tries in all."""
    priority: int
    key: str
    deployment_id: str
    business_key: str | None
    owner: str | None
    created: datetime
    reason: str | None
    origin: str | None = None
    """Of an undo's task: the process instance that is undone."""
    suspended: bool = False
    version_tag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the model says to workers of Camunda 8 about the task."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """The same for those of Camunda 7."""


def read_id(text: str) -> TaskId:
    """The task that an id of workers names; raises UnknownExternalTask."""
    number, _, generation = text.partition("-")
    whole = all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (number, generation))
    if not whole:
        raise UnknownExternalTask(text)
    return TaskId(int(number), int(generation))


def shown(instance: Instance, row: TaskRow, offered: ExternalRow, topic: Topic | None = None) -> ExternalTask:
    """One task; without a topic it is shown without its variables."""
    is_check = offered.delivery == CHECK
    work = instance.work_of_check(row) if is_check else instance.work(row)
    wanted = TaskId(row.id, external_checks.GENERATION if is_check else row.generation)
    until = None if offered.until is None else moment(offered.until)
    root, defined = instance.row, instance.defined_by(row)
    process = _process(instance, defined)
    target = _origin(instance).tasks[row.target] if row.target is not None else row
    node = _node(instance, row) if target is row else None if process is None else process.find(target.node)
    said = node if isinstance(node, StoneTask) else None
    return ExternalTask(
        id=str(wanted),
        task_id=str(row.id),
        generation=wanted.generation,
        topic=offered.topic,
        worker=offered.worker,
        locked_until=until,
        process_instance_id=str(instance.number),
        element_id=target.node,
        event=work.event,  # type: ignore[arg-type]
        attempt=row.attempt,
        delivery=offered.delivery,
        phase=work.phase,
        idempotency_key=work.start_key,
        variables={} if topic is None else _variables(instance, row, topic, work.parameters, work.outputs, work.state),
        retries=ledger.kept(row).get("left"),
        model_retries=steps.retries_left(row),
        priority=offered.priority,
        key=defined.key,
        deployment_id=defined.deployment_id,
        business_key=root.business_key,
        owner=root.owner_name,
        created=moment(row.created),
        reason=row.reason,
        version_tag=None if process is None else process.version_tag,
        origin=None if root.origin is None else str(root.origin),
        headers={} if said is None else said.headers,
        properties={} if said is None else said.properties,
    )


def topic_asked(row: TaskRow, wanted: TaskId) -> str:
    """Under which topic workers have found what they ask about."""
    return external_checks.topic(row) if wanted.generation == external_checks.GENERATION else topic_of(row)


def _origin(instance: Instance) -> Instance:
    """What an undo undoes; any other instance itself."""
    return instance.origin if isinstance(instance, UndoInstance) else instance


def _process(instance: Instance, defined: DefinedBy) -> Process | None:
    """The process that a task is of; None where its deployment is there no more."""
    if defined.place == instance.row.deployment_id:
        return instance.definition.process
    try:
        return instance.facilities.definitions.process_at(defined.place)
    except Unknown:
        return None


def _node(instance: Instance, row: TaskRow) -> StoneTask | None:
    """The element of a task, but of one that undoes."""
    token = instance.workflow.tasks.get(row.token) if row.target is None else None
    node = None if token is None else token.task_spec
    return node if isinstance(node, StoneTask) else None


def _variables(
    instance: Instance, row: TaskRow, topic: Topic, parameters: str, outputs: str | None, state: str | None
) -> dict[str, Any]:
    found = jsontext.read(parameters)
    if topic.local_variables and row.target is None:
        node = _node(instance, row)
        inputs = {} if node is None else node.input_values
        found = {name: value for name, value in found.items() if name in inputs}
    for more in (outputs, state):
        found |= jsontext.read(more) if more else {}
    if topic.variables is None:
        return dict(found)
    return {name: found[name] for name in topic.variables if name in found}


def all_shown(turn: Turn, *, rows: Sequence[ExternalRow], topic: Topic | None = None) -> tuple[list[ExternalTask], int]:
    """The tasks of these rows that are still there, and how many rows there was time for."""
    found: list[ExternalTask] = []
    for place, row in enumerate(rows):
        if place and turn.is_over():
            return found, place
        try:
            instance = turn.instance(row.process_instance_id)
        except UnknownProcessInstance:
            continue
        task = instance.tasks.get(row.task_id)
        if task is not None:
            found.append(shown(instance, task, row, topic))
    return found, len(rows)


def all_failed(instance: Instance) -> list[ExternalTask]:
    """Those of a process that have failed for good and stand still."""
    waiting = instance.waits_for_somebody if isinstance(instance, ForwardInstance) else ()
    found = []
    for token in waiting:
        row = instance.tasks.get(token.internal_data.get("task", 0))
        if row is None or row.open or row.stone not in instance.facilities.stones.external:
            continue
        rank = int(ledger.kept(row).get("priority", 0))
        offered = ExternalRow(
            row.id, 0, instance.number, topic_of(row), rank, row.created, instance.row.owner_name, "", ""
        )
        found.append(shown(instance, row, offered))
    return found


def holds(instance: Instance, values: Mapping[str, Any]) -> bool:
    """Whether the variables of a process have these values; a secret one has none, or a worker could guess it."""
    asked = _origin(instance)
    known = asked.context.parameters
    if not all(name in known and known[name] == value for name, value in values.items()):
        return False
    secret = secrets.paths_in(asked.definition, known, asked.facilities.stones) if values else ()
    return not any(name in values for name, *_ in secret)
