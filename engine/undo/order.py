"""What is to be undone, and in which order.

Both come from the ledger alone: which rows may have begun, and what each causally followed.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...models import TaskRow
from ...models.vocabulary import UndoKind, UndoMark
from ..ledger import causality, ledger
from .frozen import Bunches, Order

HANDLED: frozenset[UndoMark] = ledger.DONE_WITH | {"left"}
"""What a row's ``undo`` says when no handler of the model undoes it any more."""


def undo_set(tasks: Mapping[int, TaskRow], kind: UndoKind) -> list[TaskRow]:
    """Every row that has or may have begun, less what is undone, retained for ever, or was only a mock.

    In a rollback a handler of the model undoes all that its activity made, so one row stands for these.
    """
    return _undo_set(tasks, stand_ins(tasks) if kind == "rollback" else {})


def _undo_set(tasks: Mapping[int, TaskRow], stands_for: Mapping[int, int]) -> list[TaskRow]:
    return [
        row
        for row in tasks.values()
        if row.kind == ledger.START
        and (row.stone is not None or row.id in stands_for)
        and stands_for.get(row.id, row.id) == row.id
        and row.undo not in ledger.DONE_WITH
        and row.event != "mock"
        and not ledger.awaits_begin(row)
    ]


def is_kept(row: TaskRow, kind: UndoKind) -> bool:
    """Whether the node's policy keeps what the task made."""
    return row.policy == "retain" or (row.policy == "retain-except-on-failed-start" and kind != "rollback")


def handler_of(row: TaskRow, kind: UndoKind) -> dict[str, Any] | None:
    """The model's compensation handler, frozen when the activity completed, which stands in for the stone's rollback.

    Only in a rollback: cancel and delete have hooks of their own for what completed too.
    """
    return ledger.handler_in(row) if kind == "rollback" else None


def handler_used(row: TaskRow, kind: UndoKind) -> dict[str, Any] | None:
    """The same, unless the node's policy keeps what the task made."""
    return None if is_kept(row, kind) else handler_of(row, kind)


def stand_ins(tasks: Mapping[int, TaskRow], at_work: Collection[int] = ()) -> dict[int, int]:
    """By row, the row whose handler undoes it: that of the outermost activity that has completed with a handler.

    Handlers that are ``at_work``, by the compensation's entries that they undo, undo nothing once more.
    """
    found: dict[int, int] = {}
    handled = [
        row
        for row in tasks.values()
        if row.undo not in HANDLED
        and (handler := ledger.handler_in(row)) is not None
        and handler.get("entry", {}).get("id") not in at_work
    ]
    for row in sorted(handled, key=lambda row: len(ledger.covers(row))):
        found.update(dict.fromkeys(ledger.covers(row), row.id))
    return found


def taken_with(tasks: Mapping[int, TaskRow], heads: Iterable[int], kind: UndoKind) -> dict[int, int]:
    """By row, which of ``heads`` an undo undoes it with; a handler may have done so with a part of them already."""
    if kind != "rollback":
        return {head: head for head in heads}
    return {task_id: head for head in heads for task_id in ledger.covers(tasks[head])}


def plan(
    tasks: Mapping[int, TaskRow], kind: UndoKind, only: Collection[int] | None = None, at_work: Collection[int] = ()
) -> Order:
    """The undo of a whole ledger, or of ``only`` some of it: each row after all that followed it.

    ``at_work`` are handlers that undo no row once more, by the entries of the compensation.
    """
    # A plain one, which tells without a call of ours what is in it.
    tasks = dict(tasks.items())
    stands_for = stand_ins(tasks, at_work) if kind == "rollback" else {}
    wanted = sorted(row.id for row in _undo_set(tasks, stands_for) if only is None or row.id in only)
    causes = _causes(tasks, stands_for)
    near = _near(causes, wanted)
    # Arrays, since a search for rubbish goes through each list.
    groups: dict[tuple[int, ...], array[int]] = {}
    members_of: dict[int, array[int]] = {}
    for task_id in wanted:
        number = causes.of[task_id]
        if number not in members_of:
            members_of[number] = groups.setdefault(near[number], array("q"))
        members_of[number].append(task_id)
    groups.pop((), None)
    bunches = Bunches((members, then) for then, members in groups.items())
    alone = [row for row in wanted if at_work and row not in stands_for and handler_used(tasks[row], kind) is not None]
    return Order(kind, tuple(wanted), bunches, alone=frozenset(alone))


