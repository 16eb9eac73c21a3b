"""What an engine refuses, or passes over in silence, rests on the store and not on the copy that it keeps in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from riverstone.engine import Conflict, Engine, Stone, TaskInfo, VirtualClock
from riverstone.engine.undo import instance
from riverstone.engine.work import Outcome
from riverstone.models import Store
from riverstone.models.moving import Moving, read_moving

from ..features.sketch import catch, flow, line, service

MESSAGE = '<message id="m" name="paid"/>'
SIGNAL = '<signal id="s" name="go"/>'
PERSON = '<userTask id="person"/>'
PAID = catch("paid", '<messageEventDefinition messageRef="m"/>')
GO = catch("go", '<signalEventDefinition signalRef="s"/>')
HOUR = catch("hour", "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>")


class Thing(Stone):
    code = "Thing"

    def start(self, task: TaskInfo) -> None:
        task.add_output("id", 1)

    def rollback(self, task: TaskInfo) -> None:
        """It leaves nothing."""

    cancel = delete = rollback


def begun(one: Engine, other: Engine, model: bytes) -> str:
    """A process that waits for a person, of which both engines have a copy."""
    one.deploy(model)
    number = one.start(key="shop", name="it").process_instance_id
    other.protect(number)
    one.protect(number, False)
    return number


def do(engine: Engine, number: str) -> None:
    """The person is done."""
    (task,) = (task for task in engine.tasks(number) if task.status == "running")
    engine.complete(task.task_id)


def test_a_message_reaches_whoever_waits_only_since_another_engines_step(one: Engine, other: Engine) -> None:
    number = begun(one, other, line("shop", PERSON, PAID, before=MESSAGE))
    do(other, number)
    assert one.message("paid").process_instance_id == number
    assert one.get(number).status == "success"


def test_a_message_starts_no_second_process_while_one_waits(one: Engine, other: Engine) -> None:
    start = '<messageEventDefinition messageRef="m"/>'
    one.deploy(line("second", PERSON, before=MESSAGE, start=start))
    number = begun(one, other, line("shop", PERSON, PAID, before=MESSAGE))
    do(other, number)
    assert one.message("paid").process_instance_id == number


def test_a_signal_reaches_whoever_waits_only_since_another_engines_step(one: Engine, other: Engine) -> None:
    number = begun(one, other, line("shop", PERSON, GO, before=SIGNAL))
    do(other, number)
    assert one.signal("go") == [number]


def test_a_timer_fires_that_was_set_by_another_engines_step(one: Engine, other: Engine, clock: VirtualClock) -> None:
    number = begun(one, other, line("shop", PERSON, HOUR))
    do(other, number)
    clock.advance(3_601_000)
    one.run_pending()
    assert one.get(number).status == "success"


def test_a_stone_that_is_registered_wakes_what_waits_for_it_since_another_engines_step(
    one: Engine, other: Engine
) -> None:
    one.register(Thing)
    number = begun(one, other, line("shop", PERSON, service("a", "Thing")))
    one.stones.remove("Thing")
    do(other, number)
    assert one.tasks(number)[-1].status == "stone-missing"
    one.register(Thing)
    assert one.get(number).status == "success"


def test_a_delete_asked_for_again_resumes_what_another_engine_saw_fail(one: Engine, other: Engine) -> None:
    class Stuck(Thing):
        code = "Stuck"
        stuck = True

        def delete(self, task: TaskInfo) -> None:
            if Stuck.stuck:
                raise RuntimeError("not now")

    for engine in (one, other):
        engine.register(Stuck)
    number = begun(one, other, line("shop", PERSON, service("a", "Stuck")))
    do(one, number)
    assert other.delete(number).status == "delete.failed"
    Stuck.stuck = False
    assert one.delete(number).status == "delete.success"


def test_a_refusal_rests_on_the_store(one: Engine, other: Engine) -> None:
    """A process that one engine knows to run was cancelled by the other: its task is refused, and its delete is not."""
    for engine in (one, other):
        engine.register(Thing)
    number = begun(one, other, line("shop", service("a", "Thing"), PERSON))
    task = one.tasks(number)[-1].task_id
    other.cancel(number)
    with pytest.raises(Conflict):
        one.complete(task)
    assert one.delete(number).status == "delete.success"


def test_a_preview_shows_what_another_engines_step_has_made(one: Engine, other: Engine) -> None:
    for engine in (one, other):
        engine.register(Thing)
    number = begun(one, other, line("shop", PERSON, service("a", "Thing"), '<userTask id="last"/>'))
    do(other, number)
    assert [step.namespace for step in one.preview(number, "cancel")] == ["a"]


def test_rows_that_were_read_while_another_engine_wrote_are_read_again(
    one: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task inside a sub-process that has ended by the time that the tokens are read: its scope is nowhere.

    The first time the step is done again, since another engine was faster; so it is the second time that counts.
    """
    inside = '<startEvent id="i"/><userTask id="in"/><endEvent id="o"/>' + flow("i", "in") + flow("in", "o")
    number = begun(one, other, line("shop", f'<subProcess id="sub">{inside}</subProcess>', PERSON))
    task = one.tasks(number)[0].task_id
    one._river.forget([int(number)])
    meanwhile: list[Callable[[], object]] = [lambda: other.protect(number), lambda: do(other, number)]

    def read(store: Store, process_instance_id: int) -> Moving:
        if store is one._store and meanwhile:
            meanwhile.pop(0)()
        return read_moving(store, process_instance_id)

    monkeypatch.setattr(instance, "read_moving", read)
    with pytest.raises(Conflict, match="has ended"):
        one.complete(task)
    do(one, number)
    assert one.get(number).status == "success"


