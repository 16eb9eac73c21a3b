"""A small cloud that speaks HTTP, on the loopback: it keeps records by key, and gives tokens to one client."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT, SECRET = "river", "s3cret/of the client"


class HttpCloud(ThreadingHTTPServer):
    """What it keeps, and what it was asked."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.things: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.looks = 2
        """How many looks a thing is not ready for."""
        self.knows_keys = True
        self.tokens: list[str] = []
        self.tokens_for: set[str] | None = None
        """The tokens that are good now; None asks for none."""
        self.lasts = 3600
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        """What is answered next, in place of what is done."""
        self.token_answers: list[tuple[int, dict[str, str], bytes]] = []
        """The same of the token endpoint."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is nothing to be told of."""

    def made(self, body: dict[str, Any], key: str) -> dict[str, Any]:
        if self.knows_keys and key in self.keys:
            return self.things[self.keys[key]]
        number = f"r-{len(self.keys) + len(self.things) + 1}"
        self.things[number] = {"id": number, "looks": 0, **body}
        self.keys[key] = number
        return self.things[number]


@contextmanager
def http_cloud() -> Iterator[HttpCloud]:
    cloud = HttpCloud()
    thread = threading.Thread(target=cloud.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield cloud
    finally:
        cloud.shutdown()
        thread.join()
        cloud.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: HttpCloud
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Not on the terminal."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cloud = self.server
        cloud.asked.append(
            (self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        )
        if urlsplit(self.path).path == "/token":
            self._answer(*(cloud.token_answers.pop(0) if cloud.token_answers else self._token(body)))
        elif cloud.answers:
            self._answer(*cloud.answers.pop(0))
        elif cloud.tokens_for is not None and self.headers.get("Authorization", "")[7:] not in cloud.tokens_for:
            self._answer(401, {}, f"not with {self.headers.get('Authorization')}".encode())
        else:
            status, told = self._done(body)
            self._answer(status, {}, json.dumps(told).encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def _token(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        cloud = self.server
        from urllib.parse import unquote_plus

        pair = base64.b64decode(self.headers.get("Authorization", "")[6:]).decode()
        client, _, secret = pair.partition(":")
        form = parse_qs(body.decode())
        if (unquote_plus(client), unquote_plus(secret), form["grant_type"]) != (CLIENT, SECRET, ["client_credentials"]):
            return 401, {}, json.dumps({"error": "invalid_client", "error_description": pair}).encode()
        token = f"token-number-{len(cloud.tokens) + 1}"
        cloud.tokens.append(token)
        cloud.tokens_for = {token}
        told = {"access_token": token, "token_type": "Bearer", "expires_in": cloud.lasts}
        return 200, {}, json.dumps(told).encode()

    def _done(self, body: bytes) -> tuple[int, Any]:
        cloud, parts = self.server, urlsplit(self.path)
        _, _, number = parts.path.removeprefix("/v1/").partition("/")
        if self.command == "POST":
            return 201, {"record": cloud.made(json.loads(body), self.headers.get("Idempotency-Key", ""))}
        if self.command == "GET" and not number:
            key = parse_qs(parts.query)["key"][0]
            return 200, {"items": [each for each in cloud.things.values() if each.get("key") == key]}
        thing = cloud.things.get(number)
        if thing is None:
            return 404, {"error": "no such record"}
        if self.command == "DELETE":
            del cloud.things[number]
            return 200, {}
        thing["looks"] += 1
        return 200, {**thing, "state": "active" if thing["looks"] > cloud.looks else "pending"}

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
