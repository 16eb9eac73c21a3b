"""Stones run on Celery workers: the engine's side.

The broker carries messages only; the store stays the truth. A task that is handed over is owned by no engine (see
:mod:`riverstone.models.claims.handovers`), so any engine may enter its answer, and none takes it along when it dies.
Every engine sweeps: what workers have had in hand for longer than a moment is noted, and
vouched for by their signs of life.

* While messages wait in its queue, a task that nobody vouches for may be one of them, and is left to them.
* Nobody vouches any more and its queue is empty: the worker is gone, so the delivery counts as lost and the task is
  offered again.
* Nobody has ever vouched and its queue is empty: the message is gone. It is sent once more, as the same delivery if the
  broker was away meanwhile, and otherwise as one more that was lost.

A queue that was empty when the broker came back counts as empty for what was handed over before, whatever is in it now.

That is judged only where answers are not piling up, since one of them may be about the task. A message may come twice
and an answer late: only the answer to the last delivery moves anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from celery import Celery

from ....models import StoreError
from ...work import Work
from ..dispatcher import Reports
from ..messages import queue_of
from .consumer import Consumer
from .publisher import Publisher
from .sweeper import Sweeper


class CeleryDispatcher:
    """Hands tasks to workers by way of a Celery application's broker.

    Unless ``consumes`` is false, the engine also takes in answers and sees to lost tasks; some engine must.
    """

    remote = True

    def __init__(self, app: Celery, *, consumes: bool = True) -> None:
        self.app = app
        self.consumes = consumes

    def open(self, reports: Reports) -> None:
        self._reports = reports
        self._publisher = Publisher(self.app, self._queue_name, reports.tokens, reports.handovers.offered_again)
        self._publisher.start()
        self._consumer = Consumer(self.app, reports)
        self._sweeper = Sweeper(self.app, reports, self._consumer, self._publisher, self._queue_name)
        if self.consumes:
            self._consumer.start()
            self._sweeper.start()

    def _queue_name(self, work: Work) -> str | None:
        stone = self._reports.stone_for(work)
        return None if stone is None else queue_of(stone, work.event)

    def submit(self, work: Sequence[Work]) -> None:
        self._publisher.send(work)

    def withdraw(self, task_id: int) -> bool:
        # Whether a worker has begun it is known only there.
        return False

    def ask_to_stop(self, task_id: int, delivery: int) -> None:
        self._publisher.send([(task_id, delivery)])

    def holds(self, task_id: int) -> bool:
        return False

    def running(self, task_id: int) -> bool:
        try:
            return self._reports.handovers.is_running(task_id)
        except StoreError:
            return False

    def load(self) -> tuple[int, int]:
        # What is on its way to the broker; what is carried out elsewhere only the broker and the store know.
        return len(self._publisher), 0

    def close(self) -> None:
        if self.consumes:
            self._sweeper.close()
            self._consumer.close()
        self._publisher.close()
