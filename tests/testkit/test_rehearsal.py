"""An author rehearses a flow: with real stones on a made-up cloud, and with faked ones."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import riverstone.engine.testkit as testkit
from riverstone.bpmn_samples import path
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import Volume, stones
from riverstone.engine import BpmnError, ModelInvalid, UnknownTask
from riverstone.engine.testkit import Coverage, Rehearsal

from ..features.sketch import definitions, flow, process

ALL_UNDONE = ("GetFile", "FirewallPort", {"mysql_backend", "mysql_data"}, "javaAppServer", "SecurityGroup")


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def rehearsal(cloud: Cloud) -> Iterator[Rehearsal]:
    """Real stones on a made-up cloud; twelve o'clock."""
    with Rehearsal(stones(cloud, pace=30)) as rehearsal:
        yield rehearsal


@pytest.fixture
def faked() -> Iterator[Rehearsal]:
    """Nothing is real."""
    with Rehearsal() as rehearsal:
        rehearsal.fake_all()
        yield rehearsal


def test_the_kit_exports_these_names_and_says_what_they_are() -> None:
    assert testkit.__all__ == sorted(testkit.__all__, key=lambda name: (name[0].islower(), name))
    told = [getattr(testkit, name) for name in testkit.__all__]
    # A vocabulary has no docstring of its own; its module says what it is.
    assert all(inspect.getdoc(each) for each in told if not get_args(each))


@pytest.mark.parametrize("point", ["before", "after", "unheard"])
def test_a_step_that_fails_at_any_point_leaves_nothing_behind(rehearsal: Rehearsal, cloud: Cloud, point: str) -> None:
    rehearsal.deploy(path("app_server"))
    rehearsal.fail("installMysql", "start", point=point)  # type: ignore[arg-type]

    run = rehearsal.run("app-server", {"regionId": "bcc"})

    run.assert_status("rollback.success")
    run.assert_path("SecurityGroup", "javaAppServer", ..., "installMysql")
    run.assert_undone("installMysql", *ALL_UNDONE)
    run.assert_passed("fork_to_mysql_data", "installMysql")
    run.assert_not_passed("installTomcat", "end")
    run.assert_nothing_left()
    assert cloud.is_empty()


def test_a_failed_undo_is_asked_for_again_and_goes_on(rehearsal: Rehearsal, cloud: Cloud) -> None:
    rehearsal.deploy(path("app_server"))
    rehearsal.fail("javaAppServer", "delete", error="the cloud is away")
    run = rehearsal.run("app-server", {"regionId": "bcc"})
    run.delete()
    run.assert_status("delete.failed")

    run.delete()

    run.assert_status("delete.success")
    run.assert_undone("installTomcat", "installMysql", *ALL_UNDONE)
    assert cloud.is_empty()


def test_a_redelivered_step_makes_one_thing_where_the_stone_hands_its_key_on(
    rehearsal: Rehearsal, cloud: Cloud
) -> None:
    rehearsal.deploy(path("attach_volume"))
    server = cloud.create("servers", "before", group="default")["id"]
    rehearsal.redeliver("volume", "start")

    rehearsal.run("attach-volume", {"instanceCode": server}).assert_status("success")

    first, second = [call for call in rehearsal.calls if call.event == "start"]
    assert first.idempotency_key == second.idempotency_key
    assert len(cloud.list("volumes")) == 1


def test_time_passes_only_where_something_waits_for_it(rehearsal: Rehearsal) -> None:
    rehearsal.deploy(path("timer"))
    noon = rehearsal.clock.now()
    run = rehearsal.start("timer")
    assert run.status == "running"
    assert rehearsal.clock.now() == noon

    rehearsal.advance(60)
    assert rehearsal.clock.now() == noon + 60_000
    assert run.path == ["server"]

    run.settle()
    assert "remind" in " ".join(run.path).lower()


def test_faked_stones_put_out_what_they_declare_and_what_the_test_gives(faked: Rehearsal) -> None:
    faked.register(Volume)
    faked.fake(Volume, {"totalSize": 30}, monitor=lambda task: task.state.setdefault("seen", True))
    faked.deploy(path("attach_volume"))

    run = faked.run("attach-volume", {"instanceCode": "i-1"})

    assert run.native_outputs == {"volume": {"volumeId": "volume.volumeId", "totalSize": 30}}
    assert [call.event for call in faked.calls] == ["start", "monitor"]
    assert faked.calls[0].parameters["instanceCode"] == "i-1"


def test_stones_that_are_made_up_put_out_what_any_model_refers_to(faked: Rehearsal) -> None:
    faked.deploy(path("error_boundary"))
    faked.deploy(path("signal"))
    faked.deploy(path("call_activity"), path("attach_volume"))

    faked.run("error-boundary").assert_status("success")
    faked.run("signal").assert_status("success")
    run = faked.run("call-activity", {"dataDisk": 5})

    run.assert_status("success")
    assert run.native_outputs["server"]["instanceCode"] == "server.instanceCode"


def test_one_run_of_many_fails_by_its_number(rehearsal: Rehearsal, cloud: Cloud) -> None:
    rehearsal.deploy(path("cluster"))
    rehearsal.fail("slave-2", "monitor")

    run = rehearsal.run("cluster", {"slaveNum": 3})

    run.assert_status("rollback.success")
    run.assert_path("master-1a", {"slave-1", "slave-2", "slave-3"})
    run.assert_undone({"slave-1", "slave-2", "slave-3"}, "master-1a")
    assert cloud.is_empty()


def test_a_bpmn_error_goes_the_way_that_the_model_has_for_it(faked: Rehearsal) -> None:
    faked.deploy(path("error_boundary"))
    install = next(iter(faked.run("error-boundary").path[1:]))
    faked.fail(install, error=BpmnError("disk-full"))

    run = faked.run("error-boundary")

    run.assert_status("success")
    assert len(run.path) == 4


