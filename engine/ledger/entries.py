"""What a hook has brought, entered into its row of the ledger: at its end, while it runs, or too late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models import TaskRow
from .. import jsontext
from ..work import MOST_LOG_LINES, LiveLines, Outcome, last_lines
from . import ledger

FAR_OFF = 30_000
"""Milliseconds until a monitor's next poll from which on it is put off to a full second, so that many come together."""


def next_poll(seconds: float, now: int) -> int:
    """When a monitor that is polled every so many seconds is polled next, in milliseconds since 1970."""
    interval = round(seconds * 1000)
    due = now + interval
    return due if interval < FAR_OFF else -(-due // 1000) * 1000


def enter(row: TaskRow, outcome: Outcome) -> None:
    """Add what a hook has brought, whatever it came to."""
    if outcome.outputs:
        before = jsontext.read(row.outputs) if row.outputs else {}
        row.outputs = jsontext.dumps({**before, **outcome.outputs})
    if outcome.progress is not None:
        row.progress = outcome.progress
    _end_live(row, outcome)
    if outcome.log:
        log(row, outcome.log)
    if outcome.state is not None:
        own = ledger.kept(row)
        row.state = jsontext.dumps({**outcome.state, ledger.KEPT: own} if own else {**outcome.state})
    row.reason = outcome.reason


def enter_late(row: TaskRow, outputs: Mapping[str, Any], *, first: bool, again: bool) -> bool:
    """Add outputs that came after the row had ended or gone on; whether they said anything new.

    Those that say something else than what is there, if this is the ``first`` that is heard of them, or that come while
    the next attempt is in hand, are kept beside it for an undo of their own; ``again`` has that done whatever they say,
    since the undo that was called did not know them.
    """
    before = jsontext.read(row.outputs) if row.outputs else {}
    kept_late: list[tuple[dict[str, Any], bool]] = ledger.kept(row).get("late", [])
    other = [name for name, value in outputs.items() if first and name in before and before[name] != value]
    known = dict(outputs) in [each for each, _ in kept_late]
    said = not known and (bool(other) or not outputs.keys() <= before.keys())
    if said:
        told = f", with another {', '.join(other)}" if other else ""
        log(row, (f"A late result was recorded{told}.",))
        if not row.open:
            row.outputs = jsontext.dumps({**outputs, **before})
    if again:
        log(row, ("Its hook ended after its undo was called, which is therefore called once more.",))
    if again or (said and (other or row.open)):
        ledger.keep(row, late=[*kept_late, (dict(outputs), again)])
    return said


def late(row: TaskRow) -> list[tuple[dict[str, Any], bool]]:
    """The late outputs for which the undo of a row is to be called once more, each with whether it is in any case."""
    found = ledger.kept(row).get("late", ())
    outputs = jsontext.read(row.outputs) if found and row.outputs else {}
    # A delivery that was lost may have told the same as the one after it.
    return [(each, again) for each, again in found if again or not each.items() <= outputs.items()]


def take_late(row: TaskRow) -> dict[str, Any]:
    """The first of these, which are then one fewer; empty without."""
    found = late(row)
    if not found:
        return {}
    ledger.keep(row, late=found[1:])
    return found[0][0]


def log_live(row: TaskRow, told: LiveLines) -> bool:
    """Keep what a running hook has logged so far beside the log; whether there is anything new."""
    of = [told.attempt, told.event, told.delivery]
    live = ledger.kept(row).get("live")
    if live is not None and live["of"] != of:
        # Whoever had the task is lost, and no outcome tells these lines.
        log(row, tuple(live["lines"]))
        live = None
    before, after = ([], 0) if live is None else (live["lines"], live["next"])
    new = told.lines[max(0, after - told.first) :]
    if new:
        lines = last_lines([*before, *new])
        ledger.keep(row, live={"of": of, "next": told.first + len(told.lines), "lines": lines})
    return bool(new)


def _end_live(row: TaskRow, outcome: Outcome) -> None:
    """The outcome's lines take the place of those that its hook has told before."""
    live = ledger.kept(row).get("live")
    if live is None:
        return
    if not outcome.log or live["of"] != [outcome.attempt, outcome.event, outcome.delivery]:
        log(row, tuple(live["lines"]))
    ledger.drop(row, "live")


def logged(row: TaskRow) -> tuple[str, ...]:
    """The log of a task, with what its running hook has told."""
    lines = jsontext.read(row.log) if row.log else []
    live = ledger.kept(row).get("live")
    return tuple(lines) if live is None else tuple([*lines, *live["lines"]][-MOST_LOG_LINES:])


def log(row: TaskRow, lines: tuple[str, ...]) -> None:
    """Add lines to what is kept of the task's log."""
    before = jsontext.read(row.log) if row.log else []
    row.log = jsontext.dumps([*before, *lines][-MOST_LOG_LINES:])
