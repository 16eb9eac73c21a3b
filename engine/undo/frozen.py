"""The order of an undo as it was when that was created: what is undone after what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from ...models.vocabulary import UndoKind
from .. import jsontext


class Bunch(NamedTuple):
    """Tasks that followed the same others: all ``members`` are undone before any of those, ``then``.

    Where n tasks followed the same m, these are n + m ids instead of n times m pairs.
    """

    members: tuple[int, ...]
    then: tuple[int, ...]


class Order(NamedTuple):
    """What one undo undoes; tasks by their id in the ledger of its origin, each a member of one group at most."""

    kind: UndoKind
    tasks: tuple[int, ...]
    groups: tuple[Bunch, ...]
    origin: int = 0
    called: frozenset[int] = frozenset()
    """Those that a handler of several steps undoes, which is called like a process."""
    alone: frozenset[int] = frozenset()
    """Those that their own stones undo though a handler of the model could: it is at work, and asks for that."""

    def after(self) -> dict[int, tuple[int, ...]]:
        """By task those that are undone directly before it."""
        waits = self.waits()
        known: dict[tuple[int, ...], tuple[int, ...]] = {}
        for numbers in waits.values():
            if numbers not in known:
                members = (member for number in numbers for member in self.groups[number].members)
                known[numbers] = tuple(sorted(members))
        return {task_id: known[waits[task_id]] if task_id in waits else () for task_id in self.tasks}

    def waits(self) -> dict[int, tuple[int, ...]]:
        """By task the numbers of the groups that are undone before it; left out are those that wait for none."""
        found: dict[int, tuple[int, ...]] = {}
        several: dict[int, list[int]] = {}
        for number, group in enumerate(self.groups):
            for task_id in group.then:
                if task_id not in found:
                    # Most wait for one, and thousands of lists made at once are searched for rubbish.
                    found[task_id] = (number,)
                else:
                    several.setdefault(task_id, [*found[task_id]]).append(number)
        return {**found, **{task_id: tuple(numbers) for task_id, numbers in several.items()}}

    def in_order(self) -> Iterator[int]:
        """Every task after those that are undone before it; among those that could be next, the newest."""
        remaining = Remaining(self)
        while remaining.ready:
            yield (task_id := remaining.take())
            remaining.done(task_id)

    def text(self) -> str:
        """The order as JSON, the tasks of groups by their places among all."""
        place = {task_id: number for number, task_id in enumerate(self.tasks)}
        groups = [([place[each] for each in members], [place[each] for each in then]) for members, then in self.groups]
        whole = {"kind": self.kind, "origin": self.origin, "tasks": self.tasks, "groups": groups}
        alone = {"alone": sorted(self.alone)} if self.alone else {}
        return jsontext.dumps({**whole, "called": sorted(self.called), **alone})

    @classmethod
    def read(cls, text: str) -> Order:
        """The order that :meth:`text` says."""
        found = jsontext.read(text)
        tasks = tuple(found["tasks"])
        groups = [
            Bunch(tuple([tasks[place] for place in members]), tuple([tasks[place] for place in then]))
            for members, then in found["groups"]
        ]
        called, alone = frozenset(found["called"]), frozenset(found.get("alone", ()))
        return cls(found["kind"], tasks, tuple(groups), found["origin"], called, alone)


class Remaining:
    """How far an undo has come: what waits for what, and what may be next."""

    def __init__(self, order: Order, done: Collection[int] = (), begun: Collection[int] = ()) -> None:
        """``begun`` have begun and are not done yet."""
        self._groups = order.groups
        self._group_of = {member: number for number, group in enumerate(order.groups) for member in group.members}
        self._left = [sum(1 for member in group.members if member not in done) for group in order.groups]
        """By group how many of its members are not done."""
        self._missing: dict[int, int] = {}
        """By task how many groups that it waits for are not done."""
        for group, left in zip(order.groups, self._left, strict=True):
            if left:
                for task_id in group.then:
                    self._missing[task_id] = self._missing.get(task_id, 0) + 1
        self.ready = [
            -task_id
            for task_id in order.tasks
            if not (task_id in done or task_id in begun or self._missing.get(task_id))
        ]
        """Those that nothing needs to be undone before, as negative numbers: the newest comes first."""
        heapify(self.ready)

    def take(self) -> int:
        """The next task to undo."""
        return -heappop(self.ready)

    def done(self, task_id: int) -> None:
        """The task is undone, or passed over."""
        number = self._group_of.get(task_id)
        if number is None:
            return
        self._left[number] -= 1
        if not self._left[number]:
            self._free(self._groups[number].then)

    def _free(self, tasks: Iterable[int]) -> None:
        for task_id in tasks:
            self._missing[task_id] -= 1
            if not self._missing[task_id]:
                heappush(self.ready, -task_id)
