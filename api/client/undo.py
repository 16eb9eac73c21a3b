"""The calls of a client that undo, repair, suspend and move processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...engine.views.failures import Failure
from ...engine.views.processes import ProcessInstance
from ...engine.views.undo import MigrationPlan, RepairAction, RepairPlan, RewindPlan, UndoStep
from ...models.vocabulary import UndoKind
from ..wire.causes import said_by_each
from . import reading
from .processes import ProcessCalls
from .transport import part


class UndoCalls(ProcessCalls):
    """A part of :class:`.client.Client`."""

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

    def preview_element_repair(
        self, process_instance_id: str, action: RepairAction, element_id: str | None = None
    ) -> RepairPlan:
        path = f"/process/{part(process_instance_id)}/repair"
        return reading.repair_plan(self._transport.get(path, action=action, elementId=element_id))

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
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> ProcessInstance:
        body = {"to": to, "variables": dict(variables or {}), "parameters": dict(parameters or {})}
        version = {} if deployment_id is None else {"deploymentId": deployment_id}
        moved = {"mapping": dict(mapping)} if mapping else {}
        return self._change(process_instance_id, "rewind", {**body, "retain": list(retain), **version, **moved})

    def preview_rewind(
        self,
        process_instance_id: str,
        to: str,
        *,
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> RewindPlan:
        path = f"/process/{part(process_instance_id)}/rewind"
        pairs = [f"{old}={new}" for old, new in (mapping or {}).items()]
        plan = reading.rewind_plan(self._transport.get(path, to=to, deploymentId=deployment_id, map=pairs or None))
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
