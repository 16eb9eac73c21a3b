from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Engine

from . import brokers
from .crew import Crew, hasten


@pytest.fixture(scope="module", params=brokers.KINDS)
def team(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crew, Engine]]:
    """A worker and an engine that stay for all stories of a module, on each kind of broker."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch, brokers.fresh(request.param, folder) as broker:
        hasten(patch)
        crew = Crew(f"sqlite:///{folder}/store.db", broker, folder)
        crew.worker("--concurrency", "2")
        with crew.river() as engine:
            yield crew, engine
        crew.close()


@pytest.fixture(params=brokers.KINDS)
def crew(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """Nobody at work yet, on an SQLite store and on each kind of broker, or on the one that a test names."""
    hasten(monkeypatch)
    with brokers.fresh(request.param, tmp_path) as broker:
        made = Crew(f"sqlite:///{tmp_path}/store.db", broker, tmp_path)
        yield made
        made.close()
