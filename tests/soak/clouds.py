"""The cluster on AWS, gone wrong in every way: ``python -m tests.soak.clouds [KILLS]``, on moto, in some 20 minutes.

Each action that the cluster asks of the cloud has each fault once, in a run of its own. Then engines are killed at
random moments, ``KILLS`` times (20). After each, what exists is compared with what the ledger lists.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import get_args

from riverstone.engine import Engine
from riverstone.engine.testkit import CloudFault

from ..aws.engine_process import engine_process
from ..aws.yard import Yard, build, listed, moto
from ..leases import hasten


def taken_back(engine: Engine, yard: Yard, number: str, status: str) -> str:
    """What is wrong with a cluster that has ended, and with its delete."""
    if status != "success":
        return f"ended as {status}"
    if yard.inventory() != listed(engine):
        return f"differs: {sorted(yard.inventory() ^ listed(engine))}"
    engine.delete(number)
    deleted = engine.wait(number, timeout=120)
    for task in (
        engine.tasks(deleted.delete_process_instance_id or number) if deleted.status != "delete.success" else ()
    ):
        print(f"  {task.stone} {task.status}: {task.reason}", flush=True)
    left = yard.inventory() | listed(engine)
    return f"{deleted.status}, left: {sorted(left)}" if left or deleted.status != "delete.success" else ""


def matrix(yard: Yard) -> Counter[str]:
    """Each action with each fault."""
    found = Counter[str]()
    with Engine("sqlite:///:memory:", stones=yard.stones, dispatcher="threads") as engine:
        built = build(engine, yard, stage="test")
        assert not taken_back(engine, yard, built.process_instance_id, built.status)
        actions = sorted(
            {call.action for call in yard.proxy.calls if not call.action.startswith(("PUT", "DELETE", "HEAD"))}
        )
        print(f"{len(actions)} actions, {len(get_args(CloudFault))} faults", flush=True)
        for action in actions:
            for fault in get_args(CloudFault):
                yard.proxy.fail(action, fault, status=503, seconds=0.3)
                built = build(engine, yard, stage="test")
                wrong = taken_back(engine, yard, built.process_instance_id, built.status)
                found["wrong" if wrong else "well"] += 1
                if wrong:
                    print(f"{action} {fault}: {wrong}; {built.reason}", flush=True)
                yard.proxy.heal()
    return found


def kills(yard: Yard, times: int) -> Counter[str]:
    """Engines that are killed while they build."""
    found, chance = Counter[str](), random.Random(1)
    while found["kills"] < times:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder, 'cluster.db')}"
            with engine_process(url, yard.variables(stage="test")) as (_, number):
                time.sleep(chance.random())
            for _ in range(3):
                with engine_process(url):
                    time.sleep(chance.random())
            found["kills"] += 4
            with Engine(url, stones=yard.stones, dispatcher="threads") as engine:
                built = engine.wait(number, timeout=120)
                wrong = taken_back(engine, yard, number, built.status)
                found["wrong" if wrong else "well"] += 1
                if wrong:
                    print(f"killed: {wrong}; {built.reason}", flush=True)
    return found


if __name__ == "__main__":
    hasten()
    with moto() as url:
        yard = Yard(url)
        yard.inventory()  # what moto has to read first would be too slow for the stones
        print("matrix", dict(matrix(yard)), flush=True)
        print("kills", dict(kills(yard, int(sys.argv[1]) if len(sys.argv) > 1 else 20)), flush=True)
        yard.close()
