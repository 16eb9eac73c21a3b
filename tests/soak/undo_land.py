"""The land that the stones of random processes work on: what exists, what was called, and what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from riverstone.engine import BpmnError, NotFound, Stone, TaskInfo

KINDS = ("rollback", "cancel", "delete")
HOOKS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("make", "watch", "stubborn", "risky", "hang"), KINDS),
    "shy": ("delete",),
    "mail": (),
    "doom": (),
}
"""Which undo hooks the stones have."""


@dataclass
class Land:
    """What exists, by the key of the start that made it, and every call of a hook, in order."""

    random: Random
    trouble: float = 0.08
    cursed: float = 0.0
    """How likely an undo hook is to fail whenever it is called for one task."""
    things: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """(event, task id, ``begin`` or ``done`` or ``failed``), in order."""
    curses: set[str] = field(default_factory=set)
    blessed: set[str] = field(default_factory=set)
    hurry: int = 1
    calm: bool = False
    """Whether no hook takes its time any more."""
    covered: Callable[[TaskInfo], list[str]] = lambda task: []
    """The ids of the tasks that a handler takes back."""

    def call(self, task: TaskInfo, action: Callable[[TaskInfo], Any]) -> Any:
        """Carry out a hook, which may fail before or after it has done its work, hang, and take its time."""
        self.calls.append((task.event, task.task_id, "begin"))
        fate = self.random.random()
        if self.hurry > 1 and fate > 0.7 and not self.calm:
            if fate > 0.97:
                time.sleep(0.06)  # longer than some stones' timeout, whoever asks it to stop
            elif fate > 0.9:
                task.wait_for_cancel(0.05)
            else:
                time.sleep((fate - 0.7) / 10)
        if fate < self.trouble / 2 or self.is_cursed(task):
            self.calls.append((task.event, task.task_id, "failed"))
            raise RuntimeError("failed before")
        result = action(task)
        if fate < self.trouble:
            self.calls.append((task.event, task.task_id, "failed"))
            raise RuntimeError("failed after")
        self.calls.append((task.event, task.task_id, "done"))
        return result

    def is_cursed(self, task: TaskInfo) -> bool:
        """Whether this undo hook never succeeds for this task, decided when it is first called."""
        if task.event not in KINDS:
            return False
        name = f"{task.event} {task.start_key}"
        if name not in self.curses | self.blessed:
            (self.curses if self.random.random() < self.cursed else self.blessed).add(name)
        return name in self.curses

    def peace(self) -> None:
        """From now on nothing goes wrong."""
        self.trouble = self.cursed = 0.0
        self.calm = True
        self.curses.clear()

    def made_by(self, task_id: str) -> list[str]:
        """What exists of a task."""
        return [key for key in self.things if key.rsplit("-", 2)[1] == task_id]

    def stones(self) -> list[type[Stone]]:
        """All stones of the models, working on this land."""
        kinds: tuple[type[Stone], ...] = (Make, Watch, Stubborn, Risky, Hang, Shy, Mail, Doom, Take, Sweep)
        members = {
            "land": self,
            "monitor_interval": 10.0 / self.hurry,
            "retry_backoff": 1.0 / self.hurry,
            "grace": 0.01 if self.hurry > 1 and self.random.random() < 0.3 else 240.0,
        }
        # With hardly any grace, what a hook makes after its timeout would be made too late to be taken back.
        slow = dict.fromkeys(("start", *KINDS), 0.04) if self.hurry > 1 and members["grace"] == 240.0 else {}
        made: list[type[Stone]] = []
        for kind in kinds:
            timeouts: dict[str, float] = {}
            if kind is Hang:
                timeouts = {"monitor": 25.0 / self.hurry}
            elif kind in (Make, Stubborn) and self.random.random() < 0.3:
                timeouts = slow
            own = {**members, "timeouts": timeouts, "__doc__": kind.__doc__}
            made.append(type(kind.__name__, (kind,), own))
        return made


class Mail(Stone):
    """Cannot be taken back."""

    code = "mail"
    land: ClassVar[Land]

    def start(self, task: TaskInfo) -> None:
        self.land.call(task, self.make)

    def make(self, task: TaskInfo) -> None:
        """One thing for each key, however often it is asked for."""
        self.land.things[task.idempotency_key] = task.namespace
        task.add_output("id", task.idempotency_key)

    def take_back(self, task: TaskInfo) -> None:
        """Remove what was made; what was never made or is gone is told so."""
        if self.land.things.pop(task.start_key, None) is None:
            raise NotFound(task.start_key)


class Shy(Mail):
    """Can only be deleted."""

    code = "shy"

    def delete(self, task: TaskInfo) -> None:
        self.land.call(task, self.take_back)


class Make(Shy):
    """Can be taken back in every way."""

    code = "make"

    def rollback(self, task: TaskInfo) -> None:
        self.land.call(task, self.take_back)

    def cancel(self, task: TaskInfo) -> None:
        self.land.call(task, self.take_back)

    def check(self, task: TaskInfo) -> None:
        if self.land.random.random() < self.land.trouble:
            raise RuntimeError("nobody can tell")
        if task.start_key not in self.land.things:
            raise NotFound(task.start_key)


class Stubborn(Make):
    """Tries again."""

    code = "stubborn"
    retries = 2


class Risky(Make):
    """Fails with an error of the model now and then, having made its thing or not."""

    code = "risky"

    def make(self, task: TaskInfo) -> None:
        """Make the thing, or half of it."""
        fate = self.land.random.random()
        if fate > 0.15:
            super().make(task)
        if fate < 0.3:
            self.land.calls.append((task.event, task.task_id, "failed"))
            raise BpmnError("oops", "as the model expects")


class Watch(Make):
    """Takes a few looks to be ready."""

    code = "watch"
    looks = 3

    def monitor(self, task: TaskInfo) -> bool:
        return bool(self.land.call(task, self.look))

    def look(self, task: TaskInfo) -> bool:
        """Ready at the third look."""
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] >= self.looks)


class Hang(Watch):
    """Is never ready, some of the time."""

    code = "hang"

    def look(self, task: TaskInfo) -> bool:
        """Ready at the third look, or not at all."""
        return super().look(task) and task.task_id[-1] in "02468"


class Doom(Stone):
    """Never succeeds."""

    code = "doom"
    land: ClassVar[Land]

    def start(self, task: TaskInfo) -> None:
        self.land.calls.append((task.event, task.task_id, "failed"))
        raise RuntimeError("never")


class Take(Stone):
    """A compensation handler of one task: removes what it is told."""

    code = "take"
    land: ClassVar[Land]

    def start(self, task: TaskInfo) -> None:
        self.land.call(task, self.take)

    def take(self, task: TaskInfo) -> None:
        """Remove the thing with this key."""
        self.land.things.pop(task.parameters["of"], None)


class Sweep(Stone):
    """A compensation handler of a whole activity: removes all that this made, if it is the last step."""

    code = "sweep"
    land: ClassVar[Land]

    def start(self, task: TaskInfo) -> None:
        self.land.call(task, self.sweep)

    def sweep(self, task: TaskInfo) -> None:
        """Remove what the tasks that are taken back made."""
        if task.parameters.get("last"):
            for task_id in self.land.covered(task):
                for key in self.land.made_by(task_id):
                    del self.land.things[key]
