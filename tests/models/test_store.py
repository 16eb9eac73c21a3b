"""What goes into the store comes out of it the same, whatever the database, or not at all."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_args
from urllib.parse import quote

import pytest

from riverstone.engine import Engine, Invalid, Stone, StoreUnavailable, TaskInfo
from riverstone.engine.dispatch.dispatcher import Reports
from riverstone.engine.dispatch.inline import InlineDispatcher
from riverstone.models import (
    AlreadyUsed,
    Changes,
    ContentRow,
    DeploymentRow,
    EventRow,
    InstanceFilter,
    InstanceRow,
    Leases,
    ModelRow,
    ReceiverFilter,
    RevisionConflict,
    Store,
    StoreError,
    StragglerKey,
    TaskRow,
    TokenRow,
    WaitRow,
    find_instances,
    vocabulary,
)
from riverstone.models.claims.leases import SELECT_DUE
from riverstone.models.commit import rare_changes
from riverstone.models.commit.changes import ENDED, TASK_SET
from riverstone.models.databases.cipher import COLUMNS
from riverstone.models.databases.file_guard import KEPT
from riverstone.models.databases.statements import Delete
from riverstone.models.encryption import IDENTIFIED_BY
from riverstone.models.moving import read_moving
from riverstone.models.row_types.tasks import StragglerRow

from ..features.sketch import line, service
from .stores import KINDS, SHARED, fresh

Row = TypeVar("Row")
TEXT = "Ünï 中文 😀 '\"`\\%s?{} \n\t end "
LARGE = (TEXT * 10_000)[:200_000]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with fresh(request.param, tmp_path) as url:
        store = Store(url)
        try:
            yield store
        finally:
            store.close()


def uuid(number: int) -> str:
    """An id, for a row that needs one."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def filled(row: type[Row], **given: Any) -> Row:
    """A row with something in each column: short texts, and numbers as large as they may become."""
    values: dict[str, Any] = {}
    for number, field in enumerate(fields(row)):  # type: ignore[arg-type]
        kind = str(field.type).removesuffix(" | None")
        if field.name in ("id", "model_id", "deployment_id") and kind == "str":
            values[field.name] = uuid(number)
        elif words := get_args(getattr(vocabulary, kind, None)):
            values[field.name] = words[number % len(words)]
        else:
            values[field.name] = number if kind == "int" else f"{number} 中😀"
    return row(**{**values, **given})


def emptied(row: Row) -> Row:
    """The same row with nothing in each column that may be empty."""
    empty = {field.name: None for field in fields(row) if "None" in str(field.type)}  # type: ignore[arg-type]
    return replace(row, **empty)  # type: ignore[type-var]


def instance(number: int, **given: Any) -> InstanceRow:
    return filled(InstanceRow, process_instance_id=number, phase="running", revision=0, **given)


def written(store: Store, *rows: Any) -> None:
    changes = Changes()
    for row in rows:
        if isinstance(row, InstanceRow):
            changes.new_instances[row.process_instance_id] = row
        elif isinstance(row, ContentRow):
            changes.new_contents[row.process_instance_id] = row
        elif isinstance(row, TaskRow):
            changes.new_tasks[row.id] = row
        elif isinstance(row, TokenRow):
            changes.rare.new_tokens[row.process_instance_id, row.id] = row
        elif isinstance(row, WaitRow):
            changes.rare.new_waits.append(row)
        else:
            changes.rare.new_events.append(row)
    if not changes:
        changes.rare.new_events.append(filled(EventRow, id="filler"))
    store.commit(changes)


def test_every_column_of_every_row_comes_back_as_it_was(store: Store) -> None:
    number = 2**53 + 1
    one, two = instance(number), emptied(instance(2))
    content = ContentRow(number, LARGE, TEXT, None)
    tasks = [filled(TaskRow, id=number + 1, process_instance_id=number, parameters=LARGE, reason=TEXT)]
    tasks.append(emptied(replace(tasks[0], id=number + 2)))
    tokens = [
        filled(TokenRow, process_instance_id=number, internal=LARGE),
        TokenRow(2, 1, None, TEXT, 4, None, None, None, None),
    ]
    waits = [filled(WaitRow, process_instance_id=number), WaitRow(2, 1, 0, "message", "paid", None, None)]
    event = filled(EventRow, id="e-1", payload=LARGE, owner="x")

    written(store, one, two, content, *tasks, *tokens, *waits, event)

    assert store.instance(number) == one
    assert store.instance(2) == two
    assert store.record(number) == (one, content)
    assert store.tasks(number) == tasks
    assert store.task(number + 2) == tasks[1]
    assert store.tokens(number) == tokens[:1]
    assert store.tokens(2) == tokens[1:]
    assert store.waits(number) == waits[:1]
    assert store.waits(2) == waits[1:]
    assert read_moving(store, number) == (tokens[:1], waits[:1], [])
    assert read_moving(store, 2) == (tokens[1:], waits[1:], [])
    assert list(store.messages.receivers(ReceiverFilter("paid"))) == [(2, 1)]
    assert store.messages.owed("x", 10) == [event]
    assert store.instance(3) is None
    assert store.record(3) is None
    assert store.task(3) is None


