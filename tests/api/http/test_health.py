"""What orchestrators and Prometheus ask of a server, and who may ask."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from riverstone.api import create_app
from riverstone.engine import Engine
from riverstone.engine.river import loop as river_loop

from ...faults.proxy import Proxy
from ...models.stores import fresh
from .. import processes
from ..asking import Client

REMOTE = {"REMOTE_ADDR": "192.0.2.7"}


def test_health_answers_everybody_and_nothing_else_does(client: Client, engine: Engine) -> None:
    for rule in (False, True):
        if rule:
            engine.keys.add("somebody", scopes=["read"])
        for path, status in (("/health/live", "live"), ("/health/ready", "ready")):
            headers = {"Host": "pod-7", "X-Forwarded-For": "10.0.0.1"}
            answer = client.get(path, environ_overrides=REMOTE, headers=headers)
            assert (answer.status_code, answer.json) == (200, {"status": status})
        for path in ("/metrics", "/process", "/openapi.json", "/health"):
            assert client.get(path, environ_overrides=REMOTE).status_code in (401, 403)


def test_a_closed_engine_is_alive_but_not_ready(engine: Engine, client: Client) -> None:
    engine.close()
    answer = client.get("/health/ready")

    assert client.get("/health/live").status_code == 200
    assert answer.status_code == 503
    assert answer.json["code"] == "not-ready"
    assert answer.json["detail"] == "Not ready: the engine is closed."


def test_metrics_are_for_those_who_see_everybodys_processes(engine: Engine, client: Client, key: str) -> None:
    assert client.get("/metrics").status_code == 200
    _, one = engine.keys.add("one", scopes=["read", "run"])
    _, every = engine.keys.add("prometheus", scopes=["read"], every_owner=True)

    body = {"key": key, "processName": "x", "variables": {}}
    started = client.post("/process", json=body, headers={"Authorization": f"Bearer {one}"})
    assert started.status_code == 200
    refused = client.get("/metrics", headers={"Authorization": f"Bearer {one}"})
    assert (refused.status_code, refused.json["code"]) == (403, "owner-limited")
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {every}"})

    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"riverstone_events", "riverstone_processes", "riverstone_store_up"} <= families
    assert 'riverstone_events_total{event="start",outcome="done",stone="make"} 1.0' in answer.text


def test_a_server_whose_database_goes_away_is_not_ready_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(river_loop, "BEHIND", 2.5)
    with fresh("postgresql", tmp_path) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        with (
            Proxy("postgresql", parts.hostname, parts.port) as proxy,
            Engine(url.replace(f":{parts.port}/", f":{proxy.port}/"), dispatcher="threads") as engine,
        ):
            asking = Client(create_app(engine))
            assert asking.get("/health/ready").status_code == 200
            proxy.open = False
            proxy.cut_all()
            deadline = time.monotonic() + 60
            while (answer := asking.get("/health/ready")).status_code == 200 and time.monotonic() < deadline:
                time.sleep(0.2)
            assert answer.json["detail"].startswith("Not ready: the ")
            proxy.open = True
            while asking.get("/health/ready").status_code != 200 and time.monotonic() < deadline:
                time.sleep(0.2)
            assert asking.get("/health/ready").status_code == 200


def test_a_server_writes_its_log_as_json(tmp_path: Path) -> None:
    (tmp_path / "first.bpmn").write_bytes(processes.asking())
    run = [sys.executable, "-c", "from riverstone.api.cli import main; main()"]
    options = ["serve", "--port", "0", "--log", "json", "--log-level", "debug"]
    subprocess.run([*run, "deploy", "first.bpmn"], check=True, cwd=tmp_path, capture_output=True)
    with subprocess.Popen(
        [*run, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().removeprefix("Listening on ").strip()
            body = '{"key": "asking", "processName": "x", "variables": {}}'
            headers = {"X-Request-Id": "r-1", "Content-Type": "application/json"}
            started = requests.post(f"{url}/process", data=body, headers=headers, timeout=20).json()
            server.send_signal(signal.SIGTERM)
            _, log = server.communicate(timeout=60)
        finally:
            server.kill()

    lines = [json.loads(line) for line in log.splitlines()]
    (begun,) = [line for line in lines if line["logger"] == "riverstone.process"]
    assert begun["process_instance_id"] == started["processInstanceId"]
    assert begun["level"] == "info"
    (asked,) = [line for line in lines if line["logger"] == "riverstone.api"]
    assert (asked["message"], asked["request_id"], asked["client"]) == ("POST '/process': 200", "r-1", "local")


def test_without_what_counts_there_are_no_metrics_and_all_else_works(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["prometheus_client"] = sys.modules["opentelemetry"] = None
import importlib.util
from riverstone.engine import Engine
from riverstone.api import create_app
with Engine("sqlite:///:memory:") as engine:
    client = create_app(engine).test_client()
    print(client.get("/metrics").status_code, client.get("/health/ready").status_code)
    print(client.get("/metrics").json["message"])
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    codes, text = found.stdout.splitlines()
    assert codes.split() == ["404", "200"], found.stderr
    assert "pip install 'riverstone[metrics]'" in text
