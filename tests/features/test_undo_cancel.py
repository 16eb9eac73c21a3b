"""A running process is cancelled: the fence, the grace of what runs, and what may be asked when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riverstone.engine import Conflict, Engine, Stone, TaskInfo, VirtualClock
from riverstone.engine.river import loop

from .sketch import catch, definitions, flow, line, process, service
from .world import Make, World, run, statuses, undone


@pytest.fixture
def threads(url: str, world: World) -> Iterator[Engine]:
    """An engine whose hooks run beside the test."""
    with Engine(url, stones=world.stones(), dispatcher="threads", threads=4) as engine:
        yield engine


def until(condition: Callable[[], bool]) -> None:
    """Wait, at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def waiting(engine: Engine) -> str:
    """A process that has made a and b, and waits for a message."""
    paid = catch("payment", '<messageEventDefinition id="m" messageRef="paid"/>')
    before = '<message id="paid" name="paid"/>'
    nodes = (service("a", "make"), service("b", "make"), paid, service("c", "make"))
    engine.deploy(line("waiting", *nodes, before=before))
    return engine.start(key="waiting", name="test").process_instance_id


class Gate:
    """A fault in which a hook stands until it is let through, or is asked to stop if it listens."""

    def __init__(self, *, listens: bool = False) -> None:
        self.listens = listens
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, task: TaskInfo) -> None:
        self.reached.set()
        if self.listens:
            assert task.wait_for_cancel(60)
            raise RuntimeError("stopped as asked")
        assert self.open.wait(60)


def test_a_waiting_process_is_cancelled_and_what_it_made_taken_back(engine: Engine, world: World) -> None:
    started = waiting(engine)
    engine.cancel(started)
    ended = engine.wait(started, 60)
    assert ended.status == "cancel.success"
    assert ended.end_time is not None
    assert (world.of("cancel"), world.exists) == (["b", "a"], [])
    cancel = engine.get(str(ended.cancel_process_instance_id))
    assert (cancel.kind, cancel.status, cancel.origin_process_instance_id) == ("cancel", "success", started)
    assert statuses(engine.tasks(cancel.process_instance_id)) == {"a": "cancel.success", "b": "cancel.success"}
    assert {task.phase for task in world.seen if task.event == "cancel"} == {"complete"}


def test_nothing_reaches_a_cancelled_process_any_more(engine: Engine, world: World) -> None:
    started = waiting(engine)
    engine.cancel(started)
    with pytest.raises(Conflict, match="No process waits"):
        engine.message("paid")
    assert "c" not in world.of("start")


