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
from riverstone.engine.undo.frozen import Bunch, Bunches, Order
from riverstone.engine.undo.model import UndoNode, undo_model

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


@st.composite
def undos(draw: st.DrawFn) -> tuple[list[UndoNode], Order]:
    """Up to nine tasks with names that anybody chose, some after others; those of a group come after the same ones."""
    ids = draw(st.lists(st.integers(1, 999), unique=True, max_size=9))
    groups = []
    grouped = 0
    while grouped < len(ids) - 1 and draw(st.booleans()):
        size = draw(st.integers(1, len(ids) - 1 - grouped))
        members, later = ids[grouped : grouped + size], ids[grouped + size :]
        groups.append(Bunch(tuple(members), tuple(draw(st.sets(st.sampled_from(later), min_size=1, max_size=3)))))
        grouped += size
    names = st.text(max_size=12)
    nodes = [UndoNode(task_id, draw(names), draw(names.filter(str.strip)), draw(st.booleans())) for task_id in ids]
    return nodes, Order("delete", tuple(sorted(ids)), Bunches(groups))


@given(undos())
@settings(max_examples=100)
def test_the_model_is_valid_and_drawn_without_overlaps(undo: tuple[list[UndoNode], Order]) -> None:
    nodes, order = undo
    root = etree.fromstring(undo_model("undo", "the undo", nodes, order.groups))
    assert list(check(root, limits=Limits())) == []
    tasks = [*root.iter(f"{BPMN}serviceTask", f"{BPMN}callActivity")]
    assert [task.get("id") for task in tasks] == [f"task_{node.task_id}" for node in nodes]
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
def test_the_flows_lead_to_each_task_from_exactly_those_it_waits_for(undo: tuple[list[UndoNode], Order]) -> None:
    nodes, order = undo
    root = etree.fromstring(undo_model("undo", "the undo", nodes, order.groups))
    sources: dict[str, list[str]] = {}
    for arrow in root.iter(f"{BPMN}sequenceFlow"):
        sources.setdefault(str(arrow.get("targetRef")), []).append(str(arrow.get("sourceRef")))

    def tasks_before(element: str) -> set[str]:
        found: set[str] = set()
        for source in sources.get(element, ()):
            found |= {source} if source.startswith("task_") else tasks_before(source)
        return found

    after = order.after()
    for node in nodes:
        assert tasks_before(f"task_{node.task_id}") == {f"task_{before}" for before in after[node.task_id]}
    last = {node.task_id for node in nodes} - {before for waited in after.values() for before in waited}
    assert tasks_before("end") == {f"task_{task_id}" for task_id in last}


def nodes_of(count: int) -> list[UndoNode]:
    return [UndoNode(number, "", "make") for number in range(1, count + 1)]


def test_a_wide_undo_has_no_more_flows_than_it_needs() -> None:
    halves = Bunch(tuple(range(1, 101)), tuple(range(101, 201)))
    root = etree.fromstring(undo_model("undo", "the undo", nodes_of(200), [halves]))
    assert len(root.findall(f".//{BPMN}sequenceFlow")) < 500


def test_a_thousand_tasks_are_drawn_in_seconds() -> None:
    began = time.process_time()
    undo_model("undo", "", nodes_of(1000), [Bunch((number,), (number + 1,)) for number in range(1, 1000)])
    undo_model("undo", "", nodes_of(1000), [])
    assert time.process_time() - began < 30, "it grows faster than the model"


def test_an_order_that_an_earlier_version_wrote_is_read_the_same() -> None:
    """It wrote each bunch as two lists of places among the tasks."""
    earlier = '{"kind":"cancel","origin":7,"tasks":[2,3,5,8],"groups":[[[3],[2]],[[1,2],[0]]],"called":[3],"alone":[5]}'
    bunches = Bunches([((8,), (5,)), ((3, 5), (2,))])
    order = Order("cancel", (2, 3, 5, 8), bunches, 7, frozenset([3]), frozenset([5]))

    assert Order.read(earlier) == order
    assert Order.read(order.text()) == order
