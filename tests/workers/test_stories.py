"""Stones on Celery workers: the same stories as on one machine, told through each broker."""

from __future__ import annotations

import json
import resource
import time
import zlib
from typing import Any

import pytest
from kombu import Consumer

from riverstone.engine import Engine, ModelInvalid
from riverstone.engine.callback_tokens import secret_part
from riverstone.engine.dispatch import work_messages
from riverstone.engine.dispatch.celery import make_app
from riverstone.engine.dispatch.celery.app import body_text, results_queue, signs_queue, task_queue
from riverstone.engine.dispatch.celery.link import Link
from riverstone.models import Declarations

from ..features.sketch import line, service
from .crew import Crew, until

Team = tuple[Crew, Engine]


def run(engine: Engine, key: str, *nodes: str, **variables: str) -> str:
    """Deploy a line of nodes and run it to its end; the process instance id."""
    engine.deploy(line(key, *nodes))
    started = engine.start(key=key, name=key, variables=variables).process_instance_id
    engine.wait(started, timeout=30)
    return started


def test_an_engine_without_code_has_workers_carry_out_a_whole_process(team: Team) -> None:
    crew, engine = team
    nodes = service("a", "quick"), service("b", "watched"), service("c", "sized")
    started = run(engine, "whole", *nodes, token="sesame-9")

    assert engine.get(started).status == "success"
    a, b, c = engine.tasks(started)
    assert [task.status for task in (a, b, c)] == ["start.success", "monitor.success", "start.success"]
    # The engine took the default from the declaration and retried as that says; secrets stay hidden.
    assert (c.attempt, c.parameters) == (2, {"size": 10, "token": "*****"})
    assert c.outputs == {"made": "11 for *****", "password": "*****"}
    assert crew.hooks(started).count(("b", "monitor")) == 10

    engine.delete(started)
    assert engine.wait(started, timeout=30).status == "delete.success"
    undo = engine.get(started).delete_process_instance_id
    assert crew.hooks(str(undo)) == [("c", "delete")]


def test_a_default_that_stays_with_the_worker_is_the_same_for_a_retry_and_an_undo(team: Team) -> None:
    crew, engine = team
    (keyed,) = [stone for stone in engine.stones_declared() if stone.code == "keyed"]
    shown = {each.name: (each.default, each.no_echo) for each in keyed.parameters}
    hidden, made = ("*****", True), (None, False)
    assert shown == {"password": hidden, "pins": hidden, "serial": made, "day": made}

    started = run(engine, "keyed", service("a", "keyed"), service("b", "keyed", {"serial": "${no}"}), no="7")
    engine.delete(started)
    assert engine.wait(started, timeout=30).status == "delete.success"

    seen = (crew.folder / "keyed").read_text().splitlines()
    # Two attempts and a delete of each.
    assert sorted(seen.count(line) for line in set(seen)) == [3, 3]
    assert all("'s3cret-own'" in line and "'pin-4711'" in line and "datetime.date(" in line for line in seen)
    assert sum("('serial', '7')" in line for line in seen) == 3
    for task in engine.tasks(started):
        assert (task.parameters["password"], task.parameters["pins"]) == ("*****", "*****")
        assert f"('serial', '{task.parameters['serial']}')" in "".join(seen)
    for row in Declarations(engine._store).all():
        assert "s3cret" not in row.declaration
        assert "4711" not in row.declaration


def test_a_stone_that_is_typed_by_classes_works_on_a_worker(team: Team) -> None:
    """The engine has no such class: it goes by the declaration, and the hook gets an instance."""
    crew, engine = team
    node = service("a", "typed", {"gigabytes": "${size}", "password": "open sesame"})
    started = run(engine, "typed", node, size="7")

    (task,) = engine.tasks(started)
    assert task.parameters == {"gigabytes": 7, "password": "*****", "day": "2020-02-29"}
    assert task.outputs == {"disk": "8 GB since 2020", "token": "*****"}
    assert engine.secret_outputs(task.task_id) == {"token": "for open sesame"}
    engine.delete(started)
    assert engine.wait(started, timeout=30).status == "delete.success"
    told = (crew.folder / "typed").read_text()
    assert told == "Size(gigabytes=7, password='open sesame', day=datetime.date(2020, 2, 29)) 8 GB since 2020"

    engine.deploy(line("bad", service("a", "typed", {"gigabytes": "${size}", "password": "long enough"})))
    refused = engine.start(key="bad", name="bad", variables={"size": "many"}).process_instance_id
    assert engine.wait(refused, timeout=30).status == "failed"
    assert "gigabytes" in (engine.tasks(refused)[0].reason or "")


