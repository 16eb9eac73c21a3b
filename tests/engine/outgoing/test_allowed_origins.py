"""What an operator may list, and what becomes of names and connections that lead nowhere."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

import pytest

from riverstone.engine import AllowedOrigins, Invalid, NotConnected


@pytest.mark.parametrize(
    "text",
    [
        "https://x:99999",
        "https://x:0",
        "https://x:abc",
        "x:abc",
        "https://[::1",
        "https://user:word@x",
        "https://x#y",
        "https://x/y",
        "https://\u2100.example",
        "ftp://x",
        "",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no host, origin or network that here may go to"):
        AllowedOrigins([text], setting="here")


def test_hosts_origins_and_networks_may_be_listed() -> None:
    allowed = AllowedOrigins(["x", "*.example.com", "http://y:81/", "https://[::1]:444", "10.0.0.0/8"])
    assert [origin[2] for origin in allowed.origins] == [443, 443, 81, 444]
    assert len(allowed.networks) == 1


@pytest.mark.parametrize("address", ["192.0.0.192", "[3fff::1]", "[::ffff:192.0.0.192]"])
def test_an_address_that_not_every_python_knows_as_special_needs_a_network(address: str) -> None:
    """IANA's registries of special addresses; at the first, Oracle's cloud has its metadata."""
    allowed = AllowedOrigins([f"http://{address}"])
    with pytest.raises(Invalid) as refused:
        allowed.addresses(allowed.check(f"http://{address}/"))
    assert refused.value.code == "webhook-inside"


@pytest.mark.parametrize("name", ["a..example.com", f"{'a' * 70}.example.com"])
def test_a_name_that_cannot_be_one_is_refused_before_anything_is_due_there(name: str) -> None:
    with pytest.raises(Invalid, match="that can be called") as refused:
        AllowedOrigins(["*.example.com"]).check(f"https://{name}/")
    assert refused.value.code == "webhook-url"


def test_a_connection_that_is_ended_while_it_turns_to_tls_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain socket is gone by then, and the other is not there yet."""
    real = ssl.SSLContext.wrap_socket

    def slow(context: ssl.SSLContext, plain: socket.socket, **more: Any) -> ssl.SSLSocket:
        wrapped = real(context, plain, **more)
        time.sleep(1.0)
        return wrapped

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", slow)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(NotConnected, match=r"was not reached within 0\.4 seconds"):
            AllowedOrigins([url, "127.0.0.0/8"]).send("POST", url, {}, b"x", seconds=0.4, largest=10)


def test_a_connection_that_comes_about_too_late_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would be left to end it."""
    real = socket.create_connection

    def late(*args: Any, **more: Any) -> socket.socket:
        time.sleep(1.0)
        return real(*args, **more)

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(socket, "create_connection", late)
        with pytest.raises(NotConnected, match=r"was not reached within 0\.2 seconds"):
            AllowedOrigins([url, "127.0.0.0/8"]).send("POST", url, {}, b"x", seconds=0.2, largest=10)
