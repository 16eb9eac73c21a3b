"""The samples are files that any modeler opens and that the sample stones can carry out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator

from riverstone.bpmn_samples import names, path
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine.bpmn.checks import check
from riverstone.engine.bpmn.drawing.boxes import is_flow_node
from riverstone.engine.bpmn.reading.bindings import read_binding
from riverstone.engine.bpmn.reading.unread import unread
from riverstone.engine.bpmn.reading.words import BPMN, BPMNDI, DC, DI, local_name, qualified
from riverstone.engine.bpmn.reading.xml import read_xml
from riverstone.engine.limits import Limits

IDEAS = {
    "app_server": "parallelGateway",
    "attach_volume": "serviceTask",
    "call_activity": "callActivity",
    "cluster": "multiInstanceLoopCharacteristics",
    "error_boundary": "errorEventDefinition",
    "inclusive": "inclusiveGateway",
    "loop": "standardLoopCharacteristics",
    "message": "messageEventDefinition",
    "signal": "signalEventDefinition",
    "timer": "timerEventDefinition",
    "user_task": "userTask",
}
every_sample = pytest.mark.parametrize("name", IDEAS)


def model(name: str) -> etree._Element:
    return read_xml(path(name).read_bytes(), limits=Limits(), name=name)


def drawable(root: etree._Element) -> Iterator[str]:
    for element in root.iter(f"{{{BPMN}}}*"):
        kind = local_name(element)
        if is_flow_node(kind) or kind in ("boundaryEvent", "sequenceFlow"):
            yield element.get("id", "")


def test_every_file_in_the_folder_is_a_known_sample() -> None:
    assert names() == sorted(IDEAS)


def test_a_name_that_is_no_sample_is_refused_with_the_names_there_are() -> None:
    for wrong in ("nothing", "../engine/engine", ""):
        with pytest.raises(FileNotFoundError, match="app_server"):
            path(wrong)


@every_sample
def test_a_sample_shows_its_idea(name: str) -> None:
    assert model(name).find(f".//{{{BPMN}}}{IDEAS[name]}") is not None


@every_sample
def test_a_sample_is_valid_and_nothing_is_to_be_found_fault_with(name: str) -> None:
    root = model(name)
    assert check(root, limits=Limits(), source=name) == []
    BpmnValidator().validate(root)


@every_sample
def test_a_samples_key_is_its_file_name_with_hyphens(name: str) -> None:
    process = model(name).find(qualified("process"))
    assert process is not None
    assert process.get("id") == name.replace("_", "-")


@every_sample
def test_a_samples_ids_are_unique(name: str) -> None:
    ids = Counter(element.get("id") for element in model(name).iter("*") if element.get("id"))
    assert [identifier for identifier, count in ids.items() if count > 1] == []


@every_sample
def test_a_samples_diagram_shows_every_element_once(name: str) -> None:
    root = model(name)
    shown = [*root.iter(f"{{{BPMNDI}}}BPMNShape"), *root.iter(f"{{{BPMNDI}}}BPMNEdge")]
    assert sorted(part.get("bpmnElement", "") for part in shown) == sorted(drawable(root))
    for part in shown:
        if local_name(part) == "BPMNShape":
            assert part.find(f"{{{DC}}}Bounds") is not None
        else:
            assert len(part.findall(f"{{{DI}}}waypoint")) >= 2


@every_sample
def test_a_samples_nodes_are_carried_out_by_sample_stones_which_take_their_inputs(name: str) -> None:
    known = {stone.code: stone for stone in stones(Cloud())}
    bound = 0
    for element in model(name).iter(f"{{{BPMN}}}*"):
        assert unread(element) == []
        binding = read_binding(element)
        assert (binding is not None) == (local_name(element) == "serviceTask")
        if binding is not None:
            bound += 1
            assert binding.dialect == "camunda:topic"
            assert set(binding.inputs) <= set(known[binding.stone].parameters)
    assert bound


def test_the_application_server_is_built_as_in_the_original_system() -> None:
    tasks = [
        (element.get("id"), binding.stone)
        for element in model("app_server").iter(qualified("serviceTask"))
        if (binding := read_binding(element)) is not None
    ]
    assert tasks == [
        ("SecurityGroup", "SIP::EC2::SecurityGroup"),
        ("javaAppServer", "SIP::EC2::Instance"),
        ("mysql_backend", "SIP::EC2::Volume"),
        ("mysql_data", "SIP::EC2::Volume"),
        ("FirewallPort", "SIP::EC2::FirewallPort"),
        ("GetFile", "SIP::GetFile"),
        ("installMysql", "SIP::Shell"),
        ("installTomcat", "SIP::Shell"),
    ]
