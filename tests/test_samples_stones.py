"""The sample stones make things in the made-up cloud, show how far they are, and take everything back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riverstone.bpmn_samples.cloud import Cloud, CloudError
from riverstone.bpmn_samples.stones import CLOUD, DISK_FULL, Mail, SecurityGroup, stones
from riverstone.engine.errors import BpmnError, NotFound
from riverstone.engine.language.context import Context
from riverstone.engine.limits import Limits
from riverstone.engine.stones.declarations.parameters import resolve_parameters
from riverstone.engine.stones.hooks.task_info import TaskInfo
from riverstone.engine.stones.stone import Stone
from riverstone.engine.work import StopRequest, Work
from riverstone.models.vocabulary import UNDO_KINDS


class Bench:
    """Hands tasks to the stones of one cloud, as an engine would, one event at a time."""

    def __init__(self) -> None:
        self.cloud = Cloud()
        self.stones: dict[str, type[Stone]] = {stone.code: stone for stone in stones(self.cloud)}
        self.given = 0

    def task(self, code: str, request: StopRequest | None = None, **parameters: Any) -> TaskInfo:
        self.given += 1
        work = Work(
            task_id=self.given,
            process_instance_id=1,
            stone=code,
            event="start",
            attempt=1,
            idempotency_key=f"key-{self.given}",
            namespace="node",
            element_id="node",
            parameters="{}",
            outputs=None,
            state=None,
        )
        context = Context(parameters, {})
        typed = resolve_parameters(self.stones[code], {}, context, namespace="node", run=None, label="'node'")
        return TaskInfo(work, typed, limits=Limits(), request=request or StopRequest())

    def start(self, code: str, **parameters: Any) -> TaskInfo:
        task = self.task(code, **parameters)
        self.stones[code]().start(task)
        return task

    def monitor(self, code: str, task: TaskInfo) -> list[int | None]:
        seen = []
        for _ in range(20):
            done = self.stones[code]().monitor(task)
            seen.append(task.percent)
            if done:
                return seen
        raise AssertionError("never done")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def server(bench: Bench) -> str:
    code: str = bench.start("SIP::EC2::Instance").outputs["instanceCode"]
    return code


NEEDS: dict[str, tuple[str, dict[str, Any]]] = {
    "SIP::EC2::SecurityGroup": ("groups", {}),
    "SIP::EC2::Instance": ("servers", {}),
    "SIP::EC2::Volume": ("volumes", {}),
    "SIP::EC2::FirewallPort": ("ports", {"port": "8080"}),
    "SIP::GetFile": ("files", {"url": "http://files.example/a.tar"}),
    "SIP::Shell": ("commands", {"command": "install"}),
    "Bingo::RS::FRONT::RSBILLING": ("bills", {}),
}
every_stone = pytest.mark.parametrize("code", NEEDS)


def begun(bench: Bench, code: str) -> tuple[str, TaskInfo]:
    """A started task of this stone, on a server of its own where it needs one."""
    kind, parameters = NEEDS[code]
    if "instanceCode" in bench.stones[code].parameters:
        parameters = {**parameters, "instanceCode": server(bench)}
    return kind, bench.start(code, **parameters)


@every_stone
@pytest.mark.parametrize("event", UNDO_KINDS)
def test_what_a_stone_makes_every_undo_takes_back_and_a_second_undo_finds_it_gone(
    bench: Bench, code: str, event: str
) -> None:
    kind, task = begun(bench, code)
    assert task.outputs[bench.stones[code].id_output] in {thing["id"] for thing in bench.cloud.list(kind)}  # type: ignore[attr-defined]
    getattr(bench.stones[code](), event)(task)
    assert not [thing for thing in bench.cloud.list(kind) if thing["key"] == task.idempotency_key]
    with pytest.raises(NotFound):
        getattr(bench.stones[code](), event)(task)


@every_stone
def test_every_declared_output_is_put_out_and_no_other(bench: Bench, code: str) -> None:
    _, task = begun(bench, code)
    assert task.outputs.keys() == bench.stones[code].outputs.keys()
    json.dumps(task.outputs, allow_nan=False)


@every_stone
def test_a_start_that_is_delivered_again_makes_nothing_twice(bench: Bench, code: str) -> None:
    kind, task = begun(bench, code)
    before = dict(task.outputs), len(bench.cloud.list(kind))
    bench.stones[code]().start(task)
    assert (dict(task.outputs), len(bench.cloud.list(kind))) == before


@every_stone
def test_an_undo_finds_what_was_made_although_the_answer_was_lost(bench: Bench, code: str) -> None:
    kind, task = begun(bench, code)
    task.outputs.clear()
    bench.stones[code]().rollback(task)
    assert not [thing for thing in bench.cloud.list(kind) if thing["key"] == task.idempotency_key]


@every_stone
def test_a_mock_run_puts_out_the_same_names_and_makes_nothing(bench: Bench, code: str) -> None:
    stone = bench.stones[code]
    _, parameters = NEEDS[code]
    if "instanceCode" in stone.parameters:
        parameters = {**parameters, "instanceCode": "mock"}
    task = bench.task(code, **parameters)
    stone().mock(task)
    assert task.outputs.keys() == stone.outputs.keys()
    assert bench.cloud.is_empty()


def test_a_server_boots_in_four_looks(bench: Bench) -> None:
    task = bench.start("SIP::EC2::Instance")
    assert bench.monitor("SIP::EC2::Instance", task) == [25, 50, 75, 100]


def test_a_task_that_is_asked_to_stop_stops_at_its_next_look(bench: Bench) -> None:
    request = StopRequest()
    task = bench.task("SIP::EC2::Instance", request)
    stone = bench.stones["SIP::EC2::Instance"]()
    stone.start(task)
    assert not stone.monitor(task)
    request.ask()
    with pytest.raises(RuntimeError, match="stopped as asked"):
        stone.monitor(task)


def test_the_order_of_an_undo_matters_to_the_cloud(bench: Bench) -> None:
    task = bench.start("SIP::EC2::Instance")
    volume = bench.start("SIP::EC2::Volume", instanceCode=task.outputs["instanceCode"])
    with pytest.raises(CloudError, match=volume.outputs["volumeId"]):
        bench.stones["SIP::EC2::Instance"]().delete(task)
    bench.stones["SIP::EC2::Volume"]().delete(volume)
    bench.stones["SIP::EC2::Instance"]().delete(task)
    assert bench.cloud.is_empty()


def test_a_command_that_finds_too_little_disk_is_a_business_error_until_there_is_a_volume(bench: Bench) -> None:
    code = server(bench)
    with pytest.raises(BpmnError) as raised:
        bench.start("SIP::Shell", instanceCode=code, command="install", diskNeeded=30)
    assert raised.value.error_code == DISK_FULL
    bench.start("SIP::EC2::Volume", instanceCode=code, volumeBuyNum=40)
    bench.start("SIP::Shell", instanceCode=code, command="install", diskNeeded=30)


def test_a_mail_cannot_be_taken_back(bench: Bench) -> None:
    mail = bench.stones["SIP::Mail"]
    bench.start("SIP::Mail", to="you@example.org", subject="hello")
    assert len(bench.cloud.list("mails")) == 1
    assert not any(mail.has(event) for event in UNDO_KINDS)


def test_the_pace_is_the_time_between_two_looks() -> None:
    assert {stone.monitor_interval for stone in stones(Cloud(), pace=0.25)} == {0.25}


def test_the_classes_of_the_module_work_without_being_made_for_a_cloud() -> None:
    bench = Bench()
    bench.stones = {stone.code: stone for stone in (SecurityGroup, Mail)}
    group = bench.start("SIP::EC2::SecurityGroup")
    assert CLOUD.list("groups")
    bench.stones["SIP::EC2::SecurityGroup"]().delete(group)
    assert CLOUD.is_empty()
    assert bench.cloud.is_empty()


def test_two_clouds_do_not_share_their_stones() -> None:
    one, other = Bench(), Bench()
    one.start("SIP::EC2::SecurityGroup")
    assert other.cloud.is_empty()
