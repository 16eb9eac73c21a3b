"""What stays in memory of a step once it is committed."""

from __future__ import annotations

import gc
from pathlib import Path

from riverstone.engine import Engine
from riverstone.models import Changes

from ...features.sketch import line


def test_what_waits_keeps_nothing_of_the_turns_that_it_was_in(tmp_path: Path) -> None:
    """Else whatever was written with them, also of processes that have ended, would stay as long as these wait."""
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        engine.deploy(line("asks", '<userTask id="u"/>'))
        numbers = [engine.start(key="asks", name="test", variables={"n": n}).process_instance_id for n in range(9)]
        engine.protect(numbers[0])
        kept = [copy.row for number in numbers if (copy := engine._river.cache.peek(int(number))) is not None]
        assert len(kept) == len(numbers)

        gc.collect()
        changes = [each for each in gc.get_objects() if type(each) is Changes]
        written = [row for each in changes for row in (*each.new_instances.values(), *each.instances.values())]

        assert not {*map(id, written)} & {*map(id, kept)}
        for number in numbers:
            (asked,) = engine.tasks(number)
            engine.complete(asked.task_id)
            assert engine.wait(number).status == "success"