def first_followed(tasks: Mapping[int, TaskRow], wanted: Collection[int], later: Iterable[int]) -> int | None:
    """One of ``later`` that is among the ``wanted`` rows, or causally followed one of these."""
    seen: set[int] = set()
    read: set[str | None] = set()
    for start in later:
        pending = [start]
        while pending:
            task_id = pending.pop()
            if task_id in seen or task_id not in tasks:
                continue
            if task_id in wanted:
                return start
            seen.add(task_id)
            # Many may have followed the same many others.
            if (text := causality.after_text(tasks[task_id], tasks)) not in read:
                read.add(text)
                pending += causality.after(tasks[task_id], tasks)
    return None


class _Causes(NamedTuple):
    """What rows directly followed. Many may have followed the same many others, so each such set is held once."""

    sets: list[tuple[int, ...]]
    of: dict[int, int]
    """By row the number of its set."""


def _causes(tasks: Mapping[int, TaskRow], stands_for: Mapping[int, int]) -> _Causes:
    """What each row followed; where one stands for several, those that any of these followed."""
    numbers: dict[tuple[int, ...], int] = {}
    read: dict[str | None, int] = {}
    of: dict[int, int] = {}
    joined: dict[int, set[int]] = {}
    for task_id, row in tasks.items():
        text = causality.after_text(row, tasks)
        number = read.get(text)
        if number is None:
            causes = [stands_for.get(cause, cause) for cause in causality.after(row, tasks) if cause in tasks]
            own = tuple(sorted(set(causes))) if len(causes) > 1 else tuple(causes)
            number = read[text] = numbers.setdefault(own, len(numbers))
        if task_id in stands_for:
            joined.setdefault(stands_for[task_id], set()).add(number)
        else:
            of[task_id] = number
    sets = list(numbers)
    for whole, parts in joined.items():
        of[whole] = len(sets)
        sets.append(tuple(sorted({cause for number in parts for cause in sets[number]} - {whole})))
    return _Causes(sets, of)


def _near(causes: _Causes, wanted: Iterable[int]) -> list[tuple[int, ...]]:
    """For each set the wanted rows that it directly follows, seen through the rows between that are not wanted."""
    bit = {task_id: 1 << index for index, task_id in enumerate(wanted)}
    near: list[tuple[int, ...]] = [()] * len(causes.sets)
    reached: dict[int, int] = {}
    """All wanted rows before a set, as bits: a set of integers would make a ledger of 10,000 rows too dear."""
    sets, of = causes
    for number in _causal_order(causes):
        # One whose own causes are not known yet would close a circle, which no ledger has.
        found_before = [cause for cause in sets[number] if of[cause] in reached]
        known = sets[number] if len(found_before) == len(sets[number]) else tuple(found_before)
        if len(known) == 1 and known[0] in bit:
            # So it is in a row of tasks one after the other.
            near[number] = known
            reached[number] = reached[of[known[0]]] | bit[known[0]]
            continue
        found = {cause for cause in known if cause in bit}
        for between in {of[cause] for cause in known if cause not in bit}:
            found.update(near[between])
        farther = 0
        for before in {of[cause] for cause in found}:
            farther |= reached[before]
        near[number] = tuple(cause for cause in sorted(found) if not farther & bit[cause])
        for cause in near[number]:
            farther |= bit[cause]
        reached[number] = farther
    return near


def _causal_order(causes: _Causes) -> Iterator[int]:
    """The sets so that each comes after those of its rows; with several engines the ids alone do not say so."""
    sets, of = causes
    done: set[int] = set()
    opened: set[int] = set()
    for first in range(len(sets)):
        stack = [first]
        while stack:
            number = stack[-1]
            if number not in opened:
                opened.add(number)
                before = [own for cause in sets[number] if (own := of[cause]) not in done]
                if before:
                    stack.extend(before)
                    continue
            stack.pop()
            if number not in done:
                done.add(number)
                yield number
