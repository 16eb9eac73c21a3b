"""Serving over real HTTP, and stopping without dropping anyone."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from flask import Flask

from riverstone.api.server import Server, refuse_remote
from riverstone.engine.errors import Invalid


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(Invalid, match="access rule"):
        refuse_remote(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_an_address_of_this_machine_is_taken(host: str) -> None:
    refuse_remote(host)


def test_a_request_under_way_is_answered_before_the_server_stops() -> None:
    app = Flask("slow")
    begun = threading.Event()

    def slow() -> str:
        begun.set()
        time.sleep(0.6)
        return "done" * 100_000

    app.add_url_rule("/", view_func=slow)
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(requests.get(server.url, timeout=10)))
    asking.start()
    assert begun.wait(5)

    server.stop()
    thread.join(10)
    asking.join(10)

    assert answers[0].text == "done" * 100_000
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=1)


def test_the_served_command_stops_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from riverstone.api.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("Listening on ").strip()
            served = requests.get(f"{url}/process", timeout=10)
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=15)
        finally:
            process.kill()

    assert url.startswith("http://127.0.0.1:")
    assert served.json() == {"items": [], "cursor": None}
    assert process.returncode == 0
    assert rest == "Stopped.\n"
    assert (tmp_path / "riverstone.db").exists()
