"""Copies of instances in memory: fewer than are stored, and perhaps older, which a commit finds out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator

from ...models import Store
from ..instance.instance import Instance
from ..instance.notes.folding import narrow

MOST_KEPT = 1000
MOST_HELD = 8_000_000
"""Characters of variables and rows of all copies together; in memory they take several times as much."""
OF_A_ROW = 1_000
"""Characters that a row counts for beside its values."""


class InstanceCache:
    """Those that were stepped last; used where the steps run."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[int, Instance] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self._held = 0

    def __iter__(self) -> Iterator[int]:
        return iter(self._kept)

    def get(self, process_instance_id: int) -> Instance | None:
        """A copy that is to be stepped now; its revision is checked by the commit."""
        found = self._kept.get(process_instance_id)
        if found is not None:
            self._kept.move_to_end(process_instance_id)
        return found

    def peek(self, process_instance_id: int) -> Instance | None:
        """A copy that is only looked at."""
        return self._kept.get(process_instance_id)

    def keep(self, instance: Instance) -> None:
        """Keep a copy that was just committed, unless its process has ended and nobody is reading on."""
        number, kept = instance.row.process_instance_id, self._kept
        if instance.row.phase == "ended" and not instance.tasks.is_read_on:
            self._drop(number)
            return
        narrow(instance)
        if kept.get(number) is not instance:
            # One that was there has moved to the end as it was asked for.
            kept[number] = instance
        size = instance.weight.total + OF_A_ROW * instance.tasks.known()[0]
        self._held += size - self._sizes.get(number, 0)
        self._sizes[number] = size
        while len(kept) > MOST_KEPT or (self._held > MOST_HELD and len(kept) > 1):
            self._drop(next(iter(kept)))

    def _drop(self, number: int) -> None:
        if self._kept.pop(number, None) is not None:
            self._held -= self._sizes.pop(number, 0)

    def forget(self, process_instance_ids: Iterable[int]) -> None:
        """Read these from the store when they are next needed."""
        for number in process_instance_ids:
            self._drop(number)

    def drop_stale(self, process_instance_ids: Iterable[int], but: Container[int]) -> None:
        """Forget those, ``but`` some, that another engine has changed."""
        numbers = [number for number in process_instance_ids if number in self._kept and number not in but]
        stored = self._store.revisions(numbers) if numbers else {}
        for number in numbers:
            if stored.get(number) != self._kept[number].row.revision:
                self._drop(number)

    def clear(self) -> list[Instance]:
        """Forget all; those that were there."""
        found = list(self._kept.values())
        self._kept.clear()
        self._sizes.clear()
        self._held = 0
        return found
