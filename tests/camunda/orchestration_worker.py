"""A worker of Camunda 8 in Python, as its makers' README writes one: what it gets, a line of JSON each."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from camunda_orchestration_sdk import CamundaAsyncClient, WorkerConfig
from camunda_orchestration_sdk.runtime.job_worker import JobError, JobFailure


async def handle(job: Any) -> dict[str, object]:
    print(json.dumps({"job": str(job.job_key), "variables": job.variables.to_dict()}), flush=True)
    given = job.variables.to_dict()
    if given.get("fail"):
        raise RuntimeError("no network")
    if given.get("retries"):
        raise JobFailure("not yet", retries=given["retries"] - 1, retry_back_off=50)
    if given.get("throw"):
        raise JobError("bounced", "no such box", {"box": "full"})
    if given.get("slow"):
        await asyncio.sleep(given["slow"])
    return {"done": True}


async def main(address: str, job_type: str, lease: str = "") -> None:
    configuration: Any = {"CAMUNDA_REST_ADDRESS": address, "CAMUNDA_AUTH_STRATEGY": "NONE"}
    async with CamundaAsyncClient(configuration=configuration) as client:
        config = WorkerConfig(job_type=job_type, job_timeout_milliseconds=20_000, with_lease=bool(lease))
        client.create_job_worker(config=config, callback=handle)
        print(json.dumps({"ready": True}), flush=True)
        running: Any = client.run_workers
        await running()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
