"""An engine is killed over a batch, wherever something lasts: the next one does the rest, and nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from riverstone.engine import Engine, Stone, TaskInfo

from ..features.sketch import line, service

STARTED = 12
PLACES = ("before-step", "before-commit", "within-commit", "after-commit", "before-handover")
WORK = """
    import sys
    from riverstone.engine import Engine
    from riverstone.engine.failpoints import kill_at
    from tests.crashes.test_batches import thing

    with Engine(sys.argv[1], stones=[thing(sys.argv[2])]) as engine:
        for number in range(3):
            engine.cancel(engine.search(key="shop", state="person").items[number].process_instance_id)
        kill_at(sys.argv[3], int(sys.argv[4]))
        engine.batch("cancel", {"key": "shop"})
"""


def thing(folder: str) -> type[Stone]:
    """A stone whose things are files."""

    class Thing(Stone):
        code = "thing"

        def start(self, task: TaskInfo) -> None:
            Path(folder, task.idempotency_key).touch()
            task.add_output("file", task.idempotency_key)

        def cancel(self, task: TaskInfo) -> None:
            Path(folder, task.outputs["file"]).unlink(missing_ok=True)

    return Thing


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("passing", [1, 3, 6, 10])
def test_whatever_a_killed_engine_has_left_is_done_once(tmp_path: Path, place: str, passing: int) -> None:
    url, things = f"sqlite:///{tmp_path}/store.db", tmp_path / "things"
    things.mkdir()
    with Engine(url, stones=[thing(str(things))]) as engine:
        engine.deploy(line("shop", service("a", "thing"), '<userTask id="u"/>'))
        numbers = [engine.start(key="shop", name="it").process_instance_id for _ in range(STARTED)]
    command = [sys.executable, "-c", textwrap.dedent(WORK), url, str(things), place, str(passing)]
    killed = subprocess.run(command, timeout=120, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert killed.returncode in (0, -signal.SIGKILL)
    with Engine(url, stones=[thing(str(things))]) as engine:
        engine.run_pending()
        for batch in engine.batches().items:
            assert (batch.state, batch.done + batch.refused) == ("ended", STARTED)
            items = engine.batch_items(batch.batch_id, limit=500).items
            assert [item.process_instance_id for item in items] == numbers
        if not engine.batches().items:
            # It was never acknowledged.
            assert killed.returncode != 0
            engine.batch("cancel", {"key": "shop"})
        assert {engine.wait(number, 60).status for number in numbers} == {"cancel.success"}
        assert list(things.iterdir()) == []
