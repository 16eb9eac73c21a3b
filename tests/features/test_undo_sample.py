"""The seed's own story: an application server is made, fails, is cancelled, is deleted; the cloud is empty after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from riverstone import bpmn_samples
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine, ProcessInstance, VirtualClock

from .world import run, statuses, undone

ALL = ["SecurityGroup", "javaAppServer", "mysql_backend", "mysql_data", "FirewallPort", "GetFile", "installMysql"]


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def engine(sqlite: str, cloud: Cloud, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(sqlite, stones=stones(cloud, pace=5.0), clock=clock) as engine:
        engine.deploy(bpmn_samples.path("app_server"))
        yield engine


def after(engine: Engine, undo_id: str) -> dict[str, set[str]]:
    """Which tasks each task of an undo came after."""
    tasks = {task.task_id: task for task in engine.tasks(undo_id)}
    return {task.namespace: {tasks[before].namespace for before in task.after} for task in tasks.values()}


def test_a_server_that_cannot_be_installed_is_rolled_back_and_the_cloud_is_empty(engine: Engine, cloud: Cloud) -> None:
    cloud.break_down("commands")
    ended: ProcessInstance = run(engine, "app-server", {"regionId": "bcc"})
    assert ended.status == "rollback.success"
    assert "installMysql" in (ended.reason or "")
    assert cloud.is_empty()
    assert undone(engine.tasks(ended.process_instance_id)) == dict.fromkeys(ALL, "undone")

    rollback = str(ended.rollback_process_instance_id)
    assert statuses(engine.tasks(rollback)) == dict.fromkeys(ALL, "rollback.success")
    order = after(engine, rollback)
    assert order["mysql_backend"] == order["mysql_data"] == {"FirewallPort"}
    assert order["javaAppServer"] == {"mysql_backend", "mysql_data"}, "the server only after both volumes"
    assert order["SecurityGroup"] == {"javaAppServer"}


def test_a_server_that_is_cancelled_while_it_boots_is_taken_back(
    engine: Engine, cloud: Cloud, clock: VirtualClock
) -> None:
    started = engine.start(key="app-server", name="test", variables={}).process_instance_id
    clock.advance(5)
    engine.run_pending()
    clock.advance(5)
    engine.run_pending()
    (server,) = [task for task in engine.tasks(started) if task.namespace == "javaAppServer"]
    assert (server.status, cloud.list("servers") != []) == ("monitor.begin", True)
    assert 0 < server.progress < 100

    engine.cancel(started)
    ended = engine.wait(started, 60)
    assert ended.status == "cancel.success"
    assert cloud.is_empty()
    assert statuses(engine.tasks(str(ended.cancel_process_instance_id))) == {
        "SecurityGroup": "cancel.success",
        "javaAppServer": "cancel.success",
    }
    clock.advance(600)
    engine.run_pending()
    assert [task.namespace for task in engine.tasks(started)] == ["SecurityGroup", "javaAppServer"]


def test_a_server_that_was_made_is_deleted(engine: Engine, cloud: Cloud) -> None:
    ended = run(engine, "app-server", {})
    assert (ended.status, cloud.is_empty()) == ("success", False)
    engine.delete(ended.process_instance_id)
    deleted = engine.wait(ended.process_instance_id, 60)
    assert deleted.status == "delete.success"
    assert cloud.is_empty()
    assert deleted.end_time == ended.end_time


def test_a_server_whose_start_answer_was_lost_is_found_by_the_key_of_its_start(
    engine: Engine, cloud: Cloud, clock: VirtualClock
) -> None:
    (volume,) = engine.stones["SIP::EC2::Volume"]

    class Forgetful(volume):  # type: ignore[valid-type, misc]
        """Makes the volume, but its answer is lost."""

        def start(self, task: object) -> None:
            self.cloud.create(self.kind, task.idempotency_key, **self.wishes(task))  # type: ignore[attr-defined]
            raise ConnectionError("no answer")

    engine.register(Forgetful)
    ended = run(engine, "app-server", {})
    assert ended.status == "rollback.success"
    assert cloud.is_empty()