def test_a_timer_of_a_process_that_has_ended_does_not_keep_the_engine_busy(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    timer = catch("later", "<timerEventDefinition><timeDuration>PT10M</timeDuration></timerEventDefinition>")
    engine.deploy(line("timed", service("a", "make"), timer))
    first = engine.start(key="timed", name="test").process_instance_id
    engine.cancel(first)
    clock.advance(7200)
    engine.run_pending()
    assert not engine.run_pending(), "it is not looked at for ever"
    assert run(engine, "timed").status == "success"


def test_a_monitored_task_is_stopped_between_two_looks(engine: Engine, world: World) -> None:
    engine.deploy(line("watched", service("a", "make"), service("w", "watch"), service("b", "make")))
    started = engine.start(key="watched", name="test").process_instance_id
    assert world.of("monitor") == ["w"]
    engine.cancel(started)
    ended = engine.wait(started, 60)
    assert ended.status == "cancel.success"
    assert (world.of("monitor"), world.of("cancel"), world.exists) == (["w"], ["w", "a"], [])
    assert statuses(engine.tasks(started))["w"] == "canceled"
    assert {task.namespace: task.phase for task in world.seen if task.event == "cancel"}["w"] == "running"


def test_a_stone_without_cancel_is_canceled_and_listed_as_retained(engine: Engine, world: World) -> None:
    engine.deploy(line("shy", service("s", "shy"), service("w", "watch")))
    started = engine.start(key="shy", name="test").process_instance_id
    engine.cancel(started)
    ended = engine.wait(started, 60)
    assert ended.status == "cancel.success"
    assert undone(engine.tasks(started)) == {"s": "retained", "w": "undone"}
    assert statuses(engine.tasks(str(ended.cancel_process_instance_id))) == {"s": "canceled", "w": "cancel.success"}
    engine.delete(started)
    assert engine.wait(started, 60).status == "delete.success"
    assert (world.of("delete"), world.exists) == (["s"], [])


def test_cancelling_twice_is_one_cancel(engine: Engine, world: World) -> None:
    started = waiting(engine)
    first = engine.cancel(started)
    again = engine.cancel(started)
    assert again.cancel_process_instance_id == first.cancel_process_instance_id
    assert (again.status, world.of("cancel")) == ("cancel.success", ["b", "a"])


def test_a_cancel_that_failed_goes_on_when_asked_again(engine: Engine, world: World) -> None:
    started = waiting(engine)
    world.wrong("cancel", "b", RuntimeError("in use"))
    failed = engine.cancel(started)
    assert (failed.status, world.exists) == ("cancel.failed", ["a", "b"])
    again = engine.cancel(started)
    assert again.cancel_process_instance_id == failed.cancel_process_instance_id
    assert (again.status, world.of("cancel"), world.exists) == ("cancel.success", ["b", "b", "a"], [])


def test_what_a_failed_cancel_left_may_be_deleted(engine: Engine, world: World) -> None:
    started = waiting(engine)
    world.wrong("cancel", "b", RuntimeError("in use"))
    failed = engine.cancel(started)
    engine.delete(started)
    ended = engine.wait(started, 60)
    assert (ended.status, world.of("delete"), world.exists) == ("delete.success", ["b", "a"], [])
    with pytest.raises(Conflict) as refused:
        engine.cancel(started)
    assert refused.value.related == ended.delete_process_instance_id
    assert failed.cancel_process_instance_id == ended.cancel_process_instance_id


def test_an_ended_process_cannot_be_cancelled(engine: Engine, world: World) -> None:
    engine.deploy(line("short", service("a", "make")))
    ended = run(engine, "short")
    with pytest.raises(Conflict) as refused:
        engine.cancel(ended.process_instance_id)
    assert (refused.value.status, refused.value.allowed) == ("success", ("delete",))
    assert engine.get(ended.process_instance_id) == ended
    world.wrong("start", "a", RuntimeError("broke"))
    rolled = run(engine, "short")
    with pytest.raises(Conflict) as refused:
        engine.cancel(rolled.process_instance_id)
    assert refused.value.related == rolled.rollback_process_instance_id


def test_a_rollback_is_not_cancelled_it_finishes(threads: Engine, world: World) -> None:
    threads.deploy(line("two", service("a", "make"), service("b", "make")))
    gate = Gate()
    world.wrong("start", "b", RuntimeError("broke"))
    world.wrong("rollback", "b", gate)
    started = threads.start(key="two", name="test").process_instance_id
    assert gate.reached.wait(60)
    record = threads.get(started)
    assert record.status == "rollback.begin"
    for ask in (threads.cancel, threads.delete):
        with pytest.raises(Conflict) as refused:
            ask(started)
        assert (refused.value.status, refused.value.related) == ("rollback.begin", record.rollback_process_instance_id)
    gate.open.set()
    assert threads.wait(started, 60).status == "rollback.success"


def test_an_undo_is_neither_cancelled_nor_deleted_nor_retried(threads: Engine, world: World) -> None:
    gate = Gate()
    world.wrong("delete", "a", gate)
    threads.deploy(line("short", service("a", "make")))
    ended = run(threads, "short")
    undo = str(threads.delete(ended.process_instance_id).delete_process_instance_id)
    assert gate.reached.wait(60)

    def move(number: str) -> object:
        return threads.migrate(number, ended.deployment_id)

    for ask in (threads.cancel, threads.delete, threads.retry_undo, move):
        with pytest.raises(Conflict) as refused:
            ask(undo)
        assert (refused.value.code, refused.value.related) == ("is-undo", ended.process_instance_id)
    gate.open.set()
    threads.wait(ended.process_instance_id, 60)
    for ask in (threads.cancel, threads.delete, threads.retry_undo):
        with pytest.raises(Conflict):
            ask(undo)


def test_a_running_hook_is_asked_to_stop_and_the_cancel_waits_for_it(threads: Engine, world: World) -> None:
    threads.deploy(line("two", service("a", "make"), service("b", "make")))
    gate = Gate(listens=True)
    world.wrong("start", "b", gate)
    started = threads.start(key="two", name="test").process_instance_id
    assert gate.reached.wait(60)
    # As soon as the hook has heard of it, the undo may have ended.
    assert threads.cancel(started).status.startswith("cancel.")
    ended = threads.wait(started, 60)
    assert (ended.status, world.of("cancel"), world.exists) == ("cancel.success", ["b", "a"], [])
    assert {task.namespace: task.phase for task in world.seen if task.event == "cancel"} == {
        "a": "complete",
        "b": "partial",
    }


def test_a_hook_that_finishes_within_its_grace_is_taken_back_as_complete(threads: Engine, world: World) -> None:
    threads.deploy(line("two", service("a", "make"), service("b", "make"), service("c", "make")))
    gate = Gate()
    world.wrong("start", "b", gate)
    started = threads.start(key="two", name="test").process_instance_id
    assert gate.reached.wait(60)
    record = threads.cancel(started)
    assert threads.tasks(str(record.cancel_process_instance_id)) == [], "nothing is undone while b is being made"
    gate.open.set()
    ended = threads.wait(started, 60)
    assert (ended.status, world.of("cancel"), world.exists) == ("cancel.success", ["b", "a"], [])
    assert "c" not in world.of("start")
    assert {task.namespace: task.phase for task in world.seen if task.event == "cancel"}["b"] == "complete"


def test_a_hook_past_its_grace_is_fenced_off_and_what_it_reports_feeds_the_ledger(
    threads: Engine, world: World
) -> None:
    class Slow(Make):
        code = "slow"
        grace = 0.2

    Slow.world = world
    threads.register(Slow)
    threads.deploy(line("two", service("a", "make"), service("b", "slow"), service("c", "make")))
    gate = Gate()
    world.wrong("start", "b", gate)
    started = threads.start(key="two", name="test").process_instance_id
    assert gate.reached.wait(60)
    threads.cancel(started)
    ended = threads.wait(started, 60)
    assert ended.status == "cancel.success"
    assert world.of("cancel") == ["b", "a"]
    assert statuses(threads.tasks(started))["b"] == "unknown"
    assert {task.namespace: task.phase for task in world.seen if task.event == "cancel"}["b"] == "unknown"
    gate.open.set()
    until(lambda: any(task.outputs.get("id") == "b" for task in threads.tasks(started)))
    (late,) = [task for task in threads.tasks(started) if task.namespace == "b"]
    assert late.status == "unknown"
    assert "late result" in late.log[0]
    until(lambda: world.of("cancel") == ["b", "a", "b"])
    assert "c" not in world.of("start")
    assert threads.wait(started, 60).status == "cancel.success"


def test_force_gives_no_grace(threads: Engine, world: World) -> None:
    threads.deploy(line("two", service("a", "make"), service("b", "make")))
    gate = Gate()
    world.wrong("start", "b", gate)
    started = threads.start(key="two", name="test").process_instance_id
    assert gate.reached.wait(60)
    first = threads.cancel(started)
    assert first.status == "cancel.begin"
    forced = threads.cancel(started, force=True)
    assert forced.cancel_process_instance_id == first.cancel_process_instance_id
    assert threads.wait(started, 60).status == "cancel.success"
    assert statuses(threads.tasks(started))["b"] == "unknown"
    gate.open.set()


def test_a_task_that_was_never_begun_is_not_taken_back(tmp_path: Path, world: World) -> None:
    url = f"sqlite:///{tmp_path}/one.db"
    with Engine(url, stones=world.stones(), dispatcher="threads", threads=1) as engine:
        parts = ('<startEvent id="begin"/>', '<parallelGateway id="fork"/>', service("a", "make"), service("b", "make"))
        ends = '<endEvent id="x"/><endEvent id="y"/>'
        flows = (flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "x"), flow("b", "y"))
        engine.deploy(definitions(process("both", *parts, ends, *flows)))
        gate = Gate(listens=True)
        world.wrong("start", "a", gate)
        world.wrong("start", "b", gate)
        started = engine.start(key="both", name="test").process_instance_id
        assert gate.reached.wait(60)
        engine.cancel(started)
        assert engine.wait(started, 60).status == "cancel.success"
        assert len(world.of("start")) == len(world.of("cancel")) == 1
        assert sorted(undone(engine.tasks(started)).values(), key=str) == [None, "undone"]


