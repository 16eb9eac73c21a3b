"""``/batch``: the same done to many processes, what that would do, and how far it is."""

from __future__ import annotations

from typing import Any

from ...engine import Engine
from ...engine.views.batches import Batch, BatchItem, BatchPreview
from ...engine.views.pages import Page
from ..wire.body import JsonBody
from ..wire.operation import Operations, visible
from ..wire.records import BatchItemPage, BatchPage, BatchPreviewRecord, BatchRecord
from ..wire.request_schemas.batches import BatchItemQuery, BatchList, BatchPreviewQuery, BatchRate, BatchRequest
from ..wire.request_schemas.lists import Searched

OPERATIONS = Operations()


@OPERATIONS.add(
    "/batch",
    "Do the same to all processes that the query finds, one after the other",
    BatchRecord,
    body=JsonBody(BatchRequest),
    query=Searched,
    problems=(404,),
)
def post_batches(engine: Engine, body: dict[str, Any], query: dict[str, Any]) -> Batch:
    return visible(engine).batch(body.pop("action"), query, **body)


@OPERATIONS.add("/batch", "List batches, newest first", BatchPage, query=BatchList)
def get_batches(engine: Engine, query: dict[str, Any]) -> Page[Batch]:
    return visible(engine).batches(**query)


@OPERATIONS.add(
    "/batch/preview", "Show what a batch would do", BatchPreviewRecord, query=BatchPreviewQuery, problems=(404,)
)
def get_batch_preview(engine: Engine, query: dict[str, Any]) -> BatchPreview:
    options = {name: query.pop(name) for name in ("element_id", "deployment_id", "mapping") if name in query}
    return visible(engine).preview_batch(query.pop("action"), query, **options)


ONE = "/batch/<batch_id>"


@OPERATIONS.add(ONE, "Show how far a batch is", BatchRecord, problems=(404,))
def get_batch(engine: Engine, batch_id: str) -> Batch:
    return visible(engine).batch_progress(batch_id)


@OPERATIONS.add(
    f"{ONE}/process", "List what came of each process of a batch", BatchItemPage, query=BatchItemQuery, problems=(404,)
)
def get_batch_items(engine: Engine, batch_id: str, query: dict[str, Any]) -> Page[BatchItem]:
    return visible(engine).batch_items(batch_id, **query)


@OPERATIONS.add(f"{ONE}/pause", "Let a batch do nothing more for now", BatchRecord, problems=(404, 409))
def put_batch_pause(engine: Engine, batch_id: str) -> Batch:
    return visible(engine).pause_batch(batch_id)


@OPERATIONS.add(
    f"{ONE}/resume",
    "Let a paused batch go on, perhaps at another rate",
    BatchRecord,
    body=JsonBody(BatchRate, required=False),
    problems=(404, 409),
)
def put_batch_resume(engine: Engine, batch_id: str, body: dict[str, Any]) -> Batch:
    return visible(engine).resume_batch(batch_id, **body)


@OPERATIONS.add(f"{ONE}/stop", "End a batch before its end", BatchRecord, problems=(404, 409))
def put_batch_stop(engine: Engine, batch_id: str) -> Batch:
    return visible(engine).stop_batch(batch_id)
