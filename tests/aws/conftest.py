from __future__ import annotations

from collections.abc import Iterator

import pytest

from riverstone.engine import Engine

from .yard import Yard, moto


@pytest.fixture(scope="session")
def cloud() -> Iterator[Yard]:
    with moto() as url:
        yard = Yard(url)
        yield yard
        yard.close()


@pytest.fixture
def yard(cloud: Yard) -> Iterator[Yard]:
    assert not cloud.inventory(), "another test has left something"
    cloud.proxy.calls.clear()
    yield cloud
    cloud.proxy.heal()


@pytest.fixture
def engine(yard: Yard) -> Iterator[Engine]:
    with Engine("sqlite:///:memory:", stones=yard.stones, dispatcher="threads") as engine:
        yield engine
