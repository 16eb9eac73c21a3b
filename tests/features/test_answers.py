"""A person's wrong answer never fails a process: it is refused by name, and the task stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from riverstone.engine import Engine, Invalid

from .sketch import line

ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
FORM = (
    "<camunda:formData>"
    '<camunda:formField id="approved" type="boolean"/><camunda:formField id="amount" type="long"/>'
    '<camunda:formField id="kind" type="enum"><camunda:value id="new"/><camunda:value id="old"/></camunda:formField>'
    "</camunda:formData>"
)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


def asked(engine: Engine, extension: str, **options: object) -> str:
    """Start a process that asks a person; the id of the task."""
    task = f'<userTask id="ask" name="Ask"><extensionElements>{extension}</extensionElements></userTask>'
    engine.deploy(line("p", task).replace(b"<definitions", f"<definitions {ZEEBE}".encode(), 1), **options)  # type: ignore[arg-type]
    started = engine.start(key="p", name="x", variables={"size": 1})
    (open_task,) = engine.tasks(started.process_instance_id)
    return open_task.task_id


def wrong(engine: Engine, task_id: str, answer: dict[str, object]) -> dict[str, list[str]]:
    """What is refused of an answer, after which the task is as open as before."""
    with pytest.raises(Invalid) as refused:
        engine.complete(task_id, answer)
    assert refused.value.code == "outputs-invalid"
    task = engine.task(task_id)
    assert (task.end_time, task.status) == (None, "running")
    assert engine.get(task.process_instance_id).status == "running"
    return refused.value.errors


def done(engine: Engine, task_id: str, answer: dict[str, object]) -> None:
    engine.complete(task_id, answer)
    assert engine.get(engine.task(task_id).process_instance_id).status == "success"


def test_a_form_refuses_names_and_types_that_it_does_not_have(engine: Engine) -> None:
    task_id = asked(engine, FORM)
    assert wrong(engine, task_id, {"aproved": True, "amount": "many", "kind": "odd"}) == {
        "aproved": ["Is not asked for: did you mean 'approved'?"],
        "amount": ["Must be a whole number."],
        "kind": ["Must be one of new, old."],
    }
    done(engine, task_id, {"approved": "true", "amount": "12", "kind": "new"})


def test_an_output_mapping_that_cannot_be_evaluated_with_the_answer_is_told(engine: Engine) -> None:
    """A typo in a dialog once rolled a whole environment back."""
    mapping = '<camunda:outputParameter name="decided">${approved}</camunda:outputParameter>'
    task_id = asked(engine, f"<camunda:inputOutput>{mapping}</camunda:inputOutput>")
    assert wrong(engine, task_id, {"aproved": True}) == {"approved": ["Is missing: 'decided' is made of it."]}
    done(engine, task_id, {"approved": True})


def test_where_only_a_mapping_counts_no_other_name_is_taken(engine: Engine) -> None:
    """Camunda 8: with an output mapping only the mapping counts, so another name would be lost."""
    task_id = asked(engine, '<zeebe:ioMapping><zeebe:output source="= approved" target="decided"/></zeebe:ioMapping>')
    assert list(wrong(engine, task_id, {"aproved": True})) == ["aproved"]
    done(engine, task_id, {"approved": True})


def test_a_variable_of_the_parameter_template_keeps_its_type(engine: Engine) -> None:
    template = [{"Key": "size", "Type": "Integer", "MinValue": 1}]
    task_id = asked(engine, "", parameter_template=template)
    assert list(wrong(engine, task_id, {"size": "large"})) == ["size"]
    done(engine, task_id, {"size": 3, "other": "is free"})


def test_without_declared_names_every_name_is_taken(engine: Engine) -> None:
    task_id = asked(engine, "")
    done(engine, task_id, {"anything": [1, {"at": "all"}], "size": None})
