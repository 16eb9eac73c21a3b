"""Files of half a megabyte, each at its widest or deepest in one place: they are read and told of at once.

Each of these once took minutes, gigabytes or the interpreter's stack.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from riverstone.engine import Engine, ModelInvalid, TaskInfo

from .sketch import flow

DEFINITIONS = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn">{}</definitions>'
)
DMN = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="d" namespace="{}">{}</definitions>'
DECIDE = '<businessRuleTask id="b" camunda:decisionRef="d0" camunda:resultVariable="r"/>'
ONE = "<literalExpression><text>1</text></literalExpression>"


def many(make: Callable[[int], str], count: int) -> str:
    return "".join(make(number) for number in range(count))


def process(content: str, beside: str = "") -> bytes:
    return DEFINITIONS.format(f'{beside}<process id="p" isExecutable="true">{content}</process>').encode()


def decisions(content: str, namespace: str = "urn:d") -> bytes:
    return DMN.format(namespace, content).encode()


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        engine.stone("make")(lambda task: {"ok": True})
        yield engine


def errors(engine: Engine, *files: bytes) -> set[str]:
    return {finding.code for finding in engine.lint(*files) if finding.severity == "error"}


def test_message_flows_of_a_collaboration_that_refers_to_thousands_of_choreographies(engine: Engine) -> None:
    task = (
        '<choreographyTask id="ct" initiatingParticipantRef="q"><participantRef>q</participantRef></choreographyTask>'
    )
    flows = many(lambda number: f'<messageFlow id="m{number}" sourceRef="ct" targetRef="q"/>', 6000)
    references = many(lambda number: f"<choreographyRef>c{number}</choreographyRef>", 4000)
    beside = f'<collaboration id="k">{flows}{references}</collaboration>'
    beside += f'<choreography id="cc"><participant id="q"/>{task}</choreography>'
    assert errors(engine, process('<task id="t"/>', beside)) >= {"dangling-reference"}


def test_thousands_of_elements_with_one_id(engine: Engine) -> None:
    content = many(lambda number: '<task id="a"/>', 900)
    content += many(lambda number: f'<sequenceFlow id="f{number}" sourceRef="a" targetRef="a"/>', 6000)
    assert "duplicate-id" in errors(engine, process(content))


def test_names_of_a_template_and_of_references(engine: Engine) -> None:
    given = '<camunda:inputParameter name="a">${{a{}.b}}</camunda:inputParameter>'
    given = f"<extensionElements><camunda:inputOutput>{given}</camunda:inputOutput></extensionElements>"
    task = '<serviceTask id="t{}" camunda:type="external" camunda:topic="make">{}</serviceTask>'
    model = process(many(lambda number: task.format(number, given.format(number)), 1500))
    template = [{"Key": f"a{number}.b.c", "Type": "String"} for number in range(0, 16_000, 2)]
    saved = engine.save_model(process('<task id="t"/>'), parameter_template=template)
    assert saved.parameter_template is not None
    with pytest.raises(ModelInvalid) as refused:
        engine.deploy(model, parameter_template=template)
    told = [finding for finding in refused.value.findings if finding.code == "unresolved-reference"]
    assert {finding.element_id for finding in told} <= {f"t{number}" for number in range(1, 1500, 2)}


@pytest.mark.parametrize("closes", [True, False])
def test_a_chain_of_decisions(engine: Engine, closes: bool) -> None:
    """DMN 1.5, 6.2: the requirements of decisions are acyclic."""
    count = 2500

    def decision(number: int) -> str:
        if number == count - 1 and not closes:
            return f'<decision id="d{number}" name="d{number}">{ONE}</decision>'
        needed = f'<requiredDecision href="#d{(number + 1) % count}"/>'
        required = f"<informationRequirement>{needed}</informationRequirement>"
        return f'<decision id="d{number}" name="d{number}">{required}{ONE}</decision>'

    assert errors(engine, process(DECIDE), decisions(many(decision, count))) == (
        {"decision-cycle"} if closes else set()
    )


def test_a_chain_of_functions_is_evaluated(engine: Engine) -> None:
    count = 1200

    def function(number: int) -> str:
        logic = f"<encapsulatedLogic>{ONE}</encapsulatedLogic>"
        needed = f'<knowledgeRequirement><requiredKnowledge href="#k{number + 1}"/></knowledgeRequirement>'
        needed = needed if number < count - 1 else ""
        return f'<businessKnowledgeModel id="k{number}" name="k{number}">{logic}{needed}</businessKnowledgeModel>'

    needed = '<knowledgeRequirement><requiredKnowledge href="#k0"/></knowledgeRequirement>'
    called = "<literalExpression><text>k0() + 1</text></literalExpression>"
    decision = f'<decision id="d0" name="d0">{needed}{called}</decision>'
    engine.deploy(process(DECIDE), decisions(many(function, count) + decision))
    assert engine.start(key="p", name="x").status == "success"


def test_a_chain_of_types(engine: Engine) -> None:
    types = many(
        lambda number: f'<itemDefinition name="t{number}"><typeRef>t{number + 1}</typeRef></itemDefinition>', 5000
    )
    types += '<itemDefinition name="t5000"><typeRef>number</typeRef></itemDefinition>'
    decision = '<decision id="d0" name="d0"><variable name="d0" typeRef="t0"/>{}</decision>'
    engine.deploy(process(DECIDE), decisions(types + decision.format(ONE)))
    assert engine.start(key="p", name="x").status == "success"


def test_a_wide_context_and_a_file_that_is_imported_often(engine: Engine) -> None:
    entry = '<contextEntry><variable name="v{}"/><literalExpression><text>{}</text></literalExpression></contextEntry>'
    entries = many(lambda number: entry.format(number, f"v{number - 1} + 1" if number else 0), 3000)
    imported = many(lambda number: f'<import name="i{number}" namespace="urn:e" importType="DMN"/>', 2500)
    inputs = many(lambda number: f'<inputData id="e{number}" name="e{number}"/>', 5000)
    decision = f'<decision id="d0" name="d0"><context>{entries}</context></decision>'
    assert errors(engine, process(DECIDE), decisions(imported + decision), decisions(inputs, "urn:e")) == set()


@pytest.mark.parametrize("tag", ["subProcess", "transaction"])
def test_190_nested_sub_processes_run_and_are_undone(engine: Engine, tag: str) -> None:
    """The limit model_depth is 200. Neither reading nor running them takes more of the stack than one does."""
    made: list[str] = []

    def make(task: TaskInfo) -> None:
        made.append(task.namespace)

    engine.stone("make")(make)
    inside = '<serviceTask id="t" camunda:type="external" camunda:topic="make"/>'
    content = many(lambda number: f'<{tag} id="u{number}">', 190) + inside + f"</{tag}>" * 190
    before, depth = sys.getrecursionlimit(), len(_frames())
    sys.setrecursionlimit(depth + 350)
    try:
        engine.deploy(process(content))
        started = engine.wait(engine.start(key="p", name="x").process_instance_id, timeout=20)
        assert (started.status, made) == ("success", ["t"])
        assert engine.delete(started.process_instance_id).status == "delete.success"
    finally:
        sys.setrecursionlimit(before)


def _frames() -> list[object]:
    found: list[object] = []
    frame = sys._getframe()
    while frame.f_back is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def opcodes(act: Callable[[], object]) -> int:
    """How much Python an act takes; no other machine makes it more."""
    count = 0

    def traced(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


JOINED = (
    '<startEvent id="s" name="{name}"/><parallelGateway id="f"/><userTask id="u"/><{kind}Gateway id="j"/><userTask'
    ' id="v"/><sequenceFlow id="a" sourceRef="s" targetRef="f"/><sequenceFlow id="b" sourceRef="f" targetRef="u"/>'
    '<sequenceFlow id="c" sourceRef="u" targetRef="j"/><sequenceFlow id="d" sourceRef="j" targetRef="v"/>'
)
SPREAD = (
    '<startEvent id="s" name="{name}"/><manualTask id="m" completionQuantity="{count}"/><userTask id="u"/>'
    '<sequenceFlow id="a" sourceRef="s" targetRef="m"/><sequenceFlow id="b" sourceRef="m" targetRef="u"/>'
)


@pytest.mark.parametrize("kind", ["parallel", "inclusive", "complex", "spread"])
def test_as_many_flows_or_tokens_take_as_much_more_and_not_its_square(engine: Engine, kind: str) -> None:
    """Within one step nobody else has a turn: that of the last token that a join waits for, or of a migration."""

    def model(name: str, count: int) -> bytes:
        if kind == "spread":
            return process(SPREAD.format(name=name, count=count))
        straight = '<sequenceFlow id="y{}" sourceRef="f" targetRef="j"/>'
        return process(JOINED.format(name=name, kind=kind) + many(straight.format, count))

    def measured(count: int) -> tuple[int, int]:
        engine.deploy(model(f"one of {count}", count))
        number = ""

        def start() -> None:
            nonlocal number
            number = engine.start(key="p", name="wide").process_instance_id

        begun = opcodes(start)
        other = engine.deploy(model(f"another of {count}", count)).deployment_id
        return begun, opcodes(lambda: engine.migrate(number, other))

    measured(10)
    few, many_more = measured(200), measured(800)
    assert all(more < 6 * less for less, more in zip(few, many_more, strict=True))


LISTENS = (
    '<userTask id="w"/><boundaryEvent id="b" attachedToRef="w"><signalEventDefinition signalRef="sg"/></boundaryEvent>'
    '<userTask id="v"/><sequenceFlow id="q" sourceRef="b" targetRef="v"/>'
)
RACES = (
    '<eventBasedGateway id="w"/><intermediateCatchEvent id="c"><signalEventDefinition signalRef="sg"/>'
    '</intermediateCatchEvent><intermediateCatchEvent id="d"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    '</timerEventDefinition></intermediateCatchEvent><userTask id="v"/>'
    + "".join(flow(*ends) for ends in (("c", "v"), ("w", "c"), ("w", "d")))
)


@pytest.mark.parametrize("waiting", [LISTENS, RACES])
def test_a_signal_for_many_tokens_looks_at_what_ends_with_each_alone(engine: Engine, waiting: str) -> None:
    def measured(count: int) -> int:
        start = f'<startEvent id="s"/><manualTask id="m" completionQuantity="{count}"/>'
        flows = '<sequenceFlow id="x" sourceRef="s" targetRef="m"/><sequenceFlow id="y" sourceRef="m" targetRef="w"/>'
        engine.deploy(process(start + flows + waiting, '<signal id="sg" name="go"/>'))
        number = engine.start(key="p", name="wide").process_instance_id
        taken = opcodes(lambda: engine.signal("go"))
        open_tasks = [task.element_id for task in engine.tasks(number) if task.end_time is None]
        assert open_tasks == ["v"] * count
        engine.cancel(number)
        return taken

    measured(10)
    few, more = measured(200), measured(800)
    assert more < 6 * few
