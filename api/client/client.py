"""A client of a riverstone server with the methods and views of the engine (extra ``riverstone[client]``)."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from ...engine import Engine, jsontext
from ...engine.authoring.model_views import Deployment, Draft, Model
from ...engine.authoring.sources import Source, Template, read_source, template_text
from ...engine.authoring.templates import searchable_texts
from ...engine.bpmn.running.cycles import TimerKind
from ...engine.errors import Invalid, UnknownToken, WaitTimeout
from ...engine.showing.picture import process_picture
from ...engine.stones.declaration import StoneDeclaration
from ...engine.triggers.starts import Drain
from ...engine.views import (
    Batch,
    BatchItem,
    BatchPreview,
    Decision,
    DecisionMade,
    DecisionResult,
    Explanation,
    Failure,
    HistoryEntry,
    MigrationPlan,
    Need,
    NextTimes,
    Page,
    Picture,
    ProcessInstance,
    ProcessSummary,
    Reasons,
    Resource,
    ResourceCount,
    RewindPlan,
    Situation,
    Statistics,
    SuspendedKey,
    SuspendedStone,
    Task,
    Token,
    UndoStep,
)
from ...models import Sort
from ...models.vocabulary import (
    BatchAction,
    BatchResult,
    Hook,
    InstanceKind,
    ProcessState,
    ProcessStatus,
    ResourceState,
    UndoKind,
)
from ..errors import Refused
from ..wire.members import TIME
from ..wire.record import camel
from ..wire.records import said_by_each
from . import reading
from .people import PeopleClient
from .transport import Files, Transport, part
from .webhooks import WebhookClient

LONGEST_WAIT = 20
"""Seconds for which one request of :meth:`Client.wait` waits; many a proxy gives up after 30."""
POLL = 0.3
"""Seconds between two requests to a server that does not let them wait."""


def _told_as_the_engine(client: type[Client]) -> type[Client]:
    """Give the calls that are the engine's in all the engine's own docstrings."""
    for name, call in vars(client).items():
        if inspect.isfunction(call) and call.__doc__ is None and hasattr(Engine, name):
            call.__doc__ = getattr(Engine, name).__doc__
    return client


@_told_as_the_engine
class Client:
    """What :class:`~riverstone.engine.Engine` does, done by a server; errors are the engine's own.

    ``key`` is a key of the server or an OAuth2 token; it is neither shown nor logged. ``timeout`` is in seconds, for
    one request. What went wrong on the way is tried again (``retries`` times) only if a second request changes nothing:
    a look, an undo, a deployment, and a start, which always has an idempotency key. Any method may raise Refused or
    ServerUnavailable (``riverstone.api.errors``). Several threads may share a client; it is also a context manager.
    """

    def __init__(
        self, url: str, *, key: str | None = None, timeout: float = 30.0, retries: int = 3, ca_certs: str | None = None
    ) -> None:
        """``ca_certs`` is a file of certificates to trust instead of the system's; raises Invalid for a wrong URL."""
        self._transport = Transport(url, key=key, timeout=timeout, retries=retries, ca_certs=ca_certs)
        self.webhooks = WebhookClient(self._transport)
        self.people = PeopleClient(self._transport)

    def __repr__(self) -> str:
        return f"<Client of {self._transport.url}>"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # -- models and deployments

    def deploy(
        self,
        source: Source,
        *more: Source,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
        strict: bool = False,
        external: bool = False,
        on_failure: str | None = None,
        undo_on_compensation: bool = False,
    ) -> Deployment:
        files = _files((source, *more), name, parameter_template, outputs_template)
        query = {
            "deleteProtection": _flag(protected),
            "strict": _flag(strict or None),
            "external": _flag(external or None),
            "onFailure": on_failure,
            "undoOnCompensation": _flag(undo_on_compensation or None),
        }
        found = self._transport.send("POST", "/deployment", files=files, query=query, harmless=True)
        return self.deployment(found["deploymentId"])

    def save_model(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
    ) -> Model:
        files = _files((source, *more), name, parameter_template, outputs_template)
        method, path = ("POST", "/model") if model_id is None else ("PUT", f"/model/{part(model_id)}")
        query = {"deleteProtection": _flag(protected)}
        found = self._transport.send(method, path, files=files, query=query, harmless=model_id is not None)
        return self.model(found["modelId"])

    def write_draft(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        revision: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        who: str | None = None,
    ) -> Draft:
        """As the engine's; who draws is whom the server takes this client for, whatever is given."""
        files = _files((source, *more), name, parameter_template, outputs_template)
        method, path = ("POST", "/draft") if model_id is None else ("PUT", f"/model/{part(model_id)}/draft")
        return reading.draft(self._transport.send(method, path, files=files, headers=_matching(revision)))

    def draft(self, model_id: str) -> Draft:
        return reading.draft(self._transport.get(f"/model/{part(model_id)}/draft"))

    def drafts(self, *, limit: int = 50, cursor: str | None = None) -> Page[Draft]:
        """As the engine's, without content, which :meth:`draft` has."""
        return reading.page(self._transport.get("/draft", limit=limit, cursor=cursor), reading.draft)

    def save_draft(self, model_id: str, *, revision: str | None = None, replace: bool = False) -> Model:
        path, query = f"/model/{part(model_id)}/draft/save", {"replace": _flag(replace or None)}
        found = self._transport.send("POST", path, query=query, headers=_matching(revision))
        return self.model(found["modelId"])

    def discard_draft(self, model_id: str, *, revision: str | None = None) -> Draft:
        """As the engine's; without the content of what is gone."""
        path = f"/model/{part(model_id)}/draft"
        return reading.draft(self._transport.send("DELETE", path, headers=_matching(revision)))

    def deploy_model(
        self,
        model_id: str,
        *,
        strict: bool = False,
        on_failure: str | None = None,
        undo_on_compensation: bool = False,
    ) -> Deployment:
        path = f"/model/{part(model_id)}/deployment"
        query = {
            "strict": _flag(strict or None),
            "onFailure": on_failure,
            "undoOnCompensation": _flag(undo_on_compensation or None),
        }
        found = self._transport.send("POST", path, query=query, harmless=True)
        return self.deployment(found["deploymentId"])

    def protect_model(self, model_id: str, on: bool = True) -> Model:
        path = f"/model/{part(model_id)}/protection"
        self._transport.send("PUT", path, body={"deleteProtection": on}, harmless=True)
        return self.model(model_id)

    def next_times(self, kind: TimerKind, text: str) -> NextTimes:
        return reading.next_times(self._transport.get("/timer", kind=kind, text=text))

    def remove_model(self, model_id: str) -> Model:
        """As the engine's; without the content of what is gone."""
        return reading.model(self._transport.send("DELETE", f"/model/{part(model_id)}"))

    def remove_deployment(self, deployment_id: str) -> Deployment:
        """As the engine's; without the content of what is gone."""
        return reading.deployment(self._transport.send("DELETE", f"/deployment/{part(deployment_id)}"))

    def model(self, model_id: str) -> Model:
        return reading.model(self._transport.get(f"/model/{part(model_id)}"))

    def models(self, *, limit: int = 50, cursor: str | None = None, key: str | None = None) -> Page[Model]:
        """As the engine's, without content: no ``xml``, ``files`` and templates, which :meth:`model` has."""
        return reading.page(self._transport.get("/model", limit=limit, cursor=cursor, key=key), reading.model)

    def deployment(self, deployment_id: str) -> Deployment:
        return reading.deployment(self._transport.get(f"/deployment/{part(deployment_id)}"))

    def deployments(
        self, *, limit: int = 50, cursor: str | None = None, key: str | None = None, model_id: str | None = None
    ) -> Page[Deployment]:
        """As the engine's, without content, as :meth:`models`."""
        found = self._transport.get("/deployment", limit=limit, cursor=cursor, key=key, modelId=model_id)
        return reading.page(found, reading.deployment)

    def decisions(self, *, limit: int = 50, cursor: str | None = None) -> Page[Decision]:
        return reading.decisions(self._transport.get("/decision", limit=limit, cursor=cursor))

    def decide(
        self,
        decision_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: int | None = None,
        version_tag: str | None = None,
        deployment_id: str | None = None,
    ) -> DecisionResult:
        body = {"variables": dict(variables or {})}
        path = f"/decision/{part(decision_id)}/evaluate"
        query = {"version": version, "versionTag": version_tag, "deploymentId": deployment_id}
        given = {name: value for name, value in query.items() if value is not None}
        return reading.decision_result(self._transport.send("POST", path, body=body, query=given, harmless=True))

    def stones_declared(self) -> tuple[StoneDeclaration, ...]:
        return tuple(reading.stone(each) for each in self._transport.get("/stone"))

    def suspend_stone(self, code: str, *, reason: str | None = None, who: str | None = None) -> SuspendedStone:
        """As of the engine; who has done it is whom the server takes this client for, whatever is given."""
        body = {"code": code, "reason": reason}
        return reading.suspended_stone(self._transport.send("PUT", "/stone/suspend", body=body))

    def unsuspend_stone(self, code: str) -> None:
        self._transport.send("PUT", "/stone/unsuspend", body={"code": code})

    def suspended_stones(self) -> tuple[SuspendedStone, ...]:
        return tuple(reading.suspended_stone(each) for each in self._transport.get("/stone/suspended"))

    def resources(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        state: ResourceState | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Resource]:
        wanted = {"processInstanceId": process_instance_id, "stone": stone, "key": key, "state": state}
        found = self._transport.get("/resource", limit=limit, cursor=cursor, **wanted)
        return reading.page(found, reading.resource)

    def resource_counts(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        state: ResourceState | None = None,
    ) -> tuple[ResourceCount, ...]:
        wanted = {"processInstanceId": process_instance_id, "stone": stone, "key": key, "state": state}
        return tuple(map(reading.resource_count, self._transport.get("/resource/count", **wanted)))

    def check(self, process_instance_id: str) -> tuple[Resource, ...]:
        path = f"/process/{part(process_instance_id)}/check"
        return tuple(map(reading.resource, self._transport.send("PUT", path, harmless=True)))

    def accept_gone(self, process_instance_id: str, tasks: Sequence[str] = ()) -> ProcessInstance:
        return self._change(process_instance_id, "gone", {"taskIds": list(tasks)} if tasks else None)

    def suspend_key(self, key: str, *, reason: str | None = None, who: str | None = None) -> SuspendedKey:
        """As of the engine; who has done it is whom the server takes this client for, whatever is given."""
        body = {"key": key, "reason": reason}
        return reading.suspended_key(self._transport.send("PUT", "/key/suspend", body=body))

    def unsuspend_key(self, key: str) -> None:
        self._transport.send("PUT", "/key/unsuspend", body={"key": key})

    def suspended_keys(self) -> tuple[SuspendedKey, ...]:
        return tuple(reading.suspended_key(each) for each in self._transport.get("/key/suspended"))

    def declare_stone(
        self,
        code: str,
        *,
        hooks: Sequence[Hook] = ("start",),
        parameters: Sequence[Mapping[str, Any]] = (),
        outputs: Mapping[str, str] | None = None,
        display_name: str = "",
        description: str = "",
        monitor_interval: float = 5.0,
        grace: float = 240.0,
    ) -> None:
        body: dict[str, Any] = {"code": code, "hooks": [*hooks], "parameters": [dict(each) for each in parameters]}
        for each in body["parameters"]:
            if "no_echo" in each:
                each["noEcho"] = each.pop("no_echo")
        body |= {"outputs": dict(outputs or {}), "monitorInterval": monitor_interval, "grace": grace}
        body |= {name: text for name, text in (("displayName", display_name), ("description", description)) if text}
        self._transport.send("POST", "/stone", body=body, harmless=True)

    # -- starting and looking

    def start(
        self,
        *,
        name: str,
        key: str | None = None,
        deployment_id: str | None = None,
        model_id: str | None = None,
        variables: Mapping[str, Any] | None = None,
        business_key: str | None = None,
        idempotency_key: str | None = None,
        rollback: bool = True,
        protected: bool = False,
        drain: Drain = "stop",
        on_failure: str | None = None,
        callback_url: str | None = None,
    ) -> ProcessInstance:
        """As the engine's; without an ``idempotency_key`` one is made, so that no try again starts a second process.

        Returns the process as it stands a moment later.
        """
        body: dict[str, Any] = {
            "key": key,
            "deploymentId": deployment_id,
            "modelId": model_id,
            "processName": name,
            "variables": dict(variables or {}),
            "callbackUrl": callback_url,
            "businessKey": business_key,
            "rollback": rollback,
            "onFailure": on_failure,
            "deleteProtection": protected,
            "drain": drain,
        }
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        found = self._transport.send("POST", "/process", body=body, headers=headers, harmless=True)
        return self.get(found["processInstanceId"])

    def get(self, process_instance_id: str) -> ProcessInstance:
        return reading.process(self._transport.get(f"/process/{part(process_instance_id)}/detail"))

    def instances(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: ProcessStatus | None = None,
        key: str | None = None,
        name: str | None = None,
    ) -> Page[ProcessInstance]:
        """As the engine's, each as it stands when it is read; :meth:`search` is quicker and has no variables."""
        found = self._transport.get("/process", limit=limit, cursor=cursor, status=status, key=key, name=name)
        return reading.page(found, lambda item: self.get(item["processInstanceId"]))

    def search(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        text: str | None = None,
        statuses: Sequence[ProcessStatus] = (),
        state: ProcessState | None = None,
        kind: InstanceKind | None = None,
        key: str | None = None,
        business_key: str | None = None,
        stone: str | None = None,
        element: str | None = None,
        error: str | None = None,
        variables: Mapping[str, Any] | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        ended_from: datetime | None = None,
        ended_before: datetime | None = None,
        sort: Sort = "id",
    ) -> Page[ProcessSummary]:
        """As the engine's; the times are meant to the second, in the time zone of the server."""
        where = {
            "text": text,
            "statuses": statuses,
            "state": state,
            "kind": kind,
            "key": key,
            "business_key": business_key,
            "stone": stone,
            "element": element,
            "error": error,
            "variables": variables,
            "started_from": started_from,
            "started_before": started_before,
            "ended_from": ended_from,
            "ended_before": ended_before,
        }
        found = self._transport.get("/process/search", limit=limit, cursor=cursor, sort=sort, **_searched(where))
        return reading.page(found, reading.summary)

    def counts(self, *, kind: InstanceKind | None = None, key: str | None = None) -> dict[ProcessState, int]:
        return dict(self._transport.get("/process/count", kind=kind, key=key))

    def statistics(self, *, since: datetime | None = None, key: str | None = None, runs: int = 2000) -> Statistics:
        """As the engine's; the time is meant to the second, in the time zone of the server."""
        begun = None if since is None else since.strftime(TIME)
        return reading.statistics(self._transport.get("/statistics", since=begun, key=key, runs=runs))

    def tasks(self, process_instance_id: str, *, limit: int | None = None, after: str | None = None) -> list[Task]:
        found = self._transport.get(f"/process/{part(process_instance_id)}/task", limit=limit, after=after)
        return said_by_each(map(reading.task, found))

    def task(self, task_id: str) -> Task:
        return reading.task(self._transport.get(f"/task/{part(task_id)}/detail"))

    def tokens(self, process_instance_id: str) -> list[Token]:
        detail = self._transport.get(f"/process/{part(process_instance_id)}/detail")
        return [reading.token(each) for each in detail["tokens"]]

    def picture(self, process_instance_id: str) -> Picture:
        xml = self.sources(process_instance_id)[0]
        tasks, tokens = self.tasks(process_instance_id), self.tokens(process_instance_id)
        return process_picture(xml, tasks, tokens, decisions=self.decisions_made(process_instance_id, limit=500).items)

    def history(self, process_instance_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[HistoryEntry]:
        path = f"/process/{part(process_instance_id)}/history"
        return reading.history(self._transport.get(path, limit=limit, cursor=cursor))

    def decisions_made(
        self, process_instance_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DecisionMade]:
        path = f"/process/{part(process_instance_id)}/decision"
        return reading.decisions_made(self._transport.get(path, limit=limit, cursor=cursor))

    def sources(self, process_instance_id: str) -> tuple[str, ...]:
        return tuple(self._transport.get(f"/process/{part(process_instance_id)}/source")["files"])

    def why(self, process_instance_id: str) -> Explanation:
        return reading.explanation(self._transport.get(f"/process/{part(process_instance_id)}/why"))

    def wait(self, process_instance_id: str, timeout: float | None = None) -> ProcessInstance:
        deadline = None if timeout is None else time.monotonic() + timeout
        situation: Situation | None = None
        while situation is None or situation.need in (None, "person"):
            left = None if deadline is None else deadline - time.monotonic()
            if situation is not None and left is not None and left <= 0:
                raise WaitTimeout(f"Process {process_instance_id} had not ended after {timeout:g} seconds.")
            # What needs somebody is waited for by its changes, or the server would answer at once again and again.
            since = None if situation is None or situation.need is None else situation.mark
            wait = LONGEST_WAIT if left is None else left
            situation = self.situation(process_instance_id, wait=wait, since=since)
        return situation.instance

    def situation(self, process_instance_id: str, *, wait: float = 0, since: str | None = None) -> Situation:
        path = f"/process/{part(process_instance_id)}"
        whole = min(LONGEST_WAIT, int(max(0.0, wait)))
        begun = time.monotonic()
        mark, told = self._transport.changed(path, since=since, wait=whole)
        if mark is None or not (told or since):
            # A server that cannot let all wait answers some of them at once.
            time.sleep(max(0.0, min(POLL, wait) - (time.monotonic() - begun)))
        instance = self.get(process_instance_id)
        need: Need | None = "person" if told else None
        if instance.status in AT_REST:
            need = "ended"
        elif instance.paused or instance.attention or instance.suspended:
            need = "paused"
        return Situation(instance=instance, mark=mark or since or "", need=need)

    # -- undo

    def cancel(self, process_instance_id: str, *, force: bool = False) -> ProcessInstance:
        return self._undo(process_instance_id, "cancel", {"force": force})

    def delete(self, process_instance_id: str, *, force: bool = False, retain: Sequence[str] = ()) -> ProcessInstance:
        return self._undo(process_instance_id, "delete", {"force": force, "retain": list(retain)})

    def retry_undo(self, process_instance_id: str, *, retain: Sequence[str] = ()) -> ProcessInstance:
        self._transport.send("PUT", f"/process/{part(process_instance_id)}/retry", body={"retain": list(retain)})
        return self.get(process_instance_id)

    def failures(self, process_instance_id: str) -> list[Failure]:
        detail = self._transport.get(f"/process/{part(process_instance_id)}/detail")
        return [reading.failure(each) for each in detail["failures"]]

    def retry(
        self, process_instance_id: str, *, element_id: str | None = None, retain: Sequence[str] = ()
    ) -> ProcessInstance:
        return self._change(process_instance_id, "retry", {"elementId": element_id, "retain": list(retain)})

    def skip_element(self, process_instance_id: str, element_id: str) -> ProcessInstance:
        return self._change(process_instance_id, "skip", {"elementId": element_id})

    def suspend(
        self, process_instance_id: str, *, reason: str | None = None, who: str | None = None
    ) -> ProcessInstance:
        """As of the engine; who has done it is whom the server takes this client for, whatever is given."""
        return self._change(process_instance_id, "suspend", {"reason": reason})

    def unsuspend(self, process_instance_id: str) -> ProcessInstance:
        return self._change(process_instance_id, "unsuspend", None)

    def roll_back(self, process_instance_id: str) -> ProcessInstance:
        return self._change(process_instance_id, "rollback", None)

    def variables(self, process_instance_id: str) -> dict[str, Any]:
        return dict(self._transport.get(f"/process/{part(process_instance_id)}/variables")["variables"])

    def set_variables(
        self, process_instance_id: str, variables: Mapping[str, Any], *, task_id: str | None = None
    ) -> ProcessInstance:
        return self._change(process_instance_id, "variables", {"variables": dict(variables), "taskId": task_id})

    def rewind(
        self,
        process_instance_id: str,
        to: str,
        *,
        variables: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        retain: Sequence[str] = (),
    ) -> ProcessInstance:
        body = {"to": to, "variables": dict(variables or {}), "parameters": dict(parameters or {})}
        return self._change(process_instance_id, "rewind", {**body, "retain": list(retain)})

    def preview_rewind(self, process_instance_id: str, to: str) -> RewindPlan:
        plan = reading.rewind_plan(self._transport.get(f"/process/{part(process_instance_id)}/rewind", to=to))
        return replace(plan, steps=tuple(said_by_each(plan.steps)))

    def migrate(
        self,
        process_instance_id: str,
        deployment_id: str,
        *,
        mapping: Mapping[str, str] | None = None,
        timeout: float = 0.0,
    ) -> ProcessInstance:
        body = {"deploymentId": deployment_id, "mapping": dict(mapping or {}), "timeout": timeout}
        return self._change(process_instance_id, "migrate", body)

    def plan_migration(
        self, process_instance_id: str, deployment_id: str, *, mapping: Mapping[str, str] | None = None
    ) -> MigrationPlan:
        body = {"deploymentId": deployment_id, "mapping": dict(mapping or {})}
        path = f"/process/{part(process_instance_id)}/migrate"
        return reading.migration_plan(self._transport.send("POST", path, body=body, harmless=True))

    def _change(self, process_instance_id: str, what: str, body: Mapping[str, Any] | None) -> ProcessInstance:
        self._transport.send("PUT", f"/process/{part(process_instance_id)}/{what}", body=body)
        return self.get(process_instance_id)

    def _undo(self, process_instance_id: str, kind: UndoKind, options: Mapping[str, Any]) -> ProcessInstance:
        # Without tasks to give up, asking twice is asking once.
        harmless = not options.get("retain")
        self._transport.send("PUT", f"/process/{part(process_instance_id)}/{kind}", body=options, harmless=harmless)
        return self.get(process_instance_id)

    def preview(self, process_instance_id: str, kind: UndoKind) -> list[UndoStep]:
        found = self._transport.get(f"/process/{part(process_instance_id)}/preview", kind=kind)
        return said_by_each(map(reading.undo_step, found))

    def protect(self, process_instance_id: str, on: bool = True) -> ProcessInstance:
        path = f"/process/{part(process_instance_id)}/protection"
        self._transport.send("PUT", path, body={"deleteProtection": on}, harmless=True)
        return self.get(process_instance_id)

    # -- many at once

    def batch(
        self,
        action: BatchAction,
        where: Mapping[str, Any],
        *,
        rate: float | None = None,
        force: bool = False,
        element_id: str | None = None,
        variables: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> Batch:
        body: dict[str, Any] = {"action": action, "rate": rate, "force": force, "elementId": element_id}
        body |= {"variables": dict(variables or {}), "parameters": dict(parameters or {})}
        body |= {"deploymentId": deployment_id, "mapping": dict(mapping or {}), "reason": reason}
        return reading.batch(self._transport.send("POST", "/batch", query=_searched(where), body=body))

    def preview_batch(
        self,
        action: BatchAction,
        where: Mapping[str, Any],
        *,
        force: bool = False,
        element_id: str | None = None,
        variables: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> BatchPreview:
        """As the engine's; what is done with force or other values takes back the same."""
        query = {"action": action, "elementId": element_id, "deploymentId": deployment_id, **_searched(where)}
        query["map"] = [f"{old}={new}" for old, new in (mapping or {}).items()] or None
        return reading.batch_preview(self._transport.get("/batch/preview", **query))

    def failures_by_reason(self, where: Mapping[str, Any] | None = None) -> Reasons:
        return reading.reasons(self._transport.get("/process/reason", **_searched(where or {})))

    def batches(self, *, limit: int = 50, cursor: str | None = None) -> Page[Batch]:
        return reading.batches(self._transport.get("/batch", limit=limit, cursor=cursor))

    def batch_progress(self, batch_id: str) -> Batch:
        return reading.batch(self._transport.get(f"/batch/{part(batch_id)}"))

    def batch_items(
        self, batch_id: str, *, result: BatchResult | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[BatchItem]:
        path = f"/batch/{part(batch_id)}/process"
        return reading.batch_items(self._transport.get(path, result=result, limit=limit, cursor=cursor))

    def pause_batch(self, batch_id: str) -> Batch:
        return reading.batch(self._transport.send("PUT", f"/batch/{part(batch_id)}/pause", harmless=True))

    def resume_batch(self, batch_id: str, *, rate: float | None = None) -> Batch:
        body = {"rate": rate}
        return reading.batch(self._transport.send("PUT", f"/batch/{part(batch_id)}/resume", body=body, harmless=True))

    def stop_batch(self, batch_id: str) -> Batch:
        return reading.batch(self._transport.send("PUT", f"/batch/{part(batch_id)}/stop", harmless=True))

    # -- tasks and events

    def rerun(self, task_id: str, parameters: Mapping[str, Any] | None = None) -> Task:
        body = None if parameters is None else {"parameters": dict(parameters)}
        self._transport.send("PUT", f"/task/{part(task_id)}/reRun", body=body)
        return self.task(task_id)

    def skip(self, task_id: str) -> Task:
        self._transport.send("PUT", f"/task/{part(task_id)}/skip")
        return self.task(task_id)

    def done_by_hand(self, task_id: str, outputs: Mapping[str, Any] | None = None) -> Task:
        self._transport.send("PUT", f"/task/{part(task_id)}/done", body={"outputs": dict(outputs or {})})
        return self.task(task_id)

    def resume(self, task_id: str) -> ProcessInstance:
        return self.get(self._transport.send("PUT", f"/task/{part(task_id)}/resume")["processInstanceId"])

    def complete(self, task_id: str, outputs: Mapping[str, Any] | None = None) -> Task:
        self._transport.send("PUT", f"/task/{part(task_id)}/complete", body={"outputs": dict(outputs or {})})
        return self.task(task_id)

    def complete_deferred(self, token: str, outputs: Mapping[str, Any] | None = None) -> bool:
        return self._tell(token, "complete", {"outputs": dict(outputs or {})})

    def fail_deferred(self, token: str, reason: str = "", *, outputs: Mapping[str, Any] | None = None) -> bool:
        return self._tell(token, "fail", {"reason": reason or None, "outputs": dict(outputs or {})})

    def error_deferred(
        self, token: str, code: str, reason: str = "", *, outputs: Mapping[str, Any] | None = None
    ) -> bool:
        return self._tell(token, "error", {"code": code, "reason": reason or None, "outputs": dict(outputs or {})})

    def progress_deferred(self, token: str, percent: float, text: str | None = None) -> bool:
        return self._tell(token, "progress", {"percent": percent, "text": text or None})

    def _tell(self, token: str, what: str, body: Mapping[str, Any]) -> bool:
        """Tell something of a deferred task; once more it does no harm, and it needs its token and no key."""
        parts = token.split("_")
        if len(parts) < 4 or not parts[1].isdigit() or not token.isascii() or not token.isprintable():
            raise UnknownToken
        path, headers = f"/task/{parts[1]}/{what}", {"Authorization": f"Bearer {token}"}
        try:
            return bool(self._transport.send("POST", path, body=body, headers=headers, harmless=True)["taken"])
        except Refused as error:
            if error.code == "token-invalid":
                raise UnknownToken from None
            raise

    def message(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
        ttl: float | None = None,
    ) -> ProcessInstance | None:
        body = {
            "name": name,
            "payload": dict(payload or {}),
            "businessKey": business_key,
            "correlation": correlation,
            "ttl": ttl,
            "processInstanceId": process_instance_id,
        }
        taken = self._transport.send("POST", "/message", body=body)
        return None if taken is None else self.get(taken["processInstanceId"])

    def signal(self, name: str, payload: Mapping[str, Any] | None = None) -> list[str]:
        body = {"name": name, "payload": dict(payload or {})}
        return list(self._transport.send("POST", "/signal", body=body)["processInstanceIds"])


ENDS = ("success", "failed")
AT_REST = frozenset({*ENDS, *(f"{kind}.{end}" for kind in ("rollback", "cancel", "delete") for end in ENDS)})
"""The statuses of a process for which nothing is done any more."""


def _searched(where: Mapping[str, Any]) -> dict[str, Any]:
    """What is searched for, as a query says it; raises Invalid for a value of a variable that is none."""
    query: dict[str, Any] = {}
    for name, value in where.items():
        if value in (None, "", (), [], {}):
            continue
        if name == "variables":
            query["variable"] = [f"{variable}={text}" for variable, text in searchable_texts(value).items()]
        elif name == "statuses":
            query["status"] = list(value)
        else:
            query[camel(name)] = value.strftime(TIME) if isinstance(value, datetime) else value
    return query


def _files(sources: Sequence[Source], name: str | None, *templates: Template) -> Files:
    """The parts of an upload."""
    fields: list[tuple[str, tuple[str, bytes, str]]] = []
    for source in sources:
        content, file_name = read_source(source)
        fields.append(("bpmn", (file_name or "model.bpmn", content, "application/xml")))
    for field, template in zip(("parameterTemplate", "outputsTemplate"), templates, strict=True):
        text = template_text(template)
        if text is not None:
            fields.append((field, (f"{field}.json", text.encode(), "application/json")))
    if name is not None:
        fields.append(("name", ("name.txt", name.encode(), "text/plain")))
    if not sources:
        raise Invalid("There is no file to send.", code="fields-invalid")
    return fields


def _matching(revision: str | None) -> dict[str, str] | None:
    """The header that names which draft was read."""
    return None if revision is None else {"If-Match": f'"{revision}"'}


def _flag(value: bool | None) -> str | None:
    return None if value is None else jsontext.dumps(value)
