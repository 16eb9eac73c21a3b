"""What concerns very many tokens at once is done in portions; an engine that dies between two goes on with the rest.

Nothing is kept in memory between the turns, as where the engine dies after each.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from riverstone.engine import Engine
from riverstone.engine.bpmn.elements import compensation
from riverstone.engine.river import turn
from riverstone.engine.river.river import River

from .sketch import catch, definitions, flow, line, process, runs, service

SIGNAL = '<signal id="x" name="x"/>'
CAUGHT = catch("c", '<signalEventDefinition id="d" signalRef="x"/>')
COMPENSATED = (
    '<boundaryEvent id="b" attachedToRef="m"><compensateEventDefinition id="cd"/></boundaryEvent>'
    '<association id="a" sourceRef="b" targetRef="h" associationDirection="One"/>'
)
THROW = '<intermediateThrowEvent id="back"><compensateEventDefinition id="dc"/></intermediateThrowEvent>'


class Turns:
    """How many turns an engine has had beside those that somebody has asked for."""

    def __init__(self) -> None:
        self.had = 0
        self.waits: list[int] = []
        """Before each of them: for how many things the process waited, as it is stored."""


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    counted = Turns()

    def forgetful(river: River) -> bool:
        river.cache.clear()
        counted.waits += [len(river.facilities.store.waits(number)) for number in [*river.unfinished][:1]]
        more = go_on(river)
        counted.had += more
        return more

    go_on = River.go_on
    monkeypatch.setattr(River, "go_on", forgetful)
    monkeypatch.setattr(turn, "LONGEST", 0.0)
    monkeypatch.setattr(turn, "LEAST", 0.0)
    return counted


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        yield engine


def listeners(count: int) -> str:
    """So many that wait for a signal, and behind each of them a person."""
    then = '<userTask id="got"/>' + flow("c", "got")
    return f'<subProcess id="m">{runs(str(count))}{CAUGHT}{then}</subProcess>'


def elements(engine: Engine, number: str) -> list[str]:
    return sorted(task.element_id for task in engine.tasks(number, state="open"))


def test_a_signal_from_outside_comes_to_all_who_wait(engine: Engine, turns: Turns) -> None:
    engine.deploy(line("many", listeners(30), before=SIGNAL))
    number = engine.start(key="many", name="test").process_instance_id
    turns.waits.clear()
    engine.signal("x")

    assert elements(engine, number) == ["got"] * 30
    assert {28, 15, 1} <= set(turns.waits)


def test_a_signal_that_is_thrown_comes_to_all_even_if_its_thrower_is_taken_away(engine: Engine, turns: Turns) -> None:
    """BPMN 2.0.2, 10.5.1: a signal is caught by every event that can catch it."""
    thrown = '<endEvent id="w"><signalEventDefinition id="dw" signalRef="x"/></endEvent>'
    border = '<boundaryEvent id="b" attachedToRef="s"><signalEventDefinition id="db" signalRef="x"/></boundaryEvent>'
    nodes = f'<startEvent id="begin"/><subProcess id="s"><userTask id="u"/>{thrown}{flow("u", "w")}</subProcess>'
    flows = flow("begin", "s") + flow("begin", "m") + flow("b", "took")
    engine.deploy(definitions(SIGNAL, process("many", nodes, border, listeners(30), '<userTask id="took"/>', flows)))
    number = engine.start(key="many", name="test").process_instance_id
    (asked,) = engine.tasks(number, state="open")
    turns.waits.clear()
    engine.complete(asked.task_id)

    assert elements(engine, number) == ["got"] * 30 + ["took"]
    assert {30, 15, 1} <= set(turns.waits)


def test_an_end_event_that_signals_and_terminates_ends_only_what_has_had_the_signal(
    engine: Engine, turns: Turns
) -> None:
    both = '<signalEventDefinition id="dw" signalRef="x"/><terminateEventDefinition id="t"/>'
    caught = catch("c", '<signalEventDefinition id="d" signalRef="x"/>') + service("v", "seen") + flow("c", "v")
    nodes = f'<startEvent id="begin"/><subProcess id="m">{runs("20")}{caught}</subProcess><userTask id="u"/>'
    flows = flow("begin", "m") + flow("begin", "u") + flow("u", "w")
    engine.stone("seen")(lambda task: None)
    engine.deploy(definitions(SIGNAL, process("many", nodes, f'<endEvent id="w">{both}</endEvent>', flows)))
    number = engine.start(key="many", name="test").process_instance_id
    (asked,) = engine.tasks(number, state="open")
    turns.had = 0
    engine.complete(asked.task_id)

    assert engine.get(number).status == "success"
    assert turns.had >= 19


def test_an_activity_that_sends_many_tokens_on_sends_each_once(engine: Engine, turns: Turns) -> None:
    """BPMN 2.0.2, 10.3 and 13.3.2: the completion quantity, and the start quantity of what waits for all of them."""
    nodes = '<task id="m" completionQuantity="1200"/>', '<task id="k" startQuantity="1200"/>', '<userTask id="u"/>'
    engine.deploy(line("many", *nodes))
    number = engine.start(key="many", name="test").process_instance_id

    assert elements(engine, number) == ["u"]
    assert turns.had >= 5


def test_handlers_of_very_many_runs_begin_in_portions(
    engine: Engine, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BPMN 2.0.2, 13.5.5: each run of a multi-instance activity is compensated."""
    monkeypatch.setattr(compensation, "PORTION", 10)
    handler = '<userTask id="h" isForCompensation="true"/>'
    nodes = f'<startEvent id="begin"/><task id="m">{runs("25")}</task>{COMPENSATED}{handler}<userTask id="u"/>{THROW}'
    flows = flow("begin", "m") + flow("m", "u") + flow("u", "back")
    engine.deploy(definitions(process("many", nodes, flows)))
    number = engine.start(key="many", name="test").process_instance_id
    (asked,) = engine.tasks(number, state="open")
    turns.had = 0
    engine.complete(asked.task_id)

    assert turns.had >= 25 + 2
    handlers = engine.tasks(number, state="open")
    assert len(handlers) == 25
    for task in handlers:
        engine.complete(task.task_id)
    assert engine.get(number).status == "success"


