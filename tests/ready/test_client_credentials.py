"""A token endpoint that refuses, fails or hangs: nobody waits for long, and what was not sent is not feared to be."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import AllowedOrigins, Fatal, Invalid, NotConnected
from riverstone.engine.ready import ClientCredentials, client_credentials

from .http_cloud import SECRET, HttpCloud, http_cloud
from .test_http_attacks import lying
from .test_http_stone import ran, record, with_token

ALONE: dict[str, Any] = {"lookup_request": None, "undo_request": None, "ready_request": None, "check_request": None}


@pytest.fixture
def cloud() -> Iterator[HttpCloud]:
    with http_cloud() as made:
        yield made


def asked_for(url: str, secret: str = "s", seconds: float = 10.0, client: str = "me") -> str:
    """A token from there."""
    credentials = ClientCredentials(token_url=f"{url}/token", client_id=client, client_secret="{secret}")
    return credentials.token(AllowedOrigins([url, "127.0.0.0/8"]), secret, str, seconds)


@contextmanager
def silent() -> Iterator[tuple[str, list[float]]]:
    """A server that takes connections and says nothing, and when they came."""
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    callers: list[socket.socket] = []
    came: list[float] = []

    def accept() -> None:
        while True:
            try:
                callers.append(server.accept()[0])
            except OSError:
                return
            came.append(time.monotonic())

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for each in callers:
            each.close()
        thread.join(10)


def remembered() -> int:
    """What the module keeps, whatever for."""
    return sum(
        len(each) for name, each in vars(client_credentials).items() if name[:2] != "__" and isinstance(each, dict)
    )


def test_nothing_is_kept_of_a_client_that_was_refused(cloud: HttpCloud) -> None:
    before = remembered()
    for number in range(20):
        with pytest.raises(Fatal):
            asked_for(cloud.url, f"wrong {number}")
    assert remembered() == before


def test_all_who_wait_for_a_token_endpoint_that_hangs_hear_of_it_together() -> None:
    errors: list[Exception] = []

    def ask(url: str) -> None:
        try:
            asked_for(url, seconds=2.0)
        except Exception as error:
            errors.append(error)

    with silent() as (url, came):
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        assert len(errors) == 6
        # Whoever came late on a busy machine asks once more, but not all of them one after the other.
        assert len(came) < 6
    assert any("has not answered within 2 seconds" in str(each) for each in errors)


def test_those_who_wait_have_the_token_of_the_one_that_asks(cloud: HttpCloud) -> None:
    tokens: list[str] = []
    threads = [
        threading.Thread(target=lambda: tokens.append(asked_for(cloud.url, SECRET, client="river"))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert (len(tokens), set(tokens)) == (8, set(cloud.tokens))
    assert len(cloud.tokens) == 1


def test_a_token_that_cannot_be_had_says_that_nothing_was_sent(cloud: HttpCloud) -> None:
    stone = with_token(cloud, retries=1, **ALONE)
    assert ran(stone)[0] == "success"
    cloud.tokens_for = set()
    cloud.token_answers = [(500, {}, b"")]
    # Refused with the token that it had, and no other is to be had at first.
    status, task = ran(stone)
    assert (status, task.attempt) == ("success", 2)
    assert len(cloud.things) == 2
    assert not cloud.token_answers


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"Basic c2VjcmV0\r\n\r\n", b""])
def test_an_endpoint_that_answers_anything_else_is_one_that_gives_no_token(answer: bytes) -> None:
    with lying(lambda caller: caller.sendall(answer)) as url:
        with pytest.raises(NotConnected) as told:
            asked_for(url)
        assert "c2VjcmV0" not in str(told.value)


@pytest.mark.parametrize("url", ["https://x:99999/t", "https://[::1/t", "https://x:abc/t", "ftp://x/t", "x", ""])
def test_an_address_that_is_none_is_refused_where_it_is_declared(url: str) -> None:
    with pytest.raises(Invalid):
        record(
            "https://example.com",
            credentials=ClientCredentials(token_url=url, client_id="x", client_secret="secret:shared/x"),
        )


def test_a_client_that_is_no_parameter_is_refused_and_one_that_was_not_given_has_no_token(cloud: HttpCloud) -> None:
    credentials = ClientCredentials(token_url=f"{cloud.url}/token", client_id="{who}", client_secret="{secret}")
    secret = fields.String(metadata={"no_echo": True})
    parameters: dict[str, Any] = {"secret": secret, "name": fields.Raw(), "size": fields.Raw()}
    with pytest.raises(Invalid, match="no parameter 'who'"):
        record(cloud.url, credentials=credentials, parameters=parameters, **ALONE)
    parameters |= {"who": fields.String(load_default="river")}
    status, task = ran(record(cloud.url, credentials=credentials, parameters=parameters, **ALONE))
    assert status.startswith(("failed", "rollback"))
    assert task.reason == "The value of {secret} is empty, and without it there is no token."
    assert not cloud.asked
