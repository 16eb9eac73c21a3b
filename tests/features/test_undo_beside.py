"""Nothing is undone beside what followed it, whoever asks: other compensations, errors, and people."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from riverstone.engine import Engine, VirtualClock

from .sketch import definitions, flow, process, service
from .test_undo_parts import saying
from .world import World


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is told here does not depend on the database."""
    return f"sqlite:///{tmp_path}/beside.db"


@pytest.fixture(autouse=True)
def slow(engine: Engine, world: World) -> None:
    """A stone that tries again after a minute, forward and back."""
    engine.register(slow_stone(world))


def slow_stone(world: World) -> type:
    return type("Slow", (world.stones()[0],), {"code": "slow", "retries": 2, "retry_backoff": 60.0})


def handled(node: str, stone: str = "mail") -> str:
    """A task with a handler that is drawn."""
    return (
        service(node, "make")
        + f'<boundaryEvent id="on{node}" attachedToRef="{node}"><compensateEventDefinition/></boundaryEvent>'
        + service(f"un{node}", stone, isForCompensation="true")
        + f'<association id="as{node}" associationDirection="One" sourceRef="on{node}" targetRef="un{node}"/>'
    )


def by_stones(node: str) -> str:
    return saying(node).replace('"make"', '"slow"')


def side_by_side(*steps: str, asked: str = "ba") -> bytes:
    """Steps one after the other, and then a compensation of each that is ``asked`` for, all at once."""
    names = ["s", *(step.split('"')[1] for step in steps), "fork"]
    flows = [flow(one, two) for one, two in itertools.pairwise(names)]
    throws = []
    for node in asked:
        event = f'<compensateEventDefinition activityRef="{node}"/>'
        throws.append(f'<intermediateThrowEvent id="back{node}">{event}</intermediateThrowEvent>')
        flows += [flow("fork", f"back{node}"), flow(f"back{node}", "join")]
    ends = '<startEvent id="s"/><parallelGateway id="fork"/><parallelGateway id="join"/><endEvent id="e"/>'
    return definitions(process("shop", ends, *steps, *throws, *flows, flow("join", "e")))


WAYS = {
    "a handler for stones": (handled("a"), by_stones("b"), ("rollback", "b"), ("start", "una")),
    "a handler for a handler": (handled("a"), handled("b", "slow"), ("start", "unb"), ("start", "una")),
    "stones for a handler": (saying("a"), handled("b", "slow"), ("start", "unb"), ("rollback", "a")),
    "stones for stones": (saying("a"), by_stones("b"), ("rollback", "b"), ("rollback", "a")),
}


@pytest.mark.parametrize("asked", ["ab", "ba"])
@pytest.mark.parametrize("way", WAYS)
def test_what_came_before_waits(engine: Engine, world: World, clock: VirtualClock, way: str, asked: str) -> None:
    first, second, later, earlier = WAYS[way]
    engine.deploy(side_by_side(first, second, asked=asked))
    world.wrong(*later, RuntimeError("busy"))
    number = engine.start(key="shop", name="x").process_instance_id
    assert world.calls[2:] == [later]
    clock.advance(120_000)
    engine.run_pending()
    assert engine.wait(number, 60).status == "success"
    assert world.calls[2:] == [later, later, earlier]


@pytest.mark.parametrize("way", WAYS)
def test_it_waits_across_a_restart(url: str, world: World, clock: VirtualClock, way: str) -> None:
    first, second, later, earlier = WAYS[way]
    world.wrong(*later, RuntimeError("busy"))
    stones = [*world.stones(), slow_stone(world)]
    with Engine(url, stones=stones, clock=clock) as engine:
        engine.deploy(side_by_side(first, second))
        number = engine.start(key="shop", name="x").process_instance_id
    with Engine(url, stones=stones, clock=clock) as engine:
        engine.run_pending()
        assert world.calls[2:] == [later]
        clock.advance(120_000)
        engine.run_pending()
        assert engine.wait(number, 60).status == "success"
    assert world.calls[2:] == [later, later, earlier]


def test_what_did_not_come_before_does_not_wait(engine: Engine, world: World, clock: VirtualClock) -> None:
    """What came after it may be undone at any time."""
    border = (
        '<boundaryEvent id="told" cancelActivity="false" attachedToRef="ask"><signalEventDefinition signalRef="m"/>'
    )
    names = ["s", "a", "b", "ask", "backa", "e"]
    throws = [
        f'<intermediateThrowEvent id="back{node}"><compensateEventDefinition activityRef="{node}"/>'
        "</intermediateThrowEvent>"
        for node in "ab"
    ]
    flows = [flow(one, two) for one, two in itertools.pairwise(names)] + [flow("told", "backb"), flow("backb", "e")]
    ends = f'<startEvent id="s"/><userTask id="ask"/>{border}</boundaryEvent><endEvent id="e"/>'
    first = by_stones("a")
    model = process("shop", ends, first, handled("b"), *throws, *flows)
    engine.deploy(definitions('<signal id="m" name="now"/>', model))
    world.wrong("rollback", "a", RuntimeError("busy"))
    number = engine.start(key="shop", name="x").process_instance_id
    engine.signal("now")
    engine.complete(next(task.task_id for task in engine.tasks(number) if task.element_id == "ask"))
    assert world.calls[2:] == [("start", "unb"), ("rollback", "a")]
    clock.advance(120_000)
    engine.run_pending()
    assert engine.wait(number, 60).status == "success"


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_on_when_a_failed_one_is_tried_again(
    engine: Engine, world: World, clock: VirtualClock, way: str
) -> None:
    first, second, later, earlier = WAYS[way]
    engine.deploy(side_by_side(first, second))
    world.wrong(*later, *[RuntimeError("busy")] * 3)
    number = engine.start(key="shop", name="x", on_failure="pause").process_instance_id
    for _ in range(3):
        clock.advance(300_000)
        engine.run_pending()
    assert (engine.get(number).attention, earlier in world.calls) == (1, False)
    engine.retry(number)
    assert engine.wait(number, 60).status == "success"
    assert world.calls[-2:] == [later, earlier]


