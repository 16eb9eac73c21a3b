"""A process that goes on without waiting at one engine, and what the other does about it meanwhile."""

from __future__ import annotations

import time
from contextlib import suppress

from riverstone.engine import Engine, StoreUnavailable

from ..features.test_long_turns import ENDLESS, counting


def test_another_engine_cancels_what_never_waits(url: str) -> None:
    with (
        Engine(url, dispatcher="threads", limits=ENDLESS) as one,
        Engine(url, dispatcher="threads", limits=ENDLESS) as other,
    ):
        one.deploy(counting(1_000_000_000))
        number = one.start(key="long", name="test", variables={"n": 0}).process_instance_id

        deadline = time.monotonic() + 60
        while other.get(number).status == "running":
            assert time.monotonic() < deadline, "it cannot be cancelled"
            # On a busy machine the one may be faster again and again; then the other is told to try again.
            with suppress(StoreUnavailable):
                other.cancel(number)
        while {engine.get(number).status for engine in (one, other)} != {"cancel.success"}:
            assert time.monotonic() < deadline, other.get(number).status
            time.sleep(0.02)


def test_another_engine_goes_on_where_one_has_ended(url: str) -> None:
    with Engine(url, dispatcher="threads", limits=ENDLESS) as other:
        one = Engine(url, dispatcher="threads", limits=ENDLESS)
        one.deploy(counting(30_000), outputs_template=[{"Key": "n", "Value": "${n}"}])
        number = one.start(key="long", name="test", variables={"n": 0}).process_instance_id
        one.close()

        ended = other.wait(number, timeout=60)

    assert (ended.status, ended.outputs) == ("success", '{"n":30000}')
