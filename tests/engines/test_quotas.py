"""Several engines count the same slots: never more than there are, whatever dies, and none that is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Quota, Stone, TaskInfo

from ..features.sketch import line, runs, service

WORKER = Path(__file__).parent / "quota_worker.py"


class Crowd:
    """How many hooks of each account act, and how many ever did at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acting: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.begun: list[tuple[str, float]] = []

    def enter(self, account: str) -> None:
        with self.lock:
            self.acting[account] = self.acting.get(account, 0) + 1
            self.most[account] = max(self.most.get(account, 0), self.acting[account])
            self.begun.append((account, time.monotonic()))

    def leave(self, account: str) -> None:
        with self.lock:
            self.acting[account] -= 1


class Call(Stone):
    """A call of somebody's cloud, which bears few at a time; every fifth fails at first."""

    code = "call"
    retries = 2
    retry_backoff = 0.01
    monitor_interval = 0.02
    fails = True
    crowd: ClassVar[Crowd]
    go_on: ClassVar[threading.Event]

    def start(self, task: TaskInfo) -> None:
        account = task.parameters["account"]
        self.crowd.enter(account)
        try:
            time.sleep(0.002)
            assert self.go_on.wait(60)
            if self.fails and task.attempt == 1 and int(task.task_id) % 5 == 0:
                raise RuntimeError("once more")
        finally:
            self.crowd.leave(account)

    def delete(self, task: TaskInfo) -> None:
        self.crowd.enter("undo")
        time.sleep(0.002)
        self.crowd.leave("undo")


@pytest.fixture
def call() -> Iterator[type[Call]]:
    members = {"crowd": Crowd(), "go_on": threading.Event(), "__doc__": "One of its own."}
    kind: type[Call] = type("Call", (Call,), members)
    kind.go_on.set()
    yield kind
    kind.go_on.set()


def engines(stack: ExitStack, url: str, call: type[Call], quota: Quota, count: int) -> list[Engine]:
    made: dict[str, Any] = {"stones": [call], "dispatcher": "threads", "quotas": {"call": quota}}
    return [stack.enter_context(Engine(url, **made)) for _ in range(count)]


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def slots(engine: Engine, condition: str = "1 = 1") -> int:
    return int(engine._store.value(f"SELECT COUNT(*) FROM `quota_slot` WHERE {condition}"))


def deploy(engine: Engine, times: int = 1) -> None:
    engine.deploy(line("shop", service("a", "call", {"account": "${account}"}, inside=runs(str(times)))))


def test_three_engines_never_let_more_act_at_once_than_may(url: str, call: type[Call]) -> None:
    with ExitStack() as stack:
        some = engines(stack, url, call, Quota(at_once=3, by="account"), 3)
        deploy(some[0], times=5)
        started = [
            (engine, engine.start(key="shop", name="it", owner=owner, variables={"account": owner}))
            for _ in range(3)
            for engine in some
            for owner in ("acme", "zoo")
        ]
        for engine, each in started:
            assert engine.wait(each.process_instance_id, 60).status == "success"
        assert call.crowd.most == {"acme": 3, "zoo": 3}
        for engine, each in started:
            engine.delete(each.process_instance_id)
        for engine, each in started:
            assert engine.wait(each.process_instance_id, 60).status == "delete.success"
        assert call.crowd.most["undo"] <= 6
        assert slots(some[0]) == 0


def test_one_tenant_full_of_work_does_not_hold_up_another(url: str, call: type[Call]) -> None:
    call.go_on.clear()
    with ExitStack() as stack:
        one, other = engines(stack, url, call, Quota(at_once=2, by="account"), 2)
        deploy(one)
        many = [one.start(key="shop", name="it", owner="acme", variables={"account": "acme"}) for _ in range(20)]
        until(lambda: call.crowd.acting.get("acme") == 2)
        few = other.start(key="shop", name="it", owner="zoo", variables={"account": "zoo"})
        until(lambda: call.crowd.acting.get("zoo") == 1)
        call.go_on.set()
        assert other.wait(few.process_instance_id, 30).status == "success"
        for each in many:
            assert one.wait(each.process_instance_id, 60).status == "success"
        assert call.crowd.most == {"acme": 2, "zoo": 1}


def test_an_undo_goes_on_while_all_slots_are_taken_elsewhere(url: str, call: type[Call]) -> None:
    with ExitStack() as stack:
        one, other = engines(stack, url, call, Quota(at_once=1), 2)
        deploy(one)
        done = one.start(key="shop", name="it", variables={"account": "a"}).process_instance_id
        assert one.wait(done, 30).status == "success"
        call.go_on.clear()
        held = other.start(key="shop", name="it", variables={"account": "a"}).process_instance_id
        until(lambda: call.crowd.acting.get("a") == 1)
        waits = one.start(key="shop", name="it", variables={"account": "a"}).process_instance_id
        assert [task.status for task in one.tasks(waits)] == ["queued"]
        one.delete(done)
        until(lambda: one.get(done).status == "delete.success")
        call.go_on.set()
        assert other.wait(held, 30).status == one.wait(waits, 30).status == "success"


