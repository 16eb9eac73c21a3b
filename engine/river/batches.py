"""Batches at work: a few processes a turn, between whatever else there is to do, and no faster than was asked for.

The turn that does something to a process also moves the batch on, with a compare-and-set on its row. So each process
is acted upon once, whichever engines are at it and whenever one dies, and nothing more begins once a pause is
acknowledged.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ...models import BatchItemRow, BatchRecords, BatchRow, StoreError
from .. import jsontext
from ..errors import RiverstoneError, StoreUnavailable
from ..instance.facilities import Facilities
from ..steps.repair.batching import act_upon
from .river import River
from .turn import Turn

logger = logging.getLogger("riverstone.engine")

MOST_AT_ONCE = 20
"""Processes in one turn, where none of them refuses."""
AHEAD = 0.1
"""Seconds for whose worth of processes a turn may run ahead of the rate."""
LATE = 1000
"""Milliseconds of which a batch makes up for what it was late; a longer standstill is not followed by a rush."""
BREATH = 200
"""Milliseconds after which it is tried again where the store could not take it."""
LONGEST_REASON = 2000


class Batches:
    """Those that one engine works at; a ``passive`` one leaves them to others."""

    def __init__(self, facilities: Facilities, river: River, *, passive: bool) -> None:
        self.facilities = facilities
        self.records = BatchRecords(facilities.store)
        self._river = river
        self._passive = passive
        self._due: dict[str, int] = {}
        """When the next of each batch may be touched, by the engine's clock, as far as it is known."""
        self._single: dict[str, int] = {}
        """How many of the next are stepped alone, since one of them has refused."""

    def look(self) -> None:
        """See whether there is a batch to work at that nobody works at, or that was started elsewhere."""
        if not self._passive:
            for batch_id in self.records.to_work_at(self.facilities.engine_id):
                self._due.setdefault(batch_id, 0)

    def note(self, batch_id: str) -> None:
        """It was started or goes on."""
        if not self._passive:
            self._due[batch_id] = 0

    def next_due(self) -> int | None:
        """When there is something to do next."""
        return min(self._due.values(), default=None)

    def step_some(self) -> bool:
        """Do the next few of each batch whose time has come; whether there was anything."""
        if not self._due:
            return False
        now, moved = self.facilities.clock.now(), False
        for batch_id in [batch_id for batch_id, due in self._due.items() if due <= now]:
            try:
                moved = self._step(batch_id, now) or moved
            except (StoreError, StoreUnavailable) as error:
                logger.warning("the batch %s waits: %s", batch_id, error)
                self._due[batch_id] = now + BREATH
        return moved

    def _step(self, batch_id: str, now: int) -> bool:
        row = self.records.batch(batch_id)
        if row is None or row.state != "running" or self._is_others(row):
            self._let_go(batch_id)
            return False
        # Where the clock of another engine was ahead, that holds up nobody.
        due = min(row.due, now + _pause(row, 1))
        if due > now:
            self._due[batch_id] = due
            return False
        single = self._single.get(batch_id, 0)
        items = self.records.next_items(batch_id, row.done + row.refused, 1 if single else _at_once(row))
        try:
            moved = self._river.now(partial(self._apply, row, items, now))
        except StoreUnavailable:
            raise
        except RiverstoneError as error:
            if len(items) > 1:
                self._single[batch_id] = len(items)
                return True
            moved = self._refuse(row, items[0], now, error)
        if moved is None:
            return True
        if single > 1:
            self._single[batch_id] = single - 1
        else:
            self._single.pop(batch_id, None)
        self._due[batch_id] = moved.due
        if moved.state != "running":
            self._let_go(batch_id)
        return True

    def _is_others(self, row: BatchRow) -> bool:
        """Whether another engine that lives works at it."""
        own = self.facilities.engine_id
        return row.engine not in (None, own) and row.id not in self.records.to_work_at(own)

    def _let_go(self, batch_id: str) -> None:
        self._due.pop(batch_id, None)
        self._single.pop(batch_id, None)

    def _apply(self, row: BatchRow, items: Sequence[BatchItemRow], now: int, turn: Turn) -> BatchRow | None:
        """Act upon these until the turn has lasted long enough; None where the batch is not as it was read."""
        if self._is_outdated(row):
            return None
        options, ended = jsontext.read(row.options), list[BatchItemRow]()
        for item in items:
            if ended and turn.is_over():
                break
            act_upon(turn.instance(item.process_instance_id), row.action, options, row.client)
            ended.append(replace(item, result="done", ended=now))
        return self._move_on(turn, row, ended, now)

    def _refuse(self, row: BatchRow, item: BatchItemRow, now: int, error: RiverstoneError) -> BatchRow | None:
        """Enter why nothing was done to one of them."""
        code, reason = error.code[:64], error.message[:LONGEST_REASON]
        refused = replace(item, result="refused", code=code, reason=reason, ended=now)
        moved: BatchRow | None = self._river.now(
            lambda turn: None if self._is_outdated(row) else self._move_on(turn, row, [refused], now)
        )
        return moved

    def _is_outdated(self, row: BatchRow) -> bool:
        found = self.records.batch(row.id)
        return found is None or found.revision != row.revision

    def _move_on(self, turn: Turn, row: BatchRow, ended: Sequence[BatchItemRow], now: int) -> BatchRow:
        """The batch after these; the commit refuses it if it is not as it was read any more."""
        refused = sum(item.result == "refused" for item in ended)
        moved = replace(
            row,
            done=row.done + len(ended) - refused,
            refused=row.refused + refused,
            due=now if row.rate is None else max(row.due, now - LATE) + _pause(row, len(ended)),
            engine=self.facilities.timekeeper,
        )
        if moved.done + moved.refused >= moved.total:
            moved.state, moved.ended, moved.engine = "ended", now, None
        turn.changes.rare.batches.append(moved)
        turn.changes.rare.batch_items += ended
        return moved


def _pause(row: BatchRow, processes: int) -> int:
    """Milliseconds that so many processes take at the batch's rate."""
    return 0 if row.rate is None else round(processes * 1000 / row.rate)


def _at_once(row: BatchRow) -> int:
    """How many processes one turn may act upon."""
    return MOST_AT_ONCE if row.rate is None else max(1, min(MOST_AT_ONCE, int(row.rate * AHEAD)))
