"""What is plain is read as Marshmallow would do it, member by member and error by error."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from marshmallow import Schema, ValidationError

from riverstone.api.wire import request_schemas as schemas

LEFT_OUT: Any = object()
VALUES = [LEFT_OUT, None, True, 0, 1, 1.5, "", " ", "\n", "x", "a b", "true", "all", "a\x00b"]
VALUES += ["长" * 255, "x" * 256, [], ["1"], [1], {}, {"x": [None]}]
START = {"key": "x", "processName": "x", "variables": {}}
BODIES = [
    (schemas.ProcessStart, START),
    (schemas.DeleteOptions, {"force": True, "retain": ["1"]}),
    (schemas.Rerun, {"parameters": {}}),
    (schemas.Completion, {"outputs": {}}),
    (schemas.Message, {"name": "paid", "businessKey": None, "processInstanceId": "1"}),
    (schemas.Signal, {"name": "paid", "payload": None}),
    (schemas.Protection, {"deleteProtection": False}),
    (schemas.PreviewQuery, {}),
    (schemas.StartHeaders, {"Idempotency-Key": "a b"}),
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
