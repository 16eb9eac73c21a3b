"""The samples, torn from their engine at every step, make the same things in the same order."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from riverstone import bpmn_samples
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Conflict, Engine, VirtualClock

from .elements import BEGIN, MOST_STEPS, OneAtATime

SIZES = {"master-1a": {"instanceType": "m2.large"}, "slave-": {"instanceType": "m2.small"}}
SAMPLES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "app_server": ({"regionId": "bcc"}, ()),
    "call_activity": ({"dataDisk": 50}, ("attach_volume",)),
    "error_boundary": ({}, ()),
    "cluster": ({"slaveNum": "3", "Bingo::RS::FRONT::RSBILLING": {}, **SIZES}, ()),
    "inclusive": ({"wantVolume": True, "wantPort": True}, ()),
    "loop": ({"wantedSize": 60}, ()),
    "message": ({}, ()),
    "signal": ({}, ()),
    "timer": ({}, ()),
    "user_task": ({}, ()),
}


def told(url: str, sample: str, *, restarts: bool) -> dict[str, Any]:
    """What became of a sample that is given whatever it waits for."""
    variables, more = SAMPLES[sample]
    cloud, clock = Cloud(), VirtualClock(BEGIN)

    def opened() -> tuple[Engine, OneAtATime]:
        hands = OneAtATime()
        hands.allowed = 1 if restarts else MOST_STEPS
        return Engine(url, stones=stones(cloud, pace=0), clock=clock, dispatcher=hands), hands

    engine, _ = opened()
    sources = [bpmn_samples.path(name) for name in (sample, *more)]
    deployment = engine.deploy(sources[0], *sources[1:])
    number = engine.start(deployment_id=deployment.deployment_id, name=sample, variables=variables).process_instance_id
    for _ in range(200):
        if restarts:
            engine.close()
            engine, _ = opened()
        if not engine.run_pending():
            if engine.get(number).status != "running":
                break
            nudge(engine, number)
            clock.advance(600)
    tasks = engine.tasks(number)
    named = {task.task_id: task.namespace for task in tasks}
    followed = Counter((task.namespace, task.status, *sorted(named[each] for each in task.after)) for task in tasks)
    status = engine.get(number).status
    engine.close()
    return {"status": status, "followed": followed}


def nudge(engine: Engine, number: str) -> None:
    """Do what a person or another system would do now."""
    for task in engine.tasks(number):
        if task.stone is None and task.end_time is None:
            engine.complete(task.task_id, {"approved": True})
    with contextlib.suppress(Conflict):
        engine.message("payment-received", {"paid": 100})


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_goes_the_same_way_with_and_without_restarts(sample: str, tmp_path: Path) -> None:
    wanted = told("sqlite:///:memory:", sample, restarts=False)
    assert told(f"sqlite:///{tmp_path}/sample.db", sample, restarts=True) == wanted
    assert wanted["status"] == "success"
