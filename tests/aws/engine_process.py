"""An engine in a process of its own: ``python -m tests.aws.engine_process URL LEASE [begin]``, to be killed or stopped.

With ``begin`` it starts a cluster, and prints its number once somebody has approved that.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from riverstone.engine import Engine
from riverstone.engine.river import dead_engines, lease

from .yard import FILES, quick, until

ROOT = Path(__file__).parents[2]
LEASE = 2.0


def hasten(seconds: float = LEASE) -> None:
    """Make leases short enough for a test."""
    dead_engines.LEASE, dead_engines.WITNESSED, lease.HEARTBEAT = seconds, seconds / 2, seconds / 5


def engine_process(url: str, variables: object = None) -> tuple[subprocess.Popen[str], str]:
    """One that works, and the number of the cluster that it has begun."""
    command = [sys.executable, "-m", "tests.aws.engine_process", url, json.dumps(variables)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as told:
        return child, told.readline().strip()


if __name__ == "__main__":
    from riverstone.bpmn_samples import aws

    hasten()
    engine = Engine(sys.argv[1], stones=quick(aws.stones), dispatcher="threads")
    given, number = json.loads(sys.argv[2]), "ready"
    if given:
        engine.deploy(*FILES)
        number = engine.start(key="aws-cluster", name="cluster", variables=given).process_instance_id
        engine.complete(until(engine, number, "approve"), {"approved": True})
    print(number, flush=True)
    while True:
        time.sleep(60)
