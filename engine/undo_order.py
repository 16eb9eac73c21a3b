"""What an undo has to take back, and in which order.

Both come from the ledger alone: which rows may have begun, and what each causally followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from ..models import TaskRow
from . import ledger


@dataclass(frozen=True, slots=True)
class Step:
    """One row to undo, after the rows in ``after``: those that causally followed it."""

    row: TaskRow
    after: tuple[int, ...]


def undo_set(rows: Iterable[TaskRow]) -> list[TaskRow]:
    """Every row that may have begun, less what is undone, retained for ever, or was only a mock."""
    return [
        row
        for row in rows
        if row.kind == ledger.START
        and row.stone is not None
        and row.undo not in ledger.DONE_WITH
        and row.event != "mock"
    ]


def plan(tasks: Mapping[int, TaskRow], rows: Sequence[TaskRow]) -> list[Step]:
    """The undo of ``rows`` out of a whole ledger: each after all that followed it, independent ones independent.

    The oldest row comes first; :func:`in_order` gives the order of the undo.
    """
    wanted = {row.id for row in rows}
    after: dict[int, list[int]] = {task_id: [] for task_id in wanted}
    for task_id, predecessors in _followed(tasks, wanted).items():
        for predecessor in predecessors:
            after[predecessor].append(task_id)
    return [Step(row, tuple(sorted(after[row.id]))) for row in sorted(rows, key=lambda row: row.id)]


def in_order(steps: Sequence[Step]) -> list[Step]:
    """The steps so that each comes after those in its ``after``; among those that could be next, the newest row."""
    by_id = {each.row.id: each for each in steps}
    left = {each.row.id: len(each.after) for each in steps}
    frees: dict[int, list[int]] = {task_id: [] for task_id in by_id}
    for each in steps:
        for before in each.after:
            frees[before].append(each.row.id)
    ready = [-task_id for task_id, count in left.items() if not count]
    heapify(ready)
    ordered: list[Step] = []
    while ready:
        task_id = -heappop(ready)
        ordered.append(by_id[task_id])
        for freed in frees[task_id]:
            left[freed] -= 1
            if not left[freed]:
                heappush(ready, -freed)
    return ordered


def _followed(tasks: Mapping[int, TaskRow], wanted: set[int]) -> dict[int, list[int]]:
    """For each wanted row those that it directly followed, seen through the rows between that are not wanted."""
    position = {task_id: index for index, task_id in enumerate(sorted(wanted))}
    causes = {task_id: [cause for cause in ledger.after(row) if cause in tasks] for task_id, row in tasks.items()}
    near: dict[int, list[int]] = {}
    ancestors: dict[int, int] = {}
    """Sets of positions as bits: a set of integers would make a ledger of 10,000 rows too dear."""
    for task_id in _causal_order(causes):
        found: set[int] = set()
        for cause in causes[task_id]:
            found.update((cause,) if cause in wanted else near[cause])
        reached = 0
        for cause in found:
            reached |= ancestors[cause]
        near[task_id] = [cause for cause in sorted(found) if not reached >> position[cause] & 1]
        if task_id in wanted:
            for cause in near[task_id]:
                reached |= 1 << position[cause]
            ancestors[task_id] = reached
    return {task_id: near[task_id] for task_id in wanted}


def _causal_order(causes: Mapping[int, Sequence[int]]) -> Iterator[int]:
    """Ids so that each comes after all that it followed; with several engines the ids alone do not say so."""
    done: set[int] = set()
    for first in sorted(causes):
        stack = [first]
        while stack:
            task_id = stack[-1]
            waiting = [cause for cause in causes[task_id] if cause not in done] if task_id not in done else []
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if task_id not in done:
                done.add(task_id)
                yield task_id
