"""Monitors that find everything as it was, time and again, until one day they do not."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, VirtualClock
from riverstone.engine.instance.instance import Instance
from riverstone.models import StoreError
from riverstone.models.databases.guard import LOOK

from .sketch import line, service

MINUTE = 60.0


class Ship(Stone):
    """Comes in when its name is called; until then a look finds nothing new."""

    code = "ship"
    monitor_interval = MINUTE
    in_port: set[str] = set()
    looks: Counter[str] = Counter()
    seen: list[dict[str, Any]] = []
    meanwhile: Callable[[], object] | None = None

    def start(self, task: TaskInfo) -> None:
        task.add_output("name", task.parameters["name"])

    def monitor(self, task: TaskInfo) -> bool:
        ship = task.parameters["name"]
        self.looks[ship] += 1
        kept = ("attempt", "element_id", "idempotency_key", "name", "namespace", "outputs", "parameters", "phase")
        told = (*kept, "process_instance_id", "start_key", "state", "task_id")
        self.seen.append({name: getattr(task, name) for name in told})
        if self.looks[ship] == 1:
            task.state["berth"] = 7
            task.progress(10)
        if Ship.meanwhile is not None:
            Ship.meanwhile()
        return ship in self.in_port


class Patient(Ship):
    """Is given up after an hour."""

    code = "patient"
    timeouts = {"monitor": 60 * MINUTE}


@pytest.fixture(autouse=True)
def _at_sea() -> None:
    Ship.in_port.clear()
    Ship.looks.clear()
    Ship.seen.clear()
    Ship.meanwhile = None


def port(url: str, clock: VirtualClock, **options: Any) -> Engine:
    return Engine(url, stones=[Ship, Patient], clock=clock, **options)


def sail(engine: Engine, *ships: str, stone: str = "ship") -> list[str]:
    """Processes that each wait for one ship, which has been looked for once."""
    deployed = engine.deploy(line("voyage", service("a", stone, {"name": "${ship}"}))).deployment_id
    return [
        engine.start(deployment_id=deployed, name="test", variables={"ship": ship}).process_instance_id
        for ship in ships
    ]


def pass_time(engine: Engine, clock: VirtualClock, minutes: int) -> None:
    for _ in range(minutes):
        clock.advance(MINUTE + 1)
        while engine.run_pending():
            pass


def test_hundreds_wait_for_hours_and_each_ends_when_its_time_has_come(tmp_path: Path) -> None:
    clock = VirtualClock()
    ships = [f"ship-{number}" for number in range(250)]
    with port(f"sqlite:///{tmp_path}/port.db", clock) as engine:
        numbers = sail(engine, *ships)
        pass_time(engine, clock, 120)
        assert set(Ship.looks.values()) == {121}
        assert {engine.get(number).status for number in numbers} == {"running"}

        Ship.in_port.update(ships[::2])
        pass_time(engine, clock, 1)
        assert [engine.get(number).status for number in numbers] == ["success", "running"] * 125
        Ship.in_port.update(ships)
        pass_time(engine, clock, 1)
        for number, ship in zip(numbers, ships, strict=True):
            assert engine.wait(number, 0).native_output_values == {"a": {"name": ship}}


def test_processes_that_wait_for_a_far_look_are_not_all_held_in_memory(tmp_path: Path) -> None:
    gc.collect()
    before = sum(isinstance(found, Instance) for found in gc.get_objects())
    gc.disable()
    try:
        with port(f"sqlite:///{tmp_path}/port.db", VirtualClock()) as engine:
            sail(engine, *(f"ship-{number}" for number in range(250)))
            held = sum(isinstance(found, Instance) for found in gc.get_objects()) - before
    finally:
        gc.enable()
    assert 0 < held <= 110


@pytest.mark.parametrize("encrypted", [False, True])
def test_every_look_is_told_the_same(tmp_path: Path, encrypted: bool) -> None:
    fernet = pytest.importorskip("cryptography.fernet")
    keys = [fernet.Fernet.generate_key().decode()] if encrypted else []
    clock = VirtualClock()
    with port(f"sqlite:///{tmp_path}/port.db", clock, encryption_keys=keys) as engine:
        (number,) = sail(engine, "Gorch Fock")
        pass_time(engine, clock, 3)
        assert engine.tasks(number)[0].progress == 10

    first, *others = Ship.seen
    assert others == [{**first, "state": {"berth": 7}}] * 3
    assert first["outputs"] == first["parameters"] == {"name": "Gorch Fock"}


def test_a_monitor_that_finds_nothing_new_is_given_up_in_time(tmp_path: Path) -> None:
    clock = VirtualClock()
    with port(f"sqlite:///{tmp_path}/port.db", clock) as engine:
        (number,) = sail(engine, "Mary Celeste", stone="patient")
        pass_time(engine, clock, 58)
        assert engine.get(number).status == "running"
        pass_time(engine, clock, 2)
        assert engine.tasks(number)[0].status == "monitor.failed"
        assert "longer than its timeout" in str(engine.tasks(number)[0].reason)
    assert Ship.looks["Mary Celeste"] in (58, 59, 60)


def test_nothing_is_looked_at_that_another_engine_has_cancelled(tmp_path: Path, url: str) -> None:
    clock = VirtualClock()
    with port(url, clock) as one, port(url, clock, passive=True) as other:
        cancelled, going_on = sail(one, "Titanic", "Vasa")
        pass_time(one, clock, 1)
        other.cancel(cancelled)
        pass_time(one, clock, 2)

        assert one.wait(cancelled, 60).status == "cancel.success"
        assert (Ship.looks["Titanic"], Ship.looks["Vasa"]) == (2, 4)
        assert one.get(going_on).status == "running"


def test_a_look_that_comes_back_too_late_brings_nothing_to_life(tmp_path: Path, url: str) -> None:
    clock = VirtualClock()
    with port(url, clock) as one, port(url, clock, passive=True) as other:
        cancelled, going_on = sail(one, "Titanic", "Vasa")
        pass_time(one, clock, 1)

        def cancel() -> None:
            Ship.meanwhile = None
            other.cancel(cancelled)

        Ship.meanwhile = cancel
        pass_time(one, clock, 3)

        assert one.wait(cancelled, 60).status == "cancel.success"
        assert one.tasks(cancelled)[0].status == "canceled"
        assert (Ship.looks["Titanic"], Ship.looks["Vasa"]) == (3, 5)
        Ship.in_port.add("Vasa")
        pass_time(one, clock, 1)
        assert one.get(going_on).status == "success"


def test_looks_go_on_where_they_were_when_the_database_is_back(tmp_path: Path) -> None:
    clock, file, away = VirtualClock(), tmp_path / "port.db", tmp_path / "away.db"
    with port(f"sqlite:///{file}", clock) as engine:
        (number,) = sail(engine, "Batavia")
        pass_time(engine, clock, 1)
        file.rename(away)
        time.sleep(2 * LOOK)
        try:
            clock.advance(MINUTE + 1)
            for _ in range(3):
                with pytest.raises(StoreError):
                    engine.run_pending()
        finally:
            away.rename(file)
        pass_time(engine, clock, 2)
        assert engine.get(number).status == "running"
    assert Ship.looks["Batavia"] == 4
