"""What is said of stones."""

from __future__ import annotations

from marshmallow import fields, validate

from ....models.vocabulary import Hook
from ..members import Flag, Number, Text, Texts, Word
from .strict import ParameterType, Strict


class DeclaredParameter(Strict):
    """What a stone takes."""

    name = Text(required=True)
    type = Word(ParameterType)
    required = Flag()
    no_echo = Flag(data_key="noEcho", metadata={"description": "Whether it is secret."})
    description = Text(longest=4000)


class StoneDeclared(Strict):
    """A stone whose tasks workers fetch over HTTP."""

    code = Text(required=True, description="By which models name it, and under which workers fetch it.")
    hooks = fields.List(
        Word(Hook), metadata={"description": "All that it has; each but start is fetched as CODE.HOOK."}
    )
    parameters = fields.List(
        fields.Nested(DeclaredParameter), metadata={"description": "Without any it takes all variables."}
    )
    outputs = Texts(metadata={"description": "What it puts out, by name, in words."})
    display_name = Text(data_key="displayName")
    description = Text(longest=4000)
    monitor_interval = Number(data_key="monitorInterval", validate=validate.Range(0, 10**6))
    grace = Number(validate=validate.Range(0, 10**6))


class StoneCode(Strict):
    """Which stone is meant."""

    code = Text(required=True, description="By which models name it.")


class StoneSuspension(StoneCode):
    """A stone of which nothing is to begin."""

    reason = Text(longest=1000, allow_none=True, description="Why, for whoever looks at it.")
