"""Rows of the ledger: what the engine keeps in one, and what it says of the task.

One row stands for one execution of a stone or a person's task. It is written before the task is handed over, so
whatever may have begun has a row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from ...models import InstanceRow, Look, PutOut, TaskRow
from ...models.vocabulary import UNDO_KINDS, UNDO_MONITORS, TaskKind, TaskStatus, UndoKind, UndoMark
from .. import jsontext
from ..bpmn.running.results import Place, calls_in
from ..work import MOST_LOG_LINES, LiveLines, Outcome, ProcessFacts, Reached, Work, last_lines

AnyOutput = TypeVar("AnyOutput", bound=TaskRow | PutOut)

START: Final = "start"
COMPENSATION: Final = "compensation"
"""The kind of a row that a compensation handler of the model made: itself an undo, so no undo touches it."""
FORWARD: frozenset[TaskKind] = frozenset({START, COMPENSATION})
"""The kinds of rows that a process's own model made."""

DONE_WITH: frozenset[UndoMark] = frozenset({"undone", "retained", "never-begun"})
"""What a row's ``undo`` says when no undo will touch it again."""

PHASES: Mapping[TaskStatus, Reached] = {
    "start.success": "complete",
    "monitor.success": "complete",
    "canceled": "running",
    "unknown": "unknown",
}
"""The ``phase`` that an undo hook is given, by the status with which its task ended; else ``partial``."""

HELD_BACK: frozenset[TaskStatus] = frozenset({"stone-missing", "suspended", "queued"})
"""The statuses of open rows that nobody has in hand: their stone is not there, they are not to begin, or
they wait for a slot of a quota."""

LONG_AFTER = 128
"""Characters from which on what a row followed is said once for all that followed the same."""

FAR_OFF = 30_000
"""Milliseconds until a monitor's next poll from which on it is put off to a full second, so that many come together."""

_KEPT = "riverstone"
"""In a row's state, beside what its monitor keeps: what the engine keeps itself."""
_REWOUND = jsontext.dumps({_KEPT: {"rewound": True}})
"""The state of a row of which nothing else is kept than that a rewind took it back, as of nearly all of these."""


def work_of(
    row: TaskRow, instance: InstanceRow, version: int, target: TaskRow | None = None, origin: InstanceRow | None = None
) -> Work:
    """The present hook of a task as plain data, for whoever calls it.

    ``target`` is the row that it undoes, if any, and ``origin`` the instance of that; ``version`` is the model's.
    """
    outputs = row.outputs
    phase: Reached = "running"
    state, own = _told_apart(row)
    watches: UndoKind | None = own.get("watches") if row.event == "monitor" else None
    key = start_key = f"{instance.id}-{row.id}-{row.generation}"
    if target is not None and origin is not None:
        phase = PHASES.get(target.status, "partial")
        if row.event in UNDO_KINDS or watches is not None:
            outputs = target.outputs
            if more := own.get("late"):
                outputs = jsontext.dumps({**(jsontext.read(outputs) if outputs else {}), **more})
            start_key = f"{origin.id}-{target.id}-{target.generation}"
    elif row.event in UNDO_KINDS:
        key = f"{key}-{row.event}"
        phase = "partial"
    # By position, in the order of the record: keywords would add 1.5 % to the cost of a step.
    work = Work(
        row.id,
        row.process_instance_id,
        row.stone or "",
        row.event,
        row.attempt,
        key,
        row.namespace,
        row.node,
        row.parameters,
        outputs,
        state,
        phase,
        row.name or "",
        start_key,
        row.progress if row.status == "monitor.begin" else -1,
        row.lost + row.handed,
        instance.trace,
    )
    if watches is not None:
        work.hook = UNDO_MONITORS[watches]
    if values := own.get("saved") if target is None or row.event == "start" else saved(target):
        work.saved = jsontext.dumps(values)
    if references := own.get("references"):
        work.references = tuple(references)
    of = instance if origin is None else origin
    work.process = ProcessFacts(of.id, of.key, of.name, version, of.business_key, of.owner_name)
    work.run, work.deadline = row.run, row.deadline
    return work


