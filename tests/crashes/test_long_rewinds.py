"""An engine is killed over a rewind whose way back is found in a turn before that of going back."""

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
from . import test_batches

WORK = """
    import sys
    from riverstone.engine import Engine
    from riverstone.engine.failpoints import kill_at
    from riverstone.engine.steps.repair import rewind_request
    from tests.crashes.test_long_rewinds import thing

    rewind_request.MANY = 1
    prepare = rewind_request.RewindRequest.prepare

    def noted(request, instance):
        has_found = prepare(request, instance)
        if has_found:
            kill_at(sys.argv[3], int(sys.argv[4]))
            print("the way is found", flush=True)
        return has_found

    rewind_request.RewindRequest.prepare = noted
    with Engine(sys.argv[1], stones=[thing(sys.argv[2])]) as engine:
        engine.rewind("1", engine.tasks("1", element_id="b")[0].task_id)
        print("accepted", flush=True)
"""


def thing(folder: str) -> type[Stone]:
    """A stone whose things are files, and which a rewind may undo."""

    class Thing(test_batches.thing(folder)):  # type: ignore[misc]
        def rollback(self, task: TaskInfo) -> None:
            self.cancel(task)

    return Thing


@pytest.mark.parametrize("place", test_batches.PLACES)
@pytest.mark.parametrize("passing", [1, 2, 3, 5])
def test_a_killed_rewind_has_not_begun_or_is_done_once(tmp_path: Path, place: str, passing: int) -> None:
    url, things = f"sqlite:///{tmp_path}/store.db", tmp_path / "things"
    things.mkdir()
    with Engine(url, stones=[thing(str(things))]) as engine:
        engine.deploy(line("shop", *(service(name, "thing") for name in "abc"), '<userTask id="u"/>'))
        number = engine.start(key="shop", name="it").process_instance_id
    assert number == "1"
    made = {file.name for file in things.iterdir()}
    command = [sys.executable, "-c", textwrap.dedent(WORK), url, str(things), place, str(passing)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(command, timeout=120, env=environment, capture_output=True, text=True)
    assert killed.returncode in (0, -signal.SIGKILL), killed.stderr
    assert killed.stdout.startswith("the way is found")
    with Engine(url, stones=[thing(str(things))]) as engine:
        engine.run_pending()
        engine.situation(number, wait=60)
        kept = {file.name for file in things.iterdir()} & made
        assert len(kept) in (1, 3)
        if len(kept) == 3:
            # It was never acknowledged.
            assert "accepted" not in killed.stdout
            engine.rewind(number, engine.tasks(number, element_id="b")[0].task_id)
            engine.situation(number, wait=60)
        now = {file.name for file in things.iterdir()}
        assert (len(now), len(now & made)) == (3, 1)
        assert [task.element_id for task in engine.tasks(number, state="open")] == ["u"]
        engine.cancel(number)
        assert engine.wait(number, 60).status == "cancel.success"
        assert list(things.iterdir()) == []
