"""A palette of stones for the Camunda modelers, judged by their own code: valid, applied to a task, and run here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from riverstone.api.cli import main
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import Volume, stones
from riverstone.engine.testkit import Rehearsal

from ..services import program, skip

HERE = Path(__file__).parent
DIALECTS = ("camunda7", "camunda8")
BARE = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
    xmlns:di="http://www.omg.org/spec/DD/20100524/DI" id="definitions" targetNamespace="http://example.com/drawn">
  <bpmn:process id="drawn" isExecutable="true">
    <bpmn:startEvent id="begin"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:task id="work" name="Work"><bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing></bpmn:task>
    <bpmn:endEvent id="end"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="a" sourceRef="begin" targetRef="work" />
    <bpmn:sequenceFlow id="b" sourceRef="work" targetRef="end" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="drawn">
    <bpmndi:BPMNShape id="begin_di" bpmnElement="begin"><dc:Bounds x="40" y="62" width="36" height="36" />
    </bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="work_di" bpmnElement="work"><dc:Bounds x="136" y="40" width="100" height="80" />
    </bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="end_di" bpmnElement="end"><dc:Bounds x="296" y="62" width="36" height="36" />
    </bpmndi:BPMNShape>
    <bpmndi:BPMNEdge id="a_di" bpmnElement="a"><di:waypoint x="76" y="80" /><di:waypoint x="136" y="80" />
    </bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge id="b_di" bpmnElement="b"><di:waypoint x="236" y="80" /><di:waypoint x="296" y="80" />
    </bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>"""
WORKSHOP = '''
from marshmallow import fields, validate
from riverstone.engine import Stone

class Everything(Stone):
    """Takes one of each kind.

    More about it.
    """
    code = "Work::Everything"
    display_name = "样样"
    parameters = {
        "port": fields.Integer(required=True, metadata={"visible": True, "description": "Where it listens."}),
        "ratio": fields.Float(load_default=0.5),
        "protocol": fields.String(load_default="tcp", validate=validate.OneOf(["tcp", "udp"])),
        "level": fields.Integer(load_default=1, metadata={"allowed_values": [1, 2, 3]}),
        "fast": fields.Boolean(load_default=False),
        "password": fields.String(load_default="", metadata={"no_echo": True}),
        "when": fields.DateTime(load_default=None, allow_none=True),
        "labels": fields.Dict(load_default=dict),
        "hosts": fields.List(fields.String(), load_default=list),
    }
    outputs = {"id": "what was made"}
    def start(self, task):
        task.add_output("id", 1)
    def delete(self, task):
        pass

class Here(Stone):
    code = "Work::Somewhere"
    serves = {"region": "here"}
    parameters = {"region": fields.String(), "shelf": fields.String(load_default="")}

class Elsewhere(Stone):
    code = "Work::Somewhere"
    parameters = {"region": fields.String(required=True)}
'''
Node = Callable[..., str]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Run ``modeler.mjs`` with these arguments; what it prints."""
    node = program("node", package="nodejs")
    if not (HERE / "node_modules" / ".package-lock.json").exists():
        skip("The modelers' packages are not there: npm ci --ignore-scripts in tests/modelers")
    bundle = tmp_path_factory.mktemp("node") / "modeler.mjs"
    esbuild = [str(HERE / "node_modules" / ".bin" / "esbuild"), "modeler.mjs", "--bundle", "--platform=node"]
    subprocess.run([*esbuild, "--format=esm", "--log-level=error", f"--outfile={bundle}"], cwd=HERE, check=True)

    def run(*arguments: str) -> str:
        done = subprocess.run([node, str(bundle), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def palette(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """The command's file for one dialect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setitem(sys.modules, "workshop", None)
    monkeypatch.delitem(sys.modules, "workshop")
    (tmp_path / "workshop.py").write_text(WORKSHOP, encoding="utf-8")

    def make(dialect: str) -> Path:
        named = ["--stones", "riverstone.bpmn_samples.stones", "--stones", "workshop"]
        result = CliRunner().invoke(main, [*named, "templates", f"--{dialect}", "-o", "templates.json"])
        assert result.exit_code == 0, result.output
        return tmp_path / "templates.json"

    return make


