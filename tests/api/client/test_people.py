"""The Python client at tasks of people: what the engine shows, and who may do what by the key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from riverstone.api.client import Client
from riverstone.api.errors import Refused
from riverstone.engine import Conflict, Engine, Invalid, Malformed, Person, UnknownDeployment, UnknownTask

from ...features.sketch import definitions, flow, process
from ..processes import bpmn

FIELD = (
    '<extensionElements><camunda:formData><camunda:formField id="size" type="long"><camunda:validation>'
    '<camunda:constraint name="required"/></camunda:validation></camunda:formField></camunda:formData>'
    "</extensionElements>"
)
ASK = bpmn(
    "asking",
    f'<userTask id="middle" name="Ask" camunda:candidateGroups="sales" camunda:dueDate="P1D">{FIELD}</userTask>',
)


@pytest.fixture
def task(engine: Engine) -> str:
    engine.deploy(ASK)
    number = engine.start(key="asking", name="An order", variables={}, owner="shop").process_instance_id
    return engine.tasks(number)[0].task_id


@pytest.fixture
def alice(engine: Engine, address: str) -> Iterator[Client]:
    key = engine.keys.add("alice", scopes=["read", "run"], user="alice", groups=["sales"])[1]
    with Client(address, key=key) as client:
        yield client


@pytest.fixture
def carol(engine: Engine, address: str) -> Iterator[Client]:
    key = engine.keys.add("carol", scopes=["read", "run"], user="carol", groups=["law"])[1]
    with Client(address, key=key) as client:
        yield client


def test_a_person_does_a_task_by_the_client(engine: Engine, task: str, alice: Client, carol: Client) -> None:
    person = Person(user="alice", groups=frozenset({"sales"}), owner="key:alice")
    assert alice.people.inbox(groups=["me"], sort="due") == engine.people.inbox(person, groups=["sales"], sort="due")
    assert alice.people.inbox(due_before=datetime.now().astimezone() + timedelta(hours=1)).items == ()
    assert alice.people.task(task) == engine.people.task(task)
    assert alice.people.form(task) == engine.people.form(task, person)
    assert alice.people.form(task, {"size": "x"}).errors == {"size": ["Must be a whole number."]}
    with pytest.raises(UnknownTask):
        carol.people.claim(task)
    assert alice.people.claim(task).assignee == "alice"
    assert alice.people.inbox(assignee="me", assigned=True).items == (engine.people.task(task),)
    due = datetime(2099, 1, 31, 12, tzinfo=UTC)
    assert alice.people.schedule(task, due=due, priority=70).due == due
    assert alice.people.schedule(task, due=None).priority == 70
    assert (alice.people.counts().mine, alice.people.counts().groups) == (1, 0)
    assert alice.people.delegate(task, "carol").delegated_by == "alice"
    with pytest.raises(Conflict) as taken:
        alice.people.complete(task, {"size": 1})
    assert taken.value.code == "task-claimed"
    with pytest.raises(Refused):
        carol.people.assign(task, "bob")
    with pytest.raises(Invalid) as wrong:
        carol.people.complete(task, {"size": None})
    assert wrong.value.errors == {"size": ["Is required."]}
    assert carol.people.release(task).assignee == "alice"
    assert alice.people.complete(task, {"size": "3"}).done_by == "alice"
    assert engine.task(task).outputs == {"size": 3}


def test_a_program_shows_the_form_of_a_start(engine: Engine, address: str) -> None:
    source = definitions(
        process("asked", f'<startEvent id="s">{FIELD}</startEvent>', '<endEvent id="e"/>', flow("s", "e"))
    )
    version = engine.deploy(source)
    with Client(address) as client:
        assert client.start_form(key="asked") == engine.start_form(key="asked")
        assert client.start_form(model_id=version.model_id) == engine.start_form(model_id=version.model_id)
        filled = client.start_form(deployment_id=version.deployment_id, values={"size": "x"})
        assert filled.errors == {"size": ["Must be a whole number."]}
        with pytest.raises(UnknownDeployment):
            client.start_form(key="gone")
        with pytest.raises(Malformed):
            client.start_form()
