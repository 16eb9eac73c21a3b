"""Five thousand coroutine hooks that wait in one engine, as many deferred tasks, and who awaits their ends."""

from __future__ import annotations

import asyncio
import os
import threading
import time

from riverstone.engine import AsyncEngine, Deferral, Engine, TaskInfo

from . import diagrams
from .bench import Bench
from .measure import cpu_of, status_of
from .table import Row

GIVEN: list[str] = []


class Waiting:
    """How many hooks have begun, and what lets all of them go on."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate: asyncio.Event | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    async def start(self, task: TaskInfo) -> None:
        if self.gate is None:
            self.gate, self.loop = asyncio.Event(), asyncio.get_running_loop()
        self.begun += 1
        await self.gate.wait()

    def go_on(self) -> None:
        assert self.gate is not None
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.gate.set)


def defer(task: TaskInfo) -> Deferral:
    later = task.defer()
    GIVEN.append(later.token)
    return later


def measure(bench: Bench) -> list[Row]:
    """CPU, memory and threads while all of them wait; Linux only, because it reads /proc."""
    return [*_coroutines(bench), *_deferred(bench)]


def _coroutines(bench: Bench) -> list[Row]:
    count, seconds, waiting = bench.size(5_000, 20), bench.size(20, 1), Waiting()
    before = status_of(os.getpid(), "VmRSS")
    with Engine(f"sqlite:///{bench.folder}/coroutines.db", dispatcher="threads") as engine:
        engine.stone("nothing")(waiting.start)
        deployment_id = engine.deploy(diagrams.sequence(1)).deployment_id
        begun = time.process_time()
        numbers = [engine.start(deployment_id=deployment_id, name="bench").process_instance_id for _ in range(count)]
        while waiting.begun < count:
            time.sleep(0.05)
        used = time.process_time() - begun
        cpu, wall = cpu_of(os.getpid()), time.perf_counter()
        time.sleep(seconds)
        share = (cpu_of(os.getpid()) - cpu) / (time.perf_counter() - wall)
        memory, threads = status_of(os.getpid(), "VmRSS") / 1024, threading.active_count()

        async def ends() -> float:
            shared = AsyncEngine(engine)
            waits = [asyncio.create_task(shared.wait(number)) for number in numbers]
            await asyncio.sleep(bench.size(5, 0))
            most, began = threading.active_count(), time.process_time()
            waiting.go_on()
            ended = await asyncio.gather(*waits)
            if {each.status for each in ended} != {"success"}:
                raise RuntimeError("a process has not succeeded")
            if most > threads + 10:
                raise RuntimeError(f"{most} threads, although waits hold none")
            return (time.process_time() - began) / count

        took = asyncio.run(ends())
    return [
        Row(f"start {count:,} coroutines", f"{used / count * 1000:.3g} ms CPU each"),
        Row(f"{count:,} coroutines that wait", f"{share:.2%} of a core", f"over {seconds} s"),
        Row(
            "memory of the process",
            f"{memory:.1f} MB",
            f"{before / 1024:.1f} MB before",
            target="<= 150 MB",
            met=memory <= 150,
        ),
        Row("threads", str(threads), target="none per wait", met=threads < 20),
        Row(f"end {count:,}, each awaited by a coroutine", f"{took * 1000:.3g} ms CPU each"),
    ]


def _deferred(bench: Bench) -> list[Row]:
    count = bench.size(5_000, 20)
    GIVEN.clear()
    with Engine(f"sqlite:///{bench.folder}/deferred.db", dispatcher="threads") as engine:
        engine.stone("nothing")(defer)
        deployment_id = engine.deploy(diagrams.sequence(1)).deployment_id
        begun = time.process_time()
        numbers = [engine.start(deployment_id=deployment_id, name="bench").process_instance_id for _ in range(count)]
        while len(GIVEN) < count:
            time.sleep(0.05)
        deferred = time.process_time() - begun
        begun = time.process_time()
        if not all(engine.complete_deferred(token) for token in GIVEN):
            raise RuntimeError("a deferred task was not completed")
        completed = time.process_time() - begun
        if {engine.wait(number, 60).status for number in numbers} != {"success"}:
            raise RuntimeError("a process has not succeeded")
        begun = time.process_time()
        forged = "rst_1_1_" + "A" * 43
        for _ in range(count):
            engine._facilities.tokens.task_of(forged)
        refused = time.process_time() - begun
    return [
        Row(f"start {count:,} deferred tasks", f"{deferred / count * 1000:.3g} ms CPU each"),
        Row("complete one by its token", f"{completed / count * 1000:.3g} ms CPU"),
        Row("refuse a forged token", f"{refused / count * 1e6:.3g} µs CPU"),
    ]
