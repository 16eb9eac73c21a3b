"""A process that fails undoes what it did: which tasks, in which order, and what is told about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from riverstone.engine import Conflict, Engine, Invalid, NotFound, Stone, TaskInfo, VirtualClock

from .sketch import definitions, flow, line, process, service
from .world import Make, World, makes_then_fails, policy, run, statuses, undone


def three(engine: Engine) -> None:
    engine.deploy(line("three", service("a", "make"), service("b", "make"), service("c", "make")))


def forked(engine: Engine, *, second: str = "make") -> None:
    """a, then b and c side by side, then d."""
    engine.deploy(
        definitions(
            process(
                "forked",
                '<startEvent id="begin"/><parallelGateway id="fork"/><parallelGateway id="join"/><endEvent id="done"/>',
                *(service(node, "make") for node in ("a", "b", "d")),
                service("c", second),
                flow("begin", "a"),
                flow("a", "fork"),
                flow("fork", "b"),
                flow("fork", "c"),
                flow("b", "join"),
                flow("c", "join"),
                flow("join", "d"),
                flow("d", "done"),
            )
        )
    )


def test_a_failed_process_takes_back_what_it_made_in_reverse_order(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("no more room"))
    ended = run(engine, "three")

    assert ended.status == "rollback.success"
    assert ended.end_time is not None
    assert ended.reason is not None
    assert "no more room" in ended.reason
    assert world.of("rollback") == ["c", "b", "a"]
    assert world.exists == []
    assert statuses(engine.tasks(ended.process_instance_id))["c"] == "start.failed"
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}


def test_the_rollback_is_a_process_of_its_own_linked_both_ways(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    ended = run(engine, "three", business_key="order-7")
    rollback = engine.get(ended.rollback_process_instance_id)

    assert rollback.kind == "rollback"
    assert (rollback.status, rollback.process_name, rollback.business_key) == ("success", "test", "order-7")
    assert rollback.origin_process_instance_id == ended.process_instance_id
    assert rollback.end_time is not None
    assert (ended.cancel_process_instance_id, ended.delete_process_instance_id) == (None, None)
    assert rollback.rollback_process_instance_id is None
    tasks = engine.tasks(rollback.process_instance_id)
    origins = {task.task_id: task.namespace for task in engine.tasks(ended.process_instance_id)}
    assert [origins[task.origin_task_id or ""] for task in tasks] == ["c", "b", "a"]
    assert {(task.status, task.kind, task.stone) for task in tasks} == {("rollback.success", "rollback", "make")}


def test_the_failing_task_is_told_that_it_is_partial_and_the_others_that_they_are_complete(
    engine: Engine, world: World
) -> None:
    three(engine)
    world.wrong("start", "c", makes_then_fails)
    run(engine, "three")
    told = {task.namespace: (task.phase, task.outputs) for task in world.seen if task.event == "rollback"}
    assert told["c"] == ("partial", {"half": "c"})
    assert told["b"] == ("complete", {"id": "b"})


def test_an_undo_hook_knows_the_key_under_which_its_task_was_started(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    run(engine, "three")
    keys = {task.namespace: task.idempotency_key for task in world.seen if task.event == "start"}
    undo = [task for task in world.seen if task.event == "rollback"]
    assert {task.namespace: task.start_key for task in undo} == keys
    assert not {task.idempotency_key for task in undo} & set(keys.values())


def test_independent_branches_are_taken_back_side_by_side_and_what_came_before_them_last(
    engine: Engine, world: World
) -> None:
    forked(engine)
    world.wrong("start", "d", RuntimeError("broke"))
    ended = run(engine, "forked")
    after = {task.namespace: set(task.after) for task in engine.tasks(str(ended.rollback_process_instance_id))}
    ids = {task.namespace: task.task_id for task in engine.tasks(str(ended.rollback_process_instance_id))}
    assert after == {"d": set(), "b": {ids["d"]}, "c": {ids["d"]}, "a": {ids["b"], ids["c"]}}
    assert world.exists == []


def test_with_drain_all_siblings_come_to_their_end_before_the_rollback(engine: Engine, world: World) -> None:
    forked(engine, second="watch")
    world.wrong("start", "b", RuntimeError("no more room"))

    instance = run(engine, "forked", drain="all")

    assert instance.status == "rollback.success"
    assert world.of("monitor") == ["c", "c", "c"]
    assert statuses(engine.tasks(instance.process_instance_id))["c"] == "monitor.success"
    assert {task.namespace: task.phase for task in world.seen if task.event == "rollback"}["c"] == "complete"
    assert (
        world.calls.index(("rollback", "b")) > [at for at, call in enumerate(world.calls) if call[0] == "monitor"][-1]
    )
    assert world.exists == []


def test_while_siblings_come_to_their_end_nothing_new_begins_and_a_cancel_stops_them(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    forked(engine, second="watch")
    world.wrong("start", "b", RuntimeError("no more room"))
    started = engine.start(key="forked", name="test", drain="all").process_instance_id

    assert engine.get(started).status == "running"
    assert engine.cancel(started).status.startswith("cancel.")

    assert engine.wait(started, 60).status == "cancel.success"
    assert statuses(engine.tasks(started))["c"] == "canceled"
    assert "d" not in world.of("start")
    assert world.exists == []


def test_with_drain_all_nobody_waits_for_a_person_a_stone_or_another_attempt(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    class Again(Make):
        code = "again"
        retries = 3
        retry_backoff = 1000.0

        def start(self, task: TaskInfo) -> None:
            super().start(task)
            raise RuntimeError("not yet")

    engine.register(type("Again", (Again,), {"world": world}))
    engine.deploy(
        definitions(
            process(
                "waiting",
                '<startEvent id="begin"/><parallelGateway id="fork"/><userTask id="ask"/>',
                service("again", "again"),
                service("gone", "${stone}"),
                service("late", "watch"),
                service("bad", "make"),
                flow("begin", "fork"),
                *(flow("fork", node) for node in ("ask", "again", "gone", "late", "bad")),
            )
        )
    )
    world.wrong("start", "bad", RuntimeError("no more room"))

    started = engine.start(key="waiting", name="test", drain="all", variables={"stone": "unheard of"})
    instance = engine.wait(started.process_instance_id, 60)

    assert instance.status == "rollback.success"
    assert statuses(engine.tasks(instance.process_instance_id)) == {
        "ask": "canceled",
        "again": "canceled",
        "gone": "canceled",
        "late": "monitor.success",
        "bad": "start.failed",
    }
    assert sorted(world.of("rollback")) == ["again", "bad", "late"]
    assert world.exists == []


def test_a_way_to_drain_that_nobody_knows_is_refused(engine: Engine) -> None:
    three(engine)

    with pytest.raises(Invalid, match="use stop or all"):
        engine.start(key="three", name="test", drain="some")  # type: ignore[arg-type]


def test_nothing_to_take_back_is_a_plain_failure(engine: Engine, world: World) -> None:
    engine.deploy(line("empty", service("a", "make", {"x": "${nobody}"})))
    ended = run(engine, "empty")
    assert ended.status == "failed"
    assert ended.rollback_process_instance_id is None
    assert ended.end_time is not None
    (task,) = engine.tasks(ended.process_instance_id)
    assert task.status == "produce.failed"
    assert "nobody" in (task.reason or "")
    assert world.calls == []


def test_with_rollback_switched_off_all_is_kept_and_can_be_deleted_later(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    ended = run(engine, "three", rollback=False)
    assert (ended.status, ended.rollback_process_instance_id) == ("failed", None)
    assert world.exists == ["a", "b"]
    assert undone(engine.tasks(ended.process_instance_id)) == {"a": None, "b": None, "c": None}
    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id, 60).status == "delete.success"
    assert (world.exists, world.of("delete")) == ([], ["c", "b", "a"])


def test_a_task_that_has_retries_left_does_not_fail_its_process(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    class Stubborn(Make):
        code = "stubborn"
        retries = 2
        retry_backoff = 60.0

    Stubborn.world = world
    engine.register(Stubborn)
    engine.deploy(line("retried", service("a", "stubborn")))
    world.wrong("start", "a", RuntimeError("one"), RuntimeError("two"))
    before = clock.now()
    ended = run(engine, "retried")
    assert ended.status == "success"
    assert (engine.tasks(ended.process_instance_id)[0].attempt, world.of("start")) == (3, ["a"] * 3)
    assert clock.now() - before >= 180_000
    assert len({task.idempotency_key for task in world.seen}) == 1, "nothing was left behind, so the key is the same"


def test_what_a_failed_attempt_left_behind_is_taken_back_before_the_next_under_a_new_key(
    engine: Engine, world: World
) -> None:
    class Stubborn(Make):
        code = "stubborn"
        retries = 1

    Stubborn.world = world
    engine.register(Stubborn)
    engine.deploy(line("retried", service("a", "stubborn")))
    world.wrong("start", "a", makes_then_fails)
    ended = run(engine, "retried")
    assert ended.status == "success"
    assert world.calls == [("start", "a"), ("rollback", "a"), ("start", "a")]
    first, back, second = world.seen
    assert back.start_key == first.idempotency_key != second.idempotency_key
    assert back.outputs == {"half": "a"}
    assert second.outputs == {"id": "a"}


def test_what_cannot_be_taken_back_between_two_attempts_fails_the_task(engine: Engine, world: World) -> None:
    class Stubborn(Make):
        code = "stubborn"
        retries = 5

    Stubborn.world = world
    engine.register(Stubborn)
    engine.deploy(line("retried", service("a", "stubborn")))
    world.wrong("start", "a", makes_then_fails)
    world.wrong("rollback", "a", RuntimeError("stuck"))
    ended = run(engine, "retried")
    assert ended.status == "rollback.success"
    assert world.calls == [("start", "a"), ("rollback", "a"), ("rollback", "a")]


def test_after_a_failed_undo_task_independent_branches_go_on_and_what_is_left_is_listed(
    engine: Engine, world: World
) -> None:
    forked(engine)
    world.wrong("start", "d", RuntimeError("broke"))
    world.wrong("rollback", "b", RuntimeError("in use"))
    ended = run(engine, "forked")
    assert ended.status == "rollback.failed"
    assert world.exists == ["a", "b"], "c went, and a waits for b"
    assert sorted(world.of("rollback")) == ["b", "c", "d"]
    tasks = {task.namespace: task for task in engine.tasks(ended.process_instance_id)}
    assert undone(list(tasks.values())) == {"a": None, "b": "failed", "c": "undone", "d": "undone"}
    reason = engine.get(str(ended.rollback_process_instance_id)).reason or ""
    assert f"{tasks['b'].task_id} (b: RuntimeError: in use); {tasks['a'].task_id} remain" in reason


def test_asked_again_the_same_rollback_goes_on_with_what_failed_and_remains(engine: Engine, world: World) -> None:
    class Stubborn(Make):
        code = "stubborn"
        retries = 1

    Stubborn.world = world
    engine.register(Stubborn)
    forked(engine, second="stubborn")
    world.wrong("start", "d", RuntimeError("broke"))
    world.wrong("rollback", "c", RuntimeError("in use"), RuntimeError("in use"), RuntimeError("still"))
    failed = run(engine, "forked")
    assert failed.status == "rollback.failed"
    world.calls.clear()
    engine.retry_undo(failed.process_instance_id)
    again = engine.wait(failed.process_instance_id, 60)
    assert again.status == "rollback.success"
    assert again.rollback_process_instance_id == failed.rollback_process_instance_id
    assert world.of("rollback") == ["c", "c", "a"], "c has its retry again"
    assert world.exists == []
    with pytest.raises(Conflict):
        engine.retry_undo(failed.process_instance_id)


def test_who_cannot_succeed_may_give_a_failed_task_up_for_ever(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    world.wrong("rollback", "b", RuntimeError("no"), RuntimeError("no"))
    failed = run(engine, "three")
    ids = {task.namespace: task.task_id for task in engine.tasks(failed.process_instance_id)}
    with pytest.raises(Exception, match="Only tasks that failed"):
        engine.retry_undo(failed.process_instance_id, retain=[ids["a"]])
    assert engine.get(failed.process_instance_id).status == "rollback.failed"
    engine.retry_undo(failed.process_instance_id, retain=[ids["b"]])
    ended = engine.wait(failed.process_instance_id, 60)
    assert ended.status == "rollback.success"
    assert undone(engine.tasks(ended.process_instance_id)) == {"a": "undone", "b": "retained", "c": "undone"}
    assert statuses(engine.tasks(str(ended.rollback_process_instance_id)))["b"] == "rollback.retained"
    assert world.exists == ["b"]
    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id, 60).status == "delete.success"
    assert world.of("delete") == [], "given up for ever"


def test_a_failed_task_may_be_given_up_by_the_id_of_its_undo_task_too(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    world.wrong("rollback", "b", RuntimeError("no"))
    failed = run(engine, "three")
    undo = engine.tasks(str(failed.rollback_process_instance_id))
    engine.retry_undo(failed.process_instance_id, retain=[task.task_id for task in undo if task.namespace == "b"])
    assert engine.wait(failed.process_instance_id, 60).status == "rollback.success"


def test_a_failure_in_an_undo_starts_no_other_undo(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    world.wrong("rollback", "c", RuntimeError("no"))
    failed = run(engine, "three")
    rollback = engine.get(str(failed.rollback_process_instance_id))
    assert (rollback.status, rollback.rollback_process_instance_id) == ("failed", None)
    assert len(engine.instances().items) == 2


def test_what_is_already_gone_counts_as_taken_back(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    world.wrong("rollback", "b", NotFound("b was removed by hand"))
    ended = run(engine, "three")
    assert ended.status == "rollback.success"
    task = {task.namespace: task for task in engine.tasks(str(ended.rollback_process_instance_id))}["b"]
    assert (task.status, task.reason) == ("rollback.success", "already gone: b was removed by hand")


def test_a_stone_without_the_hook_is_skipped_and_listed_as_retained(engine: Engine, world: World) -> None:
    engine.deploy(line("mixed", service("a", "make"), service("letter", "mail"), service("b", "make")))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "mixed")
    assert ended.status == "rollback.success"
    assert undone(engine.tasks(ended.process_instance_id)) == {"a": "undone", "letter": "retained", "b": "undone"}
    assert statuses(engine.tasks(str(ended.rollback_process_instance_id)))["letter"] == "rollback.skipped"
    assert world.of("rollback") == ["b", "a"]


def test_what_a_rollback_could_not_take_back_a_delete_may(engine: Engine, world: World) -> None:
    engine.deploy(line("mixed", service("a", "shy"), service("b", "make")))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "mixed")
    assert (ended.status, world.exists) == ("rollback.success", ["a"])
    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id, 60).status == "delete.success"
    assert (world.of("delete"), world.exists) == (["a"], [])


def test_a_node_may_keep_what_it_made(engine: Engine, world: World) -> None:
    engine.deploy(
        line(
            "kept",
            service("a", "make"),
            policy("always", "make", "retain"),
            policy("unless", "make", "retain-except-on-failed-start"),
            service("b", "make"),
        )
    )
    world.wrong("start", "b", RuntimeError("broke"))
    failed = run(engine, "kept")
    assert (failed.status, world.exists) == ("rollback.success", ["always"])
    assert undone(engine.tasks(failed.process_instance_id))["always"] == "retained"
    ended = run(engine, "kept")
    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id, 60).status == "delete.success"
    assert world.exists == ["always", "always", "unless"]
    assert statuses(engine.tasks(str(engine.get(ended.process_instance_id).delete_process_instance_id)))["unless"] == (
        "delete.skipped"
    )


def test_a_mock_run_only_pretends_and_leaves_nothing_to_take_back(engine: Engine, world: World) -> None:
    class Pretend(Make):
        code = "pretend"

        def mock(self, task: TaskInfo) -> None:
            self.world.enter(task)

    Pretend.world = world
    engine.register(Pretend)
    engine.deploy(line("mocked", service("a", "make"), service("b", "pretend")))
    ended = run(engine, "mocked", {"SipRS::Mock": True})
    assert (ended.status, world.calls) == ("success", [("mock", "b")])
    assert statuses(engine.tasks(ended.process_instance_id)) == {"a": "mock.passed", "b": "mock.success"}
    world.wrong("mock", "b", RuntimeError("even that"))
    failed = run(engine, "mocked", {"SipRS::Mock": True})
    assert (failed.status, failed.rollback_process_instance_id) == ("failed", None)
    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id, 60).status == "delete.success"
    assert world.of("delete") == world.of("rollback") == []


def test_a_missing_stone_lets_the_undo_wait_until_it_is_back(tmp_path: Path, world: World, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    make_stone, *others = world.stones()
    with Engine(url, stones=[make_stone, *others], clock=clock) as engine:
        three(engine)
        started = engine.start(key="three", name="test").process_instance_id
    with Engine(url, stones=others, clock=clock) as engine:
        engine.delete(started)
        record = engine.get(started)
        assert record.status == "delete.begin"
        (task,) = engine.tasks(str(record.delete_process_instance_id))
        assert (task.namespace, task.status) == ("c", "stone-missing")
        assert "'make'" in (task.reason or "")
        engine.register(make_stone)
        assert engine.wait(started, 60).status == "delete.success"
    assert (world.of("delete"), world.exists) == (["c", "b", "a"], [])


def test_an_engine_that_knows_the_stone_again_goes_on_with_an_undo_that_waited(
    tmp_path: Path, world: World, clock: VirtualClock
) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        three(engine)
        started = engine.start(key="three", name="test").process_instance_id
    with Engine(url, clock=clock) as engine:
        engine.delete(started)
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        assert engine.wait(started, 60).status == "delete.success"
    assert world.exists == []


def test_undo_reads_the_ledger_and_not_todays_stone(tmp_path: Path, world: World, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        engine.deploy(line("frozen", service("a", "make", {"size": "${size}"})))
        started = engine.start(key="frozen", name="test", variables={"size": 5}).process_instance_id

    seen: list[tuple[dict[str, object], dict[str, object]]] = []

    class Today(Stone):
        code = "make"

        def delete(self, task: TaskInfo) -> None:
            seen.append((task.parameters, task.outputs))

    with Engine(url, stones=[Today], clock=clock) as engine:
        engine.deploy(line("frozen", service("other", "make", {"size": "7"})))
        engine.delete(started)
        assert engine.wait(started, 60).status == "delete.success"
    assert seen == [({"size": 5}, {"id": "a"})]


def test_a_name_that_xml_cannot_hold_does_not_keep_a_process_from_its_rollback(engine: Engine, world: World) -> None:
    three(engine)
    world.wrong("start", "c", RuntimeError("broke"))
    started = engine.start(key="three", name="\x01\x1f￾ bell").process_instance_id
    assert engine.wait(started, 60).status == "rollback.success"


def test_a_timeout_fails_a_task_whose_hook_is_then_asked_to_stop(engine: Engine, world: World) -> None:
    class Impatient(Make):
        code = "impatient"
        timeouts = {"monitor": 25.0}
        monitor_interval = 10.0

        def monitor(self, task: TaskInfo) -> bool:
            self.world.enter(task)
            return False

    Impatient.world = world
    engine.register(Impatient)
    engine.deploy(line("slow", service("a", "impatient")))
    ended = run(engine, "slow")
    assert ended.status == "rollback.success"
    assert len(world.of("monitor")) == 3
    (task,) = engine.tasks(ended.process_instance_id)
    assert (task.status, task.reason) == ("monitor.failed", "monitor took longer than its timeout allows")
    assert world.exists == []


@pytest.mark.parametrize("code", ["${odd", "#{odd}", "=odd", "\x01", "<odd>", "奇"])
def test_whatever_a_stone_is_called_its_task_is_taken_back(engine: Engine, world: World, code: str) -> None:
    engine.register(type("Odd", (Make,), {"code": code, "world": world}))
    engine.deploy(line("odd", service("a", "${stone}"), service("b", "make")))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "odd", {"stone": code})
    assert (ended.status, world.of("rollback"), world.exists) == ("rollback.success", ["b", "a"], [])