def test_siblings_of_a_failed_task_are_asked_to_stop_before_the_rollback(threads: Engine, world: World) -> None:
    parts = ('<startEvent id="begin"/>', '<parallelGateway id="fork"/>', service("a", "make"), service("b", "make"))
    ends = '<endEvent id="x"/><endEvent id="y"/>'
    flows = (flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "x"), flow("b", "y"))
    threads.deploy(definitions(process("both", *parts, ends, *flows)))
    gate = Gate(listens=True)

    def fail_when_the_other_runs(task: TaskInfo) -> None:
        assert gate.reached.wait(60)
        raise RuntimeError("broke")

    world.wrong("start", "a", fail_when_the_other_runs)
    world.wrong("start", "b", gate)
    started = threads.start(key="both", name="test").process_instance_id
    ended = threads.wait(started, 60)
    assert ended.status == "rollback.success"
    assert "broke" in (ended.reason or "")
    assert (sorted(world.of("rollback")), world.exists) == (["a", "b"], [])
    assert statuses(threads.tasks(started)) == {"a": "start.failed", "b": "start.failed"}


def test_a_sibling_past_its_grace_is_taken_back_as_unknown(threads: Engine, world: World) -> None:
    class Slow(Make):
        code = "slow"
        grace = 0.2

    Slow.world = world
    threads.register(Slow)
    parts = ('<startEvent id="begin"/>', '<parallelGateway id="fork"/>', service("a", "make"), service("b", "slow"))
    ends = '<endEvent id="x"/><endEvent id="y"/>'
    flows = (flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "x"), flow("b", "y"))
    threads.deploy(definitions(process("both", *parts, ends, *flows)))
    gate = Gate()

    def fail_when_the_other_runs(task: TaskInfo) -> None:
        assert gate.reached.wait(60)
        raise RuntimeError("broke")

    world.wrong("start", "a", fail_when_the_other_runs)
    world.wrong("start", "b", gate)
    started = threads.start(key="both", name="test").process_instance_id
    assert threads.wait(started, 60).status == "rollback.success"
    assert statuses(threads.tasks(started)) == {"a": "start.failed", "b": "unknown"}
    assert sorted(world.of("rollback")) == ["a", "b"]
    gate.open.set()


