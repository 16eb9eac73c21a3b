"""A worker of Camunda 7 in Python, as its makers' README writes one: what it gets, a line of JSON each."""

from __future__ import annotations

import json
import sys

from camunda.external_task.external_task import ExternalTask, TaskResult
from camunda.external_task.external_task_worker import ExternalTaskWorker

CONFIG = {
    "maxTasks": 1,
    "lockDuration": 10000,
    "asyncResponseTimeout": 2000,
    "retries": 3,
    "retryTimeout": 50,
    "sleepSeconds": 1,
}


def handle(task: ExternalTask) -> TaskResult:
    said = {"id": task.get_task_id(), "variables": task.get_variables(), "retries": task._context.get("retries")}
    print(json.dumps(said), flush=True)
    if task.get_topic_name() == "flaky":
        return task.failure("no network", "at x", max_retries=2, retry_timeout=50)
    if task.get_topic_name() == "bounce":
        return task.bpmn_error("bounced", "no such box", {"box": "full"})
    return task.complete({"found": {"a": [1]}, "count": 3, "text": "x"}, {"own": True})


if __name__ == "__main__":
    worker = ExternalTaskWorker(worker_id="py", base_url=sys.argv[1], config=CONFIG)
    worker.subscribe(sys.argv[2].split(","), handle)
