"""Ten thousand processes that each wait in a monitor which looks once a minute: what a minute of that costs."""

from __future__ import annotations

import os
import threading
import time

from . import diagrams
from .bench import Bench
from .measure import cpu_of, status_of
from .table import Row


def measure(bench: Bench) -> list[Row]:
    """CPU, memory and threads while all of them wait; Linux only, because it reads /proc."""
    count, seconds = bench.size(10_000, 20), bench.size(60, 1)
    before = status_of(os.getpid(), "VmRSS")
    with bench.engine(dispatcher="threads") as engine:
        deployment_id = engine.deploy(diagrams.monitored()).deployment_id
        begun, busy = time.perf_counter(), time.process_time()
        last = [engine.start(deployment_id=deployment_id, name="bench").process_instance_id for _ in range(count)][-1]
        while [task.status for task in engine.tasks(last)] != ["monitor.begin"] and time.perf_counter() - begun < 100:
            time.sleep(0.1)
        took, used = time.perf_counter() - begun, time.process_time() - busy
        time.sleep(bench.size(3, 0))

        pid = os.getpid()
        cpu, wall = cpu_of(pid), time.perf_counter()
        time.sleep(seconds)
        share = (cpu_of(pid) - cpu) / (time.perf_counter() - wall)
        memory, threads = status_of(pid, "VmRSS") / 1024, threading.active_count()
        running = {engine.get(last).status}
    if running != {"running"}:
        raise RuntimeError(f"The last process is {running.pop()}, although nothing should have ended its wait.")
    return [
        Row(f"start {count:,} that will wait", f"{used / count * 1000:.3g} ms CPU each", f"{took:.1f} s the whole"),
        Row(
            f"{count:,} monitors, a look each 60 s",
            f"{share:.2%} of a core",
            f"over {seconds} s",
            target="<= 0.5 % of a core",
            met=share <= 0.005,
        ),
        Row(
            "memory of the process",
            f"{memory:.1f} MB",
            f"{before / 1024:.1f} MB before",
            target="<= 90 MB",
            met=memory <= 90,
        ),
        Row("threads", str(threads), target="none per wait", met=threads < 50),
    ]
