"""What may be asked for: a cancel, a delete, and that a failed undo goes on."""

from __future__ import annotations

from collections.abc import Sequence

from ....models import InstanceRow
from ....models.vocabulary import UNDO_BEGUN, UNDO_FAILED, UNDO_KINDS, Pending, UndoKind
from ...bpmn.running.token import STARTED, Token
from ...errors import Conflict, Invalid
from ...instance import process_slots
from ...instance.flags import Flags
from ...instance.forward import ForwardInstance, forward_of
from ...instance.instance import Instance
from ...instance.notes.folding import GOES_ON
from ...instance.notes.history import note, note_attempt
from ...ledger import ledger
from ...undo.creation import create_undo
from ...undo.instance import UndoInstance
from ...undo.order import taken_with
from ..draining import drain
from ..due import grace_over
from ..settling import settle, settle_forward
from ..undoing import begin_undo, undo_of
from . import retrying
from .suspending import lift, refuse_suspended


def begins_cancel(row: InstanceRow) -> bool:
    """Whether a cancel asked for now begins, and is no other's, refused, or the one that is there."""
    return row.kind == "start" and row.cancel_id is None and row.phase in GOES_ON


def begins_delete(row: InstanceRow, *, force: bool) -> bool:
    """The same of a delete, or of the cancel before it that ``force`` asks for."""
    if row.kind != "start" or row.delete_id is not None:
        return False
    return row.phase == "ended" or (force and begins_cancel(row))


def request_cancel(instance: Instance, *, force: bool) -> None:
    """Cancel a running or paused process; asked again, the same cancel goes on. Raises Conflict."""
    process = forward_of(instance, ", which cannot be cancelled.")
    row = process.row
    if row.cancel_id is not None:
        _ask_again(process, "cancel", row.cancel_id, ())
        if force and row.phase == "draining":
            _skip_grace(process)
        return
    if row.phase not in GOES_ON:
        raise _in_the_way(process, "cancelled")
    _fence(process, "cancel", force=force)


def request_delete(instance: Instance, *, force: bool, kept: Sequence[int]) -> None:
    """Delete what an ended process made; asked again after a failure, the same delete goes on.

    ``kept`` are the ids of tasks to retain. Raises Conflict, Invalid.
    """
    process = forward_of(instance, ", which cannot be deleted.")
    row = process.row
    if process.has(Flags.PROTECTED):
        raise _protected(process, f"Process {process.number}")
    if row.model_id is not None and process.facilities.store.catalogue.is_protected(row.model_id):
        raise _protected(process, f"The model {row.model_id} of process {process.number}")
    if row.delete_id is not None:
        _ask_again(process, "delete", row.delete_id, kept)
        return
    if kept:
        raise Invalid("Tasks can be retained only after they have failed in a delete.", code="retain-invalid")
    if row.phase == "ended":
        begin_undo(process, "delete")
        settle_forward(process)
    elif force and row.cancel_id is not None:
        row.pending = "cancel delete" if row.phase == "draining" else "delete"
        settle_forward(process)
    elif force and row.phase in GOES_ON:
        _fence(process, "cancel delete", force=False)
    else:
        raise _in_the_way(process, "deleted")


def _fence(instance: ForwardInstance, pending: Pending, *, force: bool) -> None:
    """No token moves any more: results feed the ledger only, running hooks are asked to stop, a cancel stands ready."""
    row = instance.row
    if row.suspension is not None:
        lift(instance)
    if row.phase == "queued":
        process_slots.free(instance)
    row.phase = "draining"
    row.pending = pending
    row.ended = instance.now()
    drain(instance)
    create_undo(instance, "cancel")
    if force:
        _skip_grace(instance)
    else:
        settle_forward(instance)


def _skip_grace(instance: ForwardInstance) -> None:
    instance.row.due = instance.now()
    grace_over(instance)


def _protected(instance: ForwardInstance, what: str) -> Conflict:
    text = f"{what} is protected against deletion: lift the protection first."
    return Conflict(text, code="protected", status=instance.row.status)


