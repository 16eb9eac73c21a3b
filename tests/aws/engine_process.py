"""An engine in a process of its own: ``python -m tests.aws.engine_process URL VARIABLES``, to be killed or stopped.

With variables, as JSON, it starts a cluster, and prints its number once somebody has approved that; with ``null`` it
goes on with what there is, and prints ``ready``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riverstone.engine import Engine

from ..leases import hasten
from .yard import FILES, quick, until

ROOT = Path(__file__).parents[2]


@contextmanager
def engine_process(url: str, variables: object = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """One that works until it is killed, here at the latest, and the number of the cluster that it has begun."""
    command = [sys.executable, "-m", "tests.aws.engine_process", url, json.dumps(variables)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            number = child.stdout.readline().strip()
            assert number, "the engine has not begun"
            yield child, number
        finally:
            child.kill()


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
    # For as long as its test is there: nobody else would end it where that was killed.
    sys.stdin.read()
