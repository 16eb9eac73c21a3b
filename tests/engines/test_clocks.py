"""Machines whose clocks differ: what one engine leaves, another goes on with when it is due for both."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from riverstone.engine import Clock, Engine, Stone, TaskInfo
from riverstone.models import Leases, Store
from riverstone.models import store as models_store

from ..features.sketch import catch, line, service

HOUR = 3_600_000
TIMER = "<timerEventDefinition><timeDuration>PT30M</timeDuration></timerEventDefinition>"


class Ahead(Clock):
    """An hour ahead of everybody else's."""

    def now(self) -> int:
        return super().now() + HOUR


class Slow(Stone):
    code = "Slow"
    retries = 1
    retry_backoff = 1800.0
    fails: ClassVar[bool] = True

    def start(self, task: TaskInfo) -> None:
        if self.fails:
            raise RuntimeError("not yet")


@pytest.fixture(autouse=True)
def failing() -> None:
    Slow.fails = True


def test_an_engine_whose_clock_is_ahead_takes_nothing_before_it_is_due(url: str) -> None:
    with Engine(url, stones=[Slow]) as one:
        one.deploy(line("retried", service("a", "Slow")))
        one.deploy(line("timed", catch("later", TIMER)))
        retried, timed = (one.start(key=key, name="it").process_instance_id for key in ("retried", "timed"))
    Slow.fails = False
    with Engine(url, stones=[Slow], clock=Ahead()) as ahead:
        ahead.run_pending()
        assert ahead.get(retried).status == ahead.get(timed).status == "running"


def test_what_an_engine_whose_clock_is_ahead_leaves_is_due_at_once(url: str) -> None:
    with Engine(url, stones=[Slow], clock=Ahead()) as ahead:
        ahead.deploy(line("shop", service("a", "Slow")))
        Slow.fails = False
        number = ahead.start(key="shop", name="it").process_instance_id
        store = ahead._store
        # As if it had died over its task.
        store.execute(
            "UPDATE `task` SET `open` = 1, `due` = NULL, `status` = 'produce.success', `owner` = ?",
            (ahead._facilities.engine_id,),
        )
        store.execute("UPDATE `process_instance` SET `phase` = 'draining', `pending` = 'failed'")
    with Engine(url, stones=[Slow]) as one:
        one.run_pending()
        assert one.tasks(number)[0].status != "produce.success"


def test_the_clock_of_a_file_is_the_same_for_all_and_never_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    one, other = Store(url), Store(url)
    earlier = Leases(one).now()
    assert 0 <= Leases(other).now() - earlier < 5_000
    # Somebody had set the machine's clock ahead when the file was first opened.
    one.execute("UPDATE `sequence` SET `next` = `next` + ? WHERE `name` LIKE 'clock %'", (HOUR,))
    one.close()
    ahead = Store(url)
    Leases(ahead).begin("e-1", "host", 1, "then")
    seen = Leases(ahead).engines()[0].seen
    assert seen - Leases(other).now() > HOUR // 2
    ahead.close()
    other.close()
    monkeypatch.setattr(models_store, "boot_id", lambda: "the machine was started again")
    again = Store(url)
    assert Leases(again).now() >= seen
    assert Leases(again).engines()[0].silent >= 0
    again.close()
