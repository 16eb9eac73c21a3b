"""One process instance of a rehearsal: what a test does with it, and what it says of its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..engine import Engine
from ..errors import UnknownTask
from ..showing.picture import process_picture
from ..views.processes import ProcessInstance
from ..views.tasks import Task
from .faults import Call
from .order import Expected, difference, shown
from .trail import Trail


class Stage(Protocol):
    """Where a run takes place: the rehearsal."""

    trail: Trail

    @property
    def engine(self) -> Engine:
        """What carries out its processes."""

    @property
    def calls(self) -> list[Call]:
        """Every call of a hook so far, oldest first."""

    def settle(self, process_instance_id: str) -> None:
        """Let time pass until the process rests or only something from outside can move it."""


class Run:
    """A handle on one process instance; what it shows is read anew each time."""

    def __init__(self, rehearsal: Stage, process_instance_id: str) -> None:
        self.rehearsal = rehearsal
        self.process_instance_id = process_instance_id

    # -- looking

    @property
    def instance(self) -> ProcessInstance:
        """The record as it now is."""
        return self.rehearsal.engine.get(self.process_instance_id)

    @property
    def status(self) -> str:
        """Such as ``success`` or ``rollback.success``."""
        return self.instance.status

    @property
    def outputs(self) -> dict[str, Any]:
        """What the outputs template makes of the results; empty without one."""
        return self.instance.output_values

    @property
    def native_outputs(self) -> dict[str, dict[str, Any]]:
        """What the stones put out, by namespace."""
        return self.instance.native_output_values

    @property
    def tasks(self) -> list[Task]:
        """The tasks of the way forward, in the order in which they were reached."""
        return self.rehearsal.engine.tasks(self.process_instance_id)

    def task(self, node: str) -> Task:
        """The last task of a node, by its namespace; raises UnknownTask."""
        for task in reversed(self.tasks):
            if task.namespace == node:
                return task
        raise UnknownTask(f"{node} of process {self.process_instance_id}")

    @property
    def undos(self) -> list[Run]:
        """The rollback, cancel and delete processes of this one, in this order."""
        instance = self.instance
        ids = (
            instance.rollback_process_instance_id,
            instance.cancel_process_instance_id,
            instance.delete_process_instance_id,
        )
        return [Run(self.rehearsal, number) for number in ids if number is not None]

    @property
    def path(self) -> list[str]:
        """The namespaces of the tasks that were reached, in this order."""
        return [task.namespace for task in self.tasks]

    @property
    def passed(self) -> list[str]:
        """The ids of all nodes and flows that a token came to, those of called processes too, in this order."""
        return list(dict.fromkeys(element for _, element in self.rehearsal.trail.passed(self.process_instance_id)))

    @property
    def undone(self) -> list[str]:
        """The namespaces of the tasks that were undone, in the order in which that was done."""
        tasks = {task.task_id: task for undo in self.undos for task in undo.tasks if task.status in UNDONE}
        last = {call.task_id: place for place, call in enumerate(self.rehearsal.calls)}
        return [tasks[task_id].namespace for task_id in sorted(tasks, key=lambda task_id: last.get(task_id, -1))]

    # -- acting

    def settle(self) -> None:
        """Let time pass until the process rests or only something from outside can move it."""
        self.rehearsal.settle(self.process_instance_id)

    def cancel(self, *, force: bool = False) -> None:
        """Cancel it, and wait for what that undoes."""
        self.rehearsal.engine.cancel(self.process_instance_id, force=force)
        self.settle()

    def delete(self, *, force: bool = False, retain: Sequence[str] = ()) -> None:
        """Delete what it made, and wait for that; ``retain`` are the namespaces of tasks to give up."""
        kept = [self.task(node).task_id for node in retain]
        self.rehearsal.engine.delete(self.process_instance_id, force=force, retain=kept)
        self.settle()

    def rerun(self, node: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run the failed task of a paused debug run again, and go on."""
        self.rehearsal.engine.rerun(self.task(node).task_id, parameters)
        self.settle()

    def resume(self) -> None:
        """Leave the pause of a debug run: it rolls back."""
        failed = next((task for task in self.tasks if task.status.endswith("failed")), None)
        if failed is None:
            raise UnknownTask(f"(a failed one of process {self.process_instance_id})")
        self.rehearsal.engine.resume(failed.task_id)
        self.settle()

    def complete(self, node: str, outputs: Mapping[str, Any] | None = None) -> None:
        """Say that a user task is done, and go on."""
        self.rehearsal.engine.complete(self.task(node).task_id, outputs)
        self.settle()

    # -- asserting

    def assert_status(self, *statuses: str) -> None:
        """Its status is one of these."""
        __tracebackhide__ = True
        if self.status not in statuses:
            wanted = " or ".join(map(repr, statuses))
            self._refuse(f"Process {self.process_instance_id} is {self.status!r}, not {wanted}.")

    def assert_path(self, *nodes: Expected) -> None:
        """Its tasks were reached in this order; a set stands for tasks in any order, ``...`` for any tasks."""
        __tracebackhide__ = True
        self._compare("went another way", nodes, self.path)

    def assert_undone(self, *nodes: Expected) -> None:
        """Its tasks were undone in this order; a set and ``...`` as in :meth:`assert_path`."""
        __tracebackhide__ = True
        self._compare("was undone otherwise", nodes, self.undone)

    def assert_passed(self, *elements: str) -> None:
        """A token came to each of these nodes and flows."""
        __tracebackhide__ = True
        missing = [element for element in elements if element not in self.passed]
        if missing:
            way = f"Passed: {', '.join(self.passed)}."
            self._refuse(f"Process {self.process_instance_id} never came to {', '.join(missing)}.\n{way}")

    def assert_not_passed(self, *elements: str) -> None:
        """No token came to any of these nodes and flows."""
        __tracebackhide__ = True
        wrong = [element for element in elements if element in self.passed]
        if wrong:
            way = f"Passed: {', '.join(self.passed)}."
            self._refuse(f"Process {self.process_instance_id} came to {', '.join(wrong)}.\n{way}")

    def assert_nothing_left(self) -> None:
        """All that its tasks began was undone."""
        __tracebackhide__ = True
        left = [task for task in self.tasks if task.undo != "undone" and _may_have_begun(task)]
        if left:
            said = ", ".join(f"{task.namespace} ({task.undo or 'kept'})" for task in left)
            self._refuse(f"Process {self.process_instance_id} left something behind: {said}.")

    def _compare(self, what: str, expected: Sequence[Expected], found: Sequence[str]) -> None:
        __tracebackhide__ = True
        misfit = difference(expected, found)
        if misfit is not None:
            lines = f"expected: {shown(expected)}\nfound:    {shown(found)}"
            self._refuse(f"Process {self.process_instance_id} {what}: {misfit}\n{lines}")

    def _refuse(self, text: str) -> None:
        __tracebackhide__ = True
        raise AssertionError(f"{text}\n\n{self}")

    # -- showing

    def __str__(self) -> str:
        instance = self.instance
        lines = [f"{instance.kind} {instance.process_instance_id} of {instance.key!r}: {instance.status}"]
        if instance.reason:
            lines.append(f"  {instance.reason}")
        for task in self.tasks:
            who = task.stone or "(a person)"
            reason = f"  {task.reason}" if task.reason else ""
            lines.append(f"  {task.task_id:>4}  {task.status:<16} {task.namespace}  {who}{reason}")
        return "\n".join([*lines, *map(str, self.undos)])

    def __repr__(self) -> str:
        return f"<Run {self.process_instance_id}: {self.status}>"

    def _repr_svg_(self) -> str:
        xml = self.rehearsal.engine.sources(self.process_instance_id)[0]
        tokens = self.rehearsal.engine.tokens(self.process_instance_id)
        return process_picture(xml, self.tasks, tokens, self.passed).svg


UNDONE = frozenset({"rollback.success", "cancel.success", "delete.success"})


def _may_have_begun(task: Task) -> bool:
    return task.stone is not None and task.status != "produce.failed" and task.kind == "start"
