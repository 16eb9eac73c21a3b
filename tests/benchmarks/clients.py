"""Many HTTP clients in one thread, as light as can be, so that they take little of the machine from the server."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass, field


@dataclass
class Load:
    """What the clients saw: seconds for each answer, and the bodies."""

    wall: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.wall

    def percentile(self, percent: int) -> float:
        """The latency that so many percent of the answers stay within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def request(method: str, path: str, body: bytes = b"", more: str = "") -> bytes:
    """One HTTP/1.1 request on a connection that stays open; ``more`` are further headers, each with its line's end."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def load(url: str, message: bytes, *, clients: int, seconds: float) -> Load:
    """``clients`` connections that each send ``message`` again when its answer is there.

    Raises ConnectionError for any answer but 200.
    """
    host, port = url.removeprefix("http://").split(":")
    seen = Load()
    chosen = selectors.DefaultSelector()
    for _ in range(clients):
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chosen.register(connection, selectors.EVENT_READ, _Client(connection))
    begun = time.perf_counter()
    for key in list(chosen.get_map().values()):
        key.data.send(message)
    while (waiting := len(chosen.get_map())) > 0:
        for key, _ in chosen.select():
            client: _Client = key.data
            body = client.read()
            if body is None:
                continue
            now = time.perf_counter()
            seen.latencies.append(now - client.sent)
            seen.bodies.append(body)
            if now - begun < seconds:
                client.send(message)
            else:
                chosen.unregister(client.connection)
                client.connection.close()
    assert not waiting
    seen.wall = time.perf_counter() - begun
    return seen


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.sent = 0.0
        self._read = b""

    def send(self, message: bytes) -> None:
        self._read = b""
        self.sent = time.perf_counter()
        self.connection.sendall(message)

    def read(self) -> bytes | None:
        """The body, once all of it is there."""
        piece = self.connection.recv(65536)
        if not piece:
            raise ConnectionError("The server closed a connection before it had answered.")
        self._read += piece
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end:
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"The server answered {self._read[:300].decode(errors='replace')}")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return body if len(body) >= length else None