class Long(Thing):
    """What happens while it is being made is told by the test."""

    code = "Long"
    grace = 5.0
    meanwhile: ClassVar[Callable[[TaskInfo], object]]

    def start(self, task: TaskInfo) -> None:
        Long.meanwhile(task)


def test_an_answer_reaches_a_task_that_began_by_another_engines_step(one: Engine, other: Engine) -> None:
    """Workers answer to any engine: what one of them has acknowledged is entered."""
    for engine in (one, other):
        engine.register(Long)
    number = begun(one, other, line("shop", PERSON, service("a", "Long")))

    def answer(task: TaskInfo) -> None:
        answered = one._reports.enter(
            Outcome(
                task_id=int(task.task_id),
                process_instance_id=int(number),
                event="start",
                attempt=1,
                result="done",
                outputs={"id": "from a worker"},
                stone="Long",
            )
        )
        one._river.drain()
        answered.result(timeout=60)

    Long.meanwhile = answer
    do(other, number)
    ended = one.get(number)
    assert (ended.status, ended.native_output_values) == ("success", {"a": {"id": "from a worker"}})


def test_a_grace_that_another_engine_gave_ends_also_where_the_process_was_known_to_run(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    for engine in (one, other):
        engine.register(Long)
    one.deploy(line("shop", service("a", "Long")))
    seen: list[str] = []

    def cancelled(task: TaskInfo) -> None:
        number = task.process_instance_id
        other.cancel(number)
        seen.append(other.tasks(number)[0].status)
        clock.advance(6)
        one._loop.run_due()
        seen.append(other.tasks(number)[0].status)

    Long.meanwhile = cancelled
    number = one.start(key="shop", name="it").process_instance_id
    assert seen == ["produce.success", "unknown"]
    one.run_pending()
    assert one.wait(number, timeout=60).status.startswith("cancel.")


def test_a_plan_is_of_one_state_though_another_engine_moves_the_process_meanwhile(
    one: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = begun(one, other, line("shop", PERSON))
    later = one.deploy(line("shop", '<userTask id="clerk"/>'))
    moves = [{"person": "clerk"}]

    def read(store: Store, process_instance_id: int) -> Moving:
        if store is one._store and moves:
            # What was read before is of the version before.
            other.migrate(number, later.deployment_id, mapping=moves.pop())
        return read_moving(store, process_instance_id)

    monkeypatch.setattr(instance, "read_moving", read)
    assert one.plan_migration(number, later.deployment_id).moves["clerk"] == "clerk"
