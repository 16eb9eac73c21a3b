"""Where a stone's parameters come from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

from riverstone.engine.errors import ExpressionError, Invalid, ReferenceNotFound
from riverstone.engine.language.context import Context
from riverstone.engine.language.expressions import compile_value
from riverstone.engine.limits import Limits
from riverstone.engine.stones.declarations.declaration import ParameterDeclaration
from riverstone.engine.stones.declarations.parameters import masked, no_echo, resolve_parameters, typed, unfit
from riverstone.engine.stones.hooks.task_info import TaskInfo
from riverstone.engine.stones.registry import declaration_of
from riverstone.engine.stones.remote import declared, stone_of
from riverstone.engine.stones.stone import Stone

LIMITS = Limits()


class Server(Stone):
    """A server of the cloud."""

    code = "SIP::EC2::Server"
    parameters = {
        "instanceType": fields.String(required=True, metadata={"display_name": "Type", "visible": True}),
        "count": fields.Integer(load_default=1),
        "password": fields.String(metadata={"no_echo": True}),
        "region": fields.String(metadata={"allowed_values": ["bcc", "beijin"]}),
    }


class Order(Stone):
    """An order with a date."""

    code = "Order"
    parameters = {
        "day": fields.Date(required=True),
        "since": fields.Date(load_default=date(2020, 1, 2)),
        "size": fields.String(validate=validate.OneOf(["s", "m"])),
    }


class Loose(Stone):
    """A stone that declares nothing."""

    code = "loose"


def resolve(
    stone: type[Stone],
    parameters: dict[str, Any],
    inputs: Mapping[str, Any] | None = None,
    *,
    namespace: str = "slave-",
    run: int | None = None,
) -> dict[str, Any]:
    compiled = {name: compile_value(value, limits=LIMITS) for name, value in (inputs or {}).items()}
    return resolve_parameters(stone, compiled, Context(parameters), namespace=namespace, run=run, label="'Task_server'")


def test_each_source_gives_way_to_the_one_before_it() -> None:
    sources: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"instanceType": "by name"}, {}),
        ({"SIP::EC2::Server": {"instanceType": "by code"}}, {}),
        ({"slave-": {"instanceType": "by namespace"}}, {}),
        ({"slave-3": {"instanceType": "by run"}}, {}),
        ({}, {"instanceType": "by input"}),
    ]
    parameters: dict[str, Any] = {}
    for given, inputs in sources:
        parameters |= given
        expected = next(
            iter([*inputs.values(), *(v if isinstance(v, str) else v["instanceType"] for v in given.values())])
        )

        assert resolve(Server, parameters, inputs, run=3)["instanceType"] == expected


def test_another_run_of_the_node_takes_what_all_runs_share() -> None:
    parameters = {"slave-": {"instanceType": "m2"}, "slave-3": {"instanceType": "m3", "count": 5}}

    assert [resolve(Server, parameters, run=run)["instanceType"] for run in (1, 2, 3, None)] == ["m2", "m2", "m3", "m2"]
    assert [resolve(Server, parameters, run=run)["count"] for run in (1, 3)] == [1, 5]


def test_numbers_that_were_sent_as_text_arrive_as_numbers() -> None:
    assert resolve(Server, {"instanceType": "m2", "count": "6"})["count"] == 6


class Size(Schema):
    disks = fields.Integer(data_key="diskCount")


class Sized(Stone):
    """Numbers of each kind, also inside of others."""

    code = "sized"
    parameters = {
        "whole": fields.Integer(),
        "real": fields.Float(),
        "price": fields.Decimal(as_string=True),
        "pause": fields.TimeDelta(),
        "list": fields.List(fields.Integer()),
        "map": fields.Dict(values=fields.Integer()),
        "pair": fields.Tuple((fields.String(), fields.Integer())),
        "size": fields.Nested(Size),
        "sizes": fields.Nested(Size, many=True),
    }


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        *(("whole", value, "whole") for value in (2.7, True, "2.7", "1_0", "\u0661\u0662")),
        *((name, value, name) for name in ("real", "price", "pause") for value in (True, "1_0", "\u0661\u0662")),
        ("list", [1, 2.7], "list.1"),
        ("map", {"a": 2.7}, "map.a"),
        ("pair", ["a", True], "pair.1"),
        ("size", {"diskCount": 2.7}, "size.diskCount"),
        ("sizes", [{"diskCount": 1}, {"diskCount": "1_0"}], "sizes.1.diskCount"),
    ],
)
def test_what_is_no_number_is_not_made_one(name: str, value: Any, where: str) -> None:
    """Python cuts 2.7 to 2, and takes true for 1; the stone made something of another size than it was asked for."""
    for stone in (Sized, stone_of(declared(Sized))) if name in ("whole", "real") else (Sized,):
        with pytest.raises(Invalid) as refused:
            resolve(stone, {name: value})
        assert list(refused.value.errors) == [where]
        assert unfit(stone, name, value)


@pytest.mark.parametrize("value", [2, 2.0, "2", " 2\n", "+2"])
def test_a_whole_number_may_be_said_otherwise(value: Any) -> None:
    assert resolve(Sized, {"whole": value})["whole"] in (2, value)


def test_a_task_that_has_begun_with_a_cut_number_can_be_undone() -> None:
    """What is stored was given before, and the same is made of it."""
    assert typed(Sized, {"whole": 2.7})["whole"] == 2


def test_inputs_that_the_stone_does_not_declare_are_passed_along() -> None:
    found = resolve(Server, {"instanceType": "m2", "x": 1}, {"tags": ["${x}", "b"]})

    assert found["tags"] == [1, "b"]
    assert resolve(Loose, {"x": 1, "loose": {"y": 2}}, {"a": "${x}"}) == {"a": 1}


def test_an_input_that_a_form_left_empty_counts_as_none_was_given() -> None:
    empty = {"instanceType": None, "count": None, "region": None, "extra": None}

    found = resolve(Server, {"instanceType": "m1", "region": "bcc"}, empty)

    assert found == {"instanceType": "m1", "count": 1, "region": "bcc", "extra": None}


def test_a_value_from_the_variables_is_not_read_as_an_expression() -> None:
    assert resolve(Server, {"instanceType": "${count}"})["instanceType"] == "${count}"


def test_everything_that_is_missing_or_wrong_is_told_at_once_with_where_it_was_sought() -> None:
    with pytest.raises(Invalid) as caught:
        resolve(Server, {"count": "many", "region": "mars", "slave-": "no object"}, run=2)

    assert caught.value.code == "parameters-invalid"
    assert set(caught.value.errors) == {"count", "instanceType"}
    for part in ("Task_server", "SIP::EC2::Server", "parameters.slave-2", "parameters.slave-", "instanceType"):
        assert part in caught.value.message


def test_a_value_outside_of_the_allowed_ones_is_refused() -> None:
    with pytest.raises(Invalid, match="bcc"):
        resolve(Server, {"instanceType": "m2", "region": "mars"})


def test_an_input_that_refers_to_nothing_names_the_node_the_parameter_and_the_path() -> None:
    with pytest.raises(ReferenceNotFound) as caught:
        resolve(Server, {}, {"instanceType": "m2-${outputs.choice.type}"})

    assert caught.value.path == "outputs.choice.type"
    for part in ("Task_server", "instanceType", "outputs.choice.type"):
        assert part in caught.value.message
    with pytest.raises(ExpressionError, match=r"'count' of node 'Task_server'.*order"):
        resolve(Server, {"x": {}}, {"count": "${x > 1}"})


def test_what_is_stored_is_json_and_what_the_stone_sees_is_typed() -> None:
    stored = resolve(Order, {"day": "2024-02-29"})

    assert stored == {"day": "2024-02-29", "since": "2020-01-02"}
    assert typed(Order, stored) == {"day": date(2024, 2, 29), "since": date(2020, 1, 2)}
    assert typed(Server, {"instanceType": "m2"}) == {"instanceType": "m2"}


class Far(Stone):
    """A stone whose field takes what JSON cannot say."""

    code = "Far"
    parameters = {"most": fields.Float(allow_nan=True)}


class Endless(Far):
    """The same as a default."""

    code = "Endless"
    parameters = {"most": fields.Float(load_default=float("inf"))}


@pytest.mark.parametrize("text", ["inf", "1e400"])
def test_a_number_without_an_end_is_stored_as_the_text_that_says_it(text: str) -> None:
    """No store takes it otherwise, and the task could neither begin nor fail."""
    stored = resolve(Far, {"most": text})

    assert stored == {"most": text}
    assert typed(Far, stored) == {"most": float("inf")}
    with pytest.raises(Invalid, match="is NaN or infinite"):
        resolve(Endless, {})


def test_secret_parameters_are_masked_by_their_name() -> None:
    assert masked({"password": "s3cret", "count": 1}, no_echo(Server)) == {"password": "*****", "count": 1}


def test_a_form_learns_what_a_stone_takes_puts_out_and_can_do() -> None:
    declared = declaration_of(Server)
    kind, count, password, region = declared.parameters

    assert kind == ParameterDeclaration(name="instanceType", type="string", required=True, display_name="Type")
    assert (count.type, count.default) == ("integer", 1)
    assert password.no_echo
    assert region.allowed_values == ("bcc", "beijin")
    assert [entry.default for entry in declaration_of(Order).parameters] == [None, "2020-01-02", None]
    assert declaration_of(Order).parameters[2].allowed_values == ("s", "m")


def test_a_stone_is_declared_with_its_words_its_hooks_and_its_secrets() -> None:
    class Account(Stone):
        """Somebody's account.

        Made by hand.
        """

        code = "SIP::Account"
        outputs = {"login": "the name"}
        secret_outputs = frozenset({"password"})
        serves = {"regionId": "bcc"}

        def start(self, task: TaskInfo) -> None: ...
        def delete(self, task: TaskInfo) -> None: ...

    declared = declaration_of(Account)

    assert (declared.code, declared.description) == ("SIP::Account", "Somebody's account.\n\nMade by hand.")
    assert (declared.hooks, declared.serves) == (("start", "delete"), {"regionId": "bcc"})
    assert [(output.name, output.secret) for output in declared.outputs] == [("login", False), ("password", True)]
    assert declaration_of(Stone).hooks == ()
