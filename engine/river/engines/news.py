"""What engines want to hear of at once from one another: how processes go on, what is offered, and what is to stop.

Who waits for a process that another engine drives asks all of them to tell, once; those who step it tell with their
commit. So nothing is told that nobody has asked for, and telling takes no trip to the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable

from ....models import EXTERNAL, Changes, NewsListener, news_of
from ...instance.facilities import Facilities
from ...instance.instance import Instance
from ..offers import Offers
from ..waiters import Watchers

LASTS = 120.0
"""Seconds for which others tell of something after they were asked."""
MOST_WANTED = 10_000
ASKED = "? "
"""Before what others are asked to tell of."""
PROCESS = "process "
STOP = "stop"


class News:
    """One engine's; ``wake`` lets the thread look that steps."""

    def __init__(self, facilities: Facilities, watchers: Watchers, offers: Offers, wake: Callable[[], None]) -> None:
        self.facilities = facilities
        self._watchers = watchers
        self._offers = offers
        self._wake = wake
        self._wanted: dict[str, float] = {}
        """What others want to hear of, and until when."""
        self._listener: NewsListener | None = None
        self.stops = False
        """Whether another engine may have stopped something that runs here."""

    @property
    def is_listening(self) -> bool:
        """Whether others are heard."""
        return self._listener is not None and self._listener.is_listening

    def begin(self) -> None:
        """Listen from now on, where the database can do that."""
        self._listener = self.facilities.store.listen(self._heard)

    def end(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            self._listener.close()

    def _heard(self, text: str) -> None:
        sender, *keys = text.split("\n")
        if sender == self.facilities.engine_id:
            return
        until = time.monotonic() + LASTS
        told: list[str] = []
        for key in keys:
            if key.startswith(ASKED):
                self._want(key.removeprefix(ASKED), until)
            else:
                told.append(key)
        if told or not keys:
            numbers = [key.removeprefix(PROCESS) for key in told if key.startswith(PROCESS)]
            self._watchers.hear(map(int, filter(str.isdecimal, numbers)) if keys else None)
            self._offers.hear()
            self.stops = self.stops or not keys or STOP in told
            self._wake()

    def _want(self, key: str, until: float) -> None:
        if len(self._wanted) >= MOST_WANTED:
            now = time.monotonic()
            self._wanted = {each: end for each, end in self._wanted.items() if end > now}
        if len(self._wanted) < MOST_WANTED:
            self._wanted[key] = until

    def ask(self) -> None:
        """Ask others to tell of what is waited for here and they may drive; raises StoreError."""
        if self.is_listening:
            keys = [process_key(number) for number in self._watchers.to_ask(LASTS / 2)]
            keys += [topic_key(topic) for topic in self._offers.to_ask(LASTS / 2)]
            if keys:
                self.facilities.store.tell(news_of(self.facilities.engine_id, [ASKED + key for key in keys]))

    def of(self, instances: Collection[Instance], changes: Changes) -> list[str]:
        """What is to be told with a commit."""
        if self._listener is None:
            return []
        keys = self._wanted_of(instances, changes) if self._wanted else []
        if self._stops_others(instances, changes):
            keys.append(STOP)
        return news_of(self.facilities.engine_id, keys)

    def _wanted_of(self, instances: Iterable[Instance], changes: Changes) -> list[str]:
        numbers = {number for each in instances for number in (each.number, each.row.origin) if number is not None}
        rare = changes.rare_made
        external = rare.external.values() if rare is not None else ()
        offered = {row.topic for row in external if row is not None and row.worker is None}
        # Whoever waits here for one has it first.
        topics = [topic for topic in offered if not self._offers.waiters([topic])]
        now = time.monotonic()
        keys = [*map(process_key, numbers), *map(topic_key, topics)]
        return [key for key in keys if self._wanted.get(key, 0.0) > now]

    def _stops_others(self, instances: Iterable[Instance], changes: Changes) -> bool:
        """Whether a process begins to stop with this commit, or a hook goes on although its task has ended."""
        mine, rare = (None, EXTERNAL, self.facilities.engine_id), changes.rare_made
        stragglers = rare.new_stragglers.values() if rare is not None else ()
        return any(row.owner not in mine for row in stragglers) or any(
            row.owner not in mine
            for each in instances
            if each.row.phase == "draining" and each.seen is not None and each.seen[1] != "draining"
            for row in each.tasks.open_rows()
        )


def process_key(number: int) -> str:
    """By which a process is known."""
    return f"{PROCESS}{number}"


def topic_key(topic: str) -> str:
    """By which a topic is known."""
    return f"topic {topic}"
