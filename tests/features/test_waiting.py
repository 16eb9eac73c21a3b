"""Processes wait for people, messages, signals and times, and for nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from riverstone.engine import Conflict, Engine, Invalid, Stone, TaskInfo, UnknownTask, VirtualClock, WaitTimeout

from .sketch import catch, definitions, line, row, service

PAID = '<message id="m" name="paid"/>'
ALARM = '<signal id="s" name="alarm"/>'
MESSAGE = '<messageEventDefinition messageRef="m"/>'
SIGNAL = '<signalEventDefinition signalRef="s"/>'


class Echo(Stone):
    """Puts out what it is given."""

    code = "echo"

    def start(self, task: TaskInfo) -> None:
        task.add_outputs(task.parameters)


@pytest.fixture
def engine(url: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, stones=[Echo], clock=clock) as engine:
        yield engine


def begin(engine: Engine, key: str = "shop", **options: Any) -> str:
    return engine.start(key=key, name="test", **options).process_instance_id


def after(definition: str, expression: str, before: str) -> bytes:
    return line("shop", catch("wait", definition), service("echo", "echo", {"x": expression}), before=before)


def test_a_person_completes_a_task_and_what_she_says_is_outputs_and_variables(engine: Engine) -> None:
    engine.deploy(
        line(
            "shop",
            '<userTask id="ask" name="Approve?"/>',
            service(
                "echo",
                "echo",
                {
                    "x": "${outputs.ask.ok} ${ok}",
                },
            ),
        )
    )
    number = begin(engine)
    (task,) = engine.tasks(number)
    assert (task.stone, task.name, task.end_time) == (None, "Approve?", None)

    done = engine.complete(task.task_id, {"ok": "yes"})

    assert (done.status, done.outputs) == ("success", {"ok": "yes"})
    assert engine.wait(number).native_output_values == {"ask": {"ok": "yes"}, "echo": {"x": "yes yes"}}


def test_a_task_is_completed_once_and_only_by_what_is_json(engine: Engine) -> None:
    engine.deploy(line("shop", '<userTask id="ask"/>', service("echo", "echo")))
    number = begin(engine)
    (task,) = engine.tasks(number)

    with pytest.raises(Invalid):
        engine.complete(task.task_id, {"x": float("nan")})
    engine.complete(task.task_id)

    with pytest.raises(Conflict, match="has ended"):
        engine.complete(task.task_id)
    with pytest.raises(Conflict, match="by a stone"):
        engine.complete(engine.tasks(number)[1].task_id)
    with pytest.raises(UnknownTask):
        engine.complete("999999")


def test_a_message_brings_its_payload_to_whoever_has_waited_longest(engine: Engine) -> None:
    engine.deploy(after(MESSAGE, "${amount}", PAID))
    first, second = begin(engine), begin(engine)

    assert engine.message("paid", {"amount": 5}).process_instance_id == first
    assert engine.message("paid", {"amount": 6}).process_instance_id == second

    assert engine.wait(first).native_output_values == {"echo": {"x": 5}}
    assert engine.wait(second).native_output_values == {"echo": {"x": 6}}


def test_a_message_finds_its_process_by_business_key_or_id(engine: Engine) -> None:
    engine.deploy(after(MESSAGE, "${amount}", PAID))
    begin(engine, business_key="order-1")
    second = begin(engine, business_key="order-2")
    third = begin(engine)

    assert engine.message("paid", {"amount": 2}, business_key="order-2").process_instance_id == second
    assert engine.message("paid", {"amount": 3}, process_instance_id=third).process_instance_id == third
    assert engine.wait(second).native_output_values == {"echo": {"x": 2}}


@pytest.mark.parametrize("options", [{"business_key": "no"}, {"process_instance_id": "999"}, {}])
def test_a_message_that_nobody_expects_is_a_conflict(engine: Engine, options: dict[str, Any]) -> None:
    engine.deploy(after(MESSAGE, "1", PAID))
    number = begin(engine, business_key="order-1")

    with pytest.raises(Conflict) as caught:
        engine.message("paid" if options else "refunded", {"amount": 1}, **options)

    assert caught.value.code == "message-not-expected"
    assert engine.get(number).status == "running"


def test_a_message_starts_the_newest_version_of_the_process_that_it_triggers(engine: Engine) -> None:
    engine.deploy(line("shop", service("old", "echo"), before=PAID, start=MESSAGE))
    newest = engine.deploy(line("shop", service("echo", "echo", {"x": "${amount}"}), before=PAID, start=MESSAGE))

    started = engine.message("paid", {"amount": 7}, business_key="order-1")

    ended = engine.wait(started.process_instance_id)
    assert (ended.deployment_id, ended.business_key) == (newest.deployment_id, "order-1")
    assert ended.process_content == '{"amount":7}'
    assert ended.native_output_values == {"echo": {"x": 7}}
    engine.deploy(line("shop", service("echo", "echo")))
    with pytest.raises(Conflict):
        engine.message("paid")


def test_a_signal_reaches_all_who_wait_and_starts_all_that_it_triggers(engine: Engine) -> None:
    engine.deploy(after(SIGNAL, "${level}", ALARM))
    engine.deploy(line("rescue", service("echo2", "echo", {"x": "${level}"}), before=ALARM, start=SIGNAL))
    waiting = [begin(engine) for _ in range(3)]

    reached = engine.signal("alarm", {"level": 3})

    assert set(waiting) < set(reached)
    assert len(reached) == 4
    for number in reached:
        assert list(engine.wait(number).native_output_values.values()) == [{"x": 3}]
    assert len(engine.signal("alarm", {"level": 1})) == 1
    assert engine.signal("nothing") == []


def test_a_thrown_message_arrives_at_another_process(engine: Engine) -> None:
    engine.deploy(after(MESSAGE, "arrived", PAID))
    throw = f'<intermediateThrowEvent id="tell">{MESSAGE}</intermediateThrowEvent>'
    engine.deploy(definitions(PAID, row("teller", throw)))
    waiting = begin(engine)

    teller = begin(engine, "teller")

    assert engine.wait(teller).status == "success"
    assert engine.wait(waiting).native_output_values == {"echo": {"x": "arrived"}}


def test_a_thrown_message_that_nobody_expects_is_dropped_with_a_warning(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    throw = f'<intermediateThrowEvent id="tell">{MESSAGE}</intermediateThrowEvent>'
    engine.deploy(definitions(PAID, row("teller", throw)))

    with caplog.at_level(logging.WARNING):
        assert engine.wait(begin(engine, "teller")).status == "success"

    # Without its name, which a model may make of a secret.
    assert "no process waits for a message that process" in caplog.text


def timer(text: str) -> str:
    return f"<timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition>"


def test_a_timer_waits_its_time_on_the_clock(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(after(timer("PT${minutes}M"), "1", ""))
    begun = clock.now()
    number = begin(engine, variables={"minutes": 90})

    clock.advance(90 * 60 - 1)
    engine.run_pending()
    assert engine.get(number).status == "running"
    assert engine.wait(number).status == "success"
    assert clock.now() - begun == 90 * 60 * 1000


def test_a_timer_that_fell_due_while_no_engine_ran_fires_at_once(tmp_path: Path, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=[Echo], clock=clock) as engine:
        engine.deploy(after(timer("P1D"), "1", ""))
        number = begin(engine)
    clock.advance(3 * 24 * 3600)

    with Engine(url, stones=[Echo], clock=clock) as engine:
        engine.run_pending()
        assert engine.get(number).status == "success"


@pytest.mark.parametrize("text", ["soon", "${nothing}", "P99999999999Y"])
def test_a_timer_that_says_no_time_fails_its_process_with_the_text(engine: Engine, text: str) -> None:
    engine.deploy(after(timer("${when}"), "1", ""))

    ended = engine.get(begin(engine, variables={"when": text}, rollback=False))

    assert ended.status == "failed"
    assert text in (ended.reason or "")


@pytest.mark.parametrize("text", ["PT0S", "-PT5S"])
def test_a_timer_that_is_over_when_it_is_set_fires_at_once(engine: Engine, clock: VirtualClock, text: str) -> None:
    engine.deploy(after(timer(text), "1", ""))
    begun = clock.now()

    assert engine.wait(begin(engine)).status == "success"
    assert clock.now() - begun < 1000


def test_whoever_waits_for_what_only_comes_from_outside_is_told_so(engine: Engine) -> None:
    engine.deploy(line("shop", '<userTask id="ask"/>'))

    with pytest.raises(WaitTimeout, match="a message, a signal or a person"):
        engine.wait(begin(engine))


def test_waiting_ends_when_its_time_is_over(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(after(timer("PT1H"), "1", ""))
    begun = clock.now()

    with pytest.raises(WaitTimeout, match="after 60 seconds"):
        engine.wait(begin(engine), timeout=60)
    assert clock.now() - begun == 60_000


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_a_real_timer_is_on_time(tmp_path: Path, dispatcher: Literal["inline", "threads"]) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Echo], dispatcher=dispatcher) as engine:
        engine.deploy(after(timer("PT0.3S"), "1", ""))
        begun = time.monotonic()
        assert engine.wait(begin(engine), timeout=60).status == "success"
        assert time.monotonic() - begun >= 0.29


def test_everything_that_is_waited_for_is_still_waited_for_after_a_restart(tmp_path: Path, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=[Echo], clock=clock) as engine:
        engine.deploy(after(MESSAGE, "${amount}", PAID))
        engine.deploy(line("alarmed", catch("w", SIGNAL), before=ALARM))
        engine.deploy(line("asked", '<userTask id="ask"/>'))
        paid, alarmed, asked = begin(engine, business_key="b"), begin(engine, "alarmed"), begin(engine, "asked")

    with Engine(url, stones=[Echo], clock=clock) as engine:
        assert engine.message("paid", {"amount": 1}, business_key="b").process_instance_id == paid
        assert engine.signal("alarm") == [alarmed]
        engine.complete(engine.tasks(asked)[0].task_id)
        assert [engine.get(number).status for number in (paid, alarmed, asked)] == ["success"] * 3
