"""Workers and callers of Camunda 7 in Python: theirs is the client, ours what it talks to."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import Engine

from ..features.sketch import definitions, flow, line, process, service
from ..services import skip
from .conftest import HERE, Worker


@pytest.fixture
def python(url: str) -> Iterator[Any]:
    """Begin the worker on these topics."""
    if importlib.util.find_spec("camunda") is None:
        skip("camunda-external-task-client-python3 is not installed")
    begun: list[Worker] = []

    def begin(topics: str, script: str = "python_worker.py") -> Worker:
        begun.append(Worker([sys.executable, str(HERE / script), f"{url}/engine-rest", topics]))
        return begun[-1]

    yield begin
    for worker in begun:
        worker.end()


def started(engine: Engine, model: bytes, variables: dict[str, Any] | None = None, **more: Any) -> str:
    key = engine.deploy(model, external=True).key
    return engine.start(key=key, name="test", variables=variables or {}, **more).process_instance_id


def test_it_waits_for_tasks_and_completes_them(engine: Engine, python: Any) -> None:
    worker = python("mail")
    engine.deploy(line("shop", service("a", "mail")), external=True)
    number = engine.start(key="shop", name="test", variables={"to": "me", "n": 1}).process_instance_id
    assert worker.says("id")["variables"] == {"to": "me", "n": 1}
    outputs = engine.wait(number, 60).native_output_values
    assert outputs == {"a": {"found": {"a": [1]}, "count": 3, "text": "x", "own": True}}


def test_each_kind_of_value_reaches_it_and_the_next_gateway(engine: Engine, python: Any) -> None:
    given = {
        "text": "ö ",
        "number": 7,
        "real": 0.5,
        "yes": True,
        "none": None,
        "list": [1, {"a": "b"}],
        "map": {"k": []},
    }
    parts = '<startEvent id="s"/>', service("a", "mail"), '<exclusiveGateway id="g" default="g_few"/>'
    ways = flow("s", "a"), flow("a", "g"), flow("g", "many", "${count > 2 and outputs.a.own}"), flow("g", "few")
    number = started(
        engine, definitions(process("shop", *parts, service("many", "mail"), service("few", "mail"), *ways)), given
    )
    # This client leaves JSON to its worker.
    seen = python("mail").says("id")["variables"]
    assert {**seen, "list": json.loads(seen["list"]), "map": json.loads(seen["map"])} == given
    assert engine.wait(number, 60).status == "success"
    assert [task.element_id for task in engine.tasks(number)] == ["a", "many"]


def test_its_countdown_of_retries_ends(engine: Engine, python: Any) -> None:
    number = started(engine, line("shop", service("a", "flaky")), rollback=False)
    worker = python("flaky")
    assert [worker.says("id")["retries"] for _ in range(3)] == [None, 2, 1]
    assert engine.wait(number, 60).status == "failed"


def test_its_coroutines_complete_and_fail_by_the_countdown_too(engine: Engine, python: Any) -> None:
    done = started(engine, line("shop", service("a", "mail")))
    failing = started(engine, line("fails", service("a", "flaky")), rollback=False)
    python("mail,flaky", "python_async_worker.py")
    assert engine.wait(done, 60).native_output_values == {"a": {"count": 3, "own": True}}
    assert engine.wait(failing, 120).status == "failed"
    (task,) = engine.tasks(failing)
    assert task.attempt == 4


def test_its_bpmn_error_is_caught(engine: Engine, python: Any) -> None:
    caught = '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    parts = '<startEvent id="s"/>', service("a", "bounce"), caught, service("c", "mail"), '<endEvent id="x"/>'
    ends = '<endEvent id="y"/>', flow("s", "a"), flow("a", "x"), flow("b", "c"), flow("c", "y")
    number = started(engine, definitions('<error id="e" errorCode="bounced"/>', process("mails", *parts, *ends)))
    worker = python("bounce,mail")
    worker.says("id")
    assert worker.says("id")["variables"]["box"] == "full"
    assert engine.wait(number, 60).status == "success"


def test_pycamunda_deploys_starts_sends_and_deletes(engine: Engine, url: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("pycamunda") is None:
        skip("pycamunda is not installed")
    deployment, definition, message, instance = (
        importlib.import_module(f"pycamunda.{name}") for name in ("deployment", "processdef", "message", "processinst")
    )
    base = f"{url}/engine-rest"
    catching = '<intermediateCatchEvent id="w"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
    model = tmp_path / "paid.bpmn"
    model.write_bytes(line("paid", catching, service("a", "mail"), before='<message id="m" name="paid"/>'))
    create = deployment.Create(url=base, name="shop")
    with model.open("rb") as file:
        create.add_resource(file)
        deployed = create()
    assert deployed.deployed_process_definitions
    start = definition.StartInstance(url=base, key="paid")
    start.add_variable(name="size", value=3)
    number = start().id_
    send = message.CorrelateSingle(url=base, message_name="paid", process_instance_id=number, result_enabled=True)
    send.add_process_variable(name="sum", value=12)
    send()
    assert [task.stone for task in engine.tasks(number)] == ["mail"]
    instance.Delete(url=base, id_=number)()
    assert engine.wait(number, 60).status == "cancel.success"
