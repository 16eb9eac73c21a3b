"""Somebody says stop: what runs ends, nothing begins, and later all of it goes on as if nothing had been."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from riverstone.engine import (
    Conflict,
    Engine,
    Fatal,
    Invalid,
    Limits,
    ProcessInstance,
    Stone,
    TaskInfo,
    ThreadsDispatcher,
    UnknownDeployment,
    UnknownStone,
    VirtualClock,
)

from .sketch import catch, definitions, flow, line, process, service
from .world import World, makes_then_fails, run, statuses

PERSON = '<userTask id="person"/>'
MESSAGE = '<message id="m" name="paid"/>'
PAID = catch("paid", '<messageEventDefinition messageRef="m"/>')
HOUR = catch("hour", "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>")


def begun(engine: Engine, *nodes: str, before: str = "") -> str:
    engine.deploy(line("shop", *nodes, before=before))
    return engine.start(key="shop", name="it").process_instance_id


def at_person(engine: Engine, number: str) -> str:
    return next(task.task_id for task in engine.tasks(number) if task.status == "running")


def test_what_comes_is_taken_in_and_the_next_task_waits(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = begun(engine, PERSON, service("a", "make"), service("b", "make"))
    found = engine.suspend(number, reason="the quota is used up", who="ann")
    assert (found.status, found.awaits) == ("running", "suspended")
    assert found.suspended is not None
    assert (found.suspended.reason, found.suspended.who) == ("the quota is used up", "ann")
    engine.complete(at_person(engine, number))
    clock.advance(10_000)
    engine.run_pending()
    assert (world.calls, engine.get(number).status) == ([], "running")
    told = engine.why(number)
    assert any("suspended by ann" in each and "the quota is used up." in each for each in told.sentences)
    assert f"riverstone unsuspend {number}" in told.commands
    ended = engine.unsuspend(number)
    assert (engine.wait(number, 60).status, world.exists, ended.suspended) == ("success", ["a", "b"], None)


def test_it_goes_on_after_a_restart(url: str, world: World, clock: VirtualClock) -> None:
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        number = begun(engine, PERSON, service("a", "make"))
        engine.suspend(number)
        engine.complete(at_person(engine, number))
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        engine.run_pending()
        assert (engine.get(number).awaits, world.calls) == ("suspended", [])
        engine.unsuspend(number)
        assert engine.wait(number, 60).status == "success"


def test_a_timer_that_came_due_waits_and_fires_when_it_goes_on(engine: Engine, clock: VirtualClock) -> None:
    number = begun(engine, HOUR)
    engine.suspend(number)
    clock.advance(7_200_000)
    engine.run_pending()
    assert engine.get(number).status == "running"
    engine.unsuspend(number)
    engine.run_pending()
    assert engine.get(number).status == "success"


def test_a_message_reaches_it_and_moves_it_no_further(engine: Engine, world: World) -> None:
    number = begun(engine, PAID, service("a", "make"), before=MESSAGE)
    engine.suspend(number)
    assert engine.message("paid").process_instance_id == number
    assert world.calls == []
    engine.unsuspend(number)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["a"])


def test_a_retry_that_comes_due_waits(engine: Engine, world: World, clock: VirtualClock) -> None:
    world.wrong("start", "a", RuntimeError("down"))
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0}))
    number = begun(engine, service("a", "again"))
    engine.suspend(number)
    clock.advance(600_000)
    engine.run_pending()
    (task,) = engine.tasks(number)
    assert (task.status, len(world.calls)) == ("suspended", 1)
    engine.unsuspend(number)
    assert (engine.wait(number, 60).status, len(world.calls)) == ("success", 2)


def test_a_monitor_is_polled_until_what_began_has_ended(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = begun(engine, service("a", "watch"), service("b", "make"))
    engine.suspend(number)
    for _ in range(4):
        clock.advance(10_000)
        engine.run_pending()
    assert (statuses(engine.tasks(number)), world.exists) == ({"a": "monitor.success"}, ["a"])
    engine.unsuspend(number)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["a", "b"])


def test_a_failure_is_entered_and_rolls_back_only_when_it_goes_on(world: World) -> None:
    released = threading.Event()

    class Slow(Stone):
        code = "slow"

        def start(self, task: TaskInfo) -> None:
            released.wait(30)
            raise RuntimeError("no")

    with Engine("sqlite:///:memory:", stones=[*world.stones(), Slow], dispatcher="threads") as other:
        number = begun(other, service("a", "make"), service("b", "slow"))
        until(lambda: statuses(other.tasks(number)).get("b") == "start.begin")
        other.suspend(number)
        released.set()
        until(lambda: statuses(other.tasks(number)).get("b") == "start.failed")
        assert (other.get(number).status, world.exists) == ("running", ["a"])
        other.unsuspend(number)
        until(lambda: other.get(number).status == "rollback.success")
        assert world.exists == []


def test_what_waits_for_a_thread_does_not_begin(world: World) -> None:
    released, entered = threading.Event(), threading.Event()

    class Slow(Stone):
        code = "slow"

        def start(self, task: TaskInfo) -> None:
            entered.set()
            released.wait(30)

    with Engine("sqlite:///:memory:", stones=[*world.stones(), Slow], dispatcher=ThreadsDispatcher(1)) as engine:
        engine.deploy(line("busy", service("x", "slow")))
        engine.start(key="busy", name="x")
        assert entered.wait(30)
        number = begun(engine, service("a", "make"))
        engine.suspend(number)
        assert statuses(engine.tasks(number)) == {"a": "suspended"}
        released.set()
        until(lambda: engine.counts()["success"] == 1)
        assert world.calls == []
        engine.unsuspend(number)
        until(lambda: engine.get(number).status == "success")
        assert world.exists == ["a"]


def until(done: Callable[[], bool]) -> None:
    deadline = threading.Event()
    for _ in range(3000):
        if done():
            return
        deadline.wait(0.01)
    raise AssertionError("it never came to that")


def test_an_undo_is_suspended_too(engine: Engine, world: World, clock: VirtualClock) -> None:
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 3, "retry_backoff": 60.0}))
    world.wrong("rollback", "b", RuntimeError("down"))
    world.wrong("start", "c", RuntimeError("no"))
    number = begun(engine, service("a", "make"), service("b", "again"), service("c", "make"))
    assert engine.get(number).status == "rollback.begin"
    found = engine.suspend(number, reason="wait")
    undo = engine.get(str(found.rollback_process_instance_id))
    assert (found.status, found.awaits, undo.awaits) == ("rollback.begin", "suspended", "suspended")
    clock.advance(600_000)
    engine.run_pending()
    assert world.exists == ["a", "b"]
    assert "wait. What runs ends" in " ".join(engine.why(undo.process_instance_id).sentences)
    engine.unsuspend(undo.process_instance_id)
    assert (engine.wait(number, 60).status, world.exists) == ("rollback.success", [])


@pytest.fixture
def stuck(engine: Engine, world: World) -> ProcessInstance:
    """One in which something has failed and stands still, suspended."""
    world.wrong("start", "b", makes_then_fails)
    engine.deploy(line("three", service("a", "make"), service("b", "make"), service("c", "make")))
    found = run(engine, "three", on_failure="pause")
    engine.suspend(found.process_instance_id, who="ann")
    return engine.get(found.process_instance_id)


def test_what_would_begin_something_is_refused_by_name(engine: Engine, stuck: ProcessInstance) -> None:
    number = stuck.process_instance_id
    tasks = {task.namespace: task.task_id for task in engine.tasks(number)}
    calls: list[Callable[[], object]] = [
        lambda: engine.retry(number),
        lambda: engine.rerun(tasks["b"]),
        lambda: engine.skip(tasks["b"]),
        lambda: engine.done_by_hand(tasks["b"], {"id": 1}),
        lambda: engine.roll_back(number),
        lambda: engine.resume(tasks["b"]),
        lambda: engine.rewind(number, tasks["a"]),
    ]
    before = engine.tasks(number)
    for call in calls:
        with pytest.raises(Conflict) as refused:
            call()
        assert (refused.value.code, "suspended by ann" in refused.value.message) == ("suspended", True)
    assert engine.tasks(number) == before
    engine.set_variables(number, {"x": 1})
    engine.unsuspend(number)
    engine.retry(number)
    assert engine.wait(number, 60).status == "success"


def test_it_can_be_cancelled_and_deleted_all_the_same(engine: Engine, world: World, stuck: ProcessInstance) -> None:
    number = stuck.process_instance_id
    assert (engine.cancel(number).status, world.exists) == ("cancel.success", [])
    other = begun(engine, service("a", "make"), PERSON)
    engine.suspend(other)
    found = engine.delete(other, force=True)
    assert (found.status, found.suspended, world.exists) == ("delete.success", None, [])


def test_only_what_goes_on_can_be_suspended_and_only_what_is_suspended_goes_on(engine: Engine) -> None:
    number = begun(engine, PERSON)
    with pytest.raises(Conflict, match="is not suspended"):
        engine.unsuspend(number)
    with pytest.raises(Invalid, match="at most 1000"):
        engine.suspend(number, reason="x" * 1001)
    engine.suspend(number, reason="one", who="ann")
    engine.suspend(number, reason="two", who="bob")
    kept = engine.get(number).suspended
    assert kept is not None
    assert (kept.reason, kept.who) == ("two", "bob")
    assert engine.counts()["suspended"] == 1
    assert [each.process_instance_id for each in engine.search(state="suspended").items] == [number]
    engine.cancel(number)
    with pytest.raises(Conflict, match="nothing goes on"):
        engine.suspend(number)


def test_a_rewind_under_way_waits_too(engine: Engine, world: World, clock: VirtualClock) -> None:
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 3, "retry_backoff": 60.0}))
    number = begun(engine, service("a", "make"), service("b", "again"), PERSON)
    world.wrong("rollback", "b", RuntimeError("down"))
    first = engine.tasks(number)[0].task_id
    engine.rewind(number, first)
    engine.suspend(number)
    clock.advance(600_000)
    engine.run_pending()
    assert world.exists == ["a", "b"]
    engine.unsuspend(number)
    engine.run_pending()
    assert (engine.get(number).awaits, world.exists) == ("person", ["a", "b"])
    assert world.of("start") == ["a", "b", "a", "b"]


def test_a_cancel_of_one_whose_rewind_is_suspended_takes_all_back(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 3, "retry_backoff": 60.0}))
    number = begun(engine, service("a", "make"), service("b", "again"), PERSON)
    world.wrong("rollback", "b", RuntimeError("down"))
    engine.rewind(number, engine.tasks(number)[0].task_id)
    engine.suspend(number)
    engine.cancel(number)
    clock.advance(600_000)
    assert (engine.wait(number, 60).status, world.exists) == ("cancel.success", [])


BESIDE = definitions(
    process(
        "beside",
        '<startEvent id="s"/><parallelGateway id="f"/><endEvent id="e"/><endEvent id="g"/>',
        service("a", "make"),
        '<userTask id="person"/>',
        service("b", "make"),
        flow("s", "f"),
        flow("f", "person"),
        flow("f", "a"),
        flow("person", "b"),
        flow("a", "e"),
        flow("b", "g"),
    )
)


def test_a_debug_run_that_stands_still_is_not_run_again(engine: Engine, world: World) -> None:
    world.wrong("start", "a", RuntimeError("no"))
    model = engine.save_model(BESIDE)
    number = engine.start(model_id=model.model_id, name="trial").process_instance_id
    found = engine.wait(number, 3600)
    assert found.paused
    engine.suspend(number)
    with pytest.raises(Conflict, match="suspended"):
        engine.retry(number)
    engine.unsuspend(number)
    engine.retry(number)
    assert world.exists == ["a"]


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_retry_that_comes_due_beside_what_has_failed_in_a_debug_run_waits_too(
    engine: Engine, world: World, clock: VirtualClock, cancelled: bool
) -> None:
    flows = ("begin fork", "fork a", "fork b", "a join", "b join", "join done")
    split = process(
        "shop",
        '<startEvent id="begin"/><parallelGateway id="fork"/><parallelGateway id="join"/><endEvent id="done"/>',
        service("a", "again"),
        service("b", "make"),
        *(flow(*each.split()) for each in flows),
    )
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0}))
    world.wrong("start", "a", OSError("busy"))
    world.wrong("start", "b", Fatal("no room"))
    number = engine.start(model_id=engine.deploy(definitions(split)).model_id, name="it").process_instance_id
    engine.run_pending()
    before = list(world.calls)
    engine.suspend(number)
    clock.advance(600_000)
    engine.run_pending()
    assert world.calls == before
    assert statuses(engine.tasks(number)) == {"a": "suspended", "b": "start.failed"}
    if cancelled:
        engine.cancel(number)
        assert engine.wait(number, 60).status == "cancel.success"
        return
    engine.unsuspend(number)
    engine.run_pending()
    assert world.exists == ["a"]
    engine.resume(engine.tasks(number)[0].task_id)
    assert engine.wait(number, 60).status == "rollback.success"


def test_another_engine_lets_it_go_on(url: str, clock: VirtualClock, world: World) -> None:
    for one, other in both(url, clock, world):
        number = begun(one, PERSON, service("a", "make"))
        other.suspend(number)
        one.complete(at_person(one, number))
        one.run_pending()
        assert world.calls == []
        other.unsuspend(number)
        other.run_pending()
        assert (one.get(number).status, world.exists) == ("success", ["a"])


def test_another_engine_suspends_what_this_one_would_try_again(url: str, clock: VirtualClock, world: World) -> None:
    for one, other in both(url, clock, world):
        world.wrong("start", "a", RuntimeError("down"))
        for engine in (one, other):
            engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0}))
        number = begun(one, service("a", "again"))
        other.suspend(number)
        clock.advance(600_000)
        one.run_pending()
        other.run_pending()
        assert len(world.calls) == 1
        other.unsuspend(number)
        other.run_pending()
        assert (one.get(number).status, len(world.calls)) == ("success", 2)


def test_it_is_moved_to_another_version_and_goes_on_there(engine: Engine, world: World) -> None:
    number = begun(engine, PERSON, service("a", "make"))
    engine.suspend(number)
    engine.complete(at_person(engine, number))
    second = engine.deploy(line("shop", PERSON, service("a", "make"), service("b", "make")))
    engine.migrate(number, second.deployment_id)
    assert (world.calls, engine.get(number).awaits) == ([], "suspended")
    engine.unsuspend(number)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["a", "b"])


def both(url: str, clock: VirtualClock, world: World) -> Iterator[tuple[Engine, Engine]]:
    with (
        Engine(url, stones=world.stones(), clock=clock) as one,
        Engine(url, stones=world.stones(), clock=clock, passive=True) as other,
    ):
        yield one, other


def test_no_hook_of_a_suspended_stone_begins_and_all_else_goes_on(engine: Engine, world: World) -> None:
    number = begun(engine, PERSON, service("a", "mail"), service("b", "make"), service("c", "mail"))
    told = engine.suspend_stone("make", reason="The yard is closed", who="ann")
    assert engine.suspended_stones() == (told,)
    engine.complete(at_person(engine, number))
    assert (statuses(engine.tasks(number))["b"], world.exists) == ("suspended", ["a"])
    assert "Its stone 'make' was suspended by ann" in " ".join(engine.why(number).sentences)
    engine.unsuspend_stone("make")
    assert (engine.wait(number, 60).status, world.exists, engine.suspended_stones()) == ("success", ["a", "b", "c"], ())


def test_an_undo_waits_for_a_suspended_stone(engine: Engine, world: World) -> None:
    number = begun(engine, service("a", "make"), PERSON)
    engine.suspend_stone("make")
    engine.cancel(number)
    assert (engine.get(number).status, world.exists) == ("cancel.begin", ["a"])
    engine.unsuspend_stone("make")
    assert (engine.wait(number, 60).status, world.exists) == ("cancel.success", [])


def test_both_have_to_be_let_go_on(engine: Engine, world: World) -> None:
    number = begun(engine, PERSON, service("a", "make"))
    engine.suspend(number)
    engine.suspend_stone("make")
    engine.complete(at_person(engine, number))
    engine.unsuspend(number)
    engine.run_pending()
    assert statuses(engine.tasks(number))["a"] == "suspended"
    engine.suspend(number)
    engine.unsuspend_stone("make")
    engine.run_pending()
    assert world.calls == []
    engine.unsuspend(number)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["a"])


def test_a_stone_that_nobody_knows_is_not_suspended(engine: Engine) -> None:
    with pytest.raises(UnknownStone, match="No stone has the code"):
        engine.suspend_stone("mkae")
    with pytest.raises(Conflict, match="is not suspended"):
        engine.unsuspend_stone("make")


def test_a_stone_that_another_engine_suspends_begins_nothing_here(url: str, clock: VirtualClock, world: World) -> None:
    for one, other in both(url, clock, world):
        number = begun(one, PERSON, service("a", "make"))
        other.suspend_stone("make")
        one.complete(at_person(one, number))
        one.run_pending()
        assert (world.calls, statuses(one.tasks(number))["a"]) == ([], "suspended")
        second = one.start(key="shop", name="it").process_instance_id
        other.unsuspend_stone("make")
        one.run_pending()
        assert one.wait(number, 60).status == "success"
        one.complete(at_person(one, second))
        assert (one.wait(second, 60).status, world.exists) == ("success", ["a", "a"])


def test_the_processes_of_a_key_wait_and_what_is_started_waits_with_them(engine: Engine, world: World) -> None:
    first = begun(engine, service("a", "make"), PERSON, service("b", "make"))
    told = engine.suspend_key("shop", reason="It makes too many", who="ann")
    assert engine.suspended_keys() == (told,)
    second = engine.start(key="shop", name="later").process_instance_id
    engine.complete(at_person(engine, first))
    engine.run_pending()
    for number in (first, second):
        found = engine.get(number)
        assert found.suspended is not None
        assert (found.status, found.awaits, found.suspended.by_key) == ("running", "suspended", True)
        assert (found.suspended.who, found.suspended.reason) == ("ann", "It makes too many")
        told_why = engine.why(number)
        assert "Its key 'shop' was suspended by ann" in " ".join(told_why.sentences)
        assert "riverstone unsuspend --key shop" in told_why.commands
    assert world.of("start") == ["a"]
    engine.unsuspend_key("shop")
    engine.run_pending()
    assert (engine.wait(first, 60).status, engine.suspended_keys()) == ("success", ())
    assert engine.get(second).awaits == "person"
    assert sorted(world.exists) == ["a", "a", "b"]


def test_a_process_of_a_suspended_key_goes_on_only_with_it_but_can_be_cancelled(engine: Engine, world: World) -> None:
    number = begun(engine, service("a", "make"), PERSON)
    engine.suspend_key("shop")
    with pytest.raises(Conflict, match="let the key go on") as refused:
        engine.unsuspend(number)
    assert refused.value.code == "key-suspended"
    assert (engine.cancel(number).status, world.exists) == ("cancel.success", [])


def test_who_was_suspended_by_itself_stays_so_when_its_key_goes_on(engine: Engine) -> None:
    number = begun(engine, PERSON)
    engine.suspend(number, reason="mine", who="bob")
    engine.suspend_key("shop", reason="all")
    engine.unsuspend_key("shop")
    engine.run_pending()
    kept = engine.get(number).suspended
    assert kept is not None
    assert (kept.reason, kept.by_key) == ("mine", False)
    engine.unsuspend(number)
    assert engine.get(number).awaits == "person"


def test_messages_and_timers_start_processes_of_a_suspended_key_that_wait(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    told = '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>'
    engine.deploy(definitions(MESSAGE, process("told", told, service("a", "make"), flow("s", "a"))))
    due = '<startEvent id="s"><timerEventDefinition><timeCycle>R1/PT1H</timeCycle></timerEventDefinition></startEvent>'
    engine.deploy(definitions(process("timed", due, service("b", "make"), flow("s", "b"))))
    engine.suspend_key("told")
    engine.suspend_key("timed")
    engine.message("paid", {"sum": 5})
    clock.advance(4_000_000)
    engine.run_pending()
    assert (engine.counts()["suspended"], world.calls) == (2, [])
    engine.unsuspend_key("told")
    engine.unsuspend_key("timed")
    engine.run_pending()
    assert (engine.counts()["success"], sorted(world.exists)) == (2, ["a", "b"])


def test_a_key_that_there_is_not_is_not_suspended(engine: Engine) -> None:
    with pytest.raises(UnknownDeployment, match="shpo"):
        engine.suspend_key("shpo")
    begun(engine, PERSON)
    with pytest.raises(Conflict, match="is not suspended"):
        engine.unsuspend_key("shop")
    with pytest.raises(Invalid, match="at most 1000"):
        engine.suspend_key("shop", reason="x" * 1001)
    assert engine.suspended_keys() == ()


def test_a_key_that_another_engine_suspends_begins_nothing_here(url: str, clock: VirtualClock, world: World) -> None:
    for one, other in both(url, clock, world):
        number = begun(one, PERSON, service("a", "make"))
        other.suspend_key("shop")
        one.complete(at_person(one, number))
        later = one.start(key="shop", name="later").process_instance_id
        one.run_pending()
        assert world.calls == []
        assert [one.get(each).awaits for each in (number, later)] == ["suspended", "suspended"]
        other.unsuspend_key("shop")
        one.run_pending()
        assert one.wait(number, 60).status == "success"
        assert (one.get(later).awaits, world.exists) == ("person", ["a"])


def test_what_was_to_be_suspended_goes_on_where_its_key_does_meanwhile(engine: Engine, world: World) -> None:
    number = begun(engine, PERSON, service("a", "make"))
    engine.suspend_key("shop")
    batch = engine.batches().items[0]
    assert (batch.action, batch.options, batch.total) == ("suspend", {"key": "shop"}, 1)
    engine.unsuspend_key("shop")
    engine.run_pending()
    late = engine.batch("suspend", {"key": "shop"})
    assert late.done == 1
    engine.unsuspend(number)
    engine.complete(at_person(engine, number))
    assert engine.wait(number, 60).status == "success"


def test_a_hook_that_waited_when_its_key_was_suspended_goes_on_with_it(engine: Engine, world: World) -> None:
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 0.0}))
    number = begun(engine, PERSON, service("a", "again"))
    engine.suspend_key("shop")
    engine.unsuspend_key("shop")
    engine.suspend_stone("again")
    engine.complete(at_person(engine, number))
    assert statuses(engine.tasks(number))["a"] == "suspended"
    engine.suspend_key("shop")
    engine.unsuspend_stone("again")
    engine.run_pending()
    assert world.calls == []
    engine.unsuspend_key("shop")
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["a"])


def test_a_key_can_be_let_go_on_again_where_its_processes_did_not_go_on(engine: Engine) -> None:
    numbers = [begun(engine, PERSON), engine.start(key="shop", name="it").process_instance_id]
    engine.suspend_key("shop")
    # As by an engine that dies between the two.
    engine._unsuspend("key", "shop")
    assert all(engine.get(number).suspended for number in numbers)
    assert "riverstone unsuspend --key shop" in engine.why(numbers[0]).commands
    engine.unsuspend_key("shop")
    assert not any(engine.get(number).suspended for number in numbers)
    with pytest.raises(Conflict, match="is not suspended"):
        engine.unsuspend_key("shop")


def test_a_key_of_more_processes_than_a_batch_takes_stays_as_it_is(url: str, clock: VirtualClock) -> None:
    with Engine(url, clock=clock) as engine, Engine(url, clock=clock, limits=Limits(batch_processes=1)) as small:
        begun(engine, PERSON)
        engine.start(key="shop", name="it")
        with pytest.raises(Invalid, match="batch_processes"):
            small.suspend_key("shop")
        assert engine.suspended_keys() == ()
        engine.suspend_key("shop")
        with pytest.raises(Invalid, match="batch_processes"):
            small.unsuspend_key("shop")
        assert [each.key for each in engine.suspended_keys()] == ["shop"]
