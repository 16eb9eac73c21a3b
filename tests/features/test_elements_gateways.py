"""Gateways: where tokens part and meet. Every story is told twice, once with a restart after each step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .elements import START, Stage, boundary, catch, end, message, model, runs, script, stages, sub, timer, user, work


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


DIAMOND = ("s -> fork", "fork -> a -> join", "fork -> b -> join", "join -> c -> e")


def diamond(fork: str, join: str, default: str = "") -> str:
    chosen = f' default="{default}"' if default else ""
    return f'{START}<{fork} id="fork"{chosen}/><{join} id="join"/>{user("a")}{user("b")}{user("c")}{end("e")}'


def test_a_parallel_join_waits_for_all(stage: Stage) -> None:
    stage.start(model(diamond("parallelGateway", "parallelGateway"), *DIAMOND))
    assert stage.open == ["a", "b"]
    assert stage.complete("a").open == ["b"]
    assert stage.complete("b").open == ["c"]
    assert stage.complete("c").status == "success"


def test_an_exclusive_gateway_takes_the_first_flow_that_holds_and_joins_nothing(stage: Stage) -> None:
    flows = ("s -> fork", "fork -> a ? n > 1", "fork -> b ? n > 0", "a -> join", "b -> join", "join -> c -> e")
    stage.start(model(diamond("exclusiveGateway", "exclusiveGateway"), *flows), n=2)
    assert stage.open == ["a"]
    assert stage.complete("a").open == ["c"]


def test_an_exclusive_gateway_falls_back_to_its_default_flow(stage: Stage) -> None:
    flows = ("s -> fork", "fork -> a ? n > 1", "fork -> b", "a -> join", "b -> join", "join -> c -> e")
    stage.start(model(diamond("exclusiveGateway", "exclusiveGateway", "fork.b"), *flows), n=0)
    assert stage.open == ["b"]


def test_a_process_fails_where_no_flow_can_be_taken(stage: Stage) -> None:
    flows = ("s -> fork", "fork -> a ? n > 1", "fork -> b ? n > 2", "a -> join", "b -> join", "join -> c -> e")
    stage.start(model(diamond("inclusiveGateway", "inclusiveGateway"), *flows), n=0)
    assert stage.status == "failed"
    assert "'fork'" in stage.reason


@pytest.mark.parametrize(("n", "first"), [(1, ["a"]), (2, ["a", "b"])])
def test_an_inclusive_join_waits_for_what_was_started(stage: Stage, n: int, first: list[str]) -> None:
    flows = ("s -> fork", "fork -> a ? n > 0", "fork -> b ? n > 1", "a -> join", "b -> join", "join -> c -> e")
    stage.start(model(diamond("inclusiveGateway", "inclusiveGateway"), *flows), n=n)
    assert stage.open == first
    for node in first:
        assert "c" not in stage.open
        stage.complete(node)
    assert stage.open == ["c"]
    assert stage.complete("c").status == "success"


def test_an_inclusive_join_does_not_wait_for_what_has_taken_another_way(stage: Stage) -> None:
    body = (
        f'{START}<parallelGateway id="fork"/><exclusiveGateway id="x"/><inclusiveGateway id="join"/>'
        f"{user('a')}{user('b')}{user('c')}{user('d')}{end('e')}{end('f')}"
    )
    flows = ("s -> fork", "fork -> a -> join", "fork -> b -> x", "x -> join ? n > 1", "x -> d ? n < 2", "d -> f")
    stage.start(model(body, *flows, "join -> c -> e"))
    assert stage.complete("a").open == ["b"], "b can still come"
    stage.complete("b", n=1)
    assert stage.open == ["c", "d"], "d leads elsewhere"


def test_an_inclusive_join_waits_for_a_boundary_event_that_leads_to_it(stage: Stage) -> None:
    body = START + '<parallelGateway id="fork"/><inclusiveGateway id="join"/>' + user("a") + user("b") + user("c")
    body += end("e") + end("f") + boundary("late", "b", timer("PT5S"))
    stage.start(model(body, "s -> fork", "fork -> a -> join", "fork -> b -> f", "late -> join", "join -> c -> e"))
    assert stage.complete("a").open == ["b"]
    assert stage.advance(5).open == ["c"]


def test_tokens_that_come_twice_by_one_flow_are_kept_for_the_next_join(stage: Stage) -> None:
    body = (
        f'{START}<parallelGateway id="fork"/><parallelGateway id="join"/><exclusiveGateway id="m"/>'
        f"{user('a')}{user('b')}{user('d')}{work('c')}{end('e')}"
    )
    stage.start(
        model(body, "s -> fork", "fork -> a -> m", "fork -> b -> m", "m -> join", "fork -> d -> join", "join -> c -> e")
    )
    stage.complete("a").complete("b")
    assert stage.log == []
    stage.complete("d")
    assert stage.log == ["c"]
    assert stage.status == "failed"
    assert "'join'" in stage.reason


def test_a_stuck_process_says_where(stage: Stage) -> None:
    flows = ("s -> fork", "fork -> a ? n > 0", "fork -> b ? n > 1", "a -> join", "b -> join", "join -> c -> e")
    stage.start(model(diamond("inclusiveGateway", "parallelGateway"), *flows), n=1)
    stage.complete("a")
    assert stage.status == "failed"
    assert "stuck" in stage.reason


RACE = (
    f'{START}<eventBasedGateway id="g"/>{catch("m", message("M"))}{catch("t", timer("PT5S"))}'
    f"{user('a')}{user('b')}{end('e')}{end('f')}"
)
RACE_FLOWS = ("s -> g", "g -> m -> a -> e", "g -> t -> b -> f")
MESSAGES = '<message id="M" name="M"/><message id="N" name="N"/>'


def test_the_first_event_behind_an_event_based_gateway_wins(stage: Stage) -> None:
    stage.start(model(RACE, *RACE_FLOWS, before=MESSAGES))
    stage.message("M")
    assert stage.open == ["a"]
    assert stage.advance(6).open == ["a"]
    assert stage.complete("a").status == "success"


def test_a_timer_behind_an_event_based_gateway_wins_when_nothing_else_comes(stage: Stage) -> None:
    stage.start(model(RACE, *RACE_FLOWS, before=MESSAGES))
    assert stage.advance(4).open == []
    assert stage.advance(1).open == ["b"]


def test_a_receive_task_can_race_too(stage: Stage) -> None:
    body = (
        f'{START}<eventBasedGateway id="g"/><receiveTask id="m" messageRef="M"/>{catch("t", timer("PT5S"))}'
        f"{user('a')}{user('b')}{end('e')}{end('f')}"
    )
    stage.start(model(body, *RACE_FLOWS, before=MESSAGES))
    assert stage.message("M").open == ["a"]
    assert stage.advance(6).complete("a").status == "success"


INSTANTIATING = (
    '<eventBasedGateway id="g" instantiate="true" {}/>'
    f"{catch('m', message('M'))}{catch('n', message('N'))}{user('a')}{user('b')}{end('e')}{end('f')}"
)


def test_either_event_behind_an_instantiating_gateway_starts_a_process(stage: Stage) -> None:
    stage.deploy(model(INSTANTIATING.format(""), "g -> m -> a -> e", "g -> n -> b -> f", before=MESSAGES))
    stage.message("N")
    assert stage.open == ["b"]
    assert stage.complete("b").status == "success"


def test_a_parallel_instantiating_gateway_needs_all_its_events(stage: Stage) -> None:
    body = INSTANTIATING.format('eventGatewayType="Parallel"')
    stage.deploy(model(body, "g -> m -> a -> e", "g -> n -> b -> f", before=MESSAGES))
    stage.message("N")
    assert stage.open == ["b"]
    assert stage.complete("b").status == "running"
    first = stage.number
    assert stage.message("M").open == ["a"]
    assert stage.number == first
    assert stage.complete("a").status == "success"


def complex_join(condition: str) -> bytes:
    activation = f"<activationCondition>{condition}</activationCondition>"
    body = START + f'<parallelGateway id="fork"/><complexGateway id="join">{activation}</complexGateway>'
    body += user("a") + user("b") + user("c") + user("d") + end("e")
    return model(body, "s -> fork", "fork -> a -> join", "fork -> b -> join", "fork -> c -> join", "join -> d -> e")


def test_a_complex_gateway_goes_on_when_enough_have_come(stage: Stage) -> None:
    stage.start(complex_join("activationCount &gt;= 2"))
    assert stage.complete("a").open == ["b", "c"]
    assert stage.complete("b").open == ["c", "d"]
    assert stage.complete("c").open == ["d"], "the third is swallowed"
    assert stage.complete("d").status == "success"


def test_a_complex_gateway_in_a_loop_starts_anew_after_the_others_have_come(stage: Stage) -> None:
    body = (
        f'{START}<exclusiveGateway id="m"/><parallelGateway id="fork"/><complexGateway id="join"><activationCondition>'
        f"activationCount &gt;= 1</activationCondition></complexGateway>{user('a')}{user('b')}{user('d')}"
        f'<exclusiveGateway id="again"/>{end("e")}'
    )
    stage.start(
        model(
            body,
            "s -> m -> fork",
            "fork -> a -> join",
            "fork -> b -> join",
            "join -> d -> again",
            "again -> m ? more",
            "again -> e ? not more",
        )
    )
    stage.complete("a").complete("b").complete("d", more=True)
    assert stage.open == ["a", "b"]
    assert stage.complete("b").open == ["a", "d"]
    stage.complete("d", more=False)
    assert stage.complete("a").status == "success"


def test_a_complex_gateway_starts_anew_when_the_others_cannot_come(stage: Stage) -> None:
    body = (
        f'{START}<exclusiveGateway id="m"/><inclusiveGateway id="fork"/><complexGateway id="join"><activationCondition>'
        f"activationCount &gt;= 1</activationCondition></complexGateway>{user('a')}{user('b')}{user('d')}"
        f'<exclusiveGateway id="again"/>{end("e")}'
    )
    stage.start(
        model(
            body,
            "s -> m -> fork",
            "fork -> a ? n == 1",
            "fork -> b ? n == 2",
            "a -> join",
            "b -> join",
            "join -> d -> again",
            "again -> m ? n > 0",
            "again -> e ? n == 0",
        ),
        n=1,
    )
    stage.complete("a").complete("d", n=2)
    assert stage.complete("b").open == ["d"], "the token of the second round is not taken for the rest of the first"
    assert stage.complete("d", n=0).status == "success"


def test_conditions_on_flows_out_of_a_task_start_all_that_hold(stage: Stage) -> None:
    body = f"{START}{user('t', default='t.c')}{user('a')}{user('b')}{user('c')}{end('e')}"
    flows = ("s -> t", "t -> a ? n > 0", "t -> b ? n > 1", "t -> c", "a -> e", "b -> e", "c -> e")
    stage.start(model(body, *flows)).complete("t", n=2)
    assert stage.open == ["a", "b"]


def test_the_default_flow_of_a_task_is_taken_alone(stage: Stage) -> None:
    body = f"{START}{user('t', default='t.c')}{user('a')}{user('c')}{end('e')}"
    stage.start(model(body, "s -> t", "t -> a ? n > 0", "t -> c", "a -> e", "c -> e")).complete("t", n=0)
    assert stage.open == ["c"]


@pytest.mark.parametrize(("n", "open_"), [(0, ["d", "u"]), (1, ["a", "u"])])
def test_a_default_flow_stands_for_the_conditions_whatever_flows_have_none(
    stage: Stage, n: int, open_: list[str]
) -> None:
    """BPMN 2.0.2, 13.2.1: the flow without a condition is taken anyway, the default where no condition holds."""
    body = START + user("t", default="t.d") + user("a") + user("d") + user("u") + end("e")
    stage.start(model(body, "s -> t", "t -> a ? n > 0", "t -> d", "t -> u", "a -> e", "d -> e", "u -> e"))
    assert stage.complete("t", n=n).open == open_


def test_joins_in_a_repeated_sub_process_belong_to_each_run(stage: Stage) -> None:
    inner = '<startEvent id="i"/><parallelGateway id="fork"/><parallelGateway id="join"/>'
    inner += user("a") + user("b") + script("c") + end("ie")
    flows = ("i -> fork", "fork -> a -> join", "fork -> b -> join", "join -> c -> ie")
    stage.start(model(START + sub("sp", inner, *flows, inside=runs("2")) + end("e"), "s -> sp -> e"))
    assert stage.open == ["a", "a", "b", "b"]
    stage.complete("a").complete("a")
    assert stage.log == []
    stage.complete("b")
    assert stage.log == ["c"]
    assert stage.complete("b").status == "success"
    assert stage.log == ["c", "c"]


@pytest.mark.parametrize(("written", "null"), [("= not(age >= 18 and member)", "age"), ("${member}", "member")])
def test_a_flow_whose_condition_is_null_fails_by_name(stage: Stage, written: str, null: str) -> None:
    """BPMN 2.0.2, 13.4.2: a default flow is for conditions that are false; null is not (DMN 1.5, 10.3.2.9)."""
    body = START + '<exclusiveGateway id="g" default="g.b"/>' + user("a") + user("b") + end("e") + end("f")
    given: dict[str, Any] = {"age": None, "member": None if null == "member" else True}
    stage.start(model(body, "s -> g", f"g -> a ? {written}", "g -> b", "a -> e", "b -> f"), **given)
    assert (stage.status, stage.open) == ("failed", [])
    assert "'g.a' from 'g' to 'a'" in stage.reason
    assert f"{null} is null" in stage.reason


def test_a_flow_of_a_deployment_from_before_keeps_null_as_false(tmp_path: Path) -> None:
    """A process goes on with the meaning of conditions with which it was deployed."""
    body = START + user("w") + '<exclusiveGateway id="g" default="g.b"/>' + user("a") + user("b") + end("e") + end("f")
    for stage in stages(tmp_path, restarts=True):
        stage.start(model(body, "s -> w -> g", "g -> a ? = age >= 18", "g -> b", "a -> e", "b -> f"))
        stage.engine._store.execute("UPDATE `deployment` SET `meaning` = 0")
        assert stage.complete("w", age=None).open == ["b"]


def test_a_complex_gateway_whose_condition_is_null_fails_at_the_gateway(stage: Stage) -> None:
    """BPMN 2.0.2, 13.4.5: the activation condition is evaluated by the gateway as a token arrives."""
    gateway = '<complexGateway id="c"><activationCondition>= ok</activationCondition></complexGateway>'
    body = START + '<parallelGateway id="fork"/>' + user("a") + user("b") + gateway + end("e")
    stage.start(model(body, "s -> fork", "fork -> a -> c", "fork -> b -> c", "c -> e"), ok=None).complete("a")
    assert stage.status == "failed"
    assert "'c'" in stage.reason
    assert "ok is null" in stage.reason
