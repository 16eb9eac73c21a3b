"""Texts that a database cannot hold are refused as that, whichever database it is; none is away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.engine import Engine
from riverstone.engine.errors import Invalid, Unknown

from ..features.sketch import line, service

ASKED: dict[str, Callable[[Engine, str], Any]] = {
    "instances": lambda engine, text: engine.instances(key=text),
    "an owner's": lambda engine, text: engine.owned_by(text).instances(),
    "by a variable": lambda engine, text: engine.search(variables={text: 1}),
    "a stone": lambda engine, text: engine.suspend_stone(text),
    "why a key": lambda engine, text: engine.suspend_key("shop", reason=text),
    "deployments": lambda engine, text: engine.deployments(key=text),
    "resources": lambda engine, text: engine.resources(key=text),
    "a schedule": lambda engine, text: engine.unschedule_checks(text),
    "a start": lambda engine, text: engine.start(key="shop", name="test", owner=text),
}


@pytest.mark.parametrize("text", ["\x00", "a\ud800"])
@pytest.mark.parametrize("asked", ASKED)
def test_no_text_makes_the_database_one_that_does_not_answer(one: Engine, asked: str, text: str) -> None:
    """SQLite and MariaDB hold NUL, so there it may merely be found nowhere."""
    one.deploy(line("shop", service("a", "mail")), external=True)

    with suppress(Invalid, Unknown):
        ASKED[asked](one, text)

    started = one.start(key="shop", name="test", owner="ann").process_instance_id
    assert one.get(started).owner == "ann"


PATHS = (
    ("DELETE", "/subscription/a%00b"),
    ("PUT", "/notice/a%00b/replay"),
    ("PUT", "/resource/check/a%00b/pause"),
    ("GET", "/engine-rest/external-task?topicName=a%00b"),
    ("GET", "/engine-rest/external-task/count?workerId=%00"),
)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_path_that_cannot_be_stored_is_refused(one: Engine, method: str, path: str) -> None:
    answer = create_app(one).test_client().open(path, method=method, json=None if method == "GET" else {})

    assert answer.status_code in (400, 404)


def test_a_refused_call_is_written_into_the_audit_whatever_its_path(one: Engine) -> None:
    client = create_app(one).test_client()

    assert client.post("/engine-rest/external-task/a%00b/unlock", json={}).status_code == 404
    (entry,) = one.audit.entries().items
    assert (entry.target, entry.outcome) == ("ab", "unknown-external-task")


def test_a_refusal_says_what_the_text_holds(one: Engine) -> None:
    with pytest.raises(Invalid, match="half of a surrogate pair"):
        one.instances(key="\ud800")
