"""Carrying out one event of a stone, and what came of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal

from ...models.vocabulary import UNDO_KINDS
from .. import failpoints, jsontext
from ..coroutines import refuse_unrun
from ..errors import BpmnError, Invalid, NotFound, RiverstoneError
from ..limits import Limits
from ..observing import logs, tracing
from ..work import MOST_LOG_LINES, Outcome, StopRequest, Work
from .parameters import typed
from .stone import Stone
from .task_info import TaskInfo

logger = logging.getLogger("riverstone.stone")


def perform(
    stone: type[Stone],
    work: Work,
    *,
    limits: Limits,
    request: StopRequest,
    on_progress: Callable[[int, str | None], None] | None = None,
) -> Outcome:
    """Call the hook; whatever it raises becomes a failure with a reason, never an exception of the engine."""
    if not tracing.is_on():
        return _carry_out(stone, work, limits, request, on_progress)
    return tracing.performed(work, lambda: _carry_out(stone, work, limits, request, on_progress))


def _carry_out(
    stone: type[Stone],
    work: Work,
    limits: Limits,
    request: StopRequest,
    on_progress: Callable[[int, str | None], None] | None,
) -> Outcome:
    info: TaskInfo | None = None
    began = time.perf_counter()
    try:
        parameters = typed(stone, jsontext.read(work.parameters))
        info = TaskInfo(work, parameters, limits=limits, request=request, on_progress=on_progress)
        failpoints.reach("before-hook")
        returned = getattr(stone(), work.event)(info)
        if returned is not None:
            _take(returned, work, info)
        failpoints.reach("after-hook")
        _check_state(info.state, limits)
        if work.event != "monitor" or returned:
            return _outcome(work, info, began, "done")
        if _is_unchanged(work, info):
            return _unchanged(stone, work, info, began)
        outcome = _outcome(work, info, began, "again")
        outcome.interval = stone.monitor_interval
        return outcome
    except NotFound as error:
        if work.event in UNDO_KINDS:
            return _outcome(work, info, began, "done", reason=f"already gone: {_text(error)}".rstrip(": "))
        return _outcome(work, info, began, "failed", reason=_reason(error))
    except BpmnError as error:
        result: Literal["failed", "bpmn-error"] = "failed" if work.event in UNDO_KINDS else "bpmn-error"
        return _outcome(work, info, began, result, reason=_reason(error), error_code=_clean(str(error.error_code)))
    except BaseException as error:
        # Only the main thread is interrupted from outside: anywhere else it is the stone that says so.
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        about = logs.about(
            process_instance_id=work.process_instance_id, task_id=work.task_id, stone=work.stone, event=work.event
        )
        logger.info("task %s: %s of %s: %s", work.task_id, work.event, work.stone, logs.where(error), extra=about)
        return _outcome(work, info, began, "failed", reason=_reason(error))


def _take(returned: object, work: Work, info: TaskInfo) -> None:
    """Let nothing that a hook returns be lost without a word."""
    if work.event == "start" and isinstance(returned, Mapping):
        for name, value in returned.items():
            info.add_output(name, value)
        return
    refuse_unrun(returned, f"The hook {work.event!r} of the stone {work.stone!r}")
    if work.event != "monitor":
        info.log(f"{work.event} returned {type(returned).__name__}, which is not used: call task.add_output.")


def _is_unchanged(work: Work, info: TaskInfo) -> bool:
    """Whether a look has told nothing that the ledger does not hold; never so the first one."""
    if work.progress < 0 or info.put_out or info.logged or info.percent not in (None, work.progress):
        return False
    return jsontext.dumps(info.state) == (work.state or "{}")


def _unchanged(stone: type[Stone], work: Work, info: TaskInfo, began: float) -> Outcome:
    """What comes of such a look, without all that it has not told."""
    return Outcome(
        task_id=work.task_id,
        process_instance_id=work.process_instance_id,
        event=work.event,
        attempt=work.attempt,
        result="again",
        state=info.state,
        delivery=work.delivery,
        stone=work.stone,
        seconds=time.perf_counter() - began,
        interval=stone.monitor_interval,
        unchanged=True,
    )


def _check_state(state: object, limits: Limits) -> None:
    if type(state) is not dict:
        raise Invalid(f"The state must stay an object, not become {type(state).__name__}.", code="state-invalid")
    if not state:
        return
    jsontext.check(state, limits=limits, name="state")
    if jsontext.weigh(state, limits.output_size) > limits.output_size:
        text = f"The state is over the limit output_size ({limits.output_size} bytes)."
        raise Invalid(text, code="state-too-large")


def _reason(error: BaseException) -> str:
    text = _text(error)
    if isinstance(error, (RiverstoneError, BpmnError)):
        return text
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind


def _text(error: BaseException) -> str:
    """What an error says of itself, if it can."""
    try:
        return _clean(str(getattr(error, "message", "") or error))[:2000]
    except Exception:
        return ""


def _clean(text: str) -> str:
    """The text without what no database keeps."""
    return jsontext.NOT_STORABLE.sub("", text)


def _outcome(
    work: Work,
    info: TaskInfo | None,
    began: float,
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
        outputs=dict(info.put_out) if info and info.put_out else {},
        state=info.state if info and result == "again" else None,
        progress=info.percent if info else None,
        log=tuple([_clean(line) for line in info.logged[-MOST_LOG_LINES:]]) if info and info.logged else (),
        reason=reason,
        error_code=error_code,
        delivery=work.delivery,
        stone=work.stone,
        seconds=time.perf_counter() - began,
    )
