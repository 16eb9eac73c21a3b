"""A process that cannot be stepped any more: it keeps what is meant for others from nobody."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from riverstone.engine import Engine

from ..features.sketch import catch, line

SIGNAL = '<signal id="s" name="go"/>'
ON_GO = '<signalEventDefinition signalRef="s"/>'
WAITING = line("waiting", catch("wait", ON_GO), before=SIGNAL)
THROWING = line("throwing", f'<intermediateThrowEvent id="throw">{ON_GO}</intermediateThrowEvent>', before=SIGNAL)


@pytest.mark.parametrize("thrown", [False, True], ids=["from outside", "thrown"])
def test_a_signal_reaches_all_others(tmp_path: Path, caplog: pytest.LogCaptureFixture, thrown: bool) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url) as engine:
        for model in (WAITING, THROWING):
            engine.deploy(model)
        numbers = [engine.start(key="waiting", name=f"{n}").process_instance_id for n in range(25)]
    broken = [numbers[0], numbers[4], numbers[5], numbers[24]]
    with Engine(url) as engine, caplog.at_level(logging.ERROR):
        for number in broken:
            sql = "UPDATE `token` SET `internal` = '[' WHERE `process_instance_id` = ?"
            assert engine._store.execute(sql, (int(number),))
        if thrown:
            engine.start(key="throwing", name="x")
        else:
            assert len(engine.signal("go")) == 25 - len(broken)

        assert {number for number in numbers if engine.get(number).status != "success"} == set(broken)
        assert not engine.queues()["owed"]
    assert set(re.findall(r"a signal cannot reach process (\d+)", caplog.text)) == set(broken)
