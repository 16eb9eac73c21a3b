"""A token server over real HTTP that answers as a story needs it: truly, falsely, slowly or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Answer = Callable[[Any], object]
LONGEST = 120.0


@dataclass
class Asked:
    """One question that came in."""

    path: str
    authorization: str | None
    values: dict[str, str]


@dataclass
class TokenServer:
    """Its address, what it was asked, and how it answers next."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    answer: Answer = lambda handler: says(handler, {"active": False})
    closing: threading.Event = field(default_factory=threading.Event)

    def says(self, content: Any, status: int = 200) -> None:
        """Answer with this JSON value from now on."""
        self.answer = lambda handler: says(handler, content, status)

    def sends(self, body: bytes, status: int = 200) -> None:
        """Answer with these bytes from now on."""
        self.answer = lambda handler: sends(handler, body, status)

    def hangs(self) -> None:
        """Answer nothing until the server is closed."""
        self.answer = lambda handler: self.closing.wait(LONGEST)

    def drips(self) -> None:
        """Answer a byte now and then until the server is closed, so that no single wait is long."""

        def drip(handler: Any) -> None:
            with suppress(OSError):
                while not self.closing.wait(0.02):
                    handler.wfile.write(b"H")

        self.answer = drip


def says(handler: Any, content: Any, status: int = 200) -> None:
    sends(handler, json.dumps(content).encode(), status)


def sends(handler: Any, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    if status in (301, 302, 307):
        handler.send_header("Location", "/elsewhere")
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def token_server() -> Iterator[TokenServer]:
    """A server on the loopback, gone at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            values = {name: found[0] for name, found in parse_qs(body, keep_blank_values=True).items()}
            described.asked.append(Asked(self.path, self.headers["Authorization"], values))
            described.answer(self)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        described = TokenServer(f"http://127.0.0.1:{server.server_port}/introspect")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield described
        finally:
            described.closing.set()
            server.shutdown()
            thread.join()
