"""One turn of the river: the events that share a transaction, and the answers to whoever asked for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ...models import Changes
from ..language import effort

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from .river import River


class Turn:
    """One transaction in the making: the instances that take part, and what follows its commit."""

    def __init__(self, river: River, *, alone: bool = False) -> None:
        """``alone`` is a turn of one event that could not be stepped with others."""
        self.river = river
        self.alone = alone
        self.changes = Changes()
        self.instances: dict[int, Instance] = {}

    def act(self, action: Action) -> Any:
        """Let one event do its part, with expressions that can only look at so much."""
        effort.begin(self.river.facilities.limits)
        try:
            return action(self)
        finally:
            effort.end()

    def instance(self, process_instance_id: int) -> Instance:
        """The instance, its copy in memory if that is kept; raises UnknownProcessInstance."""
        found = self.instances.get(process_instance_id)
        if found is None:
            found = self.river.kept(process_instance_id, self)
            self.join(found)
        return found

    def let_go(self) -> None:
        """Part what refers to one another and is not needed any more, so that it goes without a search for rubbish."""
        for instance in self.instances.values():
            if instance.row.phase == "ended":
                instance.workflow.let_go()
        self.instances.clear()

    def join(self, instance: Instance) -> None:
        """Let an instance write into this transaction."""
        self.instances[instance.row.process_instance_id] = instance
        instance.join(self)


Action = Callable[[Turn], Any]


class Answer:
    """What came of an event, for the thread that steps it; as a future, but without what other threads need."""

    __slots__ = ("_error", "_result", "is_there")

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self.is_there = False

    def set_result(self, result: Any) -> None:
        self._result = result
        self.is_there = True

    def set_exception(self, error: BaseException | None) -> None:
        self._error = error
        self.is_there = True

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result


class Awaited(Answer):
    """The same for one thread that waits for it: a single lock, where a future has a condition and its list."""

    __slots__ = ("_there",)

    def __init__(self) -> None:
        super().__init__()
        self._there = threading.Lock()
        self._there.acquire()

    def set_result(self, result: Any) -> None:
        super().set_result(result)
        self._there.release()

    def set_exception(self, error: BaseException | None) -> None:
        super().set_exception(error)
        self._there.release()

    def result(self) -> Any:
        """Wait for it; once."""
        self._there.acquire()
        return super().result()


class Posted:
    """One event in the inbox; ``otherwise`` is stepped in its place if it cannot be."""

    __slots__ = ("action", "future", "otherwise")

    def __init__(
        self, action: Action, future: Future[Any] | Answer | None = None, otherwise: Action | None = None
    ) -> None:
        self.action = action
        self.future = future
        self.otherwise = otherwise
