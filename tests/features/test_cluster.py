"""The example of the original document, run for show and for real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riverstone.bpmn_samples import path
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine, VirtualClock

VARIABLES = (
    '{"projectId":"11111","regionId":"bcc","vpcId":"vpc-509A87BA","storageId":"storage-320AA6D8",'
    '"imageId":"ami-2F051345","securityGroupName":"default","expireTime":"-1","keypairName":"tt6666",'
    '"disableApiTermination":"false","slaveNum":"6","buyNum":"1","Bingo::RS::FRONT::RSBILLING":{},'
    '"master-1a":{"instanceType":"m2.large"},"slave-":{"instanceType":"m2.large"},"SipRS::Mock":true,'
    '"subnetId":"subnet-439A34CC"}'
)
NODES = ["master-1a", *(f"slave-{number}" for number in range(1, 7)), "billing"]


@pytest.mark.parametrize("mock", [True, False])
def test_the_cluster_of_the_document_is_built_in_its_order(tmp_path: Path, mock: bool) -> None:
    cloud, clock = Cloud(), VirtualClock(1_800_000_000_000)
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=stones(cloud), clock=clock) as engine:
        model = engine.save_model(path("cluster"))
        variables = {**json.loads(VARIABLES), "SipRS::Mock": mock}

        started = engine.start(model_id=model.model_id, name="test", variables=variables)
        ended = engine.wait(started.process_instance_id)

        assert (started.status, started.model_key, started.native_outputs) == ("debug", None, "")
        assert started.process_content == VARIABLES.replace("true", "true" if mock else "false")
        assert (ended.status, ended.mock) == ("success", mock)
        tasks = engine.tasks(started.process_instance_id)
        assert [task.namespace for task in tasks] == NODES
        assert {task.status for task in tasks} == ({"mock.success"} if mock else {"monitor.success"})
        assert set(ended.native_output_values) == set(NODES)
        assert all(task.after == (tasks[0].task_id,) for task in tasks[1:7])
        assert set(tasks[7].after) == {task.task_id for task in tasks[1:7]}
        assert len(cloud.list("servers")) == (0 if mock else 7)
