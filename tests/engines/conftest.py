"""Two engines on one store, each with its own copies in memory; they carry out stones only when they are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Engine, VirtualClock

from ..models.stores import SHARED, fresh


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_800_000_000_000)


@pytest.fixture
def one(url: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, clock=clock) as engine:
        yield engine


@pytest.fixture
def other(url: str, clock: VirtualClock, one: Engine) -> Iterator[Engine]:
    """The second; it takes over nothing by itself."""
    with Engine(url, clock=clock, passive=True) as engine:
        yield engine
