"""``/message`` and ``/signal``: reaching process instances from outside."""

from __future__ import annotations

from typing import Any

from ...engine import Engine
from ...engine.views.processes import MessageReceipt, ProcessInstance
from ..wire.body import JsonBody
from ..wire.operation import Operations, refuse_impossible_ids, visible
from ..wire.plain_records import SignalReceivers
from ..wire.records import MessageReceiptRecord, ProcessRecord
from ..wire.request_schemas.processes import EventHeaders, Message, Signal

OPERATIONS = Operations()


@OPERATIONS.add(
    "/message",
    "Send a message to one waiting process",
    ProcessRecord,
    body=JsonBody(Message),
    headers=EventHeaders,
    problems=(404, 409),
    later="Nobody waits for it yet: it is kept for its ttl.",
)
def post_messages(engine: Engine, body: dict[str, Any], headers: dict[str, Any]) -> ProcessInstance | None:
    if body.get("process_instance_id") is not None:
        refuse_impossible_ids({"process_instance_id": body["process_instance_id"]})
    taken: ProcessInstance | None = visible(engine).message(**body, **headers)
    return taken


@OPERATIONS.add(
    "/message/receipt",
    "Send a message, and tell whether a process waited for it, was started by it, or it is kept",
    MessageReceiptRecord,
    body=JsonBody(Message),
    headers=EventHeaders,
    problems=(404, 409),
)
def post_message_receipts(engine: Engine, body: dict[str, Any], headers: dict[str, Any]) -> MessageReceipt:
    if body.get("process_instance_id") is not None:
        refuse_impossible_ids({"process_instance_id": body["process_instance_id"]})
    receipt: MessageReceipt = visible(engine).correlate(**body, **headers)
    return receipt


@OPERATIONS.add(
    "/signal",
    "Send a signal to all that wait for it",
    SignalReceivers,
    body=JsonBody(Signal),
    headers=EventHeaders,
    problems=(409,),
)
def post_signals(engine: Engine, body: dict[str, Any], headers: dict[str, Any]) -> dict[str, list[str]]:
    return {"process_instance_ids": visible(engine).signal(**body, **headers)}
