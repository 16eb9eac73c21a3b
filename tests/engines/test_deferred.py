"""A deferred task with two engines: what is told comes to another engine than the one that ran its start."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from riverstone.engine import Deferral, Engine, Stone, TaskInfo, VirtualClock
from riverstone.models import EngineRow

from ..features.sketch import line, service
from ..features.test_deferred import Outside

A_START = service("a", "outside")


@pytest.fixture
def outside(one: Engine, other: Engine) -> Outside:
    made = Outside()
    for engine in (one, other):
        engine.register(made.stone())
    one.deploy(line("shop", A_START))
    return made


def start(one: Engine) -> str:
    return one.start(key="shop", name="test").process_instance_id


def test_another_engine_completes_it(one: Engine, other: Engine, outside: Outside) -> None:
    number = start(one)
    assert other.progress_deferred(outside.token, 50)
    assert other.complete_deferred(outside.token, {"id": "x"})
    assert not one.complete_deferred(outside.token, {"id": "y"})
    for engine in (one, other):
        assert engine.get(number).native_output_values == {"a": {"ticket": "T-1", "id": "x"}}


def test_another_engine_is_told_before_the_start_has_come_back(one: Engine, other: Engine, outside: Outside) -> None:
    def told(task: TaskInfo, later: Deferral) -> Deferral:
        assert other.complete_deferred(later.token, {"id": "early"})
        assert not other.complete_deferred(later.token, {"id": "again"})
        return later

    outside.then = told
    number = start(one)
    assert one.get(number).native_output_values["a"]["id"] == "early"


def test_a_timeout_and_a_completion_at_once_have_one_winner(
    one: Engine, other: Engine, outside: Outside, clock: VirtualClock
) -> None:
    number = start(one)
    clock.advance(61)
    assert other.complete_deferred(outside.token, {"id": "in time"})
    one.run_pending()
    assert one.get(number).status == "success"

    second = start(one)
    clock.advance(61)
    one.run_pending()
    assert other.complete_deferred(outside.token, {"id": "late"})
    other.run_pending()
    one.run_pending()
    assert one.wait(second, 60).status == "rollback.success"
    assert outside.calls[-1] == 'rollback partial {"id": "late"}'


def test_doubled_webhooks_at_both_engines_complete_it_once(one: Engine, other: Engine, outside: Outside) -> None:
    for _ in range(5):
        number = start(one)
        token, together = outside.token, threading.Barrier(4)

        def call(place: int, token: str = token, together: threading.Barrier = together) -> bool:
            together.wait(60)
            return (one, other)[place % 2].callback(token, b'{"n": %d}' % place)

        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(call, range(4)))
        assert sum(taken) == 1
        values: dict[str, Any] = one.get(number).native_output_values
        assert values["a"]["callback"] == {"n": taken.index(True)}
        assert one.get(number).status == "success"


def test_one_that_waits_outlives_the_engine_that_ran_its_start(
    url: str, clock: VirtualClock, one: Engine, other: Engine, outside: Outside
) -> None:
    for timeout in (None, 60.0):
        outside.options["timeout"] = timeout
        with Engine(url, clock=clock, stones=[outside.stone()]) as gone:
            number = gone.start(key="shop", name="test").process_instance_id
            # As if it had died: nobody signs off.
            gone._loop.lease.leases.take_from(
                [row for row in one._loop.lease.leases.engines() if row.id == gone._facilities.engine_id], clock.now()
            )
        calls = len(outside.calls)
        one.run_pending()
        (task,) = one.tasks(number)
        assert (task.status, len(outside.calls)) == ("start.begin", calls)
        assert other.complete_deferred(outside.token)
        assert other.get(number).status == "success"
    number = start(one)
    clock.advance(61)
    one.run_pending()
    assert one.wait(number, 60).status == "rollback.success"


def test_the_poll_of_another_engine_is_in_hand_while_it_is_completed(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    given: list[Deferral] = []
    calls: list[str] = []

    class Watched(Stone):
        code = "watched"
        monitor_interval = 10.0

        def start(self, task: TaskInfo) -> Deferral:
            given.append(task.defer())
            return given[-1]

        def monitor(self, task: TaskInfo) -> bool:
            calls.append("monitor")
            assert other.complete_deferred(given[-1].token, {"id": "told"})
            task.add_output("id", "found")
            return True

        def delete(self, task: TaskInfo) -> None:
            calls.append(f"delete {task.outputs['id']}")

    for engine in (one, other):
        engine.register(Watched)
    one.deploy(line("watch", service("a", "watched")))
    number = one.start(key="watch", name="test").process_instance_id
    clock.advance(10)
    one.run_pending()
    one.run_pending()
    assert one.get(number).native_output_values == {"a": {"id": "told"}}
    one.delete(number)
    assert one.wait(number, 60).status == "delete.success"
    # What the poll had found is another thing, as far as anybody can tell, so it is undone too.
    assert calls == ["monitor", "delete told", "delete found"]


def test_a_rotation_is_seen_by_the_other_engine(one: Engine, other: Engine, outside: Outside) -> None:
    start(one)
    first = outside.token
    one.rotate_token_secret()
    second_number = other.start(key="shop", name="test").process_instance_id
    assert one.complete_deferred(outside.token)
    assert other.get(second_number).status == "success"
    assert other.complete_deferred(first)


def test_one_whose_start_was_lost_while_it_was_stopped_still_hears_of_what_was_made(
    one: Engine, other: Engine, outside: Outside, clock: VirtualClock
) -> None:
    """The engine was taken for dead: that the start had given its token is in no row, and the token itself says so."""

    def lost(task: TaskInfo, later: Deferral) -> Deferral:
        other.cancel(task.process_instance_id)
        rows: list[EngineRow] = [row for row in other._loop.lease.leases.engines() if row.id == engine_id]
        other._loop.lease.leases.take_from(rows, clock.now())
        return later

    engine_id = one._facilities.engine_id
    outside.then = lost
    number = start(one)
    for engine in (other, one, other):
        clock.advance(20)
        while engine.run_pending():
            pass
    assert other.get(number).status == "cancel.success"
    before = list(outside.calls)
    assert before[-1] == "cancel unknown {}"

    assert other.complete_deferred(outside.token, {"id": "x"})
    assert not one.complete_deferred(outside.token, {"id": "x"})
    while other.run_pending():
        pass
    assert other.get(number).status == "cancel.success"
    assert outside.calls == [*before, 'cancel unknown {"id": "x"}']
