"""One request of HTTP to an origin that an operator has listed, bounded in time and in what is read of the answer.

The connection is made to the addresses that were checked, whatever the name leads to by now. No redirect is followed,
no proxy is used, and nothing of an answer is sent back anywhere.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from .certificates import trusting
from .statuses import phrase

if TYPE_CHECKING:
    from .allowed_origins import Address, AllowedOrigins, Target

CONNECT = 5.0
"""Seconds for a connection to one address, and for each wait in it."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a request was answered with; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def status_name(self) -> str:
        """The status as people know it: ``422 Unprocessable Content``."""
        try:
            return f"{self.status} {phrase(self.status)}"
        except ValueError:
            return str(self.status)


class NotConnected(ConnectionError):
    """No connection came about, so nothing was sent."""


class AnswerTooLong(OSError):
    """An answer has more bytes than were to be read."""


class RequestTimeout(TimeoutError):
    """The time for a whole request is over: it may have been carried out."""


def send(
    allowed: AllowedOrigins,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    seconds: float,
    largest: int,
) -> HttpAnswer:
    """As :meth:`AllowedOrigins.send`; raises AnswerTooLong and RequestTimeout, which are among the OSErrors."""
    target = allowed.check(url)
    try:
        addresses = allowed.addresses(target)
    except socket.gaierror as error:
        raise NotConnected(f"the name {target.host} cannot be looked up") from error
    connection = _Connection(target, addresses, min(CONNECT, seconds), seconds)
    # One that says a byte now and then would hold the thread for ever.
    watch = threading.Timer(seconds, connection.abort)
    watch.daemon = True
    watch.start()
    try:
        connection.connect()
        connection.request(method, target.path, body, dict(headers))
        # A connection forgets an answer that ends with it: its socket would stay open where reading fails.
        with connection.getresponse() as answer:
            read = answer.read(largest + 1) if largest else b""
        if connection.aborted:
            # A body that ends with its connection looks whole.
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        late = connection.aborted or isinstance(error, TimeoutError)
        if late and not isinstance(error, NotConnected):
            raise RequestTimeout(f"{target.host} has not answered within {seconds:g} seconds") from error
        raise
    finally:
        watch.cancel()
        connection.close()
    if len(read) > largest > 0:
        raise AnswerTooLong(f"{target.host} answers with more than {largest} bytes")
    return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, read)


@cache
def _tls() -> ssl.SSLContext:
    return trusting()


class _Connection(http.client.HTTPConnection):
    """A connection to the very addresses that were checked."""

    def __init__(self, target: Target, addresses: list[Address], connect: float, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._target, self._addresses, self._connect_timeout = target, addresses, connect
        self._seconds = seconds
        self.aborted = False

    def connect(self) -> None:
        error: OSError = OSError("no address")
        for address in self._addresses:
            if self.aborted:
                break
            try:
                self.sock = socket.create_connection((str(address), self._target.port), self._connect_timeout)
                break
            except OSError as refused:
                error = refused
        if self.sock is None:
            raise NotConnected(f"{self._target.host} cannot be reached ({type(error).__name__})") from error
        self._go_on()
        if self._target.scheme == "https":
            # In two steps, so that whoever aborts it finds the socket in the middle of the handshake.
            plain = self.sock
            self.sock = _tls().wrap_socket(plain, server_hostname=self._target.host, do_handshake_on_connect=False)
            self._go_on()
            try:
                self.sock.do_handshake()
            except OSError as refused:
                raise NotConnected(f"{self._target.host} is not trusted ({type(refused).__name__})") from refused
        self.sock.settimeout(self.timeout)

    def _go_on(self) -> None:
        """Raise where the time is over: whoever aborted it may have found no socket that could be ended."""
        if self.aborted:
            raise NotConnected(f"{self._target.host} was not reached within {self._seconds:g} seconds")

    def abort(self) -> None:
        """End it, from another thread."""
        self.aborted = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
