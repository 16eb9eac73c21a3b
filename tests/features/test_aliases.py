"""A stone that has another code now serves the models and tasks that name an earlier one."""

from __future__ import annotations

from riverstone.engine import Engine, Stone, VirtualClock

from .sketch import line, service
from .world import Make, World, run


def renamed(world: World) -> type[Stone]:
    members = {"code": "Cloud::Make", "aliases": ("make", "old"), "world": world, "__doc__": Make.__doc__}
    return type("Renamed", (Make,), members)


def test_a_process_of_the_old_code_goes_on_and_is_undone_by_the_new_class(
    url: str, world: World, clock: VirtualClock
) -> None:
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        engine.deploy(line("two", service("a", "make"), '<userTask id="wait"/>', service("b", "make")))
        number = engine.start(key="two", name="test").process_instance_id
    with Engine(url, stones=[renamed(world)], clock=clock) as engine:
        (waiting,) = [task for task in engine.tasks(number) if task.stone is None]
        engine.complete(waiting.task_id)
        assert engine.wait(number, 60).status == "success"
        engine.delete(number)
        assert engine.wait(number, 60).status == "delete.success"
    assert world.of("delete") == ["b", "a"]
    assert world.exists == []


def test_a_task_that_waits_for_the_old_code_goes_on_when_the_new_one_is_registered(
    engine: Engine, world: World
) -> None:
    engine.register(renamed(world))
    engine.deploy(line("one", service("a", "old")))
    engine.stones.remove("Cloud::Make")
    number = engine.start(key="one", name="test").process_instance_id
    assert engine.tasks(number)[0].status == "stone-missing"
    engine.register(renamed(world))
    assert engine.wait(number, 60).status == "success"


def test_parameters_under_the_old_code_are_found_and_an_exact_code_comes_first(engine: Engine, world: World) -> None:
    from marshmallow import fields

    sized = renamed(world)
    sized.parameters = {"size": fields.Integer(required=True)}
    engine.register(sized)
    engine.deploy(line("one", service("a", "old")))
    assert run(engine, "one", {"old": {"size": 7}}).status == "success"
    assert world.seen[-1].parameters == {"size": 7}
    # The world's own stone has this very code.
    engine.deploy(line("two", service("a", "make")))
    assert run(engine, "two").status == "success"
    assert "old" not in {stone.code for stone in engine.stones_declared()}


def test_a_stone_is_suspended_by_any_of_its_codes_for_all_of_them(engine: Engine, world: World) -> None:
    engine.stones.remove("make")
    engine.register(renamed(world))
    engine.deploy(line("one", service("a", "make"), service("b", "Cloud::Make")))
    engine.suspend_stone("old")
    number = engine.start(key="one", name="test").process_instance_id
    assert engine.tasks(number)[0].status == "suspended"
    engine.unsuspend_stone("Cloud::Make")
    assert engine.wait(number, 60).status == "success"
    assert engine.suspended_stones() == ()
