"""The tokens that wait for a condition, and when each has to look at its own again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ...language import effort

if TYPE_CHECKING:
    from .token import Token
    from .workflow import Workflow

CHECK = 30
"""What it costs to check a token that waits for a condition, beside its expression, in the measure of ``effort``."""


class Conditions:
    """Which conditional events of a process are to be checked, since something has changed."""

    __slots__ = ("_changed_after", "_workflow", "stale", "unchecked", "watching")

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self.watching: set[int] = set()
        self.stale = False
        self._changed_after: set[int] = set()
        """The tasks after which something has changed that a condition may depend on."""
        self.unchecked: list[int] = []
        """Those who watch a condition and have to look at it, the next one last."""

    def watch(self, token: Token) -> None:
        """A token begins to wait for a condition."""
        self.watching.add(token.id)
        # For all others nothing has changed by that.
        self.unchecked.append(token.id)

    def may_differ(self, causes: tuple[int, ...] = ()) -> None:
        """Something has changed, after these causes, that a conditional event may depend on."""
        # A wait for a condition that begins later is looked at all the same.
        if self.watching:
            self.stale = True
            self._changed_after.update(cause for cause in causes if cause > 0)

    def check(self, is_over: Callable[[], bool] | None = None) -> None:
        """Fire the conditional events whose condition has become true since it was last looked at.

        What is not looked at before the turn ``is_over`` stays to be done.
        """
        workflow = self._workflow
        while self.stale or self.unchecked:
            if self.stale:
                self.stale = False
                self.unchecked = sorted(self.watching, reverse=True)
            while self.unchecked:
                token_id = self.unchecked.pop()
                if token_id in workflow.waits and not workflow.halted:
                    token = workflow.tasks[token_id]
                    workflow.attempt(token, partial(self._check, token))
                    if is_over is not None and is_over():
                        break
            if self.unchecked:
                return
        self._changed_after.clear()

    def _check(self, token: Token) -> None:
        effort.spend(CHECK)
        for wait in self._workflow.waits[token.id]:
            if wait.kind == "condition" and token.node.has_become_true(token, wait.number):
                self._workflow.fire(token, wait.number, {}, tuple(sorted(self._changed_after)))
                return
