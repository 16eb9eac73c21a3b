"""Every sample runs as its documentation says, and what it made can be deleted again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from riverstone import bpmn_samples
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine, ProcessInstance, VirtualClock


class House:
    """A customer with an engine, a made-up cloud, and the samples."""

    def __init__(self, engine: Engine, cloud: Cloud) -> None:
        self.engine = engine
        self.cloud = cloud

    def start(self, sample: str, variables: Mapping[str, Any], *more: str, business_key: str | None = None) -> str:
        sources = [bpmn_samples.path(name) for name in (sample, *more)]
        deployment = self.engine.deploy(sources[0], *sources[1:])
        instance = self.engine.start(
            deployment_id=deployment.deployment_id, name=sample, variables=variables, business_key=business_key
        )
        return instance.process_instance_id

    def ended(self, process_instance_id: str) -> ProcessInstance:
        instance = self.engine.wait(process_instance_id, timeout=600)
        assert instance.status == "success", instance.reason
        return instance

    def path(self, process_instance_id: str) -> list[str]:
        return [task.namespace for task in self.engine.tasks(process_instance_id)]

    def open_task(self, process_instance_id: str) -> str:
        (task,) = [t for t in self.engine.tasks(process_instance_id) if t.status == "running"]
        return task.task_id


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    cloud = Cloud()
    with Engine(f"sqlite:///{tmp_path}/samples.db", stones=stones(cloud, pace=0), clock=VirtualClock()) as engine:
        yield House(engine, cloud)


def test_the_application_server_is_built_in_order_and_deleted_whole(house: House) -> None:
    number = house.start("app_server", {"regionId": "bcc"})
    house.ended(number)
    path = house.path(number)
    assert path[:2] == ["SecurityGroup", "javaAppServer"]
    assert set(path[2:4]) == {"mysql_backend", "mysql_data"}
    assert path[4:] == ["FirewallPort", "GetFile", "installMysql", "installTomcat"]
    house.engine.delete(number)
    assert house.engine.wait(number, timeout=600).status == "delete.success"
    assert house.cloud.is_empty()


def test_the_cluster_has_a_master_as_many_slaves_as_asked_and_one_bill(house: House) -> None:
    wanted = {"master-1a": "m2.large", "slave-": "m2.small", "slave-2": "m2.xl"}
    sizes = {namespace: {"instanceType": size} for namespace, size in wanted.items()}
    number = house.start("cluster", {"slaveNum": "3", "Bingo::RS::FRONT::RSBILLING": {}, **sizes})
    house.ended(number)
    path = house.path(number)
    assert path[0] == "master-1a"
    assert sorted(path[1:4]) == ["slave-1", "slave-2", "slave-3"]
    assert path[4:] == ["billing"]
    types = {task.namespace: task.parameters.get("instanceType") for task in house.engine.tasks(number)}
    assert (types["master-1a"], types["slave-1"], types["slave-2"]) == ("m2.large", "m2.small", "m2.xl")


def test_the_loop_adds_volumes_until_there_is_room_enough(house: House) -> None:
    number = house.start("loop", {"wantedSize": 60})
    house.ended(number)
    assert 2 <= house.path(number).count("addVolume") <= 5


def test_the_timer_pauses_and_reminds_when_nobody_confirms(house: House) -> None:
    number = house.start("timer", {})
    house.ended(number)
    assert house.path(number)[-1] == "remind"


def test_a_confirmation_in_time_needs_no_reminder(house: House) -> None:
    number = house.start("timer", {})
    clock = house.engine.clock
    assert isinstance(clock, VirtualClock)
    for _ in range(60):
        house.engine.run_pending()
        if any(task.status == "running" for task in house.engine.tasks(number)):
            break
        clock.advance(1)
    house.engine.complete(house.open_task(number))
    house.ended(number)
    assert "remind" not in house.path(number)


def test_the_message_finds_its_process_by_the_business_key(house: House) -> None:
    first = house.start("message", {}, business_key="order-1")
    second = house.start("message", {}, business_key="order-2")
    clock = house.engine.clock
    assert isinstance(clock, VirtualClock)
    for _ in range(30):
        house.engine.run_pending()
        clock.advance(1)
    house.engine.message("payment-received", {"paid": 100}, business_key="order-2")
    house.ended(second)
    assert house.engine.get(first).status == "running"


def test_a_signal_of_one_branch_wakes_the_other(house: House) -> None:
    number = house.start("signal", {})
    house.ended(number)
    assert house.path(number) == ["server", "tell"]


@pytest.mark.parametrize(("approved", "last"), [(True, "bill"), (False, "approve")])
def test_a_person_decides_whether_it_is_billed(house: House, approved: bool, last: str) -> None:
    number = house.start("user_task", {})
    clock = house.engine.clock
    assert isinstance(clock, VirtualClock)
    for _ in range(30):
        house.engine.run_pending()
        clock.advance(1)
    house.engine.complete(house.open_task(number), {"approved": approved})
    house.ended(number)
    assert house.path(number)[-1] == last


def test_a_called_process_attaches_the_volume(house: House) -> None:
    number = house.start("call_activity", {"dataDisk": 50}, "attach_volume")
    instance = house.ended(number)
    assert len(house.path(number)) >= 2
    assert "attach" in instance.native_output_values
    house.engine.delete(number)
    assert house.engine.wait(number, timeout=600).status == "delete.success"
    assert house.cloud.is_empty()


def test_a_full_disk_is_met_with_another_volume(house: House) -> None:
    number = house.start("error_boundary", {})
    house.ended(number)
    path = house.path(number)
    assert path[0] == "server"


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        ({"wantVolume": True, "wantPort": True}, {"addVolume", "openPort"}),
        ({"wantVolume": True, "wantPort": False}, {"addVolume"}),
        ({"wantVolume": False, "wantPort": False}, {"plain"}),
    ],
)
def test_only_what_was_ordered_is_added(house: House, wanted: dict[str, bool], made: set[str]) -> None:
    number = house.start("inclusive", wanted)
    house.ended(number)
    assert made <= set(house.path(number))
    assert not ({"addVolume", "openPort", "plain"} - made) & set(house.path(number))


def test_no_sample_is_forgotten_here() -> None:
    told = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in bpmn_samples.names() if f'"{name}"' not in told] == []
