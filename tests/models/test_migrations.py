"""The schema that the migrations make is that of the rows, in every database, however many make it at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from peewee import Database, MySQLDatabase, PostgresqlDatabase, SqliteDatabase

from riverstone.models import Store, StoreError, vocabulary
from riverstone.models.databases.database import MIGRATIONS, migrate, mysql_lock, open_database
from riverstone.models.row_types.tables import TABLES, columns

from .stores import KINDS, SHARED, bare

OPEN = """
import sys
from riverstone.models import Store, StoreError
sys.stdin.readline()
stores = [Store(sys.argv[1]) for _ in range(3)]
print(len({store.ids.next() for store in stores}), flush=True)
for store in stores:
    store.close()
"""
NAMES = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with bare(request.param, tmp_path) as url:
        database = open_database(url)
        database.connect()
        try:
            yield database
        finally:
            database.close()


def test_an_empty_database_is_migrated_once(database: Database) -> None:
    assert migrate(database) == NAMES
    assert migrate(database) == []


def test_a_migration_waits_for_none_of_another_database_on_its_server(tmp_path: Path) -> None:
    with bare("mariadb", tmp_path) as url, bare("mariadb", tmp_path) as other:
        one, holder = open_database(url), open_database(other)
        with closing(one), closing(holder):
            assert holder.execute_sql("SELECT GET_LOCK(%s, 60)", (mysql_lock(holder.database),)).fetchone() == (1,)
            assert migrate(one) == NAMES


def test_the_migrated_tables_are_those_of_the_rows(database: Database) -> None:
    migrate(database)

    assert TABLES.keys() <= {*database.get_tables()} <= {*TABLES, "schema_migration", "sqlite_sequence"}
    for table, row in TABLES.items():
        if row is None:
            continue
        found = {column.name: column for column in database.get_columns(table)}
        assert found.keys() - {"id"} == {*columns(row)} - {"id"}, table
        for field in fields(row):
            if field.name in found:
                kind, column = str(field.type), found[field.name]
                assert column.null == ("None" in kind), (table, field.name)
                assert ("int" in column.data_type.lower()) == kind.startswith("int"), (table, field.name)


WHOLE: dict[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...], bool]] = {
    ("process_instance", ("key",)): ("process_instance", ("key", "phase"), False),
    ("process_instance", ("business_key", "process_instance_id")): (
        "process_instance",
        ("business_key", "phase", "process_instance_id"),
        False,
    ),
}


BARE = ("task", ("process_instance_id",), False)
VERSION = ("process_instance", ("deployment_id", "process_instance_id"), False)


def indexes(database: Database) -> set[tuple[str, tuple[str, ...], bool]]:
    """Those beside the primary keys: table, columns, and whether no two rows may have the same."""
    return {
        (table, tuple(index.columns), bool(index.unique))
        for table in TABLES
        for index in database.get_indexes(table)
        if index.columns != database.get_primary_keys(table)
    }


def test_every_database_has_the_same_indexes(database: Database) -> None:
    migrate(database)

    with SqliteDatabase(":memory:") as plain:
        migrate(plain)
        wanted = indexes(plain)
        if isinstance(database, MySQLDatabase):
            # It has no partial indexes, so these have in them what is the condition elsewhere.
            wanted = {WHOLE.get((table, names), (table, names, unique)) for table, names, unique in wanted}
        if isinstance(database, PostgresqlDatabase):
            # Elsewhere an index has the primary key behind its columns anyway.
            wanted = wanted - {BARE, VERSION} | {("task", ("process_instance_id", "id"), False)}
            wanted |= {("process_instance", ("deployment_id",), False)}
        assert indexes(database) == wanted
        assert ("wait", ("due",), False) in indexes(plain)


def test_postgresql_knows_every_word_that_its_columns_can_hold(tmp_path: Path) -> None:
    """A word that is new needs a migration: ``ALTER TYPE vocabulary ADD VALUE``."""
    with bare("postgresql", tmp_path) as url, closing(open_database(url)) as database:
        migrate(database)
        known = {word for (word,) in database.execute_sql("SELECT unnest(enum_range(NULL::vocabulary))::text")}
        held = database.execute_sql(
            "SELECT table_name, column_name FROM information_schema.columns WHERE udt_name = 'vocabulary'"
        ).fetchall()

    assert ("task", "status") in held
    for table, name in held:
        (kind,) = (str(field.type) for field in fields(TABLES[table]) if field.name == name)  # type: ignore[arg-type]
        words = get_args(getattr(vocabulary, kind.removesuffix(" | None")))
        assert words
        assert known >= {*words}, (table, name)


@pytest.mark.parametrize("kind", SHARED)
def test_four_processes_at_once_make_one_schema(kind: str, tmp_path: Path) -> None:
    with bare(kind, tmp_path) as url:
        children = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN, url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        answers = [child.communicate(timeout=60) for child in children]

        assert answers == [("3\n", "")] * 4
        store = Store(url)
        assert [name for (name,) in store.read("SELECT `name` FROM `schema_migration` ORDER BY 1")] == NAMES
        assert store.read("SELECT COUNT(*) FROM `sequence` WHERE `name` = 'id'") == [(1,)]
        store.close()


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    from riverstone.engine import Engine, StoreUnavailable

    (tmp_path / "not_sqlite.db").write_bytes(b"this is no database" * 100)
    for url in (
        f"sqlite:///{tmp_path}/no/such/folder/river.db",
        f"sqlite:///{tmp_path}/not_sqlite.db",
        "postgresql://nobody@127.0.0.1:1/none",
        "mysql://nobody@127.0.0.1:1/none",
        "oracle://x",
        f"sqlite:///{tmp_path}/x.db?colour=red",
        "no url",
        "",
    ):
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            Engine(url)


def test_a_place_where_no_database_can_be_is_told_with_what_it_lacks(tmp_path: Path) -> None:
    from riverstone.engine import Engine, StoreUnavailable

    for url, told in (
        (f"sqlite:///{tmp_path}/数据 库/river.db", f"there is no folder '{tmp_path}/数据 库': make it first"),
        (f"sqlite:///{tmp_path}", f"'{tmp_path}' is a folder: name a file in it"),
        ("oracle://scott:tiger@host/x", "'oracle' is no kind of database: use sqlite:///FILE, postgresql://"),
        ("river.db", "its address names no kind of database: use sqlite:///FILE"),
    ):
        with pytest.raises(StoreUnavailable) as refused:
            Engine(url)
        assert told in refused.value.message
        assert "tiger" not in refused.value.message


@pytest.mark.parametrize(
    ("url", "drivers", "extra"),
    [
        ("postgresql://127.0.0.1/x", ("psycopg",), "postgresql"),
        ("mysql://127.0.0.1/x", ("pymysql", "MySQLdb"), "mariadb"),
        ("mariadb://127.0.0.1/x", ("pymysql", "MySQLdb"), "mariadb"),
    ],
)
def test_a_missing_driver_is_told_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, url: str, drivers: tuple[str, ...], extra: str
) -> None:
    from riverstone.engine import Engine, StoreUnavailable

    for driver in drivers:
        monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(StoreUnavailable, match=rf"{drivers[0]} is not installed: pip install 'riverstone\[{extra}\]'"):
        Engine(url)


def test_a_driver_that_is_too_old_is_told_with_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to psycopg 3.3.5 nothing could end a wait for a server that says nothing, and ids came as no texts."""
    psycopg = pytest.importorskip("psycopg")

    def wait(connection: object, gen: object, interval: float = 0.1) -> None:
        """As it was."""

    monkeypatch.setattr(psycopg.Connection, "wait", wait)
    with pytest.raises(StoreError, match=r"psycopg is 3\.\d+\.\d+, and 3\.3\.6 is needed: pip install 'riverstone"):
        open_database("postgresql://127.0.0.1/x")


