"""What an event hands on: whoever catches it comes after whoever threw it, and so is undone before (design.md, 5)."""

from __future__ import annotations

from contextlib import suppress

import pytest

from riverstone.engine import Engine, WaitTimeout

from .elements import boundary, end, flows, model, on_event, ordered, sub, user
from .sketch import HEAD, service
from .world import World

EVENTS = '<message id="M" name="M"/><signal id="S" name="S"/><escalation id="X" escalationCode="X"/>'
MESSAGE = '<messageEventDefinition messageRef="M"/>'
SIGNAL = '<signalEventDefinition signalRef="S"/>'
ESCALATION = '<escalationEventDefinition escalationRef="X"/>'
CONDITION = (
    '<conditionalEventDefinition><condition xsi:type="tFormalExpression">${flag}</condition>'
    "</conditionalEventDefinition>"
)
START = '<startEvent id="s"/>'
A = service("a", "make")
MAKES_IT_TRUE = A.replace(
    "></serviceTask>",
    '><extensionElements><camunda:inputOutput><camunda:outputParameter name="flag">${true}</camunda:outputParameter>'
    "</camunda:inputOutput></extensionElements></serviceTask>",
)
T = service("t", "make")


def throws(definition: str) -> str:
    return f'<intermediateThrowEvent id="throw">{definition}</intermediateThrowEvent>'


def catches(definition: str) -> str:
    return f'<intermediateCatchEvent id="catch">{definition}</intermediateCatchEvent>'


def side_by_side(first: str, throw: str, definition: str) -> bytes:
    """One branch makes something and throws; the other catches that and makes something."""
    body = START + '<parallelGateway id="g"/><parallelGateway id="j"/>' + first + throw + catches(definition) + T
    left = "g -> a -> throw -> j" if throw else "g -> a -> j"
    return model(body + service("f", "make") + end("e"), "s -> g -> catch -> t -> j -> f -> e", left, before=EVENTS)


def on_border(first: str, throw: str, definition: str) -> bytes:
    """The same out of a sub-process, whose border catches and goes on beside it."""
    way = "i -> a -> throw" if throw else "i -> a -> k"
    held = sub("u", '<startEvent id="i"/>' + first + (throw or user("k")), way)
    body = START + held + boundary("b", "u", definition, interrupting=False) + T + '<parallelGateway id="j"/>'
    return model(body + service("f", "make") + end("e"), "s -> u -> j -> f -> e", "b -> t -> j", before=EVENTS)


def in_scope(first: str, throw: str, definition: str) -> bytes:
    """The same with an event sub-process beside the main line."""
    way = "s -> a -> throw -> k -> f -> e" if throw else "s -> a -> k -> f -> e"
    body = (
        START
        + first
        + throw
        + user("k")
        + service("f", "make")
        + end("e")
        + on_event("h", definition, T, "sh -> t", interrupting=False)
    )
    return model(body, way, before=EVENTS)


def called() -> bytes:
    """An escalation that leaves a called process."""
    inner = ordered('<startEvent id="i"/>' + A + throws(ESCALATION) + flows("i -> a -> throw"))
    call = '<callActivity id="u" calledElement="inner"/>' + boundary("b", "u", ESCALATION, interrupting=False)
    body = START + call + T + '<parallelGateway id="j"/>' + service("f", "make") + end("e")
    outer = ordered(body + flows("s -> u -> j -> f -> e", "b -> t -> j"))
    processes = (("p", outer), ("inner", inner))
    drawn = "".join(f'<process id="{key}" isExecutable="true">{inside}</process>' for key, inside in processes)
    return f"{HEAD}{EVENTS}{drawn}</definitions>".encode()


def begun(engine: Engine) -> str:
    """A process that has come as far as it comes by itself."""
    number = engine.start(name="test", key="p", variables={"flag": False}).process_instance_id
    with suppress(WaitTimeout):
        engine.wait(number)
    return number


@pytest.mark.parametrize(
    "source",
    [
        side_by_side(A, throws(MESSAGE), MESSAGE),
        side_by_side(A, throws(SIGNAL), SIGNAL),
        side_by_side(MAKES_IT_TRUE, "", CONDITION),
        on_border(A, throws(ESCALATION), ESCALATION),
        on_border(A, throws(MESSAGE), MESSAGE),
        on_border(MAKES_IT_TRUE, "", CONDITION),
        in_scope(A, throws(ESCALATION), ESCALATION),
        in_scope(A, throws(SIGNAL), SIGNAL),
        in_scope(MAKES_IT_TRUE, "", CONDITION),
        called(),
    ],
    ids=[
        "message",
        "signal",
        "condition",
        "escalation-on-border",
        "message-on-border",
        "condition-on-border",
        "escalation-in-scope",
        "signal-in-scope",
        "condition-in-scope",
        "escalation-out-of-a-call",
    ],
)
def test_what_an_event_starts_is_undone_before_what_threw_it(engine: Engine, world: World, source: bytes) -> None:
    world.wrong("start", "f", RuntimeError("no more room"))
    engine.deploy(source)
    number = begun(engine)
    for person in [task for task in engine.tasks(number) if task.namespace == "k"]:
        engine.complete(person.task_id, {})
    engine.wait(number)

    rows = {task.namespace: task for task in engine.tasks(number)}
    assert rows["a"].task_id in rows["t"].after
    assert [name.rpartition(".")[2] for name in world.of("rollback")] == ["f", "t", "a"]
    assert world.exists == []


def test_what_comes_from_outside_follows_nothing_that_is_beside_it(engine: Engine, world: World) -> None:
    """So a rewind of what is beside it leaves it as it is."""
    engine.deploy(in_scope(A, "", MESSAGE))
    number = begun(engine)
    engine.message("M")
    with suppress(WaitTimeout):
        engine.wait(number)
    rows = {task.namespace: task for task in engine.tasks(number)}
    assert rows["t"].after == ()
