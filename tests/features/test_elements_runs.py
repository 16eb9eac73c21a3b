"""What the runs of a multi-instance sub-process put out, and who sees it. Every story is told twice, as above."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .elements import START, Stage, end, model, runs, script, stages, sub, user, work
from .test_elements_mappings import EXTENDED, put
from .test_elements_variables import over


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def see(node: str, *paths: str) -> str:
    """A task that gives what these references find to the log, by a mapping and a script behind it."""
    values = "".join(
        f'<camunda:inputParameter name="v{place}">{path}</camunda:inputParameter>' for place, path in enumerate(paths)
    )
    inputs = EXTENDED.format(f"<camunda:inputOutput>{values}</camunda:inputOutput>")
    names = ", ".join(f"v{place}" for place in range(len(paths)))
    return f'<scriptTask id="{node}" scriptFormat="python">{inputs}<script>log([{names}])</script></scriptTask>'


def repeated(body: str, *lines: str, node: str = "sub", marker: str = runs("3")) -> str:
    return sub(node, f'<startEvent id="{node}s"/>{body}', *lines, inside=marker)


def outputs(stage: Stage) -> Any:
    return json.loads(stage.engine.get(stage.number).native_outputs)


def ask(stage: Stage, node: str, turn: int, **given: Any) -> None:
    """Answer the open task of this node in this run."""
    (task,) = (
        each
        for each in stage.engine.tasks(stage.number)
        if each.element_id == node and each.end_time is None and each.runs[:1] == (turn,)
    )
    stage.engine.complete(task.task_id, given)
    stage._settle()


def test_each_parallel_run_sees_what_it_put_out_itself(stage: Stage) -> None:
    body = repeated(user("srv") + user("wait") + see("z", "${outputs.srv.id}"), "subs -> srv -> wait -> z")
    stage.start(model(START + body + end("e"), "s -> sub -> e"))
    for turn in (2, 3, 1):
        ask(stage, "srv", turn, id=f"i-{turn}")
    for turn in (1, 2, 3):
        ask(stage, "wait", turn)
    assert stage.log == [["i-1"], ["i-2"], ["i-3"]]
    assert stage.status == "success"
    found = outputs(stage)
    assert [found[f"sub{turn}"] for turn in (1, 2, 3)] == [{"srv": {"id": f"i-{turn}"}} for turn in (1, 2, 3)]
    assert found["srv"] == {"id": "i-1"}  # the run that came last


def test_the_plain_namespace_is_that_of_one_run_and_no_mixture(stage: Stage) -> None:
    body = repeated(user("srv"), "subs -> srv", marker=runs("2"))
    stage.start(
        model(START + body + see("z", "${outputs.srv}", "${outputs.sub1.srv.id}") + end("e"), "s -> sub -> z -> e")
    )
    ask(stage, "srv", 2, id="i-2", zone="b")
    ask(stage, "srv", 1, id="i-1")
    assert stage.log == [[{"id": "i-1"}, "i-1"]]


def test_a_run_does_not_take_what_another_run_has_put_out_for_its_own(stage: Stage) -> None:
    lines = ("subs -> choose -> g", "g -> srv ? make", "srv -> z", "g -> z ? !make")
    inside = user("choose") + '<exclusiveGateway id="g"/>' + user("srv") + see("z", "${exists(outputs.srv.id)}")
    stage.start(model(START + repeated(inside, *lines, marker=runs("2")) + end("e"), "s -> sub -> e"), make=True)
    ask(stage, "choose", 1)
    ask(stage, "srv", 1, id="i-1")
    ask(stage, "choose", 2, make=False)
    assert stage.log == [[True], [False]]


def test_what_is_outside_is_seen_from_inside_of_a_run(stage: Stage) -> None:
    body = repeated(see("z", "${outputs.net.id}"), "subs -> z", marker=runs("2"))
    stage.start(model(START + user("net") + body + end("e"), "s -> net -> sub -> e")).complete("net", id="n-1")
    assert stage.log == [["n-1"], ["n-1"]]


def test_runs_in_turn_see_what_the_run_before_put_out_until_they_have_their_own(stage: Stage) -> None:
    body = repeated(
        see("y", "${exists(outputs.srv.id) ? outputs.srv.id : 'none'}") + user("srv") + see("z", "${outputs.srv.id}"),
        "subs -> y -> srv -> z",
        marker=runs("2", sequential=True),
    )
    stage.start(model(START + body + end("e"), "s -> sub -> e"))
    stage.complete("srv", id="i-1").complete("srv", id="i-2")
    assert stage.log == [["none"], ["i-1"], ["i-1"], ["i-2"]]


def test_runs_inside_of_runs_see_their_own_first_then_outward(stage: Stage) -> None:
    inner = repeated(
        user("disk") + see("z", "${outputs.srv.id} ${outputs.disk.id}"), "ins -> disk -> z", node="in", marker=runs("2")
    )
    body = repeated(user("srv") + inner, "subs -> srv -> in", marker=runs("2"))
    stage.start(model(START + body + end("e"), "s -> sub -> e"))
    ask(stage, "srv", 2, id="s2")
    ask(stage, "srv", 1, id="s1")
    for turn in ((1, 2), (2, 1), (1, 1), (2, 2)):
        (task,) = (each for each in stage.engine.tasks(stage.number) if each.runs == turn and each.element_id == "disk")
        stage.engine.complete(task.task_id, {"id": f"d{turn[0]}{turn[1]}"})
        stage._settle()
    assert sorted(stage.log) == [["s1 d11"], ["s1 d12"], ["s2 d21"], ["s2 d22"]]
    found = outputs(stage)
    assert found["sub1"]["in2"] == {"disk": {"id": "d12"}}
    assert (found["sub1"]["disk"], found["sub2"]["disk"], found["disk"]) == (
        {"id": "d11"},
        {"id": "d22"},
        {"id": "d22"},
    )


def test_a_call_inside_of_a_run_sees_its_own_outputs(stage: Stage) -> None:
    inner = model(
        '<startEvent id="cs"/>' + user("srv") + user("wait") + see("z", "${outputs.srv.id}"),
        "cs -> srv -> wait -> z",
        key="inner",
    )
    call = '<callActivity id="call" calledElement="inner"/>'
    body = repeated(call + see("y", "${outputs.call.srv.id}"), "subs -> call -> y", marker=runs("2"))
    stage.start(model(START + body + end("e"), "s -> sub -> e"), inner)
    ask(stage, "srv", 2, id="i-2")
    ask(stage, "srv", 1, id="i-1")
    ask(stage, "wait", 2)
    ask(stage, "wait", 1)
    assert stage.log == [["i-2"], ["i-2"], ["i-1"], ["i-1"]]
    assert outputs(stage)["sub2"] == {"call": {"srv": {"id": "i-2"}}}


def test_runs_inside_of_a_called_process_are_nested_in_the_call(stage: Stage) -> None:
    inner = model(
        '<startEvent id="cs"/>' + repeated(user("srv"), "subs -> srv", marker=runs("2")), "cs -> sub", key="inner"
    )
    stage.start(model(START + '<callActivity id="call" calledElement="inner"/>' + end("e"), "s -> call -> e"), inner)
    ask(stage, "srv", 1, id="i-1")
    ask(stage, "srv", 2, id="i-2")
    call = outputs(stage)["call"]
    assert call == {"sub1": {"srv": {"id": "i-1"}}, "sub2": {"srv": {"id": "i-2"}}, "srv": {"id": "i-2"}}


COLLECTING = {
    "zeebe": over("= xs", outputCollection="res", outputElement="= outputs.srv.id"),
    "zeebe in two steps": over("= xs", outputCollection="res", outputElement="= got"),
    "bpmn": "<multiInstanceLoopCharacteristics><loopDataInputRef>xs</loopDataInputRef>"
    '<loopDataOutputRef>res</loopDataOutputRef><outputDataItem id="o" name="got"/></multiInstanceLoopCharacteristics>',
}


@pytest.mark.parametrize("way", COLLECTING)
def test_the_results_of_runs_are_collected_in_their_order(stage: Stage, way: str) -> None:
    mapped = f'<task id="m">{EXTENDED.format(put("out", got="${outputs.srv.id}"))}</task>'
    body = repeated(user("srv") + user("wait") + mapped, "subs -> srv -> wait -> m", marker=COLLECTING[way])
    stage.start(
        model(START + body + script("z", "log(res)") + end("e"), "s -> sub -> z -> e"), xs=["a", "b", "c"], got=0
    )
    for turn in (3, 1, 2):
        ask(stage, "srv", turn, id=f"i-{turn}")
    for turn in (2, 3, 1):
        ask(stage, "wait", turn)
    assert stage.log == [["i-1", "i-2", "i-3"]]


def test_a_run_is_shown_with_each_of_its_tasks(stage: Stage) -> None:
    stage.start(
        model(
            START + repeated(work("srv"), "subs -> srv", marker=runs("2")) + user("u") + end("e"), "s -> sub -> u -> e"
        )
    )
    assert [(task.namespace, task.runs) for task in stage.engine.tasks(stage.number)] == [
        ("srv", (1,)),
        ("srv", (2,)),
        ("u", ()),
    ]
    steps = stage.engine.preview(stage.number, "cancel")
    assert {step.runs for step in steps if step.namespace == "srv"} == {(1,), (2,)}


COLLECTED = {
    "by name": over("= xs", outputCollection="res", outputElement="= ran"),
    "by namespace": over("= xs", outputCollection="res", outputElement="= outputs.t.ran"),
    "in a sum": over("= xs", outputCollection="res", outputElement="= ran + &quot;&quot;"),
    "bpmn": COLLECTING["bpmn"].replace("got", "ran"),
}


@pytest.mark.parametrize("way", COLLECTED)
def test_the_results_of_a_stone_that_runs_several_times_are_collected(stage: Stage, way: str) -> None:
    """The output of each instance is what its task has put out (BPMN 2.0.2, 10.3.8; Camunda 8)."""
    body = work("t", COLLECTED[way]) + script("z", "log([res, ran])")
    stage.start(model(START + body + end("e"), "s -> t -> z -> e"), xs=["a", "b"], ran="outside")
    assert stage.log[-1] == [["t1", "t2"], "outside"]


def test_a_mapping_of_each_run_sees_its_own_outputs(stage: Stage) -> None:
    mapped = EXTENDED.format(put("out", got="${outputs.t.ran}"))
    task = work("t", mapped + over("= xs", outputCollection="res", outputElement="= got"))
    stage.start(model(START + task + script("z", "log(res)") + end("e"), "s -> t -> z -> e"), xs=["a", "b"])
    assert stage.log[-1] == ["t1", "t2"]


def test_a_call_of_each_run_is_seen_under_its_namespace(stage: Stage) -> None:
    inner = model('<startEvent id="cs"/>' + work("srv"), "cs -> srv", key="inner")
    collected = over("= xs", outputCollection="res", outputElement="= outputs.call.srv.ran")
    call = f'<callActivity id="call" calledElement="inner">{collected}</callActivity>'
    stage.start(
        model(START + call + script("z", "log([res, outputs['call2']])") + end("e"), "s -> call -> z -> e"),
        inner,
        xs=["a", "b"],
    )
    assert stage.log[-1] == [["srv", "srv"], {"srv": {"ran": "srv"}}]


def test_runs_that_an_earlier_version_began_go_on(tmp_path: Path) -> None:
    """Their rows name no runs, so what these put out is found under the plain namespace, as it was."""
    for stage in stages(tmp_path, restarts=True):
        body = repeated(
            user("srv") + user("wait") + see("z", "${outputs.srv.id}"), "subs -> srv -> wait -> z", marker=runs("2")
        )
        stage.start(model(START + body + end("e"), "s -> sub -> e"))
        ask(stage, "srv", 1, id="i-1")
        ask(stage, "srv", 2, id="i-2")
        stage.engine._store.execute("UPDATE `task` SET `path` = NULL, `state` = NULL")
        stage.complete("wait").complete("wait")
        assert stage.log == [["i-2"], ["i-2"]]
        assert stage.status == "success"


# -- told before it is deployed


def told(stage: Stage, body: str, *lines: str) -> list[tuple[str, str | None, str]]:
    found = stage.engine.lint(model(START + body + end("e"), *lines))
    return [
        (each.code, each.element_id, each.text) for each in found if "outputs" in each.text or "out under" in each.text
    ]


def test_a_reference_from_outside_to_what_each_run_puts_out_is_told(stage: Stage) -> None:
    runs_of = repeated(user("srv") + see("in", "${outputs.srv.id}"), "subs -> srv -> in")
    (found,) = told(stage, runs_of + see("z", "${outputs.srv.id}"), "s -> sub -> z -> e")
    assert found == (
        "output-of-runs",
        "z",
        "'z' refers to ${outputs.srv.id}, which each run of 'sub' puts out, and gets that of the run that ended last: "
        "name a run, as in ${outputs.sub1.srv.id}, or collect the results of all in a list.",
    )
    assert not told(stage, runs_of + see("z", "${outputs.sub2.srv.id}"), "s -> sub -> z -> e")
    collecting = repeated(user("srv"), "subs -> srv", marker=COLLECTING["zeebe"])
    assert not told(stage, collecting, "s -> sub -> e")


def test_a_reference_from_one_run_to_the_runs_inside_is_told(stage: Stage) -> None:
    inner = repeated(user("disk"), "ins -> disk", node="in")
    body = repeated(inner + see("z", "${outputs.disk.id}"), "subs -> in -> z")
    (found,) = told(stage, body, "s -> sub -> e")
    assert found[:2] == ("output-of-runs", "z")
    assert "${outputs.in1.disk.id}" in found[2]


@pytest.mark.parametrize("other", [user("sub1"), work("x1") + user("x", runs("2")), user("sub12")])
def test_names_that_meet_those_of_runs_are_told(stage: Stage, other: str) -> None:
    body = repeated(user("srv"), "subs -> srv", marker=runs("2")) + other
    (found,) = told(stage, body, "s -> sub -> e")
    assert found[0] == "namespace-collision"
