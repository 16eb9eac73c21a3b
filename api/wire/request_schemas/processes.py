"""What starts, moves and stops processes is asked with."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validate, validates_schema

from ....engine.calls.events import LONGEST_TTL
from ....engine.triggers.starts import HIGHEST_PRIORITY, Drain
from ...parking import LONGEST
from ..members import NOT_BLANK, AnyText, CountText, Flag, Number, Object, Text, Whole, Word
from .strict import FAILURE_POLICY, MODEL_IDS, Strict, _ids_in


class ProcessStart(Strict):
    """The body of a start. Exactly one of ``modelId``, ``deploymentId`` and ``key`` is given; null counts as absent."""

    model_id = Text(data_key="modelId", allow_none=True, description="A trial run of this model as it now stands.")
    deployment_id = Text(data_key="deploymentId", allow_none=True, description="This version.")
    key = Text(allow_none=True, description="The newest deployment of this key.")
    name = Text(data_key="processName", required=True, pattern=NOT_BLANK)
    variables = Object(required=True)
    business_key = Text(data_key="businessKey", allow_none=True)
    callback_url = Text(
        data_key="callbackUrl",
        longest=2000,
        allow_none=True,
        pattern="^https?://[!-~]+$",
        description="An address that the operator has listed: it is told what the process comes to.",
    )
    priority = Whole(
        validate=validate.Range(min=-HIGHEST_PRIORITY, max=HIGHEST_PRIORITY),
        metadata={"description": "The higher, the sooner its tasks get a slot of a quota; 0 unless said otherwise."},
    )
    rollback = Flag(metadata={"description": "Whether a failure rolls back; true unless said otherwise."})
    protected = Flag(data_key="deleteProtection", metadata={"description": "Whether a delete is refused."})
    on_failure = Text(
        data_key="onFailure",
        allow_none=True,
        shown=FAILURE_POLICY,
        description="rollback, pause, keep, or pause and for how long before the rollback, such as pause PT2H.",
    )
    drain = Word(
        Drain,
        metadata={
            "description": "After a failure: stop what runs (as unless said otherwise), or let all run to its end."
        },
    )

    def is_whole(self, values: dict[str, Any]) -> bool:
        return len(_ids_in(values)) == 1

    @validates_schema(skip_on_field_errors=False)
    def names_one_model(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse none and several of the three ids."""
        given = _ids_in(data)
        if len(given) == 1:
            return
        found = f"{' and '.join(given)} are given" if given else "none is"
        text = f"Exactly one of modelId, deploymentId and key must be given: {found}."
        raise ValidationError({name: [text] for name in given or MODEL_IDS})


class StartHeaders(Strict):
    """What a start reads from the request's headers."""

    idempotency_key = Text(
        data_key="Idempotency-Key",
        pattern=r"^[!-~]*$",
        description="The same key with the same body gives the same process instance.",
    )
    prefer = AnyText(
        data_key="Prefer",
        metadata={
            "description": "`wait=30`: answer when it has ended or needs somebody, at the latest after so many seconds."
        },
    )


class EventHeaders(Strict):
    """What a message or a signal reads from the request's headers."""

    idempotency_key = Text(
        data_key="Idempotency-Key",
        pattern=r"^[!-~]*$",
        description="The same key with the same body within a day gives it to nobody twice, and the same answer.",
    )


class WaitQuery(Strict):
    """How long a look at a process may wait, and for what."""

    wait = CountText(
        validate=validate.Range(0, LONGEST),
        metadata={"description": "Seconds to wait until it has ended or needs somebody, or differs from `since`."},
    )
    since = Text(description="An ETag of this address: any other is what is waited for; 304 if there is none.")


class Variables(Strict):
    """Variables of a process, new values by name."""

    variables = Object(required=True)
    task_id = Text(data_key="taskId", allow_none=True, description="As they are seen from this open task.")


class Message(Strict):
    """A BPMN message, and whom it is for."""

    name = Text(required=True)
    payload = Object(allow_none=True)
    business_key = Text(data_key="businessKey", allow_none=True)
    correlation = Text(allow_none=True)
    ttl = Number(
        allow_none=True,
        validate=validate.Range(min=0, min_inclusive=False, max=LONGEST_TTL),
        metadata={
            "description": "Seconds for which the message is kept if nobody waits for it yet.",
            "exclusiveMinimum": 0,  # apispec tells of a range as if its end belonged to it
        },
    )
    process_instance_id = Text(data_key="processInstanceId", allow_none=True)


class Signal(Strict):
    """A BPMN signal, for everyone who waits for it."""

    name = Text(required=True)
    payload = Object(allow_none=True)


class ModelKey(Strict):
    """Which processes are meant."""

    key = Text(required=True, description="That of their model.")


class KeySuspension(ModelKey):
    """A key of whose processes nothing is to begin."""

    reason = Text(longest=1000, allow_none=True, description="Why, for whoever looks at it.")


class SuspensionReason(Strict):
    """The optional body of a suspension."""

    reason = Text(longest=1000, allow_none=True, description="Why, for whoever looks at it.")


class Protection(Strict):
    """Whether a delete is refused from now on."""

    protected = Flag(data_key="deleteProtection", required=True)
