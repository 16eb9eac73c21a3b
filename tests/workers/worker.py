"""A worker process with the stones of the stories: ``python -m tests.workers.worker BROKER FOLDER SIGN [options]``.

Calls are written to the file ``calls`` in the folder; a stone ``held`` waits while the file ``gate`` is there. ``SIGN``
are the seconds between two signs of life, and the options are Celery's own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import uuid4

from marshmallow import fields

from riverstone.engine import Deferral, Later, Stone, TaskInfo
from riverstone.engine.dispatch.celery import make_app, run, set_up, signs

from ..faults.worker import make_stones, told
from ..tracing import write_spans


@dataclass(frozen=True)
class Size:
    """What a disk is asked for with."""

    gigabytes: int
    password: str = field(metadata={"no_echo": True})
    day: date = date(2020, 2, 29)


@dataclass
class Made:
    """What comes of it."""

    disk: str
    token: str = field(metadata={"no_echo": True})


def stones_in(folder: Path, worker: str) -> list[type[Stone]]:
    """The stones of the stories about dying engines, and some more."""
    calls, gate = folder / "calls", folder / "gate"

    class Sized(Stone):
        code = "sized"
        parameters = {
            "size": fields.Integer(load_default=10),
            "token": fields.String(required=True, metadata={"no_echo": True}),
        }
        outputs = {"made": "what was made"}
        secret_outputs = frozenset({"password"})
        retries = 1
        retry_backoff = 0.05

        def start(self, task: TaskInfo) -> None:
            told(calls, task, worker)
            if task.attempt == 1:
                raise ValueError("not at the first go")
            task.progress(50)
            task.add_output("made", f"{task.parameters['size'] + 1} for {task.parameters['token']}")
            task.add_output("password", "hidden-word")

        def delete(self, task: TaskInfo) -> None:
            told(calls, task, worker)

    class Beijing(Stone):
        code = "sited"
        serves = {"region": "beijing"}

        def start(self, task: TaskInfo) -> None:
            told(calls, task, worker)
            task.add_output("site", "beijing")

    class Elsewhere(Beijing):
        serves = {}

        def start(self, task: TaskInfo) -> None:
            task.add_output("site", "elsewhere")

    class Cooperative(Stone):
        code = "cooperative"

        def start(self, task: TaskInfo) -> None:
            told(calls, task, worker)
            task.add_output("begun", True)
            asked = task.wait_for_cancel(20)
            (folder / "asked").write_text(str(asked))

        def cancel(self, task: TaskInfo) -> None:
            told(calls, task, worker)

    class Awaited(Stone):
        code = "awaited"

        async def start(self, task: TaskInfo) -> None:
            told(calls, task, worker)
            await task.save("begun", worker)
            task.add_output("loop", threading.current_thread().name)
            task.progress(30, "on its way")
            try:
                await asyncio.sleep(20 if gate.exists() else 0)
            except asyncio.CancelledError:
                task.add_output("stopped", True)

        async def cancel(self, task: TaskInfo) -> None:
            await asyncio.sleep(0)
            told(calls, task, worker)

        delete = cancel

    class Saver(Stone):
        code = "saver"
        outputs = {"volumeId": "what was made", "password": "what is told once"}
        secret_outputs = frozenset({"password"})

        def start(self, task: TaskInfo) -> dict[str, str]:
            told(calls, task, worker)
            if "volumeId" not in task.saved:
                task.save("volumeId", f"v-{task.process_instance_id}")
                task.save("password", "sesame-open")
                os.kill(os.getpid(), signal.SIGKILL)
            return {"volumeId": task.saved["volumeId"], "password": task.saved["password"]}

        def delete(self, task: TaskInfo) -> None:
            told(calls, task, worker)
            (folder / "removed").write_text(task.saved["volumeId"])

    class Outside(Stone):
        code = "outside"

        def start(self, task: TaskInfo) -> Deferral:
            told(calls, task, worker)
            later = task.defer(timeout=30)
            (folder / "token").write_text(later.token)
            task.log(f"handed on {later.token}")
            return later

        def cancel(self, task: TaskInfo) -> None:
            told(calls, task, worker)

    class Moving(Stone):
        code = "moving"

        def start(self, task: TaskInfo) -> None:
            task.progress(40, "well on its way")
            while gate.exists():
                time.sleep(0.01)

    class Broken(Stone):
        code = "broken"

        def start(self, task: TaskInfo) -> None:
            raise RuntimeError("no")

    class Cloudy(Stone):
        code = "cloudy"
        monitor_interval = 0.05

        def start(self, task: TaskInfo) -> None:
            told(calls, task, worker)
            if not (folder / "throttled").exists():
                (folder / "throttled").touch()
                raise Later(0.1, "Rate exceeded")

        def check(self, task: TaskInfo) -> str:
            told(calls, task, worker)
            return "It has another size."

        def delete(self, task: TaskInfo) -> None:
            told(calls, task, worker)

        def delete_monitor(self, task: TaskInfo) -> bool:
            told(calls, task, worker)
            task.state["looks"] = task.state.get("looks", 0) + 1
            return bool(task.state["looks"] == 3)

    class Drowsy(Stone):
        code = "drowsy"
        timeouts = {"check": 3}

        def start(self, task: TaskInfo) -> None:
            told(calls, task, worker)

        def check(self, task: TaskInfo) -> str:
            told(calls, task, worker)
            while gate.exists():
                time.sleep(0.01)
            return "It has woken up."

        def delete(self, task: TaskInfo) -> None:
            told(calls, task, worker)

    class Keyed(Stone):
        code = "keyed"
        parameters = {
            "password": fields.String(load_default="s3cret-own", metadata={"no_echo": True}),
            "pins": fields.Dict(values=fields.String(metadata={"no_echo": True}), load_default={"door": "pin-4711"}),
            "serial": fields.String(load_default=lambda: uuid4().hex),
            "day": fields.Date(load_default=lambda: date(2020, 2, 29)),
        }
        retries = 1
        retry_backoff = 0.05

        def start(self, task: TaskInfo) -> None:
            self._seen(task)
            if task.attempt == 1:
                raise ValueError("not at the first go")

        def delete(self, task: TaskInfo) -> None:
            self._seen(task)

        @staticmethod
        def _seen(task: TaskInfo) -> None:
            with (folder / "keyed").open("a", encoding="utf-8") as file:
                file.write(f"{sorted(task.parameters.items())}\n")

    class Typed(Stone):
        code = "typed"
        parameters = Size
        outputs = Made

        def start(self, task: TaskInfo[Size]) -> Made:
            told(calls, task, worker)
            asked = task.parameters
            return Made(disk=f"{asked.gigabytes + 1} GB since {asked.day.year}", token=f"for {asked.password}")

        def delete(self, task: TaskInfo[Size]) -> None:
            told(calls, task, worker)
            (folder / "typed").write_text(f"{task.parameters!r} {task.outputs['disk']}")

    quick, held, *others = make_stones(calls, gate, worker)
    hasty = type("Hasty", (held,), {"code": "hasty", "timeouts": {"start": 3.0}})
    patient = type("Patient", (held,), {"code": "patient", "timeouts": {"start": 60.0}})
    own = [
        Sized,
        Beijing,
        Elsewhere,
        Cooperative,
        Awaited,
        Outside,
        Saver,
        Moving,
        Broken,
        Keyed,
        Cloudy,
        Drowsy,
        Typed,
        hasty,
        patient,
    ]
    return [quick, held, *others, *own]


def main() -> None:
    """Work until killed."""
    _, broker, folder, sign, *options = sys.argv
    signs.SIGN = float(sign)
    if (spans := os.environ.get("RIVERSTONE_TEST_SPANS")) is not None:
        write_spans(Path(spans))
    app = make_app(broker, {"broker_connection_retry": True, "worker_proc_alive_timeout": 30})
    set_up(app, stones_in(Path(folder), str(os.getpid())))
    run(app, options)


if __name__ == "__main__":
    main()
