"""Requests that wait for something without a thread each: parked on their connection, and answered when woken.

Only this project's own server can park. Under any other a few requests wait in their threads and the rest is answered
at once, since a server whose threads all wait answers nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from flask import Flask, Response, copy_current_request_context, current_app, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CHANNEL = "riverstone.channel"
"""Where the WSGI environment has the connection, if requests on it can be parked."""
ADMIT = "riverstone.admit"
"""Where it has what lets the client in once more: its key may be revoked while the request waits."""
LONGEST = 60
"""Seconds for which a request waits at most."""
WAITING_THREADS = 8
"""Requests that may wait in threads of a server which cannot park them."""
STEP = 0.1
"""Seconds after which a thread that waits carries out what is due in an inline engine."""
_threads = threading.Semaphore(WAITING_THREADS)


class Parked(BaseException):
    """Thrown through the application when its request has been parked; no error, so nothing on the way catches it."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__()
        self.ticket = ticket


class Watched(Protocol):
    """Whatever calls when it is worth to look again."""

    def stop(self) -> object:
        """Call no more."""


Look = Callable[[bool], Response | None]
"""The answer, or None while there is none yet; called with true there has to be one."""


class Ticket:
    """One request that waits: running, then parked, then woken; a wake while it runs is not lost.

    The application has it once. What answers it later runs in the request's own context, without another way through
    the application.
    """

    def __init__(self, channel: Any, look: Look, due: float, nothing: Callable[[], Response] | None = None) -> None:
        self.channel = channel
        self.look = look
        self.nothing = nothing or partial(_last, look)
        """The answer to a client that says no more."""
        self.due = due
        """By the monotonic clock."""
        self.expired = False
        self.is_left = False
        self.watched: Watched | None = None
        self.environ: WSGIEnvironment = request.environ
        self.answer: Callable[[], Response] = copy_current_request_context(self._answer)
        """The answer as the application gives it; raises Parked if there is none yet."""
        self._state: Literal["running", "parked", "woken"] = "running"
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Have it looked for the answer again; from any thread."""
        with self._lock:
            was, self._state = self._state, "woken"
        if was == "parked":
            self.channel.server.add_task(self.channel)

    def expire(self) -> None:
        """Have it answered now, whatever there is."""
        self.expired = True
        self.wake()

    def leave(self) -> None:
        """Have it answered now: the client says no more, and may be gone."""
        self.is_left = True
        self.expire()

    def begin(self) -> None:
        """It is looked for the answer: what wakes it from now on is news."""
        with self._lock:
            self._state = "running"

    def park(self) -> bool:
        """Let the thread go; false if there is something new already."""
        with self._lock:
            if self._state == "woken":
                return False
            self._state = "parked"
            return True

    def go_on(self) -> Response:
        """The answer; raises Parked if there is none yet."""
        try:
            answer = self.nothing() if self.is_left else self.look(self.expired)
        except BaseException:
            self.release()
            raise
        if answer is None:
            raise Parked(self)
        self.release()
        return answer

    def _answer(self) -> Response:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        try:
            try:
                if (admit := self.environ.get(ADMIT)) is not None:
                    admit()
                answer: Any = self.go_on()
            except Exception as error:
                answer = app.handle_user_exception(error)
            return app.finalize_request(answer)
        except Exception as error:
            return app.handle_exception(error)

    def release(self) -> None:
        """Nobody waits any more."""
        self.channel.ticket = None
        if self.watched is not None:
            self.watched.stop()


def answered(app: Flask, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application, which a request that was parked does not see again."""
    ticket: Ticket | None = environ[CHANNEL].ticket
    answer = app if ticket is None else ticket.answer()
    return answer(environ, start_response)


def hold(
    seconds: float,
    look: Look,
    watch: Callable[[Callable[[], None]], Watched],
    pump: Callable[[], object] | None,
    nothing: Callable[[], Response] | None = None,
) -> Response:
    """The answer to the present request once there is one, at the latest after so many seconds.

    Args:
        seconds: At most ``LONGEST``.
        look: The answer, or None while there is none yet. Called with true it has to give one.
        watch: Given a function that never blocks, begins to call it whenever it is worth to look again.
        pump: For what goes on only while it is called: called again and again by the thread that then has to wait.
        nothing: The answer to a client that has closed its half of the connection. It may still read (RFC 9112, 9.6),
            or be gone: so nothing is taken for it. By default that is what ``look`` gives at the end.
    """
    seconds = min(seconds, LONGEST)
    if seconds <= 0:
        return _last(look)
    channel = request.environ.get(CHANNEL)
    due = time.monotonic() + seconds
    if channel is None or pump is not None:
        return _hold_in_thread(due, look, watch, pump)
    ticket = channel.ticket = Ticket(channel, look, due, nothing)
    try:
        ticket.watched = watch(ticket.wake)
    except BaseException:
        ticket.release()
        raise
    # The first look, now that what comes after it is told of.
    return ticket.go_on()


def _hold_in_thread(
    due: float, look: Look, watch: Callable[[Callable[[], None]], Watched], pump: Callable[[], object] | None
) -> Response:
    may_wait = _threads.acquire(blocking=False)
    if not may_wait:
        return _last(look)
    woken = threading.Event()
    admit = request.environ.get(ADMIT)
    watched = watch(woken.set)
    try:
        while (left := due - time.monotonic()) > 0:
            if pump is not None:
                pump()
            if (answer := look(False)) is not None:
                return answer
            woken.wait(left if pump is None else min(STEP, left))
            woken.clear()
            if admit is not None:
                admit()
        return _last(look)
    finally:
        watched.stop()
        _threads.release()


def _last(look: Look) -> Response:
    answer = look(True)
    assert answer is not None
    return answer
