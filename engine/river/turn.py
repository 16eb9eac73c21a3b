"""One turn of the river: the actions that share a transaction, and the instances that take part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ...models import Changes
from ..bpmn.running.unforeseen import Place
from ..bpmn.running.workflow import Workflow
from ..errors import RiverstoneError, StoreUnavailable, Unknown, UnknownProcessInstance
from ..instance.facilities import Facilities
from ..instance.instance import Instance
from ..language import effort
from ..undo.instance import load_instance
from .instances import InstanceCache

LONGEST = 0.05
"""Seconds after which a turn begins nothing more that others could come before."""
LEAST = 0.025
"""Seconds of the processor that it has in any case: on a busy machine the clock alone says little."""


class Unreadable(Exception):
    """A process cannot be read, for a reason of the engine's own: no refusal of what was asked, which may be of others.

    So its process stands still as at any other defect, and is not tried again at every wake.
    """

    def __init__(self, error: RiverstoneError) -> None:
        super().__init__(error.message)
        self.code = error.code


class Turn:
    """One transaction in the making: the instances that take part, and what follows its commit."""

    def __init__(
        self,
        facilities: Facilities,
        cache: InstanceCache,
        *,
        alone: bool = False,
        unforeseen: Mapping[int, dict[Place, str]] | None = None,
    ) -> None:
        """``alone`` is a turn of one action that could not be stepped with others.

        ``unforeseen`` tells by instance at which places it has met a defect before; see :meth:`instance_of`.
        """
        self.facilities = facilities
        self.cache = cache
        self.alone = alone
        self.changes = Changes()
        self.instances: dict[int, Instance] = {}
        self.revisions: dict[int, int] = {}
        """What was read, with the revision that it had: nothing leaves a turn unless these are compared."""
        self._unforeseen = unforeseen or {}
        self._begun: list[int] = []
        """The instances that have begun in it."""
        self._ends = time.monotonic() + LONGEST
        self._least = time.thread_time() + LEAST

    def is_over(self) -> bool:
        """Whether what could go on is left to the next turn, so that others have theirs."""
        return time.monotonic() >= self._ends and time.thread_time() >= self._least

    def act(self, action: Action) -> Any:
        """Let one action do its part, with expressions that can only look at so much."""
        effort.begin(self.facilities.limits, self.facilities.clock.now)
        try:
            return action(self)
        finally:
            effort.end()

    def instance(self, process_instance_id: int) -> Instance:
        """The instance, its copy in memory if that is kept; raises UnknownProcessInstance."""
        found = self.instances.get(process_instance_id)
        if found is None:
            found = self.cache.get(process_instance_id)
            if found is None:
                found = self._load(process_instance_id)
            else:
                self.revisions[process_instance_id] = found.row.revision
            self.join(found)
        return found

    def _load(self, process_instance_id: int) -> Instance:
        record = self.facilities.store.record(process_instance_id)
        if record is None:
            raise UnknownProcessInstance(str(process_instance_id))
        # Before the rest is read, which may be newer.
        self.revisions[process_instance_id] = record[0].revision
        try:
            return load_instance(self.facilities, *record, self.instance)
        except (Unknown, StoreUnavailable):
            raise
        except RiverstoneError as error:
            raise Unreadable(error) from error

    def only_read(self) -> dict[int, int]:
        """The revisions of instances that were read and are not written, which would compare them."""
        written = self.changes.instances
        if len(self.revisions) == len(written):
            # Whatever is written and not new was read.
            return {}
        return {number: revision for number, revision in self.revisions.items() if number not in written}

    def leave_due(self) -> None:
        """Let what is due later be nobody's, unless this engine keeps time: it may never be called again.

        Whoever is at work when it is due goes on with it, this engine too, and the commit tells who was first.
        """
        facilities, changes = self.facilities, self.changes
        if facilities.keeps_time:
            return
        for task in (*changes.new_tasks.values(), *changes.tasks.values()):
            if task.due is not None and task.owner == facilities.engine_id:
                task.owner = None
        for row in (*changes.new_instances.values(), *changes.instances.values()):
            if row.due_owner is not None and row.due_owner == facilities.engine_id:
                row.due_owner = None

    def let_go(self) -> None:
        """Part what refers to one another and is not needed any more, so that it goes without a search for rubbish."""
        for instance in self.instances.values():
            instance.part()
            if instance.row.phase == "ended" and not instance.tasks.is_read_on:
                instance.let_go()
        self.instances.clear()

    def join(self, instance: Instance) -> None:
        """Let an instance write into this transaction."""
        number = instance.row.process_instance_id
        self.instances[number] = instance
        if number not in self.revisions:
            self._begun.append(number)
        if self._unforeseen or instance.workflow.unforeseen:
            instance.workflow.unforeseen = self._unforeseen.get(self._known_as(number), {})
        instance.join(self)

    def instance_of(self, workflow: Workflow) -> int | None:
        """What tells the instance of a workflow from the others, if the turn is done once more; None of a copy.

        One that begins has another number then, so it is known by its place among these.
        """
        found = next((each for each in self.instances.values() if each.workflow is workflow), None)
        return None if found is None else self._known_as(found.row.process_instance_id)

    def _known_as(self, number: int) -> int:
        return -1 - self._begun.index(number) if number in self._begun else number


Action = Callable[[Turn], Any]
"""What one command does to the instances of a turn."""
