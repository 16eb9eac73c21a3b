"""The tasks of a process counted by element and state, and read by element."""

from __future__ import annotations

from collections import Counter

import pytest

from riverstone.engine import Engine, UnknownProcessInstance

from .sketch import line, runs, service
from .world import World, run


def test_counts_tell_of_each_element_and_state_what_the_tasks_tell_one_by_one(engine: Engine, world: World) -> None:
    body = (service("a", "make"), service("b", "make", inside=runs("70")), service("c", "mail"))
    engine.deploy(line("shop", *body))
    world.wrong("start", "c", RuntimeError("no room"))
    world.wrong("rollback", "a", *[RuntimeError("gone")] * 9)
    number = run(engine, "shop").process_instance_id

    tasks, counts = engine.tasks(number), engine.task_counts(number)

    assert Counter((task.element_id, task.status, task.undo) for task in tasks) == {
        (each.element_id, each.status, each.undo): each.count for each in counts
    }
    assert [each.first_task_id for each in counts] == sorted((each.first_task_id for each in counts), key=int)
    first = {each.element_id: place for place, each in enumerate(counts)}
    assert [(each.element_id, each.after, each.begins) for each in counts] == [
        ("a", (), True),
        ("b", (first["a"],), False),
        ("c", (first["b"],), False),
    ]
    undo = engine.get(number).rollback_process_instance_id or ""
    assert sum(each.count for each in engine.task_counts(undo)) == len(engine.tasks(undo))

    assert engine.tasks(number, element_id="b", limit=20) == tasks[1:21]
    assert engine.tasks(number, element_id="b", after=tasks[60].task_id) == tasks[61:71]
    assert [task.element_id for task in engine.tasks(number, state="failed")] == ["a", "c"]
    assert engine.tasks(number, state="failed", element_id="b") == []
    assert engine.tasks(number, state="open") == []


def test_what_is_open_and_in_called_processes_is_told_apart(engine: Engine, world: World) -> None:
    engine.deploy(line("inner", '<userTask id="ask" name="Ask"/>'))
    engine.deploy(line("outer", f'<callActivity id="call" calledElement="inner">{runs("3")}</callActivity>'))
    number = engine.start(key="outer", name="x").process_instance_id
    first, *others = engine.tasks(number)
    engine.complete(first.task_id)

    counts = engine.task_counts(number)

    assert sorted((each.calls, each.open, each.count) for each in counts) == sorted(
        (task.calls, task.end_time is None, 1) for task in engine.tasks(number)
    )
    assert all((each.name, each.stone, each.begins) == ("Ask", None, True) for each in counts)
    assert engine.tasks(number, state="open") == engine.tasks(number)[1:]
    assert len(others) == 2


def test_an_owner_sees_no_counts_of_others(engine: Engine, world: World) -> None:
    engine.deploy(line("shop", service("a", "make")))
    number = run(engine, "shop").process_instance_id
    with pytest.raises(UnknownProcessInstance):
        engine.owned_by("ann").task_counts(number)
    with pytest.raises(UnknownProcessInstance):
        engine.task_counts("999999")
