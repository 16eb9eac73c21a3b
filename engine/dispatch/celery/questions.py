"""What a worker asks the engines: whether a hook may begin whose message has waited, and to keep what a start saves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu import Consumer, Queue

from ...errors import Conflict, Invalid
from ...work import Saving, Work
from .. import messages
from .app import body_text, results_queue
from .link import AGAIN, Link

ASK_AGAIN = 5.0
"""Seconds without an answer after which a question is asked once more."""

Asked = tuple[str, str, int, int, int]
"""What an answer is about: its kind, the task, and of a saving its attempt, the delivery, and which of its savings.

Savings count anew in each attempt and deliveries go on counting, so an attempt after one that failed begins with the
same two numbers: without its own, the late answer to the older would do for the newer's.
"""


class Questions:
    """One thread's questions, on a connection of its own."""

    def __init__(self, app: Celery) -> None:
        self._link = Link(app, confirmed=True)
        self._queue = Queue("")
        self._consumer: Consumer | None = None
        self._answers: dict[Asked, Mapping[str, Any]] = {}

    def may_begin(self, work: Work, is_stopped: Callable[[], bool]) -> bool:
        """Whether the engines say so; asked until one answers, or the task ``is_stopped``."""
        key = "permit", str(work.task_id), 0, work.delivery, 0
        answer = self._ask(lambda queue: messages.question_text(work, queue), key, is_stopped)
        return answer is not None and answer.get("begin") is True

    def save(self, saving: Saving) -> None:
        """Have an engine keep what a start saves; asked until one answers. Raises Conflict where it was refused."""
        key = "saved", str(saving.task_id), saving.attempt, saving.delivery, saving.number
        answer = self._ask(lambda queue: messages.saving_text(saving, queue), key, lambda: False)
        if answer is not None and answer.get("refused") is not None:
            raise Conflict(str(answer["refused"]), code="task-ended")

    def _ask(self, text: Callable[[str], str], key: Asked, is_over: Callable[[], bool]) -> Mapping[str, Any] | None:
        asked = 0.0
        while not is_over():
            try:
                if self._consumer is None:
                    self._listen()
                if time.monotonic() - asked > ASK_AGAIN or not asked:
                    self._link.publish(results_queue(), text(self._queue.name))
                    asked = time.monotonic()
                self._link.drain(0.2)
            except self._link.errors as error:
                self._link.broke(error)
                self._consumer, asked = None, 0.0
                time.sleep(AGAIN)
            if key in self._answers:
                return self._answers.pop(key)
        return None

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
            numbers = int(decoded.get("attempt", 0)), int(decoded["delivery"]), int(decoded.get("number", 0))
            self._answers[decoded["kind"], str(decoded.get("task_id")), *numbers] = decoded
        except (Invalid, KeyError, TypeError, ValueError):
            # Asked again, it is answered again.
            return
