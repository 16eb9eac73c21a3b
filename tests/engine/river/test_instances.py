"""Copies of instances in memory: as many as there is room for, however large each of them is."""

from __future__ import annotations

from pathlib import Path

from riverstone.engine import Engine
from riverstone.engine.river.instances import MOST_HELD

from ...features.sketch import line

LARGE = {"text": "x" * 900_000}


def test_large_processes_are_kept_in_memory_only_as_long_as_there_is_room(tmp_path: Path) -> None:
    count = 2 * MOST_HELD // len(LARGE["text"])
    with Engine(f"sqlite:///{tmp_path / 'store.db'}") as engine:
        engine.deploy(line("p", '<userTask id="u"/>'))
        started = [engine.start(key="p", name="it", variables=LARGE).process_instance_id for _ in range(count)]
        kept = set(engine._river.cache)
        assert len(kept) <= count / 2 + 1
        assert int(started[-1]) in kept
        assert int(started[0]) not in kept
        for number in started:
            engine.complete(engine.tasks(number)[0].task_id)
            assert engine.get(number).status == "success"
        assert not set(engine._river.cache)
        assert engine._river.cache._held == 0
