"""A secret that comes while something is read for a page is hidden in it, between whichever two questions it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Engine, Stone, TaskInfo
from riverstone.models import Store

from .sketch import catch, line, service

SECRETS = ("pin-first", "pin-second")
PAID = '<message id="paid" name="paid"/>'
NAMED = '<message id="told" name="${outputs.one.said}"/>'
TOLD = '<messageEventDefinition messageRef="told"/>'
MESSAGE = '<messageEventDefinition messageRef="paid"/>'


class Talk(Stone):
    """Puts out what it was told to keep to itself."""

    code = "talk"
    parameters = {"pin": fields.String(required=True, metadata={"no_echo": True})}
    outputs = {"said": "contains it"}

    def start(self, task: TaskInfo) -> None:
        pin = task.parameters["pin"]
        task.log(f"it is {pin}")
        task.add_output("said", f"it is {pin}")


VIEWS: dict[str, Callable[[Engine, str], object]] = {
    "instances": lambda engine, number: engine.instances(limit=1),
    "records": lambda engine, number: engine.records(limit=1),
    "get": lambda engine, number: engine.get(number),
    "situation": lambda engine, number: engine.situation(number),
    "search": lambda engine, number: engine.search(limit=1),
    "tasks": lambda engine, number: engine.tasks(number),
    "task_counts": lambda engine, number: engine.task_counts(number),
    "tokens": lambda engine, number: engine.tokens(number),
    "history": lambda engine, number: engine.history(number),
    "why": lambda engine, number: engine.why(number),
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(f"sqlite:///{tmp_path / 's.db'}", stones=[Talk], dispatcher="inline") as engine:
        one, two = (service(name, "talk", {"pin": pin}) for name, pin in zip(("one", "two"), SECRETS, strict=True))
        for key, nodes in {"first": (one,), "second": (two, one)}.items():
            *before, last = nodes
            engine.deploy(line(key, *before, catch("c", MESSAGE), last, catch("d", MESSAGE), before=PAID))
        engine.deploy(line("last", catch("c", MESSAGE), one, before=PAID))
        engine.deploy(line("named", catch("c", MESSAGE), one, catch("d", TOLD), before=f"{PAID}{NAMED}"))
        yield engine


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("key", ["first", "second", "last", "named"])
def test_a_secret_that_comes_between_two_questions_is_hidden(
    engine: Engine, key: str, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Store.read
    here, asked, at = threading.current_thread(), 0, 0

    def read_late(store: Store, *asking: Any) -> list[tuple[Any, ...]]:
        nonlocal asked
        if threading.current_thread() is here:
            asked += 1
            if asked == at:
                engine.message("paid", process_instance_id=number)
        return read(store, *asking)

    monkeypatch.setattr(Store, "read", read_late)
    while asked >= at:
        number = engine.start(key=key, name="it").process_instance_id
        asked, at = 0, at + 1
        shown = repr(VIEWS[view](engine, number))
        assert not any(secret in shown for secret in SECRETS), f"before question {at}: {shown}"
    assert at > 2
