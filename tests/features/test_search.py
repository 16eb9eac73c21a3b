"""Processes are found by what is known of them: variables, stones, elements, errors and times; in several orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from riverstone.engine import Engine, Invalid, Malformed, ModelInvalid, VirtualClock
from riverstone.engine.clock import moment

from .sketch import catch, line, service
from .world import World, run

TEMPLATE = [
    {"Key": "region", "Searchable": True, "DefaultValue": "north"},
    {"Key": "count", "Type": "Number", "Searchable": "true", "DefaultValue": 1},
    {"Key": "type", "NameSpace": "a", "Searchable": True, "DefaultValue": "small"},
    {"Key": "note", "DefaultValue": ""},
    {"Key": "password", "NoEcho": True, "DefaultValue": "hunter22"},
]
MODEL = line(
    "shop",
    service("a", "make"),
    '<scriptTask id="s" scriptFormat="groovy"><script/></scriptTask>',
)
PLAIN = line("plain", service("a", "make"), '<userTask id="u" name="Approve"/>', service("b", "shy"))
MESSAGE = '<message id="M" name="moved"/>'
MOVING = line(
    "moving",
    catch("m", '<messageEventDefinition messageRef="M"/>'),
    '<userTask id="u"/>',
    before=MESSAGE,
)


def names(engine: Engine, **wanted: Any) -> list[str]:
    """Names of what is found, each part read by itself to see that none is lost or comes twice."""
    found: list[str] = []
    cursor = None
    while True:
        page = engine.search(limit=2, cursor=cursor, **wanted)
        found += [each.process_name for each in page.items]
        cursor = page.cursor
        if cursor is None:
            whole = engine.search(limit=500, **wanted)
            assert [each.process_name for each in whole.items] == found
            return found


def test_a_process_is_found_by_what_its_variables_are_now(engine: Engine) -> None:
    engine.deploy(MOVING, parameter_template=TEMPLATE)
    first = engine.start(key="moving", name="1", variables={"region": "south", "count": 2})
    engine.start(key="moving", name="2", variables={"count": "2"})
    engine.start(key="moving", name="3", variables={"count": 2.5, "a": {"type": "large"}})

    assert names(engine, variables={"region": "north"}) == ["3", "2"]
    assert names(engine, variables={"count": 2}) == ["2", "1"]
    assert names(engine, variables={"count": 2.0, "region": "south"}) == ["1"]
    assert names(engine, variables={"count": "2.5"}) == ["3"]
    assert names(engine, variables={"a.type": "large"}) == ["3"]
    assert names(engine, variables={"note": ""}) == [], "it is not declared"

    engine.message("moved", {"region": "west"}, process_instance_id=first.process_instance_id)
    assert names(engine, variables={"region": "south"}) == []
    assert names(engine, variables={"region": "west"}) == ["1"]
    engine.set_variables(first.process_instance_id, {"region": None, "count": 7})
    assert names(engine, variables={"region": "west"}) == []
    assert names(engine, variables={"count": 7}) == ["1"]

    engine.cancel(first.process_instance_id)
    engine.wait(first.process_instance_id, 3600)
    engine.delete(first.process_instance_id)
    engine.wait(first.process_instance_id, 3600)
    assert names(engine, variables={"count": 7}, kind="start") == ["1"]
    engine.purge(0)
    assert names(engine, variables={"count": 7}) == []
    assert engine._store.read("SELECT COUNT(*) FROM `variable` WHERE `name` = 'count'") == [(2,)]


def test_a_value_that_is_set_twice_in_a_step_or_in_another_engine_is_there_once(
    url: str, world: World, clock: VirtualClock
) -> None:
    with Engine(url, stones=world.stones(), clock=clock) as one, Engine(url, stones=world.stones()) as other:
        one.deploy(MOVING, parameter_template=TEMPLATE)
        number = one.start(key="moving", name="1").process_instance_id
        other.set_variables(number, {"region": "east"})
        one.set_variables(number, {"region": "south"})
        other.message("moved", {"region": "west"}, process_instance_id=number)
        assert [names(one, variables={"region": each}) for each in ("east", "south", "west")] == [[], [], ["1"]]


def test_an_encrypted_store_finds_a_value_and_an_error_too(url: str, world: World) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with Engine(url, stones=world.stones(), encryption_keys=[old]) as engine:
        engine.deploy(MOVING, parameter_template=TEMPLATE)
        engine.deploy(PLAIN)
        engine.start(key="moving", name="1", variables={"region": "south"})
        world.wrong("start", "a", RuntimeError("No Quota left"))
        run(engine, "plain", rollback=False)
        assert names(engine, variables={"region": "south"}) == ["1"]
        assert names(engine, error="no quota", kind="start") == ["test"]
        assert names(engine, error="no money") == []
        assert b"south" not in str(engine._store.read("SELECT * FROM `variable`")).encode()
    with Engine(url, stones=world.stones(), encryption_keys=[new, old]) as engine:
        assert names(engine, variables={"region": "south"}) == ["1"]
        engine.encrypt_again()
    with Engine(url, stones=world.stones(), encryption_keys=[new]) as engine:
        assert names(engine, variables={"region": "south"}) == ["1"]


def test_a_process_is_found_by_stone_element_business_key_and_key(engine: Engine, world: World) -> None:
    engine.deploy(PLAIN)
    engine.deploy(MOVING)
    engine.start(key="plain", name="1", business_key="B")
    second = engine.start(key="plain", name="2")
    engine.start(key="moving", name="3", business_key="B")
    (task,) = [each for each in engine.tasks(second.process_instance_id) if each.stone is None]
    engine.complete(task.task_id)

    assert names(engine, stone="make") == ["2", "1"]
    assert names(engine, stone="shy") == ["2"]
    assert names(engine, stone="mail") == []
    assert names(engine, element="u") == ["1"]
    assert names(engine, element="m") == ["3"]
    assert names(engine, element="a") == []
    assert names(engine, element="%") == []
    assert names(engine, business_key="B") == ["3", "1"]
    assert names(engine, business_key="B", key="plain", state="person", stone="make", element="u") == ["1"]


def test_a_process_is_found_by_what_is_told_of_its_failure(engine: Engine, world: World) -> None:
    engine.deploy(PLAIN, parameter_template=TEMPLATE)
    world.wrong("start", "a", RuntimeError("The QUOTA of 5% is used up, says hunter22"))
    run(engine, "plain")
    world.wrong("start", "a", RuntimeError("no answer"))
    paused = engine.start(key="plain", name="paused", on_failure="pause")
    engine.wait(paused.process_instance_id, 3600)
    stuck = engine.start(key="plain", name="stuck")
    engine.cancel(stuck.process_instance_id)
    engine.wait(stuck.process_instance_id, 3600)
    made = engine.start(key="plain", name="made")
    world.wrong("cancel", "a", RuntimeError("still in use"))
    engine.cancel(made.process_instance_id)
    engine.wait(made.process_instance_id, 3600)

    assert names(engine, error="quota", kind="start") == ["test"]
    assert names(engine, error="of 5%", kind="start") == ["test"]
    assert names(engine, error="no answer", kind="start") == ["paused"]
    assert names(engine, error="still in use", kind="start") == ["made"]
    assert names(engine, error="no answer", state="attention") == ["paused"]
    assert names(engine, error="no answer", state="success") == []
    assert names(engine, error="hunter") == [], "nobody finds out a secret by asking for parts of it"


def test_times_narrow_a_list_and_put_it_in_order(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(MOVING)
    begun = moment(clock.now())
    first = engine.start(key="moving", name="1")
    for number in range(2, 7):
        clock.advance(3600)
        engine.start(key="moving", name=str(number))
    clock.advance(3600)
    engine.cancel(first.process_instance_id)
    engine.wait(first.process_instance_id, 3600)
    hour = timedelta(hours=1)

    assert names(engine, kind="start", sort="started") == ["6", "5", "4", "3", "2", "1"]
    assert names(engine, kind="start", started_from=begun + hour, started_before=begun + 3 * hour) == ["3", "2"]
    assert names(engine, kind="start", started_from=begun + 4 * hour, sort="started") == ["6", "5"]
    assert names(engine, kind="start", sort="ended") == ["1"]
    assert names(engine, kind="start", ended_from=begun + 6 * hour) == ["1"]
    assert names(engine, kind="start", ended_before=begun + 6 * hour) == []
    part = engine.search(kind="start", limit=2)
    assert [each.process_name for each in engine.search(kind="start", sort="started", cursor=part.cursor).items] == [
        *"4321"
    ]
    other = engine.search(kind="start", limit=4, sort="started")
    assert [each.process_name for each in engine.search(kind="start", cursor=other.cursor).items] == ["2", "1"]
    assert engine.search(sort="ended", cursor="77777").items == ()
    with pytest.raises(Malformed):
        engine.search(cursor="7-7-7")


def test_more_than_a_few_are_found_in_their_order_too(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riverstone.models.instance_search.FEW", 2)
    engine.deploy(MOVING, parameter_template=TEMPLATE)
    engine.deploy(PLAIN)
    for number in range(1, 8):
        engine.start(key="moving", name=str(number), variables={"region": "south" if number % 2 else "north"})
    engine.start(key="plain", name="8")

    assert names(engine, variables={"region": "south"}) == ["7", "5", "3", "1"]
    assert names(engine, variables={"region": "south", "count": 1}) == ["7", "5", "3", "1"]
    assert names(engine, variables={"region": "south"}, sort="started") == ["7", "5", "3", "1"]
    assert names(engine, element="m", sort="started") == ["7", "6", "5", "4", "3", "2", "1"]
    assert names(engine, stone="make", state="person") == ["8"]


def test_what_cannot_be_searched_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid) as refused:
        engine.search(variables={"region": ["north"], "count": None})
    assert refused.value.code == "search-invalid"
    assert sorted(refused.value.errors) == ["count", "region"]
    for wrong in ({"NoEcho": True}, {"Type": "List"}):
        with pytest.raises((Invalid, ModelInvalid), match="Searchable is for a single value"):
            engine.deploy(PLAIN, parameter_template=[{"Key": "k", "Searchable": True, **wrong}])
