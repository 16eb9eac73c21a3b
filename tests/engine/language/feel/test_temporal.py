"""Dates, times and durations (DMN 1.5, 10.3.2.3.4 to 10.3.2.3.8 and tables 55 to 64)."""

from __future__ import annotations

import pytest

from riverstone.engine.language.feel.border import to_json

from .examples import LIMITS, check, feel, lines, reason


@pytest.mark.parametrize(
    "line",
    lines(
        """
        date("2024-02-29") -> 2024-02-29
        date(2023, 2, 29) -> null
        date("-2017-12-31") -> -2017-12-31
        date("999999999-12-31") -> 999999999-12-31
        date("2012-1-1") -> null
        date("2024-01-31").month -> 1
        @"2024-01-31".weekday -> 3
        @"10:30:01.5+05:00".time offset -> PT5H
        @"10:30:01@Etc/UTC".timezone -> "Etc/UTC"
        time("24:00:01") -> null
        time("23:00:50z") = time("23:00:50+00:00") -> true
        time("13:20:00@xyz/abc") -> null
        time(11, 59, 45.5, duration("-PT2H")) -> 11:59:45.5-02:00
        date and time("2024-01-01") -> 2024-01-01T00:00:00
        date and time(@"2024-01-01", @"10:00:00Z") -> 2024-01-01T10:00:00Z
        date and time(2024, 1, 2, 3, 4, 5) -> 2024-01-02T03:04:05
        date and time(@"2024-07-01T12:00:00Z", "Europe/Paris") -> 2024-07-01T14:00:00@Europe/Paris
        duration("PT1000M") -> PT16H40M
        duration("-P26M") -> -P2Y2M
        duration("P1Y1D") -> null
        duration("P0D") -> PT0S
        @"P1DT2H3M4.5S".minutes -> 3
        @"-P14M".years -> -1
        @"2024-01-31" + @"P1M" -> 2024-02-29
        @"2024-03-31" - @"P1M" -> 2024-02-29
        @"2024-01-31" + @"PT36H" -> 2024-02-01
        @"2024-01-02" - @"2024-01-01" -> P1D
        @"2024-01-31T23:00:00" + @"PT2H" -> 2024-02-01T01:00:00
        @"2024-03-31T00:30:00@Europe/Paris" + @"PT2H" -> 2024-03-31T03:30:00@Europe/Paris
        @"23:00:00" + @"PT2H" -> 01:00:00
        @"10:00:00Z" - @"09:00:00+01:00" -> PT2H
        @"P1D" * 1.5 -> P1DT12H
        @"P1Y" / 5 -> P2M
        @"P1D" / @"PT12H" -> 2
        -@"P1Y" -> -P1Y
        @"2024-01-01" < @"2024-01-02" -> true
        @"2024-01-01T10:00:00Z" = @"2024-01-01T11:00:00+01:00" -> true
        @"2024-01-01T10:00:00" < @"2024-01-01T11:00:00Z" -> null
        @"P1Y" = @"P365D" -> null
        is(@"10:00:00Z", @"11:00:00+01:00") -> false
        years and months duration(@"2011-12-22", @"2013-08-24") -> P1Y8M
        cycle(duration("PT10S")) -> "R/PT10S"
        cycle(3, duration("P1M")) -> "R3/P1M"
        cycle(-1, duration("P1M")) -> null
        day of year(@"2020-12-31") -> 366
        day of week(@"2024-02-29") -> "Thursday"
        month of year(@"2024-02-29") -> "February"
        week of year(@"2005-01-01") -> 53
        last day of month(@"2024-02-10") -> 2024-02-29
        date(now()) = today() -> true
        abs(@"-P1D") -> P1D
        string(@"2024-01-01T00:00:00@Europe/Paris") -> "2024-01-01T00:00:00@Europe/Paris"
        """
    ),
)
def test_dates_times_and_durations(line: str) -> None:
    check(line)


def test_why_there_is_no_such_date() -> None:
    assert "there is no day 2024-13-1" in reason('date("2024-13-01")')
    assert "only one of the dates says its offset" in reason('@"2024-01-01T00:00:00Z" - @"2024-01-01T00:00:00"')


def test_they_become_texts_where_they_leave_an_expression() -> None:
    found = to_json(feel('{a: @"2024-01-01", b: [@"P1D", @"10:00:00Z"], c: [1..2]}'), LIMITS)
    assert found == {"a": "2024-01-01", "b": ["P1D", "10:00:00Z"], "c": "[1..2]"}
