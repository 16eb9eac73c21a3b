"""The tasks of a process counted by element and state, for pages that cannot show each of thousands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ....models import Store
from ....models.search.task_counts import TaskLine, read_task_lines
from ....models.vocabulary import TaskStatus
from ... import jsontext
from ...bpmn.running.results import calls_in
from ...mask import Mask
from ...views.tasks import TaskCount
from ..masked_views import SHOWN_UNDO, status_of


@dataclass(slots=True)
class _Alike:
    """Tasks of one element in one state."""

    first: TaskLine
    status: TaskStatus
    calls: tuple[str, ...]
    place: int
    count: int = 0
    progress: int = 0
    begins: bool = False
    followed: set[str] = field(default_factory=set)
    """What they followed, as the ledger has it: ids, or of a row that followed the same."""


def count_tasks(
    store: Store, process_instance_id: int, mask: Callable[[], Mask | None], running: Callable[[int], bool]
) -> list[TaskCount]:
    """The counts, by the first task of each; ``running`` tells whether a hook is being carried out here.

    What hides secrets is asked for when all was read.
    """
    found: dict[tuple[object, ...], _Alike] = {}
    by_task: dict[int, int] = {}
    lists: dict[int, str | None] = {}
    calls: dict[str | None, tuple[str, ...]] = {None: ()}
    for part in read_task_lines(store, process_instance_id):
        for line in part:
            if line.path not in calls:
                calls[line.path] = tuple(calls_in(jsontext.read(line.path or "[]")))
            status = status_of(line, running=bool(line.open) and running(line.id))
            undo = None if line.undo is None else SHOWN_UNDO.get(line.undo)
            key = (line.node, calls[line.path], line.stone, line.kind, status, line.open, undo)
            alike = found.get(key)
            if alike is None:
                alike = found[key] = _Alike(line, status, calls[line.path], len(found))
            alike.count += 1
            alike.progress += line.progress
            by_task[line.id] = alike.place
            lists[line.id] = line.after
            if line.after:
                alike.followed.add(line.after)
            else:
                alike.begins = True
        # Others get the interpreter between two parts, however many there are.
        time.sleep(0)
    places: dict[str, frozenset[int]] = {}
    for text in {text for alike in found.values() for text in alike.followed}:
        ids = jsontext.read(text if text[0] == "[" else lists.get(int(text)) or "[]")
        places[text] = frozenset(by_task[each] for each in ids if each in by_task)
    hides = mask()
    return [_shown(alike, places, hides) for alike in found.values()]


def _shown(alike: _Alike, places: dict[str, frozenset[int]], mask: Mask | None) -> TaskCount:
    first, stone = alike.first, alike.first.stone
    return TaskCount(
        element_id=first.node,
        calls=alike.calls,
        name=first.name or first.node,
        stone=stone if stone is None or mask is None else mask.mask_text(stone),
        kind=first.kind,
        status=alike.status,
        open=bool(first.open),
        undo=None if first.undo is None else SHOWN_UNDO.get(first.undo),
        count=alike.count,
        progress=alike.progress // alike.count,
        first_task_id=str(first.id),
        after=tuple(sorted(set().union(*(places[text] for text in alike.followed)))),
        begins=alike.begins,
    )