def work_of_monitor(monitor: Look) -> Work:
    """The next poll of a monitor that was polled before, as :func:`work_of` would tell it."""
    key = f"{monitor.instance_id}-{monitor.id}-{monitor.generation}"
    state, own = _told_apart(monitor)
    work = Work(
        monitor.id,
        monitor.process_instance_id,
        monitor.stone or "",
        "monitor",
        monitor.attempt,
        key,
        monitor.namespace,
        monitor.node,
        monitor.parameters,
        monitor.outputs,
        state,
        "running",
        monitor.name or "",
        key,
        monitor.progress,
        monitor.lost + monitor.handed,
        monitor.trace,
    )
    if values := own.get("saved"):
        work.saved = jsontext.dumps(values)
    work.references = tuple(own.get("references", ()))
    work.process = ProcessFacts(
        monitor.instance_id,
        monitor.key,
        monitor.process_name,
        monitor.version,
        monitor.business_key,
        monitor.owner_name,
    )
    work.run, work.deadline = monitor.run, monitor.deadline
    return work


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
    if row.state is None or _KEPT not in row.state:
        return {}
    found: dict[str, Any] = jsontext.read(row.state).get(_KEPT, {})
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
    state[_KEPT] = {**state.get(_KEPT, {}), **values}
    row.state = jsontext.dumps(state)


def drop(row: TaskRow, *names: str) -> None:
    """Keep these no more."""
    own = kept(row)
    if any(name in own for name in names):
        state = jsontext.read(row.state or "{}")
        state[_KEPT] = {name: value for name, value in own.items() if name not in names}
        row.state = jsontext.dumps({name: value for name, value in state.items() if name != _KEPT or value}) or None
        row.state = None if row.state == "{}" else row.state


def forget_state(row: TaskRow) -> None:
    """Drop what the monitor kept, for an attempt that begins afresh."""
    if row.state is not None:
        own = kept(row)
        row.state = jsontext.dumps({_KEPT: own}) if own else None


def monitor_state(row: TaskRow | Look) -> str | None:
    """What the monitor keeps, as JSON text, without what the engine keeps beside it."""
    return _told_apart(row)[0]


def _told_apart(row: TaskRow | Look) -> tuple[str | None, dict[str, Any]]:
    """What the monitor keeps, as JSON text, and what the engine keeps beside it."""
    if row.state is None or _KEPT not in row.state:
        return row.state, {}
    state = jsontext.read(row.state)
    own = state.pop(_KEPT, {})
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


def after(row: TaskRow, tasks: Mapping[int, TaskRow]) -> list[int]:
    """The ids of the rows that this one, of such a ledger, causally followed."""
    text = after_text(row, tasks)
    if not text:
        return []
    if (alone := text[1:-1]).isdecimal():
        # As nearly all rows have.
        return [int(alone)]
    found: list[int] = jsontext.read(text)
    return found


def after_text(row: TaskRow, tasks: Mapping[int, TaskRow]) -> str | None:
    """The same as the JSON of a list. Where many rows followed the same many others, all but one name that one row."""
    text = row.after
    return tasks[int(text)].after if text and text[0] != "[" else text


def said_last(rows: Collection[TaskRow], tasks: Mapping[int, TaskRow]) -> tuple[tuple[int, ...], str]:
    """What the last of these rows followed that followed many, and how another row says the same."""
    for row in reversed([*rows]):
        text = row.after or ""
        if len(text) >= LONG_AFTER or (text and text[0] != "["):
            return tuple(after(row, tasks)), str(row.id) if text[0] == "[" else text
    return (), ""


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


