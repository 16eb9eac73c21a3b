"""The ledger of one instance as far as it is in memory: what goes on, and what has come since its fold.

A ledger of a few rows is there as a whole. Of a long one the rows that have ended are *folded* from time to time: what
expressions and joins still need of them is kept in one row beside the ledger, and a step reads no others but those that
it asks for. Whoever goes through all rows has all of them read.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, ValuesView
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from ...models import TaskRow
from .. import jsontext

LEAST = 64
"""Rows that have ended since the last fold, before there is another."""
CHARACTERS = 500
"""For so many characters of a fold there may be one more such row before it is written anew."""
MOST_AT_ONCE = 256
"""Rows that are read together where one after the other is asked for."""
NEAR = 16
"""Ids, for each of these, within which the next one is asked for: others may lie between."""
MOST_IN_A_TURN = 1000
"""Rows that one turn reads of a ledger that is needed as a whole, so that other processes have theirs in between."""


class Fold(NamedTuple):
    """What is kept of the rows that have ended, up to an id."""

    last: int
    """That id; whatever is newer is read with the fold."""
    also: tuple[int, ...]
    """The rows before it that had not ended."""
    results: list[Any]
    """What has been put out, as :meth:`.Results.kept` tells it."""
    put_out: int
    """The number of what was put out last inside of a run."""
    ended: dict[str, list[int]]
    """By the token of a parallel multi-instance task: its runs that have ended."""
    weight: int
    """How many characters the rows hold."""
    secrets: list[Any]
    """The secret values in them."""

    def text(self) -> str:
        """As it is stored."""
        return jsontext.dumps([*self])

    @classmethod
    def read(cls, text: str) -> Fold:
        """What is stored."""
        last, also, *rest = jsontext.read(text)
        return cls(last, tuple(also), *rest)


NOTHING = Fold(0, (), [{}, []], 0, {}, 0, [])


class Rows(Protocol):
    """What a window asks of the store."""

    def tasks(self, process_instance_id: int, /) -> list[TaskRow]: ...

    def tasks_before(self, process_instance_id: int, last: int, limit: int, /) -> list[TaskRow]: ...

    def tasks_of(self, process_instance_id: int, task_ids: tuple[int, ...], /) -> list[TaskRow]: ...

    def some_tasks(self, process_instance_id: int, after: int, limit: int | None, /) -> list[TaskRow]: ...

    def fold(self, process_instance_id: int, /) -> str | None: ...


class Window(dict[int, TaskRow]):
    """Rows by id, oldest first. A row that was read stays until the step that has asked for it is committed."""

    __slots__ = (
        "_lowest",
        "_number",
        "_read_up_to",
        "_store",
        "_together",
        "ended",
        "fold",
        "folded_size",
        "is_held",
        "is_whole",
        "older",
        "outdated",
    )

    def __init__(self, store: Rows, number: int, rows: Iterable[TaskRow] = (), fold: Fold = NOTHING) -> None:
        super().__init__((row.id, row) for row in rows)
        self._store = store
        self._number = number
        self._together = 1
        self._lowest = 0
        """The id of the oldest row that was read last for one that was asked for."""
        self._read_up_to = 0
        """The id up to which a step after the other has read all; 0 where none does."""
        self.fold = fold
        self.folded_size = 0
        """How many characters the fold has."""
        self.is_whole = not fold.last
        """Whether all rows are here."""
        self.is_held = False
        """Whether a next step goes on with all of them, so that none goes with the commit of this one."""
        self.older: set[int] = set()
        """Those that are here and that the fold stands for."""
        self.ended = 0
        """About how many rows are here that have ended and that no fold stands for."""

        self.outdated = False
        """Whether the fold does not tell what is so any more of a row that it stands for."""

    @classmethod
    def open(cls, store: Rows, number: int, folded: int) -> Window:
        """The ledger of a stored instance."""
        text = store.fold(number) if folded else None
        if text is None:
            found = cls(store, number, store.tasks(number))
        else:
            fold = Fold.read(text)
            rows = store.tasks_of(number, fold.also) if fold.also else []
            found = cls(store, number, [*rows, *store.some_tasks(number, fold.last, None)], fold)
            found.folded_size = len(text)
        found.ended = len(found.here()) - len(found.open_rows())
        return found

    def here(self) -> ValuesView[TaskRow]:
        """The rows that are in memory."""
        return super().values()

    def open_rows(self) -> list[TaskRow]:
        """The rows that have not ended, all of which are."""
        return [row for row in super().values() if row.open]

    def known(self) -> tuple[int, int]:
        """Another one whenever a row has come."""
        return super().__len__(), self.fold.last

    # -- one row

    def _may_have(self, task_id: int) -> bool:
        return not self.is_whole and 0 < task_id <= self.fold.last

    def __missing__(self, task_id: int) -> TaskRow:
        if self._may_have(task_id):
            if not self._lowest - NEAR * self._together <= task_id < self._lowest:
                # It is not one before the other that is asked for.
                self._together = 1
            found = self._store.tasks_before(self._number, task_id, self._together)
            self._together = min(self._together * 2, MOST_AT_ONCE)
            self._lowest = found[-1].id if found else 0
            self._add(found)
            if super().__contains__(task_id):
                return self[task_id]
        raise KeyError(task_id)

    def get(self, task_id: int, default: None = None) -> TaskRow | None:  # type: ignore[override]
        found = super().get(task_id)
        if found is None and self._may_have(task_id):
            with suppress(KeyError):
                return self[task_id]
        return found

    def __contains__(self, task_id: object) -> bool:
        return super().__contains__(task_id) or (isinstance(task_id, int) and self.get(task_id) is not None)

    # -- all rows

    def read_all(self) -> None:
        """Have all rows here."""
        if self.is_whole:
            return
        self._add(self._store.tasks(self._number))
        self._have_all()

    def read_on(self) -> int | None:
        """Read some more of the rows; the id up to which they are here now, or None once all are.

        So a step that is about to need all can leave to the next what it would read for too long. Until all are here
        none goes. Whoever gets no farther by that had better read all at once: others change the process meanwhile.
        """
        if self.is_whole:
            return None
        found = self._store.some_tasks(self._number, self._read_up_to, MOST_IN_A_TURN)
        self._add(found)
        if len(found) == MOST_IN_A_TURN and found[-1].id < self.fold.last:
            self._read_up_to = found[-1].id
            return self._read_up_to
        self._have_all()
        return None

    @property
    def is_read_on(self) -> bool:
        """Whether a next step is to read more, so that this copy is to be kept."""
        return self._read_up_to > 0

    def _add(self, rows: Iterable[TaskRow]) -> None:
        for row in rows:
            if not super().__contains__(row.id):
                self[row.id] = row
                self.older.add(row.id)

    def _have_all(self) -> None:
        every = sorted(super().items())
        self.clear()
        self.update(every)
        self.is_whole = True
        self._read_up_to = 0

    def __iter__(self) -> Iterator[int]:
        self.read_all()
        return super().__iter__()

    def __len__(self) -> int:
        self.read_all()
        return super().__len__()

    def keys(self) -> Any:
        self.read_all()
        return super().keys()

    def values(self) -> ValuesView[TaskRow]:  # type: ignore[override]
        self.read_all()
        return super().values()

    def items(self) -> ItemsView[int, TaskRow]:  # type: ignore[override]
        self.read_all()
        return super().items()

    # -- folding

    @property
    def is_long(self) -> bool:
        """Whether enough has ended for a fold."""
        return self.ended >= LEAST and self.ended >= self.folded_size // CHARACTERS

    def since_fold(self) -> list[TaskRow]:
        """The rows here that have ended and that no fold stands for."""
        return [row for row in super().values() if not row.open and row.id not in self.older]

    def folds(self, fold: Fold, text: str) -> None:
        """From now on this fold stands for all rows here that have ended."""
        self.fold, self.folded_size = fold, len(text)
        self.older = {row.id for row in super().values() if not row.open}
        self.ended = 0

    def unfold(self) -> None:
        """Have all rows here, and no fold that stands for any."""
        self.read_all()
        self.fold, self.folded_size, self.older, self.outdated = NOTHING, 0, set(), False
        self.ended = super().__len__() - len(self.open_rows())

    def narrow(self) -> None:
        """Let go of what the fold stands for; nothing of it is to be written any more."""
        if self.is_held:
            # Once, since the step that was to come may not come.
            self.is_held = False
        elif self.older and not self._read_up_to:
            for task_id in self.older:
                del self[task_id]
            self.older = set()
            self.is_whole = False
            self._together = 1
