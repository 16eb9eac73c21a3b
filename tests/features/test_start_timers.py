"""Processes that a timer starts: once, again and again, by one of several engines, across a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from riverstone.engine import Engine, ExpressionError, Limits, ModelInvalid, VirtualClock
from riverstone.engine.authoring.triggers import OVER as NONE_LEFT
from riverstone.engine.authoring.triggers import TimerTrigger, Times
from riverstone.engine.bpmn.running.timers.cycles import TimerKind
from riverstone.engine.clock import moment

from .elements import BEGIN, catch, condition, end, model, timer, user

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


def test_a_cycle_with_an_end_starts_nothing_after_it(engine: Engine, clock: VirtualClock) -> None:
    """ISO 8601, 4.5."""
    engine.deploy(starting("R/PT10H/2027-01-16T08:00:00Z", "Cycle"))
    assert passes(96 * HOUR, clock, engine) == 2


def test_the_end_that_flowable_writes_as_an_attribute_counts(engine: Engine, clock: VirtualClock) -> None:
    cycle = (
        '<timerEventDefinition><timeCycle xmlns:flowable="http://flowable.org/bpmn" '
        'flowable:endDate="2027-01-16T08:00:00Z">R/PT10H</timeCycle></timerEventDefinition>'
    )
    engine.deploy(model(f'<startEvent id="s">{cycle}</startEvent>' + user("a") + end("e"), "s -> a -> e"))
    assert passes(96 * HOUR, clock, engine) == 2


def test_an_end_that_is_over_starts_nothing(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(starting("R/PT10H/2026-01-01T00:00:00Z", "Cycle"))
    assert passes(96 * HOUR, clock, engine) == 0


def test_a_cron_starts_processes_on_working_days(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(starting("0 0 9 ? * MON-FRI [Europe/Berlin]", "Cycle"))  # the clock begins on a Friday, at 9:00 there
    assert passes(71 * HOUR, clock, engine) == 0
    assert passes(49 * HOUR, clock, engine) == 3


def test_a_month_from_the_last_day_stays_at_the_end_of_months(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(starting("R/2027-01-31T08:00:00Z/P1M", "Cycle"))
    for _ in range(32):
        clock.advance(72 * HOUR)
        engine.run_pending()
    days = sorted(each.start_time.astimezone(UTC).strftime("%m-%d") for each in engine.instances().items)
    assert days == ["02-02", "03-01", "03-31"], "the clock moves by three days: 31 January, 28 February, 31 March"


def test_a_schedule_of_an_earlier_version_goes_on(engine: Engine) -> None:
    """Its name told when it is due, which timer it is and how often it comes again, but not since when."""
    deployed = engine.deploy(starting("R3/PT1H", "Cycle"))
    process = engine._facilities.definitions.get(deployed.deployment_id).process
    name = TimerTrigger.read(f"{BEGIN:015d}:0:1").following(process, "s", Times(BEGIN + 1, BEGIN + 1), Limits())
    assert TimerTrigger.read(name)[:3] == (BEGIN + 3_600_000, 0, 0)
    assert (
        TimerTrigger.read(name).following(process, "s", Times(BEGIN + 3_600_001, BEGIN + 3_600_001), Limits())
        == NONE_LEFT
    )


BOUNDARY = '<boundaryEvent id="b" attachedToRef="a" cancelActivity="false">{}</boundaryEvent>'
OVER = timer("R/PT1H/2026-01-01T00:00:00Z", "Cycle")


def test_a_timer_on_a_border_that_is_over_never_comes_and_one_in_the_flow_fails(
    engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy(
        model(
            '<startEvent id="s"/>' + user("a") + BOUNDARY.format(OVER) + user("c") + end("e"), "s -> a -> e", "b -> c"
        )
    )
    number = engine.start(key="p", name="n").process_instance_id
    passes(5 * HOUR, clock, engine)
    assert [task.element_id for task in engine.tasks(number)] == ["a"]
    engine.complete(engine.tasks(number)[0].task_id, {})
    assert engine.get(number).status == "success"
    engine.deploy(model('<startEvent id="s"/>' + catch("t", OVER) + end("e"), "s -> t -> e", key="flow"))
    failed = engine.get(engine.start(key="flow", name="n", rollback=False).process_instance_id)
    assert (failed.status, "of 't' is over" in (failed.reason or "")) == ("failed", True)


def test_a_date_at_the_end_of_all_years_is_refused_and_an_old_one_is_shown(engine: Engine) -> None:
    engine.deploy(model('<startEvent id="s"/>' + catch("t", timer("${when}", "Date")) + end("e"), "s -> t -> e"))
    started = engine.start(key="p", name="n", variables={"when": "9999-12-31T23:59:59Z"}, rollback=False)
    failed = engine.get(started.process_instance_id)
    assert (failed.status, "after the year 9999" in (failed.reason or "")) == ("failed", True)
    assert moment(253_402_300_799_000).year == 9999


def test_a_schedule_shows_its_next_runs(engine: Engine, clock: VirtualClock) -> None:
    old = engine.deploy(starting("R/2027-01-15T08:00:00Z/P1D", "Cycle"))
    clock.advance(HOUR)
    engine.run_pending()
    assert shown(engine.deployment(old.deployment_id).next_starts) == ["01-16 08:00", "01-17 08:00", "01-18 08:00"]
    cron = engine.deploy(starting("0 30 9 ? * MON-FRI [UTC]", "Cycle"))
    assert shown(engine.deployment(cron.deployment_id).next_starts) == ["01-15 09:30", "01-18 09:30", "01-19 09:30"]
    assert engine.deployment(old.deployment_id).next_starts == ()
    once = engine.deploy(starting("R2/PT1H", "Cycle"))
    assert shown(engine.deployment(once.deployment_id).next_starts) == ["01-15 10:00", "01-15 11:00"]


def shown(times: Sequence[datetime]) -> list[str]:
    return [f"{time.astimezone(UTC):%m-%d %H:%M}" for time in times]


def test_why_tells_when_a_timer_that_repeats_comes_again(engine: Engine) -> None:
    timed = BOUNDARY.format(timer("R/PT1H", "Cycle"))
    engine.deploy(model('<startEvent id="s"/>' + user("a") + timed + user("c") + end("e"), "s -> a -> e", "b -> c"))
    told = " ".join(engine.why(engine.start(key="p", name="n").process_instance_id).sentences)
    assert re.search(
        r"waits until \S+ \S+ \(in 60 minutes\), then \S+ \S+ \(in 2 hours\), .* \(in 3 hours\) and so on\.", told
    )


def test_an_author_is_told_when_a_timer_would_come(engine: Engine) -> None:
    def told(kind: TimerKind, text: str) -> list[int]:
        return [round(time.timestamp() * 1000) - BEGIN for time in engine.next_times(kind, text).times]

    assert told("duration", "PT30S") == [30_000]
    assert told("cycle", "R2/PT1M") == [60_000, 120_000]
    assert told("cycle", "R/PT1H") == [3_600_000, 7_200_000, 10_800_000]
    with pytest.raises(ExpressionError):
        told("cycle", "every day")
