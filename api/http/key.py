"""``/key``: all processes of a model's key, whatever their version."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, SuspendedKey
from ..wire.body import JsonBody
from ..wire.operation import Operations
from ..wire.records import SuspendedKeyRecord
from ..wire.request_schemas.processes import KeySuspension, ModelKey

OPERATIONS = Operations()


@OPERATIONS.add("/key/suspended", "List the keys of whose processes nothing begins", SuspendedKeyRecord, many=True)
def get_suspended_keys(engine: Engine) -> tuple[SuspendedKey, ...]:
    return engine.suspended_keys()


@OPERATIONS.add(
    "/key/suspend",
    "Let nothing begin in the processes of a key; what is started waits",
    SuspendedKeyRecord,
    body=JsonBody(KeySuspension),
    problems=(404,),
    scope="deploy",
)
def put_suspend_key(engine: Engine, body: dict[str, Any]) -> SuspendedKey:
    return engine.suspend_key(**body)


@OPERATIONS.add(
    "/key/unsuspend",
    "Let the processes of a suspended key go on",
    SuspendedKeyRecord,
    many=True,
    body=JsonBody(ModelKey),
    problems=(409,),
    scope="deploy",
)
def put_unsuspend_key(engine: Engine, body: dict[str, Any]) -> tuple[SuspendedKey, ...]:
    engine.unsuspend_key(body["key"])
    return engine.suspended_keys()
