"""Which connections a server keeps: one that says nothing, or too slowly, gives way."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from typing import Any, cast

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ThreadedTaskDispatcher, WSGITask

from .parking import CHANNEL, Parked, Ticket
from .polling import Poller, serving

SILENT = 10.0
"""Seconds in which a new connection has to begin to ask, and in which the head of a request has to come."""
SLOWEST = 16 * 1024
"""Bytes a second at which the rest of a request has to come after that."""
IDLE = 120.0
"""Seconds for which an idle connection is kept while there is room."""
UNREAD = 60.0
"""Seconds for which a client may take nothing of its answer."""
FRESH = 1.0
"""Seconds for which even a full server keeps a connection, so that who has just come may ask."""
_NAMES = re.compile(rb"\r\n([^:\s]+)[ \t]*:")
ASIDE = 2
"""Threads that answer /health alone: it is asked when all others are taken."""


class Request(HTTPRequestParser):
    """A request whose head says one thing only."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            # An address with half of an IPv6 host in it, which waitress would take for an error of its own.
            raise ParsingError("Bad URI") from None
        names = [name.lower() for name in _NAMES.findall(header_plus)]
        if b"content-length" in names and b"transfer-encoding" in names:
            # A proxy before this may take the one for the other, and the rest for another client's (RFC 9112, 6.3).
            raise ParsingError("Content-Length and Transfer-Encoding were both given")
        for name in names:
            # Dropped for its underscore; but what was forwarded is not to pass for what was not.
            if b"_" in name and b"forward" in name:
                headers = cast("dict[str, str]", self.headers)
                headers.setdefault(name.replace(b"-", b"_").decode("latin-1").upper(), "")


class Channel(HTTPChannel):
    """A connection on which a request may be parked, and the head of an answer held back until all is there."""

    held: list[bytes] | None = None
    ticket: Ticket | None = None
    """Of the request that is parked here."""

    poller: Poller | None = None
    has_said_all = False
    """Whether nothing more comes from the client, which may still read."""
    is_heard = False
    """Whether the server's thread wakes up when something comes on this connection."""

    def __init__(self, *given: Any, poller: Poller | None = None, **more: Any) -> None:
        super().__init__(*given, **more)
        self.poller = poller
        if poller is not None:
            poller.note(self)
        self.since = time.monotonic()
        """When something last went on, or the present request began."""
        self.has_asked = False
        self.taken = 0
        """Bytes of the present request so far."""

    def service(self) -> None:
        ticket = self.ticket
        if ticket is not None:
            ticket.begin()
        serving.channel = self
        try:
            super().service()
        except Parked as parked:
            # It stays the first of the requests, and is served once more.
            if not parked.ticket.park():
                self.server.add_task(self)  # type: ignore[arg-type]
            return
        finally:
            serving.channel = None
        if ticket is not None and self.ticket is ticket:
            # Whoever waited is gone. Another ticket is that of the next request, which another thread serves already.
            ticket.release()

    def readable(self) -> bool:
        if self.has_said_all and self.requests:
            return False
        if self.ticket is not None and self.request is None and len(self.requests) == 1:
            # Read while it waits, so that a client that hangs up is seen.
            return not (self.will_close or self.close_when_flushed)
        return bool(super().readable())

    def handle_read(self) -> None:
        if not (self.requests and self._says_no_more()):
            super().handle_read()
            return
        # It may still read its answer (RFC 9112, 9.6). The connection is closed after that, for its end is read again.
        self.has_said_all = True
        if (ticket := self.ticket) is not None:
            ticket.leave()

    def _says_no_more(self) -> bool:
        """Whether the client has closed its half of the connection, or all of it: that looks the same from here."""
        try:
            return not cast("socket.socket", self.socket).recv(1, socket.MSG_PEEK)
        except OSError:
            return False

    def del_channel(self, map: Any = None) -> None:
        if self.poller is not None:
            self.poller.forget(self._fileno)  # type: ignore[attr-defined]
        super().del_channel(map)

    def handle_close(self) -> None:
        super().handle_close()
        if (ticket := self.ticket) is not None:
            ticket.wake()

    def received(self, data: bytes) -> bool:
        begins = self.request is None
        took = bool(super().received(data))
        if begins or self.request is None:
            self.since, self.taken = time.monotonic(), 0
        self.has_asked = self.has_asked or self.request is None
        self.taken += len(data)
        return took

    def _flush_some(self, do_close: bool = True) -> bool:
        before = self.total_outbufs_len
        # Only the server's thread closes it, which may just be looking at it.
        do_close = do_close and serving.channel is None
        flushed = bool(super()._flush_some(do_close=do_close))  # type: ignore[misc]
        if self.total_outbufs_len != before:
            self.since = time.monotonic()
        return flushed

    def is_idle(self) -> bool:
        """Whether nothing is to be done for it."""
        return not (self.requests or self.total_outbufs_len or self.request)

    def is_overdue(self, now: float) -> bool:
        """Whether the other side has had its time."""
        waited = now - self.since
        if self.total_outbufs_len:
            return waited > UNREAD
        if self.requests:
            return False
        if self.request is None:
            return waited > (IDLE if self.has_asked else SILENT)
        if waited <= SILENT:
            return False
        return not self.request.headers_finished or self.taken < SLOWEST * (waited - SILENT)

    def write_soon(self, data: Any) -> int:
        if self.held is None:
            return int(super().write_soon(data))
        self.held.append(data)
        return len(data)

    def let_go(self) -> None:
        """Send what was held back, in one piece."""
        held, self.held = self.held, None
        super().write_soon(b"".join(held or ()))


