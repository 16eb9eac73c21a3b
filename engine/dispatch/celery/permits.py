"""A worker asks whether a hook may begin whose message has waited: its process may have been stopped meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu import Consumer, Queue

from ...errors import Invalid
from ...work import Work
from .. import messages
from .app import body_text, results_queue
from .link import AGAIN, Link

ASK_AGAIN = 5.0
"""Seconds without an answer after which the question is asked once more."""


class Permits:
    """One thread's questions, on a connection of its own."""

    def __init__(self, app: Celery) -> None:
        self._link = Link(app, confirmed=True)
        self._queue = Queue("")
        self._consumer: Consumer | None = None
        self._answers: dict[tuple[str, int], bool] = {}

    def may_begin(self, work: Work, is_stopped: Callable[[], bool]) -> bool:
        """Whether the engines say so; asked until one answers, or the task ``is_stopped``."""
        key = str(work.task_id), work.delivery
        asked = 0.0
        while not is_stopped():
            try:
                if self._consumer is None:
                    self._listen()
                if time.monotonic() - asked > ASK_AGAIN:
                    self._link.publish(results_queue(), messages.question_text(work, self._queue.name))
                    asked = time.monotonic()
                self._link.drain(0.2)
            except self._link.errors as error:
                self._link.broke(error)
                self._consumer, asked = None, 0.0
                time.sleep(AGAIN)
            if key in self._answers:
                return self._answers.pop(key)
        return False

    def _listen(self) -> None:
        self._answers.clear()
        name = f"{messages.PERMITS}{uuid4()}"
        self._queue = Queue(name, routing_key=name, durable=False, exclusive=True, auto_delete=True)
        self._link.declare(self._queue)
        self._consumer = Consumer(
            self._link.channel(), [self._queue], on_message=self._heard, no_ack=True, auto_declare=False
        )
        self._consumer.consume()

    def _heard(self, message: Any) -> None:
        try:
            decoded = messages.read(body_text(message))
            self._answers[str(decoded.get("task_id")), int(decoded["delivery"])] = decoded.get("begin") is True
        except (Invalid, KeyError, TypeError, ValueError):
            # Asked again, it is answered again.
            return
