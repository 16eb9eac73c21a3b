"""What a hook reports after its task has ended or gone on: it feeds the ledger, and moves no token.

Where its task was undone meanwhile, the undo could not know what the hook would still make. So the row is ``left``, and
its undo is asked for once more, in the undo that there is. A process that goes on beside that ends only after it.
"""

from __future__ import annotations

from dataclasses import replace

from ...models import StragglerKey, TaskRow
from ...models.vocabulary import UNDER_WAY, UNDO_BEGUN, UNDO_KINDS
from .. import jsontext
from ..instance.forward import ForwardInstance
from ..instance.instance import Instance
from ..ledger import entries, ledger
from ..undo.instance import UndoInstance
from ..undo.nodes import UndoProcess
from ..work import Outcome
from .settling import settle
from .tasks.callbacks import take_early
from .undoing import undo_of

GONE = frozenset({"undone", "never-begun"})
"""What a row's ``undo`` says that was not so, if its hook has ended only now."""


def apply_late(instance: Instance, row: TaskRow, outcome: Outcome) -> None:
    """Enter what came of a hook that nobody waits for any more; one that was entered before changes nothing."""
    key = row.id, outcome.attempt, outcome.event, outcome.delivery
    if outcome.result == "deferred" and key in instance.stragglers.owners:
        outcome, straggled = _deferred(instance, row, outcome, key)
    else:
        straggled = instance.stragglers.has_ended(key)
    enter_late(instance, row, outcome, straggled=straggled)


def _deferred(instance: Instance, row: TaskRow, outcome: Outcome, key: StragglerKey) -> tuple[Outcome, bool]:
    """A start has deferred its task after that had ended: somebody outside may still tell of it, unless they have."""
    ledger.keep(row, signature=outcome.signature)
    told = take_early(row)
    if told is None and "told" not in ledger.kept(row):
        return outcome, instance.stragglers.goes_on_outside(key)
    if told is not None:
        outcome = replace(outcome, outputs={**outcome.outputs, **told.outputs})
    return outcome, instance.stragglers.has_ended(key)


def enter_late(instance: Instance, row: TaskRow, outcome: Outcome, *, straggled: bool) -> None:
    """The same of one that ``straggled``: it was known that it might still run, and this is its first word."""
    begun = outcome.result not in ("withdrawn", "supplied") and not outcome.unbegun
    made = begun and outcome.event == "start" and straggled
    undo = _undo_of(instance, row)
    if _is_next_attempt_due(instance, row, outcome):
        _take_back_first(row, outcome)
        said = True
    else:
        gone = row.undo in GONE or (undo is not None and undo.undoes(row))
        said = entries.enter_late(row, outcome.outputs, first=straggled, again=made and gone)
    if said or made:
        instance.tasks.outdated |= row.id in instance.tasks.older
        instance.changes.task_changed(row)
        if row.kind == ledger.START and row.undo in GONE:
            _left(instance, row, undo)
    if said or straggled:
        instance.save()


def _is_next_attempt_due(instance: Instance, row: TaskRow, outcome: Outcome) -> bool:
    """Whether the task only waits for its next attempt, and what this one has put out can be taken back before."""
    waits = row.open and row.due is not None and row.event == "start" and row.attempt == outcome.attempt + 1
    stone = instance.facilities.stones.choose(row.stone, row.parameters)
    left = row.kind in ledger.FORWARD and outcome.event in ("start", "monitor") and outcome.outputs
    return bool(waits and left and stone is not None and stone.has("rollback"))


def _take_back_first(row: TaskRow, outcome: Outcome) -> None:
    before = jsontext.read(row.outputs) if row.outputs else {}
    row.outputs = jsontext.dumps({**before, **outcome.outputs})
    row.event = "rollback"
    row.attempt = outcome.attempt


def _undo_of(instance: Instance, row: TaskRow) -> UndoInstance | None:
    """The undo of a part of its process that has this row in hand, or the newest undo that may have taken it back."""
    if not isinstance(instance, ForwardInstance):
        return None
    number = next((number for kind in reversed(UNDO_KINDS) if (number := getattr(instance.row, f"{kind}_id"))), None)
    rewind = _rewind_of(instance, row)
    if rewind is not None and (number is None or rewind.row.phase in UNDER_WAY):
        return rewind
    return None if number is None else undo_of(instance, number)


def _rewind_of(process: ForwardInstance, row: TaskRow) -> UndoInstance | None:
    """The newest undo of a part of a process that was to take this row back."""
    tasks, number = process.tasks, process.row.rewind_id
    while number is not None:
        undo = undo_of(process, number)
        spec = undo.workflow.spec
        if isinstance(spec, UndoProcess) and any(row.id in ledger.covers(tasks[each]) for each in spec.order.tasks):
            return undo
        number = undo.row.rewind_id
    return None


def _left(instance: Instance, row: TaskRow, undo: UndoInstance | None) -> None:
    row.undo = None if undo is None and row.undo == "never-begun" else "left"
    # One that was made before schema 0008 runs a model of its own; there the row waits for a delete.
    if undo is None or undo.row.phase == "created" or not isinstance(undo.workflow.spec, UndoProcess):
        return
    origin = undo.origin
    if undo.rewinds:
        if origin.row.phase not in (*UNDER_WAY, "paused") and undo.row.phase not in UNDER_WAY:
            # The undo of the whole process is about to begin, and takes it; where it has ended, a delete does.
            return
        origin.workflow.undos.wait_for(undo.number, row.id)
        undo.row.suspension = origin.row.suspension
        undo.row.phase = "running" if undo.row.suspension is None else "suspended"
    else:
        if undo.row.phase != "suspended":
            undo.row.phase = "running"
        origin.row.status = UNDO_BEGUN[undo.kind]
        origin.row.phase = "undoing"
    undo.begin_again(row)
    undo.row.status = "running"
    undo.row.ended = undo.row.reason = None
    origin.changes.instance_changed(origin.row)
    settle(undo)
