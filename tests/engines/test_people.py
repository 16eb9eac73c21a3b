"""People at two servers of one store: a task is one person's, and done once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from riverstone.engine import Conflict, Engine, VirtualClock
from riverstone.engine.person import Person

from ..features.sketch import line

TASK = '<userTask id="ask" name="Ask" camunda:candidateGroups="sales"/>'


def person(name: str) -> Person:
    return Person(user=name, groups=frozenset({"sales"}))


def begun(engine: Engine, *, often: int = 1) -> list[str]:
    engine.deploy(line("p", TASK))
    numbers = [engine.start(key="p", name="x", variables={}).process_instance_id for _ in range(often)]
    return [engine.tasks(number)[0].task_id for number in numbers]


def at_once(engines: tuple[Engine, Engine], act: Callable[[Engine, Person], object]) -> list[str]:
    """What eight people are told who do the same at the same moment."""
    begin = threading.Barrier(8)

    def one(engine: Engine, name: str) -> str:
        begin.wait(60)
        try:
            act(engine, person(name))
        except Conflict as error:
            return error.code
        return name

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, [engine for engine, _ in zip(cycle(engines), range(8), strict=False)], "abcdefgh"))


def test_of_many_who_take_a_task_at_once_one_has_it(one: Engine, other: Engine) -> None:
    for task in begun(one, often=5):
        told = at_once((one, other), lambda engine, who, task=task: engine.people.claim(task, who))  # type: ignore[misc]
        (winner,) = [each for each in told if each != "task-claimed"]
        assert {one.people.task(task).assignee, other.people.task(task).assignee} == {winner}
        assert other.people.inbox(person(winner), assignee=winner).items[0].task_id == task


def test_of_many_who_complete_a_task_at_once_one_has_done_it(one: Engine, other: Engine) -> None:
    for task in begun(one, often=5):
        told = at_once((one, other), lambda engine, who, task=task: engine.people.complete(task, {"by": who.user}, who))  # type: ignore[misc]
        (winner,) = [each for each in told if each != "task-ended"]
        assert other.people.task(task).done_by == winner
        assert one.task(task).outputs == {"by": winner}


def test_a_claim_at_one_engine_counts_at_one_that_has_an_older_copy(one: Engine, other: Engine) -> None:
    (task,) = begun(one)
    other.people.claim(task, person("a"))
    other.people.release(task, person("a"))
    one.people.claim(task, person("b"))
    with pytest.raises(Conflict) as refused:
        other.people.claim(task, person("a"))
    assert refused.value.code == "task-claimed"
    with pytest.raises(Conflict):
        other.people.complete(task, {}, person("a"))
    one.people.release(task, person("b"))
    assert other.people.complete(task, {}, person("a")).done_by == "a"


def test_a_claim_and_a_cancel_at_two_engines(one: Engine, other: Engine, clock: VirtualClock) -> None:
    (task,) = begun(one)
    one.people.claim(task, person("a"))
    other.cancel(one.people.task(task).process_instance_id)
    with pytest.raises(Conflict, match="has ended"):
        one.people.release(task, person("a"))
    assert one.people.inbox(person("a")).items == other.people.inbox().items == ()


def test_what_is_set_at_one_engine_stays_beside_what_another_does_with_an_older_copy(
    one: Engine, other: Engine
) -> None:
    (task,) = begun(one)
    other.people.claim(task, person("a"))
    one.people.schedule(task, person("a"), priority=90)
    other.people.delegate(task, "b", person("a"))
    found = one.people.task(task)
    assert (found.priority, found.assignee) == (90, "b")
    other.people.complete(task, {}, person("b"))
    with pytest.raises(Conflict) as refused:
        one.people.schedule(task, person("b"), priority=1)
    assert refused.value.code == "task-ended"
