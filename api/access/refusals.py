"""Whoever is not let in, in the audit: so many an hour each by itself, and of the rest how many they were."""

from __future__ import annotations

import logging
import threading

from flask import request

from ...engine import Engine
from .clients import Client, call_of

log = logging.getLogger("riverstone.api")

MOST = 60
"""Refusals that one server writes in an hour, since anybody can bring about any number of them."""
HOUR = 3600 * 1000
NOBODY = Client(name="unknown")


class Refusals:
    """Those of one server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._since = -HOUR
        self._written = self._left_out = 0

    def note(self, action: str, code: str, target: str | None = None) -> None:
        """Write down that the present request is refused.

        Args:
            action: What it asks for.
            code: The code of the refusal.
            target: Which key it shows, if any has that form; never a secret.
        """
        now = self._engine.clock.now()
        with self._lock:
            left_out = 0
            if not 0 <= now - self._since < HOUR:
                left_out, self._since, self._written, self._left_out = self._left_out, now, 0, 0
            self._written += 1
            number = self._written
            if number > MOST:
                self._left_out += 1
        if number == MOST + 1:
            log.warning("More than %d refusals in an hour: the audit tells later how many more there were.", MOST)
        if number > MOST:
            return
        if left_out:
            self._write(action, "left-out", f"{left_out} more")
        self._write(action, code, target)

    def _write(self, action: str, outcome: str, target: str | None) -> None:
        self._engine.audit.write(call_of(NOBODY, request.environ, action, target), outcome)
