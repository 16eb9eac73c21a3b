"""The calls of a client about what processes have made, its checks, and quotas."""

from __future__ import annotations

from collections.abc import Sequence

from ...engine.views.pages import Page
from ...engine.views.processes import ProcessInstance
from ...engine.views.quotas import QuotaUse
from ...engine.views.resources import CheckSchedule, Resource, ResourceCount, ResourceDrift
from ...models.vocabulary import ResourceState
from . import reading
from .processes import ProcessCalls
from .transport import part


class ResourceCalls(ProcessCalls):
    """A part of :class:`.client.Client`."""

    def resources(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        state: ResourceState | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        owner: str | None = None,
    ) -> Page[Resource]:
        wanted = {"processInstanceId": process_instance_id, "stone": stone, "key": key, "state": state}
        found = self._transport.get("/resource", **wanted, text=text, owner=owner, limit=limit, cursor=cursor)
        return reading.page(found, reading.resource)

    def resource_drift(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        owner: str | None = None,
    ) -> Page[ResourceDrift]:
        wanted = {"processInstanceId": process_instance_id, "stone": stone, "key": key, "owner": owner}
        found = self._transport.get("/resource/drift", **wanted, limit=limit, cursor=cursor)
        return reading.page(found, reading.drift)

    def quotas(self, *, name: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[QuotaUse]:
        found = self._transport.get("/quota", name=name, limit=limit, cursor=cursor)
        return reading.page(found, reading.quota)

    def resource_counts(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        state: ResourceState | None = None,
        owner: str | None = None,
    ) -> tuple[ResourceCount, ...]:
        wanted = {"processInstanceId": process_instance_id, "stone": stone, "key": key, "state": state, "owner": owner}
        return tuple(map(reading.resource_count, self._transport.get("/resource/count", **wanted)))

    def check(self, process_instance_id: str) -> tuple[Resource, ...]:
        path = f"/process/{part(process_instance_id)}/check"
        return tuple(map(reading.resource, self._transport.send("PUT", path, harmless=True)))

    def accept_gone(self, process_instance_id: str, tasks: Sequence[str] = ()) -> ProcessInstance:
        return self._change(process_instance_id, "gone", {"taskIds": list(tasks)} if tasks else None)

    def schedule_checks(
        self, every: str, *, stone: str | None = None, key: str | None = None, rate: float = 5.0
    ) -> CheckSchedule:
        body = {"every": every, "stone": stone, "key": key, "rate": rate}
        given = {name: value for name, value in body.items() if value is not None}
        return reading.check_schedule(self._transport.send("POST", "/resource/check", body=given))

    def check_schedules(self) -> tuple[CheckSchedule, ...]:
        return tuple(map(reading.check_schedule, self._transport.get("/resource/check")))

    def pause_checks(self, schedule_id: str) -> CheckSchedule:
        path = f"/resource/check/{part(schedule_id)}/pause"
        return reading.check_schedule(self._transport.send("PUT", path, harmless=True))

    def resume_checks(self, schedule_id: str) -> CheckSchedule:
        path = f"/resource/check/{part(schedule_id)}/resume"
        return reading.check_schedule(self._transport.send("PUT", path, harmless=True))

    def unschedule_checks(self, schedule_id: str) -> None:
        self._transport.send("DELETE", f"/resource/check/{part(schedule_id)}")
