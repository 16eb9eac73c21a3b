"""What a process made is deleted when it has ended, however it ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from riverstone.engine import Conflict, Engine, Invalid, UnknownProcessInstance, VirtualClock

from .sketch import catch, line, service
from .world import World, policy, run, statuses, undone


@pytest.fixture
def engine(url: str, world: World, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        engine.deploy(line("three", service("a", "make"), service("b", "make"), service("c", "make")))
        yield engine


def waiting(engine: Engine) -> str:
    paid = catch("payment", '<messageEventDefinition id="m" messageRef="paid"/>')
    engine.deploy(line("waiting", service("a", "make"), paid, before='<message id="paid" name="paid"/>'))
    return engine.start(key="waiting", name="test").process_instance_id


def test_what_a_successful_process_made_is_deleted_in_reverse_order(engine: Engine, world: World) -> None:
    ended = run(engine, "three")
    deleted = engine.delete(ended.process_instance_id)
    assert deleted.status == "delete.success"
    assert (world.of("delete"), world.exists) == (["c", "b", "a"], [])
    assert deleted.end_time == ended.end_time
    assert deleted.native_outputs == ended.native_outputs, "the record stays"
    undo = engine.get(str(deleted.delete_process_instance_id))
    assert (undo.kind, undo.status, undo.origin_process_instance_id) == (
        "delete",
        "success",
        ended.process_instance_id,
    )


def test_deleting_twice_is_one_delete(engine: Engine, world: World) -> None:
    ended = run(engine, "three")
    first = engine.delete(ended.process_instance_id)
    again = engine.delete(ended.process_instance_id)
    assert again.delete_process_instance_id == first.delete_process_instance_id
    assert world.of("delete") == ["c", "b", "a"]
    with pytest.raises(UnknownProcessInstance):
        engine.delete("999999")


def test_a_running_process_is_not_deleted(engine: Engine, world: World) -> None:
    started = waiting(engine)
    with pytest.raises(Conflict) as refused:
        engine.delete(started)
    assert (refused.value.status, refused.value.allowed) == ("running", ("cancel",))
    assert engine.get(started).status == "running"
    assert world.exists == ["a"]


def test_force_cancels_a_running_process_and_then_deletes(engine: Engine, world: World) -> None:
    engine.deploy(line("shy", service("a", "make"), service("s", "shy"), service("w", "watch")))
    started = engine.start(key="shy", name="test").process_instance_id
    engine.delete(started, force=True)
    ended = engine.wait(started, 60)
    assert ended.status == "delete.success"
    assert None not in (ended.cancel_process_instance_id, ended.delete_process_instance_id)
    assert (world.of("cancel"), world.of("delete"), world.exists) == (["w", "a"], ["s"], [])


def test_a_delete_after_everything_was_rolled_back_has_nothing_to_do(engine: Engine, world: World) -> None:
    world.wrong("start", "c", RuntimeError("broke"))
    ended = run(engine, "three")
    assert ended.status == "rollback.success"
    deleted = engine.delete(ended.process_instance_id)
    assert deleted.status == "delete.success"
    assert engine.tasks(str(deleted.delete_process_instance_id)) == []
    assert world.of("delete") == []


def test_what_a_failed_rollback_left_is_deleted(engine: Engine, world: World) -> None:
    world.wrong("start", "c", RuntimeError("broke"))
    world.wrong("rollback", "b", RuntimeError("in use"))
    failed = run(engine, "three")
    assert failed.status == "rollback.failed"
    deleted = engine.delete(failed.process_instance_id)
    assert (deleted.status, world.of("delete"), world.exists) == ("delete.success", ["b", "a"], [])
    with pytest.raises(Conflict):
        engine.retry_undo(failed.process_instance_id)


def test_what_a_cancelled_process_kept_is_deleted(engine: Engine, world: World) -> None:
    engine.deploy(line("shy", service("s", "shy"), service("w", "watch")))
    started = engine.start(key="shy", name="test").process_instance_id
    engine.cancel(started)
    deleted = engine.delete(started)
    assert (deleted.status, world.of("delete"), world.exists) == ("delete.success", ["s"], [])
    assert engine.get(started).cancel_process_instance_id is not None


def test_a_delete_that_failed_goes_on_as_the_same_instance_and_may_retain(engine: Engine, world: World) -> None:
    ended = run(engine, "three")
    world.wrong("delete", "b", RuntimeError("in use"), RuntimeError("still"))
    failed = engine.delete(ended.process_instance_id)
    assert (failed.status, world.exists) == ("delete.failed", ["a", "b"])
    assert undone(engine.tasks(ended.process_instance_id)) == {"a": None, "b": "failed", "c": "undone"}
    again = engine.delete(ended.process_instance_id)
    assert (again.status, again.delete_process_instance_id) == ("delete.failed", failed.delete_process_instance_id)
    ids = {task.namespace: task.task_id for task in engine.tasks(ended.process_instance_id)}
    kept = engine.delete(ended.process_instance_id, retain=[ids["b"]])
    assert kept.status == "delete.success"
    assert (world.of("delete"), world.exists) == (["c", "b", "b", "a"], ["b"])
    assert undone(engine.tasks(ended.process_instance_id))["b"] == "retained"
    assert (engine.get(ended.process_instance_id).kept, kept.status) == (1, "delete.success")
    assert [each.kept for each in engine.search(statuses=["delete.success"], kind="start").items] == [1]


def test_only_what_failed_can_be_retained(engine: Engine, world: World) -> None:
    ended = run(engine, "three")
    ids = {task.namespace: task.task_id for task in engine.tasks(ended.process_instance_id)}
    with pytest.raises(Invalid):
        engine.delete(ended.process_instance_id, retain=[ids["a"]])
    assert engine.get(ended.process_instance_id).status == "success"
    world.wrong("delete", "b", RuntimeError("in use"))
    engine.delete(ended.process_instance_id)
    with pytest.raises(Invalid) as refused:
        engine.delete(ended.process_instance_id, retain=[ids["b"], ids["a"]])
    assert refused.value.errors["retain"] == [f"{ids['a']} has not failed."]
    assert engine.get(ended.process_instance_id).status == "delete.failed"


def test_a_protected_process_is_not_deleted_but_rolls_back(engine: Engine, world: World) -> None:
    ended = run(engine, "three", protected=True)
    for force in (False, True):
        with pytest.raises(Conflict) as refused:
            engine.delete(ended.process_instance_id, force=force)
        assert refused.value.code == "protected"
    assert engine.get(ended.process_instance_id) == ended
    assert world.exists == ["a", "b", "c"]
    engine.protect(ended.process_instance_id, on=False)
    assert engine.delete(ended.process_instance_id).status == "delete.success"
    world.wrong("start", "c", RuntimeError("broke"))
    assert run(engine, "three", protected=True).status == "rollback.success"


def test_a_preview_lists_the_undo_in_order_and_changes_nothing(engine: Engine, world: World) -> None:
    nodes = (service("a", "make"), service("letter", "mail"), policy("b", "make", "retain"), service("c", "shy"))
    engine.deploy(line("mixed", *nodes))
    ended = run(engine, "mixed")
    before = (engine.get(ended.process_instance_id), engine.tasks(ended.process_instance_id), len(world.calls))
    steps = engine.preview(ended.process_instance_id, "delete")
    ids = {task.namespace: task.task_id for task in engine.tasks(ended.process_instance_id)}
    assert [(step.namespace, step.action, step.after) for step in steps] == [
        ("c", "delete", ()),
        ("b", "retain", (ids["c"],)),
        ("letter", "retain", (ids["b"],)),
        ("a", "delete", (ids["letter"],)),
    ]
    rollback = {step.namespace: step.action for step in engine.preview(ended.process_instance_id, "rollback")}
    assert rollback == {"a": "rollback", "letter": "retain", "b": "retain", "c": "retain"}
    assert before == (engine.get(ended.process_instance_id), engine.tasks(ended.process_instance_id), len(world.calls))
    engine.delete(ended.process_instance_id)
    assert [step.namespace for step in engine.preview(ended.process_instance_id, "delete")] == ["letter"]


def test_a_process_that_made_nothing_is_deleted_at_once(engine: Engine, world: World) -> None:
    engine.deploy(line("nothing", '<task id="n"/>'))
    ended = run(engine, "nothing")
    assert engine.delete(ended.process_instance_id).status == "delete.success"
    assert statuses(engine.tasks(str(engine.get(ended.process_instance_id).delete_process_instance_id))) == {}
