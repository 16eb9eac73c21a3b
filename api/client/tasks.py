"""The calls of a client about tasks, messages and signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ...engine.errors import UnknownToken
from ...engine.views.processes import MessageReceipt, ProcessInstance
from ...engine.views.tasks import Task
from ...engine.views.undo import RepairAction, RepairPlan
from ..errors import Refused
from . import reading
from .processes import ProcessCalls
from .transport import part


class TaskCalls(ProcessCalls):
    """A part of :class:`.client.Client`."""

    def rerun(self, task_id: str, parameters: Mapping[str, Any] | None = None, *, attempt: int | None = None) -> Task:
        body = _decided({} if parameters is None else {"parameters": dict(parameters)}, attempt)
        going_on = self._transport.send("PUT", f"/task/{part(task_id)}/reRun", body=body)
        return self.task(going_on["taskId"])

    def secret_outputs(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.send("POST", f"/task/{part(task_id)}/secrets")["outputs"]
        return found

    def skip(self, task_id: str, *, attempt: int | None = None) -> Task:
        self._transport.send("PUT", f"/task/{part(task_id)}/skip", body=_decided({}, attempt))
        return self.task(task_id)

    def done_by_hand(
        self, task_id: str, outputs: Mapping[str, Any] | None = None, *, attempt: int | None = None
    ) -> Task:
        body = _decided({"outputs": dict(outputs or {})}, attempt)
        self._transport.send("PUT", f"/task/{part(task_id)}/done", body=body)
        return self.task(task_id)

    def preview_repair(
        self,
        task_id: str,
        action: RepairAction,
        *,
        parameters: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        attempt: int | None = None,
    ) -> RepairPlan:
        body = {"action": action, "parameters": dict(parameters or {}), "outputs": dict(outputs or {})}
        body = _decided(body, attempt)
        return reading.repair_plan(
            self._transport.send("POST", f"/task/{part(task_id)}/repair", body=body, harmless=True)
        )

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
        idempotency_key: str | None = None,
    ) -> ProcessInstance | None:
        """As the engine's; without an ``idempotency_key`` one is made, so that no try again gives it twice."""
        body = _message(name, payload, business_key, process_instance_id, correlation, ttl)
        taken = self._transport.send("POST", "/message", body=body, headers=_once(idempotency_key), harmless=True)
        return None if taken is None else self.get(taken["processInstanceId"])

    def correlate(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
        ttl: float | None = None,
        idempotency_key: str | None = None,
    ) -> MessageReceipt:
        """As the engine's; without an ``idempotency_key`` one is made, so that no try again gives it twice."""
        body = _message(name, payload, business_key, process_instance_id, correlation, ttl)
        headers = _once(idempotency_key)
        return reading.message_receipt(
            self._transport.send("POST", "/message/receipt", body=body, headers=headers, harmless=True)
        )

    def signal(
        self, name: str, payload: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> list[str]:
        """As the engine's; without an ``idempotency_key`` one is made, so that no try again gives it twice."""
        body = {"name": name, "payload": dict(payload or {})}
        headers = _once(idempotency_key)
        found = self._transport.send("POST", "/signal", body=body, headers=headers, harmless=True)
        return list(found["processInstanceIds"])


def _once(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key or str(uuid4())}


def _message(
    name: str,
    payload: Mapping[str, Any] | None,
    business_key: str | None,
    process_instance_id: str | None,
    correlation: str | None,
    ttl: float | None,
) -> dict[str, Any]:
    return {
        "name": name,
        "payload": dict(payload or {}),
        "businessKey": business_key,
        "correlation": correlation,
        "ttl": ttl,
        "processInstanceId": process_instance_id,
    }


def _decided(body: dict[str, Any], attempt: int | None) -> dict[str, Any]:
    """What is sent about a failed task, with the attempt that it is about, if one is named."""
    return body if attempt is None else {**body, "attempt": attempt}
