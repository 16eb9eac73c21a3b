"""A cancel against the end of a process, over and over: ``python -m tests.soak.cancel_race 1000 [engines]``."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from random import Random

from riverstone.engine import Conflict, Engine, Stone, TaskInfo

from ..features.sketch import line, service


def race(count: int, folder: Path, *, engines: int = 1) -> Counter[str]:
    """Play so many races on engines of one store and count their ends; raises AssertionError where two won, or none."""
    random = Random(0)
    things: set[str] = set()
    ends: Counter[str] = Counter()

    class Quick(Stone):
        code = "quick"
        grace = 5.0

        def start(self, task: TaskInfo) -> None:
            time.sleep(random.random() * 0.003)
            things.add(task.start_key)

        def cancel(self, task: TaskInfo) -> None:
            things.discard(task.start_key)

    with ExitStack() as stack:
        made = [Engine(f"sqlite:///{folder}/race.db", stones=[Quick], dispatcher="threads", threads=4)]
        made += [Engine(made[0].url, stones=[Quick], dispatcher="threads", threads=4) for _ in range(1, engines)]
        for each in made:
            stack.enter_context(each)
        engine = made[0]
        engine.deploy(line("race", service("a", "quick"), service("b", "quick")))
        for _ in range(count):
            things.clear()
            started = engine.start(key="race", name="race").process_instance_id
            answers: list[str] = []

            def ask(asked: Engine, started: str = started, answers: list[str] = answers) -> None:
                time.sleep(random.random() * 0.008)
                try:
                    answers.append(str(asked.cancel(started).cancel_process_instance_id))
                except Conflict as refused:
                    answers.append(f"refused in {refused.status}")

            askers = [threading.Thread(target=ask, args=(each,)) for each in (made[0], made[-1])]
            for asker in askers:
                asker.start()
            for asker in askers:
                asker.join()
            ended = engine.wait(started, 20)
            ends[ended.status] += 1
            if ended.status == "success":
                assert answers == ["refused in success"] * 2, answers
                assert ended.cancel_process_instance_id is None
                assert len(things) == 2
            else:
                assert ended.status == "cancel.success"
                assert answers == [ended.cancel_process_instance_id] * 2, answers
                assert not things
                assert engine.get(answers[0]).status == "success"
        ended_well = engine.instances(limit=10 * count, status="success").items
        cancels = [known.origin_process_instance_id for known in ended_well if known.kind == "cancel"]
        assert len(cancels) == len(set(cancels)) == ends["cancel.success"]
    return ends


def main(count: int, engines: int = 1) -> None:
    """Play the races and print how they ended."""
    with tempfile.TemporaryDirectory() as folder:
        print(dict(race(count, Path(folder), engines=engines)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["1000"]))
