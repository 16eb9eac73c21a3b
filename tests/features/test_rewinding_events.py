"""Going back to what an event has come beside: what it has begun stays, so it does not begin a second time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from riverstone.engine import Engine, VirtualClock

from .sketch import definitions, flow, process, service
from .world import World


@pytest.fixture
def url(tmp_path: Any) -> str:
    """What is told here does not depend on the database."""
    return f"sqlite:///{tmp_path}/river.db"


def ids(engine: Engine, number: str) -> dict[str, str]:
    """The last task of each namespace."""
    return {task.namespace: task.task_id for task in engine.tasks(number)}


def begun(engine: Engine, source: bytes, **options: Any) -> str:
    number = engine.start(key=engine.deploy(source).key, name="test", **options).process_instance_id
    engine.run_pending()
    return number


def due(form: str, text: str) -> str:
    return f"<timerEventDefinition><{form}>{text}</{form}></timerEventDefinition>"


HOUR = due("timeDuration", "PT1H")
THRICE = due("timeCycle", "R3/PT1H")
HELD = "<conditionalEventDefinition><condition>${low}</condition></conditionalEventDefinition>"
PAID = '<messageEventDefinition messageRef="m"/>'


def beside(event: str, activity: str = '<userTask id="ask"/>') -> bytes:
    """An activity beside which an event lets a stone send a reminder; then a person answers once more."""
    border = f'<boundaryEvent id="late" attachedToRef="ask" cancelActivity="false">{event}</boundaryEvent>'
    parts = ('<startEvent id="s"/>', service("a", "make"), activity, border, service("remind", "make"))
    flows = [flow("s", "a"), flow("a", "ask"), flow("ask", "then"), flow("late", "remind")]
    declared = '<message id="m" name="paid"/>'
    return definitions(declared, process("beside", *parts, '<userTask id="then"/>', *flows))


SUB = f'<subProcess id="ask"><startEvent id="i"/><userTask id="inner"/>{flow("i", "inner")}</subProcess>'
WITHIN = (
    '<subProcess id="ask"><startEvent id="i"/><userTask id="inner"/>'
    f"{flow('i', 'inner')}"
    f'<subProcess id="handler" triggeredByEvent="true"><startEvent id="h" isInterrupting="false">{HOUR}</startEvent>'
    f"{service('reminded', 'make')}{flow('h', 'reminded')}</subProcess></subProcess>"
)


@pytest.mark.parametrize("answered", [False, True], ids=["open", "answered"])
def test_a_timer_beside_a_task_that_has_come_does_not_come_again(
    engine: Engine, world: World, clock: VirtualClock, answered: bool
) -> None:
    number = begun(engine, beside(HOUR))
    clock.advance(3601)
    engine.run_pending()
    if answered:
        engine.complete(ids(engine, number)["ask"])
    assert engine.preview_rewind(number, ids(engine, number)["ask"]).fired == ("late",)
    for _ in range(2):
        # What began again can be gone back to as well.
        engine.rewind(number, ids(engine, number)["ask"])
        clock.advance(7200)
        engine.run_pending()
        assert world.of("start") == ["a", "remind"]
    for task in ("ask", "then"):
        engine.complete(ids(engine, number)[task])
    assert engine.wait(number, 60).status == "success"


def test_what_was_taken_back_comes_again(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = begun(engine, beside(HOUR))
    clock.advance(3601)
    engine.run_pending()
    assert engine.preview_rewind(number, ids(engine, number)["a"]).fired == ()
    engine.rewind(number, ids(engine, number)["a"])
    clock.advance(3601)
    engine.run_pending()
    assert (world.of("start"), world.of("rollback")) == (["a", "remind", "a", "remind"], ["remind", "a"])


def test_a_timer_that_has_not_come_is_set_anew(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = begun(engine, beside(HOUR))
    clock.advance(1800)
    assert engine.preview_rewind(number, ids(engine, number)["ask"]).fired == ()
    engine.rewind(number, ids(engine, number)["ask"])
    clock.advance(3601)
    engine.run_pending()
    assert world.of("start") == ["a", "remind"]


def test_a_timer_of_three_turns_has_those_that_are_left(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = begun(engine, beside(THRICE))
    for _ in range(2):
        clock.advance(3601)
        engine.run_pending()
    assert world.of("start") == ["a", "remind", "remind"]
    engine.rewind(number, ids(engine, number)["ask"])
    for _ in range(4):
        clock.advance(3601)
        engine.run_pending()
    assert world.of("start") == ["a", "remind", "remind", "remind"]


def test_turns_that_are_counted_from_a_date_are_not_counted_twice(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    from_date = datetime.fromtimestamp(clock.now() / 1000 + 1800, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    number = begun(engine, beside(due("timeCycle", f"R3/{from_date}/PT1H")))
    clock.advance(3600)
    engine.run_pending()
    assert world.of("start") == ["a", "remind"]
    engine.rewind(number, ids(engine, number)["ask"])
    for _ in range(4):
        clock.advance(3601)
        engine.run_pending()
    assert world.of("start") == ["a", "remind", "remind", "remind"]


def test_a_condition_that_holds_as_before_is_not_met_again(engine: Engine, world: World) -> None:
    number = begun(engine, beside(HELD), variables={"low": True})
    assert world.of("start") == ["a", "remind"]
    engine.rewind(number, ids(engine, number)["ask"])
    engine.run_pending()
    assert world.of("start") == ["a", "remind"]
    for low in (False, True):
        engine.set_variables(number, {"low": low})
        engine.run_pending()
    assert world.of("start") == ["a", "remind", "remind"]


def test_a_condition_that_was_met_twice_is_not_met_again_for_what_stays(engine: Engine, world: World) -> None:
    """What met it the second time is undone, but it still holds by what met it first, whose reminder stays."""

    def setting(node: str, low: str) -> str:
        given = f'<camunda:outputParameter name="low">${{{low}}}</camunda:outputParameter>'
        mapped = f"<extensionElements><camunda:inputOutput>{given}</camunda:inputOutput></extensionElements>"
        return f'<task id="{node}">{mapped}</task>'

    inside = service("t", "make") + '<userTask id="v"/>' + setting("no", "false") + setting("yes", "true")
    steps = flow("t", "v") + flow("v", "no") + flow("no", "yes") + '<task id="z"/>' + flow("yes", "z")
    border = f'<boundaryEvent id="late" attachedToRef="ask" cancelActivity="false">{HELD}</boundaryEvent>'
    parts = f'<startEvent id="s"/><subProcess id="ask">{inside}{steps}</subProcess>{border}{service("remind", "make")}'
    others = f'<userTask id="u"/>{setting("b", "true")}<userTask id="then"/>'
    flows = flow("s", "ask") + flow("s", "u") + flow("u", "b") + flow("ask", "then") + flow("late", "remind")
    number = begun(engine, definitions(process("twice", parts, others, flows)), variables={"low": False})
    for answered in "uv":
        engine.complete(ids(engine, number)[answered])
        engine.run_pending()
    assert world.of("start") == ["t", "remind", "remind"]
    engine.rewind(number, ids(engine, number)["v"])
    engine.run_pending()
    assert (world.of("start"), world.of("rollback")) == (["t", "remind", "remind"], ["remind"])
    engine.complete(ids(engine, number)["v"])
    engine.run_pending()
    assert world.of("start") == ["t", "remind", "remind", "remind"]


def test_a_message_that_comes_once_more_is_another_one(engine: Engine, world: World) -> None:
    number = begun(engine, beside(PAID))
    engine.message("paid")
    engine.run_pending()
    assert engine.preview_rewind(number, ids(engine, number)["ask"]).fired == ()
    engine.rewind(number, ids(engine, number)["ask"])
    engine.run_pending()
    assert world.of("start") == ["a", "remind"]
    engine.message("paid")
    engine.run_pending()
    assert world.of("start") == ["a", "remind", "remind"]


@pytest.mark.parametrize(("activity", "event"), [(SUB, "late"), (WITHIN, "handler")], ids=["border", "inside"])
def test_a_scope_that_is_open_again_hears_nothing_twice(
    engine: Engine, world: World, clock: VirtualClock, activity: str, event: str
) -> None:
    number = begun(engine, beside(HOUR if event == "late" else due("timeDuration", "P9D"), activity))
    clock.advance(3601)
    engine.run_pending()
    engine.complete(ids(engine, number)["inner"])
    engine.run_pending()
    made = world.of("start")
    assert len(made) == 2
    assert engine.preview_rewind(number, ids(engine, number)["inner"]).fired == (event,)
    engine.rewind(number, ids(engine, number)["inner"])
    clock.advance(7200)
    engine.run_pending()
    assert world.of("start") == made
