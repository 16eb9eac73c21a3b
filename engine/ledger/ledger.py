"""Rows of the ledger: what the engine keeps in one, and what it says of the task.

One row stands for one execution of a stone or a person's task. It is written before the task is handed over, so
whatever may have begun has a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from ...models import Look, PutOut, TaskRow
from ...models.vocabulary import TaskKind, TaskStatus, UndoMark
from .. import jsontext
from ..bpmn.running.results import Place

AnyOutput = TypeVar("AnyOutput", bound=TaskRow | PutOut)

START: Final = "start"
COMPENSATION: Final = "compensation"
"""The kind of a row that a compensation handler of the model made: itself an undo, so no undo touches it."""
FORWARD: frozenset[TaskKind] = frozenset({START, COMPENSATION})
"""The kinds of rows that a process's own model made."""

DONE_WITH: frozenset[UndoMark] = frozenset({"undone", "retained", "never-begun"})
"""What a row's ``undo`` says when no undo will touch it again."""


HELD_BACK: frozenset[TaskStatus] = frozenset({"stone-missing", "suspended", "queued"})
"""The statuses of open rows that nobody has in hand: their stone is not there, they are not to begin, or
they wait for a slot of a quota."""


KEPT = "riverstone"
"""In a row's state, beside what its monitor keeps: what the engine keeps itself."""
_REWOUND = jsontext.dumps({KEPT: {"rewound": True}})
"""The state of a row of which nothing else is kept than that a rewind took it back, as of nearly all of these."""


def saved(row: TaskRow | Look) -> dict[str, Any]:
    """What a task's start has saved, by name."""
    found: dict[str, Any] = kept(row).get("saved", {})
    return found


def kept(row: TaskRow | Look | PutOut) -> dict[str, Any]:
    """What the engine keeps in a row.

    ``retries`` and their ``pauses``, or their ``backoff`` and ``backoff_max``, with their ``jitter``, and
    ``retry_for`` how many milliseconds; in the same words ``undo_retrying``, of what takes it back; ``begun``, how many
    first attempts ended ``unbegun``, ``handler``, ``skip`` of one that is taken back so that the process goes
    on without it, ``by_hand`` of one whose outputs somebody gave, ``rewound`` of one that a rewind took back, ``moved``
    of one that had failed when its process was moved to another version, inside of a run ``put_out``, ``late`` outputs
    with which it is to be undone once more
    (of a task of an undo: with which it does so), and what does not count: ``tried`` of the attempts, ``survived`` of
    the losses. Since when an event has been ``failing``, and how many ``looks`` of a monitor in a row have failed. Of a
    task of an undo: as which kind of undo its monitor ``watches`` what was begun. That what was gone too soon has
    ``settled`` since. The ``edited`` parameters of the next attempt, until what the last one may have made is taken
    back. What its start has ``saved``, and as what ``save`` the last of that came. The parameters that are
    ``references`` to secrets, as the model has written them. What :mod:`.deferral` keeps of a task that somebody
    outside has, and what would give its ``tokens`` away. Of which ``quota`` it has, or waits for, a slot.
    Of a worker's task of a called process: which one was ``called``.
    """
    # The state of a monitor may be long, and mostly the engine keeps nothing beside it.
    if row.state is None or KEPT not in row.state:
        return {}
    found: dict[str, Any] = jsontext.read(row.state).get(KEPT, {})
    return found


def exists(row: TaskRow) -> bool:
    """Whether the ledger says of a row that what it made is there, or cannot know, as after a start that failed."""
    begun = row.status not in ("produce.failed", "start.skipped") and row.event != "mock"
    kept = row.undo in (None, "left", "failed", "skipped", "retained")
    return row.kind == START and row.stone is not None and not row.open and begun and kept


def in_force(row: TaskRow) -> bool:
    """Whether what a row has made, or was to make, was neither taken back nor given up."""
    return not is_rewound(row) and row.undo not in ("undone", "retained", "left")


def is_rewound(row: TaskRow | PutOut) -> bool:
    """Whether a rewind took the row back; asked of all rows of a ledger, so most are not parsed for it."""
    state = row.state
    if state is None or '"rewound"' not in state:
        return False
    return state == _REWOUND or "rewound" in kept(row)


def rewind(row: TaskRow) -> None:
    """Note that a rewind takes the row back."""
    if row.state is None:
        row.state = _REWOUND
    else:
        keep(row, rewound=True)


