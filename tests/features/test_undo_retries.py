"""A node says how often, after which pauses and for how long its undo is tried again, in place of its stone."""

from __future__ import annotations

from itertools import pairwise

import pytest

from riverstone.engine import Engine, ModelInvalid, Stone, TaskInfo, VirtualClock

from .sketch import line, service

calls: list[tuple[str, int]] = []
"""The hooks that undo, and when."""


@pytest.fixture
def clock() -> VirtualClock:
    calls.clear()
    return VirtualClock(1_800_000_000_000)


class Disk(Stone):
    """What it has made cannot be undone."""

    code = "disk"
    retries = 1
    retry_backoff = 10.0
    retry_jitter = 0.0
    clock: VirtualClock

    def start(self, task: TaskInfo) -> None:
        """It is there."""

    def rollback(self, task: TaskInfo) -> None:
        calls.append((task.event, self.clock.now()))
        raise OSError("in use")

    cancel = delete = rollback


class Broken(Stone):
    """Fails."""

    code = "broken"

    def start(self, task: TaskInfo) -> None:
        raise OSError("no")


def stones(clock: VirtualClock) -> list[type[Stone]]:
    Disk.clock = clock
    return [Disk, Broken]


def properties(**told: str) -> str:
    parts = "".join(f'<camunda:property name="{name}" value="{value}"/>' for name, value in told.items())
    return f"<extensionElements><camunda:properties>{parts}</camunda:properties></extensionElements>"


def pauses() -> list[float]:
    return [(second[1] - first[1]) / 1000 for first, second in pairwise(calls)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, [10]),
        ({"undoRetries": "3"}, [10, 20, 40]),
        ({"undoRetries": "3", "undoRetryBackoff": "PT1M", "undoRetryBackoffMax": "PT90S"}, [60, 90, 90]),
        ({"undoRetries": "PT5S,PT1H"}, [5, 3600]),
        ({"undoRetries": "R2/PT30S"}, [30, 30]),
        ({"undoRetries": "0"}, []),
        ({"undoRetries": "9", "undoRetryFor": "PT60S"}, [10, 20, 40]),
        ({"retries": "5", "retryBackoff": "PT7S"}, [10]),
    ],
)
def test_a_node_says_how_its_rollback_is_tried_again(
    url: str, clock: VirtualClock, told: dict[str, str], expected: list[int]
) -> None:
    with Engine(url, stones=stones(clock), clock=clock) as engine:
        engine.deploy(line("shop", service("a", "disk", inside=properties(**told)), service("b", "broken")))
        ended = engine.wait(engine.start(key="shop", name="test").process_instance_id)

    assert ended.status == "rollback.failed"
    assert pauses() == expected


@pytest.mark.parametrize("kind", ["cancel", "delete"])
def test_another_engine_keeps_to_it_in_a_cancel_and_a_delete(url: str, clock: VirtualClock, kind: str) -> None:
    """It is in the ledger: nobody looks at the model for it."""
    told = properties(undoRetries="2", undoRetryBackoff="PT1H", undoRetryBackoffMax="PT90M")
    wait = ['<userTask id="look" name="look"/>'] if kind == "cancel" else []
    with Engine(url, stones=stones(clock), clock=clock) as engine:
        engine.deploy(line("shop", service("a", "disk", inside=told), *wait))
        number = engine.start(key="shop", name="test").process_instance_id
    with Engine(url, stones=stones(clock), clock=clock) as engine:
        getattr(engine, kind)(number)
        assert engine.wait(number).status == f"{kind}.failed"

    assert {event for event, _ in calls} == {kind}
    assert pauses() == [3600, 5400]


def test_the_pauses_of_an_undo_differ_as_the_node_says(url: str, clock: VirtualClock) -> None:
    told = properties(undoRetries="6", undoRetryBackoff="PT10S", undoRetryBackoffMax="PT10S", undoRetryJitter="0.5")
    with Engine(url, stones=stones(clock), clock=clock) as engine:
        engine.deploy(line("shop", service("a", "disk", inside=told), service("b", "broken")))
        engine.wait(engine.start(key="shop", name="test").process_instance_id)

    assert all(10 <= pause <= 15 for pause in pauses())
    assert len(set(pauses())) > 1


def test_a_start_is_tried_again_for_as_long_as_its_node_says(url: str, clock: VirtualClock) -> None:
    class Hopeless(Stone):
        code = "hopeless"
        retry_jitter = 0.0

        def start(self, task: TaskInfo) -> None:
            calls.append((task.event, clock.now()))
            raise OSError("no")

    told = properties(retries="9", retryBackoff="PT10S", retryFor="PT1M")
    with Engine(url, stones=[Hopeless], clock=clock) as engine:
        engine.deploy(line("shop", service("a", "hopeless", inside=told)))
        engine.wait(engine.start(key="shop", name="test").process_instance_id)

    assert pauses() == [10, 20, 40]


def test_a_compensation_handler_is_tried_again_in_a_rollback_as_its_own_task_says(
    url: str, clock: VirtualClock
) -> None:
    class Refund(Disk):
        code = "refund"

        def start(self, task: TaskInfo) -> None:
            self.rollback(task)

    told = properties(retries="2", retryBackoff="PT3S")
    border = '<boundaryEvent id="back" attachedToRef="a"><compensateEventDefinition id="asked"/></boundaryEvent>'
    handler = service("undo", "refund", inside=told).replace("<serviceTask", '<serviceTask isForCompensation="true"')
    inside = properties(undoRetries="9")
    model = line("shop", service("a", "disk", inside=inside), service("b", "broken"))
    association = '<association id="to" sourceRef="back" targetRef="undo" associationDirection="One"/>'
    model = model.replace(b"</process>", f"{border}{handler}{association}</process>".encode())
    with Engine(url, stones=[*stones(clock), Refund], clock=clock) as engine:
        Refund.clock = clock
        engine.deploy(model)
        ended = engine.wait(engine.start(key="shop", name="test").process_instance_id)

    assert ended.status == "rollback.failed"
    assert pauses() == [3, 6]


@pytest.mark.parametrize(
    "told",
    [
        {"undoRetries": "often"},
        {"undoRetryBackoff": "10"},
        {"undoRetryBackoffMax": "-PT1S"},
        {"undoRetryJitter": "2"},
        {"undoRetryFor": "1h"},
        {"retryFor": "-PT1S"},
        {"undoRetries": "R3/PT10S", "undoRetryBackoff": "PT1S"},
    ],
)
def test_what_nobody_can_read_of_them_is_refused(url: str, told: dict[str, str]) -> None:
    name, value = list(told.items())[-1]
    with Engine(url) as engine, pytest.raises(ModelInvalid) as refused:
        engine.deploy(line("shop", service("a", "disk", inside=properties(**told))))
    assert f"property {name}='{value}'" in str(refused.value)
