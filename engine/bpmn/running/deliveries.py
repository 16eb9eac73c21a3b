"""Signals on their way to the tokens that wait for them, which may be more than one turn may let go on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from .token import ROOT, STARTED

if TYPE_CHECKING:
    from .token import Token
    from .token_data import Delivering
    from .workflow import Workflow

MOST_TOUCHED = 2_500
"""Tokens after which a turn is over: each is written."""


class _Delivery(NamedTuple):
    """One signal: to whom it is still to come, as tokens and the numbers of their waits, the next one last."""

    to: list[tuple[int, int]]
    payload: Mapping[str, Any]
    causes: tuple[int, ...]
    by: int
    """The token that has thrown it and waits until all have it; 0 for a signal from outside."""

    def kept(self) -> Delivering:
        """The same as it is stored."""
        to, causes = [*chain.from_iterable(self.to)], [*self.causes]
        return {"to": to, "payload": dict(self.payload), "causes": causes, "by": self.by}


class Deliveries:
    """What is delivered before anything else runs: all who waited when it was thrown get it, whoever is gone by then.

    The root keeps what is left of it at the end of a turn.
    """

    __slots__ = ("_workflow", "pending")

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self.pending: deque[_Delivery] = deque()

    def resume(self, root: Token) -> None:
        """Go on with what was left when the process was saved."""
        for each in root.internal_data.get("delivering", ()):
            to, causes = list(zip(each["to"][::2], each["to"][1::2], strict=True)), tuple(each["causes"])
            self.pending.append(_Delivery(to, each["payload"], causes, each["by"]))
            self._workflow.is_unfinished = True

    def add(
        self, receivers: Iterable[tuple[int, int]], payload: Mapping[str, Any], causes: tuple[int, ...], *, by: int = 0
    ) -> None:
        """A signal comes to these, each a token and the number of its wait, in this order."""
        self.pending.append(_Delivery([*receivers][::-1], payload, causes, by))

    def deliver(self, is_over: Callable[[], bool]) -> None:
        """Let those go on to whom something is to come; what the turn, which ``is_over``, leaves stays to be done."""
        workflow = self._workflow
        while self.pending and not workflow.halted:
            to, payload, causes, by = self.pending[0]
            while to and not workflow.halted:
                token_id, number = to.pop()
                if any(wait.number == number for wait in workflow.waits.get(token_id, ())):
                    token = workflow.tasks[token_id]
                    workflow.attempt(token, partial(workflow.fire, token, number, payload, causes))
                    if to and (len(workflow.touched) > MOST_TOUCHED or is_over()):
                        self.keep()
                        return
            if not to:
                self.pending.popleft()
                sender = workflow.tasks.get(by)
                if sender is not None and sender._state == STARTED:
                    workflow.attempt(sender, partial(sender.node.delivered, sender))
        self.keep()

    def keep(self) -> None:
        """Let the root say what is left, for whoever goes on with the process."""
        root = self._workflow.tasks.get(ROOT)
        if root is None:
            return
        if self.pending:
            root.note(delivering=[each.kept() for each in self.pending])
        elif root.internal_data.pop("delivering", None) is not None:
            self._workflow.touched[ROOT] = root
