"""The command line: every call of the engine, one sentence for every error."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from riverstone.api.cli import main
from riverstone.engine import Engine
from riverstone.models import migrations

from .. import processes
from ..client.test_client import DISH as TABLE
from ..client.test_client import EVENING
from ..http.test_process import RECORD

STONES = """
from marshmallow import fields
from riverstone.engine import Stone

class Make(Stone):
    code = "make"
    def start(self, task):
        task.add_output("thing", "东西")
    def delete(self, task):
        pass

class Watch(Stone):
    code = "watch"
    monitor_interval = 0.01
    def monitor(self, task):
        return task.state.pop("seen", False) or task.state.update(seen=True)

class Break(Stone):
    code = "break"
    parameters = {"works": fields.Boolean(load_default=False)}
    def start(self, task):
        if not task.parameters["works"]:
            raise RuntimeError("the saw is blunt")
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder of its own that holds a module of stones and the processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setitem(sys.modules, "workshop", None)
    monkeypatch.delitem(sys.modules, "workshop")
    (tmp_path / "workshop.py").write_text(STONES, encoding="utf-8")
    for make in (processes.making, processes.breaking, processes.asking, processes.listening, processes.hearing):
        (tmp_path / f"{make.__name__}.bpmn").write_bytes(make())

    def invoke(*arguments: str, fails: bool = False) -> Result:
        result = CliRunner().invoke(main, ["--stones", "workshop", *arguments])
        assert (result.exit_code == 1) is fails, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


def started(run: Run, key: str, *options: str) -> dict[str, Any]:
    run("deploy", f"{key}.bpmn")
    record: dict[str, Any] = json.loads(run("start", "--key", key, "--name", "测试", *options).stdout)
    return record


def only_task(run: Run, process_instance_id: str) -> str:
    head, row = run("tasks", process_instance_id).stdout.splitlines()[:2]
    assert head.split() == ["TASK", "PROGRESS", "STATUS", "NAME", "STONE", "REASON"]
    return row.split()[0]


def test_a_process_is_deployed_started_shown_and_listed(run: Run) -> None:
    version = json.loads(run("deploy", "making.bpmn").stdout)["deploymentId"]
    options = ["--name", "测试", "--variables", '{"a": "值"}']
    record = json.loads(run("start", "--deployment-id", version, *options).stdout)

    shown = run("show", record["processInstanceId"], "--json").stdout
    assert list(json.loads(shown)) == RECORD
    assert "东西" in shown
    assert json.loads(shown)["processStatus"] == "success"
    assert "100%" in run("tasks", record["processInstanceId"]).stdout
    assert [line.split()[2] for line in run("history", record["processInstanceId"]).stdout.splitlines()] == [
        "started",
        "task",
        "attempt",
        "ended",
    ]
    assert json.loads(run("history", record["processInstanceId"], "--json").stdout)["items"][0]["kind"] == "started"
    header, line = run("list", "--status", "success").stdout.splitlines()
    assert header.split() == ["ID", "STARTED", "STATUS", "KEY", "NAME"]
    assert line.endswith("making  测试")
    none = run("list", "--status", "failed")
    assert (none.stdout, none.stderr) == ("", "No process matches.\n")
    assert "测试" in run("list", "--state", "success", "--sort", "ended").stdout
    assert run("list", "--variable", "a=值", "--error", "quota", "--element", "middle").stdout == ""
    assert "give NAME=VALUE" in run("list", "--variable", "a", fails=True).stderr


def test_a_process_is_shown_as_a_page(run: Run) -> None:
    run("deploy", "making.bpmn")
    pid = json.loads(run("start", "--key", "making", "--variables", '{"a": "值"}').stdout)["processInstanceId"]
    lines = run("show", pid).stdout.splitlines()
    assert lines[0] == f"Process {pid}: making"
    parts = [line for line in lines if line and not line.startswith(" ")]
    assert parts[1:] == ["Variables", "Outputs", "Tasks"]
    said = [" ".join(line.split()) for line in lines]
    assert {"status success", "key making", "a 值", "middle.thing 东西"} <= set(said)
    assert said[-1].endswith("start.success 中间")
    run("delete", pid)
    page = run("show", pid).stdout
    assert "start.success, undone" in page
    assert re.search(r"Undone by\n  delete  \d+, success\n$", page)
    version = json.loads(run("deploy", "breaking.bpmn").stdout)["deploymentId"]
    failed = json.loads(run("start", "--deployment-id", version).stdout)["processInstanceId"]
    assert "the saw is blunt" in run("show", failed).stdout
    assert run("show", failed).stdout.startswith(f"Process {failed}: breaking\n")


def test_the_page_of_a_process_with_many_tasks_says_how_to_see_the_others(run: Run) -> None:
    repeated = (
        "<multiInstanceLoopCharacteristics><loopCardinality>31</loopCardinality></multiInstanceLoopCharacteristics>"
    )
    Path("many.bpmn").write_bytes(
        processes.serviced("many", "make").replace(b'="make"/>', f'="make">{repeated}</serviceTask>'.encode())
    )
    run("deploy", "many.bpmn")
    pid = json.loads(run("start", "--key", "many").stdout)["processInstanceId"]

    lines = run("show", pid).stdout.splitlines()

    assert lines[-1] == f"  and more: riverstone tasks {pid}"
    assert sum("start.success" in line for line in lines) == 30


