"""One random process with random faults and requests, and what must hold of it whatever happened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from riverstone.engine import Clock, Conflict, Engine, NotFound, Stone, Task, TaskInfo, VirtualClock
from riverstone.models import Changes

from .undo_models import RandomModel

KINDS = ("rollback", "cancel", "delete")
UNDOABLE = {"make": KINDS, "watch": KINDS, "stubborn": KINDS, "shy": ("delete",), "mail": ()}


class Killed(BaseException):
    """The process died at this point; nothing of it may catch this."""


@dataclass
class Land:
    """What exists, by the key of the start that made it, and every call of a hook, in order."""

    random: Random
    trouble: float = 0.08
    things: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """(event, task id, ``begin`` or ``done`` or ``failed``), in order."""
    hurry: int = 1

    def call(self, task: TaskInfo, action: Callable[[TaskInfo], Any]) -> Any:
        """Carry out a hook, which may fail before or after it has done its work, and take its time."""
        self.calls.append((task.event, task.task_id, "begin"))
        fate = self.random.random()
        if self.hurry > 1 and fate > 0.7:
            if fate > 0.9:
                task.wait_for_cancel(0.05)
            else:
                time.sleep((fate - 0.7) / 10)
        if fate < self.trouble / 2:
            self.calls.append((task.event, task.task_id, "failed"))
            raise RuntimeError("failed before")
        result = action(task)
        if fate < self.trouble:
            self.calls.append((task.event, task.task_id, "failed"))
            raise RuntimeError("failed after")
        self.calls.append((task.event, task.task_id, "done"))
        return result

    def stones(self) -> list[type[Stone]]:
        """All stones of the models, working on this land."""
        kinds: tuple[type[Stone], ...] = (Make, Watch, Stubborn, Shy, Mail, Take)
        members = {
            "land": self,
            "monitor_interval": 10.0 / self.hurry,
            "retry_backoff": 1.0 / self.hurry,
            "grace": 0.01 if self.hurry > 1 and self.random.random() < 0.3 else 240.0,
        }
        return [type(kind.__name__, (kind,), {**members, "__doc__": kind.__doc__}) for kind in kinds]


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


class Stubborn(Make):
    """Tries again."""

    code = "stubborn"
    retries = 2


class Watch(Make):
    """Takes a few looks to be ready."""

    code = "watch"

    def monitor(self, task: TaskInfo) -> bool:
        return bool(self.land.call(task, self.look))

    def look(self, task: TaskInfo) -> bool:
        """Ready at the third look."""
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] >= 3)


class Take(Stone):
    """A compensation handler: removes what it is told."""

    code = "take"
    land: ClassVar[Land]

    def start(self, task: TaskInfo) -> None:
        self.land.call(task, self.take)

    def take(self, task: TaskInfo) -> None:
        """Remove the thing with this key."""
        self.land.things.pop(task.parameters["of"], None)


class UndoCase:
    """Plays one case: faults of stones, deaths of the engine, and requests at random moments.

    Its seed determines it, unless hooks run on ``threads``: then they also take their time, and the engine never dies.
    """

    def __init__(self, seed: int, folder: Path, *, threads: bool = False) -> None:
        self.random = Random(seed)
        self.file = folder / f"case-{seed}.db"
        self.threads = threads
        self.clock: Clock = Clock() if threads else VirtualClock(1_800_000_000_000)
        self.land = Land(self.random, self.random.choice((0.0, 0.05, 0.15)), hurry=500 if threads else 1)
        self.model = RandomModel(self.random, hurry=self.land.hurry)
        self.deadly = 0.0 if threads else self.random.choice((0.0, 0.03, 0.1))
        self.history: list[str] = []
        self.started = ""
        self.most_tasks: int | None = None
        self.engine = self.open()

    # -- the engine

    def open(self) -> Engine:
        """A new engine on the same file, of which every commit may be the last thing it does, or just not."""
        if self.file.exists():
            with sqlite3.connect(self.file) as connection:
                connection.execute("UPDATE engine_node SET pid_started = 'gone'")
            connection.close()
        engine = Engine(
            f"sqlite:///{self.file}",
            clock=self.clock,
            stones=self.land.stones(),
            dispatcher="threads" if self.threads else "inline",
            threads=3,
        )
        if self.threads:
            return engine
        commit = engine._store.commit

        def commit_or_die(changed: Changes) -> None:
            fate = self.random.random()
            if fate < self.deadly / 2:
                raise Killed
            commit(changed)
            if fate < self.deadly:
                raise Killed

        engine._store.commit = commit_or_die  # type: ignore[method-assign]
        return engine

    def alive(self, action: Callable[[], Any]) -> Any:
        """Do something with an engine that may die of it; then another one takes over."""
        try:
            return action()
        except Killed:
            self.history.append("killed")
            self.engine._store.close()
            return self.reopen()

    def reopen(self) -> None:
        """Open an engine, which may die while it opens."""
        while True:
            try:
                self.engine = self.open()
                return
            except Killed:
                self.history.append("killed while opening")

    # -- the play

    def play(self) -> None:
        """Run the case to its end and check it on the way; raises AssertionError."""
        deadly, self.deadly = self.deadly, 0.0
        if self.random.random() < 0.2:
            model_id = self.engine.save_model(self.model.source()).model_id
            start = {"model_id": model_id}
        else:
            self.engine.deploy(self.model.source())
            start = {"key": "main"}
        self.deadly = deadly
        rollback = self.random.random() < 0.85
        self.alive(lambda: self.engine.start(name="case", rollback=rollback, **start))  # type: ignore[arg-type]
        found = [known for known in self.engine.instances(limit=9).items if known.kind == "start"]
        if not found:
            return  # It died before the start was durable.
        self.started = found[0].process_instance_id
        for _ in range(self.random.randint(1, 25)):
            self.alive(self.random.choice((*[self.pass_time] * 4, self.ask, self.ask, self.restart)))
            self.check_fence()
        self.come_to_rest()
        self.check()
        self.finish()

    def pass_time(self) -> None:
        """Some seconds go by."""
        if isinstance(self.clock, VirtualClock):
            self.clock.advance(self.random.choice((1, 6, 11)))
            self.engine.run_pending()
        else:
            time.sleep(self.random.choice((0.002, 0.01, 0.02)))

    def restart(self) -> None:
        """The engine is closed in good order, and another opened."""
        self.history.append("restart")
        self.engine.close()
        self.engine = self.open()

    def ask(self) -> None:
        """Somebody wants something, whether it is allowed or not."""
        engine, started = self.engine, self.started
        failed = [task.task_id for task in engine.tasks(started) if task.status.endswith("failed")]
        wishes: list[Callable[[], Any]] = [
            lambda: engine.cancel(started),
            lambda: engine.cancel(started, force=True),
            lambda: engine.delete(started),
            lambda: engine.delete(started, force=True),
            lambda: engine.retry_undo(started),
            *(lambda task_id=task_id: engine.rerun(task_id) for task_id in failed[:2]),
            *(lambda task_id=task_id: engine.rerun(task_id) for task_id in failed[:2]),
            *(lambda task_id=task_id: engine.resume(task_id) for task_id in failed[:1]),
            lambda: None,
            lambda: None,
            lambda: None,
        ]
        number = self.random.randrange(len(wishes))
        before = engine.get(started)
        try:
            wishes[number]()
        except Conflict:
            self.history.append(f"{number} refused in {before.status}")
            assert self.threads or engine.get(started) == before, "a refused request changed something"
        else:
            self.history.append(f"{number} in {before.status}")

    def come_to_rest(self) -> None:
        """Let everything happen that happens by itself."""
        for _ in range(1500 if self.threads else 400):
            if self.at_rest():
                break
            self.alive(self.pass_time)
            self.check_fence()
        record = self.engine.get(self.started)
        if record.paused:
            task = self.engine.tasks(self.started)[0].task_id
            self.alive(lambda: self.engine.resume(task))
            self.come_to_rest()
            return
        assert self.at_rest(), f"it never came to rest: {record.status}, {self.engine.tasks(self.started)}"

    def at_rest(self) -> bool:
        """Whether the process and all that undoes it has ended, or stands still."""
        record = self.engine.get(self.started)
        return record.paused or not (record.status in ("running", "debug") or record.status.endswith(".begin"))

    # -- what must hold

    def check_fence(self) -> None:
        """Once the process is undone, no token makes another task."""
        count = len(self.engine.tasks(self.started))
        if self.most_tasks is not None:
            assert count == self.most_tasks, "a token moved after the fence"
        elif self.engine.get(self.started).status not in ("running", "debug"):
            self.most_tasks = count

    def undos(self) -> dict[str, list[Task]]:
        """The tasks of each undo, and that there is one of each kind at most."""
        record = self.engine.get(self.started)
        linked = {kind: getattr(record, f"{kind}_process_instance_id") for kind in KINDS}
        made = [known for known in self.engine.instances(limit=99).items if known.kind != "start"]
        assert sorted(known.process_instance_id for known in made) == sorted(filter(None, linked.values()))
        assert all(known.origin_process_instance_id == self.started for known in made)
        return {known.kind: self.engine.tasks(known.process_instance_id) for known in made}

    def check(self) -> None:
        """Everything that holds of a process that is at rest."""
        record = self.engine.get(self.started)
        tasks = {task.task_id: task for task in self.engine.tasks(self.started)}
        undos = self.undos()
        begun = {task_id for event, task_id, _ in self.land.calls if event in ("start", "monitor")}
        rows = self.undo_marks()
        action, _, end = record.status.partition(".")
        assert record.end_time is not None
        for task in tasks.values():
            assert task.end_time is not None, f"{task} is open in a process at rest"
            if rows[task.task_id] == "never-begun":
                assert task.task_id not in begun, f"{task} is said never to have begun"
        mine = [task for task in tasks.values() if task.kind == "start"]
        marks = {task.task_id: rows[task.task_id] for task in mine}
        settled = {"undone", "retained", "skipped", "never-begun"}
        if end == "success":
            assert set(marks.values()) <= settled, marks
        elif end == "failed":
            self.check_what_is_left(tasks, marks)
        else:
            assert record.status in ("success", "failed"), record.status
            assert not undos
        for task_id, mark in marks.items():
            # What is made after its grace is over is made too late.
            if mark == "undone" and tasks[task_id].status != "unknown":
                assert not self.made_by(task_id), f"{tasks[task_id]} is undone but exists"
        self.check_order(tasks, undos)
        self.check_nothing_due()
        if end == "success":
            self.check_repeating(action)

    def undo_marks(self) -> dict[str, str | None]:
        """What the ledger says became of each task."""
        with sqlite3.connect(self.file) as connection:
            found = connection.execute("SELECT id, undo FROM task").fetchall()
        connection.close()
        return {str(task_id): mark for task_id, mark in found}

    def made_by(self, task_id: str) -> list[str]:
        """What exists of a task."""
        return [key for key in self.land.things if key.rsplit("-", 2)[1] == task_id]

    def check_what_is_left(self, tasks: dict[str, Task], marks: dict[str, str | None]) -> None:
        """After a failed undo: what was not tried waits for something that failed."""
        failed = {task_id for task_id, mark in marks.items() if mark == "failed"}
        assert failed
        before_failed = set().union(*(ancestors(tasks, task_id) for task_id in failed))
        for task_id, mark in marks.items():
            assert mark is not None or task_id in before_failed, f"{tasks[task_id]} was forgotten"

    def check_order(self, tasks: dict[str, Task], undos: dict[str, list[Task]]) -> None:
        """Each undo hook is called only after the undo of all that came after its task has been done."""
        target = {undo.task_id: undo.origin_task_id or "" for known in undos.values() for undo in known}
        kind = {undo.task_id: undo.kind for known in undos.values() for undo in known}
        first: dict[tuple[str, str], int] = {}
        done: dict[tuple[str, str], int] = {}
        for moment, (_, task_id, what) in enumerate(self.land.calls):
            if task_id in target:
                at = (kind[task_id], target[task_id])
                first.setdefault(at, moment)
                if what == "done":
                    done.setdefault(at, moment)
        for (which, task_id), began in first.items():
            for later, after in tasks.items():
                if later == task_id or (which, later) not in first:
                    continue
                follows = task_id in ancestors(tasks, later)
                one, other = tasks[task_id].element_id, after.element_id
                if one in self.model.places and other in self.model.places and self.model.precedes(one, other):
                    assert follows, f"the ledger does not know that {other} followed {one}"
                if follows:
                    ended = done.get((which, later))
                    gone = self.is_gone(undos[which], later)
                    assert gone or (ended is not None and ended < began), f"{which} of {task_id} before that of {later}"

    @staticmethod
    def is_gone(undo: list[Task], target: str) -> bool:
        """Whether an undo hook found nothing to take back, or its task was given up."""
        return any(
            "already gone" in (task.reason or "") or task.status.endswith("retained")
            for task in undo
            if task.origin_task_id == target
        )

    def check_nothing_due(self) -> None:
        """Nothing of a process at rest keeps the engine busy, and of its forward flow only the ledger is kept."""
        if isinstance(self.clock, VirtualClock):
            self.clock.advance(100_000)
            for _ in range(2):
                self.alive(self.engine.run_pending)
        with sqlite3.connect(self.file) as connection:
            left = connection.execute(
                "SELECT (SELECT count(*) FROM token WHERE process_instance_id = :it)"
                " + (SELECT count(*) FROM wait WHERE process_instance_id = :it)",
                {"it": int(self.started)},
            ).fetchone()
        connection.close()
        assert left == (0,), "tokens or waits are left of a process that has ended"

    def check_repeating(self, action: str) -> None:
        """Asking again for what has been done changes nothing."""
        before = self.engine.get(self.started)
        # A start that was forced to stop may still come to its end.
        calls = [call for call in self.land.calls if call[0] in KINDS]
        if action in ("cancel", "delete"):
            self.alive(lambda: getattr(self.engine, action)(self.started))
        assert self.engine.get(self.started) == before
        assert [call for call in self.land.calls if call[0] in KINDS] == calls

    def finish(self) -> None:
        """With all faults gone, everything that can be taken back is, in the end."""
        self.land.trouble = 0.0
        self.deadly = 0.0
        if self.engine.get(self.started).status.endswith(".failed"):
            self.engine.retry_undo(self.started)
            self.come_to_rest()
            assert self.engine.get(self.started).status.endswith(".success")
            self.check()
        self.engine.delete(self.started)
        self.come_to_rest()
        assert self.engine.get(self.started).status == "delete.success"
        self.check()
        stones = {task.task_id: task for task in self.engine.tasks(self.started)}
        marks = self.undo_marks()
        for key in self.land.things:
            task = stones[key.rsplit("-", 2)[1]]
            kept = marks[task.task_id] == "retained" or task.stone == "mail" or task.status == "unknown"
            assert kept, f"{task} leaks {key}"
        self.engine.close()


def ancestors(tasks: dict[str, Task], task_id: str) -> set[str]:
    """All tasks that a task followed."""
    found: set[str] = set()
    pending = [task_id]
    while pending:
        for cause in tasks[pending.pop()].after:
            if cause not in found:
                found.add(cause)
                pending.append(cause)
    return found
