"""What a hook knows of its process: whose it is, what it is called, which run this is, and until when it has time."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, VirtualClock

from .sketch import line, runs, service
from .world import run


@pytest.fixture
def told(engine: Engine) -> list[Any]:
    """What the hooks of the stone ``knows`` have known, in order."""
    found: list[Any] = []

    def note(self: Stone, task: TaskInfo) -> None:
        facts = task.process_key, task.process_name, task.version, task.business_key, task.owner, task.run_number
        found.append((task.event, facts, task.tags, task.deadline))

    def looks(self: Stone, task: TaskInfo) -> bool:
        note(self, task)
        return len([event for event, *_ in found if event == "monitor"]) >= 4

    members = {"code": "knows", "start": note, "monitor": looks, "delete": note, "monitor_interval": 1.0}
    engine.register(type("Knows", (Stone,), {**members, "timeouts": {"start": 60.0}, "__doc__": "Notes."}))
    return found


def test_every_hook_knows_its_process_and_a_later_version_changes_nothing(
    engine: Engine, told: list[Any], clock: VirtualClock
) -> None:
    engine.deploy(line("shop", service("a", "knows")))
    before = clock.now()
    ended = run(engine, "shop", business_key="order-7", owner="acme")
    engine.deploy(line("shop", service("a", "knows"), service("b", "knows")))
    engine.delete(ended.process_instance_id)
    engine.wait(ended.process_instance_id, 99)

    assert [event for event, *_ in told] == ["start", "monitor", "monitor", "monitor", "monitor", "delete"]
    assert {facts for _, facts, *_ in told} == {("shop", "test", 1, "order-7", "acme", None)}
    assert told[0][2] == {
        "riverstone-process": ended.id,
        "riverstone-process-key": "shop",
        "riverstone-version": "1",
        "riverstone-namespace": "a",
        "riverstone-business-key": "order-7",
        "riverstone-owner": "acme",
    }
    assert all(tags == told[0][2] for _, _, tags, _ in told)
    deadline = told[0][3]
    assert deadline.timestamp() * 1000 == before + 60_000
    assert {each[3] for each in told[1:]} == {None}


def test_a_run_knows_its_number_and_what_there_is_none_of_is_left_out(engine: Engine, told: list[Any]) -> None:
    engine.deploy(line("many", service("a", "knows", inside=runs("3"))))
    run(engine, "many")
    assert sorted(facts[5] for event, facts, *_ in told if event == "start") == [1, 2, 3]
    assert sorted(told[0][2]) == [
        "riverstone-namespace",
        "riverstone-process",
        "riverstone-process-key",
        "riverstone-version",
    ]
