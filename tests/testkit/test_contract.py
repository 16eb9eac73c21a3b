"""The contract test finds what is wrong with a stone, and finds nothing wrong with the samples' stones."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from marshmallow import fields

from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import CloudStone, stones
from riverstone.engine import CloudResource, Deferral, NotFound, Stone, TaskInfo
from riverstone.engine.testkit import check_stone


def names() -> list[str]:
    return [stone.__name__ for stone in stones(Cloud())]


@pytest.mark.parametrize("name", names())
def test_every_sample_stone_holds_the_contract(name: str) -> None:
    cloud = Cloud()
    server = cloud.create("servers", "before", group="default")["id"]
    stone = next(stone for stone in stones(cloud) if stone.__name__ == name)
    given = {
        "instanceCode": server,
        "url": "http://files/a",
        "command": "true",
        "port": 80,
        "to": "a@b",
        "subject": "c",
    }
    kind = stone.kind if issubclass(stone, CloudStone) else "mails"

    report = check_stone(stone, given, exists=lambda: cloud.list(kind))

    report.assert_ok()
    assert {"start", "start, delivered again"} <= {check.name for check in report.checks if check.result == "ok"}


class Made(Stone):
    """Right in every way; the wrong ones below change one thing."""

    code = "made"
    parameters = {
        "size": fields.Integer(load_default=1),
        "password": fields.String(load_default="", metadata={"no_echo": True}),
    }
    outputs = {"id": "what was made"}
    monitor_interval = 0.0
    things: ClassVar[dict[str, str]] = {}

    def start(self, task: TaskInfo) -> None:
        self.things[task.idempotency_key] = task.namespace
        task.add_output("id", task.idempotency_key)

    def monitor(self, task: TaskInfo) -> bool:
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] >= 2)

    def rollback(self, task: TaskInfo) -> None:
        if self.things.pop(task.start_key, None) is None:
            raise NotFound("nothing was made")

    def cancel(self, task: TaskInfo) -> None:
        self.rollback(task)

    def delete(self, task: TaskInfo) -> None:
        self.rollback(task)

    def mock(self, task: TaskInfo) -> None:
        task.add_output("id", "mock")


class Awaited(Stone):
    """The same as coroutines."""

    code = "awaited"
    outputs = {"id": "what was made"}
    monitor_interval = 0.0
    things: ClassVar[set[str]] = set()
    deaf = False

    async def start(self, task: TaskInfo) -> dict[str, str]:
        await asyncio.sleep(0)
        self.things.add(task.idempotency_key)
        if self.deaf:
            await asyncio.sleep(60)
        return {"id": task.idempotency_key}

    async def monitor(self, task: TaskInfo) -> bool:
        await asyncio.sleep(0)
        return True

    async def rollback(self, task: TaskInfo) -> None:
        await asyncio.sleep(0)
        self.things.discard(task.start_key)

    cancel = delete = rollback


def test_coroutine_hooks_are_awaited() -> None:
    check_stone(Awaited, exists=lambda: list(Awaited.things)).assert_ok()
    assert not Awaited.things
    report = check_stone(type("Deaf", (Awaited,), {"deaf": True}), timeout=0.2)
    assert any("did not come back" in check.text for check in report.checks if check.result == "wrong")


def test_a_start_may_defer_its_task_to_somebody_who_is_not_there() -> None:
    ordered: set[str] = set()

    def start(self: Stone, task: TaskInfo) -> Deferral:
        ordered.add(task.idempotency_key)
        assert task.defer().token
        return task.defer(timeout=60)

    def rollback(self: Stone, task: TaskInfo) -> None:
        ordered.discard(task.start_key)

    hooks = {"start": start, "rollback": rollback, "cancel": rollback, "delete": rollback}
    order = type("Order", (Stone,), {"code": "order", "outputs": {"id": "told later"}, **hooks})
    report = check_stone(order, exists=lambda: list(ordered))
    report.assert_ok()
    assert "deferred its task" in str(report)


class ForgetsTheKey(Made):
    def start(self, task: TaskInfo) -> None:
        key = f"{task.idempotency_key}-{len(self.things)}"
        self.things[key] = task.namespace
        task.add_output("id", key)

    def rollback(self, task: TaskInfo) -> None:
        for key in [key for key in self.things if key.startswith(task.start_key)]:
            del self.things[key]


class LooksBeforeItMakes(Made):
    """As most do it: nobody there, so make one; but two may look at the same moment."""

    def start(self, task: TaskInfo) -> None:
        known = [key for key in self.things if key.startswith(task.idempotency_key)]
        time.sleep(0.2)
        key = known[0] if known else f"{task.idempotency_key}-{uuid4()}"
        self.things[key] = task.namespace
        task.add_output("id", key)

    def rollback(self, task: TaskInfo) -> None:
        for key in [key for key in self.things if key.startswith(task.start_key)]:
            del self.things[key]


class DeletesOnce(Made):
    def delete(self, task: TaskInfo) -> None:
        del self.things[task.start_key]


class NeedsItsOutputs(Made):
    def rollback(self, task: TaskInfo) -> None:
        self.things.pop(task.outputs["id"], None)


class LeavesTheHalf(Made):
    def rollback(self, task: TaskInfo) -> None:
        self.things.pop(task.outputs.get("id", ""), None)


class PutsOutMore(Made):
    def start(self, task: TaskInfo) -> None:
        super().start(task)
        task.add_output("extra", 1)


class PutsOutLess(Made):
    outputs = {"id": "what was made", "address": "where"}


class PutsOutNoJson(Made):
    def start(self, task: TaskInfo) -> None:
        task.add_output("id", object())


class NeverDone(Made):
    timeouts = {"monitor": 0.2}

    def monitor(self, task: TaskInfo) -> bool:
        return False


class Waits(Made):
    timeouts = {"start": 0.1}

    def start(self, task: TaskInfo) -> None:
        time.sleep(0.6)


class IgnoresTheRequest(Made):
    grace = 0.1

    def start(self, task: TaskInfo) -> None:
        super().start(task)
        if task.cancel_requested:
            time.sleep(0.6)


class LosesItsState(Made):
    def monitor(self, task: TaskInfo) -> bool:
        task.state["seen"] = {"a set"}
        return False


class MakesInMock(Made):
    def mock(self, task: TaskInfo) -> None:
        self.start(task)


class Tells(Made):
    def start(self, task: TaskInfo) -> None:
        super().start(task)
        task.log(f"logged in with {task.parameters['password']}")


class NeedsArguments(Made):
    def __init__(self, client: Any) -> None:
        self.client = client


class TimesOutInNothing(Made):
    timeouts = {"begin": 3}


@pytest.fixture(autouse=True)
def nothing_exists() -> Iterator[None]:
    Made.things.clear()
    yield
    Made.things.clear()


def test_a_right_stone_passes_every_check() -> None:
    report = check_stone(Made, {"password": "secret"}, exists=lambda: Made.things)

    report.assert_ok()
    assert not [check for check in report.checks if check.result == "skipped"]
    assert not Made.things


@pytest.mark.parametrize(
    ("stone", "check", "says"),
    [
        (ForgetsTheKey, "start, delivered again", "idempotency_key"),
        (LooksBeforeItMakes, "start, delivered twice at once", "two things under one key"),
        (DeletesOnce, "delete, again", "raise NotFound"),
        (NeedsItsOutputs, "rollback of a thing whose start was never heard of", "KeyError: 'id'"),
        (LeavesTheHalf, "rollback of a thing whose start was never heard of", "as much exists as before"),
        (PutsOutMore, "outputs", "puts out extra"),
        (PutsOutLess, "outputs", "declares address"),
        (PutsOutNoJson, "start", "output.id is of the Python type object, which is not JSON"),
        (NeverDone, "monitor", "was not done after"),
        (Waits, "start", "did not come back within 0.1 s"),
        (IgnoresTheRequest, "start", "did not come back within 0.1 s"),
        (LosesItsState, "monitor", "state"),
        (MakesInMock, "mock", "must make nothing"),
        (Tells, "secrets", "no_echo"),
        (NeedsArguments, "declaration", "without arguments"),
        (TimesOutInNothing, "declaration", "'begin', which is no event"),
    ],
)
def test_what_a_stone_does_wrong_is_told(stone: type[Stone], check: str, says: str) -> None:
    report = check_stone(stone, {"password": "secret"}, exists=lambda: Made.things)

    assert [(each.name, each.text) for each in report.wrong if each.name == check and says in each.text], str(report)
    with pytest.raises(AssertionError, match=r"wrong"):
        report.assert_ok()


def test_parameters_that_are_missing_are_asked_for_before_anything_is_made() -> None:
    class Needs(Made):
        parameters = {"server": fields.String(required=True)}

    report = check_stone(Needs)

    assert [check.name for check in report.wrong] == ["parameters"]
    assert report.wrong[0].text.startswith("server is required: give them by")
    assert not Made.things


def test_an_undo_that_takes_a_while_is_looked_at_and_one_that_does_not_show_is_asked_again() -> None:
    things: dict[str, float] = {}

    class Slow(Stone):
        """A thing that goes away slowly, and shows late."""

        code = "slow"
        settle = 0.2

        def start(self, task: TaskInfo) -> None:
            things.setdefault(task.idempotency_key, time.monotonic() + 0.1)

        def delete(self, task: TaskInfo) -> None:
            if time.monotonic() < things.get(task.start_key, 0.0) or task.start_key not in things:
                raise NotFound

        def delete_monitor(self, task: TaskInfo) -> bool:
            task.state["looks"] = task.state.get("looks", 0) + 1
            if task.state["looks"] < 3:
                return False
            things.pop(task.start_key, None)
            return True

    report = check_stone(Slow, exists=lambda: list(things), pace=0.0)
    assert not report.wrong, str(report)
    assert things == {}


def test_a_start_that_fails_is_told_wherever_it_was_needed() -> None:
    class Once(Stone):
        """Works once and never again."""

        code = "once"
        calls: ClassVar[list[str]] = []

        def start(self, task: TaskInfo) -> None:
            if self.calls and task.idempotency_key not in self.calls:
                raise RuntimeError("the quota is used up")
            self.calls.append(task.idempotency_key)

        def rollback(self, task: TaskInfo) -> None:
            """Nothing."""

        cancel = rollback

    told = [str(each) for each in check_stone(Once).wrong]
    assert any("rollback of a half-made thing" in each and "the quota is used up" in each for each in told)
    assert any("cancel in the middle" in each and "the quota is used up" in each for each in told)


class Answers(Exception):
    """What a cloud says when it does not work."""

    code = "500"


class Late(CloudResource):
    """In a cloud that shows things late, and answers with an error the first time though it has done the work."""

    code = "late"
    outputs = {"id": "its id"}
    settle = 0.4
    retry_backoff = 0.1
    things: ClassVar[dict[str, tuple[str, float]]] = {}
    told: ClassVar[set[str]] = set()

    @classmethod
    def shown(cls) -> list[str]:
        return [name for name, (_, since) in cls.things.items() if time.monotonic() > since]

    def answer(self, task: TaskInfo) -> None:
        if task.idempotency_key not in self.told:
            self.told.add(task.idempotency_key)
            raise Answers("It does not work.")

    def find(self, task: TaskInfo) -> list[str]:
        return [name for name in self.shown() if self.things[name][0] == task.start_key]

    def create(self, task: TaskInfo) -> str:
        name = str(uuid4())
        self.things[name] = (task.start_key, time.monotonic() + 0.2)
        self.answer(task)
        return name

    def remove(self, task: TaskInfo, found: str) -> None:
        if self.things.pop(found, None) is None:
            raise NotFound(found)
        self.answer(task)


def test_a_cloud_that_shows_things_late_and_answers_with_an_error_after_the_work_is_no_flaw_of_the_stone() -> None:
    report = check_stone(Late, exists=Late.shown)

    assert [check.name for check in report.wrong] in ([], ["start, delivered twice at once"]), str(report)
    assert "at attempt 2" in str(report)
    assert not Late.things


def test_a_pause_of_an_hour_between_two_attempts_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riverstone.engine.testkit.trial.LONGEST_PAUSE", 0.1)

    class Patient(Late):
        code = "patient"
        retry_backoff = 3600.0
        retry_for = 2 * 3600.0

    assert not any("did not come back" in check.text for check in check_stone(Patient, exists=Patient.shown).wrong)
    assert not Patient.shown()


def test_hooks_may_be_annotated_with_what_is_imported_for_typing_alone() -> None:
    source = "class Noted(Made):\n    def start(self, task: Elsewhere) -> None:\n        Made.start(self, task)"
    if sys.version_info < (3, 14):
        source = f"from __future__ import annotations\n{source}"
    space: dict[str, Any] = {"Made": Made}
    exec(compile(source, "<noted>", "exec", dont_inherit=True), space)  # noqa: S102 - as a module of its own would be
    assert not check_stone(space["Noted"], exists=lambda: list(Made.things)).wrong


def test_parameters_may_be_those_of_each_trial() -> None:
    taken: set[int] = set()

    class Place(Stone):
        """A place that can be taken once."""

        code = "place"
        parameters = {"number": fields.Integer(required=True)}

        def start(self, task: TaskInfo) -> None:
            number = task.parameters["number"]
            if number in taken and not task.is_repeated and self.by.get(number) != task.start_key:
                raise RuntimeError("taken")
            taken.add(number)
            self.by[number] = task.start_key

        by: ClassVar[dict[int, str]] = {}

    by_number = check_stone(Place, lambda number: {"number": number})
    assert not by_number.wrong, str(by_number)
    assert check_stone(Place, {"number": 1}).wrong
    in_turn = check_stone(Place, [{"number": number} for number in range(100, 110)])
    assert not in_turn.wrong, str(in_turn)
    short = check_stone(Place, [{"number": 200}, {"size": 1}])
    assert any("of trial 2 do not fit" in check.text for check in short.wrong), str(short)
