"""A model that came without a diagram gets one that can be read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator

from riverstone.engine.bpmn.drawing.layout import add_diagram
from riverstone.engine.bpmn.reading.words import BPMNDI, DC, DI

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
Rectangle = tuple[float, float, float, float]


def definitions(inside: str) -> etree._Element:
    return etree.fromstring(
        f'<definitions xmlns="{BPMN}" id="d" targetNamespace="http://example.org">{inside}</definitions>'
    )


def flow(source: str, target: str, number: int = 0) -> str:
    return f'<sequenceFlow id="f{number}_{source}_{target}" sourceRef="{source}" targetRef="{target}"/>'


def process(inside: str) -> etree._Element:
    root = definitions(f'<process id="p" isExecutable="true">{inside}</process>')
    add_diagram(root)
    return root


def bounds(shape: etree._Element) -> Rectangle:
    found = shape.find(f"{{{DC}}}Bounds")
    assert found is not None
    return tuple(float(found.get(name, "nan")) for name in ("x", "y", "width", "height"))  # type: ignore[return-value]


def shapes(root: etree._Element) -> dict[str, Rectangle]:
    return {shape.get("bpmnElement", ""): bounds(shape) for shape in root.iter(f"{{{BPMNDI}}}BPMNShape")}


def edges(root: etree._Element) -> dict[str, list[tuple[float, float]]]:
    return {
        edge.get("bpmnElement", ""): [
            (float(point.get("x", "nan")), float(point.get("y", "nan"))) for point in edge.iter(f"{{{DI}}}waypoint")
        ]
        for edge in root.iter(f"{{{BPMNDI}}}BPMNEdge")
    }


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def segments(points: list[tuple[float, float]]) -> Iterator[Rectangle]:
    """Each stretch of a line as a hair-thin rectangle that leaves its ends out."""
    for (x1, y1), (x2, y2) in pairwise(points):
        if x1 == x2:
            yield x1 - 0.01, min(y1, y2) + 0.5, 0.02, abs(y1 - y2) - 1
        else:
            yield min(x1, x2) + 0.5, y1 - 0.01, abs(x1 - x2) - 1, 0.02


def test_a_sequence_is_drawn_in_one_row_from_left_to_right() -> None:
    root = process('<startEvent id="a"/><task id="b"/><endEvent id="c"/>' + flow("a", "b") + flow("b", "c"))
    drawn = shapes(root)
    assert drawn["a"][0] < drawn["b"][0] < drawn["c"][0]
    assert {rectangle[1] + rectangle[3] / 2 for rectangle in drawn.values()} == {80.0}
    assert all(len(points) == 2 for points in edges(root).values())


def test_the_diagram_is_valid_and_names_every_element_once() -> None:
    root = process(
        '<startEvent id="a" name="start"/><exclusiveGateway id="g"/><subProcess id="s"><startEvent id="sa"/>'
        f'<task id="sb"/>{flow("sa", "sb")}</subProcess><boundaryEvent id="x" attachedToRef="s"><errorEventDefinition/>'
        f'</boundaryEvent><task id="y"/><endEvent id="e"/>{flow("a", "g")}{flow("g", "s")}{flow("g", "e")}'
        f"{flow('s', 'e')}{flow('x', 'y')}{flow('y', 'g')}"
    )
    BpmnValidator().validate(root)
    assert sorted(shapes(root)) == ["a", "e", "g", "s", "sa", "sb", "x", "y"]
    assert len(edges(root)) == 7
    ids = [element.get("id") for element in root.iter("*") if element.get("id")]
    assert len(ids) == len(set(ids))


def test_what_is_inside_a_sub_process_is_drawn_inside_it() -> None:
    root = process(
        '<task id="before"/><subProcess id="outer"><task id="t"/><subProcess id="inner"><task id="deep"/></subProcess>'
        f"{flow('t', 'inner')}</subProcess><task id='after'/>{flow('before', 'outer')}{flow('outer', 'after')}"
    )
    drawn = shapes(root)
    for inside, outside in (("t", "outer"), ("inner", "outer"), ("deep", "inner")):
        x, y, width, height = drawn[inside]
        left, top, wide, high = drawn[outside]
        assert left < x
        assert top < y
        assert x + width < left + wide
        assert y + height < top + high
    assert not overlap(drawn["outer"], drawn["after"])


def test_boundary_events_sit_on_the_lower_border_side_by_side() -> None:
    events = "".join(f'<boundaryEvent id="b{n}" name="late" attachedToRef="t"/><task id="h{n}"/>' for n in range(4))
    lines = "".join(flow(f"b{n}", f"h{n}") for n in range(4))
    root = process(f'<task id="t"/>{events}{lines}')
    drawn = shapes(root)
    x, y, width, height = drawn["t"]
    for number in range(4):
        event = drawn[f"b{number}"]
        assert event[1] + event[3] / 2 == y + height
        assert x < event[0]
        assert event[0] + event[2] < x + width
        assert edges(root)[f"f0_b{number}_h{number}"][0] == (event[0] + event[2] / 2, event[1] + event[3])
    assert not any(overlap(drawn[f"b{n}"], drawn[f"b{n + 1}"]) for n in range(3))


def test_a_loop_back_runs_below_what_it_skips() -> None:
    root = process(
        '<startEvent id="a"/><task id="b"/><task id="c"/><task id="d"/>'
        + flow("a", "b")
        + flow("b", "c")
        + flow("c", "d")
        + flow("d", "b")
    )
    lowest = max(y for _, y in edges(root)["f0_d_b"])
    assert lowest > max(y + height for _, y, _, height in shapes(root).values())


def test_pools_stand_under_each_other_and_messages_join_them() -> None:
    root = definitions(
        '<collaboration id="c"><participant id="one" processRef="p1"/><participant id="two" processRef="p2"/>'
        '<participant id="blank"/><messageFlow id="m" sourceRef="t1" targetRef="t2"/></collaboration>'
        '<process id="p1"><sendTask id="t1"/></process><process id="p2"><receiveTask id="t2"/></process>'
    )
    add_diagram(root)
    drawn = shapes(root)
    assert drawn["one"][1] < drawn["two"][1] < drawn["blank"][1]
    assert not any(overlap(drawn[a], drawn[b]) for a, b in (("one", "two"), ("two", "blank")))
    assert edges(root)["m"][0][1] < edges(root)["m"][-1][1]


def test_a_process_outside_the_pools_gets_a_diagram_of_its_own() -> None:
    root = definitions(
        '<collaboration id="c"><participant id="one" processRef="p1"/></collaboration>'
        '<process id="p1"><task id="t1"/></process><process id="p2"><task id="t2"/></process>'
    )
    add_diagram(root)
    assert len(root.findall(f"{{{BPMNDI}}}BPMNDiagram")) == 2
    assert shapes(root).keys() == {"one", "t1", "t2"}


def test_a_compensation_handler_is_drawn_beside_its_activity() -> None:
    root = process(
        '<task id="t"/><boundaryEvent id="b" attachedToRef="t"><compensateEventDefinition/></boundaryEvent>'
        '<task id="undo" isForCompensation="true"/><association id="s" sourceRef="b" targetRef="undo"/>'
    )
    assert shapes(root)["undo"][0] > shapes(root)["t"][0]
    assert "s" in edges(root)


def test_notes_and_data_are_drawn_below_the_flow() -> None:
    root = process(
        '<dataObject id="o"/><dataObjectReference id="r" dataObjectRef="o" name="order"/><task id="t">'
        '<dataInputAssociation id="in"><sourceRef>r</sourceRef></dataInputAssociation></task>'
        '<textAnnotation id="n"/><association id="s" sourceRef="n" targetRef="t"/>'
    )
    drawn = shapes(root)
    assert min(drawn["r"][1], drawn["n"][1]) > drawn["t"][1] + drawn["t"][3]
    assert edges(root).keys() == {"in", "s"}


def test_a_model_with_a_diagram_is_left_alone() -> None:
    root = process('<task id="t"/>')
    before = etree.tostring(root)
    add_diagram(root)
    assert etree.tostring(root) == before


def test_elements_without_an_id_are_passed_over() -> None:
    root = process('<task/><task id="t"/><sequenceFlow sourceRef="t" targetRef="nowhere"/>')
    assert shapes(root).keys() == {"t"}


KINDS = ("task", "exclusiveGateway", "intermediateThrowEvent", "subProcess")


@st.composite
def random_models(draw: st.DrawFn) -> etree._Element:
    count = draw(st.integers(1, 14))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=count, max_size=count))
    hosts = draw(st.lists(st.integers(0, count - 1), max_size=4))
    ends = st.tuples(st.integers(0, count + len(hosts) - 1), st.integers(0, count - 1))
    pairs = draw(st.lists(ends, max_size=24))
    nodes = "".join(f'<{kind} id="n{number}" name="a name of some length"/>' for number, kind in enumerate(kinds))
    nodes += "".join(
        f'<boundaryEvent id="n{count + number}" name="late" attachedToRef="n{host}"/>'
        for number, host in enumerate(hosts)
        if kinds[host] in ("task", "subProcess")
    )
    lines = "".join(flow(f"n{one}", f"n{other}", number) for number, (one, other) in enumerate(pairs))
    return process(nodes + lines)


@given(random_models())
@settings(max_examples=150, deadline=None)
def test_no_two_shapes_overlap_and_no_line_runs_through_a_shape(root: etree._Element) -> None:
    events = {event.get("id", "") for event in root.iter(f"{{{BPMN}}}boundaryEvent")}
    drawn = shapes(root)
    solid = {name: rectangle for name, rectangle in drawn.items() if name not in events}
    names = sorted(solid)
    assert not any(overlap(solid[one], solid[other]) for one, other in product(names, names) if one < other)
    for name, points in edges(root).items():
        assert all(first[0] == then[0] or first[1] == then[1] for first, then in pairwise(points)), name
        for piece in segments(points):
            assert not [shape for shape in names if overlap(piece, solid[shape])], (name, points)


@pytest.mark.parametrize("shape", ["chain", "star", "blocks", "back"])
def test_two_thousand_nodes_are_laid_out_in_a_moment(shape: str) -> None:
    count = 2_000
    chain = [(number, number + 1) for number in range(count - 1)]
    pairs = {
        "chain": chain,
        "star": [(0, number) for number in range(1, count)],
        "blocks": [
            pair for n in range(0, count - 4, 3) for pair in ((n, n + 1), (n, n + 2), (n + 1, n + 3), (n + 2, n + 3))
        ],
        "back": [*chain, *((number, 0) for number in range(1, count, 2))],
    }[shape]
    inside = "".join(f'<task id="n{number}"/>' for number in range(count))
    inside += "".join(flow(f"n{one}", f"n{other}") for one, other in pairs)
    root = definitions(f'<process id="p">{inside}</process>')
    begun = time.process_time()
    add_diagram(root)
    assert time.process_time() - begun < 20, "it grows faster than the model"
    assert len(shapes(root)) == count
