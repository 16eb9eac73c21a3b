"""Each stone of the cloud keeps the contract of stones, on a cloud that plays along and on one that loses answers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from riverstone.engine.testkit import check_stone

from .yard import IMAGE, REGION, Yard

NAMES = "Vpc Subnet Gateway Group Key Instance Volume Attachment Address Bucket".split()
LOSING = NAMES if "RIVERSTONE_TEST_ALL_FAULTS" in os.environ else ["Gateway", "Volume"]


@pytest.fixture
def given(yard: Yard) -> Iterator[Mapping[str, Any]]:
    """What the stones stand on, made by hand."""
    ec2 = yard.direct["ec2"]
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zone = {"AvailabilityZone": f"{REGION}a"}
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", **zone)["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="by-hand", Description="by hand", VpcId=vpc)["GroupId"]
    ec2.import_key_pair(KeyName="by-hand", PublicKeyMaterial=yard.key.encode())
    run = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    server = ec2.run_instances(**run)["Instances"][0]["InstanceId"]
    tag = [{"ResourceType": "volume", "Tags": [{"Key": "riverstone", "Value": "by hand"}]}]
    volume = ec2.create_volume(Size=1, TagSpecifications=tag, **zone)["VolumeId"]
    yield {
        "cidr": "10.9.2.0/24",
        "vpc": vpc,
        "zone": f"{REGION}a",
        "publicKey": yard.key,
        "image": IMAGE,
        "type": "t3.micro",
        "subnet": subnet,
        "group": group,
        "keyName": "by-hand",
        "volume": volume,
        "server": server,
    }
    ec2.terminate_instances(InstanceIds=[server])
    ec2.delete_volume(VolumeId=volume)
    ec2.delete_key_pair(KeyName="by-hand")
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


@pytest.mark.parametrize("name", NAMES)
def test_a_stone_of_the_cloud_keeps_the_contract(yard: Yard, given: Mapping[str, Any], name: str) -> None:
    """Of some also on a cloud that loses answers; of all of them in the soak."""
    stone = next(stone for stone in yard.stones if stone.__name__ == name)

    def parameters(number: int) -> Mapping[str, Any]:
        # No two subnets of a network overlap.
        return {each: given[each] for each in stone.parameters if each in given} | (
            {"cidr": f"10.9.{number + 2}.0/24"} if name == "Subnet" else {}
        )

    proxy = yard.proxy if name in LOSING else None
    report = check_stone(stone, parameters, exists=lambda: yard.made_by(name), timeout=20, proxy=proxy)

    report.assert_ok()
    lost = [check.text for check in report.checks if check.name.startswith("answers that are lost")]
    assert len(lost) == (2 if name in LOSING else 0), str(report)
