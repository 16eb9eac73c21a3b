"""What a row of the ledger causally followed, said once for all that followed the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ...models import TaskRow
from .. import jsontext
from ..bpmn.running.results import calls_in
from . import ledger

LONG_AFTER = 128
"""Characters from which on what a row followed is said once for all that followed the same."""


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
        called_in = calls_in(ledger.place(row))
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
