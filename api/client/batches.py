"""The calls of a client about many processes at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.views.batches import Batch, BatchItem, BatchPreview
from ...engine.views.failures import Reasons
from ...engine.views.pages import Page
from ...models.vocabulary import BatchAction, BatchResult
from . import reading
from .processes import ProcessCalls
from .requests import searched
from .transport import part


class BatchCalls(ProcessCalls):
    """A part of :class:`.client.Client`."""

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
        return reading.batch(self._transport.send("POST", "/batch", query=searched(where), body=body))

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
        """As the engine's; what is done with force or other values undoes the same."""
        query = {"action": action, "elementId": element_id, "deploymentId": deployment_id, **searched(where)}
        query["map"] = [f"{old}={new}" for old, new in (mapping or {}).items()] or None
        return reading.batch_preview(self._transport.get("/batch/preview", **query))

    def failures_by_reason(self, where: Mapping[str, Any] | None = None) -> Reasons:
        return reading.reasons(self._transport.get("/process/reason", **searched(where or {})))

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
