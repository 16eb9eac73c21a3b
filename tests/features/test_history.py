"""What happened in a process is kept: each attempt, what was set, what came, and who asked for what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet

from riverstone.engine import Engine, HistoryEntry, Limits, Malformed, UnknownProcessInstance, VirtualClock
from riverstone.engine.operating.audit import AuditedCall

from .sketch import catch, definitions, flow, line, process, runs, service
from .world import World, makes_then_fails, run

TEMPLATE = [{"Key": "password", "NoEcho": True, "DefaultValue": "hunter22"}]
PLAIN = line("plain", service("a", "make", name="Big disk"), service("b", "make"))
MESSAGE = '<message id="M" name="moved"/>'
MOVING = line("moving", catch("m", '<messageEventDefinition messageRef="M"/>'), '<userTask id="u"/>', before=MESSAGE)
RETRIED = (
    '<serviceTask id="a" camunda:type="external" camunda:topic="make"><extensionElements><camunda:properties>'
    '<camunda:property name="retries" value="2"/></camunda:properties></extensionElements></serviceTask>'
)


def told(engine: Engine, number: str, *kinds: str) -> list[HistoryEntry]:
    """The entries (of these kinds), read in small parts that must make up the whole."""
    found: list[HistoryEntry] = []
    cursor = None
    while True:
        page = engine.history(number, limit=3, cursor=cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert found == list(engine.history(number, limit=500).items)
    assert [each.time for each in found] == sorted(each.time for each in found)
    return [each for each in found if not kinds or each.kind in kinds]


def by(engine: Engine, who: str, action: str = "put") -> Any:
    """What a client asks for inside of this is known to be asked for by it."""
    return engine.audit.recording(AuditedCall(client=who, address="127.0.0.1", action=action, request_id="r"))


def test_a_plain_run_is_told_by_its_rows_alone(engine: Engine, world: World, clock: VirtualClock) -> None:
    engine.deploy(PLAIN)
    world.wrong("start", "a", lambda task: clock.advance(60))
    world.wrong("start", "b", lambda task: clock.advance(60))
    number = run(engine, "plain").process_instance_id

    entries = told(engine, number)
    assert [(each.kind, each.element_id, each.status) for each in entries] == [
        ("started", None, None),
        ("task", "a", None),
        ("attempt", "a", "start.success"),
        ("task", "b", None),
        ("attempt", "b", "start.success"),
        ("ended", None, "success"),
    ]
    assert {(each.name, each.stone) for each in entries if each.element_id == "a"} == {("Big disk", "make")}
    assert engine._store.read("SELECT COUNT(*) FROM `history`") == [(0,)], "nothing is written that rows tell"


def test_every_attempt_keeps_its_parameters_reason_and_outputs(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    engine.deploy(line("again", RETRIED))
    world.wrong("start", "a", RuntimeError("no quota"), makes_then_fails, RuntimeError("no answer"))
    started = engine.start(key="again", name="x", variables={"size": 1}, on_failure="pause")
    number = started.process_instance_id
    engine.wait(number, 3600)
    (task,) = engine.tasks(number)
    with by(engine, "olga"):
        engine.rerun(task.task_id, {"size": 7})
    engine.wait(number, 3600)

    attempts = told(engine, number, "attempt")
    assert [(each.attempt, each.status, each.reason) for each in attempts] == [
        (1, "start.failed", "RuntimeError: no quota"),
        (2, "start.failed", "RuntimeError: a broke"),
        (3, "start.failed", "RuntimeError: no answer"),
        (4, "start.success", None),
    ]
    assert [each.outputs for each in attempts] == [None, {"half": "a"}, None, {"id": "a"}]
    assert [(each.parameters or {}).get("size") for each in attempts] == [None, None, None, 7]
    assert attempts[0].engine == engine._facilities.engine_id
    (action,) = told(engine, number, "action")
    assert (action.action, action.who, action.task_id) == ("rerun", "olga", task.task_id)


def test_a_failed_attempt_is_told_when_it_ended_and_not_when_it_was_tried_again(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    engine.deploy(line("again", service("a", "make")))
    world.wrong("start", "a", RuntimeError("no quota"))
    number = run(engine, "again", on_failure="pause").process_instance_id
    failed = clock.now()
    clock.advance(120)
    engine.retry(number)
    engine.wait(number, 3600)

    entries = [each for each in told(engine, number) if each.kind in ("attempt", "action")]
    assert [(each.kind, each.attempt or each.action) for each in entries] == [
        ("attempt", 1),
        ("action", "retry"),
        ("attempt", 2),
    ]
    assert [int(each.time.timestamp() * 1000) - failed for each in entries] == [0, 120_000, 120_000]


def test_variables_messages_and_people_are_told_with_who_it_was(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(MOVING, parameter_template=TEMPLATE)
    with by(engine, "shop"):
        number = engine.start(key="moving", name="x").process_instance_id
    clock.advance(60)
    engine.message("moved", {"to": "west", "code": "my hunter22"}, process_instance_id=number)
    clock.advance(60)
    with by(engine, "olga"):
        engine.set_variables(number, {"to": "east", "password": "other secret"})
    clock.advance(60)
    (task,) = engine.tasks(number)
    with by(engine, "peter"):
        engine.complete(task.task_id, {"approved": True})

    entries = told(engine, number)
    assert [(each.kind, each.who) for each in entries] == [
        ("started", "shop"),
        ("message", None),
        ("variables", None),
        ("task", None),
        ("action", "olga"),
        ("variables", "olga"),
        ("action", "peter"),
        ("variables", "peter"),
        ("attempt", None),
        ("ended", None),
    ]
    message, variables = entries[1:3]
    assert (message.name, message.element_id, message.variables) == ("moved", "m", {"to": "west", "code": "my *****"})
    assert variables.variables == {"to": "west", "code": "my *****"}
    assert [each.variables for each in entries if each.who == "olga"] == [None, {"to": "east", "password": "*****"}]
    stored = str(engine._store.read("SELECT * FROM `history`"))
    assert "hunter22" not in stored
    assert "other secret" not in stored


def test_timers_signals_and_an_undo_with_its_retry_are_told(engine: Engine, world: World, clock: VirtualClock) -> None:
    timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    signal = '<signal id="S" name="open"/>'
    waiting = catch("s", '<signalEventDefinition signalRef="S"/>')
    engine.deploy(line("p", catch("t", timer), waiting, service("a", "make"), before=signal))
    number = engine.start(key="p", name="x").process_instance_id
    clock.advance(3600)
    engine.run_pending()
    engine.signal("open", {"door": 1})
    engine.wait(number, 3600)
    world.wrong("delete", "a", RuntimeError("in use"))
    engine.delete(number)
    stuck = engine.wait(number, 3600)
    clock.advance(60)
    engine.retry_undo(number)
    engine.wait(number, 3600)

    kinds = [(each.kind, each.element_id or each.action or each.status) for each in told(engine, number)]
    assert [each for each in kinds if each[0] in ("timer", "signal")] == [("timer", "t"), ("signal", "s")]
    assert [each for each in kinds if each[0] == "action"] == [("action", "delete"), ("action", "retry")]
    ended = told(engine, number, "undo-ended")
    assert [(each.undo, each.status) for each in ended] == [("delete", "failed"), ("delete", "success")]
    assert "in use" in (ended[0].reason or "")
    undo = stuck.delete_process_instance_id
    assert undo is not None
    assert ended[0].process_instance_id == undo
    attempts = told(engine, undo, "attempt")
    assert [(each.attempt, each.status) for each in attempts] == [(1, "delete.failed"), (2, "delete.success")]


def test_what_was_skipped_or_done_by_hand_keeps_why_it_had_failed(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    engine.deploy(PLAIN)
    world.wrong("start", "a", RuntimeError("no quota"))
    world.wrong("start", "b", RuntimeError("no answer"))
    number = engine.start(key="plain", name="x", on_failure="pause").process_instance_id
    engine.wait(number, 3600)
    clock.advance(60)
    engine.done_by_hand(engine.tasks(number)[0].task_id, {"id": "by hand"})
    engine.wait(number, 3600)
    clock.advance(60)
    engine.skip(engine.tasks(number)[1].task_id)
    engine.wait(number, 3600)

    assert [(each.element_id, each.status, each.reason) for each in told(engine, number, "attempt")][:2] == [
        ("a", "start.failed", "RuntimeError: no quota"),
        ("a", "start.success", None),
    ]
    assert ("b", "start.failed", "RuntimeError: no answer") in [
        (each.element_id, each.status, each.reason) for each in told(engine, number, "attempt")
    ]
    assert [each.action for each in told(engine, number, "action")] == ["done-by-hand", "skip"]


def test_a_history_ends_at_its_ceiling_and_says_so(url: str, world: World) -> None:
    with Engine(url, stones=world.stones(), limits=Limits(history_size=4_000)) as engine:
        engine.deploy(MOVING)
        number = engine.start(key="moving", name="x").process_instance_id
        engine.set_variables(number, {"large": "x" * 40_000})
        for count in range(40):
            engine.set_variables(number, {"note": f"{count} " + "y" * 200})
        engine.message("moved", process_instance_id=number)

        entries = told(engine, number)
        assert [each.kind for each in entries].count("cut") == 1
        assert [each.shortened for each in entries if each.kind == "variables"][:1] == [True]
        assert len([each for each in entries if each.kind == "variables"]) < 20
        assert entries[-1].kind == "task", "what rows keep is told all the same"
        ((size,),) = engine._store.read("SELECT SUM(LENGTH(`entries`)) FROM `history`")
        assert int(size) < 6_000


def test_one_step_writes_one_row_also_where_two_engines_take_turns(url: str, world: World, clock: VirtualClock) -> None:
    with (
        Engine(url, stones=world.stones(), clock=clock) as one,
        Engine(url, stones=world.stones(), clock=clock) as other,
    ):
        one.deploy(MOVING)
        number = one.start(key="moving", name="x").process_instance_id
        for count in range(3):
            one.set_variables(number, {"n": count})
            other.set_variables(number, {"n": count, "other": True})
        assert one._store.read("SELECT COUNT(*) FROM `history`") == [(6,)]
        values = [(each.variables or {}).get("n") for each in told(other, number, "variables")]
        assert sorted(map(str, values)) == list("001122")


def test_an_encrypted_history_is_read_and_goes_with_its_process(url: str, world: World) -> None:
    key = Fernet.generate_key().decode()
    with Engine(url, stones=world.stones(), encryption_keys=[key]) as engine:
        engine.deploy(MOVING)
        number = engine.start(key="moving", name="x").process_instance_id
        for _ in range(120):
            engine.set_variables(number, {"town": "Lisbon"})
        assert "Lisbon" not in str(engine._store.read("SELECT * FROM `history`"))
        assert len([each for each in told(engine, number, "variables") if each.variables == {"town": "Lisbon"}]) == 120
        engine.encrypt_again()
        engine.cancel(number)
        engine.wait(number, 3600)
        assert engine.purge(0) == 1
        assert engine._store.read("SELECT COUNT(*) FROM `history`") == [(0,)]


def test_a_cursor_that_is_none_and_a_process_that_is_none_are_refused(engine: Engine) -> None:
    engine.deploy(definitions(process("p", '<startEvent id="s"/>', '<userTask id="u"/>', flow("s", "u"))))
    number = engine.start(key="p", name="x").process_instance_id
    with pytest.raises(Malformed):
        engine.history(number, cursor="first")
    with pytest.raises(UnknownProcessInstance):
        engine.history("77777")
    assert engine.history(number, cursor="99").items == ()
    assert json.dumps([each.kind for each in engine.history(number).items]) == '["started", "task"]'


def test_a_signal_that_reaches_many_tokens_is_told_of_each_up_to_the_ceiling(url: str, world: World) -> None:
    signal = '<signal id="S" name="open"/>'
    waiting = catch("s", '<signalEventDefinition signalRef="S"/>')
    scope = f'<subProcess id="many">{runs("3000")}<startEvent id="b"/>{waiting}{flow("b", "s")}</subProcess>'
    with Engine(url, stones=world.stones(), limits=Limits(history_size=100_000)) as engine:
        engine.deploy(line("p", service("a", "make"), scope, before=signal), parameter_template=TEMPLATE)
        number = engine.start(key="p", name="x").process_instance_id
        engine.signal("open", {"note": "my hunter22"})
        assert engine.wait(number, 3600).status == "success"

        entries = [each for each in engine.history(number, limit=5_000).items if each.kind in ("signal", "cut")]
        assert entries[-1].kind == "cut"
        assert {str(each.variables) for each in entries[:-1]} == {"{'note': 'my *****'}"}
        ((rows,),) = engine._store.read("SELECT COUNT(*) FROM `history`")
        assert 1 <= rows < 100, "one for each turn in which it is delivered, and not for each token"
        assert "hunter22" not in str(engine._store.read("SELECT * FROM `history`"))
