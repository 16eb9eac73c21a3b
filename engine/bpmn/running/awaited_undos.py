"""The tokens that go on only when something is undone: of a rewind, of a compensation, of what was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from .token import STARTED
from .token_data import COMPENSATES
from .uncompensated import Uncompensated

if TYPE_CHECKING:
    from .node import Node
    from .token import Token
    from .token_data import Asked, Executed
    from .workflow import Workflow


class AwaitedUndos:
    """What is undone, or is to be, before tokens of a process go on."""

    __slots__ = ("_workflow", "askers", "handlers", "later", "rewinding", "to_undo")

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self.rewinding: dict[int, int] = {}
        """By token that is to begin again: the rewind for whose end it waits."""
        self.to_undo: dict[int, Sequence[tuple[Node, Executed]]] = {}
        """By token that waits for it: the activities whose present work is to be undone before it goes on."""
        self.handlers: dict[int, set[int]] = {}
        """The tokens of compensation handlers that are at work, by the token that has asked for them."""
        self.askers: dict[int, Uncompensated] = {}
        """The tokens that have asked for a compensation which is not through, and how far each is."""
        self.later: set[int] = set()
        """Tokens that run when nothing else does, so that all are known who ask for something at once."""

    def resume(self, token: Token) -> None:
        """Rebuild what is not saved of a token that was loaded."""
        internal = token.internal_data
        if (rewind := internal.get("rewinding")) is not None:
            self.rewinding[token.id] = rewind
        if COMPENSATES in internal:
            self.handled_by(token)
        if "undoing" in internal:
            self.askers[token.id] = Uncompensated(token)
            if token._state == STARTED and "undone" in internal:
                self.later.add(token.id)
                self._workflow.is_unfinished = True

    def handled_by(self, handler: Token) -> None:
        """A compensation handler is at work."""
        self.handlers.setdefault(handler.internal_data[COMPENSATES], set()).add(handler.id)

    def forget(self, token: Token) -> None:
        """A token is taken out."""
        if self.rewinding:
            self.rewinding.pop(token.id, None)
        if self.askers or self.handlers:
            self.askers.pop(token.id, None)
            if COMPENSATES in token.internal_data:
                asker = token.internal_data[COMPENSATES]
                at_work = self.handlers.get(asker, set())
                at_work.discard(token.id)
                if not at_work:
                    self.handlers.pop(asker, None)
                self._look_again()

    def leave(self, token: Token) -> None:
        """What the token waits to be undone goes on being undone without it, and the process does not end before."""
        workflow, number = self._workflow, self.rewinding[token.id]
        if any(each == number for token_id, each in self.rewinding.items() if token_id != token.id):
            return
        left = workflow.new_token(workflow.spec.outstanding, workflow.task_tree, None, token.causes, state=STARTED)
        if "undo_first" in token.internal_data:
            left.note(undo_first=True)
        self._wait_too(left, token)

    def wait_for(self, number: int, task_id: int) -> None:
        """Let the process not end before the undo with this number has taken back what is left of a task."""
        workflow = self._workflow
        if number not in self.rewinding.values():
            token = workflow.new_token(workflow.spec.outstanding, workflow.task_tree, None, (), state=STARTED)
            token.note(rewinding=number, undoes=[[task_id, task_id]])
            self.rewinding[token.id] = number

    def _wait_too(self, token: Token, other: Token) -> None:
        """Let a token wait for the same undo as another one."""
        internal = other.internal_data
        token.note(rewinding=internal["rewinding"], undoes=internal.get("undoes", []))
        if "failed" in internal:
            token.note(failed=internal["failed"])
        self.rewinding[token.id] = internal["rewinding"]

    def after(self, token: Token, other: Token, activities: Sequence[tuple[Node, Executed]]) -> None:
        """Let a token ask once more when that for which another one waits is undone.

        It waits in place of what was left behind to wait for that.
        """
        workflow = self._workflow
        asked: list[Asked] = [
            {"node": node.name, "id": entry["id"], "tasks": entry["tasks"]} for node, entry in activities
        ]
        token.note(asks_again=asked)
        self._wait_too(token, other)
        number = self.rewinding[token.id]
        for left in [workflow.tasks[each] for each, waits_for in self.rewinding.items() if waits_for == number]:
            if left.node is workflow.spec.outstanding:
                workflow.forget(left)
                workflow.task_tree.live -= 1

    def before(self, token: Token, activities: Sequence[tuple[Node, Executed]]) -> None:
        """Let a token that waits go on when what these executions of activities have made is undone."""
        if not self._workflow.stops_on_failure:
            # A handler that takes something back itself: what it did is undone by nobody.
            self.done(token)
            return
        token.note(undo_first=True)
        self.to_undo[token.id] = activities

    def done(self, token: Token) -> None:
        """What was to be undone before a token goes on is, or what others had begun to undo before that."""
        workflow = self._workflow
        if (asked := token.internal_data.pop("asks_again", None)) is not None:
            workflow.touched[token.id] = token
            self.to_undo[token.id] = [(workflow.node_named(each["node"], token.scope), each) for each in asked]
            return
        if "taken_back" in token.internal_data:
            token.note(undone=True)
        workflow.make_ready(token)
        self._look_again()

    def leave_out(self, token: Token) -> None:
        """Somebody goes on without what a token was to do: the handlers that it is part of have not undone all."""
        current: Token | None = token
        while self.handlers and current is not None:
            if COMPENSATES in current.internal_data:
                current.note(left_out=True)
            current = current.scope

    def _look_again(self) -> None:
        """Something has been taken back: whoever was held up by that may go on."""
        for token_id in sorted(self.askers):
            token = self._workflow.tasks[token_id]
            if token._state == STARTED and token.internal_data["undoing"] and "taken_back" not in token.internal_data:
                self.ask_later(token)

    def ask_later(self, token: Token) -> None:
        """Let a token go on with the compensation that it asks for, when nothing else runs."""
        token.note(undone=True)
        self.later.add(token.id)

    def ask_now(self) -> None:
        """Let those go on whose time has come: nothing else runs."""
        workflow = self._workflow
        later, self.later = sorted(self.later), set()
        for token in [workflow.tasks[token_id] for token_id in later if token_id in workflow.tasks]:
            if self.is_awaited(token):
                # What else is to be compensated does not wait for that.
                token.internal_data.pop("undone", None)
                workflow.attempt(token, partial(token.node.undone, token))
            elif token._state == STARTED:
                token.note(undone=True)
                workflow.make_ready(token)

    def is_awaited(self, token: Token) -> bool:
        """Whether something is undone for this token, or about to be."""
        return token.id in self.rewinding or token.id in self.to_undo
