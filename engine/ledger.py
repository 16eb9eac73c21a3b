"""Rows of the ledger: what the engine keeps in one, and what it says of the task.

One row stands for one execution of a stone or a person's task. It is written before the task is handed over, so
whatever may have begun has a row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ..models import TaskRow
from . import jsontext
from .perform import MOST_LOG_LINES, Outcome

START: Final = "start"
COMPENSATION: Final = "compensation"
"""The kind of a row that a compensation handler of the model made: itself an undo, so no undo touches it."""
FORWARD = frozenset({START, COMPENSATION})
"""The kinds of rows that a process's own model made."""

DONE_WITH = frozenset({"undone", "retained", "never-begun"})
"""What a row's ``undo`` says when no undo will touch it again."""

PHASES = {
    "start.success": "complete",
    "monitor.success": "complete",
    "canceled": "running",
    "unknown": "unknown",
}
"""What an undo hook is told about its task, by the status with which that ended; else ``partial``."""

_KEPT = "riverstone"
"""In a row's state, beside what its monitor keeps: what the engine keeps itself."""


def kept(row: TaskRow) -> dict[str, Any]:
    """What the engine keeps in a row: ``retries``, ``tried`` (attempts that do not count), ``begun``, ``handler``."""
    if row.state is None:
        return {}
    found: dict[str, Any] = json.loads(row.state).get(_KEPT, {})
    return found


def keep(row: TaskRow, **values: Any) -> None:
    """Keep JSON values of the engine's own in a row."""
    state = json.loads(row.state) if row.state else {}
    state[_KEPT] = {**state.get(_KEPT, {}), **values}
    row.state = jsontext.dumps(state)


def forget_state(row: TaskRow) -> None:
    """Drop what the monitor kept, for an attempt that begins afresh."""
    if row.state is not None:
        own = kept(row)
        row.state = jsontext.dumps({_KEPT: own}) if own else None


def monitor_state(row: TaskRow) -> str | None:
    """What the monitor keeps, as JSON text, without what the engine keeps beside it."""
    if row.state is None or _KEPT not in row.state:
        return row.state
    state = json.loads(row.state)
    state.pop(_KEPT, None)
    return jsontext.dumps(state) if state else None


def tries(row: TaskRow) -> int:
    """How many attempts count towards the retries: none of those before somebody asked for the task again."""
    return row.attempt - int(kept(row).get("tried", 0))


def after(row: TaskRow) -> list[int]:
    """The ids of the rows that this one causally followed."""
    found: list[int] = json.loads(row.after) if row.after else []
    return found


def enter(row: TaskRow, outcome: Outcome) -> None:
    """Add what an event has brought, whatever it came to."""
    if outcome.outputs:
        before = json.loads(row.outputs) if row.outputs else {}
        row.outputs = jsontext.dumps({**before, **outcome.outputs})
    if outcome.progress is not None:
        row.progress = outcome.progress
    if outcome.log:
        _log(row, outcome.log)
    if outcome.state is not None:
        own = kept(row)
        row.state = jsontext.dumps({**outcome.state, _KEPT: own} if own else {**outcome.state})
    row.reason = outcome.reason


def enter_late(row: TaskRow, outputs: Mapping[str, Any]) -> bool:
    """Add outputs that came after the row had ended or gone on; whether they said anything new."""
    before = json.loads(row.outputs) if row.outputs else {}
    if outputs.keys() <= before.keys():
        return False
    row.outputs = jsontext.dumps({**outputs, **before})
    gone = " after the task was taken back: what it names may still exist" if row.undo == "undone" else ""
    _log(row, (f"A late result was recorded{gone}.",))
    return True


def _log(row: TaskRow, lines: tuple[str, ...]) -> None:
    before = json.loads(row.log) if row.log else []
    row.log = jsontext.dumps([*before, *lines][-MOST_LOG_LINES:])
