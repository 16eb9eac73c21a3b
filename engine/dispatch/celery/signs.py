"""What a worker's main process tells the engines: which stones it has, and which tasks are in its hands."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from celery import Celery
from celery.worker import state

from ... import jsontext
from ...stones import remote
from ...stones.stone import Stone
from .. import messages
from .app import results_queue, signs_queue
from .link import AGAIN, Link

logger = logging.getLogger("riverstone.stone")

SIGN = 3.0
"""Seconds between two signs of life; an engine waits for more than two of them."""


HASTY = 10.0
"""Seconds after the broker was away for which signs come more often, since engines then judge what they miss."""


class Signs:
    """One worker's, in a thread of its main process, so that no hook can hold them up."""

    def __init__(self, app: Celery) -> None:
        self._link = Link(app, confirmed=True, heartbeats=True)
        self._urgent: deque[str] = deque()
        self._wanted = threading.Event()
        self._seen: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="riverstone-signs", daemon=True)

    def start(self) -> None:
        """Begin, unless that was done before."""
        if not self._thread.is_alive():
            self._thread.start()

    def declare(self, stones: Sequence[type[Stone]]) -> None:
        """Tell the engines what these stones take, put out and can do."""
        self._urgent.append(jsontext.dumps({"kind": "stones", "stones": [remote.declared(each) for each in stones]}))
        self._wanted.set()

    def lost(self, decoded: Mapping[str, Any]) -> None:
        """Tell the engines that the process which carried out this work has died."""
        self._urgent.append(jsontext.dumps({**decoded, "kind": "lost"}))
        self._wanted.set()

    def _run(self) -> None:
        pause, hasty = SIGN, 0.0
        while True:
            self._wanted.wait(pause)
            hurried = self._wanted.is_set()
            self._wanted.clear()
            pause = min(SIGN, AGAIN) if time.monotonic() < hasty else SIGN
            try:
                while self._urgent:
                    self._link.publish(results_queue(), self._urgent[0])
                    self._urgent.popleft()
                if not hurried:
                    self._tell(self._in_hand())
                    self._link.heartbeat()
            except self._link.errors as error:
                # Engines that are back wait for what is told here, before they take it for lost.
                self._link.broke(error)
                pause, hasty = min(SIGN, AGAIN), time.monotonic() + HASTY
            except Exception:
                logger.exception("no sign of life can be given")
                self._link.drop()

    def _tell(self, signs: list[messages.Sign]) -> None:
        if signs:
            self._link.publish(signs_queue(), messages.signs_text(signs), durable=False)

    def _in_hand(self) -> list[messages.Sign]:
        """The tasks that have been here since the sign before; most are gone by then."""
        active = _copied(state.active_requests)
        # With the connection, a worker forgets what it has reserved, but not what it carries out.
        requests = {each.id: each for each in (*_copied(state.reserved_requests), *active)}
        running = {each.id for each in active}
        before, self._seen = self._seen, set(requests)
        signs = []
        for identifier in before & self._seen:
            work = requests[identifier].kwargs.get("work")
            if isinstance(work, dict) and "task_id" in work and "delivery" in work:
                signs.append(messages.Sign(int(work["task_id"]), int(work["delivery"]), identifier in running))
        return signs


def _copied(requests: Iterable[Any]) -> list[Any]:
    """The members of a set that the worker's loop changes meanwhile."""
    for _ in range(100):
        try:
            return list(requests)
        except RuntimeError:
            continue
    return []
