"""A small cloud of stones, one engine on a real SQLite file, and its application, over HTTP and without."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields

from riverstone.api import create_app
from riverstone.api.server import Server
from riverstone.engine import Engine, Stone

from . import processes
from .asking import Client


class Make(Stone):
    """Makes a thing and can remove it."""

    code = "make"
    parameters = {"size": fields.Integer(load_default=1)}

    def start(self, task: Any) -> None:
        task.add_output("thing", f"thing-{task.parameters['size']}")

    def delete(self, task: Any) -> None:
        """There is nothing to remove but the record of it."""

    def mock(self, task: Any) -> None:
        """Pretend."""


class Break(Stone):
    """Fails unless it is told otherwise."""

    code = "break"
    parameters = {"works": fields.Boolean(load_default=False)}

    def start(self, task: Any) -> None:
        if not task.parameters["works"]:
            raise RuntimeError("the saw is blunt")


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    with Engine(sqlite, stones=[Make, Break]) as engine:
        yield engine


@pytest.fixture
def client(engine: Engine) -> Client:
    return Client(create_app(engine))


@pytest.fixture
def key(engine: Engine) -> str:
    """The key of a deployed process of one working stone."""
    return engine.deploy(processes.making()).key


@pytest.fixture
def address(engine: Engine) -> Iterator[str]:
    """Where the application is served by real HTTP, on the loopback."""
    server = Server(create_app(engine), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.url
    server.stop()
    thread.join()
