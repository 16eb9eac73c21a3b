"""``/engine-rest/external-task``: workers of Camunda 7 fetch tasks, and say what came of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from ...engine import Engine, jsontext
from ...engine.calls.tasks.external_views import MOST_AT_ONCE, ExternalTask, Topic
from ...engine.steps.tasks.external_tasks import UnknownExternalTask
from ...models import ExternalFilter
from ..access.clients import present_client
from ..access.request_id import request_id
from ..errors import Refused
from ..parking import hold
from ..wire.operation import visible
from .values import CONTENT, FILE, is_file, read_variables, show_variables
from .view import body_of, json_answer, needed, number, text, texts, truth, workers, wrong

LONGEST_WAIT = 1_800_000
"""Milliseconds that Camunda lets a fetch wait at most."""
WAIT = 10_000
"""Milliseconds for which a request of Camunda 8 waits that says nothing."""
EARLY = 500
"""Milliseconds before which it is answered: some clients give up at the same moment."""
MOST_TOPICS = 200
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What no header may hold."""


def fetch_and_lock(engine: Engine) -> Response:
    body = body_of(engine)
    worker, most = needed(body, "workerId"), number(body, "maxTasks")
    wait = number(body, "asyncResponseTimeout", 0)
    if not 0 <= wait <= LONGEST_WAIT:
        raise wrong("asyncResponseTimeout", f"is to be 0 to {LONGEST_WAIT} milliseconds")
    if most < 0:
        raise wrong("maxTasks", "is to be 0 or more")
    given = body.get("topics")
    if not isinstance(given, list) or len(given) > MOST_TOPICS:
        raise wrong("topics", f"is to be a list of at most {MOST_TOPICS}")
    topics = [_topic(engine, each) for each in given]
    extended = {each.name for each, one in zip(topics, given, strict=True) if truth(one, "includeExtensionProperties")}
    by_priority, newest = truth(body, "usePriority", True), _newest(body.get("sorting"))
    calls = workers(engine)

    def look(last: bool) -> Response | None:
        found = calls.fetch(worker, topics, most=most, by_priority=by_priority, newest=newest)
        return json_answer([_locked(each, extended) for each in found]) if found or last else None

    request_id()
    names = [each.name for each in topics]
    pump = engine.run_pending if engine.is_inline else None
    return hold(wait / 1000, look, lambda told: calls.watch(names, told), pump, lambda: json_answer([]))


def _topic(engine: Engine, given: Any) -> Topic:
    if not isinstance(given, dict):
        raise wrong("topics", "is to be a list of objects")
    owners: list[str | None] | None = None
    if (tenants := texts(given, "tenantIdIn")) is not None:
        owners = [*tenants]
    if truth(given, "withoutTenantId"):
        owners = [None]
    keys, ids = texts(given, "processDefinitionKeyIn"), texts(given, "processDefinitionIdIn")
    if (key := text(given, "processDefinitionKey")) is not None:
        keys = [key]
    if (definition := text(given, "processDefinitionId")) is not None:
        ids = [definition]
    return Topic(
        name=needed(given, "topicName"),
        lock=number(given, "lockDuration"),
        variables=texts(given, "variables"),
        local_variables=truth(given, "localVariables"),
        business_key=text(given, "businessKey"),
        keys=keys,
        deployment_ids=ids,
        owners=owners,
        version_tag=text(given, "processDefinitionVersionTag"),
        process_variables=_plain(engine, given.get("processVariables")),
    )


def _plain(engine: Engine, given: Any) -> dict[str, Any]:
    return read_variables(engine, given, "processVariables")


def _newest(sorting: Any) -> bool:
    """Whether the newest is wanted first; some clients say the same twice. No other order is known here."""
    if sorting is not None and not isinstance(sorting, list):
        raise wrong("sorting", "is to be a list of objects")
    orders = {_order(each, "createTime") for each in sorting or ()}
    if len(orders) > 1:
        raise wrong("sorting", "is to say one order")
    return orders == {"desc"}


def _order(given: Any, known: str, orders: Collection[str] = ("asc", "desc")) -> str:
    """How that sorts by what can be sorted by; another order would be given for the one that was asked for."""
    by, order = (given.get("sortBy"), given.get("sortOrder")) if isinstance(given, Mapping) else (None, None)
    if by != known:
        raise wrong("sortBy", f"is to be {known}, the only order that is known here")
    if not isinstance(order, str) or order not in orders:
        raise wrong("sortOrder", f"is to be {' or '.join(orders)}")
    return order


def refuse_order(given: Mapping[str, Any], known: str, order: str) -> None:
    """Raise Malformed unless a list is asked for in the only order that it has, or in whichever it has."""
    if "sortBy" in given or "sortOrder" in given:
        _order(given, known, (order,))
    sorting = given.get("sorting")
    for each in sorting if isinstance(sorting, list) else [] if sorting is None else [sorting]:
        _order(each, known, (order,))


