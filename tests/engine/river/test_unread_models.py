"""A step that needs a model which is not in memory waits for it, and no other process waits with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, UnknownDeployment
from riverstone.models import DeploymentRow

from ...features.sketch import definitions, flow, line, process, service

TIMEOUT = 60
MESSAGE = '<message id="m" name="m"/>'
ON_MESSAGE = '<messageEventDefinition messageRef="m"/>'
PERSON = '<userTask id="person"/>'


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


class Nothing(Stone):
    code = "nothing"

    def start(self, task: TaskInfo) -> None:
        """There is nothing to do."""


class SlowStore:
    """Lets nobody have one deployment from the store until it is opened."""

    def __init__(self, engine: Engine, deployment_id: str) -> None:
        self.asked, self.open = threading.Event(), threading.Event()
        self.threads: set[str] = set()
        known: Any = engine._facilities.definitions
        load: Callable[[str], DeploymentRow] = known._load

        def late(wanted: str) -> DeploymentRow:
            if wanted == deployment_id:
                self.threads.add(threading.current_thread().name)
                self.asked.set()
                assert self.open.wait(TIMEOUT)
            return load(wanted)

        known._load = late


@contextmanager
def restarted(path: Path, *models: bytes) -> Iterator[tuple[Engine, list[str], list[str], list[str]]]:
    """An engine that has read no model; of each one the deployment, and a process with its task of a person, if any."""
    url = f"sqlite:///{path / 'riverstone.db'}"
    with Engine(url, stones=[Nothing], dispatcher="inline") as before:
        deployed = [before.deploy(model).deployment_id for model in models]
        started = [before.start(deployment_id=each, name="p").process_instance_id for each in deployed]
        people = [task.task_id for each in started for task in before.tasks(each) if task.name == "person"]
    with Engine(url, stones=[Nothing], dispatcher="threads") as engine:
        yield engine, deployed, started, people


def waiting(key: str) -> bytes:
    return line(key, PERSON, service("a", "nothing"))


def test_others_go_on_while_the_model_of_one_is_read(tmp_path: Path) -> None:
    with (
        restarted(tmp_path, waiting("large"), waiting("small")) as (engine, (late, _), (large, small), people),
        ThreadPoolExecutor(2) as callers,
    ):
        store = SlowStore(engine, late)
        try:
            first = callers.submit(engine.complete, people[0], {"n": 1})
            assert store.asked.wait(TIMEOUT)
            assert all(name.startswith("riverstone-models") for name in store.threads)
            engine.complete(people[1])
            assert engine.wait(small, TIMEOUT).status == "success"
            assert not first.done()
        finally:
            store.open.set()
        first.result(TIMEOUT)
        assert engine.wait(large, TIMEOUT).status == "success"


def test_what_is_asked_of_one_process_is_done_in_order_though_its_model_is_read_first(tmp_path: Path) -> None:
    with (
        restarted(tmp_path, waiting("large")) as (engine, (late,), (large,), _),
        ThreadPoolExecutor(20) as callers,
    ):
        store = SlowStore(engine, late)
        try:
            asked = []
            for number in range(20):
                asked.append(callers.submit(engine.set_variables, large, {"n": number}))
                until(lambda: len(engine._river.unread) == len(asked))
            assert not any(each.done() for each in asked)
        finally:
            store.open.set()
        for each in asked:
            each.result(TIMEOUT)
        assert engine.variables(large)["n"] == 19


def test_a_thrown_message_that_starts_a_process_waits_for_its_model_alone(tmp_path: Path) -> None:
    started = definitions(
        MESSAGE,
        process(
            "large",
            f'<startEvent id="s">{ON_MESSAGE}</startEvent>',
            service("a", "nothing"),
            '<endEvent id="e"/>',
            flow("s", "a"),
            flow("a", "e"),
        ),
    )
    throws = f'<intermediateThrowEvent id="t">{ON_MESSAGE}</intermediateThrowEvent>'
    models = [line("throws", PERSON, throws, before=MESSAGE), waiting("small")]
    with restarted(tmp_path, *models) as (engine, _, (thrower, small), people):
        late = engine.deploy(started).deployment_id
        engine._facilities.definitions._kept.clear()
        store = SlowStore(engine, late)
        try:
            engine.complete(people[0])
            assert engine.wait(thrower, TIMEOUT).status == "success"
            assert store.asked.wait(TIMEOUT)
            engine.complete(people[1])
            assert engine.wait(small, TIMEOUT).status == "success"
            assert not engine.instances(key="large").items
        finally:
            store.open.set()
        until(lambda: [each.status for each in engine.instances(key="large").items] == ["success"])


def test_a_process_whose_model_never_comes_is_told_so_and_no_other(tmp_path: Path) -> None:
    with restarted(tmp_path, waiting("large"), waiting("small")) as (engine, (late, _), (_, small), people):
        known: Any = engine._facilities.definitions
        load: Callable[[str], DeploymentRow] = known._load

        def refuse(wanted: str) -> DeploymentRow:
            if wanted == late:
                raise UnknownDeployment(wanted)
            return load(wanted)

        known._load = refuse
        with pytest.raises(UnknownDeployment):
            engine.complete(people[0])
        engine.complete(people[1])
        assert engine.wait(small, TIMEOUT).status == "success"


def test_an_engine_that_closes_does_first_what_waits_for_a_model(tmp_path: Path) -> None:
    with (
        ThreadPoolExecutor(2) as callers,
        restarted(tmp_path, waiting("large")) as (engine, (late,), (large,), people),
    ):
        store = SlowStore(engine, late)
        first = callers.submit(engine.complete, people[0])
        assert store.asked.wait(TIMEOUT)
        closing = callers.submit(engine.close)
        until(lambda: len(engine._river.unread) == 0)
        store.open.set()
        closing.result(TIMEOUT)
        first.exception(TIMEOUT)
    with Engine(f"sqlite:///{tmp_path / 'riverstone.db'}", stones=[Nothing], dispatcher="inline") as engine:
        engine.run_pending()
        assert engine.wait(large, TIMEOUT).status == "success"
