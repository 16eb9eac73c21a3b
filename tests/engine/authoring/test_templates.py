"""What a model demands of its start variables, and what it shows of its results."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverstone.engine.authoring.templates import OutputsTemplate, ParameterTemplate
from riverstone.engine.errors import ExpressionError, Invalid, ReferenceNotFound, VariablesInvalid
from riverstone.engine.language.context import Context
from riverstone.engine.limits import Limits
from riverstone.engine.mask import Mask

LIMITS = Limits()
SERVERS: list[dict[str, Any]] = [
    {"Key": "slaveNum", "DisplayName": "Servers", "Type": "Number", "MinValue": 1, "MaxValue": "10"},
    {"Key": "regionId", "AllowedValues": ["bcc", "beijin"], "DefaultValue": "bcc"},
    {"Key": "zone", "AllowedValues": ["a"], "AllowedCustomization": "true", "DefaultValue": "Ref:regionId"},
    {"Key": "password", "NoEcho": True, "MinLength": 6, "ConstraintDescription": "Six characters at least."},
    {"Key": "instanceType", "NameSpace": "master-1a", "DefaultValue": "m2.large", "Fn::Source": "/types"},
    {"Key": "token", "NameSpace": "master-1a", "NoEcho": "true", "DefaultValue": "Ref:password"},
]


def load(*entries: dict[str, Any]) -> ParameterTemplate:
    return ParameterTemplate.load(list(entries), LIMITS)


def test_variables_are_completed_and_a_text_becomes_the_number_that_it_says() -> None:
    variables = {"other": [1], "slaveNum": "6", "password": "s3cret!", "master-1a": {"size": 1}}

    completed = load(*SERVERS).complete(variables)

    assert completed == {
        "other": [1],
        "slaveNum": 6,
        "password": "s3cret!",
        "master-1a": {"size": 1, "instanceType": "m2.large", "token": "s3cret!"},
        "regionId": "bcc",
        "zone": "bcc",
    }
    assert list(completed)[:4] == list(variables)
    assert variables["master-1a"] == {"size": 1}


def test_a_namespace_that_was_not_sent_is_made_for_its_defaults() -> None:
    completed = load(*SERVERS).complete({"slaveNum": 6, "password": "s3cret!"})

    assert completed["master-1a"] == {"instanceType": "m2.large", "token": "s3cret!"}


def test_every_violation_is_told_at_once_and_none_repeats_a_secret() -> None:
    with pytest.raises(VariablesInvalid) as caught:
        load(*SERVERS).complete({"slaveNum": "11", "regionId": "mars", "password": "abc", "master-1a": []})

    assert caught.value.errors == {
        "slaveNum": ["Must be at most 10."],
        "regionId": ['Must be one of ["bcc","beijin"].'],
        "password": ["Six characters at least."],
        "master-1a.instanceType": ["'master-1a' must be an object that holds it."],
        "master-1a.token": ["'master-1a' must be an object that holds it."],
    }


def test_a_variable_without_a_default_must_be_given() -> None:
    for variables in ({}, {"a": None}):
        with pytest.raises(VariablesInvalid, match="a"):
            load({"Key": "a"}).complete(variables)


def test_references_between_defaults_follow_chains_and_survive_circles() -> None:
    template = load(
        {"Key": "a", "DefaultValue": "Ref:b"},
        {"Key": "b", "DefaultValue": "Ref:c"},
        {"Key": "c", "DefaultValue": "Ref:a"},
        {"Key": "d", "DefaultValue": "Ref:extra"},
        {"Key": "e", "DefaultValue": "Ref:n.k"},
        {"Key": "k", "NameSpace": "n", "DefaultValue": "Ref:k"},
        {"Key": "k", "DefaultValue": "top"},
    )

    completed = template.complete({"c": "x", "extra": "y"})
    with pytest.raises(VariablesInvalid) as caught:
        template.complete({})

    assert completed == {
        "a": "x",
        "b": "x",
        "c": "x",
        "d": "y",
        "e": "top",
        "k": "top",
        "n": {"k": "top"},
        "extra": "y",
    }
    assert set(caught.value.errors) == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("kind", "fitting", "wrong"),
    [
        ("String", ["", "x"], [1, True, [], {}]),
        (
            "Number",
            [1, 2.5, "6", "-1.5e3", " 7 "],
            ["x", "", True, [], "NaN", "0x10", "1" * 200, "1e-99999999999999999999", "１２"],
        ),
        ("Integer", [1, "6", 2.0], [2.5, "2.5", "x", False]),
        ("Boolean", [True, "false", "TRUE"], [1, "yes", ""]),
        ("List", [[], ["a"], "a,b"], [1, {}]),
        ("CommaDelimitedList", ["a, b", ["a"]], [1, {}]),
        ("List<Number>", [[1]], [1]),
        ("Map", [{}], [[], "{}"]),
        ("Json", [{}, [], 1, '{"a": 1}'], ["{", ""]),
    ],
)
def test_each_type_knows_what_fits_it(kind: str, fitting: list[Any], wrong: list[Any]) -> None:
    template = load({"Key": "v", "Type": kind})

    for value in fitting:
        assert template.complete({"v": value}).keys() == {"v"}
    for value in wrong:
        with pytest.raises(VariablesInvalid):
            template.complete({"v": value})


@pytest.mark.parametrize(
    ("kind", "sent", "seen"),
    [
        ("Number", " 7 ", 7),
        ("Number", "-1.5e3", -1500),
        ("Number", "0.10", 0.1),
        ("Number", "0.12345678901234567890", "0.12345678901234567890"),
        ("Integer", "6.0", 6),
        ("Integer", "12345678901234567890.", 12345678901234567890),
        ("Integer", "1e23", 10**23),
        ("Integer", "1e308", 1e308),
        ("Boolean", "TRUE", True),
        ("Boolean", "false", False),
        ("List", "a, b", ["a", "b"]),
        ("CommaDelimitedList", "", []),
        ("String", "6", "6"),
        ("Json", '{"a": 1}', '{"a": 1}'),
    ],
)
def test_a_text_is_seen_as_its_type_says(kind: str, sent: str, seen: Any) -> None:
    (value,) = load({"Key": "v", "Type": kind}).complete({"v": sent}).values()
    assert (value, type(value)) == (seen, type(seen))
    assert load({"Key": "v", "Type": kind, "NoEcho": True}).complete({"v": sent}) == {"v": sent}
    assert load({"Key": "v", "Type": kind, "DefaultValue": sent or None}).defaults({"v": sent}) == {"v": seen}


def test_constraints_of_a_list_count_its_items_and_look_at_each() -> None:
    template = load({"Key": "v", "Type": "CommaDelimitedList", "AllowedPattern": "[a-z]+", "MaxLength": 2})

    assert template.complete({"v": "a, b"})
    for value in ("a,B", ["a", "b", "c"]):
        with pytest.raises(VariablesInvalid):
            template.complete({"v": value})


def test_a_bound_has_all_of_its_digits() -> None:
    template = load({"Key": "v", "Type": "Integer", "MaxValue": "12345678901234567890."})

    assert template.complete({"v": "12345678901234567890"}) == {"v": 12345678901234567890}
    with pytest.raises(VariablesInvalid) as caught:
        template.complete({"v": "12345678901234567891.0"})
    assert caught.value.errors == {"v": ["Must be at most 12345678901234567890."]}


def test_a_pattern_must_match_the_whole_value_and_cannot_hang() -> None:
    template = load({"Key": "v", "AllowedPattern": "^(a+)+$"})

    assert template.complete({"v": "aaa"})
    for value in ("a" * 5_000 + "b", "xaaa", "a" * 1_000_000):
        with pytest.raises(VariablesInvalid):
            template.complete({"v": value})


def test_everything_that_is_wrong_with_a_template_is_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        load(
            {"Key": "type", "Type": "Sting"},
            {"Key": "pattern", "AllowedPattern": "(a"},
            {"Key": "bounds", "MinLength": 3, "MaxLength": 2, "MinValue": "x"},
            {"Key": "default", "Type": "Integer", "DefaultValue": "x"},
            {"Key": "self", "DefaultValue": "Ref:self"},
            {"Key": "twice"},
            {"Key": "twice"},
            {"Key": "flag", "NoEcho": "perhaps"},
            {"DisplayName": "no key"},
            "no object",  # type: ignore[arg-type]
        )

    assert caught.value.code == "template-invalid"
    assert set(caught.value.errors) == {
        "type", "pattern", "bounds", "default", "self", "twice", "flag", "[8]", "[9]",
    }  # fmt: skip
    assert len(caught.value.errors["bounds"]) == 2
    with pytest.raises(Invalid, match="list"):
        ParameterTemplate.load({"Key": "a"}, LIMITS)


def test_an_empty_text_as_default_means_none_where_it_does_not_fit() -> None:
    template = load(
        {"Key": "n", "Type": "Number", "DefaultValue": "", "MinValue": ""}, {"Key": "s", "DefaultValue": ""}
    )

    with pytest.raises(VariablesInvalid) as caught:
        template.complete({})

    assert set(caught.value.errors) == {"n"}


def test_secrets_are_masked_where_they_stand_and_wherever_they_are_repeated() -> None:
    template = load(*SERVERS)
    variables = template.complete({"slaveNum": 1, "password": 'p"ss\nword', "master-1a": {"token": "abc"}})

    mask = template.mask_of(variables)
    leak = {"server": {"url": f"https://u:{variables['password']}@host", "n": 1}}

    assert template.secret_paths == {("password",), ("master-1a", "token")}
    assert template.mask(variables)["password"] == "*****"
    assert template.mask(variables)["master-1a"] == {"token": "*****", "instanceType": "m2.large"}
    assert mask.mask_value(variables) == template.mask(variables)
    assert mask.mask_value(leak) == {"server": {"url": "https://u:*****@host", "n": 1}}
    assert mask.mask_text(json.dumps(leak)) == '{"server": {"url": "https://u:*****@host", "n": 1}}'
    assert mask.mask_text("abc is too short to be sought") == "abc is too short to be sought"
    assert variables["password"] == 'p"ss\nword'


def test_a_secret_structure_hides_each_of_its_texts_and_numbers() -> None:
    mask = Mask([("card",)], [{"holder": "Ann Bee", "number": 12345678, "ok": True}])

    assert mask.mask_value({"note": "Ann Bee paid", "n": 12345678, "m": 1234, "ok": True}) == {
        "note": "***** paid",
        "n": "*****",
        "m": 1234,
        "ok": True,
    }


def test_without_secrets_nothing_is_touched() -> None:
    value = {"a": ["b"]}

    assert load().mask_of({}).mask_value(value) is value
    assert load().complete(value) == value


@given(st.text(min_size=4, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_of_four_characters_survives_in_a_text(secret: str, before: str, after: str) -> None:
    shown = Mask([], [secret]).mask_text(f"{before}{secret}{after}")

    assert "*****" in shown
    assert secret not in shown or secret in f"{before}*****" or secret in f"*****{after}" or set(secret) <= {"*"}


def test_outputs_are_evaluated_by_their_key() -> None:
    template = OutputsTemplate.load(
        [
            {"Key": "id", "DisplayName": "Id", "Value": "${outputs.server.id}"},
            {"Key": "url", "Value": "http://${outputs.server.host}:${port}/"},
            {"Key": "all", "Value": ["${outputs.server}", 1]},
        ],
        LIMITS,
    )
    context = Context({"port": 80}, {"server": {"id": 7, "host": "h"}})

    assert template.evaluate(context) == {"id": 7, "url": "http://h:80/", "all": [{"id": 7, "host": "h"}, 1]}
    assert ("outputs", "server", "host") in template.references


def test_an_output_that_cannot_be_had_names_its_key() -> None:
    template = OutputsTemplate.load([{"Key": "id", "Value": "${outputs.server.id}"}], LIMITS)
    comparison = OutputsTemplate.load([{"Key": "more", "Value": "${a > 'x'}"}], LIMITS)

    with pytest.raises(ReferenceNotFound, match=r"'id'.*outputs\.server\.id"):
        template.evaluate(Context())
    with pytest.raises(ExpressionError, match="'more'"):
        comparison.evaluate(Context({"a": 1}))


def test_an_outputs_template_is_checked_before_it_is_used() -> None:
    entries = [
        {"Key": "a", "Value": "${x"},
        {"Key": "b"},
        {"Value": 1},
        {"Key": "c", "Value": 1},
        {"Key": "c", "Value": 2},
    ]

    with pytest.raises(Invalid) as caught:
        OutputsTemplate.load(entries, LIMITS)

    assert set(caught.value.errors) == {"a", "b", "[2]", "c"}


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 50)
    | st.floats()
    | st.sampled_from(["", "6", "a,b", "Ref:b", "[a-z]+", "(", "${b}", "${"])
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abn"), inner), max_leaves=5
)
FIELDS = st.sampled_from(
    "Type NoEcho AllowedValues AllowedPattern MinLength MaxLength MinValue MaxValue AllowedCustomization DefaultValue "
    "NameSpace ConstraintDescription Value".split()
)
TYPES = st.sampled_from(["String", "Number", "Integer", "Boolean", "List", "CommaDelimitedList", "Map", "Json"])
ENTRIES = st.builds(
    lambda known, rest: rest | known,
    st.fixed_dictionaries({"Key": st.sampled_from("abc")}, optional={"Type": TYPES, "NameSpace": st.just("n")}),
    st.dictionaries(FIELDS, ANYTHING, max_size=3),
)


@given(
    st.lists(ENTRIES, max_size=4) | st.lists(ANYTHING, max_size=3), st.dictionaries(st.sampled_from("abcn"), ANYTHING)
)
@settings(max_examples=400)
def test_any_template_and_any_variables_end_in_an_answer(entries: list[Any], variables: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid, ExpressionError):
        OutputsTemplate.load(entries, LIMITS).evaluate(Context(variables))
    try:
        template = ParameterTemplate.load(entries, LIMITS)
        completed = template.complete(variables)
    except Invalid:
        return
    assert template.complete(completed) == completed or any(value != value for value in _leaves(completed))
    for path in template.secret_paths:
        shown: Any = template.mask(completed)
        for key in path:
            shown = shown[key]
        assert shown == "*****"
    template.mask_of(completed).mask_value(completed)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return [leaf for part in (value.values() if isinstance(value, dict) else value) for leaf in _leaves(part)]
    return [value]


def test_defaults_that_refer_to_each_other_in_a_long_chain_are_gone_along_once() -> None:
    """12,000 entries held all others up for minutes, at each start."""
    entries = [{"Key": f"v{number}", "DefaultValue": f"Ref:v{number + 1}"} for number in range(12_000)]
    template = ParameterTemplate.load([*entries, {"Key": "v12000", "DefaultValue": "end"}], LIMITS)

    assert set(template.complete({}).values()) == {"end"}
    assert template.complete({"v6000": "given"})["v0"] == "given"
