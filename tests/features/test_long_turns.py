"""A process that has much to do without waiting does it in many turns, and others have theirs in between."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest

from riverstone.engine import Engine, Limits
from riverstone.engine.bpmn.elements.loops import PORTION
from riverstone.engine.river import turn
from riverstone.engine.river.river import River

from .sketch import catch, definitions, flow, line, process, runs
from .test_survival import House, house

__all__ = ["house"]

ENDLESS = Limits(steps_per_turn=1_000_000_000, steps_per_instance=1_000_000_000, turn_work=1_000_000_000)
SHORT = line("short", '<task id="t"/>')


def counting(until: int, key: str = "long") -> bytes:
    """A circle that counts so far, each time in two steps."""
    counted = (
        '<extensionElements><camunda:inputOutput><camunda:outputParameter name="n">${n + 1}'
        "</camunda:outputParameter></camunda:inputOutput></extensionElements>"
    )
    return definitions(
        process(
            key,
            f'<startEvent id="begin"/><task id="again">{counted}</task><endEvent id="done"/>'
            '<exclusiveGateway id="more" default="more_done"/>',
            flow("begin", "again"),
            flow("again", "more"),
            flow("more", "again", f"${{n < {until}}}"),
            flow("more", "done"),
        )
    )


def test_others_start_and_end_while_a_process_goes_on_without_waiting(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", dispatcher="threads", limits=ENDLESS) as engine:
        engine.deploy(counting(1_000_000_000))
        engine.deploy(SHORT)
        long = engine.start(key="long", name="test", variables={"n": 0}).process_instance_id
        for _ in range(3):
            short = engine.start(key="short", name="test").process_instance_id
            assert engine.wait(short, timeout=30).status == "success"

        assert engine.get(long).status == "running"
        assert "moves on without waiting" in " ".join(engine.why(long).sentences)

        engine.cancel(long)
        while engine.wait(long, timeout=30).status != "cancel.success":
            time.sleep(0.01)


def test_what_was_counted_when_the_process_was_killed_is_counted_on(house: House) -> None:
    with house.engine() as engine:
        engine.deploy(
            counting(40_000),
            parameter_template=[{"Key": "n", "Type": "Integer", "DefaultValue": 0}],
            outputs_template=[{"Key": "n", "Value": "${n}"}],
        )
    with house.victim() as child:
        house.ask(child, 1, "long")
    with house.engine(passive=True) as engine:
        (found,) = engine.instances().items
        assert found.status == "running"

    with house.engine() as engine:
        ended = engine.wait(found.process_instance_id, timeout=60)

    assert (ended.status, ended.outputs) == ("success", '{"n":40000}')


def test_the_limits_of_a_turn_hold_for_all_of_its_portions(tmp_path: Path) -> None:
    limits = Limits(steps_per_turn=300_000)
    with Engine(f"sqlite:///{tmp_path}/river.db", dispatcher="threads", limits=limits) as engine:
        engine.deploy(counting(1_000_000_000))
        long = engine.start(key="long", name="test", variables={"n": 0}).process_instance_id
        stopped = engine.wait(long, timeout=300)

    assert stopped.status == "failed"
    assert "steps_per_turn" in (stopped.reason or "") or "turn_work" in (stopped.reason or "")


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_as_many_as_watch_a_variable_see_it_change(tmp_path: Path, dispatcher: Literal["inline", "threads"]) -> None:
    watching = catch(
        "c", '<conditionalEventDefinition id="d"><condition>${v == 3}</condition></conditionalEventDefinition>'
    )
    setting = (
        '<extensionElements><camunda:inputOutput><camunda:outputParameter name="v">${3}'
        "</camunda:outputParameter></camunda:inputOutput></extensionElements>"
    )
    model = definitions(
        process(
            "watched",
            f'<startEvent id="begin"/><subProcess id="m">{runs("9000")}{watching}</subProcess>',
            f'<userTask id="u"/><task id="w">{setting}</task><endEvent id="done"/>',
            flow("begin", "m") + flow("begin", "u") + flow("u", "w") + flow("w", "done"),
        )
    )
    with Engine(f"sqlite:///{tmp_path}/river.db", dispatcher=dispatcher) as engine:
        engine.deploy(model)
        number = engine.start(key="watched", name="test", variables={"v": 1}).process_instance_id
        while sum(bool(token.waits) for token in engine.tokens(number)) < 9000:
            time.sleep(0.01)
        (asked,) = engine.tasks(number)
        engine.complete(asked.task_id)

        assert engine.wait(number, timeout=60).status == "success"


def test_runs_that_begin_at_once_begin_in_portions_and_each_has_its_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first turns nothing is kept in memory, as where the engine dies after each."""
    begun: list[int] = []

    def forgetful(river: River) -> bool:
        if len(begun) < 3:
            river.cache.clear()
            (found,) = engine.instances().items
            begun.append(len(engine.tokens(found.process_instance_id)))
        else:
            monkeypatch.undo()
        return go_on(river)

    go_on = River.go_on
    monkeypatch.setattr(River, "go_on", forgetful)
    monkeypatch.setattr(turn, "LONGEST", 0.0)
    monkeypatch.setattr(turn, "LEAST", 0.0)
    repeated = (
        '<multiInstanceLoopCharacteristics camunda:collection="${items}" camunda:elementVariable="item"'
        ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><extensionElements><zeebe:loopCharacteristics'
        ' outputCollection="collected" outputElement="=item + 1"/></extensionElements>'
        "</multiInstanceLoopCharacteristics>"
    )
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        engine.deploy(
            line("wide", f'<userTask id="p">{repeated}</userTask>'),
            outputs_template=[{"Key": "collected", "Value": "${collected}"}],
        )
        items = list(range(1_200))
        number = engine.start(key="wide", name="test", variables={"items": items}).process_instance_id
        asked = engine.tasks(number)
        assert len(asked) == len(items)
        assert [count // PORTION for count in begun] == [0, 1, 2]
        for task in asked:
            engine.complete(task.task_id)
        ended = engine.wait(number)

    assert ended.status == "success", ended.reason
    assert ended.output_values == {"collected": [item + 1 for item in items]}


def test_a_process_of_an_engine_without_threads_ends_in_the_call_that_began_it(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        engine.deploy(counting(40_000))
        number = engine.start(key="long", name="test", variables={"n": 0}).process_instance_id

        assert engine.get(number).status == "success"
