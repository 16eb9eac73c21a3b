"""A worker that asks for the tasks of one definition gets those of its undo, and a called process's are its own."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import Engine

from ..features.sketch import definitions, line, row, service
from .test_wire import fetch, tell

NAMED = (
    "<extensionElements><camunda:properties>"
    '<camunda:property name="team" value="blue"/></camunda:properties></extensionElements>'
)
CALL = '<callActivity id="c" calledElement="inner"/>'


def undone(engine: Engine, url: str, number: str, *, takes: str = "mail") -> None:
    """Let the first task of a process succeed, and cancel the process then."""
    engine.declare_stone(takes, hooks=["start", "cancel"])
    (task,) = fetch(url, takes).json()
    assert tell(url, task, "complete", variables={"made": {"value": 7}}).status_code == 204
    engine.cancel(number)


def test_a_worker_of_one_definition_takes_back_what_it_made(engine: Engine, url: str) -> None:
    model = line("shop", service("a", "mail", None, NAMED), '<userTask id="u"/>')
    engine.deploy(model.replace(b'<process id="shop"', b'<process id="shop" camunda:versionTag="v2"'), external=True)
    number = engine.start(key="shop", name="test", business_key="b1", variables={"k": 1}).process_instance_id
    undone(engine, url, number)
    deployment = engine.get(number).deployment_id
    assert fetch(url, "mail.cancel", processDefinitionKey="other").json() == []
    assert fetch(url, "mail.cancel", processDefinitionId="other").json() == []
    assert fetch(url, "mail.cancel", processVariables={"k": {"value": 2}}).json() == []
    chosen: dict[str, Any] = {
        "processDefinitionKey": "shop",
        "processDefinitionId": deployment,
        "processDefinitionVersionTag": "v2",
        "businessKey": "b1",
        "processVariables": {"k": {"value": 1}},
    }
    (undo,) = fetch(url, "mail.cancel", wait=20_000, includeExtensionProperties=True, **chosen).json()
    assert (undo["activityId"], undo["processDefinitionKey"], undo["processDefinitionId"]) == ("a", "shop", deployment)
    assert (undo["origin"], undo["processDefinitionVersionTag"]) == (number, "v2")
    assert engine.get(undo["processInstanceId"]).origin_process_instance_id == number
    assert undo["extensionProperties"]["team"] == "blue"
    assert undo["extensionProperties"]["riverstone.origin"] == number
    assert tell(url, undo, "complete").status_code == 204
    assert engine.wait(number, 30).status == "cancel.success"


@pytest.mark.parametrize("together", [True, False])
def test_tasks_of_a_called_process_are_of_its_definition_and_so_is_their_undo(
    engine: Engine, url: str, together: bool
) -> None:
    inner, outer = row("inner", service("a", "mail", None, NAMED)), row("outer", CALL, '<userTask id="u"/>')
    if together:
        engine.deploy(definitions(outer), definitions(inner), external=True)
    else:
        engine.deploy(definitions(inner), external=True)
        engine.deploy(definitions(outer), external=True)
    number = engine.start(key="outer", name="test").process_instance_id
    assert fetch(url, "mail", processDefinitionKey="outer").json() == []
    (task,) = fetch(url, "mail", processDefinitionKey="inner", lockDuration=1).json()
    assert (task["processDefinitionKey"], task["processInstanceId"], task["origin"]) == ("inner", number, None)
    if not together:
        assert task["processDefinitionId"] != engine.get(number).deployment_id
    engine.external.unlock(task["id"])
    undone(engine, url, number)
    assert fetch(url, "mail.cancel", processDefinitionKey="outer").json() == []
    (undo,) = fetch(
        url, "mail.cancel", wait=20_000, processDefinitionKey="inner", includeExtensionProperties=True
    ).json()
    assert (undo["activityId"], undo["origin"], undo["extensionProperties"]["team"]) == ("a", number, "blue")
    assert undo["processDefinitionId"] == task["processDefinitionId"]
    assert tell(url, undo, "complete").status_code == 204
    assert engine.wait(number, 30).status == "cancel.success"
