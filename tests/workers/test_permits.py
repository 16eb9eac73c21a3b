"""What has waited on its way to a worker begins only if it still may: it is asked for before."""

from __future__ import annotations

import time

import pytest

from riverstone.engine.dispatch import work_messages

from ..features.sketch import line, service
from .crew import Crew, until


@pytest.mark.parametrize("force", [True, False])
def test_what_was_cancelled_while_no_worker_was_there_never_begins(crew: Crew, *, force: bool) -> None:
    worker = crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "quick")))
        crew.kill(worker)
        started = [engine.start(key="shop", name="shop").process_instance_id for _ in range(6)]
        time.sleep(0.5)
        for number in started:
            engine.cancel(number, force=force)
        crew.worker()
        for number in started:
            assert engine.wait(number, timeout=30).status == "cancel.success"
        after = engine.start(key="shop", name="after").process_instance_id
        assert engine.wait(after, timeout=30).status == "success"
        assert [crew.hooks(number) for number in started] == [[]] * 6
        until(lambda: not any(engine.why(number).sentences[-1].startswith("A hook") for number in started))


def test_what_its_worker_was_told_to_stop_before_it_died_never_begins_at_another(crew: Crew) -> None:
    """The second worker has heard of no stop: the broker brings it what the first one held back."""
    crew.gate.touch()
    first = crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "held")))
        running = engine.start(key="shop", name="running").process_instance_id
        until(lambda: crew.hooks(running))
        waiting = engine.start(key="shop", name="waiting").process_instance_id
        time.sleep(0.5)
        engine.cancel(waiting, force=True)
        assert engine.wait(waiting, timeout=60).status == "cancel.success"
        time.sleep(0.5)
        crew.kill(first)
        crew.gate.unlink()
        crew.worker()
        assert engine.wait(running, timeout=60).status == "success"
        assert crew.hooks(waiting) == []


def test_what_waited_for_a_busy_worker_begins_when_an_engine_says_so(crew: Crew) -> None:
    crew.gate.touch()
    crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "held")))
        started = [engine.start(key="shop", name="shop").process_instance_id for _ in range(4)]
        until(lambda: crew.called())
        time.sleep(0.5)
        crew.gate.unlink()
        for number in started:
            assert engine.wait(number, timeout=30).status == "success"
        assert sorted(crew.times().values()) == [1] * 4


def test_a_message_is_fresh_for_a_moment_and_one_without_a_time_never() -> None:
    now = time.time_ns() // 1_000_000
    assert work_messages.is_fresh({"sent": now})
    assert not work_messages.is_fresh({"sent": now - 1000})
    assert not work_messages.is_fresh({"sent": now + 1000})
    assert not work_messages.is_fresh({})
    assert not work_messages.is_fresh({"sent": "today"})