def test_a_compensation_of_an_earlier_version_goes_on(engine: Engine, tmp_path: Path) -> None:
    """It kept lists of what is to be compensated and what is being."""
    nodes = "".join(
        f'<task id="{node}"/><userTask id="h{node}" isForCompensation="true"/><boundaryEvent id="b{node}"'
        f' attachedToRef="{node}"><compensateEventDefinition/></boundaryEvent><association id="a{node}"'
        f' sourceRef="b{node}" targetRef="h{node}" associationDirection="One"/>'
        for node in "xyz"
    )
    flows = flow("begin", "x") + flow("x", "y") + flow("y", "z") + flow("z", "back")
    engine.deploy(definitions(process("old", '<startEvent id="begin"/>', nodes, THROW, flows)))
    number = engine.start(key="old", name="test").process_instance_id
    with closing(sqlite3.connect(tmp_path / "river.db")) as store, store:
        for token, text in store.execute("SELECT id, internal FROM token WHERE internal LIKE '%undoing%'").fetchall():
            kept = json.loads(text)
            kept["undoing"] = list(kept["undoing"].values())
            kept["handling"] = [{"id": int(key), "after": after} for key, after in kept["handling"].items()]
            store.execute("UPDATE token SET internal = ? WHERE id = ?", (json.dumps(kept), token))
    engine._river.forget([int(number)])
    asked = []
    while engine.get(number).status == "running":
        (task,) = engine.tasks(number, state="open")
        asked.append(task.element_id)
        engine.complete(task.task_id)

    assert asked == ["hz", "hy", "hx"]
