"""Tasks that workers fetch over HTTP: what the engine promises them, whatever protocol they speak."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, ModelInvalid, Unknown, VirtualClock
from riverstone.engine.calls.tasks import external_tasks, external_views
from riverstone.engine.calls.tasks.external_views import ExternalTask, Topic
from riverstone.models import ExternalFilter

from .sketch import definitions, flow, line, process, runs, service

LOCK = 60_000


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


def topic(name: str, **more: Any) -> Topic:
    return Topic(name=name, lock=more.pop("lock", LOCK), **more)


def one(engine: Engine, name: str, worker: str = "w", **more: Any) -> ExternalTask:
    (found,) = engine.external.fetch(worker, [topic(name, **more)])
    return found


def nothing(engine: Engine, name: str, **more: Any) -> bool:
    return engine.external.fetch("other", [topic(name, **more)]) == []


def started(engine: Engine, *nodes: str, variables: dict[str, Any] | None = None, **more: Any) -> str:
    engine.deploy(line("shop", *nodes), external=True)
    return engine.start(key="shop", name="test", variables=variables or {}, **more).process_instance_id


def test_a_model_with_topics_that_nobody_knows_is_deployed_for_workers_alone(engine: Engine) -> None:
    with pytest.raises(ModelInvalid):
        engine.deploy(line("shop", service("a", "mail")))
    engine.deploy(line("shop", service("a", "mail")), external=True)
    (declared,) = engine.stones_declared()
    assert (declared.code, declared.hooks) == ("mail", ("start",))
    bean = line("bean", '<serviceTask id="a" camunda:delegateExpression="${bean}"/>')
    with pytest.raises(ModelInvalid):
        engine.deploy(bean, external=True)


def test_a_worker_gets_all_variables_and_what_it_answers_is_variables_of_the_process(engine: Engine) -> None:
    decide = '<exclusiveGateway id="g" default="g_no"/>'
    parts = (
        '<startEvent id="s"/>',
        service("a", "mail"),
        decide,
        '<endEvent id="yes"/>',
        '<endEvent id="no"/>',
        flow("s", "a"),
        flow("a", "g"),
        flow("g", "yes", "${approved}"),
        flow("g", "no"),
    )
    engine.deploy(definitions(process("gate", *parts)), external=True)
    number = engine.start(key="gate", name="test", variables={"to": "me", "n": {"a": [1]}}).process_instance_id
    task = one(engine, "mail")
    assert (task.variables, task.element_id, task.process_instance_id) == ({"to": "me", "n": {"a": [1]}}, "a", number)
    engine.external.complete(task.id, "w", {"approved": True}, {"id": 7})
    ended = engine.get(number)
    assert ended.status == "success"
    assert ended.native_output_values == {"a": {"approved": True, "id": 7}}
    with pytest.raises(Unknown):
        engine.external.complete(task.id, "w")


def test_a_lock_belongs_to_one_worker(engine: Engine) -> None:
    number = started(engine, service("a", "mail"))
    task = one(engine, "mail")
    assert nothing(engine, "mail")
    with pytest.raises(Invalid) as other:
        engine.external.complete(task.id, "other")
    assert other.value.code == "external-task-locked"
    engine.external.extend(task.id, "w", 2 * LOCK)
    engine.external.unlock(task.id)
    with pytest.raises(Invalid):
        engine.external.complete(task.id, "w")
    again = one(engine, "mail", "other")
    assert again.id == task.id
    assert again.idempotency_key == task.idempotency_key
    engine.external.complete(task.id, "other")
    assert engine.get(number).status == "success"


def test_a_lock_that_has_run_out_is_for_whoever_fetches_next_and_until_then_still_counts(engine: Engine) -> None:
    number = started(engine, service("a", "mail"))
    task = one(engine, "mail", lock=1)
    time.sleep(0.01)
    with pytest.raises(Invalid) as expired:
        engine.external.extend(task.id, "w", LOCK)
    assert expired.value.code == "external-task-expired"
    second = one(engine, "mail", "other", lock=1)
    with pytest.raises(Invalid):
        engine.external.complete(task.id, "w")
    time.sleep(0.01)
    engine.external.complete(second.id, "other")
    assert engine.get(number).status == "success"


def test_locks_that_run_out_again_and_again_are_a_failure() -> None:
    from riverstone.engine import Limits

    with Engine("sqlite:///:memory:", limits=Limits(lost_locks=2)) as engine:
        number = started(engine, service("a", "mail"), rollback=False)
        for _ in range(3):
            one(engine, "mail", lock=1)
            time.sleep(0.01)
        assert nothing(engine, "mail")
        assert engine.get(number).status == "failed"
        assert "ran out 3 times" in (engine.get(number).reason or "")


def test_the_worker_decides_how_often_it_is_tried_again(engine: Engine) -> None:
    clock = VirtualClock(1_800_000_000_000)
    with Engine("sqlite:///:memory:", clock=clock) as engine:
        number = started(engine, service("a", "mail"), rollback=False)
        task = one(engine, "mail")
        assert task.retries is None
        engine.external.fail(task.id, "w", "no network", "line 1\nline 2", retries=2, pause=5000)
        assert nothing(engine, "mail")
        clock.advance(5)
        engine.run_pending()
        again = one(engine, "mail")
        assert (again.id, again.retries, again.idempotency_key) == (task.id, 2, task.idempotency_key)
        assert again.reason == "Attempt 1 failed: no network"
        engine.external.fail(task.id, "w", "no network")
        assert engine.get(number).status == "failed"


def test_a_bpmn_error_is_caught_in_the_model_with_its_variables(engine: Engine) -> None:
    caught = '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    parts = (
        '<startEvent id="s"/>',
        service("a", "mail"),
        caught,
        service("c", "call"),
        '<endEvent id="x"/>',
        '<endEvent id="y"/>',
        flow("s", "a"),
        flow("a", "x"),
        flow("b", "c"),
        flow("c", "y"),
    )
    engine.deploy(definitions('<error id="e" errorCode="bounced"/>', process("mails", *parts)), external=True)
    number = engine.start(key="mails", name="test").process_instance_id
    engine.external.throw(one(engine, "mail").id, "w", "bounced", "no such box", {"box": "full"})
    assert one(engine, "call").variables["box"] == "full"
    assert engine.get(number).status == "running"


def test_secret_variables_reach_a_worker_only_where_the_model_gives_them(engine: Engine) -> None:
    template = [
        {"Key": "password", "Type": "String", "NoEcho": True},
        {"Key": "user", "Type": "String"},
    ]
    model = line("shop", service("a", "plain"), service("b", "login", {"password": "${password}"}))
    engine.deploy(model, parameter_template=template, external=True)
    number = engine.start(key="shop", name="t", variables={"user": "u", "password": "s3cret"}).process_instance_id
    task = one(engine, "plain")
    assert task.variables == {"user": "u"}
    engine.external.complete(task.id, "w")
    assert one(engine, "login").variables == {"user": "u", "password": "s3cret"}
    assert "s3cret" not in repr(engine.tasks(number))


def test_no_worker_finds_out_a_secret_by_asking_for_tasks_that_have_it(engine: Engine) -> None:
    template = [
        {"Key": "pin", "Type": "String", "NoEcho": True},
        {"Key": "pin", "Type": "String", "NoEcho": True, "NameSpace": "bank"},
        {"Key": "user", "Type": "String"},
    ]
    engine.deploy(line("shop", service("a", "mail")), parameter_template=template, external=True)
    engine.start(key="shop", name="t", variables={"user": "u", "pin": "1234", "bank": {"pin": "5678"}})
    for guess in ({"pin": "1234"}, {"pin": "1234", "user": "u"}, {"bank": {"pin": "5678"}}):
        assert nothing(engine, "mail", process_variables=guess)
    assert one(engine, "mail", process_variables={"user": "u"}).variables == {"user": "u", "bank": {}}


def test_priority_and_age_say_what_comes_first_and_filters_what_comes_at_all(engine: Engine) -> None:
    engine.deploy(line("low", service("a", "mail")), external=True)
    engine.deploy(line("high", service("a", "mail", None, "", **{"camunda:taskPriority": "50"})), external=True)
    numbers = [engine.start(key=key, name="t", business_key=key).process_instance_id for key in ("low", "high", "low")]
    nobody = topic("mail", business_key="x")
    assert engine.external.fetch("w", [nobody]) == []
    assert one(engine, "mail", keys=["low"]).process_instance_id == numbers[0]
    assert one(engine, "mail").process_instance_id == numbers[1]
    assert engine.external.count(ExternalFilter(topics=["mail"], locked=True)) == 2
    third = engine.external.find(ExternalFilter(topics=["mail"], locked=False), limit=9)
    assert [each.process_instance_id for each in third] == [numbers[2]]
    engine.external.set_priority(third[0].id, 7)
    assert engine.external.topics() == [("mail", 1, 2)]


def test_who_cancels_while_nobody_has_it_takes_it_back_for_good(engine: Engine) -> None:
    number = started(engine, service("a", "mail"))
    engine.cancel(number)
    assert engine.get(number).status == "cancel.success"
    assert nothing(engine, "mail")
    assert [task.undo for task in engine.tasks(number)] == [None]


def test_the_undo_of_a_fetched_task_waits_until_somebody_says_how(engine: Engine) -> None:
    """Camunda has no undo: its workers get one by a topic of their own, and nothing is passed over until then."""
    number = started(engine, service("a", "mail"), service("b", "pack"))
    first = one(engine, "mail")
    engine.external.complete(first.id, "w", {"id": 9})
    engine.external.fail(one(engine, "pack").id, "w", "out of boxes")
    stuck = engine.get(number)
    assert stuck.status == "rollback.begin"
    undo = str(stuck.rollback_process_instance_id)
    missing = {task.namespace: task.status for task in engine.tasks(undo)}
    assert missing == {"b": "stone-missing"}
    assert "pack.rollback" in (engine.tasks(undo)[0].reason or "")
    task = one(engine, "pack.rollback")
    engine.external.throw(task.id, "w", "not-found")
    back = one(engine, "mail.rollback")
    assert back.variables == {"id": 9}
    assert (back.event, back.phase, back.idempotency_key) == ("rollback", "complete", first.idempotency_key)
    engine.external.complete(back.id, "w")
    assert engine.get(number).status == "rollback.success"
    assert {task.namespace: task.undo for task in engine.tasks(number)} == {"a": "undone", "b": "undone"}


def test_a_stone_that_was_declared_without_an_undo_is_kept(engine: Engine) -> None:
    engine.external.declare({"code": "mail", "hooks": ["start"]})
    number = started(engine, service("a", "mail"))
    engine.external.complete(one(engine, "mail").id, "w")
    engine.delete(number)
    assert engine.get(number).status == "delete.success"
    assert [task.undo for task in engine.tasks(number)] == ["retained"]


def test_declaring_that_there_is_no_undo_lets_a_waiting_one_go_on(engine: Engine) -> None:
    number = started(engine, service("a", "mail"))
    engine.external.complete(one(engine, "mail").id, "w")
    engine.delete(number)
    assert engine.get(number).status == "delete.begin"
    engine.external.declare({"code": "mail", "hooks": ["start"]})
    engine.run_pending()
    assert engine.get(number).status == "delete.success"


def test_what_nobody_has_declared_is_retained_by_name(engine: Engine) -> None:
    number = started(engine, service("a", "mail"), service("b", "mail"))
    for _ in range(2):
        engine.external.complete(one(engine, "mail").id, "w")
    engine.delete(number)
    first, second = engine.tasks(number)
    with pytest.raises(Invalid) as refused:
        engine.retry_undo(number, retain=[first.task_id])
    assert refused.value.code == "retain-invalid"
    engine.retry_undo(number, retain=[second.task_id])
    engine.delete(number, retain=[first.task_id])
    ended = engine.get(number)
    assert (ended.status, ended.kept) == ("delete.success", 2)
    assert [task.undo for task in engine.tasks(number)] == ["retained", "retained"]


def test_a_stone_with_code_here_is_never_taken_over(engine: Engine) -> None:
    engine.stone("mail")(lambda task: None)
    with pytest.raises(Conflict):
        engine.external.declare({"code": "mail"})
    number = started(engine, service("a", "mail"))
    assert engine.get(number).status == "success"
    assert nothing(engine, "mail")


def test_a_monitor_is_a_topic_that_is_offered_when_it_is_due() -> None:
    clock = VirtualClock(1_800_000_000_000)
    with Engine("sqlite:///:memory:", clock=clock) as engine:
        engine.external.declare({"code": "vm", "hooks": ["start", "monitor"], "monitor_interval": 10})
        number = started(engine, service("a", "vm"))
        engine.external.complete(one(engine, "vm").id, "w", {"id": 1})
        look = one(engine, "vm.monitor")
        assert look.variables == {"id": 1}
        engine.external.complete(look.id, "w", {"riverstone.again": True, "percent": 40})
        assert nothing(engine, "vm.monitor")
        clock.advance(10)
        engine.run_pending()
        look = one(engine, "vm.monitor")
        assert look.variables == {"id": 1, "percent": 40}
        engine.external.complete(look.id, "w", {"ip": "10.0.0.1"})
        assert engine.get(number).native_output_values == {"a": {"id": 1, "ip": "10.0.0.1"}}
        assert engine.get(number).status == "success"


def test_a_mock_run_makes_nothing(engine: Engine) -> None:
    number = started(engine, service("a", "mail"), variables={"SipRS::Mock": True})
    assert engine.get(number).status == "success"
    assert [task.status for task in engine.tasks(number)] == ["mock.passed"]


def test_the_tasks_of_one_owner_are_not_those_of_another(engine: Engine) -> None:
    started(engine, service("a", "mail"), owner="ann")
    ann, bob = (engine.external.limited(owner=name, may=lambda topic: topic == "mail") for name in ("ann", "bob"))
    with pytest.raises(Invalid):
        ann.fetch("w", [topic("call")])
    assert bob.fetch("w", [topic("mail")]) == []
    (task,) = ann.fetch("w", [topic("mail")])
    with pytest.raises(Unknown):
        bob.complete(task.id, "w")
    ann.complete(task.id, "w")


def test_whoever_waits_is_told_and_threads_run_beside(sqlite: str) -> None:
    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    with Engine(sqlite, dispatcher="threads") as engine:
        engine.stone("local")(lambda task: task.add_output("here", True))
        told = threading.Event()
        watch = engine.external.watch(["mail"], told.set)
        number = started(engine, service("a", "local"), service("b", "mail"), service("c", "local"))
        assert told.wait(60)
        watch.stop()
        assert not engine.external.offers.awaited
        engine.external.complete(one(engine, "mail").id, "w")
        until(lambda: engine.get(number).status == "success")


def test_a_worker_that_comes_too_late_feeds_the_ledger_and_its_undo(engine: Engine) -> None:
    number = started(engine, service("a", "mail"))
    task = one(engine, "mail")
    engine.cancel(number, force=True)
    assert engine.get(number).status == "cancel.begin"
    with pytest.raises(Unknown):
        engine.external.complete(task.id, "w", {"id": 9})
    undo = one(engine, "mail.cancel")
    assert undo.variables["id"] == 9
    engine.external.complete(undo.id, "w")
    engine.run_pending()
    while left := engine.external.fetch("w", [topic("mail.cancel")]):
        engine.external.complete(left[0].id, "w")
    assert engine.get(number).status == "cancel.success"


def test_metrics_tell_what_waits_under_each_topic(engine: Engine) -> None:
    from riverstone.engine.metrics import Metrics

    for _ in range(3):
        started(engine, service("a", "mail"))
    one(engine, "mail")
    watch = engine.external.watch(["mail"], lambda: None)
    text = Metrics.of(engine).text().decode()
    assert 'riverstone_external_tasks{state="waiting",topic="mail"} 2.0' in text
    assert 'riverstone_external_tasks{state="locked",topic="mail"} 1.0' in text
    assert "riverstone_external_waiters 1.0" in text
    watch.stop()


def test_why_tells_who_has_a_task_and_what_an_undo_waits_for(engine: Engine) -> None:
    number = started(engine, service("a", "mail"))
    assert "waits for a worker to fetch the topic 'mail'" in " ".join(engine.why(number).sentences)
    task = one(engine, "mail", "worker-7")
    assert "is locked by the worker 'worker-7'" in " ".join(engine.why(number).sentences)
    engine.external.complete(task.id, "worker-7")
    engine.delete(number)
    explained = engine.why(number)
    assert "mail.delete" in " ".join(explained.sentences)
    assert "riverstone stone declare mail --hook start" in explained.commands


def test_a_suspended_process_offers_nothing_and_takes_what_was_fetched(engine: Engine) -> None:
    number = started(engine, service("a", "mail"), service("b", "post"))
    engine.suspend(number)
    assert nothing(engine, "mail")
    engine.unsuspend(number)
    engine.run_pending()
    task = one(engine, "mail")
    engine.suspend(number)
    engine.external.complete(task.id, "w", {}, {})
    assert nothing(engine, "post")
    assert engine.get(number).awaits == "suspended"
    engine.unsuspend(number)
    engine.external.complete(one(engine, "post").id, "w", {}, {})
    assert engine.get(number).status == "success"


def test_what_a_worker_of_a_suspended_process_has_lost_is_fetched_when_it_goes_on(engine: Engine) -> None:
    number = started(engine, service("a", "mail"))
    one(engine, "mail", lock=1)
    engine.suspend(number)
    time.sleep(0.02)
    assert nothing(engine, "mail")
    engine.unsuspend(number)
    assert one(engine, "mail").process_instance_id == number


def test_a_worker_tells_how_far_it_is_and_what_it_does(engine: Engine) -> None:
    number = started(engine, service("a", "mail"), rollback=False)
    task = one(engine, "mail")
    engine.external.tell(task.id, "w", percent=40, lines=["begun", "half"])
    (shown,) = engine.tasks(number)
    assert (shown.progress, shown.log, shown.end_time) == (40, ("begun", "half"), None)
    with pytest.raises(Invalid) as other:
        engine.external.tell(task.id, "other", percent=50)
    assert other.value.code == "external-task-locked"
    engine.external.tell(task.id, "w", percent=130)
    engine.external.fail(task.id, "w", "no", "at the end", retries=1)
    engine.run_pending()
    again = one(engine, "mail")
    engine.external.tell(again.id, "w", lines=["once more"])
    engine.external.complete(again.id, "w")
    (shown,) = engine.tasks(number)
    assert shown.log == ("begun", "half", "at the end", "once more")
    with pytest.raises(Unknown):
        engine.external.tell(again.id, "w", lines=["late"])


def test_a_worker_that_tells_something_hears_that_it_should_stop(engine: Engine) -> None:
    engine.external.declare({"code": "mail", "hooks": ["start", "cancel"], "grace": 60})
    number = started(engine, service("a", "mail"))
    task = one(engine, "mail")
    engine.cancel(number)
    with pytest.raises(Unknown):
        engine.external.tell(task.id, "w", lines=["still at it"])


def test_no_line_tells_a_secret_output_before_it_is_known(engine: Engine) -> None:
    engine.external.declare({"code": "mail", "outputs": {"password": "how to get in"}, "secret_outputs": ["password"]})
    started(engine, service("a", "mail"))
    task = one(engine, "mail")
    with pytest.raises(Invalid, match="leave them out") as refused:
        engine.external.tell(task.id, "w", lines=["it is hunter2"])
    assert refused.value.code == "log-secret"
    engine.external.tell(task.id, "w", percent=10)


def test_a_task_whose_variables_fit_is_found_behind_any_number_that_do_not(engine: Engine) -> None:
    engine.deploy(line("shop", service("a", "mail")), external=True)
    for _ in range(130):
        engine.start(key="shop", name="test", variables={"region": "north"})
    meant = engine.start(key="shop", name="test", variables={"region": "south"}).process_instance_id
    assert one(engine, "mail", process_variables={"region": "south"}).process_instance_id == meant
    assert nothing(engine, "mail", process_variables={"region": "south"})


def test_nothing_is_kept_of_the_large_values_that_a_worker_asks_for(engine: Engine) -> None:
    engine.deploy(line("shop", service("a", "mail")), external=True)
    for _ in range(40):
        engine.start(key="shop", name="test", variables={"region": "north"})
    tracemalloc.start()
    try:
        for number in range(3):
            assert nothing(engine, "mail", process_variables={"region": f"{number} {'south' * 50_000}"})
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 5_000_000


def test_a_fetch_that_has_no_time_to_look_further_is_gone_on_with_by_the_next(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, no fetch looks at them without an end, and none begins for ever at the same ones."""
    monkeypatch.setattr("riverstone.engine.calls.tasks.external_tasks.LONGEST_LOOK", 0.0)
    engine.deploy(line("shop", service("a", "mail")), external=True)
    for _ in range(230):
        engine.start(key="shop", name="test", variables={"region": "north"})
    meant = engine.start(key="shop", name="test", variables={"region": "south"}).process_instance_id
    assert nothing(engine, "mail", process_variables={"region": "south"})
    assert nothing(engine, "mail", process_variables={"region": "south"})
    assert one(engine, "mail", process_variables={"region": "south"}).process_instance_id == meant
    assert nothing(engine, "mail", process_variables={"region": "south"})
    again = engine.start(key="shop", name="test", variables={"region": "north"}).process_instance_id
    assert one(engine, "mail", process_variables={"region": "north"}).process_instance_id != again


