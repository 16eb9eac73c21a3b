"""A message for which nobody waits yet may be kept for a time: one receiver gets it, whatever dies meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, VirtualClock

from .sketch import line

MESSAGE = '<message id="m" name="paid"/>'
RECEIVE = '<receiveTask id="wait" messageRef="m"/>'
ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
CORRELATED = (
    '<message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="= order"/></extensionElements>'
    "</message>"
)


def model(message: str = MESSAGE) -> bytes:
    return (
        line("p", RECEIVE)
        .replace(b"<process", message.encode() + b"<process")
        .replace(b"<definitions", f"<definitions {ZEEBE}".encode(), 1)
    )


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def engine(url: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, clock=clock) as engine:
        yield engine


def ended(engine: Engine, **options: Any) -> Callable[[], str]:
    """Start one that waits; what tells its status once everything that is due was done."""
    number = engine.start(key="p", name="x", **options).process_instance_id

    def status() -> str:
        while engine.run_pending():
            pass
        return engine.get(number).status

    return status


def test_whoever_waits_first_gets_it_and_nobody_else(engine: Engine) -> None:
    engine.deploy(model())
    assert engine.message("paid", {"sum": 7}, ttl=60) is None
    first, second = ended(engine), ended(engine)
    assert sorted([first(), second()]) == ["running", "success"]
    assert engine.instances(status="success").items[0].process_content == "{}"


def test_it_is_given_at_once_where_somebody_waits(engine: Engine) -> None:
    engine.deploy(model())
    status = ended(engine)
    taken = engine.message("paid", ttl=60)
    assert taken is not None
    assert status() == "success"
    assert ended(engine)() == "running"


def test_it_is_for_who_is_meant(engine: Engine) -> None:
    engine.deploy(model(CORRELATED))
    assert engine.message("paid", ttl=60, correlation="o-2") is None
    assert engine.message("paid", ttl=60, correlation="o-1", business_key="other") is None
    first = ended(engine, variables={"order": "o-1"}, business_key="mine")
    second = ended(engine, variables={"order": "o-2"}, business_key="mine")
    assert (second(), first()) == ("success", "running")


def test_it_is_forgotten_when_its_time_is_over(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(model())
    assert engine.message("paid", ttl=60) is None
    clock.advance(61)
    assert ended(engine)() == "running"


def test_it_outlives_the_engine(url: str) -> None:
    with Engine(url) as first:
        first.deploy(model())
        assert first.message("paid", {"sum": 7}, ttl=60) is None
    with Engine(url) as second:
        assert ended(second)() == "success"


def test_without_a_time_it_is_refused_and_says_for_whom(engine: Engine) -> None:
    engine.deploy(model())
    with pytest.raises(Conflict, match="'paid', with the correlation 'o-1', with the business key 'b'"):
        engine.message("paid", correlation="o-1", business_key="b")
    for ttl in (0, -1, 1e12):
        with pytest.raises(Invalid) as refused:
            engine.message("paid", ttl=ttl)
        assert list(refused.value.errors) == ["ttl"]


def test_of_two_engines_one_delivers_it(url: str) -> None:
    with Engine(url, dispatcher="threads") as one, Engine(url, dispatcher="threads") as other:
        one.deploy(model())
        assert one.message("paid", ttl=60) is None
        started = [engine.start(key="p", name="x").process_instance_id for engine in (one, other, one, other)]
        assert one.message("paid", ttl=60) is not None
        deadline = time.monotonic() + 60
        while [one.get(number).status for number in started].count("success") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.5)  # for a second delivery, if there were one
        assert sorted(one.get(number).status for number in started) == ["running", "running", "success", "success"]
