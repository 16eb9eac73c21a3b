"""Events on borders, in the flow, and across instances. Every story is told twice, once with restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Conflict, ModelInvalid

from .elements import (
    BEGIN,
    START,
    Stage,
    boundary,
    catch,
    condition,
    end,
    message,
    model,
    on_event,
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
    '<signal id="S" name="S"/><message id="M" name="M"/><message id="N" name="N"/>'
    '<error id="E1" errorCode="one"/><error id="E2" errorCode="two"/>'
    '<escalation id="X1" escalationCode="one"/><escalation id="X2" escalationCode="two"/>'
)
ERROR = '<errorEventDefinition errorRef="{}"/>'
ANY_ERROR = "<errorEventDefinition/>"
ESCALATION = '<escalationEventDefinition escalationRef="{}"/>'
TERMINATE = "<terminateEventDefinition/>"


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def bordered(definition: str, *, interrupting: bool = True) -> bytes:
    body = START + user("a") + boundary("x", "a", definition, interrupting=interrupting) + user("b") + user("c")
    return model(body + end("e") + end("f"), "s -> a -> b -> e", "x -> c -> f", before=NAMES)


# -- borders


def test_an_interrupting_event_takes_the_activity_away(stage: Stage) -> None:
    stage.start(bordered(message("M"))).message("M")
    assert stage.open == ["c"]
    assert stage.complete("c").status == "success"


def test_a_non_interrupting_event_fires_as_often_as_it_comes(stage: Stage) -> None:
    stage.start(bordered(message("M"), interrupting=False)).message("M").message("M")
    assert stage.open == ["a", "c", "c"]
    stage.complete("a").complete("c").complete("c")
    assert stage.complete("b").status == "success"


def test_the_border_listens_only_while_the_activity_is_there(stage: Stage) -> None:
    stage.start(bordered(signal("S"))).complete("a").signal("S")
    assert stage.open == ["b"]


def test_a_timer_on_a_border_repeats_as_often_as_it_says(stage: Stage) -> None:
    stage.start(bordered(timer("R2/PT2S", "Cycle"), interrupting=False))
    assert stage.advance(1).open == ["a"]
    assert stage.advance(1).open == ["a", "c"]
    assert stage.advance(2).open == ["a", "c", "c"]
    assert stage.advance(9).open == ["a", "c", "c"]


def test_an_endless_timer_on_a_border_ends_with_its_activity(stage: Stage) -> None:
    stage.start(bordered(timer("R/PT2S", "Cycle"), interrupting=False)).advance(6)
    assert stage.open == ["a", "c", "c", "c"]
    assert stage.complete("a").advance(6).open == ["b", "c", "c", "c"]


def test_one_of_several_events_on_a_border_is_enough(stage: Stage) -> None:
    stage.start(bordered(message("M") + signal("S"))).signal("S")
    assert stage.open == ["c"]


def test_an_event_on_a_border_may_wait_for_all_of_several(stage: Stage) -> None:
    source = bordered(message("M") + signal("S")).replace(b"cancelActivity", b'parallelMultiple="true" cancelActivity')
    stage.start(source).signal("S")
    assert stage.open == ["a"]
    assert stage.signal("S").open == ["a"]
    assert stage.message("M").open == ["c"]


def test_an_event_on_a_border_may_wait_for_an_error_or_a_message(stage: Stage) -> None:
    body = START + sub("a", '<startEvent id="i"/>' + user("u") + end("ie", ERROR.format("E1")), "i -> u -> ie")
    body += boundary("x", "a", ERROR.format("E1") + message("M")) + user("b") + user("c") + end("e") + end("f")
    stage.start(model(body, "s -> a -> b -> e", "x -> c -> f", before=NAMES))
    assert stage.complete("u").open == ["c"]
    again = stage.start()
    assert again.message("M").open == ["c"]


def test_a_sub_process_that_is_interrupted_takes_all_inside_with_it(stage: Stage) -> None:
    inner = sub("deep", '<startEvent id="j"/>' + user("u") + end("je"), "j -> u -> je")
    body = START + sub("a", '<startEvent id="i"/>' + inner + end("ie"), "i -> deep -> ie")
    body += boundary("x", "a", timer("PT3S")) + user("c") + end("e") + end("f")
    stage.start(model(body, "s -> a -> e", "x -> c -> f"))
    assert stage.open == ["u"]
    assert stage.advance(3).open == ["c"]
    assert stage.complete("c").status == "success"


# -- errors and escalations


def thrower(result: str) -> str:
    return sub("a", '<startEvent id="i"/>' + user("u") + end("ie", result), "i -> u -> ie")


def test_an_error_goes_to_the_event_that_names_it(stage: Stage) -> None:
    body = START + thrower(ERROR.format("E2")) + boundary("x", "a", ERROR.format("E1"))
    body += boundary("y", "a", ANY_ERROR) + boundary("z", "a", ERROR.format("E2")) + script("x1") + script("y1")
    body += script("z1") + end("e") + end("f") + end("g") + end("h")
    stage.start(model(body, "s -> a -> e", "x -> x1 -> f", "y -> y1 -> g", "z -> z1 -> h", before=NAMES)).complete("u")
    assert stage.log == ["z1"]
    assert stage.status == "success"


def test_an_error_that_nobody_names_goes_to_whoever_catches_all(stage: Stage) -> None:
    body = START + thrower(ERROR.format("E2")) + boundary("x", "a", ERROR.format("E1")) + boundary("y", "a", ANY_ERROR)
    body += script("x1") + script("y1") + end("e") + end("f") + end("g")
    stage.start(model(body, "s -> a -> e", "x -> x1 -> f", "y -> y1 -> g", before=NAMES)).complete("u")
    assert stage.log == ["y1"]


def test_an_error_passes_through_the_scopes_that_do_not_catch_it(stage: Stage) -> None:
    inner = thrower(ERROR.format("E2")) + boundary("x", "a", ERROR.format("E1")) + script("x1") + end("f")
    outer = sub("out", '<startEvent id="o"/>' + inner + end("oe"), "o -> a -> oe", "x -> x1 -> f")
    body = START + outer + boundary("y", "out", ERROR.format("E2")) + script("y1") + end("e") + end("g")
    stage.start(model(body, "s -> out -> e", "y -> y1 -> g", before=NAMES)).complete("u")
    assert stage.log == ["y1"]
    assert stage.status == "success"


def test_an_error_that_nobody_catches_fails_the_process(stage: Stage) -> None:
    stage.start(model(START + thrower(ERROR.format("E2")) + end("e"), "s -> a -> e", before=NAMES)).complete("u")
    assert stage.status == "failed"
    assert "'two'" in stage.reason


def test_a_script_throws_an_error_that_its_own_border_catches(stage: Stage) -> None:
    body = START + script("t", "fail('one')") + boundary("x", "t", ERROR.format("E1")) + script("x1")
    body += end("e") + end("f")
    stage.start(model(body, "s -> t -> e", "x -> x1 -> f", before=NAMES))
    assert stage.log == ["x1"]


def test_an_escalation_that_does_not_interrupt_lets_the_sub_process_go_on(stage: Stage) -> None:
    inner = '<startEvent id="i"/>' + throw("t", ESCALATION.format("X1")) + user("u") + end("ie")
    body = START + sub("a", inner, "i -> t -> u -> ie")
    body += boundary("x", "a", ESCALATION.format("X1"), interrupting=False) + user("c") + end("e") + end("f")
    stage.start(model(body, "s -> a -> e", "x -> c -> f", before=NAMES))
    assert stage.open == ["c", "u"]


def test_an_escalation_that_interrupts_ends_the_sub_process_and_its_thrower(stage: Stage) -> None:
    inner = '<startEvent id="i"/>' + throw("t", ESCALATION.format("X1")) + user("u") + end("ie")
    body = START + sub("a", inner, "i -> t -> u -> ie") + boundary("x", "a", ESCALATION.format("X1"))
    body += user("c") + end("e") + end("f")
    stage.start(model(body, "s -> a -> e", "x -> c -> f", before=NAMES))
    assert stage.open == ["c"]


def test_an_escalation_that_nobody_catches_is_no_failure(stage: Stage) -> None:
    body = START + throw("t", ESCALATION.format("X1")) + end("e", ESCALATION.format("X2"))
    assert stage.start(model(body, "s -> t -> e", before=NAMES)).status == "success"


# -- signals and messages


def test_a_signal_reaches_the_border_of_the_scope_that_throws_it(stage: Stage) -> None:
    inner = '<startEvent id="i"/>' + throw("t", signal("S")) + script("u") + end("ie")
    body = START + sub("a", inner, "i -> t -> u -> ie") + boundary("x", "a", signal("S"), interrupting=False)
    body += script("c") + script("d") + end("e") + end("f")
    stage.start(model(body, "s -> a -> d -> e", "x -> c -> f", before=NAMES))
    assert sorted(stage.log) == ["c", "d", "u"]
    assert stage.status == "success"


def test_a_signal_that_interrupts_its_thrower_keeps_it_from_going_on(stage: Stage) -> None:
    inner = '<startEvent id="i"/>' + throw("t", signal("S")) + script("u") + end("ie")
    body = START + sub("a", inner, "i -> t -> u -> ie") + boundary("x", "a", signal("S")) + script("c")
    stage.start(model(body + end("e") + end("f"), "s -> a -> e", "x -> c -> f", before=NAMES))
    assert stage.log == ["c"]
    assert stage.status == "success"


def test_a_thrower_does_not_catch_its_own_signal_later(stage: Stage) -> None:
    body = START + throw("t", signal("S")) + catch("w", signal("S")) + end("e")
    stage.start(model(body, "s -> t -> w -> e", before=NAMES))
    assert stage.status == "running"
    assert stage.signal("S").status == "success"


def test_a_branch_that_begins_to_wait_beside_the_thrower_hears_the_signal(stage: Stage) -> None:
    body = f'{START}<parallelGateway id="g"/>' + throw("t", signal("S")) + catch("w", signal("S")) + end("e") + end("f")
    assert stage.start(model(body, "s -> g", "g -> t -> e", "g -> w -> f", before=NAMES)).status == "success"


def test_a_signal_reaches_every_instance_that_waits(stage: Stage) -> None:
    stage.deploy(model(START + catch("w", signal("S")) + end("e"), "s -> w -> e", before=NAMES, key="waits"))
    first = stage.start(key="waits").number
    second = stage.start(key="waits").number
    stage.start(model(START + throw("t", signal("S")) + end("e"), "s -> t -> e", before=NAMES))
    assert [stage.watch(number).status for number in (first, second)] == ["success", "success"]


def test_a_signal_starts_every_process_that_it_triggers(stage: Stage) -> None:
    begun = '<startEvent id="s">' + signal("S") + "</startEvent>"
    stage.deploy(model(begun + user("u") + end("e"), "s -> u -> e", before=NAMES, key="begun"))
    stage.start(model(START + end("e", signal("S")), "s -> e", before=NAMES))
    page = stage.engine.instances(key="begun")
    assert [instance.status for instance in page.items] == ["running"]


def test_a_message_reaches_one_receiver_only(stage: Stage) -> None:
    stage.deploy(model(START + catch("w", message("M")) + end("e"), "s -> w -> e", before=NAMES, key="waits"))
    numbers = [stage.start(key="waits").number for _ in range(2)]
    stage.message("M")
    assert [stage.watch(number).status for number in numbers] == ["success", "running"]


def test_a_message_is_thrown_to_another_process_and_answered(stage: Stage) -> None:
    begun = '<startEvent id="s">' + message("M") + "</startEvent>"
    stage.deploy(model(begun + end("e", message("N")), "s -> e", before=NAMES, key="answers"))
    body = START + throw("t", message("M")) + catch("w", message("N")) + end("e")
    assert stage.start(model(body, "s -> t -> w -> e", before=NAMES)).status == "success"


def test_what_several_events_wait_for_must_all_come_where_the_model_says_so(stage: Stage) -> None:
    both = message("M") + signal("S")
    body = START + catch("w", both, parallelMultiple="true") + end("e")
    stage.start(model(body, "s -> w -> e", before=NAMES)).message("M")
    assert stage.status == "running"
    assert stage.signal("S").status == "success"


ALL_OF_THEM = 'parallelMultiple="true"'


def timers_of(stage: Stage) -> int:
    """How many timers have come, by the process's history."""
    return [entry.kind for entry in stage.engine.history(stage.number).items].count("timer")


