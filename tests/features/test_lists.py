"""Lists of the library take a number of entries that there can be, and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from marshmallow import fields

from riverstone.engine import Engine, Malformed, Stone, TaskInfo

from .sketch import definitions, flow, process, runs, service


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


class Number(Stone):
    """Puts out which run it is, and a password."""

    code = "number"
    parameters: ClassVar[dict[str, Any]] = {"run": fields.Integer()}
    outputs: ClassVar[dict[str, str]] = {"run": "which"}

    def start(self, task: TaskInfo) -> None:
        task.add_output("run", task.parameters["run"])
        if "password" in self.outputs:
            task.add_output("password", f"hush-{task.parameters['run']}")


class SecretNumber(Number):
    outputs: ClassVar[dict[str, str]] = {"run": "which", "password": "a secret"}
    secret_outputs: ClassVar = frozenset({"password"})


@pytest.mark.parametrize("stone", [Number, SecretNumber])
def test_a_page_shows_a_long_ledger_as_its_record_does(stone: type[Stone], url: str) -> None:
    model = definitions(
        process(
            "long",
            '<startEvent id="s"/>',
            service("each", "number", {"run": "${loopCounter}"}, runs("150", sequential=True)),
            flow("s", "each"),
        )
    )
    with Engine(url, stones=[stone]) as engine:
        engine.deploy(model)
        numbers = [engine.start(key="long", name=f"run {each}").process_instance_id for each in range(3)]
        page = engine.instances(key="long").items
        assert page == tuple(engine.get(number) for number in reversed(numbers))
        documented = engine.records(key="long").items
        assert [each.native_outputs for each in documented] == [each.native_outputs for each in page]
    assert all(each.status == "success" and "149" in each.native_outputs for each in page)
    assert not any("hush" in each.native_outputs for each in page)