def test_models_and_deployments_come_back_as_they_were(store: Store) -> None:
    model = filled(ModelRow, id=uuid(1), key="shop", sources=LARGE)
    deployment = filled(DeploymentRow, id=uuid(11), key="shop", version=1, sources=LARGE, removed=None)

    store.catalogue.save_model(model)
    store.catalogue.save_model(edited := replace(model, name=TEXT, parameter_template=None))
    store.catalogue.add_deployment(deployment, [("message", "paid", "begin"), ("signal", "alarm", "s")])
    store.catalogue.add_deployment(
        newer := replace(deployment, id=uuid(12), version=2, digest="x"), [("message", "paid", "start")]
    )
    store.catalogue.add_deployment(snapshot := replace(deployment, id=uuid(10), version=0), ())

    assert store.catalogue.model(uuid(1)) == store.catalogue.model_of_key("shop") == edited
    assert store.catalogue.models(limit=9, cursor=None, key=None) == [edited]
    assert store.catalogue.deployment(uuid(11)) == deployment
    assert store.catalogue.newest_deployment("shop") == newer
    assert store.catalogue.deployments(limit=9, cursor=None, key="shop", model_id=None) == [newer, deployment]
    assert store.catalogue.deployment_of_digest("shop", snapshot.digest, numbered=False) == snapshot
    assert store.catalogue.start_triggers("message", "paid") == [("shop", uuid(12), "start")]
    assert store.catalogue.start_triggers("signal", "alarm") == []
    with pytest.raises(AlreadyUsed):
        store.catalogue.add_deployment(replace(deployment, id=uuid(13), version=2, digest="y"), ())
    assert store.catalogue.deployment(uuid(13)) is None
    for no_id in ("x", "", TEXT, uuid(11).upper(), f"{{{uuid(11)}}}"):
        assert store.catalogue.deployment(no_id) is None
        assert store.catalogue.model(no_id) is None
        assert store.drafts.draft(no_id) is None
        assert store.catalogue.deployments(limit=9, cursor=None, key=None, model_id=no_id) == []


def test_all_of_a_commit_is_written_or_nothing(store: Store) -> None:
    written(store, instance(1), filled(EventRow, id="twice"))
    changes = Changes()
    changes.new_instances[2] = instance(2)
    changes.new_tasks[3] = filled(TaskRow, id=3, process_instance_id=2)
    changes.rare.new_events.append(filled(EventRow, id="twice"))

    with pytest.raises(AlreadyUsed):
        store.commit(changes)

    assert store.instance(2) is None
    assert store.tasks(2) == []
    written(store, instance(2))
    assert store.instance(2) is not None


def test_whoever_comes_second_with_a_change_is_told_and_changes_nothing(store: Store) -> None:
    row = instance(1)
    written(store, row, filled(TaskRow, id=5, process_instance_id=1, progress=0))
    first, second = Changes(), Changes()
    stale = replace(row)
    first.instance_changed(row)
    row.status = "success"
    second.instance_changed(stale)
    stale.status = "failed"
    second.task_changed(filled(TaskRow, id=5, process_instance_id=1, progress=50))

    store.commit(first)
    with pytest.raises(RevisionConflict):
        store.commit(second)

    assert store.instance(1) == row
    assert row.revision == 1
    assert store.tasks(1)[0].progress == 0