def keep(row: TaskRow, **values: Any) -> None:
    """Keep JSON values of the engine's own in a row."""
    state = jsontext.read(row.state) if row.state else {}
    state[KEPT] = {**state.get(KEPT, {}), **values}
    row.state = jsontext.dumps(state)


def drop(row: TaskRow, *names: str) -> None:
    """Keep these no more."""
    own = kept(row)
    if any(name in own for name in names):
        state = jsontext.read(row.state or "{}")
        state[KEPT] = {name: value for name, value in own.items() if name not in names}
        row.state = jsontext.dumps({name: value for name, value in state.items() if name != KEPT or value}) or None
        row.state = None if row.state == "{}" else row.state


def forget_state(row: TaskRow) -> None:
    """Drop what the monitor kept, for an attempt that begins afresh."""
    if row.state is not None:
        own = kept(row)
        row.state = jsontext.dumps({KEPT: own}) if own else None


def monitor_state(row: TaskRow | Look) -> str | None:
    """What the monitor keeps, as JSON text, without what the engine keeps beside it."""
    return told_apart(row)[0]


def told_apart(row: TaskRow | Look) -> tuple[str | None, dict[str, Any]]:
    """What the monitor keeps, as JSON text, and what the engine keeps beside it."""
    if row.state is None or KEPT not in row.state:
        return row.state, {}
    state = jsontext.read(row.state)
    own = state.pop(KEPT, {})
    return jsontext.dumps(state) if state else None, own


def handler_in(row: TaskRow) -> dict[str, Any] | None:
    """What the ledger keeps of the compensation handler that takes back what a completed activity made."""
    if row.state is None or '"handler"' not in row.state:
        # Of many rows few have one.
        return None
    found: dict[str, Any] | None = kept(row).get("handler")
    return found


def covers(row: TaskRow) -> list[int]:
    """The ids of the rows that this row's handler takes back; without one, its own."""
    handler = handler_in(row)
    found: list[int] = [row.id] if handler is None else handler.get("covers", [row.id])
    return found


def tries(row: TaskRow) -> int:
    """How many attempts count towards the retries: none of those before somebody asked for the task again."""
    return row.attempt - int(kept(row).get("tried", 0))


def needs_somebody(row: TaskRow) -> bool:
    """Whether an open row waits for a person, or for a stone that somebody has to register or to let begin.

    What waits for a slot of a quota goes on by itself. :meth:`.Store.needs_somebody` asks the same of stored rows.
    """
    return row.stone is None or row.status in ("stone-missing", "suspended")


def miss_stone(row: TaskRow, now: int) -> None:
    """The task waits for its stone; it is nobody's, so whichever engine has the stone takes it."""
    row.status = "stone-missing"
    row.reason = f"No stone is registered for {row.stone!r}; it goes on when there is one."
    row.owner = None
    row.due = now
    row.deadline = None


def losses(row: TaskRow) -> int:
    """How often the row was lost with the engine that had it in hand, since anything was last heard of it."""
    return row.lost - int(kept(row).get("survived", 0)) if row.lost else 0


def has_begun(row: TaskRow) -> bool:
    """Whether the row may have begun before its present hand-over."""
    if row.event not in ("start", "mock") or row.lost:
        return True
    own = kept(row)
    return "begun" in own or row.attempt > 1 + int(own.get("unbegun", 0))


def awaits_begin(row: TaskRow) -> bool:
    """Whether an open row waits for its stone, a permission or a slot, and no hook of it was ever called."""
    return row.status in HELD_BACK and bool(row.open) and not has_begun(row)


def delivery(row: TaskRow) -> int:
    """Which hand-over of its present hook the row is in: what comes of an earlier one comes too late."""
    return row.lost + row.handed


def place(row: TaskRow | PutOut) -> Place:
    """The calls and runs that a row's task is inside of."""
    found: Place = jsontext.read(row.path) if row.path else ()
    return found


def put_out_as(row: TaskRow | PutOut) -> int:
    """As the how-manieth its outputs came, of those inside of runs; 0 for any other."""
    return int(kept(row).get("put_out", 0)) if row.path else 0


def in_order_of_results(rows: Iterable[AnyOutput]) -> list[AnyOutput]:
    """Those that have put out something, what is inside of runs in the order in which it came."""
    found = [
        row
        for row in rows
        if row.outputs and row.kind in FORWARD and row.status.endswith("success") and not is_rewound(row)
    ]
    return sorted(found, key=put_out_as)
