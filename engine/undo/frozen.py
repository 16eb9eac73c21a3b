"""The order of an undo as it was when that was created: what is undone after what."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, overload

from ...models.vocabulary import UndoKind
from .. import jsontext


class Bunch(NamedTuple):
    """Tasks that followed the same others: all ``members`` are undone before any of those, ``then``.

    Where n tasks followed the same m, these are n + m ids instead of n times m pairs.
    """

    members: tuple[int, ...]
    then: tuple[int, ...]


class Bunches(Sequence[Bunch]):
    """Bunches as four rows of numbers: thousands of small ones would be as many objects to search for rubbish."""

    __slots__ = ("_member_ends", "_members", "_then", "_then_ends")

    def __init__(self, bunches: Iterable[tuple[Iterable[int], Iterable[int]]] = ()) -> None:
        self._members, self._member_ends = array("q"), array("q", [0])
        self._then, self._then_ends = array("q"), array("q", [0])
        for members, then in bunches:
            self._members.extend(members)
            self._then.extend(then)
            self._member_ends.append(len(self._members))
            self._then_ends.append(len(self._then))

    @overload
    def __getitem__(self, number: int) -> Bunch: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Bunch]: ...
    def __getitem__(self, number: int | slice) -> Bunch | Sequence[Bunch]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        members = self._members[self._member_ends[number] : self._member_ends[number + 1]]
        return Bunch(tuple(members), tuple(self._then[self._then_ends[number] : self._then_ends[number + 1]]))

    def __iter__(self) -> Iterator[Bunch]:
        members, then, first, begun = self._members, self._then, 0, 0
        for last, end in zip(self._member_ends[1:], self._then_ends[1:], strict=True):
            yield Bunch(tuple(members[first:last]), tuple(then[begun:end]))
            first, begun = last, end

    def __len__(self) -> int:
        return len(self._member_ends) - 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bunches) and self.rows() == other.rows()

    __hash__ = None  # type: ignore[assignment]

    def rows(self) -> tuple[array[int], ...]:
        """All members, where those of each bunch end, and the same of what is undone after them."""
        return self._members, self._member_ends, self._then, self._then_ends

    @classmethod
    def of_rows(cls, rows: Iterable[Iterable[int]]) -> Bunches:
        """What :meth:`rows` has told."""
        found = cls()
        found._members, found._member_ends, found._then, found._then_ends = (array("q", each) for each in rows)
        return found


class Order(NamedTuple):
    """What one undo undoes; tasks by their id in the ledger of its origin, each a member of one group at most."""

    kind: UndoKind
    tasks: tuple[int, ...]
    groups: Bunches
    origin: int = 0
    called: frozenset[int] = frozenset()
    """Those that a handler of several steps undoes, which is called like a process."""
    alone: frozenset[int] = frozenset()
    """Those that their own stones undo though a handler of the model could: it is at work, and asks for that."""

    def after(self) -> dict[int, tuple[int, ...]]:
        """By task those that are undone directly before it."""
        waits = self.waits()
        known: dict[int | tuple[int, ...], tuple[int, ...]] = {}
        for numbers in waits.values():
            if numbers not in known:
                several = (numbers,) if isinstance(numbers, int) else numbers
                known[numbers] = tuple(sorted(member for number in several for member in self.groups[number].members))
        return {task_id: known[waits[task_id]] if task_id in waits else () for task_id in self.tasks}

    def waits(self) -> dict[int, int | tuple[int, ...]]:
        """By task the number of the group that is undone before it, or of several; left out is what waits for none."""
        found: dict[int, int | tuple[int, ...]] = {}
        several: dict[int, list[int]] = {}
        for number, group in enumerate(self.groups):
            for task_id in group.then:
                if (first := found.get(task_id)) is None:
                    # Most wait for one.
                    found[task_id] = number
                else:
                    assert isinstance(first, int)
                    several.setdefault(task_id, [first]).append(number)
        for task_id, numbers in several.items():
            found[task_id] = tuple(numbers)
        return found

    def in_order(self) -> Iterator[int]:
        """Every task after those that are undone before it; among those that could be next, the newest."""
        remaining = Remaining(self)
        while remaining.ready:
            yield (task_id := remaining.take())
            remaining.done(task_id)

    def text(self) -> str:
        """The order as JSON, the tasks of groups by their places among all."""
        place = {task_id: number for number, task_id in enumerate(self.tasks)}
        members, member_ends, then, then_ends = self.groups.rows()
        rows = [[place[each] for each in members], [*member_ends], [place[each] for each in then], [*then_ends]]
        whole = {"kind": self.kind, "origin": self.origin, "tasks": self.tasks, "bunches": rows}
        alone = {"alone": sorted(self.alone)} if self.alone else {}
        return jsontext.dumps({**whole, "called": sorted(self.called), **alone})

    @classmethod
    def read(cls, text: str) -> Order:
        """The order that :meth:`text` says."""
        found = jsontext.read(text)
        tasks = tuple(found["tasks"])
        if (rows := found.get("bunches")) is None:
            # So did earlier versions write them.
            bunches = Bunches(
                ([tasks[place] for place in members], [tasks[place] for place in then])
                for members, then in found["groups"]
            )
        else:
            members, member_ends, then, then_ends = rows
            told = [tasks[place] for place in members], member_ends, [tasks[place] for place in then], then_ends
            bunches = Bunches.of_rows(told)
        called, alone = frozenset(found["called"]), frozenset(found.get("alone", ()))
        return cls(found["kind"], tasks, bunches, found["origin"], called, alone)


class Remaining:
    """How far an undo has come: what waits for what, and what may be next."""

    def __init__(self, order: Order, done: Collection[int] = (), begun: Collection[int] = ()) -> None:
        """``begun`` have begun and are not done yet."""
        self._groups = order.groups
        self._group_of: dict[int, int] = {}
        self._left: list[int] = []
        """By group how many of its members are not done."""
        self._missing: dict[int, int] = {}
        """By task how many groups that it waits for are not done."""
        for number, (members, then) in enumerate(order.groups):
            for member in members:
                self._group_of[member] = number
            left = sum([member not in done for member in members]) if done else len(members)
            self._left.append(left)
            if left:
                for task_id in then:
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
