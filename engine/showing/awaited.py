"""Where process instances wait for people and events, for whoever looks at a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...models import AwaitedRow, InstanceRow, Store, read_awaited
from ..bpmn.running.token import ERROR
from ..clock import moment
from ..views.processes import Awaited

if TYPE_CHECKING:
    from ..instance.instance import Instance

MOST_PLACES = 20


def awaited_of(store: Store, rows: Iterable[InstanceRow]) -> Mapping[int, tuple[Awaited, ...]]:
    """What these instances wait for, by their ids; nothing is asked for those that wait for nothing."""
    numbers = [row.process_instance_id for row in rows if row.awaits is not None and row.phase == "running"]
    return _shown(read_awaited(store, numbers, failed=ERROR))


def awaited_in(instance: Instance) -> tuple[Awaited, ...]:
    """The same of an instance in memory whose step was not committed yet."""
    if instance.row.awaits is None:
        return ()
    number, workflow = instance.number, instance.workflow
    tasks = [row for row in instance.tasks.values() if row.open and row.event == "user"]
    found = [AwaitedRow(number, None, row.node, row.name, None, 1) for row in tasks]
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
