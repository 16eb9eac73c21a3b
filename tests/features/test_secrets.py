"""A NoEcho value reaches the stones in clear and is shown nowhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import BpmnError, Engine, InstanceRecord, Stone, TaskInfo

from .sketch import catch, line, service

SECRET = "hunter2-秘密"
seen: list[Any] = []


class Install(Stone):
    """Sets a password, and talks too much about it."""

    code = "install"
    parameters = {
        "password": fields.String(required=True),
        "pin": fields.Integer(load_default=None, allow_none=True),
        "own": fields.String(load_default="s3cret-own", metadata={"no_echo": True}),
    }
    outputs = {"token": "secret", "line": "contains it"}
    secret_outputs = frozenset({"token"})

    def start(self, task: TaskInfo) -> None:
        seen.append(dict(task.parameters))
        password = task.parameters["password"]
        task.log(f"setting {password}")
        task.add_output("line", f"--password={password}")
        task.add_output("nested", {"a": [password, {password: 1}]})
        task.add_output("token", "t0ken-1")
        task.progress(50, f"half of {password}")
        if task.parameters["pin"] == 9999999:
            raise RuntimeError(f"{password} is too weak, and so is {task.parameters['pin']}")


TEMPLATE = [
    {"Key": "rootPassword", "Type": "String", "NoEcho": True},
    {"Key": "pin", "Type": "Number", "NoEcho": True, "NameSpace": "install", "DefaultValue": 1234567},
    {"Key": "copy", "Type": "String", "DefaultValue": "Ref:rootPassword"},
]
OUTPUTS = [{"Key": "command", "Value": "${outputs.install.line}"}, {"Key": "password", "Value": "${rootPassword}"}]


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    seen.clear()
    with Engine(sqlite, stones=[Install]) as engine:
        engine.deploy(
            line(
                "shop",
                service("install", "install", {"password": "${rootPassword}"}),
                service("again", "install", {"password": "x${copy}x", "pin": "${install.pin}"}),
            ),
            parameter_template=TEMPLATE,
            outputs_template=OUTPUTS,
        )
        yield engine


def everything(engine: Engine, process_instance_id: str) -> str:
    """All that the engine shows of a process, as one text."""
    shown = [asdict(engine.get(process_instance_id)), *(asdict(one) for one in engine.instances().items)]
    shown += [asdict(one) for one in engine.records().items]
    shown += [asdict(task) for task in engine.tasks(process_instance_id)]
    shown += [asdict(engine.task(task.task_id)) for task in engine.tasks(process_instance_id)]
    return json.dumps(shown, ensure_ascii=False, default=str)


def test_a_secret_is_shown_nowhere_and_reaches_the_stone(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    started = engine.start(key="shop", name="test", variables={"rootPassword": SECRET})
    ended = engine.wait(started.process_instance_id)

    assert [parameters["password"] for parameters in seen] == [SECRET, f"x{SECRET}x"]
    assert [parameters["pin"] for parameters in seen] == [1234567, 1234567]
    assert started.process_content == '{"rootPassword":"*****"}'
    assert ended.status == "success"
    assert ended.output_values == {"command": "--password=*****", "password": "*****"}
    shown = everything(engine, started.process_instance_id)
    for secret in (SECRET, "1234567", "s3cret-own", "t0ken-1"):
        assert secret not in shown
        assert secret not in caplog.text
    assert "setting *****" in shown


def test_the_documented_records_are_those_of_the_instances_secrets_hidden_and_those_of_undos_too(
    engine: Engine,
) -> None:
    open_one = engine.start(key="shop", name="fails", variables={"rootPassword": SECRET, "install": {"pin": 9999999}})
    engine.wait(open_one.process_instance_id)
    done = engine.wait(engine.start(key="shop", name="done", variables={"rootPassword": SECRET}).process_instance_id)
    engine.wait(engine.delete(done.process_instance_id).process_instance_id)

    listed, whole = engine.records(), engine.instances()

    assert len(listed.items) == 4
    names = [*InstanceRecord.__dataclass_fields__]
    assert [[getattr(one, name) for name in names] for one in listed.items] == [
        [getattr(one, name) for name in names] for one in whole.items
    ]
    assert not any(secret in str(one) for one in listed.items for secret in (SECRET, "9999999", "s3cret-own"))
    first = engine.records(limit=1)
    assert first.items + engine.records(limit=3, cursor=first.cursor).items == listed.items


def test_a_secret_is_shown_in_no_reason(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    variables = {"rootPassword": SECRET, "install": {"pin": 9999999}}

    started = engine.start(key="shop", name="test", variables=variables, rollback=False)
    ended = engine.wait(started.process_instance_id)

    assert ended.status == "failed"
    assert ended.reason is not None
    assert "***** is too weak, and so is *****" in ended.reason
    shown = everything(engine, started.process_instance_id)
    assert SECRET not in shown
    assert "9999999" not in shown
    assert SECRET not in caplog.text


def test_a_secret_with_quotes_is_hidden_inside_of_json_text_too(engine: Engine) -> None:
    secret = 'a"b\\c\nd'

    started = engine.start(key="shop", name="test", variables={"rootPassword": secret})

    shown = everything(engine, started.process_instance_id)
    for form in (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret)[1:-1])[1:-1]):
        assert form not in shown


def test_a_refused_secret_is_not_repeated_by_the_refusal(engine: Engine) -> None:
    model = line("strict", service("install", "install", {"password": "${p}"}))
    engine.deploy(model, parameter_template=[{"Key": "p", "Type": "String", "NoEcho": True, "MaxLength": 3}])

    with pytest.raises(Exception, match="do not fit") as caught:
        engine.start(key="strict", name="test", variables={"p": SECRET})

    assert SECRET not in str(caught.value) + repr(getattr(caught.value, "errors", None))


def test_a_secret_that_turns_up_in_a_bpmn_error_is_hidden(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:

        @engine.stone("tell")
        def tell(task: TaskInfo) -> None:
            raise BpmnError("leak", f"it is {task.parameters['p']}")

        model = line("shop", service("tell", "tell", {"p": "${p}"}))
        engine.deploy(model, parameter_template=[{"Key": "p", "Type": "String", "NoEcho": True}])
        started = engine.start(key="shop", name="test", variables={"p": SECRET}, rollback=False)

        assert engine.get(started.process_instance_id).status == "failed"
        assert SECRET not in everything(engine, started.process_instance_id)


def test_names_that_are_made_of_a_secret_are_hidden_wherever_they_are_told(tmp_path: Path) -> None:
    secret = "hunter2secret"
    wait = catch("wait", '<messageEventDefinition messageRef="m"/>')
    model = line("shop", service("make", "${topic}"), wait, before='<message id="m" name="paid-${topic}"/>')
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        engine.register(type("Secret", (Stone,), {"code": secret, "start": lambda self, task: None}))
        engine.deploy(model, parameter_template=[{"Key": "topic", "Type": "String", "NoEcho": True}])
        started = engine.start(key="shop", name="test", variables={"topic": secret})
        number = started.process_instance_id

        (token,) = engine.tokens(number)
        assert [wait.name for wait in token.waits] == ["paid-*****"]
        (summary,) = engine.search().items
        for shown in (summary, engine.get(number)):
            assert [each.name for each in shown.waits_for] == ["paid-*****"]
        why = engine.why(number)
        assert any("paid-*****" in command for command in why.commands)
        assert secret not in " ".join((*why.sentences, *why.commands))
        (step,) = engine.preview(number, "cancel")
        assert step.stone == "*****"
        engine.message(f"paid-{secret}", process_instance_id=number)
        assert engine.get(number).status == "success"


def test_a_secret_of_which_a_cut_left_the_beginning_is_hidden_too(tmp_path: Path) -> None:
    secret = "-".join(f"{number:04}" for number in range(100))
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:

        @engine.stone("tell", retries=0)
        def tell(task: TaskInfo) -> None:
            task.log(f"{'x' * 900}{task.parameters['p']}")
            raise RuntimeError(f"{'x' * 1900}{task.parameters['p']}")

        model = line("shop", service("tell", "tell", {"p": "${p}"}))
        engine.deploy(model, parameter_template=[{"Key": "p", "Type": "String", "NoEcho": True}])
        number = engine.start(key="shop", name="test", variables={"p": secret}, rollback=False).process_instance_id

        (task,) = engine.tasks(number)
        assert task.reason == f"RuntimeError: {'x' * 1900}*****…"
        assert task.log == (f"{'x' * 900}*****…",)
        assert "0000-0001" not in everything(engine, number)


def test_a_start_variable_that_a_stone_will_take_for_a_secret_is_hidden_before_it_does(tmp_path: Path) -> None:
    class Join(Stone):
        code = "join"
        parameters = {
            "password": fields.String(required=True, metadata={"no_echo": True}),
            "token": fields.String(load_default="", metadata={"no_echo": True}),
        }

    class Open(Stone):
        code = "join"

    variables = {
        "password": "by-its-name",
        "join": {"password": "by-the-code", "size": 3},
        "there": {"password": "by-the-namespace"},
        "there2": {"password": "by-the-run"},
        "given": {"secret": "by-an-input"},
        "harmless": "shown",
    }
    model = line("shop", '<userTask id="person"/>', service("there", "join", {"token": "${given.secret}"}))
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Open]) as engine:
        engine.deploy(model)
        before = engine.start(key="shop", name="test", variables=variables)
        assert "by-its-name" in before.process_content
        engine.register(Join)
        started = engine.start(key="shop", name="test", variables=variables)

        for shown in (started.process_content, engine.get(before.process_instance_id).process_content):
            assert json.loads(shown) == {
                "password": "*****",
                "join": {"password": "*****", "size": 3},
                "there": {"password": "*****"},
                "there2": {"password": "*****"},
                "given": {"secret": "*****"},
                "harmless": "shown",
            }
        assert "by-" not in everything(engine, started.process_instance_id)
