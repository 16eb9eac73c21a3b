"""The command line for people who have tasks to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from riverstone.api.cli import main
from riverstone.engine import Engine

from ...features.sketch import definitions, flow, process
from ..processes import bpmn

FORM = {
    "type": "default",
    "id": "ask",
    "components": [
        {"type": "text", "text": "# The order", "id": "head"},
        {"type": "number", "key": "size", "label": "Size", "id": "size", "validate": {"required": True, "max": 9}},
        {"type": "select", "key": "at.land", "label": "Land", "id": "land", "values": [{"label": "DE", "value": "de"}]},
    ],
}


def run(*arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(main, ["--db", "sqlite:///cli.db", *arguments])
    assert (result.exit_code == 1) is fails, result.output
    assert "Traceback" not in result.output
    return result.output


def test_a_person_finds_takes_and_does_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("asking.bpmn").write_bytes(
        bpmn("asking", '<userTask id="middle" name="Approve" camunda:candidateGroups="sales" camunda:formRef="ask"/>')
    )
    Path("ask.form").write_text(json.dumps(FORM))
    run("deploy", "asking.bpmn", "ask.form")
    run("start", "--key", "asking", "--name", "An order")
    header, line = run("task", "list").splitlines()
    assert header.split() == ["TASK", "WHOSE", "DUE", "NAME", "PROCESS"]
    number = line.split()[0]
    assert line.split()[1:] == ["for", "sales", "Approve", "An", "order"]
    alice = ("--as", "alice", "--in", "sales")
    assert run("task", "list", "--as", "carol") == "No task matches.\n"
    assert run("task", "list", "--mine", *alice) == "No task matches.\n"
    assert "of alice" in run("task", "claim", number, *alice)
    assert number in run("task", "list", "--mine", *alice)
    assert "taken by 'alice'" in run("task", "claim", number, "--as", "bob", "--in", "sales", fails=True)
    shown = run("task", "show", number, *alice)
    assert "# The order" in shown
    assert "size  Size (required)" in shown
    assert "at.land  Land (de)" in shown
    run("task", "schedule", number, "--priority", "70", "--due", "2099-01-31 12:00", *alice)
    assert "mine 1" in run("task", "count", *alice)
    assert "of bob" in run("task", "delegate", number, "bob", *alice)
    assert "of alice" in run("task", "release", number, "--as", "bob")
    wrong = run("task", "complete", number, "--set", "size=many", "--set", "at.land=fr", *alice, fails=True)
    assert "size: Must be a number." in wrong
    assert "at.land: Must be one of de." in wrong
    assert "done by alice" in run("task", "complete", number, "--set", "size=7", "--set", "at.land=de", *alice)
    with Engine("sqlite:///cli.db") as engine:
        assert engine.task(number).outputs == {"size": 7, "at": {"land": "de"}}


def test_a_server_knows_by_the_key_who_asks() -> None:
    result = CliRunner().invoke(main, ["--url", "http://127.0.0.1:9", "task", "list", "--as", "alice"])
    assert result.exit_code == 2
    assert "it is the key that says who asks" in result.output


def test_a_start_is_asked_for_and_told_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    start = '<startEvent id="s" camunda:formRef="ask"/>'
    Path("asked.bpmn").write_bytes(definitions(process("asked", start, '<endEvent id="e"/>', flow("s", "e"))))
    Path("ask.form").write_text(json.dumps(FORM))
    run("deploy", "asked.bpmn", "ask.form")
    shown = run("start", "--key", "asked", "--form", "--set", "size=90")
    assert shown.splitlines() == [
        "# The order",
        "size  Size (required) = 90",
        "at.land  Land (de)",
        "size: Must be at most 9.",
    ]
    assert json.loads(run("start", "--key", "asked", "--form", "--json"))["key"] == "asked"
    wrong = run("start", "--key", "asked", "--set", "at.land=fr", fails=True)
    assert "size: Is required." in wrong
    assert "at.land: Must be one of de." in wrong
    assert "do not fit the form of the model's start event: at.land, size." in wrong
    assert "No process" in run("list")
    assert '"success"' in run("start", "--key", "asked", "--set", "size=9", "--variables", '{"at": {"land": "de"}}')
