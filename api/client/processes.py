"""The calls of a client that start processes and look at them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from ...engine.errors import WaitTimeout
from ...engine.showing.picture import process_picture
from ...engine.triggers.starts import Drain
from ...engine.views.decisions import DecisionMade
from ...engine.views.history import HistoryEntry
from ...engine.views.pages import Page
from ...engine.views.processes import Explanation, Need, Picture, ProcessInstance, SearchPage, Situation, Token
from ...engine.views.statistics import Statistics
from ...engine.views.tasks import Task, TaskCount, TaskState
from ...models import Sort
from ...models.vocabulary import InstanceKind, ProcessState, ProcessStatus
from ..wire.causes import said_by_each
from ..wire.members import TIME
from . import reading
from .requests import searched
from .transport import Transport, part

LONGEST_WAIT = 20
"""Seconds for which one request of :meth:`Client.wait` waits; many a proxy gives up after 30."""
POLL = 0.3
"""Seconds between two requests to a server that does not let them wait."""


ENDS = ("success", "failed")
AT_REST = frozenset({*ENDS, *(f"{kind}.{end}" for kind in ("rollback", "cancel", "delete") for end in ENDS)})
"""The statuses of a process for which nothing is done any more."""


class ProcessCalls:
    """A part of :class:`.client.Client`."""

    _transport: Transport

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
        priority: int = 0,
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
        if priority:
            body["priority"] = priority
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
    ) -> SearchPage:
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
        found = self._transport.get("/process/search", limit=limit, cursor=cursor, sort=sort, **searched(where))
        return reading.found_processes(found)

    def counts(self, *, kind: InstanceKind | None = None, key: str | None = None) -> dict[ProcessState, int]:
        return dict(self._transport.get("/process/count", kind=kind, key=key))

    def statistics(self, *, since: datetime | None = None, key: str | None = None, runs: int = 2000) -> Statistics:
        """As the engine's; the time is meant to the second, in the time zone of the server."""
        begun = None if since is None else since.strftime(TIME)
        return reading.statistics(self._transport.get("/statistics", since=begun, key=key, runs=runs))

    def tasks(
        self,
        process_instance_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        element_id: str | None = None,
        state: TaskState | None = None,
    ) -> list[Task]:
        path = f"/process/{part(process_instance_id)}/task"
        found = self._transport.get(path, limit=limit, after=after, elementId=element_id, state=state)
        return said_by_each(map(reading.task, found))

    def task_counts(self, process_instance_id: str) -> list[TaskCount]:
        found = self._transport.get(f"/process/{part(process_instance_id)}/task/count")
        return [reading.task_count(each) for each in found]

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

    def _change(self, process_instance_id: str, what: str, body: Mapping[str, Any] | None) -> ProcessInstance:
        self._transport.send("PUT", f"/process/{part(process_instance_id)}/{what}", body=body)
        return self.get(process_instance_id)
