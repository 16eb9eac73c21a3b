"""How tasks begin: their row of the ledger, what it freezes, and who gets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ....models import TaskRow
from ....models.vocabulary import LedgerEvent, TaskKind
from ... import jsontext
from ...bpmn.elements.tasks import StoneTask, run_namespace
from ...bpmn.running.token import STARTED, Token
from ...bpmn.running.token_data import COMPENSATES, RUN
from ...errors import ExpressionError, Invalid, LimitExceeded
from ...ledger import causality, ledger, secrets
from ..flags import Flags
from . import user_tasks
from .hand_over import hand_over
from .task_parameters import code_of, resolve

if TYPE_CHECKING:
    from ..instance import Instance


def begin_stone(instance: Instance, token: Token, node: StoneTask) -> None:
    """Begin the task of a stone at which a token has arrived, or let it wait for the stone."""
    code = node.fixed_code or code_of(node, token.context)
    used = code, instance.row.deployment_id
    if used not in instance.facilities.stone_uses:
        instance.changes.rare.new_stone_uses[used] = instance.facilities.stone_uses
    row = _new_stone_task(instance, token, node, code)
    if code not in instance.facilities.stones:
        ledger.miss_stone(row, instance.now())
        return
    produce(instance, row, token, node, given=token.internal_data.pop("given", None))


def _new_stone_task(instance: Instance, token: Token, node: StoneTask, code: str) -> TaskRow:
    event: LedgerEvent = "mock" if instance.row.flags & Flags.MOCK else "start"
    namespace = run_namespace(node.namespace, token) if RUN in token.internal_data else node.namespace
    row = new_task(instance, token, code, namespace, kind=kind_of(token), event=event)
    if node.undo_policy != "delete":
        row.policy = node.undo_policy
    if node.retrying:
        ledger.keep(row, **node.retrying)
    if node.undo_retrying:
        ledger.keep(row, undo_retrying=node.undo_retrying)
    return row


def begin_beside(
    instance: Instance,
    token: Token,
    node: StoneTask,
    failed: TaskRow,
    parameters: Mapping[str, Any],
    references: Sequence[str],
) -> TaskRow:
    """Begin another task in the place of one that has failed and stays as it is, with parameters as they are."""
    row = _new_stone_task(instance, token, node, failed.stone or "")
    row.parameters = jsontext.dumps(parameters)
    if (priority := ledger.kept(failed).get("priority")) is not None:
        ledger.keep(row, priority=priority)
    instance.weight.add(row.locals, row.parameters)
    stone = instance.facilities.stones.choose(row.stone, row.parameters)
    if stone is None:
        ledger.miss_stone(row, instance.now())
        return row
    if secrets.keep(row, stone, references):
        instance.row.flags |= Flags.SECRETS
    hand_over(instance, row, stone)
    return row


def produce(
    instance: Instance, row: TaskRow, token: Token, node: StoneTask, given: Mapping[str, Any] | None = None
) -> None:
    """Freeze a task's parameters, those ``given`` before the model's, and hand it over.

    Raises Invalid, ReferenceNotFound, ExpressionError or LimitExceeded; then the task has ended without having
    begun.
    """
    try:
        stone, parameters, references = resolve(
            instance.facilities.stones, token, node, row.stone or "", mock=row.event == "mock", given=given
        )
        secrets.refuse_others(parameters, references, instance.row.owner_name)
        if (priority := node.priority_in(token.context)) != 0:
            ledger.keep(row, priority=priority)
        if stone.external and not stone.parameters:
            parameters = {**_visible_to(instance, token), **parameters}
        if parameters:
            instance.weight.foresee(parameters)
        text = jsontext.dumps(parameters) if parameters else "{}"
        instance.weight.add(row.locals, text)
    except (Invalid, ExpressionError, LimitExceeded) as error:
        row.undo = "never-begun"
        instance.end_task(row, "produce.failed", error.message)
        instance.workflow.open_tasks.discard(token.id)
        raise
    row.undo = None
    row.parameters = text
    if (stone.parameters or stone.secret_outputs) and secrets.keep(row, stone, references):
        instance.row.flags |= Flags.SECRETS
    hand_over(instance, row, stone)


def _visible_to(instance: Instance, token: Token) -> dict[str, Any]:
    """The variables that a worker who has declared nothing gets: all that its task sees, but no secret one."""
    found = token.context.visible()
    template = instance.definition.parameter_template
    for name, *inside in template.secret_paths if template is not None else ():
        if not inside:
            found.pop(name, None)
        elif isinstance(members := found.get(name), Mapping):
            found[name] = {member: value for member, value in members.items() if member != inside[0]}
    return found


def begin_user_task(instance: Instance, token: Token) -> None:
    """Begin the task of a person at which a token has arrived."""
    namespace = run_namespace(token.node.namespace, token)
    # Before there is a row, since it may go wrong.
    to = user_tasks.assigned(instance, token)
    row = new_task(instance, token, None, namespace, kind="start", event="user")
    row.status = "running"
    user_tasks.begin(instance, row, to)
    instance.people += 1
    if inputs := token.node.input_values:
        given = {name: token.data[name] for name in inputs}
        instance.weight.foresee(given)
        row.parameters = jsontext.dumps(given)
    instance.weight.add(row.locals, row.parameters)


def new_task(
    instance: Instance, token: Token, code: str | None, namespace: str, *, kind: TaskKind, event: LedgerEvent
) -> TaskRow:
    """A new row of the ledger, in the transaction of this step and so before its hand-over."""
    node, scope, causes = token.task_spec, token.scope, token.causes
    facilities = instance.facilities
    path = token.place if scope is not None and scope.scope is not None else None
    # By position, in the order of the record, up to its status: keywords would add 0.8 % to the cost of a step.
    row = TaskRow(
        _new_id(
            instance,
        ),
        instance.row.process_instance_id,
        token.id,
        scope.id if scope is not None else 0,
        node.name,
        namespace,
        code,
        kind,
        event,
        "produce.success",
        "{}",
        created=facilities.clock.now(),
        owner=facilities.engine_id,
    )
    if causes:
        if causes is instance.followed[0] or causes == instance.followed[0]:
            row.after = instance.followed[1]
        else:
            row.after = f"[{','.join([str(cause) for cause in causes if cause > 0])}]"
            instance.followed = causes, row.after if len(row.after) < causality.LONG_AFTER else str(row.id)
    if node.bpmn_name:
        row.name = node.bpmn_name[:255]
    if token.data and (own := node.data_before_inputs(token)):
        instance.weight.foresee(own)
        row.locals = jsontext.dumps(own)
    if path:
        row.path = jsontext.dumps(path)
    row.run = token.internal_data.get("run")
    task_id = row.id
    instance.tasks[task_id] = instance.changes.new_tasks[task_id] = row
    token._state = STARTED
    token.internal_data["task"] = task_id
    instance.workflow.touched[token.id] = token
    instance.workflow.open_tasks.add(token.id)
    return row


def _new_id(instance: Instance) -> int:
    """An id that no fold stands for: another engine may have taken later ones before."""
    store, folded = instance.facilities.store, instance.row.folded
    task_id = store.ids.next()
    return task_id if task_id > folded else store.ids.above(folded)


def kind_of(token: Token) -> TaskKind:
    """What a new row of the ledger is: a compensation handler, or something inside one, is itself an undo."""
    current: Token | None = token
    while current is not None:
        if COMPENSATES in current.internal_data:
            return ledger.COMPENSATION
        current = current.scope
    return ledger.START
