"""Carrying out one event of a stone, and what came of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from . import jsontext
from .errors import BpmnError, NotFound, RiverstoneError
from .limits import Limits
from .parameters import typed
from .stone import UNDO_EVENTS, Stone
from .task_info import Request, TaskInfo, Work

logger = logging.getLogger("riverstone.stone")

MOST_LOG_LINES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What one event of one task came to; ``again`` is a monitor that is not done yet."""

    task_id: int
    process_instance_id: int
    event: str
    attempt: int
    result: Literal["done", "again", "failed", "bpmn-error"]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] | None = None
    progress: int | None = None
    log: tuple[str, ...] = ()
    reason: str | None = None
    error_code: str | None = None


def perform(
    stone: type[Stone],
    work: Work,
    *,
    limits: Limits,
    request: Request,
    on_progress: Callable[[int, str | None], None] | None = None,
) -> Outcome:
    """Call the hook; whatever it raises becomes a failure with a reason, never an exception of the engine."""
    info: TaskInfo | None = None
    try:
        parameters = typed(stone, json.loads(work.parameters))
        info = TaskInfo(work, parameters, limits=limits, request=request, on_progress=on_progress)
        returned = getattr(stone(), work.event)(info)
        if info.state:
            jsontext.check(info.state, limits=limits, name="state")
        again = work.event == "monitor" and not returned
        return _outcome(work, info, "again" if again else "done")
    except NotFound as error:
        if work.event in UNDO_EVENTS:
            return _outcome(work, info, "done", reason=f"already gone: {error}".rstrip(": "))
        return _outcome(work, info, "failed", reason=_reason(error))
    except BpmnError as error:
        result: Literal["failed", "bpmn-error"] = "failed" if work.event in UNDO_EVENTS else "bpmn-error"
        return _outcome(work, info, result, reason=_reason(error), error_code=str(error.error_code))
    except (Exception, SystemExit) as error:
        logger.info("task %s: %s of %s failed", work.task_id, work.event, work.stone, exc_info=True)
        return _outcome(work, info, "failed", reason=_reason(error))


def spoilt(outcome: Outcome) -> Outcome:
    """The outcome as a plain failure, for when the engine cannot enter what it really was."""
    reason = "What the stone reported could not be entered; the engine's log tells why."
    return replace(outcome, result="failed", outputs={}, state=None, log=(), reason=reason)


def _reason(error: BaseException) -> str:
    text = str(getattr(error, "message", "") or error).replace("\x00", "")[:2000]
    if isinstance(error, (RiverstoneError, BpmnError)):
        return text
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind


def _outcome(
    work: Work,
    info: TaskInfo | None,
    result: Literal["done", "again", "failed", "bpmn-error"],
    *,
    reason: str | None = None,
    error_code: str | None = None,
) -> Outcome:
    return Outcome(
        task_id=work.task_id,
        process_instance_id=work.process_instance_id,
        event=work.event,
        attempt=work.attempt,
        result=result,
        outputs=info.put_out if info else {},
        state=info.state if info and result == "again" else None,
        progress=info.percent if info else None,
        log=tuple(info.logged[-MOST_LOG_LINES:]) if info else (),
        reason=None if reason is None else reason.encode("utf-8", "replace").decode("utf-8"),
        error_code=error_code,
    )
