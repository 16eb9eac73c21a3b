"""A cluster on Amazon's cloud: ten stones, and the process that builds it (needs ``pip install boto3``).

boto3 reads where the cloud is and who asks from its own settings, such as ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, ClassVar

import boto3
from botocore.config import Config
from marshmallow import fields, validate

from ...engine import CloudResource, Stone, TaskInfo

PATIENCE = float(os.environ.get("AWS_PATIENCE", "20"))
"""Seconds that a call may take."""


@cache
def client(service: str) -> Any:
    """One for the whole process; it tries nothing again by itself, since the engine does."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=PATIENCE, read_timeout=PATIENCE)
    return boto3.session.Session().client(service, config=config)


def ec2(action: str, **asked: Any) -> Any:
    return getattr(client("ec2"), action)(**asked)


def listed(action: str, things: str, **asked: Any) -> list[Any]:
    """All pages of a list: a filter may leave the first ones empty."""
    ec2_client = client("ec2")
    if not ec2_client.can_paginate(action):
        return list(ec2(action, **asked)[things])
    return [each for page in ec2_client.get_paginator(action).paginate(**asked) for each in page[things]]


def needed(**options: Any) -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1), metadata={"variable": True}, **options)


class Thing(CloudResource):
    """What the stones of EC2 share: what they make bears the key as a tag."""

    kind: ClassVar[str]
    """By which tags know it."""
    listed: ClassVar[tuple[str, str, str]]
    """The action that lists such things, and where the list and the ids are in its answer."""
    outputs = {"id": "its id"}
    throttled = ("RequestLimitExceeded", "Throttling*", "SlowDown", "ServiceUnavailable", "Unavailable", "429", "503")
    absent = ("*.NotFound", "*NotFound", "NoSuchBucket", "404")
    fatal_on = ("*.Format", "*.Malformed", "InvalidParameter*", "UnauthorizedOperation", "AuthFailure", "AccessDenied")
    busy = ("DependencyViolation", "VolumeInUse", "IncorrectState", "IncorrectInstanceState")
    monitor_interval = 5.0

    def made(self, action: str, task: TaskInfo, **asked: Any) -> Any:
        tags = [{"Key": "riverstone", "Value": task.start_key}, {"Key": "Name", "Value": task.namespace}]
        return ec2(action, **asked, TagSpecifications=[{"ResourceType": self.kind, "Tags": tags}])

    def find(self, task: TaskInfo) -> list[str]:
        bearing = {"Name": "tag:riverstone", "Values": [task.start_key]}
        action, things, name = self.listed
        return [each[name] for each in listed(action, things, Filters=[bearing])]


class Vpc(Thing):
    """A network."""

    code = "AWS::VPC"
    kind = "vpc"
    listed = ("describe_vpcs", "Vpcs", "VpcId")
    parameters = {"cidr": fields.String(load_default="10.0.0.0/16")}

    def create(self, task: TaskInfo) -> str:
        return str(self.made("create_vpc", task, CidrBlock=task.parameters["cidr"])["Vpc"]["VpcId"])

    def remove(self, task: TaskInfo, found: str) -> None:
        ec2("delete_vpc", VpcId=found)


class Subnet(Thing):
    """A part of a network, in one zone."""

    code = "AWS::Subnet"
    kind = "subnet"
    listed = ("describe_subnets", "Subnets", "SubnetId")
    parameters = {"vpc": needed(), "zone": needed(), "cidr": needed()}

    def create(self, task: TaskInfo) -> str:
        p = task.parameters
        asked = {"VpcId": p["vpc"], "AvailabilityZone": p["zone"], "CidrBlock": p["cidr"]}
        return str(self.made("create_subnet", task, **asked)["Subnet"]["SubnetId"])

    def remove(self, task: TaskInfo, found: str) -> None:
        ec2("delete_subnet", SubnetId=found)


