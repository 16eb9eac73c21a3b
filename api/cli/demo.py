"""The demonstration: a process that succeeds, one that fails and is rolled back, and one that pauses and is fixed."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any, Literal

from ...bpmn_samples import path
from ...bpmn_samples.cloud import PREFIXES, Cloud
from ...bpmn_samples.stones import stones
from ...engine import Engine
from .screen.following import follow
from .screen.page import process_page
from .screen.terminal import printable

KEY = "app-server"
VARIABLES = {"regionId": "bcc", "projectId": "11111", "vpcId": "vpc-509A87BA", "subnetId": "subnet-439A34CC"}


def demonstrate(*, pace: float, browser: bool | None) -> None:
    """Play three scenes on a made-up cloud and a temporary store, then serve the console until Ctrl-C.

    Args:
        pace: Seconds that the cloud takes for each piece of work.
        browser: Whether a browser is opened; None opens one, and serves at all, only from a terminal.
    """
    with tempfile.TemporaryDirectory(prefix="riverstone-") as folder:
        cloud = Cloud()
        url = f"sqlite:///{Path(folder, 'demo.db')}"
        with Engine(url, stones=stones(cloud, pace=pace), dispatcher="threads") as engine:
            engine.deploy(path("app_server"))
            _play(engine, cloud)
            if browser is None and not sys.stdout.isatty():
                print("\nIn a terminal, or with --no-browser, the demonstration goes on in the console.")
                return
            _serve(engine, browser=browser is not False)


def _play(engine: Engine, cloud: Cloud) -> None:
    _scene(1, "A process runs. Each line is a step that makes something.")
    first = _run(engine, "runs")
    for line in process_page(engine, engine.get(first)):
        print(line)
    _tell(cloud)

    _scene(2, "The cloud cannot store files. The process fails, and what it made is undone in order.")
    cloud.break_down("files")
    _run(engine, "fails", on_failure="rollback")
    _tell(cloud)

    _scene(3, "The same failure with --on-failure pause: what was made stays until somebody decides.")
    paused = _run(engine, "pauses", on_failure="pause")
    _tell(cloud)
    print("\nThe cloud is repaired. Now: riverstone retry", paused)
    cloud.repair("files")
    known = engine.tasks(paused)
    engine.retry(paused)
    ended = follow(engine, paused, known=known)
    print(f"Process {paused}: {ended.status}")
    _tell(cloud)


def _scene(number: int, text: str) -> None:
    print(f"\n== {number}. {text}\n", flush=True)


def _run(engine: Engine, name: str, *, on_failure: Literal["rollback", "pause"] = "rollback") -> str:
    """Start the sample and follow it to where it comes to rest; its id."""
    started = engine.start(key=KEY, name=name, variables=VARIABLES, on_failure=on_failure).process_instance_id
    rests = follow(engine, started)
    status = f"{rests.status}, paused after a failure" if rests.attention else rests.status
    print(f"Process {started}: {status}")
    failures: list[Any] = list(engine.failures(started)) if rests.attention else []
    for reason in [each.reason for each in failures] or [rests.reason]:
        if reason:
            print(printable(f"Reason: {reason}"))
    return started


def _tell(cloud: Cloud) -> None:
    there = {kind: len(cloud.list(kind)) for kind in PREFIXES}
    print("The cloud has", ", ".join(f"{kind}: {count}" for kind, count in there.items() if count) or "nothing")


def _serve(engine: Engine, *, browser: bool) -> None:
    from ..access.rule import Access
    from ..app import create_app
    from ..server import Server, asked_to_stop

    stopping = asked_to_stop()
    server = Server(create_app(engine, access=Access(engine, None)), "127.0.0.1", 0, stopping)
    address = f"{server.url}/console/"
    print(f"\nThe three processes are in the console: {address} (Ctrl-C ends)", flush=True)
    # Without a screen, the browser would be one of the terminal's own, and take it.
    if browser and (sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(address)
    server.run()
