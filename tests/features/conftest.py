"""What the stories share: a database of each kind in turn, a world, a clock moved by hand, and an engine on these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Engine, VirtualClock

from ..models.stores import SHARED, fresh
from .world import World


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind in turn; a module whose stories do not depend on it has another ``url``."""
    with fresh(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_800_000_000_000)


@pytest.fixture
def engine(url: str, world: World, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        yield engine