def test_who_starts_what_takes_a_while_is_told_how_it_goes_on(run: Run) -> None:
    Path("watching.bpmn").write_bytes(processes.serviced("watching", "watch"))
    run("deploy", "watching.bpmn")
    result = run("start", "--key", "watching")
    pid = json.loads(result.stdout)["processInstanceId"]
    assert f"The process continues only while an engine runs: riverstone show {pid} --follow" in result.stderr
    assert "success" in run("show", pid, "--follow").stdout.splitlines()[-1]


def test_variables_and_templates_come_from_files(run: Run) -> None:
    Path("variables.json").write_text('{"colour": "red"}')
    Path("template.json").write_text('[{"Key": "colour", "Type": "String", "AllowedValues": ["red"]}]')
    run("deploy", "making.bpmn", "--parameter-template", "template.json")

    good = run("start", "--key", "making", "--name", "test", "--variables", "@variables.json")
    bad = run("start", "--key", "making", "--name", "test", "--variables", '{"colour": "blue"}', fails=True)

    assert json.loads(good.stdout)["processContent"] == '{"colour":"red"}'
    assert "colour" in bad.stderr


def test_following_a_process_shows_its_tasks_and_how_it_ended(run: Run) -> None:
    run("deploy", "making.bpmn")

    lines = run("start", "--key", "making", "--name", "test", "--follow").stdout.splitlines()

    assert "make" in lines[0]
    assert lines[-1].split()[-3:] == ["success", "making", "test"]


def test_with_json_only_the_record_is_on_standard_output(run: Run) -> None:
    run("deploy", "making.bpmn")
    result = run("start", "--key", "making", "--name", "test", "--follow", "--json")
    pid = json.loads(result.stdout)["processInstanceId"]

    assert "make" in result.stderr
    for command, status in (("show", "success"), ("delete", "delete.success"), ("show", "delete.success")):
        assert json.loads(run(command, pid, "--follow", "--json").stdout)["processStatus"] == status


def test_a_trial_run_that_fails_says_how_to_go_on_and_does(run: Run) -> None:
    model_id = json.loads(run("deploy", "breaking.bpmn").stdout)["modelId"]
    paused = run("start", "--model-id", model_id, "--name", "trial", "--follow", fails=True)
    command = paused.stderr.partition("Try again: riverstone ")[2].split()
    assert "the saw is blunt" in paused.stdout

    again = run("rerun", command[1], "--parameters", '{"works": true}', "--follow")

    assert "blunt" not in again.stdout
    assert again.stdout.splitlines()[-1].split()[-3:] == ["success", "breaking", "trial"]


def test_a_paused_trial_run_is_followed_through_its_rollback(run: Run) -> None:
    model_id = json.loads(run("deploy", "breaking.bpmn").stdout)["modelId"]
    paused = run("start", "--model-id", model_id, "--name", "trial", "--follow", fails=True)
    number = paused.stderr.partition("riverstone rollback ")[2].partition(".")[0]

    lines = run("rollback", number, "--follow").stdout.splitlines()

    assert lines[-1].split()[-3:] == ["rollback.success", "breaking", "trial"]


def test_following_a_process_that_fails_exits_with_one(run: Run) -> None:
    run("deploy", "breaking.bpmn")

    output = run("start", "--key", "breaking", "--name", "test", "--follow", fails=True).stdout

    assert "the saw is blunt" in output


def test_a_start_that_fails_at_once_says_why_without_being_followed(run: Run) -> None:
    run("deploy", "breaking.bpmn")

    told = run("start", "--key", "breaking", "--on-failure", "keep").stderr

    assert "the saw is blunt" in told
    assert "riverstone why" in told


def test_a_start_of_nothing_names_the_options_that_it_needs(run: Run) -> None:
    refused = CliRunner().invoke(main, ["start"])

    assert refused.exit_code == 1
    assert "Give exactly one of --key, --deployment-id and --model-id." in refused.output


def test_tasks_and_previews_tell_in_which_run_a_task_is(run: Run) -> None:
    inner = '<startEvent id="i"/><serviceTask id="server" camunda:type="external" camunda:topic="make"/>'
    inner += '<endEvent id="j"/><sequenceFlow id="f" sourceRef="i" targetRef="server"/>'
    inner += '<sequenceFlow id="g" sourceRef="server" targetRef="j"/>'
    marker = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
    sub = f'<subProcess id="middle">{marker}{inner}</subProcess>'
    Path("repeated.bpmn").write_bytes(processes.bpmn("repeated", sub))
    pid = started(run, "repeated")["processInstanceId"]

    for shown in (run("tasks", pid).stdout, run("undo", pid).stdout):
        assert "server[1]  make" in shown
        assert "server[2]  make" in shown


def test_a_preview_shows_what_a_delete_then_does(run: Run) -> None:
    pid = started(run, "making")["processInstanceId"]

    preview = run("undo", pid).stdout
    deleted = json.loads(run("delete", pid).stdout)

    nothing = run("undo", pid)

    assert [line.split()[0] for line in preview.splitlines()] == ["ACTION", "delete"]
    assert (nothing.stdout, nothing.stderr) == ("", "A delete would take nothing back.\n")
    assert deleted["processStatus"] == "delete.success"