def test_a_timer_that_has_come_waits_for_the_rest_without_coming_again(stage: Stage) -> None:
    body = START + catch("w", timer("PT2S") + message("M"), parallelMultiple="true") + end("e")
    stage.start(model(body, "s -> w -> e", before=NAMES)).advance(6)
    assert (stage.status, timers_of(stage)) == ("running", 1)
    assert not any("due" in told or "late" in told for told in stage.engine.why(stage.number).sentences)
    assert stage.message("M").status == "success"


@pytest.mark.parametrize("last", ["message", "timer"])
def test_a_border_that_needs_a_timer_and_a_message_fires_once_for_each_pair(stage: Stage, last: str) -> None:
    both = timer("R2/PT2S", "Cycle") + message("M")
    source = bordered(both, interrupting=False).replace(b"cancelActivity", f"{ALL_OF_THEM} cancelActivity".encode())
    stage.start(source)
    for _ in range(2):
        if last == "message":
            assert stage.advance(2).open.count("c") == (before := stage.open.count("c"))
            stage.message("M")
        else:
            before = stage.message("M").open.count("c")
            stage.advance(2)
        assert stage.open.count("c") == before + 1
    assert (stage.open, timers_of(stage)) == (["a", "c", "c"], 2)
    # There is no third turn, so no message is taken for one.
    with pytest.raises(Conflict, match="'M'"):
        stage.message("M")


