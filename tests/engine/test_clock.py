"""Times are shown with the offset that the local zone has at each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from riverstone.engine.clock import moment

QUARTERS = range(1_782_000_000_000, 1_800_000_000_000, 900_000 * 7)
"""From summer to winter."""


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_each_time_has_the_offset_of_its_day_and_of_the_zone_that_is_set(zone: pytest.MonkeyPatch) -> None:
    for name in ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"):
        zone.setenv("TZ", name)
        time.tzset()
        for at in QUARTERS:
            for near in (at - 1, at, at + 899_999):
                told, shown = datetime.fromtimestamp(near / 1000, UTC).astimezone(), moment(near)
                assert (shown, shown.utcoffset(), shown.tzname()) == (told, told.utcoffset(), told.tzname())


def test_times_that_have_no_date_are_shown_as_the_last_that_has_one() -> None:
    assert moment(None) is None
    assert moment(10**18) == moment(253_402_128_000_000)
    assert moment(-1) == datetime.fromtimestamp(-0.001, UTC)
