"""Serving the application with waitress: on the loopback, and closing without dropping an answer."""

from __future__ import annotations

import ctypes
import gc
import math
import signal
import socket
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server

from ..engine.errors import Invalid
from .access.loopback import ADD_A_RULE, is_loopback
from .connections import Channel, Threads, expire, make_room
from .parking import answered
from .polling import Poller

DRAIN = 30.0
POLL = 0.25
CROWD = 500
"""Connections that are many to look at."""
CONNECTIONS = 2_000
"""That a server holds at the same time; each takes some 12 kB."""
MOST_CROWDED = 50
"""Connections beyond that before no further one is accepted, and the fewest that are held at all."""
OTHER_FILES = 200
"""Files that a server needs beside its connections."""
THREADS = 32
"""Of requests that are answered at the same time: the more there are, the more of them share a commit."""
YOUNG = 10_000
"""How many objects may be new before the search for rubbish among them."""
M_ARENA_MAX = -8
"""From glibc's ``malloc.h``."""
POOLS = 2
# Above every limit of the application, so that the application's own problem is the answer to a large body.
LARGEST_BODY = 64 * 1024 * 1024


def refuse_remote(host: str) -> None:
    """Raise Invalid for an address that other machines can reach; for where there is no access rule."""
    if host != "localhost" and not is_loopback(host):
        text = (
            f"Refusing to listen on {host!r}: no access rule is set, so anyone who reaches it could delete everything"
        )
        raise Invalid(f"{text}; listen on 127.0.0.1, or {ADD_A_RULE}.", code="remote-refused")


def asked_to_stop() -> threading.Event:
    """What SIGTERM and SIGINT set from now on, where they would end the process; to be called in the main thread."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    return asked


def spare_what_lasts() -> None:
    """Let no search for cyclic rubbish look at what is there now, and let there be fewer of them.

    For a process that only serves: what it has loaded it keeps until its end, and each search among all of that makes
    everybody wait. Answering 32 requests at once has more objects in hand than Python searches after unless told so.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


def share_memory() -> None:
    """Let all threads take large pieces of memory from a few pools, before there are threads.

    glibc has 8 pools for each processor, and each keeps what its threads have given back; others have no such thing.

    A server's threads hold Python's lock while they take memory, so they do not wait for one another at a pool.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, POOLS)


def allow_connections() -> int:
    """Let this process open as many files as that takes, as far as it may; how many connections it can hold."""
    wanted = CONNECTIONS + OTHER_FILES
    try:
        import resource  # not everywhere
    except ImportError:
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < wanted:
        soft = wanted if hard < 0 else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return CONNECTIONS if soft < 0 else max(MOST_CROWDED, min(CONNECTIONS, soft - OTHER_FILES))


def _refuse_used(host: str, port: int) -> None:
    """Raise Invalid for a place at which nobody can listen, of which the web server names neither address nor port."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
    except OSError as error:
        text = f"Cannot listen on port {port} of {host}: {error.strerror or 'there is no such address'}."
        raise Invalid(f"{text} Choose another by --port, or end what listens there.", code="port-unavailable") from None


class Server:
    """A listening server; ``url`` is where it is reached."""

    def __init__(
        self, app: Flask, host: str, port: int, stopping: threading.Event | None = None, *, most: int | None = None
    ) -> None:
        """``stopping`` makes it stop when it is set, by others too; ``most`` is how many connections it holds."""
        self.channels: dict[int, Any] = {}
        self.stopping = stopping or threading.Event()
        self.most = allow_connections() if most is None else most
        self._looked = 0.0
        _refuse_used(host, port)
        self.waitress = create_server(
            partial(answered, app),
            map=self.channels,
            _dispatcher=Threads(THREADS),
            host=host,
            port=port,
            # Idle connections give way before this is reached.
            connection_limit=self.most + MOST_CROWDED,
            max_request_body_size=LARGEST_BODY,
            ident="riverstone",
            # The application itself must see that a request was forwarded.
            clear_untrusted_proxy_headers=False,
        )
        self._poller = Poller(self.channels)
        for listening in self._listening():
            listening.channel_class = partial(Channel, poller=self._poller)
            self._poller.pull = listening.trigger.pull_trigger
            listening.pull_trigger = self._poller.wake
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._listening()[0].getsockname()[1]}"

    def run(self) -> None:
        """Serve until it is stopped, then answer what was already asked and return."""
        while not self.stopping.is_set():
            # Now and then every connection is asked what it wants, the less often the more there are.
            most = POLL if len(self.channels) < CROWD else 2 * POLL
            self._poller.look(most, every=most)
            self._make_room()
        self._drain()

    def stop(self) -> None:
        """Make :meth:`run` end; may be called from any thread."""
        self.stopping.set()

    def _make_room(self) -> None:
        """Look after the connections four times a second, and at once while there are too many."""
        now = time.monotonic()
        if now - self._looked > POLL or len(self.channels) > self.most:
            self._looked = now
            channels = self._channels()
            expire(channels, now)
            make_room(channels, self.most)

    def _drain(self) -> None:
        for listening in self._listening():
            listening.del_channel(self.channels)
            if listening.socket is not None:
                listening.socket.close()
        deadline = time.monotonic() + DRAIN
        while self._answering() and time.monotonic() < deadline:
            # Whoever waits is told how things stand now.
            expire(self._channels(), math.inf)
            self._poller.look(POLL / 10)
        self.waitress.task_dispatcher.shutdown()
        wasyncore.close_all(self.channels)
        self._poller.close()

    def _channels(self) -> list[Channel]:
        return [one for one in self.channels.values() if isinstance(one, Channel)]

    def _listening(self) -> list[Any]:
        return [one for one in self.channels.values() if isinstance(one, BaseWSGIServer)]

    def _answering(self) -> bool:
        channels = [one for one in self.channels.values() if isinstance(one, HTTPChannel)]
        return any(channel.requests or channel.total_outbufs_len for channel in channels)
