"""Many tasks that all followed the same many others: what they followed is said once, in the store and in the undo."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from riverstone.engine import Engine, Stone, TaskInfo

from .sketch import definitions, flow, line, process, runs, service

MANY = 60


class Thing(Stone):
    """Notes in which order it was undone."""

    code = "thing"
    undone: list[str]

    def cancel(self, task: TaskInfo) -> None:
        Thing.undone.append(task.namespace)


@pytest.fixture
def url(tmp_path: Path) -> str:
    Thing.undone = []
    return f"sqlite:///{tmp_path}/river.db"


def asked(engine: Engine, number: str) -> str:
    """The task of the person for whom the process waits."""
    while True:
        for task in engine.tasks(number):
            if task.stone is None:
                return task.task_id
        time.sleep(0.01)


def held(tmp_path: Path, column: str, table: str) -> int:
    """How many characters a column of the store holds."""
    with closing(sqlite3.connect(tmp_path / "river.db")) as store, store:
        (found,) = store.execute(f"SELECT SUM(LENGTH(`{column}`)) FROM `{table}`").fetchone()
    return int(found or 0)


def test_each_of_the_second_bunch_follows_each_of_the_first_also_after_a_restart(url: str, tmp_path: Path) -> None:
    model = line("two", *(service(name, "thing", inside=runs(str(MANY))) for name in "ab"), '<userTask id="u"/>')
    with Engine(url, stones=[Thing], dispatcher="threads") as engine:
        engine.deploy(model)
        number = engine.start(key="two", name="test").process_instance_id
        asked(engine, number)
        before = {task.task_id: task.after for task in engine.tasks(number)}
        firsts = {task.task_id for task in engine.tasks(number) if task.element_id == "a"}
        assert all(set(task.after) == firsts for task in engine.tasks(number) if task.element_id == "b")
        assert all(engine.task(task_id).after == after for task_id, after in before.items())
    # One list of what the second bunch followed, one of what the person's task did.
    assert held(tmp_path, "after", "task") < 3 * MANY * 5

    with Engine(url, stones=[Thing], dispatcher="threads") as engine:
        assert {task.task_id: task.after for task in engine.tasks(number)} == before
        steps = engine.preview(number, "cancel")
        seconds = {step.task_id for step in steps if step.namespace.startswith("b")}
        assert all(set(step.after) == seconds for step in steps if step.namespace.startswith("a"))
        engine.cancel(number)
        while engine.wait(number, timeout=30).status != "cancel.success":
            time.sleep(0.01)

    assert {name[0] for name in Thing.undone[:MANY]} == {"b"}
    assert {name[0] for name in Thing.undone[MANY:]} == {"a"}
    assert len(Thing.undone) == 2 * MANY


@pytest.mark.parametrize("restarted", [False, True])
def test_tokens_that_wait_inside_of_many_runs_know_what_they_followed(
    url: str, tmp_path: Path, restarted: bool
) -> None:
    inside = (
        '<startEvent id="i"/><intermediateCatchEvent id="c"><signalEventDefinition signalRef="x"/>'
        f'</intermediateCatchEvent>{service("b", "thing")}<endEvent id="o"/>'
        + flow("i", "c")
        + flow("c", "b")
        + flow("b", "o")
    )
    model = definitions(
        '<signal id="x" name="x"/>',
        process(
            "inner",
            '<startEvent id="s"/><endEvent id="e"/>' + service("a", "thing", inside=runs(str(MANY))),
            f'<subProcess id="m">{runs(str(MANY))}{inside}</subProcess>',
            flow("s", "a") + flow("a", "m") + flow("m", "e"),
        ),
    )
    engine = Engine(url, stones=[Thing], dispatcher="threads")
    engine.deploy(model)
    number = engine.start(key="inner", name="test").process_instance_id
    while sum(bool(token.waits) for token in engine.tokens(number)) < MANY:
        time.sleep(0.01)
    assert held(tmp_path, "causes", "token") < 3 * MANY * 5
    if restarted:
        engine.close()
        engine = Engine(url, stones=[Thing], dispatcher="threads")
    with engine:
        engine.signal("x")
        assert engine.wait(number, timeout=30).status == "success"
        tasks = engine.tasks(number)

    firsts = {task.task_id for task in tasks if task.element_id == "a"}
    assert all(set(task.after) == firsts for task in tasks if task.element_id == "b")


def test_scopes_that_end_after_many_are_noted_for_a_rewind_with_one_list(url: str, tmp_path: Path) -> None:
    inside = f'<startEvent id="x"/><task id="y"/>{flow("x", "y")}'
    scopes = f'<subProcess id="s">{runs(str(MANY))}{inside}</subProcess>'
    bunch = service("a", "thing", inside=runs(str(MANY)))
    with Engine(url, stones=[Thing], dispatcher="threads") as engine:
        engine.deploy(line("two", service("z", "thing"), bunch, scopes, '<userTask id="u"/>'))
        number = engine.start(key="two", name="test").process_instance_id
        asked(engine, number)
    # A note for each, of two hundred characters, and not each with a list of three hundred.
    assert held(tmp_path, "causes", "retrace") < 10 * MANY
    assert held(tmp_path, "data", "retrace") < 300 * MANY

    with Engine(url, stones=[Thing], dispatcher="threads") as engine:
        first = next(task.task_id for task in engine.tasks(number) if task.element_id == "z")
        assert len(engine.preview_rewind(number, first).steps) == MANY + 1
