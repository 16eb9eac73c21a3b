"""What the last runs came to, counted a part at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from riverstone.engine import Engine, VirtualClock

from .sketch import line, service
from .world import World, run


def test_failures_retries_and_durations_are_told_by_version_stone_and_element(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    first = engine.deploy(line("shop", service("a", "make")))
    for _ in range(3):
        run(engine, "shop")
    world.wrong("start", "a", RuntimeError("no room"))
    assert run(engine, "shop").outcome == "failed"
    second = engine.deploy(line("shop", service("b", "make"), '<userTask id="ask" name="Ask"/>'))
    engine.start(key="shop", name="waits")

    found = engine.statistics()

    assert (found.runs, found.complete) == (5, True)
    by_version = {each.version: each for each in found.models}
    assert (by_version[1].runs, by_version[1].failed, by_version[1].open) == (4, 1, 0)
    assert (by_version[2].runs, by_version[2].failed, by_version[2].open) == (1, 0, 1)
    assert (by_version[1].deployment_id, by_version[2].deployment_id) == (first.deployment_id, second.deployment_id)
    (stone,) = found.stones
    assert (stone.stone, stone.failed) == ("make", 1)
    assert stone.median is not None
    elements = {each.element_id: each for each in found.elements}
    assert elements["a"].failed == 1
    assert elements["a"].runs == 4
    assert engine.statistics(key="other").runs == 0
    assert engine.statistics(runs=2).complete is False


def test_only_runs_that_began_since_then_are_counted(engine: Engine, world: World, clock: VirtualClock) -> None:
    engine.deploy(line("shop", service("a", "make")))
    old = run(engine, "shop")
    clock.advance(7200)
    run(engine, "shop")
    found = engine.statistics(since=old.start_time + timedelta(hours=1))
    assert (found.runs, found.complete) == (1, True)


def test_an_owner_is_told_of_their_own_runs(engine: Engine, world: World) -> None:
    engine.deploy(line("shop", service("a", "make")))
    run(engine, "shop")
    mine = engine.owned_by("ann")
    mine.start(key="shop", name="mine")
    assert mine.statistics().runs == 1


@pytest.mark.parametrize("runs", [450])
def test_many_are_counted_in_parts(sqlite: str, runs: int) -> None:
    with Engine(sqlite) as engine:
        engine.stone("quick")(lambda task: None)
        engine.deploy(line("many", service("a", "quick")))
        for _ in range(runs):
            engine.start(key="many", name="one")
        found = engine.statistics()
        assert (found.runs, found.stones[0].runs, found.complete) == (runs, runs, True)
