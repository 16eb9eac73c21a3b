"""Serving the application with waitress: on the loopback, and closing without dropping an answer."""

from __future__ import annotations

import gc
import signal
import threading
import time
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import WSGITask

from ..engine.errors import Invalid
from .access.loopback import ADD_A_RULE, is_loopback

DRAIN = 30.0
POLL = 0.25
THREADS = 32
"""Of requests that are answered at the same time: the more there are, the more of them share a commit."""
YOUNG = 10_000
"""How many objects may be new before the search for rubbish among them."""
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


class Channel(HTTPChannel):
    """A connection on which the head of an answer may be held back until what follows is there."""

    held: list[bytes] | None = None

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


class Server:
    """A listening server; ``url`` is where it is reached."""

    def __init__(self, app: Flask, host: str, port: int, stopping: threading.Event | None = None) -> None:
        """``stopping`` makes it stop when it is set, by others too."""
        self.channels: dict[int, Any] = {}
        self.stopping = stopping or threading.Event()
        self.waitress = create_server(
            app,
            map=self.channels,
            host=host,
            port=port,
            threads=THREADS,
            max_request_body_size=LARGEST_BODY,
            ident="riverstone",
            # The application itself must see that a request was forwarded.
            clear_untrusted_proxy_headers=False,
        )
        for listening in self._listening():
            listening.channel_class = Channel
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._listening()[0].getsockname()[1]}"

    def run(self) -> None:
        """Serve until it is stopped, then answer what was already asked and return."""
        while not self.stopping.is_set():
            wasyncore.loop(timeout=POLL, map=self.channels, count=1)
        self._drain()

    def stop(self) -> None:
        """Make :meth:`run` end; may be called from any thread."""
        self.stopping.set()

    def _drain(self) -> None:
        for listening in self._listening():
            listening.del_channel(self.channels)
            if listening.socket is not None:
                listening.socket.close()
        deadline = time.monotonic() + DRAIN
        while self._answering() and time.monotonic() < deadline:
            wasyncore.loop(timeout=POLL / 10, map=self.channels, count=1)
        self.waitress.task_dispatcher.shutdown()
        wasyncore.close_all(self.channels)

    def _listening(self) -> list[BaseWSGIServer]:
        return [one for one in self.channels.values() if isinstance(one, BaseWSGIServer)]

    def _answering(self) -> bool:
        channels = [one for one in self.channels.values() if isinstance(one, HTTPChannel)]
        return any(channel.requests or channel.total_outbufs_len for channel in channels)