def test_what_an_event_has_got_already_it_takes_from_nobody_else(stage: Stage) -> None:
    """BPMN 2.0.2, 10.5.5: a parallel multiple event needs each of its triggers, and needs none twice."""
    body = START + catch("w", message("M") + signal("S"), parallelMultiple="true") + end("e")
    first = stage.start(model(body, "s -> w -> e", before=NAMES)).message("M").number
    stage.deploy(model(START + catch("w", message("M")) + end("e"), "s -> w -> e", before=NAMES, key="other"))
    assert stage.start(key="other").message("M").status == "success"
    assert stage.watch(first).signal("S").status == "success"


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_may_need_all_of_several(stage: Stage, interrupting: bool) -> None:
    both = message("M") + timer("R/PT2S", "Cycle")
    handler = on_event("h", both, user("c") + end("he"), "sh -> c -> he", interrupting=interrupting)
    handler = handler.replace('id="sh"', f'id="sh" {ALL_OF_THEM}')
    stage.start(model(START + user("a") + handler + end("e"), "s -> a -> e", before=NAMES)).advance(5)
    assert (stage.open, timers_of(stage)) == (["a"], 1)
    assert stage.message("M").open == (["c"] if interrupting else ["a", "c"])
    if not interrupting:
        assert stage.message("M").advance(2).open == ["a", "c", "c"]


