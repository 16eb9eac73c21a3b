"""Lists of the library take a number of entries that there can be, and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from riverstone.engine import Engine, Malformed


def lists() -> list[str]:
    members = inspect.getmembers(Engine, inspect.isfunction)
    return [
        name for name, each in members if not name.startswith("_") and "limit" in inspect.signature(each).parameters
    ]


def asked(call: Callable[..., Any], limit: Any) -> Any:
    needed = [each for each in inspect.signature(call).parameters.values() if each.default is inspect.Parameter.empty]
    return call(*("1" for _ in needed), limit=limit)


@pytest.mark.parametrize("name", lists())
def test_a_limit_is_a_whole_number_from_1_on(name: str) -> None:
    with Engine("sqlite:///:memory:") as engine:
        for limit in (0, -1, True, 1.5, "5", *(() if name == "tasks" else (None,))):
            with pytest.raises(Malformed, match="give a whole number from 1 on") as refused:
                asked(getattr(engine, name), limit)
            assert refused.value.code == "limit"


def test_all_lists_of_the_library_are_among_them() -> None:
    assert {"instances", "search", "models", "deployments", "resources", "tasks", "history"} <= set(lists())