def test_a_debug_run_pauses_and_goes_on_with_other_parameters(rehearsal: Rehearsal, cloud: Cloud) -> None:
    rehearsal.deploy(path("app_server"))
    rehearsal.fail("mysql_data", "start")
    run = rehearsal.run("app-server", {"regionId": "bcc"}, debug=True)
    run.assert_status("debug")

    run.rerun("mysql_data", {"volumeBuyNum": 77})

    run.assert_status("success")
    assert 77 in [volume["size"] for volume in cloud.list("volumes")]


def test_a_user_task_is_completed_by_the_test(faked: Rehearsal) -> None:
    faked.deploy(path("user_task"))
    run = faked.run("user-task")
    person = next(task.namespace for task in run.tasks if task.stone is None)

    run.complete(person, {"approved": True})

    assert run.task(person).status.endswith("success")
    with pytest.raises(UnknownTask):
        run.task("nobody")


def test_without_fakes_a_model_that_names_an_unknown_stone_is_refused() -> None:
    with Rehearsal() as rehearsal, pytest.raises(ModelInvalid, match=r"SIP::EC2::Volume"):
        rehearsal.deploy(path("attach_volume"))


def test_a_failed_assertion_says_what_was_expected_what_came_and_how_each_task_stands(rehearsal: Rehearsal) -> None:
    rehearsal.deploy(path("app_server"))
    rehearsal.fail("javaAppServer", "monitor", error="no more servers")
    run = rehearsal.run("app-server", {"regionId": "bcc"})

    with pytest.raises(AssertionError) as caught:
        run.assert_path("SecurityGroup", "javaAppServer", "installMysql")

    text = str(caught.value)
    assert "It ended where installMysql was expected." in text
    assert "found:    SecurityGroup, javaAppServer" in text
    assert re.search(r"monitor\.failed\s+javaAppServer\s+SIP::EC2::Instance\s+no more servers", text)
    assert re.search(r"rollback\.success\s+SecurityGroup", text)
    with pytest.raises(AssertionError, match=r"is 'rollback\.success', not 'success'"):
        run.assert_status("success")
    with pytest.raises(AssertionError, match="never came to installTomcat"):
        run.assert_passed("installTomcat")


def test_what_is_left_behind_is_named(faked: Rehearsal) -> None:
    faked.fake("SIP::EC2::Volume")
    faked.deploy(path("attach_volume"))
    faked.fail("volume", "delete", times=None)
    run = faked.run("attach-volume", {"instanceCode": "i-1"})
    run.delete()

    with pytest.raises(AssertionError, match=r"left something behind: volume \(failed\)"):
        run.assert_nothing_left()


def test_a_fault_that_never_came_up_is_told(faked: Rehearsal) -> None:
    faked.deploy(path("attach_volume"))
    faked.fail("Volume")
    faked.run("attach-volume", {"instanceCode": "i-1"})

    with pytest.raises(AssertionError, match=r"never called: start of 'Volume'\.\nCalled: start of 'volume'\."):
        faked.assert_faults_used()


def test_coverage_tells_what_no_test_has_run_or_undone(faked: Rehearsal, tmp_path: Path) -> None:
    faked.deploy(path("error_boundary"))
    faked.deploy(path("call_activity"), path("attach_volume"))
    faked.run("error-boundary")
    called = faked.run("call-activity", {"dataDisk": 20})
    called.delete()
    coverage = Coverage()
    coverage.add(faked)
    again = Coverage()
    again.merge(coverage.data())

    files = {file.name: file for file in coverage.files}
    assert files["attach_volume.bpmn"].missed == []
    assert files["attach_volume.bpmn"].not_undone == []
    assert {"diskFull", "addVolume", "endAgain"} <= set(files["error_boundary.bpmn"].missed)
    assert files["error_boundary.bpmn"].not_undone
    assert again.text() == coverage.text()
    assert 0 < coverage.percent < 100
    written = {file.name: file.read_text(encoding="utf-8") for file in coverage.write(tmp_path / "report")}
    assert set(written) == {"coverage.txt", "error_boundary.svg", "call_activity.svg", "attach_volume.svg"}
    assert "never run" in written["error_boundary.svg"]
    assert "never run: " in written["coverage.txt"]


def test_what_an_undo_retains_counts_as_covered(rehearsal: Rehearsal) -> None:
    rehearsal.deploy(path("signal"))
    rehearsal.run("signal").delete()
    coverage = Coverage()
    coverage.add(rehearsal)

    (file,) = coverage.files
    assert file.not_undone == []


def test_a_run_lets_timers_come_due_and_a_start_leaves_the_message_its_turn() -> None:
    waits = (
        '<intermediateCatchEvent id="paid"><messageEventDefinition messageRef="M"/></intermediateCatchEvent>'
        '<intermediateCatchEvent id="late"><timerEventDefinition><timeDuration>P3D</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    flows = "".join(flow(*ends) for ends in (("s", "g"), ("g", "paid"), ("g", "late"), ("paid", "e"), ("late", "e")))
    gateway = '<startEvent id="s"/><eventBasedGateway id="g"/><endEvent id="e"/>'
    with Rehearsal() as rehearsal:
        rehearsal.engine.deploy(
            definitions('<message id="M" name="paid"/>', process("race", f"{gateway}{waits}{flows}"))
        )
        late = rehearsal.run("race")
        late.assert_passed("late")

        paid = rehearsal.start("race")
        rehearsal.engine.message("paid", process_instance_id=paid.process_instance_id)
        paid.settle()
        paid.assert_passed("paid")
        paid.assert_not_passed("late")
