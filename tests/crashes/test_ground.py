"""The ground truth of the tests here: what it holds whenever its writers die, and whoever reads meanwhile."""

from __future__ import annotations

from pathlib import Path

from riverstone.engine import TaskInfo
from riverstone.engine.limits import Limits
from riverstone.engine.work import StopRequest, Work

from .ground import Ground


def test_a_line_that_is_half_written_is_no_call_yet_and_spoils_no_other(tmp_path: Path) -> None:
    ground = Ground(tmp_path / "calls")
    work = Work(
        task_id=7,
        process_instance_id=1,
        stone="make",
        event="start",
        attempt=1,
        idempotency_key="key",
        start_key="key",
        namespace="a",
        element_id="a",
        parameters="{}",
        outputs=None,
        state=None,
        phase="running",
        name="",
    )
    task: TaskInfo = TaskInfo(work, {}, limits=Limits(), request=StopRequest(), on_progress=None)
    ground.write(task, "begin")
    whole = ground.file.read_bytes()
    for cut in range(1, len(whole)):
        ground.file.write_bytes(whole + whole[:cut])

        assert [line["what"] for line in ground.lines()] in (["begin"], ["begin", "begin"]), cut
        ground.write(task, "made")
        assert [line["what"] for line in ground.lines()][-1] == "made"
        assert ground.things() == {"key": "a"}, cut