def test_a_protected_process_is_deleted_only_when_the_protection_is_off(run: Run) -> None:
    pid = started(run, "making")["processInstanceId"]
    run("protect", pid)

    run("delete", pid, fails=True)
    run("protect", pid, "--off")

    assert json.loads(run("delete", pid).stdout)["processStatus"] == "delete.success"


def test_a_waiting_process_is_cancelled(run: Run) -> None:
    pid = started(run, "asking")["processInstanceId"]

    assert json.loads(run("cancel", pid, "--force").stdout)["processStatus"] == "cancel.success"


def test_a_person_completes_a_task(run: Run) -> None:
    pid = started(run, "asking")["processInstanceId"]

    record = json.loads(run("complete", only_task(run, pid), "--outputs", '{"ok": true}').stdout)

    assert json.loads(record["outputs"]) == {"ok": True}
    assert json.loads(run("show", pid, "--json").stdout)["processStatus"] == "success"


@pytest.mark.parametrize("giving_up", [False, True])
def test_a_failed_trial_run_is_rerun_or_given_up(run: Run, giving_up: bool) -> None:
    model_id = json.loads(run("deploy", "breaking.bpmn").stdout)["modelId"]
    pid = json.loads(run("start", "--model-id", model_id, "--name", "trial").stdout)["processInstanceId"]
    shown = run("show", pid, "--json")
    assert json.loads(shown.stdout)["processStatus"] == "debug"
    assert "rerun" in shown.stderr

    if giving_up:
        run("resume", only_task(run, pid))
    else:
        run("rerun", only_task(run, pid), "--parameters", '{"works": true}')

    status = json.loads(run("show", pid, "--json").stdout)["processStatus"]
    assert (status == "success") is not giving_up


@pytest.mark.parametrize("way", ["rerun", "retry", "skip", "done", "resume", "rollback"])
def test_what_has_failed_waits_for_whoever_decides(run: Run, way: str) -> None:
    run("deploy", "breaking.bpmn")
    start = run("start", "--key", "breaking", "--name", "waiting", "--on-failure", "pause", "--follow", fails=True)
    assert "the saw is blunt" in start.stderr
    pid = start.stderr.partition("riverstone rollback ")[2].partition(".")[0]
    told = run("why", pid).stdout
    assert all(f"riverstone {each} " in told for each in ("rerun", "skip", "done", "rollback", "cancel"))
    task = only_task(run, pid)
    options = {
        "retry": (pid,),
        "rerun": (task, "--parameters", '{"works": true}'),
        "skip": (task,),
        "done": (task, "--outputs", '{"thing": "by hand"}'),
    }
    if way in options:
        wanted = {"rerun": 'with {"works": true}', "done": 'thing = "by hand"', "skip": "skip", "retry": "attempt 2"}
        assert wanted[way] in run(way, *options[way], "--preview").stdout
        assert json.loads(run(way, *options[way], "--preview", "--json").stdout)["processInstanceId"] == pid
    if way in ("rerun", "skip", "done"):
        assert "attempt of task" in run(way, task, "--attempt", "2", fails=True).stderr
    if way in ("retry", "rollback"):
        run(way, pid, fails=False)
    else:
        given = {"rerun": ("--parameters", '{"works": true}'), "done": ("--outputs", '{"thing": "by hand"}')}
        run(way, task, *given.get(way, ()))
    status = json.loads(run("show", pid, "--json").stdout)["processStatus"]
    end = {"retry": "running", "resume": "rollback", "rollback": "rollback"}.get(way, "success")
    assert status.startswith(end) or (end == "rollback" and status == "failed")


def test_what_exists_is_listed_and_checked(run: Run) -> None:
    run("deploy", "making.bpmn")
    run("start", "--key", "making", "--name", "x", "--variables", '{"size": 3}', "--follow")
    assert "thing=东西" in run("resources", "--state", "kept").stdout
    assert run("resources", "--count").stdout.split() == ["COUNT", "STATE", "STONE", "1", "kept", "make"]
    none = run("resources", "--key", "other")
    assert (none.stdout, none.stderr) == ("", "No resource matches.\n")
    assert [each["outputs"] for each in json.loads(run("resources", "--json", "--text", "东西").stdout)] == [
        {"thing": "东西"}
    ]
    head, row = run("resources", "--csv").stdout.splitlines()
    assert head.startswith("taskId,processInstanceId,")
    assert ",make," in row
    for shape in ("--count", "--csv", "--json"):
        refused = CliRunner().invoke(main, ["resources", shape, "--cursor", "9"])
        assert (refused.exit_code, f"Leave out --cursor: {shape} is about all" in refused.stderr) == (2, True)
    assert run("resources", "--drift").stdout == ""
    head, row = run("resources").stdout.splitlines()
    assert head.split() == ["PROCESS", "TASK", "STATE", "SINCE", "STONE", "NAME", "OUTPUTS"]
    pid = row.split()[0]
    assert "thing=东西" in run("check", pid).stdout
    line = run("checks", "add", "PT6H", "--key", "making", "--rate", "2").stdout
    assert "PT6H  key making  2/s  next " in line
    assert run("checks", "list").stdout == line
    assert "every 60 seconds" in run("checks", "add", "PT1S", fails=True).stderr
    run("checks", "remove", line.split()[0])
    assert run("checks", "list").stdout == ""
    assert "check it first" in run("gone", pid, fails=True).stderr


