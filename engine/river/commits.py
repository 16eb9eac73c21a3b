"""Turns become durable if everything that they have read is still so, and else tell what is not."""

from __future__ import annotations

from collections.abc import Mapping

from ...models import QuotaGone, RevisionConflict, Suspensions, SuspensionsChanged
from .. import failpoints
from ..instance.facilities import Facilities
from ..instance.notes.folding import note_fold
from ..webhooks.telling import NoticeWriter
from .engines.news import News
from .turn import Turn


class Commits:
    """Those of one engine."""

    def __init__(self, facilities: Facilities, telling: NoticeWriter, news: News) -> None:
        self._facilities = facilities
        self._telling = telling
        self._news = news

    def commit(self, turn: Turn) -> None:
        """Make the turn durable, or raise RevisionConflict where anything that it has read is not so any more."""
        read = turn.only_read()
        if read and self._facilities.store.is_private:
            # Nobody else has changed it.
            read = {}
        if turn.changes:
            turn.leave_due()
            for instance in turn.instances.values():
                note_fold(instance)
            self._telling.note(turn.instances.values(), turn.changes, self._facilities.clock.now())
            failpoints.reach("before-commit")
            turn.changes.read = read
            turn.changes.news = self._news.of(turn.instances.values(), turn.changes)
            self._facilities.store.commit(turn.changes)
            failpoints.reach("after-commit")
        else:
            self.compare(turn, read)

    def compare(self, turn: Turn, revisions: Mapping[int, int]) -> None:
        """Raise RevisionConflict unless these instances still have these revisions, and what is suspended is so."""
        store = self._facilities.store
        if revisions and store.revisions(list(revisions)) != revisions:
            raise RevisionConflict("a process instance was changed by another engine")
        taken = turn.changes.suspended
        if taken is not None:
            found = Suspensions(store).names()
            if found != taken:
                raise SuspensionsChanged(found)

    def learn(self, outdated: RevisionConflict) -> None:
        """Take over what another engine has changed, where the conflict says what that is."""
        if isinstance(outdated, QuotaGone):
            self._facilities.quotas.forget()
        elif isinstance(outdated, SuspensionsChanged):
            self._facilities.suspended = outdated.suspended