def test_a_bounded_cycle_among_several_that_must_come_lets_a_token_go_for_each_turn(stage: Stage) -> None:
    both = timer("R2/PT2S", "Cycle") + message("M")
    body = START + catch("w", both, parallelMultiple="true") + work("a") + end("e")
    stage.start(model(body, "s -> w -> a -> e", before=NAMES)).advance(2)
    assert stage.message("M").log == ["a"]
    assert stage.message("M").log == ["a"]
    assert (stage.advance(2).log, stage.status) == (["a", "a"], "success")


def test_an_event_that_throws_several_throws_them_all(stage: Stage) -> None:
    body = f'{START}<parallelGateway id="g"/>' + throw("t", signal("S") + message("M"))
    body += catch("w", signal("S")) + catch("v", message("M")) + end("e")
    flows = ("s -> g", "g -> t -> e", "g -> w -> e", "g -> v -> e")
    assert stage.start(model(body, *flows, before=NAMES)).status == "success"


def test_an_end_event_that_sends_and_fails_does_both(stage: Stage) -> None:
    last = end("he", signal("S") + ERROR.format("E1"))
    body = START + sub("h", '<startEvent id="hs"/>' + last, "hs -> he") + boundary("x", "h", ERROR.format("E1"))
    body += catch("w", signal("S")) + script("c") + script("d") + end("e") + end("f")
    stage.start(model(body, "s -> h -> e", "s -> w -> d -> f", "x -> c -> e", before=NAMES))
    assert (sorted(stage.log), stage.status) == (["c", "d"], "success")


def test_a_link_leads_to_its_other_end(stage: Stage) -> None:
    link = '<linkEventDefinition name="L"/>'
    body = START + throw("a", link) + throw("b", link) + catch("c", link) + user("u") + '<parallelGateway id="g"/>'
    stage.start(model(body + end("e"), "s -> g", "g -> a", "g -> b", "c -> u -> e"))
    assert stage.open == ["u", "u"]


# -- timers


def test_a_timer_waits_for_its_duration(stage: Stage) -> None:
    stage.start(model(START + catch("w", timer("PT3S")) + end("e"), "s -> w -> e"))
    assert stage.advance(2).status == "running"
    assert stage.advance(1).status == "success"


