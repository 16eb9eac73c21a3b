"""What is plain is read as Marshmallow would do it, member by member and error by error."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from marshmallow import Schema, ValidationError

from riverstone.api.wire.request_schemas.processes import Message, ProcessStart, Protection, Signal, StartHeaders
from riverstone.api.wire.request_schemas.tasks import Completion, Rerun
from riverstone.api.wire.request_schemas.undo import DeleteOptions, PreviewQuery

LEFT_OUT: Any = object()
VALUES = [LEFT_OUT, None, True, 0, 1, 1.5, "", " ", "\n", "x", "a b", "true", "all", "a\x00b"]
VALUES += ["长" * 255, "x" * 256, [], ["1"], [1], {}, {"x": [None]}]
START = {"key": "x", "processName": "x", "variables": {}}
BODIES = [
    (ProcessStart, START),
    (DeleteOptions, {"force": True, "retain": ["1"]}),
    (Rerun, {"parameters": {}}),
    (Completion, {"outputs": {}}),
    (Message, {"name": "paid", "businessKey": None, "processInstanceId": "1"}),
    (Signal, {"name": "paid", "payload": None}),
    (Protection, {"deleteProtection": False}),
    (PreviewQuery, {}),
    (StartHeaders, {"Idempotency-Key": "a b"}),
]


def outcome(load: Callable[[Any], Any], sent: Any) -> Any:
    try:
        return load(sent)
    except ValidationError as error:
        return error.normalized_messages()


@pytest.mark.parametrize(("kind", "usual"), BODIES)
def test_a_body_is_read_or_refused_as_marshmallow_does_it(kind: type[Schema], usual: dict[str, Any]) -> None:
    schema = kind()
    for name in (*(field.data_key or name for name, field in schema.load_fields.items()), "other"):
        for value in VALUES:
            sent = {member: given for member, given in {**usual, name: value}.items() if given is not LEFT_OUT}
            assert outcome(schema.load, sent) == outcome(partial(Schema.load, schema), sent), sent
