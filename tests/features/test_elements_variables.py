"""Where a variable lands: with the task, its run, the called process or the whole one. Told twice, as above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .elements import START, Stage, boundary, catch, condition, end, model, script, stages, sub, user
from .test_elements_mappings import put

ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
EXTENDED = f"<extensionElements {ZEEBE}>{{}}</extensionElements>"
NAMES = '<message id="M" name="M"/>'
MESSAGE = '<messageEventDefinition messageRef="M"/>'
CALL = '<callActivity id="call" calledElement="inner">{}</callActivity>'
SEEN = script("seen", 'log(("caller", ok))')


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def mapping(direction: str, **values: str) -> str:
    """Zeebe's mappings, ``input`` or ``output``."""
    inside = "".join(f'<zeebe:{direction} target="{name}" source="{value}"/>' for name, value in values.items())
    return f"<zeebe:ioMapping>{inside}</zeebe:ioMapping>"


def over(collection: str, inside: str = "", *, sequential: bool = False, **more: str) -> str:
    """Zeebe's multi-instance marker."""
    given = "".join(f' {name}="{value}"' for name, value in {"inputCollection": collection, **more}.items())
    held = EXTENDED.format(f"<zeebe:loopCharacteristics{given}/>")
    marker = "multiInstanceLoopCharacteristics"
    return f'<{marker} isSequential="{str(sequential).lower()}">{held}{inside}</{marker}>'


SETTING = {
    "user task": user("set"),
    "receive task": '<receiveTask id="set" messageRef="M"/>',
    "message": catch("set", MESSAGE),
    "output mapping": user("set", EXTENDED.format(mapping("output", ok="=ok"))),
    "zeebe:script": '<scriptTask id="set">'
    + EXTENDED.format('<zeebe:script expression="=&quot;answer&quot;" resultVariable="ok"/>')
    + "</scriptTask>",
    "script": script("set", "ok = 'answer'"),
    "expression": '<serviceTask id="set" camunda:expression="${true ? \'answer\' : 1}" camunda:resultVariable="ok"/>',
}


@pytest.mark.parametrize("way", SETTING)
def test_what_a_called_process_sets_is_its_own(stage: Stage, way: str) -> None:
    """BPMN 2.0.2, 10.3.5 and 10.4: a called process has data of its own, and only mappings lead back."""
    inner = model(
        START + SETTING[way] + script("in", 'log(("called", ok))') + end("e"),
        "s -> set -> in -> e",
        key="inner",
        before=NAMES,
    )
    outer = model(START + CALL.format("") + SEEN + end("e"), "s -> call -> seen -> e")
    stage.start(outer, inner, ok="callers")
    if way in ("user task", "output mapping"):
        stage.complete("set", ok="answer")
    elif way in ("receive task", "message"):
        stage.message("M", ok="answer")
    assert stage.log == [("called", "answer"), ("caller", "callers")]


def test_a_call_inside_a_call_sets_nothing_in_the_one_between(stage: Stage) -> None:
    """BPMN 2.0.2, 10.3.5."""
    middle = model(
        START + CALL.format("").replace('"inner"', '"deep"') + script("mid", 'log(("middle", ok))') + end("e"),
        "s -> call -> mid -> e",
        key="inner",
    )
    deep = model(START + user("set") + end("e"), "s -> set -> e", key="deep")
    stage.start(model(START + CALL.format("") + SEEN + end("e"), "s -> call -> seen -> e"), middle, deep, ok="callers")
    stage.complete("set", ok="answer")
    assert stage.log == [("middle", "callers"), ("caller", "callers")]


def test_a_condition_in_a_called_process_sees_what_is_set_there(stage: Stage) -> None:
    """BPMN 2.0.2, 10.5.5, conditional events: the data of the process that they are in."""
    split = '<parallelGateway id="g"/><parallelGateway id="j"/>'
    inner = model(
        START + split + user("set") + catch("wait", condition("ok == 'answer'")) + end("e"),
        "s -> g -> set -> j",
        "g -> wait -> j -> e",
        key="inner",
    )
    stage.start(model(START + CALL.format("") + end("e"), "s -> call -> e"), inner, ok="callers")
    assert stage.complete("set", ok="answer").status == "success"


@pytest.mark.parametrize(("everything", "seen"), [("true", "answer"), ("false", "callers")])
def test_all_that_a_called_process_has_goes_back_if_the_model_says_so(stage: Stage, everything: str, seen: str) -> None:
    """Camunda 8, "Call activities": propagateAllChildVariables."""
    called = f'<zeebe:calledElement processId="inner" propagateAllChildVariables="{everything}"/>'
    outer = f'<callActivity id="call">{EXTENDED.format(called)}</callActivity>'
    inner = model(START + user("set") + end("e"), "s -> set -> e", key="inner")
    stage.start(model(START + outer + SEEN + end("e"), "s -> call -> seen -> e"), inner, ok="callers")
    stage.complete("set", ok="answer")
    assert stage.log == [("caller", seen)]


