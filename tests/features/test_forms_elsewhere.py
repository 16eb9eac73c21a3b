"""A model shows a form that was deployed with another one, and keeps it as it was then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from riverstone.engine import Engine, ModelInvalid

from .sketch import line


def form(label: str, **more: Any) -> bytes:
    field = {"type": "textfield", "key": "name", "id": "name", "label": label}
    return json.dumps({"type": "default", "id": "address", "components": [field], **more}).encode()


def model(key: str, binding: str = "", ref: str = "") -> bytes:
    linked = f'<zeebe:formDefinition formId="address" {binding}/>' if not ref else ""
    task = f'<userTask id="ask" camunda:assignee="ann" {ref}><extensionElements>{linked}</extensionElements></userTask>'
    made = line(key, task)
    return made.replace(b"<definitions ", b'<definitions xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" ', 1)


def shown(engine: Engine, **what: str) -> str:
    """The label of the field that whoever has the task sees."""
    number = engine.start(name="x", variables={}, **what).process_instance_id  # type: ignore[arg-type]
    (task,) = engine.tasks(number)
    (field,) = engine.people.form(task.task_id).parts
    return str(field.label)


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    with Engine(sqlite) as engine:
        yield engine


def missing(engine: Engine, *files: bytes) -> str:
    with pytest.raises(ModelInvalid) as caught:
        engine.deploy(*files)
    assert [each.code for each in caught.value.findings] == ["form-missing"]
    return caught.value.findings[0].text


def test_a_form_of_another_deployment_is_found_and_kept_as_it_was(engine: Engine) -> None:
    assert "shows the form 'address', which is not deployed: deploy it" in missing(engine, model("order"))
    engine.deploy(model("shop"), form("Street"))
    first = engine.deploy(model("order"))
    assert engine.deploy(model("order")) == first
    assert shown(engine, key="order") == "Street"

    engine.deploy(model("shop"), form("Road"))
    assert shown(engine, key="order") == "Street"
    second = engine.deploy(model("order"))
    assert second.version == 2
    assert shown(engine, key="order") == "Road"
    assert shown(engine, deployment_id=first.deployment_id) == "Street"

    # Without the others there is still what was kept.
    for each in engine.deployments(key="shop").items:
        engine.remove_deployment(each.deployment_id)
    assert shown(engine, key="order") == "Road"
    assert engine.deploy_model(second.model_id or "").version == 2
    assert "'address'" in missing(engine, model("other"))


def test_a_saved_model_brings_the_newest_form_with_its_next_deployment(engine: Engine) -> None:
    engine.deploy(model("shop"), form("Street"))
    saved = engine.save_model(model("order"))
    assert engine.deploy_model(saved.model_id).version == 1
    assert shown(engine, model_id=saved.model_id) == "Street"
    assert engine.deploy_model(saved.model_id).version == 1
    engine.deploy(model("shop"), form("Road"))
    assert engine.deploy_model(saved.model_id).version == 2
    assert shown(engine, key="order") == "Road"
    # Whoever edits it sends its files back, with the copy among them.
    files = [text.encode() for text in engine.model(saved.model_id).files]
    assert engine.lint(*files) == []
    edited = engine.save_model(*files, model_id=saved.model_id)
    assert len(edited.files) == len(files) == 2
    own = engine.save_model(model("order"), form("Own"), model_id=saved.model_id)
    assert len(own.files) == 2
    engine.deploy_model(saved.model_id)
    assert shown(engine, key="order") == "Own"


def test_bindings_choose_among_the_versions_of_a_form(engine: Engine) -> None:
    engine.deploy(model("shop"), form("Street", versionTag="1.0"))
    engine.deploy(model("shop"), form("Road", versionTag="2.0"))
    tagged = 'bindingType="versionTag" versionTag="1.0"'
    engine.deploy(model("tagged", tagged))
    assert shown(engine, key="tagged") == "Street"
    numbered = 'camunda:formRef="address" camunda:formRefBinding="version" camunda:formRefVersion="{}"'
    engine.deploy(model("seven", ref=numbered.format(1)))
    assert shown(engine, key="seven") == "Street"
    engine.deploy(model("latest", 'bindingType="latest"'))
    assert shown(engine, key="latest") == "Road"

    # A form beside the model with another tag is not the one that is meant.
    engine.deploy(model("beside", tagged), form("Own", versionTag="3.0"))
    assert shown(engine, key="beside") == "Street"
    assert "version tag '4.0'" in missing(engine, model("x", 'bindingType="versionTag" versionTag="4.0"'), form("Own"))
    assert "of its own deployment" in missing(engine, model("x", 'bindingType="deployment"'))
    assert "in version 9" in missing(engine, model("x", ref=numbered.format(9)))


def test_two_versions_of_one_form_are_shown_by_one_model(engine: Engine) -> None:
    engine.deploy(model("shop"), form("Street", versionTag="1.0"))
    engine.deploy(model("shop"), form("Road"))
    both = model("both", 'bindingType="versionTag" versionTag="1.0"').replace(
        b"</process>",
        b'<userTask id="more" camunda:assignee="ann"><extensionElements>'
        b'<zeebe:formDefinition formId="address"/></extensionElements>'
        b'</userTask><sequenceFlow id="z" sourceRef="begin" targetRef="more"/></process>',
    )
    deployed = engine.deploy(both)
    assert len(deployed.files) == 3
    number = engine.start(key="both", name="x", variables={}).process_instance_id
    labels = {each.element_id: engine.people.form(each.task_id).parts[0].label for each in engine.tasks(number)}
    assert labels == {"ask": "Street", "more": "Road"}


def test_another_engine_finds_what_was_deployed_since_it_looked_last(sqlite: str) -> None:
    with Engine(sqlite) as one, Engine(sqlite) as other:
        assert [each.code for each in one.lint(model("order"))] == ["form-missing"]
        other.deploy(model("shop"), form("Street"))
        assert one.lint(model("order")) == []
        other.deploy(model("shop"), form("Road"))
        one.deploy(model("order"))
        assert shown(one, key="order") == shown(other, key="order") == "Road"