def test_a_key_is_suspended_and_goes_on(run: Run) -> None:
    run("deploy", "breaking.bpmn")
    assert run("suspend", "--key", "breaking", "--reason", "Why not?").stdout.startswith("breaking  suspended since ")
    assert "Why not?" in run("suspended").stdout
    followed = run("start", "--key", "breaking", "--name", "held up", "--follow", fails=True)
    assert "Let it go on: riverstone unsuspend --key breaking." in followed.stderr
    assert "held up  (suspended with its key)" in run("list", "--state", "suspended").stdout
    assert "breaking goes on" in run("unsuspend", "--key", "breaking").stdout
    none = run("suspended")
    assert (none.stdout, none.stderr) == ("", "No key is suspended.\n")
    with Engine("sqlite:///riverstone.db") as engine:
        assert {each.action: each.client for each in engine.batches().items} == {"unsuspend": getpass.getuser()}
    assert "a process or a --key" in run("suspend").output


def test_a_version_is_deployed_with_a_policy(run: Run) -> None:
    run("deploy", "breaking.bpmn", "--on-failure", "pause")
    refused = run("deploy", "breaking.bpmn", "--on-failure", "ask", fails=True)
    assert "'ask' is no failure policy" in refused.stderr
    run("start", "--key", "breaking", "--name", "waiting", "--follow", fails=True)
    assert "waiting" in run("list", "--state", "attention").stdout


def test_a_process_is_suspended_and_let_go_on(run: Run) -> None:
    run("deploy", "breaking.bpmn")
    pid = json.loads(run("start", "--key", "breaking", "--name", "waiting", "--on-failure", "pause").stdout)[
        "processInstanceId"
    ]
    told = json.loads(run("suspend", pid, "--reason", "The saw is away").stdout)
    assert told["processStatus"] == "running"
    assert run("list", "--state", "suspended").stdout.endswith("waiting  (suspended, needs attention)\n")
    assert f"riverstone unsuspend {pid}" in run("why", pid).stdout
    refused = run("retry", pid, fails=True).stderr
    assert "was suspended by" in refused
    followed = run("show", pid, "--follow", fails=True).stderr
    assert f"The saw is away. Let it go on: riverstone unsuspend {pid}." in followed
    run("unsuspend", pid)
    assert "is not suspended" in run("unsuspend", pid, fails=True).stderr


def test_a_stone_is_suspended_and_let_go_on(run: Run) -> None:
    assert "No stone has the code" in run("stone", "suspend", "nothing", fails=True).stderr
    told = run("stone", "suspend", "make", "--reason", "The yard is closed").stdout
    assert told.startswith("make  suspended since ")
    assert run("stone", "suspended").stdout == told
    run("deploy", "making.bpmn")
    pid = json.loads(run("start", "--key", "making", "--variables", '{"size": 3}').stdout)["processInstanceId"]
    why = run("why", pid).stdout
    assert f"was suspended by {getpass.getuser()} at" in why
    assert "The yard is closed" in why
    assert "riverstone stone unsuspend make" in why
    run("stone", "unsuspend", "make")
    none = run("stone", "suspended")
    assert (none.stdout, none.stderr) == ("", "No stone is suspended.\n")
    assert "is not suspended" in run("stone", "unsuspend", "make", fails=True).stderr


def test_a_failed_delete_is_shown_with_why_and_goes_on_as_the_explanation_says(run: Run) -> None:
    Path("workshop.py").write_text(STONES.replace("        pass", '        raise RuntimeError("it is bolted down")'))
    run("deploy", "making.bpmn")
    pid = json.loads(run("start", "--key", "making", "--variables", '{"size": 3}').stdout)["processInstanceId"]
    followed = run("delete", pid, "--follow", fails=True)
    assert f"Go on once the cause is gone: riverstone retry {pid}." in followed.stderr
    assert f"riverstone retry {pid}\n" in run("why", pid).stdout
    assert "it is bolted down" in run("show", pid).stdout.partition("Undone by")[2]
    listed = run("list", "--kind", "delete").stdout
    assert [line.split()[3] for line in listed.splitlines()[1:]] == ["failed"]


def test_checks_say_where_no_stone_can_answer(run: Run) -> None:
    run("deploy", "making.bpmn")
    pid = json.loads(run("start", "--key", "making", "--variables", '{"size": 3}').stdout)["processInstanceId"]
    assert run("check", pid).stderr == "No stone of this process has the hook check.\n"


def test_a_port_that_is_in_use_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("serve", "--port", str(port), fails=True).stderr
    assert f"Cannot listen on port {port} of 127.0.0.1: Address already in use." in refused


OWN = {
    "key": ["list"],
    "session": ["list"],
    "audit": [],
    "purge": ["--older-than", "1d"],
    "encrypt": [],
    "secret": ["rotate"],
    "restore": [],
    "schema": [],
    "stone forget": ["make"],
    "river": ["--broker", "memory://"],
    "serve": ["--port", "0"],
}


