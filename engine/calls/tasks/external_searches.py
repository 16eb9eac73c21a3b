"""Tasks of workers over HTTP as they are found: open ones, and those that have failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ....models import ExternalFilter, ExternalRow
from ...errors import Unknown
from ...steps.tasks.external_tasks import UnknownExternalTask
from ...store_errors import engine_errors
from ..workings import number_of
from .external_topics import ExternalTopics
from .external_views import MOST_AT_ONCE, ExternalTask, Topic, all_failed, all_shown, read_id


class ExternalSearches(ExternalTopics):
    """What of the tasks under these topics is seen."""

    def _seen(self, wanted: ExternalFilter) -> ExternalFilter:
        wanted = owned(wanted, self.owner)
        asked = wanted.topics if wanted.topics is not None else [each.topic for each in self.topics()]
        return replace(wanted, topics=[topic for topic in asked if self.may(topic)])

    def find(self, wanted: ExternalFilter, *, limit: int, offset: int = 0) -> list[ExternalTask]:
        """Open tasks, the oldest first, without their variables."""
        wanted = self._seen(wanted)
        with engine_errors():
            rows = self.facilities.external.find(wanted, limit=limit, offset=offset, by_priority=False)
        return self._shown(rows)

    def _shown(self, rows: Sequence[ExternalRow], topic: Topic | None = None) -> list[ExternalTask]:
        """The tasks of these rows, in as many turns as it takes to read their processes."""
        found: list[ExternalTask] = []
        while rows:
            part, looked_at = self._pump.step(partial(all_shown, rows=rows, topic=topic))
            found, rows = found + part, rows[looked_at:]
        return found

    def failed(self, process_instance_id: str) -> list[ExternalTask]:
        """Tasks of one process that have failed for good and stand still, without their variables."""
        try:
            number = number_of(process_instance_id, UnknownExternalTask)
            found: list[ExternalTask] = self._pump.step(lambda turn: all_failed(turn.instance(number)))
        except Unknown:
            return []
        seen = [each for each in found if self.owner is None or each.owner == self.owner]
        return [each for each in seen if self.may(each.topic)]

    def failed_one(self, task_id: str) -> ExternalTask:
        """One of these; raises UnknownExternalTask."""
        with engine_errors():
            row = self.facilities.store.task(read_id(task_id).task_id)
        for each in [] if row is None else self.failed(str(row.process_instance_id)):
            if each.id == task_id:
                return each
        raise UnknownExternalTask(task_id)

    def one(self, task_id: str) -> ExternalTask:
        """One open task without its variables; raises UnknownExternalTask."""
        wanted = read_id(task_id)
        found = self.find(ExternalFilter(task_id=wanted.task_id), limit=1)
        if not found or found[0].id != task_id:
            raise UnknownExternalTask(task_id)
        return found[0]

    def variable(self, process_instance_id: str, name: str) -> Any:
        """A variable of an open task of a process; raises UnknownExternalTask where no task that is seen has it."""
        number = number_of(process_instance_id, UnknownExternalTask)
        wanted, every = self._seen(ExternalFilter(process_instance_id=number)), Topic(name="", lock=1)
        while True:
            with engine_errors():
                rows = self.facilities.external.find(wanted, limit=MOST_AT_ONCE, by_priority=False)
            for task in self._shown(rows, every):
                if name in task.variables:
                    return task.variables[name]
            if len(rows) < MOST_AT_ONCE:
                raise UnknownExternalTask(process_instance_id)
            wanted = replace(wanted, after=(rows[-1].created, rows[-1].task_id))

    def count(self, wanted: ExternalFilter) -> int:
        """How many open tasks there are."""
        with engine_errors():
            return self.facilities.external.count(self._seen(wanted))


def owned(wanted: ExternalFilter, owner: str | None) -> ExternalFilter:
    if owner is None:
        return wanted
    owners = [owner] if wanted.owners is None or owner in wanted.owners else []
    return replace(wanted, owners=owners)
