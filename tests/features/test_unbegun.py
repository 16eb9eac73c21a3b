"""A start that could not begin has made nothing: what was made before is undone, and it is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields, validate

from riverstone.engine import Engine, SecretReference, SecretUnavailable, Stone, TaskInfo, VirtualClock

from .sketch import line, service
from .world import World, run, undone

NOWHERE = {"password": "secret:shared/nowhere"}


class Safe:
    """A place with secrets, which can be away."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.away = 0

    def find(self, reference: SecretReference) -> str | None:
        if self.away:
            self.away -= 1
            raise SecretUnavailable("it is closed")
        return self.secrets.get("/".join(reference.parts))


class Db(Stone):
    """Makes a database with a password."""

    code = "db"
    parameters = {"password": fields.String(required=True, validate=validate.Length(min=8), metadata={"no_echo": True})}
    hooks: list[str]

    def start(self, task: TaskInfo) -> None:
        self.hooks.append(task.event)
        if task.parameters["password"] == "fails-at-first":
            raise RuntimeError("no room")

    def rollback(self, task: TaskInfo) -> None:
        self.hooks.append(task.event)

    cancel = delete = rollback


class AwaitedDb(Db):
    """The same in coroutines."""

    code = "db"

    async def start(self, task: TaskInfo) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self.hooks.append(task.event)


@pytest.fixture
def safe() -> Safe:
    return Safe()


@pytest.fixture
def db() -> type[Db]:
    return type("Db", (Db,), {"hooks": [], "__doc__": "Makes a database."})


@pytest.fixture
def hosted(url: str, db: type[Db], world: World, safe: Safe, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, stones=[db, *world.stones()], clock=clock, secrets=[safe]) as engine:
        yield engine


ZONE_THEN_DB = line("shop", service("zone", "make"), service("db", "db", NOWHERE))


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
@pytest.mark.parametrize("base", [Db, AwaitedDb])
def test_a_start_whose_secret_is_missing_is_not_undone_and_what_came_before_is(
    world: World, safe: Safe, dispatcher: Any, base: type[Db], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="riverstone")
    db: type[Db] = type("Db", (base,), {"hooks": [], "__doc__": "Makes a database."})
    with Engine(stones=[db, *world.stones()], dispatcher=dispatcher, secrets=[safe]) as engine:
        engine.deploy(ZONE_THEN_DB)
        ended = engine.wait(engine.start(key="shop", name="test").process_instance_id, 30)
        tasks = engine.tasks(ended.process_instance_id)
        why = engine.why(ended.process_instance_id)
    assert (ended.status, world.exists, db.hooks) == ("rollback.success", [], [])
    assert undone(tasks) == {"zone": "undone", "db": None}
    # Which one is missing is no secret, and no line of code explains it.
    assert "'secret:shared/nowhere' is nowhere to be found" in (tasks[1].reason or "")
    assert "secret:shared/nowhere" in repr(why)
    assert tasks[1].parameters == {"password": "*****"}
    assert "did not begin: secret-unknown" in caplog.text
    assert "File " not in caplog.text


def test_a_start_whose_parameters_do_not_fit_is_not_undone(
    hosted: Engine, safe: Safe, db: type[Db], world: World
) -> None:
    safe.secrets["shared/nowhere"] = "short"
    hosted.deploy(ZONE_THEN_DB)
    ended = run(hosted, "shop")
    assert (ended.status, world.exists, db.hooks) == ("rollback.success", [], [])


def test_all_attempts_that_did_not_begin_made_nothing_and_one_that_did_is_undone(
    hosted: Engine, safe: Safe, db: type[Db]
) -> None:
    db.retries = 2
    hosted.deploy(ZONE_THEN_DB)
    ended = run(hosted, "shop")
    task = hosted.tasks(ended.process_instance_id)[1]
    assert (ended.status, task.attempt, db.hooks) == ("rollback.success", 3, [])

    # Of three attempts the first did not begin; the second may have made something.
    db.retry_backoff, safe.away = 10.0, 0
    started = hosted.start(key="shop", name="test").process_instance_id
    safe.secrets["shared/nowhere"] = "fails-at-first"
    ended = hosted.wait(started, 3600)
    assert (ended.status, db.hooks) == ("rollback.success", ["start", "start", "rollback"])


def test_one_that_was_put_off_for_a_closed_place_and_then_refused_made_nothing(
    hosted: Engine, safe: Safe, db: type[Db]
) -> None:
    safe.away = 2
    hosted.deploy(ZONE_THEN_DB)
    ended = run(hosted, "shop")
    assert (ended.status, db.hooks) == ("rollback.success", [])


def test_one_that_is_tried_again_when_the_secret_is_there_counts_from_then_on(
    hosted: Engine, safe: Safe, db: type[Db], world: World
) -> None:
    hosted.deploy(ZONE_THEN_DB)
    number = run(hosted, "shop", on_failure="pause").process_instance_id
    (failure,) = hosted.failures(number)
    safe.secrets["shared/nowhere"] = "correct-horse"
    hosted.rerun(str(failure.task_id))
    assert hosted.wait(number, 3600).status == "success"
    hosted.delete(number)
    assert hosted.wait(number, 3600).status == "delete.success"
    assert (db.hooks, world.exists) == (["start", "delete"], [])


def test_other_parameters_for_one_that_did_not_begin_need_no_rollback_before(hosted: Engine, db: type[Db]) -> None:
    hosted.deploy(ZONE_THEN_DB)
    number = run(hosted, "shop", on_failure="pause").process_instance_id
    (failure,) = hosted.failures(number)
    hosted.rerun(str(failure.task_id), {"password": "given-by-hand"})
    assert hosted.wait(number, 3600).status == "success"
    assert db.hooks == ["start"]
    assert "given-by-hand" not in repr((hosted.tasks(number), hosted.history(number)))
