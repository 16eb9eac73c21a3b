"""What a process has decided is kept with it: which rules counted, and on what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet

from riverstone.engine import Engine, Limits, Malformed, UnknownProcessInstance, VirtualClock

from .sketch import runs
from .test_decisions import DISH, HEAD, camunda, decisions, process, table, zeebe

PARTY = process(
    '<businessRuleTask id="choose" name="Choose the dish" camunda:decisionRef="dish" camunda:resultVariable="r"'
    ' camunda:mapDecisionResult="singleEntry"/>'
)
EACH = (
    '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="${of}"'
    ' camunda:elementVariable="guests"/>'
)


@pytest.fixture
def engine(url: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, clock=clock) as made:
        yield made


def begin(engine: Engine, **variables: Any) -> str:
    return engine.wait(
        engine.start(key="dinner", name="dinner", variables=variables).process_instance_id
    ).process_instance_id


def test_a_decision_is_kept_with_its_rules_and_what_they_were_asked(engine: Engine) -> None:
    deployment = engine.deploy(PARTY, DISH)
    number = begin(engine, season="Winter", guests=9)
    (made,) = engine.decisions_made(number).items
    assert (made.element_id, made.name, made.process_instance_id) == ("choose", "Choose the dish", number)
    result = made.result
    assert (result.decision_id, result.name, result.value) == ("dish", "Dish", "Stew")
    assert (result.deployment_id, result.version) == (deployment.deployment_id, 1)
    (matched,) = result.matched
    assert (matched.rules, dict(matched.inputs)) == ((2,), {"season": "Winter", "guests": 9})
    assert matched.outputs == ({"dish": "Stew"},)
    assert engine.get(number).decided
    assert engine.decide("dish", {"season": "Winter", "guests": 9}).matched == result.matched


def test_one_that_was_deployed_apart_is_kept_with_its_version(engine: Engine) -> None:
    engine.deploy(decisions(dish=table("UNIQUE", ["a"], ["x"], "- : 1")))
    second = engine.deploy(decisions(dish=table("UNIQUE", ["a"], ["x"], "- : 2")))
    engine.deploy(zeebe())
    (made,) = engine.decisions_made(begin(engine, a=1)).items
    assert (made.result.deployment_id, made.result.version) == (second.deployment_id, 2)


def test_the_newest_come_first_part_by_part(engine: Engine) -> None:
    each = f'>{EACH}</businessRuleTask><sequenceFlow id="g"'
    engine.deploy(camunda().replace(b'/><sequenceFlow id="g"', each.encode()), DISH)
    number = begin(engine, season="Winter", of=[1, 9, 2])
    first = engine.decisions_made(number, limit=2)
    assert [made.result.value for made in first.items] == ["Roast", "Stew"]
    rest = engine.decisions_made(number, cursor=first.cursor)
    assert [made.result.value for made in rest.items] == ["Roast"]
    assert rest.cursor is None
    with pytest.raises(Malformed):
        engine.decisions_made(number, cursor="x")
    with pytest.raises(UnknownProcessInstance):
        engine.decisions_made("999999")


def test_one_that_failed_its_task_is_kept_with_why(engine: Engine) -> None:
    engine.deploy(zeebe(), decisions(dish=table("UNIQUE", ["a"], ["x"], "> 1 : 1", "> 2 : 2")))
    number = begin(engine, a=3)
    (made,) = engine.decisions_made(number).items
    assert made.result.violation == "the rules 1, 2 fit together, which the hit policy UNIQUE forbids"
    assert made.result.matched[0].rules == (1, 2)
    assert any(
        "made the decision 'Dish' (version 1): null by the rules 1, 2" in each for each in engine.why(number).sentences
    )


def test_why_tells_what_was_decided(engine: Engine) -> None:
    engine.deploy(PARTY, DISH)
    number = begin(engine, season="Winter", guests=9)
    (told,) = [each for each in engine.why(number).sentences if "decision" in each]
    assert told.endswith(
        "the task 'Choose the dish', choose made the decision 'Dish' (version 1): \"Stew\" by rule 2 of 'Dish'."
    )


def test_what_was_decided_is_painted(engine: Engine) -> None:
    engine.deploy(PARTY, DISH)
    assert "#dcfce7" in engine.picture(begin(engine, season="Winter", guests=9)).svg


def test_a_secret_is_hidden_in_what_was_asked_and_answered(engine: Engine) -> None:
    rules = decisions(dish=table("UNIQUE", ["pin"], ["x"], "- : pin", more=""))
    engine.deploy(zeebe(), rules, parameter_template=[{"Key": "pin", "Type": "String", "NoEcho": True}])
    number = begin(engine, pin="s3cret")
    (made,) = engine.decisions_made(number).items
    assert "s3cret" not in repr(made) + repr(engine.why(number))
    assert made.result.value == "*****"


def test_what_is_too_large_is_named_in_its_place(engine: Engine) -> None:
    engine.deploy(zeebe(), decisions(dish=table("UNIQUE", ["count(all)", "all"], ["x"], "> 1 | - : 1")))
    number = begin(engine, all=list(range(20_000)))
    (made,) = engine.decisions_made(number).items
    assert (made.result.value, made.result.matched[0].rules) == (1, (1,))
    assert (made.result.omitted, dict(made.result.matched[0].inputs)) == (("inputs",), {})


def test_they_count_as_a_part_of_what_the_process_holds(url: str) -> None:
    """Also after a restart, by which the engine has to ask how much there is."""
    loop = process(
        '<userTask id="choose"/><sequenceFlow id="h" sourceRef="choose" targetRef="made"/><businessRuleTask id="made"'
        ' camunda:decisionRef="dish"/><sequenceFlow id="i" sourceRef="made" targetRef="choose"/>'
    ).replace(b'<sequenceFlow id="g" sourceRef="choose" targetRef="e"/><endEvent id="e"/>', b"")
    limits = Limits(instance_size=20_000)
    text = {"season": "Winter" + "!" * 3_000, "guests": 9}
    with Engine(url, limits=limits) as engine:
        engine.deploy(loop, DISH)
        number = engine.start(key="dinner", name="x", variables=text).process_instance_id
        engine.complete(engine.tasks(number)[-1].task_id)
        assert len(engine.decisions_made(number).items) == 1
    status = "running"
    for _ in range(10):
        with Engine(url, limits=limits) as engine:
            engine.complete(engine.tasks(number)[-1].task_id)
            status = engine.get(number).status
            if status != "running":
                assert "instance_size" in (engine.get(number).reason or "")
                break
    assert status == "failed"


def test_they_are_forgotten_with_the_process(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(PARTY, DISH)
    number = begin(engine, season="Winter", guests=9)
    clock.advance(100)
    assert engine.purge(10, even_undeleted=True) == 1
    assert engine._store.decisions_made(int(number), limit=9, before=None) == []


def test_many_of_them_are_forgotten_a_few_at_a_time(engine: Engine, clock: VirtualClock) -> None:
    model = zeebe().replace(b"</extensionElements>", f"</extensionElements>{runs('250')}".encode())
    engine.deploy(model, DISH)
    number = begin(engine, season="Winter", guests=9)
    clock.advance(100)
    assert engine.purge(10) == 1
    assert engine._store.decisions_made(int(number), limit=9, before=None) == []
    with pytest.raises(UnknownProcessInstance):
        engine.decisions_made(number)


CALLER = process('<callActivity id="choose" calledElement="inner"/>')
INNER = zeebe().replace(b'id="dinner"', b'id="inner"')


def test_one_of_a_called_process_is_of_the_deployment_of_that(engine: Engine) -> None:
    inner = engine.deploy(INNER, DISH)
    engine.deploy(CALLER)
    number = begin(engine, season="Winter", guests=9)
    (made,) = engine.decisions_made(number).items
    assert (made.calls, made.element_id, made.result.value) == (("choose",), "choose", "Stew")
    assert made.result.deployment_id == inner.deployment_id


def test_one_of_a_handler_is_kept_with_the_rollback_that_ran_it(engine: Engine) -> None:
    handler = zeebe().partition(b"<businessRuleTask")[2].partition(b"</businessRuleTask>")[0].decode()
    inside = (
        f'<startEvent id="hs"/><businessRuleTask{handler}</businessRuleTask><endEvent id="he"/>'
        '<sequenceFlow id="h1" sourceRef="hs" targetRef="choose"/>'
        '<sequenceFlow id="h2" sourceRef="choose" targetRef="he"/>'
    )
    body = (
        '<startEvent id="s"/><userTask id="u"/><boundaryEvent id="b" attachedToRef="u"><compensateEventDefinition/>'
        f'</boundaryEvent><subProcess id="h" isForCompensation="true">{inside}</subProcess>'
        '<association id="a" sourceRef="b" targetRef="h" associationDirection="One"/>'
        '<manualTask id="m"/><exclusiveGateway id="fails"/><endEvent id="e"/>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="u"/><sequenceFlow id="k" sourceRef="u" targetRef="m"/>'
        '<sequenceFlow id="g" sourceRef="m" targetRef="fails"/>'
        '<sequenceFlow id="i" sourceRef="fails" targetRef="e"><conditionExpression>${missing}</conditionExpression>'
        "</sequenceFlow>"
    )
    deployment = engine.deploy(f'{HEAD}<process id="dinner">{body}</process></definitions>'.encode(), DISH)
    number = engine.start(key="dinner", name="x", variables={"season": "Winter", "guests": 9}).process_instance_id
    engine.complete(engine.tasks(number)[0].task_id)
    ended = engine.wait(number)
    assert ended.status == "rollback.success", engine.why(number).sentences
    rollback = ended.rollback_process_instance_id or ""
    (made,) = engine.decisions_made(rollback).items
    assert (made.result.value, made.result.deployment_id) == ("Stew", deployment.deployment_id)
    assert engine.decisions_made(number).items == ()


def test_a_part_of_the_list_ends_where_it_is_large(url: str) -> None:
    with Engine(url, limits=Limits(page_size=500)) as engine:
        engine.deploy(zeebe().replace(b"</extensionElements>", f"</extensionElements>{runs('7')}".encode()), DISH)
        number, cursor = begin(engine, season="Winter", guests=9), None
        parts: list[int] = []
        while not parts or cursor:
            part = engine.decisions_made(number, cursor=cursor)
            parts.append(len(part.items))
            cursor = part.cursor
        assert sum(parts) == 7
        assert len(parts) > 1


def test_they_are_encrypted_as_what_the_process_works_with_is(url: str) -> None:
    with Engine(url, encryption_keys=[Fernet.generate_key().decode()]) as engine:
        engine.deploy(PARTY, DISH)
        number = begin(engine, season="Winter", guests=9)
        ((stored,),) = engine._store.read("SELECT `result` FROM `decision_made`")
        assert "Winter" not in stored
        assert engine.decisions_made(number).items[0].result.value == "Stew"


def test_an_owner_sees_those_of_its_own_processes(engine: Engine) -> None:
    engine.deploy(PARTY, DISH)
    mine, yours = engine.owned_by("me"), engine.owned_by("you")
    number = mine.start(key="dinner", name="x", variables={"season": "Winter", "guests": 9}).process_instance_id
    assert [made.result.value for made in mine.decisions_made(number).items] == ["Stew"]
    with pytest.raises(UnknownProcessInstance):
        yours.decisions_made(number)
