"""Lines of hooks that still run, told once a second, so that a long one can be watched.

A hook that says nothing costs nothing, and one that ends within a second tells its lines with its outcome alone. That
always tells all of them: what is told here may be lost.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from ... import jsontext
from ...callback_tokens import secret_part
from ...mask import Mask
from ...observing import logs
from ...work import LiveLines, Work, last_lines

if TYPE_CHECKING:
    from .task_info import TaskInfo

logger = logging.getLogger("riverstone.stone")

PAUSE = 1.0
"""Seconds from a line until it is told, and so between two tellings of one hook."""
MOST_AT_ONCE = 20
"""Hooks of this process whose lines are told in a second; the others' turn comes later."""

Tell = Callable[[LiveLines], None]


class LiveLog:
    """The lines of one call of a hook."""

    __slots__ = ("_ended", "_is_noted", "_lock", "_tell", "_told", "_work", "info")

    def __init__(self, work: Work, tell: Tell) -> None:
        self._work, self._tell = work, tell
        self._lock = threading.Lock()
        self._told = 0
        self._is_noted = False
        self._ended = False
        self.info: TaskInfo | None = None

    def note(self) -> None:
        """There is another line."""
        self._is_noted = True
        _pending.add(self)

    def end(self) -> None:
        """The outcome is next, and tells all lines: nothing is told here after it."""
        self._ended = True
        # Either refers to the other, and nobody should have to search for them as rubbish.
        self.info = None
        if self._is_noted:
            _pending.forget(self)
            # What is being told at this moment comes before the outcome.
            with self._lock:
                pass

    def tell(self) -> None:
        """Tell what has come since the last time."""
        with self._lock:
            info = self.info
            if self._ended or info is None:
                return
            lines = info.logged[self._told :]
            if not lines:
                return
            self._told += len(lines)
            lines = last_lines(lines)
            if info.deferral is not None:
                # The ledger hears of the token, and hides it, only with the outcome.
                mask = Mask((), [secret_part(info.deferral.token)])
                lines = [mask.mask_text(line) for line in lines]
            work = self._work
            self._tell(
                LiveLines(
                    task_id=work.task_id,
                    process_instance_id=work.process_instance_id,
                    event=work.event,
                    attempt=work.attempt,
                    delivery=work.delivery,
                    first=self._told - len(lines),
                    lines=tuple(map(jsontext.storable, lines)),
                )
            )


class _Pending:
    """The hooks of this process that have something to tell, and the thread that lets them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._something = threading.Condition(self._lock)
        self._due: OrderedDict[LiveLog, float] = OrderedDict()
        self._pid = 0

    def add(self, log: LiveLog) -> None:
        with self._lock:
            if log in self._due:
                return
            self._due[log] = time.monotonic() + PAUSE
            if self._pid != os.getpid():
                # Also the child of a process that had one.
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="riverstone-live-log", daemon=True).start()
            self._something.notify()

    def forget(self, log: LiveLog) -> None:
        with self._lock:
            self._due.pop(log, None)

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._due:
                    self._something.wait()
                now = time.monotonic()
                due: list[LiveLog] = []
                for log, when in self._due.items():
                    if when > now or len(due) == MOST_AT_ONCE:
                        break
                    due.append(log)
                for log in due:
                    del self._due[log]
            for log in due:
                try:
                    log.tell()
                except Exception as error:
                    logger.warning("lines of a running hook could not be told: %s", logs.where(error))
            time.sleep(PAUSE / 4 if len(due) < MOST_AT_ONCE else PAUSE)


_pending = _Pending()
