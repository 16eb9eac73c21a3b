"""When timers are due: ISO 8601 on the engine's clock."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverstone.engine.bpmn.running.timers.cycles import Cycle, TimerKind, read_timer
from riverstone.engine.bpmn.running.timers.moments import duration_ms, read_date
from riverstone.engine.errors import ExpressionError

BEGIN = 1_800_000_000_000
"""2027-01-15T08:00:00Z."""
DAY = 86_400_000
HOUR = 3_600_000
LEAST = 10


def turns(text: str, now: int, most: int, **given: Any) -> list[int]:
    """The first turns of a timer that is set now."""
    timer = read_timer("cycle", text, now, LEAST, **given)
    if timer.due is None or timer.cycle is None:
        return []
    return [timer.due, *timer.cycle.turns(timer.due, most - 1)]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT1S", 1000),
        ("PT0.25S", 250),
        ("P1DT2H3M4S", DAY + 7_384_000),
        ("P2W", 14 * DAY),
        ("P1M", 31 * DAY),
        ("P2M", 59 * DAY),
        ("P1Y", 365 * DAY),
        ("PT0S", 0),
    ],
)
def test_a_duration_counts_months_and_years_by_the_calendar(text: str, length: int) -> None:
    assert duration_ms(text, BEGIN) == length


def test_a_month_after_the_last_day_of_one_ends_on_the_last_day_of_the_next() -> None:
    last_of_january = BEGIN + 16 * DAY
    assert duration_ms("P1M", last_of_january) == 28 * DAY


def test_a_cycle_is_due_after_its_first_interval_and_says_how_often_it_comes_again() -> None:
    assert turns("R3/PT10S", BEGIN, 5) == [BEGIN + 10_000, BEGIN + 20_000, BEGIN + 30_000]
    assert turns("R/PT10S", BEGIN, 2) == [BEGIN + 10_000, BEGIN + 20_000]


def test_a_cycle_may_begin_at_a_date() -> None:
    assert turns("R2/2027-01-16T08:00:00Z/P1D", BEGIN, 5) == [BEGIN + DAY, BEGIN + 2 * DAY]


def test_what_of_a_cycle_is_over_when_it_is_set_is_used_up() -> None:
    assert turns("R/2027-01-01T09:00:00Z/P1D", BEGIN, 2) == [BEGIN + HOUR, BEGIN + HOUR + DAY]
    assert turns("R3/2027-01-14T09:00:00Z/P1D", BEGIN, 5) == [BEGIN + HOUR, BEGIN + HOUR + DAY]
    assert turns("R3/2027-01-01T09:00:00Z/P1D", BEGIN, 5) == []


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("R/PT10H/2027-01-16T08:00:00Z", 2),
        ("R/PT12H/2027-01-16T08:00:00Z", 2),
        ("R1/PT10H/2027-01-16T08:00:00Z", 1),
        ("R/2027-01-15T20:00:00Z/PT6H/2027-01-16T08:00:00Z", 3),
        ("R/PT10H/2027-01-15T07:00:00Z", 0),
    ],
)
def test_a_cycle_stops_at_its_end(text: str, most: int) -> None:
    """ISO 8601, 4.5: a repetition with an end has no turn after it."""
    assert len(turns(text, BEGIN, 20)) == most


@pytest.mark.parametrize(
    "text", ["R9/PT10H/garbage", "R/PT1H/PT2H", "R/PT10H/2027-13-01T00:00:00Z", "R3", "R/P1D/P1D/P1D"]
)
def test_what_is_no_end_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        read_timer("cycle", text, BEGIN, LEAST)


@pytest.mark.parametrize(
    "text",
    [
        *("2027-01-31T24:00:00Z", "2027-01-31T24:00", "2027-01-31 24:00:00.000+01:00", "20270131T24", "20270131T2400Z"),
        *("2027-W04-7T24:00:00Z", "2027-W04T24", "2027W04T24", "2027W047T240000", "2027-01-31T24:00[Europe/Berlin]"),
    ],
)
def test_no_python_reads_the_hour_24(text: str) -> None:
    """CPython 3.14 does, and an engine on 3.13 that goes on with the process would refuse what the first had set."""
    with pytest.raises(ExpressionError, match="is not an ISO 8601 date and time"):
        read_date(text)


@pytest.mark.parametrize(
    "text",
    [
        *("2027-01-24", "20270124", "2027W24", "2027-W24", "2027-W24-1", "20270124T00", "2027-01-24T00:00:00+00:24"),
        *("2027-01-31T00:24", "20270131T002400", "20270131T000024", "20270131T0000-0024", "2027-01-31T00:00-02:24"),
    ],
)
def test_a_24_elsewhere_is_no_hour(text: str) -> None:
    read_date(text)


def test_turns_that_were_missed_are_not_made_up() -> None:
    first = read_timer("cycle", "R/PT10S", BEGIN - 10_000, LEAST)
    assert first.cycle is not None
    following = [first.cycle.following(BEGIN, BEGIN + late) for late in (35_000, 20_000)]
    assert [found[0] for found in following if found] == [BEGIN + 40_000, BEGIN + 20_000], "the last is just in time"


def test_a_cycle_that_was_kept_by_an_earlier_version_goes_on() -> None:
    assert Cycle.of([2, "PT10S"]).following(BEGIN, BEGIN) == (BEGIN + 10_000, Cycle(1, "PT10S", BEGIN, 1))


def test_turns_after_somebody_has_set_the_clock_move_as_well() -> None:
    first = read_timer("cycle", "R/PT10S", BEGIN, LEAST)
    assert first.cycle is not None
    found = first.cycle.following(
        BEGIN + 13_000, BEGIN + 13_000
    )  # it was due after 10 seconds and the clock jumped by 3
    assert found is not None
    assert found[0] == BEGIN + 23_000


# -- calendars


def local(text: str, zone: str = "Europe/Berlin") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def walls(text: str, begin: str, most: int, **given: Any) -> list[str]:
    """The next turns as the clock on a wall in Berlin shows them."""
    found = turns(text, local(begin), most, **given)
    return [datetime.fromtimestamp(due / 1000, ZoneInfo("Europe/Berlin")).isoformat()[5:16] for due in found]


def test_a_day_keeps_the_time_of_day_over_daylight_saving() -> None:
    """Summer begins on 28 March 2027 and ends on 31 October."""
    daily = "R/2027-03-26T08:00:00[Europe/Berlin]/P1D"
    assert walls(daily, "2027-03-26T09:00", 3) == ["03-27T08:00", "03-28T08:00", "03-29T08:00"]
    assert walls(daily, "2027-10-30T09:00", 2) == ["10-31T08:00", "11-01T08:00"]
    assert walls("R/2027-03-26T08:00:00+01:00/P1D", "2027-03-26T09:00", 3)[1:] == ["03-28T09:00", "03-29T09:00"]
    assert walls("R/2027-03-26T08:00:00+01:00[Europe/Berlin]/P1D", "2027-03-26T09:00", 3)[1] == "03-28T08:00"
    assert walls("R/2027-03-26T08:00:00@Europe/Berlin/PT24H", "2027-03-26T09:00", 3)[1:] == [
        "03-28T09:00",
        "03-29T09:00",
    ]


def test_a_time_of_day_that_is_skipped_or_comes_twice_comes_once() -> None:
    nightly = "R/2027-03-26T02:30:00[Europe/Berlin]/P1D"
    assert walls(nightly, "2027-03-27T00:00", 3) == ["03-27T02:30", "03-28T03:30", "03-29T02:30"]
    assert walls(nightly, "2027-10-30T00:00", 3) == ["10-30T02:30", "10-31T02:30", "11-01T02:30"]


def test_a_month_keeps_the_day_as_far_as_the_month_has_it() -> None:
    monthly = "R/2027-01-31T08:00:00[Europe/Berlin]/P1M"
    assert walls(monthly, "2027-01-01T00:00", 4) == ["01-31T08:00", "02-28T08:00", "03-31T08:00", "04-30T08:00"]
    assert walls("R/2028-02-29T08:00:00[Europe/Berlin]/P1Y", "2031-03-01T00:00", 1) == ["02-29T08:00"]


def test_after_a_standstill_the_next_turn_is_counted_from_the_start() -> None:
    monthly = read_timer("cycle", "R/2027-01-31T08:00:00[Europe/Berlin]/P1M", BEGIN, LEAST)
    assert monthly.due is not None
    assert monthly.cycle is not None
    found = monthly.cycle.following(monthly.due, local("2027-03-10T00:00"))
    assert found is not None
    assert found[0] == local("2027-03-31T08:00")
    for years in (1, 40):
        found = Cycle(-1, "P1D", BEGIN, 0).following(BEGIN, BEGIN + years * 365 * DAY + 1)
        assert found is not None
        assert found[0] == BEGIN + (years * 365 + 1) * DAY


@pytest.mark.parametrize(
    "text",
    [
        "2099-02-01T08:00:00Z[Europe/Berlin]",
        "2099-02-01T09:00:00[Europe/Berlin]",
        "2099-02-01T09:00:00@Europe/Berlin",
        "2099-02-01T09:00:00+01:00[Europe/Berlin]",
    ],
)
def test_a_date_may_name_its_zone(text: str) -> None:
    assert read_timer("date", text, BEGIN, LEAST).due == local("2099-02-01T09:00")


@pytest.mark.parametrize(
    "text",
    [
        "2099-02-01T08:00:00Z[Nowhere/Land]",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00[Asia/Tokyo]",
    ],
)
def test_a_date_that_nobody_can_show_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        read_timer("date", text, BEGIN, LEAST)
    with pytest.raises(ExpressionError):
        read_timer("cycle", f"R3/{text}/P1M", BEGIN, LEAST)


# -- cron


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0 0 9 ? * MON-FRI", ["01-15T09:00", "01-18T09:00", "01-19T09:00"]),
        ("0 0 9 ? * 2-6", ["01-15T09:00", "01-18T09:00", "01-19T09:00"]),
        ("0 0 9 ? * 1", ["01-17T09:00", "01-24T09:00", "01-31T09:00"]),
        ("0 0 9 ? * SUN,7", ["01-16T09:00", "01-17T09:00", "01-23T09:00"]),
        ("0 0 9 ? * 6L", ["01-29T09:00", "02-26T09:00", "03-26T09:00"]),
        ("0 0 9 ? * FRI#3", ["01-15T09:00", "02-19T09:00", "03-19T09:00"]),
        ("0 0 9 ? * FRI-MON", ["01-15T09:00", "01-16T09:00", "01-17T09:00"]),
        ("0 0 9 L * ?", ["01-31T09:00", "02-28T09:00", "03-31T09:00"]),
        ("0 0 9 LW * ?", ["01-29T09:00", "02-26T09:00", "03-31T09:00"]),
        ("0 0/15 * * * ?", ["01-15T08:15", "01-15T08:30", "01-15T08:45"]),
        ("0 0 22-2/2 * * ?", None),
        ("0 0 12 1/5 * ? *", ["01-16T12:00", "01-21T12:00", "01-26T12:00"]),
        ("30 9 * * 5", ["01-15T09:30", "01-22T09:30", "01-29T09:30"]),
        ("@daily", ["01-16T00:00", "01-17T00:00", "01-18T00:00"]),
        ("@weekly", ["01-17T00:00", "01-24T00:00", "01-31T00:00"]),
        ("@midnight", ["01-16T00:00", "01-17T00:00", "01-18T00:00"]),
    ],
)
def test_cron_is_read_as_the_java_engines_write_it(text: str, found: list[str] | None) -> None:
    """15 January 2027 is a Friday; Quartz calls Sunday 1."""
    if found is None:
        with pytest.raises(ExpressionError, match="22-2"):
            walls(f"{text} [Europe/Berlin]", "2027-01-15T08:00", 3)
    else:
        assert walls(f"{text} [Europe/Berlin]", "2027-01-15T08:00", 3) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0 0 9 * * 1-5", ["01-15T09:00", "01-18T09:00", "01-19T09:00"]),
        ("0 0 9 * * 0", ["01-17T09:00", "01-24T09:00", "01-31T09:00"]),
        ("0 0 9 * * 7", ["01-17T09:00", "01-24T09:00", "01-31T09:00"]),
        ("0 0 9 13 * FRI", ["08-13T09:00", "10-13T09:00", "04-13T09:00"]),
    ],
)
def test_cron_is_read_as_camunda_8_writes_it(text: str, found: list[str]) -> None:
    """Spring calls Sunday 0 or 7, and where both days are given both have to fit."""
    shown = walls(f"CRON_TZ=Europe/Berlin {text}", "2027-01-15T08:00", 3, sunday=0)
    assert shown[:1] == found[:1] if "13" in text else shown == found


def test_a_cron_takes_each_local_time_once() -> None:
    assert walls("0 30 2 * * ? [Europe/Berlin]", "2027-03-27T00:00", 3) == ["03-27T02:30", "03-28T03:30", "03-29T02:30"]
    assert walls("0 30 2 * * ? [Europe/Berlin]", "2027-10-30T00:00", 3) == ["10-30T02:30", "10-31T02:30", "11-01T02:30"]
    hourly = turns("0 0 * * * ? [Europe/Berlin]", local("2027-10-31T00:30"), 4)
    assert [round((after - before) / HOUR) for before, after in pairwise(hourly)] == [1, 2, 1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 0 9 15 * MON", "gives the day twice"),
        ("0 0 9 15W * ?", "'15W' in the cron"),
        ("0 0 9 L-3 * ?", "is not understood"),
        ("0 0 9 ? * MON 2030", "names years"),
        ("0 0 25 * * ?", "Bad hour"),
        ("0 0 9 30 2 ?", "Bad day-of-month|never comes"),
        ("0 0 9 ? * MON [Nowhere/Land]", "is no time zone"),
        ("every day", "nor a cron such as"),
        ("@reboot", "nor a cron such as"),
        ("0 0 9 ? * 0", "is not understood"),
    ],
)
def test_a_cron_that_is_none_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why):
        read_timer("cycle", text, BEGIN, LEAST)


def test_a_cron_may_end() -> None:
    assert len(turns("0 0 9 ? * MON-FRI", BEGIN, 9, until="2027-01-20T23:00:00Z")) <= 4


@pytest.mark.parametrize("text", ["R/PT0.001S", "* * * * * ?"])
def test_a_cycle_that_is_too_fast_names_the_limit(text: str) -> None:
    with pytest.raises(ExpressionError, match="timer_interval"):
        read_timer("cycle", text, BEGIN, 2000)


@given(st.sampled_from(["date", "duration", "cycle"]), st.text("PTRYMWDHS0123456789-:./+Z[]@ *?,LW#", max_size=20))
def test_whatever_text_is_given_is_a_time_or_a_clear_error(kind: TimerKind, text: str) -> None:
    try:
        timer = read_timer(kind, text, BEGIN, LEAST)
    except ExpressionError:
        return
    assert timer.due is None or isinstance(timer.due, int)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.none(), max_size=1)))
def test_a_value_that_is_no_text_is_seconds_or_a_clear_error(value: object) -> None:
    for kind in get_args(TimerKind):
        try:
            due = read_timer(kind, value, BEGIN, LEAST).due
        except ExpressionError:
            continue
        assert kind == "duration"
        assert due is not None
        assert due >= BEGIN


@pytest.mark.parametrize("text", ["PT٣S", "P१D", "PT1.٥S"])
def test_a_duration_has_the_digits_of_iso_8601_alone(text: str) -> None:
    """ISO 8601, 3.2: digits are those of ISO/IEC 646; an engine in Java refuses others too."""
    with pytest.raises(ExpressionError, match="is not an ISO 8601 duration"):
        duration_ms(text, BEGIN)
