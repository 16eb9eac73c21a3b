"""Between the engine and the stones of a test: every call of a hook is noted, and some go wrong on purpose."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..dispatch.inline import InlineDispatcher
from ..stones.hooks.task_info import TaskInfo
from ..stones.stone import Stone
from ..work import Work

Point = Literal["before", "after", "unheard"]


class Injected(Exception):
    """The failure that a test has asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of a stone's hook, as it was when it began."""

    event: str
    namespace: str
    stone: str
    process_instance_id: str
    task_id: str
    attempt: int
    idempotency_key: str
    parameters: Mapping[str, Any]
    outputs: Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class Fault:
    """What the next calls of one hook come to; ``left`` is None where it is all of them."""

    namespace: str
    event: str
    point: Point | Literal["twice"]
    error: BaseException
    left: int | None
    used: int = 0

    def __str__(self) -> str:
        return f"{self.event} of {self.namespace!r}"


class Faults:
    """The calls so far, and the faults that wait for theirs."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.waiting: list[Fault] = []
        self._staged: dict[tuple[type[Stone], str], type[Stone]] = {}

    def add(self, fault: Fault) -> None:
        """Let a fault wait for its call; those of one hook are used up one after the other."""
        self.waiting.append(fault)

    @property
    def unused(self) -> list[Fault]:
        """The faults for which no call has come."""
        return [fault for fault in self.waiting if not fault.used]

    def staged(self, stone: type[Stone], event: str) -> type[Stone]:
        """The same stone, its hook of this event noted and failing as asked."""
        found = self._staged.get((stone, event))
        if found is None:
            hook: Callable[[Stone, TaskInfo], Any] = getattr(stone, event)

            def staged(acting: Stone, task: TaskInfo) -> Any:
                return self._call(lambda given: hook(acting, given), task, stone.code)

            found = type(stone.__name__, (stone,), {event: staged, "__doc__": stone.__doc__})
            self._staged[stone, event] = found
        return found

    def _call(self, hook: Callable[[TaskInfo], Any], task: TaskInfo, code: str) -> Any:
        self._note(task, code)
        fault = self._due(task)
        if fault is None:
            return hook(task)
        if fault.point == "before":
            raise fault.error
        if fault.point == "after":
            hook(task)
            raise fault.error
        # Nothing of what this call says is heard: neither outputs nor state nor log.
        hook(_unheard(task))
        if fault.point == "unheard":
            raise fault.error
        self._note(task, code)
        return hook(task)

    def _due(self, task: TaskInfo) -> Fault | None:
        for fault in self.waiting:
            if fault.event == task.event and task.namespace == fault.namespace and fault.left != 0:
                fault.used += 1
                fault.left = None if fault.left is None else fault.left - 1
                return fault
        return None

    def _note(self, task: TaskInfo, code: str) -> None:
        self.calls.append(
            Call(
                event=task.event,
                namespace=task.namespace,
                stone=code,
                process_instance_id=task.process_instance_id,
                task_id=task.task_id,
                attempt=task.attempt,
                idempotency_key=task.idempotency_key,
                parameters=copy.deepcopy(task.parameters),
                outputs=copy.deepcopy(task.outputs),
            )
        )


def _unheard(task: TaskInfo) -> TaskInfo:
    other = copy.copy(task)
    for name in ("parameters", "outputs", "state", "put_out", "logged"):
        setattr(other, name, copy.deepcopy(getattr(task, name)))
    return other


class StagedDispatcher(InlineDispatcher):
    """Runs stones in the caller's thread, through the faults of a test."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    def stone_for(self, work: Work) -> type[Stone] | None:
        stone = super().stone_for(work)
        return None if stone is None else self.faults.staged(stone, work.event)
