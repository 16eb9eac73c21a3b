"""A database that is far away: a wire that takes its time, and what a step waits for on it."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from riverstone.engine import Engine

from ..models import stores
from . import diagrams
from .bench import Bench, Runs
from .measure import alternate
from .stones import stones
from .table import Row, milliseconds

ROUND_TRIP = 0.002
STEPS = 5
TARGET = {"postgresql": 0.025}
"""Seconds for a process of five stones."""


class SlowWire:
    """Passes on what comes, in both directions, after half of a round trip; counts what is asked."""

    def __init__(self, url: str, round_trip: float) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"{url} names no host and port.")
        self._target = parts.hostname, parts.port
        self._delay = round_trip / 2
        self.trips = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{parts.port}/", f":{self._server.getsockname()[1]}/")
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(self._target)
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._carry(client, server, counted=True)
                self._carry(server, client, counted=False)

    def _carry(self, source: socket.socket, target: socket.socket, *, counted: bool) -> None:
        under_way: deque[tuple[float, bytes]] = deque()
        arrived = threading.Semaphore(0)

        def take() -> None:
            with suppress(OSError):
                while data := source.recv(1 << 16):
                    self.trips += counted
                    under_way.append((time.perf_counter() + self._delay, data))
                    arrived.release()
            under_way.append((0.0, b""))
            arrived.release()

        def bring() -> None:
            with suppress(OSError):
                while True:
                    arrived.acquire()
                    due, data = under_way.popleft()
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    time.sleep(max(0.0, due - time.perf_counter()))
                    target.sendall(data)

        for work in (take, bring):
            threading.Thread(target=work, daemon=True).start()


def measure(bench: Bench) -> list[Row]:
    """A process of five stones from its start to its end, and how often the database was asked for it."""
    rows: list[Row] = []
    for kind in ("postgresql", "mariadb"):
        with stores.fresh(kind, bench.folder) as url, SlowWire(url, ROUND_TRIP) as wire:
            rows += _measure(bench, kind, wire)
    return rows


def _measure(bench: Bench, kind: str, wire: SlowWire) -> list[Row]:
    count = bench.size(20, 2)
    with Engine(wire.url, stones=stones, dispatcher="inline") as engine:
        runs = Runs(engine)
        run, _ = runs.of(diagrams.sequence(STEPS), count)
        run()
        before = wire.trips
        times = alternate({kind: (run, count)}, bench.rounds)[kind]
        trips = (wire.trips - before) / count / (bench.rounds + 1)
        runs.check()
    target = TARGET.get(kind)
    return [
        Row(
            f"{kind}, {ROUND_TRIP * 1000:g} ms away: {STEPS} stones",
            f"{milliseconds(times.wall)} each",
            f"{trips:.1f} questions",
            target="" if target is None else f"<= {target * 1000:g} ms",
            met=None if target is None else times.wall <= target,
        )
    ]