class AnswerTask(WSGITask):
    """Sends the head of an answer together with the first of its body: one packet, and one wait for its turn."""

    channel: Channel

    def get_environment(self) -> dict[str, Any]:
        if (ticket := self.channel.ticket) is not None:
            return ticket.environ
        environ: dict[str, Any] = super().get_environment()
        environ[CHANNEL] = self.channel
        environ["wsgi.input"].seek(0)
        path = str(getattr(self.request, "path", ""))
        if path.startswith("//"):
            # Another path, however many slashes are one to others.
            environ["PATH_INFO"] = path
        return environ

    def write(self, data: bytes) -> None:
        if self.wrote_header:
            super().write(data)
            return
        self.channel.held = []
        try:
            super().write(data)
        finally:
            self.channel.let_go()


Channel.task_class = AnswerTask
Channel.parser_class = Request


class Threads(ThreadedTaskDispatcher):
    """The threads that answer, and a few aside for questions after the server's health.

    A request wakes one thread; that one, having taken it, wakes the next if more are waiting and nobody is waking up
    already. So short requests keep few threads busy, and a long one holds nobody up.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self._idle = 0
        self._is_waking = False
        self.set_thread_count(count)
        self._aside = ThreadedTaskDispatcher()
        self._aside.set_thread_count(ASIDE)

    def add_task(self, task: Any) -> None:
        if task.requests and str(getattr(task.requests[0], "path", "")).startswith("/health/"):
            self._aside.add_task(task)
            return
        with self.lock:
            self.queue.append(task)
            self._wake_one()
            surplus = len(self.queue) - self._idle
            if surplus > 0:
                self.queue_logger.warning("Task queue depth is %d", surplus)

    def handler_thread(self, thread_no: int) -> None:
        while (task := self._next(thread_no)) is not None:
            try:
                task.service()
            except BaseException:
                self.logger.exception("Exception when servicing %r", task)

    def _next(self, thread_no: int) -> Any:
        """What this thread serves next, once there is something; None where it is to end."""
        with self.lock:
            while not self.queue and not self.stop_count:
                self._idle += 1
                self.active_count -= 1
                self.queue_cv.wait()
                self.active_count += 1
                self._idle -= 1
                self._is_waking = False
            if self.stop_count:
                self.active_count -= 1
                self.stop_count -= 1
                self.threads.discard(thread_no)
                self.thread_exit_cv.notify()
                return None
            task = self.queue.popleft()
            self._wake_one()
            return task

    def _wake_one(self) -> None:
        """See to it that somebody serves the next that waits; called with the lock held."""
        if self.queue and self._idle and not self._is_waking:
            self._is_waking = True
            self.queue_cv.notify()

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:
        self._aside.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout))


def expire(channels: Iterable[Channel], now: float) -> None:
    """Have those parked requests answered whose time is over by then."""
    for channel in channels:
        ticket = channel.ticket
        if ticket is not None and not ticket.expired and now >= ticket.due:
            ticket.expire()


def make_room(channels: Iterable[Channel], most: int) -> None:
    """Close what is overdue, and beyond ``most`` connections those that have waited longest: the idle ones first."""
    now = time.monotonic()
    kept = []
    for channel in channels:
        if channel.is_overdue(now):
            channel.handle_close()
        else:
            kept.append(channel)
    surplus = len(kept) - most
    if surplus <= 0:
        return
    waiting = [each for each in kept if not each.requests and now - each.since > FRESH]
    waiting.sort(key=lambda each: (not each.is_idle(), each.since))
    for channel in waiting[:surplus]:
        channel.handle_close()
