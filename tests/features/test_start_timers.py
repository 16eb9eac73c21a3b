"""Processes that a timer starts: once, again and again, by one of several engines, across a restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from riverstone.engine import Engine, ModelInvalid, VirtualClock

from .elements import BEGIN, condition, end, model, timer, user

HOUR = 3600.0


def starting(text: str, kind: str = "Duration", task: str = "a") -> bytes:
    start = f'<startEvent id="s">{timer(text, kind)}</startEvent>'
    return model(start + user(task) + end("e"), f"s -> {task} -> e")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(BEGIN)


@pytest.fixture
def url(sqlite: str) -> str:
    return sqlite


@pytest.fixture
def engine(url: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, clock=clock) as made:
        yield made


def passes(seconds: float, clock: VirtualClock, *engines: Engine) -> int:
    """Let the time pass in ten parts; how many processes there are then."""
    for _ in range(10):
        clock.advance(seconds / 10)
        for engine in engines:
            engine.run_pending()
    return len(engines[0].instances(limit=200).items)


def test_a_duration_starts_one_process(engine: Engine, clock: VirtualClock) -> None:
    deployed = engine.deploy(starting("PT1H"))
    assert passes(HOUR - 10, clock, engine) == 0
    assert passes(20, clock, engine) == 1
    assert passes(10 * HOUR, clock, engine) == 1
    (started,) = engine.instances().items
    assert (started.key, started.deployment_id, started.status) == ("p", deployed.deployment_id, "running")


def test_a_date_starts_one_process_unless_it_is_over(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(starting("2027-01-15T09:00:00Z", "Date"))  # the clock begins at 8:00
    assert passes(2 * HOUR, clock, engine) == 1
    engine.deploy(starting("2027-01-15T09:00:00Z", "Date", task="b"))
    assert passes(HOUR, clock, engine) == 1


def test_a_cycle_starts_as_many_as_it_says(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(starting("R3/PT1H", "Cycle"))
    assert passes(2.5 * HOUR, clock, engine) == 2
    assert passes(20 * HOUR, clock, engine) == 3


def test_turns_that_nobody_saw_to_are_not_made_up(url: str, clock: VirtualClock) -> None:
    with Engine(url, clock=clock) as engine:
        engine.deploy(starting("R/PT1H", "Cycle"))
    clock.advance(5.5 * HOUR)
    with Engine(url, clock=clock) as engine:
        engine.run_pending()
        assert len(engine.instances().items) == 1
        assert passes(HOUR, clock, engine) == 2


def test_one_of_several_engines_starts_it(engine: Engine, url: str, clock: VirtualClock) -> None:
    engine.deploy(starting("R5/PT1H", "Cycle"))
    with Engine(url, clock=clock) as second, Engine(url, clock=clock) as third:
        assert passes(10 * HOUR, clock, third, engine, second) == 5


def test_a_new_version_takes_the_place_of_the_old_and_the_same_again_changes_nothing(
    engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy(starting("PT2H"))
    passes(HOUR, clock, engine)
    engine.deploy(starting("PT2H"))
    assert passes(1.1 * HOUR, clock, engine) == 1
    engine.deploy(starting("PT3H"))
    assert passes(2.9 * HOUR, clock, engine) == 1
    assert passes(0.2 * HOUR, clock, engine) == 2


def test_a_time_that_hangs_on_variables_is_refused_where_nothing_has_any(engine: Engine) -> None:
    with pytest.raises(ModelInvalid, match="no process is there yet"):
        engine.deploy(starting("${when}"))


def test_a_condition_that_starts_nothing_is_told(engine: Engine) -> None:
    start = f'<startEvent id="s">{condition("${x}")}</startEvent>'
    found = engine.lint(model(start + user("a") + end("e"), "s -> a -> e"))
    assert ("conditional-start", "warning", "s") in [(each.code, each.severity, each.element_id) for each in found]
