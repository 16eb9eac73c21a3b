"""Whatever a stone does, its process gets a clear reason and the engine goes on."""

from __future__ import annotations

import sys
import threading
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from riverstone.engine import Engine, Invalid, Limits, NotFound, Observer, Stone, TaskInfo
from riverstone.models.vocabulary import HOOKS

from .sketch import line, service

CIRCLE: dict[str, Any] = {}
CIRCLE["again"] = CIRCLE
TEN_MEGABYTES = "x" * 10_000_000
SMALL_THAT_BECOMES_LARGE: list[Any] = ["x" * 1000]
for _ in range(12):
    SMALL_THAT_BECOMES_LARGE = [SMALL_THAT_BECOMES_LARGE, SMALL_THAT_BECOMES_LARGE]
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


class Unprintable(Exception):
    """An error that cannot even be told."""

    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.fixture(params=["inline", "threads"])
def engine(request: pytest.FixtureRequest, sqlite: str) -> Iterator[Engine]:
    dispatcher: Literal["inline", "threads"] = request.param
    with Engine(sqlite, dispatcher=dispatcher) as engine:
        yield engine


def outcome(engine: Engine, function: Callable[[TaskInfo], Any]) -> tuple[str, str]:
    """The status and the reason of a process whose one stone is this function; another one works after it."""
    engine.stone("bad")(function)
    engine.stone("good")(lambda task: {"ok": True})
    engine.deploy(line("bad-line", service("bad", "bad")))
    engine.deploy(line("good-line", service("good", "good")))
    ended = engine.wait(engine.start(key="bad-line", name="test", rollback=False).process_instance_id, timeout=20)
    after = engine.wait(engine.start(key="good-line", name="test").process_instance_id, timeout=20)
    assert after.native_output_values == {"good": {"ok": True}}
    return ended.status, ended.reason or ""


async def later(task: TaskInfo) -> None:
    raise AssertionError("nobody awaits it")


def step_by_step(task: TaskInfo) -> Iterator[int]:
    yield 1


async def both(task: TaskInfo) -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("never", [step_by_step, both, partial(step_by_step)])
def test_what_would_never_run_is_refused_where_it_is_registered(engine: Engine, never: Any) -> None:
    """Such a hook once succeeded without running: a delete said delete.success, and the thing was there."""
    with pytest.raises(Invalid, match="never run") as refused:
        engine.stone("bad")(never)
    assert refused.value.code == "never-run"
    for hook in HOOKS:
        with pytest.raises(Invalid, match=f"The hook '{hook}' of the stone 'bad'"):
            engine.register(type("Bad", (Stone,), {"code": "bad", hook: staticmethod(never)}))
    assert "bad" not in engine.stones


@pytest.mark.parametrize("never", [later, step_by_step, both, partial(later)])
def test_a_function_of_scripts_that_would_never_run_is_refused(never: Any) -> None:
    with pytest.raises(Invalid, match="The function 'call'"):
        Engine("sqlite:///:memory:", scripts="trusted", functions={"call": never})


def test_an_observer_that_would_never_run_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="The hook 'change' of the observer"):
        engine.observe(type("Never", (Observer,), {"change": later})())


def test_a_hook_that_returns_something_to_await_fails_and_says_so(engine: Engine) -> None:
    status, reason = outcome(engine, lambda task: later(task))
    assert (status, "returned a coroutine, which nobody runs" in reason) == ("failed", True)

    class Lazy(Stone):
        code = "lazy"

        def start(self, task: TaskInfo) -> None:
            return None

        def delete(self, task: TaskInfo) -> None:
            return later(task)  # type: ignore[return-value]

    engine.register(Lazy)
    engine.deploy(line("lazy-line", service("lazy", "lazy")))
    started = engine.wait(engine.start(key="lazy-line", name="test").process_instance_id, timeout=20)
    undone = engine.wait(engine.delete(started.process_instance_id).process_instance_id, timeout=20)
    assert undone.status == "delete.failed"
    (task,) = engine.tasks(undone.delete_process_instance_id or "")
    assert "async def" in (task.reason or "")


def test_what_a_hook_returns_is_used_or_told_of(engine: Engine) -> None:
    class Returning(Stone):
        code = "returning"

        def start(self, task: TaskInfo) -> dict[str, Any]:
            return {"id": "i-1"}

        def delete(self, task: TaskInfo) -> None:
            return {"gone": True}  # type: ignore[return-value]

    engine.register(Returning)
    engine.deploy(line("returning-line", service("one", "returning")))
    started = engine.wait(engine.start(key="returning-line", name="test").process_instance_id, timeout=20)
    assert started.native_output_values == {"one": {"id": "i-1"}}
    undone = engine.wait(engine.delete(started.process_instance_id).process_instance_id, timeout=20)
    assert undone.status == "delete.success"
    (task,) = engine.tasks(undone.delete_process_instance_id or "")
    assert any("delete returned dict, which is not used" in str(line) for line in task.log)