def read(file: Path) -> dict[str, dict[str, Any]]:
    return {template["id"]: template for template in json.loads(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_palette_is_valid_for_the_modelers(dialect: str, palette: Callable[[str], Path], node: Node) -> None:
    file = palette(dialect)

    assert len(read(file)) == len(stones(Cloud())) + 2
    assert json.loads(node("validate", dialect, str(file))) == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_form_tells_what_the_stone_declares(dialect: str, palette: Callable[[str], Path]) -> None:
    templates = read(palette(dialect))
    everything = templates["riverstone:Work::Everything"]
    fields = {each["binding"].get("name"): each for each in everything["properties"]}

    assert everything["name"] == "样样"
    assert everything["description"] == "Takes one of each kind. (Work::Everything) Puts out id."
    assert fields["port"]["constraints"]["notEmpty"] is True
    assert fields["port"]["description"] == "Where it listens."
    assert fields["ratio"]["description"] == "Default: 0.5."
    assert [choice["value"] for choice in fields["protocol"]["choices"]] == ["", "tcp", "udp"]
    assert [choice["name"] for choice in fields["fast"]["choices"][1:]] == ["true", "false"]
    assert "${password}" in fields["password"]["description"]
    assert {"undoPolicy", "onFailure", "undoOnError", "undoOnCompensation"} <= set(fields)
    shared = {each["binding"].get("name") for each in templates["riverstone:Work::Somewhere"]["properties"]}
    assert {"region", "shelf"} <= shared
    assert "undoPolicy" not in shared


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_task_drawn_with_it_hands_the_stone_what_was_typed_and_leaves_the_rest_to_the_variables(
    dialect: str, palette: Callable[[str], Path], node: Node, tmp_path: Path
) -> None:
    (tmp_path / "bare.bpmn").write_bytes(BARE)
    typed = {"instanceCode": "${server}", "volumeBuyNum": "25", "name": "data", "undoPolicy": "retain"}
    if dialect == "camunda8":
        typed["instanceCode"] = "=server"
    drawn = node(
        "apply", dialect, str(palette(dialect)), "bare.bpmn", "work", f"riverstone:{Volume.code}", json.dumps(typed)
    )

    with Rehearsal() as rehearsal:
        rehearsal.fake(Volume)
        rehearsal.deploy(drawn.encode())
        run = rehearsal.run("drawn", {"server": "i-1", "regionId": "north"})
        run.assert_status("success")
        run.delete()

        assert rehearsal.engine.lint(drawn.encode()) == []
        parameters = dict(rehearsal.calls[0].parameters)
        assert run.task("work").undo == "retained"
    expected = {"instanceCode": "i-1", "volumeBuyNum": 25, "name": "data", "regionId": "north", "zoneCode": "cc1"}
    assert {name: parameters[name] for name in expected} == expected


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_kind_of_field_comes_to_the_stone_as_its_type(
    dialect: str, palette: Callable[[str], Path], node: Node, tmp_path: Path
) -> None:
    (tmp_path / "bare.bpmn").write_bytes(BARE)
    file = palette(dialect)
    choices = {
        each["binding"].get("name"): each.get("choices", [])
        for each in read(file)["riverstone:Work::Everything"]["properties"]
    }
    typed = {
        "port": "8080",
        "protocol": "udp",
        "level": choices["level"][2]["value"],
        "fast": choices["fast"][1]["value"],
    }
    drawn = node("apply", dialect, str(file), "bare.bpmn", "work", "riverstone:Work::Everything", json.dumps(typed))

    import workshop  # type: ignore[import-not-found]

    with Rehearsal([workshop.Everything]) as rehearsal:
        rehearsal.deploy(drawn.encode())
        rehearsal.run("drawn").assert_status("success")
        parameters = dict(rehearsal.calls[0].parameters)
    typed_by_fields = {
        "port": 8080,
        "ratio": 0.5,
        "protocol": "udp",
        "level": 2,
        "fast": True,
        "password": "",
        "when": None,
    }
    assert parameters == {**typed_by_fields, "labels": {}, "hosts": []}


def test_the_command_asks_for_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert "--camunda7 or --camunda8" in CliRunner().invoke(main, ["templates"]).output
    assert "--stones" in CliRunner().invoke(main, ["templates", "--camunda7"]).output
