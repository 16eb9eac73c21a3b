"""An answer that breaks off leaves no connection open, whoever keeps the error (RFC 9112, sections 8 and 9.5).

The error holds the frames in which it was raised, and these hold what they read from. A socket that nothing else closes
stays open until the garbage collector comes, and Python then warns wherever that is.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Queue

import pytest

from riverstone.api.access.introspection import Introspection
from riverstone.api.client import Client
from riverstone.engine.outgoing.allowed_origins import AllowedOrigins
from riverstone.engine.secret_sources.references import SecretReference
from riverstone.engine.secret_sources.vault import VaultSecrets
from riverstone.engine.testkit import FaultProxy

HALF = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"
LONGEST = 60


def sent(url: str) -> None:
    AllowedOrigins([url, "127.0.0.0/8"]).send("GET", url, {}, seconds=LONGEST, largest=100)


def introspected(url: str) -> None:
    Introspection(url=url, client_id="c", client_secret="s", timeout=LONGEST).ask("token")


def found_in_vault(url: str) -> None:
    VaultSecrets(url, "token", timeout=LONGEST).find(SecretReference(("shared", "db"), None))


def asked_by_client(url: str) -> None:
    with Client(url, timeout=LONGEST, retries=0) as client:
        client.models()


def passed_on(url: str) -> None:
    with FaultProxy(url) as proxy:
        proxy._passed_on("GET", "/", {}, b"")


def hangs_up(caller: socket.socket) -> bool:
    """Whether the other side closes, in whatever way, before long; what it still says is read."""
    caller.settimeout(LONGEST)
    try:
        while caller.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


@contextmanager
def breaking_off() -> Iterator[tuple[str, Queue[bool]]]:
    """A server that says half of an answer, and whether its caller has hung up then."""
    gone: Queue[bool] = Queue()

    def serve() -> None:
        with suppress(OSError):
            while True:
                caller, _ = server.accept()
                with caller:
                    caller.recv(65536)
                    caller.sendall(HALF)
                    caller.shutdown(socket.SHUT_WR)
                    gone.put(hangs_up(caller))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", gone
        server.shutdown(socket.SHUT_RDWR)
        thread.join(LONGEST)


@pytest.mark.parametrize("ask", [sent, introspected, found_in_vault, passed_on, asked_by_client])
def test_a_connection_is_closed_while_the_error_is_kept(ask: Callable[[str], None]) -> None:
    with breaking_off() as (url, gone):
        with pytest.raises(Exception, match=r"IncompleteRead|cannot be reached|does not answer") as kept:
            ask(url)
        assert gone.get(timeout=2 * LONGEST)
        assert kept.tb is not None
