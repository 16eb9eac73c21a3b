"""The cluster on AWS, gone wrong in every way, on moto.

``python -m tests.soak.clouds matrix [ACTION...]``: each action that the cluster asks of the cloud, or each of those
that are named, has each fault once, in a run of its own; some 20 minutes for all. ``python -m tests.soak.clouds kills
[TIMES]``: engines are killed at random moments, so many times (20). Both one after the other where neither is named.
After each, what exists is compared with what the ledger lists. ``AWS_PATIENCE`` is how many seconds a call may take.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from riverstone.engine import Engine
from riverstone.engine.testkit import CloudFault

from ..aws import yard as yards
from ..aws.engine_process import engine_process
from ..aws.yard import Yard, build, listed, moto
from ..leases import hasten

LONGEST = 300.0
"""Seconds for a cluster, or its delete, on a machine that is busy with other things."""


def taken_back(engine: Engine, yard: Yard, number: str, status: str) -> str:
    """What is wrong with a cluster that has ended, and with its delete, which may be asked for twice."""
    if status != "success":
        return f"ended as {status}: {engine.get(number).reason}"
    if yard.inventory() != listed(engine):
        return f"differs: {sorted(yard.inventory() ^ listed(engine))}"
    engine.delete(number)
    deleted = engine.wait(number, timeout=LONGEST)
    if deleted.status == "delete.failed":
        for task in engine.tasks(str(deleted.delete_process_instance_id)):
            if task.status == "delete.failed":
                print(f"  asked for twice: {task.stone} {task.reason}", flush=True)
        engine.retry_undo(number)
        deleted = engine.wait(number, timeout=LONGEST)
    left = yard.inventory() | listed(engine)
    return f"{deleted.status}, left: {sorted(left)}" if left or deleted.status != "delete.success" else ""


def emptied(yard: Yard) -> None:
    """Begin with a cloud in which nothing is, nor ever was: moto remembers all that it has made."""
    reset = urllib.request.Request(f"{yard.cloud}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=LONGEST).close()
    yard.proxy.calls.clear()
    # What moto has to read first would be too slow for the stones.
    yard.inventory()


def actions_of(yard: Yard) -> list[str]:
    """What a cluster asks of the cloud, by one that is built and deleted undisturbed."""
    with Engine("sqlite:///:memory:", stones=yard.stones, dispatcher="threads") as engine:
        built = build(engine, yard, stage="test")
        wrong = taken_back(engine, yard, built.process_instance_id, built.status)
        assert not wrong, wrong
        return sorted(
            {call.action for call in yard.proxy.calls if not call.action.startswith(("PUT", "DELETE", "HEAD"))}
        )


def matrix(yard: Yard, asked: Sequence[str]) -> Counter[str]:
    """Each action with each fault."""
    found = Counter[str]()
    actions = [each for each in actions_of(yard) if not asked or each in asked]
    print(f"{len(actions)} actions, {len(get_args(CloudFault))} faults", flush=True)
    for action in actions:
        for fault in get_args(CloudFault):
            emptied(yard)
            yard.proxy.fail(action, fault, status=503, seconds=0.3)
            with Engine("sqlite:///:memory:", stones=yard.stones, dispatcher="threads") as engine:
                built = build(engine, yard, stage="test")
                wrong = taken_back(engine, yard, built.process_instance_id, built.status)
            found["wrong" if wrong else "well"] += 1
            if wrong:
                print(f"{action} {fault}: {wrong}", flush=True)
            yard.proxy.heal()
        print(f"{action}: {dict(found)}", flush=True)
    return found


def kills(yard: Yard, times: int) -> Counter[str]:
    """Engines that are killed while they build."""
    found, chance = Counter[str](), random.Random()
    while found["kills"] < times:
        emptied(yard)
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder, 'cluster.db')}"
            with engine_process(url, yard.variables(stage="test")) as (_, number):
                time.sleep(chance.random())
            for _ in range(3):
                with engine_process(url):
                    time.sleep(chance.random())
            found["kills"] += 4
            with Engine(url, stones=yard.stones, dispatcher="threads") as engine:
                built = engine.wait(number, timeout=LONGEST)
                wrong = taken_back(engine, yard, number, built.status)
                found["wrong" if wrong else "well"] += 1
                if wrong:
                    print(f"killed: {wrong}", flush=True)
        print(dict(found), flush=True)
    return found


if __name__ == "__main__":
    hasten()
    yards.PATIENCE = float(os.environ.get("AWS_PATIENCE", "3"))
    what, *rest = sys.argv[1:] or ["all"]
    with moto() as url:
        yard = Yard(url)
        emptied(yard)
        if what in ("all", "matrix"):
            print("matrix", dict(matrix(yard, rest)), flush=True)
        if what in ("all", "kills"):
            print("kills", dict(kills(yard, int(rest[0]) if rest else 20)), flush=True)
        yard.close()
