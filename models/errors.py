"""What can go wrong in the store."""

from __future__ import annotations


class StoreError(Exception):
    """The database did not do what was asked; the transaction has no effect or an unknown one."""


class RevisionConflict(StoreError):
    """Another engine changed one of the instances, or what one begins with, first; nothing was written."""


class SuspensionsChanged(RevisionConflict):
    """Others have suspended something or let it go on, so what was about to begin is to be looked at again."""

    def __init__(self, suspended: frozenset[tuple[str, str]]) -> None:
        super().__init__("other stones or keys are suspended now")
        self.suspended = suspended


class QuotaGone(RevisionConflict):
    """A quota was dropped whose number an engine still knows: it is to be asked for again."""


class AlreadyUsed(StoreError):
    """Someone else was first to take an idempotency key or a version number; nothing was written."""


class NotStorable(StoreError):
    """The driver was given a text that no text of the database can be; nothing was asked."""


class ConnectionLost(StoreError):
    """The connection broke: what was not committed by then is not there, and a commit may or may not be."""


class NoAnswer(ConnectionLost):
    """The server takes what is sent and says nothing; nobody is to wait for it once more."""


class InDoubt(StoreError):
    """A commit was sent and not answered, and nobody could be asked since: it may be in the store, or come yet."""


class NoKeyFits(StoreError):
    """What was encrypted cannot be read: no key that this process has fits."""


class StoreClosed(StoreError):
    """The store was closed in this process; the database may well be there."""


class EngineForgotten(StoreError):
    """Others took this engine for dead and go on with its tasks; nothing was written."""
