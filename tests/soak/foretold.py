"""What a preview has told of an act, held against what then comes of it: the same refusal, the same rows, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from riverstone.engine import Conflict, Invalid, RepairPlan, RepairStep, RewindPlan, RiverstoneError, Task, UndoStep
from riverstone.engine.undo.frozen import Order
from riverstone.models.vocabulary import UndoKind

from .undo_case import UndoCase


class Before(NamedTuple):
    """How things stood when somebody looked."""

    calls: int
    tasks: dict[str, Task]
    undos: set[str]
    missing: str | None


class Wish(NamedTuple):
    """What somebody wants; how it is looked at before, and how it is compared with what was seen."""

    name: str
    act: Callable[[], Any]
    look: Callable[[], Any] | None = None
    holds: Callable[[Any, Before], None] | None = None


class Foretold:
    """Looks at what an act would do, lets it be done, and compares."""

    def __init__(self, case: UndoCase, *, looks: bool) -> None:
        """Without ``looks`` it only lets it be done."""
        self.case = case
        self.looks = looks

    def carry_out(self, wish: Wish) -> None:
        """Do it; raises what the act raises, and AssertionError where it is not what was told."""
        if wish.look is None or not self.looks:
            wish.act()
            return
        told, foretold = None, None
        with self.nothing_changes():
            before = self.before()
            try:
                told = wish.look()
            except (Conflict, Invalid) as error:
                foretold = error
        refused = None
        try:
            wish.act()
        except (Conflict, Invalid) as error:
            refused = error
        assert _words(refused) == _words(foretold), f"{wish.name}: {refused!r}, and foretold was {foretold!r}"
        if refused is not None:
            raise refused
        if wish.holds is not None:
            wish.holds(told, before)

    def before(self) -> Before:
        """How things stand."""
        return Before(len(self.case.land.calls), self.tasks(), self._undos(), self.case.missing)

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """Whoever looks changes nothing, calls no hook, and does not meet fate."""
        case = self.case
        drawn, deadly = case.random.getstate(), case.deadly
        case.deadly = 0.0
        case.engine.run_pending()
        calls = len(case.land.calls)
        stands = case.stored("SELECT process_instance_id, revision FROM process_instance")
        try:
            yield
        finally:
            case.random.setstate(drawn)
            case.deadly = deadly
        assert len(case.land.calls) == calls, "a preview has called a hook"
        assert stands == case.stored("SELECT process_instance_id, revision FROM process_instance")

    # -- repairs

    def repaired(self, plan: RepairPlan, before: Before) -> None:
        """Each failed element goes on as was told."""
        model, tasks = self.case.model, self.tasks()
        for step in plan.steps:
            if step.task_id is not None:
                self._repaired(plan, step, tasks, before)
        if any(step.hook == "rollback" for step in plan.steps):
            # It may fail, and then nothing comes next.
            return
        for element_id in plan.next:
            if element_id in model.places and model.is_single(element_id):
                assert _new(tasks, element_id, before), f"no token came to {element_id}, as was told: {plan}"

    def _repaired(self, plan: RepairPlan, step: RepairStep, tasks: dict[str, Task], before: Before) -> None:
        assert step.task_id is not None
        task, old = tasks[step.task_id], before.tasks[step.task_id]
        calls = self.case.land.calls[before.calls :]
        begun = [event for event, task_id, what in calls if (task_id, what) == (step.task_id, "begin")]
        told = f"of {old} was told {step}, and now it is {task} after {begun}"
        if step.beside:
            assert (task.status, begun) == (old.status, []), told
            assert _new(tasks, step.element_id, before), told
        elif step.hook is None:
            assert not begun, told
        elif step.reason is None and step.stone != before.missing:
            assert begun[:1] == [step.hook], told
        if step.made:
            # What came next may have had it undone again.
            assert task.status.endswith("success"), told
            assert task.outputs == step.outputs, told
        if step.hook == "start" and not step.beside:
            assert task.attempt >= (step.attempt or 0), told
        if plan.action == "skip" and step.hook is None and old.status.endswith("failed"):
            assert task.status == "start.skipped", told

    # -- undos

    def rewound(self, plan: RewindPlan, before: Before) -> None:
        """Exactly what was told is taken back, in that order, and then the task begins again."""
        case = self.case
        rolled = {step.task_id for step in plan.steps if step.action == "rollback"}
        new = sorted(self._undos() - before.undos, key=int)
        if rolled:
            assert new, "nothing is taken back"
            order = self._order(new[0])
            assert {str(number) for number in order.tasks} == rolled
            if len(rolled) == len(plan.steps):
                assert _after(order) == _told_after(plan.steps)
        marks = case.undo_marks()
        for step in plan.steps:
            if step.action == "retain":
                assert marks[step.task_id] in ("retained", "never-begun"), (step, marks[step.task_id])
        old = before.tasks[plan.to]
        assert plan.begins_again[0] == old.element_id
        if not rolled or case.engine.get(new[0]).status == "success":
            again = _new(self.tasks(), old.element_id, before)
            assert again, f"{old} did not begin again"
            assert set(again[0].after) == set(old.after), f"{again[0]} instead of {old}"

    def undone(self, kind: UndoKind, steps: list[UndoStep], before: Before) -> None:
        """The same of a cancel or a delete, less what drains without having begun."""
        undo = getattr(self.case.engine.get(self.case.started), f"{kind}_process_instance_id")
        order, marks = self._order(undo), self.case.undo_marks()
        told, taken = {step.task_id for step in steps}, {str(number) for number in order.tasks}
        assert taken <= told, f"{taken - told} are taken back, which was not told"
        left = {task_id: marks[task_id] for task_id in told - taken}
        assert set(left.values()) <= {"never-begun", "left", "undone"}, f"{left} was told and is not taken back"
        if taken == told:
            assert _after(order) == _told_after(steps)
        for step in steps:
            kept = marks[step.task_id] in ("retained", "skipped")
            assert not kept or step.action == "retain", f"{step} was kept, which was not told"

    def tasks(self) -> dict[str, Task]:
        """The tasks of the process by their ids."""
        return {task.task_id: task for task in self.case.engine.tasks(self.case.started)}

    def _undos(self) -> set[str]:
        rows = self.case.stored("SELECT process_instance_id FROM process_instance WHERE kind <> 'start'")
        return {str(number) for (number,) in rows}

    def _order(self, undo: str) -> Order:
        [(text,)] = self.case.stored(
            "SELECT undo_order FROM deployment JOIN process_instance ON deployment_id = deployment.id"
            " WHERE process_instance_id = ?",
            int(undo),
        )
        return Order.read(text)


def _new(tasks: dict[str, Task], element_id: str, before: Before) -> list[Task]:
    """The tasks of an element that there were not before."""
    return [task for task in tasks.values() if task.element_id == element_id and task.task_id not in before.tasks]


def _after(order: Order) -> dict[str, list[str]]:
    return {str(number): sorted(map(str, others)) for number, others in order.after().items()}


def _told_after(steps: Sequence[UndoStep]) -> dict[str, list[str]]:
    return {step.task_id: sorted(step.after) for step in steps}


def _words(error: RiverstoneError | None) -> tuple[str, str] | None:
    return None if error is None else (str(error), error.code)
