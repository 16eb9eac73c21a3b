"""Two people decide about the same failure, each at an engine of their own: one is first, and the other is told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, Stone, TaskInfo, UnknownTask, failpoints

from ..features.sketch import line, service

THINGS: list[str] = []


class Shaky(Stone):
    """Makes a thing, and fails while it is to."""

    code = "shaky"
    outputs = {"id": "its id"}
    fails = True

    def start(self, task: TaskInfo) -> None:
        if type(self).fails and task.namespace == "b":
            raise RuntimeError("quota")
        THINGS.append(task.namespace)
        task.add_output("id", task.namespace)

    def rollback(self, task: TaskInfo) -> None:
        if task.namespace in THINGS:
            THINGS.remove(task.namespace)

    cancel = delete = rollback


@pytest.fixture
def failed(one: Engine, other: Engine) -> dict[str, str]:
    """A process of three whose second has failed, by the names of its tasks; both engines have a copy of it."""
    THINGS.clear()
    Shaky.fails = True
    one.register(Shaky)
    one.deploy(line("three", service("a", "shaky"), service("b", "shaky"), service("c", "shaky")))
    number = one.start(key="three", name="x", on_failure="pause").process_instance_id
    assert one.wait(number, 60).attention == 1
    Shaky.fails = False
    # Something that changes nothing, so that the second has the process in memory.
    other.protect(number)
    one.protect(number, False)
    return {"": number, **{task.namespace: task.task_id for task in one.tasks(number)}}


Verb = Callable[[Engine, dict[str, str]], Any]
VERBS: dict[str, Verb] = {
    "rerun": lambda engine, ids: engine.rerun(ids["b"]),
    "retry": lambda engine, ids: engine.retry(ids[""]),
    "skip": lambda engine, ids: engine.skip(ids["b"]),
    "done by hand": lambda engine, ids: engine.done_by_hand(ids["b"], {"id": "mine"}),
    "roll back": lambda engine, ids: engine.roll_back(ids[""]),
    "rewind": lambda engine, ids: engine.rewind(ids[""], ids["b"]),
    "cancel": lambda engine, ids: engine.cancel(ids[""]),
}
HISTORY = ("rerun", "retry", "skip", "done-by-hand", "roll-back", "rewind", "cancel")


def once_before(place: str, act: Callable[[], object]) -> Callable[[str], None]:
    """What to do at a place in the first engine's commit, once."""
    passed: list[str] = []

    def reached(here: str) -> None:
        if here == place and not passed:
            passed.append(here)
            act()

    return reached


@pytest.mark.parametrize("second", ["rerun", "skip", "done by hand", "roll back"])
@pytest.mark.parametrize("first", VERBS)
def test_of_two_who_decide_at_once_the_second_is_refused(
    one: Engine, other: Engine, failed: dict[str, str], first: str, second: str
) -> None:
    """The first comes in between while the second is about to be written."""
    told: list[str] = []
    failpoints.tell(once_before("before-commit", lambda: told.append(str(VERBS[first](other, failed)))))
    try:
        with pytest.raises(Conflict) as refused:
            VERBS[second](one, failed)
    finally:
        failpoints.tell(None)
    assert told
    assert refused.value.message
    number = failed[""]
    for _ in range(9):
        one.run_pending()
    actions = [entry.action for entry in one.history(number).items if entry.action in HISTORY]
    assert len(actions) == 1
    found = one.wait(number, 60)
    assert found.attention == 0
    starts = {"rerun": 3, "retry": 3, "skip": 2, "done by hand": 2, "rewind": 3}
    if first in starts:
        assert (found.status, len(THINGS), THINGS.count("b")) == ("success", starts[first], starts[first] - 2)
    else:
        assert (found.status in ("rollback.success", "cancel.success"), THINGS) == (True, [])


