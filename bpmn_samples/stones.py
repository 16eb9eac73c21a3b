"""Stones for the samples: complete, but what they work on is a made-up cloud.

:func:`stones` makes them for a cloud of your own. The classes themselves share one cloud, and are what
``--stones riverstone.bpmn_samples.stones`` finds: it lives in the file that the environment variable
``RIVERSTONE_CLOUD`` names, else in memory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from marshmallow import fields, validate

from ..engine.errors import BpmnError, NotFound
from ..engine.stones.stone import Stone
from .cloud import Cloud, Gone

if TYPE_CHECKING:
    from ..engine.stones.hooks.task_info import TaskInfo

CLOUD = Cloud(os.environ.get("RIVERSTONE_CLOUD"))
DISK_FULL = "disk-full"
"""The BPMN error that a command raises which finds too little disk."""


def text(default: str = "", **metadata: Any) -> fields.String:
    """An optional text parameter."""
    return fields.String(load_default=default, metadata=metadata)


def needed(**metadata: Any) -> fields.String:
    """A required text parameter, shown in the designer."""
    return fields.String(required=True, validate=validate.Length(min=1), metadata={"visible": True, **metadata})


WHOSE: Mapping[str, fields.Field[Any]] = {
    "projectId": text("11111", display_name="Project 项目", variable=True),
    "regionId": text("bcc", display_name="Region 区域", variable=True),
    "expireTime": text("-1", display_name="Expiry 到期时间", variable=True),
}


class CloudStone(Stone):
    """What the sample stones share: each makes one kind of thing, and takes it back by deleting it."""

    cloud: ClassVar[Cloud] = CLOUD
    monitor_interval = 1.0
    kind: ClassVar[str]
    looks: ClassVar[int] = 1
    """How many looks of ``monitor`` the work takes."""
    id_output: ClassVar[str] = "id"

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        """The fields of the thing to be made."""
        raise NotImplementedError

    def results(self, thing: dict[str, Any]) -> dict[str, Any]:
        """The outputs beside the id."""
        return {}

    def start(self, task: TaskInfo) -> None:
        thing = self.cloud.create(self.kind, task.idempotency_key, **self.wishes(task))
        task.add_output(self.id_output, thing["id"])
        for name, value in self.results(thing).items():
            task.add_output(name, value)
        task.log(f"{thing['id']} is being made")

    def monitor(self, task: TaskInfo) -> bool:
        if task.cancel_requested:
            raise RuntimeError(f"The work on {task.outputs[self.id_output]} was stopped as asked.")
        looked = task.state.get("looks", 0) + 1
        task.state["looks"] = looked
        task.progress(min(100, 100 * looked // self.looks))
        return bool(looked >= self.looks)

    def rollback(self, task: TaskInfo) -> None:
        self.remove(task)

    def cancel(self, task: TaskInfo) -> None:
        self.remove(task)

    def delete(self, task: TaskInfo) -> None:
        self.remove(task)

    def mock(self, task: TaskInfo) -> None:
        task.add_output(self.id_output, f"mock-{task.namespace}")

    def remove(self, task: TaskInfo) -> None:
        """Delete what ``start`` made, even if its answer was lost before the id became an output."""
        identifier = task.outputs.get(self.id_output)
        if identifier is None:
            thing = self.cloud.made_by(self.kind, task.start_key)
            identifier = thing["id"] if thing else None
        if identifier is None:
            raise NotFound(f"Task {task.task_id} made nothing.")
        try:
            self.cloud.delete(self.kind, identifier)
        except Gone as reason:
            raise NotFound(str(reason)) from None


class SecurityGroup(CloudStone):
    """A named set of firewall rules."""

    code = "SIP::EC2::SecurityGroup"
    display_name = "Security group 安全组"
    kind = "groups"
    id_output = "securityGroupName"
    parameters = {**WHOSE, "groupName": text("app", visible=True, display_name="Name 名称")}
    outputs = {"securityGroupName": "the group's id, by which servers and ports name it"}

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        return {"name": task.parameters["groupName"], "project": task.parameters["projectId"]}


class Instance(CloudStone):
    """A virtual server; it takes four looks to boot."""

    code = "SIP::EC2::Instance"
    display_name = "Server 云主机"
    kind = "servers"
    looks = 4
    id_output = "instanceCode"
    parameters = {
        **WHOSE,
        "instanceType": text("m1.small", visible=True, display_name="Size 规格"),
        "imageId": text(visible=True, display_name="Image 镜像"),
        "securityGroupName": text("default", display_name="Security group 安全组"),
        "subnetId": text(display_name="Subnet 子网"),
        "vpcId": text(display_name="VPC"),
        "storageId": text(display_name="Storage 存储"),
        "keypairName": text(display_name="Key pair 密钥对"),
        "password": text(display_name="Password 密码", no_echo=True, variable=True),
        "resourceGroupId": text(),
        "ftSpecName": text(),
        "disableApiTermination": fields.Boolean(load_default=False),
    }
    outputs = {
        "instanceCode": "the server's code, to which volumes are attached",
        "instanceId": "the same as a number",
        "privateIp": "its address in the subnet",
    }

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        names = ("instanceType", "imageId", "subnetId", "projectId")
        wanted = {name: task.parameters[name] for name in names}
        # A group that this cloud does not know by id stands for one that was always there.
        group = task.parameters["securityGroupName"]
        known = {existing["id"] for existing in self.cloud.list("groups")}
        return {**wanted, "name": task.namespace, "group": group if group in known else "default"}

    def results(self, thing: dict[str, Any]) -> dict[str, Any]:
        number = int(thing["id"].partition("-")[2], 16)
        return {"instanceId": number, "privateIp": f"10.0.{number // 250 % 250}.{number % 250 + 1}"}

    def mock(self, task: TaskInfo) -> None:
        super().mock(task)
        task.add_output("instanceId", 0)
        task.add_output("privateIp", "10.0.0.0")


class Volume(CloudStone):
    """A disk attached to a server."""

    code = "SIP::EC2::Volume"
    display_name = "Volume 云硬盘"
    kind = "volumes"
    looks = 2
    id_output = "volumeId"
    parameters = {
        **WHOSE,
        "instanceCode": needed(display_name="Server 云主机"),
        "volumeBuyNum": fields.Integer(
            load_default=10,
            validate=validate.Range(1, 10_000),
            metadata={"display_name": "Disk size 数据盘大小", "unit": "GB"},
        ),
        "zoneCode": text("cc1"),
        "storageId": text(),
        "userId": text(),
        "snapshotCode": text(),
        "name": text(),
    }
    outputs = {"volumeId": "the volume's id", "totalSize": "the server's gigabytes once it is attached"}

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        return {
            "server": task.parameters["instanceCode"],
            "size": task.parameters["volumeBuyNum"],
            "name": task.parameters["name"] or task.namespace,
        }

    def results(self, thing: dict[str, Any]) -> dict[str, Any]:
        return {"totalSize": self.cloud.disk(thing["server"])}

    def mock(self, task: TaskInfo) -> None:
        super().mock(task)
        task.add_output("totalSize", task.parameters["volumeBuyNum"])


class FirewallPort(CloudStone):
    """An open port of a security group."""

    code = "SIP::EC2::FirewallPort"
    display_name = "Firewall port 防火墙端口"
    kind = "ports"
    id_output = "portId"
    parameters = {
        **WHOSE,
        "securityGroupName": text("default", visible=True, display_name="Security group 安全组"),
        "port": fields.Integer(
            required=True, validate=validate.Range(1, 65_535), metadata={"visible": True, "display_name": "Port 端口"}
        ),
        "protocol": fields.String(load_default="tcp", validate=validate.OneOf(["tcp", "udp"])),
    }
    outputs = {"portId": "the rule's id"}

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        return {
            "group": task.parameters["securityGroupName"],
            "port": task.parameters["port"],
            "protocol": task.parameters["protocol"],
        }


class GetFile(CloudStone):
    """A file fetched onto a server."""

    code = "SIP::GetFile"
    display_name = "Download 下载文件"
    kind = "files"
    id_output = "fileId"
    parameters = {
        "instanceCode": needed(display_name="Server 云主机"),
        "url": needed(display_name="Address 地址"),
        "path": text("/tmp"),
    }
    outputs = {"fileId": "the file's id", "path": "where it lies on the server"}

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        name = task.parameters["url"].rpartition("/")[2]
        return {"server": task.parameters["instanceCode"], "path": f"{task.parameters['path']}/{name}"}

    def results(self, thing: dict[str, Any]) -> dict[str, Any]:
        return {"path": thing["path"]}

    def mock(self, task: TaskInfo) -> None:
        super().mock(task)
        task.add_output("path", task.parameters["path"])


class Shell(CloudStone):
    """A command run on a server; its undo stands for the command that uninstalls again."""

    code = "SIP::Shell"
    display_name = "Command 执行命令"
    kind = "commands"
    looks = 2
    id_output = "commandId"
    parameters = {
        "instanceCode": needed(display_name="Server 云主机"),
        "command": needed(display_name="Command 命令"),
        "diskNeeded": fields.Integer(load_default=1, metadata={"display_name": "Disk needed 所需磁盘", "unit": "GB"}),
    }
    outputs = {"commandId": "the run's id", "exitCode": "0 when it went well"}

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        server, wanted = task.parameters["instanceCode"], task.parameters["diskNeeded"]
        free = self.cloud.disk(server)
        if wanted > free:
            raise BpmnError(DISK_FULL, f"The command needs {wanted} GB and {server} has {free} GB.")
        return {"server": server, "command": task.parameters["command"]}

    def results(self, thing: dict[str, Any]) -> dict[str, Any]:
        return {"exitCode": 0}

    def mock(self, task: TaskInfo) -> None:
        super().mock(task)
        task.add_output("exitCode", 0)


class Bill(CloudStone):
    """An order charged to a project; taking it back refunds it, and a mock run forecasts its price."""

    code = "Bingo::RS::FRONT::RSBILLING"
    display_name = "Billing 计费"
    kind = "bills"
    id_output = "billId"
    parameters = {
        **WHOSE,
        "buyNum": fields.Integer(
            load_default=1, validate=validate.Range(min=1), metadata={"display_name": "Quantity 购买数量"}
        ),
        "unitPrice": fields.Integer(load_default=100, metadata={"display_name": "Unit price 单价"}),
    }
    outputs = {"billId": "the bill's id", "price": "what is charged"}

    def wishes(self, task: TaskInfo) -> dict[str, Any]:
        price = task.parameters["buyNum"] * task.parameters["unitPrice"]
        return {"project": task.parameters["projectId"], "price": price}

    def results(self, thing: dict[str, Any]) -> dict[str, Any]:
        return {"price": thing["price"]}

    def mock(self, task: TaskInfo) -> None:
        super().mock(task)
        task.add_output("price", task.parameters["buyNum"] * task.parameters["unitPrice"])


class Mail(Stone):
    """A mail; once sent it cannot be taken back, so an undo lists its task as retained."""

    cloud: ClassVar[Cloud] = CLOUD
    code = "SIP::Mail"
    display_name = "Mail 邮件"
    parameters = {"to": needed(display_name="To 收件人"), "subject": needed(display_name="Subject 主题")}
    outputs = {"mailId": "the mail's id"}

    def start(self, task: TaskInfo) -> None:
        wanted = {name: task.parameters[name] for name in ("to", "subject")}
        task.add_output("mailId", self.cloud.create("mails", task.idempotency_key, **wanted)["id"])

    def mock(self, task: TaskInfo) -> None:
        task.log(f"would have written to {task.parameters['to']}")


def stones(cloud: Cloud, *, pace: float = 0.0) -> list[type[Stone]]:
    """All sample stones, working on this cloud; ``pace`` is the seconds between two looks of ``monitor``."""
    kinds: tuple[type[Stone], ...] = (SecurityGroup, Instance, Volume, FirewallPort, GetFile, Shell, Bill, Mail)
    members = {"cloud": cloud, "monitor_interval": pace}
    return [type(kind.__name__, (kind,), {**members, "__doc__": kind.__doc__}) for kind in kinds]
