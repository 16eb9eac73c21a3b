"""What tasks causally followed, said once for many that followed the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from ...engine.views.tasks import Task
from ...engine.views.undo import UndoStep

Following = TypeVar("Following", Task, UndoStep)
MOST_REPEATED = 50
"""Ids in ``after`` that are repeated for each of many that follow the same."""


def said_once(items: Sequence[Following]) -> list[Following]:
    """The items; those that followed the same many others name the first of them: n + m ids, not n times m."""
    first: dict[tuple[str, ...], str] = {}
    known: dict[int, str] = {}
    shown: list[Following] = []
    for item in items:
        if len(item.after) > MOST_REPEATED:
            # The engine has made each such tuple once, so that they need not be compared.
            as_that = known.get(id(item.after)) or first.setdefault(item.after, item.task_id)
            known[id(item.after)] = as_that
            if as_that != item.task_id:
                item = replace(item, after=(), after_as=as_that)
        shown.append(item)
    return shown


def said_by_each(items: Iterable[Following]) -> list[Following]:
    """The opposite: what :func:`said_once` has left out is there again."""
    after: dict[str, tuple[str, ...]] = {}
    found: list[Following] = []
    for item in items:
        if item.after_as is not None:
            item = replace(item, after=after.get(item.after_as, ()), after_as=None)
        after[item.task_id] = item.after
        found.append(item)
    return found
