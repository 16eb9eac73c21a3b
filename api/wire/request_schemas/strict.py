"""Schemas that refuse what they do not know, and the values that several of them take."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from marshmallow import RAISE, Schema, missing

KIND = "Forward runs (start), or the undos of one kind; all unless said otherwise."
STATE = (
    "One of: success, failed, canceled (how its own work ended, even if it was undone later); attention (it waits for a"
    " decision about a failure); person, event, stone (it waits for these); suspended; quota (it waits for its turn to"
    " begin); running (it goes on by itself)."
)
CURSOR = "The cursor of the part before."
ME = "me"
"""In place of a user or group: whoever asks."""
PROCESS = "process_instance_id"
OF_PROCESS = frozenset({PROCESS, "limit", "after"})
"""What is said of the tasks of a process, where all kinds of them are asked for."""
TasksAsked: TypeAlias = Literal["user"]
MODEL_IDS = {"modelId": "model_id", "deploymentId": "deployment_id", "key": "key"}
"""The ways to say what is to be started, by their outside names."""
_COUNT = "[1-9][0-9]{0,3}"
FAILURE_POLICY = f"^(rollback|keep|pause( P(?!$)({_COUNT}D)?(T(?=[1-9])({_COUNT}H)?({_COUNT}M)?({_COUNT}S)?)?)?)$"


class Strict(Schema):
    """Root of what comes in."""

    class Meta:
        unknown = RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        named = [(field.data_key or name, name, field) for name, field in self.load_fields.items()]
        self._plain_members = {
            outside: (name, field.is_plain, field.allow_none)
            for outside, name, field in named
            if hasattr(field, "is_plain")
        }
        self._needed = {outside for outside, _, field in named if field.required or field.load_default is not missing}

    def load(self, data: Any, **options: Any) -> Any:
        """The values by the engine's names, quickly where all of them are plain; raises ValidationError."""
        if type(data) is dict and not options and (plain := self._plain(data)) is not None:
            return plain
        return super().load(data, **options)

    def _plain(self, data: dict[str, Any]) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        for outside, value in data.items():
            name, is_plain, allow_none = self._plain_members.get(outside, ("", None, False))
            if is_plain is None or not (is_plain(value) or (value is None and allow_none)):
                return None
            values[name] = value
        return values if self._needed <= data.keys() and self.is_whole(values) else None

    def is_whole(self, values: dict[str, Any]) -> bool:
        """Whether members that are right one by one are so together."""
        return True


class Nothing(Strict):
    """No member at all."""


def _ids_in(values: dict[str, Any]) -> list[str]:
    return [name for name, attribute in MODEL_IDS.items() if values.get(attribute) is not None]


STRICT = "Whether a breach of a formal rule of BPMN is an error, even where the model can be run."
ON_FAILURE = "What follows a failure where neither the element nor the start says: rollback, pause, keep or pause PT2H."
ON_COMPENSATION = "Whether a compensation has stones undo what they made where no handler is drawn."
ParameterType: TypeAlias = Literal["string", "integer", "float", "boolean", "object", "list", "json"]
