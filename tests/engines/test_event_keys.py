"""A message or a signal that a client sends again, since its answer was lost, is given to nobody twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from riverstone.engine import Conflict, Engine, Invalid, VirtualClock
from riverstone.models import EventRequests

from ..features.sketch import catch, line

MESSAGE = '<message id="m" name="paid"/>'
SIGNAL = '<signal id="s" name="go"/>'
ON_PAID = '<messageEventDefinition messageRef="m"/>'
ON_GO = '<signalEventDefinition signalRef="s"/>'
DAY = 86_400


def waiting(engine: Engine, count: int, *, twice: bool = True) -> list[str]:
    """Processes that wait for the message once, and once more when they have it."""
    again = [catch("again", ON_PAID)] if twice else []
    engine.deploy(line("order", catch("first", ON_PAID), *again, before=MESSAGE))
    return [engine.start(key="order", name="it").process_instance_id for _ in range(count)]


def at(engine: Engine, number: str) -> str:
    tokens = engine.tokens(number)
    return tokens[0].element_id if tokens else "ended"


def test_a_message_that_is_sent_again_at_another_engine_reaches_nobody_else(one: Engine, other: Engine) -> None:
    first, second = waiting(one, 2)
    assert one.message("paid", {"sum": 7}, idempotency_key="k").process_instance_id == first
    assert other.message("paid", {"sum": 7}, idempotency_key="k").process_instance_id == first
    assert [at(other, first), at(other, second)] == ["again", "first"]
    assert other.message("paid", {"sum": 7}, idempotency_key="other").process_instance_id in (first, second)


def test_a_key_is_for_one_message_and_each_owner_has_its_own(one: Engine, other: Engine) -> None:
    waiting(one, 3)
    one.message("paid", {"sum": 7}, idempotency_key="k")
    for send in (
        lambda: other.message("paid", {"sum": 8}, idempotency_key="k"),
        lambda: other.message("paid", {"sum": 7}, correlation="x", idempotency_key="k"),
        lambda: other.signal("paid", {"sum": 7}, idempotency_key="k"),
    ):
        with pytest.raises(Conflict) as caught:
            send()
        assert caught.value.code == "idempotency-conflict"
    mine = one.start(key="order", name="mine", owner="me").process_instance_id
    assert other.owned_by("me").message("paid", {"sum": 8}, idempotency_key="k").process_instance_id == mine
    for wrong in ("", "x" * 256):
        with pytest.raises(Invalid):
            one.message("paid", idempotency_key=wrong)
        with pytest.raises(Invalid):
            one.signal("go", idempotency_key=wrong)


def test_nobody_is_started_or_kept_waiting_twice_by_a_message_that_comes_again(one: Engine, other: Engine) -> None:
    one.deploy(line("begun", catch("first", ON_PAID), before=MESSAGE, start=ON_PAID))
    receipts = [engine.correlate("paid", business_key="7", idempotency_key="k") for engine in (one, other, one)]
    assert {receipt.outcome for receipt in receipts} == {"started"}
    assert len({receipt.process_instance_id for receipt in receipts}) == len(one.instances().items) == 1
    assert one.correlate("paid", business_key="7", idempotency_key="l").outcome == "awaited"
    assert one.get(str(receipts[0].process_instance_id)).status == "success"
    for engine in (one, other):
        assert engine.message("late", ttl=60, idempotency_key="m") is None
    assert one._store.value("SELECT COUNT(*) FROM `kept_message`") == 1


def test_a_message_that_nobody_got_may_be_sent_again(one: Engine, other: Engine) -> None:
    with pytest.raises(Conflict):
        one.message("paid", idempotency_key="k")
    (number,) = waiting(one, 1)
    assert other.message("paid", idempotency_key="k").process_instance_id == number


def test_a_message_that_comes_many_times_at_once_is_given_once(url: str) -> None:
    """To the only one who waits, so that those who come late find nobody, and to one of many."""
    with Engine(url, dispatcher="threads") as one, Engine(url, dispatcher="threads", passive=True) as other:
        for key, count in (("only", 1), ("many", 6)):
            numbers = waiting(one, count, twice=False)
            together = threading.Barrier(6)

            def send(place: int, key: str = key, together: threading.Barrier = together) -> str:
                together.wait(timeout=30)
                engine = (one, other)[place % 2]
                return engine.message("paid", idempotency_key=key).process_instance_id

            with ThreadPoolExecutor(6) as pool:
                taken = set(pool.map(send, range(6)))
            assert len(taken) == 1, key
            assert [number for number in numbers if at(one, number) == "ended"] == [*taken]


def hearing(engine: Engine, count: int) -> list[str]:
    engine.deploy(line("hears", catch("first", ON_GO), catch("again", ON_GO), before=SIGNAL))
    engine.deploy(line("begun", '<userTask id="u"/>', before=SIGNAL, start=ON_GO))
    return [engine.start(key="hears", name="it").process_instance_id for _ in range(count)]


def test_a_signal_that_is_sent_again_reaches_nobody_twice_and_starts_nothing_more(one: Engine, other: Engine) -> None:
    numbers = hearing(one, 23)
    reached = one.signal("go", {"n": 1}, idempotency_key="k")
    assert len(reached) == 24
    assert reached[:23] == numbers
    late = one.start(key="hears", name="late").process_instance_id
    assert other.signal("go", {"n": 1}, idempotency_key="k") == reached
    assert {at(other, number) for number in numbers} == {"again"}
    assert at(other, late) == "first"
    assert len(one.instances(key="begun").items) == 1
    assert other.signal("nobody", idempotency_key="l") == one.signal("nobody", idempotency_key="l") == []


def test_a_signal_that_was_cut_short_goes_on_where_it_ended(
    one: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = hearing(one, 23)
    step, steps = one._messages.step, iter(range(2))

    def dies(action: object) -> object:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return step(action)  # type: ignore[arg-type]

    one._messages.step = dies
    with pytest.raises(KeyboardInterrupt):
        one.signal("go", idempotency_key="k")
    assert [at(other, number) for number in numbers] == ["again"] * 20 + ["first"] * 3
    reached = other.signal("go", idempotency_key="k")
    assert reached[:23] == numbers
    assert [at(other, number) for number in numbers] == ["again"] * 23
    assert len(other.instances(key="begun").items) == 1


def test_a_signal_that_comes_many_times_at_once_reaches_each_once(url: str) -> None:
    with Engine(url, dispatcher="threads") as one, Engine(url, dispatcher="threads", passive=True) as other:
        numbers = hearing(one, 35)
        together = threading.Barrier(4)

        def send(place: int) -> list[str]:
            together.wait(timeout=30)
            return (one, other)[place % 2].signal("go", idempotency_key="k")

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(send, range(4)))
        assert all(answer == answers[0] for answer in answers)
        assert answers[0][:35] == numbers
        assert {at(one, number) for number in numbers} == {"again"}
        assert len(one.instances(key="begun").items) == 1


def test_keys_are_forgotten_after_a_day(one: Engine, clock: VirtualClock) -> None:
    known = EventRequests(one._store)
    numbers = waiting(one, 3, twice=False)
    one.message("paid", idempotency_key="k")
    clock.advance(DAY - 60)
    one.message("paid", idempotency_key="l")
    one.run_pending()
    assert [bool(known.of(key)) for key in "kl"] == [True, True]
    clock.advance(120)
    one.run_pending()
    assert [bool(known.of(key)) for key in "kl"] == [False, True]
    assert one.message("paid", idempotency_key="k").process_instance_id == numbers[2]


def test_what_was_given_to_a_process_that_is_purged_is_given_to_nobody_else(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    first, second = waiting(one, 2, twice=False)
    assert one.message("paid", idempotency_key="k").process_instance_id == first
    one.wait(first, timeout=60)
    clock.advance(2)
    assert one.purge(1) == 1
    with pytest.raises(Conflict, match=f"given to the process {first} before, which has been purged") as caught:
        other.message("paid", idempotency_key="k")
    assert caught.value.code == "message-receiver-purged"
    assert at(other, second) == "first"
    assert other.correlate("paid", idempotency_key="k").process_instance_id == first


def test_a_message_that_was_kept_and_has_expired_is_not_said_to_be_kept(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    one.deploy(line("order", catch("first", ON_PAID), before=MESSAGE))
    assert one.message("paid", ttl=60, idempotency_key="k") is None
    clock.advance(59)
    assert other.correlate("paid", ttl=60, idempotency_key="k").outcome == "kept"
    clock.advance(1)
    number = one.start(key="order", name="it").process_instance_id
    for engine in (one, other):
        with pytest.raises(Conflict, match="send it under a new key") as caught:
            engine.message("paid", ttl=60, idempotency_key="k")
        assert caught.value.code == "message-expired"
    assert other.message("paid", idempotency_key="new").process_instance_id == number
