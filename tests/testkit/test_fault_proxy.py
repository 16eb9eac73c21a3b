"""The proxy before a cloud speaks HTTP as a caller expects it, whatever it lets go wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from riverstone.engine.testkit import FaultProxy


class Echo(BaseHTTPRequestHandler):
    """A cloud that says what it was told."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def cloud() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_whoever_waits_to_be_let_go_on_is_told_so_once(cloud: str) -> None:
    """A second one would stand before the answer to the next request of the connection."""
    with FaultProxy(cloud) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as caller, caller.makefile("rwb") as line:
            line.write(b"PUT /it HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            line.flush()
            assert line.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert line.readline() == b"\r\n"
            line.write(b"body")
            line.flush()
            assert line.readline() == b"HTTP/1.1 200 OK\r\n"
            while line.readline().strip():
                pass
            assert line.read(4) == b"body"
        assert [(call.method, call.body) for call in proxy.calls] == [("PUT", b"body")]
