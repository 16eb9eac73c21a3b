"""Two engines on one store and one broker, and a worker that answers several times and in any order."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..models import stores
from . import brokers
from .hostile import torment


@pytest.mark.parametrize(("broker", "store"), [("rabbitmq", "postgresql"), ("redis", "mariadb")])
def test_answers_that_come_several_times_and_late_are_entered_once(broker: str, store: str, tmp_path: Path) -> None:
    with brokers.fresh(broker, tmp_path) as at, stores.fresh(store, tmp_path) as url:
        assert torment(at, url, 300, rivers=2)[0] >= 300
