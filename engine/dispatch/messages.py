"""What engines and workers on other machines say to one another, as plain JSON.

``docs/workers.md`` tells the whole of it and ``messages.schema.json`` beside this file is its schema. Ids are texts,
since not every language keeps a large number whole.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from ...models.vocabulary import HOOKS, UNDO_MONITORS, CheckState, Hook
from .. import jsontext
from ..errors import Invalid
from ..limits import Limits
from ..mask import cut
from ..stones.deferral import LONGEST_DEFERRAL, read_signature
from ..stones.stone import Stone
from ..work import (
    LONGEST_LOG_LINE,
    LONGEST_PAUSE,
    LONGEST_REASON,
    MOST_LOG_LINES,
    LiveLines,
    Outcome,
    ProcessFacts,
    Result,
    Saving,
    Work,
)

RESULTS: Final = "riverstone.results"
"""The queue of answers, declarations, and what workers or the broker have given up."""
SIGNS: Final = "riverstone.signs"
"""The queue of what may be lost: signs of life and reports of progress."""
PERMITS: Final = "riverstone.permits."
"""What the names of the queues begin with in which workers hear what engines say to their questions."""
TASK: Final = "riverstone.perform"
"""The name of the Celery task whose one argument is a work."""
LONGEST_NAME = 255
RESULT_WORDS = get_args(Result)


def queue_of(stone: type[Stone], event: str) -> str:
    """Where tasks of this stone wait for a worker: ``[business value.]code[.event]``, as ``beijing.Volume.monitor``.

    A start (and the mock of one) has no event. The business values are what the stone serves.
    """
    values = [value if isinstance(value, str) else jsontext.dumps(value) for value in stone.serves.values()]
    name = ".".join([*values, stone.code, *([] if event in ("start", "mock") else [event])])
    if len(name.encode()) > LONGEST_NAME:
        raise Invalid(f"The queue {name!r} has a longer name than a broker takes ({LONGEST_NAME} bytes).")
    return name


def queues_of(stone: type[Stone]) -> list[str]:
    """Every queue of this stone's hooks."""
    events: list[Hook] = [event for event in HOOKS if event == "start" or stone.has(event)]
    # What looks at an undo goes the way of all monitors.
    events = ["monitor" if event in UNDO_MONITORS.values() else event for event in events]
    return list(dict.fromkeys(queue_of(stone, event) for event in events))


def work_text(work: Work) -> str:
    """One task's event as the body of a Celery message (protocol 2), for :data:`TASK`."""
    head = jsontext.dumps(
        {
            "task_id": str(work.task_id),
            "process_instance_id": str(work.process_instance_id),
            "stone": work.stone,
            "event": work.event,
            "attempt": work.attempt,
            "delivery": work.delivery,
            "idempotency_key": work.idempotency_key,
            "start_key": work.start_key,
            "namespace": work.namespace,
            "element_id": work.element_id,
            "name": work.name,
            "phase": work.phase,
            "traceparent": work.traceparent,
            **({"hook": work.hook} if work.hook is not None else {}),
            **({"references": list(work.references)} if work.references else {}),
            **({"process": work.process._asdict()} if work.process is not None else {}),
            **({"run": work.run} if work.run is not None else {}),
            **({"deadline": work.deadline} if work.deadline is not None else {}),
            **({"saved": jsontext.read(work.saved)} if work.saved else {}),
            **({"token": work.token, "callback_url": work.callback_url} if work.token else {}),
            "sent": time.time_ns() // 1_000_000,
        }
    )
    # These are JSON already, and may be long.
    values = f'"parameters":{work.parameters},"outputs":{work.outputs or "{}"},"state":{work.state or "{}"}'
    embedded = '{"callbacks":null,"errbacks":null,"chain":null,"chord":null}'
    return f'[[],{{"work":{head[:-1]},{values}}}}},{embedded}]'


