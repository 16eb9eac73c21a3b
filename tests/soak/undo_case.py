"""One random process with random faults and requests, played to its end."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from riverstone.engine import Clock, Conflict, Engine, TaskInfo, VirtualClock
from riverstone.engine.dispatch.inline import InlineDispatcher
from riverstone.engine.work import Work
from riverstone.models import Changes
from riverstone.models.vocabulary import BatchAction

from .undo_checks import Checks
from .undo_land import Land
from .undo_models import RandomModel

HEARS = "https://hooks.example.com"
FOR_BATCHES: tuple[BatchAction, ...] = ("cancel", "delete", "rollback", "retry", "suspend", "unsuspend", "check")


class Killed(BaseException):
    """The process died at this point; nothing of it may catch this."""


class Shuffled(InlineDispatcher):
    """Carries out what waits in any order: nothing but the engine's own may keep an order."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random

    def submit(self, work: Sequence[Work]) -> None:
        super().submit(work)
        order = list(self._waiting)
        self.random.shuffle(order)
        for task_id in order:
            self._waiting.move_to_end(task_id)


class UndoCase(Checks):
    """Plays one case: faults of stones, deaths of the engine, and requests at random moments.

    Its seed determines it, unless hooks run on ``threads``: then they also take their time, and the engine never dies.
    """

    def __init__(self, seed: int, folder: Path, *, threads: bool = False, batched: bool = False) -> None:
        """``batched`` asks for batches too, and has webhooks; without, a seed plays what it did before."""
        self.seed = seed
        self.batched = batched
        self.definitions: Any = None
        self.random = Random(seed)
        self.file = folder / f"case-{seed}.db"
        self.threads = threads
        self.clock: Clock = Clock() if threads else VirtualClock(1_800_000_000_000)
        self.land = Land(
            self.random,
            self.random.choice((0.0, 0.05, 0.15)),
            cursed=self.random.choice((0.0, 0.0, 0.05)),
            hurry=500 if threads else 1,
            covered=self.covered,
        )
        self.model = RandomModel(self.random, hurry=self.land.hurry)
        self.deadly = 0.0 if threads else self.random.choice((0.0, 0.03, 0.1))
        self.history: list[str] = []
        self.started = ""
        self.model_id = ""
        self.missing: str | None = None
        """The stone that is not registered for a while."""
        self.given_up: set[str] = set()
        """The tasks that somebody has asked to retain, and those that are given up with them."""
        self.given_up_together: list[set[str]] = []
        """What a rollback has given up as one, because one handler was to take it back."""
        self.most_tasks: int | None = None
        self.engine = self.open()

    # -- the engine

    def bury(self) -> None:
        """Let all engines of the file be taken for dead."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute("UPDATE engine_node SET pid = 99999999")
        connection.close()

    def open(self) -> Engine:
        """A new engine on the same file, of which every commit may be the last thing it does, or just not."""
        if self.file.exists():
            self.bury()
        engine = Engine(
            f"sqlite:///{self.file}",
            clock=self.clock,
            stones=[stone for stone in self.land.stones() if stone.code != self.missing],
            dispatcher="threads" if self.threads else Shuffled(self.random),
            threads=3,
            webhooks=(HEARS,) if self.batched else (),
        )
        # Parsing is most of what a case costs, so only one case in five reads its models again in every life.
        known = engine._deployments.definitions._kept
        if self.seed % 5 and self.definitions is not None:
            known.update(self.definitions)
        self.definitions = known
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
        start: dict[str, Any] = {"key": "main"}
        self.model_id = self.engine.deploy(self.model.source()).model_id
        if self.random.random() < 0.2:
            start = {"model_id": self.model_id}
        if self.batched:
            self.engine.webhooks.subscribe(f"{HEARS}/all")
        self.deadly = deadly
        start["rollback"] = self.random.random() < 0.85
        start["drain"] = self.random.choice(("stop", "stop", "all"))
        self.alive(lambda: self.engine.start(name="case", **start))
        found = [known for known in self.engine.instances(limit=9).items if known.kind == "start"]
        if not found:
            # It died before the start was durable.
            self.engine.close()
            return
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
        """The engine is closed in good order, and another opened, which may lack a stone."""
        self.history.append("restart")
        self.engine.close()
        self.missing = self.random.choice((None, None, "make", "watch", "sweep"))
        self.engine = self.open()

    def ask(self) -> None:
        """Somebody wants something, whether it is allowed or not."""
        engine, started = self.engine, self.started
        before = engine.get(started)
        guarded = self.is_guarded()  # as the store has it: an engine may die before it protects
        failed = [task.task_id for task in engine.tasks(started) if task.status.endswith("failed")]
        stuck = [task.task_id for task in engine.tasks(started) if task.undo == "failed"]
        undo = before.rollback_process_instance_id or before.cancel_process_instance_id
        wishes: dict[str, Callable[[], Any]] = {
            "cancel": lambda: engine.cancel(started),
            "force a cancel": lambda: engine.cancel(started, force=True),
            "delete": lambda: engine.delete(started),
            "force a delete": lambda: engine.delete(started, force=True),
            "retry": lambda: engine.retry_undo(started),
            "guard": lambda: self.guard(True),
            "unguard": lambda: self.guard(False),
        }
        if undo is not None:
            wishes["cancel an undo"] = lambda: engine.cancel(undo)
            wishes["delete an undo"] = lambda: engine.delete(undo, force=True)
        if stuck and before.status.endswith(".failed"):
            wishes["retain"] = lambda: self.retain(self.random.choice(stuck))
        for task_id in failed[:2]:
            wishes[f"rerun {task_id}"] = lambda task_id=task_id: engine.rerun(task_id)  # type: ignore[misc]
            wishes["resume"] = lambda task_id=task_id: engine.resume(task_id)  # type: ignore[misc]
        for kind in FOR_BATCHES if self.batched else ():
            if kind == "retry" and not before.status.endswith(".failed"):
                # What stands still in a debug run goes on then, which is no token that has got past the fence.
                continue
            wishes[f"batch of {kind}s"] = partial(self.batch, kind)
        for _ in range(3):
            wishes.setdefault(f"nothing {_}", lambda: None)
        wish = self.random.choice(list(wishes))
        if wish.startswith("rerun"):
            self.most_tasks = None  # the engine may die of it after the commit
        try:
            wishes[wish]()
        except Conflict:
            self.history.append(f"{wish.rstrip('0123456789 ')} refused in {before.status}")
            assert self.threads or engine.get(started) == before, "a refused request changed something"
        else:
            self.history.append(f"{wish.rstrip('0123456789 ')} in {before.status}")
            assert not (wish.endswith("delete") and guarded), "what is protected was deleted"
            assert not wish.endswith("an undo"), "an undo was cancelled or deleted"

    def batch(self, kind: BatchAction) -> None:
        """The same for all processes that there are, which is this one."""
        force = kind in ("cancel", "delete") and self.random.random() < 0.5
        self.engine.batch(kind, {"key": "main", "kind": "start"}, force=force)

    def batches_end(self) -> None:
        """Let every batch come to its end, and what it has suspended go on."""
        for _ in range(100):
            if not any(batch.state == "running" for batch in self.engine.batches().items):
                break
            self.alive(self.pass_time)
        for batch in self.engine.batches().items:
            (item,) = self.engine.batch_items(batch.batch_id).items
            told = {"done": batch.done, "refused": batch.refused}
            assert batch.state == "ended", batch
            assert told == {"done": item.result == "done", "refused": item.result == "refused"}, (batch, item)
        while self.engine.get(self.started).suspended is not None:
            self.alive(lambda: self.engine.unsuspend(self.started))

    def check_told(self) -> None:
        """Whoever hears of it has been told once that it has begun, and that it was undone."""
        told = [each.type for each in self.engine.webhooks.notices(limit=500).items]
        assert told.count("started") == 1, told
        assert "undone" in told, told

    def guard(self, on: bool) -> None:
        """Protect the process or its model against deletion, or lift both."""
        if not on:
            self.engine.protect(self.started, False)
            self.engine.protect_model(self.model_id, False)
        elif self.random.random() < 0.5:
            self.engine.protect(self.started)
        else:
            self.engine.protect_model(self.model_id)

    def retain(self, task_id: str) -> None:
        """Give up one of the tasks that an undo has failed to take back."""
        together = {task_id}
        if self.engine.get(self.started).status == "rollback.failed":
            together.update(*(covered for covered in map(self.covers, self.heads()) if task_id in covered))
            self.given_up_together.append(together)
        self.given_up |= together
        self.engine.retry_undo(self.started, retain=[task_id])

    def come_to_rest(self) -> None:
        """Let everything happen that happens by itself, all stones being there again."""
        if self.missing is not None:
            code, self.missing = self.missing, None
            stone = next(stone for stone in self.land.stones() if stone.code == code)
            self.alive(lambda: self.engine.register(stone))
        self.batches_end()
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

    def covered(self, task: TaskInfo) -> list[str]:
        """The tasks that a compensation handler takes back, as the ledger has it."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            [(target, path)] = connection.execute("SELECT target, path FROM task WHERE id = ?", (task.task_id,))
        connection.close()
        return self.covers(str(target or str(path).split("task_")[1].split('"')[0]))

    def insist(self) -> None:
        """Let a failed undo go on until it succeeds: at once, unless a busy machine makes hooks miss their timeouts."""
        for _ in range(20 if self.threads else 1):
            if self.engine.get(self.started).status.endswith(".failed"):
                self.engine.retry_undo(self.started)
                self.come_to_rest()
        assert not self.engine.get(self.started).status.endswith(".failed")
        self.check()

    def finish(self) -> None:
        """With all faults gone, everything that can be taken back is, in the end."""
        self.land.peace()
        self.deadly = 0.0
        self.guard(False)
        self.insist()
        self.engine.delete(self.started)
        self.come_to_rest()
        self.insist()
        assert self.engine.get(self.started).status == "delete.success"
        self.check()
        self.check_leaks()
        if self.batched:
            self.check_told()
        self.engine.close()
