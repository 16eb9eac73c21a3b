"""A task comes up in an engine that does not have its stone: another engine that has it takes the task."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, WaitTimeout

from ..features.sketch import line, service
from ..workers.crew import until


class Here(Stone):
    code = "here"

    def start(self, task: TaskInfo) -> None:
        task.add_output("by", "one")


class There(Here):
    code = "there"

    def start(self, task: TaskInfo) -> None:
        task.add_output("by", "other")


MODEL = line("shop", service("a", "here"), service("b", "there"), service("c", "here"))


@pytest.fixture
def one(url: str) -> Iterator[Engine]:
    with Engine(url, stones=[Here, There]) as engine:
        engine.deploy(MODEL)
    with Engine(url, stones=[Here], dispatcher="threads") as engine:
        yield engine


def test_an_engine_that_has_the_stone_takes_the_task_and_its_undo(one: Engine, url: str) -> None:
    with Engine(url, stones=[There], dispatcher="threads") as other:
        numbers = [one.start(key="shop", name=f"{number}").process_instance_id for number in range(3)]
        for number in numbers:
            assert one.wait(number, timeout=30).status == "success"
            assert [task.outputs["by"] for task in one.tasks(number)] == ["one", "other", "one"]
            one.delete(number)
            assert other.wait(number, timeout=30).status == "delete.success"


def test_one_that_comes_later_takes_it_and_until_then_nothing_is_written(one: Engine, url: str) -> None:
    number = one.start(key="shop", name="test").process_instance_id
    until(lambda: [task.status for task in one.tasks(number)] == ["start.success", "stone-missing"])
    before = one._store.revision(int(number))
    with pytest.raises(WaitTimeout):
        one.wait(number, timeout=2.5)
    assert one._store.revision(int(number)) == before
    assert one.figures().due is None
    assert "'there'" in " ".join(one.why(number).sentences)

    with Engine(url, stones=[There], dispatcher="threads"):
        assert one.wait(number, timeout=30).status == "success"


def test_an_inline_engine_says_at_once_that_nobody_goes_on(url: str) -> None:
    with Engine(url, stones=[Here, There]) as engine:
        engine.deploy(MODEL)
        engine.stones.remove("there")
        number = engine.start(key="shop", name="test").process_instance_id
        with pytest.raises(WaitTimeout):
            engine.wait(number, timeout=30)
        assert engine.tasks(number)[1].status == "stone-missing"
        with Engine(url, stones=[There]) as other:
            other.run_pending()
            assert other.tasks(number)[1].status == "start.success"
