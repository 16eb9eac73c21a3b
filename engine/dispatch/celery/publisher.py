"""The outbox of one engine: what is committed goes to the broker in a thread of its own, as soon as that is there."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from celery import Celery
from kombu import Queue

from ....models import StoreError
from ...work import Work
from ..messages import RESULTS, TASK
from ..work_messages import work_text
from .app import EXPIRES, task_queue
from .link import AGAIN, Link
from .stopping import STOP

logger = logging.getLogger("riverstone.engine")

PATIENCE = 10.0
"""Seconds for which a closing engine tries to send what it still has."""


class Publisher:
    """Sends works to their queues and broadcasts what is to stop. What it loses, the store still has."""

    def __init__(
        self,
        app: Celery,
        queue_name: Callable[[Work], str | None],
        tokens: Callable[[Work], tuple[str, str | None]],
        sent_late: Callable[[Collection[tuple[int, int]]], None],
    ) -> None:
        self._app = app
        self._queue_name = queue_name
        self._tokens = tokens
        self._sent_late = sent_late
        self._late: list[tuple[int, int]] = []
        self._held = 0
        """How much of the outbox was in it when the broker was last away."""
        self.seen_empty: dict[str, float] = {}
        """When a queue had no message although a new connection was made, by the monotonic clock: none from before."""
        self._link = Link(app, heartbeats=True)
        self._outbox: deque[Work | tuple[int, int]] = deque()
        self._filled = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="riverstone-publisher", daemon=True)
        self._headers = {
            "lang": "py",
            "task": TASK,
            "argsrepr": "()",
            "kwargsrepr": "{}",
            "ignore_result": True,
            "retries": 0,
            "eta": None,
            "timelimit": [None, None],
            "origin": "riverstone",
            "parent_id": None,
            "group": None,
        }

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def send(self, items: Iterable[Work | tuple[int, int]]) -> None:
        """Queue works, and (task id, delivery) for what is to stop."""
        with self._filled:
            self._outbox.extend(items)
            self._filled.notify()

    def __len__(self) -> int:
        """How much has not been sent yet."""
        return len(self._outbox)

    def close(self) -> None:
        """Send what is there, as far as that goes within a few seconds."""
        with self._filled:
            self._closed = True
            self._filled.notify()
        self._thread.join()

    def _run(self) -> None:
        pause, end = 0.1, None
        while True:
            with self._filled:
                if not self._outbox and not self._closed:
                    self._filled.wait(1.0)
                closed = self._closed
            end = end or (time.monotonic() + PATIENCE if closed else None)
            if closed and (not self._outbox or (end is not None and time.monotonic() > end)):
                break
            try:
                self._send_all()
                self._tell_late()
                if self._link.is_open:
                    self._link.heartbeat()
                pause = 0.1
            except self._link.errors as error:
                self._link.broke(error)
                self._held = len(self._outbox)
                time.sleep(pause)
                pause = min(AGAIN, pause * 2)
            except Exception:
                logger.exception("a message cannot be sent; its task is offered again later")
                self._link.drop()
                if self._outbox:
                    self._outbox.popleft()
        self._link.drop()

    def _send_all(self) -> None:
        while self._outbox:
            item = self._outbox[0]
            if isinstance(item, Work):
                self._publish(item)
            else:
                arguments = {"task_id": str(item[0]), "delivery": item[1]}
                self._app.control.broadcast(STOP, arguments=arguments, connection=self._link.connection)
            # Only now: what breaks off is sent again.
            self._outbox.popleft()
            if self._held:
                self._held -= 1
                if isinstance(item, Work):
                    self._late.append((item.task_id, item.delivery))

    def _look_into(self, queue: Queue) -> None:
        """Before anything is sent to a queue on a new connection: the broker may have come back without what it had."""
        self._link.declare(queue)
        if self._link.depth(queue) == 0:
            self.seen_empty[queue.name] = time.monotonic()

    def _tell_late(self) -> None:
        """Whoever misses them is to count from now."""
        if self._late:
            try:
                self._sent_late(self._late)
                self._late = []
            except StoreError as error:
                logger.warning("it could not be noted what was sent late: %s", error)

    def _publish(self, work: Work) -> None:
        name = self._queue_name(work)
        if work.event == "start" and not work.token:
            # Workers have no store by which to make one.
            work.token, work.callback_url = self._tokens(work)
        if name is None:
            return
        queue = task_queue(name)
        if not self._link.has(queue):
            self._look_into(queue)
        identifier = str(uuid4())
        expires = (datetime.now(UTC) + timedelta(seconds=EXPIRES)).isoformat()
        self._link.publish(
            queue,
            work_text(work),
            headers={**self._headers, "id": identifier, "root_id": identifier, "expires": expires},
            correlation_id=identifier,
            reply_to=RESULTS,
        )
