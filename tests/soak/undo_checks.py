"""What must hold of a process at rest, whatever has happened to it: the invariants of undo."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from riverstone.engine import Clock, Engine, Task, VirtualClock

from .undo_land import HOOKS, KINDS, Land
from .undo_models import RandomModel

SETTLED = {"undone", "retained", "skipped", "never-begun"}


class Checks:
    """Looks at one case from outside: at its ledger, at what was called, and at what exists."""

    random: Random
    file: Path
    threads: bool
    clock: Clock
    land: Land
    model: RandomModel
    engine: Engine
    started: str
    given_up: set[str]
    given_up_together: list[set[str]]
    most_tasks: int | None

    def alive(self, action: Any) -> Any:
        raise NotImplementedError

    def stored(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the store, read past the engine."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def check_fence(self) -> None:
        """Once the process has failed or is undone, no token makes another task, unless a debug run goes on."""
        [(phase, count)] = self.stored(
            "SELECT phase, (SELECT count(*) FROM task WHERE process_instance_id = ?) FROM process_instance"
            " WHERE process_instance_id = ?",
            *[int(self.started)] * 2,
        )
        if self.most_tasks is not None:
            assert count == self.most_tasks or phase == "running", "a token moved after the fence"
        self.most_tasks = count if phase != "running" else None

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
        marks = self.undo_marks()
        action, _, end = record.status.partition(".")
        assert record.end_time is not None
        for task in (*tasks.values(), *(task for known in undos.values() for task in known)):
            stopped = task.end_time is not None or task.process_instance_id != self.started
            assert stopped or end == "failed", f"{task} is open in a process at rest"
        for task_id in tasks:
            if marks[task_id] == "never-begun":
                assert task_id not in begun, f"{tasks[task_id]} is said never to have begun"
        # A handler takes back an activity that made no task too; only a rollback asks handlers.
        handled = self.heads() if action == "rollback" else []
        mine = {
            task_id: task
            for task_id, task in tasks.items()
            if task.kind == "start" and (task.stone is not None or task_id in handled)
        }
        if end == "success":
            assert {marks[task_id] for task_id in mine} <= SETTLED, marks
        elif end == "failed":
            self.check_what_is_left(action, tasks, mine, marks)
        else:
            assert record.status in ("success", "failed"), record.status
            assert not undos
            assert {marks[task_id] for task_id in mine} <= {None, "never-begun", "undone"}
        self.check_marks(mine, marks, undos)
        self.check_order(tasks, undos, marks)
        self.check_handlers(record.status, mine, marks)
        self.check_nothing_due()
        if end == "success":
            self.check_repeating(action)

    def undo_marks(self) -> dict[str, str | None]:
        """What the ledger says became of each task."""
        return {str(task_id): mark for task_id, mark in self.stored("SELECT id, undo FROM task")}

    def policy_of(self, task: Task) -> str:
        """The policy of the node that made a task; only the nodes of stones have their own."""
        return self.model.policies.get(task.element_id, "delete")

    def covers(self, task_id: str) -> list[str]:
        """The tasks that are taken back with this one, as the ledger has it."""
        [(state,)] = self.stored("SELECT state FROM task WHERE id = ?", int(task_id))
        handler = json.loads(state or "{}").get("riverstone", {}).get("handler", {})
        return [str(number) for number in handler.get("covers", [task_id])]

    def check_marks(self, mine: dict[str, Task], marks: dict[str, str | None], undos: dict[str, list[Task]]) -> None:
        """What is said to be gone is gone, and what is kept was to be kept or cannot be taken back."""
        for task_id, task in mine.items():
            mark = marks[task_id]
            policy = self.policy_of(task)
            if mark == "undone" and task.status != "unknown":
                # What is made after its grace is over is made too late.
                assert not self.land.made_by(task_id), f"{task} is undone but exists"
            elif mark == "retained":
                assert policy != "delete" or task_id in self.given_up, f"{task} was retained for no reason"
            elif mark == "skipped":
                assert len(HOOKS.get(task.stone or "", KINDS)) < 3, f"{task} was skipped but has every hook"
        for together in self.given_up_together if "delete" not in undos else ():
            # All or nothing: the engine may have died before it gave anything up.
            became = {marks[task_id] for task_id in together if self.policy_of(mine[task_id]) != "retain"}
            assert len(became - {"never-begun"}) <= 1, f"half of {sorted(together)} was given up: {marks}"
        for kind, known in undos.items():
            late = {task_id for task_id, task in mine.items() if any("once more" in line for line in task.log)}
            targets = [task.origin_task_id for task in known if task.origin_task_id and task.origin_task_id not in late]
            assert len(targets) == len(set(targets)), f"the {kind} has two tasks for one"

    def check_what_is_left(
        self, action: str, tasks: dict[str, Task], mine: dict[str, Task], marks: dict[str, str | None]
    ) -> None:
        """After a failed undo: what failed is listed, and what was not tried waits for something that failed."""
        failed = {task_id for task_id, mark in marks.items() if mark == "failed" and task_id in mine}
        assert failed
        undo = self.engine.get(getattr(self.engine.get(self.started), f"{action}_process_instance_id"))
        told = undo.reason or ""
        for task_id in failed:
            heads = [other for other in mine if task_id in self.covers(other)]
            assert any(head in told for head in (task_id, *heads)), f"{task_id} failed but is not listed: {told}"
        before = set().union(*(ancestors(tasks, task_id) for task_id in failed))
        for task_id in mine:
            # A handler takes all of its activity back, so what came before any of that waits.
            assert marks[task_id] is not None or task_id in before, f"{mine[task_id]} was forgotten"
            heads = [other for other in mine if task_id in self.covers(other)]
            listed = any(head in told for head in (task_id, *heads))
            assert marks[task_id] is not None or listed, f"{task_id} remains but is not listed: {told}"

    def check_order(self, tasks: dict[str, Task], undos: dict[str, list[Task]], marks: dict[str, str | None]) -> None:
        """An undo hook is called only when all that came after its task is taken back, whichever undo did that."""
        causes = {task_id: ancestors(tasks, task_id) for task_id in tasks}
        hooks, done = self.undo_calls(undos)
        quiet = self.taken_back_without_a_call(undos)
        by_handler = set().union(*map(self.covers, self.heads())) if "rollback" in undos else set()
        for (kind, task_id), began in hooks.items():
            for later, after in tasks.items():
                if later == task_id or after.kind != "start" or after.stone is None:
                    continue
                one, other = tasks[task_id].element_id, after.element_id
                if one in self.model.places and other in self.model.places and self.model.precedes(one, other):
                    assert task_id in causes[later], f"the ledger does not know that {other} followed {one}"
                if task_id not in causes[later] or marks[later] == "never-begun" or later in quiet:
                    continue
                if kind not in HOOKS[after.stone] or self.model.policies[other] != "delete" or later in self.given_up:
                    continue
                if later in by_handler:
                    continue  # see check_handlers
                ended = [moment for undo in KINDS if (moment := done.get((undo, later))) is not None]
                # What a failed attempt left behind is taken back by its own task, before the next would begin.
                ended += [when for when, call in enumerate(self.land.calls) if call == ("rollback", later, "done")]
                assert any(moment < began for moment in ended), f"{kind} of {task_id} before that of {later}"

    def undo_calls(self, undos: dict[str, list[Task]]) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
        """When the undo of each task was first begun and first done, by kind and task."""
        target = {task.task_id: (kind, task.origin_task_id or "") for kind, known in undos.items() for task in known}
        first: dict[tuple[str, str], int] = {}
        done: dict[tuple[str, str], int] = {}
        for moment, (_, task_id, what) in enumerate(self.land.calls):
            if task_id in target and target[task_id][1]:
                first.setdefault(target[task_id], moment)
                if what == "done":
                    done.setdefault(target[task_id], moment)
        return first, done

    def taken_back_without_a_call(self, undos: dict[str, list[Task]]) -> set[str]:
        """Tasks of which an undo found nothing left, or that were given up."""
        return {
            task.origin_task_id or ""
            for known in undos.values()
            for task in known
            if "already gone" in (task.reason or "") or task.status.endswith(("retained", "skipped"))
        }

    def heads(self) -> list[str]:
        """The tasks in whose rows the ledger keeps a handler."""
        return [
            str(task_id)
            for task_id, state in self.stored(
                "SELECT id, state FROM task WHERE process_instance_id = ? AND state IS NOT NULL", int(self.started)
            )
            if "handler" in json.loads(state).get("riverstone", {})
        ]

    def check_handlers(self, status: str, mine: dict[str, Task], marks: dict[str, str | None]) -> None:
        """Where a sub-process that cannot repeat has completed, its handler stands in for its stones' rollbacks."""
        if not self.engine.get(self.started).rollback_process_instance_id:
            return
        called = {task_id for event, task_id, _ in self.land.calls if event == "rollback"}
        undo = self.engine.tasks(self.engine.get(self.started).rollback_process_instance_id or "")
        targets = {task.task_id: task.origin_task_id for task in undo}
        taken = {targets[task_id] for task_id in called if task_id in targets}
        for nodes in self.model.handled.values():
            rows = [task for task in mine.values() if task.element_id in nodes]
            alone = all(self.model.is_single(node) for node in nodes)
            later = [
                task
                for task in mine.values()
                if task.element_id in self.model.places
                and any(self.model.precedes(node, task.element_id) for node in nodes)
                and task.element_id not in nodes
            ]
            follows = [task for task in later if all(self.model.precedes(node, task.element_id) for node in nodes)]
            if not alone or not rows or not follows:
                continue
            for row in rows:
                assert row.task_id not in taken, f"{row} was rolled back beside its handler"
            became = {marks[row.task_id] for row in rows} - {"never-begun", "retained"}
            assert len(became) <= 1 or not status.startswith("rollback"), f"a handler took back half: {rows}"

    def check_nothing_due(self) -> None:
        """Nothing of a process at rest keeps the engine busy, and of its forward flow only the ledger is kept."""
        if isinstance(self.clock, VirtualClock):
            self.clock.advance(100_000)
            for _ in range(2):
                self.alive(lambda: self.engine.run_pending())
        left = self.stored(
            "SELECT (SELECT count(*) FROM token WHERE process_instance_id = ?)"
            " + (SELECT count(*) FROM wait WHERE process_instance_id = ?)",
            *[int(self.started)] * 2,
        )
        assert left == [(0,)], "tokens or waits are left of a process that has ended"

    def check_repeating(self, action: str) -> None:
        """Asking again for what has been done changes nothing."""
        before = self.engine.get(self.started)
        # A start that was forced to stop may still come to its end.
        calls = [call for call in self.land.calls if call[0] in KINDS]
        if action in ("cancel", "delete") and not (action == "delete" and self.is_guarded()):
            self.alive(lambda: getattr(self.engine, action)(self.started))
        assert self.engine.get(self.started) == before
        assert [call for call in self.land.calls if call[0] in KINDS] == calls

    def is_guarded(self) -> bool:
        """Whether a delete is refused now."""
        record = self.engine.get(self.started)
        return record.protected or (record.model_id is not None and self.engine.model(record.model_id).protected)

    def check_leaks(self) -> None:
        """What exists at the end was to be kept, cannot be taken back, or was made too late."""
        tasks = {task.task_id: task for task in self.engine.tasks(self.started)}
        marks = self.undo_marks()
        for key in self.land.things:
            task = tasks[key.rsplit("-", 2)[1]]
            kept = marks[task.task_id] == "retained" or task.stone == "mail" or task.status == "unknown"
            assert kept, f"{task} leaks {key}"


def ancestors(tasks: Mapping[str, Task], task_id: str) -> set[str]:
    """All tasks that a task followed, of those given."""
    found: set[str] = set()
    pending = [task_id]
    while pending:
        task = tasks.get(pending.pop())
        for cause in task.after if task is not None else ():
            if cause not in found:
                found.add(cause)
                pending.append(cause)
    return found
