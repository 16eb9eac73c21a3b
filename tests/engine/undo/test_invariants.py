"""What holds of every undo, whatever the model, the faults and the requests; tests/soak plays many more cases."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverstone.engine.undo.frozen import Order
from riverstone.engine.undo.order import plan
from riverstone.models import TaskRow
from riverstone.models.row_types.tables import columns

from ...soak.cancel_race import race
from ...soak.undo_case import UndoCase

Causes = dict[int, list[int]]


def ledger(causes: Causes, wanted: set[int] | None = None) -> dict[int, TaskRow]:
    """Rows of stone tasks that followed each other in this way, of which those not ``wanted`` are undone."""
    rows = {}
    for task_id, before in causes.items():
        values: dict[str, object] = dict.fromkeys(columns(TaskRow))
        values["undo"] = None if wanted is None or task_id in wanted else "undone"
        rows[task_id] = TaskRow(**{**values, "id": task_id, "kind": "start", "stone": "make", "after": str(before)})  # type: ignore[arg-type]
    return rows


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[Causes, set[int]]:
    """Who directly followed whom among up to twelve tasks, with ids in any order, and which of them to undo."""
    ids = draw(st.lists(st.integers(1, 99), unique=True, max_size=12))
    causes = {
        task_id: draw(st.lists(st.sampled_from(ids[:index]), unique=True)) if index else []
        for index, task_id in enumerate(ids)
    }
    return causes, set(draw(st.lists(st.sampled_from(ids), unique=True))) if ids else set()


def followers(causes: Causes) -> dict[int, set[int]]:
    """All that came after each task."""
    found: dict[int, set[int]] = {task_id: set() for task_id in causes}
    for task_id in causes:
        pending = [task_id]
        while pending:
            for cause in causes[pending.pop()]:
                found[cause].add(task_id)
                pending.append(cause)
    return found


@given(ledgers())
@settings(max_examples=300)
def test_a_plan_says_exactly_who_comes_after_whom(drawn: tuple[Causes, set[int]]) -> None:
    causes, wanted = drawn
    steps = {task_id: set(after) for task_id, after in plan(ledger(causes, wanted), "delete").after().items()}
    assert steps.keys() == wanted

    def waits_for(task_id: int) -> set[int]:
        return steps[task_id].union(*map(waits_for, steps[task_id]))

    later = followers(causes)
    for task_id in wanted:
        assert waits_for(task_id) == later[task_id] & wanted
        for before in steps[task_id]:
            others = steps[task_id] - {before}
            assert not any(before in waits_for(other) for other in others), "said twice"


@given(ledgers())
@settings(max_examples=300)
def test_the_order_of_an_undo_puts_every_step_after_those_it_waits_for(drawn: tuple[Causes, set[int]]) -> None:
    causes, wanted = drawn
    order = plan(ledger(causes, wanted), "delete")
    ordered, after = list(order.in_order()), order.after()
    assert sorted(ordered) == sorted(wanted)
    seen: set[int] = set()
    for task_id in ordered:
        assert seen.issuperset(after[task_id])
        seen.add(task_id)


def test_a_ledger_of_ten_thousand_tasks_is_planned_quickly() -> None:
    rows = ledger({number: [number - 1] if number > 1 else [] for number in range(1, 10_001)})
    assert list(plan(rows, "delete").in_order()) == list(range(10_000, 0, -1))


def test_two_bunches_of_four_thousand_tasks_are_planned_quickly() -> None:
    first, second = range(1, 4_001), range(4_001, 8_001)
    rows = ledger({number: list(first) if number in second else [] for number in (*first, *second)})
    (group,) = plan(rows, "delete").groups
    assert group == (tuple(second), tuple(first))


def test_a_task_that_came_after_two_bunches_in_part_is_undone_before_all_it_followed() -> None:
    causes = {1: [], 2: [], 3: [], 11: [1, 2, 3], 12: [1, 2, 3], 13: [1, 2, 3], 20: [2, 11]}
    order = plan(ledger(causes), "delete")
    after = {1: {11, 12, 13}, 2: {11, 12, 13}, 3: {11, 12, 13}, 11: {20}, 12: set(), 13: set(), 20: set()}
    assert {task_id: set(before) for task_id, before in order.after().items()} == after
    assert list(order.in_order()) == [20, 13, 12, 11, 3, 2, 1]


@given(ledgers())
def test_an_order_is_read_as_it_was_written(drawn: tuple[Causes, set[int]]) -> None:
    order = plan(ledger(*drawn), "delete")._replace(called=frozenset(drawn[1]))
    assert Order.read(order.text()) == order


def played(seed: int, *, threads: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        UndoCase(seed, Path(folder), threads=threads).play()


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_every_task_that_began_ends_as_kept_or_undone_or_retained_or_failed(seed: int) -> None:
    played(seed)


@given(st.integers(0, 2**32))
@settings(max_examples=10)
def test_the_same_holds_where_hooks_run_side_by_side(seed: int) -> None:
    played(seed, threads=True)


@pytest.mark.parametrize("engines", [1, 2])
def test_of_a_cancel_and_the_end_of_a_process_one_wins(tmp_path: Path, engines: int) -> None:
    ends = race(40, tmp_path, engines=engines)
    assert sum(ends.values()) == 40