def complete(engine: Engine, task_id: str) -> None:
    body = body_of(engine)
    variables, own = (read_variables(engine, body.get(name), name) for name in ("variables", "localVariables"))
    workers(engine).complete(task_id, needed(body, "workerId"), variables, own)


def failure(engine: Engine, task_id: str) -> None:
    body = body_of(engine)
    variables, own = (read_variables(engine, body.get(name), name) for name in ("variables", "localVariables"))
    workers(engine).fail(
        task_id,
        needed(body, "workerId"),
        text(body, "errorMessage"),
        text(body, "errorDetails"),
        # Without a number nothing more is tried, as in Camunda.
        retries=number(body, "retries", 0),
        pause=number(body, "retryTimeout", 0),
        variables=variables,
        local_variables=own,
    )


def bpmn_error(engine: Engine, task_id: str) -> None:
    body = body_of(engine)
    workers(engine).throw(
        task_id,
        needed(body, "workerId"),
        needed(body, "errorCode"),
        text(body, "errorMessage"),
        read_variables(engine, body.get("variables")),
    )


def extend_lock(engine: Engine, task_id: str) -> None:
    body = body_of(engine)
    workers(engine).extend(task_id, needed(body, "workerId"), number(body, "newDuration"))


def progress(engine: Engine, task_id: str) -> None:
    """How far a worker is, and what it says for the log of its task: Camunda has no such call."""
    body = body_of(engine)
    percent = number(body, "percent") if body.get("percent") is not None else None
    workers(engine).tell(task_id, needed(body, "workerId"), percent=percent, lines=texts(body, "lines") or ())


def lock(engine: Engine, task_id: str) -> None:
    body = body_of(engine)
    workers(engine).lock(task_id, needed(body, "workerId"), number(body, "lockDuration"))


def unlock(engine: Engine, task_id: str) -> None:
    workers(engine).unlock(task_id)


def put_retries(engine: Engine, task_id: str) -> None:
    """How often a task may be tried yet; one that has failed for good and stands still is tried again."""
    left, calls = number(body_of(engine), "retries"), workers(engine)
    try:
        calls.set_retries(task_id, left)
    except UnknownExternalTask:
        failed = calls.failed_one(task_id)
        if left < 1:
            return
        if not present_client().may("run"):
            text = (
                f"Task {task_id} has failed for good, so more retries start it again: use a key with the scope 'run'."
            )
            raise Refused(text, status=403, code="scope-missing") from None
        again = visible(engine).rerun(failed.task_id)
        for each in calls.find(ExternalFilter(task_id=int(again.task_id)), limit=1):
            # Somebody may have answered it already, and what it had made may have to be undone first.
            with suppress(UnknownExternalTask):
                calls.set_retries(each.id, left)


def put_priority(engine: Engine, task_id: str) -> None:
    workers(engine).set_priority(task_id, number(body_of(engine), "priority"))


def set_variables(engine: Engine, process_instance_id: str) -> None:
    """Variables that a worker sets before it has completed the one task that it has of a process."""
    body = body_of(engine)
    if body.get("deletions"):
        raise wrong("deletions", "is not known here: set a variable to null")
    values = read_variables(engine, body.get("modifications"), "modifications")
    workers(engine).set_variables(process_instance_id, needed(body, "workerId"), values)


def get_tasks(engine: Engine) -> list[dict[str, Any]]:
    return _listed(engine, dict(request.args))


def post_tasks(engine: Engine) -> list[dict[str, Any]]:
    return _listed(engine, body_of(engine))


