"""Sub-processes of all kinds: embedded, event, ad-hoc, called. Every story is told twice, once with restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Conflict, ModelInvalid

from .elements import (
    START,
    Stage,
    boundary,
    catch,
    condition,
    end,
    message,
    model,
    on_event,
    runs,
    script,
    signal,
    stages,
    sub,
    throw,
    timer,
    user,
    work,
)

NAMES = (
    '<signal id="S" name="S"/><message id="M" name="M"/><error id="E1" errorCode="one"/>'
    '<escalation id="X1" escalationCode="one"/>'
)
ERROR = '<errorEventDefinition errorRef="E1"/>'
TERMINATE = "<terminateEventDefinition/>"


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def handled(start: str, *, interrupting: bool = True) -> bytes:
    """A task with an event sub-process beside it."""
    handler = on_event("h", start, user("u") + end("he"), "sh -> u -> he", interrupting=interrupting)
    return model(START + user("a") + handler + end("e"), "s -> a -> e", before=NAMES)


@pytest.mark.parametrize("kind", ["message", "signal", "timer", "condition"])
@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_starts_in_place_of_or_beside_others(stage: Stage, kind: str, interrupting: bool) -> None:
    starts = {"message": message("M"), "signal": signal("S"), "timer": timer("PT3S"), "condition": condition("n > 1")}
    handler = on_event("h", starts[kind], user("u") + end("he"), "sh -> u -> he", interrupting=interrupting)
    body = f'{START}<parallelGateway id="g"/>' + user("a") + user("b") + handler + end("e")
    stage.start(model(body, "s -> g", "g -> a -> e", "g -> b -> e", before=NAMES), n=0)
    if kind == "message":
        stage.message("M")
    elif kind == "signal":
        stage.signal("S")
    elif kind == "timer":
        stage.advance(3)
    else:
        stage.complete("b", n=2)
    rest = [] if interrupting else ["a"] if kind == "condition" else ["a", "b"]
    assert stage.open == [*rest, "u"]
    for node in rest:
        stage.complete(node)
    assert stage.status == "running"
    assert stage.complete("u").status == "success"


def test_a_process_ends_though_an_event_sub_process_was_never_started(stage: Stage) -> None:
    assert stage.start(handled(timer("PT3S"))).complete("a").status == "success"


def test_a_timer_of_an_event_sub_process_repeats(stage: Stage) -> None:
    stage.start(handled(timer("R3/PT2S", "Cycle"), interrupting=False)).advance(7)
    assert stage.open == ["a", "u", "u", "u"]
    assert stage.advance(7).open == ["a", "u", "u", "u"]


def test_an_event_sub_process_catches_errors_from_inside_its_scope(stage: Stage) -> None:
    inner = sub("sp", '<startEvent id="i"/>' + end("ie", ERROR), "i -> ie")
    handler = on_event("h", ERROR, user("u") + end("he"), "sh -> u -> he")
    stage.start(model(START + user("a") + inner + handler + end("e"), "s -> a -> sp -> e", before=NAMES)).complete("a")
    assert stage.open == ["u"]
    assert stage.complete("u").status == "success"


def test_an_event_sub_process_inside_comes_before_the_border(stage: Stage) -> None:
    handler = on_event("h", ERROR, script("inside") + end("he"), "sh -> inside -> he")
    inner = sub("sp", '<startEvent id="i"/>' + user("a") + handler + end("ie", ERROR), "i -> a -> ie")
    body = START + inner + boundary("x", "sp", ERROR) + script("border") + script("on") + end("e") + end("f")
    stage.start(model(body, "s -> sp -> on -> e", "x -> border -> f", before=NAMES)).complete("a")
    assert stage.log == ["inside", "on"]


def test_an_error_of_an_event_sub_process_goes_outward(stage: Stage) -> None:
    handler = on_event("h", message("M"), user("u") + end("he", ERROR), "sh -> u -> he")
    inner = sub("sp", '<startEvent id="i"/>' + user("a") + handler + end("ie"), "i -> a -> ie")
    body = START + inner + boundary("x", "sp", ERROR) + script("border") + end("e") + end("f")
    stage.start(model(body, "s -> sp -> e", "x -> border -> f", before=NAMES)).message("M").complete("u")
    assert stage.log == ["border"]
    assert stage.status == "success"


def test_event_sub_processes_nest(stage: Stage) -> None:
    deep = on_event("d", signal("S"), user("v") + end("de"), "sd -> v -> de")
    handler = on_event("h", message("M"), user("u") + deep + end("he"), "sh -> u -> he")
    stage.start(model(START + user("a") + handler + end("e"), "s -> a -> e", before=NAMES))
    assert stage.signal("S").open == ["a"], "it listens only while its scope is active"
    assert stage.message("M").open == ["u"]
    assert stage.signal("S").open == ["v"]
    assert stage.complete("v").status == "success"


def test_an_escalation_starts_an_event_sub_process_beside_its_thrower(stage: Stage) -> None:
    escalation = '<escalationEventDefinition escalationRef="X1"/>'
    handler = on_event("h", escalation, user("u") + end("he"), "sh -> u -> he", interrupting=False)
    body = START + throw("t", escalation) + user("a") + handler + end("e")
    stage.start(model(body, "s -> t -> a -> e", before=NAMES))
    assert stage.open == ["a", "u"]


def test_each_run_of_a_repeated_sub_process_has_its_own_event_sub_process(stage: Stage) -> None:
    handler = on_event("h", timer("PT3S"), user("u") + end("he"), "sh -> u -> he")
    inner = sub("sp", '<startEvent id="i"/>' + user("a") + handler + end("ie"), "i -> a -> ie", inside=runs("2"))
    stage.start(model(START + inner + end("e"), "s -> sp -> e")).complete("a")
    assert stage.advance(3).open == ["u"]
    assert stage.complete("u").status == "success"


def test_a_sub_process_without_a_start_event_begins_at_what_has_no_incoming_flow(stage: Stage) -> None:
    body = START + sub("sp", user("a") + user("b") + user("c"), "a -> c") + user("d") + end("e")
    stage.start(model(body, "s -> sp -> d -> e"))
    assert stage.open == ["a", "b"]
    stage.complete("a").complete("b")
    assert stage.complete("c").open == ["d"]


# -- ad-hoc


def ad_hoc(body: str, *flows: str, until: str = "", **attributes: str) -> bytes:
    done = f"<completionCondition>{until}</completionCondition>" if until else ""
    inner = sub("sp", body + done, *flows, tag="adHocSubProcess", **attributes)
    return model(START + inner + user("z") + end("e"), "s -> sp -> z -> e")


def test_the_activities_of_an_ad_hoc_sub_process_run_side_by_side(stage: Stage) -> None:
    stage.start(ad_hoc(user("a") + user("b") + user("c"), "a -> c"))
    assert stage.open == ["a", "b"]
    stage.complete("a").complete("b")
    assert stage.complete("c").open == ["z"]


def test_the_activities_of_a_sequential_ad_hoc_sub_process_run_one_after_the_other(stage: Stage) -> None:
    stage.start(ad_hoc(user("a") + user("b") + user("c"), "a -> c", ordering="Sequential"))
    assert stage.open == ["a"]
    assert stage.complete("a").open == ["c"]
    assert stage.complete("c").open == ["b"]
    assert stage.complete("b").open == ["z"]


def test_an_ad_hoc_sub_process_ends_when_its_condition_holds(stage: Stage) -> None:
    stage.start(ad_hoc(user("a") + user("b") + user("c"), "a -> c", until="enough"), enough=False)
    assert stage.complete("a").open == ["b", "c"]
    assert stage.complete("b", enough=True).open == ["z"]


def test_an_ad_hoc_sub_process_may_let_the_others_end(stage: Stage) -> None:
    source = ad_hoc(user("a") + user("b") + user("c"), "a -> c", until="enough", cancelRemainingInstances="false")
    stage.start(source, enough=False)
    assert stage.complete("a", enough=True).open == ["b"], "c is not begun any more"
    assert stage.complete("b").open == ["z"]


def test_a_sequential_ad_hoc_sub_process_begins_nothing_more_when_its_condition_holds(stage: Stage) -> None:
    stage.start(ad_hoc(user("a") + user("b"), until="enough", ordering="Sequential"), enough=False)
    assert stage.complete("a", enough=True).open == ["z"]


# -- called processes


def called(body: str, *flows: str) -> bytes:
    return model('<startEvent id="s"/>' + body + end("e"), *flows, key="inner", before=NAMES)


CALL = '<callActivity id="call" calledElement="inner">{}</callActivity>'


def test_a_called_process_runs_inside_its_caller(stage: Stage) -> None:
    outer = model(START + CALL.format("") + work("b") + end("e"), "s -> call -> b -> e")
    stage.start(outer, called(user("a") + work("w"), "s -> a -> w -> e"))
    assert stage.open == ["a"]
    stage.complete("a")
    assert stage.log == ["w", "b"]
    assert stage.status == "success"


def test_an_error_of_a_called_process_reaches_the_border_of_the_call(stage: Stage) -> None:
    body = START + CALL.format("") + boundary("x", "call", ERROR) + work("c") + end("e") + end("f")
    inner = called(user("a") + end("bad", ERROR), "s -> a -> bad")
    stage.start(model(body, "s -> call -> e", "x -> c -> f", before=NAMES), inner).complete("a")
    assert stage.log == ["c"]
    assert stage.status == "success"


def test_a_terminate_end_event_in_a_called_process_ends_only_that(stage: Stage) -> None:
    body = START + CALL.format("") + user("c") + end("e")
    inner = called(
        '<parallelGateway id="g"/>' + user("a") + user("b") + end("t", TERMINATE),
        "s -> g",
        "g -> a -> t",
        "g -> b -> e",
    )
    stage.start(model(body, "s -> call -> c -> e"), inner).complete("a")
    assert stage.open == ["c"]


def test_a_called_process_may_use_the_same_ids_as_its_caller(stage: Stage) -> None:
    inner = called(sub("b", '<startEvent id="bs"/>' + user("a") + end("be"), "bs -> a -> be"), "s -> b -> e")
    outer = model(START + CALL.format("") + user("b") + end("e"), "s -> call -> b -> e")
    stage.start(outer, inner)
    assert stage.open == ["a"]
    assert stage.complete("a").open == ["b"]
    assert stage.complete("b").status == "success"


def test_a_called_process_has_variables_of_its_own(stage: Stage) -> None:
    inner = called(script("t", "n = n + 1\nlog(n)") + user("a") + script("v", "log(n)"), "s -> t -> a -> v -> e")
    outer = model(START + CALL.format("") + script("b", "log(n)") + end("e"), "s -> call -> b -> e")
    stage.start(outer, inner, n=1).complete("a")
    assert stage.log == [2, 2, 1]


def test_a_timer_on_a_call_takes_the_called_process_away(stage: Stage) -> None:
    body = START + CALL.format("") + boundary("x", "call", timer("PT3S")) + user("c") + end("e") + end("f")
    stage.start(model(body, "s -> call -> e", "x -> c -> f"), called(user("a"), "s -> a -> e"))
    assert stage.advance(3).open == ["c"]
    assert stage.complete("c").status == "success"


def test_a_call_runs_once_for_each_item(stage: Stage) -> None:
    marker = runs("3")
    outer = model(START + CALL.format(marker) + end("e"), "s -> call -> e")
    stage.start(outer, called(user("a") + script("v", "log(loopCounter)"), "s -> a -> v -> e"))
    assert stage.open == ["a", "a", "a"]
    stage.complete("a").complete("a").complete("a")
    assert sorted(stage.log) == [0, 1, 2]
    assert stage.status == "success"


def test_a_global_task_is_called_like_a_process(stage: Stage) -> None:
    body = START + CALL.format("") + user("b") + end("e")
    before = '<globalUserTask id="inner" name="inner"/>'
    stage.start(model(body, "s -> call -> b -> e", before=before))
    assert stage.open == ["inner:task"]
    assert stage.complete("inner:task").open == ["b"]


# -- starting


def test_a_receive_task_can_start_a_process(stage: Stage) -> None:
    body = '<receiveTask id="r" instantiate="true" messageRef="M"/>' + user("a") + end("e")
    stage.deploy(model(body, "r -> a -> e", before=NAMES))
    stage.message("M", n=3)
    assert stage.open == ["a"]
    assert stage.complete("a").status == "success"


def test_each_of_several_start_events_starts_a_process(stage: Stage) -> None:
    body = START + f'<startEvent id="m">{message("M")}</startEvent><startEvent id="n">{signal("S")}</startEvent>'
    body += user("a") + user("b") + user("c") + end("e")
    stage.deploy(model(body, "s -> a -> e", "m -> b -> e", "n -> c -> e", before=NAMES))
    assert stage.start().open == ["a"]
    stage.number = ""
    assert stage.message("M").open == ["b"]


def test_a_waiting_receive_task_has_a_border(stage: Stage) -> None:
    body = START + '<receiveTask id="r" messageRef="M"/>' + boundary("x", "r", timer("PT3S")) + user("a") + user("b")
    stage.start(model(body + end("e"), "s -> r -> a -> e", "x -> b -> e", before=NAMES))
    assert stage.advance(3).open == ["b"]
    stage.start()
    assert stage.message("M").open == ["a"]


def test_a_timer_inside_a_sub_process_and_an_event_beside_it_do_not_disturb_each_other(stage: Stage) -> None:
    handler = on_event("h", message("M"), user("u") + end("he"), "sh -> u -> he", interrupting=False)
    inner = sub("sp", '<startEvent id="i"/>' + catch("w", timer("PT3S")) + handler + end("ie"), "i -> w -> ie")
    stage.start(model(START + inner + user("c") + end("e"), "s -> sp -> c -> e", before=NAMES)).message("M")
    assert stage.open == ["u"]
    assert stage.advance(3).open == ["u"], "the sub-process waits for the handler"
    assert stage.complete("u").open == ["c"]


def test_event_sub_processes_run_without_ids(stage: Stage) -> None:
    """An id is optional in BPMN 2.0.2 (8.3.1), and nothing in a file refers to an event sub-process."""
    handler = on_event("h{0}", signal("S"), user("u{0}") + end("he{0}"), "sh{0} -> u{0} -> he{0}", interrupting=False)
    handlers = "".join(handler.replace("{0}", number).replace(f'id="h{number}"', "") for number in "12")
    stage.start(model(START + user("a") + handlers + end("e"), "s -> a -> e", before=NAMES)).signal("S")
    assert stage.open == ["a", "u1", "u2"]


BOUND = '<callActivity id="call" calledElement="inner" {}/>'


def inner_that_logs(text: str) -> bytes:
    return called(script("t", f"log({text!r})"), "s -> t -> e")


@pytest.mark.parametrize(
    ("binding", "seen"),
    [
        ("", "second"),
        ('camunda:calledElementBinding="latest"', "second"),
        ('camunda:calledElementBinding="version" camunda:calledElementVersion="1"', "first"),
    ],
)
def test_a_call_is_bound_to_the_newest_version_or_to_one(stage: Stage, binding: str, seen: str) -> None:
    """Camunda 7 manual, "Call activity", calledElement binding."""
    stage.deploy(inner_that_logs("first"))
    stage.deploy(inner_that_logs("second"))
    stage.start(model(START + BOUND.format(binding) + end("e"), "s -> call -> e"))
    assert stage.log == [seen]


TAGGED = '<callActivity id="call"><extensionElements><zeebe:calledElement {}/></extensionElements></callActivity>'
BY_TAG = (
    BOUND.format('camunda:calledElementBinding="versionTag" camunda:calledElementVersionTag="v1"'),
    TAGGED.format(
        'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" processId="inner" bindingType="versionTag" versionTag="v1"'
    ),
)


def tagged(text: str, tag: str) -> bytes:
    return inner_that_logs(text).replace(b'id="inner"', f'id="inner" camunda:versionTag="{tag}"'.encode(), 1)


@pytest.mark.parametrize("call", BY_TAG)
def test_a_call_is_bound_to_a_version_tag(stage: Stage, call: str) -> None:
    """Camunda 8 manual, "Version binding": the latest deployed version with the tag."""
    caller = model(START + call + end("e"), "s -> call -> e")
    stage.deploy(inner_that_logs("bare"))
    with pytest.raises(ModelInvalid, match="is not deployed with the version tag 'v1'"):
        stage.deploy(caller)
    first = stage.deploy(tagged("first", "v1"))
    stage.deploy(tagged("again", "v1"))
    stage.deploy(tagged("second", "v2"))
    stage.start(caller)
    assert stage.log == ["again"]
    stage.engine.remove_deployment(first.deployment_id)
    stage.start(caller, tagged("together", "v1"))
    assert stage.log == ["again", "together"]


def test_a_call_is_bound_to_its_own_deployment(stage: Stage) -> None:
    caller = model(START + BOUND.format('camunda:calledElementBinding="deployment"') + end("e"), "s -> call -> e")
    stage.deploy(inner_that_logs("apart"))
    with pytest.raises(ModelInvalid, match="deploy them together"):
        stage.deploy(caller)
    stage.start(caller, inner_that_logs("together"))
    assert stage.log == ["together"]


@pytest.mark.parametrize(
    "binding",
    [
        'camunda:calledElementBinding="versionTag" camunda:calledElementVersionTag="x"',
        'camunda:calledElementBinding="versionTag" camunda:calledElementVersionTag="${tag}"',
        'camunda:calledElementBinding="versionTag"',
        'camunda:calledElementBinding="version" camunda:calledElementVersion="newest"',
        'camunda:calledElementBinding="version" camunda:calledElementVersion="7"',
    ],
)
def test_a_call_that_cannot_be_bound_is_refused(stage: Stage, binding: str) -> None:
    stage.deploy(inner_that_logs("first"))
    with pytest.raises(ModelInvalid):
        stage.deploy(model(START + BOUND.format(binding) + end("e"), "s -> call -> e"))


def test_a_version_that_a_waiting_process_is_bound_to_is_not_removed(stage: Stage) -> None:
    first = stage.deploy(inner_that_logs("first"))
    stage.deploy(inner_that_logs("second"))
    bound = BOUND.format('camunda:calledElementBinding="version" camunda:calledElementVersion="1"')
    stage.start(model(START + user("w") + bound + end("e"), "s -> w -> call -> e"))
    with pytest.raises(Conflict, match="1 process needs it"):
        stage.engine.remove_deployment(first.deployment_id)
    assert stage.complete("w").log == ["first"]
