"""What engines and workers on other machines say to one another, as plain JSON.

``docs/workers.md`` tells the whole of it and ``messages.schema.json`` beside this file is its schema. Ids are texts,
since not every language keeps a large number whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...models.vocabulary import HOOKS, UNDO_MONITORS, Hook
from .. import jsontext
from ..errors import Invalid
from ..limits import Limits
from ..mask import cut
from ..stones.stone import Stone
from ..work import (
    LONGEST_LOG_LINE,
    MOST_LOG_LINES,
    LiveLines,
    Saving,
    Work,
)
from .message_values import finite, one_of, text_of, whole

RESULTS: Final = "riverstone.results"
"""The queue of answers, declarations, and what workers or the broker have given up."""
SIGNS: Final = "riverstone.signs"
"""The queue of what may be lost: signs of life and reports of progress."""
PERMITS: Final = "riverstone.permits."
"""What the names of the queues begin with in which workers hear what engines say to their questions."""
TASK: Final = "riverstone.perform"
"""The name of the Celery task whose one argument is a work."""
LONGEST_NAME = 255


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
        return Question(whole(decoded["task_id"]), whole(decoded["delivery"]), reply_to)
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
            task_id=whole(decoded["task_id"]),
            process_instance_id=whole(decoded["process_instance_id"]),
            event="start",
            attempt=whole(decoded["attempt"]),
            delivery=whole(decoded["delivery"]),
            number=whole(decoded["number"]),
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
            Sign(whole(each["task_id"]), whole(each["delivery"]), bool(each.get("running")))
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
            whole(decoded[name]) for name in ("task_id", "process_instance_id", "attempt", "delivery", "first")
        )
        event, lines = one_of(HOOKS, decoded["event"]), decoded["lines"]
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
        lines=tuple(cut(text_of(line), LONGEST_LOG_LINE) for line in lines[:MOST_LOG_LINES]),
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
        decoded = json.loads(body, parse_float=finite, parse_constant=finite)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The message is no JSON: {error}.", code="message-invalid") from error
    named = decoded[1] if isinstance(decoded, list) and len(decoded) == 3 else None
    if isinstance(named, dict) and isinstance(named.get("work"), dict):
        # A task's own message that the broker has given up delivering.
        return {**named["work"], "kind": "lost"}
    if not isinstance(decoded, dict) or not isinstance(decoded.get("kind"), str):
        raise Invalid("The message is no object with a kind.", code="message-invalid")
    return decoded
