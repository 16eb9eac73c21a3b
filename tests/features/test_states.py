"""What a process waits for and how it has ended is told apart from its status; lists are filtered and counted by it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from riverstone.engine import Engine, VirtualClock
from riverstone.engine.instance.notes.standing import awaited_by
from riverstone.engine.views.processes import Awaited
from riverstone.models.vocabulary import OUTCOMES, ProcessState

from .sketch import catch, definitions, flow, line, process, service
from .world import World, policy, run

MESSAGE = '<message id="M" name="paid"/>'
SIGNAL = '<signal id="S" name="open"/>'
MODELS = {
    "person": line("person", service("a", "make"), '<userTask id="u" name="Approve"/>'),
    "message": line("message", catch("m", '<messageEventDefinition messageRef="M"/>'), before=MESSAGE),
    "signal": line("signal", catch("s", '<signalEventDefinition signalRef="S"/>'), before=SIGNAL),
    "timer": line(
        "timer", catch("t", "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>")
    ),
    "works": line("works", service("a", "watch")),
    "ends": line("ends", service("a", "make"), policy("b", "make", "retain")),
}


@pytest.fixture
def deployed(engine: Engine) -> Engine:
    for model in MODELS.values():
        engine.deploy(model)
    return engine


def found(engine: Engine, state: ProcessState) -> list[str]:
    return [each.key for each in engine.search(state=state, kind="start").items]


def test_what_waits_is_told_from_what_works(deployed: Engine, clock: VirtualClock) -> None:
    for key in ("person", "message", "signal", "timer", "works", "ends"):
        deployed.start(key=key, name=key)
    items = {each.key: each for each in deployed.search().items}

    assert {key: each.awaits for key, each in items.items()} == {
        "person": "person",
        "message": "event",
        "signal": "event",
        "timer": "event",
        "works": None,
        "ends": None,
    }
    told = {key: [(each.kind, each.element_id, each.name) for each in one.waits_for] for key, one in items.items()}
    assert told["person"] == [("person", "u", "Approve")]
    assert told["message"] == [("message", "m", "paid")]
    assert told["signal"] == [("signal", "s", "open")]
    (timer,) = items["timer"].waits_for
    assert timer.kind == "timer"
    assert timer.due is not None
    assert timer.due.timestamp() * 1000 == clock.now() + 3_600_000
    assert all(deployed.get(each.process_instance_id).waits_for == each.waits_for for each in items.values())
    assert found(deployed, "person") == ["person"]
    assert found(deployed, "event") == ["timer", "signal", "message"]
    assert found(deployed, "running") == ["works"]
    assert found(deployed, "success") == ["ends"]
    assert deployed.counts(kind="start") == {
        "running": 1,
        "attention": 0,
        "person": 1,
        "event": 3,
        "stone": 0,
        "suspended": 0,
        "quota": 0,
        "success": 1,
        "failed": 0,
        "canceled": 0,
    }
    assert deployed.counts(key="timer")["event"] == 1


def test_where_it_waits_is_told_by_the_start_already(deployed: Engine) -> None:
    deployed.deploy(line("first", '<userTask id="u" name="Approve"/>'))
    started = deployed.start(key="first", name="x")

    assert started.awaits == "person"
    assert [each.name for each in started.waits_for] == ["Approve"]
    assert started.waits_for == deployed.get(started.process_instance_id).waits_for


def test_one_that_goes_on_waits_no_more_also_in_another_engine(url: str, world: World, clock: VirtualClock) -> None:
    with Engine(url, stones=world.stones(), clock=clock) as first, Engine(url, stones=world.stones()) as second:
        first.deploy(MODELS["person"])
        number = first.start(key="person", name="x").process_instance_id
        (task,) = [each for each in second.tasks(number) if each.stone is None]
        assert second.get(number).awaits == "person"
        second.complete(task.task_id)
        assert first.get(number).awaits is None
        assert first.get(number).outcome == "success"
        assert found(first, "person") == []


def test_a_person_is_told_of_beside_what_works(engine: Engine) -> None:
    branches = [service("w", "watch"), '<userTask id="u"/>', '<userTask id="v"/>']
    parts = ['<startEvent id="b"/>', '<parallelGateway id="f"/>', *branches, flow("b", "f")]
    engine.deploy(definitions(process("p", *parts, *(flow("f", each) for each in "wuv"))))
    number = engine.start(key="p", name="x").process_instance_id
    tasks = {each.element_id: each.task_id for each in engine.tasks(number)}

    assert engine.get(number).awaits == "person"
    engine.complete(tasks["u"])
    assert [each.element_id for each in engine.get(number).waits_for] == ["v"]
    engine.complete(tasks["v"])
    assert engine.get(number).awaits is None


def test_what_waits_for_a_suspended_stone_says_so(deployed: Engine) -> None:
    deployed.suspend_stone("watch")
    number = deployed.start(key="works", name="x").process_instance_id
    told = deployed.get(number)
    assert (told.awaits, told.waits_for) == ("stone", (Awaited(kind="suspended", element_id="a", name="watch"),))
    (item,) = deployed.search(state="stone").items
    assert (item.awaits, item.waits_for) == ("stone", told.waits_for)
    assert found(deployed, "running") == []
    assert deployed.counts()["stone"] == 1
    assert {each.labels[0]: each.count for each in deployed.figures().awaits}["stone"] == 1

    deployed.unsuspend_stone("watch")
    deployed.run_pending()
    assert (deployed.get(number).awaits, found(deployed, "running")) == (None, ["works"])


def test_what_waits_for_a_stone_that_no_engine_has_says_so(url: str, world: World, clock: VirtualClock) -> None:
    with Engine(url, stones=world.stones()) as engine:
        engine.deploy(MODELS["works"])
    with Engine(url, stones=[], clock=clock) as lacking:
        told = lacking.get(lacking.start(key="works", name="x").process_instance_id)
        assert (told.awaits, told.waits_for) == (
            "stone",
            (Awaited(kind="stone-missing", element_id="a", name="watch"),),
        )
        for stone in world.stones():
            lacking.register(stone)
        lacking.run_pending()
        assert lacking.get(told.process_instance_id).awaits is None


def test_a_stone_is_waited_for_only_where_nothing_else_goes_on(engine: Engine) -> None:
    engine.suspend_stone("make")
    parts = ['<startEvent id="b"/>', '<parallelGateway id="f"/>', service("w", "watch"), service("m", "make")]
    engine.deploy(definitions(process("p", *parts, flow("b", "f"), flow("f", "w"), flow("f", "m"))))
    number = engine.start(key="p", name="x").process_instance_id
    assert engine.get(number).awaits is None
    engine.suspend_stone("watch")
    assert engine.get(number).awaits is None, "a monitor is looked at"


def test_what_listens_for_an_event_sub_process_waits_for_nothing(engine: Engine) -> None:
    listening = (
        '<subProcess id="es" triggeredByEvent="true"><startEvent id="on" isInterrupting="false">'
        '<messageEventDefinition messageRef="M"/></startEvent><endEvent id="off"/>'
        + flow("on", "off")
        + "</subProcess>"
    )
    parts = ['<startEvent id="b"/>', service("a", "watch"), flow("b", "a"), listening]
    engine.deploy(definitions(MESSAGE, process("p", *parts)))
    started = engine.start(key="p", name="x")

    assert (started.awaits, started.waits_for) == (None, ())


def test_how_it_ended_stays_whatever_is_undone_since(deployed: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("no quota"))
    failed = run(deployed, "ends")
    assert (failed.status, failed.outcome, failed.awaits) == ("rollback.success", "failed", None)
    succeeded = run(deployed, "ends")
    canceled = deployed.start(key="person", name="x")
    deployed.cancel(canceled.process_instance_id)
    for each in (failed, succeeded, canceled):
        deployed.wait(each.process_instance_id, 3600)
        deployed.delete(each.process_instance_id)
        deployed.wait(each.process_instance_id, 3600)

    shown = {state: [each.process_instance_id for each in deployed.search(state=state, kind="start").items] for state in
             ("failed", "success", "canceled")}  # fmt: skip
    assert shown == {
        "failed": [failed.process_instance_id],
        "success": [succeeded.process_instance_id],
        "canceled": [canceled.process_instance_id],
    }
    kept = deployed.search(state="success", kind="start").items[0]
    assert (kept.status, kept.kept) == ("delete.success", 1)


def test_what_needs_somebody_is_found_until_somebody_has_decided(deployed: Engine, world: World) -> None:
    world.wrong("start", "a", RuntimeError("no quota"))
    model = deployed.save_model(MODELS["works"])
    paused = deployed.start(model_id=model.model_id, name="debugged")
    assert deployed.get(paused.process_instance_id).awaits == "attention"

    world.wrong("delete", "a", RuntimeError("still in use"))
    stuck = run(deployed, "ends")
    deployed.delete(stuck.process_instance_id)
    shown = deployed.wait(stuck.process_instance_id, 3600)
    assert (shown.status, shown.outcome, shown.awaits) == ("delete.failed", "success", "attention")
    assert found(deployed, "attention") == ["ends", "works"]

    deployed.cancel(paused.process_instance_id)
    deployed.retry_undo(stuck.process_instance_id)
    assert deployed.wait(stuck.process_instance_id, 3600).awaits is None
    assert found(deployed, "attention") == []


def test_an_owner_counts_what_is_theirs(deployed: Engine) -> None:
    deployed.start(key="person", name="x", owner="shop")
    deployed.start(key="person", name="y")

    assert deployed.owned_by("shop").counts()["person"] == 1
    assert deployed.counts()["person"] == 2


@pytest.mark.parametrize("store", ["0003", "0007", "0012"])
def test_an_older_store_tells_it_of_what_it_has(store: str, tmp_path: Path, world: World) -> None:
    shutil.copy(Path(__file__).parents[1] / "data" / "stores" / f"{store}.db", tmp_path / "river.db")
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones(), passive=True) as engine:
        shown = engine.search(limit=500).items
        assert shown
        for each in shown:
            instance = engine._rehearsals._load(int(each.process_instance_id))
            # That it is a stone is said since schema 0042, and of what waited before from its next step on.
            now = awaited_by(instance)
            assert each.awaits == (None if now == "stone" else now), each
            assert each.outcome == (OUTCOMES.get(each.status, each.outcome) if each.end_time else None)