@pytest.mark.parametrize("verb", ["rerun", "skip", "done by hand"])
def test_an_older_copy_refuses_what_was_decided_elsewhere(
    one: Engine, other: Engine, failed: dict[str, str], verb: str
) -> None:
    other.cancel(failed[""])
    one.run_pending()
    before = other.get(failed[""])
    with pytest.raises(Conflict, match="does not stand still"):
        VERBS[verb](one, failed)
    assert other.get(failed[""]) == before


def test_a_preview_tells_what_another_engine_has_suspended(one: Engine, other: Engine, failed: dict[str, str]) -> None:
    other.suspend_stone("shaky")
    (step,) = one.preview_repair(failed["b"], "retry").steps
    assert one.rerun(failed["b"]).status == "suspended"
    assert "is suspended" in str(step.reason)
    other.unsuspend_stone("shaky")
    assert one.wait(failed[""], 60).status == "success"


DECISIONS: dict[str, Callable[[Engine, str, int], Any]] = {
    "rerun": lambda engine, task, attempt: engine.rerun(task, attempt=attempt),
    "skip": lambda engine, task, attempt: engine.skip(task, attempt=attempt),
    "done by hand": lambda engine, task, attempt: engine.done_by_hand(task, {"id": "mine"}, attempt=attempt),
    "preview": lambda engine, task, attempt: engine.preview_repair(task, "skip", attempt=attempt),
}


@pytest.mark.parametrize("decision", DECISIONS)
def test_who_has_seen_an_attempt_decides_about_no_other(
    one: Engine, other: Engine, failed: dict[str, str], decision: str
) -> None:
    """Somebody else has run it again, which has failed too, and stands still as before."""
    task = failed["b"]
    assert one.task(task).attempt == 1
    other.register(Shaky)
    Shaky.fails = True
    other.rerun(task, attempt=1)
    other.run_pending()
    before = other.get(failed[""]), other.task(task)
    assert (before[0].attention, before[1].attempt) == (1, 2)
    with pytest.raises(Conflict, match="number 2, not 1") as refused:
        DECISIONS[decision](one, task, 1)
    assert refused.value.code == "attempt-changed"
    assert (other.get(failed[""]), other.task(task)) == before
    Shaky.fails = False
    DECISIONS[decision](one, task, 2)


def test_a_task_that_was_run_again_as_another_is_decided_about_no_more(one: Engine) -> None:
    """Its stone has no rollback, so the old one stays in the ledger, and its place is the other's."""
    calls: list[Any] = []

    class Bare(Stone):
        code = "bare"

        def start(self, task: TaskInfo) -> None:
            calls.append(task.parameters["size"])
            if len(calls) < 3:
                raise RuntimeError("quota")

    one.register(Bare)
    one.deploy(line("one", service("a", "bare", inputs={"size": "1"})))
    number = one.start(key="one", name="x", on_failure="pause").process_instance_id
    one.wait(number, 60)
    old = one.tasks(number)[0].task_id
    new = one.rerun(old, {"size": 2}).task_id
    one.run_pending()
    assert (one.get(number).attention, new != old) == (1, True)
    for decide in (one.rerun, one.skip, one.done_by_hand):
        with pytest.raises(Conflict, match="does not stand still"):
            decide(old)
    one.rerun(new, {"size": 3})
    assert one.wait(number, 60).status == "success"
    assert len(calls) == 3


def test_what_nobody_could_mean_is_refused_and_changes_nothing(one: Engine, failed: dict[str, str]) -> None:
    number = failed[""]
    before = (one.get(number), one.tasks(number))
    with pytest.raises(Invalid):
        one.done_by_hand(failed["b"], {"name": "unknown"})
    for call in (one.skip, one.rerun, one.done_by_hand, one.resume):
        with pytest.raises(UnknownTask):
            call("9" * 17)
        with pytest.raises(Conflict, match="does not stand still"):
            call(failed["a"])
    with pytest.raises(UnknownTask):
        one.rewind(number, "9" * 17)
    assert (one.get(number), one.tasks(number)) == before