def test_what_begins_in_a_minute_is_counted_by_the_database(url: str, call: type[Call]) -> None:
    call.fails = False
    with ExitStack() as stack:
        some = engines(stack, url, call, Quota(per_minute=4), 3)
        deploy(some[0])
        for _ in range(3):
            for engine in some:
                engine.start(key="shop", name="it", variables={"account": "a"})
        until(lambda: len(call.crowd.begun) == 4)
        assert slots(some[0], "`held` = 0") == 5
        some[0]._store.execute("UPDATE `quota_grant` SET `granted` = `granted` - 60000")
        some[0]._store.execute("UPDATE `quota` SET `due` = `due` - 60000")
        until(lambda: len(call.crowd.begun) == 8)
        assert some[0]._store.value("SELECT COUNT(*) FROM `quota_grant`") == 4


def test_slots_of_an_engine_that_is_killed_are_used_again(url: str, call: type[Call], tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    with ExitStack() as stack:
        (one,) = engines(stack, url, call, Quota(at_once=2), 1)
        deploy(one, times=3)
        call.go_on.clear()
        worker = stack.enter_context(subprocess.Popen([sys.executable, WORKER, url, calls], stdin=subprocess.PIPE))
        stack.callback(worker.kill)
        until(calls.exists)
        number = calls.read_text().split()[0]
        until(lambda: len(calls.read_text().splitlines()) == 2)
        assert slots(one, "`held` = 1") == 2
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        call.go_on.set()
        assert one.wait(number, 60).status == "success"
        assert call.crowd.most["a"] <= 2
        assert slots(one) == 0


def test_a_hook_that_was_given_up_holds_its_slot_until_it_ends_or_its_engine_does(url: str, call: type[Call]) -> None:
    kind: type[Call] = type("Short", (call,), {"timeouts": {"start": 0.2}, "retries": 0, "__doc__": "Too slow."})
    with ExitStack() as stack:
        (one,) = engines(stack, url, kind, Quota(at_once=1), 1)
        deploy(one)
        call.go_on.clear()
        number = one.start(key="shop", name="it", variables={"account": "a"}).process_instance_id
        until(lambda: one.get(number).status != "running")
        assert slots(one, "`held` = 1") == 1
        waits = one.start(key="shop", name="it", variables={"account": "a"}).process_instance_id
        assert [task.status for task in one.tasks(waits)] == ["queued"]
        call.go_on.set()
        until(lambda: one.get(waits).status == "success")
        assert (call.crowd.most["a"], slots(one)) == (1, 0)


def test_three_engines_never_let_more_processes_of_a_key_be_at_work_than_may(url: str, call: type[Call]) -> None:
    with ExitStack() as stack:
        made: dict[str, Any] = {"stones": [call], "dispatcher": "threads", "process_quotas": {"shop": Quota(at_once=2)}}
        some = [stack.enter_context(Engine(url, **made)) for _ in range(3)]
        deploy(some[0], times=3)
        call.go_on.clear()
        started = [(each, each.start(key="shop", name="it", variables={"account": "a"})) for each in some for _ in "ab"]
        numbers = [each.process_instance_id for _, each in started]
        until(lambda: call.crowd.acting.get("a") == 6)
        assert sum(some[0].get(each).awaits == "quota" for each in numbers) == 4
        assert slots(some[0], "`held` = 1") == 2
        cancelled = next(each for each in numbers if some[1].get(each).awaits == "quota")
        some[1].cancel(cancelled)
        call.go_on.set()
        for engine, each in started:
            ended = engine.wait(each.process_instance_id, 60).status
            assert ended == ("cancel.success" if each.process_instance_id == cancelled else "success")
        assert call.crowd.most["a"] <= 6
        until(lambda: slots(some[0]) == 0)


def test_who_waits_goes_on_where_the_engine_dies_that_was_to_let_it(url: str, call: type[Call], tmp_path: Path) -> None:
    """The slot was given in the commit: from then on the process is due, at whichever engine there is."""
    calls = tmp_path / "calls"
    quota = Quota(at_once=1)
    with ExitStack() as stack:
        one = stack.enter_context(Engine(url, stones=[call], dispatcher="threads", process_quotas={"shop": quota}))
        deploy(one)
        worker = stack.enter_context(
            subprocess.Popen([sys.executable, WORKER, url, calls, "whole"], stdin=subprocess.PIPE)
        )
        stack.callback(worker.kill)
        until(calls.exists)
        waits = one.start(key="shop", name="it", variables={"account": "a"}).process_instance_id
        assert one.get(waits).awaits == "quota"
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        assert one.wait(waits, 60).status == "success"
        assert one.get(calls.read_text().split()[0]).status == "success"
        until(lambda: slots(one) == 0)
