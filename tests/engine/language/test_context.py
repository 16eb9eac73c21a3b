"""How a path finds its value."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine.errors import ReferenceNotFound
from riverstone.engine.language.context import Context


def path(text: str) -> tuple[str, ...]:
    return tuple(text.split("."))


@pytest.fixture
def context() -> Context:
    return Context(
        {
            "regionId": "bcc",
            "master-1a": {"instanceType": "m2.large"},
            "a": {"x": 1},
            "a.b": {"c.d": 2},
            "disks": [{"size": 1}, {"size": 2}],
            "outputs": "mine",
            "nothing": None,
        },
        {"javaAppServer": {"instanceCode": "i-1"}, "v1.2": {"id": 3}},
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("regionId", "bcc"),
        ("parameters.regionId", "bcc"),
        ("parameters.master-1a.instanceType", "m2.large"),
        ("outputs.javaAppServer.instanceCode", "i-1"),
        ("outputs.v1.2.id", 3),
        ("parameters.outputs", "mine"),
        ("disks.1.size", 2),
        ("a.x", 1),
        ("a.b.c.d", 2),
        ("nothing", None),
    ],
)
def test_a_path_leads_to_its_value(context: Context, text: str, value: Any) -> None:
    assert context.lookup(path(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "nope",
        "parameters.nope",
        "outputs.nope",
        "regionId.x",
        "disks.2",
        "disks.-1",
        "disks.x",
        "nothing.x",
        "javaAppServer",
    ],
)
def test_a_path_that_leads_nowhere_is_named(context: Context, text: str) -> None:
    with pytest.raises(ReferenceNotFound) as caught:
        context.lookup(path(text))

    assert caught.value.path == text
    assert context.find(path(text), "instead") == "instead"


def test_locals_stand_in_front_the_innermost_first(context: Context) -> None:
    outer = context.child({"item": {"n": 1}, "regionId": "outer"})
    inner = outer.child({"item": {"m": 2}, "outputs": {"x": 3}})

    assert inner.lookup(path("item.m")) == 2
    assert inner.lookup(path("regionId")) == "outer"
    assert inner.lookup(path("outputs.x")) == 3
    assert inner.lookup(path("parameters.regionId")) == "bcc"
    assert outer.lookup(path("outputs.javaAppServer.instanceCode")) == "i-1"
    assert context.lookup(path("regionId")) == "bcc"


def test_a_local_hides_the_whole_of_what_has_its_name_outside(context: Context) -> None:
    inner = context.child({"item": {"n": 1}}).child({"item": {}})

    with pytest.raises(ReferenceNotFound):
        inner.lookup(path("item.n"))


def test_a_view_sees_what_is_put_out_later() -> None:
    outputs: dict[str, Any] = {}
    view = Context({}, outputs).child({})

    outputs["late"] = {"id": 9}

    assert view.lookup(path("outputs.late.id")) == 9


def test_keys_that_could_be_joined_in_countless_ways_end_the_search() -> None:
    value: Any = 1
    for _ in range(60):
        value = {"a": value, "a.a": value}

    assert Context({"root": value}).find(("root", *["a"] * 200), "missing") == "missing"
