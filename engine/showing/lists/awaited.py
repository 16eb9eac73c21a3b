"""Where process instances wait for people, events and stones, for whoever looks at a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ....models import AwaitedRow, InstanceRow, Store, SummaryRow, TaskRow, read_awaited
from ....models.vocabulary import HeldBack
from ...bpmn.running.token import ERROR
from ...clock import moment
from ...views.processes import Awaited

if TYPE_CHECKING:
    from ...instance.instance import Instance

MOST_PLACES = 20


def awaited_of(
    store: Store, rows: Iterable[InstanceRow | SummaryRow], tasks: Iterable[TaskRow] | None = None
) -> Mapping[int, tuple[Awaited, ...]]:
    """What these instances wait for, by their ids; nothing is asked for those that wait for nothing.

    ``tasks`` are all that are open of them, where they are known.
    """
    standing = [row for row in rows if row.awaits is not None and row.phase == "running"]
    if not standing:
        return {}
    numbers = [row.process_instance_id for row in standing]
    # What waits for an event alone has no open task.
    at_tasks = [row.process_instance_id for row in standing if row.awaits != "event"] if tasks is None else ()
    found = read_awaited(store, numbers, failed=ERROR, at_tasks=at_tasks)
    return _shown([*_tasks(tasks or ()), *found])


def _tasks(tasks: Iterable[TaskRow]) -> list[AwaitedRow]:
    """The places at which tasks wait for people, or for somebody who sees to their stones."""
    places: Counter[tuple[int, HeldBack | None, str, str | None]] = Counter()
    for row in tasks:
        if row.status == "stone-missing" or row.status == "suspended":
            places[row.process_instance_id, row.status, row.node, row.stone] += 1
        elif row.event == "user":
            places[row.process_instance_id, None, row.node, row.name] += 1
    return [AwaitedRow(number, kind, node, name, None, count) for (number, kind, node, name), count in places.items()]


def awaited_in(instance: Instance) -> tuple[Awaited, ...]:
    """The same of an instance in memory whose step was not committed yet."""
    if instance.row.awaits is None:
        return ()
    number, workflow = instance.number, instance.workflow
    found = _tasks(instance.tasks.open_rows())
    for token_id, waits in list(workflow.waits.items())[:MOST_PLACES]:
        name = workflow.tasks[token_id].node.name
        if token_id not in workflow.paused and not name.endswith(":listener"):
            found += [AwaitedRow(number, wait.kind, name, wait.name, wait.due, 1) for wait in waits]
    return _shown(found).get(number, ())


def _shown(rows: Iterable[AwaitedRow]) -> dict[int, tuple[Awaited, ...]]:
    found: dict[int, tuple[Awaited, ...]] = {}
    for row in rows:
        before = found.get(row.process_instance_id, ())
        if len(before) < MOST_PLACES:
            element_id = row.node.partition(":")[0]
            awaited = Awaited(
                kind=row.kind or "person", element_id=element_id, name=row.name, due=moment(row.due), count=row.places
            )
            found[row.process_instance_id] = (*before, awaited)
    return found
