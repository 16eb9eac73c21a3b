"""What values, names and answers may try at an HTTP stone: it asks nobody else, tells no secret, waits for nobody."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Invalid
from riverstone.engine.ready import HttpRequest, HttpStone

from .http_cloud import HttpCloud, http_cloud
from .test_http_stone import ran


@pytest.fixture
def cloud() -> Iterator[HttpCloud]:
    with http_cloud() as made:
        yield made


def put(url: str, **members: Any) -> type[HttpStone]:
    """One whose parameters are in each part of a request."""
    told: dict[str, Any] = {
        "code": "Ops::Put",
        "parameters": {name: fields.Raw(load_default="x") for name in ("id", "tag", "word", "value")},
        "origins": {"one": url},
        "networks": ("127.0.0.0/8",),
        "request": HttpRequest(
            method="PUT",
            path="/v1/things/{id}",
            query={"tag": "{tag}"},
            headers={"X-Word": "{word}"},
            body={"value": "{value}", "text": "<{value}>"},
        ),
        "retries": 0,
        "limit": 1.0,
        "monitor_interval": 0.02,
    }
    return type("Put", (HttpStone,), told | members)


@contextmanager
def lying(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that answers with whatever it likes."""
    server = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            try:
                caller, _ = server.accept()
            except OSError:
                return
            with caller:
                try:
                    caller.recv(65536)
                    answer(caller)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        closing.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


@pytest.mark.parametrize(
    "value",
    ["/evil.example/x", "//evil.example", "@evil.example", "a?b=c", "a#b", "a/b", "a%2Fb", "é\u202e", "a;b&c=d"],
)
def test_a_value_is_a_part_of_its_place_whatever_it_says(cloud: HttpCloud, value: str) -> None:
    for name in ("id", "tag", "value"):
        cloud.answers.append((200, {}, b""))
        assert ran(put(cloud.url), **{name: value})[0] == "success"
    by_id, by_tag, by_value = cloud.asked
    path, _, query = by_id[1].partition("?")
    assert path.startswith("/v1/things/")
    assert (path.count("/"), query) == (3, "tag=x")
    assert not {"#", "@"} & {*by_id[1]}
    assert by_tag[1].startswith("/v1/things/x?tag=")
    assert "&" not in by_tag[1]
    assert json.loads(by_value[3]) == {"value": value, "text": f"<{value}>"}


def hung_up(caller: socket.socket) -> bool:
    """Whether the other side has closed, looked for during a moment."""
    caller.settimeout(0.1)
    try:
        return not caller.recv(1)
    except TimeoutError:
        return False


@pytest.mark.parametrize("value", ["..", ".", "", "../../admin", "..\\admin", "a/../b", ["a"], {"a": 1}])
def test_no_value_leads_to_another_path(cloud: HttpCloud, value: Any) -> None:
    assert ran(put(cloud.url), id=value)[0].startswith(("failed", "rollback"))
    assert not cloud.asked


@pytest.mark.parametrize("value", ["a\r\nX-Admin: yes", "a\nb", "a\tb", "a\x7fb", "\u010d", ["a"]])
def test_no_value_becomes_another_header(cloud: HttpCloud, value: Any) -> None:
    assert ran(put(cloud.url), word=value)[0].startswith(("failed", "rollback"))
    assert not cloud.asked


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "X-A: b\r\nX-C", "", "a b"])
def test_no_declaration_sets_what_frames_a_request(name: str) -> None:
    with pytest.raises(Invalid, match="no header"):
        HttpRequest(method="GET", path="/", headers={name: "a"})


@pytest.mark.parametrize(
    "path", ["//evil.example/", "x", "/a/../b", "/a?b", "/a#b", "/a b", "\\evil", "http://evil/", ""]
)
def test_a_path_stays_behind_its_origin(path: str) -> None:
    with pytest.raises(Invalid, match="no path"):
        HttpRequest(method="GET", path=path)