def test_what_a_hook_of_a_worker_logs_is_there_while_it_runs(team: Team) -> None:
    crew, engine = team
    crew.gate.touch()
    engine.deploy(line("live", service("a", "awaited")))
    started = engine.start(key="live", name="live").process_instance_id
    until(lambda: [task.log for task in engine.tasks(started)] == [("on its way",)])
    assert engine.tasks(started)[0].end_time is None
    engine.cancel(started)
    engine.wait(started, timeout=30)
    assert engine.tasks(started)[0].log[:1] == ("on its way",)


def test_a_start_that_its_worker_could_not_begin_is_not_undone(team: Team) -> None:
    crew, engine = team
    started = run(engine, "unbegun", service("a", "quick"), service("b", "sized", {"token": "secret:shared/nowhere"}))
    b = engine._store.tasks(int(started))[1]
    assert (b.status, b.attempt, b.undo) == ("start.failed", 2, "never-begun")
    assert "'secret:shared/nowhere' is nowhere to be found" in (engine.tasks(started)[1].reason or "")
    assert ("b", "start") not in crew.hooks(started)


def test_what_a_start_saves_outlives_its_worker(team: Team) -> None:
    crew, engine = team
    started = run(engine, "saver", service("a", "saver"), service("b", "awaited"))
    assert crew.hooks(started).count(("a", "start")) == 2
    saver, awaited = engine.tasks(started)
    assert saver.outputs == saver.saved == {"volumeId": f"v-{started}", "password": "*****"}
    assert list(awaited.saved) == ["begun"]

    engine.delete(started)
    assert engine.wait(started, timeout=30).status == "delete.success"
    assert (crew.folder / "removed").read_text() == f"v-{started}"


def test_workers_put_off_look_at_undos_and_check(team: Team) -> None:
    crew, engine = team
    started = run(engine, "cloudy", service("a", "cloudy"))
    assert crew.hooks(started) == [("a", "start")] * 2
    (task,) = engine.tasks(started)
    assert (task.status, task.attempt) == ("start.success", 1)

    engine.check(started)
    until(lambda: engine.resources(process_instance_id=started).items[0].state == "different")
    assert engine.resources(process_instance_id=started).items[0].reason == "It has another size."

    engine.delete(started)
    ended = engine.wait(started, timeout=30)
    assert ended.status == "delete.success"
    hooks = crew.hooks(str(ended.delete_process_instance_id))
    assert [hook for _, hook in hooks] == ["delete", "monitor", "monitor", "monitor"]


def test_a_check_that_hangs_at_a_worker_says_that_nobody_can_tell_until_it_answers(team: Team) -> None:
    crew, engine = team
    started = run(engine, "drowsy", service("a", "drowsy"), service("b", "cloudy"))

    def found() -> dict[str, tuple[str | None, str | None]]:
        return {
            each.namespace: (each.check, each.reason) for each in engine.resources(process_instance_id=started).items
        }

    crew.gate.touch()
    try:
        engine.check(started)
        unknown = ("unknown", "No answer came within 3 seconds, so nobody can tell.")
        until(lambda: found()["a"] == unknown)
        # Others are looked at meanwhile, and the process goes its way.
        until(lambda: found()["b"] == ("different", "It has another size."))
        assert engine.get(started).status == "success"
        engine.check(started)
    finally:
        crew.gate.unlink()
    awake = ("different", "It has woken up.")
    for _ in range(5):
        # What is asked while the worker is busy may run out of its time like the first.
        engine.check(started)
        end = time.monotonic() + 8
        while found()["a"] != awake and time.monotonic() < end:
            time.sleep(0.05)
        if found()["a"] == awake:
            break
    assert found()["a"] == awake
    engine.delete(started)
    assert engine.wait(started, timeout=30).status == "delete.success"


def test_a_failure_is_rolled_back_by_workers(team: Team) -> None:
    crew, engine = team
    started = run(engine, "failing", service("a", "quick"), service("z", "broken"))
    instance = engine.get(started)
    assert instance.status == "rollback.success"
    assert crew.hooks(started) == [("a", "start")]
    assert crew.hooks(str(instance.rollback_process_instance_id)) == [("a", "rollback")]


def test_a_business_value_chooses_the_worker_and_what_no_worker_declares_is_refused(team: Team) -> None:
    _, engine = team
    for region, site in (("beijing", "beijing"), ("shanghai", "elsewhere")):
        started = run(engine, "sited", service("a", "sited"), region=region)
        assert engine.get(started).native_output_values["a"]["site"] == site
    with pytest.raises(ModelInvalid, match="nobody"):
        engine.deploy(line("unknown", service("a", "nobody")))