def test_one_turn_does_not_read_the_variables_of_all_tasks_that_a_fetch_looks_at(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have their turns between these."""
    monkeypatch.setattr("riverstone.engine.calls.tasks.external_tasks.LONGEST_TURN", 0.0)
    engine.deploy(line("shop", service("a", "mail")), external=True)
    for region in ("north", "south", "north", "south", "south"):
        engine.start(key="shop", name="test", variables={"region": region})
    topic = Topic(name="mail", lock=60_000, process_variables={"region": "south"})
    found = engine.external.fetch("w", [topic], most=2)
    assert [each.variables["region"] for each in found] == ["south", "south"]
    assert len(engine.external.find(ExternalFilter(), limit=10)) == 5
    assert len(engine.external.fetch("w", [topic], most=10)) == 1


def test_a_task_that_does_not_fit_is_looked_at_once_until_its_process_changes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told to look twice a second, and others wait while variables are read."""
    engine.deploy(line("shop", service("a", "mail")), external=True)
    numbers = [
        engine.start(key="shop", name="test", variables={"region": "north"}).process_instance_id for _ in range(120)
    ]
    looked: list[Any] = []

    def counted(*given: Any) -> bool:
        looked.append(given)
        return external_views.holds(*given)

    monkeypatch.setattr(external_tasks, "holds", counted)
    for _ in range(3):
        assert nothing(engine, "mail", process_variables={"region": "south"})
    assert len(looked) == len(numbers)
    engine.set_variables(numbers[7], {"region": "south"})
    assert one(engine, "mail", process_variables={"region": "south"}).process_instance_id == numbers[7]
    assert len(looked) == len(numbers) + 1
    # Other values are another question.
    assert one(engine, "mail", process_variables={"region": "north"}).process_instance_id == numbers[0]


def test_a_fetch_of_no_tasks_gets_none(engine: Engine) -> None:
    engine.deploy(line("shop", service("a", "mail")), external=True)
    engine.start(key="shop", name="test")
    topic = Topic(name="mail", lock=60_000, process_variables={"region": "south"})
    assert engine.external.fetch("w", [topic], most=0) == []


def test_a_variable_is_found_behind_any_number_of_tasks(engine: Engine) -> None:
    nodes = service("a", "mail", inside=runs("120")) + service("b", "mail", {"page": "seven"})
    flows = flow("s", "f") + flow("f", "a") + flow("f", "b")
    engine.deploy(
        definitions(process("wide", f'<startEvent id="s"/><parallelGateway id="f"/>{nodes}{flows}')), external=True
    )
    number = engine.start(key="wide", name="test").process_instance_id
    engine.run_pending()
    assert engine.external.count(ExternalFilter(process_instance_id=int(number))) == 121
    assert engine.external.variable(number, "page") == "seven"
    with pytest.raises(Unknown):
        engine.external.variable(number, "nobody")
