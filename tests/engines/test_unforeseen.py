"""One engine has a defect that another, of a later version, has not: what stands still there goes on at the other."""

from __future__ import annotations

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, VirtualClock, failpoints

from ..features.sketch import line, service
from ..features.test_unforeseen import Declared, logged, passes
from .test_repairs import once_before

CALLS: list[str] = []


class Earlier(Stone):
    """As the version with the defect has it."""

    code = "odd"
    retries = 1
    retry_backoff = 10.0
    timeouts = Declared(start=60.0)
    fails = False

    def start(self, task: TaskInfo) -> None:
        CALLS.append(f"{type(self).__name__} {task.namespace}")
        if type(self).fails:
            raise RuntimeError("busy")


class Later(Earlier):
    """And the one that has it mended."""

    timeouts = Declared(start=60.0)


@pytest.fixture
def models(one: Engine, other: Engine) -> None:
    CALLS.clear()
    one.register(Earlier)
    other.register(Later)
    one.deploy(line("shop", service("a", "odd"), service("b", "odd")))
    Earlier.timeouts.wrong, Earlier.timeouts.after, Earlier.fails = OverflowError(), 1, False


@pytest.mark.usefixtures("models")
def test_an_engine_without_the_defect_tries_it_again(one: Engine, other: Engine, clock: VirtualClock) -> None:
    number = one.start(key="shop", name="it").process_instance_id
    assert one.wait(number, 60).attention == 1
    # A copy in memory at both.
    other.protect(number)
    one.protect(number, False)
    other.retry(number)
    assert other.wait(number, 60).status == "success"
    assert CALLS == ["Earlier a", "Later b"]
    passes(one, clock)
    assert one.get(number).status == "success"


@pytest.mark.usefixtures("models")
def test_an_engine_without_the_defect_lets_the_whole_process_go_on(
    one: Engine, other: Engine, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    Earlier.fails = True
    number = one.start(key="shop", name="it").process_instance_id
    one.run_pending()
    Earlier.fails = False
    passes(one, clock)
    assert one.get(number).awaits == "attention"
    told = len(logged(caplog))
    passes(other, clock)
    assert (other.get(number).awaits, len(logged(caplog))) == ("attention", told)
    other.unsuspend(number)
    assert other.wait(number, 60).status == "success"
    assert CALLS == ["Earlier a", "Later a", "Later b"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("place", ["before-step", "before-commit"], ids=["as it is met", "as it is left out"])
def test_who_is_faster_meanwhile_is_not_overwritten(one: Engine, other: Engine, place: str) -> None:
    """The turn is done again on what the other has written, and that holds."""

    def suspend() -> None:
        (found,) = other.search(key="shop").items
        other.suspend(found.process_instance_id, reason="wait")

    act = once_before(place, suspend)
    # In the turn of the first outcome, which is the second.
    turns = iter(range(100))
    failpoints.tell(lambda here: act(here) if here == place and next(turns) else None)
    try:
        number = one.start(key="shop", name="it").process_instance_id
        one.run_pending()
    finally:
        failpoints.tell(None)
    found = one.get(number)
    assert (found.awaits, found.attention) == ("suspended", 0)
    assert [task.status for task in one.tasks(number)] == ["start.success"]
    Earlier.timeouts.wrong = None
    other.unsuspend(number)
    assert other.wait(number, 60).status == "success"
    assert CALLS == ["Earlier a", "Later b"]
