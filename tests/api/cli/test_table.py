"""What is listed stands in columns, whatever language the names are in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from riverstone.api.cli.screen.table import WIDEST, columns_of, table_lines
from riverstone.api.cli.screen.terminal import local_time


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("订单", 4), ("é", 1), ("e\u0301", 1), ("ﾊﾛｰ", 3), ("Ａ", 2)],
)
def test_a_chinese_sign_takes_two_columns_and_an_accent_none(text: str, columns: int) -> None:
    assert columns_of(text) == columns


def test_columns_stand_below_one_another_in_any_language() -> None:
    rows = [("1", "order", "for ann"), ("20000", "订单-rollback-1", "云主机"), ("3", "e\u0301te\u0301", "x")]
    header, *lines = table_lines(("ID", "KEY", "NAME"), rows, right=("ID",))
    starts = {columns_of(line[: line.index(row[2])]) for line, row in zip(lines, rows, strict=True)}
    assert starts == {columns_of(header[: header.index("NAME")])}
    assert [line.split()[0] for line in lines] == ["1", "20000", "3"]
    assert len({line.index(row[0]) + len(row[0]) for line, row in zip(lines, rows, strict=True)}) == 1


def test_a_very_long_value_stands_out_and_leaves_the_others_where_they_are() -> None:
    header, short, long = table_lines(("KEY", "NAME"), [("a", "x"), ("k" * (WIDEST + 1), "y")])
    assert header.index("NAME") == short.index("x") == len("KEY") + 2
    assert long == f"{'k' * (WIDEST + 1)}  y"


def test_a_value_of_several_lines_and_one_that_is_not_there_keep_to_their_line() -> None:
    assert list(table_lines(("A", "B"), [("x\ny\x1b[31m", None)]))[1:] == ["x y [31m"]
    assert list(table_lines(("A", "B"), [])) == []


def test_times_are_told_by_the_clock_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert local_time(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
