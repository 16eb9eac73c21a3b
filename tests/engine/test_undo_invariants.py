"""What holds of every undo, whatever the model, the faults and the requests; tests/soak plays many more cases."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverstone.engine.undo.order import in_order, plan
from riverstone.models import TaskRow
from riverstone.models.rows import columns

from ..soak.cancel_race import race
from ..soak.undo_case import UndoCase

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
    steps = {step.row.id: set(step.after) for step in plan(ledger(causes, wanted), "delete")}
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
    ordered = in_order(plan(ledger(causes, wanted), "delete"))
    assert sorted(step.row.id for step in ordered) == sorted(wanted)
    seen: set[int] = set()
    for step in ordered:
        assert seen.issuperset(step.after)
        seen.add(step.row.id)


def test_a_ledger_of_ten_thousand_tasks_is_planned_quickly() -> None:
    rows = ledger({number: [number - 1] if number > 1 else [] for number in range(1, 10_001)})
    ordered = in_order(plan(rows, "delete"))
    assert [step.row.id for step in ordered] == list(range(10_000, 0, -1))


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
