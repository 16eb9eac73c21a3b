"""What is found out on a copy of a process that nobody keeps: why it stands, and what an act would make of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from ...models import ContentRow, EngineRow, InstanceRow
from .. import jsontext
from ..bpmn.running.unforeseen import is_unforeseen
from ..errors import EngineClosed, RiverstoneError, StoreUnavailable, Unknown
from ..instance.instance import Instance
from ..language import effort
from ..mask import MASKED
from ..observing import logs
from ..undo.creation import undo_ids
from ..undo.instance import UndoInstance, load_instance
from ..views.processes import Explanation
from ..views.undo import RewindPlan
from .records import Records

logger = logging.getLogger("riverstone.engine")
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
                instance, undos = self._with_undos(row, content)
                mask = self._records.mask(number)
                explanation = explain(instance, undos, mask, {engine.id: engine for engine in engines})
            except Exception as error:
                if not _is_of_the_process(error):
                    raise
                # Rows that do not fit together, since a step has changed them in between; else it is a defect.
                if tries + 1 < MOST_TRIES and self._store.revision(number) != row.revision:
                    continue
                return self._as_stored(row, error)
            if self._store.revision(number) == row.revision:
                break
        return explanation

    def _as_stored(self, row: InstanceRow, error: Exception) -> Explanation:
        """What can be said of an instance that cannot be read; the log has the error itself."""
        from .why.explanation import explain_stored  # late, as above

        number, log_id = row.process_instance_id, uuid4().hex[:12]
        text = "%s: process %s could not be explained: %s"
        logger.error(text, log_id, number, logs.where(error), extra=logs.about(process_instance_id=number))
        try:
            mask = self._records.mask(number)
        except Exception as unmasked:
            if not _is_of_the_process(unmasked):
                raise
            # Nobody knows what is secret in the words of others.
            mask, row = None, replace(row, name=MASKED, suspension=_wordless(row.suspension))
        kind = error.code if isinstance(error, RiverstoneError) else type(error).__name__
        told = f"The engine met an error that it did not foresee ({kind}, in its log as {log_id})."
        return explain_stored(row, mask, self._facilities.clock.now(), told)

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
        mask = self._records.mask(instance.row.process_instance_id)
        return plan if mask is None else replace(plan, variables=mask.mask_value(dict(plan.variables)))

    def _load(self, number: int) -> Instance:
        return load_instance(self._facilities, *self._records.rows(number), self._load)


def _is_of_the_process(error: Exception) -> bool:
    """Whether it cannot be read, by a defect or for a reason of the engine's own, as where its model is refused now."""
    if isinstance(error, RiverstoneError):
        return not isinstance(error, Unknown | StoreUnavailable | EngineClosed)
    return is_unforeseen(error)


def _wordless(suspension: str | None) -> str | None:
    """The same without what somebody has written as its reason."""
    kept = jsontext.read(suspension or "{}")
    return suspension if not kept or "unforeseen" in kept else jsontext.dumps({**kept, "reason": None})
