"""Why many process instances have failed: their failures counted by element, stone and reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from ....models import InstanceRow, SummaryRow, TaskGroup, TaskRow
from ...errors import UnknownProcessInstance
from ...undo.creation import undo_ids
from ...views.failures import ReasonGroup
from ..records import Records

MOST_GROUPS = 100
"""Groups that are told of; what is of further ones is only counted."""
LONGEST_REASON = 500
VARYING = re.compile(
    r"\b(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|0x[0-9a-f]+|(?=[a-z]*[0-9])[0-9a-f]{6,}|[0-9]+(?:\.[0-9]+)*)\b",
    re.IGNORECASE,
)
"""What differs between two texts that say the same: UUIDs, hexadecimal ids, numbers, versions and addresses."""


class Reason(NamedTuple):
    """One thing that has failed in one process."""

    process_instance_id: int
    element_id: str
    stone: str | None
    text: str


class Groups:
    """Failures, as they are counted."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None, str], ReasonCount] = {}

    def add(self, reason: Reason) -> None:
        """Count it with those that say the same."""
        key = (reason.element_id, reason.stone, VARYING.sub("#", reason.text[:LONGEST_REASON]))
        counted = self._found.get(key)
        if counted is None:
            self._found[key] = counted = ReasonCount(reason)
        counted.tasks += 1
        counted.processes.add(reason.process_instance_id)

    def told(self) -> tuple[tuple[ReasonGroup, ...], int]:
        """The largest, and how many tasks are of the others."""
        return largest([each.told() for each in self._found.values()])


class ReasonCount:
    """How often one reason was found."""

    def __init__(self, first: Reason) -> None:
        self.first = first
        self.tasks = 0
        self.processes: set[int] = set()

    def told(self) -> ReasonGroup:
        """It as a view."""
        return ReasonGroup(
            element_id=self.first.element_id,
            stone=self.first.stone,
            reason=self.first.text[:LONGEST_REASON] or None,
            tasks=self.tasks,
            processes=len(self.processes),
            example=str(self.first.process_instance_id),
        )


def largest(groups: Sequence[ReasonGroup]) -> tuple[tuple[ReasonGroup, ...], int]:
    """The largest of the groups, and how many tasks are of the others."""
    ordered = sorted(groups, key=lambda group: (-group.tasks, group.element_id, group.reason or ""))
    return tuple(ordered[:MOST_GROUPS]), sum(group.tasks for group in ordered[MOST_GROUPS:])


def shown(groups: Iterable[TaskGroup]) -> list[ReasonGroup]:
    """What an undo would undo, as it is told."""
    return [
        ReasonGroup(element_id=each.element, stone=each.stone, reason=None, tasks=each.tasks, processes=each.processes)
        for each in groups
    ]


def reasons_of(records: Records, row: InstanceRow | SummaryRow, *, standing: bool = False) -> Iterator[Reason]:
    """Why one process has failed, or could not be undone; ``standing`` asks only for what waits to be decided."""
    number = row.process_instance_id
    with suppress(UnknownProcessInstance):
        if row.attention:
            stones = {str(task.id): task.stone for task in records.store.tasks(number)}
            for failure in records.failures(number):
                stone = stones.get(failure.task_id) if failure.task_id is not None else None
                yield Reason(number, failure.element_id, stone, failure.reason)
        elif row.outcome == "failed" or row.status.endswith(".failed"):
            yield from _of_ended(records, row, standing=standing)


def _of_ended(records: Records, row: InstanceRow | SummaryRow, *, standing: bool) -> Iterator[Reason]:
    number = row.process_instance_id
    undos = undo_ids(row).values() if row.status.endswith(".failed") else ()
    failed = [task for undo in undos for task in records.store.tasks(undo) if _has_failed(task)]
    if failed or not standing:
        tasks = {task.id: task for task in records.store.tasks(number)}
        failed = failed or [task for task in tasks.values() if _has_failed(task)]
    mask = records.mask(number)
    for task in failed:
        # What an undo could not do is told of the element that it was to undo.
        made = tasks.get(task.target, task) if task.target is not None else task
        text = task.reason or row.reason or ""
        yield Reason(number, made.node, made.stone, text if mask is None else mask.mask_text(text))
    if not failed and row.reason is not None:
        yield Reason(number, "", None, row.reason if mask is None else mask.mask_text(row.reason))


def _has_failed(task: TaskRow) -> bool:
    return not task.open and task.status.endswith(".failed")
