"""The hooks of one instance that may still run although their tasks have ended or gone on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ....models import EXTERNAL, StragglerKey, StragglerRow, TaskRow
from ...ledger import deferral, ledger
from . import quota_slots
from .offers import lock_of

if TYPE_CHECKING:
    from ..instance import Instance


class LateHooks:
    """Which hooks are still to be heard of, and where each runs: what they report feeds the ledger."""

    __slots__ = ("_instance", "owners")

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.owners: dict[StragglerKey, str | None] = {}
        """By hook: the engine that runs it, or the workers; None for one that has left its task to somebody outside."""

    def load(self, rows: Iterable[StragglerRow]) -> None:
        """Put back what the store has, of an instance that has ended too."""
        for each in rows:
            self.owners[each.task_id, each.attempt, each.event, each.delivery] = each.owner

    def note(self, row: TaskRow) -> None:
        """The row ends or goes on while its hook may run: whoever runs it is to hear of that, and to report its end."""
        if row.due is None and row.status not in ledger.HELD_BACK:
            lock = lock_of(self._instance, row)[0] if row.owner == EXTERNAL else None
            until = None if lock is None else lock.until
            self._note((row.id, row.attempt, row.event, ledger.delivery(row)), row.owner, until)

    def leave_outside(self, row: TaskRow) -> None:
        """The row ends, or goes on with another key: what somebody outside still tells of it feeds the ledger."""
        deferral.spend_early(row)
        attempt = deferral.outside(row)
        if attempt is not None:
            self._note((row.id, attempt, "start", ledger.delivery(row)), None)
            deferral.told(row)

    def _note(self, key: StragglerKey, owner: str | None, until: int | None = None) -> None:
        if key not in self.owners:
            self.owners[key] = owner
            self._instance.changes.rare.new_stragglers[key] = StragglerRow(*key, self._instance.number, owner, until)

    def has_ended(self, key: StragglerKey) -> bool:
        """Forget a hook that has ended, or never will be heard of; whether it was one that might still run."""
        if key not in self.owners:
            return False
        del self.owners[key]
        self._instance.changes.rare.straggler_gone(key)
        self._runs_no_more(key)
        return True

    def goes_on_outside(self, key: StragglerKey) -> bool:
        """A hook that might still run has ended and left its task to somebody outside; whether it was one."""
        if self.owners.get(key) is None:
            return False
        self.owners[key] = None
        self._instance.changes.rare.left_stragglers.add(key)
        self._runs_no_more(key)
        return True

    def _runs_no_more(self, key: StragglerKey) -> None:
        self._instance.changes.instance_changed(self._instance.row)
        if (row := self._instance.tasks.get(key[0])) is not None:
            quota_slots.free(self._instance, row)

    def of(self, task_id: int) -> dict[StragglerKey, str | None]:
        """Those of one task, and where each runs."""
        return {key: owner for key, owner in self.owners.items() if key[0] == task_id}

    def may_run(self, task_id: int) -> bool:
        """Whether a hook may run, or its outcome be on its way, that the task as it stands does not tell of."""
        straggles = any(key[0] == task_id and owner is not None for key, owner in self.owners.items())
        return straggles or self._instance.facilities.dispatcher.running(task_id)

    def may_run_elsewhere(self, task_id: int) -> bool:
        """Whether one may at another engine, or at workers."""
        elsewhere = (None, self._instance.facilities.engine_id)
        return any(key[0] == task_id and owner not in elsewhere for key, owner in self.owners.items())
