"""The documented example of a start, field for field, on the sample that it describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from riverstone.api import create_app
from riverstone.bpmn_samples import path
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine

from ..asking import Client

START = """{
    "processName": "test",
    "variables": {
        "projectId": "11111",
        "regionId": "bcc",
        "vpcId": "vpc-509A87BA",
        "storageId": "storage-320AA6D8",
        "imageId": "ami-2F051345",
        "securityGroupName": "default",
        "expireTime": "-1",
        "keypairName": "tt6666",
        "disableApiTermination": "false",
        "slaveNum": "6",
        "buyNum": "1",
        "Bingo::RS::FRONT::RSBILLING": {},
        "master-1a": {
            "instanceType": "m2.large"
        },
        "slave-": {
            "instanceType": "m2.large"
        },
        "SipRS::Mock": true,
        "subnetId": "subnet-439A34CC"
    }
}"""
CONTENT = (
    r"{\"projectId\":\"11111\",\"regionId\":\"bcc\",\"vpcId\":\"vpc-509A87BA\",\"storageId\":\"storage-320AA6D8\","
    r"\"imageId\":\"ami-2F051345\",\"securityGroupName\":\"default\",\"expireTime\":\"-1\",\"keypairName\":\"tt6666\","
    r"\"disableApiTermination\":\"false\",\"slaveNum\":\"6\",\"buyNum\":\"1\",\"Bingo::RS::FRONT::RSBILLING\":{},"
    r"\"master-1a\":{\"instanceType\":\"m2.large\"},\"slave-\":{\"instanceType\":\"m2.large\"},\"SipRS::Mock\":true,"
    r"\"subnetId\":\"subnet-439A34CC\"}"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on threads, as a server has: the answer to a start does not wait for the tasks."""
    with Engine(f"sqlite:///{tmp_path / 'store.db'}", stones=stones(Cloud()), dispatcher="threads") as engine:
        yield engine


def example(name: str, value: str) -> bytes:
    """The documented body as it is written, with one of its three ids."""
    return START.replace("{", f'{{\n    "{name}": "{value}",', 1).encode()


def test_the_example_by_model_answers_with_the_documented_record(engine: Engine) -> None:
    client = Client(create_app(engine))
    model_id = client.post("/model", data=path("cluster").read_bytes(), content_type="application/xml").json["modelId"]

    response = client.post("/process", data=example("modelId", model_id), content_type="application/json")

    assert response.status_code == 200
    assert f'"processContent": "{CONTENT}"' in response.text
    record = response.json
    assert list(record.items()) == list(
        {
            "id": record["id"],
            "processInstanceId": record["processInstanceId"],
            "modelId": model_id,
            "modelKey": None,
            "processName": "test",
            "processType": None,
            "processStatus": "debug",
            "processContent": json.loads(f'"{CONTENT}"'),
            "startTime": record["startTime"],
            "endTime": None,
            "activitiFileId": None,
            "outputs": None,
            "nativeOutputs": "",
            "rollbackProcessInstanceId": None,
            "cancelProcessInstanceId": None,
            "deleteProcessInstanceId": None,
        }.items()
    )


def test_the_example_by_key_runs_to_success_as_a_mock(engine: Engine) -> None:
    client = Client(create_app(engine))
    engine.deploy(path("cluster"))

    started = client.post("/process", data=example("key", "cluster"), content_type="application/json").json
    engine.wait(started["processInstanceId"], timeout=60)

    ended: dict[str, Any] = client.get(f"/process/{started['processInstanceId']}").json
    assert started["modelKey"] == "cluster"
    assert ended["processStatus"] == "success"
    tasks = client.get(f"/task?processInstanceId={started['processInstanceId']}").json
    assert sum(task["namespace"].startswith("slave-") for task in tasks) == 6
    assert {task["status"] for task in tasks} == {"mock.success"}


def test_the_example_goes_over_real_http(address: str, engine: Engine) -> None:
    engine.deploy(path("cluster"))
    headers = {"Content-Type": "application/json"}

    response = requests.post(f"{address}/process", data=example("key", "cluster"), headers=headers, timeout=60)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert f'"processContent": "{CONTENT}"' in response.text