def made_inside(
    tasks: Mapping[int, TaskRow],
    last: Iterable[int],
    names: Collection[str],
    calls: Sequence[str],
    path: list[str],
    *,
    since: int,
) -> list[TaskRow]:
    """The rows that one execution of an activity made, from the last ones back to where it began.

    ``names`` are the ids of the activity and of the nodes inside, ``calls`` the namespaces of the call activities
    among them, ``path`` those of the calls that it is itself inside of, and ``since`` is the activity's own token:
    those of an earlier turn are older.
    """
    found: dict[int, TaskRow] = {}
    followed: set[str | None] = set()
    pending = list(last)
    while pending:
        row = tasks.get(pending.pop())
        if row is None or row.id in found or row.token < since:
            continue
        called_in = calls_in(place(row))
        if called_in[: len(path)] != path:
            continue
        called = called_in[len(path)].rstrip("0123456789") if len(called_in) > len(path) else None
        if row.node in names if called is None else any(call.rstrip("0123456789") == called for call in calls):
            found[row.id] = row
            text = after_text(row, tasks)
            if text not in followed:
                followed.add(text)
                pending.extend(after(row, tasks))
    return list(found.values())


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
        own = kept(row)
        row.state = jsontext.dumps({**outcome.state, _KEPT: own} if own else {**outcome.state})
    row.reason = outcome.reason


def enter_late(row: TaskRow, outputs: Mapping[str, Any], *, first: bool, again: bool) -> bool:
    """Add outputs that came after the row had ended or gone on; whether they said anything new.

    Those that say something else than what is there, if this is the ``first`` that is heard of them, or that come while
    the next attempt is in hand, are kept beside it for an undo of their own; ``again`` has that done whatever they say,
    since the undo that was called did not know them.
    """
    before = jsontext.read(row.outputs) if row.outputs else {}
    kept_late: list[tuple[dict[str, Any], bool]] = kept(row).get("late", [])
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
        keep(row, late=[*kept_late, (dict(outputs), again)])
    return said


def late(row: TaskRow) -> list[tuple[dict[str, Any], bool]]:
    """The late outputs for which the undo of a row is to be called once more, each with whether it is in any case."""
    found = kept(row).get("late", ())
    outputs = jsontext.read(row.outputs) if found and row.outputs else {}
    # A delivery that was lost may have told the same as the one after it.
    return [(each, again) for each, again in found if again or not each.items() <= outputs.items()]


def take_late(row: TaskRow) -> dict[str, Any]:
    """The first of these, which are then one fewer; empty without."""
    found = late(row)
    if not found:
        return {}
    keep(row, late=found[1:])
    return found[0][0]


def log_live(row: TaskRow, told: LiveLines) -> bool:
    """Keep what a running hook has logged so far beside the log; whether there is anything new."""
    of = [told.attempt, told.event, told.delivery]
    live = kept(row).get("live")
    if live is not None and live["of"] != of:
        # Whoever had the task is lost, and no outcome tells these lines.
        log(row, tuple(live["lines"]))
        live = None
    before, after = ([], 0) if live is None else (live["lines"], live["next"])
    new = told.lines[max(0, after - told.first) :]
    if new:
        lines = last_lines([*before, *new])
        keep(row, live={"of": of, "next": told.first + len(told.lines), "lines": lines})
    return bool(new)


def _end_live(row: TaskRow, outcome: Outcome) -> None:
    """The outcome's lines take the place of those that its hook has told before."""
    live = kept(row).get("live")
    if live is None:
        return
    if not outcome.log or live["of"] != [outcome.attempt, outcome.event, outcome.delivery]:
        log(row, tuple(live["lines"]))
    drop(row, "live")


def logged(row: TaskRow) -> tuple[str, ...]:
    """The log of a task, with what its running hook has told."""
    lines = jsontext.read(row.log) if row.log else []
    live = kept(row).get("live")
    return tuple(lines) if live is None else tuple([*lines, *live["lines"]][-MOST_LOG_LINES:])


def log(row: TaskRow, lines: tuple[str, ...]) -> None:
    """Add lines to what is kept of the task's log."""
    before = jsontext.read(row.log) if row.log else []
    row.log = jsontext.dumps([*before, *lines][-MOST_LOG_LINES:])
