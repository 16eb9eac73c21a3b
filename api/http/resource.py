"""``/resource``: what processes have made and nobody has taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from ...engine import CheckSchedule, Engine, Page, ProcessInstance, Resource, ResourceCount, ResourceDrift
from ...engine.calls.owned import OwnedEngine
from ..access.clients import present_client
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

Found = TypeVar("Found")

OPERATIONS = Operations()


@OPERATIONS.add(
    "/resource", "List what exists by the ledger, newest first", ResourcePage, query=ResourceQuery, problems=(404,)
)
def get_resources(engine: Engine, query: dict[str, Any]) -> Page[Resource]:
    return _asked(engine, query, lambda asked: asked.resources(**query), Page(items=(), cursor=None))


@OPERATIONS.add(
    "/resource/count",
    "Count what exists by the ledger, by stone and state",
    ResourceCountRecord,
    many=True,
    query=ResourceCountQuery,
    problems=(404,),
)
def get_resource_counts(engine: Engine, query: dict[str, Any]) -> tuple[ResourceCount, ...]:
    return _asked(engine, query, lambda asked: asked.resource_counts(**query), ())


@OPERATIONS.add(
    "/resource/drift",
    "Count what checks have found gone or different, by process and stone, the newest process first",
    ResourceDriftPage,
    query=ResourceDriftQuery,
    problems=(404,),
)
def get_resource_drift(engine: Engine, query: dict[str, Any]) -> Page[ResourceDrift]:
    return _asked(engine, query, lambda asked: asked.resource_drift(**query), Page(items=(), cursor=None))


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
    return json_texts(_pages(engine, query))


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
    return csv_texts(_pages(engine, query))


def _pages(engine: Engine, query: dict[str, Any]) -> Iterator[Page[Resource]]:
    return _asked(engine, query, lambda asked: parts(partial(asked.resources, **query)), iter(()))


def _asked(
    engine: Engine, query: dict[str, Any], ask: Callable[[Engine | OwnedEngine], Found], nothing: Found
) -> Found:
    """What is found; of another owner than the client's there is nothing to be seen."""
    seen = present_client().sees
    if seen is not None and query.pop("owner", seen) != seen:
        return nothing
    return ask(visible(engine))


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
    f"{SCHEDULES}/<schedule_id>", "Check no more by this schedule", CheckScheduleRecord, many=True, problems=(404,)
)
def delete_check_schedule(engine: Engine, schedule_id: str) -> tuple[CheckSchedule, ...]:
    visible(engine).unschedule_checks(schedule_id)
    return visible(engine).check_schedules()
