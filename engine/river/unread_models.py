"""Commands that need a model which is not in memory: it is read beside the steps, and others do not wait for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from ..authoring.definitions import Definitions, ModelUnread
from .inbox import Command

READERS = 4
"""Models that are read at the same time, so that a small one does not wait for a large one."""
TRIES = 3
"""How often a command waits for a model. After that it is read within the step: another took its place in memory."""


class UnreadModels:
    """Of one river; all but the reading itself is done where the steps run.

    The commands that wait for one model stay in the order of their coming, and so do those that come until it is read.
    """

    def __init__(self, definitions: Definitions, wake: Callable[[], None]) -> None:
        """``wake`` is called from another thread when a model has been read."""
        self._definitions = definitions
        self._wake = wake
        self._waiting: dict[str, list[Command]] = {}
        self.read: deque[str] = deque()
        """Deployments whose models have been read since: the commands that waited for these can be stepped."""
        self._reader: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return sum(map(len, list(self._waiting.values())))

    def begin(self, command: Command) -> None:
        """From now on this thread steps this command, and is refused what would have to be read."""
        is_aside = self._definitions.are_read_aside and command.waited < TRIES
        self._definitions.stepper = threading.get_ident() if is_aside else 0

    def end(self) -> None:
        """The step is over."""
        self._definitions.stepper = 0

    def put_aside(self, command: Command, unread: ModelUnread) -> None:
        """Have the model read that a command needs."""
        command.waited += 1
        waiting = self._waiting.get(unread.deployment_id)
        if waiting is not None:
            waiting.append(command)
            return
        self._waiting[unread.deployment_id] = [command]
        self._definitions.awaited.add(unread.deployment_id)
        if self._reader is None:
            self._reader = ThreadPoolExecutor(READERS, "riverstone-models")
        self._reader.submit(self._read_model, unread)

    def _read_model(self, unread: ModelUnread) -> None:
        # Where it cannot be read, the steps that need it are told.
        with suppress(Exception):
            unread.read()
        self.read.append(unread.deployment_id)
        self._wake()

    def take_back(self) -> list[Command]:
        """The commands whose models have been read since."""
        commands: list[Command] = []
        while self.read:
            deployment_id = self.read.popleft()
            self._definitions.awaited.discard(deployment_id)
            commands += self._waiting.pop(deployment_id, ())
        return commands

    def close(self) -> list[Command]:
        """Let nothing wait any more; what has waited."""
        self._definitions.are_read_aside = False
        commands = [command for waiting in self._waiting.values() for command in waiting]
        self._waiting.clear()
        self._definitions.awaited.clear()
        return commands

    def end_reading(self) -> None:
        """Return when the model that is being read, if any, has been."""
        if self._reader is not None:
            self._reader.shutdown(cancel_futures=True)
