"""What somebody outside tells of a task that was deferred: how it is checked, and kept where it came too early."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ....models import TaskRow
from ...errors import Invalid
from ...ledger import entries, ledger
from ...stones.deferral import read_signature
from ...work import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """A webhook as it came: only its sender can have signed this; the names of ``headers`` are in lower case."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeferredAnswer:
    """What somebody outside tells of a task."""

    result: Literal["done", "failed", "bpmn-error"]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    error_code: str | None = None
    callback: Callback | None = None
    """How it came in, if a signature may be asked for."""


def check(row: TaskRow, told: DeferredAnswer) -> None:
    """Raise Invalid for a callback that is not signed as its task asks."""
    if told.callback is None:
        return
    kept = ledger.kept(row).get("signature")
    signature = None if kept is None else read_signature(kept)
    if signature is not None and not signature.fits(told.callback.body, told.callback.headers):
        text = f"The callback of task {row.id} is not signed as it asks for, in the header {signature.header}."
        raise Invalid(text, code="signature-invalid")


def outcome_of(row: TaskRow, told: DeferredAnswer, attempt: int, delivery: int) -> Outcome:
    """As what came of the present hook of a task."""
    return Outcome(
        task_id=row.id,
        process_instance_id=row.process_instance_id,
        event=row.event,
        attempt=attempt,
        result=told.result,
        outputs=told.outputs,
        reason=told.reason,
        error_code=told.error_code,
        delivery=delivery,
        stone=row.stone or "",
    )


def keep_early(row: TaskRow, told: DeferredAnswer) -> bool:
    """Keep what is told before the task is known to be deferred; false where something was told before."""
    if "early" in ledger.kept(row):
        return False
    kept: dict[str, Any] = {
        "result": told.result,
        "outputs": dict(told.outputs),
        "reason": told.reason,
        "error_code": told.error_code,
    }
    if told.callback is not None:
        body = b64encode(told.callback.body).decode()
        kept["signed"] = {"body": body, "headers": dict(told.callback.headers)}
    ledger.keep(row, early=kept)
    return True


def take_early(row: TaskRow) -> DeferredAnswer | None:
    """What was told before the task was known to be deferred, if that holds; it is kept no more."""
    kept = ledger.kept(row).get("early")
    if kept is None:
        return None
    ledger.drop(row, "early")
    signed = kept.pop("signed", None)
    callback = None if signed is None else Callback(body=b64decode(signed["body"]), headers=signed["headers"])
    told = DeferredAnswer(**kept, callback=callback)
    try:
        check(row, told)
    except Invalid as error:
        entries.log(row, (f"A callback was dropped: {error.message}",))
        return None
    return told