def test_a_timer_waits_for_its_date_or_an_expression(stage: Stage) -> None:
    stage.start(model(START + catch("w", timer("2027-01-15T08:00:03Z", "Date")) + end("e"), "s -> w -> e"))
    assert BEGIN == 1_800_000_000_000, "which is 2027-01-15T08:00:00Z"
    assert stage.advance(2).status == "running"
    assert stage.advance(1).status == "success"
    stage.start(model(START + catch("w", timer("${wait}")) + end("e"), "s -> w -> e", key="q"), key="q", wait="PT2S")
    assert stage.advance(2).status == "success"


def test_a_bounded_cycle_in_the_flow_lets_a_token_go_each_time(stage: Stage) -> None:
    stage.start(model(START + catch("w", timer("R3/PT2S", "Cycle")) + work("a") + end("e"), "s -> w -> a -> e"))
    assert stage.advance(4).log == ["a", "a"]
    assert stage.status == "running"
    assert stage.advance(2).log == ["a", "a", "a"]
    assert stage.status == "success"


# -- conditions


def test_a_condition_that_holds_already_fires_at_once(stage: Stage) -> None:
    stage.start(bordered(condition("n > 1")), n=2)
    assert stage.open == ["c"]


def test_a_condition_fires_when_it_becomes_true(stage: Stage) -> None:
    body = f'{START}<parallelGateway id="g"/>' + user("t") + catch("w", condition("n > 1")) + user("u") + end("e")
    stage.start(model(body, "s -> g", "g -> t -> e", "g -> w -> u -> e"), n=0)
    assert stage.open == ["t"]
    assert stage.complete("t", n=2).open == ["u"]


def test_a_condition_on_a_border_fires_again_only_after_it_was_false(stage: Stage) -> None:
    body = f'{START}<parallelGateway id="g"/>' + user("a") + boundary("x", "a", condition("n > 1"), interrupting=False)
    body += user("t") + user("c") + end("e") + '<exclusiveGateway id="m"/>'
    stage.start(model(body, "s -> g", "g -> a -> e", "g -> m -> t -> m", "x -> c -> e"), n=0)
    assert stage.complete("t", n=2).open == ["a", "c", "t"]
    assert stage.complete("t", n=3).open == ["a", "c", "t"]
    assert stage.complete("t", n=0).open == ["a", "c", "t"]
    assert stage.complete("t", n=2).open == ["a", "c", "c", "t"]


# -- ends


def test_a_terminate_end_event_ends_all_that_runs(stage: Stage) -> None:
    body = f'{START}<parallelGateway id="g"/>' + user("a") + user("b") + end("e", TERMINATE) + end("f")
    stage.start(model(body, "s -> g", "g -> a -> e", "g -> b -> f")).complete("a")
    assert stage.status == "success"
    assert stage.open == []


def test_a_terminate_end_event_ends_only_the_sub_process_that_it_is_in(stage: Stage) -> None:
    inner = '<startEvent id="i"/><parallelGateway id="g"/>' + user("a") + user("b") + end("ie", TERMINATE)
    body = START + sub("sp", inner + end("if"), "i -> g", "g -> a -> ie", "g -> b -> if") + user("c") + end("e")
    stage.start(model(body, "s -> sp -> c -> e")).complete("a")
    assert stage.open == ["c"]
    assert stage.complete("c").status == "success"


@pytest.mark.parametrize("form", ["groovy", "javascript", "text/x-ruby"])
def test_a_trusted_script_in_another_language_is_refused(stage: Stage, form: str) -> None:
    """BPMN 2.0.2, 10.3.3: the format of a script says what runs it; nothing here runs anything but Python."""
    body = START + script("t", "x = 1").replace("<scriptTask", f'<scriptTask scriptFormat="{form}"') + end("e")
    with pytest.raises(ModelInvalid) as refused:
        stage.deploy(model(body, "s -> t -> e"))
    assert [finding.code for finding in refused.value.findings if finding.severity == "error"] == ["script-language"]


def test_a_trusted_script_in_an_unknown_format_is_read_as_python_with_a_warning(stage: Stage) -> None:
    body = START + script("t").replace("<scriptTask", '<scriptTask scriptFormat="house style"') + end("e")
    model_of_it = model(body, "s -> t -> e")
    assert [each.code for each in stage.engine.lint(model_of_it)] == ["script-language"]
    assert stage.start(model_of_it).log == ["t"]
