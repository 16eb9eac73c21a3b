"""An engine whose hook logs a line and never ends: ``python -m tests.features.talker URL``, to be killed."""

from __future__ import annotations

import sys
import time

from riverstone.engine import Engine, TaskInfo

from .sketch import line, service


def talk(task: TaskInfo) -> None:
    task.log("first")
    time.sleep(600)


if __name__ == "__main__":
    with Engine(sys.argv[1], dispatcher="threads") as engine:
        engine.stone("talker")(talk)
        engine.deploy(line("p", service("a", "talker")))
        engine.start(key="p", name="p")
        time.sleep(600)
