"""What an undo has to take back, and in which order.

Both come from the ledger alone: which rows may have begun, and what each causally followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from ...models import TaskRow
from ..instance import ledger


class Step(NamedTuple):
    """One row to undo, after the rows in ``after``: those that causally followed it."""

    row: TaskRow
    after: tuple[int, ...]


def undo_set(tasks: Mapping[int, TaskRow], kind: str) -> list[TaskRow]:
    """Every row that may have begun, less what is undone, retained for ever, or was only a mock.

    In a rollback a handler of the model takes back all that its activity made, so one row stands for these.
    """
    stands_for = stand_ins(tasks) if kind == "rollback" else {}
    return [
        row
        for row in tasks.values()
        if row.kind == ledger.START
        and (row.stone is not None or row.id in stands_for)
        and stands_for.get(row.id, row.id) == row.id
        and row.undo not in ledger.DONE_WITH
        and row.event != "mock"
    ]


def handler_in(row: TaskRow) -> dict[str, Any] | None:
    """What the ledger keeps of the compensation handler that takes back what a completed activity made."""
    found: dict[str, Any] | None = ledger.kept(row).get("handler")
    return found


def covers(row: TaskRow) -> list[int]:
    """The ids of the rows that this row's handler takes back; without one, its own."""
    handler = handler_in(row)
    found: list[int] = [row.id] if handler is None else handler.get("covers", [row.id])
    return found


def stand_ins(tasks: Mapping[int, TaskRow]) -> dict[int, int]:
    """By row, the row whose handler takes it back: that of the outermost activity that has completed with a handler."""
    found: dict[int, int] = {}
    handled = [row for row in tasks.values() if row.undo not in ledger.DONE_WITH and handler_in(row) is not None]
    for row in sorted(handled, key=lambda row: len(covers(row))):
        found.update(dict.fromkeys(covers(row), row.id))
    return found


def taken_with(tasks: Mapping[int, TaskRow], heads: Iterable[int], kind: str) -> dict[int, int]:
    """By row, which of ``heads`` an undo takes it back with; a handler may have done so with a part of them already."""
    if kind != "rollback":
        return {head: head for head in heads}
    return {task_id: head for head in heads for task_id in covers(tasks[head])}


def plan(tasks: Mapping[int, TaskRow], kind: str) -> list[Step]:
    """The undo of a whole ledger: each row after all that followed it, independent ones independent.

    The oldest row comes first; :func:`in_order` gives the order of the undo.
    """
    rows = undo_set(tasks, kind)
    wanted = {row.id for row in rows}
    stands_for = stand_ins(tasks) if kind == "rollback" else {}
    after: dict[int, list[int]] = {task_id: [] for task_id in wanted}
    for task_id, predecessors in _followed(_causes(tasks, stands_for), wanted).items():
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


def _causes(tasks: Mapping[int, TaskRow], stands_for: Mapping[int, int]) -> dict[int, list[int]]:
    """The rows that each row followed, where one stands for several: those that any of these followed."""
    causes: dict[int, list[int]] = {}
    for task_id, row in tasks.items():
        whole = stands_for.get(task_id, task_id)
        found = causes.setdefault(whole, [])
        before = (stands_for.get(cause, cause) for cause in ledger.after(row) if cause in tasks)
        found.extend(cause for cause in before if cause != whole)
    return causes


def _followed(causes: Mapping[int, Sequence[int]], wanted: set[int]) -> dict[int, list[int]]:
    """For each wanted row those that it directly followed, seen through the rows between that are not wanted."""
    position = {task_id: index for index, task_id in enumerate(sorted(wanted))}
    near: dict[int, list[int]] = {}
    ancestors: dict[int, int] = {}
    """Sets of positions as bits: a set of integers would make a ledger of 10,000 rows too dear."""
    for task_id in _causal_order(causes):
        found: set[int] = set()
        for cause in causes[task_id]:
            found.update((cause,) if cause in wanted else near.get(cause, ()))
        reached = 0
        for cause in found:
            reached |= ancestors.get(cause, 0)
        near[task_id] = [cause for cause in sorted(found) if not reached >> position[cause] & 1]
        if task_id in wanted:
            for cause in near[task_id]:
                reached |= 1 << position[cause]
            ancestors[task_id] = reached
    return {task_id: near[task_id] for task_id in wanted}


def _causal_order(causes: Mapping[int, Sequence[int]]) -> Iterator[int]:
    """Ids so that each comes after all that it followed; with several engines the ids alone do not say so."""
    done: set[int] = set()
    opened: set[int] = set()
    for first in sorted(causes):
        stack = [first]
        while stack:
            task_id = stack[-1]
            # What was opened and is not done lies below on the stack: a circle, which no ledger has, ends here.
            waiting = [cause for cause in causes[task_id] if cause not in done] if task_id not in opened else []
            opened.add(task_id)
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if task_id not in done:
                done.add(task_id)
                yield task_id
