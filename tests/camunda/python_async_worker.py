"""The same worker of Camunda 7 as coroutines: what it gets, a line of JSON each."""

from __future__ import annotations

import asyncio
import json
import sys

from camunda.external_task.async_external_task_worker import AsyncExternalTaskWorker
from camunda.external_task.external_task import ExternalTask, TaskResult

CONFIG = {"maxTasks": 2, "lockDuration": 10000, "asyncResponseTimeout": 2000, "retries": 3, "retryTimeout": 50}


async def handle(task: ExternalTask) -> TaskResult:
    print(json.dumps({"id": task.get_task_id(), "retries": task._context.get("retries")}), flush=True)
    if task.get_topic_name() == "flaky":
        raise RuntimeError("no network")
    return task.complete({"count": 3}, {"own": True})


if __name__ == "__main__":
    worker = AsyncExternalTaskWorker(worker_id="py", base_url=sys.argv[1], config=CONFIG)
    asyncio.run(worker.subscribe(dict.fromkeys(sys.argv[2].split(","), handle)))
