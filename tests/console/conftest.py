"""A served engine with the sample stones, and a real browser that looks at its console."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from riverstone.api import create_app
from riverstone.api.server import Server
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine

from .looking import Looker


class Studio:
    """An engine on threads, served by real HTTP at an address that stays the same while the server comes and goes."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.cloud = Cloud()
        kinds = stones(self.cloud, pace=0.05)
        self.engine = Engine(f"sqlite:///{folder / 'store.db'}", stones=kinds, dispatcher="threads", **options)
        self.port = 0
        self.server: Server | None = None
        self.open()

    def open(self) -> None:
        """Serve."""
        self.server = Server(create_app(self.engine), "127.0.0.1", self.port)
        self.url = self.server.url
        self.port = int(self.url.rpartition(":")[2])
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def shut(self) -> None:
        """Serve no more; the engine goes on."""
        if self.server is not None:
            self.server.stop()
            self.thread.join()
        self.server = None

    def close(self) -> None:
        self.shut()
        self.engine.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path)
    yield studio
    studio.close()


@pytest.fixture
def looker(browser: Browser, studio: Studio) -> Iterator[Looker]:
    """Somebody at a desk, who reads English."""
    with Looker(browser, studio.url) as looker:
        yield looker


@pytest.fixture
def somebody(browser: Browser, studio: Studio) -> Iterator[Any]:
    """A function that brings somebody who looks otherwise: with another language, width or colours."""
    present: list[Looker] = []

    def bring(**options: Any) -> Looker:
        present.append(Looker(browser, studio.url, **options).__enter__())
        return present[-1]

    yield bring
    for looker in present:
        looker.__exit__(None, None, None)
