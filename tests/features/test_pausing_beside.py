"""A failure that waits for somebody, and all that goes on beside it, ends it, or is not held up by any policy."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import BpmnError, Engine, Invalid, VirtualClock
from riverstone.engine.metrics import Metrics

from .elements import flows, ordered, timer
from .sketch import catch, definitions, line, process, service
from .test_observing import samples
from .world import World, makes_then_fails, run, statuses, undone

FORK = '<startEvent id="s"/><parallelGateway id="f"/>'


def drawn(key: str, body: str, *lines: str, before: str = "") -> bytes:
    return definitions(before, process(key, ordered(body + flows(*lines))))


def ids(engine: Engine, number: str) -> dict[str, str]:
    return {task.namespace: task.task_id for task in engine.tasks(number)}


def paused(engine: Engine, key: str, **options: Any) -> str:
    found = run(engine, key, on_failure="pause", **options)
    assert (found.status, found.attention) == ("running", 1)
    number: str = found.process_instance_id
    return number


def test_people_timers_and_messages_go_on_beside_what_stands_still(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    body = FORK + '<parallelGateway id="j"/><endEvent id="e"/><userTask id="u"/>' + service("b", "make")
    body += catch("hour", timer("PT1H")) + catch("paid", '<messageEventDefinition messageRef="m"/>')
    body += service("after", "make") + service("late", "make") + service("sent", "make")
    ways = ("s -> f", "f -> b -> j -> e", "f -> u -> after -> j", "f -> hour -> late -> j", "f -> paid -> sent -> j")
    engine.deploy(drawn("beside", body, *ways, before='<message id="m" name="paid"/>'))
    world.wrong("start", "b", RuntimeError("quota"))
    number = paused(engine, "beside")
    engine.complete(ids(engine, number)["u"])
    clock.advance(3601)
    engine.run_pending()
    engine.message("paid", process_instance_id=number)
    engine.run_pending()
    found = engine.get(number)
    assert (world.exists, found.status, found.attention) == (["after", "late", "sent"], "running", 1)
    engine.retry(number)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["after", "b", "late", "sent"])


def test_a_terminate_end_takes_what_stands_still_away_and_its_row_stays_to_be_undone(
    engine: Engine, world: World
) -> None:
    body = FORK + service("b", "make") + '<userTask id="u"/><endEvent id="e"/>'
    body += '<endEvent id="end"><terminateEventDefinition/></endEvent>'
    engine.deploy(drawn("ended", body, "s -> f", "f -> b -> e", "f -> u -> end"))
    world.wrong("start", "b", makes_then_fails)
    number = paused(engine, "ended")
    engine.complete(ids(engine, number)["u"])
    found = engine.wait(number, 60)
    assert (found.status, found.attention) == ("success", 0)
    assert statuses(engine.tasks(number))["b"] == "start.failed"
    assert [(each.namespace, each.state) for each in engine.resources(process_instance_id=number).items] == [
        ("b", "unknown")
    ]
    engine.delete(number)
    assert (engine.wait(number, 60).status, world.of("delete")) == ("delete.success", ["b"])


def test_an_error_that_the_model_catches_waits_for_nobody(engine: Engine, world: World) -> None:
    body = '<startEvent id="s"/>' + service("b", "make") + service("instead", "make") + '<endEvent id="e"/>'
    body += '<boundaryEvent id="caught" attachedToRef="b"><errorEventDefinition/></boundaryEvent>'
    engine.deploy(drawn("catching", body, "s -> b -> e", "caught -> instead -> e"))
    world.wrong("start", "b", BpmnError("full", "no room"))
    found = run(engine, "catching", on_failure="pause")
    assert (found.status, found.attention, world.exists) == ("success", 0, ["instead"])


@pytest.mark.parametrize("drain", ["stop", "all"])
def test_how_to_drain_counts_when_somebody_gives_up(engine: Engine, world: World, drain: Any) -> None:
    body = FORK + service("a", "watch") + service("b", "make") + '<endEvent id="e"/>'
    engine.deploy(drawn("forked", body, "s -> f", "f -> a -> e", "f -> b -> e"))
    world.wrong("start", "b", RuntimeError("no"))
    number = engine.start(key="forked", name="x", on_failure="pause", drain=drain).process_instance_id
    engine.run_pending()
    # The look at the other goes on until somebody gives up.
    engine.roll_back(number)
    assert engine.wait(number, 3600).status == "rollback.success"
    ended = {task.namespace: task.status for task in engine.tasks(number)}
    assert ended["a"] == ("monitor.success" if drain == "all" else "canceled")
    assert (world.of("monitor").count("a") == 3) == (drain == "all")
    assert world.exists == []


def test_an_undo_never_waits_by_a_policy(engine: Engine, world: World) -> None:
    engine.deploy(line("two", service("a", "make"), service("b", "make")))
    world.wrong("start", "b", RuntimeError("no"))
    number = paused(engine, "two")
    world.wrong("rollback", "a", RuntimeError("busy"))
    engine.roll_back(number)
    found = engine.wait(number, 60)
    assert (found.status, found.attention) == ("rollback.failed", 0)
    assert undone(engine.tasks(number))["a"] == "failed"
    assert engine.retry(number).status in ("rollback.begin", "rollback.success")
    assert engine.wait(number, 60).status == "rollback.success"


def test_a_mock_waits_for_nobody(engine: Engine, world: World) -> None:
    body = '<startEvent id="s"/><exclusiveGateway id="g"/>' + service("a", "make") + '<endEvent id="e"/>'
    model = engine.save_model(drawn("choice", body, "s -> g", "g -> a ? size > 1", "a -> e"))
    given = {"SipRS::Mock": True, "size": 0}
    engine.deploy_model(model.model_id)
    started = engine.start(key="choice", name="x", variables=given, on_failure="pause")
    ended = engine.wait(started.process_instance_id, 60)
    assert (ended.status, ended.attention, world.calls) == ("failed", 0, [])


def test_a_variable_that_the_template_refuses_is_not_set_and_a_secret_stays_one(engine: Engine, world: World) -> None:
    template = [{"Key": "size", "Type": "Number"}, {"Key": "pin", "Type": "String", "NoEcho": True}]
    model = engine.save_model(line("asked", service("a", "make", {"size": "${size}"})), parameter_template=template)
    engine.deploy_model(model.model_id)
    world.wrong("start", "a", RuntimeError("no"))
    number = paused(engine, "asked", variables={"size": 1, "pin": "first-pin"})
    with pytest.raises(Invalid) as caught:
        engine.set_variables(number, {"size": "large"})
    assert "size" in str(caught.value.errors)
    engine.set_variables(number, {"size": 2, "pin": "second-pin"})
    (told,) = [entry for entry in engine.history(number).items if entry.kind == "variables"]
    assert "second-pin" not in repr(told)
    engine.retry(number)
    assert engine.wait(number, 60).status == "success"
    assert "second-pin" not in repr(engine.get(number))


def test_what_needs_somebody_is_counted_apart_by_the_metrics(engine: Engine, world: World) -> None:
    metrics = Metrics.of(engine)
    engine.deploy(line("one", service("a", "make")))
    world.wrong("start", "a", RuntimeError("no"))
    number = paused(engine, "one")
    assert samples(metrics)["riverstone_processes_awaiting", "attention"] == 1
    engine.roll_back(number)
    engine.wait(number, 60)
    assert ("riverstone_processes_awaiting", "attention") not in samples(metrics)
