"""A variable that is set beside very many others is written alone, and every engine has what was set last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riverstone.engine import Engine
from riverstone.models.row_types.instances import ContentRow

from ..features.sketch import line

MODEL = line("shop", '<userTask id="person"/>')
LARGE = {f"v{number}": "x" * 200 for number in range(100)}


def stored(engine: Engine, number: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What all variables were when they were last written together, and what was set since."""
    found = engine._store.record(int(number))
    assert found is not None
    content: ContentRow = found[1]
    changed = {name: json.loads(text) for name, text in content.changed.items()}
    return json.loads(content.variables or content.start_variables), changed


def begun(one: Engine, variables: dict[str, Any]) -> str:
    one.deploy(MODEL)
    return one.start(key="shop", name="it", variables=variables).process_instance_id


def test_only_what_is_set_is_written(one: Engine, other: Engine) -> None:
    number = begun(one, LARGE)
    for turn, engine in enumerate((one, other, one)):
        engine.set_variables(number, {"v7": turn, "new": [turn]})
    assert stored(one, number) == (LARGE, {"v7": 2, "new": [2]})
    assert one.variables(number) == other.variables(number) == {**LARGE, "v7": 2, "new": [2]}


def test_much_that_is_set_is_written_with_all_the_rest(one: Engine, other: Engine) -> None:
    number = begun(one, LARGE)
    wanted = dict(LARGE)
    for turn, engine in enumerate((one, other) * 40):
        values = {f"v{turn}": f"{turn}" * 90}
        wanted |= values
        engine.set_variables(number, values)
    base, changed = stored(one, number)
    assert base != LARGE
    assert {**base, **changed} == wanted == one.variables(number)
    assert sum(map(len, changed.values())) < sum(map(len, base.values())) / 2


def test_few_variables_are_written_together(one: Engine) -> None:
    number = begun(one, {"a": 1})
    one.set_variables(number, {"b": 2})
    assert stored(one, number) == ({"a": 1, "b": 2}, {})


@pytest.mark.parametrize("name", ["n" * 255, "n" * 256, "Name", "näme", "name "])
def test_names_of_every_kind_keep_apart(one: Engine, other: Engine, name: str) -> None:
    number = begun(one, {**LARGE, "name": 1})
    one.set_variables(number, {name: "set", "naMe": 2})
    assert other.variables(number) == {**LARGE, "name": 1, name: "set", "naMe": 2}


def test_a_rewind_takes_a_variable_away_that_was_set_beside_many(one: Engine, other: Engine) -> None:
    one.deploy(line("two", *(f'<userTask id="{name}"/>' for name in ("first", "second", "third"))))
    number = one.start(key="two", name="it", variables=LARGE).process_instance_id
    first = one.tasks(number)[0].task_id
    # Before any task has ended: it stays.
    one.complete(first, {"v2": "before"})
    other.complete(other.tasks(number)[1].task_id, {"v1": "other", "new": 1})
    assert one.variables(number) == {**LARGE, "v2": "before", "v1": "other", "new": 1}
    other.rewind(number, first)
    assert one.variables(number) == other.variables(number) == {**LARGE, "v2": "before"}


def test_what_was_set_beside_many_is_seen_after_a_restart(one: Engine, url: str) -> None:
    one.deploy(line("seen", '<userTask id="first"/>', '<userTask id="second" name="${v1}"/>'))
    number = one.start(key="seen", name="it", variables=LARGE).process_instance_id
    one.set_variables(number, {"v1": "other"})
    one.close()
    with Engine(url) as again:
        assert again.variables(number)["v1"] == "other"
        again.complete(again.tasks(number)[0].task_id, {"v2": 2})
        assert again.variables(number) == {**LARGE, "v1": "other", "v2": 2}
        assert again.cancel(number).status == "cancel.success"


def test_lists_hide_a_secret_that_was_set_beside_many(one: Engine, other: Engine) -> None:
    template = [{"Key": "pin", "NoEcho": True}]
    one.deploy(MODEL, parameter_template=template)
    number = one.start(key="shop", name="it", variables={**LARGE, "pin": "first-pin"}).process_instance_id
    one.set_variables(number, {"pin": "second-pin"})
    assert stored(one, number)[1] == {"pin": "second-pin"}
    one.complete(one.tasks(number)[0].task_id, {"note": "It was second-pin."})
    (listed,) = other.instances(key="shop").items
    assert listed == other.get(number)
    assert "second-pin" not in listed.native_outputs
    assert "*****" in listed.native_outputs
