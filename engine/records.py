"""Reading what the store holds of processes and tasks, as it may be shown."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..models import ContentRow, InstanceRow
from . import showing
from .errors import UnknownProcessInstance, UnknownTask
from .instance import Facilities
from .mask import Mask
from .views import Page, ProcessInstance, Task


class Records:
    """Always reads the store, never a copy in memory: what is shown is what is durable."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self.store = facilities.store
        self.stones = facilities.stones

    def _rows(self, number: int) -> tuple[InstanceRow, ContentRow]:
        row, content = self.store.instance(number), self.store.content(number)
        if row is None or content is None:
            raise UnknownProcessInstance(str(number))
        return row, content

    def _mask(self, row: InstanceRow, content: ContentRow) -> Mask | None:
        # An undo shows what its origin was started with, so it hides the same secrets.
        if row.origin is not None:
            return self._mask(*self._rows(row.origin))
        template = self.facilities.definitions.get(row.deployment_id).parameter_template
        return showing.mask_for(template, content)

    def _show(self, row: InstanceRow, content: ContentRow) -> ProcessInstance:
        outputs: dict[str, Any] = showing.outputs_of(self.store.tasks(row.process_instance_id), self.stones)
        return showing.show_instance(row, content, outputs, self._mask(row, content))

    def instance(self, number: int) -> ProcessInstance:
        """One record; raises UnknownProcessInstance."""
        return self._show(*self._rows(number))

    def instances(
        self,
        *,
        limit: int,
        before: int | None,
        status: str | None,
        key: str | None,
        name: str | None,
        owner: str | None = None,
    ) -> Page[ProcessInstance]:
        """Records, newest first, of instances with an id below ``before``."""
        rows = self.store.instances(limit=limit + 1, before=before, status=status, key=key, name=name, owner=owner)
        shown: list[ProcessInstance] = []
        for row in rows[:limit]:
            # One that was purged since the list was read is left out.
            with suppress(UnknownProcessInstance):
                shown.append(self._show(*self._rows(row.process_instance_id)))
        more = str(rows[limit - 1].process_instance_id) if len(rows) > limit else None
        return Page(items=tuple(shown), cursor=more)

    def tasks(self, number: int) -> list[Task]:
        """The tasks of one instance, oldest first; raises UnknownProcessInstance."""
        mask = self._mask(*self._rows(number))
        running = self.facilities.dispatcher.running
        rows = self.store.tasks(number)
        return [showing.show_task(row, self.stones, mask, running=running(row.id)) for row in rows]

    def task(self, number: int) -> Task:
        """One task; raises UnknownTask."""
        row = self.store.task(number)
        if row is None:
            raise UnknownTask(str(number))
        mask = self._mask(*self._rows(row.process_instance_id))
        return showing.show_task(row, self.stones, mask, running=self.facilities.dispatcher.running(number))
