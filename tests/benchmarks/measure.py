"""Times of pieces of work that take turns, so that a slow minute of the machine slows all of them."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Spent:
    """Seconds of this process, all its threads together, and of the clock on the wall."""

    cpu: float
    wall: float

    def per(self, count: int) -> Spent:
        """The same for one of ``count``."""
        return Spent(self.cpu / count, self.wall / count)


def spent(work: Work, elsewhere: Callable[[], float] = lambda: 0.0) -> Spent:
    """What one run takes; rubbish of earlier work is collected before, its own counts.

    ``elsewhere`` tells the CPU seconds so far of other processes that work on it, such as a database's server.
    """
    gc.collect()
    cpu, wall = time.process_time() + elsewhere(), time.perf_counter()
    work()
    return Spent(time.process_time() + elsewhere() - cpu, time.perf_counter() - wall)


def median(times: list[Spent]) -> Spent:
    """The middle CPU time and the middle wall time."""
    return Spent(statistics.median(each.cpu for each in times), statistics.median(each.wall for each in times))


def alternate(
    works: Mapping[str, tuple[Work, int]], rounds: int, elsewhere: Callable[[], float] = lambda: 0.0
) -> dict[str, Spent]:
    """Run all of them in turn, ``rounds`` times; each one's median time for one of the ``count`` that a run does.

    One round before is not counted: it fills caches and prepares statements.
    """
    times: dict[str, list[Spent]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, (work, count) in works.items():
            taken = spent(work, elsewhere).per(count)
            if turn:
                times[name].append(taken)
    return {name: median(each) for name, each in times.items()}


def spent_by_children(command: list[str]) -> Spent:
    """What a command takes from its start to its end, the interpreter's own start included.

    Raises ChildProcessError if it fails.
    """
    wall = time.perf_counter()
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise ChildProcessError(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}.")
    return Spent(usage.ru_utime + usage.ru_stime, time.perf_counter() - wall)


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used so far (Linux)."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_of(pid: int, name: str) -> int:
    """A number of ``/proc/<pid>/status``, such as ``VmRSS`` (kB) or ``Threads`` (Linux)."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    raise KeyError(f"/proc/{pid}/status has no {name}")
