"""The stories of what must never go wrong are told on every kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ..models.stores import SHARED, Emptied


@pytest.fixture(scope="session")
def emptied() -> Iterator[Emptied]:
    with closing(Emptied()) as emptied:
        yield emptied


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, emptied: Emptied, tmp_path: Path) -> str:
    """An empty database of each kind in turn."""
    return emptied.url(request.param, tmp_path)
