"""The engine's calls for whoever runs it."""

from __future__ import annotations

from ...models import Figures, encrypt_again, read_figures
from ..dispatch.dispatcher import Loaded
from ..errors import Conflict, Invalid, RiverstoneError
from ..observing.observer import Observer
from ..operating import retention
from ..store_errors import engine_errors
from .workings import Workings

LAST_ID = 10**17
"""Above all that were given out, and far below what a database keeps."""
MOST_NAMED = 3
"""Engines in one refusal."""


class OperatingCalls(Workings):
    """A part of :class:`~riverstone.engine.Engine`."""

    def observe(self, observer: Observer) -> None:
        """Tell it of every event of a task and every change of a process, from now on."""
        self._facilities.observers.add(observer)

    def not_ready(self) -> str | None:
        """Why the engine does not do its work at the moment, in a few words; None while it does.

        Cheap, whoever asks: an engine with a thread of its own knows how long ago the database has answered that.
        """
        if self._pump.closed:
            return "the engine is closed"
        if self._loop.thread is None or self._loop.passive:
            try:
                with engine_errors(), self._store.ahead():
                    self._store.read("SELECT 1")
            except RiverstoneError:
                return "the database does not answer"
            return None
        return self._loop.behind()

    def figures(self) -> Figures:
        """What stands and waits in the whole store at this moment, counted by the store's indexes."""
        with engine_errors():
            return read_figures(self._store)

    def queues(self) -> dict[str, int]:
        """What waits inside this engine: ``inbox``, ``owed``, and of most dispatchers ``waiting`` and ``running``."""
        waiting = {"inbox": self._river.waiting(), "owed": len(self._loop.pending)}
        if isinstance(self._dispatcher, Loaded):
            waiting["waiting"], waiting["running"] = self._dispatcher.load()
        return waiting

    def purge(self, older_than_seconds: float, *, even_undeleted: bool = False, dry_run: bool = False) -> int:
        """Forget processes that ended that long ago and of which nothing is left to undo; how many these are.

        ``even_undeleted`` forgets those too whose results exist, so that nobody can delete these by the engine any
        more; ``dry_run`` only counts. Kept are protected ones and those whose undo has failed. Raises Invalid.
        """
        with engine_errors():
            return retention.purge(
                self._store, self.clock, older_than_seconds, even_undeleted=even_undeleted, dry_run=dry_run
            )

    def restored(self, beyond: str | None = None) -> str:
        """After the database was restored from a backup: give out no id a second time; the first that comes now.

        ``beyond`` is the highest id that anybody has seen, of a process or a task; without it a million are passed
        over. Call it before any engine serves the restored database. Raises Invalid, and Conflict (code
        ``engines-at-work``) while others do.
        """
        last = None
        if beyond is not None:
            if not (beyond.isascii() and beyond.isdigit() and int(beyond) <= LAST_ID):
                raise Invalid(f"{beyond[:100]!r} is no id: give that of a process or a task.", code="id-invalid")
            last = int(beyond)
        with engine_errors():
            self._refuse_beside_engines()
            return str(self._store.ids.skip(last))

    def _refuse_beside_engines(self) -> None:
        """Raise Conflict while others are at work: they hold blocks of ids, and what was before the restore."""
        others = self._loop.dead_engines.alive(own=False)
        if others:
            named = ", ".join(sorted({f"{row.host} (process {row.pid})" for row in others})[:MOST_NAMED])
            text = f"Engines are at work on this database: {named}. Stop them, restore the database, and try again."
            raise Conflict(text, code="engines-at-work")

    def encrypt_again(self) -> int:
        """Write what is stored anew with the first encryption key, also what was in clear; how many values there were.

        Raises Invalid without a key, StoreUnavailable where no key fits.
        """
        if self._store.cipher is None:
            raise Invalid("There is no encryption key: set RIVERSTONE_ENCRYPTION_KEY.", code="encryption-key")
        with engine_errors():
            return encrypt_again(self._store, self._store.cipher)
