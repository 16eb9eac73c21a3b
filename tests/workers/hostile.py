"""A worker that answers everything several times, late, and in any order: is anything entered twice?

``python -m tests.workers.hostile [--broker redis|rabbitmq] [--store sqlite|postgresql|mariadb] [--messages 10000]``
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kombu import Consumer

from riverstone.engine import Engine, Stone, TaskInfo
from riverstone.engine.dispatch import messages
from riverstone.engine.dispatch.celery import CeleryDispatcher, make_app
from riverstone.engine.dispatch.celery.app import results_queue, task_queue
from riverstone.engine.dispatch.celery.link import Link
from riverstone.engine.stones import remote

from ..features.sketch import line, service
from ..models import stores
from . import brokers
from .crew import until

LOOKS = 3


class Made(Stone):
    """Only declared: the hostile worker answers for it."""

    code = "made"
    outputs = {"answer": "which answer it was"}

    def start(self, task: TaskInfo) -> None:
        """Is never called."""


class Seen(Stone):
    """Only declared, and looked at a few times."""

    code = "seen"
    monitor_interval = 0.02

    def monitor(self, task: TaskInfo) -> bool:
        """Is never called."""
        raise NotImplementedError


class Hostile:
    """Takes each task, answers it three times with different outputs, and repeats old answers at random."""

    def __init__(self, broker: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.app = make_app(broker)
        self.sent = 0
        self._link = Link(self.app)
        self._waiting: list[str] = []
        self._old: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Answering in a thread of its own."""
        self._thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self._thread.join()
            self._link.drop()

    def _run(self) -> None:
        told = {"kind": "stones", "stones": [remote.declared(stone) for stone in (Made, Seen)]}
        self._send(json.dumps(told))
        queues = [task_queue(name) for stone in (Made, Seen) for name in messages.queues_of(stone)]
        for queue in queues:
            self._link.declare(queue)
        with Consumer(self._link.channel(), queues, on_message=self._take, auto_declare=False):
            while not self._stopping.is_set():
                if not self._link.drain(0.01) or len(self._waiting) > 50:
                    self._answer()

    def _take(self, message: Any) -> None:
        work = json.loads(message.body)[1]["work"]
        for number in range(3):
            self._waiting.append(json.dumps(self._answer_to(work, number)))
        message.ack()

    @staticmethod
    def _answer_to(work: dict[str, Any], number: int) -> dict[str, Any]:
        names = ("task_id", "process_instance_id", "event", "attempt", "delivery")
        answer = {"kind": "answer", **{name: work[name] for name in names}, "result": "done"}
        if work["event"] == "monitor":
            looks = work["state"].get("looks", 0) + 1
            return {**answer, "result": "done" if looks == LOOKS else "again", "state": {"looks": looks}}
        return {**answer, "outputs": {"answer": number}}

    def _answer(self) -> None:
        self.random.shuffle(self._waiting)
        waiting, self._waiting = self._waiting, []
        for text in waiting:
            self._send(text)
            self._old.append(text)
            if self.random.random() < 0.3:
                self._send(self.random.choice(self._old))

    def _send(self, text: str) -> None:
        self._link.publish(results_queue(), text)
        self.sent += 1


def torment(broker: str, url: str, count: int, seed: int = 1, rivers: int = 1) -> tuple[int, float]:
    """Have processes carried out by a hostile worker until it has sent so many messages; how many, in what time.

    Fails where any of them was entered twice.
    """
    hostile = Hostile(broker, seed)
    nodes = service("a", "made"), service("b", "seen"), service("c", "made")
    with hostile.at_work():
        engines = [Engine(url, dispatcher=CeleryDispatcher(make_app(broker))) for _ in range(rivers)]
        try:
            for engine in engines:
                until(engine.stones_declared)
            engines[0].deploy(line("shop", *nodes))
            began = time.monotonic()
            started: list[str] = []
            while hostile.sent < count:
                for _ in range(20):
                    chosen = engines[len(started) % rivers]
                    started.append(chosen.start(key="shop", name="x").process_instance_id)
                for each in started[-20:]:
                    engines[0].wait(each, timeout=120)
            until(lambda: not hostile._waiting)
            time.sleep(1)
            taken = time.monotonic() - began
            for each in started:
                _check(engines[0], each)
        finally:
            for engine in engines:
                engine.close()
    return hostile.sent, taken


def _check(engine: Engine, process_instance_id: str) -> None:
    assert engine.get(process_instance_id).status == "success"
    a, b, c = sorted(engine.tasks(process_instance_id), key=lambda task: task.namespace)
    statuses = [task.status for task in (a, b, c)]
    assert statuses == ["start.success", "monitor.success", "start.success"], (a, b, c)
    rows = [engine._store.task(int(task.task_id)) for task in (a, b, c)]
    # One hand-over for each start and each look: a look that was entered twice would have brought one more.
    handed = [(row.handed, row.lost) for row in rows if row is not None]
    assert handed == [(1, 0), (1 + LOOKS, 0), (1, 0)], (handed, a, b, c)
    # What another answer to the same hand-over says is kept, and moves nothing.
    assert {text for task in (a, b, c) for text in task.log} <= {"A late result was recorded, with another answer."}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", choices=brokers.KINDS, default="rabbitmq")
    parser.add_argument("--store", choices=stores.SHARED, default="postgresql")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rivers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with brokers.fresh(given.broker, folder) as broker, stores.fresh(given.store, folder) as url:
            sent, seconds = torment(broker, url, given.messages, rivers=given.rivers)
    print(
        f"{sent} messages in {seconds:.0f} s on {given.broker}, {given.store}, {given.rivers} engines: 0 entered twice"
    )
