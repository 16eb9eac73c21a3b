"""Who waits to fetch tasks over HTTP: told when one is offered under a topic, by this engine or another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable

LOOK = 0.5
"""Seconds between two looks for what other engines have offered, and for locks that have run out."""


class OfferWatch:
    """Somebody who waits under topics; ``told`` is called in any thread and must not block."""

    __slots__ = ("_offers", "owner", "told", "topics")

    def __init__(self, offers: Offers, topics: Collection[str], told: Callable[[], None], owner: str | None) -> None:
        self._offers, self.topics, self.told, self.owner = offers, tuple(topics), told, owner

    def stop(self) -> None:
        """Be called no more, but for a call that is on its way."""
        self._offers.remove(self)


class Offers:
    """All who wait at one engine, who has waited longest first; used from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[OfferWatch, None]] = {}
        self._lock = threading.Lock()
        self._looked = 0.0
        self._asked: dict[str, float] = {}
        """By topic: when other engines were asked to tell of it, by the monotonic clock."""

    @property
    def awaited(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)

    def count(self) -> int:
        """How many wait."""
        with self._lock:
            return len({watch for found in self._waiting.values() for watch in found})

    def watch(self, topics: Collection[str], told: Callable[[], None], owner: str | None = None) -> OfferWatch:
        """Have somebody called when a task (of the owner) may be had under one of these topics."""
        watch = OfferWatch(self, topics, told, owner)
        with self._lock:
            for topic in watch.topics:
                self._waiting.setdefault(topic, {})[watch] = None
        return watch

    def remove(self, watch: OfferWatch) -> None:
        """See :meth:`OfferWatch.stop`."""
        with self._lock:
            for topic in watch.topics:
                found = self._waiting.get(topic, {})
                found.pop(watch, None)
                if not found:
                    self._waiting.pop(topic, None)

    def waiters(self, topics: Iterable[str]) -> int:
        """How many wait under any of these topics."""
        with self._lock:
            return len({watch for topic in topics for watch in self._waiting.get(topic, ())})

    def offered(self, topics: Iterable[tuple[str, str | None]]) -> None:
        """A task waits under each of these topics, with its owner, once for each time that it is named."""
        chosen: dict[OfferWatch, None] = {}
        with self._lock:
            for topic, owner in topics:
                # Whoever was told of one task is busy with it; the next one is for the next.
                waiting = self._waiting.get(topic, ())
                free = (watch for watch in waiting if watch not in chosen and watch.owner in (None, owner))
                if (first := next(free, None)) is not None:
                    chosen[first] = None
        for watch in chosen:
            watch.told()

    def hear(self) -> None:
        """Other engines may have offered something."""
        self._looked = 0.0

    def to_ask(self, lasts: float) -> list[str]:
        """Topics of which other engines are to tell, since they were not asked for so long."""
        if not self._waiting:
            return []
        now = time.monotonic()
        with self._lock:
            chosen = [topic for topic in self._waiting if now - self._asked.get(topic, -lasts) >= lasts]
            self._asked = {topic: moment for topic, moment in self._asked.items() if now - moment < lasts}
            self._asked.update(dict.fromkeys(chosen, now))
        return sorted(chosen)

    def look(self, waiting: Callable[[list[str]], Collection[str]]) -> None:
        """Tell of what the store has under the topics that are awaited: one question for all who wait."""
        if not self._waiting or time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        with self._lock:
            topics = sorted(self._waiting)
        found = waiting(topics)
        with self._lock:
            chosen = {watch: None for topic in found for watch in self._waiting.get(topic, ())}
        for watch in chosen:
            watch.told()
