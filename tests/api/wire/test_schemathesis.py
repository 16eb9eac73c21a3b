"""The served application keeps what its OpenAPI description promises, whatever is sent to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests

from riverstone.engine import Engine

from .. import processes

SETTINGS = Path(__file__).with_name("schemathesis.toml")


def test_no_request_breaks_the_promises_of_the_description(address: str, engine: Engine, tmp_path: Path) -> None:
    for source in (processes.making(), processes.asking(), processes.listening()):
        headers = {"Content-Type": "application/xml"}
        model = requests.post(f"{address}/model", data=source, headers=headers, timeout=60).json()
        requests.post(f"{address}/model/{model['modelId']}/deployment", timeout=60)
        body = {"key": model["key"], "processName": "test", "variables": {}}
        assert requests.post(f"{address}/process", json=body, timeout=60).status_code == 200

    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS), "run"]
    options = ["--checks", "all", "--max-examples", "8", "--seed", "1", "--generation-database", "none", "--no-color"]
    run = subprocess.run(
        [*command, f"{address}/openapi.json", *options], capture_output=True, text=True, timeout=600, cwd=tmp_path
    )

    assert run.returncode == 0, run.stdout[-8000:]
    paths = requests.get(f"{address}/openapi.json", timeout=60).json()["paths"]
    count = sum(method in ("get", "post", "put", "delete") for operations in paths.values() for method in operations)
    assert f"{count} selected / {count} total" in run.stdout