def raising(error: BaseException) -> Callable[[TaskInfo], None]:
    def function(task: TaskInfo) -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("the cloud is down"), "RuntimeError: the cloud is down"),
        (KeyError("x"), "KeyError: 'x'"),
        (AssertionError(), "AssertionError"),
        (ValueError("a\0b\ud800c"), "ValueError: ab"),
        (ValueError("y" * 1_000_000), "yyyy"),
        (NotFound("nothing there"), "nothing there"),
        (RecursionError("too deep"), "RecursionError"),
        (MemoryError(), "MemoryError"),
        (StopIteration(3), "StopIteration"),
        (SystemExit(3), "SystemExit"),
        (GeneratorExit(), "GeneratorExit"),
        (CancelledError(), "CancelledError"),
        (Unprintable(), "Unprintable"),
        (ExceptionGroup("two", [ValueError("a"), ValueError("b")]), "two"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_a_stone_raises_is_the_reason(engine: Engine, error: BaseException, reason: str) -> None:
    status, told = outcome(engine, raising(error))

    assert status == "failed"
    assert reason in told
    assert len(told) < 3000


def test_an_interrupt_that_a_stone_makes_up_in_a_thread_fails_its_task(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", dispatcher="threads") as engine:
        assert outcome(engine, raising(KeyboardInterrupt()))[0] == "failed"


def test_a_stone_that_leaves_the_interpreter_fails_like_any_other(engine: Engine) -> None:
    status, reason = outcome(engine, lambda task: sys.exit("enough"))

    assert (status, "SystemExit: enough" in reason) == ("failed", True)


@pytest.mark.parametrize("returned", [1, "text", [1], object(), {1: 2}, {"": 1}, {"a": object()}, {None: 1}])
def test_a_function_that_returns_no_outputs_fails(engine: Engine, returned: Any) -> None:
    status, reason = outcome(engine, lambda task: returned)

    assert status == "failed"
    assert reason


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        (1, 2),
        {1},
        b"x",
        "\0",
        "\ud800",
        10**500,
        {1: 1},
        CIRCLE,
        DEEP,
        TEN_MEGABYTES,
        SMALL_THAT_BECOMES_LARGE,
        RuntimeError("x"),
        Stone,
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_output_that_cannot_be_stored_fails_the_task(engine: Engine, value: Any) -> None:
    status, reason = outcome(engine, lambda task: task.add_output("value", value))

    assert status == "failed"
    assert "output" in reason
    assert len(reason) < 3000


@pytest.mark.parametrize(
    "value", [{"typename": 1}, {"py/object": "os.system"}, {"__class__": "x"}, "${outputs.x}", None]
)
def test_an_output_that_looks_like_something_else_is_just_an_output(engine: Engine, value: Any) -> None:
    engine.stone("show")(lambda task: task.add_output("value", value))
    engine.stone("take")(lambda task: dict(task.parameters))
    engine.deploy(line("shop", service("a", "show"), service("b", "take", {"value": "${outputs.a.value}"})))

    ended = engine.wait(engine.start(key="shop", name="test").process_instance_id, timeout=20)

    assert ended.native_output_values == {"a": {"value": value}, "b": {"value": value}}


def test_many_small_outputs_are_over_the_limit_together(engine: Engine) -> None:
    def fill(task: TaskInfo) -> None:
        for number in range(20):
            task.add_output(f"part {number}", "x" * 100_000)

    status, reason = outcome(engine, fill)

    assert status == "failed"
    assert "output_size" in reason


def test_an_output_that_is_changed_after_it_was_put_out_does_no_harm(engine: Engine) -> None:
    kept: list[Any] = [1]

    def sly(task: TaskInfo) -> None:
        task.add_output("list", kept)
        kept.append(object())

    status, reason = outcome(engine, sly)

    assert status in ("failed", "success")
    assert status == "success" or reason


@pytest.mark.parametrize("state", [{"a": object()}, {"a": float("nan")}, {"a": CIRCLE}, {"a": TEN_MEGABYTES}])
def test_a_monitor_whose_state_cannot_be_stored_fails(engine: Engine, state: dict[str, Any]) -> None:
    class Watch(Stone):
        code = "watch"
        monitor_interval = 0.01

        def monitor(self, task: TaskInfo) -> bool:
            task.state.update(state)
            return False

    engine.register(Watch)
    engine.deploy(line("shop", service("a", "watch")))
    ended = engine.wait(engine.start(key="shop", name="test", rollback=False).process_instance_id, timeout=20)

    assert ended.status == "failed"
    assert "state" in (ended.reason or "")


def test_a_monitor_that_replaces_its_state_by_something_else_fails(engine: Engine) -> None:
    class Watch(Stone):
        code = "watch"
        monitor_interval = 0.01

        def monitor(self, task: TaskInfo) -> bool:
            task.state = [1]  # type: ignore[assignment]
            return False

    engine.register(Watch)
    engine.deploy(line("shop", service("a", "watch")))
    ended = engine.wait(engine.start(key="shop", name="test", rollback=False).process_instance_id, timeout=20)

    assert ended.status == "failed"
    assert "state" in (ended.reason or "")


def test_a_stone_that_floods_its_log_keeps_the_last_lines(engine: Engine) -> None:
    def chatter(task: TaskInfo) -> None:
        for number in range(5_000):
            task.log(f"{number} " + "x" * 5_000)
        task.log("\ud800\0 the end")

    engine.stone("bad")(chatter)
    engine.deploy(line("shop", service("a", "bad")))
    ended = engine.wait(engine.start(key="shop", name="test").process_instance_id, timeout=20)

    (task,) = engine.tasks(ended.process_instance_id)
    assert ended.status == "success"
    assert "the end" in task.log[-1]
    assert len(task.log) <= 200
    assert all(len(line) <= 1000 for line in task.log)


@pytest.mark.parametrize("percent", [float("nan"), float("inf"), "half", None])
def test_progress_that_is_no_number_fails_the_task_or_is_passed_over(engine: Engine, percent: Any) -> None:
    status, reason = outcome(engine, lambda task: task.progress(percent))

    assert status in ("failed", "success")
    assert (status == "failed") == bool(reason)


def test_a_stone_that_deletes_its_own_registration_still_ends(engine: Engine) -> None:
    def vanish(task: TaskInfo) -> dict[str, int]:
        engine.stones.remove("bad")
        return {"x": 1}

    engine.stone("bad")(vanish)
    engine.deploy(line("shop", service("a", "bad")))
    ended = engine.wait(engine.start(key="shop", name="test").process_instance_id, timeout=20)

    assert (ended.status, ended.native_output_values) == ("success", {"a": {"x": 1}})


def test_a_stone_that_asks_the_engine_gets_an_answer(engine: Engine) -> None:
    seen: list[Any] = []

    def curious(task: TaskInfo) -> None:
        seen.append(engine.get(task.process_instance_id).status)
        seen.append(engine.task(task.task_id).status)
        seen.append(engine.start(key="quick", name="from inside").status)

    engine.stone("bad")(curious)
    engine.stone("good")(lambda task: None)
    engine.deploy(line("quick", service("g", "good")))
    engine.deploy(line("shop", service("a", "bad")))
    ended = engine.wait(engine.start(key="shop", name="test").process_instance_id, timeout=20)

    assert ended.status == "success"
    assert seen == ["running", "start.begin", "running"]
    for instance in engine.instances(name="from inside").items:
        assert engine.wait(instance.process_instance_id, timeout=60).status == "success"


def test_a_stone_with_a_broken_constructor_fails_its_task(engine: Engine) -> None:
    class Broken(Stone):
        code = "broken"

        def __init__(self) -> None:
            raise OSError("no licence")

        def start(self, task: TaskInfo) -> None:
            raise AssertionError("never reached")

    engine.register(Broken)
    engine.deploy(line("shop", service("a", "broken")))
    ended = engine.wait(engine.start(key="shop", name="test", rollback=False).process_instance_id, timeout=20)

    assert ended.status == "failed"
    assert "no licence" in (ended.reason or "")


def test_an_interrupted_stone_of_an_inline_engine_interrupts_the_caller_and_is_delivered_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    keys: list[str] = []

    def impatient(task: TaskInfo) -> None:
        keys.append(task.idempotency_key)
        if len(keys) <= 2:
            raise KeyboardInterrupt

    with Engine(url) as engine:
        engine.stone("bad")(impatient)
        engine.deploy(line("shop", service("a", "bad")))
        with pytest.raises(KeyboardInterrupt):
            engine.start(key="shop", name="test")
        with pytest.raises(KeyboardInterrupt):
            engine.run_pending()
        assert len(keys) == 2
    with Engine(url) as engine:
        engine.stone("bad")(impatient)
        (instance,) = engine.instances().items
        assert engine.wait(instance.process_instance_id).status == "success"
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_call_that_would_be_over_the_limits_is_refused_by_the_stone_itself(tmp_path: Path) -> None:
    refused: list[str] = []

    def careful(task: TaskInfo) -> None:
        try:
            task.add_output("x", "y" * 200)
        except Invalid as error:
            refused.append(error.code)

    with Engine(f"sqlite:///{tmp_path}/river.db", limits=Limits(output_size=100)) as engine:
        engine.stone("bad")(careful)
        engine.deploy(line("shop", service("a", "bad")))
        assert engine.wait(engine.start(key="shop", name="test").process_instance_id).status == "success"
    assert refused == ["output-too-large"]


def test_threads_of_a_stone_that_outlive_it_do_no_harm(tmp_path: Path) -> None:
    go_on = threading.Event()
    others: list[threading.Thread] = []

    def fork(task: TaskInfo) -> None:
        def later() -> None:
            go_on.wait(10)
            task.add_output("late", 1)
            task.progress(3)

        others.append(threading.Thread(target=later))
        others[0].start()
        task.add_output("x", 1)

    with Engine(f"sqlite:///{tmp_path}/river.db", dispatcher="threads") as engine:
        engine.stone("bad")(fork)
        engine.deploy(line("shop", service("a", "bad")))
        ended = engine.wait(engine.start(key="shop", name="test").process_instance_id, timeout=20)
        go_on.set()
        others[0].join()
        assert ended.native_output_values == {"a": {"x": 1}}
        assert engine.get(ended.process_instance_id).native_output_values == {"a": {"x": 1}}
