"""What is shown in place of a secret is never taken for its value, whoever copies it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from marshmallow import fields

from riverstone.api import create_app
from riverstone.engine import Engine, Invalid, Stone, TaskInfo
from tests.api.asking import Client

from .sketch import line, service

seen: list[Any] = []


class Connect(Stone):
    """Connects with a password, as soon as the host is the right one."""

    code = "connect"
    parameters = {
        "password": fields.String(load_default="none-given", metadata={"no_echo": True}),
        "host": fields.String(load_default="wrong"),
    }
    outputs = {"session": "", "token": "secret"}
    secret_outputs = frozenset({"token"})

    def start(self, task: TaskInfo) -> None:
        seen.append(dict(task.parameters))
        task.add_output("token", "t0ken-1")
        if task.parameters["host"] == "wrong":
            raise RuntimeError("no such host")


TEMPLATE = [
    {"Key": "password", "NameSpace": "db", "Type": "String", "NoEcho": True},
    {"Key": "user", "NameSpace": "db", "Type": "String"},
]
START = {
    "db": {"password": "hunter22", "user": "u"},
    "urls": ["db://u:hunter2*****2@h", "db://u:hunter22@h"],
    "note": "*****",
}


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    seen.clear()
    with Engine(sqlite, stones=[Connect]) as engine:
        engine.deploy(
            line("p", '<userTask id="u"/>', service("s", "connect", {"password": "${db.password}", "host": "${host}"})),
            parameter_template=TEMPLATE,
        )
        yield engine


def refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> dict[str, list[str]]:
    """By place, why a call is refused."""
    with pytest.raises(Invalid) as caught:
        call(*arguments, **named)
    assert caught.value.code == "value-masked"
    assert "What is shown in place of a secret is not its value." in caught.value.message
    return {place: list(texts) for place, texts in caught.value.errors.items()}


def kept(name: str) -> list[str]:
    return [f"Holds ***** in place of a secret: leave {name!r} out, which keeps it, or give the secret itself."]


def test_variables_that_were_read_and_changed_are_not_set_with_the_mask_in_them(engine: Engine) -> None:
    number = engine.start(key="p", name="x", variables=START).process_instance_id
    shown = engine.variables(number)
    assert shown["db"] == {"password": "*****", "user": "u"}
    assert shown["urls"][1] == "db://u:*****@h"

    assert refused(engine.set_variables, number, {"db": "*****"}) == {"db": kept("db")}
    assert refused(engine.set_variables, number, {"urls": shown["urls"][::-1]}) == {
        "urls.0": kept("urls"),
        "urls.1": kept("urls"),
    }
    answer = Client(create_app(engine)).put(f"/process/{number}/variables", json={"variables": {"db": "*****"}})
    assert (answer.status_code, answer.json["code"]) == (422, "value-masked")
    (task,) = engine.tasks(number)
    assert refused(engine.set_variables, number, {"db": "*****"}, task_id=task.task_id) == {"db": kept("db")}
    assert refused(engine.complete, task.task_id, {"db": "*****"}) == {"db": kept("db")}

    # What has five asterisks and no secret is a text like any other, and so is a secret that has them inside.
    engine.set_variables(
        number, {"note": "***** stars", "db": {"password": "five*****stars", "user": "new"}, "host": "h"}
    )
    engine.complete(task.task_id, {})
    assert engine.wait(number, 60).status == "success"
    assert seen == [{"password": "five*****stars", "host": "h"}]


DEEP: dict[str, Any] = {
    "db": {"password": "hunter22", "user": "u", "hosts": [{"name": "a", "url": "db://hunter22@a"}], "port": 1},
    "host": "h",
}


def test_a_member_beside_a_secret_is_changed_alone(engine: Engine) -> None:
    """A name that is left out stays as it is, but a member that is left out is gone: its mask keeps it."""
    number = engine.start(key="p", name="x", variables=DEEP).process_instance_id
    shown = engine.variables(number)["db"]
    assert (shown["password"], shown["hosts"][0]["url"]) == ("*****", "db://*****@a")
    engine.set_variables(number, {"db": {**shown, "user": "new", "port": True}})
    (row,) = engine._store.read("SELECT `variables` FROM `content`")
    stored = json.loads(row[0])["db"]
    assert stored == {**DEEP["db"], "user": "new", "port": True}
    assert stored["port"] is True

    # In a list nobody can tell which of two secrets has moved, and elsewhere the mask is no value.
    for wrong, place in (
        ({**shown, "hosts": [*shown["hosts"], {"name": "b"}]}, "db.hosts.0.url"),
        ({**shown, "user": shown["password"]}, "db.user"),
        ({"more": shown}, "db.more.password"),
        ({**shown, "password": {"x": "*****"}}, "db.password.x"),
    ):
        assert place in refused(engine.set_variables, number, {"db": wrong})
    engine.complete(engine.tasks(number)[0].task_id, {"db": shown})
    assert engine.wait(number, 60).status == "success"
    assert seen == [{"password": "hunter22", "host": "h"}]


def test_nobody_starts_a_process_with_the_mask_in_place_of_a_secret(engine: Engine) -> None:
    before = engine.start(key="p", name="x", variables=START)
    shown = engine.variables(before.process_instance_id)
    told = {"db.password": ["Holds ***** in place of a secret: give the secret itself."]}
    assert refused(engine.start, key="p", name="again", variables=shown) == told
    assert len(engine.instances().items) == 1


def test_a_repair_takes_no_mask_for_a_secret(engine: Engine) -> None:
    number = engine.start(
        key="p", name="x", variables={**START, "host": "wrong"}, on_failure="pause"
    ).process_instance_id
    engine.complete(engine.tasks(number)[0].task_id, {})
    engine.wait(number, 60)
    task = engine.tasks(number)[-1]
    assert (task.parameters["password"], task.outputs) == ("*****", {"token": "*****"})

    rewind = partial(engine.rewind, number, task.task_id, retain=[task.task_id])
    for given in ({**task.parameters, "host": "right"}, {"password": "*****"}):
        assert refused(engine.rerun, task.task_id, given) == {"password": kept("password")}
        assert refused(engine.preview_repair, task.task_id, "retry", parameters=given) == {"password": kept("password")}
        assert refused(rewind, parameters=given) == {"password": kept("password")}
    assert refused(rewind, variables={"db": "*****"}) == {"db": kept("db")}
    assert refused(engine.done_by_hand, task.task_id, task.outputs) == {"token": kept("token")}

    engine.rerun(task.task_id, {"host": "right"})
    assert engine.wait(number, 60).status == "success"
    assert [each["password"] for each in seen] == ["hunter22", "hunter22"]
