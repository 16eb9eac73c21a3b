"""A person asks why a process stands where it stands, and gets an answer that they can act on."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest

from riverstone.api.cli.screen.following import what_to_do
from riverstone.engine import Conflict, Engine, Stone, UnknownProcessInstance, VirtualClock

from .sketch import catch, definitions, flow, line, process, service
from .test_undo_handlers import STEPS, XY, model
from .world import World, makes_then_fails, policy, run

PAID = '<message id="paid" name="paid"/>'
NEXT = re.compile(r"riverstone (\S+) ")


def told(engine: Engine, process_instance_id: str) -> str:
    """All of the explanation in one text, the commands on lines of their own, and all of it written well."""
    explanation = engine.why(process_instance_id)
    for sentence in explanation.sentences:
        assert sentence[0].isupper(), sentence
        assert sentence[-1] in ".!?", sentence
        assert "None" not in sentence
    return "\n".join([*explanation.sentences, *explanation.commands])


def test_a_process_that_waits_tells_for_what(tmp_path: Path, world: World) -> None:
    clock = VirtualClock()
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), clock=clock) as engine:
        branches = ("watched", "asked", "timed", "messaged", "quick")
        parts = [
            '<startEvent id="begin"/><parallelGateway id="fork"/><parallelGateway id="join" name="All done"/>',
            '<endEvent id="done"/>',
            service("watched", "watch", name="Big disk"),
            '<userTask id="asked" name="Approve"/>',
            catch("timed", "<timerEventDefinition><timeDuration>PT3H</timeDuration></timerEventDefinition>"),
            catch("messaged", '<messageEventDefinition messageRef="paid"/>'),
            service("quick", "make"),
            flow("begin", "fork"),
            flow("join", "done"),
            *(flow("fork", branch) for branch in branches),
            *(flow(branch, "join") for branch in branches),
        ]
        engine.deploy(definitions(PAID, process("shop", *parts)))
        instance = engine.start(key="shop", name="order 7")
        text = told(engine, instance.process_instance_id)

        assert "'order 7' (key shop) was started" in text
        assert re.search(
            r"Task \d+ \('Big disk', watched, stone watch\) has begun; its monitor looks again at .*10 sec", text
        )
        assert re.search(r"waits for a person to do task \d+ \('Approve', asked\)", text)
        assert re.search(r"The event timed waits until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(in 3 hours\)", text)
        assert "The event messaged waits for the message 'paid'." in text
        assert f"riverstone message paid --process {instance.process_instance_id}" in text
        assert (
            "The parallel gateway 'All done', join has 1 of 5 incoming branches (from quick) and waits for that from"
            " 'Big disk', watched (flow watched_join) and 'Approve', asked (flow asked_join) and timed" in text
        )

        clock.advance(4 * 3600)
        assert "it is late" in told(engine, instance.process_instance_id)


@pytest.mark.parametrize(
    "timer", ["<timeDate>2099-01-31T08:00:00Z</timeDate>", "<timeCycle>R3/2099-01-31T08:00:00Z/P1D</timeCycle>"]
)
def test_a_process_that_waits_for_a_date_tells_for_which(tmp_path: Path, world: World, timer: str) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones()) as engine:
        engine.deploy(line("shop", catch("opening", f"<timerEventDefinition>{timer}</timerEventDefinition>")))
        instance = engine.start(key="shop", name="order 7")

        assert "The event opening waits until 2099-01-31 " in told(engine, instance.process_instance_id)


def test_a_task_that_is_tried_again_tells_when_and_why(tmp_path: Path, world: World) -> None:
    clock = VirtualClock()
    world.wrong("start", "a", ValueError("quota reached"))
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), clock=clock) as engine:
        engine.deploy(line("shop", service("a", "make").replace(">", ' camunda:asyncBefore="true">', 1)))
        stubborn = type("Stubborn", (next(s for s in world.stones() if s.code == "make"),), {"retries": 2})
        engine.register(stubborn)
        instance = engine.start(key="shop", name="x")
        text = told(engine, instance.process_instance_id)

    assert re.search(r"Task \d+ \(a, stone make\) is tried again at .*; 1 of 2 retries are left after that\.", text)
    assert "ValueError: quota reached." in text


def test_without_its_stone_or_an_engine_nothing_goes_on(tmp_path: Path, world: World) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=[*world.stones(), type("Exotic", (Stone,), {"code": "exotic"})]) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "exotic")))
    with Engine(url, stones=world.stones()) as engine:
        number = engine.start(key="shop", name="x").process_instance_id
        assert "no running engine knows the stone 'exotic'" in told(engine, number)
    with Engine(url, passive=True) as looking:
        text = told(looking, number)

    assert "No engine that carries out stones works on this database" in text
    assert "riverstone --stones MODULE serve" in text


def test_a_running_hook_is_told_of_by_its_own_engine_and_by_others(tmp_path: Path, world: World) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    begun, go = threading.Event(), threading.Event()

    def slow(task: object) -> None:
        begun.set()
        go.wait(30)

    world.wrong("start", "a", slow)
    with Engine(url, stones=world.stones(), dispatcher="threads") as engine:
        engine.deploy(line("shop", service("a", "make")))
        number = engine.start(key="shop", name="x").process_instance_id
        assert begun.wait(60)
        try:
            assert "runs here now" in told(engine, number)
            with Engine(url, passive=True) as looking:
                assert f"is in the hands of an engine (process {os.getpid()} on " in told(looking, number)
        finally:
            go.set()


def test_a_paused_process_tells_the_three_ways_on(tmp_path: Path, world: World) -> None:
    world.wrong("start", "a", RuntimeError("wrong size"))
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones()) as engine:
        model = engine.save_model(line("shop", service("a", "make", name="Disk")))
        instance = engine.start(model_id=model.model_id, name="x")
        (task,) = engine.tasks(instance.process_instance_id)
        text = told(engine, instance.process_instance_id)

    assert f"Task {task.task_id} ('Disk', a, stone make) has failed in start: RuntimeError: wrong size." in text
    assert NEXT.findall(text) == ["rerun", "skip", "done", "rollback", "cancel"]


def test_a_failed_undo_tells_on_what_it_failed_and_what_to_do(tmp_path: Path, world: World) -> None:
    world.wrong("start", "c", makes_then_fails)
    world.wrong("rollback", "b", RuntimeError("volume is in use"))
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones()) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "make"), service("c", "make")))
        number = engine.start(key="shop", name="x").process_instance_id
        instance = engine.get(number)
        text = told(engine, number)
        failed = next(task for task in engine.tasks(number) if task.namespace == "b")

        assert f"Its rollback, process {instance.rollback_process_instance_id}, failed at" in text
        assert f"The rollback of task {failed.task_id} (b, stone make) failed, at attempt 1" in text
        assert "volume is in use." in text
        assert "One more task waits for that" in text
        assert f"riverstone retry {number} --retain {failed.task_id}" in text

        engine.retry_undo(number, retain=[failed.task_id])
        text = told(engine, number)
        assert f"kept for good, on request or by the model's policy: task {failed.task_id}" in text
        undo = told(engine, instance.rollback_process_instance_id or "")
        assert f"is the rollback of process {number} 'x'" in undo


def test_a_failed_handler_tells_what_it_takes_back_and_how_to_give_that_up(tmp_path: Path, world: World) -> None:
    world.wrong("start", "second", RuntimeError("closed today"))
    world.wrong("start", "b", RuntimeError("no more room"))
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), clock=VirtualClock()) as engine:
        engine.deploy(model(XY, STEPS))
        instance = run(engine, "shop")
        number = instance.process_instance_id
        rows = {task.namespace: task.task_id for task in engine.tasks(number)}
        text = told(engine, number)

        assert f"The model's handler that undoes tasks {rows['x']}, {rows['y']} failed: " in text
        assert "One more task waits for that" in text
        assert f"riverstone retry {number} --retain {rows['y']}" in text
        assert f"riverstone retry {number} --retain {rows['x']} --retain {rows['y']}." in (
            what_to_do(engine, instance) or ""
        )


def test_an_ended_process_tells_how_and_what_is_left(tmp_path: Path, world: World) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), clock=VirtualClock()) as engine:
        engine.deploy(line("shop", service("a", "make"), policy("b", "make", "retain"), service("c", "mail")))
        number = engine.start(key="shop", name="x").process_instance_id
        assert "It succeeded at" in told(engine, number)
        assert NEXT.findall(told(engine, number)) == ["undo", "delete"]
        engine.protect(number)
        assert NEXT.findall(told(engine, number)) == ["protect"]
        engine.protect(number, False)
        engine.delete(number)
        text = told(engine, number)
        assert "ended well" in text
        assert re.search(r"model's policy: task \d+ \(b, stone make\)\.", text)
        assert re.search(r"cannot undo it: task \d+ \(c, stone mail\)\.", text)

        engine.deploy(line("ask", '<userTask id="p"/>'))
        number = engine.start(key="ask", name="x").process_instance_id
        engine.cancel(number)
        assert "It was cancelled at" in told(engine, number)
        with pytest.raises(UnknownProcessInstance):
            engine.why("999999")


def test_a_forced_delete_is_offered_and_tells_what_the_cancel_before_it_took_back(tmp_path: Path, world: World) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), clock=VirtualClock()) as engine:
        paid = '<intermediateCatchEvent id="paid" name="payment came"><messageEventDefinition messageRef="M"/>'
        waits = f"{paid}</intermediateCatchEvent>"
        model = line("sent", service("a", "make"), service("b", "make"), waits, before='<message id="M" name="p"/>')
        engine.deploy(model)
        number = engine.start(key="sent", name="x").process_instance_id
        assert "The event paid ('payment came') waits for the message 'p'." in told(engine, number)
        with pytest.raises(Conflict, match="allowed is cancel, or a delete with force"):
            engine.delete(number)
        engine.delete(number, force=True)
        engine.wait(number, 60)
        assert "tasks undone: 0, and 2 by the undo before it." in told(engine, number)


def test_what_a_delete_can_take_back_and_what_nothing_can_are_told_apart(tmp_path: Path, world: World) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), clock=VirtualClock()) as engine:
        engine.deploy(line("sent", service("a", "make"), service("b", "mail")))
        text = told(engine, engine.start(key="sent", name="x").process_instance_id)
        assert "What one of its tasks made exists until it is deleted." in text
        assert re.search(r"A delete leaves what these tasks may have made, .*: task \d+ \(b, stone mail\)\.", text)

        world.wrong("start", "b", ValueError("no such address"))
        text = told(engine, engine.start(key="sent", name="x").process_instance_id)
        assert "tasks undone: 1." in text
        assert "until it is deleted" not in text
        assert re.search(r"may have made, since their stones cannot undo it: task \d+ \(b, stone mail\)\.", text)
        assert NEXT.findall(text) == []

        engine.deploy(line("shy", service("a", "shy"), service("b", "make")))
        world.wrong("start", "b", ValueError("broken"))
        text = told(engine, engine.start(key="shy", name="x").process_instance_id)
        assert "What one of its tasks made exists until it is deleted." in text
        assert "cannot undo it" not in text
        assert NEXT.findall(text) == ["undo", "delete"]


def test_draining_tells_of_the_grace(tmp_path: Path, world: World) -> None:
    begun, go = threading.Event(), threading.Event()

    def deaf(task: object) -> None:
        begun.set()
        go.wait(30)

    world.wrong("start", "a", deaf)
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), dispatcher="threads") as engine:
        engine.deploy(line("shop", service("a", "make")))
        number = engine.start(key="shop", name="x").process_instance_id
        assert begun.wait(60)
        engine.cancel(number)
        text = told(engine, number)
        go.set()

    assert "It is being cancelled" in text
    assert re.search(r"or the grace is over at .*\(in \d+ (minutes|seconds)\), its cancel begins\.", text)
    assert "stands ready" in text
    assert f"riverstone cancel {number} --force" in text


def test_what_is_left_to_its_end_is_told(tmp_path: Path, world: World) -> None:
    world.wrong("start", "b", RuntimeError("no"))
    nodes = '<startEvent id="begin"/><parallelGateway id="fork"/><endEvent id="one"/><endEvent id="other"/>'
    flows = [flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "one"), flow("b", "other")]
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), clock=VirtualClock()) as engine:
        engine.deploy(definitions(process("shop", nodes, service("a", "watch"), service("b", "make"), *flows)))
        number = engine.start(key="shop", name="x", drain="all").process_instance_id
        text = told(engine, number)
        assert "what runs goes on to its end, as was asked for at its start." in text
        assert "When the last has ended, its rollback begins." in text
        assert "its monitor looks again" in text
        assert engine.wait(number).status == "rollback.success"
        assert "It failed at" in told(engine, number)


def test_secrets_are_hidden_in_explanations(tmp_path: Path, world: World) -> None:
    secret = "hunter2-hunter2"
    world.wrong("start", "a", RuntimeError(f"{secret} was refused"))
    template = [{"Key": "password", "Type": "String", "NoEcho": True}]
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones()) as engine:
        engine.deploy(line("shop", service("a", "make")), parameter_template=template)
        number = engine.start(key="shop", name="x", variables={"password": secret}).process_instance_id
        text = told(engine, number)

    assert "***** was refused" in text
    assert secret not in text