def test_changed_and_gone_rows_are_changed_and_gone(store: Store) -> None:
    row, content = instance(1), ContentRow(1, "{}")
    tasks = [filled(TaskRow, id=number, process_instance_id=1) for number in range(10, 20)]
    tokens = [filled(TokenRow, process_instance_id=1, id=number) for number in range(3)]
    waits = [filled(WaitRow, process_instance_id=1, token=number) for number in range(3)]
    events = [filled(EventRow, id=str(number), owner="x") for number in range(3)]
    written(store, row, content, *tasks, *tokens, *waits, *events)

    changes = Changes()
    changes.instance_changed(row)
    row.status, row.due, row.reason = "cancel.begin", 7, TEXT
    content.variables = LARGE
    changes.content_changed(content)
    for task in tasks:
        task.outputs, task.open = f'{{"id":{task.id}}}', 0
        changes.task_changed(task)
    tokens[0].state, tokens[0].locals = 16, TEXT
    changes.rare.tokens[1, 0] = tokens[0]
    changes.rare.gone_tokens.update({(1, 1), (1, 2)})
    changes.rare.gone_waits.update({(1, 0), (1, 2)})
    changes.rare.gone_events += ["0", "2"]
    store.commit(changes)

    assert store.instance(1) == row
    assert store.record(1) == (row, content)
    assert store.tasks(1) == tasks
    assert store.tokens(1) == tokens[:1]
    assert store.waits(1) == waits[1:2]
    assert read_moving(store, 1) == (tokens[:1], waits[1:2], [])
    assert store.messages.owed("x", 9) == events[1:2]
    assert store.messages.owes(["y", "x"])
    assert not store.messages.owes(["y"])


def test_whatever_else_changes_in_a_task_that_is_taken_away_is_stored(store: Store) -> None:
    """Thousands are taken away at once, each with a reason: most have nothing else to write, some have."""
    row = instance(1)
    tasks = [filled(TaskRow, id=number, process_instance_id=1, open=1) for number, _ in enumerate(TASK_SET, 10)]
    written(store, row, filled(ContentRow, process_instance_id=1), *tasks)
    changes, otherwise = Changes(), emptied(filled(TaskRow, progress=1, attempt=2, generation=3))
    changes.instance_changed(row)
    for task, name in zip(tasks, TASK_SET, strict=True):
        task.status, task.ended, task.reason, task.undo = "cancel.success", 7, TEXT, "never-begun"
        task.open, task.owner, task.due = 0, None, None
        if name not in (*ENDED, "ended", "reason", "undo"):
            setattr(task, name, getattr(otherwise, name))
        changes.task_changed(task)
    store.commit(changes)
    assert store.tasks(1) == tasks


def test_a_hook_that_ended_and_may_run_again_is_noted_once(store: Store) -> None:
    """What happens to one hook in a turn is written as what came of it: else the turn could never be written."""
    key: StragglerKey = (2, 1, "start", 1)
    Leases(store).begin("engine", "host", 1, "")
    written(store, instance(1), filled(ContentRow, process_instance_id=1))

    def turn(*steps: str) -> int:
        change = Changes()
        (row, _) = store.record(1) or (instance(1), None)
        change.instance_changed(row)
        for step in steps:
            if step == "noted":
                change.rare.new_stragglers[key] = StragglerRow(*key, 1, "engine")
            elif step == "left":
                change.rare.left_stragglers.add(key)
            else:
                change.rare.straggler_gone(key)
        store.commit(change)
        return len(read_moving(store, 1).stragglers)

    assert turn("noted", "gone") == 0
    assert turn("noted", "gone", "noted") == 1
    assert read_moving(store, 1).stragglers == [StragglerRow(*key, 1, "engine")]
    assert turn("gone", "noted") == 1
    assert turn("gone", "noted", "gone") == 0
    assert turn("noted") == 1
    assert turn("left", "gone") == 0


def test_texts_that_differ_only_in_case_or_trailing_spaces_are_different(store: Store) -> None:
    requests = [("key", "d1", 1, 1), ("KEY", "d2", 2, 1), ("key ", "d3", 3, 1), ("kéy", "d4", 4, 1)]
    changes = Changes()
    changes.rare.new_start_requests.extend(requests)
    changes.rare.new_events.append(filled(EventRow, id="filler"))
    store.commit(changes)
    for number, key in enumerate(("shop", "SHOP", "shöp")):
        store.catalogue.add_deployment(
            filled(DeploymentRow, id=uuid(number), key=key, version=1, removed=None), [("message", key, "begin")]
        )
        written(
            store,
            instance(number + 1, key=key),
            filled(WaitRow, process_instance_id=number + 1, kind="message", name=key, correlation=None),
        )

    assert [store.start_request(key) for key, *_ in requests] == [(digest, number) for _, digest, number, _ in requests]
    assert store.start_request("Key") is None
    for number, key in enumerate(("shop", "SHOP", "shöp")):
        newest = store.catalogue.newest_deployment(key)
        assert newest is not None
        assert newest.id == uuid(number)
        assert store.catalogue.start_triggers("message", key) == [(key, uuid(number), "begin")]
        assert [receiver for receiver, _ in store.messages.receivers(ReceiverFilter(key))] == [number + 1]
        assert [row.key for row in find_instances(store, InstanceFilter(key=key), limit=9).rows] == [key]


