"""What dies between an engine and a stone: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kombu import Consumer

from riverstone.engine.dispatch.celery import make_app
from riverstone.engine.dispatch.celery.app import DELIVERIES, task_queue
from riverstone.engine.dispatch.celery.link import Link

from ..features.sketch import line, service
from .brokers import redis_server
from .crew import Crew, hasten, until

RABBITMQ = pytest.mark.parametrize("crew", ["rabbitmq"], indirect=True)
REDIS = pytest.mark.parametrize("crew", ["redis"], indirect=True)


@RABBITMQ
def test_a_killed_process_of_a_worker_has_its_task_done_again_under_the_same_key(crew: Crew) -> None:
    crew.gate.touch()
    crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "held")))
        started = engine.start(key="shop", name="shop").process_instance_id
        child = until(lambda: [pid for *_, pid in crew.called()])[0]
        (hook,) = Path(f"/proc/{child}/task/{child}/children").read_text().split()
        os.kill(int(hook), signal.SIGKILL)
        until(lambda: len(crew.called()) >= 2)
        crew.gate.unlink()
        assert engine.wait(started, timeout=60).status == "success"
    assert len(crew.times()) == 1, "another delivery has another key"


def test_the_tasks_of_a_worker_whose_machine_is_gone_are_done_by_another(crew: Crew) -> None:
    crew.gate.touch()
    first = crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "held")))
        started = engine.start(key="shop", name="shop").process_instance_id
        until(lambda: engine.tasks(started)[0].status == "start.begin")
        crew.kill(first)
        crew.worker()
        until(lambda: len(crew.called()) >= 2)
        crew.gate.unlink()
        assert engine.wait(started, timeout=60).status == "success"
    assert len(crew.times()) == 1, "another delivery has another key"


@RABBITMQ
def test_a_stone_that_kills_its_worker_each_time_fails_in_the_end(crew: Crew) -> None:
    crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "quick"), service("p", "poison")))
        started = engine.start(key="shop", name="shop").process_instance_id
        ended = engine.wait(started, timeout=40)
        task = engine.tasks(started)[1]
    assert (ended.status, task.status) == ("rollback.success", "start.failed")
    assert task.reason is not None
    assert "was lost 3 times" in task.reason
    assert [call[2] for call in crew.called() if call[1] == "p"] == ["start", "start", "start", "rollback"]


@RABBITMQ
def test_a_task_that_no_worker_can_keep_comes_back_from_the_broker_and_fails_in_the_end(crew: Crew) -> None:
    worker = crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "quick")))
        crew.kill(worker)
        link = Link(make_app(crew.broker))
        refused: list[str] = []

        def refuse(message: Any) -> None:
            refused.append(message.headers["id"])
            message.requeue()

        with Consumer(link.channel(), [task_queue("quick")], on_message=refuse, auto_declare=False):
            started = engine.start(key="shop", name="shop").process_instance_id
            until(lambda: (link.drain(0.1), engine.get(started).status != "running")[1])
        link.drop()
        task = engine.tasks(started)[0]
    assert (task.status, crew.called()) == ("start.failed", [])
    # Each of three deliveries as often as the queue's limit allows, and no more.
    assert set(Counter(refused).values()) == {DELIVERIES + 1}
    assert len(set(refused)) == 3


@REDIS
def test_an_engine_that_dies_leaves_its_tasks_with_the_workers(crew: Crew) -> None:
    crew.gate.touch()
    crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "held"), service("b", "quick")))
        started = engine.start(key="shop", name="shop").process_instance_id
        until(lambda: crew.called())
    crew.gate.unlink()
    with crew.river() as other:
        assert other.wait(started, timeout=60).status == "success"
    assert list(crew.times().values()) == [1, 1]


def test_a_broker_that_comes_back_empty_has_what_waited_sent_again_and_not_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hasten(monkeypatch)
    with redis_server(tmp_path) as broker:
        crew = Crew(f"sqlite:///{tmp_path}/store.db", broker.url, tmp_path)
        try:
            crew.gate.touch()
            crew.worker("--concurrency", "2")
            with crew.river() as engine:
                engine.deploy(line("shop", service("a", "held")))
                started = [engine.start(key="shop", name="shop").process_instance_id for _ in range(7)]
                until(lambda: len(crew.called()) == 2)
                # Nobody vouches for the others, which wait in their queue, while new ones fill it again.
                until(lambda: [engine.tasks(each)[0].status for each in started].count("start.begin") == 2)
                broker.kill()
                started += [engine.start(key="shop", name="shop").process_instance_id for _ in range(3)]
                broker.start()
                until(lambda: "are sent again, since the broker has lost them" in caplog.text)
                assert len(crew.called()) == 2
                crew.gate.unlink()
                assert {engine.wait(each, timeout=30).status for each in started} == {"success"}
        finally:
            crew.close()
    assert list(crew.times().values()) == [1] * 10


def test_a_broker_that_comes_back_empty_has_lost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)
    with redis_server(tmp_path) as broker:
        crew = Crew(f"sqlite:///{tmp_path}/store.db", broker.url, tmp_path)
        try:
            crew.gate.touch()
            crew.worker()
            with crew.river() as engine:
                engine.deploy(line("shop", service("a", "held"), service("b", "quick")))
                started = [engine.start(key="shop", name="shop").process_instance_id for _ in range(5)]
                until(lambda: crew.called())
                broker.kill()
                started += [engine.start(key="shop", name="shop").process_instance_id for _ in range(5)]
                crew.gate.unlink()
                broker.start()
                assert {engine.wait(each, timeout=30).status for each in started} == {"success"}
                assert all(task.attempt == 1 for each in started for task in engine.tasks(each))
        finally:
            crew.close()
    assert len(crew.times()) == 20


def test_a_broker_that_comes_and_goes_ends_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)
    with redis_server(tmp_path) as broker:
        crew = Crew(f"sqlite:///{tmp_path}/store.db", broker.url, tmp_path)
        try:
            worker = crew.worker("--concurrency", "2")
            with crew.river() as engine:
                engine.deploy(line("shop", *(service(f"s{number}", "quick") for number in range(5))))
                started: list[str] = []
                for number in range(6):
                    started += [engine.start(key="shop", name="shop").process_instance_id for _ in range(60)]
                    # At a moment of its own each time, while some are carried out and others are answered.
                    until(lambda done=number * 300 + 20 * number: len(crew.called()) > done)  # type: ignore[misc]
                    broker.kill()
                    broker.start()
                assert {engine.wait(each, timeout=30).status for each in started} == {"success"}
            assert worker.poll() is None
        finally:
            crew.close()
    assert len(crew.times()) == 5 * len(started)