def test_a_cancel_reaches_a_running_hook(team: Team) -> None:
    crew, engine = team
    engine.deploy(line("cancelled", service("a", "cooperative")))
    started = engine.start(key="cancelled", name="x").process_instance_id
    until(lambda: crew.hooks(started))
    engine.cancel(started)
    instance = engine.wait(started, timeout=60)
    assert instance.status == "cancel.success"
    assert (crew.folder / "asked").read_text() == "True"
    assert crew.hooks(str(instance.cancel_process_instance_id)) == [("a", "cancel")]


def test_a_worker_awaits_coroutines_and_a_cancel_reaches_their_next_await(team: Team) -> None:
    crew, engine = team
    ended = run(engine, "awaited", service("a", "awaited"))
    assert engine.get(ended).native_output_values == {"a": {"loop": "riverstone-coroutines"}}
    engine.delete(ended)
    assert engine.wait(ended, timeout=30).status == "delete.success"
    assert crew.hooks(str(engine.get(ended).delete_process_instance_id)) == [("a", "delete")]

    crew.gate.touch()
    started = engine.start(key="awaited", name="x").process_instance_id
    until(lambda: crew.hooks(started))
    engine.cancel(started)
    instance = engine.wait(started, timeout=60)
    crew.gate.unlink()
    assert instance.status == "cancel.success"
    assert engine.tasks(started)[0].outputs["stopped"] is True
    assert crew.hooks(str(instance.cancel_process_instance_id)) == [("a", "cancel")]


def test_a_worker_hands_a_task_to_somebody_outside(team: Team) -> None:
    crew, engine = team
    engine.deploy(line("outside", service("a", "outside")))
    started = engine.start(key="outside", name="x").process_instance_id
    until(lambda: engine.tasks(started)[0].status == "start.begin" and engine.tasks(started)[0].log)
    token = (crew.folder / "token").read_text()
    assert secret_part(token) not in repr(engine.tasks(started))
    assert engine.complete_deferred(token, {"id": "x"})
    assert engine.wait(started, timeout=60).native_output_values == {"a": {"id": "x"}}

    (crew.folder / "token").unlink()
    started = engine.start(key="outside", name="x").process_instance_id
    until(lambda: engine.tasks(started)[0].status == "start.begin" and engine.tasks(started)[0].log)
    engine.cancel(started)
    instance = engine.wait(started, timeout=60)
    assert instance.status == "cancel.success"
    token = (crew.folder / "token").read_text()
    assert engine.callback(token, b"late")
    until(lambda: len(crew.hooks(str(instance.cancel_process_instance_id))) == 2)
    assert engine.wait(started, timeout=60).status == "cancel.success"


def test_what_is_cancelled_before_a_worker_gets_to_it_never_begins(team: Team) -> None:
    crew, engine = team
    crew.gate.touch()
    engine.deploy(line("busy", service("a", "held")))
    started = [engine.start(key="busy", name="x").process_instance_id for _ in range(3)]
    until(lambda: sum(bool(crew.hooks(each)) for each in started) == 2)
    (waiting,) = [each for each in started if not crew.hooks(each)]
    engine.cancel(waiting)
    # A worker begins what was sent just now without a question, before it may have heard of the cancel.
    time.sleep(work_messages.FRESH / 1000)
    crew.gate.unlink()
    instance = engine.wait(waiting, timeout=60)
    assert (instance.status, engine.tasks(waiting)[0].status) == ("cancel.success", "canceled")
    assert crew.hooks(waiting) == crew.hooks(str(instance.cancel_process_instance_id)) == []


def test_what_is_no_answer_is_dropped_and_holds_nothing_up(team: Team) -> None:
    crew, engine = team
    link = Link(make_app(crew.broker))
    for body in ("[", "[]", '"x"', '{"kind": "party"}', '{"kind": "answer"}', '{"kind": "stones", "stones": [{}]}'):
        link.publish(results_queue(), body)
        link.publish(signs_queue(), body)
    link.drop()
    assert engine.get(run(engine, "after", service("a", "quick"))).status == "success"


