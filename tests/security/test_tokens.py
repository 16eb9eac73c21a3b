"""OAuth2 tokens count when their server says so plainly, and not otherwise."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.api.access import introspection
from riverstone.api.access.introspection import Introspection, IntrospectionFailed
from riverstone.api.access.rule import Access
from riverstone.api.settings import Settings
from riverstone.engine import Engine, Invalid

from ..api.asking import Client
from ..workers.crew import until
from .token_server import TokenServer, token_server

SECRET = "s3cret:of/us"
GOOD = {"active": True, "client_id": "shop", "scope": "read run", "exp": int(time.time()) + 3600}
TOKEN = {"Authorization": "Bearer some.token-1"}


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as server:
        yield server


def asking(engine: Engine, server: TokenServer, **options: Any) -> Client:
    """A client of an application that asks this server."""
    introspection = Introspection(
        url=server.url, client_id="river", client_secret=SECRET, timeout=options.pop("timeout", 60), **options
    )
    return Client(create_app(engine, access=Access(engine, introspection)))


def test_an_active_token_lets_its_client_in(engine: Engine, server: TokenServer) -> None:
    server.says(GOOD)

    assert asking(engine, server).get("/process", headers=TOKEN).status_code == 200
    basic = base64.b64encode(b"river:s3cret%3Aof%2Fus").decode()
    (asked,) = server.asked
    assert asked.path == "/introspect"
    assert asked.authorization == f"Basic {basic}"
    assert asked.values["token"] == "some.token-1"


def test_the_original_form_sends_everything_in_the_body(engine: Engine, server: TokenServer) -> None:
    server.says(GOOD)

    assert asking(engine, server, form="original").get("/process", headers=TOKEN).status_code == 200
    (asked,) = server.asked
    assert asked.path == "/introspect"
    assert asked.values == {"access_token": "some.token-1", "client_id": "river", "client_secret": SECRET}


@pytest.mark.parametrize("status", [200, 400, 401])
def test_the_original_form_tells_an_invalid_token_by_an_error(engine: Engine, server: TokenServer, status: int) -> None:
    server.says({"error": "invalid_token", "error_description": "expired"}, status)

    assert asking(engine, server, form="original").get("/process", headers=TOKEN).status_code == 401


@pytest.mark.parametrize(
    "said",
    [
        {"active": False},
        {**GOOD, "exp": int(time.time()) - 1},
        {**GOOD, "exp": 0},
        {**GOOD, "nbf": int(time.time()) + 3600},
    ],
)
def test_a_token_that_is_not_active_now_is_refused(engine: Engine, server: TokenServer, said: dict[str, Any]) -> None:
    server.says(said)

    answer = asking(engine, server).get("/process", headers=TOKEN)

    assert answer.status_code == 401
    assert answer.json["code"] == "token-invalid"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"yes", 200),
        (b"true", 200),
        (b"[true]", 200),
        (b"{}", 200),
        (b'{"active": "true", "client_id": "a"}', 200),
        (b'{"active": 1, "client_id": "a"}', 200),
        (b'{"active": true}', 200),
        (b'{"active": true, "client_id": ""}', 200),
        (b'{"active": true, "client_id": "a\\u0000b"}', 200),
        (b'{"active": true, "client_id": ["a"]}', 200),
        (b'{"active": true, "client_id": "a", "scope": 7}', 200),
        (b'{"active": true, "client_id": "a", "exp": "tomorrow"}', 200),
        (b'{"active": true, "client_id": "a", "exp": NaN}', 200),
        (b'{"active": true, "client_id": "a", "exp": true}', 200),
        (b'{"active": false, "active": true, "client_id": "a"}', 200),
        (b'{"active": true, "client_id": "a", "scope": "admin"}', 500),
        (b'{"active": true, "client_id": "a", "scope": "admin"}', 302),
        (b'{"active": true, "client_id": "a", "scope": "admin"}', 201),
        (b'{"error": "invalid_client"}', 401),
        (b"[" * 50_000, 200),
        (b'{"active": true, "client_id": "a", "x": "' + b"x" * 100_000 + b'"}', 200),
    ],
)
def test_nonsense_closes_the_door(engine: Engine, server: TokenServer, body: bytes, status: int) -> None:
    server.sends(body, status)

    answer = asking(engine, server).get("/process", headers=TOKEN)

    assert answer.status_code == 503
    assert answer.json["code"] == "token-server-unavailable"
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_a_slow_server_closes_the_door_in_time(
    engine: Engine, server: TokenServer, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waited for its answer would wait for the end of this test."""
    monkeypatch.setattr(introspection, "REST", 600.0)
    getattr(server, how)()
    client = asking(engine, server, timeout=0.3)

    assert client.get("/process", headers=TOKEN).status_code == 503

    server.says(GOOD)
    assert client.get("/process", headers=TOKEN).status_code == 503, "it is left alone for a moment"
    assert len(server.asked) == 1


