"""What HTTP answers is what its description says, and a client reads from it what the engine has shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from riverstone.api.codes import CodeKind
from riverstone.api.wire import records
from riverstone.api.wire.request_schemas.strict import ParameterType, TasksAsked
from riverstone.engine import Engine, Finding, findings
from riverstone.engine.bpmn.running.timers.cycles import TimerKind
from riverstone.engine.calls.webhooks import NoticeStatus
from riverstone.engine.operating.access_keys import Scope
from riverstone.engine.stones.declarations.element_templates import Modeler
from riverstone.engine.triggers.starts import Drain
from riverstone.engine.views.history import HistoryAction, HistoryKind
from riverstone.engine.views.people import DateKind, FormKind, PersonAct, VariableKind
from riverstone.engine.views.processes import AwaitedKind
from riverstone.engine.views.tasks import Executor, TaskState, Undone
from riverstone.engine.views.undo import RepairAction, UndoAction
from riverstone.models import InboxOrder, Sort, vocabulary

from .. import processes
from ..asking import Client

VOCABULARIES = (
    vocabulary.ProcessStatus,
    vocabulary.ProcessOutcome,
    vocabulary.Awaits,
    vocabulary.ProcessState,
    vocabulary.InstanceKind,
    vocabulary.UndoKind,
    vocabulary.TaskStatus,
    vocabulary.TaskKind,
    vocabulary.WaitKind,
    vocabulary.MessageOutcome,
    vocabulary.Hook,
    vocabulary.BatchAction,
    vocabulary.BatchState,
    vocabulary.BatchResult,
    vocabulary.CheckState,
    vocabulary.ResourceState,
    Sort,
    InboxOrder,
    TasksAsked,
    FormKind,
    VariableKind,
    DateKind,
    PersonAct,
    HistoryKind,
    HistoryAction,
    NoticeStatus,
    ParameterType,
    AwaitedKind,
    Undone,
    TaskState,
    UndoAction,
    RepairAction,
    Executor,
    findings.Severity,
    TimerKind,
    Scope,
    Drain,
    ParameterType,
    Modeler,
    CodeKind,
)
HEALTH = {"live", "ready"}


def enums(described: Any) -> Iterator[frozenset[str]]:
    """All that are said anywhere in a description."""
    if isinstance(described, dict):
        if isinstance(described.get("enum"), list):
            yield frozenset(word for word in described["enum"] if word is not None)
        for value in described.values():
            yield from enums(value)
    elif isinstance(described, list):
        for value in described:
            yield from enums(value)


def test_every_enum_is_a_vocabulary_and_every_vocabulary_is_described(client: Client) -> None:
    described = client.get("/openapi.json").json

    assert {*enums(described)} == {frozenset(get_args(each)) for each in VOCABULARIES} | {frozenset(HEALTH)}


@pytest.fixture
def story(engine: Engine) -> dict[str, str]:
    """Ids of a process that was undone, and of one that waits for a person and has failed before."""
    for source in (processes.making(), processes.breaking(), processes.asking()):
        engine.deploy(source)
    made = engine.start(key="making", name="长江", variables={"size": 2}, business_key="b-1")
    engine.delete(made.process_instance_id)
    engine.start(key="breaking", name="broken")
    asked = engine.start(key="asking", name="asks")
    batch = engine.batch("delete", {"key": "making"})
    deployment = next(each for each in engine.deployments().items if each.key == "making")
    engine.write_draft(processes.making(), model_id=deployment.model_id)
    return {
        "processInstanceId": made.process_instance_id,
        "batchId": batch.batch_id,
        "taskId": engine.tasks(made.process_instance_id)[0].task_id,
        "modelId": deployment.model_id,
        "deploymentId": deployment.deployment_id,
        "asked": asked.process_instance_id,
        "person": engine.tasks(asked.process_instance_id)[0].task_id,
    }


def test_every_look_is_answered_as_it_is_described(client: Client, story: dict[str, str]) -> None:
    described = client.get("/openapi.json").json
    looked = 0
    for path, operations in described["paths"].items():
        answer = (
            operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json")
        )
        # One that has not ended can go back, or be repaired; test_failures.py looks at that.
        if answer is None or path.endswith(("/rewind", "/repair")):
            continue
        for process in (story["processInstanceId"], story["asked"]):
            ids = {**story, "processInstanceId": process, "code": "no-process"}
            if path.endswith(("/user", "/form")):
                ids["taskId"] = story["person"]
            asked = path.format(**ids)
            query = f"?processInstanceId={process}" if path == "/task" else ""
            if path == "/timer":
                query = "?kind=duration&text=PT1H"
            if path == "/batch/preview":
                query = "?action=delete&key=making"
            found = client.get(f"{asked}{query}")
            assert found.status_code == 200, found.text
            validator = Draft202012Validator({**answer["schema"], "components": described["components"]})
            assert [error.message for error in validator.iter_errors(found.json)] == [], asked
            looked += 1
    assert looked >= 30


def to_the_millisecond(view: Any) -> dict[str, Any]:
    values = {each.name: getattr(view, each.name) for each in fields(view)}
    return {name: value.astimezone() if isinstance(value, datetime) else value for name, value in values.items()}


def test_a_record_is_read_back_as_the_view_that_it_shows(engine: Engine, story: dict[str, str]) -> None:
    number = story["processInstanceId"]
    shown: list[tuple[Any, Any]] = [
        *((records.TaskDetail(), task) for task in engine.tasks(number)),
        *((records.ProcessSummaryRecord(), each) for each in engine.search().items),
        *((records.UndoStepRecord(), step) for step in engine.preview(number, "delete")),
        *((records.TokenRecord(), token) for token in engine.tokens(story["asked"])),
        *((records.StoneRecord(), each) for each in engine.stones_declared()),
        (records.ExplanationRecord(), engine.why(number)),
        (records.DeploymentDetail(), engine.deployment(story["deploymentId"])),
        (records.ModelDetail(), engine.model(story["modelId"])),
        (records.FindingRecord(), Finding(code="x", severity="error", text="y", element_id="z", line=1)),
    ]
    for record, view in shown:
        assert to_the_millisecond(record.read(record.dump(view))) == to_the_millisecond(view)


def test_what_an_older_server_does_not_tell_is_as_the_view_has_it_by_default(
    engine: Engine, story: dict[str, str]
) -> None:
    record = records.TaskDetail()
    (task,) = engine.tasks(story["processInstanceId"])
    content = record.dump(task)

    del content["calls"]
    content["new"] = "a member that this version does not know"

    assert record.read(content) == record.read(record.dump(task))
