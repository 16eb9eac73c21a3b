"""Slots of quotas for whole processes: one whose key has a quota begins when it has got one, and keeps it to its end.

They are counted like those of tasks (:mod:`.tasks.quota_slots`): the row of a slot bears the process's own number in
place of a task's, since both are drawn from one sequence. A process that waits is ``queued``: it stands at its
beginning.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...models import Changes, InstanceRow, QuotaClaim, QuotaSlotRow
from ..errors import Invalid
from ..stones.quota import Quota
from .facilities import Facilities
from .flags import Flags
from .instance import OTHERS_LATER, Instance
from .tasks import quota_slots

PREFIX = "process:"
"""Before the key in the name of a quota, so that none of a stone is meant."""


def check(quotas: Mapping[str, Quota]) -> None:
    """Raise Invalid for quotas of keys that share a name and say different numbers."""
    named: dict[str, tuple[str, Quota]] = {}
    for key, quota in quotas.items():
        if not isinstance(quota, Quota):
            raise Invalid(f"The quota of the key {key!r} is {quota!r}: give a Quota.", code="quota-invalid")
        other, known = named.setdefault(quota.name, (key, quota)) if quota.name is not None else (key, quota)
        if known != quota:
            text = f"The keys {other!r} and {key!r} share the quota {quota.name!r}: give both the same numbers."
            raise Invalid(text, code="quota-invalid")


def queue(instance: Instance) -> None:
    """Let a process that begins wait for a slot, if its key has a quota; one that is suspended asks later."""
    if instance.row.key not in instance.facilities.process_quotas or instance.has(Flags.MOCK):
        return
    instance.row.phase = "queued"
    if instance.row.suspension is None:
        _claim(instance, is_new=True)


def ask(instance: Instance) -> None:
    """Ask for the slot of a process that waits for one, unless it may not begin now; the commit decides."""
    if instance.row.phase != "queued" or instance.row.suspension is not None:
        free(instance)
    else:
        _claim(instance, is_new=False)
    instance.save()


def free(instance: Instance) -> None:
    """The process needs no slot any more, or is not to begin now, unless it is at work."""
    if instance.row.phase not in ("running", "suspended", "paused", "draining", "undoing"):
        leave(instance.row, instance.changes, instance.facilities)


def leave(row: InstanceRow, changes: Changes, facilities: Facilities) -> None:
    """The same of a process as it is stored."""
    number = facilities.quotas.asked_by(row.process_instance_id)
    if number is not None:
        quota_slots.changes_of(changes, facilities).free(row.process_instance_id, number, row.owner_name)


def _claim(instance: Instance, *, is_new: bool) -> None:
    row, quota = instance.row, instance.facilities.process_quotas.get(instance.row.key)
    begin = _Begin(instance)
    if quota is None:
        # Nobody asks for one any more.
        free(instance)
        begin.granted()
        return
    value = instance.context.parameters.get(quota.by) if quota.by is not None else None
    slot = QuotaSlotRow(
        task_id=instance.number,
        process_instance_id=instance.number,
        quota_id=quota_slots.number_of(instance, f"{PREFIX}{quota.name or row.key}", value, quota),
        undo=0,
        held=0,
        owner_name=row.owner_name or "",
        priority=-row.priority,
        created=row.started,
        since=instance.now(),
    )
    changes = quota_slots.changes_of(instance.changes, instance.facilities)
    changes.claim(QuotaClaim(slot, quota.at_once, quota.per_minute, is_new, begin))


class _Begin:
    """What becomes of a process that has asked for a slot."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def granted(self) -> None:
        """It begins in a turn of its own, at once, or after this engine's death with another one."""
        instance, row = self._instance, self._instance.row
        row.phase, row.awaits = "running", None
        row.due, row.due_owner = instance.now() + OTHERS_LATER, instance.facilities.timekeeper
        instance.workflow.is_unfinished = True

    def refused(self) -> None:
        row = self._instance.row
        row.phase, row.awaits, row.due, row.due_owner = "queued", "quota", None, None
        self._instance.workflow.is_unfinished = False
