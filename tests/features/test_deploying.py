"""A file becomes a numbered version once, or is refused with everything that is wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import (
    Deployment,
    Engine,
    Invalid,
    Malformed,
    ModelInvalid,
    Stone,
    TaskInfo,
    TooLarge,
    UnknownDeployment,
)

from .sketch import catch, definitions, flow, line, process, row, runs, service


class Make(Stone):
    """Puts out an id."""

    code = "make"

    def start(self, task: TaskInfo) -> None:
        task.add_output("id", f"{task.namespace}-1")


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    with Engine(sqlite, stones=[Make]) as engine:
        yield engine


def findings(error: ModelInvalid) -> dict[str | None, str]:
    return {finding.element_id: finding.code for finding in error.findings if finding.severity == "error"}


def refused(engine: Engine, *sources: bytes, **templates: Any) -> dict[str | None, str]:
    with pytest.raises(ModelInvalid) as caught:
        engine.deploy(*sources, **templates)
    assert engine.deployments().items == ()
    assert engine.models().items == ()
    return findings(caught.value)


def test_a_path_bytes_and_an_open_file_with_the_same_content_are_one_deployment(engine: Engine, tmp_path: Path) -> None:
    content = line("shop", service("order", "make"))
    path = tmp_path / "shop.bpmn"
    path.write_bytes(content)

    first = engine.deploy(content)

    assert first.version == 1
    assert first.key == "shop"
    assert engine.deploy(path) == first
    assert engine.deploy(str(path)) == first
    assert engine.deploy(io.BytesIO(content)) == first
    with path.open("rb") as file:
        assert engine.deploy(file) == first
    assert engine.deployments().items == (first,)


def test_new_content_is_the_next_version_of_the_same_model(engine: Engine) -> None:
    first = engine.deploy(line("shop", service("order", "make")))
    second = engine.deploy(line("shop", service("order", "make"), service("bill", "make")))

    assert (first.version, second.version) == (1, 2)
    assert second.deployment_id != first.deployment_id
    assert second.model_id == first.model_id
    assert engine.deployment(first.deployment_id) == first
    assert engine.start(key="shop", name="test").deployment_id == second.deployment_id


def test_going_back_to_earlier_content_is_a_version_of_its_own_and_the_newest(engine: Engine) -> None:
    one, two = line("shop", service("order", "make")), line("shop", service("buy", "make"))

    engine.deploy(one)
    engine.deploy(two)
    again = engine.deploy(one)

    assert engine.start(key="shop", name="test").deployment_id == again.deployment_id
    assert [task.element_id for task in engine.tasks(engine.instances().items[0].process_instance_id)] == ["order"]


def test_another_template_makes_another_version(engine: Engine) -> None:
    content = line("shop", service("order", "make"))

    assert engine.deploy(content).version == 1
    assert engine.deploy(content, parameter_template=[{"Key": "size", "Type": "String"}]).version == 2


def test_files_that_call_each_other_are_deployed_together(engine: Engine) -> None:
    caller = line("outer", '<callActivity id="call" calledElement="inner"/>', service("after", "make"))
    called = line("inner", service("work", "make"))

    deployed = engine.deploy(caller, called)
    done = engine.start(key="outer", name="test")

    assert deployed.key == "outer"
    assert engine.get(done.process_instance_id).status == "success"
    assert engine.get(done.process_instance_id).native_output_values == {
        "call": {"work": {"id": "work-1"}},
        "after": {"id": "after-1"},
    }
    assert engine.wait(engine.start(key="inner", name="alone").process_instance_id).status == "success"


def test_a_process_deployed_before_can_be_called(engine: Engine) -> None:
    engine.deploy(line("inner", service("work", "make")))
    engine.deploy(line("outer", '<callActivity id="call" calledElement="inner"/>'))

    assert engine.wait(engine.start(key="outer", name="test").process_instance_id).status == "success"


def test_an_unknown_stone_is_told_with_its_element(engine: Engine) -> None:
    assert refused(engine, line("shop", service("order", "make"), service("bill", "SIP::Bill"))) == {
        "bill": "unknown-stone"
    }


def test_an_unknown_called_process_is_told_with_its_element(engine: Engine) -> None:
    assert refused(engine, line("outer", '<callActivity id="call" calledElement="nobody"/>')) == {
        "call": "unknown-called-process"
    }


@pytest.mark.parametrize("inside", ["${outputs.nowhere.x}", "a ${outputs.nowhere.x} b", "${outputs.nowhere}"])
def test_outputs_of_no_node_are_refused_at_deployment(engine: Engine, inside: str) -> None:
    model = line("shop", service("order", "make"), service("bill", "make", {"order": inside}))

    with pytest.raises(
        ModelInvalid, match=r"'bill' refers to \$\{outputs\.nowhere.*no node has the namespace"
    ) as caught:
        engine.deploy(model)

    assert findings(caught.value) == {"bill": "unresolved-reference"}


def test_a_condition_a_loop_and_a_template_that_hang_on_no_node_are_refused(engine: Engine) -> None:
    model = definitions(
        process(
            "shop",
            '<startEvent id="begin"/><exclusiveGateway id="which" default="which_done"/><endEvent id="done"/>',
            service("order", "make", inside=runs("${outputs.nobody.count}")),
            flow("begin", "which"),
            flow("which", "order", "${outputs.nowhere.x == 1}"),
            flow("which", "done"),
            flow("order", "done"),
        )
    )

    assert refused(engine, model, outputs_template=[{"Key": "id", "Value": "${outputs.noone.id}"}]) == {
        "which": "unresolved-reference",
        "order": "unresolved-reference",
        None: "unresolved-reference",
    }


def test_outputs_that_some_node_may_have_are_let_through(engine: Engine) -> None:
    inputs = {
        "run": "${outputs.slave-2.id}",
        "call": "${outputs.call.work.id}",
        "person": "${outputs.ask.ok}",
        "if there": "${exists(outputs.nowhere.x)}",
        "own name": "${outputs.v1.2.id}",
        "of the inside": "${outputs.inside.id}",
        "whole": "${outputs}",
    }
    engine.deploy(
        line(
            "outer",
            service("slave-", "make", inside=runs("${count}")),
            service("v1.2", "make"),
            '<userTask id="ask"/>',
            '<callActivity id="call" calledElement="inner"/>',
            f'<subProcess id="sub"><startEvent id="s"/>{service("inside", "make")}{flow("s", "inside")}</subProcess>',
            service("last", "make", inputs),
        ),
        line("inner", service("work", "make")),
    )


def test_a_called_process_sees_no_outputs_of_its_caller(engine: Engine) -> None:
    outer = line("outer", service("order", "make"), '<callActivity id="call" calledElement="inner"/>')
    inner = line("inner", service("work", "make", {"order": "${outputs.order.id}"}))

    assert refused(engine, outer, inner) == {"work": "unresolved-reference"}


def test_a_parameter_that_the_template_does_not_define_is_refused_at_deployment(engine: Engine) -> None:
    template = [{"Key": "regionId", "Type": "String"}, {"Key": "size", "NameSpace": "disk", "Type": "Number"}]
    good = line("shop", service("a", "make", {"x": "${regionId} ${parameters.regionId} ${parameters.disk.size}"}))
    bad = line(
        "shop", service("a", "make", {"x": "${parameters.regoinId}"}), service("b", "make", {"x": "${disk.sise}"})
    )

    assert refused(engine, bad, parameter_template=template) == {
        "a": "unresolved-reference",
        "b": "unresolved-reference",
    }
    engine.deploy(good, parameter_template=template)
    engine.deploy(bad)


def test_what_the_process_itself_may_set_is_no_parameter_to_be_defined(engine: Engine) -> None:
    template = [{"Key": "regionId", "Type": "String"}]
    mapping = (
        '<extensionElements><camunda:inputOutput><camunda:outputParameter name="made">${id}</camunda:outputParameter>'
        "</camunda:inputOutput></extensionElements>"
    )
    collection = '<multiInstanceLoopCharacteristics camunda:collection="${[1, 2]}" camunda:elementVariable="item"/>'

    engine.deploy(
        line(
            "mapped",
            service("a", "make", inside=mapping),
            service("b", "make", {"x": "${made} ${parameters.made}"}),
            service("c", "make", {"x": "${item} ${loopCounter}"}, inside=collection),
        ),
        parameter_template=template,
    )
    engine.deploy(
        line(
            "told",
            catch("paid", '<messageEventDefinition messageRef="m"/>'),
            service("b", "make", {"x": "${amount}"}),
            before='<message id="m" name="paid"/>',
        ),
        parameter_template=template,
    )
    engine.deploy(
        line("asked", '<userTask id="ask"/>', service("b", "make", {"x": "${answer}"})), parameter_template=template
    )


@pytest.mark.parametrize(
    "templates",
    [
        {"parameter_template": [{"Key": "a", "Type": "Colour"}]},
        {"parameter_template": [{"Type": "String"}]},
        {"parameter_template": [{"Key": "a", "AllowedPattern": "("}]},
        {"outputs_template": [{"Key": "a"}]},
        {"outputs_template": [{"Key": "a", "Value": "${"}]},
    ],
)
def test_a_wrong_template_is_refused_and_nothing_is_stored(engine: Engine, templates: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        engine.deploy(line("shop", service("order", "make")), **templates)

    assert caught.value.code == "template-invalid"
    assert engine.deployments().items == ()
    assert engine.models().items == ()


@pytest.mark.parametrize("source", [b"", b"no xml", b"<a>", b"\xff\xfe\x00", b"<?xml version='1.0'?>"])
def test_what_is_no_xml_is_malformed(engine: Engine, source: bytes) -> None:
    with pytest.raises(Malformed):
        engine.deploy(source)


def test_a_file_that_is_not_there_or_open_as_text_is_malformed(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="cannot be read"):
        engine.deploy(tmp_path / "none.bpmn")
    with pytest.raises(Malformed, match="cannot be read"):
        engine.deploy("no\0path")
    with pytest.raises(Malformed, match="is the text of a file and not its name"):
        engine.deploy("\n<definitions/>")
    with pytest.raises(Malformed, match="binary"):
        engine.deploy(io.StringIO("<definitions/>"))  # type: ignore[arg-type]


def test_a_file_without_a_process_to_run_is_refused(engine: Engine) -> None:
    with pytest.raises(ModelInvalid, match="No process of the file can be run"):
        engine.deploy(definitions(row("shop").replace('isExecutable="true"', 'isExecutable="false"')))


def test_a_file_over_the_limit_is_too_large(engine: Engine) -> None:
    with pytest.raises(TooLarge):
        engine.deploy(b"<!--" + b" " * engine.limits.model_size + b"-->" + line("shop", service("order", "make")))


def test_lint_tells_the_same_and_stores_nothing(engine: Engine) -> None:
    found = engine.lint(line("shop", service("bill", "SIP::Bill", {"x": "${outputs.nowhere.x}"})))

    assert {finding.code for finding in found} >= {"unknown-stone", "unresolved-reference"}
    assert engine.deployments().items == ()


def test_an_edited_model_is_numbered_when_it_is_deployed(engine: Engine) -> None:
    model = engine.save_model(line("shop", service("order", "make")))
    with pytest.raises(UnknownDeployment):
        engine.start(key="shop", name="test")

    first = engine.deploy_model(model.model_id)
    assert engine.deploy_model(model.model_id) == first
    engine.save_model(line("shop", service("buy", "make")), model_id=model.model_id)
    second = engine.deploy_model(model.model_id)

    assert (first.version, second.version) == (1, 2)
    assert engine.deploy(line("shop", service("buy", "make"))) == second


def test_a_model_of_several_processes_is_numbered_as_a_whole(engine: Engine) -> None:
    model = engine.save_model(
        line("outer", '<callActivity id="call" calledElement="inner"/>'), line("inner", service("work", "make"))
    )

    engine.deploy_model(model.model_id)

    assert sorted(deployment.key for deployment in engine.deployments().items) == ["inner", "outer"]
    assert engine.get(engine.start(key="inner", name="test").process_instance_id).status == "success"


def test_versions_are_numbered_one_by_one_however_many_deploy_at_once(engine: Engine, tmp_path: Path) -> None:
    with Engine(engine.url, stones=[Make], passive=True) as other:

        def deploy(number: int) -> Deployment:
            return (engine, other)[number % 2].deploy(line("shop", service(f"order{number // 4}", "make")))

        with ThreadPoolExecutor(20) as pool:
            deployed = list(pool.map(deploy, range(40)))

    versions = {deployment.version: deployment.xml for deployment in deployed}
    stored = [deployment.version for deployment in engine.deployments(limit=100).items]
    assert sorted(stored) == list(range(1, len(stored) + 1))
    assert set(versions) <= set(stored)
    assert len({deployment.deployment_id for deployment in deployed}) == len(versions)


def test_what_was_deployed_can_be_deployed_again_as_it_is_shown(engine: Engine) -> None:
    deployment = engine.deploy(line("shop", service("order", "make")))

    assert engine.deploy(deployment.xml.encode()) == deployment


def test_a_deployment_comes_with_a_diagram_though_the_file_had_none(engine: Engine) -> None:
    deployment = engine.deploy(line("shop", service("order", "make")))

    assert 'bpmnElement="order"' in deployment.xml
