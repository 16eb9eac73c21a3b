"""A process that was started: by somebody, a message, a signal or a timer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bpmn.running.node import Node
from ..bpmn.running.token import Token
from . import freezing, ledger
from .flags import Flags
from .instance import Instance, kind_of

if TYPE_CHECKING:
    from ..bpmn.running.token_data import Compensable, Executed


class ForwardInstance(Instance):
    """The host of its workflow; it stops as soon as something in it has failed, and may be undone."""

    def load(self) -> None:
        # In one that has ended nothing moves any more: its ledger is all that an undo needs.
        if self.row.phase != "ended":
            super().load()

    def compensable(self, token: Token, entry: Compensable) -> tuple[int, ...]:
        if self.has(Flags.MOCK) or kind_of(token) != ledger.START:
            return tuple(token.after)
        return freezing.freeze(self, token, entry)

    def compensated(self, activity: Node, handler: Token) -> None:
        entry: Executed = {"id": handler.internal_data["entry"], "tasks": handler.internal_data["tasks"]}
        for row in freezing.made_by(self.tasks, activity, entry, handler.call_path):
            row.undo = "undone"
            self.changes.task_changed(row)

    def drop_tokens(self) -> None:
        """The forward flow never goes on: nothing of it needs to be kept but the ledger."""
        for token in list(self.workflow.tasks.values()):
            self.workflow._forget(token)
