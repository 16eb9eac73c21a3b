"""A proxy before any cloud that speaks HTTP: it lets calls go wrong as they do in the world."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

CloudFault: TypeAlias = Literal[
    "refuse", "error-after", "drop-before", "drop-after", "hang-before", "hang-after", "slow"
]
"""``refuse``: answered with ``status`` and not passed on. ``error-after``: passed on, and then so answered.
``drop-…``: the connection is closed, before or after the call was passed on. ``hang-…``: nothing is answered until the
caller has given up. ``slow``: passed on, and answered ``seconds`` later."""
LONGEST_HANG = 300.0
BY_HOP = frozenset("connection keep-alive transfer-encoding content-length date server".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudCall:
    """One request that came."""

    action: str
    method: str
    path: str
    body: bytes = field(repr=False)


@dataclass(kw_only=True, slots=True)
class _Fault:
    matches: Callable[[CloudCall], bool]
    kind: CloudFault
    left: int | None
    after: int
    status: int
    body: bytes
    seconds: float


def action_of(method: str, path: str, body: bytes) -> str:
    """The ``Action`` of a form, as Amazon's query interfaces have one; else the method and path."""
    if body.startswith((b"Action=", b"Version=")) or b"&Action=" in body[:4000]:
        found = parse_qs(body.decode("ascii", "replace")).get("Action")
        if found:
            return found[0]
    return f"{method} {urlsplit(path).path}"


class FaultProxy:
    """Stands before ``target`` at ``url``, on the loopback, and passes on what no fault was asked for.

    ``calls`` is all that came, oldest first. ``name`` gives each call the action by which faults name it.
    """

    def __init__(self, target: str, *, name: Callable[[str, str, bytes], str] = action_of) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._name = name
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.calls: list[CloudCall] = []
        self._server = _Server(("127.0.0.1", 0), type("_Of", (_Handler,), {"proxy": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def fail(
        self,
        which: str | Callable[[CloudCall], bool],
        fault: CloudFault,
        *,
        times: int | None = 1,
        after: int = 0,
        status: int = 500,
        body: bytes = b"",
        seconds: float = 1.0,
    ) -> None:
        """Let calls go wrong: ``times`` of them, or all with None, once ``after`` have gone well.

        ``which`` is their action (``"*"`` for all), or a function that knows them.
        """
        matches = which if callable(which) else lambda call: which in ("*", call.action)
        with self._lock:
            self._faults.append(
                _Fault(matches=matches, kind=fault, left=times, after=after, status=status, body=body, seconds=seconds)
            )

    def heal(self) -> None:
        """Forget what was asked for; what hangs goes on hanging."""
        with self._lock:
            self._faults.clear()

    @property
    def unused(self) -> int:
        """How many faults that were asked for have not come up."""
        with self._lock:
            return sum(fault.left or 0 for fault in self._faults)

    def close(self) -> None:
        """Serve nobody any more; what hangs is let go."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _came(self, method: str, path: str, body: bytes) -> _Fault | None:
        call = CloudCall(action=self._name(method, path, body), method=method, path=path, body=body)
        with self._lock:
            self.calls.append(call)
            for fault in self._faults:
                if fault.left == 0 or not fault.matches(call):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def _passed_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        cloud = http.client.HTTPConnection(self._host, self._port, timeout=LONGEST_HANG)
        try:
            cloud.request(method, path, body, headers)
            with cloud.getresponse() as answer:
                return _Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            cloud.close()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is nothing to be told of."""


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultProxy
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy._came(self.command, self.path, body)
        kind = fault.kind if fault is not None else ""
        if kind in ("drop-before", "hang-before"):
            self._say_nothing(hang=kind == "hang-before")
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "expect")}
        if fault is not None and kind == "refuse":
            answer = _Answer(fault.status, [], fault.body)
        else:
            answer = self.proxy._passed_on(self.command, self.path, headers, body)
        if kind in ("drop-after", "hang-after"):
            self._say_nothing(hang=kind == "hang-after")
            return
        if fault is not None and kind == "error-after":
            answer = _Answer(fault.status, [], fault.body)
        if fault is not None and kind == "slow":
            self.proxy._closing.wait(fault.seconds)
        self._answer(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve

    def _answer(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if name.lower() not in BY_HOP:
                self.send_header(name, value)
            elif name.lower() == "content-length" and self.command == "HEAD":
                length = value
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _say_nothing(self, *, hang: bool) -> None:
        """Until the caller hangs up, or at once."""
        self.close_connection = True
        end = time.monotonic() + LONGEST_HANG
        self.connection.settimeout(0.1)
        while hang and not self.proxy._closing.is_set() and time.monotonic() < end:
            with suppress(TimeoutError):
                if not self.connection.recv(1):
                    break
        with suppress(OSError):
            self.connection.shutdown(2)