def test_the_guide_names_each_command_that_can_ask_a_server_and_each_that_cannot(run: Run) -> None:
    text = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")
    guide = text.partition("## Command line")[2]
    rows = "".join(line.rpartition("| `")[2] for line in guide.splitlines() if line.startswith("| "))
    listed = next(line for line in guide.splitlines() if line.startswith("`key`")).partition("work on")[0]
    own = re.findall("`([a-z ]+)`", listed)
    assert own == list(OWN)
    for command, arguments in OWN.items():
        if command != "river":
            refused = run("--url", "http://127.0.0.1:1", *command.split(), *arguments, fails=True).stderr
            assert "works on the database itself" in refused
    remote = {name.split()[0] for name in re.findall("[a-z][a-z ]+", rows)}
    elsewhere = {"new", "explain", "lint", "feel", "demo", "worker"}
    assert set(main.commands) - {name.split()[0] for name in own} - remote == elsewhere


def test_many_are_acted_upon_together(run: Run) -> None:
    run("deploy", "breaking.bpmn")
    for name in ("one", "two", "three"):
        run("start", "--key", "breaking", "--name", name, "--on-failure", "pause")
    counted = run("reasons")
    assert "the saw is blunt" in counted.stdout
    assert counted.stdout.splitlines()[1].split()[0] == "3"
    assert "rollback of 2 processes: 2 tasks" in run("batch", "start", "rollback", "--text", "t", "--preview").stderr
    begun = run("batch", "start", "rollback", "--text", "t", "--state", "attention", "--follow").stdout
    batch_id, action, state = begun.split()[:3]
    assert (action, state) == ("rollback", "ended")
    assert "2 of 2 done, 0 refused" in run("batch", "list").stdout
    assert len(run("batch", "show", batch_id, "--result", "done").stdout.splitlines()) == 3
    assert json.loads(run("batch", "show", batch_id).stdout)["done"] == 2
    again = run("batch", "start", "rollback", "--key", "breaking").stdout
    assert "1 of 3 done, 2 refused" in again
    assert "conflict: Nothing of process" in run("batch", "show", again.split()[0], "--result", "refused").stdout
    waits = run("batch", "start", "delete", "--key", "breaking", "--rate", "0.001").stdout.split()[0]
    assert "paused" in run("batch", "pause", waits).stdout
    assert "at most 0.002 a second" in run("batch", "resume", waits, "--rate", "0.002").stdout
    assert "stopped" in run("batch", "stop", waits).stdout
    assert "say which ones" in run("batch", "start", "cancel", fails=True).stderr


def test_a_variable_is_set_while_a_process_waits(run: Run) -> None:
    run("deploy", "breaking.bpmn")
    started = run("start", "--key", "breaking", "--name", "waiting", "--on-failure", "pause").stdout
    pid = json.loads(started)["processInstanceId"]
    run("set", pid, "--variables", '{"works": true}')
    assert "object" in run("set", pid, "--variables", "[1]", fails=True).stderr


def test_what_would_steer_a_terminal_is_shown_escaped(run: Run) -> None:
    run("deploy", "making.bpmn")
    shown = run("start", "--key", "making", "--name", "a\x9b31m\u202eb").stdout

    assert "a\\u009b31m\\u202eb" in shown
    assert json.loads(shown)["processName"] == "a\x9b31m\u202eb"


