"""What an event has left to be undone, with two engines: one is at the undo, the other is asked for something."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from riverstone.engine import Conflict, Engine, TaskInfo

from ..features.sketch import definitions, flow, process, service
from ..features.test_undo_parts import flag, saying
from ..features.world import World
from .test_batches import until

BACK = '<intermediateThrowEvent id="back"><compensateEventDefinition activityRef="b"/></intermediateThrowEvent>'
INNER = f'<startEvent id="in"/>{saying("b")}{BACK}<endEvent id="out"/>' + "".join(
    flow(one, two) for one, two in (("in", "b"), ("b", "back"), ("back", "out"))
)
HALT = '<boundaryEvent id="stop" attachedToRef="sub"><messageEventDefinition messageRef="m"/></boundaryEvent>'
SHOP = definitions(
    '<message id="m" name="halt"/>',
    process(
        "shop",
        f'{flag("undoOnCompensation", "false")}<startEvent id="s"/><endEvent id="e"/>',
        service("a", "make"),
        f'<subProcess id="sub">{INNER}</subProcess>{HALT}',
        service("last", "make"),
        *(flow(one, two) for one, two in (("s", "a"), ("a", "sub"), ("sub", "e"), ("stop", "last"), ("last", "e"))),
    ),
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def two(url: str, world: World) -> Iterator[tuple[Engine, Engine, str, threading.Event]]:
    """Two engines, and a process whose compensation an event has taken away while the first is at its undo."""
    go_on, reached = threading.Event(), threading.Event()

    def slowly(task: TaskInfo) -> None:
        reached.set()
        assert go_on.wait(60)

    world.wrong("rollback", "b", slowly)
    with Engine(url, stones=world.stones(), dispatcher="threads") as one:
        one.deploy(SHOP)
        number = one.start(key="shop", name="x").process_instance_id
        assert reached.wait(60)
        with Engine(url, stones=world.stones(), dispatcher="threads") as other:
            other.message("halt", process_instance_id=number)
            yield one, other, number, go_on
            go_on.set()


def test_the_process_ends_only_after_it(two: tuple[Engine, Engine, str, threading.Event], world: World) -> None:
    one, other, number, go_on = two
    until(lambda: "last" in world.of("start"))
    first = other.tasks(number)[0].task_id
    with pytest.raises(Conflict, match="is under way"):
        other.rewind(number, first)
    assert other.get(number).status == "running"
    go_on.set()
    assert other.wait(number, 60).status == "success"
    assert (one.get(number).status, world.exists, world.of("rollback")) == ("success", ["a", "last"], ["b"])


def test_a_cancel_at_the_other_engine_waits_for_it(
    two: tuple[Engine, Engine, str, threading.Event], world: World
) -> None:
    _, other, number, go_on = two
    until(lambda: "last" in world.of("start"))
    asked = [threading.Thread(target=engine.cancel, args=(number,)) for engine in two[:2]]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join(60)
    assert other.get(number).status == "cancel.begin"
    assert not world.of("cancel")
    go_on.set()
    assert other.wait(number, 60).status == "cancel.success"
    assert (world.exists, sorted(world.of("cancel")), world.of("rollback")) == ([], ["a", "last"], ["b"])
