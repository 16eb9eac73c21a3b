"""Checks of what processes have made, as this engine carries them out: few at once, and none for ever.

Which are to come is in memory alone: what is lost with its engine is asked again by whoever wants to know.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..instance.facilities import Facilities
from ..work import CHECK, Outcome, Work

AT_ONCE = 4
"""Checks that are under way at once, so that they hold no work up; those that hang are among them."""
OF_ONE_STONE = 2
"""Those of one stone, so that one whose cloud does not answer holds no other up."""
LONGEST = 60.0
"""Seconds for a check of a stone that says nothing of it in its timeouts."""


@dataclass(slots=True)
class UnderWay:
    """A check that was handed over."""

    work: Work
    since: int
    until: int
    given_up: bool = False
    """Whether it was said that it could not tell, while its hook may still run."""


class Checks:
    """Those of one engine. ``could_not_tell`` enters that of one that was handed over at that time."""

    def __init__(self, facilities: Facilities, could_not_tell: Callable[[Outcome, int], None]) -> None:
        self.facilities = facilities
        self._could_not_tell = could_not_tell
        self._waiting: dict[str, OrderedDict[int, Work]] = {}
        """By stone, so that however many wait, the next ones are found at once."""
        self._under_way: dict[int, UnderWay] = {}
        self._lock = threading.Lock()

    def ask(self, works: Iterable[Work]) -> None:
        """Have these carried out, each once however often it is asked for meanwhile."""
        with self._lock:
            for work in works:
                if work.task_id not in self._under_way:
                    self._waiting.setdefault(work.stone, OrderedDict()).setdefault(work.task_id, work)

    def answered(self, outcome: Outcome) -> bool:
        """One has come to its end; whether that says more than is known, which what was given up hardly does."""
        with self._lock:
            found = self._under_way.pop(outcome.task_id, None)
        return found is None or not found.given_up or outcome.result == "done"

    def hand_over(self) -> None:
        """Hand over as many as may be under way."""
        if self._waiting:
            with self._lock:
                works = [work for stone in list(self._waiting) for work in self._next_of(stone)]
            if works:
                self.facilities.dispatcher.submit(works)

    def _next_of(self, stone: str) -> list[Work]:
        """Those of a stone that begin now; none of one that was suspended since."""
        waiting, taken = self._waiting[stone], list[Work]()
        if ("stone", stone) in self.facilities.suspended:
            waiting.clear()
        while waiting and self._has_room(stone):
            work = waiting.popitem(last=False)[1]
            now = self.facilities.clock.now()
            self._under_way[work.task_id] = UnderWay(work, now, now + self._patience(work))
            taken.append(work)
        if not waiting:
            del self._waiting[stone]
        return taken

    def _has_room(self, stone: str) -> bool:
        # Workers on other machines take no more than they can.
        if self.facilities.dispatcher.remote:
            return True
        of_stone = sum(each.work.stone == stone for each in self._under_way.values())
        return len(self._under_way) < AT_ONCE and of_stone < OF_ONE_STONE

    def look(self, now: int) -> None:
        """Give up those that take too long, and forget those of which nothing came."""
        late: list[UnderWay] = []
        dispatcher = self.facilities.dispatcher
        with self._lock:
            for task_id, each in list(self._under_way.items()):
                if not dispatcher.remote and not dispatcher.holds(task_id):
                    # Its stone was suspended or is there no more, or its outcome is on its way.
                    del self._under_way[task_id]
                elif each.given_up or each.until > now:
                    continue
                elif not dispatcher.remote and not dispatcher.running(task_id):
                    each.until = now + self._patience(each.work)
                else:
                    each.given_up = True
                    late.append(each)
                    if dispatcher.remote:
                        del self._under_way[task_id]
        for each in late:
            dispatcher.ask_to_stop(each.work.task_id, CHECK)
            self._could_not_tell(_given_up(each.work, self._patience(each.work)), each.since)
        self.hand_over()

    def _patience(self, work: Work) -> int:
        stone = self.facilities.stones.choose(work.stone, work.parameters)
        return round(1000 * (LONGEST if stone is None else stone.timeouts.get("check", LONGEST)))


def _given_up(work: Work, patience: int) -> Outcome:
    return Outcome.of(work, "failed", f"No answer came within {patience / 1000:g} seconds, so nobody can tell.")
