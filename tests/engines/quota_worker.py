"""An engine that starts a process, and hangs in its calls until it is killed; run by ``test_quotas``.

Usage: ``python quota_worker.py <database url> <file of calls> [whole]``: with a quota of processes too.
 Each call is one line with the process.
"""

from __future__ import annotations

import os
import sys
import time

from riverstone.engine import Engine, Quota, Stone, TaskInfo


class Call(Stone):
    """Never ends."""

    code = "call"

    def start(self, task: TaskInfo) -> None:
        descriptor = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{task.process_instance_id}\n".encode())
        time.sleep(600)


if __name__ == "__main__":
    whole = {"shop": Quota(at_once=1)} if sys.argv[3:] == ["whole"] else {}
    engine = Engine(
        sys.argv[1], stones=[Call], dispatcher="threads", quotas={"call": Quota(at_once=2)}, process_quotas=whole
    )
    engine.start(key="shop", name="it", variables={"account": "a"})
    sys.stdin.read()
