"""Serving over real HTTP, and stopping without dropping anyone."""

from __future__ import annotations

import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask, Response

from riverstone.api.server import Server, refuse_remote
from riverstone.engine.errors import Invalid

from ..services import skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(Invalid, match="access rule"):
        refuse_remote(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_an_address_of_this_machine_is_taken(host: str) -> None:
    refuse_remote(host)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join(10)


def test_the_head_and_the_body_of_an_answer_come_together() -> None:
    app = Flask("short")
    app.add_url_rule("/", view_func=lambda: "all of it")
    with served(app) as url, socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as connection:
        for _ in range(100):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            piece = connection.recv(65536)
            assert piece.startswith(b"HTTP/1.1 200 OK\r\n")
            assert piece.endswith(b"\r\n\r\nall of it")


def test_answers_that_come_bit_by_bit_or_have_no_body_are_served_too() -> None:
    app = Flask("bits")
    app.add_url_rule("/", view_func=lambda: Response(iter(["first ", "", "x" * 200_000, " last"])))
    app.add_url_rule("/none", "none", view_func=lambda: ("", 204))
    app.add_url_rule("/broken", "broken", view_func=lambda: Response(1 // each for each in (1, 0)))  # type: ignore[arg-type]
    with served(app) as url, requests.Session() as session:
        for _ in range(3):
            assert session.get(url, timeout=60).text == f"first {'x' * 200_000} last"
            assert session.get(f"{url}/none", timeout=60).status_code == 204
            head = session.head(url, timeout=10)
            assert (head.status_code, head.text) == (200, "")
        with pytest.raises(requests.RequestException):
            requests.get(f"{url}/broken", timeout=60).raise_for_status()


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
    asking = threading.Thread(target=lambda: answers.append(requests.get(server.url, timeout=60)))
    asking.start()
    assert begun.wait(60)

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
            served = requests.get(f"{url}/process", timeout=60)
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=60)
        finally:
            process.kill()

    assert url.startswith("http://127.0.0.1:")
    assert served.json() == {"items": [], "cursor": None}
    assert process.returncode == 0
    # The line about the console may have come with the first, and is not read twice.
    assert rest.splitlines()[-1] == "Stopped."
    assert (tmp_path / "riverstone.db").exists()


POOLS_OF_THREADS = """
import ctypes, sys, threading
from riverstone.api.server import share_memory

share_memory()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
all_have = threading.Barrier(21)


def take():
    kept = [bytearray(5000) for _ in range(50)]
    all_have.wait()
    all_have.wait()
    return kept


threads = [threading.Thread(target=take) for _ in range(20)]
for thread in threads:
    thread.start()
all_have.wait()
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
all_have.wait()
"""


def test_the_threads_of_a_server_share_two_pools_of_memory(tmp_path: Path) -> None:
    """glibc would give each of them one of its own, and that would keep what a large answer has taken."""
    if platform.libc_ver()[0] != "glibc":
        skip("the C library is not glibc")
    told = tmp_path / "pools.xml"

    subprocess.run([sys.executable, "-c", POOLS_OF_THREADS, str(told)], check=True, timeout=60)

    assert told.read_text().count("<heap nr=") <= 2
