"""Messages and signals with several engines: each reaches whom it is for, once, whoever delivers it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from riverstone.engine import Engine, VirtualClock
from riverstone.models import EventRow

from ..features.sketch import catch, definitions, flow, line, process

MESSAGE = '<message id="m" name="order"/>'
SIGNAL = '<signal id="s" name="go"/>'
ON_ORDER = '<messageEventDefinition messageRef="m"/>'
ON_GO = '<signalEventDefinition signalRef="s"/>'
PERSON = '<userTask id="person"/>'
KEYS = 12


def thrower(thrown: str, before: str, count: int = 1) -> bytes:
    """A process that throws so often as it begins, and waits."""
    throws = [f'<intermediateThrowEvent id="t{number}">{thrown}</intermediateThrowEvent>' for number in range(count)]
    return line("thrower", *throws, PERSON, before=before)


def owed(engine: Engine) -> list[EventRow]:
    store = engine._store
    return [
        event
        for (owner,) in store.read("SELECT DISTINCT `owner` FROM `event`")
        for event in store.messages.owed(owner, 999)
    ]


def keys(engine: Engine) -> list[str]:
    return sorted(each.key for each in engine.instances(limit=500).items)


def throw(one: Engine, thrown: str, before: str, count: int = 1) -> list[EventRow]:
    """Have something thrown by an engine that does not get to deliver it."""
    one.deploy(thrower(thrown, before, count))
    one._loop.pending.closed = True
    one.start(key="thrower", name="it")
    found = owed(one)
    assert len(found) == count
    return found


def test_of_two_messages_at_once_with_a_business_key_one_starts_and_the_other_is_received(url: str) -> None:
    with Engine(url, dispatcher="threads") as one, Engine(url, dispatcher="threads") as other:
        one.deploy(line("order", catch("again", ON_ORDER), before=MESSAGE, start=ON_ORDER))
        together = threading.Barrier(2)

        def send(engine: Engine) -> None:
            for number in range(KEYS):
                together.wait(timeout=30)
                engine.message("order", business_key=f"k{number}")

        with ThreadPoolExecutor(2) as threads:
            for sent in [threads.submit(send, engine) for engine in (one, other)]:
                sent.result(timeout=60)
        found = one.instances(limit=500).items
        assert sorted(each.business_key or "" for each in found) == sorted(f"k{number}" for number in range(KEYS))
        assert {each.status for each in found} == {"success"}


def test_what_an_engine_that_ended_has_thrown_is_delivered_by_another_that_runs(
    url: str, one: Engine, clock: VirtualClock
) -> None:
    """However much it is: all of it, and nothing twice."""
    with Engine(url, clock=clock) as third:
        third.deploy(line("order", PERSON, before=MESSAGE, start=ON_ORDER))
        throw(one, ON_ORDER, MESSAGE, 250)
        third.run_pending()
        assert keys(third) == ["thrower"], "its engine is there"
        one.close()
        for _ in range(4):
            third.run_pending()
        assert keys(third) == ["order"] * 250 + ["thrower"]
        assert owed(third) == []


def test_a_message_that_two_engines_deliver_starts_one_process(one: Engine, other: Engine) -> None:
    one.deploy(line("order", PERSON, before=MESSAGE, start=ON_ORDER))
    events = throw(one, ON_ORDER, MESSAGE)
    one._loop.pending.closed = False
    other._loop.pending.add(events)
    one.run_pending()
    other.run_pending()
    assert keys(one) == ["order", "thrower"]


def test_a_signal_that_two_engines_deliver_is_received_once(one: Engine, other: Engine) -> None:
    """Also by one that waits for it again at once, and by more than get it in one step."""
    one.deploy(line("order", PERSON, before=SIGNAL, start=ON_GO))
    one.deploy(
        definitions(
            SIGNAL,
            process(
                "waiter",
                '<startEvent id="begin"/>',
                catch("first", ON_GO),
                catch("second", ON_GO),
                '<endEvent id="done"/>',
                *(flow(*each.split()) for each in ("begin first", "first second", "second done")),
            ),
        )
    )
    waiting = [one.start(key="waiter", name="it").process_instance_id for _ in range(25)]
    events = throw(one, ON_GO, SIGNAL)
    one._loop.pending.closed = False
    other._loop.pending.add(events)
    one.run_pending()
    other.run_pending()
    assert {one.tokens(number)[0].element_id for number in waiting} == {"second"}
    assert keys(one) == ["order", "thrower", *["waiter"] * 25]


def test_what_could_not_be_delivered_while_the_database_was_away_is_delivered_later(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    one.deploy(line("order", PERSON, before=MESSAGE, start=ON_ORDER))
    throw(one, ON_ORDER, MESSAGE)
    # As after a delivery that failed: it is in the store alone.
    one._river.pending_messages.clear()
    one._loop.pending.closed = False
    one.run_pending()
    assert keys(one) == ["order", "thrower"]
