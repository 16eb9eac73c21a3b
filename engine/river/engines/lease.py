"""An engine's lease on the store: signed on, renewed by a sign of life that no load can hold up, signed off."""

from __future__ import annotations

import logging
import math
import os
import platform
import threading
import weakref
from uuid import uuid4

from ....models import Leases, StoreClosed, StoreError
from ....models.databases.uptime import uptime
from ... import failpoints
from ...instance.facilities import Facilities
from .pids import identity

logger = logging.getLogger("riverstone.engine")

HEARTBEAT = 5.0
"""Seconds between two signs of life."""
DOUBT = 3
"""After so many that others have not seen, the engine does not rely on its lease, which is as long as six."""


class Lease:
    """One engine's; the sign of life comes from a thread of its own."""

    def __init__(self, facilities: Facilities) -> None:
        self._facilities = facilities
        self.leases = Leases(facilities.store)
        self._clock = facilities.clock
        self._is_shared = not facilities.store.is_private
        self._signed_on = self._signed = -math.inf
        """When the engine signed on, and when it began to give its last sign of life, by a clock that nobody sets."""
        self.is_lost = False
        """Whether others took this engine for dead, as far as it has noticed."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="riverstone-heartbeat", daemon=True)

    @property
    def engine_id(self) -> str:
        """The engine's, which changes when others took it for dead."""
        return self._facilities.engine_id

    def sign_on(self) -> None:
        """Tell that this engine works on the store."""
        pid, now = os.getpid(), uptime()
        self.leases.begin(self.engine_id, platform.node(), pid, identity(pid))
        self._signed_on = self._signed = now
        self.is_lost = False

    def begin_anew(self) -> None:
        """Sign on again under another id, since others took this engine for dead: nothing that it had is its own."""
        before, self._facilities.engine_id = self.engine_id, str(uuid4())
        logger.warning("engine %s was taken for dead, and goes on as %s", before, self.engine_id)
        self.sign_on()

    def moment(self) -> int:
        """The engine's time, but not ahead of the store's: from when on others may go on. Raises StoreError."""
        now = self._clock.now()
        # A clock that tests move is far from the store's, and the same for all engines.
        return min(now, self.leases.now()) if self._clock.runs_by_itself else now

    def covers(self, seconds: float) -> bool:
        """Whether what was handed over so long ago is this engine's for certain, without asking the store."""
        if not self._is_shared:
            return True
        if self.is_lost:
            return False
        now = uptime()
        return now - self._signed < DOUBT * HEARTBEAT and now - seconds > self._signed_on

    def keep(self, engine: object) -> None:
        """Give signs of life, the first in a while, until the engine signs off or nobody holds ``engine`` any more."""
        if self._is_shared:
            self._engine = weakref.ref(engine)
            self._thread.start()

    def announce_end(self) -> None:
        """Tell others that this engine is about to end; what it has in hand still goes on."""
        if self._is_shared:
            try:
                self.leases.close(self.engine_id)
            except StoreError as error:
                logger.warning("the engine could not tell that it stops: %s", error)

    def sign_off(self) -> None:
        """Give no further sign of life, and leave what is open to others."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        failpoints.reach("before-sign-off")
        try:
            self.leases.end(self.engine_id, self.moment())
        except StoreError as error:
            logger.warning("the engine could not sign off: %s", error)
        failpoints.reach("after-sign-off")

    def _renew(self) -> None:
        with self._facilities.store.ahead():
            self._renew_until_end()

    def _renew_until_end(self) -> None:
        while not self._stopped.wait(HEARTBEAT) and self._engine() is not None:
            now = uptime()
            try:
                if self.leases.renew(self.engine_id):
                    self._signed = now
                else:
                    # The next commit finds out too; the river begins anew.
                    self.is_lost = True
            except StoreClosed:
                return
            except StoreError as error:
                logger.warning("the engine cannot give a sign of life: %s", error)
