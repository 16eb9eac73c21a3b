"""Examples for the description of the interface: those of processes are the original documentation's own."""

from __future__ import annotations

import json
from typing import Any

MODEL_ID = "d4888443-857e-11e8-bef7-d00dd670a106"
VARIABLES: dict[str, Any] = {
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
    "master-1a": {"instanceType": "m2.large"},
    "slave-": {"instanceType": "m2.large"},
    "SipRS::Mock": True,
    "subnetId": "subnet-439A34CC",
}
RECORD: dict[str, Any] = {
    "id": "43a9f3e4-8a85-4df0-b1cc-0333be9fc0c8",
    "processInstanceId": "2935001",
    "modelId": MODEL_ID,
    "modelKey": None,
    "processName": "test",
    "processType": None,
    "processStatus": "debug",
    "processContent": json.dumps(VARIABLES, separators=(",", ":")),
    "startTime": "2018-08-13 14:15:24",
    "endTime": None,
    "activitiFileId": None,
    "outputs": None,
    "nativeOutputs": "",
    "rollbackProcessInstanceId": None,
    "cancelProcessInstanceId": None,
    "deleteProcessInstanceId": None,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "ProcessStart": {"modelId": MODEL_ID, "processName": "test", "variables": VARIABLES},
    "ProcessRecord": RECORD,
    "UndoOptions": {"force": False},
    "DeleteOptions": {"force": False, "retain": []},
    "RetryOptions": {"retain": []},
    "Protection": {"deleteProtection": True},
    "Rerun": {"parameters": {"instanceType": "m2.large"}},
    "ElementSkip": {"elementId": "createVolume"},
    "BatchRequest": {"action": "retry", "rate": 5},
    "BatchRate": {"rate": 2.5},
    "RewindTo": {"to": "2935004", "parameters": {"size": 20}},
    "Moving": {"deploymentId": "5c5166d5-8f36-47d2-acf6-2e2357bd76a2", "mapping": {"volume": "disk"}},
    "MovingNow": {"deploymentId": "5c5166d5-8f36-47d2-acf6-2e2357bd76a2", "timeout": 10},
    "StoneCode": {"code": "SIP::EC2::Volume"},
    "StoneSuspension": {"code": "SIP::EC2::Volume", "reason": "The storage is being rebuilt."},
    "KeySuspension": {"key": "app-server", "reason": "Its third version makes too many servers."},
    "ModelKey": {"key": "app-server"},
    "GoneTasks": {"taskIds": ["2935004"]},
    "SuspensionReason": {"reason": "The network is being rebuilt."},
    "Variables": {"variables": {"size": 20}},
    "HandWork": {"outputs": {"volumeId": "vol-1"}},
    "Completion": {"outputs": {"approved": True}},
    "Assignee": {"assignee": "alice"},
    "FormValues": {"values": {"approved": False}},
    "DeferredFailure": {"reason": "out of paper", "outputs": {"orderId": "o-1"}},
    "DeferredError": {"code": "sold-out", "reason": "none are left"},
    "DeferredProgress": {"percent": 40, "text": "on its way"},
    "Message": {"name": "paid", "payload": {"amount": 12}, "businessKey": "order-7"},
    "DecisionVariables": {"variables": {"season": "Winter", "guests": 8}},
    "Subscribed": {"url": "https://hooks.example.com/riverstone", "key": "app-server"},
    "StoneDeclared": {"code": "create-volume", "hooks": ["start", "rollback", "delete"]},
    "Signal": {"name": "maintenance", "payload": {"minutes": 30}},
}
"""By the name of the schema."""
