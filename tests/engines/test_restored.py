"""A restored database gives out no id twice, and is not touched while an engine works on it."""

from __future__ import annotations

import pytest

from riverstone.engine import Conflict, Engine

from ..features.sketch import line, service


def test_ids_are_skipped_only_when_no_engine_works_on_the_database(url: str) -> None:
    with Engine(url, dispatcher="threads") as server:
        server.stone("make")(lambda task: None)
        server.deploy(line("making", service("a", "make")))
        number = server.start(key="making", name="x").process_instance_id
        with Engine(url, passive=True) as operator, pytest.raises(Conflict, match=r"process \d+") as refused:
            operator.restored("1000")
        assert refused.value.code == "engines-at-work"
        assert int(server.start(key="making", name="x").process_instance_id) < 1000
    with Engine(url, passive=True) as operator:
        assert int(operator.restored("1000")) == 1001 > int(number)
