"""When timers are due: ISO 8601 on the engine's clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverstone.engine.bpmn.running.timers import duration_ms, first_due, next_due
from riverstone.engine.errors import ExpressionError

BEGIN = 1_800_000_000_000
"""2027-01-15T08:00:00Z."""
DAY = 86_400_000
LEAST = 10


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
    assert first_due("cycle", "R3/PT10S", BEGIN, LEAST) == (BEGIN + 10_000, 2, "PT10S")
    assert first_due("cycle", "R/PT10S", BEGIN, LEAST) == (BEGIN + 10_000, -1, "PT10S")


def test_a_cycle_may_begin_at_a_date() -> None:
    assert first_due("cycle", "R2/2027-01-16T08:00:00Z/P1D", BEGIN, LEAST) == (BEGIN + DAY, 1, "P1D")


def test_turns_that_were_missed_are_not_made_up() -> None:
    assert next_due("PT10S", BEGIN, BEGIN + 35_000) == BEGIN + 40_000
    assert next_due("PT10S", BEGIN, BEGIN + 20_000) == BEGIN + 20_000, "this one is just in time"


def test_a_cycle_that_is_too_fast_names_the_limit() -> None:
    with pytest.raises(ExpressionError, match="timer_interval"):
        first_due("cycle", "R/PT0.001S", BEGIN, LEAST)


@given(st.sampled_from(["date", "duration", "cycle"]), st.text("PTRYMWDHS0123456789-:./+Z", max_size=20))
def test_whatever_text_is_given_is_a_time_or_a_clear_error(kind: str, text: str) -> None:
    try:
        due, again, _ = first_due(kind, text, BEGIN, LEAST)
    except ExpressionError:
        return
    assert isinstance(due, int)
    assert again >= -1


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.none(), max_size=1)))
def test_a_value_that_is_no_text_is_seconds_or_a_clear_error(value: object) -> None:
    for kind in ("date", "duration", "cycle"):
        try:
            due, _, _ = first_due(kind, value, BEGIN, LEAST)
        except ExpressionError:
            continue
        assert kind == "duration"
        assert due >= BEGIN
