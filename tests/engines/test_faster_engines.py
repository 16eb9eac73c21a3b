"""An engine whose turns another one is always faster than tries for a while, and then says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from riverstone.engine import Engine, StoreUnavailable, failpoints

from ..features.sketch import line


@contextmanager
def faster(other: Engine, number: str, times: int) -> Iterator[list[int]]:
    """The other engine changes the process so often, each time when the first is about to commit."""
    came: list[int] = []
    within: list[bool] = []

    def passing(place: str) -> None:
        if place == "before-commit" and not within and len(came) < times:
            within.append(True)
            came.append(len(came))
            other.protect(number, len(came) % 2 == 1)
            within.clear()

    failpoints.tell(passing)
    try:
        yield came
    finally:
        failpoints.tell(None)


def waiting(engine: Engine) -> tuple[str, str]:
    engine.deploy(line("shop", '<userTask id="person"/>'))
    number = engine.start(key="shop", name="it").process_instance_id
    (task,) = (task for task in engine.tasks(number) if task.status == "running")
    return number, task.task_id


def test_a_turn_gets_through_although_another_engine_was_faster_again_and_again(one: Engine, other: Engine) -> None:
    number, task = waiting(one)
    with faster(other, number, 9) as came:
        one.complete(task)
    assert len(came) == 9
    assert other.get(number).status == "success"


def test_a_turn_that_never_gets_through_changes_nothing_and_says_so(one: Engine, other: Engine) -> None:
    number, task = waiting(one)
    with faster(other, number, 1000) as came, pytest.raises(StoreUnavailable, match="try again"):
        one.complete(task)
    assert len(came) < 20
    assert other.get(number).status == "running"
    one.complete(task)
    assert other.get(number).status == "success"
