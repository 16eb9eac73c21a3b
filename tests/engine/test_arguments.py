"""Whatever call of the library is given what is not of its kind (a text, a number, a truth) refuses it by itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from riverstone.engine import AsyncEngine, Engine, Invalid, RiverstoneError
from riverstone.engine.arguments import CHECKS, LIMIT, checked

from ..features.sketch import line

NO_TEXTS: list[Any] = [5, 2.5, True, b"5", [], ["5"], {}, object()]
WRONG: dict[str, list[Any]] = {
    "str": NO_TEXTS,
    # A fraction is not cut, and neither a truth nor a text is a number.
    "int": ["5", 2.7, 2.0, True, b"5", [], {}, object(), 1j],
    "float": ["2.5", True, False, float("nan"), b"5", [], {}, object(), 1j],
    # Python takes the text "no" for true.
    "bool": ["no", "false", "", 0, 1, 0.0, [], {}, object()],
}
WRONG |= {f"{kind} | None": values for kind, values in WRONG.items()}
NOT_CHECKED = {"Source", "Mapping[str, Any]", "Mapping[str, Any] | None", "Mapping[str, str] | None"}
NOT_CHECKED |= {"Sequence[Mapping[str, Any]]", "BatchResult | None", "InstanceKind | None", "ProcessStatus | None"}


def calls(of: Any) -> Iterator[tuple[str, Callable[..., Any], list[str], list[str]]]:
    """Each public call with its parameters, and those of them that are checked."""
    for name, call in inspect.getmembers(of, callable):
        if name.startswith("_") or inspect.isclass(call) or not (inspect.isfunction(call) or inspect.ismethod(call)):
            continue
        found = inspect.signature(call).parameters.values()
        yield (
            name,
            call,
            [each.name for each in found],
            [each.name for each in found if each.annotation in CHECKS and each.name != LIMIT],
        )


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


@pytest.mark.parametrize("part", ["", "people", "webhooks", "keys"])
def test_what_is_not_of_its_kind_is_refused_by_every_call(engine: Engine, part: str) -> None:
    several = 0
    for name, call, _, checked_ones in calls(getattr(engine, part) if part else engine):
        for one in checked_ones:
            kind = str(inspect.signature(call).parameters[one].annotation)
            for value in WRONG.get(kind, [each for each in NO_TEXTS if not isinstance(each, list | dict)]):
                with pytest.raises(Invalid) as refused:
                    call(**{one: value})
                assert list(refused.value.errors) == [one], name
                several += 1
    assert several > 20


def test_a_text_does_not_cancel_what_runs(engine: Engine) -> None:
    """``force="false"`` was taken for true, and the running process was cancelled."""
    engine.deploy(line("waits", '<userTask id="a"/>'))
    number = engine.start(key="waits", name="test").process_instance_id
    wrong: Any = "false"
    with pytest.raises(Invalid, match="force must be true or false"):
        engine.delete(number, force=wrong)
    assert engine.get(number).status == "running"


def test_what_an_owner_asks_is_checked_too(engine: Engine) -> None:
    owned = engine.owned_by("ann")
    for name, call, parameters, texts in calls(owned):
        for text in texts:
            with pytest.raises(RiverstoneError):
                call(**{parameters[0]: "1", text: b"5"})
            assert name
    with pytest.raises(Invalid):
        owned.get(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="process_instance_id"):
        owned.get()  # type: ignore[call-arg]


def test_what_is_awaited_is_checked_too(engine: Engine) -> None:
    async def ask() -> None:
        awaited = AsyncEngine(engine)
        for name, call, _, checked_ones in [*calls(awaited), *calls(awaited.people)]:
            for one in checked_ones:
                if inspect.iscoroutinefunction(call):
                    first = {"process_instance_id": 5} if name in ("wait", "situation") else {}
                    with pytest.raises(Invalid):
                        await call(**{**first, one: b"5"})
        await awaited.close()

    asyncio.run(ask())


def test_a_place_that_has_to_be_a_text_is_not_none(engine: Engine) -> None:
    asked: list[Any] = [engine.get, engine.tasks, engine.cancel, engine.deployment, engine.decide, engine.task]
    for ask in asked:
        with pytest.raises(Invalid, match="must be a text"):
            ask(None)


def test_several_texts_are_neither_one_nor_others() -> None:
    class Kept:
        def keep(self, tasks: Sequence[str] = ()) -> list[str]:
            return list(tasks)

    kept: Any = partial(checked(Kept.keep), Kept())
    for tasks in (["1"], ("1",), {"1"}, {"1": 2}.keys(), iter(["1"])):
        assert kept(tasks) == ["1"]
    for wrong in ("1", b"1", None, 1, [1], ["1", None]):
        with pytest.raises(Invalid, match="tasks must be a list of texts"):
            kept(wrong)


def test_no_call_takes_texts_that_nobody_checks(engine: Engine) -> None:
    for part in (engine, engine.people, engine.webhooks, engine.keys):
        for name, call, _, _ in calls(part):
            for each in inspect.signature(call).parameters.values():
                kind = str(each.annotation)
                assert kind in CHECKS or "str" not in kind.replace("Instance", "") or kind in NOT_CHECKED, (name, kind)
