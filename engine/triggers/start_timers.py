"""Timers that start processes: whichever engine is first starts one whose time has come."""

from __future__ import annotations

import logging

from ...models import StoreError
from ..authoring.triggers import TIMER, TimerTrigger, due_before
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

    def fire(self, now: int) -> bool:
        """Start what is due, each by one engine only; whether there was anything."""
        moved = False
        due = self.facilities.store.catalogue.due_start_timers(due_before(now), MOST_AT_ONCE)
        for key, deployment_id, node, name in due:
            try:
                self._start(deployment_id, node, name, now)
                moved = True
            except (RiverstoneError, StoreError) as error:
                # Too many run, or another engine was faster: if it is still due, the next poll tries again.
                logger.warning("the timer of %r did not start %r: %s", node, key, error)
        return moved

    def _start(self, deployment_id: str, node: str, name: str, now: int) -> None:
        definition = self.facilities.definitions.get(deployment_id)
        following = TimerTrigger.read(name).following(definition.process, node, now, self.facilities.limits)
        request = self.starts.triggered(deployment_id, node, definition.name, {}, None, None, 0)

        def begin(turn: Turn) -> None:
            turn.changes.moved_timers.append((following, TIMER, deployment_id, node, name))
            self.starts.begin(turn, request)

        self.river.now(begin)
