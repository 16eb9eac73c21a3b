"""Times are shown with the offset that the local zone has at each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from riverstone.engine.clock import milliseconds, moment

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


@pytest.mark.parametrize("name", ["America/New_York", "UTC", "Asia/Shanghai"])
def test_the_ends_of_the_calendar_are_times_in_every_zone(zone: pytest.MonkeyPatch, name: str) -> None:
    zone.setenv("TZ", name)
    time.tzset()
    for offset in (None, UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))):
        ends = datetime(1, 1, 1, tzinfo=offset), datetime(9999, 12, 31, 23, 59, tzinfo=offset)
        assert [str(moment(milliseconds(end)))[:4] for end in ends] == ["0001", "9999"]