def test_with_an_output_mapping_nothing_else_goes_back_from_a_call(stage: Stage) -> None:
    """Camunda 8, "Call activities": only the variables of the output mappings are propagated."""
    called = '<zeebe:calledElement processId="inner" propagateAllChildVariables="true"/>'
    outer = f'<callActivity id="call">{EXTENDED.format(called + mapping("output", got="=ok"))}</callActivity>'
    inner = model(START + user("set") + end("e"), "s -> set -> e", key="inner")
    log = script("seen", "log((ok, got))")
    stage.start(model(START + outer + log + end("e"), "s -> call -> seen -> e"), inner, ok="callers")
    stage.complete("set", ok="answer")
    assert stage.log == [("callers", "answer")]


def test_each_run_of_a_call_collects_its_own_answer(stage: Stage) -> None:
    """Camunda 8, "Multi-instance": the output element is evaluated in the run, which has its result."""
    called = '<zeebe:calledElement processId="inner"/>'
    marker = over("=list", inputElement="v", outputCollection="all", outputElement="=r")
    outer = f'<callActivity id="call">{EXTENDED.format(called)}{marker}</callActivity>'
    inner = model(START + user("set") + end("e"), "s -> set -> e", key="inner")
    stage.start(
        model(START + outer + script("l", "log(all)") + end("e"), "s -> call -> l -> e"), inner, list=[1, 2], r="outer"
    )
    stage.complete("set", r="a").complete("set", r="b")
    assert stage.log == [["a", "b"]]


def test_the_output_element_belongs_to_its_run(stage: Stage) -> None:
    """Camunda 8, "Multi-instance": an output element that names a variable is local to its run, and null at first."""
    inside = sub(
        "o",
        '<startEvent id="os"/>' + user("a") + user("b"),
        "os -> a -> b",
        inside=over("=list", outputCollection="all", outputElement="=r"),
    )
    stage.start(
        model(START + inside + script("l", "log((all, r))") + end("e"), "s -> o -> l -> e"), list=[1, 2, 3], r="outer"
    )
    stage.complete("a", r=1).complete("a", r=2).complete("a")
    stage.complete("b").complete("b").complete("b")
    assert stage.log == [([1, 2, None], "outer")]


def test_nested_runs_collect_lists_of_their_own(stage: Stage) -> None:
    """Camunda 8, "Multi-instance": each run of the outer one collects in a variable of its own."""
    task = user("t", over("=row", inputElement="cell", outputCollection="done", outputElement="=r"))
    inside = sub(
        "o",
        '<startEvent id="os"/>' + task,
        "os -> t",
        inside=over("=rows", inputElement="row", outputCollection="all", outputElement="=done"),
    )
    stage.start(model(START + inside + script("l", "log(all)") + end("e"), "s -> o -> l -> e"), rows=[[1, 2], [3]])
    for answer in ("a", "b", "c"):
        stage.complete("t", r=answer)
    assert stage.log == [[["a", "b"], ["c"]]]


def test_a_mapping_may_lead_to_the_output_element(stage: Stage) -> None:
    """Camunda 8, "Multi-instance", variable mappings: they are applied in each run, before its output is collected."""
    task = user(
        "t",
        EXTENDED.format(mapping("output", r="=answer + 1")) + over("=list", outputCollection="all", outputElement="=r"),
    )
    stage.start(
        model(START + task + script("l", "log((all, r))") + end("e"), "s -> t -> l -> e"), list=[1, 2], r="outer"
    )
    stage.complete("t", answer=1).complete("t", answer=2)
    assert stage.log == [([2, 3], "outer")]


def test_a_run_that_sets_its_own_element_changes_nothing_around_it(stage: Stage) -> None:
    """Camunda 7 manual, "Multiple instance": the element variable is local to its run."""
    marker = '<multiInstanceLoopCharacteristics camunda:collection="list" camunda:elementVariable="item"/>'
    task = user("t", marker)
    stage.start(
        model(START + task + script("l", "log(item)") + end("e"), "s -> t -> l -> e"), list=[1, 2], item="outer"
    )
    stage.complete("t", item="x").complete("t", item="y")
    assert stage.log == ["outer"]


@pytest.mark.parametrize(("met", "left"), [("${item == 2}", ["t"]), ("${item == 1}", [])])
def test_a_completion_condition_sees_the_item_of_the_run_that_is_done(stage: Stage, met: str, left: list[str]) -> None:
    """BPMN 2.0.2, table 10.30: it is evaluated every time that a run completes."""
    marker = "multiInstanceLoopCharacteristics"
    inside = f"<completionCondition>{met}</completionCondition>"
    given = 'isSequential="true" camunda:collection="list" camunda:elementVariable="item"'
    stage.start(
        model(START + user("t", f"<{marker} {given}>{inside}</{marker}>") + end("e"), "s -> t -> e"), list=[1, 2]
    )
    stage.complete("t")
    assert stage.open == left


