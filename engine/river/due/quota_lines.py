"""Who waits for a slot of a quota goes on: as one becomes free, and where nobody has seen to it.

The commit that frees a slot tells its own engine. What that engine leaves over its death, and what the time lets go on,
is found by every engine's poll of the store.
"""

from __future__ import annotations

import time

from ....models import TaskRow
from ...errors import UnknownProcessInstance
from ...instance import process_slots
from ...instance.facilities import Facilities
from ...instance.tasks import quota_slots
from ...steps import due
from ..turn import Action, Turn

RESERVED = 30_000
"""Milliseconds for which a slot is kept for a task that no worker fetches; then others go on."""
SWEEP = 30.0
"""Seconds between two looks for slots that nobody sets free any more: most of them are of engines that died."""


def go_on(quota_id: int) -> Action:
    """The action that lets those go on who are first in line, as many as there seems to be room for.

    The commit counts. One that is not to begin any more, or not now, leaves the line.
    """

    def action(turn: Turn) -> None:
        for number, task_id in turn.facilities.quotas.first_in_line(quota_id):
            if task_id == number:
                _begin(turn, number, quota_id)
                continue
            row = _set_free(turn, number, task_id, quota_id)
            if row is not None and row.open and row.status == "queued":
                due.goes_on(turn.instance(number), task_id)

    return action


def set_free(number: int, task_id: int, quota_id: int) -> Action:
    """The action that sets a slot free which nobody needs."""

    def action(turn: Turn) -> None:
        _set_free(turn, number, task_id, quota_id)

    return action


def _begin(turn: Turn, number: int, quota_id: int) -> None:
    """Let a whole process begin that is first in line."""
    try:
        process_slots.ask(turn.instance(number))
    except UnknownProcessInstance:
        quota_slots.changes_of(turn.changes, turn.facilities).free(number, quota_id, None)


def _set_free(turn: Turn, number: int, task_id: int, quota_id: int) -> TaskRow | None:
    """Free a slot, or leave a line, unless the task as it stands now needs that; the task."""
    try:
        instance = turn.instance(number)
    except UnknownProcessInstance:
        row = None
    else:
        row = instance.tasks.get(task_id)
        if task_id == number:
            process_slots.free(instance)
            return None
    if row is None:
        quota_slots.changes_of(turn.changes, turn.facilities).free(task_id, quota_id, None)
    else:
        quota_slots.free(instance, row)
    return row


class QuotaPolls:
    """What one engine looks for in the store."""

    def __init__(self, facilities: Facilities) -> None:
        self._facilities = facilities
        self._is_used = True
        """Whether anything of the store has a quota, as far as is known."""
        self._swept = 0.0

    def begin(self) -> None:
        """Other stones and numbers may count now than when those have begun to wait who do."""
        self._facilities.quotas.let_all_look()

    def poll(self) -> list[Action]:
        """What is to be stepped; raises StoreError."""
        quotas, has_any = self._facilities.quotas, bool(self._facilities.stones.quotas)
        has_any = has_any or bool(self._facilities.process_quotas)
        if not (has_any or self._is_used):
            return []
        actions = [go_on(quota_id) for quota_id in quotas.due()]
        if time.monotonic() - self._swept >= SWEEP or not self._swept:
            self._swept = time.monotonic()
            lost = quotas.lost(self._facilities.clock.now() - RESERVED)
            actions += [set_free(number, task_id, quota_id) for number, task_id, quota_id in lost]
            quotas.tidy()
            self._is_used = quotas.in_use()
        return actions
