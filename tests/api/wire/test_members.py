"""What is plain is read as Marshmallow would do it, member by member and error by error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from riverstone.api.wire.members import CountText, Number
from riverstone.api.wire.request_schemas.processes import Message, ProcessStart, Protection, Signal, StartHeaders
from riverstone.api.wire.request_schemas.strict import Strict
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


def kinds(schema: type[Schema]) -> Iterator[type[Schema]]:
    for kind in schema.__subclasses__():
        yield kind
        yield from kinds(kind)


def leaves(field: fields.Field[Any]) -> Iterator[fields.Field[Any]]:
    """A member, and what its items are."""
    inner = [
        each
        for each in (getattr(field, name, None) for name in ("inner", "key_field", "value_field"))
        if each is not None
    ]
    yield field
    for each in inner:
        yield from leaves(each)


@pytest.mark.parametrize("kind", list(kinds(Strict)), ids=lambda kind: kind.__qualname__)
def test_no_member_makes_a_number_or_a_truth_of_something_else(kind: type[Strict]) -> None:
    """``yes`` is not true, 2.7 is not 2 and a text is no number, whichever member it is given for."""
    for member in kind().load_fields.values():
        for leaf in leaves(member):
            assert type(leaf).__module__ != fields.__name__ or not isinstance(
                leaf, fields.Number | fields.Boolean | fields.DateTime
            ), f"{leaf!r} has to be a kind of riverstone.api.wire.members"
            for value in ("yes", "on", "1", "2.7", 0, 1, 2.7, 1.0, True):
                try:
                    found = leaf.deserialize(value)
                except (ValidationError, TypeError):
                    continue
                if type(leaf) is CountText or not isinstance(found, bool | int | float):
                    continue
                assert (type(found), found) == (type(value), value) or (type(leaf) is Number and found == value)
