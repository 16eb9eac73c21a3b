"""The picture of a model, and of what happened to it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from lxml import etree

from riverstone.bpmn_samples import names, path
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine, Malformed, Picture, Stone, TaskInfo, VirtualClock, WaitTimeout
from riverstone.engine.showing.picture import model_picture

SVG = "{http://www.w3.org/2000/svg}"
MESSY = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
    xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI">
  <process id="p"><startEvent id="s" name="&lt;script&gt; caf\xe9"/><task id="t"/><sequenceFlow id="f" sourceRef="s"
    targetRef="t"/></process>
  <bpmndi:BPMNDiagram><bpmndi:BPMNPlane bpmnElement="p">
    <bpmndi:BPMNShape bpmnElement="s"><dc:Bounds x="nan" y="1e300" width="36" height="thirty"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape bpmnElement="t"/><bpmndi:BPMNShape bpmnElement="nobody"><dc:Bounds/></bpmndi:BPMNShape>
    <bpmndi:BPMNEdge bpmnElement="f"><di:waypoint x="1" y="1"/></bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge bpmnElement="f"><di:waypoint x="1" y="1"/><di:waypoint x="1" y="1"/></bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram></definitions>"""

LETTER = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="letter" isExecutable="true">
  <startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="post"/><endEvent id="e"/>
  <serviceTask id="post" camunda:type="external" camunda:topic="letter"/>
  <sequenceFlow id="g" sourceRef="post" targetRef="e"/></process></definitions>"""


def drawn(svg: str) -> dict[str, etree._Element]:
    """The groups of a picture by the ids of what they draw."""
    root = etree.fromstring(svg)
    return {group.get("data-element-id", ""): group for group in root.iter(f"{SVG}g") if group.get("data-element-id")}


def word(group: etree._Element) -> str:
    """What a reader is told about a node besides its name."""
    return (group.findtext(f"{SVG}title") or "").rpartition(": ")[2]


@pytest.mark.parametrize("name", names())
def test_every_node_and_flow_of_a_sample_is_drawn_inside_the_picture(name: str) -> None:
    xml = path(name).read_text(encoding="utf-8")
    root = etree.fromstring(xml.encode())
    wanted = {found.get("bpmnElement") for found in root.iter("{*}BPMNShape", "{*}BPMNEdge")}

    picture = model_picture(xml)

    assert set(drawn(picture.svg)) == wanted
    svg = etree.fromstring(picture.svg)
    assert float(svg.get("width", "0")) > 100
    assert float(svg.get("height", "0")) > 60


def test_a_model_without_a_diagram_is_laid_out_first() -> None:
    root = etree.fromstring(path("timer").read_bytes())
    for diagram in list(root.iter("{*}BPMNDiagram")):
        diagram.getparent().remove(diagram)  # type: ignore[union-attr]

    laid_out, authored = (drawn(model_picture(xml).svg) for xml in (etree.tostring(root), path("timer").read_bytes()))
    assert laid_out.keys() == authored.keys()


def test_what_a_diagram_says_wrongly_does_not_stop_the_rest() -> None:
    svg = model_picture(MESSY).svg

    assert "caf\u00e9" in svg
    assert "<script>" not in svg
    assert set(drawn(svg)) == {"s", "f"}
    with pytest.raises(Malformed):
        model_picture("<not xml")


def test_shapes_without_any_size_are_drawn_as_nothing() -> None:
    """Found by a fuzzer: the picture of a process whose file says so was an error of the server."""
    for tag in ("exclusiveGateway", "startEvent", "userTask", "subProcess"):
        source = MESSY.replace(b'<task id="t"/>', f'<{tag} id="t"/>'.encode())
        shape = b'<bpmndi:BPMNShape bpmnElement="t"><dc:Bounds x="1" y="1" width="0" height="0"/></bpmndi:BPMNShape>'
        assert model_picture(source.replace(b'<bpmndi:BPMNShape bpmnElement="t"/>', shape)).svg.startswith("<svg")


def test_models_and_deployments_show_themselves_in_a_notebook(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/store.db", stones=stones(Cloud())) as engine:
        deployment = engine.deploy(path("timer"))
        model = engine.model(deployment.model_id)

    assert deployment._repr_svg_() == model._repr_svg_() == model_picture(deployment.xml).svg


def test_a_process_is_painted_as_its_tasks_stand_before_and_after_its_undo(tmp_path: Path) -> None:
    cloud = Cloud()
    with Engine(f"sqlite:///{tmp_path}/s.db", stones=stones(cloud, pace=10), clock=VirtualClock()) as engine:
        engine.deploy(path("attach_volume"))
        engine.deploy(path("call_activity"))
        pid = engine.start(key="call-activity", name="test", variables={"dataDisk": 5}).process_instance_id
        early = engine.picture(pid)
        engine.wait(pid)
        late = engine.picture(pid)
        engine.delete(pid)
        instance = engine.wait(pid)
        gone = engine.picture(pid)
        undo = engine.picture(instance.delete_process_instance_id or "")

    assert word(drawn(early.svg)["server"]) == "running"
    assert "25 %" in early.svg
    assert [word(drawn(late.svg)[node]) for node in ("server", "attach")] == ["success", "success"]
    assert [word(drawn(gone.svg)[node]) for node in ("server", "attach")] == ["undone", "undone"]
    assert [word(group) for node, group in drawn(undo.svg).items() if node.startswith("task_")] == ["success"] * 2
    assert isinstance(late, Picture)
    assert pickle.loads(pickle.dumps(late)) == late  # noqa: S301  (our own bytes)
    assert late._repr_svg_() == str(late) == late.svg


def test_what_failed_and_was_left_is_seen_to_have_failed(tmp_path: Path) -> None:
    class Letter(Stone):
        """Fails, and has nothing by which it could be undone."""

        code = "letter"

        def start(self, task: TaskInfo) -> None:
            raise ValueError("no stamp")

    with Engine(f"sqlite:///{tmp_path}/s.db", stones=[Letter], clock=VirtualClock()) as engine:
        engine.deploy(LETTER)
        svg = engine.picture(engine.start(key="letter", name="in vain").process_instance_id).svg

    assert word(drawn(svg)["post"]) == "retained"
    assert ">failed<" in svg


def test_what_a_process_waits_for_is_painted_too(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/s.db", stones=stones(Cloud()), clock=VirtualClock()) as engine:
        engine.deploy(path("message"))
        pid = engine.start(key="message", name="test").process_instance_id
        with pytest.raises(WaitTimeout):
            engine.wait(pid)
        words = {node: word(group) for node, group in drawn(engine.picture(pid).svg).items()}

    assert "waiting" in words.values()
