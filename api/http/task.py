"""``/task``: showing tasks, running failed ones again, and completing those of people or by their tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response

from ...engine import Engine, ProcessInstance, Task
from ...engine.errors import UnknownTask
from ...engine.views.people import InboxCounts, TaskForm, UserTask
from ...engine.views.undo import RepairPlan
from ..access.clients import TOKEN, present_person
from ..access.rule import credential_given
from ..wire.answer import json_response, unless_known
from ..wire.body import JsonBody
from ..wire.operation import Operations, refuse_impossible_ids, visible
from ..wire.plain_records import SecretOutputs, TokenAnswer
from ..wire.records import (
    InboxCountsRecord,
    ProcessRecord,
    RepairPlanRecord,
    TaskDetail,
    TaskFormRecord,
    TaskRecord,
    UserTaskPage,
    UserTaskRecord,
)
from ..wire.request_schemas.strict import ME
from ..wire.request_schemas.tasks import (
    Assignee,
    Completion,
    DeferredError,
    DeferredFailure,
    DeferredProgress,
    FormValues,
    HandWork,
    Rerun,
    Schedule,
    SkippedTask,
    TaskQuery,
)
from ..wire.request_schemas.undo import TaskRepair

OPERATIONS = Operations()
PAGE = UserTaskPage()


@OPERATIONS.add(
    "/task",
    "List the tasks of a process instance, or with kind=user tasks of people page by page",
    TaskRecord,
    many=True,
    also=UserTaskPage,
    query=TaskQuery,
    problems=(404,),
)
def get_tasks(engine: Engine, query: dict[str, Any]) -> list[Task] | Response:
    refuse_impossible_ids({name: query[name] for name in ("process_instance_id",) if name in query})
    if query.pop("kind", None) is None:
        return visible(engine).tasks(query.pop("process_instance_id"), **query)
    person = present_person()
    for name in ("assignee", "candidate"):
        if query.get(name) == ME:
            query[name] = person.user
    named = query.pop("groups", ())
    groups = [name for name in named if name != ME]
    if ME in named:
        groups += sorted(person.groups)
        query.setdefault("candidate", person.user)
    page = engine.people.inbox(person, groups=groups, **query)
    return unless_known(json_response(PAGE.dump(page)))


@OPERATIONS.add("/task/count", "Count the open tasks of people for whoever asks", InboxCountsRecord)
def get_inbox_counts(engine: Engine) -> InboxCounts:
    return engine.people.counts(present_person())


@OPERATIONS.add("/task/<task_id>", "Show a task", TaskRecord, problems=(404,))
def get_task(engine: Engine, task_id: str) -> Task:
    return shown_task(engine, task_id)


@OPERATIONS.add("/task/<task_id>/detail", "Show all that is known of a task", TaskDetail, problems=(404,))
def get_detailed_task(engine: Engine, task_id: str) -> Task:
    return shown_task(engine, task_id)


@OPERATIONS.add(
    "/task/<task_id>/secrets",
    "Read the secret outputs of a task in clear, which is written into the audit",
    SecretOutputs,
    problems=(404,),
    scope="secrets",
)
def post_task_secrets(engine: Engine, task_id: str) -> dict[str, Any]:
    return {"outputs": visible(engine).secret_outputs(task_id)}


@OPERATIONS.add(
    "/task/<task_id>/reRun",
    "Run a failed task again",
    TaskRecord,
    body=JsonBody(Rerun, required=False),
    problems=(404, 409),
)
def put_rerun_task(engine: Engine, task_id: str, body: dict[str, Any]) -> Task:
    return visible(engine).rerun(task_id, **body)


@OPERATIONS.add(
    "/task/<task_id>/skip",
    "Go on without a failed task",
    TaskRecord,
    body=JsonBody(SkippedTask, required=False),
    problems=(404, 409),
)
def put_skip_task(engine: Engine, task_id: str, body: dict[str, Any]) -> Task:
    return visible(engine).skip(task_id, **body)


@OPERATIONS.add(
    "/task/<task_id>/done",
    "Say that a failed task was done by hand",
    TaskRecord,
    body=JsonBody(HandWork, required=False),
    problems=(404, 409),
)
def put_done_task(engine: Engine, task_id: str, body: dict[str, Any]) -> Task:
    return visible(engine).done_by_hand(task_id, **body)


@OPERATIONS.add(
    "/task/<task_id>/repair",
    "Show what a retry, a skip or a work done by hand would do",
    RepairPlanRecord,
    body=JsonBody(TaskRepair),
    problems=(404, 409),
    scope="read",
    audited=False,
)
def post_task_repair(engine: Engine, task_id: str, body: dict[str, Any]) -> RepairPlan:
    return visible(engine).preview_repair(task_id, **body)


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
    engine.people.complete(task_id, body.get("outputs"), present_person())
    return shown_task(engine, task_id)


@OPERATIONS.add("/task/<task_id>/user", "Show whose a task of a person is", UserTaskRecord, problems=(404, 409))
def get_user_task(engine: Engine, task_id: str) -> UserTask:
    return engine.people.task(task_id, present_person())


@OPERATIONS.add(
    "/task/<task_id>/form", "Show a task of a person with what it asks for", TaskFormRecord, problems=(404, 409)
)
def get_task_form(engine: Engine, task_id: str) -> TaskForm:
    return engine.people.form(task_id, present_person())


@OPERATIONS.add(
    "/task/<task_id>/form",
    "Show how the form of a task stands with other values, and what is wrong with these; nothing is kept",
    TaskFormRecord,
    body=JsonBody(FormValues),
    problems=(404, 409),
    scope="read",
    audited=False,
)
def post_task_form(engine: Engine, task_id: str, body: dict[str, Any]) -> TaskForm:
    return engine.people.form(task_id, present_person(), body.get("values") or {})


@OPERATIONS.add(
    "/task/<task_id>/picture",
    "Draw the process that a task of a person is in",
    TaskFormRecord,
    problems=(404, 409),
    media_type="image/svg+xml",
)
def get_task_picture(engine: Engine, task_id: str) -> str:
    return engine.people.picture(task_id, present_person()).svg


@OPERATIONS.add("/task/<task_id>/claim", "Take a task of a person", UserTaskRecord, problems=(404, 409))
def put_claim_task(engine: Engine, task_id: str) -> UserTask:
    return engine.people.claim(task_id, present_person())


@OPERATIONS.add("/task/<task_id>/release", "Give a task of a person back", UserTaskRecord, problems=(404, 409))
def put_release_task(engine: Engine, task_id: str) -> UserTask:
    return engine.people.release(task_id, present_person())


@OPERATIONS.add(
    "/task/<task_id>/assign",
    "Say whose a task of a person is, as who oversees its process",
    UserTaskRecord,
    body=JsonBody(Assignee),
    problems=(404, 409),
)
def put_assign_task(engine: Engine, task_id: str, body: dict[str, Any]) -> UserTask:
    return engine.people.assign(task_id, body["assignee"], present_person())


@OPERATIONS.add(
    "/task/<task_id>/delegate",
    "Hand on a task that one has, and may get back",
    UserTaskRecord,
    body=JsonBody(Assignee),
    problems=(404, 409),
)
def put_delegate_task(engine: Engine, task_id: str, body: dict[str, Any]) -> UserTask:
    return engine.people.delegate(task_id, body["assignee"], present_person())


@OPERATIONS.add(
    "/task/<task_id>/schedule",
    "Say when a task of a person is due, when it is taken up, and how it ranks",
    UserTaskRecord,
    body=JsonBody(Schedule),
    problems=(404, 409),
)
def put_schedule_task(engine: Engine, task_id: str, body: dict[str, Any]) -> UserTask:
    return engine.people.schedule(task_id, present_person(), **body)


def shown_task(engine: Engine, task_id: str) -> Task:
    """A task as who asks may see it: whoever only has it to do sees nothing of its process beside its own outputs."""
    try:
        return visible(engine).task(task_id)
    except UnknownTask:
        engine.people.task(task_id, present_person())
        return replace(engine.task(task_id), parameters={}, after=(), log=())


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