def test_a_process_whose_siblings_still_stop_can_be_cancelled(threads: Engine, world: World) -> None:
    parts = ('<startEvent id="begin"/>', '<parallelGateway id="fork"/>', service("a", "make"), service("b", "make"))
    ends = '<endEvent id="x"/><endEvent id="y"/>'
    flows = (flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "x"), flow("b", "y"))
    threads.deploy(definitions(process("both", *parts, ends, *flows)))
    gate = Gate()

    def fail_when_the_other_runs(task: TaskInfo) -> None:
        assert gate.reached.wait(60)
        raise RuntimeError("broke")

    world.wrong("start", "a", fail_when_the_other_runs)
    world.wrong("start", "b", gate)
    started = threads.start(key="both", name="test").process_instance_id
    until(lambda: statuses(threads.tasks(started))["a"] == "start.failed")
    assert threads.cancel(started).status == "cancel.begin"
    gate.open.set()
    ended = threads.wait(started, 60)
    assert (ended.status, ended.rollback_process_instance_id) == ("cancel.success", None)
    assert (sorted(world.of("cancel")), world.of("rollback"), world.exists) == (["a", "b"], [], [])


def test_an_undo_waits_for_a_hook_that_was_interrupted_and_still_runs(threads: Engine, world: World) -> None:
    boundary = (
        '<boundaryEvent id="late" attachedToRef="a"><timerEventDefinition><timeDuration>PT0.2S</timeDuration>'
        '</timerEventDefinition></boundaryEvent><endEvent id="other"/>'
    )
    parts = ('<startEvent id="begin"/>', service("a", "make"), boundary, '<endEvent id="done"/>')
    threads.deploy(definitions(process("cut", *parts, flow("begin", "a"), flow("a", "done"), flow("late", "other"))))
    gate = Gate()
    world.wrong("start", "a", gate)
    ended = run(threads, "cut")
    assert (ended.status, statuses(threads.tasks(ended.process_instance_id))) == ("success", {"a": "canceled"})
    threads.delete(ended.process_instance_id)
    time.sleep(0.3)
    assert world.of("delete") == []
    gate.open.set()
    assert threads.wait(ended.process_instance_id, 60).status == "delete.success"
    assert (world.of("delete"), world.exists) == (["a"], [])


