"""``/task``: showing tasks, running failed ones again, and completing those of people or by their tokens."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, ProcessInstance, Task
from ..access.clients import TOKEN
from ..access.rule import credential_given
from ..wire.body import JsonBody
from ..wire.operation import Operations, refuse_impossible_ids, visible
from ..wire.records import ProcessRecord, TaskDetail, TaskRecord, TokenAnswer
from ..wire.request_schemas import (
    Completion,
    DeferredError,
    DeferredFailure,
    DeferredProgress,
    HandWork,
    Rerun,
    TaskQuery,
)

OPERATIONS = Operations()


@OPERATIONS.add(
    "/task", "List the tasks of a process instance", TaskRecord, many=True, query=TaskQuery, problems=(404,)
)
def get_tasks(engine: Engine, query: dict[str, Any]) -> list[Task]:
    refuse_impossible_ids(query)
    return visible(engine).tasks(query["process_instance_id"])


@OPERATIONS.add("/task/<task_id>", "Show a task", TaskRecord, problems=(404,))
def get_task(engine: Engine, task_id: str) -> Task:
    return visible(engine).task(task_id)


@OPERATIONS.add("/task/<task_id>/detail", "Show all that is known of a task", TaskDetail, problems=(404,))
def get_detailed_task(engine: Engine, task_id: str) -> Task:
    return visible(engine).task(task_id)


@OPERATIONS.add(
    "/task/<task_id>/reRun",
    "Run a failed task again",
    TaskRecord,
    body=JsonBody(Rerun, required=False),
    problems=(404, 409),
)
def put_rerun_task(engine: Engine, task_id: str, body: dict[str, Any]) -> Task:
    return visible(engine).rerun(task_id, body.get("parameters"))


@OPERATIONS.add("/task/<task_id>/skip", "Go on without a failed task", TaskRecord, problems=(404, 409))
def put_skip_task(engine: Engine, task_id: str) -> Task:
    return visible(engine).skip(task_id)


@OPERATIONS.add(
    "/task/<task_id>/done",
    "Say that a failed task was done by hand",
    TaskRecord,
    body=JsonBody(HandWork, required=False),
    problems=(404, 409),
)
def put_done_task(engine: Engine, task_id: str, body: dict[str, Any]) -> Task:
    return visible(engine).done_by_hand(task_id, body.get("outputs"))


@OPERATIONS.add(
    "/task/<task_id>/resume", "Give up a failed task: the process rolls back", ProcessRecord, problems=(404, 409)
)
def put_resume_task(engine: Engine, task_id: str) -> ProcessInstance:
    return visible(engine).resume(task_id)


@OPERATIONS.add(
    "/task/<task_id>/complete",
    "Complete a user task",
    TaskRecord,
    body=JsonBody(Completion, required=False),
    problems=(404, 409),
)
def put_complete_task(engine: Engine, task_id: str, body: dict[str, Any]) -> Task:
    return visible(engine).complete(task_id, body.get("outputs"))


@OPERATIONS.add(
    "/task/<task_id>/complete",
    "Complete a deferred task, with its token as bearer",
    TokenAnswer,
    body=JsonBody(Completion, required=False),
    scope=TOKEN,
    problems=(404,),
)
def post_complete_task(engine: Engine, task_id: str, body: dict[str, Any]) -> dict[str, bool]:
    return {"taken": engine.complete_deferred(credential_given(), body.get("outputs"))}


@OPERATIONS.add(
    "/task/<task_id>/fail",
    "Say that a deferred task has failed, with its token as bearer",
    TokenAnswer,
    body=JsonBody(DeferredFailure, required=False),
    scope=TOKEN,
    problems=(404,),
)
def post_fail_task(engine: Engine, task_id: str, body: dict[str, Any]) -> dict[str, bool]:
    return {"taken": engine.fail_deferred(credential_given(), body.get("reason") or "", outputs=body.get("outputs"))}


@OPERATIONS.add(
    "/task/<task_id>/error",
    "End a deferred task with a BPMN error, with its token as bearer",
    TokenAnswer,
    body=JsonBody(DeferredError),
    scope=TOKEN,
    problems=(404,),
)
def post_error_task(engine: Engine, task_id: str, body: dict[str, Any]) -> dict[str, bool]:
    reason = body.get("reason") or ""
    taken = engine.error_deferred(credential_given(), body["code"], reason, outputs=body.get("outputs"))
    return {"taken": taken}


@OPERATIONS.add(
    "/task/<task_id>/progress",
    "Say how far a deferred task is, with its token as bearer",
    TokenAnswer,
    body=JsonBody(DeferredProgress),
    scope=TOKEN,
    problems=(404,),
)
def post_progress_task(engine: Engine, task_id: str, body: dict[str, Any]) -> dict[str, bool]:
    return {"taken": engine.progress_deferred(credential_given(), body["percent"], body.get("text"))}
