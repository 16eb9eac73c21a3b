"""What others stop and this engine runs: tasks of processes that are stopping, and hooks whose tasks have ended."""

from __future__ import annotations

from functools import partial

from ....models import WORKERS, StoppedTask, StragglerKey, StragglerRow, Stragglers
from ...instance.facilities import Facilities
from ...steps import due
from ...work import Outcome
from ..river import River
from ..turn import Turn


class Stops:
    """One engine's: each of them is told once to stop, in this engine's dispatcher."""

    def __init__(self, facilities: Facilities, river: River) -> None:
        self.facilities = facilities
        self.river = river
        self._stragglers = Stragglers(facilities.store)
        self._tasks: set[StoppedTask] = set()
        self._hooks: set[StragglerKey] = set()

    def poll(self) -> bool:
        """Tell what is to stop and was not told before; whether anything is to be stepped. Raises StoreError."""
        owners = [self.facilities.engine_id]
        if self.facilities.dispatcher.remote:
            owners.append(WORKERS)
        moved = self._tell_hooks(self._stragglers.of(owners))
        return self._tell_tasks(self._stragglers.stopped(owners)) or moved

    def _tell_tasks(self, stopped: list[StoppedTask]) -> bool:
        by_instance: dict[int, list[int]] = {}
        for task in stopped:
            if task not in self._tasks:
                by_instance.setdefault(task.process_instance_id, []).append(task.task_id)
        self._tasks = set(stopped)
        for number, task_ids in by_instance.items():
            self.river.post(partial(_stop_here, number=number, task_ids=task_ids))
        return bool(by_instance)

    def _tell_hooks(self, stragglers: list[StragglerRow]) -> bool:
        dispatcher, moved = self.facilities.dispatcher, False
        told, self._hooks = self._hooks, set()
        for row in stragglers:
            key = row.task_id, row.attempt, row.event, row.delivery
            self._hooks.add(key)
            if key not in told:
                if dispatcher.withdraw(row.task_id):
                    self.river.post_outcomes([_withdrawn(row)])
                    moved = True
                else:
                    dispatcher.ask_to_stop(row.task_id, row.delivery)
            elif row.owner != WORKERS and not dispatcher.holds(row.task_id):
                # What came of it is in the inbox before this, if anything did.
                self.river.post(partial(_straggler_gone, number=row.process_instance_id, key=key))
                moved = True
        return moved


def _stop_here(turn: Turn, *, number: int, task_ids: list[int]) -> None:
    due.stop_here(turn.instance(number), task_ids)


def _straggler_gone(turn: Turn, *, number: int, key: StragglerKey) -> None:
    due.straggler_gone(turn.instance(number), key)


def _withdrawn(row: StragglerRow) -> Outcome:
    return Outcome(
        task_id=row.task_id,
        process_instance_id=row.process_instance_id,
        event=row.event,
        attempt=row.attempt,
        result="withdrawn",
        delivery=row.delivery,
    )
