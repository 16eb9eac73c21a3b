"""What ended long ago is forgotten, unless somebody could still want to undo what it made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from riverstone.api.cli import main
from riverstone.engine import Clock, Engine, Invalid, Stone, TaskInfo, UnknownProcessInstance, VirtualClock
from riverstone.models.row_types.tables import TABLES

from ..models.stores import SHARED, fresh
from .sketch import catch, line, runs, service
from .world import World, run

DAY = 86_400.0
COUNTED = ("process_instance", "content", "task", "token", "wait", "start_request")


@pytest.fixture
def engine(sqlite: str, world: World, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(sqlite, stones=world.stones(), clock=clock) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "make")))
        yield engine


def rows(engine: Engine) -> dict[str, int]:
    """How many rows of process instances the store has, by table."""
    assert TABLES.keys() >= {*COUNTED}
    return {table: engine._store.read(f"SELECT COUNT(*) FROM `{table}`")[0][0] for table in COUNTED}


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def snapshots(engine: Engine) -> int:
    """How many unnumbered deployments there are."""
    return int(engine._store.read("SELECT COUNT(*) FROM `deployment` WHERE `version` = 0")[0][0])


def test_what_was_deleted_goes_with_everything_that_belonged_to_it(engine: Engine, clock: VirtualClock) -> None:
    started = engine.start(key="shop", name="test", idempotency_key="once").process_instance_id
    engine.wait(started)
    undo = engine.delete(started).delete_process_instance_id or ""
    clock.advance(31 * DAY)

    assert engine.purge(30 * DAY) == 1

    assert set(rows(engine).values()) == {0}
    assert snapshots(engine) == 0
    for number in (started, undo):
        with pytest.raises(UnknownProcessInstance):
            engine.get(number)
    assert engine.instances().items == ()
    # The key is free again, as the deployment is there.
    assert engine.start(key="shop", name="test", idempotency_key="once").process_instance_id != started


@pytest.mark.parametrize("kind", SHARED)
def test_every_database_forgets(kind: str, tmp_path: Path, world: World) -> None:
    with fresh(kind, tmp_path) as url, Engine(url, stones=world.stones()) as engine:
        engine.deploy(line("shop", service("a", "make")))
        kept, gone = (run(engine, "shop").process_instance_id for _ in range(2))
        engine.wait(engine.delete(gone).process_instance_id)
        assert engine.purge(0, dry_run=True) == engine.purge(0) == 1
        assert [instance.process_instance_id for instance in engine.instances().items] == [kept]
        assert engine.purge(0, even_undeleted=True) == 1
        assert set(rows(engine).values()) == {0}


def test_what_ended_lately_stays(engine: Engine, clock: VirtualClock) -> None:
    started = run(engine, "shop").process_instance_id
    clock.advance(29 * DAY)
    engine.wait(engine.delete(started).process_instance_id)
    clock.advance(2 * DAY)

    # The process ended more than 30 days ago, but its delete did not.
    assert engine.purge(30 * DAY) == 0
    clock.advance(29 * DAY)
    assert engine.purge(30 * DAY) == 1


def test_what_made_something_stays_until_that_is_deleted_or_given_up(engine: Engine, clock: VirtualClock) -> None:
    started = run(engine, "shop").process_instance_id
    clock.advance(31 * DAY)

    assert engine.purge(30 * DAY) == 0
    assert engine.purge(30 * DAY, even_undeleted=True, dry_run=True) == 1
    assert engine.get(started).status == "success"
    assert engine.purge(30 * DAY, even_undeleted=True) == 1
    assert set(rows(engine).values()) == {0}


def shy(engine: Engine, world: World) -> str:
    """Rolled back, but what ``shy`` made can only be deleted."""
    engine.deploy(line("half", service("a", "shy"), service("b", "make")))
    world.wrong("start", "b", RuntimeError("no"))
    ended = run(engine, "half")
    assert ended.status == "rollback.success"
    return str(ended.process_instance_id)


def failing(engine: Engine, world: World) -> str:
    """Its rollback failed."""
    world.wrong("start", "b", RuntimeError("no"))
    world.wrong("rollback", "a", RuntimeError("not now"))
    ended = run(engine, "shop")
    assert ended.status == "rollback.failed"
    return str(ended.process_instance_id)


@pytest.mark.parametrize(("made", "given_up"), [(shy, 1), (failing, 0)])
def test_what_a_rollback_left_is_kept(
    engine: Engine, world: World, clock: VirtualClock, made: Callable[[Engine, World], str], given_up: int
) -> None:
    number = made(engine, world)
    clock.advance(31 * DAY)

    assert engine.purge(0) == 0
    assert engine.get(number).end_time is not None
    assert engine.purge(0, even_undeleted=True) == given_up


def test_what_was_rolled_back_wholly_or_made_nothing_or_only_pretended_goes(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    world.wrong("start", "b", RuntimeError("no"))
    assert run(engine, "shop").status == "rollback.success"
    assert run(engine, "shop", {"SipRS::Mock": True}).status == "success"
    engine.deploy(line("person", '<manualTask id="a"/>'))
    assert run(engine, "person").status == "success"
    clock.advance(DAY)

    assert engine.purge(DAY) == 3
    assert set(rows(engine).values()) == {0}


def test_what_runs_waits_is_paused_or_protected_stays(engine: Engine, world: World, clock: VirtualClock) -> None:
    timer = "<timerEventDefinition><timeDuration>P90D</timeDuration></timerEventDefinition>"
    engine.deploy(line("patient", catch("t", timer)))
    engine.start(key="patient", name="test")
    engine.deploy(line("empty", '<manualTask id="a"/>'))
    engine.protect(run(engine, "empty").process_instance_id)
    model = engine.save_model(line("trial", service("a", "make")))
    world.wrong("start", "a", RuntimeError("no"))
    assert engine.wait(engine.start(model_id=model.model_id, name="trial").process_instance_id).paused
    clock.advance(31 * DAY)

    assert engine.purge(0, even_undeleted=True) == 0
    assert rows(engine)["process_instance"] == 3


def test_what_a_trial_run_ran_goes_when_the_model_was_edited_and_no_run_is_left(
    engine: Engine, clock: VirtualClock
) -> None:
    first, second = line("trial", '<manualTask id="a"/>'), line("trial", '<manualTask id="b"/>')
    model = engine.save_model(first)
    engine.wait(engine.start(model_id=model.model_id, name="test").process_instance_id)
    clock.advance(DAY)
    assert engine.purge(0) == 1
    assert snapshots(engine) == 1

    engine.save_model(second, model_id=model.model_id)
    clock.advance(DAY)
    assert engine.purge(0) == 0
    assert snapshots(engine) == 0
    assert engine.wait(engine.start(model_id=model.model_id, name="test").process_instance_id).status == "success"


def test_a_long_ledger_goes_in_pieces_while_others_go_on(tmp_path: Path, world: World) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=world.stones(), dispatcher="threads") as engine:
        engine.deploy(line("long", service("a", "make", inside=runs("450"))))
        engine.deploy(line("shop", service("a", "make")))
        run(engine, "long")
        for _ in range(130):
            engine.start(key="shop", name="test")
        for instance in engine.instances(limit=200).items:
            engine.wait(instance.process_instance_id, 30)
        purged: list[int] = []
        other = threading.Thread(target=lambda: purged.append(engine.purge(0, even_undeleted=True)))
        other.start()
        slowest, count = 0.0, 0
        while other.is_alive() or not count:
            begun = time.monotonic()
            engine.start(key="shop", name="beside")
            slowest = max(slowest, time.monotonic() - begun)
            count += 1
            time.sleep(0.01)
        other.join()
        # None waited for all of it; on a busy machine one may wait for its turn.
        assert slowest < 2
        kept = engine.start(key="shop", name="kept").process_instance_id
        assert engine.wait(kept, 60).status == "success"
        assert purged[0] >= 131
        assert rows(engine)["content"] == rows(engine)["process_instance"]


def test_what_a_killed_purge_left_of_a_long_ledger_is_cleared_by_the_next(engine: Engine, world: World) -> None:
    engine.deploy(line("long", service("a", "make", inside=runs("150"))))
    number = int(run(engine, "long").process_instance_id)
    engine._store.execute("DELETE FROM `process_instance` WHERE `process_instance_id` = ?", (number,))
    engine._store.execute("DELETE FROM `task` WHERE `process_instance_id` = ? AND `id` % 3 = 0", (number,))

    assert engine.purge(DAY) == 0
    assert set(rows(engine).values()) == {0}


@pytest.mark.parametrize("age", [-1, float("nan"), float("inf"), True])
def test_an_age_that_is_none_is_refused(engine: Engine, age: float) -> None:
    with pytest.raises(Invalid, match=r"age|older_than_seconds must be a number"):
        engine.purge(age)


def test_the_command_forgets_what_is_older_than_an_age(engine: Engine, sqlite: str) -> None:
    engine.wait(engine.delete(run(engine, "shop").process_instance_id).process_instance_id)
    # The command goes by the machine's clock, so the end is moved to a day ago by that.
    engine._store.execute("UPDATE `process_instance` SET `ended` = ?", (Clock().now() - round(DAY * 1000),))

    def command(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, ["--db", sqlite, "purge", *arguments])
        assert done.exit_code == code
        return done.output

    assert command("--older-than", "2d") == "Forgot 0 processes.\n"
    assert command("--older-than", "23h", "--dry-run") == "Would forget 1 process.\n"
    assert command("--older-than", "23h") == "Forgot 1 process.\n"
    for wrong in ("30", "d", "-1d", "1.5h", "1y"):
        assert "such as 30d" in command("--older-than", wrong, code=1)


@pytest.mark.parametrize("kind", SHARED)
def test_a_dry_run_counts_piece_by_piece_what_a_purge_forgets(
    kind: str, tmp_path: Path, world: World, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverstone.models.operating.retention.PIECE", 5)
    with fresh(kind, tmp_path) as url, Engine(url, stones=world.stones(), clock=clock) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "make")))
        engine.deploy(line("ask", '<userTask id="u"/>'))
        made = [engine.start(key="shop", name="test").process_instance_id for _ in range(4)]
        engine.start(key="ask", name="runs")
        for number in made[:2]:
            engine.delete(number)
        world.wrong("start", "b", RuntimeError("no"))
        run(engine, "shop")
        engine.protect(made[3], True)
        clock.advance(31 * DAY)
        engine.start(key="shop", name="new")

        assert [engine.purge(30 * DAY, even_undeleted=each, dry_run=True) for each in (False, True)] == [3, 4]
        assert engine.purge(30 * DAY) == 3
        assert [engine.purge(30 * DAY, even_undeleted=each, dry_run=True) for each in (False, True)] == [0, 1]
        assert engine.purge(30 * DAY, even_undeleted=True) == 1
        assert {each.process_name for each in engine.search().items} == {"new", "runs", "test"}


@pytest.mark.parametrize("kind", SHARED)
def test_a_dry_run_leaves_out_whose_undo_has_a_hook_that_still_runs(kind: str, tmp_path: Path) -> None:
    goes_on = threading.Event()

    class Slow(Stone):
        code = "slow"
        timeouts = {"delete": 0.2}
        retries = 0

        def start(self, task: TaskInfo) -> None:
            """It makes something."""

        def delete(self, task: TaskInfo) -> None:
            goes_on.wait(30)

    with fresh(kind, tmp_path) as url, Engine(url, stones=[Slow], dispatcher="threads") as engine:
        engine.deploy(line("shop", service("a", "slow")))
        number = engine.start(key="shop", name="test").process_instance_id
        engine.wait(number, 60)
        try:
            engine.delete(number)
            assert engine.wait(number, 60).status == "delete.failed"
            engine.delete(number, retain=[engine.tasks(number)[0].task_id])
            assert engine.wait(number, 60).status == "delete.success"
            assert [engine.purge(0, dry_run=each) for each in (True, False)] == [0, 0]
        finally:
            goes_on.set()
        until(lambda: engine.purge(0, dry_run=True) == 1)
        assert engine.purge(0) == 1