def test_a_hook_that_takes_too_long_fails_and_is_taken_back_when_it_has_stopped(threads: Engine, world: World) -> None:
    class Impatient(Make):
        code = "impatient"
        timeouts = {"start": 0.1}

    Impatient.world = world
    threads.register(Impatient)
    threads.deploy(line("slow", service("a", "impatient")))
    gate = Gate()
    world.wrong("start", "a", gate)
    started = threads.start(key="slow", name="test").process_instance_id
    until(lambda: statuses(threads.tasks(started))["a"] == "start.failed")
    time.sleep(0.3)
    assert world.of("rollback") == [], "it is still being made"
    gate.open.set()
    assert threads.wait(started, 60).status == "rollback.success"
    assert (world.of("rollback"), world.exists) == (["a"], [])
    (task,) = threads.tasks(started)
    assert (task.reason, task.outputs) == ("start took longer than its timeout allows", {"id": "a"})


def test_an_undo_hook_that_takes_too_long_is_not_called_beside_itself(threads: Engine, world: World) -> None:
    class Impatient(Make):
        code = "impatient"
        timeouts = {"delete": 0.1}

    Impatient.world = world
    threads.register(Impatient)
    threads.deploy(line("slow", service("a", "impatient")))
    gate = Gate()
    world.wrong("delete", "a", gate)
    ended = run(threads, "slow")
    threads.delete(ended.process_instance_id)
    assert threads.wait(ended.process_instance_id, 60).status == "delete.failed"
    threads.delete(ended.process_instance_id)
    time.sleep(0.3)
    assert world.of("delete") == ["a"]
    gate.open.set()
    assert threads.wait(ended.process_instance_id, 60).status == "delete.success"
    assert (world.of("delete"), world.exists) == (["a", "a"], [])


def test_a_rollback_on_threads_does_not_dawdle(threads: Engine, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "POLL", 5.0)
    threads.deploy(line("two", service("a", "make"), service("b", "make")))
    began = time.monotonic()
    for _ in range(10):
        world.wrong("start", "b", RuntimeError("broke"))
        assert run(threads, "two").status == "rollback.success"
    assert time.monotonic() - began < 45, "each waits for the next look into the store"


def test_a_cancel_is_refused_by_nothing_that_protects_from_deletion(engine: Engine, world: World) -> None:
    started = waiting(engine)
    engine.protect(started)
    assert engine.cancel(started).status == "cancel.success"


class Unstoppable(Stone):
    """Never registered: what a process that waits for its stone looks like when it is cancelled."""

    code = "unstoppable"


def test_a_task_that_waits_for_its_stone_has_nothing_to_take_back(engine: Engine, world: World) -> None:
    engine.register(Unstoppable)
    engine.deploy(line("lost", service("a", "make"), service("b", "${stone}")))
    started = engine.start(key="lost", name="test", variables={"stone": "nobody"}).process_instance_id
    assert statuses(engine.tasks(started))["b"] == "stone-missing"
    assert engine.cancel(started).status == "cancel.success"
    assert undone(engine.tasks(started)) == {"a": "undone", "b": None}
