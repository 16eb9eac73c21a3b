"""A stone opens once what all of its hooks share, in each engine, and closes it when no hook runs any more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Literal

import pytest

from riverstone.engine import Engine, Invalid, NotFound, Stone, TaskInfo

from .sketch import definitions, flow, line, process, runs, service

Kind = Literal["inline", "threads"]


class Client:
    """A client that counts what it is asked, and refuses when it is closed."""

    made: list[Client]

    def __init__(self) -> None:
        self.asked = 0
        self.is_open = True
        self.made.append(self)

    def create(self) -> int:
        assert self.is_open
        self.asked += 1
        return self.asked


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    monkeypatch.setattr(Client, "made", [], raising=False)
    return Client.made


class Plain(Stone):
    """Creates by a client."""

    code = "create"
    client: Client

    def open(self) -> None:
        self.client = Client()

    def close(self) -> None:
        self.client.is_open = False

    def start(self, task: TaskInfo) -> dict[str, int]:
        return {"n": self.client.create()}


class Awaited(Stone):
    """The same, awaited."""

    code = "create"
    client: Client

    async def open(self) -> None:
        await asyncio.sleep(0.01)
        self.client = Client()

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.client.is_open = False

    async def start(self, task: TaskInfo) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"n": self.client.create()}


class Mixed(Plain):
    """Opens plainly for hooks that are awaited."""

    async def start(self, task: TaskInfo) -> dict[str, int]:  # type: ignore[override]
        return {"n": self.client.create()}


@pytest.mark.parametrize("stone", [Plain, Awaited, Mixed])
@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_each_engine_opens_once_and_closes_at_its_end(
    tmp_path: Path, clients: list[Client], stone: type[Stone], dispatcher: Kind
) -> None:
    for number in (1, 2):
        with Engine(f"sqlite:///{tmp_path}/{number}.db", stones=[stone], dispatcher=dispatcher) as engine:
            assert len(clients) == number - 1
            engine.deploy(line("many", service("a", "create", inside=runs("20"))))
            ended = engine.wait(engine.start(key="many", name="test").process_instance_id, 30)
            assert ended.status == "success"
            assert clients[-1].is_open
        assert [client.is_open for client in clients] == [False] * number
    assert [client.asked for client in clients] == [20, 20]


@pytest.mark.parametrize("stone", [Plain, Awaited])
def test_what_cannot_be_opened_fails_the_hook_and_is_tried_again(
    tmp_path: Path, clients: list[Client], stone: type[Stone]
) -> None:
    wrong = [RuntimeError("no route"), RuntimeError("no route")]

    class Late(stone):  # type: ignore[misc,valid-type]
        """Opens at the third go."""

        retries = 2
        retry_backoff = 0.01

    def opens(self: Any) -> Any:
        if wrong:
            raise wrong.pop()
        return stone.open(self)

    async def opens_awaited(self: Any) -> None:
        await opens(self)

    Late.open = opens_awaited if stone is Awaited else opens
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Late]) as engine:
        engine.deploy(line("one", service("a", "create")))
        number = engine.start(key="one", name="test").process_instance_id
        assert engine.wait(number, 30).status == "success"
        assert engine.tasks(number)[0].attempt == 3


def test_an_undo_is_not_done_because_its_client_was_not_found(tmp_path: Path, clients: list[Client]) -> None:
    class Lost(Plain):
        """Loses its client after its start."""

        def open(self) -> None:
            if clients:
                raise NotFound("no such endpoint")
            super().open()

        def delete(self, task: TaskInfo) -> None:
            raise AssertionError("never called")

    for number in (1, 2):
        with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Lost]) as engine:
            if number == 1:
                engine.deploy(line("one", service("a", "create")))
                made = engine.start(key="one", name="test").process_instance_id
            else:
                engine.delete(made)
                assert engine.wait(made, 30).status == "delete.failed"


def test_a_stone_without_open_has_an_object_for_each_call_as_before(tmp_path: Path) -> None:
    seen: list[Stone] = []

    class Each(Stone):
        """Is new each time."""

        code = "create"

        def start(self, task: TaskInfo) -> None:
            seen.append(self)

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Each]) as engine:
        engine.deploy(line("two", service("a", "create"), service("b", "create")))
        engine.start(key="two", name="test")
    assert seen[0] is not seen[1]


def test_what_opens_as_a_coroutine_has_no_plain_hook(tmp_path: Path) -> None:
    class Odd(Awaited):
        """Has a plain hook."""

        def delete(self, task: TaskInfo) -> None:
            pass

    with pytest.raises(Invalid, match="'delete' is none: make all of them async"):
        Engine(f"sqlite:///{tmp_path}/river.db", stones=[Odd])


def test_what_goes_wrong_at_the_end_holds_nobody_up(
    tmp_path: Path, clients: list[Client], caplog: pytest.LogCaptureFixture
) -> None:
    words = ["sesame"]

    class Stuck(Plain):
        """Cannot be closed."""

        def close(self) -> None:
            raise RuntimeError(words[0])

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Stuck]) as engine:
        engine.deploy(definitions(process("one", '<startEvent id="s"/>', service("a", "create"), flow("s", "a"))))
        engine.start(key="one", name="test")
    assert "could not be closed: RuntimeError" in caplog.text
    assert words[0] not in caplog.text.replace('["sesame"]', "")
