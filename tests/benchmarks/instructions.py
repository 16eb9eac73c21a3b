"""Instructions of the processor, which a busy machine does not change: what valgrind counts in the engine's thread."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import diagrams
from .bench import Bench, Runs
from .table import Row

REACH = 3_300
"""Thousands for one process of five stones on CPython 3.11; 3,767 is what it took before anybody counted."""
WARM = 30
"""Processes that are not counted: the interpreter learns what its code works with, and statements are prepared."""


def measure(bench: Bench) -> list[Row]:
    """One process of five stones in sequence on SQLite."""
    if shutil.which("valgrind") is None:
        return [Row("5 in sequence: instructions", "not counted", "needs valgrind")]
    count = bench.size(150, 1)
    counted = _counted(bench.folder, count) / count / 1000
    return [Row("5 in sequence: instructions", f"{counted:,.0f} k", "", "", f"<= {REACH:,} k", counted <= REACH)]


def _counted(folder: Path, processes: int) -> int:
    """The instructions of the first thread alone: the heartbeat comes by the clock."""
    out = folder / "callgrind"
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes"]
    command += [f"--callgrind-out-file={out}", sys.executable, "-m", __name__, str(processes), str(folder)]
    done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True)
    if done.returncode:
        raise ChildProcessError(done.stderr)
    (total,) = re.findall(r"^totals: (\d+)", Path(f"{out}-01").read_text(encoding="utf-8"), re.MULTILINE)
    return int(total)


def _run(processes: int, folder: Path) -> None:
    """What is counted, in a process of valgrind's."""
    with Bench(folder).engine() as engine:
        runs = Runs(engine)
        warm, _ = runs.of(diagrams.sequence(5), WARM)
        warm()
        start, _ = runs.of(diagrams.sequence(5), processes)
        _let_count("on")
        start()
        _let_count("off")


def _let_count(state: str) -> None:
    """Have valgrind begin or end to count in this process, which only learns of it while it does something."""
    control = subprocess.Popen(["callgrind_control", f"--instr={state}", str(os.getpid())], stdout=subprocess.DEVNULL)
    while control.poll() is None:
        time.sleep(0.01)
    if control.returncode:
        raise ChildProcessError(f"callgrind_control ended with {control.returncode}.")


if __name__ == "__main__":
    _run(int(sys.argv[1]), Path(sys.argv[2]))
