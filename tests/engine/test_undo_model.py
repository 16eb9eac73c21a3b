"""The model of an undo is BPMN like any other: valid, drawn without overlaps, small."""

from __future__ import annotations

import time
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from riverstone.engine import Limits
from riverstone.engine.bpmn.checks import check
from riverstone.engine.bpmn.reading.words import BPMNDI, DC
from riverstone.engine.undo.model import UndoNode, undo_model

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


@st.composite
def undos(draw: st.DrawFn) -> list[UndoNode]:
    """Up to nine tasks in an order in which each comes after those it waits for, with names that anybody chose."""
    ids = draw(st.lists(st.integers(1, 999), unique=True, max_size=9))
    names = st.text(max_size=12)
    return [
        UndoNode(
            task_id,
            draw(names),
            draw(names.filter(str.strip)),
            tuple(sorted(draw(st.sets(st.sampled_from(ids[:index]), max_size=3)))) if index else (),
        )
        for index, task_id in enumerate(ids)
    ]


@given(undos())
@settings(max_examples=100)
def test_the_model_is_valid_and_drawn_without_overlaps(nodes: list[UndoNode]) -> None:
    root = etree.fromstring(undo_model("undo", "the undo", nodes))
    assert list(check(root, limits=Limits())) == []
    assert len(root.findall(f".//{BPMN}serviceTask")) == len(nodes)
    drawn = [
        tuple(float(bounds.get(name, "nan")) for name in ("x", "y", "width", "height"))
        for shape in root.iter(f"{{{BPMNDI}}}BPMNShape")
        for bounds in shape.findall(f"{{{DC}}}Bounds")
    ]
    elements = [element for element in root[0] if element.tag != f"{BPMN}sequenceFlow"]
    assert len(drawn) == len(elements)
    for (x, y, width, height), (x2, y2, width2, height2) in combinations(drawn, 2):
        assert x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y


@given(undos())
@settings(max_examples=100)
def test_the_flows_lead_to_each_task_from_exactly_those_it_waits_for(nodes: list[UndoNode]) -> None:
    root = etree.fromstring(undo_model("undo", "the undo", nodes))
    sources: dict[str, list[str]] = {}
    for arrow in root.iter(f"{BPMN}sequenceFlow"):
        sources.setdefault(str(arrow.get("targetRef")), []).append(str(arrow.get("sourceRef")))

    def tasks_before(element: str) -> set[str]:
        found: set[str] = set()
        for source in sources.get(element, ()):
            found |= {source} if source.startswith("task_") else tasks_before(source)
        return found

    for node in nodes:
        assert tasks_before(f"task_{node.task_id}") == {f"task_{before}" for before in node.after}


def test_a_wide_undo_has_no_more_flows_than_it_needs() -> None:
    first = [UndoNode(number, "", "make", ()) for number in range(1, 101)]
    second = [UndoNode(number, "", "make", tuple(range(1, 101))) for number in range(101, 201)]
    root = etree.fromstring(undo_model("undo", "the undo", [*first, *second]))
    assert len(root.findall(f".//{BPMN}sequenceFlow")) < 500


def test_a_thousand_tasks_are_drawn_in_seconds() -> None:
    began = time.process_time()
    row = [UndoNode(number, "", "make", (number - 1,) if number > 1 else ()) for number in range(1, 1001)]
    undo_model("undo", "", row)
    undo_model("undo", "", [UndoNode(node.task_id, "", "make", ()) for node in row])
    assert time.process_time() - began < 30, "it grows faster than the model"