def test_a_handler_waits_for_what_an_event_has_left_to_be_undone(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    """The compensation that had begun the undo is taken away with its sub-process; the undo goes on."""
    inner = (
        '<startEvent id="in"/>'
        + by_stones("b")
        + '<intermediateThrowEvent id="back"><compensateEventDefinition activityRef="b"/></intermediateThrowEvent>'
        + '<endEvent id="out"/>'
        + flow("in", "b")
        + flow("b", "back")
        + flow("back", "out")
    )
    border = (
        '<boundaryEvent id="stop" attachedToRef="sub"><messageEventDefinition messageRef="m"/></boundaryEvent>'
        '<intermediateThrowEvent id="backa"><compensateEventDefinition activityRef="a"/></intermediateThrowEvent>'
    )
    names = ["s", "a", "sub", "e"]
    flows = [flow(one, two) for one, two in itertools.pairwise(names)]
    flows += [flow("stop", "backa"), flow("backa", "last"), flow("last", "e")]
    engine.deploy(
        definitions(
            '<message id="m" name="halt"/>',
            process(
                "shop",
                '<startEvent id="s"/><endEvent id="e"/>',
                handled("a"),
                f'<subProcess id="sub">{inner}</subProcess>',
                border,
                service("last", "make"),
                *flows,
            ),
        )
    )
    world.wrong("rollback", "b", RuntimeError("busy"))
    number = engine.start(key="shop", name="x").process_instance_id
    engine.message("halt", process_instance_id=number)
    assert world.calls[2:] == [("rollback", "b")]
    clock.advance(120_000)
    engine.run_pending()
    assert engine.wait(number, 60).status == "success"
    assert world.calls[2:] == [("rollback", "b"), ("rollback", "b"), ("start", "una"), ("start", "last")]


def test_a_handler_that_compensates_what_it_is_the_handler_of_does_not_wait_for_itself(
    engine: Engine, world: World
) -> None:
    handler = (
        '<subProcess id="back" triggeredByEvent="true"><startEvent id="bs"><compensateEventDefinition/></startEvent>'
        '<intermediateThrowEvent id="all"><compensateEventDefinition/></intermediateThrowEvent><endEvent id="be"/>'
        f"{flow('bs', 'all')}{flow('all', 'be')}</subProcess>"
    )
    inner = f'<startEvent id="in"/><endEvent id="out"/>{handled("x")}{saying("y")}{handler}'
    inner += flow("in", "x") + flow("x", "y") + flow("y", "out")
    engine.deploy(side_by_side(handled("a"), f'<subProcess id="b">{inner}</subProcess>'))
    number = engine.start(key="shop", name="x").process_instance_id
    assert engine.wait(number, 60).status == "success"
    assert world.calls[3:] == [("rollback", "y"), ("start", "unx"), ("start", "una")]


def test_a_rollback_has_stones_undo_what_a_handler_would_leave_to_them(engine: Engine, world: World) -> None:
    handler = (
        '<subProcess id="back" triggeredByEvent="true"><startEvent id="bs"><compensateEventDefinition/></startEvent>'
        '<intermediateThrowEvent id="all"><compensateEventDefinition/></intermediateThrowEvent><endEvent id="be"/>'
        f"{flow('bs', 'all')}{flow('all', 'be')}</subProcess>"
    )
    inner = f'<startEvent id="in"/><endEvent id="out"/>{handled("x")}{saying("y")}{handler}'
    inner += flow("in", "x") + flow("x", "y") + flow("y", "out")
    sub = f'<subProcess id="b">{inner}</subProcess>'
    flows = [flow(one, two) for one, two in itertools.pairwise(["s", "b", "doom", "e"])]
    ends = '<startEvent id="s"/><endEvent id="e"/>'
    engine.deploy(definitions(process("shop", ends, sub, service("doom", "make"), *flows)))
    world.wrong("start", "doom", RuntimeError("no quota"))
    number = engine.start(key="shop", name="x").process_instance_id
    assert engine.wait(number, 60).status == "rollback.success"
    assert world.calls[2:] == [("start", "doom"), ("rollback", "doom"), ("rollback", "y"), ("start", "x")]
    assert [task.stone for task in engine.tasks(engine.instances().items[0].process_instance_id)][-1] == "mail"
