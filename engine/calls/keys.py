"""The engine's calls that let no process of a key begin anything for a while."""

from __future__ import annotations

from ...models import SuspensionRow, Suspensions, read_instances
from ...models.vocabulary import BatchAction
from ..clock import moment
from ..errors import Conflict, Invalid, UnknownDeployment
from ..operating.audit import present_call
from ..steps.repair.suspending import is_of_key
from ..store_errors import engine_errors
from ..views.processes import SuspendedKey
from .repair.batches import BatchCalls

NOT_OVER = ("running", "debug", "rollback.begin", "cancel.begin", "delete.begin")
"""As lists filter by them; ``UNDER_WAY`` are phases, of which a debug run has the same."""


class KeyCalls(BatchCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def suspend_key(self, key: str, *, reason: str | None = None, who: str | None = None) -> SuspendedKey:
        """Let nothing begin in the processes of a key, on any engine, until :meth:`unsuspend_key`.

        From when this returns no hook of them begins, and what is started waits from its first step on. Those that
        there are by then are suspended one after the other by a batch, as by :meth:`suspend`. Asked again, the reason
        is replaced for what is still to come.

        Args:
            key: The key; processes that other keys call by it go on.
            reason: Why, for whoever looks at it; at most 1,000 characters.
            who: Who wants it so, where it is not the client that asks over HTTP.

        Raises UnknownDeployment, and Invalid for more processes than the limit ``batch_processes``.
        """
        row = self._suspension("key", key, reason, who)
        with engine_errors():
            if not self._store.catalogue.last_version(key) and not self._store.active_count(key):
                raise UnknownDeployment(key, key=True)
            # Before anything is changed: a refusal leaves all as it was.
            self._under_way(key)
            self._suspend(row)
        self._all_of("suspend", key, row.who)
        return _shown(row)

    def unsuspend_key(self, key: str, *, who: str | None = None) -> None:
        """Let the processes of a key go on that were suspended with it; raises Conflict if it is not suspended.

        It can be asked again: the batch may have been stopped, or its engine may have died before there was any.
        ``who`` wants it so, where it is not the client that asks over HTTP: the batch that does it tells.

        Raises Invalid for more processes than the limit ``batch_processes``.
        """
        # Once that is done the call is written down, and tells the batch nothing.
        call = present_call()
        with engine_errors():
            found = self._under_way(key)
        try:
            self._unsuspend("key", key)
        except Conflict:
            with engine_errors():
                rows = read_instances(self._store, found)
            if not any(map(is_of_key, rows)):
                raise
        self._all_of("unsuspend", key, who or (call.who if call else None))

    def suspended_keys(self) -> tuple[SuspendedKey, ...]:
        """The keys of whose processes nothing begins."""
        with engine_errors():
            return tuple(map(_shown, Suspensions(self._store).all("key")))

    def _under_way(self, key: str) -> list[int]:
        """The ids of the processes that a batch would take; raises Invalid for more than one may be about."""
        wanted, _ = self._searched_for({"key": key, "statuses": NOT_OVER}, None)
        try:
            return self._found(wanted)
        except Invalid as error:
            if error.code != "batch-empty":
                raise
            return []

    def _all_of(self, action: BatchAction, key: str, who: str | None) -> None:
        wanted, searched = self._searched_for({"key": key, "statuses": NOT_OVER}, None)
        try:
            self._begin_batch(action, {"key": key}, wanted, searched, who=who)
        except Invalid as error:
            if error.code != "batch-empty":
                raise


def _shown(row: SuspensionRow) -> SuspendedKey:
    return SuspendedKey(key=row.name, since=moment(row.since), reason=row.reason, who=row.who)
