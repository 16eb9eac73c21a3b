"""Timers that start processes: whichever engine is first starts one whose time has come."""

from __future__ import annotations

import logging

from ...models import StoreError
from ..authoring.triggers import TIMER, TimerTrigger, Times
from ..errors import RiverstoneError
from ..instance.facilities import Facilities
from ..river.river import River
from ..river.turn import Turn
from .starts import Starts

logger = logging.getLogger("riverstone.engine")

MOST_AT_ONCE = 100


class StartTimers:
    """Starts processes whose time has come."""

    def __init__(self, facilities: Facilities, river: River, starts: Starts) -> None:
        self.facilities = facilities
        self.river = river
        self.starts = starts

    def fire(self, now: int, steady: int) -> bool:
        """Start what is due, by the engine's clock or the database's, each by one engine only; whether any was."""
        moved, times = False, Times(now, steady)
        catalogue = self.facilities.store.catalogue
        due = [
            each for first, before in times.due() for each in catalogue.due_start_timers(first, before, MOST_AT_ONCE)
        ]
        for key, deployment_id, node, name in due:
            try:
                self._start(deployment_id, node, name, times)
                moved = True
            except (RiverstoneError, StoreError) as error:
                # Too many run, or another engine was faster: if it is still due, the next poll tries again.
                logger.warning("the timer of %r did not start %r: %s", node, key, error)
        return moved

    def _start(self, deployment_id: str, node: str, name: str, times: Times) -> None:
        def begin(turn: Turn) -> None:
            definition = self.facilities.definitions.get(deployment_id)
            following = TimerTrigger.read(name).following(definition.process, node, times, self.facilities.limits)
            request = self.starts.triggered(deployment_id, node, definition.name, {}, None, None, 0)
            turn.changes.rare.moved_timers.append((following, TIMER, deployment_id, node, name))
            self.starts.begin(turn, request)

        self.river.now(begin)