class Gateway(Thing):
    """The way of a network to the internet."""

    code = "AWS::Gateway"
    kind = "internet-gateway"
    listed = ("describe_internet_gateways", "InternetGateways", "InternetGatewayId")
    parameters = {"vpc": needed()}

    def create(self, task: TaskInfo) -> str:
        return str(self.made("create_internet_gateway", task)["InternetGateway"]["InternetGatewayId"])

    def attached(self, found: str) -> bool:
        return bool(ec2("describe_internet_gateways", InternetGatewayIds=[found])["InternetGateways"][0]["Attachments"])

    def configure(self, task: TaskInfo, found: str) -> None:
        if not self.attached(found):
            ec2("attach_internet_gateway", InternetGatewayId=found, VpcId=task.parameters["vpc"])

    def remove(self, task: TaskInfo, found: str) -> None:
        if self.attached(found):
            ec2("detach_internet_gateway", InternetGatewayId=found, VpcId=task.parameters["vpc"])
        ec2("delete_internet_gateway", InternetGatewayId=found)


class Group(Thing):
    """A group of servers that listens on some ports."""

    code = "AWS::SecurityGroup"
    kind = "security-group"
    listed = ("describe_security_groups", "SecurityGroups", "GroupId")
    parameters = {"vpc": needed(), "port": fields.Integer(load_default=443)}

    def create(self, task: TaskInfo) -> str:
        name = f"{task.namespace}-{task.start_key}"
        asked = {"GroupName": name, "Description": task.namespace, "VpcId": task.parameters["vpc"]}
        return str(self.made("create_security_group", task, **asked)["GroupId"])

    def configure(self, task: TaskInfo, found: str) -> None:
        if not ec2("describe_security_groups", GroupIds=[found])["SecurityGroups"][0]["IpPermissions"]:
            port, everywhere = task.parameters["port"], [{"CidrIp": "0.0.0.0/0"}]
            rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": everywhere}
            ec2("authorize_security_group_ingress", GroupId=found, IpPermissions=[rule])

    def remove(self, task: TaskInfo, found: str) -> None:
        ec2("delete_security_group", GroupId=found)


class Key(Thing):
    """The public key of whoever may log in."""

    code = "AWS::KeyPair"
    kind = "key-pair"
    listed = ("describe_key_pairs", "KeyPairs", "KeyName")
    parameters = {"publicKey": needed()}
    outputs = {"id": "its name"}

    def create(self, task: TaskInfo) -> str:
        key = task.parameters["publicKey"].encode()
        return str(self.made("import_key_pair", task, KeyName=task.start_key, PublicKeyMaterial=key)["KeyName"])

    def remove(self, task: TaskInfo, found: str) -> None:
        ec2("delete_key_pair", KeyName=found)


class Instance(Thing):
    """A server."""

    code = "AWS::Instance"
    kind = "instance"
    bpmn_errors = {"InsufficientInstanceCapacity": "no-capacity"}
    parameters = {"image": needed(), "type": needed(), "subnet": needed(), "group": needed(), "keyName": needed()}
    outputs = {"id": "its id", "zone": "where it runs", "ip": "its address inside"}

    def create(self, task: TaskInfo) -> str:
        p, token = task.parameters, task.start_key
        asked = {"ImageId": p["image"], "InstanceType": p["type"], "SubnetId": p["subnet"], "KeyName": p["keyName"]}
        one = {"MinCount": 1, "MaxCount": 1, "ClientToken": token, "SecurityGroupIds": [p["group"]]}
        return str(self.made("run_instances", task, **asked, **one)["Instances"][0]["InstanceId"])

    def seen(self, **asked: Any) -> list[Any]:
        found = listed("describe_instances", "Reservations", **asked)
        return [each for reservation in found for each in reservation["Instances"]]

    def find(self, task: TaskInfo) -> list[str]:
        found = self.seen(Filters=[{"Name": "tag:riverstone", "Values": [task.start_key]}])
        return [each["InstanceId"] for each in found if each["State"]["Name"] not in ("shutting-down", "terminated")]

    def ready(self, task: TaskInfo, found: str) -> bool:
        server = self.seen(InstanceIds=[found])[0]
        task.add_outputs({"zone": server["Placement"]["AvailabilityZone"], "ip": server["PrivateIpAddress"]})
        return bool(server["State"]["Name"] == "running")

    def remove(self, task: TaskInfo, found: str) -> None:
        ec2("terminate_instances", InstanceIds=[found])

    def gone(self, task: TaskInfo, found: str) -> bool:
        return all(each["State"]["Name"] == "terminated" for each in self.seen(InstanceIds=[found]))


