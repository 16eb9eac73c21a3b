"""Why process instances stand still, for whoever looks at a list: the first of what has failed in each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ....models import Store, SummaryRow, read_first_failures, read_told
from ... import jsontext
from ...bpmn.running.token import ERROR
from ...bpmn.running.token_data import TASK


def first_failures(store: Store, rows: Iterable[SummaryRow]) -> Mapping[int, str]:
    """The reasons, not masked yet, by the ids of the instances in which something waits for a decision."""
    numbers = [row.process_instance_id for row in rows if row.attention and row.phase != "ended"]
    if not numbers:
        return {}
    tokens = read_first_failures(store, numbers, failed=ERROR)
    internal = {row.process_instance_id: jsontext.read(row.internal) if row.internal else {} for row in tokens}
    told = read_told(store, [data[TASK] for data in internal.values() if TASK in data])
    found: dict[int, str] = {}
    for number, data in internal.items():
        task = told.get(data.get(TASK, 0))
        reason = task.reason if task is not None and task.status.endswith("failed") else None
        found[number] = reason or data.get("failed", "")
    return found