def test_mariadb_may_be_named_by_its_own_name() -> None:
    with bare("mariadb", Path()) as url:
        store = Store(url.replace("mysql://", "mariadb://", 1))
        assert store.read("SELECT COUNT(*) FROM `process_instance`") == [(0,)]
        store.close()


def test_windows_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal that asks on POSIX whether a process lives would end it there."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(StoreError, match="does not run on Windows"):
        open_database("sqlite:///:memory:")


LIVING = """
import sys
from riverstone.engine import Engine
engine = Engine(sys.argv[1])
print("at work", flush=True)
sys.stdin.readline()
engine.close()
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called this process is a later version, with one migration more."""

    def begin() -> None:
        folder = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
        (folder / "9999_later.py").write_text("def up(migrator, database):\n    pass\n")
        monkeypatch.setattr("riverstone.models.databases.database.MIGRATIONS", folder)

    return begin


@pytest.mark.parametrize("kind", SHARED)
def test_a_store_is_not_migrated_under_engines_at_work(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, next_version: Callable[[], None]
) -> None:
    from riverstone.engine import Engine, StoreUnavailable

    caplog.set_level("INFO", "riverstone.engine")
    with bare(kind, tmp_path) as url:
        child = subprocess.Popen(
            [sys.executable, "-c", LIVING, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "at work\n"
        next_version()
        with pytest.raises(StoreUnavailable, match=f"still at work on .*process {child.pid}.*: stop them"):
            Engine(url)
        # Nothing has happened, so one that is killed leaves a store that can be migrated at once on its machine.
        child.kill()
        child.wait()
        Engine(url).close()
        assert f"the store was migrated from the schema {NAMES[-1]} to 9999_later" in caplog.messages
        child.stdin.close()
        child.stdout.close()


def test_an_engine_of_another_machine_is_waited_for_until_its_lease_is_over(
    tmp_path: Path, next_version: Callable[[], None]
) -> None:
    from riverstone.engine import Engine, StoreUnavailable
    from riverstone.models.claims.leases import Leases

    url = f"sqlite:///{tmp_path}/river.db"
    store = Store(url)
    Leases(store).begin("another", "elsewhere", 4711, "1")
    next_version()
    with pytest.raises(StoreUnavailable, match=r"elsewhere \(process 4711\).*30 seconds"):
        Engine(url)
    store.execute("UPDATE `engine_node` SET `seen` = `seen` - 31000")
    Engine(url).close()
    store.close()


@pytest.mark.parametrize("password", ["p[s", "p]s", "p[s]"])
def test_an_address_that_cannot_be_read_says_what_to_write(password: str) -> None:
    with pytest.raises(StoreError, match="percent-encoded"):
        open_database(f"postgresql://anna:{password}@127.0.0.1/river")


def test_a_password_stands_percent_encoded_in_an_address() -> None:
    opened = open_database("postgresql://an%40na:p%40ss%2F%25%3A@127.0.0.1/river")

    assert opened.connect_params["user"] == "an@na"
    assert opened.connect_params["password"] == "p@ss/%:"
