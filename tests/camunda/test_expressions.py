"""What models for Camunda 7 say in JUEL about their execution: read, or refused with what to write instead."""

from __future__ import annotations

import pytest

from riverstone.engine import Engine, ModelInvalid

from ..features.sketch import definitions, line, row, service
from .test_wire import fetch, started, until

INPUTS = {
    "key": "${execution.processBusinessKey}",
    "same": "${execution.getBusinessKey()}",
    "number": "${execution.processInstanceId}",
    "again": "${execution.getProcessInstanceId()}",
}


def test_a_task_reads_the_business_key_and_the_number_of_its_process(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail", INPUTS), business_key="b1")
    (task,) = fetch(url, "mail", localVariables=True).json()
    found = {name: each["value"] for name, each in task["variables"].items()}
    assert found == {"key": "b1", "same": "b1", "number": number, "again": number}


def test_so_does_one_of_a_called_process_and_what_has_no_key_reads_null(engine: Engine, url: str) -> None:
    inner, outer = (
        row("inner", service("a", "mail", INPUTS)),
        row("outer", '<callActivity id="c" calledElement="inner"/>'),
    )
    engine.deploy(definitions(outer), definitions(inner), external=True)
    number = engine.start(key="outer", name="test").process_instance_id
    (task,) = fetch(url, "mail", localVariables=True).json()
    found = {name: each["value"] for name, each in task["variables"].items()}
    assert found == {"key": None, "same": None, "number": number, "again": number}


def test_a_variable_called_execution_is_what_it_was(engine: Engine, url: str) -> None:
    started(engine, service("a", "mail", {"x": "${execution.id}"}), variables={"execution": {"id": "mine"}})
    (task,) = fetch(url, "mail", localVariables=True).json()
    assert task["variables"]["x"]["value"] == "mine"


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("${execution.setVariable('a', 1)}", "resultVariable"),
        ("${S(x).prop('name').stringValue()}", "Spin"),
        ("${execution.startProcess()}", "getVariable"),
    ],
)
def test_a_task_of_what_only_java_can_call_is_no_stone_of_this_name(engine: Engine, expression: str, told: str) -> None:
    model = line("shop", f'<serviceTask id="a" camunda:expression="{expression}" camunda:resultVariable="r"/>')
    found = [finding for finding in engine.lint(model) if finding.severity == "error"]
    assert [finding.code for finding in found] == ["expression"]
    assert told in found[0].text
    with pytest.raises(ModelInvalid, match=told):
        engine.deploy(model, external=True)


def test_a_task_that_reads_a_variable_is_no_stone_either(engine: Engine) -> None:
    task = '<serviceTask id="a" camunda:expression="${execution.getVariable(\'x\')}" camunda:resultVariable="y"/>'
    engine.deploy(line("shop", task))
    number = engine.start(key="shop", name="test", variables={"x": 4}).process_instance_id
    assert engine.wait(number, 30).status == "success"
    assert engine.variables(number)["y"] == 4


def test_members_that_only_java_has_are_refused_by_name(engine: Engine) -> None:
    with pytest.raises(ModelInvalid, match=r"execution.currentActivityId.*processBusinessKey"):
        engine.deploy(line("shop", service("a", "mail", {"x": "${execution.currentActivityId}"})), external=True)


@pytest.mark.parametrize("date", ["${dateTime().plusDays(2).toDate()}", "${now()}"])
def test_a_due_date_by_the_clock_is_refused_with_what_to_write(engine: Engine, date: str) -> None:
    for name in ("dueDate", "followUpDate"):
        with pytest.raises(ModelInvalid, match="P2D"):
            engine.deploy(line("shop", f'<userTask id="u" camunda:{name}="{date}"/>'))


def test_a_priority_may_be_an_expression_and_the_processes_is_for_all(engine: Engine, url: str) -> None:
    own = {"camunda:taskPriority": "${prio}"}
    model = line("shop", service("a", "mail", None, "", **own)).replace(
        b'<process id="shop"', b'<process id="shop" camunda:taskPriority="5"'
    )
    engine.deploy(model, external=True)
    other = line("other", service("a", "mail")).replace(
        b'<process id="other"', b'<process id="other" camunda:taskPriority="5"'
    )
    engine.deploy(other, external=True)
    assert not [each for each in engine.lint(model) if each.code == "not-yet-used"]
    low = engine.start(key="shop", name="t", variables={"prio": 1}).process_instance_id
    middle = engine.start(key="other", name="t").process_instance_id
    high = engine.start(key="shop", name="t", variables={"prio": "90"}).process_instance_id
    found = fetch(url, "mail").json()
    assert [(each["processInstanceId"], each["priority"]) for each in found] == [(high, 90), (middle, 5), (low, 1)]
    wrong = engine.start(key="shop", name="t", variables={"prio": "soon"}, on_failure="pause").process_instance_id
    until(lambda: "taskPriority" in str(engine.why(wrong)))
