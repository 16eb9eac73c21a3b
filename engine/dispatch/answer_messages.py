"""What a worker answers: what came of the work that it was told to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from ...models.vocabulary import HOOKS, CheckState
from .. import jsontext
from ..errors import Invalid
from ..limits import Limits
from ..mask import cut
from ..stones.deferral import LONGEST_DEFERRAL, read_signature
from ..work import LONGEST_LOG_LINE, LONGEST_PAUSE, LONGEST_REASON, MOST_LOG_LINES, Outcome, Result
from .message_values import one_of, text_of, whole

RESULT_WORDS = get_args(Result)
TOLD = (
    "outputs",
    "state",
    "parameters",
    "progress",
    "log",
    "reason",
    "error_code",
    "timeout",
    "signature",
    "found",
    "later",
    "fatal",
    "gone",
    "unbegun",
)
"""What an answer has where there is something to tell."""


def answer_text(outcome: Outcome) -> str:
    """What came of a work, for ``messages.RESULTS``."""
    content: dict[str, Any] = {
        "kind": "answer",
        "task_id": str(outcome.task_id),
        "process_instance_id": str(outcome.process_instance_id),
        "event": outcome.event,
        "attempt": outcome.attempt,
        "delivery": outcome.delivery,
        "result": outcome.result,
        "stone": outcome.stone,
        "seconds": round(outcome.seconds, 6),
    }
    if outcome.token_taken:
        content["token_taken"] = True
    for name in TOLD:
        value = getattr(outcome, name)
        if value is not None and (value or name in ("state", "progress")):
            content[name] = list(value) if name == "log" else value
    return jsontext.dumps(content)


def read_answer(decoded: Mapping[str, Any], limits: Limits) -> Outcome:
    """The outcome that an answer tells; one that says which work it is about and is wrong otherwise is a failure.

    Raises Invalid for what does not tell even that.
    """
    try:
        event = one_of(HOOKS, decoded["event"])
        task = (
            whole(decoded["task_id"]),
            whole(decoded["process_instance_id"]),
            whole(decoded["attempt"]),
            whole(decoded["delivery"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"This is no answer: {type(error).__name__}: {error}.", code="message-invalid") from error
    task_id, process_instance_id, attempt, delivery = task
    try:
        content = _content(decoded, limits)
    except (Invalid, TypeError, ValueError, OverflowError) as error:
        content = {"result": "failed", "reason": f"The worker's answer is wrong: {error}"}
    return Outcome(
        task_id=task_id,
        process_instance_id=process_instance_id,
        event=event,
        attempt=attempt,
        delivery=delivery,
        **content,
    )


def _content(decoded: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    result = one_of(RESULT_WORDS, decoded.get("result"))
    if result == "again" and decoded["event"] != "monitor":
        raise Invalid("only a monitor is asked again.")
    supplied = (decoded.get("parameters") or {}) if result == "supplied" else None
    if supplied is not None and decoded["event"] not in ("start", "mock"):
        raise Invalid("only a task that begins is supplied with parameters.")
    if result == "deferred" and decoded["event"] != "start":
        raise Invalid("only a start can be deferred.")
    timeout, signature = decoded.get("timeout"), decoded.get("signature")
    if timeout is not None and not 0 < float(timeout) < LONGEST_DEFERRAL:
        raise Invalid("timeout is no number of seconds.")
    later = None if decoded.get("later") is None else float(decoded["later"])
    if later is not None and not 0 < later <= LONGEST_PAUSE:
        raise Invalid("later is no number of seconds up to a day.")
    outputs, state, log = decoded.get("outputs") or {}, decoded.get("state"), decoded.get("log") or []
    for name, value in (("outputs", outputs), ("state", state), ("parameters", supplied), ("signature", signature)):
        if value is not None and not isinstance(value, dict):
            raise Invalid(f"{name} is no object.")
        if value:
            jsontext.check(value, limits=limits, name=name)
            if jsontext.weigh(value, limits.output_size) > limits.output_size:
                raise Invalid(f"{name} is over the limit output_size ({limits.output_size} bytes).")
    if not isinstance(log, list) or "" in outputs:
        raise Invalid("log is no list, or an output has no name.")
    seconds = decoded.get("seconds") or 0.0
    progress, reason, code = decoded.get("progress"), decoded.get("reason"), decoded.get("error_code")
    return {
        "result": result,
        "outputs": outputs,
        "state": state if result == "again" else None,
        "parameters": supplied,
        "timeout": None if timeout is None else float(timeout),
        "signature": None if signature is None else read_signature(signature).kept(),
        "token_taken": bool(decoded.get("token_taken")) or result == "deferred",
        "progress": None if progress is None else max(0, min(100, int(progress))),
        "log": tuple(cut(text_of(line), LONGEST_LOG_LINE) for line in log[-MOST_LOG_LINES:]),
        "reason": None if reason is None else cut(text_of(reason), LONGEST_REASON),
        "error_code": None if code is None else text_of(code),
        "stone": text_of(decoded.get("stone", ""))[:255],
        "fatal": bool(decoded.get("fatal")),
        "gone": bool(decoded.get("gone")),
        "unbegun": result == "failed" and bool(decoded.get("unbegun")),
        "later": later,
        "found": None if decoded.get("found") is None else one_of(get_args(CheckState), decoded["found"]),
        "seconds": max(0.0, float(whole(seconds) if isinstance(seconds, int) else seconds)),
    }
