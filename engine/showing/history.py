"""What happened in one process, from its rows and from what was noted beside them, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from ...models import DecisionMadeRow, HistoryRow, InstanceRow, TaskRow
from .. import jsontext
from ..clock import moment
from ..ledger.secrets import names_in, names_put_out
from ..mask import Mask
from ..stones.declarations.parameters import masked
from ..stones.registry import Stones
from ..views.history import HistoryEntry, HistoryKind

RANKS: Final[Mapping[HistoryKind, int]] = {kind: rank for rank, kind in enumerate(get_args(HistoryKind))}

Told = tuple[int, HistoryKind, dict[str, Any]]
"""When, what, and the rest by the names of the view."""


def history_of(
    row: InstanceRow,
    tasks: Sequence[TaskRow],
    undos: Iterable[InstanceRow],
    decisions: Iterable[DecisionMadeRow],
    notes: Iterable[HistoryRow],
    stones: Stones,
    mask: Mask | None,
) -> list[HistoryEntry]:
    """All entries of one instance; ``undos`` are its own, rewinds among them."""
    known = {task.id: task for task in tasks}
    noted = [_noted(entry, known) for each in notes for entry in jsontext.read(each.entries)]
    told = list(_of_instance(row, undos))
    begun = any(kind == "started" for _, kind, _ in noted)
    if not begun:
        told.append((row.started, "started", {"name": row.name}))
    for task in tasks:
        told += _of_task(task, stones)
    for made in decisions:
        about = {"name": made.decision_name, "element_id": made.node}
        told.append((made.made, "decision", about))
    _give_parameters([*noted, *told], known, stones)
    told.sort(key=_order)
    return [_shown(*each, mask) for each in _merged(noted, told)]


def _order(told: Told) -> tuple[int, int, int, bool]:
    """By time; in one millisecond by kind, but task after task."""
    when, kind, rest = told
    of_task = kind == "attempt"
    return when, RANKS["task" if of_task else kind], int(rest.get("task_id") or 0), of_task


def _merged(noted: Sequence[Told], told: Sequence[Told]) -> Iterator[Told]:
    """Both in order of time; what was noted stays as it was written, also within a millisecond.

    But for attempts, which are noted when the next one is asked for: that may be long after they have ended.
    """
    ahead = 0
    for each in _with_attempts_in_time(noted):
        while ahead < len(told) and _order(told[ahead]) < _order(each):
            yield told[ahead]
            ahead += 1
        yield each
    yield from told[ahead:]


def _with_attempts_in_time(noted: Sequence[Told]) -> list[Told]:
    placed: list[tuple[int, Told]] = []
    latest = 0
    for each in noted:
        when, kind, _ = each
        if kind != "attempt":
            when = latest = max(latest, when)
        placed.append((when, each))
    return [each for _, each in sorted(placed, key=lambda place: place[0])]


def _of_instance(row: InstanceRow, undos: Iterable[InstanceRow]) -> Iterator[Told]:
    if row.ended is not None:
        status = row.outcome or row.status
        yield row.ended, "ended", {"status": status, "reason": row.reason}
    for undo in undos:
        about = {"undo": undo.kind, "process_instance_id": str(undo.process_instance_id)}
        yield undo.started, "undo", about
        if undo.ended is not None:
            yield undo.ended, "undo-ended", {**about, "status": undo.status, "reason": undo.reason}


def _of_task(task: TaskRow, stones: Stones) -> Iterator[Told]:
    about = _about(task)
    yield task.created, "task", about
    if task.ended is not None:
        outputs = masked(jsontext.read(task.outputs), names_put_out(task, stones)) if task.outputs else None
        yield (
            task.ended,
            "attempt",
            {**about, "attempt": task.attempt, "status": task.status, "reason": task.reason, "outputs": outputs},
        )


def _about(task: TaskRow) -> dict[str, Any]:
    return {
        "task_id": str(task.id),
        "element_id": task.node.partition(":")[0],
        "name": task.name or task.node,
        "stone": task.stone,
    }


def _noted(entry: dict[str, Any], tasks: Mapping[int, TaskRow]) -> Told:
    """One entry as it was written, with what the task's row tells of it."""
    when, kind = entry.pop("at"), entry.pop("kind")
    if kind not in get_args(HistoryKind):
        # Written by a later version.
        kind = "action"
    told: dict[str, Any] = {}
    if (task := tasks.get(entry.get("task", 0))) is not None:
        told = _about(task)
    for name, value in entry.items():
        if (field := FIELDS.get(name, name)) in KNOWN:
            told[field] = str(value) if field in ("task_id", "process_instance_id") else value
    return when, kind, told


FIELDS: Final = {"task": "task_id", "element": "element_id", "values": "variables", "process": "process_instance_id"}
KNOWN: Final = frozenset(HistoryEntry.__slots__)


def _give_parameters(told: Iterable[Told], tasks: Mapping[int, TaskRow], stones: Stones) -> None:
    """Give each attempt the parameters that it had: they are written where the next one has others."""
    later: dict[str, Any] = {}
    attempts = [rest for _, kind, rest in told if kind == "attempt" and "task_id" in rest]
    for rest in sorted(attempts, key=lambda rest: rest["attempt"], reverse=True):
        task = tasks.get(int(rest["task_id"]))
        if task is None or task.stone is None:
            continue
        if "parameters" in rest:
            later[rest["task_id"]] = rest["parameters"]
        elif rest["task_id"] not in later:
            later[rest["task_id"]] = masked(jsontext.read(task.parameters), names_in(task, stones)[0])
        rest["parameters"] = later[rest["task_id"]]


def _shown(when: int, kind: HistoryKind, rest: dict[str, Any], mask: Mask | None) -> HistoryEntry:
    if mask is not None:
        rest = {name: mask.mask_value(value) for name, value in rest.items()}
    if "retained" in rest:
        rest["retained"] = tuple(rest["retained"])
    return HistoryEntry(time=moment(when), kind=kind, **rest)