def listening(talk: Callable[[socket.socket], None]) -> tuple[socket.socket, int]:
    """A server that does this with whoever comes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(target=talk, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return server, server.getsockname()[1]


@pytest.mark.parametrize(
    ("scheme", "begin"),
    [
        ("http", b"HTTP/1.0 2"),
        ("http", b"HTTP/1.0 200 OK\r\nX-"),
        ("http", b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 9999\r\n\r\n{"),
        ("https", b"\x16\x03\x03\x40\x00"),
    ],
)
def test_no_thread_stays_with_a_server_that_drips(scheme: str, begin: bytes) -> None:
    """Each question left one that read for as long as the server liked."""
    gone = threading.Event()

    def drip(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.sendall(begin)
            while not gone.wait(0.05):
                client.sendall(b"1")

    server, port = listening(drip)
    with server:
        asked = Introspection(url=f"{scheme}://127.0.0.1:{port}/", client_id="c", client_secret="s", timeout=0.3)
        with pytest.raises(IntrospectionFailed, match="in time"):
            asked.ask("token")
        until(lambda: not [each for each in threading.enumerate() if each.name == "riverstone-introspection"], 60)
        gone.set()


def test_a_dead_server_closes_the_door_and_an_answer_is_believed_for_a_while(engine: Engine) -> None:
    with token_server() as server:
        server.says(GOOD)
        client = asking(engine, server)
        assert client.get("/process", headers=TOKEN).status_code == 200

    assert client.get("/process", headers=TOKEN).status_code == 200
    assert len(server.asked) == 1
    assert client.get("/process", headers={"Authorization": "Bearer another"}).status_code == 503


def test_an_answer_is_believed_for_half_a_minute_and_no_longer_than_the_token_lives(
    engine: Engine, server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says({**GOOD, "exp": time.time() + 10_000})
    client = asking(engine, server)
    assert client.get("/process", headers=TOKEN).status_code == 200
    server.says({"active": False})
    now = time.monotonic()

    monkeypatch.setattr("time.monotonic", lambda: now + 29)
    assert client.get("/process", headers=TOKEN).status_code == 200
    monkeypatch.setattr("time.monotonic", lambda: now + 31)
    assert client.get("/process", headers=TOKEN).status_code == 401


def test_a_token_may_do_what_its_scopes_say(engine: Engine, server: TokenServer) -> None:
    server.says({**GOOD, "scope": "river:read other:run", "aud": ["river"]})
    client = asking(engine, server, scope_prefix="river:", audience="river")

    assert client.get("/process", headers=TOKEN).status_code == 200
    refused = client.post("/signal", json={"name": "x"}, headers=TOKEN)
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="run"' in refused.headers["WWW-Authenticate"]
    assert asking(engine, server, audience="someone else").get("/process", headers=TOKEN).status_code == 401


@pytest.mark.parametrize("given", ["Basic eDp5", "Bearer", "Bearer a b", "Bearer a, Bearer b", "Bearer ä", ""])
def test_what_is_no_token_is_refused_without_asking(engine: Engine, server: TokenServer, given: str) -> None:
    answer = asking(engine, server).get("/process", headers={"Authorization": given.encode().decode("latin-1")})

    assert answer.status_code == 401
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://auth.example.com/x",
        "ftp://a/b",
        "https://u:p@host/x",
        "https://host/x?secret=1",
        "nonsense",
        "https://[",
    ],
)
def test_an_address_that_would_show_secrets_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="introspection URL"):
        Introspection(url=url, client_id="a", client_secret="b")


def test_introspection_is_set_by_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "river.toml"
    file.write_text(
        '[limits]\nbody_size = 2000\n[introspection]\nurl = "https://auth.example.com/in"\nclient_id = "river"\n'
    )
    with pytest.raises(Invalid, match="client_secret"):
        Settings.read(file=str(file))
    monkeypatch.setenv("RIVERSTONE_INTROSPECTION_CLIENT_SECRET", SECRET)

    settings = Settings.read(file=str(file), limits=["json_depth=10"])

    assert settings.introspection is not None
    assert SECRET not in repr(settings)
    assert (settings.limits.body_size, settings.limits.json_depth) == (2000, 10)


@pytest.mark.parametrize("text", ["x = 1", "[limits]\nnope = 1", "[limits]\nbody_size = 'x'", "limits = 3", "[["])
def test_a_wrong_settings_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "river.toml").write_text(text)

    with pytest.raises(Invalid):
        Settings.read(file=str(tmp_path / "river.toml"))


def test_a_token_tells_who_has_it_by_the_claims_that_the_operator_names(engine: Engine, server: TokenServer) -> None:
    server.says({**GOOD, "username": "ann", "roles": ["ops", "buyers"], "groups": ["admins"]})

    unnamed = asking(engine, server).get("/client", headers=TOKEN).json
    named = asking(engine, server, user_claim="username", groups_claim="roles").get("/client", headers=TOKEN).json

    assert (unnamed["user"], unnamed["groups"]) == (None, [])
    assert (named["user"], named["groups"]) == ("ann", ["buyers", "ops"])


@pytest.mark.parametrize(
    "said", [{"sub": ["ann"]}, {"sub": ""}, {"groups": "ops"}, {"groups": [1]}, {"groups": ["a\0"]}]
)
def test_a_token_of_nobody_who_can_be_named_is_not_believed(
    engine: Engine, server: TokenServer, said: dict[str, Any]
) -> None:
    server.says({**GOOD, **said})

    answer = asking(engine, server, user_claim="sub", groups_claim="groups").get("/client", headers=TOKEN)

    assert answer.status_code == 503
