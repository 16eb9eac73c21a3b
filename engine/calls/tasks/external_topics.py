"""Topics of workers over HTTP: who sees which, and the stones that are known by them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, Self, TypeAlias

from ....models import TopicCount
from ....models.vocabulary import HOOKS
from ...errors import Conflict
from ...instance.facilities import Facilities
from ...river.offers import Offers
from ...river.pump import Pump
from ...river.reports import RiverReports
from ...store_errors import engine_errors

Asked: TypeAlias = tuple[str | None, str, str]
"""What a fetch asks for: an owner, a topic, and a digest of variables, which a worker may make as large as it likes."""
LOOKED_AGAIN = 1.0
"""Seconds for which it is relied on that nothing makes a topic known."""


class ExternalTopics:
    """The topics that somebody sees; see :meth:`limited` for those who may not do all."""

    owner: str | None = None
    """Whose tasks are seen; None sees those of all."""
    may: Callable[[str], bool] = staticmethod(lambda topic: True)
    """Which topics are seen."""

    def __init__(self, facilities: Facilities, pump: Pump, reports: RiverReports, offers: Offers) -> None:
        self.facilities = facilities
        self.offers = offers
        self._pump = pump
        self._reports = reports
        self._strange: dict[str, float] = {}
        """Topics that nothing makes known, and when that was found."""
        self._passed: dict[Asked, int] = {}
        """Tasks that were passed over: the next fetch that asks the same goes on behind so many."""

        self._unfit: dict[tuple[Asked, int], int] = {}
        """Tasks whose variables do not fit what was asked, with the revision of the process at which they did not."""

    def limited(self, *, owner: str | None, may: Callable[[str], bool]) -> Self:
        """The same for who sees the tasks of one owner alone, and of some topics."""
        found = copy(self)
        found.owner, found.may = owner, may
        return found

    def topics(self) -> list[TopicCount]:
        """How many tasks wait under each topic, and how many are locked."""
        with engine_errors():
            return self.facilities.external.topics()

    def declare(self, declaration: Mapping[str, Any]) -> None:
        """Make a stone known whose tasks workers fetch over HTTP; ``hooks`` says which it has.

        Parameters and outputs are declared as in ``messages.schema.json``. Raises Invalid, Conflict for the code of a
        stone that is carried out otherwise.
        """
        from ...stones import remote  # late, like all that imports marshmallow

        told = {**declaration, "carried_out": remote.HTTP}
        code = str(told.get("code"))
        if self.facilities.stones.is_known(code) and code not in self.facilities.stones.external:
            raise Conflict(
                f"The stone {code!r} is there already and is not for workers over HTTP.", code="stone-exists"
            )
        self._declare([told])

    def assume(self, codes: Collection[str]) -> None:
        """Take codes that nobody knows for topics of workers over HTTP, since a model names them."""
        from ...stones import remote  # late, like all that imports marshmallow

        new = [code for code in codes if not self.facilities.stones.is_known(code)]
        if new:
            self._declare([remote.fetched(code) for code in new])

    def learn(self, topics: Iterable[str]) -> None:
        """Take in that somebody fetches under these: ``X.rollback`` tells that the undeclared stone ``X`` has one."""
        from ...stones import remote  # late, like all that imports marshmallow

        stones, now = self.facilities.stones, time.monotonic()
        new: dict[str, set[str]] = {}
        for topic in topics:
            code, _, hook = topic.rpartition(".")
            if not code or hook not in HOOKS or now - self._strange.get(topic, -LOOKED_AGAIN) < LOOKED_AGAIN:
                continue
            # An exact code wins: `invoice.delete` may be a stone of its own.
            with engine_errors():
                classes = () if topic in stones or code not in stones.external else stones.classes(code)
            if classes and classes[0].undeclared and not classes[0].has(hook):
                known: set[str] = {each for each in HOOKS if classes[0].has(each)}
                new.setdefault(code, known).add(hook)
            else:
                self._strange[topic] = now
        if len(self._strange) > 10_000:
            self._strange.clear()
        if new:
            self._declare([remote.fetched(code, hooks) for code, hooks in new.items()])

    def _declare(self, declarations: Sequence[Mapping[str, Any]]) -> None:
        with engine_errors():
            self._reports.declare(declarations)
        # After those steps by which tasks that waited for it go on.
        self._pump.step(lambda turn: None)