@pytest.mark.parametrize("zeebes", [True, False])
def test_runs_are_counted_as_the_modeler_counts_them(stage: Stage, zeebes: bool) -> None:
    """From 1 in Zeebe's models (Camunda 8, "Multi-instance"), from 0 in those of the Java engines."""
    if zeebes:
        marker = over("=list", sequential=True)
    else:
        marker = '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="list"/>'
    inside = sub("o", '<startEvent id="os"/>' + script("l", "log(loopCounter)"), "os -> l", inside=marker)
    stage.start(model(START + inside + end("e"), "s -> o -> e"), list=["a", "b"])
    assert stage.log == ([1, 2] if zeebes else [0, 1])


def test_an_answer_under_the_name_of_an_input_stays_with_the_task(stage: Stage) -> None:
    """Camunda 7 manual, "Input/output variable mapping"; Camunda 8, "Variables": input parameters are local."""
    task = user("t", EXTENDED.format(mapping("input", x="=1")))
    stage.start(model(START + task + script("l", "log((x, y))") + end("e"), "s -> t -> l -> e"), x="outer", y=0)
    stage.complete("t", x=2, y=3)
    assert stage.log == [("outer", 3)]


@pytest.mark.parametrize("waits", ["user task", "event", "border"])
def test_beside_an_output_mapping_nothing_leaves(stage: Stage, waits: str) -> None:
    """Camunda 8, "Variables", output mappings: with one, only what it names is propagated."""
    mapped = EXTENDED.format(mapping("output", payment="=status"))
    task, way = user("t", mapped), "s -> t -> l -> e"
    if waits == "event":
        task = catch("t", mapped + MESSAGE)
    elif waits == "border":
        task, way = user("w") + boundary("t", "w", mapped + MESSAGE) + end("f"), "s -> w -> f"
    lines = (way, "t -> l -> e") if waits == "border" else (way,)
    stage.start(
        model(START + task + script("l", "log((status, payment))") + end("e"), *lines, before=NAMES), status="order"
    )
    if waits == "user task":
        stage.complete("t", status="paid")
    else:
        stage.message("M", status="paid")
    assert stage.log == [("order", "paid")]


SEE = script("z", "log([status, x])")
MAPPED = EXTENDED.format(mapping("output", x="= status"))


def test_a_member_of_a_variable_is_collected_from_each_run(stage: Stage) -> None:
    task = user("t", over("= xs", outputCollection="res", outputElement="= answer.n"))
    stage.start(model(START + task + script("z", "log(res)") + end("e"), "s -> t -> z -> e"), xs=["x", "y"])
    stage.complete("t", answer={"n": 1}).complete("t", answer={"n": 2})
    assert stage.log == [[1, 2]]


def test_the_result_of_a_stone_stays_in_its_own_input(stage: Stage) -> None:
    bound = (
        '<serviceTask id="t" camunda:type="external" camunda:topic="log" camunda:resultVariable="x">{}</serviceTask>'
    )
    task = bound.format(EXTENDED.format(put("in", x="1") + put("out", status="${x.ran}")))
    stage.start(model(START + task + SEE + end("e"), "s -> t -> z -> e"), status="order", x="outer")
    assert stage.log[1:] == [["t", "outer"]]


def test_an_event_on_a_border_with_a_mapping_lets_out_nothing_else(stage: Stage) -> None:
    event = boundary("b", "t", MAPPED + MESSAGE)
    body = START + user("t") + event + SEE + end("e")
    stage.start(model(body, "s -> t -> e", "b -> z -> e", before=NAMES), status="order", x=0)
    stage.message("M", status="paid")
    assert stage.log == [["order", "paid"]]


def test_the_start_of_an_event_sub_process_with_a_mapping_lets_in_nothing_else(stage: Stage) -> None:
    start = f'<startEvent id="hs">{MAPPED}{MESSAGE}</startEvent>'
    handler = sub("h", start + SEE + end("he"), "hs -> z -> he", triggeredByEvent="true")
    stage.start(model(START + user("t") + handler + end("e"), "s -> t -> e", before=NAMES), status="order", x=0)
    stage.message("M", status="paid")
    assert stage.log == [["order", "paid"]]


def test_a_message_that_starts_a_process_is_mapped_at_its_start(stage: Stage) -> None:
    start = f'<startEvent id="s">{MAPPED}{MESSAGE}</startEvent>'
    see = script("z", "log(['status' in globals(), x])")
    stage.deploy(model(start + see + end("e"), "s -> z -> e", before=NAMES))
    stage.message("M", status="paid")
    assert stage.log == [[False, "paid"]]


def test_a_mapping_of_a_java_engine_is_beside_what_comes(stage: Stage) -> None:
    task = user("t", EXTENDED.format(put("out", x="${status}")))
    stage.start(model(START + task + SEE + end("e"), "s -> t -> z -> e"), status="order", x=0)
    stage.complete("t", status="paid")
    assert stage.log == [["paid", "paid"]]
