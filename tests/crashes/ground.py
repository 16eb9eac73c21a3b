"""What stones do to the world, in a file that outlives every process: one line a call, on the disk before it counts."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from riverstone.engine import NotFound, Stone, TaskInfo

UNDO_EVENTS = ("rollback", "cancel", "delete")


@dataclass(frozen=True)
class Ground:
    """The file, and how long everything takes."""

    file: Path
    pause: float = 0.01
    """Seconds between two looks of a monitor, and before a retry."""

    def write(self, task: TaskInfo, what: str, *, start_key: str | None = None) -> None:
        """Add one line; it is there when this returns, whatever happens to the process."""
        said = {
            "what": what,
            "event": task.event,
            "namespace": task.namespace,
            "key": task.idempotency_key,
            "start_key": start_key or task.start_key,
            "task": task.task_id,
            "attempt": task.attempt,
        }
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            # A line of its own even after one that was cut off where its writer was killed.
            os.write(descriptor, b"\n" + json.dumps(said).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lines(self) -> list[dict[str, Any]]:
        """Every call so far, in order; ``what`` is ``begin``, ``made``, ``taken`` or ``looked``.

        A line across two pages of the file is written in two parts: one that another thread has half written, or that
        a kill has cut off, is of a call that has not come as far yet.
        """
        written = self.file.read_bytes().split(b"\n") if self.file.exists() else []
        return [json.loads(line) for line in written if line.endswith(b"}")]

    def things(self) -> dict[str, str]:
        """What exists now: namespaces by the key under which each was made."""
        found: dict[str, str] = {}
        for line in self.lines():
            if line["what"] == "made":
                found[line["key"]] = line["namespace"]
            elif line["what"] == "taken":
                found.pop(line["start_key"], None)
        return found

    def stones(self) -> list[type[Stone]]:
        """All stones, working on this ground."""
        members = {"ground": self, "monitor_interval": self.pause, "retry_backoff": self.pause}
        return [type(kind.__name__, (kind,), {**members, "__doc__": kind.__doc__}) for kind in KINDS]


class Mail(Stone):
    """Makes what nobody can undo."""

    code = "mail"
    ground: ClassVar[Ground]

    def start(self, task: TaskInfo) -> None:
        self.ground.write(task, "begin")
        self.ground.write(task, "made")
        task.add_output("made", task.namespace)


class Make(Mail):
    """Makes what can be undone."""

    code = "make"

    def rollback(self, task: TaskInfo) -> None:
        self.take_back(task)

    def cancel(self, task: TaskInfo) -> None:
        self.take_back(task)

    def delete(self, task: TaskInfo) -> None:
        self.take_back(task)

    def take_back(self, task: TaskInfo) -> None:
        """Remove what the start made; what is gone is told so."""
        self.ground.write(task, "begin")
        if task.start_key not in self.ground.things():
            raise NotFound(task.start_key)
        self.ground.write(task, "taken")


class Watch(Make):
    """Takes three looks to be ready, and knows what its start has saved, as does whoever undoes it."""

    code = "watch"

    def start(self, task: TaskInfo) -> None:
        super().start(task)
        task.save("made", task.idempotency_key)

    def take_back(self, task: TaskInfo) -> None:
        assert task.saved == {"made": task.start_key}
        super().take_back(task)

    def monitor(self, task: TaskInfo) -> bool:
        assert task.saved == {"made": task.start_key}
        self.ground.write(task, "looked")
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] >= 3)


class Stubborn(Make):
    """Fails when it has made its thing, and does better at the second attempt."""

    code = "stubborn"
    retries = 1

    def start(self, task: TaskInfo) -> None:
        super().start(task)
        if task.attempt == 1:
            raise RuntimeError("not at once")


class Break(Make):
    """Fails when it has made its thing, if the process wants that."""

    code = "break"

    def start(self, task: TaskInfo) -> None:
        super().start(task)
        if task.parameters.get("fails"):
            raise RuntimeError("it breaks")


KINDS: tuple[type[Mail], ...] = (Mail, Make, Watch, Stubborn, Break)


def wrong_deliveries(lines: list[dict[str, Any]]) -> list[str]:
    """What is wrong with how often, and under which keys, hooks were called; nothing, if all is well."""
    wrong: list[str] = []
    keys: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    tasks: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in lines:
        keys[line["task"], line["event"], line["attempt"]].add(line["key"])
        if line["event"] not in UNDO_EVENTS:
            tasks[line["namespace"], line["event"]].add(line["task"])
    for (task, event, attempt), found in keys.items():
        if len(found) > 1:
            wrong.append(f"{event} of task {task}, attempt {attempt}, came under {len(found)} keys")
    for (namespace, event), numbers in tasks.items():
        if len(numbers) > 1:
            wrong.append(f"{event} of {namespace} came for {len(numbers)} tasks")
    return wrong