def _listed(engine: Engine, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    most, first = min(count("maxResults", MOST_AT_ONCE), MOST_AT_ONCE), count("firstResult", 0)
    refuse_order(given, "taskPriority", "desc")
    failed = _failed(engine, given)
    found = failed[first : first + most]
    if len(found) < most and not _is_true(given, NO_RETRIES):
        after = max(first - len(failed), 0)
        found += workers(engine).find(_filter(given), limit=most - len(found), offset=after)
    return [_shown(each) for each in found]


def _failed(engine: Engine, given: Mapping[str, Any]) -> list[ExternalTask]:
    """Of one process, what has no retries left: it stands still, so no worker can fetch it."""
    wanted = _filter(given)
    if wanted.process_instance_id is None:
        if _is_true(given, NO_RETRIES):
            raise wrong(
                NO_RETRIES, "is known for one processInstanceId only: `riverstone list --attention` tells of all"
            )
        return []
    if wanted.locked is not None or wanted.worker is not None or _is_true(given, "withRetriesLeft"):
        return []
    found = workers(engine).failed(str(wanted.process_instance_id))
    for name, chosen in (("topic", wanted.topics), ("key", wanted.keys), ("deployment_id", wanted.deployment_ids)):
        found = [each for each in found if chosen is None or getattr(each, name) in chosen]
    return [each for each in found if wanted.owners is None or each.owner in wanted.owners]


def get_count(engine: Engine) -> dict[str, int]:
    return _counted(engine, dict(request.args))


def post_count(engine: Engine) -> dict[str, int]:
    return _counted(engine, body_of(engine))


def _counted(engine: Engine, given: Mapping[str, Any]) -> dict[str, int]:
    going_on = 0 if _is_true(given, NO_RETRIES) else workers(engine).count(_filter(given))
    return {"count": going_on + len(_failed(engine, given))}


def get_task(engine: Engine, task_id: str) -> dict[str, Any]:
    calls = workers(engine)
    try:
        return _shown(calls.one(task_id))
    except UnknownExternalTask:
        return _shown(calls.failed_one(task_id))


def count(name: str, otherwise: int) -> int:
    """The number of this name in the query; refused where it is none."""
    given = request.args.get(name)
    if given is None:
        return otherwise
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise wrong(name, "is to be a number")
    return int(given)


def _is_true(given: Mapping[str, Any], name: str) -> bool:
    """Whether a filter is on: true, which in a query is a text."""
    value = given.get(name)
    return value == "true" if value in ("true", "false") else truth(given, name)


NO_RETRIES = "noRetriesLeft"
TRUTHS = frozenset({"locked", "notLocked", "active", "withRetriesLeft", NO_RETRIES})
IGNORED = frozenset({"firstResult", "maxResults", "sortBy", "sortOrder", "sorting"})
FILTERS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "topicName": lambda value: {"topics": [value]},
    "workerId": lambda value: {"worker": value},
    "processDefinitionKey": lambda value: {"keys": [value]},
    "processDefinitionId": lambda value: {"deployment_ids": [value]},
}


def _filter(given: Mapping[str, Any]) -> ExternalFilter:
    """Which tasks a list is to hold; a filter that is not known here would let through what it should not."""
    wanted = ExternalFilter()
    # A query has not been read as JSON, which refuses these.
    jsontext.check_texts(**given)
    for name, value in given.items():
        if name in FILTERS and isinstance(value, str):
            wanted = replace(wanted, **FILTERS[name](value))
        elif name in TRUTHS:
            if _is_true(given, name) and name in ("locked", "notLocked"):
                wanted = replace(wanted, locked=name == "locked")
        elif name == "processInstanceId" and isinstance(value, str) and value.isascii() and value.isdigit():
            # No process has a longer number, and none has the number 0.
            wanted = replace(wanted, process_instance_id=int(value) if len(value) < 19 else 0)
        elif name == "tenantIdIn":
            listed = value.split(",") if isinstance(value, str) else value
            wanted = replace(wanted, owners=texts({name: listed}, name))
        elif name not in IGNORED:
            raise wrong(name, "is no filter that is known here")
    return wanted


def moment(value: datetime | None) -> str | None:
    """A time as Camunda's clients read it."""
    if value is None:
        return None
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}+0000"


def _shown(task: ExternalTask) -> dict[str, Any]:
    return {
        "activityId": task.element_id,
        "activityInstanceId": task.idempotency_key,
        "businessKey": task.business_key,
        "createTime": moment(task.created),
        "errorMessage": task.reason,
        # Equal, since clients find variables by the one or the other.
        "executionId": task.process_instance_id,
        "id": task.id,
        "lockExpirationTime": moment(task.locked_until),
        "priority": task.priority,
        "processDefinitionId": task.deployment_id,
        "processDefinitionKey": task.key,
        "processDefinitionVersionTag": task.version_tag,
        "processInstanceId": task.process_instance_id,
        "retries": task.retries,
        "suspended": task.suspended,
        "tenantId": task.owner,
        "topicName": task.topic,
        "workerId": task.worker,
    }


def _locked(task: ExternalTask, extended: set[str]) -> dict[str, Any]:
    own = {"event": task.event, "attempt": task.attempt, "phase": task.phase, "delivery": task.delivery}
    told = own if task.origin is None else {**own, "origin": task.origin}
    return {
        **_shown(task),
        "errorDetails": None,
        "extensionProperties": {**task.properties, **{f"riverstone.{name}": str(value) for name, value in told.items()}}
        if task.topic in extended
        else None,
        "variables": show_variables(task.variables),
        **own,
        "origin": task.origin,
    }


def file_of(engine: Engine, process_instance_id: str, name: str) -> Response:
    """The content of a file among the variables of a task that the client may carry out."""
    found = workers(engine).variable(process_instance_id, name)
    if not is_file(found):
        raise UnknownExternalTask(name)
    filename = str(found[FILE].get("filename") or name)
    # A start or a stone can give any value the form of a file, so nothing has checked these two.
    try:
        content = base64.b64decode(found[CONTENT], validate=True)
    except ValueError:
        raise UnknownExternalTask(name) from None
    answer = Response(content, content_type="application/octet-stream")
    # Whatever it holds, no browser shows it: a file may have come from anybody.
    answer.headers.set("Content-Disposition", "attachment", filename=UNPRINTABLE.sub("_", filename))
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