def _in_the_way(instance: ForwardInstance, what: str) -> Conflict:
    row = instance.row
    allowed = {
        "queued": ("cancel",),
        "running": ("cancel",),
        "suspended": ("cancel", "unsuspend"),
        "paused": ("cancel", "rerun", "resume"),
        "draining": ("cancel",),
        "ended": ("retry", "delete") if row.status.endswith(".failed") else ("delete",),
    }.get(row.phase, ())
    related = row.delete_id or row.cancel_id or row.rollback_id
    wait = f": allowed is {' or '.join(allowed)}." if allowed else ": wait until its undo has ended."
    if what == "deleted" and "cancel" in allowed:
        wait = f": allowed is {' or '.join(allowed)}, or a delete with force, which cancels it first."
    return Conflict(
        f"Process {instance.number} has the status {row.status!r} and cannot be {what} now{wait}",
        status=row.status,
        allowed=allowed,
        related=str(related) if related is not None else None,
    )


def _ask_again(origin: ForwardInstance, kind: UndoKind, undo_id: int, kept: Sequence[int]) -> None:
    if origin.row.status == UNDO_FAILED[kind] and origin.row.phase == "ended":
        resume_undo(origin, kind, undo_id, kept)
    elif kept and origin.row.status == UNDO_BEGUN[kind]:
        give_up_waiting(origin, kind, undo_id, kept)
    elif kept:
        raise Conflict(
            f"Tasks can be retained only after the {kind} has failed.", status=origin.row.status, related=str(undo_id)
        )
    elif origin.row.delete_id not in (None, undo_id):
        raise _in_the_way(origin, "cancelled" if kind == "cancel" else "deleted")


def has_failed_undo(instance: Instance) -> bool:
    """Whether an undo of this process has failed and may go on."""
    if not isinstance(instance, ForwardInstance):
        return False
    return instance.row.status in UNDO_FAILED.values() or bool(_failed_rewinds(instance))


def _failed_rewinds(origin: ForwardInstance) -> list[int]:
    """The rewinds, and what errors and compensations have undone before, that wait for somebody."""
    failed = [token.internal_data["rewinding"] for token in origin.rewinding if "failed" in token.internal_data]
    return [*dict.fromkeys(failed)]


def retry(instance: Instance, kept: Sequence[int]) -> None:
    """Let whichever undo of this process has failed go on; raises Conflict if none has, Invalid."""
    origin = forward_of(instance, ", which cannot be retried.")
    for kind in UNDO_KINDS if kept else ():
        undo_id = getattr(origin.row, f"{kind}_id")
        if origin.row.status == UNDO_BEGUN[kind] and undo_id is not None and not _failed_rewinds(origin):
            give_up_waiting(origin, kind, undo_id, kept)
            return
    found = _failed_undos(origin)
    if kept:
        # Several may have failed side by side: it is about the one in which these have.
        found = [next((each for each in found if _has_failed_in(origin, each[1], kept)), found[0])]
    for kind, undo_id in found:
        resume_undo(origin, kind, undo_id, kept)


def _has_failed_in(origin: ForwardInstance, undo_id: int, task_ids: Sequence[int]) -> bool:
    rows = undo_of(origin, undo_id).tasks.values()
    return any(number in task_ids for row in rows for number in (row.id, row.target))


def retry_failed(instance: Instance, element_id: str | None, kept: Sequence[int]) -> None:
    """Try again what has failed in a process and stands still, or its failed undo. Raises Conflict, Invalid."""
    if kept or (element_id is None and has_failed_undo(instance)):
        retry(instance, kept)
    else:
        retrying.retry(instance, element_id)


def give_up_failed(instance: Instance) -> None:
    """Retain for ever whatever the failed undo of a process could not undo; the rest goes on. Raises Conflict."""
    origin = forward_of(instance, ", which cannot be given up.")
    for kind, undo_id in _failed_undos(origin):
        undo = undo_of(origin, undo_id)
        failed = [row.id for row in undo.tasks.values() if row.status == UNDO_FAILED[kind] and not row.open]
        resume_undo(origin, kind, undo_id, [*failed, *undo.failed_handlers().values()])


def _failed_undos(origin: ForwardInstance) -> list[tuple[UndoKind, int]]:
    """Which undos of this process have failed, and their ids; raises Conflict."""
    if rewinds := _failed_rewinds(origin):
        return [("rollback", number) for number in rewinds]
    for kind in UNDO_KINDS:
        undo_id = getattr(origin.row, f"{kind}_id")
        if origin.row.status == UNDO_FAILED[kind] and undo_id is not None:
            return [(kind, undo_id)]
    raise Conflict(f"No undo of process {origin.number} has failed.", status=origin.row.status)


