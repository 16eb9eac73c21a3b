"""Compensation and transactions. Every story is told twice, once with restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Engine, TaskInfo

from .elements import START, Stage, boundary, end, model, on_event, runs, script, stages, sub, throw, user, work
from .sketch import definitions, flow, process, service

COMPENSATE = "<compensateEventDefinition/>"
CANCELS = "<cancelEventDefinition/>"


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def undoable(node: str, task: str = "", handler: str = "") -> str:
    """A task with a handler that logs ``-`` and its name, or the handler that is given."""
    back = handler or work(f"-{node}", isForCompensation="true").replace('id="-', 'id="un')
    return (
        (task or work(node))
        + boundary(f"c{node}", node, COMPENSATE)
        + back
        + f'<association id="as{node}" associationDirection="One" sourceRef="c{node}" targetRef="un{node}"/>'
    )


def test_handlers_run_in_the_reverse_order(stage: Stage) -> None:
    body = START + undoable("a") + undoable("b") + work("c") + throw("t", COMPENSATE) + work("d") + end("e")
    stage.start(model(body, "s -> a -> b -> c -> t -> d -> e"))
    assert stage.log == ["a", "b", "c", "unb", "una", "d"]


def test_what_is_independent_is_compensated_side_by_side(stage: Stage) -> None:
    def by_hand(node: str) -> str:
        return undoable(node, user(node), user(f"un{node}", isForCompensation="true"))

    body = f'{START}<parallelGateway id="g"/><parallelGateway id="j"/>' + by_hand("a") + by_hand("b") + by_hand("c")
    body += throw("t", COMPENSATE) + end("e")
    stage.start(model(body, "s -> g", "g -> a -> j", "g -> b -> c -> j", "j -> t -> e"))
    stage.complete("a").complete("b").complete("c")
    assert stage.open == ["una", "unc"]
    assert stage.complete("unc").open == ["una", "unb"]
    assert stage.complete("una").complete("unb").status == "success"


def test_only_what_has_completed_is_compensated(stage: Stage) -> None:
    body = f'{START}<parallelGateway id="g"/>' + undoable("a") + undoable("b", user("b")) + throw("t", COMPENSATE)
    stage.start(model(body + end("e"), "s -> g", "g -> a -> t -> e", "g -> b -> e"))
    assert stage.log == ["a", "una"]
    assert stage.open == ["b"]


def test_one_activity_can_be_compensated_alone_and_only_once(stage: Stage) -> None:
    only = '<compensateEventDefinition activityRef="a"/>'
    body = START + undoable("a") + undoable("b") + throw("t", only) + throw("t2", COMPENSATE) + end("e")
    stage.start(model(body, "s -> a -> b -> t -> t2 -> e"))
    assert stage.log == ["a", "b", "una", "unb"]


def test_a_throw_event_need_not_wait(stage: Stage) -> None:
    aside = '<compensateEventDefinition waitForCompletion="false"/>'
    body = START + undoable("a", "", user("una", isForCompensation="true")) + throw("t", aside) + user("b") + end("e")
    stage.start(model(body, "s -> a -> t -> b -> e"))
    assert stage.open == ["b", "una"]
    assert stage.complete("b").status == "running"
    assert stage.complete("una").status == "success"


def only(node: str, **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<compensateEventDefinition activityRef="{node}"{more}/>'


def test_an_event_that_throws_several_compensations_throws_them_all(stage: Stage) -> None:
    """BPMN 2.0.2, table 10.88: in the reverse order of what they compensate, whatever their own."""
    two = throw("t", only("a") + only("c"))
    body = START + undoable("a") + undoable("b") + undoable("c") + two + work("d") + throw("t2", COMPENSATE) + end("e")
    stage.start(model(body, "s -> a -> b -> c -> t -> d -> t2 -> e"))
    assert stage.log == ["a", "b", "c", "unc", "una", "d", "unb"]


def test_of_several_compensations_only_those_are_waited_for_that_say_so(stage: Stage) -> None:
    by_hand = undoable("a", handler=user("una", isForCompensation="true"))
    two = throw("t", only("a", waitForCompletion="false") + only("b"))
    stage.start(model(START + by_hand + undoable("b") + two + work("d") + end("e"), "s -> a -> b -> t -> d -> e"))
    assert (stage.log, stage.open, stage.status) == (["a", "b", "unb", "d"], ["una"], "running")
    assert stage.complete("una").status == "success"


ERROR_END = '<errorEventDefinition errorRef="E"/>'
ESCALATES = '<escalationEventDefinition escalationRef="X"/>'
THROWN = (
    '<error id="E" errorCode="e"/><escalation id="X" escalationCode="x"/><signal id="S" name="S"/>'
    '<message id="M" name="M"/>'
)


@pytest.mark.parametrize("waits", ["true", "false"])
@pytest.mark.parametrize(
    ("ends", "after"),
    [
        (ERROR_END, ["caught"]),
        (ESCALATES, ["caught"]),
        ("<terminateEventDefinition/>", ["on"]),
        (CANCELS, ["unb", "caught"]),
    ],
    ids=["error", "escalation", "terminate", "cancel"],
)
def test_an_end_event_that_compensates_and_ends_does_both(
    stage: Stage, ends: str, after: list[str], waits: str
) -> None:
    """Whatever the order of the definitions, the handlers come to their end before all is taken away."""
    last = end("bad", ends + only("a", waitForCompletion=waits) + '<signalEventDefinition signalRef="S"/>')
    inside = '<startEvent id="i"/><parallelGateway id="g"/>' + undoable("a") + undoable("b") + user("busy") + last
    tx = sub("tx", inside, "i -> a -> b -> g", "g -> busy", "g -> bad", tag="transaction")
    border = "".join(
        boundary(f"x{number}", "tx", definition) for number, definition in enumerate((ERROR_END, ESCALATES, CANCELS))
    )
    heard = '<intermediateCatchEvent id="w"><signalEventDefinition signalRef="S"/></intermediateCatchEvent>'
    body = f'{START}<parallelGateway id="fork"/>' + heard + work("heard") + tx + border + work("caught") + work("on")
    flows = ("s -> fork -> w -> heard", "fork -> tx -> on", "x0 -> caught", "x1 -> caught", "x2 -> caught")
    stage.start(model(body, *flows, before=THROWN))
    assert [entry for entry in stage.log if entry != "heard"] == ["a", "b", "una", *after]
    assert (stage.log.count("heard"), stage.status) == (1, "success")


@pytest.mark.parametrize("ends", [ERROR_END, "<terminateEventDefinition/>"], ids=["error", "terminate"])
def test_what_the_end_of_a_process_sends_reaches_others(stage: Stage, ends: str) -> None:
    """A terminate end event of the process itself took what it had sent with it."""
    told = '<startEvent id="s"><{}EventDefinition {}Ref="{}"/></startEvent>'
    for kind, name in (("signal", "S"), ("message", "M")):
        stage.deploy(model(told.format(kind, kind, name) + work(f"{kind}s"), f"s -> {kind}s", key=kind, before=THROWN))
    sends = '<signalEventDefinition signalRef="S"/><messageEventDefinition messageRef="M"/>'
    handler = on_event("h", ERROR_END, work("fin"), "sh -> fin")
    stage.start(model(START + end("e", ends + sends) + handler, "s -> e", before=THROWN))
    assert sorted(entry for entry in stage.log if entry != "fin") == ["messages", "signals"]
    assert stage.status == "success"


def test_a_compensation_event_maps_its_outputs_when_all_is_compensated(stage: Stage) -> None:
    mapped = throw("t", COMPENSATE).replace("<comp", f"{let_out(done='${ok}')}<comp")
    handler = seen("a", "ok = 'yes'")
    body = START + undoable("a", handler=handler) + mapped + script("d", "log(done)") + end("e")
    assert stage.start(model(body, "s -> a -> t -> d -> e")).log == ["a", "yes"]


def test_every_run_of_a_repeated_activity_is_compensated(stage: Stage) -> None:
    for number, sequential in enumerate((True, False)):
        key = f"p{number}"
        body = START + undoable("a", work("a", runs("3", sequential=sequential))) + throw("t", COMPENSATE) + end("e")
        stage.log.clear()
        stage.start(model(body, "s -> a -> t -> e", key=key), key=key)
        assert [name for name in stage.log if name.startswith("un")] == ["una"] * 3
        assert stage.status == "success"


def test_a_sub_process_without_a_handler_of_its_own_is_compensated_by_those_inside(stage: Stage) -> None:
    inner = sub("sp", '<startEvent id="i"/>' + undoable("b") + undoable("c") + end("ie"), "i -> b -> c -> ie")
    body = START + undoable("a") + inner + undoable("d") + throw("t", COMPENSATE) + end("e")
    stage.start(model(body, "s -> a -> sp -> d -> t -> e"))
    assert stage.log == ["a", "b", "c", "d", "und", "unc", "unb", "una"]


def test_a_compensation_event_sub_process_stands_for_what_is_inside(stage: Stage) -> None:
    handler = on_event("h", COMPENSATE, work("u") + throw("ht", COMPENSATE) + end("he"), "sh -> u -> ht -> he")
    inner = sub("sp", '<startEvent id="i"/>' + undoable("b") + handler + end("ie"), "i -> b -> ie")
    body = START + inner + throw("t", COMPENSATE) + end("e")
    stage.start(model(body, "s -> sp -> t -> e"))
    assert stage.log == ["b", "u", "unb"]
    assert stage.status == "success"


def test_an_error_handler_compensates_what_its_scope_has_done(stage: Stage) -> None:
    error = "<errorEventDefinition/>"
    handler = on_event("h", error, throw("ht", COMPENSATE) + end("he"), "sh -> ht -> he")
    body = START + undoable("a") + handler + end("e", error)
    stage.start(model(body, "s -> a -> e"))
    assert stage.log == ["a", "una"]
    assert stage.status == "success"


def transaction(inside: str, *flows: str) -> bytes:
    tx = sub("tx", inside, *flows, tag="transaction")
    cancelled = '<boundaryEvent id="x" attachedToRef="tx"><cancelEventDefinition/></boundaryEvent>'
    body = START + tx + cancelled + work("gone") + work("on") + end("e") + end("f")
    return model(body, "s -> tx -> on -> e", "x -> gone -> f")


def test_a_cancelled_transaction_takes_back_what_it_did_and_leaves_by_its_border(stage: Stage) -> None:
    stage.start(
        transaction(
            '<startEvent id="i"/><parallelGateway id="g"/><parallelGateway id="j"/><exclusiveGateway id="x1"/>'
            + undoable("a")
            + undoable("b")
            + user("u")
            + user("busy")
            + end("bad", "<cancelEventDefinition/>")
            + end("be"),
            "i -> g",
            "g -> a -> j",
            "g -> b -> j",
            "g -> busy -> be",
            "j -> u -> bad",
        )
    )
    stage.complete("u")
    assert sorted(stage.log[:2]) == ["a", "b"]
    assert sorted(stage.log[2:4]) == ["una", "unb"]
    assert stage.log[4:] == ["gone"]
    assert stage.status == "success"


@pytest.mark.parametrize("sequential", [False, True])
def test_a_run_of_a_transaction_that_cancels_takes_all_of_them_back(stage: Stage, sequential: bool) -> None:
    """Its border ends the whole activity, so nothing would remember what the others did (BPMN 2.0, 13.3.8)."""
    marker = f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
    runs = f"{marker}<loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
    inside = (
        undoable("a") + user("u") + '<exclusiveGateway id="x1"/>' + end("ok") + end("bad", "<cancelEventDefinition/>")
    )
    ways = ("i -> a -> u -> x1", "x1 -> bad ? loopCounter == 1", "x1 -> ok ? loopCounter != 1")
    source = transaction('<startEvent id="i"/>' + inside, *ways).decode()
    source = source.replace("</transaction>", f"{runs}</transaction>")
    stage.start(source.encode()).complete("u").complete("u")
    done = 2 if sequential else 3
    assert stage.log == [*["a"] * done, *["una"] * done, "gone"]
    assert stage.status == "success"


def test_a_cancel_from_deep_inside_takes_back_what_was_done_there_too(stage: Stage) -> None:
    cancels = end("bad", "<cancelEventDefinition/>")
    deep = sub("deep", '<startEvent id="j"/>' + undoable("b") + user("u") + cancels, "j -> b -> u -> bad")
    stage.start(transaction('<startEvent id="i"/>' + undoable("a") + deep + end("ie"), "i -> a -> deep -> ie"))
    assert stage.complete("u").log == ["a", "b", "unb", "una", "gone"]
    assert stage.status == "success"


def test_a_transaction_that_is_not_cancelled_keeps_what_it_did(stage: Stage) -> None:
    stage.start(transaction('<startEvent id="i"/>' + undoable("a") + end("ok"), "i -> a -> ok"))
    assert stage.log == ["a", "on"]


def test_a_handler_takes_the_place_of_the_engines_own_rollback(stage: Stage) -> None:
    body = START + undoable("a") + throw("t", COMPENSATE) + user("b") + end("e")
    stage.start(model(body, "s -> a -> t -> b -> e"))
    task = next(task for task in stage.engine.tasks(stage.number) if task.element_id == "a")
    assert task.undo == "undone"


LOOP = '<standardLoopCharacteristics loopMaximum="3"/>'
RUNS = "<multiInstanceLoopCharacteristics {}><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
REPEATED = (LOOP, RUNS.format('isSequential="true"'), RUNS.format(""))


def repeated(marker: str, *, inside: bool, several: bool, then: str) -> bytes:
    """A task, or a sub-process around one, of which there are three runs, with a handler of one step or of several."""
    own = {"of": "${outputs.t.id}"}
    handler = service("h", "take", own) if several else service("h", "take", own, isForCompensation="true")
    if several:
        steps = f'<startEvent id="hs"/>{handler}<endEvent id="he"/>{flow("hs", "h")}{flow("h", "he")}'
        handler = f'<subProcess id="all" isForCompensation="true">{steps}</subProcess>'
    event = '<boundaryEvent id="c" attachedToRef="t"><compensateEventDefinition id="cd"/></boundaryEvent>'
    line = f'<association id="a" sourceRef="c" targetRef="{"all" if several else "h"}" associationDirection="One"/>'
    task = service("t", "make", inside="" if inside else marker)
    if inside:
        body = f'<startEvent id="i"/>{task}<endEvent id="o"/>{event}{handler}{flow("i", "t")}{flow("t", "o")}{line}'
        around = [f'<subProcess id="sub">{marker}{body}</subProcess>']
    else:
        around = [task, event, handler]
    first = "sub" if inside else "t"
    ends = '<startEvent id="begin"/><endEvent id="done"/>'
    flows = [flow("begin", first), flow(first, "then"), flow("then", "done"), "" if inside else line]
    return definitions(process("shop", ends, *around, then, *flows))


BACK = '<intermediateThrowEvent id="then"><compensateEventDefinition/></intermediateThrowEvent>'


@pytest.mark.parametrize("then", [BACK, service("then", "breaks")], ids=["thrown", "rolled-back"])
@pytest.mark.parametrize("several", [False, True], ids=["one-step", "several-steps"])
@pytest.mark.parametrize("inside", [False, True], ids=["task", "sub-process"])
@pytest.mark.parametrize("marker", REPEATED, ids=["loop", "in-turn", "at-once"])
def test_the_handler_of_each_run_takes_back_what_that_run_made(
    marker: str, inside: bool, several: bool, then: str
) -> None:
    made: list[str] = []

    def make(task: TaskInfo) -> dict[str, str]:
        made.append(task.idempotency_key)
        return {"id": task.idempotency_key}

    def breaks(task: TaskInfo) -> None:
        raise RuntimeError("broken")

    with Engine("sqlite:///:memory:") as engine:
        engine.stone("make")(make)
        engine.stone("take")(lambda task: made.remove(task.parameters["of"]))
        engine.stone("breaks")(breaks)
        engine.deploy(repeated(marker, inside=inside, several=several, then=then))
        found = engine.wait(engine.start(key="shop", name="three").process_instance_id, 60)
        assert (found.status, made) == ("success" if then == BACK else "rollback.success", [])


def made_again(repeated_by: str, *, several: bool, then: str) -> bytes:
    """Three times one task makes something and another has a handler that undoes it."""
    own = {"of": "${outputs.m.id}"}
    handler = service("h", "take", own, **({} if several else {"isForCompensation": "true"}))
    if several:
        steps = f'<startEvent id="hs"/>{handler}<endEvent id="he"/>{flow("hs", "h")}{flow("h", "he")}'
        handler = f'<subProcess id="all" isForCompensation="true">{steps}</subProcess>'
    event = '<boundaryEvent id="c" attachedToRef="t"><compensateEventDefinition id="cd"/></boundaryEvent>'
    line = f'<association id="a" sourceRef="c" targetRef="{"all" if several else "h"}" associationDirection="One"/>'
    tasks = service("m", "make") + service("t", "note") + event + handler + flow("m", "t")
    if repeated_by == "gateway":
        gateway = '<exclusiveGateway id="x" default="x.on"/><sequenceFlow id="x.on" sourceRef="x" targetRef="on"/>'
        again = flow("t", "x") + flow("x", "m", "${outputs.t.turn < 3}")
        inside = [tasks, gateway, '<task id="on"/>', again, line]
        first, last = "m", "on"
    else:
        body = f'<startEvent id="i"/>{tasks}<endEvent id="o"/>{flow("i", "m")}{flow("t", "o")}{line}'
        inside = [f'<subProcess id="sub">{repeated_by}{body}</subProcess>']
        first = last = "sub"
    if then == "cancelled":
        parts = [*inside[:-1], '<startEvent id="ts"/>', end("te", "<cancelEventDefinition/>"), flow("ts", first)]
        border = '<boundaryEvent id="back" attachedToRef="tx"><cancelEventDefinition/></boundaryEvent>'
        whole = f'<transaction id="tx">{"".join((*parts, flow(last, "te"), inside[-1]))}</transaction>{border}'
        return definitions(process("shop", START, whole, end("done"), flow("s", "tx"), flow("back", "done")))
    after = BACK if then == "thrown" else service("then", "breaks")
    ways = flow("s", first) + flow(last, "then") + flow("then", "done")
    return definitions(process("shop", START, *inside[:-1], after, end("done"), ways, inside[-1]))


@pytest.mark.parametrize("then", ["thrown", "cancelled", "rolled-back"])
@pytest.mark.parametrize("several", [False, True], ids=["one-step", "several-steps"])
@pytest.mark.parametrize("repeated_by", [*REPEATED, "gateway"], ids=["loop", "in-turn", "at-once", "gateway"])
def test_a_handler_sees_what_another_task_of_its_own_turn_has_made(repeated_by: str, several: bool, then: str) -> None:
    """BPMN 2.0.2, 10.7.1: the data is that of the time when the activity completed, whatever has come since."""
    made: list[str] = []
    turns: list[str] = []

    def make(task: TaskInfo) -> dict[str, str]:
        made.append(task.idempotency_key)
        return {"id": task.idempotency_key}

    def note(task: TaskInfo) -> dict[str, int]:
        turns.append(task.namespace)
        return {"turn": len(turns)}

    def take(task: TaskInfo) -> None:
        made.remove(task.parameters["of"])

    def breaks(task: TaskInfo) -> None:
        raise RuntimeError("broken")

    with Engine("sqlite:///:memory:") as engine:
        for stone in (make, note, take, breaks):
            engine.stone(stone.__name__)(stone)
        engine.deploy(made_again(repeated_by, several=several, then=then))
        found = engine.wait(engine.start(key="shop", name="three").process_instance_id, 60)
        assert (found.status, made) == ("rollback.success" if then == "rolled-back" else "success", [])


def seen(node: str, text: str) -> str:
    """A handler that runs a script."""
    return script(f"un{node}", text).replace("<scriptTask", '<scriptTask isForCompensation="true"')


def given(**values: str) -> str:
    """Inputs of an activity."""
    inputs = "".join(
        f'<camunda:inputParameter name="{name}">{value}</camunda:inputParameter>' for name, value in values.items()
    )
    return f"<extensionElements><camunda:inputOutput>{inputs}</camunda:inputOutput></extensionElements>"


def let_out(**values: str) -> str:
    """Outputs of an element."""
    return given(**values).replace("inputParameter", "outputParameter")


OVER = '<multiInstanceLoopCharacteristics isSequential="{}" camunda:collection="xs" camunda:elementVariable="x"/>'


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_a_handler_sees_the_variables_around_its_activity_after_these_have_ended(stage: Stage, sequential: str) -> None:
    """BPMN 2.0.2, 10.7.1: the data of a sub-process as it was when that completed; what a handler sets of it ends."""
    inner = sub(
        "deep",
        '<startEvent id="j"/>' + undoable("a", handler=seen("a", "log((x, y, nrOfInstances)); x = 0; y = 0")),
        "j -> a",
        inside=given(y="${x * 10}"),
    )
    outer = sub("sp", '<startEvent id="i"/>' + inner, "i -> deep", inside=OVER.format(sequential))
    body = START + outer + throw("t", COMPENSATE) + user("u") + end("e")
    stage.start(model(body, "s -> sp -> t -> u -> e"), xs=[1, 2], x="outside")
    seen_by_handlers = [entry for entry in stage.log if entry != "a"]
    assert sorted(seen_by_handlers) == [(1, 10, 2), (2, 20, 2)]
    variables = stage.engine.variables(stage.number)
    assert (variables["x"], "y" in variables) == ("outside", False)


def test_a_handler_sees_the_variables_of_what_a_cancel_has_taken_away_half_way(stage: Stage) -> None:
    deep = sub(
        "deep",
        '<startEvent id="j"/>' + undoable("a", handler=seen("a", "log(y)")) + user("u") + end("bad", CANCELS),
        "j -> a -> u -> bad",
        inside=given(y="inside"),
    )
    stage.start(transaction('<startEvent id="i"/>' + deep + end("ie"), "i -> deep -> ie"), y="outside")
    assert stage.complete("u").log == ["a", "inside", "gone"]
