"""An engine whose stone defers its task: ``python -m tests.faults.deferring URL FOLDER``; it starts one process.

The token and the key of each call are written to the file ``given`` in the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from riverstone.engine import Deferral, Engine, Stone, TaskInfo


def stone(folder: Path) -> type[Stone]:
    """A start that hands its task to whoever reads the file."""

    class Outside(Stone):
        code = "outside"

        def start(self, task: TaskInfo) -> Deferral:
            later = task.defer(timeout=60)
            with (folder / "given").open("a", encoding="utf-8") as file:
                file.write(f"{later.token} {task.idempotency_key}\n")
            return later

    return Outside


if __name__ == "__main__":
    _, url, where = sys.argv
    with Engine(url, stones=[stone(Path(where))], dispatcher="threads") as engine:
        started = engine.start(key="shop", name="test").process_instance_id
        print("started", flush=True)
        engine.wait(started, 60)
