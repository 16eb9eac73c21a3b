"""A server of one engine, asked in process, and a stone that says what it was given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields

from riverstone.api import create_app
from riverstone.engine import Engine, Stone

from ..api.asking import Client


class Say(Stone):
    """Puts out what it was given."""

    code = "say"
    parameters = {"what": fields.Raw(load_default=None)}

    def start(self, task: Any) -> None:
        task.add_output("said", task.parameters["what"])


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    with Engine(sqlite, stones=[Say]) as engine:
        yield engine


@pytest.fixture
def client(engine: Engine) -> Client:
    return Client(create_app(engine))
