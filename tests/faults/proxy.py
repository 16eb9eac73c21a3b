"""A wire between an engine and its database that is cut at chosen moments."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Literal, Self

When = Literal["in a transaction", "before a commit", "at a commit", "silent after a start", "late"]
ONE = b"riverstone_commit"
"""By this a commit is known that is one statement; its answer names it as a column."""


class Proxy:
    """Passes on what comes, until a moment to cut has come; whoever connects again is served again."""

    def __init__(self, kind: str, host: str, port: int) -> None:
        self.kind = kind
        self.target = (host, port)
        self.when: When | None = None
        self.every = 1
        self.cuts = 0
        self.open = True
        self.passing = threading.Event()
        self.passing.set()
        """While it is not set, nothing that comes is passed on, and nothing is closed."""
        self._starting: set[socket.socket] = set()
        """On these a process was started."""
        self._silent: set[socket.socket] = set()
        """What comes on these is not passed on."""
        self.late: list[tuple[socket.socket, bytes]] = []
        """Commits that have not arrived, although whoever sent them was cut off."""
        self._seen = 0
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self, when: When | None, every: int = 1) -> None:
        """Cut the wire of whoever comes to such a moment, each ``every``-th time."""
        with self._lock:
            self.when, self.every, self._seen = when, every, 0
        # A connection that was asked the same five times is not told it in words any more, so none would be recognized.
        self.cut_all()

    def go_on(self) -> None:
        """Pass on what comes from now on."""
        self.when = None
        self.passing.set()

    def deliver(self) -> None:
        """Let commits arrive that are late, and return when the server has answered them."""
        while self.late:
            server, data = self.late.pop()
            server.sendall(data)
            with suppress(OSError):
                # Whoever else reads the answer ends the connection.
                server.recv(1 << 16)
            _end(server)

    def cut_all(self) -> None:
        """Cut every wire now."""
        for pair in list(self._pairs):
            _end(*pair)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if not self.open:
                _end(client)
                continue
            try:
                server = socket.create_connection(self.target)
            except OSError:
                _end(client)
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((client, server))
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        """Question and answer by turns: neither protocol speaks otherwise here."""
        back = threading.Thread(target=self._answers, args=(server, client), daemon=True)
        back.start()
        with suppress(OSError):
            while data := client.recv(1 << 16):
                self.passing.wait()
                if self._is(data, "before a commit", (b"COMMIT", ONE)):
                    break
                if self._is(data, "late", (ONE,)):
                    self.late.append((server, data))
                    _end(client)
                    return
                if b"INSERT INTO" in data and b"process_instance" in data:
                    self._starting.add(server)
                if server in self._starting and self._is(data, "silent after a start", (b"COMMIT", ONE)):
                    self._silent.add(server)
                    self._swallow(server, data)
                    self.passing.clear()
                    continue
                if self.kind == "mariadb" and self._is(data, "at a commit", (b"COMMIT",)):
                    self._swallow(server, data)
                    break
                server.sendall(data)
                if self.kind == "mariadb" and self._is(data, "in a transaction", (b"INSERT INTO `task`",)):
                    break
        _end(client, server)
        back.join()

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if server in self._silent:
                    continue
                if self.kind == "postgresql" and self._is(data, "at a commit", (b"COMMIT\0", ONE + b"\0")):
                    break
                client.sendall(data)
        _end(client, server)

    @staticmethod
    def _swallow(server: socket.socket, data: bytes) -> None:
        """Pass the commit on and keep its answer: a copy of the connection's reader gets it, not the client."""
        server.sendall(data)
        threading.Event().wait(0.05)

    def _is(self, data: bytes, when: When, marks: tuple[bytes, ...]) -> bool:
        if self.when != when or not any(mark in data for mark in marks):
            return False
        with self._lock:
            self._seen += 1
            if self._seen % self.every:
                return False
            self.cuts += 1
            return True


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            each.close()
