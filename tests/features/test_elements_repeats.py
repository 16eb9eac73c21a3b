"""Loops, multi-instance and token quantities. Every story is told twice, once with restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Engine, ModelInvalid

from .elements import START, Stage, boundary, end, model, runs, script, signal, stages, sub, timer, user, work

SIGNAL = '<signal id="S" name="S"/><signalEventDefinition id="SD" signalRef="S"/>'


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def loop(condition: str = "", **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    inside = f"<loopCondition>{condition}</loopCondition>" if condition else ""
    return f"<standardLoopCharacteristics{more}>{inside}</standardLoopCharacteristics>"


def alone(task: str, before: str = "") -> bytes:
    return model(START + task + user("z") + end("e"), "s -> t -> z -> e", before=before)


# -- standard loops


def test_a_loop_goes_on_while_its_condition_holds(stage: Stage) -> None:
    stage.start(alone(user("t", loop("again"))))
    assert stage.complete("t", again=True).open == ["t"]
    assert stage.complete("t", again=False).open == ["z"]


def test_a_loop_that_is_tested_before_may_not_run_at_all(stage: Stage) -> None:
    stage.start(alone(user("t", loop("again", testBefore="true"))), again=False)
    assert stage.open == ["z"]


def test_a_loop_ends_at_its_maximum(stage: Stage) -> None:
    stage.start(alone(work("t", loop("true", loopMaximum="3"))))
    assert stage.log == ["t", "t", "t"]
    assert stage.open == ["z"]


def test_a_sub_process_loops_and_counts(stage: Stage) -> None:
    inner = '<startEvent id="i"/>' + work("w") + script("c", "log(loopCounter)") + end("ie")
    stage.start(alone(sub("t", inner, "i -> w -> c -> ie", inside=loop("loopCounter &lt; 2"))))
    assert stage.log == ["w", 0, "w", 1]


# -- multi-instance


def test_parallel_runs_are_all_there_at_once_and_counted(stage: Stage) -> None:
    stage.start(alone(user("t", runs("3"))))
    assert stage.open == ["t", "t", "t"]
    stage.complete("t").complete("t")
    assert stage.open == ["t"]
    assert stage.complete("t").open == ["z"]


def test_sequential_runs_come_one_after_the_other_with_their_item(stage: Stage) -> None:
    over = 'camunda:collection="names" camunda:elementVariable="name"'
    items = f'<multiInstanceLoopCharacteristics isSequential="true" {over}/>'
    inner = '<startEvent id="i"/>' + work("w") + script("c", "log(name)") + end("ie")
    stage.start(alone(sub("t", inner, "i -> w -> c -> ie", inside=items)), names=["ann", "bob"])
    assert stage.log == ["w", "ann", "w", "bob"]


def test_no_runs_at_all_is_none(stage: Stage) -> None:
    assert stage.start(alone(user("t", runs("0")))).open == ["z"]


def test_the_rest_is_taken_away_when_the_completion_condition_holds(stage: Stage) -> None:
    done = "<completionCondition>nrOfCompletedInstances &gt;= 2</completionCondition>"
    stage.start(alone(user("t", runs("5", inside=done))))
    assert stage.complete("t").open == ["t"] * 4
    assert stage.complete("t").open == ["z"]


def test_the_attributes_of_the_runs_are_seen_inside(stage: Stage) -> None:
    counts = "log([loopCounter, nrOfInstances, nrOfCompletedInstances, nrOfActiveInstances, numberOfInstances])"
    inner = '<startEvent id="i"/>' + user("w") + script("c", counts) + end("ie")
    stage.start(alone(sub("t", inner, "i -> w -> c -> ie", inside=runs("2"))))
    stage.complete("w").complete("w")
    assert stage.log == [[0, 2, 0, 2, 2], [1, 2, 1, 1, 2]]


def test_a_timer_takes_all_runs_away(stage: Stage) -> None:
    body = START + user("t", runs("3")) + boundary("x", "t", timer("PT3S")) + user("y") + user("z") + end("e")
    stage.start(model(body, "s -> t -> z -> e", "x -> y -> e")).complete("t")
    assert stage.advance(3).open == ["y"]
    assert stage.complete("y").status == "success"


def test_what_each_run_yields_is_collected(stage: Stage) -> None:
    marker = (
        "<multiInstanceLoopCharacteristics><loopDataInputRef>ns</loopDataInputRef><loopDataOutputRef>out</loopDataOutputRef>"
        '<inputDataItem id="in" name="n"/><outputDataItem id="o" name="twice"/></multiInstanceLoopCharacteristics>'
    )
    inner = '<startEvent id="i"/>' + work("w") + script("c", "twice = n * 2") + end("ie")
    body = sub("t", inner, "i -> w -> c -> ie", inside=marker)
    stage.start(model(START + body + script("z", "log(out)") + end("e"), "s -> t -> z -> e"), ns=[1, 2], twice=0)
    assert stage.log[2:] == [[2, 4]]


def behaving(behavior: str, inside: str = "", *, sequential: bool = True) -> bytes:
    reference = {f"{behavior.lower()}BehaviorEventRef": "SD"} if behavior in ("None", "One") else {}
    marker = runs("3", sequential=sequential, inside=inside, behavior=behavior, **reference)
    body = START + work("t", marker) + boundary("x", "t", signal("S")) + work("y") + work("z") + end("e")
    return model(body, "s -> t -> z -> e", "x -> y -> e", before=SIGNAL)


@pytest.mark.parametrize("sequential", [True, False])
def test_the_behavior_none_sends_something_on_for_each_run(stage: Stage, sequential: bool) -> None:
    stage.start(behaving("None", sequential=sequential))
    assert sorted(name[0] for name in stage.log) == ["t", "t", "t", "y", "y", "y", "z"]
    assert stage.status == "success"


def test_the_behavior_one_sends_something_on_for_the_first_run(stage: Stage) -> None:
    stage.start(behaving("One"))
    assert sorted(name[0] for name in stage.log) == ["t", "t", "t", "y", "z"]


def test_the_behavior_complex_throws_what_its_condition_asks_for(stage: Stage) -> None:
    inside = (
        "<complexBehaviorDefinition><condition>nrOfCompletedInstances == 2</condition>"
        '<event><signalEventDefinition signalRef="S"/></event></complexBehaviorDefinition>'
    )
    stage.start(behaving("Complex", inside))
    assert [name[0] for name in stage.log] == ["t", "t", "y"], "the event on the border interrupts"
    assert stage.status == "success"


# -- quantities


def test_an_activity_waits_for_as_many_tokens_as_it_asks_for(stage: Stage) -> None:
    body = f'{START}<parallelGateway id="g"/>' + user("a") + user("b") + user("t", startQuantity="2") + end("e")
    stage.start(model(body, "s -> g", "g -> a -> t", "g -> b -> t", "t -> e"))
    assert stage.complete("a").open == ["b"]
    assert stage.complete("b").open == ["t"]
    assert stage.complete("t").status == "success"


def test_an_activity_sends_as_many_tokens_as_it_says(stage: Stage) -> None:
    stage.start(alone(user("t", completionQuantity="3"))).complete("t")
    assert stage.open == ["z", "z", "z"]


@pytest.mark.parametrize("quantity", ["30000", "99999999999", "9" * 5000])
def test_an_activity_that_sends_more_tokens_than_may_be_on_their_way_sends_none(stage: Stage, quantity: str) -> None:
    """It made them all, one by one, and no other process went on meanwhile."""
    stage.start(alone(user("t", completionQuantity=quantity))).complete("t")
    assert stage.status == "failed"
    assert stage.reason.endswith("The limit tokens (25000) of those on their way at once was reached.")


def test_a_quantity_of_any_length_is_read(stage: Stage) -> None:
    stage.start(alone(user("t", completionQuantity="-" + "9" * 5000, startQuantity="+" + "0" * 5000 + "1"))).complete(
        "t"
    )
    assert stage.open == ["z"]


def test_too_few_tokens_for_an_activity_are_told(stage: Stage) -> None:
    stage.start(alone(user("t", startQuantity="2")))
    assert stage.status == "failed"
    assert "'t'" in stage.reason


# -- only so many runs at once


def most_at_once(most: str) -> str:
    """The property that says how many runs go on at once."""
    told = f'<camunda:properties><camunda:property name="maxAtOnce" value="{most}"/></camunda:properties>'
    return f"<extensionElements>{told}</extensionElements>"


def at_most(most: str, marker: str) -> str:
    """A person's task with several runs of which only so many go on at once."""
    return user("t", most_at_once(most) + marker)


