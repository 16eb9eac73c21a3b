"""``/process``: starting, showing and undoing process instances."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

from flask import Response

from ...engine import Engine
from ...engine.views.decisions import DecisionMade
from ...engine.views.failures import Reasons
from ...engine.views.history import HistoryEntry
from ...engine.views.pages import Page
from ...engine.views.processes import Explanation, InstanceRecord, ProcessInstance
from ...engine.views.processes import SearchPage as FoundPage
from ...engine.views.tasks import Task, TaskCount
from ...engine.views.undo import MigrationPlan, RepairPlan, RewindPlan, UndoStep
from ...models.vocabulary import ProcessState
from ..access.clients import present_client
from ..wire.body import JsonBody
from ..wire.causes import said_once
from ..wire.operation import Operations, visible
from ..wire.plain_records import ProcessCounts, SourceRecord, VariablesRecord
from ..wire.records import (
    DecisionMadePage,
    ExplanationRecord,
    HistoryPage,
    MigrationPlanRecord,
    ProcessDetail,
    ProcessPage,
    ProcessRecord,
    ReasonsRecord,
    RepairPlanRecord,
    RewindPlanRecord,
    SearchPage,
    TaskCountRecord,
    TaskDetail,
    UndoStepRecord,
)
from ..wire.request_schemas.decisions import DecisionMadeQuery
from ..wire.request_schemas.lists import (
    CountQuery,
    HistoryQuery,
    InstanceQuery,
    ProcessTaskQuery,
    Searched,
    SearchQuery,
)
from ..wire.request_schemas.processes import (
    ProcessStart,
    Protection,
    StartHeaders,
    SuspensionReason,
    Variables,
    WaitQuery,
)
from ..wire.request_schemas.undo import (
    DeleteOptions,
    DeleteQuery,
    ElementRepair,
    ElementSkip,
    Moving,
    MovingNow,
    PreviewQuery,
    RetryOptions,
    RewindQuery,
    RewindTo,
    UndoOptions,
    UndoQuery,
)
from .waiting import seconds_preferred, standing, standing_when_started

OPERATIONS = Operations()


@OPERATIONS.add(
    "/process",
    "Start a process",
    ProcessRecord,
    body=JsonBody(ProcessStart),
    headers=StartHeaders,
    problems=(404, 409, 429),
)
def post_processes(engine: Engine, body: dict[str, Any], headers: dict[str, Any]) -> ProcessInstance | Response:
    wait = seconds_preferred(headers.pop("prefer", ""))
    asked = {**body, **headers, "owner": present_client().owner}
    return standing_when_started(engine, asked, wait) if wait else engine.start(**asked)


@OPERATIONS.add("/process", "List process instances, newest first", ProcessPage, query=InstanceQuery)
def get_processes(engine: Engine, query: dict[str, Any]) -> Page[InstanceRecord]:
    return visible(engine).records(**query)


@OPERATIONS.add("/process/search", "Find process instances, newest first", SearchPage, query=SearchQuery)
def get_search(engine: Engine, query: dict[str, Any]) -> FoundPage:
    return visible(engine).search(**query)


@OPERATIONS.add("/process/count", "Count process instances by state", ProcessCounts, query=CountQuery)
def get_counts(engine: Engine, query: dict[str, Any]) -> dict[ProcessState, int]:
    return visible(engine).counts(**query)


@OPERATIONS.add(
    "/process/reason",
    "Count why processes have failed, by element, stone and reason; those that need somebody unless others are meant",
    ReasonsRecord,
    query=Searched,
)
def get_reasons(engine: Engine, query: dict[str, Any]) -> Reasons:
    return visible(engine).failures_by_reason(query or None)


ONE = "/process/<process_instance_id>"


@OPERATIONS.add(
    ONE, "Show a process instance, now or when it is different", ProcessRecord, query=WaitQuery, problems=(404,)
)
def get_process(engine: Engine, process_instance_id: str, query: dict[str, Any]) -> Response:
    return standing(visible(engine), process_instance_id, **query)


@OPERATIONS.add(f"{ONE}/detail", "Show all of a process instance but its tasks", ProcessDetail, problems=(404,))
def get_detail(engine: Engine, process_instance_id: str) -> SimpleNamespace:
    instance = visible(engine).get(process_instance_id)
    beside = {
        "tokens": visible(engine).tokens(process_instance_id),
        "failures": visible(engine).failures(process_instance_id) if instance.attention else [],
    }
    return SimpleNamespace(**{each.name: getattr(instance, each.name) for each in fields(instance)}, **beside)


@OPERATIONS.add(
    f"{ONE}/task", "List all that is known of the tasks", TaskDetail, many=True, query=ProcessTaskQuery, problems=(404,)
)
def get_process_tasks(engine: Engine, process_instance_id: str, query: dict[str, Any]) -> list[Task]:
    return said_once(visible(engine).tasks(process_instance_id, **query))


@OPERATIONS.add(
    f"{ONE}/task/count", "Count the tasks by element and state", TaskCountRecord, many=True, problems=(404,)
)
def get_task_counts(engine: Engine, process_instance_id: str) -> list[TaskCount]:
    return visible(engine).task_counts(process_instance_id)


@OPERATIONS.add(
    f"{ONE}/history",
    "Tell what happened in a process, oldest first",
    HistoryPage,
    query=HistoryQuery,
    problems=(404,),
)
def get_history(engine: Engine, process_instance_id: str, query: dict[str, Any]) -> Page[HistoryEntry]:
    return visible(engine).history(process_instance_id, **query)


@OPERATIONS.add(
    f"{ONE}/decision",
    "List the decisions that a process has made, newest first",
    DecisionMadePage,
    query=DecisionMadeQuery,
    problems=(404,),
)
def get_decisions_made(engine: Engine, process_instance_id: str, query: dict[str, Any]) -> Page[DecisionMade]:
    return visible(engine).decisions_made(process_instance_id, **query)


@OPERATIONS.add(f"{ONE}/source", "Show the BPMN files that a process instance runs", SourceRecord, problems=(404,))
def get_source(engine: Engine, process_instance_id: str) -> dict[str, tuple[str, ...]]:
    return {"files": visible(engine).sources(process_instance_id)}


@OPERATIONS.add(
    f"{ONE}/why", "Explain in sentences why a process stands where it stands", ExplanationRecord, problems=(404,)
)
def get_why(engine: Engine, process_instance_id: str) -> Explanation:
    return visible(engine).why(process_instance_id)


@OPERATIONS.add(
    f"{ONE}/cancel",
    "Cancel a running process",
    ProcessRecord,
    body=JsonBody(UndoOptions, required=False),
    query=UndoQuery,
    problems=(404, 409),
)
def put_cancel(
    engine: Engine, process_instance_id: str, body: dict[str, Any], query: dict[str, Any]
) -> ProcessInstance:
    return visible(engine).cancel(process_instance_id, **merged(body, query))


@OPERATIONS.add(
    f"{ONE}/delete",
    "Delete what a process made",
    ProcessRecord,
    body=JsonBody(DeleteOptions, required=False),
    query=DeleteQuery,
    problems=(404, 409),
)
def put_delete(
    engine: Engine, process_instance_id: str, body: dict[str, Any], query: dict[str, Any]
) -> ProcessInstance:
    return visible(engine).delete(process_instance_id, **merged(body, query))


@OPERATIONS.add(
    f"{ONE}/retry",
    "Try again what has failed and stands still, or let a failed undo go on",
    ProcessRecord,
    body=JsonBody(RetryOptions, required=False),
    problems=(404, 409),
)
def put_retry(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).retry(process_instance_id, **body)


@OPERATIONS.add(
    f"{ONE}/skip",
    "Go on without an element that has failed",
    ProcessRecord,
    body=JsonBody(ElementSkip),
    problems=(404, 409),
)
def put_skip_element(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).skip_element(process_instance_id, body["element_id"])


@OPERATIONS.add(
    f"{ONE}/repair",
    "Show what a retry or a skip would do",
    RepairPlanRecord,
    query=ElementRepair,
    problems=(404, 409),
)
def get_element_repair(engine: Engine, process_instance_id: str, query: dict[str, Any]) -> RepairPlan:
    return visible(engine).preview_element_repair(process_instance_id, **query)


@OPERATIONS.add(
    f"{ONE}/rollback", "Roll back a process in which something has failed", ProcessRecord, problems=(404, 409)
)
def put_rollback(engine: Engine, process_instance_id: str) -> ProcessInstance:
    return visible(engine).roll_back(process_instance_id)


@OPERATIONS.add(
    f"{ONE}/rewind",
    "Go back to a task: undo what came after it, and begin it again",
    ProcessRecord,
    body=JsonBody(RewindTo),
    problems=(404, 409),
)
def put_rewind(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).rewind(process_instance_id, **body)


@OPERATIONS.add(
    f"{ONE}/rewind",
    "Show what going back to a task would do",
    RewindPlanRecord,
    query=RewindQuery,
    problems=(404, 409),
)
def get_rewind(engine: Engine, process_instance_id: str, query: dict[str, Any]) -> RewindPlan:
    plan = visible(engine).preview_rewind(process_instance_id, query.pop("to"), **query)
    return replace(plan, steps=tuple(said_once(plan.steps)))


@OPERATIONS.add(
    f"{ONE}/migrate",
    "Move a process to another version of its model",
    ProcessRecord,
    body=JsonBody(MovingNow),
    problems=(404, 409),
)
def put_migrate(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).migrate(process_instance_id, **body)


@OPERATIONS.add(
    f"{ONE}/migrate",
    "Show what moving a process to another version would do",
    MigrationPlanRecord,
    body=JsonBody(Moving),
    problems=(404, 409),
    audited=False,
)
def post_migrate(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> MigrationPlan:
    return visible(engine).plan_migration(process_instance_id, **body)


@OPERATIONS.add(f"{ONE}/variables", "Show the variables of a process as they are now", VariablesRecord, problems=(404,))
def get_variables(engine: Engine, process_instance_id: str) -> dict[str, Any]:
    return {"variables": visible(engine).variables(process_instance_id)}


@OPERATIONS.add(
    f"{ONE}/variables",
    "Set variables of a process that has not ended",
    ProcessRecord,
    body=JsonBody(Variables),
    problems=(404, 409),
)
def put_variables(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).set_variables(process_instance_id, **body)


@OPERATIONS.add(
    f"{ONE}/suspend",
    "Let nothing of a process begin, its undo included",
    ProcessRecord,
    body=JsonBody(SuspensionReason, required=False),
    problems=(404, 409),
)
def put_suspend(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).suspend(process_instance_id, **body)


@OPERATIONS.add(f"{ONE}/unsuspend", "Let a suspended process go on", ProcessRecord, problems=(404, 409))
def put_unsuspend(engine: Engine, process_instance_id: str) -> ProcessInstance:
    return visible(engine).unsuspend(process_instance_id)


@OPERATIONS.add(
    f"{ONE}/protection", "Refuse or allow a delete", ProcessRecord, body=JsonBody(Protection), problems=(404, 409)
)
def put_protect(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).protect(process_instance_id, body["protected"])


@OPERATIONS.add(f"{ONE}/preview", "Preview an undo", UndoStepRecord, many=True, query=PreviewQuery, problems=(404, 409))
def get_preview(engine: Engine, process_instance_id: str, query: dict[str, Any]) -> list[UndoStep]:
    return said_once(visible(engine).preview(process_instance_id, query["kind"]))


def merged(body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    """The options of both places together: forced if either says so, and all that either wants to retain."""
    options = {**query, **body}
    if "force" in options:
        options["force"] = bool(body.get("force") or query.get("force"))
    if "retain" in options:
        options["retain"] = tuple(dict.fromkeys([*query.get("retain", ()), *body.get("retain", ())]))
    return options
