"""Whoever asks why a process stands still is told how its workers fare."""

from __future__ import annotations

import pytest

from ..features.sketch import line, service
from .crew import Crew, until


@pytest.mark.parametrize("crew", ["rabbitmq"], indirect=True)
def test_a_process_tells_whether_a_worker_has_its_task(crew: Crew) -> None:
    crew.gate.touch()
    worker = crew.worker()
    with crew.river() as engine:
        engine.deploy(line("shop", service("a", "held")))
        number = engine.start(key="shop", name="x").process_instance_id

        def told(text: str) -> bool:
            return text in " ".join(engine.why(number).sentences)

        until(lambda: told("runs on a worker, which is alive."))
        crew.kill(worker)
        until(lambda: told("none has shown that it has it") or told("not been heard of"))
        assert "riverstone --broker URL --stones MODULE worker" in engine.why(number).commands
        crew.gate.unlink()
        crew.worker()
        assert engine.wait(number, timeout=60).status == "success"
