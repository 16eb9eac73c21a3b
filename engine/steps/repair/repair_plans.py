"""What a repair would do: it is done to a copy that nobody keeps, and told of that.

So it is refused as the repair itself would be, by the same sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from ....models import TaskRow
from ....models.vocabulary import HOOKS
from ... import jsontext
from ...bpmn.running.token import READY, Token
from ...bpmn.running.token_data import TASK
from ...errors import Invalid
from ...instance.flags import Flags
from ...instance.forward import ForwardInstance
from ...instance.instance import Instance
from ...instance.tasks.hand_over import suspended_for
from ...language import effort
from ...ledger import ledger, secrets
from ...mask import Mask
from ...stones.declarations.parameters import masked
from ...views.undo import RepairAction, RepairPlan, RepairStep
from ..attempts import take_edited
from . import failures, repairing, retrying, skipping


def check_action(action: str, parameters: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Raise Invalid for what is no repair, and for values that do not belong to it."""
    if action not in get_args(RepairAction):
        text = f"{str(action)[:50]!r} is no repair: use retry, skip or done-by-hand."
        raise Invalid(text, code="repair-action", errors={"action": [text]})
    given = {
        "parameters": parameters if action != "retry" else {},
        "outputs": outputs if action != "done-by-hand" else {},
    }
    wrong = {name: [f"Does not belong to {action}: leave it out."] for name, values in given.items() if values}
    if wrong:
        text = f"Some values do not belong to {action}: {', '.join(wrong)}."
        raise Invalid(text, code="repair-action", errors=wrong)


def plan_for_task(
    copy: Instance,
    action: RepairAction,
    task_id: int,
    *,
    parameters: Mapping[str, Any],
    outputs: Mapping[str, Any],
    attempt: int | None,
) -> RepairPlan:
    """What the repair of one task would do; raises UnknownTask, Conflict, Invalid."""
    process, _, token = failures.failed_task(copy, task_id, attempt)

    def act() -> None:
        if action == "retry":
            retrying.begin_again(copy, task_id, parameters, attempt)
        elif action == "skip":
            skipping.leave_out_task(copy, task_id, attempt)
        else:
            repairing.enter_as_made(copy, task_id, outputs, attempt)

    return _Rehearsal(process, [token]).plan(action, act)


def plan_for_element(copy: Instance, action: RepairAction, element_id: str | None) -> RepairPlan:
    """What the repair of what stands still at one element would do, or of all with None; raises Conflict, Invalid."""
    process, tokens = failures.failed(copy, element_id)

    def act() -> None:
        if action == "retry":
            retrying.begin_all_again(copy, element_id)
        elif action == "skip" and element_id is not None:
            skipping.leave_out(copy, element_id)
        else:
            text = "Of a whole process only a retry is shown, and of an element a retry or a skip: name the task."
            raise Invalid(text, code="repair-action", errors={"action": [text]})

    return _Rehearsal(process, tokens).plan(action, act)


class _Rehearsal:
    """One copy, and what stands still in it."""

    def __init__(self, process: ForwardInstance, tokens: Sequence[Token]) -> None:
        self.process = process
        self.tokens = tokens
        self.rows = {token.id: failures.row_of(process, token) for token in tokens}
        self.statuses = {number: row.status for number, row in self.rows.items() if row is not None}
        self.ready = {token.id for token in process.workflow.tasks.values() if token._state == READY}
        process.rehearse()

    def plan(self, action: RepairAction, act: Callable[[], None]) -> RepairPlan:
        """What the act has made of the copy."""
        process = self.process
        effort.begin(process.limits, process.now)
        try:
            act()
            self._take_back()
        finally:
            effort.end()
        mask = _mask_of(process)
        return RepairPlan(
            action=action,
            process_instance_id=str(process.number),
            steps=tuple([self._step(token, action, mask) for token in self.tokens]),
            next=self._next(),
        )

    def _take_back(self) -> None:
        """Let the hooks end that take an attempt back before it goes on."""
        for token in self.tokens:
            row = self._goes_on(token)
            if row is None or not row.open or row.event != "rollback":
                continue
            if ledger.kept(row).get("skip"):
                self.process.workflow.task_skipped(token, row.id)
            else:
                take_edited(self.process, row)

    def _goes_on(self, token: Token) -> TaskRow | None:
        """The task of this token from now on."""
        return self.process.tasks.get(token.internal_data.get(TASK, 0)) or self.rows[token.id]

    def _step(self, token: Token, action: RepairAction, mask: Mask | None) -> RepairStep:
        process, row = self.process, self._goes_on(token)
        workflow, element_id = process.workflow, token.node.bpmn_id.partition(":")[0]
        reason = workflow.paused.get(token.id) or workflow.failures.get(token.id)
        if row is None:
            step = RepairStep(element_id=element_id, name=token.node.label, reason=reason)
        else:
            step = self._step_of_task(token, row, element_id, action, reason)
        if mask is None:
            return step
        return replace(
            step,
            reason=None if step.reason is None else mask.mask_text(step.reason),
            stone=None if step.stone is None else mask.mask_text(step.stone),
            parameters=mask.mask_value(dict(step.parameters)),
            outputs=mask.mask_value(dict(step.outputs)),
        )

    def _step_of_task(
        self, token: Token, row: TaskRow, element_id: str, action: RepairAction, reason: str | None
    ) -> RepairStep:
        process, first = self.process, self.rows[token.id]
        stone, names = process.facilities.stone_of(row), secrets.names_in(row, process.facilities.stones)
        begins = bool(row.open) and not ledger.kept(row).get("skip")
        skipped = action == "skip" and self.statuses[token.id].endswith("failed")
        known = {} if begins or skipped or not row.outputs else jsontext.read(row.outputs)
        if row.open and reason is None and (what := suspended_for(process, row)) is not None:
            reason = f"{what} is suspended; the task goes on when that is lifted."
        return RepairStep(
            element_id=element_id,
            name=row.name or row.node,
            task_id=str((first or row).id),
            stone=row.stone,
            hook=next((hook for hook in HOOKS if row.open and hook == row.event), None),
            attempt=row.attempt + (row.event == "rollback") if begins else None,
            parameters=masked(jsontext.read(row.parameters), names[0]) if begins else {},
            beside=first is not None and row is not first,
            made=action == "done-by-hand",
            outputs=masked(known, names[1]),
            missing=() if begins else tuple(name for name in stone.outputs if name not in known),
            reason=reason,
        )

    def _next(self) -> tuple[str, ...]:
        """Where tokens stand ready that did not before."""
        tokens = self.process.workflow.tasks.values()
        ready = sorted((each for each in tokens if each._state == READY), key=lambda each: each.id)
        return tuple(dict.fromkeys(each.node.bpmn_id.partition(":")[0] for each in ready if each.id not in self.ready))


def _mask_of(process: ForwardInstance) -> Mask | None:
    """What hides the secrets of a process, with those that were given to the copy."""
    tasks = process.tasks.values() if process.has(Flags.SECRETS) else ()
    return secrets.mask_of(process.definition, lambda: process.context.parameters, tasks, process.facilities.stones)
