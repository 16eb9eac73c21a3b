"""An engine's sign of life, given from a thread of its own so that no stone and no load can hold it up."""

from __future__ import annotations

import logging
import threading
import weakref

from ...models import Leases, StoreError

logger = logging.getLogger("riverstone.engine")

HEARTBEAT = 5.0
"""Seconds between two signs of life."""


class Heartbeat:
    """Renews the engine's lease until it is stopped, or nobody holds ``engine`` any more."""

    def __init__(self, leases: Leases, engine_id: str, engine: object) -> None:
        self._leases = leases
        self._engine_id = engine_id
        self._engine = weakref.ref(engine)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="riverstone-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin, with the first sign in a while: signing on was one."""
        self._thread.start()

    def stop(self) -> None:
        """Return when no further sign will be given."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(HEARTBEAT) and self._engine() is not None:
            try:
                if not self._leases.renew(self._engine_id):
                    # The next commit finds out too, and is where it matters.
                    logger.warning("engine %s was silent for so long that others go on with its tasks", self._engine_id)
            except StoreError as error:
                logger.warning("the engine cannot give a sign of life: %s", error)