@pytest.mark.parametrize("most", ["2", "${most}"])
def test_only_so_many_runs_go_on_at_once(stage: Stage, most: str) -> None:
    stage.start(alone(at_most(most, runs("5"))), most=2)
    for open_runs in (2, 2, 2, 2, 1):
        assert stage.open == ["t"] * open_runs
        stage.complete("t")
    assert stage.open == ["z"]


def test_each_run_has_its_item_though_it_begins_later(stage: Stage) -> None:
    over = '<multiInstanceLoopCharacteristics camunda:collection="${names}" camunda:elementVariable="name"/>'
    body = '<startEvent id="i"/>' + script("say", "log(name)") + user("u") + end("ie")
    stage.start(alone(sub("t", body, "i -> say -> u -> ie", inside=most_at_once("2") + over)), names=["a", "b", "c"])
    assert stage.log == ["a", "b"]
    assert stage.complete("u").log == ["a", "b", "c"]
    assert stage.complete("u").complete("u").open == ["z"]


def test_so_many_at_once_that_none_would_begin_fails_where_it_stands(stage: Stage) -> None:
    stage.start(alone(at_most("${most}", runs("2"))), most=0)
    assert stage.open == []
    assert "maxAtOnce" in stage.reason


@pytest.mark.parametrize(
    ("most", "marker"), [("0", runs("2")), ("many", runs("2")), ("2", ""), ("2", runs("2", sequential=True))]
)
def test_what_bounds_no_runs_is_refused(tmp_path: Path, most: str, marker: str) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine, pytest.raises(ModelInvalid, match="maxAtOnce"):
        engine.deploy(alone(at_most(most, marker)))


