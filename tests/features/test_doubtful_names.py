"""What cannot work is told while it is drawn: names that nothing sets, columns that no table has, due dates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from riverstone.engine import Engine, Finding

from .sketch import definitions
from .test_decisions import decisions, process, table

SIZE = decisions(size=table("FIRST", ["amount"], ["type", "count"], '- : "m1" | 2'))
APPROVED = '<camunda:formData><camunda:formField id="approved" type="boolean"/></camunda:formData>'


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


def asked(condition: str, form: str = APPROVED, attributes: str = "") -> bytes:
    """A person is asked, and a gateway decides."""
    return definitions(
        f"""<process id="p" isExecutable="true"><startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="ask"/>
        <userTask id="ask" name="Approve it" {attributes}><extensionElements>{form}</extensionElements></userTask>
        <sequenceFlow id="b" sourceRef="ask" targetRef="way"/><exclusiveGateway id="way" default="no"/>
        <sequenceFlow id="yes" sourceRef="way" targetRef="e"><conditionExpression>{condition}</conditionExpression>
        </sequenceFlow><sequenceFlow id="no" sourceRef="way" targetRef="e"/><endEvent id="e"/></process>"""
    )


def lint(engine: Engine, *files: bytes, **options: Any) -> list[Finding]:
    codes = ("unknown-name", "unknown-column", "due-date")
    return [each for each in engine.lint(*files, **options) if each.code in codes]


def test_a_misspelt_field_of_a_form_is_told_with_the_one_that_is_meant(engine: Engine) -> None:
    (told,) = lint(engine, asked("${aproved}"))
    assert (told.code, told.severity, told.element_id) == ("unknown-name", "warning", "way")
    assert "reads 'aproved'" in told.text
    assert "did you mean 'approved'?" in told.text
    assert not lint(engine, asked("${approved}"))


@pytest.mark.parametrize("name", ["budget", "approveds", "approved2", "approvedBy"])
def test_a_name_that_the_start_may_bring_is_no_slip(engine: Engine, name: str) -> None:
    assert not lint(engine, asked(f"${{{name}}}"))


def test_with_start_variables_every_name_that_nothing_sets_is_told(engine: Engine) -> None:
    (told,) = lint(engine, asked("${budget}"), parameter_template=[{"Key": "amount"}])
    assert "there are amount, approved." in told.text
    assert not lint(engine, asked("${budget}"), parameter_template=[{"Key": "budget"}])


def test_a_task_without_a_form_asks_for_what_the_conditions_read(engine: Engine) -> None:
    assert not lint(engine, asked("${aproved}", form=""), parameter_template=[{"Key": "approvals"}])


def test_a_column_that_the_decision_does_not_have_is_told(engine: Engine) -> None:
    chosen = 'camunda:decisionRef="size" camunda:resultVariable="size" camunda:mapDecisionResult="singleResult"'

    def model(path: str) -> bytes:
        task = f'<businessRuleTask id="choose" name="Choose" {chosen}/><userTask id="use" name="Use it"'
        flows = '<sequenceFlow id="h" sourceRef="choose" targetRef="use"/>'
        return process(f'{task} camunda:assignee="${{{path}}}"/>{flows}')

    (told,) = lint(engine, model("size.kind"), SIZE)
    assert (told.code, told.severity, told.element_id) == ("unknown-column", "warning", "use")
    assert "no column 'kind': there are count, type." in told.text
    assert not lint(engine, model("size.type"), SIZE)
    engine.deploy(SIZE)
    (told,) = lint(engine, model("size.kind"))
    assert "'kind'" in told.text
    assert not lint(engine, model("size"))


@pytest.mark.parametrize("text", ["3 days", "tomorrow", "P3", "2031-13-01"])
@pytest.mark.parametrize("name", ["dueDate", "followUpDate"])
def test_a_due_date_that_is_no_time_is_told_with_what_to_write(engine: Engine, name: str, text: str) -> None:
    (told,) = lint(engine, asked("${approved}", attributes=f'camunda:{name}="{text}"'))
    assert (told.code, told.severity, told.element_id) == ("due-date", "error", "ask")
    assert text in told.text
    assert "P3D" in told.text


@pytest.mark.parametrize("text", ["P3D", "PT4H", "2031-01-31T12:00:00Z", "2031-01-31", "${day}", "${approvals.day}"])
def test_a_due_date_that_is_a_time_is_not(engine: Engine, text: str) -> None:
    assert not lint(engine, asked("${approved}", attributes=f'camunda:dueDate="{text}"'))
