"""What is found out on a copy of a process that nobody keeps: why it stands, and what an act would make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ...models import ContentRow, EngineRow, InstanceRow
from ..errors import RiverstoneError
from ..instance.instance import Instance
from ..language import effort
from ..undo.creation import undo_ids
from ..undo.instance import UndoInstance, load_instance
from ..views.processes import Explanation
from ..views.undo import RewindPlan
from .records import Records

T = TypeVar("T")
MOST_TRIES = 5
"""How often something is read again that changes while it is read."""


class Rehearsals:
    """Loads the copies from the store, each as it is in one state."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._facilities = records.facilities
        self._store = records.store

    def why(self, number: int, engines: Sequence[EngineRow]) -> Explanation:
        """Why one instance stands where it stands; ``engines`` carry out stones. Raises UnknownProcessInstance."""
        from .why.explanation import explain  # late, since few programs are asked this by a person

        for tries in range(MOST_TRIES):
            row, content = self._records.rows(number)
            try:
                mask = self._records.mask_of(row, content)
                explanation = explain(*self._with_undos(row, content), mask, {engine.id: engine for engine in engines})
            except (KeyError, StopIteration):
                # Rows that do not fit together, since a step has changed them in between; else it is a defect.
                if tries + 1 == MOST_TRIES:
                    raise
                continue
            if self._store.revision(number) == row.revision:
                break
        return explanation

    def _with_undos(self, row: InstanceRow, content: ContentRow) -> tuple[Instance, list[UndoInstance]]:
        """An instance as it is stored now, with its undos, oldest first."""
        instance = load_instance(self._facilities, row, content, self._load)
        rows = map(self._records.rows, undo_ids(row).values())
        loaded = [load_instance(self._facilities, *each, lambda _: instance) for each in rows]
        return instance, [undo for undo in loaded if isinstance(undo, UndoInstance)]

    def of(self, number: int, act: Callable[[Instance], T]) -> T:
        """What an act makes of a copy that nobody else has, of one state of the instance; raises what it does."""
        for left in reversed(range(MOST_TRIES)):
            revision = self._store.revision(number)
            try:
                copy = self._load(number)
                # No more than a step may look at.
                with effort.turn(self._facilities.limits, self._facilities.clock.now):
                    found = act(copy)
            except (KeyError, StopIteration, RiverstoneError):
                # Rows may not fit together, or tell of another state, where a step has changed them in between.
                if left == 0 or self._store.revision(number) == revision:
                    raise
            else:
                if left == 0 or self._store.revision(number) == revision:
                    break
        return found

    def masked_plan(self, instance: Instance, plan: RewindPlan) -> RewindPlan:
        """What a rewind would do, as it may be shown."""
        mask = self._records.mask_of(instance.row, instance.content)
        return plan if mask is None else replace(plan, variables=mask.mask_value(dict(plan.variables)))

    def _load(self, number: int) -> Instance:
        return load_instance(self._facilities, *self._records.rows(number), self._load)
