"""A process that was started: by somebody, a message, a signal or a timer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...models import RetraceRow, TaskRow
from ...models.moving import Moving
from ...models.vocabulary import UNDER_WAY
from .. import jsontext
from ..bpmn.running.failure_policy import ROLLBACK, FailurePolicy, policy_at
from ..bpmn.running.node import Node
from ..bpmn.running.retracing import StepNotes
from ..bpmn.running.token import Token
from ..errors import Conflict
from ..ledger import causality, ledger
from . import freezing, process_slots, taken_back
from .flags import Flags
from .instance import Instance
from .notes.searched import values_of
from .tasks.new_tasks import kind_of

if TYPE_CHECKING:
    from ..bpmn.running.token_data import Compensable, Executed


class ForwardInstance(Instance):
    """The host of its workflow; it stops as soon as something in it has failed, and may be undone."""

    def watch_way(self) -> None:
        """Note from now on what a rewind would need."""
        if self.row.retraced >= 0 and not self.has(Flags.MOCK):
            self.workflow.way = StepNotes()

    def load(self, moving: Moving) -> None:
        self.searched = values_of(self)
        # In one that has ended nothing moves any more: its ledger is all that an undo needs.
        if self.row.phase != "ended":
            super().load(moving)
            self.watch_way()

    @property
    def policy(self) -> FailurePolicy:
        """What follows a failure where its element does not say so."""
        if self.has(Flags.PAUSES):
            return FailurePolicy("pause", self.row.patience)
        return FailurePolicy("keep") if self.has(Flags.NO_ROLLBACK) else ROLLBACK

    def policy_of(self, token: Token) -> FailurePolicy:
        """What follows the failure of this token."""
        policy = ROLLBACK if "given_up" in token.internal_data else policy_at(token, self.policy)
        # A mock has nothing to repair.
        return ROLLBACK if policy.action == "pause" and self.has(Flags.MOCK) else policy

    def pauses(self, token: Token, *, unforeseen: bool = False) -> FailurePolicy | None:
        # A debug run stands still as a whole.
        if self.row.phase not in UNDER_WAY or self.has(Flags.DEBUG):
            return None
        if unforeseen:
            return None if self.has(Flags.MOCK) else FailurePolicy("pause")
        policy = self.policy_of(token)
        return policy if policy.action == "pause" else None

    @property
    def waits_for_somebody(self) -> list[Token]:
        """The tokens that have failed and stand still, oldest first."""
        failed = {*self.workflow.paused, *(self.workflow.failures if self.row.phase == "paused" else ())}
        return [self.workflow.tasks[token_id] for token_id in sorted(failed)]

    @property
    def rewinding(self) -> list[Token]:
        """The tokens that are to begin again when a rewind has ended."""
        return [self.workflow.tasks[token_id] for token_id in sorted(self.workflow.undos.rewinding)]

    def save(self) -> None:
        if self.workflow.paused or self.workflow.undos.rewinding or self.row.attention or self.row.phase == "paused":
            # Several may wait for one.
            stuck = {token.internal_data["rewinding"] for token in self.rewinding if "failed" in token.internal_data}
            self.row.attention = len(self.waits_for_somebody) + len(stuck)
        if (way := self.workflow.way) is not None and way.notes:
            self._keep_way(way)
        if self.row.phase == "ended" and self.row.key in self.facilities.process_quotas:
            process_slots.free(self)
        super().save()

    def _keep_way(self, way: StepNotes) -> None:
        for note in way.notes:
            number = self.row.retraced = self.row.retraced + 1
            if note.causes != way.said[0]:
                causes = jsontext.dumps(note.causes)
                way.said = note.causes, causes if len(causes) < causality.LONG_AFTER else str(number)
            else:
                causes = way.said[1]
            row = RetraceRow(self.number, number, note.kind, note.token, note.name, causes, note.data)
            self.changes.rare.new_retraces.append(row)
        way.notes.clear()

    def compensable(self, token: Token, entry: Compensable) -> tuple[int, ...]:
        if self.has(Flags.MOCK) or kind_of(token) != ledger.START:
            return tuple(token.after)
        return freezing.freeze(self, token, entry)

    def held_up(self, asker: Token) -> Callable[[Node, Executed], bool]:
        return taken_back.held_up(self, asker)

    def put_out_by(self, handler: Token) -> Mapping[str, Any]:
        found = self._put_out_by.get(handler.id)
        if found is None:
            activity = self.workflow.node_named(handler.internal_data["activity"], handler.scope)
            made = self._made_by(activity, handler)
            found = self._put_out_by[handler.id] = freezing.outputs_of(made, activity.name, len(handler.call_path))
        return found

    def _made_by(self, activity: Node, handler: Token) -> list[TaskRow]:
        """The rows of what a handler compensates."""
        entry: Executed = {"id": handler.internal_data["entry"], "tasks": handler.internal_data["tasks"]}
        return freezing.made_by(self.tasks, activity, entry, handler.call_path)

    def compensated(self, activity: Node, handler: Token) -> None:
        self._put_out_by.pop(handler.id, None)
        for row in self._made_by(activity, handler):
            row.undo = "undone"
            self.changes.task_changed(row)

    def drop_tokens(self) -> None:
        """The forward flow never goes on: nothing of it needs to be kept but the ledger."""
        for token in list(self.workflow.tasks.values()):
            self.workflow.forget(token)


def forward_of(instance: Instance, otherwise: str) -> ForwardInstance:
    """The instance, if it is a process that was started; raises Conflict for an undo, ``otherwise`` ends its text."""
    if isinstance(instance, ForwardInstance):
        return instance
    raise Conflict(
        f"Process {instance.number} is itself a {instance.row.kind}{otherwise}",
        code="is-undo",
        status=instance.row.status,
        related=str(instance.row.origin),
    )


def refuse_queued(process: ForwardInstance) -> None:
    """Raise Conflict for a process that has not begun, since it waits for a slot of a quota."""
    if process.row.phase == "queued":
        text = (
            f"Process {process.number} waits for a slot of a quota and has not begun: wait until it has, or cancel it."
        )
        raise Conflict(text, status=process.row.status)
