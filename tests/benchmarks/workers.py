"""Stones on Celery workers beside Celery's own task that does nothing, through the machine's RabbitMQ.

``python -m tests.benchmarks.workers BROKER CONCURRENCY`` is the worker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from riverstone.engine import Engine
from riverstone.engine.dispatch.celery import CeleryDispatcher, make_app, run, set_up
from riverstone.engine.dispatch.celery.app import task_queue

from ..models import stores
from ..workers import brokers
from ..workers.crew import ROOT, until
from . import diagrams
from .bench import LIMITS, Bench
from .measure import Spent, alternate
from .stones import stones
from .table import Row, milliseconds

NOOP = "noop"
IN_FLIGHT = 32


def application(broker: str) -> Any:
    """The application of the engine and the worker, with Celery's own task beside, whose result is waited for."""
    app = make_app(broker, {"result_backend": "rpc://", "result_persistent": False})

    def noop() -> None:
        """There is nothing to do."""

    app.task(name=NOOP, ignore_result=False, acks_late=True, shared=False)(noop)
    return app


@contextmanager
def workers(broker: str, count: int) -> Iterator[None]:
    """So many workers of one process each."""
    command = [sys.executable, "-m", "tests.benchmarks.workers", broker, "1"]
    quiet = subprocess.DEVNULL
    started = [
        subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=quiet, stderr=quiet) for _ in range(count)
    ]
    try:
        yield
    finally:
        for each in started:
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()


def measure(bench: Bench) -> list[Row]:
    """The time of one task that waits for the one before, and tasks a second, with 1 and 2 worker processes."""
    rows: list[Row] = []
    for kind in ("sqlite", "postgresql"):
        for count in (1, 2):
            with brokers.fresh("rabbitmq", bench.folder) as broker, stores.fresh(kind, bench.folder) as url:
                rows += _measure(bench, url if kind != "sqlite" else f"{url}-{count}.db", broker, kind, count)
    return rows


def _measure(bench: Bench, url: str, broker: str, kind: str, count: int) -> list[Row]:
    app = application(broker)
    with workers(broker, count), Engine(url, dispatcher=CeleryDispatcher(app), limits=LIMITS) as engine:
        until(engine.stones_declared)
        app.conf.task_routes = {NOOP: {"queue": task_queue(NOOP)}}
        noop = app.tasks[NOOP]
        noop.delay().get(timeout=30)
        line, five = bench.size(100, 5), engine.deploy(diagrams.sequence(5)).deployment_id
        long = engine.deploy(diagrams.sequence(line)).deployment_id
        total = bench.size(1000, 40)

        def complete(deployment_id: str) -> None:
            started = engine.start(deployment_id=deployment_id, name="bench")
            ended = engine.wait(started.process_instance_id, timeout=120)
            if ended.status != "success":
                raise RuntimeError(f"Process {ended.process_instance_id} is {ended.status}, not success.")

        def noops_in_turn() -> None:
            for _ in range(line):
                noop.delay().get(timeout=30)

        def noops_at_once() -> None:
            for result in [noop.delay() for _ in range(total)]:
                result.get(timeout=60)

        with ThreadPoolExecutor(IN_FLIGHT) as callers:
            times = alternate(
                {
                    "noops in turn": (noops_in_turn, line),
                    "stones in turn": (lambda: complete(long), line),
                    "noops at once": (noops_at_once, total),
                    "stones at once": (lambda: list(callers.map(complete, [five] * (total // 5))), total),
                },
                bench.size(3, 1),
            )
    return _rows(times, f"{kind}, {count} worker process{'es' if count > 1 else ''}")


def _rows(times: dict[str, Spent], where: str) -> list[Row]:
    turn, stone = times["noops in turn"].wall, times["stones in turn"].wall
    noops, stones_at_once = 1 / times["noops at once"].wall, 1 / times["stones at once"].wall
    return [
        Row(
            f"one stone after the other ({where})",
            f"{milliseconds(stone)} wall",
            f"no-op task {milliseconds(turn)}",
            f"{stone / turn:.2f}",
            "overhead <= 2 no-op tasks",
            stone - turn <= 2 * turn,
        ),
        Row(
            f"stones, {IN_FLIGHT} processes in flight ({where})",
            f"{stones_at_once:,.0f} a second",
            f"no-op tasks {noops:,.0f}",
            f"{noops / stones_at_once:.2f}",
        ),
        Row(f"CPU of the engine for a stone ({where})", f"{milliseconds(times['stones at once'].cpu)} CPU"),
    ]


def work() -> None:
    """Be a worker until killed."""
    app = application(sys.argv[1])
    set_up(app, stones)
    app.conf.task_queues = [*app.conf.task_queues, task_queue(NOOP)]
    run(app, ["--concurrency", sys.argv[2]])


if __name__ == "__main__":
    work()
