"""What engines on one PostgreSQL tell one another at once, by LISTEN and NOTIFY.

It is a hint to look into the store and nothing more: what is lost with a connection, or with a pool of connections in
between that passes on no notifications, is found by those who look from time to time.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from typing import Any

CHANNEL = "riverstone"
TELL = f"SELECT pg_notify('{CHANNEL}', ?)"
LONGEST = 1_900
"""Characters of one notification; the server takes less than 8,000 bytes, which is four for each."""
AGAIN = 1.0
"""Seconds until a connection that was lost is made anew."""


class NewsListener:
    """A thread with a connection of its own; ``heard`` is called there with each text.

    The text is empty where something may have been missed.
    """

    def __init__(
        self, connect: Callable[[], Any], drivers: tuple[type[Exception], ...], heard: Callable[[str], None]
    ) -> None:
        self._connect = connect
        self._drivers = drivers
        self._heard = heard
        self.is_listening = False
        self._closed = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="riverstone-news", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        with suppress(OSError):
            self._wake.send(b".")
        self._thread.join()
        self._wake.close()
        self._woken.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            with suppress(*self._drivers, OSError), closing(self._connect()) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                self.is_listening = True
                self._heard("")
                self._listen(connection.pgconn)
            self.is_listening = False
            self._closed.wait(AGAIN)

    def _listen(self, connection: Any) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closed.is_set():
                connection.consume_input()
                while (notice := connection.notifies()) is not None:
                    self._heard(notice.extra.decode(errors="replace"))
                selector.select()


def news_of(sender: str, keys: Iterable[str]) -> list[str]:
    """Notifications of these keys, none of them too long; each begins with who tells."""
    found: list[str] = []
    for key in keys:
        if len(key) > LONGEST or "\n" in key:
            continue
        if found and len(found[-1]) + len(key) < LONGEST:
            found[-1] += f"\n{key}"
        else:
            found.append(f"{sender}\n{key}")
    return found
