"""The engine meets an error that nobody foresaw: somebody is told, nothing is lost, and all else goes on.

Here a stone is registered whose declaration misbehaves when it is read, until somebody mends it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Fatal, InternalError, Quota, Stone, TaskInfo, VirtualClock
from riverstone.engine.calls.tasks.external_views import Topic

from .sketch import catch, definitions, flow, line, process, service
from .world import World

MESSAGE = '<message id="m" name="paid"/>'
SIGNAL = '<signal id="s" name="sale"/>'
PAID = catch("paid", '<messageEventDefinition messageRef="m"/>')
PERSON = '<userTask id="person"/>'


class Declared(dict[str, float]):
    """Timeouts that cannot be read while something is ``wrong`` with them."""

    wrong: Exception | None = None
    after = 0
    """How often they can be read before."""

    def get(self, *names: Any) -> Any:
        if self.wrong is not None:
            if not self.after:
                raise self.wrong
            self.after -= 1
        return super().get(*names)


class Odd(Stone):
    """Makes a thing as ``make`` does."""

    code = "odd"
    retries = 2
    retry_backoff = 10.0
    timeouts: ClassVar[Declared] = Declared(start=60.0, monitor=60.0)
    world: ClassVar[World]

    def start(self, task: TaskInfo) -> None:
        self.world.enter(task)
        self.world.things[task.start_key] = task.namespace

    def rollback(self, task: TaskInfo) -> None:
        self.world.enter(task)
        self.world.things.pop(task.start_key, None)


class Watched(Odd):
    """The same, and looks whether it is there."""

    code = "watched"

    def monitor(self, task: TaskInfo) -> bool:
        return task.start_key in self.world.things


@pytest.fixture
def odd(world: World) -> Iterator[Declared]:
    Odd.world = world
    yield Odd.timeouts
    Odd.timeouts.wrong, Odd.timeouts.after = None, 0


def opened(url: str, world: World, clock: VirtualClock) -> Engine:
    return Engine(url, stones=[*world.stones(), Odd, Watched], clock=clock)


def with_a_retry_due(engine: Engine, world: World) -> str:
    """A process of which one task has failed and is tried again soon."""
    world.wrong("start", "b", OSError("busy"))
    engine.deploy(line("shop", service("a", "make"), service("b", "odd")))
    number = engine.start(key="shop", name="it").process_instance_id
    engine.run_pending()
    return number


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def passes(engine: Engine, clock: VirtualClock, seconds: int = 600) -> None:
    """Time goes by, in which whatever is due is seen to again and again."""
    for _ in range(seconds // 60):
        clock.advance(60_000)
        engine.run_pending()


@pytest.mark.parametrize("wrong", [OverflowError("too large"), AttributeError("gone"), RecursionError()], ids=type)
def test_an_element_that_cannot_be_stepped_waits_for_somebody(
    url: str, world: World, clock: VirtualClock, odd: Declared, caplog: pytest.LogCaptureFixture, wrong: Exception
) -> None:
    with opened(url, world, clock) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "odd"), service("c", "make")))
        odd.wrong = wrong
        number = engine.start(key="shop", name="it").process_instance_id
        found = engine.wait(number, 60)
        assert (found.status, found.awaits, found.attention) == ("running", "attention", 1)
        assert [task.status for task in engine.tasks(number)] == ["start.success"]

        (failure,) = engine.failures(number)
        (log_id,) = re.findall(r"in its log as ([0-9a-f]{12})\)", failure.reason)
        assert (failure.element_id, type(wrong).__name__ in failure.reason) == ("b", True)
        assert any(log_id in text for text in logged(caplog))
        assert any(failure.reason in each for each in engine.why(number).sentences)
        told = len(logged(caplog))

        engine.deploy(line("other", service("x", "make")))
        assert engine.wait(engine.start(key="other", name="x").process_instance_id, 60).status == "success"
        passes(engine, clock)
    with opened(url, world, clock) as engine:
        passes(engine, clock)
        assert engine.get(number).attention == 1
        assert len(logged(caplog)) == told

        odd.wrong = None
        engine.retry(number)
        assert engine.wait(number, 60).status == "success"
    assert world.of("start") == ["a", "x", "b", "c"]


def test_whatever_is_to_follow_a_failure_a_defect_undoes_nothing(
    url: str, world: World, clock: VirtualClock, odd: Declared
) -> None:
    with opened(url, world, clock) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "odd")))
        odd.wrong = OverflowError()
        numbers = [
            engine.start(key="shop", name=policy, on_failure=policy).process_instance_id
            for policy in ("rollback", "keep", "pause PT1M")
        ]
        passes(engine, clock)
        assert {engine.get(number).attention for number in numbers} == {1}
        assert world.exists == ["a", "a", "a"]
        engine.cancel(numbers[0])
        assert engine.wait(numbers[0], 60).status == "cancel.success"
    assert world.exists == ["a", "a"]


def test_branches_beside_it_go_on(url: str, world: World, clock: VirtualClock, odd: Declared) -> None:
    parts = [
        '<startEvent id="begin"/><parallelGateway id="split"/><parallelGateway id="join"/><endEvent id="done"/>',
        *(service(name, stone) for name, stone in (("a", "odd"), ("b", "make"), ("c", "odd"))),
        flow("begin", "split"),
        *(flow("split", name) + flow(name, "join") for name in "abc"),
        flow("join", "done"),
    ]
    with opened(url, world, clock) as engine:
        engine.deploy(definitions(process("shop", *parts)))
        odd.wrong = OverflowError()
        number = engine.start(key="shop", name="it").process_instance_id
        engine.wait(number, 60)
        engine.run_pending()
        assert {failure.element_id for failure in engine.failures(number)} == {"a", "c"}
        assert world.exists == ["b"]
        odd.wrong = None
        engine.retry(number)
        assert engine.wait(number, 60).status == "success"
    assert sorted(world.of("start")) == ["a", "b", "c"]


def test_a_person_is_done_and_what_follows_waits(url: str, world: World, clock: VirtualClock, odd: Declared) -> None:
    with opened(url, world, clock) as engine:
        engine.deploy(line("shop", PERSON, service("b", "odd")))
        number = engine.start(key="shop", name="it").process_instance_id
        (task,) = engine.tasks(number)
        odd.wrong = OverflowError()
        engine.complete(task.task_id, {"size": 3})
        assert engine.get(number).attention == 1
        assert engine.tasks(number)[0].outputs == {"size": 3}
        odd.wrong = None
        engine.retry(number)
        assert engine.wait(number, 60).status == "success"


def test_what_is_due_and_cannot_be_stepped_waits_as_a_whole(
    url: str, world: World, clock: VirtualClock, odd: Declared, caplog: pytest.LogCaptureFixture
) -> None:
    """A retry is due: no token moves at that, so it is the process that stands still."""
    with opened(url, world, clock) as engine:
        number = with_a_retry_due(engine, world)
        odd.wrong = OverflowError()
        passes(engine, clock)
        found = engine.get(number)
        assert (found.status, found.awaits) == ("running", "attention")
        assert found.suspended is not None
        assert found.suspended.reason is not None
        assert "OverflowError" in found.suspended.reason
        assert any(found.suspended.reason in each for each in engine.why(number).sentences)
        assert len(logged(caplog)) == 1
        assert [each.process_instance_id for each in engine.search(state="attention").items] == [number]
    with opened(url, world, clock) as engine:
        passes(engine, clock)
        assert len(logged(caplog)) == 1
        engine.unsuspend(number)
        passes(engine, clock)
        assert engine.get(number).awaits == "attention"
        assert len(logged(caplog)) == 2
        odd.wrong = None
        engine.unsuspend(number)
        assert engine.wait(number, 60).status == "success"
    assert world.of("start") == ["a", "b", "b"]


def test_what_a_hook_has_done_is_asked_for_again_if_it_cannot_be_entered(
    url: str, world: World, clock: VirtualClock, odd: Declared, caplog: pytest.LogCaptureFixture
) -> None:
    """Its start comes again under the same key, and what it has made is not taken for failed."""
    odd.wrong, odd.after = OverflowError(), 1
    with opened(url, world, clock) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "watched")))
        number = engine.start(key="shop", name="it").process_instance_id
        passes(engine, clock)
        assert engine.get(number).awaits == "attention"
        assert world.exists == ["a", "b"]
        assert world.of("rollback") == []
        told = len(logged(caplog))
        passes(engine, clock)
        assert len(logged(caplog)) == told
    odd.wrong = None
    with opened(url, world, clock) as engine:
        passes(engine, clock)
        assert engine.get(number).awaits == "attention"
        engine.unsuspend(number)
        assert engine.wait(number, 600).status == "success"
    assert world.exists == ["a", "b"]
    assert len({task.idempotency_key for task in world.seen if task.namespace == "b"}) == 1


def test_a_process_that_cannot_be_read_keeps_nobody_from_what_is_theirs(
    url: str, world: World, clock: VirtualClock, odd: Declared, caplog: pytest.LogCaptureFixture
) -> None:
    world.wrong("start", "b", OSError("busy"))
    hour = catch("hour", "<timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition>")
    with opened(url, world, clock) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "odd")))
        engine.deploy(line("later", hour, service("c", "make")))
        numbers = [engine.start(key=key, name="it").process_instance_id for key in ("shop", "later", "later")]
        engine.run_pending()
    with opened(url, world, clock) as engine:
        sql = "UPDATE `token` SET `internal` = '[' WHERE `process_instance_id` = ?"
        assert engine._store.execute(sql, (int(numbers[1]),))
        engine._river.cache.clear()
        sql = "UPDATE `task` SET `after` = '[' WHERE `process_instance_id` = ? AND `namespace` = 'b'"
        assert engine._store.execute(sql, (int(numbers[0]),))
        passes(engine, clock)
        assert [engine.get(number).awaits for number in numbers] == ["attention", "attention", None]
        assert engine.get(numbers[2]).status == "success"
        told = len(logged(caplog))
    with opened(url, world, clock) as engine:
        passes(engine, clock)
        assert len(logged(caplog)) == told
        with pytest.raises(InternalError):
            engine.cancel(numbers[1])

        assert engine._store.execute("UPDATE `token` SET `internal` = '{}'", ())
        assert engine._store.execute("UPDATE `task` SET `after` = '[]' WHERE `namespace` = 'b'", ())
        for number in numbers[:2]:
            engine.unsuspend(number)
        passes(engine, clock)
        assert {engine.get(number).status for number in numbers} == {"success"}


def test_a_process_whose_model_lacks_what_it_stands_on_waits_for_somebody(
    url: str, world: World, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """That has a name, so it was taken for the refusal of an action, which came again at every wake."""
    minute = catch("minute", "<timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition>")
    with opened(url, world, clock) as engine:
        engine.deploy(line("later", minute, service("a", "make")))
        number = engine.start(key="later", name="it").process_instance_id
        assert engine._store.execute("UPDATE `token` SET `node` = 'gone' WHERE `node` = 'minute'", ())
    with opened(url, world, clock) as engine:
        passes(engine, clock)
        found = engine.get(number)
        assert (found.awaits, found.suspended is not None) == ("attention", True)
        assert found.suspended is not None
        assert "node-missing" in (found.suspended.reason or "")
        assert len(logged(caplog)) == 1
        with pytest.raises(InternalError, match="node-missing"):
            engine.cancel(number)
        told = " ".join(engine.why(number).sentences)
        assert "was suspended" in told
        assert "No more of it can be told. The engine met an error that it did not foresee (node-missing" in told

        assert engine._store.execute("UPDATE `token` SET `node` = 'minute' WHERE `node` = 'gone'", ())
        engine.unsuspend(number)
        passes(engine, clock)
        assert engine.get(number).status == "success"


def test_why_tells_what_is_known_of_a_process_that_cannot_be_read(
    url: str, world: World, clock: VirtualClock, odd: Declared, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(url, world, clock) as engine:
        number = with_a_retry_due(engine, world)
        break_off(engine, number)
        passes(engine, clock)
        assert engine.get(number).awaits == "attention"
        told = engine.why(number)
    assert told.status == "running"
    first, suspended, defect = told.sentences
    assert first.startswith(f"Process {number} 'it' (key shop) was started")
    assert "was suspended" in suspended
    assert told.commands == (f"riverstone unsuspend {number}",)
    found = re.search(r"No more of it can be told\. The engine met .* \((\w+), in its log as (\w{12})\)\.", defect)
    assert found is not None
    assert any(text.startswith(f"{found[2]}: ") for text in logged(caplog))


def break_off(engine: Engine, number: str) -> None:
    """Let a process be one that cannot be read."""
    for table, column in (("token", "internal"), ("task", "after")):
        sql = f"UPDATE `{table}` SET `{column}` = '[' WHERE `process_instance_id` = ?"
        engine._store.execute(sql, (int(number),))
    engine._river.cache.clear()


def test_one_that_waits_for_a_slot_and_cannot_be_read_lets_others_go_first(
    url: str, world: World, clock: VirtualClock
) -> None:
    with Engine(url, stones=world.stones(), clock=clock, process_quotas={"shop": Quota(at_once=1)}) as engine:
        engine.deploy(line("shop", PERSON))
        numbers = [engine.start(key="shop", name="it").process_instance_id for _ in range(3)]
        break_off(engine, numbers[1])
        (task,) = engine.tasks(numbers[0])
        engine.complete(task.task_id)
        passes(engine, clock)
        assert [engine.get(number).awaits for number in numbers] == [None, "attention", "person"]

        assert engine._store.execute("UPDATE `token` SET `internal` = '{}' WHERE `internal` = '['", ())
        engine.unsuspend(numbers[1])
        assert engine.get(numbers[1]).awaits == "quota"
        (task,) = engine.tasks(numbers[2])
        engine.complete(task.task_id)
        passes(engine, clock)
        assert engine.get(numbers[1]).awaits == "person"


def test_workers_get_other_tasks_than_those_of_a_process_that_cannot_be_read(
    url: str, world: World, clock: VirtualClock
) -> None:
    with opened(url, world, clock) as engine:
        engine.external.assume(["press"])
        engine.deploy(line("shop", service("a", "press")))
        numbers = [engine.start(key="shop", name="it").process_instance_id for _ in range(3)]
        break_off(engine, numbers[0])
        topic = Topic(name="press", lock=60_000)
        fetched = [task.process_instance_id for _ in range(3) for task in engine.external.fetch("one", [topic])]
        assert fetched == numbers[1:]
        assert engine.get(numbers[0]).awaits == "attention"


@pytest.mark.parametrize("kind", ["message", "signal"])
def test_who_is_to_get_what_was_thrown_and_cannot_be_read_is_seen_to_need_somebody(
    url: str, world: World, clock: VirtualClock, kind: str
) -> None:
    declared = MESSAGE if kind == "message" else SIGNAL
    definition = f'<{kind}EventDefinition {kind}Ref="{kind[0]}"/>'
    throw = f'<intermediateThrowEvent id="throw">{definition}</intermediateThrowEvent>'
    with opened(url, world, clock) as engine:
        engine.deploy(line("waits", catch("paid", definition), before=declared))
        engine.deploy(line("throws", throw, before=declared))
        numbers = [engine.start(key="waits", name="it").process_instance_id for _ in range(2)]
        break_off(engine, numbers[0])
        engine.start(key="throws", name="it")
        passes(engine, clock)
        assert engine.get(numbers[0]).awaits == "attention"
        assert engine.get(numbers[1]).status == ("success" if kind == "signal" else "running")


def test_an_undo_that_cannot_be_stepped_fails_and_goes_on_when_it_is_asked_for_again(
    url: str, world: World, clock: VirtualClock, odd: Declared
) -> None:
    world.wrong("start", "c", Fatal("no room"))
    with opened(url, world, clock) as engine:
        engine.deploy(line("shop", service("a", "odd"), service("b", "make"), service("c", "make")))
        odd.wrong, odd.after = OverflowError(), 1
        number = engine.start(key="shop", name="it").process_instance_id
        found = engine.wait(number, 60)
        assert (found.status, world.exists) == ("rollback.failed", ["a"])
        assert any("OverflowError" in each for each in engine.why(number).sentences)
        passes(engine, clock)
        assert engine.get(number).status == "rollback.failed"
        odd.wrong = None
        engine.retry(number)
        assert engine.wait(number, 60).status == "rollback.success"
    assert world.exists == []


def test_whoever_asks_for_what_cannot_be_stepped_is_told_and_nothing_is_changed(
    url: str, world: World, clock: VirtualClock, odd: Declared, caplog: pytest.LogCaptureFixture
) -> None:
    world.wrong("start", "b", Fatal("no room"))
    with opened(url, world, clock) as engine:
        engine.deploy(line("shop", service("b", "odd")))
        number = engine.start(key="shop", name="it", on_failure="pause").process_instance_id
        before = engine.wait(number, 60)
        (task,) = engine.tasks(number)
        odd.wrong = OverflowError("a secret")
        with pytest.raises(InternalError, match=r"did not foresee \(OverflowError, in its log as \w{12}\)") as refused:
            engine.rerun(task.task_id)
        assert refused.value.code == "internal-error"
        assert "a secret" not in f"{refused.value.message}{logged(caplog)}"
        assert engine.get(number) == before
        odd.wrong = None
        engine.rerun(task.task_id)
        assert engine.wait(number, 60).status == "success"