def read_work(decoded: Mapping[str, Any]) -> Work:
    """The work of a message; raises Invalid."""
    try:
        return Work(
            task_id=_whole(decoded["task_id"]),
            process_instance_id=_whole(decoded["process_instance_id"]),
            stone=decoded["stone"],
            event=_one_of(HOOKS, decoded["event"]),
            attempt=_whole(decoded["attempt"]),
            delivery=_whole(decoded["delivery"]),
            idempotency_key=decoded["idempotency_key"],
            start_key=decoded.get("start_key", ""),
            namespace=decoded["namespace"],
            element_id=decoded["element_id"],
            name=decoded.get("name", ""),
            phase=decoded.get("phase", "running"),
            traceparent=decoded.get("traceparent"),
            token=decoded.get("token") or "",
            callback_url=decoded.get("callback_url"),
            references=tuple(decoded.get("references") or ()),
            process=None if decoded.get("process") is None else ProcessFacts(**decoded["process"]),
            run=None if decoded.get("run") is None else _whole(decoded["run"]),
            deadline=None if decoded.get("deadline") is None else _whole(decoded["deadline"]),
            saved=jsontext.dumps(decoded["saved"]) if decoded.get("saved") else None,
            hook=None if decoded.get("hook") is None else _one_of(HOOKS, decoded["hook"]),
            parameters=jsontext.dumps(decoded["parameters"]),
            outputs=jsontext.dumps(decoded["outputs"]) if decoded.get("outputs") else None,
            state=jsontext.dumps(decoded["state"]) if decoded.get("state") else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Invalid(f"This is no work: {type(error).__name__}: {error}.", code="message-invalid") from error


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
    """What came of a work, for :data:`RESULTS`."""
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
        event = _one_of(HOOKS, decoded["event"])
        task = (
            _whole(decoded["task_id"]),
            _whole(decoded["process_instance_id"]),
            _whole(decoded["attempt"]),
            _whole(decoded["delivery"]),
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
    result = _one_of(RESULT_WORDS, decoded.get("result"))
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
        "log": tuple(cut(_text(line), LONGEST_LOG_LINE) for line in log[-MOST_LOG_LINES:]),
        "reason": None if reason is None else cut(_text(reason), LONGEST_REASON),
        "error_code": None if code is None else _text(code),
        "stone": _text(decoded.get("stone", ""))[:255],
        "fatal": bool(decoded.get("fatal")),
        "gone": bool(decoded.get("gone")),
        "unbegun": result == "failed" and bool(decoded.get("unbegun")),
        "later": later,
        "found": None if decoded.get("found") is None else _one_of(get_args(CheckState), decoded["found"]),
        "seconds": max(0.0, float(_whole(seconds) if isinstance(seconds, int) else seconds)),
    }


FRESH: Final = 100
"""Milliseconds for which a work is taken to be as it was sent; the clocks of the two machines may differ by that."""


def is_fresh(decoded: Mapping[str, Any]) -> bool:
    """Whether a work was sent just now, so that its hook may begin without asking for it."""
    try:
        return abs(time.time_ns() // 1_000_000 - _whole(decoded["sent"])) <= FRESH
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def question_text(work: Work, reply_to: str) -> str:
    """Whether the hook of a work that has waited may begin, for :data:`RESULTS`; the answer goes to a queue."""
    task = {"task_id": str(work.task_id), "delivery": work.delivery}
    return jsontext.dumps({"kind": "may-begin", **task, "reply_to": reply_to})


@dataclass(frozen=True, slots=True)
class Question:
    """A worker asks whether the hook of this delivery may begin."""

    task_id: int
    delivery: int
    reply_to: str


def read_question(decoded: Mapping[str, Any]) -> Question:
    """Raises Invalid."""
    try:
        reply_to = decoded["reply_to"]
        if not isinstance(reply_to, str) or not reply_to.startswith(PERMITS):
            raise ValueError(f"reply_to does not begin with {PERMITS}")
        return Question(_whole(decoded["task_id"]), _whole(decoded["delivery"]), reply_to)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"This is no question: {type(error).__name__}: {error}.", code="message-invalid") from error


def permit_text(question: Question, begin: bool) -> str:
    """The answer to it."""
    task = {"task_id": str(question.task_id), "delivery": question.delivery}
    return jsontext.dumps({"kind": "permit", **task, "begin": begin})


def saving_text(saving: Saving, reply_to: str) -> str:
    """What a start wants kept before it goes on, for :data:`RESULTS`; whether it was is told to a queue."""
    return jsontext.dumps(
        {
            "kind": "save",
            "task_id": str(saving.task_id),
            "process_instance_id": str(saving.process_instance_id),
            "event": saving.event,
            "attempt": saving.attempt,
            "delivery": saving.delivery,
            "number": saving.number,
            "name": saving.name,
            "value": saving.value,
            "reply_to": reply_to,
        }
    )


def read_saving(decoded: Mapping[str, Any], limits: Limits) -> tuple[Saving, str]:
    """The same, with the queue that is to hear of it; raises Invalid."""
    try:
        reply_to, name = decoded["reply_to"], decoded["name"]
        if not isinstance(reply_to, str) or not reply_to.startswith(PERMITS):
            raise ValueError(f"reply_to does not begin with {PERMITS}")
        if not isinstance(name, str) or not name or decoded["event"] != "start":
            raise ValueError("only a start saves, and under a name")
        saving = Saving(
            task_id=_whole(decoded["task_id"]),
            process_instance_id=_whole(decoded["process_instance_id"]),
            event="start",
            attempt=_whole(decoded["attempt"]),
            delivery=_whole(decoded["delivery"]),
            number=_whole(decoded["number"]),
            name=name,
            value=decoded["value"],
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"This is nothing to save: {type(error).__name__}: {error}.", code="message-invalid") from error
    jsontext.check({name: saving.value}, limits=limits, name="what is saved")
    return saving, reply_to


def saved_text(saving: Saving, refused: str | None) -> str:
    """What came of it: why it was not kept, or nothing."""
    told = {"task_id": str(saving.task_id), "attempt": saving.attempt, "delivery": saving.delivery}
    return jsontext.dumps({"kind": "saved", **told, "number": saving.number, "refused": refused})


@dataclass(frozen=True, slots=True)
class Sign:
    """A worker has this delivery of a task in hand; ``running`` tells that its hook has been called."""

    task_id: int
    delivery: int
    running: bool


def signs_text(signs: list[Sign]) -> str:
    """Signs of life, for :data:`SIGNS`."""
    tasks = [{"task_id": str(each.task_id), "delivery": each.delivery, "running": each.running} for each in signs]
    return jsontext.dumps({"kind": "signs", "tasks": tasks})


def read_signs(decoded: Mapping[str, Any]) -> list[Sign]:
    """Raises Invalid."""
    try:
        return [
            Sign(_whole(each["task_id"]), _whole(each["delivery"]), bool(each.get("running")))
            for each in decoded["tasks"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Invalid(f"These are no signs: {type(error).__name__}: {error}.", code="message-invalid") from error


def log_text(told: LiveLines) -> str:
    """What a hook has logged so far, for :data:`SIGNS`."""
    return jsontext.dumps(
        {
            "kind": "log",
            "task_id": str(told.task_id),
            "process_instance_id": str(told.process_instance_id),
            "event": told.event,
            "attempt": told.attempt,
            "delivery": told.delivery,
            "first": told.first,
            "lines": list(told.lines),
        }
    )


def read_lines(decoded: Mapping[str, Any]) -> LiveLines:
    """Raises Invalid."""
    try:
        task, process, attempt, delivery, first = (
            _whole(decoded[name]) for name in ("task_id", "process_instance_id", "attempt", "delivery", "first")
        )
        event, lines = _one_of(HOOKS, decoded["event"]), decoded["lines"]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"These are no lines: {type(error).__name__}: {error}.", code="message-invalid") from error
    if not isinstance(lines, list):
        raise Invalid("These are no lines of a hook.", code="message-invalid")
    return LiveLines(
        task_id=task,
        process_instance_id=process,
        event=event,
        attempt=attempt,
        delivery=delivery,
        first=first,
        lines=tuple(cut(_text(line), LONGEST_LOG_LINE) for line in lines[:MOST_LOG_LINES]),
    )


def progress_text(work: Work, percent: int) -> str:
    """How far a running task is, for :data:`SIGNS`."""
    return jsontext.dumps(
        {
            "kind": "progress",
            "task_id": str(work.task_id),
            "process_instance_id": str(work.process_instance_id),
            "attempt": work.attempt,
            "percent": percent,
        }
    )


def read(body: str | bytes) -> Mapping[str, Any]:
    """A message as an object with a kind; raises Invalid for anything else."""
    try:
        decoded = json.loads(body, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The message is no JSON: {error}.", code="message-invalid") from error
    named = decoded[1] if isinstance(decoded, list) and len(decoded) == 3 else None
    if isinstance(named, dict) and isinstance(named.get("work"), dict):
        # A task's own message that the broker has given up delivering.
        return {**named["work"], "kind": "lost"}
    if not isinstance(decoded, dict) or not isinstance(decoded.get("kind"), str):
        raise Invalid("The message is no object with a kind.", code="message-invalid")
    return decoded


LARGEST: Final = 10**18
"""Above every id and count, and within what every database and a C program take."""


def _whole(value: Any) -> int:
    number = int(value)
    if not -1 <= number < LARGEST:
        raise ValueError("a number is out of range")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is no finite one")
    return number


def _one_of(words: tuple[str, ...], word: Any) -> Any:
    if word not in words:
        raise ValueError(f"{str(word)[:50]!r} is none of {', '.join(words)}")
    return word


def _text(value: Any) -> str:
    return jsontext.storable(str(value))
