"""What an undo runs is made from its frozen order; its BPMN file is made when somebody reads that first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from lxml import etree

from riverstone.engine import Conflict, Engine, VirtualClock, failpoints
from riverstone.engine.undo.frozen import Order
from riverstone.engine.undo.nodes import MOST_AT_ONCE, undo_definition

from .elements import OneAtATime
from .sketch import line, runs, service
from .test_undo_cancel import Gate, until
from .test_undo_handlers import XY, model
from .test_undo_models import sub
from .world import Make, World, run

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
STEPS = sub("refund", service("first", "make"), service("second", "make"))
HANDLER = STEPS.replace("<subProcess ", '<subProcess isForCompensation="true" ', 1)
HANDLED = ["first", "second", "x", "y"]
"""What exists in the end: a handler of the model makes things too, and undoes none."""
ALL = 10_000
SHAPES = {
    "one after the other": line("p", *(service(f"s{number}", "make") for number in range(4)), service("b", "make")),
    "two bunches": line(
        "p",
        service("m", "make", inside=runs("3")),
        service("n", "make", inside=runs("3")),
        service("b", "make"),
    ),
    "a handler of several steps": model(XY, HANDLER).replace(b'"shop"', b'"p"'),
}


@pytest.fixture
def world() -> World:
    return World()


def copied(store: Path, to: Path) -> Path:
    """The store as it stands at this moment, with an engine at work on it or not."""
    with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


def files_of(store: Path, process_instance_id: str) -> tuple[str, ...]:
    """The files of a process, read by an engine that has just been opened on its store."""
    with Engine(f"sqlite:///{store}", passive=True) as engine:
        return engine.sources(process_instance_id)


def node_ids(engine: Engine, process_instance_id: str) -> tuple[str, ...]:
    """What an undo runs, made from what is stored."""
    row = engine._store.catalogue.deployment(engine.get(process_instance_id).deployment_id)
    assert row is not None
    assert row.undo_order is not None
    order = Order.read(row.undo_order)
    process = undo_definition(row, order).process
    found = [process.find(f"task_{task_id}") for task_id in order.tasks]
    assert process.find("task_0") is None
    return tuple(node.name for node in found if node is not None)


def opened(store: Path, world: World, *, allowed: int = ALL) -> Engine:
    """An inline engine that carries out so many tasks."""
    dispatcher = OneAtATime()
    dispatcher.allowed = allowed
    return Engine(
        f"sqlite:///{store}", stones=world.stones(), dispatcher=dispatcher, clock=VirtualClock(1_800_000_000_000)
    )


@pytest.fixture
def engine(tmp_path: Path, world: World) -> Iterator[Engine]:
    with opened(tmp_path / "river.db", world) as engine:
        yield engine


def test_a_file_that_is_read_late_is_the_one_that_is_read_early(tmp_path: Path, engine: Engine, world: World) -> None:
    engine.deploy(SHAPES["two bunches"])
    number = run(engine, "p").process_instance_id
    world.wrong("delete", "m2", RuntimeError("not yet"))
    undo = str(engine.delete(number).delete_process_instance_id)
    assert engine.get(number).status == "delete.failed"
    early = files_of(copied(tmp_path / "river.db", tmp_path / "early.db"), undo)

    engine.retry_undo(number)
    assert engine.get(number).status == "delete.success"
    late = engine.sources(undo)

    assert late == early
    assert engine.deployment(engine.get(undo).deployment_id).files == late
    assert files_of(tmp_path / "river.db", undo) == late, "it is kept"
    assert engine.picture(undo).svg.count("<rect") >= 6


def test_what_stones_report_late_changes_no_file(tmp_path: Path, world: World) -> None:
    store = tmp_path / "river.db"
    with Engine(f"sqlite:///{store}", stones=world.stones(), dispatcher="threads") as threads:
        slow = type("Slow", (Make,), {"code": "slow", "grace": 0.1, "world": world, "__doc__": "Does not stop."})
        threads.register(slow)
        threads.deploy(line("two", service("a", "make"), service("b", "slow")))
        gate = Gate()
        world.wrong("start", "b", gate)
        number = threads.start(key="two", name="test").process_instance_id
        assert gate.reached.wait(60)
        undo = str(threads.cancel(number).cancel_process_instance_id)
        threads.wait(number, 60)
        early = files_of(copied(store, tmp_path / "early.db"), undo)
        gate.open.set()
        until(lambda: any(task.outputs.get("id") == "b" for task in threads.tasks(number)))

        assert threads.sources(undo) == early


def torn(store: Path, world: World, number: str) -> Iterator[Engine]:
    """Engines of which each carries out one task of a process and is closed, until it rests."""
    for _ in range(100):
        with opened(store, world, allowed=1) as engine:
            engine.run_pending()
            yield engine
            if engine.get(number).end_time is not None and not engine.get(number).status.endswith(".begin"):
                return
    raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["rollback", "delete"])
def test_an_undo_torn_from_its_engine_at_every_step_stays_the_same(
    shape: str, kind: str, tmp_path: Path, world: World
) -> None:
    store = tmp_path / "river.db"
    with opened(store, world, allowed=0) as engine:
        engine.deploy(SHAPES[shape])
        if kind == "rollback":
            world.wrong("start", "b", RuntimeError("broke"))
        number = engine.start(key="p", name="test").process_instance_id
    if kind == "delete":
        for _ in torn(store, world, number):
            pass
        with opened(store, world, allowed=0) as engine:
            engine.delete(number)
    status = ""
    nodes: set[tuple[str, ...]] = set()
    files: set[tuple[str, ...]] = set()
    for step, engine in enumerate(torn(store, world, number)):
        status, undo = engine.get(number).status, getattr(engine.get(number), f"{kind}_process_instance_id")
        if undo is not None:
            nodes.add(node_ids(engine, str(undo)))
            files.add(files_of(copied(store, tmp_path / f"step{step}.db"), str(undo)))

    assert status == f"{kind}.success"
    assert world.exists == (HANDLED if "handler" in shape and kind == "rollback" else [])
    ((xml,),) = files
    tasks = etree.fromstring(xml.encode()).iter(f"{BPMN}serviceTask", f"{BPMN}callActivity")
    assert [set(each) for each in nodes] == [{task.get("id") for task in tasks}]


@pytest.mark.parametrize("stone", ["make", "mail"])
def test_an_undo_of_more_tasks_than_a_turn_may_begin_goes_through_in_one_call(
    stone: str, engine: Engine, world: World
) -> None:
    engine.deploy(line("p", service("m", stone, inside=runs("450"))))
    number = run(engine, "p").process_instance_id
    undo = engine.delete(number)
    assert undo.status == "delete.success"
    assert len(engine.tasks(str(undo.delete_process_instance_id))) == 450
    assert len(world.of("delete")) == (450 if stone == "make" else 0)


@pytest.mark.parametrize("stone", ["make", "mail"])
def test_what_one_turn_has_left_to_begin_is_begun_by_the_next_engine(stone: str, tmp_path: Path, world: World) -> None:
    store = tmp_path / "river.db"
    with opened(store, world) as engine:
        engine.deploy(line("p", service("m", stone, inside=runs("450"))))
        number = run(engine, "p").process_instance_id
        copies: list[Path] = []

        def look(place: str) -> None:
            if place == "after-commit" and not copies:
                copies.append(copied(store, tmp_path / "torn.db"))
                with closing(sqlite3.connect(copies[0])) as copy, copy:
                    copy.execute("UPDATE engine_node SET pid = 99999999")

        failpoints.tell(look)
        try:
            engine.delete(number)
        finally:
            failpoints.tell(None)
    world.calls.clear()
    (torn_off,) = copies
    with opened(torn_off, world) as engine:
        undo = str(engine.get(number).delete_process_instance_id)
        assert len(engine.tasks(undo)) == MOST_AT_ONCE
        assert engine.wait(number, 60).status == "delete.success"
        assert len({task.namespace for task in engine.tasks(undo)}) == len(engine.tasks(undo)) == 450
    assert len(set(world.of("delete"))) == len(world.of("delete")) == (450 if stone == "make" else 0)


def test_where_all_that_has_begun_fails_the_rest_is_begun_all_the_same(engine: Engine, world: World) -> None:
    engine.deploy(line("p", service("m", "make", inside=runs("450"))))
    number = run(engine, "p").process_instance_id
    for run_number in range(1, 451):
        world.wrong("delete", f"m{run_number}", RuntimeError("no"))
    engine.delete(number)
    assert engine.get(number).status == "delete.failed"
    assert len(world.of("delete")) == 450
    engine.retry_undo(number)
    assert engine.get(number).status == "delete.success"
    assert world.exists == []


def test_what_an_undo_runs_is_not_started(engine: Engine) -> None:
    engine.deploy(line("p", service("a", "make")))
    number = run(engine, "p").process_instance_id
    undo = engine.get(str(engine.delete(number).delete_process_instance_id))
    with pytest.raises(Conflict, match="what one undo runs"):
        engine.start(deployment_id=undo.deployment_id, name="again")