class Volume(Thing):
    """A disk."""

    code = "AWS::Volume"
    kind = "volume"
    listed = ("describe_volumes", "Volumes", "VolumeId")
    parameters = {"zone": needed(), "size": fields.Integer(load_default=10, metadata={"variable": True})}

    def create(self, task: TaskInfo) -> str:
        asked = {"AvailabilityZone": task.parameters["zone"], "Size": task.parameters["size"]}
        return str(self.made("create_volume", task, **asked, ClientToken=task.start_key)["VolumeId"])

    def ready(self, task: TaskInfo, found: str) -> bool:
        return bool(ec2("describe_volumes", VolumeIds=[found])["Volumes"][0]["State"] != "creating")

    def remove(self, task: TaskInfo, found: str) -> None:
        ec2("delete_volume", VolumeId=found)


class Attachment(Thing):
    """A disk in a server: there is one for each disk, so it needs no key of its own."""

    code = "AWS::Attachment"
    parameters = {"volume": needed(), "server": needed(), "device": fields.String(load_default="/dev/sdf")}
    outputs = {"id": "the volume's id", "server": "the server's id"}

    def state(self, task: TaskInfo) -> str:
        found = ec2("describe_volumes", VolumeIds=[task.parameters["volume"]])["Volumes"][0]["Attachments"]
        states = [each["State"] for each in found if each["InstanceId"] == task.parameters["server"]]
        return states[0] if states else "detached"

    def find(self, task: TaskInfo) -> list[str]:
        return [task.parameters["volume"]] if self.state(task) in ("attaching", "attached", "busy") else []

    def create(self, task: TaskInfo) -> str:
        p = task.parameters
        return str(ec2("attach_volume", VolumeId=p["volume"], InstanceId=p["server"], Device=p["device"])["VolumeId"])

    def configure(self, task: TaskInfo, found: str) -> None:
        task.add_output("server", task.parameters["server"])

    def ready(self, task: TaskInfo, found: str) -> bool:
        return self.state(task) == "attached"

    def remove(self, task: TaskInfo, found: str) -> None:
        if self.state(task) in ("attaching", "attached", "busy"):
            ec2("detach_volume", VolumeId=found, InstanceId=task.parameters["server"])

    def gone(self, task: TaskInfo, found: str) -> bool:
        return self.state(task) == "detached"


class Address(Thing):
    """A public address of a server."""

    code = "AWS::Address"
    kind = "elastic-ip"
    listed = ("describe_addresses", "Addresses", "AllocationId")
    parameters = {"server": needed()}
    outputs = {"id": "its id", "ip": "the address"}

    def seen(self, found: str) -> Any:
        return ec2("describe_addresses", AllocationIds=[found])["Addresses"][0]

    def create(self, task: TaskInfo) -> str:
        return str(self.made("allocate_address", task, Domain="vpc")["AllocationId"])

    def configure(self, task: TaskInfo, found: str) -> None:
        ec2("associate_address", AllocationId=found, InstanceId=task.parameters["server"])
        task.add_output("ip", self.seen(found)["PublicIp"])

    def remove(self, task: TaskInfo, found: str) -> None:
        if association := self.seen(found).get("AssociationId"):
            ec2("disassociate_address", AssociationId=association)
        ec2("release_address", AllocationId=found)


class Bucket(Thing):
    """A place for files. Its name holds the key, so it needs no tag."""

    code = "AWS::Bucket"
    parameters = {"prefix": fields.String(load_default="files")}

    def name(self, task: TaskInfo) -> str:
        return f"{task.parameters['prefix']}-{task.start_key}".lower().replace(":", "-")[-63:]

    def find(self, task: TaskInfo) -> list[str]:
        client("s3").head_bucket(Bucket=self.name(task))
        return [self.name(task)]

    def create(self, task: TaskInfo) -> str:
        region = client("s3").meta.region_name
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client("s3").create_bucket(Bucket=self.name(task), **where)
        return self.name(task)

    def remove(self, task: TaskInfo, found: str) -> None:
        client("s3").delete_bucket(Bucket=found)


stones: list[type[Stone]] = [Vpc, Subnet, Gateway, Group, Key, Instance, Volume, Attachment, Address, Bucket]