def test_a_secret_is_in_no_address() -> None:
    secret = {"token": fields.String(required=True, metadata={"no_echo": True})}
    for request in (
        HttpRequest(method="GET", path="/{token}"),
        HttpRequest(method="GET", path="/", query={"token": "{token}"}),
    ):
        with pytest.raises(Invalid, match="would be logged"):
            put("https://example.com", parameters=secret, request=request)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(cloud: HttpCloud, status: int) -> None:
    cloud.answers.append((status, {"Location": "http://169.254.169.254/latest/meta-data/"}, b""))
    ended, task = ran(put(cloud.url))
    assert ended.startswith(("failed", "rollback"))
    assert "Redirects are not followed" in (task.reason or "")
    assert len(cloud.asked) == 1


@pytest.mark.parametrize("address", ["169.254.169.254", "10.1.2.3", "::1", "::ffff:127.0.0.1", "0.0.0.0"])
def test_a_name_that_leads_inside_is_not_followed(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    connected: list[Any] = []
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(kind, socket.SOCK_STREAM, 6, "", (address, 443))])
    monkeypatch.setattr(socket, "create_connection", lambda place, *_: connected.append(place))
    status, task = ran(put("https://api.example.com", networks=("192.168.0.0/16",)))
    assert status.startswith(("failed", "rollback"))
    assert "which is no public address" in (task.reason or "")
    assert not connected


def test_the_address_that_was_checked_is_the_one_that_is_called(
    cloud: HttpCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere when it is looked up once more."""
    looked: list[str] = []
    real = socket.getaddrinfo

    def changing(host: str, *args: Any, **more: Any) -> Any:
        if host != "api.example.com":
            return real(host, *args, **more)
        looked.append(host)
        address = "127.0.0.1" if len(looked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, cloud.server_port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    cloud.answers.append((200, {}, b""))
    assert ran(put(f"http://api.example.com:{cloud.server_port}"))[0] == "success"
    assert (len(looked), len(cloud.asked)) == (1, 1)
    assert cloud.asked[0][2]["host"] == f"api.example.com:{cloud.server_port}"


@pytest.mark.parametrize("head", [b"Content-Length: 900000000\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_a_huge_answer_is_not_read_to_its_end(head: bytes) -> None:
    sent: list[int] = []

    def huge(caller: socket.socket) -> None:
        caller.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        part = b"10000\r\n" + b"a" * 65536 + b"\r\n" if b"chunked" in head else b"a" * 65536
        while sum(sent) < 200_000_000:
            sent.append(caller.send(part))

    with lying(huge) as url:
        status, task = ran(put(url, limit=20.0))
    assert status.startswith(("failed", "rollback"))
    assert "more than 1000000 bytes" in (task.reason or "")
    assert sum(sent) < 50_000_000


@pytest.mark.parametrize(
    "part", [b"", b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\na"]
)
def test_one_that_drips_is_hung_up_on(part: bytes) -> None:
    """The time is that of a whole request, not of each byte."""

    def drip(caller: socket.socket) -> None:
        caller.sendall(part)
        while not hung_up(caller):
            caller.sendall(b"a" if b"Content-Length" in part else part)

    began = time.monotonic()
    with lying(drip) as url:
        status, task = ran(put(url))
    assert status.startswith(("failed", "rollback"))
    assert "has not answered within 1 seconds" in (task.reason or "")
    assert time.monotonic() - began < 20


def test_one_that_drips_before_anything_is_encrypted_is_hung_up_on() -> None:
    def drip(caller: socket.socket) -> None:
        caller.sendall(b"\x16\x03\x03\x40\x00")
        while not hung_up(caller):
            caller.sendall(b"\x02")

    began = time.monotonic()
    with lying(drip) as url:
        status, task = ran(put(url.replace("http:", "https:")))
    assert status.startswith(("failed", "rollback"))
    assert task.reason
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"{}", b"", b"NaN", b'{"id": NaN}', b'{"id": "\\ud800"}', b'{"id": ' + b"9" * 10_000 + b"}"],
)
def test_an_answer_that_is_not_what_it_should_be_is_a_failure(cloud: HttpCloud, body: bytes) -> None:
    request = HttpRequest(method="PUT", path="/", outputs={"id": "id"})
    cloud.answers.append((200, {}, body))
    status, task = ran(put(cloud.url, request=request))
    assert status.startswith(("failed", "rollback"))
    assert task.reason
