"""A process as a page: what it is, what it was given, what came of it, and what was done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ....engine import jsontext
from ....engine.views.processes import ProcessInstance
from ....engine.views.tasks import Task
from .screen import standing
from .table import WIDEST, columns_of, padded
from .terminal import in_runs, printable

if TYPE_CHECKING:
    from ....engine import Engine
    from ...client.client import Client

MOST = 30
"""How many values, and how many tasks, are shown; other commands show all of them."""
MOST_REASONS = 3
"""How many reasons of a failed undo."""
LONGEST = 300
"""Signs of one value."""


def process_page(engine: Engine | Client, instance: ProcessInstance) -> Iterator[str]:
    """The lines of one process; secrets are hidden as everywhere."""
    number = instance.process_instance_id
    yield printable(f"Process {number}: {instance.process_name}")
    yield from _rows(_facts(instance))
    given = json.loads(instance.process_content) if instance.process_content else {}
    yield from _part("Variables", given, f"riverstone show {number} --json")
    outputs = instance.output_values or {
        f"{namespace}.{name}": value
        for namespace, values in instance.native_output_values.items()
        for name, value in values.items()
    }
    yield from _part("Outputs", outputs, f"riverstone show {number} --json")
    yield from _tasks(engine.tasks(number, limit=MOST + 1), number)
    yield from _undo(engine, instance)


def _facts(instance: ProcessInstance) -> Iterator[tuple[str, str]]:
    told = ", ".join(standing(instance))
    yield "status", f"{instance.status}{told and f' ({told})'}"
    if instance.reason:
        yield "reason", instance.reason
    yield "key", instance.key
    yield "deployment", instance.deployment_id
    marks = {"trial run": instance.debug, "mock run": instance.mock, "protected": instance.protected}
    if any(marks.values()):
        yield "kind", ", ".join(mark for mark, holds in marks.items() if holds)
    yield "started", moment(instance.start_time)
    if instance.end_time is not None:
        seconds = (instance.end_time - instance.start_time).total_seconds()
        yield "ended", f"{moment(instance.end_time)}, after {seconds:.0f} s"
    if instance.business_key:
        yield "business key", instance.business_key
    if instance.owner:
        yield "owner", instance.owner
    if instance.origin_process_instance_id:
        yield instance.kind, f"of process {instance.origin_process_instance_id}"


def _part(title: str, values: dict[str, Any], all_of_them: str) -> Iterator[str]:
    if not values:
        return
    yield ""
    yield title
    shown = dict(list(values.items())[:MOST])
    yield from _rows((name, _value(value)) for name, value in shown.items())
    if len(values) > MOST:
        yield f"  and {len(values) - MOST} more: {all_of_them}"


def _tasks(tasks: Sequence[Task], number: str) -> Iterator[str]:
    if not tasks:
        return
    yield ""
    yield "Tasks"
    for task in tasks[:MOST]:
        undone = f", {task.undo}" if task.undo else ""
        reason = f": {task.reason}" if task.reason else ""
        name = in_runs(task.name, task.runs)
        yield printable(f"  {task.task_id:>8}  {task.status + undone:<24}  {name}{reason}")
    if len(tasks) > MOST:
        yield f"  and more: riverstone tasks {number}"


def _undo(engine: Engine | Client, instance: ProcessInstance) -> Iterator[str]:
    made = {
        "rollback": instance.rollback_process_instance_id,
        "cancel": instance.cancel_process_instance_id,
        "delete": instance.delete_process_instance_id,
        "rewind": instance.rewind_process_instance_id,
    }
    shown = [(kind, _came_to(engine, undo)) for kind, undo in made.items() if undo is not None]
    if shown:
        yield ""
        yield "Undone by"
        yield from _rows(iter(shown))


def _came_to(engine: Engine | Client, undo: str) -> str:
    """How an undo stands, and why where it has failed."""
    status = engine.get(undo).status
    if not status.endswith("failed"):
        return f"{undo}, {status}"
    failed = engine.tasks(undo, state="failed", limit=MOST_REASONS)
    why = "; ".join(f"task {task.origin_task_id or task.task_id}: {task.reason}" for task in failed if task.reason)
    return f"{undo}, {status}{why and f' ({why})'}"


def _rows(facts: Iterator[tuple[str, str]]) -> Iterator[str]:
    listed = list(facts)
    width = min(WIDEST, max(columns_of(name) for name, _ in listed))
    return (f"  {padded(printable(name), width)}  {printable(told)}" for name, told in listed)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else jsontext.dumps(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} signs)"


def moment(time: datetime) -> str:
    """A time of the local zone, which it names."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z").rstrip()
