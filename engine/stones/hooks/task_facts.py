"""What a hook can know of its task: where it stands in its model and process, and which call this is."""

from __future__ import annotations

from datetime import datetime

from ...clock import moment
from ...work import ProcessFacts, Reached, Work

NO_PROCESS = ProcessFacts("", "", "", 0, None, None)


class TaskFacts:
    """A part of :class:`~riverstone.engine.TaskInfo`."""

    __slots__ = ("_work",)

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def task_id(self) -> str:
        """The task."""
        return str(self._work.task_id)

    @property
    def process_instance_id(self) -> str:
        """The process that it belongs to."""
        return str(self._work.process_instance_id)

    @property
    def namespace(self) -> str:
        """What its outputs are referred to by."""
        return self._work.namespace

    @property
    def element_id(self) -> str:
        """The id of its element in the model."""
        return self._work.element_id

    @property
    def name(self) -> str:
        """The name of that element, or nothing."""
        return self._work.name

    @property
    def process_key(self) -> str:
        """The key of the process, or of an undo that of the process which is undone; so with what follows."""
        return self._process.key

    @property
    def process_name(self) -> str:
        """What the process was called at its start."""
        return self._process.name

    @property
    def version(self) -> int:
        """The version of its model."""
        return self._process.version

    @property
    def business_key(self) -> str | None:
        """Its business key, if it was given one."""
        return self._process.business_key

    @property
    def owner(self) -> str | None:
        """Whose process it is, if anybody's."""
        return self._process.owner

    @property
    def run_number(self) -> int | None:
        """Which run of a multi-instance activity this is, from 1; None outside of one."""
        return self._work.run

    @property
    def deadline(self) -> datetime | None:
        """When this call, or a monitor as a whole, will have taken too long; None where the stone has no timeout."""
        return None if self._work.deadline is None else moment(self._work.deadline)

    @property
    def tags(self) -> dict[str, str]:
        """What a cloud can tag a thing with, so that its costs are told by process, owner and element.

        Values have 255 characters at most; what there is none of is left out.
        """
        process = self._process
        told = {
            "riverstone-process": process.id,
            "riverstone-process-key": process.key,
            "riverstone-version": str(process.version),
            "riverstone-namespace": self._work.namespace,
            "riverstone-business-key": process.business_key,
            "riverstone-owner": process.owner,
        }
        return {name: value[:255] for name, value in told.items() if value}

    @property
    def _process(self) -> ProcessFacts:
        return self._work.process or NO_PROCESS

    @property
    def event(self) -> str:
        """The hook that is called."""
        return self._work.event

    @property
    def attempt(self) -> int:
        """The number of the attempt, from 1."""
        return self._work.attempt

    @property
    def is_repeated(self) -> bool:
        """Whether an earlier call may have acted under the same key: its answer was lost, or it has failed."""
        return self._work.attempt > 1 or self._work.delivery > 0

    @property
    def phase(self) -> Reached:
        """In an undo hook, how far the task had come: ``complete``, ``partial``, ``running`` or ``unknown``."""
        return self._work.phase

    @property
    def idempotency_key(self) -> str:
        """The same for every delivery of the same attempt: hand it to the outside so that nothing is made twice."""
        return self._work.idempotency_key

    @property
    def start_key(self) -> str:
        """The key that ``start`` was given.

        In an undo hook, what was made can be found by it even if its answer was lost.
        """
        return self._work.start_key or self._work.idempotency_key