@pytest.mark.parametrize("sequential", [True, False])
def test_a_number_of_runs_takes_as_many_items_of_a_collection(stage: Stage, sequential: bool) -> None:
    """As in Camunda 7: ``loopCardinality`` says how many, each gets its item, and too few are a failure."""
    over = {"camunda:collection": "xs", "camunda:elementVariable": "x"}
    marker = runs("${n}", sequential=sequential, **over)
    stage.start(alone(script("t", "log(x)", marker)), n=2, xs=["a", "b", "c"], x="outside")
    assert (stage.log, stage.open) == (["a", "b"], ["z"])
    assert stage.start(n=4, xs=["a"]).status == "failed"
    assert stage.reason.endswith("'t' asks for 4 runs, but its collection has 1 items.")


@pytest.mark.parametrize(("put_out", "collected"), [("= loopCounter", [1, 2]), ("= x", ["a", "b"])])
def test_what_a_run_is_given_can_be_what_it_puts_out(stage: Stage, put_out: str, collected: list[object]) -> None:
    given = f'inputCollection="= xs" inputElement="x" outputCollection="res" outputElement="{put_out}"'
    zeebe = f'<zeebe:loopCharacteristics xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" {given}/>'
    marker = f"<extensionElements>{zeebe}</extensionElements>"
    marker = f"<multiInstanceLoopCharacteristics>{marker}</multiInstanceLoopCharacteristics>"
    stage.start(alone(script("t", "pass", marker)), xs=["a", "b"])
    assert stage.engine.variables(stage.number)["res"] == collected
