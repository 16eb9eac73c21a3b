"""``/v2/jobs``: workers of Camunda 8 activate jobs, and say what came of them."""

from __future__ import annotations

from typing import Any

from flask import Response

from ...engine import Engine
from ...engine.calls.tasks.external_views import ExternalTask, Topic
from ...engine.steps.tasks.external_tasks import UnknownExternalTask
from ..access.request_id import request_id
from ..parking import hold
from .definitions import DEFAULT_TENANT, key_of, version_of
from .view import body_of, json_answer, needed, number, text, texts, truth, workers, wrong
from .workers import EARLY, LONGEST_WAIT, WAIT

RETRIES = 3
"""Tries of a job whose model says nothing, as in Camunda 8."""
DIGITS = 4
"""The last ones of a job's key are the task's generation."""


def activate(engine: Engine) -> Response:
    """Lock jobs of one type; an answer without any comes when the time is over."""
    body = body_of(engine)
    worker, most = text(body, "worker") or "default", number(body, "maxJobsToActivate")
    topic = Topic(
        name=needed(body, "type"),
        lock=number(body, "timeout"),
        variables=texts(body, "fetchVariable") or None,
        owners=_owners(body),
    )
    if most < 1:
        raise wrong("maxJobsToActivate", "is to be 1 or more")
    wait = number(body, "requestTimeout", 0) or WAIT
    leased = truth(body, "withLease")
    calls = workers(engine)

    def look(last: bool) -> Response | None:
        found = calls.fetch(worker, [topic], most=most)
        return json_answer({"jobs": [_job(engine, each, leased) for each in found]}) if found or last else None

    request_id()
    seconds = max(0, min(wait, LONGEST_WAIT) - EARLY) / 1000
    pump = engine.run_pending if engine.is_inline else None
    return hold(seconds, look, lambda told: calls.watch([topic.name], told), pump, lambda: json_answer({"jobs": []}))


def _owners(body: dict[str, Any]) -> list[str | None] | None:
    tenants = texts(body, "tenantIds")
    return None if not tenants or DEFAULT_TENANT in tenants else [*tenants]


def complete(engine: Engine, job_key: str) -> None:
    body = body_of(engine)
    workers(engine).complete(_task_id(job_key), None, _variables(body), delivery=_lease(body))


def fail(engine: Engine, job_key: str) -> None:
    body = body_of(engine)
    workers(engine).fail(
        _task_id(job_key),
        None,
        text(body, "errorMessage"),
        retries=number(body, "retries", 0),
        pause=number(body, "retryBackOff", 0),
        variables=_variables(body),
        delivery=_lease(body),
    )


def throw(engine: Engine, job_key: str) -> None:
    body = body_of(engine)
    code, reason = needed(body, "errorCode"), text(body, "errorMessage")
    workers(engine).throw(_task_id(job_key), None, code, reason, _variables(body), delivery=_lease(body))


def update(engine: Engine, job_key: str) -> None:
    """Another timeout, other retries, or both."""
    changes = body_of(engine).get("changeset")
    if not isinstance(changes, dict) or not {"timeout", "retries"} & changes.keys():
        raise wrong("changeset", "is to hold timeout or retries")
    if changes.get("retries") is not None:
        workers(engine).set_retries(_task_id(job_key), number(changes, "retries"))
    if changes.get("timeout") is not None:
        workers(engine).extend(_task_id(job_key), None, number(changes, "timeout"))


def _variables(body: dict[str, Any]) -> dict[str, Any]:
    found = body.get("variables")
    if found is not None and not isinstance(found, dict):
        raise wrong("variables", "is to be an object")
    return found or {}


def _lease(body: dict[str, Any]) -> int | None:
    token = text(body, "jobLeaseToken")
    if token is None:
        return None
    return int(token) if token.isascii() and token.isdigit() and len(token) < 10 else -1


def _task_id(job_key: str) -> str:
    task, generation = job_key[:-DIGITS], job_key[-DIGITS:]
    if not (job_key.isascii() and job_key.isdigit() and task):
        raise UnknownExternalTask(job_key)
    return f"{task}-{int(generation)}"


def _job(engine: Engine, task: ExternalTask, leased: bool) -> dict[str, Any]:
    """All that any version of a client reads: one that misses a member stops for good."""
    own: dict[str, Any] = {"event": task.event, "attempt": task.attempt, "phase": task.phase}
    own |= {"delivery": task.delivery, "key": task.idempotency_key}
    own |= {} if task.origin is None else {"origin": task.origin}
    headers = {**task.headers, **{f"riverstone.{name}": str(value) for name, value in own.items()}}
    tenant = task.owner or DEFAULT_TENANT
    return {
        "type": task.topic,
        "processDefinitionId": task.key,
        "processDefinitionVersion": version_of(engine, task.deployment_id),
        "elementId": task.element_id,
        "customHeaders": headers,
        "worker": task.worker,
        "retries": RETRIES if task.model_retries is None else task.model_retries,
        "deadline": 0 if task.locked_until is None else round(task.locked_until.timestamp() * 1000),
        "variables": dict(task.variables),
        "tenantId": tenant,
        "physicalTenantId": tenant,
        "jobKey": f"{task.task_id}{task.generation:0{DIGITS}d}",
        "processInstanceKey": task.process_instance_id,
        "rootProcessInstanceKey": task.process_instance_id,
        "processDefinitionKey": key_of(task.deployment_id),
        "elementInstanceKey": task.task_id,
        "kind": "BPMN_ELEMENT",
        "listenerEventType": "UNSPECIFIED",
        "userTask": None,
        "tags": [],
        "businessId": task.business_key,
        "priority": task.priority,
        "jobLeaseToken": str(task.delivery) if leased else None,
    }
