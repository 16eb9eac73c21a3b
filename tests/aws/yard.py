"""Amazon's cloud as moto plays it, behind a proxy that lets calls go wrong, and the cluster that is built there."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from riverstone.bpmn_samples import FOLDER
from riverstone.engine import Engine, ProcessInstance, Stone
from riverstone.engine.testkit import FaultProxy

REGION = "eu-west-1"
IMAGE = "ami-12c6146b"
"""One that moto has."""
PATIENCE = 1.0
"""Seconds after which a call that hangs is given up."""
FILES = [FOLDER / "aws" / name for name in ("cluster.bpmn", "server.bpmn", "size.dmn")]
ERROR = b"<Response><Errors><Error><Code>%b</Code><Message>not now</Message></Error></Errors></Response>"


def quick(stones: Sequence[type[Stone]]) -> list[type[Stone]]:
    """The same stones with short pauses."""
    pauses = {"monitor_interval": 0.05, "pause": 0.1, "settle": 0.2, "retry_backoff": 0.1, "retry_backoff_max": 0.5}
    return [type(each.__name__, (each,), {**pauses, "__doc__": each.__doc__}) for each in stones]


def public_key() -> str:
    made = ed25519.Ed25519PrivateKey.generate().public_key()
    encoding = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return made.public_bytes(*encoding).decode()


class Yard:
    """The cloud, and who asks it: the stones by the proxy, the tests directly."""

    def __init__(self, cloud: str) -> None:
        from riverstone.bpmn_samples import aws

        self.cloud = cloud
        self.proxy = FaultProxy(cloud)
        self.settings = {
            "AWS_ENDPOINT_URL": self.proxy.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PATIENCE": str(PATIENCE),
        }
        os.environ.update(self.settings)
        aws.PATIENCE = PATIENCE
        aws.client.cache_clear()
        import boto3

        self.aws = aws
        session = boto3.session.Session()
        self.direct = {name: session.client(name, endpoint_url=cloud) for name in ("ec2", "s3")}
        self.key = public_key()

    @property
    def stones(self) -> list[type[Stone]]:
        return quick(self.aws.stones)

    def variables(self, **more: Any) -> dict[str, Any]:
        fixed = {"stage": "production", "wait": "PT0.1S", "region": REGION, "image": IMAGE, "publicKey": self.key}
        return {**fixed, **more}

    def inventory(self) -> set[str]:
        """What exists and was made by a stone."""
        return set().union(*(self.made_by(stone.__name__) for stone in self.aws.stones))

    def made_by(self, name: str) -> set[str]:
        """What exists of what one of the stones makes."""
        ec2, bearing = self.direct["ec2"], [{"Name": "tag-key", "Values": ["riverstone"]}]
        if name == "Bucket":
            return {each["Name"] for each in self.direct["s3"].list_buckets()["Buckets"]}
        if name == "Attachment":
            volumes = [each for each in ec2.describe_volumes()["Volumes"] if is_marked(each)]
            return {
                f"{each['VolumeId']} in {each['InstanceId']}" for volume in volumes for each in volume["Attachments"]
            }
        if name == "Instance":
            pages = ec2.get_paginator("describe_instances").paginate(Filters=bearing)
            found = [each for page in pages for each in page["Reservations"]]
            servers, gone = [each for one in found for each in one["Instances"]], ("shutting-down", "terminated")
            return {each["InstanceId"] for each in servers if each["State"]["Name"] not in gone}
        action, things, identifier = getattr(self.aws, name).listed
        return {each[identifier] for each in getattr(ec2, action)(Filters=bearing)[things] if is_marked(each)}

    def close(self) -> None:
        self.proxy.close()
        self.aws.client.cache_clear()
        for name in self.settings:
            os.environ.pop(name, None)


def is_marked(thing: Mapping[str, Any]) -> bool:
    """Whether a stone has made it."""
    return any(tag["Key"] == "riverstone" for tag in thing.get("Tags", ()))


@contextmanager
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def listed(engine: Engine) -> set[str]:
    """What exists by the ledger."""
    found, cursor = set[str](), None
    while True:
        page = engine.resources(limit=200, cursor=cursor)
        for each in (item for item in page.items if item.state != "gone"):
            made = each.outputs.get("id", f"{each.namespace}: {each.state}")
            attached = each.stone == "AWS::Attachment"
            found.add(f"{made} in {each.outputs['server']}" if attached else made)
        if (cursor := page.cursor) is None:
            return found


def until(engine: Engine, number: str, element: str, seconds: float = 60.0) -> str:
    """The task of a person that waits at an element; raises AssertionError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for task in engine.tasks(number):
            if task.element_id == element:
                return task.task_id
        time.sleep(0.02)
    raise AssertionError(f"{number} never came to {element}: {engine.get(number).status}")


def begin(engine: Engine, yard: Yard, **variables: Any) -> str:
    """A cluster that somebody has approved."""
    engine.deploy(*FILES)
    number = engine.start(key="aws-cluster", name="cluster", variables=yard.variables(**variables)).process_instance_id
    engine.complete(until(engine, number, "approve"), {"approved": True})
    return number


def build(engine: Engine, yard: Yard, **variables: Any) -> ProcessInstance:
    """A cluster, as far as it comes."""
    return engine.wait(begin(engine, yard, **variables), timeout=120)
