"""A cluster in the cloud is there as a whole or not at all, and what exists is what the ledger lists."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from riverstone.engine import Engine
from riverstone.engine.testkit import CloudCall, CloudFault

from .engine_process import engine_process
from .yard import ERROR, Yard, begin, build, listed

PARTS = 17
"""Network, gateway, group, key, bucket, address, two subnets; three servers with a disk that is attached."""
CHANGES = ("Create", "Run", "Attach", "Allocate", "Associate", "Authorize", "Import", "Delete", "Terminate", "Detach")


def first_of_each(*, changes: bool = False) -> Callable[[CloudCall], bool]:
    """The first call of each action, or of those alone that change something."""
    seen = set[str]()

    def is_first(call: CloudCall) -> bool:
        if call.action in seen or (changes and not call.action.startswith(CHANGES)):
            return False
        seen.add(call.action)
        return True

    return is_first


def came_to(yard: Yard, action: str, times: int = 1) -> None:
    """Wait until so many calls of an action have come."""
    end = time.monotonic() + 60
    while sum(call.action == action for call in yard.proxy.calls) < times:
        assert time.monotonic() < end, f"nobody has asked for {action}"
        time.sleep(0.01)


def gone_after_check(engine: Engine, number: str) -> set[str]:
    """The tasks whose things are not there, once somebody has looked at all of them."""
    engine.check(number)
    end = time.monotonic() + 60
    while any(each.checked is None for each in engine.resources(process_instance_id=number).items):
        assert time.monotonic() < end, "nobody has looked"
        time.sleep(0.02)
    return {each.task_id for each in engine.resources(process_instance_id=number, state="gone").items}


def test_a_cluster_is_built_watched_and_taken_back(yard: Yard, engine: Engine) -> None:
    built = build(engine, yard)

    assert built.status == "success", built.reason
    assert yard.inventory() == listed(engine)
    assert len(listed(engine)) == PARTS
    server = next(each for each in engine.resources(stone="AWS::Instance").items)
    yard.direct["ec2"].terminate_instances(InstanceIds=[server.outputs["id"]])
    assert server.task_id in gone_after_check(engine, built.process_instance_id)

    engine.delete(built.process_instance_id)
    assert engine.wait(built.process_instance_id, timeout=60).status == "delete.success"
    assert yard.inventory() == listed(engine) == set()


def test_a_server_goes_to_the_other_zone_where_one_is_full(yard: Yard, engine: Engine) -> None:
    full = ERROR % b"InsufficientInstanceCapacity"
    yard.proxy.fail("RunInstances", "refuse", status=500, body=full)
    built = build(engine, yard)

    assert built.status == "success", built.reason
    servers = engine.resources(stone="AWS::Instance").items
    assert sorted(each.outputs.get("zone", "none")[-1] for each in servers) == ["a", "a", "b", "e"]
    # Of a start that ended with an error the ledger cannot know whether it made anything, so somebody has to look.
    gone_after_check(engine, built.process_instance_id)
    assert yard.inventory() == listed(engine)
    engine.delete(built.process_instance_id)
    assert engine.wait(built.process_instance_id, timeout=60).status == "delete.success"
    assert yard.inventory() == set()


def test_a_cluster_that_cannot_be_completed_leaves_nothing(yard: Yard, engine: Engine) -> None:
    yard.proxy.fail("CreateVolume", "refuse", times=None, after=1, status=403, body=ERROR % b"UnauthorizedOperation")
    built = build(engine, yard)

    assert built.status == "rollback.success"
    assert "UnauthorizedOperation" in (built.reason or "")
    assert yard.inventory() == listed(engine) == set()


@pytest.mark.parametrize("fault", get_args(CloudFault))
def test_a_cluster_is_built_and_taken_back_though_each_action_goes_wrong_once(
    yard: Yard, engine: Engine, fault: CloudFault
) -> None:
    """The first call of every action; where answers hang, of those that change something."""
    hangs = fault.startswith("hang")
    yard.proxy.fail(first_of_each(changes=hangs), fault, times=None, status=503, seconds=0.3)
    built = build(engine, yard, stage="test")
    assert built.status == "success", built.reason
    assert yard.inventory() == listed(engine)
    assert len(listed(engine)) == PARTS - 6

    engine.delete(built.process_instance_id)
    deleted = engine.wait(built.process_instance_id, timeout=90)
    assert deleted.status == "delete.success", deleted.reason
    assert yard.inventory() == listed(engine) == set()


def test_a_cancel_while_servers_are_slow_to_start_leaves_nothing(yard: Yard, engine: Engine) -> None:
    yard.proxy.fail("RunInstances", "slow", times=None, seconds=0.8)
    number = begin(engine, yard)
    came_to(yard, "RunInstances", 3)
    engine.cancel(number, force=True)

    assert engine.wait(number, timeout=60).status == "cancel.success"
    # What a start has made after its undo is listed, and undone by itself.
    end = time.monotonic() + 60
    while made := yard.inventory() | listed(engine):
        assert time.monotonic() < end, made
        time.sleep(0.02)


def test_an_engine_that_is_killed_again_and_again_makes_nothing_twice(yard: Yard, leases: None, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cluster.db"
    with engine_process(url, yard.variables()) as (_, number):
        came_to(yard, "CreateSubnet")
    with engine_process(url):
        came_to(yard, "RunInstances", 2)
    with Engine(url, stones=yard.stones, dispatcher="threads") as engine:
        built = engine.wait(number, timeout=60)
        assert built.status == "success", built.reason
        assert yard.inventory() == listed(engine)
        assert len(listed(engine)) == PARTS
        engine.delete(number)
        assert engine.wait(number, timeout=60).status == "delete.success"
        assert yard.inventory() == set()


def test_an_engine_that_wakes_after_its_lease_leaves_no_second_network(
    yard: Yard, leases: None, tmp_path: Path
) -> None:
    """It is stopped while the cloud makes the network, and goes on when another has long made one."""
    url = f"sqlite:///{tmp_path}/cluster.db"
    yard.proxy.fail("CreateVpc", "slow", seconds=0.5)
    with engine_process(url, yard.variables()) as (child, number):
        came_to(yard, "CreateVpc")
        child.send_signal(signal.SIGSTOP)
        with Engine(url, stones=yard.stones, dispatcher="threads") as engine:
            built = engine.wait(number, timeout=60)
            child.send_signal(signal.SIGCONT)
            assert built.status == "success", built.reason
            assert yard.inventory() == listed(engine)
            engine.delete(number)
            assert engine.wait(number, timeout=60).status == "delete.success"
            assert yard.inventory() == listed(engine) == set()