def test_an_idempotency_key_is_taken_once(store: Store) -> None:
    def take() -> None:
        changes = Changes()
        changes.rare.new_start_requests.append(("key", "digest", 1, 1))
        changes.rare.new_events.append(filled(EventRow, id=str(threading.get_ident())))
        store.commit(changes)

    take()
    with pytest.raises(AlreadyUsed):
        take()


PROC = Path("/proc/self/fd")


def times_open(path: Path) -> int:
    """How often this process has a file open."""
    files = [PROC / name for name in os.listdir(PROC)]
    return sum(file.exists() and file.readlink() == path for file in files)


@pytest.mark.skipif(not PROC.exists(), reason="the open files of this process are counted in /proc")
def test_a_store_that_cannot_be_opened_leaves_nothing_open(tmp_path: Path) -> None:
    file = tmp_path / "riverstone.db"
    Store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as store, store:
        store.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2040-01-01')")

    with pytest.raises(StoreError, match="newer riverstone") as refused:
        Store(f"sqlite:///{file}")

    assert times_open(file) == 0, f"as long as somebody has {refused.value!r} in hand"


class Away(InlineDispatcher):
    """Its broker is away."""

    def open(self, reports: Reports) -> None:
        raise ConnectionRefusedError("the broker is away")


@pytest.mark.skipif(not PROC.exists(), reason="the open files of this process are counted in /proc")
def test_an_engine_that_does_not_come_up_leaves_no_file_open(tmp_path: Path) -> None:
    file = tmp_path / "riverstone.db"
    with pytest.raises(ConnectionRefusedError) as away:
        Engine(f"sqlite:///{file}", dispatcher=Away())
    with pytest.raises(Invalid) as refused:
        Engine(f"sqlite:///{file}", webhooks=["ftp://example.com"])

    assert times_open(file) == 0, f"as long as somebody has {away.value!r} and {refused.value!r} in hand"


@pytest.mark.skipif(not PROC.exists(), reason="the open files of this process are counted in /proc")
def test_threads_that_ask_a_file_at_different_times_share_few_connections(tmp_path: Path) -> None:
    def opened() -> int:
        return times_open(tmp_path / "riverstone.db")

    store = Store(f"sqlite:///{tmp_path / 'riverstone.db'}")
    # SQLite keeps the file open of a connection that is closed beside others, so no two may ask at the same time.
    one_by_one, all_have_asked, end = threading.Lock(), threading.Barrier(41), threading.Event()

    def ask() -> None:
        with one_by_one:
            assert store.value("SELECT COUNT(*) FROM `process_instance`") == 0
        all_have_asked.wait(60)
        end.wait(60)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    all_have_asked.wait(60)
    try:
        assert 1 <= opened() <= KEPT
    finally:
        end.set()
        for thread in threads:
            thread.join()
        store.close()
    assert opened() == 0


def test_a_connection_whose_use_failed_is_lent_on_without_its_transaction(store: Store) -> None:
    raised = "UPDATE `sequence` SET `next` = `next` + 1 WHERE `name` = 'id'"

    def refused() -> None:
        store.run("INSERT INTO `sequence` (`name`, `next`) VALUES ('other', 1)")
        raise RevisionConflict("refused")

    with pytest.raises(RevisionConflict):
        store.write(refused)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(store.value, "SELECT `next` FROM `sequence` WHERE `name` = 'other'").result() is None
        assert other.submit(store.execute, raised).result() == 1
    assert store.execute(raised) == 1


def test_ids_are_drawn_once_by_however_many_threads_and_stores(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: store.ids.next(), range(3_000)))

    assert len(set(drawn)) == 3_000
    assert min(drawn) == 1


