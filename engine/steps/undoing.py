"""How an undo goes on: it begins, runs until it waits, and tells its origin when it has ended."""

from __future__ import annotations

from ...models.vocabulary import UNDER_WAY, UNDO_FAILED, UNDO_SUCCEEDED, UndoKind
from .. import failpoints
from ..bpmn.running.token import READY
from ..instance.flags import Flags
from ..instance.forward import ForwardInstance
from ..ledger import ledger
from ..undo import order
from ..undo.creation import create_undo
from ..undo.instance import UndoInstance

MOST_LISTED = 50
"""How many tasks a reason names before it only counts them."""


def begin_undo(origin: ForwardInstance, kind: UndoKind) -> None:
    """Let the undo run, creating it first where that has not been done when the origin was fenced off."""
    existing: int | None = getattr(origin.row, f"{kind}_id")
    undo = create_undo(origin, kind) if existing is None else undo_of(origin, existing)
    origin.drop_tokens()
    origin.row.phase = "undoing"
    undo.row.phase = "running" if origin.row.suspension is None else "suspended"
    undo.row.suspension = origin.row.suspension
    undo.workflow.begin(None)
    settle_undo(undo)


def undo_of(origin: ForwardInstance, process_instance_id: int) -> UndoInstance:
    """The rollback, cancel or delete of a process, made by this step or before."""
    undo = origin.turn.instance(process_instance_id)
    assert isinstance(undo, UndoInstance)
    return undo


def settle_undo(undo: UndoInstance) -> None:
    """Run the workflow as far as it goes, then let the undo's own state follow, and its origin's; ends every step."""
    workflow = undo.workflow
    if undo.row.phase == "running":
        if "more" not in workflow.task_tree.internal_data:
            undo.row.due = None
        undo.advance()
    if workflow.completed and undo.row.phase in UNDER_WAY:
        undo.succeed()
        _undo_ended(undo)
    elif workflow.failures and undo.row.phase == "running" and not _goes_on(undo):
        _fail(undo)
    undo.save()


def _goes_on(undo: UndoInstance) -> bool:
    """Whether branches that do not depend on what has failed are still under way."""
    workflow = undo.workflow
    if undo.row.due is not None or undo.tasks.open_rows():
        return True
    return bool(workflow.waits) or any(token._state == READY for token in workflow.tasks.values())


def _fail(undo: UndoInstance) -> None:
    for target in set(undo.failed_handlers().values()):
        undo.mark(undo.covered(undo.origin.tasks[target]), "failed")
    undo.row.phase = "ended"
    undo.row.status = "failed"
    undo.row.ended = undo.now()
    undo.row.reason = _what_is_left(undo)
    _undo_ended(undo)


def _undo_ended(undo: UndoInstance) -> None:
    """The undo has come to its end, well or not; its origin follows in the same transaction."""
    origin, kind = undo.origin, undo.kind
    success = undo.row.status == "success"
    if undo.rewinds:
        _rewound(undo, success)
        return
    origin.row.status = (UNDO_SUCCEEDED if success else UNDO_FAILED)[kind]
    origin.row.phase = "ended"
    pending, origin.row.pending = origin.row.pending, None
    if kind == "cancel" and success and pending == "delete":
        begin_undo(origin, "delete")
    else:
        origin.row.suspension = None
    origin.save()
    failpoints.reach("undo-ended")


def _rewound(undo: UndoInstance, success: bool) -> None:
    """What is to begin again does, unless the process was stopped meanwhile; after a failure it waits for somebody."""
    origin, workflow, reason = undo.origin, undo.origin.workflow, undo.row.reason or ""
    for token_id, number in list(workflow.undos.rewinding.items()):
        if number != undo.number:
            continue
        token = workflow.tasks[token_id]
        if not success and ("undo_first" not in token.internal_data or origin.has(Flags.DEBUG) or origin.pauses(token)):
            token.note(failed=reason)
            continue
        # The undo of a process that was stopped meanwhile waits for that too.
        del workflow.undos.rewinding[token_id]
        del token.internal_data["rewinding"]
        token.internal_data.pop("undoes", None)
        workflow.touched[token_id] = token
        if not success:
            workflow.fail(token, f"At {token.node.label}: what was to be undone before could not be: {reason}")
        elif origin.row.phase in UNDER_WAY:
            workflow.undos.done(token)
    undo.origin.save()
    failpoints.reach("undo-ended")


def _what_is_left(undo: UndoInstance) -> str:
    """Which tasks failed and which remain, for whoever has to decide what to retain."""
    kind, tasks = undo.kind, undo.origin.tasks
    failed = {
        row.target: (row.namespace, row.reason)
        for row in undo.tasks.values()
        if row.status == UNDO_FAILED[kind] and row.target is not None
    }
    for token_id, target in undo.failed_handlers().items():
        handler = ledger.handler_in(tasks[target])
        namespace = tasks[target].namespace if handler is None else handler["namespace"]
        failed[target] = namespace, undo.workflow.failures[token_id]
    named = [f"{target} ({namespace}: {reason})" for target, (namespace, reason) in failed.items()]
    targets = order.taken_with(tasks, failed, kind).keys()
    passed = {row.target for row in undo.tasks.values() if not row.open} - targets
    remaining = [str(row.id) for row in order.undo_set(tasks, kind) if row.id not in targets and row.id not in passed]
    text = f"The {kind} failed for task {_listed(named)}"
    return f"{text}; {_listed(remaining)} remain to be undone." if remaining else f"{text}; nothing else remains."


def _listed(texts: list[str]) -> str:
    more = len(texts) - MOST_LISTED
    return ", ".join(texts[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
