"""Lint knows what stones declare: their inputs, their outputs, and what they take by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Engine, Finding, Stone, TaskInfo

from .sketch import definitions, flow, line, process, service


class Disk(Stone):
    """A disk of an instance."""

    code = "disk"
    parameters = {
        "instanceCode": fields.String(required=True),
        "size": fields.Integer(load_default=10),
        "zone": fields.String(load_default="a", metadata={"variable": False}),
        "label": fields.String(load_default="", metadata={"variable": True}),
    }
    outputs = {"volumeId": "its id"}

    def start(self, task: TaskInfo) -> dict[str, Any]:
        return {"volumeId": f"{task.parameters['zone']}-{task.parameters['size']}"}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:", stones=[Disk]) as engine:
        yield engine


def found(engine: Engine, model: bytes, code: str) -> Finding:
    (finding,) = [finding for finding in engine.lint(model) if finding.code == code]
    return finding


def test_an_unknown_and_a_missing_input_are_told_with_what_is_meant(engine: Engine) -> None:
    model = line("p", service("a", "disk", {"instanceCod": "i-1"}).replace('id="a"', 'id="a" name="Add disk"'))
    unknown = found(engine, model, "unknown-input")
    assert unknown.text == (
        "'Add disk' (a) gives the stone 'disk' 'instanceCod', which it does not declare: did you mean 'instanceCode'?"
    )
    assert (unknown.severity, unknown.element_id) == ("warning", "a")
    assert "what it needs: instanceCode" in found(engine, model, "missing-input").text


def test_a_constant_that_does_not_fit_is_refused(engine: Engine) -> None:
    wrong = found(engine, line("p", service("a", "disk", {"instanceCode": "i", "size": "large"})), "input-type")
    assert (wrong.severity, "Not a valid integer" in wrong.text) == ("error", True)
    assert not engine.lint(line("p", service("a", "disk", {"instanceCode": "i", "size": "12"})))
    computed = line("p", service("a", "disk", {"instanceCode": "i", "size": "${wanted}"}))
    assert not engine.lint(computed)


def test_an_output_that_no_stone_declares_is_told(engine: Engine) -> None:
    def reading(name: str) -> bytes:
        tasks = service("a", "disk", {"instanceCode": "i"}) + service(
            "b", "disk", {"instanceCode": f"${{outputs.a.{name}}}"}
        )
        return definitions(process("p", '<startEvent id="s"/>', tasks, flow("s", "a"), flow("a", "b")))

    wrong = found(engine, reading("volumeID"), "unknown-output")
    assert wrong.text.endswith("which the stone of 'a' does not declare as an output: did you mean 'volumeId'?")
    assert not [each for each in engine.lint(reading("volumeId")) if each.code == "unknown-output"]


def test_what_is_taken_by_its_name_alone_is_told_unless_the_stone_says_so(engine: Engine) -> None:
    """``size="large"`` of the request became a disk's size."""
    model = line("p", service("a", "disk", {"instanceCode": "i"}))
    template = [{"Key": name, "Type": "String"} for name in ("size", "zone", "label")]
    saved = engine.save_model(model, parameter_template=template)
    (told,) = [each for each in saved.findings if each.code == "taken-by-name"]
    assert "takes size from the start variables" in told.text
    engine.deploy_model(saved.model_id)
    given = {"size": "5", "zone": "z", "label": "mine"}
    started = engine.wait(engine.start(key="p", name="x", variables=given).process_instance_id, timeout=10)
    (task,) = engine.tasks(started.process_instance_id)
    assert (task.outputs, task.parameters["label"]) == ({"volumeId": "a-5"}, "mine")


def test_what_no_parameter_of_the_template_gives_is_told(engine: Engine) -> None:
    saved = engine.save_model(line("p", service("a", "disk")), parameter_template=[{"Key": "other", "Type": "String"}])
    (told,) = [each for each in saved.findings if each.code == "missing-input"]
    assert "what it needs: instanceCode" in told.text


def test_an_unknown_stone_and_an_unknown_namespace_are_told_with_what_there_is(engine: Engine) -> None:
    model = line("p", service("a", "disc", {"x": "${outputs.A.volumeId}"}))
    assert "did you mean 'disk'?" in found(engine, model, "unknown-stone").text
    assert "did you mean 'a'?" in found(engine, model, "unresolved-reference").text


def test_a_choice_that_is_none_and_a_task_that_does_nothing_are_told(engine: Engine) -> None:
    """As drawn in bpmn.io, with labels in place of conditions (BPMN 2.0, 13.4.2)."""
    nodes = (
        '<startEvent id="s"/><exclusiveGateway id="g" name="Enough?"{}/><task id="a" name="Pack"/><userTask id="b"/>'
    )

    def model(default: str = "") -> bytes:
        named = [flow("g", "a").replace("<sequenceFlow", '<sequenceFlow name="yes"'), flow("g", "b")]
        return definitions(process("p", nodes.format(default), flow("s", "g"), *named))

    told = found(engine, model(), "choice-without-condition")
    assert "'Enough?' (g) always takes sequenceFlow 'yes'" in told.text
    assert "'Pack' (a) does nothing" in found(engine, model(), "task-does-nothing").text


def test_what_nothing_looks_at_yet_is_told_once(engine: Engine) -> None:
    said = 'camunda:assignee="ann" camunda:dueDate="2031-01-01" camunda:jobPriority="3" camunda:priority="5"'
    tasks = "".join(f'<userTask id="u{number}" {said}><documentation>x</documentation></userTask>' for number in (1, 2))
    told = [each for each in engine.lint(line("p", tasks)) if each.code == "not-yet-used"]
    assert [each.text.split(" of ")[0] for each in told] == ["The jobPriority"]
    assert "userTask 'u1' and 1 more is not used yet: jobs of one process rank alike" in told[0].text


def test_an_element_that_is_refused_is_not_refused_again_for_its_stone(engine: Engine) -> None:
    listener = '<extensionElements><camunda:executionListener class="X" event="start"/></extensionElements>'
    wrong = engine.lint(line("p", f'<serviceTask id="a">{listener}</serviceTask>'))
    assert [each.code for each in wrong if each.severity == "error"] == ["not-understood"]


@pytest.mark.parametrize("constant", ["${true}", "${null}", "${12}", "${'text'}"])
def test_a_constant_is_no_stone(engine: Engine, constant: str) -> None:
    task = f'<serviceTask id="a" camunda:expression="{constant}" camunda:resultVariable="r"/>'
    assert not [each for each in engine.lint(line("p", task)) if each.severity == "error"]