def test_what_is_due_is_found_in_its_order(store: Store) -> None:
    rows = [instance(number, due=due) for number, due in ((1, 30), (2, None), (3, 10), (4, 99))]
    tasks = [
        filled(TaskRow, id=10 + number, process_instance_id=1, open=1, due=due, owner=owner, stone="s")
        for number, (due, owner) in enumerate([(30, "me"), (10, None), (5, "other"), (None, "me"), (99, "me")])
    ]
    waits = [
        filled(WaitRow, process_instance_id=1, token=number, number=0, due=due)
        for number, due in enumerate((40, None, 20, 99))
    ]
    written(store, *rows, *tasks, *waits)

    leases = Leases(store)
    leases.begin("me", "host", 1, "then")
    assert leases.claim_graces("me", 50, 10) == 2
    assert leases.due_graces("me", 50, 10) == [3, 1]
    assert [task_id for _, task_id in store.due_tasks(50, 10, "me")] == [10]
    assert [task_id for _, task_id in store.due_tasks(50, 10, "other")] == [12]
    assert store.due_tasks(50, 0, "me") == []
    assert leases.claim_timers("me", 50, 10) == 2
    assert leases.due_timers("me", 50, 10) == [(1, 2, 0), (1, 0, 0)]
    assert leases.due_timers("me", 50, 1) == [(1, 2, 0)]
    assert store.next_due() == 5


def test_a_timer_and_a_grace_that_nobody_sees_to_become_those_of_one_engine(store: Store) -> None:
    leases = Leases(store)
    for number in (1, 2):
        leases.begin(f"e-{number}", "host", number, "then")
    owners = enumerate((None, "e-1", "e-2", "gone"), start=1)
    for number, owner in owners:
        wait = filled(WaitRow, process_instance_id=number, due=number, owner=owner)
        written(store, instance(number, due=number, due_owner=owner), wait)

    assert leases.claim_graces("e-1", 4, 10) == 2
    assert leases.due_graces("e-1", 4, 10) == [1, 2, 4]
    assert leases.claim_graces("e-2", 4, 10) == 0
    assert leases.due_graces("e-2", 4, 10) == [3]
    assert leases.claim_timers("e-1", 3, 10) == 1
    assert leases.claim_timers("e-2", 4, 10) == 1
    assert [timer[0] for timer in leases.due_timers("e-1", 4, 10)] == [1, 2]
    assert [timer[0] for timer in leases.due_timers("e-2", 4, 10)] == [3, 4]
    leases.end("e-1", 9)
    assert leases.claim_timers("e-2", 4, 10) == 2
    assert [timer[0] for timer in leases.due_timers("e-2", 4, 10)] == [1, 2, 3, 4]


def test_an_engine_that_is_killed_while_it_stops_has_lost_nothing(store: Store) -> None:
    leases = Leases(store)
    rows = [
        filled(TaskRow, id=number, process_instance_id=1, open=1, due=None, owner=f"e-{number}", stone="s", lost=0)
        for number in (1, 2)
    ]
    written(store, instance(1), *rows)
    for number in (1, 2):
        leases.begin(f"e-{number}", "host", number, "then")
    seen = leases.engines()
    leases.close("e-1")
    assert leases.take_from([replace(engine, seen=0) for engine in seen], 9) == 0, "it was heard of meanwhile"

    assert leases.take_from(leases.engines(), 9) == 2
    found = {row.id: row for row in store.tasks(1)}
    assert [(row.lost, row.owner, row.due) for row in found.values()] == [(0, None, 9), (1, None, 9)]


def test_an_engine_that_signs_off_leaves_its_tasks_to_others(store: Store) -> None:
    leases = Leases(store)
    leases.begin("e-1", "host", 1, "then")
    leases.begin("e-2", "host", 2, "then")
    held = {"open": 1, "due": None, "owner": "e-1", "stone": "s", "lost": 0}
    written(store, instance(1), filled(TaskRow, id=10, process_instance_id=1, **held))

    def free() -> list[TaskRow]:
        return leases.free_tasks(50, 10, stones=(), suspects=1, losses=lambda row: row.lost)

    assert leases.claim("e-2", free()) == []
    assert leases.end("e-1", 7) == 1

    assert [(engine.id, engine.host, engine.pid, engine.pid_started) for engine in leases.engines()] == [
        ("e-2", "host", 2, "then")
    ]
    assert store.due_tasks(50, 10, "e-2") == []
    (task,) = found = leases.claim("e-2", free())
    assert (task.owner, task.due, task.lost) == ("e-2", 7, 0)
    assert store.due_tasks(50, 10, "e-2") == [(1, 10)]
    assert leases.claim("e-3", found) == free() == [], "it is the other's now"


