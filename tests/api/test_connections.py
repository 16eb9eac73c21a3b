"""Connections: who is silent, slow or merely there keeps nobody else waiting."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask

from riverstone.api import connections, create_app
from riverstone.api.server import Server
from riverstone.engine import Engine

QUESTION = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def served(app: Flask, most: int = 60) -> Iterator[tuple[Server, tuple[str, int]]]:
    server = Server(app, "127.0.0.1", 0, most=most)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server, ("127.0.0.1", urlsplit(server.url).port or 0)
    finally:
        server.stop()
        thread.join(10)


def app() -> Flask:
    made = Flask("short")
    made.add_url_rule("/", view_func=lambda: "here", methods=["GET", "POST"])
    made.add_url_rule("/health/live", "live", view_func=lambda: "live")
    return made


def is_closed(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_silent_connections_give_way_to_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "FRESH", 0.1)
    monkeypatch.setattr(connections, "SILENT", 600.0)
    with served(app()) as (server, address), ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection(address))
        for _ in range(20):
            assert requests.get(server.url, timeout=60).text == "here"


def test_well_behaved_clients_beyond_what_is_held_are_all_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "FRESH", 0.05)
    with served(app()) as (server, _), ExitStack() as stack:
        kept = [stack.enter_context(requests.Session()) for _ in range(120)]
        for _ in range(2):
            for session in kept:
                assert session.get(server.url, timeout=60).text == "here"


def test_a_thousand_clients_keep_their_connections() -> None:
    with served(app(), most=1_500) as (_, address), ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(address)) for _ in range(1_000)]
        for _ in range(2):
            for connection in held:
                connection.sendall(QUESTION)
            for connection in held:
                connection.settimeout(60)
                assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc"],
    ids=["silent", "head", "body"],
)
def test_who_does_not_go_on_is_let_go(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SILENT", 0.5)
    with served(app()) as (_, address), socket.create_connection(address) as connection:
        connection.sendall(begun)
        assert is_closed(connection, 60)


def test_who_sends_slowly_but_goes_on_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SILENT", 1.0)
    monkeypatch.setattr(connections, "SLOWEST", 10)
    with served(app()) as (_, address), socket.create_connection(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\n")
        for _ in range(10):
            connection.sendall(b"x" * 20)
            time.sleep(0.15)
        connection.settimeout(60)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_health_is_told_while_every_thread_is_taken() -> None:
    stuck, made = threading.Event(), app()
    made.add_url_rule("/stuck", "stuck", view_func=lambda: str(stuck.wait(20)))
    with served(made, most=200) as (server, _):
        asking = [threading.Thread(target=requests.get, args=(f"{server.url}/stuck",)) for _ in range(40)]
        for each in asking:
            each.start()
        time.sleep(0.3)
        try:
            assert requests.get(f"{server.url}/health/live", timeout=60).text == "live"
        finally:
            stuck.set()
            for each in asking:
                each.join(10)


def answer_to(address: tuple[str, int], *head: str, rest: bytes = b"") -> tuple[bytes, bool]:
    """The first line of the answer, and whether the connection was closed behind it."""
    with socket.create_connection(address) as connection:
        connection.sendall("\r\n".join((*head, "", "")).encode() + rest)
        connection.settimeout(1)
        said, closed = b"", False
        with suppress(TimeoutError):
            while data := connection.recv(65536):
                said += data
            closed = True
        return said.split(b"\r\n")[0], closed


def test_a_request_with_two_lengths_is_refused_and_ends_its_connection() -> None:
    """RFC 9112, 6.3: it may be an attempt at request smuggling."""
    head = ("POST / HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 3", "Transfer-Encoding: chunked")
    with served(app()) as (_, address):
        assert answer_to(address, *head, rest=b"0\r\n\r\n") == (b"HTTP/1.1 400 Bad Request", True)


def test_a_path_with_two_slashes_is_another_path() -> None:
    with Engine("sqlite:///:memory:", dispatcher="threads") as engine, served(create_app(engine)) as (_, address):
        assert answer_to(address, "GET //process HTTP/1.1", "Host: 127.0.0.1")[0] == b"HTTP/1.1 404 NOT FOUND"
        assert answer_to(address, "GET /process HTTP/1.1", "Host: 127.0.0.1")[0] == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X_Forwarded_For", "X-Forwarded_Host", "Forwarded"])
def test_what_was_forwarded_does_not_pass_for_a_question_of_this_machine(name: str) -> None:
    with Engine("sqlite:///:memory:", dispatcher="threads") as engine, served(create_app(engine)) as (_, address):
        plain = ("GET /process HTTP/1.1", "Host: 127.0.0.1")
        assert answer_to(address, *plain)[0] == b"HTTP/1.1 200 OK"
        assert answer_to(address, *plain, f"{name}: 192.0.2.1")[0] == b"HTTP/1.1 403 FORBIDDEN"


def test_an_address_with_half_an_ipv6_host_is_a_bad_request(caplog: pytest.LogCaptureFixture) -> None:
    with served(app()) as (_, address), socket.create_connection(address) as connection:
        connection.sendall(b"GET http://[/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.settimeout(20)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_only_the_servers_thread_closes_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through all of them now and then, and would end if one of them were taken away meanwhile.

    A client is gone when its second request is told to go on, by the thread that has answered its first.
    """
    closed: list[threading.Thread] = []
    close = connections.Channel.handle_close

    def noted(channel: connections.Channel) -> None:
        closed.append(threading.current_thread())
        close(channel)

    monkeypatch.setattr(connections.Channel, "handle_close", noted)
    asked, stuck, made = threading.Event(), threading.Event(), app()

    def answer() -> str:
        asked.set()
        return str(stuck.wait(20))

    made.add_url_rule("/stuck", "stuck", view_func=answer)
    further = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    with served(made) as (server, address):
        with socket.create_connection(address) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(QUESTION.replace(b"/ ", b"/stuck ", 1) + further)
            assert asked.wait(20)
        stuck.set()
        deadline = time.monotonic() + 60
        while not closed and time.monotonic() < deadline:
            time.sleep(0.01)
        assert requests.get(server.url, timeout=60).text == "here"
    assert {thread.name for thread in closed if "waitress" in thread.name} == set()
    assert closed
