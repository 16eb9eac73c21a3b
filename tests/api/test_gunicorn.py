"""Under another WSGI server: what it makes and ends without telling anybody is seen to all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from ..features.sketch import line, service
from ..services import free_port

STONES = """
import time
from pathlib import Path
from typing import Any
from riverstone.engine import Stone

class Slow(Stone):
    code = "slow"
    def start(self, task):
        with open("begun", "a") as file:
            file.write("x")
        if len(Path("begun").read_text()) < 4:
            time.sleep(60)
"""
SERVICE = "from riverstone.api import create_app\napp = create_app()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slow_stones.py").write_text(STONES)
    (tmp_path / "service.py").write_text(SERVICE)
    return tmp_path


@contextmanager
def gunicorn(folder: Path, *options: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--log-level", "warning", *options]
    environment = {
        **os.environ,
        "RIVERSTONE_STONES": "slow_stones",
        "RIVERSTONE_DB": f"sqlite:///{folder}/river.db",
    }
    with subprocess.Popen([*command, "service:app"], cwd=folder, env=environment, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    requests.get(f"{url}/health/live", timeout=60)
                    break
                except (requests.ConnectionError, requests.Timeout):
                    time.sleep(0.1)
            yield url
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        finally:
            if server.poll() is None:
                server.kill()


def begun(folder: Path) -> int:
    file = folder / "begun"
    return len(file.read_text()) if file.exists() else 0


def until_begun(folder: Path, times: int) -> None:
    deadline = time.monotonic() + 60
    while begun(folder) < times and time.monotonic() < deadline:
        time.sleep(0.05)
    assert begun(folder) == times


def test_restarts_while_a_hook_runs_do_not_count_as_losses(folder: Path) -> None:
    """What ends in good order is no crash: a task that three restarts have interrupted is not given up."""
    options = ["--threads", "4", "--graceful-timeout", "1"]
    number = ""
    for life in range(4):
        with gunicorn(folder, *options) as url:
            if not number:
                requests.post(f"{url}/deployment", data=line("p", service("a", "slow")), timeout=60).raise_for_status()
                body: dict[str, Any] = {"key": "p", "processName": "x", "variables": {}}
                number = requests.post(f"{url}/process", json=body, timeout=60).json()["processInstanceId"]
            until_begun(folder, life + 1)
            if life == 3:
                deadline = time.monotonic() + 60
                while (record := requests.get(f"{url}/process/{number}", timeout=60).json()) and (
                    record["processStatus"] == "running" and time.monotonic() < deadline
                ):
                    time.sleep(0.1)
    assert record["processStatus"] == "success"


def test_an_application_made_before_the_fork_says_so_at_once(folder: Path) -> None:
    with gunicorn(folder, "--preload", "--threads", "4") as url:
        ready = requests.get(f"{url}/health/ready", timeout=60)
        started = requests.post(f"{url}/process", json={"key": "p", "processName": "x", "variables": {}}, timeout=60)

    assert ready.status_code == 503
    assert started.status_code == 503
    assert "before this process was forked" in started.json()["detail"]
