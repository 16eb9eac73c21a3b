"""Finds the tasks that workers should have in hand and do not, and sees to it that somebody gets them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from celery import Celery

from ....models import HandedRow, StoreError
from ...errors import RiverstoneError
from ...work import Work
from ..dispatcher import Reports
from .app import EXPIRES, results_queue, task_queue
from .consumer import MOST_TOGETHER, Consumer
from .link import AGAIN, Link
from .publisher import Publisher

logger = logging.getLogger("riverstone.engine")

SWEEP = 2.0
"""Seconds between two sweeps."""
PATIENCE = 8.0
"""Seconds within which a worker that has a task shows it: more than two of its signs are apart."""
SETTLED = 3.0
"""Seconds after connecting before anything is judged, so that what workers have said meanwhile has come in, and what
they have in hand since they are connected again."""


class Sweeper:
    """One engine's, in a thread of its own; sweeps of several engines do no harm to one another."""

    def __init__(
        self,
        app: Celery,
        reports: Reports,
        consumer: Consumer,
        publisher: Publisher,
        queue_name: Callable[[Work], str | None],
    ) -> None:
        self._reports = reports
        self._consumer = consumer
        self._publisher = publisher
        self._queue_name = queue_name
        self._link = Link(app)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="riverstone-sweeper", daemon=True)

    def start(self) -> None:
        """Begin, with the first sweep in a moment."""
        self._thread.start()

    def close(self) -> None:
        """Return when no sweep is running."""
        self._stopped.set()
        self._thread.join()
        self._link.drop()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause()):
            try:
                self.sweep()
            except (StoreError, RiverstoneError) as error:
                logger.warning("handed-over tasks could not be looked after: %s", error)
            except self._link.errors as error:
                self._link.broke(error)
            except Exception:
                logger.exception("handed-over tasks could not be looked after")
                self._link.drop()

    def _pause(self) -> float:
        """Seconds until the next sweep: fewer while the broker is away, or may have come back without what it had."""
        connected = self._consumer.connected_for
        if connected is None:
            # It would only be found to be broken.
            self._link.drop()
        return min(SWEEP, AGAIN) if connected is None or connected < PATIENCE else SWEEP

    def sweep(self) -> None:
        """Look once at everything that is in hand."""
        handovers = self._reports.handovers
        handovers.note(self._reports.engine_id)
        handovers.give_up(self._consumer.lease)
        self._reports.learn()
        connected = self._consumer.connected_for
        if connected is None or connected < SETTLED or len(self._publisher) or self._is_behind():
            return
        expired, unvouched = handovers.expired(), handovers.unvouched(round(PATIENCE * 1000))
        if expired or unvouched:
            self._judge(expired, unvouched, connected)

    def _is_behind(self) -> bool:
        """Whether answers wait that may be about the very tasks that nobody vouches for."""
        return self._consumer.is_behind or self._link.depth(results_queue()) > MOST_TOGETHER

    def _judge(self, expired: list[HandedRow], unvouched: list[HandedRow], connected: float) -> None:
        works = {work.task_id: work for work in self._reports.works_in_hand([*expired, *unvouched])}
        places = {task_id: name for task_id, work in works.items() if (name := self._queue_name(work)) is not None}
        depths = {name: self._link.depth(task_queue(name)) for name in set(places.values())}
        empty = {task_id for task_id, name in places.items() if depths[name] == 0}
        back: list[HandedRow] = []
        for row in expired:
            if row.task_id in empty or self._has_left(places.get(row.task_id), row.silent + self._consumer.lease):
                self._lose(row, "the worker that had it is gone")
            elif row.task_id in places:
                # The broker has taken it back from a worker that is gone, as it seems: it waits there for the next.
                back.append(row)
        lost: list[HandedRow] = []
        for row in unvouched:
            left = row.task_id in empty or self._has_left(places.get(row.task_id), row.silent)
            if row.silent > EXPIRES * 1000 or (left and row.silent > connected * 1000):
                lost.append(row)
            elif left:
                # Nothing has happened to the broker: somebody took it who is gone, perhaps because of the task.
                self._lose(row, "nobody has it")
        self._reports.handovers.offered_again((row.task_id, row.delivery) for row in (*back, *lost))
        if lost:
            logger.warning("%d tasks are sent again, since the broker has lost them", len(lost))
            self._publisher.send([works[row.task_id] for row in lost if row.task_id in works])

    def _has_left(self, name: str | None, silent: int) -> bool:
        """Whether its queue had no message when the broker came back, and nobody has been heard of it since."""
        seen = self._publisher.seen_empty.get(name or "")
        return seen is not None and silent > (time.monotonic() - seen) * 1000

    def _lose(self, row: HandedRow, reason: str) -> None:
        if self._reports.lose(row.task_id, row.process_instance_id, row.delivery):
            logger.warning("task %d (%s of %s) is offered again: %s", row.task_id, row.event, row.stone, reason)