def test_a_commit_that_was_refused_leaves_the_thread_ready_for_the_next(store: Store) -> None:
    for _ in range(3):
        with pytest.raises(StoreError):
            written(store, filled(EventRow, id="x" * 3), filled(EventRow, id="x" * 3))
        assert store.messages.owed("x", 9) == []
        assert store.instance(1) is None


def cut(kind: str, url: str) -> None:
    """Have the server close all connections to a database but this one, as when it is restarted."""
    if kind == "postgresql":
        psycopg = pytest.importorskip("psycopg")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return
    other = Store(url)
    mine = other.read("SELECT CONNECTION_ID()")[0][0]
    for (number,) in other.read("SELECT id FROM information_schema.processlist WHERE db = DATABASE()"):
        if number != mine:
            # An engine that has lost one lets the others go by itself.
            with contextlib.suppress(StoreError):
                other.execute(f"KILL {number}")
    other.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_connection_that_is_lost_is_made_anew_before_anybody_is_told(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url:
        store = Store(url)
        Leases(store).begin("e-1", "host", 1, "then")
        written(store, instance(1))
        cut(kind, url)
        assert store.instance(1) is not None
        cut(kind, url)
        written(store, instance(2))
        cut(kind, url)
        assert store.execute("DELETE FROM `process_instance` WHERE `process_instance_id` = 2") == 1
        assert store.instance(2) is None
        store.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_an_engine_goes_on_when_its_connections_were_lost(kind: str, tmp_path: Path) -> None:
    class Slow(Add):
        monitor_interval = 0.2

    with fresh(kind, tmp_path) as url, Engine(url, stones=[Slow], dispatcher="threads") as engine:
        engine.deploy(line("shop", service("a", "add", {"n": "${1}"}), service("b", "add", {"n": "${outputs.a.n}"})))
        numbers = [engine.start(key="shop", name="test").process_instance_id for _ in range(5)]
        for _ in range(3):
            cut(kind, url)
            time.sleep(0.1)

        for number in numbers:
            with contextlib.suppress(StoreUnavailable):
                engine.get(number)
            assert engine.wait(number, timeout=60).status == "success"


@pytest.mark.parametrize("kind", SHARED)
def test_many_stores_on_one_database_lose_no_change(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url:
        stores = [Store(url) for _ in range(3)]
        written(stores[0], *(instance(number, steps=0) for number in range(1, 4)))

        def count(worker: int) -> list[int]:
            store, drawn = stores[worker % 3], []
            for turn in range(20):
                drawn.append(store.ids.next())
                while True:
                    row = store.instance(1 + (worker + turn) % 3)
                    assert row is not None
                    changes = Changes()
                    changes.instance_changed(row)
                    row.steps += 1
                    try:
                        store.commit(changes)
                    except RevisionConflict:
                        continue
                    break
            return drawn

        with ThreadPoolExecutor(9) as pool:
            ids = [number for drawn in pool.map(count, range(9)) for number in drawn]
        found = [stores[0].instance(number) for number in range(1, 4)]
        for store in stores:
            store.close()

    assert len(set(ids)) == 180
    assert sum(row.steps for row in found if row) == 180


class Add(Stone):
    """Adds one, and waits for one look."""

    code = "add"
    monitor_interval = 0.01

    def start(self, task: TaskInfo) -> None:
        task.add_output("n", task.parameters["n"] + 1)
        task.add_output("text", TEXT)

    def monitor(self, task: TaskInfo) -> bool:
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] == 2)


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_runs_on_every_kind_of_store(kind: str, tmp_path: Path) -> None:
    model = line("shop", service("a", "add", {"n": "${n}"}), '<userTask id="ask"/>', service("b", "add", {"n": "${m}"}))
    with fresh(kind, tmp_path) as url, Engine(url, stones=[Add], dispatcher="threads") as engine:
        deployment = engine.deploy(model)
        assert engine.deploy(model) == deployment

        def run(number: int) -> dict[str, Any]:
            started = engine.start(key="shop", name=TEXT, variables={"n": number}, idempotency_key=f"k-{number}")
            again = engine.start(key="shop", name=TEXT, variables={"n": number}, idempotency_key=f"k-{number}")
            assert again.process_instance_id == started.process_instance_id
            while len(tasks := engine.tasks(started.process_instance_id)) < 2:
                pass
            engine.complete(tasks[1].task_id, {"m": number * 10})
            ended = engine.wait(started.process_instance_id, timeout=60)
            assert (ended.status, ended.process_name) == ("success", TEXT)
            return ended.native_output_values

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(run, range(12)))

        for number, outputs in enumerate(found):
            assert outputs["a"] == {"n": number + 1, "text": TEXT}
            assert outputs["b"] == {"n": number * 10 + 1, "text": TEXT}
        assert len(engine.instances(limit=5).items) == 5


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (InstanceFilter(text="SHOP"), [2, 1]),
        (InstanceFilter(text="100%"), [1]),
        (InstanceFilter(text="0_"), []),
        (InstanceFilter(text="店"), [3]),
        (InstanceFilter(text="3"), [3]),
        (InstanceFilter(text="\\"), []),
        (InstanceFilter(statuses=("success", "failed"), kind="start"), [3, 1]),
        (InstanceFilter(started_from=20, started_before=30), [2]),
    ],
)
def test_instances_are_found_alike_in_every_database(store: Store, wanted: InstanceFilter, numbers: list[int]) -> None:
    common: dict[str, Any] = {"key": "k", "kind": "start", "business_key": None}
    written(
        store,
        instance(1, **{**common, "name": "Shop 100%", "status": "success", "started": 10}),
        instance(2, **{**common, "name": "a shop", "status": "running", "started": 20}),
        instance(3, **{**common, "name": "商店", "status": "failed", "started": 30}),
    )

    assert [row.process_instance_id for row in find_instances(store, wanted, limit=9).rows] == numbers


