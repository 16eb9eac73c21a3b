"""What a worker is told to do: one task's event as a message."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from ...models.vocabulary import HOOKS
from .. import jsontext
from ..errors import Invalid
from ..work import ProcessFacts, Work
from .message_values import one_of, whole


def work_text(work: Work) -> str:
    """One task's event as the body of a Celery message (protocol 2), for ``messages.TASK``."""
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
            task_id=whole(decoded["task_id"]),
            process_instance_id=whole(decoded["process_instance_id"]),
            stone=decoded["stone"],
            event=one_of(HOOKS, decoded["event"]),
            attempt=whole(decoded["attempt"]),
            delivery=whole(decoded["delivery"]),
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
            run=None if decoded.get("run") is None else whole(decoded["run"]),
            deadline=None if decoded.get("deadline") is None else whole(decoded["deadline"]),
            saved=jsontext.dumps(decoded["saved"]) if decoded.get("saved") else None,
            hook=None if decoded.get("hook") is None else one_of(HOOKS, decoded["hook"]),
            parameters=jsontext.dumps(decoded["parameters"]),
            outputs=jsontext.dumps(decoded["outputs"]) if decoded.get("outputs") else None,
            state=jsontext.dumps(decoded["state"]) if decoded.get("state") else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Invalid(f"This is no work: {type(error).__name__}: {error}.", code="message-invalid") from error


FRESH: Final = 100
"""Milliseconds for which a work is taken to be as it was sent; the clocks of the two machines may differ by that."""


def is_fresh(decoded: Mapping[str, Any]) -> bool:
    """Whether a work was sent just now, so that its hook may begin without asking for it."""
    try:
        return abs(time.time_ns() // 1_000_000 - whole(decoded["sent"])) <= FRESH
    except (KeyError, TypeError, ValueError, OverflowError):
        return False
