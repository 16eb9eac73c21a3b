"""Which process instances may be forgotten, and forgetting them without holding anyone up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from ...models import BatchRecords, Store
from ...models.operating.retention import MOST_AT_ONCE, Candidate, Purged, Retention
from .. import failpoints
from ..clock import Clock
from ..errors import Invalid
from ..instance.flags import Flags
from ..ledger.ledger import DONE_WITH

BREATH: Final = 0.5
"""Of the time that a batch took, what part is left to others before the next one."""


def purge(
    store: Store, clock: Clock, older_than_seconds: float, *, even_undeleted: bool = False, dry_run: bool = False
) -> int:
    """Remove finished process instances with their ledgers and undo instances; how many processes that were.

    A process may go when it and its undos have all ended that long ago, it is not protected, no undo of it failed, and
    no undo would find anything to do: everything was taken back, it was deleted, it made nothing, or it only pretended
    to. ``even_undeleted`` lets those go too whose results exist: nobody can delete these by the engine any more.

    Raises Invalid for an age that is not a number of seconds from zero on, StoreError.
    """
    if isinstance(older_than_seconds, bool) or not 0 <= older_than_seconds < float("inf"):
        raise Invalid(f"The age {older_than_seconds!r} is not a number of seconds from 0 on.", code="age-invalid")
    before = clock.now() - round(older_than_seconds * 1000)
    retention = Retention(store)
    wanted = Purged(before, Flags.PROTECTED, tuple(DONE_WITH), even_undeleted)
    if dry_run:
        return _counted(retention, wanted)
    removed = 0
    for batch in _batches(retention, wanted):
        begun = time.monotonic()
        failpoints.reach("before-purge")
        removed += len(retention.remove(batch))
        failpoints.reach("after-purge")
        _breathe(begun)
    _clear(retention, before)
    BatchRecords(store).forget(before)
    return removed


def _counted(retention: Retention, wanted: Purged) -> int:
    total, after = 0, 0
    while True:
        count, last = retention.count(wanted, after)
        if last is None:
            return total
        total, after = total + count, last


def _batches(retention: Retention, wanted: Purged) -> Iterator[list[Candidate]]:
    """What may go, so few at a time that their ledgers together are short."""
    after: int | None = 0
    while after is not None:
        candidates, after = retention.candidates(wanted, after)
        batch: list[Candidate] = []
        rows = 0
        for candidate in candidates:
            rows += candidate.rows + 1
            if batch and rows > MOST_AT_ONCE:
                yield batch
                batch, rows = [], candidate.rows + 1
            batch.append(candidate)
        if batch:
            yield batch


def _clear(retention: Retention, before: int) -> None:
    """Remove the rest of long ledgers, those of a purge that was killed included, and what trial runs ran."""
    for number in retention.leftovers():
        begun = time.monotonic()
        while retention.remove_leftovers(number):
            _breathe(begun)
            begun = time.monotonic()
    while retention.remove_snapshots(before) == MOST_AT_ONCE:
        pass


def _breathe(begun: float) -> None:
    time.sleep(min(0.1, (time.monotonic() - begun) * BREATH))
