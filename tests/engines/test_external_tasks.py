"""Tasks that workers fetch over HTTP, with several engines on one store: one lock, one outcome, one undo."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from riverstone.engine import Engine, Invalid, Quota, Unknown
from riverstone.engine.calls.tasks.external_views import ExternalTask, Topic

from ..features.sketch import line, service


def topic(name: str, lock: int = 60_000) -> Topic:
    return Topic(name=name, lock=lock)


def one(engine: Engine, name: str, worker: str = "w", lock: int = 60_000) -> ExternalTask:
    (found,) = engine.external.fetch(worker, [topic(name, lock)])
    return found


@pytest.fixture
def here(url: str) -> Iterator[Engine]:
    with Engine(url, dispatcher="threads") as engine:
        yield engine


@pytest.fixture
def there(url: str, here: Engine) -> Iterator[Engine]:
    with Engine(url, dispatcher="threads") as engine:
        yield engine


def test_a_task_is_fetched_at_one_engine_and_answered_at_another(here: Engine, there: Engine) -> None:
    here.deploy(line("shop", service("a", "mail"), service("b", "call")), external=True)
    number = here.start(key="shop", name="t").process_instance_id
    task = one(there, "mail")
    assert here.external.fetch("other", [topic("mail")]) == []
    here.external.extend(task.id, "w", 90_000)
    here.external.complete(task.id, "w", {"id": 7})
    with pytest.raises(Unknown):
        there.external.complete(task.id, "w")
    assert one(there, "call").variables == {"id": 7}
    assert here.get(number).native_output_values == {"a": {"id": 7}}


def test_of_many_fetches_at_once_each_task_goes_to_one(here: Engine, there: Engine) -> None:
    here.deploy(line("shop", service("a", "mail")), external=True)
    numbers = [here.start(key="shop", name="t").process_instance_id for _ in range(20)]
    begin = threading.Barrier(8)

    def work(number: int) -> list[str]:
        engine, got = (here, there)[number % 2], []
        begin.wait(60)
        while found := engine.external.fetch(f"w{number}", [topic("mail")], most=2):
            for task in found:
                got.append(task.process_instance_id)
                engine.external.complete(task.id, f"w{number}")
        return got

    with ThreadPoolExecutor(8) as pool:
        got = [number for found in pool.map(work, range(8)) for number in found]
    assert sorted(got) == sorted(numbers)
    assert {here.wait(number, 60).status for number in numbers} == {"success"}


def test_a_fetch_and_a_cancel_at_once_agree_on_whether_it_began(here: Engine, there: Engine) -> None:
    """Either the worker has it, and it is undone; or nobody has it, and nothing is to be undone."""
    here.external.declare({"code": "mail", "hooks": ["start", "cancel"], "grace": 1})
    here.deploy(line("shop", service("a", "mail")))
    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            number = here.start(key="shop", name="t").process_instance_id
            fetched = pool.submit(there.external.fetch, "w", [topic("mail")])
            here.cancel(number, force=True)
            if found := fetched.result(60):
                assert found[0].process_instance_id == number
                undo = next(iter(_soon(there, "mail.cancel")))
                assert undo.idempotency_key == found[0].idempotency_key
                there.external.complete(undo.id, "w")
            assert here.wait(number, 60).status == "cancel.success"


def _soon(engine: Engine, name: str) -> list[ExternalTask]:
    deadline = time.monotonic() + 60
    while not (found := engine.external.fetch("w", [topic(name)])):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_the_undo_waits_for_the_lock_of_whoever_was_at_it_but_no_longer(here: Engine, there: Engine) -> None:
    here.external.declare({"code": "mail", "hooks": ["start", "cancel"], "grace": 60})
    here.deploy(line("shop", service("a", "mail")))
    number = here.start(key="shop", name="t").process_instance_id
    task = one(there, "mail", lock=1500)
    here.cancel(number)
    assert there.external.fetch("w", [topic("mail.cancel")]) == []
    with pytest.raises(Unknown):
        there.external.extend(task.id, "w", 60_000)
    there.external.complete(_soon(here, "mail.cancel")[0].id, "w")
    assert here.wait(number, 60).status == "cancel.success"


def test_a_lock_that_has_run_out_is_taken_over_at_another_engine(here: Engine, there: Engine) -> None:
    here.deploy(line("shop", service("a", "mail")), external=True)
    number = here.start(key="shop", name="t").process_instance_id
    task = one(here, "mail", "first", lock=1)
    time.sleep(0.05)
    again = one(there, "mail", "second")
    assert (again.id, again.idempotency_key) == (task.id, task.idempotency_key)
    assert again.delivery > task.delivery
    with pytest.raises(Invalid):
        here.external.complete(task.id, "first")
    here.external.complete(again.id, "second")
    assert there.wait(number, 60).status == "success"


def test_whoever_waits_at_one_engine_hears_of_what_another_offers(here: Engine, there: Engine) -> None:
    told = threading.Event()
    watch = there.external.watch(["mail"], told.set)
    here.deploy(line("shop", service("a", "mail")), external=True)
    here.start(key="shop", name="t")
    assert told.wait(60)
    watch.stop()
    assert one(there, "mail").topic == "mail"


def test_an_engine_that_dies_takes_no_lock_along(url: str, here: Engine) -> None:
    here.deploy(line("shop", service("a", "mail")), external=True)
    number = here.start(key="shop", name="t").process_instance_id
    with Engine(url, dispatcher="threads") as gone:
        task = one(gone, "mail")
    here.external.complete(task.id, "w")
    assert here.wait(number, 60).status == "success"


def test_a_hook_that_is_fetched_at_one_engine_lets_the_undo_of_another_go_on(here: Engine, there: Engine) -> None:
    here.deploy(line("shop", service("a", "mail")), external=True)
    number = here.start(key="shop", name="t").process_instance_id
    here.external.complete(one(here, "mail").id, "w")
    assert here.wait(number, 60).status == "success"
    here.delete(number)
    assert here.get(number).status == "delete.begin"
    there.external.complete(_soon(there, "mail.delete")[0].id, "w")
    assert here.wait(number, 60).status == "delete.success"


def test_workers_of_two_engines_never_have_more_than_their_quota_allows(url: str) -> None:
    quotas = {"mail": Quota(at_once=3)}
    with (
        Engine(url, dispatcher="threads", quotas=quotas) as here,
        Engine(url, dispatcher="threads", quotas=quotas) as there,
    ):
        here.deploy(line("shop", service("a", "mail")), external=True)
        numbers = [here.start(key="shop", name="t").process_instance_id for _ in range(13)]
        first = [(here, task) for task in here.external.fetch("w", [topic("mail")], most=2)]
        first += [(there, task) for task in there.external.fetch("w", [topic("mail")], most=2)]
        assert len(first) == 3
        assert here.external.fetch("w", [topic("mail")], most=2) == []
        for engine, task in first:
            engine.external.complete(task.id, "w")
        lock, acting, most, left = threading.Lock(), set[str](), [0], set(numbers[3:])
        begin = threading.Barrier(6)

        def work(number: int) -> None:
            engine, worker = (here, there)[number % 2], f"w{number}"
            begin.wait(60)
            while left:
                for task in engine.external.fetch(worker, [topic("mail")], most=2):
                    with lock:
                        acting.add(task.id)
                        most[0] = max(most[0], len(acting))
                    time.sleep(0.01)
                    with lock:
                        acting.discard(task.id)
                        left.discard(task.process_instance_id)
                    engine.external.complete(task.id, worker)
                time.sleep(0.01)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(work, range(6)))
        assert most[0] <= 3
        assert {here.wait(each, 30).status for each in numbers} == {"success"}
        assert sum(each.held + each.waiting for each in there.quotas().items) == 0


def test_a_task_that_has_not_fitted_is_fetched_once_another_engine_has_changed_its_process(
    here: Engine, there: Engine
) -> None:
    here.deploy(line("shop", service("a", "mail")), external=True)
    number = here.start(key="shop", name="t", variables={"region": "north"}).process_instance_id
    asked = Topic(name="mail", lock=60_000, process_variables={"region": "south"})
    for _ in range(2):
        assert here.external.fetch("w", [asked]) == []
        assert there.external.fetch("w", [asked]) == []
    there.set_variables(number, {"region": "south"})
    (task,) = here.external.fetch("w", [asked])
    assert task.process_instance_id == number