def test_a_message_that_is_a_thousand_times_as_large_as_it_comes_is_dropped(team: Team) -> None:
    """200 kB took an engine, or a worker, to half a gigabyte."""
    crew, engine = team
    press = zlib.compressobj()
    body = b"".join([press.compress(b" " * 1_000_000) for _ in range(200)]) + press.flush()
    link = Link(make_app(crew.broker))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for queue in (results_queue(), signs_queue(), task_queue("quick")):
        link.declare(queue)
        link._producer.publish(  # type: ignore[union-attr]
            body,
            exchange="",
            routing_key=queue.name,
            content_type="application/json",
            content_encoding="utf-8",
            headers={"compression": "application/x-gzip"},
        )
    link.drop()
    assert engine.get(run(engine, "after-large", service("a", "quick"))).status == "success"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert crew.largest() < 300_000


def test_a_worker_that_supplies_nothing_new_has_failed_and_what_nobody_declares_is_hidden(
    team: Team,
) -> None:
    crew, engine = team
    link = Link(make_app(crew.broker))
    stone = {"code": "foreign", "parameters": [{"name": "a", "supplied": True}]}
    link.publish(results_queue(), json.dumps({"kind": "stones", "stones": [stone]}))
    until(lambda: any(each.code == "foreign" for each in engine.stones_declared()))
    works: list[dict[str, Any]] = []

    def supply(message: Any) -> None:
        work = json.loads(body_text(message))[1]["work"]
        works.append(work["parameters"])
        names = ("task_id", "process_instance_id", "event", "attempt", "delivery")
        answer = {**{name: work[name] for name in names}, "kind": "answer", "result": "supplied"}
        link.publish(results_queue(), json.dumps({**answer, "parameters": {"a": 1, "b": "undeclared"}}))
        message.ack()

    link.declare(task_queue("foreign"))
    with Consumer(link.channel(), [task_queue("foreign")], on_message=supply, auto_declare=False):
        engine.deploy(line("foreign", service("a", "foreign")))
        started = engine.start(key="foreign", name="x").process_instance_id
        until(lambda: (link.drain(0.1), engine.get(started).status != "running")[1])
    link.drop()
    (task,) = engine.tasks(started)
    assert works == [{}, {"a": 1, "b": "undeclared"}]
    assert (task.status, task.reason) == ("start.failed", "The worker has supplied nothing that the task lacked.")
    assert task.parameters == {"a": 1, "b": "*****"}


def test_who_may_write_to_the_queue_can_end_neither_the_undo_of_a_stone_nor_its_secrets(team: Team) -> None:
    """An old worker does the same by accident: no undo of its tasks was called, and what they had made was left."""
    crew, engine = team
    started = run(engine, "relied-on", service("c", "sized"), token="sesame-10")
    link = Link(make_app(crew.broker))

    def declare(**stone: Any) -> None:
        link.publish(results_queue(), json.dumps({"kind": "stones", "stones": [stone]}))
        link.publish(results_queue(), json.dumps({"kind": "stones", "stones": [{"code": f"marker-{stone}"[:200]}]}))
        until(lambda: any(each.code == f"marker-{stone}"[:200] for each in engine.stones_declared()))

    (before,) = [each for each in Declarations(engine._store).all() if each.code == "sized"]
    declare(code="sized", hooks=["start"], parameters=[{"name": "size", "type": "integer", "default": 11}])
    declare(code="sized", hooks=["start"], serves={"size": 10})

    for sized in [each for each in engine.stones_declared() if each.code == "sized"]:
        assert "delete" in sized.hooks
        assert {each.name for each in sized.parameters if each.no_echo} == {"token"}
        assert [each.name for each in sized.outputs if each.secret] == ["password"]
    assert "sesame-10" not in str(engine.tasks(started))
    # The worker's own declaration comes again when it starts anew; the particular one is nobody's.
    assert engine.forget_stone("sized")
    assert not engine.forget_stone("sized")
    declare(**json.loads(before.declaration))
    engine.delete(started)
    assert engine.wait(started, timeout=30).status == "delete.success"
    assert crew.hooks(str(engine.get(started).delete_process_instance_id)) == [("c", "delete")]
    for code in {each.code for each in engine.stones_declared() if each.code.startswith("marker-")}:
        engine.forget_stone(code)
    link.drop()


def test_progress_and_begin_are_seen_while_a_hook_runs(team: Team) -> None:
    crew, engine = team
    crew.gate.touch()
    engine.deploy(line("moving", service("a", "moving")))
    started = engine.start(key="moving", name="x").process_instance_id
    until(lambda: engine.tasks(started)[0].progress == 40)
    until(lambda: engine.tasks(started)[0].status == "start.begin")
    crew.gate.unlink()
    assert engine.wait(started, timeout=60).status == "success"