@pytest.mark.parametrize("kind", SHARED)
def test_after_a_restore_no_number_is_given_out_again(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url, contextlib.closing(Store(url)) as store:
        before = store.ids.next()
        first = store.ids.skip(None)
        assert first > before + 1_000_000
        assert store.ids.next() == first
        # What is below those that were given out moves nothing.
        store.ids.skip(7)
        assert store.ids.next() == first + 500
        assert store.ids.skip(first + 5_000_000) == first + 5_000_001
        with contextlib.closing(Store(url)) as other:
            assert {store.ids.next(), other.ids.next()} == {first + 5_000_001, first + 5_000_501}


@pytest.mark.parametrize("count", [1, 4, 16, 64])
def test_nothing_is_removed_by_looking_through_a_whole_table(tmp_path: Path, count: int) -> None:
    """With a million tokens in the store, each step that ended four of them took 50 ms to find them."""
    removing = [each for each in vars(rare_changes).values() if isinstance(each, Delete)]
    assert len(removing) > 4
    with closing(Store(f"sqlite:///{tmp_path}/river.db")):
        pass
    with closing(sqlite3.connect(tmp_path / "river.db")) as store:
        for statement in removing:
            text = statement.text if count == 1 else statement.wide(count)
            plan = store.execute(f"EXPLAIN QUERY PLAN {text}", [1] * count * len(statement.names)).fetchall()
            assert not [step for *_, step in plan if step.startswith("SCAN")], (text, plan)


def test_all_that_is_encrypted_is_encrypted_again_with_another_key() -> None:
    assert COLUMNS.keys() == IDENTIFIED_BY.keys()


@pytest.mark.parametrize("place", ["in the address", "in the environment"])
def test_an_operator_s_settings_of_a_session_come_beside_those_of_the_store(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "-c work_mem=7MB -c jit=on"
    with fresh("postgresql", tmp_path) as url:
        if place == "in the address":
            url += f"{'&' if '?' in url else '?'}options={quote(own)}"
        else:
            monkeypatch.setenv("PGOPTIONS", own)
        with closing(Store(url)) as store:
            ((work_mem, jit, lock_timeout),) = store.read(
                "SELECT current_setting('work_mem'), current_setting('jit'), current_setting('lock_timeout')"
            )
    assert (work_mem, jit) == ("7MB", "on")
    assert lock_timeout != "0"


def test_what_an_engine_looks_for_each_second_goes_through_no_process_that_waits_or_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "river.db"
    Store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {SELECT_DUE}", (0, 0, "an engine", 0, 0)).fetchall()
        lines = [str(line) for *_, line in plan if "process_instance" in line]

    assert any("process_instance_phase" in line for line in lines)
    assert not [line for line in lines if "SCAN" in line]
