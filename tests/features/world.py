"""A small world that stones change: what exists, every call of a hook, and what goes wrong on purpose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from riverstone.engine import Engine, Stone, Task, TaskInfo

Fault = Callable[[TaskInfo], Any]


@dataclass
class World:
    """``calls`` are (event, namespace) in the order in which hooks began; ``things`` maps start keys to namespaces."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    seen: list[TaskInfo] = field(default_factory=list)
    things: dict[str, str] = field(default_factory=dict)
    faults: dict[tuple[str, str], list[Fault | Exception]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wrong(self, event: str, namespace: str, *faults: Fault | Exception) -> None:
        """What the next calls of a hook do first: raise, or whatever the function does; afterwards all is well."""
        self.faults[event, namespace] = list(faults)

    def enter(self, task: TaskInfo) -> None:
        """A hook begins."""
        with self.lock:
            self.calls.append((task.event, task.namespace))
            self.seen.append(task)
            waiting = self.faults.get((task.event, task.namespace))
            fault = waiting.pop(0) if waiting else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            fault(task)

    def of(self, event: str) -> list[str]:
        """The namespaces whose hook of this event was called, in order."""
        return [namespace for called, namespace in self.calls if called == event]

    @property
    def exists(self) -> list[str]:
        """The namespaces of all that exists, sorted."""
        return sorted(self.things.values())

    def stones(self) -> list[type[Stone]]:
        """``make`` can be undone, ``watch`` is monitored too, ``mail`` can only be sent, ``shy`` has no cancel."""
        members: dict[str, Any] = {"world": self}
        return [type(kind.__name__, (kind,), {**members, "__doc__": kind.__doc__}) for kind in (Make, Watch, Mail, Shy)]


class Make(Stone):
    """Makes a thing that bears the namespace's name."""

    code = "make"
    world: ClassVar[World]

    def start(self, task: TaskInfo) -> None:
        self.world.enter(task)
        make(self.world, task)

    def rollback(self, task: TaskInfo) -> None:
        self.take_back(task)

    def cancel(self, task: TaskInfo) -> None:
        self.take_back(task)

    def delete(self, task: TaskInfo) -> None:
        self.take_back(task)

    def take_back(self, task: TaskInfo) -> None:
        """Remove what the start made, if anything."""
        self.world.enter(task)
        self.world.things.pop(task.start_key, None)


class Watch(Make):
    """Makes a thing that takes three looks to be ready."""

    code = "watch"
    monitor_interval = 10.0

    def monitor(self, task: TaskInfo) -> bool:
        self.world.enter(task)
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] >= 3)


class Mail(Stone):
    """Sends something that nobody can undo."""

    code = "mail"
    world: ClassVar[World]

    def start(self, task: TaskInfo) -> None:
        self.world.enter(task)
        make(self.world, task)


class Shy(Mail):
    """Can be deleted, but knows neither rollback nor cancel."""

    code = "shy"

    def delete(self, task: TaskInfo) -> None:
        self.world.enter(task)
        self.world.things.pop(task.start_key, None)


def make(world: World, task: TaskInfo) -> None:
    """Make the task's thing, once for each idempotency key."""
    world.things[task.idempotency_key] = task.namespace
    task.add_output("id", task.namespace)


def makes_then_fails(task: TaskInfo) -> None:
    """A fault: the thing is half made when the start fails."""
    task.add_output("half", task.namespace)
    raise RuntimeError(f"{task.namespace} broke")


def statuses(tasks: Sequence[Task]) -> dict[str, str]:
    """The status of each namespace's last task."""
    return {task.namespace: task.status for task in tasks}


def undone(tasks: Sequence[Task]) -> dict[str, str | None]:
    """What became of each namespace's last task."""
    return {task.namespace: task.undo for task in tasks}


def run(engine: Engine, key: str, variables: dict[str, Any] | None = None, **options: Any) -> Any:
    """Start a process and wait until it rests."""
    return engine.wait(engine.start(key=key, name="test", variables=variables, **options).process_instance_id, 3600)


def policy(node: str, stone: str, value: str) -> str:
    """A service task with an undo policy."""
    return (
        f'<serviceTask id="{node}" camunda:type="external" camunda:topic="{stone}"><extensionElements>'
        f'<camunda:properties><camunda:property name="undoPolicy" value="{value}"/></camunda:properties>'
        f"</extensionElements></serviceTask>"
    )
