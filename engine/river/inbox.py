"""Commands that wait to be stepped, and what came of them for whoever asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from ..errors import EngineClosed
from .turn import Action

SHARE = 64
"""Commands of a batch that may be the work of one process while others wait."""


class StepResult:
    """What came of a command, for the thread that steps it; as a future, but without what other threads need."""

    __slots__ = ("_error", "_result", "is_there")

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self.is_there = False

    def set_result(self, result: Any) -> None:
        self._result = result
        self.is_there = True

    def set_exception(self, error: BaseException | None) -> None:
        self._error = error
        self.is_there = True

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result


class AwaitedResult(StepResult):
    """The same for one thread that waits for it: a single lock, where a future has a condition and its list.

    ``then`` is called with the result in the thread that steps, before anything else is; ``failed`` where there is
    none, once the error is here.
    """

    __slots__ = ("_failed", "_then", "_there")

    def __init__(self, then: Callable[[Any], None] | None = None, failed: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._then = then
        self._failed = failed
        self._there = threading.Lock()
        self._there.acquire()

    def set_result(self, result: Any) -> None:
        if self._then is not None:
            self._then(result)
        super().set_result(result)
        self._there.release()

    def set_exception(self, error: BaseException | None) -> None:
        super().set_exception(error)
        self._there.release()
        if self._failed is not None:
            self._failed()

    def result(self) -> Any:
        """Wait for it; once."""
        self._there.acquire()
        return super().result()


class Command:
    """One action in the inbox, and who is told what came of it; ``otherwise`` is stepped if it cannot be.

    ``about`` is the process whose work it is, where there may be very many of one; 0 for what somebody asks for.
    ``waited`` counts how often it has waited for a model.
    """

    __slots__ = ("about", "action", "otherwise", "result", "waited")

    def __init__(
        self,
        action: Action,
        result: Future[Any] | StepResult | None = None,
        otherwise: Action | None = None,
        about: int = 0,
    ) -> None:
        self.action = action
        self.result = result
        self.otherwise = otherwise
        self.about = about
        self.waited = 0


class Inbox:
    """The commands of one river, in the order of their coming; used from any thread.

    Where more wait than one batch takes, the work of one process gets no more than its share while others wait.
    """

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.closed = False
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._sleeping = False
        """Whether a thread sleeps until something arrives: telling a condition costs, and often nobody waits for it."""

    def submit(self, command: Command) -> None:
        """Queue a command that somebody waits for; raises EngineClosed where nobody would step it."""
        with self._lock:
            if self.closed:
                raise EngineClosed("The engine is closed: make a new one.")
            self.commands.append(command)
            if self._sleeping:
                self._wake()

    def put(self, commands: Iterable[Command]) -> None:
        """Queue commands together, even where the store has what they are about for others, should nobody step them."""
        with self._lock:
            self.commands.extend(commands)
            if self._sleeping:
                self._wake()

    def put_back(self, commands: Sequence[Command]) -> None:
        """Queue commands again that were taken out and not stepped, before all that has come since."""
        with self._lock:
            self.commands[:0] = commands

    def take(self, most: int) -> list[Command]:
        """Take out the oldest commands, those of each process in the order of their coming."""
        with self._lock:
            batch = self.commands
            if len(batch) <= most:
                self.commands = []
            else:
                batch, self.commands = _shared_out(batch, most)
        return batch

    def wake(self) -> None:
        """Let the thread go on that sleeps until something arrives."""
        with self._lock:
            if self._sleeping:
                self._wake()

    def _wake(self) -> None:
        self._sleeping = False
        self._arrived.notify_all()

    def sleep(self, seconds: Callable[[], float], until: Callable[[], bool]) -> None:
        """Sleep until something arrives, at most so long; not at all if a command waits, or ``until`` says so."""
        with self._lock:
            if self.commands or until():
                return
            self._sleeping = True
            self._arrived.wait(seconds())
            self._sleeping = False

    def close(self, *, even_if_full: bool) -> None:
        """Take nothing more, unless commands still wait."""
        with self._lock:
            self.closed = even_if_full or not self.commands


def _shared_out(commands: Sequence[Command], most: int) -> tuple[list[Command], list[Command]]:
    """The next batch, and what stays: what was asked for first, then of each process the oldest up to its share."""
    asked: list[Command] = []
    work: list[Command] = []
    stay: list[Command] = []
    shares: dict[int, int] = {}
    room = most
    for place, command in enumerate(commands):
        if not room:
            stay += commands[place:]
            break
        about = command.about
        if about:
            shares[about] = share = shares.get(about, 0) + 1
            if share > SHARE:
                stay.append(command)
                continue
        (work if about else asked).append(command)
        room -= 1
    return asked + work + stay[:room], stay[room:]
