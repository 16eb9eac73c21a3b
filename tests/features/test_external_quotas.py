"""What workers fetch over HTTP keeps to the quotas of its stone: a slot is taken when a task is fetched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Invalid, Quota, Stone, TaskInfo, VirtualClock
from riverstone.engine.calls.tasks.external_views import ExternalTask, Topic
from riverstone.engine.river.due.quota_lines import RESERVED, QuotaPolls

from ..models.stores import SHARED, fresh
from .sketch import line, runs, service

ONE = Quota(at_once=1)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_800_000_000_000)


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh(request.param, tmp_path) as url:
        yield url


def opened(url: str, clock: VirtualClock, quota: Quota, **more: Any) -> Engine:
    engine = Engine(url, clock=clock, quotas={"mail": quota, **more.pop("quotas", {})}, **more)
    engine.deploy(line("shop", service("a", "mail")), external=True)
    return engine


def start(engine: Engine, **more: Any) -> str:
    return engine.start(key="shop", name="test", **more).process_instance_id


def fetch(
    engine: Engine, worker: str = "w", most: int = 1, lock: int = 60_000, name: str = "mail"
) -> list[ExternalTask]:
    return engine.external.fetch(worker, [Topic(name=name, lock=lock)], most=most)


def status(engine: Engine, number: str) -> str:
    return engine.tasks(number)[0].status


def used(engine: Engine) -> tuple[int, int]:
    """Tasks that hold a slot, and that wait for one."""
    found = engine.quotas().items
    return sum(each.held for each in found), sum(each.waiting for each in found)


def poll(engine: Engine) -> None:
    """Let it look at once for what the time lets go on, and for slots that nobody uses."""
    for action in QuotaPolls(engine._facilities).poll():
        engine._pump.step(action)


def test_what_nobody_has_fetched_holds_no_slot(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, ONE) as engine:
        first, second, third = [start(engine) for _ in range(3)]
        assert {status(engine, each) for each in (first, second, third)} == {"produce.success"}
        assert used(engine) == (0, 0)

        (got,) = fetch(engine, most=5)
        assert got.process_instance_id == first
        assert [status(engine, each) for each in (second, third)] == ["queued", "queued"]
        assert used(engine) == (1, 2)
        assert fetch(engine) == []
        assert "it is behind 1 other" in " ".join(engine.why(third).sentences)

        engine.external.complete(got.id, "w")
        (got,) = fetch(engine, most=5)
        assert got.process_instance_id == second
        engine.external.complete(got.id, "w")
        (got,) = fetch(engine, most=5)
        engine.external.complete(got.id, "w")
        assert {engine.get(each).status for each in (first, second, third)} == {"success"}
        assert used(engine) == (0, 0)


def test_one_fetch_gets_as_many_as_there_are_slots(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, Quota(at_once=2)) as engine:
        numbers = [start(engine) for _ in range(5)]
        assert [each.process_instance_id for each in fetch(engine, most=4)] == numbers[:2]
        # What it did not look at takes its place in the line when somebody looks.
        assert fetch(engine, most=4) == []
        assert used(engine) == (2, 3)


def test_a_fetch_passes_over_accounts_that_are_full(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, Quota(at_once=1, by="account")) as engine:
        for _ in range(4):
            start(engine, variables={"account": "acme"})
        other = start(engine, variables={"account": "zoo"})
        assert len(fetch(engine)) == 1
        (got,) = fetch(engine)
        assert got.process_instance_id == other


def test_the_highest_priority_goes_first_in_line(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, ONE) as engine:
        start(engine)
        (got,) = fetch(engine)
        low, high = start(engine), start(engine, priority=9)
        assert fetch(engine, most=5) == []
        engine.external.complete(got.id, "w")
        (got,) = fetch(engine, most=5)
        assert got.process_instance_id == high
        assert status(engine, low) == "queued"


def test_fetches_count_in_the_minute_those_after_a_lost_lock_too(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, Quota(per_minute=2)) as engine:
        first, second = start(engine), start(engine)
        (got,) = fetch(engine, lock=1)
        time.sleep(0.01)
        (again,) = fetch(engine, "other")
        assert again.id == got.id
        assert fetch(engine) == []
        assert status(engine, second) == "queued"
        engine.external.complete(again.id, "other")
        assert fetch(engine) == []
        engine._store.execute("UPDATE `quota_grant` SET `granted` = `granted` - 60000")
        engine._store.execute("UPDATE `quota` SET `due` = `due` - 60000")
        poll(engine)
        (found,) = fetch(engine)
        assert found.process_instance_id == second
        assert engine.get(first).status == "success"


def test_what_a_worker_gives_back_gives_its_slot_back(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, ONE) as engine:
        first, second = start(engine), start(engine)
        (got,) = fetch(engine, most=2)
        assert (got.process_instance_id, status(engine, second)) == (first, "queued")
        engine.external.unlock(got.id)
        (got,) = fetch(engine, most=2)
        assert got.process_instance_id == second


def test_a_task_that_is_named_cannot_be_had_beyond_its_quota(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, ONE) as engine:
        start(engine)
        other = start(engine)
        fetch(engine)
        named = f"{engine.tasks(other)[0].task_id}-1"
        with pytest.raises(Invalid, match="waits for a slot of its quota") as refused:
            engine.external.lock(named, "w", 60_000)
        assert refused.value.code == "quota-full"
        assert used(engine) == (1, 1)


def test_one_that_found_its_quota_full_has_not_begun(url: str, clock: VirtualClock) -> None:
    """So a cancel asks nobody to undo it."""
    with opened(url, clock, ONE) as engine:
        engine.external.declare({"code": "mail", "hooks": ["start", "cancel"]})
        start(engine)
        waits = start(engine)
        fetch(engine, most=2)
        assert status(engine, waits) == "queued"
        engine.cancel(waits)
        assert engine.get(waits).status == "cancel.success"
        assert fetch(engine, name="mail.cancel") == []
        assert used(engine) == (1, 0)


def test_an_undo_that_workers_fetch_has_slots_of_its_own(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, ONE) as engine:
        engine.external.declare({"code": "mail", "hooks": ["start", "delete"]})
        done = [start(engine) for _ in range(2)]
        for _ in done:
            engine.external.complete(fetch(engine)[0].id, "w")
        start(engine)
        fetch(engine)
        for number in done:
            engine.delete(number)
        (got,) = fetch(engine, most=2, name="mail.delete")
        engine.external.complete(got.id, "w")
        (got,) = fetch(engine, most=2, name="mail.delete")
        engine.external.complete(got.id, "w")
        assert {engine.get(each).status for each in done} == {"delete.success"}


class Call(Stone):
    """The same cloud, from the engine itself."""

    code = "call"
    calls: ClassVar[list[str]]

    def start(self, task: TaskInfo) -> None:
        self.calls.append(task.process_instance_id)


def test_workers_that_are_not_there_hold_up_nobody_who_shares_their_quota(url: str, clock: VirtualClock) -> None:
    shared = Quota(at_once=1, name="cloud")
    kind = type("Call", (Call,), {"calls": [], "__doc__": "One of its own."})
    with opened(url, clock, shared, quotas={"call": shared}, stones=[kind]) as engine:
        engine.deploy(line("phone", service("a", "call")))
        first, second = start(engine), start(engine)
        (got,) = fetch(engine, most=2)
        assert status(engine, second) == "queued"
        waits = engine.start(key="phone", name="test").process_instance_id
        assert status(engine, waits) == "queued"
        # It is offered with a slot, and nobody comes for it.
        engine.external.complete(got.id, "w")
        assert (status(engine, second), status(engine, waits)) == ("produce.success", "queued")
        clock.advance(RESERVED + 1)
        poll(engine)
        assert engine.wait(waits).status == "success"
        assert status(engine, second) == "produce.success"
        (got,) = fetch(engine)
        engine.external.complete(got.id, "w")
        assert engine.get(second).status == engine.get(first).status == "success"
        assert used(engine) == (0, 0)


def test_a_task_with_a_monitor_keeps_its_slot_between_two_looks(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, ONE) as engine:
        engine.external.declare({"code": "mail", "hooks": ["start", "monitor"]})
        start(engine)
        waits = start(engine)
        (got,) = fetch(engine, most=2)
        engine.external.complete(got.id, "w")
        clock.advance(RESERVED * 2)
        poll(engine)
        assert (used(engine), status(engine, waits)) == ((1, 1), "queued")
        (look,) = fetch(engine, name="mail.monitor")
        engine.external.complete(look.id, "w")
        assert status(engine, waits) == "produce.success"


def test_without_a_quota_nothing_of_it_is_asked(url: str, clock: VirtualClock) -> None:
    with Engine(url, clock=clock) as engine:
        engine.deploy(line("shop", service("a", "mail", inside=runs("3"))), external=True)
        start(engine)
        assert len(fetch(engine, most=5)) == 3
        assert used(engine) == (0, 0)