DISH = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="菜" namespace="urn:d">
<decision id="dish" name="Dish"><literalExpression><text>season + " stew"</text></literalExpression></decision>
</definitions>"""


def test_a_decision_is_evaluated_from_its_file_and_from_the_store(run: Run) -> None:
    Path("dish.dmn").write_text(DISH, encoding="utf-8")
    variables = ["--variables", '{"season": "冬"}']

    assert json.loads(run("decide", "dish.dmn", "dish", *variables).stdout)["value"] == "冬 stew"
    missing = run("decide", "dish", *variables, fails=True)
    assert missing.stderr == "Error: No deployment holds the decision 'dish': deploy the DMN file with it first.\n"
    assert json.loads(run("deploy", "dish.dmn").stdout)["name"] == "菜"
    assert json.loads(run("decide", "dish", "--version", "1", *variables).stdout)["value"] == "冬 stew"
    empty = json.loads(run("decide", "dish").stdout)
    assert empty["value"] is None
    assert empty["warnings"]


def test_what_a_process_has_decided_is_shown(run: Run) -> None:
    Path("evening.bpmn").write_bytes(EVENING)
    Path("dish.dmn").write_bytes(TABLE)
    run("deploy", "evening.bpmn", "dish.dmn")
    number = json.loads(run("start", "--key", "evening", "--name", "x", "--variables", '{"guests": 9}').stdout)[
        "processInstanceId"
    ]
    shown = run("show", number, "--decisions").stdout
    assert shown[19:] == "  choose  'Dish' (version 1): \"Stew\" by rule 2 of 'Dish'.\n"
    assert json.loads(run("show", number, "--decisions", "--json").stdout)["items"][0]["result"]["value"] == "Stew"
    assert "made the decision 'Dish'" in run("why", number).stdout


def test_an_expression_of_feel_is_evaluated(run: Run) -> None:
    assert json.loads(run("feel", "0.1 + 0.2 = 0.3").stdout) is True
    assert json.loads(run("feel", "date(d).month", "--context", '{"d": "2024-01-31"}').stdout) == 1
    nothing = run("feel", "a + 1", "--context", '{"a": "x"}')
    assert nothing.stdout == "null\n"
    assert nothing.stderr.startswith("Null: ")
    wrong = run("feel", "1 +", fails=True)
    assert wrong.stderr.startswith("Error: ")


def test_messages_and_signals_are_sent(run: Run) -> None:
    listening = started(run, "listening", "--business-key", "order-1")["processInstanceId"]
    hearing = started(run, "hearing")["processInstanceId"]

    run("message", "paid", "--business-key", "order-1", "--payload", '{"amount": 5}')
    kept = run("message", "paid", "--correlation", "c-1", "--ttl", "10m").stdout
    assert kept == "Nobody waits for it yet: it is kept for 10m.\n"
    for _ in range(2):
        assert run("signal", "alarm", "--idempotency-key", "k").stdout.split() == [hearing]
    nobody = run("signal", "silence")
    assert (nobody.stdout, nobody.stderr) == ("", "No process waits for it.\n")
    once = ("message", "later", "--ttl", "10m", "--idempotency-key", "l")
    assert run(*once).stdout == run(*once).stdout == kept

    assert json.loads(run("show", listening, "--json").stdout)["processStatus"] == "success"


def test_lint_names_each_place_and_touches_no_store(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.bpmn").write_bytes(processes.making().replace(b'targetRef="done"', b'targetRef="nowhere"'))

    told = run("lint", "making.bpmn").stdout
    assert told == "making: 'middle' is carried out by the stone 'make' (camunda:topic)\n"
    assert CliRunner().invoke(main, ["lint", "making.bpmn"]).exit_code == 0
    empty = b'<camunda:inputParameter name="size"/>'
    given = b'<camunda:inputParameter name="of">${outputs.nobody.id}</camunda:inputParameter>'
    form = b"<extensionElements><camunda:inputOutput>%b%b</camunda:inputOutput></extensionElements>" % (empty, given)
    filled = processes.making().replace(b'topic="make"/>', b'topic="make">' + form + b"</serviceTask>")
    (tmp_path / "filled.bpmn").write_bytes(filled)
    told = run("lint", "filled.bpmn", fails=True).stdout
    assert re.match(r"filled\.bpmn:\d+: error unresolved-reference: ", told)
    assert told.endswith('with of="${outputs.nobody.id}"; size left to the start variables\n')
    wrong = run("lint", "wrong.bpmn", fails=True)

    assert "error" in wrong.stdout
    assert "nowhere" in wrong.stdout
    formal = processes.making().replace(b'<serviceTask id="middle"', b'<serviceTask startQuantity="0" id="middle"')
    (tmp_path / "formal.bpmn").write_bytes(formal)
    assert "warning quantity-below-one" in run("lint", "formal.bpmn").stdout
    assert "error quantity-below-one" in run("lint", "--strict", "formal.bpmn", fails=True).stdout
    assert not (tmp_path / "riverstone.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["deploy", "missing.bpmn"],
        ["deploy", "workshop.py"],
        ["deploy", "."],
        ["show", "12345"],
        ["show", "9" * 40],
        ["tasks", "x"],
        ["cancel", "12345"],
        ["delete", "12345"],
        ["undo", "12345", "--preview"],
        ["rerun", "12345"],
        ["resume", "12345"],
        ["complete", "12345"],
        ["start", "--name", "test"],
        ["start", "--name", "test", "--key", "nobody"],
        ["start", "--name", "test", "--key", "a", "--model-id", "b"],
        ["start", "--name", "test", "--key", "a", "--variables", "{"],
        ["start", "--name", "test", "--key", "a", "--variables", "[]"],
        ["start", "--name", "test", "--key", "a", "--variables", "@missing.json"],
        ["start", "--name", "test", "--key", "a", "--variables", "null"],
        ["start", "--name", "test", "--key", "a", "--variables", "@/dev/zero"],
        ["deploy", "/dev/zero"],
        ["render", "/dev/zero"],
        ["list", "--key", "\udcff"],
        ["message", "\udcff"],
        ["signal", "\udcff"],
        ["message", "nobody waits"],
        ["serve", "--host", "0.0.0.0"],
        ["--db", "nosuch://x", "list"],
        ["--db", "sqlite:////no/such/folder/x.db", "list"],
        ["--stones", "no.such.module", "list"],
        ["--stones", "json", "list"],
    ],
)
def test_every_error_is_one_sentence(run: Run, arguments: list[str]) -> None:
    result = run(*arguments, fails=True)

    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1


def test_the_environment_names_the_store_and_the_stones(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIVERSTONE_DB", "sqlite:///elsewhere.db")
    monkeypatch.setenv("RIVERSTONE_STONES", "workshop,workshop")

    assert CliRunner().invoke(main, ["list"]).exit_code == 0
    assert Path("elsewhere.db").exists()


def test_an_interrupt_before_there_is_a_command_leaves_no_traceback() -> None:
    """Whoever presses Ctrl-C at once does so while modules are imported; 130 is how shells tell of it."""
    script = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "import riverstone.api.cli"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (shown.returncode, shown.stdout, shown.stderr) == (130, "", "")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from riverstone.api.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'flask', 'peewee', 'lxml', 'SpiffWorkflow', 'marshmallow', 'waitress'} & sys.modules.keys()))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert shown.stdout.splitlines()[-1] == "[]"
    assert "deploy" in shown.stdout


def test_the_demonstration_undoes_a_failure_and_repairs_another() -> None:
    result = CliRunner().invoke(main, ["demo", "--pace", "0"])

    assert result.exit_code == 0, result.output
    first, second, third = result.stdout.split("\n== ")[1:]
    for node in ("SIP::EC2::SecurityGroup", "SIP::EC2::Instance", "SIP::EC2::Volume", "SIP::Shell"):
        assert node in first
    had = re.findall(r"The cloud has (.*)", first)
    assert "rollback.success" in second
    assert re.findall(r"The cloud has (.*)", second) == had
    assert "paused after a failure" in third
    assert third.count("start.failed") == 1
    assert re.search(r"Process \d+: success", third)


def test_the_demonstration_ends_in_the_console() -> None:
    command = [sys.executable, "-m", "riverstone", "demo", "--pace", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shown:
        assert shown.stdout is not None
        address = next(found[0] for line in shown.stdout if (found := re.search(r"http://127\S+/console/", line)))
        assert requests.get(address, timeout=60).status_code == 200
        found = requests.get(address.replace("console/", "process"), timeout=60).json()["items"]
        shown.terminate()
        assert shown.wait(timeout=30) == 0
    # The three, and the rollback of the second.
    assert sorted(each["processStatus"] for each in found) == ["rollback.success", "success", "success", "success"]


def test_a_file_and_a_process_are_drawn(run: Run, tmp_path: Path) -> None:
    pid = started(run, "making")["processInstanceId"]

    assert run("render", "making.bpmn").stdout.startswith("<svg ")
    run("render", pid, "--output", "process.svg")

    assert "success" in (tmp_path / "process.svg").read_text(encoding="utf-8")
    assert "cannot be read" in run("render", "nothing.bpmn", fails=True).stderr
    assert "cannot be written" in run("render", pid, "-o", "no/where.svg", fails=True).stderr


def test_stones_are_listed_with_what_they_take_put_out_and_can_do(run: Run, tmp_path: Path) -> None:
    listed = run("--stones", "riverstone.bpmn_samples.stones", "stone", "list").stdout

    assert "SIP::EC2::Volume  Volume 云硬盘  A disk attached to a server.\n    parameters: " in listed
    assert "instanceCode* (string), volumeBuyNum (integer)" in listed
    assert "    hooks: start, monitor, rollback, cancel, delete, mock" in listed
    assert not list(tmp_path.glob("*.db"))
    (tmp_path / "few.py").write_text(
        "from riverstone.engine import Quota, Stone\n"
        "class Few(Stone):\n    code = 'few'\n    quota = Quota(at_once=5, per_minute=60, name='all')\n"
        "    def start(self, task): pass\n"
    )
    assert "    quota: 5 at once, 60 a minute, shared as all\n" in run("--stones", "few", "stone", "list").stdout
    (tmp_path / "river.toml").write_text("[quotas.few]\nat_once = 2\n")
    set_otherwise = run("--config", "river.toml", "--stones", "few", "stone", "list").stdout
    assert "    quota: 2 at once\n" in set_otherwise


def test_an_error_says_what_to_type_next(run: Run) -> None:
    assert "riverstone list shows" in run("show", "99", fails=True).stderr
    assert "riverstone tasks" in run("rerun", "99", fails=True).stderr


def test_the_secret_of_tokens_is_rotated(run: Run) -> None:
    def tokens() -> tuple[str, str]:
        with Engine(passive=True) as engine:
            made = engine._facilities.tokens
            return made.token_of(1, 1), made.token_of(10**9, 1)

    before = tokens()
    assert "New tasks get tokens by a new secret." in run("secret", "rotate").output
    after = tokens()
    # There is no task yet, so nobody needs the old one.
    assert before[1] != after[1]
    assert "secret rotate" in run("audit").output


def test_the_audit_tells_of_every_change_of_access(run: Run) -> None:
    with Engine(passive=True) as engine:
        engine.sessions.begin("ann")
    acts = [("key add", "k", "--scope", "read"), ("key revoke", "k"), ("session revoke", "ann")]
    for command, *more in acts:
        run(*command.split(), *more)
    run("session", "revoke", "nobody", fails=True)
    with Engine(passive=True) as engine:
        told = [(each.action, each.target, each.outcome) for each in engine.audit.entries().items]
    refused = ("session revoke", "nobody", "unknown-session")
    assert told == [refused, *((command, more[0], "done") for command, *more in reversed(acts))]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str) -> None:
    script = CliRunner().invoke(main, prog_name="riverstone", env={"_RIVERSTONE_COMPLETE": f"{shell}_source"})

    assert "_RIVERSTONE_COMPLETE" in script.output


def test_every_command_about_processes_works_through_a_server_too(run: Run, address: str, engine: Engine) -> None:
    def ask(*arguments: str, fails: bool = False) -> Result:
        return run("--url", address, *arguments, fails=fails)

    deployed = json.loads(ask("deploy", "making.bpmn", "--name", "Making").stdout)
    assert engine.deployment(deployed["deploymentId"]).name == "Making"
    started = ask("start", "--key", "making", "--name", "shop", "--variables", '{"size": 3}', "--json").stdout
    number = json.loads(started)["processInstanceId"]
    engine.wait(number, 60)
    assert list(json.loads(ask("show", number, "--json").stdout)) == RECORD
    assert "shop" in ask("list", "--text", "sho").stdout
    assert "make" in ask("tasks", number).stdout
    assert f"  riverstone delete {number}\n" in ask("why", number).stdout
    assert f"riverstone delete {number}" in json.loads(ask("why", number, "--json").stdout)["commands"]
    assert "delete" in ask("undo", number, "--preview").stdout
    assert "success" in ask("render", number).stdout
    assert [each["id"] for each in json.loads(ask("templates", "--camunda8").stdout)] == [
        "riverstone:break",
        "riverstone:make",
    ]
    ask("delete", number)
    assert engine.wait(number, 60).status == "delete.success"
    assert "No process instance has the id '999999'." in ask("why", "999999", fails=True).output
    ask("lint", "making.bpmn")
    assert "leave out --url" in ask("purge", "--older-than", "1d", fails=True).output


def test_a_server_with_a_rule_wants_the_key_from_the_environment_or_a_file(
    run: Run, address: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = engine.keys.add("me", scopes=["read"])
    refused = run("--url", address, "list", fails=True).output
    assert "Send one key or token" in refused
    assert "RIVERSTONE_API_KEY holds the key, or --api-key-file names a file with it." in refused
    (tmp_path / "key").write_text(secret + "\n")
    run("--url", address, "--api-key-file", str(tmp_path / "key"), "list")
    monkeypatch.setenv("RIVERSTONE_API_KEY", secret)
    run("--url", address, "list")


def test_a_failed_undo_goes_on_from_the_command_line(run: Run, tmp_path: Path) -> None:
    stubborn = STONES + "    def rollback(self, task):\n        raise RuntimeError('locked')\n"
    (tmp_path / "workshop.py").write_text(stubborn, encoding="utf-8")
    run("deploy", "breaking.bpmn")
    number = json.loads(run("start", "--key", "breaking", "--name", "x", "--json").stdout)["processInstanceId"]
    text = run("why", number).stdout
    (retry,) = [text for text in text.splitlines() if "--retain" in text]
    ended = json.loads(run(*retry.split()[1:], "--json").stdout)
    assert ended["processStatus"] == "rollback.success"


def test_the_schema_of_a_database_is_told_and_left_as_it_is(run: Run) -> None:
    def schema() -> str:
        return run("schema").stdout

    newest = sorted(path.stem for path in Path(migrations.__path__[0]).glob("[0-9]*.py"))[-1]
    assert schema() == f"There is no store yet. This version makes one with the schema {newest}.\n"
    assert not Path("riverstone.db").exists()
    shutil.copy(Path(__file__).parents[2] / "data" / "stores" / "0041.db", "riverstone.db")
    before = Path("riverstone.db").read_bytes()
    assert (
        f"has the schema 0041_external_definition of an earlier version. This version changes it to {newest}"
        in schema()
    )
    assert Path("riverstone.db").read_bytes() == before
    run("list")
    assert schema() == f"The database has the schema {newest}, which is that of this version.\n"
    with closing(sqlite3.connect("riverstone.db")) as later:
        later.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01')")
        later.commit()
    assert "has the schema 9999_later of a newer riverstone: use that version." in schema()
    assert "leave out --url" in run("--url", "http://127.0.0.1:1", "schema", fails=True).output
    Path("riverstone.db").write_text("no database" * 1000)
    assert "Error: " in run("schema", fails=True).output


def test_a_restored_database_gives_out_no_id_again(run: Run, tmp_path: Path) -> None:
    run("deploy", "making.bpmn")
    start = ("start", "--key", "making", "--name", "x", "--json")
    first = json.loads(run(*start).stdout)["processInstanceId"]
    with closing(sqlite3.connect("riverstone.db")) as live, closing(sqlite3.connect("backup.db")) as backup:
        live.backup(backup)
    seen = json.loads(run(*start).stdout)["processInstanceId"]
    for old in tmp_path.glob("riverstone.db*"):
        old.unlink()
    Path("backup.db").rename("riverstone.db")

    assert f"The next id is {int(seen) + 1} or above." in run("restore", "--beyond", seen).output
    again = json.loads(run(*start).stdout)["processInstanceId"]
    assert int(again) > int(seen) > int(first)
    assert "'x' is no id" in run("restore", "--beyond", "x", fails=True).output
    assert "restore" in run("audit").output


def test_what_newcomers_mistake_is_told_with_what_to_do(run: Run) -> None:
    refused = CliRunner().invoke(main, ["--stones", "workshop.py", "stone", "list"])
    assert "'workshop.py' is a file, and a module is wanted: say 'workshop'" in refused.stderr
    run("deploy", "making.bpmn")
    refused = run("start", "--key", "making", "--name", "half \udcff", fails=True)
    assert "processName holds NUL or half of a surrogate pair" in refused.stderr
