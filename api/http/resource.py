"""``/resource``: what processes have made and nobody has undone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...engine import CheckSchedule, Engine, Page, ProcessInstance, Resource, ResourceCount, ResourceDrift
from ..wire.body import JsonBody
from ..wire.operation import Operations, visible
from ..wire.records import (
    CheckScheduleRecord,
    ProcessRecord,
    ResourceCountRecord,
    ResourceDriftPage,
    ResourcePage,
    ResourceRecord,
)
from ..wire.request_schemas.resources import (
    CheckTimes,
    GoneTasks,
    ResourceCountQuery,
    ResourceDriftQuery,
    ResourceExportQuery,
    ResourceQuery,
)
from ..wire.resource_export import csv_texts, json_texts, parts

OPERATIONS = Operations()


@OPERATIONS.add(
    "/resource", "List what exists by the ledger, newest first", ResourcePage, query=ResourceQuery, problems=(404,)
)
def get_resources(engine: Engine, query: dict[str, Any]) -> Page[Resource]:
    return visible(engine).resources(**query)


@OPERATIONS.add(
    "/resource/count",
    "Count what exists by the ledger, by stone and state",
    ResourceCountRecord,
    many=True,
    query=ResourceCountQuery,
    problems=(404,),
)
def get_resource_counts(engine: Engine, query: dict[str, Any]) -> tuple[ResourceCount, ...]:
    return visible(engine).resource_counts(**query)


@OPERATIONS.add(
    "/resource/drift",
    "Count what checks have found gone or different, by process and stone, the newest process first",
    ResourceDriftPage,
    query=ResourceDriftQuery,
    problems=(404,),
)
def get_resource_drift(engine: Engine, query: dict[str, Any]) -> Page[ResourceDrift]:
    return visible(engine).resource_drift(**query)


@OPERATIONS.add(
    "/resource/json",
    "Export what exists by the ledger as one list, newest first",
    ResourceRecord,
    many=True,
    query=ResourceExportQuery,
    problems=(404,),
    media_type="application/json",
)
def get_resources_as_json(engine: Engine, query: dict[str, Any]) -> Iterator[str]:
    return json_texts(parts(partial(visible(engine).resources, **query)))


@OPERATIONS.add(
    "/resource/csv",
    "Export what exists by the ledger as a table with commas, newest first",
    ResourceRecord,
    many=True,
    query=ResourceExportQuery,
    problems=(404,),
    media_type="text/csv; charset=utf-8",
)
def get_resources_as_csv(engine: Engine, query: dict[str, Any]) -> Iterator[str]:
    return csv_texts(parts(partial(visible(engine).resources, **query)))


@OPERATIONS.add(
    "/process/<process_instance_id>/check",
    "Ask stones whether what a process made is there; what is known so far is answered",
    ResourceRecord,
    many=True,
    problems=(404, 409),
)
def put_check(engine: Engine, process_instance_id: str) -> tuple[Resource, ...]:
    return visible(engine).check(process_instance_id)


@OPERATIONS.add(
    "/process/<process_instance_id>/gone",
    "Take what was found gone for undone",
    ProcessRecord,
    body=JsonBody(GoneTasks, required=False),
    problems=(404, 409),
)
def put_gone(engine: Engine, process_instance_id: str, body: dict[str, Any]) -> ProcessInstance:
    return visible(engine).accept_gone(process_instance_id, **body)


SCHEDULES = "/resource/check"


@OPERATIONS.add(
    SCHEDULES,
    "Have what exists checked again and again",
    CheckScheduleRecord,
    body=JsonBody(CheckTimes),
    problems=(409,),
)
def post_check_schedules(engine: Engine, body: dict[str, Any]) -> CheckSchedule:
    return visible(engine).schedule_checks(body.pop("every"), **body)


@OPERATIONS.add(
    SCHEDULES, "List when what exists is checked, and what came of the last turns", CheckScheduleRecord, many=True
)
def get_check_schedules(engine: Engine) -> tuple[CheckSchedule, ...]:
    return visible(engine).check_schedules()


@OPERATIONS.add(
    f"{SCHEDULES}/<schedule_id>/pause", "Let no turn of a schedule begin", CheckScheduleRecord, problems=(404, 409)
)
def put_pause_checks(engine: Engine, schedule_id: str) -> CheckSchedule:
    return visible(engine).pause_checks(schedule_id)


@OPERATIONS.add(
    f"{SCHEDULES}/<schedule_id>/resume", "Let a schedule go on that was paused", CheckScheduleRecord, problems=(404,)
)
def put_resume_checks(engine: Engine, schedule_id: str) -> CheckSchedule:
    return visible(engine).resume_checks(schedule_id)


@OPERATIONS.add(
    f"{SCHEDULES}/<schedule_id>", "Check no more by this schedule", CheckScheduleRecord, many=True, problems=(404,)
)
def delete_check_schedule(engine: Engine, schedule_id: str) -> tuple[CheckSchedule, ...]:
    visible(engine).unschedule_checks(schedule_id)
    return visible(engine).check_schedules()
