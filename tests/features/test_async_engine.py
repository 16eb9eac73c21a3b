"""The engine for programs that await: the same calls, and waits that hold no thread."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from riverstone.engine import (
    AsyncEngine,
    Deferral,
    Engine,
    Invalid,
    Person,
    Stone,
    TaskInfo,
    UnknownProcessInstance,
    WaitTimeout,
)

from .sketch import line, service

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


class Awaited(Stone):
    """Waits a little, and can be undone."""

    code = "awaited"

    async def start(self, task: TaskInfo) -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"id": task.process_instance_id}

    async def delete(self, task: TaskInfo) -> None:
        await asyncio.sleep(0)

    rollback = cancel = delete


@asynccontextmanager
async def served(url: str, **options: Any) -> AsyncIterator[AsyncEngine]:
    async with AsyncEngine(Engine(url, stones=[Awaited], **{"dispatcher": "threads", **options})) as engine:
        await engine.deploy(line("shop", service("a", "awaited")))
        await engine.deploy(line("person", '<userTask id="a"/>'))
        yield engine


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 60))


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_a_whole_life_is_awaited(sqlite: str, dispatcher: str) -> None:
    async def story() -> None:
        async with served(sqlite, dispatcher=dispatcher) as engine:
            started = await engine.start(key="shop", name="test")
            ended = await engine.wait(started.process_instance_id, timeout=60)
            assert ended.status == "success"
            assert ended.native_output_values == {"a": {"id": started.process_instance_id}}
            await engine.delete(started.process_instance_id)
            assert (await engine.wait(started.process_instance_id)).status == "delete.success"
            assert [task.status for task in await engine.tasks(started.process_instance_id)] == ["start.success"]
            with pytest.raises(UnknownProcessInstance):
                await engine.get("4711")
            with pytest.raises(UnknownProcessInstance):
                await engine.wait("4711")

    run(story())


def test_a_thousand_waits_hold_no_thread(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite) as engine:
            numbers = [(await engine.start(key="person", name="test")).process_instance_id for _ in range(200)]
            waits = [asyncio.create_task(engine.wait(number)) for number in numbers * 5]
            await asyncio.sleep(0.5)
            before = threading.active_count()
            assert before < 30
            for number in numbers:
                (task,) = await engine.tasks(number)
                await engine.complete(task.task_id)
            assert {each.status for each in await asyncio.gather(*waits)} == {"success"}
            assert threading.active_count() <= before
            assert not engine.engine._river.watchers.has_watches

    run(story())


def test_two_hundred_are_started_and_awaited_at_once(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite) as engine:

            async def one(number: int) -> Any:
                started = await engine.start(key="shop", name=f"test {number}")
                return await engine.wait(started.process_instance_id, timeout=30)

            ended = await asyncio.gather(*(one(number) for number in range(200)))
            assert {each.status for each in ended} == {"success"}
            assert len({each.process_instance_id for each in ended}) == 200

    run(story())


def test_a_wait_ends_by_its_timeout_or_when_it_is_cancelled_and_leaves_nothing(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite) as engine:
            number = (await engine.start(key="person", name="test")).process_instance_id
            began = time.monotonic()
            with pytest.raises(WaitTimeout, match=r"after 0\.2 seconds"):
                await engine.wait(number, timeout=0.2)
            assert time.monotonic() - began >= 0.2
            waiting = asyncio.create_task(engine.wait(number))
            await asyncio.sleep(0.1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert not engine.engine._river.watchers.has_watches
            found = await engine.situation(number, wait=10)
            assert (found.need, found.instance.status) == ("person", "running")
            news = asyncio.create_task(engine.situation(number, wait=20, since=found.mark))
            await asyncio.sleep(0.1)
            assert not news.done()
            await engine.complete((await engine.tasks(number))[0].task_id)
            assert (await news).mark != found.mark

    run(story())


def test_the_step_of_another_engine_ends_a_wait(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite) as engine, AsyncEngine(Engine(sqlite, stones=[Awaited], passive=True)) as other:
            number = (await engine.start(key="person", name="test")).process_instance_id
            waiting = asyncio.create_task(engine.wait(number, timeout=60))
            await asyncio.sleep(0.2)
            await other.complete((await other.tasks(number))[0].task_id)
            assert (await waiting).status == "success"

    run(story())


def test_a_coroutine_hook_may_ask_its_own_engine(sqlite: str) -> None:
    """Its calls wait beside the loop, so nothing is held up; by way of the engine itself they are refused."""
    inner: list[str] = []

    async def story() -> None:
        async with served(sqlite) as engine:

            async def outer(task: TaskInfo) -> dict[str, Any]:
                with pytest.raises(Invalid, match="AsyncEngine"):
                    engine.engine.start(key="shop", name="inner")
                started = await engine.start(key="shop", name="inner")
                ended = await engine.wait(started.process_instance_id, timeout=60)
                inner.append(ended.status)
                return {"inner": ended.status}

            await engine.register(type("Outer", (Stone,), {"code": "outer", "start": staticmethod(outer)}))
            await engine.deploy(line("outer", service("a", "outer")))
            started = await engine.start(key="outer", name="test")
            assert (await engine.wait(started.process_instance_id, timeout=60)).status == "success"

    run(story())
    assert inner == ["success"]


def test_under_inline_a_hook_cannot_wait_for_another_process(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite, dispatcher="inline") as engine:

            async def outer(task: TaskInfo) -> None:
                started = await engine.start(key="shop", name="inner")
                with pytest.raises(Invalid, match="use threads"):
                    await engine.wait(started.process_instance_id)

            engine.stone("outer")(outer)
            await engine.deploy(line("outer", service("a", "outer")))
            started = await engine.start(key="outer", name="test")
            assert (await engine.wait(started.process_instance_id, timeout=60)).status == "success"

    run(story())


def test_an_owner_sees_its_own_processes_only(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite) as engine:
            mine, others = engine.owned_by("me"), engine.owned_by("other")
            number = (await mine.start(key="shop", name="test")).process_instance_id
            assert (await mine.wait(number, timeout=60)).owner == "me"
            for call in (others.get, others.wait, others.cancel, others.situation):
                with pytest.raises(UnknownProcessInstance):
                    await call(number)

    run(story())


def test_it_is_shared_by_event_loops_that_come_and_go(sqlite: str) -> None:
    """Django has a loop of its own for each request that is not served by an asynchronous server."""
    with Engine(sqlite, stones=[Awaited], dispatcher="threads") as engine:
        engine.deploy(line("shop", service("a", "awaited")))
        shared = AsyncEngine(engine)

        async def one() -> str:
            started = await shared.start(key="shop", name="test")
            return (await shared.wait(started.process_instance_id, timeout=60)).status

        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(asyncio.run(one()))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert found == ["success"] * 8


def test_context_variables_reach_the_call(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite, dispatcher="inline") as engine:
            engine.stone("who")(lambda task: {"who": WHO.get()})
            await engine.deploy(line("who", service("a", "who")))
            WHO.set("me")
            started = await engine.start(key="who", name="test")
            assert (await engine.get(started.process_instance_id)).native_output_values == {"a": {"who": "me"}}

    run(story())


def test_a_deferred_task_is_completed_by_its_token(sqlite: str) -> None:
    given: list[Deferral] = []

    async def outside(task: TaskInfo) -> Deferral:
        given.append(task.defer(timeout=30))
        return given[-1]

    async def story() -> None:
        async with served(sqlite) as engine:
            engine.stone("outside")(outside)
            await engine.deploy(line("outside", service("a", "outside")))
            number = (await engine.start(key="outside", name="test")).process_instance_id
            waiting = asyncio.create_task(engine.wait(number, timeout=60))
            while not given:
                await asyncio.sleep(0.01)
            assert await engine.complete_deferred(given[0].token, {"id": 1})
            assert (await waiting).native_output_values == {"a": {"id": 1}}

    run(story())


def test_people_and_their_tasks_are_awaited(sqlite: str) -> None:
    async def story() -> None:
        async with served(sqlite) as engine:
            started = await engine.start(key="person", name="x")
            (task,) = (await engine.people.inbox()).items
            ann = Person(user="ann", sees_all=True)
            assert (await engine.people.claim(task.task_id, ann)).assignee == "ann"
            assert (await engine.people.counts(ann)).mine == 1
            await engine.people.complete(task.task_id, {"size": 3}, ann)
            assert (await engine.wait(started.process_instance_id, 30)).status == "success"

    run(story())