def give_up_waiting(origin: ForwardInstance, kind: UndoKind, undo_id: int, kept: Sequence[int]) -> None:
    """Keep for ever, on request, tasks whose undo waits until somebody says how it is carried out over HTTP.

    Raises Invalid for any other.
    """
    undo = undo_of(origin, undo_id)
    external = undo.facilities.stones.external
    waiting = [row for row in undo.tasks.values() if row.status == "stone-missing" and row.stone in external]
    chosen = [row for row in waiting if row.open and (row.id in kept or row.target in kept)]
    if unknown := set(kept) - {number for row in chosen for number in (row.id, row.target)}:
        named = ", ".join(map(str, sorted(unknown)))
        raise Invalid(
            f"While the {kind} goes on only tasks can be retained whose hook nobody has declared, not {named}.",
            code="retain-invalid",
            errors={"retain": [f"{task_id} does not wait for its hook." for task_id in sorted(unknown)]},
        )
    for row in chosen:
        undo.retain(row, undo.workflow.tasks[row.token])
    settle(undo)


def resume_undo(origin: ForwardInstance, kind: UndoKind, undo_id: int, kept: Sequence[int]) -> None:
    """The same undo instance goes on: what failed is tried again with fresh counters, or retained for ever.

    ``kept`` names tasks by the origin's task id or the undo's own; what one handler undoes is given up together.
    """
    refuse_suspended(origin)
    undo = undo_of(origin, undo_id)
    failed = [row for row in undo.tasks.values() if row.status == UNDO_FAILED[kind] and not row.open]
    handled = undo.failed_handlers()
    heads = {*handled.values(), *(row.target for row in failed if row.target is not None)}
    stands_for = taken_with(origin.tasks, heads, kind)
    kept = [stands_for.get(task_id, task_id) for task_id in kept]
    given_up = {row.id for row in failed if row.id in kept or row.target in kept}
    possible = {number for row in failed for number in (row.id, row.target)} | set(handled.values())
    unknown = set(kept) - possible
    if unknown:
        raise Invalid(
            f"Only tasks that failed in the {kind} can be retained, not {', '.join(map(str, sorted(unknown)))}.",
            code="retain-invalid",
            errors={"retain": [f"{task_id} has not failed." for task_id in sorted(unknown)]},
        )
    note(origin, "undo-ended", undo=kind, process=undo.number, status="failed", reason=undo.row.reason)
    undo.row.phase = "running"
    undo.row.status = "running"
    undo.row.ended = None
    undo.row.reason = None
    if undo.rewinds:
        for token in origin.rewinding:
            if token.internal_data["rewinding"] == undo.number:
                token.internal_data.pop("failed", None)
                origin.workflow.touched[token.id] = token
        origin.save()
    else:
        origin.row.status = UNDO_BEGUN[kind]
        origin.row.phase = "undoing"
    origin.changes.instance_changed(origin.row)
    for row in failed:
        token = undo.workflow.tasks[row.token]
        undo.workflow.failures.pop(token.id, None)
        token._set_state(STARTED)
        if row.id in given_up:
            undo.retain(row, token)
            continue
        note_attempt(undo, row, row.status, row.reason, edited=False)
        row.open = 1
        row.ended = None
        row.status = "produce.success"
        row.event = kind if row.event == kind else "start"
        row.attempt += 1
        ledger.forget_state(row)
        ledger.keep(row, tried=row.attempt - 1, survived=row.lost)
        row.owner = origin.facilities.engine_id
        undo.workflow.open_tasks.add(token.id)
        undo.changes.task_changed(row)
        undo.hand_over_undo(row, token)
    for token_id, target in handled.items():
        if target in kept:
            undo.give_up_handler(target)
        else:
            _try_handler_again(undo, undo.workflow.tasks[token_id])
    settle(undo)


def _try_handler_again(undo: UndoInstance, token: Token) -> None:
    """Let a compensation handler of several steps go on where it has failed."""
    row = undo.tasks.get(token.internal_data.get("task", 0))
    if row is None or not row.status.endswith("failed") or row.status == "produce.failed":
        undo.workflow.make_ready(token)
        return
    note_attempt(undo, row, row.status, row.reason, edited=False)
    row.open = 1
    row.ended = None
    row.owner = undo.facilities.engine_id
    row.reason = None
    undo.workflow.failures.pop(token.id, None)
    token._set_state(STARTED)
    undo.workflow.open_tasks.add(token.id)
    retrying.try_again(undo, row)
    undo.changes.task_changed(row)
